"""One feed-forward network for many rules: how it is laid out, how it responds, and the way down through its layers.

Only the rule differs between the learners that build on it: of one seed they have the same weights to begin with, see the
same samples in the same order, and answer alike until the first of them has learnt.

Glorot, X. & Bengio, Y. (2010). Understanding the difficulty of training deep feedforward neural networks. AISTATS 9, 249-256.

Layer l of L has n[l] inputs and n[l + 1] units; the last is linear. The kernels see one flat vector for all layers, so that
depth is no part of any compiled type; `at`, `to`, `w` and `c` run along activities, errors, weights and biases.
"""

import itertools
import math

import numpy as np

from harness.jit import kernel, lean
from harness.learner import Population, Synapse, hyper
from learners.descent import Descending, moments
from learners.kernels import ACTIVATIONS, LINEAR, LOSSES, SQUARED, activate, columns, dot, dot_t, slope, t_dot

SQUARE = "relu", "leaky_relu", "elu"
"""Activations that let half of the variance through: the scaled start doubles it."""
STARTS = "xavier", "scaled"


def sizes(task, hidden, depth):
    """n (L + 1,): inputs, hidden units, outputs."""
    return (math.prod(task.shape), *[hidden] * depth, task.n_out)


def synapses(rng, n, start, activation):
    """Weights of every layer: U(+-sqrt(6 / (fan-in + fan-out))), or N(0, 1 or 2 / fan-in)."""
    if STARTS[start] == "xavier":
        return tuple(rng.uniform(-1, 1, (m, k)) * (6 / (k + m)) ** 0.5 for k, m in itertools.pairwise(n))
    double = ACTIVATIONS[activation] in SQUARE
    return tuple(rng.normal(0, ((1 + (double and l < len(n) - 2)) / n[l]) ** 0.5, (n[l + 1], n[l])) for l in range(len(n) - 1))


def feedback(rng, n, start, activation):
    """Feedback F[l] (n[l+1], n[l+2]) of every hidden layer, drawn as the forward weights that it stands for; none without one."""
    return tuple(np.ascontiguousarray(W.T) for W in synapses(rng, n[1:], start, activation)) or np.zeros(0)


def init(task, rng, hidden, depth, activation, start, block):
    """Synapses W[l] (n[l+1], n[l]) and biases b[l]; activities a[l] (block, n[l]), errors d[l] (block, n[l+1])."""
    n = sizes(task, hidden, depth)
    W = synapses(rng, n, start, activation)
    b = tuple(np.zeros(m) for m in n[1:])
    changes = dict(dW=tuple(map(np.zeros_like, W)), db=tuple(map(np.zeros_like, b)))
    activities = dict(a=tuple(np.zeros((block, m)) for m in n), d=tuple(np.zeros((block, m)) for m in n[1:]))
    size = sum(map(np.size, (*W, *b)))
    return dict(W=W, b=b) | changes | activities | moments(size) | dict(n=np.array(n))


@lean
def respond(signal, out, W, b, a, n, block, activation):
    """a[0] = signal, a[l+1] = f(W[l] a[l] + b[l]). The last layer is linear."""
    B, L = signal.shape[0], n.size - 1
    for i in range(B):
        row = a[i * n[0] :]
        for j in range(signal.shape[1]):
            row[j] = signal[i, j]
    at, to, w, c = 0, block * n[0], 0, 0
    for l in range(L):
        k, m = n[l], n[l + 1]
        y = a[to:]
        dot_t(a[at:], W[w:], y, B, k, m)
        activate(y, b[c:], B, m, activation if l < L - 1 else LINEAR)
        at, to, w, c = to, to + block * m, w + m * k, c + m
    for i in range(B):
        for k in range(n[L]):
            out[i, k] = a[at + i * n[L] + k]


@kernel
def change(dW, db, a, d, n, block, B):
    """What errors and activities ask of every layer: dW[l] = d[l]' a[l], db[l] = sum d[l]."""
    at, to, w, c = 0, 0, 0, 0
    for l in range(n.size - 1):
        k, m = n[l], n[l + 1]
        t_dot(d[to:], a[at:], dW[w:], m, B, k)
        columns(d[to:], db[c:], B, m)
        at, to, w, c = at + block * k, to + block * m, w + m * k, c + m


