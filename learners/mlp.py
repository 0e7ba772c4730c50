"""A multilayer perceptron of any depth, taught by the chain rule.

Rumelhart, D. E., Hinton, G. E. & Williams, R. J. (1986). Learning representations by back-propagating errors.
Nature 323, 533-536. doi:10.1038/323533a0
He, K. et al. (2015). Delving deep into rectifiers (PReLU, initial scale). ICCV. arXiv:1502.01852
He, K. et al. (2016). Deep residual learning. CVPR. arXiv:1512.03385
Waibel, A. et al. (1989). Phoneme recognition using time-delay neural networks (the window). doi:10.1109/29.21701

Biological reading: activities `a` are firing rates, `W` efficacies. The errors `d` travel down through the very synapses `W`
that carry activity up, which no axon does: weight transport, the reason why this rule counts as engineered.

Layer l of L has n[l] inputs and n[l + 1] units. The kernels see one flat vector for all layers, so that depth is no part
of any compiled type; `at`, `w` and `c` below run along activities, weights and biases.
"""

import math

import numpy as np

from harness.jit import kernel, lean
from harness.learner import Can, Population, Synapse, hyper
from learners.descent import Descending, moments
from learners.kernels import (
    ACTIVATIONS,
    LINEAR,
    LOSSES,
    PRELU,
    SQUARED,
    activate,
    add,
    columns,
    copy,
    dot,
    dot_t,
    error,
    slope,
    t_dot,
)


def init(task, rng, hidden, depth, activation, residual, window, start, block):
    """Synapses W[l] (n[l+1], n[l]), biases b[l], slopes alpha[l]; activities a[l] (block, n[l]), errors d[l] (block, n[l+1]).

    f[l] holds the values of residual layers before they are added, u[l] the potentials that PReLU needs; both are empty
    where they are not needed. s (block * hidden,) is an error on its way round a residual layer.
    """
    n = (math.prod(task.shape) * window, *[hidden] * depth, task.n_out)
    L, square = len(n) - 1, activation in (ACTIVATIONS.index(k) for k in ("relu", "leaky_relu", "elu", "prelu"))
    kept, bent = hidden * residual, hidden * (activation == PRELU)
    if start == 0:
        W = tuple(rng.normal(0, ((1 + (square and l < L - 1)) / n[l]) ** 0.5, (n[l + 1], n[l])) for l in range(L))
        b = tuple(np.zeros(n[l + 1]) for l in range(L))
    else:
        W = tuple(rng.uniform(-1, 1, (n[l + 1], n[l])) * n[l] ** -0.5 for l in range(L))
        b = tuple(rng.uniform(-1, 1, n[l + 1]) * n[l] ** -0.5 for l in range(L))
    alpha = tuple(np.full(bent, 0.25) for _ in range(depth)) or np.zeros(0)
    weights = dict(W=W, b=b, alpha=alpha)
    changes = {"d" + k: tuple(map(np.zeros_like, v)) if isinstance(v, tuple) else v for k, v in weights.items()}
    activities = dict(
        a=tuple(np.zeros((block, m)) for m in n),
        d=tuple(np.zeros((block, m)) for m in n[1:]),
        f=tuple(np.zeros((block, kept)) for _ in range(depth)) or np.zeros(0),
        u=tuple(np.zeros((block, bent)) for _ in range(depth)) or np.zeros(0),
        s=np.zeros(block * kept),
    )
    size = sum(v.size for group in weights.values() for v in (group if isinstance(group, tuple) else (group,)))
    return weights | changes | activities | moments(size) | dict(n=np.array(n))


@kernel
def bend(A, b, U, alpha, m, n):
    """PReLU of A (m, n): U = A + b, A = U where positive, alpha U below."""
    zero = A.dtype.type(0)
    for i in range(m):
        for j in range(n):
            U[i * n + j] = A[i * n + j] + b[j]
    for i in range(m):
        for j in range(n):
            A[i * n + j] = U[i * n + j] if U[i * n + j] > zero else alpha[j] * U[i * n + j]


@kernel
def unbend(D, U, alpha, dalpha, m, n):
    """The slopes' raw change, sum over the block of D U where U is below 0; then D = D f'(U)."""
    zero = D.dtype.type(0)
    for j in range(n):
        total = zero
        for i in range(m):
            total += D[i * n + j] * min(U[i * n + j], zero)
        dalpha[j] = total
    for i in range(m):
        for j in range(n):
            D[i * n + j] = D[i * n + j] if U[i * n + j] > zero else alpha[j] * D[i * n + j]


