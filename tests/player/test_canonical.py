"""Both sides agree, byte for byte, on what a value is: the page's own code against the server's and against RFC 8785's."""

from __future__ import annotations

import json
import random
import re
from hashlib import sha256
from pathlib import Path

import pytest
import rfc8785

from examsvc.ledger import canonical
from question_banks.markup import normal
from question_banks.responding import count_words
from question_banks.values import show, typed_number

pytestmark = pytest.mark.browser
PROTOCOL = Path(__file__).parents[2] / "docs" / "formats" / "player-protocol.md"
ALPHABET = "aạăắâĐđêơưỷ Zz09_-.,;\"\\/\b\t\n\r\u0000\u001f\u007f\u0085\u00a0\u2028\u200b\u0301\u0323\u031b\ufeff\ufffe\u3000😀e\u0301＋１½"


@pytest.fixture(scope="module")
def page(browser, hall):
    opened = browser.new_page()
    opened.goto(f"{hall.address}/blank")
    yield opened
    opened.close()


def run(page, call, cases):
    script = f"""async (cases) => {{
      const c = await import("/static/player/canonical.js");
      return Promise.all(cases.map(async (x) => {{ try {{ return await ({call})(x, c); }} catch (e) {{ return "error: " + e.message; }} }}));
    }}"""
    return page.evaluate(script, cases)


def random_texts(count, seed):
    chance = random.Random(seed)
    return ["".join(chance.choice(ALPHABET) for _ in range(chance.randrange(40))) for _ in range(count)]


def test_the_vectors_of_the_protocol_hold_in_the_browser_and_on_the_server(page):
    rows = re.findall(r"^\| `(.+?)` \| `(.+?)` \| `([0-9a-f]{64})` \|$", PROTOCOL.read_text(), re.MULTILINE)
    assert len(rows) == 8
    values = [json.loads(row[0]) for row in rows]
    assert run(page, "(x, c) => c.encode(x)", values) == [row[1] for row in rows]
    assert run(page, "(x, c) => c.digest(x)", values) == [row[2] for row in rows]
    for value, bytes_, digest in zip(values, rows, rows, strict=True):
        assert canonical.encode(value).decode() == bytes_[1] == rfc8785.dumps(value).decode()
        assert sha256(bytes_[1].encode()).hexdigest() == digest[2]


def test_texts_become_normal_as_the_server_makes_them(page):
    texts = [*random_texts(400, 1), "\r\n\r\r\n", "tiê\u0301ng Viê\u0323t", "o\u031b\u0301"]
    assert run(page, "(x, c) => c.normal(x)", texts) == [normal(text) for text in texts]
    assert run(page, r'(x, c) => c.normal("a\ud800b\udc00" + x)', ["c"]) == ["abc"]


def test_random_values_have_the_same_bytes_on_both_sides(page):
    texts = [normal(text) for text in random_texts(300, 2)]
    values = [{"RESPONSE": text, "g2": [text, "b"], "a": True, "z": None} for text in texts]
    encoded = run(page, "(x, c) => c.encode(x)", values)
    assert encoded == [canonical.encode(value).decode() for value in values]
    assert encoded == [rfc8785.dumps(value).decode() for value in values]


@pytest.mark.parametrize("value", ["1.5", "-0", "9007199254740992", '"e\\u0301"', '{"é": 1}', "NaN", "new Date()", "undefined"])
def test_what_is_outside_the_profile_is_refused(page, value):
    assert page.evaluate(f"async () => {{ const c = await import('/static/player/canonical.js'); try {{ c.encode({value}); return 'taken'; }} catch (e) {{ return e.name; }} }}") == "TypeError"


def test_words_are_counted_as_the_examiners_side_counts_them(page):
    texts = [normal(text) for text in random_texts(400, 3)] + ["Một  đề án — 2 trang.", "…", "a_b _ c", ""]
    assert run(page, "(x, c) => c.countWords(x)", texts) == [count_words(text) for text in texts]


def test_numbers_are_read_as_marking_reads_them(page):
    chance = random.Random(4)
    typed = ["".join(chance.choice("0123456789,. -+eE/_−") for _ in range(chance.randrange(1, 9))) for _ in range(1500)]
    typed += ["12,5", "1.250", "1.234.567", "1 234,5", "1.234,5", "1,234.5", "12 345 678", "12 34", "1.234.56", "..9", "1,234,567.8", "1_000", "−3", "＋１２", "0,50", "1/3", "1/0", "2e3", "5e-3", "nhiều", ".", "-"]

    def server(text):
        try:
            return show(typed_number(text)[0])
        except ValueError:
            return None

    def as_number(text):
        return None if text is None else show(typed_number(text)[0])

    read = run(page, "(x, c) => c.readNumber(x)", typed)
    assert sum(one is not None for one in read) > 200
    for text, ours in zip(typed, read, strict=True):
        assert as_number(ours) == server(text), text


def test_an_answer_without_content_is_null(page):
    cases = [{}, {"a": None}, {"a": "  \n"}, {"a": []}, {"a": "", "b": "x"}, {"RESPONSE": "e\u0301"}, {"a": "\u0000 \u007f"}]
    assert run(page, "(x, c) => c.valueOf(x)", cases) == [None, None, None, None, {"b": "x"}, {"RESPONSE": "é"}, None]
