import re
from pathlib import Path

from examsvc.competitions.lint_findings import CATALOGUE
from examsvc.competitions.procedure_clauses import CHANNEL_EVENTS, COMPETITION_EVENTS, STAGE_EVENTS
from examsvc.competitions.regulation import Regulation
from examsvc.competitions.regulation_reference import reference
from examsvc.competitions.terms import Clause, models_of

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "formats" / "regulation.md").read_text(encoding="utf-8")
ROOM = ROOT / "examsvc" / "competitions"


def test_the_page_ends_with_the_reference_of_the_schema():
    assert PAGE.endswith(reference())


def test_every_field_says_what_it_is():
    models = models_of(Regulation)
    assert len(models) > 60
    for model in models:
        assert model.__doc__
        for name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{name}"
            assert field.description.endswith((".", ":", ";")), f"{model.__name__}.{name}"


def test_every_event_is_on_the_page():
    events = (*COMPETITION_EVENTS, *STAGE_EVENTS, *CHANNEL_EVENTS)
    assert len(events) == 22
    for event in events:
        assert f"`{event}`" in PAGE


def test_codes_of_problems_are_those_of_the_sources():
    sources = "".join(
        (ROOM / f"{name}.py").read_text(encoding="utf-8")
        for name in ("regulation_reading", "regulation", "terms", "exam_clauses", "procedure_clauses", "draw_clauses")
    )
    pattern = r'(?:Problem|_refuse|report|PydanticCustomError)\(\s*"([a-z0-9-]+)"'
    codes = set(re.findall(pattern, sources))
    assert len(codes) > 25
    listed = PAGE.split("Codes:")[1].split("Lint findings")[0]
    assert set(re.findall(r"`([a-z0-9-]+)`", listed)) == codes


def test_defaults_never_hide_a_number():
    """A number that an authority could change is stated or absent: a default is nothing, zero, empty, false or "none"."""
    for model in models_of(Regulation):
        for name, field in model.model_fields.items():
            if not field.is_required():
                assert field.default in (None, 0, (), "none"), f"{model.__name__}.{name}"


def test_lint_sentences_end_and_name_what_to_do():
    assert len(CATALOGUE) > 70
    for code, (severity, sentence) in CATALOGUE.items():
        assert sentence.endswith("."), code
        assert severity in ("error", "warning", "note")
        assert severity == "note" or re.search("[;,]", sentence), f"{code} says what is wrong; and what to do"


def test_clauses_carry_their_origin():
    clauses = [model for model in models_of(Regulation) if issubclass(model, Clause)]
    assert len(clauses) > 35
    for model in clauses:
        assert {"source", "verified", "unverified_fields"} <= set(model.model_fields)
