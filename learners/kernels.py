"""Kernels that learners share: products of matrices, activations, errors. All work in place, in the precision they are given.

Matrices are flat vectors, row after row, with their sizes given beside them, as BLAS takes them; a longer vector may follow.
So one compiled form serves every layer of every depth. Blocks hold one signal a row. A bare `1.0` is a double and would
widen a float32 loop, hence `A.dtype.type(1)`; loops are short and see few arrays, so that they vectorise.
"""

import math

import numpy as np

from harness.jit import kernel
from learners.elementary import exp, tanh

SMALL = 600
"""Multiply-adds below which a plain loop beats a call of BLAS."""

ACTIVATIONS = "linear", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "prelu"
LINEAR, SIGMOID, TANH, RELU, LEAKY_RELU, ELU, PRELU = range(7)
LEAK = 0.01
"""Slope of a leaky ReLU below 0; Maas, Hannun & Ng (2013)."""

LOSSES = "entropy", "squared"
ENTROPY, SQUARED = range(2)


@kernel
def copy(A, out, size):
    """out = A."""
    for i in range(size):
        out[i] = A[i]


@kernel
def add(A, out, size):
    """out = out + A."""
    for i in range(size):
        out[i] += A[i]


@kernel
def dot(A, B, out, m, k, n):
    """out (m, n) = A (m, k) B (k, n)."""
    if m * k * n > SMALL:
        np.dot(A[: m * k].reshape((m, k)), B[: k * n].reshape((k, n)), out[: m * n].reshape((m, n)))
    else:
        for i in range(m):
            for j in range(n):
                total = A.dtype.type(0)
                for h in range(k):
                    total += A[i * k + h] * B[h * n + j]
                out[i * n + j] = total


@kernel
def dot_t(A, B, out, m, k, n):
    """out (m, n) = A (m, k) B', B (n, k)."""
    if m * k * n > SMALL:
        np.dot(A[: m * k].reshape((m, k)), B[: n * k].reshape((n, k)).T, out[: m * n].reshape((m, n)))
    else:
        for i in range(m):
            a = A[i * k : i * k + k]
            for j in range(n):
                b, total = B[j * k : j * k + k], A.dtype.type(0)
                for h in range(k):
                    total += a[h] * b[h]
                out[i * n + j] = total


@kernel
def t_dot(A, B, out, m, k, n):
    """out (m, n) = A' B, A (k, m), B (k, n)."""
    if m * k * n > SMALL:
        np.dot(A[: k * m].reshape((k, m)).T, B[: k * n].reshape((k, n)), out[: m * n].reshape((m, n)))
    else:
        for i in range(m * n):
            out[i] = A.dtype.type(0)
        for h in range(k):
            b = B[h * n : h * n + n]
            for i in range(m):
                row, a = out[i * n : i * n + n], A[h * m + i]
                for j in range(n):
                    row[j] += a * b[j]


@kernel
def columns(A, out, m, n):
    """out[j] = sum_i A[i, j], A (m, n)."""
    copy(A, out, n)
    for i in range(1, m):
        add(A[i * n :], out, n)


@kernel
def activate(A, b, m, n, kind):
    """A (m, n) = f(A + b), b (n,). f is chosen outside the loops."""
    zero, half, one = A.dtype.type(0), A.dtype.type(0.5), A.dtype.type(1)
    size, scale = m * n, half if kind == SIGMOID else one
    for i in range(m):
        for j in range(n):
            A[i * n + j] = scale * (A[i * n + j] + b[j])
    if kind == TANH:
        tanh(A, size)
    elif kind == SIGMOID:  # 1 / (1 + exp(-u)) = 1/2 + 1/2 tanh(u / 2)
        tanh(A, size)
        for i in range(size):
            A[i] = half + half * A[i]
    elif kind == RELU:
        for i in range(size):
            A[i] = max(A[i], zero)
    elif kind == LEAKY_RELU:
        for i in range(size):
            A[i] = max(A[i], A.dtype.type(LEAK) * A[i])
    elif kind == ELU:
        for i in range(size):
            A[i] = A[i] if A[i] > zero else A.dtype.type(math.expm1(A[i]))


@kernel
def slope(D, A, size, kind):
    """D = D f'(u), from A = f(u): each of these activations tells its slope by its value."""
    zero, one = A.dtype.type(0), A.dtype.type(1)
    if kind == TANH:
        for i in range(size):
            D[i] = D[i] * (one - A[i] * A[i])
    elif kind == SIGMOID:
        for i in range(size):
            D[i] = D[i] * (A[i] * (one - A[i]))
    elif kind == ELU:
        for i in range(size):
            D[i] = D[i] if A[i] > zero else D[i] * (one + A[i])
    elif kind == RELU or kind == LEAKY_RELU:
        leak = zero if kind == RELU else A.dtype.type(LEAK)
        for i in range(size):
            D[i] = D[i] if A[i] > zero else leak * D[i]


@kernel
def error(Z, target, loss, E):
    """E = (target - p) / B: the way down the mean loss with respect to Z; target (B, K), Z and E flat.

    p is Z (squared error), its softmax (cross-entropy), or the sigmoid of a lone column.
    """
    n, K = target.shape
    one = Z.dtype.type(1)
    share = one / Z.dtype.type(n)
    if loss == SQUARED:
        for i in range(n):
            for k in range(K):
                E[i * K + k] = share * (target[i, k] - Z[i * K + k])
    elif K == 1:
        for i in range(n):
            small = math.exp(-abs(Z[i]))  # of the two, the power that cannot overflow
            E[i] = share * (target[i, 0] - (one if Z[i] > 0 else small) / (one + small))
    else:
        for i in range(n):
            z, e = Z[i * K : i * K + K], E[i * K : i * K + K]
            top = z[0]
            for x in z:
                top = max(top, x)
            for k in range(K):
                e[k] = z[k] - top
        exp(E, n * K)
        for i in range(n):
            e, total = E[i * K : i * K + K], Z.dtype.type(0)
            for k in range(K):
                total += e[k]
            for k in range(K):
                e[k] = share * (target[i, k] - e[k] / total)
