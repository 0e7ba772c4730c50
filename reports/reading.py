"""What the tables beside the figures say: how far up the ladders, what it takes, and which tasks tell learners apart."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

from reports.words import seconds, short

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from reports.discrimination import Discrimination
    from reports.psychometrics import Psychometric
    from reports.reach import Reach, Spent


@dataclasses.dataclass(frozen=True)
class Cost:
    """What was spent in words; `order` sorts it, and is None for those who get there in less than half of the seeds."""

    words: str
    order: float | None


@dataclasses.dataclass(frozen=True)
class Taken:
    """One line of what it takes to reach the level."""

    found: Reach
    samples: Cost
    operations: Cost
    seconds: Cost


def silent(found: Mapping[str, Discrimination]) -> frozenset[str]:
    """The tasks that do not tell the learners under study apart."""
    return frozenset(task for task, one in found.items() if one.verdict == "does not")


def reached(found: Mapping[tuple[str, str], Psychometric], order: Iterable[str]) -> list[Psychometric]:
    """By task, the labels as they are ranked."""
    place = {label: i for i, label in enumerate(order)}
    return sorted(found.values(), key=lambda one: (one.task, place.get(one.label, len(place)), one.label))


def taken(found: Mapping[tuple[str, str], Reach], order: Iterable[str]) -> list[Taken]:
    """By cell, the labels that reach the level in some seed, as they are ranked."""
    place = {label: i for i, label in enumerate(order)}
    lines = [one for one in found.values() if one.n_reached]
    cell_order = {cell: i for i, cell in enumerate(dict.fromkeys(one.cell for one in found.values()))}
    lines.sort(key=lambda one: (cell_order[one.cell], place.get(one.label, len(place)), one.label))
    return [Taken(one, _cost(one.samples, short), _cost(one.operations, short), _cost(one.seconds, seconds)) for one in lines]


def _cost(spent: Spent | None, words: Callable[[float], str]) -> Cost:
    """Median and interval; an interval of one point, or of nothing but seeds that never get there, says no more."""
    if spent is None:
        return Cost("", None)

    def said(value: float) -> str:
        return words(value) if math.isfinite(value) else "not reached"

    middle, order = said(spent.median), spent.median if math.isfinite(spent.median) else None
    if spent.interval is None or spent.interval[0] == spent.interval[1]:
        return Cost(middle, order)
    return Cost(f"{middle} [{said(spent.interval[0])}, {said(spent.interval[1])}]", order)
