"""HebbianAssociator against its closed form, Kohonen's exact recall, and Vallet's learning curve."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.learner import Sizes
from learners.hebbian import HebbianAssociator
from tests import naive

SEEDS = st.integers(0, 2**32 - 1)


def made(cls, n_in, n_out=1, **params):
    return cls(**dict(bits=64, rate=0.5) | params).begin(Sizes((n_in,), n_out))


def taught(learner, X, T, **options):
    """Live through X (n, d) with targets T (n, K), in order; the responses on the way (n, K)."""
    return learner.live(X[:, None], np.asarray(T, float)[:, None], **options)[:, 0]


# ---------------------------------------------------------------- known answers


def what_fires_together_is_wired_together(cls):
    learner = made(cls, 3)
    assert not learner.arrays()["W"].any()
    out = taught(learner, np.array([[2.0, 0.0, -4.0], [1.0, 3.0, 0.0]]), [[1], [0]], python=True)
    assert learner.arrays()["W"].tolist() == [[0.25, -0.75, -1.0]]
    assert out.tolist() == [[0], [0.5]]
    assert learner.arrays()["z"].tolist() == [[-0.5]]
    assert learner.live(np.array([[[4.0, 2.0, 1.0]]]), python=True).ravel().tolist() == [-1.5]
    assert learner.arrays()["W"].tolist() == [[0.25, -0.75, -1.0]]


def classes_are_taught_about_their_mean(cls):
    learner = made(cls, 2, 4, rate=1.0)
    out = taught(learner, np.array([[1.0, -2.0], [4.0, 8.0]]), [[0, 1, 0, 0], [0, 0, 0, 1]], python=True)
    assert learner.arrays()["W"].tolist() == [[-1.25, -1.5], [-0.25, -3.5], [-1.25, -1.5], [2.75, 6.5]]
    assert learner.arrays()["z"].tolist() == [[-0.25, -0.25, -0.25, 0.75]]
    assert out.tolist() == [[0] * 4, [3.0, -9.0, 3.0, 3.0]]
    assert learner.arrays()["y"].tolist() == [[3.0, -9.0, 3.0, 3.0]]


def equals_the_closed_form(cls):
    rng = np.random.default_rng(0)
    X, T = rng.normal(size=(7, 4)), np.eye(3)[rng.integers(0, 3, 7)]
    learner = made(cls, 4, 3, rate=0.3)
    taught(learner, X, T, python=True)
    np.testing.assert_allclose(learner.arrays()["W"], naive.hebb(X, T, 0.3), rtol=1e-13)


KNOWN_ANSWERS = {
    answer.__name__: answer
    for answer in (what_fires_together_is_wired_together, classes_are_taught_about_their_mean, equals_the_closed_form)
}
MUTATED = {HebbianAssociator: (HebbianAssociator.respond, HebbianAssociator.learn)}


@pytest.mark.parametrize("name", KNOWN_ANSWERS)
def test_known_answer(name):
    KNOWN_ANSWERS[name](HebbianAssociator)


# ---------------------------------------------------------------- the closed form and what follows from it


@settings(deadline=None, max_examples=40)
@given(seed=SEEDS, n=st.integers(1, 40), d=st.integers(1, 12), K=st.integers(1, 5), rate=st.floats(1e-3, 10))
def test_weights_are_the_sum_of_correlations_in_any_order(seed, n, d, K, rate):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    T = np.eye(K)[rng.integers(0, K, n)] if K > 1 else rng.integers(0, 2, (n, 1)).astype(float)
    learner, other = made(HebbianAssociator, d, K, rate=rate), made(HebbianAssociator, d, K, rate=rate)
    out = taught(learner, X, T)
    order = rng.permutation(n)
    taught(other, X[order], T[order])
    scale = rate * np.abs(X).sum()
    closed = naive.hebb(X, T, rate)
    np.testing.assert_allclose(learner.arrays()["W"], closed, rtol=0, atol=1e-12 * scale)
    np.testing.assert_allclose(other.arrays()["W"], closed, rtol=0, atol=1e-12 * scale)
    on_the_way = np.array([naive.hebb(X[:i], T[:i], rate) @ X[i] for i in range(n)])
    np.testing.assert_allclose(out, on_the_way, rtol=0, atol=1e-12 * scale * np.abs(X).sum())


@settings(deadline=None, max_examples=30)
@given(seed=SEEDS, P=st.integers(1, 16), K=st.integers(2, 16))
def test_orthonormal_signals_are_recalled_exactly(seed, P, K):
    # Kohonen: of orthonormal signals, W x_i is the target of the i-th itself, here about its mean. The rows of a Hadamard
    # matrix over 4 are orthonormal and the arithmetic is exact but for 1 / K.
    rng = np.random.default_rng(seed)
    H = np.ones((1, 1))
    for _ in range(4):
        H = np.block([[H, H], [H, -H]])
    X, T = rng.permutation(H / 4)[:P], np.eye(K)[rng.integers(0, K, P)]
    learner = made(HebbianAssociator, 16, K, rate=1.0)
    taught(learner, X, T)
    recalled = learner.live(X[:, None])[:, 0]
    np.testing.assert_allclose(recalled, T - 1 / K, rtol=0, atol=1e-14)


@settings(deadline=None, max_examples=20)
@given(seed=SEEDS, rate=st.sampled_from([1e-6, 0.25, 10.0]))
def test_the_classes_named_do_not_depend_on_the_rate(seed, rate):
    rng = np.random.default_rng(seed)
    X, y, new = rng.normal(size=(30, 5)), np.arange(30) % 3, rng.normal(size=(20, 5))
    named = [HebbianAssociator(rate=r, epochs=1, bits=64).fit(X, y).predict(new) for r in (0.01, rate)]
    assert np.array_equal(*named)


# ---------------------------------------------------------------- generalisation


@pytest.mark.parametrize("load", [0.5, 1.0, 2.0, 5.0])
def test_generalisation_from_a_teacher_follows_vallets_law(load):
    """The angle between student and teacher, over pi, is the error on Gaussian signals.

    In the limit of many inputs it is (1/pi) arccos sqrt(2 a / (2 a + pi)) at a = P / N. At N inputs the corrections are of
    order 1 / N: with cos = m / sqrt(m^2 + (N - 1) s^2 / N), both fluctuate by O(N^-1/2) and bend the mean by O(1 / N).
    """
    N, replicates = 400, 20
    P = int(load * N)
    law = math.acos(math.sqrt(2 * load / (2 * load + math.pi))) / math.pi
    found = []
    for seed in range(replicates):
        rng = np.random.default_rng([seed, P])
        teacher, X = rng.normal(size=N), rng.normal(size=(P, N))
        learner = made(HebbianAssociator, N, rate=1.0)
        taught(learner, X, (X @ teacher > 0)[:, None])
        W = learner.arrays()["W"][0]
        found.append(math.acos(W @ teacher / np.linalg.norm(W) / np.linalg.norm(teacher)) / math.pi)
    error, spread = np.mean(found), np.std(found, ddof=1) / math.sqrt(replicates)
    assert abs(error - law) < 4 * spread + 1 / N, f"law {law:.4f}, found {error:.4f} +- {spread:.4f}"


@pytest.mark.parametrize("bits", [32, 64])
def test_the_error_counted_on_fresh_signals_is_that_of_the_angle(bits):
    rng = np.random.default_rng(3)
    teacher, X, fresh = rng.normal(size=50), rng.normal(size=(100, 50)), rng.normal(size=(20_000, 50))
    learner = HebbianAssociator(epochs=1, bits=bits).fit(X, X @ teacher > 0)
    W = learner.arrays()["W"][0]
    law = math.acos(W @ teacher / np.linalg.norm(W) / np.linalg.norm(teacher)) / math.pi
    found = 1 - learner.score(fresh, fresh @ teacher > 0)
    assert abs(found - law) < 4 * math.sqrt(law * (1 - law) / len(fresh))
