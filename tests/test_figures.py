"""The figures: what is drawn is what the table says, read back from the SVG."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import re

import numpy as np
import pytest

from reports import figures
from reports.board import Board, board
from reports.data import ReportData, Tidy, tidy
from reports.draw import LEAD, width
from reports.figures.curves import mean_curve
from reports.figures.fronts import front
from reports.looks import DASHES, Looks, looks
from reports.profile import profiles
from reports.psychometrics import LEVEL, psychometrics
from reports.scales import SCORE
from reports.tuned import gains, tuning_curves
from tests.drawn import read
from tests.report_sample import TASKS, crowd, sample

NEAR = 0.15
"""Points by which a coordinate with one decimal may differ from the number that it stands for, ticks included."""
MARGIN = 0.02
FOUR = "MLP", "Perceptron", "DiehlCook", "Logistic"
DECLARED = [dict(name=task, ladder=dict(axis=axis, values=list(rungs))) for task, (axis, rungs) in TASKS.items() if rungs]
"""The ladders of the sample, easiest rung first."""


@dataclasses.dataclass(frozen=True)
class Run:
    """What figures are made from."""

    data: ReportData
    tidy: Tidy
    board: Board
    looks: Looks

    @property
    def number(self):
        return {label: look.number for label, look in self.looks.items()}

    @functools.cached_property
    def drawn(self):
        """Every figure there is, no task marked."""
        return all_figures(self)


def run(data: ReportData, *, round_marks: bool = True) -> Run:
    """Tidy data with a board and looks; with round marks alone, which can be read back exactly."""
    found = tidy(data)
    whole = board(found, found.shared)
    order = [s.label for s in whole.standings]
    look = looks([*order, *(x for x in found.labels if x not in order)], found.families)
    if round_marks:
        look = {label: one._replace(marker="o") for label, one in look.items()}
    return Run(data, found, whole, look)


def all_figures(made: Run, dull: frozenset[str] = frozenset()):
    """Every figure there is."""
    t, b, k = made.tidy, made.board, made.looks
    drawn = [
        *figures.every_trial(t, b, k, dull), *figures.ladders(t, psychometrics(t), b, k, dull), *figures.costs(t, b, k),
        *figures.differences(b, k, MARGIN), *figures.profile(profiles(t), b, k), *figures.tuning(tuning_curves(t), b, k),
        *figures.gained(gains(t), b, k),
    ]  # fmt: skip
    return drawn + [one for some in figures.curves(t, made.data.curves, b, k, dull).values() for one in some]


@pytest.fixture(scope="module")
def small() -> Run:
    return run(sample(seeds=7, learners=FOUR, tasks=DECLARED))


@pytest.fixture(scope="module")
def tuned() -> Run:
    return run(crowd(4, 3, 4, tuned=4))


@pytest.fixture(scope="module")
def many() -> Run:
    return run(crowd(60, 60, 2), round_marks=False)


def inside(values, low=SCORE.low, high=SCORE.high):
    return np.clip(np.asarray(values, dtype=float), low, high)


def close(drawn, told, scale, per_point):
    """Whether values read from coordinates are those of the table, within the decimal that is drawn."""
    assert len(drawn) == len(told)
    assert np.abs(scale(np.asarray(drawn)) - np.asarray(told)).max() < NEAR * per_point


def unit(scale, *, log: bool = False):
    """What one point of the drawing is worth."""
    if log:
        return abs(np.log10(scale(101.0)) - np.log10(scale(100.0)))
    return abs(scale(101.0) - scale(100.0))


def test_ladders_hold_the_medians_the_whiskers_and_the_thresholds_of_their_tables(small):
    fits = psychometrics(small.tidy)
    drawn = figures.ladders(small.tidy, fits, small.board, small.looks)
    assert [d.title for d in drawn] == [
        "logic/parity by bits", "separable/gaussian by distance", "separable/margin by margin", "sequence/order by gap",
        "sequence/recall by lag",
    ]  # fmt: skip
    thresholds = 0
    for drawing in drawn:
        got = read(drawing.svg)
        up = got.scale("y")
        log = any(word in drawing.title for word in ("recall", "order", "margin"))
        across = got.scale("x", log=log)
        for label, number in small.number.items():
            rows = [row for row in drawing.rows if row[0] == label and row[1] == "median"]
            dots = got.dots(number)
            close(dots[:, 1], inside([row[3] for row in rows]), up, unit(up))
            assert np.allclose(across(dots[:, 0]), [row[2] for row in rows], rtol=0.01, atol=0.01)
            pieces = got.whiskers(number)
            upright, level = (pieces[pieces[:, 0, i] == pieces[:, 1, i]] for i in (0, 1))
            low_end = up(upright[:, :, 1]).min(axis=1, initial=SCORE.high)
            whiskers, below = upright[low_end > SCORE.low - 0.01], upright[low_end <= SCORE.low - 0.01]
            spans = np.array([(row[4], row[5]) for row in rows if row[5] is not None and row[5] > row[4]]).reshape(-1, 2)
            assert len(whiskers) == len(spans)
            assert np.abs(up(whiskers[:, :, 1]) - inside(spans)).max(initial=0) < NEAR * unit(up)
            solved = [row for row in drawing.rows if row[0] == label and row[1] != "median"]
            thresholds += len(solved)
            assert len(below) == len(level) == len(solved)
            for row, tick, span in zip(solved, below, level, strict=True):
                assert row[3] == LEVEL
                assert across(tick[0, 0]) == pytest.approx(row[2], rel=0.02)
                assert across(span[:, 0]) == pytest.approx(row[4:6], rel=0.02)
    assert thresholds == sum(fit.threshold is not None for fit in fits.values()) > 0


def test_rungs_stand_in_the_order_of_the_ladder_easiest_first():
    made = run(sample(learners=("MLP", "Logistic"), tasks=DECLARED))
    (drawing,) = [d for d in figures.ladders(made.tidy, {}, made.board, made.looks) if "margin by" in d.title]
    ticks = sorted((t.x, t.text) for t in read(drawing.svg).texts if t.align == "middle" and t.text[0] == "0")
    assert [text for _, text in ticks] == ["0.5", "0.1", "0.02"]


def test_curves_hold_the_means_and_the_bands_of_their_tables(small):
    drawn = figures.curves(small.tidy, small.data.curves, small.board, small.looks)
    assert list(drawn) == ["samples", "operations"]
    assert len(drawn["samples"]) == len(small.tidy.cells)
    lines = bands = 0
    for drawing in itertools.chain(*drawn.values()):
        got = read(drawing.svg)
        up, across = got.scale("y"), got.scale("x", log=True)
        for label, number in small.number.items():
            rows = [row for row in drawing.rows if row[0] == label and row[1] == "validation"]
            longest = max((s for s in got.of(number) if "fill" not in s.style), key=lambda s: len(s.points), default=None)
            if len(rows) < 2:
                continue
            lines += 1
            close(longest.points[:, 1], inside([row[3] for row in rows]), up, unit(up))
            ratio = np.log10(across(longest.points[:, 0])) - np.log10([row[2] for row in rows])
            assert np.abs(ratio).max() < 2 * NEAR * unit(across, log=True)
            if rows[0][-1] > 1:
                bands += 1
                (band,) = [s.points for s in got.of(number) if "fill" in s.style]
                close(band[: len(rows), 1], inside([row[4] for row in rows]), up, unit(up))
                close(band[len(rows) : 2 * len(rows), 1], inside([row[5] for row in rows])[::-1], up, unit(up))
    assert lines > 50
    assert bands > 50


def test_a_mean_over_seeds_keeps_what_a_seed_had_when_it_stopped():
    rows = dict(
        key=np.array(["a", "a", "a", "b", "b"]), value=np.array([0.0, 0.5, 1.0, 0.0, 0.2]),
        samples=np.array([1.0, 10.0, 100.0, 2.0, 10.0]),
    )  # fmt: skip
    curve = mean_curve(rows, "samples", 10, band=True)
    assert curve.x.tolist() == [2, 10, 100]
    assert curve.mean.tolist() == pytest.approx([np.interp(2, [1, 10], [0, 0.5]) / 2, 0.35, 0.6])
    assert curve.n == 2
    assert (curve.low <= curve.mean).all()
    assert (curve.mean <= curve.high).all()


def test_costs_hold_the_scores_the_whiskers_and_the_front_of_their_tables(small):
    drawn = figures.costs(small.tidy, small.board, small.looks)
    assert [d.name for d in drawn] == ["cost-seconds", "cost-operations", "cost-samples"]
    for drawing in drawn:
        got = read(drawing.svg)
        up, across = got.scale("y"), got.scale("x", log=True)
        on_front = []
        for label, cost, score, low, high, edge in drawing.rows:
            (dot,) = got.dots(small.number[label])
            close(dot[1:], inside([score]), up, unit(up))
            assert abs(np.log10(across(dot[0])) - np.log10(cost)) < 2 * NEAR * unit(across, log=True)
            (whisker,) = got.whiskers(small.number[label])
            close(whisker[:, 1], inside([low, high]), up, unit(up))
            if edge:
                on_front.append(dot)
        steps = max((s for s in got.of(None) if len(s.pieces) == 1), key=lambda s: len(s.points)).points
        for dot in on_front:
            assert (np.abs(steps - dot).max(axis=1) < NEAR).any()


def test_nobody_is_both_cheaper_and_better_than_the_front():
    rng = np.random.default_rng(3)
    costs, scores = rng.integers(1, 9, 40).astype(float), rng.integers(0, 9, 40).astype(float)
    found = front(list(costs), list(scores))
    for i in range(40):
        beaten = ((costs <= costs[i]) & (scores >= scores[i]) & ((costs < costs[i]) | (scores > scores[i]))).any()
        same = any((costs[i], scores[i]) == (costs[j], scores[j]) for j in found)
        assert same is not bool(beaten)


def test_differences_hold_the_pairs_and_the_margin(small):
    (drawing,) = figures.differences(small.board, small.looks, MARGIN)
    got, best = read(drawing.svg), small.board.ranked[0].label
    across = got.scale("x")
    assert [row[0] for row in drawing.rows] == [s.label for s in small.board.ranked[1:]]
    for label, difference, low, high, verdict in drawing.rows:
        pair = small.board.pairs[label, best]
        assert (difference, (low, high), verdict) == (pair.difference, pair.interval, pair.verdict)
        (dot,) = got.dots(small.number[label])
        close(dot[:1], [difference], across, unit(across))
        (whisker,) = got.whiskers(small.number[label])
        close(whisker[:, 0], [low, high], across, unit(across))
    (band,) = [s.points for s in got.of(None) if "fill" in s.style]
    close([band[:, 0].min(), band[:, 0].max()], [-MARGIN, MARGIN], across, unit(across))
    assert {t.text for t in got.texts} >= {row[4] for row in drawing.rows}


def test_tuning_and_gains_hold_what_their_tables_say(tuned):
    assert tuned.tidy.arm == "tuned"
    (drawing,) = figures.tuning(tuning_curves(tuned.tidy), tuned.board, tuned.looks)
    got = read(drawing.svg)
    up, across = got.scale("y"), got.scale("x", log=True)
    shown = {row[0] for row in drawing.rows}
    for label in shown:
        rows = [row for row in drawing.rows if row[0] == label]
        dots = got.dots(tuned.number[label])
        close(dots[:, 1], inside([row[2] for row in rows]), up, unit(up))
        assert np.allclose(across(dots[:, 0]), [1, 2, 3, 4], rtol=0.01)
    (drawing,) = figures.gained(gains(tuned.tidy), tuned.board, tuned.looks)
    got = read(drawing.svg)
    across = got.scale("x")
    for label, before, after, difference, low, high, _ in drawing.rows:
        assert low < difference < high
        (dot,) = got.dots(tuned.number[label])
        close(dot[:1], [after], across, unit(across))
        (ring,) = (s.points for s in got.of(tuned.number[label], stroke_width="1.3"))
        close([(ring[:, 0].min() + ring[:, 0].max()) / 2], [before], across, unit(across))
        (whisker,) = (p for s in got.of(tuned.number[label], stroke_width="1.6") for p in s.pieces)
        close(whisker[:, 0], [before + low, before + high], across, unit(across))
    assert {row[0] for row in drawing.rows} == shown


def test_profiles_hold_what_their_table_says(small):
    (drawing,) = figures.profile(profiles(small.tidy), small.board, small.looks)
    got = read(drawing.svg)
    up, across = got.scale("y"), got.scale("x")
    for label, number in small.number.items():
        rows = [row for row in drawing.rows if row[0] == label]
        line = max((s.points for s in got.of(number) if "fill" not in s.style), key=len)
        close(line[:, 1], [row[2] for row in rows], up, unit(up))
        close(line[:, 0], [row[1] for row in rows], across, unit(across))


def test_every_trial_is_at_the_height_of_its_value(small):
    (drawing,) = figures.every_trial(small.tidy, small.board, small.looks)
    got = read(drawing.svg)
    order = list(dict.fromkeys(row[0] for row in drawing.rows))
    rows_of = {label: [row for row in drawing.rows if row[0] == label] for label in order}
    heights = {t.text: t.middle for t in got.texts if t.align == "end"}
    step = heights[order[1]] - heights[order[0]]
    for label in order:
        told = [float(v) for row in rows_of[label] for v in row[4].split() if v != "failed"]
        failed = sum(row[4].split().count("failed") for row in rows_of[label])
        assert all(len(row[4].split()) == row[2] for row in rows_of[label])
        dots = got.dots(small.number[label])
        values = (heights[label] + 0.36 * step - dots[:, 1]) / (0.72 * step)
        assert np.sort(values) == pytest.approx(np.sort(inside(told, -0.12, 1.05)), abs=NEAR / (0.72 * step) * 2)
        (bars,) = got.of(small.number[label], stroke_width="1.2")
        middles = (heights[label] + 0.36 * step - np.array(bars.pieces)[:, 0, 1]) / (0.72 * step)
        assert middles == pytest.approx(inside([row[3] for row in rows_of[label]], -0.12, 1.05), abs=NEAR / step * 3)
        crosses = [p for s in got.of(small.number[label], stroke="var(--ink)") for p in s.pieces]
        assert len(crosses) == 2 * failed
    assert sum("failed" in row[4] for row in drawing.rows) > 0


def boxes(drawing):
    """Where words are, as they are reckoned to be: (left, top, right, bottom) of each that stands upright."""
    for t in read(drawing.svg).texts:
        wide = width(t.text, t.size)
        left = t.x - {"start": 0, "middle": wide / 2, "end": wide}[t.align]
        yield t, (left, t.middle - t.size / 2, left + wide, t.middle + t.size / 2)


@pytest.mark.parametrize("which", ["small", "tuned", "many"])
def test_nothing_lies_outside_the_view_box(which, request):
    made = request.getfixturevalue(which)
    for drawing in made.drawn:
        got = read(drawing.svg)
        points = np.concatenate([s.points for s in got.shapes])
        assert points.min() >= 0, drawing.name
        assert (points <= got.box[2:]).all(), drawing.name
        for text, (left, top, right, bottom) in boxes(drawing):
            if not text.turn:
                assert left >= 0, (drawing.name, text)
                assert right <= got.box[2], (drawing.name, text)
                assert 0 <= top < bottom <= got.box[3], (drawing.name, text)


@pytest.mark.parametrize("which", ["small", "tuned", "many"])
def test_no_word_lies_on_another(which, request):
    for drawing in request.getfixturevalue(which).drawn:
        upright = [(t, box) for t, box in boxes(drawing) if not t.turn]
        for (one, a), (other, b) in itertools.combinations(upright, 2):
            apart = a[2] <= b[0] + 0.2 or b[2] <= a[0] + 0.2 or a[3] <= b[1] + 0.2 or b[3] <= a[1] + 0.2
            assert apart, (drawing.name, one.text, other.text)


@pytest.mark.parametrize("tasks", [60, 120])
def test_names_of_cells_keep_their_distance(tasks):
    """Words turned by an angle are apart if their feet are apart by more than a line across that angle."""
    made = run(crowd(3, tasks, 1, curves=False))
    (drawing,) = figures.every_trial(made.tidy, made.board, made.looks)
    turned = sorted((t for t in read(drawing.svg).texts if t.turn), key=lambda t: t.x)
    assert len(turned) == len(made.tidy.cells)
    for one, other in itertools.pairwise(turned):
        assert (other.x - one.x) * np.sin(np.deg2rad(abs(one.turn))) >= one.size


def test_the_same_numbers_give_the_same_bytes(small):
    again = run(sample(seeds=7, learners=FOUR, tasks=DECLARED))
    assert small.drawn == again.drawn


def test_names_of_drawings_are_unique(small):
    names = [d.name for d in small.drawn]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z][a-z0-9-]*", name) for name in names)


def test_families_differ_without_colour(small):
    drawing = figures.curves(small.tidy, small.data.curves, small.board, small.looks)["samples"][0]
    patterns = {}
    for label, look in small.looks.items():
        lines = [
            s.style.get("stroke-dasharray") for s in read(drawing.svg).of(look.number) if s.style.get("stroke-width") == "1.5"
        ]
        assert len(lines) == 1
        patterns.setdefault(small.tidy.families[label], set()).update(lines)
    assert patterns["biological"] == {None}
    assert all(len(found) == 1 for found in patterns.values())
    assert len({min(found, key=str) for found in patterns.values()}) == len(DASHES)


def test_marks_differ_without_colour():
    """With markers as they are, no two of those in colour have marks of one outline."""
    made = run(sample(seeds=2), round_marks=False)
    drawing = figures.costs(made.tidy, made.board, made.looks)[0]
    outlines = set()
    for _, look in list(made.looks.items())[:LEAD]:
        (mark,) = [s for s in read(drawing.svg).of(look.number) if "fill" in s.style or s.style.get("stroke-linecap") == "round"]
        outlines.add(np.round(mark.points - mark.points.mean(axis=0), 0).tobytes())
    assert len(outlines) == LEAD


def test_colours_are_those_of_the_page(small, tuned):
    for drawing in [*small.drawn, *tuned.drawn]:
        assert "#" not in drawing.svg
        assert not re.search(r"\brgb|url\(|<style|<use|clip", drawing.svg)


def test_of_a_crowd_eight_are_in_colour_and_all_are_in_the_table(many):
    drawn = many.drawn
    assert sum(len(d.svg) for d in drawn) < 1.6e6
    assert sum(len(str(row)) for d in drawn for row in d.rows) < 1.6e6
    labels = set(many.looks)
    lead = [s.label for s in many.board.standings][:LEAD]
    for drawing in drawn:
        if drawing.name in {"trials", "differences"}:
            continue
        cell = drawing.title.removesuffix(" ≈")
        took = many.tidy.compared[many.tidy.compared.cell.eq(cell) & ~many.tidy.compared.lost].label
        assert {row[0] for row in drawing.rows} == (set(took) if len(took) else labels)
        coloured = {s.series for s in read(drawing.svg).shapes if "var(--s" in s.style.get("stroke", s.style.get("fill", ""))}
        assert coloured == {many.looks[label].number for label in lead}, drawing.name
    cost = next(d for d in drawn if d.name == "cost-samples")
    assert "52 others" in cost.about
    front = {row[0] for row in cost.rows if row[5]}
    assert {t.text for t in read(cost.svg).texts if t.text.startswith("Rule")} <= {*lead, *front}


def test_of_many_cells_those_are_shown_that_tell_most(many):
    drawn = [d for d in many.drawn if d.name.startswith("samples")]
    assert len(drawn) == 12 < len(many.tidy.cells)
    assert f"Of {len(many.tidy.cells)} cells" in drawn[0].about


def test_a_task_that_tells_nobody_apart_is_marked(small):
    dull = frozenset({"sequence/recall"})
    for drawing in all_figures(small, dull):
        if "sequence/recall" in drawing.title:
            assert "sequence/recall" in drawing.title.partition(" ≈")[0]
            assert "does not tell these learners apart" in drawing.svg
        else:
            assert "≈" not in drawing.title
    heads = [t.text for t in read(figures.every_trial(small.tidy, small.board, small.looks, dull)[0].svg).texts]
    assert sum(text.endswith(" ≈") for text in heads) == 7


@pytest.mark.parametrize("learners", [("MLP",), ("Chance", "Majority"), ("MLP", "Oja", "Chance")])
def test_one_seed_has_neither_whisker_nor_band(learners):
    made = run(sample(seeds=1, learners=learners))
    drawn = all_figures(made)
    assert drawn
    for drawing in drawn:
        for row in drawing.rows:
            told = dict(zip(drawing.columns, row, strict=True))
            assert told.get("low") is None
            assert told.get("high") is None
    for drawing in figures.ladders(made.tidy, {}, made.board, made.looks):
        for number in made.number.values():
            assert all(len(piece) == 1 for s in read(drawing.svg).of(number) for piece in s.pieces if len(s.pieces) > 1)


@pytest.mark.parametrize("outcome", ["error", "diverged"])
def test_where_all_failed_there_is_what_was_counted_and_no_more(outcome):
    data = sample(seeds=3, learners=("MLP", "Oja"))
    blank = dict.fromkeys(["score", "score_normalised", "train_s", "mac_train", "ac_train", "samples"])
    made = run(dataclasses.replace(data, rows=data.rows.assign(outcome=outcome, **blank), curves=data.curves.iloc[:0]))
    assert figures.costs(made.tidy, made.board, made.looks) == []
    assert figures.curves(made.tidy, made.data.curves, made.board, made.looks) == {}
    for drawing in all_figures(made):
        read(drawing.svg)


def test_constant_scores_and_a_single_task():
    data = sample(seeds=3, learners=("MLP", "Perceptron"))
    rows = data.rows[data.rows.task.eq("sequence/recall")].assign(
        outcome="ok", reason="", score=0.75, score_normalised=0.5, train_s=1.0, mac_train=7, ac_train=0, samples=9
    )
    made = run(dataclasses.replace(data, rows=rows))
    drawn = all_figures(made)
    assert {"trials", "ladder0", "cost-seconds", "differences", "profile"} <= {d.name for d in drawn}
    for drawing in drawn:
        assert np.isfinite(np.concatenate([s.points for s in read(drawing.svg).shapes])).all()


def test_nothing_gives_no_figure(small):
    none = dataclasses.replace(small.board, standings=(), pairs={})
    assert figures.every_trial(small.tidy, none, {}) == []
    assert figures.differences(none, small.looks, MARGIN) == []
    assert figures.profile({}, small.board, small.looks) == []
    assert figures.tuning({}, small.board, small.looks) == []
    assert figures.gained({}, small.board, small.looks) == []
    assert figures.costs(small.tidy, none, small.looks) == []
