"""Pages about people as a browser uses them: roles, approvals, declarations, invitations, messages, units and service."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from examsvc.accounts import operations, oracles, queries, views
from examsvc.accounts.models import ApprovalRequest, RoleGrant
from examsvc.accounts.oracles import Candidate
from examsvc.base import messages
from examsvc.base.database import writing
from tests.accounts.people import BOARD, SLUG
from tests.web import World, world


class Office:
    """The application with two administrators, two personnel officers, and one competition's board."""

    def __init__(self, here: World) -> None:
        self.here = here
        self.numbers: dict[str, int] = {}
        for name, role in (("qt1", "system-administrator"), ("qt2", "system-administrator"), ("tc1", "hr-officer"), ("tc2", "hr-officer")):
            self.person(name, role)

    def person(self, name: str, role: str | None = None, competition: str = "") -> int:
        with self.here.session() as session, writing(session):
            made = operations.register_account(
                session, email=f"{name}@example.vn", name=name.title(), password_hash=None, now=self.here.now, language="en"
            )
            self.numbers[name] = made.id
            if role:
                session.add(RoleGrant(account_id=made.id, role=role, competition=competition, granted_at=self.here.now))
        return self.numbers[name]

    def as_(self, name: str) -> FlaskClient:
        return self.here.client(self.numbers[name])

    def approve(self, client: FlaskClient) -> None:
        """Opens the first step in the list and presses the button under the summary."""
        listed = client.get("/account/approvals").text
        address = re.search(r'href="(/account/approvals/\d+)"', listed)[1]
        page = client.get(address).text
        digest = re.search(r'name="digest"[^>]*value="([0-9a-f]{64})"', page)[1]
        assert digest in page.replace(f'value="{digest}"', ""), "the fingerprint is readable too"
        answer = client.post(f"{address}/approve", data={"digest": digest})
        assert answer.status_code == 302, answer.text


@pytest.fixture
def office(tmp_path: Path, any_address: str, monkeypatch: pytest.MonkeyPatch) -> Office:
    here = world(tmp_path, any_address)
    monkeypatch.setattr(oracles, "_boards", [lambda _s, slug: BOARD if slug == SLUG else None])
    monkeypatch.setattr(oracles, "_discipline", [])
    made = Office(here)
    candidates = [Candidate(made.person("thisinh"), "U-1")]
    monkeypatch.setattr(oracles, "_candidates", [lambda _s, slug: candidates if slug == SLUG else []])
    monkeypatch.setattr("examsvc.base.pages._timelines", [])  # no other room knows this competition
    monkeypatch.setattr("examsvc.base.pages._tasks", [views.tasks])
    return made


def test_a_role_from_proposal_to_effect(office: Office) -> None:
    office.person("mai")
    first, second, mai = office.as_("tc1"), office.as_("tc2"), office.as_("mai")
    address = f"/competitions/{SLUG}/people"
    assert mai.get(address).status_code == 404
    wrong = first.post(address, data={"email": "nobody@example.vn", "role": "marker"})
    assert "Nobody here has this e-mail address" in wrong.text
    assert "valid choice" in first.post(address, data={"email": "mai@example.vn", "role": "emperor"}).text
    assert "Choose a later day" in first.post(address, data={"email": "mai@example.vn", "role": "marker", "until": "2020-01-01"}).text
    assert first.post(address, data={"email": "mai@example.vn", "role": "marker", "until": "2026-12-31"}).status_code == 302
    assert "Approve or refuse 1 step" in second.get("/account/").text
    assert "Nothing waits for your approval" in first.get("/account/approvals").text
    office.approve(second)
    page = first.get(address).text
    assert "Mai" in page
    assert "31/12/2026" in page
    assert mai.get(address).status_code == 403, "a marker does not see who else acts"
    assert "Declare your relations to candidates" in mai.get("/account/").text
    assert "You were given a role" in mai.get("/account/messages").text
    both = first.post(address, data={"email": "mai@example.vn", "role": "invigilator"})
    assert "does not allow the role Invigilator together with Marker" in both.text


