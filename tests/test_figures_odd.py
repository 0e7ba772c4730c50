"""Figures of odd numbers and odd names."""

from __future__ import annotations

import itertools
import sys
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reports.draw import Panel, Part, cut, width
from reports.figures.fronts import HIGH, overlap, place
from reports.looks import looks
from reports.scales import SCORE, Axis, spread, stepped, ticks, written
from reports.svg import clean
from tests.drawn import number, read

AMOUNTS = st.floats(min_value=1e-300, max_value=1e300, allow_nan=False)
NUMBERS = st.floats(min_value=-1e300, max_value=1e300, allow_nan=False)
LOOK = looks(["one"], {"one": "engineered"})["one"]
PART = Part("one", LOOK._replace(marker="o"), lead=True)


@given(st.lists(AMOUNTS, min_size=1, max_size=5))
def test_an_axis_of_amounts_holds_them_in_their_order(values):
    axis = spread(values, log=True)
    shares = axis.share(values)
    assert np.isfinite(shares).all()
    assert (shares >= 0).all()
    assert (shares <= 1).all()
    order = np.argsort(values, kind="stable")
    assert (np.diff(shares[order]) >= 0).all()


@given(st.lists(NUMBERS, min_size=1, max_size=5))
def test_an_axis_of_numbers_holds_them_in_their_order(values):
    axis = spread(values, log=False)
    shares = axis.share(values)
    assert np.isfinite(shares).all()
    assert (shares >= 0).all()
    assert (shares <= 1).all()
    assert (np.diff(shares[np.argsort(values, kind="stable")]) >= 0).all()
    assert axis.low < axis.high


@given(AMOUNTS, st.floats(min_value=1.05, max_value=1e6))
def test_ticks_of_amounts_lie_within_their_ends_and_say_what_they_are(low, factor):
    assume(low * factor < 1e300)
    for tick, text in ticks(low, low * factor, log=True):
        assert low <= tick <= low * factor
        assert number(text) == pytest.approx(tick, rel=1e-3)


@given(st.floats(min_value=-1e12, max_value=1e12), st.floats(min_value=1e-3, max_value=1e12))
def test_ticks_of_numbers_are_few_and_different(low, size):
    assume(abs(low) < 1e6 * size)
    found = ticks(low, low + size, log=False)
    assert len(found) <= 8
    assert all(low <= tick <= low + size for tick, _ in found)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.5, "0.5"), (-0.25, "−0.25"), (9999, "9999"), (1e4, "10k"), (2.5e6, "2.5M"), (3e9, "3G"), (1e-5, "1e−5"),
     (1e15, "1e15")],
)  # fmt: skip
def test_ticks_are_written_short(value, text):
    assert written(value) == text


@given(st.lists(st.floats(min_value=-1e9, max_value=1e9), min_size=2, max_size=8, unique=True).map(sorted), st.booleans())
def test_rungs_run_from_the_first_to_the_last(rungs, turned):
    assume(rungs[-1] - rungs[0] > 1e-5 * max(1.0, abs(rungs[0]), abs(rungs[-1])))
    rungs = rungs[::-1] if turned else rungs
    axis = stepped(rungs)
    assert [tick for tick, _ in axis.ticks] == rungs
    shares = axis.share(rungs)
    assert (np.diff(shares) >= 0).all()
    assert shares[0] < 0.5 < shares[-1]


def test_rungs_that_are_words_keep_their_words():
    axis = stepped([0.0, 1.0, 2.0], ["none", "some", "all"], "noise")
    assert axis.ticks == ((0.0, "none"), (1.0, "some"), (2.0, "all"))
    assert not axis.log


@given(st.lists(st.tuples(AMOUNTS, NUMBERS), min_size=1, max_size=6))
def test_any_numbers_are_drawn_within_the_panel(points):
    costs, scores = map(list, zip(*points, strict=True))
    panel = Panel(spread(costs, log=True, words="cost"), SCORE, (200, 120))
    panel.frame()
    panel.line(PART, costs, scores)
    panel.band(PART, costs, scores, scores)
    panel.marks(PART, panel.at(costs, scores))
    got = read(panel.svg("any"))
    every = np.concatenate([s.points for s in got.shapes])
    assert np.isfinite(every).all()
    assert every.min() >= 0
    assert (every <= (200, 120)).all()
    assert len(got.dots(LOOK.number)) == len(points)


