"""Standings: each label's score over all tasks, and the interval of ranks that the verdicts on pairs leave open.

`score` is the mean, since that is what pairs are compared by: where all took the same cells, the difference of two scores is the
difference that the verdict is about. The interquartile mean stands beside it and tells the typical score. A rank goes from
one more than the number of labels that are better to the number of labels less those that are worse.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from reports.across import across
from reports.pairs import MARGIN, Decision, Pair, pairs
from reports.stats import Interval, equal_weights
from reports.units import grid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reports.data import Cell, Tidy

ENOUGH = 0.5
"""To be ranked, a label must have taken more than this share of the cells, by weight: any two such labels share some."""


@dataclasses.dataclass(frozen=True)
class Standing:
    """One label: its score on the cells it took, and where that puts it.

    score, interval    chance-corrected mean over its cells; the interval is None where a cell has a single seed
    iqm, iqm_interval  interquartile mean over all its trials, by weight; likewise
    n_cells, n_trials, n_lost   cells it took, trials, and how many of these failed or diverged and count as chance
    share              of all cells, by weight
    rank               None for those not ranked
    """

    label: str
    family: str
    score: float
    interval: Interval | None
    n_cells: int
    n_trials: int
    n_lost: int
    share: float
    rank: tuple[int, int] | None
    iqm: float
    iqm_interval: Interval | None

    @property
    def p_failure(self) -> float:
        """Share of trials that failed or diverged."""
        return self.n_lost / self.n_trials


@dataclasses.dataclass(frozen=True)
class Board:
    """Standings, the ranked ones first and best first, and the pairs of ranked labels.

    n_cells, least_seeds  cells compared, and seeds of the poorest of them
    margin                differences within it are called equal
    arm, k, note          the footing of the comparison, as in `Tidy`
    """

    standings: tuple[Standing, ...]
    pairs: dict[tuple[str, str], Pair]
    n_cells: int
    least_seeds: int
    margin: float = MARGIN
    arm: str = "default"
    k: int = 0
    note: str = ""

    @property
    def ranked(self) -> tuple[Standing, ...]:
        """Those with enough cells."""
        return tuple(s for s in self.standings if s.rank is not None)

    def tied(self, label: str) -> list[Standing]:
        """The ranked labels that are neither better nor worse than this one."""
        return [s for s in self.ranked if s.label != label and self.pairs[label, s.label].sign == 0]

    def against(self, label: str, decision: Decision) -> list[Standing]:
        """The ranked labels against which this one has this verdict."""
        return [s for s in self.ranked if s.label != label and self.pairs[label, s.label].verdict == decision]

    def behind(self, label: str) -> list[Standing]:
        """The ranked labels that are worse than this one."""
        return [s for s in self.ranked if s.label != label and self.pairs[label, s.label].sign == 1]


def board(data: Tidy, cells: Sequence[Cell], margin: float = MARGIN) -> Board:
    """Compare the labels of the report on some cells."""
    names = {cell.name for cell in cells}
    rows = data.compared
    rows = rows[rows.cell.isin(names) & rows.label.isin(data.labels)]
    found = grid(rows, cells, [name for name in data.labels if name in set(rows.label)])
    seeds = (~np.isnan(found.value)).sum(2)
    taken = seeds > 0
    weights = equal_weights([(c.suite, c.task) for c in sorted(cells, key=lambda c: (c.suite, c.task))])
    shares = dict(zip(found.labels, (taken @ weights).tolist(), strict=True))
    ranked = [label for label in found.labels if shares[label] > ENOUGH + 1e-9]
    compared = pairs(found, ranked, margin)
    counts = rows.groupby("label").lost.agg(["size", "sum"])
    standings = []
    for i, label in enumerate(found.labels):
        score = across(found.value[i], found.task, found.suite)
        n_trials, n_lost = (int(x) for x in counts.loc[label])
        rank = _rank(label, ranked, compared) if label in ranked else None
        standings.append(
            Standing(
                label, data.families[label], score.mean, score.mean_interval, int(taken[i].sum()), n_trials, n_lost,
                shares[label], rank, score.iqm, score.iqm_interval,
            )
        )  # fmt: skip
    standings.sort(key=lambda s: _order(s, ranked, compared))
    least = int(seeds[taken].min()) if taken.any() else 0
    return Board(tuple(standings), compared, len(cells), least, margin, data.arm, data.k, data.note)


def _rank(label: str, ranked: list[str], compared: dict[tuple[str, str], Pair]) -> tuple[int, int]:
    signs = [compared[label, other].sign for other in ranked if other != label]
    return 1 + signs.count(-1), len(ranked) - signs.count(1)


def _order(standing: Standing, ranked: list[str], compared: dict[tuple[str, str], Pair]) -> tuple[float, float, float, str]:
    """Ranked first; by the mean advantage over the other ranked labels, each on the cells that both took."""
    if standing.rank is None:
        return 1, -standing.share, -standing.score, standing.label
    others = [compared[standing.label, other].difference for other in ranked if other != standing.label]
    return 0, -round(float(np.mean(others)), 9) if others else 0.0, -round(standing.score, 9), standing.label
