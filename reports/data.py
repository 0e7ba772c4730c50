"""What a report is made from, and the tidy frame that every part of it reads.

A *cell* is one task at one rung of its ladder. A *label* is a learner with the settings that were changed. The value of
a trial is its chance-corrected score, (score - chance) / (ceiling - chance); a trial that failed or diverged has the
value 0, so that no learner is judged by the trials it survived.
"""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

from harness.trial import COLUMNS, COLUMNS_OF_PLACE, FAILED, SCHEMA, label

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

LOST = FAILED | {"diverged"}
"""Outcomes that count as chance."""
FAMILIES = "biological", "engineered", "control"
STANDARD = "standard"


class ReportError(ValueError):
    """A report cannot be made; the message says what to do."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ReportData:
    """All that goes into a report.

    rows         the export columns of `harness.trial`, the last attempt of each key; `params` and `difficulty` are
                 dicts; `traceback` may be there
    curves       key, samples, operations, seconds, score, split
    claims       suite, id, text, source, published, status (held, broken, undecided), figure, interval, threshold, reason
    learners     as in `hebbench list --json`, and `biology`: how the rule is read biologically
    environment  one dict for each place that trials ran in
    store        name of the store; of a path only the last part is shown
    """

    rows: pd.DataFrame
    curves: pd.DataFrame
    claims: Sequence[Mapping[str, Any]] = ()
    learners: Sequence[Mapping[str, Any]] = ()
    environment: Sequence[Mapping[str, Any]] = ()
    store: str = ""
    schema: int = SCHEMA


@dataclasses.dataclass(frozen=True)
class Cell:
    """One task at one rung: `name` is unique, `short` is what stands below the suite's name, `axis` names the ladder."""

    name: str
    suite: str
    task: str
    short: str
    rung: float | None
    axis: str
    metric: str


@dataclasses.dataclass(frozen=True)
class Tidy:
    """Trials with the columns that the report adds, and what they are trials of.

    rows        COLUMNS and label, cell, value, lost, compared; ordered by label, cell and replicate
    cells       those that a label shown has a value on, in the order of suite, task and rung
    shared      those of them that two labels shown have values on: the ground of comparisons
    seen        those under the standard protocol, whatever came of them
    labels      those shown in figures: learners as they come and settings that took at least half of the cells
    outdated    trials left out because the code has changed since
    """

    rows: pd.DataFrame
    cells: tuple[Cell, ...]
    shared: tuple[Cell, ...]
    seen: tuple[Cell, ...]
    labels: tuple[str, ...]
    families: dict[str, str]
    outdated: int

    @property
    def compared(self) -> pd.DataFrame:
        """Trials that enter the comparison."""
        return self.rows[self.rows.compared]


def tidy(data: ReportData) -> Tidy:
    """Bring the rows into one order and add what the report needs; ReportError where there are none."""
    if data.rows.empty:
        name = data.store or "the store"
        raise ReportError(f"{name} holds no trials: there is nothing to report. Run `hebbench run smoke` first.")
    missing = {"key", "outcome", "learner", "task", "replicate"} - set(data.rows.columns)
    if missing:
        raise ReportError(f"rows lack the columns {sorted(missing)}: give the export columns of harness.trial")
    wanted = [*COLUMNS, *COLUMNS_OF_PLACE, "traceback"]
    rows = data.rows.reindex(columns=wanted).astype(object)
    rows = rows.where(rows.notna(), None).sort_values(["key", "attempt"]).drop_duplicates("key", keep="last")
    rows = rows.reset_index(drop=True)
    rows["params"] = [_settings(x) for x in rows.params]
    rows["difficulty"] = [_settings(x) for x in rows.difficulty]
    rows["label"] = [label(name, params) for name, params in zip(rows.learner, rows.params, strict=True)]
    rows["suite"] = [suite or task.partition("/")[0] for suite, task in zip(rows.suite, rows.task, strict=True)]
    rows["family"] = [family if family in FAMILIES else "engineered" for family in rows.family]
    cells = _cells(rows)
    rows["cell"] = [cells[_place(row)].name for row in rows.itertuples()]
    rows["protocol"] = [name or STANDARD for name in rows.protocol]
    rows, outdated = _current(rows)
    order = {cell.name: i for i, cell in enumerate(cells.values())}
    rows = rows.assign(_at=rows.cell.map(order)).sort_values(["label", "_at", "protocol", "replicate", "key"])
    rows = _valued(rows.drop(columns="_at").reset_index(drop=True))
    labels = _labels(rows)
    shown = rows[rows.compared & rows.label.isin(labels)]
    takers = shown.groupby("cell").label.nunique()
    several = takers.index[takers >= min(2, len(labels))]
    taken, shared, seen = (
        tuple(cell for cell in cells.values() if cell.name in names)
        for names in (set(takers.index), set(several), set(rows[rows.protocol.eq(STANDARD)].cell))
    )
    families = dict(zip(rows.label, rows.family, strict=True))
    return Tidy(rows, taken, shared, seen, labels, families, outdated)


