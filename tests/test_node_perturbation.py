"""Node perturbation against its equations in plain NumPy, and against what is known of its mean and its variance."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.learner import Sizes
from harness.noise import GOLDEN
from learners import draws, node_perturbation
from learners.backprop import Backprop
from learners.kernels import LOSSES
from learners.node_perturbation import NodePerturbation
from tests import naive
from tests.networks import asked, changes, close, data, forward, made, taught, weights

SEEDS = st.integers(0, 2**32 - 1)


def drawn(counter, sizes, draw):
    """Noise of several sizes, one after the other, from the counter on; normal numbers come in pairs."""
    pairs = [-(-size // 2) * 2 if draw == "normal" else size for size in sizes]
    even = np.array([(z >> 11) * 2.0**-53 for z in naive.splitmix64(int(counter), sum(pairs))])
    found = []
    for part, size in zip(np.split(even, np.cumsum(pairs)[:-1]), sizes, strict=True):
        if draw == "signs":
            found.append(np.where(part < 0.5, 1.0, -1.0))
        else:
            z = np.sqrt(-2 * np.log(1 - part[::2])) * np.exp(2j * np.pi * part[1::2])
            found.append(np.column_stack([z.real, z.imag]).ravel()[:size])
    return found


def shaken(w, X, activation, noise):
    """The last layer's answer with noise[l] in the potentials of layer l."""
    for l, e in enumerate(noise):
        X = X @ w[f"W[{l}]"].T + w[f"b[{l}]"] + e
        if l < len(noise) - 1:
            X = naive.VALUES[activation](X)
    return X


def losses(Z, T, loss):
    """The loss of every row."""
    return np.array([naive.loss(z[None], t[None], loss) for z, t in zip(Z, T, strict=True)])


def twin(learner, X, T):
    """What node perturbation asks for from the counter of the noise on."""
    w, n, B = weights(learner), learner.arrays()["n"][1:], len(X)
    noise = [e.reshape(B, m) for e, m in zip(drawn(learner.arrays()["noise"][0], B * n, learner.draw), n, strict=True)]
    a, _ = forward(w, X, learner.activation)
    worse = shaken(w, X, learner.activation, [learner.sigma * e for e in noise])
    gain = losses(a[-1], T, learner.loss) - losses(worse, T, learner.loss)
    return changes(a, [gain[:, None] / learner.sigma / B * e for e in noise])


def follows_its_equations(cls):
    for activation, loss, K, depth, draw in (
        *(("tanh", "entropy", 3, 3, "normal"), ("sigmoid", "squared", 2, 2, "signs")),
        *(("relu", "entropy", 1, 1, "normal"), ("tanh", "squared", 3, 0, "signs")),
    ):
        X, T = data(3, 5, 4, K, classes=loss == "entropy")
        shape = dict(hidden=3, depth=depth, activation=activation, loss=loss, block=7, sigma=0.3, draw=draw)
        learner = made(cls, X, K, **shape)
        for _ in range(2):
            expected = twin(learner, X, T)
            close(asked(learner, X, T, python=True), expected, 1e-10)
            taught(learner, X, T, python=True)


def losses_are_those_of_the_formula(_):
    for loss, K in ("entropy", 3), ("entropy", 1), ("squared", 2):
        _, T = data(4, 6, 1, K)
        Z = np.random.default_rng(4).normal(size=(6, K)) * np.array([[1], [1], [1], [1], [200], [200]])
        Z[5, :-1], Z[5, -1] = -600, 600  # exp(1200) is no number
        s = np.zeros_like(Z)
        node_perturbation.powers(Z.ravel(), s.reshape(-1), *Z.shape)
        found = [node_perturbation.cost(z, s[i], T, i, LOSSES.index(loss)) for i, z in enumerate(Z)]
        safe = Z - Z.max(1, keepdims=True) if K > 1 and loss == "entropy" else Z
        np.testing.assert_allclose(found, losses(safe, T, loss), rtol=1e-12, atol=1e-14)


