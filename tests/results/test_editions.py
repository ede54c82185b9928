"""Whole competitions become bundles that a stranger verifies: on both databases, on pages, on the command line."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy.orm import Session

from examsvc.base.database import make_engine
from examsvc.base.errors import Refused
from examsvc.commands.verify import verify as verify_command
from examsvc.competitions.models import Competition
from examsvc.ledger import bundle, duties, issuing, queries, receipt_checks, receipts, signing
from examsvc.ledger.models import FrozenBundle, LogEntry
from examsvc.ledger.operations import REGISTRY
from examsvc.ledger.witnessing import Reply
from examsvc.papers import corrections
from examsvc.papers.models import Form
from examsvc.results import editions, publishing
from examsvc.results import queries as results
from examsvc.verify.findings import Verdict
from examsvc.verify.verification import VERIFIED, verify
from tests.conftest import sqlite_copy
from tests.exam_hall import ExamHall
from tests.ledger.local_witnesses import install
from tests.web import World


def witnesses_of(session: Session, folder: Path) -> None:
    install(folder, *(queries.current_key(session, log)[1] for log in (REGISTRY, "mot")))


def published(session: Session) -> ExamHall:
    """A computer test by three candidates, marked, approved and published."""
    hall = ExamHall(session)
    for phase in ("announced", "applications"):
        hall.phase(phase)
    for name in ("An", "Bình", "Chi"):
        hall.candidate(name)
    form = hall.paper()
    hall.phase("exam")
    sitting = hall.sitting(form)
    hall.write_all(["An", "Bình", "Chi"], sitting, {"An": 8, "Bình": 6, "Chi": 1})
    hall.mark(sitting)
    hall.publish()
    return hall


def failures(data: bytes, session: Session, *files: bytes) -> list[tuple[str, tuple[str, ...]]]:
    report = verify(data, queries.policy(session, "mot"), files)
    found = [(one.check, one.reasons) for one in report.findings if one.verdict is Verdict.FAILED]
    assert (report.status == VERIFIED) == (not found)
    return found


def newest(session: Session, hall: ExamHall) -> list[FrozenBundle]:
    edition = results.published(session, hall.competition_id)
    assert edition is not None
    return editions.freeze(session, edition, now=hall.now)


def test_a_published_competition_becomes_two_editions_that_verify(session: Session, tmp_path: Path) -> None:
    """And again after a question was taken out: a second edition, which names the first."""
    hall = published(session)
    witnesses_of(session, tmp_path)
    public, restricted = newest(session, hall)
    assert (public.kind, restricted.kind, public.edition) == ("public", "restricted", 1)
    held = receipt_of(session, 0)
    assert failures(public.content, session, held) == []
    assert failures(restricted.content, session, held) == []
    assert [one.id for one in newest(session, hall)] == [public.id, restricted.id], "frozen is frozen"
    edition = results.published(session, hall.competition_id)
    basis = editions.basis(session, "mot", max(edition.entries.values()) + 1)
    assert editions.compose(session, "mot", "public", edition, basis) == public.content, "the same rows, the same bytes"
    assert editions.compose(session, "mot", "restricted", edition, basis) == restricted.content
    first, digest = public.content, public.digest
    frozen = [entry.body for entry in queries.of_type(session, "mot", "bundle.frozen")]
    assert [(one["kind"], one["digest"], one["size"]) for one in frozen] == [
        ("public", digest, len(first)),
        ("restricted", restricted.digest, len(restricted.content)),
    ]

    hall.later(minutes=5)
    form = session.get_one(Form, next(iter(hall.forms.values())))
    with hall.write():
        corrections.ask_neutralisation(
            session, form, number=1, reason="hai phương án đúng", by=hall.people["Chief"], now=hall.now
        )
    assert hall.approve_all("Chair") == 1
    hall.compute()
    hall.recommend()
    hall.approve_results()
    with hall.write():
        publishing.propose_publication(session, hall.competition, cause="correction", by=hall.office, now=hall.now)
    assert hall.approve_all("Chair") == 1
    again, again_restricted = newest(session, hall)
    assert again.edition == 2
    last = list(queries.of_type(session, "mot", "results.published"))[-1]
    assert last.body["previous"] == digest
    assert failures(again.content, session, held) == []
    assert failures(again_restricted.content, session, held) == []
    assert failures(first, session, held) == [], "the first edition stays what it was"


def receipt_of(session: Session, number: int) -> bytes:
    row = session.query(LogEntry).filter_by(log="mot", type="attempt.submitted").order_by(LogEntry.position).all()[number]
    found = issuing.receipt_of(session, "mot", row.position)
    assert found is not None
    return found.data


# ---------------------------------------------------------------- one published competition, copied for each test


@dataclass
class Scene:
    session: Session
    now: datetime
    competition_id: int
    people: dict[str, int]
    candidates: dict[str, int]
    address: str


@pytest.fixture(scope="module")
def made(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ExamHall, dict[str, int]]:
    folder = tmp_path_factory.mktemp("published")
    engine = make_engine(sqlite_copy(sqlite_template, folder))
    with Session(engine) as session:
        hall = published(session)
        candidates = {name: hall.application(name).account_id for name in ("An", "Bình", "Chi")}
    raw = engine.raw_connection()
    raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw.close()
    engine.dispose()
    return folder / "examsvc.sqlite", hall, candidates


@pytest.fixture
def scene(made: tuple[Path, ExamHall, dict[str, int]], tmp_path: Path) -> Iterator[Scene]:
    path, hall, candidates = made
    (tmp_path / "database").mkdir()
    address = sqlite_copy(path, tmp_path / "database")
    engine = make_engine(address)
    with Session(engine) as session:
        witnesses_of(session, tmp_path)
        yield Scene(session, hall.now, hall.competition_id, {**hall.people, "Office": hall.office}, candidates, address)
    engine.dispose()


def freeze(scene: Scene) -> list[FrozenBundle]:
    edition = results.published(scene.session, scene.competition_id)
    assert edition is not None
    return editions.freeze(scene.session, edition, now=scene.now)


def world(scene: Scene, folder: Path) -> World:
    """The application on this database, with its witnesses where the test put them."""
    made = signing.installation()
    (folder / "app").mkdir()
    found = World(folder / "app", scene.address, scene.now)
    signing.configure(made)
    return found


def test_silent_witnesses_put_a_bundle_off_and_nothing_else(scene: Scene) -> None:
    session = scene.session
    assert editions.freeze_all(session, scene.now, lambda *_: Reply(0, b"no route")) == 0
    assert queries.editions(session, "mot") == []
    competition = session.get_one(Competition, scene.competition_id)
    with pytest.raises(Refused, match="witnesses have not signed"):
        editions.previous_digest(session, competition)
    assert editions.freeze_all(session, scene.now) == 2
    assert editions.freeze_all(session, scene.now) == 0


def test_one_witness_of_three_is_not_the_quorum(scene: Scene) -> None:
    from examsvc.ledger import witnessing

    def only_press(address: str, path: str, body: bytes | None) -> Reply:
        return witnessing.send(address, path, body) if address.endswith("press") else Reply(0, b"no route")

    edition = results.published(scene.session, scene.competition_id)
    with pytest.raises(editions.NotWitnessed, match="Too few witnesses"):
        editions.freeze(scene.session, edition, now=scene.now, sender=only_press)


def test_the_public_edition_holds_no_name_and_no_answer(scene: Scene) -> None:
    public, restricted = freeze(scene)
    everything = b"".join(bundle.unpack(public.content).values())
    for name in ("An", "Bình", "Chi"):
        assert f'"name":"{name}"'.encode() not in everything
    assert b"attempt.answers" not in everything
    assert "saves.jsonl" not in bundle.unpack(public.content)
    inside = b"".join(bundle.unpack(restricted.content).values())
    assert b"attempt.answers" in inside
    assert len(bundle.unpack(restricted.content)["saves.jsonl"].splitlines()) == 15


def test_who_may_have_which_edition(scene: Scene, tmp_path: Path) -> None:
    public, restricted = freeze(scene)
    here = world(scene, tmp_path)
    stranger = here.client()
    page = stranger.get("/competitions/mot/bundle").get_data(as_text=True)
    assert public.digest in page
    assert restricted.digest not in page
    fetched = stranger.get("/competitions/mot/bundle/1-public.zip")
    assert hashlib.sha256(fetched.data).hexdigest() == public.digest
    address = "/competitions/mot/bundle/1-restricted.zip"
    candidate, chair = here.client(scene.candidates["Bình"]), here.client(scene.people["Chair"])
    assert [one.get(address).status_code for one in (stranger, candidate, chair)] == [404, 404, 404], "not given out yet"
    assert here.client(scene.people["Marker1"]).post("/competitions/mot/bundle/1-restricted/release").status_code == 403
    assert chair.post("/competitions/mot/bundle/1-restricted/release").status_code == 302
    from examsvc.accounts import approvals
    from examsvc.base.database import writing

    with here.session() as session:
        (request,) = approvals.waiting(session, "mot", scene.now)
        with writing(session):
            assert approvals.approve(session, request.id, by=scene.people["Office"], digest=request.digest, now=scene.now)
    assert [one.get(address).status_code for one in (stranger, candidate, chair)] == [404, 200, 200]
    assert here.client(scene.people["Marker1"]).get(address).status_code == 404
    assert stranger.get("/competitions/mot/bundle/7-public.zip").status_code == 404
    assert chair.post("/competitions/mot/bundle/1-restricted/release").status_code == 409
    scene.session.rollback()
    released = list(queries.of_type(scene.session, "mot", "bundle.released"))
    assert [(one.body["kind"], one.body["digest"], len(one.body["approvals"])) for one in released] == [
        ("restricted", restricted.digest, 2)
    ]


def test_a_withheld_competition_shows_its_record_to_nobody_outside(scene: Scene, tmp_path: Path) -> None:
    freeze(scene)
    scene.session.rollback()
    competition = scene.session.get_one(Competition, scene.competition_id)
    competition.classified = True
    scene.session.commit()
    here = world(scene, tmp_path)
    places = ("/bundle", "/bundle/1-public.zip", "/record", "/record/checkpoint", "/record/entries.jsonl", "/record/policy")
    assert {here.client().get(f"/competitions/mot{place}").status_code for place in places} == {404}
    chair = here.client(scene.people["Chair"])
    assert [chair.get(f"/competitions/mot{place}").status_code for place in places] == [200, 404, 200, 200, 200, 200]


def test_the_record_shows_who_has_seen_what(scene: Scene, tmp_path: Path) -> None:
    duties.sign_and_show(scene.session, scene.now)
    here = world(scene, tmp_path)
    page = here.client().get("/competitions/mot/record").get_data(as_text=True)
    size = queries.size(scene.session, "mot")
    assert page.count("Up to date") == 3
    assert f"{size} entries" in page
    assert "2 of these 3 witnesses" in page
    lines = here.client().get("/competitions/mot/record/entries.jsonl").data.splitlines()
    assert len(lines) == size
    policy = here.client().get("/competitions/mot/record/policy").data
    assert hashlib.sha256(policy).hexdigest() in b"".join(lines).decode()
    note = here.client().get("/competitions/mot/record/checkpoint").data
    assert queries.policy(scene.session, "mot").verify(note).checkpoint.size == size
    registry = here.client().get("/record").get_data(as_text=True)
    assert "Competition one" in registry
    assert here.client().get("/record/checkpoint").status_code == 200
    assert len(here.client().get("/record/entries.jsonl").data.splitlines()) == queries.size(scene.session, REGISTRY)


def test_each_candidate_has_his_own_receipts_and_anybody_checks_them(scene: Scene, tmp_path: Path) -> None:
    here = world(scene, tmp_path)
    an, other = here.client(scene.candidates["An"]), here.client(scene.candidates["Bình"])
    an.get("/language/en")
    page = an.get("/competitions/mot/my-receipts").get_data(as_text=True)
    assert "as soon as the witnesses have signed" in page
    duties.sign_and_show(scene.session, scene.now)
    page = an.get("/competitions/mot/my-receipts").get_data(as_text=True)
    address = page.partition('href="/competitions/mot/my-receipts/')[2].partition('"')[0]
    got = an.get(f"/competitions/mot/my-receipts/{address}")
    assert got.status_code == 200
    assert other.get(f"/competitions/mot/my-receipts/{address}").status_code == 404
    assert here.client(scene.people["Marker1"]).get("/competitions/mot/my-receipts").status_code == 404
    assert here.client().get("/competitions/mot/my-receipts").status_code == 302
    receipt = receipts.read_receipt(got.data)
    assert receipt.slip in page

    import io

    def check(**fields: object) -> str:
        return here.client().post("/receipt", data=fields).get_data(as_text=True)

    assert "The receipt is genuine" in check(file=(io.BytesIO(got.data), "mine.tlog-proof"))
    assert "The receipt is genuine" in check(text=got.data.decode())
    assert "These characters are known" in check(slip=receipt.slip.lower().replace("-", " "))
    assert "No record here" in check(slip="AAAAA-AAAAA-AAAAA-AAAAA")
    assert "twenty characters" in check(slip="<script>")
    assert "Enter the twenty characters" in check()
    assert "This is no receipt" in check(file=(io.BytesIO(b"\xff" * 1000), "x"))
    assert "This is no receipt" in check(text="x" * 300_000)
    forged = got.data.replace(b"index ", b"index 1", 1)
    assert "This does not hold" in check(file=(io.BytesIO(forged), "x"))
    assert here.client().get("/receipt?slip=" + receipt.slip).get_data(as_text=True).count("known") == 1


def test_a_receipt_shows_that_the_record_was_rewritten(scene: Scene) -> None:
    duties.sign_and_show(scene.session, scene.now)
    data, policy = receipt_of(scene.session, 1), queries.policy(scene.session, "mot")
    assert receipt_checks.check(data, policy, issuing.entry_at(scene.session, "mot")).good
    rewritten = receipt_checks.check(data, policy, lambda index: b"another entry")
    assert not rewritten.good
    assert [step.holds for step in rewritten.steps] == [True, True, True, True, False]
    gone = receipt_checks.check(data, policy, lambda index: None)
    assert gone.steps[-1].detail == "missing"


def command(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(verify_command, list(words))
    return done.exit_code, done.output


def test_the_command_says_in_words_what_holds(scene: Scene, tmp_path: Path) -> None:
    public, restricted = freeze(scene)
    files = {"public.zip": public.content, "restricted.zip": restricted.content, "mine": receipt_of(scene.session, 0)}
    files["policy"] = queries.policy_bytes(scene.session, "mot") or b""
    files["broken.zip"] = public.content[:-1]
    files["changed.zip"] = changed(public.content)
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    at = {name: str(tmp_path / name) for name in files}
    code, said = command(at["restricted.zip"], "--policy", at["policy"], "--receipt", at["mine"])
    assert code == 0
    assert "Đã kiểm chứng" in said
    assert said.count("KHÔNG ĐẠT") == 0
    code, said = command(at["public.zip"], "--policy", at["policy"], "--language", "en")
    assert (code, "Verified: nothing contradicts" in said) == (0, True)
    assert command(at["public.zip"], "--language", "en")[0] == 3
    assert command(at["broken.zip"], "--policy", at["policy"])[0] == 2
    code, said = command(at["changed.zip"], "--policy", at["policy"], "--language", "en")
    assert code == 1
    assert "NOT verified. These checks failed: V3" in said
    code, said = command(at["changed.zip"], "--policy", at["policy"], "--json")
    assert (code, json.loads(said)["status"]) == (1, 1)
    code, said = command("--receipt", at["mine"], "--policy", at["policy"], "--language", "en")
    assert (code, "The receipts are genuine" in said) == (0, True)
    assert command("--receipt", at["mine"])[0] == 3
    assert command("--receipt", at["public.zip"], "--policy", at["policy"])[0] == 2
    assert command("--policy", at["policy"])[0] == 2
    assert command(at["public.zip"], "--policy", at["mine"])[0] == 2


def changed(data: bytes) -> bytes:
    """The bundle with one entry's time changed, and packed again as if nothing were wrong."""
    files = bundle.unpack(data)
    lines = files["log/entries.jsonl"].split(b"\n")
    entry = json.loads(lines[5])
    entry["t"] -= 1
    lines[5] = receipts.canonical.encode(entry)
    files["log/entries.jsonl"] = b"\n".join(lines)
    manifest = json.loads(files["manifest.json"])
    content = files["log/entries.jsonl"]
    manifest["files"]["log/entries.jsonl"] = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    files["manifest.json"] = receipts.canonical.encode(manifest)
    return bundle.pack(files)
