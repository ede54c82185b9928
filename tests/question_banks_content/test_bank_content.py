"""What an examiner would check before accepting the banks that ship: keys, balance, languages, duplicates, rubrics."""

import re
from collections import Counter
from decimal import Decimal
from fractions import Fraction
from itertools import combinations, pairwise

import pytest

from question_banks import Bank, BankError, Item, lint
from question_banks.banks import shipped, shipped_bank
from question_banks.kinds import options

from .recomputed import FACTS, GAPS, LABELS, NUMBERS, ORDERS, VALUES
from .stems import NUMBER, Stem, numbers

LANGUAGES = ("vi", "en")
BANK = shipped_bank("public-leadership")
PRACTICE = shipped_bank("practice")
OBJECTIVE = tuple(item for item in BANK if item.kind != "essay")
ESSAYS = tuple(item for item in BANK if item.kind == "essay")
FIXED = {"T", "F", "N"}  # true, false, cannot say
TWINS = {"num-03": ["A", "B"], "num-10": ["C", "D"]}  # the same figures with other units, the other direction
DATED = {"del-07", "fin-02"}  # a month has a number in Vietnamese and a name in English


def texts(item: Item) -> list[tuple[str, str, str]]:
    """Place, language and source of everything an item says."""
    return [(p, lang, s) for p, text in [*item.texts(), *item.hidden_texts()] for lang, s in text.values]


def stem(item: Item, language: str) -> Stem:
    return Stem(item.body.source(language), language)


def keyed(item: Item) -> list[str]:
    return [option.choice.id for option in options(item) if option.correct]


def test_the_shipped_banks_are_read_whole_and_lint_finds_nothing() -> None:
    assert shipped() == ("practice", "public-leadership")
    assert [str(f) for f in (*lint(BANK), *lint(PRACTICE))] == []
    with pytest.raises(BankError, match="practice, public-leadership"):
        shipped_bank("../secrets")


def test_enough_items_of_every_topic_kind_and_level() -> None:
    assert len(OBJECTIVE) >= 140
    assert len(ESSAYS) >= 10
    topics = Counter(item.metadata.topic for item in OBJECTIVE)
    assert {topic.split(".")[0] for topic in topics} == {"governance", "management", "reasoning"}
    assert len(topics) == 19
    assert min(topics.values()) >= 5
    kinds = Counter(item.kind for item in OBJECTIVE)
    assert kinds["single"] > len(OBJECTIVE) / 2
    assert set(kinds) == {"single", "multiple", "true-false", "numeric", "order", "match", "gap"}
    assert min(kinds.values()) >= 8
    gaps = Counter(i.kind for item in OBJECTIVE if item.kind == "gap" for i in item.interactions)
    assert gaps["inline-choice"] >= 10
    assert gaps["text-entry"] >= 8
    levels = Counter(item.metadata.level for item in OBJECTIVE)
    assert set(levels) == {"recall", "understand", "apply", "analyse"}
    assert min(levels.values()) >= 10
    assert levels["apply"] + levels["analyse"] > 0.7 * len(OBJECTIVE)
    tables = sum("|---" in item.body.source("vi") for item in OBJECTIVE)
    assert tables >= 25


def test_the_practice_paper_has_each_way_of_answering() -> None:
    assert [item.kind for item in PRACTICE] == [
        "single", "multiple", "numeric", "order", "match", "gap", "essay",
    ]  # fmt: skip
    assert {item.metadata.topic for item in PRACTICE} == {"practice"}
    assert PRACTICE["pra-03"].mark({"RESPONSE": "28,5"}).score == 1
    assert sum([Fraction(n) for n in (30, 25, 32, 27)]) / 4 == Fraction("28.5")


@pytest.mark.parametrize("bank", [BANK, PRACTICE], ids=lambda bank: bank.id)
def test_everything_is_said_in_both_languages(bank: Bank) -> None:
    said = 0
    for item in bank:
        places: dict[str, set[str]] = {}
        for place, language, source in texts(item):
            assert source, (item.id, place, language)
            assert source.strip() == source, (item.id, place, language)
            places.setdefault(place, set()).add(language)
        assert places
        assert all(languages == set(LANGUAGES) for languages in places.values()), (item.id, places)
        said += len(places)
        if item.kind != "essay":
            assert set(item.explanation.languages) == set(LANGUAGES), item.id
    assert said > 25


