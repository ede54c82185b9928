"""Marking scripts as histories: versions of the guide, replacements along the drawn order, and maps in parts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from examsvc.accounts import queries as accounts
from examsvc.accounts import relations, roles
from examsvc.base.errors import NotFound, Refused
from examsvc.base.messages import Message
from examsvc.ledger import canonical, draws
from examsvc.ledger.drawing import seed_of
from examsvc.ledger.models import LogEntry, Opening
from examsvc.marking import blinding, calibration, essays, guides, locking, queries, replacing
from examsvc.marking.models import Allocation, CodeMap, Guide, Script
from examsvc.papers import queries as papers
from tests.exam_hall import ExamHall, read_maps, spread
from tests.ledger_check import assert_valid


def bodies(hall: ExamHall, type: str) -> list[dict[str, Any]]:
    rows = hall.session.scalars(
        select(LogEntry.entry).where(LogEntry.log == "mot", LogEntry.type == type).order_by(LogEntry.position)
    )
    return [dict(canonical.decode(row)["body"]) for row in rows]


def opened(hall: ExamHall, commitment: str) -> dict[str, Any]:
    return dict(hall.session.scalars(select(Opening).where(Opening.commitment == commitment).limit(1)).one().content or {})


def change_guide(hall: ExamHall, text: str, reason: str = "một ý đúng bị bỏ sót") -> None:
    (task,) = guides.tasks(hall.session, hall.competition, "essay")
    with hall.write():
        guides.ask_change(
            hall.session,
            hall.competition,
            part="essay",
            item=task.version.digest,
            texts={"vi": text, "en": text + " (en)"},
            reason=reason,
            by=hall.people["Chief"],
            now=hall.now,
        )
    assert hall.approve_all("Chair") == 1
    hall.session.expire_all()


def allocation(hall: ExamHall, name: str, round_: int) -> Allocation:
    found = hall.script_of(name).allocations
    return next(one for one in found if one.round == round_ and one.replaced_at is None)


# ---------------------------------------------------------------------------------------- the guide


def test_a_changed_guide_gives_touched_marks_back_and_counts_only_what_is_given_by_it(hall: ExamHall) -> None:
    assert hall.mark_script("An", 15, 16) == "settled"
    assert hall.mark_script("Bình", 12) == "marking"
    change_guide(hall, "Chấp nhận cả phương án hai.")
    assert [queries.state(hall.session, hall.script_of(name)) for name in ("An", "Bình", "Chi")] == [
        "reopened",
        "reopened",
        "marking",
    ]
    assert queries.part_marks(hall.session, hall.competition, "essay") == {}
    with pytest.raises(Refused, match="not complete"):
        hall.lock("written")
    (body,) = bodies(hall, "guide.set")
    assert (body["scheme"], body["version"], body["touched"]) == ("essay", 2, 3)
    committed = opened(hall, body["guide"])
    assert [task["guide"]["vi"] for task in committed["tasks"]] == ["Chấp nhận cả phương án hai."]
    told = {row.account_id for row in hall.session.scalars(select(Message)) if "guide has changed" in row.subject["en"]}
    given = {allocation(hall, "An", 1), allocation(hall, "An", 2), allocation(hall, "Bình", 1)}
    assert told == {one.marker_id for one in given}

    assert hall.mark_script("An", 17, 18) == "settled"
    settled = hall.script_of("An").settlement
    assert settled is not None
    assert (settled.version, settled.mark, settled.guide) == (2, "17.5", 2)
    sheet = opened(hall, bodies(hall, "mark.recorded")[-1]["sheet"])
    assert (sheet["version"], sheet["guide"], sheet["reason"]) == (2, 2, "một ý đúng bị bỏ sót")
    assert hall.mark_script("Bình", 12, 12) == "settled"
    assert hall.mark_script("Chi", 12, 12) == "settled"
    hall.lock("written")
    with pytest.raises(Refused, match="locked"):
        change_guide(hall, "Muộn rồi.")
    hall.unblind("written")
    marks = queries.part_marks(hall.session, hall.competition, "essay")
    assert marks[hall.number("An")] == 35 / 2
    assert_valid(hall.session, "mot")


def test_the_third_mark_is_called_anew_after_a_change_of_the_guide(hall: ExamHall) -> None:
    assert hall.mark_script("An", 10, 14) == "third-marking"
    assert hall.mark_script("An", 13, first=3) == "settled"
    change_guide(hall, "Thang điểm mới.")
    third = allocation(hall, "An", 3)
    assert third.called_at is None
    assert third not in queries.desk(hall.session, hall.competition_id, third.marker_id)
    assert hall.mark_script("An", 10, 11) == "settled", "the new marks differ by one: no third mark is needed"
    change_guide(hall, "Thang điểm mới hơn.")
    assert hall.mark_script("An", 10, 14) == "third-marking"
    assert hall.mark_script("An", 12, first=3) == "settled"
    assert [one.version for one in third.sheets] == [1, 2]
    assert [one.version for one in hall.session.scalars(select(Guide).order_by(Guide.version))] == [2, 3]
    assert_valid(hall.session, "mot")


def test_agreements_under_an_old_guide_agree_on_nothing(hall: ExamHall) -> None:
    assert hall.mark_script("An", 12, 15) == "agreeing"
    first = allocation(hall, "An", 1)
    with hall.write():
        essays.propose_agreement(
            hall.session, first, mark="13", reason="giữa hai điểm", by=first.marker_id, now=hall.now
        )
    change_guide(hall, "Khác.")
    assert hall.mark_script("An", 12, 15) == "agreeing"
    second = allocation(hall, "An", 2)
    with hall.write():
        essays.propose_agreement(hall.session, second, mark="13", reason="như trước", by=second.marker_id, now=hall.now)
    hall.session.expire_all()
    assert queries.state(hall.session, hall.script_of("An")) == "agreeing", "the first proposal was made by the old guide"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"vi": " "}, "Write the guide"),
        ({"en": ""}, "Write the guide"),
        ({"vi": "x" * 20_001}, "at most 20000"),
        ({"reason": " "}, "reason"),
        ({"item": "0" * 64}, None),
    ],
)
def test_a_guide_that_cannot_be(hall: ExamHall, changes: dict[str, str], sentence: str | None) -> None:
    (task,) = guides.tasks(hall.session, hall.competition, "essay")
    given = {"vi": "mới", "en": "new", "reason": "x", "item": task.version.digest} | changes
    with hall.write(), pytest.raises(Refused if sentence else NotFound, match=sentence):
        guides.ask_change(
            hall.session,
            hall.competition,
            part="essay",
            item=given["item"],
            texts={"vi": given["vi"], "en": given["en"]},
            reason=given["reason"],
            by=hall.people["Chief"],
            now=hall.now,
        )


def test_a_guide_that_says_the_same_changes_nothing(hall: ExamHall) -> None:
    (task,) = guides.tasks(hall.session, hall.competition, "essay")
    own = dict(papers.item(task.version).guide.values)
    with pytest.raises(Refused, match="says the same"), hall.write():
        guides.ask_change(
            hall.session,
            hall.competition,
            part="essay",
            item=task.version.digest,
            texts={"vi": own["vi"], "en": own["en"]},
            reason="x",
            by=hall.people["Chief"],
            now=hall.now,
        )


# ---------------------------------------------------------------------------------------- giving back and taking over


def recognise(hall: ExamHall, name: str, round_: int) -> Allocation:
    found = allocation(hall, name, round_)
    with hall.write():
        replacing.recognise(hall.session, found, by=found.marker_id, now=hall.now)
    return found


def ask(hall: ExamHall, found: Allocation, cause: str) -> None:
    with hall.write():
        replacing.ask_replacement(hall.session, found, cause=cause, by=hall.people["Chief"], now=hall.now)


def in_reserve(hall: ExamHall, name: str, leaving: Allocation) -> list[str]:
    """Codes of those who may take over, as a stranger computes them from the log."""
    script = hall.script_of(name)
    inputs = replacing.drawn_from(hall.session, "mot", leaving.draw)
    return draws.reserves(
        seed_of(hall.session, "mot", leaving.draw),
        script.code,
        {row["marker"]: row["group"] for row in inputs["markers"]},
        {one.marker.code for one in script.allocations if one.replaced_at is None and one.id != leaving.id},
        {leaving.marker.code} | {one.marker.code for one in script.allocations if one.replaced_at is not None},
    )


def test_a_recognised_script_leaves_the_desk_and_goes_to_the_next_of_its_draw(hall: ExamHall) -> None:
    session = hall.session
    leaving = recognise(hall, "An", 1)
    assert leaving not in queries.desk(session, hall.competition_id, leaving.marker_id)
    assert queries.state(session, hall.script_of("An")) == "recognised"
    assert accounts.recusals(session, "mot") == [], "a name beside a script code would tell whose it is"
    with pytest.raises(NotFound):
        replacing.recognise(session, leaving, by=hall.people["Chief"], now=hall.now)
    order = in_reserve(hall, "An", leaving)
    assert len(order) == 2, "five markers, of whom three are drawn"
    ask(hall, leaving, "recognised")
    with pytest.raises(Refused, match="already waiting"):
        ask(hall, leaving, "recognised")
    assert hall.approve_all("Chair") == 1
    session.expire_all()
    (entry,) = bodies(hall, "script.reallocated")
    assert (entry["from"], entry["to"], entry["cause"]) == (leaving.marker.code, order[0], "recognised")
    assert allocation(hall, "An", 1).marker.code == order[0]
    for name in ("An", "Bình", "Chi"):
        assert hall.mark_script(name, 12, 13) == "settled"
    hall.lock("written")
    hall.unblind("written")
    candidate = hall.application("An").account_id
    assert accounts.recused(session, "mot", leaving.marker_id) == {candidate}
    assert hall.approve_all("Secretary") == 0, "the recusal needs two"
    assert hall.approve_all("Chair") == 1
    assert bodies(hall, "recusal.recorded")[0]["person"] == leaving.marker.code
    assert_valid(session, "mot")


def test_whoever_in_the_order_is_close_to_the_writer_passes_the_script_on(hall: ExamHall) -> None:
    """Skipping a person silently would break the replay of the draw: each step of the order is an entry of its own."""
    leaving = recognise(hall, "An", 1)
    first, second = in_reserve(hall, "An", leaving)
    with hall.write():
        hall.script_of("An").barred = [accounts.by_code(hall.session, first).id]
    ask(hall, leaving, "recognised")
    hall.approve_all("Chair")
    hall.session.expire_all()
    steps = [(one["from"], one["to"], one["cause"]) for one in bodies(hall, "script.reallocated")]
    assert steps == [(leaving.marker.code, first, "recognised"), (first, second, "recusal")]
    assert allocation(hall, "An", 1).marker.code == second
    assert_valid(hall.session, "mot")


def test_when_the_order_is_used_up_nobody_is_invented(hall: ExamHall) -> None:
    """A marker named after the draw is not in the order that was drawn; the verifier would find the replacement false."""
    with hall.write():
        late = hall.person("Late")
        request = roles.propose_role(
            hall.session, account_id=late.id, role="marker", competition="mot", by=hall.office, now=hall.now
        )
        roles.approve_role(hall.session, request_id=request.id, by=hall.second, now=hall.now)
    order = in_reserve(hall, "An", allocation(hall, "An", 2))
    for place in (0, 1):
        ask(hall, allocation(hall, "An", 2), "absence")
        assert hall.approve_all("Chair") == 1
        hall.session.expire_all()
        assert allocation(hall, "An", 2).marker.code == order[place]
    with pytest.raises(Refused, match="Nobody is left"):
        ask(hall, allocation(hall, "An", 1), "absence")


def test_a_relation_declared_after_the_coding_leads_to_no_script(hall: ExamHall) -> None:
    """Nobody knows whose script it is: what would take it away would say so.  The marker who recognises it says so, and then it goes."""
    found = allocation(hall, "Bình", 2)
    with hall.write():
        relations.recuse(
            hall.session, "mot", found.marker_id, hall.application("Bình").account_id, reason="cấp trên trực tiếp", now=hall.now
        )
    assert found in queries.desk(hall.session, hall.competition_id, found.marker_id)
    assert queries.must_leave(hall.session, hall.script_of("Bình")) == []
    recognise(hall, "Bình", 2)
    ask(hall, found, "recognised")
    assert hall.approve_all("Chair") >= 1
    hall.session.expire_all()
    assert allocation(hall, "Bình", 2).marker_id != found.marker_id
    assert_valid(hall.session, "mot")


def test_what_stands_is_not_replaced(hall: ExamHall) -> None:
    hall.mark_script("An", 12)
    marked = allocation(hall, "An", 1)
    with pytest.raises(Refused, match="it stands"):
        ask(hall, marked, "absence")
    with pytest.raises(Refused, match="Tell the chief examiner"):
        recognise(hall, "An", 1)
    with pytest.raises(Refused, match="Say why"):
        ask(hall, allocation(hall, "An", 2), "boredom")


def test_a_correction_is_possible_until_the_other_mark_is_in(hall: ExamHall) -> None:
    hall.mark_script("An", 12)
    first = allocation(hall, "An", 1)

    def correct(reason: str | None) -> None:
        with hall.write():
            essays.record_mark(
                hall.session,
                first,
                criteria=spread(essays.criteria_of(first.script), 13),
                comment="",
                by=first.marker_id,
                now=hall.now,
                reason=reason,
            )

    with pytest.raises(Refused, match="why you correct"):
        correct(None)
    correct("đọc sót một trang")
    hall.session.expire_all()
    assert hall.mark_script("An", 14, first=2) == "settled"
    with pytest.raises(Refused, match="The other mark is in"):
        correct("đổi ý")
    settled = hall.script_of("An").settlement
    assert settled is not None
    assert settled.mark == "13.5"


# ---------------------------------------------------------------------------------------- coding and groups


def test_a_long_map_goes_in_parts(hall: ExamHall, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three pairs in parts of two, as 801 would go in parts of 800."""
    assert blinding.MOST_PAIRS == 800
    monkeypatch.setattr(blinding, "MOST_PAIRS", 2)
    sitting = hall.session.scalars(select(CodeMap)).one().sitting
    for script in hall.session.scalars(select(Script)).all():
        for one in script.allocations:
            hall.session.delete(one)
        hall.session.delete(script)
    hall.session.delete(hall.session.scalars(select(CodeMap)).one())
    hall.session.commit()
    before = len(bodies(hall, "blind.map"))
    with hall.write():
        assert blinding.code_scripts(hall.session, sitting, by=hall.people["Coder"], now=hall.now) == 3
    first, second = bodies(hall, "blind.map")[before:]
    assert [(one["part"], one["parts"], len(one["pairs"])) for one in (first, second)] == [(1, 2, 2), (2, 2, 1)]
    assert first["pairs"] + second["pairs"] == sorted(first["pairs"] + second["pairs"])
    found = read_maps(hall.session, hall.keys["Coder"])
    assert found.keys() == {one.code for one in queries.scripts(hall.session, hall.competition_id, "essay")}
    assert first["sealed"] != second["sealed"]
    with pytest.raises(Refused, match="coded already"), hall.write():
        blinding.code_scripts(hall.session, sitting, by=hall.people["Coder"], now=hall.now)


