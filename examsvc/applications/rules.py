"""Decisions on files that need no database: numbers, deadlines, what is missing, what may be granted."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from math import floor
from typing import Any, Literal
from zoneinfo import ZoneInfo

from examsvc.applications import questions
from examsvc.base.errors import N_
from examsvc.competitions.calendar import WorkingDays, local_midnight
from examsvc.competitions.entry_clauses import DeclarationCriterion, FileRule, SupplementRule
from examsvc.competitions.exam_clauses import EssayPart, ObjectivePart
from examsvc.competitions.regulation import Regulation

# ---------------------------------------------------------------- candidate numbers

FEWEST_NUMBERS = 900


def candidate_number(code: str, taken: Collection[str]) -> str:
    """A free number for the application with this random code.

    Numbers stand in public lists, so they must tell nothing: neither the order of handing in (a running number would) nor the
    alphabet of names (numbers given from the sorted list would).  The place is a hash of the code, which is random and known
    to candidate and personnel only; the next free number is taken.  Three digits from 100, more digits once a third is used.
    """
    size = FEWEST_NUMBERS
    while len(taken) * 3 >= size:
        size *= 10
    place = int.from_bytes(hashlib.sha256(f"number of {code}".encode()).digest()[:8]) % size
    for step in range(size):
        number = str(size // 9 + (place + step) % size)
        if number not in taken:
            return number
    raise RuntimeError("no number is free")


# ---------------------------------------------------------------- time


def is_open(opened_at: datetime, until: datetime, closed_at: datetime | None, now: datetime) -> bool:
    """Whether a round takes applications: from its opening until just before its end, to the millisecond."""
    return closed_at is None and opened_at <= now < until


def supplement_deadline(rule: SupplementRule, asked_at: datetime, days: WorkingDays, zone: ZoneInfo) -> datetime:
    """Midnight after the last day for a supplement asked for at that moment; it must come in before it.

    The day of the request does not count.  A last day that is a calendar day may be a holiday: the regulation says which days it counts.
    """
    asked = asked_at.astimezone(zone).date()
    last = days.shift(asked, rule.length) if rule.unit == "working-days" else asked + timedelta(days=rule.length)
    return local_midnight(last + timedelta(days=1), zone)


# ---------------------------------------------------------------- what is missing

State = Literal["not-started", "in-progress", "done", "problem"]


@dataclass(frozen=True)
class Lack:
    """One thing that is missing: in which section, which sentence says so, and the anchor on the section's page."""

    section: str
    sentence: str
    about: str | Mapping[str, str] = ""


@dataclass(frozen=True)
class Section:
    """One line of the candidate's task list."""

    name: str
    label: str
    state: State
    optional: bool = False


@dataclass(frozen=True)
class FileState:
    """What the rules need to know of a file as it stands now."""

    stream: str
    identity_known: bool
    birth_known: bool
    answers: Mapping[str, Any]
    signed: Collection[str]
    uploaded: Collection[str]
    relatives_answered: bool


def files_asked(regulation: Regulation, stream: str) -> tuple[FileRule, ...]:
    """Files that this stream may or must hand in, the required first."""
    found = [one for one in regulation.files if not one.streams or stream in one.streams]
    return tuple(sorted(found, key=lambda one: not one.required))


def declarations(regulation: Regulation, stream: str) -> tuple[DeclarationCriterion, ...]:
    """Statements that this stream signs."""
    return tuple(one for one in questions.applicable(regulation, stream) if isinstance(one, DeclarationCriterion))


def required_files(regulation: Regulation, stream: str, answers: Mapping[str, Any]) -> frozenset[str]:
    """Kinds of files without which the application is incomplete: those the regulation requires, those the stream
    rests on, and the evidence of the priority that the candidate claims."""
    wanted = {one.id for one in files_asked(regulation, stream) if one.required}
    wanted |= {kind for one in regulation.admission.streams if one.id == stream for kind in one.evidence}
    if regulation.priority is not None:
        claimed = answers.get("priority") or ()
        wanted |= {kind for one in regulation.priority.entries if one.id in claimed for kind in one.evidence}
    return frozenset(wanted)


