"""What the forms of target propagation share: inverses of layers, how these learn, and how targets come down through them.

Inverse l makes of what is above, `up` (B, h[l+1]), the hidden layer l below: g(up) = f(F[l] up + c[l]), (B, h[l]). Above is the
next hidden layer, or o: what the output layer answers as a distribution, with what auxiliary cells do beside it.

A target is kept as z, its distance from the activity. z[l] = g(up + z[l+1]) - g(up) is worked out without a difference, since
both differ little. Arrays are those of `learners.target_propagation`, flat, layer after layer; B signals of a block are there.
"""

import math

import numpy as np

from harness.jit import kernel, lean
from learners import network
from learners.descent import adapt as step
from learners.descent import moments
from learners.draws import even
from learners.elementary import exp
from learners.kernels import LINEAR, RELU, SQUARED, activate, add, columns, dot_t, slope, t_dot
from learners.settling import shift


def inverses(state, rng, h, start, activation, block, auxiliary=0):
    """The network, with inverses between layers of h[0], h[1], ... units, drawn like the weights that lead the other way.

    The last of h counts the outputs and `auxiliary` cells together, where an inverse leads from there.

    F[l] (h[l], h[l+1]), c[l] (h[l],)   inverses
    x[l], y[l]   (block, h[l]), (block, h[l+1]): a hidden layer with noise, and what is made of it above
    p[l], u[l]   (block, h[l]) what the inverse makes of what is above, and that before f
    r[l]         (block, h[l]) how far that is from x[l]
    z[l]         (block, h[l]) how far the target is from the activity
    o (block h[-1],)   the answer as a distribution, and auxiliary cells q beside it; raw is the answer before
    Q (auxiliary, n[L-1]), q (block, auxiliary)   fixed weights of auxiliary cells, and what these do
    past (1,)    counts updates of inverses
    """
    F = network.feedback(rng, (0, *h), start, activation) if len(h) > 1 else ()
    c = tuple(np.zeros(m) for m in h[:-1])
    none = np.zeros(0)
    own = dict(F=F or none, c=c or none, dF=tuple(map(np.zeros_like, F)) or none, dc=tuple(map(np.zeros_like, c)) or none)
    low = {name: tuple(np.zeros((block, m)) for m in h[:-1]) or none for name in "xpur"}
    high = dict(y=tuple(np.zeros((block, m)) for m in h[1:]) or none, z=tuple(np.zeros((block, m)) for m in h) or none)
    k = state["n"][-2]
    beside = dict(Q=rng.uniform(-1, 1, (auxiliary, k)) * (6 / (k + auxiliary)) ** 0.5, q=np.zeros((block, auxiliary)))
    top = dict(o=np.zeros(block * h[-1] if len(h) else 0), raw=np.zeros(block * state["n"][-1]))
    size = sum(map(np.size, (*state["W"], *state["b"], *F, *c)))
    return state | own | low | high | beside | top | moments(size) | dict(past=np.zeros(1, int), h=np.array(h, int))


@kernel
def distribution(Z, out, B, K, wide, loss):
    """out (B, wide) begins with the softmax of Z (B, K), its sigmoid where K is 1, or Z itself for the squared error."""
    one = Z.dtype.type(1)
    for i in range(B):
        z, p = Z[i * K : i * K + K], out[i * wide : i * wide + K]
        top = z[0]
        for k in range(1, K):
            top = max(top, z[k])
        if loss == SQUARED:
            for k in range(K):
                p[k] = z[k]
        elif K == 1:
            small = Z.dtype.type(math.exp(-abs(z[0])))
            p[0] = (one if z[0] > 0 else small) / (one + small)
        else:
            for k in range(K):
                z[k] = z[k] - top
    if loss != SQUARED and K > 1:
        exp(Z, B * K)
        for i in range(B):
            z, p, total = Z[i * K : i * K + K], out[i * wide : i * wide + K], Z.dtype.type(0)
            for k in range(K):
                total += z[k]
            share = one / total
            for k in range(K):
                p[k] = share * z[k]


