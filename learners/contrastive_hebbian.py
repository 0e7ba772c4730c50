"""Contrastive Hebbian learning: what is correlated with the outputs held at the target, less what is when they are free.

Movellan, J. R. (1990). Contrastive Hebbian learning in the continuous Hopfield model. Connectionist Models: Proceedings of the
1990 Summer School, 10-17.
Xie, X. & Seung, H. S. (2003). Equivalence of backpropagation and contrastive Hebbian learning in a layered network. Neural
Computation 15, 441-454. doi:10.1162/089976603762552988

Hidden layers settle to a[l] = f(W[l-1] a[l-1] + b[l-1] + gamma W[l]' a[l+1]), twice: the output as it answers, then held at the
target. With weak feedback, gamma to 0, the change is that of back-propagation, with an error of the order of gamma. Outputs are
linear there; with cross-entropy they are, here, the softmax of what they would be.

The phases differ by gamma^(L - l) only, in the end by less than rounding. So the second is followed as a departure d from the
first, f(u + what is new) - f(u): as if that had settled, whose residual tells how nearly it has.

Biological reading: a synapse takes a Hebbian step in one phase and an anti-Hebbian one in the other, and no cell holds an error.
But W is used both ways, two phases must be told apart, and a layer's rate grows by 1 / gamma with each layer that is above it.
"""

import itertools

import numpy as np

from harness.jit import kernel, lean
from harness.learner import Population, RefusedError, hyper
from learners import network
from learners.equilibrium_propagation import contrast
from learners.kernels import LINEAR, activate, copy, dot, dot_t, error
from learners.network import Network
from learners.settling import SECOND, blank, furthest, predict, shift

FAINTEST = 1e-30
"""Departures smaller than this are lost to float32, whatever is done."""


def init(task, rng, hidden, depth, activation, start, block):
    """Synapses W[l] (n[l+1], n[l]), biases b[l], and activities, each (block, units).

    a[l], q       the signal, and layers 1 ... L while the output is free; what that output sends down
    u[l], p[l]    potentials of hidden layers then, and f of them
    d[l], up[l]   how far they depart when the output is held, in the end scaled to an error, though no cell holds it; and to what
    drive         what the signal sends to the first layer; h[l], r[l] what comes up and down to each hidden layer
    g             half of a change; nil (block, K) no target
    residual      (3,) what is left of settling, by phase: the longest last way of any unit; and the largest activity to compare
    """
    state = network.init(task, rng, hidden, depth, activation, start, block)
    n, K = state["n"], task.n_out
    g = max((m * k for k, m in itertools.pairwise(n[1:])), default=0)
    layers = {name: tuple(np.zeros((block, m)) for m in n[1:]) for name in ("up", "u", "p", "h", "r")}
    own = dict(q=np.zeros(block * K), nil=np.zeros((block, K)), drive=np.zeros(block * n[1]), g=np.zeros(g), residual=np.zeros(3))
    return state | layers | own


@kernel
def answer(Z, nil, loss, q):
    """q = Z, its softmax, or the sigmoid of a lone column: the error that there is when the target is nil."""
    error(Z, nil, loss, q)
    B, K = nil.shape
    less = -q.dtype.type(B)
    for i in range(B * K):
        q[i] *= less


@kernel
def inputs(s, q, W, drive, h, r, n, block, B, gamma, l, to, w):
    """h = W s below + gamma W' s above, for the hidden layer l that begins at s[to], with the weights above it at W[w]."""
    k, m = n[l], n[l + 1]
    if l == n.size - 2:
        dot(q, W[w:], r[to:], B, m, k)
    else:
        dot(s[to + block * k :], W[w:], r[to:], B, m, k)
    if l == 1:
        copy(drive, h, B * k)
    else:
        dot_t(s[to - block * n[l - 1] :], W[w - k * n[l - 1] :], h[to:], B, n[l - 1], k)
    for i in range(to, to + B * k):
        h[i] += gamma * r[i]


@kernel
def approach(x, y, size, step, last):
    """x = x + step (y - x), and the longest way there was to go, where that is the last step."""
    top = furthest(y, x, x.dtype.type(1), size) if last else x.dtype.type(0)
    for i in range(size):
        x[i] += step * (y[i] - x[i])
    return top


@kernel
def sweep(s, q, W, b, drive, h, r, residual, n, block, B, activation, step, gamma, last):
    """s = s + step (f(W s below + b + gamma W' s above) - s), hidden layer by hidden layer, from the top down."""
    residual[0] = s.dtype.type(0)
    to, w, c = s.size - block * n[n.size - 1], W.size, b.size - n[n.size - 1]
    for l in range(n.size - 2, 0, -1):
        k, w, to, c = n[l], w - n[l + 1] * n[l], to - block * n[l], c - n[l]
        inputs(s, q, W, drive, h, r, n, block, B, gamma, l, to, w)
        activate(h[to:], b[c:], B, k, activation)
        residual[0] = max(residual[0], approach(s[to:], h[to:], B * k, step, last))


