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
    """Further seeds a task until there is a verdict with a power of POWER; None beyond BEYOND.

    now      seeds a task so far
    levels   at which a difference, and equality, would be the next to be accepted
    """
    low = np.asarray(now, dtype=np.int64)
    high = low + BEYOND + 1
    while (high - low > 1).any():
        middle = (low + high) // 2
        enough = power(spread, middle, margin, levels) >= POWER
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return [int(x) if x <= BEYOND else None for x in high - now]


def power(spread: Spread, n: Any, margin: float, levels: tuple[float, float]) -> Floats:
    """Chance that n seeds a task find a difference, or find that there is none beyond the margin."""
    from scipy.special import ndtr

    n = np.asarray(n, dtype=float)
    root = np.sqrt(np.maximum(spread.parts(1).sum(1), FLAT) / n)
    room = _largest_equal(spread, n, levels[1], margin)
    least = np.maximum(_smallest_found(spread, n, levels[0]), room)
    equal = ndtr((room - spread.mean) / root) - ndtr((-room - spread.mean) / root)
    differ = ndtr((spread.mean - least) / root) + ndtr((-least - spread.mean) / root)
    found: Floats = np.where(room > 0, equal, 0) + differ
    return found


def _smallest_found(spread: Spread, n: Floats, level: float) -> Floats:
    """The mean difference from which on flipping signs rejects.

    Under the flips the variance is that of the units around zero: the tasks' own differences are in it, and so is the mean
    that is tested. Below `least_units` nothing is large enough.
    """
    from scipy.special import ndtri

    squares = spread.weights**2
    around = (squares * (spread.variances + (spread.means - spread.mean[:, None]) ** 2)).sum(1)
    z = ndtri(level / 2) ** 2
    left = n - z * squares.sum(1)
    moved = ((spread.variances > FLAT) | (spread.means != 0)).sum(1)
    possible = (left > 0) & (n * moved >= least_units(level))
    found: Floats = np.where(possible, np.sqrt(z * around / np.where(possible, left, 1)), np.inf)
    return found


def _largest_equal(spread: Spread, n: Floats, level: float, margin: float) -> Floats:
    """The mean difference up to which two one-sided tests accept equality; negative where they accept none."""
    from scipy.special import stdtrit

    parts = spread.parts(n[:, None])
    variance = parts.sum(1)
    unseen = UNSEEN * spread.weights.max(1) / n
    rare = unseen**2 / UNSEEN
    freedom = np.where(spread.weights > 0, np.maximum(n[:, None] - 1, 1), 0)
    degrees = welch(parts, freedom) / np.maximum((variance / (variance + rare)) ** 2, 1e-12)
    room: Floats = margin - unseen + stdtrit(degrees, level) * np.sqrt(variance + rare)
    return room
