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
from scoring.irt.item_fit import ItemFit, item_fit
from scoring.irt.item_intervals import ItemIntervals, item_intervals
from scoring.irt.linking import Link, link
from scoring.irt.local_dependence import LocalDependence, local_dependence
from scoring.irt.model_fit import ModelFit, model_fit
from scoring.irt.parameters import ItemParameters
from scoring.irt.person_fit import PersonFit, person_fit
from scoring.irt.priors import Beta, LogNormal, Normal, Priors
from scoring.irt.score_equating import EquatedScores, equate_observed_scores, equate_true_scores

__all__ = [
    "Ability",
    "Beta",
    "Calibration",
    "EquatedScores",
    "Information",
    "ItemFit",
    "ItemIntervals",
    "ItemParameters",
    "Link",
    "LocalDependence",
    "LogNormal",
    "ModelFit",
    "Normal",
    "PersonFit",
    "Priors",
    "SumScores",
    "calibrate",
    "category_probabilities",
    "equate_observed_scores",
    "equate_true_scores",
    "estimate_ability",
    "expected_scores",
    "information",
    "item_fit",
    "item_intervals",
    "link",
    "local_dependence",
    "marginal_reliability",
    "model_fit",
    "person_fit",
    "sum_score_table",
]
