"""The figures: every trial, ladders, learning curves, and score against cost.

Each takes the tidy frame and the looks of the labels, and gives inline SVG. None of them keeps any state: there is no
pyplot here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from reports.looks import GRID, INK, QUIET, Look
from reports.svg import inline, panels
from reports.words import short

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from reports.board import Board
    from reports.data import Cell, Tidy

Looks = dict[str, Look]
LOWEST, HIGHEST = -0.12, 1.06
"""Ends of the axis of chance-corrected scores; what lies beyond is drawn at the end."""
LETTER = 0.0125
"""Width of a letter as a share of the axes of costs."""
FEW = 6
"""Trials in a cell beyond which dots are drawn smaller."""
POINTS = 24
"""Points of a learning curve."""
COLUMNS = 4
"""Panels in a row of the drawing that they are cut from."""
STYLE = {
    "text.color": INK, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK, "axes.edgecolor": QUIET,
    "grid.color": GRID, "grid.linewidth": 0.6, "figure.facecolor": "none", "axes.facecolor": "none", "font.family": "sans-serif",
    "font.size": 9, "axes.labelsize": 9, "xtick.labelsize": 8.5, "ytick.labelsize": 8.5, "xtick.major.size": 3,
    "ytick.major.size": 0, "xtick.minor.size": 0, "text.parse_math": False, "axes.formatter.use_mathtext": False,
    "axes.spines.top": False, "axes.spines.right": False, "axes.spines.left": False, "path.simplify": False,
}  # fmt: skip


def style() -> Any:
    """A context in which figures are drawn alike."""
    import matplotlib as mpl
    import seaborn as sns

    return mpl.rc_context(sns.axes_style("whitegrid") | STYLE)


def every_trial(data: Tidy, board: Board, looks: Looks) -> str:
    """One row of dots a label, best first; one column a cell; each dot a trial, the bar its median."""
    order = [s.label for s in board.standings]
    rows = data.compared[data.compared.label.isin(order)]
    place = {cell.name: i for i, cell in enumerate(data.cells)}
    figure = _figure(11.4, 1.25 + 0.56 * len(order))
    axes = figure.subplots()
    for y, label in enumerate(order):
        part, look = rows[rows.label.eq(label)], looks[label]
        count = part.groupby("cell").value.transform("size").to_numpy()
        nth = part.groupby("cell").value.rank(method="first").to_numpy()
        x = part.cell.map(place).to_numpy(dtype=float) + 0.72 * (nth - (count + 1) / 2) / count.clip(4)
        lost, height = part.lost.to_numpy(dtype=bool), _row(part.value, y)
        dots = _dots(axes, x[~lost], height[~lost], look.colour, 3.2 if count.max() <= FEW else 2.0)
        medians = part.groupby("cell").value.median()
        at = medians.index.map(place).to_numpy(dtype=float)
        bars = axes.plot(np.stack([at - 0.4, at + 0.4]), np.stack([_row(medians, y)] * 2), color=look.colour, lw=1.2, alpha=0.6)
        _mark(look, dots, *bars)
        axes.plot(x[lost], height[lost], "x", color=INK, ms=3.2, mew=0.9)
    _trial_axes(axes, data.cells, order)
    figure.set_layout_engine("constrained", w_pad=0, h_pad=0)
    return inline(figure, "trials", "Every trial as a dot, by learner and cell; the table of all results holds the numbers")


def ladders(data: Tidy, looks: Looks) -> list[tuple[str, str]]:
    """For each task with rungs, the median score of each label against the rung: (task, SVG)."""
    tasks: dict[str, list[Cell]] = {}
    for cell in data.cells:
        if cell.rung is not None:
            tasks.setdefault(cell.task, []).append(cell)
    tasks = {task: cells for task, cells in tasks.items() if len(cells) > 1}
    if not tasks:
        return []
    medians = data.compared.groupby(["label", "cell"]).value.median()
    figure, grid = _grid(len(tasks), 4.0, 2.7)
    for cells, axes in zip(tasks.values(), grid, strict=True):
        rungs = [cell.rung or 0.0 for cell in cells]
        if min(rungs) > 0 and max(rungs) / min(rungs) >= 8:
            _logarithmic(axes)
        for label, look in looks.items():
            found = [
                (rung, medians[label, c.name]) for rung, c in zip(rungs, cells, strict=True) if (label, c.name) in medians.index
            ]
            if found:
                x, y = zip(*found, strict=True)
                _mark(look, _line(axes, x, y, look, marker=look.marker)[0])
        axes.set_xticks(rungs, [f"{rung:g}" for rung in rungs])
        axes.minorticks_off()
        _frame(axes)
    titles = [f"{task} by {cells[0].axis or 'rung'}" for task, cells in tasks.items()]
    return list(zip(titles, panels(figure, "ladder", titles, _columns(len(tasks))), strict=True))


def curves(data: Tidy, points: pd.DataFrame, looks: Looks) -> list[tuple[str, str]]:
    """For each cell, mean score over seeds against samples seen: (cell, SVG).

    A split that was looked at once is a marker, others are lines; where both are lines, that of the test data is strong.
    """
    rows = data.compared[data.compared.label.isin(list(looks))]
    known = rows.assign(span=rows.ceiling - rows.chance)[["key", "label", "cell", "chance", "span"]]
    joined = points[["key", "samples", "score", "split"]].merge(known, on="key")
    joined = joined[joined.score.notna() & joined.span.notna() & (joined.samples > 0)]
    if joined.empty:
        return []
    joined["value"] = (joined.score.astype(float) - joined.chance.astype(float)) / joined.span.astype(float)
    joined["samples"] = joined.samples.astype(float)
    joined = joined.sort_values(["cell", "label", "split", "key", "samples"])
    shown = [cell.name for cell in data.cells if cell.name in set(joined.cell)]
    place = {name: i for i, name in enumerate(shown)}
    strong = "test" if joined[joined.split.eq("test")].key.duplicated().any() else "valid"
    figure, grid = _grid(len(shown), 3.0, 2.0)
    for (cell, label, split), part in joined.groupby(["cell", "label", "split"], sort=False):
        axes, look = grid[place[cell]], looks[label]
        if not part.key.duplicated().any():
            spot = axes.plot(part.samples.mean(), _inside([part.value.mean()]), look.marker, color=look.colour, ms=4.5, mew=0)
            _mark(look, *spot)
        else:
            faint = {"alpha": 0.4, "lw": 0.9} if split != strong else {}
            _mark(look, *_line(axes, *_mean_curve(part), look, **faint))
    for axes in grid:
        _logarithmic(axes)
        _frame(axes)
    return list(
        zip(
            shown,
            panels(figure, "curve", [f"{name}: score against samples" for name in shown], _columns(len(shown))),
            strict=True,
        )
    )


def costs(data: Tidy, board: Board, looks: Looks) -> list[tuple[str, str]]:
    """Overall score against what training costs: (axis in words, SVG). An axis for which nothing was counted is left out."""
    rows = data.compared
    counted = rows.mac_train.astype(float).fillna(0) + rows.ac_train.astype(float).fillna(0)
    measures = {
        "seconds of training a trial, median": rows.train_s.astype(float),
        "operations of training a trial (MAC + AC), median": counted.where(rows.mac_train.notna() | rows.ac_train.notna()),
    }
    found = {}
    for words, measure in measures.items():
        medians = measure.groupby(rows.label).median()
        spots = [(medians[s.label], s) for s in board.ranked if medians.get(s.label, 0) > 0]
        if spots:
            found[words] = spots
    if not found:
        return []
    drawn = []
    for i, (words, spots) in enumerate(found.items()):
        figure = _figure(6.2, 4.2)
        axes = figure.subplots()
        for x, standing in spots:
            look = looks[standing.label]
            if standing.interval is not None:
                _mark(look, axes.plot([x, x], _inside(standing.interval), color=look.colour, lw=1.4, alpha=0.6)[0])
            _mark(look, axes.plot(x, _inside([standing.score]), look.marker, color=look.colour, ms=6, mew=0)[0])
        axes.set_xscale("log")
        axes.set_xlim(min(x for x, _ in spots) / 1.5, max(x for x, _ in spots) * 1.5)
        _logarithmic(axes)
        _frame(axes)
        axes.set_xlabel(words)
        axes.set_ylabel("score")
        _name(axes, spots)
        figure.set_layout_engine("constrained")
        drawn.append((words, inline(figure, f"cost{i}", f"Score against {words}")))
    return drawn


def _mark(look: Look, *artists: Any) -> None:
    """Give artists the id by which the page finds all that belongs to one label."""
    for artist in artists:
        artist.set_gid(f"series-{look.number}")


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height))


def _columns(n: int) -> int:
    return min(COLUMNS, n)


def _grid(n: int, width: float, height: float) -> tuple[Figure, list[Axes]]:
    """A figure of n panels of one size in inches, in rows of COLUMNS."""
    columns = _columns(n)
    rows = -(-n // columns)
    figure = _figure(columns * width, rows * height)
    grid = list(figure.subplots(rows, columns, squeeze=False).flat)
    figure.subplots_adjust(0, 0, 1, 1, 0, 0)
    for i, axes in enumerate(grid):
        row, column = divmod(i, columns)
        left, bottom = column / columns, 1 - (row + 1) / rows
        axes.set_position(
            (left + 0.36 / width / columns, bottom + 0.3 / height / rows, (1 - 0.46 / width) / columns, (1 - 0.4 / height) / rows)
        )
        axes.set_gid(f"panel-{i}")
        axes.set_visible(i < n)
    return figure, grid[:n]


def _line(axes: Axes, x: Any, y: Any, look: Look, **more: Any) -> list[Any]:
    given: dict[str, Any] = {"lw": 1.5, "ls": look.dash, "ms": 4.5, "mew": 0, "clip_on": False} | more
    return axes.plot(x, _inside(y), color=look.colour, **given)


def _frame(axes: Axes) -> None:
    """The axis that all panels share: 0 is chance, 1 the ceiling."""
    axes.set_ylim(LOWEST, HIGHEST)
    axes.set_yticks([0, 0.5, 1], ["0", ".5", "1"])
    axes.axhline(0, color=QUIET, lw=1, zorder=1)
    axes.grid(visible=False, axis="x")


def _logarithmic(axes: Axes) -> None:
    """A logarithmic axis whose numbers are written out: 10k, not a power in a notation of its own."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

    axes.set_xscale("log")
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    low, high = axes.get_xlim()
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 60 * low else (1,), numticks=7))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: short(x)))


