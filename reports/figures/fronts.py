"""Score against cost, and the front of those that nobody beats at their price."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from reports.draw import SMALL, Panel, Room, cast, crowd, cut, sentences, width
from reports.drawing import Drawing
from reports.looks import QUIET
from reports.scales import SCORE, spread

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from reports.board import Board, Standing
    from reports.data import Tidy
    from reports.draw import Part
    from reports.looks import Looks

COLUMNS = "learner", "{}", "score", "low", "high", "front"
SIZE = 446.0, 300.0
HIGH = SMALL + 1.0
"""Points that a name takes up in height."""

Box = tuple[float, float, float, float]


class Spot(NamedTuple):
    """A label in the figure: what it costs, and how it scores."""

    part: Part
    cost: float
    standing: Standing


def costs(data: Tidy, board: Board, looks: Looks) -> list[Drawing]:
    """One drawing for each cost that was counted for a ranked label: a trial's median."""
    parts = {part.label: part for part in cast(board, looks)}
    drawn = []
    for name, (words, measure) in _measures(data.compared).items():
        medians = measure.groupby(data.compared.label).median()
        spots = [
            Spot(parts[s.label], float(medians[s.label]), s)
            for s in reversed(board.ranked)
            if s.label in parts and medians.get(s.label, 0) > 0
        ]
        if spots:
            drawn.append(_drawing(name, words, spots))
    return drawn


def _measures(rows: pd.DataFrame) -> dict[str, tuple[str, pd.Series]]:
    """Costs by name: in words, and of each trial."""
    counted = rows.mac_train.astype(float).fillna(0) + rows.ac_train.astype(float).fillna(0)
    return {
        "seconds": ("seconds of training a trial, median", rows.train_s.astype(float)),
        "operations": (
            "operations of training a trial (MAC + AC), median",
            counted.where(rows.mac_train.notna() | rows.ac_train.notna()),
        ),
        "samples": ("samples seen in training, median", rows.samples.astype(float)),
        "joules": ("joules of training a trial by model, median", rows.joules_model.astype(float)),
        "bytes": ("bytes of state, median", rows.state_bytes.astype(float)),
    }


def front(costs: list[float], scores: list[float]) -> list[int]:
    """Who is on the front, cheapest first: nobody else scores as much for less, or more for as much."""
    order = sorted(range(len(costs)), key=lambda i: (costs[i], -scores[i]))
    found: list[int] = []
    for i in order:
        if not found or scores[i] > scores[found[-1]]:
            found.append(i)
    return found


def _drawing(name: str, words: str, spots: list[Spot]) -> Drawing:
    """All labels against one cost."""
    prices, scores = [spot.cost for spot in spots], [spot.standing.score for spot in spots]
    edge = front(prices, scores)
    x = spread(prices, log=True, words=words)
    panel = Panel(x, SCORE._replace(words="score"), SIZE, Room(left=34, bottom=32))
    panel.frame()
    along, up = [prices[i] for i in edge], [scores[i] for i in edge]
    steps = panel.at(np.repeat([*along, x.high], 2)[1:], np.repeat([*up, up[-1]], 2)[:-1])
    panel.shape(steps, edgecolor=QUIET, lw=1.0)
    for spot in spots:
        interval = spot.standing.interval
        if interval is not None:
            panel.bars(spot.part, panel.at(spot.cost, interval[0]), panel.at(spot.cost, interval[1]), lw=1.3, alpha=0.55)
    points = panel.at(prices, scores)
    for spot, point in zip(spots, points, strict=True):
        panel.marks(spot.part, point, 6)
    lines = [_box(a, b) for a, b in itertools.pairwise(steps)]
    lines += [_box(*panel.at(s.cost, s.standing.interval)) for s in spots if s.standing.interval is not None]
    whole = name_all(panel, spots, points, set(edge), lines)
    table = [
        (spot.part.label, spot.cost, spot.standing.score, *(spot.standing.interval or (None, None)), "yes" if i in edge else "")
        for i, spot in enumerate(spots)
    ]
    title = f"Score against {words}"
    unnamed = "" if whole else "Where there was no room for a name, it is in the table."
    about = sentences(crowd([spot.part for spot in spots]), unnamed)
    return Drawing(f"cost-{name}", title, panel.svg(title), tuple(c.format(name) for c in COLUMNS), table[::-1], about)


def name_all(panel: Panel, spots: list[Spot], points: NDArray[np.float64], edge: set[int], lines: list[Box]) -> bool:
    """Name those in colour and those on the front, where no name touches another; whether all fitted."""
    taken: list[Box] = [(x - 3, y - 3, x + 3, y + 3) for x, y in points]
    named = [i for i, spot in enumerate(spots) if spot.part.lead or i in edge]
    order = sorted(named, key=lambda i: (i not in edge, -spots[i].standing.score, i))
    whole = True
    for i in order:
        box = place(points[i], width(cut(spots[i].part.label), SMALL), taken, lines, panel)
        whole &= box is not None
        if box is not None:
            taken.append(box)
            panel.text((box[0], (box[1] + box[3]) / 2), cut(spots[i].part.label), part=spots[i].part)
    return whole


def place(point: NDArray[np.float64], wide: float, taken: list[Box], lines: list[Box], panel: Panel) -> Box | None:
    """A box for a name near a point that touches no other and stays within the panel, best on no line; None if there is none."""
    x, y = map(float, point)
    shifts = [0.0, -7.0, 7.0, -HIGH, HIGH, -14.0, 14.0, -19.0, 19.0]
    sides = [(left, shift) for shift in shifts for left in (x + 6, x - wide - 6)]
    sides += [(x - wide / 2, shift) for shift in (-HIGH, HIGH)]
    fitting = []
    for left, shift in sides:
        box = (left, y + shift - HIGH / 2, left + wide, y + shift + HIGH / 2)
        inside = box[0] >= panel.left and box[2] <= panel.width - 2 and box[1] >= 1 and box[3] <= panel.bottom
        if inside and not any(overlap(box, other) for other in taken):
            fitting.append(box)
    return min(fitting, key=lambda box: sum(overlap(box, line) for line in lines), default=None)


def _box(a: NDArray[np.float64], b: NDArray[np.float64]) -> Box:
    """The box about an upright or level line."""
    return float(min(a[0], b[0])), float(min(a[1], b[1])), float(max(a[0], b[0])) + 0.1, float(max(a[1], b[1])) + 0.1


def overlap(a: Box, b: Box) -> bool:
    """Whether two boxes (left, top, right, bottom) touch."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
