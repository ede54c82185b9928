"""Competitive examinations of public office-holders, from the notice to a ranking that anyone can verify.

Importing this package imports nothing else, so that ``examsvc.verify`` runs without Flask or a database.
"""
