"""Weights moved where no activity can tell: along directions that nothing multiplied in the sample.

Row j of an array K is moved within the null space of all pre-synaptic activity that K meets in the sample: its cell j does as
before, and so does all else that K drives. Whatever then differs knows of K by another way than the activity of cell j. Where
spikes are sent, the null space is made of cells that were silent: the move is then multiplied by 0, exactly, and not a bit may
differ.

Of what differs, the first decides. Activity of cell j that deviates before anything else (because the rule moves activity
out of the null space as it settles, or sends noise up) is how a synapse acts, and what follows from it is lawful.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from harness.audit.graph import Offence
from harness.audit.subject import TOLERANCE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.audit.graph import Graph
    from harness.audit.subject import Effect, Run
    from harness.declare import Synapse
    from harness.state import Array

ROUNDING = 1e-13
"""What rounding may make of activity, over the largest of the sample."""
RANK = 1e-10
"""Singular values of the activity below this share of the largest count as 0."""
STEPS = 24
"""Samples lived through with a move kept: a copy that is made at least as seldom as this is not seen."""
TINY = 1e-12
"""What rates are set to meanwhile: what plasticity could do then is far below what counts as a deviation."""
MOST = 100
"""What plasticity may do meanwhile, over its rate and the largest change asked for: more than a step a sample. Weights that are
almost 0, as biases at birth, are moved by it more than their size allows."""
RATE = re.compile(r"rate|^(lr|eta|alpha)$")


class Trial(NamedTuple):
    """One row moved in the null space: what changed elsewhere, by array; the first thing that should not; by own activity."""

    array: str
    row: int
    dimension: int
    changes: dict[str, float]
    offence: Offence | None
    lawful: bool

    @property
    def total(self) -> float:
        """T: the largest relative difference of a raw change, of other arrays or other cells' rows."""
        return max(self.changes.values(), default=0.0)


