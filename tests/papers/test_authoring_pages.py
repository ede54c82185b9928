"""The pages of authors, from an empty bank to a reviewed, translated, retired question."""

from __future__ import annotations

import io
import re
from urllib.parse import unquote

import pytest
from sqlalchemy import select

from examsvc.papers import preview, queries, writing, writing_examples
from examsvc.papers.models import ItemVersion, MediaFile
from question_banks.declarations import KINDS as INTERACTIONS
from tests.papers.test_banks import PICTURE, PNG
from tests.papers.test_pages import Office, office, prepared  # noqa: F401

ITEM = "/banks/ours/items/budget-01"
TYPED = {
    "kind": "single",
    "id": "budget-01",
    "topic": "finance.budget",
    "level": "apply",
    "marks": "0,5",
    "shuffle": "1",
    "prompt.vi": "Ai giao dự toán?",
    "prompt.en": "Who allots the budget?",
    "choices.0.text.vi": "Chủ tịch",
    "choices.0.text.en": "The chair",
    "choices.0.correct": "1",
    "choices.1.text.vi": "Văn thư",
    "choices.1.text.en": "The registry",
    "explanation.vi": "Theo luật.",
    "explanation.en": "By law.",
}


@pytest.fixture
def author(office: Office) -> Office:  # noqa: F811
    office.post("Setter", "/banks/new", name="ours", title_vi="Ngân hàng của ta", title_en="")
    return office