def test_groups_stand_once_the_scripts_are_drawn(hall: ExamHall) -> None:
    with pytest.raises(Refused, match="drawn already"), hall.write():
        replacing.set_groups(hall.session, hall.competition, names={hall.people["Marker1"]: "A"}, now=hall.now)


def test_the_course_learns_what_is_coded_locked_and_open(hall: ExamHall) -> None:
    def facts() -> set[str]:
        return queries.facts_for_phases(hall.session, hall.competition, hall.now)

    assert facts() & {"scripts-coded:written", "marks-locked:written", "stage-results:written"} == {"scripts-coded:written"}
    for name in ("An", "Bình", "Chi"):
        hall.mark_script(name, 12, 13)
    hall.lock("written")
    assert "marks-locked:written" in facts()
    assert "stage-results:written" not in facts(), "the code map is closed"
    hall.unblind("written")
    assert "stage-results:written" in facts()
    assert "panel-formed:defence" in facts()
    assert "order-drawn:defence" not in facts()
    hall.now += timedelta(days=1)


# ---------------------------------------------------------------------------------------- joint marking


def test_the_joint_marking_is_on_record_and_counts_for_nobody(hall: ExamHall) -> None:
    session = hall.session
    scripts = calibration.joint_scripts(session, hall.competition, "essay", hall.now)
    assert len(scripts) == 3, "the demonstration regulation has three marked together"
    people = [hall.people[f"Marker{n}"] for n in (1, 2, 3)]

    def hold(marks: dict[int, dict[str, str]]) -> None:
        with hall.write():
            calibration.hold(
                session, hall.competition, part="essay", marks=marks, by=hall.people["Chief"], now=hall.now
            )

    given = {person: {one.code: f"{12 + place},5" for one in scripts} for place, person in enumerate(people)}
    with pytest.raises(Refused, match="At least two"):
        hold({people[0]: given[people[0]]})
    with pytest.raises(Refused, match="Enter a number"):
        hold({**given, people[2]: {scripts[0].code: "12"}})
    with pytest.raises(Refused, match=r"steps of 0\.25"):
        hold({**given, people[2]: {one.code: "12,1" for one in scripts}})
    hold({**given, hall.people["Marker4"]: {one.code: " " for one in scripts}, hall.people["Chief"]: {"x": "20"}})
    (body,) = bodies(hall, "calibration.held")
    codes = sorted(accounts.account(session, person).code for person in people)
    assert (body["scripts"], body["markers"]) == (3, codes)
    first = opened(hall, body["result"])["results"][0]
    assert [row["marker"] for row in first["marks"]] == codes
    assert {row["mark"] for row in first["marks"]} == {"12.5", "13.5", "14.5"}
    assert queries.part_marks(session, hall.competition, "essay") == {}
    assert_valid(session, "mot")


def test_the_map_is_not_opened_without_a_custodian_of_it(hall: ExamHall) -> None:
    for name in ("An", "Bình", "Chi"):
        hall.mark_script(name, 12, 13)
    hall.lock("written")
    assert bodies(hall, "marks.locked")[0]["approvals"][0]["by"] == accounts.account(hall.session, hall.people["Chief"]).code
    with hall.write():
        request = roles.propose_role(
            hall.session,
            account_id=hall.person("Late").id,
            role="council-chair",
            competition="mot",
            by=hall.office,
            now=hall.now,
        )
        roles.approve_role(hall.session, request_id=request.id, by=hall.second, now=hall.now)
    with hall.write():
        locking.ask_opening(hall.session, hall.competition, stage="written", by=hall.people["Chair"], now=hall.now)
    with pytest.raises(Refused, match="one must be among the approvers"):
        hall.approve_all("Late")
    assert hall.approve_all("Coder") == 1
    assert bodies(hall, "blind.open") == [], "the map is with its custodian"
    hall.hand_in_map("written", hall.opened_map("written"))
    (body,) = bodies(hall, "blind.open")
    assert body["custodians"] == [accounts.account(hall.session, hall.people["Coder"]).code]
    assert_valid(hall.session, "mot")
