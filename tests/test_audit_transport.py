"""Weight transport: found where it is, named for what it is, and not where there is none; its twin; and what it leaves alone."""

from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest

from harness.audit import audit, carriers, weight_transport
from harness.audit.case import Case
from harness.audit.nullspace import Null, elsewhere, is_rate
from harness.audit.subject import Effect, UnauditableError
from harness.audit.twin import chain
from harness.base import Learner
from harness.declare import Can, Population, Synapse, hyper
from learners.attention import Attention
from learners.backprop import Backprop
from learners.controls import Majority
from learners.delta_rule import DeltaRule
from learners.direct_feedback_alignment import DirectFeedbackAlignment
from learners.equilibrium_propagation import EquilibriumPropagation
from learners.feedback_alignment import FeedbackAlignment
from learners.frozen import FrozenHidden
from learners.kernels import t_dot
from learners.kolen_pollack import KolenPollack
from learners.mlp import MLP
from learners.network import Network
from learners.node_perturbation import NodePerturbation
from learners.predictive_coding import PredictiveCoding
from learners.sign_symmetry import SignSymmetry
from learners.target_propagation import AuxiliaryTargetPropagation, DifferenceTargetPropagation, SimplifiedTargetPropagation
from learners.weight_mirror import WeightMirror
from tests.audited import feedback, recurrent


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


def still(task, rng, hidden, depth, activation, start, block):
    state = Network.init(task, rng, hidden, depth, activation, start, block)
    return state | dict(F=tuple(np.zeros((m, k)) for m, k in [(hidden, hidden)] * (depth - 1) + [(hidden, task.n_out)]))


class Still(FeedbackAlignment):
    """Feedback that brings nothing down."""

    init = still


def test_where_nothing_is_learnt_nothing_is_concluded():
    finding = found(Still)
    assert finding.verdict == "INCONCLUSIVE"
    assert "nothing is learnt" in finding.reason


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


def hebb(target, dW, a, n, block):
    at, to, w = 0, block * n[0], 0
    for l in range(n.size - 1):
        k, m = n[l], n[l + 1]
        t_dot(a[to:], a[at:], dW[w:], m, block, k)
        at, to, w = to, to + block * m, w + m * k


def sanger(target, W, dW, a, n, block):
    """dW[l][j] = y_j (x - sum over k <= j of y_k W[l][k])."""
    at, to, w = 0, n[0], 0
    for l in range(n.size - 1):
        k, m = n[l], n[l + 1]
        for j in range(m):
            for i in range(k):
                rest = a[at + i]
                for h in range(j + 1):
                    rest -= a[to + h] * W[w + h * k + i]
                dW[w + j * k + i] = a[to + j] * rest
        at, to, w = to, to + m, w + m * k


class Hebb(Network):
    """Two layers and more, and no teacher."""

    populations = (Population("a[l]"),)
    learn = hebb


class Sanger(Hebb):
    """Rows that read each other."""

    learn = sanger


def test_without_a_teacher_nothing_is_carried():
    finding = found(Hebb)
    assert finding.verdict == "PASS"
    assert "no teaching signal" in finding.reason


def test_rows_of_one_layer_that_read_each_other_are_a_matter_of_locality():
    finding = found(Sanger)
    assert finding.verdict == "PASS"
    assert {name for name, _ in finding.detail["lateral"]} == {"W[1]", "W[2]"}
    assert audit(Sanger, only=["locality"], fast=True)["locality"].verdict == "FAIL"


# ---------------------------------------------------------------- spikes


