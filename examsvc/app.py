"""The application factory: database, rooms and the checks that must hold before anybody is served."""

from __future__ import annotations

from functools import partial

from flask import Flask
from flask_bootstrap import Bootstrap5
from flask_wtf import CSRFProtect
from sqlalchemy import inspect
from werkzeug.middleware.proxy_fix import ProxyFix

from examsvc.accounts import views as accounts
from examsvc.applications import views as applications
from examsvc.base import access, database, pages, web
from examsvc.base.clock import Clock, system_clock
from examsvc.careers import views as careers
from examsvc.competitions import views as competitions
from examsvc.demonstration import views as demonstration
from examsvc.ledger import defences, witnessing
from examsvc.ledger import views as ledger
from examsvc.marking import views as marking
from examsvc.papers import views as papers
from examsvc.results import bundle_views as bundles
from examsvc.results import views as results
from examsvc.retention import views as retention
from examsvc.settings import Settings
from examsvc.sittings import views as sittings
from examsvc.verify.second import views as verifier

ROOMS = (accounts, careers, competitions, applications, papers, sittings, marking, results, retention, ledger, verifier, bundles, demonstration)


def create_app(settings: Settings | None = None, *, clock: Clock = system_clock) -> Flask:
    """A ready application.

    Raises at once, instead of failing later in front of a candidate: on unsafe settings (``pydantic.ValidationError``),
    on a view without a declared access rule (``RuntimeError``), where an append-only table of the database stands
    without its triggers (``ledger.defences.Undefended``), and where a log is shorter than, or another one than, what was
    signed and witnessed (``ledger.signing.Unsound``).
    """
    settings = settings or Settings()
    app = Flask("examsvc", template_folder="base/templates")
    app.config.update(
        SQLALCHEMY_DATABASE_URI=settings.database_address(),
        SQLALCHEMY_ENGINE_OPTIONS=database.engine_options(settings.database_address(), settings.database_pool),
        SQLALCHEMY_RECORD_QUERIES=False,
        SECRET_KEY=settings.signing_key(),
        SESSION_COOKIE_NAME="examsvc_page",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SECURE=settings.secure,
        SESSION_COOKIE_SAMESITE="Lax",
        MAX_CONTENT_LENGTH=settings.upload_limit_mb * 1024 * 1024 + 64 * 1024,
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,
        WTF_CSRF_TIME_LIMIT=None,
        BOOTSTRAP_SERVE_LOCAL=True,
        BABEL_DEFAULT_LOCALE=settings.default_language,
        EXAMSVC_TIME_ZONE=settings.time_zone,
        TRUSTED_HOSTS=_hosts(settings),
        TESTING=settings.mode == "test",
    )
    app.jinja_env.add_extension("jinja2.ext.do")
    app.extensions["examsvc.settings"] = settings
    app.extensions["examsvc.clock"] = clock
    if settings.proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies, x_host=settings.proxies
        )
    web.db.init_app(app)
    with app.app_context():
        if web.db.engine.dialect.name == "sqlite":
            database.prepare_sqlite(web.db.engine)
        defences.require(web.db.engine)
    Bootstrap5(app)
    CSRFProtect(app)
    pages.register(app, settings)
    web.register(app)
    for room in ROOMS:
        room.register_room(app, settings)
    app.before_request(access.enforce)
    access.require_rules(app)
    with app.app_context():
        _require_witnessed(app, ask=settings.mode != "test")
    return app


def _require_witnessed(app: Flask, *, ask: bool) -> None:
    """Nobody is served from a log that others have seen longer, or otherwise; a witness who cannot be asked is only reported."""
    if not inspect(web.db.engine).has_table("log_checkpoints"):
        return
    sender = partial(witnessing.send, patience=witnessing.PATIENCE_AT_START) if ask else None
    for silence in witnessing.require_witnessed(web.db.session(), sender):
        app.logger.warning("a witness could not be asked at the start: %s", silence)


def _hosts(settings: Settings) -> list[str] | None:
    if settings.mode == "test":
        return None
    from urllib.parse import urlsplit

    own = urlsplit(settings.base_url).hostname or "localhost"
    further = [host.strip() for host in settings.trusted_hosts.split(",") if host.strip()]
    local = ["localhost", "127.0.0.1"] if settings.mode == "demo" else []
    return [own, *further, *local]
