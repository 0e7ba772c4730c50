"""Back-propagation in the network that all rules share: against its formula's gradient, PyTorch, and its papers' optimisers."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from harness.learner import Sizes
from learners import backprop, descent, network
from learners.backprop import Backprop
from learners.kernels import LOSSES
from tests import naive
from tests.networks import answers, asked, close, data, forward, made, taught, weights

SEEDS = st.integers(0, 2**32 - 1)
ACTIVATIONS = "linear", "sigmoid", "tanh", "relu", "leaky_relu", "elu"


def downhill(learner, X, T):
    """Minus the gradient of the mean loss, by the complex step through the naive forward formula."""
    w = weights(learner)
    found = naive.gradient(lambda moved: naive.loss(naive.mlp(moved, X, learner.activation)[0], T, learner.loss), w, w)
    return {name: -g for name, g in found.items()}


def answers_and_changes_follow_the_formula(cls):
    for activation in ACTIVATIONS:
        for loss, K in ("entropy", 3), ("entropy", 1), ("squared", 2):
            X, T = data(3, 5, 4, K, classes=loss == "entropy")
            learner = made(cls, X, K, hidden=3, depth=3, activation=activation, loss=loss, block=7)
            close({"out": answers(learner, X, python=True)}, {"out": forward(weights(learner), X, activation)[0][-1]})
            close(asked(learner, X, T, python=True), downhill(learner, X, T))
            assert learner.cut == (0.5 if loss == "squared" else 0.0)


def optimisers_follow_their_papers(cls):
    X, T = data(8, 3, 2, 2)
    for optimiser in descent.OPTIMISERS:
        for decay in 0.0, 0.3:
            learner = made(cls, X, 2, hidden=2, depth=1, optimiser=optimiser, rate=0.1, beta=0.8, beta2=0.95, decay=decay)
            w = weights(learner)

            def gradients(flat, learner=learner, w=w):
                parts = np.split(flat, np.cumsum([a.size for a in w.values()])[:-1])
                here = {name: part.reshape(a.shape) for (name, a), part in zip(w.items(), parts, strict=True)}
                found = naive.gradient(lambda moved: naive.loss(naive.mlp(moved, X, "tanh")[0], T, "entropy"), here, here)
                return np.concatenate([found[name].ravel() for name in w])

            start = np.concatenate([a.ravel() for a in w.values()])
            steps = naive.descend(gradients, start, optimiser, 0.1, 0.8, 0.95, decay)
            for step, expected in zip(range(4), steps, strict=False):
                taught(learner, X, T, python=True)
                found = np.concatenate([learner.arrays()[name].ravel() for name in w])
                np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-10, err_msg=f"{optimiser}, step {step}")


def starts_at_the_published_scale(cls):
    for activation, gain in ("tanh", 1), ("sigmoid", 1), ("linear", 1), ("relu", 2), ("leaky_relu", 2), ("elu", 2):
        given = dict(activation=activation, hidden=64, depth=2)
        scaled = weights(cls(start="scaled", **given).begin(Sizes((16,), 32)))
        for l, variance in enumerate([gain / 16, gain / 64, 1 / 64]):
            W = scaled[f"W[{l}]"]
            assert W.shape == ((64, 64, 32)[l], (16, 64, 64)[l])
            # of n normal numbers the mean square is within 4 sqrt(2 / n) of the variance
            assert abs((W**2).mean() / variance - 1) < 4 * (2 / W.size) ** 0.5, (activation, l)
            assert abs(W.mean()) < 4 * (variance / W.size) ** 0.5
    found = weights(cls(hidden=64, depth=2).begin(Sizes((16,), 32)))
    for l, (m, k) in enumerate([(64, 16), (64, 64), (32, 64)]):
        W, bound = found[f"W[{l}]"], (6 / (m + k)) ** 0.5
        assert W.shape == (m, k)
        assert np.abs(W).max() <= bound
        assert abs((W**2).mean() / (bound**2 / 3) - 1) < 4 * (0.8 / W.size) ** 0.5
        assert abs(W.mean()) < 4 * (bound**2 / 3 / W.size) ** 0.5
        assert not found[f"b[{l}]"].any()


KNOWN_ANSWERS = {
    a.__name__: a for a in (answers_and_changes_follow_the_formula, optimisers_follow_their_papers, starts_at_the_published_scale)
}
MUTATED = {
    Backprop: (
        *(backprop.learn, network.init, network.respond, network.synapses, network.descend, network.change),
        descent.adapt,
    )
}


@pytest.mark.parametrize("name", KNOWN_ANSWERS)
def test_known_answer(name):
    KNOWN_ANSWERS[name](Backprop)


architectures = dict(
    hidden=st.integers(1, 5), depth=st.integers(0, 5), loss=st.sampled_from(LOSSES),
    start=st.sampled_from(network.STARTS), random_state=SEEDS,
)  # fmt: skip


@settings(deadline=None, max_examples=40)
@given(
    shape=st.fixed_dictionaries(architectures | dict(activation=st.sampled_from(ACTIVATIONS))),
    n=st.integers(1, 5), spare=st.integers(0, 3), d=st.integers(1, 4), K=st.integers(1, 4),
)  # fmt: skip
def test_the_gradient_agrees_with_central_differences(shape, n, spare, d, K):
    X, T = data(shape["random_state"], n, d, K, classes=shape["loss"] == "entropy")
    learner = made(Backprop, X, K, **shape, block=n + spare)
    w = weights(learner)
    if shape["activation"] in naive.KINKED:
        assume(all(np.abs(u).min() > 1e-4 for u in forward(w, X, shape["activation"])[1][:-1]))
    twin = learner.fork()

    def measured(moved):
        twin.layout_.write(moved)
        return naive.loss(twin.live(X[:, None])[:, 0], T, learner.loss)

    scale = max(1.0, measured(w))
    rough = naive.central(measured, w, w)
    for name, change in asked(learner, X, T).items():
        assert (np.abs(change + rough[name]) <= 1e-6 * scale * np.maximum(1e-3, np.abs(change))).all(), name


@settings(deadline=None, max_examples=40)
@given(
    shape=st.fixed_dictionaries(architectures | dict(activation=st.sampled_from(["linear", "sigmoid", "tanh"]))),
    n=st.integers(1, 5), d=st.integers(1, 4), K=st.integers(1, 4),
)  # fmt: skip
def test_the_gradient_agrees_with_the_complex_step(shape, n, d, K):
    X, T = data(shape["random_state"], n, d, K, classes=shape["loss"] == "entropy")
    learner = made(Backprop, X, K, **shape)
    expected = downhill(learner, X, T)
    scale = max(1.0, *(np.abs(g).max() for g in expected.values()))
    for name, change in asked(learner, X, T).items():
        np.testing.assert_allclose(change, expected[name], rtol=1e-12, atol=1e-12 * scale, err_msg=name)


@settings(deadline=None, max_examples=25)
@given(
    shape=st.fixed_dictionaries(architectures | dict(activation=st.sampled_from(ACTIVATIONS))),
    n=st.integers(1, 9), d=st.integers(1, 12), K=st.integers(1, 4),
)  # fmt: skip
def test_the_gradient_and_a_step_of_adamw_are_those_of_pytorch(shape, n, d, K):
    torch = pytest.importorskip("torch", reason="PyTorch, an independent reference, is not installed (extra `peers`)")
    X, T = data(shape["random_state"], n, d, K, classes=shape["loss"] == "entropy")
    learner = made(Backprop, X, K, **shape, rate=0.05, decay=0.3)
    theirs = {name: torch.tensor(a, requires_grad=True) for name, a in weights(learner).items()}
    step = torch.optim.AdamW(theirs.values(), 0.05, weight_decay=0.3)
    F, L = torch.nn.functional, learner.depth + 1
    x = torch.tensor(X)
    for l in range(L):
        x = F.linear(x, theirs[f"W[{l}]"], theirs[f"b[{l}]"])
        if l < L - 1 and learner.activation != "linear":
            x = getattr(F, learner.activation)(x)
    target = torch.tensor(T)
    if learner.loss == "squared":
        loss = ((x - target) ** 2).sum() / 2 / n
    else:
        loss = F.cross_entropy(x, target) if K > 1 else F.binary_cross_entropy_with_logits(x, target)
    loss.backward()
    close(asked(learner, X, T), {name: -t.grad.numpy() for name, t in theirs.items()}, 1e-10)
    step.step()
    # Adam divides by |g| + 1e-8: what rounding, 1e-16, makes of a gradient near 0 is up to 1e-8 of a step
    close(weights(taught(learner, X, T)), {name: t.detach().numpy() for name, t in theirs.items()}, 1e-9)
