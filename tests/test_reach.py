"""What it takes to reach a score: first looks, seeds that never get there, and speed."""

from __future__ import annotations

import dataclasses
import math
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from reports.reach import REACH, _spent, reach
from reports.stats import outer
from tests.task_rows import report, trials


def looks(data, scores, split="valid", every=10):
    """A curve for each trial, in the order of the rows: its score at every tenth sample."""
    return pd.DataFrame(
        [
            dict(key=key, samples=every * (i + 1), operations=every * (i + 1) * 900, seconds=(i + 1) / 100, score=x, split=split)
            for key, line in zip(data.rows.key, scores, strict=True)
            for i, x in enumerate(line)
        ],
        columns=["key", "samples", "operations", "seconds", "score", "split"],
    )


def found(scores, outcomes=None, **more):
    """The Reach of one label on one cell, from the curves of its seeds."""
    data = report(trials("A", "s/t", outcomes or [0.9] * len(scores)))
    return reach(data, looks(data, scores, **more)).get(("A", "s/t"))


def test_the_first_look_counts_and_nothing_between():
    mine = found([[0.1, 0.5, 0.9, 0.2, 1.0]] * 3)
    assert mine.samples.median == 30
    assert mine.operations.median == 27_000
    assert mine.seconds.median == 0.03
    assert mine.words == "in 3 of 3 seeds"


def test_the_level_itself_is_reached():
    assert found([[0.0, REACH]] * 2).samples.median == 20


def test_a_seed_that_never_gets_there_is_beyond():
    mine = found([[0.9], [0.1, 0.9], [0.1, 0.1]])
    assert mine.words == "in 2 of 3 seeds"
    assert mine.samples.median == 20
    assert mine.samples.interval == (10, math.inf)


@pytest.mark.parametrize(("n", "median"), [(1, 10), (2, math.inf), (3, math.inf)])
def test_the_median_is_beyond_where_half_are(n, median):
    mine = found([[0.9]] + [[0.1]] * (n - 1))
    assert mine.samples.median == median
    assert mine.n_reached == 1


def test_no_seed_gets_there():
    mine = found([[0.1], [0.2]])
    assert (mine.n_reached, mine.samples.median, mine.samples.interval) == (0, math.inf, (math.inf, math.inf))


def test_one_seed_has_no_interval():
    mine = found([[0.9]])
    assert mine.samples.interval is None
    assert mine.words == "in 1 of 1 seed"


def test_failures_never_get_there_with_a_curve_or_without():
    mine = found([[0.9], [0.9], []], outcomes=[0.9, "diverged", "crashed"])
    assert (mine.n_seeds, mine.n_reached) == (3, 1)


def test_a_trial_that_ended_well_without_a_curve_is_unknown():
    assert found([[0.9], []]).n_seeds == 1
    assert found([[], []]) is None


def test_scores_are_corrected_for_chance():
    data = report(trials("A", "s/t", [0.9], chance=0.5, ceiling=0.9))
    assert reach(data, looks(data, [[0.8, 0.81, 0.83]]))["A", "s/t"].samples.median == 30


def test_test_scores_stand_in_only_where_nothing_was_validated():
    data = report(trials("A", "s/t", [0.9]))
    valid, test = looks(data, [[0.1, 0.1, 0.9]]), looks(data, [[0.95]], split="test")
    train = looks(data, [[1.0]], split="train")
    assert reach(data, pd.concat([test, valid, train]))["A", "s/t"].samples.median == 30
    assert reach(data, pd.concat([test, train]))["A", "s/t"].samples.median == 10
    assert reach(data, train) == {}


def test_what_was_not_counted_is_not_made_up():
    data = report(trials("A", "s/t", [0.9, 0.9]))
    curves = looks(data, [[0.9], [0.1]]).assign(operations=None)
    mine = reach(data, curves)["A", "s/t"]
    assert mine.operations is None
    assert mine.samples.median == math.inf


def test_another_level():
    data = report(trials("A", "s/t", [0.9]))
    assert reach(data, looks(data, [[0.3, 0.6]]), level=0.5)["A", "s/t"].samples.median == 20


@pytest.mark.parametrize("n", range(6, 41))
def test_order_statistics_hold_their_level(n):
    """As many are left out as can be, while each end errs in no more than 2.5 %."""
    out = outer(n)
    assert binom.cdf(out, n, 0.5) <= 0.025 < binom.cdf(out + 1, n, 0.5)


@given(st.lists(st.floats(1, 1e9) | st.none(), min_size=2, max_size=30), st.randoms())
def test_it_is_a_function_of_the_seeds_as_a_set(samples, random):
    def spent(given):
        values = np.array([np.nan if x is None else x for x in given])
        return _spent(values, ~np.isnan(values))

    mine = spent(samples)
    low, high = mine.interval
    assert low <= mine.median <= high
    assert (mine.median == math.inf) == (2 * samples.count(None) >= len(samples))
    random.shuffle(samples)
    assert spent(samples) == mine


def test_ten_thousand_trials_with_forty_looks_each():
    """Looks are taken all at once: ten times the trials take less than twenty times as long."""

    def seconds(n):
        keys = np.arange(10 * n).astype(str)
        data = report(trials("A", "s/t", [0.9]))
        cells = np.repeat([f"s/t{i}" for i in range(n)], 10)
        rows = dict(key=keys, label="A", cell=cells, task=cells, chance=0.0, ceiling=1.0, lost=False, compared=True)
        data = dataclasses.replace(data, rows=pd.DataFrame(rows))
        curves = pd.DataFrame(dict(
            key=np.repeat(keys, 40), samples=np.tile(np.arange(1, 41), 10 * n), operations=1.0, seconds=0.1,
            score=np.tile(np.linspace(0, 1, 40), 10 * n), split="valid",
        ))  # fmt: skip
        start = time.process_time()
        found = reach(data, curves)
        spent = time.process_time() - start
        assert len(found) == n
        assert found["A", "s/t0"].samples.median == 33
        return spent

    seconds(10)
    assert seconds(1000) < 20 * seconds(100)
