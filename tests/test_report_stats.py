"""Figures, intervals and standings: known answers, and what must not change them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from reports.board import board
from reports.data import tidy
from reports.stats import equal_weights, iqm, mean_interval, median_interval
from reports.tables import heat_map, results
from tests.report_sample import sample

floats = st.lists(st.floats(-1, 1), min_size=1, max_size=30)


def test_the_interquartile_mean_of_one_to_eight():
    assert iqm([8, 1, 7, 2, 6, 3, 5, 4]) == 4.5
    assert iqm([0, 0, 1]) == pytest.approx(1 / 3)


@given(floats)
def test_the_interquartile_mean_is_a_trimmed_mean(values):
    assert iqm(values) == pytest.approx(scipy_stats.trim_mean(values, 0.25))


def test_no_interval_from_one_trial():
    assert median_interval(np.array([0.5])) is None


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=5))
def test_the_interval_of_few_trials_is_their_range(values):
    assert median_interval(np.array(values)) == (min(values), max(values))


@given(st.lists(st.floats(-1, 1), min_size=6, max_size=30), st.randoms())
def test_the_bootstrap_is_a_function_of_the_data(values, random):
    found = median_interval(np.array(values))
    shuffled = values.copy()
    random.shuffle(shuffled)
    assert median_interval(np.array(shuffled)) == found
    assert min(values) <= found[0] <= np.median(values) <= found[1] <= max(values)


def test_minus_zero_is_zero():
    values = np.array([-0.6, -0.25, -0.0, 0.0, 0.0, 0.25, 0.5, 0.75])
    assert median_interval(values) == median_interval(values + 0.0) == median_interval(values[[0, 1, 3, 2, 4, 5, 6, 7]])


def test_the_bootstrap_covers_the_median():
    rng = np.random.default_rng(0)
    hits = sum(low <= 0 <= high for low, high in (median_interval(rng.normal(size=15)) for _ in range(300)))
    assert hits >= scipy_stats.binom.ppf(1e-4, 300, 0.92)


def test_one_cell_gives_students_interval():
    x = np.array([0.1, 0.4, 0.2, 0.9])
    mean, interval = mean_interval([x], np.array([1.0]))
    expected = scipy_stats.t.interval(0.95, 3, loc=x.mean(), scale=x.std(ddof=1) / 2)
    assert mean == pytest.approx(0.4)
    assert interval == pytest.approx(expected)


def test_intervals_of_three_seeds_cover():
    """Twelve cells of three seeds, of unequal spread: the nominal level, within what 1,000 draws can tell."""
    rng = np.random.default_rng(1)
    spread = np.linspace(0, 0.3, 12)
    weights = np.full(12, 1 / 12)
    hits = 0
    for _ in range(1000):
        _, (low, high) = mean_interval(list(rng.normal(0, spread, (3, 12)).T), weights)
        hits += low <= 0 <= high
    assert hits >= scipy_stats.binom.ppf(1e-4, 1000, 0.95)


def test_a_single_seed_anywhere_takes_the_interval_away():
    assert mean_interval([np.array([0.1, 0.2]), np.array([0.3])], np.array([0.5, 0.5])) == (pytest.approx(0.225), None)


def test_weights_are_equal_by_suite_then_task_then_rung():
    places = [("a", "x"), ("a", "x"), ("a", "y"), ("b", "z")]
    assert equal_weights(places).tolist() == [1 / 8, 1 / 8, 1 / 4, 1 / 2]


def rows(*groups: tuple[str, str, list[float | str]], family: str = "biological") -> pd.DataFrame:
    """Rows of (learner, task, what each seed gave: a corrected score or an outcome)."""
    made = []
    for learner, task, given_values in groups:
        for replicate, x in enumerate(given_values):
            ok = not isinstance(x, str)
            made.append(dict(
                key=f"{learner}{task}{replicate}", attempt=1, outcome="ok" if ok else x, learner=learner, family=family,
                params={}, difficulty={}, task=task, task_version=1, replicate=replicate, protocol="standard", chance=0.0,
                ceiling=1.0, score=x if ok else None, score_normalised=x if ok else None, code_digest="c",
            ))  # fmt: skip
    return pd.DataFrame(made)


def stand(frame: pd.DataFrame) -> dict[str, tuple[float, tuple[int, int] | None]]:
    found = tidy(dataclasses.replace(sample(seeds=1, learners=()), rows=frame))
    return {s.label: (round(s.score, 6), s.rank) for s in board(found, found.shared).standings}


def test_failures_count_as_chance():
    found = stand(rows(("A", "s/t", [1.0, "crashed", "diverged", "timeout"]), ("B", "s/t", [0.5] * 4)))
    assert found["A"][0] == 0.25


def test_what_does_not_apply_or_was_interrupted_counts_as_nothing():
    frame = rows(("A", "s/t", [1.0, 1.0]), ("A", "s/u", ["not_applicable"] * 2), ("B", "s/t", [0.5, "interrupted"]))
    found = stand(pd.concat([frame, rows(*((name, "s/u", [0.0, 0.0]) for name in "BC"))]))
    assert found["A"][0] == 1.0
    assert found["B"][0] == 0.25


def test_pairs_are_compared_where_both_were():
    """A took the easy cells only, and scores higher than B; where both were, B is ahead, and so B ranks first."""
    frame = rows(
        *(("A", f"s/{task}", [0.80, 0.81, 0.80, 0.82]) for task in ("easy", "easier")),
        *(("B", f"s/{task}", [0.95, 0.96, 0.95, 0.97]) for task in ("easy", "easier")),
        ("B", "s/hard", [0.10, 0.11, 0.10, 0.12]),
        *(("C", f"s/{task}", [0.0, 0.0, 0.0, 0.0]) for task in ("easy", "easier", "hard")),
    )  # fmt: skip
    found = stand(frame)
    assert found["A"][0] > found["B"][0]
    assert [found[name][1] for name in "BAC"] == [(1, 1), (2, 2), (3, 3)]
    assert list(found) == ["B", "A", "C"]


@pytest.mark.parametrize(("taken", "rank"), [("a", None), ("ab", None), ("abc", (1, 1))])
def test_half_of_the_cells_is_no_rank(taken, rank):
    """A label is ranked on more than half, so that any two share a cell."""
    frame = rows(*(("A", f"s/{t}", [1.0] * 3) for t in taken), *((name, f"s/{t}", [0.1] * 3) for name in "BC" for t in "abcd"))
    assert stand(frame)["A"][1] == rank


def test_a_cell_that_one_label_took_is_no_ground():
    """Neither a learner's own cell nor one that only settings of a claim ran on counts against the others."""
    shared = rows(*((name, "s/t", [0.5, 0.5]) for name in "AB"), ("A", "s/own", [1.0, 1.0]))
    variant = rows(("A", "s/claim", [1.0, 1.0])).assign(params=[{"hidden": 3}] * 2)
    found = tidy(dataclasses.replace(sample(seeds=1, learners=()), rows=pd.concat([shared, variant])))
    assert [c.name for c in found.shared] == ["s/t"]
    assert [c.name for c in found.cells] == ["s/own", "s/t"]
    assert [c.name for c in found.seen] == ["s/claim", "s/own", "s/t"]
    assert found.labels == ("A", "B")


