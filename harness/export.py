"""What a store holds, as rows for other programs: CSV, JSON, or a data frame."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Literal

from harness.store import Store, canonical
from harness.storefile import INTEGERS, REALS
from harness.trial import COLUMNS, COLUMNS_OF_PLACE, SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import pandas as pd

CURVE_COLUMNS = "key", "samples", "operations", "seconds", "score", "split"

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\Z", re.ASCII)


def export(store: Store, form: Literal["csv", "json"], *, deterministic: bool = False, curves: bool = False) -> str:
    """All attempts sorted by key and attempt, or the learning curves of the last ones, as text.

    deterministic   the last attempt of each key, without the columns of time and place: the same bytes for the same plan
    """
    found = store.rows()
    if curves:
        columns: Sequence[str] = [c for c in CURVE_COLUMNS if not (deterministic and c == "seconds")]
        records = [{"key": row["key"]} | point for row in latest(found) for point in row["curve"] or ()]
    elif deterministic:
        columns, records = [c for c in COLUMNS if c != "attempt"], latest(found)
    else:
        columns, records = [*COLUMNS, *COLUMNS_OF_PLACE], found
    rows = [{column: record.get(column) for column in columns} for record in records]
    return _csv(columns, rows) if form == "csv" else json.dumps({"schema": SCHEMA, "rows": rows}, ensure_ascii=False) + "\n"


def rows(store: Store) -> list[dict[str, Any]]:
    """All attempts in the columns of an export, sorted by key and attempt."""
    return [{column: row[column] for column in (*COLUMNS, *COLUMNS_OF_PLACE)} for row in store.rows()]


def latest(found: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The last attempt at each trial, which is its result. Rows come sorted by key and attempt."""
    return list({row["key"]: row for row in found}.values())


def results(store: Store | str | Path, *, extra: bool = False) -> pd.DataFrame:
    """The last attempt at each trial as a data frame with the columns of an export; `params` and `difficulty` are dicts.

    store   an open store, or the path of one
    extra   add the column `extra`, a dict of the figures that a task measures for its claims
    """
    if isinstance(store, Store):
        return frame(latest(store.rows()), extra=extra)
    with Store(store, create=False) as opened:
        return results(opened, extra=extra)


def frame(found: Sequence[dict[str, Any]], *, extra: bool = False) -> pd.DataFrame:
    """Rows as a data frame. Missing numbers are NaN; a column of whole numbers with gaps becomes one of floats."""
    import pandas as pd

    columns = [*COLUMNS, *COLUMNS_OF_PLACE, *(["extra"] if extra else [])]
    made = pd.DataFrame({column: pd.Series([row[column] for row in found], dtype=_dtype(column, found)) for column in columns})
    return made[columns]


def _dtype(column: str, found: Sequence[dict[str, Any]]) -> str:
    """The type of a column in a data frame."""
    if column in REALS or (column in INTEGERS and any(row[column] is None for row in found)):
        return "float64"
    return "int64" if column in INTEGERS else "bool" if column == "tuned" else "object"


def _csv(columns: Sequence[str], found: Iterable[dict[str, Any]]) -> str:
    """Comma-separated lines that end in LF, with a header."""
    lines = [",".join(columns), *(",".join(_cell(row[column]) for column in columns) for row in found)]
    return "\n".join(lines) + "\n"


def _cell(value: Any) -> str:
    """One cell: nothing for a missing value, JSON for what is not text."""
    if value is None:
        return ""
    text = _harmless(value) if isinstance(value, str) else canonical(value)
    return '"' + text.replace('"', '""') + '"' if re.search('[,"\r\n]', text) else text


def _harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula: a quote goes before what could be one."""
    risky = text.lstrip(" \t\r\n")[:1] in tuple("=+-@") or text[:1] in tuple("\t\r\n")
    return f"'{text}" if text and risky and not _NUMBER.match(text) else text
