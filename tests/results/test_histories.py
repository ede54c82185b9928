"""From locked marks to the published edition, as histories: on both databases, with the log in order at every step."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.accounts import approvals
from examsvc.applications import queries as applications
from examsvc.base.errors import NotAllowed, Refused
from examsvc.competitions.regulation import Regulation, read_preset
from examsvc.ledger import canonical, draws
from examsvc.ledger.models import LogEntry, Opening
from examsvc.results import computing, council, deciding, publishing, queries
from examsvc.results.models import Minutes
from examsvc.sittings import conduct
from tests.draws_by_steps import by_steps, hold_by_steps
from tests.exam_hall import ExamHall, objective_only
from tests.ledger_check import assert_valid
from tests.results.marked import led_through_a_test
from tests.results.regulations import LABEL, SOURCE


def changed(**clauses: Any) -> Regulation:
    return Regulation.model_validate_json(json.dumps({**json.loads(objective_only().canonical_bytes()), **clauses}))


def types(session: Session) -> list[str]:
    return list(session.scalars(select(LogEntry.type).where(LogEntry.log == "mot").order_by(LogEntry.position)))


def body(session: Session, type: str) -> dict[str, Any]:
    entry = session.scalars(
        select(LogEntry).where(LogEntry.log == "mot", LogEntry.type == type).order_by(LogEntry.position.desc()).limit(1)
    ).one()
    return dict(canonical.decode(entry.entry)["body"])


def opened(session: Session, commitment: str) -> dict[str, Any]:
    return dict(session.scalars(select(Opening).where(Opening.commitment == commitment).limit(1)).one().content)


def outcomes(hall: ExamHall) -> dict[str, tuple[int | None, str]]:
    names = {hall.number(name): name for name in hall.applications}
    run = queries.latest_run(hall.session, hall.competition_id)
    assert run is not None
    return {names[row["number"]]: (row["rank"], row["outcome"]) for row in run.outcome["rows"]}


def test_one_ranking_is_computed_recommended_approved_and_published(session: Session) -> None:
    hall = led_through_a_test(session, {"An": 9, "Bình": 7, "Chi": 2})
    run = hall.compute()
    assert outcomes(hall) == {"An": (1, "chosen"), "Bình": (2, "passed"), "Chi": (None, "failed")}
    assert computing.agrees(run)
    assert hall.compute().number == run.number, "nothing has changed, so the run stands"
    with pytest.raises(Refused, match="has not recommended"):
        hall.approve_results()
    hall.recommend()
    with hall.write(), pytest.raises(Refused, match="not approved"):
        publishing.propose_publication(session, hall.competition, by=hall.office, now=hall.now)
    edition = hall.publish()
    (post,) = edition.content["posts"]
    assert post["rows"] == [{"rank": 1, "outcome": "chosen", "name": "An", "total": "36"}]
    assert post["candidates"] == 3
    rankings = {type: body(session, type)["ranking"] for type in ("results.computed", "results.approved", "results.published")}
    assert len(set(rankings.values())) == 1, "one commitment through all three entries"
    ranking = opened(session, rankings["results.computed"])
    by_outcome = {row["outcome"]: row for row in ranking["rows"]}
    assert by_outcome["selected"]["total"] == "36"
    assert by_outcome["failed"]["stages"] == [{"stage": "written", "part": "test", "mark": "8", "passed": "no"}]
    posted = body(session, "list.posted")
    assert (posted["list"], posted["digest"], posted["count"]) == ("results", edition.digest, 1)
    assert_valid(session, "mot", complete=True)
    with hall.write(), pytest.raises(Refused, match="published already"):
        publishing.propose_publication(session, hall.competition, cause="correction", by=hall.office, now=hall.now)


def test_a_tie_at_the_border_is_decided_by_the_role_and_a_second_person(session: Session) -> None:
    hall = led_through_a_test(session, {"An": 8, "Bình": 8, "Chi": 7})
    first = hall.compute()
    assert outcomes(hall)["An"] == outcomes(hall)["Bình"] == (1, "passed")
    with pytest.raises(Refused, match="tie"):
        hall.recommend()
    order = [hall.number("Bình"), hall.number("An")]

    def ask(by: str, order: list[str], reason: str = "thâm niên trong lĩnh vực") -> None:
        with hall.write():
            deciding.ask_tie_decision(
                session, hall.competition, post="A", order=order, reason=reason, by=hall.people[by], now=hall.now
            )

    with pytest.raises(NotAllowed, match="another role"):
        ask("Chair", order)
    with pytest.raises(Refused, match="reason"):
        ask("Authority", order, " ")
    with pytest.raises(Refused, match="place of his own"):
        ask("Authority", [order[0], order[0]])
    with pytest.raises(Refused, match="open tie"):
        ask("Authority", [order[0], hall.number("Chi")])
    ask("Authority", order)
    with pytest.raises(NotAllowed, match="already"):
        hall.approve_all("Authority")
    assert hall.approve_all("Chair") == 1
    assert outcomes(hall) == {"Bình": (1, "chosen"), "An": (2, "passed"), "Chi": (3, "passed")}
    run = queries.latest_run(session, hall.competition_id)
    assert run is not None
    assert (first.number, run.number) == (1, 2)
    assert computing.agrees(run)
    assert computing.agrees(first)
    tie = opened(session, body(session, "tie.decided")["tie"])
    assert (tie["order"], tie["rule"]) == (order, "ties.steps.0")
    hall.publish()
    assert_valid(session, "mot", complete=True)


def test_lots_are_drawn_so_that_anybody_can_replay_them(session: Session) -> None:
    steps = [{"by": "lots", "part": None, "role": None}]
    hall = led_through_a_test(session, {"An": 8, "Bình": 8, "Chi": 8}, changed(ties={**SOURCE, "steps": steps}))
    hall.compute()
    numbers = sorted(hall.number(name) for name in ("An", "Bình", "Chi"))
    with hall.write(), pytest.raises(Refused, match="lots"):
        deciding.ask_tie_decision(
            session, hall.competition, post="A", order=numbers, reason="x", by=hall.people["Authority"], now=hall.now
        )
    with hall.write():
        deciding.ask_lots(session, hall.competition, post="A", numbers=numbers, by=hall.people["Secretary"], now=hall.now)
    assert hall.approve_all("Chair") == 1
    drawn = body(session, "draw.drawn")
    replayed = draws.replay(drawn["seed"], "permutation", {"items": numbers}).result
    run = queries.latest_run(session, hall.competition_id)
    assert run is not None
    assert [row["number"] for row in run.outcome["rows"]] == replayed
    assert [row["rank"] for row in run.outcome["rows"]] == [1, 2, 3]
    assert body(session, "tie.decided")["draw"] == drawn["draw"]
    hall.publish()
    assert_valid(session, "mot", complete=True)


def test_lots_by_steps_wait_for_the_outside_value(any_session: Session) -> None:
    session = any_session
    steps = [{"by": "lots", "part": None, "role": None}]
    hall = led_through_a_test(session, {"An": 8, "Bình": 8}, by_steps(changed(ties={**SOURCE, "steps": steps}), "lots"))
    hall.compute()
    numbers = sorted(hall.number(name) for name in ("An", "Bình"))

    def ask() -> None:
        with hall.write():
            deciding.ask_lots(session, hall.competition, post="A", numbers=numbers, by=hall.people["Secretary"], now=hall.now)

    ask()
    assert hall.approve_all("Chair") == 1
    draw = deciding.lots_draw(session, hall.competition, "A", numbers)
    assert draw is not None
    assert (draw.state, draw.by_server) == ("announced", False)
    with pytest.raises(Refused, match="being drawn already"):
        ask()
    with pytest.raises(Refused):
        hall.publish()
    hold_by_steps(hall, draw.code)
    session.expire_all()
    made = deciding.lots_draw(session, hall.competition, "A", numbers)
    assert made is not None
    run = queries.latest_run(session, hall.competition_id)
    assert run is not None
    assert [row["number"] for row in run.outcome["rows"]] == made.result
    assert body(session, "tie.decided")["draw"] == made.code
    hall.publish()
    assert_valid(session, "mot", complete=True)


def test_equals_of_whom_nobody_is_chosen_share_a_rank_and_hold_nothing_up(any_session: Session) -> None:
    session = any_session
    hall = led_through_a_test(session, {"An": 9, "Bình": 7, "Chi": 7})
    hall.publish()
    assert outcomes(hall) == {"An": (1, "chosen"), "Bình": (2, "passed"), "Chi": (2, "passed")}


PRIORITY = {
    **SOURCE,
    "entries": [
        {"id": "hero", "label": LABEL, "points": "5", "evidence": ["curriculum-vitae"]},
        {"id": "service", "label": LABEL, "points": "2.5", "evidence": ["nomination"]},
    ],
    "combine": "highest",
    "added_to": None,
    "after_pass_check": True,
}


def test_priority_points_count_only_when_two_people_recognised_the_evidence(session: Session) -> None:
    hall = led_through_a_test(session, {"An": 9, "Bình": 8}, changed(priority=PRIORITY))
    application = hall.application("Bình")

    def ask(*entries: str) -> None:
        with hall.write():
            deciding.ask_priority(session, hall.application("Bình"), entries=entries, by=hall.office, now=hall.now)

    with pytest.raises(Refused, match="nomination"):
        ask("service")
    with pytest.raises(Refused, match="Choose a group"):
        ask("queen")
    with pytest.raises(Refused, match="Choose a group"):
        ask()
    ask("hero")
    assert queries.granted_priorities(session, hall.competition_id) == {}
    with pytest.raises(NotAllowed, match="already"):
        hall.approve_all("Office")
    assert hall.approve_all("Second") == 1
    granted = opened(session, body(session, "priority.granted")["priority"])
    evidence = applications.handed_in_files(session, application)["curriculum-vitae"].digest
    assert (granted["points"], granted["category"], granted["evidence"]) == ("5", "hero", evidence)
    hall.compute()
    assert outcomes(hall) == {"Bình": (1, "chosen"), "An": (2, "passed")}
    with pytest.raises(Refused, match="decided already"):
        ask("hero")
    with hall.write(), pytest.raises(Refused, match="have been computed"):
        deciding.ask_priority(session, hall.application("An"), entries=["hero"], by=hall.office, now=hall.now)
    hall.publish()
    assert_valid(session, "mot", complete=True)


def sanction(hall: ExamHall) -> None:
    """An is reprimanded, Chi's result cancelled."""
    for name, kind in (("An", "reprimand"), ("Chi", "cancellation")):
        with hall.write():
            attempt = hall.attempt(name)
            incident = conduct.record_incident(
                hall.session,
                attempt.sitting,
                attempt=attempt,
                kind="conduct",
                description="mang tài liệu",
                signed=["Hall"],
                by=hall.people["Invigilator"],
                now=hall.now,
            )
            conduct.ask_sanction(
                hall.session, incident, sanction=kind, reason="vi phạm nội quy", by=hall.people["Hall"], now=hall.now
            )
        assert hall.approve_all("Chair") == 1


