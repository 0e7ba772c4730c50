"""What a store holds, for people and for programs: `hebbench report`, `export`, `merge`, `why`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.commands.shared import DONE, FAILED, output_option, say, store_option, write
from harness.settings import RequestError

if TYPE_CHECKING:
    from harness.registry import Found
    from harness.store import Store


@click.command()
@store_option
@output_option("report.html")
def report(store: Path, output: Path) -> None:
    """Write the HTML report of a store: one offline file."""
    write_report(store, output)


def write_report(store: Path, output: Path) -> None:
    """The report of a store, written to a file."""
    from harness.registry import find
    from harness.store import Store

    with Store(store, create=False) as opened:
        text = page(opened, find())
    write(output, text)


def page(store: Store, found: Found) -> str:
    """The report of an open store. The one place where the machinery calls for reports."""
    import pandas as pd

    from harness import export
    from harness.describe import cards
    from harness.listing import task
    from reports import ReportData, ReportError, build
    from reports.credit import observed

    rows = export.latest(store.rows())
    table = export.frame(rows)
    table["traceback"] = [r["traceback"] for r in rows]
    for name in "fixed", "chance_valid":
        table[name] = [(r["extra"] or {}).get(name) for r in rows]
    points = [dict(key=r["key"], **p) for r in rows for p in r["curve"] or ()]
    curves = pd.DataFrame(points, columns=list(export.CURVE_COLUMNS))
    try:
        return build(ReportData(
            rows=table, curves=curves, observed=observed(rows), claims=[*store.claims().values()], learners=cards(found),
            tasks=[task(e.thing) for e in found.tasks.values()], checks=store.checks(), audits=store.audits(),
            environment=[*store.environments().values()], store=Path(store.path).name,
        ))  # fmt: skip
    except ReportError as error:
        raise RequestError(str(error)) from None


@click.command()
@store_option
@output_option("-")
@click.option("--format", "form", type=click.Choice(["csv", "json"]), default="csv", show_default=True)
@click.option("--deterministic", is_flag=True, help="Without time and place: the same bytes for the same plan.")
@click.option("--curves", is_flag=True, help="Learning curves instead of trials.")
def export(store: Path, output: Path, form: Any, deterministic: bool, curves: bool) -> None:
    """Write the rows of a store as CSV or JSON."""
    from harness.export import export as text
    from harness.store import Store

    with Store(store, create=False) as opened:
        write(output, text(opened, form, deterministic=deterministic, curves=curves), quiet=True)


@click.command()
@click.argument("stores", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--output", default="merged.db", show_default=True, type=click.Path(path_type=Path), help="Store to write.")
@click.pass_context
def merge(ctx: click.Context, stores: tuple[Path, ...], output: Path) -> None:
    """Unite stores, for instance the shards of one plan, and show where they disagree."""
    from harness.merge import merge as unite

    if str(output) == "-":
        raise RequestError("output='-': a store is a file; give --output FILE.")
    merged = unite(stores, output)
    say(f"{output}: {merged.rows} rows, {merged.duplicates} were there twice.")
    for d in merged.disagreements:
        say(f"Disagreement: {d.key} {d.column}: {' against '.join(map(str, d.values))}")
    for r in merged.replaced:
        say(f"The {r.kind} of {r.learner} is that of {r.new}; {r.old} has another.")
    for place, key in merged.damaged:
        say(f"Damaged, left out: {place}: {key}")
    ctx.exit(FAILED if merged.disagreements or merged.damaged else DONE)


@click.command()
@click.argument("key")
@store_option
def why(key: str, store: Path) -> None:
    """Say what made a stored trial stale: which definitions have changed since it was run. The first digits of a KEY will do."""
    from harness import export
    from harness.describe import key_of
    from harness.digest import changed, parts
    from harness.plan import LOOP
    from harness.store import Store

    with Store(store, create=False) as opened:
        row, codes = key_of(export.latest(opened.rows()), key), opened.codes()
    try:
        now = {k: v for where in (row["learner_where"], row["task_where"], LOOP) for k, v in parts(where).items()}
    except ValueError as error:
        raise RequestError(f"the code of {row['key']} is not where it was: {error}") from None
    click.echo(f"{row['key']}: {row['learner']} on {row['task']}, replicate {row['replicate']}, {row['outcome']}")
    if row["code_digest"] not in codes:
        click.echo("The parts of its code were not kept with this store.")
        return
    moved = changed(codes[row["code_digest"]], now)
    click.echo("\n".join(f"  {line}" for line in moved) if moved else "Its code is as it was: this trial is current.")
