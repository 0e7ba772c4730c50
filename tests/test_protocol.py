"""The harness's own training: order, budget, looks, early stopping; and test data take part in nothing but the last score."""

import contextlib
import itertools
import math
import types

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import protocol
from harness.costs import Counts
from harness.learner import Can, Classifier, Learner, Synapse, hyper
from harness.protocol import SPACING, Session, perform
from harness.task import Dataset, Split, Task
from harness.trial import Protocol, Trial
from learners.controls import Majority, NearestNeighbour
from learners.mlp import MLP
from learners.perceptron import Perceptron

SEEDS = dict(data=1, init=2, order=3, noise=4)


class AsPython:
    """Runs kernels as Python: what is tested here is the harness around them."""

    def live(self, *given, **options):
        return super().live(*given, **options | dict(python=True))

    def prepare(self):
        return 0.25


def init_diary(task, rng):
    return dict(
        log=np.zeros(4000), told=np.zeros(4000), age=np.zeros(1, int), W=np.zeros((task.n_out, 1)), events=np.zeros(4, int)
    )


def respond_diary(signal, out, age, W, turn):
    for k in range(out.shape[1]):
        out[0, k] = signal[0, 1] if age[0] <= turn else -signal[0, 1]


def learn_diary(target, signal, log, told, age, W, events):
    log[age[0]] = signal[0, 0]
    told[age[0]] = target[0, 0]
    age[0] += 1
    events[0] += 1
    events[1] += 2
    events[2] += 3
    events[3] += 4


class Diary(AsPython, Classifier):
    """Writes down what it was shown, and answers rightly until it has been shown `turn` signals, then wrongly."""

    turn: int = hyper(default=4000, doc="signals after which it errs", low=0, high=4000)
    can = Can(inputs={"vector", "sequence"}, targets={"class", "value", "none"})
    synapses = (Synapse("W", "signal", "y"),)
    init, respond, learn = init_diary, respond_diary, learn_diary


def respond_alone(signal, out, age, told, plastic):
    if plastic:
        age[0] += 1
    out[0, 0] = told[0]


def learn_alone(target, told):
    told[0] += target[0, 0]


class Alone(AsPython, Classifier):
    """Learns in `respond`, without a teacher; `learn` reads it out."""

    synapses = (Synapse("W", "signal", "y"),)
    init, respond, learn = init_diary, respond_alone, learn_alone


def learn_explosive(target, W, age):
    age[0] += 1
    if age[0] == 10:
        W[0, 0] = np.inf


class Explosive(Diary):
    """Its weight is infinite from the tenth signal on."""

    learn = learn_explosive


def learn_vandal(target, signal):
    signal[0, 0] = 7


class Vandal(Diary):
    """Writes on what it is shown."""

    learn = learn_vandal


def learn_forger(target):
    target[0, 0] = 7


class Forger(Diary):
    """Writes on what it is told."""

    learn = learn_forger


def data(n=40, n_valid=12, n_test=12, ticks=1, *, classes=2):
    """Signals (row number, +-1): the class is the sign of the second, or the row number modulo the number of classes."""

    def part(first, m):
        rows = np.arange(first, first + m)
        y = rows % classes
        X = np.zeros((m, ticks, 2), np.float32)
        X[:, :, 0] = rows[:, None]
        X[:, :, 1] = (2 * (y > 0) - 1)[:, None]
        return Split(X, y)

    return Dataset(part(0, n), part(1000, n_valid), part(2000, n_test), classes)


@contextlib.contextmanager
def never():
    yield


@pytest.fixture
def run(monkeypatch):
    """run(cls, dataset, protocol's options, ...): the Result, with the learner as it was tested in `run.learner`."""

    def go(cls, dataset, *, params=None, seeds=None, task_options=None, compiling=never, counted=False, **options):
        task = Task(
            name="tests/made", doc="made by hand", generate=lambda *sizes, rng=None: dataset, chance=0.5, **task_options or {}
        )
        monkeypatch.setattr(protocol, "load", {"cls": cls, "task": task}.__getitem__)
        if not counted:
            monkeypatch.setattr(protocol, "count", keep)
        trial = Trial(
            learner=cls.__name__,
            where="cls",
            family="control",
            origin="file",
            params=params or {},
            task="tests/made",
            task_where="task",
            task_version=1,
            difficulty={},
            preset="smoke",
            protocol=Protocol(**options),
            replicate=0,
            seeds=SEEDS | (seeds or {}),
            code_digest="",
        )
        return perform(trial, compiling)

    def keep(learner, *_):
        go.learner = learner
        return Counts()

    return go


