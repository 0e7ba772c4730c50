"""Reports of next to nothing: what is said of tasks, ladders, costs and tuning where there is little to go by."""

from __future__ import annotations

import pandas as pd
import pytest

from reports.discrimination import discrimination
from reports.profile import profiles
from reports.psychometrics import psychometrics
from reports.reach import reach
from reports.tuned import gains, tuning_curves
from tests.task_rows import report, trials

LOOKS = pd.DataFrame(columns=["key", "samples", "operations", "seconds", "score", "split"])


def of(rows):
    """What each part finds."""
    data = report(rows, {"s/t": ("lag", [1, 2, 4])})
    return {
        "ladders": psychometrics(data), "tasks": discrimination(data), "costs": reach(data, LOOKS), "profiles": profiles(data),
        "tuning": tuning_curves(data), "gains": gains(data),
    }  # fmt: skip


def ladder(scores, **more):
    return [row for name in "AB" for rung in (1, 2, 4) for row in trials(name, "s/t", scores, rung, **more)]


@pytest.mark.parametrize("rows", [
    ladder(["not_applicable"] * 3),
    ladder(["interrupted"] * 3),
    ladder([0.5] * 3, ceiling=None, score_normalised=None),
    ladder([0.5] * 3, protocol="published"),
    trials("A", "s/t", [0.5], protocol="tuning", score_valid=0.5, chance=None, score_normalised=None),
    trials("A", "s/t", [0.5], protocol="tuning", score_valid=0.5, params={"rate": 1}),
], ids=["not applicable", "interrupted", "no ceiling", "another protocol", "no chance", "no default"])  # fmt: skip
def test_nothing_to_compare_gives_nothing(rows):
    assert not any(of(rows).values())


@pytest.mark.parametrize("more", [{}, {"chance": None, "ceiling": None}])
def test_all_failed(more):
    found = of(ladder(["crashed"] * 3, **more))
    assert {x.state for x in found["ladders"].values()} == {"below"}
    assert {x.verdict for x in found["tasks"].values()} == {"unknown"}
    assert {x.words for x in found["costs"].values()} == {"in 0 of 3 seeds"}
    assert {x.shares[1] for x in found["profiles"].values()} == {0.0}


def test_one_learner_one_task_one_seed():
    found = of(trials("A", "s/t", [0.5]))
    assert found["tasks"]["s/t"].verdict == "unknown"
    assert found["profiles"]["A"].low is None
    assert not found["ladders"]


def test_controls_alone_are_not_told_apart():
    found = of(ladder([1.0, 0.0, 0.5], family="control"))["tasks"]["s/t"]
    assert (found.verdict, found.n_learners, found.best) == ("unknown", 0, None)
