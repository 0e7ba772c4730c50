"""What is compared: differences by task and seed, on the ground that two labels share.

The replicate is the seed. The rungs of a task share their seeds, so a task under one seed is one unit: its value is the
mean over the rungs that both labels have, and it counts if both have it on all of those. Nothing is imputed.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reports.stats import Floats

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from reports.data import Cell

NOISE = 1e-9
"""Differences below are rounding."""
Whole = NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class Grid:
    """Values of all labels on all cells, ordered by task.

    value    (n_labels, n_cells, n_replicates), NaN where there is none
    task     of each cell, as a number; suite of each task, likewise
    """

    labels: tuple[str, ...]
    value: Floats
    task: Whole
    suite: Whole

    def of(self, label: str) -> Floats:
        """Values of one label, (n_cells, n_replicates)."""
        found: Floats = self.value[self.labels.index(label)]
        return found


@dataclasses.dataclass(frozen=True)
class Units:
    """The units of several comparisons.

    differences  (n_comparisons, n_tasks, n_replicates), NaN where a unit is missing
    n            how many units each task has, (n_comparisons, n_tasks)
    weights      of the tasks, with sum 1, likewise: suites weigh the same, and in a suite its tasks
    n_cells      how many cells they rest on
    """

    differences: Floats
    n: Whole
    weights: Floats
    n_cells: Whole


def grid(rows: pd.DataFrame, cells: Sequence[Cell], labels: Sequence[str]) -> Grid:
    """Arrange rows with columns label, cell, replicate and value."""
    tasks = sorted({(cell.suite, cell.task) for cell in cells})
    ordered = sorted(cells, key=lambda cell: (cell.suite, cell.task))
    place = {cell.name: i for i, cell in enumerate(ordered)}
    rows = rows[rows.cell.isin(place) & rows.label.isin(labels)]
    replicates = sorted(set(rows.replicate))
    values = np.full((len(labels), len(cells), len(replicates)), np.nan)
    at = (
        rows.label.map({name: i for i, name in enumerate(labels)}).to_numpy(dtype=int),
        rows.cell.map(place).to_numpy(dtype=int),
        rows.replicate.map({r: i for i, r in enumerate(replicates)}).to_numpy(dtype=int),
    )
    values[at] = rows.value.to_numpy(dtype=float)
    suites = sorted({suite for suite, _ in tasks})
    return Grid(
        tuple(labels), values,
        np.array([tasks.index((cell.suite, cell.task)) for cell in ordered], dtype=np.int64),
        np.array([suites.index(suite) for suite, _ in tasks], dtype=np.int64),
    )  # fmt: skip


def units(data: Grid, which: Sequence[tuple[int, int]]) -> Units:
    """The units of comparisons of labels, given by their numbers: the first less the second."""
    several = (~np.isnan(data.value)).sum(0).max(0, initial=0) > 1
    values = data.value[:, :, several]
    shape = len(which), len(data.suite), values.shape[2]
    differences, n_cells = np.full(shape, np.nan), np.zeros(len(which), dtype=np.int64)
    if values.size:
        starts = np.flatnonzero(np.diff(data.task, prepend=-1))
        there = ~np.isnan(values)
        for i, (one, other) in enumerate(which):
            both = there[one] & there[other]
            shared = both.any(1)
            rungs = np.add.reduceat(shared, starts, dtype=np.int64)[:, None]
            complete = (np.add.reduceat(both, starts, dtype=np.int64) == rungs) & (rungs > 0)
            sums = np.add.reduceat(np.where(both, values[one] - values[other], 0), starts)
            differences[i] = np.where(complete, sums / np.maximum(rungs, 1), np.nan)
            n_cells[i] = rungs[complete.any(1)].sum()
    differences[np.abs(differences) < NOISE] = 0
    n = (~np.isnan(differences)).sum(2)
    return Units(differences, n, task_weights(n > 0, data.suite), n_cells)


def task_weights(there: NDArray[np.bool_], suite: Whole) -> Floats:
    """Weights of the tasks that are there, (n_comparisons, n_tasks): suites weigh the same, and in a suite its tasks."""
    member = np.eye(int(suite.max(initial=0)) + 1)[suite]
    sizes = there @ member
    suites = (sizes > 0).sum(1, keepdims=True)
    weights: Floats = np.where(there, 1 / np.maximum(sizes @ member.T * suites, 1), 0)
    return weights
