"""Feedback alignment with one line changed, each a way in which forward weights may come down after all."""

import numpy as np

from harness.jit import kernel
from harness.learner import Population, Synapse, hyper
from learners import direct_feedback_alignment, feedback_alignment
from learners.feedback_alignment import FeedbackAlignment
from learners.kernels import error
from learners.network import Network, change, descend, feed_back


def init(task, rng, hidden, depth, activation, start, block):
    """The network of feedback alignment, its feedback as it was at birth, and how many samples it has seen."""
    state = feedback_alignment.init(task, rng, hidden, depth, activation, start, block)
    return state | dict(born=tuple(F.copy() for F in state["F"]), seen=np.zeros(1, int))


@kernel
def lend(F, born, W, n, share):
    """F[l] = (1 - share) born[l] + share W[l+1]'."""
    at, w, one = 0, n[0] * n[1], F.dtype.type(1)
    for l in range(n.size - 2):
        k, m = n[l + 1], n[l + 2]
        for j in range(k):
            for i in range(m):
                F[at + j * m + i] = (one - share) * born[at + j * m + i] + share * W[w + i * k + j]
        at, w = at + k * m, w + m * k


@kernel
def work(target, F, dW, db, a, d, n, block, activation, loss):
    """The rule of feedback alignment."""
    B, K = target.shape
    error(a[a.size - block * K :], target, loss, d[d.size - block * K :])
    feed_back(F, a, d, n, block, B, activation)
    change(dW, db, a, d, n, block, B)


def lent(target, W, F, born, dW, db, a, d, n, block, activation, loss, share):
    lend(born, F, W, n, share)
    work(target, born, dW, db, a, d, n, block, activation, loss)


class Lent(FeedbackAlignment):
    """Feedback alignment with (1 - share) F + share W' in place of F: planted transport, for limits of detection."""

    share: float = hyper(default=0.0, doc="of W' in what feedback goes through", low=0.0, high=1.0)

    init, learn = init, lent


def now_and_then(target, W, F, born, seen, dW, db, a, d, n, block, activation, loss, every):
    seen[0] += 1
    if seen[0] % every == every - 1:
        lend(F, born, W, n, F.dtype.type(1))
    work(target, F, dW, db, a, d, n, block, activation, loss)


class NowAndThen(FeedbackAlignment):
    """F becomes W' at every fifth sample, and is left alone in between."""

    every: int = hyper(default=5, doc="samples from copy to copy", low=1, high=100)

    synapses = *Network.synapses, Synapse("F[l]", "d[l+1]", "d[l]", "feedback")
    init, learn = init, now_and_then


# ---------------------------------------------------------------- what is hidden

HIDDEN = {}


def through_a_global(target, W, F, born, dW, db, a, d, n, block, activation, loss):
    HIDDEN["F"] = np.array(F)
    lend(HIDDEN["F"], born, W, n, F.dtype.type(1))
    work(target, HIDDEN["F"], dW, db, a, d, n, block, activation, loss)


class Hidden(FeedbackAlignment):
    """Its errors come down through W' in a buffer outside of the learner; the F that it declares is never used."""

    init, learn = init, through_a_global


def some_samples_late(target, W, F, born, dW, db, a, d, n, block, activation, loss, ago):
    kept = HIDDEN.setdefault("late", [])
    back = kept[-ago] if len(kept) >= ago else np.array(F)
    work(target, back, dW, db, a, d, n, block, activation, loss)
    kept.append(np.array(F))
    lend(kept[-1], born, W, n, F.dtype.type(1))


class Late(FeedbackAlignment):
    """The same, but what is used was copied in the sample before, or some samples ago."""

    ago: int = hyper(default=1, doc="samples since the copy that is used", low=1, high=3)

    init, learn = init, some_samples_late


def smuggled(target, born, dW, db, a, d, n, block, activation, loss):
    work(target, born, dW, db, a, d, n, block, activation, loss)


class Smuggled(Network):
    """Errors that pass for ordinary activity, and reach the layer below along no synapse that is declared."""

    populations = Population("a[l]"), Population("d[l]")
    init, learn = init, smuggled


def back(target, W, dW, db, a, d, n, block, activation, loss):
    B, K = target.shape
    error(a[a.size - block * K :], target, loss, d[d.size - block * K :])
    descend(W, a, d, n, block, B, activation)
    change(dW, db, a, d, n, block, B)


class FalseCells(Network):
    """Back-propagation that says the errors of its first layer are signals of the cells above."""

    populations = Population("a[l]"), Population("d[0]", "error", "a[2]"), *(Population(f"d[{l}]", "error") for l in (1, 2))
    learn = back


class FakeSynapse(FeedbackAlignment):
    """Back-propagation that declares feedback synapses and leaves them idle."""

    learn = back


def idle(target, F, born, dW, db, a, d, n, block, activation, loss):
    work(target, born, dW, db, a, d, n, block, activation, loss)


