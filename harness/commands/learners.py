"""What there is and what it must keep to: `hebbench list`, `explain`, `check`, `new learner`."""

from __future__ import annotations

from pathlib import Path

import click

from harness.commands.shared import DONE, FAILED, json_option, say, say_broken, say_json
from harness.settings import RequestError


@click.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List learners, suites with their tasks and claims, and presets."""
    from harness.listing import describe
    from harness.registry import find

    found = find()
    there = describe(found)
    if as_json:
        say_json(there)
        return
    say_broken(found)
    for learner in there["learners"]:
        click.echo(f"{learner['name']:<18} {learner['family']:<11} {learner['summary']}")
    for suite in there["suites"]:
        click.echo(f"\n{suite['name']}")
        for task in suite["tasks"]:
            ladder = found.task(task).thing.ladder
            click.echo(
                f"  {task:<28} {'' if ladder is None else f'{ladder.axis} ' + ', '.join(map(str, ladder.values))}".rstrip()
            )
        for claim in suite["claims"]:
            click.echo(f"  claim {claim['id']}")
    click.echo(f"\npresets: {', '.join(there['presets'])}")


@click.command()
@click.argument("name")
def explain(name: str) -> None:
    """Say what a learner, task, claim or suite is."""
    from harness.describe import explain as text
    from harness.registry import find

    click.echo(text(find(), name))


@click.command()
@click.argument("learner")
@click.option("--store", type=click.Path(path_type=Path), help="Keep the counts in this store: the report shows them.")
@json_option
@click.pass_context
def check(ctx: click.Context, learner: str, store: Path | None, as_json: bool) -> None:
    """Hold a learner (a name, module:Class or file.py) to the contract."""
    from harness import checks
    from harness.registry import find
    from harness.store import Store

    found = find([learner])
    say_broken(found)
    chosen = found.choose([learner])
    if as_json and len(chosen) > 1:
        names = ", ".join(entry.name for entry, _ in chosen)
        raise RequestError(f"learner={learner!r} holds {names}: with --json name one, as {learner}:{chosen[0][0].name}.")
    held = [checks.run(entry.thing, params) for entry, params in chosen]
    for report in held:
        if as_json:
            say_json(report)
            continue
        for line in report["checks"]:
            click.echo(f"{line['status']:<8} {line['id']}" + (f"  ({line['reason']})" if line["reason"] else ""))
        counts = report["counts"]
        click.echo(f"{report['learner']}: {counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    if store is not None:
        with Store(store) as opened:
            for report in held:
                opened.put_checks(report["learner"], report["counts"])
    ctx.exit(DONE if all(map(checks.ok, held)) else FAILED)


@click.group()
def new() -> None:
    """Start something of your own."""


@new.command("learner")
@click.argument("name")
@click.option("--folder", default=".", type=click.Path(path_type=Path, file_okay=False), help="Where to put the package.")
def new_learner(name: str, folder: Path) -> None:
    """Write a package with a small working learner, to be edited."""
    from harness.scaffold import new_learner as write

    root = write(name, folder)
    source = next(p for p in sorted(root.rglob("*.py")) if p.parent.name == root.name and p.name != "__init__.py")
    say(f"Wrote {root}. Try it:\n  hebbench check {source}\n  hebbench audit {source}\n  hebbench run smoke --learner {source}")
