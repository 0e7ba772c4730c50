"""Which tasks tell learners apart.

For each task the learners under study, without the controls, are compared by the range of their mean scores, against
the ranges that arise when the names of the learners are dealt anew within each seed. The p-values are corrected for the
number of tasks (Holm).
"""

from __future__ import annotations

import bisect
import dataclasses
import math
from functools import cache
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from reports.significance import holm
from reports.stats import ALPHA, seeded

if TYPE_CHECKING:
    import pandas as pd

    from reports.data import Tidy
    from reports.stats import Floats, Interval

STUDIED = "biological", "engineered"
POWER = 0.8
DRAWS = 1999
"""Deals of the names at least; more where many tasks are corrected for."""
MOST_SEEDS = 1000
AT_ONCE = 1 << 20
"""Numbers dealt at once: what memory that takes."""
FAR = 1e4
"""A shift, in standard errors, that no test misses."""
TINY = 1e-12


@dataclasses.dataclass(frozen=True)
class Discrimination:
    """Whether one task separates any two learners under study.

    verdict     separates, does not, or unknown
    reason      in words: why it is unknown, or what the verdict stands on
    p           corrected for the number of tasks; None if unknown. A range that chance could give is `does not` only where
                one learner that stands out in every seed would have been found; else it is unknown
    best, worst the most separated pair of labels, by mean; None with fewer than two learners
    difference  of their means; interval at 95 % for all pairs of learners together, None with one seed
    needed      seeds that the task would need, in all, for that pair to be told apart with a power of POWER; None if the
                difference is no larger than chance alone makes it, or more than 1000 are needed
    n_learners  who took part: learners with a value on every rung of the task for the same seeds; n_left were left out
    n_seeds     seeds that all of them have on every rung
    """

    task: str
    verdict: Literal["separates", "does not", "unknown"]
    reason: str
    p: float | None
    best: str | None
    worst: str | None
    difference: float | None
    interval: Interval | None
    needed: int | None
    n_learners: int
    n_left: int
    n_seeds: int


class Trials(NamedTuple):
    """What takes part on one task: values (learners, seeds), the names of the learners, and how many were left out."""

    values: Floats
    labels: tuple[str, ...]
    n_left: int


def discrimination(data: Tidy) -> dict[str, Discrimination]:
    """By task, in the order of the cells."""
    studied = [label for label in data.labels if data.families[label] in STUDIED]
    rows = data.compared
    rows = rows[rows.label.isin(studied) & rows.cell.isin([cell.name for cell in data.cells])]
    parts = dict(tuple(rows.groupby("task", sort=False)))
    cells: dict[str, int] = {}
    for cell in data.cells:
        cells[cell.task] = cells.get(cell.task, 0) + 1
    trials = {task: _complete(parts[task], n) if task in parts else Trials(np.zeros((0, 0)), (), 0) for task, n in cells.items()}
    return judged(trials)


def judged(trials: dict[str, Trials]) -> dict[str, Discrimination]:
    """The verdict on each task."""
    tested = [task for task, (values, *_) in trials.items() if _least_p(*values.shape) <= ALPHA]
    draws = max(DRAWS, 40 * len(tested) - 1)
    adjusted = dict(zip(tested, holm([range_p(trials[task].values, draws) for task in tested]).tolist(), strict=True))
    return {task: _judge(task, part, adjusted.get(task), len(tested)) for task, part in trials.items()}


