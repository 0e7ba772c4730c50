"""Storage: how much must be remembered, as time goes on, to learn from it?

After T ticks one scalar of the state is changed by 1, one more tick is lived, and the sequence ends; if the change of any weight
is another than without, the scalar is live. S(T) counts live scalars: what is used of memory, not what is laid out, so that a
buffer as long as the longest sequence deceives nobody. Only what the ticks have written is tried, of large arrays some evenly
spread; not counted are weights themselves, the changes asked of them so far, and streams of noise. Time is the ticks of a
sequence, of which the last is taught; to learners that take no sequences, samples one after another. One that reads a sequence
as one signal is changed between its answer and its learning, for then it holds all there is.

The statistic is b of S ~ T^b: 0 for traces at synapses (RFLO, e-prop: n n scalars) and for the influences of all weights on all
cells (RTRL: n n n), 1 for a tape of activities (back-propagation through time), up to 2 for attention, which in addition holds
every token to answer at all (`detail: answer`). A full audit gives the exponent in n as well, where a size can be set.

PASS: b < 0.1. FAIL: b > 0.7. INCONCLUSIVE between.

Williams, R. J. & Zipser, D. (1995). Gradient-based learning algorithms for recurrent networks and their computational complexity.
Murray, J. M. (2019). Local online learning in recurrent networks with random feedback. eLife 8, e43299. doi:10.7554/eLife.43299
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from harness.audit import ticks
from harness.audit.evidence import Finding, Witness
from harness.audit.subject import UnauditableError

if TYPE_CHECKING:
    from harness.audit.case import Case
    from harness.audit.subject import Subject
    from harness.base import Learner
    from harness.state import Array

LENGTHS = (4, 8, 16), (4, 8, 16, 32, 64)
"""Numbers of ticks after which a fast audit and a full one count."""
SAMPLES = 4, 16, 64
"""Numbers of samples after which both do, where time is one sample after another."""
COURSES = 4
"""Courses over which they average where numbers differ: a threshold is crossed by what is live in some states alone."""
TRIED = 12, 100
"""Scalars of an array that they try, at most."""
SIZES = 4, 8, 16
"""Cells with which a full audit counts."""
CONSTANT, LINEAR = 0.1, 0.7
"""Exponents below which storage does not grow, and above which it grows with time."""


class Held(NamedTuple):
    """Live scalars by array, how many scalars were held while it answered, and whether any weight changed in the end."""

    live: dict[str, float]
    answer: int
    learns: bool

    @property
    def total(self) -> float:
        """S."""
        return sum(self.live.values())


class Store:
    """A learner after T ticks, and what becomes of it if something in it is changed."""

    def __init__(self, subject: Subject, T: int, tried: int) -> None:
        self.subject, self.tried = subject, tried
        self.whole = subject.cls.can.whole
        self.path = ticks.course(subject, 1 if self.whole else T + 1)
        self.learner = subject.learner.fork()
        skipped = {"noise"} | {name for s in subject.learner.wiring() for name in (s.array, "d" + s.array)}
        self.written = {k: np.zeros(a.size, bool) for k, a in self.learner.arrays().items() if k not in skipped}
        before = {k: a.copy() for k, a in self.learner.arrays().items()}

        def seen(_: int = 0) -> None:
            for name, mask in self.written.items():
                mask |= (self.learner.arrays()[name] != before[name]).ravel()

        if self.whole:
            ticks.respond(self.learner, self.path.X[0])
            seen()
        else:
            ticks.live(self.learner, self.path, 0, T, taught=False, seen=seen)
        self.base = self.outcome({})
        self.learns = self.base is not None and any(np.any(change) for change in self.base.values())

    def outcome(self, moved: dict[str, Array]) -> dict[str, Array] | None:
        """The changes of weights at the end, with scalars moved by 1 (flat indices, by array); None where it failed."""
        self.subject.runs += 1
        learner = self.learner.fork()
        for name, where in moved.items():
            learner.arrays()[name].flat[where] += np.asarray(1, learner.arrays()[name].dtype)
        before = {s.array: learner.arrays()[s.array].copy() for s in learner.wiring()}
        try:
            if self.whole:
                ticks.learn(learner, self.path.X[0], self.path.Y[0])
                ticks.end(learner)
            else:
                ticks.live(learner, self.path, self.path.ticks - 1)
        except Exception:  # noqa: BLE001 - an index moved out of its array, say: it was needed
            return None
        arrays = learner.arrays()
        return {k: arrays.get("d" + k, arrays[k] - w).copy() for k, w in before.items()}

    def matters(self, moved: dict[str, Array]) -> bool:
        """Whether the outcome is another."""
        found = self.outcome(moved)
        return found is None or self.base is None or any(not np.array_equal(found[k], self.base[k]) for k in found)

    def count(self) -> Held:
        """Live scalars of every array; arrays none of which matters are found together."""
        where = {name: np.flatnonzero(mask) for name, mask in self.written.items() if mask.any()}
        live: dict[str, float] = {}
        left = [list(where)]
        while left:
            names = left.pop()
            if not names or not self.matters({name: where[name] for name in names}):
                continue
            if len(names) > 1:
                left += [names[: len(names) // 2], names[len(names) // 2 :]]
                continue
            (name,) = names
            spread = np.linspace(0, where[name].size - 1, min(where[name].size, self.tried)).round().astype(int)
            hits = sum(self.matters({name: where[name][[k]]}) for k in spread)
            live[name] = hits / spread.size * where[name].size
        return Held(live, sum(w.size for w in where.values()), self.learns)


def exponent(xs: Any, ys: Any) -> float:
    """b of y ~ x^b; 0 where nothing is held at all."""
    ys = np.asarray(ys, float)
    return 0.0 if not ys.any() else float(np.polyfit(np.log(xs), np.log(np.maximum(ys, 1.0)), 1)[0])


def alone(case: Case) -> bool:
    """Whether time is one sample after another."""
    return ticks.lone(case.subject) and not case.cls.can.whole


def counted(case: Case, T: int, **params: Any) -> Held:
    """Live scalars after T ticks."""
    one = alone(case)
    subject = case.subject if one and not params else case.fresh(ticks=0 if one else T + (not case.cls.can.whole), **params)
    return Store(subject, T, TRIED[not case.fast]).count()


def size_name(cls: type[Learner]) -> str:
    """The hyperparameter that says how many cells there are, or nothing."""
    return next((name for name in ("units", "hidden", "width") if name in cls.hypers()), "")


def probe(case: Case) -> Finding:
    """How storage grows with time."""
    lengths = SAMPLES if alone(case) else LENGTHS[not case.fast]
    held = [counted(case, T) for T in lengths]
    if not any(h.learns for h in held):
        raise UnauditableError("no weight changed, whatever was told")
    S = [h.total for h in held]
    if alone(case) and len(set(S)) > 1:
        again = [[counted(case, T).total for T in lengths] for _ in range(COURSES - 1)]
        S = np.mean([S, *again], axis=0).tolist()
    b = exponent(lengths, S)
    label = "constant" if b < CONSTANT else "linear" if b > LINEAR else "between"
    whole = case.cls.can.whole
    detail: dict[str, Any] = dict(
        T=list(lengths), S=S, arrays=held[-1].live, label=label,
        unit="tokens" if whole else "ticks" if case.subject.task.n_ticks > 1 else "samples",
        allocated=int(case.subject.learner.state_bytes),
    )  # fmt: skip
    if whole:
        detail["answer"] = [h.answer for h in held]
    name = size_name(case.cls)
    if not case.fast and name and name not in case.given and any(S):
        sizes = [counted(case, lengths[0], **{name: n}).total for n in SIZES]
        detail |= dict(n=list(SIZES), S_of_n=sizes, exponent_in_n=exponent(SIZES, sizes))
    most = max(held[-1].live, key=lambda k: held[-1].live[k], default="")
    now = f"{S[0]:.0f} scalars after {lengths[0]} {detail['unit']}, {S[-1]:.0f} after {lengths[-1]}"
    reason = {
        "constant": f"What it must remember does not grow with time: {now}.",
        "linear": f"What it must remember grows with time, most in {most}: {now}.",
        "between": f"Growth is between none and linear: {now}.",
    }[label]
    return Finding(
        criterion="storage", verdict={"constant": "PASS", "linear": "FAIL"}.get(label, "INCONCLUSIVE"), value=b,  # type: ignore[arg-type]
        statistic="exponent b of live scalars S ~ T^b", noise_floor=0.0, threshold=LINEAR, limit_of_detection=CONSTANT,
        detail=detail, reason=reason, witness=Witness(array=most) if label == "linear" else None,
    )  # fmt: skip
