"""Two sets of results, trial by trial: what changed from a baseline to a candidate, and whether it fell.

A *place* is one label on one cell at one version of its task, on one footing (defaults, or tuned with the same number of
settings). Only places that both sides have are compared, on the seeds that both have; the rest is named. What is the same
on all common seeds is counted; only what changed is tested. A trial that failed or diverged has the value 0.

Two families are tested, each corrected by Holm: the places that changed, and the learners that changed, each over all that
it shares with itself. A fall is a difference below 0 with a corrected two-sided p of at most ALPHA in either, or a trial
that had a result and now fails. By chance alone each family shows a fall in ALPHA / 2 of comparisons, both in ALPHA at most.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from harness.trial import FAILED
from reports.absent import Apart, absent, nothing
from reports.data import tidy
from reports.significance import holm, least_units, sign_flip_p
from reports.stats import ALPHA, Floats, Interval, equal_weights, mean_interval

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reports.data import ReportData

RESULT = "ok", "diverged"


class CompareError(ValueError):
    """The two cannot be compared; the message says why and what to do."""


class Place(NamedTuple):
    """What is compared with itself: a label on a cell, on one footing."""

    label: str
    arm: str
    suite: str
    task: str
    version: int
    cell: str


class Run(NamedTuple):
    """One trial, without its place; `value` is None where there is none, or no chance level to measure it from."""

    value: float | None
    outcome: str
    reason: str = ""
    code: str | None = None
    packages: str | None = None


Side = dict[Place, dict[int, Run]]
"""The trials of a baseline or a candidate, by place and replicate."""


class Pair(NamedTuple):
    """Two trials of one place with the same seeds."""

    replicate: int
    before: float
    after: float
    moved: bool


@dataclasses.dataclass(frozen=True, kw_only=True)
class Change:
    """What became of one place, or of one learner over all its places (`cell` is then empty).

    n           pairs of trials with the same seed; of a learner, pairs of (task, seed)
    interval    95 %, of the difference; None where a task has a single seed
    p           two-sided, by flipping the signs of pairs, corrected by Holm
    seeds       how many the places had at most
    least       seeds below which no difference, however large, could be significant after the correction
    spread      how far two runs of the baseline's code with other seeds would be apart (95 %); None with one seed
    """

    label: str
    arm: str
    cell: str
    n: int
    before: float
    after: float
    difference: float
    interval: Interval | None
    p: float
    seeds: int
    least: int
    spread: float | None

    @property
    def significant(self) -> bool:
        """Whether chance alone rarely does this."""
        return self.p <= ALPHA

    @property
    def fell(self) -> bool:
        """Whether this is a significant fall."""
        return self.significant and self.difference < 0


class Failure(NamedTuple):
    """A trial that had a result in the baseline and fails in the candidate."""

    place: Place
    replicate: int
    outcome: str
    reason: str


class Floor(NamedTuple):
    """How loud nothing is.

    trials, moved      pairs of trials that ran on the same code, and how many of them differ
    median, largest    of their absolute differences
    cells              places with two seeds or more in the baseline
    spread             the difference that other seeds alone would bring to one of them (95 %): median
    widest             the same: largest
    """

    trials: int
    moved: int
    median: float
    largest: float
    cells: int
    spread: float
    widest: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Comparison:
    """What changed from a baseline to a candidate; `reports.pullrequest` writes it down."""

    names: tuple[str, str]
    unchanged: int
    cells: tuple[Change, ...]
    learners: tuple[Change, ...]
    failures: tuple[Failure, ...]
    mended: int
    floor: Floor
    apart: tuple[Apart, ...]

    @property
    def fell(self) -> bool:
        """Whether anything fell significantly or began to fail."""
        return bool(self.failures) or any(change.fell for change in (*self.cells, *self.learners))


def compare(before: ReportData, after: ReportData) -> Comparison:
    """Compare a baseline with a candidate.

    Raises CompareError where they have no trial in common, ReportError where one of them holds nothing.
    """
    return between(side(before), side(after), (before.store, after.store))


def side(data: ReportData) -> Side:
    """The trials of both footings, by the newest code of each."""
    rows = tidy(data).rows
    rows = rows[rows.arm.isin(["default", "tuned"])]
    scored = set(rows[rows.outcome.eq("ok") & rows.value.notna()].cell)
    unscored = set(rows[rows.outcome.eq("ok") & rows.value.isna()].cell) - scored
    found: Side = {}
    for row in rows.itertuples():
        arm = f"tuned, K={row.tuning_trials}" if row.arm == "tuned" else row.arm
        words = [f"{name}={_word(value)}" for name, value in sorted(row.difficulty.items())]
        words = words or ([] if row.rung is None else [f"{row.rung:g}"])
        place = Place(row.label, arm, row.suite, row.task, row.task_version or 0, " ".join([row.task, *words]))
        value = None if math.isnan(row.value) or row.cell in unscored else float(row.value)
        run = Run(value, row.outcome, row.reason or "", row.code_digest, row.env_digest)
        found.setdefault(place, {})[int(row.replicate)] = run
    return found


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)


def between(a: Side, b: Side, names: tuple[str, str]) -> Comparison:
    """Compare two sides; see `compare`."""
    both = {
        place: [(seed, a[place][seed], b[place][seed]) for seed in sorted(a[place].keys() & b[place])]
        for place in sorted(a.keys() & b)
    }
    every = [(place, *each) for place, runs in both.items() for each in runs]
    failures = tuple(
        Failure(place, seed, new.outcome, new.reason or "no reason given")
        for place, seed, old, new in every
        if old.outcome in RESULT and new.outcome in FAILED
    )
    pairs = {place: found for place, runs in both.items() if (found := _pairs(runs))}
    if not pairs and not failures:
        raise CompareError(nothing(a, b, names))
    changed = {place: found for place, found in pairs.items() if any(pair.moved for pair in found)}
    moved = {(place.label, place.arm) for place in changed}
    owners = {owner: [place for place in pairs if place[:2] == owner] for owner in sorted(moved)}
    spreads = {place: _spread([pair.before for pair in found]) for place, found in pairs.items()}
    return Comparison(
        names=names,
        unchanged=len(pairs) - len(changed),
        cells=_judged([_Ground(*place[:2], place.cell, {place: pairs[place]}, spreads[place]) for place in changed]),
        learners=_judged([_Ground(*owner, "", {place: pairs[place] for place in mine}) for owner, mine in owners.items()]),
        failures=failures,
        mended=sum(old.outcome in FAILED and new.outcome in RESULT for _, _, old, new in every),
        floor=_floor([(old, new) for *_, old, new in every], [x for x in spreads.values() if x is not None]),
        apart=absent(a, b),
    )


def _pairs(runs: Iterable[tuple[int, Run, Run]]) -> list[Pair]:
    """The pairs that have a value on both sides."""
    return [
        Pair(seed, old.value, new.value, (old.value, old.outcome) != (new.value, new.outcome))
        for seed, old, new in runs
        if old.value is not None and new.value is not None
    ]


# ---------------------------------------------------------------- tests


class _Ground(NamedTuple):
    """What a change is judged by: pairs, by place."""

    label: str
    arm: str
    cell: str
    pairs: dict[Place, list[Pair]]
    spread: float | None = None

    def units(self) -> tuple[list[Floats], Floats]:
        """By task, (before, after) of each seed, averaged over the rungs, (n, 2); and the weights of tasks.

        Tasks of a suite weigh the same, and so do suites. Seeds that lack on one of the rungs do not count.
        """
        tasks: dict[tuple[str, str], dict[int, list[tuple[float, float]]]] = {}
        for place, pairs in self.pairs.items():
            seeds = tasks.setdefault((place.suite, f"{place.task} {place.version}"), {})
            for pair in pairs:
                seeds.setdefault(pair.replicate, []).append((pair.before, pair.after))
        whole = [max(map(len, seeds.values())) for seeds in tasks.values()]
        units = [
            np.array([np.mean(values, axis=0) for _, values in sorted(seeds.items()) if len(values) == n])
            for seeds, n in zip(tasks.values(), whole, strict=True)
        ]
        return units, equal_weights([*tasks])


def _judged(grounds: Sequence[_Ground]) -> tuple[Change, ...]:
    """A family of changes, tested, corrected for their number, falls first."""
    if not grounds:
        return ()
    units = [ground.units() for ground in grounds]
    adjusted = holm(_flipped(units))
    flips = least_units(ALPHA / len(grounds))  # what Holm asks of the first, and so of any
    changes = []
    for ground, (tasks, weights), p in zip(grounds, units, adjusted, strict=True):
        before, after = (float(sum(w * unit[:, i].mean() for w, unit in zip(weights, tasks, strict=True))) for i in (0, 1))
        differences = [unit[:, 1] - unit[:, 0] for unit in tasks]
        difference, interval = mean_interval(differences, weights)
        changes.append(Change(
            label=ground.label, arm=ground.arm, cell=ground.cell, n=sum(map(len, tasks)), before=before, after=after,
            difference=difference, interval=interval, p=float(p), seeds=max(map(len, tasks)),
            least=math.ceil(flips / max(1, sum(bool(d.any()) for d in differences))), spread=ground.spread,
        ))  # fmt: skip
    return tuple(sorted(changes, key=lambda c: (not c.fell, not c.significant, c.difference, c.label, c.arm, c.cell)))


def _flipped(units: Sequence[tuple[list[Floats], Floats]]) -> Floats:
    """The p-value of each ground, by flipping the signs of its units."""
    flat = [
        np.concatenate([w / len(unit) * (unit[:, 1] - unit[:, 0]) for w, unit in zip(weights, tasks, strict=True)])
        for tasks, weights in units
    ]
    padded = np.array([*itertools.zip_longest(*flat, fillvalue=np.nan)]).T
    found: Floats = sign_flip_p(padded)
    return found


# ---------------------------------------------------------------- noise


def _spread(values: Sequence[float]) -> float | None:
    """How far the means of two runs with other seeds would be apart (95 %), by Student's t; None for one seed."""
    n = len(values)
    if n < 2:
        return None
    from scipy.special import stdtrit

    return float(stdtrit(n - 1, 1 - ALPHA / 2) * np.std(values, ddof=1) * math.sqrt(2 / n))


def _floor(every: Iterable[tuple[Run, Run]], spreads: Sequence[float]) -> Floor:
    """What the same code shows."""
    same = [(old.value, new.value) for old, new in every if old.code is not None and old.code == new.code]
    gaps = [abs(new - old) for old, new in same if old is not None and new is not None]
    median, largest = (float(np.median(gaps)), max(gaps)) if gaps else (0.0, 0.0)
    middle, widest = (float(np.median(spreads)), max(spreads)) if spreads else (0.0, 0.0)
    return Floor(len(gaps), sum(gap > 0 for gap in gaps), median, largest, len(spreads), middle, widest)
