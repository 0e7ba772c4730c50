"""How often the auditor errs: false alarms, misses, limits of detection, and what must not matter. Slow, but for a few seeds."""

import importlib
import tomllib

import numpy as np
import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from harness.audit import locality, weight_transport
from harness.audit.case import Case
from harness.audit.evidence import plain
from harness.audit.graph import Graph
from harness.audit.subject import Subject, UnauditableError
from harness.registry import find
from tests.audited import feedback, hebbian, recurrent

limits = importlib.import_module("tests.limits")

FREE = [
    "FeedbackAlignment", "DirectFeedbackAlignment", "DirectRandomTargetProjection", "KolenPollack", "WeightMirror",
    "NodePerturbation", "WeightPerturbation", "RewardModulatedHebb", "SimplifiedTargetPropagation", "Pepita", "ForwardForward",
    "PredictiveCoding[feedback=separate,steps=3]", "Oja", "DeltaRule", "HebbianAssociator",
]  # fmt: skip
"""Neither transport nor anything that is not local, by their equations."""
GUILTY = {
    "Backprop": "weight_transport", "SignSymmetry": "weight_transport", "DifferenceTargetPropagation": "weight_transport",
    "PredictiveCoding": "weight_transport", "ZIL": "weight_transport", "ContrastiveHebbian": "weight_transport",
    "EquilibriumPropagation": "weight_transport", hebbian.Sanger: "locality", hebbian.Subspace: "locality",
    hebbian.Lengthened: "locality", hebbian.SharedOut: "locality", feedback.Clipped: "locality",
    recurrent.SymmetricRFLO: "weight_transport",
}  # fmt: skip
"""Those that are not, and what must be found."""


def named(word):
    """A class and its settings."""
    if not isinstance(word, str):
        return word, {}
    [(entry, params)] = find([]).choose([word])
    return entry.thing, params


def verdicts(word, seed, criteria=(weight_transport, locality), **params):
    cls, given_params = named(word)
    case = Case(cls, given_params | params, seed=seed, fast=True)
    found = {}
    for probe in criteria:
        try:
            finding = plain(probe.probe(case))
            found[finding.criterion] = finding.verdict
        except UnauditableError:
            found[probe.__name__.rpartition(".")[2]] = "INCONCLUSIVE"
    return found


def accused(word, seed):
    """Whether single steps of a narrow network show anything that must not be; None where nothing can be said."""
    cls, params = named(word)
    params = params | (dict(hidden=4) if "hidden" in cls.hypers() else {})
    try:
        graph = Graph(Subject(cls, params, seed=seed))
    except UnauditableError:
        return None
    return bool(graph.distant_weights or graph.stray_signals or graph.read_signals or graph.read_weights)


# ---------------------------------------------------------------- false alarms, and misses


@pytest.mark.parametrize("word", FREE)
def test_no_false_alarm(word):
    """Of three seeds that nobody chose."""
    for seed in range(1000, 1003):
        assert set(verdicts(word, seed).values()) <= {"PASS", "NA"}


@pytest.mark.slow
@pytest.mark.parametrize("word", FREE)
def test_no_false_alarm_in_300_seeds(word):
    """0 of 300: at 95 % fewer than 1 of 100. Single steps of 300 seeds, and the whole probes of every thirtieth."""
    steps = [accused(word, seed) for seed in range(300)]
    whole = [verdicts(word, seed) for seed in range(0, 300, 30)]
    assert sum(map(bool, steps)) == 0
    assert sum(s is None for s in steps) <= 3
    assert sum("FAIL" in v.values() for v in whole) == 0


@pytest.mark.slow
@pytest.mark.parametrize("word", GUILTY)
def test_no_miss_in_10_seeds(word):
    criterion = GUILTY[word]
    probe = dict(weight_transport=weight_transport, locality=locality)[criterion]
    found = [verdicts(word, seed, [probe])[criterion] for seed in range(10)]
    assert found == ["FAIL"] * 10


# ---------------------------------------------------------------- limits of detection


@pytest.mark.parametrize("fault", limits.PLANTED)
def test_limits_are_those_that_are_written_down(fault):
    written = tomllib.loads(limits.FILE.read_text(encoding="utf-8"))[fault]
    criterion, cls, name = limits.PLANTED[fault]
    doses = (0.0, written["limit_of_detection"], 1.0)
    found = limits.course(criterion, cls, name, doses, seeds=2)
    assert [caught for *_, caught in found] == [0, 2, 2]
    for dose, seen, _ in found:
        least, _, most = written["statistic"][written["dose"].index(dose)]
        assert least * 0.99 <= np.min(seen) <= np.max(seen) <= max(most * 1.01, 1e-14)


def test_what_is_seen_grows_with_what_was_planted():
    """In proportion, over seven orders of magnitude; and of nothing, nothing but rounding is seen."""
    for fault in limits.PLANTED:
        written = tomllib.loads(limits.FILE.read_text(encoding="utf-8"))[fault]
        dose, seen = np.array(written["dose"]), np.array(written["statistic"])[:, 1]
        some = (dose >= 1e-9) & (dose <= 1e-2)
        slope = np.polyfit(np.log10(dose[some]), np.log10(seen[some]), 1)[0]
        assert abs(slope - 1) < 0.05
        assert seen[dose == 0] < 1e-14
        assert written["limit_of_detection"] <= 1e-6


# ---------------------------------------------------------------- what must not matter

shapes = dict(
    seed=st.integers(0, 10**6), hidden=st.integers(4, 16), depth=st.integers(2, 3),
    activation=st.sampled_from(["tanh", "sigmoid", "relu", "leaky_relu", "elu", "linear"]), rate=st.floats(1e-6, 0.1),
)  # fmt: skip


@pytest.mark.slow
@settings(max_examples=15)
@given(**shapes)
@example(seed=0, hidden=64, depth=2, activation="tanh", rate=1e-3)
@example(seed=0, hidden=4, depth=5, activation="tanh", rate=1e-3)
def test_no_shape_turns_one_verdict_into_the_other(seed, hidden, depth, activation, rate):
    """Units named otherwise (another seed), width, depth, activation, rate. That there is no power is counted, and allowed."""
    shape = dict(hidden=hidden, depth=depth, activation=activation, rate=rate)
    for word, wrong in ("FeedbackAlignment", "FAIL"), ("Backprop", "PASS"):
        found = verdicts(word, seed, [weight_transport], **shape)["weight_transport"]
        event(f"{word} {found}")
        assert found != wrong
        local = verdicts(word, seed, [locality], **shape)["locality"]
        event(f"{word} locality {local}")
        assert local != "FAIL"


@settings(max_examples=3)
@given(seed=st.integers(0, 10**6), hidden=st.integers(4, 12), rate=st.floats(1e-6, 0.1))
def test_neither_width_nor_rate_turns_one_verdict_into_the_other(seed, hidden, rate):
    shape = dict(hidden=hidden, rate=rate)
    assert verdicts("FeedbackAlignment", seed, [weight_transport], **shape) != dict(weight_transport="FAIL")
    assert verdicts("Backprop", seed, [weight_transport], **shape) != dict(weight_transport="PASS")
