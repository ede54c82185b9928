"""What is wrong with a regulation's document, in the reader's language: one sentence for each code of a problem."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from examsvc.base.errors import N_
from examsvc.competitions.regulation_reading import EXPECTED, Problem

SENTENCES: Mapping[str, str] = {
    "missing-field": N_("This field is missing; add it."),
    "unknown-field": N_("There is no field of this name here; remove it."),
    "unknown-field-near": N_("There is no field of this name here; write %(suggestion)s or remove it."),
    "not-a-choice": N_("Must be one of %(choices)s."),
    "wrong-type": N_("Must be %(expected)s."),
    "float": N_('Numbers with a point are not exact here; write the number in quotes, such as "7.5".'),
    "exact": N_('Must be a whole number, or a text such as "7.5" or "2/3".'),
    "negative": N_("Must not be negative."),
    "not-positive": N_("Must be more than zero."),
    "share-above-one": N_('Is a share of the whole and must not exceed "1".'),
    "interval": N_('Must be a range that is not empty, such as "[0, 20)", "[1, 30]" or "(20, inf)".'),
    "least": N_("Must be at least %(limit)s."),
    "most": N_("Must be at most %(limit)s."),
    "bad-name": N_("Must be a name in lower-case letters, digits and single hyphens, such as action-plan."),
    "empty-text": N_("The text is empty; write it."),
    "text-too-long": N_("At most %(limit)s letters are allowed."),
    "too-many-items": N_("The list is too long; shorten it."),
    "empty-list": N_("The list is empty; write at least one item."),
    "control-character": N_("The text holds a control character; remove it."),
    "time-of-day": N_("A time of day is not used here; write a date such as 2026-07-01."),
    "too-large-number": N_("The number is too large; write a smaller one."),
    "duplicate-name": N_("Two entries of the list %(field)s share the name %(name)s; rename one."),
    "duplicate-part": N_("Two parts have the name %(name)s; rename one."),
    "stage-parts": N_("Must have parts when it is an examination, and none when it is not."),
    "stage-cut": N_("Must state places_per_post and ties_at_the_cut together, or neither."),
    "draw-steps": N_('Must name participants and an outside value with the method "steps", and neither with another.'),
    "draw-method": N_('Papers are drawn by "steps" or "none"; markers, orders and lots by "steps" or "server".'),
    "two-terms": N_("Must state either expires_hours or expires_minutes, not both and not none."),
    "two-offsets": N_("Must state either offset or by_applicants, not both and not none."),
    "unknown-unverified-field": N_("Names %(field)s in unverified_fields, which this clause does not have."),
    "unverified-twice": N_("Lists unverified_fields although the whole clause is unverified; leave them out."),
    "format": N_("This program reads format %(known)s; adapt the document to it."),
    "not-toml": N_("The document is not TOML: %(reason)s."),
    "not-utf8": N_("The document is not UTF-8 text; save it with that encoding."),
    "too-large": N_("The document is larger than 512 KB; shorten it."),
    "too-deep": N_("The document is nested too deeply; write it in tables of a few levels."),
    "not-canonical": N_("The document is not the export of a regulation."),
}
TYPES: Mapping[str, str] = {
    "a text in quotes": N_("a text in quotes"),
    "a whole number": N_("a whole number"),
    "true or false": N_("true or false"),
    "a list in square brackets": N_("a list in square brackets"),
    "a table": N_("a table"),
    "a date such as 2026-07-01": N_("a date such as 2026-07-01"),
}
assert set(EXPECTED.values()) <= set(TYPES)


def sentence(problem: Problem, say: Callable[[str], str]) -> str:
    """The sentence without its place; ``say`` translates.  A code that is not known is told in English."""
    params = {name: say(TYPES[value]) if value in TYPES else value for name, value in problem.params.items()}
    code = problem.code
    if code == "unknown-field" and "suggestion" in params:
        code = "unknown-field-near"
    if code == "out-of-range":
        code = params["bound"]
    text = SENTENCES.get(code)
    if text is None:
        return problem.message.removeprefix(f"{problem.path}: ")
    try:
        return say(text) % params if params else say(text)
    except KeyError:
        return problem.message.removeprefix(f"{problem.path}: ")
