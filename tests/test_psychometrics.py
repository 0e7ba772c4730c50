"""Ladders as psychometric curves: known answers, cover, and what must not be called a threshold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.optimize import least_squares
from scipy.stats import binom

from reports.logistic import MOST_LAPSE, fit
from reports.psychometrics import BAD, LEVEL, Climb, psychometrics
from reports.resampling import widening
from tests.task_rows import report, trials

LAGS = np.array([1.0, 2, 4, 8, 16, 32, 64])
MARGINS = np.array([0.5, 0.2, 0.1, 0.05, 0.02, 0.01])


def curve(rungs, threshold, slope=3.0, lapse=0.0):
    """Scores that pass LEVEL at the threshold, whatever the lapse; one row for each threshold."""
    u = np.log(rungs) * np.sign(rungs[-1] - rungs[0])
    at = np.atleast_1d(np.log(threshold) * np.sign(rungs[-1] - rungs[0]))[:, None]
    return (1 - lapse) / (1 + np.exp(slope * (u - at) + np.log((1 - lapse) / LEVEL - 1)))


def climb(rungs, values, axis="lag", *, logarithmic=True):
    return Climb("A", "s/t", axis, np.asarray(rungs, float), np.asarray(values, float), logarithmic=logarithmic).measured()


@pytest.mark.parametrize("lapse", [0.0, 0.1, 0.3])
@pytest.mark.parametrize(("rungs", "threshold"), [(LAGS, 23.0), (LAGS, 3.0), (MARGINS, 0.03), (MARGINS, 0.15)])
def test_a_curve_without_noise_is_recovered(rungs, threshold, lapse):
    found = climb(rungs, curve(rungs, [threshold] * 3, lapse=lapse))
    assert found.state == "solved"
    assert found.threshold == pytest.approx(threshold, rel=1e-3)
    assert found.lapse == pytest.approx(lapse, abs=1e-3)
    assert found.slope == pytest.approx(3, rel=1e-2)
    assert found.interval == pytest.approx((threshold, threshold), rel=1e-3)
    assert found.r2 == pytest.approx(1)
    assert not found.bad


def test_on_a_linear_axis_as_well():
    rungs = np.arange(2.0, 9)
    found = climb(rungs, 1 / (1 + np.exp(2 * (np.tile(rungs, (2, 1)) - 5.3))), "n", logarithmic=False)
    assert found.threshold == pytest.approx(5.3, rel=1e-3)
    assert found.words == "solves up to n 5 [5, 5]"


def test_the_curve_is_drawn_where_it_was_fitted():
    for rungs in LAGS, MARGINS:
        found = climb(rungs, curve(rungs, [0.4 * rungs[0] ** 0.3 * rungs[-1] ** 0.7] * 2))
        assert list(found.xs) == sorted(found.xs)
        assert {found.xs[0], found.xs[-1]} == {rungs[0], rungs[-1]}
        passed = np.interp(LEVEL, *(zip(*sorted(zip(found.ys, np.log(found.xs), strict=True)), strict=True)))
        assert np.exp(passed) == pytest.approx(found.threshold, rel=0.01)


def test_words_say_up_or_down_and_round():
    rng = np.random.default_rng(0)
    up = climb(LAGS, curve(LAGS, 23 * np.exp(rng.normal(0, 0.1, 5))))
    low, high = (int(x) for x in up.interval)
    assert up.words == f"solves up to lag {int(up.threshold)} [{low}, {high}]"
    down = climb(MARGINS, curve(MARGINS, [0.03, 0.03]), "margin")
    assert down.words == "solves down to margin 0.03 [0.03, 0.03]"


def test_one_seed_has_a_threshold_and_no_interval():
    found = climb(LAGS, curve(LAGS, [23]))
    assert found.threshold == pytest.approx(23, rel=1e-3)
    assert found.interval is None
    assert "one seed" in found.words


def test_a_fall_between_two_rungs_is_not_known_closer():
    """All seeds agree, yet nothing says where between 4 and 8 the fall is."""
    found = climb(LAGS, np.tile([1.0, 1, 1, 0, 0, 0, 0], (5, 1)))
    assert found.interval == (4, 8)
    assert 4 < found.threshold < 8


@pytest.mark.parametrize(("values", "state", "words"), [
    (np.ones((3, 7)), "above", "solves all, up to lag 64 at least"),
    (np.full((3, 7), 0.7), "above", "solves all, up to lag 64 at least"),
    (np.zeros((3, 7)), "below", "solves none, not even lag 1"),
    (np.full((3, 7), 0.3), "below", "solves none, not even lag 1"),
    (np.tile(np.linspace(0, 1, 7), (3, 1)), "flat", "does not fall steadily with lag: no threshold"),
    (np.tile([1.0, 0, 1, 0, 1, 0, 1], (3, 1)), "flat", "does not fall steadily with lag: no threshold"),
    (np.tile([0.52, 0.51, 0.5, 0.5, 0.49, 0.48, 0.47], (3, 1)), "flat", "does not fall steadily with lag: no threshold"),
])  # fmt: skip
def test_ladders_without_a_threshold(values, state, words):
    found = climb(LAGS, values)
    assert (found.state, found.words, found.threshold, found.interval) == (state, words, None, None)


def test_noise_around_half_way_is_flat():
    """Scores without any trend are called solved no more often than the one-sided test errs."""
    rng = np.random.default_rng(3)
    found = [climb(LAGS, 0.5 + rng.normal(0, 0.1, (4, 7))).state for _ in range(100)]
    assert found.count("solved") <= binom.ppf(1 - 1e-4, 100, 0.05)


def test_a_threshold_near_the_end_has_an_open_interval():
    found = climb(LAGS, curve(LAGS, [30.0, 60.0, 110.0]))
    assert found.state == "solved"
    assert found.beyond == (False, True)
    assert found.interval[1] == 64
    assert found.words.endswith(", > 64]")


def test_on_a_falling_axis_the_open_end_is_the_low_one():
    found = climb(1 / LAGS, curve(LAGS, [30.0, 60.0, 110.0]), "margin")
    assert found.beyond == (True, False)
    assert found.interval[0] == 1 / 64
    assert "[< 0.016, " in found.words


def test_a_ladder_too_short_for_some_seeds():
    found = climb(LAGS, curve(LAGS, [40.0, 90.0, 150.0]))
    assert found.state == "above"
    assert found.beyond == (False, True)
    assert found.interval[0] < 64
    assert found.words == f"solves all, up to lag 64 at least [{int(found.interval[0])}, > 64]"


def test_a_bad_fit_is_said_to_be_one():
    found = climb(LAGS, np.tile([1.0, 0.2, 1, 0.9, 0.2, 0, 0.5], (4, 1)))
    assert found.residual > BAD
    assert found.words.endswith("but the curve fits badly")


def test_two_rungs_are_too_few():
    found = climb(LAGS[:2], np.array([[1.0, 0.0]]))
    assert (found.state, found.threshold, found.means) == ("few", None, (1.0, 0.0))
    assert found.words == "only 2 rungs: a curve needs 3"


def ladder(task, rungs, scores, axis="lag", learner="A"):
    return [row for rung, x in zip(rungs, scores, strict=True) for row in trials(learner, task, x, rung, axis)]


def test_from_the_frame():
    """Axes go the way the task declares; failures count as 0; words are kinds; the scale follows from the rungs."""
    lags, margins, sizes = [1, 2, 4, 8, 16], [0.5, 0.2, 0.1, 0.05], [2, 3, 4, 5]
    falls = [[1.0, 1.0], [0.95, 0.97], [0.5, "crashed"], [0.0, 0.0], [0.0, 0.0]]
    rows = ladder("s/lag", lags, falls) + ladder("s/margin", margins, falls[:4], "margin")
    rows += ladder("s/size", sizes, [[1.0] * 2, [1.0] * 2, [0.5] * 2, [0.0] * 2], "n")
    rows += ladder("s/kind", ["a", "bb", "ccc"], falls[:3], "kind") + trials("A", "s/none", [0.5, 0.5])
    found = psychometrics(report(rows, {
        "s/lag": ("lag", lags), "s/margin": ("margin", margins), "s/size": ("n", sizes), "s/kind": ("kind", ["a", "bb", "ccc"]),
    }))  # fmt: skip
    assert {task: x.state for (_, task), x in found.items()} == {
        "s/lag": "solved", "s/margin": "solved", "s/size": "solved", "s/kind": "kinds",
    }  # fmt: skip
    assert found["A", "s/lag"].means == (1.0, 0.96, 0.25, 0.0, 0.0)
    assert 2 < found["A", "s/lag"].threshold < 4
    assert found["A", "s/margin"].rungs == tuple(margins)
    assert 0.1 < found["A", "s/margin"].threshold < 0.2
    assert found["A", "s/size"].threshold == pytest.approx(4, abs=1e-6)
    assert found["A", "s/kind"].words == "kind names kinds: no curve"


def test_a_seed_that_lacks_a_rung_counts_where_it_has_one():
    values = curve(LAGS, [20.0, 23.0, 26.0])
    whole = climb(LAGS, values)
    values[0, 6] = values[1, 0] = np.nan
    part = climb(LAGS, values)
    assert part.n_seeds == 3
    assert part.threshold == pytest.approx(whole.threshold, rel=0.02)


def test_the_order_of_seeds_and_of_other_learners_changes_nothing():
    rng = np.random.default_rng(5)
    scores = (curve(LAGS, rng.uniform(10, 30, 4)) + rng.normal(0, 0.05, (4, 7))).T.tolist()
    rows, other = ladder("s/t", LAGS, scores), ladder("s/t", LAGS, scores[::-1], learner="B")
    alone, among = psychometrics(report(rows)), psychometrics(report((other + rows)[::-1]))
    assert alone["A", "s/t"] == among["A", "s/t"]


def test_fits_are_least_squares():
    """Against scipy, from several starts: as good, and at the same place."""
    rng = np.random.default_rng(1)
    x = np.linspace(0, 1, 6)
    values = 0.9 / (1 + np.exp(15 * (x - rng.uniform(0.2, 0.8, (20, 1))))) + rng.normal(0, 0.05, (20, 6))
    weights = rng.integers(1, 4, values.shape).astype(float)
    found = fit(x, values, weights)
    for i, (y, w) in enumerate(zip(values, weights, strict=True)):

        def misses(p, y=y, w=w):
            return np.sqrt(w) * (p[2] / (1 + np.exp(np.exp(p[1]) * (x - p[0]))) - y)

        bounds = [-1, 0, 0.5], [2, np.log(8 * 5), 1]
        best = min(
            (least_squares(misses, [m, np.log(s), 0.9], bounds=bounds) for m in (0.2, 0.5, 0.8) for s in (4, 12)),
            key=lambda r: r.cost,
        )
        assert (w * (y - found.at(x, i)) ** 2).sum() <= 2 * best.cost + 1e-7
        assert found.middle[i] == pytest.approx(best.x[0], abs=5e-3)


def test_two_seeds_are_widened_to_students_interval():
    """Of the mean of two, the outermost draw is half their difference away; Student's interval reaches 12.7 times as far."""
    assert widening(2) == pytest.approx(12.706, abs=1e-3)
    assert widening(1000) == pytest.approx(1, abs=5e-3)


