"""What the errors of measurement make of a ranking."""

from scoring.ranking.markers import MarkerEffect, MarkerError, leave_out_markers, marker_error
from scoring.ranking.uncertainty import RankUncertainty, rank_uncertainty

__all__ = [
    "MarkerEffect",
    "MarkerError",
    "RankUncertainty",
    "leave_out_markers",
    "marker_error",
    "rank_uncertainty",
]
