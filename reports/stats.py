"""Figures and their intervals.

Everything here is a function of the numbers alone: the bootstrap draws from a generator that is seeded by a digest of
the data, so the same trials have the same interval, whatever else a report holds.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterable

Floats = NDArray[np.float64]
Interval = tuple[float, float]

FEWEST = 6
"""Trials from which a median has a 95 % interval: the range of five covers it with 1 - 2 / 2**5 = 94 %."""
DRAWS = 2000


def iqm(values: Iterable[float]) -> float:
    """Interquartile mean: the mean without the lowest and the highest n // 4 values."""
    x = np.sort(np.asarray(list(values), dtype=float))
    cut = len(x) // 4
    return float(x[cut : len(x) - cut].mean())


def seeded(values: Floats) -> np.random.Generator:
    """A generator seeded by the digest of the values."""
    digest = hashlib.sha256(np.ascontiguousarray(values, dtype="<f8").tobytes()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "little"))


def median_interval(values: Floats) -> Interval | None:
    """Interval of a median: None for one value, the range for fewer than FEWEST, else a 95 % bootstrap."""
    x = np.sort(np.asarray(values, dtype=float))
    if len(x) < 2:
        return None
    if len(x) < FEWEST or x[0] == x[-1]:
        return float(x[0]), float(x[-1])
    drawn = x[seeded(x).integers(0, len(x), (DRAWS, len(x)))]
    low, high = np.quantile(np.median(drawn, axis=1), (0.025, 0.975))
    return float(low), float(high)


def mean_interval(groups: list[Floats], weights: Floats, level: float = 0.95) -> tuple[float, Interval | None]:
    """Weighted mean of the groups' means, and its interval.

    groups   the values of each cell, one a seed
    weights  one for each group, with sum 1

    The seeds of a cell are what is drawn at random; cells are fixed. The variance is the sum of w^2 s^2 / n, the degrees
    of freedom are those of Welch and Satterthwaite. The interval is None as soon as a cell has a single seed: its spread
    is then unknown, and it is not zero.
    """
    mean = float(sum(w * x.mean() for w, x in zip(weights, groups, strict=True)))
    if min(len(x) for x in groups) < 2:
        return mean, None
    parts = np.array([w * w * x.var(ddof=1) / len(x) for w, x in zip(weights, groups, strict=True)])
    freedom = np.array([len(x) - 1 for x in groups])
    variance = parts.sum()
    if variance < 1e-24:
        return mean, (mean, mean)
    from scipy.special import stdtrit

    half = float(stdtrit(variance**2 / (parts**2 / freedom).sum(), (1 + level) / 2) * np.sqrt(variance))
    return mean, (mean - half, mean + half)


def equal_weights(places: list[tuple[str, str]]) -> Floats:
    """Weights of cells given as (suite, task): every suite weighs the same, in it every task, in it every cell."""
    suites: dict[str, dict[str, int]] = {}
    for suite, task in places:
        tasks = suites.setdefault(suite, {})
        tasks[task] = tasks.get(task, 0) + 1
    weights: list[Any] = [1 / len(suites) / len(suites[suite]) / suites[suite][task] for suite, task in places]
    return np.array(weights)
