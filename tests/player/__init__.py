"""The exam player in a real browser."""
