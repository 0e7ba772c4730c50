"""The delta rule, or ADALINE: a layer of linear units that learn from the difference between what they say and should say.

Widrow, B. & Hoff, M. E. (1960). Adaptive switching circuits. IRE WESCON Convention Record 4, 96-104.
Widrow, B. & Stearns, S. D. (1985). Adaptive signal processing. Prentice-Hall (when least mean squares are stable).

Biological reading: as the perceptron's, but the teacher tells each cell by how much its potential missed, not only that its
spike did. Two signals meet at the synapse: what came in, and the cell's own error.

This is the way down the mean of half the squared error. Taught in whole blocks it settles at the least squares where
rate < 2 / l, l the largest eigenvalue of the mean of x x' (with a constant 1, for the bias, among the x); above, it runs away.
"""

from harness.jit import lean
from harness.learner import Classifier, Population, Synapse, hyper
from learners import network
from learners.kernels import LINEAR, SQUARED, error
from learners.network import change
from learners.network import respond as forward


def init(task, rng, block):
    """The shared network without a hidden layer, and with no optimiser: W[0] (K, n_in), b[0], a[0], a[1], d[0] (block, K)."""
    state = network.init(task, rng, 0, 0, LINEAR, 0, block)
    return {name: value for name, value in state.items() if name not in ("m", "v", "age")}


@lean
def respond(signal, out, W, b, a, n, block):
    """y = W x + b."""
    forward(signal, out, W, b, a, n, block, LINEAR)


@lean
def learn(target, dW, db, a, d, n, block):
    """e = (target - y) / B; dW = e' x, db = sum e."""
    B, K = target.shape
    error(a[a.size - block * K :], target, SQUARED, d)
    change(dW, db, a, d, n, block, B)


@lean
def adapt(theta, grad, rate):
    """W += rate dW, b += rate db."""
    for i in range(theta.size):
        theta[i] += rate * grad[i]


class DeltaRule(Classifier):
    """Linear units taught by least mean squares, a signal at a time or in blocks."""

    rate: float = hyper(default=0.01, doc="step size", low=1e-6, high=2.0, log=True, unit="1/block")
    block: int = hyper(default=1, doc="signals whose changes are averaged", low=1, high=65536, log=True)

    source = ("Widrow & Hoff (1960), IRE WESCON 4, 96-104",)
    cut = 0.5
    synapses = Synapse("W[l]", "a[l]", "a[l+1]"), Synapse("b[l]", "1", "a[l+1]", "bias")
    populations = Population("a[l]"), Population("d[l]", "error")
    init, respond, learn, adapt = init, respond, learn, adapt
