"""Sign symmetry against its equations in plain NumPy, for each of its three magnitudes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learners import network, sign_symmetry
from learners.backprop import Backprop
from learners.kernels import LOSSES
from learners.sign_symmetry import MAGNITUDES, SignSymmetry
from tests import naive
from tests.networks import angle, asked, changes, close, data, forward, made, output_error, taught, weights

SEEDS = st.integers(0, 2**32 - 1)
ACTIVATIONS = "linear", "sigmoid", "tanh", "relu", "leaky_relu", "elu"


def feedback(learner):
    """What F must be while the next block is taught: signs of W', magnitudes as published."""
    w, before = weights(learner), weights(learner, "F")
    count = sum(F.size for F in before.values())
    drawn = [(z >> 11) * 2.0**-53 for z in naive.splitmix64(int(learner.arrays()["noise"][0]), count)]
    found = {}
    for l in range(learner.depth):
        W = w[f"W[{l + 1}]"].T
        here, drawn = drawn[: W.size], drawn[W.size :]
        size = dict(
            uniform=np.full(W.shape, np.sqrt(2 / sum(W.shape))),
            batchwise=np.sqrt(6 / sum(W.shape)) * np.reshape(here, W.shape),
            fixed=np.abs(before[f"F[{l}]"]),
        )[learner.magnitude]
        found[f"F[{l}]"] = size * np.where(W < 0, -1, 1)
    return found


def twin(w, F, X, T, activation, loss):
    """The chain rule with F in the place of W."""
    a, u = forward(w, X, activation)
    d = [output_error(a[-1], T, loss)]
    for l in range(len(u) - 1, 0, -1):
        d.insert(0, naive.SLOPES[activation](u[l - 1]) * (d[0] @ F[f"F[{l - 1}]"].T))
    return changes(a, d)


def follows_its_equations(cls):
    for magnitude in MAGNITUDES:
        X, T = data(3, 5, 4, 3)
        learner = made(cls, X, 3, hidden=6, depth=3, magnitude=magnitude, rate=0.3)
        for _ in range(3):  # steps are so long that signs change
            w, F = weights(learner), feedback(learner)
            close(asked(learner, X, T, python=True), twin(w, F, X, T, "tanh", "entropy"))
            taught(learner, X, T, python=True)
            close(weights(learner, "F"), F, 1e-14)


def starts_with_the_signs_and_the_published_scale(cls):
    for magnitude in MAGNITUDES:
        learner = made(cls, np.zeros((1, 30)), 10, hidden=50, depth=2, magnitude=magnitude)
        for l, (k, m) in enumerate([(50, 50), (50, 10)]):
            F, W = learner.arrays()[f"F[{l}]"], learner.arrays()[f"W[{l + 1}]"]
            assert F.shape == (k, m)
            assert np.array_equal(F > 0, W.T > 0)
            # |F| even in [0, b) has the mean square b^2 / 3, and F^2 the relative variance 4 / 5
            assert abs((F**2).mean() * (k + m) / 2 - 1) < (1e-12 if magnitude == "uniform" else 4 * (0.8 / F.size) ** 0.5)
            assert np.abs(F).max() <= (6 / (k + m)) ** 0.5


KNOWN_ANSWERS = {a.__name__: a for a in (follows_its_equations, starts_with_the_signs_and_the_published_scale)}
MUTATED = {SignSymmetry: (sign_symmetry.init, sign_symmetry.agree, sign_symmetry.learn, network.feed_back)}


@pytest.mark.parametrize("name", KNOWN_ANSWERS)
def test_known_answer(name):
    KNOWN_ANSWERS[name](SignSymmetry)


@settings(deadline=None, max_examples=25)
@given(
    seed=SEEDS, n=st.integers(1, 5), hidden=st.integers(1, 6), depth=st.integers(0, 4), d=st.integers(1, 4), K=st.integers(1, 4),
    activation=st.sampled_from(ACTIVATIONS), loss=st.sampled_from(LOSSES), magnitude=st.sampled_from(MAGNITUDES),
)  # fmt: skip
def test_the_compiled_rule_is_the_twin_and_of_true_magnitudes_backprop(seed, n, hidden, depth, d, K, activation, loss, magnitude):
    X, T = data(seed, n, d, K, classes=loss == "entropy")
    shape = dict(hidden=hidden, depth=depth, activation=activation, loss=loss, random_state=seed)
    learner = made(SignSymmetry, X, K, **shape, magnitude=magnitude)
    w = weights(learner)
    close(asked(learner, X, T), twin(w, feedback(learner), X, T, activation, loss), 1e-10)
    if magnitude == "fixed":
        carried = learner.fork(**{f"F[{l}]": np.abs(w[f"W[{l + 1}]"].T) for l in range(depth)})
        close(asked(carried, X, T), asked(made(Backprop, X, K, **shape), X, T), 1e-12)


@settings(deadline=None, max_examples=10)
@given(seed=SEEDS, magnitude=st.sampled_from(MAGNITUDES))
def test_feedback_follows_signs_that_change_and_keeps_what_else_it_should(seed, magnitude):
    X, T = data(seed, 4, 3, 3)
    learner = made(SignSymmetry, X, 3, hidden=5, depth=2, random_state=seed, magnitude=magnitude)
    turned = learner.fork(**{name: -W for name, W in weights(learner, "W").items()})
    before = weights(learner, "F")
    for each, sign in (learner, 1), (turned, -1):
        after = weights(taught(each.fork(rate=1e-6), X, T), "F")
        for name, F in after.items():
            assert np.array_equal(np.sign(F), sign * np.sign(before[name]))
            assert np.array_equal(np.abs(F), np.abs(before[name])) == (magnitude != "batchwise")


def test_its_angles_to_the_transposed_weights_are_those_of_their_distributions():
    """Of even weights, with F = sign W' the cosine is E|w| / sqrt(E w^2) = sqrt(3) / 2; with |F| drawn apart, 3 / 4."""
    for magnitude, cosine in ("uniform", 0.75**0.5), ("fixed", 0.75), ("batchwise", 0.75):
        learner = SignSymmetry(hidden=200, magnitude=magnitude).begin(made(Backprop, np.zeros((1, 30)), 10).task_)
        found = angle(learner.arrays()["F[0]"], learner.arrays()["W[1]"].T)
        assert abs(found - np.degrees(np.arccos(cosine))) < 1
