"""McCullochPitts: the fourteen gates, what no neuron computes, every truth table by two layers, and absolute inhibition."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import jit
from harness.learner import Sizes
from learners.mcculloch_pitts import GATES, McCullochPitts, unit
from tests import naive

TRUTH = {
    "false": [0, 0, 0, 0], "and": [0, 0, 0, 1], "a_and_not_b": [0, 0, 1, 0], "a": [0, 0, 1, 1], "b_and_not_a": [0, 1, 0, 0],
    "b": [0, 1, 0, 1], "or": [0, 1, 1, 1], "nor": [1, 0, 0, 0], "not_b": [1, 0, 1, 0], "b_implies_a": [1, 0, 1, 1],
    "not_a": [1, 1, 0, 0], "a_implies_b": [1, 1, 0, 1], "nand": [1, 1, 1, 0], "true": [1, 1, 1, 1],
}  # fmt: skip
"""The answers for (a, b) = (0, 0), (0, 1), (1, 0), (1, 1)."""


def cases(n):
    return np.array(list(itertools.product([0.0, 1.0], repeat=n))).reshape(2**n, n)


def made(cls, n_in, n_out=1, **params):
    return cls(**dict(bits=64) | params).begin(Sizes((n_in,), n_out))


def wired(learner, X, tables, **options):
    """Show the cases X (m, n) with their answers `tables` (m, K), once each; then the answers to them (m, K)."""
    learner.live(X[:, None], np.asarray(tables, float)[:, None], **options)
    return learner.live(X[:, None], **options)[:, 0]


# ---------------------------------------------------------------- known answers


def a_true_case_gets_a_cell_of_its_own(cls):
    learner = made(cls, 3, 2)
    assert learner.arrays()["theta"].tolist() == [4] * 16
    X = np.array([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    out = wired(learner, X, [[0, 1], [1, 1]], python=True)
    assert out.tolist() == [[0, 1], [1, 1]]
    assert learner.arrays()["W"][:3].tolist() == [[1, -1, 1], [-1, -1, -1], [-1, -1, -1]]
    assert learner.arrays()["theta"][:4].tolist() == [2, 0, 0, 4]
    assert learner.arrays()["V"][:, :3].tolist() == [[0, 1, 0], [1, 0, 1]]
    assert learner.arrays()["used"].tolist() == [3]
    assert not learner.arrays()["W"][3:].any()
    assert not learner.arrays()["V"][:, 3:].any()
    assert learner.arrays()["h"].tolist() == [[0, 1, 1, *[0] * 13]]
    assert learner.arrays()["y"].tolist() == [[1, 1]]


def every_table_of_two_inputs(cls):
    tables = np.array(list(itertools.product([0, 1], repeat=4))).T
    learner = made(cls, 2, 16)
    assert wired(learner, cases(2), tables, python=True).tolist() == tables.tolist()
    assert learner.arrays()["used"].tolist() == [32], "a cell for each case that is true, of 16 tables of 4 cases half"
    assert np.array_equal(learner.arrays()["x"], [1, 1])


def signals_are_spikes_above_one_half(cls):
    learner = made(cls, 2)
    wired(learner, np.array([[0.6, 0.5]]), [[1]], python=True)
    assert learner.arrays()["W"][0].tolist() == [1, -1]
    assert learner.arrays()["x"].tolist() == [1, 0]
    out = learner.live(np.array([[[9.0, -3.0]], [[0.4, 0.0]], [[0.6, 0.7]]]), python=True)
    assert out.ravel().tolist() == [1, 0, 0]


def cells_run_out(cls):
    learner = made(cls, 2, cells=2)
    assert wired(learner, cases(2), [[1], [0], [1], [1]], python=True).ravel().tolist() == [1, 0, 1, 0]
    assert learner.arrays()["used"].tolist() == [2]
    assert made(cls, 3, 5).arrays()["W"].shape == (40, 3)
    assert made(cls, 10, 3, cells=65536).arrays()["W"].shape == (3072, 10)


def nothing_changes_once_it_is_right(cls):
    learner = made(cls, 2)
    parity = [[0], [1], [1], [0]]
    wired(learner, cases(2), parity, python=True)
    before = learner.layout_.copy()
    wired(learner, cases(2), parity, python=True)
    for name in "W", "theta", "V", "used":
        assert np.array_equal(learner.arrays()[name], before[name]), name


KNOWN_ANSWERS = {
    answer.__name__: answer
    for answer in (
        a_true_case_gets_a_cell_of_its_own,
        every_table_of_two_inputs,
        signals_are_spikes_above_one_half,
        cells_run_out,
        nothing_changes_once_it_is_right,
    )
}
MUTATED = {McCullochPitts: (unit, McCullochPitts.init, McCullochPitts.respond, McCullochPitts.learn)}


@pytest.mark.parametrize("name", KNOWN_ANSWERS)
def test_known_answer(name):
    KNOWN_ANSWERS[name](McCullochPitts)


# ---------------------------------------------------------------- one neuron


@pytest.mark.parametrize("form", [unit, jit.compiled(unit, exact=True)], ids=["python", "compiled"])
@pytest.mark.parametrize("gate", TRUTH)
def test_one_neuron_computes_each_of_the_fourteen(gate, form):
    *w, threshold = GATES[gate]
    assert [form(x, np.array(w, float), threshold) for x in cases(2)] == TRUTH[gate]


def test_the_fourteen_are_all_and_each_once():
    assert set(GATES) == set(TRUTH)
    assert len({tuple(table) for table in TRUTH.values()}) == 14


@pytest.mark.parametrize(("n", "count", "largest"), [(1, 4, 1), (2, 14, 2), (3, 104, 2)])
def test_no_other_function_has_weights(n, count, largest):
    # 4, 14, 104 threshold functions of one, two, three inputs; of two, XOR and XNOR are the ones left out
    w = np.array(list(itertools.product(range(-largest, largest + 1), repeat=n)))
    sums = cases(n) @ w.T
    thresholds = np.arange(-n * largest, n * largest + 2)
    tables = {tuple(row) for row in (sums[:, :, None] >= thresholds).reshape(2**n, -1).T.astype(int).tolist()}
    assert len(tables) == count
    if n == 2:
        assert tables == {tuple(table) for table in TRUTH.values()}
        assert not tables & {(0, 1, 1, 0), (1, 0, 0, 1)}


def test_not_is_one_inhibitory_synapse():
    assert [unit(np.array([a]), np.array([-1.0]), 0) for a in (0.0, 1.0)] == [1, 0]


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 9))
def test_unit_equals_its_naive_twin(seed, n):
    rng = np.random.default_rng(seed)
    x, w, threshold = rng.integers(0, 2, n).astype(float), rng.integers(-3, 4, n).astype(float), int(rng.integers(-4, 5))
    assert unit(x, w, threshold) == naive.threshold_unit(x, w, threshold)


# ---------------------------------------------------------------- two layers


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_two_layers_compute_every_truth_table(n, bits):
    tables = np.array(list(itertools.product([0, 1], repeat=2**n))).T
    learner = made(McCullochPitts, n, tables.shape[1], cells=65536, bits=bits)
    assert np.array_equal(wired(learner, cases(n), tables), tables)
    assert learner.arrays()["used"][0] == tables.sum()


@settings(deadline=None, max_examples=60)
@given(code=st.integers(0, 2**16 - 1), order=st.permutations(range(16)), again=st.integers(1, 3))
def test_two_layers_compute_any_truth_table_of_four_in_any_order(code, order, again):
    table = np.array([code >> i & 1 for i in range(16)])[:, None]
    X, learner = cases(4), made(McCullochPitts, 4)
    for _ in range(again):
        wired(learner, X[order], table[order])
    assert np.array_equal(learner.live(X[:, None])[:, 0], table)
    assert learner.arrays()["used"].tolist() == [code.bit_count()]


@settings(deadline=None, max_examples=60)
@given(code=st.integers(1, 2**16 - 1))
def test_inhibition_is_absolute_as_in_the_paper(code):
    """A cell of the paper: it fires if `threshold` excitatory synapses are active and not one inhibitory synapse is."""
    table = np.array([code >> i & 1 for i in range(16)])[:, None]
    learner = made(McCullochPitts, 4)
    wired(learner, cases(4), table)
    W, theta = (learner.arrays()[name][: code.bit_count()] for name in ("W", "theta"))
    for x in cases(4):
        learner.live(x[None, None])
        absolute = ((W > 0) @ x >= theta) & ((W < 0) @ x == 0)
        assert np.array_equal(learner.arrays()["h"][0, : code.bit_count()], absolute)


def test_it_can_be_wired_through_fit():
    X, y = cases(3), cases(3).sum(1) % 2
    learner = McCullochPitts(epochs=1).fit(X, y)
    assert learner.score(X, y) == 1
    assert np.array_equal(learner.predict(X), y)
