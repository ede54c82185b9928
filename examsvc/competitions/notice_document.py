"""The public notice as a document: made from the data of a competition, complete in both languages, known by its digest.

A notice holds every sentence as it was published, so that what people read in a year is what they read on the first day,
whatever the software has learnt to say meanwhile.  Its bytes are canonical JSON (``ledger.canonical``)::

    {"format": 1, "competition": slug, "revision": n, "title": label, "regulation": {"id", "version", "title", "digest"},
     "posts": [{"code", "title", "unit", "level", "vacancies"}], "dates": [{"event", "label", "t"}],
     "sections": [{"id", "title", "items": [{"heading": label or null, "lines": [label, …]}]}]}

A label is {"vi": …, "en": …}; "t" are seconds UTC.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from examsvc.base.clock import seconds
from examsvc.base.errors import N_
from examsvc.base.language import LANGUAGES, both
from examsvc.competitions.exam_clauses import ObjectivePart
from examsvc.competitions.regulation import Regulation, clauses
from examsvc.competitions.regulation_text import clause_text
from examsvc.competitions.result_clauses import Priority, Publication, Selection, Ties, Total
from examsvc.competitions.terms import Clause
from examsvc.competitions.wording import Words
from examsvc.competitions.wording_entry import CONTENTS
from examsvc.ledger import canonical

Label = dict[str, str]
TEXTS: Mapping[str, str] = {
    "subjects": N_("Content of the exam: subjects and reading list"),
    "place": N_("Place of the exam"),
    "handing-in": N_("Where and how files are handed in"),
    "contact": N_("Whom to ask: office, telephone, e-mail"),
    "privacy": N_("What becomes of personal data, beyond what the regulation says"),
    "posted": N_("Where else the notice appears"),
}
"""What the office writes: name of the text → what it is for."""


@dataclass(frozen=True)
class Post:
    """A post as the notice shows it."""

    code: str
    title: Label
    unit: Label
    level: str
    vacancies: int


@dataclass(frozen=True)
class Source:
    """Everything a notice is made from."""

    slug: str
    title: Label
    regulation: Regulation
    digest: str
    """Of the regulation's bytes as they are stored."""
    posts: Sequence[Post]
    events: Mapping[str, datetime]
    texts: Mapping[str, Label]


@dataclass(frozen=True)
class Gap:
    """Something that the regulation asks of the notice and that is not there; ``where`` is the step of the set-up that mends it."""

    item: str
    sentence: str
    where: str
    params: Mapping[str, str]


def gaps(source: Source) -> list[Gap]:
    """What is missing for a complete notice, in the order of the regulation's list."""
    found: list[Gap] = []
    wanted = source.regulation.notice.contents

    def gap(item: str, sentence: str, where: str, **params: str) -> None:
        found.append(Gap(item, sentence, where, params))

    def text(item: str, name: str) -> None:
        if any(not source.texts.get(name, {}).get(language, "").strip() for language in LANGUAGES):
            gap(item, N_("Write in both languages: %(text)s."), "notice", text=TEXTS[name])

    for item in wanted:
        if item in ("posts", "places"):
            if not source.posts:
                gap(item, N_("Add at least one post."), "posts")
            for post in source.posts:
                if any(not one.get(language, "").strip() for one in (post.title, post.unit) for language in LANGUAGES):
                    gap(item, N_("The post %(code)s needs its title and unit in both languages."), "posts", code=post.code)
        elif item == "deadline":
            for event in ("applications-opened", "applications-closed"):
                if event not in source.events:
                    gap(item, N_("Set the date: %(event)s."), "calendar", event=event)
        elif item == "time-and-place":
            for stage in examined(source.regulation):
                if f"exam-started:{stage}" not in source.events:
                    gap(item, N_("Set the date: %(event)s."), "calendar", event=f"exam-started:{stage}")
            text(item, "place")
        elif item == "form-and-content":
            text(item, "subjects")
        elif item == "files":
            text(item, "handing-in")
        elif item in ("contact", "privacy"):
            text(item, item)
    if any(channel != "website" for channel in source.regulation.notice.channels):
        text("channels", "posted")
    return [one for place, one in enumerate(found) if one not in found[:place]]


def examined(regulation: Regulation) -> list[str]:
    """The stages with a time at which candidates appear, in order."""
    return [
        stage.id
        for stage in regulation.stages
        if stage.kind == "examination" and any(part.minutes is not None for part in stage.parts)
    ]


