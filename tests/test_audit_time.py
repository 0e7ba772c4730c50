"""Waiting, phases, causality and storage, on learners of which each is known."""

import numpy as np
import pytest

from harness.audit import audit, causality, kicks, phases, storage, ticks, update_locking
from harness.audit.case import Case
from harness.audit.graph import Graph
from harness.audit.subject import Subject, UnauditableError
from harness.learner import Population, hyper
from harness.trace import Script
from learners.attention import Attention
from learners.backprop import Backprop
from learners.contrastive_hebbian import ContrastiveHebbian
from learners.delta_rule import DeltaRule
from learners.diehl_cook import DiehlCook
from learners.direct_feedback_alignment import DirectFeedbackAlignment
from learners.equilibrium_propagation import EquilibriumPropagation
from learners.feedback_alignment import FeedbackAlignment
from learners.forward_forward import ForwardForward
from learners.hebbian import HebbianAssociator
from learners.kolen_pollack import KolenPollack
from learners.node_perturbation import NodePerturbation
from learners.oja import Oja
from learners.pepita import Pepita
from learners.perceptron import Perceptron
from learners.predictive_coding import PredictiveCoding
from learners.target_projection import DirectRandomTargetProjection
from learners.three_factor import RewardModulatedHebb
from learners.weight_mirror import WeightMirror
from learners.weight_perturbation import WeightPerturbation
from tests.audited import recurrent
from tests.audited.layers import Delta, delta

SMALL = dict(depth=2)


def finding(cls, criterion, *, fast=True, **params):
    return audit(cls, params, only=[criterion], fast=fast)[criterion]


# ---------------------------------------------------------------- update locking


@pytest.mark.parametrize(
    "cls", [Backprop, FeedbackAlignment, DirectFeedbackAlignment, DirectRandomTargetProjection, NodePerturbation, DeltaRule]
)
def test_a_step_is_on_the_way_to_a_change_if_and_only_if_the_change_feels_it(cls):
    """The definition, to the letter: after each step what was written is scrambled, and the run goes on."""
    subject = Subject(cls, SMALL if "depth" in cls.hypers() else {})
    web = update_locking.Web(Graph(subject))
    changed = [e for e in subject.base.events if e.kind == "change" and e.name[0] == "W"]
    assert changed
    for event in (e for e in subject.base.events if e.kind not in ("change", "applied")):
        noise = 0.1 + 0.1 * subject.rng.random(event.vector.size)
        run = subject.run(script=Script().inject(event.name, event.step, noise))
        felt = {e.name for e in changed if not np.array_equal(run.changes[e.name], subject.base.changes[e.name])}
        assert felt == {e.name for e in changed if event.step in web.before(e.step)}


@pytest.mark.parametrize(
    ("cls", "lock"),
    [
        (Backprop, lambda above: 2 * above),
        (FeedbackAlignment, lambda above: 2 * above),
        (DirectFeedbackAlignment, lambda above: above + 1 if above else 0),
        (DirectRandomTargetProjection, lambda _: 0),
        (NodePerturbation, lambda above: above),
    ],
)
def test_layers_wait_for_those_above(cls, lock):
    found = {w.array: w for w in update_locking.waits(update_locking.Web(Graph(Subject(cls, dict(depth=4)))))}
    assert [found[f"W[{l}]"].lock for l in range(5)] == [lock(4 - l) for l in range(5)]


def test_feedback_alignment_waits_as_long_as_back_propagation():
    one, other = (update_locking.waits(update_locking.Web(Graph(Subject(cls, SMALL)))) for cls in (Backprop, FeedbackAlignment))
    assert [w[:3] for w in one] == [w[:3] for w in other]


@pytest.mark.parametrize(("cls", "slope"), [(Backprop, 2), (DirectFeedbackAlignment, 1), (DirectRandomTargetProjection, 0)])
def test_waiting_grows_with_depth(cls, slope):
    assert update_locking.growth(Case(cls))["slope"] == pytest.approx(slope, abs=1e-9)


@pytest.mark.parametrize("cls", [Perceptron, DeltaRule, HebbianAssociator, Oja, ForwardForward, DirectRandomTargetProjection])
def test_what_waits_for_nothing_may_learn_at_once(cls):
    found = finding(cls, "update_locking")
    assert (found.verdict, found.value, max(found.detail["freeze"].values())) == ("PASS", 0.0, 1)


