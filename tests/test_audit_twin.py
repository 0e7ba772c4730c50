"""The positive control of an audit: made to measure, a true gradient, and always found out."""

import numpy as np
import pytest

from harness.audit import audit, carriers
from harness.audit.case import Case
from harness.audit.twin import chain
from learners.attention import Attention
from learners.backprop import Backprop
from learners.feedback_alignment import FeedbackAlignment
from tests.audited import recurrent


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
    assert not case.twin_name
    assert case.twin is not None
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


def test_attention_is_no_chain_and_its_own_control():
    """It is back-propagation itself, and found out: what cannot be built need not be."""
    assert Case(Attention, fast=True).twin is None
    profile = audit(Attention, only=["weight_transport"], fast=True)
    assert profile["weight_transport"].verdict == "FAIL"
    assert profile.twin.startswith("itself")
    assert audit(Attention, only=["channel"], fast=True).twin == ""