def diary(learner):
    return learner.arrays()["log"][: learner.arrays()["age"][0]]


# ---------------------------------------------------------------- order and budget


def test_sequential_order_shows_every_row_once_an_epoch(run):
    result = run(Diary, data(), order="sequential", validate=False, epochs=3)
    rows = [*range(40), *range(1000, 1012)]
    assert diary(run.learner).tolist() == rows * 3
    assert (result.outcome, result.samples, result.epochs) == ("ok", 156, 3)
    assert (result.n_train, result.n_valid, result.n_test) == (52, 0, 12)
    assert result.compile_s == 0.25


@pytest.mark.parametrize("validate", [True, False])
def test_shuffled_order_is_that_of_the_seed_however_often_it_is_looked_at(run, validate):
    result = run(Diary, data(), validate=validate, epochs=4, patience=99)
    rows = np.arange(40) if validate else np.array([*range(40), *range(1000, 1012)])
    rng = np.random.default_rng(SEEDS["order"])
    expected = np.concatenate([rows[rng.permutation(len(rows))] for _ in range(4)])
    assert diary(run.learner).tolist() == expected.tolist()
    assert result.samples == 4 * len(rows)
    run(Diary, data(), validate=False, seeds=dict(init=9, noise=9, data=9), epochs=1)
    first = diary(run.learner)
    run(Diary, data(), validate=False, epochs=1)
    assert np.array_equal(diary(run.learner), first)
    run(Diary, data(), validate=False, seeds=dict(order=9), epochs=1)
    assert not np.array_equal(diary(run.learner), first)
    assert sorted(diary(run.learner)) == sorted(first)


def test_a_learner_may_ask_for_fewer_signals_but_gets_a_whole_pass(run, monkeypatch):
    for shown, epochs in (50, 1), (53, 2), (1000, 5), (1, 1):
        monkeypatch.setattr(Diary, "shown", shown)
        assert run(Diary, data(), validate=False, epochs=5).epochs == epochs


def test_targets_are_told_as_one_output_or_one_hot(run):
    run(Diary, data(classes=2), validate=False, epochs=1, order="sequential")
    assert run.learner.arrays()["told"][:6].tolist() == [0, 1, 0, 1, 0, 1]
    assert run.learner.task_.n_out == 1
    run(Diary, data(classes=3), validate=False, epochs=1, order="sequential")
    assert run.learner.task_.n_out == 3
    assert run.learner.arrays()["told"][:6].tolist() == [1, 0, 0, 1, 0, 0]


def test_of_a_sequence_the_last_tick_is_taught(run):
    result = run(Diary, data(ticks=5), validate=False, epochs=1, order="sequential")
    assert diary(run.learner).tolist() == [*range(40), *range(1000, 1012)]
    assert result.samples == 52


def test_the_sizes_come_from_the_training_data_alone(run):
    dataset = data()
    dataset.test.X[:] *= 100
    dataset.valid.X[:] *= 100
    run(Diary, dataset, validate=True, epochs=1)
    assert run.learner.task_ == ((2,), 1, 1, 1, -1.0, 39.0)


# ---------------------------------------------------------------- looks


def looks(n, block, epochs, order="shuffled", alone=False):
    """Samples seen at each look, and the pieces of rows that were lived through, for a learner that does nothing."""
    session = Session.__new__(Session)
    session.trial = types.SimpleNamespace(protocol=Protocol(epochs=epochs, order=order), seeds=SEEDS)
    session.learner = types.SimpleNamespace(task_=types.SimpleNamespace(block=block, n_ticks=1), shown=None, once=False)
    session.train, session.alone = (np.arange(n),), alone
    pieces = []
    session.segment = pieces.extend
    at = [sum(map(len, pieces)) for _ in session.looks()]
    return at, pieces


