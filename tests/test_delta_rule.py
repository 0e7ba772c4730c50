"""The delta rule against its formula, least squares in closed form, its bound of stability, and back-propagation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learners import delta_rule
from learners.backprop import Backprop
from learners.delta_rule import DeltaRule
from tests.networks import answers, close, data, made, taught, weights

SEEDS = st.integers(0, 2**32 - 1)


def signal_by_signal(w, X, T, rate):
    """Widrow and Hoff's steps: weights (K, n_in), biases (K,)."""
    W, b = w["W[0]"].copy(), w["b[0]"].copy()
    for x, t in zip(X, T, strict=True):
        e = t - (W @ x + b)
        W += rate * np.outer(e, x)
        b += rate * e
    return {"W[0]": W, "b[0]": b}


def follows_widrow_and_hoff(cls):
    X, T = data(3, 9, 4, 3, classes=False)
    learner = made(cls, X, 3, block=1, rate=0.1)
    w = weights(learner)
    close({"out": answers(learner, X, python=True)}, {"out": X @ w["W[0]"].T + w["b[0]"]})
    expected = signal_by_signal(w, X, T, 0.1)
    close(weights(taught(learner, X, T, python=True)), expected)
    assert learner.cut == 0.5


def of_a_block_takes_the_mean(cls):
    X, T = data(4, 5, 3, 2)
    learner = made(cls, X, 2, block=8, rate=0.5)
    w = weights(learner)
    e = T - X @ w["W[0]"].T - w["b[0]"]
    expected = {"W[0]": w["W[0]"] + 0.5 * e.T @ X / 5, "b[0]": w["b[0]"] + 0.5 * e.mean(0)}
    close(weights(taught(learner, X, T, python=True)), expected)


def begins_as_the_network_does(cls):
    X, _ = data(4, 5, 30, 20)
    W = made(cls, X, 20).arrays()["W[0]"]
    bound = (6 / 50) ** 0.5
    assert W.shape == (20, 30)
    assert np.abs(W).max() <= bound
    assert abs((W**2).mean() / (bound**2 / 3) - 1) < 4 * (0.8 / W.size) ** 0.5


KNOWN_ANSWERS = {a.__name__: a for a in (follows_widrow_and_hoff, of_a_block_takes_the_mean, begins_as_the_network_does)}
MUTATED = {DeltaRule: (delta_rule.init, delta_rule.respond, delta_rule.learn, delta_rule.adapt)}


@pytest.mark.parametrize("name", KNOWN_ANSWERS)
def test_known_answer(name):
    KNOWN_ANSWERS[name](DeltaRule)


@settings(deadline=None, max_examples=25)
@given(seed=SEEDS, n=st.integers(1, 20), block=st.integers(1, 7), d=st.integers(1, 5), K=st.integers(1, 4))
def test_it_is_backprop_without_hidden_layer_and_optimiser(seed, n, block, d, K):
    X, T = data(seed, n, d, K, classes=False)
    learner = made(DeltaRule, X, K, rate=0.05, block=block, random_state=seed)
    exact = made(Backprop, X, K, rate=0.05, block=block, random_state=seed, depth=0, loss="squared", optimiser="sgd")
    close(weights(learner), weights(exact), 0)
    close({"out": answers(learner, X)}, {"out": answers(exact, X)}, 0)
    close(weights(taught(learner, X, T)), weights(taught(exact, X, T)), 1e-12)
    if block == 1:
        close(weights(learner), signal_by_signal(weights(made(DeltaRule, X, K, block=1, random_state=seed)), X, T, 0.05), 1e-10)


def modes(learner, X, T):
    """Weights (K, n_in + 1) less those of the least squares, along the eigenvectors of the mean of x x'; and its eigenvalues."""
    rows = np.hstack([X, np.ones((len(X), 1))])
    w = weights(learner)
    best = np.linalg.lstsq(rows, T, rcond=None)[0].T
    eigenvalues, vectors = np.linalg.eigh(rows.T @ rows / len(X))
    return (np.hstack([w["W[0]"], w["b[0]"][:, None]]) - best) @ vectors, eigenvalues


@settings(deadline=None, max_examples=25)
@given(
    seed=SEEDS,
    n=st.integers(8, 20),
    d=st.integers(1, 5),
    K=st.integers(1, 3),
    steps=st.integers(1, 40),
    part=st.floats(0.01, 1.1),
)
def test_each_mode_of_the_error_goes_by_its_own_power(seed, n, d, K, steps, part):
    """Of whole blocks the distance to the least squares along an eigenvector is (1 - rate l)^t of what it was."""
    X, T = data(seed, n, d, K, classes=False)
    learner = made(DeltaRule, X, K, random_state=seed)
    start, l = modes(learner, X, T)
    learner.rate = part * 2 / l[-1]
    learner.live(X[:, None], T[:, None], orders=np.tile(np.arange(n), (steps, 1)))
    expected = start * (1 - learner.rate * l) ** steps
    np.testing.assert_allclose(modes(learner, X, T)[0], expected, rtol=1e-8, atol=1e-10 * max(1, np.abs(expected).max()))


@pytest.mark.parametrize("K", [1, 3])
def test_below_the_bound_it_comes_to_the_least_squares_and_above_it_runs_away(K):
    X, T = data(6, 40, 4, K)
    learner = made(DeltaRule, X, K)
    start, l = modes(learner, X, T)
    orders = np.tile(np.arange(40), (3000, 1))
    below, above = learner.fork(rate=0.98 * 2 / l[-1]), learner.fork(rate=1.02 * 2 / l[-1])
    for each in below, above:
        each.live(X[:, None], T[:, None], orders=orders)
    assert np.abs(modes(below, X, T)[0]).max() < 1e-9
    assert np.abs(modes(above, X, T)[0]).max() > 1e9 * np.abs(start).max()


def test_signal_by_signal_it_stays_about_the_least_squares():
    """With steps that small the weights go round the least squares at a distance that shrinks with the rate."""
    X, T = data(7, 50, 3, 2, classes=False)
    distance = []
    for rate in 0.02, 0.002:
        learner = made(DeltaRule, X, 2, block=1, rate=rate)
        learner.live(X[:, None], T[:, None], orders=np.tile(np.arange(50), (4000, 1)))
        distance.append(np.linalg.norm(modes(learner, X, T)[0]))
    assert distance[1] < 0.15 * distance[0]
