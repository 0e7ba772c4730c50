"""What a task is: a generator of data with a known chance level, on a ladder of difficulty.

A suite is a folder below `suites/` whose module `tasks` lists its tasks and claims. A task is deterministic in its seed
on every platform, and a learner never sees its test data.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Container, Mapping
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.trial import Protocol

Array = NDArray[Any]


class Split(NamedTuple):
    """One part of a data set: signals X (n, ticks, *shape) float32, targets y.

    y is (n,) int64 for classes, (n, n_out) float32 for values, and (n, 0) where there is no target.
    """

    X: Array
    y: Array

    def __len__(self) -> int:
        return len(self.X)


class Dataset(NamedTuple):
    """The data of one trial. The target is told, and the answer read, at the last tick of each sequence."""

    train: Split
    valid: Split
    test: Split
    n_classes: int = 0
    """Classes, 0 for values; two classes are one output."""
    chance: float | None = None
    """The score of an answer that ignores the signal, where it depends on the data drawn; else the task's own."""
    ceiling: float | None = None
    truth: dict[str, Any] = {}  # noqa: RUF012 - a default that nobody writes to
    """What the generator knows and no learner sees: teacher weights, margin, direction. For metrics and claims."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ladder:
    """One axis of difficulty and its rungs, easiest first; `short` are those of the preset smoke.

    Of a task the axis is a setting of its generator. Of a learner (`of`) it is a hyperparameter: the data stay the same, and
    every learner that has it is given each of the values in turn; one that lacks it runs on one rung alone, which every
    preset has.
    """

    axis: str
    values: tuple[Any, ...]
    short: tuple[Any, ...]
    of: Literal["task", "learner"] = "task"

    def refuses(self, known: Container[str], set_: Mapping[str, Any], value: Any) -> str:
        """Why a learner that knows these hyperparameters, of which some are set, cannot stand on a rung; or nothing."""
        if self.of == "task":
            return ""
        if self.axis not in known:
            once = self.short[0]
            return "" if value == once else f"has no {self.axis}: it runs once, at {self.axis}={once}"
        asked = set_.get(self.axis, value)
        return "" if asked == value else f"{self.axis} was set to {asked}; this rung sets {value}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Task:
    """One task: how its data are made, what a learner must be able to do, and how it is scored.

    generate(n_train, n_valid, n_test, rng, **difficulty) -> Dataset, where rng is a numpy Generator
    metric     name of a measure in `harness.metrics`: accuracy, correlation, ...
    chance     score of an answer that ignores the signal; None where the Dataset says it
    ceiling    best possible score (Bayes or oracle), None where unknown
    exhaustive the domain is finite and shown whole: train, validation and test are the same rows
    requires   what a learner `can` must include: "vector" or "sequence", and "class", "value" or "none"
    available  says why the data cannot be had here and what to install, or "": the task is then left out with a notice
    """

    name: str
    doc: str
    generate: Callable[..., Dataset]
    requires: frozenset[str] = frozenset({"vector", "class"})
    metric: str = "accuracy"
    chance: float | None = None
    ceiling: float | None = 1.0
    ladder: Ladder | None = None
    sizes: tuple[int, int, int] = (1000, 200, 1000)
    """Rows of training, validation and test data."""
    protocol: Protocol = Protocol()  # noqa: RUF009 - it is frozen
    exhaustive: bool = False
    version: int = 1
    source: tuple[str, ...] = ()
    available: Callable[[], str] = lambda: ""

    def make(self, seed: int, difficulty: dict[str, Any]) -> Dataset:
        """The data for one seed and rung."""
        own = {k: v for k, v in difficulty.items() if k not in self.given(difficulty)}
        return self.generate(*self.sizes, np.random.default_rng(seed), **own)

    def given(self, difficulty: dict[str, Any]) -> dict[str, Any]:
        """The part of a difficulty that is a hyperparameter of the learner."""
        axis = self.ladder.axis if self.ladder is not None and self.ladder.of == "learner" else None
        return {k: v for k, v in difficulty.items() if k == axis}
