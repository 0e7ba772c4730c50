"""What a rule costs, counted and not guessed.

The kernels run once more, as Python, on numbers that count what is done to them: a product of two graded numbers is a
multiply-accumulate (MAC). A learner that spikes counts for itself, event by event, in an array `events` of its state: what
arrives at synapses (accumulates, AC, for a spike is no factor), spikes, updates of state. Joules are a model, no measurement:
45 nm, 4.6 pJ a MAC and 0.9 pJ an AC in float32, memory traffic left out (Horowitz 2014, doi:10.1109/ISSCC.2014.6757323).
"""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import numpy as np

from harness.base import Learner
from harness.state import Array

PJ_MAC, PJ_AC = 4.6, 0.9
LARGEST = 300_000
"""Weights beyond which a count as Python would take longer than most trials."""


@dataclasses.dataclass
class Counts:
    """Operations of a whole training and of one answer; None where they were not counted."""

    mac_train: int | None = None
    ac_train: int | None = None
    mac_infer: int | None = None
    ac_infer: int | None = None
    spikes: int | None = None
    state_updates: int | None = None

    @property
    def train_total(self) -> int | None:
        """MACs and ACs of training together."""
        parts = [x for x in (self.mac_train, self.ac_train) if x is not None]
        return sum(parts) if parts else None

    def columns(self) -> dict[str, Any]:
        """As columns of a result, with the joules of training by model."""
        total = self.train_total
        joules = None if total is None else 1e-12 * (PJ_MAC * (self.mac_train or 0) + PJ_AC * (self.ac_train or 0))
        return dataclasses.asdict(self) | dict(joules_model=joules)


class Tally(float):
    """A float that counts the products in which it takes part."""

    __slots__ = ()
    __array_ufunc__ = None
    products: ClassVar[int] = 0

    def __mul__(self, other: Any) -> Tally:
        Tally.products += 1
        return Tally(float(self) * float(other))

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Tally:
        Tally.products += 1
        return Tally(float(self) / float(other))

    def __rtruediv__(self, other: Any) -> Tally:
        Tally.products += 1
        return Tally(float(other) / float(self))

    def __add__(self, other: Any) -> Tally:
        return Tally(float(self) + float(other))

    __radd__ = __add__

    def __sub__(self, other: Any) -> Tally:
        return Tally(float(self) - float(other))

    def __rsub__(self, other: Any) -> Tally:
        return Tally(float(other) - float(self))

    def __neg__(self) -> Tally:
        return Tally(-float(self))


def count(learner: Learner, X: Array, Y: Array, taught: Array, samples: int) -> Counts:
    """Operations of `samples` samples of training and of one answer, from one sample x (1, ticks, *shape), y (1, ticks, n_out)."""
    if not hasattr(learner, "layout_"):
        return Counts()
    if "events" in learner.layout_:
        additions, spikes, updates, changed = (int(v) for v in learner.arrays()["events"])
        twin = learner.fork(events=np.zeros(4, np.int64))
        twin.live(X, plastic=False) if "plastic" in twin.names("respond") else twin.live(X)
        return Counts(0, additions + changed, 0, int(twin.arrays()["events"][0]), spikes, updates)
    weights = sum(learner.arrays()[s.array].size for s in learner.wiring())
    if weights * X.shape[1] > LARGEST:
        return Counts()
    infer, train = tallied(learner, X[0], Y[0], taught)
    return Counts(train * samples, 0, infer, 0, 0, None)


def tallied(learner: Learner, x: Array, y: Array, taught: Array) -> tuple[int, int]:
    """Products of one answer to x (ticks, *shape), and of learning from it too, with y (ticks, n_out).

    An update that serves a block of signals is counted once for the block, and shared out over it.
    """
    block = learner.task_.block
    twin = learner.fork(block=1) if "block" in learner.hypers() else learner.fork()
    kernels = {k: getattr(type(twin), k) for k in ("respond", "learn", "rest", "adapt")}
    twin.layout_.arrays = {k: _tally(a) for k, a in twin.layout_.arrays.items()}
    named = {k: [float(v) if isinstance(v, np.floating) else v for v in twin.named(k, {"plastic": True})] for k in kernels}
    x = x[None] if learner.can.whole else x
    out = _tally(np.zeros((1, twin.task_.n_out)))
    spent = dict.fromkeys(kernels, 0)
    for t, signal in enumerate(x):
        block_of_one, target = _tally(signal[None]), _tally(y[t][None])
        spent["respond"] += _products(kernels["respond"], block_of_one, out, *named["respond"])
        if taught[t]:
            heard = (target, block_of_one) if twin.hears else (target,)
            spent["learn"] += _products(kernels["learn"], *heard, *named["learn"])
    spent["rest"] = _products(kernels["rest"], True, *named["rest"])  # noqa: FBT003 - the loop's own argument
    spent["adapt"] = _products(kernels["adapt"], *named["adapt"])
    return spent["respond"], spent["respond"] + spent["learn"] + spent["rest"] + spent["adapt"] // block


def _products(kernel: Any, *arguments: Any) -> int:
    before = Tally.products
    kernel(*arguments)
    return Tally.products - before


def _tally(array: Array) -> Array:
    """Floats as numbers that count; other kinds as they are."""
    if array.dtype.kind != "f":
        return array.copy()
    counting = np.empty(array.shape, object)
    counting.ravel()[:] = [Tally(v) for v in array.ravel().tolist()]
    return counting
