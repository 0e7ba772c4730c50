"""What it takes to reach a stated score: samples, counted operations and seconds.

A trial reaches the level at the first look whose chance-corrected score is at or above it; nothing is interpolated
between looks. Validation scores count, test scores where a trial looked at no validation data. A trial that never gets
there, or failed, needs more than any other: it is counted as beyond, never dropped.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from reports.data import Tidy

REACH = 0.8
"""The chance-corrected score to be reached."""


@dataclasses.dataclass(frozen=True)
class Spent:
    """Median over seeds and its 95 % interval; infinite where it lies beyond what was reached.

    The interval is that of order statistics: None for one seed, the range for fewer than six.
    """

    median: float
    interval: tuple[float, float] | None


@dataclasses.dataclass(frozen=True)
class Reach:
    """What one label needs on one cell to reach REACH.

    samples, operations, seconds   None where that was not recorded
    words                          "in 2 of 3 seeds"
    """

    label: str
    cell: str
    task: str
    n_seeds: int
    n_reached: int
    samples: Spent | None
    operations: Spent | None
    seconds: Spent | None

    @property
    def words(self) -> str:
        """In how many seeds the level was reached."""
        return f"in {self.n_reached} of {self.n_seeds} seed{'s' if self.n_seeds > 1 else ''}"


def reach(data: Tidy, curves: pd.DataFrame, level: float = REACH) -> dict[tuple[str, str], Reach]:
    """By (label, cell), for the labels shown and the trials compared; cells without curves are left out."""
    raise NotImplementedError
