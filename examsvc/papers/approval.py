"""Approval of a paper by two: from then on its questions stay as they are, and the log is committed to them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from examsvc.accounts import approvals
from examsvc.accounts.approvals import Approved, ask, carries_out
from examsvc.accounts.models import ApprovalRequest
from examsvc.base import jobs
from examsvc.base.errors import N_, Refused
from examsvc.base.language import LANGUAGES, in_language, number, sentence
from examsvc.competitions import queries as competitions
from examsvc.competitions.models import Competition
from examsvc.ledger import commitments
from examsvc.ledger.operations import record
from examsvc.papers import ceremony_draws, contents, operations, paper_lint, queries, scope
from examsvc.papers.models import Form
from examsvc.papers.rules import Finding

KIND = "papers.approve"


def ask_approval(
    session: Session, form: Form, *, by: int, now: datetime, language: str = "vi"
) -> ApprovalRequest:
    """Asks to approve a draft, with the asker's own approval; Refused while the paper lint finds an error."""
    if form.state != "draft":
        raise Refused(N_("Only a draft is approved. This paper is further on, or was withdrawn."))
    scope.require_applications_closed(session, form.competition)
    _require_drawn(session, form)
    found = operations.findings(session, form)
    errors = paper_lint.blocking(found)
    if errors:
        raise Refused(
            N_("The paper still has %(number)d errors; mend them first. The first: %(problem)s"),
            number=len(errors),
            problem={tongue: errors[0].spoken(tongue) for tongue in LANGUAGES},
        )
    return ask(
        session,
        kind=KIND,
        entry_type="paper.approved",
        competition=form.competition.slug,
        lines=summary_lines(form, found, language),
        arguments={"form": form.id, "digest": form.digest},
        terms=competitions.approval_terms(form.competition, "approve-paper"),
        by=by,
        now=now,
    )


def summary_lines(form: Form, found: Sequence[Finding], language: str) -> list[str]:
    """What both approvers read: nothing of the questions themselves."""
    sums = paper_lint.summary(queries.questions(form), queries.cells(form.blueprint))
    part = in_language(competitions.regulation(form.competition).part(form.part).label.model_dump(), language)
    approve = {
        "main": N_("Approve the main paper %(code)s of the part %(part)s; it is then sealed for the custodians"),
        "spare": N_("Approve the spare paper %(code)s of the part %(part)s; it is then sealed for the custodians"),
    }
    contents_of = N_("%(items)s questions, %(marks)s marks, %(words)s words to read")
    return [
        sentence(language, approve[form.role], code=form.code, part=part),
        sentence(language, contents_of, items=sums["items"], marks=number(str(sums["marks"]), language), words=sums["words"]),
        f"SHA-256 {form.digest}",
        *[
            f"{sentence(language, N_('To look at'))}: {one.spoken(language)}"
            for one in found
            if one.severity == "warning"
        ],
    ]


def waiting(session: Session, form: Form, now: datetime) -> ApprovalRequest | None:
    """The request that waits for a second approval of this form."""
    for request in approvals.waiting(session, form.competition.slug, now):
        if request.kind == KIND and request.arguments.get("form") == form.id:
            return request
    return None


@carries_out(KIND)
def _approve(session: Session, approved: Approved) -> None:
    form = queries.form(session, int(approved.arguments["form"]))
    if form.state != "draft" or form.digest != approved.arguments["digest"]:
        raise Refused(N_("The paper has changed since the approval was asked for. Read it again and ask anew."))
    _require_drawn(session, form)
    salt = commitments.new_salt()
    form.salt = salt.hex()
    form.approval_id, form.approved_at = approved.request_id, approved.now
    session.flush()
    entry = record(
        session,
        form.competition.slug,
        "paper.approved",
        now=approved.now,
        by=scope.actor(session, approved.asked_by),
        approvals=approved.approvals,
        summary=approved.summary,
        **scope.of_part(form.competition, form.part),
        paper=form.code,
        kind=form.role,
        forms=[commitments.commit("paper.form", salt, form_object(form))],
        draw=ceremony_draws.draw_behind(session, form),
    )
    form.approval_entry = entry.position
    session.flush()
    jobs.ask_for(session, "papers.seal", approved.now, form=form.id)


def _require_drawn(session: Session, form: Form) -> None:
    """Refused where the regulation has papers drawn in public, and this one came about otherwise."""
    if ceremony_draws.by_draw(form.competition) and ceremony_draws.draw_behind(session, form) is None:
        raise Refused(
            N_("The regulation has the questions of papers drawn in public, and this paper is not the drawn one: it has another seed, or a question was exchanged by hand. Draw it anew with the seed of the public draw.")
        )


def form_object(form: Form) -> dict[str, object]:
    """The committed object of a form whose questions are at hand."""
    languages = competitions.regulation(form.competition).languages
    return contents.form_object(form.code, form.part, slots(form), languages)


def slots(form: Form) -> contents.Slots:
    return [(one.number, queries.item(one.item_version), one.marks) for one in form.slots]


def unsealed(session: Session, competition: Competition, stage: str) -> list[Form]:
    """Approved papers of a stage that are not sealed yet."""
    parts = {part.id for part in competitions.regulation(competition).stage(stage).parts}
    return [one for one in queries.forms(session, competition.id) if one.part in parts and one.state == "approved"]