def covers(n, threshold, spread, noise, comparisons, seed):
    """How often the interval holds the threshold, seeds having their own around it."""
    rng = np.random.default_rng(seed)
    hits = 0
    for _ in range(comparisons):
        values = curve(LAGS, threshold * np.exp(spread * rng.normal(size=n))) + rng.normal(0, noise, (n, 7))
        found = climb(LAGS, values)
        (low, high), (under, over) = found.interval, found.beyond
        hits += (under or low <= threshold) and (over or threshold <= high)
    return hits


@pytest.mark.parametrize(("n", "threshold"), [(3, 11.0), (5, 4.0)])
def test_intervals_cover(n, threshold):
    assert covers(n, threshold, 0.3, 0.05, 100, seed=n) >= binom.ppf(1e-4, 100, 0.95)


@pytest.mark.slow
@pytest.mark.parametrize("n", [3, 5, 10])
@pytest.mark.parametrize(
    ("threshold", "spread", "noise"), [(8.0, 0.3, 0.05), (23.0, 0.15, 0.02), (5.0, 0.0, 0.1), (40.0, 0.2, 0.05)]
)
def test_intervals_cover_in_a_thousand(n, threshold, spread, noise):
    assert covers(n, threshold, spread, noise, 1000, seed=n) >= binom.ppf(1e-4, 1000, 0.95)


