"""The command ``examsvc``: each subcommand is loaded only when it is used, so that none pays for the others."""

from __future__ import annotations

import importlib
import sys

import click

COMMANDS = {
    "analyse": ("examsvc.commands.analysis", "analyse_command", "A psychometric report on any file of answers."),
    "assemble": ("examsvc.commands.analysis", "assemble_command", "The best forms from any pool of items."),
    "init": ("examsvc.commands.people", "init", "Make the database and the first two administrators."),
    "bank": ("examsvc.commands.banks", "bank", "Look into question banks, import them, take them away."),
    "custodian": ("examsvc.commands.custodians", "custodian", "A custodian's key, and a share or a code map opened with it."),
    "demo": ("examsvc.commands.demo", "demo", "Build once and serve a demonstration."),
    "bundle": ("examsvc.commands.bundle", "bundle", "Write a published competition's bundle to a file."),
    "verify": ("examsvc.commands.verify", "verify", "Verify a bundle or a receipt, without server or network."),
    "grants": ("examsvc.commands.grants", "grants", "What the application's role on PostgreSQL may do, as SQL."),
    "witness": ("examsvc.commands.witness", "witness", "See that a record only grows, and sign what was seen."),
    "competitions": ("examsvc.commands.installation", "competitions", "Slug, title and phase of each competition."),
    "rehearse": ("examsvc.commands.rehearse", "rehearse", "Simulate an exam day against an installation."),
    "backup": ("examsvc.commands.backup", "backup", "Write a consistent copy of the database while it serves."),
    "restore": ("examsvc.commands.backup", "restore", "Put a backup back into an empty database."),
    "doctor": ("examsvc.commands.doctor", "doctor", "Say in a sentence each what is well here and what is not."),
    "serve": ("examsvc.commands.installation", "serve", "Serve the installation with gunicorn."),
    "worker": ("examsvc.commands.installation", "worker", "Do the jobs that were asked for."),
    "database": ("examsvc.commands.installation", "database", "Bring the database up to date, or check it."),
}


class Commands(click.Group):
    """Finds subcommands by name without importing the others."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name, _ = COMMANDS[cmd_name]
        found: click.Command = getattr(importlib.import_module(module), name)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][2]) for name in sorted(COMMANDS)])


@click.group(cls=Commands)
@click.version_option(package_name="examsvc")
def examsvc() -> None:
    """Competitive examinations of public office-holders, from the notice to a ranking that anyone can verify."""


def main() -> None:
    """Entry point: a refusal is one sentence on standard error and status 1, never a traceback."""
    from pydantic import ValidationError

    from examsvc.base.errors import Refused

    try:
        examsvc.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("Stopped.", err=True)
        sys.exit(1)
    except Refused as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    except ValidationError as error:
        from examsvc.settings import problems

        for problem in problems(error):
            click.echo(problem, err=True)
        sys.exit(1)
    except OSError as error:
        if error.filename is None:  # no file that could not be read or written: a fault of ours, shown whole
            raise
        click.echo(f"{error.filename}: {error.strerror}.", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
