"""Figures of a few numbers, and their intervals.

Everything here is a function of the numbers alone: the bootstrap draws from a generator that is seeded by a digest of
the data, so the same trials have the same interval, whatever else a report holds. `tests/test_statistics.py` measures how
often these intervals, and others that were considered, hold what they should.

Efron, B. & Tibshirani, R. J. (1993). An introduction to the bootstrap. Chapman & Hall.
Hesterberg, T. C. (2015). What teachers should know about the bootstrap. American Statistician 69, 371-386.
    doi:10.1080/00031305.2015.1089789 (the expanded percentile interval)
Tukey, J. W. & McLaughlin, D. H. (1963). Less vulnerable confidence and significance procedures for location. Sankhya A 25,
    331-352 (the t interval of a trimmed mean)
Clopper, C. J. & Pearson, E. S. (1934). The use of confidence or fiducial limits. Biometrika 26, 404-413.
    doi:10.1093/biomet/26.4.404
Satterthwaite, F. E. (1946). An approximate distribution of estimates of variance components. Biometrics Bulletin 2, 110-114.
    doi:10.2307/3002019
"""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Floats = NDArray[np.float64]
Interval = tuple[float, float]

FEWEST = 6
"""Trials from which a median has a 95 % interval: the range of five covers it with 1 - 2 / 2**5 = 94 %."""
DRAWS = 2000
ALPHA = 0.05
FLAT = 1e-24
"""Variances below are rounding."""


def iqm(values: Iterable[float]) -> float:
    """Interquartile mean: the mean without the lowest and the highest n // 4 values."""
    x = np.sort(np.asarray(list(values), dtype=float))
    return float(_trimmed(x))


def seeded(values: Floats) -> np.random.Generator:
    """A generator seeded by the digest of the values; the two zeros are one."""
    digest = hashlib.sha256((np.ascontiguousarray(values, dtype="<f8") + 0.0).tobytes()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "little"))


def median_interval(values: Floats) -> Interval | None:
    """Interval of a median: None for one value, the range for fewer than FEWEST, else a 95 % bootstrap.

    The bootstrap interval is never narrower than the one between order statistics, which holds for any distribution.
    """
    x = np.sort(np.asarray(values, dtype=float))
    n = len(x)
    if n < 2:
        return None
    if n < FEWEST or x[0] == x[-1]:
        return float(x[0]), float(x[-1])
    cut = outer(n)
    return _hull(_expanded(x, lambda drawn: np.median(drawn, axis=1)), (x[cut], x[n - 1 - cut]))


def iqm_interval(values: Floats) -> Interval | None:
    """Interval of an interquartile mean: None for one value, the range for fewer than FEWEST, else a 95 % bootstrap.

    The bootstrap interval is never narrower than that of Tukey and McLaughlin. It is None as well for FEWEST values or more
    that are all alike: a learner that sometimes fails may look like that, and no interval can be had from what was not seen.
    """
    x = np.sort(np.asarray(values, dtype=float))
    n = len(x)
    if n < 2:
        return None
    if n < FEWEST:
        return float(x[0]), float(x[-1])
    if x[0] == x[-1]:
        return None
    from scipy.special import stdtrit

    cut = n // 4
    inner = np.clip(x, x[cut], x[n - 1 - cut])
    half = stdtrit(n - 2 * cut - 1, 1 - ALPHA / 2) * inner.std(ddof=1) / ((1 - 2 * cut / n) * math.sqrt(n))
    middle = _trimmed(x)
    return _hull(_expanded(x, lambda drawn: _trimmed(np.sort(drawn, axis=1))), (middle - half, middle + half))


def proportion_interval(k: int, n: int, level: float = 1 - ALPHA) -> Interval:
    """The exact interval of a proportion, k of n (Clopper and Pearson)."""
    if not 0 <= k <= n or n < 1:
        raise ValueError(f"k={k}, n={n}: give 0 <= k <= n and n of at least 1")
    from scipy.special import betaincinv

    tail = (1 - level) / 2
    low = float(betaincinv(k, n - k + 1, tail)) if k else 0.0
    return low, float(betaincinv(k + 1, n - k, 1 - tail)) if k < n else 1.0


def mean_interval(groups: list[Floats], weights: Floats, level: float = 1 - ALPHA) -> tuple[float, Interval | None]:
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
    half = float(t_quantile(parts, np.array([len(x) - 1 for x in groups]), level) * np.sqrt(parts.sum()))
    return mean, (mean - half, mean + half)


def t_quantile(parts: Floats, freedom: Floats, level: float = 1 - ALPHA) -> float:
    """Student's quantile for a sum of variances, with the degrees of freedom of Welch and Satterthwaite."""
    from scipy.special import stdtrit

    return float(stdtrit(welch(parts, freedom), (1 + level) / 2))


def welch(parts: Floats, freedom: Floats) -> Floats:
    """Degrees of freedom of a sum of variances, along the last axis; those of all together where there is no variance."""
    total, squares = parts.sum(-1), (parts**2 / np.maximum(freedom, 1)).sum(-1)
    flat = (total < FLAT) | (squares < FLAT**2)
    found: Floats = np.where(flat, freedom.sum(-1), total**2 / np.where(flat, 1, squares))
    return found


def equal_weights(places: list[tuple[str, str]]) -> Floats:
    """Weights of cells given as (suite, task): every suite weighs the same, in it every task, in it every cell."""
    suites: dict[str, dict[str, int]] = {}
    for suite, task in places:
        tasks = suites.setdefault(suite, {})
        tasks[task] = tasks.get(task, 0) + 1
    weights: list[Any] = [1 / len(suites) / len(suites[suite]) / suites[suite][task] for suite, task in places]
    return np.array(weights)


def _trimmed(x: Floats) -> Any:
    """Mean of the middle of sorted values, along the last axis."""
    n = x.shape[-1]
    return x[..., n // 4 : n - n // 4].mean(-1)


def _expanded(x: Floats, statistic: Callable[[Floats], Floats]) -> Interval:
    """The percentile interval of the bootstrap at a level that makes up for its being too narrow on few values."""
    from scipy.special import ndtr, stdtrit

    n = len(x)
    tail = ndtr(-math.sqrt(n / (n - 1)) * stdtrit(n - 1, 1 - ALPHA / 2))
    low, high = np.quantile(statistic(x[seeded(x).integers(0, n, (DRAWS, n))]), (tail, 1 - tail))
    return float(low), float(high)


def outer(n: int) -> int:
    """How many of n values at either end lie beyond a median's interval with at most half of ALPHA."""
    below = np.cumsum([math.comb(n, k) / 2**n for k in range(n // 2)])
    return int(np.searchsorted(below, ALPHA / 2, side="right")) - 1


def _hull(a: Interval, b: tuple[Any, Any]) -> Interval:
    return min(a[0], float(b[0])), max(a[1], float(b[1]))
