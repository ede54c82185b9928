"""Regulations made at random: what is sound by construction passes lint, what is broken in one place is named there."""

import datetime
import itertools
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st
from regulation_documents import at, read_tree, toml_in_another_spelling, tree_of

from examsvc.competitions.confirmations import clauses_to_confirm
from examsvc.competitions.phases import Position, phases, transitions
from examsvc.competitions.regulation import read_canonical, read_toml
from examsvc.competitions.regulation_lint import lint
from examsvc.competitions.terms import write_exact

CLAUSE = {"source": "Invented for a test", "verified": False}
some = settings(max_examples=25, deadline=None)


def pass_mark(share, maximum, of):
    value = write_exact(share if of == "maximum" else share * maximum)
    return {"at": value, "of": of, "boundary": "at-least"}


@st.composite
def parts(draw, name):
    kind = draw(st.sampled_from(["objective", "essay", "plan", "defence", "interview"]))
    maximum = Fraction(draw(st.integers(1, 400)), 4) if kind in ("objective",) else Fraction(draw(st.integers(1, 100)))
    minutes = draw(st.integers(11, 480))
    part = {
        "id": name,
        "label": {"vi": f"Phần {name}", "en": f"Part {name}"},
        "kind": kind,
        "minutes": minutes,
        "maximum": write_exact(maximum),
        "hurdle": draw(st.booleans()),
        "weight": write_exact(Fraction(draw(st.integers(1, 30)), draw(st.integers(1, 12)))),
        "results_at_once": kind == "objective" and draw(st.booleans()),
        "appealable": False,
    } | CLAUSE
    if part["hurdle"]:
        share = Fraction(draw(st.integers(0, 20)), 20)
        part["pass_mark"] = pass_mark(share, maximum, draw(st.sampled_from(["maximum", "marks"])))
    if kind == "objective":
        part |= {"items": "[1, 60]", "shuffle_items": True, "shuffle_options": False, "neutralised_item": "drop"}
    elif kind == "essay":
        part |= {"tasks": "[1, 3]", "marking": "essay", "copying_counts": True, "word_limit_margin": "1/3"}
    elif kind == "plan":
        part |= {"file": "action-plan", "marking": "essay"}
    else:
        said = draw(st.integers(0, minutes))
        part |= {"panel": "defence", "observers": draw(st.booleans())}
        part |= {"presentation_minutes": said, "questions_minutes": minutes - said}
    return part


@st.composite
def trees(draw):
    tree = tree_of("demo")
    plan = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    stages = [tree["stages"][0]]
    for s, size in enumerate(plan):
        made = [draw(parts(f"part-{s}-{p}")) for p in range(size)]
        stages.append({"id": f"stage-{s}", "label": {"vi": f"Vòng {s}", "en": f"Round {s}"}, "kind": "examination",
                       "parts": made} | CLAUSE)  # fmt: skip
    if draw(st.booleans()):
        stages.append(stages.pop(0))  # eligibility after the tests
    tree["stages"] = stages
    made = [part for stage in stages for part in stage.get("parts", [])]
    total = sum((Fraction(part["weight"]) * Fraction(part["maximum"]) for part in made), Fraction(0))
    tree["total"]["maximum"] = write_exact(total)
    kinds = {part["kind"] for part in made}
    if not kinds & {"essay", "plan"}:
        tree["marking"] = []
    else:
        greatest = max(Fraction(p["maximum"]) for p in made if p["kind"] in ("essay", "plan"))
        cut = greatest * Fraction(draw(st.integers(1, 9)), 10)
        tree["marking"][0]["discrepancy"]["bands"] = [
            {"difference": f"[0, {write_exact(cut)}]", "action": "mean"},
            {"difference": f"({write_exact(cut)}, {write_exact(greatest)}]", "action": "third-mark"},
        ]
    tree["panels"][0]["criteria"] = []
    if not kinds & {"defence", "interview"}:
        tree["panels"] = []
    tree["ties"]["steps"] = [{"by": "part-mark", "part": part["id"]} for part in made] + [{"by": "lots"}]
    tree["appeals"] = [channel for channel in tree["appeals"] if "parts" not in channel]
    tree["calendar"]["deadlines"] = [d for d in tree["calendar"]["deadlines"] if ":" not in d["event"] + d["base"]]
    return tree


@some
@given(trees())
def test_sound_regulations_pass_lint(tree):
    regulation = read_tree(tree)
    assert [one.message for one in lint(regulation) if one.severity == "error"] == []


@some
@given(trees(), st.integers(0, 2**32))
def test_another_spelling_is_the_same_regulation(tree, seed):
    regulation = read_tree(tree)
    other = read_toml(toml_in_another_spelling(tree, seed).encode())
    assert other.digest() == regulation.digest()
    assert read_canonical(regulation.canonical_bytes()) == regulation == other


@some
@given(trees(), st.integers(1, 7))
def test_a_wrong_total_is_found_with_both_numbers(tree, more):
    right = Fraction(tree["total"]["maximum"])
    tree["total"]["maximum"] = write_exact(right + Fraction(more, 7))
    (found,) = [one for one in lint(read_tree(tree)) if one.severity == "error"]
    assert (found.code, found.path) == ("weights-sum", "total")
    assert (Fraction(found.params["sum"]), Fraction(found.params["maximum"])) == (right, right + Fraction(more, 7))


@some
@given(trees(), st.data())
def test_a_pass_mark_above_the_maximum_is_found_at_its_part(tree, data):
    stage = data.draw(st.sampled_from([s for s in tree["stages"] if "parts" in s]))
    part = data.draw(st.sampled_from(stage["parts"]))
    above = Fraction(part["maximum"]) + Fraction(1, 100)
    part |= {"hurdle": True, "pass_mark": pass_mark(above, Fraction(1), "marks")}
    (found,) = [one for one in lint(read_tree(tree)) if one.severity == "error"]
    assert (found.code, found.path) == ("pass-mark-above-maximum", f"stages.{stage['id']}.parts.{part['id']}")


@some
@given(trees(), st.data())
def test_late_bands_with_a_hole_are_found(tree, data):
    lower, upper = sorted(data.draw(st.lists(st.integers(1, 600), min_size=2, max_size=2, unique=True)))
    tree["late"][0]["duration"], tree["late"][1]["duration"] = f"[1, {lower}]", f"[{upper}, inf)"
    for band in tree["late"]:
        band["minutes"] = 0
    codes = {one.code: one.params for one in lint(read_tree(tree)) if one.severity == "error"}
    if upper == lower + 1:
        assert codes == {}
    else:
        assert codes == {"late-gap": {"range": f"[{lower + 1}, {upper - 1}]"}}


@some
@given(trees())
def test_every_generated_regulation_can_be_walked_and_confirmed(tree):
    regulation = read_tree(tree)
    order = phases(regulation)
    assert len({one.id for one in order}) == len(order)
    assert max(len(one.id) for one in order) <= 30
    for here, there in itertools.pairwise(order):
        assert transitions(regulation, Position(here))[0].to.phase == there
    day = datetime.date(2026, 11, 21)
    assert len(clauses_to_confirm(regulation, day)) == sum(one.code == "unverified-clause" for one in lint(regulation))
    for stage in regulation.stages:
        for part in stage.parts:
            assert regulation.stage_of(part.id) == stage
            assert at(tree, f"stages.{stage.id}.parts.{part.id}")["weight"] == write_exact(part.weight)
