"""McCulloch and Pitts's neuron: all-or-none, with a fixed threshold and weights that are set, never learnt.

McCulloch, W. S. & Pitts, W. (1943). A logical calculus of the ideas immanent in nervous activity. Bull. Math. Biophysics 5,
115-133. doi:10.1007/BF02478259

Biological reading: a cell fires if enough excitatory synapses are active within the period of latent addition and no
inhibitory one is. Nothing is plastic: what the net computes was laid down when it was wired. Here that is done case by case, as
a teacher shows them, so that an audit, which asks who tells a synapse to change, takes it for plasticity.

`unit` is the neuron, `GATES` its weights for the 14 two-input functions that one neuron can compute, and the class wires
two layers for any truth table: a cell for each case that is true, which fires for that case alone, and one that fires if any
of them does (the disjunctive normal form).
"""

from typing import ClassVar

import numpy as np

from harness.jit import kernel
from harness.learner import Can, Classifier, Population, Synapse, hyper

GATES = {
    "false": (0, 0, 1), "and": (1, 1, 2), "a_and_not_b": (1, -1, 1), "a": (1, 0, 1), "b_and_not_a": (-1, 1, 1), "b": (0, 1, 1),
    "or": (1, 1, 1), "nor": (-1, -1, 0), "not_b": (0, -1, 0), "b_implies_a": (1, -1, 0), "not_a": (-1, 0, 0),
    "a_implies_b": (-1, 1, 0), "nand": (-1, -1, -1), "true": (0, 0, 0),
}  # fmt: skip
"""(weight of a, weight of b, threshold) of the 14; XOR and XNOR have none."""


@kernel
def unit(x, w, threshold):
    """1 if the weighted sum of the inputs reaches the threshold, else 0."""
    total = w.dtype.type(0)
    for j in range(w.shape[0]):
        total += w[j] * x[j]
    return w.dtype.type(1) if total >= threshold else w.dtype.type(0)


def init(task, rng, cells):
    """W (H, n_in) and thresholds theta (H,) of the cells, h (1, H) and y (1, n_out); V (n_out, H) joins cells to outputs.

    x (n_in,) is the signal as spikes. A cell not yet wired has a threshold beyond reach.
    """
    (n_in,), K = task.shape, task.n_out
    H = min(cells, 2 ** min(n_in, 16) * K)
    return dict(W=np.zeros((H, n_in)), theta=np.full(H, n_in + 1.0), V=np.zeros((K, H)), x=np.zeros(n_in), h=np.zeros((1, H)),
                y=np.zeros((1, K)), used=np.zeros(1, int))  # fmt: skip


def respond(signal, out, W, theta, V, x, h, y):
    """x = signal above 1/2, h = unit(x, W, theta), y = unit(h, V, 1)."""
    one, zero = W.dtype.type(1), W.dtype.type(0)
    for j in range(x.shape[0]):
        x[j] = one if signal[0, j] > W.dtype.type(0.5) else zero
    for i in range(W.shape[0]):
        h[0, i] = unit(x, W[i], theta[i])
    for k in range(V.shape[0]):
        y[0, k] = unit(h[0], V[k], one)
    for k in range(V.shape[0]):
        out[0, k] = y[0, k]


def learn(target, W, theta, V, x, y, used):
    """Wire the case at hand, unless it is right already.

    A new cell gets weights 1 for the inputs that are on and -1 for those that are off, the number of the former for its
    threshold, and is joined to the output. Cells run out after `cells` cases.
    """
    one = W.dtype.type(1)
    for k in range(V.shape[0]):
        if target[0, k] > W.dtype.type(0.5) and y[0, k] < one and used[0] < W.shape[0]:
            i, ones = used[0], W.dtype.type(0)
            for j in range(x.shape[0]):
                W[i, j] = one if x[j] > 0 else -one
                ones += x[j]
            theta[i] = ones
            V[k, i] = one
            used[0] += 1


class McCullochPitts(Classifier):
    """Two layers of threshold units, wired by hand to a truth table."""

    cells: int = hyper(
        default=1024, doc="cells there are, at most one for each true case", low=1, high=65536, log=True, search=False
    )

    source = ("doi:10.1007/BF02478259",)
    audited: ClassVar = dict(cells=20)
    can = Can(truth_tables=True)
    expected_failed_checks: ClassVar = dict(
        check_classifiers_train="it is wired to truth tables; the check's signals are no such table"
    )
    synapses = Synapse("W", "x", "h"), Synapse("theta", "1", "h", "bias"), Synapse("V", "h", "y")
    populations = Population("x", "binary"), Population("h", "binary"), Population("y", "binary")
    init, respond, learn = init, respond, learn
    cut = 0.5