def fields(page: str) -> dict[str, str]:
    """What a browser would send of a page's form for writing."""
    import html

    form = page[page.index('class="writing"') :]
    found = {html.unescape(name): html.unescape(value) for name, value in re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', form)}
    found |= {html.unescape(n): html.unescape(v) for n, v in re.findall(r'<input class="[^"]*" id="[^"]*" name="([^"]*)" value="([^"]*)"', form)}
    found |= {html.unescape(n): html.unescape(v) for n, v in re.findall(r'<textarea [^>]*name="([^"]*)"[^>]*>([^<]*)</textarea>', form)}
    found |= dict.fromkeys(re.findall(r'<input type="checkbox" id="[^"]*" name="([^"]*)" value="1" checked>', form), "1")
    for name, options in re.findall(r'<select [^>]*name="([^"]*)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.search(r'value="([^"]*)" selected', options) or re.search(r'value="([^"]*)"', options)
        assert chosen
        found[name] = chosen[1]
    return found


def test_a_question_is_seen_before_it_is_stored(author: Office) -> None:
    assert "putting in order" in author.get("Setter", "/banks/ours/write")
    page = author.get("Setter", "/banks/ours/write?kind=single")
    assert page.count("<legend>Option ") == 4
    seen = author.post("Setter", "/banks/ours/write", 200, **TYPED, show="1")
    assert "Who allots the budget?" in seen
    assert "Nothing is stored yet." in seen
    assert not author.session.scalars(select(ItemVersion)).all()
    author.session.rollback()
    more = author.post("Setter", "/banks/ours/write", 200, **TYPED, more="choices")
    assert more.count("<legend>Option ") == 5
    assert "Who allots the budget?" in more
    where = author.post("Setter", "/banks/ours/write", **TYPED, store="1")
    assert unquote(where).endswith(ITEM)
    page = author.get("Setter", ITEM)
    for words in ("Who allots the budget?", "another person reviews it", "draft", "finance.budget", "0.5"):
        assert words in page, words
    assert "Your decision" not in page


def test_every_kind_has_its_page_and_gives_back_what_is_stored(author: Office) -> None:
    """Opening a question's form and storing it as it is changes nothing, through the HTML."""
    author.post("Setter", "/banks/shipped", shipped="public-leadership")
    bank = queries.bank(author.session, "public-leadership")
    chosen = {version.kind: version.identifier for version in queries.current_items(author.session, bank.id)}
    author.session.rollback()
    assert len(chosen) >= 8
    for kind, identifier in chosen.items():
        assert "Store the question" in author.get("Setter", f"/banks/ours/write?kind={kind}")
        page = author.get("Setter", f"/banks/public-leadership/items/{identifier}/edit")
        again = author.post("Setter", f"/banks/public-leadership/items/{identifier}/edit", 200, **fields(page), store="1")
        assert "Nothing was changed." in again, kind


def test_a_second_person_reviews_and_the_author_mends(author: Office) -> None:
    author.post("Setter", "/banks/ours/write", **TYPED, store="1")
    page = author.get("Approver", ITEM)
    digest = re.search(r'name="digest"[^>]*value="([0-9a-f]{64})"', page)
    assert digest
    refused = author.post("Setter", f"{ITEM}/review", 409, digest=digest[1], what="reviewed", comment="")
    assert "Another person reviews it." in refused
    author.post("Approver", f"{ITEM}/review", digest=digest[1], what="returned", comment="Thiếu căn cứ")
    assert "Thiếu căn cứ" in author.get("Setter", ITEM)
    page = author.get("Setter", f"{ITEM}/edit")
    typed = fields(page)
    assert typed["prompt.vi"] == TYPED["prompt.vi"]
    author.post("Setter", f"{ITEM}/edit", **(typed | {"prompt.vi": "Ai có quyền giao dự toán?"}), store="1")
    stale = author.post("Setter", f"{ITEM}/edit", 200, **typed, store="1")
    assert "Somebody has changed this question" in stale
    page = author.get("Approver", f"{ITEM}/differences")
    assert re.search(r"<ins>\s*có quyền\s*</ins>", page)
    page = author.get("Approver", ITEM)
    digest = re.search(r'name="digest"[^>]*value="([0-9a-f]{64})"', page)
    assert digest
    author.post("Approver", f"{ITEM}/review", digest=digest[1], what="approved", comment="")
    assert "approved" in author.get("Setter", ITEM)
    author.get("Setter", f"{ITEM}/differences?old=0", 404)
    author.get("Setter", f"{ITEM}/differences?new=7", 404)


def test_reviewers_are_told_what_waits_for_them(author: Office) -> None:
    author.post("Setter", "/banks/ours/write", **TYPED, store="1")
    author.post("Setter", "/parts/test/blueprint", **{"rows": "1", "bank": "ours", "count-0": "10", "marks-0": "4"})
    told = author.browser("Approver").get("/competitions/mot").get_data(as_text=True)
    assert "Review 1 question: ours" in told
    assert "status=draft" in told
    assert "Review 1 question" not in author.browser("Setter").get("/competitions/mot").get_data(as_text=True)
    assert "budget-01" in author.get("Approver", "/banks/ours?status=draft")


def test_a_question_is_edited_as_toml_and_translated(author: Office) -> None:
    author.post("Setter", "/banks/ours/write", **TYPED, store="1")
    page = author.get("Setter", f"{ITEM}/edit/text")
    typed = fields(page)
    assert 'kind = "single"' in typed["toml"]
    for text, words in (
        (typed["toml"] + "\nnonsense = 1", "These keys are not known: nonsense"),
        (typed["toml"].replace('"', "", 1), "not well-formed TOML, in line 1"),
        (typed["toml"].replace("correct = true", "correct = false"), "This is not a question yet: No choice is marked as correct."),
    ):
        assert words in author.post("Setter", f"{ITEM}/edit/text", 200, **(typed | {"toml": text}), store="1").replace("&#39;", "'")
    shown = author.post("Setter", f"{ITEM}/edit/text", 200, **(typed | {"toml": typed["toml"].replace("The registry", "A clerk")}), show="1")
    assert "A clerk" in shown
    author.post("Setter", f"{ITEM}/edit/text", **(typed | {"toml": typed["toml"].replace('en = "The registry"', 'en = ""')}), store="1")
    page = author.get("Setter", f"{ITEM}/translate")
    assert "1 text lacks a language." in page
    typed = fields(page)
    assert typed["choices.1.text/vi"] == "Văn thư"
    author.post("Setter", f"{ITEM}/translate", **(typed | {"choices.1.text/en": "The archive"}))
    assert "Every text is there in every language." in author.get("Setter", f"{ITEM}/translate")
    assert "Nothing was changed" in author.post("Setter", f"{ITEM}/translate", 200, **fields(author.get("Setter", f"{ITEM}/translate")))


def test_a_retired_question_is_drawn_no_more(author: Office) -> None:
    author.post("Setter", "/banks/ours/write", **TYPED, store="1")
    author.post("Setter", f"{ITEM}/retire", 409, reason="")
    author.post("Setter", f"{ITEM}/retire", reason="lộ đề")
    page = author.get("Setter", ITEM)
    assert "lộ đề" in page
    assert "Translate side by side" not in page
    assert "budget-01" not in author.get("Setter", "/banks/ours")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"id": "a b"}, "A question's name has letters"),
        ({"id": ""}, "A question's name has letters"),
        ({"choices.0.correct": ""}, "No choice is marked as correct"),
        ({"marks": "many"}, "marks is many, which is not a number"),
        ({"prompt.vi": "x" * 300_000}, "longer than"),
        ({"level": "expert"}, "must be one of"),
    ],
)
def test_what_cannot_be_stored_is_explained_and_kept(author: Office, change: dict[str, str], words: str) -> None:
    page = author.post("Setter", "/banks/ours/write", 200, **(TYPED | change), store="1").replace("&#39;", "'")
    assert words in page
    assert "Who allots the budget?" in page
    assert 'role="alert"' in page


