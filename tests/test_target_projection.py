"""Direct random target projection against its equations in plain NumPy; what its hidden layers do not know; that it learns."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learners import direct_feedback_alignment, target_projection
from learners.kernels import LOSSES
from learners.target_projection import DirectRandomTargetProjection
from tests import naive
from tests.networks import asked, changes, close, data, forward, made, output_error, weights

SEEDS = st.integers(0, 2**32 - 1)
ACTIVATIONS = "linear", "sigmoid", "tanh", "relu", "leaky_relu", "elu"


def twin(w, F, X, T, activation, loss):
    """What the rule asks for: F y* in the place of the gradient, so that the way up is against it."""
    a, u = forward(w, X, activation)
    hidden = [-naive.SLOPES[activation](u[l]) * (T @ F[f"F[{l}]"].T) / len(T) for l in range(len(u) - 1)]
    return changes(a, [*hidden, output_error(a[-1], T, loss)])


def follows_its_equations(cls):
    for activation, loss, depth, K in ("tanh", "entropy", 3, 3), ("sigmoid", "squared", 2, 3), ("relu", "entropy", 1, 1):
        X, T = data(3, 5, 4, K)
        learner = made(cls, X, K, hidden=6, depth=depth, activation=activation, loss=loss, block=7)
        w, F = weights(learner), weights(learner, "F")
        close(asked(learner, X, T, python=True), twin(w, F, X, T, activation, loss))


def draws_feedback_as_it_draws_weights_and_keeps_it(cls):
    X, T = data(4, 5, 30, 3)
    learner = made(cls, X, 3, hidden=60, depth=2)
    before = weights(learner, "F")
    for l in range(2):
        F, bound = before[f"F[{l}]"], (6 / 63) ** 0.5
        assert F.shape == (60, 3)
        assert abs((F**2).mean() / (bound**2 / 3) - 1) < 4 * (0.8 / F.size) ** 0.5
    learner.live(X[:, None], T[:, None], python=True)
    close(weights(learner, "F"), before, 0)


KNOWN_ANSWERS = {a.__name__: a for a in (follows_its_equations, draws_feedback_as_it_draws_weights_and_keeps_it)}
MUTATED = {
    DirectRandomTargetProjection: (
        *(target_projection.init, target_projection.learn),
        *(direct_feedback_alignment.init, direct_feedback_alignment.broadcast),
    )
}


@pytest.mark.parametrize("name", KNOWN_ANSWERS)
def test_known_answer(name):
    KNOWN_ANSWERS[name](DirectRandomTargetProjection)


@settings(deadline=None, max_examples=25)
@given(
    seed=SEEDS, n=st.integers(1, 5), spare=st.integers(0, 3), hidden=st.integers(1, 6), depth=st.integers(0, 4),
    d=st.integers(1, 4), K=st.integers(1, 4), activation=st.sampled_from(ACTIVATIONS), loss=st.sampled_from(LOSSES),
)  # fmt: skip
def test_the_compiled_rule_is_the_twin(seed, n, spare, hidden, depth, d, K, activation, loss):
    X, T = data(seed, n, d, K, classes=loss == "entropy")
    shape = dict(hidden=hidden, depth=depth, activation=activation, loss=loss, random_state=seed, block=n + spare)
    learner = made(DirectRandomTargetProjection, X, K, **shape)
    close(asked(learner, X, T), twin(weights(learner), weights(learner, "F"), X, T, activation, loss), 1e-10)


@settings(deadline=None, max_examples=20)
@given(seed=SEEDS, n=st.integers(1, 5), depth=st.integers(1, 4), at=st.data())
def test_a_layer_minds_neither_the_answer_nor_any_weight_above(seed, n, depth, at):
    """Bit for bit; the layers from the one that moves on are another matter."""
    l = at.draw(st.integers(1, depth))
    X, T = data(seed, n, 3, 3)
    learner = made(DirectRandomTargetProjection, X, 3, hidden=5, depth=depth, random_state=seed)
    rng = np.random.default_rng(seed)
    above = {name: rng.normal(size=a.shape) for name, a in weights(learner).items() if int(name[2:-1]) >= l}
    before, after = asked(learner, X, T), asked(learner.fork(**above), X, T)
    for name, change in before.items():
        assert np.array_equal(change, after[name]) == (int(name[2:-1]) < l), name


def test_it_learns_to_read_digits_far_better_than_chance():
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    learner = DirectRandomTargetProjection(epochs=20).fit(X[:1000] / 16, y[:1000])
    # by chance alone the share of 797 is 1 / 10, give or take sqrt(0.09 / 797); ten times as many are another matter
    assert learner.score(X[1000:] / 16, y[1000:]) > 0.1 + 10 * (0.09 / 797) ** 0.5
