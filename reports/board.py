"""Who is ahead of whom, on the cells that both took.

Two learners are compared on the cells that both have results for, seed by seed. One is *ahead* if the interval of the
mean difference lies above zero, at a level that is corrected for the number of learners. A rank is then an interval:
from one more than the number of learners ahead, to the number of learners less those behind.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from reports.stats import Floats, Interval, equal_weights, mean_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from reports.data import Cell, Tidy

ENOUGH = 0.5
"""To be ranked, a label must have taken more than this share of the cells, by weight: any two such labels share some."""


@dataclasses.dataclass(frozen=True)
class Pair:
    """Mean difference of two labels (first less second) on the cells that both took."""

    difference: float
    interval: Interval | None
    n_cells: int

    @property
    def sign(self) -> int:
        """1 if the first is ahead, -1 if it is behind, 0 if they are not told apart."""
        if self.interval is None:
            return 0
        low, high = self.interval
        return int(low > 0) - int(high < 0)


@dataclasses.dataclass(frozen=True)
class Standing:
    """One label: its score on the cells it took, and where that puts it. `rank` is None for those not ranked."""

    label: str
    family: str
    score: float
    interval: Interval | None
    n_cells: int
    n_trials: int
    n_lost: int
    share: float
    rank: tuple[int, int] | None


@dataclasses.dataclass(frozen=True)
class Board:
    """Standings, the ranked ones first and best first, and the pairs of ranked labels."""

    standings: tuple[Standing, ...]
    pairs: dict[tuple[str, str], Pair]
    n_cells: int
    least_seeds: int

    @property
    def ranked(self) -> tuple[Standing, ...]:
        """Those with enough cells."""
        return tuple(s for s in self.standings if s.rank is not None)

    def tied(self, label: str) -> list[Standing]:
        """The ranked labels that are not told apart from this one."""
        return [s for s in self.ranked if s.label != label and self.pairs[label, s.label].sign == 0]

    def behind(self, label: str) -> list[Standing]:
        """The ranked labels that this one is ahead of."""
        return [s for s in self.ranked if s.label != label and self.pairs[label, s.label].sign == 1]


Values = dict[str, dict[int, float]]
"""Values of one label by cell and replicate."""


def board(data: Tidy, cells: Sequence[Cell]) -> Board:
    """Compare the labels of the report on some cells."""
    names = {cell.name for cell in cells}
    rows = data.compared
    rows = rows[rows.cell.isin(names) & rows.label.isin(data.labels)]
    values = {label: _values(part) for label, part in rows.groupby("label", sort=False)}
    weight = dict(zip([c.name for c in cells], equal_weights([(c.suite, c.task) for c in cells]), strict=True))
    places = {cell.name: (cell.suite, cell.task) for cell in cells}
    shares = {label: sum(weight[name] for name in taken) for label, taken in values.items()}
    ranked = [label for label in data.labels if shares.get(label, 0) > ENOUGH + 1e-9]
    pairs = _pairs(ranked, values, places)
    standings = []
    for label in (name for name in data.labels if name in values):
        part = rows[rows.label.eq(label)]
        groups = [np.array(list(values[label][name].values())) for name in values[label]]
        score, interval = mean_interval(groups, equal_weights([places[name] for name in values[label]]))
        rank = _rank(label, ranked, pairs) if label in ranked else None
        standings.append(
            Standing(
                label, data.families[label], score, interval, len(groups), len(part), int(part.lost.sum()), shares[label], rank
            )
        )
    standings.sort(key=lambda s: _order(s, ranked, pairs))
    least = min((len(x) for taken in values.values() for x in taken.values()), default=0)
    return Board(tuple(standings), pairs, len(cells), least)


def _values(rows: pd.DataFrame) -> Values:
    found: Values = {}
    for cell, replicate, value in zip(rows.cell, rows.replicate, rows.value, strict=True):
        found.setdefault(cell, {})[int(replicate)] = float(value)
    return found


def _pairs(ranked: list[str], values: dict[str, Values], places: dict[str, tuple[str, str]]) -> dict[tuple[str, str], Pair]:
    """Every ordered pair of ranked labels; the level holds for all comparisons of one label together."""
    level = 1 - 0.05 / max(1, len(ranked) - 1)
    pairs = {}
    for i, one in enumerate(ranked):
        for other in ranked[i + 1 :]:
            pair = _compare(values[one], values[other], places, level)
            pairs[one, other] = pair
            turned = None if pair.interval is None else (-pair.interval[1], -pair.interval[0])
            pairs[other, one] = Pair(-pair.difference, turned, pair.n_cells)
    return pairs


def _compare(one: Values, other: Values, places: dict[str, tuple[str, str]], level: float) -> Pair:
    """The difference of two labels, on the cells and replicates that both have."""
    groups: list[Floats] = []
    shared = []
    for cell, found in one.items():
        both = sorted(found.keys() & other.get(cell, {}).keys())
        if both:
            shared.append(places[cell])
            groups.append(np.array([found[r] - other[cell][r] for r in both]))
    if not groups:
        return Pair(0.0, None, 0)
    difference, interval = mean_interval(groups, equal_weights(shared), level)
    return Pair(difference, interval, len(groups))


def _rank(label: str, ranked: list[str], pairs: dict[tuple[str, str], Pair]) -> tuple[int, int]:
    signs = [pairs[label, other].sign for other in ranked if other != label]
    return 1 + signs.count(-1), len(ranked) - signs.count(1)


def _order(standing: Standing, ranked: list[str], pairs: dict[tuple[str, str], Pair]) -> tuple[float, float, str]:
    """Ranked first; by the mean advantage over the other ranked labels, each on the cells that both took."""
    if standing.rank is None:
        return 1, -standing.share, standing.label
    others = [pairs[standing.label, other].difference for other in ranked if other != standing.label]
    return 0, -float(np.mean(others)) if others else 0.0, standing.label
