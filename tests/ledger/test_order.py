"""Number, order, locks and approvals: honest histories pass, each rule broken alone is found."""

import hall as halls
import pytest
from hall import CODE, POSTS, STAGES
from hall_course import competition
from hypothesis import given, settings
from hypothesis import strategies as st

from examsvc.ledger import canonical, entries
from examsvc.ledger.definitions import Lock, Log, Scope, StageKind
from examsvc.ledger.entries import Entry
from examsvc.ledger.order import History, check_log, declared_stages, shared_things

H = "ab" * 32


def read(hall):
    return [entries.read_entry(data) for data in hall.data]


def problems(log, stages=STAGES):
    """Problems with a list of entries, renumbered (their orders too) so that only what stands where is in question."""
    history = History(Log.COMPETITION, stages)
    places = {entry.index: place for place, entry in enumerate(log)}
    found = []
    for index, entry in enumerate(log):
        body = entry.body
        if "under" in body:
            body = {**body, "under": places.get(body["under"], body["under"])}
        found += history.append(Entry(index, entry.competition, entry.type, entry.time, entry.actor, body))
    return found, history


@pytest.fixture(scope="module")
def honest():
    return read(competition(candidates=2))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 6))
def test_honest_competitions_have_no_problem(seed, candidates):
    found, history = problems(read(competition(seed, candidates)))
    assert found == []
    assert history.missing() == []


def test_a_whole_log_and_the_stages_of_its_regulation():
    hall = competition(candidates=1)
    declared = declared_stages(canonical.decode(halls.REGULATION))
    assert declared == STAGES["P1"]
    assert check_log(Log.COMPETITION, hall.data, dict.fromkeys(POSTS, declared)) == []
    swapped = [*hall.data[:-2], hall.data[-1], hall.data[-2]]
    assert {problem.check for problem in check_log(Log.COMPETITION, swapped, STAGES)} == {"V3", "V5"}


def test_an_unfinished_competition_lacks_only_what_is_still_to_come():
    log = read(competition(until="sitting.closed"))
    found, history = problems(log)
    assert found == []
    missing = {problem.message.split(" ")[0] for problem in history.missing()}
    assert missing == {
        "blind.map",
        "marks.locked",
        "blind.open",
        "hearing.listed",
        "results.computed",
        "results.approved",
        "results.published",
    }


def test_which_dropped_entries_order_alone_finds(honest):
    """What order cannot miss is found by the counts of V8 to V10 and by the root; this says which is which."""
    found_types, missed_types = set(), set()
    for place, entry in enumerate(honest):
        found, history = problems(honest[:place] + honest[place + 1 :])
        (found_types if found or history.missing() else missed_types).add(entry.type)
    assert missed_types == {
        "application.decided",
        "attempt.absent",
        "attempt.submitted",
        "draw.revealed",
        "hearing.marked",
        "hearing.settled",
        "mark.recorded",
        "mark.settled",
        "paper.sealed",
        "paper.share_delivered",
        "role.granted",
        "sitting.heads",
    }
    assert len(found_types) > 30


def test_doubling_any_entry_with_a_number_is_found(honest):
    tried = 0
    for place, entry in enumerate(honest):
        if entries.TYPES[entry.type].number is None:
            continue
        tried += 1
        log = [*honest[: place + 1], entry, *honest[place + 1 :]]
        found, _ = problems(log)
        assert "V4" in {problem.check for problem in found}, entry.type
    assert tried > 100


def test_moving_any_entry_before_what_it_needs_is_found(honest):
    tried = 0
    for place, entry in enumerate(honest):
        for name in entries.TYPES[entry.type].after:
            first = next((p for p, e in enumerate(honest) if e.type == name), None)
            if first is None or first > place:
                continue
            tried += 1
            moved = [*honest[:first], entry, *honest[first:place], *honest[place + 1 :]]
            found, _ = problems(moved)
            assert any(problem.check == "V5" and name in problem.message for problem in found), (
                entry.type,
                name,
            )
    assert tried > 150