def _inside(values: Any) -> Any:
    return np.clip(np.asarray(values, dtype=float), LOWEST, HIGHEST)


def _dots(axes: Axes, x: Any, y: Any, colour: str, width: float) -> Any:
    """Dots as one path of points with round ends: ten thousand of them stay small, sharp and coloured by the theme."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    points = np.repeat(np.column_stack([x, y]), 2, axis=0)
    path = Path(points, np.tile([Path.MOVETO, Path.LINETO], len(x)))
    return axes.add_patch(PathPatch(path, fill=False, color=colour, lw=width, alpha=0.8, capstyle="round"))


def _row(values: pd.Series, y: int) -> Any:
    """Scores as heights within the row of a label: the ceiling is up, chance at the row's line."""
    return y + 0.36 - 0.72 * np.clip(values.to_numpy(dtype=float), -0.12, 1.05)


def _trial_axes(axes: Axes, cells: tuple[Cell, ...], order: list[str]) -> None:
    axes.set_xlim(-0.7, len(cells) - 0.3)
    axes.set_ylim(len(order) - 0.42, -0.56)
    axes.set_yticks(range(len(order)), [_short(label) for label in order])
    axes.set_xticks(range(len(cells)), [_short(cell.name) for cell in cells], rotation=50, ha="left", rotation_mode="anchor")
    axes.xaxis.tick_top()
    axes.tick_params(length=0, labelsize=9)
    axes.spines[["bottom", "top"]].set_visible(False)
    axes.grid(visible=False)
    axes.hlines([y + 0.36 for y in range(len(order))], -0.6, len(cells) - 0.4, color=GRID, lw=0.7, zorder=0)
    edges = [i - 0.5 for i in range(1, len(cells)) if cells[i].suite != cells[i - 1].suite]
    axes.vlines(edges, -0.5, len(order) - 0.5, color=GRID, lw=1.2, zorder=0)


