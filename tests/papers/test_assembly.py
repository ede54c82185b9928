"""Drawing a form: against an exhaustive search over all forms, and what follows from the seed alone."""

from __future__ import annotations

import itertools
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examsvc.base.errors import Refused
from examsvc.papers import assembly
from examsvc.papers.assembly import choose, lot
from examsvc.papers.rules import Candidate, Cell

TOPICS = ("a", "a.x", "b")
LEVELS = ("recall", "apply")
KINDS = ("single", "match")


@st.composite
def pools(draw: st.DrawFn) -> list[Candidate]:
    number = draw(st.integers(2, 7))
    names = [f"i{place}" for place in range(number)]
    return [
        Candidate(
            digest=f"d{place}",
            identifier=name,
            kind=draw(st.sampled_from(KINDS)),
            topic=draw(st.sampled_from(TOPICS)),
            level=draw(st.sampled_from(LEVELS)),
            enemies=frozenset(draw(st.lists(st.sampled_from(names), max_size=1))),
            words=10,
        )
        for place, name in enumerate(names)
    ]


some = st.lists(st.sampled_from(TOPICS), max_size=1, unique=True).map(tuple)
cells = st.lists(
    st.builds(
        Cell,
        count=st.integers(1, 2),
        marks=st.sampled_from(("1", "2")),
        topics=some,
        levels=st.lists(st.sampled_from(LEVELS), max_size=1).map(tuple),
        kinds=st.lists(st.sampled_from(KINDS), max_size=1).map(tuple),
    ),
    min_size=1,
    max_size=2,
)


def best_by_search(pool: list[Candidate], lines: list[Cell], seed: str) -> set[str] | None:
    """The identifiers of the form with the greatest sum of lots, by looking at every form there is."""
    wanted = sum(line.count for line in lines)
    best: tuple[float, set[str]] | None = None
    for chosen in itertools.combinations(pool, wanted):
        names = {item.identifier for item in chosen}
        if any((item.enemies - {item.identifier}) & names for item in chosen):
            continue
        places = [line for line in lines for _ in range(line.count)]
        if not any(
            all(line.takes(item) for line, item in zip(places, order, strict=True))
            for order in itertools.permutations(chosen)
        ):
            continue
        worth = sum(lot(seed, item.digest) for item in chosen)
        if best is None or worth > best[0]:
            best = (worth, names)
    return best[1] if best else None


@settings(max_examples=60, deadline=None)
@given(pools(), cells, st.text("abc", min_size=1, max_size=3))
def test_the_form_is_the_best_of_all_forms_that_meet_the_blueprint(
    pool: list[Candidate], lines: list[Cell], seed: str
) -> None:
    expected = best_by_search(pool, lines, seed)
    try:
        made = choose(pool, lines, seed)
    except Refused:
        assert expected is None
        return
    assert {one.item.identifier for one in made} == expected
    for number, line in enumerate(lines, start=1):
        filling = [one for one in made if one.line == number]
        assert len(filling) == line.count
        assert all(line.takes(one.item) and one.marks == line.marks for one in filling)
    assert choose(list(reversed(pool)), lines, seed) == made, "the order of the bank does not matter"


def test_a_form_reads_about_as_long_as_its_blueprint_expects() -> None:
    pool = [
        Candidate(f"d{place}", f"i{place}", "single", "a", "apply", words=20 if place % 2 else 180) for place in range(40)
    ]
    lengths = [sum(one.item.words for one in choose(pool, [Cell(10, "1")], f"s{n}")) for n in range(12)]
    assert all(900 <= words <= 1100 for words in lengths)
    assert len({tuple(one.item.identifier for one in choose(pool, [Cell(10, "1")], f"s{n}")) for n in range(12)}) == 12


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ([Cell(3, "1", topics=("b",))], "Line 1"),
        ([Cell(2, "1"), Cell(3, "1", kinds=("essay",))], "Line 2"),
        ([Cell(3, "1", topics=("a",)), Cell(3, "1", kinds=("single",))], "the lines 1, 2"),
    ],
)
def test_what_a_bank_cannot_give_is_named_by_its_lines(lines: list[Cell], sentence: str) -> None:
    pool = [Candidate(f"d{n}", f"i{n}", "single", "a" if n < 4 else "b", "apply") for n in range(5)]
    with pytest.raises(Refused, match=sentence):
        choose(pool, lines, "seed")


def test_a_topic_covers_those_below_it_and_not_those_that_only_begin_alike() -> None:
    def under(topic: str) -> bool:
        return Cell(1, "1", topics=("fin",)).takes(Candidate("d", "i", "single", topic, "apply"))

    assert under("fin")
    assert under("fin.budget")
    assert not under("finance")


def test_the_lot_is_the_first_bits_of_the_digest() -> None:
    # sha256("s:d") = 6d6d5c..., computed with `printf s:d | sha256sum`
    import hashlib

    assert lot("s", "d") == pytest.approx(float(Fraction(int(hashlib.sha256(b"s:d").hexdigest(), 16), 2**256)), abs=1e-12)


@pytest.mark.parametrize("enemies", [False, True])
def test_a_shortlist_changes_nothing_but_the_time(monkeypatch: pytest.MonkeyPatch, enemies: bool) -> None:
    """Of many questions the greatest lots are tried first; where they give no form, all are."""
    pool = [Candidate(f"d{place}", f"i{place}", "single", "a", "recall", words=10) for place in range(60)]
    if enemies:  # the twenty greatest lots may not stand beside each other
        greatest = sorted(pool, key=lambda item: -lot("s", item.digest))[:20]
        names = frozenset(item.identifier for item in greatest)
        pool = [replace(item, enemies=names - {item.identifier}) if item.identifier in names else item for item in pool]
    whole = [one.item.identifier for one in choose(pool, [Cell(2, "1")], "s")]
    monkeypatch.setattr(assembly, "SHORTLIST", 20)
    assert [one.item.identifier for one in choose(pool, [Cell(2, "1")], "s")] == whole
    assert (len(set(whole) & {item.identifier for item in sorted(pool, key=lambda item: -lot("s", item.digest))[:20]}) == 2) != enemies
