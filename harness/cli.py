"""The command line. Every command does one thing, says what it did on stderr, and puts nothing but results on stdout."""

from __future__ import annotations

from typing import Any

import click

from harness.commands.audit import audit
from harness.commands.compare import compare
from harness.commands.learners import check, explain, list_, new
from harness.commands.results import export, merge, report, why
from harness.commands.running import run, status
from harness.commands.shared import INTERRUPTED, again, say
from harness.commands.upkeep import clean, doctor
from harness.settings import RequestError, unknown


class Command(click.Group):
    """The group of all commands: a mistake in what was asked for is one line and exit code 2, never a traceback."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Suggest the nearest command for one that is not known."""
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            raise click.UsageError(str(unknown("command", args[0], self.commands)))
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        from harness.storefile import StoreError

        try:
            return super().invoke(ctx)
        except (RequestError, StoreError) as error:
            raise click.UsageError(str(error)) from None
        except KeyboardInterrupt:
            say(f"Interrupted. {again()}")
            ctx.exit(INTERRUPTED)


def version(ctx: click.Context, param: click.Parameter, value: bool) -> None:  # noqa: ARG001 - click's signature
    """Print the version of what is installed."""
    if not value or ctx.resilient_parsing:
        return
    from importlib import metadata

    try:
        click.echo(f"hebbench {metadata.version('hebbench')}")
    except metadata.PackageNotFoundError:
        click.echo("hebbench, not installed: this is a checkout")
    ctx.exit()


@click.group(cls=Command, context_settings=dict(help_option_names=["-h", "--help"], max_content_width=100))
@click.option("--version", is_flag=True, expose_value=False, is_eager=True, callback=version, help="Show the version and exit.")
def main() -> None:
    """Compare learning rules, biologically plausible and engineered, under one protocol."""


for _command in list_, run, status, report, compare, export, merge, why, check, audit, new, explain, doctor, clean:
    main.add_command(_command)
