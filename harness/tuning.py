"""Tuning: each learner with something to tune tries the same number of settings, and validation data alone choose.

The first setting is the default; the others are points of a scrambled Sobol sequence over the ranges that the learner
declares, the same for all tasks. Each is tried on the rungs of a task with seeds that no report uses. The best then runs
in full: once more, with the seeds of the report. Test data and `score` take part in none of this.

Sobol', I. M. (1967). On the distribution of points in a cube and the approximate evaluation of integrals.
doi:10.1016/0041-5553(67)90144-9; scrambled: Owen, A. B. (1998). doi:10.1006/jcom.1998.0487
Equal budgets: Dodge, J. et al. (2019). Show your work. EMNLP. doi:10.18653/v1/D19-1224
"""

from __future__ import annotations

import dataclasses
import statistics
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from harness.metrics import normalised
from harness.noise import seed
from harness.settings import RequestError
from harness.trial import AXES, TUNING, Trial, label

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from harness.learner import Learner

REPLICATES = 1
"""Replicates in which a setting is tried on each rung."""
MOST = 1024
"""Settings that can be tried."""
DIGITS = 4
"""Significant digits of a setting."""
EXACT = 12
"""Digits of a mean that count: what comes after them is rounding, and must decide no tie."""

Row = dict[str, Any]
Field = dataclasses.Field[Any]


def number(given: Any) -> int:
    """How many settings are to be tried, if that can be."""
    if not isinstance(given, int) or isinstance(given, bool) or given == 1 or not 0 <= given <= MOST:
        raise RequestError(
            f"tune={given!r}: give the number of settings to try, 2 to {MOST}, the default among them; or 0 for no tuning."
        )
    return given


def space(cls: type[Learner], fixed: Iterable[str] = ()) -> dict[str, Field]:
    """The hyperparameters that tuning sets: all that declare where to look, but those that the user has fixed."""
    return {n: f for n, f in cls.hypers().items() if f.metadata["search"] is not None and n not in set(fixed)}


def settings(cls: type[Learner], fixed: dict[str, Any], k: int, given: Collection[str] = ()) -> list[dict[str, Any]]:
    """`k` settings to try: `fixed` and the defaults, then `fixed` and points of the space. Fewer are the first of more.

    given   what the task's ladder sets, so that there is nothing to search
    """
    from scipy.stats import qmc

    searched = space(cls, {*fixed, *given})
    sequence = qmc.Sobol(len(searched), rng=seed(TUNING, cls.__name__, *sorted(fixed.items())))
    points = sequence.random_base2((k - 2).bit_length())[: k - 1]
    found = [dict(zip(searched, map(value, searched.values(), map(float, point)), strict=True)) for point in points]
    return [{**fixed}, *({**fixed, **point} for point in found)]


def value(field: Field, u: float) -> Any:
    """The value at a share `u` in [0, 1) of a hyperparameter's range, or of its choices; each whole number has its share."""
    looked, log = field.metadata["search"], field.metadata["log"]
    if field.metadata["choices"] or isinstance(field.default, bool):
        return looked[int(u * len(looked))]
    whole = isinstance(field.default, int)
    low, high = looked[0], looked[1] + whole
    x = low * (high / low) ** u if log else low + u * (high - low)
    if whole:
        return min(int(x), looked[1])
    return float(min(max(float(f"{x:.{DIGITS}g}"), low), high))


def seeds(task: str, replicate: int) -> dict[str, int]:
    """A seed for each axis; no replicate of a report has any of them."""
    return {axis: seed(TUNING, axis, task, replicate) for axis in AXES}


