"""Adaptive testing: which item next, when to stop, and how to keep items from being worn out.

The decisions are functions of what has been answered so far and of a random generator; who asks them keeps
the record. Items are `scoring.irt.ItemParameters`, counted from 0.
"""

from scoring.adaptive.administration import Administration, administer, sympson_hetter
from scoring.adaptive.selection import CRITERIA, Content, Exposure, Selection, next_item
from scoring.adaptive.shadow import next_shadow_item
from scoring.adaptive.stopping import Stop, StoppingRule, stop

__all__ = [
    "CRITERIA",
    "Administration",
    "Content",
    "Exposure",
    "Selection",
    "Stop",
    "StoppingRule",
    "administer",
    "next_item",
    "next_shadow_item",
    "stop",
    "sympson_hetter",
]
