"""Applications from the first page to the posted list, as histories on both databases."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from examsvc.accounts import queries as people
from examsvc.accounts import roles
from examsvc.accounts.models import GrantSuspension, Recusal
from examsvc.applications import accommodations, lists, office, operations, queries
from examsvc.applications.handing_in import receipt
from examsvc.applications.models import Application, FileVersion, Submission, SupplementRequest
from examsvc.base.errors import NotAllowed, NotFound, Refused
from examsvc.base.messages import of_account
from examsvc.competitions.regulation import read_preset
from examsvc.ledger import commitments
from examsvc.ledger.models import LogEntry, Opening
from tests.applications import files
from tests.applications.conftest import BureauOf
from tests.applications.hall import ZONE, Bureau, upload

REASON = "Thiếu quyết định quy hoạch."


def test_a_whole_phase_is_a_valid_history(session: Session) -> None:
    """Two posts; one candidate supplements, one is refused, one withdraws, one gets extra time, one is excluded."""
    hall = Bureau(session, read_preset("demo"), posts="AB")
    for name, post in (("An", "A"), ("Bình", "A"), ("Chi", "B"), ("Dung", "B"), ("Em", "B"), ("Giang", "A"), ("Hà", "B")):
        hall.apply(name, post)
        hall.later(minutes=3)
    with hall.write():
        operations.withdraw_application(session, hall.application("Em"), now=hall.now)
    with hall.write():
        operations.keep_file(session, hall.application("An"), "action-plan", upload(files.pdf(4)), now=hall.now)
        operations.submit_application(session, hall.application("An"), now=hall.now)
    with hall.write():
        request = accommodations.request_accommodation(
            session, hall.application("Chi"), measures=["extra-minutes", "reader"], explanation="Thị lực kém.", now=hall.now
        )
        asked = accommodations.propose_accommodation(
            session,
            request,
            measures=["extra-minutes", "reader"],
            extra={"test": 5, "essay": 15},
            reason="Có giấy xác nhận.",
            by=hall.office,
            now=hall.now,
        )
    hall.approve(asked)
    hall.close_applications()
    with hall.write():
        office.request_supplement(
            session, hall.application("Bình"), items=[{"text": "Quyết định còn thiếu dấu", "file": "planning-decision"}],
            zone=ZONE, by=hall.office, now=hall.now,
        )  # fmt: skip
    hall.later(days=1)
    with hall.write():
        found = hall.application("Bình")
        operations.keep_file(session, found, "planning-decision", upload(files.pdf(2)), now=hall.now)
        operations.hand_in_supplement(session, found, found.supplements[0], answer="Đã bổ sung.", now=hall.now)
    for name in ("An", "Bình", "Chi", "Dung", "Hà"):
        hall.decide(name)
    hall.decide("Giang", eligible=False, reason=REASON)
    hall.list_candidates()
    with hall.write():
        lists.post_lists(session, hall.competition, kind="admitted", by=hall.office, now=hall.now)
        lists.post_lists(session, hall.competition, kind="refused", by=hall.office, now=hall.now)
    with hall.write():
        asked = office.propose_exclusion(
            session, hall.application("Hà"), reason="Khai không đúng.", by=hall.people["Chair"], now=hall.now
        )
    hall.approve(asked, by=hall.people["Authority"])
    hall.list_candidates()

    assert hall.problems() == []
    types = hall.types()
    assert types.count("applications.opened") == 1
    assert types.count("applications.closed") == 2
    assert types.count("application.submitted") == 8
    assert types.count("application.plan_submitted") == 8
    assert types.count("application.decided") == 6
    assert types.count("application.supplemented") == 1
    assert types.count("accommodation.decided") == 1
    assert types.count("candidates.listed") == 3, "both posts, then the one from which somebody was excluded"
    assert types.count("list.posted") == 4
    assert types.count("candidate.disqualified") == 1
    closed = [one for one in hall.entries() if one.type == "applications.closed"]
    assert {(one.posts[0], one.body["count"]) for one in closed} == {("A", 3), ("B", 3)}
    assert [one.account.name for one in queries.by_name(queries.eligible(session, hall.competition_id))] == [
        "An",
        "Bình",
        "Chi",
        "Dung",
    ]
    posted = {(one.post.code, one.kind): one.numbers for one in queries.posted(session, hall.competition_id)}
    assert posted["A", "refused"] == [hall.number("Giang")]
    assert sorted(posted["A", "admitted"]) == sorted([hall.number("An"), hall.number("Bình")])


def test_the_receipt_opens_the_entry(bureau: BureauOf) -> None:
    hall = bureau()
    session = hall.session
    hall.apply("An")
    made = hall.application("An").submissions[0]
    found = receipt(session, made)
    assert commitments.opens(found["commitment"], "application.file", bytes.fromhex(found["salt"]), found["object"])
    entry = next(one for one in hall.entries() if one.type == "application.submitted")
    assert entry.body["file"] == found["commitment"] == made.commitment
    assert entry.actor == hall.application("An").code
    assert {one["field"]: one["digest"] for one in found["object"]["evidence"]} == {
        one.kind: one.digest for one in hall.application("An").files
    }


def test_nothing_of_a_person_stands_in_the_log(bureau: BureauOf) -> None:
    hall = bureau()
    session = hall.session
    account = hall.apply("An Thị Khai").account
    stored = b"".join(one.entry for one in session.scalars(select(LogEntry)))
    assert account.name.encode() not in stored
    assert (account.identity_digest or "").encode() not in stored
    openings = session.scalars(select(Opening).where(Opening.subject == account.code)).all()
    assert {one.type for one in openings} >= {"application.identity", "application.file", "application.plan"}


def test_to_the_second(session: Session) -> None:
    hall = Bureau(session)
    for name in ("An", "Bình"):
        hall.begin(name)
        hall.fill(name)
    hall.now = hall.closing - timedelta(seconds=1)
    hall.submit("An")
    hall.now = hall.closing
    for act in (
        lambda one: operations.submit_application(session, one, now=hall.now),
        lambda one: operations.keep_file(session, one, "action-plan", upload(files.pdf(9)), now=hall.now),
        lambda one: operations.sign(session, one, "commitment", typed="Bình", now=hall.now),
        lambda one: operations.answer_relatives(session, one, any_close=False, now=hall.now),
        lambda one: operations.save_details(session, one, {"unit": "x"}, now=hall.now, today=date(2026, 10, 1)),
    ):
        with pytest.raises(Refused, match="time for applications is over"), hall.write():
            act(hall.application("Bình"))
    with pytest.raises(Refused, match="time for applications is over"), hall.write():
        operations.start_application(
            session, hall.competition, hall.post(), account_id=hall.people["Chair"], stream="nominated", now=hall.now
        )
    assert hall.application("Bình").candidate_number is None
    assert [one.account.name for one in queries.submitted(session, hall.competition_id)] == ["An"]


def test_before_the_opening(session: Session) -> None:
    hall = Bureau.__new__(Bureau)
    super(Bureau, hall).__init__(session)
    hall.phase("announced")
    hall.person("An")
    session.commit()
    with pytest.raises(Refused, match="not open yet"):
        hall.begin("An")


def test_handing_in_twice_is_one_submission(session: Session) -> None:
    hall = Bureau(session)
    hall.apply("An")
    number = hall.number("An")
    hall.later(minutes=1)
    assert hall.submit("An") == number
    assert len(hall.application("An").submissions) == 1
    assert hall.types("application.submitted") == ["application.submitted"]
    with hall.write():
        operations.keep_file(session, hall.application("An"), "curriculum-vitae", upload(files.pdf(5)), now=hall.now)
    assert hall.submit("An") == number, "the number stays"
    versions = hall.application("An").submissions
    assert [one.version for one in versions] == [1, 2]
    assert [one.plan_version for one in versions] == [1, None], "the plan did not change"
    assert len(set(versions[0].file_ids) & set(versions[1].file_ids)) == 3
    assert session.scalar(select(func.count()).select_from(FileVersion)) == 5, "every version is kept"
    subjects = [one.subject["en"] for one in of_account(session, hall.application("An").account_id)]
    assert len(subjects) == 2


def test_an_incomplete_file_is_not_handed_in(bureau: BureauOf) -> None:
    hall = bureau()
    session = hall.session
    hall.begin("An")
    with pytest.raises(Refused, match="not complete"):
        hall.submit("An")
    hall.fill("An")
    with hall.write():
        operations.take_back_file(session, hall.application("An"), "action-plan", now=hall.now)
    with pytest.raises(Refused, match=r"1 thing\(s\) are missing"):
        hall.submit("An")
    assert session.scalar(select(func.count()).select_from(Submission)) == 0


def test_the_same_file_twice_is_one_version(bureau: BureauOf) -> None:
    hall = bureau()
    session = hall.session
    hall.begin("An")
    content = upload(files.pdf(2))
    with hall.write():
        first = operations.keep_file(session, hall.application("An"), "action-plan", content, now=hall.now)
        again = operations.keep_file(session, hall.application("An"), "action-plan", content, now=hall.now)
        assert first.id == again.id
        third = operations.keep_file(session, hall.application("An"), "action-plan", upload(files.pdf(3)), now=hall.now)
        assert (third.number, first.taken_back_at) == (2, hall.now)


def test_one_file_for_each_person_and_post(bureau: BureauOf) -> None:
    hall = bureau(posts="AB")
    session = hall.session
    hall.begin("An")
    with pytest.raises(Refused, match="have a file for this post"):
        hall.begin("An")
    with pytest.raises(Refused, match=r"1 post\(s\)"):
        hall.begin("An", post="B")
    with hall.write():
        operations.withdraw_application(session, hall.application("An"), now=hall.now)
    hall.begin("An", post="B")
    assert queries.of_account(session, hall.competition_id, hall.people["An"]).post.code == "B"
    with pytest.raises(Refused, match="how you come"):
        hall.begin("Bình", stream="friend")


def test_one_identity_is_one_person(bureau: BureauOf) -> None:
    hall = bureau()
    session = hall.session
    for name in ("An", "Bình"):
        hall.begin(name)
    with hall.write():
        operations.save_details(session, hall.application("An"), {}, identity="a" * 64, now=hall.now, today=date(2026, 10, 1))
    with pytest.raises(Refused, match="Another account"), hall.write():
        operations.save_details(session, hall.application("Bình"), {}, identity="a" * 64, now=hall.now, today=date(2026, 10, 1))


def test_a_false_name_does_not_sign(bureau: BureauOf) -> None:
    hall = bureau()
    session = hall.session
    hall.begin("An")
    with pytest.raises(Refused, match="Type your full name"), hall.write():
        operations.sign(session, hall.application("An"), "commitment", typed="Am", now=hall.now)
    with pytest.raises(NotFound), hall.write():
        operations.sign(session, hall.application("An"), "ladder", typed="An", now=hall.now)
    with hall.write():
        operations.sign(session, hall.application("An"), "commitment", typed=" AN ", now=hall.now)
    assert hall.application("An").signatures[0].statement["vi"].startswith("Tôi cam kết")


def test_withdrawing_is_final(bureau: BureauOf) -> None:
    hall = bureau()
    session = hall.session
    hall.apply("An")
    with hall.write():
        operations.withdraw_application(session, hall.application("An"), now=hall.now)
    hall.later(minutes=1)
    with hall.write():
        operations.withdraw_application(session, hall.application("An"), now=hall.now)
    assert hall.types("application.withdrawn") == ["application.withdrawn"]
    with pytest.raises(Refused, match="withdrawn"):
        hall.submit("An")
    with pytest.raises(Refused, match="file for this post"):
        hall.begin("An")
    assert queries.submitted(session, hall.competition_id) == []
    assert queries.candidates(session, "mot") == []


# ---------------------------------------------------------------- the office


def test_a_decision_needs_every_criterion_and_two_people(bureau: BureauOf) -> None:
    hall = bureau()
    session = hall.session
    hall.apply("An")
    hall.find_all("An")
    with pytest.raises(Refused, match="still open"):
        hall.propose("An")
    hall.close_applications()
    request = hall.propose("An")
    with pytest.raises(NotAllowed):
        hall.approve(request, by=hall.office)
    with pytest.raises(NotAllowed):
        hall.approve(request, by=hall.people["Marker1"])
    assert queries.verdict(hall.application("An")) is None
    assert hall.approve(request)
    decided = queries.decision(hall.application("An"))
    assert decided.outcome == "eligible"
    entry = next(one for one in hall.entries() if one.type == "application.decided")
    assert len(entry.body["approvals"]) == 2
    opened = session.scalars(select(Opening).where(Opening.commitment == entry.body["eligibility"])).one().content
    assert [one["criterion"] for one in opened["criteria"]] == ["ladder", "standards", "discipline", "commitment"]
    assert all(one["met"] and one["clause"] == f"admission.criteria.{one['criterion']}" for one in opened["criteria"])


def test_findings(bureau: BureauOf) -> None:
    hall = bureau()
    session = hall.session
    hall.apply("An")
    hall.close_applications()
    with pytest.raises(Refused, match="Decide on each criterion first"):
        hall.propose("An")

    def find(criterion: str, met: bool, reason: str | None = None) -> None:
        with hall.write():
            office.record_finding(
                session, hall.application("An"), criterion, met=met, reason=reason, by=hall.office, now=hall.now, zone=ZONE
            )

    with pytest.raises(Refused, match="why the criterion is not met"):
        find("ladder", False)
    with pytest.raises(Refused, match="leaves this criterion to the computation"):
        find("commitment", False, "không tin")
    with pytest.raises(NotFound):
        find("charm", True)
    for criterion in ("standards", "discipline"):
        find(criterion, True)
    find("ladder", False, "Chưa giữ chức vụ liền kề.")
    with pytest.raises(Refused, match="does not meet a criterion"):
        hall.propose("An")
    assert hall.approve(hall.propose("An", eligible=False))
    assert queries.decision(hall.application("An")).reason == "Chưa giữ chức vụ liền kề."
    message = of_account(session, hall.application("An").account_id)[0]
    assert "Chưa giữ chức vụ liền kề." in message.body["vi"]


def test_a_finding_falls_with_a_new_version(bureau: BureauOf) -> None:
    hall = bureau()
    session = hall.session
    hall.apply("An")
    hall.find_all("An")
    hall.later(minutes=1)
    with hall.write():
        operations.keep_file(session, hall.application("An"), "curriculum-vitae", upload(files.pdf(3)), now=hall.now)
    hall.submit("An")
    assert [one.outcome for one in queries.criteria(session, hall.application("An"), ZONE)].count(None) == 3


def test_supplements_end_to_the_second(bureau: BureauOf) -> None:
    hall = bureau()
    session = hall.session
    hall.apply("An")
    hall.close_applications()

    def ask() -> None:
        with hall.write():
            office.request_supplement(
                session,
                hall.application("An"),
                items=[{"text": "Bản mới", "file": "curriculum-vitae"}],
                zone=ZONE,
                by=hall.office,
                now=hall.now,
            )

    with pytest.raises(Refused, match="Write what is missing"), hall.write():
        office.request_supplement(session, hall.application("An"), items=[], zone=ZONE, by=hall.office, now=hall.now)
    ask()
    with pytest.raises(Refused, match="asked for already"):
        ask()
    request = session.scalars(select(SupplementRequest)).one()
    hall.find_all("An")
    with pytest.raises(Refused, match="still has time"):
        hall.propose("An")
    with pytest.raises(Refused, match="Upload every file"), hall.write():
        operations.hand_in_supplement(session, hall.application("An"), request, answer="", now=hall.now)
    hall.now = request.deadline - timedelta(seconds=1)
    with pytest.raises(Refused, match="time for applications is over"), hall.write():
        operations.keep_file(session, hall.application("An"), "action-plan", upload(files.pdf(7)), now=hall.now)
    with hall.write():
        operations.keep_file(session, hall.application("An"), "curriculum-vitae", upload(files.pdf(8)), now=hall.now)
    before = hall.application("An").submissions[-1]
    assert queries.handed_in_files(session, hall.application("An"))["curriculum-vitae"].id in before.file_ids
    hall.now = request.deadline
    with pytest.raises(Refused, match="time for this supplement is over"), hall.write():
        operations.hand_in_supplement(
            session, hall.application("An"), session.get_one(SupplementRequest, request.id), answer="", now=hall.now
        )
    assert len(hall.application("An").submissions) == 1
    hall.decide("An")


def test_a_file_supplemented_meanwhile_is_looked_at_again(bureau: BureauOf) -> None:
    hall = bureau()
    session = hall.session
    hall.apply("An")
    hall.close_applications()
    hall.find_all("An")
    request = hall.propose("An")
    with hall.write():
        office.request_supplement(
            session, hall.application("An"), items=[{"text": "Giải trình"}], zone=ZONE, by=hall.office, now=hall.now
        )
    with hall.write():
        found = hall.application("An")
        operations.hand_in_supplement(session, found, found.supplements[0], answer="Xin giải trình.", now=hall.now)
    with pytest.raises(Refused, match="supplemented meanwhile"):
        hall.approve(request)
    assert queries.verdict(hall.application("An")) is None


def test_nobody_decides_on_himself(bureau: BureauOf) -> None:
    hall = bureau()
    hall.people["Third"] = hall.third
    hall.apply("Third")
    hall.close_applications()
    hall.find_all("Third")
    request = hall.propose("Third")
    with pytest.raises(NotAllowed, match="about you"):
        hall.approve(request, by=hall.third)


def test_the_list_waits_for_every_decision(bureau: BureauOf) -> None:
    hall = bureau()
    session = hall.session
    for name in ("An", "Bình"):
        hall.apply(name)
    hall.close_applications()
    hall.decide("An")
    with pytest.raises(Refused, match="Decide on every file first; 1"):
        hall.list_candidates()
    with pytest.raises(Refused, match="Two people approve the list"), hall.write():
        lists.post_lists(session, hall.competition, kind="admitted", by=hall.office, now=hall.now)
    hall.decide("Bình")
    hall.list_candidates()
    with pytest.raises(Refused, match="nothing new"):
        hall.list_candidates()


# ---------------------------------------------------------------- too few


def shortage(hall: Bureau, outcome: str, **more: object) -> object:
    with hall.write():
        return lists.propose_shortage(
            hall.session,
            hall.post(),
            outcome=outcome,
            reason="Chỉ một người đủ điều kiện.",
            announcement={"vi": "Gia hạn.", "en": "Extended."},
            number="12/QĐ",
            decided_on=hall.now.astimezone(ZONE).date(),
            zone=ZONE,
            by=hall.people["Authority"],
            now=hall.now,
            **more,
        )


def test_too_few_candidates_stop_a_post_until_applications_are_taken_again(session: Session) -> None:
    hall = Bureau(session)
    hall.apply("An")
    hall.close_applications()
    assert queries.short_posts(session, hall.competition) == [], "the file is not decided yet"
    hall.decide("An")
    assert queries.short_posts(session, hall.competition) == ["A"]
    assert "enough-candidates" not in queries.facts_for_phases(session, hall.competition, hall.now)
    with pytest.raises(Refused, match="does not allow this"):
        shortage(hall, "proceed-with-reason")
    with pytest.raises(Refused, match="lie ahead"):
        shortage(hall, "extend", until=hall.now)
    until = hall.now + timedelta(days=7)
    request = shortage(hall, "extend", until=until)
    assert hall.approve(request, by=hall.people["Chair"])
    assert queries.short_posts(session, hall.competition) == []
    assert queries.takes_applications(session, hall.post(), hall.now)
    hall.later(days=1)
    hall.apply("Bình")
    hall.now = until
    hall.decide("Bình")
    hall.list_candidates()
    assert hall.types("applications.") == ["applications.opened", "applications.closed"] * 2
    assert hall.types("decision.") == ["decision.postponed"]
    assert "enough-candidates" in queries.facts_for_phases(session, hall.competition, hall.now)
    assert hall.problems() == []


def test_a_cancelled_post_has_no_candidates(bureau: BureauOf) -> None:
    hall = bureau(posts="AB")
    session = hall.session
    for name, post in (("An", "A"), ("Bình", "B"), ("Chi", "B")):
        hall.apply(name, post)
    hall.close_applications()
    for name in ("An", "Bình", "Chi"):
        hall.decide(name)
    assert queries.short_posts(session, hall.competition) == ["A"]
    assert hall.approve(shortage(hall, "cancel"), by=hall.people["Chair"])
    assert {one.post.code for one in queries.eligible(session, hall.competition_id)} == {"B"}
    assert "enough-candidates" in queries.facts_for_phases(session, hall.competition, hall.now)
    hall.list_candidates()
    # the notice that is published anew for an annulled post is for the rooms competitions and ledger to agree on
    assert [one for one in hall.problems() if "notice.corrected" not in one.message] == []


# ---------------------------------------------------------------- relatives


def test_a_declared_relative_loses_the_role_when_the_file_comes_in(bureau: BureauOf) -> None:
    hall = bureau()
    session = hall.session
    hall.begin("An")
    hall.fill("An")
    chair = people.account(session, hall.people["Chair"])
    chair.identity_digest = "c" * 64
    session.commit()
    with pytest.raises(Refused, match="from the list"), hall.write():
        operations.declare_relative(session, hall.application("An"), name="Chair", kind="boss", now=hall.now)
    with hall.write():
        operations.declare_relative(
            session, hall.application("An"), name="Chair", kind="sibling-of-spouse", identity="c" * 64, now=hall.now
        )
    assert session.scalar(select(func.count()).select_from(GrantSuspension)) == 0
    hall.submit("An")
    suspended = session.scalars(select(GrantSuspension)).all()
    assert [(one.grant.role, one.kinship) for one in suspended] == [("council-chair", "sibling-of-spouse")]


def test_a_relative_known_by_name_only_is_tied_by_the_office(bureau: BureauOf) -> None:
    hall = bureau()
    session = hall.session
    hall.begin("An")
    hall.fill("An")
    with hall.write():
        operations.declare_relative(session, hall.application("An"), name="marker1", kind="superior", now=hall.now)
    hall.submit("An")
    application = hall.application("An")
    assert session.scalar(select(func.count()).select_from(Recusal)) == 0
    named = application.relatives[0]
    assert office.namesakes(session, application, named) == [(hall.people["Marker1"], "Marker1")]
    with hall.write():
        office.settle_relative(
            session, application, named.id, account_id=hall.people["Marker1"], by=hall.office, now=hall.now
        )
    found = session.scalars(select(Recusal)).one()
    assert (found.account_id, found.candidate_id) == (hall.people["Marker1"], application.account_id)


def test_a_candidate_with_a_role_here_loses_it(bureau: BureauOf) -> None:
    hall = bureau()
    session = hall.session
    hall.apply("Marker2")
    assert [one.kinship for one in session.scalars(select(GrantSuspension))] == ["self"]
    with pytest.raises(Refused), hall.write():
        roles.propose_role(
            session, account_id=hall.people["Marker2"], role="marker", competition="mot", by=hall.office, now=hall.now
        )


# ---------------------------------------------------------------- accommodations


def granted(hall: Bureau, name: str, measures: list[str], extra: dict[str, int]) -> None:
    with hall.write():
        request = accommodations.request_accommodation(
            hall.session, hall.application(name), measures=measures or ["reader"], explanation="Khuyết tật.", now=hall.now
        )
        asked = accommodations.propose_accommodation(
            hall.session, request, measures=measures, extra=extra, reason="Có giấy.", by=hall.office, now=hall.now
        )
    assert hall.approve(asked)


def test_arrangements_reach_the_sitting(bureau: BureauOf) -> None:
    hall = bureau("demo")
    session = hall.session
    for name in ("An", "Bình", "Chi"):
        hall.apply(name)
    granted(hall, "An", ["extra-minutes", "separate-room", "large-print"], {"essay": 15})
    granted(hall, "Bình", [], {})
    found = queries.arrangements(session, hall.competition_id)
    assert set(found) == {hall.applications["An"]}
    mine = found[hall.applications["An"]]
    assert (mine.extra_minutes("essay"), mine.extra_minutes("test")) == (15, 0)
    assert (mine.separate_room, mine.may_break, mine.helps) == (True, False, ("large-print",))
    granted(hall, "An", ["breaks-that-stop-the-clock"], {})
    again = queries.arrangements(session, hall.competition_id)[hall.applications["An"]]
    assert (again.extra, again.may_break, again.separate_room) == ({}, True, False), "the newest decision counts"
    sealed = [
        session.scalars(select(Opening).where(Opening.commitment == one.body["accommodation"])).one().content
        for one in hall.entries()
        if one.type == "accommodation.decided"
    ]
    assert [one["decision"] for one in sealed] == [1, 1, 2]
    assert sealed[0]["measures"] == ["large-print", "separate-room", "extra-minutes.essay.15"]
    assert "nothing could be granted" in of_account(session, hall.application("Bình").account_id)[0].body["en"]


def test_no_more_is_granted_than_the_regulation_allows(bureau: BureauOf) -> None:
    hall = bureau("demo")
    session = hall.session
    hall.apply("An")
    with pytest.raises(Refused, match="at least one arrangement"), hall.write():
        accommodations.request_accommodation(session, hall.application("An"), measures=[], explanation="x", now=hall.now)
    with hall.write():
        request = accommodations.request_accommodation(
            session, hall.application("An"), measures=["extra-minutes"], explanation="x", now=hall.now
        )

    def propose(measures: list[str], extra: dict[str, int], reason: str = "y") -> None:
        with hall.write():
            found = hall.application("An").accommodations[-1]
            accommodations.propose_accommodation(
                session, found, measures=measures, extra=extra, reason=reason, by=hall.office, now=hall.now
            )

    for measures, extra, sentence in (
        (["extra-minutes"], {"test": 11}, "More extra time"),
        (["extra-minutes"], {"plan-defence": 1}, "More extra time"),
        (["extra-minutes"], {}, "Enter the extra minutes"),
        (["reader"], {"test": 5}, "Enter the extra minutes"),
        (["own-room"], {}, "does not provide"),
    ):
        with pytest.raises(Refused, match=sentence):
            propose(measures, extra)
    with pytest.raises(Refused, match="reason"):
        propose(["extra-minutes"], {"test": 10}, reason=" ")
    propose(["extra-minutes"], {"test": 10})
    assert request.id == hall.application("An").accommodations[-1].id
    lines = [line for one in queries.accommodation_requests(session, hall.competition_id) for line in [one.explanation]]
    assert lines == ["x"]


def test_the_reason_of_an_arrangement_stays_out_of_the_restricted_record(bureau: BureauOf) -> None:
    hall = bureau()
    session = hall.session
    hall.apply("An")
    granted(hall, "An", ["reader"], {})
    entry = next(one for one in hall.entries() if one.type == "accommodation.decided")
    summary = session.scalars(select(Opening).where(Opening.commitment == entry.body["summary"])).one().content
    assert not any("Có giấy" in line or "Khuyết tật" in line for line in summary["lines"])


def test_numbers_of_others_are_unknown(bureau: BureauOf) -> None:
    hall = bureau()
    session = hall.session
    hall.apply("An")
    application = hall.application("An")
    with pytest.raises(NotFound):
        queries.by_code(session, hall.competition_id, "f" * 16)
    with pytest.raises(NotFound):
        queries.by_code(session, hall.competition_id + 1, application.code)
    with pytest.raises(NotFound):
        queries.file_version(application, 10**6)
    assert session.scalars(select(Application)).one().code == application.code
