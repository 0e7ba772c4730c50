"""What a rule really uses: `hebbench audit`."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.commands.shared import counted, json_option, say, say_broken, say_json
from harness.digest import is_file, split
from harness.settings import RequestError, unknown

if TYPE_CHECKING:
    from harness.audit import Audit
    from harness.registry import Entry, Found
    from harness.store import Store

Chosen = list[tuple["Entry", dict[str, Any]]]


@click.command()
@click.argument("learner", required=False)
@click.option("--all", "every", is_flag=True, help="Audit every learner that has kernels to look into.")
@click.option("--fast", is_flag=True, help="Only what takes about a second: all criteria but dale, online and sparsity.")
@click.option("--only", "criteria", multiple=True, metavar="CRITERION", help="Decide this criterion; repeatable.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0), help="Seed of weights, samples, interventions.")
@click.option("--jobs", type=click.IntRange(0), help="Processes for several learners; 0 is this one. Default: one a core.")
@click.option("--store", type=click.Path(path_type=Path), help="Keep the profiles in this store: the report shows them.")
@json_option
def audit(
    learner: str | None, every: bool, fast: bool, criteria: tuple[str, ...], seed: int, jobs: int | None, store: Path | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Decide by intervention how a learner (a name, module:Class or file.py) learns, criterion by criterion.

    PASS: as a brain may do it. FAIL: not so. NA: does not apply. INCONCLUSIVE: no power to decide. A verdict of FAIL is a
    result, not an error. `hebbench explain CRITERION` says what is done and what each verdict means.
    """
    from harness.api import cores
    from harness.audit.crew import Order, audits
    from harness.registry import find
    from harness.store import Store

    asked = _criteria(criteria)
    if bool(learner) == every:
        raise RequestError("name one learner, or say --all. `hebbench list` names those that there are.")
    there = find([learner] if learner else [])
    say_broken(there)
    chosen = _chosen(there, learner, as_json=as_json)
    orders = [Order(entry.name, entry.where, _called(entry), params) for entry, params in chosen]
    processes = jobs if jobs is not None else cores() if len(orders) > 1 else 0
    told: list[Audit] = []
    with contextlib.ExitStack() as stack:
        kept = stack.enter_context(Store(store)) if store is not None else None
        for found in audits(orders, jobs=processes, seed=seed, fast=fast, only=asked):
            entry, params = chosen[len(told)]
            told.append(found)
            if len(chosen) > 1:
                say(f"{len(told)}/{len(chosen)} {entry.name}")
            if kept is not None:
                _keep(kept, found, entry, params)
    if store is not None:
        say(f"Kept {counted(len(told), 'profile')} in {store}.")
    _tell(told, every=every, as_json=as_json)


def _criteria(given: tuple[str, ...]) -> list[str]:
    """The names of criteria, however they are written."""
    from harness.audit import CRITERIA

    names = [name.casefold().replace("-", "_") for name in given]
    for name, text in zip(names, given, strict=True):
        if name not in CRITERIA:
            raise unknown("criterion", text, CRITERIA)
    return names


def _chosen(found: Found, learner: str | None, *, as_json: bool) -> Chosen:
    """The learners that are meant, with the settings that were asked for."""
    if not learner:
        return [(entry, {}) for entry in found.learners.values() if _open(entry)]
    chosen = found.choose([learner])
    if as_json and len(chosen) > 1:
        names = ", ".join(entry.name for entry, _ in chosen)
        raise RequestError(f"learner={learner!r} holds {names}: with --json name one, as {learner}:{chosen[0][0].name}.")
    return chosen


def _open(entry: Entry) -> bool:
    """Whether a learner has kernels of its own, and is not a wrapped package."""
    return entry.thing.family != "control" or bool(entry.thing.synapses)


def _called(entry: Entry) -> str:
    """How the command line finds a learner; a file in the working folder, or below, from there."""
    if entry.origin == "builtin":
        return entry.name
    place, name = split(entry.where)
    if is_file(place) and Path(place).is_relative_to(Path.cwd()):
        return f"{Path(place).relative_to(Path.cwd())}:{name}"
    return entry.where


def _keep(store: Store, audit: Audit, entry: Entry, params: dict[str, Any]) -> None:
    """Keep a profile; of an earlier one of the same code, auditor, settings and seed, what was not asked for now stays."""
    import msgspec

    from harness.audit import CRITERIA, auditor
    from harness.digest import digest
    from harness.trial import label

    name, by = label(audit.learner, params), dict(code=digest(entry.where), auditor=auditor())
    profile = msgspec.to_builtins(audit) | by
    before = store.audits().get(name)
    if before and all(before.get(key) == profile[key] for key in ("params", "seed", *by)):
        known = {f["criterion"]: f for f in [*before["criteria"], *profile["criteria"]]}
        profile["criteria"] = [known[c] for c in CRITERIA if c in known]
    store.put_audit(name, profile)


def _tell(audits: list[Audit], *, every: bool, as_json: bool) -> None:
    import msgspec

    from harness.commands.profile import matrix, profile

    if as_json:
        say_json({"schema": 1, "audits": msgspec.to_builtins(audits)} if every else msgspec.to_builtins(audits[0]))
    elif every:
        click.echo(matrix(audits))
    else:
        click.echo("\n\n".join(map(profile, audits)))
