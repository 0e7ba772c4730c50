"""`hebbench run` and `hebbench status`: trials into a store, and how far they have come."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.commands.shared import (
    Decorator,
    again,
    counted,
    from_file,
    json_option,
    part,
    say,
    say_broken,
    say_json,
    seconds,
    size,
    store_option,
    write,
)
from harness.settings import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.api import Outcome
    from harness.plan import Plan
    from harness.registry import Found
    from harness.trial import Trial


def tries(text: Any) -> int:
    """The settings to try: 0, or 2 and more."""
    from harness.tuning import number

    word = str(text)
    try:
        return number(int(word) if word.isascii() and word.isdigit() else word)
    except RequestError as error:
        raise click.BadParameter(str(error)) from None


WHAT: list[Decorator] = [
    click.argument("preset", type=click.Choice(["smoke", "quick", "full"]), default="smoke"),
    click.option("--config", is_eager=True, expose_value=False, callback=from_file, type=click.Path(path_type=Path),
                 help="TOML file with defaults for these options."),
    store_option,
    click.option("--learner", "learners", multiple=True, metavar="X",
                 help="Name[setting=value,...], module:Class or file.py; repeatable."),
    click.option("--task", "tasks", multiple=True, metavar="X", help="suite/name; repeatable."),
    click.option("--suite", "suites", multiple=True, metavar="X", help="Suite; repeatable."),
    click.option("--seeds", metavar="N", help="10 = replicates 0 to 9; 3,7 = those. Default: the preset's."),
    click.option("--no-controls", is_flag=True, help="Leave the controls out."),
    click.option("--tune", type=tries, metavar="K",
                 help="Also tune: K settings a learner and task, the default among them; 0 = none. Default: 16 in full, else 0."),
    click.option("--shard", type=part, metavar="i/n", help="Run part i of n of the plan; merge the stores afterwards."),
]  # fmt: skip
"""The options that say what a plan holds."""
HOW: list[Decorator] = [
    click.option("--jobs", type=click.IntRange(0), help="Workers; 0 runs in this process, for debugging. Default: one a core."),
    click.option("--timeout", type=seconds, metavar="S", default=600.0, show_default=True, help="Seconds for one trial."),
    click.option("--memory", type=size, metavar="SIZE", default="4GB", show_default=True, help="Memory for one trial."),
    click.option("--retry-failed", is_flag=True, help="Also repeat trials that failed."),
    click.option("--force", is_flag=True, help="Repeat everything, as new attempts."),
    click.option("--fail-fast", is_flag=True, help="Stop at the first failure."),
]
"""The options that the engine takes."""


def options(decorators: list[Decorator]) -> Decorator:
    """Several options as one decorator, in their order."""

    def all_of_them(function: Callable[..., Any]) -> Callable[..., Any]:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return all_of_them


def planned(
    preset: str, learners: Any, tasks: Any, suites: Any, seeds: str | None, no_controls: bool, tune: int | None, shard: Any
) -> tuple[Found, Plan]:
    """What there is, and the plan that was asked for."""
    from harness import api, plan
    from harness.registry import find

    found = find(learners)
    wish = plan.Wish(preset=preset, learners=learners, tasks=tasks, suites=suites, controls=not no_controls, tune=tune,
                     replicates=None if seeds is None else plan.replicates(seeds))  # fmt: skip
    made = plan.make(found, wish)
    if not made.trials:
        raise RequestError(" ".join(["nothing to run: no trial is left of what was asked for.", *made.notices]))
    return found, api.shard(made, *shard) if shard else made


@click.command()
@options(WHAT)
@options(HOW)
@click.option("--dry-run", is_flag=True, help="Only say how many trials there are and how long they may take.")
@click.option("--report", type=click.Path(path_type=Path), help="Write the HTML report to this file afterwards.")
@click.option("--quiet", is_flag=True, help="No progress.")
@json_option
@click.pass_context
def run(
    ctx: click.Context, /, store: Path, dry_run: bool, report: Path | None, quiet: bool, as_json: bool,
    jobs: int | None, timeout: float, memory: int, retry_failed: bool, force: bool, fail_fast: bool, **wish: Any,
) -> None:  # fmt: skip
    """Run a preset (smoke, quick or full), or what is left of it, into the store.

    smoke: one replicate, short ladders. quick: three replicates. full: ten, at the defaults and tuned. The same command
    again runs what is missing.
    Exit code: 0 done; 1 a trial failed or a claim is broken; 2 usage; 130 interrupted.
    """
    from harness import api
    from harness.commands.results import page
    from harness.progress import Progress
    from harness.store import Store

    if report is not None and not report.parent.is_dir():
        raise RequestError(f"report={str(report)!r}: there is no folder {str(report.parent)!r}; make it first.")
    found, made = planned(**wish)
    say_broken(found)
    for notice in made.notices:
        say(notice)
    jobs = api.cores() if jobs is None else jobs
    if dry_run:
        _estimate(made, store, jobs, as_json, retry_failed=retry_failed, force=force)
        return
    with Store(store) as opened:
        later = api.ahead(made, opened)
        with Progress([*made.trials, *later.known, *later.unknown], jobs, quiet=quiet) as progress:
            outcome = api.execute(made, opened, jobs=jobs, timeout=timeout, memory=memory, retry_failed=retry_failed,
                                  force=force, fail_fast=fail_fast, on_event=progress.tell)  # fmt: skip
        _account(outcome, store, quiet, as_json)
        if report is not None:
            write(report, page(opened, found))
    ctx.exit(outcome.exit_code)


def _estimate(made: Plan, store: Path, jobs: int, as_json: bool, *, retry_failed: bool, force: bool) -> None:
    """How many trials there are to run, and how long they may take by what this store knows of each learner."""
    from harness import export, tuning
    from harness.progress import clock
    from harness.store import Store

    rows: list[dict[str, Any]] = []
    if store.exists():
        with Store(store, create=False) as opened:
            rows = export.latest(opened.rows())
    later = tuning.ahead(made.searches, {r["key"]: r for r in rows})
    planned = [*made.trials, *later.known, *later.unknown]
    left = _left(planned, rows, retry_failed=retry_failed, force=force)
    took: dict[str, list[float]] = {}
    for r in rows:
        if r["train_s"] is not None:
            took.setdefault(r["learner"], []).append(r["train_s"] + (r["infer_s"] or 0.0))
    to_run = [t for t in left if not t.inapplicable]
    known = [sum(took[t.learner]) / len(took[t.learner]) for t in to_run if t.learner in took]
    seconds = sum(known) / max(jobs, 1) if len(known) == len(to_run) else None
    if as_json:
        say_json(dict(schema=1, planned=len(planned), left=len(left), to_run=len(to_run), seconds=seconds))
        return
    when = "how long is not known yet: no trial of some of these learners is in the store"
    if seconds is not None:
        when = f"about {clock(seconds)} with {counted(max(jobs, 1), 'worker')}, by the trials of {store}"
    click.echo(f"{counted(len(planned), 'trial')}, {len(left)} left to do for {store}, of which {len(to_run)} run; {when}.")


def _left(trials: list[Trial], rows: list[dict[str, Any]], *, retry_failed: bool, force: bool) -> list[Trial]:
    """The trials that the engine would not skip."""
    from harness.trial import FAILED

    repeated = {"interrupted", *(FAILED if retry_failed else ())}
    there = {r["key"] for r in rows if not force and r["outcome"] not in repeated}
    return [t for t in trials if t.key not in there]


def _account(outcome: Outcome, store: Path, quiet: bool, as_json: bool) -> None:
    """Say what a run came to."""
    summary = outcome.summary
    counts = {k: int(v) for k, v in sorted(summary.finished.items())}
    verdicts = {s: sum(c["status"] == s for c in outcome.claims.values()) for s in ("held", "broken", "undecided")}
    if as_json:
        say_json(dict(schema=1, planned=summary.planned, stored=summary.stored, left=summary.left, stopped=summary.stopped,
                      by_outcome=counts, claims=verdicts))  # fmt: skip
    if summary.stopped:
        why = summary.message or {"interrupted": "Interrupted", "failed": "Stopped at the first failure"}[summary.stopped]
        say(f"{why}. {counted(summary.left, 'trial')} left; what is finished is in {store}. {again()}")
        return
    if quiet:
        return
    if not counts:
        say(f"{counted(summary.planned, 'trial')} planned, all in {store} already; nothing to do.")
    else:
        done = ", ".join(f"{n} {o}" for o, n in counts.items())
        say(f"{counted(summary.planned, 'trial')} in {store}: {done}; {summary.stored} were there before.")
    if outcome.chosen:
        say(_tuning(outcome))
    if outcome.failed:
        say(f"{counted(outcome.failed, 'trial')} failed: `hebbench report` gives the reasons, --retry-failed repeats them.")
    for name, claim in outcome.claims.items():
        if claim["status"] == "broken":
            say(f"Claim broken: {name}: {claim['reason']} (threshold: {claim['threshold']})")
    say("Claims: " + ", ".join(f"{n} {s}" for s, n in verdicts.items()) + ".")


def _tuning(outcome: Outcome) -> str:
    """What tuning came to, in one line."""
    choices, tried = outcome.chosen.values(), len(outcome.plan.searches[0].settings)
    searches = "1 search" if len(choices) == 1 else f"{len(choices)} searches"
    lacking = sum(c is None for c in choices)
    unknown = f"; {lacking} not decided, for lack of trials that another run has" if lacking else ""
    return f"Tuning: {searches} among {tried} settings; the default won {sum(c == 0 for c in choices)}{unknown}."


@click.command()
@store_option
@json_option
def status(store: Path, as_json: bool) -> None:
    """Say how far the latest run on a store has come. What failed is done, until --retry-failed repeats it."""
    from harness import export
    from harness.store import Store
    from harness.trial import FAILED as BAD

    with Store(store, create=False) as opened:
        rows = {r["key"]: r for r in export.latest(opened.rows())}
        keys = opened.plans().get("latest") or list(rows)
    by = Counter(rows[k]["outcome"] for k in keys if k in rows)
    done = by.total() - by["interrupted"]
    failed, left, by_outcome = sum(by[o] for o in BAD), len(keys) - done, dict(sorted((+by).items()))
    if as_json:
        say_json(dict(schema=1, planned=len(keys), done=done, ok=by["ok"], failed=failed, not_applicable=by["not_applicable"],
                      left=left, by_outcome=by_outcome))  # fmt: skip
        return
    click.echo(f"{store}: {len(keys)} planned, {done} done, {failed} failed, {left} left")
    for outcome, n in by_outcome.items():
        click.echo(f"  {outcome:<15} {n}")
