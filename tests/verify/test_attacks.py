"""Each attack by an insider who holds the log key and all witnesses, and the one check that finds it."""

import hashlib
import json
from dataclasses import replace

import pytest
from der import token
from forgery import World
from hall import (
    CODE,
    LOG_KEY,
    POLICY,
    POSTS,
    REGISTRY_KEY,
    START,
    WITNESSES,
    Scenario,
    checkpoint_of,
    material,
    registry,
)
from hall_course import competition

from examsvc.ledger import bundle, canonical, checkpoints, commitments, draws, entries, receipts
from examsvc.ledger.bundle import PUBLIC, RESTRICTED, Save, compose, pack, unpack
from examsvc.ledger.merkle import Tree
from examsvc.ledger.notes import ED25519, SignerKey
from examsvc.ledger.receipts import Proof, Receipt
from examsvc.verify.der import read_token
from examsvc.verify.findings import Verdict
from examsvc.verify.verification import NO_POLICY, NOT_VERIFIED, VERIFIED, verify

HALL = competition(seed=7, candidates=2)


def failed(data, policy=POLICY, files=(), slips=()):
    report = verify(data, policy, files, slips)
    checks = {finding.check for finding in report.findings if finding.verdict is Verdict.FAILED}
    assert report.status == (NOT_VERIFIED if checks else VERIFIED if policy else NO_POLICY)
    return checks


def changed(item, **values):
    return {**json.loads(json.dumps(item)), **values}


# ------------------------------------------------------------------------------------------ honest


@pytest.mark.parametrize("kind", [PUBLIC, RESTRICTED])
@pytest.mark.parametrize("seed", range(6))
def test_honest_competitions_verify(seed, kind):
    data = compose(material(competition(seed, 1 + seed % 4)), kind, POSTS, 1)
    report = verify(data, POLICY)
    assert report.status == VERIFIED, [f for f in report.findings if f.reasons]
    assert verify(data, None).status == NO_POLICY
    assert [f.check for f in report.findings] == [
        "V1", "V2", "V3", "V4", "V5", "V6", "V7", "V8", "V9", "V10", "V11", "V12", "V13", "V14", "V15",
        "V16", "V17", "V18", "V19", "V20",
    ]  # fmt: skip
    assert canonical.decode(canonical.encode(report.as_json()))["status"] == 0


def test_the_forger_s_tools_change_nothing_by_themselves():
    assert World.of(HALL).bundle() == compose(material(HALL), RESTRICTED, POSTS, 1)


# ------------------------------------------------------------------------------------------ V1, V2, V3


def refit(data, **files):
    """The bundle with files replaced, added or (None) taken out, and a manifest that fits."""
    content = unpack(data)
    manifest = canonical.decode(content.pop("manifest.json"))
    for name, new in files.items():
        if new is None:
            del content[name]
        else:
            content[name] = new
    manifest["files"] = {
        name: {"size": len(value), "sha256": hashlib.sha256(value).hexdigest()}
        for name, value in sorted(content.items())
    }
    return pack({"manifest.json": canonical.encode(manifest), **content})


DATA = {kind: compose(material(HALL), kind, POSTS, 1) for kind in (PUBLIC, RESTRICTED)}


def test_files_that_are_not_listed_not_there_or_out_of_place():
    content = unpack(DATA[RESTRICTED])
    assert failed(pack({**content, "notes.txt": b"hello"})) == {"V1"}
    assert "V1" in failed(pack({**content, "openings.jsonl": content["openings.jsonl"][:-1]}))
    assert failed(refit(DATA[RESTRICTED], **{"notes.txt": b"hello"})) == {"V1"}
    assert "V1" in failed(refit(DATA[PUBLIC], **{"saves.jsonl": b""}))
    assert "V1" in failed(refit(DATA[RESTRICTED], **{"heads.jsonl": None}))
    assert "V1" in failed(refit(DATA[RESTRICTED], **{"documents/" + "ab" * 32: b"x"}))
    lines = bundle.split_lines(content["openings.jsonl"])
    swapped = b"".join(line + b"\n" for line in [lines[1], lines[0], *lines[2:]])
    assert "V1" in failed(refit(DATA[RESTRICTED], **{"openings.jsonl": swapped}))


def with_checkpoint(data, checkpoint):
    return refit(data, **{"log/checkpoint": checkpoint})


def test_without_the_log_s_key_or_the_quorum_nothing_is_believed():
    thief = SignerKey(LOG_KEY.name, ED25519, bytes(31) + b"\x05")
    for checkpoint in (
        checkpoint_of(HALL.data, LOG_KEY, WITNESSES[:1]),
        checkpoint_of(HALL.data, LOG_KEY, []),
        checkpoint_of(HALL.data, thief, WITNESSES),
        checkpoint_of(HALL.data, REGISTRY_KEY, WITNESSES),
    ):
        assert failed(with_checkpoint(DATA[PUBLIC], checkpoint)) == {"V2"}
    # two of three are the quorum
    assert failed(with_checkpoint(DATA[PUBLIC], checkpoint_of(HALL.data, LOG_KEY, WITNESSES[1:]))) == set()


