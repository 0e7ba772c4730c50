"""The auditor audited: one line changed flips one verdict, whoever cheats is caught, and who cannot be judged is not."""

import functools

import numpy as np
import pytest

from harness.audit import CRITERIA, FAST, audit
from harness.audit import _finding as decided
from harness.audit.case import Case
from harness.audit.subject import Subject
from learners.backprop import Backprop
from learners.feedback_alignment import FeedbackAlignment
from learners.forward_forward import ForwardForward
from learners.predictive_coding import PredictiveCoding
from learners.target_propagation import DifferenceTargetPropagation, SimplifiedTargetPropagation
from tests.audited import broken, convolved, feedback, hebbian, layers, recurrent

PAIRS = {
    "feedback of its own, back-propagation": (FeedbackAlignment, Backprop, "weight_transport"),
    "feedback of its own, a copy of W'": (FeedbackAlignment, (feedback.Lent, dict(share=1.0)), "weight_transport"),
    "errors through F, through W'": ((PredictiveCoding, dict(feedback="separate")), PredictiveCoding, "weight_transport"),
    "the last target by an inverse, by the gradient": (
        SimplifiedTargetPropagation,
        DifferenceTargetPropagation,
        "weight_transport",
    ),
    "Oja, Sanger": (hebbian.OjaHere, hebbian.Sanger, "locality"),
    "Oja, subspace": (hebbian.OjaHere, hebbian.Subspace, "locality"),
    "Hebb, rows of length 1": (hebbian.Hebb, hebbian.Lengthened, "locality"),
    "Hebb, divided by all activities": (hebbian.Hebb, hebbian.SharedOut, "locality"),
    "plain, clipped by the norm of all changes": (FeedbackAlignment, feedback.Clipped, "locality"),
    "plain, normalised over the block": (FeedbackAlignment, layers.Normed, "online"),
    "forward, with a layer that listens to the one above": (ForwardForward, layers.Listening, "update_locking"),
    "two wires, one": (layers.Split, layers.Delta, "signed_teaching"),
    "two wires, one, to hidden layers": (feedback.TwoWires, feedback.OneWire, "signed_teaching"),
    "two wires, one, through synapses of either sign": (feedback.MixedWires, feedback.MixedWire, "signed_teaching"),
    "recurrent, feedback of its own, read-out weights": (recurrent.RFLO, recurrent.SymmetricRFLO, "weight_transport"),
    "weights at each window, one kernel for all": (convolved.Local, convolved.Convolution, "weight_sharing"),
    "windows, feedback of its own, back-propagation": (convolved.Local, convolved.LocalBackprop, "weight_transport"),
    "one kernel, feedback of its own, back-propagation": (
        convolved.Convolution,
        convolved.ConvolutionBackprop,
        "weight_transport",
    ),
    "signs held, let go": (layers.Held, layers.Delta, "dale"),
    "spikes, charges": (layers.Spikes, layers.Charges, "channel"),
}
"""What is allowed, what is not, and by which criterion alone they differ."""


def profile(asked, criteria=FAST):
    """Verdicts by criterion."""
    cls, params = asked if isinstance(asked, tuple) else (asked, {})
    return _profile(cls, tuple(params.items()), tuple(criteria))


@functools.cache
def _profile(cls, params, criteria):
    return {f.criterion: f.verdict for f in audit(cls, dict(params), only=criteria, fast=True).criteria}


@pytest.mark.parametrize("pair", PAIRS)
def test_one_line_flips_one_verdict(pair):
    allowed, forbidden, criterion = PAIRS[pair]
    criteria = {*FAST, criterion}
    one, other = ({**profile(asked), **profile(asked, [criterion])} for asked in (allowed, forbidden))
    assert {c: (one[c], other[c]) for c in criteria if one[c] != other[c]} == {criterion: ("PASS", "FAIL")}


def test_a_verdict_is_only_one_of_four_and_says_why():
    for finding in audit(FeedbackAlignment, fast=True).criteria:
        assert finding.verdict in {"PASS", "FAIL", "NA", "INCONCLUSIVE"}
        assert finding.reason[0].isupper()
        assert finding.reason.endswith(".")
        assert finding.reproduce.startswith("hebbench audit")
        assert finding.interventions > 0


