"""MLP against its forward formula, that formula's gradient, PyTorch, and what holds for any network."""

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from harness.learner import Sizes
from learners import kernels, mlp
from learners.kernels import ACTIVATIONS, LOSSES
from learners.mlp import MLP
from tests import naive

SEEDS = st.integers(0, 2**32 - 1)
OPTIMISERS = "sgd", "momentum", "adam"
XOR = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0.0], [1], [1], [0]])


def made(cls, X, K, **params):
    """A network for signals X (n, T, d), in float64, with biases and slopes of PReLU that are drawn too."""
    learner = cls(**dict(bits=64, start="torch", block=len(X)) | params).begin(Sizes(X.shape[2:], K, X.shape[1]))
    rng = np.random.default_rng(7)
    for name, array in learner.arrays().items():
        if name.startswith("alpha"):
            array[...] = rng.uniform(-0.5, 0.8, array.shape)
    return learner


def weights(learner):
    return {s.array: learner.arrays()[s.array].copy() for s in learner.wiring()}


def taught(learner, X, T, orders=None, **options):
    """Live through X (n, T, d); the last tick is taught with T (n, K)."""
    ticks = X.shape[1]
    learner.live(X, np.repeat(T[:, None], ticks, axis=1), np.arange(ticks) == ticks - 1, orders=orders, **options)
    return learner


def answers(learner, X, **options):
    return learner.fork().live(X, **options)[:, -1]


def forward(learner, w, X):
    return naive.mlp(w, naive.windowed(X, learner.window), learner.activation, learner.residual)


def mean_loss(learner, w, X, T):
    return naive.loss(forward(learner, w, X)[0], T, learner.loss)


def downhill(learner, X, T):
    """Minus the gradient of the mean loss at the learner's weights, by the complex step through the naive forward formula."""
    w = weights(learner)
    found = naive.gradient(lambda moved: mean_loss(learner, moved, X, T), w, w)
    return {name: -g for name, g in found.items()}


def data(seed, n, T, d, K, classes=True):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, T, d))
    if not classes:
        return X, rng.normal(size=(n, K))
    named = rng.integers(0, max(K, 2), n)
    return X, (np.eye(K)[named] if K > 1 else named[:, None].astype(float))


def smooth(learner, X):
    """Whether no hidden unit is where its activation has no slope."""
    potentials = forward(learner, weights(learner), X)[1]
    return learner.activation not in naive.KINKED or all(np.abs(u).min() > 1e-4 for u in potentials)


def close(found, expected, tolerance=1e-11):
    for name, array in expected.items():
        np.testing.assert_allclose(found[name], array, rtol=tolerance, atol=tolerance, err_msg=name)


# ---------------------------------------------------------------- known answers


def raw_changes_are_minus_the_gradient(cls):
    for activation, residual, loss in itertools.product(ACTIVATIONS, (False, True), LOSSES):
        X, T = data(3, 4, 1, 2, 2 if residual else 1)
        learner = made(cls, X, T.shape[1], hidden=3, depth=3, activation=activation, residual=residual, loss=loss, block=5)
        expected = downhill(learner, X, T)
        taught(learner, X, T, python=True)
        close({name: learner.arrays()["d" + name] for name in expected}, expected)


def answers_follow_the_formula(cls):
    for activation, residual in itertools.product(ACTIVATIONS, (False, True)):
        X, _ = data(4, 3, 1, 2, 3)
        learner = made(cls, X, 3, hidden=3, depth=3, activation=activation, residual=residual, block=2)
        close({"out": answers(learner, X, python=True)}, {"out": forward(learner, weights(learner), X)[0]})


def large_layers_go_by_blas(cls):
    X, T = data(5, 8, 1, 10, 2)
    learner = made(cls, X, 2, hidden=11, depth=2, activation="tanh", block=9)
    expected = downhill(learner, X, T)
    close({"out": answers(learner, X, python=True)}, {"out": forward(learner, weights(learner), X)[0]})
    taught(learner, X, T, python=True)
    close({name: learner.arrays()["d" + name] for name in expected}, expected)


