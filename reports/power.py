"""How many seeds a verdict would take, if difference and spread are as they were seen.

The normal approximation to the power of the two tests of `reports.pairs`; a simulation in `tests/test_statistics.py` holds it to
its word.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from reports.significance import UNSEEN, least_units
from reports.stats import FLAT, Floats, welch

POWER = 0.8
BEYOND = 1000
"""Further seeds a task beyond which no number is given."""


@dataclasses.dataclass(frozen=True)
class Spread:
    """What was seen of several differences.

    mean       the weighted mean over tasks, (n_comparisons,)
    means      of each task, (n_comparisons, n_tasks); variances over its seeds and weights likewise
    """

    mean: Floats
    means: Floats
    variances: Floats
    weights: Floats

    def at(self, which: Any) -> Spread:
        """Some of the comparisons."""
        return Spread(*(x[which] for x in (self.mean, self.means, self.variances, self.weights)))

    def parts(self, n: Any) -> Floats:
        """Variance of each task's contribution to the mean, with n seeds."""
        found: Floats = self.weights**2 * self.variances / np.maximum(n, 1)
        return found


def needed(spread: Spread, now: Any, margin: float, levels: tuple[float, float]) -> list[int | None]:
    """Further seeds a task until one of the two tests decides with a power of POWER; None beyond BEYOND.

    now      seeds a task so far
    levels   at which a difference, and equality, would be the next to be accepted
    """
    low = np.asarray(now, dtype=np.int64)
    high = low + BEYOND + 1
    while (high - low > 1).any():
        middle = (low + high) // 2
        enough = np.maximum(power(spread, middle, levels[0]), power_equal(spread, middle, levels[1], margin)) >= POWER
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return [int(x) if x <= BEYOND else None for x in high - now]


def power(spread: Spread, n: Any, level: float) -> Floats:
    """Chance that flipping signs finds the difference, with n seeds a task.

    Under the flips the variance is that of the units around zero, not around the means of their tasks.
    """
    from scipy.special import ndtr, ndtri

    n = np.asarray(n, dtype=float)
    own = np.maximum(spread.parts(1).sum(1), FLAT)
    flipped = own + (spread.weights**2 * spread.means**2).sum(1)
    z = (np.abs(spread.mean) + ndtri(level / 2) * np.sqrt(flipped / n)) / np.sqrt(own / n)
    moved = ((spread.variances > FLAT) | (spread.means != 0)).sum(1)
    found: Floats = np.where(n * moved >= least_units(level), ndtr(z), 0)
    return found


def power_equal(spread: Spread, n: Any, level: float, margin: float) -> Floats:
    """Chance that two one-sided tests find the difference within the margin, with n seeds a task."""
    from scipy.special import ndtr, stdtrit

    n = np.asarray(n, dtype=float)
    parts = spread.parts(n[:, None])
    variance = np.maximum(parts.sum(1), FLAT)
    unseen = UNSEEN * spread.weights.max(1) / n
    rare = unseen**2 / UNSEEN
    freedom = np.where(spread.weights > 0, np.maximum(n[:, None] - 1, 1), 0)
    degrees = welch(parts, freedom) / np.maximum((variance / (variance + rare)) ** 2, 1e-12)
    room = margin - unseen + stdtrit(degrees, level) * np.sqrt(variance + rare)
    root = np.sqrt(variance)
    found: Floats = np.where(room > 0, ndtr((room - spread.mean) / root) - ndtr((-room - spread.mean) / root), 0)
    return found