def range_p(values: Floats, draws: int = DRAWS) -> float:
    """How often the range of the means of (learners, seeds) is as wide when names are dealt anew within each seed."""
    found = np.ptp(values.mean(axis=1))
    rng = seeded(values)
    reached, left = 1, draws
    while left:
        now = min(left, max(1, AT_ONCE // values.size))
        dealt = rng.permuted(np.broadcast_to(values.T, (now, *values.T.shape)), axis=2)
        reached += int((np.ptp(dealt.mean(axis=1), axis=1) >= found - TINY).sum())
        left -= now
    return reached / (draws + 1)


def seeds_needed(effect: float, alpha: float = ALPHA) -> int | None:
    """Seeds with which a paired t test finds an effect (mean difference in standard deviations) with a power of POWER.

    None for more than MOST_SEEDS.
    """
    from scipy.special import nctdtr, stdtrit

    def power(n: int) -> float:
        shift = effect * math.sqrt(n)
        bar = float(stdtrit(n - 1, 1 - alpha / 2))
        found = 1 - float(nctdtr(n - 1, min(shift, FAR), bar))
        return found if math.isfinite(found) else float(shift > bar)

    n = 2 + bisect.bisect_left(range(2, MOST_SEEDS + 1), POWER, key=power)
    return n if n <= MOST_SEEDS else None


def _complete(rows: pd.DataFrame, n_cells: int) -> Trials:
    """The learners that have every cell of a task for the same seeds: the choice with most trials."""
    whole = rows.groupby(["label", "replicate"]).value.agg(["mean", "size"])
    whole = whole["mean"][whole["size"] == n_cells]
    found: dict[str, dict[int, float]] = {str(label): {} for label in rows.label.unique()}
    for (label, replicate), value in whole.items():
        found[str(label)][int(replicate)] = float(value)
    choices = {frozenset(mine) for mine in found.values() if mine}
    if not choices:
        return Trials(np.zeros((0, 0)), (), len(found))
    takers = {seeds: [label for label, mine in found.items() if seeds <= mine.keys()] for seeds in choices}
    best = max(
        choices, key=lambda seeds: (min(len(takers[seeds]), len(seeds)) > 1, len(takers[seeds]) * len(seeds), sorted(seeds))
    )
    values = np.array([[found[label][seed] for seed in sorted(best)] for label in takers[best]])
    return Trials(values, tuple(takers[best]), len(found) - len(takers[best]))


def _judge(task: str, trials: Trials, p: float | None, n_tasks: int) -> Discrimination:
    """The verdict on one task from its corrected p."""
    values, labels, n_left = trials
    n, seeds = values.shape
    counted = f"{n} learners on {seeds} seeds"
    if n < 2:
        reason = "fewer than two learners under study have all of its rungs"
        return Discrimination(task, "unknown", reason, None, None, None, None, None, None, n, n_left, seeds)
    means = values.mean(axis=1)
    best, worst = int(means.argmax()), int(means.argmin())
    if best == worst:
        best, worst = 0, 1
    difference = float(means[best] - means[worst])
    interval, needed = (None, None) if seeds < 2 else _spread(values, difference)
    if needed is not None:
        needed = max(needed, 1 + math.ceil(math.log(max(n_tasks, 1) / ALPHA) / math.log(n)))
    verdict: Literal["separates", "does not", "unknown"] = "unknown"
    if seeds < 2:
        reason = "one seed: the spread between seeds is unknown"
    elif p is not None and p <= ALPHA:
        verdict, reason = "separates", f"{counted} spread wider than chance gives (p = {p:.2g})"
    elif p is None or n_tasks * _least_p(n, seeds) > ALPHA:
        p, reason = None, f"{counted}: too few for one that stands out in every seed to be told from chance"
    else:
        verdict, reason = "does not", f"{counted} spread no wider than chance gives (p = {p:.2g})"
    return Discrimination(task, verdict, reason, p, labels[best], labels[worst], difference, interval, needed, n, n_left, seeds)


def _spread(values: Floats, difference: float) -> tuple[Interval, int | None]:
    """The interval of the widest difference (for all pairs together), and the seeds it would need to be found.

    The widest of many differences is partly luck: what chance alone would give is taken off before seeds are counted.
    """
    n, seeds = values.shape
    rest = values - values.mean(axis=1, keepdims=True) - values.mean(axis=0) + values.mean()
    freedom = (n - 1) * (seeds - 1)
    variance = float((rest**2).sum() / freedom)
    if variance < TINY:
        return (difference, difference), 2 if difference > TINY else None
    from scipy.special import stdtrit

    each = ALPHA / math.comb(n, 2)
    half = float(stdtrit(freedom, 1 - each / 2)) * math.sqrt(2 * variance / seeds)
    true = difference**2 - _square_range(n) * variance / seeds
    needed = seeds_needed(math.sqrt(true / (2 * variance)), each) if true > 0 else None
    return (difference - half, difference + half), needed


def _least_p(n: int, seeds: int) -> float:
    """The p of one of n learners that stands out in every seed, the others being alike: no fewer deals give it that place."""
    return 1.0 if n < 2 or seeds < 2 else float(n) ** (1 - seeds)


@cache
def _square_range(n: int) -> float:
    """Mean square of the range of n normal numbers, to about 1 %."""
    return float((np.ptp(np.random.default_rng(0).normal(size=(4000, n)), axis=1) ** 2).mean())
