"""Feedback alignment against its equations in plain NumPy, and against Lillicrap's linear task."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.learner import Sizes
from learners import network
from learners.backprop import Backprop
from learners.feedback_alignment import FeedbackAlignment
from tests import naive
from tests.networks import angle, asked, changes, close, data, forward, made, output_error, weights

SEEDS = st.integers(0, 2**32 - 1)
ACTIVATIONS = "linear", "sigmoid", "tanh", "relu", "leaky_relu", "elu"


def twin(w, F, X, T, activation, loss):
    """What feedback alignment asks for: the chain rule with F in the place of W."""
    a, u = forward(w, X, activation)
    d = [output_error(a[-1], T, loss)]
    for l in range(len(u) - 1, 0, -1):
        d.insert(0, naive.SLOPES[activation](u[l - 1]) * (d[0] @ F[f"F[{l - 1}]"].T))
    return changes(a, d)


def follows_its_equations(cls):
    for activation, loss, depth in ("tanh", "entropy", 3), ("sigmoid", "squared", 2), ("relu", "entropy", 1):
        X, T = data(3, 5, 4, 3)
        learner = made(cls, X, 3, hidden=6, depth=depth, activation=activation, loss=loss)
        w, F = weights(learner), weights(learner, "F")
        close(asked(learner, X, T, python=True), twin(w, F, X, T, activation, loss))


def draws_feedback_as_it_draws_weights_and_keeps_it(cls):
    X, T = data(4, 5, 30, 3)
    learner = made(cls, X, 3, hidden=40, depth=2)
    before = weights(learner, "F")
    for l, (m, k) in enumerate([(40, 40), (40, 3)]):
        F, bound = before[f"F[{l}]"], (6 / (m + k)) ** 0.5
        assert F.shape == (m, k)
        assert np.abs(F).max() <= bound
        assert abs((F**2).mean() / (bound**2 / 3) - 1) < 4 * (0.8 / F.size) ** 0.5
        assert not np.array_equal(F, learner.arrays()[f"W[{l + 1}]"].T)
    learner.live(X[:, None], T[:, None], python=True)
    close(weights(learner, "F"), before, 0)


KNOWN_ANSWERS = {a.__name__: a for a in (follows_its_equations, draws_feedback_as_it_draws_weights_and_keeps_it)}
MUTATED = {FeedbackAlignment: (FeedbackAlignment.init, FeedbackAlignment.learn, network.feedback, network.feed_back)}


@pytest.mark.parametrize("name", KNOWN_ANSWERS)
def test_known_answer(name):
    KNOWN_ANSWERS[name](FeedbackAlignment)


@settings(deadline=None, max_examples=25)
@given(
    seed=SEEDS, n=st.integers(1, 5), hidden=st.integers(1, 6), depth=st.integers(0, 4), d=st.integers(1, 4), K=st.integers(1, 4),
    activation=st.sampled_from(ACTIVATIONS), loss=st.sampled_from(["entropy", "squared"]),
)  # fmt: skip
def test_the_compiled_rule_is_the_twin_and_with_transport_it_is_backprop(seed, n, hidden, depth, d, K, activation, loss):
    X, T = data(seed, n, d, K, classes=loss == "entropy")
    shape = dict(hidden=hidden, depth=depth, activation=activation, loss=loss, random_state=seed)
    learner = made(FeedbackAlignment, X, K, **shape)
    w = weights(learner)
    close(asked(learner, X, T), twin(w, weights(learner, "F"), X, T, activation, loss), 1e-10)
    carried = learner.fork(**{f"F[{l}]": w[f"W[{l + 1}]"].T for l in range(depth)})
    close(asked(carried, X, T), asked(made(Backprop, X, K, **shape), X, T), 1e-12)


def lillicrap(activation, seed, steps=1000):
    """Lillicrap's task, 30-20-10 and a linear teacher: the mean angle of F e to W' e before and after so many samples."""
    rng = np.random.default_rng(seed)
    learner = FeedbackAlignment(
        hidden=20, depth=1, activation=activation, loss="squared", optimiser="sgd", rate=0.01, block=1, bits=64
    ).begin(Sizes((30,), 10))
    a = learner.arrays()
    for name, bound in ("W[0]", 0.01), ("W[1]", 0.01), ("F[0]", 0.5):
        a[name][...] = rng.uniform(-bound, bound, a[name].shape)
    X = rng.normal(size=(steps, 30))
    T = X @ rng.uniform(-1, 1, (10, 30)).T

    def mean_angle():
        e = T - learner.fork().live(X[:, None])[:, 0]
        return np.mean([angle(a["F[0]"] @ x, x @ a["W[1]"]) for x in e])

    before = mean_angle()
    learner.live(X[:, None], T[:, None])
    return before, mean_angle()


@pytest.mark.parametrize("activation", ["linear", "tanh"])
def test_feedback_comes_to_agree_with_what_it_replaces(activation):
    """At first the angle is that of unrelated matrices: 90 degrees, with a spread of 1 / sqrt(20 x 10) = 4 from seed to seed."""
    before, after = np.transpose([lillicrap(activation, seed) for seed in range(10)])
    assert abs(before.mean() - 90) <= 4
    assert after.max() < 60
