"""Learners by which transport is told from what it is not: no power, no teacher, rows that read each other, spikes."""

from typing import ClassVar

import numpy as np

from harness.base import Learner
from harness.declare import Can, Population, Synapse, hyper
from learners.feedback_alignment import FeedbackAlignment
from learners.kernels import t_dot
from learners.network import Network


def still(task, rng, hidden, depth, activation, start, block):
    state = Network.init(task, rng, hidden, depth, activation, start, block)
    return state | dict(F=tuple(np.zeros((m, k)) for m, k in [(hidden, hidden)] * (depth - 1) + [(hidden, task.n_out)]))


class Still(FeedbackAlignment):
    """Feedback that brings nothing down."""

    init = still


def hebb(target, dW, a, n, block):
    at, to, w = 0, block * n[0], 0
    for l in range(n.size - 1):
        k, m = n[l], n[l + 1]
        t_dot(a[to:], a[at:], dW[w:], m, block, k)
        at, to, w = to, to + block * m, w + m * k


def sanger(target, W, dW, a, n, block):
    """dW[l][j] = y_j (x - sum over k <= j of y_k W[l][k])."""
    at, to, w = 0, n[0], 0
    for l in range(n.size - 1):
        k, m = n[l], n[l + 1]
        for j in range(m):
            for i in range(k):
                rest = a[at + i]
                for h in range(j + 1):
                    rest -= a[to + h] * W[w + h * k + i]
                dW[w + j * k + i] = a[to + j] * rest
        at, to, w = to, to + m, w + m * k


class Hebb(Network):
    """Two layers and more, and no teacher."""

    populations = (Population("a[l]"),)
    learn = hebb


class Sanger(Hebb):
    """Rows that read each other."""

    learn = sanger


def spiking_init(task, rng, hidden):
    n = task.shape[0]
    W, U = rng.normal(0, 1, (hidden, n)), rng.normal(0, 1, (task.n_out, hidden))
    W[: hidden // 3] = -np.abs(W[: hidden // 3])  # these cells never fire
    cells = {name: np.zeros(hidden) for name in "vslt"} | {name: np.zeros(task.n_out) for name in "ye"}
    raw = dict(dW=np.zeros_like(W), dU=np.zeros_like(U), z=np.zeros_like(W), x=np.zeros(n))
    return dict(W=W, U=U, F=rng.normal(0, 1, U.T.shape)) | cells | raw


def fire(signal, out, W, U, x, v, s, y, z, t):
    """v leaks, gathers and is reset by a spike; y leaks and gathers spikes; z and t remember slope and input, and spikes."""
    for i in range(x.size):
        x[i] = signal[0, i]
    for j in range(v.size):
        total = 0.8 * v[j] * (1 - s[j])
        for i in range(x.size):
            total += W[j, i] * x[i]
        v[j] = total
    for j in range(v.size):
        s[j] = 1.0 if v[j] > 1 else 0.0
    for j in range(v.size):
        t[j] = 0.8 * t[j] + s[j]
        for i in range(x.size):
            z[j, i] = 0.8 * z[j, i] + x[i] / (1 + abs(v[j] - 1)) ** 2
    for k in range(y.size):
        total = 0.8 * y[k]
        for j in range(v.size):
            total += U[k, j] * s[j]
        y[k] = total
        out[0, k] = y[k]


def settle_up(target, U, F, dW, dU, y, e, l, z, t, tied):
    """dW = l z, l = F e, or U' e if `tied`: the slope of a spike is that of a surrogate."""
    for k in range(y.size):
        e[k] = target[0, k] - y[k]
    for j in range(l.size):
        total = 0.0
        for k in range(y.size):
            total += (U[k, j] if tied else F[j, k]) * e[k]
        l[j] = total
    for j in range(l.size):
        for i in range(z.shape[1]):
            dW[j, i] = l[j] * z[j, i]
        for k in range(y.size):
            dU[k, j] = e[k] * t[j]


def calm(taught, v, s, y, z, t):
    for array in (v, s, y, t):
        array[:] = 0
    z[:] = 0


def step(theta, grad, rate):
    for i in range(theta.size):
        theta[i] += rate * grad[i]


class Surrogate(Learner):
    """Two layers of cells that spike, with e-propagation: feedback of its own, or the weights that lead up."""

    rate: float = hyper(default=1e-4, doc="step size", low=1e-9, high=1.0, log=True)
    hidden: int = hyper(default=15, doc="cells", low=3, high=99, search=False)
    tied: bool = hyper(default=False, doc="whether errors come down through U'", search=False)

    can = Can(inputs=frozenset({"sequence"}))
    audited: ClassVar = dict(hidden=15)
    synapses = Synapse("W", "x", "s"), Synapse("U", "s", "y"), Synapse("F", "e", "l", "feedback", plastic=False)
    populations = (
        Population("x"), Population("v", of="s"), Population("s", "spike"), Population("y"), Population("e", "error", of="y"),
        Population("l", "error", of="s"), Population("t", of="s"),
    )  # fmt: skip
    init, respond, learn, rest, adapt = spiking_init, fire, settle_up, calm, step
