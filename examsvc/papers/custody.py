"""Custodians: their keys, who they are, the seal, the shares handed in shortly before the bell, and the spare.

Sealing and opening are slow (the passphrase is hardened by scrypt), so they are jobs that compute before their transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pyrage
from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.accounts import queries as accounts
from examsvc.accounts.approvals import Approved, ask, carries_out
from examsvc.accounts.models import ApprovalRequest
from examsvc.base import jobs
from examsvc.base.database import writing
from examsvc.base.errors import N_, NotFound, Refused
from examsvc.base.language import in_language, sentence
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition
from examsvc.ledger import commitments, sealing
from examsvc.ledger.models import LogEntry, Opening
from examsvc.ledger.operations import Sealed, record
from examsvc.papers import approval, contents, oracles, queries, scope
from examsvc.papers.models import (
    CustodianKey,
    CustodianSet,
    Form,
    FormSlot,
    ItemVersion,
    MediaFile,
    Seal,
    SealShare,
)

NAMING = "papers.custodians"
REPLACING = "papers.replace"


class CustodyFailed(Exception):
    """A job could not seal or open a paper; the message is for the worker's record."""


# -------------------------------------------------------------------------------- keys and names


def register_key(session: Session, competition: Competition, *, recipient: str, by: int, now: datetime) -> CustodianKey:
    """A custodian hands in the public half of a key made on a machine of his own; the secret half never leaves that machine."""
    recipient = recipient.strip()
    if recipient.upper().startswith("AGE-SECRET-KEY"):
        raise Refused(
            N_("This is the secret half of the key. It was not stored; make a new key and hand in the line that begins with age1."),
            field="recipient",
        )
    try:
        pyrage.x25519.Recipient.from_str(recipient)
    except pyrage.RecipientError:
        raise Refused(N_("This is not a public key. It is one line that begins with age1."), field="recipient") from None
    other = session.scalar(
        select(CustodianKey).where(CustodianKey.recipient == recipient, CustodianKey.account_id != by)
    )
    if other is not None:
        raise Refused(N_("Another custodian handed in this very key. Each makes a key of his own."), field="recipient")
    made = CustodianKey(competition_id=competition.id, account_id=by, recipient=recipient, at=now)
    session.add(made)
    session.flush()
    return made


def ask_naming(
    session: Session, competition: Competition, *, stage: str, by: int, now: datetime, language: str = "vi"
) -> ApprovalRequest:
    """Asks to name the holders of the custodian's role, each with the key handed in; a second person approves."""
    rule = competitions.regulation(competition).paper
    holders = accounts.holders(session, "custodian", competition.slug, now)
    keys = {one.id: queries.custodian_key(session, competition.id, one.id) for one in holders}
    ready = [one for one in holders if keys[one.id] is not None]
    if not sealing.LEAST_THRESHOLD <= rule.threshold < len(ready) or len(ready) < rule.custodians:
        raise Refused(
            N_(
                "The regulation asks for %(needed)d custodians of whom %(threshold)d open a paper; %(ready)d have handed in a"
                " key. At least one more than open it must hold a share."
            ),
            needed=rule.custodians,
            threshold=rule.threshold,
            ready=len(ready),
        )
    members = sorted((one.id, key.recipient) for one in ready if (key := keys[one.id]) is not None)
    names = {one.id: one.name for one in ready}
    label = next(one.label for one in competitions.regulation(competition).stages if one.id == stage)
    return ask(
        session,
        kind=NAMING,
        entry_type="custodians.named",
        competition=competition.slug,
        lines=[
            sentence(
                language,
                N_("Name %(number)d custodians of the papers of the stage %(stage)s; any %(threshold)d of them open a paper"),
                number=len(members),
                stage=in_language(label.model_dump(), language),
                threshold=rule.threshold,
            ),
            *[f"{names[account]}: {recipient}" for account, recipient in members],
        ],
        arguments={"stage": stage, "members": [list(one) for one in members], "threshold": rule.threshold},
        terms=competitions.approval_terms(competition, "name-custodians"),
        by=by,
        now=now,
    )


