"""The tables: what stands in each row and cell, ready for the template."""

from __future__ import annotations

import dataclasses
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.trial import FAILED, TUNING
from reports.command import command
from reports.data import LOST, Tidy
from reports.footing import STANDARD
from reports.looks import STEPS, Look
from reports.stats import FEWEST, Interval, iqm, median_interval, proportion_interval

if TYPE_CHECKING:
    import pandas as pd

    from reports.board import Board, Standing

MARKS = {
    "ok": "✓", "diverged": "D", "error": "E", "crashed": "X", "timeout": "T", "out_of_memory": "M", "interrupted": "I",
    "not_applicable": "–",
}  # fmt: skip
MEANINGS = {
    "ok": "ok", "diverged": "diverged", "error": "raised an error", "crashed": "crashed", "timeout": "ran out of time",
    "out_of_memory": "ran out of memory", "interrupted": "interrupted", "not_applicable": "not applicable", "missing": "not run",
}  # fmt: skip
WORST = "crashed", "error", "out_of_memory", "timeout", "diverged", "interrupted", "ok", "not_applicable"


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the table of all results: a label on a cell under a protocol.

    score, middle, trimmed   medians of score and of chance-corrected score, interquartile mean of the latter
    interval, kind           interval of the corrected median, and what it is: "95 %", "range", or "one seed"
    """

    label: str
    family: str
    cell: str
    task: str
    suite: str
    protocol: str
    arm: str
    metric: str
    score: float | None
    middle: float | None
    trimmed: float | None
    interval: Interval | None
    kind: str
    n: int
    n_failed: int
    outcome: str
    seconds: float | None
    command: str
    compared: bool

    @property
    def footing(self) -> str:
        """Protocol and arm in a word: `standard`, `tuned`, or the protocol of a claim."""
        return "tuned" if self.arm == "tuned" else self.protocol


def results(data: Tidy, modules: Mapping[str, str]) -> list[Row]:
    """Every label, cell, protocol and arm there is, without the search for settings."""
    groups: dict[tuple[str, ...], list[Any]] = {}
    for row in data.rows[data.rows.arm.ne(TUNING)].itertuples():
        groups.setdefault((row.label, row.cell, row.protocol, row.arm), []).append(row)
    return [_result(trials, modules) for trials in groups.values()]


def _result(trials: list[Any], modules: Mapping[str, str]) -> Row:
    """Median and interval over the trials of one cell, those that failed at chance."""
    first = trials[0]
    values = np.array([t.value for t in trials if not np.isnan(t.value)])
    chance = _median([t.chance for t in trials])
    outcomes = {t.outcome for t in trials}
    interval = median_interval(values) if len(values) else None
    kind = "" if not len(values) else "one seed" if len(values) == 1 else "range" if len(values) < FEWEST else "95 %"
    return Row(
        first.label, first.family, first.cell, first.task, first.suite, first.protocol, first.arm, first.metric or "",
        _median([chance if t.lost else t.score for t in trials]), _median(values), iqm(values) if len(values) else None,
        interval, kind, sum(t.outcome != "not_applicable" for t in trials), sum(t.lost for t in trials),
        next(o for o in WORST if o in outcomes), _median([t.train_s for t in trials]),
        command(first, [t.replicate for t in trials], modules), any(t.compared for t in trials),
    )  # fmt: skip


def _median(values: Iterable[float | None]) -> float | None:
    """Median of what there is; None where there is nothing."""
    known = [x for x in values if x is not None]
    return statistics.median(map(float, known)) if known else None


@dataclasses.dataclass(frozen=True)
class Square:
    """One square of a map: its text, its class for colour, and the sentence behind it, if there is more to say."""

    text: str
    shade: str
    words: str


def outcome_map(data: Tidy, order: list[str]) -> dict[str, list[Square]]:
    """What became of each label's trials on each cell, in a letter."""
    found: dict[tuple[str, str], list[Any]] = {}
    for trial in data.rows[data.rows.protocol.eq(STANDARD)].itertuples():
        found.setdefault((trial.label, trial.cell), []).append(trial)
    return {label: [_outcome(label, cell.name, found.get((label, cell.name), [])) for cell in data.seen] for label in order}


def _outcome(label: str, cell: str, trials: list[Any]) -> Square:
    if not trials:
        return Square("", "missing", f"{label} on {cell}: not run")
    counts = Counter(t.outcome for t in trials)
    if set(counts) == {"ok"}:
        return Square(MARKS["ok"], "ok", "")
    worst = next(o for o in WORST if o in counts)
    text = MARKS[worst] + (str(counts[worst]) if counts[worst] < len(trials) else "")
    words = ", ".join(f"{counts[o]} {MEANINGS[o]}" for o in WORST if o in counts)
    reason = next((t.reason for t in trials if t.outcome == worst and t.reason), "")
    kind = "failed" if worst in FAILED else worst.replace("_", "-")
    return Square(text, kind, f"{label} on {cell}: {words}" + (f" ({reason})" if reason else ""))


