"""Small recurrent learners that differ in how they remember what is to be credited: traces, influences, a tape.

Cells h (n) integrate: u = W h + V x, h = (1 - a) h + a tanh u; outputs y = U h. The error e = target - y comes back through B,
or U'. Learnt are W (n, n) and U (K, n).

Murray, J. M. (2019). Local online learning in recurrent networks with random feedback (RFLO). eLife 8, e43299.
doi:10.7554/eLife.43299
Williams, R. J. & Zipser, D. (1989). A learning algorithm for continually running fully recurrent neural networks (RTRL).
Neural Computation 1, 270-280. doi:10.1162/neco.1989.1.2.270
Werbos, P. J. (1990). Backpropagation through time. Proc. IEEE 78, 1550-1560. doi:10.1109/5.58337
"""

import numpy as np

from harness.jit import kernel
from harness.learner import Can, Learner, Population, Synapse, hyper

LONG = 128
"""Ticks for which the tape is laid out that is laid out beforehand."""


def network(task, rng, units):
    """Weights W, V, U, feedback B, changes, activities, errors e and l, and the tick within a sequence, t."""
    (k,), K, n = task.shape, task.n_out, units
    weights = dict(W=rng.normal(0, 1.2 * n**-0.5, (n, n)), V=rng.normal(0, k**-0.5, (n, k)), U=rng.normal(0, n**-0.5, (K, n)))
    changes = dict(dW=np.zeros((n, n)), dU=np.zeros((K, n)))
    cells = dict(x=np.zeros(k), h=np.zeros(n), u=np.zeros(n), y=np.zeros(K), e=np.zeros(K), l=np.zeros(n))
    return weights | changes | cells | dict(B=rng.normal(0, n**-0.5, (n, K)), t=np.zeros(1, int))


@kernel
def drive(signal, W, V, dW, dU, x, h, u, t):
    """x = signal, u = W h + V x. A sequence begins with no change."""
    for k in range(x.size):
        x[k] = signal[0, k]
    for j in range(h.size):
        total = W.dtype.type(0)
        for i in range(h.size):
            total += W[j, i] * h[i]
        for k in range(x.size):
            total += V[j, k] * x[k]
        u[j] = np.tanh(total)
    if t[0] == 0:
        for j in range(dW.shape[0]):
            for i in range(dW.shape[1]):
                dW[j, i] = 0
        for k in range(dU.shape[0]):
            for i in range(dU.shape[1]):
                dU[k, i] = 0
    t[0] += 1


@kernel
def answer(out, U, h, u, y, pace):
    """h = (1 - pace) h + pace tanh u, y = U h."""
    for j in range(h.size):
        h[j] = (1 - pace) * h[j] + pace * u[j]
    for k in range(y.size):
        total = U.dtype.type(0)
        for j in range(h.size):
            total += U[k, j] * h[j]
        y[k] = total
    for k in range(y.size):
        out[0, k] = y[k]


@kernel
def wrong(target, y, e):
    """e = target - y."""
    for k in range(y.size):
        e[k] = target[0, k] - y[k]


@kernel
def read(dU, e, h):
    """dU += e h'."""
    for k in range(e.size):
        for j in range(h.size):
            dU[k, j] += e[k] * h[j]


@kernel
def project(F, e, l):
    """l = F e."""
    for j in range(l.size):
        total = l.dtype.type(0)
        for k in range(e.size):
            total += F[j, k] * e[k]
        l[j] = total


def adapt(W, U, dW, dU, rate):
    """W += rate dW, U += rate dU."""
    for j in range(W.shape[0]):
        for i in range(W.shape[1]):
            W[j, i] += rate * dW[j, i]
    for k in range(U.shape[0]):
        for j in range(U.shape[1]):
            U[k, j] += rate * dU[k, j]


class Recurrent(Learner):
    """What they share."""

    units: int = hyper(default=8, doc="recurrent cells", low=2, high=64)
    pace: float = hyper(default=0.3, doc="share of a cell's activity that is new at a tick", low=0.01, high=1.0)
    rate: float = hyper(default=0.05, doc="step size", low=1e-6, high=1.0, log=True)

    can = Can(inputs={"sequence"})
    synapses = (
        Synapse("W", "h", "h", "lateral"),
        Synapse("V", "x", "h", plastic=False),
        Synapse("U", "h", "y"),
        Synapse("B", "e", "l", "feedback", plastic=False),
    )
    populations = (
        *map(Population, ("x", "h")), Population("u", "rate", "h"), Population("y"), Population("e", "error", "y"),
        Population("l", "error", "h"),
    )  # fmt: skip
    adapt = adapt


# ---------------------------------------------------------------- a trace at each synapse


def rflo_init(task, rng, units):
    """The network, and traces P (n, n)."""
    return network(task, rng, units) | dict(P=np.zeros((units, units)))


def rflo_respond(signal, out, W, V, U, dW, dU, x, h, u, y, P, t, pace):
    """P_ji = (1 - pace) P_ji + pace f'(u_j) h_i, with h as it was."""
    drive(signal, W, V, dW, dU, x, h, u, t)
    for j in range(h.size):
        for i in range(h.size):
            P[j, i] = (1 - pace) * P[j, i] + pace * (1 - u[j] * u[j]) * h[i]
    answer(out, U, h, u, y, pace)