def compose(source: Source, revision: int) -> dict[str, Any]:
    """The document; see the module for its fields."""
    rules = source.regulation
    words = {language: Words(language, rules) for language in LANGUAGES}
    level = {one.id: one.label.model_dump() for one in rules.posts.levels}
    dated = [event for event in _order(rules) if event in source.events]
    return {
        "format": 1,
        "competition": source.slug,
        "revision": revision,
        "title": dict(source.title),
        "regulation": {
            "id": rules.id,
            "version": rules.version,
            "title": rules.title.model_dump(),
            "digest": source.digest,
        },
        "posts": [
            {
                "code": post.code,
                "title": dict(post.title),
                "unit": dict(post.unit),
                "level": level.get(post.level, {"vi": post.level, "en": post.level}),
                "vacancies": post.vacancies,
            }
            for post in source.posts
        ],
        "dates": [
            {
                "event": event,
                "label": {language: words[language].event(event) for language in LANGUAGES},
                "t": seconds(source.events[event]),
            }
            for event in dated
        ],
        "sections": [section for section in _sections(source, words) if section["items"]],
    }


def document_bytes(document: Mapping[str, Any]) -> bytes:
    """The canonical bytes."""
    return canonical.encode(dict(document))


def digest(document: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical bytes, as the ledger has it."""
    return hashlib.sha256(document_bytes(document)).hexdigest()


def _order(rules: Regulation) -> list[str]:
    """Events that a notice shows, in the order of their course."""
    stages = [f"{kind}:{stage}" for stage in examined(rules) for kind in ("exam-started", "exam-ended")]
    return [
        "applications-opened",
        "applications-closed",
        "eligibility-decided",
        "eligible-list-published",
        *stages,
        "results-published",
    ]


Item = dict[str, Any]


def _sections(source: Source, words: Mapping[str, Words]) -> list[dict[str, Any]]:
    every = list(clauses(source.regulation))

    def spoken(*starts: str) -> list[Item]:
        """The clauses under these paths."""
        return [_item(words, path, clause) for path, clause in every if path.startswith(starts)]

    def of_kind(*kinds: type[Clause]) -> list[Item]:
        return [_item(words, path, clause) for kind in kinds for path, clause in every if isinstance(clause, kind)]

    def written(*names: str) -> list[Item]:
        return [
            {"heading": None, "lines": [dict(source.texts[name])]} for name in names if any(source.texts.get(name, {}).values())
        ]

    machine = any(isinstance(part, ObjectivePart) for part in source.regulation.parts)
    marked = [{"heading": None, "lines": [both(MACHINE)]}] if machine else []
    content = [
        ("criteria", CONTENTS["criteria"], spoken("admission.streams", "admission.criteria", "admission.minimum")),
        ("files", CONTENTS["files"], [*written("handing-in"), *spoken("files.", "admission.supplement")]),
        ("form-and-content", CONTENTS["form-and-content"], [*written("subjects"), *spoken("stages.")]),
        ("time-and-place", CONTENTS["time-and-place"], [*written("place"), *spoken("late.")]),
        (
            "marking",
            N_("how it is marked and ranked"),
            [*marked, *spoken("marking.", "panels."), *of_kind(Total, Priority, Ties, Selection)],
        ),
        ("draws", N_("what is drawn by lot, and how"), spoken("draws.")),
        ("publication", N_("what is published"), of_kind(Publication)),
        ("accommodations", N_("arrangements for candidates who need them"), spoken("admission.accommodations")),
        ("appeals", CONTENTS["appeals"], spoken("appeals.")),
        ("privacy", CONTENTS["privacy"], [*written("privacy"), *spoken("retention.")]),
        ("contact", CONTENTS["contact"], written("contact")),
        ("posted", N_("where the notice appears"), written("posted")),
    ]
    return [{"id": name, "title": _titled(both(title)), "items": _joined(items)} for name, title, items in content]


MACHINE = N_("Tests on the computer are marked by the machine with the key that was sealed with the paper.")


def _item(words: Mapping[str, Words], path: str, clause: Clause) -> Item:
    texts = {language: clause_text(words[language], path, clause) for language in LANGUAGES}
    lines = zip(*(texts[language].lines for language in LANGUAGES), strict=True)
    return {
        "heading": {language: texts[language].heading for language in LANGUAGES},
        "lines": [dict(zip(LANGUAGES, line, strict=True)) for line in lines],
    }


def _joined(items: list[Item]) -> list[Item]:
    """Items that follow each other under one heading as one."""
    found: list[Item] = []
    for item in items:
        if found and item["heading"] is not None and found[-1]["heading"] == item["heading"]:
            found[-1]["lines"] += item["lines"]
        else:
            found.append(item)
    return found


def _titled(label: Label) -> Label:
    return {language: text[:1].upper() + text[1:] for language, text in label.items()}
