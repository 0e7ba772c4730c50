"""Predictive coding against its equations in plain NumPy, its energy, and its two limits: one is back-propagation, one is not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learners import predictive_coding, settling
from learners.backprop import Backprop
from learners.predictive_coding import PredictiveCoding
from tests import naive
from tests.networks import answers, asked, changes, close, data, forward, layers, made, output_error, taught, weights

SEEDS = st.integers(0, 2**32 - 1)
ACTIVATIONS = "linear", "sigmoid", "tanh", "relu", "leaky_relu", "elu"


class Twin:
    """Predictive coding as it is written in its papers: every error is a difference."""

    def __init__(self, w, X, T, activation="tanh", loss="entropy", step=0.01, inertia=0.0, variance=1.0):
        self.w = {name: array for name, array in w.items() if array.size}
        self.T, self.loss, self.step, self.inertia, self.variance = T, loss, step, inertia, variance
        self.value, self.slope = naive.VALUES[activation], naive.SLOPES[activation]
        self.x = forward(w, X, activation)[0][:-1]
        self.push = [np.zeros_like(x) for x in self.x]

    def errors(self, w):
        """Of every hidden layer a - f(u); and all errors times their slopes."""
        u = [x @ w[f"W[{l}]"].T + w[f"b[{l}]"] for l, x in enumerate(self.x)]
        e = [x - self.value(v) for x, v in zip(self.x[1:], u, strict=False)]
        gated = [g * self.slope(v) for g, v in zip(e, u, strict=False)]
        return e, [*gated, output_error(u[-1], self.T, self.loss) * len(self.T) / self.variance]

    def ask(self, w):
        """The changes that the present errors ask for, those of F beside."""
        d = [g / len(self.T) for g in self.errors(w)[1]]
        back = {f"F[{l}]": self.x[l + 1].T @ d[l + 1] for l in range(len(d) - 1) if f"F[{l}]" in w}
        return changes(self.x, d) | back

    def move(self, w):
        """All hidden layers take a step at once."""
        e, g = self.errors(w)
        for l, own in enumerate(e):
            down = g[l + 1] @ (w[f"F[{l}]"].T if f"F[{l}]" in w else w[f"W[{l + 1}]"])
            self.push[l + 1] = self.inertia * self.push[l + 1] + down - own
        self.x = [x + self.step * v for x, v in zip(self.x, self.push, strict=True)]

    def settle(self, steps):
        """The changes asked for after so many steps."""
        for _ in range(steps):
            self.move(self.w)
        return self.ask(self.w)

    def learn_at_every_step(self, steps, **optimiser):
        """The changes asked for at the last step, where weights have moved at each before."""
        found = {}

        def downhill(flat):
            parts = np.split(flat, np.cumsum([a.size for a in self.w.values()])[:-1])
            w = {name: part.reshape(a.shape) for (name, a), part in zip(self.w.items(), parts, strict=True)}
            found.update(self.ask(w))
            self.move(w)
            return -np.concatenate([found[name].ravel() for name in w])

        flat = np.concatenate([a.ravel() for a in self.w.values()])
        every = naive.descend(downhill, flat, **optimiser)
        for _ in range(steps):
            next(every)
        return found


def energy(learner, X, T):
    """The mean energy of the activities to which a block brings a network."""
    w, a = weights(learner), taught(learner.fork(), X, T).arrays()
    x = [X, *(a[f"a[{l}]"] for l in range(1, layers(w)))]
    total = naive.loss(x[-1] @ w[f"W[{layers(w) - 1}]"].T + w[f"b[{layers(w) - 1}]"], T, learner.loss) / learner.variance
    for l in range(layers(w) - 1):
        p = naive.VALUES[learner.activation](x[l] @ w[f"W[{l}]"].T + w[f"b[{l}]"])
        total += ((x[l + 1] - p) ** 2).sum() / 2 / len(X)
    return total


def settles_and_learns_by_its_equations(cls):
    for i, activation in enumerate(ACTIVATIONS):
        for loss, K, feedback, step in ("entropy", 3, "tied", 0.05), ("squared", 2, "separate", 0.7), ("entropy", 1, "tied", 0.7):
            X, T = data(i, 5, 4, K, classes=loss == "entropy")
            shared = dict(activation=activation, loss=loss, step=step, inertia=0.4, variance=0.3)
            learner = made(cls, X, K, hidden=4, depth=3, steps=4, feedback=feedback, block=7, **shared)
            w = weights(learner, "WbF")
            found = asked(learner, X, T, stems="WbF", python=True)
            close(found, Twin(w, X, T, **shared).settle(4))
    X, T = data(7, 3, 2, 2)
    learner = made(cls, X, 2, depth=0)
    close(asked(learner, X, T, python=True), asked(made(Backprop, X, 2, depth=0), X, T, python=True))


def incremental_it_learns_at_every_step(cls):
    for optimiser, feedback in ("sgd", "separate"), ("adam", "tied"):
        X, T = data(1, 4, 3, 2)
        rates = dict(optimiser=optimiser, rate=0.1, beta=0.8, beta2=0.95, decay=0.2)
        learner = made(cls, X, 2, hidden=3, depth=2, step=0.3, steps=4, incremental=True, feedback=feedback, **rates)
        twin = Twin(weights(learner, "WbF"), X, T, step=0.3)
        close(asked(learner, X, T, stems="WbF", python=True), twin.learn_at_every_step(4, **rates))


def errors_outlive_rounding(cls):
    """Four layers down they are 1e-8 of an activity: in float32 a difference of activities would hold nothing of them."""
    for activation in ACTIVATIONS:
        X, T = data(3, 4, 3, 2)
        learner = made(cls, X, 2, hidden=4, depth=4, activation=activation, step=0.01, steps=5, bits=32, inertia=0.5)
        w = {name: a.astype(float) for name, a in weights(learner).items()}
        found = asked(learner, X, T, python=True)
        for name, expected in Twin(w, X, T, activation, step=0.01, inertia=0.5).settle(5).items():
            np.testing.assert_allclose(found[name], expected, atol=3e-5 * np.abs(expected).max(), err_msg=name)


def answers_by_its_forward_pass(cls):
    X, T = data(2, 6, 3, 2)
    learner = taught(made(cls, X, 2, hidden=4, rate=0.1), X, T, python=True)
    twin = made(Backprop, X, 2, hidden=4).fork(**weights(learner))
    assert np.array_equal(answers(learner, X, python=True), answers(twin, X, python=True))


def tells_what_is_left_of_settling(cls):
    """The largest slope of the energy before the last step; without inertia that step is the slope times the step size."""
    X, T = data(4, 3, 4, 2)
    for depth in 1, 3:
        before, after = (taught(made(cls, X, 2, hidden=3, depth=depth, step=0.1, steps=t), X, T, python=True) for t in (3, 4))
        moved = [after.arrays()[f"a[{l}]"] - before.arrays()[f"a[{l}]"] for l in range(1, depth + 1)]
        np.testing.assert_allclose(after.arrays()["residual"], np.abs(moved).max() / 0.1, rtol=1e-11)


def draws_feedback_as_it_draws_weights(cls):
    X, _ = data(4, 5, 30, 3)
    F = weights(made(cls, X, 3, hidden=40, depth=2, feedback="separate"), "F")
    for l, (m, k) in enumerate([(40, 40), (40, 3)]):
        bound = (6 / (m + k)) ** 0.5
        assert F[f"F[{l}]"].shape == (m, k)
        assert abs((F[f"F[{l}]"] ** 2).mean() / (bound**2 / 3) - 1) < 4 * (0.8 / (m * k)) ** 0.5


KNOWN_ANSWERS = {
    a.__name__: a
    for a in (
        *(settles_and_learns_by_its_equations, incremental_it_learns_at_every_step, errors_outlive_rounding),
        *(answers_by_its_forward_pass, tells_what_is_left_of_settling, draws_feedback_as_it_draws_weights),
    )
}
MUTATED = {
    PredictiveCoding: (
        *(PredictiveCoding.init, PredictiveCoding.learn, predictive_coding.hebb),
        *(settling.predict, settling.shift, settling.compare, settling.move, settling.furthest),
    )
}


@pytest.mark.parametrize("name", KNOWN_ANSWERS)
def test_known_answer(name):
    KNOWN_ANSWERS[name](PredictiveCoding)


shapes = dict(seed=SEEDS, n=st.integers(1, 5), d=st.integers(1, 4), K=st.integers(1, 4), hidden=st.integers(1, 6))


@settings(deadline=None, max_examples=40)
@given(
    **shapes, depth=st.integers(0, 4), activation=st.sampled_from(ACTIVATIONS), loss=st.sampled_from(["entropy", "squared"]),
    feedback=st.sampled_from(["tied", "separate"]), incremental=st.booleans(), steps=st.integers(1, 6),
    inertia=st.sampled_from([0.0, 0.65]),
)  # fmt: skip
def test_the_compiled_rule_is_the_twin(seed, n, d, K, hidden, depth, activation, loss, feedback, incremental, steps, inertia):
    X, T = data(seed, n, d, K, classes=loss == "entropy")
    shared = dict(activation=activation, loss=loss, step=0.1, inertia=inertia)
    options = dict(feedback=feedback, incremental=incremental, steps=steps, optimiser="sgd", rate=0.05)
    learner = made(PredictiveCoding, X, K, hidden=hidden, depth=depth, random_state=seed, **shared, **options)
    twin = Twin(weights(learner, "WbF"), X, T, **shared)
    expected = twin.learn_at_every_step(steps, optimiser="sgd", rate=0.05) if incremental else twin.settle(steps)
    close(asked(learner, X, T, stems="WbF"), expected, 1e-10)


@settings(deadline=None, max_examples=20)
@given(**shapes, depth=st.integers(1, 4), activation=st.sampled_from(["sigmoid", "tanh"]), variance=st.sampled_from([0.5, 1, 30]))
def test_the_energy_falls(seed, n, d, K, hidden, depth, activation, variance):
    """By small steps. The curvature is at most a few times the square of a weight matrix's norm, which this start bounds."""
    X, T = data(seed, n, d, K)
    params = dict(hidden=hidden, depth=depth, activation=activation, variance=variance, random_state=seed, step=0.02)
    learner = made(PredictiveCoding, X, K, **params)
    spent = [energy(learner.fork(steps=t), X, T) for t in range(1, 12)]
    assert (np.diff(spent) <= 1e-13).all()
    assert spent[0] <= energy(learner.fork(steps=1, step=1e-4), X, T)