def a_window_sees_the_last_ticks_of_its_own_sequence(cls):
    X, T = data(6, 4, 3, 2, 2)
    for window in 1, 2, 3, 4:
        learner = made(cls, X, 2, hidden=2, window=window, block=3, rate=1e-6, optimiser="sgd")
        w = weights(learner)
        close({"out": answers(learner, X, python=True)}, {"out": forward(learner, w, X)[0]})
        alone = downhill(learner, X[3:], T[3:])
        taught(learner, X[[0, 1, 2]], T[[0, 1, 2]], python=True)
        learner.layout_.write(w)
        taught(learner, X[3:], T[3:], python=True)
        close({name: learner.arrays()["d" + name] for name in alone}, alone)


def by_hand(cls):
    # 1-1-1, linear, squared error: z = 3 (2 x + 1) - 1 at x = 2 is 14; of target 10 the error is -4
    X, T = np.array([[[2.0]]]), np.array([[10.0]])
    learner = made(cls, X, 1, hidden=1, activation="linear", loss="squared", optimiser="sgd", rate=0.125, block=1)
    learner.layout_.write({"W[0]": [[2.0]], "b[0]": [1.0], "W[1]": [[3.0]], "b[1]": [-1.0]})
    assert answers(learner, X, python=True).tolist() == [[14]]
    taught(learner, X, T, python=True)
    a = {name: array.ravel().tolist() for name, array in learner.arrays().items()}
    assert a["d[1]"] == [-4]
    assert a["d[0]"] == [-12]
    assert (a["dW[1]"], a["db[1]"], a["dW[0]"], a["db[0]"]) == ([-20], [-4], [-24], [-12])
    assert (a["W[1]"], a["b[1]"], a["W[0]"], a["b[0]"]) == ([0.5], [-1.5], [-1], [-0.5])
    assert learner.cut == 0.5
    assert made(cls, X, 1).cut == 0


def optimisers_follow_their_papers(cls):
    X, T = data(8, 3, 1, 2, 2)
    for optimiser in OPTIMISERS:
        learner = made(cls, X, 2, hidden=2, activation="tanh", optimiser=optimiser, rate=0.1, beta=0.8, beta2=0.95)
        w = weights(learner)

        def gradients(flat, like=w, learner=learner):
            parts = np.split(flat, np.cumsum([a.size for a in like.values()])[:-1])
            here = {name: part.reshape(a.shape) for (name, a), part in zip(like.items(), parts, strict=True)}
            found = naive.gradient(lambda moved: mean_loss(learner, moved, X, T), here, here)
            return np.concatenate([found[name].ravel() for name in like])

        start = np.concatenate([a.ravel() for a in w.values()])
        for steps, expected in zip(range(4), naive.descend(gradients, start, optimiser, 0.1, 0.8, 0.95), strict=False):
            taught(learner, X, T, python=True)
            found = np.concatenate([learner.arrays()[name].ravel() for name in w])
            np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-10, err_msg=f"{optimiser}, step {steps}")


def starts_at_the_published_scale(cls):
    for activation, gain in ("tanh", 1), ("sigmoid", 1), ("linear", 1), ("relu", 2), ("leaky_relu", 2), ("elu", 2), ("prelu", 2):
        w = weights(cls(activation=activation, hidden=64, depth=2).begin(Sizes((16,), 32)))
        for l, variance in enumerate([gain / 16, gain / 64, 1 / 64]):
            # of n normal numbers the mean square is within 4 sqrt(2 / n) of the variance
            assert w[f"W[{l}]"].shape == ((64, 64, 32)[l], (16, 64, 64)[l])
            n = w[f"W[{l}]"].size
            assert abs((w[f"W[{l}]"] ** 2).mean() / variance - 1) < 4 * (2 / n) ** 0.5, (activation, l)
            assert abs(w[f"W[{l}]"].mean()) < 4 * (variance / n) ** 0.5
            assert not w[f"b[{l}]"].any()
        if activation == "prelu":
            assert (w["alpha[0]"] == 0.25).all()
            assert w["alpha[1]"].shape == (64,)
    learner = cls(hidden=1024, depth=1, start="torch").begin(Sizes((64,), 64))
    for name, array in weights(learner).items():
        if array.size:
            bound = 1 / 8 if name in {"W[0]", "b[0]"} else 1 / 32
            assert np.abs(array).max() <= bound
            assert abs((array**2).mean() / (bound**2 / 3) - 1) < 4 * (0.8 / array.size) ** 0.5, name
            assert abs(array.mean()) < 4 * (bound**2 / 3 / array.size) ** 0.5, name


