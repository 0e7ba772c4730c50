"""Weights that serve several places, and cells of one layer that act on one another."""

import numpy as np

from harness.learner import Can, Learner, Population, Synapse, hyper
from tests.audited.hebbian import Hebb
from tests.audited.hebbian import init as plain


def init(task, rng):
    """A kernel K (2, 3) over places of x (1, 9); answers c (P, 2) of P places, and their mean over places, m (2,)."""
    return dict(K=rng.normal(size=(2, 3)), x=np.zeros((1, 9)), c=np.zeros((3, 2)), m=np.zeros(2))


def look(signal, out, K, x, c, m, stride, pooled):
    """c[p] = K x[stride p : stride p + 3]; m is the mean of c."""
    for j in range(x.shape[1]):
        x[0, j] = signal[0, j]
    for p in range(c.shape[0]):
        for i in range(K.shape[0]):
            total = K.dtype.type(0)
            for j in range(K.shape[1]):
                total += K[i, j] * x[0, stride * p + j]
            c[p, i] = total
    if pooled:
        for i in range(K.shape[0]):
            total = K.dtype.type(0)
            for p in range(c.shape[0]):
                total += c[p, i]
            m[i] = total / 3


def sum_up(target, K, x, c, rate, stride):
    for i in range(K.shape[0]):
        for j in range(K.shape[1]):
            for p in range(c.shape[0]):
                K[i, j] += rate * c[p, i] * x[0, stride * p + j]


class Apart(Learner):
    """Three samples of three values, shown side by side."""

    rate: float = hyper(default=0.01, doc="step size", low=1e-6, high=0.1, log=True)
    stride: int = hyper(default=3, doc="values from place to place", low=1, high=3)
    pooled: bool = hyper(default=False, doc="whether a cell hears all places")

    can = Can(targets={"none"})
    synapses = (Synapse("K", "x", "c"),)
    populations = Population("x"), Population("c"), Population("m")
    init, respond, learn = init, look, sum_up


class Pooled(Apart):
    """The same kernel in three places, of which a cell hears the mean."""

    pooled: bool = hyper(default=True, doc="whether a cell hears all places")


class Overlapping(Apart):
    """The same kernel in three places that overlap."""

    stride: int = hyper(default=2, doc="values from place to place", low=1, high=3)


# ---------------------------------------------------------------- cells that act on their neighbours


def layer(task, rng):
    """One layer of `hebbian`, cells that have been inhibited z (1, n_out), and strengths M (n_out, n_out)."""
    state = plain(task, rng)
    return state | dict(z=np.zeros((1, task.n_out)), M=rng.random((task.n_out, task.n_out)))


def inhibited(signal, out, W, y, z, M, even):
    """y = W x, z = y less a share of what the other cells do: of each the same, or as M says."""
    for k in range(W.shape[0]):
        total = W.dtype.type(0)
        for j in range(W.shape[1]):
            total += W[k, j] * signal[0, j]
        y[0, k] = total
    for k in range(W.shape[0]):
        total = y[0, k]
        for m in range(W.shape[0]):
            if m != k:
                total -= (W.dtype.type(0.1) if even else M[k, m]) * y[0, m]
        z[0, k] = total
    for k in range(W.shape[0]):
        out[0, k] = z[0, k]


def hebb(target, signal, W, z, rate):
    for k in range(W.shape[0]):
        for j in range(W.shape[1]):
            W[k, j] += rate * z[0, k] * signal[0, j]


class Wired(Hebb):
    """Cells inhibit all others by one constant strength, which is declared."""

    even: bool = hyper(default=True, doc="whether all strengths are one")

    populations = Population("y"), Population("z", of="y")
    projections = (("y", "y"),)
    init, respond, learn = layer, inhibited, hebb


class Unwired(Wired):
    """The same, and nothing is declared."""

    projections = ()


class Uneven(Wired):
    """A constant strength is declared, and every pair has its own."""

    even: bool = hyper(default=False, doc="whether all strengths are one")


# ---------------------------------------------------------------- no change


def idle(target):
    """Nothing is learnt."""


class Still(Hebb):
    """Plastic synapses that never change."""

    learn = idle