def test_moving_stage_entries_behind_the_lock_is_found(honest):
    lock = max(p for p, e in enumerate(honest) if e.type == "marks.locked" and e.stage == "written")
    tried = 0
    for place, entry in enumerate(honest[:lock]):
        definition = entries.TYPES[entry.type]
        if definition.scope is Scope.STAGE and definition.lock is Lock.CLOSED and entry.stage == "written":
            tried += 1
            moved = [*honest[:place], *honest[place + 1 : lock + 1], entry, *honest[lock + 1 :]]
            found, _ = problems(moved)
            assert "V11" in {problem.check for problem in found}, entry.type
    assert tried > 30


def test_time_never_goes_back(honest):
    for place in range(1, len(honest), 17):
        earlier = honest[place - 1]
        entry = honest[place]
        late = Entry(place, CODE, entry.type, earlier.time - 1, entry.actor, entry.body)
        found, _ = problems([*honest[:place], late])
        assert any("time is before" in problem.message for problem in found)


def test_index_competition_first_entry_and_log(honest):
    history = History(Log.COMPETITION, STAGES)
    opened = honest[0]
    assert history.check(opened) == []
    assert [
        p.check for p in history.check(Entry(1, CODE, opened.type, opened.time, "system", opened.body))
    ] == ["V3"]
    assert any("log.opened is the first" in problem.message for problem in history.check(honest[1]))
    history.append(opened)
    other = Entry(1, "another", honest[1].type, honest[1].time, "system", honest[1].body)
    assert [p.check for p in history.check(other)] == ["V3"]
    again = Entry(1, CODE, opened.type, opened.time, "system", opened.body)
    assert "V4" in {p.check for p in history.check(again)}
    registry = Entry(
        1, CODE, "release.installed", opened.time, "system", {"version": "1", "digest": H, "schema": "a"}
    )
    assert [p.message for p in history.check(registry)] == [
        "release.installed: does not occur in the competition log"
    ]


def test_undeclared_posts_stages_and_kinds(honest):
    history = History(Log.COMPETITION, STAGES)
    for entry in honest[: next(p for p, e in enumerate(honest) if e.type == "custodians.named")]:
        history.append(entry)
    named = next(e for e in honest if e.type == "custodians.named")
    assert history.check(named) == []
    for change in ({"posts": ["P1", "P9"]}, {"stage": "oral"}, {"stage": "defence"}):
        wrong = Entry(named.index, CODE, named.type, named.time, named.actor, {**named.body, **change})
        assert {p.check for p in history.check(wrong)} == {"V4"}


def approved(body, t):
    return {**body, "approvals": [{"by": "P-chair", "t": t}, {"by": "P-secretary", "t": t}], "summary": H}


class Continued:
    """An honest log that goes on."""

    def __init__(self, log, stages=STAGES):
        self.history = History(Log.COMPETITION, stages)
        for entry in log:
            assert self.history.append(entry) == []
        self.time = log[-1].time

    def add(self, type, **body):
        if entries.TYPES[type].approvers:
            body = approved(body, self.time)
        entries.check_body(type, body)
        canonical.encode(body)
        self.time += 1
        index = self.history.size
        found = self.history.append(Entry(index, CODE, type, self.time, "P-chair", body))
        return index, [problem.message for problem in found]


WRITTEN = {"stage": "written", "posts": ["P1"]}


