"""One layer of linear cells, and Hebb's rule with one line changed: how far a change looks around."""

import numpy as np

from harness.learner import Can, Learner, Population, Synapse, hyper


def init(task, rng):
    """Synapses W (n_out, n_in), rows of length 1; answers y (1, n_out)."""
    (n_in,), n_out = task.shape, task.n_out
    W = rng.normal(size=(n_out, n_in))
    return dict(W=W / np.linalg.norm(W, axis=1, keepdims=True), y=np.zeros((1, n_out)))


def respond(signal, out, W, y):
    """y = W x."""
    for k in range(W.shape[0]):
        total = W.dtype.type(0)
        for j in range(W.shape[1]):
            total += W[k, j] * signal[0, j]
        y[0, k] = total
    for k in range(W.shape[0]):
        out[0, k] = y[0, k]


def hebb(target, signal, W, y, rate):
    for k in range(W.shape[0]):
        for j in range(W.shape[1]):
            W[k, j] += rate * y[0, k] * signal[0, j]


def oja(target, signal, W, y, rate):
    for k in range(W.shape[0]):
        for j in range(W.shape[1]):
            W[k, j] += rate * y[0, k] * (signal[0, j] - y[0, k] * W[k, j])


def explained(W, y, j, first):
    """What the first cells make of input j together."""
    total = W.dtype.type(0)
    for m in range(first):
        total += y[0, m] * W[m, j]
    return total


def sanger(target, signal, W, y, rate):
    for j in range(W.shape[1]):
        gone = [explained(W, y, j, k + 1) for k in range(W.shape[0])]
        for k in range(W.shape[0]):
            W[k, j] += rate * y[0, k] * (signal[0, j] - gone[k])


def subspace(target, signal, W, y, rate):
    for j in range(W.shape[1]):
        gone = explained(W, y, j, W.shape[0])
        for k in range(W.shape[0]):
            W[k, j] += rate * y[0, k] * (signal[0, j] - gone)


def lengthened(target, signal, W, y, rate):
    hebb(target, signal, W, y, rate)
    for k in range(W.shape[0]):
        total = W.dtype.type(0)
        for j in range(W.shape[1]):
            total += W[k, j] * W[k, j]
        for j in range(W.shape[1]):
            W[k, j] /= total**0.5


def shared_out(target, signal, W, y, rate):
    total = W.dtype.type(1)
    for k in range(W.shape[0]):
        total += y[0, k] * y[0, k]
    for k in range(W.shape[0]):
        for j in range(W.shape[1]):
            W[k, j] += rate * y[0, k] * signal[0, j] / total


def planted(target, signal, W, y, rate, strength):
    """W += rate (y x' + strength y y' W)."""
    for j in range(W.shape[1]):
        gone = explained(W, y, j, W.shape[0])
        for k in range(W.shape[0]):
            W[k, j] += rate * y[0, k] * (signal[0, j] + strength * gone)


class Hebb(Learner):
    """W += rate y x'."""

    rate: float = hyper(default=0.01, doc="step size", low=1e-6, high=0.1, log=True)

    can = Can(targets={"none"})
    synapses = (Synapse("W", "signal", "y"),)
    populations = (Population("y"),)
    init, respond, learn = init, respond, hebb


class OjaHere(Hebb):
    """Hebb's rule, less what the cell itself explains of an input."""

    learn = oja


class Sanger(Hebb):
    """Less what the cell and those before it explain."""

    learn = sanger


class Subspace(Hebb):
    """Less what all cells explain."""

    learn = subspace


class Lengthened(Hebb):
    """After each step every row is scaled to length 1."""

    learn = lengthened


class SharedOut(Hebb):
    """The step is divided among the cells by what all of them do."""

    learn = shared_out


class Planted(Hebb):
    """Hebb's rule, and a little of what all other cells hold."""

    strength: float = hyper(default=0.0, doc="of what is not local", low=0.0, high=1.0)

    learn = planted
