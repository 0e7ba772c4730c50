"""Forward-forward: each layer learns to respond strongly to a signal with its true label, and weakly to one with a false label.

Hinton, G. E. (2022). The forward-forward algorithm: some preliminary investigations. arXiv:2212.13345

The goodness g of a layer is the mean square of its activities. By g - threshold it tells true from false, as a logistic unit
would, and goes up the gradient of that alone: no error comes from the layer above, nor goes to the one below. A layer is given
the activities below divided by their root mean square, so that it cannot tell by how good the layer below found them. The
answer names the label with which the layers, all together, are best pleased.

The label is told by cells y of their own, beside the signal: as in Hinton's leading pixels, but nothing is written over. Other
labels are false alike and one is drawn anew for each signal. The slope of a silent unit's square is 0, straight-through or not.

Biological reading: two passes up, one in waking and one in sleep perhaps, in which synapses learn with opposite sign. All that
a synapse needs is at its ends, but for g, one number for the layer, and which pass it is. To answer, labels are tried in turn.
"""

import math

import numpy as np

from harness.jit import kernel, lean
from harness.learner import Population, RefusedError, Synapse, hyper
from harness.noise import uniform
from learners import network
from learners.descent import moments
from learners.kernels import ACTIVATIONS, LOSSES, SIGMOID, TANH, activate, columns, dot_t, slope, t_dot
from learners.network import Network

LEAST = 1e-8
"""Added to a mean square before division by its root."""


def init(task, rng, hidden, depth, activation, start, block, loudness):
    """The network's hidden layers, and what each does with each of C labels.

    W[l] (n[l+1], n[l]), b[l]   of hidden layers; V (n[1], C) from the cells of labels
    u (block n[1],), t (C n[1],)   what W[0] makes of the signal, of whatever label, and V of each label
    x[l]   what layer l is given: the signal (block, n[0]), then activities normalised (block, C, n[l])
    a[l]   what it makes of that (block, C, n[l+1]); g[l] (block, C) its goodness
    s[l], d[l]   (block, 2, n[l]) and (block, 2, n[l+1]): what it was given, and its drive, with the true and the false label
    y (C, C)   cells of labels: row c, where one is at `loudness`, when label c is told; true, false (block,) the labels told
    """
    whole = network.init(task, rng, hidden, depth, activation, start, block)
    n, C = whole["n"][:-1], max(task.n_out, 2)
    W, b = whole["W"][:-1], whole["b"][:-1]
    V = rng.uniform(-1, 1, (n[1], C)) * (6 / (n[1] + C)) ** 0.5
    forward = dict(W=W, b=b, V=V, dW=tuple(map(np.zeros_like, W)), db=tuple(map(np.zeros_like, b)), dV=np.zeros_like(V))
    x = np.zeros((block, n[0])), *(np.zeros((block, C, m)) for m in n[1:-1])
    a = tuple(np.zeros((block, C, m)) for m in n[1:])
    g = tuple(np.zeros((block, C)) for m in n[1:])
    s, d = (tuple(np.zeros((block, 2, m)) for m in sizes) for sizes in (n[:-1], n[1:]))
    told = dict(y=loudness * np.eye(C), true=np.zeros(block, int), false=np.zeros(block, int))
    drive = dict(u=np.zeros(block * n[1]), t=np.zeros(C * n[1]))
    return forward | dict(x=x, a=a, g=g, s=s, d=d) | told | drive | moments(sum(np.size(w) for w in (*W, *b, V))) | dict(n=n)


@kernel
def please(a, g, rows, m):
    """g (rows,) = the mean square of each row of a (rows, m)."""
    for i in range(rows):
        row, total = a[i * m : i * m + m], a.dtype.type(0)
        for j in range(m):
            total += row[j] * row[j]
        g[i] = total / a.dtype.type(m)