def _settings(given: Any) -> dict[str, Any]:
    """Settings as a dict, whether they come as one, as JSON, or not at all."""
    if isinstance(given, str):
        given = json.loads(given)
    return dict(given or {})


def _place(row: Any) -> tuple[Any, ...]:
    return row.suite, row.task, row.task_version, json.dumps(row.difficulty, sort_keys=True, default=str)


def _cells(rows: pd.DataFrame) -> dict[tuple[Any, ...], Cell]:
    """The cells by place, in the order of suite, task, version, rung and settings."""
    versions = rows.groupby("task").task_version.nunique()
    found = {_place(row): row for row in rows.itertuples()}
    order = sorted(found, key=lambda p: (p[0], p[1], p[2] or 0, found[p].rung is None, found[p].rung or 0, p[3]))
    cells = {}
    for place in order:
        row = found[place]
        rung = f"{row.rung:g}" if row.rung is not None and not row.difficulty else ""
        words = [f"{name}={value}" for name, value in sorted(row.difficulty.items())] or ([rung] if rung else [])
        if versions[row.task] > 1:
            words.append(f"version {row.task_version}")
        short = " ".join([row.task.partition("/")[2] or row.task, *words])
        axis = ", ".join(sorted(row.difficulty))
        cells[place] = Cell(" ".join([row.task, *words]), row.suite, row.task, short, row.rung, axis, row.metric or "score")
    return cells


def _current(rows: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """The rows made by the newest code of each label, cell and protocol, and how many others there were."""
    stamp = rows.finished_at.map(lambda x: str(x or ""))
    newest = rows.assign(_stamp=stamp).sort_values(["_stamp", "key"]).groupby(["label", "cell", "protocol"])
    digest = newest.code_digest.transform("last")
    keep = rows.code_digest.eq(digest.reindex(rows.index)) | digest.reindex(rows.index).isna()
    return rows[keep], int((~keep).sum())


def _valued(rows: pd.DataFrame) -> pd.DataFrame:
    """Add value, lost and compared."""
    rows["lost"] = rows.outcome.isin(LOST)
    rows["value"] = rows.score_normalised.where(rows.outcome.eq("ok"), None).astype(float)
    scored = set(rows[rows.value.notna()].cell)
    unscored = set(rows[rows.outcome.eq("ok") & rows.value.isna()].cell) - scored
    rows.loc[rows.lost, "value"] = 0.0
    rows["compared"] = rows.protocol.eq(STANDARD) & rows.value.notna() & ~rows.cell.isin(unscored)
    twice = rows[rows.compared].duplicated(["label", "cell", "replicate"], keep="last")
    rows.loc[twice.index[twice], "compared"] = False
    return rows


def _labels(rows: pd.DataFrame) -> tuple[str, ...]:
    """The labels that figures show, by family and name."""
    compared = rows[rows.compared]
    taken = compared.groupby("label").cell.nunique()
    plain = {row.label for row in compared.itertuples() if not row.params}
    shown = [name for name in taken.index if name in plain or 2 * taken[name] >= compared.cell.nunique()]
    family = dict(zip(rows.label, rows.family, strict=True))
    return tuple(sorted(shown, key=lambda name: (FAMILIES.index(family[name]), name)))
