"""PEPITA against its equations in plain NumPy, and against the feedback that its second pass amounts to."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.learner import Sizes
from learners import pepita, settling
from learners.kernels import LOSSES
from learners.pepita import Pepita
from tests import naive
from tests.networks import angle, asked, changes, close, data, forward, made, output_error, taught, weights

SEEDS = st.integers(0, 2**32 - 1)
ACTIVATIONS = "linear", "sigmoid", "tanh", "relu", "leaky_relu", "elu"


def twin(w, F, X, T, activation, loss):
    """Two passes: the second sees x + F (p - t), and each layer learns from the difference."""
    first, _ = forward(w, X, activation)
    e = -len(X) * output_error(first[-1], T, loss)
    second, _ = forward(w, X + e @ F.T, activation)
    d = [(h - a) / len(X) for a, h in zip(first[1:-1], second[1:-1], strict=True)]
    return changes(second, [*d, output_error(second[-1], T, loss)])


def follows_its_equations(cls):
    shapes = ("tanh", "entropy", 3), ("sigmoid", "squared", 2), ("relu", "entropy", 2), ("elu", "squared", 2)
    for activation, loss, depth in shapes:
        X, T = data(3, 5, 4, 3)
        learner = made(cls, X, 3, hidden=6, depth=depth, activation=activation, loss=loss, block=7, strength=0.7)
        w, F = weights(learner), learner.arrays()["F"].copy()
        close(asked(learner, X, T, python=True), twin(w, F, X, T, activation, loss))


def draws_feedback_evenly_within_its_bound_and_keeps_it(cls):
    X, T = data(4, 5, 40, 30)
    learner = made(cls, X, 30, hidden=5, depth=2, strength=0.2)
    F, bound = learner.arrays()["F"].copy(), 0.2 * (6 / 40) ** 0.5
    assert F.shape == (40, 30)
    assert np.abs(F).max() <= bound
    assert abs((F**2).mean() / (bound**2 / 3) - 1) < 4 * (0.8 / F.size) ** 0.5
    assert abs(F.mean()) < 4 * bound / (3 * F.size) ** 0.5
    assert np.array_equal(taught(learner, X, T, python=True).arrays()["F"], F)


KNOWN_ANSWERS = {a.__name__: a for a in (follows_its_equations, draws_feedback_evenly_within_its_bound_and_keeps_it)}
MUTATED = {Pepita: (pepita.init, pepita.modulate, pepita.depart, pepita.learn, settling.shift)}


@pytest.mark.parametrize("name", KNOWN_ANSWERS)
def test_known_answer(name):
    KNOWN_ANSWERS[name](Pepita)


@settings(deadline=None, max_examples=25)
@given(
    seed=SEEDS, n=st.integers(1, 5), spare=st.integers(0, 3), hidden=st.integers(1, 6), depth=st.integers(0, 4),
    d=st.integers(1, 4), K=st.integers(1, 4), activation=st.sampled_from(ACTIVATIONS), loss=st.sampled_from(LOSSES),
    strength=st.floats(0, 2),
)  # fmt: skip
def test_the_compiled_rule_is_the_twin(seed, n, spare, d, K, **given_):
    X, T = data(seed, n, d, K, classes=given_["loss"] == "entropy")
    learner = made(Pepita, X, K, random_state=seed, block=n + spare, **given_)
    w, F = weights(learner), learner.arrays()["F"].copy()
    close(asked(learner, X, T), twin(w, F, X, T, given_["activation"], given_["loss"]), 1e-10)


@settings(deadline=None, max_examples=15)
@given(seed=SEEDS, depth=st.integers(0, 4), n=st.integers(1, 5), activation=st.sampled_from(ACTIVATIONS))
def test_without_feedback_only_the_readout_learns_and_by_the_delta_rule(seed, depth, n, activation):
    X, T = data(seed, n, 3, 3)
    learner = made(Pepita, X, 3, hidden=4, depth=depth, random_state=seed, strength=0, activation=activation)
    a, _ = forward(weights(learner), X, activation)
    e = output_error(a[-1], T, "entropy")
    found = asked(learner, X, T)
    close(found, {f"W[{depth}]": e.T @ a[-2], f"b[{depth}]": e.sum(0)})
    for l in range(depth):
        assert not np.abs(found[f"W[{l}]"]).max() > 1e-14
        assert not np.abs(found[f"b[{l}]"]).max() > 1e-14


def slopes(w, X, activation):
    """J[l] (n, n[l+1], d): the slope of every layer's activity by the signal, at each row of X."""
    _, u = forward(w, X, activation)
    J, found = np.broadcast_to(np.eye(X.shape[1]), (len(X), X.shape[1], X.shape[1])), []
    for l, potential in enumerate(u[:-1]):
        J = naive.SLOPES[activation](potential)[:, :, None] * (w[f"W[{l}]"] @ J)
        found.append(J)
    return found


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "elu"])
def test_for_small_feedback_it_is_feedback_alignment_through_the_slope_by_the_signal(activation):
    """d[l] = J[l] F (p - t) / n, with an error that falls as the strength does."""
    X, T = data(5, 6, 4, 3)
    start = made(Pepita, X, 3, hidden=5, depth=3, activation=activation)
    w, F = weights(start), start.arrays()["F"] / 0.05
    e = -output_error(forward(w, X, activation)[0][-1], T, "entropy")
    off = []
    for strength in 1e-2, 1e-3, 1e-4:
        found = asked(start.fork(F=strength * F), X, T)
        d = [np.einsum("nij,jk,nk->ni", J, F, e) for J in slopes(w, X, activation)]
        off.append([np.abs(found[f"b[{l}]"] / strength - d[l].sum(0)).max() / np.abs(d[l].sum(0)).max() for l in range(3)])
    ratio = np.array(off)[:-1] / np.array(off)[1:]
    assert (np.array(off)[-1] < 1e-3).all()
    assert (np.abs(ratio - 10) < 1).all()


def lived(seed, steps=10_000):
    """A 20-20-5 network before and after a linear teacher's lessons.

    The angles of F to (W[1] W[0])', and of the change of W[0] to the gradient's.
    """
    rng = np.random.default_rng(seed)
    learner = Pepita(
        hidden=20, depth=1, optimiser="sgd", rate=0.1, block=10, bits=64, strength=0.1, random_state=seed,
    ).begin(Sizes((20,), 5))  # fmt: skip
    X = rng.normal(size=(steps, 20))
    T = np.eye(5)[(X @ rng.normal(size=(20, 5))).argmax(1)]
    a = learner.arrays()

    def angles():
        seen = learner.fork(block=200).observe(X[:200, None], T[:200, None])
        return angle(a["F"], (a["W[1]"] @ a["W[0]"]).T), seen["angle[0]"]

    before = angles()
    learner.live(X[:, None], T[:, None])
    return before, angles()


def test_the_weights_turn_away_from_feedback_and_so_its_changes_to_the_gradient():
    """As in the paper, the product of weights turns to the opposite of F, for errors are added to the signal, not taken off.

    At first they are unrelated: ten angles of 100 numbers each have a mean of 90 and a deviation of 1.8 degrees.
    """
    before, after = np.transpose([lived(seed) for seed in range(10)], (1, 2, 0))
    assert abs(before[0].mean() - 90) < 7
    assert (after[0] > before[0]).all()
    assert after[1].max() < 90
    assert after[1].mean() < before[1].mean() - 5