@lean
def respond(signal, out, W, b, alpha, a, f, u, n, block, activation, residual):
    """a[0] = the last signals, a[l+1] = f(W[l] a[l] + b[l]), plus a[l] round a residual layer. The last layer is linear."""
    B, L, D = signal.shape[0], n.size - 1, signal.shape[1]
    for i in range(B):
        for j in range(n[0] - D):
            a[i * n[0] + j] = a[i * n[0] + j + D]
        row = a[(i + 1) * n[0] - D :]
        for j in range(D):
            row[j] = signal[i, j]
    at, to, w, c = 0, block * n[0], 0, 0
    for l in range(L):
        k, m = n[l], n[l + 1]
        jump = residual and 0 < l < L - 1
        x, y, low = a[at:], a[to:], l * block * m
        v = f[low:] if jump else y
        dot_t(x, W[w:], v, B, k, m)
        if l < L - 1 and activation == PRELU:
            bend(v, b[c:], u[low:], alpha[l * m :], B, m)
        else:
            activate(v, b[c:], B, m, activation if l < L - 1 else LINEAR)
        if jump:
            copy(x, y, B * m)
            add(v, y, B * m)
        at, to, w, c = to, to + block * m, w + m * k, c + m
    for i in range(B):
        for k in range(n[L]):
            out[i, k] = a[at + i * n[L] + k]


@lean
def learn(target, W, alpha, dW, db, dalpha, a, f, u, d, s, n, block, activation, residual, loss):
    """d[L-1] = (target - p) / B; going down, dW[l] = d[l]' a[l], db[l] = sum d[l], d[l-1] = f'(u[l-1]) (d[l] W[l])."""
    B, L = target.shape[0], n.size - 1
    at, to, w, c = a.size - block * n[L], d.size - block * n[L], dW.size, db.size
    error(a[at:], target, loss, d[to:])
    for l in range(L - 1, -1, -1):
        k, m = n[l], n[l + 1]
        jump = residual and 0 < l < L - 1
        e, low = d[to:], l * block * m
        if jump:
            copy(e, s, B * m)
        if l < L - 1 and activation == PRELU:
            unbend(e, u[low:], alpha[l * m :], dalpha[l * m :], B, m)
        elif l < L - 1:
            slope(e, f[low:] if jump else a[at:], B * m, activation)
        at, w, c = at - block * k, w - m * k, c - m
        t_dot(e, a[at:], dW[w:], m, B, k)
        columns(e, db[c:], B, m)
        if l > 0:
            to -= block * k
            dot(e, W[w:], d[to:], B, m, k)
            if jump:
                add(s, d[to:], B * m)


def rest(taught, a, n, block, window):
    """Between sequences the window is empty."""
    if window > 1:
        for i in range(block * n[0]):
            a[i] = 0


class MLP(Descending):
    """Layers of units, taught by back-propagation of error: the engineered standard."""

    hidden: int = hyper(default=64, doc="units of each hidden layer", low=1, high=4096, log=True, search=(8, 256))
    depth: int = hyper(default=1, doc="hidden layers", low=0, high=32, search=(1, 3))
    activation: str = hyper(default="relu", doc="of the hidden layers", choices=ACTIVATIONS)
    loss: str = hyper(default="entropy", doc="cross-entropy, or half the squared error", choices=LOSSES)
    residual: bool = hyper(default=False, doc="whether hidden layers from the second on add to what they are given")
    window: int = hyper(default=1, doc="ticks seen at once", low=1, high=128, log=True, unit="ticks", search=(1, 8))
    start: str = hyper(
        default="scaled",
        doc="weights N(0, 1 or 2 / fan-in) and no bias, or both U(+-fan-in^-1/2)",
        choices=("scaled", "torch"),
        search=False,
    )
    block: int = hyper(default=32, doc="signals whose changes are averaged", low=1, high=65536, log=True, search=(8, 128))

    family = "engineered"
    source = "doi:10.1038/323533a0", "arXiv:1502.01852", "arXiv:1512.03385", "doi:10.1109/29.21701"
    can = Can(inputs={"vector", "sequence"})
    synapses = (
        Synapse("W[l]", "a[l]", "a[l+1]"),
        Synapse("b[l]", "1", "a[l+1]", "bias"),
        Synapse("alpha[l]", "a[l+1]", "a[l+1]", "intrinsic"),
    )
    populations = *map(Population, ("a[l]", "f[l]", "u[l]")), Population("d[l]", "error"), Population("s", "error")
    init, respond, learn, rest = init, respond, learn, rest

    @property
    def cut(self):
        """Between the targets 0 and 1, or at probability one half."""
        return 0.5 if self.loss == LOSSES[SQUARED] else 0.0