@pytest.mark.parametrize(
    ("cls", "held"),
    [
        (Backprop, {"W[0]", "W[1]"}),
        (FeedbackAlignment, {"W[0]", "W[1]"}),
        (DirectFeedbackAlignment, {"W[0]", "W[1]"}),
        (NodePerturbation, {"W[0]", "W[1]"}),
        (Pepita, {"W[0]", "W[1]", "W[2]"}),
        (PredictiveCoding, {"W[0]", "W[1]", "W[2]"}),
        (WeightPerturbation, set()),  # its changes read what was rewarded, and no activity
        (DirectRandomTargetProjection, set()),
        (ForwardForward, set()),
        (DeltaRule, set()),
        (DiehlCook, set()),
    ],
)
def test_what_the_next_sample_would_disturb(cls, held):
    """It comes as soon as a layer can have learnt, while this one is still on its way through those above."""
    disturbed = finding(cls, "update_locking").detail["pipeline"]
    assert {array for array, share in disturbed.items() if share > 0.01} == held
    assert all(disturbed[array] == 0 for array in disturbed.keys() - held)


@pytest.mark.parametrize("cls", [PredictiveCoding, EquilibriumPropagation, RewardModulatedHebb, WeightPerturbation])
def test_settling_and_rewards_are_waited_for(cls):
    found = finding(cls, "update_locking")
    assert (found.verdict, found.detail["label"]) == ("FAIL", "locked")
    assert found.witness.array.startswith("W")


# ---------------------------------------------------------------- phases


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    "cls", [Backprop, FeedbackAlignment, KolenPollack, PredictiveCoding, Perceptron, HebbianAssociator, DiehlCook]
)
def test_one_phase(cls, seed):
    found = phases.probe(Case(cls, seed=seed, fast=True))
    assert (found.verdict, found.value) == ("PASS", 1.0)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    "cls",
    [EquilibriumPropagation, ContrastiveHebbian, ForwardForward, Pepita, NodePerturbation, WeightPerturbation, WeightMirror],
)
def test_two_phases(cls, seed):
    found = phases.probe(Case(cls, seed=seed, fast=True))
    assert (found.verdict, found.value) == ("FAIL", 2.0)


def test_equilibrium_propagation_unlearns_what_is_free_and_learns_what_is_nudged():
    first = dict(nudging="positive", nudge=1.0, order="together", eps=0.5, nudged=4, start="xavier")
    beats = kicks.Kicker(Case(EquilibriumPropagation, first).graph, 2, 0.1).beats()
    kernel = {(b.answer.population, name): k for cell in beats.values() for b in cell for name, k in b.kernel.items()}
    assert {key: round(k, 2) for key, k in kernel.items() if key[0][:2] == "up"} == {(f"up[{l}]", f"W[{l}]"): 1 for l in range(3)}
    assert kernel["a[2]", "W[1]"] == pytest.approx(-1, abs=0.1)
    assert kernel["a[3]", "W[2]"] == pytest.approx(-1, abs=0.1)


def test_the_feedback_of_a_weight_mirror_learns_in_a_phase_of_its_own_and_not_without_it():
    assert finding(WeightMirror, "phases").detail["own_phase"] == ["F[0]", "F[1]"]
    assert finding(KolenPollack, "phases").detail["own_phase"] == []
    for cls, needs in ((WeightMirror, True), (KolenPollack, False)):

        class Awake(cls):
            rest = FeedbackAlignment.rest

        changes = Subject(Awake).base.changes
        assert np.any(changes["F[0]"]) != needs


@pytest.mark.parametrize(("cls", "clamped"), [(EquilibriumPropagation, True), (Pepita, True), (Backprop, False)])
def test_outputs_under_the_target_in_part_of_the_sample_are_said(cls, clamped):
    assert finding(cls, "phases").detail["target_clamp"] is clamped


# ---------------------------------------------------------------- sequences


def test_influences_and_a_tape_give_the_same_gradient():
    one, other = (Subject(cls, ticks=9).base.changes for cls in (recurrent.RTRL, recurrent.BPTT))
    assert all(np.allclose(one[name], other[name], rtol=0, atol=1e-14) for name in ("W", "U"))


def test_the_gradient_of_the_tape_is_that_of_the_loss():
    subject = Subject(recurrent.BPTT, dict(rate=1e-6), ticks=5)

    def loss(W):
        return 0.5 * np.sum((subject.y[-1] - subject.learner.fork(W=W).probe(subject.x).response[-1]) ** 2)

    W, step = subject.learner.arrays()["W"], 1e-6
    slopes = np.zeros_like(W)
    for at in np.ndindex(W.shape):
        up, down = W.copy(), W.copy()
        up[at] += step
        down[at] -= step
        slopes[at] = (loss(down) - loss(up)) / (2 * step)
    assert np.allclose(subject.base.changes["W"], slopes, atol=1e-8)


ONLINE = recurrent.RFLO, recurrent.SymmetricRFLO, recurrent.RTRL
TAPES = recurrent.BPTT, recurrent.PreallocatedBPTT


@pytest.mark.parametrize("cls", ONLINE)
def test_traces_credit_a_tick_when_it_comes(cls):
    verdicts = {c: finding(cls, c).verdict for c in ("causality", "storage", "phases", "update_locking")}
    assert set(verdicts.values()) == {"PASS"}


