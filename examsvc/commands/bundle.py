"""The command that writes an edition of a competition's bundle to a file."""

from __future__ import annotations

import hashlib
from pathlib import Path

import click


@click.command(epilog="Example: examsvc bundle truong-phong-2026 -o bundle.zip")
@click.argument("competition")
@click.option("-o", "output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The file to write.")
@click.option("--restricted", is_flag=True, help="The edition for candidates, inspectors and those who contest the result.")
@click.option("--edition", type=click.IntRange(min=1), help="Which edition; the newest when left out.")
@click.option("--policy", "policy", type=click.Path(dir_okay=False, path_type=Path), help="Write the policy of witnesses to this file too.")
def bundle(competition: str, output: Path, restricted: bool, edition: int | None, policy: Path | None) -> None:
    """Write a published COMPETITION's bundle: the frozen bytes, made now if that was not done yet."""
    from examsvc.base.clock import system_clock
    from examsvc.base.web import db
    from examsvc.commands import opening
    from examsvc.competitions import queries as competitions
    from examsvc.ledger import queries
    from examsvc.ledger.signing import Unsound
    from examsvc.results import editions
    from examsvc.results import queries as results

    kind = "restricted" if restricted else "public"
    with opening.application().app_context():
        session = db.session()
        found = competitions.competition(session, competition)
        chosen = (
            results.published(session, found.id) if edition is None else results.edition(session, found.id, edition)
        )
        if chosen is None:
            raise click.ClickException(f"No such result of {competition} is published; a bundle is made of a published one.")
        number = chosen.edition
        if queries.frozen(session, competition, number, kind) is None:
            try:
                editions.freeze(session, chosen, now=system_clock())
            except (editions.NotWitnessed, Unsound) as error:
                raise click.ClickException(str(error)) from None
        one = queries.frozen(session, competition, number, kind)
        if one is None:
            raise click.ClickException("This edition of the bundle is not made yet. Wait for the witnesses.")
        try:
            data = editions.data_of(session, one)
        except editions.NotWitnessed as error:
            raise click.ClickException(str(error)) from None
        output.write_bytes(data)
        click.echo(f"{output}: edition {number}, {kind}, {len(data)} bytes")
        click.echo(f"SHA-256 {hashlib.sha256(data).hexdigest()}")
        if one.content is None:
            click.echo("Made again after personal data were erased; the record says when. As first made it had another digest:")
            click.echo(f"SHA-256 {one.digest}")
        if policy is not None:
            policy.write_bytes(queries.policy_bytes(session, competition) or b"")
            click.echo(f"{policy}: compare it with what the witnesses themselves publish")
