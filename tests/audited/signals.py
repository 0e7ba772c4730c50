"""Learners whose signals are of known kinds: spikes with a graded teacher, states without time, signs on one wire or on two."""

import numpy as np

from harness.learner import Can, Classifier, Population, Synapse, hyper
from learners.feedback_alignment import FeedbackAlignment
from learners.network import respond as plain
from tests.audited.layers import Spikes, cells_init

# ---------------------------------------------------------------- spikes


def taught_init(task, rng, steps):
    state = cells_init(task, rng, steps)
    K = task.n_out
    return state | dict(F=rng.normal(size=(K, K)), e=np.zeros(K), d=np.zeros(K))


def taught(target, W, x, v, F, e, d, rate):
    """e = target - v, d = F e, W += rate d x': the way up spikes, the way down does not."""
    for k in range(e.size):
        e[k] = target[0, k] - v[k]
    for k in range(d.size):
        total = d.dtype.type(0)
        for i in range(e.size):
            total += F[k, i] * e[i]
        d[k] = total
    for k in range(d.size):
        for j in range(x.size):
            W[k, j] += rate * d[k] * x[j]


class GradedTeacher(Spikes):
    """Cells that spike, and learn from an error that does not."""

    can = Can(targets={"class"})
    synapses = Synapse("W", "x", "s"), Synapse("F", "e", "d", "feedback", plastic=False)
    populations = *Spikes.populations, Population("e", "error"), Population("d", "error", "s")
    init, learn = taught_init, taught


class NoMembrane(Spikes):
    """The same spikes, of which nobody is told where they come from."""

    populations = Population("x", "spike"), Population("s", "spike")


def restless(signal, out, W, x, charge, v, s, plastic, rate, steps, spiking):
    """x spikes in all steps but each fifth."""
    one, zero = W.dtype.type(1), W.dtype.type(0)
    for t in range(steps):
        for j in range(x.size):
            x[j] = zero if t % 5 == 0 else one
        for k in range(v.size):
            v[k] = W[k, 0] * x[0]
        for k in range(s.size):
            s[k] = one if v[k] > 0 and t % 5 else zero
        for k in range(s.size):
            out[0, k] = s[k]


class Restless(Spikes):
    """Cells that spike at most steps: they are not silent by default."""

    respond = restless


# ---------------------------------------------------------------- states


def stepped_init(task, rng):
    (n_in,), n_out = task.shape, task.n_out
    zeros = dict(h=np.zeros((1, 12)), y=np.zeros((1, n_out)), e=np.zeros((1, n_out)))
    return dict(V=rng.normal(size=(12, n_in)), W=rng.normal(size=(n_out, 12))) | zeros


def stepped(signal, out, V, W, h, y):
    """h = V x, then 1 where that is above 0 and else 0, in place; y = W h."""
    np.dot(signal, V.T, h)
    for i in range(h.shape[1]):
        h[0, i] = h.dtype.type(1) if h[0, i] > 0 else h.dtype.type(0)
    np.dot(h, W.T, y)
    for k in range(out.shape[1]):
        out[0, k] = y[0, k]


def corrected(target, W, h, y, e, rate):
    for k in range(e.shape[1]):
        e[0, k] = target[0, k] - y[0, k]
    for k in range(e.shape[1]):
        for i in range(h.shape[1]):
            W[k, i] += rate * e[0, k] * h[0, i]


class Stepped(Classifier):
    """A hidden layer of threshold units, whose potential is overwritten by what they send."""

    rate: float = hyper(default=0.02, doc="step size", low=1e-6, high=1.0, log=True)

    synapses = Synapse("V", "signal", "h", plastic=False), Synapse("W", "h", "y")
    populations = Population("h"), Population("y"), Population("e", "error", "y")
    init, respond, learn = stepped_init, stepped, corrected


# ---------------------------------------------------------------- signs


def mistaken_init(task, rng):
    (n_in,), n_out = task.shape, task.n_out
    return dict(W=rng.normal(size=(n_out, n_in)), **{k: np.zeros((1, n_out)) for k in ("y", "more", "less")})


def said(signal, out, W, y):
    np.dot(signal, W.T, y)
    for k in range(out.shape[1]):
        out[0, k] = y[0, k]


def mistaken(target, signal, W, y, more, less, rate):
    """The perceptron: more = 1 where a unit should have fired, less = 1 where it should not; W += rate (more - less) x'."""
    for k in range(y.shape[1]):
        more[0, k] = W.dtype.type(target[0, k] > 0 and y[0, k] <= 0)
    for k in range(y.shape[1]):
        less[0, k] = W.dtype.type(target[0, k] <= 0 and y[0, k] > 0)
    for k in range(y.shape[1]):
        for j in range(W.shape[1]):
            W[k, j] += rate * (more[0, k] - less[0, k]) * signal[0, j]


class Mistaken(Classifier):
    """A perceptron that is told of its two kinds of mistakes by two populations."""

    rate: float = hyper(default=0.1, doc="step size", low=1e-6, high=1.0, log=True)

    synapses = (Synapse("W", "signal", "y"),)
    populations = Population("y"), Population("more", "error", "y"), Population("less", "error", "y")
    init, respond, learn = mistaken_init, said, mistaken


def gated(target, signal, W, y, more, rate):
    """Hebb's rule where the target is: W += rate target y x'. It is told when, not which way."""
    for k in range(y.shape[1]):
        more[0, k] = target[0, k]
    for k in range(y.shape[1]):
        for j in range(W.shape[1]):
            W[k, j] += rate * more[0, k] * y[0, k] * signal[0, j]


class Gated(Mistaken):
    """A target that opens a gate, on learning that goes whichever way activity says."""

    populations = Population("y"), Population("more", "modulator", "y")
    learn = gated


# ---------------------------------------------------------------- blocks, and few that speak


def centred(signal, out, W, b, a, n, block, activation):
    """As the network, but of the activities of hidden layers the mean over the block is taken away."""
    plain(signal, out, W, b, a, n, block, activation)
    B, at = signal.shape[0], block * n[0]
    for l in range(1, n.size - 1):
        m = n[l]
        for j in range(m):
            total = a.dtype.type(0)
            for i in range(B):
                total += a[at + i * m + j] / B
            for i in range(B):
                a[at + i * m + j] -= total
        at += block * m


class Centred(FeedbackAlignment):
    """Feedback alignment with the mean of a block taken away: alone, a sample is nothing."""

    respond = centred


def few(signal, out, V, W, h, y):
    np.dot(signal, V.T, h)
    first = second = -1
    for i in range(h.shape[1]):
        if first < 0 or h[0, i] > h[0, first]:
            first, second = i, first
        elif second < 0 or h[0, i] > h[0, second]:
            second = i
    for i in range(h.shape[1]):
        h[0, i] = h.dtype.type(1) if i in (first, second) else h.dtype.type(0)
    np.dot(h, W.T, y)
    for k in range(out.shape[1]):
        out[0, k] = y[0, k]


class Few(Stepped):
    """Of the hidden layer the two with the largest potential speak."""

    respond = few
