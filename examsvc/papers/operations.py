"""Blueprints, forms drawn from them, and what a person changes in a draft."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from examsvc.base import language
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition
from examsvc.papers import paper_lint, queries, rules, statistics
from examsvc.papers.assembly import Chosen, choose
from examsvc.papers.expectation import Expectation, expect
from examsvc.papers.models import Bank, Blueprint, Form, FormSlot, FormSwap, ItemVersion, Reading
from examsvc.papers.paper_lint import Question

MOST_LINES = 60
MOST_ITEMS = 500


def set_blueprint(
    session: Session,
    competition: Competition,
    *,
    part: str,
    cells: Sequence[Mapping[str, Any]],
    bank: Bank,
    by: int,
    now: datetime,
    demands: rules.Demands | None = None,
) -> Blueprint:
    """A new version of a part's blueprint; older ones are kept.  Whether it can be met, ``rules.check_blueprint`` says."""
    queries.seated_part(competition, part)
    lines = [rules.Cell.read(cell) for cell in cells]
    if not lines:
        raise Refused(N_("The blueprint asks for no question. Fill in at least one line."))
    if len(lines) > MOST_LINES or rules.total_items(lines) > MOST_ITEMS:
        raise Refused(
            N_("A blueprint has at most %(lines)d lines and %(items)d questions."), lines=MOST_LINES, items=MOST_ITEMS
        )
    for number, line in enumerate(lines, start=1):
        if line.count < 1 or Fraction(line.marks) <= 0:
            raise Refused(N_("Line %(line)d needs at least one question, and marks above zero."), line=number)
    earlier = queries.blueprints(session, competition.id, part)
    blueprint = Blueprint(
        competition_id=competition.id,
        part=part,
        version=1 + (earlier[0].version if earlier else 0),
        bank_id=bank.id,
        cells=[line.written() for line in lines],
        demands=demands.written() if demands is not None else {},
        made_at=now,
        made_by_id=by,
    )
    session.add(blueprint)
    session.flush()
    return blueprint


MOST_SHIFTS = 9
Drawn = Mapping[str, tuple[str, Sequence[Chosen]]]
"""For each place the seed and the questions that were drawn."""


def places(*, spare: bool, shifts: int = 1) -> list[str]:
    """The papers of a part for so many sittings at different times: "main", "spare", "main-2", "spare-2", …"""
    if not 1 <= shifts <= MOST_SHIFTS:
        raise Refused(N_("Papers are drawn for one to %(most)d sittings at once."), most=MOST_SHIFTS, field="shifts")
    roles = ("main", "spare") if spare else ("main",)
    return [role if shift == 1 else f"{role}-{shift}" for shift in range(1, shifts + 1) for role in roles]


def _placed(place: str) -> tuple[str, int]:
    """Role and shift of a place."""
    role, _, shift = place.partition("-")
    return role, int(shift or 1)


def _spoken(place: str) -> dict[str, str]:
    role, shift = _placed(place)
    named = language.both(rules.ROLES[role])
    return named if shift == 1 else language.both(rules.SHIFTED, role=named, number=shift)


def _other_places(session: Session, competition: Competition, part: str, drawn: Sequence[str]) -> list[Form]:
    """The papers that stand and are not drawn anew."""
    return [one for one in queries.all_standing(session, competition.id, part) if one.place not in drawn]


