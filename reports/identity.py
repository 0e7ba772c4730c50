"""What a report is of: counts, what must be noted, and what identifies it to whoever cites it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from harness.trial import TUNING
from reports.data import LOST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reports.data import Tidy


def outcomes(data: Tidy) -> dict[str, int]:
    """Trials by outcome, without those of the search for settings."""
    rows = data.rows[data.rows.arm.ne(TUNING)]
    return {str(k): int(n) for k, n in rows.outcome.value_counts().sort_index().items()}


def seeds(data: Tidy) -> str:
    """Seeds a cell: `3`, or `2 to 10`."""
    counts = data.compared.groupby(["label", "cell"]).size()
    return "0" if counts.empty else f"{counts.min()}" if counts.min() == counts.max() else f"{counts.min()} to {counts.max()}"


def facts(data: Tidy, found: Mapping[str, int]) -> list[tuple[str, str]]:
    """Counts for the line of facts: (number, words)."""
    rows = data.rows
    spread = seeds(data)
    searched = int(rows.arm.eq(TUNING).sum())
    counts = [
        (sum(found.values()) - found.get("not_applicable", 0), "trials"), (rows.learner.nunique(), "learners"),
        (rows.task.nunique(), "tasks"), (len(data.shared), "cells compared"),
        (spread, "seed a cell" if spread == "1" else "seeds a cell"), (sum(found.get(o, 0) for o in LOST), "failed"),
    ]  # fmt: skip
    counts += [(found["not_applicable"], "not applicable")] if found.get("not_applicable") else []
    counts += [(searched, "trials of the search for settings")] if searched else []
    return [(str(n), words if n != 1 else words.removesuffix("s")) for n, words in counts]


def notes(data: Tidy) -> list[str]:
    """What a reader must know before reading on."""
    found = [data.note] if data.note else []
    if data.outdated:
        found.append(
            f"{data.outdated} trials were made by code that has changed since, and are left out: for each learner and cell "
            "the newest code alone counts."
        )
    versions = data.rows.groupby("task").task_version.nunique()
    several = [str(task) for task in versions.index[versions > 1]]
    if several:
        found.append(
            f"This store holds more than one version of {', '.join(several)}. Versions are different tasks: each is a cell of "
            "its own, and they are never pooled."
        )
    if seeds(data) == "1":
        found.append(
            "Every cell holds a single seed. The spread between seeds is then unknown: no interval, no order and no verdict "
            "can be given. Run at least three: hebbench run quick."
        )
    return found


def identity(data: Tidy) -> list[tuple[str, str]]:
    """What the numbers stand on: (name, value)."""
    rows = data.rows
    days = sorted(str(x)[:10] for x in rows.finished_at.dropna())
    footing = "defaults" if data.arm == "default" else f"tuned, the best of K = {data.k} settings on validation data"
    hosts = rows.host.dropna().nunique()
    lines = [
        ("Compared at", footing), ("Seeds a cell", seeds(data)), ("Preset", ", ".join(sorted(set(rows.preset.dropna())))),
        ("Code", _digest(rows.code_digest)), ("Environment", _digest(rows.env_digest)), ("Data", _digest(_numbers(data))),
        ("Run on", f"{hosts} machine{'s' * (hosts != 1)}" if hosts else ""),
        ("Run between", f"{days[0]} and {days[-1]}" if days and days[0] != days[-1] else days[0] if days else ""),
    ]  # fmt: skip
    return [(name, value) for name, value in lines if value]


def citation(data: Tidy, store: str, lines: list[tuple[str, str]]) -> str:
    """One sentence that says which numbers are meant."""
    known = dict(lines)
    learners, tasks = data.rows.learner.nunique(), data.rows.task.nunique()
    when = f", run {known['Run between'].replace(' and ', ' to ')}" if "Run between" in known else ""
    of = f"{learners} learner{'s' * (learners != 1)} on {tasks} task{'s' * (tasks != 1)}"
    return (
        f"hebbench report of {store or 'a store'}: {of}, "
        f"{known['Compared at']}, {known['Seeds a cell']} seed{'s' * (known['Seeds a cell'] != '1')} a cell{when}; "
        f"code {known.get('Code', 'unknown')}, environment {known.get('Environment', 'unknown')}, data {known['Data']}."
    )


def _numbers(data: Tidy) -> list[str]:
    """The results by key."""
    return [f"{row.key} {row.outcome} {row.score}" for row in data.rows.itertuples()]


def _digest(values: object) -> str:
    """Twelve digits that stand for a set of values; the value itself where there is one; nothing where there is none."""
    found = sorted({str(x) for x in values if x})  # type: ignore[attr-defined]
    if len(found) < 2:
        return found[0][:12] if found else ""
    return hashlib.sha256("\n".join(found).encode()).hexdigest()[:12]