def test_what_was_done_is_counted_and_what_is_shared_is_said():
    """Each finding rests on the runs that it counts, whoever made them; all together are those that were made."""
    case = Case(FeedbackAlignment, fast=True)
    runs = []
    for criterion in FAST:
        finding = decided(case, criterion)
        shared = finding.detail.get("shared", 0)
        assert finding.interventions >= shared
        assert (shared > 0) == (criterion in {"weight_transport", "locality", "weight_sharing", "update_locking", "phases"})
        runs.append(finding.interventions - shared)
    assert sum(runs) + case.shared == case.interventions
    assert min(f.interventions for f in audit(ForwardForward, fast=True).criteria) > 0


# ---------------------------------------------------------------- those that cheat


@pytest.mark.parametrize("cheat", [feedback.Hidden, feedback.FakeSynapse, feedback.FalseCells])
def test_forward_weights_are_found_wherever_they_are_hidden(cheat):
    finding = audit(cheat, only=["weight_transport"], fast=True)["weight_transport"]
    assert (finding.verdict, finding.witness.array[:2]) == ("FAIL", "W[")


@pytest.mark.parametrize("every", [2, 3, 5, 7])
def test_a_copy_now_and_then_is_found(every):
    assert profile((feedback.NowAndThen, dict(every=every)), ["weight_transport"]) == dict(weight_transport="FAIL")


@pytest.mark.parametrize("ago", [1, 2, 3])
def test_what_was_copied_some_samples_ago_is_found(ago):
    feedback.HIDDEN.clear()
    found = audit(feedback.Late, dict(ago=ago), fast=True)
    caught = {"weight_transport", "locality", "causality"}
    assert {f.criterion for f in found.criteria if f.verdict == "FAIL"} == caught
    assert found["weight_transport"].witness.array[:2] == "W["
    assert (found["locality"].detail["grade"], found["locality"].witness.array[:2]) == ("L5", "W[")
    assert found["causality"].detail["hidden"]
    assert {f.verdict for f in found.criteria if f.criterion not in caught} == {"INCONCLUSIVE"}


@pytest.mark.parametrize("cheat", [feedback.Smuggled, feedback.Idle])
def test_an_error_that_comes_along_no_synapse_is_found(cheat):
    verdicts = profile(cheat, ["weight_transport", "locality"])
    assert "FAIL" in verdicts.values()


def test_a_tape_is_found_however_much_of_it_was_laid_out_beforehand():
    assert profile(recurrent.PreallocatedBPTT, ["storage"]) == dict(storage="FAIL")


# ---------------------------------------------------------------- nothing is seen where there is nothing


def test_synapses_that_carry_nothing_change_nothing():
    for seed in range(3):
        subject = Subject(layers.Placebo, seed=seed)
        assert subject.effects(subject.run(subject.moved("U"))) == []
        assert subject.forced(subject.moved("U")) == []


def test_an_audit_leaves_a_class_as_it_was():
    before = FeedbackAlignment(random_state=3).get_params()
    audit(FeedbackAlignment, fast=True, seed=3)
    assert FeedbackAlignment(random_state=3).get_params() == before


@pytest.mark.parametrize("cls", [Backprop, FeedbackAlignment, ForwardForward])
def test_the_block_that_a_rule_was_given_is_no_matter_of_an_audit(cls):
    assert profile((cls, dict(block=20))) == profile(cls)


def test_an_audit_says_the_same_twice():
    one, other = (audit(FeedbackAlignment, fast=True, seed=2) for _ in range(2))
    assert one == other


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("cls", "reason"),
    [
        (broken.Ragged, "has shape"),
        (broken.Marked, "differ"),
        (broken.Thrown, "not deterministic"),
        (broken.Running, "diverged"),
    ],
)
def test_what_cannot_be_judged_is_not_and_says_why(cls, reason):
    found = audit(cls, fast=True)
    assert [f.criterion for f in found.criteria] == [c for c in CRITERIA if c in FAST]
    assert {f.verdict for f in found.criteria} == {"INCONCLUSIVE"}
    assert all(reason in f.reason for f in found.criteria)


@pytest.mark.parametrize(
    ("cls", "sound"), [(broken.Steep, layers.Delta), (broken.Sulking, layers.Delta), (broken.Foreign, Backprop)]
)
def test_a_probe_that_cannot_be_made_leaves_the_others_unharmed(cls, sound):
    right, found = audit(sound, fast=True), audit(cls, fast=True)
    verdicts = {f.criterion: f.verdict for f in found.criteria}
    harmed = {c for c, v in verdicts.items() if v == "INCONCLUSIVE"}
    assert harmed
    assert harmed != set(verdicts)
    assert {c: v for c, v in verdicts.items() if c not in harmed} == {c: right[c].verdict for c in verdicts if c not in harmed}
    assert all(np.all(f.reason) for f in found.criteria)
