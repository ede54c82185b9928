"""The second verifier: written from the documents alone, it names the same checks as the first, in any browser, without a network."""

import base64
import json
import os
import random
import shutil
from collections import Counter
from fractions import Fraction
from hashlib import sha256, sha512
from pathlib import Path

import hall_course
import pytest
from answering import POINTED, cases
from attackers import rewritten_with_everybody
from axe_playwright_python.sync_playwright import Axe
from bad import SEED, bad
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from document import data as vocabulary
from forgery import World
from hall import POLICY_TEXT, POSTS, Scenario, material
from hall_course import competition
from second import disagreements, failing, open_page, reports
from test_attacks import false_stamps, stamped_hall

from examsvc.commands.verify import verify
from examsvc.ledger.bundle import PUBLIC, RESTRICTED, compose
from examsvc.verify.papers import share
from examsvc.verify.second import page as source
from question_banks.declarations import METHODS
from question_banks.values import BASE_TYPES
from tests.screens import OVERFLOW
from tests.web import world

pytestmark = pytest.mark.browser

SAMPLE = 40


@pytest.fixture(scope="module")
def made():
    return bad()


@pytest.fixture(scope="module")
def good():
    hall = competition(SEED, 2)
    return {kind: compose(material(hall), kind, hall.posts, 1) for kind in (PUBLIC, RESTRICTED)}


def test_the_vocabulary_is_the_document_s():
    assert (Path(source.FOLDER) / "vocabulary.json").read_text() == vocabulary()


def test_the_file_asks_for_nothing():
    text = source.page().decode()
    assert text.count("<script") == text.count("<style") == 1
    for word in ("http://", "https://", "fetch(", "XMLHttpRequest", "import(", " src=", "eval("):
        assert word not in text, word


# RFC 8032 §7.1: secret key (from which the public one), message, signature
RFC8032 = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]
_SIGNATURES = """rows => {
  const hex = text => Uint8Array.from(text.match(/../g) || [], one => parseInt(one, 16));
  return rows.map(row => examsvc.verifyEd25519(...row.map(hex)));
}"""
_HASHES = """rows => {
  const hex = text => Uint8Array.from(text.match(/../g) || [], one => parseInt(one, 16));
  const text = bytes => Array.from(bytes, one => one.toString(16).padStart(2, '0')).join('');
  return rows.map(row => [text(examsvc.sha256(hex(row))), text(examsvc.sha512(hex(row)))]);
}"""


def test_signatures_and_hashes_are_the_standards(page, tmp_path):
    open_page(page, tmp_path)
    draw = random.Random(8032)
    rows = list(RFC8032)
    for length in (0, 1, 63, 64, 111, 112, 200):
        key, message = Ed25519PrivateKey.from_private_bytes(draw.randbytes(32)), draw.randbytes(length)
        rows.append((key.public_key().public_bytes_raw().hex(), message.hex(), key.sign(message).hex()))
    order = 2**252 + 27742317777372353535851937790883648493
    wrong = []
    for key, message, signature in rows:
        raw = bytearray.fromhex(signature)
        raw[draw.randrange(64)] ^= 1 << draw.randrange(8)
        wrong += [
            (key, message, raw.hex()),
            (key, message + "00", signature),
            (key[2:] + "00", message, signature),
        ]
        larger = (int.from_bytes(bytes.fromhex(signature)[32:], "little") + order).to_bytes(32, "little")
        wrong.append((key, message, signature[:64] + larger.hex()))
    assert page.evaluate(_SIGNATURES, rows) == [True] * 10
    assert page.evaluate(_SIGNATURES, wrong) == [False] * 40
    texts = [
        draw.randbytes(length) for length in (0, 1, 3, 55, 56, 63, 64, 65, 111, 112, 127, 128, 129, 1000)
    ]
    expected = [[sha256(text).hexdigest(), sha512(text).hexdigest()] for text in texts]
    assert page.evaluate(_HASHES, [text.hex() for text in texts]) == expected


