"""The file of a store: its schema, how it is made and opened, and what goes wrong with files.

A rollback journal with full synchronisation loses no commit when the power fails, and the one file can be copied as it
stands. A file that is foreign, newer or damaged is refused and left as it is.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import sqlite3
from typing import TYPE_CHECKING

from harness.trial import COLUMNS, COLUMNS_OF_PLACE, FINAL, OUTCOMES, SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

APPLICATION = 0x68656262
"""`hebb`: marks the file as ours in SQLite's header."""

PRIVATE = "round", "learner_where", "task_where", "traceback", "extra", "curve"
"""Columns of a row beside those of an export. `round` counts how often the trial was run again although it had a result."""

STORED = (*COLUMNS, *COLUMNS_OF_PLACE, *PRIVATE)
INTEGERS = frozenset({
    "attempt", "round", "tuning_trials", "task_version", "replicate", "seed_data", "seed_init", "seed_order", "seed_noise",
    "n_train", "n_valid", "n_test", "samples", "diverged_at", "mac_train", "ac_train", "mac_infer", "ac_infer", "spikes",
    "state_updates", "state_bytes", "peak_bytes", "threads",
})  # fmt: skip
REALS = frozenset({
    "rung", "score", "chance", "ceiling", "score_normalised", "score_train", "score_valid", "epochs", "joules_model",
    "compile_s", "train_s", "infer_s",
})  # fmt: skip
BOOLEANS = frozenset({"tuned"})
DOCUMENTS = frozenset({"params", "difficulty", "extra", "curve"})
"""Columns that hold JSON; all others hold text."""

DOCUMENT_TABLES = "claim", "audit", "environment", "code", "plan", "check"
_NOT_NULL = "key", "attempt", "round", "outcome"
_ELSEWHERE = "Give another place with --store"


class StoreError(ValueError):
    """The store cannot be used: the message gives the path, what is wrong, and how to go on."""


class StoreFull(StoreError):  # noqa: N818 - the condition is the name
    """The disk, a quota or a limit leaves no room for one more row; all earlier rows are kept."""


def quoted(words: Iterable[str]) -> str:
    """Words of our own as an SQL list."""
    return ", ".join(f"'{word}'" for word in words)


def _declare(column: str) -> str:
    """The SQL declaration of one column of `trial`."""
    kind = "REAL" if column in REALS else "INTEGER" if column in INTEGERS | BOOLEANS else "TEXT"
    checks = f" CHECK ({column} IS NULL OR json_valid({column}))" if column in DOCUMENTS else ""
    return f"{column} {kind}{' NOT NULL' if column in _NOT_NULL else ''}{checks}"


def _statements() -> Iterator[str]:
    """What makes an empty file a store."""
    columns = ", ".join(map(_declare, STORED))
    checks = f"CHECK (outcome IN ({quoted(OUTCOMES)})), CHECK (attempt > 0), UNIQUE (key, attempt)"
    yield f"CREATE TABLE trial ({columns}, sha TEXT NOT NULL, {checks}) STRICT"
    yield f"CREATE UNIQUE INDEX one_result ON trial (key, round) WHERE outcome IN ({quoted(sorted(FINAL))})"
    yield from map(document_table, DOCUMENT_TABLES)
    yield "CREATE TABLE lease (key TEXT PRIMARY KEY, owner TEXT NOT NULL, until REAL NOT NULL) STRICT"
    yield "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT"
    yield f"INSERT INTO meta VALUES ('schema', '{SCHEMA}'), ('created_at', '{now()}')"  # noqa: S608 - both are our own
    yield f"PRAGMA application_id = {APPLICATION}"
    yield f"PRAGMA user_version = {SCHEMA}"


def document_table(name: str) -> str:
    """The SQL that makes a table of documents, unless it is there: older stores lack the younger ones."""
    body = "body TEXT NOT NULL CHECK (json_valid(body))"
    return f'CREATE TABLE IF NOT EXISTS "{name}" (name TEXT PRIMARY KEY, {body}, sha TEXT NOT NULL) STRICT'


