"""Optimal test assembly by mixed integer linear programming (`scipy.optimize.milp`)."""

from scoring.assembly.blueprint import (
    Between,
    Blueprint,
    Constraint,
    Lot,
    Maximin,
    Maximise,
    Objective,
    StimulusRule,
    Target,
)
from scoring.assembly.conflict import Conflict, ContradictoryBlueprint
from scoring.assembly.files import read_blueprint, read_pool, write_forms
from scoring.assembly.forms import Assembly, Form, assemble
from scoring.assembly.pool import Pool

__all__ = [
    "Assembly",
    "Between",
    "Blueprint",
    "Conflict",
    "Constraint",
    "ContradictoryBlueprint",
    "Form",
    "Lot",
    "Maximin",
    "Maximise",
    "Objective",
    "Pool",
    "StimulusRule",
    "Target",
    "assemble",
    "read_blueprint",
    "read_pool",
    "write_forms",
]
