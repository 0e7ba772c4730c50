"""Trials as CSV that a spreadsheet shows and never executes, packed to travel in a page."""

from __future__ import annotations

import base64
import csv
import gzip
import io
import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "key", "outcome", "reason", "learner", "family", "params", "task", "task_version", "difficulty", "rung", "protocol",
    "preset", "replicate", "metric", "score", "chance", "ceiling", "score_normalised", "samples", "epochs", "mac_train",
    "ac_train", "train_s",
)  # fmt: skip
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\Z")


def safe(cell: str) -> str:
    """The cell, behind an apostrophe if a spreadsheet would take it for a formula."""
    risky = cell[:1] in {"\t", "\r", "\n"} or cell.lstrip()[:1] in {"=", "+", "-", "@"}
    return f"'{cell}" if risky and not NUMBER.match(cell) else cell


def sheet(rows: pd.DataFrame) -> str:
    """All trials, one a line, in the order of their keys; fractions in six digits."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([safe(_text(x)) for x in row] for row in rows.sort_values("key")[list(COLUMNS)].itertuples(index=False))
    return out.getvalue()


def packed(text: str) -> str:
    """A text as base64 of gzip, without a date: the same text, the same bytes."""
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def _text(x: Any) -> str:
    if isinstance(x, dict):
        return json.dumps(x, sort_keys=True, default=str) if x else ""
    if isinstance(x, float):
        return f"{x:.0f}" if x.is_integer() else f"{x:.6g}"
    return "" if x is None else str(x)
