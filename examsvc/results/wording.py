"""Verdicts and concerns as sentences of both languages."""

from __future__ import annotations

from collections.abc import Mapping
from math import floor, log10

from examsvc.base.errors import N_
from examsvc.base.language import number, sentence

CONCERNS: dict[str, str] = {
    "tie.open": N_("Post %(post)s: the candidates %(candidates)s are equal in everything that the regulation compares. This must be decided (%(role)s) before anything can be approved."),
    "tie.harmless": N_("Post %(post)s: the candidates %(candidates)s are equal in everything. Their order decides nothing, so they share a rank."),
    "late.undecided": N_("%(n)s candidates have answers saved after the end on which nobody has decided. Until somebody does they do not count."),
    "ranking.winner_unsure": N_("Post %(post)s: %(chosen)s is chosen, but the marks cannot tell that candidate apart from %(others)s. The nearest is %(nearest)s: with a probability of %(probability)s the chosen one is really better."),
    "ranking.says_nothing": N_("Post %(post)s: the errors of the marks are as large as the differences. As far as the marks can tell, the order is no better than a lot."),
    "ranking.first_clear": N_("Post %(post)s: the first place is clear; the probability that the first is really the best is %(probability)s."),
    "ranking.unmeasured": N_("Post %(post)s: nothing measures the error of %(part)s, so the uncertainty shown for the order leaves it out."),
    "marker.decides": N_("Post %(post)s: without the marks of %(marker)s in %(part)s, first would be %(first)s."),
    "agreement.below": N_("%(part)s: markers agree less than is customary for decisions (%(target)s): the agreement lies between %(lower)s and %(upper)s (%(n)s scripts)."),
    "agreement.above": N_("%(part)s: markers agree as is customary for decisions (%(target)s) or better: between %(lower)s and %(upper)s (%(n)s scripts)."),
    "agreement.undecided": N_("%(part)s: the agreement of markers lies between %(lower)s and %(upper)s; %(n)s scripts are too few to say whether it reaches %(target)s."),
    "agreement.says_nothing": N_("%(part)s: %(n)s scripts say nothing about how far markers agree: anything between %(lower)s and %(upper)s is possible."),
    "agreement.no_disagreement": N_("%(part)s: the markers never differed on %(n)s scripts."),
    "agreement.too_few": N_("%(part)s: %(n)s scripts with two marks are too few to say anything about agreement."),
    "severity.high": N_("%(part)s: %(marker)s marks higher than the others mark the same work, by %(difference)s on average (between %(lower)s and %(upper)s; %(n)s times)."),
    "severity.low": N_("%(part)s: %(marker)s marks lower than the others mark the same work, by %(difference)s on average (between %(lower)s and %(upper)s; %(n)s times)."),
    "panel.outlier": N_("%(part)s: the mark of %(marker)s for %(candidate)s lay further from the panel's mean than the regulation allows; the rule for that was applied."),
    "item.reversed": N_("%(part)s, question %(item)s: better candidates did worse on it (discrimination between %(lower)s and %(upper)s). Look at its key and wording."),
    "item.key_suspect": N_("%(part)s, question %(item)s: better candidates chose the option %(option)s rather than the keyed one. Check the key."),
    "reliability.below": N_("%(part)s: the reliability of the test is below the customary %(target)s: between %(lower)s and %(upper)s."),
    "reliability.above": N_("%(part)s: the reliability of the test reaches the customary %(target)s: between %(lower)s and %(upper)s."),
    "reliability.undecided": N_("%(part)s: the reliability of the test lies between %(lower)s and %(upper)s; whether it reaches %(target)s is not known."),
    "reliability.says_nothing": N_("%(part)s: with %(n)s candidates the reliability of the test may be anything between %(lower)s and %(upper)s."),
    "reliability.not_estimable": N_("%(part)s: reliability cannot be estimated; all candidates have the same mark."),
    "hall.annulled": N_("The result of %(candidates)s is annulled."),
    "hall.deducted": N_("Sanctions take marks away from %(candidates)s."),
    "late.counted": N_("Late answers of %(n)s candidates count by decision of the board."),
    "hall.incidents": N_("%(n)s incidents are recorded."),
    "hall.outages": N_("%(n)s times a candidate's machine was not heard of during the exam."),
}
"""A sentence for every concern of ``appraisal``."""

VERDICTS: dict[str, str] = {
    "item.no_variation": N_("everybody had the same mark"),
    "item.too_few": N_("too few differ from the rest"),
    "item.undecided": N_("direction not known"),
    "item.discriminates": N_("better candidates did better"),
    "item.reversed": N_("better candidates did worse"),
    "item.key_suspect": N_("check the key"),
    "marker.decides": N_("somebody else would be first"),
    "marker.reorders": N_("%(moved)s candidates change places"),
    "marker.no_effect": N_("the order is the same"),
    "marker.sole": N_("%(candidates)s candidates were marked by nobody else"),
}
"""Short words for the verdicts of ``scoring`` that stand in tables."""


def figure(value: float, language: str, digits: int = 2) -> str:
    """A measured number with so many significant digits, whole where it is whole."""
    if value != value:
        return "–"
    if value == 0 or float(value).is_integer():
        return number(str(int(value)), language)
    places = max(0, digits - 1 - floor(log10(abs(value))))
    text = f"{value:.{min(places, 6)}f}"
    return number(text.replace("-", "−"), language)


def percent(value: float, language: str) -> str:
    """A probability or share in whole per cent; never 0 or 100 where it is not."""
    if 0 < value < 0.01:
        return "< 1 %"
    if 0.99 < value < 1:
        return "> 99 %"
    return number(f"{value * 100:.0f}", language) + " %"


def say(
    language: str, sentences: Mapping[str, str], code: str, names: Mapping[str, str], numbers: Mapping[str, float]
) -> str:
    """The sentence of a code with its names and numbers."""
    given = {name: figure(value, language) for name, value in numbers.items()}
    if "probability" in numbers:
        given["probability"] = percent(numbers["probability"], language)
    return sentence(language, sentences[code], **{**given, **names})
