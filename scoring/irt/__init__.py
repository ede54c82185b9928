"""Item response theory: calibration, abilities, information, fit and linking.

Scale: P = c + (1−c) / (1 + exp(−a(θ−b))), D = 1. Responses are persons × items, NaN = not administered.
"""

from scoring.irt.ability import Ability, SumScores, estimate_ability, sum_score_table
from scoring.irt.calibration import Calibration, calibrate
from scoring.irt.information import (
    Information,
    category_probabilities,
    expected_scores,
    information,
    marginal_reliability,
)
from scoring.irt.parameters import ItemParameters
from scoring.irt.priors import Beta, LogNormal, Normal, Priors

__all__ = [
    "Ability",
    "Beta",
    "Calibration",
    "Information",
    "ItemParameters",
    "LogNormal",
    "Normal",
    "Priors",
    "SumScores",
    "calibrate",
    "category_probabilities",
    "estimate_ability",
    "expected_scores",
    "information",
    "marginal_reliability",
    "sum_score_table",
]
