"""The plan of a run: which learners meet which tasks, on which rungs, with which seeds. Nothing here runs anything.

A plan has three parts. The comparison: every learner at its defaults on every task, its rungs and its replicates. The
trials that claims stand on, each from the preset on that the claim states. And, where settings are tried, the trials that
judge them; those that they lead to are known once they are run. Seeds come from names, never from positions, so adding a
task changes no other trial.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from harness import tuning
from harness.claim import Claim, Needs
from harness.digest import digest
from harness.noise import seed
from harness.registry import Entry, Found
from harness.settings import RequestError
from harness.task import Task
from harness.trial import AXES, Protocol, Trial
from harness.tuning import Search

PRESETS = {"smoke": 1, "quick": 3, "full": 10}
"""Replicates of each preset; smoke also keeps to the short ladders, and quick to those of a learner."""
TUNE = {"smoke": 0, "quick": 0, "full": 16}
"""Settings that each preset tries of each learner with something to tune."""
LOOP = "harness.protocol:perform"
Code = Callable[[str, str], str]
"""The digest of all code that a learner on a task runs on, from the two places."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Wish:
    """What a run is asked for. Empty lists mean everything; `replicates` and `tune` None are the preset's numbers."""

    preset: str = "smoke"
    learners: Sequence[str] = ()
    tasks: Sequence[str] = ()
    suites: Sequence[str] = ()
    replicates: Sequence[int] | None = None
    controls: bool = True
    claims: bool = True
    tune: int | None = None


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is to be run.

    trials     sorted by key, each once
    claims     those that are asked, with the trials of each
    notices    what had to be left out
    searches   what is tuned; the trials that a search leads to are not among `trials`
    """

    trials: list[Trial]
    claims: dict[str, tuple[Claim, list[Trial]]]
    notices: list[str]
    searches: list[Search] = dataclasses.field(default_factory=list)


def replicates(text: str) -> list[int]:
    """`10` means replicates 0 to 9, `3,7` means those."""
    try:
        numbers = [int(part) for part in text.split(",") if part.strip()]
    except ValueError:
        numbers = []
    if not numbers or min(numbers) < 0 or ("," not in text and numbers[0] < 1):
        raise RequestError(f"seeds={text!r}: give a number of replicates (10), or the replicates themselves (3,7).")
    return sorted(set(numbers)) if "," in text else list(range(numbers[0]))


def make(found: Found, wish: Wish) -> Plan:
    """The plan for a wish."""
    if wish.preset not in PRESETS:
        raise RequestError(f"preset={wish.preset!r} must be one of {', '.join(PRESETS)}.")
    notices: list[str] = []
    tasks = [task for task in _tasks(found, wish) if _available(task.thing, notices)]
    chosen = found.choose(wish.learners) if wish.learners else [(e, {}) for e in found.learners.values()]
    learners = [(e, p) for e, p in chosen if wish.controls or e.thing.family != "control" or wish.learners]
    if wish.controls:
        named = {e.where for e, _ in learners}
        learners += [(e, {}) for e in found.learners.values() if e.thing.family == "control" and e.where not in named]
    once = functools.cache(code)  # the plan is of one moment: no source is read again for each replicate
    trials: dict[str, Trial] = {}
    searches: dict[str, Search] = {}
    k = tuning.number(TUNE[wish.preset] if wish.tune is None else wish.tune)
    for task in tasks:
        for entry, params in learners:
            mine = _comparison(entry, params, task, wish, once)
            search = tuning.search(entry.thing, params, k, mine, _given(task)) if k else None
            if search is not None:
                searches[search.name] = search
                mine += [t for each in search.trials for t in each]
            trials |= {t.key: t for t in mine}
    claims: dict[str, tuple[Claim, list[Trial]]] = {}
    if wish.claims:
        wanted = {e.name for e, _ in learners} if wish.learners else None
        claims = _claims(found, wish, {t.name for t in tasks}, wanted, notices, once)
        for _, stands_on in claims.values():
            trials |= {t.key: t for t in stands_on if t.key not in trials}
    return Plan(sorted(trials.values(), key=lambda t: t.key), claims, notices, [*searches.values()])


def code(learner: str, task: str) -> str:
    """The digest of all code that a learner on a task runs on: both, and the harness's loop."""
    return digest(learner, task, LOOP)


def rungs(task: Task, preset: str) -> list[dict[str, Any]]:
    """The settings of a task's generator that a preset asks for."""
    if task.ladder is None:
        return [{}]
    short = preset == "smoke" or (preset == "quick" and task.ladder.of == "learner")  # every rung trains every learner anew
    values = task.ladder.short if short else task.ladder.values
    return [{task.ladder.axis: value} for value in values]


