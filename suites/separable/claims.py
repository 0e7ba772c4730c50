"""What theory says of separable and of overlapping classes: how many mistakes, how many dichotomies, how small an error."""

import math

import numpy as np

from harness.claim import Claim, Needs, Verdict
from suites.evidence import on_rows, separable

COVER = "Cover (1965), doi:10.1109/PGEC.1965.264137"
N = 10
POINTS = 12, 15, 20, 25, 30
DRAWS = 400


def separable_share(P, N):
    """Cover's law: of the dichotomies of P points in general position, 2^(1 - P) sum_(k < N) C(P - 1, k) are separable."""
    return sum(math.comb(P - 1, k) for k in range(N)) / 2 ** (P - 1)


def cover(_):
    """Held if the share of separable random dichotomies stays within 4 standard errors of Cover's law at every P."""
    rng = np.random.default_rng(1965)
    worst, reasons = 0.0, []
    for P in POINTS:
        found = sum(separable(rng.standard_normal((P, N)), rng.integers(2, size=P)) for _ in range(DRAWS)) / DRAWS
        law = separable_share(P, N)
        worst = max(worst, abs(found - law) / math.sqrt(law * (1 - law) / DRAWS))
        reasons.append(f"{P}: {found:.3f} for {law:.3f}")
    status = "held" if worst <= 4 else "broken"
    return Verdict(
        status,
        worst,
        None,
        "at most 4 standard errors off",
        f"share separable, by points in {N} dimensions: " + ", ".join(reasons),
    )


def bayes_error(distance):
    """Phi(-distance / 2), the least error between two Gaussians that far apart."""
    return math.erfc(distance / 2 / math.sqrt(2)) / 2


@on_rows
def no_better_than_bayes(frame):
    """Held if no test error lies more than 4 standard errors below the Bayes error; the figure is the lowest, in those."""
    bayes = frame.difficulty.str["distance"].astype(float).map(bayes_error)
    off = (1 - frame.score - bayes) / np.sqrt(bayes * (1 - bayes) / frame.n_test.astype(float))
    row, lowest = frame.loc[off.idxmin()], float(off.min())
    reason = f"the lowest error is {row.learner}'s, {1 - row.score:.4f} where {bayes[off.idxmin()]:.4f} is the least possible"
    return Verdict("held" if lowest >= -4 else "broken", lowest, None, "at least -4 standard errors", reason)


CLAIMS = (
    Claim(
        id="cover",
        text=f"Of random dichotomies of P points in {N} dimensions, as many are linearly separable as Cover's law says.",
        source=COVER,
        decide=cover,
    ),
    Claim(
        id="bayes",
        text="No learner's test error on two Gaussian classes lies more than 4 standard errors below the Bayes error.",
        source="Bayes decision theory: the error is at least Phi(-d/2)",
        needs=[
            Needs(learner, "separable/gaussian", 1, {"distance": 2.0})
            for learner in ("Perceptron", "MLP", "Logistic", "NearestNeighbour", "RandomFeatures", "HebbianAssociator")
        ],
        decide=no_better_than_bayes,
    ),
)
