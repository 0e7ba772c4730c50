"""What the tests of network rules share: data, a network in float64, what it asks for, and the forward formula in plain NumPy."""

import numpy as np

from harness.learner import Sizes
from tests import naive


def data(seed, n, d, K, *, classes=True):
    """Signals X (n, d) and targets T (n, K): one-hot (a lone column is 0 or 1), or numbers."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    if not classes:
        return X, rng.normal(size=(n, K))
    named = rng.integers(0, max(K, 2), n)
    return X, (np.eye(K)[named] if K > 1 else named[:, None].astype(float))


def made(cls, X, K, **params):
    """A rule's network for signals X (n, d), in float64, in one block, with biases that are drawn too."""
    learner = cls(**dict(bits=64, block=len(X)) | params).begin(Sizes(X.shape[1:], K))
    rng = np.random.default_rng(7)
    for name, array in learner.arrays().items():
        if name.startswith("b["):
            array[...] = rng.normal(0, 0.3, array.shape)
    return learner


def weights(learner, stems="Wb"):
    """Copies of the arrays of some stems, by name: W[0], ..., b[0], ..."""
    return {name: a.copy() for name, a in learner.arrays().items() if name.partition("[")[0] in stems}


def taught(learner, X, T, **options):
    """Live through X (n, d), each row taught with T (n, K)."""
    learner.live(X[:, None], T[:, None], **options)
    return learner


def answers(learner, X, **options):
    """The outputs (n, K)."""
    return learner.fork().live(X[:, None], **options)[:, 0]


def asked(learner, X, T, *, stems="Wb", **options):
    """The raw changes that one block asks for, by the name of the array; the learner stays as it is."""
    twin = taught(learner.fork(), X, T, **options)
    return {name: twin.arrays()["d" + name].copy() for name in weights(learner, stems)}


def layers(w):
    """Number of layers of weights."""
    return sum(name.startswith("W[") for name in w)


def forward(w, X, activation):
    """Activities a[0] = X, ..., a[L], and potentials u[0], ..., u[L - 1]; the last layer is linear."""
    a, u, L = [X], [], layers(w)
    for l in range(L):
        u.append(a[-1] @ w[f"W[{l}]"].T + w[f"b[{l}]"])
        a.append(naive.VALUES[activation](u[-1]) if l < L - 1 else u[-1])
    return a, u


def output_error(Z, T, loss):
    """(target - p) / n: the way down the mean loss with respect to Z."""
    if loss == "squared":
        return (T - Z) / len(Z)
    p = 1 / (1 + np.exp(-Z)) if Z.shape[1] == 1 else np.exp(Z) / np.exp(Z).sum(1, keepdims=True)
    return (T - p) / len(Z)


def changes(a, d):
    """dW[l] = d[l]' a[l], db[l] = the sum of d[l]."""
    found = {f"W[{l}]": e.T @ a[l] for l, e in enumerate(d)}
    return found | {f"b[{l}]": e.sum(0) for l, e in enumerate(d)}


def close(found, expected, tolerance=1e-11):
    """All arrays of `expected` are there, and agree."""
    for name, array in expected.items():
        np.testing.assert_allclose(found[name], array, rtol=tolerance, atol=tolerance, err_msg=name)


def angle(x, y):
    """The angle between two arrays, in degrees."""
    x, y = np.ravel(x), np.ravel(y)
    return np.degrees(np.arccos(np.clip(x @ y / np.linalg.norm(x) / np.linalg.norm(y), -1, 1)))
