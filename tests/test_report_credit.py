"""The table of one network and many rules, and the figure of alignment: what they say of rows and traces made up for them."""

from __future__ import annotations

import re
import shlex

import numpy as np
import pandas as pd
import pytest

from harness.trial import COLUMNS, COLUMNS_OF_PLACE
from reports import ReportData, credit
from reports.board import board
from reports.credit import observed, tables
from reports.data import tidy
from reports.figures import alignment
from reports.looks import looks

FAMILIES = {"Backprop": "engineered", "FeedbackAlignment": "biological", "Logistic": "control"}
NOTHING = pd.DataFrame(columns=[*credit.COLUMNS])


def trial(learner="FeedbackAlignment", depth=2, replicate=0, task="credit/mnist1d", score=0.55, **more):
    row = dict.fromkeys((*COLUMNS, *COLUMNS_OF_PLACE, "traceback", "fixed"))
    key = f"{learner} {task} {depth} {replicate} {more}"
    return row | dict(
        key=key, attempt=1, outcome="ok", learner=learner, family=FAMILIES[learner], origin="builtin", params={}, tuned=False,
        task=task, task_version=1, difficulty=dict(depth=depth), rung=float(depth), preset="quick", protocol="standard",
        replicate=replicate, metric="accuracy", score=score, chance=0.1, ceiling=1.0,
        score_normalised=None if score is None else (score - 0.1) / 0.9,
        code_digest="c", samples=1000, mac_train=2000 * depth, ac_train=0, train_s=0.5 * depth,
    ) | more  # fmt: skip


def said(row, **figures):
    """Traces of a trial: figures named angle_0, feedback_0, each a list of values at 100, 200, ... samples."""
    return pd.DataFrame(
        [
            (row["key"], 100 * (i + 1), re.sub(r"_(\d+)$", r"[\1]", name), float(value))
            for name, values in figures.items()
            for i, value in enumerate(values)
        ],
        columns=[*credit.COLUMNS],
    )


def found(rows):
    return tidy(ReportData(rows=pd.DataFrame(rows), curves=pd.DataFrame()))


def one_table(rows, seen=NOTHING, **more):
    (made,) = tables(found(rows), seen, {}, **more)
    return made


# ---------------------------------------------------------------- traces


def test_traces_come_out_of_a_stores_rows():
    rows = [
        dict(
            key="a", extra=dict(observed=[{"samples": 10, "angle[0]": 80.0}, {"samples": 20, "angle[0]": 70.0, "named[0]": 0.5}])
        ),
        dict(key="b", extra=dict(chance_valid=0.1)),
        dict(key="c", extra=None),
        dict(key="d", extra=dict(observed=[{"samples": 5, "angle[1]": None}])),
    ]
    assert observed(rows).to_numpy().tolist() == [
        ["a", 10, "angle[0]", 80.0], ["a", 20, "angle[0]", 70.0], ["a", 20, "named[0]", 0.5],
    ]  # fmt: skip
    assert [*observed([]).columns] == [*credit.COLUMNS]


def test_only_angles_are_angles():
    seen = pd.DataFrame([("k", 1, name, 1.0) for name in ("angle[0]", "feedback[12]", "named[0]", "angle", "angles[0]")])
    seen.columns = [*credit.COLUMNS]
    kept = credit.angles(seen)
    assert kept[["kind", "layer"]].to_numpy().tolist() == [["angle", 0], ["feedback", 12]]
    assert credit.angles(NOTHING).empty


# ---------------------------------------------------------------- the table


def test_a_cell_tells_score_interval_angle_cost_and_command():
    rows = [trial(replicate=r, score=0.55 + s) for r, s in enumerate((-0.02, 0.0, 0.01))]
    seen = pd.concat([
        said(row, angle_0=(90, 60 + i), angle_1=(90, 40 + i), angle_2=(1, 0), feedback_0=(90, 70), feedback_1=(90, 50 + 2 * i))
        for i, row in enumerate(rows)
    ])  # fmt: skip
    made = one_table(rows, seen)
    assert (made.task, made.depths, list(made.lines)) == ("credit/mnist1d", (2.0,), ["FeedbackAlignment"])
    (place,) = made.lines["FeedbackAlignment"]
    assert place.row.score == pytest.approx(0.55)
    assert place.row.middle == pytest.approx(0.5)
    assert place.row.interval == pytest.approx(((0.53 - 0.1) / 0.9, (0.56 - 0.1) / 0.9))
    assert place.row.seconds == 1.0
    assert place.operations == 4000
    assert place.alignment == credit.Alignment((61.0, 41.0, 0.0), (70.0, 52.0), 3)
    assert place.alignment.hidden == 51
    assert place.alignment.transposed == 61
    words = shlex.split(place.row.command)
    assert words[:3] == ["hebbench", "run", "quick"]
    assert {"FeedbackAlignment", "credit/mnist1d", "3"} <= set(words)
    assert place.words == (
        "FeedbackAlignment on credit/mnist1d depth=2: 0.500, 0.478 to 0.511 (range); 51° from the gradient; 4e+03 operations"
    )


