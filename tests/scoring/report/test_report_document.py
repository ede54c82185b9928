"""The report as a file: complete in both languages, nothing to fetch, nothing that a strict policy forbids."""

import base64
import hashlib
import re
import string
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest
from report_answers import exam, scored, written

import scoring.report
from scoring.report import LANGUAGES, analyse, read_answers, render, sentences
from scoring.report.wording import TEXTS, VERDICTS, Wording
from scoring.verdicts import CODES, Verdict

VOID = {"meta", "br", "line", "rect", "circle", "path"}
PACKAGE = Path(scoring.report.__file__).parent


class Reader(HTMLParser):
    """Checks that elements close, and collects attributes, ids and words."""

    def __init__(self):
        super().__init__()
        self.open, self.attributes, self.words = [], [], []

    def handle_starttag(self, tag, attrs):
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.words.append(data)


def read(page):
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    return reader


@pytest.fixture(scope="module")
def whole():
    data, key, _ = exam()
    return analyse(read_answers(data, name="bài <thi>.csv", key=key, group_column="Giới tính"))


@pytest.fixture(scope="module", params=LANGUAGES)
def page(request, whole):
    return request.param, render(whole, request.param, made=date(2026, 11, 21))


def test_the_page_is_well_formed_and_names_its_language(page):
    language, text = page
    reader = read(text)
    assert ("html", "lang", language) in reader.attributes
    ids = [value for _, name, value in reader.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    targets = [value[1:] for tag, name, value in reader.attributes if (tag, name) == ("a", "href")]
    assert len(targets) == 11
    assert set(targets) == set(ids)


def test_nothing_is_fetched_and_a_strict_policy_holds(page):
    _, text = page
    reader = read(text)
    names = {name for _, name, _ in reader.attributes}
    assert not names & {"src", "style", "srcset", "action", "xlink:href", "background"}
    assert not any(name.startswith("on") for name in names)
    assert not re.search(r"https?:|url\(|@import|<script|<link|<iframe|<object", text)
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = next(value for tag, name, value in reader.attributes if (tag, name) == ("meta", "content") and "default" in value)
    assert f"default-src 'none'; style-src 'sha256-{digest}'" in policy


def test_file_names_and_items_are_escaped(page):
    assert "bài &lt;thi&gt;.csv" in page[1]
    assert "bài <thi>" not in page[1]


def test_numbers_and_dates_follow_the_language(page):
    language, text = page
    words = " ".join(read(text).words)
    if language == "vi":
        assert "21/11/2026" in words
        assert re.search(r"RMSEA 0,\d{3}", words)
        assert not re.search(r"\d\.\d\d\b", words)
    else:
        assert "2026-11-21" in words
        assert re.search(r"RMSEA 0\.\d{3}", words)
        assert not re.search(r"\d,\d\d\b", words)


def test_every_chart_has_its_sentence_and_its_table(page):
    _, text = page
    sections = text.split("<section")[1:]
    assert len(sections) == 11
    with_charts = [one for one in sections if "<svg" in one]
    assert len(with_charts) == 8
    for one in with_charts:
        assert one.index("<p>") < one.index("<svg")
        assert "<details>" in one
    assert text.count("<svg") == 8 + 2 * 30 + 2  # eight single charts, options and curves of thirty items, two of information


def test_the_same_file_gives_the_same_page(whole):
    assert render(whole, "vi") == render(whole, "vi")
    assert "Lập ngày" not in render(whole, "vi")
    with pytest.raises(ValueError, match="no language"):
        render(whole, "fr")


@pytest.mark.parametrize(("n", "items", "categories"), [(5, 4, 2), (2, 2, 2), (45, 6, 2), (60, 5, 4), (100, 82, 2), (220, 6, 5)])
@pytest.mark.parametrize("language", LANGUAGES)
def test_papers_of_any_size_make_a_page(n, items, categories, language):
    data, _ = scored(n, items, categories=categories)
    analysis = analyse(read_answers(data))
    text = render(analysis, language)
    read(text)
    assert "nan" not in re.sub(r"[a-z]nan|nan[a-z]", "", " ".join(read(text).words).lower())
    assert len(sentences(analysis, language)) >= 2


@pytest.mark.parametrize("rows", [[["1", "1"], ["1", "1"]], [["1", "0", "1"]], [["1"], ["0"]], [["2.5", "1"], ["0", "4"], ["1", "1"]]])
def test_degenerate_papers_make_a_page(rows):
    analysis = analyse(read_answers(written(rows), header=False))
    for language in LANGUAGES:
        read(render(analysis, language))


def test_refused_groups_are_explained():
    _, x = scored(60, 5)
    rows = [["g", *(f"C{j}" for j in range(5))], *([("a", "b")[i % 5 == 0], *row] for i, row in enumerate(x.tolist()))]
    analysis = analyse(read_answers(written(rows), group_column="g"))
    assert "Quá ít thí sinh" in render(analysis, "vi")
    assert "12 and 48 candidates" in render(analysis, "en")


def places(sentence):
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def test_every_sentence_is_there_in_both_languages_with_the_same_places():
    assert len(TEXTS) > 150
    for key, both in TEXTS.items():
        assert len(both) == 2, key
        assert all(both), key
        assert places(both[0]) == places(both[1]), key


def test_every_key_asked_for_exists_and_every_text_is_used():
    source = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.glob("*.py") if path.name != "wording.py")
    asked = set(re.findall(r"""\bw\(\s*["']([a-z_.0-9]+)["']""", source))
    assert len(asked) > 60
    assert asked <= set(TEXTS)
    families = ("finding.", "flag.", "fact.", "part.", "refused.", "coefficient.")
    spoken = {key for key in TEXTS if key.startswith(families)} | {"act", "look", "know", "more", "to"}
    assert set(TEXTS) - asked - spoken == {"limits.undecided", "limits.too_few"}  # asked for through a table
    for key in spoken - asked - {"more", "to"}:
        assert f'"{key.split(".", 1)[-1]}"' in source or f'"{key}"' in source, key


def test_verdicts_of_papers_speak_vietnamese():
    wanted = {code for code in CODES if code.split(".")[0] in ("item", "paper", "reliability")}
    assert set(VERDICTS) == wanted
    for code in wanted:
        assert places(VERDICTS[code]) <= places(CODES[code]), code
    verdict = Verdict("reliability.undecided", {"lower": 0.512, "upper": 0.8, "target": 0.7, "n": 9.0})
    assert Wording("vi").verdict(verdict) == "Độ tin cậy giữa 0,51 và 0,80: chưa biết có đạt 0,70 hay không"


def test_numbers_of_both_languages():
    vi, en = Wording("vi"), Wording("en")
    assert (vi.number(12345.678, 1), en.number(12345.678, 1)) == ("12.345,7", "12,345.7")
    assert (vi.number(-0.5, 2), en.number(-0.001, 2)) == ("−0,50", "0.00")
    assert (vi.number(float("nan"), 2), en.number(float("inf"), 2)) == ("–", "∞")
    assert (vi.probability(0.0001), en.probability(0.034)) == ("< 0,001", "0.034")
    assert en.names([str(i) for i in range(20)]) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 8 more"
    assert (vi.points(3.0), vi.points(2.25)) == ("3", "2,25")
