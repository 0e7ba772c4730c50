"""What a rule costs, counted and not guessed.

The kernels run once more, as Python, on numbers that count what is done to them: a product or quotient is a
multiply-accumulate (MAC), whatever its factors are. (Left out are those of two results of `math` that no array held: a lone
sigmoid's quotient, and all that it takes to draw a number.) A learner that spikes counts for itself, event by event, in an array
`events` of its state: what arrives at synapses (accumulates, AC, for a spike is no factor), spikes, updates of state.
Joules are a model, no measurement: 45 nm, 4.6 pJ a MAC and 0.9 pJ an AC in float32, memory traffic left out (Horowitz 2014,
doi:10.1109/ISSCC.2014.6757323).
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from harness.base import Learner
    from harness.state import Array

PJ_MAC, PJ_AC = 4.6, 0.9
LARGEST = 1_000_000
"""Weights times ticks beyond which a count as Python would take longer than most trials: about a second."""
FEW = 5_000
"""Weights times ticks that are counted over all samples together: of a network one sample is enough, as all cost the same."""
ROWS = 16
"""Samples over which a count is averaged where there is time: a rule that learns from mistakes alone costs more at some."""
CUT = 256
"""Elements of each array on which an optimiser that goes through several of one length is counted, and twice as many."""


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


PRODUCTS = [0]
"""How many products there have been."""


class Tally(float):
    """A float that counts the products and quotients in which it takes part.

    A factor that is a whole number counts nothing: it is a flag or the constant 1 of a kernel.
    """

    __slots__ = ()

    def __mul__(self, other: Any) -> Tally:
        PRODUCTS[0] += type(other) is not int
        return Tally(float.__mul__(self, float(other)))

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Tally:
        PRODUCTS[0] += type(other) is not int
        return Tally(float.__truediv__(self, float(other)))

    def __rtruediv__(self, other: Any) -> Tally:
        PRODUCTS[0] += 1
        return Tally(float.__rtruediv__(self, float(other)))

    def __add__(self, other: Any) -> Tally:
        return Tally(float.__add__(self, float(other)))

    __radd__ = __add__

    def __sub__(self, other: Any) -> Tally:
        return Tally(float.__sub__(self, float(other)))

    def __rsub__(self, other: Any) -> Tally:
        return Tally(float.__rsub__(self, float(other)))

    def __neg__(self) -> Tally:
        return Tally(float.__neg__(self))

    def __abs__(self) -> Tally:
        return Tally(float.__abs__(self))

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> Any:
        """NumPy's scalars come here: `np.float64(2) * x`, `np.exp(x)`."""
        if any(isinstance(x, np.ndarray) for x in inputs):
            return NotImplemented
        PRODUCTS[0] += ufunc in (np.multiply, np.divide)
        result = getattr(ufunc, method)(*(float(x) if isinstance(x, Tally) else x for x in inputs), **keywords)
        return Tally(result) if isinstance(result, float | np.floating) else result


class Counting(np.ndarray):
    """An array of `Tally`: a plain number, such as `math` gives, counts again once it is written."""

    def __setitem__(self, index: Any, value: Any) -> None:
        super().__setitem__(index, Tally(value) if type(value) in (float, int) else value)

    def __array_function__(self, function: Any, types: Any, arguments: Any, keywords: Any) -> Any:
        """`np.dot(A, B, out)`: all its products at once, which is many times faster than one by one."""
        if function is not np.dot:
            return super().__array_function__(function, types, arguments, keywords)
        A, B, out = arguments
        PRODUCTS[0] += A.size * (B.shape[1] if B.ndim > 1 else 1)
        out[...] = _tally(np.dot(*(np.asarray(M, float) for M in (A, B))))
        return out


