"""Weight transport: found where it is, named for what it is, and not where there is none; its twin; and what it leaves alone."""

from types import SimpleNamespace

import numpy as np
import pytest

from harness.audit import audit, carriers, weight_transport
from harness.audit.case import Case
from harness.audit.nullspace import Null, elsewhere, is_rate
from harness.audit.subject import Effect, UnauditableError
from learners.backprop import Backprop
from learners.controls import Majority
from learners.delta_rule import DeltaRule
from learners.direct_feedback_alignment import DirectFeedbackAlignment
from learners.equilibrium_propagation import EquilibriumPropagation
from learners.feedback_alignment import FeedbackAlignment
from learners.frozen import FrozenHidden
from learners.kolen_pollack import KolenPollack
from learners.mcculloch_pitts import McCullochPitts
from learners.mlp import MLP
from learners.node_perturbation import NodePerturbation
from learners.predictive_coding import PredictiveCoding
from learners.sign_symmetry import SignSymmetry
from learners.target_propagation import AuxiliaryTargetPropagation, DifferenceTargetPropagation, SimplifiedTargetPropagation
from learners.weight_mirror import WeightMirror
from tests.audited import carried, feedback, recurrent


def found(cls, **params):
    return audit(cls, params, only=["weight_transport"], fast=True)["weight_transport"]


def offenders(finding):
    return {tuple(pair) for pair in finding.detail["offenders"]}


# ---------------------------------------------------------------- what is found

FREE = (
    FeedbackAlignment, DirectFeedbackAlignment, KolenPollack, WeightMirror, NodePerturbation, SimplifiedTargetPropagation,
    AuxiliaryTargetPropagation, recurrent.RFLO,
)  # fmt: skip
TRANSPORTED = {
    Backprop: {("W[1]", "d[0]"), ("W[2]", "d[1]")},
    MLP: {("W[1]", "d[0]"), ("W[2]", "d[1]")},
    PredictiveCoding: {("W[1]", "z[0]"), ("W[2]", "z[1]")},
    DifferenceTargetPropagation: {("W[2]", "z[1]")},
    recurrent.SymmetricRFLO: {("U", "l")},
    recurrent.RTRL: {("U", "l"), ("W", "W")},
    recurrent.BPTT: {("U", "l"), ("W", "c")},
}


@pytest.mark.parametrize("cls", FREE)
def test_feedback_of_its_own_is_free_and_the_twin_is_not(cls):
    finding = found(cls)
    assert (finding.verdict, finding.noise_floor) == ("PASS", 0.0)
    assert finding.value < 1e-12 < finding.threshold
    assert finding.detail["twin"]["T"] > 0.01
    assert max(finding.detail["null_dimension"].values()) > 0
    assert not finding.detail["by_own_activity"]


@pytest.mark.parametrize("cls", TRANSPORTED)
def test_weights_that_are_carried_are_named_with_what_they_reach(cls):
    finding = found(cls)
    assert (finding.verdict, finding.detail["kind"]) == ("FAIL", "full")
    assert offenders(finding) == TRANSPORTED[cls]
    assert (finding.witness.array, finding.witness.population) in TRANSPORTED[cls]
    assert finding.value > 1e-3


def test_networks_that_settle_are_decided_by_steps():
    assert offenders(found(EquilibriumPropagation)) >= {("W[1]", "a[1]"), ("W[2]", "a[2]")}


def test_target_propagation_carries_the_last_weights_alone():
    assert found(DifferenceTargetPropagation).reason.endswith("W[1] is free.")


def test_separate_feedback_clears_predictive_coding():
    assert found(PredictiveCoding, feedback="separate").verdict == "PASS"


@pytest.mark.parametrize("cls", [DeltaRule, FrozenHidden])
def test_where_one_layer_learns_there_is_nothing_to_carry(cls):
    finding = found(cls)
    assert (finding.verdict, finding.value, finding.threshold) == ("NA", None, None)


def test_what_is_no_network_cannot_be_judged():
    assert found(Majority).verdict == "INCONCLUSIVE"


# ---------------------------------------------------------------- how much of it


