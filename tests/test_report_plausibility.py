"""The audit's profiles in the report: side by side, with evidence, in the order of the ranking, and never summed up."""

import inspect
import re

import pytest

from harness.audit import CRITERIA, auditor
from harness.audit.literature import LITERATURE, Point, state
from reports import build, expected, figures
from reports.board import board
from reports.data import tidy
from reports.plausibility import blocks, plausibility
from tests.report_sample import sample


def finding(criterion, verdict="PASS", **more):
    return dict(
        criterion=criterion, verdict=verdict, reason=f"because of {criterion} <b>", value=0.5, statistic="T", noise_floor=0.0,
        threshold=1e-6, limit_of_detection=None, interventions=7, witness=None, detail={}, reproduce="hebbench audit X",
    ) | more  # fmt: skip


def profile(name, **verdicts):
    lines = [finding(c, verdicts.get(c, "PASS")) for c in ("weight_transport", "locality", "dale")]
    return dict(schema=1, learner=name, params=dict(hidden=7), seed=3, mode="step", twin="Twin(9, 7, 4)", criteria=lines)


def made(audits, **changes):
    data = sample(audits=audits, **changes)
    found = tidy(data)
    return plausibility(data.audits, board(found, found.shared)), build(data)


def test_without_an_audit_there_is_no_section():
    assert made({})[0] is None
    assert 'id="plausibility"' not in made({})[1]


def test_profiles_stand_in_the_order_of_the_ranking_and_strangers_come_last():
    section, page = made({"Stranger": profile("Stranger"), "Perceptron": profile("Perceptron"), "MLP": profile("MLP")})
    ranked = [s.label for s in board(tidy(sample()), tidy(sample()).shared).standings]
    assert [p.learner for p in section.profiles] == [*(n for n in ranked if n in ("MLP", "Perceptron")), "Stranger"]
    assert section.profiles[-1].score is None
    assert section.criteria == ("weight_transport", "locality", "dale")
    assert page.count("Plausibility") > 0


def test_a_profile_by_another_auditor_is_said_to_be_stale():
    old, new = profile("MLP") | dict(auditor="0" * 16), profile("Oja") | dict(auditor=auditor())
    section, page = made({"MLP": old, "Oja": new, "Stranger": profile("Stranger")})
    assert {p.learner: p.stale for p in section.profiles} == {"MLP": True, "Oja": False, "Stranger": True}
    assert page.count("found by another version of the audit") == 2


def test_a_square_shows_a_grade_where_there_is_one_and_its_reason_is_escaped():
    audit = profile("MLP", weight_transport="FAIL")
    audit["criteria"][1] |= dict(detail=dict(grade="L2"), value=2.0)
    section, page = made({"MLP": audit})
    squares = section.profiles[0].verdicts
    assert [squares[c].text for c in section.criteria] == ["✗", "L2", "✓"]
    assert section.profiles[0].passes == "locality dale"
    assert "because of locality &lt;b&gt;" in page
    assert "because of locality <b>" not in page


def test_the_filter_knows_what_each_learner_passes_and_definitions_can_be_reached():
    _, page = made({"MLP": profile("MLP", locality="FAIL")})
    assert 'data-passes="weight_transport dale"' in page
    for criterion in "weight_transport", "locality", "dale":
        assert f'href="#criterion-{criterion}"' in page
        assert f'id="criterion-{criterion}"' in page


def test_a_definition_is_paragraphs_and_lists_without_the_line_breaks_of_its_source():
    text = """What is it?

    Moved and
    looked at:

    * one
      thing;
    * another.

    Hebb, D. (1949). The organization of
    behavior. Wiley. Somewhere.
    Oja, E. (1982). A simplified neuron. doi:10.1007/BF00275687
    """
    assert blocks(inspect.cleandoc(text)) == (
        (False, ("What is it?",)), (False, ("Moved and looked at:",)), (True, ("one thing;", "another.")),
        (True, ("Hebb, D. (1949). The organization of behavior. Wiley. Somewhere.",
                "Oja, E. (1982). A simplified neuron. doi:10.1007/BF00275687")),
    )  # fmt: skip


def test_the_evidence_says_what_was_measured_and_where_to_look():
    audit = profile("MLP")
    audit["criteria"][2] |= dict(witness=dict(array="W[1]", row=0, step=None, population="", unit=3))
    page = made({"MLP": audit})[1]
    assert "Witness: array W[1], row 0, unit 3." in page
    assert page.count("Witness:") == 1
    assert "Value: T." in page


def test_score_against_grade_is_drawn_from_two_learners_on():
    def graded(name, grade):
        audit = profile(name)
        audit["criteria"][1] |= dict(detail=dict(grade=f"L{grade}"), value=float(grade))
        return audit

    one = made({"MLP": graded("MLP", 5)})[1]
    two = made({"MLP": graded("MLP", 5), "Perceptron": graded("Perceptron", 2)})[1]
    assert "Score against grade of locality" not in one
    assert "Score against grade of locality" in two


@pytest.mark.parametrize(
    ("verdicts", "found"),
    [
        (dict(a="PASS", b="PASS"), "met"), (dict(a="PASS", b="NA"), "met"), (dict(a="NA", b="NA"), "does not apply"),
        (dict(a="PASS", b="FAIL"), "missed"), (dict(a="PASS"), "undecided"), (dict(a="FAIL"), "missed"),
    ],
)  # fmt: skip
def test_a_point_of_a_list_is_met_missed_or_open(verdicts, found):
    assert state(Point("1", "both", ("a", "b")), verdicts) == found
    assert state(Point("1", "nobody measures it"), verdicts) == "not measured"


def test_lists_name_criteria_that_there_are():
    named = {criterion for demands in LITERATURE for point in demands.points for criterion in point.criteria}
    assert named <= set(CRITERIA)
    assert all(re.search(r"doi:10\.|arXiv:", demands.source) for demands in LITERATURE)


def test_expectations_that_were_changed_or_not_met_are_told(monkeypatch):
    known = {
        "MLP": dict(
            dale=dict(verdict="FAIL", reason="both signs in a column"),
            locality=dict(verdict="PASS", reason="now", was=[dict(verdict="FAIL", reason="the table meant something else")]),
        )
    }
    monkeypatch.setattr("reports.plausibility.table", lambda: known)
    section, page = made({"MLP": profile("MLP")})
    line = dict(learner="MLP", criterion="dale", was="FAIL", now="PASS", reason="both signs in a column")
    assert section.surprises == [line]
    assert section.revised == [line | dict(criterion="locality", reason="the table meant something else")]
    assert "both signs in a column" in page
    assert "the table meant something else" in page


def test_the_table_of_expectations_can_be_read():
    table = expected.table()
    assert table["Backprop"]["weight_transport"]["verdict"] == "FAIL"
    assert {c for lines in table.values() for c in lines} <= set(CRITERIA)


def test_limits_of_detection_are_drawn_from_what_was_measured():
    known = expected.courses()
    drawn = figures.limits(known)
    assert [d.name for d in drawn] == [f"limit-{name}" for name in known]
    for drawing, course in zip(drawn, known.values(), strict=True):
        assert [row[1] for row in drawing.rows] == course["dose"]
        assert [row[-1] for row in drawing.rows] == course["caught"]
        assert ">1e−9<" in drawing.svg
        assert ">0<" not in drawing.svg, "a logarithmic axis has no zero"
    page = made({"MLP": profile("MLP")})[1]
    assert all(drawing.title in page for drawing in drawn)
    assert not any(drawing.title in made({})[1] for drawing in drawn)
