"""What theory says of separable and of overlapping classes: how many mistakes, how many dichotomies, how small an error."""

import math

import numpy as np

from harness.claim import Claim, Needs, Verdict
from harness.learner import Sizes
from suites.evidence import on_rows, separable

COVER = "Cover (1965), doi:10.1109/PGEC.1965.264137"
N = 10
POINTS = 12, 15, 20, 25, 30
DRAWS = 200

NOVIKOFF = "Novikoff (1962), On convergence proofs for perceptrons, Symp. Math. Theory of Automata 12, 615-622"
PROBLEMS = 40
EPOCHS = 20


def perceptron():
    """The perceptron of the registry: blank, of 64 bits, and with rate 1."""
    from harness.registry import load

    return load("learners.perceptron:Perceptron")(bits=64)


def drawn_problem(rng):
    """Points X (P, N) that a random plane separates, their classes y, and that plane with its bias last, of length 1.

    None lies nearer to the plane than 2 % of the longest point, its constant input of 1 included.
    """
    N, P = int(rng.integers(1, 21)), int(rng.integers(20, 61))
    X, plane = rng.uniform(-10, 10, (P, N)), rng.standard_normal(N + 1)
    plane /= np.linalg.norm(plane)
    inside = np.column_stack([X, np.ones(P)])
    kept = np.abs(inside @ plane) > 0.02 * np.linalg.norm(inside, axis=1).max()
    return X[kept], (inside @ plane > 0)[kept].astype(int), plane


def tight_problem():
    """Sixteen patterns of one class that cost exactly as many mistakes as the bound allows.

    With the constant input they are the rows of a Hadamard matrix: orthogonal, so that no mistake teaches two of them.
    """
    H = np.ones((1, 1))
    for _ in range(4):
        H = np.block([[H, H], [H, -H]])
    plane = np.roll(H.sum(0), -1)
    return H[:, 1:], np.ones(16, int), plane / np.linalg.norm(plane)


def lived(X, y, plane, orders):
    """Let the perceptron live through the orders, row by row; return its mistakes, the bound, and what broke, if anything.

    X (P, N), y (P,) 0 or 1, plane (N + 1,) with the bias last, orders (E, P). The bias is inside x, as an input of 1.
    """
    inside, side = np.column_stack([X, np.ones(len(X))]), 2 * y - 1
    R2 = float((inside**2).sum(1).max())
    gamma = float((side * (inside @ plane)).min())
    bound = R2 / gamma**2
    learner = perceptron().begin(Sizes(shape=X.shape[1:], n_out=1), dict(init=0, order=0, noise=0))
    rows, targets = X[:, None], y[:, None, None].astype(float)
    mistakes, w = 0, np.zeros(X.shape[1] + 1)
    for row in orders.ravel():
        x, before = inside[row], w
        learner.live(rows[row : row + 1], targets[row : row + 1], python=True)
        w = np.append(learner.arrays()["W"][0], learner.arrays()["b"])
        wrong = bool((before @ x > 0) != (side[row] > 0))
        if wrong != (w != before).any():
            return (
                mistakes,
                bound,
                f"it {'did not learn' if wrong else 'learnt'} where its answer was {'wrong' if wrong else 'right'}",
            )
        mistakes += wrong
        slack = 1e-9 * (1 + R2 + float(w @ w))
        if wrong and (w - before) @ plane < gamma - slack:
            return mistakes, bound, "a mistake brought it nearer to the plane by less than the margin"
        if wrong and w @ w - before @ before > R2 + slack:
            return mistakes, bound, "a mistake made it longer by more than the longest point"
        if mistakes > bound * (1 + 1e-12):
            return mistakes, bound, "it made more mistakes than the bound allows"
    return mistakes, bound, ""


def novikoff(_):
    """Held if bound and both invariants hold at every mistake, and the tight problem costs exactly its bound."""
    rng = np.random.default_rng(1962)
    largest, total = 0.0, 0
    for _ in range(PROBLEMS):
        X, y, plane = drawn_problem(rng)
        if len(X) == 0:
            continue
        mistakes, bound, broke = lived(X, y, plane, np.stack([rng.permutation(len(X)) for _ in range(EPOCHS)]))
        largest, total = max(largest, mistakes / bound), total + mistakes
        if broke:
            return Verdict("broken", mistakes / bound, None, "mistakes <= (R / gamma)^2", broke)
    X, y, plane = tight_problem()
    mistakes, bound, broke = lived(X, y, plane, np.arange(16)[None].repeat(2, 0))
    status = "held" if mistakes == 16 and not broke else "broken"
    reason = f"{total} mistakes in {PROBLEMS} problems, at most {largest:.3f} of the bound"
    reason += f"; {broke or f'{mistakes} mistakes where the bound is {bound:.0f} and is reached'}"
    return Verdict(status, largest, None, "mistakes <= (R / gamma)^2", reason)


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
        id="novikoff",
        text="At every mistake of the perceptron, w grows towards any separating plane by at least its margin and in squared"
        " length by at most that of the longest point, so that there are at most (R / gamma)^2 mistakes.",
        source=NOVIKOFF,
        decide=novikoff,
    ),
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
