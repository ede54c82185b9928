"""The native format "examsvc-bank/1" (docs/formats/native-bank.md): TOML that people write and read."""

from question_banks.native.reading import FORMAT, read_native
from question_banks.native.writing import item_table, write_native

__all__ = ["FORMAT", "item_table", "read_native", "write_native"]
