"""Learning curves: score against samples, counted operations and seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from reports.draw import Panel, Room, cast, marked
from reports.drawing import Drawing
from reports.scales import SCORE, spread

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from reports.board import Board
    from reports.data import Cell, Tidy
    from reports.draw import Part
    from reports.drawing import Value
    from reports.looks import Looks

Columns = dict[str, "NDArray[Any]"]
"""Points of one label, cell and split, in the order of samples: key, value and what stands on the axes."""
AXES = {"samples": "samples seen", "operations": "operations (MAC + AC)", "seconds": "seconds of training"}
POINTS, SKETCH = 12, 6
"""Points of a line in colour where there are few, and of a thin one in a crowd."""
LINES = 720
"""Lines that the panels of one axis may hold; of more cells, those are drawn in which the labels lie furthest apart."""
FEW = 4
"""Labels up to which each line has its band."""
SIZE = 216.0, 150.0


class Curve(NamedTuple):
    """Mean over seeds of one label on one cell; `low` and `high` are None where no band is drawn."""

    x: NDArray[np.float64]
    mean: NDArray[np.float64]
    low: NDArray[np.float64] | None
    high: NDArray[np.float64] | None
    n: int


def curves(
    data: Tidy, points: pd.DataFrame, board: Board, looks: Looks, dull: frozenset[str] = frozenset()
) -> dict[str, list[Drawing]]:
    """Panels by what stands on their x axis, one a cell; an axis that was not recorded is left out.

    Lines are the split that was looked at along the way (test data if they were), marks the one looked at once.
    """
    parts = cast(board, looks)
    cells = _chosen(data, parts)
    joined = _joined(data, points, [cell.name for cell in cells], list(looks))
    if joined.empty:
        return {}
    looked = joined[joined.split.eq("test")].groupby("key").size()
    strong = "test" if len(looked) and looked.max() > 1 else "valid"
    about = ""
    if len(cells) < len(data.cells):
        about = f"Of {len(data.cells)} cells, these are the {len(cells)} in which the learners lie furthest apart."
    groups = {key: _columns(rows) for key, rows in joined.groupby(["cell", "label", "split"], sort=False)}
    found = {}
    for axis in AXES:
        panels = [_panel(axis, i, cell, parts, groups, strong, dull) for i, cell in enumerate(cells)]
        drawn = [one for one in panels if one is not None]
        if drawn:
            found[axis] = [drawn[0]._replace(about=about), *drawn[1:]]
    return found


def _chosen(data: Tidy, parts: list[Part]) -> list[Cell]:
    """All cells, or those with the widest spread of medians between labels."""
    most = max(6, LINES // max(len(parts), 1))
    if len(data.cells) <= most:
        return list(data.cells)
    medians = data.compared.groupby(["cell", "label"]).value.median().groupby("cell")
    width = medians.max() - medians.min()
    widest = sorted(data.cells, key=lambda cell: -float(width.get(cell.name, 0.0)))[:most]
    return [cell for cell in data.cells if cell in widest]


def _joined(data: Tidy, points: pd.DataFrame, cells: list[str], labels: list[str]) -> pd.DataFrame:
    """Points of the learning curves with label, cell and chance-corrected value, in the order of samples."""
    rows = data.compared
    rows = rows[rows.label.isin(labels) & rows.cell.isin(cells)]
    chance, ceiling = rows.chance.astype(float), rows.ceiling.astype(float)
    known = rows[["key", "label", "cell"]].assign(chance=chance, span=ceiling - chance)
    joined = points.merge(known, on="key")
    joined = joined[joined.score.notna() & joined.span.notna() & (joined.samples > 0)]
    joined = joined.assign(**{axis: joined[axis].astype(float) for axis in AXES})
    joined["value"] = (joined.score.astype(float) - joined.chance) / joined.span
    return joined.sort_values(["cell", "label", "split", "key", "samples"])


def _columns(rows: pd.DataFrame) -> Columns:
    return {name: rows[name].to_numpy() for name in ("key", "value", *AXES)}


def _panel(
    axis: str, number: int, cell: Cell, parts: list[Part], groups: dict[tuple[str, ...], Columns], strong: str,
    dull: frozenset[str],
) -> Drawing | None:  # fmt: skip
    """One cell on one axis."""
    few = len(parts) <= FEW
    found: list[tuple[Part, str, Curve]] = []
    for part in parts:
        for split in ("valid", "test"):
            rows = groups.get((cell.name, part.label, split))
            if rows is not None and (part.lead or split == strong):
                curve = mean_curve(rows, axis, POINTS if part.lead else SKETCH, band=few)
                if curve is not None and (split == strong or len(curve.x) == 1):
                    found.append((part, split, curve))
    if not found:
        return None
    every = np.concatenate([curve.x for _, _, curve in found])
    x = spread([float(every.min()), float(every.max())], log=True, words=AXES[axis])
    panel = Panel(x, SCORE, SIZE, Room(left=20, bottom=30))
    panel.frame()
    table = []
    for part, split, curve in found:
        _draw(panel, part, curve)
        table += _rows(part, split, curve, band=few)
    name = marked(cell.task, cell.name, dull)
    columns = ("learner", "data", axis, "score", *(("low", "high") if few else ()), "n")
    title = f"{name}: score against {axis}"
    return Drawing(f"{axis}{number}", name, panel.svg(title), columns, table)


def _draw(panel: Panel, part: Part, curve: Curve) -> None:
    """A line, or a mark where there is one point."""
    if len(curve.x) == 1:
        panel.marks(part, panel.at(curve.x, curve.mean), 4.5)
        return
    if curve.low is not None and curve.high is not None:
        panel.band(part, curve.x, curve.low, curve.high)
    panel.line(part, curve.x, curve.mean)


def _rows(part: Part, split: str, curve: Curve, *, band: bool) -> list[tuple[Value, ...]]:
    """The lines of the table: a point each, with the ends of its band where bands are drawn."""
    data = "validation" if split == "valid" else split
    blank = [None] * len(curve.x)
    low, high = (blank if ends is None else ends.tolist() for ends in (curve.low, curve.high))
    return [
        (part.label, data, x, mean, *(ends if band else ()), curve.n)
        for x, mean, *ends in zip(curve.x.tolist(), curve.mean.tolist(), low, high, strict=True)
    ]


def mean_curve(rows: Columns, axis: str, points: int, *, band: bool) -> Curve | None:
    """Mean over seeds at equal x, from where all have begun; a seed that stopped early keeps its last value.

    `band` asks for the 95 % interval of the mean, which needs two seeds.
    """
    there = (rows[axis] > 0) & np.isfinite(rows[axis])
    if not there.any():
        return None
    keys, x, y = (rows[name][there] for name in ("key", axis, "value"))
    cuts = np.flatnonzero(keys[1:] != keys[:-1]) + 1
    xs, ys = np.split(x, cuts), np.split(y, cuts)
    if max(map(len, xs)) == 1:
        grid, lines = np.array([np.median(x)]), np.array(ys)
    else:
        begin = max(one[0] for one in xs)
        grid = np.unique(x[x >= begin])
        if len(grid) > points:
            grid = np.geomspace(grid[0], grid[-1], points)
        lines = np.array([np.interp(grid, one, values) for one, values in zip(xs, ys, strict=True)])
    mean, n = lines.mean(axis=0), len(lines)
    if not band or n < 2:
        return Curve(grid, mean, None, None, n)
    from scipy.special import stdtrit

    half = float(stdtrit(n - 1, 0.975)) * lines.std(axis=0, ddof=1) / np.sqrt(n)
    return Curve(grid, mean, mean - half, mean + half, n)
