"""QTI 3.0 and 2.0 to 2.2: items, tests and packages."""

from question_banks.qti.package import read_qti, write_qti2, write_qti3

__all__ = ["read_qti", "write_qti2", "write_qti3"]
