"""How far up a ladder a learner gets: a falling logistic curve over the rungs, and where it passes half way.

The curve is (1 - lapse) / (1 + exp(slope (u - middle))) of the chance-corrected score, in the direction in which the
ladder gets harder. u is the rung, or its logarithm where the rungs are positive and span SPAN or more. A learner
*solves up to* the rung at which its curve passes LEVEL, half way between chance and the ceiling.
"""

from __future__ import annotations

import dataclasses
import math
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

from reports.logistic import fit
from reports.resampling import drawn, widened

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reports.data import Tidy
    from reports.logistic import Fits
    from reports.stats import Floats, Interval

LEVEL = 0.5
"""The chance-corrected score at which a rung counts as solved: half way between chance and the ceiling."""
SPAN = 8.0
"""The ratio of the last to the first rung from which the axis is logarithmic."""
FALL = 0.1
"""A curve that falls by less from the first rung to the last is flat."""
ONE_SIDED = 1.645
"""The normal quantile beyond which scores fall more than chance would have them."""
FEWEST_RUNGS = 3
POINTS = 49
TINY, ROUND, OUT = 1e-12, 1e-9, 1e-3
"""A variance that is none; what rounding may do to a place; what lies just beyond the ladder."""
BAD = 0.1
"""A root mean square distance of the rungs' means from the curve beyond which the curve is said to fit badly."""
State = Literal["solved", "above", "below", "flat", "kinds", "few"]


@dataclasses.dataclass(frozen=True)
class Psychometric:
    """How far up one ladder one label gets.

    state      solved: the curve passes LEVEL within the ladder. above: every rung is solved, the ladder is too short.
               below: none is. flat: the score does not fall along the ladder. kinds: rungs are words, or in
               no order that is known. few: fewer than three rungs
    words      the same in plain words: "solves up to lag 23 [19, 30]"
    threshold  the rung at LEVEL, in the units of the ladder; None unless solved
    interval   its 95 % interval over seeds, low before high; None with one seed, and where nothing was fitted. For above and
               below it is given if one of its ends lies within the ladder
    beyond     whether the low and the high end of the interval lie beyond the ladder: the end is then that of the ladder,
               and is written "< 1" or "> 64"
    slope      of the curve, in units of u, above zero; None where nothing was fitted. lapse is the share lost at the easy end
    residual   root mean square distance of the rungs' means from the curve; r2 is the share of their variance explained
    rungs      those that the label took, easiest first; means are its scores there, over seeds
    xs, ys     the fitted curve, for drawing, in the order of xs; empty where nothing was fitted
    """

    label: str
    task: str
    axis: str
    state: State
    words: str
    n_seeds: int
    rungs: tuple[float, ...]
    means: tuple[float, ...]
    threshold: float | None = None
    interval: Interval | None = None
    beyond: tuple[bool, bool] = (False, False)
    slope: float | None = None
    lapse: float | None = None
    residual: float | None = None
    r2: float | None = None
    xs: tuple[float, ...] = ()
    ys: tuple[float, ...] = ()

    @property
    def bad(self) -> bool:
        """Whether the curve fits badly; `words` says so too."""
        return self.residual is not None and self.residual > BAD


def psychometrics(data: Tidy) -> dict[tuple[str, str], Psychometric]:
    """By (label, task), for every label shown and every task with a ladder, where there are trials to compare."""
    cells = [cell for cell in data.cells if cell.rung is not None and cell.task in data.ladders]
    rungs = {cell.name: float(cell.rung or 0) for cell in cells}
    rows = data.compared
    rows = rows[rows.cell.isin(list(rungs)) & rows.label.isin(data.labels)]
    rows = rows.assign(rung=rows.cell.map(rungs)).groupby(["label", "task", "rung", "replicate"]).value.mean().reset_index()
    extent = rows.groupby("task").rung.agg(["min", "max"])
    found = {}
    for (label, task), part in rows.groupby(["label", "task"], sort=False):
        ladder, (low, high) = data.ladders[task], extent.loc[task]
        places, at = np.unique(part.rung, return_inverse=True)
        seeds, of = np.unique(part.replicate.astype(int), return_inverse=True)
        values = np.full((len(seeds), len(places)), np.nan)
        values[of, at] = part.value
        order = np.sign(np.diff(ladder.rungs))
        falling = len(order) > 0 and order[0] < 0
        steps = slice(None, None, -1 if falling else 1)
        ordered = ladder.numeric and abs(order.sum()) == len(order)
        logarithmic = low > 0 and high / low >= SPAN
        climb = Climb(str(label), str(task), ladder.axis or "rung", places[steps], values[:, steps], logarithmic=logarithmic)
        if not ladder.declared:
            found[str(label), str(task)] = climb.unfitted("kinds", "which rungs are easy is not known: the task is not installed")
        elif not ordered:
            found[str(label), str(task)] = climb.unfitted("kinds", f"{climb.axis} names kinds: no curve")
        else:
            found[str(label), str(task)] = climb.measured()
    return found