def test_distractors_have_a_reason_in_both_languages() -> None:
    seen = 0
    for item in (*OBJECTIVE, *PRACTICE):
        if item.kind not in ("single", "multiple"):
            continue
        for option in options(item):
            why = option.choice.why
            assert bool(why) != option.correct, (item.id, option.choice.id)
            if why:
                assert len(why.source("vi")) > 10, item.id
                assert len(why.source("en")) > 8, item.id
                seen += 1
    assert seen > 300


def test_numbers_are_written_as_each_language_writes_them_and_agree() -> None:
    compared = 0
    for item in BANK:
        for place, language, source in texts(item):
            wrong = r"\d\.\d{1,2}(?!\d)" if language == "vi" else r"\d,\d{1,2}(?!\d)"
            assert not re.search(wrong, source), (item.id, place, source)
        calculated = item.id in {*VALUES, *GAPS, *NUMBERS, *LABELS, *ORDERS, *FACTS}
        if calculated or item.metadata.topic == "reasoning.numerical":
            figures = [sorted(numbers(item.body.source(lang), lang)) for lang in LANGUAGES]
            if item.id not in DATED:
                assert figures[0] == figures[1], item.id
                compared += 1
    assert compared > 45
    assert NUMBER["vi"].findall("1.200,5 và 7") == ["1.200,5", "7"]


def test_typography() -> None:
    for item in (*BANK, *PRACTICE):
        for place, _language, source in texts(item):
            assert '"' not in source, (item.id, place)
            assert "  " not in source, (item.id, place)
            assert source.count("“") == source.count("”"), (item.id, place)
            assert not re.search(r"[ \t]$", source, re.MULTILINE), (item.id, place)


@pytest.mark.parametrize("language", LANGUAGES)
def test_keys_follow_from_the_figures_of_the_stem(language: str) -> None:
    for name, value in VALUES.items():
        item = BANK[name]
        assert item.kind == "numeric"
        assert Fraction(item.responses[0].correct[0]) == value(stem(item, language)), name
    for name, gaps in GAPS.items():
        item = BANK[name]
        for gap, expected in gaps(stem(item, language)).items():
            declared = item.declared[gap].correct[0]
            if isinstance(expected, str):
                interaction = next(i for i in item.interactions if i.response == gap)
                chosen = next(c for c in interaction.choices if c.id == declared)
                assert chosen.text.source(language).lower() == expected.lower(), (name, gap)
            else:
                assert Fraction(declared) == expected, (name, gap)
    for name, stated in NUMBERS.items():
        item = BANK[name]
        expected_numbers = stated(stem(item, language))
        said = {o.choice.id: numbers(o.choice.text.source(language), language) for o in options(item)}
        key = keyed(item)[0]
        assert expected_numbers, name
        same = [c for c, found in said.items() if found[: len(expected_numbers)] == expected_numbers]
        assert same == TWINS.get(name, [key]), name
    for name, label in LABELS.items():
        item = BANK[name]
        key_text = next(o.choice.text.source(language) for o in options(item) if o.correct)
        assert key_text == label(stem(item, language)), name
    for name, order in ORDERS.items():
        item = BANK[name]
        shown = {c.id: c.text.source(language) for c in item.interactions[0].choices}
        assert [shown[c] for c in item.responses[0].correct] == order(stem(item, language)), name
    for name, fact in FACTS.items():
        assert fact(stem(BANK[name], language)), name


def test_twins_differ_in_what_their_figures_mean() -> None:
    points, change = ("15 điểm phần trăm", "15 percentage points"), ("Thấp hơn", "Lower")
    assert Fraction(120, 100) * Fraction(80, 100) < 1
    for language, unit, direction in zip(LANGUAGES, points, change, strict=True):
        said = {o.correct: o.choice.text.source(language) for o in options(BANK["num-10"])}
        assert said[True].startswith(direction)
        shown = {o.choice.id: o.choice.text.source(language) for o in options(BANK["num-03"])}
        assert [unit in shown[c] for c in "AB"] == [True, False]
        assert keyed(BANK["num-03"]) == ["A"]


