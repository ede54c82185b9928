"""Who may enter which view.  Deny by default: a view without a declared rule stops the application from starting.

A rule is declared with a decorator directly on the view function::

    @bp.get("/competitions/<slug>/files")
    @access.roles("hr")
    def files(slug): ...

Rules look only at who is signed in and in which role, for the competition named ``slug`` in the address.  Whether
*this* object is theirs, the view asks the room's queries; objects of others answer 404.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from flask import Flask, current_app, g, redirect, request, url_for
from werkzeug.wrappers import Response

from examsvc.base.errors import N_, NotAllowed, NotFound

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True)
class Actor:
    """Who acts: an account's number, its random public code (the ledger's "by") and the roles held now.

    ``roles`` holds pairs (role, competition slug); a role of the whole installation has the slug ``""``.
    ``second_factor`` tells whether this session was opened with a second factor; without one no role has an effect, and the
    roles held stand in ``withheld``.  ``excluded`` are roles of the whole installation that a relation to a candidate keeps
    out of one competition.  ``attempt`` is set in a session of exam day: it opens that attempt and nothing else.
    """

    account_id: int
    code: str
    name: str
    roles: frozenset[tuple[str, str]] = field(default_factory=frozenset)
    second_factor: bool = False
    attempt: str | None = None
    withheld: frozenset[tuple[str, str]] = field(default_factory=frozenset)
    excluded: frozenset[tuple[str, str]] = field(default_factory=frozenset)

    def holds(self, role: str, competition: str = "") -> bool:
        """Whether the role is held for that competition or for the whole installation."""
        return (role, competition) in self.roles or (
            (role, "") in self.roles and (role, competition) not in self.excluded
        )

    def roles_in(self, competition: str) -> tuple[str, ...]:
        """The roles held in that competition, sorted."""
        return tuple(sorted({role for role, _ in self.roles if self.holds(role, competition)}))


@dataclass(frozen=True)
class Rule:
    """``public``: anyone.  ``exam``: the session of the attempt in the address.  ``roles``: one of these; none: anyone signed in."""

    public: bool = False
    exam: bool = False
    roles: tuple[str, ...] = ()


def _declare(rule: Rule) -> Callable[[View], View]:
    def mark(view: View) -> View:
        view.__dict__["access_rule"] = rule
        return view

    return mark


def public(view: View) -> View:
    """Anyone may enter, signed in or not."""
    return _declare(Rule(public=True))(view)


def exam(view: View) -> View:
    """Only a session of exam day that was opened for the attempt whose ``code`` stands in the address."""
    return _declare(Rule(exam=True))(view)


def signed_in(view: View) -> View:
    """Anyone with an account who is signed in; the view itself looks at whose object it shows."""
    return _declare(Rule())(view)


def roles(*names: str) -> Callable[[View], View]:
    """Whoever holds one of these roles for the competition in the address, or for the whole installation."""
    if not names:
        raise ValueError("name at least one role")
    return _declare(Rule(roles=names))


def rule_of(app: Flask, endpoint: str) -> Rule | None:
    view = app.view_functions[endpoint]
    rule = getattr(view, "access_rule", None)
    return rule if isinstance(rule, Rule) else None


def require_rules(app: Flask) -> None:
    """Raises at start-up when a route has no access rule, naming it."""
    missing = sorted(
        {r.endpoint for r in app.url_map.iter_rules() if rule_of(app, r.endpoint) is None and r.endpoint not in _OWN}
    )
    if missing:
        raise RuntimeError(f"views without a declared access rule: {', '.join(missing)}")


def opens(endpoint: str, slug: str = "") -> bool:
    """Whether the reader's roles open this view in this competition: a page leads only where its reader may go."""
    rule, reader = rule_of(current_app, endpoint), g.get("actor")
    if rule is None or rule.public:
        return rule is not None
    if reader is None or rule.exam or reader.attempt is not None:
        return False
    return not rule.roles or any(reader.holds(role, slug) for role in rule.roles)


_OWN = frozenset({"static", "bootstrap.static"})  # files of the packages, the same for everybody


def enforce() -> Response | None:
    """Before each request: applies the rule of the view that will answer."""
    if request.endpoint is None or request.endpoint in _OWN:
        return None
    rule = rule_of(current_app, request.endpoint)
    if rule is None:
        raise NotAllowed()
    if rule.public:
        return None
    actor: Actor | None = g.get("actor")
    if rule.exam:
        if actor is None or actor.attempt is None:
            raise Unauthenticated()
        if actor.attempt != (request.view_args or {}).get("code"):
            raise NotFound()
        return None
    if actor is None or actor.attempt is not None:
        if request.method == "GET" and not _wants_json():
            return redirect(url_for("accounts.sign_in", next=request.full_path.rstrip("?")))
        raise Unauthenticated()
    if not rule.roles:
        return None
    slug = (request.view_args or {}).get("slug", "")
    if any(actor.holds(role, slug) for role in rule.roles):
        return None
    if any((role, place) in actor.withheld for role in rule.roles for place in ("", slug)):
        if request.method == "GET" and not _wants_json():
            return redirect(url_for("accounts.second_factor", next=request.full_path.rstrip("?")))
        raise NotAllowed(N_("Your role needs a second factor. Sign in with it, then do this step again."))
    if slug and not actor.roles_in(slug):
        raise NotFound()
    raise NotAllowed()


def _wants_json() -> bool:
    return request.is_json or request.accept_mimetypes.best == "application/json"


class Unauthenticated(NotAllowed):
    """Not signed in any more; a browser's queue waits on this answer."""

    status = 401

    def __init__(self) -> None:
        super().__init__(N_("You are not signed in any more. Sign in again; nothing that you sent before is lost."))


def actor() -> Actor:
    """The signed-in actor of this request; refuses when there is none."""
    found: Actor | None = g.get("actor")
    if found is None:
        raise Unauthenticated()
    return found
