"""The perceptron: threshold units that learn from their own mistakes.

Rosenblatt, F. (1958). The perceptron: a probabilistic model for information storage and organization in the brain.
Psychological Review 65(6), 386-408. doi:10.1037/h0042519
Novikoff, A. B. J. (1962). On convergence proofs on perceptrons. Symposium on the Mathematical Theory of Automata 12, 615-622.

Biological reading: `signal` is the firing of the afferent axons, W the efficacies of their synapses on the dendrites, y the
summed potential of the soma, and the comparison with 0 its all-or-none spike. The teacher's correction is a third factor
that reaches one cell and all its synapses alike.
"""

import numpy as np

from harness.learner import Classifier, Population, Synapse, hyper


def init(task, rng, start):
    """Synapses W (n_out, n_in), bias b (n_out,); potential y (1, n_out). Blank, or drawn from [0, 1)."""
    (n_in,), n_out = task.shape, task.n_out
    if start == 0:
        return dict(W=np.zeros((n_out, n_in)), b=np.zeros(n_out), y=np.zeros((1, n_out)))
    return dict(W=rng.random((n_out, n_in)), b=rng.random(n_out), y=np.zeros((1, n_out)))


def respond(signal, out, W, b, y):
    """y = W x + b."""
    for k in range(out.shape[1]):
        total = b[k]
        for j in range(W.shape[1]):
            total += W[k, j] * signal[0, j]
        y[0, k] = total
        out[0, k] = total


def learn(target, signal, W, b, y, rate, fires_at_zero):
    """Where a unit fired wrongly: W += rate (target - fired) x, b += rate (target - fired)."""
    for k in range(target.shape[1]):
        fired = y[0, k] > 0 or (fires_at_zero and y[0, k] == 0)
        if fired != (target[0, k] > 0):
            step = -rate if fired else rate
            b[k] += step
            for j in range(W.shape[1]):
                W[k, j] += step * signal[0, j]


class Perceptron(Classifier):
    """A layer of threshold units, one a class; of two classes, a single unit."""

    rate: float = hyper(default=1.0, doc="step size", low=1e-6, high=1e3, log=True, unit="1/sample", search=(1e-3, 10.0))
    start: str = hyper(default="zero", doc="blank synapses, or random ones in [0, 1)", choices=("zero", "random"))
    fires_at_zero: bool = hyper(default=False, doc="whether a potential of exactly 0 is a spike")

    source = ("doi:10.1037/h0042519",)
    synapses = Synapse("W", "signal", "y"), Synapse("b", "1", "y", "bias")
    populations = (Population("y", "rate"),)
    init, respond, learn = init, respond, learn

    @property
    def cut(self):
        """A response of exactly 0 names the second class only where 0 fires."""
        return -1e-45 if self.fires_at_zero else 0.0
