"""What a number is worth, said in a code that a page can phrase in any language.

A verdict is a code from the closed list `CODES` with the numbers (and names) its sentence needs. Results of
`scoring` carry verdicts where a reader could mistake an estimate for knowledge, and wherever a value is NaN.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

CODES: dict[str, str] = {
    # items
    "item.no_variation": "all {n} candidates got the same score on this item: nothing can be said about discrimination",
    "item.too_few": "only {minority} of {n} candidates differ from the rest: discrimination cannot be estimated",
    "item.undecided": "with {n} candidates discrimination lies between {lower} and {upper}: its sign is not known",
    "item.discriminates": "better candidates did better on this item: discrimination between {lower} and {upper}",
    "item.reversed": "better candidates did worse on this item: discrimination between {lower} and {upper}",
    "item.key_suspect": "option {option} was chosen by better candidates more than the keyed one: check the key",
    # papers
    "paper.says_nothing": "with {n} candidates the sample says nothing about which items discriminate",
    "paper.some_items": "{decided} of {items} items show their direction; about {false_alarms} would by chance",
    # reliability
    "reliability.not_estimable": "reliability needs candidates with different totals and at least two items",
    "reliability.says_nothing": "with {n} candidates reliability may be anything from {lower} to {upper}",
    "reliability.below": "reliability is below {target}: between {lower} and {upper}",
    "reliability.above": "reliability is above {target}: between {lower} and {upper}",
    "reliability.undecided": "reliability between {lower} and {upper}: whether it reaches {target} is not known",
    "reliability.not_dichotomous": "defined for items scored 0 or 1 only",
    "reliability.singular": "needs more candidates ({n}) than items ({items}), and no item that others determine",
    "reliability.improper": "the factor model gives an item no error variance: do not use this coefficient",
    # raters
    "agreement.no_disagreement": "markers never differed on {n} scripts: how much they might is not bounded",
    "agreement.says_nothing": "with {n} scripts agreement may be anything from {lower} to {upper}",
    "agreement.below": "agreement is below {target}: between {lower} and {upper}",
    "agreement.above": "agreement is above {target}: between {lower} and {upper}",
    "agreement.undecided": "agreement between {lower} and {upper}: whether it reaches {target} is not known",
    "raters.differ": "markers differ in severity (chi-square {chi_square}, {df} df, p = {p})",
    "raters.cannot_tell": "differences in severity are within what chance produces (p = {p})",
    "raters.one": "one marker: severity cannot be separated from the candidates",
    # generalizability
    "component.negative": "estimated below zero ({estimate}) and reported as zero",
    # standard setting
    "cut.stable": "judges place the cut score within {lower} and {upper}",
    "cut.says_nothing": "with {judges} judges the cut score may be anything from {lower} to {upper}",
    "cut.one_judge": "one judge: no standard error",
    "cut.no_intersection": "the compromise line does not meet the distribution of scores",
    "judge.inconsistent": "the judge's ratings do not follow the difficulty of the items (r = {correlation})",
    # ranking
    "ranking.first_clear": "the first place is clear: probability {probability}",
    "ranking.first_likely": "the first place is likely but not certain: probability {probability}",
    "ranking.first_open": "{candidates} candidates cannot be told apart at the top: probability {probability}",
    "ranking.says_nothing": "the errors are as large as the differences: the order is no better than a lot",
    "ranking.no_error_given": "no measurement error was given: the order is taken as it stands",
    "marker.decides": "without this marker another candidate would be first",
    "marker.reorders": "without this marker {moved} candidates change places",
    "marker.no_effect": "without this marker the order is the same",
    "marker.sole": "{candidates} candidates were marked by nobody else",
}


@dataclass(frozen=True)
class Verdict:
    """`code` from `CODES`; `numbers` and `names` fill the places of its sentence. An unknown code is refused."""

    code: str
    numbers: Mapping[str, float] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.code not in CODES:
            raise KeyError(f"{self.code} is not a verdict: add it to scoring.verdicts.CODES.")

    def __str__(self) -> str:
        shown = {name: f"{value:.3g}" for name, value in self.numbers.items()}
        return CODES[self.code].format_map({**shown, **self.names})


def against_target(family: str, interval: tuple[float, float], target: float, n: int) -> Verdict:
    """Compare a coefficient's interval with the target the caller set.

    `family`: "reliability" or "agreement". The sample "says nothing" when the interval spans more than 0.7 of
    the coefficient's useful range 0–1 (values below 0 count as 0) and holds the target.
    """
    lower, upper = interval
    numbers = {"lower": lower, "upper": upper, "target": target, "n": float(n)}
    if upper < target:
        return Verdict(f"{family}.below", numbers)
    if lower >= target:
        return Verdict(f"{family}.above", numbers)
    if min(upper, 1.0) - max(lower, 0.0) > 0.7:
        return Verdict(f"{family}.says_nothing", numbers)
    return Verdict(f"{family}.undecided", numbers)