def test_a_log_that_names_another_key_than_the_one_that_signed():
    world = World.of(HALL)
    world.frames[0]["body"]["key"] = SignerKey(LOG_KEY.name, ED25519, bytes(31) + b"\x05").verifier.text
    assert failed(world.bundle()) == {"V2", "V4"}


def test_entries_changed_dropped_added_or_exchanged_without_signing_anew():
    world = World.of(HALL)
    world.find("attempt.submitted")["body"]["manner"] = "deadline"
    data = refit(DATA[RESTRICTED], **{"log/entries.jsonl": b"".join(line + b"\n" for line in world.entries)})
    assert failed(data) == {"V3"}
    for lines in (
        HALL.data[:-1],
        [*HALL.data, HALL.data[-1]],
        [*HALL.data[:-2], HALL.data[-1], HALL.data[-2]],
    ):
        data = refit(DATA[RESTRICTED], **{"log/entries.jsonl": b"".join(line + b"\n" for line in lines)})
        assert "V3" in failed(data)


def test_entries_of_another_competition():
    world = World.of(HALL)
    for frame in world.frames[50:]:
        frame["x"] = "other"
    assert "V3" in failed(world.bundle())


# ------------------------------------------------------------------------------------------ V4, V5, V11


def test_an_unknown_type_and_a_step_approved_by_one():
    world = World.of(HALL)
    world.find("hearing.begun")["type"] = "hearing.started"
    assert "V4" in failed(world.bundle())
    world = World.of(HALL)
    lock = world.find("marks.locked")
    lock["body"]["approvals"] = lock["body"]["approvals"][:1]
    assert "V4" in failed(world.bundle())


def test_steps_left_out():
    for type, expected in (
        ("regulation.pinned", "V4"),
        ("blind.open", "V4"),
        ("results.approved", "V4"),
        ("notice.published", "V4"),
    ):
        world = World.of(HALL)
        world.drop(world.find(type))
        assert expected in failed(world.bundle()), type


def test_the_paper_sealed_before_applications_closed():
    world = World.of(HALL)
    sealed = world.find("paper.sealed")
    world.move(sealed, world.find("applications.closed"))
    assert failed(world.bundle()) == {"V5"}


def test_the_code_map_opened_before_the_lock():
    world = World.of(HALL)
    world.move(world.find("blind.open"), world.find("marks.locked"))
    assert failed(world.bundle()) == {"V5"}


def test_a_mark_corrected_after_the_lock():
    world = World.of(HALL)
    mark, lock = world.all("mark.recorded")[-1], world.find("marks.locked")
    settled = world.find("mark.settled", script=mark["body"]["script"])
    value = world.opening(settled["body"]["settlement"]).value
    again = changed(settled)
    again["body"]["version"] = 2
    again["t"] = lock["t"]
    assert value["marks"]
    world.insert(again, lock)
    assert failed(world.bundle()) == {"V11"}


def test_an_approval_later_than_the_step():
    world = World.of(HALL)
    lock = world.find("marks.locked")
    lock["body"]["approvals"][1]["t"] = lock["t"] + 1
    assert failed(world.bundle()) == {"V11"}


# ------------------------------------------------------------------------------------------ V6


def test_an_answer_a_mark_a_key_or_a_name_changed_in_the_opening_alone():
    for name, change in (
        ("attempt.answers", lambda v: v["answers"][0].update(value="b")),
        ("mark.sheet", lambda v: v.update(total="99")),
        ("paper.key", lambda v: v["answers"][0].update(key="c")),
        ("person.identity", lambda v: v.update(name="Ai khác")),
    ):
        world = World.of(HALL)
        place, item = next(
            (p, o)
            for p, o in enumerate(world.openings)
            if o.object == name and "c" not in str(o.value.get("x"))
        )
        value = changed(item.value)
        change(value)
        if value == item.value:
            value["form"] = "F9"
        world.openings[place] = replace(item, value=value)
        assert "V6" in failed(world.bundle()), name


def test_another_regulation_and_none():
    name = next(
        n for n, d in unpack(DATA[PUBLIC]).items() if n.startswith("documents/") and d.startswith(b"{")
    )
    assert {"V6", "V4"} <= failed(refit(DATA[PUBLIC], **{name: None}))
    assert {"V1", "V6"} <= failed(
        refit(DATA[PUBLIC], **{name: unpack(DATA[PUBLIC])[name].replace(b"1", b"2", 1)})
    )
    other = b"another document"
    assert failed(refit(DATA[PUBLIC], **{f"documents/{hashlib.sha256(other).hexdigest()}": other})) == {"V6"}


def test_a_public_edition_with_personal_data_or_without_what_it_owes():
    lines = bundle.split_lines(unpack(DATA[RESTRICTED])["openings.jsonl"])
    assert failed(refit(DATA[PUBLIC], **{"openings.jsonl": b"".join(line + b"\n" for line in lines)})) == {
        "V6"
    }
    owed = [
        line
        for line in bundle.split_lines(unpack(DATA[PUBLIC])["openings.jsonl"])
        if b'"draw.terms"' not in line
    ]
    assert "V6" in failed(refit(DATA[PUBLIC], **{"openings.jsonl": b"".join(line + b"\n" for line in owed)}))


