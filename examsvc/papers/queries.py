"""What other rooms, and this room's pages, may ask about banks, blueprints, forms and their items."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from examsvc.base.errors import NotFound
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition
from examsvc.papers import rules
from examsvc.papers.models import (
    Bank,
    Blueprint,
    CustodianKey,
    CustodianSet,
    Form,
    FormSlot,
    ItemDecision,
    ItemVersion,
    KeyCorrection,
    MediaFile,
    Neutralisation,
    Reading,
)
from examsvc.papers.paper_lint import Question
from examsvc.papers.rules import Candidate, PartClause
from question_banks import LIMITS, Item
from question_banks.fields import Fields
from question_banks.native.reading import read_item
from question_banks.values import folded

# -------------------------------------------------------------------------------- banks and items


def banks(session: Session) -> list[Bank]:
    return list(session.scalars(select(Bank).order_by(Bank.name)))


def bank(session: Session, name: str) -> Bank:
    found = session.scalar(select(Bank).where(Bank.name == name))
    if found is None:
        raise NotFound()
    return found


def bank_sizes(session: Session) -> dict[int, int]:
    """Questions in use in each bank."""
    rows = session.execute(
        select(ItemVersion.bank_id, func.count(func.distinct(ItemVersion.identifier)))
        .where(ItemVersion.retired_at.is_(None))
        .group_by(ItemVersion.bank_id)
    )
    return dict(rows.all())


def current_items(session: Session, bank_id: int, *, retired: bool = False) -> list[ItemVersion]:
    """The newest version of every item in the order of identifiers; retired ones only where asked for."""
    newest: dict[str, ItemVersion] = {}
    for version in session.scalars(
        select(ItemVersion).where(ItemVersion.bank_id == bank_id).order_by(ItemVersion.id)
    ):
        newest[version.identifier] = version
    return [newest[name] for name in sorted(newest) if retired or newest[name].retired_at is None]


def identifiers(session: Session, bank_id: int) -> set[str]:
    """Names of all questions of a bank."""
    return set(session.scalars(select(ItemVersion.identifier).where(ItemVersion.bank_id == bank_id).distinct()))


def older_versions(session: Session, bank_id: int) -> set[tuple[str, str]]:
    """(identifier, digest) of every version that a newer one has replaced."""
    rows = session.execute(
        select(ItemVersion.identifier, ItemVersion.digest).where(ItemVersion.bank_id == bank_id).order_by(ItemVersion.id)
    ).all()
    newest: dict[str, str] = dict(rows)
    return {(identifier, digest) for identifier, digest in rows if newest[identifier] != digest}


def digests(session: Session, bank_id: int) -> dict[str, tuple[int, str]]:
    """(row, digest) of the newest version of every question, by its identifier."""
    rows = session.execute(
        select(ItemVersion.identifier, ItemVersion.id, ItemVersion.digest).where(ItemVersion.bank_id == bank_id).order_by(ItemVersion.id)
    )
    return {identifier: (number, digest) for identifier, number, digest in rows}


def decided(session: Session, bank_id: int) -> set[int]:
    """Versions of a bank on which a person of this installation has decided, by their row."""
    return set(
        session.scalars(
            select(ItemDecision.item_version_id)
            .join(ItemVersion, ItemVersion.id == ItemDecision.item_version_id)
            .where(ItemVersion.bank_id == bank_id)
        )
    )


def bank_state(session: Session, name: str) -> str:
    """A word that changes whenever questions come into a bank, are decided on or retired; "none" where there is no bank of that name."""
    found = session.scalar(select(Bank.id).where(Bank.name == name))
    if found is None:
        return "none"
    newest, many, retired = session.execute(
        select(func.max(ItemVersion.id), func.count(ItemVersion.id), func.count(ItemVersion.retired_at)).where(
            ItemVersion.bank_id == found
        )
    ).one()
    return f"{found} {newest or 0} {many} {retired} {len(decided(session, found))}"


def waiting_for_review(session: Session, bank_id: int, account_id: int) -> int:
    """How many questions of a bank are drafts that this person may review."""
    newest = (
        select(func.max(ItemVersion.id)).where(ItemVersion.bank_id == bank_id).group_by(ItemVersion.identifier).scalar_subquery()
    )
    return int(
        session.scalar(
            select(func.count())
            .select_from(ItemVersion)
            .where(
                ItemVersion.id.in_(newest),
                ItemVersion.status == "draft",
                ItemVersion.retired_at.is_(None),
                ItemVersion.added_by_id.is_distinct_from(account_id),
            )
        )
        or 0
    )


@dataclass(frozen=True)
class Search:
    """What is looked for in a bank; an empty field asks for nothing.  ``words`` must all stand in the question."""

    words: str = ""
    topic: str = ""
    level: str = ""
    kind: str = ""
    status: str = ""

    def finds(self, version: ItemVersion) -> bool:
        status = "retired" if version.retired_at is not None else version.status
        return (
            (not self.topic or version.topic == self.topic or version.topic.startswith(self.topic + "."))
            and self.level in ("", version.level)
            and self.kind in ("", version.kind)
            and (self.status == status if self.status else status != "retired")
            and all(word in version.search for word in folded(self.words, False, False).split())
        )


def items_of(session: Session, bank_id: int, search: Search) -> list[ItemVersion]:
    return [version for version in current_items(session, bank_id, retired=True) if search.finds(version)]


def versions(session: Session, bank_id: int, identifier: str) -> list[ItemVersion]:
    """All versions of an item, the newest first; NotFound when there is none."""
    found = list(
        session.scalars(
            select(ItemVersion)
            .where(ItemVersion.bank_id == bank_id, ItemVersion.identifier == identifier)
            .order_by(ItemVersion.id.desc())
        )
    )
    if not found:
        raise NotFound()
    return found


def item(version: ItemVersion) -> Item:
    """The item of a version, parsed once per process; its digest is checked."""
    return parsed(version.digest, version.native)


@lru_cache(maxsize=4096)
def parsed(digest: str, native: str) -> Item:
    """The item of a stored native document; RuntimeError when it does not have its digest any more."""
    document = tomllib.loads(native)
    found = read_item(Fields(document["item"][0], "", document["languages"][0], LIMITS))
    if found.digest != digest:
        raise RuntimeError(f"the stored item {digest} does not have its digest any more")
    return found


def medium(session: Session, digest: str) -> MediaFile:
    found = session.get(MediaFile, digest)
    if found is None:
        raise NotFound()
    return found


def media(session: Session, form_id: int, key: str) -> MediaFile:
    """A picture, sound or film of a form's questions by its digest; NotFound for every other one."""
    lists = session.scalars(
        select(ItemVersion.media).join(FormSlot, FormSlot.item_version_id == ItemVersion.id).where(FormSlot.form_id == form_id)
    )
    if not any(key in keys for keys in lists):
        raise NotFound()
    return medium(session, key)


