"""Back-propagation: the chain rule, layer by layer.

Rumelhart, D. E., Hinton, G. E. & Williams, R. J. (1986). Learning representations by back-propagating errors.
Nature 323, 533-536. doi:10.1038/323533a0

Biological reading: errors travel down through the very synapses W that carry activity up, which no axon does (weight
transport); and nothing is learnt below before everything above has been computed (update locking).
"""

from harness.jit import lean
from learners.kernels import error
from learners.network import Network, change, descend


@lean
def learn(target, W, dW, db, a, d, n, block, activation, loss):
    """d[L-1] = (target - p) / B, d[l] = f'(u[l]) (d[l+1] W[l+1]); dW[l] = d[l]' a[l], db[l] = sum d[l]."""
    B, K = target.shape
    error(a[a.size - block * K :], target, loss, d[d.size - block * K :])
    descend(W, a, d, n, block, B, activation)
    change(dW, db, a, d, n, block, B)


class Backprop(Network):
    """The gradient, exactly: what every other rule of this network is measured by."""

    family = "engineered"
    source = ("doi:10.1038/323533a0",)
    learn = learn
