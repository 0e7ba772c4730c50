"""Target propagation against its equations in plain NumPy, against a linear network's exact inverses, and what inverses learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learners import target_propagation, targets
from learners.backprop import Backprop
from learners.kernels import LOSSES
from learners.target_propagation import (
    AuxiliaryTargetPropagation,
    DifferenceTargetPropagation,
    SimplifiedTargetPropagation,
)
from tests import naive
from tests.networks import angle, asked, changes, close, data, forward, made, output_error, taught, weights

SEEDS = st.integers(0, 2**32 - 1)
ACTIVATIONS = "linear", "sigmoid", "tanh", "relu", "leaky_relu", "elu"
FORMS = DifferenceTargetPropagation, SimplifiedTargetPropagation, AuxiliaryTargetPropagation
each = pytest.mark.parametrize("cls", FORMS, ids=lambda cls: cls.__name__)


def answer(w, x, loss):
    """The distribution that the output layer answers to a last hidden layer x, and the auxiliary cells beside it."""
    L = sum(name.startswith("W[") for name in w)
    Z = x @ w[f"W[{L - 1}]"].T + w[f"b[{L - 1}]"]
    if loss == "entropy":
        Z = 1 / (1 + np.exp(-Z)) if Z.shape[1] == 1 else np.exp(Z) / np.exp(Z).sum(1, keepdims=True)
    return np.concatenate([Z, x @ w["Q"].T], 1)


def undone(w, l, up, activation):
    """What the inverse of hidden layer l makes of what is above."""
    return naive.VALUES[activation](up @ w[f"F[{l}]"].T + w[f"c[{l}]"])


def above(w, l, x, activation, loss):
    """What comes of a hidden layer l in the layer above: a hidden layer, or the answer."""
    if f"W[{l + 2}]" in w:
        return naive.VALUES[activation](x @ w[f"W[{l + 1}]"].T + w[f"b[{l + 1}]"])
    return answer(w, x, loss)


def noisy(learner, X):
    """Every hidden layer that has an inverse, with the noise that comes next."""
    w = weights(learner, "Wb")
    a = forward(w, X, learner.activation)[0]
    inverses = sum(name.startswith("F[") for name in learner.arrays())
    sizes = [a[l + 1].shape for l in range(inverses)]
    drawn = naive.splitmix64(int(learner.arrays()["noise"][0]), sum(n * k for n, k in sizes))
    even = iter([(z >> 11) * 2.0**-53 for z in drawn])
    return [
        a[l + 1] + 3**0.5 * learner.sigma * (2 * np.array([next(even) for _ in range(n * k)]).reshape(n, k) - 1)
        for l, (n, k) in enumerate(sizes)
    ]


def rebuilt(w, x, activation, loss):
    """The way down the mean of 1/2 |x - g(y)|^2 of every inverse."""
    found = {}
    for l, each in enumerate(x):
        y = above(w, l, each, activation, loss)
        u = y @ w[f"F[{l}]"].T + w[f"c[{l}]"]
        r = naive.SLOPES[activation](u) * (each - naive.VALUES[activation](u)) / len(each)
        found |= {f"F[{l}]": r.T @ y, f"c[{l}]": r.sum(0)}
    return found


def departures(cls, w, X, T, activation, loss, step):
    """How far the target of every hidden layer is from its activity, by the difference as it is written down."""
    a, _ = forward(w, X, activation)
    e = len(X) * output_error(a[-1], T, loss)
    depth = len(a) - 2
    if depth == 0:
        return []
    if cls is DifferenceTargetPropagation:
        z = [step * e @ w[f"W[{depth}]"]]
    else:
        o = answer(w, a[-2], loss)
        higher = o + np.concatenate([step * e, np.zeros((len(X), len(w["Q"])))], 1)
        z = [undone(w, depth - 1, higher, activation) - undone(w, depth - 1, o, activation)]
    for l in range(depth - 2, -1, -1):
        z.insert(0, undone(w, l, a[l + 2] + z[0], activation) - undone(w, l, a[l + 2], activation))
    return z


def twin(cls, w, X, T, activation, loss, step):
    """What the forward weights are asked for."""
    a, u = forward(w, X, activation)
    z = departures(cls, w, X, T, activation, loss, step)
    d = [naive.SLOPES[activation](u[l]) * each / len(X) for l, each in enumerate(z)]
    return changes(a, [*d, output_error(a[-1], T, loss)])


def both(learner, X, T, **options):
    """What was asked of forward weights and inverses, and the expected; inverses learn first unless `parallel`."""
    cls, activation, loss = type(learner), learner.activation, learner.loss
    w, x = weights(learner, "WbFcQ"), noisy(learner, X)
    inverse = rebuilt(w, x, activation, loss)
    after = taught(learner, X, T, **options).arrays()
    if not learner.parallel:
        w |= {name: after[name] for name in inverse}
    expected = inverse | twin(cls, w, X, T, activation, loss, learner.step)
    return {name: after["d" + name] for name in expected}, expected


def follows_its_equations(cls):
    shapes = [("tanh", "entropy", 3, False), ("relu", "entropy", 2, False)]
    shapes += [("sigmoid", "squared", 2, True), ("elu", "squared", 2, True)]
    for activation, loss, depth, parallel in shapes:
        X, T = data(3, 5, 4, 3)
        shape = dict(hidden=6, depth=depth, activation=activation, loss=loss, step=0.4, sigma=0.3, parallel=parallel, decay=0.1)
        learner = made(cls, X, 3, block=7, **shape)
        for l in range(depth):
            if f"c[{l}]" in learner.arrays():
                learner.arrays()[f"c[{l}]"][...] = np.linspace(-0.5, 0.5, 6)
        for _ in range(2):
            close(*both(learner, X, T, python=True), 1e-9)


def answers_as_a_distribution_however_sure(cls):
    """Powers of potentials of 800 would overflow."""
    if cls is DifferenceTargetPropagation:
        return  # it needs none
    for K, offset in (
        (1, [800.0]),
        (1, [-800.0]),
        (1, [0.3]),
        (3, [800.0, 801.0, 0.0]),
        (3, [0.0, 1.0, 801.0]),
        (3, [0.1, -0.4, 0.2]),
    ):
        X, T = data(8, 5, 4, K)
        learner = made(cls, X, K, hidden=6, depth=1)
        learner.arrays()["b[1]"][...] = offset
        a, top = forward(weights(learner), X, "tanh")[0], max(np.max(offset), 0)
        Z = a[-1] - top if K > 1 else np.concatenate([a[-1] - top, np.full((5, 1), -top)], 1)
        expected = (np.exp(Z) / np.exp(Z).sum(1, keepdims=True))[:, :K]
        o = taught(learner, X, T, python=True).arrays()["o"].reshape(5, -1)
        np.testing.assert_allclose(o[:, :K], expected, rtol=1e-9, atol=1e-300)
        np.testing.assert_allclose(o[:, K:], a[-2] @ learner.arrays()["Q"].T, rtol=1e-9)


def steps_by_two_rates(cls):
    """One step of plain descent, with fading: inverses have a rate of their own."""
    X, T = data(5, 5, 4, 3)
    shape = dict(hidden=4, depth=3, optimiser="sgd", rate=0.3, inverse_rate=0.7, decay=0.2, parallel=True)
    learner = made(cls, X, 3, **shape)
    before = weights(learner, "WbFcQ")
    after = taught(learner, X, T, python=True).arrays()
    for name, array in before.items():
        rate = 0.7 if name[0] in "Fc" else 0.3
        close(after, {name: array if name == "Q" else (1 - 0.2 * rate) * array + rate * after["d" + name]})
    twice = made(cls, X, 3, hidden=4, depth=3)  # Adam: its moments and both its ages, by hand
    for age in 1, 2:
        w = weights(twice, "WbFc")
        m, v = twice.arrays()["m"].copy(), twice.arrays()["v"].copy()
        taught(twice, X, T, python=True)
        g = np.concatenate([twice.arrays()["d" + name].ravel() for name in w])
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        step = m / (1 - 0.9**age) / (np.sqrt(v / (1 - 0.999**age)) + 1e-8)
        rate = np.concatenate([np.full(a.size, twice.inverse_rate if name[0] in "Fc" else twice.rate) for name, a in w.items()])
        now = np.concatenate([a.ravel() for a in weights(twice, "WbFc").values()])
        np.testing.assert_allclose(now, np.concatenate([a.ravel() for a in w.values()]) + rate * step, rtol=1e-7, atol=1e-10)


def starts_at_the_scale_of_its_network(cls):
    X, _ = data(4, 2, 30, 20)
    learner = made(cls, X, 20, hidden=40, depth=3, **(dict(auxiliary=15) if cls is AuxiliaryTargetPropagation else {}))
    shapes = {"F[0]": (40, 40), "F[1]": (40, 40)}
    shapes |= {SimplifiedTargetPropagation: {"F[2]": (40, 20)}, AuxiliaryTargetPropagation: {"F[2]": (40, 35)}}.get(cls, {})
    shapes |= {"Q": (15, 40)} if cls is AuxiliaryTargetPropagation else {}
    assert len(weights(learner, "F")) == len(shapes) - ("Q" in shapes)
    for name, (m, k) in shapes.items():
        w, bound = learner.arrays()[name], (6 / (m + k)) ** 0.5
        assert w.shape == (m, k)
        assert np.abs(w).max() <= bound
        assert abs((w**2).mean() / (bound**2 / 3) - 1) < 4 * (0.8 / w.size) ** 0.5
        assert abs(w.mean()) < 4 * bound / (3 * w.size) ** 0.5


KNOWN_ANSWERS = {a.__name__: a for a in (
        follows_its_equations, steps_by_two_rates, starts_at_the_scale_of_its_network, answers_as_a_distribution_however_sure,
    )
}  # fmt: skip
MUTATED = {
    DifferenceTargetPropagation: (target_propagation.init, target_propagation.learn, targets.aim, targets.invert, targets.adapt),
    SimplifiedTargetPropagation: (target_propagation.learn_simplified, targets.rebuild, targets.lower, targets.distribution),
    AuxiliaryTargetPropagation: (target_propagation.init_auxiliary, targets.inverses, targets.emit),
}


@each
@pytest.mark.parametrize("name", KNOWN_ANSWERS)
def test_known_answer(cls, name):
    KNOWN_ANSWERS[name](cls)


@each
@settings(deadline=None, max_examples=25)
@given(
    seed=SEEDS, n=st.integers(1, 5), spare=st.integers(0, 3), hidden=st.integers(1, 6), depth=st.integers(0, 4),
    d=st.integers(1, 4), K=st.integers(1, 4), activation=st.sampled_from(ACTIVATIONS), loss=st.sampled_from(LOSSES),
    step=st.floats(0.01, 1), sigma=st.floats(0, 1), parallel=st.booleans(),
)  # fmt: skip
def test_the_compiled_rule_is_the_twin(cls, seed, n, spare, d, K, **given_):
    X, T = data(seed, n, d, K, classes=given_["loss"] == "entropy")
    learner = made(cls, X, K, random_state=seed, block=n + spare, optimiser="sgd", rate=0.05, inverse_rate=0.05, **given_)
    close(*both(learner, X, T), 1e-9)


@settings(deadline=None, max_examples=15)
@given(seed=SEEDS, depth=st.integers(0, 1), step=st.floats(0.01, 2), loss=st.sampled_from(LOSSES))
def test_with_one_hidden_layer_lees_form_is_backprop_times_the_step(seed, depth, step, loss):
    """It has no inverse then: what is left is the gradient at the top, which is what makes that form no answer to transport."""
    X, T = data(seed, 5, 3, 3)
    learner, exact = (
        made(cls, X, 3, hidden=4, depth=depth, random_state=seed, loss=loss, **own)
        for cls, own in ((DifferenceTargetPropagation, dict(step=step)), (Backprop, {}))
    )
    found, down = asked(learner, X, T), asked(exact, X, T)
    close(found, {name: (step if depth and name.endswith("[0]") else 1) * array for name, array in down.items()})


def linear(seed, cls, **params):
    """A linear network 5-5-5-5-3 with orthogonal hidden layers, every inverse the pseudoinverse; and its twin's weights."""
    X, T = data(seed, 6, 5, 3, classes=False)
    shape = dict(hidden=5, depth=3, activation="linear", loss="squared", random_state=seed, inverse_rate=1e-6, optimiser="sgd")
    learner = made(cls, X, 3, **shape | dict(parallel=True) | params)
    rng, a = np.random.default_rng(seed), learner.arrays()
    for l in range(3):
        a[f"W[{l}]"][...] = np.linalg.qr(rng.normal(size=(5, 5)))[0]
    for l in range(3):
        if f"F[{l}]" in a:
            W = a[f"W[{l + 1}]"]
            a[f"F[{l}]"][...] = np.linalg.pinv(W if l < 2 else np.concatenate([W, a["Q"]]))
    return learner, X, T