def draw_forms(
    session: Session,
    competition: Competition,
    *,
    blueprint: Blueprint,
    seed: str,
    roles: Sequence[str] = ("main", "spare"),
) -> dict[str, tuple[str, Sequence[Chosen]]]:
    """Which questions the forms at these places would have, disjoint from one another and from what stands already; nothing is stored.

    Where the blueprint aims at information, every form after the first is parallel to it.  Slow, so it comes before a writing
    transaction.  Refused where the bank cannot give them; the sentence names the paper that comes to nothing.
    """
    if not seed.strip() or len(seed) > 60:
        raise Refused(N_("Enter a seed of at most 60 characters: anyone who knows it can draw the same paper again."), field="seed")
    part = queries.seated_part(competition, blueprint.part)
    others = _other_places(session, competition, part.id, roles)
    taken = {slot.item_version.identifier for other in others for slot in other.slots}
    stock = statistics.candidates(session, queries.stock(session, blueprint.bank_id, part))
    cells, demands = queries.cells(blueprint), queries.demands(blueprint)
    drawn: dict[str, tuple[str, Sequence[Chosen]]] = {}
    first = next((other for other in others if other.role == "main" and other.slots), None)
    like = statistics.candidates(session, [slot.item_version for slot in first.slots]) if first is not None else []
    for place in roles:
        own_seed = f"{seed}/{place}"
        try:
            chosen = choose(stock, cells, own_seed, excluded=taken, demands=demands, like=like)
        except Refused as refusal:
            if not taken:
                raise
            raise Refused(
                N_("This paper cannot be drawn: %(place)s. Other papers, %(before)d of them, have taken their questions already. %(reason)s"),
                before=len(drawn) + sum(1 for other in others if other.slots),
                place=_spoken(place),
                reason=language.both(refusal.sentence, **refusal.params),
            ) from None
        taken |= {one.item.identifier for one in chosen}
        like = like or [one.item for one in chosen]
        drawn[place] = (own_seed, chosen)
    return drawn


def assemble_forms(
    session: Session,
    competition: Competition,
    *,
    blueprint: Blueprint,
    seed: str,
    by: int,
    now: datetime,
    roles: Sequence[str] = ("main", "spare"),
    drawn: Drawn | None = None,
) -> dict[str, Form]:
    """Makes the forms of a part as drafts; ``drawn`` is what ``draw_forms`` found before the transaction, else it is drawn here.

    A draft at the same place is withdrawn; an approved or sealed paper must be withdrawn or replaced first.  Refused when a question
    that was drawn has changed or gone since.
    """
    part = queries.seated_part(competition, blueprint.part)
    standing = [one for place in roles if (one := queries.standing(session, competition.id, part.id, *_placed(place))) is not None]
    for old in standing:
        if old.state != "draft":
            raise Refused(N_("The paper %(code)s is approved already. Withdraw it before you draw another."), code=old.code)
    if drawn is None:
        drawn = draw_forms(session, competition, blueprint=blueprint, seed=seed, roles=roles)
    for old in standing:
        old.withdrawn_at, old.withdrawn_reason = now, "drawn anew"
    session.flush()
    stock = queries.stock(session, blueprint.bank_id, part)
    now_there = {version.digest for version in stock}
    others = _other_places(session, competition, part.id, roles)
    taken = {slot.item_version.identifier for other in others for slot in other.slots}
    if any(one.item.digest not in now_there or one.item.identifier in taken for _, chosen in drawn.values() for one in chosen):
        raise Refused(N_("The bank has changed while the papers were drawn. Draw again."))
    return {
        place: _make(session, competition, blueprint, place, own_seed, chosen, stock, by, now)
        for place, (own_seed, chosen) in drawn.items()
    }


def _make(
    session: Session,
    competition: Competition,
    blueprint: Blueprint,
    place: str,
    seed: str,
    chosen: Sequence[Chosen],
    stock: Sequence[ItemVersion],
    by: int,
    now: datetime,
) -> Form:
    by_digest = {version.digest: version for version in stock}
    role, shift = _placed(place)
    number = session.scalar(select(func.count()).select_from(Form).where(Form.competition_id == competition.id))
    form = Form(
        competition_id=competition.id,
        code=f"{blueprint.part}-{role}-{(number or 0) + 1}",
        part=blueprint.part,
        role=role,
        shift=shift,
        blueprint_id=blueprint.id,
        seed=seed,
        digest=form_digest([(one.item.digest, one.marks) for one in chosen]),
        items=len(chosen),
        made_at=now,
        made_by_id=by,
    )
    form.slots = [
        FormSlot(number=number_of, line=one.line, item_version_id=by_digest[one.item.digest].id, marks=one.marks)
        for number_of, one in enumerate(chosen, start=1)
    ]
    session.add(form)
    session.flush()
    return form


def form_digest(slots: Sequence[tuple[str, str]]) -> str:
    """SHA-256 over the JSON list of [item digest, marks] in the order of the slots."""
    return hashlib.sha256(json.dumps([list(slot) for slot in slots], separators=(",", ":")).encode()).hexdigest()