def settled(X, K, T, **params):
    """A network and the changes that it asks for when nothing moves any more."""
    learner = made(PredictiveCoding, X, K, **dict(hidden=5, depth=3, step=0.2, steps=4000) | params)
    done = taught(learner.fork(), X, T)
    assert done.arrays()["residual"][0] < 1e-13
    return learner, done, asked(learner, X, T)


def flat(arrays, like):
    return np.concatenate([np.ravel(arrays[name]) for name in like])


@pytest.mark.parametrize(("loss", "activation"), [("squared", "tanh"), ("entropy", "sigmoid")])
def test_it_tends_to_the_gradient_as_the_variance_of_the_output_grows(loss, activation):
    """The change times the variance, against the gradient: what differs falls like one over the variance."""
    X, T = data(5, 6, 4, 3, classes=loss == "entropy")
    away = []
    for variance in (1.0, 10.0, 100.0, 1000.0, 10000.0):
        learner, _, found = settled(X, 3, T, loss=loss, activation=activation, variance=variance)
        gradient = asked(made(Backprop, X, 3, hidden=5, depth=3, loss=loss, activation=activation).fork(**weights(learner)), X, T)
        g = flat(gradient, gradient)
        away.append(np.linalg.norm(variance * flat(found, gradient) - g) / np.linalg.norm(g))
    slopes = np.diff(np.log10(away))
    assert (slopes < 0).all()
    np.testing.assert_allclose(slopes[2:], -1, atol=0.05)