def known_media(session: Session, versions: Collection[ItemVersion]) -> set[str]:
    """Which of the files that these items show are kept, as "media/…" keys."""
    return {f"media/{digest}" for digest in kept_media(session, {key for version in versions for key in version.media})}


def kept_media(session: Session, digests: Collection[str]) -> set[str]:
    """Which of these files are kept, by digest."""
    return set(session.scalars(select(MediaFile.digest).where(MediaFile.digest.in_(digests)))) if digests else set()


def candidate(version: ItemVersion, uses: int = 0, difficulty: float | None = None) -> Candidate:
    """The item as blueprints see it; ``uses`` and ``difficulty`` from past use, where they matter."""
    return Candidate(
        version.digest,
        version.identifier,
        version.kind,
        version.topic,
        version.level,
        frozenset(version.enemies),
        version.words,
        Fraction(version.minutes) if version.minutes else None,
        uses,
        version.status in ("reviewed", "approved"),
        difficulty,
        curve(item(version)) if "parameters" in version.native else None,
    )


def curve(of: Item) -> tuple[float, float, float] | None:
    """(slope a, difficulty b, guessing c) of an item's metadata, D = 1; None where they are not there or are no parameters of the model."""
    given = of.metadata.parameters
    try:
        a, b, c = float(given.get("a", "1")), float(given["b"]), float(given.get("c", "0"))
    except (KeyError, ValueError):
        return None
    return (a, b, c) if 0 < a <= 10 and abs(b) <= 10 and 0 <= c < 1 else None


def earlier_uses(session: Session, bank_id: int) -> dict[str, int]:
    """In how many opened papers each question of a bank stood, by its identifier."""
    rows = session.execute(
        select(ItemVersion.identifier, func.count(func.distinct(FormSlot.form_id)))
        .join(FormSlot, FormSlot.item_version_id == ItemVersion.id)
        .join(Form, Form.id == FormSlot.form_id)
        .where(ItemVersion.bank_id == bank_id, Form.opened_at.is_not(None))
        .group_by(ItemVersion.identifier)
    )
    return dict(rows.all())


