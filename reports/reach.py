"""What it takes to reach a stated score: samples, counted operations and seconds.

A trial reaches the level at the first look whose chance-corrected score is at or above it; nothing is interpolated
between looks. Validation scores count, test scores where a trial looked at no validation data. A trial that never gets
there, or failed, needs more than any other: it is counted as beyond, never dropped.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from reports.stats import outer

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from reports.data import Tidy
    from reports.stats import Floats, Interval

MEASURES = "samples", "operations", "seconds"
ROUND = 1e-12
REACH = 0.8
"""The chance-corrected score to be reached."""


@dataclasses.dataclass(frozen=True)
class Spent:
    """Median over seeds and its 95 % interval; infinite where it lies beyond what was reached.

    The interval is that of order statistics: None for one seed, the range for fewer than six.
    """

    median: float
    interval: Interval | None


@dataclasses.dataclass(frozen=True)
class Reach:
    """What one label needs on one cell to reach REACH.

    samples, operations, seconds   None where a trial that reached it has no such figure
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
    """By (label, cell), for the labels shown and the trials compared; trials that ended well but have no curve are left out."""
    rows = data.compared[["key", "label", "cell", "task", "chance", "ceiling", "lost"]]
    rows = rows[rows.label.isin(data.labels)]
    looks = curves[curves.split.isin(["valid", "test"]) & curves.key.isin(rows.key)]
    rows = rows[rows.lost.astype(bool) | rows.key.isin(looks.key)]
    if rows.empty:
        return {}
    rows = rows.join(_first(rows, looks, level), on="key").reset_index(drop=True)
    figures = rows[list(MEASURES)].to_numpy(dtype=float)
    reached, tasks = rows.there.notna().to_numpy(), rows.task.to_numpy()
    found = {}
    for (label, cell), at in rows.groupby(["label", "cell"], sort=False).indices.items():
        spent = [_spent(column, reached[at]) for column in figures[at].T]
        found[label, cell] = Reach(label, cell, tasks[at[0]], len(at), int(reached[at].sum()), *spent)
    return found


def _first(rows: pd.DataFrame, looks: pd.DataFrame, level: float) -> pd.DataFrame:
    """The first look of each trial at or above the level, by key."""
    known = rows[~rows.lost.astype(bool)].set_index("key")[["chance", "ceiling"]].astype(float)
    looks = looks[looks.key.isin(known.index)].join(known, on="key")
    validated = looks.key.isin(looks.key[looks.split.eq("valid")])
    looks = looks[looks.split.eq("valid") | ~validated]
    value = (looks.score.astype(float) - looks.chance) / (looks.ceiling - looks.chance)
    reached = looks[value >= level - ROUND].sort_values(["key", "samples"], kind="stable").drop_duplicates("key")
    return reached.set_index("key")[list(MEASURES)].astype(float).assign(there=True)


def _spent(values: Floats, reached: NDArray[np.bool_]) -> Spent | None:
    """Median and interval where those that did not reach the level count as infinite; None where one that did has no figure."""
    if np.isnan(values[reached]).any():
        return None
    ordered = np.sort(np.where(reached, values, np.inf))
    n = len(ordered)
    middle = ordered[(n - 1) // 2], ordered[n // 2]
    median = float(sum(middle)) / 2
    if n < 2:
        return Spent(median, None)
    out = max(outer(n), 0)
    return Spent(median, (float(ordered[out]), float(ordered[n - 1 - out])))