def test_it_does_not_tend_to_the_gradient_as_the_error_vanishes():
    """Then it is back-propagation of (1 + sum J J')^-1 e, J (K, hidden) the slope of the output by a hidden layer."""
    X, _ = data(6, 3, 4, 3)
    start = made(PredictiveCoding, X, 3, hidden=5, depth=2, loss="squared")
    w, (a, _) = weights(start), forward(weights(start), X, "tanh")
    e = np.random.default_rng(1).normal(size=(3, 3))
    J2 = w["W[2]"]
    J1 = np.einsum("kj,nj,ji->nki", J2, 1 - a[2] ** 2, w["W[1]"])
    felt = np.stack([np.linalg.solve(np.eye(3) + J2 @ J2.T + J @ J.T, x) for J, x in zip(J1, e, strict=True)])
    backprop = made(Backprop, X, 3, hidden=5, depth=2, loss="squared").fork(**w)
    away, cosines = [], []
    for size in 1e-2, 1e-3, 1e-4:
        _, _, found = settled(X, 3, a[-1] + size * e, loss="squared", depth=2)
        plain, theory = (asked(backprop, X, a[-1] + size * error) for error in (e, felt))
        x, g, t = (flat(arrays, theory) for arrays in (found, plain, theory))
        away.append(np.linalg.norm(x - t) / np.linalg.norm(t))
        cosines.append(x @ g / np.linalg.norm(x) / np.linalg.norm(g))
    np.testing.assert_allclose(np.diff(np.log10(away)), -1, atol=0.05)
    assert np.ptp(cosines) < 1e-3
    assert max(cosines) < 0.999