def test_erased_personal_data_leave_the_bundle_verified_where_the_log_says_so():
    world = World.of(HALL)
    world.openings = [o for o in world.openings if not entries.object_type(o.object).personal]
    world.chains = {
        attempt: [Save(save.commitment) for save in saves] for attempt, saves in world.chains.items()
    }
    assert failed(world.bundle(PUBLIC)) == set()
    assert failed(world.bundle()) == {"V6"}
    last = world.frames[-1]
    body = {
        "category": "unsuccessful",
        "subjects": "ab" * 32,
        "count": 3,
        "keys": 3,
        "approvals": [{"by": "P-chair", "t": last["t"]}, {"by": "P-secretary", "t": last["t"]}],
        "summary": "ab" * 32,
    }
    world.insert({**last, "type": "erasure.done", "body": body}, last)
    assert failed(world.bundle()) == set()


def test_forms_exchanged_between_approval_and_sealing_and_a_paper_opened_by_too_few():
    world = World.of(HALL)
    sealed = world.find("paper.sealed", paper="T1")
    sealed["body"]["forms"] = world.find("paper.sealed", paper="T2")["body"]["forms"]
    # the scores and scripts of the paper have no questions any more
    assert failed(world.bundle()) == {"V6", "V13", "V14"}
    world = World.of(HALL)
    world.find("paper.share_delivered")["body"]["genuine"] = False
    assert failed(world.bundle()) == {"V6"}


# ------------------------------------------------------------------------------------------ V7


def test_a_draw_with_another_seed_result_nonce_or_outside_value():
    for name in ("seed", "outside"):
        world = World.of(HALL)
        world.find("draw.drawn", draw="D1")["body"][name] = "ab" * 32
        assert failed(world.bundle(PUBLIC)) == {"V7"}
    world = World.of(HALL)
    world.find("draw.revealed", draw="D1")["body"]["nonce"] = "ab" * 32
    assert failed(world.bundle(PUBLIC)) == {"V7"}
    assert failed(refit(DATA[PUBLIC], **{"outside/D1": b"another number"})) == {"V7"}
    assert failed(refit(DATA[PUBLIC], **{"outside/D1": None})) == {"V7"}
    assert failed(refit(DATA[PUBLIC], **{"outside/D77": b"x"})) == {"V7"}


def test_markers_chosen_by_hand():
    """The allocation is changed, in the result of the draw and in the table, and committed to anew."""
    world = World.of(HALL)
    allocated = world.find("scripts.allocated")
    table = changed(world.opening(allocated["body"]["allocation"]).value)
    table["rows"][0]["marker"], table["rows"][1]["marker"] = (
        table["rows"][1]["marker"],
        table["rows"][0]["marker"],
    )
    world.reopen(allocated["body"]["allocation"], table)
    assert "V7" in failed(world.bundle(PUBLIC))
    drawn = world.find("draw.drawn", draw="D1")
    world.reopen(drawn["body"]["result"], {"draw": "D1", "result": table["rows"]})
    assert "V7" in failed(world.bundle(PUBLIC))


def test_a_seed_chosen_after_the_inputs_or_with_a_nonce_left_out():
    world = World.of(HALL)
    announced = world.find("draw.announced", draw="D1")
    fixed, drawn = world.find("draw.fixed", draw="D1"), world.find("draw.drawn", draw="D1")
    revealed = [f for f in world.all("draw.revealed") if f["body"]["draw"] == "D1"]
    world.drop(revealed[1])
    nonces = {revealed[0]["body"]["person"]: revealed[0]["body"]["nonce"]}
    seed = draws.seed("D1", fixed["body"]["inputs"], nonces, HALL.outside["D1"])
    inputs = world.opening(fixed["body"]["inputs"]).value
    rows = draws.replay(seed, inputs["task"], inputs["parameters"]).result
    drawn["body"]["seed"] = seed
    world.reopen(drawn["body"]["result"], {"draw": "D1", "result": rows})
    assert len(announced["body"]["participants"]) == 2
    assert "V7" in failed(world.bundle(PUBLIC))


def test_an_outside_value_that_was_known_when_the_inputs_were_fixed():
    world = World.of(HALL)
    terms = world.find("draw.announced", draw="D1")["body"]["terms"]
    world.reopen(terms, changed(world.opening(terms).value, published=START))
    assert failed(world.bundle(PUBLIC)) == {"V7"}


