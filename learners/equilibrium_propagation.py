"""Equilibrium propagation: a network settles, is nudged towards the target, and learns from how its activity has changed.

Scellier, B. & Bengio, Y. (2017). Equilibrium propagation: bridging the gap between energy-based models and backpropagation.
Frontiers in Computational Neuroscience 11, 24. doi:10.3389/fncom.2017.00024
Laborieux, A. et al. (2021). Scaling equilibrium propagation to deep convnets by drastically reducing its gradient estimator
bias. Frontiers in Neuroscience 15, 633674. doi:10.3389/fnins.2021.633674 (symmetric nudging)
Scellier, B., Ernoult, M., Kendall, J. & Kumar, S. (2023). Energy-based learning algorithms for analog computing: a comparative
study. NeurIPS. arXiv:2312.15103 (layers in turn: even, odd)

Energy, of one signal: E = sum_l 1/2 |a[l+1]|^2 - a[l+1]' (W[l] a[l] + b[l]), units kept in [0, 1]. The nudge adds
nudge / 2 |target - a[L]|^2. As it goes to 0, the change is minus the gradient of 1/2 |target - a[L]|^2 in the free state: with an
error of the order of the nudge if it pulls one way, of its square if both ways are compared.

First published: all layers move at once, by steps of 0.5; nudge 1 either way by chance (0.5 in its program, whose cost has no
half); 20 free and 4 nudged steps with one hidden layer, 100 and 6 with two, 500 and 8 with three; a rate for each layer. Images
kept their state between passes; here settling starts anew, from the clipped forward pass. The defaults are for several layers at
less cost: layers move in turn, both ways are compared, weights begin small. On MNIST-1D (3 seeds, 100 units a layer, 60 epochs)
one to four hidden layers get 55, 60, 60 and 55 %. Beyond that it fails: five get 14, 33 and 46 %, with residuals of 0, 0.2, 0.2.

Biological reading: one kind of cell, one dynamics for inference and for learning, and a synapse that compares the activity at
its ends at two times. But W is used both ways, and is one array: it must be symmetric; and two phases must be told apart.
"""

import itertools
from typing import ClassVar

import numpy as np

from harness.jit import kernel, lean
from harness.learner import Population, hyper
from harness.noise import uniform
from learners import network
from learners.kernels import add, columns, copy, dot, dot_t, t_dot
from learners.network import STARTS, Network
from learners.settling import furthest

NUDGING = "positive", "random", "symmetric"
POSITIVE, RANDOM, SYMMETRIC = range(3)
ORDERS = "down", "together"
DOWN, SMALL, SHARE = 0, len(STARTS), 0.35
"""The first order, the last start, and its share of Glorot's weights: what layers send to and fro then fades soon."""
LITTLE, LONG = 1e-3, 300
"""Nudge and steps of each phase that give the gradient, near enough to measure angles from it, in single precision as well."""


def init(task, rng, hidden, depth, start, block):
    """Synapses W[l] (n[l+1], n[l]), biases b[l], and activities, each (block, units).

    a[l]             the signal, and the state of layers 1 ... L in the free phase
    up[l], down[l]   their state when nudged, and what it is compared with
    d[l]             the difference, over the nudge and the block: an error, though no cell holds it
    drive            what the signal sends to the first layer; h[l], r[l] what comes up and down to each
    g                half of a change
    residual         (3,) the largest speed at the end of the free phase and of the nudged one; and 1, what activities reach
    """
    state = network.init(task, rng, hidden, depth, 0, 0 if start == SMALL else start, block)
    n, state["W"] = state["n"], tuple(W * (SHARE if start == SMALL else 1) for W in state["W"])
    g = max((m * k for k, m in itertools.pairwise(n[1:])), default=0)
    layers = {name: tuple(np.zeros((block, m)) for m in n[1:]) for name in ("up", "down", "h", "r")}
    return state | layers | dict(drive=np.zeros(block * n[1]), g=np.zeros(g), residual=np.array([0.0, 0.0, 1.0]))


