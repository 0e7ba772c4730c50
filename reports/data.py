"""What a report is made from, and the tidy frame that every part of it reads.

A *cell* is one task at one rung of its ladder. A *label* is a learner with the settings that were asked for. The value of
a trial is its chance-corrected score, (score - chance) / (ceiling - chance); a trial that failed or diverged has the
value 0, so that no learner is judged by the trials it survived.

An *arm* is one footing of comparison: all learners at their defaults, or all of them tuned with the same number of
settings. Arms are never mixed.
"""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.trial import COLUMNS, COLUMNS_OF_PLACE, FAILED, SCHEMA, label
from reports.footing import STANDARD, Arm, arm_of, footing, one_winner

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

LOST = FAILED | {"diverged"}
"""Outcomes that count as chance."""
FAMILIES = "biological", "engineered", "control"


class ReportError(ValueError):
    """A report cannot be made; the message says what to do."""


def _nothing_said() -> pd.DataFrame:
    """No learner said anything of itself."""
    import pandas as pd

    return pd.DataFrame(columns=["key", "samples", "name", "value"])


@dataclasses.dataclass(frozen=True, kw_only=True)
class ReportData:
    """All that goes into a report.

    rows         the export columns of `harness.trial`, the last attempt of each key; `params` and `difficulty` are
                 dicts; `traceback` may be there; `fixed`: the params of a tuned trial that were asked for; `chance_valid`: the
                 chance level of the validation data
    curves       key, samples, operations, seconds, score, split
    observed     key, samples, name, value: what learners said of themselves along training
    claims       suite, id, text, source, published, status (held, broken, undecided), figure, interval, threshold, reason
    learners     as in `hebbench list --json`, and `biology`: how the rule is read, `equation`: its lines
    tasks        as in `hebbench list --json`: the order of rungs, easiest first, is taken from there
    checks       counts of contract checks by learner: run, passed, skipped, failed
    audits       the latest profile of plausibility by learner, as `hebbench audit --json` gives it
    environment  one dict for each place that trials ran in
    store        name of the store; of a path only the last part is shown
    """

    rows: pd.DataFrame
    curves: pd.DataFrame
    observed: pd.DataFrame = dataclasses.field(default_factory=_nothing_said)
    claims: Sequence[Mapping[str, Any]] = ()
    learners: Sequence[Mapping[str, Any]] = ()
    tasks: Sequence[Mapping[str, Any]] = ()
    checks: Mapping[str, Mapping[str, int]] = dataclasses.field(default_factory=dict)
    audits: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
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


class Ladder(NamedTuple):
    """The rungs of a task, easiest first. Rungs that are words are numbered, and `numeric` is False.

    Of a task that is not installed the order is not known (`declared` is False): its rungs are those there are, upwards.
    """

    axis: str
    rungs: tuple[float, ...]
    numeric: bool
    declared: bool = True


@dataclasses.dataclass(frozen=True)
class Tidy:
    """Trials with the columns that the report adds, and what they are trials of.

    rows        COLUMNS and label, cell, value, lost, arm, compared; ordered by label, cell and replicate
    cells       those that a label shown has a value on, in the order of suite, task and rung
    shared      those of them that two labels shown have values on: the ground of comparisons
    seen        those under the standard protocol, whatever came of them
    labels      those shown in figures: learners as they come and settings that took at least half of the cells
    families    the family of each label
    ladders     by task, where the task is known
    outdated    trials left out because the code has changed since
    arm, k      the footing of the comparison, and how many settings each learner was tuned with (0 at the defaults)
    note        why tuned trials that are there are not compared, or ""
    """

    rows: pd.DataFrame
    cells: tuple[Cell, ...]
    shared: tuple[Cell, ...]
    seen: tuple[Cell, ...]
    labels: tuple[str, ...]
    families: dict[str, str]
    ladders: dict[str, Ladder]
    outdated: int
    arm: Arm
    k: int
    note: str
    every: tuple[Cell, ...] = dataclasses.field(repr=False)

    @property
    def compared(self) -> pd.DataFrame:
        """Trials that enter the comparison."""
        return self.rows[self.rows.compared]

    def only(self, arm: Arm) -> Tidy:
        """The same trials, compared on another footing; the tuned one can be asked for only where it is the report's own."""
        if arm == self.arm:
            return self
        if arm == "tuned":
            raise ValueError(f"arm={arm!r}: there is no fair tuned comparison here; `note` says why")
        rows = self.rows.assign(compared=_enter(self.rows) & self.rows.arm.eq("default"))
        return _arranged(rows, self.every, arm=arm, k=0, note="", outdated=self.outdated, ladders=self.ladders)


