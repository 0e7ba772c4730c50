"""Elementary functions over arrays, in place. Those of the mathematical library do not vectorise; for float32 these do."""

import math

import numpy as np

from harness.jit import kernel


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
def tanh(A, size):
    """A = tanh A."""
    if A.itemsize == 4:
        for i in range(size):
            A[i] = tanh32(A[i])
    else:
        for i in range(size):
            A[i] = math.tanh(A[i])


@kernel
def exp32(x):
    """exp x for float32 and x up to 0, as 2^k times a polynomial: error below 5e-6 of it, and a loop of it vectorises.

    Below -87 it stays at exp -87; of a NaN it is NaN. The polynomial is Taylor's, for |x| up to half of log 2.
    """
    f = np.float32
    x = max(x, f(-87))
    k = np.int32(x * f(1.4426950408889634) - f(0.5))
    x = x - f(k) * f(0.6931471805599453)
    p = f(1)
    for i in range(7, 0, -1):
        p = f(1) + x / f(i) * p
    return p * np.int32((k + np.int32(127)) << np.int32(23)).view(np.float32)  # the bits of 2^k


@kernel
def exp(A, size):
    """A = exp A, where no A is above 0."""
    if A.itemsize == 4:
        for i in range(size):
            A[i] = exp32(A[i])
    else:
        for i in range(size):
            A[i] = math.exp(A[i])
