"""Ladders: score against the rung, with the fitted curve and the rung up to which a learner solves the task."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reports.draw import Panel, Room, cast, marked
from reports.drawing import Drawing
from reports.looks import GRID, QUIET
from reports.psychometrics import LEVEL
from reports.scales import SCORE, Axis, stepped
from reports.stats import median_interval

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reports.board import Board
    from reports.data import Cell, Tidy
    from reports.draw import Part
    from reports.drawing import Value
    from reports.looks import Looks
    from reports.psychometrics import Psychometric
    from reports.stats import Interval

Fits = dict[tuple[str, str], "Psychometric"]
COLUMNS = "learner", "what", "rung", "score", "low", "high", "n"
SIZE = 288.0, 176.0
LINE = 4.0
"""Points between the thresholds below the axis."""


def ladders(
    data: Tidy, fits: Mapping[tuple[str, str], Psychometric], board: Board, looks: Looks, dull: frozenset[str] = frozenset()
) -> list[Drawing]:
    """One panel a task with at least two rungs; `fits` are the curves of `reports.psychometrics`, or empty."""
    parts = cast(board, looks)
    tasks: dict[str, list[Cell]] = {}
    for cell in data.cells:
        if cell.rung is not None:
            tasks.setdefault(cell.task, []).append(cell)
    tasks = {task: cells for task, cells in tasks.items() if len({cell.rung for cell in cells}) > 1}
    values = {key: part.to_numpy(dtype=float) for key, part in data.compared.groupby(["label", "cell"]).value}
    lines = max((sum(p.lead and _solved(fits, p, task) for p in parts) for task in tasks), default=0)
    drawn: list[Drawing] = []
    for task, cells in tasks.items():
        axis = _axis(data, task, cells)
        panel = Panel(
            axis,
            SCORE,
            (SIZE[0], SIZE[1] + LINE * lines + 3 * bool(lines)),
            Room(left=22, bottom=32),
            strip=LINE * lines + 3 * bool(lines),
        )
        panel.frame()
        table = [row for part in parts for row in _points(panel, part, cells, values, fits.get((part.label, task)))]
        if table:
            table += _thresholds(panel, parts, task, fits)
            title = f"{marked(task, task, dull)} by {axis.words}"
            drawn.append(Drawing(f"ladder{len(drawn)}", title, panel.svg(title), COLUMNS, table))
    return drawn


def _axis(data: Tidy, task: str, cells: list[Cell]) -> Axis:
    """The rungs there are, easiest first; words where they are words."""
    ladder = data.ladders.get(task)
    there = {cell.rung: cell for cell in cells if cell.rung is not None}
    rungs = [rung for rung in (ladder.rungs if ladder else ()) if rung in there] or sorted(there)
    rungs += [rung for rung in sorted(there) if rung not in rungs]
    words = (ladder.axis if ladder else "") or cells[0].axis or "rung"
    if ladder is None or ladder.numeric:
        return stepped(rungs, words=words)
    return stepped(rungs, [there[rung].name.rpartition("=")[2].rpartition(" ")[2] for rung in rungs], words)


def _points(
    panel: Panel, part: Part, cells: list[Cell], values: Mapping[tuple[str, str], np.ndarray], fit: Psychometric | None
) -> list[tuple[Value, ...]]:
    """Medians of one label with their whiskers, and its curve; the lines of the table."""
    found: list[tuple[float, float, Interval | None, int]] = []
    for cell in cells:
        x = values.get((part.label, cell.name))
        if x is not None and cell.rung is not None:
            found.append((cell.rung, float(np.median(x)), median_interval(x), len(x)))
    if not found:
        return []
    spots = panel.at([rung for rung, *_ in found], [middle for _, middle, *_ in found])
    if fit is not None and fit.xs:
        panel.line(part, fit.xs, fit.ys)
    else:
        panel.line(part, [rung for rung, *_ in found], [middle for _, middle, *_ in found])
    ranges = [(rung, *interval) for rung, _, interval, _ in found if interval and interval[1] > interval[0]]
    if part.lead and ranges:
        rungs, low, high = zip(*ranges, strict=True)
        panel.bars(part, panel.at(rungs, low), panel.at(rungs, high))
    panel.marks(part, spots, 4.5)
    return [(part.label, "median", rung, middle, *(interval or (None, None)), n) for rung, middle, interval, n in found]


def _solved(fits: Mapping[tuple[str, str], Psychometric], part: Part, task: str) -> bool:
    fit = fits.get((part.label, task))
    return fit is not None and fit.threshold is not None


def _thresholds(
    panel: Panel, parts: list[Part], task: str, fits: Mapping[tuple[str, str], Psychometric]
) -> list[tuple[Value, ...]]:
    """Below the axis a tick for each label in colour, where its curve passes half way; the lines of the table for all."""
    table: list[tuple[Value, ...]] = []
    solved = [part for part in reversed(parts) if _solved(fits, part, task)]
    height = panel.bottom + 3
    for part in solved:
        fit = fits[part.label, task]
        threshold = fit.threshold or 0.0
        table.append((part.label, "solves up to", threshold, LEVEL, *(fit.interval or (None, None)), fit.n_seeds))
        if part.lead:
            height += LINE
            at = panel.at(threshold, 0)[0, 0]
            panel.bars(part, [(at, height - 1.6)], [(at, height + 1.6)], lw=1.6, alpha=1)
            if fit.interval:
                low, high = panel.at(fit.interval, 0)[:, 0]
                panel.bars(part, [(low, height)], [(high, height)], lw=1.0, alpha=0.8)
    if solved:
        feet = panel.at([tick for tick, _ in panel.x.ticks], panel.y.low) + np.array([0, 3])
        panel.bars(None, feet, feet + np.array([0, panel.strip]), edgecolor=GRID, lw=0.6, alpha=1)
        half = panel.at([panel.x.low, panel.x.high], LEVEL)
        panel.shape(half, edgecolor=QUIET, lw=0.6, ls=":")
    return table