@carries_out(NAMING)
def _name(session: Session, approved: Approved) -> None:
    competition = competitions.competition(session, approved.competition)
    stage, threshold = str(approved.arguments["stage"]), int(approved.arguments["threshold"])
    members = []
    for account_id, recipient in approved.arguments["members"]:
        key = queries.custodian_key(session, competition.id, account_id)
        if key is None or key.recipient != recipient:
            raise Refused(N_("A custodian has handed in another key since. Ask for the naming again."))
        members.append({"account": account_id, "custodian": scope.actor(session, account_id), "recipient": recipient})
    earlier = queries.custodians(session, competition.id, stage)
    made = CustodianSet(
        competition_id=competition.id,
        stage=stage,
        revision=1 + (earlier.revision if earlier is not None else 0),
        threshold=threshold,
        members=members,
        at=approved.now,
        approval_id=approved.request_id,
    )
    session.add(made)
    session.flush()
    listed = sorted(({"custodian": one["custodian"], "recipient": one["recipient"]} for one in members), key=lambda one: one["custodian"])
    record(
        session,
        competition.slug,
        "custodians.named",
        now=approved.now,
        by=scope.actor(session, approved.asked_by),
        approvals=approved.approvals,
        summary=approved.summary,
        **scope.of_stage(competition, stage),
        revision=made.revision,
        threshold=threshold,
        count=len(members),
        custodians=Sealed({"custodians": listed}),
    )
    for form in approval.unsealed(session, competition, stage):
        jobs.ask_for(session, "papers.seal", approved.now, form=form.id)


# -------------------------------------------------------------------------------- sealing


@jobs.handles("papers.seal")
def seal(session: Session, arguments: Mapping[str, Any], now: datetime) -> None:
    """Seals an approved paper for the custodians of its stage, and forgets its questions; does nothing while none are named."""
    form = queries.form(session, int(arguments["form"]))
    stage = competitions.regulation(form.competition).stage_of(form.part).id
    custodians = queries.custodians(session, form.competition_id, stage)
    if form.state != "approved" or custodians is None:
        return
    digest, made, key, guide = form.digest, *_contents(session, form)
    sealed = sealing.seal(
        form.code, made, {one["custodian"]: one["recipient"] for one in custodians.members}, custodians.threshold
    )
    accounts_of = {one["custodian"]: one["account"] for one in custodians.members}
    set_id, form_id = custodians.id, form.id
    with writing(session):
        form = session.get_one(Form, form_id)
        latest = queries.custodians(session, form.competition_id, stage)
        if form.state != "approved" or form.digest != digest or latest is None or latest.id != set_id:
            return
        request = session.get_one(ApprovalRequest, form.approval_id)
        entry = record(
            session,
            form.competition.slug,
            "paper.sealed",
            now=now,
            by=scope.actor(session, request.asked_by_id),
            approvals=[(vote.by.code, vote.at) for vote in request.votes],
            summary=Sealed({"type": request.entry_type, "lines": list(request.lines)}),
            **scope.of_part(form.competition, form.part),
            paper=form.code,
            kind=form.role,
            forms=[commitments.commit("paper.form", bytes.fromhex(form.salt or ""), approval.form_object(form))],
            key=commitments.commit("paper.key", *key),
            guide=commitments.commit("paper.guide", *guide) if guide is not None else None,
            ciphertext=sealed.digest,
            size=len(sealed.ciphertext),
            threshold=sealed.threshold,
            shares=[{"custodian": one.custodian, "x": one.x, "share": one.commitment} for one in sealed.shares],
        )
        form.seal = Seal(
            set_id=set_id,
            threshold=sealed.threshold,
            digest=sealed.digest,
            ciphertext=sealed.ciphertext,
            entry=entry.position,
            at=now,
            shares=[
                SealShare(
                    account_id=accounts_of[one.custodian],
                    custodian=one.custodian,
                    x=one.x,
                    commitment=one.commitment,
                    ciphertext=one.ciphertext,
                )
                for one in sealed.shares
            ],
        )
        form.slots, form.swaps, form.seed, form.salt = [], [], None, None
        session.flush()


Pair = tuple[bytes, dict[str, Any]]


def _contents(session: Session, form: Form) -> tuple[dict[str, Any], Pair, Pair | None]:
    """What is sealed, and the salted key and guide in it."""
    slots = approval.slots(form)
    natives = {slot.number: slot.item_version.native for slot in form.slots}
    key = (commitments.new_salt(), contents.key_object(form.code, 1, slots, natives))
    regulation = competitions.regulation(form.competition)
    part = regulation.part(form.part)
    guide = contents.guide_object(regulation.marking_of(part), slots) if part.kind == "essay" else None
    salted = (commitments.new_salt(), guide) if guide is not None else None
    digests = sorted({digest for slot in form.slots for digest in slot.item_version.media})
    media = [one.data for digest in digests if (one := session.get(MediaFile, digest)) is not None]
    made = sealing.paper_contents(
        form.code, [(bytes.fromhex(form.salt or ""), approval.form_object(form))], key, salted, media
    )
    made["seed"] = form.seed or ""
    made["lines"] = [slot.line for slot in form.slots]
    made["swaps"] = [
        {"number": one.number, "out": one.out_id, "in": one.in_id, "reason": one.reason, "at": int(one.at.timestamp()), "by": one.by_id}
        for one in form.swaps
    ]
    return made, key, salted


