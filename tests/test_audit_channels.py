"""Channels, Dale's law, signs of teaching, blocks and sparsity, on learners of which each is known."""

import math

import numpy as np
import pytest

from harness.audit import audit
from harness.audit.case import Case
from harness.audit.dale import turned
from harness.audit.online import ADDITIVE, coupling, interaction, probe
from harness.audit.sparsity import measures, spent
from harness.audit.subject import Subject
from learners.attention import Attention
from learners.controls import Logistic
from learners.delta_rule import DeltaRule
from learners.direct_feedback_alignment import DirectFeedbackAlignment
from learners.feedback_alignment import FeedbackAlignment
from learners.forward_forward import ForwardForward
from learners.mlp import MLP
from learners.node_perturbation import NodePerturbation
from learners.oja import Oja
from learners.perceptron import Perceptron
from learners.three_factor import RewardModulatedHebb
from tests.audited import feedback, layers, recurrent, signals


def found(criterion, cls, *, fast=True, **params):
    """The one finding."""
    return audit(cls, params, only=[criterion], fast=fast)[criterion]


# ---------------------------------------------------------------- channel


@pytest.mark.parametrize(
    ("cls", "verdict", "label", "value"),
    [
        (layers.Spikes, "PASS", "spiking", 2),
        (layers.Charges, "FAIL", "graded", 0),
        (signals.GradedTeacher, "FAIL", "spiking forward only", 0),
        (signals.NoMembrane, "FAIL", "binary", 1),
        (signals.Restless, "FAIL", "binary", 1),
        (signals.Stepped, "FAIL", "graded", 0),
        (Perceptron, "FAIL", "binary", 1),
        (DeltaRule, "FAIL", "graded", 0),
        (FeedbackAlignment, "FAIL", "graded", 0),
    ],
)
def test_the_level_of_a_channel_is_what_it_was_built_to_be(cls, verdict, label, value):
    finding = found("channel", cls)
    assert (finding.verdict, finding.detail["label"], finding.value) == (verdict, label, value)


def test_a_potential_that_is_overwritten_by_what_is_sent_is_not_what_is_sent():
    finding = found("channel", signals.Stepped)
    assert finding.detail["levels"] == dict(forward="binary", teaching="graded")
    assert finding.detail["populations"]["h"]["values"] in ([0.0, 1.0], [1.0, 0.0])


def test_the_membrane_that_throws_a_spike_is_named():
    finding = found("channel", layers.Spikes)
    assert finding.detail["populations"]["s"]["membrane"] == "v"


@pytest.mark.parametrize("n", ["fast", "full"])
def test_what_could_have_been_missed_is_said(n):
    finding = found("channel", layers.Spikes, fast=n == "fast")
    channels = finding.detail["populations"]
    fewest = min(round(c["active"] * c["samples"] * c["writes"] * (9 if p == "x" else 4)) for p, c in channels.items())
    assert finding.limit_of_detection == pytest.approx(3 / fewest)


# ---------------------------------------------------------------- signed teaching


@pytest.mark.parametrize(
    ("cls", "verdict", "label"),
    [
        (layers.Split, "PASS", "two populations"),
        (layers.Delta, "FAIL", "both signs on one wire"),
        (feedback.TwoWires, "PASS", "two populations"),
        (feedback.MixedWires, "PASS", "two populations"),
        (feedback.MixedWire, "FAIL", "both signs on one wire"),
        (feedback.Unsaid, "FAIL", "sign made in the update"),
        (DirectFeedbackAlignment, "FAIL", "both signs on one wire"),
        (signals.Mistaken, "PASS", "two populations"),
        (Perceptron, "FAIL", "sign made in the update"),
        (signals.Gated, "PASS", "unsigned"),
        (ForwardForward, "PASS", "sign by phase"),
        (NodePerturbation, "FAIL", "both signs of one number"),
        (RewardModulatedHebb, "PASS", "about a tonic level"),
        (Oja, "NA", "no teaching"),
    ],
)
def test_how_a_sign_comes_to_the_synapse(cls, verdict, label):
    finding = found("signed_teaching", cls)
    assert (finding.verdict, finding.detail["label"]) == (verdict, label)


def test_every_synapse_of_a_delta_rule_can_go_either_way():
    assert found("signed_teaching", layers.Delta).detail["share_flipped"] == 1.0


def test_without_what_is_below_zero_feedback_alignment_learns_less():
    accuracy = found("signed_teaching", FeedbackAlignment, fast=False).detail["accuracy"]
    assert accuracy["whole"] > accuracy["cut_off"] + 0.1