def findings(session: Session, form: Form) -> list[rules.Finding]:
    """The paper lint of a draft."""
    competition = form.competition
    part = queries.seated_part(competition, form.part)
    used = queries.used_elsewhere(session, form)
    asked = [
        Question(one.number, one.item, one.marks, one.retired, used.get(slot.item_version_id, ""))
        for one, slot in zip(queries.questions(form), form.slots, strict=True)
    ]
    other = queries.standing(session, competition.id, form.part, "spare" if form.role == "main" else "main", form.shift)
    versions = [slot.item_version for slot in form.slots]
    return paper_lint.findings(
        asked,
        part,
        competitions.regulation(competition).languages,
        media=queries.known_media(session, versions),
        other=queries.questions(other) if other is not None else (),
    )


@dataclass(frozen=True)
class Exchange:
    """What a swap by hand would do: the question that goes, the one that comes, and what the lint says before and after."""

    out: ItemVersion
    come: ItemVersion
    fits_line: bool
    was: Expectation
    becomes: Expectation
    before: tuple[rules.Finding, ...]
    after: tuple[rules.Finding, ...]

    @property
    def words(self) -> int:
        """How many more words there are to read."""
        return self.becomes.words - self.was.words

    @property
    def new_findings(self) -> list[rules.Finding]:
        """What the swap would bring."""
        known = {(one.severity, str(one)) for one in self.before}
        return [one for one in self.after if (one.severity, str(one)) not in known]


def consider_swap(session: Session, form: Form, number: int, identifier: str) -> Exchange:
    """What would follow from exchanging the question at this place for that item; nothing is stored."""
    _require_draft(form)
    slot = _slot(form, number)
    come = queries.versions(session, form.blueprint.bank_id, identifier)[0]
    if come.retired_at is not None:
        raise Refused(N_("This question was retired. Choose another."), field="item")
    if any(one.item_version.identifier == identifier for one in form.slots):
        raise Refused(N_("This question stands in the paper already."), field="item")
    cell = queries.cells(form.blueprint)[slot.line - 1]
    before = findings(session, form)
    out = slot.item_version
    was = expectation(session, form)
    with session.no_autoflush:
        slot.item_version = come
        try:
            after, becomes = findings(session, form), expectation(session, form)
        finally:
            slot.item_version = out
    return Exchange(out, come, cell.takes(queries.candidate(come)), was, becomes, tuple(before), tuple(after))


def expectation(session: Session, form: Form) -> Expectation:
    """What may be expected of a form whose questions are at hand."""
    versions = [slot.item_version for slot in form.slots]
    return expect(list(zip(statistics.candidates(session, versions), [slot.marks for slot in form.slots], strict=True)))


def swap_item(
    session: Session, form: Form, number: int, identifier: str, *, reason: str, by: int, now: datetime
) -> None:
    """Exchanges one question of a draft; who did it and why goes with the paper."""
    if not reason.strip():
        raise Refused(N_("Write the reason."), field="reason")
    exchange = consider_swap(session, form, number, identifier)
    slot = _slot(form, number)
    form.swaps.append(
        FormSwap(number=number, out_id=exchange.out.id, in_id=exchange.come.id, reason=reason.strip(), at=now, by_id=by)
    )
    slot.item_version = exchange.come
    form.digest = form_digest([(one.item_version.digest, one.marks) for one in form.slots])
    session.flush()


def withdraw_form(session: Session, form: Form, *, reason: str, by: int, now: datetime) -> None:
    """Takes back a draft or an approved paper before it is sealed; a sealed one is replaced instead."""
    if form.state not in ("draft", "approved"):
        raise Refused(N_("This paper can no longer be withdrawn. A sealed paper is replaced by the spare."))
    if not reason.strip():
        raise Refused(N_("Write the reason."), field="reason")
    form.withdrawn_at, form.withdrawn_reason = now, reason.strip()
    session.flush()


def note_reading(session: Session, slug: str, *, what: str, thing: str, by: int, now: datetime) -> None:
    """Puts on record that somebody read questions, keys or a printed paper."""
    session.add(Reading(competition=slug, account_id=by, what=what, thing=thing[:300], at=now))
    session.flush()


def _slot(form: Form, number: int) -> FormSlot:
    for slot in form.slots:
        if slot.number == number:
            return slot
    raise NotFound()


def _require_draft(form: Form) -> None:
    if form.state != "draft":
        raise Refused(N_("This paper is approved; its questions stay as they are. Withdraw it to change it."))
