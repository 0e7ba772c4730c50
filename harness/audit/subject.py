"""A learner under audit: small, in double precision, run as Python, so that every write to a population is seen.

A subject lives through one sample again and again, each time from the same state and with the same noise; what is moved from
one time to the next is all that can differ. Nothing that is done to it leaves a mark: each run is a fork.
"""

from __future__ import annotations

import re
import zlib
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from harness.declare import Sizes, Synapse
from harness.state import finite
from harness.trace import Event, Script

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.base import Learner
    from harness.state import Array

SMALL = dict(bits=64, block=1, hidden=7, depth=2, loss="squared")
"""Settings of an audit, where a learner has such. Softmax would couple output units, which is no matter of the rule."""
INPUTS, OUTPUTS = 9, 4
WARM = 10
"""Samples lived through beforehand, so that no weight is 0 or equal to another as it may be at birth."""
LONGEST = 3
"""Samples that a learner may keep outside of its state and yet be audited: before each run that sample is lived as often."""
TOLERANCE = 1e-7
"""What counts as a deviation, over the largest value that a population held."""


class UnauditableError(Exception):
    """Why nothing can be said of a learner, or not by this probe."""


def draws(subject: Subject, word: str) -> np.random.Generator:
    """What a subject draws for a purpose: the same whatever was drawn before for others."""
    return np.random.default_rng([subject.seed, zlib.crc32(word.encode())])


class drawn(cached_property[Any]):  # noqa: N801 - it is written as `cached_property` is
    """A cached property of something with a `subject` that draws what it needs for itself, whoever asks first, and when."""

    def __get__(self, instance: Any, owner: type[Any] | None = None) -> Any:
        if instance is None:
            return self
        subject = instance.subject
        kept, subject.rng, runs = subject.rng, draws(subject, str(self.attrname)), subject.runs
        try:
            return super().__get__(instance, owner)
        finally:
            subject.rng = kept
            instance.shared += subject.runs - runs


class Run(NamedTuple):
    """One sample lived through: the trace, and the raw change of each array of weights, by name."""

    events: list[Event]
    changes: dict[str, Array]


class Effect(NamedTuple):
    """A step at which something differed: which step, of what, and which of its units or weights (a mask)."""

    step: int
    name: str
    kind: str
    units: Array

    @property
    def weights(self) -> bool:
        """It is a change of weights, not an activity."""
        return self.kind in ("change", "applied")