def test_every_item_with_a_number_to_type_is_recomputed() -> None:
    typed = {item.id for item in OBJECTIVE if item.kind == "numeric"}
    assert typed == set(VALUES)
    gaps = {
        (item.id, rule.response)
        for item in OBJECTIVE
        if item.kind == "gap"
        for rule in item.rules
        if rule.method == "numeric"
    }
    assert gaps == {
        (n, gap)
        for n, f in GAPS.items()
        for gap, v in f(stem(BANK[n], "vi")).items()
        if not isinstance(v, str)
    }
    numerical = {item.id for item in OBJECTIVE if item.metadata.topic == "reasoning.numerical"}
    done = {*VALUES, *GAPS, *NUMBERS, *LABELS, *ORDERS, *FACTS}
    assert numerical - done == {"num-24"}


def test_the_counterexample_of_the_weighted_rates_holds() -> None:
    before = Fraction(1, 2) * 10 + Fraction(1, 2) * 40
    after = Fraction(1, 5) * 9 + Fraction(4, 5) * 38
    assert (before, after) == (25, Fraction("32.2"))
    for language, shown in (("vi", "32,2%"), ("en", "32.2%")):
        assert shown in BANK["num-24"].explanation.source(language)
    assert BANK["num-24"].responses[0].correct == ("false",)


def test_the_key_earns_full_marks_and_a_wrong_choice_none() -> None:
    for item in (*OBJECTIVE, *(i for i in PRACTICE if i.kind != "essay")):
        right: dict[str, object] = {}
        for response in item.responses:
            plural = response.cardinality in ("multiple", "ordered")
            right[response.id] = tuple(response.correct) if plural else response.correct[0]
        assert item.mark(right).score == item.marks, item.id
        assert item.mark({}).score == 0, item.id
        if item.kind == "single":
            for option in options(item):
                score = item.mark({"RESPONSE": option.choice.id}).score
                assert score == (item.marks if option.correct else 0), item.id
        if item.kind == "multiple":
            everything = tuple(option.choice.id for option in options(item))
            assert item.mark({"RESPONSE": everything}).score < item.marks, item.id


def test_text_gaps_accept_the_answer_in_each_language() -> None:
    item = BANK["ver-15"]
    others = {"g2": "5", "g3": "b"}
    for typed in ("Thẩm định", "phòng thẩm định", "Appraisal", "the appraisal division"):
        assert item.mark({"g1": typed, **others}).score == item.marks
    assert item.mark({"g1": "tổ tiếp nhận", **others}).score < item.marks


def test_keys_are_balanced_over_the_stored_positions() -> None:
    single = [item for item in OBJECTIVE if item.kind == "single" and keyed(item)[0] not in FIXED]
    assert len(single) > 90
    for item in single:
        assert [o.choice.id for o in options(item)] == list("ABCD"), item.id
    positions = Counter(keyed(item)[0] for item in single)
    assert all(0.18 <= positions[letter] / len(single) <= 0.32 for letter in "ABCD"), positions
    decided = Counter(item.responses[0].correct[0] for item in OBJECTIVE if item.kind == "true-false")
    assert abs(decided["true"] - decided["false"]) <= 2
    verdicts = Counter(
        keyed(item)[0] for item in OBJECTIVE if item.kind == "single" and keyed(item)[0] in FIXED
    )
    assert set(verdicts.values()) == {2}
    multiple = [item for item in OBJECTIVE if item.kind == "multiple"]
    places = Counter(letter for item in multiple for letter in keyed(item))
    assert all(0.35 <= places[letter] / len(multiple) <= 0.75 for letter in "ABCD"), places
    assert len({len(keyed(item)) for item in multiple}) == 3


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_length_of_a_choice_does_not_give_the_key_away(language: str) -> None:
    longest = shortest = conspicuous = 0
    single = [item for item in OBJECTIVE if item.kind == "single" and keyed(item)[0] not in FIXED]
    for item in single:
        length = {o.correct: [] for o in options(item)}
        for option in options(item):
            length[option.correct].append(len(option.choice.text.source(language)))
        key, others = length[True][0], length[False]
        longest += key > max(others)
        shortest += key < min(others)
        conspicuous += key > 1.25 * max(others)
    assert longest <= 0.35 * len(single)
    assert shortest <= 0.35 * len(single)
    assert conspicuous == 0