@given(st.text(max_size=60))
def test_any_name_is_one_line_of_xml(name):
    panel = Panel(Axis(0, 1, log=False, ticks=()), SCORE, (100, 50))
    panel.text((1, 1), cut(name))
    svg = panel.svg(name)
    root = ET.fromstring(svg)
    (text,) = [t for t in root if t.tag.endswith("text")]
    assert "\n" not in (text.text or "")
    assert len(text.text or "") <= 30
    assert all(c.isspace() or c in clean(name) or not c.isprintable() or c == "�" for c in root[0].text or "")


@pytest.mark.parametrize("name", ["\x00", "a\x0bb", "\ud800", "￾", "a\u0000"])
def test_what_xml_cannot_hold_is_replaced(name):
    assert "�" in clean(name) or name.split() != [name]
    ET.fromstring(f"<a>{clean(name)}</a>")


def test_a_formula_is_no_formula_and_markup_no_markup():
    panel = Panel(SCORE, SCORE, (100, 50))
    panel.text((1, 1), "$\\frac{$<b>&amp;")
    assert read(panel.svg("x")).texts[0].text == "$\\frac{$<b>&amp;"


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.integers(1, 30)), min_size=1, max_size=40))
def test_a_name_is_never_placed_on_another_nor_outside(spots):
    panel = Panel(SCORE, SCORE, (446, 300))
    points = np.array([(30 + x * 400, 10 + y * 260) for x, y, _ in spots])
    marks = [(x - 3, y - 3, x + 3, y + 3) for x, y in points]
    taken = list(marks)
    for point, (_, _, letters) in zip(points, spots, strict=True):
        box = place(point, width("x" * letters, 8.5), taken, [], panel)
        if box is not None:
            assert not any(overlap(box, other) for other in taken)
            assert box[0] >= 0
            assert box[2] <= panel.width
            assert abs((box[1] + box[3]) / 2 - point[1]) < 3 * HIGH
            taken.append(box)


def test_a_lone_mark_is_named_right_beside_it():
    panel = Panel(SCORE, SCORE, (446, 300))
    left, top, _, bottom = place(np.array([200.0, 100.0]), 50, [(197, 97, 203, 103)], [], panel)
    assert (left, (top + bottom) / 2) == (206, 100)


def test_a_name_keeps_off_a_line_where_it_can():
    panel = Panel(SCORE, SCORE, (446, 300))
    line = (200.0, 99.9, 400.0, 100.1)
    box = place(np.array([200.0, 100.0]), 50, [(197, 97, 203, 103)], [line], panel)
    assert not overlap(box, line)


def test_no_point_of_a_line_is_left_out():
    """Points in line are points of the table too, and dots on one spot are trials."""
    panel = Panel(SCORE, SCORE, (100, 50))
    panel.line(PART, np.linspace(0, 1, 300), np.linspace(0, 1, 300))
    panel.marks(PART, panel.at(np.full(300, 0.5), np.full(300, 0.5)))
    got = read(panel.svg("all"))
    assert [len(s.points) for s in got.of(LOOK.number)] == [300, 300]


def test_numbers_of_an_axis_do_not_touch_however_many_rungs_there_are():
    panel = Panel(stepped([float(x) for x in range(1, 60)]), SCORE, (200, 120))
    panel.frame()
    numbers = sorted((t for t in read(panel.svg("many")).texts if t.align == "middle"), key=lambda t: t.x)
    assert 5 < len(numbers) < 59
    for one, other in itertools.pairwise(numbers):
        assert one.x + width(one.text, one.size) / 2 < other.x - width(other.text, other.size) / 2


def test_wide_letters_take_more_room():
    assert width("漢字", 10) > width("ab", 10) * 1.5
    assert width("", 10) == 0


def test_figures_draw_without_pyplot():
    """A page is made in any thread and leaves nothing behind: no figure is kept by pyplot."""
    Panel(SCORE, SCORE, (100, 50)).svg("x")
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or not pyplot.get_fignums()
