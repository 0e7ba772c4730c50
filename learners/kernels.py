"""Kernels that learners share: products of matrices, activations, errors. All work in place, in the precision they are given.

Matrices are blocks (B, n), one signal a row. A bare `1.0` is a double and would widen a float32 loop, hence
`A.dtype.type(1)`. Loops over rows are short and see few arrays, so that they vectorise.
"""

import math

import numpy as np

from harness.jit import kernel

SMALL = 600
"""Multiply-adds below which a plain loop beats a call of BLAS."""

ACTIVATIONS = "linear", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "prelu"
LINEAR, SIGMOID, TANH, RELU, LEAKY_RELU, ELU, PRELU = range(7)
LEAK = 0.01
"""Slope of a leaky ReLU below 0; Maas, Hannun & Ng (2013)."""

LOSSES = "entropy", "squared"
ENTROPY, SQUARED = range(2)


@kernel
def layer(flat, start, rows, columns):
    """A piece of a flat vector as a matrix."""
    return flat[start : start + rows * columns].reshape((rows, columns))


@kernel
def copy(A, out):
    """out = A."""
    for i in range(A.shape[0]):
        for j in range(A.shape[1]):
            out[i, j] = A[i, j]


@kernel
def dot(A, B, out):
    """out = A B: (m, k) (k, n)."""
    if A.size * B.shape[1] > SMALL:
        np.dot(A, B, out)
    else:
        for i in range(A.shape[0]):
            for j in range(B.shape[1]):
                total = A.dtype.type(0)
                for k in range(A.shape[1]):
                    total += A[i, k] * B[k, j]
                out[i, j] = total


@kernel
def dot_t(A, B, out):
    """out = A B': (m, k) (n, k)'."""
    if A.size * B.shape[0] > SMALL:
        np.dot(A, B.T, out)
    else:
        for i in range(A.shape[0]):
            for j in range(B.shape[0]):
                total = A.dtype.type(0)
                for k in range(A.shape[1]):
                    total += A[i, k] * B[j, k]
                out[i, j] = total


@kernel
def t_dot(A, B, out):
    """out = A' B: (k, m)' (k, n)."""
    if A.size * B.shape[1] > SMALL:
        np.dot(A.T, B, out)
    else:
        for i in range(A.shape[1]):
            for j in range(B.shape[1]):
                total = A.dtype.type(0)
                for k in range(A.shape[0]):
                    total += A[k, i] * B[k, j]
                out[i, j] = total


@kernel
def columns(A, out):
    """out[j] = sum_i A[i, j]."""
    for j in range(A.shape[1]):
        total = A.dtype.type(0)
        for i in range(A.shape[0]):
            total += A[i, j]
        out[j] = total


@kernel
def tanh32(x):
    """tanh x for float32 as a ratio of polynomials: error below 3e-7, and a loop of it vectorises.

    The coefficients are those of the minimax approximation on [-7.9, 7.9] that Eigen and TensorFlow use.
    """
    f = np.float32
    x = min(max(x, f(-7.905311)), f(7.905311))
    s = x * x
    p = f(-2.76076847742355e-16)
    p = p * s + f(2.00018790482477e-13)
    p = p * s + f(-8.60467152213735e-11)
    p = p * s + f(5.12229709037114e-08)
    p = p * s + f(1.48572235717979e-05)
    p = p * s + f(6.37261928875436e-04)
    p = p * s + f(4.89352455891786e-03)
    q = f(1.19825839466702e-06)
    q = q * s + f(1.18534705686654e-04)
    q = q * s + f(2.26843463243900e-03)
    q = q * s + f(4.89352518554385e-03)
    return x * p / q


@kernel
def tanh(A):
    """A = tanh A."""
    if A.itemsize == 4:
        for i in range(A.shape[0]):
            for j in range(A.shape[1]):
                A[i, j] = tanh32(A[i, j])
    else:
        for i in range(A.shape[0]):
            for j in range(A.shape[1]):
                A[i, j] = math.tanh(A[i, j])


@kernel
def activate(A, b, kind):
    """A = f(A + b). f is chosen outside the loops."""
    zero, half, one = A.dtype.type(0), A.dtype.type(0.5), A.dtype.type(1)
    scale = half if kind == SIGMOID else one
    for i in range(A.shape[0]):
        for j in range(A.shape[1]):
            A[i, j] = scale * (A[i, j] + b[j])
    if kind == TANH:
        tanh(A)
    elif kind == SIGMOID:  # 1 / (1 + exp(-u)) = 1/2 + 1/2 tanh(u / 2)
        tanh(A)
        for i in range(A.shape[0]):
            for j in range(A.shape[1]):
                A[i, j] = half + half * A[i, j]
    elif kind == RELU:
        for i in range(A.shape[0]):
            for j in range(A.shape[1]):
                A[i, j] = max(A[i, j], zero)
    elif kind == LEAKY_RELU:
        for i in range(A.shape[0]):
            for j in range(A.shape[1]):
                A[i, j] = max(A[i, j], A.dtype.type(LEAK) * A[i, j])
    elif kind == ELU:
        for i in range(A.shape[0]):
            for j in range(A.shape[1]):
                A[i, j] = A[i, j] if A[i, j] > zero else A.dtype.type(math.expm1(A[i, j]))


@kernel
def slope(D, A, kind):
    """D = D f'(u), from A = f(u): each of these activations tells its slope by its value."""
    zero, one = A.dtype.type(0), A.dtype.type(1)
    if kind == TANH:
        for i in range(A.shape[0]):
            for j in range(A.shape[1]):
                D[i, j] = D[i, j] * (one - A[i, j] * A[i, j])
    elif kind == SIGMOID:
        for i in range(A.shape[0]):
            for j in range(A.shape[1]):
                D[i, j] = D[i, j] * (A[i, j] * (one - A[i, j]))
    elif kind == ELU:
        for i in range(A.shape[0]):
            for j in range(A.shape[1]):
                D[i, j] = D[i, j] if A[i, j] > zero else D[i, j] * (one + A[i, j])
    elif kind == RELU or kind == LEAKY_RELU:
        leak = zero if kind == RELU else A.dtype.type(LEAK)
        for i in range(A.shape[0]):
            for j in range(A.shape[1]):
                D[i, j] = D[i, j] if A[i, j] > zero else leak * D[i, j]


@kernel
def error(Z, target, loss, E):
    """E = (target - p) / B: the way down the mean loss with respect to Z. p is Z, its softmax, or of one column its sigmoid."""
    n, K, one = Z.shape[0], Z.shape[1], Z.dtype.type(1)
    share = one / Z.dtype.type(n)
    for i in range(n):
        if loss == SQUARED:
            for k in range(K):
                E[i, k] = share * (target[i, k] - Z[i, k])
        elif K == 1:
            E[i, 0] = share * (target[i, 0] - one / (one + math.exp(-Z[i, 0])))
        else:
            top, total = Z[i, 0], Z.dtype.type(0)
            for k in range(1, K):
                top = max(top, Z[i, k])
            for k in range(K):
                total += math.exp(Z[i, k] - top)
            for k in range(K):
                E[i, k] = share * (target[i, k] - math.exp(Z[i, k] - top) / total)
