"""What `hebbench run` does, for programs: plan, run, judge."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from harness import engine, plan, verdicts
from harness.digest import parts
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
    """What a run came to: the plan, the engine's account, the verdicts by `suite/claim`, and the failed trials of the plan."""

    plan: plan.Plan
    summary: engine.Summary
    claims: dict[str, dict[str, Any]]
    failed: int

    @property
    def exit_code(self) -> int:
        """0 done; 1 a row failed or a claim is broken; 130 interrupted."""
        if self.summary.stopped == "interrupted":
            return 130
        broken = any(claim["status"] == "broken" for claim in self.claims.values())
        return int(bool(self.failed or self.summary.stopped or broken))


def shard(made: plan.Plan, index: int, count: int) -> plan.Plan:
    """The `index`-th of `count` parts of a plan, by key: for machines that do not know of each other."""
    mine = [t for t in made.trials if int(t.key, 16) % count == index - 1]
    return dataclasses.replace(made, trials=mine)


def run(
    preset: str = "smoke", *, store: str | Path = STORE, learners: Sequence[str] = (), tasks: Sequence[str] = (),
    suites: Sequence[str] = (), replicates: Sequence[int] | None = None, controls: bool = True, jobs: int | None = None,
    timeout: float = TIMEOUT, memory: int = MEMORY, on_event: Callable[[engine.Event], None] | None = None,
) -> Outcome:  # fmt: skip
    """Run a preset, or what is left of it, into a store. See `hebbench run --help` for what the arguments mean."""
    wish = plan.Wish(preset=preset, learners=learners, tasks=tasks, suites=suites, replicates=replicates, controls=controls)
    made = plan.make(find(learners), wish)
    with Store(store) as opened:
        return execute(made, opened, jobs=cores() if jobs is None else jobs, timeout=timeout, memory=memory, on_event=on_event)


def execute(made: plan.Plan, store: Store, **options: Any) -> Outcome:
    """Run a plan into an open store, and judge its claims unless the run was stopped."""
    for digest_, where in {t.code_digest: (t.where, t.task_where, plan.LOOP) for t in made.trials}.items():
        store.put_code(digest_, {k: v for w in where for k, v in parts(w).items()})
    summary = engine.run(made.trials, store, **options)
    judged = {} if summary.stopped else verdicts.judge_all(made, store)
    failed = sum(last.outcome in FAILED for last in store.last(t.key for t in made.trials).values())
    return Outcome(made, summary, judged, failed)


def cores() -> int:
    """Workers that this machine can feed."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
