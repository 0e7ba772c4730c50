"""Axes of figures: from where to where, on which scale, with which ticks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

WIDE = 8
"""Positive numbers of which the largest is so many times the smallest stand on a logarithmic axis."""
UNITS = (1e9, "G"), (1e6, "M"), (1e4, "k")


class Axis(NamedTuple):
    """One axis: `low` is where it begins (left or below), which may be the larger number; words name it."""

    low: float
    high: float
    log: bool
    ticks: tuple[tuple[float, str], ...]
    words: str = ""

    def share(self, values: ArrayLike) -> NDArray[np.float64]:
        """Where values lie: 0 at the beginning of the axis, 1 at its end; what lies beyond is drawn at the end.

        On a logarithmic axis all are above zero.
        """
        x = np.asarray(values, dtype=float)
        ends = np.array([self.low, self.high])
        if self.log:
            x, ends = np.log10(x), np.log10(ends)
        size = np.abs(ends).max()
        found: NDArray[np.float64] = np.clip((x / size - ends[0] / size) / (ends[1] / size - ends[0] / size), 0.0, 1.0)
        return found


SCORE = Axis(-0.12, 1.06, log=False, ticks=((0.0, "0"), (0.5, ".5"), (1.0, "1")))
"""The axis of chance-corrected scores: 0 is chance, 1 the ceiling."""


def written(value: float) -> str:
    """A tick: 10k, not a power in a notation of its own."""
    size = abs(value)
    for unit, sign in UNITS:
        if unit * (1 - 1e-9) <= size < 1e13:
            return f"{value / (1e3 if sign == 'k' else unit):.4g}{sign}".replace("-", "−")
    mantissa, _, power = f"{value:.4g}".partition("e")
    return (f"{mantissa}e{int(power)}" if power else mantissa).replace("-", "−")


def spread(values: Sequence[float], *, log: bool, words: str = "") -> Axis:
    """An axis that holds all values, with some room at its ends."""
    low, high = min(values), max(values)
    if log:
        a, b = np.log10(low), np.log10(high)
        room = max(0.06 * (b - a), 0.1)
        low, high = float(10.0 ** max(a - room, -307)), float(10.0 ** min(b + room, 307))
    else:
        room = max(0.06 * (high / 2 - low / 2) * 2, 0.01 * abs(low), 0.01 * abs(high), 1e-6)
        low, high = max(low - room, -1e307), min(high + room, 1e307)
    return Axis(low, high, log, ticks(low, high, log=log), words)


def ticks(low: float, high: float, *, log: bool) -> tuple[tuple[float, str], ...]:
    """Some round numbers between two others."""
    if log:
        found = _decades(low, high)
    else:
        from matplotlib.ticker import MaxNLocator

        found = [float(x) for x in MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)]
    inside = [x for x in found if low <= x <= high]
    return tuple((x, written(0.0 if not log and abs(x) < 1e-12 * (high - low) else x)) for x in inside)


def _decades(low: float, high: float) -> list[float]:
    """Powers of ten, six at most; where there are less than two decades, some of their multiples too."""
    first, last = int(np.floor(np.log10(low))), int(np.ceil(np.log10(high)))
    if high > 60 * low:
        stride = -(-(last - first) // 6)
        return [float(f"1e{power}") for power in range(-(-first // stride) * stride, last + 1, stride) if power < 308]
    steps = (1, 2, 5) if high > 4 * low else (1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9)
    return [float(f"{step}e{power}") for power in range(first, last + 1) for step in steps]


def stepped(values: Sequence[float], names: Sequence[str] | None = None, words: str = "") -> Axis:
    """The axis of a ladder: a tick at each rung, in the order given, logarithmic where the rungs are."""
    low, high = min(values), max(values)
    log = names is None and low > 0 and high / low >= WIDE
    span = spread(values, log=log, words=words)
    known = tuple(zip(values, names or [written(x) for x in values], strict=True))
    ends = (span.high, span.low) if values[0] > values[-1] else (span.low, span.high)
    return Axis(*ends, log, known, words)