KNOWN_ANSWERS = {
    answer.__name__: answer
    for answer in (
        by_hand,
        answers_follow_the_formula,
        raw_changes_are_minus_the_gradient,
        large_layers_go_by_blas,
        a_window_sees_the_last_ticks_of_its_own_sequence,
        optimisers_follow_their_papers,
        starts_at_the_published_scale,
    )
}
MUTATED = {
    MLP: (
        *(mlp.init, mlp.bend, mlp.unbend, mlp.respond, mlp.learn, kernels.dot, kernels.dot_t, kernels.t_dot, kernels.columns),
        *(kernels.activate, kernels.slope, kernels.error),
    )
}


@pytest.mark.parametrize("name", KNOWN_ANSWERS)
def test_known_answer(name):
    KNOWN_ANSWERS[name](MLP)


# ---------------------------------------------------------------- gradients


architectures = st.fixed_dictionaries(
    dict(
        hidden=st.integers(1, 5),
        depth=st.integers(0, 4),
        activation=st.sampled_from(ACTIVATIONS),
        loss=st.sampled_from(LOSSES),
        residual=st.booleans(),
        window=st.integers(1, 3),
        start=st.sampled_from(["scaled", "torch"]),
    )
)


@settings(deadline=None, max_examples=40)
@given(
    seed=SEEDS,
    architecture=architectures,
    n=st.integers(1, 5),
    spare=st.integers(0, 3),
    T=st.integers(1, 3),
    d=st.integers(1, 4),
    K=st.integers(1, 4),
)
def test_gradient_agrees_with_differences_and_with_the_twin(seed, architecture, n, spare, T, d, K):
    X, targets = data(seed, n, T, d, K, classes=architecture["loss"] == "entropy")
    learner = made(MLP, X, K, **architecture, block=n + spare, random_state=seed)
    assume(smooth(learner, X))
    w, expected = weights(learner), downhill(learner, X, targets)
    close({"out": answers(learner, X)}, {"out": forward(learner, w, X)[0]})
    twin = learner.fork()

    def measured(moved):
        twin.layout_.write(moved)
        return naive.loss(twin.live(X)[:, -1], targets, learner.loss)

    rough = naive.central(measured, w, w)
    scale = max(1.0, measured(w))
    taught(learner, X, targets)
    for name in w:
        change = learner.arrays()["d" + name]
        np.testing.assert_allclose(change, expected[name], rtol=1e-10, atol=1e-10 * scale, err_msg=name)
        assert (np.abs(change + rough[name]) <= 1e-6 * scale * np.maximum(1e-3, np.abs(change))).all(), name


def torch_forward(torch, w, X, activation, residual):
    F = torch.nn.functional
    L, x = sum(name.startswith("W[") for name in w), X
    for l in range(L):
        u = F.linear(x, w[f"W[{l}]"], w[f"b[{l}]"])
        if l == L - 1:
            return u
        y = (
            F.prelu(u, w[f"alpha[{l}]"])
            if activation == "prelu"
            else (u if activation == "linear" else getattr(F, activation)(u))
        )
        x = x + y if residual and l > 0 else y
    raise AssertionError


def torch_loss(torch, Z, T, kind):
    F = torch.nn.functional
    if kind == "squared":
        return F.mse_loss(Z, T, reduction="sum") / 2 / len(Z)
    return F.cross_entropy(Z, T) if Z.shape[1] > 1 else F.binary_cross_entropy_with_logits(Z, T)