def trial(
    entry: Entry, params: dict[str, Any], task: Entry, difficulty: dict[str, Any], replicate: int, preset: str,
    protocol: Protocol | None = None, code: Code = code,
) -> Trial:  # fmt: skip
    """One trial with its seeds and key. What the learner cannot take becomes a trial that says so and is not run."""
    cls, what = entry.thing, task.thing
    rung, inapplicable = None, cls.can.refuses(what.requires, what.exhaustive)
    if what.ladder is not None and what.ladder.axis in difficulty:
        value = difficulty[what.ladder.axis]
        inapplicable = inapplicable or what.ladder.refuses(cls.hypers(), params, value)
        rung = float(value) if isinstance(value, int | float) else float(what.ladder.values.index(value))
    defaults = {n: f.default for n, f in cls.hypers().items()}
    return Trial(
        learner=entry.name, where=entry.where, family=cls.family, origin=entry.origin,
        params={k: v for k, v in sorted(params.items()) if v != defaults[k]}, task=what.name, task_where=task.where,
        task_version=what.version, difficulty=difficulty, rung=rung, preset=preset,
        protocol=protocol or what.protocol, replicate=replicate, seeds=seeds(what.name, replicate),
        code_digest=code(entry.where, task.where), inapplicable=inapplicable,
    ).keyed()  # fmt: skip


def seeds(task: str, replicate: int) -> dict[str, int]:
    """A seed for each axis. All learners of a replicate see the same data, in the same order."""
    return {axis: seed(axis, task, replicate) for axis in AXES}


def _given(task: Entry) -> set[str]:
    """The hyperparameters that a task's ladder sets."""
    return {name for rung in rungs(task.thing, "full") for name in task.thing.given(rung)}


def _comparison(entry: Entry, params: dict[str, Any], task: Entry, wish: Wish, code: Code) -> list[Trial]:
    """One learner on one task: all rungs, all replicates."""
    numbers = range(PRESETS[wish.preset]) if wish.replicates is None else wish.replicates
    difficulties = rungs(task.thing, wish.preset)
    return [trial(entry, params, task, d, number, wish.preset, code=code) for d in difficulties for number in numbers]


def _claims(
    found: Found, wish: Wish, tasks: set[str], learners: set[str] | None, notices: list[str], code: Code
) -> dict[str, tuple[Claim, list[Trial]]]:
    """The claims that are asked, with their trials; one that speaks of what is not there is left out with a notice."""
    claims: dict[str, tuple[Claim, list[Trial]]] = {}
    for suite in found.suites.values():
        for claim in suite.claims if tasks.intersection(suite.tasks) else ():
            name = f"{suite.name}/{claim.id}"
            try:
                if _asked(claim, wish, tasks, learners, found):
                    stands_on = [t for n in claim.needs for t in _needed(found, n, wish, code)] if _since(claim, wish) else []
                    claims[name] = claim, stands_on
            except RequestError as error:
                notices.append(f"Claim {name} is left out: {str(error).partition(' There are:')[0]}")
    return claims


def _needed(found: Found, needs: Needs, wish: Wish, code: Code) -> Iterable[Trial]:
    """The trials of one need, as far as the wish's replicates go."""
    (entry, params), *_ = found.choose([needs.learner])
    task = found.task(needs.task)
    if task.thing.available():
        return
    for replicate in range(needs.replicates):
        if wish.replicates is None or replicate in wish.replicates:
            yield trial(entry, params, task, dict(needs.difficulty), replicate, wish.preset, needs.protocol, code)


def _since(claim: Claim, wish: Wish) -> bool:
    order = list(PRESETS)
    return order.index(wish.preset) >= order.index(claim.since)


def _asked(claim: Claim, wish: Wish, tasks: set[str], learners: set[str] | None, found: Found) -> bool:
    """Whether a claim speaks of nothing beyond what the wish names."""
    named = {found.choose([n.learner])[0][0].name for n in claim.needs}
    mine = {n.task for n in claim.needs}
    left_out = {t for t in mine if found.task(t).thing.available()}
    if wish.tasks and (not mine or not mine - left_out <= tasks):
        return False
    return learners is None or (bool(named) and named <= learners)


def _tasks(found: Found, wish: Wish) -> list[Entry]:
    """The tasks that a wish names."""
    suites = {found.suite(name).name for name in wish.suites}
    named = {found.task(name).name for name in wish.tasks}
    every = [e for e in found.tasks.values() if not suites or e.name.partition("/")[0] in suites]
    return [e for e in every if not named or e.name in named]


def _available(task: Task, notices: list[str]) -> bool:
    """Whether a task's data can be had here; if not, a notice says why."""
    if reason := task.available():
        notices.append(f"{task.name} is left out: {reason}")
        return False
    return True
