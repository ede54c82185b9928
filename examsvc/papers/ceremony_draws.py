"""Late assembly: the seed from which a part's papers are drawn comes out of a public draw, as late as the council likes.

Whoever opened a sealed paper early would have to do so between draw and bell: the later the outside value is published, the shorter that
time.  The custodians of the stage each give a secret number, the pool of questions is fixed by the digests of its items, and the first
40 digits of the draw's seed are the seed of the papers.  `assembly.choose` gives the same papers to everybody who has pool, blueprint and seed.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from examsvc.accounts import queries as accounts
from examsvc.accounts.approvals import Approved, ask, carries_out
from examsvc.accounts.models import Account, ApprovalRequest
from examsvc.base.errors import N_, Refused
from examsvc.base.language import in_language, sentence
from examsvc.competitions import drawing as rules
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition
from examsvc.ledger import drawing
from examsvc.ledger.draw_records import DrawRecord
from examsvc.papers import queries, scope
from examsvc.papers.models import Form

KIND = "papers.draw"
SEED_DIGITS = 40


def ask_draw(
    session: Session, competition: Competition, *, part: str, by: int, now: datetime, language: str = "vi"
) -> ApprovalRequest:
    """Asks to announce the draw of a part's papers with the regulation's outside value; a second person approves."""
    _require_open(session, competition, part)
    regulation = competitions.regulation(competition)
    label = in_language(regulation.part(part).label.model_dump(), language)
    how, given = rules.terms(
        session, competition, "assembly", people=_givers(session, competition, part), now=now, language=language
    )
    return ask(
        session,
        kind=KIND,
        entry_type="draw.announced",
        competition=competition.slug,
        lines=[sentence(language, N_("Draw the papers of the part %(part)s in public"), part=label), *how],
        arguments={"part": part, **given},
        terms=competitions.approval_terms(competition, rules.STEP),
        by=by,
        now=now,
    )


def _givers(session: Session, competition: Competition, part: str) -> list[Account]:
    """The custodians named for the part's stage: they give the secret numbers."""
    named = queries.custodians(session, competition.id, competitions.regulation(competition).stage_of(part).id)
    if named is None:
        raise Refused(N_("No custodians are named for this stage yet. Name them first."))
    return [accounts.account(session, int(one["account"])) for one in named.members]


@carries_out(KIND)
def _announce(session: Session, approved: Approved) -> None:
    competition = competitions.competition(session, approved.competition)
    part = str(approved.arguments["part"])
    _require_open(session, competition, part)
    frame = scope.of_stage(competition, competitions.regulation(competition).stage_of(part).id)
    rules.hold(
        session,
        competition,
        approved,
        purpose="assembly",
        posts=frame["posts"],
        stage=frame["stage"],
        about=drawing.About(part, {"part": part}),
    )


def by_draw(competition: Competition) -> bool:
    """Whether the regulation has the questions of papers chosen by a public draw."""
    return rules.method(competition, "assembly") == "steps"


def fix_pool(session: Session, competition: Competition, *, part: str, by: int, now: datetime) -> int:
    """Fixes the pool of the part's draw: the digests of all questions of the blueprint's bank that may stand in its papers; how many."""
    draw = record(session, competition, part)
    versions = queries.blueprints(session, competition.id, part)
    if draw is None:
        raise Refused(N_("No draw of these papers is announced yet."))
    if not versions:
        raise Refused(N_("The blueprint of this part is not made yet; make it first."))
    items = pool(session, competition, part)
    if not items:
        raise Refused(N_("The bank of this blueprint has no question for this part."))
    drawing.fix(
        session, competition.slug, draw.code, task="permutation", parameters={"items": items}, by=scope.actor(session, by), now=now
    )
    return len(items)


def pool(session: Session, competition: Competition, part: str) -> list[str]:
    """Digests of the questions from which the part's newest blueprint is filled, ascending."""
    blueprint = queries.blueprints(session, competition.id, part)[0]
    stock = queries.stock(session, blueprint.bank_id, queries.seated_part(competition, part))
    return sorted({version.digest for version in stock})


def record(session: Session, competition: Competition, part: str) -> DrawRecord | None:
    """The newest draw announced for the part's papers, as the log tells it."""
    return drawing.newest(session, competition.slug, "assembly", part)


def seed(session: Session, competition: Competition, part: str) -> str | None:
    """The seed that the part's papers are drawn with; None while the draw is not made, or the pool has changed since it was fixed."""
    found = record(session, competition, part)
    if found is None or found.state != "drawn" or found.right is not True or found.seed is None or found.parameters is None:
        return None
    if list(found.parameters["items"]) != pool(session, competition, part):
        return None
    return found.seed[:SEED_DIGITS]


def draw_behind(session: Session, form: Form) -> str | None:
    """The draw that a paper was assembled from; None where its seed came from elsewhere, or a person exchanged a question by hand."""
    found = record(session, form.competition, form.part)
    if found is None or found.seed is None or form.swaps or form.seed is None:
        return None
    return found.code if form.seed.partition("/")[0] == found.seed[:SEED_DIGITS] else None


def _require_open(session: Session, competition: Competition, part: str) -> None:
    queries.seated_part(competition, part)
    if not by_draw(competition):
        raise Refused(N_("The regulation does not have papers drawn in public: the question setter chooses the seed."))
    _givers(session, competition, part)
    going_on = record(session, competition, part)
    if going_on is not None and going_on.state not in ("drawn", "void"):
        raise Refused(N_("A draw of these papers is going on already."))