def test_declaring_relations(office: Office) -> None:
    mai_number = office.person("mai", "marker", SLUG)
    office.person("khach")
    mai = office.as_("mai")
    address = f"/competitions/{SLUG}/declarations"
    assert office.as_("khach").get(address).status_code == 404
    assert office.as_("khach").post(f"{address}/none").status_code == 404
    page = mai.get(address).text
    assert "Thisinh" in page
    code = re.search(r'<option value="([0-9a-f]{16})">Thisinh', page)[1]
    assert "Choose the relation" in mai.post(f"{address}/relation", data={"candidate": code, "kind": ""}).text
    assert "Choose the candidate, or enter" in mai.post(f"{address}/relation", data={"candidate": "", "kind": "rival"}).text
    bad = mai.post(f"{address}/relation", data={"candidate": "", "kind": "rival", "identity": "12"})
    assert "6 to 20 letters" in bad.text
    assert mai.post(f"{address}/relation", data={"candidate": "", "kind": "rival", "identity": "001 099.000123", "name": "Ai"}).status_code == 302
    assert mai.post(f"{address}/relation", data={"candidate": code, "kind": "superior", "statement": "<b>cũ</b>"}).status_code == 302
    assert mai.post(f"{address}/none").status_code == 302
    page = mai.get(address).text
    assert "&lt;b&gt;cũ&lt;/b&gt;" in page
    assert "You take no part where these candidates are concerned: Thisinh" in page
    assert "Declare your relations" not in mai.get("/account/").text
    with office.here.session() as session:
        assert queries.recused(session, SLUG, mai_number) == {office.numbers["thisinh"]}
    assert mai.post(f"{address}/contact", data={"contact-statement": "phong bì"}).status_code == 302
    office.person("giamsat", "supervisor", SLUG)
    assert "phong bì" in office.as_("giamsat").get(f"/competitions/{SLUG}/people").text
    assert "phong bì" not in office.as_("tc1").get(f"/competitions/{SLUG}/people").text


def test_a_blocking_relation_takes_the_role_away_from_the_open_session(office: Office) -> None:
    office.person("mai", "marker", SLUG)
    mai, officer = office.as_("mai"), office.as_("tc1")
    code = re.search(r'<option value="([0-9a-f]{16})">Thisinh', mai.get(f"/competitions/{SLUG}/declarations").text)[1]
    assert mai.post(f"/competitions/{SLUG}/declarations/relation", data={"candidate": code, "kind": "parent"}).status_code == 302
    tag = '<strong class="tag danger">suspended'
    assert tag in mai.get("/account/").text
    assert "Name another person for a suspended role" in officer.get("/account/").text
    page = officer.get(f"/competitions/{SLUG}/people").text
    lift = re.search(rf'href="(/competitions/{SLUG}/people/suspensions/\d+)"', page)[1]
    assert officer.post(lift, data={"reason": ""}).status_code == 200
    assert officer.post(lift, data={"reason": "khai nhầm người"}).status_code == 302
    office.approve(office.as_("tc2"))
    assert tag not in mai.get("/account/").text


def test_taking_a_role_back_and_delegating_it(office: Office) -> None:
    office.person("mai", "marker", SLUG)
    office.person("nam")
    mai, officer = office.as_("mai"), office.as_("tc1")
    with office.here.session() as session:
        grant = session.scalars(select(RoleGrant).where(RoleGrant.role == "marker")).one().id
    delegate = f"/competitions/{SLUG}/people/{grant}/delegate"
    assert officer.get(delegate).status_code == 404, "only the holder delegates"
    assert "within the next 90 days" in mai.post(delegate, data={"email": "nam@example.vn", "until": "2027-06-01"}).text
    assert mai.post(delegate, data={"email": "nam@example.vn", "until": "2026-11-30"}).status_code == 302
    for name in ("tc1", "tc2"):
        office.approve(office.as_(name))
    assert "Marker" in office.as_("nam").get("/account/").text
    revoke = f"/competitions/{SLUG}/people/{grant}/revoke"
    assert mai.get(revoke).status_code == 403
    assert officer.get(f"/account/grants/{grant}/revoke").status_code == 404, "not under another address"
    assert "Choose why" in officer.post(revoke, data={}).text
    assert officer.post(revoke, data={"reason": "absence"}).status_code == 302
    office.approve(office.as_("tc2"))
    assert "Marker" not in mai.get("/account/").text
    assert "Marker" not in office.as_("nam").get("/account/").text


def test_inviting_somebody(office: Office) -> None:
    officer = office.as_("tc1")
    page = officer.post("/account/people/invite", data={"name": "Người Mới", "email": "moi@example.vn"}).text
    link = re.search(r"http://localhost(/account/set-up/[\w-]+)", page)[1]
    new = office.here.client()
    password = "một câu mới tinh"
    assert "Người Mới" in new.get(link).text
    assert new.post(link, data={"password": password, "again": "x" * 12}).status_code == 200
    assert new.post(link, data={"password": password, "again": password}).location == "/account/"
    assert new.get("/account/").status_code == 200
    again = officer.post("/account/people/invite", data={"name": "Người Mới", "email": "moi@example.vn"})
    assert "already an account" in again.text
    assert office.as_("thisinh").get("/account/people/invite").status_code == 403


def test_refusing_tells_the_asker_why(office: Office) -> None:
    office.person("mai")
    first, second = office.as_("tc1"), office.as_("tc2")
    first.post(f"/competitions/{SLUG}/people", data={"email": "mai@example.vn", "role": "marker"})
    with office.here.session() as session:
        number = session.scalars(select(ApprovalRequest)).one().id
    assert first.post(f"/account/approvals/{number}/approve", data={"digest": "0" * 64}).status_code == 200
    assert second.post(f"/account/approvals/{number}/refuse", data={"reason": "chưa đủ tiêu chuẩn"}).status_code == 302
    assert "chưa đủ tiêu chuẩn" in first.get("/account/messages").text
    assert "Refused by Tc2" in first.get(f"/account/approvals/{number}").text
    assert "already decided" in second.post(f"/account/approvals/{number}/approve", data={"digest": "0" * 64}).text
    assert office.as_("mai").get(f"/account/approvals/{number}").status_code == 404