@kernel
def normalise(a, g, x, rows, m):
    """Each row of x (rows, m) is that of a over its root mean square."""
    one, least = a.dtype.type(1), a.dtype.type(LEAST)
    for i in range(rows):
        share = one / a.dtype.type(math.sqrt(g[i] + least))
        for j in range(m):
            x[i * m + j] = share * a[i * m + j]


@kernel
def spread(V, y, u, t, a, B, C, m):
    """a (B, C, m) = u (B, m) + t (C, m), t = V y for every label."""
    for i in range(C * m):
        t[i] = V[i % m, i // m] * y[i // m, i // m]
    for i in range(B):
        x = u[i * m : i * m + m]
        for c in range(C):
            row, told = a[(i * C + c) * m : (i * C + c) * m + m], t[c * m : c * m + m]
            for j in range(m):
                row[j] = x[j] + told[j]


@lean
def respond(signal, out, W, b, V, y, x, u, t, a, g, n, block, activation, loudness):
    """For each label y: a[0] = f(W[0] signal + V y + b[0]), a[l] = f(W[l] x[l] + b[l]), x[l] = a[l-1] / sqrt g[l-1].

    out[k] = sum_l g[l] with label k; a lone output is that of the second label less that of the first.
    """
    B, L, C = signal.shape[0], n.size - 1, V.shape[1]
    for i in range(B):
        for j in range(n[0]):
            x[i * n[0] + j] = signal[i, j]
    for c in range(C):
        y[c, c] = loudness
    dot_t(x, W, u, B, n[0], n[1])
    spread(V, y, u, t, a, B, C, n[1])
    activate(a, b, B * C, n[1], activation)
    please(a, g, B * C, n[1])
    at, to, low, w, c, rows = block * n[0], block * C * n[1], 0, n[1] * n[0], n[1], block * C
    for l in range(1, L):
        k, m = n[l], n[l + 1]
        normalise(a[low:], g[(l - 1) * rows :], x[at:], B * C, k)
        dot_t(x[at:], W[w:], a[to:], B * C, k, m)
        activate(a[to:], b[c:], B * C, m, activation)
        please(a[to:], g[l * rows :], B * C, m)
        at, low, to, w, c = at + rows * k, to, to + rows * m, w + m * k, c + m
    for i in range(B):
        for k in range(out.shape[1]):
            out[i, k] = out.dtype.type(0)
            for l in range(L):
                seen = g[l * rows + i * C :]
                out[i, k] += seen[k] if C == out.shape[1] else seen[1] - seen[0]


@kernel
def tell(target, true, false, noise, C):
    """The label of each signal, and one of the others."""
    for i in range(target.shape[0]):
        best = 0
        for k in range(1, target.shape[1]):
            if target[i, k] > target[i, best]:
                best = k
        if target.shape[1] == 1 and target[i, 0] >= 1:
            best = 1
        true[i] = best
        other = int(uniform(noise, 0) * (C - 1))
        false[i] = other + 1 if other >= best else other


@kernel
def pull(a, g, d, told, side, B, C, m, activation, threshold):
    """Rows `side` of each pair in d (B, 2, m): the way up log sigmoid(+-(g - threshold)) / B, + for the true label (side 0)."""
    one, two = a.dtype.type(1), a.dtype.type(2)
    for i in range(B):
        row = i * C + told[i]
        gap = threshold - g[row] if side == 0 else g[row] - threshold
        small = a.dtype.type(math.exp(-abs(gap)))  # of the two, the power that cannot overflow
        wrong = (one if gap > 0 else small) / (one + small)
        share = two * wrong / a.dtype.type(m * B)
        share = share if side == 0 else -share
        A, D = a[row * m : row * m + m], d[(2 * i + side) * m : (2 * i + side) * m + m]
        for j in range(m):
            D[j] = share * A[j]
        slope(D, A, m, activation)


@kernel
def pick(x, s, told, side, B, C, k):
    """Rows `side` of each pair in s (B, 2, k) = the row of x (B, C, k) whose label was told; C is 1 where none is told."""
    for i in range(B):
        row, to = i * C + (told[i] if C > 1 else 0), 2 * i + side
        for j in range(k):
            s[to * k + j] = x[row * k + j]


@lean
def learn(target, V, dW, db, dV, y, x, a, g, s, d, true, false, n, noise, block, activation, threshold):
    """d[l] = +-sigmoid(-+(g[l] - threshold)) 2 a[l] f' / (n[l+1] B): upper signs with the true label, lower with a false one.

    dW[l] = the sum of both d[l]' x[l], db[l] = sum d[l], dV = the sum of both d[0]' y.
    """
    B, C, L = target.shape[0], V.shape[1], n.size - 1
    tell(target, true, false, noise, C)
    at, to, w, c, p, q = 0, 0, 0, 0, 0, 0
    for l in range(L):
        k, m, labels = n[l], n[l + 1], C if l > 0 else 1
        for side in range(2):
            told = true if side == 0 else false
            pick(x[at:], s[p:], told, side, B, labels, k)
            pull(a[to:], g[l * block * C :], d[q:], told, side, B, C, m, activation, threshold)
        t_dot(d[q:], s[p:], dW[w:], m, 2 * B, k)
        columns(d[q:], db[c:], 2 * B, m)
        at, to, w, c = at + block * labels * k, to + block * C * m, w + m * k, c + m
        p, q = p + 2 * block * k, q + 2 * block * m
    for i in range(C * n[1]):
        dV[i // C, i % C] = dV.dtype.type(0)
    for i in range(2 * B):
        c = true[i // 2] if i % 2 == 0 else false[i // 2]
        row, loud = d[i * n[1] : i * n[1] + n[1]], y[c, c]
        for j in range(n[1]):
            dV[j, c] += row[j] * loud


class ForwardForward(Network):
    """Every layer tells true labels from false ones, and the answer is the label that pleases them most."""

    depth: int = hyper(default=2, doc="hidden layers: without one nothing has a goodness", low=1, high=32, search=(1, 4))
    activation: str = hyper(default="relu", doc="of the hidden layers", choices=ACTIVATIONS[:-1])
    loss: str = hyper(default="entropy", doc="of each layer: cross-entropy of true and false labels", choices=LOSSES[:1])
    threshold: float = hyper(default=2.0, doc="goodness that is as likely true as false", low=0.01, high=100.0, log=True)
    loudness: float = hyper(default=1.0, doc="activity of a label's cell", low=0.01, high=100.0, log=True, search=(0.3, 30.0))

    source = ("arXiv:2212.13345",)
    synapses = Synapse("W[l]", "x[l]", "a[l]"), Synapse("b[l]", "1", "a[l]", "bias"), Synapse("V", "y", "a[0]")
    populations = *map(Population, ("x[l]", "y", "a[l]")), Population("g[l]", "modulator"), Population("d[l]", "error", "a[l]")
    init, respond, learn = init, respond, learn
    cut = 0.0

    def begin(self, task, seeds=None):
        """Refuse units whose goodness never reaches the threshold."""
        if self.activation in (ACTIVATIONS[SIGMOID], ACTIVATIONS[TANH]) and self.threshold >= 1:
            raise RefusedError(
                f"ForwardForward.activation={self.activation!r} must be unbounded, or threshold={self.threshold!r} below 1: "
                "the mean square of units that stay below 1 reaches no higher."
            )
        return super().begin(task, seeds)

    def observe(self, X, Y):
        """The share of signals whose label each layer alone would name. No layer follows the gradient of the answer."""
        self.live(X)
        true = Y[:, -1].argmax(1) if Y.shape[-1] > 1 else (Y[:, -1, 0] > self.dtype(0.5))
        goodness = {name: g[: len(X)] for name, g in self.arrays().items() if name.startswith("g[")}
        return {name.replace("g", "named"): float((g.argmax(1) == true).mean()) for name, g in goodness.items()}