def test_a_remark_after_the_lock_runs_under_its_order(honest):
    log = Continued(honest)
    _, found = log.add("appeal.lodged", posts=["P1"], appeal="Q1", kind="remark", file=H)
    assert found == []
    order, found = log.add("remark.ordered", **WRITTEN, appeal="Q1", pairs=[H])
    assert found == []
    for type, body in (
        ("draw.announced", {"purpose": "allocation", "participants": ["P-custodian1"], "terms": H}),
        ("draw.committed", {"person": "P-custodian1", "nonce": H}),
        ("draw.fixed", {"inputs": H}),
        ("draw.revealed", {"person": "P-custodian1", "nonce": H, "salt": H}),
        ("draw.drawn", {"outside": H, "seed": H, "result": H}),
    ):
        assert log.add(type, posts=["P1"], draw="D9", **body)[1] == []
    sheet = {**WRITTEN, "appeal": "Q1", "script": "K-new", "marker": "P-m4", "round": 1, "sheet": H}
    assert log.add("remark.recorded", **sheet, under=order)[1] != []  # not allocated yet
    assert log.add("remark.allocated", **WRITTEN, appeal="Q1", draw="D9", allocation=H, under=order)[1] == []
    assert log.add("remark.recorded", **{**sheet, "round": 2}, under=order)[1] == []
    wrong = log.add("remark.recorded", **{**sheet, "round": 3}, under=order - 1)[1]
    assert any("without two approvers" in text for text in wrong)
    assert any("not an earlier order" in text for text in wrong)
    other, _ = log.add("appeal.lodged", posts=["P1"], appeal="Q2", kind="remark", file=H)
    other, _ = log.add("remark.ordered", **WRITTEN, appeal="Q2", pairs=[H])
    assert any(
        "something else" in text
        for text in log.add("remark.recorded", **{**sheet, "round": 4}, under=other)[1]
    )


def test_after_the_lock_a_changed_key_scores_again_and_nothing_else_enters(honest):
    log = Continued(honest)
    both = {"stage": "written", "posts": list(POSTS)}
    closed = next(e.index for e in honest if e.type == "sitting.closed")
    again = {**both, "paper": "T1", "attempts": 7, "scores": H}
    assert any(
        "without two approvers" in text
        for text in log.add("responses.scored", **again, version=9, under=closed)[1]
    )
    corrected, found = log.add("key.corrected", **both, paper="T1", version=2, key=H, reason=H)
    assert found == []
    assert log.add("responses.scored", **again, version=2, under=corrected)[1] == []
    settled = {**WRITTEN, "script": "K-x", "version": 1, "manner": "mean", "settlement": H}
    assert any("after the lock" in text for text in log.add("mark.settled", **settled)[1])
    assert log.add("incident.recorded", **WRITTEN, incident="I1", report=H)[1] == []
    assert log.add("sanction.imposed", **WRITTEN, incident="I1", order=1, sanction=H)[1] == []
    assert any(
        "locked already" in text for text in log.add("marks.locked", **WRITTEN, lock=2, units=1, marks=1)[1]
    )


def test_reopened_marks_take_new_attempts_and_leave_the_old_alone(honest):
    log = Continued(honest)
    old_script = next(e.body["script"] for e in honest if e.type == "mark.recorded")
    log.add("appeal.lodged", posts=["P1"], appeal="Q1", kind="complaint", file=H)
    ruling, _ = log.add("appeal.decided", posts=["P1"], appeal="Q1", outcome="upheld", ruling=H)
    grant = {**WRITTEN, "attempt": "A-new", "sitting": "S2", "grant": H}
    assert any(
        "after the lock" in text for text in log.add("attempt.granted", **{**grant, "attempt": "A-early"})[1]
    )
    assert log.add("marks.reopened", **WRITTEN, lock=1, reason=H, under=ruling)[1] == []
    assert log.add("attempt.granted", **grant)[1] == []
    sheet = {**WRITTEN, "marker": "P-m1", "round": 1, "sheet": H}
    assert any(
        "were locked" in text for text in log.add("mark.recorded", **sheet, script=old_script, version=2)[1]
    )
    assert log.add("mark.recorded", **sheet, script="K-new", version=1)[1] == []
    assert log.add("marks.locked", **WRITTEN, lock=2, units=9, marks=19)[1] == []
    assert log.add("blind.open", **WRITTEN, lock=2, custodians=["P-secretary"], pairs=1)[1] == []