@settings(deadline=None, max_examples=300)
@given(
    n=st.integers(1, 80), block=st.integers(1, 100), epochs=st.integers(1, 30), order=st.sampled_from(["shuffled", "sequential"])
)
def test_looks_are_spaced_by_a_factor_and_cut_nothing(n, block, epochs, order):
    at, pieces = looks(n, block, epochs, order)
    rng = np.random.default_rng(SEEDS["order"])
    rows = [rng.permutation(n) if order == "shuffled" else np.arange(n) for _ in range(epochs)]
    assert np.concatenate(pieces).tolist() == np.concatenate(rows).tolist()
    ends = set(itertools.accumulate(map(len, pieces)))
    assert all(end % n % block == 0 for end in ends), "a piece ends at the end of a block, or of an epoch"
    assert set(at) <= ends
    assert at[-1] == n * epochs
    assert all(a < b for a, b in itertools.pairwise(at))
    # no look is late: the next one is due at 1.5 times this one, and comes by the end of the block in which it is due
    assert at[0] < 2 * block
    assert all(b <= SPACING * a + 1 + block for a, b in itertools.pairwise(at))
    # and no more than logarithmically many
    assert len(at) <= 2 + max(0, math.log(n * epochs / block, SPACING))


def test_one_that_learns_alone_is_looked_at_after_whole_epochs_only():
    at, pieces = looks(20, 1, 9, alone=True)
    assert all(len(piece) == 20 for piece in pieces)
    assert all(a % 20 == 0 for a in at)
    assert at[-1] == 180


@pytest.mark.parametrize("order", ["sequential", "shuffled"])
@pytest.mark.parametrize("block", [1, 5, 16, 64])
def test_cutting_at_looks_changes_no_bit(run, block, order):
    dataset = data(20, 6)
    run(MLP, dataset, params=dict(hidden=4, block=block), validate=False, epochs=9, order=order)
    whole = MLP(hidden=4, block=block)
    session_data = np.concatenate([dataset.train.X, dataset.valid.X]), np.concatenate([dataset.train.y, dataset.valid.y])
    whole.begin(run.learner.task_._replace(block=1), {k: SEEDS[k] for k in ("init", "order", "noise")})
    rng = np.random.default_rng(SEEDS["order"])
    orders = np.stack([rng.permutation(26) if order == "shuffled" else np.arange(26) for _ in range(9)])
    whole.live(session_data[0], session_data[1][:, None, None].astype(np.float32), orders=orders)
    for name, array in whole.arrays().items():
        assert np.array_equal(array, run.learner.arrays()[name]), name


def test_the_curve_tells_samples_and_scores(run):
    result = run(Diary, data(), validate=True, epochs=2, patience=99)
    *valid, last = result.curve
    assert [p["split"] for p in valid] == ["valid"] * len(valid)
    assert [p["samples"] for p in valid] == looks(40, 1, 2)[0]
    assert (last["split"], last["samples"], last["score"]) == ("test", 80, 1.0)
    assert all(p["seconds"] >= q["seconds"] for p, q in itertools.pairwise(result.curve[::-1]))
    result = run(Diary, data(), validate=False, epochs=1)
    assert {p["split"] for p in result.curve} == {"train", "test"}


# ---------------------------------------------------------------- early stopping


@pytest.mark.parametrize("turn", [3, 20, 100])
def test_the_latest_of_the_states_that_were_best_on_validation_data_is_tested(run, turn):
    result = run(Diary, data(), params=dict(turn=turn), epochs=20, patience=3)
    assert result.score == result.score_valid == result.score_train == 1
    at = looks(40, 1, 20)[0]
    assert run.learner.arrays()["age"].tolist() == [max(a for a in at if a <= turn)]
    assert result.samples > turn
    assert [(p["samples"], p["score"]) for p in result.curve[:-1]] == [(a, float(a <= turn)) for a in at if a <= result.samples]


