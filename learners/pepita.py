"""PEPITA: the error of a first pass is added to the input, and each layer learns from what a second pass does differently.

Dellaferrera, G. & Kreiman, G. (2022). Error-driven input modulation: solving the credit assignment problem without a backward
pass. ICML 39, 4937-4955. arXiv:2201.11665
Srinivasan, R. F. et al. (2024). Forward learning with top-down feedback: empirical and analytical characterization. ICLR.
arXiv:2302.05440 (small errors: feedback alignment whose feedback to layer l is J[l] F, with J[l] its slope by the signal)

Biological reading: one pathway, F, leads from the output back to where signals come in, and there is no pathway down from
layer to layer. A synapse needs what its two ends did in either pass. It must keep its cell's first activity until the second,
and know which pass it is.

Both passes differ little, and less than a difference of numbers of 32 bits can tell. So what is carried up is z, how far the
second departs from the first, worked out without a difference. Following the authors' programme, the output layer learns from
its error in the second pass. Biases, which the authors leave out, learn as all synapses do, from an input of 1; the dropout
that they add is left out. Rate and optimiser are theirs for MNIST.
"""

import numpy as np

from harness.jit import kernel, lean
from harness.learner import Population, Synapse, hyper
from learners import network
from learners.descent import OPTIMISERS
from learners.kernels import LINEAR, RELU, dot_t, error
from learners.network import Network, change
from learners.settling import predict, shift


def init(task, rng, hidden, depth, activation, start, block, strength):
    """The network, and feedback F (n[0], K) drawn from U(+-strength sqrt(6 / n[0])).

    h[l] (block, n[l]) is the second pass, z[l] its departure from the first; u[l] (block, n[l+1]) the first before f.
    """
    state = network.init(task, rng, hidden, depth, activation, start, block)
    n = state["n"]
    F = rng.uniform(-1, 1, (n[0], n[-1])) * strength * (6 / n[0]) ** 0.5
    second = {name: tuple(map(np.zeros_like, state["a"])) for name in "hz"}
    return state | dict(F=F, **second, u=tuple(map(np.zeros_like, state["d"])))


@kernel
def modulate(F, e, z, n, B):
    """z[0] = F (p - target), where e = (target - p) / B."""
    share = z.dtype.type(-B)
    dot_t(e, F.reshape(F.size), z, B, n[n.size - 1], n[0])
    for i in range(B * n[0]):
        z[i] *= share


@kernel
def depart(W, b, a, u, z, n, block, B, activation):
    """z[l+1] = f(W[l] (a[l] + z[l]) + b[l]) - a[l+1], from z[0] up."""
    if activation >= RELU:  # the slopes of the others are known from their values
        predict(W, b, a, u, n, block, B, LINEAR, 0)
    at, to, w, c = 0, block * n[0], 0, 0
    for l in range(n.size - 1):
        k, m = n[l], n[l + 1]
        dot_t(z[at:], W[w:], z[to:], B, k, m)
        shift(z[to:], u[c:], a[to:], B * m, activation if l < n.size - 2 else LINEAR)
        at, to, w, c = to, to + block * m, w + m * k, c + block * m


@lean
def learn(target, W, b, F, dW, db, a, d, h, z, u, n, block, activation, loss):
    """With d[L-1] = (target - p) / B: h[0] = a[0] - B F d[L-1], h[l+1] = f(W[l] h[l] + b[l]), and d[L-1] anew from h[L].

    Below, d[l] = (h[l+1] - a[l+1]) / B. Then dW[l] = d[l]' h[l], db[l] = sum d[l].
    """
    B, K = target.shape
    top, first, e = a.size - block * K, block * n[0], d[d.size - block * K :]
    error(a[top:], target, loss, e)
    modulate(F, e, z, n, B)
    depart(W, b, a, u, z, n, block, B, activation)
    for i in range(a.size):
        h[i] = a[i] + z[i]
    share = d.dtype.type(1) / d.dtype.type(B)
    departed = z[first:]
    for i in range(d.size - block * K):
        d[i] = share * departed[i]
    error(h[top:], target, loss, e)
    change(dW, db, h, d, n, block, B)


class Pepita(Network):
    """Two passes up, the second with the error added to the signal: nothing goes down from layer to layer."""

    rate: float = hyper(default=0.1, doc="step size", low=1e-6, high=10.0, log=True, unit="1/block", search=(1e-4, 0.3))
    optimiser: str = hyper(default="momentum", doc="what turns a raw change into a step", choices=OPTIMISERS)
    strength: float = hyper(default=0.05, doc="of feedback, in bounds of He's weights", low=0.0, high=10.0, search=(0.005, 0.5))

    source = "arXiv:2201.11665", "arXiv:2302.05440"
    synapses = *Network.synapses, Synapse("F", "d[-1]", "z[0]", "feedback", plastic=False)
    populations = *Network.populations, Population("h[l]"), Population("z[l]")
    init, learn = init, learn
