"""What one trial is, what comes of it, and the columns under which it is kept.

A trial is one learner on one task with one set of hyperparameters and one set of seeds. It travels as JSON between the
driver and its workers, so everything here is plain data.
"""

from __future__ import annotations

import hashlib
from typing import Any, Literal

import msgspec

SCHEMA = 1

TUNING = "tuning"
"""Name of the protocol under which settings are tried out."""

AXES = "data", "init", "order", "noise"
"""The axes along which a trial is seeded, each by its own name."""

OUTCOMES = "ok", "diverged", "timeout", "out_of_memory", "crashed", "error", "interrupted", "not_applicable"
FINAL = frozenset({"ok", "diverged", "not_applicable"})
"""Outcomes that are results: they are never run again."""
FAILED = frozenset({"error", "crashed", "timeout", "out_of_memory"})
"""Outcomes that make a run exit with 1."""

COLUMNS = (
    "key", "attempt", "outcome", "reason", "learner", "family", "origin", "params", "tuned", "tuning_trials", "suite",
    "task", "task_version", "difficulty", "rung", "preset", "protocol", "replicate", "seed_data", "seed_init",
    "seed_order", "seed_noise", "metric", "score", "chance", "ceiling", "score_normalised", "score_train", "score_valid",
    "n_train", "n_valid", "n_test", "samples", "epochs", "diverged_at", "mac_train", "ac_train", "mac_infer", "ac_infer",
    "spikes", "state_updates", "state_bytes", "joules_model", "code_digest", "env_digest",
)  # fmt: skip
"""Columns of an export that depend on the plan and the code alone."""
COLUMNS_OF_PLACE = "compile_s", "train_s", "infer_s", "peak_bytes", "host", "threads", "started_at", "finished_at"
"""Columns of an export that depend on time and place."""


class Protocol(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the harness trains: what a learner is shown, how often, in which order, and when it stops."""

    name: str = "standard"
    epochs: int = 10
    """Passes over the training data, at most."""
    order: Literal["shuffled", "sequential"] = "shuffled"
    validate: bool = True
    """Keep the state that was best on validation data, and stop once it no longer improves."""
    patience: int = 6
    """Looks at the validation data without an improvement, after which training stops."""
    stop_when_faultless: bool = False
    """Stop after the first epoch without a miss on the training data, as the perceptron theorem counts."""


class Trial(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One trial, before it is run. `params` and `difficulty` hold what was set; the rest stays at its default."""

    learner: str
    where: str
    """Where the learner's class is found: `package.module:Class`, or `path/to/file.py:Class`."""
    family: str
    origin: Literal["builtin", "file", "package"]
    params: dict[str, Any]
    task: str
    """`suite/name`."""
    task_where: str
    """Where the task is found: `package.module:NAME`."""
    task_version: int
    difficulty: dict[str, Any]
    rung: float | None = None
    """Where on the task's ladder this is; None off the ladder."""
    preset: str
    protocol: Protocol
    replicate: int
    seeds: dict[str, int]
    code_digest: str
    tuned: bool = False
    """The settings were chosen by tuning."""
    tuning_trials: int = 0
    """Settings that were tried for that."""
    fixed: dict[str, Any] = {}
    """The settings that tuning left alone, as the user had given them; of trials that are tuned, or belong to tuning."""
    inapplicable: str = ""
    """Why this learner cannot take this task; such a trial is recorded, not run."""
    key: str = ""

    @property
    def suite(self) -> str:
        """The suite of the task."""
        return self.task.partition("/")[0]

    @property
    def label(self) -> str:
        """The learner with its settings, as they are written on the command line: `MLP[hidden=32,rate=0.1]`."""
        return label(self.learner, self.params)

    def keyed(self) -> Trial:
        """The same trial with its key: a digest of all that may change its numbers, and of the tuning that it belongs to."""
        parts: tuple[Any, ...] = (
            SCHEMA, self.learner, sorted(self.params.items()), self.task, self.task_version,
            sorted(self.difficulty.items()), self.protocol, sorted(self.seeds.items()), self.code_digest,
        )  # fmt: skip
        if self.tuned or self.fixed:
            parts = *parts, self.tuned, self.tuning_trials, sorted(self.fixed.items())
        return msgspec.structs.replace(self, key=hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:24])


class Result(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What came of a trial: an outcome, and the numbers where there are any (None elsewhere, never NaN)."""

    outcome: str
    reason: str = ""
    traceback: str = ""
    metric: str = ""
    score: float | None = None
    chance: float | None = None
    ceiling: float | None = None
    score_normalised: float | None = None
    score_train: float | None = None
    score_valid: float | None = None
    n_train: int | None = None
    n_valid: int | None = None
    n_test: int | None = None
    samples: int | None = None
    epochs: float | None = None
    diverged_at: int | None = None
    mac_train: int | None = None
    ac_train: int | None = None
    mac_infer: int | None = None
    ac_infer: int | None = None
    spikes: int | None = None
    state_updates: int | None = None
    state_bytes: int | None = None
    joules_model: float | None = None
    compile_s: float | None = None
    train_s: float | None = None
    infer_s: float | None = None
    peak_bytes: int | None = None
    extra: dict[str, Any] = {}
    """Other figures by name: the chance level of the validation data, and what a task's own measure adds for its claims."""
    curve: list[dict[str, Any]] = []
    """Learning curve: records of samples, operations, seconds, score, split."""


def label(learner: str, params: dict[str, Any]) -> str:
    """A learner and its settings as one word."""
    settings = ",".join(f"{name}={value}" for name, value in sorted(params.items()))
    return f"{learner}[{settings}]" if settings else learner
