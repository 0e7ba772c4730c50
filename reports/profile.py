"""Performance profiles: the share of trials that score at least tau, for every tau.

Suites weigh the same, in a suite its tasks, in a task its rungs and seeds. Each label is taken on the cells that it has.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from reports.resampling import tail
from reports.stats import equal_weights, seeded, welch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reports.data import Tidy
    from reports.stats import Floats

    Line = tuple[float, ...]
    Strings = NDArray[np.str_]
    Whole = NDArray[np.int64]

POINTS = 51
"""Scores at which the share is taken."""
DRAWS = 500
ROUND = 1e-12


@dataclasses.dataclass(frozen=True)
class Profile:
    """One label's profile.

    taus       scores from 0 to 1
    shares     of its trials that score at least tau, by weight
    low, high  pointwise 95 % band over seeds; None where a task has a single seed
    n_cells    cells that it has, of `of_cells` that are compared
    """

    label: str
    taus: tuple[float, ...]
    shares: tuple[float, ...]
    low: tuple[float, ...] | None
    high: tuple[float, ...] | None
    n_cells: int
    of_cells: int


def profiles(data: Tidy) -> dict[str, Profile]:
    """By label, for the labels shown, on the cells that are shared."""
    places = {cell.name: (cell.suite, cell.task) for cell in data.shared}
    rows = data.compared
    rows = rows[rows.cell.isin(list(places)) & rows.label.isin(data.labels)]
    taus = np.linspace(0, 1, POINTS)
    found = {}
    for label, part in rows.groupby("label", sort=False):
        cells, of = np.unique(part.cell.astype(str), return_inverse=True)
        weights = equal_weights([places[name] for name in cells])[of] / np.bincount(of)[of]
        reached = weights[:, None] * (part.value.to_numpy(dtype=float)[:, None] >= taus - ROUND)
        low, high = band(reached, weights, part.task.to_numpy(dtype=str), part.replicate.to_numpy(dtype=int))
        shares = np.minimum(reached.sum(axis=0), 1)
        found[str(label)] = Profile(
            str(label), tuple(taus.tolist()), tuple(shares.tolist()), low, high, len(cells), len(data.shared)
        )
    return found


def band(reached: Floats, weights: Floats, tasks: Strings, seeds: Whole) -> tuple[Line, Line] | tuple[None, None]:
    """The 95 % band of the sum of `reached`: (trials, taus), each trial with its weight, task and seed.

    Within each task its seeds are drawn anew, all rungs of a seed together. The draws are spread to make up for few seeds:
    by sqrt(n / (n - 1)) in a task of n, and by Student's t over the normal, with the degrees of freedom of all tasks together.
    """
    units, of = np.unique(np.stack([np.unique(tasks, return_inverse=True)[1], seeds], axis=1), axis=0, return_inverse=True)
    summed = np.zeros((len(units), reached.shape[1]))
    weighed = np.zeros(len(units))
    np.add.at(summed, of.ravel(), reached)
    np.add.at(weighed, of.ravel(), weights)
    _, starts, sizes = np.unique(units[:, 0], return_index=True, return_counts=True)
    if sizes.min() < 2:
        return None, None
    rng = seeded(summed)
    counts = np.concatenate([_spread(rng.multinomial(n, np.full(n, 1 / n), size=DRAWS)) for n in sizes], axis=1)
    draws = (counts @ summed) / (counts @ weighed)[:, None]
    shares = np.minimum(summed.sum(axis=0), 1)
    low, high = np.quantile(draws, (0.025, 0.975), axis=0)
    means = np.add.reduceat(summed, starts) / sizes[:, None]
    parts = np.add.reduceat((summed - np.repeat(means, sizes, axis=0)) ** 2, starts) * (sizes / (sizes - 1))[:, None]
    k = tail(welch(parts.T, np.asarray(sizes - 1, dtype=float)))
    low = np.minimum.accumulate(np.clip(np.minimum(shares + k * (low - shares), shares), 0, 1))
    high = np.maximum.accumulate(np.clip(np.maximum(shares + k * (high - shares), shares), 0, 1)[::-1])[::-1]
    return tuple(low.tolist()), tuple(high.tolist())


def _spread(counts: NDArray[np.int64]) -> Floats:
    """How often each of n seeds was drawn, set apart from once by sqrt(n / (n - 1))."""
    n = counts.shape[1]
    return np.asarray(1 + (counts - 1) * np.sqrt(n / (n - 1)))