def test_sanctions_take_away_or_end_and_stand_in_the_derivation(any_session: Session) -> None:
    session = any_session
    hall = led_through_a_test(session, {"An": 9, "Bình": 8, "Chi": 8}, before_the_lock=sanction)
    run = hall.compute()
    assert outcomes(hall) == {"Bình": (1, "chosen"), "An": (2, "passed"), "Chi": (None, "annulled")}
    row = queries.row_of(run, hall.number("An"))
    assert row is not None
    assert row["total"] == "27"
    assert next(step for step in row["steps"] if step["code"] == "deduction")["result"] == "27"
    excluded = {row["candidate"]: row["outcome"] for row in opened(session, run.commitments["A"])["rows"]}
    assert excluded[hall.number("Chi")] == "excluded"
    hall.publish()
    assert_valid(session, "mot", complete=True)


def test_a_council_that_says_no_and_a_run_that_has_moved_on(any_session: Session) -> None:
    session = any_session
    hall = led_through_a_test(session, {"An": 8, "Bình": 6})
    hall.compute()
    members = len(council.entitled(session, hall.competition, ["A"], hall.now))
    hall.recommend(against=members)
    run = queries.latest_run(session, hall.competition_id)
    assert run is not None
    assert queries.adopted_posts(session, run.id) == set()
    assert body(session, "vote.held")["outcome"] == "rejected"
    with pytest.raises(Refused, match="has not recommended"):
        hall.approve_results()
    hall.recommend()
    assert queries.adopted_posts(session, run.id) == {"A"}, "the last vote counts"
    filed = opened(session, body(session, "minutes.recorded")["minutes"])
    assert filed["file"] == session.scalars(select(Minutes.digest).order_by(Minutes.id.desc())).first()
    assert len(filed["signers"]) == 2