@dataclasses.dataclass(frozen=True)
class Climb:
    """One label's scores on one ladder: values (seeds, rungs), NaN where there is none, rungs in order, easiest first."""

    label: str
    task: str
    axis: str
    rungs: Floats
    values: Floats
    logarithmic: bool

    def measured(self) -> Psychometric:
        """Fit the curve and say what it shows."""
        if len(self.rungs) < FEWEST_RUNGS:
            count = f"{len(self.rungs)} rung{'s' if len(self.rungs) > 1 else ''}"
            return self.unfitted("few", f"only {count}: a curve needs {FEWEST_RUNGS}")
        counts, of = self._counts()
        means, weights = _means(self.values, counts)
        fits = fit(self.x, means, weights)
        passing = _passing(self.x, fits, means, weights)
        means = means[0]
        state: State = "above" if (means >= LEVEL).all() else "below" if (means < LEVEL).all() else "solved"
        if state == "solved":
            if not self._falls(fits):
                return self.unfitted("flat", f"does not fall steadily with {self.axis}: no threshold")
            passing[0] = np.clip(passing[0], 0, 1)
        interval, beyond = self._interval(passing, fits, of) if len(of) else (None, (False, False))
        xs = np.linspace(0, 1, POINTS)
        residual = float(np.sqrt(((means - fits.at(self.x, 0)) ** 2).mean()))
        spread = float(((means - means.mean()) ** 2).mean())
        line = sorted(zip(self.rung(xs).tolist(), fits.at(xs, 0).tolist(), strict=True))
        result = dataclasses.replace(
            self.unfitted(state, ""),
            threshold=float(self.rung(passing[:1])[0]) if state == "solved" else None,
            interval=interval,
            beyond=beyond,
            slope=float(fits.slope[0] / abs(self.u[-1] - self.u[0])),
            lapse=float(fits.lapse[0]),
            residual=residual,
            r2=1 - residual**2 / spread if spread > TINY else None,
            xs=tuple(x for x, _ in line),
            ys=tuple(y for _, y in line),
        )
        return dataclasses.replace(result, words=_words(result))

    def unfitted(self, state: State, words: str) -> Psychometric:
        """The scores without a curve."""
        means = _means(self.values, np.ones((1, len(self.values))))[0][0]
        return Psychometric(
            self.label, self.task, self.axis, state, words, len(self.values), tuple(self.rungs.tolist()), tuple(means.tolist())
        )

    @cached_property
    def u(self) -> Floats:
        """The rungs on the axis of the curve."""
        return np.log(self.rungs) if self.logarithmic else self.rungs

    @cached_property
    def x(self) -> Floats:
        """The rungs from 0, the easiest, to 1, the hardest."""
        return np.asarray((self.u - self.u[0]) / (self.u[-1] - self.u[0]))

    def rung(self, x: Floats) -> Floats:
        """Places between 0 and 1 in the units of the ladder; on a rung, that rung to the last digit."""
        u = self.u[0] + x * (self.u[-1] - self.u[0])
        near = np.abs(self.x - x[:, None])
        return np.asarray(
            np.where(near.min(axis=1) < ROUND, self.rungs[near.argmin(axis=1)], np.exp(u) if self.logarithmic else u)
        )

    def _counts(self) -> tuple[Floats, NDArray[np.intp]]:
        """How often each seed counts: once, and then in each draw that differs; and which of these each draw is."""
        once = np.ones((1, len(self.values)))
        if len(self.values) < 2:
            return once, np.zeros(0, dtype=np.intp)
        counts, of = np.unique(drawn(np.nan_to_num(self.values, nan=-1.0)), axis=0, return_inverse=True)
        return np.concatenate([once, counts]), of.ravel() + 1

    def _falls(self, fits: Fits) -> bool:
        """Whether the curve falls by FALL or more, and, with several seeds, the scores fall beyond chance.

        The test is that of Page, by its normal limit: rungs are exchanged within each seed. One seed has no spread to go by.
        """
        first, last = fits.at(np.array([0.0, 1.0]), 0)
        if first - last < FALL:
            return False
        if len(self.values) == 1:
            return True
        fall, variance = 0.0, 0.0
        for seed in self.values:
            y = seed[~np.isnan(seed)]
            trend = np.arange(len(y)) - (len(y) - 1) / 2
            fall -= float(trend @ y)
            variance += float(trend @ trend * y.var(ddof=1)) if len(y) > 1 else 0.0
        return fall > ONE_SIDED * math.sqrt(variance)

    def _interval(self, passing: Floats, fits: Fits, of: NDArray[np.intp]) -> tuple[Interval | None, tuple[bool, bool]]:
        """The interval of the threshold over seeds, all rungs of a seed together, and which ends lie beyond the ladder.

        Where the fall lies between two rungs, a curve does not say where: both rungs then stand for it. No interval is given
        where the ladder lies outside.
        """
        low, high = self._between(passing, fits)
        n = len(self.values)
        easy, hard = float(widened(low[0], low[of], n)[0]), float(widened(high[0], high[of], n)[1])
        if easy > 1 or hard < 0:
            return None, (False, False)
        ends, beyond = self.rung(np.clip([easy, hard], 0, 1)).tolist(), (easy < 0, hard > 1)
        if self.rungs[0] > self.rungs[-1]:
            return (ends[1], ends[0]), (beyond[1], beyond[0])
        return (ends[0], ends[1]), beyond

    def _between(self, passing: Floats, fits: Fits) -> tuple[Floats, Floats]:
        """For curves as steep as can be, the rungs before and after they pass; else where they pass, twice."""
        after = np.clip(np.searchsorted(self.x, passing, side="right"), 1, len(self.x) - 1)
        steep = fits.steep & (passing >= 0) & (passing <= 1)
        return np.where(steep, self.x[after - 1], passing), np.where(steep, self.x[after], passing)