def test_a_draw_declared_void_without_a_cause():
    """Else whoever knows the numbers and the outside value could have a result that he dislikes declared void."""
    hall = competition(7, 2, scenario=Scenario(incidents=frozenset({"void-draw"})))
    assert failed(World.of(hall).bundle(PUBLIC)) == set()
    for body in (
        {"cause": "late"},  # the inputs were fixed in time
        {"cause": "withheld"},  # nobody is named
        {"cause": "withheld", "person": "P-custodian1"},  # whose number is revealed
        {"cause": "invalid", "person": "P-chair"},  # who gave none
    ):
        world = World.of(hall)
        void = world.find("draw.voided")
        kept = {name: value for name, value in void["body"].items() if name not in ("cause", "person")}
        void["body"] = kept | body
        assert failed(world.bundle(PUBLIC)) == {"V7"}, body
    world = World.of(hall)
    void = world.find("draw.voided")
    draw = void["body"]["draw"]
    for step in ("draw.revealed", "draw.fixed"):
        world.drop(next(one for one in world.all(step) if one["body"]["draw"] == draw))
    del void["body"]["person"]
    void["body"]["cause"] = "late"
    assert failed(world.bundle(PUBLIC)) == set(), "before anything is fixed a draw may be given up"


def test_a_draw_given_up_when_everything_was_known_is_pointed_out():
    hall = competition(7, 2, scenario=Scenario(incidents=frozenset({"void-draw"})))
    world = World.of(hall)
    void = world.find("draw.voided")
    draw = void["body"]["draw"]
    nonce = next(o for o in world.openings if o.object == "draw.nonce" and (o.value["draw"], o.value["person"]) == (draw, "P-custodian2"))
    last = next(one for one in world.all("draw.revealed") if one["body"]["draw"] == draw)
    frame = changed(last, by="P-custodian2")
    frame["body"] |= {"person": "P-custodian2", "nonce": nonce.value["nonce"], "salt": nonce.salt.hex()}
    world.insert(frame, last)
    del void["body"]["person"]
    void["body"]["cause"] = "source"
    report = verify(world.bundle(PUBLIC), POLICY)
    assert report.status == VERIFIED
    (v7,) = [finding for finding in report.findings if finding.check == "V7"]
    assert any(f"{draw}: declared void when every number was revealed" in note for note in v7.notes)


def test_a_draw_that_the_server_held_alone_passes_with_a_word_of_warning():
    world = World.of(HALL)
    terms = world.find("draw.announced", draw="D-P1")["body"]["terms"]
    world.reopen(terms, changed(world.opening(terms).value, method=draws.SERVER_METHOD))
    assert failed(world.bundle()) == {"V7"}  # the outside value is still another than the server's
    fixed, drawn = world.find("draw.fixed", draw="D-P1"), world.find("draw.drawn", draw="D-P1")
    outside = entries.leaf_hash(canonical.encode(fixed)).hex().encode()
    nonces = {
        f["body"]["person"]: f["body"]["nonce"]
        for f in world.all("draw.revealed")
        if f["body"]["draw"] == "D-P1"
    }
    drawn["body"]["outside"] = draws.outside_digest(outside)
    drawn["body"]["seed"] = seed = draws.seed("D-P1", fixed["body"]["inputs"], nonces, outside)
    inputs = world.opening(fixed["body"]["inputs"]).value
    result = draws.replay(seed, inputs["task"], inputs["parameters"]).result
    world.reopen(drawn["body"]["result"], {"draw": "D-P1", "result": result})
    for frame in world.all("hearing.listed"):
        if frame["body"]["draw"] == "D-P1":
            frame["body"]["place"] = 1 + result.index(
                world.opening(frame["body"]["candidate"]).value["candidate"]
            )
    report = verify(world.bundle(), POLICY)
    assert report.status == VERIFIED
    (note,) = [note for f in report.findings if f.check == "V7" for note in f.notes if "alone" in note]
    assert note.startswith("D-P1: held by the server alone")


def test_hearings_in_another_order_than_was_drawn():
    world = World.of(HALL)
    first, second = [f for f in world.all("hearing.listed") if f["body"]["draw"] == "D-P1"][:2]
    first["body"]["place"], second["body"]["place"] = second["body"]["place"], first["body"]["place"]
    assert failed(world.bundle()) == {"V7"}
    assert failed(world.bundle(PUBLIC)) == set()  # who is heard is opened in the restricted edition only


def test_a_replacement_marker_who_was_not_next():
    for honest in (True, False):
        world = World.of(HALL)
        allocated = world.find("scripts.allocated")
        mark = world.find("mark.recorded")
        script, leaves, place = (mark["body"][name] for name in ("script", "marker", "round"))
        rows = world.opening(allocated["body"]["allocation"]).value["rows"]
        stays = next(r["marker"] for r in rows if r["script"] == script and r["marker"] != leaves)
        seed = world.find("draw.drawn", draw="D1")["body"]["seed"]
        order = draws.reserves(seed, script, {f"P-m{n}": f"G{n}" for n in (1, 2, 3, 4)}, [stays], [leaves])
        takes = order[0] if honest else order[1]
        body = {
            "stage": "written",
            "posts": list(POSTS),
            "script": script,
            "round": place,
            "from": leaves,
            "to": takes,
            "cause": "recognised",
            "approvals": [{"by": "P-chair", "t": START}, {"by": "P-secretary", "t": START}],
            "summary": "ab" * 32,
        }
        frame = {
            "v": 1,
            "n": 0,
            "x": CODE,
            "type": "script.reallocated",
            "t": allocated["t"],
            "by": "P-examiner",
            "body": body,
        }
        world.insert(frame, allocated)
        body["summary"] = world.commit(
            frame, "approval.summary", {"type": "script.reallocated", "lines": ["…"]}
        )
        value = changed(world.opening(mark["body"]["sheet"]).value, marker=takes)
        world.reopen(mark["body"]["sheet"], value)
        mark = world.find("mark.recorded", script=script, round=place)
        mark["body"]["marker"] = mark["by"] = takes
        assert failed(world.bundle()) == (set() if honest else {"V7"})