def stock(session: Session, bank_id: int, part: PartClause) -> list[ItemVersion]:
    """Items that a paper of this part may hold: marked by people in a written part, by the machine in an objective one."""
    return [
        version
        for version in current_items(session, bank_id)
        if version.by_person == (part.kind == "essay") and version.kind != "description" and version.status != "retired"
    ]


# -------------------------------------------------------------------------------- blueprints and forms


def seated_parts(competition: Competition) -> list[PartClause]:
    """Parts that are sat with a paper."""
    return [part for part in competitions.regulation(competition).parts if part.kind in ("objective", "essay")]


def seated_part(competition: Competition, part_id: str) -> PartClause:
    for part in seated_parts(competition):
        if part.id == part_id:
            return part
    raise NotFound()


def blueprints(session: Session, competition_id: int, part: str) -> list[Blueprint]:
    """All versions, the newest first."""
    return list(
        session.scalars(
            select(Blueprint)
            .where(Blueprint.competition_id == competition_id, Blueprint.part == part)
            .order_by(Blueprint.version.desc())
        )
    )


def forms(session: Session, competition_id: int, part: str | None = None) -> list[Form]:
    """The forms of a competition or of one part, the oldest first."""
    query = select(Form).where(Form.competition_id == competition_id).order_by(Form.id)
    return list(session.scalars(query.where(Form.part == part) if part is not None else query))


def form(session: Session, form_id: int) -> Form:
    return session.get_one(Form, form_id)


def form_of(session: Session, competition_id: int, code: str) -> Form:
    found = session.scalar(select(Form).where(Form.competition_id == competition_id, Form.code == code))
    if found is None:
        raise NotFound()
    return found


def standing(session: Session, competition_id: int, part: str, role: str = "main", shift: int = 1) -> Form | None:
    """The newest form of a part, role and shift that was neither withdrawn nor replaced."""
    return session.scalar(
        select(Form)
        .where(
            Form.competition_id == competition_id,
            Form.part == part,
            Form.role == role,
            Form.shift == shift,
            Form.withdrawn_at.is_(None),
            Form.replaced_at.is_(None),
        )
        .order_by(Form.id.desc())
        .limit(1)
    )


def all_standing(session: Session, competition_id: int, part: str) -> list[Form]:
    """Every form of a part that is the newest of its role and shift and was neither withdrawn nor replaced; by shift, main before spare."""
    newest = {one.place: one for one in forms(session, competition_id, part) if one.withdrawn_at is None and one.replaced_at is None}
    return sorted(newest.values(), key=lambda one: (one.shift, one.role))


def shifts(session: Session, competition_id: int, part: str) -> int:
    """For how many sittings at different times the part has papers of their own; at least one.

    A shift counts from its first paper on, be it replaced since; one whose papers were all withdrawn does not.
    """
    query = select(func.max(Form.shift)).where(
        Form.competition_id == competition_id, Form.part == part, Form.withdrawn_at.is_(None)
    )
    return session.scalar(query) or 1


def paper_in_force(session: Session, competition_id: int, part: str, shift: int = 1) -> Form | None:
    """The paper that a sitting of this part and shift is to use, in whatever state: the main one, or the spare once it took its place."""
    main = standing(session, competition_id, part, "main", shift)
    replaced = _replaced(session, competition_id, part, shift)
    if main is not None and (main.approved_at is not None or not replaced):
        return main
    return standing(session, competition_id, part, "spare", shift) if replaced else main


def papers_in_force(session: Session, competition_id: int, part: str) -> list[Form]:
    """The paper in force of every shift that has one."""
    every = range(1, shifts(session, competition_id, part) + 1)
    return [one for shift in every if (one := paper_in_force(session, competition_id, part, shift)) is not None]


def is_in_force(session: Session, form: Form) -> bool:
    return paper_in_force(session, form.competition_id, form.part, form.shift) is form


def _replaced(session: Session, competition_id: int, part: str, shift: int) -> bool:
    query = select(Form.id).where(
        Form.competition_id == competition_id, Form.part == part, Form.shift == shift, Form.replaced_at.is_not(None)
    )
    return session.scalar(query.limit(1)) is not None


def usable_form(session: Session, competition_id: int, part: str, shift: int = 1) -> Form | None:
    """The paper in force, once its custodians have opened it; None before."""
    found = paper_in_force(session, competition_id, part, shift)
    return found if found is not None and found.opened_at is not None else None


def questions(form: Form) -> list[Question]:
    """The questions of a form that is not sealed."""
    return [
        Question(slot.number, item(slot.item_version), slot.marks, slot.item_version.retired_at is not None)
        for slot in form.slots
    ]


