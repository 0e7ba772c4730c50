"""Zero-divergence inference learning is back-propagation, and with half a step or another clock it is not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learners import z_il
from learners.backprop import Backprop
from learners.z_il import ZIL
from tests import naive
from tests.networks import asked, changes, close, data, forward, made, output_error, weights

SEEDS = st.integers(0, 2**32 - 1)
ACTIVATIONS = "linear", "sigmoid", "tanh", "relu", "leaky_relu", "elu"


def twin(w, X, T, activation, loss, step=1.0, late=0):
    """Predictive coding that takes layer l's change at step L - 1 - l + late."""
    a, u = forward(w, X, activation)
    L, x, found = len(u), a[:-1], {}
    for t in range(L + late):
        u = [y @ w[f"W[{l}]"].T + w[f"b[{l}]"] for l, y in enumerate(x)]
        e = [y - naive.VALUES[activation](v) for y, v in zip(x[1:], u, strict=False)]
        g = [y * naive.SLOPES[activation](v) for y, v in zip(e, u, strict=False)]
        g.append(output_error(u[-1], T, loss) * len(T))
        now = changes(x, [y / len(T) for y in g])
        l = L - 1 - t + late
        found |= {name: now[name] for name in (f"W[{l}]", f"b[{l}]") if name in now}
        x = [x[0], *(y + step * (g[l + 1] @ w[f"W[{l + 1}]"] - e[l]) for l, y in enumerate(x[1:]))]
    return found


def is_back_propagation(cls):
    for i, activation in enumerate(ACTIVATIONS):
        for loss, K, depth in ("entropy", 3, 3), ("squared", 2, 1), ("entropy", 1, 0):
            X, T = data(i, 5, 4, K, classes=loss == "entropy")
            params = dict(hidden=4, depth=depth, activation=activation, loss=loss, block=7)
            expected = asked(made(Backprop, X, K, **params), X, T, python=True)
            close(asked(made(cls, X, K, **params), X, T, python=True), expected, 1e-12)


def with_another_step_it_is_predictive_coding_with_another_clock(cls):
    for activation in "tanh", "relu":
        X, T = data(1, 5, 4, 3)
        learner = made(cls, X, 3, hidden=4, depth=3, activation=activation, step=0.5)
        expected = twin(weights(learner), X, T, activation, "entropy", step=0.5)
        close(asked(learner, X, T, python=True), expected)


KNOWN_ANSWERS = {a.__name__: a for a in (is_back_propagation, with_another_step_it_is_predictive_coding_with_another_clock)}
MUTATED = {ZIL: (ZIL.learn, z_il.change_one)}


@pytest.mark.parametrize("name", KNOWN_ANSWERS)
def test_known_answer(name):
    KNOWN_ANSWERS[name](ZIL)


@settings(deadline=None, max_examples=60)
@given(
    seed=SEEDS, n=st.integers(1, 5), spare=st.integers(0, 3), hidden=st.integers(1, 8), depth=st.integers(0, 6),
    d=st.integers(1, 4), K=st.integers(1, 4), activation=st.sampled_from(ACTIVATIONS),
    loss=st.sampled_from(["entropy", "squared"]), start=st.sampled_from(["xavier", "scaled"]),
)  # fmt: skip
def test_it_is_back_propagation_whatever_the_network(seed, n, spare, hidden, depth, d, K, activation, loss, start):
    X, T = data(seed, n, d, K, classes=loss == "entropy")
    shape = dict(hidden=hidden, depth=depth, activation=activation, loss=loss, start=start, random_state=seed, block=n + spare)
    close(asked(made(ZIL, X, K, **shape), X, T), asked(made(Backprop, X, K, **shape), X, T), 1e-12)


def cosine(found, expected):
    x, y = (np.concatenate([a[name].ravel() for name in expected]) for a in (found, expected))
    return x @ y / np.linalg.norm(x) / np.linalg.norm(y)


def test_half_a_step_or_a_step_late_is_another_rule():
    """Half a step halves the error of each layer down; a step late, layers above have moved."""
    X, T = data(2, 8, 6, 3)
    learner = made(ZIL, X, 3, hidden=8, depth=3)
    w, gradient = weights(learner), asked(made(Backprop, X, 3, hidden=8, depth=3), X, T)
    halves = asked(learner.fork(step=0.5), X, T)
    for l in range(4):
        np.testing.assert_allclose(halves[f"W[{l}]"], 0.5 ** (3 - l) * gradient[f"W[{l}]"], rtol=1e-10, atol=1e-14)
    assert cosine(halves, gradient) < 0.99
    assert cosine(twin(w, X, T, "tanh", "entropy"), gradient) > 1 - 1e-14
    assert cosine(twin(w, X, T, "tanh", "entropy", late=1), gradient) < 0.99
