"""Kolen and Pollack's rule against its equations in plain NumPy, and against its theorem."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learners import kolen_pollack, network
from learners.backprop import Backprop
from learners.descent import OPTIMISERS
from learners.kernels import LOSSES
from learners.kolen_pollack import KolenPollack
from tests import naive
from tests.networks import angle, asked, changes, close, data, forward, made, output_error, taught, weights

SEEDS = st.integers(0, 2**32 - 1)
ACTIVATIONS = "linear", "sigmoid", "tanh", "relu", "leaky_relu", "elu"


def twin(w, F, X, T, activation, loss):
    """The chain rule with F in the place of W; F is asked to change as W' is."""
    a, u = forward(w, X, activation)
    d = [output_error(a[-1], T, loss)]
    for l in range(len(u) - 1, 0, -1):
        d.insert(0, naive.SLOPES[activation](u[l - 1]) * (d[0] @ F[f"F[{l - 1}]"].T))
    found = changes(a, d)
    return found | {f"F[{l}]": found[f"W[{l + 1}]"].T for l in range(len(u) - 1)}


def apart(learner):
    """W[l+1]' - F[l] of every hidden layer."""
    a = learner.arrays()
    return {f"F[{l}]": a[f"W[{l + 1}]"].T - a[f"F[{l}]"] for l in range(learner.depth)}


def follows_its_equations(cls):
    for activation, loss, depth in ("tanh", "entropy", 3), ("sigmoid", "squared", 2), ("relu", "entropy", 1):
        X, T = data(3, 5, 4, 3)
        learner = made(cls, X, 3, hidden=6, depth=depth, activation=activation, loss=loss, block=7)
        w, F = weights(learner), weights(learner, "F")
        close(asked(learner, X, T, stems="WbF", python=True), twin(w, F, X, T, activation, loss))


def difference_fades_by_a_fixed_share(cls):
    X, T = data(5, 6, 4, 3)
    learner = made(cls, X, 3, hidden=5, depth=3, optimiser="sgd", rate=0.2, decay=0.15)
    start = apart(learner)
    for t in range(1, 31):
        taught(learner, X, T, python=True)
        close(apart(learner), {name: (1 - 0.2 * 0.15) ** t * gap for name, gap in start.items()}, 1e-12)


KNOWN_ANSWERS = {a.__name__: a for a in (follows_its_equations, difference_fades_by_a_fixed_share)}
MUTATED = {
    KolenPollack: (kolen_pollack.init, kolen_pollack.reciprocate, kolen_pollack.learn, network.feed_back),
}


@pytest.mark.parametrize("name", KNOWN_ANSWERS)
def test_known_answer(name):
    KNOWN_ANSWERS[name](KolenPollack)


@settings(deadline=None, max_examples=25)
@given(
    seed=SEEDS, n=st.integers(1, 5), hidden=st.integers(1, 6), depth=st.integers(0, 4), d=st.integers(1, 4), K=st.integers(1, 4),
    activation=st.sampled_from(ACTIVATIONS), loss=st.sampled_from(LOSSES),
)  # fmt: skip
def test_the_compiled_rule_is_the_twin(seed, n, hidden, depth, d, K, activation, loss):
    X, T = data(seed, n, d, K, classes=loss == "entropy")
    shape = dict(hidden=hidden, depth=depth, activation=activation, loss=loss, random_state=seed)
    learner = made(KolenPollack, X, K, **shape)
    w, F = weights(learner), weights(learner, "F")
    close(asked(learner, X, T, stems="WbF"), twin(w, F, X, T, activation, loss), 1e-10)


@settings(deadline=None, max_examples=20)
@given(
    seed=SEEDS, depth=st.integers(1, 4), steps=st.integers(1, 60), rate=st.floats(1e-3, 0.1), decay=st.floats(0, 5),
    optimiser=st.sampled_from(OPTIMISERS),
)  # fmt: skip
def test_the_difference_decays_exactly_under_every_optimiser(seed, depth, steps, rate, decay, optimiser):
    """Both see the same changes. Adam and RMSprop divide by |g| + 1e-8, and enlarge the rounding of a g near 0 by 1e8."""
    X, T = data(seed, 6, 4, 3)
    learner = made(
        KolenPollack, X, 3, hidden=5, depth=depth, optimiser=optimiser, rate=rate, decay=decay, random_state=seed, loss="squared"
    )
    start = apart(learner)
    learner.live(X[:, None], T[:, None], orders=np.tile(np.arange(6), (steps, 1)))
    share = (1 - rate * decay) ** steps
    close(apart(learner), {n: share * gap for n, gap in start.items()}, 1e-12 if optimiser in ("sgd", "momentum") else 1e-6)


@settings(deadline=None, max_examples=10)
@given(seed=SEEDS, depth=st.integers(1, 3), optimiser=st.sampled_from(["sgd", "momentum"]))
def test_from_equal_weights_it_is_backprop_for_ever(seed, depth, optimiser):
    X, T = data(seed, 6, 4, 3)
    shape = dict(hidden=5, depth=depth, optimiser=optimiser, rate=0.05, decay=0.1, random_state=seed)
    learner, exact = made(KolenPollack, X, 3, **shape), made(Backprop, X, 3, **shape)
    learner = learner.fork(**{f"F[{l}]": exact.arrays()[f"W[{l + 1}]"].T for l in range(depth)})
    for _ in range(20):
        close(weights(taught(learner, X, T)), weights(taught(exact, X, T)), 1e-10)


def test_feedback_comes_to_agree_with_what_it_replaces():
    X, T = data(1, 50, 8, 4)
    learner = made(KolenPollack, X, 4, hidden=30, depth=2, decay=1.0)
    learner.live(X[:, None], T[:, None], orders=np.tile(np.arange(50), (1500, 1)))
    a = learner.arrays()
    # what is left of the start is (1 - 0.003)^1500 = 1.1 %
    assert max(angle(a[f"F[{l}]"], a[f"W[{l + 1}]"].T) for l in range(2)) < 5