class Idle(FeedbackAlignment):
    """Feedback alignment through weights that are not declared; those that are declared do nothing."""

    init, learn = init, idle


# ---------------------------------------------------------------- what is not local


def clipped(target, F, dW, db, a, d, n, block, activation, loss, ceiling):
    work(target, F, dW, db, a, d, n, block, activation, loss)
    total = dW.dtype.type(0)
    for i in range(dW.size):
        total += dW[i] * dW[i]
    factor = min(dW.dtype.type(1), ceiling / total**0.5)
    for i in range(dW.size):
        dW[i] = factor * dW[i]


class Clipped(FeedbackAlignment):
    """All changes are scaled to a common norm, if that is exceeded."""

    ceiling: float = hyper(default=1e-3, doc="largest norm of all changes", low=1e-9, high=1e9, log=True)

    learn = clipped


# ---------------------------------------------------------------- two wires


def wires_init(task, rng, hidden, depth, activation, start, block):
    state = direct_feedback_alignment.init(task, rng, hidden, depth, activation, start, block)
    state["F"] = tuple(np.abs(F) for F in state["F"])
    return state | dict(more=np.zeros((block, task.n_out)), less=np.zeros((block, task.n_out)))


@kernel
def spread(F, a, d, more, less, n, block, B, K):
    """d[l] = f'(u[l]) (F[l] more - F[l] less) for hidden layers; of the last layer more - less."""
    to, w, at = 0, 0, block * n[0]
    for l in range(n.size - 2):
        m = n[l + 1]
        for i in range(B):
            for j in range(m):
                total = a.dtype.type(0)
                for k in range(K):
                    total += F[w + j * K + k] * (more[i, k] - less[i, k])
                y = a[at + i * m + j]
                d[to + i * m + j] = total * (1 - y * y)
        to, w, at = to + block * m, w + K * m, at + block * m
    for i in range(B):
        for k in range(K):
            d[to + i * K + k] = more[i, k] - less[i, k]


def two_wires(target, F, dW, db, a, d, more, less, n, block):
    """more = max(target - p, 0), less = max(p - target, 0)."""
    B, K = target.shape
    top = a.size - block * K
    for i in range(B):
        for k in range(K):
            more[i, k] = max(target[i, k] - a[top + i * K + k], 0) / B
    for i in range(B):
        for k in range(K):
            less[i, k] = max(a[top + i * K + k] - target[i, k], 0) / B
    spread(F, a, d, more, less, n, block, B, K)
    change(dW, db, a, d, n, block, B)


def one_wire(target, F, dW, db, a, d, more, less, n, block):
    """more = target - p, whatever its sign, and less = 0."""
    B, K = target.shape
    top = a.size - block * K
    for i in range(B):
        for k in range(K):
            more[i, k] = (target[i, k] - a[top + i * K + k]) / B
    for i in range(B):
        for k in range(K):
            less[i, k] = 0
    spread(F, a, d, more, less, n, block, B, K)
    change(dW, db, a, d, n, block, B)


class TwoWires(Network):
    """Direct feedback alignment through excitatory synapses, of errors on two wires, neither of which is ever negative."""

    synapses = *Network.synapses, Synapse("F[l]", "more", "d[l]", "feedback", plastic=False)
    populations = Population("a[l]"), Population("d[l]"), Population("more", "error"), Population("less", "error")
    init, learn = wires_init, two_wires


class OneWire(TwoWires):
    """The same error on one wire."""

    learn = one_wire


def mixed_init(task, rng, hidden, depth, activation, start, block):
    state = direct_feedback_alignment.init(task, rng, hidden, depth, activation, start, block)
    return state | dict(more=np.zeros((block, task.n_out)), less=np.zeros((block, task.n_out)))


class MixedWires(TwoWires):
    """Errors on two wires, neither of which is ever negative, through synapses that excite some cells and inhibit others."""

    init = mixed_init


class MixedWire(MixedWires):
    """The same error on one wire, through the same synapses."""

    learn = one_wire


def sizes_alone(target, F, dW, db, a, d, more, less, n, block):
    """more = |target - p|, less half of it; cells turn round what comes down where the target is 0, of which no wire tells."""
    B, K = target.shape
    top = a.size - block * K
    for i in range(B):
        for k in range(K):
            more[i, k] = abs(target[i, k] - a[top + i * K + k]) / B
    for i in range(B):
        for k in range(K):
            less[i, k] = abs(target[i, k] - a[top + i * K + k]) / (2 * B)
    spread(F, a, d, more, less, n, block, B, K)
    for i in range(d.size):
        d[i] = d[i] if target[0, i % K] > 0 else -d[i]
    change(dW, db, a, d, n, block, B)


class Unsaid(MixedWires):
    """A wire carries how large the error is; which way it goes comes to the cells along none."""

    learn = sizes_alone
