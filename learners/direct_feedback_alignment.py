"""Direct feedback alignment: the output's error reaches every layer at once, through fixed random synapses.

Nokland, A. (2016). Direct feedback alignment provides learning in deep neural networks. NeurIPS 29. arXiv:1609.01596

Biological reading: one population of error cells broadcasts to all layers, each of which reads it through synapses of its
own. Nothing waits for the layer above.
"""

import numpy as np

from harness.jit import kernel, lean
from harness.learner import Synapse
from learners import network
from learners.kernels import dot_t, error, slope
from learners.network import Network, change


def init(task, rng, hidden, depth, activation, start, block):
    """The network, and for each hidden layer feedback F[l] (n[l+1], K), drawn as weights from K units would be."""
    state = network.init(task, rng, hidden, depth, activation, start, block)
    n, K = state["n"], task.n_out
    return state | dict(F=tuple(network.synapses(rng, (K, m), start, activation)[0] for m in n[1:-1]) or np.zeros(0))


@kernel
def broadcast(e, F, a, d, n, block, B, activation):
    """d[l] = f'(u[l]) (F[l] e) for every hidden layer, e (B, K)."""
    K = n[n.size - 1]
    at, to, w = block * n[0], 0, 0
    for l in range(n.size - 2):
        m = n[l + 1]
        dot_t(e, F[w:], d[to:], B, K, m)
        slope(d[to:], a[at:], B * m, activation)
        at, to, w = at + block * m, to + block * m, w + K * m


@lean
def learn(target, F, dW, db, a, d, n, block, activation, loss):
    """d[L-1] = (target - p) / B, d[l] = f'(u[l]) (F[l] d[L-1]); dW[l] = d[l]' a[l], db[l] = sum d[l]."""
    B, K = target.shape
    e = d[d.size - block * K :]
    error(a[a.size - block * K :], target, loss, e)
    broadcast(e, F, a, d, n, block, B, activation)
    change(dW, db, a, d, n, block, B)


class DirectFeedbackAlignment(Network):
    """Every hidden layer learns from the output's error directly."""

    source = ("arXiv:1609.01596",)
    synapses = *Network.synapses, Synapse("F[l]", "d[-1]", "d[l]", "feedback", plastic=False)
    init, learn = init, learn