class Subject:
    """A learner laid out for an audit, the sample that it lives through, and how it does so undisturbed (`base`)."""

    def __init__(self, cls: type[Learner], params: dict[str, Any] | None = None, *, seed: int = 0, ticks: int = 0) -> None:
        """Lay out `cls` at the settings of an audit but for `params`; ticks = 0: as many as it says, or one, or four.

        Raises UnauditableError with the reason where it cannot be traced, or is not the same twice.
        """
        if not (hasattr(cls, "respond") and hasattr(cls, "learn")):
            raise UnauditableError(f"{cls.__name__} has no kernels of its own to look into")
        known: dict[str, Any] = {k: v for k, v in SMALL.items() if k in cls.hypers() and _valid(cls, k, v)}
        self.cls, self.seed = cls, seed
        self.params = known | {k: v for k, v in cls.audited.items() if k != "ticks"} | (params or {})
        self.rng = np.random.default_rng([seed, 5])
        self.runs = 0
        T = ticks or cls.audited.get("ticks") or (1 if "vector" in cls.can.inputs and not cls.can.whole else 4)
        self.task = Sizes((INPUTS,), OUTPUTS, T, 1, 0.0, 1.0)
        self.learner = cls(**self.params, random_state=seed).begin(self.task)
        self.task = self.learner.task_ if cls.can.whole else self.task  # a sequence is one signal then
        self.X, self.Y, self.taught = self.samples(WARM + 1)
        self.x, self.y = self.X[-1], self.Y[-1]
        with np.errstate(all="ignore"):
            self.learner.live(self.X[:-1], self.Y[:-1], self.taught, python=True)
        if "block" in cls.hypers():  # a sample is a block of its own, whatever it was warmed up in
            self.learner = self.learner.fork(block=1)
        if not self.learner.finite():
            raise UnauditableError(f"it diverged within {WARM} samples at {self.params}")
        self.wiring = [s for s in self.learner.wiring() if self.learner.arrays()[s.array].size]
        self.populations = [p for p in self.learner.activity() if self.learner.arrays()[p.array].size]
        self.kinds = {p.array: p.kind for p in self.populations}
        self.cells = {p.array: p.of for p in self.populations if p.of}
        self._check()
        self.echo = 0
        self.base = self.run()
        self._same()
        self.top = _tops(self.base.events)

    def samples(self, n: int) -> tuple[Array, Array, Array]:
        """Signals (n, ticks, inputs) between 0.1 and 1, one-hot targets (n, ticks, outputs), and the taught ticks: the last."""
        T = self.task.n_ticks
        X = 0.1 + 0.9 * self.rng.random((n, T, *self.task.shape))
        Y = np.repeat(np.eye(OUTPUTS)[np.arange(n) % OUTPUTS][:, None], T, axis=1)
        return X, Y, np.arange(T) == T - 1

    # ------------------------------------------------------------------ runs

    def run(
        self,
        weights: dict[str, Array] | None = None,
        script: Script | None = None,
        x: Array | None = None,
        y: Array | None = None,
    ) -> Run:
        """Live through the sample once, traced, with other weights, interventions, signal or target than usual.

        Raises UnauditableError where a value becomes NaN or infinite: of such a run nothing can be said.
        """
        for _ in range(self.echo):
            self._lived(weights, script, x, y)
        return self._lived(weights, script, x, y)

    def after(self, weights: dict[str, Array]) -> Run:
        """The usual sample, when the last were lived with other weights; what differs was kept outside of the state."""
        for _ in range(self.echo):
            self._lived(weights)
        return self._lived()

    def _lived(
        self,
        weights: dict[str, Array] | None = None,
        script: Script | None = None,
        x: Array | None = None,
        y: Array | None = None,
    ) -> Run:
        self.runs += 1
        sample = self.x if x is None else x, self.y if y is None else y, self.taught
        with np.errstate(all="ignore"):
            probe = self.learner.probe(*sample, trace=True, script=script, state=weights)
        changes = {s.array: probe.change(s.array) for s in self.wiring}
        wild = [e.name for e in probe.trace if not finite(e.vector)] + [name for name, d in changes.items() if not finite(d)]
        if wild:
            raise UnauditableError(f"a value of {wild[0]} became NaN or infinite in a run of the sample: it diverged")
        return Run(probe.trace, changes)

    def forced(self, weights: dict[str, Array] | None = None, shifts: dict[str, Array] | None = None) -> list[Effect]:
        """What single steps make of other weights, or of populations shifted: all activity is put back after each step."""
        return self.effects(self.run(weights, Script().replay(self.base.events, shifts)))

    def effects(self, run: Run, tolerance: float = TOLERANCE) -> list[Effect]:
        """Where a run differs from the base, step by step, as long as the steps are the same; then, at the step where not."""
        found, ended = [], len(run.events)
        for one, other in zip(self.base.events, run.events, strict=False):
            if (one.name, one.kind) != (other.name, other.kind):
                mask = self._own(other)
                found += [Effect(other.step, other.name, other.kind, mask)] if mask.any() else []
                break
            gap = np.abs(one.vector - other.vector)
            mask = ~(gap <= tolerance * self.top[one.name, one.kind])
            if mask.any():
                found.append(Effect(one.step, one.name, one.kind, mask))
        else:
            for missing in self.base.events[ended : ended + 1]:
                found.append(Effect(missing.step, missing.name, missing.kind, np.ones(missing.vector.size, bool)))
        return found

    def _own(self, event: Event) -> Array:
        """What a step that the base lacks has changed of its population, or weights."""
        held = [e.vector for e in self.base.events[: event.step] if (e.name, e.kind) == (event.name, event.kind)]
        if event.kind in ("change", "applied"):
            held = [np.zeros_like(event.vector)]
        top = self.top.get((event.name, event.kind), 0.0)
        own: Array = ~(np.abs(event.vector - held[-1]) <= TOLERANCE * top) if held else np.ones(event.vector.size, bool)
        return own

    def moved(self, array: str, rows: Iterable[int] | None = None, amount: float = 1.0) -> dict[str, Array]:
        """Weights of `array` moved at random, in these rows or all, by about `amount` times what they are."""
        W = self.learner.arrays()[array].copy()
        size = amount * (float(np.sqrt(np.mean(W**2))) or 1.0)
        step = size * self.rng.standard_normal(W.shape)
        if rows is None:
            W += step
        else:
            for row in rows:
                W[row] += step[row]
        return {array: W}

    def shift(self, population: str, units: Iterable[int] | None = None) -> dict[str, Array]:
        """A shift of a population at random, in these units or all: about as large as what it held; 1 for spikes."""
        size = self.size(population)
        if self.kinds[population] in ("spike", "binary"):
            step = np.ones(size)
        else:
            step = (self.top.get((population, self.kinds[population]), 0.0) or 1.0) * self.rng.uniform(0.3, 0.7, size)
        keep = np.ones(size, bool)
        if units is not None:
            keep[:] = False
            keep[list(units)] = True
        return {population: step * keep}

    def size(self, name: str) -> int:
        """Units of a population, or weights of an array."""
        return int(self.learner.arrays()[name].size)

    # ------------------------------------------------------------------ wiring

    @property
    def plastic(self) -> list[Synapse]:
        """Arrays that learn, biases apart."""
        return [s for s in self.wiring if s.plastic and s.role not in ("bias", "intrinsic")]

    @property
    def written(self) -> set[str]:
        """Populations that the sample wrote to."""
        return {e.name for e in self.base.events if e.kind not in ("change", "applied")}

    @property
    def hidden(self) -> set[str]:
        """Populations that synapses lead to and from."""
        return {s.post for s in self.wiring} & {s.pre for s in self.wiring}

    # ------------------------------------------------------------------ whether anything can be said

    def _check(self) -> None:
        arrays = self.learner.arrays()
        for s in self.wiring:
            for end, size in (s.post, len(arrays[s.array])), (s.pre, arrays[s.array][0].size):
                if end in ("1", "x") or end not in arrays or s.role == "bias":
                    continue
                if arrays[end].size % size:
                    raise UnauditableError(
                        f"array {s.array} is declared (post, pre) = ({s.post}, {s.pre}) and has shape {arrays[s.array].shape}, "
                        f"but {end} has {arrays[end].size} units"
                    )

    def _same(self) -> None:
        if not self.base.events:
            raise UnauditableError("no write to a declared population or synapse was seen")
        if _equal(self.base, self.run()):
            return
        self.echo = LONGEST  # it may keep samples that are gone, outside of its state: let those be this one, then
        self.base = self.run()
        self.run(x=self.x / 2, y=1 - self.y)
        if not _equal(self.base, self.run()):
            raise UnauditableError("two runs from one state, with one noise, differ: not deterministic under a fixed seed")


def _equal(one: Run, other: Run) -> bool:
    return len(one.events) == len(other.events) and all(
        a.name == b.name and np.array_equal(a.vector, b.vector, equal_nan=True)
        for a, b in zip(one.events, other.events, strict=True)
    )


def layer(name: str) -> int:
    """The layer in `W[2]`, or 0."""
    found = re.search(r"\[(\d+)\]", name)
    return int(found[1]) if found else 0


def _valid(cls: type[Learner], name: str, value: Any) -> bool:
    choices = cls.hypers()[name].metadata["choices"]
    return not choices or value in choices


def _tops(events: list[Event]) -> dict[tuple[str, str], float]:
    tops: dict[tuple[str, str], float] = {}
    for e in events:
        key = e.name, e.kind
        tops[key] = max(tops.get(key, 0.0), float(np.abs(e.vector).max(initial=0.0)))
    return tops