def test_forms_and_kinds_agree() -> None:
    from examsvc.papers.forms import KINDS

    assert set(writing.KINDS) <= set(KINDS)


# ---------------------------------------------------------------- kinds that no form shows


def test_examples_and_forms_are_all_the_kinds_that_a_paper_may_hold() -> None:
    """Every interaction but the upload can be written: in a form, or from an example in TOML that is a question as it stands."""
    kinds: set[str] = set()
    for name, example in writing_examples.EXAMPLES.items():
        item = writing.item_of({**writing.read_toml(example.toml), "id": "x"}, "vi")
        kinds |= {one.kind for one in item.interactions}
        assert set(item.languages) == {"vi", "en"}, name
        assert writing.item_of(writing.read_toml(writing.as_toml(writing.table_of(item))), "vi") == item
        assert example.pictured == (writing_examples.PICTURE in example.toml), name
        assert preview.preview(item, "en", "/media/").places or name == "description"
        assert preview.key(item, "en") or name == "description", f"{name}: the key in words"
    of_forms = {"choice", "text-entry", "order", "match", "inline-choice", "extended-text"}
    assert kinds | of_forms == set(INTERACTIONS) - {"upload", "end-attempt"}


@pytest.mark.parametrize("kind", ["hottext", "slider", "description"])
def test_a_kind_without_a_form_is_written_from_its_example(author: Office, kind: str) -> None:
    page = author.get("Setter", f"/banks/ours/write/text?kind={kind}")
    toml = fields(page)["toml"]
    assert "prompt = " in toml
    shown = author.post("Setter", "/banks/ours/write/text", 200, id="x-1", toml=toml, show="1")
    assert "Nothing is stored yet" in shown
    for spoiled, words in ((toml + "\nnonsense = 1", "These keys are not known: nonsense"), (toml + "\n=", "not well-formed TOML, in line")):
        assert words in author.post("Setter", "/banks/ours/write/text", 200, id="x-1", toml=spoiled, store="1")
    assert "letters without accents" in author.post("Setter", "/banks/ours/write/text", 200, id="é", toml=toml, store="1")
    author.post("Setter", "/banks/ours/write/text", id="x-1", toml=toml, store="1")
    version = author.session.scalars(select(ItemVersion)).one()
    assert (version.identifier, version.status) == ("x-1", "draft")
    assert "There is a question of this name" in author.post("Setter", "/banks/ours/write/text", 200, id="x-1", toml=toml, store="1")


def test_a_picture_is_brought_in_and_then_shown_by_a_question(author: Office) -> None:
    example = writing_examples.EXAMPLES["hotspot"].toml
    refused = author.post("Setter", "/banks/ours/write/text", 200, id="map-1", toml=example, store="1")
    assert "is not kept in the bank" in refused
    page = author.post("Setter", "/banks/ours/pictures", 200, file=(io.BytesIO(PNG), "dot.png"))
    digest = PICTURE.key.removeprefix("media/")
    assert f"](media/{digest})" in page
    author.post("Setter", "/banks/ours/write/text", id="map-1", toml=example.replace(writing_examples.PICTURE, digest), store="1")
    assert f"/media/{digest}" in author.get("Setter", "/banks/ours/items/map-1")
    for name, data in (("x.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"), ("x.png", b"<script>"), ("x", b"")):
        assert "The file is not kept" in author.post("Setter", "/banks/ours/pictures", 200, file=(io.BytesIO(data), name)), name
    assert author.browser("Approver").get("/competitions/mot/papers/banks/ours/pictures").status_code == 403
    assert len(author.session.scalars(select(MediaFile)).all()) == 1
