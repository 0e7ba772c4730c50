"""Settling of predictive coding: activities go down the energy, at weights that stay.

In l layers the errors fade like step^l, soon below what rounding makes of a[l+1] - p[l]. So what is kept is z, how far an
activity has moved, and what that does to the next prediction, f(u + W z) - f(u), is worked out without a difference.

Arrays are those of `learners.predictive_coding`, flat, layer after layer; B signals of a block are there.
"""

import math

from harness.jit import kernel
from learners.elementary import tanh
from learners.kernels import (
    ELU,
    LEAK,
    LEAKY_RELU,
    LINEAR,
    RELU,
    SIGMOID,
    TANH,
    activate,
    copy,
    dot,
    dot_t,
    error,
    slope,
)

FEEDBACK = "tied", "separate"
TIED, SEPARATE = range(2)
SECOND = 1
"""The layer from which on predictions are of what settles: the first has the signal to go by."""
LEAST = 1e-12
"""In place of 1 + p H where that rounds to 0: one is 1 and the other -1, and the product above is 0 too."""


@kernel
def blank(A, size):
    """A = 0."""
    for i in range(size):
        A[i] = A.dtype.type(0)


@kernel
def predict(W, b, a, p, n, block, B, activation, first):
    """p[l] = f(W[l] a[l] + b[l]) from layer `first` on."""
    at, to, w, c = 0, 0, 0, 0
    for l in range(n.size - 1):
        k, m = n[l], n[l + 1]
        if l >= first:
            dot_t(a[at:], W[w:], p[to:], B, k, m)
            activate(p[to:], b[c:], B, m, activation if l < n.size - 2 else LINEAR)
        at, to, w, c = at + block * k, to + block * m, w + m * k, c + m


@kernel
def shift(H, u, p, size, kind):
    """H = f(u + H) - f(u), with p = f(u), and no difference of nearly equal numbers. For tanh by its theorem of addition."""
    zero, half, one = H.dtype.type(0), H.dtype.type(0.5), H.dtype.type(1)
    least = H.dtype.type(LEAST)
    if kind == TANH:
        tanh(H, size)
        for i in range(size):
            H[i] = H[i] * (one - p[i]) * (one + p[i]) / max(one + p[i] * H[i], least)
    elif kind == SIGMOID:
        for i in range(size):
            H[i] *= half
        tanh(H, size)
        for i in range(size):
            H[i] = (one + one) * H[i] * (one - p[i]) * p[i] / max(one + (p[i] + p[i] - one) * H[i], least)
    elif kind == RELU or kind == LEAKY_RELU:
        leak = zero if kind == RELU else H.dtype.type(LEAK)
        for i in range(size):
            new = u[i] + H[i]
            if (u[i] > zero) == (new > zero):
                H[i] = H[i] if new > zero else leak * H[i]
            else:
                H[i] = (new if new > zero else leak * new) - p[i]
    elif kind == ELU:
        for i in range(size):
            new = u[i] + H[i]
            if u[i] <= zero and new <= zero:
                H[i] = (one + p[i]) * H.dtype.type(math.expm1(H[i]))
            elif u[i] <= zero or new <= zero:
                H[i] = (new if new > zero else H.dtype.type(math.expm1(new))) - p[i]


@kernel
def compare(target, W, d, p, u, z, e, r, n, block, activation, loss, variance, first, fresh):
    """d[l] = f'(u) e[l] / B from layer `first` on, d[L-1] = (target - p) / (B variance). Before layer `fresh` p has not moved."""
    B, K = target.shape
    share = d.dtype.type(1) / d.dtype.type(B)
    to, w = 0, 0
    for l in range(n.size - 2):
        m = n[l + 1]
        x, y, gap, now, size = z[to:], d[to:], e[to:], r[to:], B * m
        if first <= l < fresh:
            for i in range(size):
                y[i] = share * x[i]
            slope(y, p[to:], size, activation)
        elif l >= fresh:
            dot_t(z[to - block * n[l] :], W[w:], gap, B, n[l], m)
            shift(gap, u[to:], p[to:], size, activation)
            for i in range(size):
                now[i] = p[to + i] + gap[i]
            for i in range(size):
                gap[i] = x[i] - gap[i]
            for i in range(size):
                y[i] = share * gap[i]
            slope(y, now, size, activation)
        to, w = to + block * m, w + m * n[l]
    y = d[to:]
    if fresh < n.size - 1:
        dot_t(z[to - block * n[n.size - 2] :], W[w:], y, B, n[n.size - 2], K)
        for i in range(B * K):
            y[i] += p[to + i]
    else:
        copy(p[to:], y, B * K)
    error(y, target, loss, y)
    for i in range(B * K):
        y[i] /= variance


@kernel
def move(W, F, d, z, e, r, push, residual, n, block, B, step, inertia, feedback, fresh, last):
    """push = inertia push - dE/da, z += step push, all hidden layers at once: -dE/da[l+1] = B W[l+1]' d[l+1] - e[l].

    The last time, residual = max |dE/da|.
    """
    to, w, f = 0, n[0] * n[1], 0
    scale, residual[0] = d.dtype.type(B), d.dtype.type(0)
    for l in range(n.size - 2):
        k, m = n[l + 1], n[l + 2]
        x, gap, down, v = z[to:], z[to:] if l < fresh else e[to:], r[to:], push[to:]
        if feedback == TIED:
            dot(d[to + block * k :], W[w:], down, B, m, k)
        else:
            dot_t(d[to + block * k :], F[f:], down, B, m, k)
        if last:
            residual[0] = max(residual[0], furthest(down, gap, scale, B * k))
        if l < fresh:  # gap is x, and one loop for both halves the traffic
            for i in range(B * k):
                v[i] = inertia * v[i] + scale * down[i] - x[i]
                x[i] += step * v[i]
        else:
            for i in range(B * k):
                v[i] = inertia * v[i] + scale * down[i] - gap[i]
            for i in range(B * k):
                x[i] += step * v[i]
        to, w, f = to + block * k, w + m * k, f + m * k


@kernel
def furthest(A, B, scale, size):
    """max |scale A - B|."""
    top = A.dtype.type(0)
    for i in range(size):
        top = max(top, abs(scale * A[i] - B[i]))
    return top