class Null:
    """Null spaces of the arrays of one subject."""

    def __init__(self, graph: Graph) -> None:
        self.graph, self.subject = graph, graph.subject
        self.rng = np.random.default_rng([self.subject.seed, 17])
        self.posts = {s.array: s.post for s in self.subject.wiring}

    def basis(self, K: Synapse) -> Array:
        """Directions (dimension, pre) that nothing multiplied: an orthonormal basis, or the axes of cells that were silent."""
        n = self.subject.learner.arrays()[K.array][0].size
        met = self._met(K, n)
        if self.subject.kinds.get(K.pre) == "spike":
            return np.eye(n)[~met.any(0)] if len(met) else np.zeros((0, n))
        if not len(met):
            return np.zeros((0, n))
        _, s, V = np.linalg.svd(met)
        basis: Array = V[int(np.sum(s > RANK * s.max(initial=0.0))) :]
        return basis

    def _met(self, K: Synapse, n: int) -> Array:
        """Every vector that K may have multiplied (rows, pre): what any signal of its pre-synaptic cells that drives K held."""
        drives = {q for q in self.graph.names if self.graph.same(q, K.pre) and self._drives(q, K.post)} | {K.pre}
        again = self.subject.task.n_ticks > 1 or self.graph.same(K.pre, K.post) or self.subject.kinds.get(K.pre) == "spike"
        events = self.subject.base.events
        last = [e.step + 1 >= len(events) or events[e.step + 1].name != e.name for e in events]
        held = [e.vector for e in events if e.name in drives and (again or last[e.step])]  # what is written over is not sent
        if again:  # what was there before may count as well
            held += [self.subject.learner.arrays()[q].ravel() for q in drives if q in self.subject.learner.arrays()]
        if any(v.size % n for v in held):
            return np.zeros((0, n))
        rows = np.concatenate([v.reshape(-1, n) for v in held]) if held else np.zeros((0, n))
        kept: Array = rows[rows.any(1)]
        return kept if kept.size else np.zeros((1, n))

    def _drives(self, q: str, post: str) -> bool:
        tries = self.graph.nudged.get(q, [])
        return any(not e.weights and self.graph.same(e.name, post) for _, effects in tries for e in effects)

    def moved(self, K: Synapse, row: int, amount: float, basis: Array) -> dict[str, Array]:
        """K with one row moved at random within `basis`, by `amount` times its length."""
        W = self.subject.learner.arrays()[K.array].copy()
        v = basis.T @ self.rng.standard_normal(len(basis))
        length = float(np.linalg.norm(W[row])) or float(np.linalg.norm(W)) or 1.0
        W[row] += (amount * length / float(np.linalg.norm(v)) * v).reshape(W[row].shape)
        return {K.array: W}

    def trial(self, K: Synapse, row: int, amount: float, basis: Array) -> Trial:
        """Move a row, let the sample run freely, and see."""
        exact = self.subject.kinds.get(K.pre) == "spike"
        run = self.subject.run(self.moved(K, row, amount, basis))
        offence, lawful = None, False
        for e in self.subject.effects(run, 0.0 if exact else TOLERANCE):
            if not exact and self._rounded(run, e):
                continue
            outside = elsewhere(self.graph, K, [row], e)
            if outside.any():
                offence = Offence(K.array, row, e.step, e.name, int(outside.argmax()))
                break
            if not e.weights:
                lawful = True
                break
        return Trial(K.array, row, len(basis), self.differences(run, K, row), offence, lawful)

    def _rounded(self, run: Run, e: Effect) -> bool:
        """Whether a deviation is no more than rounding makes of the largest activity: to errors that are almost 0 it is much."""
        if e.step >= len(self.subject.base.events):
            return False
        one, other = self.subject.base.events[e.step].vector, run.events[e.step].vector
        return one.shape == other.shape and bool(np.abs(one - other).max(initial=0.0) <= ROUNDING * self.largest)

    @cached_property
    def largest(self) -> float:
        """The largest activity in the sample."""
        return max((top for (_, kind), top in self.subject.top.items() if kind not in ("change", "applied")), default=0.0)

    def differences(self, run: Run, K: Synapse, row: int) -> dict[str, float]:
        """By array, how much its raw change differs from the usual one, but for rows of the cell that was moved."""
        found = {}
        for s in self.subject.wiring:
            was, now = (self.without(s, K, row, r.changes[s.array]) for r in (self.subject.base, run))
            found[s.array] = distance(was, now)
        return found

    def without(self, s: Synapse, K: Synapse, row: int, W: Array) -> Array:
        """An array less the row that belongs to the cell of row `row` of K."""
        flat = W.reshape(len(W), -1)
        return np.delete(flat, row, axis=0) if self.graph.same(s.post, K.post) and row < len(flat) else flat

    # ------------------------------------------------------------------ many samples

    def copies(self, moves: list[tuple[Synapse, int, Array]]) -> dict[str, tuple[int, float]]:
        """Arrays whose values come to differ, or raw changes that at first did not: after how many samples, by how much.

        All moves are kept, rates are next to 0, and the same sample comes again and again. What changes even so in the plain
        learner, as what is drawn anew each time, is not judged.
        """
        subject = self.subject
        rates = {k: TINY for k, f in subject.learner.hypers().items() if is_rate(k, f.default, f.metadata["unit"])}
        weights: dict[str, Array] = {}
        for K, row, basis in moves:
            weights |= self.moved(K, row, 1.0, basis)
        plain, other = subject.learner.fork(**rates), subject.learner.fork(**rates, **weights)
        watched = {name: s for s in subject.wiring for name in (s.array, "d" + s.array) if name in plain.arrays()}
        learnt = MOST * TINY * max(1.0, *(float(np.abs(d).max(initial=0.0)) for d in subject.base.changes.values()))
        found: dict[str, tuple[int, float]] = {}
        for step in range(1, STEPS + 1):
            earlier = {name: plain.arrays()[name].copy() for name in watched}
            for learner in (plain, other):
                subject.runs += 1
                with np.errstate(all="ignore"):
                    learner.live(subject.x[None], subject.y[None], subject.taught, python=True)
            for name, s in list(watched.items()):
                before, was, now = (self._blank(s, moves, W) for W in (earlier[name], plain.arrays()[name], other.arrays()[name]))
                if distance(was, now) <= TOLERANCE or (name == s.array and np.abs(now - was).max(initial=0.0) <= learnt):
                    continue
                if name != s.array and step == 1:
                    del watched[name]
                elif distance(before, was) <= TOLERANCE:
                    found[name] = step, distance(was, now)
                    del watched[name]
        return found

    def _blank(self, s: Synapse, moves: list[tuple[Synapse, int, Array]], W: Array) -> Array:
        """An array with 0 in the rows of cells that were moved."""
        blank = W.copy()
        for K, row, _ in moves:
            if self.graph.same(s.post, K.post) and row < len(W):
                blank[row] = 0
        return blank


def elsewhere(graph: Graph, K: Synapse, rows: Iterable[int], e: Effect) -> Array:
    """Which units, or rows of weights, an effect reached that are not of the cells whose rows of K were moved.

    A population at which no synapse ends, where those units alone are reached, is another signal of these cells.
    """
    ends = {s.array: s.post for s in graph.subject.wiring}
    mask: Array = (np.any(graph.rows(e), axis=1) if e.weights else graph.folded(e)).copy()
    cells = ends[e.name] if e.weights else e.name
    rest, known = mask.copy(), False
    for row in rows:
        own = graph.place(*graph.origin(K.post, row), cells)
        known |= own is not None
        own = row if own is None else own
        rest[own : own + 1] = False
    free = not any(graph.same(s.post, cells) for s in graph.subject.wiring if s.role != "bias")
    return rest if known or (free and not rest.any() and mask.size > 1) else mask


def distance(was: Array, now: Array) -> float:
    """|now - was| over the larger of the two; 0 where both are 0."""
    scale = max(float(np.linalg.norm(was)), float(np.linalg.norm(now)))
    return float(np.linalg.norm(now - was)) / scale if scale else 0.0


def is_rate(name: str, default: object, unit: str) -> bool:
    """Whether a hyperparameter is a step size of plasticity, by its name; not a rate of spikes."""
    return isinstance(default, float) and RATE.search(name) is not None and "Hz" not in unit
