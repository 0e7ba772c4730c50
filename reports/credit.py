"""One network, many rules: learner by depth by task, with score, alignment, cost, and the command behind each cell.

Alignment is told in degrees: 0 is the gradient's own direction, 90 is unrelated to it. That of a layer is the median over
seeds of the angle between raw change and gradient at the last look at training; that of a cell the mean over its hidden
layers. The last layer is left out there: it sees the error itself, and most rules differ in nothing else.
"""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from reports.tables import Row, results

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

    from reports.data import Cell, Tidy

AXIS = "depth"
"""The ladder whose tasks are shown: hidden layers of the network."""
ANGLE, FEEDBACK = "angle", "feedback"
RESIDUAL = "residual"
"""How far activities still had to go when settling ended."""
COLUMNS = "key", "samples", "name", "value"
NAME = re.compile(rf"({ANGLE}|{FEEDBACK})\[(\d+)\]\Z")


@dataclasses.dataclass(frozen=True)
class Alignment:
    """Angles of a label on a cell at the end of training, in degrees, medians over seeds.

    layers    of the raw change of each layer to the gradient's, from the signal up, the last one among them
    feedback  of feedback to the transposed forward weights that it stands for, by hidden layer
    n         seeds that were looked at

    None stands for a layer of which nothing is known: it does not learn, or has no feedback of that shape.
    """

    layers: tuple[float | None, ...]
    feedback: tuple[float | None, ...]
    n: int

    @property
    def hidden(self) -> float | None:
        """The mean over hidden layers; None where none of them is known."""
        return _mean(self.layers[:-1])

    @property
    def transposed(self) -> float | None:
        """The mean of feedback over hidden layers; None where there is none."""
        return _mean(self.feedback)


@dataclasses.dataclass(frozen=True)
class Place:
    """One cell of the table.

    row         score, its interval, seconds of training, failures and the command, as in the table of all results
    alignment   None where the learner said nothing of itself
    operations  of training a trial (MAC + AC), median; None where they were not counted
    other       the arm that is not compared, in words, and the median score there; None without one
    residual    what was left of settling at the last look at training, median over seeds; None where nothing settles
    """

    row: Row
    alignment: Alignment | None
    operations: float | None
    other: tuple[str, float] | None
    residual: float | None = None

    @property
    def words(self) -> str:
        """The whole cell in a sentence."""
        row = self.row
        if row.middle is None:
            return f"{row.label} on {row.cell}: no score"
        spread = (
            "one seed, no interval" if row.interval is None else f"{row.interval[0]:.3f} to {row.interval[1]:.3f} ({row.kind})"
        )
        said = f"{row.label} on {row.cell}: {row.middle:.3f}, {spread}"
        hidden = self.alignment and self.alignment.hidden
        said += f"; {hidden:.0f}° from the gradient" if hidden is not None else ""
        said += f"; {self.operations:.3g} operations" if self.operations is not None else ""
        said += f"; residual of settling {self.residual:.2g}" if self.residual is not None else ""
        said += f"; {self.other[1]:.3f} {self.other[0]}" if self.other else ""
        return said + (f"; {row.n_failed} failed" if row.n_failed else "")


@dataclasses.dataclass(frozen=True)
class Table:
    """One task: its depths, and for each label a place at each of them, or None where it has no trial that took the task.

    once   labels without a depth: what they have stands at one rung
    """

    task: str
    depths: tuple[float, ...]
    lines: dict[str, tuple[Place | None, ...]]
    once: frozenset[str]

    @property
    def residuals(self) -> tuple[str, ...]:
        """For each label that settles, what was left of it at each depth, in words."""
        return tuple(
            f"{label} {', '.join(told)}"
            for label, places in self.lines.items()
            if (told := [f"{place.residual:.2g} at {d:g}" for d, place in zip(self.depths, places, strict=True)
                         if place and place.residual is not None])
        )  # fmt: skip


