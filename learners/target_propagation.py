"""Target propagation: what comes down is not an error but a better activity, through learnt inverses of the layers.

Lee, D.-H., Zhang, S., Fischer, A. & Bengio, Y. (2015). Difference target propagation. ECML PKDD, 498-515. arXiv:1412.7525
Bartunov, S. et al. (2018). Assessing the scalability of biologically-motivated deep learning algorithms and architectures.
NeurIPS 31. arXiv:1807.04587 (the simplified form and that with auxiliary outputs; inverses first, or both at once)
Meulemans, A. et al. (2020). A theoretical framework for target propagation. NeurIPS 33. arXiv:2006.14331 (constants)

A hidden layer's target is t[l] = a[l] + g(t[l+1]) - g(a[l+1]), g the inverse of the layer above; each layer goes down its own
|f(a[l]) - t[l+1]|^2 alone. The difference makes up for what g lacks: where the layer above is at its target, so is this one.
Inverses learn to undo the layer above for activities with a little noise on them; which is even here, not Gaussian.

Biological reading: feedback has synapses of its own, and learns too, from activity alone. Each cell has two activities to
compare: what it did, and what comes down. Lee's form still takes the target of the last hidden layer from the gradient, and so
through the very W of the output layer; the simplified form has an inverse there too, and carries no weights at all. Yet so few
outputs tell little of what is below: auxiliary outputs, which nobody teaches, tell its inverse more.

Of each hidden layer l: F[l], c[l] are its inverse's weights, z[l] is how far its target is from it, x[l] is its activity with
noise and y[l] what comes of that above; p[l] is what its inverse makes of what is above, and r[l] by how much that is wrong.
"""

from typing import ClassVar

from harness.jit import lean
from harness.learner import Population, Synapse, hyper
from learners import network
from learners.kernels import dot, error
from learners.network import Network, change
from learners.targets import adapt, aim, emit, inverses, invert, lower, rebuild


def init(task, rng, hidden, depth, activation, start, block):
    """The network, with an inverse of every hidden layer but the first."""
    state = network.init(task, rng, hidden, depth, activation, start, block)
    return inverses(state, rng, state["n"][1:-1], start, activation, block)


def init_simplified(task, rng, hidden, depth, activation, start, block):
    """The network, with an inverse of every layer but the first hidden one."""
    state = network.init(task, rng, hidden, depth, activation, start, block)
    return inverses(state, rng, state["n"][1:], start, activation, block)


def init_auxiliary(task, rng, hidden, depth, activation, start, block, auxiliary):
    """The network, with an inverse of every layer but the first hidden one, and auxiliary cells beside the output."""
    state = network.init(task, rng, hidden, depth, activation, start, block)
    return inverses(state, rng, [*state["n"][1:-1], task.n_out + auxiliary], start, activation, block, auxiliary)


@lean
def learn(
    target, W, b, F, c, Q, q, dW, db, dF, dc, a, d, x, y, z, p, u, r, o, raw, n, h, theta, grad, m, v, past, noise,
    block, activation, loss, step, sigma, parallel, optimiser, inverse_rate, beta, beta2, decay,
):  # fmt: skip
    """t[L-1] = a[L-1] - step dloss / da[L-1], t[l] = a[l] + g(t[l+1]) - g(a[l+1]); d[l] = f'(u[l]) (t[l+1] - a[l+1]) / B.

    dW[l] = d[l]' a[l], db[l] = sum d[l]; the output layer goes down the loss. Inverses learn before, or after if `parallel`.
    """
    B, K, L, first = target.shape[0], target.shape[1], n.size - 1, W.size + b.size
    e, k = d[d.size - block * K :], n[L - 1]
    error(a[a.size - block * K :], target, loss, e)
    if not parallel:
        rebuild(W, b, F, c, dF, dc, Q, q, a, x, y, p, r, raw, n, h, noise, block, B, activation, loss, sigma)
        invert(theta, grad, m, v, past, first, optimiser, inverse_rate, beta, beta2, decay)
    if h.size > 0:
        last, share = z[z.size - block * k :], step * z.dtype.type(B)
        dot(e, W[W.size - K * k :], last, B, K, k)
        for i in range(B * k):
            last[i] *= share
    lower(F, c, a, o, z, p, u, n, h, block, B, activation)
    aim(d, a, z, n, block, B, activation)
    change(dW, db, a, d, n, block, B)
    if parallel:
        rebuild(W, b, F, c, dF, dc, Q, q, a, x, y, p, r, raw, n, h, noise, block, B, activation, loss, sigma)
        invert(theta, grad, m, v, past, first, optimiser, inverse_rate, beta, beta2, decay)


