"""Which tasks tell learners apart: exactness of the test, false alarms, detection, and what is left unknown."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, nct, t

from reports.discrimination import ALPHA, POWER, Trials, discrimination, judged, range_p, seeds_needed
from tests.task_rows import report, trials


def named(values, n_left=0):
    return Trials(np.asarray(values, float), tuple(f"L{i}" for i in range(len(values))), n_left)


def test_p_is_that_of_all_deals():
    values = np.array([[0.9, 0.8, 0.95], [0.5, 0.6, 0.4], [0.45, 0.7, 0.5]])
    deals = itertools.product(itertools.permutations(range(3)), repeat=3)
    ranges = [np.ptp([np.mean([values[deal[s][i], s] for s in range(3)]) for i in range(3)]) for deal in deals]
    exact = np.mean(np.array(ranges) >= np.ptp(values.mean(axis=1)) - 1e-12)
    draws = 20_000
    low, high = binom.ppf([1e-4, 1 - 1e-4], draws, exact) / draws
    assert low <= range_p(values, draws) <= high + 1 / draws


def test_a_p_is_never_zero_and_ties_decide_nothing():
    assert range_p(np.array([[1.0] * 9, [0.0] * 9, [0.0] * 9]), 99) == 1 / 100
    assert range_p(np.full((3, 4), 0.5)) == 1


def test_two_that_differ_in_every_seed():
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(0.9, 0.02, (1, 10)), rng.normal(0.4, 0.02, (4, 10))])
    found = judged({"s/t": named(values)})["s/t"]
    assert found.verdict == "separates"
    assert found.p <= ALPHA
    assert found.best == "L0"
    assert found.difference == pytest.approx(np.ptp(values.mean(axis=1)))
    low, high = found.interval
    assert low < 0.5 < high
    assert found.needed <= 10


def test_learners_that_are_alike():
    found = judged({"s/t": named(np.random.default_rng(1).permuted(np.tile(np.arange(5) / 10, (10, 1)), axis=1).T)})["s/t"]
    assert found.verdict == "does not"
    assert found.p > ALPHA
    assert "no wider" in found.reason


def test_of_two_learners_the_interval_is_students():
    values = np.array([[0.9, 0.7, 0.8, 0.85, 0.7, 0.95], [0.5, 0.6, 0.55, 0.4, 0.5, 0.45]])
    found = judged({"s/t": named(values)})["s/t"]
    difference = values[0] - values[1]
    expected = t.interval(0.95, 5, loc=difference.mean(), scale=difference.std(ddof=1) / np.sqrt(6))
    assert found.interval == pytest.approx(expected)


def test_few_seeds_leave_it_unknown():
    """Two learners on three seeds have p of 0.25 at least, however far apart."""
    found = judged({"s/t": named([[1.0, 1, 1], [0, 0, 0]])})["s/t"]
    assert (found.verdict, found.p, found.difference) == ("unknown", None, 1.0)
    assert "too few" in found.reason
    assert 2.0 ** (1 - found.needed) <= ALPHA


def test_one_seed_and_one_learner_are_unknown():
    found = judged({"a": named([[1.0], [0.0]]), "b": named([[1.0, 0.5]]), "c": named(np.zeros((0, 0)))})
    assert {x.verdict for x in found.values()} == {"unknown"}
    assert found["a"].interval is None
    assert "one seed" in found["a"].reason
    assert found["b"].best is None
    assert "fewer than two" in found["b"].reason


def test_identical_scores_of_all():
    found = judged({"s/t": named(np.full((4, 6), 0.5))})["s/t"]
    assert (found.verdict, found.difference, found.interval, found.needed) == ("does not", 0.0, (0.0, 0.0), None)
    assert found.best != found.worst


def test_many_tasks_are_corrected_for():
    rng = np.random.default_rng(2)
    strong, noise = rng.normal(0, 0.1, (4, 8)) + np.arange(4)[:, None], [rng.normal(0, 0.1, (4, 8)) for _ in range(19)]
    alone = judged({"strong": named(strong)})["strong"].p
    among = judged({"strong": named(strong), **{f"n{i}": named(x) for i, x in enumerate(noise)}})["strong"].p
    assert among == pytest.approx(20 * alone)


@pytest.mark.parametrize(("effect", "alpha"), [(0.3, 0.05), (1.0, 0.05), (2.0, 1e-3)])
def test_the_seeds_needed_are_those_of_the_noncentral_t(effect, alpha):
    n = seeds_needed(effect, alpha)

    def power(n):
        return nct.sf(t.ppf(1 - alpha / 2, n - 1), n - 1, effect * np.sqrt(n))

    assert power(n) >= POWER > power(n - 1)


def test_the_seeds_needed_for_next_to_nothing_are_not_named():
    assert seeds_needed(1e-3) is None
    assert seeds_needed(1e9) == 2


def test_the_seeds_needed_find_the_difference():
    """Two learners apart by one standard deviation of their difference: the seeds named detect it as often as promised."""
    n, rng, repeats = seeds_needed(1.0), np.random.default_rng(4), 300
    found = [t.sf(abs(x.mean()) / x.std(ddof=1) * np.sqrt(n), n - 1) * 2 < ALPHA for x in rng.normal(1, 1, (repeats, n))]
    assert binom.ppf(1e-4, repeats, POWER) <= sum(found)


@given(st.permutations(range(5)), st.permutations(range(6)))
def test_neither_names_nor_the_order_of_seeds_change_the_difference(names, seeds):
    values = np.random.default_rng(6).normal(size=(5, 6))
    one, other = (judged({"t": named(x)})["t"] for x in (values, values[names][:, seeds]))
    assert other.difference == pytest.approx(one.difference)
    assert other.interval == pytest.approx(one.interval)
    assert other.needed == one.needed


def frame(task, scores, rungs=(None,), **more):
    return [row for name, x in scores.items() for rung in rungs for row in trials(name, task, x, rung, **more)]


def test_from_the_frame():
    """Controls stay out, rungs are averaged, and who lacks a rung takes no part and is counted."""
    rows = frame("s/t", {"A": [0.9, 0.8, 1.0], "B": [0.1, 0.2, 0.3]}, rungs=(1, 2, 4))
    rows += frame("s/t", {"A": [0.3, 0.2, 0.4], "B": [0.1, 0.2, 0.3]}, rungs=(8,))
    rows += frame("s/t", {"Short": [1.0, 1.0, 1.0]}, rungs=(1, 2)) + frame("s/u", {"A": [0.5], "B": [0.4]})
    rows += frame("s/t", {"Oracle": [1.0, 1.0, 1.0]}, rungs=(1, 2, 4, 8), family="control")
    found = discrimination(report(rows))
    assert list(found) == ["s/t", "s/u"]
    mine = found["s/t"]
    assert (mine.best, mine.worst, mine.n_learners, mine.n_left, mine.n_seeds) == ("A", "B", 2, 1, 3)
    assert mine.difference == pytest.approx((3 * 0.9 + 0.3) / 4 - 0.2)
    assert found["s/u"].n_seeds == 1


def test_a_learner_with_few_seeds_does_not_take_them_from_the_others():
    rows = frame("s/t", {name: [0.1 * i + 0.01 * r for r in range(6)] for i, name in enumerate("ABCD")}) + frame(
        "s/t", {"E": [0.9]}
    )
    found = discrimination(report(rows))["s/t"]
    assert (found.n_learners, found.n_seeds, found.n_left) == (4, 6, 1)


def alarms(n, seeds, comparisons, seed):
    rng = np.random.default_rng(seed)
    found = 0
    for _ in range(comparisons):
        values = np.clip(0.9 + 0.1 * rng.standard_t(3, (n, seeds)) + rng.normal(size=seeds) / 10, 0, 1)
        found += range_p(values, 499) <= ALPHA
    return found


@pytest.mark.parametrize(("n", "seeds"), [(2, 8), (6, 3)])
def test_false_alarms(n, seeds):
    """Learners alike, scores that pile up at the ceiling, seeds of unequal difficulty."""
    assert alarms(n, seeds, 200, seed=n) <= binom.ppf(1 - 1e-4, 200, ALPHA)


@pytest.mark.slow
@pytest.mark.parametrize(("n", "seeds"), [(2, 8), (6, 3), (12, 3), (6, 10)])
def test_false_alarms_in_two_thousand(n, seeds):
    assert alarms(n, seeds, 2000, seed=n) <= binom.ppf(1 - 1e-4, 2000, ALPHA)


@pytest.mark.parametrize(("n", "seeds"), [(12, 3), (6, 10)])
def test_detection(n, seeds):
    """One learner ahead by five standard deviations is found in nine of ten tasks."""
    rng = np.random.default_rng(8)
    found = 0
    for _ in range(50):
        values = rng.normal(0, 0.1, (n, seeds))
        values[0] += 0.5
        found += range_p(values, 499) <= ALPHA
    assert found >= binom.ppf(1e-4, 50, 0.9)
