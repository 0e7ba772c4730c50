"""Other pairs: signs that are kept, blocks that mix, spikes in place of rates, a layer that listens to the one above."""

import numpy as np

from harness.learner import Can, Classifier, Learner, Population, Synapse, hyper
from learners import forward_forward
from learners.feedback_alignment import FeedbackAlignment
from learners.forward_forward import ForwardForward, please
from learners.network import respond as plain

# ---------------------------------------------------------------- Dale's law


def delta_init(task, rng):
    """Weights W (n_out, n_in), all of an input of one sign; response y and error e (1, n_out)."""
    (n_in,), n_out = task.shape, task.n_out
    sign = np.where(np.arange(n_in) % 3, 1.0, -1.0)
    return dict(W=0.3 * sign * rng.random((n_out, n_in)), y=np.zeros((1, n_out)), e=np.zeros((1, n_out)), sign=sign)


def delta_respond(signal, out, W, y):
    for k in range(W.shape[0]):
        total = W.dtype.type(0)
        for j in range(W.shape[1]):
            total += W[k, j] * signal[0, j]
        y[0, k] = total
    for k in range(W.shape[0]):
        out[0, k] = y[0, k]


def delta(target, signal, W, y, e, rate):
    for k in range(W.shape[0]):
        e[0, k] = target[0, k] - y[0, k]
    for k in range(W.shape[0]):
        for j in range(W.shape[1]):
            W[k, j] += rate * e[0, k] * signal[0, j]


def held(target, signal, W, y, e, sign, rate):
    delta(target, signal, W, y, e, rate)
    for k in range(W.shape[0]):
        for j in range(W.shape[1]):
            W[k, j] = sign[j] * max(sign[j] * W[k, j], 0)


class Delta(Classifier):
    """The delta rule, from weights that keep Dale's law to begin with."""

    rate: float = hyper(default=0.05, doc="step size", low=1e-6, high=1.0, log=True)

    cut = 0.5
    synapses = (Synapse("W", "signal", "y"),)
    populations = Population("y"), Population("e", "error")
    init, respond, learn = delta_init, delta_respond, delta


class Held(Delta):
    """A weight that would change its sign stays at 0."""

    learn = held


def split_init(task, rng):
    state = delta_init(task, rng)
    return state | dict(more=np.zeros((1, task.n_out)), less=np.zeros((1, task.n_out)))


def split(target, signal, W, y, more, less, rate):
    """more = max(target - y, 0), less = max(y - target, 0)."""
    for k in range(W.shape[0]):
        more[0, k] = max(target[0, k] - y[0, k], 0)
    for k in range(W.shape[0]):
        less[0, k] = max(y[0, k] - target[0, k], 0)
    for k in range(W.shape[0]):
        for j in range(W.shape[1]):
            W[k, j] += rate * (more[0, k] - less[0, k]) * signal[0, j]


class Split(Delta):
    """The delta rule whose error comes on two wires, neither of which is ever negative."""

    populations = Population("y"), Population("more", "error"), Population("less", "error")
    init, learn = split_init, split


# ---------------------------------------------------------------- blocks


def normed(signal, out, W, b, a, n, block, activation):
    """As the network, but activities of hidden layers are divided by their root mean square over the block, and 1."""
    plain(signal, out, W, b, a, n, block, activation)
    B, at, one = signal.shape[0], block * n[0], a.dtype.type(1)
    for l in range(1, n.size - 1):
        m = n[l]
        for j in range(m):
            total = one
            for i in range(B):
                total += a[at + i * m + j] ** 2 / B
            for i in range(B):
                a[at + i * m + j] /= total**0.5
        at += block * m
    top = n.size - 1
    for i in range(B):
        for k in range(n[top]):
            out[i, k] = a[at + i * n[top] + k]


class Normed(FeedbackAlignment):
    """Feedback alignment whose hidden cells are normalised over the block."""

    respond = normed


# ---------------------------------------------------------------- spikes


def cells_init(task, rng, steps):
    (n_in,), n_out = task.shape, task.n_out
    return dict(W=rng.random((n_out, n_in)), x=np.zeros(n_in), charge=np.zeros(n_in), v=np.zeros(n_out), s=np.zeros(n_out))