@dataclasses.dataclass(frozen=True)
class Search:
    """One learner that is tuned for one task.

    fixed      what the user has set: it is not tuned
    settings   what is tried; the first is the default
    trials     for each setting, the trials that judge it
    stand_ins  the trials of the report as they would be with `fixed` alone: the winner's trials have their rungs and seeds
    """

    learner: str
    fixed: dict[str, Any]
    task: str
    settings: list[dict[str, Any]]
    trials: list[list[Trial]]
    stand_ins: list[Trial]

    @property
    def name(self) -> str:
        """`MLP[hidden=32] on logic/xor`."""
        return f"{label(self.learner, self.fixed)} on {self.task}"

    def report(self, choice: int | None) -> list[Trial]:
        """The trials of the chosen setting; while there is no choice, as many with keys that no row has."""
        if choice is None:
            return [msgspec.structs.replace(t, key=f"{self.name}, {i}") for i, t in enumerate(self.stand_ins)]
        tried = dict(tuned=True, tuning_trials=len(self.settings), fixed=self.fixed)
        return [msgspec.structs.replace(t, params=self.trials[choice][0].params, **tried).keyed() for t in self.stand_ins]


def search(
    cls: type[Learner], fixed: dict[str, Any], k: int, stand_ins: Sequence[Trial], given: Collection[str] = ()
) -> Search | None:
    """The search of a learner on the task of these trials; None where there is nothing to tune, or nothing to run.

    given   hyperparameters that the task's ladder sets
    """
    stand_ins = [t for t in stand_ins if not t.inapplicable]
    if not space(cls, {*fixed, *given}) or not stand_ins:
        return None
    first, defaults = stand_ins[0], {name: field.default for name, field in cls.hypers().items()}
    tried = settings(cls, fixed, k, given)
    protocol = msgspec.structs.replace(first.protocol, name=TUNING, validate=True)
    rungs = {repr(t.difficulty): t for t in stand_ins}.values()
    trials = [
        [
            msgspec.structs.replace(
                t, params={n: v for n, v in sorted(setting.items()) if v != defaults[n]}, protocol=protocol,
                replicate=replicate, seeds=seeds(t.task, replicate), fixed=fixed,
            ).keyed()
            for t in rungs
            for replicate in range(REPLICATES)
        ]
        for setting in tried
    ]  # fmt: skip
    return Search(first.learner, fixed, first.task, tried, trials, stand_ins)


def choose(search: Search, rows: Mapping[str, Row]) -> int | None:
    """Which setting won, by the last rows of its trials; None as long as one of them is missing, or was interrupted.

    The best mean of the chance-corrected score on validation data wins. A trial that failed or diverged counts as 0, as
    does one below chance. Of equals the one with fewer failures wins, then the one that comes first.
    """
    judged = []
    for i, trials in enumerate(search.trials):
        found = [rows.get(t.key) for t in trials]
        there = [row for row in found if row is not None and row["outcome"] != "interrupted"]
        if len(there) < len(trials):
            return None
        failures = sum(row["outcome"] != "ok" for row in there)
        mean = round(statistics.fmean(map(worth, there)), EXACT)
        judged.append((mean, -failures, -i))
    return -max(judged)[2]


def worth(row: Row) -> float:
    """The chance-corrected score of a row on validation data; 0 where it is below chance, or there is none."""
    if row["outcome"] != "ok":
        return 0.0
    corrected = normalised(row["score_valid"], row["extra"]["chance_valid"], row["ceiling"])
    return max(0.0, row["score_valid"] if corrected is None else corrected)


class Ahead(NamedTuple):
    """What searches lead to.

    known     the trials of the settings that have won, sorted by key
    unknown   as many as there will be of searches without a choice yet; no row has their keys
    chosen    which setting won, by name of the search; None where that is not known yet
    """

    known: list[Trial]
    unknown: list[Trial]
    chosen: dict[str, int | None]


def ahead(searches: Sequence[Search], rows: Mapping[str, Row]) -> Ahead:
    """What searches lead to, as far as the last rows by key tell."""
    chosen = {s.name: choose(s, rows) for s in searches}
    known = [t for s in searches if chosen[s.name] is not None for t in s.report(chosen[s.name])]
    unknown = [t for s in searches if chosen[s.name] is None for t in s.report(None)]
    return Ahead(sorted(known, key=lambda t: t.key), unknown, chosen)
