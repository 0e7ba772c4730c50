"""The statistics on made-up data of which the truth is known: do they do what they say, and how often?

Each rate comes from at least 1,000 synthetic experiments and is held to what is promised, within the error of so many
draws: a test fails by chance once in some ten thousand runs. *Exact* procedures are held from both sides,
conservative ones from the one on which an error would mislead.
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats

import reports.across
from reports import significance
from reports.across import across
from reports.board import board
from reports.data import tidy
from reports.pairs import MARGIN, judge
from reports.power import Spread, needed
from reports.stats import iqm, iqm_interval, mean_interval, median_interval, proportion_interval
from reports.units import Units, task_weights
from reports.verdict import verdict
from tests.report_sample import sample

RUNS = 1000
CHANCE = 1e-4
"""How often a sound procedure may fail its test."""


@pytest.fixture(autouse=True)
def fewer_signs(monkeypatch):
    """The sign test keeps its level for any number of draws; here it needs not tell 1,770 pairs apart."""
    monkeypatch.setattr(significance, "DRAWS", 500)
    monkeypatch.setattr(significance, "CHUNK", 500)


def at_least(hits: int, rate: float, runs: int = RUNS) -> bool:
    return hits >= scipy_stats.binom.ppf(CHANCE, runs, rate)


def at_most(hits: int, rate: float, runs: int = RUNS) -> bool:
    return hits <= scipy_stats.binom.ppf(1 - CHANCE, runs, rate)


# ---- populations of scores: what draws them, and what is true of them


def clipped(rng, shape):
    """Most runs near the ceiling, with a long tail of bad ones."""
    return np.clip(1 - 0.1 * rng.lognormal(0, 1, shape), -0.1, 1)


POPULATIONS = {
    "normal": lambda rng, shape: rng.normal(0.5, 0.1, shape),
    "uniform": lambda rng, shape: rng.random(shape),
    "beta": lambda rng, shape: rng.beta(2, 0.5, shape),
    "lognormal": clipped,
    "learns or does not, 6 of 10": lambda rng, shape: (rng.random(shape) < 0.6).astype(float),
    "learns or does not, 9 of 10": lambda rng, shape: (rng.random(shape) < 0.9).astype(float),
}
RARELY = "learns or does not, 7 of 10"
POPULATIONS[RARELY] = lambda rng, shape: (rng.random(shape) < 0.7).astype(float)


@functools.cache
def truth(population: str) -> tuple[float, float]:
    """Median and interquartile mean of a population."""
    big = np.sort(POPULATIONS[population](np.random.default_rng(99), 1_000_001))
    return float(np.median(big)), iqm(big)


def covered(population: str, n: int, interval, true: float) -> tuple[int, int]:
    """How many of RUNS samples have an interval, and how many intervals hold the truth."""
    rng = np.random.default_rng(n)
    found = [interval(POPULATIONS[population](rng, n)) for _ in range(RUNS)]
    there = [x for x in found if x is not None]
    return len(there), sum(low - 1e-3 <= true <= high + 1e-3 for low, high in there)


few = pytest.mark.parametrize("n", [6, 10, pytest.param(20, marks=pytest.mark.slow), pytest.param(60, marks=pytest.mark.slow)])
each = pytest.mark.parametrize(
    "population",
    [x if x in {"normal", "lognormal", RARELY} else pytest.param(x, marks=pytest.mark.slow) for x in POPULATIONS],
)


@few
@each
def test_intervals_of_medians_cover(population, n):
    """Conservative: they hold the median at least so often, whatever the population."""
    runs, hits = covered(population, n, median_interval, truth(population)[0])
    assert runs == RUNS
    assert at_least(hits, 0.95)


@few
@each
def test_intervals_of_interquartile_means_cover(population, n):
    """Conservative, where they are given: samples without spread have none."""
    runs, hits = covered(population, n, iqm_interval, truth(population)[1])
    assert at_least(hits, 0.95, runs)
    assert runs == RUNS or "learns or does not" in population


@pytest.mark.parametrize("n", [2, 3, 5])
def test_fewer_than_six_have_a_range_which_covers_less(n):
    """The range of n holds the median with 1 - 2 / 2**n, exactly: this is why it is not called a 95 % interval."""
    _, hits = covered("normal", n, median_interval, 0.5)
    assert at_least(hits, 1 - 2 / 2**n - 0.002)
    assert at_most(hits, 1 - 2 / 2**n + 0.02)
    assert 1 - 2 / 2**n < 0.95


@pytest.mark.parametrize("n", [1, 3, 10, 50])
def test_the_interval_of_a_proportion_covers_exactly(n):
    """No simulation: coverage summed over all outcomes, for any probability."""
    ends = np.array([proportion_interval(k, n) for k in range(n + 1)])
    for p in np.linspace(0, 1, 201):
        inside = (ends[:, 0] <= p) & (p <= ends[:, 1])
        assert scipy_stats.binom.pmf(np.arange(n + 1), n, p)[inside].sum() >= 0.95 - 1e-12
    for k in range(n + 1):
        theirs = scipy_stats.binomtest(k, n).proportion_ci(method="exact")
        assert ends[k] == pytest.approx([theirs.low, theirs.high])


@pytest.mark.parametrize("wrong", [(-1, 3), (4, 3), (0, 0)])
def test_proportions_that_are_none(wrong):
    with pytest.raises(ValueError, match=r"k=.*, n="):
        proportion_interval(*wrong)


@pytest.mark.parametrize("statistic", ["median", "iqm"])
def test_the_bootstrap_is_that_of_scipy(statistic):
    """The same percentiles of the same statistic, as far as 2,000 draws tell."""
    x = np.random.default_rng(3).normal(size=21)
    ours, function = {
        "median": (median_interval, np.median),
        "iqm": (iqm_interval, lambda v, axis: scipy_stats.trim_mean(v, 0.25, axis)),
    }[statistic]
    level = 1 - 2 * scipy_stats.norm.cdf(-np.sqrt(21 / 20) * scipy_stats.t.ppf(0.975, 20))
    theirs = scipy_stats.bootstrap(
        (x,), function, confidence_level=level, method="percentile", n_resamples=20_000, rng=np.random.default_rng(0)
    ).confidence_interval
    low, high = ours(x)
    assert theirs.low - 0.15 <= low <= theirs.low + 0.08
    assert theirs.high - 0.08 <= high <= theirs.high + 0.15


@pytest.mark.parametrize("n", [8, 12])
def test_the_interval_of_an_interquartile_mean_is_the_wider_of_two(n):
    """Hesterberg's expanded percentiles, as far as 2,000 draws tell them, or Tukey and McLaughlin's t interval."""
    rng = np.random.default_rng(n)
    level = 1 - 2 * scipy_stats.norm.cdf(-np.sqrt(n / (n - 1)) * scipy_stats.t.ppf(0.975, n - 1))
    apart = []
    for _ in range(20):
        x = rng.normal(size=n)
        t = scipy_stats.mstats.trimmed_mean_ci(x, (0.25, 0.25))
        drawn = scipy_stats.bootstrap(
            (x,), lambda v, axis: scipy_stats.trim_mean(v, 0.25, axis), confidence_level=level, method="percentile", rng=rng
        )
        ends, wider = iqm_interval(x), drawn.confidence_interval
        assert ends[0] <= t[0] + 1e-12
        assert ends[1] >= t[1] - 1e-12
        apart += [
            sign * (end - max(sign * a, sign * b) * sign) / drawn.standard_error
            for sign, end, a, b in zip((-1, 1), ends, t, wider, strict=True)
        ]
    assert abs(np.mean(apart)) < 0.1


# ---- one score over all tasks


def worlds(kind: str, tasks: int, rng):
    """Tasks of unlike difficulty; gives what draws seeds of all of them, (tasks, n)."""
    level, spread = rng.uniform(0, 0.9, (tasks, 1)), rng.uniform(0.01, 0.1, (tasks, 1))
    return {
        "normal": lambda n: rng.normal(level, spread, (tasks, n)),
        "beta": lambda n: rng.beta(5 * level + 0.1, 5 * (1 - level) + 0.1, (tasks, n)),
        "learns or does not": lambda n: (rng.random((tasks, n)) < level).astype(float),
    }[kind]


@pytest.mark.parametrize(
    ("kind", "tasks", "n"),
    [
        ("normal", 1, 3), ("normal", 12, 3), ("beta", 12, 3), ("learns or does not", 12, 3),
        *(pytest.param(kind, tasks, n, marks=pytest.mark.slow)
          for kind in ("normal", "beta", "learns or does not")
          for tasks, n in ((5, 3), (5, 5), (5, 10), (20, 2), (20, 3), (20, 5), (20, 10), (40, 3))),
    ],
)  # fmt: skip
def test_intervals_over_tasks_cover(kind, tasks, n):
    """From three seeds and five tasks on; the mean of normal scores exactly or nearly so, others at least nearly.

    Ten sets of tasks, each with a hundred repetitions. Two points are granted to skewed scores of few seeds.
    """
    rng = np.random.default_rng(tasks + n)
    numbers, hits = np.arange(tasks), np.zeros(2, dtype=int)
    for _ in range(10):
        draw = worlds(kind, tasks, rng)
        big = draw(20_000)
        true = big.mean(), iqm(big.ravel())
        for _ in range(RUNS // 10):
            found = across(draw(n), numbers, np.zeros(tasks, dtype=int))
            for i, (low, high) in enumerate((found.mean_interval, found.iqm_interval)):
                hits[i] += low - 2e-3 <= true[i] <= high + 2e-3
    assert at_least(hits[0], 0.95 if kind == "normal" else 0.93)
    assert at_least(hits[1], 0.95 if kind == "normal" else 0.93)


def test_the_interval_of_a_mean_over_tasks_is_exact_for_one_task_of_normal_scores():
    rng = np.random.default_rng(0)
    drawn = rng.normal(0.5, 0.1, (RUNS, 3))
    ends = [across(x[None], np.array([0]), np.array([0])).mean_interval for x in drawn]
    hits = sum(low <= 0.5 <= high for low, high in ends)
    assert at_least(hits, 0.95)
    assert at_most(hits, 0.95)
    assert ends[0] == pytest.approx(scipy_stats.t.interval(0.95, 2, drawn[0].mean(), scipy_stats.sem(drawn[0])))


@pytest.mark.parametrize("n", [2, 3, 5])
def test_the_stratified_bootstrap_has_the_variance_of_a_mean(n):
    """That of s^2 / n for each task, however few its seeds; both rungs of a task get the same seeds."""
    x = np.random.default_rng(n).normal(size=(2, 1, n)).repeat([1, 2], axis=0).reshape(3, n)
    share = np.array([[1 / 2], [1 / 4], [1 / 4]]) * np.full((3, n), 1 / n)
    rng = np.random.default_rng(0)
    drawn = np.concatenate([reports.across._resampled(share, np.array([0, 1]), rng) for _ in range(8)])
    assert drawn.sum((1, 2)) == pytest.approx(1)
    assert (drawn[:, 1] == drawn[:, 2]).all()
    variance = (x[:2].var(axis=1, ddof=1) / n / 4).sum()
    assert (drawn * x).sum((1, 2)).var() == pytest.approx(variance, rel=5 * np.sqrt(2 / len(drawn)))


def test_rungs_share_their_seeds(monkeypatch):
    """Ten rungs that rise and fall together are no ten times as many seeds."""
    monkeypatch.setattr(reports.across, "DRAWS", 10)  # the mean needs none
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(RUNS):
        low, high = across(
            rng.normal(0, 0.1, (1, 4)) + rng.normal(0, 0.01, (10, 4)), np.zeros(10, dtype=int), np.array([0])
        ).mean_interval
        hits += low <= 0 <= high
    assert at_least(hits, 0.95)


def test_the_figures_over_tasks_are_weighted():
    """Two suites, the first of two tasks, one of which has two rungs; failures are values like others."""
    values, task, suite = np.array([[1.0] * 4, [0.0] * 4, [0.5] * 4, [0.2] * 4]), np.array([0, 0, 1, 2]), np.array([0, 0, 1])
    found = across(values, task, suite)
    assert found.mean == pytest.approx((1 / 4 * 0.5 + 1 / 4 * 0.5) + 1 / 2 * 0.2)
    assert found.iqm == pytest.approx(2 * (0.375 * 0.2 + 0.125 * 0.5))
    flat = np.random.default_rng(0).random((8, 3))
    pooled = across(flat, np.arange(8), np.zeros(8, dtype=int))
    assert pooled.mean == pytest.approx(flat.mean())
    assert pooled.iqm == pytest.approx(scipy_stats.trim_mean(flat, 0.25, axis=None))
    _, interval = mean_interval(list(flat), np.full(8, 1 / 8))
    assert pooled.mean_interval == pytest.approx(interval)


# ---- verdicts


def verdicts(differences, **changes) -> list[str]:
    """The verdicts of one family of comparisons, (comparisons, tasks, seeds); all tasks of one suite."""
    shape = differences.shape
    n = np.full(shape[:2], shape[2])
    given = Units(differences, n, task_weights(n > 0, np.zeros(shape[1], dtype=int)), np.full(shape[0], shape[1]))
    return [pair.verdict for pair in judge(given, **changes)]


def count(draw, wanted: set[str], runs: int = RUNS, seed: int = 0) -> int:
    """How many of `runs` families have a verdict among those wanted."""
    rng = np.random.default_rng(seed)
    return sum(bool(wanted & set(verdicts(draw(rng)))) for _ in range(runs))


def rivals(draw, learners: int):
    """All pairs of learners whose scores (learners, tasks, seeds) come from one population."""

    def family(rng):
        scores = draw(rng, (learners, 4, 3))
        one, other = np.triu_indices(learners, 1)
        return scores[one] - scores[other]

    return family


@pytest.mark.parametrize("learners", [2, 5])
@pytest.mark.parametrize("population", ["normal", "lognormal", RARELY])
def test_a_run_of_a_learner_against_itself_stays_silent(population, learners):
    """A/A: one population under several names with other seeds. Any better or worse is a false alarm: at most 5 % of families."""
    assert at_most(count(rivals(POPULATIONS[population], learners), {"better", "worse"}), 0.05)


def test_false_alarms_of_two_learners_are_as_many_as_was_said():
    """Exact: the test of one pair spends its level, up to the steps of its 2**11 p-values."""
    alarms = count(rivals(POPULATIONS["normal"], 2), {"better", "worse"})
    assert at_least(alarms, np.floor(0.05 * 2**11) / 2**11 - 2 / 2**11)


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [3, 8])
def test_many_learners_raise_no_more_false_alarms_by_drawn_signs(seeds):
    def family(rng):
        scores = rng.normal(0.5, 0.1, (10, 8, seeds))
        one, other = np.triu_indices(10, 1)
        return scores[one] - scores[other]

    assert at_most(count(family, {"better", "worse"}), 0.05)


@pytest.mark.parametrize(("tasks", "seeds", "spread"), [(1, 4, 0.01), (6, 6, 0.04), (20, 10, 0.1), (3, 60, 0.08)])
def test_a_difference_of_the_margin_is_not_called_equal(tasks, seeds, spread):
    """Conservative: at the margin itself two learners are called equal in at most 5 %."""
    false = count(lambda rng: rng.normal(MARGIN, spread, (1, tasks, seeds)), {"equal"})
    assert at_most(false, 0.05)


@pytest.mark.parametrize("units", [30, 100, 176, 250, 400])
def test_a_rare_failure_is_not_called_equal(units):
    """One learner fails from ceiling to chance in two of a hundred runs, which moves the mean by just the margin."""
    false = count(lambda rng: (rng.random((1, 1, units)) < MARGIN).astype(float), {"equal"})
    assert at_most(false, 0.05)


def test_a_margin_at_either_side_among_several_learners():
    """Family-wise: five comparisons at the margin, of which none may be called equal in more than 5 % of families."""
    signs = np.array([1, -1, 1, -1, 1])[:, None, None]
    assert at_most(count(lambda rng: signs * MARGIN + rng.normal(0, 0.04, (5, 8, 25)), {"equal"}), 0.05)


def test_a_true_difference_is_found():
    """Five points with a spread of seven (five for each learner), six tasks of five seeds: by theory 97 %."""
    power = scipy_stats.norm.cdf(0.05 / (0.05 * np.sqrt(2 / 30)) - scipy_stats.norm.ppf(0.975))
    found = count(lambda rng: rng.normal(0.05, 0.05 * np.sqrt(2), (1, 6, 5)), {"better"})
    assert power > 0.96
    assert at_least(found, power - 0.03)
    assert count(lambda rng: -np.abs(rng.normal(0.05, 0.02, (1, 6, 5))), {"worse"}) == RUNS


def test_equal_learners_are_found_equal_with_many_seeds():
    """Ten tasks of forty seeds, spread of seven points: the room within the margin is four standard errors."""
    assert at_least(count(lambda rng: rng.normal(0, 0.07, (1, 10, 40)), {"equal"}), 0.9)


@pytest.mark.parametrize(
    ("difference", "spread", "tasks", "now"),
    [(0.05, 0.14, 3, 5), (0.03, 0.07, 6, 4), (0.1, 0.1, 1, 3), (0.0, 0.07, 10, 10), (0.005, 0.03, 8, 5)],
)
def test_with_the_seeds_that_were_said_to_be_needed_four_of_five_comparisons_decide(difference, spread, tasks, now):
    """If difference and spread are as they were seen. Not fewer, within the error of the draws; and not many more."""
    seen = Spread(
        np.array([difference]), np.full((1, tasks), difference), np.full((1, tasks), spread**2), np.full((1, tasks), 1 / tasks)
    )
    (more,) = needed(seen, np.array([now]), MARGIN, (0.05, 0.05))
    decided = count(lambda rng: rng.normal(difference, spread, (1, tasks, now + more)), {"better", "equal", "worse"})
    assert at_least(decided, 0.78)
    assert at_most(decided, 0.88)


# ---- simultaneous intervals


def test_the_intervals_of_all_pairs_hold_together():
    """Conservative: all ten intervals hold their truth in at least 95 % of families, whatever is decided."""
    rng = np.random.default_rng(5)
    means = np.array([0.5, 0.5, 0.53, 0.6, 0.75])
    one, other = np.triu_indices(5, 1)
    true, hits = means[one] - means[other], 0
    for _ in range(RUNS):
        scores = rng.normal(means[:, None, None], 0.05, (5, 4, 3))
        n = np.full((10, 4), 3)
        found = judge(Units(scores[one] - scores[other], n, np.full((10, 4), 1 / 4), np.full(10, 4)))
        hits += all(pair.interval[0] <= t <= pair.interval[1] for pair, t in zip(found, true, strict=True))
    assert at_least(hits, 0.95)


# ---- the whole way, from rows to ranks


def rows(values: dict[str, np.ndarray], lost: dict[tuple[str, int, int], str] | None = None) -> pd.DataFrame:
    """Rows of learners with values (tasks, seeds), NaN where nothing ran; `lost` names trials that failed."""
    made = []
    for learner, value in values.items():
        for (task, seed), x in np.ndenumerate(value):
            outcome = (lost or {}).get((learner, task, seed), "ok")
            if np.isfinite(x) or outcome != "ok":
                score = float(x) if outcome == "ok" else None
                made.append(dict(
                    key=f"{learner}-{task}-{seed}", attempt=1, outcome=outcome, learner=learner, family="biological", params={},
                    difficulty={}, task=f"s/{task}", task_version=1, replicate=seed, protocol="standard", chance=0.0,
                    ceiling=1.0, score=score, score_normalised=score, code_digest="c",
                ))  # fmt: skip
    return pd.DataFrame(made)


def stand(frame: pd.DataFrame):
    found = tidy(dataclasses.replace(sample(seeds=1, learners=()), rows=frame))
    return board(found, found.shared)


def values(learners="ABCD", tasks=5, seeds=4):
    rng = np.random.default_rng(0)
    return {name: np.clip(rng.normal(0.4 + 0.1 * i, 0.05, (tasks, seeds)), 0, 1) for i, name in enumerate(learners)}


def test_other_names_are_other_labels_and_nothing_else():
    given = values()
    names = dict(zip("ABCD", "ZQYP", strict=True))
    before, after = stand(rows(given)), stand(rows({names[k]: v for k, v in given.items()}))
    assert [dataclasses.replace(s, label=names[s.label]) for s in before.standings] == list(after.standings)
    for (a, b), pair in before.pairs.items():
        other = after.pairs[names[a], names[b]]
        assert (pair.verdict, pair.p, pair.p_equal, pair.needed) == (
            other.verdict,
            other.p,
            pytest.approx(other.p_equal),
            other.needed,
        )


def test_the_order_of_rows_changes_nothing():
    frame = rows(values())
    assert stand(frame) == stand(frame.sample(frac=1, random_state=0))


def test_other_seeds_names_change_no_verdict():
    frame = rows(values())
    before, after = stand(frame), stand(frame.assign(replicate=[{0: 7, 1: 3, 2: 11, 3: 0}[r] for r in frame.replicate]))
    assert [(s.label, s.rank) for s in before.standings] == [(s.label, s.rank) for s in after.standings]
    for one, other in zip(before.standings, after.standings, strict=True):
        assert (one.score, *one.interval, one.iqm) == pytest.approx((other.score, *other.interval, other.iqm))
    for names, pair in before.pairs.items():
        assert (pair.verdict, pair.p, pair.needed) == (
            after.pairs[names].verdict,
            after.pairs[names].p,
            after.pairs[names].needed,
        )


def test_another_learner_changes_no_score():
    given = values()
    before = {s.label: s for s in stand(rows({k: given[k] for k in "ABC"})).standings}
    after = {s.label: s for s in stand(rows(given)).standings}
    for label, standing in before.items():
        assert dataclasses.replace(standing, rank=None) == dataclasses.replace(after[label], rank=None)


def test_missing_cells_are_not_imputed():
    """A learner that did not take the easy task is compared, and scored, without it; its score is not filled in."""
    given = {name: np.full((4, 4), x) + np.random.default_rng(1).normal(0, 0.01, (4, 4)) for name, x in (("A", 0.5), ("B", 0.4))}
    given["A"][0] = np.nan
    given["B"][0] = 1.0
    found = stand(rows(given))
    both = stand(rows({name: value[1:] for name, value in given.items()}))
    assert found.pairs["A", "B"].difference == pytest.approx(both.pairs["A", "B"].difference)
    assert found.pairs["A", "B"].n_units == 12
    assert {s.label: round(s.score, 1) for s in found.standings}["A"] == 0.5


def test_nobody_is_judged_by_the_trials_that_it_survived():
    """A is better whenever it survives, and fails half of its trials: it is worse, and the failures are counted."""
    given = {"A": np.full((5, 4), 0.9), "B": np.full((5, 4), 0.7)}
    found = stand(rows(given, {("A", t, s): ("crashed", "diverged")[s] for t in range(5) for s in range(2)}))
    standing = {s.label: s for s in found.standings}["A"]
    assert (standing.score, standing.n_lost, standing.p_failure) == (pytest.approx(0.45), 10, 0.5)
    assert found.standings[0].label == "B"
    assert found.pairs["A", "B"].superiority == 0.5


def test_ranks_are_what_the_verdicts_leave_open():
    given = {
        name: np.random.default_rng(i).normal(x, 0.01, (5, 4))
        for i, (name, x) in enumerate((("A", 0.8), ("B", 0.5), ("C", 0.5), ("D", 0.2)))
    }
    found = stand(rows(given))
    assert {s.label: s.rank for s in found.standings} == {"A": (1, 1), "B": (2, 3), "C": (2, 3), "D": (4, 4)}
    assert {s.label for s in found.tied("B")} == {"C"}
    assert [s.label for s in found.behind("B")] == ["D"]


ALIKE = np.full((3, 3), 0.5)


@pytest.mark.parametrize(
    ("given", "lost", "headline"),
    [
        ({"A": [[0.5]]}, None, "A stands alone"),
        ({"A": ALIKE}, None, "A stands alone"),
        ({"A": [[0.9]], "B": [[0.1]]}, None, "A comes first, on too few seeds to say more"),
        ({"A": [[0.9, 0.8, 0.9]], "B": [[0.1, 0.2, 0.1]]}, None, "Undecided: no learner is told apart from the first"),
        ({"A": ALIKE, "B": ALIKE, "C": ALIKE}, None, "All 3 learners score the same"),
        ({"A": [[0.0, 0.0]], "B": [[0.0, 0.0]]}, "crashed", "No trial gave a result"),
        (
            {"A": [[0.5, np.nan], [np.nan, np.nan]], "B": [[np.nan, 0.6], [0.4, 0.3]]},
            None,
            "B comes first, on too few seeds to say more",
        ),
    ],
)
def test_a_store_that_shows_little_is_given_no_more_words_than_it_bears(given, lost, headline):
    given = {name: np.array(value) for name, value in given.items()}
    failed = {(name, *at): lost for name, value in given.items() for at in np.ndindex(value.shape)} if lost else None
    frame = rows(given, failed)
    found = verdict(stand(frame), {str(k): int(n) for k, n in frame.outcome.value_counts().items()}, {})
    assert found.headline == headline
    assert "nan" not in " ".join(found.sentences)
    if not headline.startswith("Undecided"):
        assert "better than" not in " ".join(found.sentences)