# ------------------------------------------------------------------------------------------ V8


def a_submit(world):
    frame = world.find("attempt.submitted")
    return frame["body"]["attempt"], frame["body"]["answers"]


def test_an_answer_changed_and_committed_to_anew():
    world = World.of(HALL)
    _, answers = a_submit(world)
    value = changed(world.opening(answers).value)
    value["answers"][1]["value"] = "Viết lại cho đẹp."
    world.reopen(answers, value)
    assert failed(world.bundle()) == {"V8"}


def test_saves_changed_dropped_added_late_or_of_somebody_else():
    def edit(change):
        world = World.of(HALL)
        attempt, _ = a_submit(world)
        world.resave(attempt, change)
        return world

    def late(values):
        values[-1]["saved_at"] += 10_000
        return values

    def flagged(values):
        values[-1]["late"] = True
        return values

    def foreign(values):
        values[0]["attempt"] = "A-other"
        return values

    def skipped(values):
        values[1]["version"] = 3
        return values

    def extra(values):
        return [*values, changed(values[-1], version=2, value="thêm")]

    for change in (late, flagged, foreign, skipped, extra, lambda values: values[:-1]):
        assert failed(edit(change).bundle()) == {"V8"}


def test_chains_that_do_not_lead_to_the_heads():
    world = World.of(HALL)
    attempt, _ = a_submit(world)
    world.chains[attempt].pop()
    assert failed(world.bundle()) == {"V8"}
    world = World.of(HALL)
    attempt, _ = a_submit(world)
    counts = world.heads[next(iter(world.heads))]
    counts[attempt] -= 1
    assert failed(world.bundle()) == {"V8"}
    world = World.of(HALL)
    frame = world.find("sitting.heads")
    world.heads.clear()
    assert failed(world.bundle()) == {"V8"}
    frame["body"]["root"] = "ab" * 32
    assert failed(replace_heads(frame, world)) == {"V8"}


def replace_heads(frame, world):
    world.heads[frame["n"]] = dict.fromkeys(sorted(world.chains), 3)
    return world.bundle()


def test_attempts_without_an_end_a_beginning_or_a_count():
    for type, more in (("attempt.submitted", {"V17"}), ("attempt.absent", set())):
        world = World.of(HALL)
        frame = world.find(type)
        world.drop(frame)
        if type == "attempt.submitted":
            world.chains.pop(frame["body"]["attempt"])
        assert "V8" in failed(world.bundle(PUBLIC)), type
        assert more <= failed(world.bundle())
    for type, name in (
        ("sitting.started", "checked_in"),
        ("sitting.closed", "submitted"),
        ("sitting.closed", "absent"),
    ):
        world = World.of(HALL)
        world.find(type)["body"][name] += 1
        assert failed(world.bundle(PUBLIC)) == {"V8"}


def test_an_attempt_submitted_by_the_candidate_after_the_deadline():
    world = World.of(HALL)
    frame = world.find("attempt.submitted")
    value = changed(world.opening(frame["body"]["answers"]).value, deadline=START)
    world.reopen(frame["body"]["answers"], value)
    assert failed(world.bundle()) == {"V8"}


def test_one_slot_left_out_of_an_answer_set():
    world = World.of(HALL)
    _, answers = a_submit(world)
    value = changed(world.opening(answers).value)
    del value["answers"][0]
    world.reopen(answers, value)
    assert failed(world.bundle()) == {"V8", "V13", "V14"}  # and it has a score for the slot left out


# ------------------------------------------------------------------------------------------ V9, V10


def test_a_candidate_who_vanishes_from_the_ranking_and_one_who_appears():
    def drop(rows):
        return rows[:-1]

    def add(rows):
        return [*rows, changed(rows[0], candidate="P1-099")]

    def exchange(rows):
        return [*rows[:-1], changed(rows[-1], candidate="P1-099")]

    # a line for somebody who never sat has no marks to stand on; a line that is missing moves those behind it
    for change, public, restricted in (
        (drop, {"V9", "V14"}, {"V9", "V14"}),
        (add, {"V9"}, {"V9", "V13"}),
        (exchange, set(), {"V9", "V13"}),
    ):
        world = World.of(HALL)
        computed = world.find("results.computed", posts=["P1"])
        value = changed(world.opening(computed["body"]["ranking"]).value)
        value["rows"] = change(value["rows"])
        world.reopen(computed["body"]["ranking"], value)
        world.find("results.computed", posts=["P1"])["body"]["candidates"] = len(value["rows"])
        assert failed(world.bundle()) == restricted, change
        assert failed(world.bundle(PUBLIC)) == public, change


