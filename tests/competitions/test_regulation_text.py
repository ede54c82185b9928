"""A regulation in words: every clause once, both languages alike, and no field whose change nobody would read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
from pydantic import BaseModel

from examsvc.competitions.regulation import clauses, preset_names, read_preset
from examsvc.competitions.regulation_text import SECTIONS, SPEAKERS, clause_text, sections
from examsvc.competitions.terms import Clause, Interval, Label, Model
from examsvc.competitions.wording import Words


@pytest.mark.parametrize("name", preset_names())
def test_every_clause_is_read_once_in_both_languages(name: str) -> None:
    rules = read_preset(name)
    read = {language: sections(rules, language) for language in ("vi", "en")}
    paths = sorted(path for path, _ in clauses(rules))
    assert len(paths) > 60
    for one in read.values():
        assert sorted(text.path for section in one for text in section.clauses) == paths
        assert all(line.strip() and "%(" not in line for section in one for text in section.clauses for line in text.lines)
    shapes = [[(text.path, len(text.lines)) for section in one for text in section.clauses] for one in read.values()]
    assert shapes[0] == shapes[1]


def test_every_kind_of_clause_has_a_speaker_and_a_section() -> None:
    kinds = {type(clause) for name in preset_names() for _, clause in clauses(read_preset(name))}
    assert kinds <= set(SPEAKERS)
    tops = {path.partition(".")[0] for name in preset_names() for path, _ in clauses(read_preset(name))}
    assert tops <= {field for _, _, fields in SECTIONS for field in fields}


SILENT = {
    # names by which other clauses refer; fields that fix the kind; what the page shows beside the words
    ("*", "id"), ("*", "source"), ("*", "verified"), ("*", "unverified_fields"), ("*", "kind"), ("*", "step"), ("*", "label"),
    ("Stage", "parts"),
    ("Stage", "ties_at_the_cut"), ("Stage", "places_per_post"),  # only together; tested below
    ("Transition", "months"),  # 0 and unsaid where nothing ends early
    ("MarkingScheme", "discrepancy"),  # a clause of its own
    ("Panel", "drop_highest"), ("Panel", "drop_lowest"),  # said with a trimmed mean only; tested below
    ("Selection", "reserve_months"),  # said with the places of the list
    ("Total", "maximum"), ("HolidayYear", "year"),  # the heading
    ("PassMark", "of"),
}  # fmt: skip


def _changed(value: Any, hint: Any) -> Iterator[Any]:
    """Other values of the same kind."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield value + 1 if value < 1000 else 2 * value
    elif isinstance(value, Fraction):
        yield value / 3 + Fraction(1, 8)
    elif isinstance(value, Interval):
        yield Interval(Fraction(3), Fraction(4), True, True)
    elif isinstance(value, date):
        yield value + timedelta(days=400)
    elif isinstance(value, Label):
        yield Label(vi="khác hẳn", en="quite different")
    elif isinstance(value, str):
        known = _literals(hint)
        choices = [one for one in known if one != value]
        if choices or not known:
            yield choices[0] if choices else "quite-different"
    elif isinstance(value, tuple):
        if value:
            yield value[1:]
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            for other in _changed(getattr(value, name), get_type_hints(type(value))[name]):
                yield value.model_copy(update={name: other})


def _literals(hint: Any) -> list[str]:
    if get_origin(hint) is Literal:
        return [one for one in get_args(hint) if isinstance(one, str)]
    return [one for argument in get_args(hint) for one in _literals(argument)]


def _fields(clause: Model) -> Iterator[tuple[str, Any, Any]]:
    hints = get_type_hints(type(clause))
    for name in type(clause).model_fields:
        if {("*", name), (type(clause).__name__, name)} & SILENT or _has_no_effect(clause, name):
            continue
        yield name, getattr(clause, name), hints[name]


def _has_no_effect(clause: Model, name: str) -> bool:
    """What changes nothing where another field switches it off, and is therefore not said."""
    switched = {
        "preparation_minutes": lambda: clause.minutes is None,
        "other_marks": lambda: clause.others == "nothing",
        "winner_marks": lambda: clause.winners == "nothing",
        "head": lambda: "head-decides" not in {one for band in clause.bands for one in (band.action, band.failing)}
        | {step.rule for step in clause.three_marks},
    }
    return name in switched and switched[name]()


@pytest.mark.parametrize("name", preset_names())
def test_a_change_of_any_field_changes_what_is_read(name: str) -> None:
    rules = read_preset(name)
    words = Words("en", rules)
    tried, unread = 0, []
    for path, clause in clauses(rules):
        before = clause_text(words, path, clause).lines
        for field, value, hint in _fields(clause):
            for other in _changed(value, hint):
                changed: Clause = clause.model_copy(update={field: other})
                after_words = Words("en", rules)
                tried += 1
                if clause_text(after_words, path, changed).lines == before:
                    unread.append(f"{path}.{field}")
    assert tried > 150
    assert not unread, unread


def test_what_is_said_together() -> None:
    rules = read_preset("demo")
    words = Words("en", rules)
    stage = rules.stage("written").model_copy(update={"places_per_post": 3, "ties_at_the_cut": "all-go-on"})
    assert "At most 3 candidates for each post go on, the best first; equals at the last place all go on." in clause_text(words, "stages.written", stage).lines
    panel = rules.panels[0].model_copy(update={"drop_highest": 2})
    assert "The panel's mark is the mean without the 2 highest and the 1 lowest marks." in clause_text(words, "panels.defence", panel).lines
    silent = rules.transition.model_copy(update={"rule": "keep-for-months-then-cancel", "months": 3})
    assert "3 months" in clause_text(words, "transition", silent).lines[0]


@pytest.mark.parametrize(
    ("text", "english", "vietnamese"),
    [
        ("[0, 20)", "below 20", "dưới 20"),
        ("[1, 30]", "from 1 to 30", "từ 1 đến 30"),
        ("(20, inf)", "more than 20", "trên 20"),
        ("[31, inf)", "31 or more", "từ 31 trở lên"),
        ("[5, 5]", "5", "5"),
        ("(0.5, 1]", "above 0.5, at most 1", "trên 0,5, tối đa 1"),
    ],
)
def test_ranges_as_people_say_them(text: str, english: str, vietnamese: str) -> None:
    rules = read_preset("demo")
    assert Words("en", rules).range(Interval.read(text)) == english
    assert Words("vi", rules).range(Interval.read(text)) == vietnamese
