"""What a rule really uses: `hebbench audit`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.commands.shared import counted, json_option, say, say_broken, say_json
from harness.settings import RequestError, unknown

if TYPE_CHECKING:
    from harness.audit import Audit, Finding
    from harness.registry import Entry

MARKS = {"PASS": "pass", "FAIL": "FAIL", "NA": "-", "INCONCLUSIVE": "?"}
"""How verdicts look where there is little room."""


@click.command()
@click.argument("learner", required=False)
@click.option("--all", "every", is_flag=True, help="Audit every learner that has kernels to look into.")
@click.option("--fast", is_flag=True, help="Only what takes about a second: all criteria but dale, online and sparsity.")
@click.option("--only", "criteria", multiple=True, metavar="CRITERION", help="Decide this criterion; repeatable.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0), help="Seed of weights, samples, interventions.")
@click.option("--store", type=click.Path(path_type=Path), help="Keep the profiles in this store: the report shows them.")
@json_option
def audit(
    learner: str | None, every: bool, fast: bool, criteria: tuple[str, ...], seed: int, store: Path | None, as_json: bool
) -> None:
    """Decide by intervention how a learner (a name, module:Class or file.py) learns, criterion by criterion.

    PASS: as a brain may do it. FAIL: not so. NA: does not apply. INCONCLUSIVE: no power to decide. A verdict of FAIL is a
    result, not an error. `hebbench explain CRITERION` says what is done and what each verdict means.
    """
    from harness.audit import CRITERIA
    from harness.registry import find
    from harness.store import Store

    if bool(learner) == every:
        raise RequestError("name one learner, or say --all.")
    for name in criteria:
        if name not in CRITERIA:
            raise unknown("criterion", name, CRITERIA)
    found = find([learner] if learner else [])
    say_broken(found)
    chosen = found.choose([learner]) if learner else [(entry, {}) for entry in found.learners.values() if _open(entry)]
    if as_json and not every and len(chosen) > 1:
        names = ", ".join(entry.name for entry, _ in chosen)
        raise RequestError(f"learner={learner!r} holds {names}: with --json name one, as {learner}:{chosen[0][0].name}.")
    audits = []
    for number, (entry, params) in enumerate(chosen, 1):
        if every:
            say(f"{number}/{len(chosen)} {entry.name}")
        audits.append(_audit(entry, params, seed=seed, fast=fast, only=criteria))
    if store is not None:
        import msgspec

        with Store(store) as opened:
            for each in audits:
                opened.put_audit(each.learner, msgspec.to_builtins(each))
        say(f"Kept {counted(len(audits), 'profile')} in {store}.")
    _tell(audits, every=every, as_json=as_json)


def _open(entry: Entry) -> bool:
    """Whether a learner has kernels of its own, and is not a wrapped package."""
    return entry.thing.family != "control" or bool(entry.thing.synapses)


def _audit(entry: Entry, params: dict[str, Any], **how: Any) -> Audit:
    from harness.audit import audit as run

    where = entry.name if entry.origin == "builtin" else entry.where
    return run(entry.thing, params, where=where, **how)


def _tell(audits: list[Audit], *, every: bool, as_json: bool) -> None:
    import msgspec

    if as_json:
        say_json({"schema": 1, "audits": msgspec.to_builtins(audits)} if every else msgspec.to_builtins(audits[0]))
    elif every:
        _matrix(audits)
    else:
        for each in audits:
            _profile(each)


def _profile(audit: Audit) -> None:
    """One learner: a line for each criterion, and what was measured below it."""
    settings = ", ".join(f"{k}={v}" for k, v in audit.params.items())
    click.echo(f"{audit.learner}({settings}), seed {audit.seed}, {audit.mode} mode; twin: {audit.twin or 'none'}")
    for f in audit.criteria:
        click.echo(f"\n{f.verdict:<13} {f.criterion}: {f.reason}")
        if measured := _measured(f):
            click.echo(f"{'':<13} {measured}")
        if f.witness is not None:
            w = f.witness
            parts = [("array", w.array), ("row", w.row), ("step", w.step), ("population", w.population), ("unit", w.unit)]
            click.echo(f"{'':<13} witness: " + ", ".join(f"{k} {v}" for k, v in parts if v not in ("", None)))
        click.echo(f"{'':<13} {f.reproduce}")


def _measured(f: Finding) -> str:
    if f.value is None:
        return ""
    beside = [("noise", f.noise_floor), ("threshold", f.threshold), ("limit of detection", f.limit_of_detection)]
    others = "".join(f", {name} {value:.3g}" for name, value in beside if value is not None)
    return f"{f.statistic or 'value'} {f.value:.4g}{others}; {counted(f.interventions, 'intervention')}"


def _matrix(audits: list[Audit]) -> None:
    """All learners: a row each, a column for each criterion."""
    names = [f.criterion for f in audits[0].criteria]
    wide = max(len(each.learner) for each in audits)
    click.echo(f"{'':<{wide}}  " + "  ".join(names))
    for each in audits:
        cells = (f"{MARKS[f.verdict]:<{len(f.criterion)}}" for f in each.criteria)
        click.echo(f"{each.learner:<{wide}}  " + "  ".join(cells).rstrip())
    click.echo("\npass: as a brain may do it; FAIL: not so; -: does not apply; ?: could not be decided.")