@kernel
def stand(s, q, W, b, drive, u, p, r, n, block, B, activation, gamma):
    """u = W s below + b + gamma W' s above, p = f(u), for every hidden layer."""
    to, w, c = s.size - block * n[n.size - 1], W.size, b.size - n[n.size - 1]
    for l in range(n.size - 2, 0, -1):
        k, w, to, c = n[l], w - n[l + 1] * n[l], to - block * n[l], c - n[l]
        inputs(s, q, W, drive, u, r, n, block, B, gamma, l, to, w)
        copy(u[to:], p[to:], B * k)
        activate(u[to:], b[c:], B, k, LINEAR)
        activate(p[to:], b[c:], B, k, activation)


@kernel
def depart(d, W, nil, u, p, h, r, residual, n, block, B, activation, step, gamma, last):
    """d = d + step (f(u + W d below + gamma W' d above) - f(u) - d), from the top down. The signal does not depart: nil."""
    residual[1] = d.dtype.type(0)
    to, w = d.size - block * n[n.size - 1], W.size
    top = to
    for l in range(n.size - 2, 0, -1):
        k, w, to = n[l], w - n[l + 1] * n[l], to - block * n[l]
        inputs(d, d[top:], W, nil, h, r, n, block, B, gamma, l, to, w)
        shift(h[to:], u[to:], p[to:], B * k, activation)
        residual[1] = max(residual[1], approach(d[to:], h[to:], B * k, step, last))


@lean
def respond(
    signal, out, W, b, a, q, nil, drive, h, r, residual, n, block, activation, loss, steps, step, gamma,
):  # fmt: skip
    """From the forward pass, settle with the output free: out = a[L] = W[L-1] a[L-1] + b[L-1]."""
    B, D, K, L = signal.shape[0], n[0], n[n.size - 1], n.size - 1
    s, top = a[block * D :], a.size - block * (D + K)
    for i in range(B):
        for j in range(D):
            a[i * D + j] = signal[i, j]
    dot_t(a, W, drive, B, D, n[1])
    copy(drive, s, B * n[1])
    activate(s, b, B, n[1], activation if L > 1 else LINEAR)
    predict(W, b, a, s, n, block, B, activation, SECOND)
    answer(s[top:], nil[:B], loss, q)
    for t in range(steps):
        sweep(s, q, W, b, drive, h, r, residual, n, block, B, activation, step, gamma, t == steps - 1)
        predict(W, b, a, s, n, block, B, activation, L - 1)
        answer(s[top:], nil[:B], loss, q)
    for i in range(B):
        for k in range(K):
            out[i, k] = s[top + i * K + k]


@lean
def learn(
    target, W, b, dW, db, a, up, u, p, d, q, drive, h, r, g, residual, n, block, activation, steps, step, gamma,
):  # fmt: skip
    """Settle with the output at the target; dW[l] = gamma^(l + 1 - L) (up[l] up[l-1]' - a[l+1] a[l]'), a mean over the block."""
    B, K = target.shape
    s, top, one = a[block * n[0] :], d.size - block * n[n.size - 1], d.dtype.type(1)
    stand(s, q, W, b, drive, u, p, r, n, block, B, activation, gamma)
    copy(q, s[top:], B * K)
    blank(d, top)
    for i in range(B):
        for k in range(K):
            d[top + i * K + k] = target[i, k] - q[i * K + k]
    blank(drive, drive.size)  # the signal does not depart
    for t in range(steps):
        depart(d, W, drive, u, p, h, r, residual, n, block, B, activation, step, gamma, t == steps - 1)
    for i in range(d.size):
        up[i] = s[i] + d[i]
    residual[2] = furthest(up, up, one + one, up.size)
    contrast(dW, db, a, up, s, d, g, n, block, B, one / d.dtype.type(B), gamma)


class ContrastiveHebbian(Network):
    """Hebbian where the outputs are held, anti-Hebbian where they are free."""

    gamma: float = hyper(default=0.05, doc="of the way down: how weak feedback is", low=1e-3, high=1.0, log=True)
    steps: int = hyper(default=8, doc="sweeps down the layers, in each phase", low=1, high=10_000, log=True, search=(4, 40))
    step: float = hyper(default=1.0, doc="of a unit towards what it is told", low=0.01, high=1.0, log=True)

    source = ("doi:10.1162/089976603762552988",)
    populations = Population("a[l]"), Population("up[l]"), Population("d[l]", of="a[l+1]"), Population("q", of="a[-1]")
    phases = 2
    init, respond, learn = init, respond, learn

    def begin(self, task, seeds=None):
        """As any learner; a departure of gamma^depth must be a number."""
        super().begin(task, seeds)
        if self.gamma**self.depth < FAINTEST:
            raise RefusedError(
                f"ContrastiveHebbian.depth={self.depth!r} with gamma={self.gamma!r}: the lowest layer departs by gamma^depth = "
                f"{self.gamma**self.depth:.1g}, which must be at least {FAINTEST}. Take fewer layers, or stronger feedback."
            )
        return self