def test_an_attempt_for_somebody_who_was_not_listed_and_two_for_one():
    for candidate in ("P1-099", "P1-002"):
        world = World.of(HALL)
        commitment = world.all("attempt.prepared")[0]["body"]["candidate"]
        value = world.opening(commitment).value
        assert value["candidate"] == "P1-001"
        world.reopen(commitment, changed(value, candidate=candidate))
        assert failed(world.bundle()) == {"V9", "V13", "V14"}  # and the marks are not those of the ranking


def test_a_sheet_changed_and_committed_to_anew():
    world = World.of(HALL)
    sheet = world.find("mark.recorded")["body"]["sheet"]
    world.reopen(sheet, changed(world.opening(sheet).value, total="80"))
    assert failed(world.bundle()) == {"V10", "V13"}  # its criteria add up to another total
    world = World.of(HALL)
    sheet = world.find("mark.recorded")["body"]["sheet"]
    world.reopen(sheet, changed(world.opening(sheet).value, total="80", criteria=[]))
    assert failed(world.bundle()) == {"V10"}
    world = World.of(HALL)
    sheet = world.find("hearing.marked")["body"]["sheet"]
    world.reopen(sheet, changed(world.opening(sheet).value, total="100", criteria=[]))
    assert failed(world.bundle()) == {"V10"}


def test_a_mark_by_somebody_else_missing_or_for_another_script():
    world = World.of(HALL)
    mark = world.find("mark.recorded")
    others = {"P-m1", "P-m2", "P-m3", "P-m4"} - {
        f["by"] for f in world.all("mark.recorded") if f["body"]["script"] == mark["body"]["script"]
    }
    mark["body"]["marker"] = mark["by"] = min(others)
    assert failed(world.bundle(PUBLIC)) == {"V10"}
    world = World.of(HALL)
    world.find("mark.recorded")["by"] = "P-chair"
    assert failed(world.bundle(PUBLIC)) == {"V10"}
    world = World.of(HALL)
    world.drop(world.find("mark.recorded"))
    assert failed(world.bundle(PUBLIC)) == {"V10"}
    world = World.of(HALL)
    world.find("mark.recorded")["body"]["script"] = "K-invented"
    assert "V10" in failed(world.bundle(PUBLIC))


def test_a_mean_that_is_none():
    """The settlement and the ranking are changed together."""
    world = World.of(HALL)
    settlement = world.find("mark.settled")["body"]["settlement"]
    value = world.opening(settlement).value
    world.reopen(settlement, changed(value, mark="79"))
    assert failed(world.bundle()) == {"V13"}


def test_a_panel_of_others_or_shown_too_early():
    world = World.of(HALL)
    marked = world.find("hearing.marked")
    marked["body"]["member"] = marked["by"] = "P-m4"
    assert failed(world.bundle(PUBLIC)) == {"V10"}
    world = World.of(HALL)
    shown = world.find("hearing.shown")
    last = [f for f in world.all("hearing.marked") if f["body"]["hearing"] == shown["body"]["hearing"]][-1]
    world.move(shown, last)
    assert failed(world.bundle(PUBLIC)) == {"V10"}


# ------------------------------------------------------------------------------------------ V12


def test_roles_that_the_regulation_keeps_apart():
    world = World.of(HALL)
    world.find("role.granted", person="P-m4", role="panel-member")["body"]["role"] = "code-custodian"
    assert failed(world.bundle(PUBLIC)) == {"V12"}
    world = World.of(HALL)
    world.find("role.granted", person="P-m4", role="panel-member")["body"]["role"] = "observer"
    assert failed(world.bundle(PUBLIC)) == {"V12"}


def test_a_role_revoked_in_between_conflicts_with_nothing_but_a_mark_needs_it():
    for honest in (True, False):
        world = World.of(HALL)
        granted = world.find("role.granted", person="P-m4", role="panel-member")
        body = {**granted["body"], "role": "marker", "reason": "ended"}
        frame = {**granted, "type": "role.revoked", "body": body}
        world.insert(frame, granted)
        summary = {"type": "role.revoked", "lines": ["m4"]}
        body["summary"] = world.commit(frame, "approval.summary", summary)
        marked = any(f["by"] == "P-m4" for f in world.all("mark.recorded"))
        assert marked
        if honest:
            again = {**granted, "body": {**granted["body"], "role": "marker"}}
            world.insert(again, frame)
            again["body"]["summary"] = world.commit(
                again, "approval.summary", {"type": "role.granted", "lines": ["m4"]}
            )
        assert failed(world.bundle()) == (set() if honest else {"V12"})


def test_marks_and_shares_by_people_without_the_role_and_approvals_by_strangers():
    for person, role in (("P-m1", "marker"), ("P-m1", "panel-member"), ("P-custodian1", "custodian")):
        world = World.of(HALL)
        world.find("role.granted", person=person, role=role)["body"]["role"] = "hr-officer"
        assert failed(world.bundle(PUBLIC)) == {"V12"}
    world = World.of(HALL)
    world.find("marks.locked")["body"]["approvals"][0]["by"] = "P-nobody"
    assert failed(world.bundle(PUBLIC)) == {"V12"}


