"""The command with which an installation begins: database, keys, and the first two administrators."""

from __future__ import annotations

import click


@click.command(
    epilog="Example: examsvc init --first 'Lý Quốc Hưng <hung@example.vn>' --second 'Mạc Thu Hà <ha@example.vn>'"
)
@click.option("--first", prompt="First administrator, as 'Name <address>'", help="The first administrator.")
@click.option("--second", prompt="Second administrator, as 'Name <address>'", help="The second administrator.")
def init(first: str, second: str) -> None:
    """Make the database and the first two administrators: the only moment at which one person acts alone."""
    from examsvc.accounts import operations
    from examsvc.app import create_app
    from examsvc.base.clock import system_clock
    from examsvc.base.database import writing
    from examsvc.base.web import db
    from examsvc.commands import opening
    from examsvc.ledger import keys
    from examsvc.ledger.operations import REGISTRY
    from examsvc.migrations import apply
    from examsvc.settings import Settings

    people = [read_person(first), read_person(second)]
    settings = Settings()
    settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    opening.to_fill(settings).dispose()
    app = create_app(settings)
    settings.people_key()
    registry = keys.identity(settings.log_key(), settings.host, REGISTRY)
    with app.app_context():
        apply.upgrade(db.engine)
        with writing(db.session()) as session:
            made = operations.initialise(session, people, now=system_clock(), language=settings.default_language)
    click.echo("The installation is made. Hand each link to its person only; it works once, for 72 hours.")
    for one in made:
        click.echo(f"\n  {one.name} <{one.email}>")
        click.echo(f"  {settings.base_url.rstrip('/')}/account/set-up/{one.token}")
    click.echo(
        "\nEach then sets up a second factor. Next, both appoint at least two personnel officers"
        " (page People and roles): with two people only, nobody could let the other begin anew."
        f"\nKeep a copy of {settings.folder / 'keys'} apart from the database: without it nobody is recognised any more,"
        " and no record can be signed."
        f"\nGive this line to the witnesses; it is the key of the installation's record:\n  {registry.key}"
    )


def read_person(text: str) -> tuple[str, str]:
    """(name, address) from ``Name <address>``."""
    import re

    from examsvc.base.language import nfc

    found = re.fullmatch(r"\s*([^<>@]+?)\s*<\s*([^<>@\s]+@[^<>@\s]+\.[^<>@\s]+)\s*>\s*", nfc(text))
    if found is None:
        raise click.BadParameter(f"{text!r} is not of the form 'Name <address>'.")
    return found[1], found[2]