def test_the_competent_authority_itself_must_approve(any_session: Session) -> None:
    session = any_session
    hall = led_through_a_test(session, {"An": 8, "Bình": 6})
    hall.compute()
    hall.recommend()
    with hall.write():
        council.ask_approval(
            session,
            hall.competition,
            decision_number="1",
            decided_on=hall.now.date(),
            reason="x",
            by=hall.people["Chair"],
            now=hall.now,
        )
        (request,) = approvals.waiting(session, "mot", hall.now)
        assert "SHA-256" in " ".join(request.lines)
    with pytest.raises(NotAllowed):
        hall.approve_all("Secretary")
    assert hall.approve_all("Authority") == 1
    with pytest.raises(Refused, match="approved already"):
        hall.approve_results()


def test_a_member_close_to_a_candidate_has_no_vote_on_that_post(any_session: Session, monkeypatch: Any) -> None:
    session = any_session
    hall = led_through_a_test(session, {"An": 8, "BìnhB": 6, "Chi": 7, "DungB": 5}, posts="AB")
    hall.compute()
    secretary, anna = hall.people["Secretary"], hall.application("An").account_id
    monkeypatch.setattr(
        "examsvc.accounts.queries.recused", lambda _s, _slug, account: {anna} if account == secretary else set()
    )

    def voters(*posts: str) -> set[int]:
        return {one.id for one in council.entitled(session, hall.competition, posts, hall.now)}

    assert secretary not in voters("A")
    assert secretary in voters("B")
    assert secretary not in voters("A", "B")