@settings(deadline=None, max_examples=15)
@given(seed=SEEDS, step=st.floats(0.05, 1))
def test_with_exact_inverses_a_linear_network_gets_the_targets_of_gauss_and_newton(seed, step):
    """The least change of a layer that brings the answer where it should be: the pseudoinverse of all that is above."""
    learner, X, T = linear(seed, SimplifiedTargetPropagation, step=step)
    w = weights(learner)
    e = T - forward(w, X, "linear")[0][-1]
    found = taught(learner, X, T).arrays()
    J = w["W[3]"]
    for l in (2, 1, 0):
        np.testing.assert_allclose(found[f"z[{l}]"], step * e @ np.linalg.pinv(J).T, rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(found[f"z[{l}]"] @ J.T, step * e, rtol=1e-7, atol=1e-9)
        J = J @ w[f"W[{l}]"]


@settings(deadline=None, max_examples=15)
@given(seed=SEEDS, step=st.floats(0.05, 1))
def test_auxiliary_cells_make_the_target_exact_in_what_the_answer_leaves_open(seed, step):
    """With five cells beside three outputs the inverse knows all of the last layer; then it must leave the cells as they are."""
    learner, X, T = linear(seed, AuxiliaryTargetPropagation, step=step, auxiliary=5)
    w = weights(learner, "WbQ")
    a = forward(w, X, "linear")[0]
    S = np.concatenate([w["W[3]"], w["Q"]])
    wanted = np.concatenate([step * (T - a[-1]), np.zeros((6, 5))], 1)
    found = taught(learner, X, T).arrays()
    np.testing.assert_allclose(found["z[2]"], wanted @ np.linalg.pinv(S).T, rtol=1e-7, atol=1e-9)
    back = (np.concatenate([a[-1], a[-2] @ w["Q"].T], 1) - [*w["b[3]"], *np.zeros(5)]) @ np.linalg.pinv(S).T
    np.testing.assert_allclose(back, a[-2], rtol=1e-7, atol=1e-9)


@each
@settings(deadline=None, max_examples=15)
@given(seed=SEEDS, activation=st.sampled_from(ACTIVATIONS), depth=st.integers(1, 4))
def test_where_the_answer_is_right_every_target_is_where_the_layer_is_whatever_the_inverses(cls, seed, activation, depth):
    X, _ = data(seed, 5, 4, 3)
    learner = made(cls, X, 3, hidden=6, depth=depth, activation=activation, loss="squared", random_state=seed)
    T = learner.fork().live(X[:, None])[:, 0]
    found = taught(learner, X, T).arrays()
    for l in range(depth):
        assert np.abs(found[f"z[{l}]"]).max() < 1e-13
        assert np.abs(found[f"dW[{l}]"]).max() < 1e-13


@each
def test_inverses_go_down_the_gradient_of_what_they_fail_to_rebuild(cls):
    X, T = data(6, 5, 4, 3)
    learner = made(cls, X, 3, hidden=5, depth=3, sigma=0.4)
    w, x = weights(learner, "WbFcQ"), noisy(learner, X)
    names = [name for name in w if name[0] in "Fc"]

    def failure(v):
        goals = ((x[l] - undone(v, l, above(v, l, x[l], "tanh", "entropy"), "tanh")) ** 2 for l in range(len(x)))
        return sum(goal.sum(1).mean() / 2 for goal in goals)

    after = taught(learner, X, T).arrays()
    gradient = naive.gradient(failure, w, names)
    close({name: after["d" + name] for name in names}, {name: -g for name, g in gradient.items()})


def test_an_inverse_settles_at_the_regression_of_the_noisy_layer_on_what_is_above():
    """Linear: F = S W' (W S W')^-1, S the second moments about the mean, with noise: sigma^2 more on its diagonal."""
    X, T = data(7, 4000, 5, 3)
    shape = dict(hidden=5, depth=2, activation="linear", sigma=0.5, optimiser="sgd", rate=1e-6, inverse_rate=0.2, block=200)
    learner = made(DifferenceTargetPropagation, X, 3, **shape)
    w = weights(learner)
    learner = learner.fork(block=200)
    a = forward(w, X, "linear")[0][1]
    S = np.cov(a.T) + 0.25 * np.eye(5)
    W = w["W[1]"]
    expected = S @ W.T @ np.linalg.inv(W @ S @ W.T)
    start = angle(learner.arrays()["F[0]"], expected)
    learner.live(X[:, None], T[:, None], orders=np.tile(np.arange(4000), (150, 1)))
    assert start > 60
    assert angle(learner.arrays()["F[0]"], expected) < 10