def missing(regulation: Regulation, state: FileState) -> tuple[Lack, ...]:
    """Everything that still lacks before the file can be handed in."""
    found: list[Lack] = []
    if not state.birth_known:
        found.append(Lack("person", N_("Your date of birth"), "birth_date"))
    if not state.identity_known:
        found.append(Lack("person", N_("The number of your identity document"), "identity"))
    for question in questions.unanswered(regulation, state.stream, state.answers):
        found.append(Lack("person", N_("An answer: %(about)s"), question.label))
    if not state.relatives_answered:
        found.append(Lack("relatives", N_("Whether somebody close to you sits on the boards")))
    for one in declarations(regulation, state.stream):
        if one.id not in state.signed:
            found.append(Lack("declarations", N_("Your signature: %(about)s"), one.label.model_dump()))
    needed = required_files(regulation, state.stream, state.answers)
    for rule in regulation.files:
        if rule.id in needed and rule.id not in state.uploaded:
            found.append(Lack("files", N_("A file: %(about)s"), rule.label.model_dump()))
    return tuple(found)


SECTIONS = {
    "person": N_("Your details"),
    "relatives": N_("Relatives and other ties to the boards"),
    "declarations": N_("Declarations to sign"),
    "files": N_("Files and action plan"),
    "accommodation": N_("Arrangements for the exam (confidential)"),
}


def sections(regulation: Regulation, state: FileState, *, accommodation: State) -> tuple[Section, ...]:
    """The task list, in order; a section that the regulation does not need is left out."""
    lacks: dict[str, int] = {}
    for lack in missing(regulation, state):
        lacks[lack.section] = lacks.get(lack.section, 0) + 1
    begun = {
        "person": state.birth_known or bool({k: v for k, v in state.answers.items() if v not in (None, "", [])}),
        "relatives": state.relatives_answered,
        "declarations": bool(state.signed),
        "files": bool(state.uploaded),
    }
    found = []
    for name, label in SECTIONS.items():
        if name == "declarations" and not declarations(regulation, state.stream):
            continue
        if name == "files" and not files_asked(regulation, state.stream):
            continue
        if name == "accommodation":
            if regulation.admission.accommodations.kinds:
                found.append(Section(name, label, accommodation, optional=True))
            continue
        progress: State = "done" if name not in lacks else ("in-progress" if begun[name] else "not-started")
        found.append(Section(name, label, progress))
    return tuple(found)


def signs(typed: str, name: str) -> bool:
    """Whether the typed text is the person's name: capitals and extra spaces do not matter, accents do."""

    def plain(text: str) -> str:
        return " ".join(unicodedata.normalize("NFC", text).casefold().split())

    return bool(plain(typed)) and plain(typed) == plain(name)


# ---------------------------------------------------------------- accommodations

EXTRA = "extra-minutes"


def most_extra(regulation: Regulation) -> dict[str, int]:
    """The most extra minutes for each seated part: the regulation's share of its minutes, whole minutes."""
    share = regulation.admission.accommodations.extra_share
    return {
        part.id: floor(Fraction(share) * part.minutes)
        for part in regulation.parts
        if isinstance(part, ObjectivePart | EssayPart) and part.minutes is not None
    }


def beyond(extra: Mapping[str, int], most: Mapping[str, int]) -> list[str]:
    """Parts for which more is asked than the regulation allows, or which are not seated parts."""
    return sorted(part for part, minutes in extra.items() if minutes < 0 or minutes > most.get(part, 0))


def measure_codes(measures: Sequence[str], extra: Mapping[str, int]) -> list[str]:
    """How the ledger names what was granted: the kinds, and for extra time each part with its minutes."""
    codes = [measure for measure in measures if measure != EXTRA]
    return sorted(codes) + [f"{EXTRA}.{part}.{minutes}" for part, minutes in sorted(extra.items()) if minutes]


# ---------------------------------------------------------------- enough candidates


def short_posts(eligible: Mapping[str, int], least: int, settled: Collection[str]) -> list[str]:
    """Posts with fewer eligible candidates than the regulation asks and no decision how to go on."""
    return sorted(post for post, count in eligible.items() if count < least and post not in settled)
