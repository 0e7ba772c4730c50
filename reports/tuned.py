"""What tuning buys: the score expected of the best of k settings, and the default against the tuned setting.

The setting that validation picks is judged by its test score, which the choice never saw. The expectation over all sets
of k settings that hold the default is exact: no set is drawn.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reports.data import Tidy


@dataclasses.dataclass(frozen=True)
class Tuning:
    """Expected test score against the number of settings tried, for one label.

    scores   for k = 1, 2, ..., K: chance-corrected, mean over tasks; the first is the default alone
    low, high  95 % interval over tasks: how much the figure would differ with other tasks; None with one task
    tasks    those that it was tuned on
    """

    label: str
    scores: tuple[float, ...]
    low: tuple[float, ...] | None
    high: tuple[float, ...] | None
    tasks: tuple[str, ...]

    @property
    def k(self) -> int:
        """Settings tried on every task."""
        return len(self.scores)


@dataclasses.dataclass(frozen=True)
class Gain:
    """Default against tuned on the seeds of the report, for one label, on the tasks and seeds that have both.

    difference is tuned less default, with its 95 % interval over seeds: None where a task has a single seed
    """

    label: str
    default: float
    tuned: float
    difference: float
    interval: tuple[float, float] | None
    n_tasks: int
    n_units: int


def tuning_curves(data: Tidy) -> dict[str, Tuning]:
    """By label, for those that were tuned."""
    raise NotImplementedError


def gains(data: Tidy) -> dict[str, Gain]:
    """By label, for those with default and tuned trials on common seeds; empty unless the report's arm is the tuned one."""
    raise NotImplementedError
