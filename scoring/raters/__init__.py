"""Do markers agree, and what would fair marks be?"""

from scoring.raters.categories import Agreement, agreement_weights, gwet, kappa, krippendorff_alpha
from scoring.raters.concordance import Concordance, kendall_w
from scoring.raters.intraclass import IntraclassCorrelation, IntraclassCorrelations, icc

__all__ = [
    "Agreement",
    "Concordance",
    "IntraclassCorrelation",
    "IntraclassCorrelations",
    "agreement_weights",
    "gwet",
    "icc",
    "kappa",
    "kendall_w",
    "krippendorff_alpha",
]
