"""Setting up a competition's people: whether the roles can be filled, and who sits on the council."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from examsvc.accounts import queries as accounts
from examsvc.base import access, web
from examsvc.base.errors import N_, Refused
from examsvc.base.pages import current_language
from examsvc.competitions import composition, preparing, queries
from examsvc.competitions.blueprint import READERS, bp, may_set, require_setter
from examsvc.competitions.forms import CouncilForm
from examsvc.competitions.lint_people import role_needs
from examsvc.competitions.models import Competition
from examsvc.competitions.preparing import Member
from examsvc.competitions.regulation_text import clause_text
from examsvc.competitions.staffing import least_staff


@bp.get("/competitions/<slug>/setup/staffing")
@access.roles(*READERS)
def staffing(slug: str) -> str:
    """Whether there are people enough for the roles, given which of them exclude each other."""
    session, now = web.session(), web.now()
    competition = queries.competition(session, slug)
    rules = queries.regulation(competition)
    counts = {role.id: role.people for role in rules.roles}
    pairs = rules.conflicts.pairs(counts)
    least = least_staff(counts, pairs)
    words = preparing.words(competition, current_language())
    holders = {role.id: accounts.holders(session, role.id, slug, now) for role in rules.roles}
    everywhere = {one.id for role in rules.roles for one in accounts.holders(session, role.id, "", now)}
    named = {one.id for people in holders.values() for one in people} | everywhere
    needs: dict[str, int] = {}
    for role, number, _ in role_needs(rules):
        needs[role] = max(needs.get(role, 0), number)
    return render_template(
        "competitions/staffing.html",
        competition=competition,
        least=least,
        arrangement=[[words.named("role", role) for role in roles] for roles in least.arrangement],
        bottleneck=[words.named("role", role) for role in least.bottleneck],
        named=len(named),
        rows=[
            {
                "role": words.named("role", role.id),
                "needed": max(role.people, needs.get(role.id, 0)),
                "held": [one.name for one in holders[role.id]] + [
                    one.name for one in accounts.holders(session, role.id, "", now) if one not in holders[role.id]
                ],
                "excludes": [
                    words.named("role", other) for pair in pairs if role.id in pair for other in pair if other != role.id
                ],
            }
            for role in rules.roles
        ],
    )


@bp.route("/competitions/<slug>/setup/council", methods=["GET", "POST"])
@access.roles(*READERS)
def council(slug: str) -> str | Response:
    session, now = web.session(), web.now()
    competition = queries.competition(session, slug)
    form = CouncilForm()
    people = {
        one.id: (one, role)
        for role in ("council-member", "council-secretary", "council-chair")
        for one in accounts.holders(session, role, slug, now)
    }
    rule = queries.regulation(competition).council
    groups: list[str] = [quota.group for quota in rule.quotas]
    if rule.chair_external and "external" not in groups:
        groups.append("external")
    chosen = _members(people, groups)
    if request.method == "POST" and form.validate_on_submit() and form.decided_on.data is not None:
        try:
            require_setter(slug)
            with web.writing() as writing:
                number = preparing.propose_council(
                    writing,
                    queries.competition(writing, slug),
                    chosen,
                    number=form.number.data or "",
                    decided_on=form.decided_on.data,
                    by=access.actor().account_id,
                    now=now,
                    language=current_language(),
                ).id
        except Refused as refusal:
            form.refuse(refusal)
        else:
            web.say(N_("The council is proposed. It is appointed when another person has approved it."))
            return redirect(url_for("accounts.approval", number=number))
    present = queries.council(competition)
    seats = {one.account_id: one for one in present.seats} if present is not None else {}
    return render_template(
        "competitions/council.html",
        competition=competition,
        form=form,
        rule=procedure_lines(competition),
        people=[
            {
                "account": one,
                "role": role,
                "seat": _seat(one.id, role, seats),
                "votes": _checked(f"votes_{one.id}", seats[one.id].votes if one.id in seats else True),
                "groups": [
                    group
                    for group in groups
                    if _checked(f"group_{one.id}_{group}", one.id in seats and group in seats[one.id].groups)
                ],
                "choices": [seat for seat in composition.SEATS if _may_take(role, seat)],
            }
            for one, role in people.values()
        ],
        seats=composition.SEATS,
        groups={group: composition.GROUPS[group] for group in groups},
        present=present,
        faults=composition.faults(rule, [composition.Seat(one.seat, one.votes, frozenset(one.groups)) for one in chosen])
        if request.method == "POST"
        else [],
        stands=preparing.council_stands(session, competition, now) if present is not None else [],
        may_set=may_set(slug),
    )


def procedure_lines(competition: Competition) -> list[str]:
    """What the regulation says about the council, in words."""
    words = preparing.words(competition, current_language())
    return list(clause_text(words, "council", queries.regulation(competition).council).lines)


def _may_take(role: str, seat: str) -> bool:
    return preparing.SEAT_ROLES.get(seat, preparing.SEAT_ROLES["member"]) == role


def _seat(account_id: int, role: str, seats: dict[int, Any]) -> str:
    if request.method == "POST":
        return request.form.get(f"seat_{account_id}", "")
    if account_id in seats:
        return str(seats[account_id].seat)
    return next((seat for seat in ("chair", "secretary", "member") if _may_take(role, seat)), "")


def _checked(name: str, otherwise: bool) -> bool:
    return name in request.form if request.method == "POST" else otherwise


def _members(people: dict[int, Any], groups: list[str]) -> list[Member]:
    """What was chosen on the page."""
    found = []
    for account_id in people:
        seat = request.form.get(f"seat_{account_id}", "")
        if seat in composition.SEATS:
            votes = seat != "substitute" and f"votes_{account_id}" in request.form
            own = tuple(group for group in groups if f"group_{account_id}_{group}" in request.form)
            found.append(Member(account_id, seat, votes, own))  # type: ignore[arg-type]
    return found
