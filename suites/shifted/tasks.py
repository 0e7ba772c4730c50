"""Ability: to know a pattern again wherever it stands, when its place says nothing.

All cyclic shifts of two patterns: with equal counts of ones both classes have the same centroid, so that no single layer
separates them; with unequal counts the sum alone always does. MNIST-1D, the published data, asks for the same of noisy,
shifted, stretched digit curves, and loses what is local in them once its positions are shuffled.
"""
# ruff: noqa: ARG001 (every generator takes what all of them take)

import hashlib
import random
from functools import lru_cache

import numpy as np

from harness.task import Ladder, Task
from harness.trial import Protocol
from suites.parts import cut, majority, whole

MNIST1D = "arXiv:2011.14439"
SHIFTS = (
    "Minsky, M. and Papert, S. (1969). Perceptrons. MIT Press",
    "Hinton, G. E. (2012). Neural networks for machine learning, lecture 2e",
)

SHA_X = "174b5ba3f4c34d6019a622b3bc392c5d1f45f0a5e173688bcc346681e71fbe1d"
SHA_Y = "6feec4a017698c7fe237c8854cbd2e338c6dd5c16240f6fa79daefaaa129e169"


def shifts(pattern):
    """All cyclic shifts of a pattern (n,), one a row."""
    n = len(pattern)
    return pattern[(np.arange(n)[None] - np.arange(n)[:, None]) % n]


def pattern(n, ones, rng):
    """A random binary pattern of n places with that many ones, whose n cyclic shifts all differ."""
    while True:
        drawn = rng.permutation(np.arange(n) < ones).astype(np.int64)
        if len(np.unique(shifts(drawn), axis=0)) == n:
            return drawn


def counts(length, rng, equal):
    """How many ones the two patterns have: both the same, or a quarter of the length apart, in either order."""
    if length < 8:
        raise ValueError(f"length={length!r}: below 8 places there are too few patterns to draw from; ask for 8 or more")
    few = int(rng.integers(length // 4, length // 2 + 1))
    many = few if equal else few + length // 4
    return (few, many) if rng.random() < 0.5 else (many, few)


def orbits(length, rng, equal):
    """Two random patterns in all their shifts, with wrap-around: a Dataset of 2 x length distinct rows."""
    first, second = counts(length, rng, equal)
    a = pattern(length, first, rng)
    while True:
        b = pattern(length, second, rng)
        if not (shifts(a) == b).all(1).any():
            break
    return whole(np.concatenate([shifts(a), shifts(b)])[:, None], np.repeat([0, 1], length))


def equal(n_train, n_valid, n_test, rng, *, length=16):
    """All cyclic shifts of two patterns with equal counts of ones."""
    return orbits(length, rng, equal=True)


def unequal(n_train, n_valid, n_test, rng, *, length=16):
    """All cyclic shifts of two patterns with unequal counts of ones."""
    return orbits(length, rng, equal=False)


def checksums(X, y):
    """SHA-256 of the signals, in ten-thousandths and so beyond the rounding of any platform, and of the classes."""
    steps = np.rint(np.asarray(X, np.float32).astype(float) * 1e4).astype("<i4")
    return hashlib.sha256(steps.tobytes()).hexdigest(), hashlib.sha256(np.asarray(y, "<i8").tobytes()).hexdigest()


@lru_cache(1)
def published():
    """The 5,000 published signals (5000, 40) and classes, in the published order: 4,000 to train on, then 1,000 to test.

    They are made anew, never downloaded: `get_dataset` of the same package would fetch and unpickle a file. Making them
    seeds the global generators of Python and NumPy, which are put back as they were.
    """
    from mnist1d.data import get_dataset_args, make_dataset

    ours, theirs = random.getstate(), np.random.get_state()  # noqa: NPY002 (the package draws from the global generator)
    try:
        made = make_dataset(get_dataset_args())
    finally:
        random.setstate(ours)
        np.random.set_state(theirs)  # noqa: NPY002
    X, y = np.concatenate([made["x"], made["x_test"]]), np.concatenate([made["y"], made["y_test"]]).astype(np.int64)
    if checksums(X, y) != (SHA_X, SHA_Y):
        raise RuntimeError("mnist1d made other data than the published ones: install mnist1d 0.0.2 and a current NumPy and SciPy")
    X = X.astype(np.float32)
    X.flags.writeable = y.flags.writeable = False
    return X, y


def mnist1d(n_train, n_valid, n_test, rng, *, places=None):
    """The published data, the same for every seed. Validation data are the last of the published training rows.

    places   an order of the 40 positions, the published one if None
    """
    X, y = published()
    if n_train + n_valid > 4000 or n_test > 1000:
        raise ValueError(f"sizes={n_train, n_valid, n_test!r}: MNIST-1D has 4000 rows to train and validate on, 1000 to test on")
    rows = np.r_[: n_train + n_valid, 4000 : 4000 + n_test]
    X, y = X[rows], y[rows]
    if places is not None:
        X = X[:, places]
    return cut(X[:, None], y, (n_train, n_valid, n_test), n_classes=10, chance=majority(y[n_train + n_valid :]))


def mnist1d_shuffled(n_train, n_valid, n_test, rng):
    """The same with its 40 positions in another order: the one that the authors' notebook draws, with the seed 42."""
    return mnist1d(n_train, n_valid, n_test, rng, places=np.random.RandomState(42).permutation(40))


PUBLISHED = Protocol(name="published", epochs=150, order="sequential", validate=False)
"""As in the paper's notebook: 6,000 steps on batches of 100 in the order of the data, no validation, the last step counts."""

TASKS = (
    Task(
        name="shifted/equal",
        doc="All cyclic shifts of two binary patterns with equal counts of ones.",
        generate=equal,
        chance=0.5,
        ladder=Ladder(axis="length", values=(8, 16, 32), short=(16,)),
        sizes=(32, 32, 32),
        protocol=Protocol(epochs=300, patience=10),
        exhaustive=True,
        source=SHIFTS,
    ),
    Task(
        name="shifted/unequal",
        doc="All cyclic shifts of two binary patterns with unequal counts of ones.",
        generate=unequal,
        chance=0.5,
        ladder=Ladder(axis="length", values=(8, 16, 32), short=(16,)),
        sizes=(32, 32, 32),
        protocol=Protocol(epochs=300, patience=10),
        exhaustive=True,
        source=SHIFTS,
    ),
    Task(
        name="shifted/mnist1d",
        doc="MNIST-1D: ten digit curves of 40 samples, shifted, stretched and noisy.",
        generate=mnist1d,
        ceiling=None,
        sizes=(3500, 500, 1000),
        protocol=Protocol(epochs=20),
        source=(MNIST1D,),
    ),
    Task(
        name="shifted/mnist1d_shuffled",
        doc="MNIST-1D with its positions in a random order, one for all rows.",
        generate=mnist1d_shuffled,
        ceiling=None,
        sizes=(3500, 500, 1000),
        protocol=Protocol(epochs=20),
        source=(MNIST1D,),
    ),
)
