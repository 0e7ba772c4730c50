"""Head to head: for each pair of labels, which is better, whether they are equal, or what is lacking to say so.

Tasks are fixed and seeds are random. A difference is the weighted mean over tasks of the mean over seeds; the mean, not a
trimmed one, because trimming would forgive failures. It is tested by flipping the signs of units (`sign_flip_p`), and
two learners are equal if two one-sided tests put the difference within a margin (`equivalence_p`); either kind is
corrected for the number of pairs by Holm. What is both significant and within the margin is called equal.

The interval is a simultaneous one: Student's at the level that Bonferroni gives for all pairs together, made to agree with
the verdict. It ends at zero where Holm rejects and Bonferroni would not, and reaches to zero where the difference is not
significant.

Strassburger, K. & Bretz, F. (2008). Compatible simultaneous lower confidence bounds for the Holm procedure and other
    Bonferroni-based closed tests. Statistics in Medicine 27, 4914-4927. doi:10.1002/sim.3338
Vargha, A. & Delaney, H. D. (2000). A critique and improvement of the CL common language effect size statistics. Journal of
    Educational and Behavioral Statistics 25, 101-132. doi:10.3102/10769986025002101
"""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING, Literal

import numpy as np

from reports.power import Spread, needed
from reports.significance import equivalence_p, holm, sign_flip_p
from reports.stats import ALPHA, Floats, Interval, welch
from reports.units import Grid, Units, Whole, units

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MARGIN = 0.02
"""Two points of the chance-corrected score: less is called equal."""
Decision = Literal["better", "equal", "worse", "undecided"]
TURNED: dict[Decision, Decision] = {"better": "worse", "worse": "better", "equal": "equal", "undecided": "undecided"}


@dataclasses.dataclass(frozen=True)
class Pair:
    """The first of two labels against the second, on the tasks and seeds that both have.

    difference   mean over tasks of the chance-corrected score, first less second
    interval     simultaneous 95 % interval for all pairs; None where a task has a single seed in common
    superiority  how often the first is higher on the same task and seed; ties count half
    p, p_equal   of the difference and of equality, corrected by Holm; None with the interval
    verdict      what they show
    n_tasks, n_cells, n_units, least_seeds   what it stands on: tasks, their cells, (task, seed) units, seeds of the poorest task
    needed       further seeds a task for a verdict with 80 % power, if difference and spread are as seen; None if there is
                 a verdict, if the spread is unknown, or beyond 1000
    """

    difference: float
    interval: Interval | None
    superiority: float
    p: float | None
    p_equal: float | None
    verdict: Decision
    n_tasks: int
    n_cells: int
    n_units: int
    least_seeds: int
    needed: int | None

    @property
    def sign(self) -> int:
        """1 if the first is better, -1 if it is worse, 0 if they are equal or undecided."""
        return {"better": 1, "worse": -1}.get(self.verdict, 0)

    def turned(self) -> Pair:
        """The second against the first."""
        interval = None if self.interval is None else (-self.interval[1], -self.interval[0])
        return dataclasses.replace(
            self, difference=-self.difference, interval=interval, superiority=1 - self.superiority, verdict=TURNED[self.verdict]
        )


def pairs(data: Grid, labels: Sequence[str] | None = None, margin: float = MARGIN) -> dict[tuple[str, str], Pair]:
    """Every ordered pair of the labels (all of the grid's if None); they are one family of comparisons."""
    if not 0 < margin < 1:
        raise ValueError(f"margin={margin!r}: give a part of the chance-corrected score between 0 and 1, such as {MARGIN}")
    numbers = [data.labels.index(name) for name in (data.labels if labels is None else labels)]
    which = list(itertools.combinations(numbers, 2))
    found: dict[tuple[str, str], Pair] = {}
    if which:
        for (one, other), pair in zip(which, judge(units(data, which), margin), strict=True):
            found[data.labels[one], data.labels[other]] = pair
            found[data.labels[other], data.labels[one]] = pair.turned()
    return found


