"""Self-attention: every position looks at every other, with weights that the content sets anew each time.

Vaswani, A. et al. (2017). Attention is all you need. NeurIPS. arXiv:1706.03762 (equation 1; section 3.2.2, several heads)

Biological reading: selective attention as a gain on what is relevant now, whatever its place. The weights A are activity, not
synapses: they live for one sequence. A dot product of every pair of positions, all held in memory at once, has no known
counterpart in cortex; the gradient needs the transport of every weight, and of A, backwards. Nor has A[t, u] a cell: it belongs
to two positions at once, and no synapse ends there. So an audit takes it for cells of its own, which nothing could declare.

A block holds B sequences of T positions: rows b T + t of flat matrices. Widths: n inputs, d model, d / heads a head, K out.
"""

import math
from typing import ClassVar

import numpy as np

from harness.jit import kernel
from harness.learner import Can, Population, Synapse, hyper
from learners.descent import Descending, moments
from learners.kernels import LOSSES, SQUARED, add, columns, copy, dot, dot_t, error, t_dot

POOLS = "last", "mean"
LAST, MEAN = range(2)


def init(task, rng, width, heads, block):
    """Weights, activities and errors of a block of B.

    weights      E (d, n) embedding, P (T, d) places, W[0..3] (d, d) to query, key, value and from the heads, U (K, d), b (K,)
    activities   x (BT, n), h (BT, d), p[0..3] (BT, d) query, key, value, heads' answers, A (B heads, T, T), z (BT, d), r (B, d),
                 y (B, K)
    errors       e (B, K), dr (B, d), dz and dh (BT, d), dp[0..3] (BT, d), dA (T, T); q is scratch for one head
    """
    (T, n), K, B, d = task.shape, task.n_out, block, width * heads
    draw = lambda rows, columns: rng.normal(0, columns**-0.5, (rows, columns))  # noqa: E731 - four uses, one line
    weights = dict(E=draw(d, n), P=0.5 * rng.normal(0, 1, (T, d)), W=tuple(draw(d, d) for _ in range(4)), U=draw(K, d),
                   b=np.zeros(K))  # fmt: skip
    changes = {"d" + k: tuple(map(np.zeros_like, v)) if isinstance(v, tuple) else np.zeros_like(v) for k, v in weights.items()}
    size = sum(np.size(v) for v in weights.values())
    many = lambda: tuple(np.zeros((B * T, d)) for _ in range(4))  # noqa: E731
    activities = dict(x=np.zeros((B * T, n)), h=np.zeros((B * T, d)), p=many(), A=np.zeros((B * heads, T, T)),
                      z=np.zeros((B * T, d)), r=np.zeros((B, d)), y=np.zeros((B, K)))  # fmt: skip
    errors = dict(e=np.zeros((B, K)), dr=np.zeros((B, d)), dz=np.zeros((B * T, d)), dh=np.zeros((B * T, d)), dp=many(),
                  dA=np.zeros((T, T)), q=tuple(np.zeros((T, width)) for _ in range(7)))  # fmt: skip
    return weights | changes | activities | errors | moments(size)


@kernel
def take(p, at, h, d, head, T, out):
    """Copy the part of one head, (T, d / heads), from rows of p (T, d) to `out`."""
    for t in range(T):
        for j in range(head):
            out[t * head + j] = p[at + t * d + h * head + j]


@kernel
def give(part, p, at, h, d, head, T):
    """The inverse of `take`."""
    for t in range(T):
        for j in range(head):
            p[at + t * d + h * head + j] = part[t * head + j]


@kernel
def softmax(A, T, scale, causal):
    """Turn each row t of A (T, T) into the softmax of scale A, over the positions up to t if causal, its largest subtracted."""
    zero = A.dtype.type(0)
    for t in range(T):
        n = t + 1 if causal else T
        row = A[t * T : t * T + T]
        top = row[0]
        for u in range(1, n):
            top = max(top, row[u])
        total = zero
        for u in range(n):
            row[u] = A.dtype.type(math.exp(scale * (row[u] - top)))
            total += row[u]
        for u in range(n):
            row[u] /= total
        for u in range(n, T):
            row[u] = zero


@kernel
def unsoftmax(dA, A, T, scale):
    """dA = scale A (dA - sum over the row of A dA)."""
    for t in range(T):
        mean = dA.dtype.type(0)
        for u in range(t * T, t * T + T):
            mean += A[u] * dA[u]
        for u in range(t * T, t * T + T):
            dA[u] = scale * A[u] * (dA[u] - mean)


def respond(signal, out, E, P, W, U, b, x, h, p, A, z, r, y, q, heads, causal, pool):
    """h = E x + P; for each head A = softmax(Q K' / sqrt(d / heads)) and its answer A V; z = h + W[3] answers; y = U r + b.

    r is z at the last position, or its mean over all.
    """
    B, T, n, d, K = signal.shape[0], P.shape[0], signal.shape[2], E.shape[0], U.shape[0]
    head, step = d // heads, p.size // 4
    scale, share = P.dtype.type(1 / math.sqrt(head)), P.dtype.type(1 / T)
    for i in range(B):
        for t in range(T):
            for j in range(n):
                x[i * T + t, j] = signal[i, t, j]
    dot_t(x.ravel(), E.ravel(), h.ravel(), B * T, n, d)
    for i in range(B):
        add(P.ravel(), h.ravel()[i * T * d :], T * d)
    for m in range(3):
        dot_t(h.ravel(), W[m * d * d :], p[m * step :], B * T, d, d)
    part = T * head
    for i in range(B):
        for g in range(heads):
            for m in range(3):
                take(p, m * step + i * T * d, g, d, head, T, q[m * part :])
            a = A[i * heads + g].ravel()
            dot_t(q, q[part:], a, T, head, T)
            softmax(a, T, scale, causal)
            dot(a, q[2 * part :], q[3 * part :], T, T, head)
            give(q[3 * part :], p, 3 * step + i * T * d, g, d, head, T)
    dot_t(p[3 * step :], W[3 * d * d :], z.ravel(), B * T, d, d)
    add(h.ravel(), z.ravel(), B * T * d)
    for i in range(B):
        for j in range(d):
            total = z[i * T + T - 1, j]
            if pool == MEAN:
                for t in range(T - 1):
                    total += z[i * T + t, j]
                total *= share
            r[i, j] = total
    dot_t(r.ravel(), U.ravel(), y.ravel(), B, d, K)
    for i in range(B):
        add(b, y.ravel()[i * K :], K)
    copy(y.ravel(), out.ravel(), B * K)