def tidy(data: ReportData) -> Tidy:
    """Bring the rows into one order and add what the report needs.

    Raises ReportError where there are none, and where all are tuned, but not with the same number of settings.
    """
    if data.rows.empty:
        name = data.store or "the store"
        raise ReportError(f"{name} holds no trials: there is nothing to report. Run `hebbench run smoke` first.")
    missing = {"key", "outcome", "learner", "task", "replicate"} - set(data.rows.columns)
    if missing:
        raise ReportError(f"rows lack the columns {sorted(missing)}: give the export columns of harness.trial")
    wanted = [*COLUMNS, *COLUMNS_OF_PLACE, "traceback", "fixed", "chance_valid"]
    rows = data.rows.reindex(columns=wanted).astype(object)
    rows = rows.where(rows.notna(), None).sort_values(["key", "attempt"]).drop_duplicates("key", keep="last")
    rows = rows.reset_index(drop=True)
    for column in "params", "difficulty", "fixed":
        rows[column] = [_settings(x) for x in rows[column]]
    rows["protocol"] = [name or STANDARD for name in rows.protocol]
    rows["tuned"] = [bool(x) for x in rows.tuned]
    rows["tuning_trials"] = [int(x or 0) for x in rows.tuning_trials]
    rows["arm"] = [arm_of(row.protocol, tuned=row.tuned) for row in rows.itertuples()]
    default = {(str(c["name"]), h["name"]): h.get("default") for c in data.learners for h in c.get("hyperparameters", ())}
    rows["fixed"] = [
        {k: v for k, v in fixed.items() if (name, k) not in default or v != default[name, k]}
        for name, fixed in zip(rows.learner, rows.fixed, strict=True)
    ]
    asked = rows.fixed.where(rows.arm.isin(["tuned", "tuning"]), rows.params)
    rows["label"] = [label(name, params) for name, params in zip(rows.learner, asked, strict=True)]
    rows["suite"] = [suite or task.partition("/")[0] for suite, task in zip(rows.suite, rows.task, strict=True)]
    rows["family"] = [family if family in FAMILIES else "engineered" for family in rows.family]
    cells = _cells(rows)
    rows["cell"] = [cells[_place(row)].name for row in rows.itertuples()]
    rows, outdated = _current(rows)
    order = {cell.name: i for i, cell in enumerate(cells.values())}
    rows = rows.assign(_at=rows.cell.map(order)).sort_values(["label", "_at", "protocol", "replicate", "key"])
    rows = _valued(rows.drop(columns="_at").reset_index(drop=True))
    at_default = _labels(rows.assign(compared=_enter(rows) & rows.arm.eq("default")))
    arm, k, note, idle = footing(rows, at_default, data.learners)
    if note and not at_default:
        raise ReportError(f"{note} Tune all of them with the same number: `hebbench run --tune 16`.")
    chosen = rows.arm.eq(arm) & (rows.tuning_trials.eq(k) | rows.arm.eq("default"))
    rows["compared"] = _enter(rows) & (chosen | (rows.arm.eq("default") & rows.label.isin(idle)))
    return _arranged(
        rows, tuple(cells.values()), arm=arm, k=k, note=note, outdated=outdated, ladders=_ladders(data, [*cells.values()])
    )


def _arranged(rows: pd.DataFrame, every: tuple[Cell, ...], **footing: Any) -> Tidy:
    """Work out which cells and labels a footing has."""
    twice = rows[rows.compared].duplicated(["label", "cell", "replicate"], keep="last")
    rows = rows.assign(compared=rows.compared & ~rows.index.isin(twice.index[twice]))
    labels = _labels(rows)
    shown = rows[rows.compared & rows.label.isin(labels)]
    takers = shown.groupby("cell").label.nunique()
    several = takers.index[takers >= min(2, len(labels))]
    taken, shared, seen = (
        tuple(cell for cell in every if cell.name in names)
        for names in (set(takers.index), set(several), set(rows[rows.protocol.eq(STANDARD)].cell))
    )
    families = dict(zip(rows.label, rows.family, strict=True))
    return Tidy(rows, taken, shared, seen, labels, families, every=every, **footing)


def _ladders(data: ReportData, cells: Sequence[Cell]) -> dict[str, Ladder]:
    """The ladder of each task: as the task declares it, else the rungs there are, upwards."""
    found = {}
    declared = {str(task["name"]): task["ladder"] for task in data.tasks if task.get("ladder")}
    for task in dict.fromkeys(cell.task for cell in cells if cell.rung is not None):
        mine = [cell for cell in cells if cell.task == task and cell.rung is not None]
        values = declared.get(task, {}).get("values", sorted({cell.rung for cell in mine if cell.rung is not None}))
        numeric = all(isinstance(value, int | float) for value in values)
        rungs = tuple(float(value) if numeric else float(i) for i, value in enumerate(values))
        found[task] = Ladder(declared.get(task, {}).get("axis", mine[0].axis), rungs, numeric, task in declared)
    return found


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
    """The rows made by the newest code of each label, cell, protocol and arm, and how many others there were."""
    stamp = rows.finished_at.map(lambda x: str(x or ""))
    newest = rows.assign(_stamp=stamp).sort_values(["_stamp", "key"]).groupby(["label", "cell", "protocol", "tuning_trials"])
    digest = newest.code_digest.transform("last")
    keep = rows.code_digest.eq(digest.reindex(rows.index)) | digest.reindex(rows.index).isna()
    return one_winner(rows[keep]), int((~keep).sum())


def _valued(rows: pd.DataFrame) -> pd.DataFrame:
    """Add value and lost."""
    rows["lost"] = rows.outcome.isin(LOST)
    rows["value"] = rows.score_normalised.where(rows.outcome.eq("ok"), None).astype(float)
    rows.loc[rows.lost, "value"] = 0.0
    return rows


def _enter(rows: pd.DataFrame) -> pd.Series:
    """Which trials can be compared at all: those of the standard protocol with a value, in cells whose chance is known."""
    scored = set(rows[rows.value.notna() & ~rows.lost].cell)
    unscored = set(rows[rows.outcome.eq("ok") & rows.value.isna()].cell) - scored
    return rows.protocol.eq(STANDARD) & rows.value.notna() & ~rows.cell.isin(unscored)


def _labels(rows: pd.DataFrame) -> tuple[str, ...]:
    """The labels that figures show, by family and name."""
    compared = rows[rows.compared]
    taken = compared.groupby("label").cell.nunique()
    plain = {row.label for row in compared.itertuples() if row.label == row.learner}
    shown = [name for name in taken.index if name in plain or 2 * taken[name] >= compared.cell.nunique()]
    family = dict(zip(rows.label, rows.family, strict=True))
    return tuple(sorted(shown, key=lambda name: (FAMILIES.index(family[name]), name)))