@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(("loss", "K"), [("entropy", 1), ("entropy", 3), ("squared", 2)])
def test_equals_pytorch_over_several_steps(activation, residual, optimiser, loss, K):
    torch = pytest.importorskip("torch", reason="PyTorch, an independent reference, is not installed (extra `peers`)")
    X, T = data(11, 13, 1, 4, K, classes=loss == "entropy")
    learner = made(
        MLP,
        X,
        K,
        hidden=12,
        depth=3,
        activation=activation,
        residual=residual,
        loss=loss,
        optimiser=optimiser,
        rate=0.05,
        block=5,
    )
    theirs = {name: torch.tensor(a, requires_grad=True) for name, a in weights(learner).items()}
    used = [t for t in theirs.values() if t.numel()]
    optimisers = dict(
        sgd=lambda: torch.optim.SGD(used, 0.05),
        momentum=lambda: torch.optim.SGD(used, 0.05, 0.9),
        adam=lambda: torch.optim.Adam(used, 0.05),
    )
    step = optimisers[optimiser]()
    rng = np.random.default_rng(2)
    for epoch in range(2):
        order = rng.permutation(13)
        taught(learner, X, T, order[None])
        for rows in np.split(order, [5, 10]):
            step.zero_grad()
            Z = torch_forward(torch, theirs, torch.tensor(X[rows, 0]), activation, residual)
            torch_loss(torch, Z, torch.tensor(T[rows]), loss).backward()
            step.step()
        for name, tensor in theirs.items():
            np.testing.assert_allclose(
                learner.arrays()[name], tensor.detach().numpy(), rtol=1e-10, atol=1e-10, err_msg=f"{name}, {epoch}"
            )
            if tensor.numel():
                np.testing.assert_allclose(
                    learner.arrays()["d" + name], -tensor.grad.numpy(), rtol=1e-10, atol=1e-10, err_msg=name
                )


# ---------------------------------------------------------------- what holds for any network


@settings(deadline=None, max_examples=30)
@given(seed=SEEDS, activation=st.sampled_from(ACTIVATIONS), optimiser=st.sampled_from(OPTIMISERS), layer=st.integers(0, 1))
def test_relabelled_hidden_units_learn_the_same(seed, activation, optimiser, layer):
    X, T = data(seed, 8, 1, 3, 2)
    one = made(MLP, X, 2, hidden=5, depth=2, activation=activation, optimiser=optimiser, rate=0.02, block=4, random_state=seed)
    assume(smooth(one, X))
    order = np.random.default_rng(seed).permutation(5)

    def relabelled(w):
        w = dict(w)
        for name in f"W[{layer}]", f"b[{layer}]", f"alpha[{layer}]":
            w[name] = w[name][order] if w[name].size else w[name]
        return w | {f"W[{layer + 1}]": w[f"W[{layer + 1}]"][:, order]}

    other = one.fork(**relabelled(weights(one)))
    np.testing.assert_allclose(answers(one, X), answers(other, X), rtol=1e-12, atol=1e-12)
    taught(one, X, T)
    taught(other, X, T)
    # Adam divides by |g| + 1e-8: what rounding, 1e-16, makes of a gradient near 0 is up to 1e-8 of a step
    close(weights(other), relabelled(weights(one)), 1e-12 if optimiser != "adam" else 1e-9)


@settings(deadline=None, max_examples=30)
@given(seed=SEEDS, activation=st.sampled_from(ACTIVATIONS), n=st.integers(2, 12), loss=st.sampled_from(LOSSES))
def test_the_order_of_a_full_block_changes_nothing(seed, activation, n, loss):
    X, T = data(seed, n, 1, 3, 2)
    one = made(MLP, X, 2, hidden=4, activation=activation, optimiser="sgd", rate=0.1, loss=loss, random_state=seed)
    other = one.fork()
    taught(one, X, T)
    taught(other, X, T, np.random.default_rng(seed).permutation(n)[None])
    close(weights(other), weights(one), 1e-12)


