"""What the generators of several suites share: labels in equal numbers, random rotations, and the cut into three parts.

A task must give the same bytes on every platform, so nothing here calls BLAS or LAPACK, whose sums change with the
processor: products are summed one term after the other by `product`, scalars by `math.fsum`.
"""

import math

import numpy as np

from harness.task import Dataset, Split


def balanced(n, k, rng):
    """Labels 0 to k - 1, n in all and equal in number, in random order; what n leaves over k falls to classes at random."""
    labels = np.concatenate([np.tile(np.arange(k), n // k), rng.permutation(k)[: n % k]])
    return rng.permutation(labels)


def labels_of_parts(sizes, k, rng):
    """Labels for training, validation and test rows, each part balanced by itself, so that its chance level is exact."""
    return np.concatenate([balanced(n, k, rng) for n in sizes])


def majority(y):
    """Share of the commonest class: what the best constant answer scores."""
    return float(np.bincount(y).max() / len(y))


def cut(X, y, sizes, **described):
    """A Dataset of which the first rows train, the next validate and the last test; X (n, ticks, *shape)."""
    ends = np.cumsum(sizes)
    X = np.ascontiguousarray(X, np.float32)
    parts = [Split(X[end - n : end], y[end - n : end]) for n, end in zip(sizes, ends, strict=True)]
    return Dataset(*parts, **described)


def whole(X, y):
    """A Dataset of two classes whose domain is shown whole: training, validation and test are the same rows."""
    rows = Split(np.ascontiguousarray(X, np.float32), np.asarray(y, np.int64))
    return Dataset(rows, rows, rows, n_classes=2, chance=majority(rows.y), ceiling=1.0)


def product(A, B):
    """A B for A (n, m) and B (m, ...), the same to the last bit everywhere."""
    total = np.zeros(A.shape[:1] + B.shape[1:])
    for k in range(A.shape[1]):
        total += np.multiply.outer(A[:, k], B[k])
    return total


def direction(n, rng):
    """A random unit vector (n,), all directions alike."""
    v = rng.standard_normal(n)
    return v / math.sqrt(math.fsum(v * v))


def rotation(n, rng):
    """A random orthonormal basis (n, n), one vector a row: Gram-Schmidt, each projection taken out twice."""
    Q = np.zeros((n, n))
    for i in range(n):
        v = direction(n, rng)
        for j in [*range(i), *range(i)]:
            v = v - math.fsum(Q[j] * v) * Q[j]
        Q[i] = v / math.sqrt(math.fsum(v * v))
    return Q