def now() -> str:
    """The time as a row keeps it: ISO 8601, UTC, milliseconds."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")


def make(path: Path) -> None:
    """Build an empty store beside its place and link it there whole, so that no other driver sees half of it."""
    if not path.parent.is_dir():
        raise StoreError(f"store={str(path)!r} cannot be made: there is no folder {str(path.parent)!r}. Make it, or use --store")
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with explained(path), contextlib.closing(sqlite3.connect(draft, isolation_level=None)) as db:
            for statement in _statements():
                db.execute(statement)
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        _sync(path.parent)
    except OSError as error:
        raise StoreError(f"store={str(path)!r} cannot be made: {error.strerror}. {_ELSEWHERE}") from error
    finally:
        with contextlib.suppress(OSError):
            draft.unlink()


def connect(path: Path) -> sqlite3.Connection:
    """Open an existing store, for reading alone where writing is not allowed; refuse what is foreign, newer or damaged."""
    if not path.exists():
        raise StoreError(f"store={str(path)!r} does not exist: `hebbench run` makes one, --store says where")
    if not path.is_file():
        raise StoreError(f"store={str(path)!r} is not a file. {_ELSEWHERE}")
    with explained(path):
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=30)
        db.text_factory = lambda raw: raw.decode(errors="replace")  # so that damaged text fails its digest, not its reader
        try:
            _recognise(path, db)
            db.execute("PRAGMA journal_mode = TRUNCATE")
            db.execute("PRAGMA synchronous = FULL")
        except BaseException:
            db.close()
            raise
    return db


def _recognise(path: Path, db: sqlite3.Connection) -> None:
    """Refuse a file that is not a store of this version, whole."""
    application = db.execute("PRAGMA application_id").fetchone()[0]
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if path.stat().st_size == 0:
        raise damaged(path, "the file is empty")
    if application != APPLICATION:
        raise StoreError(f"store={str(path)!r} is an SQLite file, but not a hebbench store. {_ELSEWHERE}")
    if version > SCHEMA:
        raise StoreError(
            f"store={str(path)!r} has schema {version}, and this hebbench knows schemas up to {SCHEMA}: update hebbench, or"
            " give another place with --store"
        )
    problem = "schema 0" if version < 1 else db.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if problem != "ok":
        raise damaged(path, problem)


def _sync(folder: Path) -> None:
    """Make a new name in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def damaged(path: Path, problem: str) -> StoreError:
    """The error for a damaged store, with ways to recover that overwrite nothing."""
    seen = " ".join(problem.split())
    return StoreError(
        f"store={str(path)!r} is damaged or cut short ({seen}). Nothing was changed. Set it aside with `mv {path}"
        f" {path}.damaged` and run the same command again, or restore a copy; `hebbench merge {path} --output {path}.saved`"
        " saves the rows that are whole, where the file can still be opened"
    )


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into ones that say what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise _explain(path, error) from error


def _explain(path: Path, error: sqlite3.Error) -> StoreError:
    """What an error of SQLite means for the user."""
    code = getattr(error, "sqlite_errorcode", 0)
    primary, what = code & 0xFF, f"store={str(path)!r}"
    if primary == sqlite3.SQLITE_FULL or code == sqlite3.SQLITE_IOERR_WRITE:
        return StoreFull(f"{what}: no room for one more row ({error}). What was finished is kept; make room and run again")
    if primary in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return damaged(path, str(error))
    if primary in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}:
        return StoreError(f"{what} is in a place that cannot be written ({error}). {_ELSEWHERE}")
    if primary == sqlite3.SQLITE_BUSY:
        return StoreError(f"{what} has been locked by another process for 30 s. Let it end, or give another place with --store")
    return StoreError(f"{what}: {error}")
