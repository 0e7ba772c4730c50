"""Whose signal is whose: which populations are signals of the same cells, and which cells synapses join.

One cell may hold several signals (activity, error, prediction): populations of equal size, not joined by synapses, of which
unit v of one acts on unit v of the other alone, or on changes of row v alone of the synapses that end there, are signals of
the same cells. A learner declares that (`Population(of=)`) only where it cannot be seen. A population `of="a+q"` holds cells
of two others side by side.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from harness.audit.subject import UnauditableError

if TYPE_CHECKING:
    from harness.audit.subject import Effect, Subject
    from harness.state import Array


class Offence(NamedTuple):
    """Something that acts where it must not: what was moved, and the step, population or array, and unit or row it moved."""

    cause: str
    part: int
    step: int
    name: str
    unit: int


def misfit(subject: Subject, name: str, of: str) -> str:
    """Why a population cannot hold signals of the cells that are declared, or nothing."""
    arrays = subject.learner.arrays()
    if lost := [part for part in of.split("+") if part not in arrays]:
        return f"population {name} is said to be of {of}, but there is no array {', '.join(lost)}"
    ends = {end: n for s in subject.wiring for end, n in ((s.post, len(arrays[s.array])), (s.pre, arrays[s.array][0].size))}
    units, size = sum(ends.get(part, arrays[part].size) for part in of.split("+")), arrays[name].size
    fits = units and size and max(units, size) % min(units, size) == 0
    return "" if fits else f"population {name} is said to be of {of}, which are {units} where {name} has {size} values"


Nudges = dict[str, list[tuple[int, list["Effect"]]]]
"""By population: a unit, and the effects of shifting it alone; a few times."""


class Cells:
    """The cells of a subject, as its declarations and its nudged units show them."""

    def __init__(self, subject: Subject) -> None:
        self.subject, self.shared = subject, 0
        for name, of in subject.cells.items():
            if why := misfit(subject, name, of):
                raise UnauditableError(why)
        self.names = [p.array for p in subject.populations if p.array in subject.written]
        self.unions = {p: of.split("+") for p, of in subject.cells.items() if "+" in of}
        """Populations that hold cells of several others side by side, and of which."""
        fixed = [(s.pre, s.post) for s in subject.wiring] + list(subject.learner.projections)
        self.wired = {(q, p) for pre, post in fixed for q, _, _ in self.parts(pre) for p, _, _ in self.parts(post)}

    @cached_property
    def nudged(self) -> Nudges:
        """Nothing is known of single units yet."""
        return {}

    # ------------------------------------------------------------------ sizes

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
    def external(self) -> list[str]:
        """Where synapses begin that no array holds: the signal itself."""
        return [end for end in self.ends if end not in self.subject.learner.arrays() and end != "1"]

    @cached_property
    def presentations(self) -> int:
        """How many places a population has side by side, at most."""
        return max((self.subject.size(p) // n for p, n in self.ends.items() if p in self.names), default=1)

    def units(self, population: str) -> int:
        """Units of a population. One that holds several presentations side by side has fewer than values."""
        if population in self.external:
            return self.ends[population]
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

    # ------------------------------------------------------------------ cells

    def parts(self, population: str) -> list[tuple[str, int, int]]:
        """What a population is made of: populations, from which unit on, and how many units."""
        found, at = [], 0
        for name in self.unions.get(population, []):
            found.append((name, at, self.units(name)))
            at += self.units(name)
        return found or [(population, 0, self.units(population) if self._known(population) else 0)]

    def _known(self, population: str) -> bool:
        return population in self.external or population in self.subject.learner.arrays()

    def origin(self, population: str, unit: int) -> tuple[str, int]:
        """The cells to which a unit belongs, and which of them it is."""
        return next((name, unit - at) for name, at, n in self.parts(population) if unit < at + n)

    def place(self, cells: str, unit: int, population: str) -> int | None:
        """Where a population holds the signal of a cell; None where it does not."""
        return next((at + unit for name, at, n in self.parts(population) if self.same(cells, name) and unit < n), None)

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
                    if mask.sum() == 1 and v < min(mask.shape) and mask[v, v]:
                        continue  # of one weight alone, on the diagonal, nobody can say by which of its ends it was reached
                    for axis, end in zip((1, 0), ends[e.name], strict=True):
                        lines = mask.any(axis)
                        alone = lines.size == self.units(q) > 1 and not np.delete(lines, v).any()
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
