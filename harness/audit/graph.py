"""What acts on what, directly, from one step to the next: found by moving one thing at a time while all else is put back.

A population is shifted, all of it and then one unit; an array of weights is moved, all of it, one row, and one synapse. What
then differs in a step is the work of that one thing in that one step. The physics of a network of neurons allows little:

* P1, a weight acts on its own post-synaptic unit, and on nothing else;
* P2, a unit acts on other cells only along a synapse that is declared, or as a modulator that all may feel;
* P3, a change of a weight depends on that synapse, its two cells, and modulators.

Which populations are signals of the same cells is found in `harness.audit.cells`.
"""

from __future__ import annotations

import itertools
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.audit.cells import Cells, Nudges, Offence
from harness.audit.subject import Effect, drawn
from harness.trace import Script

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.audit.subject import Run
    from harness.state import Array

__all__ = ["Graph", "Offence", "describe"]

TRIED = 2
"""Single units of a population, or rows of an array, that are moved on their own."""

AMOUNTS = 1.0, 10.0, -10.0, 100.0
"""By how many times what they are weights are moved, until something is felt."""
ALIKE = 1e-6
"""Strengths that differ by less than this share are one."""


class Graph(Cells):
    """The direct effects in one sample of a subject."""

    # ------------------------------------------------------------------ interventions

    @drawn
    def shifted(self) -> dict[str, list[Effect]]:
        """By population: the effects of shifting all its units."""
        return {q: self.subject.forced(shifts=self.subject.shift(q)) for q in self.names}

    @drawn
    def nudged(self) -> Nudges:
        """By population: a unit, and the effects of shifting it alone; a few times; of the signal, if synapses begin there."""
        found: Nudges = {}
        for q in (*self.names, *self.external):
            n = self.units(q)
            for v in self.subject.rng.choice(n, min(TRIED, n), replace=False):
                found.setdefault(q, []).append((int(v), self._nudge(q, int(v))))
        return found

    def _nudge(self, q: str, unit: int) -> list[Effect]:
        if q not in self.external:
            return self.subject.forced(shifts=self.subject.shift(q, range(unit, self.subject.size(q), self.units(q))))
        x = self.subject.x.copy()
        x.reshape(len(x), -1)[:, unit] *= 1.5
        return self.subject.effects(self.forced(x=x))

    def forced(self, weights: dict[str, Array] | None = None, x: Array | None = None, y: Array | None = None) -> Run:
        """A run with other weights, signal or target in which all activity is put back after each step."""
        return self.subject.run(weights, Script().replay(self.subject.base.events), x, y)

    @drawn
    def moved(self) -> dict[str, list[tuple[int, list[Effect]]]]:
        """By array: a row, and the effects of moving it alone; a few times. Biases are left out."""
        found: dict[str, list[tuple[int, list[Effect]]]] = {}
        for s in self.subject.wiring:
            if s.role == "bias":
                continue
            rows = len(self.subject.learner.arrays()[s.array])
            for j in self.subject.rng.choice(rows, min(TRIED, rows), replace=False):
                run = self.forced(self.subject.moved(s.array, [int(j)]))
                self.gaps.setdefault(s.array, []).append((int(j), self.gap(run)))
                found.setdefault(s.array, []).append((int(j), self.subject.effects(run)))
        return found

    @cached_property
    def gaps(self) -> dict[str, list[tuple[int, dict[str, Array]]]]:
        """What `moved` did to changes, in numbers."""
        return {}

    def gap(self, run: Run) -> dict[str, Array]:
        """By array: by how much changes of weights differ from the base, over the largest of that array; (post, pre)."""
        found = {}
        for name, change in run.changes.items():
            base = self.subject.base.changes[name]
            top = float(np.abs(base).max(initial=0.0))
            if top > 0:
                found[name] = (np.abs(change - base) / top).reshape(len(base), -1)
        return found

    # ------------------------------------------------------------------ what must not be

    @cached_property
    def distant_weights(self) -> list[Offence]:
        """P1 in activity: weights that act on other units than their own."""
        posts = {s.array: s.post for s in self.subject.wiring}
        found = []
        for array, tries in self.moved.items():
            for j, effects in tries:
                for e in effects:
                    if e.weights:
                        continue
                    mask = self.folded(e).copy()
                    own = self.place(*self.origin(posts[array], j), e.name)
                    if own is not None and mask.size > own:
                        mask[own :: self.step(array, own)] = False
                    if mask.any():
                        found.append(Offence(array, j, e.step, e.name, int(mask.argmax())))
        return found

    def step(self, array: str, unit: int) -> int:
        """How far apart cells are that have one row of an array: those of all places that a kernel serves; else past the end."""
        rows = len(self.subject.learner.arrays()[array])
        post = next(s.post for s in self.subject.wiring if s.array == array)
        return rows if unit < rows < self.units(post) else self.units(post)

    @cached_property
    def stray_signals(self) -> list[Offence]:
        """P2: units that act on other cells where no synapse leads, or none that carries anything.

        Cells drawn from one stream of noise (`streams`) are not told apart among themselves: who draws more shifts others' draws.
        Weights are not put back: where the shift has changed some, what these do later at their own cells is theirs.
        """
        posts = {s.array: s.post for s in self.subject.wiring}
        found = []
        for q, tries in self.nudged.items():
            if self.broadcast(q):
                continue
            for v, effects in tries:
                cells, unit = self.origin(q, v)
                learnt: set[str] = set()
                for e in effects:
                    learnt |= {posts[e.name]} if e.weights else set()
                    drawn = self.same(q, e.name) and any(self.same(q, one) for one in self.subject.learner.streams)
                    if e.weights or self.broadcast(e.name) or drawn or any(self.same(p, e.name) for p in learnt):
                        continue
                    for name, at, n in self.parts(e.name):
                        mask = self.folded(e)[at : at + n].copy()
                        if self.same(cells, name) and n > unit:
                            mask[unit] = False
                        if mask.any() and not self._led(cells, name, e.name, v):
                            found.append(Offence(q, v, e.step, e.name, at + int(mask.argmax())))
        return found

    def _led(self, q: str, p: str, signal: str, unit: int) -> bool:
        """Whether synapses lead from the cells of q to those of p, and carry something to this signal of theirs."""
        if any(self.same(q, pre) and self.same(post, p) for pre, post in self.subject.learner.projections):
            return self._alike(q, signal, unit)
        return any(
            self.carries(s.array, q, signal) for s in self.subject.wiring
            if any(self.same(q, a) for a, _, _ in self.parts(s.pre)) and any(self.same(b, p) for b, _, _ in self.parts(s.post))
        )  # fmt: skip

    def _alike(self, q: str, signal: str, unit: int) -> bool:
        """Whether a unit acts on all units of a signal that it reaches by one strength, as a constant projection does."""
        base, shift = self.subject.base.events, self.subject.shift(q, [unit])
        events = self.subject.run(script=Script().replay(base, shift)).events
        for one, other in zip(base, events, strict=False):
            by = np.abs(one.vector - other.vector)
            if one.name == other.name == signal:
                by[unit :: self.units(signal)] = 0  # what a cell does to itself is its own matter
            if one.name == other.name == signal and by.any():
                return bool(np.ptp(by[by > 0]) <= ALIKE * by.max())
        return True

    def carries(self, array: str, q: str, signal: str) -> bool:
        """Whether weights act on a signal, at the least when the cells of q are active.

        Cells that were silent in the base send nothing through their synapses; so they are shifted, with the weights as they are
        and with others, and the two are compared. Cells that are shut feel nothing of little; so more is tried.
        """
        if any(e.name == signal for _, effects in self.moved.get(array, ()) for e in effects):
            return True
        if (array, q, signal) not in self._carried:
            self._carried[array, q, signal] = any(self._felt(array, q, signal, amount) for amount in AMOUNTS)
        return self._carried[array, q, signal]

    def _felt(self, array: str, q: str, signal: str, amount: float) -> bool:
        found = {signal} & {e.name for e in self.subject.forced(self.subject.moved(array, amount=amount))}
        if not found and q in self.names:
            found = {signal} & {e.name for e in self.beside(self.subject.moved(array, amount=amount), q)}
        return bool(found)

    def beside(self, weights: dict[str, Array], q: str, units: Iterable[int] | None = None) -> list[Effect]:
        """What other weights do while units of a population are shifted, over what the same shift does without them.

        As long as the steps are the same: after that, one would be compared with another.
        """
        script = Script().replay(self.subject.base.events, self.subject.shift(q, units))
        pairs = zip(self.subject.run(None, script).events, self.subject.run(weights, script).events, strict=False)
        same = itertools.takewhile(lambda pair: pair[0][1:3] == pair[1][1:3], pairs)
        return [Effect(a.step, a.name, a.kind, a.vector != b.vector) for a, b in same if np.any(a.vector != b.vector)]

    @cached_property
    def _carried(self) -> dict[tuple[str, str, str], bool]:
        return {}

    @cached_property
    def read_signals(self) -> list[Offence]:
        """P3 in activity: units on which changes depend of synapses that do not end on their cells."""
        ends = {s.array: (s.post, s.pre) for s in self.subject.wiring}
        roles = {s.array: s.role for s in self.subject.wiring}
        found = list(self.torn)
        for q, tries in self.nudged.items():
            if self.broadcast(q):
                continue
            for v, effects in tries:
                cells, unit = self.origin(q, v)
                for e in effects:
                    if e.kind != "change" or roles[e.name] == "bias":
                        continue
                    mask = self.rows(e).copy()
                    row, column = (self.place(cells, unit, end) for end in ends[e.name])
                    if row is not None:
                        mask[row % len(mask)] = False  # one row may serve several cells, and one column: that is weight sharing
                    if column is not None:
                        mask[:, column % mask.shape[1]] = False
                    if mask.any():
                        found.append(Offence(q, v, e.step, e.name, int(mask.any(1).argmax())))
        return found + [o for o in self._foreign(ends, roles) if (o.cause, o.name) not in {(f.cause, f.name) for f in found}]

    def _foreign(self, ends: dict[str, tuple[str, str]], roles: Mapping[str, str]) -> list[Offence]:
        """Changes that depend on a population of other cells than the two at the ends, when all of it is shifted."""
        found = []
        for q, effects in self.shifted.items():
            for e in effects if not self.broadcast(q) else []:
                if e.kind == "change" and roles[e.name] != "bias":
                    own = (
                        any(self.same(a, b) for a, _, _ in self.parts(q) for b, _, _ in self.parts(end)) for end in ends[e.name]
                    )
                    if not any(own):
                        found.append(Offence(q, -1, e.step, e.name, int(self.rows(e).any(1).argmax())))
        return found

    @cached_property
    def read_weights(self) -> list[Offence]:
        """P3 in weights: arrays or rows that a change of other weights reads. `part` is the row moved, `unit` the row changed."""
        found = []
        for array, tries in self.moved.items():
            for j, effects in tries:
                for e in effects:
                    if e.kind != "change":
                        continue
                    mask: Array = np.any(self.rows(e), axis=1)
                    if e.name == array:
                        mask[j] = False
                    if mask.any():
                        found.append(Offence(array, j, e.step, e.name, int(mask.argmax())))
        return found


def describe(offence: Offence) -> dict[str, Any]:
    """An offence as the witness of a finding."""
    return dict(array=offence.cause, row=offence.part, step=offence.step, population=offence.name, unit=offence.unit)