@pytest.mark.parametrize("patience", [1, 2, 5])
def test_patience_counts_looks_without_an_improvement_after_a_whole_pass(run, patience):
    result = run(Diary, data(), epochs=500, patience=patience)
    at = looks(40, 1, 500)[0]
    first = next(i for i, a in enumerate(at) if a >= 40)
    assert result.samples == at[first + patience - 1]
    assert [p["samples"] for p in result.curve[:-1]] == at[: first + patience]


def test_an_improvement_starts_patience_anew(run, monkeypatch):
    at = looks(40, 1, 500)[0]
    first = next(i for i, a in enumerate(at) if a >= 40)
    scores = iter([0.1] * (first + 1) + [0.1, 0.2, 0.2, 0.2, 0.2, 0.2])
    metric = protocol.METRICS["accuracy"]
    monkeypatch.setitem(protocol.METRICS, "accuracy", lambda *given: next(scores, metric(*given)))
    result = run(Diary, data(), epochs=500, patience=3)
    assert result.score_valid == 0.2
    assert result.samples == at[first + 5]


def test_without_validation_the_last_state_is_tested(run):
    result = run(Diary, data(), params=dict(turn=30), validate=False, epochs=1)
    assert result.score == 0
    assert result.score_valid is None
    assert run.learner.arrays()["age"].tolist() == [52]


def test_events_are_those_of_all_training_not_of_the_state_that_was_kept(run):
    result = run(Diary, data(), counted=True, epochs=3, patience=2)
    seen = result.samples
    assert seen > 1
    assert (result.ac_train, result.spikes, result.state_updates, result.mac_train) == (5 * seen, 2 * seen, 3 * seen, 0)
    assert result.ac_infer == 0
    assert result.joules_model == pytest.approx(5 * seen * 0.9e-12)
    assert [p["operations"] for p in result.curve] == [5 * p["samples"] for p in result.curve]


# ---------------------------------------------------------------- test data


@pytest.mark.parametrize("poison", [np.nan, 1e30, -7.0])
@pytest.mark.parametrize("options", [dict(validate=True), dict(validate=False)])
def test_test_data_take_part_in_nothing_but_the_last_score(run, poison, options):
    rng = np.random.default_rng(0)
    clean = data(60)
    for part in clean[:3]:
        part.X[:] = rng.normal(size=part.X.shape)
    foul = clean._replace(test=Split(np.full_like(clean.test.X, poison), 1 - clean.test.y))
    params = dict(hidden=4, block=7, rate=0.1)
    one = run(MLP, clean, params=params, epochs=6, **options)
    before = run.learner.layout_.copy()
    run.learner = None
    other = run(MLP, foul, params=params, epochs=6, **options)
    strip = lambda curve: [{k: v for k, v in p.items() if k != "seconds"} for p in curve if p["split"] != "test"]  # noqa: E731
    assert strip(one.curve) == strip(other.curve)
    assert (one.samples, one.score_valid, one.score_train) == (other.samples, other.score_valid, other.score_train)
    if np.isfinite(poison):
        for name in "theta", "grad", "m", "v":
            assert np.array_equal(run.learner.layout_.arrays[name], one_flat(before, run.learner, name)), name
    else:
        assert other.outcome == "diverged"


def one_flat(kept, learner, name):
    """A flat array of the layout, from the kept pieces of the state."""
    twin = learner.fork()
    twin.layout_.write(kept)
    return twin.layout_.arrays[name]


def test_the_same_trial_gives_the_same_result(run):
    rng = np.random.default_rng(0)
    dataset = data(60)
    for part in dataset[:3]:
        part.X[:] = rng.normal(size=part.X.shape)
    results = [run(MLP, dataset, params=dict(hidden=4), epochs=3, counted=True) for _ in range(2)]
    for result in results:
        result.train_s = result.infer_s = result.compile_s = None
        for point in result.curve:
            del point["seconds"]
    assert results[0] == results[1]
    assert results[0].mac_infer == 2 * 4 + 4


# ---------------------------------------------------------------- what goes wrong


