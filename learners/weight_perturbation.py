"""Weight perturbation: shake every synapse, and keep what helped.

Jabri, M. & Flower, B. (1992). Weight perturbation: an optimal architecture and learning technique for analog VLSI feedforward
and recurrent multilayer networks. IEEE Transactions on Neural Networks 3, 154-157. doi:10.1109/72.105429 (one at a time)
Cauwenberghs, G. (1993). A fast stochastic error-descent algorithm for supervised learning and optimization. NeurIPS 5,
244-251 (all at once, in either direction)

Biological reading: a synapse whose strength flickers need only remember which way, and hear by how much the loss differed:
it knows neither its input nor its cell. Of one flicker a block is answered as a whole. The price is variance, as in node
perturbation, but of as many dimensions as there are weights; so the change has a cosine of about 1 / sqrt(n) with the
gradient, n counting synapses. One-sided, the flicker is compared with the clean answer; two-sided, with its opposite, at one
more pass, which leaves out all that is even in the flicker: the curvature, and with it the error of first order in sigma.
"""

from typing import ClassVar

import numpy as np

from harness.jit import kernel, lean
from harness.learner import Population, hyper
from learners import network
from learners.kernels import LINEAR, activate, dot_t
from learners.network import Network
from learners.node_perturbation import DRAWS, cost, powers, shake

SIDES = "one", "two"
ONE, TWO = range(2)


def init(task, rng, hidden, depth, activation, start, block):
    """The network, where d[l] (block, n[l+1]) are activities in a flicker; V[l] and c[l], its weights; what it gained, g (1,).

    s (block K,) are the powers of the answers.
    """
    state = network.init(task, rng, hidden, depth, activation, start, block)
    return state | dict(
        V=tuple(map(np.zeros_like, state["W"])),
        c=tuple(map(np.zeros_like, state["b"])),
        g=np.zeros(1),
        s=np.zeros(block * task.n_out),
    )


@kernel
def moved(V, W, dW, step):
    """V = W + step dW."""
    for i in range(W.size):
        V[i] = W[i] + step * dW[i]


@kernel
def mean_cost(a, V, c, d, s, target, n, block, activation, loss):
    """The mean loss of a block whose signals are a[0], with weights V and biases c. Leaves activities in d."""
    B, K = target.shape
    x, to, w, at, total = a, 0, 0, 0, 0.0
    for l in range(n.size - 1):
        k, m = n[l], n[l + 1]
        y = d[to:]
        dot_t(x, V[w:], y, B, k, m)
        activate(y, c[at:], B, m, activation if l < n.size - 2 else LINEAR)
        x, to, w, at = y, to + block * m, w + m * k, at + m
    powers(x, s, B, K)
    for i in range(B):
        total += cost(x[i * K :], s[i * K :], target, i, loss)
    return total / B


@lean
def learn(target, W, b, dW, db, V, c, a, d, g, s, n, noise, block, activation, loss, sigma, draw, sides):
    """dW, db = noise x. V, c = W, b + sigma x; against them W, b - sigma x, or W, b as they are: the clean answer in a.

    g = the loss that x spares, over the distance between the two; dW, db = g x.
    """
    B, K = target.shape
    shake(dW, noise, W.size, draw)
    shake(db, noise, b.size, draw)
    other, distance = 0.0, float(sigma)
    if sides == TWO:
        distance = 2 * distance
        moved(V, W, dW, -sigma)
        moved(c, b, db, -sigma)
        other = mean_cost(a, V, c, d, s, target, n, block, activation, loss)
    else:
        clean = a[a.size - block * K :]
        powers(clean, s, B, K)
        for i in range(B):
            other += cost(clean[i * K :], s[i * K :], target, i, loss) / B
    moved(V, W, dW, sigma)
    moved(c, b, db, sigma)
    g[0] = g.dtype.type((other - mean_cost(a, V, c, d, s, target, n, block, activation, loss)) / distance)
    by = g[0]
    for i in range(W.size):
        dW[i] = by * dW[i]
    for i in range(b.size):
        db[i] = by * db[i]


class WeightPerturbation(Network):
    """The gradient in the mean, by synapses that know of nothing but themselves and one number."""

    sigma: float = hyper(default=0.1, doc="deviation of the noise in each weight", low=1e-5, high=10.0, log=True)
    draw: str = hyper(default="signs", doc="noise: normal, or of one size and either sign", choices=DRAWS, search=False)
    sides: str = hyper(default="two", doc="a flicker against the clean answer, or against its opposite", choices=SIDES)

    source = "doi:10.1109/72.105429", "NeurIPS 5, 244-251"
    expected_failed_checks: ClassVar = dict(
        check_classifiers_train="one number a block tells too little in the few passes of the check"
    )
    populations = *Network.populations[:1], Population("d[l]", of="a[l+1]"), Population("g", "modulator")
    init, learn = init, learn
