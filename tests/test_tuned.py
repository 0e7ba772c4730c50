"""What tuning buys: exact expectations, and default against tuned on the same seeds."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t

from reports.tuned import Tried, expected, gains, tuning_curves
from tests.task_rows import report, trials

quarters = st.integers(0, 4).map(lambda x: x / 4)
settings = st.lists(st.tuples(quarters, st.floats(0, 1), st.integers(0, 1)), min_size=1, max_size=7)


@given(settings)
def test_the_expectation_is_that_over_all_sets(tried):
    """Every set of k settings that holds the default, each picked from as tuning picks: ties go to fewer failures, then to the
    first."""
    found = expected(Tried(*np.array(tried, dtype=float).T))
    for k in range(1, len(tried) + 1):
        sets = itertools.combinations(range(1, len(tried)), k - 1)
        picked = [min((0, *others), key=lambda i: (-tried[i][0], tried[i][2], i)) for others in sets]
        assert found[k - 1] == pytest.approx(np.mean([tried[i][1] for i in picked]))


def test_the_ends_are_the_default_and_the_winner():
    rng = np.random.default_rng(0)
    valid, test = rng.random(200), rng.random(200)
    found = expected(Tried(valid, test, np.zeros(200)))
    assert found[0] == test[0]
    assert found[-1] == pytest.approx(test[valid.argmax()])


def test_where_validation_is_the_test_more_settings_are_never_worse():
    score = np.random.default_rng(1).random(50)
    assert (np.diff(expected(Tried(score, score, np.zeros(50)))) >= -1e-12).all()


def test_rounding_decides_no_tie():
    tried = Tried(np.array([0.3, 0.1 + 0.2]), np.array([0.4, 0.9]), np.zeros(2))
    assert expected(tried).tolist() == [0.4, 0.4]


def tuning(task, pairs, learner="A", fixed=None, rung=None, **more):
    """Rows of tuning on one task: validation and test score of each setting, the first at the default."""
    fixed = fixed or {}
    rows = []
    for i, (valid, test) in enumerate(pairs):
        params = fixed | ({"rate": i} if i else {})
        rows += trials(
            learner, task, [test], rung, protocol="tuning", params=params, fixed=fixed, score_valid=valid, seed_data=i,
            tuning_trials=len(pairs), tuned=False, **more,
        )  # fmt: skip
    return rows


def test_from_the_frame():
    rows = tuning("s/t", [(0.5, 0.4), (0.9, 0.8), (0.1, 0.9)]) + trials("A", "s/t", [0.4, 0.4])
    found = tuning_curves(report(rows))["A"]
    assert found.scores == pytest.approx((0.4, (0.8 + 0.4) / 2, 0.8))
    assert (found.k, found.tasks, found.low, found.high) == (3, ("s/t",), None, None)


def test_what_a_user_fixed_is_the_default_of_that_label():
    rows = tuning("s/t", [(0.5, 0.4), (0.9, 0.8)], fixed={"hidden": 32})
    assert tuning_curves(report(rows))["A[hidden=32]"].scores == pytest.approx((0.4, 0.8))


def test_scores_are_corrected_and_failures_count_as_nothing():
    rows = tuning("s/t", [(0.6, 0.2), (0.7, 0.9)], chance=0.5, ceiling=1.0) + tuning("s/t", [(None, "crashed")], learner="B")
    found = tuning_curves(report(rows))
    assert found["A"].scores == pytest.approx((0.2, 0.9))
    assert found["B"].scores == (0.0,)


def test_a_failed_setting_is_not_picked_over_one_that_worked():
    rows = tuning("s/t", [(0.0, 0.1), (None, "crashed")])
    assert tuning_curves(report(rows))["A"].scores == pytest.approx((0.1, 0.1))


def test_rungs_are_averaged_before_one_is_picked():
    """By rung the second setting would win the first one; over both the default does."""
    rows = tuning("s/t", [(0.5, 0.5), (0.6, 0.6)], rung=1) + tuning("s/t", [(0.5, 0.3), (0.1, 0.1)], rung=2)
    assert tuning_curves(report(rows))["A"].scores == pytest.approx((0.4, 0.4))


def test_settings_count_that_all_tasks_have_whole():
    whole = tuning("s/t", [(0.1, 0.1), (0.2, 0.2), (0.3, 0.3)])
    assert tuning_curves(report(whole + tuning("s/u", [(0.1, 0.1), (0.2, 0.2)])))["A"].k == 2
    cut = tuning("s/u", [(0.1, 0.1), (0.2, 0.2), (0.3, 0.3)], rung=1) + tuning("s/u", [(0.1, 0.1), (0.2, 0.2)], rung=2)
    assert tuning_curves(report(whole + cut))["A"].k == 2


def test_the_interval_is_over_tasks():
    scores = [0.2, 0.4, 0.5, 0.7]
    rows = [row for i, x in enumerate(scores) for row in tuning(f"s/t{i}", [(0.5, x), (0.4, 0.0)])]
    found = tuning_curves(report(rows))["A"]
    assert found.scores == pytest.approx((0.45, 0.45))
    low, high = t.interval(0.95, 3, loc=0.45, scale=np.std(scores, ddof=1) / 2)
    assert found.low[0] == pytest.approx(low, abs=0.1)
    assert found.high[0] == pytest.approx(high, abs=0.1)
    alike = [row for i in range(3) for row in tuning(f"s/t{i}", [(0.5, 0.3), (0.6, 0.8)])]
    found = tuning_curves(report(alike))["A"]
    assert found.low == pytest.approx(found.scores)
    assert found.high == pytest.approx(found.scores)


def test_nothing_was_tuned():
    data = report(trials("A", "s/t", [0.5, 0.5]))
    assert tuning_curves(data) == {}
    assert gains(data) == {}


def tuned(learner, task, scores, rung=None, k=4):
    return trials(learner, task, scores, rung, tuned=True, tuning_trials=k, params={"rate": 3}, fixed={})


def test_the_gain_is_paired_by_seed():
    before, after = np.array([0.2, 0.5, 0.8, 0.4]), np.array([0.3, 0.65, 0.85, 0.5])
    found = gains(report(trials("A", "s/t", before.tolist()) + tuned("A", "s/t", after.tolist())))["A"]
    assert (found.default, found.tuned) == (pytest.approx(before.mean()), pytest.approx(after.mean()))
    gained = after - before
    assert found.difference == pytest.approx(gained.mean())
    assert found.interval == pytest.approx(t.interval(0.95, 3, loc=gained.mean(), scale=gained.std(ddof=1) / 2))
    assert (found.n_tasks, found.n_units, found.k) == (1, 4, 4)


def test_the_gain_stands_on_seeds_that_have_both_on_all_rungs():
    rows = trials("A", "s/t", [0.1, 0.1, 0.1], 1) + trials("A", "s/t", [0.1, 0.1, 0.1, 0.1], 2)
    rows += tuned("A", "s/t", [0.5, 0.6, None], 1) + tuned("A", "s/t", [0.5, 0.6, 1.0, 1.0], 2)
    found = gains(report(rows))["A"]
    assert found.n_units == 2
    assert found.difference == pytest.approx(0.45)


def test_gains_weigh_suites_alike_and_count_failures():
    rows = [row for task in ("a/x", "a/y", "b/z") for row in trials("A", task, [0.5, 0.5])]
    rows += tuned("A", "a/x", [0.5, 0.5]) + tuned("A", "a/y", [0.5, 0.5]) + tuned("A", "b/z", [1.0, "diverged"])
    assert gains(report(rows))["A"].difference == pytest.approx(0)
    rows[-1] = {**rows[-2], "replicate": 1, "key": "last"}
    assert gains(report(rows))["A"].difference == pytest.approx(0.25)


def test_of_several_numbers_of_settings_the_largest():
    rows = trials("A", "s/t", [0.1, 0.2]) + tuned("A", "s/t", [0.3, 0.4], k=2) + tuned("A", "s/t", [0.6, 0.7], k=8)
    found = gains(report(rows))["A"]
    assert (found.k, found.difference) == (8, pytest.approx(0.5))


def test_one_seed_has_a_gain_and_no_interval():
    found = gains(report(trials("A", "s/t", [0.1]) + tuned("A", "s/t", [0.6])))["A"]
    assert (found.difference, found.interval) == (pytest.approx(0.5), None)
