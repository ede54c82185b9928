"""The marking guide in versions: a change is approved by two, says why, and takes back the marks that it touches."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from examsvc.accounts.approvals import Approved, Terms, ask, carries_out, line
from examsvc.accounts.models import ApprovalRequest
from examsvc.base import messages
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.base.language import LANGUAGE_NAMES, both, nfc
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition
from examsvc.competitions.terms import write_exact
from examsvc.ledger.operations import Sealed, record
from examsvc.marking import queries, scope
from examsvc.marking.models import Guide, Script
from examsvc.marking.replacing import THIRD
from examsvc.papers import queries as papers
from examsvc.papers.models import ItemVersion

MOST_LETTERS = 20_000
STEP = "change-after-lock"  # like a corrected key: the paper is open, and what is marked by it changes


@dataclass(frozen=True)
class Task:
    """A task of a part with its guide as it stands, the scripts written on it, and marks given under this guide."""

    version: ItemVersion
    guide: queries.TaskGuide
    scripts: int
    marks: int

    @property
    def title(self) -> str:
        """The task's identifier in its bank, which says nothing of candidates."""
        return self.version.identifier


def tasks(session: Session, competition: Competition, part: str) -> list[Task]:
    """The tasks that candidates wrote on in a part, by identifier; none before the scripts are coded."""
    scope.scheme(competition, part)
    by_task: dict[int, list[Script]] = {}
    for script in queries.scripts(session, competition.id, part):
        by_task.setdefault(script.item_version_id, []).append(script)
    found = [
        Task(of[0].item_version, queries.guide(session, of[0]), len(of), given_marks(of)) for of in by_task.values()
    ]
    return sorted(found, key=lambda task: task.title)


def given_marks(scripts: list[Script]) -> int:
    """Marks that markers have given to these scripts and that count now."""
    return sum(1 for script in scripts for one in queries.active_allocations(script) if one.sheet is not None)


