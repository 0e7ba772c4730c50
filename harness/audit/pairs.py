"""Signals of one sign each that, two by two, give a change of weights its sign: found by holding them at 0.

What a target makes of a sample is compared over several targets. `explained` is what `harness.audit.signed_teaching` asks for.
"""

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from harness.audit.subject import TOLERANCE, Run
from harness.trace import Script, Tracer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from harness.audit.subject import Subject
    from harness.base import Learner
    from harness.state import Array

FAR = 6
"""Targets that are no class, and lie far away."""


class Part(NamedTuple):
    """A signal of one sign: a population, and which of the presentations that it holds; None for all."""

    population: str
    slot: int | None


class Axon(NamedTuple):
    """One cell of a signal: what others hear of it."""

    part: Part
    unit: int

    def of(self, lines: Array) -> Array:
        """Its values among those of its population (presentations, units)."""
        found: Array = lines[slice(None) if self.part.slot is None else slice(self.part.slot, self.part.slot + 1), self.unit]
        return found


class Edited(Tracer):
    """A tracer that does something of its own to populations whenever a step has written them."""

    edits: dict[str, Callable[[Array], None]]

    def close(self) -> None:
        """Edit, then go on as usual."""
        if self.active is not None and self.active.name in self.edits:
            self.edits[self.active.name](self.active.array)
        super().close()


def targets(subject: Subject) -> list[Array]:
    """Every class in turn, as a target (ticks, n_out)."""
    K = subject.task.n_out
    return [np.repeat(row[None], subject.task.n_ticks, axis=0) for row in np.eye(K)]


def odd_targets(subject: Subject, run: Run) -> list[Array]:
    """Targets far away, and what the output said in this run; none below 0, for a target may be the activity of cells."""
    T, K = subject.task.n_ticks, subject.task.n_out
    rng = np.random.default_rng([subject.seed, 32])
    far = 3 * np.abs(rng.standard_normal((FAR, 1, K))) * (rng.random((FAR, 1, K)) < 0.5)
    ends = {s.post for s in subject.wiring} - {s.pre for s in subject.wiring}
    said = [np.maximum(e.vector, 0) for e in run.events if e.name in ends and e.vector.size == K][-1:]
    return [np.repeat(y, T, axis=0) for y in (*far, *(v[None] for v in said))]


def depends(values: list[Array]) -> bool:
    """Whether they differ, one from another."""
    top = float(np.max(np.abs(values), initial=0.0))
    return any(np.any(np.abs(v - values[0]) > TOLERANCE * top) for v in values)


def both_signs(values: list[Array]) -> Array:
    """Where values take both signs."""
    top = TOLERANCE * float(np.max(np.abs(values), initial=0.0))
    both: Array = np.any([v > top for v in values], axis=0) & np.any([v < -top for v in values], axis=0)
    return both


def held_by(runs: list[Run], p: str) -> list[Array]:
    """What a population held, step by step; of steps in a row the last: what it held before, within itself, was never sent."""
    found = []
    for run in runs:
        steps = [e for e in run.events if e.kind not in ("change", "applied")]
        after = [e.name for e in steps[1:]] + [""]
        found += [e.vector for e, following in zip(steps, after, strict=True) if e.name == p != following]
    return found


def parts(subject: Subject, grid: list[list[Run]]) -> list[Part]:
    """Errors, and what feedback synapses lead from, of one sign, that vary with the target; and modulators of one sign."""
    found = []
    senders = {s.pre for s in subject.wiring if s.role == "feedback"}
    for p in subject.populations:
        if p.array not in subject.written or not (p.kind in ("error", "modulator") or p.array in senders):
            continue
        shape = subject.learner.arrays()[p.array].shape
        slots = int(np.prod(shape[:-1])) if len(shape) > 1 else 1
        held = [[v.reshape(slots, -1) for v in held_by(runs, p.array)] for runs in grid]
        for slot in range(slots):
            values = np.array([v[slot] for runs in held for v in runs])
            if values.min() < 0 < values.max() or not values.any():
                continue
            varies = any(_varies(runs, p.array, slot, slots) for runs in grid)
            if varies or p.kind == "modulator":
                found.append(Part(p.array, slot if slots > 1 else None))
    return found


def _varies(runs: list[Run], p: str, slot: int, slots: int) -> bool:
    held = [np.array([v.reshape(slots, -1)[slot] for v in held_by([run], p)]) for run in runs]
    return any(h.shape != held[0].shape for h in held) or depends(held)