def test_nobody_alone_without_a_second_factor(office: Office) -> None:
    """The summary and the list are roles' business: in a session by password only they lead to the second factor."""
    with office.here.session() as session, writing(session):
        from datetime import timedelta

        opened = operations.open_session(session, office.numbers["tc1"], now=office.here.now, lasts=timedelta(hours=1))
    client = office.here.client()
    client.set_cookie("examsvc_session", opened.token)
    assert client.get("/account/approvals").location.startswith("/account/second-factor")
    assert client.get(f"/competitions/{SLUG}/people").location.startswith("/account/second-factor")
    assert client.post(f"/competitions/{SLUG}/people", data={}).status_code == 403
    assert "no effect" in client.get("/account/").text


def test_messages_are_read_once_shown(office: Office) -> None:
    with office.here.session() as session, writing(session):
        for account in ("thisinh", "tc1"):
            messages.send(
                session,
                account_id=office.numbers[account],
                subject={"vi": "Chào", "en": "Hello <script>"},
                body={"en": "Line one\nLine two"},
                now=office.here.now,
            )
    client = office.as_("thisinh")
    assert "1 new" in client.get("/account/").text
    page = client.get("/account/messages").text
    assert "Hello &lt;script&gt;" in page
    assert "1 new" not in client.get("/account/").text
    assert "1 new" in office.as_("tc1").get("/account/").text


def test_the_identity_number_is_kept_unreadable_and_belongs_to_one(office: Office) -> None:
    first, second = office.as_("tc1"), office.as_("thisinh")
    assert "6 to 20" in first.post("/account/identity", data={"identity": "1"}).text
    assert first.post("/account/identity", data={"identity": "001 099-000.123"}).status_code == 302
    assert "Another account has this identity number" in second.post("/account/identity", data={"identity": "001099000123"}).text
    with office.here.session() as session:
        stored = queries.account(session, office.numbers["tc1"]).identity_digest
        assert len(stored) == 64
    first.post("/account/identity", data={"identity": "999999999999"})
    with office.here.session() as session:
        assert queries.account(session, office.numbers["tc1"]).identity_digest == stored, "never changed by oneself"


def test_units_and_service_in_the_browser(office: Office) -> None:
    officer, other = office.as_("tc1"), office.as_("thisinh")
    assert other.get("/careers/").status_code == 403
    made = officer.post(
        "/careers/units/new", data={"code": "H1", "name_vi": "Huyện Một", "tier": "district", "begins_on": "2000-01-01"}
    )
    assert made.location == "/careers/units/H1"
    officer.post("/careers/units/new", data={"code": "X1", "name_vi": "Xã Một", "tier": "commune", "begins_on": "2025-07-01"})
    assert "is taken" in officer.post("/careers/units/new", data={"code": "H1", "name_vi": "x", "begins_on": "2000-01-01"}).text
    post = {"code": "H1-TP", "title_vi": "Trưởng phòng", "level": "division-head", "places": "1", "begins_on": "2005-01-01"}
    assert officer.post("/careers/units/H1/posts/new", data=post).status_code == 302
    assert "short name" in officer.post("/careers/units/H1/posts/new", data={**post, "code": "H2", "level": "Trưởng phòng"}).text
    early = officer.post("/careers/units/H1/end", data={"ends_on": "1999-01-01"})
    assert "after the beginning" in early.text
    assert officer.post("/careers/units/H1/end", data={"ends_on": "2025-07-01", "successors": ["X1"]}).status_code == 302
    assert "Huyện Một" in officer.get("/careers/?day=2025-06-30").text.split("Ended before")[0]
    assert "Huyện Một" not in officer.get("/careers/?day=2025-07-01").text.split("Ended before")[0]
    assert "Xã Một" in officer.get("/careers/units/H1").text
    assert officer.get("/careers/?day=no-day").status_code == 200

    service = {"title": "Phó phòng", "unit": "Sở", "level": "deputy-division-head", "begins_on": "2024-01-01", "in_field": "y"}
    assert other.post("/careers/service", data=service).status_code == 302
    assert "waits for the office" in other.get("/careers/service").text
    address = officer.get("/careers/people?email=thisinh@example.vn").location
    page = officer.get(address).text
    confirm = re.search(r'action="([^"]+/confirm)"', page)[1]
    assert other.post(confirm).status_code == 403
    assert officer.post(confirm).status_code == 302
    assert "34 months" in other.get("/careers/service").text
    assert officer.post(f"{address}/discipline", data={"discipline-measure": "reprimand", "discipline-basis": "QĐ 1", "discipline-decided_on": "2026-01-02"}).status_code == 302
    assert "Reprimand" in officer.get(address).text
