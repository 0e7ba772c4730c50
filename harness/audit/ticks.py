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
    """What a learner lives through: ticks of one sequence, or samples one after another where it takes no sequences.

    X (ticks, *shape) and Y (ticks, n_out) go to the kernels one by one. `lone`: every tick is a sample of its own.
    """

    X: Array
    Y: Array
    lone: bool

    def __len__(self) -> int:
        return len(self.X)


def course(subject: Subject, n: int) -> Course:
    """A course of so many ticks. A subject of sequences must have been laid out for as many."""
    X, Y, _ = subject.samples(n if lone(subject) else 1)
    shape = subject.learner.task_.shape
    return Course(X.reshape(-1, *shape), Y.reshape(-1, Y.shape[-1]), lone(subject))


def lone(subject: Subject) -> bool:
    """Whether time, to a learner, is one sample after another; it takes no sequences, or takes one at once, as a sample."""
    return "vector" in subject.cls.can.inputs or subject.cls.can.whole


def start(subject: Subject) -> Learner:
    """A twin of the learner that may be moved."""
    return subject.learner.fork(block=1) if "block" in subject.params else subject.learner.fork()


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
    for t in range(first, len(path) if last is None else last):
        respond(learner, path.X[t])
        final = t == len(path) - 1
        if taught or final or path.lone:
            learn(learner, path.X[t], path.Y[t])
        if final or path.lone:
            end(learner)
        if seen is not None:
            seen(t)


def plastic(learner: Learner) -> dict[str, Array]:
    """Weights that learn and the changes asked of them, as they now are; by array."""
    arrays = learner.arrays()
    names = [name for s in learner.wiring() if s.plastic for name in (s.array, "d" + s.array) if name in arrays]
    return {name: arrays[name].copy() for name in names}
