"""Kolen and Pollack's rule: forward and feedback synapses are changed alike and fade alike, and so become alike.

Kolen, J. F. & Pollack, J. B. (1994). Backpropagation without weight transport. IEEE International Conference on Neural
Networks 3, 1375-1380. doi:10.1109/ICNN.1994.374486
Akrout, M., Wilson, C., Humphreys, P., Lillicrap, T. & Tweed, D. (2019). Deep learning without weight transport. NeurIPS 32,
976-984. arXiv:1904.05391

Biological reading: a forward cell a and the error cell d beside it belong together, and each of two reciprocal synapses has
one of either pair at hand: both see the same product, and nothing is carried from one to the other. Of W' - F every update
leaves the share 1 - rate decay, whatever the optimiser; without decay only what is learnt is shared, and not the start.
"""

import numpy as np

from harness.jit import kernel, lean
from harness.learner import Synapse, hyper
from learners import feedback_alignment
from learners.descent import moments
from learners.kernels import error, t_dot
from learners.network import Network, change, feed_back


def init(task, rng, hidden, depth, activation, start, block):
    """The network of feedback alignment, whose F has a raw change dF too, and a place with the optimiser."""
    state = feedback_alignment.init(task, rng, hidden, depth, activation, start, block)
    state["dF"] = tuple(map(np.zeros_like, state["F"])) if depth else np.zeros(0)
    return state | moments(sum(np.size(w) for stem in "WbF" for w in state[stem]))


@kernel
def reciprocate(dF, a, d, n, block, B):
    """dF[l] = a[l+1]' d[l+1]: what the synapse the other way asks for, from the same two signals."""
    at, to, w = block * n[0], block * n[1], 0
    for l in range(n.size - 2):
        k, m = n[l + 1], n[l + 2]
        t_dot(a[at:], d[to:], dF[w:], k, B, m)
        at, to, w = at + block * k, to + block * m, w + k * m


@lean
def learn(target, F, dW, db, dF, a, d, n, block, activation, loss):
    """d[L-1] = (target - p) / B, d[l] = f'(u[l]) (F[l] d[l+1]); dW[l] = d[l]' a[l], db[l] = sum d[l], dF[l] = dW[l+1]'."""
    B, K = target.shape
    error(a[a.size - block * K :], target, loss, d[d.size - block * K :])
    feed_back(F, a, d, n, block, B, activation)
    change(dW, db, a, d, n, block, B)
    reciprocate(dF, a, d, n, block, B)


class KolenPollack(Network):
    """Feedback alignment whose feedback learns too."""

    decay: float = hyper(default=0.1, doc="share of each weight that fades, over the rate", low=0.0, high=10.0)

    source = "doi:10.1109/ICNN.1994.374486", "arXiv:1904.05391"
    synapses = *Network.synapses, Synapse("F[l]", "d[l+1]", "d[l]", "feedback")
    init, learn = init, learn
