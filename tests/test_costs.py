"""Counted operations against the formula of each rule, term by term; counting leaves everything as it was."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import costs
from harness.costs import Counts, Tally, count
from harness.learner import Learner, Sizes, Synapse
from learners.attention import POOLS, Attention
from learners.controls import Logistic, Majority
from learners.diehl_cook import DiehlCook
from learners.hebbian import HebbianAssociator
from learners.kernels import LOSSES
from learners.mcculloch_pitts import McCullochPitts
from learners.mlp import MLP
from learners.oja import Oja
from learners.perceptron import Perceptron
from learners.weight_mirror import WeightMirror
from learners.weight_perturbation import WeightPerturbation

PER_WEIGHT = dict(sgd=1, momentum=2, adam=9)
"""Products and quotients of an update. Adam: b m, (1 - b) g, c v, (1 - c) g g, m / (1 - b^t), v / (1 - c^t), rate, quotient."""


def made(cls, shape, K, ticks=1, **params):
    if cls.can.whole:
        ticks, *shape = shape
    return cls(**dict(bits=64) | params).begin(Sizes(tuple(shape), K, ticks))


def data(learner, n=1, ticks=1):
    """Signals and targets that fit a learner, and its taught ticks: the last."""
    rng = np.random.default_rng(0)
    shape, K = learner.task_.shape, learner.task_.n_out
    X = rng.normal(size=(n, ticks, *shape)) if not learner.can.whole else rng.normal(size=(n, *shape))
    Y = np.repeat(np.eye(max(K, 2))[np.arange(n) % 2, None, :K], ticks, axis=1)
    return X, Y, np.arange(ticks) == ticks - 1


def products(learner, n=1, ticks=1):
    """Of one answer, of learning from one signal, and of one update, in 1 / block of it."""
    found = count(learner, *data(learner, n, ticks), 1_000_000)
    return found.mac_infer, found.mac_train / 1_000_000


# ---------------------------------------------------------------- numbers that count


def test_products_and_quotients_count_and_sums_do_not():
    x, y = Tally(3.0), Tally(-2.0)
    cases = {
        "x * y": (x * y, -6, 1), "2.0 * x": (2.0 * x, 6, 1), "x * 2.0": (x * 2.0, 6, 1), "x / y": (x / y, -1.5, 1),
        "6.0 / x": (6.0 / x, 2, 1), "x + y": (x + y, 1, 0), "1.0 + x": (1.0 + x, 4, 0), "x - y": (x - y, 5, 0),
        "1.0 - x": (1.0 - x, -2, 0), "-x": (-x, -3, 0), "abs(y)": (abs(y), 2, 0), "1 * x": (1 * x, 3, 0), "x * 0": (x * 0, 0, 0),
        "x / 2": (x / 2, 1.5, 0), "6 / x": (6 / x, 2, 1),
    }  # fmt: skip
    for name, (value, expected, _) in cases.items():
        assert value == expected, name
        assert type(value) is Tally, name
    for name, (_, _, expected) in cases.items():
        before = costs.PRODUCTS[0]
        eval(name, {"x": x, "y": y})
        assert costs.PRODUCTS[0] - before == expected, name


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_numpy_scalars_count_as_well(kind):
    x = Tally(3.0)
    for operation, expected, counted in (
        (lambda: kind(2) * x, 6, 1), (lambda: x * kind(2), 6, 1), (lambda: kind(6) / x, 2, 1), (lambda: x / kind(2), 1.5, 1),
        (lambda: kind(2) + x, 5, 0), (lambda: x - kind(2), 1, 0), (lambda: np.exp(x), math.exp(3), 0),
        (lambda: np.maximum(x, kind(0)), 3, 0),
    ):  # fmt: skip
        before = costs.PRODUCTS[0]
        assert operation() == expected
        assert type(operation()) is Tally
        assert costs.PRODUCTS[0] - before == 2 * counted


# ---------------------------------------------------------------- rule by rule


@settings(deadline=None, max_examples=40)
@given(
    d=st.integers(1, 12),
    hidden=st.integers(1, 12),
    depth=st.integers(0, 3),
    K=st.integers(1, 4),
    activation=st.sampled_from(["relu", "tanh", "linear", "sigmoid"]),
    loss=st.sampled_from(LOSSES),
    optimiser=st.sampled_from(list(PER_WEIGHT)),
    block=st.integers(1, 9),
    ticks=st.integers(1, 3),
    window=st.integers(1, 2),
)
def test_mlp(d, hidden, depth, K, activation, loss, optimiser, block, ticks, window):
    shape = dict(hidden=hidden, depth=depth, activation=activation, window=window)
    learner = made(MLP, (d,), K, ticks, loss=loss, optimiser=optimiser, block=block, **shape)
    n = [d * window, *[hidden] * depth, K]
    layers = [a * b for a, b in itertools.pairwise(n)]
    units, weights = hidden * depth, sum(layers) + sum(n[1:])
    forward = sum(layers) + units * (2 if activation == "sigmoid" else 0)  # 1/2 + 1/2 tanh(u / 2)
    backward = sum(layers) + sum(layers[1:])
    backward += units * (2 if activation in ("tanh", "sigmoid") else 0)  # d (1 - a a), d (a (1 - a))
    backward += K * (2 if loss == "entropy" and K > 1 else 1)  # the share of the block, and that in a softmax
    infer, train = products(learner, ticks=ticks)
    assert infer == ticks * forward
    assert train == pytest.approx(ticks * forward + backward + PER_WEIGHT[optimiser] * weights / block, abs=1e-6)


@settings(deadline=None, max_examples=25)
@given(
    T=st.integers(1, 6),
    n=st.integers(1, 5),
    width=st.integers(1, 4),
    heads=st.integers(1, 3),
    K=st.integers(2, 4),
    pool=st.sampled_from(POOLS),
    loss=st.sampled_from(LOSSES),
)
def test_attention(T, n, width, heads, K, pool, loss):
    learner = made(Attention, (T, n), K, width=width, heads=heads, pool=pool, loss=loss, optimiser="sgd", block=1)
    d, mean = width * heads, pool == "mean"
    weights = d * n + T * d + 4 * d * d + K * d + K
    forward = T * n * d + 4 * T * d * d + 2 * T * T * d + 2 * T * T * heads + K * d + mean * d
    backward = K * (2 if loss == "entropy" else 1) + 2 * K * d + 8 * T * d * d
    backward += 4 * T * T * d + 3 * T * T * heads + T * n * d + mean * T * d
    infer, train = products(learner)
    assert infer == forward
    assert train == forward + backward + weights


@pytest.mark.parametrize("block", [1, 2, 10])
def test_what_serves_a_block_is_shared_out_over_it(block):
    """Of n weights and k biases: both flickers, what comes of them, and the step. Of F weights of feedback: their fading."""
    shape = dict(hidden=6, depth=1, optimiser="sgd", activation="linear", loss="squared", block=block)
    n, k = 5 * 6 + 6 * 3, 6 + 3
    perturbed = made(WeightPerturbation, (5,), 3, sides="two", draw="signs", **shape)
    mirrored = made(WeightMirror, (5,), 3, **shape)
    assert products(perturbed)[1] == pytest.approx(3 * n + 4 * (n + k) / block, abs=1e-6)
    error, back, F = 3, n + 6 * 3, 6 * 3
    assert products(mirrored)[1] == pytest.approx(n + error + back + 2 * F + (2 * F + n + k) / block, abs=1e-6)


def test_a_causal_row_costs_its_own_length():
    causal, whole = (made(Attention, (5, 2), 2, width=3, causal=flag) for flag in (True, False))
    # two products a weight of A that is seen: 15 of 25
    assert products(whole)[0] - products(causal)[0] == 2 * 10 * 2


@pytest.mark.parametrize(("d", "K"), [(1, 1), (7, 1), (5, 3)])
def test_one_layer_rules(d, K):
    assert products(made(HebbianAssociator, (d,), K)) == (d * K, 3 * d * K)
    assert products(made(Oja, (d,), K)) == (d * K, 4 * d * K)
    H = 2**d * K
    assert products(made(McCullochPitts, (d,), K)) == (H * d + K * H, H * d + K * H)


def test_the_perceptron_pays_for_its_mistakes_alone():
    learner = made(Perceptron, (5,), 3)
    learner.arrays()["b"][:] = [-1e3, -1e3, -1e3]
    X, Y, taught = data(learner, 4)
    Y[:] = [0, 0, 0]
    assert count(learner, X, Y, taught, 1000).mac_train == 1000 * 15
    Y[0, 0] = [1, 0, 1]
    Y[2, 0] = [0, 1, 1]
    assert count(learner, X, Y, taught, 1000).mac_train == 1000 * 15 + 1000 * 4 * 5 // 4


def test_spikes_are_counted_as_they_come():
    learner = made(DiehlCook, (8,), 3, units=5, image=60.0, gap=10.0, tries=1)
    X = np.ones((3, 1, 8))
    learner.live(X, plastic=True)
    additions, spikes, updates, changed = learner.arrays()["events"].tolist()
    assert min(additions, spikes, updates, changed) > 0
    before = learner.layout_.copy()
    found = count(learner, X, np.zeros((3, 1, 3)), np.ones(1, bool), 3)
    assert (found.mac_train, found.ac_train, found.spikes, found.state_updates) == (0, additions + changed, spikes, updates)
    twin = learner.fork()
    twin.live(X, plastic=False)
    assert found.mac_infer == 0
    assert found.ac_infer == round((twin.arrays()["events"][0] - additions) / 3)
    for name, array in learner.arrays().items():
        assert np.array_equal(array, before[name]), name


# ---------------------------------------------------------------- what can and cannot be counted


def test_counting_leaves_the_learner_alone():
    for cls, shape in (MLP, (4,)), (Attention, (3, 2)), (Perceptron, (4,)), (Oja, (4,)), (HebbianAssociator, (4,)):
        learner = made(cls, shape, 2)
        before = learner.layout_.copy()
        X, Y, taught = data(learner)
        count(learner, X, Y, taught, 5)
        for name, array in learner.arrays().items():
            assert np.array_equal(array, before[name]), (cls.__name__, name)


def test_an_optimiser_cut_short_counts_as_one_run_to_the_end(monkeypatch):
    learner = made(MLP, (30,), 3, hidden=40)
    short = products(learner)
    monkeypatch.setattr(costs, "CUT", 10**9)
    assert products(learner) == short
    assert sum(s.size for s in (learner.arrays()[e.array] for e in learner.wiring())) > 1024


def test_what_is_too_large_or_a_wrapped_model_is_not_counted(monkeypatch):
    nothing = Counts()
    for cls in Logistic, Majority:
        learner = made(cls, (3,), 2)
        assert count(learner, *data(learner), 9) == nothing
    learner = made(MLP, (3,), 2, hidden=4)
    monkeypatch.setattr(costs, "LARGEST", 4 * 3 + 4 * 2 + 6 - 1)
    assert count(learner, *data(learner), 9) == nothing
    monkeypatch.setattr(costs, "LARGEST", 4 * 3 + 4 * 2 + 6)
    assert count(learner, *data(learner), 9).mac_infer == 20
    assert nothing.train_total is None
    assert nothing.columns()["joules_model"] is None


def init(task, rng):
    return dict(W=np.ones((1, 2)), y=np.zeros((1, 1)))


def respond(signal, out, W, y, noise):
    noise[0] += np.uint64(0x9E3779B97F4A7C15)
    y[0, 0] = np.exp(-W[0, 0] * signal[0, 0]) + math.sqrt(2.0)
    out[0, 0] = y[0, 0] * y[0, 0]


def learn(target, W):
    W[0, 0] += target[0, 0] * W[0, 1]


class Noisy(Learner):
    """Draws from a counter that wraps round, and squares what `np.exp` gave."""

    synapses = (Synapse("W", "signal", "y"),)
    init, respond, learn = init, respond, learn


def respond_in_bits(signal, out, W):
    out[0, 0] = int(W[0, 0]) & W[0, 1]


class Odd(Noisy):
    """Does what no number that counts can follow."""

    respond = respond_in_bits


def test_a_plug_ins_kernels_are_followed_where_they_can_be():
    learner = made(Noisy, (1,), 1)
    learner.arrays()["noise"][:] = 2**64 - 1
    assert products(learner) == (2, 3)
    learner = made(Odd, (1,), 1)
    assert count(learner, *data(learner), 9) == Counts()


def test_joules_are_those_of_the_model():
    counts = Counts(1000, 500, 10, 5, 3, 2)
    assert counts.train_total == 1500
    assert counts.columns()["joules_model"] == pytest.approx(1000 * 4.6e-12 + 500 * 0.9e-12)
    assert set(counts.columns()) == {"mac_train", "ac_train", "mac_infer", "ac_infer", "spikes", "state_updates", "joules_model"}