# -------------------------------------------------------------------------------- opening


def opens_at(session: Session, form: Form) -> datetime | None:
    """From when on custodians may open the paper: its bell less the regulation's lead; None where no sitting is planned."""
    bell = oracles.bell(session, form.competition_id, form.part, form.shift)
    lead = competitions.regulation(form.competition).paper.opening_lead_minutes
    return bell - timedelta(minutes=lead) if bell is not None else None


def share_of(form: Form, account_id: int) -> SealShare:
    """This custodian's share of a sealed paper; NotFound for everybody who has none."""
    if form.seal is not None:
        for one in form.seal.shares:
            if one.account_id == account_id:
                return one
    raise NotFound()


def deliver_share(session: Session, form: Form, *, data: bytes, by: int, now: datetime) -> bool:
    """A custodian hands in the share that he decrypted; the last that is needed has the paper opened.

    False when the share is not the one that was dealt: that goes on record, so the caller commits.  Refused too early, twice,
    from somebody else, for a paper that is not in force, or when it cannot be read.
    """
    own = share_of(form, by)
    if form.state != "sealed":
        raise Refused(N_("This paper is not sealed any more."))
    if not queries.is_in_force(session, form):
        raise Refused(N_("This is the spare paper. It is opened only once it takes the place of the main one."))
    moment = opens_at(session, form)
    lead = competitions.regulation(form.competition).paper.opening_lead_minutes
    if moment is None:
        raise Refused(N_("No sitting of this paper is planned; it stays sealed."))
    if now < moment:
        raise Refused(N_("It is too early: the paper is opened %(lead)d minutes before the bell."), lead=lead)
    if own.delivered_at is not None:
        raise Refused(N_("You have handed in your share already."))
    try:
        share = sealing.read_share(data)
    except sealing.SealingError:
        raise Refused(
            N_("This file is not an opened share. Decrypt the file on your own machine with: examsvc custodian open"), field="share"
        ) from None
    if share.paper != form.code or share.custodian != own.custodian:
        raise Refused(N_("This share belongs to another paper or to another custodian."), field="share")
    genuine = sealing.genuine(share, _dealt(form))
    if genuine:
        own.delivered, own.delivered_at = data, now
        session.flush()
    record(
        session,
        form.competition.slug,
        "paper.share_delivered",
        now=now,
        by=own.custodian,
        **scope.of_part(form.competition, form.part),
        paper=form.code,
        custodian=own.custodian,
        x=share.x,
        genuine=genuine,
    )
    if form.seal is not None and sum(1 for one in form.seal.shares if one.delivered) >= form.seal.threshold:
        jobs.ask_for(session, "papers.open", now, form=form.id)
    return genuine


def _dealt(form: Form) -> tuple[sealing.DealtShare, ...]:
    shares = form.seal.shares if form.seal is not None else []
    return tuple(sealing.DealtShare(one.custodian, one.x, one.commitment, one.ciphertext) for one in shares)


@jobs.handles("papers.open")
def open_form(session: Session, arguments: Mapping[str, Any], now: datetime) -> None:
    """Opens a paper with the shares handed in: its questions return, and the log's commitments to them can be opened.

    Raises CustodyFailed, storing nothing, when what comes out is not what was sealed: then the spare is needed.
    """
    form = queries.form(session, int(arguments["form"]))
    if form.state != "sealed" or form.seal is None:
        return
    shares = [sealing.read_share(one.delivered) for one in form.seal.shares if one.delivered]
    if len(shares) < form.seal.threshold:
        return
    sealed = sealing.SealedPaper(form.code, form.seal.threshold, form.seal.ciphertext, _dealt(form))
    try:
        found = sealing.open_paper(sealed, form.seal.digest, shares)
    except sealing.SealingError as error:
        raise CustodyFailed(str(error)) from None
    form_id = form.id
    with writing(session):
        form = session.get_one(Form, form_id)
        if form.state != "sealed":
            return
        _restore(session, form, found)
        record(
            session,
            form.competition.slug,
            "paper.opened",
            now=now,
            **scope.of_part(form.competition, form.part),
            paper=form.code,
            custodians=sorted(share.custodian for share in shares),
        )
        form.opened_at = now
        session.flush()
        _open_commitments(session, form, found, shares)


