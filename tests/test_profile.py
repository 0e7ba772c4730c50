"""Performance profiles: weights, ends, and a band that covers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, norm

from reports.profile import POINTS, band, profiles
from tests.task_rows import report, trials

TAUS = np.array([0.35, 0.5, 0.6])


def shares(found, taus):
    return [found.shares[round(tau * (POINTS - 1))] for tau in taus]


def test_the_share_of_trials_at_or_above():
    found = profiles(report(trials("A", "s/t", [0.2, 0.5, 0.5, 1.0])))["A"]
    assert found.taus[0] == 0
    assert found.taus[-1] == 1
    assert shares(found, [0, 0.2, 0.22, 0.5, 0.52, 1]) == [1, 1, 0.75, 0.75, 0.25, 0.25]


def test_failures_count_as_chance():
    assert shares(profiles(report(trials("A", "s/t", [1.0, "crashed"])))["A"], [0, 0.02]) == [1, 0.5]


def test_suites_weigh_the_same_and_in_them_tasks_and_in_them_rungs():
    rows = trials("A", "a/x", [1.0, 1.0]) + trials("A", "a/y", [0.0, 0.0])
    rows += trials("A", "b/z", [1.0, 1.0], 1) + trials("A", "b/z", [0.0, 1.0], 2) + trials("A", "b/z", [0.0, 0.0], 4)
    assert shares(profiles(report(rows))["A"], [1]) == [pytest.approx(0.5 * 0.5 + 0.5 * (1 + 0.5 + 0) / 3)]


def test_a_label_is_taken_on_the_cells_that_it_has():
    rows = [row for name in "AB" for row in trials(name, "s/t", [0.5, 0.5])]
    rows += [row for name in "AC" for row in trials(name, "s/u", [1.0, 1.0])] + trials("A", "s/own", [0.0, 0.0])
    found = profiles(report(rows))
    assert (found["A"].n_cells, found["A"].of_cells) == (2, 2)
    assert (found["B"].n_cells, found["B"].of_cells) == (1, 2)
    assert shares(found["B"], [0.5, 1]) == [1, 0]


def test_a_single_seed_anywhere_takes_the_band_away():
    found = profiles(report(trials("A", "s/t", [0.5, 0.5]) + trials("A", "s/u", [0.5])))["A"]
    assert found.low is None
    assert found.high is None


def test_seeds_that_agree_have_no_band():
    found = profiles(report(trials("A", "s/t", [0.5] * 3)))["A"]
    assert found.low == found.shares == found.high


def banded(tasks):
    """Share and band at three scores, of tasks that are given as values of their seeds and weigh the same."""
    values = np.concatenate(tasks)
    names = np.repeat([f"t{i}" for i in range(len(tasks))], [len(x) for x in tasks])
    seeds = np.concatenate([np.arange(len(x)) for x in tasks])
    weights = np.concatenate([np.full(len(x), 1 / len(tasks) / len(x)) for x in tasks])
    reached = weights[:, None] * (values[:, None] >= TAUS)
    return np.minimum(reached.sum(axis=0), 1), *band(reached, weights, names, seeds)


@given(st.lists(st.lists(st.floats(-0.2, 1), min_size=2, max_size=5), min_size=1, max_size=4))
def test_profiles_fall_within_their_band(tasks):
    share, low, high = banded(tasks)
    for line in share, low, high:
        assert all(0 <= x <= 1 for x in line)
        assert (np.diff(line) <= 1e-12).all()
    assert (low <= share).all()
    assert (share <= high).all()


def test_the_order_of_the_rows_and_other_learners_change_nothing():
    rng = np.random.default_rng(0)
    rows = [row for i in range(5) for row in trials("A", f"s/t{i}", rng.random(3).tolist())]
    more = [row for i in range(5) for row in trials("B", f"s/t{i}", rng.random(3).tolist())]
    assert profiles(report(rows))["A"] == profiles(report((more + rows)[::-1]))["A"]


def test_rungs_of_a_seed_are_drawn_together():
    """Ten rungs that agree within each seed tell no more than one: the band is as wide as that of a single rung."""
    scores = [0.1, 0.9, 0.4, 0.6, 0.8, 0.2]
    one, ten = ([row for rung in range(1, n + 1) for row in trials("A", "s/t", scores, rung)] for n in (1, 10))
    narrow, wide = profiles(report(one))["A"], profiles(report(ten))["A"]
    middle = POINTS // 2
    assert wide.high[middle] - wide.low[middle] == pytest.approx(narrow.high[middle] - narrow.low[middle], abs=0.05)
    assert wide.high[middle] - wide.low[middle] > 0.5


def covers(tasks, seeds, comparisons):
    """How often the band holds the true share, at each of three scores."""
    rng = np.random.default_rng(tasks)
    levels = np.linspace(0.2, 0.8, tasks)
    truth = norm.sf(TAUS, levels[:, None], 0.1).mean(axis=0)
    hits = np.zeros(len(TAUS))
    for _ in range(comparisons):
        _, low, high = banded([rng.normal(level, 0.1, seeds) for level in levels])
        hits += (low <= truth + 1e-9) & (truth <= np.array(high) + 1e-9)
    return hits


@pytest.mark.slow
@pytest.mark.parametrize(("tasks", "seeds"), [(20, 3), (10, 5), (6, 10)])
def test_the_band_covers(tasks, seeds):
    assert (covers(tasks, seeds, 1000) >= binom.ppf(1e-4, 1000, 0.95)).all()


def test_the_band_covers_in_short():
    assert (covers(12, 5, 200) >= binom.ppf(1e-4, 200, 0.95)).all()