@kernel
def descend(W, a, d, n, block, B, activation):
    """From the error of the last layer down through the forward weights: d[l] = f'(u[l]) (d[l+1] W[l+1])."""
    L = n.size - 1
    at, to, w = a.size - block * n[L], d.size - block * n[L], W.size
    for l in range(L - 1, 0, -1):
        k, m = n[l], n[l + 1]
        w, at = w - m * k, at - block * k
        e, to = d[to:], to - block * k
        dot(e, W[w:], d[to:], B, m, k)
        slope(d[to:], a[at:], B * k, activation)


@kernel
def feed_back(F, a, d, n, block, B, activation):
    """From the error of the last layer down through synapses of its own: d[l] = f'(u[l]) (F[l] d[l+1])."""
    L = n.size - 1
    at, to, w = a.size - block * n[L], d.size - block * n[L], F.size
    for l in range(L - 1, 0, -1):
        k, m = n[l], n[l + 1]
        w, at = w - m * k, at - block * k
        e, to = d[to:], to - block * k
        dot_t(e, F[w:], d[to:], B, m, k)
        slope(d[to:], a[at:], B * k, activation)


def angle(x, y):
    """The angle between two arrays in degrees; NaN where one of them is 0."""
    x, y = np.ravel(x).astype(float), np.ravel(y).astype(float)
    lengths = float(np.linalg.norm(x) * np.linalg.norm(y))
    return math.degrees(math.acos(min(max(float(x @ y) / lengths, -1.0), 1.0))) if lengths else math.nan


class Network(Descending):
    """A network of any depth; a rule adds its `learn` and what it alone needs."""

    rate: float = hyper(default=3e-3, doc="step size", low=1e-6, high=10.0, log=True, unit="1/block", search=(1e-4, 0.3))
    hidden: int = hyper(default=100, doc="units of each hidden layer", low=1, high=4096, log=True, search=(8, 256))
    depth: int = hyper(default=2, doc="hidden layers", low=0, high=32, search=(1, 4))
    activation: str = hyper(default="tanh", doc="of the hidden layers", choices=ACTIVATIONS[:-1])
    loss: str = hyper(default="entropy", doc="cross-entropy, or half the squared error", choices=LOSSES)
    start: str = hyper(default="xavier", doc="weights of Glorot & Bengio, or N(0, 1 or 2 / fan-in)", choices=STARTS, search=False)
    block: int = hyper(default=100, doc="signals whose changes are averaged", low=1, high=65536, log=True, search=(8, 128))

    phases = 0
    """How often activities settle before they teach; the first entries of an array `residual` tell what was left, by phase."""
    compile_loop = False
    synapses = Synapse("W[l]", "a[l]", "a[l+1]"), Synapse("b[l]", "1", "a[l+1]", "bias")
    populations = Population("a[l]"), Population("d[l]", "error")
    init, respond = init, respond

    def downhill(self, X, Y):
        """Minus the gradient of the mean loss on X (n, 1, d) and Y (n, 1, K), by array: what Backprop asks of these weights."""
        from learners.backprop import Backprop

        known = {name: value for name, value in self.get_params().items() if name in Backprop.hypers()}
        twin = Backprop(**known | dict(block=len(X))).begin(self.task_, self.seeds_)
        forward = [s.array for s in Network.wiring(twin)]
        twin.layout_.write({name: self.arrays()[name] for name in forward})
        twin.live(X, Y)
        return {name: twin.arrays()["d" + name] for name in forward}

    def observe(self, X, Y):
        """Angles in degrees, by layer: of the raw change of W[l] to the gradient's, and of feedback F[l] to W[l+1]'.

        Where activities settle, `residual` too: the largest that was left of settling in any phase.
        """
        down, a = self.downhill(X, Y), self.arrays()
        forward = [name for name in down if name.startswith("W[")]
        before = {name: a[name].copy() for name in forward}
        self.live(X, Y)
        found = {}
        for l, name in enumerate(forward):
            found[f"angle[{l}]"] = angle(a["d" + name] if "d" + name in a else a[name] - before[name], down[name])
            above, F = before.get(f"W[{l + 1}]"), a.get(f"F[{l}]")
            if above is not None and F is not None and F.shape == above.T.shape:
                found[f"feedback[{l}]"] = angle(F, above.T)
        if self.phases:
            found["residual"] = float(a["residual"][: self.phases].max())
        return found

    @property
    def cut(self):
        """Between the targets 0 and 1, or at probability one half."""
        return 0.5 if self.loss == LOSSES[SQUARED] else 0.0
