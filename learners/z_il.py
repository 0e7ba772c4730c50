"""Zero-divergence inference learning: predictive coding with full steps, in which each layer learns at one moment.

Song, Y., Lukasiewicz, T., Xu, Z. & Bogacz, R. (2020). Can the brain do backpropagation? Exact implementation of
backpropagation in predictive coding networks. NeurIPS 33, 22566-22579.

Activities start at the forward pass and take steps of 1 down the energy of `learners.predictive_coding`. At step t the error
has just come to layer L - 1 - t, and nothing below has moved: what the weights ask for then is the gradient, exactly.

Biological reading: all cells work at once, on what is local. But somebody must set the activities to the forward pass and
count the steps for every layer; errors come down through the very W; and half a step, or one step late, is another rule.
"""

from harness.jit import kernel, lean
from harness.learner import Population, hyper
from learners import predictive_coding
from learners.kernels import LINEAR, columns, copy, t_dot
from learners.network import Network
from learners.settling import TIED, compare, move, predict


def init(task, rng, hidden, depth, activation, start, block):
    """A network that settles: a[l], d[l], W[l], b[l] as there, p[l] predictions, z[l] how far a layer has moved."""
    return predictive_coding.init(task, rng, hidden, depth, activation, start, block, TIED)


@kernel
def change_one(dW, db, a, d, n, block, B, chosen):
    """dW[l] = d[l]' a[l], db[l] = sum d[l], for one layer."""
    at, to, w, c = 0, 0, 0, 0
    for l in range(n.size - 1):
        k, m = n[l], n[l + 1]
        if l == chosen:
            t_dot(d[to:], a[at:], dW[w:], m, B, k)
            columns(d[to:], db[c:], B, m)
        at, to, w, c = at + block * k, to + block * m, w + m * k, c + m


@lean
def learn(
    target, W, b, F, dW, db, a, d, p, u, z, e, r, push, residual, n, block, activation, loss, step,
):  # fmt: skip
    """At step t = 0 ... L - 1: all errors d; layer l = L - 1 - t asks for dW[l] = d[l]' a[l]; then all activities move."""
    B, at, none, one = target.shape[0], block * n[0], d.dtype.type(0), d.dtype.type(1)
    copy(a[at:], p, p.size)
    predict(W, b, a, u, n, block, B, LINEAR, 0)
    for i in range(z.size):
        z[i] = a[at + i] - p[i]
    for t in range(n.size - 1):
        fresh = n.size if t == 0 else int(t > 0)  # the first layer never moves its prediction
        compare(target, W, d, p, u, z, e, r, n, block, activation, loss, one, 0, fresh)
        change_one(dW, db, a, d, n, block, B, n.size - 2 - t)
        move(W, F, d, z, e, r, push, residual, n, block, B, step, none, TIED, fresh, False)  # noqa: FBT003 - a kernel's flag
        for i in range(z.size):
            a[at + i] = p[i] + z[i]


class ZIL(Network):
    """Back-propagation as predictive coding performs it, if its steps are whole and its clock is right."""

    step: float = hyper(default=1.0, doc="of an activity down the energy; at 1 alone it is back-propagation", low=0.01, high=1.0)

    family = "engineered"
    source = ("https://proceedings.neurips.cc/paper/2020/hash/fec87a37cdeec1c6ecf8181c0aa2d3bf-Abstract.html",)
    populations = Population("a[l]"), Population("d[l]", "error"), Population("p[l]"), Population("z[l]")
    init, learn = init, learn
