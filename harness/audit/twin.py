"""The positive control of an audit: a network of the same architecture that learns by back-propagation.

Whoever finds nothing wrong with a learner must show that something would have been found. The twin has the widths of the
subject's own chain of forward synapses, sees the same signals and is probed in the same way, and is known to carry weights
down: by the chain rule, and through time where a population is joined to itself or a sample has several ticks.

Where forward synapses do not make a chain from the signal to the answer, as in attention, there is no such twin.
"""
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import math
from functools import cached_property
from typing import Any

import numpy as np

from harness.audit.cells import Nudges, Offence
from harness.audit.graph import Graph
from harness.base import Learner
from harness.declare import Can, Population, Synapse, hyper

UPWARD = "forward", "readout"
"""Roles of synapses that lead from the signal to the answer."""


def init(task, rng, hidden, loops):
    """W[l] (n[l+1], n[l]) and, of hidden layers, R[l] (n[l+1], n[l+1]); tapes a[l] (T, n[l]) and d[l] (T + 1, n[l+1]).

    clock = the tick at hand and the number of them; the places at which layers begin in W, R, a and d follow.
    """
    n, T = np.array([math.prod(task.shape), *hidden, task.n_out]), task.n_ticks
    L = n.size - 1
    W = tuple(rng.normal(0, n[l] ** -0.5, (n[l + 1], n[l])) for l in range(L))
    R = tuple(rng.normal(0, 0.5 * m**-0.5, (m, m)) for m in n[1:-1]) if loops and L > 1 else np.zeros(0)
    a, d = tuple(np.zeros((T, m)) for m in n), tuple(np.zeros((T + 1, m)) for m in n[1:])
    raw = dict(dW=tuple(map(np.zeros_like, W)), dR=tuple(map(np.zeros_like, R)) if isinstance(R, tuple) else np.zeros(0))
    sizes = dict(iw=[w.size for w in W], ir=[m * m for m in n[1:]], ia=[x.size for x in a], id=[x.size for x in d])
    places = {name: np.cumsum([0, *size])[:-1] for name, size in sizes.items()}
    return dict(W=W, R=R, a=a, d=d, n=n, clock=np.array([0, T])) | raw | places


def respond(signal, out, W, R, a, n, clock, iw, ir, ia):
    """a[0] = signal, a[l+1] = tanh(W[l] a[l] + R[l] a[l+1] of the tick before). The last layer is linear."""
    t, L = clock[0], n.size - 1
    for i in range(n[0]):
        a[ia[0] + t * n[0] + i] = signal[0, i]
    for l in range(L):
        k, m = n[l], n[l + 1]
        x, y = ia[l] + t * k, ia[l + 1] + t * m
        for j in range(m):
            total = 0.0
            for i in range(k):
                total += W[iw[l] + j * k + i] * a[x + i]
            if R.size > 0 and t > 0 and l < L - 1:
                for i in range(m):
                    total += R[ir[l] + j * m + i] * a[y - m + i]
            a[y + j] = math.tanh(total) if l < L - 1 else total
    for i in range(n[L]):
        out[0, i] = a[ia[L] + t * n[L] + i]
    clock[0] += 1


def learn(target, W, R, dW, dR, a, d, n, clock, iw, ir, ia, id):  # noqa: A002 - the place at which d begins
    """From the last tick back: d[L-1] = target - a[L], d[l] = (d[l+1] W[l+1] + d[l] of the next tick R[l]) f'.

    dW[l] = d[l]' a[l] and dR[l] = d[l]' a[l+1] of the tick before, summed over ticks.
    """
    last, L = clock[0] - 1, n.size - 1
    for t in range(last, -1, -1):
        for i in range(n[L]):
            d[id[L - 1] + t * n[L] + i] = target[0, i] - a[ia[L] + t * n[L] + i] if t == last else 0.0
        for l in range(L - 2, -1, -1):
            k, m = n[l + 1], n[l + 2]
            here, above, y = id[l] + t * k, id[l + 1] + t * m, ia[l + 1] + t * k
            for i in range(k):
                total = 0.0
                for j in range(m):
                    total += W[iw[l + 1] + j * k + i] * d[above + j]
                if R.size > 0 and t < last:
                    for j in range(k):
                        total += R[ir[l] + j * k + i] * d[here + k + j]
                d[here + i] = total * (1.0 - a[y + i] * a[y + i])
    for l in range(L):
        k, m = n[l], n[l + 1]
        total_up(dW, d, a, iw[l], id[l], ia[l], k, m, last, 0)
        if R.size > 0 and l < L - 1:
            total_up(dR, d, a, ir[l], id[l], ia[l + 1], m, m, last, 1)


