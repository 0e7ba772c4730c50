"""What tuning buys: the score expected of the best of k settings, and the default against the tuned setting.

The setting that validation picks is judged by its test score, which the choice never saw. The expectation over all sets
of k settings that hold the default is exact: no set is drawn.
"""

from __future__ import annotations

import dataclasses
import json
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from reports.resampling import drawn, widened
from reports.stats import equal_weights, mean_interval

if TYPE_CHECKING:
    import pandas as pd

    from reports.data import Tidy
    from reports.stats import Floats, Interval


EXACT = 12
"""Digits of a mean that count, as in tuning: what comes after them decides no tie."""


@dataclasses.dataclass(frozen=True)
class Tuning:
    """Expected test score against the number of settings tried, for one label.

    scores   for k = 1, 2, ..., K: chance-corrected, mean over tasks; the first is the default alone
    low, high  95 % interval over tasks: how much the figure would differ with other tasks; None with one task
    tasks    those that it was tuned on
    """

    label: str
    scores: tuple[float, ...]
    low: tuple[float, ...] | None
    high: tuple[float, ...] | None
    tasks: tuple[str, ...]

    @property
    def k(self) -> int:
        """Settings tried on every task."""
        return len(self.scores)


@dataclasses.dataclass(frozen=True)
class Gain:
    """Default against tuned on the seeds of the report, for one label, on the tasks and seeds that have both.

    difference   tuned less default, with its 95 % interval over seeds: None where a task has a single seed
    n_tasks      tasks that have both, n_units their seeds together
    k            settings that the tuned one was picked from
    """

    label: str
    default: float
    tuned: float
    difference: float
    interval: Interval | None
    n_tasks: int
    n_units: int
    k: int


class Tried(NamedTuple):
    """Settings tried on one task: validation and test score, and failed trials, of each; the first is the default."""

    valid: Floats
    test: Floats
    failures: Floats


def tuning_curves(data: Tidy) -> dict[str, Tuning]:
    """By label, for those that were tuned; settings count that were tried on all tasks of the label."""
    rows = data.rows[data.rows.arm.eq("tuning")]
    rows = rows[rows.value.notna()]
    if rows.empty:
        return {}
    rows = rows.assign(
        valid=_worth(rows),
        lost=rows.lost.astype(float),
        setting=[json.dumps(x, sort_keys=True, default=str) for x in rows.params],
        first=[fixed == params for fixed, params in zip(rows.fixed, rows.params, strict=True)],
    )
    by = rows.groupby(["label", "task", "first", "setting"])
    table = by.agg(valid=("valid", "mean"), test=("value", "mean"), failures=("lost", "sum"), n=("valid", "size")).reset_index()
    table = table[table.n == table.groupby(["label", "task"]).n.transform("max")]
    found = {}
    for label, part in table.groupby("label"):
        tasks = sorted(part.task.unique())
        common = set.intersection(*(set(part[part.task.eq(task)].setting) for task in tasks))
        part = part[part.setting.isin(common)].sort_values(["task", "first", "setting"], ascending=[True, False, True])
        if not part["first"].any():
            continue
        split = [part[part.task.eq(task)] for task in tasks]
        curves = np.array([expected(Tried(*(x[name].to_numpy(dtype=float) for name in Tried._fields))) for x in split])
        scores = curves.mean(axis=0)
        low = high = None
        if len(tasks) > 1:
            ends = widened(scores, drawn(curves) @ curves / len(curves), len(curves))
            low, high = (tuple(end.tolist()) for end in ends)
        found[str(label)] = Tuning(str(label), tuple(scores.tolist()), low, high, tuple(map(str, tasks)))
    return found


def expected(tried: Tried) -> Floats:
    """Test score of the setting that validation picks among k, for k = 1 to all: the mean over all sets with the default.

    Validation picks as tuning does: the best score; of equals the one with fewer failures, then the one that comes first.
    """
    order = np.lexsort((np.arange(len(tried.valid)), tried.failures, -np.round(tried.valid, EXACT)))
    ahead = order[: int(np.flatnonzero(order == 0)[0])]
    chances = _chances(len(order))[:, : len(ahead)]
    return np.asarray(chances @ tried.test[ahead] + (1 - chances.sum(axis=1)) * tried.test[0])


def gains(data: Tidy) -> dict[str, Gain]:
    """By label, for those with default and tuned trials on common seeds; of several numbers of settings, the largest."""
    rows = data.rows[data.rows.value.notna()]
    most = rows[rows.arm.eq("tuned")].groupby("label").tuning_trials.max()
    key = ["label", "suite", "task", "cell", "replicate"]
    arms = (rows.arm.eq("default"), rows.arm.eq("tuned") & rows.tuning_trials.eq(rows.label.map(most)))
    default, tuned = (rows[arm].drop_duplicates(key, keep="last").set_index(key).value for arm in arms)
    both = default.to_frame("default").join(tuned.rename("tuned"), how="inner").reset_index()
    n_cells = both.groupby(["label", "task"]).cell.nunique()
    by = both.groupby(["label", "suite", "task", "replicate"])
    units = by.agg(default=("default", "mean"), tuned=("tuned", "mean"), n=("cell", "size")).reset_index()
    units["difference"] = units.tuned - units.default
    whole = [n == n_cells[label, task] for label, task, n in zip(units.label, units.task, units.n, strict=True)]
    units = units[np.array(whole, dtype=bool)]
    found = {}
    for label, part in units.groupby("label"):
        split = [task for _, task in part.groupby(["suite", "task"])]
        weights = equal_weights([(x.suite.iloc[0], x.task.iloc[0]) for x in split])
        before, after, (difference, interval) = (
            mean_interval([x[arm].to_numpy(dtype=float) for x in split], weights) for arm in ("default", "tuned", "difference")
        )
        found[str(label)] = Gain(str(label), before[0], after[0], difference, interval, len(split), len(part), int(most[label]))
    return found


def _worth(rows: pd.DataFrame) -> Floats:
    """Chance-corrected validation score, as tuning takes it: 0 for what was lost or is below chance."""
    score, ceiling, *levels = (rows[name].to_numpy(dtype=float) for name in ("score_valid", "ceiling", "chance_valid", "chance"))
    chance = np.where(np.isnan(levels[0]), levels[1], levels[0])
    corrected = (score - chance) / (ceiling - chance)
    return np.where(rows.lost.to_numpy(dtype=bool), 0.0, np.maximum(np.nan_to_num(corrected), 0.0))


@cache
def _chances(n: int) -> Floats:
    """Chance that of n - 1 settings in order of merit the j-th is the best of k - 1 drawn: (k = 1 to n, j)."""
    others = n - 1
    j, m = np.arange(max(others, 1)), np.arange(n)[:, None]
    ratio = np.where(j > 0, np.clip(others - j - m + 1, 0, None) / np.maximum(others - j, 1), m / max(others, 1))
    return np.asarray(np.cumprod(ratio, axis=1), dtype=float)