@kernel
def emit(x, W, b, Q, q, out, raw, B, k, K, wide, loss):
    """out (B, wide): the answer to x (B, k) as a distribution, and beside it Q x, what auxiliary cells make of it."""
    dot_t(x, W, raw, B, k, K)
    activate(raw, b, B, K, LINEAR)
    distribution(raw, out, B, K, wide, loss)
    if wide > K:
        dot_t(x, Q.reshape(Q.size), q.reshape(q.size), B, k, wide - K)
        for i in range(B):
            for j in range(wide - K):
                out[i * wide + K + j] = q[i, j]


@kernel
def rebuild(W, b, F, c, dF, dc, Q, q, a, x, y, p, r, raw, n, h, noise, block, B, activation, loss, sigma):
    """Way down 1/2 |x[l] - g(y[l])|^2, x[l] a hidden layer with even noise of deviation sigma, y[l] what comes of it above.

    r[l] = g' (x[l] - g(y[l])) / B, dF[l] = r[l]' y[l], dc[l] = sum r[l].
    """
    bound, share = 3**0.5 * float(sigma), a.dtype.type(1) / a.dtype.type(B)
    at, low, up, w, bias, f, g = block * n[0], 0, 0, n[0] * n[1], n[1], 0, 0
    for l in range(h.size - 1):
        k, m = h[l], h[l + 1]
        even(x[low:], noise, B * k, -bound, 2 * bound)
        add(a[at:], x[low:], B * k)
        if l + 2 < n.size - 1:
            dot_t(x[low:], W[w:], y[up:], B, k, m)
            activate(y[up:], b[bias:], B, m, activation)
        else:
            emit(x[low:], W[w:], b[bias:], Q, q, y[up:], raw, B, k, n[n.size - 1], m, loss)
        dot_t(y[up:], F[f:], p[low:], B, m, k)
        activate(p[low:], c[g:], B, k, activation)
        noisy, again, gap = x[low:], p[low:], r[low:]
        for i in range(B * k):
            gap[i] = share * (noisy[i] - again[i])
        slope(gap, again, B * k, activation)
        t_dot(r[low:], y[up:], dF[f:], k, B, m)
        columns(r[low:], dc[g:], B, k)
        at, low, up, w, bias, f, g = at + block * k, low + block * k, up + block * m, w + m * k, bias + m, f + k * m, g + k


@kernel
def lower(F, c, a, o, z, p, u, n, h, block, B, activation):
    """From z of the highest target down: z[l] = g(up + z[l+1]) - g(up), of every inverse."""
    at, to, low, f, g = a.size - block * n[n.size - 1], z.size, p.size, F.size, c.size
    to -= block * h[h.size - 1] if h.size > 0 else 0
    for l in range(h.size - 2, -1, -1):
        k, m = h[l], h[l + 1]
        hidden = l + 2 < n.size - 1
        at -= block * m if hidden else 0
        above, up = z[to:], a[at:] if hidden else o
        to, low, f, g = to - block * k, low - block * k, f - k * m, g - k
        if activation >= RELU:  # the slopes of the others are known from their values
            dot_t(up, F[f:], u[low:], B, m, k)
            activate(u[low:], c[g:], B, k, LINEAR)
        dot_t(up, F[f:], p[low:], B, m, k)
        activate(p[low:], c[g:], B, k, activation)
        dot_t(above, F[f:], z[to:], B, m, k)
        shift(z[to:], u[low:], p[low:], B * k, activation)


@kernel
def aim(d, a, z, n, block, B, activation):
    """d[l] = f'(u[l]) z[l] / B for every hidden layer: towards its target."""
    share = d.dtype.type(1) / d.dtype.type(B)
    at, to = block * n[0], 0
    for l in range(1, n.size - 1):
        e, gap = d[to:], z[to:]
        for i in range(B * n[l]):
            e[i] = share * gap[i]
        slope(e, a[at:], B * n[l], activation)
        at, to = at + block * n[l], to + block * n[l]


@kernel
def invert(theta, grad, m, v, past, first, optimiser, inverse_rate, beta, beta2, decay):
    """Bring the raw changes of inverses, from place `first` on, into them."""
    step(theta[first:], grad[first:], m[first:], v[first:], past, optimiser, inverse_rate, beta, beta2, decay)


@lean
def adapt(theta, grad, W, b, m, v, age, optimiser, rate, beta, beta2, decay):
    """The network's own optimiser, for W and b alone: inverses have had their step in `learn`."""
    size = W.size + b.size
    step(theta[:size], grad[:size], m, v, age, optimiser, rate, beta, beta2, decay)
