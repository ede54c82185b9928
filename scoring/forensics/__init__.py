"""Forensics: answer copying, response times, similarity of texts, with false-positive control.

A flag is a reason for a person to look, never a verdict. Person fit is in `scoring.irt.person_fit`.
"""

from scoring.forensics.copying import Copying, gbt, m4, nominal_probabilities, omega
from scoring.forensics.identical_errors import IdenticalErrors, k_index
from scoring.forensics.multiplicity import benjamini_hochberg, holm
from scoring.forensics.response_times import ResponseTimes, response_times
from scoring.forensics.text_similarity import Passage, TextSimilarity, text_similarity

__all__ = [
    "Copying",
    "IdenticalErrors",
    "Passage",
    "ResponseTimes",
    "TextSimilarity",
    "benjamini_hochberg",
    "gbt",
    "holm",
    "k_index",
    "m4",
    "nominal_probabilities",
    "omega",
    "response_times",
    "text_similarity",
]
