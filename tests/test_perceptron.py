"""Perceptron against its naive twin, Novikoff's theorem and its invariants, exact cycles, and scikit-learn."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from harness.learner import Sizes
from learners.perceptron import Perceptron
from tests import naive

SEEDS = st.integers(0, 2**32 - 1)
TABLE = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)


def made(cls, n_in, n_out=1, **params):
    return cls(**dict(bits=64) | params).begin(Sizes((n_in,), n_out))


def hadamard(n):
    """n orthogonal rows of +-1 that begin with 1: signals (n, n - 1) that are orthogonal together with the input of the bias."""
    H = np.ones((1, 1))
    while len(H) < n:
        H = np.block([[H, H], [H, -H]])
    return H


def lived(learner, X, T, epochs=1, **options):
    """Potentials (n, K) in the last of `epochs` passes over X (n, d), T (n, K), in order."""
    orders = np.tile(np.arange(len(X)), (epochs, 1))
    return learner.live(X[:, None], np.asarray(T, float)[:, None], orders=orders, **options)[:, 0]


# ---------------------------------------------------------------- known answers


def one_mistake_moves_by_rate_times_input(cls):
    learner = made(cls, 2, 3, rate=0.5)
    learner.arrays()["W"][:] = [[1, 2], [-1, 0], [0, 1]]
    learner.arrays()["b"][:] = [1, 0, -2]
    out = lived(learner, np.array([[2.0, -4.0]]), [[1, 1, 0]], python=True)
    assert out.tolist() == [[-5, -2, -6]]
    assert learner.arrays()["y"].tolist() == [[-5, -2, -6]]
    assert learner.arrays()["W"].tolist() == [[2, 0], [0, -2], [0, 1]]
    assert learner.arrays()["b"].tolist() == [1.5, 0.5, -2]
    lived(learner, np.array([[4.0, -8.0]]), [[0, 0, 1]], python=True)
    assert learner.arrays()["W"].tolist() == [[0, 4], [-2, 2], [2, -3]]
    assert learner.arrays()["b"].tolist() == [1, 0, -1.5]


def zero_fires_only_where_it_is_said_to(cls):
    X = np.array([[2.0, 1.0], [2.0, 0.0], [0.0, 0.0]])
    for fires, W, b in (False, [2, 1], 1), (True, [0, 0], 0):
        learner = made(cls, 2, fires_at_zero=fires)
        lived(learner, X, [[1]] * 3, python=True)
        assert learner.arrays()["W"].tolist() == [W]
        assert learner.arrays()["b"].tolist() == [b]
        assert (0.0 > learner.cut) == fires
        assert (-1e-30 > learner.cut) is False
    learner = made(cls, 2, fires_at_zero=True)
    lived(learner, X, [[0]] * 3, python=True)
    assert learner.arrays()["W"].tolist() == [[-2, -1]]
    assert learner.arrays()["b"].tolist() == [-1]


def xor_by_hand(cls):
    learner = made(cls, 2)
    out = lived(learner, TABLE, [[0], [1], [1], [0]], python=True)
    assert out.ravel().tolist() == [0, 0, 1, 2]
    assert learner.arrays()["W"].tolist() == [[-1, 0]]
    assert learner.arrays()["b"].tolist() == [0]


def equals_the_twin(cls):
    rng = np.random.default_rng(1)
    X, T = rng.integers(-3, 4, (12, 4)).astype(float), rng.integers(0, 2, (12, 3)).astype(float)
    for fires in False, True:
        learner = made(cls, 4, 3, rate=2.0, fires_at_zero=fires)
        out = lived(learner, X, T, python=True)
        W, b, potentials, missed = naive.perceptron(X, T, np.zeros((3, 4)), np.zeros(3), 2.0, fires)
        assert missed.any()
        assert not missed.all()
        assert np.array_equal(out, potentials)
        assert np.array_equal(learner.arrays()["W"], W)
        assert np.array_equal(learner.arrays()["b"], b)


def orthogonal_signals_cost_one_mistake_each(cls):
    learner, X = made(cls, 7), hadamard(8)[:, 1:]
    out = lived(learner, X, [[1]] * 8, python=True)
    assert not out.any()
    assert learner.arrays()["W"].tolist() == [[0] * 7]
    assert learner.arrays()["b"].tolist() == [8]
    learner = made(cls, 7)
    lived(learner, X[:5], [[1]] * 5, python=True)
    assert learner.arrays()["W"].tolist() == [X[:5].sum(0).tolist()]
    assert learner.arrays()["b"].tolist() == [5]


def starts_blank_or_in_the_unit_cube(cls):
    blank = made(cls, 3, 2).arrays()
    assert not blank["W"].any()
    assert not blank["b"].any()
    drawn = made(cls, 300, 2, start="random").arrays()
    assert drawn["W"].min() >= 0
    assert drawn["W"].max() < 1
    assert abs(drawn["W"].mean() - 0.5) < 4 * (1 / 12 / 600) ** 0.5


KNOWN_ANSWERS = {
    answer.__name__: answer
    for answer in (
        one_mistake_moves_by_rate_times_input,
        zero_fires_only_where_it_is_said_to,
        xor_by_hand,
        equals_the_twin,
        orthogonal_signals_cost_one_mistake_each,
        starts_blank_or_in_the_unit_cube,
    )
}
MUTATED = {Perceptron: (Perceptron.init, Perceptron.respond, Perceptron.learn)}


@pytest.mark.parametrize("name", KNOWN_ANSWERS)
def test_known_answer(name):
    KNOWN_ANSWERS[name](Perceptron)


# ---------------------------------------------------------------- twin


@settings(deadline=None, max_examples=40)
@given(seed=SEEDS, n=st.integers(1, 30), d=st.integers(1, 9), K=st.integers(1, 5), fires=st.booleans(), whole=st.booleans())
def test_equals_a_naive_twin(seed, n, d, K, fires, whole):
    rng = np.random.default_rng(seed)
    X = rng.integers(-4, 5, (n, d)).astype(float) if whole else rng.normal(size=(n, d))
    T = rng.integers(0, 2, (n, K)).astype(float)
    rate = float(rng.integers(1, 4)) if whole else rng.uniform(0.1, 2)
    learner = made(Perceptron, d, K, rate=rate, fires_at_zero=fires, start="zero" if whole else "random", random_state=seed)
    before = {k: a.copy() for k, a in learner.arrays().items()}
    out = lived(learner, X, T)
    W, b, potentials, _ = naive.perceptron(X, T, before["W"], before["b"], rate, fires)
    close = np.testing.assert_array_equal if whole else lambda *both: np.testing.assert_allclose(*both, rtol=1e-12, atol=1e-12)
    close(out, potentials)
    close(learner.arrays()["W"], W)
    close(learner.arrays()["b"], b)


# ---------------------------------------------------------------- theorems


def problem(seed, n, d, least=1e-3):
    """Points X (n, d), classes y (n,) in +-1 by a random plane through the origin of the space with the bias in it, and that
    plane, of length 1. No point is nearer to the plane than `least` times the longest point."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(-10, 10, (n, d))
    plane = rng.normal(size=d + 1)
    plane /= np.linalg.norm(plane)
    inside = np.column_stack([X, np.ones(n)])
    distance = inside @ plane
    assume(np.abs(distance).min() > least * np.linalg.norm(inside, axis=1).max())
    return X, np.sign(distance), plane


