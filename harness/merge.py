"""Unite stores: shards of one plan, or the work of several machines."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.store import Store, StoreError, canonical
from harness.trial import COLUMNS, FINAL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MEASURED = ("outcome", *COLUMNS[COLUMNS.index("metric") : COLUMNS.index("joules_model") + 1])
"""Columns that are the same wherever and however often a trial is run."""

Said = dict[tuple[str, str], tuple[str, dict[str, Any]]]
"""What stores say of learners: by kind and learner, the store and its words."""


class Disagreement(NamedTuple):
    """Two results of one trial that differ, although nothing in its key does."""

    key: str
    column: str
    values: tuple[Any, ...]


class Replaced(NamedTuple):
    """Counts of checks, or a profile of an audit, that gave way to another one of the same learner."""

    kind: str
    """`check` or `audit`."""
    learner: str
    old: str
    """The store whose words were dropped."""
    new: str
    """The store whose words were kept: the last that was named."""


class Merged(NamedTuple):
    """What came of a merge."""

    rows: int
    duplicates: int
    """Rows that were left out since the same result was there."""
    disagreements: list[Disagreement]
    damaged: list[tuple[str, str]]
    """(store, key) of rows whose digest is wrong, (store, message) where it is that of a document; they are left out."""
    replaced: list[Replaced]


def merge(sources: Sequence[str | Path], output: str | Path) -> Merged:
    """Unite stores into a new one. All attempts are kept; of equal results of a trial, the first.

    Of checks and audits each learner's are kept; of two that differ, those of the last store that has them. Claims are not
    carried over: they are verdicts on a part of the rows. Raises StoreError if the output exists.
    """
    if Path(output).exists():
        raise StoreError(f"output={str(output)!r} exists, and a store is never overwritten: give another --output")
    found, bad = [], []
    environments: dict[str, dict[str, Any]] = {}
    code: dict[str, dict[str, str]] = {}
    said: Said = {}
    replaced: list[Replaced] = []
    for source in sources:
        with Store(source, create=False) as store:
            good, wrong = store.salvage()
            found += good
            bad += [(str(source), key) for key in wrong]
            try:
                environments |= store.environments()
                code |= store.codes()
                for kind, documents in (("check", store.checks()), ("audit", store.audits())):
                    replaced += _say(said, kind, documents, str(source))
            except StoreError as error:
                bad.append((str(source), str(error)))
    kept, disagreements = _unite(found)
    with Store(output) as store:
        for digest, environment in sorted(environments.items()):
            store.put_environment(digest, environment)
        for digest, parts in sorted(code.items()):
            store.put_code(digest, parts)
        for (kind, learner), (_, body) in sorted(said.items()):
            (store.put_audit if kind == "audit" else store.put_checks)(learner, body)
        store.put_all(kept, again=True)
    return Merged(len(kept), len(found) - len(kept), disagreements, bad, replaced)


def _say(said: Said, kind: str, documents: dict[str, dict[str, Any]], source: str) -> Iterator[Replaced]:
    """Take in what a store says of learners, and tell where another store had said something else."""
    for learner, body in documents.items():
        old, before = said.get((kind, learner), (source, body))
        if before != body:
            yield Replaced(kind, learner, old, source)
        said[kind, learner] = source, body


def _unite(rows: Iterable[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[Disagreement]]:
    """Drop what is there twice, and number the attempts so that a result stands after the failures of its round."""
    kept: dict[str, dict[str, Any]] = {}
    results: dict[str, list[dict[str, Any]]] = {}
    for row in sorted(rows, key=_rank):
        identity = canonical(_identity(row))
        if identity not in kept:
            kept[identity] = row
            if row["outcome"] in FINAL:
                results.setdefault(row["key"], []).append(row)
    disagreements = []
    for key, same in sorted(results.items()):
        for column in MEASURED:
            values = tuple(dict.fromkeys(row[column] for row in same))
            if len(values) > 1:
                disagreements.append(Disagreement(key, column, values))
    return list(kept.values()), disagreements


def _rank(row: dict[str, Any]) -> tuple[Any, ...]:
    """Where a row stands among those of its key, whatever order the stores are named in."""
    return row["key"], row["round"], row["outcome"] in FINAL, row["finished_at"] or "", canonical(row)


def _identity(row: dict[str, Any]) -> list[Any]:
    """What makes two rows the same: for a result what was measured, for a failure the whole attempt but its number."""
    if row["outcome"] in FINAL:
        return [row["key"], row["round"], *(row[column] for column in MEASURED)]
    return [row["key"], {**row, "attempt": None}]
