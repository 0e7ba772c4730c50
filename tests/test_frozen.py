"""The frozen network: its hidden layers stay, bit for bit, and its read-out is a network of one layer on what they make."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learners import frozen, kernels
from learners.backprop import Backprop
from learners.descent import OPTIMISERS
from learners.frozen import FrozenHidden
from learners.kernels import LOSSES
from tests.networks import answers, asked, changes, close, data, forward, layers, made, output_error, taught, weights

SEEDS = st.integers(0, 2**32 - 1)
ACTIVATIONS = "linear", "sigmoid", "tanh", "relu", "leaky_relu", "elu"


def read_out(learner, X, T, **params):
    """A network of one layer that begins as this read-out, and the features that it is to be shown."""
    w = weights(learner)
    L = layers(w)
    features = forward(w, X, learner.activation)[0][-2]
    alone = made(Backprop, features, T.shape[1], depth=0, loss=learner.loss, **params)
    return alone.fork(**{"W[0]": w[f"W[{L - 1}]"], "b[0]": w[f"b[{L - 1}]"]}), features


def agrees_with_a_layer_alone(cls, seed=3, depth=2, steps=4, *, activation="tanh", loss="entropy", python=True, **params):
    X, T = data(seed, 5, 4, 3, classes=loss == "entropy")
    learner = made(cls, X, 3, hidden=6, depth=depth, activation=activation, loss=loss, random_state=seed, **params)
    before = weights(learner)
    alone, features = read_out(learner, X, T, **params)
    for _ in range(steps):
        taught(learner, X, T, python=python)
        taught(alone, features, T, python=python)
    after = weights(learner)
    hidden = [name for name in before if int(name[2:-1]) < depth]
    close(after, {name: before[name] for name in hidden}, 0)
    close({name: after[f"{name}[{depth}]"] for name in "Wb"}, {name: alone.arrays()[f"{name}[0]"] for name in "Wb"}, 1e-8)


def learns_at_the_top_alone(cls):
    for optimiser in OPTIMISERS:
        agrees_with_a_layer_alone(cls, optimiser=optimiser, rate=0.1, decay=0.3, beta=0.8, beta2=0.95)


def asks_for_the_last_layers_gradient_alone(cls):
    for loss, K in ("entropy", 3), ("entropy", 1), ("squared", 3):
        X, T = data(4, 5, 4, K)
        learner = made(cls, X, K, hidden=6, depth=2, loss=loss, block=7)
        a, _ = forward(weights(learner), X, "tanh")
        silent = [np.zeros_like(a[1]), np.zeros_like(a[2])]
        close(asked(learner, X, T, python=True), changes(a, [*silent, output_error(a[3], T, loss)]))


KNOWN_ANSWERS = {a.__name__: a for a in (learns_at_the_top_alone, asks_for_the_last_layers_gradient_alone)}
MUTATED = {FrozenHidden: (frozen.learn, frozen.adapt, kernels.error)}


@pytest.mark.parametrize("name", KNOWN_ANSWERS)
def test_known_answer(name):
    KNOWN_ANSWERS[name](FrozenHidden)


@settings(deadline=None, max_examples=25)
@given(
    seed=SEEDS, depth=st.integers(0, 4), steps=st.integers(1, 5), activation=st.sampled_from(ACTIVATIONS),
    loss=st.sampled_from(LOSSES), optimiser=st.sampled_from(OPTIMISERS), decay=st.floats(0, 2),
)  # fmt: skip
def test_the_compiled_read_out_is_a_layer_alone(seed, depth, steps, **params):
    agrees_with_a_layer_alone(FrozenHidden, seed, depth, steps, python=False, rate=0.05, **params)


@settings(deadline=None, max_examples=10)
@given(seed=SEEDS, depth=st.integers(0, 3))
def test_it_says_which_synapses_learn(seed, depth):
    X, T = data(seed, 5, 4, 3)
    learner = made(FrozenHidden, X, 3, hidden=4, depth=depth, random_state=seed)
    before = weights(learner)
    taught(learner, X, T)
    moved = {name for name, array in weights(learner).items() if not np.array_equal(array, before[name])}
    assert moved == {s.array for s in learner.wiring() if s.plastic} == {f"W[{depth}]", f"b[{depth}]"}


def test_without_hidden_layers_it_is_backprop():
    X, T = data(2, 5, 4, 3)
    ours, theirs = (made(cls, X, 3, depth=0) for cls in (FrozenHidden, Backprop))
    for _ in range(3):
        close({"out": answers(taught(ours, X, T), X)}, {"out": answers(taught(theirs, X, T), X)}, 1e-12)