def test_both_verifiers_name_the_same_checks(page, tmp_path, made):
    """A sample drawn by a fixed seed; make figures compares the whole set."""
    open_page(page, tmp_path)
    names = random.Random(SEED).sample(sorted(made), SAMPLE)
    assert disagreements(page, {name: made[name] for name in names}) == []
    assert len({check for name in names for check in made[name][1]}) >= 12


def undone(verdicts):
    return {check for check, verdict in verdicts.items() if verdict == "not done"}


def test_good_bundles_pass_and_what_was_not_done_is_said(page, tmp_path, good):
    open_page(page, tmp_path)
    (public, restricted) = reports(page, good.values())
    assert public[0] == restricted[0] == 0, (public[2], restricted[2])
    assert undone(restricted[1]) == {"V16", "V18"}, "no stamp and no receipt was given"
    assert undone(public[1]) == {"V13", "V16", "V17", "V18"}
    ((status, verdicts, _),) = reports(page, [good[RESTRICTED]], None)
    assert status == 3
    assert verdicts["V2"] == "not done"


_EARNINGS = "rows => rows.map(([native, values]) => examsvc.earnings(native, values))"


def test_the_page_marks_every_kind_of_question_exactly_as_the_question_engine(page, tmp_path):
    """Both digests too: of items that are read otherwise nothing would be proven."""
    open_page(page, tmp_path)
    rows = list(cases(seed=2026, items=360, responses=8))
    made = page.evaluate(_EARNINGS, [[native, values] for native, _, values in rows])
    seen: Counter = Counter()
    methods = set()
    for (native, item, values), said in zip(rows, made, strict=True):
        shares = [share(item, item, value) for value in values]
        assert said["digest"] == item.digest, native
        wanted = None if item.by_person else [f"{one.numerator}/{one.denominator}" for one in shares]
        assert said["shares"] == wanted, (native, values)
        seen.update(shares)
        methods |= {(rule.method, item.declared[rule.response].base) for rule in item.rules}
    assert len(rows) == 360 + len(POINTED)
    assert seen.total() > 8000
    assert seen[Fraction(1)] > 800
    assert sum(count for one, count in seen.items() if one not in (None, 0, 1)) > 300
    assert min(one for one in seen if one is not None) < 0
    assert {method for method, _ in methods} == METHODS
    assert {base for _, base in methods} >= BASE_TYPES


_PROCESSED = """
interaction = [{ kind = "choice", response = "RESPONSE", choices = [{ id = "a" }, { id = "b" }, { id = "c" }] }]
response = [{ id = "RESPONSE", base = "identifier", correct = ["b"] }]
outcome = [{ id = "SCORE", base = "float" }]
processing = "<qti-response-processing><qti-set-outcome-value identifier='SCORE'><qti-base-value base-type='float'>1</qti-base-value></qti-set-outcome-value></qti-response-processing>"
"""


def test_a_question_that_the_page_cannot_mark_is_named_and_the_rest_is_checked(page, tmp_path, monkeypatch):
    """General rules of QTI are left to the first verifier, for that question alone."""
    ordinary = hall_course.native

    def native(number, correct="b"):
        if number != 1:
            return ordinary(number, correct)
        return hall_course.HEAD + 'id = "i1"\nkind = "single"\nprompt = "Câu 1"\n' + _PROCESSED

    monkeypatch.setattr(hall_course, "native", native)
    hall = competition(SEED, 2, scenario=Scenario(items=2))
    world = World.of(hall)
    commitment = world.find("responses.scored")["body"]["scores"]
    table = json.loads(json.dumps(world.opening(commitment).value))
    table["scores"][0]["slots"][1] = "9"
    world.reopen(commitment, table)
    open_page(page, tmp_path)
    honest, forged = reports(page, [compose(material(hall), RESTRICTED, hall.posts, 1), world.bundle()])
    assert honest[0] == 0
    assert undone(honest[1]) == {"V13", "V14", "V16", "V18"}
    assert [check for check, verdict in forged[1].items() if verdict == "failed"] == ["V13"]
    told = page.evaluate(
        "text => examsvc.verify(Uint8Array.from(atob(text), one => one.charCodeAt(0))).findings[12].reasons[0].en",
        base64.b64encode(compose(material(hall), RESTRICTED, hall.posts, 1)).decode(),
    )
    assert hall.papers["T1"][0][0].digest[:16] in told