def _short(name: str) -> str:
    """A name that fits an axis."""
    return name if len(name) <= 30 else name[:28] + "…"


def _mean_curve(part: pd.DataFrame) -> tuple[Any, Any]:
    """Mean over seeds at up to POINTS of their samples; a seed that stopped early keeps its last value."""
    keys, samples, values = (part[name].to_numpy() for name in ("key", "samples", "value"))
    cuts = np.flatnonzero(keys[1:] != keys[:-1]) + 1
    grid = np.unique(samples)
    if len(grid) > POINTS:
        grid = np.geomspace(grid[0], grid[-1], POINTS)
    lines = [np.interp(grid, x, y) for x, y in zip(np.split(samples, cuts), np.split(values, cuts), strict=True)]
    return grid, np.mean(lines, axis=0)


def _name(axes: Axes, spots: list[tuple[float, Any]]) -> None:
    """Write each name beside its marker, on the side where it hides least."""
    low, high = np.log10(axes.get_xlim())
    marks = [
        ((np.log10(x) - low) / (high - low), (_inside(s.score) - LOWEST) / (HIGHEST - LOWEST), _short(s.label)) for x, s in spots
    ]
    taken = [(x - 0.01, y - 0.015, x + 0.01, y + 0.015) for x, y, _ in marks]
    for x, y, name in sorted(marks, key=lambda mark: (-mark[1], mark[2])):
        width = LETTER * len(name)
        places = [(x + dx, y + dy) for dy in (0.0, 0.035, -0.035, 0.07, -0.07) for dx in (0.016, -width - 0.016)]
        boxes = [(left, middle - 0.017, left + width, middle + 0.017) for left, middle in places]
        best = min(boxes, key=lambda box: sum(_overlap(box, other) for other in taken) + 10 * (box[0] < 0 or box[2] > 1.02))
        taken.append(best)
        axes.text(best[0], (best[1] + best[3]) / 2, name, transform=axes.transAxes, va="center", fontsize=8.5)


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    """Whether two boxes (left, bottom, right, top) touch."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
