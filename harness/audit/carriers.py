"""What moving the weights through which errors could come down does: in single steps, and in whole traces.

A carrier is an array that leads on from cells at which synapses end: on its way back an error could use it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from harness.audit.graph import Offence
from harness.audit.nullspace import Null, Trial, elsewhere
from harness.audit.twin import UPWARD

if TYPE_CHECKING:
    from harness.audit.graph import Graph
    from harness.audit.subject import Effect
    from harness.declare import Synapse
    from harness.state import Array


class Found(NamedTuple):
    """What moving weights of one subject did."""

    steps: list[Offence]
    lateral: list[Offence]
    trials: list[Trial]
    bases: dict[str, Array]

    @property
    def offences(self) -> list[Offence]:
        """All that is transport."""
        return [*self.steps, *(t.offence for t in self.trials if t.offence is not None)]


def carriers(graph: Graph) -> list[Synapse]:
    """Arrays that errors could come down through: from cells at which synapses end, on the way up or sideways."""
    up = [s for s in graph.subject.wiring if s.role in (*UPWARD, "lateral")]
    return [K for K in up if any(graph.same(s.post, K.pre) for s in up)]


def below(graph: Graph, K: Synapse) -> list[Synapse]:
    """Synapses that learn and lead, at last, to the cells from which K leads."""
    up = [s for s in graph.subject.wiring if s.role in (*UPWARD, "lateral")]
    found: list[Synapse] = []
    ends = [K.pre]
    while ends:
        end = ends.pop()
        new = [s for s in up if graph.same(s.post, end) and s not in found]
        found += new
        ends += [s.pre for s in new]
    return [s for s in found if s.plastic]


def examine(graph: Graph, rows: int = 1) -> Found:
    """Move rows of every carrier, in single steps and in traces."""
    null, steps, lateral, trials, bases = Null(graph), [], [], [], {}
    for K in carriers(graph):
        tried = direct(graph, K)
        lateral += [o for o in tried if sideways(graph, K, o)]
        steps += [o for o in tried if not sideways(graph, K, o)]
        basis = bases[K.array] = null.basis(K)
        n = len(graph.subject.learner.arrays()[K.array])
        for row in null.rng.choice(n, min(rows, n), replace=False) if len(basis) else ():
            trial = null.trial(K, int(row), 1.0, basis)
            if trial.offence is not None and sideways(graph, K, trial.offence):
                lateral.append(trial.offence)
                trial = trial._replace(offence=None, lawful=True)
            trials.append(trial)
    return Found(steps, lateral, trials, bases)


def direct(graph: Graph, K: Synapse) -> list[Offence]:
    """Rows of K that act elsewhere in a single step: a few are tried; where these do not, all, as cells may have been at rest.

    Where K leads to other cells than those from which it comes, one move of all rows tells whether to go on.
    """

    def offences(row: int, effects: list[Effect]) -> list[Offence]:
        masks = [(e, elsewhere(graph, K, [row], e)) for e in effects if e.kind != "applied"]
        return [Offence(K.array, row, e.step, e.name, int(mask.argmax())) for e, mask in masks if mask.any()]

    def transport(found: list[Offence]) -> bool:
        return any(not sideways(graph, K, o) for o in found)

    found = [o for row, effects in graph.moved[K.array] for o in offences(row, effects)]
    rows = range(len(graph.subject.learner.arrays()[K.array]))
    rest = [row for row in rows if row not in {row for row, _ in graph.moved[K.array]}]
    if transport(found) or not rest:
        return found
    if not graph.same(K.pre, K.post):
        effects = graph.subject.forced(graph.subject.moved(K.array))
        if not any(e.kind != "applied" and elsewhere(graph, K, rows, e).any() for e in effects):
            return found
    for row in rest:
        more = offences(row, graph.subject.forced(graph.subject.moved(K.array, [row])))
        if transport(more):
            return found + more
    return found


def sideways(graph: Graph, K: Synapse, offence: Offence) -> bool:
    """Whether what was reached belongs to other cells of the layer to which K leads: no matter of transport.

    A population that is only said to be a signal of these cells is not excused.
    """
    posts = {s.array: s.post for s in graph.subject.wiring}
    layer = graph.same(posts.get(offence.name, offence.name), K.post) and not graph.same(K.pre, K.post)
    return layer and offence.name not in graph.subject.cells