@settings(deadline=None, max_examples=50)
@given(seed=SEEDS, n=st.integers(2, 40), d=st.integers(1, 12), rate=st.floats(0.01, 100))
def test_novikoff_bounds_the_mistakes_and_each_step(seed, n, d, rate):
    X, y, plane = problem(seed, n, d)
    inside = np.column_stack([X, np.ones(n)])
    R2, gamma = (inside**2).sum(1).max(), (y * (inside @ plane)).min()
    learner = made(Perceptron, d, rate=rate)
    rows, targets = X[:, None], (y > 0).astype(float)[:, None, None]
    w, mistakes = np.zeros(d + 1), 0
    for epoch in range(30):
        order = np.random.default_rng([seed, epoch]).permutation(n)
        for i in order:
            learner.live(rows[i : i + 1], targets[i : i + 1])
            now = np.append(learner.arrays()["W"][0], learner.arrays()["b"]) / rate
            fired = w @ inside[i] > 0
            assert (now != w).any() == (fired != (y[i] > 0))
            if (now != w).any():
                mistakes += 1
                slack = 1e-9 * (1 + R2 + now @ now)
                assert (now - w) @ plane >= gamma - slack
                assert now @ now - w @ w <= R2 + slack
            w = now
        assert mistakes <= (R2 / gamma**2) * (1 + 1e-12)


@settings(deadline=None, max_examples=25)
@given(seed=SEEDS, n=st.integers(2, 25), d=st.integers(1, 6))
def test_it_stops_within_the_bound_without_a_fault(seed, n, d):
    X, y, plane = problem(seed, n, d, least=0.02)
    inside = np.column_stack([X, np.ones(n)])
    bound = (inside**2).sum(1).max() / (y * (inside @ plane)).min() ** 2
    learner = made(Perceptron, d)
    epochs = int(bound) + 2
    lived(learner, X, (y > 0)[:, None], epochs, stop=True)
    missed = learner.missed_
    assert len(missed) < epochs
    assert missed[-1] == 0
    assert (missed[:-1] > 0).all()
    assert missed.sum() <= bound
    answers = learner.fork().live(X[:, None])[:, 0, 0]
    assert np.array_equal(answers > 0, y > 0)


@pytest.mark.parametrize("n", [2, 4, 16, 32])
def test_orthogonal_signals_reach_the_bound(n):
    X = hadamard(n)[:, 1:]
    learner = made(Perceptron, n - 1)
    lived(learner, X, np.ones((n, 1)), epochs=9, stop=True)
    # R^2 = n, and the plane w = sum of the rows / |sum| = (1, 0, ..., 0) has margin 1, so that (R / gamma)^2 = n.
    assert learner.missed_.tolist() == [n, 0]