def rflo(target, B, dW, dU, h, y, e, l, P):
    """dW_ji += l_j P_ji, l = B e."""
    wrong(target, y, e)
    project(B, e, l)
    for j in range(h.size):
        for i in range(h.size):
            dW[j, i] += l[j] * P[j, i]
    read(dU, e, h)


def rflo_rest(taught, h, P, t):
    t[0] = 0
    for j in range(h.size):
        h[j] = 0
        for i in range(h.size):
            P[j, i] = 0


class RFLO(Recurrent):
    """Random feedback, local traces."""

    init, respond, learn, rest = rflo_init, rflo_respond, rflo, rflo_rest


def symmetric(target, U, dW, dU, h, y, e, l, P):
    rflo(target, U.T, dW, dU, h, y, e, l, P)


class SymmetricRFLO(RFLO):
    """The same, but errors come back through U'."""

    learn = symmetric


# ---------------------------------------------------------------- the influence of every weight on every cell


def rtrl_init(task, rng, units):
    """The network, and influences J (n, n n) of weights on cells; G takes a product."""
    return network(task, rng, units) | dict(J=np.zeros((units, units * units)), G=np.zeros((units, units * units)))


def rtrl_respond(signal, out, W, V, U, dW, dU, x, h, u, y, J, G, t, pace):
    """J_m = (1 - pace) J_m + pace f'(u_m) (sum_k W_mk J_k + [j = m] h_i)."""
    drive(signal, W, V, dW, dU, x, h, u, t)
    n = h.size
    np.dot(W, J, G)
    for m in range(n):
        gain = pace * (1 - u[m] * u[m])
        for i in range(n):
            G[m, m * n + i] += h[i]
        for w in range(n * n):
            J[m, w] = (1 - pace) * J[m, w] + gain * G[m, w]
    answer(out, U, h, u, y, pace)


def rtrl(target, U, dW, dU, h, y, e, l, J):
    """dW_ji += sum_m (U' e)_m J_m,ji."""
    wrong(target, y, e)
    project(U.T, e, l)
    n = h.size
    for j in range(n):
        for i in range(n):
            for m in range(n):
                dW[j, i] += l[m] * J[m, j * n + i]
    read(dU, e, h)


def rtrl_rest(taught, h, J, t):
    t[0] = 0
    for j in range(h.size):
        h[j] = 0
        for w in range(J.shape[1]):
            J[j, w] = 0


class RTRL(Recurrent):
    """The gradient, forwards in time: n n n influences."""

    init, respond, learn, rest = rtrl_init, rtrl_respond, rtrl, rtrl_rest


# ---------------------------------------------------------------- a tape


def bptt_init(task, rng, units):
    """The network, and a tape of activities H (T + 1, n), slopes S (T, n) and errors E (T, K); g, c (n,) on the way back."""
    return taped(task, rng, units, task.n_ticks)


def taped(task, rng, units, ticks):
    tape = dict(H=np.zeros((ticks + 1, units)), S=np.zeros((ticks, units)), E=np.zeros((ticks, task.n_out)))
    return network(task, rng, units) | tape | dict(g=np.zeros(units), c=np.zeros(units))


def bptt_respond(signal, out, W, V, U, dW, dU, x, h, u, y, H, S, E, t, pace):
    """What is needed on the way back is written down."""
    drive(signal, W, V, dW, dU, x, h, u, t)
    now = t[0] - 1
    for j in range(h.size):
        S[now, j] = 1 - u[j] * u[j]
    answer(out, U, h, u, y, pace)
    for j in range(h.size):
        H[now + 1, j] = h[j]
    for k in range(y.size):
        E[now, k] = 0


def bptt(target, y, e, E, t):
    """The error is written down."""
    wrong(target, y, e)
    for k in range(y.size):
        E[t[0] - 1, k] = e[k]


def bptt_rest(taught, W, U, dW, dU, h, l, g, c, H, S, E, t, pace):
    """From the last tick to the first: l = U' e + c, g = pace f' l; dW += g h'; c = (1 - pace) l + W' g."""
    n = h.size
    for j in range(n):
        c[j] = 0
    for now in range(t[0] - 1 if taught else -1, -1, -1):
        project(U.T, E[now], l)
        for j in range(n):
            l[j] += c[j]
        for j in range(n):
            g[j] = pace * S[now, j] * l[j]
        for j in range(n):
            for i in range(n):
                dW[j, i] += g[j] * H[now, i]
        read(dU, E[now], H[now + 1])
        for i in range(n):
            total = g.dtype.type(0)
            for j in range(n):
                total += W[j, i] * g[j]
            c[i] = (1 - pace) * l[i] + total
    t[0] = 0
    for j in range(n):
        h[j] = 0


class BPTT(Recurrent):
    """The gradient, backwards through a tape when all is over."""

    populations = *Recurrent.populations, Population("g", "error", "h"), Population("c", "error", "h")
    init, respond, learn, rest = bptt_init, bptt_respond, bptt, bptt_rest


def preallocated_init(task, rng, units):
    """The same, with a tape that is as long whatever the task."""
    return taped(task, rng, units, LONG)


class PreallocatedBPTT(BPTT):
    """The bytes of its state do not grow; what it uses of them does."""

    init = preallocated_init