def test_at_equilibrium_each_error_is_what_the_next_sends_down():
    """e[l] = W[l+1]' (f'(u[l+1]) e[l+1]), to within the residual."""
    X, T = data(8, 4, 3, 3, classes=False)
    for steps in 100, 400, 1600, 6400:
        learner = made(PredictiveCoding, X, 3, hidden=4, depth=3, loss="squared", step=0.1, steps=steps)
        w, s = weights(learner), taught(learner, X, T).arrays()
        for l in range(3):
            e = s[f"a[{l + 1}]"] - np.tanh(s[f"a[{l}]"] @ w[f"W[{l}]"].T + w[f"b[{l}]"])
            gap = np.abs(len(X) * s[f"d[{l + 1}]"] @ w[f"W[{l + 1}]"] - e).max()
            assert gap <= s["residual"][0] + 1e-14
    assert s["residual"][0] < 1e-6


def test_separate_feedback_comes_to_mirror_the_forward_weights_by_decay_alone():
    """Both are changed alike, so of the difference each step leaves the share that decay leaves, as with Kolen and Pollack."""
    X, T = data(9, 6, 3, 2)
    learner = made(PredictiveCoding, X, 2, hidden=4, feedback="separate", optimiser="sgd", rate=0.1, decay=0.5)
    gaps = []
    for _ in range(4):
        a = learner.arrays()
        gaps.append([a[f"F[{l}]"] - a[f"W[{l + 1}]"].T for l in range(2)])
        taught(learner, X, T)
    for t in range(1, 4):
        for now, first in zip(gaps[t], gaps[0], strict=True):
            np.testing.assert_allclose(now, 0.95**t * first, rtol=1e-12, atol=1e-14)
