"""What acts on what, directly, from one step to the next: found by moving one thing at a time while all else is put back.

A population is shifted, all of it and then one unit; an array of weights is moved, all of it, one row, and one synapse. What
then differs in a step is the work of that one thing in that one step. The physics of a network of neurons allows little:

* P1, a weight acts on its own post-synaptic unit, and on nothing else;
* P2, a unit acts on other cells only along a synapse that is declared, or as a modulator that all may feel;
* P3, a change of a weight depends on that synapse, its two cells, and modulators.

One cell may hold several signals (activity, error, prediction): populations of equal size, not joined by synapses, of which
unit v of one acts on unit v of the other alone, or on changes of row v alone of the synapses that end there, are signals of
the same cells. A learner declares that (`Population(of=)`) only where it cannot be seen.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from harness.audit.subject import Effect, Subject
    from harness.state import Array

TRIED = 2
"""Single units of a population, or rows of an array, that are moved on their own."""


class Offence(NamedTuple):
    """Something that acts where it must not: what was moved, and the step, population or array, and unit or row it moved."""

    cause: str
    part: int
    step: int
    name: str
    unit: int


class Graph:
    """The direct effects in one sample of a subject."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.names = [p.array for p in subject.populations if p.array in subject.written]
        self.wired = {(s.pre, s.post) for s in subject.wiring}

    # ------------------------------------------------------------------ interventions

    @cached_property
    def shifted(self) -> dict[str, list[Effect]]:
        """By population: the effects of shifting all its units."""
        return {q: self.subject.forced(shifts=self.subject.shift(q)) for q in self.names}

    @cached_property
    def nudged(self) -> dict[str, list[tuple[int, list[Effect]]]]:
        """By population: a unit, and the effects of shifting it alone; a few times."""
        found: dict[str, list[tuple[int, list[Effect]]]] = {}
        for q in self.names:
            n = self.units(q)
            for v in self.subject.rng.choice(n, min(TRIED, n), replace=False):
                places = range(int(v), self.subject.size(q), n)
                effects = self.subject.forced(shifts=self.subject.shift(q, places))
                found.setdefault(q, []).append((int(v), effects))
        return found

    @cached_property
    def moved(self) -> dict[str, list[tuple[int, list[Effect]]]]:
        """By array: a row, and the effects of moving it alone; a few times. Biases are left out."""
        found: dict[str, list[tuple[int, list[Effect]]]] = {}
        for s in self.subject.wiring:
            if s.role == "bias":
                continue
            rows = len(self.subject.learner.arrays()[s.array])
            for j in self.subject.rng.choice(rows, min(TRIED, rows), replace=False):
                effects = self.subject.forced(weights=self.subject.moved(s.array, [int(j)]))
                found.setdefault(s.array, []).append((int(j), effects))
        return found

    # ------------------------------------------------------------------ cells

    @cached_property
    def ends(self) -> dict[str, int]:
        """Units of the populations at which synapses end, by their arrays."""
        found: dict[str, int] = {}
        for s in self.subject.wiring:
            W = self.subject.learner.arrays()[s.array]
            if s.role != "bias":
                found[s.post], found[s.pre] = len(W), W[0].size
        return found

    @cached_property
    def presentations(self) -> int:
        """How many samples a population holds side by side, at most."""
        return max((self.subject.size(p) // n for p, n in self.ends.items() if p in self.names), default=1)

    def units(self, population: str) -> int:
        """Units of a population. One that holds several presentations side by side has fewer than values."""
        size, of = self.subject.size(population), self.subject.cells.get(population, "")
        if population not in self.ends and of in self.ends:
            return self.ends[of]
        if population not in self.ends and self.subject.kinds.get(population) == "modulator" and size == self.presentations:
            return 1
        n = self.ends.get(population, size)
        return n if n and size % n == 0 else size

    def folded(self, effect: Effect) -> Array:
        """Which units of a population an effect reached, whatever the presentation."""
        folded: Array = np.any(effect.units.reshape(-1, self.units(effect.name)), axis=0)
        return folded

    def rows(self, effect: Effect) -> Array:
        """Which weights of an array an effect reached: a mask (post, pre)."""
        W = self.subject.learner.arrays()[effect.name]
        rows: Array = effect.units.reshape(len(W), -1)
        return rows

    @cached_property
    def _cells(self) -> tuple[dict[str, str], list[Offence]]:
        head = {q: q for q in (*self.names, *self.ends)}

        def first(q: str) -> str:
            while head[q] != q:
                q = head[q]
            return q

        def members(q: str) -> list[str]:
            return [p for p in head if first(p) == first(q)]

        torn = []
        private, aligned = self._private(), self._aligned()
        declared = [(p, of, None) for p, of in self.subject.cells.items() if p in head and of in head]
        for q, p, witness in (*declared, *private, *aligned):
            apart = any((one, other) in self.wired and one != other for one in members(q) for other in members(p))
            apart |= any((other, one) in self.wired and one != other for one in members(q) for other in members(p))
            if first(q) == first(p):
                continue
            if not apart:
                head[first(q)] = first(p)
            elif witness is not None:
                torn.append(witness)
        return {q: first(q) for q in head}, torn

    def _private(self) -> list[tuple[str, str, None]]:
        """Pairs of populations of which unit v of the first acts on unit v of the second alone."""
        reach: dict[tuple[str, str], bool] = {}
        for q, tries in self.nudged.items():
            for v, effects in tries:
                for e in effects:
                    if not e.weights and e.name != q and self.units(e.name) == self.units(q) > 1:
                        alone = not np.delete(self.folded(e), v).any()
                        reach[q, e.name] = reach.get((q, e.name), True) and alone
        return [(q, p, None) for (q, p), alone in reach.items() if alone and not {(q, p), (p, q)} & self.wired]

    def _aligned(self) -> list[tuple[str, str, Offence]]:
        """Populations of which unit v acts on changes of row v alone, or column v: signals of the cells at that end."""
        found: dict[tuple[str, str], Offence | None] = {}
        ends = {s.array: (s.post, s.pre) for s in self.subject.wiring if s.role != "bias"}
        for q, tries in self.nudged.items():
            for v, effects in tries:
                for e in effects:
                    if e.kind != "change" or e.name not in ends or self.broadcast(q):
                        continue
                    mask = self.rows(e)
                    for axis, end in zip((1, 0), ends[e.name], strict=True):
                        lines = mask.any(axis)
                        alone = lines.size == self.units(q) > 1 and not np.delete(lines, v).any() and mask.sum() > 1
                        known = found.get((q, end), Offence(q, v, e.step, e.name, v))
                        found[q, end] = known if alone else None
        return [(q, end, witness) for (q, end), witness in found.items() if witness is not None]

    @property
    def cell(self) -> dict[str, str]:
        """By population: one population of the cells whose signal it is."""
        return self._cells[0]

    @property
    def torn(self) -> list[Offence]:
        """Signals that act as if they were in the cells at one end of a synapse, but are in those at the other, or elsewhere."""
        return self._cells[1]

    def same(self, q: str, p: str) -> bool:
        """Whether two populations are signals of the same cells."""
        return q == p or self.cell.get(q, q) == self.cell.get(p, p)

    def joined(self, q: str, p: str) -> bool:
        """Whether a declared synapse leads from the cells of q to those of p."""
        return any(self.same(q, pre) and self.same(post, p) for pre, post in self.wired)

    def broadcast(self, p: str) -> bool:
        """Whether all cells may feel it, and it all cells: one value that is declared to be a modulator."""
        return self.subject.kinds.get(p) == "modulator" and self.units(p) == 1

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
                    if self.same(posts[array], e.name) and mask.size > j:
                        mask[j] = False
                    if mask.any():
                        found.append(Offence(array, j, e.step, e.name, int(mask.argmax())))
        return found

    @cached_property
    def stray_signals(self) -> list[Offence]:
        """P2: units that act on other cells where no synapse leads."""
        found = []
        for q, tries in self.nudged.items():
            if self.broadcast(q):
                continue
            for v, effects in tries:
                for e in effects:
                    if e.weights or e.name == q or self.broadcast(e.name) or self.joined(q, e.name):
                        continue
                    mask = self.folded(e).copy()
                    if self.same(q, e.name) and mask.size > v:
                        mask[v] = False
                    if mask.any():
                        found.append(Offence(q, v, e.step, e.name, int(mask.argmax())))
        return found

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
                for e in effects:
                    if e.kind != "change" or roles[e.name] == "bias":
                        continue
                    (post, pre), mask = ends[e.name], self.rows(e).copy()
                    if self.same(q, post) and v < mask.shape[0]:
                        mask[v] = False
                    if self.same(q, pre) and v < mask.shape[1]:
                        mask[:, v] = False
                    if mask.any():
                        found.append(Offence(q, v, e.step, e.name, int(mask.any(1).argmax())))
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