def test_an_annulled_stage_begins_anew(honest):
    log = Continued(honest)
    decision = {"posts": ["P1"], "level": "stage", "stage": "written", "decision": H}
    assert any(
        "second time" in text
        for text in log.add("custodians.named", **WRITTEN, revision=1, threshold=2, count=3, custodians=H)[1]
    )
    assert log.add("decision.annulled", **decision)[1] == []
    assert log.add("custodians.named", **WRITTEN, revision=1, threshold=2, count=3, custodians=H)[1] == []
    missing = {problem.message for problem in log.history.missing(["P1"])}
    assert "paper.sealed is missing for the post P1, stage written" in missing
    assert not any("P2" in text or "defence" in text for text in missing)
    # codes of things stay taken
    sealed = next(e for e in honest if e.type == "paper.approved")
    body = {key: value for key, value in sealed.body.items() if key not in ("approvals", "summary")}
    assert any("second time" in text for text in log.add("paper.approved", **body)[1])


def test_results_wait_for_every_stage_they_count(honest):
    place = next(p for p, e in enumerate(honest) if e.type == "results.computed")
    before_defence = next(p for p, e in enumerate(honest) if e.type == "hearing.listed")
    first = honest[place]
    early = [*honest[:before_defence], first]
    assert any(
        "needs an earlier marks.locked for the post P1, stage defence" in p.message
        for p in problems(early)[0]
    )
    hurdle = Entry(0, CODE, first.type, first.time, "system", {**first.body, "stages": ["written"]})
    assert problems([*honest[:before_defence], hurdle])[0] == []


def test_an_omitted_stage_asks_for_nothing():
    stages = {post: {**STAGES[post], "interview": frozenset({StageKind.DEFENCE})} for post in POSTS}
    log = read(competition(until="blind.open"))
    history = History(Log.COMPETITION, stages)
    for entry in log:
        assert history.append(entry) == []
    assert any("interview" in problem.message for problem in history.missing())
    body = approved(
        {"stage": "interview", "posts": list(POSTS), "reason": "decision", "decision": H}, log[-1].time
    )
    assert history.append(Entry(len(log), CODE, "stage.omitted", log[-1].time, "P-chair", body)) == []
    assert not any("interview" in problem.message for problem in history.missing())


def test_an_approval_after_the_fact_is_found(honest):
    place = next(p for p, e in enumerate(honest) if e.type == "marks.locked")
    entry = honest[place]
    late = [entry.body["approvals"][0], {**entry.body["approvals"][1], "t": entry.time + 1}]
    changed = Entry(place, CODE, entry.type, entry.time, entry.actor, {**entry.body, "approvals": late})
    found, _ = problems([*honest[:place], changed])
    assert [problem.check for problem in found] == ["V11"]


def test_shared_things_are_those_both_types_always_name():
    assert shared_things("mark.recorded", "scripts.allocated") == ()
    assert shared_things("attempt.submitted", "attempt.checked_in") == ("attempt", "sitting")
    assert shared_things("draw.committed", "draw.voided") == ("draw",)  # its person is optional
    assert shared_things("paper.sealed", "paper.approved") == ("paper",)


def test_a_registry_log():
    history = History(Log.REGISTRY)
    t = halls.START
    opened = Entry(
        0,
        "ministry",
        "log.opened",
        t,
        "system",
        {"origin": "exam.example/registry", "key": halls.LOG_KEY.verifier.text},
    )
    assert history.append(opened) == []
    assert {p.message for p in history.missing()} == {"release.installed is missing"}
    body = approved(
        {
            "competition": "c1",
            "origin": "exam.example/c1",
            "key": halls.LOG_KEY.verifier.text,
            "classified": False,
        },
        t,
    )
    assert history.append(Entry(1, "ministry", "competition.opened", t, "P-1", body)) == []
    body = approved({"competition": "c2", "size": 5, "root": H}, t)
    found = history.append(Entry(2, "ministry", "competition.concluded", t, "P-1", body))
    assert [p.check for p in found] == ["V5"]