@kernel
def clip(A, size):
    """A = A between 0 and 1."""
    zero, one = A.dtype.type(0), A.dtype.type(1)
    for i in range(size):
        A[i] = min(max(A[i], zero), one)


@kernel
def send(A, W, b, out, B, k, m):
    """out (B, m) = A (B, k) W' + b."""
    dot_t(A, W, out, B, k, m)
    for i in range(B):
        add(b, out[i * m :], m)


@kernel
def told(s, target, W, b, drive, h, r, n, block, B, pull, l, to, w, c):
    """h = W s below + b and r = W' s above, of the layer l that begins at s[to]; above the last is pull (target - s)."""
    k, m = n[l - 1], n[l]
    if l == 1:
        copy(drive, h[to:], B * m)
    else:
        send(s[to - block * k :], W[w:], b[c:], h[to:], B, k, m)
    if l < n.size - 1:
        dot(s[to + block * m :], W[w + k * m :], r[to:], B, n[l + 1], m)
    else:
        for i in range(B):
            for j in range(m):
                r[to + i * m + j] = pull * (target[i, j] - s[to + i * m + j]) if pull != 0 else s.dtype.type(0)


@kernel
def relax(s, target, W, b, drive, h, r, residual, n, block, B, steps, eps, pull, phase, order):
    """s = clip(s + eps (W s below + b + W' s above - s)), layer by layer from the last one down, or all at once."""
    L = n.size - 1
    for t in range(steps):
        residual[phase] = s.dtype.type(0)
        to, w, c = s.size, W.size, b.size
        for l in range(L, 0, -1):
            to, w, c = to - block * n[l], w - n[l] * n[l - 1], c - n[l]
            told(s, target, W, b, drive, h, r, n, block, B, pull, l, to, w, c)
            if order == DOWN:
                residual[phase] = max(residual[phase], euler(s[to:], h[to:], r[to:], B * n[l], eps))
        for l in range(1, 1 if order == DOWN else L + 1):
            residual[phase] = max(residual[phase], euler(s[to:], h[to:], r[to:], B * n[l], eps))
            to += block * n[l]


@kernel
def euler(x, up, down, size, eps):
    """x = x + eps (up + down - x) between 0 and 1, and the largest speed. `up` is left as x."""
    zero, one = x.dtype.type(0), x.dtype.type(1)
    for i in range(size):
        up[i] = min(max(x[i] + eps * (up[i] + down[i] - x[i]), zero), one)
    top = furthest(up, x, one, size)
    copy(up, x, size)
    return top / eps


@lean
def respond(signal, out, W, b, a, drive, h, r, residual, n, block, free, eps, order):
    """From the clipped forward pass, settle without a target: out = a[L] of the free phase."""
    B, L, D, K = signal.shape[0], n.size - 1, n[0], n[n.size - 1]
    for i in range(B):
        for j in range(D):
            a[i * D + j] = signal[i, j]
    send(a, W, b, drive, B, D, n[1])
    at, to, w, c = 0, block * D, 0, 0
    for l in range(L):
        send(a[at:], W[w:], b[c:], a[to:], B, n[l], n[l + 1])
        clip(a[to:], B * n[l + 1])
        at, to, w, c = to, to + block * n[l + 1], w + n[l + 1] * n[l], c + n[l + 1]
    relax(a[block * D :], out, W, b, drive, h, r, residual, n, block, B, free, eps, a.dtype.type(0), 0, order)
    for i in range(B):
        for k in range(K):
            out[i, k] = a[at + i * K + k]


@kernel
def contrast(dW, db, a, up, down, d, g, n, block, B, scale, gamma):
    """dW[l] = s (up[l] up[l-1]' - down[l] down[l-1]'), db[l] = s sum d[l], d = up - down; s = scale gamma^(l+1-L).

    d becomes s d. The difference of products is worked out as two products with a difference: what is small is not lost.
    """
    to, w, c, below = 0, 0, 0, 0
    for _ in range(n.size - 2):
        scale /= gamma
    for l in range(n.size - 1):
        k, m = n[l], n[l + 1]
        y, e, part = down[to:], d[to:], dW[w:]
        for i in range(B * m):
            e[i] *= scale
        columns(e, db[c:], B, m)
        if l == 0:
            t_dot(e, a, part, m, B, k)
        else:
            t_dot(e, up[below:], part, m, B, k)
            t_dot(y, d[below:], g, m, B, k)
            for i in range(m * k):
                part[i] += gamma * g[i]
        scale *= gamma
        below, to, w, c = to, to + block * m, w + m * k, c + m


