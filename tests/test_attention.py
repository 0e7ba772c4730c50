"""Attention against its forward formula, that formula's gradient, PyTorch, and the symmetries of the published rule."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.base import TOKENS
from harness.learner import Sizes
from learners import attention
from learners.attention import POOLS, Attention
from learners.kernels import LOSSES
from tests import naive

SEEDS = st.integers(0, 2**32 - 1)


def made(cls, X, K, **params):
    """A layer for sequences X (n, T, d), in float64."""
    return cls(**dict(bits=64, block=len(X)) | params).begin(Sizes(X.shape[2:], K, X.shape[1]))


def weights(learner):
    return {s.array: learner.arrays()[s.array].copy() for s in learner.wiring()}


def taught(learner, X, T, orders=None, **options):
    learner.live(X, T[:, None], orders=orders, **options)
    return learner


def answers(learner, X, **options):
    return learner.fork().live(X, **options)[:, 0]


def looked(learner, X):
    """The weights A (n, heads, T, T) with which the positions of X (n, T, d) look at one another; n must not exceed the block."""
    learner.live(X)
    n, T, _ = X.shape
    return learner.arrays()["A"].reshape(-1, learner.heads, T, T)[:n].copy()


def forward(learner, w, X):
    return naive.attention(w, X, learner.heads, learner.causal, learner.pool)


def downhill(learner, X, T):
    """Minus the gradient of the mean loss, by the complex step through the naive forward formula."""
    w = weights(learner)
    found = naive.gradient(lambda moved: naive.loss(forward(learner, moved, X)[0], T, learner.loss), w, w)
    return {name: -g for name, g in found.items()}


def data(seed, n, T, d, K, classes=True):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, T, d))
    if not classes:
        return X, rng.normal(size=(n, K))
    named = rng.integers(0, max(K, 2), n)
    return X, (np.eye(K)[named] if K > 1 else named[:, None].astype(float))


def close(found, expected, tolerance=1e-11):
    for name, array in expected.items():
        np.testing.assert_allclose(found[name], array, rtol=tolerance, atol=tolerance, err_msg=name)


def raw(learner):
    return {name: learner.arrays()[name.replace("W", "dW") if name[0] == "W" else "d" + name] for name in weights(learner)}


# ---------------------------------------------------------------- known answers


def answers_follow_the_formula(cls):
    X, _ = data(0, 3, 4, 2, 2)
    for heads, causal, pool in itertools.product((1, 2), (False, True), POOLS):
        learner = made(cls, X, 2, width=2, heads=heads, causal=causal, pool=pool)
        learner.arrays()["b"][:] = [0.5, -1.5]
        expected, A = forward(learner, weights(learner), X)
        found = learner.fork().live(X, python=True)[:, 0]
        close({"out": found}, {"out": expected})
        learner.live(X, python=True)
        close({"A": learner.arrays()["A"].reshape(3, heads, 4, 4)}, {"A": A})


def raw_changes_are_minus_the_gradient(cls):
    for (heads, causal, pool), loss in zip(itertools.product((1, 2), (False, True), POOLS), LOSSES * 4, strict=True):
        X, T = data(1, 2, 3, 2, 1 + heads)
        learner = made(cls, X, 1 + heads, width=2, heads=heads, causal=causal, pool=pool, loss=loss, block=3)
        expected = downhill(learner, X, T)
        taught(learner, X, T, python=True)
        close(raw(learner), expected)


def equal_positions_are_looked_at_alike(cls):
    # of four equal positions each gets a quarter; the answer is then that of one position: U (h + W3 W2 h) + b
    X = np.ones((1, 4, 2)) * [1.0, -2.0]
    for causal in False, True:
        learner = made(cls, X, 1, width=3, heads=2, causal=causal)
        w = weights(learner)
        w["P"][:] = [0.5, -0.5, 0.25, 0, 1, -1]
        learner.layout_.write(w)
        out = learner.live(X, python=True)
        expected = np.tril(np.ones((4, 4))) / np.arange(1, 5)[:, None] if causal else np.full((4, 4), 0.25)
        np.testing.assert_allclose(learner.arrays()["A"], [expected] * 2, rtol=1e-13)
        h = w["E"] @ X[0, 0] + w["P"][0]
        np.testing.assert_allclose(out[0, 0], w["U"] @ (h + w["W[3]"] @ w["W[2]"] @ h) + w["b"], rtol=1e-12)


def scores_are_over_the_root_of_a_heads_width(cls):
    # one head of width 4, Q = K = h and h = E x a single number in one place: score h_t h_u / 2, softmax by hand
    X = np.array([[[2.0], [0.0]]])
    learner = made(cls, X, 1, width=4, heads=1)
    w = {name: np.zeros_like(array) for name, array in weights(learner).items()}
    w["E"][1, 0] = 1
    w["W[0]"][1, 1] = w["W[1]"][1, 1] = w["W[2]"][1, 1] = w["W[3]"][1, 1] = w["U"][0, 1] = 1
    learner.layout_.write(w)
    out = learner.live(X, python=True)
    e = np.exp(2.0)
    np.testing.assert_allclose(learner.arrays()["A"][0], [[e / (e + 1), 1 / (e + 1)], [0.5, 0.5]], rtol=1e-14)
    np.testing.assert_allclose(out.ravel(), [1], rtol=1e-14)


def large_scores_do_not_overflow(cls):
    # as above, with scores of +-800, whose exponentials no float holds: each position looks at itself alone
    X = np.array([[[40.0], [-40.0]]])
    learner = made(cls, X, 1, width=4, heads=1)
    w = {name: np.zeros_like(array) for name, array in weights(learner).items()}
    w["E"][1, 0] = w["W[0]"][1, 1] = w["W[1]"][1, 1] = 1
    learner.layout_.write(w)
    learner.live(X, python=True)
    assert learner.arrays()["A"].tolist() == [np.eye(2).tolist()]


def starts_at_its_stated_scale(cls):
    learner = cls(width=16, heads=4).begin(Sizes((25,), 64, 64))
    for name, variance in dict(E=1 / 25, P=1 / 4, U=1 / 64, **{f"W[{m}]": 1 / 64 for m in range(4)}).items():
        array = learner.arrays()[name]
        assert abs((array**2).mean() / variance - 1) < 4 * (2 / array.size) ** 0.5, name
        assert abs(array.mean()) < 4 * (variance / array.size) ** 0.5, name
    assert not learner.arrays()["b"].any()
    assert learner.arrays()["E"].shape == (64, 25)
    assert cls(loss="squared").cut == 0.5
    assert cls().cut == 0


def a_step_goes_down(cls):
    X, T = data(2, 3, 3, 2, 2)
    learner = made(cls, X, 2, width=2, optimiser="sgd", rate=0.25)
    w, change = weights(learner), downhill(learner, X, T)
    taught(learner, X, T, python=True)
    close(weights(learner), {name: w[name] + 0.25 * change[name] for name in w})


KNOWN_ANSWERS = {
    answer.__name__: answer
    for answer in (
        scores_are_over_the_root_of_a_heads_width,
        equal_positions_are_looked_at_alike,
        answers_follow_the_formula,
        raw_changes_are_minus_the_gradient,
        a_step_goes_down,
        starts_at_its_stated_scale,
        large_scores_do_not_overflow,
    )
}
MUTATED = {
    Attention: (
        *(attention.init, attention.take, attention.give, attention.softmax, attention.unsoftmax),
        *(attention.respond, attention.learn),
    )
}


@pytest.mark.parametrize("name", KNOWN_ANSWERS)
def test_known_answer(name):
    KNOWN_ANSWERS[name](Attention)


# ---------------------------------------------------------------- gradients


architectures = st.fixed_dictionaries(
    dict(
        width=st.integers(1, 3),
        heads=st.integers(1, 3),
        causal=st.booleans(),
        pool=st.sampled_from(POOLS),
        loss=st.sampled_from(LOSSES),
    )
)


@settings(deadline=None, max_examples=30)
@given(
    seed=SEEDS,
    architecture=architectures,
    n=st.integers(1, 3),
    spare=st.integers(0, 2),
    T=st.integers(1, 4),
    d=st.integers(1, 3),
    K=st.integers(1, 3),
)
def test_gradient_agrees_with_differences_and_with_the_twin(seed, architecture, n, spare, T, d, K):
    X, targets = data(seed, n, T, d, K, classes=architecture["loss"] == "entropy")
    learner = made(Attention, X, K, **architecture, block=n + spare, random_state=seed)
    w, expected = weights(learner), downhill(learner, X, targets)
    close({"out": answers(learner, X)}, {"out": forward(learner, w, X)[0]})
    twin = learner.fork()

    def measured(moved):
        twin.layout_.write(moved)
        return naive.loss(twin.live(X)[:, 0], targets, learner.loss)

    rough, scale = naive.central(measured, w, w), max(1.0, measured(w))
    taught(learner, X, targets)
    for name, change in raw(learner).items():
        np.testing.assert_allclose(change, expected[name], rtol=1e-10, atol=1e-10 * scale, err_msg=name)
        assert (np.abs(change + rough[name]) <= 1e-6 * scale * np.maximum(1e-3, np.abs(change))).all(), name


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("heads", [1, 3])
def test_equals_pytorch(heads, causal, pool):
    torch = pytest.importorskip("torch", reason="PyTorch, an independent reference, is not installed (extra `peers`)")
    F = torch.nn.functional
    X, T = data(5, 6, 7, 4, 3)
    learner = made(Attention, X, 3, width=4, heads=heads, causal=causal, pool=pool)
    w = {name: torch.tensor(a, requires_grad=True) for name, a in weights(learner).items()}
    h = F.linear(torch.tensor(X), w["E"]) + w["P"]
    query, key, value = (F.linear(h, w[f"W[{m}]"]).unflatten(-1, (heads, 4)).transpose(1, 2) for m in range(3))
    told = F.scaled_dot_product_attention(query, key, value, is_causal=causal).transpose(1, 2).flatten(2)
    z = h + F.linear(told, w["W[3]"])
    out = F.linear(z[:, -1] if pool == "last" else z.mean(1), w["U"], w["b"])
    F.cross_entropy(out, torch.tensor(T)).backward()
    np.testing.assert_allclose(answers(learner, X), out.detach().numpy(), rtol=1e-10, atol=1e-10)
    taught(learner, X, T)
    for name, change in raw(learner).items():
        np.testing.assert_allclose(change, -w[name].grad.numpy(), rtol=1e-10, atol=1e-10, err_msg=name)


# ---------------------------------------------------------------- what the published rule implies


@settings(deadline=None, max_examples=40)
@given(
    seed=SEEDS,
    n=st.integers(1, 3),
    T=st.integers(1, 6),
    heads=st.integers(1, 3),
    causal=st.booleans(),
    scale=st.sampled_from([1, 50]),
    bits=st.sampled_from([32, 64]),
)
def test_rows_of_weights_sum_to_one_at_any_size_of_scores(seed, n, T, heads, causal, scale, bits):
    X, _ = data(seed, n, T, 3, 2)
    learner = made(Attention, X, 2, width=4, heads=heads, causal=causal, bits=bits, random_state=seed)
    learner.arrays()["W[0]"][:] *= scale
    learner.arrays()["W[1]"][:] *= scale
    A = looked(learner, X)
    assert np.isfinite(A).all()
    assert A.min() >= 0
    np.testing.assert_allclose(A.sum(-1), 1, rtol=0, atol=(T + 1) * np.finfo(A.dtype).eps)
    if causal:
        assert not A[:, :, *np.triu_indices(T, 1)].any()


@settings(deadline=None, max_examples=40)
@given(seed=SEEDS, T=st.integers(2, 6), heads=st.integers(1, 2), bits=st.sampled_from([32, 64]), data_=st.data())
def test_causal_positions_do_not_depend_on_what_comes_later(seed, T, heads, bits, data_):
    at = data_.draw(st.integers(1, T - 1))
    X, _ = data(seed, 2, T, 3, 2)
    other = X.copy()
    other[:, at:] = np.random.default_rng(seed + 1).normal(size=other[:, at:].shape) * 10
    for causal in True, False:
        learner = made(Attention, X, 2, width=4, heads=heads, causal=causal, bits=bits, random_state=seed)
        states = []
        for signals in X, other:
            A = looked(learner, signals)
            states.append((A[:, :, :at], learner.arrays()["z"].reshape(2, T, -1)[:, :at].copy()))
        same = [np.array_equal(*both) for both in zip(*states, strict=True)]
        assert same == ([True, True] if causal else [False, False])


def test_a_causal_answer_at_the_end_of_a_prefix_is_that_of_the_longer_sequence():
    # position t of a causal layer is the last position of the same layer on the first t + 1 tokens
    X, _ = data(1, 3, 6, 2, 2)
    long = made(Attention, X, 2, width=3, causal=True)
    long.live(X)
    z = long.arrays()["z"].reshape(3, 6, -1)
    for t in range(6):
        short = made(Attention, X[:, : t + 1], 2, width=3, causal=True)
        short.layout_.write({k: v for k, v in weights(long).items() if k != "P"} | {"P": long.arrays()["P"][: t + 1]})
        out = short.live(X[:, : t + 1])[:, 0]
        np.testing.assert_allclose(out, z[:, t] @ long.arrays()["U"].T + long.arrays()["b"], rtol=1e-12, atol=1e-13)


@settings(deadline=None, max_examples=30)
@given(seed=SEEDS, T=st.integers(2, 6), heads=st.integers(1, 3))
def test_without_places_positions_are_interchangeable_and_with_them_they_are_not(seed, T, heads):
    X, _ = data(seed, 3, T, 3, 2)
    order = np.random.default_rng(seed).permutation(T)
    learner = made(Attention, X, 2, width=3, heads=heads, pool="mean", random_state=seed)
    blind = learner.fork(P=np.zeros_like(learner.arrays()["P"]))
    np.testing.assert_allclose(answers(blind, X[:, order]), answers(blind, X), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(looked(blind, X[:, order]), looked(blind, X)[:, :, order][..., order], rtol=1e-11, atol=1e-14)
    if (order != np.arange(T)).any():
        assert np.abs(answers(learner, X[:, order]) - answers(learner, X)).max() > 1e-9


@settings(deadline=None, max_examples=30)
@given(seed=SEEDS, heads=st.integers(2, 4))
def test_relabelled_heads_answer_and_learn_the_same(seed, heads):
    X, T = data(seed, 3, 4, 2, 2)
    one = made(Attention, X, 2, width=2, heads=heads, random_state=seed, optimiser="sgd", rate=0.1)
    order = np.random.default_rng(seed).permutation(heads)
    rows = (order[:, None] * 2 + np.arange(2)).ravel()

    def relabelled(w):
        return w | {f"W[{m}]": w[f"W[{m}]"][rows] for m in range(3)} | {"W[3]": w["W[3]"][:, rows]}

    other = one.fork(**relabelled(weights(one)))
    np.testing.assert_allclose(answers(other, X), answers(one, X), rtol=1e-12, atol=1e-12)
    taught(one, X, T)
    taught(other, X, T)
    close(weights(other), relabelled(weights(one)), 1e-12)


def test_two_heads_are_the_sum_of_two_single_ones():
    # Heads meet in a sum alone: of W[3] answers, each column of W[3] belongs to one head. A single head of the same width
    # with the other's columns shut off gives each part, on the same embedding.
    X, _ = data(2, 3, 5, 2, 2)
    both = made(Attention, X, 2, width=3, heads=2)
    w, parts = weights(both), []
    for g in range(2):
        rows, d = slice(3 * g, 3 * g + 3), 6
        shut = w["W[3]"].copy()
        shut[:, :d] = 0
        shut[:, rows] = w["W[3]"][:, rows]
        parts.append(answers(both.fork(**{"W[3]": shut}), X))
        # the same by the formula of one head: Q = W0 h, K = W1 h, V = W2 h, with the head's own rows and scale 1 / sqrt(3)
        h = X @ w["E"].T + w["P"]
        q, k, v = (h @ w[f"W[{m}]"][rows].T for m in range(3))
        scores = np.einsum("ntc,nuc->ntu", q, k) / np.sqrt(3)
        A = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
        z = (h + A @ v @ w["W[3]"][:, rows].T)[:, -1]
        np.testing.assert_allclose(parts[-1], z @ w["U"].T + w["b"], rtol=1e-12, atol=1e-12)
    none = answers(both.fork(**{"W[3]": np.zeros_like(w["W[3]"])}), X)
    np.testing.assert_allclose(answers(both, X), parts[0] + parts[1] - none, rtol=1e-12, atol=1e-12)


@settings(deadline=None, max_examples=20)
@given(seed=SEEDS, n=st.integers(2, 6))
def test_the_order_of_a_full_block_changes_nothing(seed, n):
    X, T = data(seed, n, 3, 2, 2)
    one = made(Attention, X, 2, width=2, optimiser="sgd", rate=0.1, random_state=seed)
    other = one.fork()
    taught(one, X, T)
    taught(other, X, T, np.random.default_rng(seed).permutation(n)[None])
    close(weights(other), weights(one), 1e-12)


@given(n=st.integers(1, 3), d=st.integers(1, 300))
def test_a_vector_is_a_sequence_of_its_pieces(n, d):
    X = np.arange(n * d, dtype=float).reshape(n, 1, d) + 1
    tokens = Attention.signals(X)
    _, ticks, width = tokens.shape
    assert np.array_equal(tokens.reshape(n, -1)[:, :d], X[:, 0])
    assert not tokens.reshape(n, -1)[:, d:].any()
    assert ticks <= TOKENS
    assert width == min(w for w in range(1, d + 1) if -(-d // w) <= TOKENS), "no piece is longer than it must be"
    assert ticks * width - d < width, "no piece is empty"


def test_a_sequence_is_taken_as_it_is():
    for shape in (2, 5, 3), (2, 2, 100):
        assert Attention.signals(np.ones(shape)).shape == shape


def test_float32_stays_close_to_float64():
    X, T = data(1, 20, 5, 3, 3)
    both = []
    for bits in 32, 64:
        learner = made(Attention, X, 3, width=4, optimiser="momentum", rate=0.05, block=5, bits=bits)
        both.append(taught(learner, X, T))
    close(weights(both[0]), weights(both[1]), 1e-4)
