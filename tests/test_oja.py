"""Oja against its naive twin, its fixed points, rotations, and its convergence to the first principal component."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.learner import Sizes
from learners.oja import Oja
from tests import naive

SEEDS = st.integers(0, 2**32 - 1)


def made(cls, n_in, n_out=1, W=None, **params):
    learner = cls(**dict(bits=64) | params).begin(Sizes((n_in,), n_out))
    if W is not None:
        learner.arrays()["W"][:] = W
    return learner


def shown(learner, X, **options):
    """Live and learn through X (n, d) in order; the responses on the way (n, K)."""
    n, K = len(X), learner.task_.n_out
    return learner.live(X[:, None], np.zeros((n, 1, K)), **options)[:, 0]


# ---------------------------------------------------------------- known answers


def one_step_by_hand(cls):
    # y = W x = (2, -1); W += 0.1 y (x - y W), the step 0.1 halved after one signal
    learner = made(cls, 2, 2, [[1.0, 0.0], [0.0, -0.5]], rate=0.1, slowing=1.0)
    out = shown(learner, np.array([[2.0, 2.0]]), python=True)
    assert out.tolist() == [[2, -1]]
    np.testing.assert_allclose(learner.arrays()["W"], [[1.0, 0.4], [-0.2, -0.65]], rtol=1e-14)
    assert learner.arrays()["age"].tolist() == [1]
    learner.arrays()["W"][:] = [[1.0, 0.0], [0.0, -0.5]]
    shown(learner, np.array([[2.0, 2.0]]), python=True)
    np.testing.assert_allclose(learner.arrays()["W"], [[1.0, 0.2], [-0.1, -0.575]], rtol=1e-14)


def equals_the_twin(cls):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(9, 4))
    learner = made(cls, 4, 3, rate=0.05, slowing=3.0)
    W, answers = naive.oja(X, learner.arrays()["W"], 0.05, 3.0)
    np.testing.assert_allclose(shown(learner, X, python=True), answers, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(learner.arrays()["W"], W, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(learner.arrays()["y"], answers[-1:], rtol=1e-12, atol=1e-12)


def an_eigenvector_of_length_one_stays(cls):
    # of signals +-e_i sqrt(lambda_i): each pair, both signs, moves w = e_1 by nothing on average
    learner = made(cls, 3, 1, [[1.0, 0.0, 0.0]], rate=0.01)
    change = sum(
        learner.probe(x[None], np.zeros((1, 1)), trace=True).change("W") for x in 2 * np.concatenate([np.eye(3), -np.eye(3)])
    )
    # y (x - y w) at x = 2 e_1: 2 (2 e_1 - 2 e_1); at the others y = 0
    assert np.array_equal(change, np.zeros((1, 3)))


def draws_directions_of_length_one(cls):
    W = made(cls, 50, 20).arrays()["W"]
    np.testing.assert_allclose((W * W).sum(1), 1, rtol=1e-13)
    # a component of a random direction has mean 0 and variance 1 / d, here over 1,000 of them
    assert abs(W.mean()) < 4 * (1 / 50 / W.size) ** 0.5
    assert np.abs(W @ W.T - np.eye(20)).max() < 0.9


KNOWN_ANSWERS = {
    answer.__name__: answer
    for answer in (one_step_by_hand, equals_the_twin, an_eigenvector_of_length_one_stays, draws_directions_of_length_one)
}
MUTATED = {Oja: (Oja.init, Oja.respond, Oja.learn)}


@pytest.mark.parametrize("name", KNOWN_ANSWERS)
def test_known_answer(name):
    KNOWN_ANSWERS[name](Oja)


# ---------------------------------------------------------------- twin and identities


@settings(deadline=None, max_examples=40)
@given(
    seed=SEEDS,
    n=st.integers(1, 30),
    d=st.integers(1, 10),
    K=st.integers(1, 4),
    rate=st.floats(1e-6, 0.03),
    slowing=st.floats(1, 1e6),
)
def test_equals_a_naive_twin(seed, n, d, K, rate, slowing):
    X = np.random.default_rng(seed).normal(size=(n, d))
    learner = made(Oja, d, K, rate=rate, slowing=slowing, random_state=seed)
    W, answers = naive.oja(X, learner.arrays()["W"], rate, slowing)
    np.testing.assert_allclose(shown(learner, X), answers, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(learner.arrays()["W"], W, rtol=1e-12, atol=1e-12)
    assert learner.arrays()["age"].tolist() == [n]


def mean_change(W, C_root, rate=1e-3):
    """The mean change of W over the columns of `C_root`, a square root of a covariance, times sqrt(d) and with both signs."""
    d = len(C_root)
    X = np.concatenate([C_root.T, -C_root.T]) * d**0.5
    learner = made(Oja, d, len(W), W, rate=rate, slowing=1e9)
    return np.mean([learner.probe(x[None], np.zeros((1, len(W)))).change("W") for x in X], axis=0) / rate


@settings(deadline=None, max_examples=30)
@given(seed=SEEDS, d=st.integers(1, 8))
def test_mean_change_is_that_of_the_mean_equation_and_nothing_at_eigenvectors(seed, d):
    # E dw = C w - (w' C w) w: 0 at every eigenvector of length 1
    rng = np.random.default_rng(seed)
    Q, _ = np.linalg.qr(rng.normal(size=(d, d)))
    spread = rng.uniform(0.2, 2, d)
    root = Q * spread**0.5
    C = root @ root.T
    W = rng.normal(size=(2, d))
    expected = W @ C - np.einsum("ki,ij,kj->k", W, C, W)[:, None] * W
    np.testing.assert_allclose(mean_change(W, root), expected, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(mean_change(Q.T, root), np.zeros((d, d)), rtol=0, atol=1e-9)


@settings(deadline=None, max_examples=30)
@given(seed=SEEDS, d=st.integers(2, 8), n=st.integers(1, 20))
def test_rotated_signals_rotate_the_weights(seed, d, n):
    rng = np.random.default_rng(seed)
    Q, _ = np.linalg.qr(rng.normal(size=(d, d)))
    X, W = rng.normal(size=(n, d)), rng.normal(size=(2, d))
    one, other = made(Oja, d, 2, W), made(Oja, d, 2, W @ Q.T)
    np.testing.assert_allclose(shown(one, X), shown(other, X @ Q.T), rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(one.arrays()["W"] @ Q.T, other.arrays()["W"], rtol=1e-9, atol=1e-10)


@settings(deadline=None, max_examples=30)
@given(seed=SEEDS, d=st.integers(1, 8), length=st.floats(0.2, 2))
def test_the_norm_follows_its_own_equation(seed, d, length):
    # |w + r y (x - y w)|^2 = |w|^2 + 2 r y^2 (1 - |w|^2) + r^2 y^2 |x - y w|^2: towards 1 but for the square of the step
    rng = np.random.default_rng(seed)
    x, w = rng.normal(size=d), rng.normal(size=d)
    w *= length / np.linalg.norm(w)
    learner, r, y = made(Oja, d, 1, w[None], rate=0.01), 0.01, w @ x
    shown(learner, x[None])
    expected = w @ w + 2 * r * y**2 * (1 - w @ w) + r**2 * y**2 * (x - y * w) @ (x - y * w)
    np.testing.assert_allclose((learner.arrays()["W"] ** 2).sum(), expected, rtol=1e-12)


def test_the_target_is_not_looked_at():
    X, rng = np.random.default_rng(0).normal(size=(20, 4)), np.random.default_rng(1)
    learners = made(Oja, 4, 2), made(Oja, 4, 2)
    shown(learners[0], X)
    learners[1].live(X[:, None], rng.normal(size=(20, 1, 2)))
    assert np.array_equal(*(a.arrays()["W"] for a in learners))


# ---------------------------------------------------------------- convergence


@pytest.mark.parametrize("bits", [32, 64])
def test_every_unit_finds_the_first_principal_component(bits):
    # Twenty starts at once, one a unit: units do not know of one another. Spectrum, step and tolerances as they were fixed
    # before: lambda = 3, 1.5, 0.5, ..., 40,000 signals, |cos| > 0.99, length within 0.01.
    rng = np.random.default_rng(1982)
    d, units = 10, 20
    Q, _ = np.linalg.qr(rng.normal(size=(d, d)))
    spread = np.array([3, 1.5, *[0.5] * (d - 2)])
    for seed in range(3):
        X = np.random.default_rng(seed).normal(size=(40_000, d)) * spread**0.5 @ Q.T
        learner = made(Oja, d, units, rate=0.01, slowing=2000.0, bits=bits, random_state=seed)
        shown(learner, X)
        W = learner.arrays()["W"].astype(float)
        length = np.linalg.norm(W, axis=1)
        assert np.abs(W @ Q[:, 0] / length).min() > 0.99
        assert np.abs(length - 1).max() < 0.01