def test_time_stamps_are_read_by_the_page_too(page, tmp_path):
    open_page(page, tmp_path)
    (true,) = reports(page, [compose(material(stamped_hall()), PUBLIC, POSTS, 1)])
    assert (true[0], true[1]["V16"]) == (0, "passed"), true[2]
    false = [failing(status, verdicts) for status, verdicts, _ in reports(page, false_stamps())]
    assert false == [["V16"]] * 8


def test_a_receipt_finds_what_everybody_who_signs_conceals(page, tmp_path):
    open_page(page, tmp_path)
    bundle, receipt, slip = rewritten_with_everybody()
    script = """([bundle, policy, receipts, slips]) => {
      const bytes = one => Uint8Array.from(one);
      return examsvc.verify(bytes(bundle), bytes(policy), receipts.map(bytes), slips).findings.filter(one => one.verdict === 'failed').map(one => one.check);
    }"""
    for receipts, slips, checks in (([], [], []), ([receipt], [], ["V18"]), ([], [slip], ["V18"])):
        assert (
            page.evaluate(script, [list(bundle), list(POLICY_TEXT), [list(one) for one in receipts], slips])
            == checks
        )


def test_a_citizen_verifies_in_either_language_on_a_phone_and_on_paper(page, tmp_path, good, made):
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    (tmp_path / "good.zip").write_bytes(good[PUBLIC])
    (tmp_path / "bad.zip").write_bytes(made["insider attempt.answers answers.value"][0])
    (tmp_path / "policy").write_bytes(POLICY_TEXT)
    looked = 0
    for language, file, said in (
        ("vi", "good.zip", "Đã kiểm chứng"),
        ("vi", "bad.zip", "KHÔNG kiểm chứng được"),
        ("en", "good.zip", "Verified"),
        ("en", "bad.zip", "NOT verified"),
    ):
        open_page(page, tmp_path, language)
        page.reload()
        assert page.locator("html").get_attribute("lang") == language
        page.locator("button[type=submit]").click()
        assert page.locator("#error").is_visible()
        page.locator("#bundle").set_input_files(tmp_path / file)
        page.locator("#policy").set_input_files(tmp_path / "policy")
        page.locator("button[type=submit]").click()
        page.locator("#report").wait_for(state="visible")
        assert said in page.locator("#conclusion").inner_text()
        assert page.locator("#findings > li").count() == 20
        for media, width in (("screen", 1280), ("screen", 390), ("print", 800)):
            page.emulate_media(media=media)
            page.set_viewport_size({"width": width, "height": 900})
            assert Axe().run(page).response["violations"] == []
            assert page.evaluate(OVERFLOW) <= 0
            looked += 1
            if folder := os.environ.get("EXAMSVC_SCREENSHOTS"):
                page.screenshot(
                    path=f"{folder}/verifier-{language}-{file}-{media}-{width}.png", full_page=True
                )
        page.emulate_media(media="screen")
    assert looked == 12
    page.locator("[data-language=vi]").click()
    assert "KHÔNG kiểm chứng được" in page.locator("#conclusion").inner_text()
    assert all(url.startswith(("file:", "data:")) for url in requests)


def test_the_installation_serves_the_page_and_the_command_writes_it(sqlite_template, tmp_path):
    database = shutil.copy(sqlite_template, tmp_path / "served.sqlite")
    with world(tmp_path, f"sqlite:///{database}").app.test_client() as client:
        answer = client.get("/verifier.html")
        assert 'href="/verifier.html#en"' in client.get("/how-to-check").text
    assert answer.status_code == 200
    assert answer.data == source.page()
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'sha256-")
    file = tmp_path / "verifier.html"
    done = CliRunner().invoke(verify, ["--page", str(file)])
    assert done.exit_code == 0, done.output
    assert file.read_bytes() == source.page()
