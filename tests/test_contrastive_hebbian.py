"""Contrastive Hebbian learning against its equations in plain NumPy, and against Xie and Seung's theorem."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.learner import Sizes
from learners import contrastive_hebbian, equilibrium_propagation
from learners.backprop import Backprop
from learners.contrastive_hebbian import ContrastiveHebbian
from tests import naive
from tests.networks import answers, asked, close, data, forward, layers, made, output_error, taught, weights

SEEDS = st.integers(0, 2**32 - 1)
ACTIVATIONS = "linear", "sigmoid", "tanh", "relu", "leaky_relu", "elu"


def sends(Z, T, loss):
    """The activity of free outputs of potential Z: the target less the error."""
    return T - len(T) * output_error(Z, T, loss)


def told(learner, w, s, above, l):
    """f of what comes up and what comes down to hidden layer l."""
    over = above if l == len(s) - 2 else s[l + 1]
    u = s[l - 1] @ w[f"W[{l - 1}]"].T + w[f"b[{l - 1}]"] + learner.gamma * over @ w[f"W[{l}]"]
    return naive.VALUES[learner.activation](u)


def sweep(learner, w, s, above, stray=None):
    """Every hidden layer, from the top down, towards what it is told, less what the first phase was from there."""
    s, ways = [*s], []
    for l in range(len(s) - 2, 0, -1):
        way = told(learner, w, s, above, l) - s[l] + (stray[l - 1] if stray else 0)
        s[l] = s[l] + learner.step * way
        ways.append(np.abs(way).max())
    return s, max(ways, default=0.0)


def twin(learner, X, T):
    """The output, what is asked for, and what is left of settling in both phases, and of how large an activity."""
    w = weights(learner)
    L, s, left = layers(w), forward(w, X, learner.activation)[0], [0.0, 0.0]
    for _ in range(learner.steps):
        s, left[0] = sweep(learner, w, s, sends(s[-1], T, learner.loss))
        s[-1] = s[-2] @ w[f"W[{L - 1}]"].T + w[f"b[{L - 1}]"]
    out, free, held = s[-1], [*s[:-1], sends(s[-1], T, learner.loss)], [*s[:-1], T]
    stray = [free[l] - told(learner, w, free, free[-1], l) for l in range(1, L)]
    for _ in range(learner.steps):
        held, left[1] = sweep(learner, w, held, T, stray)
    found = {}
    for l in range(L):
        scale = learner.gamma ** (l + 1 - L) / len(X)
        found[f"W[{l}]"] = scale * (held[l + 1].T @ held[l] - free[l + 1].T @ free[l])
        found[f"b[{l}]"] = scale * (held[l + 1] - free[l + 1]).sum(0)
    return out, found, [*left, max(np.abs(x).max() for x in held[1:])]


def settles_and_learns_by_its_equations(cls):
    for i, activation in enumerate(ACTIVATIONS):
        for loss, K, depth in ("entropy", 3, 3), ("squared", 2, 2), ("entropy", 1, 1), ("squared", 2, 0):
            X, T = data(i, 5, 4, K, classes=loss == "entropy")
            shared = dict(activation=activation, loss=loss, gamma=0.4, steps=3, step=0.7, block=5 + (depth == 1))
            learner = made(cls, X, K, hidden=3, depth=depth, **shared)
            out, expected, left = twin(learner, X, T)
            close({"out": answers(learner, X, python=True)}, {"out": out})
            close(asked(learner, X, T, python=True), expected)
            np.testing.assert_allclose(taught(learner, X, T, python=True).arrays()["residual"], left, rtol=1e-9, atol=1e-14)


def phases_may_differ_by_less_than_rounding(cls):
    X, T = data(3, 4, 3, 2)
    for activation in ACTIVATIONS:
        learner = made(cls, X, 2, hidden=4, depth=4, activation=activation, gamma=0.01, bits=32)
        w = {name: a.astype(float) for name, a in weights(learner).items()}
        exact = made(cls, X, 2, hidden=4, depth=4, activation=activation, gamma=0.01).fork(**w)
        found, expected = asked(learner, X, T, python=True), asked(exact, X, T, python=True)
        for name, array in expected.items():
            np.testing.assert_allclose(found[name], array, atol=3e-5 * np.abs(array).max(), err_msg=name)


KNOWN_ANSWERS = {a.__name__: a for a in (settles_and_learns_by_its_equations, phases_may_differ_by_less_than_rounding)}
MUTATED = {
    ContrastiveHebbian: (
        *(ContrastiveHebbian.init, ContrastiveHebbian.respond, ContrastiveHebbian.learn),
        *(contrastive_hebbian.answer, contrastive_hebbian.inputs, contrastive_hebbian.approach, contrastive_hebbian.sweep),
        *(contrastive_hebbian.stand, contrastive_hebbian.depart, equilibrium_propagation.contrast),
    )
}


@pytest.mark.parametrize("name", KNOWN_ANSWERS)
def test_known_answer(name):
    KNOWN_ANSWERS[name](ContrastiveHebbian)


@settings(deadline=None, max_examples=25)
@given(
    seed=SEEDS, n=st.integers(1, 5), hidden=st.integers(1, 6), depth=st.integers(0, 4), d=st.integers(1, 4), K=st.integers(1, 4),
    activation=st.sampled_from(ACTIVATIONS), loss=st.sampled_from(["entropy", "squared"]), steps=st.integers(1, 4),
)  # fmt: skip
def test_the_compiled_rule_is_the_twin(seed, n, hidden, depth, d, K, activation, loss, steps):
    X, T = data(seed, n, d, K, classes=loss == "entropy")
    shape = dict(hidden=hidden, depth=depth, activation=activation, loss=loss, random_state=seed)
    learner = made(ContrastiveHebbian, X, K, **shape, gamma=0.3, steps=steps)
    out, expected, _ = twin(learner, X, T)
    close({"out": answers(learner, X)}, {"out": out}, 1e-10)
    close(asked(learner, X, T), expected, 1e-9)


@pytest.mark.parametrize(("loss", "activation"), [("squared", "tanh"), ("entropy", "sigmoid"), ("entropy", "tanh")])
def test_as_feedback_weakens_the_change_becomes_the_gradient(loss, activation):
    """What differs falls like gamma, in all layers."""
    X, T = data(4, 6, 4, 3, classes=loss == "entropy")
    shape = dict(hidden=5, depth=3, loss=loss, activation=activation)
    gradient = asked(made(Backprop, X, 3, **shape), X, T)
    gammas, away = [0.1, 0.03, 0.01, 0.003], []
    for gamma in gammas:
        found = asked(made(ContrastiveHebbian, X, 3, **shape, gamma=gamma, steps=100), X, T)
        away.append([np.linalg.norm(found[f"W[{l}]"] - g) / np.linalg.norm(g) for l in range(4) for g in [gradient[f"W[{l}]"]]])
    slopes = np.diff(np.log(away), axis=0) / np.diff(np.log(gammas))[:, None]
    np.testing.assert_allclose(slopes[-1], 1, atol=0.05)


def test_a_depth_that_no_float_can_tell_is_refused_by_name():
    with pytest.raises(ValueError, match=r"ContrastiveHebbian\.depth=32 with gamma=0\.05.*fewer layers, or stronger feedback"):
        ContrastiveHebbian(depth=32).begin(Sizes((3,), 2))
