"""The forward-forward algorithm against its equations in plain NumPy, against the gradient of its goals, and on digits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.learner import Sizes
from learners import forward_forward
from learners.forward_forward import ForwardForward
from tests import naive
from tests.networks import answers, asked, close, data, made, taught, weights

SEEDS = st.integers(0, 2**32 - 1)
UNBOUNDED = "linear", "relu", "leaky_relu", "elu"


def passed(w, X, labels, activation, loudness=1):
    """Inputs x, potentials and activities of every layer, for signals X (n, d) told `labels` (n,)."""
    L, V = sum(name.startswith("W[") for name in w), loudness * w["V"]
    x, u, a = [X], [], []
    for l in range(L):
        u.append(x[l] @ w[f"W[{l}]"].T + w[f"b[{l}]"] + (V[:, labels].T if l == 0 else 0))
        a.append(naive.VALUES[activation](u[l]))
        x.append(a[l] / np.sqrt((a[l] ** 2).mean(1, keepdims=True) + 1e-8))
    return x, u, a


def goodness(a):
    """The mean square of every layer's activities: (L, n)."""
    return np.array([(each**2).mean(1) for each in a])


def drawn(learner, n, C):
    """The next labels that are drawn: each one of the C - 1 others, in their order."""
    numbers = naive.splitmix64(int(learner.arrays()["noise"][0]), n)
    return np.array([int((z >> 11) * 2.0**-53 * (C - 1)) for z in numbers])


def told(T, picks):
    """True labels, and false ones: the picks skip the true one."""
    true = T.argmax(1) if T.shape[1] > 1 else T[:, 0].astype(int)
    return true, picks + (picks >= true)


def twin(w, X, true, false, activation, threshold, loudness=1):
    """By layer, the way up the mean of log s(g - threshold) with the true label, and of log s(threshold - g) with a false one."""
    found = {name: np.zeros_like(array) for name, array in w.items()}
    for labels, sign in (true, 1), (false, -1):
        x, u, a = passed(w, X, labels, activation, loudness)
        for l, g in enumerate(goodness(a)):
            pull = sign / (1 + np.exp(sign * (g - threshold))) / len(X)
            d = pull[:, None] * 2 * a[l] / a[l].shape[1] * naive.SLOPES[activation](u[l])
            found[f"W[{l}]"] += d.T @ x[l]
            found[f"b[{l}]"] += d.sum(0)
            if l == 0:
                np.add.at(found["V"].T, labels, loudness * d)
    return found


def chosen(w, X, K, activation, loudness=1):
    """The answer: of each label the goodness of all layers; of two labels with a lone output, their difference."""
    C = max(K, 2)
    every = np.array([goodness(passed(w, X, np.full(len(X), c), activation, loudness)[2]).sum(0) for c in range(C)]).T
    return every if K > 1 else every[:, 1:] - every[:, :1]


def answers_with_the_label_that_pleases_most(cls):
    for K, activation, depth in (3, "relu", 3), (1, "leaky_relu", 2), (4, "elu", 1):
        X, _ = data(2, 5, 4, K)
        learner = made(cls, X, K, hidden=6, depth=depth, activation=activation, block=7, loudness=depth)
        close({"out": answers(learner, X, python=True)}, {"out": chosen(weights(learner, "WbV"), X, K, activation, depth)})


def follows_its_equations(cls):
    shapes = (3, "relu", 3, 2.0, 1.0), (1, "leaky_relu", 2, 0.7, 3.0), (4, "elu", 1, 0.3, 0.5), (2, "relu", 2, 1.0, 2.0)
    for K, activation, depth, threshold, loudness in shapes:
        X, T = data(3, 5, 4, K)
        shape = dict(hidden=6, depth=depth, activation=activation, threshold=threshold, loudness=loudness)
        learner = made(cls, X, K, block=7, **shape)
        for _ in range(2):
            true, false = told(T, drawn(learner, 5, max(K, 2)))
            expected = twin(weights(learner, "WbV"), X, true, false, activation, threshold, loudness)
            close(asked(learner, X, T, stems="WbV", python=True), expected)
            taught(learner, X, T, python=True)


def starts_at_the_scale_of_its_network(cls):
    X, _ = data(4, 2, 30, 20)
    learner = made(cls, X, 20, hidden=40, depth=2)
    for name, (m, k) in {"W[0]": (40, 30), "W[1]": (40, 40), "V": (40, 20)}.items():
        w, bound = learner.arrays()[name], (6 / (m + k)) ** 0.5
        assert w.shape == (m, k)
        assert np.abs(w).max() <= bound
        assert abs((w**2).mean() / (bound**2 / 3) - 1) < 4 * (0.8 / w.size) ** 0.5
        assert abs(w.mean()) < 4 * bound / (3 * w.size) ** 0.5


KNOWN_ANSWERS = {
    a.__name__: a for a in (answers_with_the_label_that_pleases_most, follows_its_equations, starts_at_the_scale_of_its_network)
}
MUTATED = {
    ForwardForward: (
        *(forward_forward.init, forward_forward.please, forward_forward.normalise, forward_forward.respond),
        *(forward_forward.tell, forward_forward.pull, forward_forward.pick, forward_forward.learn),
    )
}


@pytest.mark.parametrize("name", KNOWN_ANSWERS)
def test_known_answer(name):
    KNOWN_ANSWERS[name](ForwardForward)