def observed(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """What learners said of themselves, one figure a line (COLUMNS), from the rows of a store with their `extra`."""
    import pandas as pd

    said = [
        (row["key"], point["samples"], name, float(value))
        for row in rows
        for point in (row["extra"] or {}).get("observed", ())
        for name, value in point.items()
        if name != "samples" and value is not None
    ]
    return pd.DataFrame(said, columns=[*COLUMNS])


def angles(seen: pd.DataFrame) -> pd.DataFrame:
    """The lines that are angles, with their kind (`angle` or `feedback`) and layer."""
    parts = [NAME.match(name) for name in seen.name]
    kept = [part is not None for part in parts]
    known = [part for part in parts if part is not None]
    return seen[np.array(kept, dtype=bool)].assign(kind=[part[1] for part in known], layer=[int(part[2]) for part in known])


def tables(data: Tidy, seen: pd.DataFrame, modules: Mapping[str, str], order: Iterable[str] = ()) -> tuple[Table, ...]:
    """The table, task by task; empty where no task has a ladder of depths.

    seen      COLUMNS, as `observed` gives it
    modules   where learners from loose files are found, by name
    order     labels, best first; others follow
    """
    cells: dict[str, list[Cell]] = {}
    for cell in data.cells:
        ladder = data.ladders.get(cell.task)
        if ladder is not None and ladder.axis == AXIS and cell.rung is not None:
            cells.setdefault(cell.task, []).append(cell)
    rows = {(row.label, row.cell): row for row in results(data, modules) if row.compared}
    aligned, spent, other, left = alignments(data, seen), _operations(data), _other(data), _residuals(data, seen)
    labels = dict.fromkeys([*(label for label in order if label in data.labels), *data.labels])
    found = []
    for task, mine in cells.items():
        depths = tuple(rung for rung in data.ladders[task].rungs if any(cell.rung == rung for cell in mine))
        at = {cell.rung: cell.name for cell in mine}
        lines: dict[str, tuple[Place | None, ...]] = {}
        for label in labels:
            keys = [(label, at[depth]) for depth in depths]
            places = [
                Place(rows[k], aligned.get(k), spent.get(k), other.get(k), left.get(k)) if k in rows else None for k in keys
            ]
            if any(places):
                lines[label] = tuple(places)
        found.append(Table(task, depths, lines, _once(data, task, lines)))
    return tuple(found)


def alignments(data: Tidy, seen: pd.DataFrame) -> dict[tuple[str, str], Alignment]:
    """By label and cell, of the trials compared that came to an end."""
    joined = _last(data, angles(seen))
    found = {}
    for (label, cell), part in joined.groupby(["label", "cell"], sort=False):
        middles = part.groupby(["kind", "layer"]).value.median()
        layers, feedback = (_by_layer(middles, kind) for kind in (ANGLE, FEEDBACK))
        found[label, cell] = Alignment(layers, feedback, int(part.key.nunique()))
    return found


def _last(data: Tidy, seen: pd.DataFrame) -> pd.DataFrame:
    """What was said at the last look of trials compared that came to an end, with their label and cell."""
    last = seen.sort_values("samples", kind="stable").drop_duplicates(["key", "name"], keep="last")
    rows = data.compared
    return last.merge(rows[rows.outcome.eq("ok")][["key", "label", "cell"]], on="key")


def _residuals(data: Tidy, seen: pd.DataFrame) -> dict[tuple[str, str], float]:
    """By label and cell, the median of what was left of settling."""
    joined = _last(data, seen[seen.name.eq(RESIDUAL)])
    return {key: float(value) for key, value in joined.groupby(["label", "cell"]).value.median().items()}


def _by_layer(middles: pd.Series, kind: str) -> tuple[float | None, ...]:
    """The angles of one kind from the first layer up."""
    known = {layer: float(value) for (k, layer), value in middles.items() if k == kind}
    return tuple(known.get(layer) for layer in range(max(known, default=-1) + 1))


def _operations(data: Tidy) -> dict[tuple[str, str], float]:
    """Median operations of training a trial, where they were counted."""
    rows = data.compared
    counted = rows.assign(n=rows.mac_train.astype(float).fillna(0) + rows.ac_train.astype(float).fillna(0))
    counted = counted[rows.mac_train.notna() | rows.ac_train.notna()]
    return {key: float(n) for key, n in counted.groupby(["label", "cell"]).n.median().items()}


def _other(data: Tidy) -> dict[tuple[str, str], tuple[str, float]]:
    """By label and cell, the arm that is not compared and the median score in it."""
    arm, words = ("tuned", "tuned") if data.arm == "default" else ("default", "at the defaults")
    rows = data.rows[data.rows.arm.eq(arm)]
    return {key: (words, float(value)) for key, value in rows.groupby(["label", "cell"]).value.median().items()}


def _once(data: Tidy, task: str, lines: Mapping[str, Any]) -> frozenset[str]:
    """The labels that another rung of the task told that they run once."""
    told = data.rows[data.rows.task.eq(task) & data.rows.outcome.eq("not_applicable")]
    said = {label for label, reason in zip(told.label, told.reason, strict=True) if f"has no {AXIS}" in str(reason)}
    return frozenset(said & set(lines))


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