def test_depths_stand_in_the_order_of_the_ladder_and_gaps_are_gaps():
    rows = [trial("Backprop", depth=d, task=t) for t, d in (("credit/a", 3), ("credit/a", 1), ("credit/b", 2), ("credit/a", 2))]
    rows += [trial(depth=2, task="credit/a"), trial("Logistic", depth=1, task="credit/a")]
    rows += [trial("Logistic", depth=d, task="credit/a", outcome="not_applicable", score=None,
                   reason="has no depth: it runs once, at depth=1") for d in (2, 3)]  # fmt: skip
    first, second = tables(found(rows), NOTHING, {}, order=["FeedbackAlignment", "Backprop", "nobody"])
    assert (first.task, first.depths, second.task, second.depths) == ("credit/a", (1.0, 2.0, 3.0), "credit/b", (2.0,))
    assert [*first.lines] == ["FeedbackAlignment", "Backprop", "Logistic"], "in the order given, then as they come"
    assert [[place is not None for place in line] for line in first.lines.values()] == [
        [False, True, False], [True, True, True], [True, False, False],
    ]  # fmt: skip
    assert first.once == {"Logistic"}
    assert [*second.lines] == ["Backprop"]
    assert [place.row.seconds for place in first.lines["Backprop"]] == [0.5, 1.0, 1.5]


def test_other_ladders_and_tasks_without_one_are_not_shown():
    lag = [trial(task="sequence/recall", difficulty=dict(lag=4), rung=4.0), trial(task="images/digits", difficulty={}, rung=None)]
    assert tables(found(lag), NOTHING, {}) == ()
    assert [t.task for t in tables(found([*lag, trial()]), NOTHING, {})] == ["credit/mnist1d"]


def test_claims_and_tuned_rows_do_not_mix_with_the_comparison():
    claim = trial(score=0.9, protocol="last-epoch", difficulty={}, rung=None)
    made = one_table([trial(), claim, trial(replicate=1, score=0.57)])
    assert made.depths == (2.0,)
    assert made.lines["FeedbackAlignment"][0].row.n == 2


def test_the_arm_that_is_not_compared_stands_beside_the_one_that_is():
    mixed = [trial(), trial(learner="Backprop", score=0.6), trial(score=0.7, tuned=True, tuning_trials=4)]
    made = one_table(mixed)
    place = made.lines["FeedbackAlignment"][0]
    assert (place.row.middle, place.other) == (pytest.approx((0.55 - 0.1) / 0.9), ("tuned", pytest.approx((0.7 - 0.1) / 0.9)))
    assert made.lines["Backprop"][0].other is None
    assert place.words.endswith("0.667 tuned")


def test_what_is_left_of_settling_is_told_at_each_depth():
    rows = [trial(depth=depth, replicate=r) for depth in (1, 2) for r in range(3)]
    seen = pd.concat([said(row, residual=(0.9, 0.01 * row["rung"] * (1 + row["replicate"]))) for row in rows[1:]])
    made = one_table([*rows, trial("Backprop")], seen)
    assert made.residuals == ("FeedbackAlignment 0.025 at 1, 0.04 at 2",)
    one, two = made.lines["FeedbackAlignment"]
    assert (one.residual, two.residual) == (pytest.approx(0.025), pytest.approx(0.04))
    assert "; residual of settling 0.04" in two.words
    assert one_table(rows, NOTHING).residuals == ()


def test_failures_count_as_chance_and_their_angles_do_not_count():
    good, bad = trial(), trial(replicate=1, outcome="diverged", score=None, diverged_at=7)
    place = one_table(
        [good, bad], pd.concat([said(good, angle_0=(50,), angle_1=(0,)), said(bad, angle_0=(89,), angle_1=(0,))])
    ).lines["FeedbackAlignment"][0]
    assert (place.row.n, place.row.n_failed) == (2, 1)
    assert place.row.middle == pytest.approx(0.25)
    assert place.alignment == credit.Alignment((50.0, 0.0), (), 1)
    assert place.words.endswith("; 1 failed")


def test_what_was_not_said_is_none():
    place = one_table([trial(mac_train=None, ac_train=None)]).lines["FeedbackAlignment"][0]
    assert place.alignment is None
    assert place.operations is None
    row = trial()
    gap = one_table([row], said(row, angle_1=(30,), angle_2=(0,), feedback_1=(20,))).lines["FeedbackAlignment"][0].alignment
    assert gap == credit.Alignment((None, 30.0, 0.0), (None, 20.0), 1)
    assert (gap.hidden, gap.transposed) == (30, 20)
    assert credit.Alignment((0.0,), (), 1).hidden is None, "a network without a hidden layer has no angle to tell"


def test_no_more_is_said_of_one_than_was_asked():
    failed = [trial(outcome="not_applicable", score=None, reason="takes no vector")]
    assert "FeedbackAlignment" not in one_table([*failed, trial("Backprop")]).lines


# ---------------------------------------------------------------- the figure