@pytest.mark.parametrize("cls", TAPES)
def test_a_tape_is_late_long_and_a_phase_of_its_own(cls):
    verdicts = {c: finding(cls, c).verdict for c in ("causality", "storage", "phases", "update_locking")}
    assert set(verdicts.values()) == {"FAIL"}
    assert finding(cls, "causality").value == 3


def test_what_is_attended_to_is_offline_and_held():
    assert finding(Attention, "causality").verdict == "FAIL"
    held = finding(Attention, "storage")
    assert held.verdict == "FAIL"
    assert held.detail["answer"][0] < held.detail["answer"][-1]


@pytest.mark.parametrize("cls", [Backprop, Oja, DiehlCook, RewardModulatedHebb])
def test_samples_one_after_another_leave_nothing_that_grows(cls):
    assert finding(cls, "storage").verdict == "PASS"
    assert finding(cls, "causality").verdict == "PASS"


def test_live_scalars_are_counted_exactly():
    """Traces n n and cells n; influences n n n and cells n; a tape of what was and how steep, n each tick."""
    for n in (4, 6):
        assert storage.counted(Case(recurrent.RFLO, dict(units=n)), 5).total == n * n + n
        assert storage.counted(Case(recurrent.BPTT, dict(units=n)), 5).live.keys() >= {"H", "S", "t"}
        assert storage.counted(Case(recurrent.BPTT, dict(units=n)), 5).live["H"] == n * 5
    assert storage.counted(Case(recurrent.RTRL, dict(units=4)), 5).total == 4**3 + 4


def test_a_tape_that_was_laid_out_beforehand_is_as_live_as_one_that_was_not():
    one, other = (storage.counted(Case(cls, dict(units=4)), 8) for cls in TAPES)
    assert one == other


@pytest.mark.parametrize(("xs", "b"), [((4, 8, 16), 1.0), ((2, 4, 8), 2.0)])
def test_exponents(xs, b):
    assert storage.exponent(xs, [3 * x**b for x in xs]) == pytest.approx(b)
    assert storage.exponent(xs, [0, 0, 0]) == 0


# ---------------------------------------------------------------- what is hidden

KEPT = {}


def from_a_global(target, signal, W, y, e, rate):
    KEPT.setdefault("share", float(W[0, 0]))
    delta(target, signal, W, y, e, rate * (1 + 0.1 * abs(KEPT["share"])))


class Keeper(Delta):
    """Keeps a weight that it had at its first sample where no array is."""

    learn = from_a_global


def test_a_snapshot_is_all_there_is():
    for cls in (Backprop, Perceptron, recurrent.BPTT, DiehlCook):
        assert causality.hidden(Subject(cls), process=False) == ("", "new import")


@pytest.mark.parametrize("fast", [True, False])
def test_what_is_kept_in_a_global_is_found(fast):
    KEPT.clear()
    found = finding(Keeper, "causality", fast=fast)
    assert found.verdict == "FAIL"
    assert "remembers more" in found.reason
    assert found.detail["snapshot"] == ("new import" if fast else "new process")


def test_a_new_process_goes_on_as_this_one_does():
    for cls in (NodePerturbation, recurrent.RFLO):
        assert causality.hidden(Subject(cls), process=True) == ("", "new process")


def test_a_class_of_a_function_is_not_imported_again():
    class Local(Delta):
        pass

    assert causality.hidden(Subject(Local), process=False) == ("", "")
    assert finding(Local, "causality").detail["snapshot"] == "not tried"


# ---------------------------------------------------------------- no power


class Still(Delta):
    """Learns nothing."""

    populations = Population("y"), Population("e", "error")
    rate: float = hyper(default=0.0, doc="step size", low=0.0, high=0.0)


@pytest.mark.parametrize("criterion", ["phases", "causality", "storage"])
def test_what_does_not_learn_is_not_judged(criterion):
    assert finding(Still, criterion).verdict == "INCONCLUSIVE"


def test_ticks_lived_by_hand_are_those_that_the_harness_lives():
    for cls in (recurrent.RFLO, recurrent.BPTT, Backprop, DiehlCook):
        subject = Subject(cls)
        path, learner, twin = ticks.course(subject, 4), subject.learner.fork(), subject.learner.fork()
        ticks.live(learner, path)
        T = 1 if path.lone else 4
        twin.live(path.X.reshape(-1, T, 9), path.Y.reshape(-1, T, 4), python=True)
        assert all(np.array_equal(a, twin.arrays()[name]) for name, a in learner.arrays().items())


def test_nothing_changed_is_no_phase():
    with pytest.raises(UnauditableError, match="nothing changed"):
        phases.probe(Case(Still, fast=True))
