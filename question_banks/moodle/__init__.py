"""Moodle XML: reading every core kind of question, and writing what the format carries."""

from question_banks.moodle.reading import read_moodle
from question_banks.moodle.writing import write_moodle

__all__ = ["read_moodle", "write_moodle"]
