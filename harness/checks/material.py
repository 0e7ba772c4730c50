"""What the checks work with: small generated lessons, learners of modest size, and the passes in which they are trained."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from harness.base import Learner
from harness.declare import Sizes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.state import Array

MODEST = 6
"""What a check puts in place of a larger whole number, where it stands at its default: Python is slow."""
ROWS = 64
"""Rows of a lesson, at most."""

AnyLearner = Learner | type[Learner]


class SkippedError(Exception):
    """A check has nothing to say of this learner; the message says why."""


class Lesson(NamedTuple):
    """A small generated task: signals X (n, ticks, d), targets Y (n, n_out), one-hot or values."""

    name: str
    X: Array
    Y: Array


class Step(NamedTuple):
    """One call of `live`: which rows, whether the target is told, and what `plastic` says."""

    rows: slice
    told: bool
    plastic: bool


def modest(learner: AnyLearner, **params: Any) -> Learner:
    """A fresh learner like this one, with whole numbers of modest size where it stands at the default, and with `params`."""
    instance = learner() if isinstance(learner, type) else learner
    given = instance.get_params()
    for name, field in instance.hypers().items():
        if is_size(field) and given[name] == field.default and given[name] > MODEST:
            given[name] = max(MODEST, field.metadata["low"])
    return type(instance)(**given | params)


def is_size(field: dataclasses.Field[Any]) -> bool:
    """Whether a hyperparameter counts something: units, layers, signals of a block."""
    return type(field.default) is int and not field.metadata["choices"] and not field.metadata["fit"]


def lessons(learner: Learner) -> list[Lesson]:
    """Lessons of every kind that the learner takes: blocks of them end in a short one, and no class is missing."""
    rng = np.random.default_rng(20)
    n = min(2 * int(getattr(learner, "block", 4)) + 3, ROWS)
    can, found = learner.can, []
    bits = np.array([[i >> 2 & 1, i >> 1 & 1, i & 1] for i in range(8)], float)
    table = Lesson("parity", bits[:, None], _targets(learner, bits.sum(1).astype(int) % 2, 1))
    if can.truth_tables:
        return [table, Lesson("counting", bits[:, None], _targets(learner, bits.sum(1).astype(int) % 3, 3))]
    classes = np.arange(n) % 3
    if "vector" in can.inputs:
        found += [
            Lesson("vectors", rng.normal(size=(n, 1, 5)), _targets(learner, classes, 3)),
            Lesson("pairs", rng.random((n, 1, 4)), _targets(learner, classes % 2, 1)),
            table,
        ]
    if "sequence" in can.inputs:
        found.append(Lesson("sequences", rng.normal(size=(n, 4, 3)), _targets(learner, classes, 3)))
    return found


def _targets(learner: Learner, classes: Array, n_out: int) -> Array:
    """Targets of the kind that the learner takes: classes as one-hot, values, or nothing as 0."""
    if "class" in learner.can.targets:
        return np.asarray(classes[:, None] == (np.arange(n_out) if n_out > 1 else 1), float)
    if "value" in learner.can.targets:
        return np.sin(classes[:, None] + np.arange(n_out))
    return np.zeros((len(classes), n_out))


@dataclasses.dataclass
class Course:
    """A lesson as one learner meets it: signals X (n, ticks, *shape), targets Y (n, ticks, n_out), the last tick taught."""

    lesson: Lesson
    X: Array
    Y: Array
    taught: Array
    alone: bool

    @property
    def n(self) -> int:
        """Rows."""
        return len(self.X)

    def steps(self, size: int | None = None) -> Iterator[Step]:
        """The calls of `live` in which the harness trains: all rows at once, or in parts of `size`.

        A rule that `respond` itself brings about goes first and sees no target; `learn` then reads it out.
        """
        size = size or self.n
        parts = [slice(start, min(start + size, self.n)) for start in range(0, self.n, size)]
        if self.alone:
            yield from (Step(rows, told=False, plastic=True) for rows in parts)
        yield from (Step(rows, told=True, plastic=not self.alone) for rows in parts)

    def take(self, learner: Learner, step: Step, *, python: bool = False) -> Array:
        """Let a learner live through one step; its responses, where the harness keeps them."""
        X = self.X[step.rows]
        if not step.told:
            return learner.live(X, plastic=True, python=python)
        return learner.live(X, self.Y[step.rows], self.taught, plastic=step.plastic, python=python)

    def study(self, learner: Learner, size: int | None = None, *, python: bool = False) -> Learner:
        """Let a learner live through all steps; return it."""
        for step in self.steps(size):
            self.take(learner, step, python=python)
        return learner

    def answers(self, learner: Learner) -> Array:
        """What a twin of the learner responds to every row."""
        return learner.fork().live(self.X)


def begun(learner: AnyLearner, lesson: Lesson, **params: Any) -> tuple[Learner, Course]:
    """A fresh learner of modest size, laid out for a lesson, and the lesson as it meets it."""
    fresh = modest(learner, **params)
    signals = fresh.signals(np.asarray(lesson.X, fresh.dtype))
    low, high = float(lesson.X.min()), float(lesson.X.max())
    fresh.begin(Sizes(signals.shape[2:], lesson.Y.shape[1], signals.shape[1], 1, low, high))
    ticks = fresh.task_.n_ticks
    Y = np.repeat(lesson.Y[:, None], ticks, axis=1).astype(fresh.dtype)
    return fresh, Course(lesson, signals, Y, np.arange(ticks) == ticks - 1, "plastic" in fresh.names("respond"))


def courses(learner: AnyLearner, **params: Any) -> Iterator[tuple[Learner, Course]]:
    """A fresh learner and its course for every lesson it can take."""
    for lesson in lessons(modest(learner, **params)):
        yield begun(learner, lesson, **params)


def lasting(learner: Learner) -> dict[str, Array]:
    """Copies of what must last: synapses, and what is declared homeostatic."""
    names = [s.array for s in learner.wiring()] + [n for n in learner.arrays() if n in learner.homeostatic]
    return {name: learner.arrays()[name].copy() for name in names}


def unlike(a: dict[str, Array], b: dict[str, Array]) -> list[str]:
    """The names of the arrays that are not the same, byte for byte."""
    return [name for name in a if a[name].tobytes() != b[name].tobytes()]


def agree(first: Learner, second: Learner, what: str) -> None:
    """Fail where two learners differ in any byte of their state."""
    if names := unlike(first.arrays(), second.arrays()):
        name = names[0]
        a, b = first.arrays()[name].ravel(), second.arrays()[name].ravel()
        gap = float(np.max(np.abs(a.astype(float) - b.astype(float))))
        raise AssertionError(f"{what}: {', '.join(names)} differ ({name} by up to {gap:.3g})")