def test_nothing_is_computed_before_the_marks_are_locked(any_session: Session) -> None:
    session = any_session
    hall = ExamHall(session, read_preset("demo"))
    for phase in ("announced", "applications"):
        hall.phase(phase)
    hall.candidate("An")
    hall.candidate("Bình")
    hall.admit()
    with pytest.raises(Refused, match="not locked"):
        hall.compute()


def test_a_changed_number_in_a_kept_run_is_seen(any_session: Session) -> None:
    session = any_session
    hall = led_through_a_test(session, {"An": 8, "Bình": 6})
    run = hall.compute()
    kept = json.loads(json.dumps(run.inputs))
    kept["entrants"][0]["marks"]["test"] = "40"
    session.expunge(run)
    run.inputs = kept
    run.competition = hall.competition
    assert not computing.agrees(run)


@pytest.mark.parametrize(
    ("winners", "others", "marks", "other_marks"),
    [("name", "number", "parts", "total"), ("number", "number", "total", "nothing"), ("nothing", "nothing", "nothing", "nothing")],
)
def test_no_more_is_published_than_the_regulation_says(
    any_session: Session, winners: str, others: str, marks: str, other_marks: str
) -> None:
    own = json.loads(objective_only().canonical_bytes())["publication"]
    rule = {**own, "winners": winners, "others": others, "winner_marks": marks, "other_marks": other_marks}
    hall = led_through_a_test(any_session, {"An": 9, "Bình": 7}, changed(publication=rule))
    edition = hall.publish()
    (post,) = edition.content["posts"]
    text = json.dumps(edition.content, ensure_ascii=False)
    shown = {"name": {"name"}, "number": {"number"}}
    extra = {"parts": {"total", "parts"}, "total": {"total"}, "nothing": set()}
    for row in post["rows"]:
        how, which = (winners, marks) if row["outcome"] == "chosen" else (others, other_marks)
        assert set(row) == {"rank", "outcome"} | shown[how] | extra[which]
    assert len(post["rows"]) == (winners != "nothing") + (others != "nothing")
    assert "Bình" not in text
    totals_of_others = [row["total"] for row in post["rows"] if row["outcome"] != "chosen" and "total" in row]
    assert totals_of_others == (["28"] if other_marks == "total" else [])
    assert ("An" in text) == (winners == "name")
    assert computing.digest_of(edition.content) == edition.digest


def test_exact_marks_stay_exact_to_the_ledger(any_session: Session) -> None:
    """A total whose decimals do not end is written with six, as the ledger's format says."""
    hall = led_through_a_test(any_session, {"An": 9, "Bình": 8})
    run = hall.compute()
    row = {**run.outcome["rows"][0], "total": "100/3", "parts": {"test": "1/3"}}
    written = computing.ledger_ranking(hall.regulation, "A", 1, [row])["rows"][0]
    assert (written["total"], written["stages"][0]["mark"]) == ("33.333333", "0.333333")
    assert Fraction(run.outcome["rows"][0]["total"]) == 36
