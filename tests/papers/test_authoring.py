"""Questions written in the system: fields and back, versions, a second person, the end; on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from examsvc.accounts import operations as accounts
from examsvc.base.database import writing as writes
from examsvc.base.errors import NotFound, Refused
from examsvc.papers import authoring, banks, differences, queries, translating, writing
from examsvc.papers.models import Bank, ItemDecision
from question_banks import Item, ItemError
from question_banks.banks import shipped_bank
from tests.papers.test_banks import NOW, TWO

TONGUES = ("vi", "en")
LATER = NOW + timedelta(hours=1)


def person(session: Session, name: str) -> int:
    with writes(session):
        return accounts.register_account(
            session, email=f"{name}@example.vn", name=name, password_hash=None, now=NOW
        ).id


@pytest.fixture
def people(session: Session) -> tuple[int, int]:
    """The author, and a second person."""
    return person(session, "author"), person(session, "second")


def bank(session: Session) -> Bank:
    return queries.bank(session, "ours")


def made(session: Session, by: int) -> None:
    with writes(session):
        authoring.make_bank(session, name="ours", title={"vi": "Của ta", "en": ""}, languages=TONGUES, by=by, now=NOW)


def question(**changes: object) -> Item:
    table = {
        "id": "q-1",
        "kind": "single",
        "topic": "law",
        "level": "apply",
        "marks": "1",
        "prompt": {"vi": "Ai quyết định việc này?", "en": "Who decides this?"},
        "choices": [
            {"id": "A", "text": {"vi": "Chủ tịch", "en": "The chair"}, "correct": True},
            {"id": "B", "text": {"vi": "Văn thư", "en": "The registry"}},
        ],
        "explanation": {"vi": "Theo quy chế.", "en": "By the rules."},
        **changes,
    }
    return writing.item_of(table, "vi")


def write(session: Session, by: int, item: Item | None = None) -> str:
    with writes(session):
        return authoring.write_question(session, bank(session), item or question(), by=by, now=NOW).digest


# -------------------------------------------------------------------------------- fields


def test_the_forms_give_every_shipped_question_back_as_it_was() -> None:
    number, kinds = 0, set()
    for name in ("public-leadership", "practice"):
        for item in shipped_bank(name):
            table = writing.table_of(item)
            assert writing.suits(table, TONGUES), item.id
            again = writing.item_of(writing.read(item.kind, writing.typed(table, TONGUES), table, TONGUES), "vi")
            assert again == item, item.id
            number += 1
            kinds.add(item.kind)
    assert number >= 190
    assert kinds == set(writing.KINDS) - {"text"}


@pytest.mark.parametrize(
    "change",
    [
        {"choices": [{"id": "A", "text": {"vi": "a"}, "credit": "1"}, {"id": "B", "text": {"vi": "b"}, "credit": "1/2"}]},
        {"prompt": {"vi": "<p>a</p>", "format": "html"}},
        {"prompt": {"vi": "a", "fr": "b"}},
        {"choices": [{"id": "A", "text": {"vi": "a"}, "correct": True, "fixed": True}, {"id": "B", "text": {"vi": "b"}}]},
    ],
)
def test_what_a_form_cannot_show_it_does_not_take(change: dict[str, object]) -> None:
    item = question(**change)
    assert not writing.suits(writing.table_of(item), TONGUES)


def test_what_is_typed_for_each_kind_becomes_a_question() -> None:
    common = {"prompt.vi": "Hỏi [[g1]]?", "prompt.en": "Ask [[g1]]?", "marks": "2,5", "topic": "a.b", "level": "apply"}
    cases: dict[str, dict[str, str]] = {
        "single": {"choices.0.text.vi": "a", "choices.1.text.vi": "b", "choices.1.correct": "1", "shuffle": "1"},
        "multiple": {"choices.0.text.vi": "a", "choices.0.correct": "1", "choices.3.text.vi": "b", "scoring": "per-option"},
        "true-false": {"answer": "false", "why_true.vi": "không"},
        "numeric": {"answer": "12,5", "tolerance": "2%", "unit.vi": "kg"},
        "text": {"accept.vi": "Hà Nội\nHN", "accept.en": "Hanoi", "accents": "1"},
        "order": {"choices.0.text.vi": "một", "choices.1.text.vi": "hai", "scoring": "per-part"},
        "match": {"left.0.text.vi": "a", "left.0.partner": "2", "left.2.text.vi": "b", "left.2.partner": "1, 3",
                  "right.0.text.vi": "x", "right.1.text.vi": "y", "right.2.text.vi": "z"},
        "gap": {"gaps.0.id": "g1", "gaps.0.kind": "choice", "gaps.0.choices": "đỏ | red\n* xanh | green"},
        "essay": {"least": "100", "most": "300", "rubric.0.title.vi": "Ý", "rubric.0.marks": "2.5", "rubric.0.levels": "2,5 | tốt | good\n1 | kém | poor"},
    }  # fmt: skip
    assert set(cases) == set(writing.KINDS)
    right = {
        "single": {"RESPONSE": "B"}, "multiple": {"RESPONSE": ("A",)}, "true-false": {"RESPONSE": "false"},
        "numeric": {"RESPONSE": "12,7"}, "text": {"RESPONSE": "hn"}, "order": {"RESPONSE": ("A", "B")},
        "match": {"RESPONSE": ("A 2", "B 1", "B 3")}, "gap": {"g1": "o2"},
    }  # fmt: skip
    for kind, typed in cases.items():
        table = writing.read(kind, common | typed, {"id": "q"}, TONGUES)
        item = writing.item_of(table, "vi")
        assert (item.kind, str(item.marks), item.metadata.topic) == (kind, "2.5", "a.b")
        if kind == "essay":
            assert item.by_person
            assert [str(level.marks) for level in item.rubric[0].levels] == ["5/2", "1"]
        else:
            assert item.mark(right[kind]).score == item.max_score, kind


@pytest.mark.parametrize(
    ("kind", "typed"),
    [
        ("single", {}),
        ("single", {"choices.0.text.vi": "a", "choices.1.text.vi": "b"}),
        ("match", {"left.0.text.vi": "a", "right.0.text.vi": "x", "left.0.partner": "7"}),
        ("match", {"left.0.text.vi": "a", "right.0.text.vi": "x", "left.0.partner": "x"}),
        ("numeric", {"answer": "many"}),
        ("essay", {"least": "-1"}),
        ("essay", {"rubric.0.title.vi": "a", "rubric.0.marks": "1", "rubric.0.levels": "1 | a | b | c"}),
        ("gap", {"gaps.0.id": "g9", "gaps.0.kind": "text", "gaps.0.accept.vi": "a"}),
        ("true-false", {"marks": "-1"}),
        ("true-false", {"level": "expert"}),
    ],
)
def test_what_is_no_question_is_refused_in_one_sentence(kind: str, typed: dict[str, str]) -> None:
    with pytest.raises((ItemError, Refused)):
        writing.item_of(writing.read(kind, {"prompt.vi": "?", "marks": "1"} | typed, {"id": "q"}, TONGUES), "vi")


NAMES = st.sampled_from(
    [f"{row}.{place}.{part}" for row in ("choices", "left", "right", "gaps", "rubric") for place in (0, 1, 39) for part in ("id", "kind", "text.vi", "correct", "partner", "choices", "levels", "marks", "title.vi", "accept.vi", "answer")]
    + ["prompt.vi", "prompt.en", "marks", "level", "topic", "answer", "tolerance", "least", "enemies", "accept.en", "scoring", "minutes", "gaps.0.choices.ids"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(writing.KINDS)), st.dictionaries(NAMES, st.text(max_size=12) | st.sampled_from(["1", "A", "a | b", "[[g1]]", "choice", "0.5"]), max_size=14))
def test_anything_typed_is_a_question_or_refused(kind: str, values: dict[str, str]) -> None:
    try:
        item = writing.item_of(writing.read(kind, values, {"id": "q"}, TONGUES), "vi")
    except (ItemError, Refused):
        return
    assert item.kind == kind


@pytest.mark.parametrize("text", ["a = ", "[[item]]\nid = 'x'", "format = 'examsvc-bank/1'", "a = " + "[" * 5000, "\x00", "kind = 'single'\nnonsense = 1"])
def test_toml_that_is_no_question_is_refused(text: str) -> None:
    with pytest.raises((ItemError, Refused)):
        writing.item_of({**writing.read_toml(text), "id": "q"}, "vi")


# -------------------------------------------------------------------------------- versions


def test_a_change_is_a_new_version_and_a_draft_again(session: Session, people: tuple[int, int]) -> None:
    author, second = people
    made(session, author)
    first = write(session, author)
    with writes(session):
        authoring.review(session, bank(session), "q-1", digest=first, what="reviewed", comment="", by=second, now=LATER)
    assert queries.versions(session, bank(session).id, "q-1")[0].status == "reviewed"
    with writes(session):
        changed = question(prompt={"vi": "Ai quyết định?", "en": "Who decides?"})
        assert authoring.change_question(session, bank(session), changed, base=first, by=author, now=LATER).status == "draft"
    newest, old = queries.versions(session, bank(session).id, "q-1")
    assert (newest.status, old.status) == ("draft", "reviewed")
    assert queries.item(newest).metadata.status == "draft"
    with pytest.raises(Refused, match="exactly so in its version 1"), writes(session):
        authoring.change_question(session, bank(session), question(), base=newest.digest, by=author, now=LATER)


def test_details_are_no_new_version_and_keep_the_review(session: Session, people: tuple[int, int]) -> None:
    author, second = people
    made(session, author)
    first = write(session, author)
    with writes(session):
        authoring.review(session, bank(session), "q-1", digest=first, what="approved", comment="tốt", by=second, now=LATER)
        authoring.change_question(session, bank(session), question(topic="law.admin", status="draft"), base=first, by=author, now=LATER)
    (version,) = queries.versions(session, bank(session).id, "q-1")
    assert (version.topic, version.status, queries.item(version).metadata.topic) == ("law.admin", "approved", "law.admin")
    with pytest.raises(Refused, match="Nothing was changed"), writes(session):
        authoring.change_question(session, bank(session), question(topic="law.admin"), base=first, by=author, now=LATER)


def test_two_authors_do_not_overwrite_each_other(session: Session, people: tuple[int, int]) -> None:
    author, second = people
    made(session, author)
    first = write(session, author)
    with writes(session):
        authoring.change_question(session, bank(session), question(marks="2"), base=first, by=second, now=LATER)
    with pytest.raises(Refused, match="Somebody has changed"), writes(session):
        authoring.change_question(session, bank(session), question(marks="3"), base=first, by=author, now=LATER)
    assert [one.marks for one in queries.versions(session, bank(session).id, "q-1")] == ["2", "1"]


def test_names_and_pictures_are_checked(session: Session, people: tuple[int, int]) -> None:
    author, _ = people
    made(session, author)
    write(session, author)
    with pytest.raises(Refused, match="of this name already"), writes(session):
        authoring.write_question(session, bank(session), question(), by=author, now=NOW)
    for name in ("", "a b", "../x", "x" * 81, "đáp-án"):
        with pytest.raises(Refused, match="name"):
            authoring.check_identifier(session, bank(session), name)
    picture = question(id="q-2", prompt={"vi": "![h](media/" + "a" * 64 + ")"})
    with pytest.raises(Refused, match="is not kept in the bank"), writes(session):
        authoring.write_question(session, bank(session), picture, by=author, now=NOW)
    with pytest.raises(Refused, match="bank of this name already"), writes(session):
        authoring.make_bank(session, name="ours", title={}, languages=TONGUES, by=author, now=NOW)


# -------------------------------------------------------------------------------- review and end


def test_nobody_reviews_his_own_version(session: Session, people: tuple[int, int]) -> None:
    author, second = people
    made(session, author)
    first = write(session, author)
    for what in ("reviewed", "approved", "returned"):
        with pytest.raises(Refused, match="Another person reviews"), writes(session):
            authoring.review(session, bank(session), "q-1", digest=first, what=what, comment="x", by=author, now=LATER)
    with writes(session):
        authoring.review(session, bank(session), "q-1", digest=first, what="returned", comment="đáp án B?", by=second, now=LATER)
        mended = authoring.change_question(
            session, bank(session), question(prompt={"vi": "Ai ký?", "en": "Who signs?"}), base=first, by=second, now=LATER
        ).digest
    with pytest.raises(Refused, match="Another person reviews"), writes(session):
        authoring.review(session, bank(session), "q-1", digest=mended, what="reviewed", comment="", by=second, now=LATER)
    with writes(session):
        authoring.review(session, bank(session), "q-1", digest=mended, what="reviewed", comment="", by=author, now=LATER)
    newest, old = queries.versions(session, bank(session).id, "q-1")
    assert [one.what for one in newest.decisions] == ["reviewed"]
    assert [(one.what, one.comment, one.by.name) for one in old.decisions] == [("returned", "đáp án B?", "second")]


def test_what_no_review_may_be(session: Session, people: tuple[int, int]) -> None:
    author, second = people
    made(session, author)
    first = write(session, author)
    one_language = question(id="q-2", prompt={"vi": "Ai?"})
    only_vi = write(session, author, one_language)
    with pytest.raises(Refused, match="what its author is to mend"), writes(session):
        authoring.review(session, bank(session), "q-1", digest=first, what="returned", comment=" ", by=second, now=LATER)
    with pytest.raises(NotFound), writes(session):
        authoring.review(session, bank(session), "q-1", digest=first, what="retired", comment="x", by=second, now=LATER)
    with pytest.raises(Refused, match="has changed since"), writes(session):
        authoring.review(session, bank(session), "q-1", digest="0" * 64, what="reviewed", comment="", by=second, now=LATER)
    with pytest.raises(Refused, match="still has an error: The text in en is missing"), writes(session):
        authoring.review(session, bank(session), "q-2", digest=only_vi, what="reviewed", comment="", by=second, now=LATER)
    assert session.query(ItemDecision).count() == 0


def test_a_retired_question_has_a_reason_and_no_future(session: Session, people: tuple[int, int]) -> None:
    author, second = people
    made(session, author)
    first = write(session, author)
    with pytest.raises(Refused, match="reason"), writes(session):
        authoring.retire(session, bank(session), "q-1", reason="  ", by=author, now=LATER)
    with writes(session):
        authoring.retire(session, bank(session), "q-1", reason="lộ đề", by=author, now=LATER)
    assert queries.current_items(session, bank(session).id) == []
    (version,) = queries.versions(session, bank(session).id, "q-1")
    assert [(one.what, one.comment) for one in version.decisions] == [("retired", "lộ đề")]
    for attempt in (
        lambda: authoring.retire(session, bank(session), "q-1", reason="x", by=author, now=LATER),
        lambda: authoring.change_question(session, bank(session), question(marks="2"), base=first, by=author, now=LATER),
        lambda: authoring.review(session, bank(session), "q-1", digest=first, what="reviewed", comment="", by=second, now=LATER),
    ):
        with pytest.raises(Refused, match="retired"), writes(session):
            attempt()


def test_an_older_version_in_a_file_does_not_come_back(session: Session, people: tuple[int, int]) -> None:
    author, _ = people
    for data in (TWO, TWO.replace("Huế", "Vinh"), TWO):
        with writes(session):
            found = banks.examine(session, banks.read(data.encode()))
            banks.store(session, found, by=author, now=NOW)
    assert {line.identifier: line.verdict for line in found.lines} == {"one": "older", "two": "unchanged"}
    newest, _old = queries.versions(session, queries.bank(session, "two").id, "one")
    assert "Vinh" in newest.native


# -------------------------------------------------------------------------------- side by side, differences


def test_texts_side_by_side_and_back() -> None:
    table = writing.table_of(question())
    places = translating.texts(table, TONGUES)
    assert [".".join(map(str, path)) for path, _ in places] == ["prompt", "choices.0.text", "choices.1.text", "explanation"]
    same = translating.translated(table, lambda path, texts: texts, TONGUES)
    assert writing.item_of(same, "vi") == question()
    dropped = translating.translated(table, lambda path, texts: {"vi": texts["vi"], "en": ""}, TONGUES)
    assert writing.item_of(dropped, "vi").languages == ("vi",)
    english = translating.translated(dropped, lambda path, texts: {"vi": texts["vi"], "en": dict(places)[path]["en"]} if path in dict(places) else texts, TONGUES)
    assert writing.item_of(english, "vi") == question()


def test_differences_read_word_by_word() -> None:
    old = writing.table_of(question())
    new = writing.table_of(question(prompt={"vi": "Ai quyết định việc đó?", "en": "Who decides this?"}, marks="2"))
    changes = differences.changes(old, new)
    assert [change.place for change in changes] == [("marks",), ("prompt", "vi")]
    assert [piece for piece in changes[1].pieces if piece[0] != "same"] == [("out", "này"), ("in", "đó")]
    assert differences.changes(old, old) == []


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80), st.text(max_size=80))
def test_both_texts_stand_whole_in_their_difference(old: str, new: str) -> None:
    pieces = list(differences.words(old, new))
    assert "".join(text for what, text in pieces if what != "in") == old
    assert "".join(text for what, text in pieces if what != "out") == new
