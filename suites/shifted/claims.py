"""What is claimed of shifted patterns: two theorems on orbits, and the published figures of MNIST-1D under their protocol."""

import numpy as np

from harness.claim import Claim, Needs, Verdict
from suites.evidence import exact_interval, mean_between, on_rows, separable, with_bias
from suites.shifted.tasks import PUBLISHED, SHA_X, SHA_Y, checksums, equal, published, unequal

ORBITS = "Minsky and Papert (1969), Perceptrons, group invariance; Hinton (2012), lecture 2e"
PAPER = "Greydanus and Kobak (2024), arXiv:2011.14439"
PAIRS = 30
LENGTHS = 8, 16, 32
MLP = "MLP[activation=relu,block=100,depth=2,hidden=100,optimiser=adam,rate=0.01,residual=true,start=torch]"
LOGISTIC = "MLP[block=100,depth=0,optimiser=adam,rate=0.01,start=torch]"


def separable_pairs(generate):
    """How many of `PAIRS` random pairs of each length a single layer separates, decided by linear programming."""
    rng = np.random.default_rng(1969)
    rows = (generate(0, 0, 0, rng, length=length).train for length in LENGTHS for _ in range(PAIRS))
    return sum(separable(with_bias(r.X[:, 0]), r.y) for r in rows)


def equal_counts(frame):
    """Held if no pair with equal counts is separable and no single layer ever gets every shift right."""
    found, n = separable_pairs(equal), PAIRS * len(LENGTHS)

    @on_rows
    def decide(frame):
        best = float(frame.score.max())
        reason = f"{found} of {n} pairs separable; the best single layer gets {best:.3f} of the shifts right"
        status = "held" if found == 0 and best < 1 else "broken"
        return Verdict(status, found / n, exact_interval(found, n), "no pair separable, no score of 1", reason)

    return decide(frame)


def unequal_counts(frame):
    """Held if every pair with unequal counts is separable and the perceptron gets every shift right."""
    found, n = separable_pairs(unequal), PAIRS * len(LENGTHS)

    @on_rows
    def decide(frame):
        least = float(frame.score.min())
        reason = f"{found} of {n} pairs separable; the perceptron gets at least {least:.3f} of the shifts right"
        status = "held" if found == n and least == 1 else "broken"
        return Verdict(status, found / n, exact_interval(found, n), "every pair separable, every score 1", reason)

    return decide(frame)


def as_published(_):
    """Held if the data made here have the checksums of the published ones."""
    X, y = published()
    same = checksums(X, y) == (SHA_X, SHA_Y)
    reason = "SHA-256 of 5,000 signals, in ten-thousandths, and of their classes"
    return Verdict("held" if same else "broken", None, None, "both checksums equal", reason)


CLAIMS = (
    Claim(
        id="equal-counts-inseparable",
        text="Two patterns with equal counts of ones, in all cyclic shifts, are never separated by a single layer: both classes"
        " have the same centroid.",
        source=ORBITS,
        needs=[Needs(learner, "shifted/equal", 1, {"length": 16}) for learner in ("Perceptron", "Logistic")],
        decide=equal_counts,
    ),
    Claim(
        id="unequal-counts-separable",
        text="Two patterns with unequal counts of ones, in all cyclic shifts, are always separated by a single layer, and the"
        " perceptron finds how.",
        source=ORBITS,
        needs=[Needs("Perceptron", "shifted/unequal", 1, {"length": 16})],
        decide=unequal_counts,
    ),
    Claim(
        id="mnist1d-checksums",
        text="The MNIST-1D made here is the published one.",
        source=PAPER,
        decide=as_published,
    ),
    Claim(
        id="mnist1d-logistic",
        text="Logistic regression gets 30 to 34 % of MNIST-1D right under the published protocol.",
        source=PAPER,
        needs=[Needs(LOGISTIC, "shifted/mnist1d", 10, protocol=PUBLISHED)],
        decide=mean_between(0.30, 0.34),
        since="quick",
        published="32 % in the paper's table, 31.5 % in its notebook",
    ),
    Claim(
        id="mnist1d-mlp",
        text="The published residual network, 40-100-100-10, gets 63 to 70 % of MNIST-1D right under the published protocol.",
        source=PAPER,
        needs=[Needs(MLP, "shifted/mnist1d", 10, protocol=PUBLISHED)],
        decide=mean_between(0.63, 0.70),
        since="quick",
        published="68 % in the paper's table, 65.1 % in its notebook",
    ),
    Claim(
        id="mnist1d-shuffled-mlp",
        text="With the positions shuffled the same network gets as much, 63 to 70 %: it never used their order.",
        source=PAPER,
        needs=[Needs(MLP, "shifted/mnist1d_shuffled", 10, protocol=PUBLISHED)],
        decide=mean_between(0.63, 0.70),
        since="quick",
        published="68 % in the paper's table, 66.0 % in its notebook",
    ),
)
