"""Oja's rule: Hebb's, with just enough forgetting to stay bounded.

Oja, E. (1982). A simplified neuron model as a principal component analyzer. J. Math. Biology 15, 267-273.
doi:10.1007/BF00275687

Biological reading: the synapse grows with the product of what its two cells do (Hebb), and fades with the square of the
postsynaptic rate: heterosynaptic competition for a fixed total. No teacher, no third factor; each synapse needs its own
weight and the two rates beside it.
"""

import numpy as np

from harness.learner import Can, Learner, Population, Synapse, hyper


def init(task, rng):
    """Rows of synapses W (n_out, n_in), each in a random direction; response y (1, n_out); signals seen so far, age (1,)."""
    (n_in,), n_out = task.shape, task.n_out
    W = rng.normal(size=(n_out, n_in))
    return dict(W=W / np.linalg.norm(W, axis=1, keepdims=True), y=np.zeros((1, n_out)), age=np.zeros(1, int))


def respond(signal, out, W, y):
    """y = W x."""
    for k in range(W.shape[0]):
        total = W.dtype.type(0)
        for j in range(W.shape[1]):
            total += W[k, j] * signal[0, j]
        y[0, k] = total
    for k in range(W.shape[0]):
        out[0, k] = y[0, k]


def learn(target, signal, W, y, age, rate, slowing):
    """W[k] += r y[k] (x - y[k] W[k]), r = rate / (1 + age / slowing). The target is not looked at."""
    r = rate / (W.dtype.type(1) + W.dtype.type(age[0]) / slowing)
    age[0] += 1
    for k in range(W.shape[0]):
        for j in range(W.shape[1]):
            W[k, j] += r * y[0, k] * (signal[0, j] - y[0, k] * W[k, j])


class Oja(Learner):
    """Linear units, each of which finds the first principal component of what it is shown."""

    rate: float = hyper(default=0.01, doc="step size at first", low=1e-6, high=0.1, log=True, unit="1/sample", search=(1e-4, 0.1))
    slowing: float = hyper(
        default=2000.0, doc="signals that halve the step", low=1.0, high=1e9, log=True, unit="samples", search=(100.0, 1e6)
    )

    source = ("doi:10.1007/BF00275687",)
    can = Can(targets={"none"})
    synapses = (Synapse("W", "signal", "y"),)
    populations = (Population("y", "rate"),)
    init, respond, learn = init, respond, learn