def ask_change(
    session: Session,
    competition: Competition,
    *,
    part: str,
    item: str,
    texts: Mapping[str, str],
    reason: str,
    by: int,
    now: datetime,
    language: str = "vi",
) -> ApprovalRequest:
    """Asks to change the guide of one task, known by its item's digest; a second person approves.

    Says in the summary how many marks go back to their markers.  Refused once the marks are locked.
    """
    scope.require_open(session, competition, part)
    task = _task(session, competition, part, item)
    written = {one: nfc(texts.get(one, "")).strip() for one in ("vi", "en")}
    for one, text in written.items():
        if not text:
            raise Refused(N_("Write the guide."), field=one)
        if len(text) > MOST_LETTERS:
            raise Refused(N_("The guide has at most %(most)d letters."), most=MOST_LETTERS, field=one)
    if written == {one: task.guide.text.get(one, "").strip() for one in written}:
        raise Refused(N_("The guide says the same as before. Change it, or leave it."), field="vi")
    if not reason.strip():
        raise Refused(N_("Write the reason; it goes into the record."), field="reason")
    terms = competitions.approval_terms(competition, STEP)
    return ask(
        session,
        kind="marking.guide",
        entry_type="guide.set",
        competition=competition.slug,
        lines=[
            line(language, N_("Change the marking guide of the task"), task.title),
            line(language, N_("Version"), f"{task.guide.version} → {task.guide.version + 1}"),
            line(language, N_("Reason"), reason.strip()),
            line(language, N_("Marks that go back to their markers"), str(task.marks)),
            *(
                line(language, N_("New guide"), f"{LANGUAGE_NAMES[one]}, SHA-256 {_digest(text)}\n{text}")
                for one, text in written.items()
            ),
        ],
        arguments={"part": part, "item": item, "texts": written, "reason": reason.strip(), "from": task.guide.version},
        terms=Terms(tuple(dict.fromkeys(("chief-examiner", *terms.roles))), terms.people, terms.expires),
        by=by,
        now=now,
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _task(session: Session, competition: Competition, part: str, item: str) -> Task:
    for task in tasks(session, competition, part):
        if task.version.digest == item:
            return task
    raise NotFound()


@carries_out("marking.guide")
def _set(session: Session, approved: Approved) -> None:
    competition = competitions.competition(session, approved.competition)
    part, item, reason = (str(approved.arguments[name]) for name in ("part", "item", "reason"))
    scope.require_open(session, competition, part)
    task = _task(session, competition, part, item)
    if task.guide.version != approved.arguments["from"]:
        raise Refused(N_("The guide has changed since this was asked for. Read it again and ask anew."))
    version = task.guide.version + 1
    scheme, frame = scope.scheme(competition, part), scope.of_part(competition, part)
    scripts = _scripts_of_scheme(session, competition, frame["stage"], scheme.id)
    touched = [one for one in scripts if one.item_version.digest == item]
    marks = given_marks(touched)
    markers = {a.marker_id for one in touched for a in queries.active_allocations(one) if a.sheet is not None}
    texts = {one.item_version.digest: dict(queries.guide(session, one).text) for one in scripts}
    texts[item] = dict(approved.arguments["texts"])
    session.add(
        Guide(
            competition_id=competition.id,
            stage=frame["stage"],
            scheme=scheme.id,
            version=version,
            tasks=texts,
            changed=[item],
            touched=marks,
            reason=reason,
            made_at=approved.now,
            made_by_id=approved.asked_by,
        )
    )
    for one in touched:
        one.guide = version
        for allocation in one.allocations:
            if allocation.round == THIRD:
                allocation.called_at = None  # whether a third mark is needed, the new marks will say
    session.flush()
    record(
        session,
        competition.slug,
        "guide.set",
        now=approved.now,
        by=scope.actor(session, approved.asked_by),
        approvals=approved.approvals,
        summary=approved.summary,
        **frame,
        scheme=scheme.id,
        version=version,
        guide=Sealed({"scheme": scheme.id, "version": version, "tasks": _committed(scripts, texts)}),
        touched=marks,
    )
    for marker in sorted(markers):
        messages.send(
            session,
            account_id=marker,
            competition=competition.slug,
            subject=both(N_("The marking guide has changed")),
            body=both(
                N_(
                    "The marking guide of the task %(task)s has changed (version %(version)d). Reason: %(reason)s\n\n"
                    "Marks that you gave to its scripts are back on your desk, as you gave them; mark these scripts again by the new guide."
                ),
                task=task.title,
                version=version,
                reason=reason,
            ),
            now=approved.now,
        )


def _scripts_of_scheme(session: Session, competition: Competition, stage: str, scheme: str) -> list[Script]:
    regulation = competitions.regulation(competition)
    return [
        script
        for part in regulation.stage(stage).parts
        if part.kind in ("essay", "plan") and scope.scheme(competition, part.id).id == scheme
        for script in queries.scripts(session, competition.id, part.id)
    ]


def _committed(scripts: list[Script], texts: Mapping[str, Mapping[str, str]]) -> list[dict[str, object]]:
    """Criteria, anchors, marks and guide of every task of the scheme, by digest: the shape of the guide in the sealed paper."""
    versions = {one.item_version.digest: (one.item_version, one.maximum) for one in scripts}
    found: list[dict[str, object]] = []
    for digest, (version, marks) in sorted(versions.items()):
        item = papers.item(version)
        found.append(
            {
                "item": digest,
                "marks": marks,
                "guide": dict(texts[digest]),
                "criteria": [
                    {
                        "id": one.id,
                        "title": dict(one.title.values),
                        "marks": write_exact(one.marks),
                        "levels": [
                            {"marks": write_exact(level.marks), "text": dict(level.text.values)} for level in one.levels
                        ],
                    }
                    for one in item.rubric
                ],
            }
        )
    return found