@settings(deadline=None, max_examples=20)
@given(seed=SEEDS, times=st.integers(2, 4))
def test_a_block_of_copies_changes_what_one_of_them_does(seed, times):
    X, T = data(seed, 3, 1, 3, 2)
    one = made(MLP, X, 2, hidden=4, activation="tanh", random_state=seed)
    other = one.fork(block=3 * times)
    taught(one, X, T)
    taught(other, np.tile(X, (times, 1, 1)), np.tile(T, (times, 1)))
    for name in weights(one):
        np.testing.assert_allclose(one.arrays()["d" + name], other.arrays()["d" + name], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("constant", [1e3, -1e3])
def test_a_constant_on_all_logits_changes_no_error(constant):
    X, T = data(0, 4, 1, 3, 3)
    one = made(MLP, X, 3, hidden=4)
    other = one.fork(**{"b[1]": one.arrays()["b[1]"] + constant})
    taught(one, X, T)
    taught(other, X, T)
    np.testing.assert_allclose(one.arrays()["d[1]"], other.arrays()["d[1]"], rtol=1e-12, atol=1e-12)


def test_depth_and_width_are_no_part_of_any_compiled_type():
    compiled = set()
    for depth, hidden, activation in (2, 3, "tanh"), (6, 3, "tanh"), (0, 1, "relu"), (6, 9, "prelu"):
        X, T = data(0, 6, 1, 4, 2)
        learner = made(MLP, X, 2, depth=depth, hidden=hidden, activation=activation, residual=depth > 2)
        taught(learner, X, T)
        compiled |= set(learner._loop(python=False).signatures)
    assert len(compiled) == 1


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_float32_stays_close_to_float64(activation):
    X, T = data(1, 40, 1, 6, 3)
    both = []
    for bits in 32, 64:
        learner = made(MLP, X, 3, hidden=10, depth=2, activation=activation, rate=0.05, optimiser="momentum", block=8, bits=bits)
        taught(learner, X, T)
        both.append(learner)
    found, expected = (np.concatenate([a.ravel() for a in weights(learner).values()]) for learner in both)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(answers(both[0], X), answers(both[1], X), rtol=1e-4, atol=1e-4)


def test_a_trace_tells_the_order_of_activity_and_errors():
    X, T = data(0, 1, 1, 3, 2)
    learner = made(MLP, X, 2, hidden=4, depth=2)
    events = learner.probe(X[0], T, trace=True).trace
    names = [e.name for e in events if e.kind in ("rate", "error")]
    first = [names.index(name) for name in ("a[0]", "a[1]", "a[2]", "a[3]", "d[2]", "d[1]", "d[0]")]
    assert first == sorted(first)
    raw = {e.name: e.vector for e in events if e.kind == "change"}
    expected = downhill(learner, X, T)
    for name, vector in raw.items():
        np.testing.assert_allclose(vector, expected[name].ravel(), rtol=1e-11, atol=1e-11)
    assert set(raw) == {name for name, array in expected.items() if array.size}


# ---------------------------------------------------------------- XOR


def test_two_hidden_units_set_by_hand_solve_xor():
    X, T = XOR
    learner = made(MLP, X[:, None], 1, hidden=2, activation="relu", loss="squared", rate=0.1)
    solved = {"W[0]": [[1.0, 1], [1, 1]], "b[0]": [0.0, -1], "W[1]": [[1.0, -2]], "b[1]": [0.0]}
    learner.layout_.write(solved)
    assert np.array_equal(answers(learner, X[:, None]), T)
    taught(learner, X[:, None], T)
    for name, array in solved.items():
        assert np.array_equal(learner.arrays()[name], array), "where nothing is wrong, nothing is learnt"


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_values_and_slopes_are_those_of_the_closed_forms(activation):
    points = np.array([-30, -2.5, -1, -0.25, 0.25, 1, 2.5, 30.0])
    X, T = points[:, None, None], np.zeros((8, 1))
    one = np.ones((1, 1))
    learner = made(MLP, X, 1, hidden=1, activation=activation, loss="squared", block=8)
    learner.layout_.write({"W[0]": one, "b[0]": [0.0], "W[1]": one, "b[1]": [0.0]})
    alpha = learner.arrays()["alpha[0]"]
    if activation == "prelu":
        value, slope = np.where(points > 0, points, alpha * points), np.where(points > 0, 1, alpha)
    else:
        value, slope = naive.VALUES[activation](points), naive.SLOPES[activation](points)
    found = answers(learner, X)[:, 0]
    np.testing.assert_allclose(found, value, rtol=1e-13, atol=1e-13)
    taught(learner, X, T)
    np.testing.assert_allclose(learner.arrays()["d[0]"][:, 0], -value * slope / 8, rtol=1e-12, atol=1e-13)