def test_a_candidate_who_sits_on_the_board():
    world = World.of(HALL)
    commitment = world.find("person.enrolled", person="P-m1")["body"]["identity"]
    candidate = world.opening(world.find("application.submitted")["body"]["identity"]).value["identity"]
    world.reopen(commitment, changed(world.opening(commitment).value, identity=candidate))
    assert failed(world.bundle()) == {"V12"}


# ------------------------------------------------------------------------------------------ V15, V17, V20


def test_a_published_ranking_that_was_not_approved():
    world = World.of(HALL)
    published = world.find("results.published", posts=["P1"])
    item = world.opening(published["body"]["ranking"])
    value = changed(item.value)
    value["rows"][0]["total"] = "199.99"
    salt = bytes(32)
    new = commitments.commit("results.ranking", salt, value)
    published["body"]["ranking"] = new
    world.openings.append(replace(item, entry=published["n"], commitment=new, salt=salt, value=value))
    assert failed(world.bundle(PUBLIC)) == {"V15"}


def test_an_edition_that_does_not_follow_the_one_before():
    world = World.of(HALL)
    world.find("results.published", posts=["P1"])["body"]["edition"] = 2
    assert failed(world.bundle(PUBLIC)) == {"V15"}
    assert failed(compose(material(HALL), PUBLIC, POSTS, 2)) == {"V15"}


def test_two_applications_of_one_person_and_two_codes_of_one_account():
    world = World.of(HALL)
    first, second = (f["body"]["identity"] for f in world.all("application.submitted")[:2])
    identity = world.opening(first).value["identity"]
    world.reopen(second, changed(world.opening(second).value, identity=identity))
    assert failed(world.bundle()) == {"V17"}
    world = World.of(HALL)
    first, second = (f["body"]["identity"] for f in world.all("person.enrolled")[:2])
    world.reopen(second, changed(world.opening(second).value, account=world.opening(first).value["account"]))
    assert failed(world.bundle()) == {"V17"}


def test_a_script_code_put_on_another_attempt():
    world = World.of(HALL)
    first, second = world.find("blind.map")["body"]["pairs"][:2]
    attempt = world.opening(first).value["attempt"]
    world.reopen(second, changed(world.opening(second).value, attempt=attempt))
    assert failed(world.bundle()) == {
        "V13",
        "V14",
        "V17",
    }  # and two people have other essays than were ranked


def test_software_that_the_registry_does_not_know_and_a_competition_it_does_not_know():
    world = World.of(HALL)
    world.find("results.computed")["body"]["release"] = "0.0.9"
    assert failed(world.bundle(PUBLIC)) == {"V20"}
    log = registry()[:-1]
    made = replace(
        material(HALL), registry_entries=log, registry_checkpoint=checkpoint_of(log, REGISTRY_KEY, WITNESSES)
    )
    assert failed(compose(made, PUBLIC, POSTS, 1)) == {"V4"}


# ------------------------------------------------------------------------------------------ V18


def receipt_of(hall, attempt):
    data, index = next(
        (data, index)
        for index, data in enumerate(hall.data)
        if (entry := entries.read_entry(data)).type == "attempt.submitted"
        and entry.body["attempt"] == attempt
    )
    log = hall.data[: index + 4]
    tree = Tree(entries.leaf_hash(item) for item in log)
    salt = next(o.salt for o in hall.openings if o.entry == index and o.object == "attempt.answers")
    return Receipt(
        data, salt, Proof(index, tree.inclusion_proof(index), checkpoint_of(log, LOG_KEY, WITNESSES))
    )


def test_receipts_and_slips_of_an_honest_log():
    attempts = list(HALL.answers)
    made = [receipt_of(HALL, attempt) for attempt in attempts]
    assert (
        failed(DATA[PUBLIC], files=[item.data for item in made], slips=[item.slip for item in made]) == set()
    )
    assert failed(DATA[PUBLIC], None, files=[made[0].data]) == set()


def test_history_rewritten_with_every_key_is_found_by_one_receipt_holder():
    """Answers, saves, chain, heads, submit and all signatures are made anew; without a receipt nobody could tell."""
    world = World.of(HALL)
    attempt, answers = a_submit(world)
    kept = receipt_of(HALL, attempt)

    def better(values):
        values[-1]["value"] = "Bài được viết lại sau giờ thi."
        return values

    world.resave(attempt, better)
    value = changed(world.opening(answers).value)
    value["answers"][1]["value"] = "Bài được viết lại sau giờ thi."
    world.reopen(answers, value)
    assert failed(world.bundle()) == set()
    assert failed(world.bundle(), files=[kept.data]) == {"V18"}
    assert failed(world.bundle(), None, files=[kept.data]) == {"V18"}
    assert failed(world.bundle(), slips=[kept.slip]) == {"V18"}
    point, _ = checkpoints.parse(kept.proof.checkpoint)
    assert point.size < len(world.frames)


