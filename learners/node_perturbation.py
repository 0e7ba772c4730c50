"""Node perturbation: shake every unit, and keep what helped.

Williams, R. J. (1992). Simple statistical gradient-following algorithms for connectionist reinforcement learning. Machine
Learning 8, 229-256. doi:10.1007/BF00992696
Werfel, J., Xie, X. & Seung, H. S. (2005). Learning curves for stochastic gradient descent in linear feedforward networks.
Neural Computation 17, 2699-2718. doi:10.1162/089976605774320539

Biological reading: each signal is answered twice, once with noise in every potential. Of how the loss differed one number
comes back to all synapses at once; each knows its input and the noise of its own unit. There is no pass down. The price is
variance: of n noisy units all others' part in that number is noise to one, and the change has a cosine of about
1 / sqrt(n) with the gradient, which is its mean.
"""

import math

import numpy as np

from harness.jit import kernel, lean
from harness.learner import Population, hyper
from learners import network
from learners.draws import normal, signs
from learners.elementary import exp
from learners.kernels import LINEAR, SQUARED, activate, dot_t
from learners.network import Network, change

DRAWS = "normal", "signs"
NORMAL, SIGNS = range(2)


def init(task, rng, hidden, depth, activation, start, block):
    """The network; activities h[l] (block, n[l+1]) of the second, noisy answer; what it gained, g (block,).

    s (2, block, K) are the powers of both answers.
    """
    state = network.init(task, rng, hidden, depth, activation, start, block)
    own = dict(h=tuple(map(np.zeros_like, state["d"])), g=np.zeros(block), s=np.zeros((2, block, task.n_out)))
    return state | own


@kernel
def shake(x, noise, size, draw):
    """x = independent noise of mean 0 and variance 1: normal (Box and Muller), or signs."""
    if draw == SIGNS:
        signs(x, noise, size)
    else:
        normal(x, noise, size)


@kernel
def powers(Z, s, B, K):
    """s (B, K) = exp(z - max z), for each answer z (K,) of Z: all at once, for a loop of them vectorises."""
    for i in range(B):
        z, e = Z[i * K : i * K + K], s[i * K : i * K + K]
        top = z[0]
        for k in range(1, K):
            top = max(top, z[k])
        for k in range(K):
            e[k] = z[k] - top
    exp(s, B * K)


@kernel
def cost(z, s, target, i, loss):
    """The loss of an answer z (K,), with its powers s (K,), to target (B, K)[i].

    In double precision: what is asked for is a small difference of two.
    """
    K, total, told = target.shape[1], 0.0, 0.0
    if loss == SQUARED:
        for k in range(K):
            gap = float(target[i, k]) - float(z[k])
            total += gap * gap
        return total / 2
    top = float(z[0])
    if K == 1:
        return max(top, 0.0) + math.log1p(math.exp(-abs(top))) - float(target[i, 0]) * top
    for k in range(1, K):
        top = max(top, float(z[k]))
    for k in range(K):
        total += float(s[k])
        told += float(target[i, k]) * (float(z[k]) - top)
    return math.log(total) - told


@kernel
def noisy(a, W, b, h, d, sigma, n, block, B, activation):
    """h[l] = f(W[l] h[l-1] + b[l] + sigma d[l]), and h[-1] is the signal, a[0]."""
    x, to, w, c = a, 0, 0, 0
    for l in range(n.size - 1):
        k, m = n[l], n[l + 1]
        y, e = h[to:], d[to:]
        dot_t(x, W[w:], y, B, k, m)
        for i in range(B * m):
            y[i] += sigma * e[i]
        activate(y, b[c:], B, m, activation if l < n.size - 2 else LINEAR)
        x, to, w, c = y, to + block * m, w + m * k, c + m


@lean
def learn(target, W, b, dW, db, a, d, h, g, s, n, noise, block, activation, loss, sigma, draw):
    """d[l] = noise x; h[l] with sigma x in all potentials; g = (loss of a - loss of h) / (B sigma); d[l] = g x.

    dW[l] = d[l]' a[l], db[l] = sum d[l].
    """
    B, K = target.shape
    share = 1 / (B * float(sigma))
    to = 0
    for l in range(n.size - 1):
        shake(d[to:], noise, B * n[l + 1], draw)
        to += block * n[l + 1]
    noisy(a, W, b, h, d, sigma, n, block, B, activation)
    clean, worse = a[a.size - block * K :], h[h.size - block * K :]
    first, second = s[0].reshape(block * K), s[1].reshape(block * K)
    powers(clean, first, B, K)
    powers(worse, second, B, K)
    for i in range(B):
        at = i * K
        was, now = cost(clean[at:], first[at:], target, i, loss), cost(worse[at:], second[at:], target, i, loss)
        g[i] = g.dtype.type(share * (was - now))
    to = 0
    for l in range(n.size - 1):
        m = n[l + 1]
        for i in range(B):
            row, by = d[to + i * m : to + i * m + m], g[i]
            for j in range(m):
                row[j] = by * row[j]
        to += block * m
    change(dW, db, a, d, n, block, B)


class NodePerturbation(Network):
    """The gradient in the mean, from nothing but noise and one number."""

    sigma: float = hyper(default=0.1, doc="deviation of the noise in each potential", low=1e-5, high=10.0, log=True)
    draw: str = hyper(default="normal", doc="noise: normal, or of one size and either sign", choices=DRAWS, search=False)

    source = "doi:10.1007/BF00992696", "doi:10.1162/089976605774320539"
    populations = *Network.populations, Population("h[l]"), Population("g", "modulator")
    init, learn = init, learn
