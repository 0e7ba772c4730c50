"""Predictive coding: every layer predicts the next, settles between the prediction from below and what the errors above ask.

Rao, R. P. N. & Ballard, D. H. (1999). Predictive coding in the visual cortex. Nature Neuroscience 2, 79-87. doi:10.1038/4580
Whittington, J. C. R. & Bogacz, R. (2017). An approximation of the error backpropagation algorithm in a predictive coding
network with local Hebbian synaptic plasticity. Neural Computation 29, 1229-1262. doi:10.1162/NECO_a_00949
Millidge, B., Tschantz, A., Seth, A. & Buckley, C. L. (2020). Relaxing the constraints on predictive coding models.
arXiv:2010.01047 (feedback weights of their own)
Salvatori, T. et al. (2022). A stable, fast, and fully automatic learning algorithm for predictive coding networks.
arXiv:2212.00720 (incremental)
Pinchetti, L. et al. (2024). Benchmarking predictive coding networks, made simple. arXiv:2407.01163 (constants)

Energy, of one signal: E = 1/2 sum_l |a[l+1] - p[l]|^2 over the hidden layers + loss(p[L-1], target) / variance, where
p[l] = f(W[l] a[l] + b[l]). Activities start at the forward pass and go down E, weights go down it afterwards. As the variance
of the output grows, the change of weights, times that variance, becomes that of back-propagation. It does not as the error
vanishes: at equilibrium the output's error is multiplied by (1 + sum J J')^-1, J the slope of the output by a hidden layer.

Biological reading: each unit has a cell for its activity a and one for its error; all that a synapse needs is at its ends.
Tied, errors come down through the very W that predictions go up; separate, through synapses F that the same two cells teach.
Not answered: who tells the weights that settling is over (incremental: they do not ask), and what sets a to the forward pass.
"""

import numpy as np

from harness.jit import kernel, lean
from harness.learner import Population, Synapse, hyper
from learners import network
from learners.descent import adapt, moments
from learners.kernels import LINEAR, copy, t_dot
from learners.network import Network, change
from learners.settling import FEEDBACK, SEPARATE, compare, move, predict


def init(task, rng, hidden, depth, activation, start, block, feedback):
    """The network, and how it settles; arrays of hidden layers are (block, n[l+1]).

    p[l], u[l]   what is predicted of layer l + 1 before it settles, and that before f
    z[l], e[l]   how far a hidden layer has moved from there, and from its present prediction
    r[l]         what comes down to it; push[l] its drift
    F[l]         (n[l+1], n[l+2]) separate feedback, drawn as W is; else F is empty
    residual     (1,) the largest |dE/da| of the last block, before the last step of settling
    """
    state = network.init(task, rng, hidden, depth, activation, start, block)
    n, W, b = state["n"], state["W"], state["b"]
    F = network.feedback(rng, n, start, activation) if feedback == SEPARATE and depth else ()
    every = {name: tuple(np.zeros((block, m)) for m in n[1:]) for name in ("p", "u")}
    inner = {name: tuple(np.zeros((block, m)) for m in n[1:-1]) or np.zeros(0) for name in ("z", "e", "r", "push")}
    own = dict(F=F or np.zeros(0), dF=tuple(map(np.zeros_like, F)) or np.zeros(0), residual=np.zeros(1))
    return state | moments(sum(map(np.size, (*W, *b, *F)))) | every | inner | own


@kernel
def hebb(dF, a, d, n, block, B):
    """dF[l] = a[l+1]' d[l+1]: what dW[l+1] asks for, at a synapse that leads the other way."""
    at, to, f = block * n[0], block * n[1], 0
    for l in range(n.size - 2):
        k, m = n[l + 1], n[l + 2]
        if dF.size > 0:
            t_dot(a[at:], d[to:], dF[f:], k, B, m)
        at, to, f = at + block * k, to + block * m, f + m * k


@lean
def learn(
    target, W, b, F, dW, db, dF, a, d, p, u, z, e, r, push, residual, n, theta, grad, m, v, age, block, activation, loss, steps,
    step, inertia, feedback, incremental, variance, optimiser, rate, beta, beta2, decay,
):  # fmt: skip
    """Settle for some steps, then dW[l] = d[l]' a[l], db[l] = sum d[l]. Incremental: weights change with activities, at each."""
    B, at, first = target.shape[0], block * n[0], int(not incremental)
    copy(a[at:], p, p.size)
    if not incremental:
        predict(W, b, a, u, n, block, B, LINEAR, first)
    for t in range(steps):
        if incremental and t > 0:  # the last change is left to the harness
            adapt(theta, grad, m, v, age, optimiser, rate, beta, beta2, decay)
            predict(W, b, a, p, n, block, B, activation, first)
        if incremental or t == 0:
            for i in range(z.size):
                z[i] = a[at + i] - p[i]
        fresh = n.size if incremental or t == 0 else first  # the first layer sees the signal: its prediction moves with W alone
        compare(target, W, d, p, u, z, e, r, n, block, activation, loss, variance, first, fresh)
        if incremental:
            change(dW, db, a, d, n, block, B)
            hebb(dF, a, d, n, block, B)
        kept = inertia if t > 0 else push.dtype.type(0)
        move(W, F, d, z, e, r, push, residual, n, block, B, step, kept, feedback, fresh, t == steps - 1)
        if incremental or t == steps - 1:
            for i in range(z.size):
                a[at + i] = p[i] + z[i]
    if not incremental:
        compare(target, W, d, p, u, z, e, r, n, block, activation, loss, variance, 0, first)
        change(dW, db, a, d, n, block, B)
        hebb(dF, a, d, n, block, B)


class PredictiveCoding(Network):
    """Errors are local, and settle before anything is learnt. It answers by its forward pass."""

    rate: float = hyper(default=1e-3, doc="step size", low=1e-6, high=10.0, log=True, unit="1/block")
    steps: int = hyper(default=8, doc="of settling", low=1, high=10_000, log=True, search=(4, 32))
    step: float = hyper(default=0.01, doc="of an activity down the energy", low=1e-4, high=1.0, log=True)
    inertia: float = hyper(default=0.0, doc="share of an activity's last step in its next", low=0.0, high=0.99)
    feedback: str = hyper(default="tied", doc="errors come down through W, or synapses F of their own", choices=FEEDBACK)
    incremental: bool = hyper(default=False, doc="weights change at every step of settling, which suits a step of 0.85")
    variance: float = hyper(default=1.0, doc="of the output: large ones give the gradient", low=0.01, high=1e6, log=True)

    source = ("doi:10.1162/NECO_a_00949", "arXiv:2407.01163", "arXiv:2212.00720", "arXiv:2010.01047")
    synapses = *Network.synapses, Synapse("F[l]", "d[l+1]", "a[l+1]", "feedback")
    populations = Population("a[l]"), Population("d[l]", "error"), Population("p[l]"), Population("z[l]")
    phases = 1
    init, learn = init, learn
