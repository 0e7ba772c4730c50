"""Direct random target projection: hidden layers are told the target, through fixed random synapses, and never the error.

Frenkel, C., Lefebvre, M. & Bol, D. (2021). Learning without feedback: fixed random learning signals allow for feedforward
training of deep neural networks. Frontiers in Neuroscience 15, 629892. doi:10.3389/fnins.2021.629892

Biological reading: a teacher's cells t name the class while the signal is still on its way up; each layer hears them through
synapses F of its own and has learnt before the layer above has answered. Only the output cells ever know of an error.

F t stands for the gradient, as in the paper, so that a layer moves against it. Which way hardly matters: F is as likely to
be its own opposite, and the output layer learns to use what it is given. Of two classes with a lone output the first is
told by silence, and so moves no hidden weight.
"""

import numpy as np

from harness.jit import lean
from harness.learner import Population, Synapse
from learners import direct_feedback_alignment
from learners.direct_feedback_alignment import broadcast
from learners.kernels import error
from learners.network import Network, change


def init(task, rng, hidden, depth, activation, start, block):
    """The network of direct feedback alignment, with F[l] (n[l+1], K), and the teacher's cells t (block K,)."""
    state = direct_feedback_alignment.init(task, rng, hidden, depth, activation, start, block)
    return state | dict(t=np.zeros(block * task.n_out))


@lean
def learn(target, F, t, dW, db, a, d, n, block, activation, loss):
    """t = target / B. d[l] = -f'(u[l]) (F[l] t), but d[L-1] = (target - p) / B; dW[l] = d[l]' a[l], db[l] = sum d[l]."""
    B, K = target.shape
    share = t.dtype.type(1) / t.dtype.type(B)
    for i in range(B):
        for k in range(K):
            t[i * K + k] = share * target[i, k]
    broadcast(t, F, a, d, n, block, B, activation)
    last = d.size - block * K
    for i in range(last):
        d[i] = -d[i]
    error(a[a.size - block * K :], target, loss, d[last:])
    change(dW, db, a, d, n, block, B)


class DirectRandomTargetProjection(Network):
    """Every hidden layer learns from the target alone: nothing comes back from the answer."""

    source = ("doi:10.3389/fnins.2021.629892",)
    synapses = *Network.synapses, Synapse("F[l]", "t", "d[l]", "feedback", plastic=False)
    populations = *Network.populations, Population("t")
    init, learn = init, learn
