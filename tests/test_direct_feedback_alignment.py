"""Direct feedback alignment against its equations in plain NumPy; with one hidden layer, and what its layers need not know."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learners import direct_feedback_alignment, kernels, network
from learners.backprop import Backprop
from learners.direct_feedback_alignment import DirectFeedbackAlignment
from learners.kernels import LOSSES
from tests import naive
from tests.networks import asked, changes, close, data, forward, made, output_error, weights

SEEDS = st.integers(0, 2**32 - 1)
ACTIVATIONS = "linear", "sigmoid", "tanh", "relu", "leaky_relu", "elu"


def twin(w, F, X, T, activation, loss):
    """What direct feedback alignment asks for: every hidden layer sees the output's error through an F of its own."""
    a, u = forward(w, X, activation)
    e = output_error(a[-1], T, loss)
    return changes(a, [*(naive.SLOPES[activation](u[l]) * (e @ F[f"F[{l}]"].T) for l in range(len(u) - 1)), e])


def follows_its_equations(cls):
    for activation, loss, depth in ("tanh", "entropy", 3), ("sigmoid", "squared", 2), ("relu", "entropy", 1):
        X, T = data(3, 5, 4, 3)
        learner = made(cls, X, 3, hidden=6, depth=depth, activation=activation, loss=loss, block=7)
        w, F = weights(learner), weights(learner, "F")
        close(asked(learner, X, T, python=True), twin(w, F, X, T, activation, loss))


def draws_feedback_as_it_draws_weights_and_keeps_it(cls):
    X, T = data(4, 5, 30, 3)
    learner = made(cls, X, 3, hidden=60, depth=3)
    before = weights(learner, "F")
    for l in range(3):
        F, bound = before[f"F[{l}]"], (6 / 63) ** 0.5
        assert F.shape == (60, 3)
        assert np.abs(F).max() <= bound
        assert abs((F**2).mean() / (bound**2 / 3) - 1) < 4 * (0.8 / F.size) ** 0.5
        assert all(not np.array_equal(F, before[f"F[{other}]"]) for other in range(l))
    learner.live(X[:, None], T[:, None], python=True)
    close(weights(learner, "F"), before, 0)


KNOWN_ANSWERS = {a.__name__: a for a in (follows_its_equations, draws_feedback_as_it_draws_weights_and_keeps_it)}
MUTATED = {
    DirectFeedbackAlignment: (
        *(DirectFeedbackAlignment.init, DirectFeedbackAlignment.learn),
        *(direct_feedback_alignment.broadcast, network.change, kernels.dot_t),
    )
}


@pytest.mark.parametrize("name", KNOWN_ANSWERS)
def test_known_answer(name):
    KNOWN_ANSWERS[name](DirectFeedbackAlignment)


@settings(deadline=None, max_examples=25)
@given(
    seed=SEEDS, n=st.integers(1, 5), spare=st.integers(0, 3), hidden=st.integers(1, 6), depth=st.integers(0, 4),
    d=st.integers(1, 4), K=st.integers(1, 4), activation=st.sampled_from(ACTIVATIONS), loss=st.sampled_from(LOSSES),
)  # fmt: skip
def test_the_compiled_rule_is_the_twin_and_under_one_hidden_layer_with_transport_backprop(
    seed, n, spare, hidden, depth, d, K, activation, loss
):
    X, T = data(seed, n, d, K, classes=loss == "entropy")
    shape = dict(hidden=hidden, depth=depth, activation=activation, loss=loss, random_state=seed, block=n + spare)
    learner = made(DirectFeedbackAlignment, X, K, **shape)
    w = weights(learner)
    close(asked(learner, X, T), twin(w, weights(learner, "F"), X, T, activation, loss), 1e-10)
    if depth <= 1:
        carried = learner.fork(**({"F[0]": w["W[1]"].T} if depth else {}))
        close(asked(carried, X, T), asked(made(Backprop, X, K, **shape), X, T), 1e-12)


@settings(deadline=None, max_examples=20)
@given(seed=SEEDS, n=st.integers(1, 3), depth=st.integers(2, 4), activation=st.sampled_from(["tanh", "sigmoid"]), at=st.data())
def test_no_change_depends_on_a_weight_above(seed, n, depth, activation, at):
    """W[l] moves where the activities of this block do not reach: all answers stay, and only back-propagation minds."""
    l = at.draw(st.integers(1, depth))
    X, T = data(seed, n, 3, 3)
    shape = dict(hidden=5, depth=depth, activation=activation, random_state=seed)
    found = {}
    for cls in DirectFeedbackAlignment, Backprop:
        learner = made(cls, X, 3, **shape)
        w = weights(learner)
        unseen = np.linalg.svd(forward(w, X, activation)[0][l])[2][n]
        shift = np.random.default_rng(seed).normal(size=(len(w[f"W[{l}]"]), 1)) * unseen
        moved = learner.fork(**{f"W[{l}]": w[f"W[{l}]"] + shift})
        found[cls] = asked(learner, X, T), asked(moved, X, T)
    close(*found[DirectFeedbackAlignment], 1e-10)
    before, after = found[Backprop]
    assert not np.allclose(before["W[0]"], after["W[0]"], rtol=1e-6, atol=1e-12)
