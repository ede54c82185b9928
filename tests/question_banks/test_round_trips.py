"""native → format → native gives the same bank, up to the losses that the export named."""

import os
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from question_banks import Bank, ImportResult, Item, read_bank, write_bank
from question_banks.conversion import comparable
from question_banks.declarations import Interaction
from question_banks.linting import item_media
from question_banks.losses import losses
from tests.question_banks.generated import banks

# more examples for a longer search: BANK_EXAMPLES=2000 pytest tests/question_banks/test_round_trips.py
QUICK = settings(
    max_examples=int(os.environ.get("BANK_EXAMPLES", "12")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


@QUICK
@given(banks())
def test_native_is_exact(bank: Bank) -> None:
    written = write_bank(bank, "native")
    result = read_bank(written.data)
    assert result.problems == ()
    assert written.problems == ()
    assert result.bank == bank
    assert [item.digest for item in result.bank] == [item.digest for item in bank]
    assert write_bank(result.bank, "native").data == written.data


FORMATS = ["qti3", "qti2", "moodle-xml", "gift", "aiken", "csv", "xlsx"]


@pytest.mark.parametrize("format", FORMATS)
def test_losses_are_named(format: str) -> None:
    @QUICK
    @given(banks(), st.data())
    def check(bank: Bank, data: st.DataObject) -> None:
        written = write_bank(bank, format)
        refused = {problem.item for problem in written.problems if problem.severity == "refused"}
        kept = [item for item in bank if item.id not in refused]
        if not kept:
            return
        named: dict[str, set[str]] = {"": set()} | {item.id: set() for item in kept}
        for problem in written.problems:
            assert problem.code != "export-unreadable", str(problem)
            if problem.severity == "lossy":
                named[problem.item].add(problem.parameters.get("field", problem.code))
        assert named[""] == {"title of the bank", "licence"}
        back = read_bank(written.data, format, language=bank.languages[0])
        assert [p for p in back.problems if p.severity == "refused"] == []
        assert len(back.bank) == len(kept)
        for item, returned in zip(kept, back.bank, strict=True):
            if not named[item.id]:
                assert_same(item, returned, data)
                for key in item_media(item):
                    assert back.bank.media[key].data == bank.media[key].data
            if "marking" not in named[item.id] and "marks" not in named[item.id]:
                assert_marks_alike(item, returned, data)

    check()


def assert_same(item: Item, returned: Item, data: st.DataObject) -> None:
    """Nothing was named lost: what a candidate sees and what is known is the same."""
    for language in item.languages:
        shown, again = (_without_tokens(i.presentation(language, 7)) for i in (item, returned))
        assert _words(shown) == _words(again)
    assert item.marks == returned.marks
    assert [c.id for c in item.rubric] == [c.id for c in returned.rubric]
    assert list(losses(item, returned)) == []
    for seed in range(3 if item.template_processing is not None else 0):
        drawn, again = item.instance(seed), returned.instance(seed)
        values = [answer.value for rule in drawn.rules for answer in rule.answers]
        assert values == [answer.value for rule in again.rules for answer in rule.answers]
        assert "[[" not in "".join(values)


def _without_tokens(shown: dict) -> dict:
    return {key: value for key, value in shown.items() if key != "id"}


def _words(value: object) -> object:
    """Everything that is shown, as a bag of texts: the shuffle depends on the digest."""
    found: Counter[str] = Counter()

    def walk(part: object, name: str) -> None:
        if isinstance(part, dict):
            for key, inner in part.items():
                walk(inner, key)
        elif isinstance(part, list):
            for inner in part:
                walk(inner, name)
        elif name in ("html", "prompt", "unit") and part:
            found[comparable(str(part))] += 1
        elif name in ("kind", "min_choices", "max_choices", "base", "cardinality"):
            found[f"{name} {part}"] += 1

    walk(value, "")
    return found


def _responses(item: Item, draw) -> dict:
    """Right ones, and random ones by place, so that other identifiers do not matter."""
    return {i.response: draw(_response_by_place(i)) for i in item.interactions}


def _response_by_place(i: Interaction) -> st.SearchStrategy:
    count = len(i.choices)
    if i.kind in ("choice", "inline-choice"):
        places = st.integers(0, count - 1)
        return places if i.max_choices == 1 else st.lists(places, unique=True, max_size=count)
    if i.kind == "order":
        return st.permutations(range(count))
    if i.kind == "match":
        pair = st.tuples(st.integers(0, count - 1), st.integers(0, len(i.targets) - 1))
        return st.lists(pair, unique=True, max_size=count)
    return st.sampled_from(["5500", "5500.01", "Hà và Nội", "x", ""])


def assert_marks_alike(item: Item, returned: Item, data: st.DataObject) -> None:
    if len(item.interactions) != len(returned.interactions):
        return
    right = [_place_key(item), _place_key(returned)]
    assert _marks(item, item.interactions, right[0]) == _marks(returned, returned.interactions, right[1])
    tried = _responses(item, data.draw)
    if any(
        len(a.targets) != len(b.targets)
        for a, b in zip(item.interactions, returned.interactions, strict=True)
    ):
        return
    one = {i.response: _value(i, tried[i.response]) for i in item.interactions}
    other = {}
    for i, j in zip(item.interactions, returned.interactions, strict=True):
        targets = _matching_targets(i, j, item.languages[0] if item.languages else "vi")
        other[j.response] = _value(j, tried[i.response], targets)
    assert item.mark(one).score == returned.mark(other).score


def _matching_targets(i: Interaction, j: Interaction, language: str) -> list[int]:
    """For each target of the one, the place of the same text in the other."""
    texts = [t.text.plain(language) for t in j.targets]
    return [
        texts.index(t.text.plain(language)) if t.text.plain(language) in texts else n
        for n, t in enumerate(i.targets)
    ]


def _value(i: Interaction, tried: object, targets: list[int] | None = None) -> object:
    if (i.kind == "choice" and i.max_choices != 1) or i.kind == "order":
        return tuple(i.choices[n].id for n in tried)
    if i.kind in ("choice", "inline-choice"):
        return i.choices[tried].id
    if i.kind == "match":
        return tuple(f"{i.choices[a].id} {i.targets[targets[b] if targets else b].id}" for a, b in tried)
    return tried


def _place_key(item: Item) -> dict:
    return {
        r.id: r.correct if r.cardinality != "single" else (r.correct[0] if r.correct else None)
        for r in item.responses
    }


def _marks(item: Item, interactions: object, responses: dict) -> object:
    return item.mark(responses).score


def test_every_format_reads_what_it_writes_of_an_empty_field() -> None:
    toml = b'format = "examsvc-bank/1"\n[[item]]\nid = "a"\nkind = "text"\nprompt = "Tr\xe1\xba\xa3 l\xe1\xbb\x9di"\naccept = ["x"]\n'
    bank = read_bank(toml).bank
    read = 0
    for format in ("qti3", "qti2", "moodle-xml", "gift", "csv", "xlsx"):
        result: ImportResult = read_bank(write_bank(bank, format).data)
        assert result.format in (format, "qti3")
        assert len(result.bank) == 1
        assert result.bank["a"].mark({"RESPONSE": "x"}).score == 1
        read += 1
    assert read == 6