def drawn(rows, seen):
    data = found(rows)
    return alignment(data, seen, board(data, data.shared), looks(data.labels, data.families))


def points(path):
    """The corners of a path of straight lines."""
    return [(float(x), float(y)) for x, y in re.findall(r"[ML]([\d.]+) ([\d.]+)", path)]


def network(depths=(1, 2), seeds=2, learners=("Backprop", "FeedbackAlignment"), tasks=("credit/mnist1d",)):
    """Rows and traces in which feedback alignment comes from 90 degrees down to 60, and backprop stays at 0."""
    rows = [trial(n, d, r, task=t) for n in learners for d in depths for r in range(seeds) for t in tasks]
    traces = []
    for row in rows:
        depth, fa = row["difficulty"]["depth"], row["learner"] == "FeedbackAlignment"
        course = np.array([90.0, 75.0, 60.0]) + row["replicate"] if fa else np.zeros(3)
        figures = {f"angle_{l}": course - l * fa for l in range(depth)} | {f"angle_{depth}": np.zeros(3)}
        figures |= {f"feedback_{l}": course for l in range(depth)} if fa else {}
        traces.append(said(row, **figures))
    return rows, pd.concat(traces)


def test_a_panel_for_each_depth_and_kind():
    made = drawn(*network(depths=(1, 2, 4)))
    assert {kind: [d.title for d in panels] for kind, panels in made.items()} == {
        kind: [f"credit/mnist1d depth={depth}" for depth in (1, 2, 4)] for kind in ("angle", "feedback")
    }
    names = [d.name for panels in made.values() for d in panels]
    assert len(set(names)) == len(names) == 6
    assert all(d.svg.startswith("<svg") for panels in made.values() for d in panels)


def test_the_table_of_a_panel_tells_layers_apart_and_leaves_the_last_out():
    drawing = drawn(*network(depths=(2,)))["angle"][0]
    assert drawing.columns == ("learner", "layer", "samples", "degrees", "low", "high", "n")
    lines = {(row[0], row[1], row[2]): row[3:] for row in drawing.rows}
    assert {key[:2] for key in lines} == {("Backprop", 0), ("Backprop", 1), ("FeedbackAlignment", 0), ("FeedbackAlignment", 1)}
    mean, low, high, n = lines["FeedbackAlignment", 0, 300.0]
    assert (mean, n) == (60.5, 2)
    assert high - mean == pytest.approx(mean - low) == pytest.approx(12.706 * 0.5, rel=1e-3), "Student's interval of two seeds"
    assert lines["FeedbackAlignment", 1, 100.0][0] == 89.5
    assert lines["Backprop", 1, 200.0] == (0, 0, 0, 2)


def test_lines_are_the_mean_over_hidden_layers_where_they_are_drawn():
    svg = drawn(*network(depths=(2,), seeds=1, learners=("FeedbackAlignment",)))["angle"][0].svg
    line, mark = re.findall(r'class="series s-0" d="([^"]+)"', svg)
    assert points(mark)[:1] == points(line)[-1:], "the label's mark is at the end"
    top, bottom = 7.0, 150.0 - 30.0
    degrees = [95 * (bottom - y) / (bottom - top) for _, y in points(line)]
    assert degrees == pytest.approx([89.5, 74.5, 59.5], abs=0.05)


def test_there_is_no_panel_where_nothing_is_known():
    rows, seen = network()
    assert drawn(rows, NOTHING) == {}
    assert [*drawn(rows, seen[~seen.name.str.startswith("feedback")])] == ["angle"]
    lag = [trial(task="sequence/recall", difficulty=dict(lag=4), rung=4.0)]
    assert drawn(lag, said(lag[0], angle_0=(3,), angle_1=(0,))) == {}
    alone = [trial(depth=1)]
    assert drawn(alone, said(alone[0], angle_0=(0,))) == {}, "a lone layer is the last one"


def test_one_look_is_a_mark_and_wide_angles_stay_inside():
    row = trial(depth=1)
    (drawing,) = drawn([row], said(row, angle_0=(150,), angle_1=(0,)))["angle"]
    assert drawing.rows == [("FeedbackAlignment", 0, 100.0, 150.0, None, None, 1)]
    (mark,) = re.findall(r'class="series s-0" d="M[\d.]+ ([\d.]+)', drawing.svg)
    top, bottom = 7.0, 150.0 - 30.0
    assert float(mark) == pytest.approx(bottom - 150 / 155 * (bottom - top), abs=0.1)


def test_more_panels_than_the_page_has_room_for_are_whole_tasks_left_out(monkeypatch):
    import importlib

    module = importlib.import_module("reports.figures.alignment")
    monkeypatch.setattr(module, "LINES", 9)
    made = drawn(*network(depths=(1, 2), tasks=("credit/a", "credit/b", "credit/c")))
    assert [d.title for d in made["angle"]] == [f"credit/{t} depth={d}" for t in "ab" for d in (1, 2)]
    assert made["angle"][0].about == "Of 3 tasks these are the first 2."
    assert len(made["feedback"]) == 6, "feedback has half as many lines"