def total_up(raw, d, a, at, down, up, k, m, last, lag):
    """raw (m, k) = sum over ticks t of d (m,) at t and a (k,) at t - lag."""
    for j in range(m):
        for i in range(k):
            total = 0.0
            for t in range(lag, last + 1):
                total += d[down + t * m + j] * a[up + (t - lag) * k + i]
            raw[at + j * k + i] = total


def rest(taught, a, clock):
    """Wind the tape back, and blank it."""
    for i in range(a.size):
        a[i] = 0.0
    clock[0] = 0


def adapt(theta, grad, rate):
    """Down the gradient."""
    for i in range(theta.size):
        theta[i] += rate * grad[i]


class Twin(Learner):
    """Back-propagation, through layers and ticks, as plain as can be; for audits alone."""

    rate: float = hyper(default=0.05, doc="step size", low=1e-12, high=10.0, log=True)

    family = "control"
    can = Can(inputs=frozenset({"vector", "sequence"}), targets=frozenset({"class"}))
    synapses = Synapse("W[l]", "a[l]", "a[l+1]"), Synapse("R[l]", "a[l+1]", "a[l+1]", "lateral")
    populations = Population("a[l]"), Population("d[l]", "error", of="a[l+1]")
    respond, learn, rest, adapt = respond, learn, rest, adapt


class Wired(Graph):
    """A graph in which signals belong to the cells that were declared: a twin need not be asked."""

    @cached_property
    def nudged(self) -> Nudges:
        """No unit need be shifted on its own."""
        return {}

    @cached_property
    def _cells(self) -> tuple[dict[str, str], list[Offence]]:
        return {q: self.subject.cells.get(q, q) for q in (*self.names, *self.ends)}, []


def made(hidden: tuple[int, ...], *, loops: bool, ticks: int) -> type[Learner]:
    """The twin for hidden layers of these widths, joined to themselves or not, and samples of so many ticks."""

    def laid(task, rng):
        return init(task, rng, hidden, loops)

    able = Can(inputs=frozenset({"vector" if ticks == 1 and not loops else "sequence"}))
    widths = "-".join(map(str, hidden)) or "none"
    return type(f"Twin of hidden {widths}", (Twin,), dict(init=laid, can=able, __module__=__name__, __doc__=Twin.__doc__))


def chain(graph: Graph) -> tuple[list[str], bool] | None:
    """The arrays on the longest way up from the signal, and whether cells are joined to themselves; None where ways turn."""
    subject = graph.subject
    edges: dict[str, list[tuple[str, str]]] = {}
    loops = False
    for s in subject.wiring:
        pre, post = graph.cell.get(s.pre, s.pre), graph.cell.get(s.post, s.post)
        if s.role == "lateral" or (s.role in UPWARD and pre == post):
            loops = True
        elif s.role in UPWARD:
            edges.setdefault(pre, []).append((post, s.array))

    def longest(node: str, seen: tuple[str, ...]) -> list[str] | None:
        best: list[str] = []
        for post, array in edges.get(node, ()):
            if post in seen:
                return None
            way = longest(post, (*seen, post))
            if way is None:
                return None
            best = max(best, [array, *way], key=len)
        return best

    ways = [longest(node, (node,)) for node in edges]
    if not ways or any(way is None for way in ways):
        return None
    return max((way for way in ways if way is not None), key=len), loops


def of(graph: Graph) -> tuple[type[Learner], str] | None:
    """The twin of a subject, and what it is in words; None where there is none."""
    found = chain(graph)
    if found is None or not found[0]:
        return None
    subject, (way, loops) = graph.subject, found
    arrays: dict[str, Any] = subject.learner.arrays()
    hidden, ticks = [*(arrays[array][0].size for array in way[1:]), len(arrays[way[-1]])], subject.task.n_ticks
    if hidden[-1] == subject.task.n_out:
        hidden.pop()
    widths = [math.prod(subject.task.shape), *hidden, subject.task.n_out]
    through = loops or ticks > 1
    name = f"back-propagation{' through time' * through} in a network of {'-'.join(map(str, widths))} units"
    return made(tuple(hidden), loops=loops, ticks=ticks), name
