"""Psychometric core: arrays in, frozen results out. Imports numpy, scipy and the standard library only.

Rows are persons, columns are items, NaN is *not administered*. Families are subpackages and modules; this
package imports none of them, so `import scoring` costs nothing.
"""