def judge(given: Units, margin: float = MARGIN) -> list[Pair]:
    """The verdicts on a family of comparisons."""
    n, weights = given.n, given.weights
    least = np.where(n > 0, n, np.iinfo(np.int64).max).min(1, initial=np.iinfo(np.int64).max) * (n > 0).any(1)
    spread = _spread(given)
    known = least > 1
    share = np.where(np.isnan(given.differences), 0, (weights / np.maximum(n, 1))[:, :, None])
    p, p_equal, intervals = np.ones(len(n)), np.ones(len(n)), np.zeros((len(n), 2))
    if known.any():
        p[known] = holm(sign_flip_p(_flat(given.differences[known]), _flat(share[known])))
        p_equal[known] = _equality(spread.at(known), n[known], margin)
        intervals[known] = _intervals(spread.at(known), n[known], p[known] <= ALPHA)
    equal = known & (p_equal <= ALPHA)
    decided = equal | (known & (p <= ALPHA))
    superiority = (1 + (share * np.sign(np.nan_to_num(given.differences))).sum((1, 2))) / 2
    more: list[int | None] = [None] * len(n)
    open_ = np.flatnonzero(known & ~decided)
    if len(open_):
        levels = ALPHA / max(1, (known & (p > ALPHA)).sum()), ALPHA / max(1, (known & ~equal).sum())
        for i, count in zip(open_, needed(spread.at(open_), least[open_], margin, levels), strict=True):
            more[i] = count
    return [
        Pair(
            float(spread.mean[i]), _ends(intervals[i]) if known[i] else None,
            float(superiority[i]), float(p[i]) if known[i] else None,
            float(p_equal[i]) if known[i] else None, _decision(bool(decided[i]), bool(equal[i]), float(spread.mean[i])),
            int((n[i] > 0).sum()), int(given.n_cells[i]), int(n[i].sum()), int(least[i]), more[i],
        )
        for i in range(len(n))
    ]  # fmt: skip


def _spread(given: Units) -> Spread:
    """Means and variances over the seeds of each task."""
    there = ~np.isnan(given.differences)
    n = np.maximum(given.n, 1)
    means = np.where(there, given.differences, 0).sum(2) / n
    squares = np.where(there, given.differences - means[:, :, None], 0) ** 2
    return Spread((given.weights * means).sum(1), means, squares.sum(2) / np.maximum(given.n - 1, 1), given.weights)


def _equality(spread: Spread, n: Whole, margin: float) -> Floats:
    """p-values of equality, adjusted; units are counted as if all weighed what the heaviest one weighs."""
    alike = np.where(spread.weights > 0, n / np.where(spread.weights > 0, spread.weights, 1), np.inf).min(1)
    p, _ = equivalence_p(spread.mean, spread.parts(n), np.maximum(n - 1, 0), alike, margin)
    return holm(p)


def _intervals(spread: Spread, n: Whole, significant: NDArray[np.bool_]) -> Floats:
    """Simultaneous intervals that exclude zero just where a difference is significant, (n_comparisons, 2)."""
    from scipy.special import stdtrit

    parts = spread.parts(n)
    half = stdtrit(welch(parts, np.maximum(n - 1, 0)), 1 - ALPHA / len(n) / 2) * np.sqrt(parts.sum(1))
    low, high = spread.mean - half, spread.mean + half
    up, down = significant & (spread.mean > 0), significant & (spread.mean < 0)
    low = np.where(up, np.maximum(low, 0), np.where(significant, low, np.minimum(low, 0)))
    high = np.where(down, np.minimum(high, 0), np.where(significant, high, np.maximum(high, 0)))
    return np.stack([low, high], 1)


def _decision(decided: bool, equal: bool, difference: float) -> Decision:
    if not decided:
        return "undecided"
    return "equal" if equal else "better" if difference > 0 else "worse"


def _flat(x: Floats) -> Floats:
    return x.reshape(len(x), -1)


def _ends(x: Floats) -> Interval:
    return float(x[0]), float(x[1])


__all__ = ["MARGIN", "Decision", "Pair", "holm", "judge", "pairs", "sign_flip_p"]