tables = arrays.arrays(
    float, st.tuples(st.integers(1, 4), st.integers(3, 7)), elements=st.floats(-0.5, 1.2) | st.just(float("nan"))
)


@given(tables, st.booleans(), st.booleans())
def test_no_scores_raise(values, logarithmic, falling):
    values[0] = np.nan_to_num(values[0])
    rungs = 2.0 ** np.arange(values.shape[1])
    found = climb(rungs[::-1] if falling else rungs, values, logarithmic=logarithmic)
    assert found.words
    if found.lapse is not None:
        assert 0 <= found.lapse <= MOST_LAPSE
        assert found.slope > 0
        assert all(0 <= y <= 1 for y in found.ys)
    if found.state == "solved":
        assert rungs[0] <= found.threshold <= rungs[-1]
    if found.interval is not None:
        low, high = found.interval
        assert rungs[0] <= low <= high <= rungs[-1]
        assert found.threshold is None or low <= found.threshold * (1 + 1e-9)


@given(st.floats(0.01, 100), st.floats(2, 40), st.floats(0, 0.3), st.booleans())
def test_the_threshold_moves_with_the_rungs(factor, threshold, lapse, logarithmic):
    values = curve(LAGS, [threshold, threshold * 1.2], lapse=lapse)
    plain, scaled = (climb(LAGS * k, values, logarithmic=logarithmic) for k in (1, factor))
    assert scaled.threshold == pytest.approx(plain.threshold * factor, rel=1e-4)
    assert scaled.interval == pytest.approx(tuple(x * factor for x in plain.interval), rel=1e-3)
    assert scaled.lapse == pytest.approx(plain.lapse, abs=1e-4)


def test_where_the_order_of_rungs_is_not_known_nothing_is_fitted():
    """A margin that is listed upwards would read as a lag, and its easiest rung as the hardest."""
    rows = [row for margin in (0.1, 0.2, 0.5) for row in trials("A", "s/t", [margin * 2] * 3, margin, axis="margin")]
    (found,) = psychometrics(report(rows)).values()
    assert (found.state, found.threshold, found.interval) == ("kinds", None, None)
    assert "not installed" in found.words