@lean
def learn_simplified(
    target, W, b, F, c, Q, q, dW, db, dF, dc, a, d, x, y, z, p, u, r, o, raw, n, h, theta, grad, m, v, past, noise,
    block, activation, loss, step, sigma, parallel, optimiser, inverse_rate, beta, beta2, decay,
):  # fmt: skip
    """t = o + step (target - o) of the outputs, auxiliary cells at their own; then down as in `learn`, from there."""
    B, K, L, first = target.shape[0], target.shape[1], n.size - 1, W.size + b.size
    e, k, wide = d[d.size - block * K :], n[L - 1], h[h.size - 1]
    top = a[a.size - block * (K + k) :]
    error(a[a.size - block * K :], target, loss, e)
    if not parallel:
        rebuild(W, b, F, c, dF, dc, Q, q, a, x, y, p, r, raw, n, h, noise, block, B, activation, loss, sigma)
        invert(theta, grad, m, v, past, first, optimiser, inverse_rate, beta, beta2, decay)
    emit(top, W[W.size - K * k :], b[b.size - K :], Q, q, o, raw, B, k, K, wide, loss)
    last, share = z[z.size - block * wide :], step * z.dtype.type(B)
    for i in range(B):
        for j in range(wide):
            last[i * wide + j] = share * e[i * K + j] if j < K else z.dtype.type(0)
    lower(F, c, a, o, z, p, u, n, h, block, B, activation)
    aim(d, a, z, n, block, B, activation)
    change(dW, db, a, d, n, block, B)
    if parallel:
        rebuild(W, b, F, c, dF, dc, Q, q, a, x, y, p, r, raw, n, h, noise, block, B, activation, loss, sigma)
        invert(theta, grad, m, v, past, first, optimiser, inverse_rate, beta, beta2, decay)


class DifferenceTargetPropagation(Network):
    """Targets come down through learnt inverses; that of the last hidden layer is a step down the gradient."""

    step: float = hyper(default=0.22, doc="of the highest target, down the loss", low=1e-4, high=100.0, log=True)
    sigma: float = hyper(default=0.084, doc="deviation of the noise with which inverses learn", low=0.0, high=10.0)
    inverse_rate: float = hyper(default=2e-3, doc="step size of inverses", low=1e-6, high=10.0, log=True, unit="1/block")
    parallel: bool = hyper(default=False, doc="inverses learn after targets have come down, not before", search=False)

    source = "arXiv:1412.7525", "arXiv:2006.14331"
    synapses = *Network.synapses, Synapse("F[l]", "z[l+1]", "z[l]", "feedback"), Synapse("c[l]", "1", "z[l]", "bias")
    populations = *Network.populations, *(Population(name) for name in ("x[l]", "y[l]", "p[l]", "r[l]", "z[l]"))
    init, learn, adapt = init, learn, adapt


class SimplifiedTargetPropagation(DifferenceTargetPropagation):
    """As well the target of the last hidden layer comes down through an inverse: that of the answer."""

    step: float = hyper(default=1.0, doc="of the answer towards the label; 1 is all the way", low=1e-4, high=1.0, log=True)
    inverse_rate: float = hyper(default=2e-4, doc="step size of inverses", low=1e-6, high=10.0, log=True, unit="1/block")

    source = "arXiv:1807.04587", "arXiv:1412.7525", "arXiv:2006.14331"
    populations = *DifferenceTargetPropagation.populations, Population("raw", of="a[-1]"), Population("o", of="a[-1]")
    init, learn = init_simplified, learn_simplified


class AuxiliaryTargetPropagation(SimplifiedTargetPropagation):
    """Cells beside the output, whose weights are fixed, tell its inverse more of the last hidden layer than the answer does."""

    auxiliary: int = hyper(default=100, doc="cells beside the output", low=1, high=4096, log=True, search=(8, 256))

    audited: ClassVar = dict(auxiliary=3)
    init = init_auxiliary

    def wiring(self):
        """Auxiliary cells see the last hidden layer."""
        return [*super().wiring(), Synapse("Q", f"a[{self.depth}]", "q", plastic=False)]

    def activity(self):
        """What leads down begins with outputs and auxiliary cells side by side."""
        top = "o", f"z[{self.depth}]", f"y[{self.depth - 1}]"
        beside = f"a[{self.depth + 1}]+q"
        return [p._replace(of=beside) if p.array in top else p for p in super().activity()]