@pytest.mark.parametrize("table", [[0, 1, 1, 0], [1, 0, 0, 1]])
@pytest.mark.parametrize("fires", [False, True])
def test_xor_goes_round_in_a_cycle_of_exact_states_and_never_gets_more_than_three_right(table, fires):
    learner = made(Perceptron, 2, fires_at_zero=fires)
    seen = {}
    for epoch in range(100):
        state = (*learner.arrays()["W"][0], *learner.arrays()["b"])
        if state in seen:
            break
        seen[state] = epoch
        answers = learner.fork().live(TABLE[:, None])[:, 0, 0] > learner.cut
        assert (answers == table).sum() <= 3
        lived(learner, TABLE, np.array(table)[:, None])
        missed = naive.perceptron(TABLE, np.array(table)[:, None], np.array([state[:2]]), np.array(state[2:]), 1.0, fires)[3]
        assert missed.any()
    assert state in seen


@settings(deadline=None, max_examples=30)
@given(seed=SEEDS, n=st.integers(2, 30), d=st.integers(1, 6), power=st.integers(-8, 8), K=st.integers(1, 4))
def test_scaled_signals_leave_the_mistakes_as_they_were(seed, n, d, power, K):
    # With a bias the signal's constant input must be scaled too, so it is one of the features here and the bias is kept
    # at nothing by pairs of rows; a power of two makes every product exact.
    rng = np.random.default_rng(seed)
    X, T, c = rng.normal(size=(n, d)), rng.integers(0, 2, (n, K)).astype(float), 2.0**power
    small, large = made(Perceptron, d, K), made(Perceptron, d, K)
    for i in range(n):
        for learner, x in (small, X[i]), (large, c * X[i]):
            lived(learner, x[None], T[i : i + 1])
            learner.arrays()["b"][:] = 0
        assert np.array_equal(large.arrays()["W"], c * small.arrays()["W"])


@settings(deadline=None, max_examples=30)
@given(seed=SEEDS, n=st.integers(2, 30), d=st.integers(1, 6))
def test_other_targets_and_the_other_tie_turn_the_weights_round(seed, n, d):
    rng = np.random.default_rng(seed)
    X, T = rng.integers(-3, 4, (n, d)).astype(float), rng.integers(0, 2, (n, 1)).astype(float)
    one, other = made(Perceptron, d, fires_at_zero=False), made(Perceptron, d, fires_at_zero=True)
    answers = [lived(one, X, T, 3), lived(other, X, 1 - T, 3)]
    assert np.array_equal(answers[0], -answers[1])
    assert np.array_equal(one.arrays()["W"], -other.arrays()["W"])
    assert np.array_equal(one.arrays()["b"], -other.arrays()["b"])


@settings(deadline=None, max_examples=20)
@given(seed=SEEDS, K=st.integers(2, 5))
def test_relabelled_classes_permute_the_units(seed, K):
    rng = np.random.default_rng(seed)
    X, T, order = rng.integers(-3, 4, (20, 4)).astype(float), np.eye(K)[rng.integers(0, K, 20)], rng.permutation(K)
    one, other = made(Perceptron, 4, K), made(Perceptron, 4, K)
    lived(one, X, T, 2)
    lived(other, X, T[:, order], 2)
    assert np.array_equal(one.arrays()["W"][order], other.arrays()["W"])


# ---------------------------------------------------------------- peers and figures


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("rate", [1.0, 2.0])
def test_equals_scikit_learns_perceptron_weight_for_weight(classes, rate):
    # Theirs learns wherever y w'x <= 0, of both classes: the two differ at a potential of exactly 0, hence the drawn start.
    from sklearn.linear_model import Perceptron as Theirs

    rng = np.random.default_rng(classes)
    X, y = rng.normal(size=(60, 5)), rng.integers(0, classes, 60)
    units = classes if classes > 2 else 1
    W, b = rng.normal(size=(units, 5)), rng.normal(size=units)
    theirs = Theirs(shuffle=False, max_iter=3, tol=None, eta0=rate)
    theirs.fit(X, y, coef_init=W.copy(), intercept_init=b.copy())
    learner = made(Perceptron, 5, units, rate=rate)
    learner.arrays()["W"][:] = W
    learner.arrays()["b"][:] = b
    lived(learner, X, np.eye(classes)[y] if classes > 2 else y[:, None], 3)
    np.testing.assert_allclose(learner.arrays()["W"], theirs.coef_, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(learner.arrays()["b"], theirs.intercept_, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("bits", [32, 64])
def test_and_of_the_textbook_is_learnt_from_any_start(bits):
    for seed in range(30):
        learner = Perceptron(
            rate=0.1, start="random", fires_at_zero=True, epochs=100, shuffle=False, stop=True, bits=bits, random_state=seed
        )
        learner.fit(TABLE, np.array([0, 0, 0, 1]))
        assert learner.score(TABLE, np.array([0, 0, 0, 1])) == 1
        assert len(learner.missed_) < 100
