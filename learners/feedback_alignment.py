"""Feedback alignment: errors travel down through fixed random synapses, and the forward ones come to fit them.

Lillicrap, T. P., Cownden, D., Tweed, D. B. & Akerman, C. J. (2016). Random synaptic feedback weights support error
backpropagation for deep learning. Nature Communications 7, 13276. doi:10.1038/ncomms13276

Biological reading: feedback has axons and synapses F of its own, which know nothing of W. Error cells d pair with each
forward cell; the rule still waits for the pass down.
"""

from harness.jit import lean
from harness.learner import Synapse
from learners import network
from learners.kernels import error
from learners.network import Network, change, feed_back


def init(task, rng, hidden, depth, activation, start, block):
    """The network, and for each hidden layer feedback F[l] (n[l+1], n[l+2]), drawn like the weights that it stands for."""
    state = network.init(task, rng, hidden, depth, activation, start, block)
    return state | dict(F=network.feedback(rng, state["n"], start, activation))


@lean
def learn(target, F, dW, db, a, d, n, block, activation, loss):
    """d[L-1] = (target - p) / B, d[l] = f'(u[l]) (F[l] d[l+1]); dW[l] = d[l]' a[l], db[l] = sum d[l]."""
    B, K = target.shape
    error(a[a.size - block * K :], target, loss, d[d.size - block * K :])
    feed_back(F, a, d, n, block, B, activation)
    change(dW, db, a, d, n, block, B)


class FeedbackAlignment(Network):
    """Back-propagation with the transport of weights left out."""

    source = ("doi:10.1038/ncomms13276",)
    synapses = *Network.synapses, Synapse("F[l]", "d[l+1]", "d[l]", "feedback", plastic=False)
    init, learn = init, learn
