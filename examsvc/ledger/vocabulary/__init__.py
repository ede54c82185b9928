"""The closed vocabulary of log entries, one module for each part of a competition; `entries` gathers it."""