def test_one_seed_ranks_nobody_ahead():
    found = stand(rows(("A", "s/t", [1.0]), ("B", "s/t", [0.0]), ("C", "s/t", [0.5])))
    assert {rank for _, rank in found.values()} == {(1, 3)}


def test_other_protocols_and_older_code_stay_out():
    frame = rows(("A", "s/t", [0.5, 0.5]), ("B", "s/t", [0.4, 0.4]))
    published = rows(("A", "s/t", [1.0, 1.0])).assign(protocol="published", key=["p0", "p1"])
    old = rows(("A", "s/t", [0.0, 0.0])).assign(code_digest="old", key=["o0", "o1"], finished_at="2020")
    frame = frame.assign(finished_at="2021")
    found = tidy(dataclasses.replace(sample(seeds=1, learners=()), rows=pd.concat([frame, published, old])))
    assert found.outdated == 2
    assert board(found, found.shared).standings[0].score == 0.5
    assert {(r.protocol, r.middle) for r in results(found, {}) if r.label == "A"} == {("standard", 0.5), ("published", 1.0)}


def test_another_learner_changes_no_other_figure():
    fewer, more = (
        tidy(sample(learners=("MLP", "Oja", "Chance"))),
        tidy(sample(learners=("MLP", "Oja", "Chance"), extra=("Newcomer",))),
    )
    before = results(fewer, {})
    after = [r for r in results(more, {}) if r.label != "Newcomer"]
    assert before == after
    order = ["MLP", "Oja", "Chance"]
    assert heat_map(fewer, before, order) == heat_map(more, after, order)
    scores = [{s.label: (s.score, s.interval) for s in board(x, x.shared).standings} for x in (fewer, more)]
    assert scores[0] == {label: x for label, x in scores[1].items() if label != "Newcomer"}


def test_the_order_of_the_rows_changes_nothing():
    data = sample(learners=("MLP", "Oja", "Chance"))
    turned = dataclasses.replace(data, rows=data.rows.iloc[::-1])
    pd.testing.assert_frame_equal(tidy(data).rows, tidy(turned).rows)


def test_the_last_attempt_is_the_result():
    first = rows(("A", "s/t", ["timeout"]))
    frame = pd.concat([rows(("A", "s/t", [0.7])).assign(attempt=2), first])
    assert stand(frame)["A"][0] == 0.7