def test_receipts_that_prove_nothing():
    honest = receipt_of(HALL, next(iter(HALL.answers)))
    other = competition(seed=8, candidates=2)
    foreign = receipt_of(other, next(iter(other.answers)))
    unsigned = Receipt(honest.entry, honest.salt, Proof(honest.proof.index, (), honest.proof.checkpoint))
    for data in (foreign.data, unsigned.data, b"", b"nonsense", honest.data[:-1]):
        assert failed(DATA[PUBLIC], files=[data]) == {"V18"}
    assert failed(DATA[PUBLIC], slips=[foreign.slip]) == {"V18"}
    assert failed(DATA[PUBLIC], slips=["AAAA"]) == {"V18"}
    assert receipts.slip(entries.leaf_hash(honest.entry)) == honest.slip


# ------------------------------------------------------------------------------------------ V13, V14, V16


def in_ranking(world, change):
    """The ranking of P1 changed wherever it stands."""
    commitment = world.find("results.computed", posts=["P1"])["body"]["ranking"]
    value = changed(world.opening(commitment).value)
    change(value["rows"])
    world.reopen(commitment, value)
    return world


def test_a_rank_an_outcome_or_a_total_that_does_not_follow():
    def ranks(rows):
        rows[0]["rank"], rows[1]["rank"] = rows[1]["rank"], rows[0]["rank"]

    def outcomes(rows):
        rows[0]["outcome"], rows[1]["outcome"] = rows[1]["outcome"], rows[0]["outcome"]

    def total(rows):
        rows[0]["total"] = "1" + rows[0]["total"][1:-1] + "3"

    def priority(rows):
        rows[0]["priority"] = "5"

    def ties(rows):
        rows[0]["ties"] = [{"by": "part-mark", "part": "essay"}]

    for change in (ranks, outcomes, total, priority, ties):
        for kind in (PUBLIC, RESTRICTED):
            assert failed(in_ranking(World.of(HALL), change).bundle(kind)) == {"V14"}, change


def test_a_mark_in_the_ranking_that_is_not_the_one_given():
    """Mark, total and rank fit each other; only answers, sheets and key tell."""

    def better(rows):
        low = min(rows, key=lambda row: float(row["total"]))
        high = max(rows, key=lambda row: float(row["total"]))
        line = next(line for line in low["stages"] if line["part"] == "plan-defence")
        gain = float(high["total"]) - float(low["total"]) + 1
        line["mark"] = f"{float(line['mark']) + gain:.6f}".rstrip("0").rstrip(".")
        low["total"] = f"{float(low['total']) + gain:.6f}".rstrip("0").rstrip(".")
        low["rank"], high["rank"] = 1, 2
        low["outcome"], high["outcome"] = "selected", "passed"

    checks = failed(in_ranking(World.of(HALL), better).bundle())
    assert {"V13"} <= checks <= {"V13", "V14"}
    assert "V13" not in failed(in_ranking(World.of(HALL), better).bundle(PUBLIC))


def test_places_changed_so_that_another_is_selected():
    world = World.of(HALL)
    world.find("results.computed", posts=["P1"])["body"]["places"] = 2
    assert failed(world.bundle(PUBLIC)) == {"V14"}


def test_a_score_that_the_key_does_not_give():
    world = World.of(HALL)
    commitment = world.find("responses.scored")["body"]["scores"]
    value = changed(world.opening(commitment).value)
    row = value["scores"][0]
    row["slots"], row["total"] = (["0"], "0") if row["total"] != "0" else (["20"], "20")
    world.reopen(commitment, value)
    assert failed(world.bundle()) == {"V13"}
    assert failed(world.bundle(PUBLIC)) == set()


def stamped_hall():
    """A competition whose log an outside authority stamped."""
    return competition(5, 1, scenario=Scenario(incidents=frozenset({"stamp"})))


def false_stamps():
    """Public editions with a stamp of another log, another time, or of nothing."""
    hall = stamped_hall()
    stamped = next(
        place for place, data in enumerate(hall.data) if entries.read_entry(data).type == "time.stamped"
    )
    entry = entries.read_entry(hall.data[stamped])
    imprint = read_token(hall.documents[0]).imprint
    for document in (
        token(imprint, entry.time - 5000),
        token(imprint, entry.time + 61),
        token(bytes(32), entry.time),
        token(imprint, entry.time)[:-1],
        b"no token",
    ):
        world = World.of(hall)
        world.base = replace(world.base, documents=[*list(world.base.documents)[:3], document])
        world.find("time.stamped")["body"]["token"] = hashlib.sha256(document).hexdigest()
        yield world.bundle(PUBLIC)
    for name, value in (("size", entry.body["size"] - 1), ("size", 10**6), ("root", "ab" * 32)):
        world = World.of(hall)
        world.find("time.stamped")["body"][name] = value
        yield world.bundle(PUBLIC)


def test_time_stamps_of_another_log_or_another_time():
    assert failed(compose(material(stamped_hall()), PUBLIC, POSTS, 1)) == set()
    assert [failed(data) for data in false_stamps()] == [{"V16"}] * 8
