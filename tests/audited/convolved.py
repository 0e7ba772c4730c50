"""A layer that looks at windows of the signal, with one kernel for all of them or with weights of its own at each.

Windows w (P, 3) of x; cells c (P, 2) = tanh of what weights K make of a window; outputs y = V c. Errors e = target - y come back
through F, or V'. One line says which weight a cell uses, and another what errors come through.
"""

import numpy as np

from harness.jit import kernel
from harness.learner import Classifier, Population, Synapse, hyper

WIDTH, CELLS = 3, 2


def init(task, rng, shared):
    """K (2, 3), or (2 P, 3 P) where windows have weights of their own, 0 elsewhere; V (n_out, 2 P), F (2 P, n_out)."""
    (n,), m = task.shape, task.n_out
    P = n - WIDTH + 1
    own = rng.normal(size=(P, CELLS, WIDTH)) / WIDTH**0.5
    K = np.zeros((P * CELLS, P * WIDTH))
    for p in range(P):
        K[p * CELLS : (p + 1) * CELLS, p * WIDTH : (p + 1) * WIDTH] = own[p]
    K = own[0].copy() if shared else K
    weights = dict(K=K, V=rng.normal(size=(m, P * CELLS)) / P, F=rng.normal(size=(P * CELLS, m)) / P)
    signals = dict(w=np.zeros((P, WIDTH)), c=np.zeros((P, CELLS)), d=np.zeros((P, CELLS)), y=np.zeros((1, m)), e=np.zeros((1, m)))
    return weights | signals | dict(dK=np.zeros_like(K), dV=np.zeros_like(weights["V"]))


@kernel
def row(p, i, shared):
    """The row of K that cell i of window p uses; its columns begin at 3 times that window."""
    return i if shared else p * CELLS + i


def respond(signal, out, K, V, w, c, y, shared):
    P = w.shape[0]
    for p in range(P):
        for j in range(WIDTH):
            w[p, j] = signal[0, p + j]
    for p in range(P):
        for i in range(CELLS):
            total = K.dtype.type(0)
            for j in range(WIDTH):
                total += K[row(p, i, shared), j if shared else p * WIDTH + j] * w[p, j]
            c[p, i] = np.tanh(total)
    for k in range(V.shape[0]):
        total = V.dtype.type(0)
        for p in range(P):
            for i in range(CELLS):
                total += V[k, p * CELLS + i] * c[p, i]
        y[0, k] = total
    for k in range(V.shape[0]):
        out[0, k] = y[0, k]


@kernel
def correct(target, back, dK, dV, w, c, d, y, e, shared):
    """e = target - y, d = (1 - c c) back e, dK = d w' of every window, dV = e c'."""
    P = w.shape[0]
    for k in range(e.shape[1]):
        e[0, k] = target[0, k] - y[0, k]
    for p in range(P):
        for i in range(CELLS):
            total = d.dtype.type(0)
            for k in range(e.shape[1]):
                total += back[p * CELLS + i, k] * e[0, k]
            d[p, i] = (1 - c[p, i] * c[p, i]) * total
    for a in range(dK.shape[0]):
        for b in range(dK.shape[1]):
            dK[a, b] = 0
    for p in range(P):
        for i in range(CELLS):
            for j in range(WIDTH):
                dK[row(p, i, shared), j if shared else p * WIDTH + j] += d[p, i] * w[p, j]
    for k in range(dV.shape[0]):
        for p in range(P):
            for i in range(CELLS):
                dV[k, p * CELLS + i] = e[0, k] * c[p, i]


def random(target, F, dK, dV, w, c, d, y, e, shared):
    correct(target, F, dK, dV, w, c, d, y, e, shared)


def transposed(target, V, dK, dV, w, c, d, y, e, shared):
    correct(target, V.T, dK, dV, w, c, d, y, e, shared)


def adapt(K, V, dK, dV, rate):
    for a in range(K.shape[0]):
        for b in range(K.shape[1]):
            K[a, b] += rate * dK[a, b]
    for a in range(V.shape[0]):
        for b in range(V.shape[1]):
            V[a, b] += rate * dV[a, b]


class Local(Classifier):
    """Each window has weights of its own, and errors come back through feedback."""

    rate: float = hyper(default=0.05, doc="step size", low=1e-6, high=1.0, log=True)
    shared: bool = hyper(default=False, doc="whether all windows have one kernel")

    cut = 0.5
    synapses = Synapse("K", "w", "c"), Synapse("V", "c", "y"), Synapse("F", "e", "d", "feedback", plastic=False)
    populations = *map(Population, ("w", "c", "y")), Population("d", "error", "c"), Population("e", "error", "y")
    init, respond, learn, adapt = init, respond, random, adapt


class LocalBackprop(Local):
    """The same, by back-propagation."""

    learn = transposed


class Convolution(Local):
    """One kernel for all windows."""

    shared: bool = hyper(default=True, doc="whether all windows have one kernel")


class ConvolutionBackprop(Convolution):
    """A convolution as it is usually taught."""

    learn = transposed
