"""Alignment along training: how far raw changes are from the gradient, and feedback from the weights that it stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reports.credit import ANGLE, AXIS, FEEDBACK, angles
from reports.draw import Panel, Room, cast, crowd, marked, sentences
from reports.drawing import Drawing
from reports.figures.curves import FEW, LINES, POINTS, SIZE, SKETCH, Columns, Curve, mean_curve
from reports.scales import Axis, spread

if TYPE_CHECKING:
    import pandas as pd

    from reports.board import Board
    from reports.data import Cell, Tidy
    from reports.draw import Part
    from reports.drawing import Value
    from reports.looks import Looks

UNRELATED = 90.0
"""Degrees between directions that have nothing to do with each other: where the quiet line is."""
WORDS = {ANGLE: "degrees from gradient", FEEDBACK: "degrees from weights"}
TITLES = {ANGLE: "raw change against gradient", FEEDBACK: "feedback against transposed weights"}


def alignment(
    data: Tidy, seen: pd.DataFrame, board: Board, looks: Looks, dull: frozenset[str] = frozenset()
) -> dict[str, list[Drawing]]:
    """Small multiples by depth, a panel for each rung of each task, by what the angle is of: `angle` or `feedback`.

    A line is the mean over a network's hidden layers and over seeds; the table tells the layers apart.

    seen   key, samples, name, value: what learners said of themselves along training
    """
    joined = _joined(data, seen, list(looks))
    found: dict[str, list[Drawing]] = {}
    for kind in (ANGLE, FEEDBACK):
        rows = joined[joined.kind.eq(kind)]
        cells, about = _chosen(data, set(rows.cell), len(set(rows.label)))
        rows = rows[rows.cell.isin([cell.name for cell in cells])]
        if rows.empty:
            continue
        there = set(rows.label)
        parts = cast(board, {label: look for label, look in looks.items() if label in there})
        x = spread([float(rows.samples.min()), float(rows.samples.max())], log=True, words="samples seen")
        y = _degrees(float(rows.groupby(["key", "samples"]).value.mean().max()), WORDS[kind])
        panels = [_panel(kind, i, cell, parts, rows[rows.cell.eq(cell.name)], (x, y), dull) for i, cell in enumerate(cells)]
        first = panels[0]._replace(about=sentences(crowd(parts), about))
        found[kind] = [first, *panels[1:]]
    return found


def _joined(data: Tidy, seen: pd.DataFrame, labels: list[str]) -> pd.DataFrame:
    """Angles of hidden layers with label and cell, in the order of samples; the output layer sees the error itself."""
    points = angles(seen)
    top = points[points.kind.eq(ANGLE)].groupby("key").layer.max()
    hidden = points.kind.eq(FEEDBACK) | points.layer.lt(points.key.map(top))
    rows = data.compared
    rows = rows[rows.label.isin(labels) & rows.cell.isin(_cells(data))]
    joined = points[hidden].merge(rows[["key", "label", "cell"]], on="key")
    return joined[joined.samples.gt(0) & np.isfinite(joined.value.astype(float))].sort_values(["key", "samples", "layer"])


def _cells(data: Tidy) -> list[str]:
    """The cells of tasks whose ladder is depth."""
    return [cell.name for cell in data.cells if cell.task in data.ladders and data.ladders[cell.task].axis == AXIS]


def _chosen(data: Tidy, there: set[str], lines: int) -> tuple[list[Cell], str]:
    """The cells to draw, whole tasks only, as many as the page has room for; and in words what was left out."""
    cells = [cell for cell in data.cells if cell.name in there]
    tasks = list(dict.fromkeys(cell.task for cell in cells))
    kept = list(tasks)
    while len(kept) > 1 and lines * sum(cell.task in kept for cell in cells) > LINES:
        kept.pop()
    about = f"Of {len(tasks)} tasks these are the first {len(kept)}." if len(kept) < len(tasks) else ""
    return [cell for cell in cells if cell.task in kept], about


def _degrees(highest: float, words: str) -> Axis:
    """From no angle to the widest there is, and to where directions have nothing in common in any case."""
    ticks = [tick for tick in (0, 45, 90, 135, 180) if tick <= max(highest, UNRELATED)]
    return Axis(0.0, max(highest, UNRELATED) + 5, log=False, ticks=tuple((float(t), f"{t}°") for t in ticks), words=words)


def _columns(rows: pd.DataFrame) -> Columns:
    return {name: rows[name].to_numpy() for name in ("key", "samples", "value")}


def _panel(
    kind: str, number: int, cell: Cell, parts: list[Part], rows: pd.DataFrame, axes: tuple[Axis, Axis], dull: frozenset[str]
) -> Drawing:
    """One task at one depth."""
    panel = Panel(*axes, SIZE, Room(left=44, bottom=30))
    panel.frame(zero=UNRELATED)
    band = len(set(rows.label)) <= FEW
    table: list[tuple[Value, ...]] = []
    for part in parts:
        mine = rows[rows.label.eq(part.label)]
        points = POINTS if part.lead else SKETCH
        middle = mine.groupby(["key", "samples"], as_index=False).value.mean()
        whole = mean_curve(_columns(middle), "samples", points, band=band)
        if whole is None:
            continue
        _draw(panel, part, whole)
        for layer, each in mine.groupby("layer"):
            curve = mean_curve(_columns(each), "samples", points, band=True)
            table += _rows(part.label, int(str(layer)), curve) if curve is not None else []
    name = marked(cell.task, cell.name, dull)
    columns = "learner", "layer", "samples", "degrees", "low", "high", "n"
    return Drawing(f"{kind}{number}", name, panel.svg(f"{name}: {TITLES[kind]}"), columns, table)


def _draw(panel: Panel, part: Part, curve: Curve) -> None:
    """A line with its band, if it has more than a point, and the label's mark at its end: colours repeat."""
    if curve.low is not None and curve.high is not None:
        panel.band(part, curve.x, curve.low, curve.high)
    if len(curve.x) > 1:
        panel.line(part, curve.x, curve.mean)
    if part.lead or len(curve.x) == 1:
        panel.marks(part, panel.at(curve.x[-1], curve.mean[-1]), 4.5)


def _rows(label: str, layer: int, curve: Curve) -> list[tuple[Value, ...]]:
    """One layer's line of the figure as lines of its table."""
    blank: tuple[None, ...] = (None,) * len(curve.x)
    low, high = ([*map(float, ends)] if ends is not None else blank for ends in (curve.low, curve.high))
    points = zip(map(float, curve.x), map(float, curve.mean), low, high, strict=True)
    return [(label, layer, *point, curve.n) for point in points]
