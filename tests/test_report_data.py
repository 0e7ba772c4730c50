"""The tidy frame: on which footing trials are compared, and what a ladder's order is."""

from __future__ import annotations

import pandas as pd
import pytest

from reports import ReportData, ReportError
from reports.data import tidy

RATE = {"name": "rate", "search": [0.1, 1.0]}
CARDS = [
    {"name": "A", "hyperparameters": [RATE]},
    {"name": "B", "hyperparameters": [RATE, {"name": "units", "search": None}]},
    {"name": "Blank", "hyperparameters": []},
    {"name": "Set", "hyperparameters": [{"name": "units", "search": None}]},
]


def rows(learner: str, k: int = 0, score: float = 0.5, task: str = "s/t", **more) -> pd.DataFrame:
    """Two replicates of a learner, at its defaults (k = 0) or tuned with k settings; `more` replaces columns."""
    made = [
        dict(
            key=repr((learner, k, task, score, r, more)), attempt=1, outcome="ok", learner=learner, family="biological",
            params={"rate": 0.3} if k else {}, difficulty={}, task=task, task_version=1, replicate=r, protocol="standard",
            chance=0.0, ceiling=1.0, score=score, score_normalised=score, code_digest="c", tuned=k > 0, tuning_trials=k, fixed={},
        )
        | more
        for r in range(2)
    ]  # fmt: skip
    return pd.DataFrame(made)


def report(*frames: pd.DataFrame, **more) -> ReportData:
    return ReportData(rows=pd.concat(frames), curves=pd.DataFrame(), learners=CARDS, **more)


def footing(*frames: pd.DataFrame) -> tuple[str, int, set[float]]:
    found = tidy(report(*frames))
    return found.arm, found.k, set(found.compared.value)


def test_all_tuned_alike_are_compared_tuned_and_defaults_stay_at_hand():
    frames = [rows("A", score=0.1), rows("B", score=0.2), rows("A", 4, 0.3), rows("B", 4, 0.4)]
    found = tidy(report(*frames))
    assert (found.arm, found.k, found.note, found.labels) == ("tuned", 4, "", ("A", "B"))
    assert set(found.compared.value) == {0.3, 0.4}
    before = found.only("default")
    assert (before.arm, before.k, set(before.compared.value), before.labels) == ("default", 0, {0.1, 0.2}, ("A", "B"))
    assert found.only("tuned") is found


def test_who_has_nothing_to_tune_is_compared_as_it_is():
    frames = [rows("A", score=0.1), rows("A", 4, 0.3), rows("Blank", score=0.6), rows("Set", score=0.7)]
    assert footing(*frames) == ("tuned", 4, {0.3, 0.6, 0.7})


def test_of_several_searches_the_largest_that_all_share_counts():
    frames = [rows(name, k, k / 100) for name in "AB" for k in (0, 4, 16)]
    assert footing(*frames, rows("A", 32, 0.32)) == ("tuned", 16, {0.16})


@pytest.mark.parametrize(
    ("second", "words"), [(8, "A with 4 settings; B with 8 settings"), (0, "A with 4 settings; B with none")]
)
def test_unequal_searches_are_refused_by_name(second, words):
    found = tidy(report(rows("A", score=0.1), rows("A", 4, 0.3), rows("B", score=0.2), rows("B", second, 0.4)))
    assert (found.arm, found.k) == ("default", 0)
    assert words in found.note
    assert 0.3 not in set(found.compared.value)
    with pytest.raises(ValueError, match="no fair tuned comparison"):
        found.only("tuned")


def test_unequal_searches_without_defaults_are_no_report():
    with pytest.raises(ReportError, match=r"A with 4 settings; B with 8 settings.*--tune 16"):
        tidy(report(rows("A", 4), rows("B", 8)))


def test_the_search_itself_is_never_compared():
    found = tidy(
        report(rows("A", score=0.1), rows("B", score=0.2), rows("A", score=0.9, protocol="tuning", params={"rate": 7.0}))
    )
    assert (found.arm, set(found.compared.value)) == ("default", {0.1, 0.2})
    assert set(found.rows[found.rows.arm.eq("tuning")].label) == {"A"}


def test_settings_that_were_asked_for_name_a_tuned_trial():
    asked = {"hidden": 8}
    frames = [rows("A", params=asked), rows("A", 4, params={"hidden": 8, "rate": 0.3}, fixed=asked), rows("Blank")]
    found = tidy(report(*frames))
    assert (found.arm, found.labels) == ("tuned", ("A[hidden=8]", "Blank"))


def test_who_has_all_its_settings_asked_for_is_compared_as_it_is():
    frames = [rows("A", score=0.1), rows("A", 4, 0.3), rows("B", params={"rate": 0.2}, score=0.6)]
    assert footing(*frames) == ("tuned", 4, {0.3, 0.6})


def test_a_default_that_was_written_out_names_nothing():
    """Trials at their defaults do not keep it, so tuned ones must not either."""
    cards = [{"name": "A", "hyperparameters": [RATE, {"name": "units", "search": [1, 9], "default": 3}]}]
    frames = [rows("A", score=0.1), rows("A", 4, 0.3, fixed={"units": 3})]
    found = tidy(ReportData(rows=pd.concat(frames), curves=pd.DataFrame(), learners=cards))
    assert (found.arm, found.labels, set(found.compared.value)) == ("tuned", ("A",), {0.3})


def test_of_two_winners_the_later_one_is_compared():
    """A plan of more rungs may choose anew; the trials of the earlier winner are no further replicates."""
    old = rows("A", 4, 0.2, params={"rate": 0.1}, finished_at="2026-01-01")
    new = rows("A", 4, 0.3, params={"rate": 0.5}, finished_at="2026-01-02")
    other = rows("A", 4, 0.4, task="s/u", params={"rate": 0.1}, finished_at="2026-01-01")
    assert footing(rows("A", score=0.1), old, new, other) == ("tuned", 4, {0.3, 0.4})


def test_ladders_are_in_the_order_of_their_task():
    rungs = pd.concat([rows("A", rung=r, difficulty={"margin": r}, score=r) for r in (0.1, 0.5, 0.2)])
    words = rows("A", task="s/w", rung=1.0, difficulty={"kind": "b"})
    tasks = [
        {"name": "s/t", "ladder": {"axis": "margin", "values": [0.5, 0.2, 0.1]}},
        {"name": "s/w", "ladder": {"axis": "kind", "values": ["a", "b"]}},
    ]
    found = tidy(report(rungs, words, tasks=tasks)).ladders
    assert found["s/t"] == ("margin", (0.5, 0.2, 0.1), True, True)
    assert found["s/w"] == ("kind", (0.0, 1.0), False, True)
    assert tidy(report(rungs)).ladders["s/t"] == ("margin", (0.1, 0.2, 0.5), True, False)