def explained(
    subject: Subject, x: Array, grid: list[list[Run]], flips: dict[str, Array], states: list[dict[str, Array]]
) -> dict[str, tuple[Part, Part]]:
    """By array: two signals of one sign each, either of which alone leaves changes of one sign, and both together no teaching.

    Of every synapse whose change takes both signs (`flips`), one signal must leave the one sign, and the other the other. Each
    is tried in all `states` of the weights.
    """
    ys = [*targets(subject), *odd_targets(subject, grid[0][0])][: len(grid[0])]
    candidates = parts(subject, grid)

    def left(*held: Part) -> list[dict[str, Array]]:
        return [silenced(subject, held, x, y, weights).changes for weights in states for y in ys]

    n = len(ys)
    alone = {part: left(part) for part in candidates}
    both: dict[tuple[Part, Part], list[dict[str, Array]]] = {}
    found = {}
    for K, flipped in flips.items():
        signs = {part: _one_sign([changes[K] for changes in alone[part]], n) for part in candidates}
        for pair in sorted(itertools.combinations(candidates, 2), key=lambda pair: pair[0].population != pair[1].population):
            one, other = (signs[part] for part in pair)
            if one is None or other is None or not np.all(_opposite(one, other)[flipped]):
                continue
            if pair not in both:
                both[pair] = left(*pair)
            if not any(depends([changes[K] for changes in both[pair][i : i + n]]) for i in range(0, len(both[pair]), n)):
                found[K] = pair
                break
    return found


def _one_sign(values: list[Array], n: int) -> Array | None:
    """The sign of each synapse's changes by state, of n values each, where none takes both in any state and there are any."""
    states = [values[i : i + n] for i in range(0, len(values), n)]
    if any(both_signs(state).any() for state in states):
        return None
    signs: Array = np.sign([np.sum(np.sign(state), axis=0) for state in states])
    return signs if signs.any() else None


def _opposite(one: Array, other: Array) -> Array:
    """Which synapses have the one sign by one signal and the other by the other, in one state or in different ones."""
    meet = one * other
    steady = [np.abs(signs).max(0) == np.abs(signs.sum(0)) / np.maximum(np.abs(signs).sum(0), 1) for signs in (one, other)]
    apart = steady[0] & steady[1] & (np.sign(one.sum(0)) * np.sign(other.sum(0)) < 0)
    opposite: Array = np.all(meet <= 0, axis=0) & (np.any(meet < 0, axis=0) | apart)
    return opposite


def silenced(
    subject: Subject, held: Iterable[Part], x: Array, y: Array, weights: dict[str, Array], spared: Axon | None = None
) -> Run:
    """One sample with signals held at 0, but for the axon that is spared, and with other weights."""
    arrays = subject.learner.arrays()
    whole = {part.population: np.zeros_like(arrays[part.population]) for part in held if part.slot is None}
    edits: dict[str, Callable[[Array], None]] = {}
    for name in {part.population for part in held}:
        slots = [part.slot for part in held if part.population == name]
        edits[name] = functools.partial(_hush, slots, spared if spared is not None and spared.part.population == name else None)
    return live(subject, subject.learner.fork(**weights, **whole), edits, x, y)


def _hush(slots: list[int | None], spared: Axon | None, array: Array) -> None:
    lines = array.reshape(-1, array.shape[-1])
    kept = None if spared is None else spared.of(lines).copy()
    for slot in slots:
        lines[slice(None) if slot is None else slot] = 0
    if spared is not None:
        spared.of(lines)[...] = kept


def live(subject: Subject, twin: Learner, edits: dict[str, Callable[[Array], None]], x: Array, y: Array) -> Run:
    """One sample of a learner, which it keeps, with populations edited whenever they are written."""
    subject.runs += 1
    before = {k: a.copy() for k, a in twin.arrays().items()}
    tracer = Edited(twin.layout_, twin.activity(), twin.wiring(), Script())
    tracer.edits = edits
    with tracer, np.errstate(all="ignore"):
        twin.live(x[None], y[None], subject.taught, python=True)
    after = twin.arrays()
    changes = {s.array: after.get("d" + s.array, after[s.array] - before[s.array]).copy() for s in subject.wiring}
    return Run(tracer.events, changes)


def word(part: Part) -> str:
    """A signal by name."""
    return part.population if part.slot is None else f"{part.population}, presentation {part.slot + 1}"
