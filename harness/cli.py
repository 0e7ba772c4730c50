"""The command line. Every command does one thing, says what it did on stderr, and puts nothing but results on stdout."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.settings import RequestError, unknown

if TYPE_CHECKING:
    from harness.api import Outcome
    from harness.plan import Plan
    from harness.registry import Found

DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
STORE = "hebbench.db"


class Command(click.Group):
    """The group of all commands: a mistake in what was asked for is one line and exit code 2, never a traceback."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Suggest the nearest command for one that is not known."""
        if args and self.get_command(ctx, args[0]) is None:
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
            click.echo("Interrupted.", err=True)
            ctx.exit(INTERRUPTED)


@click.group(cls=Command, context_settings=dict(help_option_names=["-h", "--help"], max_content_width=100))
@click.version_option(package_name="hebbench")
def main() -> None:
    """Compare learning rules, biologically plausible and engineered, under one protocol."""


def store_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """The option --store, the same everywhere."""
    return click.option("--store", default=STORE, show_default=True, type=click.Path(path_type=Path), help="SQLite file of results.")(function)


def json_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """The option --json, the same everywhere."""
    return click.option("--json", "as_json", is_flag=True, help="JSON alone on stdout.")(function)


def output_option(default: str) -> Callable[..., Any]:
    """The option --output; `-` is stdout."""
    return click.option("--output", default=default, show_default=True, type=click.Path(path_type=Path), help="File to write; - for stdout.")


def say_json(value: Any) -> None:
    """JSON on stdout."""
    click.echo(json.dumps(value, ensure_ascii=False, allow_nan=False))


def say_broken(found: Found) -> None:
    """Name what was left out."""
    for broken in found.broken:
        click.echo(f"Left out: {broken.name} ({broken.origin}): {broken.error}", err=True)


# ---------------------------------------------------------------- list, explain


@main.command("list")
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
            ladder = found.tasks[task].thing.ladder
            click.echo(f"  {task:<28} {'' if ladder is None else f'{ladder.axis} ' + ', '.join(map(str, ladder.values))}".rstrip())
        for claim in suite["claims"]:
            click.echo(f"  claim {claim['id']}")
    click.echo(f"\npresets: {', '.join(there['presets'])}")


@main.command()
@click.argument("name")
def explain(name: str) -> None:
    """Say what a learner, task, claim or suite is."""
    from harness.describe import explain as text
    from harness.registry import find

    click.echo(text(find(), name))


# ---------------------------------------------------------------- run, status


class Bytes(click.ParamType):
    """A size such as 2GB, 500MB or 1000000."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Bytes."""
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)i?B?", str(value).strip(), re.IGNORECASE)
        if not match or float(match[1]) <= 0:
            self.fail(f"{value!r} is no size; write 500MB or 2GB.", param, ctx)
        return int(float(match[1]) * 1024 ** " KMGT".index(match[2].upper() or " "))


class Shard(click.ParamType):
    """A part of a plan, 1/4 to 4/4."""

    name = "i/n"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """(i, n)."""
        match = re.fullmatch(r"(\d+)/(\d+)", str(value))
        if not match or not 1 <= int(match[1]) <= int(match[2]):
            self.fail(f"{value!r} is no part of a plan; write i/n with 1 <= i <= n, such as 1/4.", param, ctx)
        return int(match[1]), int(match[2])