def draws_the_same_numbers_in_single_precision(_):
    for size in 1, 6, 9:
        x, noise = np.zeros(size, np.float32), np.array([5], np.uint64)
        with np.errstate(over="ignore"):
            draws.normal(x, noise, size)
        np.testing.assert_allclose(x, drawn(5, [size], "normal")[0], rtol=0, atol=2e-6)
        assert noise[0] == (5 + -(-size // 2) * 2 * int(GOLDEN)) % 2**64


KNOWN_ANSWERS = {
    a.__name__: a for a in (follows_its_equations, losses_are_those_of_the_formula, draws_the_same_numbers_in_single_precision)
}
MUTATED = {
    NodePerturbation: (
        *(node_perturbation.init, node_perturbation.learn, node_perturbation.shake),
        *(node_perturbation.noisy, node_perturbation.cost, node_perturbation.powers, draws.normal, draws.signs),
    )
}


@pytest.mark.parametrize("name", KNOWN_ANSWERS)
def test_known_answer(name):
    KNOWN_ANSWERS[name](NodePerturbation)


@settings(deadline=None, max_examples=25)
@given(
    seed=SEEDS, n=st.integers(1, 5), spare=st.integers(0, 3), hidden=st.integers(1, 6), depth=st.integers(0, 4),
    d=st.integers(1, 4), K=st.integers(1, 4), sigma=st.floats(0.05, 3), draw=st.sampled_from(node_perturbation.DRAWS),
    activation=st.sampled_from(["linear", "sigmoid", "tanh", "relu", "leaky_relu", "elu"]),
    loss=st.sampled_from(["entropy", "squared"]),
)  # fmt: skip
def test_the_compiled_rule_is_the_twin(seed, n, spare, hidden, depth, d, K, loss, **given_):
    X, T = data(seed, n, d, K, classes=loss == "entropy")
    shape = dict(hidden=hidden, depth=depth, random_state=seed, block=n + spare, loss=loss)
    learner = made(NodePerturbation, X, K, **shape, **given_)
    close(asked(learner, X, T), twin(learner, X, T), 1e-9)


def estimates(draws, blocks=1, sigma=1e-4, draw="normal", **shape):
    """Estimates (blocks draws, units) of one signal's gradient by potential, and what back-propagation says it is.

    In steps of a millionth the weights stay where they are.
    """
    X, T = data(5, 1, 6, 4, classes=False)
    X, T = np.repeat(X, draws, 0), np.repeat(T, draws, 0)
    shape |= dict(loss="squared", optimiser="sgd", rate=1e-6)

    def potentials(learner):
        a = taught(learner, X, T).arrays()
        return draws * np.hstack([a[f"d[{l}]"] for l in range(learner.depth + 1)])

    learner = made(NodePerturbation, X, 4, sigma=sigma, draw=draw, **shape)
    return np.vstack([potentials(learner) for _ in range(blocks)]), potentials(made(Backprop, X, 4, **shape))[0]


@pytest.mark.parametrize("draw", node_perturbation.DRAWS)
def test_the_mean_is_the_gradient(draw):
    """Of 20,000 draws: every entry within 4.5 of its own standard errors, and all of them in their mean square near 1."""
    g, exact = estimates(20000, hidden=8, depth=2, activation="tanh", draw=draw)
    assert exact.size == 20
    z = (g.mean(0) - exact) / (g.std(0) / 20000**0.5)
    assert np.abs(z).max() < 4.5
    assert (z**2).mean() < 2


@pytest.mark.parametrize(("draw", "extra"), [("normal", 2), ("signs", 0)])
def test_the_second_moment_is_known(draw, extra):
    """E |ghat|^2 = (n + 2) |g|^2 for n normal numbers, n |g|^2 for n signs: of 200,000 draws within 2 %."""
    g, exact = estimates(50000, 4, hidden=8, depth=2, activation="linear", draw=draw)
    assert abs((g**2).sum(1).mean() / (exact @ exact) / (exact.size + extra) - 1) < 0.02


def mean_cosine(n):
    """Of a fixed direction with n normal numbers: Gamma(n / 2) / (sqrt(pi) Gamma((n + 1) / 2)), about sqrt(2 / (pi n))."""
    return math.exp(math.lgamma(n / 2) - math.lgamma((n + 1) / 2)) / math.pi**0.5


@pytest.mark.parametrize("hidden", [1, 4, 16, 64, 256])
def test_the_cosine_with_the_gradient_falls_as_the_root_of_the_number_of_units(hidden):
    g, exact = estimates(5000, hidden=hidden, depth=1, activation="tanh", sigma=1e-5)
    cosines = g @ exact / np.linalg.norm(g, axis=1) / np.linalg.norm(exact)
    expected = mean_cosine(hidden + 4)
    assert abs(cosines.mean() - expected) < 4.5 * cosines.std() / 5000**0.5
    assert abs(expected * (math.pi * (hidden + 4) / 2) ** 0.5 - 1) < 0.06


def test_a_small_step_lowers_the_loss_in_the_mean():
    """Of plain descent: the mean loss after 300 blocks is below the first, for all of ten seeds."""
    for seed in range(10):
        X, T = data(seed, 50, 5, 3)
        learner = made(NodePerturbation, X, 3, hidden=10, depth=1, optimiser="sgd", rate=0.02, random_state=seed)
        before = naive.loss(learner.fork().live(X[:, None])[:, 0], T, "entropy")
        learner.live(X[:, None], T[:, None], orders=np.tile(np.arange(50), (300, 1)))
        assert naive.loss(learner.fork().live(X[:, None])[:, 0], T, "entropy") < before


def test_single_precision_agrees_with_double():
    X, T = data(2, 20, 5, 3)
    sizes, found = Sizes((5,), 3), []
    for bits in 32, 64:
        learner = NodePerturbation(hidden=10, depth=2, bits=bits, block=20, sigma=0.01).begin(sizes)
        found.append(np.concatenate([d.ravel() for d in asked(learner, X, T).values()]))
    assert np.linalg.norm(found[0] - found[1]) < 1e-3 * np.linalg.norm(found[1])