def count(learner: Learner, X: Array, Y: Array, taught: Array, samples: int) -> Counts:
    """Operations of `samples` samples of training and of one answer, on average over some of X (n, ticks, *shape).

    Y (n, ticks, n_out) is told at the ticks that `taught` (ticks,) marks. The learner is taken as it
    stands. Where nothing can be counted, as in a wrapped model, every count is None.
    """
    if "events" in learner.arrays():
        additions, spikes, updates, changed = (int(v) for v in learner.arrays()["events"])
        twin = learner.fork(events=np.zeros_like(learner.arrays()["events"]))
        twin.live(X, plastic=False)
        return Counts(0, additions + changed, 0, round(int(twin.arrays()["events"][0]) / len(X)), spikes, updates)
    weights = sum(learner.arrays()[s.array].size for s in learner.wiring())
    work = weights * X.shape[1]
    if not weights or work > LARGEST:
        return Counts()
    n = min(len(X), ROWS, max(1, FEW // work))
    try:
        infer, train = np.mean([tallied(learner, X[i], Y[i], taught) for i in range(n)], axis=0)
    except (ArithmeticError, AttributeError, TypeError, ValueError):  # kernels that arithmetic on objects cannot follow
        return Counts()
    return Counts(round(train * samples), 0, round(infer), 0, 0, None)


def tallied(learner: Learner, x: Array, y: Array, taught: Array) -> tuple[float, float]:
    """Products of one answer to x (ticks, *shape), and of learning from it too, with y (ticks, n_out).

    What serves a block of signals is shared out over the block: an update, and whatever two signals do not cost twice.
    """
    block = learner.task_.block
    infer, learning, update = _lived(learner, x, y, taught, 1)
    train = infer + learning
    if block > 1:
        two = sum(_lived(learner, x, y, taught, 2)[:2])
        train = two - train + (2 * train - two) / block
    return infer, train + update / block


def _lived(learner: Learner, x: Array, y: Array, taught: Array, block: int) -> tuple[float, float, float]:
    """Products of the answers to a block of so many signals, all of them x, of learning from them, and of one update."""
    twin = learner.fork(block=block) if "block" in learner.hypers() else learner.fork()
    respond, learn, rest = (getattr(type(twin), k) for k in ("respond", "learn", "rest"))
    plain = twin.layout_.arrays
    twin.layout_.arrays = plain | {
        k: _tally(plain[k]) for k in plain if any(k in twin.names(n) for n in ("respond", "learn", "rest"))
    }
    of_respond, of_learn, of_rest = (_named(twin, k) for k in ("respond", "learn", "rest"))
    out = _tally(np.zeros((block, twin.task_.n_out)))
    infer = learning = 0
    for t, tick in enumerate(x[None] if learner.can.whole else x):
        signal, target = (_tally(np.repeat(a[None], block, axis=0)) for a in (tick, y[t]))
        infer += _products(respond, signal, out, *of_respond)
        if taught[t]:
            heard = (target, signal) if twin.hears else (target,)
            learning += _products(learn, *heard, *of_learn)
    learning += _products(rest, True, *of_rest)  # noqa: FBT003 - the loop's own argument
    return infer, learning, _update(twin, plain) if block == 1 else 0


def _update(twin: Learner, arrays: dict[str, Array]) -> float:
    """Products of one `adapt`. Where it names nothing but vectors of one length, and counters, it takes each element alike."""
    named = [arrays[k] for k in twin.names("adapt") if k in arrays]
    lengths = {a.size for a in named if a.dtype.kind == "f"}
    alike = len(lengths) == 1 and all(a.ndim == 1 and (a.dtype.kind == "f" or a.size == 1) for a in named)

    def cut(n: int) -> int:
        twin.layout_.arrays = {k: _tally(a[:n] if alike and a.dtype.kind == "f" else a) for k, a in arrays.items()}
        return _products(type(twin).adapt, *_named(twin, "adapt"))

    size = max(lengths, default=0)
    if not alike or size <= 2 * CUT:
        return cut(size)
    once, twice = cut(CUT), cut(2 * CUT)
    return once + (twice - once) / CUT * (size - CUT)


def _named(twin: Learner, kernel: str) -> list[Any]:
    """What a kernel names, with plain floats for hyperparameters."""
    return [float(v) if isinstance(v, np.floating) else v for v in twin.named(kernel, {"plastic": True})]


def _products(kernel: Any, *arguments: Any) -> int:
    before = PRODUCTS[0]
    with np.errstate(over="ignore", invalid="ignore"):  # the counters of noise wrap round
        kernel(*arguments)
    return PRODUCTS[0] - before


def _tally(array: Array) -> Array:
    """Floats as numbers that count; other kinds as they are."""
    if array.dtype.kind != "f":
        return array.copy()
    counting = np.empty(array.shape, object)
    counting.ravel()[:] = [Tally(v) for v in array.ravel().tolist()]
    return counting.view(Counting)