def from_file(ctx: click.Context, param: click.Parameter, value: Path | None) -> None:  # noqa: ARG001 - click's signature
    """Take defaults of this command's options from a TOML file."""
    if value is None:
        return
    try:
        given = tomllib.loads(value.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise click.BadParameter(f"{value} cannot be read: {error}") from None
    names = {o.removeprefix("--"): p.name for p in ctx.command.params for o in p.opts} | {"preset": "preset"}
    for key in given:
        if key not in names or key == "config":
            raise click.BadParameter(f"{value}: {unknown('option', key, set(names) - {'config'})}")
    ctx.default_map = (ctx.default_map or {}) | {str(names[key]): v for key, v in given.items()}


def plan_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say what a plan holds."""
    options = [
        click.argument("preset", type=click.Choice(["smoke", "quick", "full"]), default="smoke"),
        click.option("--config", is_eager=True, expose_value=False, callback=from_file, type=click.Path(path_type=Path),
                     help="TOML file with defaults for these options."),
        store_option,
        click.option("--learner", "learners", multiple=True, metavar="X", help="Name[setting=value,...], module:Class or file.py; repeatable."),
        click.option("--task", "tasks", multiple=True, metavar="X", help="suite/name; repeatable."),
        click.option("--suite", "suites", multiple=True, metavar="X", help="Suite; repeatable."),
        click.option("--seeds", metavar="N", help="10 = replicates 0 to 9; 3,7 = those. Default: the preset's."),
        click.option("--no-controls", is_flag=True, help="Leave the controls out."),
        click.option("--shard", type=Shard(), help="Run part i of n of the plan; merge the stores afterwards."),
    ]  # fmt: skip
    for option in reversed(options):
        function = option(function)
    return function


def planned(preset: str, learners: Any, tasks: Any, suites: Any, seeds: str | None, no_controls: bool, shard: Any) -> tuple[Found, Plan]:
    """What there is, and the plan that was asked for."""
    from harness import api, plan
    from harness.registry import find

    found = find(learners)
    wish = plan.Wish(preset=preset, learners=learners, tasks=tasks, suites=suites, controls=not no_controls,
                     replicates=None if seeds is None else plan.replicates(seeds))  # fmt: skip
    made = plan.make(found, wish)
    if not made.trials:
        raise RequestError("nothing to run: no trial is left of what was asked for. " + " ".join(made.notices))
    return found, api.shard(made, *shard) if shard else made


@main.command()
@plan_options
@click.option("--jobs", type=click.IntRange(0), help="Workers; 0 runs in this process, for debugging. Default: one a core.")
@click.option("--timeout", type=click.FloatRange(0, min_open=True), default=600.0, show_default=True, help="Seconds for one trial.")
@click.option("--memory", type=Bytes(), default="4GB", show_default=True, help="Memory for one trial.")
@click.option("--retry-failed", is_flag=True, help="Also repeat trials that failed.")
@click.option("--force", is_flag=True, help="Repeat everything, as new attempts.")
@click.option("--fail-fast", is_flag=True, help="Stop at the first failure.")
@click.option("--dry-run", is_flag=True, help="Only say how many trials there are and how long they may take.")
@click.option("--report", type=click.Path(path_type=Path), help="Write the HTML report to this file afterwards.")
@click.option("--quiet", is_flag=True, help="No progress.")
@json_option
@click.pass_context
def run(
    ctx: click.Context, /, store: Path, jobs: int | None, timeout: float, memory: int, retry_failed: bool, force: bool, fail_fast: bool,
    dry_run: bool, report: Path | None, quiet: bool, as_json: bool, **wish: Any,
) -> None:  # fmt: skip
    """Run a preset (smoke, quick or full), or what is left of it, into the store.

    smoke: one replicate, short ladders. quick: three replicates. full: ten. The same command again runs what is missing.
    Exit code: 0 done; 1 a trial failed or a claim is broken; 2 usage; 130 interrupted.
    """
    from harness import api
    from harness.progress import Progress
    from harness.store import Store

    found, made = planned(**wish)
    say_broken(found)
    for notice in made.notices:
        click.echo(notice, err=True)
    jobs = api.cores() if jobs is None else jobs
    if dry_run:
        _estimate(made, store, jobs, as_json)
        return
    with Store(store) as opened:
        opened.put_plan("latest", [t.key for t in made.trials])
        with Progress(made.trials, jobs, quiet=quiet) as progress:
            outcome = api.execute(made, opened, jobs=jobs, timeout=timeout, memory=memory, retry_failed=retry_failed,
                                  force=force, fail_fast=fail_fast, on_event=progress.tell)  # fmt: skip
        _account(outcome, store, quiet, as_json)
        if report is not None:
            _write(report, _page(opened, found))
    ctx.exit(outcome.exit_code)


def _estimate(made: Plan, store: Path, jobs: int, as_json: bool) -> None:
    """How many trials there are to run, and how long they may take by what this store knows of each learner."""
    from harness import export
    from harness.progress import clock
    from harness.store import Store
    from harness.trial import FINAL

    rows: list[dict[str, Any]] = []
    if store.exists():
        with Store(store, create=False) as opened:
            rows = export.latest(opened.rows())
    done = {r["key"] for r in rows if r["outcome"] in FINAL}
    left = [t for t in made.trials if t.key not in done]
    took: dict[str, list[float]] = {}
    for r in rows:
        if r["train_s"] is not None:
            took.setdefault(r["learner"], []).append(r["train_s"] + (r["infer_s"] or 0.0))
    known = [sum(took[t.learner]) / len(took[t.learner]) for t in left if t.learner in took and not t.inapplicable]
    to_run = sum(not t.inapplicable for t in left)
    seconds = sum(known) / max(jobs, 1) if known and len(known) == to_run else None
    if as_json:
        say_json(dict(schema=1, planned=len(made.trials), left=len(left), to_run=to_run, seconds=seconds))
        return
    when = f"about {clock(seconds)} with {max(jobs, 1)} workers, by the trials of {store}" if seconds is not None else (
        "how long is not known yet: no trial of some of these learners is in the store")  # fmt: skip
    click.echo(f"{len(made.trials)} trials, {len(left)} not in {store}, of which {to_run} run; {when}.")


def _account(outcome: Outcome, store: Path, quiet: bool, as_json: bool) -> None:
    """Say what a run came to."""
    summary = outcome.summary
    counts = {k: int(v) for k, v in sorted(summary.finished.items())}
    verdicts = {s: sum(c["status"] == s for c in outcome.claims.values()) for s in ("held", "broken", "undecided")}
    if as_json:
        say_json(dict(schema=1, planned=summary.planned, stored=summary.stored, left=summary.left, stopped=summary.stopped,
                      by_outcome=counts, claims=verdicts))  # fmt: skip
    if summary.stopped:
        again = " ".join(a if re.fullmatch(r"[\w./:=,+-]+", a) else repr(a) for a in sys.argv[1:])
        why = summary.message or {"interrupted": "Interrupted", "failed": "Stopped at the first failure"}.get(summary.stopped, "Stopped")
        click.echo(f"{why}. {summary.left} trials are left; what is finished is in {store}. To go on:\n  hebbench {again}", err=True)
        return
    if quiet:
        return
    if not counts:
        click.echo(f"All {summary.planned} trials are in {store} already; nothing to do.", err=True)
    else:
        done = ", ".join(f"{n} {o}" for o, n in counts.items())
        click.echo(f"{summary.planned} trials in {store}: {done}; {summary.stored} were there before.", err=True)
    for name, claim in outcome.claims.items():
        if claim["status"] == "broken":
            click.echo(f"Claim broken: {name}: {claim['reason']} (threshold: {claim['threshold']})", err=True)
    click.echo("Claims: " + ", ".join(f"{n} {s}" for s, n in verdicts.items()) + ".", err=True)


@main.command()
@store_option
@json_option
def status(store: Path, as_json: bool) -> None:
    """Say how far the latest run on a store has come."""
    from collections import Counter

    from harness import export
    from harness.store import Store
    from harness.trial import FAILED as BAD
    from harness.trial import FINAL

    with Store(store, create=False) as opened:
        rows = {r["key"]: r for r in export.latest(opened.rows())}
        keys = opened.plans().get("latest") or list(rows)
    there = [rows[k]["outcome"] for k in keys if k in rows]
    by = Counter(there)
    done = sum(by[o] for o in FINAL)
    counts = dict(planned=len(keys), done=done, ok=by["ok"], failed=sum(by[o] for o in BAD), not_applicable=by["not_applicable"],
                  left=len(keys) - done, by_outcome={k: by[k] for k in sorted(by)})  # fmt: skip
    if as_json:
        say_json(dict(schema=1) | counts)
    else:
        click.echo(f"{store}: {len(keys)} planned, {done} done, {counts['failed']} failed, {counts['left']} left")
        for outcome, n in counts["by_outcome"].items():
            click.echo(f"  {outcome:<15} {n}")


# ---------------------------------------------------------------- results


@main.command()
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
        page = _page(opened, find())
    _write(output, page)


def _page(store: Any, found: Found) -> str:
    """The report of an open store. The one place where the machinery calls for reports."""
    import pandas as pd

    from harness import export
    from harness.describe import cards

    reports = __import__("reports")
    rows = export.latest(store.rows())
    table = export.frame(rows)
    table["traceback"] = [r["traceback"] for r in rows]
    points = [dict(key=r["key"], **p) for r in rows for p in r["curve"] or ()]
    curves = pd.DataFrame(points, columns=list(export.CURVE_COLUMNS))
    try:
        page: str = reports.build(reports.ReportData(
            rows=table, curves=curves, claims=[*store.claims().values()], learners=cards(found),
            environment=[*store.environments().values()], store=Path(store.path).name,
        ))  # fmt: skip
    except reports.ReportError as error:
        raise RequestError(str(error)) from None
    return page


@main.command()
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
        _write(output, text(opened, form, deterministic=deterministic, curves=curves), quiet=True)


def _write(path: Path, text: str, *, quiet: bool = False) -> None:
    """Write a file whole or not at all; `-` is stdout."""
    if str(path) == "-":
        click.echo(text, nl=False)
        return
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_text(text, encoding="utf-8", newline="\n")
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise RequestError(f"{path} cannot be written: {error.strerror}; choose another --output.") from None
    if not quiet:
        click.echo(f"Wrote {path} ({len(text) / 1e6:.2f} MB).", err=True)


@main.command()
@click.argument("stores", nargs=-1, required=True, type=click.Path(path_type=Path))
@output_option("merged.db")
@click.pass_context
def merge(ctx: click.Context, stores: tuple[Path, ...], output: Path) -> None:
    """Unite stores, for instance the shards of one plan, and show where they disagree."""
    from harness.merge import merge as unite

    merged = unite(stores, output)
    click.echo(f"{output}: {merged.rows} rows, {merged.duplicates} were there twice.", err=True)
    for d in merged.disagreements:
        click.echo(f"Disagreement: {d.key} {d.column}: {' against '.join(map(str, d.values))}", err=True)
    for place, key in merged.damaged:
        click.echo(f"Damaged, left out: {place}: {key}", err=True)
    ctx.exit(FAILED if merged.disagreements or merged.damaged else DONE)


@main.command()
@click.argument("key")
@store_option
def why(key: str, store: Path) -> None:
    """Say what made a stored trial stale: which definitions have changed since it was run."""
    from harness import export
    from harness.describe import key_of
    from harness.digest import changed, parts
    from harness.plan import LOOP
    from harness.store import Store

    with Store(store, create=False) as opened:
        row, codes = key_of(export.latest(opened.rows()), key), opened.codes()
    now = {k: v for w in (row["learner_where"], row["task_where"], LOOP) for k, v in parts(w).items()}
    click.echo(f"{row['key']}: {row['learner']} on {row['task']}, replicate {row['replicate']}, {row['outcome']}")
    if row["code_digest"] not in codes:
        click.echo("The parts of its code were not kept with this store.")
        return
    moved = changed(codes[row["code_digest"]], now)
    click.echo("\n".join(f"  {line}" for line in moved) if moved else "Its code is as it was: this trial is current.")


# ---------------------------------------------------------------- learners


@main.command()
@click.argument("learner")
@json_option
@click.pass_context
def check(ctx: click.Context, learner: str, as_json: bool) -> None:
    """Hold a learner (a name, module:Class or file.py) to the contract."""
    from harness.checks import run as hold
    from harness.registry import find

    found = find([learner])
    say_broken(found)
    failed = False
    for entry, params in found.choose([learner]):
        held = hold(entry.thing, params)
        failed |= held["counts"]["failed"] > 0 or held["counts"]["run"] == 0
        if as_json:
            say_json(held)
            continue
        for line in held["checks"]:
            click.echo(f"{line['status']:<8} {line['id']}" + (f"  ({line['reason']})" if line["reason"] else ""))
        counts = held["counts"]
        click.echo(f"{entry.name}: {counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    ctx.exit(FAILED if failed else DONE)


@main.group()
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
    click.echo(f"Wrote {root}. Try it:\n  hebbench check {source}\n  hebbench run smoke --learner {source}", err=True)


# ---------------------------------------------------------------- the machine


@main.command()
@click.option("--no-compile", is_flag=True, help="Leave out the table of compile times, which takes half a minute.")
@json_option
def doctor(no_compile: bool, as_json: bool) -> None:
    """Say what this machine has, and how long the kernels of each learner take to compile and to load."""
    from harness import machine

    found = machine.examine(compile_kernels=not no_compile)
    if as_json:
        say_json(found)
        return
    for name, value in found["machine"].items():
        click.echo(f"{name:<12} {value}")
    for line in found["kernels"]:
        click.echo(f"{line['learner']:<18} cold {line['cold_s']:6.2f} s CPU   warm {line['warm_s']:5.2f} s")
    if found["kernels"]:
        cold, warm = (sum(line[k] for line in found["kernels"]) for k in ("cold_s", "warm_s"))
        click.echo(f"{'all':<18} cold {cold:6.2f} s CPU   warm {warm:5.2f} s")


@main.command()
def clean() -> None:
    """Remove compiled kernels; they are made anew when they are needed. No result is touched."""
    from harness.jit import cache_folder

    folder = cache_folder()
    size = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) if folder.exists() else 0
    shutil.rmtree(folder, ignore_errors=True)
    click.echo(f"Removed {folder} ({size / 1e6:.1f} MB).", err=True)