# ---------------------------------------------------------------- Dale


@pytest.mark.parametrize(("cls", "verdict"), [(layers.Held, "PASS"), (layers.Delta, "FAIL"), (MLP, "FAIL")])
def test_signs_that_are_held_are_held(cls, verdict):
    assert found("dale", cls, fast=False).verdict == verdict


def test_a_delta_rule_turns_signs_and_one_that_clamps_them_none():
    assert turned(Subject(layers.Held))[0] == []
    flips, moved, done = turned(Subject(layers.Delta))
    assert flips
    assert (moved, done) == (True, 200)


def test_chance_is_what_normal_weights_give():
    finding = found("dale", layers.Delta, fast=False)
    assert finding.detail["chance"] == pytest.approx(0.5 + math.sqrt(1 / (2 * math.pi * 4)))
    W = np.random.default_rng(0).normal(size=(64, 4000))
    share = np.maximum((W > 0).mean(0), (W < 0).mean(0))
    assert share.mean() == pytest.approx(0.5 + math.sqrt(1 / (2 * math.pi * 64)), abs=4 * share.std() / 4000**0.5)


# ---------------------------------------------------------------- online


@pytest.mark.parametrize("cls", [FeedbackAlignment, DeltaRule])
def test_a_block_is_the_sum_of_its_signals(cls):
    assert coupling(Subject(cls)) < 1e-14


@pytest.mark.parametrize("cls", [NodePerturbation, ForwardForward, RewardModulatedHebb])
def test_noise_is_no_coupling(cls):
    assert interaction(Subject(cls)) < 1e-13


@pytest.mark.parametrize("cls", [layers.Normed, signals.Centred])
def test_signals_that_are_normalised_together_are_coupled(cls):
    subject = Subject(cls)
    assert coupling(subject) > 1e3 * ADDITIVE
    assert interaction(subject) > 1e3 * ADDITIVE


def test_who_learns_as_signals_come_and_who_does_not():
    assert found("online", Oja, fast=False).verdict == "PASS"
    assert found("online", Logistic, fast=False).verdict == "FAIL"
    for cls in Attention, recurrent.BPTT:
        finding = probe(Case(cls))
        assert (finding.verdict, finding.detail["label"]) == ("FAIL", "within the trial")
    assert probe(Case(recurrent.RFLO)).verdict == "PASS"


def test_lessons_of_one_are_held_against_lessons_in_blocks():
    finding = found("online", DeltaRule, fast=False)
    low, high = finding.detail["interval"]
    assert finding.verdict == "PASS"
    assert low <= finding.detail["difference"] <= high
    assert finding.detail["difference"] == pytest.approx(finding.detail["block_1"] - finding.detail["block_32"])
    assert finding.detail["block_1"] > 0.5
    assert finding.detail["classes_in_turn"] < finding.detail["block_1"]


# ---------------------------------------------------------------- sparsity and energy


def test_measures_of_k_equal_cells_of_n():
    for k, n in (1, 10), (3, 12), (7, 7):
        rates = np.zeros((5, n))
        rates[:, :k] = 2.5
        m = measures(rates)
        assert m["active"] == pytest.approx(k / n)
        assert m["treves_rolls"] == pytest.approx(k / n)
        assert m["hoyer"] == pytest.approx((n**0.5 - k**0.5) / (n**0.5 - 1))


def test_few_are_sparse_and_half_are_not():
    few, half = found("sparsity", signals.Few, fast=False), found("sparsity", MLP, fast=False)
    assert (few.verdict, few.value) == ("PASS", pytest.approx(2 / 12))
    assert half.verdict == "FAIL"
    assert half.limit_of_detection == 1 / MLP.hypers()["hidden"].default
    assert found("sparsity", FeedbackAlignment, fast=False).verdict == "NA"
    assert found("sparsity", Oja, fast=False).verdict == "NA"


def test_an_answer_costs_its_weights():
    subject = Subject(DeltaRule)
    energy = spent(subject, subject.learner, *(np.repeat(a[None], 120, axis=0) for a in (subject.x, subject.y)))
    assert energy["answer"]["mac"] == 9 * 4
    assert energy["answer"]["joules"] == pytest.approx(36 * 4.6e-12)
    assert energy["answer"]["joules_with_memory"] == pytest.approx(36 * 9.6e-12)
    assert energy["lesson"]["mac"] >= 9 * 4
