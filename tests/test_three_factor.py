"""Reward-modulated Hebb against its equations in plain NumPy, and against the gradient of the mean reward."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learners import node_perturbation, three_factor
from learners.backprop import Backprop
from learners.three_factor import REWARDS, RewardModulatedHebb
from tests import naive
from tests.networks import asked, changes, close, data, made, taught, weights
from tests.test_node_perturbation import drawn, losses

SEEDS = st.integers(0, 2**32 - 1)


def noisily(w, X, activation, noise):
    """Activities a[0], ..., a[L] of a pass with noise[l] in the potentials of layer l."""
    a = [X]
    for l, e in enumerate(noise):
        u = a[-1] @ w[f"W[{l}]"].T + w[f"b[{l}]"] + e
        a.append(naive.VALUES[activation](u) if l < len(noise) - 1 else u)
    return a


def rewards(Z, T, loss, reward):
    """Minus the loss of every row, or whether its class is right."""
    if reward == "loss":
        return -losses(Z, T, loss)
    if T.shape[1] == 1:
        return ((Z > (0.5 if loss == "squared" else 0)) == (T > 0.5))[:, 0].astype(float)
    return (Z.argmax(1) == T.argmax(1)).astype(float)


def twin(learner, X, T):
    """What the rule asks for from the counter of the noise on, and the usual reward that follows."""
    w, n, B, usual = weights(learner), learner.arrays()["n"][1:], len(X), learner.arrays()["R"][0]
    noise = [e.reshape(B, m) for e, m in zip(drawn(learner.arrays()["noise"][0], B * n, "normal"), n, strict=True)]
    a = noisily(w, X, learner.activation, [learner.sigma * e for e in noise])
    r = rewards(a[-1], T, learner.loss, learner.reward)
    found = changes(a, [(r - usual)[:, None] / learner.sigma / B * e for e in noise])
    return found, learner.memory * usual + (1 - learner.memory) * r.mean()


def agrees(learner, X, T, tolerance, **options):
    """In two blocks, one after the other."""
    for _ in range(2):
        expected, usual = twin(learner, X, T)
        close(asked(learner, X, T, **options), expected, tolerance)
        taught(learner, X, T, **options)
        np.testing.assert_allclose(learner.arrays()["R"], usual, rtol=tolerance)


def follows_its_equations(cls):
    for activation, loss, K, depth, reward in (
        *(("tanh", "entropy", 3, 3, "loss"), ("sigmoid", "squared", 2, 2, "correct"), ("relu", "entropy", 1, 1, "correct")),
        *(("tanh", "squared", 1, 1, "correct"), ("tanh", "squared", 3, 0, "loss"), ("linear", "entropy", 4, 1, "correct")),
    ):
        X, T = data(3, 9, 4, K, classes=loss == "entropy" or reward == "correct")
        shape = dict(hidden=3, depth=depth, activation=activation, loss=loss, block=11, sigma=0.4, reward=reward, memory=0.6)
        agrees(made(cls, X, K, **shape), X, T, 1e-10, python=True)


def is_noisy_only_while_it_learns(cls):
    X, T = data(4, 6, 4, 3)
    learner = made(cls, X, 3, hidden=5, depth=2, sigma=1.0)
    exact, counter = made(Backprop, X, 3, hidden=5, depth=2), learner.arrays()["noise"].copy()
    clean = learner.live(X[:, None], python=True)
    assert np.array_equal(clean, exact.live(X[:, None], python=True))
    assert np.array_equal(learner.arrays()["noise"], counter)
    noise = learner.live(X[:, None], T[:, None], python=True) - clean
    assert 0.3 < np.abs(noise).mean() < 3


KNOWN_ANSWERS = {a.__name__: a for a in (follows_its_equations, is_noisy_only_while_it_learns)}
MUTATED = {
    RewardModulatedHebb: (
        *(three_factor.init, three_factor.respond, three_factor.learn, three_factor.right),
        node_perturbation.noisy,
    )
}


@pytest.mark.parametrize("name", KNOWN_ANSWERS)
def test_known_answer(name):
    KNOWN_ANSWERS[name](RewardModulatedHebb)


@settings(deadline=None, max_examples=25)
@given(
    seed=SEEDS, n=st.integers(1, 5), spare=st.integers(0, 3), hidden=st.integers(1, 6), depth=st.integers(0, 4),
    d=st.integers(1, 4), K=st.integers(1, 4), sigma=st.floats(0.05, 3), reward=st.sampled_from(REWARDS),
    memory=st.floats(0, 0.99), activation=st.sampled_from(["linear", "sigmoid", "tanh", "relu", "leaky_relu", "elu"]),
    loss=st.sampled_from(["entropy", "squared"]),
)  # fmt: skip
def test_the_compiled_rule_is_the_twin(seed, n, spare, hidden, depth, d, K, **given_):
    X, T = data(seed, n, d, K)
    shape = dict(hidden=hidden, depth=depth, random_state=seed, block=n + spare, optimiser="sgd")
    agrees(made(RewardModulatedHebb, X, K, **shape, **given_), X, T, 1e-9)


def samples(X, T, usual, draws=50000, **shape):
    """Independent changes (draws, weights) that one signal asks for where the usual reward is known, and the learner before."""
    X, T = np.repeat(X, draws, 0), np.repeat(T, draws, 0)
    learner = made(RewardModulatedHebb, X, T.shape[1], **shape)
    learner.arrays()["R"][...] = usual
    a = taught(learner.fork(), X, T).arrays()
    parts = []
    for l in range(learner.depth + 1):
        d = draws * a[f"d[{l}]"]
        parts += [(d[:, :, None] * a[f"a[{l}]"][:, None]).reshape(draws, -1), d]
    return np.hstack(parts), learner


def is_the_mean(g, layers):
    """Every entry is within 4.5 of its own standard errors."""
    exact = np.concatenate([part.ravel() for layer in layers for part in layer])
    assert (np.abs(g.mean(0) - exact) < 4.5 * g.std(0) / len(g) ** 0.5).all()


@pytest.mark.parametrize("usual", [-3.0, 0.5])
@pytest.mark.parametrize("sigma", [0.3, 1.0])
def test_the_mean_is_the_gradient_of_the_mean_reward_whatever_is_usual(sigma, usual):
    """Of a linear network whose answer has the mean z and the variance sigma^2 (1 + |w|^2) in each output of weights w:

    E r = -|T - z|^2 / 2 - sigma^2 (|W[1]|^2 + K) / 2. Noise that has passed W[1] makes large weights costly.
    """
    X, T = data(5, 1, 3, 2, classes=False)
    g, learner = samples(X, T, usual, hidden=4, depth=1, activation="linear", loss="squared", sigma=sigma)
    w = weights(learner)
    h = X @ w["W[0]"].T + w["b[0]"]
    e = T - h @ w["W[1]"].T - w["b[1]"]
    below = e @ w["W[1]"]
    is_the_mean(g, [(below.T @ X, below), (e.T @ h - sigma**2 * w["W[1]"], e)])


def test_a_right_answer_is_made_likelier_by_the_slope_of_its_probability():
    """Of two outputs with noise of sigma: P(right) = Phi(gap / (sigma sqrt 2)), gap = the right one less the wrong one."""
    X, T = data(6, 1, 3, 2)
    g, learner = samples(X, T, 0.7, depth=0, sigma=0.6, reward="correct")
    w = weights(learner)
    away = 2 * T - 1
    gap = (X @ w["W[0]"].T + w["b[0]"]) @ away[0] / 0.6 / 2**0.5
    slope = math.exp(-(gap.item() ** 2) / 2) / (2 * math.pi) ** 0.5 / 0.6 / 2**0.5 * away
    is_the_mean(g, [(slope.T @ X, slope)])


def test_with_little_noise_the_mean_is_the_gradient_of_the_clean_loss():
    X, T = data(7, 1, 4, 3)
    shape = dict(hidden=5, depth=2, activation="tanh")
    exact = made(Backprop, X, 3, **shape)
    down, clean = asked(exact, X, T), exact.fork().live(X[:, None])[:, 0]
    g, _ = samples(X, T, -naive.loss(clean, T, "entropy"), sigma=1e-3, draws=20000, **shape)
    is_the_mean(g, [(down[f"W[{l}]"], down[f"b[{l}]"]) for l in range(3)])


def test_the_usual_reward_takes_variance_away():
    """With noise of sigma, a gap of c between the reward and the usual adds c^2 / sigma^2 to every potential's variance."""
    X, T = data(7, 1, 4, 3)
    spread = []
    for gap in 0.0, 2.0:
        shape = dict(depth=0, sigma=0.01)
        exact = made(Backprop, X, 3, depth=0)
        usual = gap - naive.loss(exact.live(X[:, None])[:, 0], T, "entropy")
        g, _ = samples(X, T, usual, **shape)
        spread.append(g[:, -3:].var(0))
    np.testing.assert_allclose(spread[1] - spread[0], (2 / 0.01) ** 2, rtol=0.04)