def test_identifiers_do_not_reveal_an_order_or_a_pairing() -> None:
    orders = matches = 0
    for item in (*OBJECTIVE, *PRACTICE):
        if item.kind == "order":
            right = list(item.responses[0].correct)
            assert right not in (sorted(right), sorted(right, reverse=True)), item.id
            orders += 1
        if item.kind == "match":
            interaction = item.interactions[0]
            left = [c.id for c in interaction.choices]
            place = {c.id: n for n, c in enumerate(interaction.targets)}
            pairs = dict(pair.split() for pair in item.responses[0].correct)
            assert set(pairs) == set(left), item.id
            assert len(set(pairs.values())) == len(left), item.id
            assert [place[pairs[side]] for side in left] != list(range(len(left))), item.id
            matches += 1
    assert orders >= 9
    assert matches >= 9


def test_explanations_do_not_name_positions_that_shuffling_changes() -> None:
    wrong = re.compile(
        r"(phương án|đáp án|lựa chọn|câu) [A-F]\b|(option|choice|answer) [A-F]\b|\blast two options|lựa chọn (đầu|cuối)",
        re.IGNORECASE,
    )
    for item in OBJECTIVE:
        for place, _language, source in texts(item):
            assert not wrong.search(source), (item.id, place)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_items_are_nearly_the_same(language: str) -> None:
    def shingles(item: Item) -> frozenset[tuple[str, ...]]:
        parts = [item.body.source(language)]
        parts += [c.text.source(language) for i in item.interactions for c in i.everything() if c.text]
        words = re.findall(r"\w+", " ".join(parts).lower())
        return frozenset(zip(words, words[1:], words[2:], strict=False))

    sets = {item.id: shingles(item) for item in BANK}
    assert min(len(s) for s in sets.values()) >= 10
    alike = {(a, b): len(sets[a] & sets[b]) / len(sets[a] | sets[b]) for a, b in combinations(sets, 2)}
    assert max(alike.values()) < 0.3, max(alike, key=alike.__getitem__)


def test_enemies_are_mutual() -> None:
    pairs = {(item.id, enemy) for item in BANK for enemy in item.metadata.enemies}
    assert pairs
    assert pairs == {(b, a) for a, b in pairs}


def test_essays_can_be_marked_by_their_rubrics() -> None:
    for item in (*ESSAYS, *(i for i in PRACTICE if i.kind == "essay")):
        assert sum((c.marks for c in item.rubric), Fraction(0)) == Fraction(item.marks), item.id
        least, most = item.interactions[0].words
        assert least is not None
        assert most is not None
        assert 2 * least <= most
        for criterion in item.rubric:
            marks = [level.marks for level in criterion.levels]
            assert (marks[0], marks[-1]) == (criterion.marks, 0), (item.id, criterion.id)
            assert marks == sorted(set(marks), reverse=True), (item.id, criterion.id)
            assert len(marks) >= 3, (item.id, criterion.id)
    for item in ESSAYS:
        assert 4 <= len(item.rubric) <= 5
        assert item.metadata.minutes in (Decimal(45), Decimal(60))
        least, most = item.interactions[0].words
        assert most / item.metadata.minutes <= 20  # words a minute at most: time to think as well as to write
        for language in LANGUAGES:
            assert len(item.guide.source(language)) > 500, item.id
            asked = set(re.findall(r"\((\d)\)", item.body.source(language)))
            assert asked == set("12345"), (item.id, asked)


def test_figures_of_the_essay_guides() -> None:
    """Each figure that a guide works out, from the figures of the task."""
    merged = stem(BANK["ess-01"], "vi").table
    on_time = sum(files * rate for files, rate in zip(merged[2], merged[3], strict=True)) / sum(merged[2])
    assert round(float(on_time), 1) == 84.2
    assert sum(merged[2]) == 1030
    assert sum(merged[1]) == 175
    steps = [row[0] for row in stem(BANK["ess-02"], "vi").table]
    lost = [round(float(100 * (a - b) / a)) for a, b in pairwise(steps)]
    assert lost == [28, 40, 51, 10]
    assert 100 * Fraction(57, 190) == 30
    assert steps[-1] - 57 == 133
    cuts = {
        row[0]: numbers(row[1], "vi")[0] - numbers(row[2], "vi")[0] for row in stem(BANK["ess-04"], "vi").rows
    }
    assert list(cuts.values()) == [0, 1500, 600, 450, 450, 700]
    assert sum(cuts.values()) == 3700
    assert cuts["Thay bàn ghế"] + cuts["Hội nghị, lễ tân"] + 50 == 1200
    closed = Fraction(145) * Fraction(79, 100)
    assert closed == Fraction("114.55")
    assert round(float(closed / 94 - 1), 2) == 0.22