@lean
def learn(
    target, W, b, dW, db, a, up, down, d, drive, h, r, g, residual, n, noise, block, nudged, eps, nudge, nudging, order,
):  # fmt: skip
    """From the free state, settle while nudged; dW[l] = (up[l] up[l-1]' - down[l] down[l-1]') / nudge, a mean over the block."""
    B, at, zero, one = target.shape[0], block * n[0], a.dtype.type(0), a.dtype.type(1)
    pull = nudge
    if nudging == RANDOM and uniform(noise, 0) < 0.5:
        pull = zero - nudge
    width = pull
    copy(a[at:], up, up.size)
    copy(up, down, up.size)
    relax(up, target, W, b, drive, h, r, residual, n, block, B, nudged, eps, pull, 1, order)
    if nudging == SYMMETRIC:
        width = pull + pull
        relax(down, target, W, b, drive, h, r, residual, n, block, B, nudged, eps, zero - pull, 1, order)
    for i in range(d.size):
        d[i] = up[i] - down[i]
    contrast(dW, db, a, up, down, d, g, n, block, B, one / (width * a.dtype.type(B)), one)


class EquilibriumPropagation(Network):
    """Inference and learning are one relaxation, with and without a nudge."""

    rate: float = hyper(default=1e-3, doc="step size", low=1e-6, high=10.0, log=True, unit="1/block")
    depth: int = hyper(default=1, doc="hidden layers", low=0, high=32)
    activation: str = hyper(default="clip", doc="between 0 and 1, and no other: the energy is its own", choices=("clip",))
    loss: str = hyper(default="squared", doc="half the squared error, and no other: it is what nudges", choices=("squared",))
    block: int = hyper(default=20, doc="signals whose changes are averaged", low=1, high=65536, log=True)
    start: str = hyper(
        default="small", doc="Glorot & Bengio's, N(0, 1 / fan-in), 0.35 of the first", choices=(*STARTS, "small"), search=False
    )
    free: int = hyper(default=20, doc="steps without a target", low=1, high=10_000, log=True, search=(10, 200))
    nudged: int = hyper(default=5, doc="steps with one", low=1, high=10_000, log=True, search=(4, 40))
    order: str = hyper(default="down", doc="in a step layers move from the top down, or all at once", choices=ORDERS)
    eps: float = hyper(default=1.0, doc="of one step", low=0.01, high=1.0, log=True)
    nudge: float = hyper(default=0.1, doc="how strongly the target pulls", low=1e-5, high=2.0, log=True)
    nudging: str = hyper(default="symmetric", doc="towards the target, either way by chance, or both ways", choices=NUDGING)

    audited: ClassVar = dict(free=10)
    source = ("doi:10.3389/fncom.2017.00024", "doi:10.3389/fnins.2021.633674", "arXiv:2312.15103")
    populations = Population("a[l]"), Population("up[l]"), Population("down[l]"), Population("d[l]", "error")
    phases = 2
    init, respond, learn = init, respond, learn

    def downhill(self, X, Y):
        """Minus the gradient of the squared error in the free state, by array: nudged a little both ways, settled for long."""
        exact = dict(block=len(X), free=LONG, nudged=LONG, nudge=LITTLE, nudging="symmetric")
        twin = type(self)(**self.get_params() | exact).begin(self.task_, self.seeds_)
        forward = [s.array for s in self.wiring()]
        twin.layout_.write({name: self.arrays()[name] for name in forward})
        twin.live(X, Y)
        return {name: twin.arrays()["d" + name] for name in forward}
