"""Classical test theory: items, distractors, reliability, errors of measurement."""

from scoring.classical.conditional import ConditionalError, conditional_sem
from scoring.classical.distractors import DistractorTable, distractor_table
from scoring.classical.factor import OneFactor, one_factor
from scoring.classical.items import ItemAnalysis, TotalScores, item_analysis
from scoring.classical.reliability import (
    Guttman,
    Reliability,
    SplitHalf,
    alpha_if_deleted,
    feldt_interval,
    guttman,
    reliability,
    split_half,
)
from scoring.classical.tetrachoric import Tetrachoric, tetrachoric

__all__ = [
    "ConditionalError",
    "DistractorTable",
    "Guttman",
    "ItemAnalysis",
    "OneFactor",
    "Reliability",
    "SplitHalf",
    "Tetrachoric",
    "TotalScores",
    "alpha_if_deleted",
    "conditional_sem",
    "distractor_table",
    "feldt_interval",
    "guttman",
    "item_analysis",
    "one_factor",
    "reliability",
    "split_half",
    "tetrachoric",
]