def _means(values: Floats, counts: Floats) -> tuple[Floats, Floats]:
    """Mean at each rung, and how many seeds it stands on, when seeds count as often as `counts` (draws, seeds) says."""
    there = ~np.isnan(values)
    weights = counts @ there
    return counts @ np.where(there, values, 0.0) / np.maximum(weights, 1), weights


def _passing(x: Floats, fits: Fits, means: Floats, weights: Floats) -> Floats:
    """Where curves pass LEVEL: from 0 to 1, before or after that where no rung or every rung is solved.

    One gap between rungs is as far as a curve is followed beyond the ladder.
    """
    gap = float(np.median(np.diff(x)))
    passing = fits.passing(LEVEL)
    passing = np.where(((means >= LEVEL) | (weights == 0)).all(axis=1), np.maximum(passing, 1 + OUT), passing)
    passing = np.where(((means < LEVEL) | (weights == 0)).all(axis=1), np.minimum(passing, -OUT), passing)
    return np.clip(passing, -gap, 1 + gap)


def _words(found: Psychometric) -> str:
    """The finding in plain words."""
    first, last = found.rungs[0], found.rungs[-1]
    up = "up" if first < last else "down"
    interval = _bracket(found)
    badly = ", but the curve fits badly" if found.bad else ""
    if found.state == "above":
        return f"solves all, {up} to {found.axis} {last:g} at least{interval}"
    if found.state == "below":
        return f"solves none, not even {found.axis} {first:g}{interval}"
    alone = " (one seed: no interval)" if found.n_seeds == 1 else ""
    return f"solves {up} to {found.axis} {_rounded(found.threshold or 0.0, found)}{interval}{alone}{badly}"


def _bracket(found: Psychometric) -> str:
    """The interval in brackets, if there is one; an end beyond the ladder with its sign."""
    if found.interval is None:
        return ""
    ends = [
        f"{sign if out else ''}{_rounded(end, found)}"
        for sign, out, end in zip(("< ", "> "), found.beyond, found.interval, strict=True)
    ]
    return f" [{', '.join(ends)}]"


def _rounded(rung: float, found: Psychometric) -> str:
    """A rung in two digits; where rungs are whole numbers, the last one that is solved whole."""
    if all(float(x).is_integer() for x in found.rungs):
        towards = math.floor if found.rungs[0] < found.rungs[-1] else math.ceil
        return f"{towards(rung)}"
    return f"{float(f'{rung:.2g}'):g}"
