"""One label's score over all its tasks: the mean and the interquartile mean, with intervals.

Suites weigh the same, in a suite its tasks, in a task its rungs. What is drawn at random are the seeds of each task, all
rungs of a seed together. The interquartile mean is that of all trials, pooled by weight: the easiest and the hardest quarter
do not count, so it tells the typical score, and forgives failures that are few.

Agarwal, R. et al. (2021). Deep reinforcement learning at the edge of the statistical precipice. NeurIPS 34. arXiv:2108.13264
McCarthy, P. J. & Snowden, C. B. (1985). The bootstrap and finite population sampling. Vital and Health Statistics 2(95), 1-23
    (n - 1 draws in each stratum of n, so that the variance of a mean comes out right however few there are)
"""

from __future__ import annotations

import dataclasses

import numpy as np

from reports.stats import ALPHA, Floats, Interval, seeded, t_quantile, welch
from reports.units import Whole, task_weights

DRAWS = 1000
MIDDLE = 0.25, 0.75


@dataclasses.dataclass(frozen=True)
class Across:
    """Mean and interquartile mean with their 95 % intervals, which are None where a cell has a single seed."""

    mean: float
    mean_interval: Interval | None
    iqm: float
    iqm_interval: Interval | None


def across(values: Floats, task: Whole, suite: Whole) -> Across:
    """The score of one label.

    values  (n_cells, n_replicates), NaN where there is none; cells in the order of their tasks
    task    of each cell, suite of each task, as numbers
    """
    taken = ~np.isnan(values).all(1)
    values, task = values[taken], task[taken]
    values = values[:, ~np.isnan(values).all(0)]
    there = ~np.isnan(values)
    n = there.sum(1, keepdims=True)
    tasks = np.bincount(task, minlength=len(suite))
    share = (task_weights(tasks[None] > 0, suite)[0][task] / tasks[task])[:, None] * there / n
    starts = np.flatnonzero(np.diff(task, prepend=-1))
    filled = np.where(there, values, 0)
    mean = float((share * filled).sum())
    order = np.argsort(filled[there], kind="stable")
    pooled, weight = filled[there][order], share[there][order]
    middle = float(_middle(pooled, weight[None])[0])
    if n.min() < 2:
        return Across(mean, None, middle, None)
    parts, freedom = _parts(filled, share, starts)
    half = t_quantile(parts, freedom) * float(np.sqrt(parts.sum()))
    ends = np.interp(MIDDLE, np.cumsum(weight), pooled)
    inner, _ = _parts(np.where(there, np.clip(values, *ends), 0) / (MIDDLE[1] - MIDDLE[0]), share, starts)
    drawn = _middle(pooled, _resampled(share, starts, seeded(pooled))[:, there][:, order])
    return Across(mean, (mean - half, mean + half), middle, _interval(middle, drawn, inner, freedom))


def _parts(filled: Floats, share: Floats, starts: Whole) -> tuple[Floats, Floats]:
    """Variance of each task's contribution to a weighted sum, by its seeds, and the degrees of freedom."""
    there = share > 0
    centre = filled.sum(1, keepdims=True) / there.sum(1, keepdims=True)
    moved = np.add.reduceat(share * (filled - centre), starts)
    n = (np.add.reduceat(there, starts, dtype=np.int64) > 0).sum(1)
    return n / (n - 1) * (moved**2).sum(1), n - 1.0


def _middle(pooled: Floats, weight: Floats) -> Floats:
    """Mean of the middle half of sorted values, for each row of weights."""
    upto = np.cumsum(weight, axis=1)
    upto = np.clip(upto / upto[:, -1:], *MIDDLE)
    inside: Floats = np.diff(upto, axis=1, prepend=MIDDLE[0]) @ pooled
    return inside / (MIDDLE[1] - MIDDLE[0])


def _resampled(share: Floats, starts: Whole, rng: np.random.Generator) -> Floats:
    """Weights after drawing seeds within each task, one less than there are, (DRAWS, n_cells, n_replicates)."""
    there = share > 0
    seeds = np.add.reduceat(there, starts, dtype=np.int64) > 0
    n = seeds.sum(1)
    drawn = rng.multinomial(n - 1, seeds / n[:, None], (DRAWS, len(n)))
    drawn = np.repeat(drawn, np.diff([*starts, len(share)]), axis=1) * there
    sums = drawn.sum(2, keepdims=True)
    found: Floats = np.where(sums > 0, drawn * (share.sum(1, keepdims=True) / np.maximum(sums, 1)), share)
    return found


def _interval(middle: float, drawn: Floats, inner: Floats, freedom: Floats) -> Interval:
    """The bootstrap's quantiles, stretched as Student's are against the normal; no narrower than the t interval."""
    from scipy.special import ndtri, stdtrit

    t = float(stdtrit(welch(inner, freedom), 1 - ALPHA / 2))
    half = t * max(float(drawn.std(ddof=1)), float(np.sqrt(inner.sum())))
    low, high = middle + (np.quantile(drawn, (ALPHA / 2, 1 - ALPHA / 2)) - middle) * t / ndtri(1 - ALPHA / 2)
    return min(float(low), middle - half), max(float(high), middle + half)
