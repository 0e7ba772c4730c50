"""A sequence lived tick by tick by the kernels themselves, so that one can look, and move something, between two ticks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.audit.subject import Subject
    from harness.base import Learner
    from harness.state import Array


class Course(NamedTuple):
    """What a learner lives through: ticks of one sequence, or samples one after another where it is shown no sequences.

    X (ticks, *shape) and Y (ticks, n_out) go to the kernels one by one. `lone`: every tick is a sample of its own.
    """

    X: Array
    Y: Array
    lone: bool

    @property
    def ticks(self) -> int:
        """How many there are."""
        return len(self.X)


def course(subject: Subject, n: int) -> Course:
    """A course of so many ticks. A subject of sequences must have been laid out for as many."""
    X, Y, _ = subject.samples(n if lone(subject) else 1)
    shape = subject.learner.task_.shape
    return Course(X.reshape(-1, *shape), Y.reshape(-1, Y.shape[-1]), lone(subject))


def lone(subject: Subject) -> bool:
    """Whether time, to a learner, is one sample after another; it is shown no sequences, or takes one at once, as a sample."""
    return subject.task.n_ticks == 1 or subject.cls.can.whole


def respond(learner: Learner, signal: Array) -> None:
    """One tick of activity."""
    out = np.zeros((1, learner.task_.n_out), learner.dtype)
    with np.errstate(all="ignore"):
        type(learner).respond(signal[None], out, *learner.named("respond", {"plastic": True}))


def learn(learner: Learner, signal: Array, target: Array) -> None:
    """Plasticity at a taught tick."""
    heard = (signal[None],) if learner.hears else ()
    with np.errstate(all="ignore"):
        type(learner).learn(target[None], *heard, *learner.named("learn", {"plastic": True}))


def end(learner: Learner) -> None:
    """What comes after a taught sequence."""
    with np.errstate(all="ignore"):
        type(learner).rest(True, *learner.named("rest", {"plastic": True}))  # noqa: FBT003 - the contract's
        type(learner).adapt(*learner.named("adapt", {"plastic": True}))


def live(
    learner: Learner, path: Course, first: int = 0, last: int | None = None, *, taught: bool = True,
    seen: Callable[[int], None] | None = None,
) -> None:  # fmt: skip
    """Live the ticks from `first` to before `last`, every one taught or only the very last; `seen` is called after each."""
    for t in range(first, path.ticks if last is None else last):
        respond(learner, path.X[t])
        final = t == path.ticks - 1
        if taught or final or path.lone:
            learn(learner, path.X[t], path.Y[t])
        if path.lone:
            end(learner)
        if seen is not None:
            seen(t)
        if final and not path.lone:
            end(learner)


def plastic(learner: Learner) -> dict[str, Array]:
    """Weights that learn and the changes asked of them, as they now are; by array."""
    arrays = learner.arrays()
    names = [name for s in learner.wiring() if s.plastic for name in (s.array, "d" + s.array) if name in arrays]
    return {name: arrays[name].copy() for name in names}


class Credit(NamedTuple):
    """By array: after how many ticks it first feels what happened at one, which were tried; and what changed too early."""

    lag: dict[str, int]
    ticks: int
    foreseen: list[str]


def credit(subject: Subject, n: int) -> Credit:
    """When the weights, or what they are asked to change by, first differ after signal and target of one tick were others.

    Of `n` ticks each is tried, from the second on, until one is felt. The end of a sequence is a tick of its own.
    """
    path = course(subject, n)
    base = states(subject, path)
    lag: dict[str, int] = {}
    foreseen: set[str] = set()
    for t in range(1, n - 1):
        X, Y = path.X.copy(), path.Y.copy()
        X[t], Y[t] = 1.1 - X[t], np.roll(Y[t], 1)
        other = states(subject, path._replace(X=X, Y=Y))
        for when, (one, two) in enumerate(zip(base, other, strict=True)):
            for name in (name for name in one if not np.array_equal(one[name], two[name], equal_nan=True)):
                if when < t:
                    foreseen.add(name)
                if when <= t or not path.lone or not (_idle(base, name, t) and _idle(other, name, t)):
                    lag.setdefault(name, when - t)
        if lag:
            break
    return Credit(lag, n, sorted(foreseen))


def _idle(course: list[dict[str, Array]], name: str, t: int) -> bool:
    """Whether a sample taught an array nothing at all, as that of cells that are shut: it cannot say when it would have."""
    raw = name if name[:1] == "d" and name[1:] in course[t] else "d" + name
    if raw in course[t]:
        return not np.any(course[t][raw])
    return np.array_equal(course[t][name], course[t - 1][name])


def states(subject: Subject, path: Course) -> list[dict[str, Array]]:
    """What `plastic` gives after each tick, and at the end."""
    learner, found = subject.learner.fork(), []
    live(learner, path, seen=lambda _: found.append(plastic(learner)))
    subject.runs += 1
    return [*found, plastic(learner)]
