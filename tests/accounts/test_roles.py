"""Giving and taking roles, as histories on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.accounts import approvals, enrolment, queries, relations, roles
from examsvc.accounts.models import ApprovalRequest, GrantSuspension, RoleGrant
from examsvc.accounts.oracles import Candidate
from examsvc.base import messages
from examsvc.base.database import writing
from examsvc.base.errors import NotAllowed, Refused
from examsvc.ledger.definitions import Log
from examsvc.ledger.entries import Entry, read_entry
from examsvc.ledger.models import LogEntry, Opening
from examsvc.ledger.order import History
from tests.accounts.people import BOARD, PAIRS, SLUG, People


@pytest.fixture
def people(session: Session, monkeypatch: pytest.MonkeyPatch) -> People:
    return People(session, monkeypatch, log=True)


@pytest.fixture
def one_database(any_session: Session, monkeypatch: pytest.MonkeyPatch) -> People:
    return People(any_session, monkeypatch)


def entries(session: Session, log: str = SLUG) -> list[Entry]:
    """The log as read back, after checking numbers, order and approvals of every entry."""
    found = [read_entry(row.entry) for row in session.scalars(select(LogEntry).where(LogEntry.log == log).order_by(LogEntry.position))]
    history = History(Log.REGISTRY if log == "registry" else Log.COMPETITION, {})
    problems = [problem for entry in found for problem in history.append(entry)]
    assert problems == []
    return found


def of_type(session: Session, type: str) -> list[Entry]:
    return [one for one in entries(session) if one.type == type]


def test_a_role_has_effect_once_another_person_approved_it(people: People) -> None:
    mai = people.person("Mai")
    request = people.propose(mai, "marker")
    assert queries.roles_of(people.session, mai, people.now) == frozenset()
    with pytest.raises(NotAllowed), writing(people.session):
        roles.approve_role(people.session, request_id=request, by=people.officers[0], now=people.now)
    assert people.approve(request)
    assert queries.roles_of(people.session, mai, people.now) == {("marker", SLUG)}
    assert [one.id for one in queries.holders(people.session, "marker", SLUG, people.now)] == [mai]
    assert messages.unread(people.session, mai) == 1


def test_the_log_knows_everybody_before_the_first_act(people: People) -> None:
    people.give(people.person("Mai"), "marker")
    people.give(people.person("Nam"), "invigilator")
    types = [one.type for one in entries(people.session)]
    assert types[0] == "log.opened"
    assert types.count("person.enrolled") == 6  # the administrators who appointed, two officers, two appointed
    granted = of_type(people.session, "role.granted")
    assert sorted(one.body["role"] for one in granted) == ["hr-officer", "hr-officer", "invigilator", "marker"]
    for entry in granted:
        assert len({one["by"] for one in entry.body["approvals"]}) == 2
    assert [one.type for one in entries(people.session, "registry")].count("role.granted") == 2


def test_a_log_opened_later_takes_the_roles_that_are_in_force(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    from examsvc.ledger.operations import record
    from tests.accounts.people import KEY

    people = People(session, monkeypatch)
    mai, nam = people.person("Mai"), people.person("Nam")
    people.give(mai, "marker")
    gone = people.give(nam, "invigilator")
    with writing(session):
        gone = session.get_one(RoleGrant, gone.id)
        gone.revoked_at, gone.revocation = people.now, "ended"
        assert session.scalars(select(LogEntry)).all() == []
        record(session, SLUG, "log.opened", now=people.now, origin="exam.example/x", key=KEY)
        enrolment.enter_people(session, SLUG, people.now)
        enrolment.enter_people(session, SLUG, people.now)
    assert [one.body["role"] for one in of_type(session, "role.granted") if one.body["person"] == people.account(mai).code] == ["marker"]
    assert people.account(nam).code not in str([one.body for one in entries(session)])
    (first,) = of_type(session, "administrators.first")
    assert set(first.body["persons"]) == {people.account(one).code for one in people.admins}


def test_names_stand_only_in_what_can_be_erased(people: People) -> None:
    mai = people.person("Mai-rất-hiếm")
    people.give(mai, "marker")
    for row in people.session.scalars(select(LogEntry)):
        assert b"Mai" not in row.entry
    subjects = {one.subject for one in people.session.scalars(select(Opening).where(Opening.type == "person.identity"))}
    assert people.account(mai).code in subjects


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_the_matrix_decides_every_pair(one_database: People, first: str, second: str) -> None:
    mai = one_database.person("Mai")
    one_database.give(mai, first)
    if frozenset((first, second)) in BOARD.conflicts:
        with pytest.raises(Refused, match="does not allow") as refusal:
            one_database.propose(mai, second)
        assert refusal.value.field == "account"
    else:
        one_database.give(mai, second)


def test_two_waiting_proposals_do_not_slip_past_the_matrix(people: People) -> None:
    mai = people.person("Mai")
    people.propose(mai, "marker")
    with pytest.raises(Refused, match="already proposed"):
        people.propose(mai, "invigilator")
    with pytest.raises(Refused, match="already proposed"):
        people.propose(mai, "marker")
    people.propose(mai, "panel-member")


def test_installation_roles_exclude_each_other_and_count_in_competitions(people: People) -> None:
    with pytest.raises(Refused, match="does not allow"):
        people.propose(people.officers[0], "system-administrator", "", people.admins[0])
    with pytest.raises(Refused, match="no such role"):
        people.propose(people.person("Mai"), "marker", "", people.admins[0])
    with pytest.raises(Refused, match="no such role"):
        people.propose(people.person("Nam"), "custodian")


def test_nobody_proposes_or_approves_for_oneself(people: People) -> None:
    officer, other = people.officers
    with pytest.raises(NotAllowed):
        people.propose(officer, "council-chair", proposer=officer)
    request = people.propose(other, "council-chair", proposer=officer)
    with pytest.raises(NotAllowed):
        people.approve(request, other)
    with pytest.raises(NotAllowed), writing(people.session):
        roles.propose_role(
            people.session, account_id=people.person("Mai"), role="marker", competition=SLUG, by=people.admins[0], now=people.now
        )


def test_kin_of_a_candidate_is_refused(people: People) -> None:
    mai = people.person("Mai", "d-mai")
    an = people.candidate("Thanh", "d-thanh")
    with writing(people.session):
        relations.note_relation(
            people.session, person_id=an, kind="spouse", declared_by=an, other_digest="d-wife", other_name="Vợ", now=people.now
        )
        relations.note_relation(
            people.session, person_id=mai, kind="sibling", declared_by=mai, other_digest="d-wife", now=people.now
        )
    with pytest.raises(Refused, match="brother or sister of the spouse of the candidate Thanh"):
        people.propose(mai, "marker")
    people.give(mai, "invigilator")  # the regulation does not bar relations from this role


def test_a_candidate_who_is_the_person_itself_is_refused_for_every_role(people: People) -> None:
    mai = people.candidate("Mai")
    with pytest.raises(Refused, match="the same person"):
        people.propose(mai, "invigilator")
    twin = people.person("Mai2", "d-same")
    people.candidate("Mai3", "d-same")
    with pytest.raises(Refused, match="the same person"):
        people.propose(twin, "invigilator")


def test_who_is_under_discipline_is_refused_where_the_regulation_says_so(people: People) -> None:
    mai = people.person("Mai")
    people.disciplined.add(mai)
    with pytest.raises(Refused, match="under discipline"):
        people.propose(mai, "marker")
    people.give(mai, "invigilator")


def test_what_changed_between_proposal_and_approval_stops_it(people: People) -> None:
    mai = people.person("Mai", "d-mai")
    request = people.propose(mai, "marker")
    an = people.candidate("Thanh")
    with writing(people.session):
        relations.note_relation(people.session, person_id=an, kind="child", declared_by=an, other_digest="d-mai", now=people.now)
    with pytest.raises(Refused, match="father or mother"):
        people.approve(request)
    assert len(people.session.get_one(ApprovalRequest, request).votes) == 1
    assert queries.roles_of(people.session, mai, people.now) == frozenset()


def test_a_candidate_added_later_suspends_the_role_at_once(people: People) -> None:
    mai = people.person("Mai", "d-mai")
    people.give(mai, "marker")
    people.give(mai, "panel-member")
    an = people.candidate("Thanh")
    with writing(people.session):
        relations.note_relation(people.session, person_id=an, kind="child", declared_by=an, other_digest="d-mai", now=people.now)
        blocked = relations.check_candidate(people.session, SLUG, an, now=people.now)
        assert [one.role for one in blocked] == ["marker", "panel-member"]
        assert relations.check_candidate(people.session, SLUG, an, now=people.now) == []
    assert queries.roles_of(people.session, mai, people.now) == frozenset()
    assert queries.holders(people.session, "marker", SLUG, people.now) == []
    assert [one.role for one in queries.held_at(people.session, SLUG, people.now - timedelta(seconds=1))] == []
    assert len(queries.suspensions(people.session, SLUG)) == 2
    assert messages.unread(people.session, people.officers[0]) >= 2
    # it was a mistake: two people lift it, and the same candidate does not suspend it again
    with writing(people.session):
        one = queries.suspensions(people.session, SLUG)[0]
        request = relations.ask_to_lift(
            people.session, one, reason="khai nhầm", by=people.officers[0], now=people.now, language="en"
        )
        number, digest = request.id, request.digest
    with writing(people.session):
        assert approvals.approve(people.session, number, by=people.officers[1], digest=digest, now=people.now)
        assert relations.check_candidate(people.session, SLUG, an, now=people.now) == []
    assert queries.roles_of(people.session, mai, people.now) == {("marker", SLUG)}


def test_a_declared_tie_recuses_at_once_and_two_put_it_on_record(people: People) -> None:
    mai = people.person("Mai")
    people.give(mai, "marker")
    an, binh = people.candidate("Thanh"), people.candidate("Vy")
    with writing(people.session):
        relations.declare_relation(
            people.session, SLUG, account_id=mai, kind="superior", other_id=an, statement="thủ trưởng cũ", now=people.now
        )
        relations.declare_none(people.session, SLUG, account_id=mai, now=people.now)
    assert queries.recused(people.session, SLUG, mai) == {an}
    assert binh not in queries.recused(people.session, SLUG, mai)
    assert queries.roles_of(people.session, mai, people.now) == {("marker", SLUG)}
    assert [one.about for one in queries.declarations(people.session, SLUG, mai)] == ["relation", "none"]
    assert len(of_type(people.session, "relation.declared")) == 2
    assert of_type(people.session, "recusal.recorded") == []
    waiting = approvals.waiting_for(people.session, people.officers[0], people.now)
    assert [one.kind for one in waiting] == [relations.RECUSE]
    number, digest = waiting[0].id, waiting[0].digest
    with writing(people.session):
        assert not approvals.approve(people.session, number, by=people.officers[0], digest=digest, now=people.now)
    with writing(people.session):
        assert approvals.approve(people.session, number, by=people.officers[1], digest=digest, now=people.now)
    recorded = of_type(people.session, "recusal.recorded")
    assert [(one.body["person"], one.body["role"]) for one in recorded] == [(people.account(mai).code, "marker")]


def test_a_tie_declared_by_number_recuses_when_that_person_applies(people: People) -> None:
    mai = people.person("Mai")
    people.give(mai, "marker")
    with writing(people.session):
        relations.declare_relation(
            people.session, SLUG, account_id=mai, kind="rival", other_digest="d-later", other_name="Ai đó", now=people.now
        )
    assert queries.recused(people.session, SLUG, mai) == set()
    late = people.candidate("Muộn", "d-later")
    with writing(people.session):
        assert relations.check_candidate(people.session, SLUG, late, now=people.now) == []
    assert queries.recused(people.session, SLUG, mai) == {late}


def test_a_recusal_whose_request_lapsed_is_asked_for_again(people: People) -> None:
    mai = people.person("Mai")
    people.give(mai, "marker")
    an = people.candidate("Thanh")
    with writing(people.session):
        relations.recuse(people.session, SLUG, mai, an, reason="tôi nhận ra bài", now=people.now)
        relations.recuse(people.session, SLUG, mai, an, reason="lần nữa", now=people.now)
    assert len(approvals.waiting(people.session, SLUG, people.now)) == 1
    later = people.now + BOARD.grant.expires
    assert approvals.waiting(people.session, SLUG, later) == []
    for _ in range(2):
        relations.keep_asking(people.session, later)
    assert len(approvals.waiting(people.session, SLUG, later)) == 1
    assert queries.recused(people.session, SLUG, mai) == {an}


def test_an_approach_is_declared_and_only_committed_to(people: People) -> None:
    mai = people.person("Mai")
    people.give(mai, "marker")
    with writing(people.session):
        relations.declare_contact(people.session, SLUG, account_id=mai, statement="phong bì ở cổng", now=people.now)
    assert len(of_type(people.session, "contact.declared")) == 1
    assert not queries.has_declared(people.session, SLUG, mai)
    with pytest.raises(Refused), writing(people.session):
        relations.declare_contact(people.session, SLUG, account_id=mai, statement="  ", now=people.now)


def test_a_role_is_taken_back_by_two_with_what_was_delegated(people: People) -> None:
    mai, nam = people.person("Mai"), people.person("Nam")
    grant = people.give(mai, "marker")
    with writing(people.session):
        request = roles.propose_delegation(
            people.session,
            people.session.get_one(RoleGrant, grant.id),
            to=nam,
            until=people.now + timedelta(days=3),
            by=mai,
            now=people.now,
            language="en",
        )
        number, digest = request.id, request.digest
    for officer in people.officers:
        with writing(people.session):
            approvals.approve(people.session, number, by=officer, digest=digest, now=people.now)
    assert queries.roles_of(people.session, nam, people.now) == {("marker", SLUG)}
    assert queries.roles_of(people.session, nam, people.now + timedelta(days=3)) == frozenset()
    delegated = of_type(people.session, "role.delegated")
    assert [(one.body["person"], one.body["to"]) for one in delegated] == [(people.account(mai).code, people.account(nam).code)]

    with writing(people.session):
        request = roles.propose_revocation(
            people.session,
            people.session.get_one(RoleGrant, grant.id),
            reason="absence",
            by=people.officers[0],
            now=people.now,
            language="en",
        )
        number, digest = request.id, request.digest
    assert queries.roles_of(people.session, mai, people.now) == {("marker", SLUG)}
    with writing(people.session):
        approvals.approve(people.session, number, by=people.officers[1], digest=digest, now=people.now)
    assert queries.roles_of(people.session, mai, people.now) == frozenset()
    assert queries.roles_of(people.session, nam, people.now) == frozenset()
    assert [one.body["reason"] for one in of_type(people.session, "role.revoked")] == ["absence", "absence"]
    people.give(mai, "marker")  # and may be given anew


def test_two_administrators_remain(people: People) -> None:
    grant = queries.active_grants(people.session, people.admins[0], people.now)[0]
    third = people.person("Cúc")
    people.give(third, "system-administrator", "", proposer=people.admins[0], approver=people.admins[1])

    def take(number: int, proposer: int, approver: int) -> None:
        with writing(people.session):
            request = roles.propose_revocation(
                people.session, people.session.get_one(RoleGrant, number), reason="request", by=proposer, now=people.now
            )
            waiting, digest = request.id, request.digest
        with writing(people.session):
            approvals.approve(people.session, waiting, by=approver, digest=digest, now=people.now)

    take(grant.id, people.admins[1], third)
    left = queries.active_grants(people.session, third, people.now)[0].id
    with pytest.raises(NotAllowed):
        take(left, people.admins[1], people.admins[0])
    assert {one.id for one in queries.holders(people.session, "system-administrator", "", people.now)} == {people.admins[1], third}


def test_approvals_hold_to_summary_term_and_people(people: People) -> None:
    request = people.propose(people.person("Mai"), "marker")
    with pytest.raises(Refused, match="changed since"), writing(people.session):
        approvals.approve(people.session, request, by=people.officers[1], digest="0" * 64, now=people.now)
    digest = people.session.get_one(ApprovalRequest, request).digest
    with pytest.raises(Refused, match="is over"), writing(people.session):
        approvals.approve(
            people.session, request, by=people.officers[1], digest=digest, now=people.now + BOARD.grant.expires
        )
    with writing(people.session):
        approvals.refuse(people.session, request, by=people.officers[1], reason="không đúng người", now=people.now)
    assert messages.unread(people.session, people.officers[0]) >= 1
    with pytest.raises(Refused, match="already decided"):
        people.approve(request)


def test_the_database_refuses_a_second_grant_in_force(people: People) -> None:
    from sqlalchemy.exc import IntegrityError

    mai = people.person("Mai")
    people.give(mai, "marker")
    with pytest.raises(IntegrityError), writing(people.session):
        people.session.add(RoleGrant(account_id=mai, role="marker", competition=SLUG, granted_at=people.now))


def test_an_officer_of_the_installation_who_applies_is_kept_out_of_that_competition_only(people: People) -> None:
    officer = people.officers[0]
    people.candidates.append(Candidate(officer))
    with writing(people.session):
        assert [one.role for one in relations.check_candidate(people.session, SLUG, officer, now=people.now)] == ["hr-officer"]
    assert ("hr-officer", "") in queries.roles_of(people.session, officer, people.now)
    assert queries.excluded_from(people.session, officer) == {("hr-officer", SLUG)}
    with pytest.raises(NotAllowed):
        people.propose(people.person("Mai"), "marker", proposer=officer)
    request = people.propose(people.person("Nam"), "marker", proposer=people.officers[1])
    with pytest.raises(NotAllowed):
        people.approve(request, officer)
    assert approvals.waiting_for(people.session, officer, people.now) == []


def test_suspensions_name_their_candidate(people: People) -> None:
    mai = people.person("Mai")
    grant = people.give(mai, "marker")
    people.candidates.append(Candidate(mai))
    with writing(people.session):
        assert [one.id for one in relations.check_candidate(people.session, SLUG, mai, now=people.now)] == [grant.id]
    assert people.session.scalars(select(GrantSuspension)).one().kinship == "self"