def heat_map(data: Tidy, rows: list[Row], order: list[str]) -> dict[str, list[Square]]:
    """Median chance-corrected score of each label on each cell, in hundredths; the interval in the words."""
    found = {(r.label, r.cell): r for r in rows if r.compared and r.protocol == STANDARD}
    return {label: [_heat(label, cell.name, found.get((label, cell.name))) for cell in data.cells] for label in order}


def _heat(label: str, cell: str, row: Row | None) -> Square:
    if row is None or row.middle is None:
        return Square("", "none", f"{label} on {cell}: no score")
    text = str(round(100 * row.middle)).replace("-", "−")
    step = round((STEPS - 1) * min(max(row.middle, 0.0), 1.0))
    spread = "one seed, no interval" if row.interval is None else f"{row.interval[0]:.3f} to {row.interval[1]:.3f} ({row.kind})"
    lost = f", {row.n_failed} failed" if row.n_failed else ""
    return Square(text, f"h{step}", f"{label} on {cell}: {row.middle:.3f}, {spread}, {row.n} trials{lost}")


@dataclasses.dataclass(frozen=True)
class Place:
    """A line of the ranking: the standing, cost, and who is ahead and behind."""

    standing: Standing
    look: Look
    beats: int
    seconds: float | None
    operations: float | None
    bar: tuple[float, float, float] | None
    dot: float
    failure: Interval


def ranking(data: Tidy, board: Board, looks: dict[str, Look]) -> list[Place]:
    """The ranking with its costs; bars and dots are positions from 0 to 100 on the scale from -0.1 to 1."""
    rows = data.compared
    operations = rows.mac_train.astype(float).fillna(0) + rows.ac_train.astype(float).fillna(0)
    operations = operations.where(rows.mac_train.notna() | rows.ac_train.notna()).groupby(rows.label).median()
    seconds = rows.train_s.astype(float).groupby(rows.label).median()
    return [
        Place(
            s, looks[s.label], len(board.behind(s.label)) if s.rank else 0, _number(seconds[s.label]),
            _number(operations[s.label]), _bar(s.interval), _at(s.score), proportion_interval(s.n_lost, s.n_trials),
        )
        for s in board.standings
    ]  # fmt: skip


def _number(x: float) -> float | None:
    return None if np.isnan(x) else float(x)


def _at(score: float) -> float:
    return round(100 * (min(max(score, -0.1), 1.0) + 0.1) / 1.1, 1)


def _bar(interval: Interval | None) -> tuple[float, float, float] | None:
    """Left end, width and right end of an interval's bar."""
    if interval is None:
        return None
    low, high = _at(interval[0]), _at(interval[1])
    return low, max(0.8, round(high - low, 1)), high


@dataclasses.dataclass(frozen=True)
class Trouble:
    """Trials of one label that ended alike: outcome, reason, where, the traceback, and how to see it again."""

    label: str
    family: str
    outcome: str
    reason: str
    where: list[tuple[str, str]]
    n: int
    traceback: str
    command: str


def troubles(data: Tidy, modules: Mapping[str, str]) -> list[Trouble]:
    """All that failed, diverged or was interrupted, gathered by label, outcome and reason."""
    rows = data.rows[data.rows.outcome.isin(LOST | {"interrupted"})]
    rows = rows.assign(reason=rows.reason.map(lambda x: x or ""))
    return [
        _trouble(part, modules)
        for _, part in sorted(rows.groupby(["label", "outcome", "reason"]), key=lambda x: (WORST.index(x[0][1]), x[0]))
    ]


def _trouble(part: pd.DataFrame, modules: Mapping[str, str]) -> Trouble:
    first = part.iloc[0]
    where = [(cell, ", ".join(str(r) for r in sorted(x.replicate))) for cell, x in part.groupby("cell", sort=False)]
    traces = [t for t in part.traceback if isinstance(t, str) and t]
    same = part[part.task.eq(first.task)]
    return Trouble(
        first.label, first.family, first.outcome, first.reason, where, len(part), traces[0] if traces else "",
        command(first, same.replicate, modules),
    )  # fmt: skip


def flat(given: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Nested settings as lines of name and value."""

    def lines(prefix: str, value: Any) -> Iterator[tuple[str, str]]:
        if isinstance(value, Mapping):
            for name in sorted(value):
                yield from lines(f"{prefix}.{name}" if prefix else str(name), value[name])
        elif isinstance(value, (list, tuple)):
            yield prefix, ", ".join(map(str, value))
        else:
            yield prefix, "" if value is None else str(value)

    return list(lines("", given))
