"""The Hebbian associator: what fires together is wired together, with the teacher as one of the two.

Hebb, D. O. (1949). The Organization of Behavior. Wiley.
Kohonen, T. (1972). Correlation matrix memories. IEEE Trans. Computers C-21(4), 353-359. doi:10.1109/TC.1972.5008975
Vallet, F. (1989). The Hebb rule for learning linearly separable Boolean functions. Europhys. Lett. 8(8), 747-751.
doi:10.1209/0295-5075/8/8/008

Biological reading: while it is taught, the postsynaptic cell is driven by the teacher alone (a second, strong afferent), and
each synapse grows with the product of the rates on its two sides. It never looks at its own answer, so it cannot err and
correct: what it stores is a correlation.
"""

import numpy as np

from harness.learner import Classifier, Population, Synapse, hyper


def init(task, rng):
    """Blank synapses W (n_out, n_in); response y (1, n_out); the taught rate about its mean, z (1, n_out)."""
    (n_in,), n_out = task.shape, task.n_out
    return dict(W=np.zeros((n_out, n_in)), y=np.zeros((1, n_out)), z=np.zeros((1, n_out)))


def respond(signal, out, W, y):
    """y = W x."""
    for k in range(W.shape[0]):
        total = W.dtype.type(0)
        for j in range(W.shape[1]):
            total += W[k, j] * signal[0, j]
        y[0, k] = total
    for k in range(W.shape[0]):
        out[0, k] = y[0, k]


def learn(target, signal, W, z, rate):
    """z = target about its mean (-1/2 and 1/2; of K classes, less 1/K); W += rate z x'."""
    K = max(target.shape[1], 2)
    for k in range(W.shape[0]):
        z[0, k] = target[0, k] - W.dtype.type(1) / W.dtype.type(K)
    for k in range(W.shape[0]):
        for j in range(W.shape[1]):
            W[k, j] += rate * z[0, k] * signal[0, j]


class HebbianAssociator(Classifier):
    """A linear associator whose synapses add up the correlations of signal and target."""

    rate: float = hyper(
        default=0.01, doc="step size; classes do not depend on it", low=1e-6, high=10.0, log=True, unit="1/sample", search=False
    )

    source = "doi:10.1109/TC.1972.5008975", "doi:10.1209/0295-5075/8/8/008"
    synapses = (Synapse("W", "signal", "y"),)
    populations = Population("y", "rate"), Population("z", "modulator")
    init, respond, learn = init, respond, learn
