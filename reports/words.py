"""Numbers and names as they stand in the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMED = 4
"""Names that a sentence lists before it counts instead."""
UNITS = (1e9, "G"), (1e6, "M"), (1e4, "k")


def figure(value: float | None) -> str:
    """A score: three decimals, a real minus sign, no minus zero; nothing for None."""
    return "" if value is None else f"{value:.3f}".replace("-0.000", "0.000").replace("-", "−")


def short(value: float | None) -> str:
    """A number of any size in four digits at most; from ten thousand on as k, M or G."""
    if value is None:
        return ""
    for size, unit in UNITS:
        if abs(value) >= size * (1 - 1e-9):
            return f"{value / (1e3 if unit == 'k' else size):.3g} {unit}".replace("-", "−")
    return f"{value:.4g}".replace("-", "−")


def seconds(value: float | None) -> str:
    """Seconds, as milliseconds below one."""
    if value is None:
        return ""
    return f"{value * 1000:.3g} ms" if value < 1 else f"{value:.3g} s"


def points(margin: float) -> str:
    """A part of the score as points: `two points`."""
    hundredths = round(100 * margin, 6)
    words: dict[float, str] = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five"}
    number = words.get(hundredths, f"{hundredths:g}")
    return f"{number} point{'' if hundredths == 1 else 's'}"


def lacking(needed: Sequence[int | None]) -> str:
    """How many further seeds a task some comparisons need: `3 more seeds a task`, `3 to 40`, `more than 1000`."""
    known = sorted(n for n in needed if n is not None)
    if not known:
        return "more than 1000 further seeds a task"
    most = "more than 1000" if len(known) < len(needed) else str(known[-1])
    if most == str(known[0]):
        return f"{most} further seed{'' if most == '1' else 's'} a task"
    return f"{known[0]} to {most} further seeds a task"


def listed(names: Sequence[str]) -> str:
    """Names as prose: `A`, `A and B`, `A, B and C`; beyond NAMED, the first three and how many more."""
    if len(names) > NAMED:
        names = [*names[: NAMED - 1], f"{len(names) - NAMED + 1} others"]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
