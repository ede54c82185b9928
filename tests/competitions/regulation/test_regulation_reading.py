import datetime
import hashlib
import json
import unicodedata

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st
from regulation_documents import at, edited, read_tree, toml_in_another_spelling, toml_of, tree_of

from examsvc.competitions.queries import parsed
from examsvc.competitions.regulation import (
    RegulationError,
    preset_bytes,
    preset_names,
    read_canonical,
    read_preset,
    read_toml,
)


def problems(data):
    with pytest.raises(RegulationError) as caught:
        read_toml(data)
    return caught.value.problems


def put(path, field, value):
    return lambda tree: at(tree, path).__setitem__(field, value)


ESSAY = "stages.written.parts.essay"
# what is done to the demo, the code, the place, a word that the sentence must hold
MISTAKES = [
    (put(ESSAY, "minuts", 30), "unknown-field", f"{ESSAY}.minuts", "minutes"),
    (lambda t: at(t, ESSAY).pop("maximum"), "missing-field", f"{ESSAY}.maximum", "add it"),
    (put(ESSAY, "maximum", 7.5), "float", f"{ESSAY}.maximum", "in quotes"),
    (put(ESSAY, "maximum", "7,5"), "exact", f"{ESSAY}.maximum", '"7.5"'),
    (put(ESSAY, "maximum", "0"), "not-positive", f"{ESSAY}.maximum", "more than zero"),
    (put(ESSAY, "weight", "-1"), "negative", f"{ESSAY}.weight", "negative"),
    (put(ESSAY, "word_limit_margin", "1.1"), "share-above-one", f"{ESSAY}.word_limit_margin", "share"),
    (put(ESSAY, "minutes", "30"), "wrong-type", f"{ESSAY}.minutes", "a whole number"),
    (put(ESSAY, "minutes", True), "wrong-type", f"{ESSAY}.minutes", "a whole number"),
    (put(ESSAY, "minutes", 0), "out-of-range", f"{ESSAY}.minutes", "at least 1"),
    (put(ESSAY, "minutes", 2000), "out-of-range", f"{ESSAY}.minutes", "at most 1440"),
    (put(ESSAY, "hurdle", 1), "wrong-type", f"{ESSAY}.hurdle", "true or false"),
    (put(ESSAY, "kind", "esay"), "not-a-choice", f"{ESSAY}.kind", "essay"),
    (lambda t: at(t, ESSAY).pop("kind"), "missing-field", f"{ESSAY}.kind", "add it"),
    (put(ESSAY, "tasks", "[2, 1]"), "interval", f"{ESSAY}.tasks", "range"),
    (put(ESSAY, "label", "Essay"), "wrong-type", f"{ESSAY}.label", "a table"),
    (put(f"{ESSAY}.label", "vi", "  "), "empty-text", f"{ESSAY}.label.vi", "write it"),
    (put(f"{ESSAY}.label", "vi", ""), "empty-text", f"{ESSAY}.label.vi", "write it"),
    (put(f"{ESSAY}.label", "vi", "x" * 2001), "text-too-long", f"{ESSAY}.label.vi", "2000"),
    (put(f"{ESSAY}.label", "vi", "a\x00b"), "control-character", f"{ESSAY}.label.vi", "remove it"),
    (put(f"{ESSAY}.label", "vi", "a\x7fb"), "control-character", f"{ESSAY}.label.vi", "remove it"),
    (put(ESSAY, "marking", "Essay Scheme"), "bad-name", f"{ESSAY}.marking", "lower-case"),
    (put("publication", "winners", "names"), "not-a-choice", "publication.winners", "number"),
    (put("calendar", "weekend", [6] * 401), "too-many-items", "calendar.weekend", "shorten"),
    (lambda t: t.update(roles=[t["roles"][0] | {"id": f"role-{n}"} for n in range(61)]), "too-many-items", "roles", "60"),
    (put("", "languages", []), "empty-list", "languages", "at least one"),
    (put("ties", "steps", {}), "wrong-type", "ties.steps", "square brackets"),
    (put("in_force", "since", "yesterday"), "wrong-type", "in_force.since", "2026-07-01"),
    (put("in_force", "since", datetime.time(1, 2)), "time-of-day", "in_force.since", "date"),
    (put("in_force", "since", datetime.datetime(2025, 1, 1, 2)), "time-of-day", "in_force.since", "date"),
    (put("disclosure", "responses_cohort", 2**60), "too-large-number", "disclosure.responses_cohort", "smaller"),
    (put("", "format", 2), "format", "format", "format = 1"),
    (put("stages.defence", "id", "written"), "duplicate-name", "", "written"),
    (put(ESSAY, "id", "plan-defence"), "duplicate-part", "", "plan-defence"),
    (put("stages.eligibility", "kind", "examination"), "stage-parts", "stages.eligibility", "parts"),
    (put("stages.written", "places_per_post", 3), "stage-cut", "stages.written", "ties_at_the_cut"),
    (put("calendar.deadlines.summons", "by_applicants", [{"applicants": "[0, inf)", "offset": 1}]), "two-offsets",
     "calendar.deadlines.summons", "either"),
    (put("draws.seats", "method", "steps"), "draw-steps", "draws.seats", "outside value"),
    (put("draws.seats", "participants", ["supervisor"]), "draw-steps", "draws.seats", "participants"),
    (put("draws.assembly", "method", "server"), "draw-method", "draws.assembly", "steps"),
    (put("draws.lots", "method", "none"), "draw-method", "draws.lots", "server"),
    (put("draws.order", "id", "seats"), "duplicate-name", "", "seats"),
    (put(ESSAY, "unverified_fields", ["minutes"]), "unverified-twice", ESSAY, "leave them out"),
]  # fmt: skip