def _restore(session: Session, form: Form, found: Mapping[str, Any]) -> None:
    """The questions of an opened paper, each as the very version that was sealed."""
    items = found["forms"][0]["object"]["items"]
    of_its_bank = ItemVersion.bank_id == form.blueprint.bank_id
    kept = session.scalars(
        select(ItemVersion).where(ItemVersion.digest.in_([row["item"] for row in items])).order_by(of_its_bank, ItemVersion.id.desc())
    )
    versions = {one.digest: one for one in kept}  # of the same question in several banks that of the paper's own, the oldest
    for row, line in zip(items, found["lines"], strict=True):
        version = versions.get(row["item"])
        if version is None:
            raise CustodyFailed(f"the bank has lost the question {row['item']}")
        form.slots.append(FormSlot(number=row["slot"], line=line, item_version=version, marks=row["marks"]))
    form.seed, form.salt = found["seed"], found["forms"][0]["salt"]
    session.flush()


def _open_commitments(
    session: Session, form: Form, found: Mapping[str, Any], shares: list[sealing.Share]
) -> None:
    """Files the salts and objects that open what the log committed to when the paper was approved and sealed."""
    if form.seal is None or form.approval_entry is None:
        raise CustodyFailed("a paper is opened that was never sealed")
    asked = select(LogEntry.position, LogEntry.id).where(
        LogEntry.log == form.competition.slug, LogEntry.position.in_([form.approval_entry, form.seal.entry])
    )
    ids = dict(session.execute(asked).all())
    first, second = ids[form.approval_entry], ids[form.seal.entry]
    rows = [(first, "forms.0", "paper.form", found["forms"][0]), (second, "forms.0", "paper.form", found["forms"][0])]
    rows += [(second, "key", "paper.key", found["key"])]
    rows += [(second, "guide", "paper.guide", found["guide"])] if "guide" in found else []
    places = {one.custodian: place for place, one in enumerate(form.seal.shares)}
    rows += [
        (second, f"shares.{places[one.custodian]}.share", "paper.share", {"salt": one.salt.hex(), "object": one.object})
        for one in shares
    ]
    for entry_id, field, name, opening in rows:
        made = commitments.commit(name, bytes.fromhex(opening["salt"]), opening["object"])
        session.add(
            Opening(
                entry_id=entry_id, field=field, type=name, commitment=made, salt=opening["salt"], content=opening["object"]
            )
        )
    session.flush()


# -------------------------------------------------------------------------------- the spare


def ask_replacement(
    session: Session, form: Form, *, reason: str, by: int, now: datetime, language: str = "vi"
) -> ApprovalRequest:
    """Asks that the spare takes the place of a paper that leaked or does not open; a second person approves."""
    if form.role != "main" or form.state not in ("sealed", "opened"):
        raise Refused(N_("Only a sealed main paper is replaced by the spare."))
    if oracles.begun(session, form.id):
        raise Refused(N_("Candidates are writing this paper already; it can no longer be replaced."))
    spare = queries.standing(session, form.competition_id, form.part, "spare", form.shift)
    if spare is None or spare.state != "sealed":
        raise Refused(N_("There is no sealed spare paper for this part."))
    if not reason.strip():
        raise Refused(N_("Write the reason."), field="reason")
    return ask(
        session,
        kind=REPLACING,
        entry_type="paper.replaced",
        competition=form.competition.slug,
        lines=[
            sentence(language, N_("Replace the paper %(code)s by the spare %(spare)s"), code=form.code, spare=spare.code),
            f"{sentence(language, N_('Reason'))}: {reason.strip()}",
        ],
        arguments={"form": form.id, "spare": spare.id, "reason": reason.strip()},
        terms=competitions.approval_terms(form.competition, "open-spare-paper"),
        by=by,
        now=now,
    )


@carries_out(REPLACING)
def _replace(session: Session, approved: Approved) -> None:
    form = queries.form(session, int(approved.arguments["form"]))
    spare = queries.form(session, int(approved.arguments["spare"]))
    if form.state not in ("sealed", "opened") or spare.state != "sealed" or oracles.begun(session, form.id):
        raise Refused(N_("The papers have changed since the replacement was asked for. Ask for it again."))
    form.replaced_at = approved.now
    session.flush()
    record(
        session,
        form.competition.slug,
        "paper.replaced",
        now=approved.now,
        by=scope.actor(session, approved.asked_by),
        approvals=approved.approvals,
        summary=approved.summary,
        **scope.of_part(form.competition, form.part),
        paper=form.code,
        spare=spare.code,
        reason=Sealed({"text": str(approved.arguments["reason"])}),
    )

