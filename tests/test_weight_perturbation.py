"""Weight perturbation against its equations in plain NumPy, and against what is known of its mean and its variance."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learners import node_perturbation, weight_perturbation
from learners.backprop import Backprop
from learners.node_perturbation import DRAWS
from learners.weight_perturbation import SIDES, WeightPerturbation
from tests import naive
from tests.networks import asked, close, data, made, taught, weights
from tests.test_node_perturbation import drawn, mean_cosine

SEEDS = st.integers(0, 2**32 - 1)


def twin(learner, X, T):
    """What weight perturbation asks for from the counter of the noise on: noise for all W, then for all b."""
    w = weights(learner)
    sizes = [sum(a.size for name, a in w.items() if name[0] == stem) for stem in "Wb"]
    flat = np.concatenate(drawn(learner.arrays()["noise"][0], sizes, learner.draw))
    noise = dict(zip(w, np.split(flat, np.cumsum([a.size for a in w.values()])[:-1]), strict=True))
    noise = {name: e.reshape(w[name].shape) for name, e in noise.items()}

    def loss(step):
        moved = {name: a + step * noise[name] for name, a in w.items()}
        return naive.loss(naive.mlp(moved, X, learner.activation)[0], T, learner.loss)

    s = learner.sigma
    gain = (loss(-s) - loss(s)) / (2 * s) if learner.sides == "two" else (loss(0) - loss(s)) / s
    return {name: gain * e for name, e in noise.items()}


def follows_its_equations(cls):
    for activation, loss, K, depth, draw, sides in (
        *(("tanh", "entropy", 3, 2, "normal", "two"), ("sigmoid", "squared", 2, 2, "signs", "one")),
        *(("relu", "entropy", 1, 1, "normal", "one"), ("tanh", "squared", 3, 0, "signs", "two")),
    ):
        X, T = data(3, 5, 4, K, classes=loss == "entropy")
        shape = dict(hidden=3, depth=depth, activation=activation, loss=loss, block=7, sigma=0.3, draw=draw, sides=sides)
        learner = made(cls, X, K, **shape)
        for _ in range(2):
            close(asked(learner, X, T, python=True), twin(learner, X, T), 1e-10)
            taught(learner, X, T, python=True)


KNOWN_ANSWERS = {a.__name__: a for a in (follows_its_equations,)}
MUTATED = {
    WeightPerturbation: (
        *(weight_perturbation.init, weight_perturbation.learn, weight_perturbation.moved),
        *(weight_perturbation.mean_cost, node_perturbation.shake),
    )
}


@pytest.mark.parametrize("name", KNOWN_ANSWERS)
def test_known_answer(name):
    KNOWN_ANSWERS[name](WeightPerturbation)


@settings(deadline=None, max_examples=25)
@given(
    seed=SEEDS, n=st.integers(1, 5), spare=st.integers(0, 3), hidden=st.integers(1, 6), depth=st.integers(0, 4),
    d=st.integers(1, 4), K=st.integers(1, 4), sigma=st.floats(0.05, 3), draw=st.sampled_from(DRAWS),
    sides=st.sampled_from(SIDES), activation=st.sampled_from(["linear", "sigmoid", "tanh", "relu", "leaky_relu", "elu"]),
    loss=st.sampled_from(["entropy", "squared"]),
)  # fmt: skip
def test_the_compiled_rule_is_the_twin(seed, n, spare, hidden, depth, d, K, loss, **given_):
    X, T = data(seed, n, d, K, classes=loss == "entropy")
    shape = dict(hidden=hidden, depth=depth, random_state=seed, block=n + spare, loss=loss)
    learner = made(WeightPerturbation, X, K, **shape, **given_)
    close(asked(learner, X, T), twin(learner, X, T), 1e-9)


def flat(changes):
    """All of them as one vector."""
    return np.concatenate([a.ravel() for a in changes.values()])


def estimates(draws, sigma=1e-5, draw="normal", sides="two", **shape):
    """Estimates (draws, weights) of the gradient of a block of 3, and what back-propagation says it is.

    In steps of a millionth, taken back each time, the weights stay where they are.
    """
    X, T = data(5, 3, 4, 2, classes=False)
    shape |= dict(loss="squared", optimiser="sgd", rate=1e-6)
    learner, found = made(WeightPerturbation, X, 2, sigma=sigma, draw=draw, sides=sides, **shape), []
    start, asks = weights(learner), {"d" + name for name in weights(learner)}
    for _ in range(draws):
        taught(learner, X, T)
        arrays = learner.arrays()
        found.append(flat({name: arrays[name] for name in arrays if name in asks}))
        learner.layout_.write(start)
    return np.array(found), flat(asked(made(Backprop, X, 2, **shape), X, T))


@pytest.mark.parametrize("sides", SIDES)
@pytest.mark.parametrize("draw", DRAWS)
def test_the_mean_is_the_gradient(draw, sides):
    """Of 5,000 draws: every entry within 4.5 of its own standard errors, and all of them in their mean square near 1."""
    g, exact = estimates(5000, hidden=3, depth=1, activation="tanh", draw=draw, sides=sides)
    z = (g.mean(0) - exact) / (g.std(0) / 5000**0.5)
    assert np.abs(z).max() < 4.5
    assert (z**2).mean() < 2


@pytest.mark.parametrize(("draw", "extra"), [("normal", 2), ("signs", 0)])
def test_the_second_moment_is_known(draw, extra):
    """E |ghat|^2 = (n + 2) |g|^2 for n normal numbers, n |g|^2 for n signs; of 40,000 draws the standard error is 0.8 %."""
    g, exact = estimates(40000, hidden=3, depth=1, activation="tanh", draw=draw)
    assert exact.size == 23
    squares = (g**2).sum(1) / (exact @ exact)
    assert abs(squares.mean() - exact.size - extra) < 4.5 * squares.std() / 40000**0.5


@pytest.mark.parametrize("hidden", [2, 8, 32])
def test_the_cosine_with_the_gradient_falls_as_the_root_of_the_number_of_weights(hidden):
    g, exact = estimates(3000, hidden=hidden, depth=1, activation="tanh")
    cosines = g @ exact / np.linalg.norm(g, axis=1) / np.linalg.norm(exact)
    assert exact.size == 7 * hidden + 2
    assert abs(cosines.mean() - mean_cosine(exact.size)) < 4.5 * cosines.std() / 3000**0.5


def test_two_sides_leave_out_the_curvature():
    """What one draw gets wrong, g(sigma) - g(0) along it, falls with sigma for one side, and with its square for two."""
    X, T = data(6, 5, 4, 3)
    for sides, slope in ("one", 1), ("two", 2):
        shape = dict(hidden=5, depth=2, sides=sides)
        found = [flat(asked(made(WeightPerturbation, X, 3, sigma=s, **shape), X, T)) for s in (1e-4, 0.01, 0.02)]
        wrong = [np.linalg.norm(g - found[0]) for g in found[1:]]
        assert abs(math.log2(wrong[1] / wrong[0]) - slope) < 0.1


def test_a_small_step_lowers_the_loss_in_the_mean():
    """Of plain descent: the mean loss after 1000 blocks is below the first, for all of ten seeds."""
    for seed in range(10):
        X, T = data(seed, 50, 5, 3)
        learner = made(WeightPerturbation, X, 3, hidden=10, depth=1, optimiser="sgd", rate=2e-3, random_state=seed)
        before = naive.loss(learner.fork().live(X[:, None])[:, 0], T, "entropy")
        learner.live(X[:, None], T[:, None], orders=np.tile(np.arange(50), (1000, 1)))
        assert naive.loss(learner.fork().live(X[:, None])[:, 0], T, "entropy") < before