def learn(target, W, U, dE, dP, dW, dU, db, x, h, p, A, r, y, e, dr, dz, dh, dp, dA, q, heads, pool, loss):
    """The chain rule, backwards through the lines of `respond`; all errors point the way down."""
    B, K, T, d, n = target.shape[0], target.shape[1], dP.shape[0], dP.shape[1], dE.shape[1]
    head, step = d // heads, p.size // 4
    scale, share, zero = dP.dtype.type(1 / math.sqrt(head)), dP.dtype.type(1 / T), dP.dtype.type(0)
    error(y.ravel(), target, loss, e.ravel())
    t_dot(e.ravel(), r.ravel(), dU.ravel(), K, B, d)
    columns(e.ravel(), db, B, K)
    dot(e.ravel(), U.ravel(), dr.ravel(), B, K, d)
    for i in range(B):
        for t in range(T):
            for j in range(d):
                dz[i * T + t, j] = dr[i, j] * share if pool == MEAN else (dr[i, j] if t == T - 1 else zero)
    flat = dz.ravel()
    t_dot(flat, p[3 * step :], dW[3 * d * d :], d, B * T, d)
    dot(flat, W[3 * d * d :], dp[3 * step :], B * T, d, d)
    part, a = T * head, dA.ravel()
    for i in range(B):
        for g in range(heads):
            for m in range(3):
                take(p, m * step + i * T * d, g, d, head, T, q[m * part :])
            take(dp, 3 * step + i * T * d, g, d, head, T, q[3 * part :])
            weights = A[i * heads + g].ravel()
            t_dot(weights, q[3 * part :], q[6 * part :], T, T, head)
            dot_t(q[3 * part :], q[2 * part :], a, T, head, T)
            unsoftmax(a, weights, T, scale)
            dot(a, q[part:], q[4 * part :], T, T, head)
            t_dot(a, q, q[5 * part :], T, T, head)
            for m in range(3):
                give(q[(4 + m) * part :], dp, m * step + i * T * d, g, d, head, T)
    copy(flat, dh.ravel(), B * T * d)
    for m in range(3):
        t_dot(dp[m * step :], h.ravel(), dW[m * d * d :], d, B * T, d)
        dot(dp[m * step :], W[m * d * d :], flat, B * T, d, d)
        add(flat, dh.ravel(), B * T * d)
    t_dot(dh.ravel(), x.ravel(), dE.ravel(), d, B * T, n)
    for t in range(T):
        for j in range(d):
            dP[t, j] = zero
    for i in range(B):
        add(dh.ravel()[i * T * d :], dP.ravel(), T * d)


class Attention(Descending):
    """Scaled dot-product self-attention with learnt places and a residual, read out at its last position or on average."""

    rate: float = hyper(default=3e-3, doc="step size", low=1e-6, high=10.0, log=True, unit="1/block", search=(1e-4, 0.1))
    width: int = hyper(default=16, doc="width of a head", low=1, high=256, log=True, search=(4, 32))
    heads: int = hyper(default=2, doc="heads", low=1, high=16, log=True, search=(1, 4))
    causal: bool = hyper(default=False, doc="whether a position sees only itself and those before it")
    pool: str = hyper(default="last", doc="what is read out: the last position, or the mean of all", choices=POOLS)
    loss: str = hyper(default="entropy", doc="cross-entropy, or half the squared error", choices=LOSSES)
    block: int = hyper(default=32, doc="sequences whose changes are averaged", low=1, high=4096, log=True, search=(8, 128))

    family = "engineered"
    source = ("arXiv:1706.03762",)
    can = Can(inputs={"vector", "sequence"}, whole=True)
    compile_loop = False
    audited: ClassVar = dict(width=3, heads=1)
    synapses = (
        Synapse("E", "x", "h"),
        Synapse("P", "1", "h", "bias"),
        *(Synapse(f"W[{m}]", "h" if m < 3 else "p[3]", f"p[{m}]" if m < 3 else "z") for m in range(4)),
        Synapse("U", "r", "y"),
        Synapse("b", "1", "y", "bias"),
    )
    populations = (
        *(Population(name) for name in ("x", "h", "p[l]", "A", "z", "r", "y")),
        *(Population("d" + name, "error", name) for name in ("r", "z", "h", "p[l]")),
        Population("e", "error", "y"),
        Population("dA", "error"),
    )
    init, respond, learn = init, respond, learn

    @property
    def cut(self):
        """Between the targets 0 and 1, or at probability one half."""
        return 0.5 if self.loss == LOSSES[SQUARED] else 0.0