def test_divergence_is_an_outcome_with_the_sample_at_which_it_was_seen(run):
    result = run(Explosive, data(), epochs=5)
    first = next(a for a in looks(40, 1, 5)[0] if a >= 10)
    assert (result.outcome, result.diverged_at, result.samples) == ("diverged", first, first)
    assert result.score is None
    assert str(first) in result.reason
    assert all(p["samples"] < first for p in result.curve)


@pytest.mark.parametrize("cls", [Vandal, Forger])
def test_one_that_writes_on_the_data_is_an_error(run, cls):
    with pytest.raises(ValueError, match="changed the data"):
        run(cls, data(), epochs=2)


def test_one_that_draws_from_the_global_generator_is_an_error(run, monkeypatch):
    monkeypatch.setattr(Diary, "learn", staticmethod(lambda target, signal, W: np.random.random()))  # noqa: NPY002
    monkeypatch.setitem(Diary._named, "learn", ["W"])
    monkeypatch.setattr(Diary, "_loops", {})
    with pytest.raises(ValueError, match="global random generator"):
        run(Diary, data(), epochs=1)


# ---------------------------------------------------------------- kinds of learner


def test_a_control_takes_the_data_once_and_whole(run):
    dataset = data(40, 13, 12, classes=3)
    result = run(Majority, dataset, validate=False, epochs=7, counted=True)
    joined = np.concatenate([dataset.train.y, dataset.valid.y])
    assert (result.samples, result.epochs, result.outcome) == (53, 1, "ok")
    commonest = np.bincount(joined).argmax()
    assert result.score == np.mean(dataset.test.y == commonest)
    assert result.score_train == np.mean(joined == commonest)
    assert result.mac_train is None
    assert result.joules_model is None
    result = run(NearestNeighbour, dataset, epochs=7)
    assert (result.samples, result.score_train) == (40, 1)


def test_the_perceptron_stops_after_its_first_epoch_without_a_fault(run):
    X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)[:, None]
    table = Split(X, np.array([0, 0, 0, 1]))
    options = dict(task_options=dict(exhaustive=True), validate=False, stop_when_faultless=True, order="sequential", epochs=100)
    result = run(Perceptron, Dataset(table, table, table, 2), **options)
    alone = Perceptron(epochs=100, shuffle=False, stop=True).fit(X[:, 0], table.y)
    assert result.score == 1
    assert result.n_train == result.n_valid == 4
    assert result.samples == 4 * len(alone.missed_) < 400
    assert alone.missed_[-1] == 0
    assert np.array_equal(run.learner.arrays()["W"], alone.arrays()["W"])
    table = Split(X, np.array([0, 1, 1, 0]))
    assert run(Perceptron, Dataset(table, table, table, 2), **options).samples == 400


def test_one_that_learns_alone_sees_no_target_in_training_and_is_read_out_by_training_data(run):
    dataset = data(40, 12, 12)
    result = run(Alone, dataset, validate=True, epochs=3, patience=99)
    assert result.samples == 120
    assert run.learner.arrays()["age"][0] in looks(40, 1, 3, alone=True)[0]
    assert run.learner.arrays()["told"][0] == 0, "the read-out is a copy's"
    session_out = []
    metric = protocol.METRICS["accuracy"]

    def spying(out, X, y, data_, cut):
        session_out.append(out[0, 0])
        return metric(out, X, y, data_, cut)

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(protocol.METRICS, "accuracy", spying)
        run(Alone, dataset, validate=True, epochs=3, patience=99)
    assert set(session_out) == {20.0}, "each read-out is told each training label once, and no other"


def test_compilation_is_bracketed_once_and_before_training(run):
    entered = []

    @contextlib.contextmanager
    def compiling():
        entered.append("in")
        yield
        entered.append("out")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            Diary, "live", lambda self, *a, **k: (entered.append("live"), Learner.live(self, *a, **k | dict(python=True)))[1]
        )
        run(Diary, data(), epochs=1, compiling=compiling)
    assert entered[:3] == ["in", "out", "live"]
    assert entered.count("in") == 1