@pytest.mark.parametrize("cls", [Backprop, PredictiveCoding, DifferenceTargetPropagation])
def test_full_transport_grows_in_proportion(cls):
    detail = found(cls).detail
    assert detail["slope"] == pytest.approx(1, abs=1e-6)
    assert detail["dose"]["10"] == pytest.approx(1000 * detail["dose"]["0.01"], rel=1e-6)


@pytest.mark.parametrize("magnitude", ["uniform", "fixed"])
def test_sign_transport_is_a_step(magnitude):
    finding = found(SignSymmetry, magnitude=magnitude)
    assert (finding.verdict, finding.detail["kind"]) == ("FAIL", "sign")
    assert finding.detail["dose"]["0.01"] < 0.5 * finding.detail["dose"]["1"]
    assert finding.detail["slope"] < 0.75
    assert "signs alone" in finding.reason


@pytest.mark.parametrize("share", [1e-6, 1e-3, 1.0])
def test_a_small_share_of_the_weights_is_seen(share):
    assert found(feedback.Lent, share=share).verdict == "FAIL"


def test_alignment_tells_birth_from_plasticity():
    origins = {cls: {f["origin"] for f in found(cls).detail["angles"].values()} for cls in (SignSymmetry, WeightMirror)}
    assert origins == {SignSymmetry: {"birth"}, WeightMirror: {"plasticity"}}
    assert {f["origin"] for f in found(FeedbackAlignment).detail["angles"].values()} == {"none"}


# ---------------------------------------------------------------- in time


@pytest.mark.parametrize("every", [5, 11])
def test_a_copy_now_and_then_is_told_from_plasticity(every):
    finding = found(feedback.NowAndThen, every=every)
    assert (finding.verdict, finding.detail["kind"]) == ("FAIL", "copied")
    assert finding.detail["copies"].keys() >= {"F[0]", "F[1]"}
    assert finding.witness.step <= every + 1
    assert (finding.witness.array, finding.witness.population) in {("W[1]", "F[0]"), ("W[2]", "F[1]")}


@pytest.mark.parametrize("cls", [KolenPollack, WeightMirror, SimplifiedTargetPropagation, NodePerturbation])
def test_at_rates_next_to_nothing_plasticity_follows_nothing(cls):
    graph = Case(cls, fast=True).graph
    n = Null(graph)
    assert n.copies([(K, 0, n.basis(K)) for K in carriers.carriers(graph)]) == {}


def test_rates_of_plasticity_are_told_by_name():
    assert is_rate("rate", 0.1, "1/block")
    assert is_rate("mirror_rate", 0.1, "1")
    assert is_rate("lr", 0.1, "1")
    assert not is_rate("rate", 63.75, "Hz")
    assert not is_rate("sigma", 0.1, "1")
    assert not is_rate("rate", True, "1")


# ---------------------------------------------------------------- null spaces


@pytest.mark.parametrize("cls", [FeedbackAlignment, NodePerturbation, SimplifiedTargetPropagation])
def test_no_activity_tells_of_a_move_in_the_null_space(cls):
    case = Case(cls, fast=True)
    null, subject = Null(case.graph), case.subject
    for K in carriers.carriers(case.graph):
        basis = null.basis(K)
        np.testing.assert_allclose(basis @ basis.T, np.eye(len(basis)), atol=1e-12)
        run = subject.run(null.moved(K, 1, 10.0, basis))
        rows = [e for e in subject.effects(run) if not e.weights]
        assert rows == []
        moved = null.moved(K, 1, 0.01, basis)[K.array] - subject.learner.arrays()[K.array]
        assert np.linalg.norm(moved) == pytest.approx(0.01 * np.linalg.norm(subject.learner.arrays()[K.array][1]))
        assert not np.delete(moved, 1, axis=0).any()


def test_rows_that_are_at_rest_are_no_alibi():
    graph = Case(Backprop, fast=True).graph
    graph.moved = {array: [(row, []) for row, _ in tries] for array, tries in graph.moved.items()}
    offences = [o for K in carriers.carriers(graph) for o in carriers.direct(graph, K)]
    assert {(o.cause, o.name) for o in offences} == TRANSPORTED[Backprop]


