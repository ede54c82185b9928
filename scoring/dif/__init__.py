"""Differential item functioning: do candidates of equal standing answer an item differently by group?

Group 0 is the reference, 1 the focal group. Scored items, 0/1, complete responses. Candidates are matched on
the total score, the studied item included (Holland & Thayer 1988), or on a criterion given from outside;
`likelihood_ratio` matches on ability instead and takes any categories and missing responses.
DIF is a question about an item, not an answer about a group: a flagged item is read by people before it goes.
"""

from scoring.dif.contingency import breslow_day, mantel_haenszel, standardisation
from scoring.dif.likelihood_ratio import LikelihoodRatio, likelihood_ratio
from scoring.dif.regression import logistic
from scoring.dif.results import BreslowDay, LogisticDif, MantelHaenszel, Sibtest, Standardisation
from scoring.dif.shealy_stout import sibtest

__all__ = [
    "BreslowDay",
    "LikelihoodRatio",
    "LogisticDif",
    "MantelHaenszel",
    "Sibtest",
    "Standardisation",
    "breslow_day",
    "likelihood_ratio",
    "logistic",
    "mantel_haenszel",
    "sibtest",
    "standardisation",
]