def integrate(signal, out, W, x, charge, v, s, plastic, rate, steps, spiking):
    """For some steps: charge and v add up; whoever is above 1 sends it and starts anew; W += rate s x'.

    What is sent is a spike, or else the charge itself.
    """
    one, zero = W.dtype.type(1), W.dtype.type(0)
    for k in range(v.size):
        out[0, k] = zero
    for j in range(charge.size):
        charge[j] = zero
    for k in range(v.size):
        v[k] = zero
    for _ in range(steps):
        for j in range(x.size):
            charge[j] += signal[0, j] / 3
        for j in range(x.size):
            x[j] = (one if spiking else charge[j]) if charge[j] > one else zero
        for j in range(x.size):
            charge[j] = zero if charge[j] > one else charge[j]
        for k in range(v.size):
            v[k] *= W.dtype.type(0.8)
            for j in range(x.size):
                v[k] += W[k, j] * x[j] / 2
        for k in range(v.size):
            s[k] = (one if spiking else v[k]) if v[k] > one else zero
        for k in range(v.size):
            v[k] = zero if v[k] > one else v[k]
        if plastic:
            for k in range(v.size):
                for j in range(x.size):
                    W[k, j] += rate * s[k] * (x[j] - W[k, j])
        for k in range(v.size):
            out[0, k] += s[k]


def silent(target):
    """Nothing is left to do: it has learnt while it answered."""


class Spikes(Learner):
    """Leaky cells that spike, and Hebb's rule on the spikes of a step."""

    rate: float = hyper(default=0.01, doc="step size", low=1e-6, high=0.1, log=True)
    steps: int = hyper(default=20, doc="of a signal", low=1, high=100)
    spiking: bool = hyper(default=True, doc="whether a spike is sent, or the charge")

    can = Can(targets={"none"})
    synapses = (Synapse("W", "x", "s"),)
    populations = Population("x", "spike"), Population("s", "spike"), Population("v"), Population("charge")
    init, respond, learn = cells_init, integrate, silent


class Charges(Spikes):
    """The same cells, which send their charge."""

    spiking: bool = hyper(default=False, doc="whether a spike is sent, or the charge")

    populations = Population("x"), Population("s"), Population("v"), Population("charge")


# ---------------------------------------------------------------- a layer that listens


def listening_init(task, rng, hidden, depth, activation, start, block, loudness):
    state = forward_forward.init(task, rng, hidden, depth, activation, start, block, loudness)
    return state | dict(T=tuple(0.3 * rng.random((hidden, hidden)) for _ in range(depth - 1)))


def listening(target, T, V, dW, db, dV, y, x, a, g, s, d, true, false, n, noise, block, activation, threshold):
    """a[l] = a[l] + T[l] a[l+1], and its goodness anew; then as forward-forward."""
    rows = block * V.shape[1]
    at, w = 0, 0
    for l in range(n.size - 2):
        m, k = n[l + 1], n[l + 2]
        above = at + rows * m
        for i in range(rows):
            for j in range(m):
                total = a[at + i * m + j]
                for h in range(k):
                    total += T[w + j * k + h] * a[above + i * k + h]
                a[at + i * m + j] = total
        please(a[at:], g[l * rows :], rows, m)
        at, w = above, w + m * k
    forward_forward.learn(target, V, dW, db, dV, y, x, a, g, s, d, true, false, n, noise, block, activation, threshold)


class Listening(ForwardForward):
    """Forward-forward whose layers listen, through synapses of their own, to the layer above before they learn."""

    synapses = *ForwardForward.synapses, Synapse("T[l]", "a[l+1]", "a[l]", "feedback", plastic=False)
    init, learn = listening_init, listening


# ---------------------------------------------------------------- an unused synapse


def placebo_init(task, rng, hidden, depth, activation, start, block):
    state = FeedbackAlignment.init(task, rng, hidden, depth, activation, start, block)
    return state | dict(U=rng.normal(size=(hidden, hidden)))


class Placebo(FeedbackAlignment):
    """Feedback alignment with synapses that nothing goes through."""

    synapses = *FeedbackAlignment.synapses, Synapse("U", "a[1]", "a[2]", plastic=False)
    init = placebo_init
