"""Sign symmetry: of a forward synapse, feedback knows only whether it excites or inhibits.

Liao, Q., Leibo, J. Z. & Poggio, T. (2016). How important is weight symmetry in backpropagation? AAAI 30, 1837-1844.
arXiv:1510.05067 (uSF, brSF and frSF)
Xiao, W., Chen, H., Liao, Q. & Poggio, T. (2019). Biologically-plausible learning algorithms can scale to large datasets.
ICLR. arXiv:1811.03567

Biological reading: that two reciprocal synapses agree in sign is one bit a synapse, which the types of their cells might
settle in development; how strong the other is, neither knows. The bit is still carried from W to F at every block.
"""

import numpy as np

from harness.jit import kernel, lean
from harness.learner import Synapse, hyper
from harness.noise import uniform
from learners import network
from learners.kernels import error
from learners.network import Network, change, feed_back

MAGNITUDES = "uniform", "batchwise", "fixed"
UNIFORM, BATCHWISE, FIXED = range(3)


def init(task, rng, hidden, depth, activation, start, block, magnitude):
    """The network, and feedback F[l] (n[l+1], n[l+2]) with the signs of W[l+1]'.

    All magnitudes have the mean square of Glorot and Bengio's weights, 2 / (fan-in + fan-out): they are that, or drawn.
    """
    state = network.init(task, rng, hidden, depth, activation, start, block)
    F = []
    for W in state["W"][1:]:
        m, k = W.shape
        size = (2 / (k + m)) ** 0.5 if magnitude == UNIFORM else rng.random((k, m)) * (6 / (k + m)) ** 0.5
        F.append(np.copysign(size, W.T))
    return state | dict(F=tuple(F) or np.zeros(0))


@kernel
def agree(F, W, n, noise, magnitude):
    """F[l] = |F[l]| sign W[l+1]', where `batchwise` draws |F[l]| from [0, sqrt(6 / (fan-in + fan-out))) afresh."""
    at, w = 0, n[0] * n[1]
    for l in range(n.size - 2):
        k, m = n[l + 1], n[l + 2]
        if magnitude == BATCHWISE:
            bound = (6.0 / (k + m)) ** 0.5
            for i in range(k * m):
                F[at + i] = F.dtype.type(bound * uniform(noise, 0))
        for j in range(k):
            for i in range(m):
                size = abs(F[at + j * m + i])
                F[at + j * m + i] = size if W[w + i * k + j] >= 0 else -size
        at, w = at + k * m, w + m * k


@lean
def learn(target, W, F, dW, db, a, d, n, noise, block, activation, loss, magnitude):
    """d[L-1] = (target - p) / B, d[l] = f'(u[l]) (F[l] d[l+1]); dW[l] = d[l]' a[l], db[l] = sum d[l]."""
    B, K = target.shape
    agree(F, W, n, noise, magnitude)
    error(a[a.size - block * K :], target, loss, d[d.size - block * K :])
    feed_back(F, a, d, n, block, B, activation)
    change(dW, db, a, d, n, block, B)


class SignSymmetry(Network):
    """Feedback whose synapses share the sign of what they stand for, and nothing else."""

    magnitude: str = hyper(
        default="uniform", doc="of feedback: all alike, drawn anew for each block, or drawn once", choices=MAGNITUDES
    )

    source = "arXiv:1510.05067", "arXiv:1811.03567"
    synapses = *Network.synapses, Synapse("F[l]", "d[l+1]", "d[l]", "feedback")
    init, learn = init, learn