def test_a_free_population_of_which_one_unit_is_reached_is_of_that_cell():
    graph = Case(FeedbackAlignment, fast=True).graph
    K = next(s for s in graph.subject.wiring if s.array == "W[2]")
    one, all_ = np.eye(4, dtype=bool)[2], np.ones(4, bool)
    assert not elsewhere(graph, K, [2], Effect(0, "a[3]", "rate", one)).any()
    assert elsewhere(graph, K, [1], Effect(0, "a[3]", "rate", one)).tolist() == one.tolist()
    assert elsewhere(graph, K, [2], Effect(0, "a[3]", "rate", all_)).tolist() == (~one).tolist()
    assert elsewhere(graph, K, [2], Effect(0, "a[2]", "rate", np.eye(7, dtype=bool)[2])).any()


# ---------------------------------------------------------------- no power


def test_where_nothing_is_learnt_nothing_is_concluded():
    finding = found(carried.Still)
    assert finding.verdict == "INCONCLUSIVE"
    assert "Nothing is learnt" in finding.reason


def test_without_a_twin_nobody_passes():
    case = Case(FeedbackAlignment, fast=True)
    case.twin = None
    with pytest.raises(UnauditableError, match="no chain"):
        weight_transport.probe(case)


def test_a_twin_that_is_not_found_out_is_no_control():
    case = Case(FeedbackAlignment, fast=True)
    case.twin = SimpleNamespace(graph=case.graph)
    with pytest.raises(UnauditableError, match="was not found out"):
        weight_transport.probe(case)


def test_a_net_that_is_wired_by_its_teacher_is_passed_by_what_was_seen():
    """A target of none tells it to lay no synapse: teaching comes down to W, V is not read, and its twin is found out."""
    finding = found(McCullochPitts)
    assert (finding.verdict, finding.reason) == ("PASS", "No row of V acts but on its own cell; the twin was found out.")


def test_without_a_teacher_nothing_is_carried():
    finding = found(carried.Hebb)
    assert finding.verdict == "PASS"
    assert "no teaching signal" in finding.reason


def test_rows_of_one_layer_that_read_each_other_are_a_matter_of_locality():
    finding = found(carried.Sanger)
    assert finding.verdict == "PASS"
    assert {name for name, _ in finding.detail["lateral"]} == {"W[1]", "W[2]"}
    assert audit(carried.Sanger, only=["locality"], fast=True)["locality"].verdict == "FAIL"


# ---------------------------------------------------------------- spikes


def test_weights_of_silent_cells_tell_of_transport_to_the_bit():
    free, tied = found(carried.Surrogate), found(carried.Surrogate, tied=True)
    assert free.detail["null_dimension"]["U"] >= 5
    assert (free.verdict, free.value, tied.verdict) == ("PASS", 0.0, "FAIL")
    assert ("U", "l") in offenders(tied)
    assert tied.detail["T"]["U"]["W"] > 0.01
    assert free.detail["twin"]["name"].startswith("back-propagation through time")


def test_only_cells_that_never_fired_are_moved():
    case = Case(carried.Surrogate, fast=True)
    basis = Null(case.graph).basis(next(K for K in carriers.carriers(case.graph) if K.array == "U"))
    fired = np.any([e.vector for e in case.subject.base.events if e.name == "s"], axis=0)
    assert fired.any()
    assert not (basis != 0)[:, fired].any()


# ---------------------------------------------------------------- what is left alone


@pytest.mark.parametrize("cls", [Backprop, KolenPollack, WeightMirror])
def test_a_subject_is_left_as_it_was(cls):
    case = Case(cls, fast=True)
    before, events = case.subject.learner.snapshot(), case.subject.base.events
    weight_transport.probe(case)
    assert case.subject.learner.snapshot() == before
    for one, other in zip(events, case.subject.run().events, strict=True):
        assert one.name == other.name
        np.testing.assert_array_equal(one.vector, other.vector)


def test_more_rows_are_tried_where_there_is_time():
    finding = audit(FeedbackAlignment, only=["weight_transport"])["weight_transport"]
    assert finding.verdict == "PASS"
    assert finding.interventions > found(FeedbackAlignment).interventions
    assert all("later" in f["angle"] for f in finding.detail["angles"].values())
