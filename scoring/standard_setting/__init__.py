"""Where to pass: cut scores from judges and candidates, and how reliably they classify."""

from scoring.standard_setting.classification import Classification, lee, livingston_lewis, rudner
from scoring.standard_setting.judges import (
    Angoff,
    AngoffRound,
    Bookmark,
    Borderline,
    Hofstee,
    angoff,
    bookmark,
    borderline,
    hofstee,
)

__all__ = [
    "Angoff",
    "AngoffRound",
    "Bookmark",
    "Borderline",
    "Classification",
    "Hofstee",
    "angoff",
    "bookmark",
    "borderline",
    "hofstee",
    "lee",
    "livingston_lewis",
    "rudner",
]