def spiking_init(task, rng, hidden):
    n = task.shape[0]
    W, U = rng.normal(0, 1, (hidden, n)), rng.normal(0, 1, (task.n_out, hidden))
    W[: hidden // 3] = -np.abs(W[: hidden // 3])  # these cells never fire
    cells = {name: np.zeros(hidden) for name in "vslt"} | {name: np.zeros(task.n_out) for name in "ye"}
    raw = dict(dW=np.zeros_like(W), dU=np.zeros_like(U), z=np.zeros_like(W), x=np.zeros(n))
    return dict(W=W, U=U, F=rng.normal(0, 1, U.T.shape)) | cells | raw


def fire(signal, out, W, U, x, v, s, y, z, t):
    """v leaks, gathers and is reset by a spike; y leaks and gathers spikes; z and t remember slope and input, and spikes."""
    for i in range(x.size):
        x[i] = signal[0, i]
    for j in range(v.size):
        total = 0.8 * v[j] * (1 - s[j])
        for i in range(x.size):
            total += W[j, i] * x[i]
        v[j] = total
    for j in range(v.size):
        s[j] = 1.0 if v[j] > 1 else 0.0
    for j in range(v.size):
        t[j] = 0.8 * t[j] + s[j]
        for i in range(x.size):
            z[j, i] = 0.8 * z[j, i] + x[i] / (1 + abs(v[j] - 1)) ** 2
    for k in range(y.size):
        total = 0.8 * y[k]
        for j in range(v.size):
            total += U[k, j] * s[j]
        y[k] = total
        out[0, k] = y[k]


def settle_up(target, U, F, dW, dU, y, e, l, z, t, tied):
    """dW = l z, l = F e, or U' e if `tied`: the slope of a spike is that of a surrogate."""
    for k in range(y.size):
        e[k] = target[0, k] - y[k]
    for j in range(l.size):
        total = 0.0
        for k in range(y.size):
            total += (U[k, j] if tied else F[j, k]) * e[k]
        l[j] = total
    for j in range(l.size):
        for i in range(z.shape[1]):
            dW[j, i] = l[j] * z[j, i]
        for k in range(y.size):
            dU[k, j] = e[k] * t[j]


def calm(taught, v, s, y, z, t):
    for array in (v, s, y, t):
        array[:] = 0
    z[:] = 0


def step(theta, grad, rate):
    for i in range(theta.size):
        theta[i] += rate * grad[i]


class Surrogate(Learner):
    """Two layers of cells that spike, with e-propagation: feedback of its own, or the weights that lead up."""

    rate: float = hyper(default=1e-4, doc="step size", low=1e-9, high=1.0, log=True)
    hidden: int = hyper(default=15, doc="cells", low=3, high=99, search=False)
    tied: bool = hyper(default=False, doc="whether errors come down through U'", search=False)

    can = Can(inputs=frozenset({"sequence"}))
    audited: ClassVar = dict(hidden=15)
    synapses = Synapse("W", "x", "s"), Synapse("U", "s", "y"), Synapse("F", "e", "l", "feedback", plastic=False)
    populations = (
        Population("x"), Population("v", of="s"), Population("s", "spike"), Population("y"), Population("e", "error", of="y"),
        Population("l", "error", of="s"), Population("t", of="s"),
    )  # fmt: skip
    init, respond, learn, rest, adapt = spiking_init, fire, settle_up, calm, step


def test_weights_of_silent_cells_tell_of_transport_to_the_bit():
    free, tied = found(Surrogate), found(Surrogate, tied=True)
    assert free.detail["null_dimension"]["U"] >= 5
    assert (free.verdict, free.value, tied.verdict) == ("PASS", 0.0, "FAIL")
    assert ("U", "l") in offenders(tied)
    assert tied.detail["T"]["U"]["W"] > 0.01
    assert free.detail["twin"]["name"].startswith("back-propagation through time")


def test_only_cells_that_never_fired_are_moved():
    case = Case(Surrogate, fast=True)
    basis = Null(case.graph).basis(next(K for K in carriers.carriers(case.graph) if K.array == "U"))
    fired = np.any([e.vector for e in case.subject.base.events if e.name == "s"], axis=0)
    assert fired.any()
    assert not (basis != 0)[:, fired].any()


# ---------------------------------------------------------------- the twin


def loss(learner, x, y):
    out = learner.fork().live(x[None], None, python=True)
    return 0.5 * float(np.sum((y[-1] - out[0, -1]) ** 2))


@pytest.mark.parametrize("cls", [FeedbackAlignment, recurrent.RFLO])
def test_the_twin_goes_down_the_gradient(cls):
    subject = Case(cls, fast=True).twin.subject
    for s in subject.wiring:
        W = subject.learner.arrays()[s.array]
        for place in [(0, 0), (1, 2), (3, 1)]:
            more, less = W.copy(), W.copy()
            more[place] += 1e-6
            less[place] -= 1e-6
            up, down = (loss(subject.learner.fork(**{s.array: V}), subject.x, subject.y) for V in (more, less))
            assert subject.base.changes[s.array][place] == pytest.approx((down - up) / 2e-6, rel=1e-5, abs=1e-9)


def test_the_twin_has_the_architecture_of_its_subject():
    case = Case(FeedbackAlignment, dict(hidden=5, depth=3), fast=True)
    assert case.twin_name == "back-propagation in a network of 9-5-5-5-4 units"
    assert [len(W) for name, W in case.twin.subject.learner.arrays().items() if name.startswith("W[")] == [5, 5, 5, 4]
    assert chain(case.graph) == (["W[0]", "W[1]", "W[2]", "W[3]"], False)
    np.testing.assert_array_equal(case.twin.subject.x, case.subject.x)


def test_recurrent_cells_have_a_twin_in_time():
    twin = Case(recurrent.RFLO, fast=True).twin
    assert twin.subject.task.n_ticks > 1
    assert {s.role for s in twin.subject.wiring} == {"forward", "lateral"}
    reached = {(o.cause, o.name) for o in carriers.examine(twin.graph).offences}
    assert reached >= {("R[0]", "d[0]"), ("W[1]", "d[0]")}


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_every_twin_is_found_out(depth):
    twin = Case(Backprop, dict(depth=depth), fast=True).twin
    assert {(o.cause, o.name) for o in carriers.examine(twin.graph).offences} == {
        (f"W[{l}]", f"d[{l - 1}]") for l in range(1, depth + 1)
    }


def test_attention_is_no_chain():
    assert Case(Attention, fast=True).twin is None


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
