"""The store: one SQLite file that keeps every attempt at every trial, and that is never silently wrong.

A row is written once and never changed. It carries a SHA-256 of its content, which is checked whenever it is read:
about a third of all flipped bits are seen by nothing else.
"""

# ruff: noqa: S608 - the SQL is put together from names of our own; every value is bound

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from harness.storefile import (
    BOOLEANS,
    DOCUMENTS,
    INTEGERS,
    REALS,
    STORED,
    StoreError,
    StoreFull,
    connect,
    damaged,
    document_table,
    explained,
    make,
    now,
    quoted,
)
from harness.trial import FINAL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from types import TracebackType

__all__ = ["Last", "Store", "StoreError", "StoreFull", "canonical", "now"]

_FINAL = quoted(sorted(FINAL))
_DAY = 24 * 3600.0
"""No lease is given for longer."""


class Last(NamedTuple):
    """The last attempt at a trial."""

    attempt: int
    outcome: str


def canonical(value: Any) -> str:
    """JSON with sorted keys and without spaces. NaN and infinity raise ValueError."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False)


def _digest(values: Sequence[Any]) -> str:
    """SHA-256 of what the columns of a row hold; values that only damage can bring about have one as well."""
    return hashlib.sha256(json.dumps(values, separators=(",", ":"), default=repr).encode()).hexdigest()


def _encode(column: str, value: Any) -> Any:
    """One value as SQLite keeps it, so that the digest before writing and after reading agree."""
    if value is None:
        return None
    if column in DOCUMENTS:
        return canonical(value)
    if column in INTEGERS | BOOLEANS:
        return int(value)
    if column in REALS:
        if not math.isfinite(value):
            msg = f"{column}={value!r} is not finite; a missing number is None"
            raise ValueError(msg)
        return float(value) + 0.0  # SQLite knows no negative zero
    return str(value)


def _decode(column: str, value: Any) -> Any:
    """One value as it was given."""
    if value is None:
        return None
    if column in DOCUMENTS:
        return json.loads(value)
    return bool(value) if column in BOOLEANS else value


class Store:
    """One store. Use it as a context manager, or call `close`.

    create   make the file where there is none, and be sure that it can be written; otherwise it must exist, and a
             read-only place is good enough for reading

    Raises StoreError if the file is missing, foreign, newer, damaged or in a place that cannot be written.
    """

    def __init__(self, path: str | Path, *, create: bool = True) -> None:
        self.path = Path(path)
        if create and not self.path.exists():
            make(self.path)
        self._db = connect(self.path)
        if create:
            with contextlib.ExitStack() as stack:
                stack.callback(self.close)
                self._prove_writable()
                stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    # Rows

    def put(self, row: dict[str, Any], *, again: bool = False) -> int | None:
        """Keep one attempt durably and end the lease on its key; see `put_all`. Return its number, or None if dropped."""
        return self.put_all([row], again=again)[0]

    def put_all(self, rows: Iterable[dict[str, Any]], *, again: bool = False) -> list[int | None]:
        """Keep attempts in one transaction, numbered from 1 per key.

        A trial that has a result takes no second one: the late row is dropped and None stands in its place, unless
        `again` opens a new round.
        """
        with self._writing():
            return [self._insert(row, again) for row in rows]

    def _insert(self, row: dict[str, Any], again: bool) -> int | None:
        """Write one row inside a transaction."""
        if unknown := row.keys() - set(STORED):
            msg = f"columns {sorted(unknown)!r} are not among those of a row: {', '.join(STORED)}"
            raise ValueError(msg)
        key = row["key"]
        self._db.execute("DELETE FROM lease WHERE key = ?", (key,))
        attempts, last_round = self._db.execute("SELECT count(*), max(round) FROM trial WHERE key = ?", (key,)).fetchone()
        turn = max(row.get("round", 0), last_round or 0)
        if self._settled(key, turn):
            if not again:
                return None
            turn += 1
        full = {**row, "attempt": attempts + 1, "round": turn}
        values = [_encode(column, full.get(column)) for column in STORED]
        marks = ", ".join("?" * (len(STORED) + 1))
        self._db.execute(f"INSERT INTO trial ({', '.join(STORED)}, sha) VALUES ({marks})", (*values, _digest(values)))
        return int(attempts) + 1

    def _settled(self, key: str, turn: int) -> bool:
        """Whether the trial has a result in this round."""
        query = f"SELECT 1 FROM trial WHERE key = ? AND round = ? AND outcome IN ({_FINAL})"
        return self._db.execute(query, (key, turn)).fetchone() is not None

    def rows(self) -> list[dict[str, Any]]:
        """All attempts, sorted by key and attempt. Raises StoreError that names the first row whose digest is wrong."""
        good, bad = self.salvage()
        if bad:
            raise damaged(self.path, f"trial {bad[0]!r} does not match its digest; {len(bad)} of {len(good) + len(bad)} rows")
        return good

    def salvage(self) -> tuple[list[dict[str, Any]], list[str]]:
        """The attempts whose digest holds, and the keys of those whose digest does not."""
        good, bad = [], []
        with explained(self.path):
            for *values, sha in self._db.execute(f"SELECT {', '.join(STORED)}, sha FROM trial ORDER BY key, attempt"):
                if _digest(values) == sha:
                    good.append({column: _decode(column, value) for column, value in zip(STORED, values, strict=True)})
                else:
                    bad.append(str(values[0]))
        return good, bad

    def last(self, keys: Iterable[str] | None = None) -> dict[str, Last]:
        """The last attempt by key, of the given keys or of all.

        Of all: every row is verified, so that no trial is skipped on the word of a damaged one.
        """
        if keys is None:
            return {row["key"]: Last(row["attempt"], row["outcome"]) for row in self.rows()}
        query = "SELECT attempt, outcome FROM trial WHERE key = ? ORDER BY attempt DESC LIMIT 1"
        with explained(self.path):
            found = {key: self._db.execute(query, (key,)).fetchone() for key in keys}
        return {key: Last(*row) for key, row in found.items() if row}

    # Documents beside the rows

    def put_claim(self, name: str, verdict: dict[str, Any]) -> None:
        """Keep the latest verdict on a claim, `suite/claim-id`."""
        self._put_document("claim", name, verdict, replace=True)

    def claims(self) -> dict[str, dict[str, Any]]:
        """The latest verdicts by claim."""
        return self._documents("claim")

    def put_environment(self, digest: str, environment: dict[str, Any]) -> None:
        """Keep what the trials with this `env_digest` ran on; the first description stays."""
        self._put_document("environment", digest, environment, replace=False)

    def environments(self) -> dict[str, dict[str, Any]]:
        """The environments by digest."""
        return self._documents("environment")

    def put_code(self, digest: str, parts: dict[str, str]) -> None:
        """Keep the digests of the parts, by name, that make up a `code_digest`."""
        self._put_document("code", digest, parts, replace=False)

    def codes(self) -> dict[str, dict[str, str]]:
        """The parts that were kept, by `code_digest`."""
        return self._documents("code")

    def put_plan(self, name: str, keys: Sequence[str]) -> None:
        """Keep what the latest run of this name planned, by the keys of its trials."""
        self._put_document("plan", name, {"keys": [*keys]}, replace=True)

    def plans(self) -> dict[str, list[str]]:
        """The keys that runs have planned, by name of the run."""
        return {name: body["keys"] for name, body in self._documents("plan").items()}

    def put_checks(self, learner: str, counts: dict[str, int]) -> None:
        """Keep how the latest contract checks of a learner came out: run, passed, skipped, failed."""
        self._put_document("check", learner, counts, replace=True)

    def checks(self) -> dict[str, dict[str, Any]]:
        """The latest counts of contract checks by learner."""
        return self._documents("check")

    def put_audit(self, learner: str, profile: dict[str, Any]) -> None:
        """Keep the latest profile of a learner's plausibility, in place of an earlier one."""
        self._put_document("audit", learner, profile, replace=True)

    def audits(self) -> dict[str, dict[str, Any]]:
        """The latest profiles by learner."""
        return self._documents("audit")

    def _put_document(self, table: str, name: str, body: dict[str, Any], *, replace: bool) -> None:
        values = [name, canonical(body)]
        with self._writing():
            self._db.execute(document_table(table))
            verb = "REPLACE" if replace else "IGNORE"
            self._db.execute(f'INSERT OR {verb} INTO "{table}" VALUES (?, ?, ?)', (*values, _digest(values)))

    def _documents(self, table: str) -> dict[str, dict[str, Any]]:
        found = {}
        with explained(self.path):
            if not self._db.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)).fetchone():
                return {}
            for name, body, sha in self._db.execute(f'SELECT name, body, sha FROM "{table}" ORDER BY name'):
                if _digest([name, body]) != sha:
                    raise damaged(self.path, f"{table} {name!r} does not match its digest")
                found[name] = json.loads(body)
        return found

    # Leases

    def lease(self, keys: Iterable[str], owner: str, seconds: float, alive: Callable[[str], bool] = lambda _: True) -> set[str]:
        """Reserve trials for one driver; return the keys that it got.

        A key is free if no one holds it, if its lease has run out (or was given so far ahead that a clock must have been
        set back), or if `alive(owner)` says that its driver is gone.
        """
        wanted, clock = list(keys), time.time()
        with self._writing():
            marks = ", ".join("?" * len(wanted))
            held = self._db.execute(f"SELECT key, owner, until FROM lease WHERE key IN ({marks})", wanted).fetchall()
            taken = {key for key, holder, until in held if holder != owner and clock < until < clock + _DAY and alive(holder)}
            granted = [key for key in wanted if key not in taken]
            rows = [(key, owner, clock + seconds) for key in granted]
            self._db.executemany("INSERT OR REPLACE INTO lease VALUES (?, ?, ?)", rows)
        return set(granted)

    def renew(self, owner: str, seconds: float) -> None:
        """Prolong all leases of a driver."""
        with self._writing():
            self._db.execute("UPDATE lease SET until = ? WHERE owner = ?", (time.time() + seconds, owner))

    def release(self, owner: str) -> None:
        """End all leases of a driver."""
        with self._writing():
            self._db.execute("DELETE FROM lease WHERE owner = ?", (owner,))

    # Transactions

    def _prove_writable(self) -> None:
        """Write one value that changes nothing: only a real write shows whether the place takes one."""
        with self._writing():
            self._db.execute("UPDATE meta SET value = value WHERE name = 'schema'")

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction that holds the write lock from its beginning."""
        with explained(self.path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
