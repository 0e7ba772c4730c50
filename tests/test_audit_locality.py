"""How far changes look, how much a teacher tells, whether weights are shared, and whose signal is whose."""

import numpy as np
import pytest

from harness.audit import audit
from harness.audit.case import Case
from learners.attention import Attention
from learners.backprop import Backprop
from learners.diehl_cook import DiehlCook
from learners.direct_feedback_alignment import DirectFeedbackAlignment
from learners.feedback_alignment import FeedbackAlignment
from learners.forward_forward import ForwardForward
from learners.node_perturbation import NodePerturbation
from learners.oja import Oja
from learners.perceptron import Perceptron
from learners.target_propagation import AuxiliaryTargetPropagation, SimplifiedTargetPropagation
from learners.three_factor import RewardModulatedHebb
from learners.weight_perturbation import WeightPerturbation
from tests.audited import convolved, feedback, hebbian, places, recurrent

GRADES = {
    hebbian.Hebb: "L0",
    hebbian.OjaHere: "L0",
    places.Wired: "L0",
    hebbian.Lengthened: "L3",
    hebbian.Sanger: "L4",
    hebbian.Subspace: "L4",
    hebbian.SharedOut: "L4",
    places.Unwired: "L4",
    places.Uneven: "L4",
    convolved.Local: "L2",
    convolved.Convolution: "L2",
    recurrent.RFLO: "L2",
    recurrent.SymmetricRFLO: "L2",
    recurrent.RTRL: "L5",
    recurrent.BPTT: "L5",
    feedback.Clipped: "L5",
    feedback.Smuggled: "L5",
    feedback.Idle: "L5",
}


def found(cls, criterion="locality", seed=0, **params):
    """One finding."""
    return audit(cls, params, only=[criterion], fast=True, seed=seed)[criterion]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("cls", GRADES)
def test_how_far_a_change_looks(cls, seed):
    finding = found(cls, seed=seed)
    assert finding.detail["grade"] == GRADES[cls]
    assert finding.verdict == ("PASS" if GRADES[cls] <= "L2" else "FAIL")
    assert finding.value == float(GRADES[cls][1])
    assert (finding.witness is None) == (finding.verdict == "PASS")


def test_by_which_test_it_is_seen():
    numbers = {cls: found(cls).detail["weights"]["W"] for cls in (hebbian.Hebb, hebbian.Lengthened, hebbian.Sanger)}
    seen = {cls: {key for key, size in told.items() if size > 0} for cls, told in numbers.items()}
    assert seen == {hebbian.Hebb: set(), hebbian.Lengthened: {"heterosynaptic"}, hebbian.Sanger: {"lateral"}}
    shared = found(hebbian.SharedOut)  # weights alone tell nothing of a division by activities
    assert set(shared.detail["weights"]["W"].values()) == {0.0}
    assert shared.witness.array == "y"


def test_what_is_planted_is_measured_in_proportion():
    strengths = 1e-8, 1e-6, 1e-4
    sizes = [found(hebbian.Planted, strength=s).detail["weights"]["W"]["lateral"] for s in strengths]
    np.testing.assert_allclose(np.array(sizes) / sizes[0], np.array(strengths) / strengths[0], rtol=1e-3)
    assert found(hebbian.Planted, strength=1e-8).verdict == "PASS"
    assert found(hebbian.Planted, strength=1e-4).verdict == "FAIL"


def test_back_propagation_is_local_given_its_errors():
    up, down = found(FeedbackAlignment), found(Backprop)
    assert [f.detail["grade"] for f in (up, down)] == ["L2", "L2"]
    assert [f.detail["strict"] for f in (up, down)] == ["L2", "L5"]
    assert set(down.detail["undeclared_ways"]) == {"d[1] to d[0]", "d[2] to d[1]"}


@pytest.mark.parametrize("rate", [0.09375, 0.0625])
def test_silent_cells_do_not_make_errors_distal(rate):
    """Of two layers of four all cells are shut, or all but one: little tells whose the errors above them are."""
    shut = found(Backprop, seed=254, hidden=4, depth=3, activation="relu", rate=rate)
    assert (shut.verdict, shut.detail["grade"], shut.detail["strict"]) == ("PASS", "L2", "L5")


@pytest.mark.parametrize(
    ("cls", "params", "dimension", "grade"),
    [
        (Oja, {}, 0, "L0"),
        (NodePerturbation, {}, 1, "L1"),
        (WeightPerturbation, {}, 1, "L1"),
        (RewardModulatedHebb, {}, 1, "L1"),
        (RewardModulatedHebb, dict(reward="correct"), 1, "L1"),
        (ForwardForward, {}, 1, "L1"),
        (Perceptron, {}, 4, "L2"),
        (DirectFeedbackAlignment, {}, 4, "L2"),
        (DirectFeedbackAlignment, dict(hidden=3), 4, "L2"),
    ],
)
def test_how_much_a_teacher_tells(cls, params, dimension, grade):
    detail = found(cls, **params).detail
    assert (max(detail["teaching_dimension"].values()), detail["grade"]) == (dimension, grade)
    if "hidden" in params:  # as many as there are cells to be told
        assert detail["teaching_dimension"]["W[0]"] == params["hidden"]


def test_the_rate_of_a_spiking_cell_is_kept_by_its_other_synapses():
    finding = found(DiehlCook)
    assert (finding.verdict, finding.detail["grade"]) == ("FAIL", "L3")


def test_without_a_change_nothing_is_said():
    finding = found(places.Still)
    assert finding.verdict == "INCONCLUSIVE"
    assert "No synapse changed" in finding.reason


# ---------------------------------------------------------------- wiring


@pytest.mark.parametrize(
    "cls", [ForwardForward, SimplifiedTargetPropagation, AuxiliaryTargetPropagation, WeightPerturbation, DiehlCook]
)
def test_declared_wiring_is_the_whole_of_it(cls):
    graph = Case(cls, fast=True).graph
    for offences in graph.stray_signals, graph.distant_weights, graph.read_signals, graph.torn:
        assert offences == []


def test_cells_of_two_populations_side_by_side():
    graph = Case(AuxiliaryTargetPropagation, fast=True).graph
    assert graph.parts("o") == [("a[3]", 0, 4), ("q", 4, 3)]
    assert graph.origin("o", 5) == ("q", 1)
    assert graph.place("q", 1, "z[2]") == 5
    assert graph.place("a[3]", 1, "o") == 1
    assert graph.place("a[2]", 1, "o") is None
    assert graph.joined("q", "z[1]")


# ---------------------------------------------------------------- sharing


@pytest.mark.parametrize(
    ("cls", "verdict", "value", "says"),
    [
        (places.Apart, "PASS", 1.0, "never meet"),
        (places.Pooled, "FAIL", 3.0, "m hears several"),
        (places.Overlapping, "FAIL", 3.0, "c hears several"),
        (convolved.Local, "PASS", 1.0, "one cell, in one place"),
        (convolved.Convolution, "FAIL", 7.0, "serves 7 cells"),
        (ForwardForward, "PASS", 1.0, "never meet"),
        (Attention, "FAIL", 4.0, "places at once"),
        (FeedbackAlignment, "PASS", 1.0, "one cell, in one place"),
    ],
)
def test_weights_that_serve_several_places(cls, verdict, value, says):
    finding = found(cls, "weight_sharing")
    assert (finding.verdict, finding.value) == (verdict, value)
    assert says in finding.reason
    assert (finding.witness is None) == (verdict == "PASS")