def used_elsewhere(session: Session, form: Form) -> Mapping[int, str]:
    """Questions of a form that were already put to candidates of another competition: item version → its slug."""
    rows = session.execute(
        select(FormSlot.item_version_id, Competition.slug)
        .join(Form, Form.id == FormSlot.form_id)
        .join(Competition, Competition.id == Form.competition_id)
        .where(
            Form.opened_at.is_not(None),
            Form.competition_id != form.competition_id,
            FormSlot.item_version_id.in_([slot.item_version_id for slot in form.slots]),
        )
    )
    return dict(rows.all())


def uses(session: Session, identifier: str, bank_id: int) -> list[tuple[Form, FormSlot]]:
    """Where an item stands in opened papers."""
    rows = session.execute(
        select(Form, FormSlot)
        .join(FormSlot, FormSlot.form_id == Form.id)
        .join(ItemVersion, ItemVersion.id == FormSlot.item_version_id)
        .where(ItemVersion.identifier == identifier, ItemVersion.bank_id == bank_id, Form.opened_at.is_not(None))
        .order_by(Form.id)
    )
    return [(form, slot) for form, slot in rows]


def topic_counts(versions: Collection[ItemVersion]) -> dict[str, int]:
    """Topics with those above them ("management" beside "management.planning"), and how many items each covers."""
    counts: Counter[str] = Counter()
    for version in versions:
        pieces = version.topic.split(".") if version.topic else []
        counts.update(".".join(pieces[: n + 1]) for n in range(len(pieces)))
    return dict(sorted(counts.items()))


# -------------------------------------------------------------------------------- custody


def custodian_key(session: Session, competition_id: int, account_id: int) -> CustodianKey | None:
    """The custodian's newest key."""
    return session.scalar(
        select(CustodianKey)
        .where(CustodianKey.competition_id == competition_id, CustodianKey.account_id == account_id)
        .order_by(CustodianKey.id.desc())
        .limit(1)
    )


def custodians(session: Session, competition_id: int, stage: str) -> CustodianSet | None:
    """The custodians of a stage as named last."""
    return session.scalar(
        select(CustodianSet)
        .where(CustodianSet.competition_id == competition_id, CustodianSet.stage == stage)
        .order_by(CustodianSet.revision.desc())
        .limit(1)
    )


def readings(session: Session, slug: str, most: int = 200) -> list[Reading]:
    """Who read what of this competition's papers, the newest first."""
    return list(
        session.scalars(select(Reading).where(Reading.competition == slug).order_by(Reading.id.desc()).limit(most))
    )


# -------------------------------------------------------------------------------- after the sitting


def neutralised(session: Session, form_id: int) -> dict[int, str]:
    """Faulty questions of a form and what they do: number → redistribute, full-marks or drop."""
    return {
        one.number: one.rule
        for one in session.scalars(select(Neutralisation).where(Neutralisation.form_id == form_id))
    }


def corrected(session: Session, form_id: int) -> dict[int, Item]:
    """Questions of a form whose key was corrected: number → the item by whose rules they are marked now."""
    rows = session.scalars(
        select(KeyCorrection).where(KeyCorrection.form_id == form_id).order_by(KeyCorrection.version)
    )
    return {one.number: item(one.item_version) for one in rows}


def key_version(session: Session, form_id: int) -> int:
    """1 for the key as sealed, one more for each correction."""
    return 1 + int(
        session.scalar(select(func.count()).select_from(KeyCorrection).where(KeyCorrection.form_id == form_id)) or 0
    )


def changes_after(session: Session, form_id: int) -> list[Neutralisation | KeyCorrection]:
    """Everything that was decided on a form's questions after it was opened, in order."""
    found: list[Neutralisation | KeyCorrection] = [
        *session.scalars(select(Neutralisation).where(Neutralisation.form_id == form_id)),
        *session.scalars(select(KeyCorrection).where(KeyCorrection.form_id == form_id)),
    ]
    return sorted(found, key=lambda one: one.entry)


def part_maximum(session: Session, form_id: int, maximum: Fraction) -> Fraction:
    """The greatest mark of a part after faulty questions were taken out of a form: less only where their marks are dropped."""
    dropped = {number for number, rule in neutralised(session, form_id).items() if rule == "drop"}
    rows = session.execute(select(FormSlot.number, FormSlot.marks).where(FormSlot.form_id == form_id))
    return maximum - sum((Fraction(marks) for number, marks in rows if number in dropped), Fraction(0))


def cells(blueprint: Blueprint) -> list[rules.Cell]:
    return [rules.Cell.read(cell) for cell in blueprint.cells]


def demands(blueprint: Blueprint) -> rules.Demands:
    return rules.Demands.read(blueprint.demands)
