"""Rows of trials made from scores, for tests of what the report computes from them."""

from __future__ import annotations

from typing import Any

import pandas as pd

from reports.data import ReportData, Tidy, tidy

FAMILY = "biological"


def trials(learner: str, task: str, scores: list[Any], rung: Any = None, axis: str = "lag", **more: Any) -> list[dict[str, Any]]:
    """One row a replicate: a chance-corrected score, an outcome, or None for no trial."""
    made = []
    number = rung if isinstance(rung, int | float) or rung is None else float(len(str(rung)))
    for replicate, x in enumerate(scores):
        if x is None:
            continue
        ok = not isinstance(x, str)
        made.append(dict(
            key=f"{learner} {task} {rung} {replicate} {sorted(more.items(), key=str)}", attempt=1, outcome="ok" if ok else x,
            learner=learner, family=FAMILY, params={}, difficulty={} if rung is None else {axis: rung}, rung=number, task=task,
            task_version=1, replicate=replicate, protocol="standard", chance=0.0, ceiling=1.0, score=x if ok else None,
            score_normalised=x if ok else None, code_digest="c",
        ) | more)  # fmt: skip
    return made


def report(rows: list[dict[str, Any]], ladders: dict[str, tuple[str, list[Any]]] | None = None) -> Tidy:
    """The tidy frame of rows; ladders by task: the axis, and its rungs, easiest first."""
    tasks = [dict(name=task, ladder=dict(axis=axis, values=values)) for task, (axis, values) in (ladders or {}).items()]
    empty = pd.DataFrame(columns=["key", "samples", "operations", "seconds", "score", "split"])
    return tidy(ReportData(rows=pd.DataFrame(rows), curves=empty, tasks=tasks))
