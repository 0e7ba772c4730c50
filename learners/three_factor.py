"""Reward-modulated Hebb: a trace of what each synapse saw, and one number for all of how it went.

Fremaux, N. & Gerstner, W. (2016). Neuromodulated spike-timing-dependent plasticity, and theory of three-factor learning
rules. Frontiers in Neural Circuits 9, 85. doi:10.3389/fncir.2015.00085 (covariance of eligibility and reward)
Miconi, T. (2017). Biologically plausible learning in recurrent neural networks reproduces neural dynamics observed during
cognitive tasks. eLife 6, e20899. doi:10.7554/eLife.20899 (perturbed units, reward less its running mean)
Williams, R. J. (1992). Machine Learning 8, 229-256. doi:10.1007/BF00992696 (its theorem)

Biological reading: while it learns, the network answers but once, and noisily. A synapse keeps the product of its input and
of the noise that met it in its cell; later a reward comes, the same for all (dopamine), and counts by how much it differs
from what is usual. No error, no second answer and no other cell's weights reach a synapse: of these rules none needs less.

As u = W a + b + sigma x with normal x, sigma x a' / sigma^2 is the slope of log p(u) in W. So the mean change is the
gradient of the mean reward of noisy answers, for noise of any size and any usual reward; and of clean ones, if it is small.
Miconi's networks recur, their cells do not know their noise (the cube of a fluctuation stands for it), and they keep what is
usual for each kind of trial apart; here it is one number, with the memory of his code, for all.
"""

from typing import ClassVar

import numpy as np

from harness.jit import kernel, lean
from harness.learner import Population, hyper
from learners import network
from learners.kernels import SQUARED
from learners.network import Network, change
from learners.node_perturbation import NORMAL, cost, noisy, powers, shake

REWARDS = "loss", "correct"
LOSS, CORRECT = range(2)


def init(task, rng, hidden, depth, activation, start, block):
    """The network, where d[l] (block, n[l+1]) is noise, then eligible noise; rewards r (block,), and the usual one, R (1,).

    s (block K,) are the powers of the answers.
    """
    return network.init(task, rng, hidden, depth, activation, start, block) | dict(
        r=np.zeros(block), R=np.zeros(1), s=np.zeros(block * task.n_out)
    )


@lean
def respond(signal, out, W, b, a, d, n, noise, block, activation, sigma, plastic):
    """a[l+1] = f(W[l] a[l] + b[l] + sigma d[l]), d[l] normal noise; without noise where nothing is learnt."""
    B, K = signal.shape[0], n[n.size - 1]
    for i in range(B):
        row = a[i * n[0] : i * n[0] + n[0]]
        for j in range(n[0]):
            row[j] = signal[i, j]
    to = 0
    for l in range(n.size - 1 if plastic else 0):
        shake(d[to:], noise, B * n[l + 1], NORMAL)
        to += block * n[l + 1]
    noisy(a, W, b, a[block * n[0] :], d, sigma if plastic else d.dtype.type(0), n, block, B, activation)
    last = a[a.size - block * K :]
    for i in range(B):
        for k in range(K):
            out[i, k] = last[i * K + k]


@kernel
def right(z, target, i, loss):
    """1 if an answer z (K,) names the class of target (B, K)[i], or else 0. A lone output names the second if above its cut."""
    if target.shape[1] == 1:
        return 1.0 if (z[0] > (0.5 if loss == SQUARED else 0.0)) == (target[i, 0] > 0.5) else 0.0
    best, true = 0, 0
    for k in range(1, target.shape[1]):
        best = k if z[k] > z[best] else best
        true = k if target[i, k] > target[i, true] else true
    return 1.0 if best == true else 0.0


@lean
def learn(target, dW, db, a, d, r, R, s, n, block, loss, sigma, reward, memory):
    """r = minus the loss, or 1 where the class is right; d[l] = (r - R) d[l] / (B sigma); R = memory R + (1 - memory) mean r.

    dW[l] = d[l]' a[l], db[l] = sum d[l].
    """
    B, K = target.shape
    answer, mean, usual = a[a.size - block * K :], 0.0, float(R[0])
    powers(answer, s, B, K)
    for i in range(B):
        z, e = answer[i * K :], s[i * K :]
        r[i] = r.dtype.type(right(z, target, i, loss) if reward == CORRECT else -cost(z, e, target, i, loss))
    share, to = 1 / (B * float(sigma)), 0
    for l in range(n.size - 1):
        m = n[l + 1]
        for i in range(B):
            row, by = d[to + i * m : to + i * m + m], d.dtype.type(share * (r[i] - usual))
            for j in range(m):
                row[j] = by * row[j]
        to += block * m
    change(dW, db, a, d, n, block, B)
    for i in range(B):
        mean += r[i] / B
    R[0] = R.dtype.type(memory * usual + (1 - memory) * mean)


class RewardModulatedHebb(Network):
    """Eligibility times unexpected reward: the gradient of the mean reward, in the mean."""

    sigma: float = hyper(default=0.5, doc="deviation of the noise in each potential", low=1e-5, high=10.0, log=True)
    reward: str = hyper(default="loss", doc="minus the loss, or 1 for the right class and 0 for a wrong one", choices=REWARDS)
    memory: float = hyper(default=0.75, doc="of the usual reward, from block to block", low=0.0, high=0.9999)

    source = "doi:10.3389/fncir.2015.00085", "doi:10.7554/eLife.20899", "doi:10.1007/BF00992696"
    expected_failed_checks: ClassVar = dict(
        check_classifiers_train="one number a signal tells too little in the few passes of the check"
    )
    populations = *Network.populations, Population("r", "modulator"), Population("R", "modulator")
    init, respond, learn = init, respond, learn
