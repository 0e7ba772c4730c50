"""What `hebbench run` does, for programs: plan, run, judge."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from harness import engine, plan, tuning, verdicts
from harness.digest import parts
from harness.export import latest
from harness.registry import find
from harness.store import Store
from harness.trial import FAILED

STORE = "hebbench.db"
TIMEOUT = 600.0
"""Seconds for one trial, compilation apart."""
MEMORY = 4 << 30
"""Bytes for one trial, beyond those of a worker at rest."""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a run came to.

    plan      what was asked for
    summary   the engine's account of all trials
    claims    verdicts by `suite/claim`
    failed    failed trials
    chosen    for each search of the plan, by name, which of its settings won; None where that is not known yet
    """

    plan: plan.Plan
    summary: engine.Summary
    claims: dict[str, dict[str, Any]]
    failed: int
    chosen: dict[str, int | None] = dataclasses.field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """0 done; 1 a row failed or a claim is broken; 130 interrupted."""
        if self.summary.stopped == "interrupted":
            return 130
        broken = any(claim["status"] == "broken" for claim in self.claims.values())
        return int(bool(self.failed or self.summary.stopped or broken))


def shard(made: plan.Plan, index: int, count: int) -> plan.Plan:
    """The `index`-th of `count` parts of a plan: for machines that do not know of each other.

    Trials go by their key; but all of a search go together, by its name, since its choice needs them in one store.
    """
    places = {t.key: _place(s) for s in made.searches for trials in s.trials for t in trials}
    mine = [t for t in made.trials if places.get(t.key, int(t.key, 16)) % count == index - 1]
    searches = [s for s in made.searches if _place(s) % count == index - 1]
    return dataclasses.replace(made, trials=mine, searches=searches)


def _place(search: tuning.Search) -> int:
    return int(hashlib.sha256(search.name.encode()).hexdigest(), 16)


def run(
    preset: str = "smoke", *, store: str | Path = STORE, learners: Sequence[str] = (), tasks: Sequence[str] = (),
    suites: Sequence[str] = (), replicates: Sequence[int] | None = None, controls: bool = True, jobs: int | None = None,
    tune: int | None = None, timeout: float = TIMEOUT, memory: int = MEMORY,
    on_event: Callable[[engine.Event], None] | None = None,
) -> Outcome:  # fmt: skip
    """Run a preset, or what is left of it, into a store. See `hebbench run --help` for what the arguments mean."""
    wish = plan.Wish(preset=preset, learners=learners, tasks=tasks, suites=suites, replicates=replicates, controls=controls,
                     tune=tune)  # fmt: skip
    made = plan.make(find(learners), wish)
    with Store(store) as opened:
        return execute(made, opened, jobs=cores() if jobs is None else jobs, timeout=timeout, memory=memory, on_event=on_event)


def execute(made: plan.Plan, store: Store, **options: Any) -> Outcome:
    """Run a plan into an open store, and judge its claims unless the run was stopped.

    First what is known, then the trials of the settings that have won: a run that was cut goes on in either half.
    """
    for digest_, where in {t.code_digest: (t.where, t.task_where, plan.LOOP) for t in made.trials}.items():
        store.put_code(digest_, {k: v for w in where for k, v in parts(w).items()})
    _announce(made, store, ahead(made, store))
    summary = engine.run(made.trials, store, **options)
    later = ahead(made, store)
    if summary.stopped:
        there = store.last(t.key for t in later.known)
        summary.planned += len(later.known)
        summary.stored += sum(last.outcome != "interrupted" for last in there.values())
    elif later.known:
        _announce(made, store, later)
        summary = summary.and_then(engine.run(later.known, store, **options))
    summary.planned += len(later.unknown)
    judged = {} if summary.stopped else verdicts.judge_all(made, store)
    failed = sum(last.outcome in FAILED for last in store.last(t.key for t in [*made.trials, *later.known]).values())
    return Outcome(made, summary, judged, failed, later.chosen)


def ahead(made: plan.Plan, store: Store) -> tuning.Ahead:
    """What the searches of a plan lead to, by what a store knows."""
    return tuning.ahead(made.searches, {row["key"]: row for row in latest(store.rows())} if made.searches else {})


def _announce(made: plan.Plan, store: Store, later: tuning.Ahead) -> None:
    """Keep in the store what is planned: `hebbench status` counts by it."""
    store.put_plan("latest", [t.key for t in [*made.trials, *later.known, *later.unknown]])


def cores() -> int:
    """Workers that this machine can feed."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
