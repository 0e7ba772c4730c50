"""What two sets of results do not have in common: named, each thing once, by the widest reason that holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from harness.trial import FAILED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reports.compare import Place, Side


class Apart(NamedTuple):
    """What was not compared, or only with a reserve, and why."""

    why: str
    names: tuple[str, ...]


def absent(a: Side, b: Side) -> tuple[Apart, ...]:
    """All that a baseline and a candidate cannot be compared on."""
    found: dict[str, set[str]] = {}
    for why, name in (*_alone(a, b, "baseline"), *_alone(b, a, "candidate"), *_valueless(a, b)):
        found.setdefault(why, set()).add(name)
    return tuple(Apart(why, tuple(sorted(names))) for why, names in sorted(found.items()))


def _alone(mine: Side, other: Side, which: str) -> Iterator[tuple[str, str]]:
    """What one side has without a counterpart: (why, name)."""
    versions: dict[str, set[int]] = {}
    arms: dict[str, set[str]] = {}
    for place in other:
        versions.setdefault(place.task, set()).add(place.version)
        arms.setdefault(place.label, set()).add(place.arm)
    for place, runs in mine.items():
        if place not in other:
            yield _lone(place, versions.get(place.task, set()), arms.get(place.label, set()), which)
        elif missing := sorted(runs.keys() - other[place]):
            yield f"Seeds only in the {which}", f"{place.label} on {place.cell}: {', '.join(map(str, missing))}"


def _lone(place: Place, versions: set[int], arms: set[str], which: str) -> tuple[str, str]:
    """Why a place has no counterpart, where the other side has these versions of its task, and its label on these arms."""
    if not versions:
        return f"Tasks only in the {which}" + ": the baseline lacks them" * (which == "candidate"), place.task
    if place.version not in versions:
        there = ", ".join(map(str, sorted(versions)))
        return f"Tasks of another version in the {which}", f"{place.task} (version {place.version} against {there})"
    if not arms:
        return f"Learners only in the {which}", place.label
    if place.arm not in arms:
        return f"On another footing in the {which}", f"{place.label} ({place.arm} against {' and '.join(sorted(arms))})"
    return f"Cells only in the {which}", f"{place.label} on {place.cell}"


def _valueless(a: Side, b: Side) -> Iterator[tuple[str, str]]:
    """Trials that have a value on one side alone, and those that ran elsewhere."""
    for place in a.keys() & b:
        for seed in a[place].keys() & b[place]:
            old, new = a[place][seed], b[place][seed]
            if (old.value is None) != (new.value is None) and new.outcome not in FAILED:
                yield "Without a result in one of the two", f"{place.label} on {place.cell}: {old.outcome}, then {new.outcome}"
            if old.packages and new.packages and old.packages != new.packages:
                yield "Compared, but run with other versions of packages", place.label


def nothing(a: Side, b: Side, names: tuple[str, str]) -> str:
    """Why there is nothing to compare."""
    words = "; ".join(
        f"{name!r} has {_first({p.label for p in given}, 'learner')} on {_first({p.task for p in given}, 'task')}"
        for name, given in zip(names, (a, b), strict=True)
    )
    return f"there is nothing in common to compare: {words}. Run both with the same learners, tasks and seeds."


def _first(names: set[str], what: str, most: int = 8) -> str:
    """The first names of a set, or `no learner`."""
    return ", ".join(sorted(names)[:most]) + " ..." * (len(names) > most) or f"no {what}"
