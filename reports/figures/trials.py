"""Every trial as a dot: what a median hides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reports.draw import Panel, Part, Room, crosses, cut, marked, width
from reports.drawing import Drawing
from reports.looks import GRID
from reports.scales import Axis

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from reports.board import Board
    from reports.data import Cell, Tidy
    from reports.drawing import Value
    from reports.looks import Looks

FEW = 6
"""Trials in a cell beyond which dots are drawn smaller."""
TURN = 50.0
"""Degrees by which the names of cells are turned."""
COLUMNS = "learner", "cell", "n", "median", "values"


def every_trial(data: Tidy, board: Board, looks: Looks, dull: frozenset[str] = frozenset()) -> list[Drawing]:
    """One row of dots a label, best first; one column a cell; each dot a trial, the bar its median."""
    order = [s.label for s in board.standings if s.label in looks]
    rows = data.compared[data.compared.label.isin(order)]
    if rows.empty:
        return []
    panel = _panel(data.cells, order, dull)
    place = {cell.name: i for i, cell in enumerate(data.cells)}
    by_label = dict(list(rows.groupby("label", sort=False)))
    table: list[tuple[Value, ...]] = []
    for y, label in enumerate(order):
        if label in by_label:
            table += _row(panel, Part(label, looks[label], lead=True), by_label[label], place, y)
    title = "Every trial as a dot, by learner and cell"
    return [Drawing("trials", title, panel.svg(title), COLUMNS, table)]


def _row(panel: Panel, part: Part, rows: pd.DataFrame, place: dict[str, int], y: int) -> list[tuple[Value, ...]]:
    """Dots, medians and failures of one label; the lines of the table."""
    dots, lost, most = [], [], 0
    table: list[tuple[Value, ...]] = []
    ends: list[NDArray[np.float64]] = []
    for cell, cells in rows.groupby("cell", sort=False):
        values, failed = cells.value.to_numpy(dtype=float), cells.lost.to_numpy(dtype=bool)
        n, median = len(values), float(np.median(values))
        nth = np.argsort(np.argsort(values, kind="stable"), kind="stable")
        x = place[str(cell)] + 0.72 * (nth - (n - 1) / 2) / max(n, 4)
        points = panel.at(x, _height(values, y))
        dots.append(points[~failed])
        lost.append(points[failed])
        ends.append(panel.at(place[str(cell)] + np.array([-0.4, 0.4]), _height(np.array([median] * 2), y)))
        words = " ".join("failed" if bad else f"{value:.4g}" for value, bad in zip(values, failed, strict=True))
        most = max(most, n)
        table.append((part.label, str(cell), n, median, words))
    both = np.stack(ends)
    panel.bars(part, both[:, 0], both[:, 1], lw=1.2, alpha=0.6)
    shown = np.concatenate(dots)
    if len(shown):
        panel.bars(part, shown, shown, lw=3.2 if most <= FEW else 2.0, alpha=0.8, capstyle="round")
    crosses(panel, np.concatenate(lost), part=part)
    return table


def _height(values: NDArray[np.float64], y: int) -> NDArray[np.float64]:
    """Scores as heights within the row of a label: the ceiling is up, chance at the row's line."""
    return y + 0.36 - 0.72 * np.clip(values, -0.12, 1.05)


def _panel(cells: tuple[Cell, ...], order: list[str], dull: frozenset[str]) -> Panel:
    """Rows and columns with their names."""
    names = [cut(label) for label in order]
    heads = [marked(cell.task, cut(cell.name), dull) for cell in cells]
    left = max(width(name, 9) for name in names) + 8
    turn = np.deg2rad(TURN)
    across = max(12.5, min(60.0, (820 - left) / len(cells)))
    reach = [(i + 0.5) * across + np.cos(turn) * width(head, 9) + 6 for i, head in enumerate(heads)]
    right = max(8.0, max(reach) - len(cells) * across)
    top = float(np.sin(turn)) * max(width(head, 9) for head in heads) + 12
    down = 38.0 if len(order) <= 16 else 24.0
    size = (left + len(cells) * across + right, top + down * len(order) + 4)
    x, y = Axis(-0.5, len(cells) - 0.5, log=False, ticks=()), Axis(len(order) - 0.5, -0.5, log=False, ticks=())
    panel = Panel(x, y, size, Room(left, right, top, 4))
    lines = np.arange(len(order)) + 0.36
    panel.bars(None, panel.at(-0.5, lines), panel.at(len(cells) - 0.5, lines), edgecolor=GRID, lw=0.7, alpha=1)
    edges = [i - 0.5 for i in range(1, len(cells)) if cells[i].suite != cells[i - 1].suite]
    if edges:
        panel.bars(None, panel.at(edges, -0.5), panel.at(edges, len(order) - 0.5), edgecolor=GRID, lw=1.2, alpha=1)
    for i, name in enumerate(names):
        panel.text((left - 6, float(panel.at(0, i)[0, 1])), name, "end", 9)
    for i, head in enumerate(heads):
        panel.text((float(panel.at(i, 0)[0, 0]), top - 5), head, size=9, turn=-TURN)
    return panel
