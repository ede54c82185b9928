"""Do markers agree, and what would fair marks be?"""

from scoring.raters.categories import Agreement, agreement_weights, gwet, kappa, krippendorff_alpha
from scoring.raters.concordance import Concordance, kendall_w
from scoring.raters.facets import FacetElements, FacetPersons, ManyFacet, many_facet
from scoring.raters.intraclass import IntraclassCorrelation, IntraclassCorrelations, icc
from scoring.raters.linking import LinkedSubset, Linking, linked_subsets

__all__ = [
    "Agreement",
    "Concordance",
    "FacetElements",
    "FacetPersons",
    "IntraclassCorrelation",
    "IntraclassCorrelations",
    "LinkedSubset",
    "Linking",
    "ManyFacet",
    "agreement_weights",
    "gwet",
    "icc",
    "kappa",
    "kendall_w",
    "krippendorff_alpha",
    "linked_subsets",
    "many_facet",
]