@pytest.mark.parametrize(("edit", "code", "path", "word"), MISTAKES, ids=[f"{m[1]}-{m[2]}" for m in MISTAKES])
def test_a_mistake_is_named_with_its_place_and_its_remedy(edit, code, path, word):
    found = problems(toml_of(edited("demo", edit)).encode())
    assert [(p.code, p.path) for p in found] == [(code, path)]
    assert word in found[0].message
    assert found[0].message.endswith(".")
    assert found[0].message.startswith(path)


def test_an_unverified_field_must_exist():
    def edit(tree):
        at(tree, ESSAY).update(verified=True, unverified_fields=["minutse"])

    (problem,) = problems(toml_of(edited("demo", edit)).encode())
    assert (problem.code, problem.path, problem.params) == ("unknown-unverified-field", ESSAY, {"field": "minutse"})


def test_all_mistakes_are_told_at_once():
    def edit(tree):
        at(tree, ESSAY).update(minutes="x", maximum="y")
        at(tree, "publication").pop("winners")

    assert len(problems(toml_of(edited("demo", edit)).encode())) == 3


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "missing-field"),
        (b"format = ", "not-toml"),
        (b"a = 1\na = 2", "not-toml"),
        (b"\xff\xfe", "not-utf8"),
        (b"x" * (512 * 1024 + 1), "too-large"),
        (b"a = " + b"[" * 100_000, "too-deep"),
        (b"a = " + b"[" * 30 + b"]" * 30, "too-deep"),
        (b"a = " + b"9" * 5000, "not-toml"),
        (b"a = nan", "float"),
        (b"a = inf", "float"),
    ],
)
def test_hostile_documents_get_one_sentence(data, code):
    found = problems(data)
    assert found[0].code == code
    assert len(found[0].message) < 500


def test_a_flood_of_mistakes_is_answered_quickly_and_briefly():
    flood = {
        "names": "".join(f"x{n} = 1\n" for n in range(40_000)),
        "floats": "a = [" + "1.5," * 399 + "]\n" + "".join(f"x{n} = 1.5\n" for n in range(9000)),
        "long name": "a" * 300_000 + " = 1.5\n",
        "list": "stages = [" + "{}," * 100_000 + "]\n",
        "stages": "stages = [" + "{}," * 399 + "]\n",
    }
    assert len(flood) == 5
    for data in flood.values():
        found = problems(data.encode())
        assert 1 <= len(found) <= 50
        assert all(len(problem.message) < 500 for problem in found)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_refused_with_problems(data):
    assert problems(data)


def test_every_preset_reads_back_from_its_canonical_bytes():
    names = preset_names()
    assert len(names) == 7
    for name in names:
        regulation = read_preset(name)
        data = regulation.canonical_bytes()
        assert read_canonical(data) == regulation
        assert data == rfc8785.dumps(regulation.model_dump(mode="json")), "two implementations of RFC 8785 agree"


@pytest.mark.parametrize("change", [lambda d: d + b"\n", lambda d: d.replace(b'"0.5"', b'"1/2"', 1),
                                    lambda d: d.replace(b'"[1, inf)"', b'"[1,inf)"', 1).replace(b'"[31, inf)"', b'"[31,inf)"'),
                                    lambda d: d[:-1], lambda d: b"[]", lambda d: b"{}", lambda d: d.replace(b":true", b":1.5", 1)])  # fmt: skip
def test_other_spellings_of_canonical_bytes_are_refused(change):
    data = read_preset("demo").canonical_bytes()
    assert change(data) != data
    with pytest.raises(RegulationError):
        read_canonical(change(data))


def test_what_was_pinned_before_a_field_existed_is_read_with_its_default_and_keeps_its_bytes():
    """An update in the middle of a competition: its regulation knows nothing of a field that came since."""
    newest = json.loads(read_preset("demo").canonical_bytes())
    older = {name: value for name, value in newest.items() if name != "draws"}
    for panel in older["panels"]:
        del panel["substitutes"]
    bytes_then = rfc8785.dumps(older)
    found = read_canonical(bytes_then)
    assert found.draws == ()
    assert {panel.substitutes for panel in found.panels} == {0}
    digest = hashlib.sha256(bytes_then).hexdigest()
    assert parsed(digest, bytes_then.decode()) == found
    with pytest.raises(RuntimeError, match="does not have its digest"):
        parsed(digest, rfc8785.dumps(newest).decode())


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(preset_names()))
def test_the_digest_does_not_depend_on_how_the_toml_is_written(seed, name):
    other = toml_in_another_spelling(tree_of(name), seed).encode()
    assert other != preset_bytes(name)
    assert read_toml(other).digest() == read_preset(name).digest()


def test_the_digest_does_not_depend_on_the_unicode_form():
    decomposed = unicodedata.normalize("NFD", preset_bytes("demo").decode()).encode()
    assert decomposed != preset_bytes("demo")
    assert read_toml(decomposed).digest() == read_preset("demo").digest()


def test_every_number_of_a_part_is_in_the_digest():
    digest = read_preset("demo").digest()
    changes = {"minutes": 31, "maximum": "21", "weight": "1.6", "hurdle": False, "appealable": False, "tasks": "[1, 3]"}
    assert len(changes) == 6
    for field, value in changes.items():
        assert read_tree(edited("demo", put(ESSAY, field, value))).digest() != digest


def test_a_regulation_cannot_be_changed():
    regulation = read_preset("demo")
    with pytest.raises(ValueError, match="frozen"):
        regulation.part("essay").minutes = 5
