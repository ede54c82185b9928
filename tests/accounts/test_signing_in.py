"""Signing in as a browser sees it, and what an attacker tries."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from examsvc.accounts import factors, operations, queries, tries
from examsvc.accounts.browser import COOKIE
from examsvc.accounts.models import (
    Account,
    ApprovalRequest,
    PasswordLink,
    RoleGrant,
    SecondFactor,
    SignInSession,
    SignInTry,
)
from examsvc.accounts.passwords import hash_password
from examsvc.base.access import rule_of
from examsvc.base.database import writing
from examsvc.base.pages import safe_target
from tests.web import World, world

PASSWORD = "một câu ngắn dễ nhớ"
HASHED = hash_password(PASSWORD)


@pytest.fixture
def here(tmp_path: Path, any_address: str) -> World:
    return world(tmp_path, any_address)


def make(here: World, name: str, role: str | None = None) -> int:
    with here.session() as session, writing(session):
        account = operations.register_account(
            session, email=f"{name}@example.vn", name=name.title(), password_hash=HASHED, now=here.now, language="en"
        )
        if role:
            session.add(RoleGrant(account_id=account.id, role=role, competition="", granted_at=here.now))
        return account.id


def sign_in(client: FlaskClient, name: str, password: str = PASSWORD, target: str = ""):
    return client.post(f"/account/sign-in{target}", data={"email": f"{name}@example.vn", "password": password})


def with_app(here: World, account_id: int) -> str:
    """Gives the account an authenticator app; returns its secret."""
    key = here.settings.people_key()
    with here.session() as session, writing(session):
        factor = factors.begin_app(session, account_id, key=key, now=here.now)
        secret = factors.secret(factor, key)
        code = pyotp.TOTP(secret).at(here.now)
        factors.confirm(session, factor, factors.recognise([factor], code, key=key, now=here.now), now=here.now)
    return secret


def cookie_of(client: FlaskClient) -> str | None:
    found = client.get_cookie(COOKIE)
    return found.value if found else None


# ---------------------------------------------------------------- the ordinary way


def test_register_sign_out_sign_in(here: World) -> None:
    client = here.client()
    made = client.post(
        "/account/register", data={"name": "  Nguyễn An ", "email": " An@Example.vn", "password": PASSWORD}
    )
    assert made.status_code == 302
    assert client.get("/account/").status_code == 200
    client.post("/account/sign-out")
    assert client.get("/account/").location.startswith("/account/sign-in")
    assert sign_in(client, "an", "falsch falsch falsch").status_code == 200
    assert sign_in(client, "an", target="?next=/account/messages").location == "/account/messages"
    with here.session() as session:
        assert queries.by_email(session, "an@example.vn").name == "Nguyễn An"


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("password", "short", "at least 12"),
        ("email", "no-address", "Enter an address like"),
        ("email", "a@b.c,d@e.f", "Enter an address like"),
        ("name", "", "Enter your name"),
        ("name", "x" * 121, "at most 120"),
        ("password", "x" * 201, "at least 12"),
    ],
)
def test_registering_says_what_is_wrong(here: World, field: str, value: str, sentence: str) -> None:
    data = {"name": "An", "email": "an@example.vn", "password": PASSWORD, field: value}
    page = here.client().post("/account/register", data=data)
    assert page.status_code == 200
    assert sentence in page.text
    with here.session() as session:
        assert session.scalars(select(Account)).all() == []


def test_a_second_account_of_one_address_is_refused(here: World) -> None:
    make(here, "an")
    page = here.client().post("/account/register", data={"name": "An", "email": "AN@example.vn", "password": PASSWORD})
    assert "already an account" in page.text


# ---------------------------------------------------------------- cookies and sessions


def test_the_cookie_is_kept_from_scripts_and_other_sites(tmp_path: Path, any_address: str) -> None:
    from examsvc.app import create_app
    from examsvc.settings import Settings

    settings = Settings(folder=tmp_path, database_url=any_address, mode="test", base_url="https://exam.example")
    app = create_app(settings)
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    answer = client.post(
        "/account/register",
        data={"name": "An", "email": "an@example.vn", "password": PASSWORD},
        base_url="https://exam.example",
    )
    headers = answer.headers.getlist("Set-Cookie")
    assert any(one.startswith(COOKIE) for one in headers)
    for header in headers:
        assert "HttpOnly" in header, header
        assert "Secure" in header, header
        assert "SameSite=Lax" in header, header
        assert "Domain" not in header, header
    assert answer.headers["Strict-Transport-Security"]


def test_a_planted_cookie_is_worth_nothing_after_signing_in(here: World) -> None:
    make(here, "an")
    make(here, "thief")
    client = here.client()
    sign_in(client, "thief")
    planted = cookie_of(client)
    sign_in(client, "an")
    assert cookie_of(client) not in (None, planted)
    stranger = here.client()
    stranger.set_cookie(COOKIE, planted)
    assert stranger.get("/account/").status_code == 302
    made_up = here.client()
    made_up.set_cookie(COOKIE, "a" * 43)
    sign_in(made_up, "an")
    assert cookie_of(made_up) != "a" * 43


def test_the_database_holds_no_token(here: World) -> None:
    make(here, "an")
    client = here.client()
    sign_in(client, "an")
    with here.session() as session:
        stored = session.scalars(select(SignInSession)).one()
        assert cookie_of(client) not in (stored.token_digest, stored.subject, stored.browser)


def test_sessions_end_by_revoking_idling_and_age(here: World) -> None:
    account = make(here, "an")
    first, second = here.client(), here.client()
    sign_in(first, "an")
    sign_in(second, "an")
    with here.session() as session:
        number = queries.open_sessions(session, account, here.now)[-1].id
    assert second.post(f"/account/sessions/{number}/end").status_code == 302
    assert first.get("/account/").status_code == 302
    assert second.get("/account/").status_code == 200
    here.later(minutes=here.settings.session_idle_minutes + 1)
    assert second.get("/account/").status_code == 302
    sign_in(second, "an")
    for _ in range(14):
        here.later(minutes=55)
        second.get("/account/")
    assert second.get("/account/").status_code == 302


def test_nobody_ends_the_session_of_another(here: World) -> None:
    account = make(here, "an")
    make(here, "binh")
    victim, other = here.client(), here.client()
    sign_in(victim, "an")
    sign_in(other, "binh")
    with here.session() as session:
        number = queries.open_sessions(session, account, here.now)[0].id
    assert other.post(f"/account/sessions/{number}/end").status_code == 404
    assert victim.get("/account/").status_code == 200


def test_changing_the_password_ends_every_other_session(here: World) -> None:
    make(here, "an")
    mine, stolen = here.client(), here.client()
    sign_in(mine, "an")
    sign_in(stolen, "an")
    new = "một câu khác dài hơn"
    wrong = mine.post("/account/password", data={"present": "x" * 12, "password": new, "again": new})
    assert "not right" in wrong.text
    assert "differ" in mine.post("/account/password", data={"present": PASSWORD, "password": new, "again": new + "x"}).text
    assert mine.post("/account/password", data={"present": PASSWORD, "password": new, "again": new}).status_code == 302
    assert mine.get("/account/").status_code == 200
    assert stolen.get("/account/").status_code == 302
    assert sign_in(here.client(), "an").status_code == 200
    assert sign_in(here.client(), "an", new).status_code == 302
    assert "Your password was changed" in mine.get("/account/messages").text


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil.example", "/a\r\nLocation: x", "javascript:alert(1)", "", "evil"],
)
def test_signing_in_leads_only_to_pages_of_this_service(here: World, target: str) -> None:
    make(here, "an")
    client = here.client()
    answer = client.post(
        "/account/sign-in", query_string={"next": target}, data={"email": "an@example.vn", "password": PASSWORD}
    )
    assert answer.location == "/account/"
    assert safe_target(target) is None
    assert client.get("/language/en", query_string={"next": target}).location == "/"


# ---------------------------------------------------------------- second factor


def test_an_app_is_set_up_and_asked_for(here: World) -> None:
    account = make(here, "an", "hr-officer")
    client = here.client()
    sign_in(client, "an")
    assert "Set up or show your second factor" in client.get("/account/").text
    assert client.get("/account/people").location.startswith("/account/second-factor?next=")
    assert client.post("/account/second-factor/app").location.startswith("/account/second-factor/app/code")
    page = client.get("/account/second-factor/app/code").text
    assert "<svg" in page
    secret = re.search(r'class="digest">([A-Z2-7 ]+)<', page)[1].replace(" ", "")
    before = cookie_of(client)
    assert "not right" in client.post("/account/second-factor/app/code", data={"code": "000000"}).text
    code = pyotp.TOTP(secret).at(here.now)
    assert client.post("/account/second-factor/app/code", data={"code": f" {code[:3]} {code[3:]} "}).status_code == 302
    assert cookie_of(client) != before
    assert client.get("/account/people").status_code == 200
    with here.session() as session:
        stored = session.scalars(select(SecondFactor)).one()
        assert secret not in stored.sealed
        assert queries.factors(session, account)[0].id == stored.id

    again = here.client()
    assert sign_in(again, "an", target="?next=/account/people").location == "/account/second-step?next=/account/people"
    assert again.get("/account/").status_code == 302, "before the second step nobody is signed in"
    assert again.get("/account/messages").status_code == 302
    assert "used already" in again.post("/account/second-step", data={"code": code}).text, "a code works once"
    here.later(seconds=30)
    fresh = pyotp.TOTP(secret).at(here.now)
    assert again.post("/account/second-step?next=/account/people", data={"code": fresh}).location == "/account/people"
    assert again.get("/account/people").status_code == 200


@pytest.mark.parametrize(("steps", "enters"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_the_clock_of_the_phone_may_be_one_step_off(here: World, steps: int, enters: bool) -> None:
    secret = with_app(here, make(here, "an", "hr-officer"))
    here.later(minutes=10)
    client = here.client()
    sign_in(client, "an")
    code = pyotp.TOTP(secret).at(here.now + timedelta(seconds=30 * steps))
    assert (client.post("/account/second-step", data={"code": code}).status_code == 302) is enters


def test_no_earlier_code_works_after_a_later_one(here: World) -> None:
    secret = with_app(here, make(here, "an", "hr-officer"))
    here.later(minutes=10)
    totp = pyotp.TOTP(secret)
    client = here.client()
    sign_in(client, "an")
    assert client.post("/account/second-step", data={"code": totp.at(here.now + timedelta(seconds=30))}).status_code == 302
    for early in (totp.at(here.now + timedelta(seconds=30)), totp.at(here.now), totp.at(here.now - timedelta(seconds=30))):
        other = here.client()
        sign_in(other, "an")
        assert other.post("/account/second-step", data={"code": early}).status_code == 200


def test_printed_codes_are_asked_in_order_and_used_once(here: World) -> None:
    make(here, "an", "hr-officer")
    client = here.client()
    sign_in(client, "an")
    page = client.post("/account/second-factor/printed").text
    codes = re.findall(r'<li class="digest">([0-9A-Z]{4}-[0-9A-Z]{4})</li>', page)
    assert len(codes) == len(set(codes)) == 10
    assert client.get("/account/people").status_code == 302
    assert client.post("/account/second-factor/printed/code", data={"code": codes[1]}).status_code == 200
    assert client.post("/account/second-factor/printed/code", data={"code": codes[0].lower()}).status_code == 302
    assert client.get("/account/people").status_code == 200
    for place in (1, 2):
        other = here.client()
        sign_in(other, "an")
        assert f"code number {place + 1}" in other.get("/account/second-step").text
        for wrong in (codes[place - 1], codes[place + 1]):
            assert other.post("/account/second-step", data={"code": wrong}).status_code == 200
        assert other.post("/account/second-step", data={"code": codes[place].replace("-", "")}).status_code == 302
    assert "7 codes left" in client.get("/account/second-factor").text
    with here.session() as session:
        assert all(code not in str(session.scalars(select(SecondFactor)).one().codes[0].code_hash) for code in codes)


def test_setting_up_a_factor_asks_to_sign_in_again_after_a_while(here: World) -> None:
    make(here, "an", "hr-officer")
    client = here.client()
    sign_in(client, "an")
    here.later(minutes=16)
    assert client.post("/account/second-factor/app").location.startswith("/account/sign-in")
    assert client.post("/account/second-factor/printed").location.startswith("/account/sign-in")


def test_a_password_alone_gives_no_role_any_effect(here: World) -> None:
    with_app(here, make(here, "an", "system-administrator"))
    make(here, "binh", "hr-officer")
    without = here.client()
    sign_in(without, "binh")
    for rule in here.app.url_map.iter_rules():
        found = rule_of(here.app, rule.endpoint)
        if found is None or not found.roles or rule.arguments - {"slug", "number", "code", "account"}:
            continue
        values = {"slug": "x", "number": 1, "code": "x", "account": "x"}
        with here.app.test_request_context():
            address = rule.rule
            for name in rule.arguments:
                address = re.sub(rf"<(?:\w+:)?{name}>", str(values[name]), address)
        for method in rule.methods & {"GET", "POST"}:
            status = without.open(address, method=method).status_code
            assert status in (302, 403, 404), (address, method, status)
    assert without.post("/account/approvals/1/approve").status_code == 403


# ---------------------------------------------------------------- guessing


def test_guessing_passwords_is_stopped_by_account_and_not_by_address(here: World) -> None:
    make(here, "an")
    make(here, "binh")
    client = here.client()
    for _ in range(8):
        assert "not right" in sign_in(client, "an", "wrong wrong wrong").text
    assert "Too many failed tries" in sign_in(client, "an", "wrong wrong wrong").text
    assert "Too many failed tries" in sign_in(client, "an").text, "not even the right one while it is locked"
    assert sign_in(client, "binh").status_code == 302, "the same address, another person"
    here.later(minutes=16)
    assert sign_in(client, "an").status_code == 302
    with here.session() as session:
        assert session.scalars(select(SignInTry).where(SignInTry.subject == tries.password_subject("an@example.vn"))).all() == []


def test_an_administrator_unlocks(here: World) -> None:
    account = make(here, "an")
    admin = here.client(make(here, "quantri", "system-administrator"))
    officer = here.client(make(here, "tochuc", "hr-officer"))
    client = here.client()
    for _ in range(9):
        sign_in(client, "an", "wrong wrong wrong")
    assert officer.post(f"/account/people/{account}/unlock").status_code == 403
    assert admin.post(f"/account/people/{account}/unlock").status_code == 302
    assert sign_in(client, "an").status_code == 302


def test_guessing_second_steps_is_stopped_for_good(here: World) -> None:
    account = make(here, "an", "hr-officer")
    secret = with_app(here, account)
    here.later(minutes=10)
    client = here.client()
    sign_in(client, "an")
    for _ in range(8):
        assert "not right" in client.post("/account/second-step", data={"code": "12345x"}).text
    assert "Too many failed tries" in client.post("/account/second-step", data={"code": "12345x"}).text
    sign_in(client, "an")  # the right password does not begin the count anew
    assert "Too many failed tries" in client.post("/account/second-step", data={"code": "12345x"}).text
    with here.session() as session, writing(session):
        for day in range(42):  # a patient guesser, one try a day
            session.add(SignInTry(subject=tries.second_subject(account), at=here.now - timedelta(days=day + 1)))
    here.later(minutes=16)
    sign_in(client, "an")
    right = pyotp.TOTP(secret).at(here.now)
    assert "administrator can unlock" in client.post("/account/second-step", data={"code": right}).text
    admin = here.client(make(here, "quantri", "system-administrator"))
    admin.post(f"/account/people/{account}/unlock")
    assert client.post("/account/second-step", data={"code": right}).status_code == 302


def test_an_unknown_address_goes_the_same_way(here: World) -> None:
    """The same sentences, the same lock, the same work: one hash each."""
    make(here, "an")
    client = here.client()
    answers = {}
    for name in ("an", "nobody"):
        pages = [sign_in(client, name, "wrong wrong wrong") for _ in range(9)]
        answers[name] = [(one.status_code, re.findall(r'id="problems".*?</ul>', one.text, re.S)) for one in pages]
    assert answers["an"] == answers["nobody"]


def test_the_work_for_an_unknown_address_is_that_for_a_known_one(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from examsvc.accounts import passwords

    make(here, "an")
    verified = []

    class Counting:
        def __init__(self, real: object) -> None:
            self.real = real

        def verify(self, stored: str, password: str) -> bool:
            verified.append(stored.split("$")[3])
            return self.real.verify(stored, password)

        def __getattr__(self, name: str) -> object:
            return getattr(self.real, name)

    monkeypatch.setattr(passwords, "_hasher", Counting(passwords._hasher))
    for name in ("an", "nobody"):
        sign_in(here.client(), name, "wrong wrong wrong")
    assert len(verified) == 2
    assert verified[0] == verified[1], "the same cost parameters"


# ---------------------------------------------------------------- exam day, CSRF


def test_a_session_of_exam_day_opens_no_office_page(here: World) -> None:
    account = make(here, "an", "hr-officer")
    client = here.client(account, attempt="A-1")
    seen = 0
    for rule in here.app.url_map.iter_rules():
        found = rule_of(here.app, rule.endpoint)
        if found is None or found.public or found.exam or "GET" not in rule.methods:
            continue
        address = re.sub(r"<(?:int:)?number>|<int:\w+>", "1", rule.rule)
        address = re.sub(r"<[^>]+>", "x", address)
        answer = client.get(address)
        assert answer.status_code == 302, address
        assert "/account/sign-in" in answer.location, address
        seen += 1
    assert seen > 15


def test_every_post_needs_its_token(here: World) -> None:
    here.app.config["WTF_CSRF_ENABLED"] = True
    account = make(here, "an", "system-administrator")
    client = here.client(account)
    seen = 0
    for rule in here.app.url_map.iter_rules():
        found = rule_of(here.app, rule.endpoint)
        if "POST" not in rule.methods or (found is not None and found.exam):
            continue
        if rule.endpoint == "papers.take_share":  # for a command with a key, not for a browser with a cookie
            continue
        address = re.sub(r"<(?:int:)?number>|<int:\w+>", "1", rule.rule)
        address = re.sub(r"<any\((\w+)[^>]*>", r"\1", address)
        address = re.sub(r"<[^>]+>", "x", address)
        assert client.post(address, data={"x": "y"}).status_code == 400, address
        seen += 1
    assert seen > 20
    page = client.get("/account/sign-in").text
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)[1]
    other = here.client()
    assert other.post("/account/sign-in", data={"csrf_token": token}).status_code == 400, "a token is one browser's"


# ---------------------------------------------------------------- beginning anew


def test_recovery_in_person_takes_two_halves_of_two_people(here: World) -> None:
    account = make(here, "an")
    with_app(here, account)
    officers = [here.client(make(here, name, "hr-officer")) for name in ("mot", "hai")]
    client = here.client()
    sent = client.post("/account/forgotten", data={"email": "an@example.vn", "manner": "person", "factor_lost": "y"})
    assert sent.status_code == 200
    unknown = client.post("/account/forgotten", data={"email": "nobody@example.vn", "manner": "person"})
    strip = re.compile(r'value="[^"]*"')
    assert strip.sub("", sent.text) == strip.sub("", unknown.text), "nothing tells who has an account"
    client.post("/account/forgotten", data={"email": "an@example.vn", "manner": "person"})
    with here.session() as session:
        request = session.scalars(select(ApprovalRequest)).one()
        number, digest = request.id, request.digest
    assert "An" in officers[0].get("/account/approvals").text
    for officer in officers:
        assert officer.get(f"/account/approvals/{number}").status_code == 200
        assert officer.post(f"/account/recoveries/{number}/part").status_code == 404, "not before both approved"
        assert officer.post(f"/account/approvals/{number}/approve", data={"digest": digest}).status_code == 302
    halves = []
    for officer in officers:
        page = officer.post(f"/account/recoveries/{number}/part").text
        halves.append(re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}", page)[0])
        assert officer.post(f"/account/recoveries/{number}/part").status_code == 403, "shown once"
    outsider = here.client(make(here, "ba", "hr-officer"))
    assert outsider.post(f"/account/recoveries/{number}/part").status_code == 404
    for first, second in ((halves[0], halves[0]), (halves[0], "AAAA-AAAA"), ("", halves[1])):
        data = {"email": "an@example.vn", "first": first, "second": second}
        assert client.post("/account/recovery", data=data).status_code == 200
    done = client.post("/account/recovery", data={"email": "an@example.vn", "first": halves[1], "second": halves[0]})
    assert done.location.startswith("/account/set-up/")
    assert client.post("/account/recovery", data={"email": "an@example.vn", "first": halves[1], "second": halves[0]}).status_code == 200
    new = "một câu mới tinh"
    assert client.post(done.location, data={"password": new, "again": new}).location == "/account/"
    assert client.get(done.location).status_code == 404, "the link works once"
    assert client.get("/account/").status_code == 200, "the lost factor is gone"
    with here.session() as session:
        assert queries.factors(session, account) == []


def test_nobody_approves_the_own_recovery(here: World) -> None:
    account = make(here, "an", "hr-officer")
    here.client().post("/account/forgotten", data={"email": "an@example.vn", "manner": "person"})
    with here.session() as session:
        request = session.scalars(select(ApprovalRequest)).one()
        number, digest = request.id, request.digest
    assert here.client(account).post(f"/account/approvals/{number}/approve", data={"digest": digest}).status_code in (200, 403)
    with here.session() as session:
        assert session.get(ApprovalRequest, number).votes == []


def test_a_link_ends_with_time_and_with_the_next(here: World) -> None:
    account = make(here, "an")
    with here.session() as session, writing(session):
        first = operations.make_link(session, account, now=here.now)
        second = operations.make_link(session, account, now=here.now)
    client = here.client()
    assert client.get(f"/account/set-up/{first}").status_code == 404
    assert client.get(f"/account/set-up/{second}").status_code == 200
    here.later(hours=73)
    new = "một câu mới tinh"
    assert client.post(f"/account/set-up/{second}", data={"password": new, "again": new}).status_code == 404
    with here.session() as session:
        assert all(second not in one.token_digest for one in session.scalars(select(PasswordLink)))


def test_wrong_digests_and_strangers_do_not_approve(here: World) -> None:
    make(here, "an")
    here.client().post("/account/forgotten", data={"email": "an@example.vn", "manner": "person"})
    officer = here.client(make(here, "mot", "hr-officer"))
    stranger = here.client(make(here, "khach"))
    with here.session() as session:
        number = session.scalars(select(ApprovalRequest)).one().id
    assert "changed since" in officer.post(f"/account/approvals/{number}/approve", data={"digest": "0" * 64}).text
    assert stranger.get(f"/account/approvals/{number}").status_code == 404
    assert stranger.post(f"/account/approvals/{number}/approve", data={"digest": "0" * 64}).status_code == 404
    assert stranger.post(f"/account/approvals/{number}/refuse", data={"reason": "x"}).status_code == 404
    assert officer.post(f"/account/approvals/{number}/refuse", data={"reason": ""}).status_code == 200
    assert officer.post(f"/account/approvals/{number}/refuse", data={"reason": "không gặp được"}).status_code == 302

