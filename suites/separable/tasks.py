"""Ability: to place one linear boundary, or one axis, where theory says exactly how good the best place is.

Two Gaussian clouds that overlap have a Bayes error that no rule may beat, and a learner that does beat it has seen the test
data. Dichotomies with a set margin are what the perceptron theorem speaks of: half the margin, four times the mistakes.
A cloud without labels, of known spectrum, has a first principal component for Hebbian rules to find.
"""

import math

import numpy as np

from harness.task import Ladder, Task
from harness.trial import Protocol
from suites.parts import cut, direction, labels_of_parts, product, rotation

NOVIKOFF = "Novikoff, A. B. J. (1962). On convergence proofs for perceptrons. Symp. Math. Theory of Automata 12, 615-622"
FISHER = "doi:10.1111/j.1469-1809.1936.tb02137.x"
OJA = "doi:10.1007/BF00275687"

INPUTS = 10


def gaussian(n_train, n_valid, n_test, rng, *, distance=2.0):
    """Two classes N(-mu, S) and N(+mu, S) in equal numbers, `distance` apart in Mahalanobis's measure.

    S has a random orientation and variances from 1/4 to 4. The Bayes error is Phi(-distance / 2), and the boundary that
    reaches it goes through 0.
    """
    if not distance > 0:
        raise ValueError(f"distance={distance!r}: two classes need a distance above 0")
    sizes = n_train, n_valid, n_test
    root = np.exp2(np.linspace(-1.0, 1.0, INPUTS))[:, None] * rotation(INPUTS, rng)  # S = root' root
    mean = product(direction(INPUTS, rng)[None] * distance / 2, root)[0]
    y = labels_of_parts(sizes, 2, rng)
    X = product(rng.standard_normal((len(y), INPUTS)), root) + np.multiply.outer(2 * y - 1, mean)
    ceiling = 0.5 + 0.5 * math.erf(distance / 2 / math.sqrt(2))
    return cut(X[:, None], y, sizes, n_classes=2, chance=0.5, ceiling=ceiling, truth=dict(mean=mean, root=root))


def margin(n_train, n_valid, n_test, rng, *, margin=0.1):
    """Points on the unit sphere, the classes on two sides of a plane through 0 and none nearer to it than `margin`."""
    if not 0 < margin <= 0.8:
        raise ValueError(f"margin={margin!r}: on a unit sphere in {INPUTS} dimensions, ask for more than 0 and at most 0.8")
    sizes = n_train, n_valid, n_test
    teacher = direction(INPUTS, rng)
    y = labels_of_parts(sizes, 2, rng)
    X = np.zeros((len(y), INPUTS), np.float32)
    filled = 0
    while filled < len(y):
        points = rng.standard_normal((4096, INPUTS))
        points /= np.sqrt(product(points * points, np.ones(INPUTS)))[:, None]
        points = points.astype(np.float32)  # the margin is held by what the learner will see
        side = product(points, teacher)
        kept = np.flatnonzero(np.abs(side) >= margin)[: len(y) - filled]
        wanted = 2 * y[filled : filled + len(kept)] - 1
        X[filled : filled + len(kept)] = points[kept] * (wanted * np.sign(side[kept]))[:, None]
        filled += len(kept)
    return cut(X[:, None], y, sizes, n_classes=2, chance=0.5, ceiling=1.0, truth=dict(teacher=teacher, margin=margin))


SPECTRUM = np.exp2(-np.arange(INPUTS, dtype=float))
"""Variances 1, 1/2, 1/4, ... along the principal components: a gap wide enough to be found, narrow enough to be missed."""


def random_direction_correlation(spectrum):
    """The expected |correlation| between the projections on a random direction and on the first component.

    For a direction with components g_i ~ N(0, 1) it is E |a_1| / |a|, a_i = g_i sqrt(spectrum_i), which one integral
    gives: 2/pi int_0^(pi/2) prod_(i > 1) (1 + spectrum_i / spectrum_1 tan^2 t)^(-1/2) dt. The midpoint rule is exact to
    rounding, for the integrand is even at 0 and vanishes as cos^9 at pi/2.
    """
    t = (np.arange(4096) + 0.5) * (math.pi / 2 / 4096)
    integrand = np.ones_like(t)
    for ratio in spectrum[1:] / spectrum[0]:
        integrand /= np.sqrt(1 + ratio * np.tan(t) ** 2)
    return math.fsum(integrand) / len(t)


def principal(n_train, n_valid, n_test, rng):
    """A Gaussian cloud around 0 with the variances `SPECTRUM` along axes of random orientation, and no labels."""
    sizes = n_train, n_valid, n_test
    axes = rotation(INPUTS, rng)
    X = product(rng.standard_normal((sum(sizes), INPUTS)) * np.sqrt(SPECTRUM), axes)
    nothing = np.zeros((len(X), 0), np.float32)
    return cut(
        X[:, None], nothing, sizes, chance=random_direction_correlation(SPECTRUM), ceiling=1.0, truth=dict(direction=axes[0])
    )


TASKS = (
    Task(
        name="separable/gaussian",
        doc="Two Gaussian classes; the distance between their means, in standard deviations, sets the Bayes error.",
        generate=gaussian,
        chance=0.5,
        ceiling=None,
        ladder=Ladder(axis="distance", values=(4.0, 3.0, 2.0, 1.5, 1.0, 0.5), short=(2.0,)),
        sizes=(1000, 250, 2000),
        protocol=Protocol(epochs=20),
        source=(FISHER,),
    ),
    Task(
        name="separable/margin",
        doc="Two classes on the unit sphere that a plane separates with a set margin.",
        generate=margin,
        chance=0.5,
        ladder=Ladder(axis="margin", values=(0.5, 0.2, 0.1, 0.05, 0.02, 0.01), short=(0.1,)),
        sizes=(1000, 250, 1000),
        protocol=Protocol(epochs=40),
        source=(NOVIKOFF,),
    ),
    Task(
        name="separable/principal",
        doc="The first principal component of an unlabelled Gaussian cloud; scored by |correlation| with the true projection.",
        generate=principal,
        requires=frozenset({"vector", "none"}),
        metric="correlation",
        sizes=(2000, 250, 1000),
        protocol=Protocol(epochs=20, validate=False),
        source=(OJA,),
    ),
)
