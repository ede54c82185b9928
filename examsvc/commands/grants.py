"""The command that prints what the application's role on PostgreSQL may do."""

from __future__ import annotations

import click


@click.command(epilog="Example: examsvc grants examsvc_app | psql -U examsvc_owner examsvc")
@click.argument("role")
def grants(role: str) -> None:
    """Print the SQL that gives the application's ROLE on PostgreSQL no more than it needs; run it as the owner of the tables."""
    from examsvc.ledger import grants as rights
    from examsvc.migrations.metadata import metadata  # every room's tables

    _ = metadata.tables
    try:
        click.echo(rights.script(role), nl=False)
    except ValueError as error:
        raise click.ClickException(f"{role!r}: {error}.") from None
