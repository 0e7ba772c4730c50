"""A control: the shared network, whose hidden layers never learn. What a rule adds is what it has beyond this.

Huang, G.-B., Zhu, Q.-Y. & Siew, C.-K. (2006). Extreme learning machine: theory and applications. Neurocomputing 70, 489-501.
doi:10.1016/j.neucom.2005.12.126

Biological reading: fixed random wiring, as it may stand before any experience, read out by cells that learn.
"""

from harness.jit import lean
from learners.descent import adapt as step
from learners.kernels import columns, error, t_dot
from learners.network import Network


@lean
def learn(target, dW, db, a, d, n, block, loss):
    """d[L-1] = (target - p) / B; dW[L-1] = d[L-1]' a[L-1], db[L-1] = sum d[L-1], and nothing below."""
    B, K = target.shape
    k, last = n[n.size - 2], d[d.size - block * K :]
    top = a.size - block * K
    error(a[top:], target, loss, last)
    t_dot(last, a[top - block * k :], dW[dW.size - K * k :], K, B, k)
    columns(last, db[db.size - K :], B, K)


@lean
def adapt(theta, grad, W, n, m, v, age, optimiser, rate, beta, beta2, decay):
    """The network's own optimiser, for W[L-1] and for b[L-1] alone: what does not learn must not fade either."""
    K, now = n[n.size - 1], age[0]
    w, c = W.size - K * n[n.size - 2], theta.size - K
    step(theta[w : W.size], grad[w : W.size], m[w:], v[w:], age, optimiser, rate, beta, beta2, decay)
    age[0] = now
    step(theta[c:], grad[c:], m[c:], v[c:], age, optimiser, rate, beta, beta2, decay)


class FrozenHidden(Network):
    """Random hidden layers as they begin, read out by a layer that learns."""

    family = "control"
    source = ("doi:10.1016/j.neucom.2005.12.126",)
    learn, adapt = learn, adapt

    def wiring(self):
        """Of the network's synapses only those of the last layer learn."""
        last = f"[{self.depth}]"
        return [synapse._replace(plastic=synapse.array.endswith(last)) for synapse in super().wiring()]
