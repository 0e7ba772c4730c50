"""Figures with a line for each learner: differences to the best, and what tuning gained."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reports.draw import Panel, Part, Room, cut, width
from reports.drawing import Drawing
from reports.looks import GRID, QUIET
from reports.scales import Axis, spread

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reports.board import Board
    from reports.drawing import Value
    from reports.looks import Looks
    from reports.stats import Interval
    from reports.tuned import Gain

WIDTH = 520.0
"""Points across the figure."""
RING = 5.5
LINE = 15.0
"""Points from one learner to the next."""
FURTHEST = 1.2
"""The largest difference that the axis holds; what lies beyond is drawn at its end."""


def differences(board: Board, looks: Looks, margin: float) -> list[Drawing]:
    """The difference of every ranked label to the first of the ranking, with its interval; the margin of equality as a band."""
    ranked = [s for s in board.ranked if s.label in looks]
    if len(ranked) < 2:
        return []
    best = ranked[0].label
    pairs = [board.pairs[standing.label, best] for standing in ranked[1:]]
    numbers = [x for pair in pairs for x in (pair.difference, *(pair.interval or ()))]
    ends = [float(np.clip(x, -FURTHEST, FURTHEST)) for x in [*numbers, -margin, margin, 0.0]]
    panel = _panel([s.label for s in ranked[1:]], spread(ends, log=False, words=f"score less that of {cut(best)}"), right=58)
    left, right = panel.at([-margin, margin], 0)[:, 0]
    corners = [(left, panel.top), (right, panel.top), (right, panel.bottom), (left, panel.bottom)]
    panel.shape(corners, fill=True, facecolor=GRID, edgecolor="none", alpha=0.6)
    middle = panel.at(0, 0)[0, 0]
    panel.shape([(middle, panel.top), (middle, panel.bottom)], edgecolor=QUIET, lw=0.9)
    table: list[tuple[Value, ...]] = []
    for i, (standing, pair) in enumerate(zip(ranked[1:], pairs, strict=True)):
        part = Part(standing.label, looks[standing.label], lead=True)
        _whisker(panel, part, i, pair.interval)
        panel.marks(part, panel.at(pair.difference, i), 6)
        panel.text((panel.right + 8, float(panel.at(0, i)[0, 1])), pair.verdict, quiet=True)
        table.append((standing.label, pair.difference, *(pair.interval or (None, None)), pair.verdict))
    title = f"Difference to {cut(best)}"
    about = f"The band is the margin of ±{margin:g} within which two learners count as equal."
    return [Drawing("differences", title, panel.svg(title), ("learner", "difference", "low", "high", "verdict"), table, about)]


def gained(gains: Mapping[str, Gain], board: Board, looks: Looks) -> list[Drawing]:
    """From the default (ring) to the tuned setting (marker), with the interval of the gain about the latter."""
    order = [s.label for s in board.standings if s.label in gains and s.label in looks]
    if not order:
        return []
    found = [gains[label] for label in order]
    ends = [x for gain in found for x in (gain.default, gain.tuned, *(_about(gain) or ()))]
    panel = _panel(order, spread([float(np.clip(x, -0.12, 1.06)) for x in [*ends, 0.0]], log=False, words="score"))
    table: list[tuple[Value, ...]] = []
    for i, gain in enumerate(found):
        part = Part(gain.label, looks[gain.label], lead=True)
        start, end = panel.at([gain.default, gain.tuned], i)
        if abs(end[0] - start[0]) > RING:
            side = np.array([np.sign(end[0] - start[0]), 0])
            panel.bars(part, [start + RING / 2 * side], [end], lw=2.2, alpha=0.35)
        _whisker(panel, part, i, _about(gain))
        panel.ring(part, start, RING)
        panel.marks(part, end, 6)
        table.append((gain.label, gain.default, gain.tuned, gain.difference, *(gain.interval or (None, None)), gain.n_tasks))
    title = "From the default to the tuned setting"
    columns = "learner", "default", "tuned", "difference", "low", "high", "tasks"
    return [Drawing("gains", title, panel.svg(title), columns, table, "A ring is the default, a mark the tuned setting.")]


def _about(gain: Gain) -> Interval | None:
    """The interval of the gain, laid about the tuned score."""
    return None if gain.interval is None else (gain.default + gain.interval[0], gain.default + gain.interval[1])


def _panel(labels: Sequence[str], x: Axis, right: float = 12) -> Panel:
    """Names at the left, one line each."""
    left = max(width(cut(label), 9) for label in labels) + 10
    y = Axis(len(labels) - 0.5, -0.5, log=False, ticks=())
    panel = Panel(x, y, (WIDTH, LINE * len(labels) + 38), Room(left, right, 4, 34))
    panel.frame(across=False)
    for i, label in enumerate(labels):
        panel.text((left - 8, float(panel.at(x.low, i)[0, 1])), cut(label), "end", 9)
    return panel


def _whisker(panel: Panel, part: Part, line: int, ends: Interval | None) -> None:
    """An interval on its line, if there is one."""
    if ends is not None:
        panel.bars(part, panel.at(ends[0], line), panel.at(ends[1], line), lw=1.6, alpha=0.6)
