"""The weight mirror against its equations in plain NumPy, and against what noise must show it in the mean."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learners import draws, weight_mirror
from learners.backprop import Backprop
from learners.weight_mirror import WeightMirror
from tests import naive
from tests.networks import angle, asked, changes, close, data, forward, made, output_error, taught, weights

SEEDS = st.integers(0, 2**32 - 1)


def mirrored(learner):
    """F after the pause that follows the next taught block, from the counter of the noise on."""
    w, F, n = weights(learner), weights(learner, "F"), learner.arrays()["n"]
    B, s, L = learner.block, learner.sigma, learner.depth
    value = naive.VALUES[learner.activation]
    drawn = naive.splitmix64(int(learner.arrays()["noise"][0]), learner.mirror * B * sum(n[1 : L + 1]))
    even = iter([(z >> 11) * 2.0**-53 for z in drawn])
    for _ in range(learner.mirror):
        for l in range(L):
            x = np.sqrt(3) * s * np.array([[2 * next(even) - 1 for _ in range(n[l + 1])] for _ in range(B)])
            u = x @ w[f"W[{l + 1}]"].T + w[f"b[{l + 1}]"]
            y = value(u) if l < L - 1 else u
            F[f"F[{l}]"] += learner.mirror_rate * (x.T @ y / B / s**2 - F[f"F[{l}]"])
    return F


def follows_its_equations(cls):
    for activation, depth, mirror in ("tanh", 3, 1), ("sigmoid", 2, 3), ("relu", 1, 2):
        X, T = data(3, 5, 4, 3)
        shape = dict(activation=activation, depth=depth, mirror=mirror, sigma=0.7, mirror_rate=0.3)
        learner = made(cls, X, 3, hidden=6, block=7, **shape)
        for _ in range(2):
            expected = mirrored(learner)
            close(weights(taught(learner, X, T, python=True), "F"), expected)


def is_taught_by_its_feedback(cls):
    X, T = data(4, 5, 4, 3)
    learner = made(cls, X, 3, hidden=6, depth=3)
    w, F = weights(learner), weights(learner, "F")
    a, u = forward(w, X, "tanh")
    d = [output_error(a[-1], T, "entropy")]
    for l in range(3, 0, -1):
        d.insert(0, naive.SLOPES["tanh"](u[l - 1]) * (d[0] @ F[f"F[{l - 1}]"].T))
    close(asked(learner, X, T, python=True), changes(a, d))


def forgets_where_it_began(cls):
    X, T = data(5, 5, 4, 3)
    learner = made(cls, X, 3, hidden=4, depth=2, mirror=2, mirror_rate=0.2, rate=1e-6)
    other = learner.fork(**{f"F[{l}]": learner.arrays()[f"F[{l}]"] + 9 for l in range(2)})
    for _ in range(3):
        for each in learner, other:  # the same noise, and the same weights but for steps of one millionth
            taught(each, X, T, python=True)
    for name, F in weights(learner, "F").items():
        np.testing.assert_allclose(other.arrays()[name] - F, 9 * 0.8**6, rtol=1e-4)


KNOWN_ANSWERS = {a.__name__: a for a in (follows_its_equations, is_taught_by_its_feedback, forgets_where_it_began)}
MUTATED = {WeightMirror: (weight_mirror.init, weight_mirror.drive, weight_mirror.rest, WeightMirror.learn, draws.even)}


@pytest.mark.parametrize("name", KNOWN_ANSWERS)
def test_known_answer(name):
    KNOWN_ANSWERS[name](WeightMirror)


@settings(deadline=None, max_examples=25)
@given(
    seed=SEEDS, n=st.integers(1, 5), spare=st.integers(0, 3), hidden=st.integers(1, 6), depth=st.integers(0, 4),
    d=st.integers(1, 4), K=st.integers(1, 4), mirror=st.integers(1, 3), sigma=st.floats(0.05, 2), mirror_rate=st.floats(0.01, 1),
    activation=st.sampled_from(["linear", "sigmoid", "tanh", "relu", "leaky_relu", "elu"]),
)  # fmt: skip
def test_the_compiled_mirror_is_the_twin(seed, n, spare, hidden, depth, d, K, **given_):
    X, T = data(seed, n, d, K)
    learner = made(WeightMirror, X, K, hidden=hidden, depth=depth, random_state=seed, block=n + spare, **given_)
    expected = mirrored(learner)
    close(weights(taught(learner, X, T), "F"), expected, 1e-10)


@settings(deadline=None, max_examples=15)
@given(seed=SEEDS, depth=st.integers(1, 3), n=st.integers(1, 5))
def test_with_a_perfect_mirror_it_is_backprop(seed, depth, n):
    X, T = data(seed, n, 3, 3)
    learner, exact = (made(cls, X, 3, hidden=4, depth=depth, random_state=seed) for cls in (WeightMirror, Backprop))
    learner = learner.fork(**{f"F[{l}]": exact.arrays()[f"W[{l + 1}]"].T for l in range(depth)})
    close(asked(learner, X, T), asked(exact, X, T), 1e-12)


@pytest.mark.parametrize("sigma", [0.1, 1.0])
def test_in_the_mean_noise_shows_the_transposed_weights(sigma):
    """E x y' = s^2 W', for y = W x + b. Of x even in +-sqrt(3) s, E x^4 = 9/5 s^4, so that an entry's variance is known:

    E (x_j y_k)^2 - s^4 w_kj^2 = s^4 (|w_k|^2 - w_kj^2) + 4/5 s^4 w_kj^2 + s^2 b_k^2.
    """
    X, T = data(2, 1, 4, 3)
    shape = dict(activation="linear", sigma=sigma, mirror_rate=1.0, hidden=6, depth=2)
    learner = made(WeightMirror, X, 3, block=20000, **shape)
    w = weights(learner)
    found = weights(taught(learner, X, T), "F")
    scores = []
    for l in range(2):
        W, b = w[f"W[{l + 1}]"].T, w[f"b[{l + 1}]"]
        variance = (W**2).sum(0) - W**2 / 5 + (b / sigma) ** 2
        scores.append(((found[f"F[{l}]"] - W) / np.sqrt(variance / 20000)).ravel())
    z = np.concatenate(scores)
    assert np.abs(z).max() < 4.5  # 54 standard normal numbers: a chance of 4e-4 to be wrong
    assert 0.4 < (z**2).mean() < 1.9


def test_feedback_settles_at_the_angle_that_its_noise_leaves():
    """Of F = W' + noise the squared tangent is noise over signal: r / (2 - r) n / B for a step of r, n units, blocks of B."""
    X, T = data(1, 200, 8, 4)
    learner = made(WeightMirror, X, 4, hidden=100, depth=1, block=100, sigma=0.5, mirror_rate=0.1)
    F, W = learner.arrays()["F[0]"], learner.arrays()["W[1]"]
    learner.arrays()["b[1]"][...] = 0
    assert abs(angle(F, W.T) - 90) < 4 * np.degrees(1 / 20)
    learner.rate = 1e-6  # so slow that W and b stay
    learner.live(X[:, None], T[:, None], orders=np.tile(np.arange(200), (50, 1)))
    expected = np.degrees(np.arctan((0.1 / 1.9 * 100 / 100) ** 0.5))
    assert abs(angle(F, W.T) / expected - 1) < 0.2
    assert abs(np.linalg.norm(F) / np.linalg.norm(W) - 1 / np.cos(np.radians(expected))) < 0.05
