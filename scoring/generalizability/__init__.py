"""Generalizability theory: variance components and what other designs would achieve."""

from scoring.generalizability.decision import Decision, decision_study
from scoring.generalizability.study import Component, Study, study

__all__ = ["Component", "Decision", "Study", "decision_study", "study"]