@settings(deadline=None, max_examples=25)
@given(
    seed=SEEDS, n=st.integers(1, 5), spare=st.integers(0, 3), hidden=st.integers(1, 6), depth=st.integers(1, 4),
    d=st.integers(1, 4), K=st.integers(1, 4), activation=st.sampled_from(UNBOUNDED), threshold=st.floats(0.1, 5),
    loudness=st.floats(0.1, 10),
)  # fmt: skip
def test_the_compiled_rule_is_the_twin(seed, n, spare, d, K, activation, threshold, loudness, **shape):
    X, T = data(seed, n, d, K)
    shape |= dict(activation=activation, threshold=threshold, loudness=loudness, random_state=seed, block=n + spare)
    learner = made(ForwardForward, X, K, **shape)
    w = weights(learner, "WbV")
    true, false = told(T, drawn(learner, n, max(K, 2)))
    close({"out": answers(learner, X)}, {"out": chosen(w, X, K, activation, loudness)}, 1e-10)
    close(asked(learner, X, T, stems="WbV"), twin(w, X, true, false, activation, threshold, loudness), 1e-10)


@pytest.mark.parametrize("activation", ["linear", "elu"])
def test_each_layer_goes_up_the_gradient_of_its_own_goal_and_of_no_other(activation):
    """By the complex step, through one layer at a time: what it is given is held fixed."""
    X, T = data(6, 5, 4, 3)
    learner = made(ForwardForward, X, 3, hidden=5, depth=3, activation=activation, threshold=0.8)
    w = weights(learner, "WbV")
    true, false = told(T, drawn(learner, 5, 3))
    given_ = [(passed(w, X, labels, activation)[0], labels, sign) for labels, sign in ((true, 1), (false, -1))]
    found = asked(learner, X, T, stems="WbV")
    for l in range(3):

        def goal(v, l=l):
            total = 0
            for x, labels, sign in given_:
                u = x[l] @ v[f"W[{l}]"].T + v[f"b[{l}]"] + (v["V"][:, labels].T if l == 0 else 0)
                g = (naive.VALUES[activation](u) ** 2).mean(1)
                total -= np.log(1 + np.exp(-sign * (g - 0.8))).mean()
            return total

        names = [f"W[{l}]", f"b[{l}]", *(["V"] if l == 0 else [])]
        close({name: found[name] for name in names}, naive.gradient(goal, w, names))


@settings(deadline=None, max_examples=15)
@given(seed=SEEDS, K=st.integers(1, 6))
def test_a_false_label_is_never_the_true_one_and_every_other_comes_as_often(seed, K):
    X, T = data(seed, 600, 2, K)
    learner = taught(made(ForwardForward, X, K, hidden=1, depth=1, random_state=seed), X, T)
    true, false = learner.arrays()["true"], learner.arrays()["false"]
    assert np.array_equal(true, told(T, np.zeros(600, int))[0])
    C = max(K, 2)
    counts = np.bincount((false - true) % C, minlength=C)
    assert counts[0] == 0
    mean = 600 / (C - 1)
    assert (np.abs(counts[1:] - mean) <= 5.5 * np.sqrt(mean)).all()


@settings(deadline=None, max_examples=15)
@given(seed=SEEDS, factor=st.floats(0.1, 10))
def test_no_layer_can_tell_how_pleased_the_one_below_was(seed, factor):
    """Where rectified activities are all larger by a factor, nothing above changes: neither activity nor what is asked."""
    X, T = data(seed, 5, 4, 3)
    learner = made(ForwardForward, X, 3, hidden=6, depth=3, random_state=seed)
    a = learner.arrays()
    loud = learner.fork(**{name: factor * a[name] for name in ("W[0]", "b[0]", "V")})
    before, after = (taught(each, X, T).arrays() for each in (learner, loud))
    if all((before[f"g[{l}]"] > 1e-2).all() and (after[f"g[{l}]"] > 1e-2).all() for l in range(2)):
        for name in "g[1]", "g[2]", "dW[1]", "db[1]", "dW[2]":
            np.testing.assert_allclose(after[name], before[name], rtol=1e-5, atol=1e-7)


def test_it_learns_where_classes_are_apart_and_tells_what_each_layer_would_name():
    X, T = data(1, 60, 6, 3)
    X += 3 * T @ np.random.default_rng(1).normal(size=(3, 6))
    learner = made(ForwardForward, X, 3, hidden=20, depth=2)
    taught(learner, X, T, orders=np.tile(np.arange(60), (300, 1)))
    w, named = weights(learner, "WbV"), learner.fork().observe(X[:, None], T[:, None])
    every = np.array([goodness(passed(w, X, np.full(60, c), "relu")[2]) for c in range(3)])
    for l in range(2):
        assert named[f"named[{l}]"] == (every[:, l].argmax(0) == T.argmax(1)).mean()
    assert (answers(learner, X).argmax(1) == T.argmax(1)).mean() > 0.9


def test_what_cannot_be_is_refused_by_name():
    with pytest.raises(ValueError, match=r"activation='tanh' must be unbounded, or threshold=2.0 below 1"):
        ForwardForward(activation="tanh").begin(Sizes((5,), 3))
    ForwardForward(activation="tanh", threshold=0.5).begin(Sizes((5,), 3))
    with pytest.raises(ValueError, match=r"ForwardForward.depth=0 must be"):
        ForwardForward(depth=0).begin(Sizes((5,), 3))
    with pytest.raises(ValueError, match=r"ForwardForward.loss='squared' must be"):
        ForwardForward(loss="squared").begin(Sizes((5,), 3))
