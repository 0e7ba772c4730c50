"""Head to head: the ground of a comparison, its tests, and what must not change them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from reports import significance
from reports.pairs import MARGIN, judge, pairs
from reports.significance import equivalence_p, holm, least_units, sign_flip_p
from reports.units import Grid, Units, task_weights, units

scores = st.lists(st.floats(0, 1), min_size=1, max_size=20)
steps = st.lists(st.integers(-4, 4), min_size=1, max_size=10)


def grid(value, task=None, suite=None, labels=None):
    """A grid of values (label, cell, replicate); by default each cell is a task, and all are of one suite."""
    value = np.asarray(value, dtype=float)
    task = np.arange(value.shape[1]) if task is None else np.asarray(task)
    suite = np.zeros(task.max() + 1, dtype=int) if suite is None else np.asarray(suite)
    return Grid(tuple(labels or [f"L{i}" for i in range(len(value))]), value, task, suite)


def one(differences, suite=None):
    """The pair of a learner with those values, (task, replicate), and one that has 0 everywhere."""
    differences = np.asarray(differences, dtype=float)
    return pairs(grid([differences, 0 * differences], suite=suite))["L0", "L1"]


# ---- Holm


def naive_holm(p):
    """Step down: the smallest of m is multiplied by m, the next by m - 1, and none is less than the one before it."""
    found, left, least = [0.0] * len(p), len(p), 0.0
    for i in sorted(range(len(p)), key=lambda i: p[i]):
        least = max(least, min(1.0, p[i] * left))
        found[i], left = least, left - 1
    return found


@given(scores)
def test_holm_is_the_step_down_procedure(p):
    assert holm(p).tolist() == pytest.approx(naive_holm(p))


@given(scores, st.randoms())
def test_holm_follows_its_p_values_wherever_they_stand(p, random):
    order = list(range(len(p)))
    random.shuffle(order)
    assert holm([p[i] for i in order]).tolist() == [holm(p)[i] for i in order]


@given(scores)
def test_holm_lies_between_false_discovery_control_and_bonferroni(p):
    adjusted = holm(p)
    assert (adjusted <= np.minimum(np.array(p) * len(p), 1) + 1e-12).all()
    assert (adjusted >= scipy_stats.false_discovery_control(p, method="bh") - 1e-12).all()
    assert (adjusted >= p).all()


# ---- flipping signs


@given(steps, st.integers(1, 5))
def test_the_sign_test_by_enumeration(differences, scale):
    """Against every sign vector, one by one, with weights."""
    weights = [1 + i % scale for i in range(len(differences))]
    observed = abs(sum(w * d for w, d in zip(weights, differences, strict=True)))
    flips = list(itertools.product([-1, 1], repeat=len(differences)))
    sums = [abs(sum(s * w * d for s, w, d in zip(signs, weights, differences, strict=True))) for signs in flips]
    assert sign_flip_p(differences, weights) == pytest.approx(sum(x >= observed for x in sums) / len(flips))


@given(st.lists(st.integers(-9, 9), min_size=1, max_size=24), st.randoms())
def test_the_sign_test_knows_neither_names_nor_order(differences, random):
    p = sign_flip_p(differences)
    shuffled = differences.copy()
    random.shuffle(shuffled)
    assert sign_flip_p(shuffled) == p == sign_flip_p([-d for d in differences])
    assert sign_flip_p([*differences, 0, np.nan]) == p
    assert sign_flip_p([d / 100 for d in differences]) == p
    assert min(1, 2 / 2 ** sum(d != 0 for d in differences)) <= p * (1 + 1e-9) + 1e-4
    assert p <= 1


@pytest.mark.parametrize("n", [8, 14, 15, 40])
def test_the_sign_test_is_that_of_scipy(n):
    x = np.random.default_rng(n).normal(0.3, 1, n)
    draws = np.inf if n <= 14 else 20_000
    theirs = scipy_stats.permutation_test(
        (x,), lambda v, axis: v.mean(axis), permutation_type="samples", n_resamples=draws, rng=np.random.default_rng(0)
    ).pvalue
    error = 0 if n <= 14 else 5 * np.sqrt(theirs * (1 - theirs) * (1 / 10_000 + 1 / 20_000))
    assert sign_flip_p(x) == pytest.approx(theirs, abs=error + 1e-12)


def test_many_at_once_are_as_one_by_one():
    rng = np.random.default_rng(0)
    few = rng.normal(0.2, 1, (7, 12))
    few[2, 3:] = np.nan
    assert sign_flip_p(few).tolist() == pytest.approx([sign_flip_p(row) for row in few])


def test_no_difference_is_no_evidence():
    assert sign_flip_p([0.0, 0.0]) == 1
    assert sign_flip_p(np.zeros((2, 30))).tolist() == [1, 1]


def test_a_p_value_is_never_zero():
    assert 0 < sign_flip_p(np.ones(200)) < 1e-3


def test_sixty_learners_can_still_be_told_apart():
    """The smallest p-value of drawn signs must survive Holm over 1,770 pairs."""
    rng = np.random.default_rng(0)
    value = rng.normal(0.5, 0.01, (60, 20, 3))
    value[0] += 0.3
    found = pairs(grid(value))
    assert all(found["L0", f"L{i}"].verdict == "better" for i in range(1, 60))


@pytest.mark.parametrize("alpha", [0.05, 0.01, 0.05 / 66])
def test_fewer_units_can_never_reach_the_level(alpha):
    n = least_units(alpha)
    assert sign_flip_p([1.0] * n) <= alpha < sign_flip_p([1.0] * (n - 1))


# ---- equality


def test_without_the_unseen_equality_is_two_t_tests(monkeypatch):
    monkeypatch.setattr(significance, "UNSEEN", 1e-9)
    x = np.random.default_rng(0).normal(0.005, 0.02, 9)
    part = np.array([[x.var(ddof=1) / 9]])
    p, freedom = equivalence_p([x.mean()], part, np.array([[8]]), [9], 0.02)
    theirs = (
        scipy_stats.ttest_1samp(x, 0.02, alternative="less").pvalue,
        scipy_stats.ttest_1samp(x, -0.02, alternative="greater").pvalue,
    )
    assert p[0] == pytest.approx(max(theirs), rel=1e-5)
    assert freedom[0] == pytest.approx(8, rel=1e-5)


@pytest.mark.parametrize("shape", [(1, 2), (6, 3), (20, 3), (4, 30)])
def test_identical_outcomes_on_few_seeds_are_undecided(shape):
    found = one(np.zeros(shape))
    assert (found.verdict, found.p, found.difference, found.superiority) == ("undecided", 1, 0, 0.5)
    more = one(np.zeros((shape[0], shape[1] + found.needed)))
    assert more.verdict == "equal"
    assert one(np.zeros((shape[0], shape[1] + found.needed - 1))).verdict == "undecided"
    assert more.n_units >= np.log(0.05) / np.log(1 - MARGIN)


def test_significant_and_within_the_margin_is_equal():
    found = one(0.005 + np.random.default_rng(0).normal(0, 0.001, (10, 40)))
    assert found.p <= 0.05
    assert found.verdict == "equal"


# ---- the ground


def test_rungs_of_a_task_are_one_unit_a_seed():
    """Two rungs, three seeds: three units, each the mean of its rungs."""
    found = units(grid([[[1, 2, 3], [3, 4, 8]], np.zeros((2, 3))], task=[0, 0]), [(0, 1)])
    assert found.differences.tolist() == [[[2, 3, 5.5]]]
    assert (found.n.tolist(), found.n_cells.tolist(), found.weights.tolist()) == ([[3]], [2], [[1]])


def test_what_one_of_them_lacks_is_not_compared():
    """A rung that one never took is left out; a seed that lacks on a shared rung is left out with its other rungs."""
    nan = np.nan
    a = [[1, 1, 1], [5, 5, nan], [9, 9, 9], [4, nan, nan]]
    b = [[0, 0, 0], [0, 0, 0], [nan, nan, nan], [nan, 0, 0]]
    found = units(grid([a, b], task=[0, 0, 1, 2]), [(0, 1)])
    assert found.differences[0].tolist() == [
        [3, 3, pytest.approx(nan, nan_ok=True)],
        *[[pytest.approx(nan, nan_ok=True)] * 3] * 2,
    ]
    assert found.weights.tolist() == [[1, 0, 0]]
    assert found.n_cells.tolist() == [2]


def naive(one, other, task, suite):
    """Difference and number of units of two labels, in plain loops over lists of lists, None where missing."""
    means, count = {}, 0
    for t in sorted(set(task)):
        rungs = [c for c in range(len(task)) if task[c] == t and any(None not in x for x in zip(one[c], other[c], strict=True))]
        found = []
        for r in range(len(one[0])):
            values = [one[c][r] - other[c][r] for c in rungs if None not in (one[c][r], other[c][r])]
            if rungs and len(values) == len(rungs):
                found.append(sum(values) / len(values))
        if found:
            means.setdefault(suite[t], []).append(sum(found) / len(found))
            count += len(found)
    if not means:
        return 0.0, 0
    return sum(sum(x) / len(x) for x in means.values()) / len(means), count


cell = st.lists(st.one_of(st.none(), st.integers(0, 8)), min_size=3, max_size=3)


@given(st.lists(st.tuples(cell, cell), min_size=4, max_size=4))
def test_the_ground_is_what_plain_loops_find(cells):
    one_, other = zip(*cells, strict=True)
    task, suite = [0, 0, 1, 2], [0, 0, 1]
    value = np.array([one_, other], dtype=float)
    found = judge(units(grid(value, task, suite), [(0, 1)]))[0]
    difference, count = naive(one_, other, task, suite)
    assert found.difference == pytest.approx(difference)
    assert found.n_units == count


def test_suites_weigh_the_same_and_in_them_tasks():
    there = np.array([[True, True, True], [True, False, True], [False, False, False]])
    assert task_weights(there, np.array([0, 0, 1])).tolist() == [[0.25, 0.25, 0.5], [0.5, 0, 0.5], [0, 0, 0]]


# ---- verdicts


def test_one_seed_decides_nothing():
    found = one([[0.9]] * 20)
    assert (found.verdict, found.interval, found.p, found.p_equal, found.needed) == ("undecided", None, None, None, None)
    assert (found.difference, found.least_seeds, found.n_units) == (pytest.approx(0.9), 1, 20)
    ragged = np.full((6, 5), 0.9)
    ragged[0, 1:] = np.nan
    assert one(ragged).interval is None


def test_no_common_ground_decides_nothing():
    nan = np.nan
    found = pairs(grid([[[1, 1], [nan, nan]], [[nan, nan], [0, 0]]]))["L0", "L1"]
    assert (found.verdict, found.interval, found.n_tasks, found.n_cells, found.superiority) == ("undecided", None, 0, 0, 0.5)


def test_no_pairs():
    assert pairs(grid([[[1.0]]])) == {}
    assert pairs(grid(np.zeros((3, 2, 2))), []) == {}


@pytest.mark.parametrize("margin", [0, -0.1, 1, float("nan")])
def test_margins_that_make_no_sense(margin):
    with pytest.raises(ValueError, match=r"margin=.*between 0 and 1"):
        pairs(grid(np.zeros((2, 2, 2))), margin=margin)


@given(st.integers(0, 10**6))
def test_pairs_mirror_each_other_and_their_intervals_agree_with_them(seed):
    rng = np.random.default_rng(seed)
    found = pairs(grid(rng.normal(0, 0.1, (4, 6, 4)) + rng.normal(0, 0.1, (4, 1, 1))))
    for (a, b), pair in found.items():
        back = found[b, a]
        assert (pair.difference, pair.p, pair.needed, pair.sign) == (-back.difference, back.p, back.needed, -back.sign)
        assert pair.superiority + back.superiority == pytest.approx(1)
        low, high = pair.interval
        assert low <= pair.difference <= high
        assert {"better": low >= 0, "worse": high <= 0}.get(pair.verdict, low <= 0 <= high)
        assert (pair.needed is None) or (pair.verdict == "undecided" and pair.needed >= 1)


@given(st.lists(st.lists(st.integers(-2, 2), min_size=3, max_size=3), min_size=1, max_size=5))
def test_superiority_counts_ties_half(differences):
    found = one(differences)
    share = [sum((d > 0) + 0.5 * (d == 0) for d in task) / 3 for task in differences]
    assert found.superiority == pytest.approx(sum(share) / len(share))
    assert 0 <= found.superiority <= 1


def test_rounding_is_no_difference():
    value = np.full((2, 4, 3), 0.3)
    value[0] = 0.1 + 0.2
    found = pairs(grid(value))["L0", "L1"]
    assert (found.difference, found.superiority, found.p) == (0, 0.5, 1)


def test_the_correction_is_for_all_pairs_together():
    """A pair that is significant alone is not so among many that are not."""
    rng = np.random.default_rng(0)
    value = rng.normal(0.5, 0.05, (12, 2, 4))
    value[0] = value[1] + 0.05 + rng.normal(0, 0.001, (2, 4))
    alone = pairs(grid(value), ["L0", "L1"])["L0", "L1"]
    among = pairs(grid(value))["L0", "L1"]
    assert (alone.verdict, among.verdict) == ("better", "undecided")
    assert alone.p == pytest.approx(2 / 2**8)
    assert among.interval[0] <= 0 < alone.interval[0]


def test_seeds_are_counted_for_the_level_that_holm_leaves():
    """Ten open pairs alike need more than one alone; beside nine that are decided, a pair needs what it needs alone."""
    x = np.random.default_rng(2).normal(0.1, 0.3, (1, 2, 6))
    clear = np.full((9, 2, 6), 0.9) + np.random.default_rng(0).normal(0, 0.01, (9, 2, 6))

    def needed(differences):
        n = np.full(differences.shape[:2], 6)
        return judge(Units(differences, n, np.full(n.shape, 0.5), np.full(len(n), 2)))[0].needed

    assert needed(x) < needed(np.repeat(x, 10, axis=0))
    assert needed(x) == needed(np.concatenate([x, clear]))


def test_the_interval_is_that_of_bonferroni():
    rng = np.random.default_rng(1)
    value = rng.normal(0, 0.1, (3, 1, 8))
    found = pairs(grid(value))["L0", "L1"]
    d = value[0, 0] - value[1, 0]
    theirs = scipy_stats.t.interval(1 - 0.05 / 3, 7, d.mean(), d.std(ddof=1) / np.sqrt(8))
    assert found.verdict == "undecided"
    assert found.interval == pytest.approx((min(theirs[0], 0), max(theirs[1], 0)))


def test_order_and_names_change_nothing():
    """Other names, other order of labels, tasks and seeds: the same figures to the last bit of a p-value."""
    rng = np.random.default_rng(0)
    value = rng.normal(0.5, 0.1, (4, 6, 5)) + np.linspace(0, 0.1, 4)[:, None, None]
    before = pairs(grid(value, labels=list("abcd")))
    order, tasks, seeds = rng.permutation(4), rng.permutation(6), rng.permutation(5)
    after = pairs(grid(value[order][:, tasks][:, :, seeds], labels=["abcd"[i] for i in order]))
    for names, pair in before.items():
        other = after[names]
        assert (other.p, other.verdict, other.needed, other.n_units) == (pair.p, pair.verdict, pair.needed, pair.n_units)
        assert (other.difference, *other.interval) == pytest.approx((pair.difference, *pair.interval))


def test_what_two_labels_share_does_not_depend_on_a_third():
    rng = np.random.default_rng(0)
    value = rng.normal(0.5, 0.1, (3, 4, 3))
    value[2, :3] = np.nan
    fewer, more = pairs(grid(value[:2]))["L0", "L1"], pairs(grid(value))["L0", "L1"]
    assert (fewer.difference, fewer.superiority, fewer.n_units) == (more.difference, more.superiority, more.n_units)


def test_needed_is_beyond_a_thousand_or_not_at_all():
    wild = np.tile([[1.0, -1.0, 1.0, -1.0]], (2, 1))
    assert one(wild).needed is None
    assert one(wild).verdict == "undecided"


def test_judging_takes_units_as_they_are():
    found = judge(Units(np.full((1, 2, 6), 0.5), np.full((1, 2), 6), np.array([[0.5, 0.5]]), np.array([2])))
    assert found[0].verdict == "better"
