"""Every learner keeps the contract, and every check finds the learner that breaks it."""

import json
import shlex
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import checks
from harness.checks import CHECKS, SkippedError
from harness.checks.material import modest
from learners.attention import Attention
from learners.controls import Chance, Logistic, Majority, NearestNeighbour, RandomFeatures
from learners.diehl_cook import DiehlCook
from learners.hebbian import HebbianAssociator
from learners.mcculloch_pitts import McCullochPitts
from learners.mlp import MLP
from learners.oja import Oja
from learners.perceptron import Perceptron
from tests import wrong

RULES = McCullochPitts, Perceptron, Oja, HebbianAssociator, MLP, Attention, DiehlCook
CONTROLS = Chance, Majority, Logistic, NearestNeighbour, RandomFeatures
APPLY = {Oja: 24, Perceptron: 26, MLP: 26, Chance: 8}
"""How many of the checks apply."""
WISHES = "an_audit_can_begin", "an_audit_sees_every_signal", "an_audit_knows_whose_signals_they_are"
"""Those that no learner fails: see `test_wishes.py`."""
OPEN = {(Attention, "an_audit_knows_whose_signals_they_are"): "A: no synapse leads to or from it"}
"""Wishes that learners of ours leave open: how much a token attends to another is the activity of no cell."""


@pytest.mark.parametrize(
    ("cls", "check"),
    [pytest.param(cls, check, id=f"{cls.__name__}:{check.id}") for cls in (*RULES, *CONTROLS) for check in checks.checks(cls)],
)
def test_contract(cls, check):
    try:
        check(cls)
    except SkippedError as skipped:
        if str(skipped).startswith(OPEN.get((cls, check.id), "none")):
            return
        pytest.fail(f"no learner of ours gives a reason to skip: {skipped}")


@pytest.mark.parametrize(
    "learner",
    [
        MLP(depth=3, residual=True, activation="prelu", loss="squared", optimiser="momentum", window=3),
        MLP(depth=0, block=1, optimiser="sgd"),
        Attention(heads=3, width=2, causal=True, pool="mean", loss="squared", block=1),
        Perceptron(start="random", fires_at_zero=True, bits=64),
        DiehlCook(units=3, image=40.0, gap=0.0, dt=1.0, tries=2, lockout=50.0, bits=64),
    ],
    ids=repr,
)
def test_other_settings_keep_it_too(learner):
    but = "hyperparameters_at_their_ends"  # which are those of the defaults
    report = checks.run(type(learner), learner.get_params(), only=[check.id for check in CHECKS if check.id != but])
    assert [c for c in report["checks"] if c["status"] == "failed"] == []
    assert report["counts"]["run"] > 15


# ---------------------------------------------------------------- wrong learners


CAUGHT = [
    (wrong.Scribbler, "inputs_untouched", "wrote to `signal`"),
    (wrong.Restless, "responding_leaves_no_mark", "responding alone changes W"),
    (wrong.Idler, "learning_changes_every_plastic_array", "b stays as it was"),
    (wrong.Denier, "learning_changes_every_plastic_array", "b is declared plastic=False, but changes"),
    (wrong.Stubborn, "rate_zero_changes_nothing", "W, b changes although rate is 0"),
    (wrong.Hoarder, "kernels_are_plain", "reaches the module's MEMORY, a ndarray"),
    (wrong.Counter, "same_seed_same_bytes", "at the start: b differ"),
    (wrong.Counter, "kernels_are_plain", "reaches the module's CALLS, a dict"),
    (wrong.Peeker, "kernels_are_plain", "peek reaches the module's LABELS, a list"),
    (wrong.Gambler, "kernels_are_plain", "gamble uses np.random"),
    (wrong.Gambler, "same_seed_same_bytes", "differ"),
    (wrong.Starter, "kernels_are_plain", "dice uses np.random"),
    (wrong.Starter, "same_seed_same_bytes", "at the start: W differ"),
    (wrong.Smuggler, "nothing_undeclared_learns", "V is learnt and the answer depends on it"),
    (wrong.Spender, "kernels_are_plain", "allocate calls zeros"),
    (wrong.Misshapen, "sizes_agree", r"W has shape \(5, 3\), but its post y has 3 units and its pre signal has 5"),
    (wrong.Ghost, "declared_arrays_exist", "trace is declared"),
    (wrong.Stranger, "declared_arrays_exist", "pre 'cortex'"),
    (wrong.Misspelt, "kernels_name_what_exists", "asks for 'ratte'.*Did you mean 'rate'"),
    (wrong.Silent, "documented", "Silent.learn has no docstring"),
    (wrong.Secret, "documented", "Secret has no docstring"),
    (wrong.Ghost, "documented", "says what trace is"),
    (wrong.Orphan, "source_is_given", "give the DOI"),
    (wrong.Overreacher, "compiled_equals_python", "out of bounds"),
    (wrong.Fickle, "cutting_the_stream", "cut into parts of 1: W"),
    (wrong.Forgetful, "snapshot_is_exact", "then trained further: W"),
    (wrong.Sharer, "fork_is_exact", "what a fork learnt changed W, b"),
    (wrong.Shapeless, "one_signature", "was compiled 2 times"),
    (wrong.Exploder, "hyperparameters_at_their_ends", "rate=1000.0 leads to NaN or infinity"),
    (wrong.Mumbler, "hyperparameters_at_their_ends", "rate=1.0 is refused, but the message does not name it: no"),
    (wrong.Swallower, "nan_is_refused", "fit takes a signal with nan"),
    (wrong.Divider, "one_sample_one_feature", "the answer is .*nan"),
    (wrong.Restarter, "predict_leaves_no_mark", "predict changed b"),
    (wrong.Fickle, "trace_tells_every_change", "the changes of W in the trace do not add up"),
    (wrong.Fiddler, "operations_can_be_counted", "nothing is known of its costs"),
]


@pytest.mark.parametrize(("cls", "name", "words"), [pytest.param(*case, id=f"{case[0].__name__}:{case[1]}") for case in CAUGHT])
def test_a_wrong_learner_is_caught_by_the_check_of_its_wrong(cls, name, words):
    check = getattr(checks, f"check_{name}")
    with pytest.raises((AssertionError, TypeError, IndexError), match=words):
        check(cls)
    report = checks.run(cls, only=[name])
    assert report["counts"] == dict(run=1, passed=0, skipped=0, failed=1)
    assert not checks.ok(report)


def test_the_learner_from_which_they_are_spoilt_is_right():
    report = checks.run(wrong.Right)
    assert [c for c in report["checks"] if c["status"] != "passed"] == []


def test_every_check_is_seen_to_fail():
    assert {name for _, name, _ in CAUGHT} | {*WISHES} == {check.id for check in CHECKS}


# ---------------------------------------------------------------- the report


def test_a_report_has_the_published_shape():
    report = json.loads(json.dumps(checks.run(Oja, {"rate": 0.05}, only=["documented", "nan_is_refused"])))
    assert list(report) == ["schema", "learner", "counts", "checks"]
    assert list(report["counts"]) == ["run", "passed", "skipped", "failed"]
    assert report["schema"] == 1
    assert report["learner"] == "Oja"
    assert report["counts"] == dict(run=1, passed=1, skipped=1, failed=0)
    assert checks.ok(report)
    for line in report["checks"]:
        assert list(line) == ["id", "status", "reason", "seconds", "reproduce"]
        assert (line["reason"] == "") == (line["status"] == "passed")
        assert line["seconds"] >= 0


def test_a_report_on_nothing_is_not_good():
    report = checks.run(Chance, only=["fork_is_exact"])
    assert report["counts"] == dict(run=0, passed=0, skipped=1, failed=0)
    assert report["checks"][0]["reason"] == "it wraps a model: no kernel and no array of it is ours"
    assert not checks.ok(report)


@pytest.mark.parametrize("cls", APPLY, ids=lambda cls: cls.__name__)
def test_the_checks_that_apply_are_as_many_as_they_should_be(cls):
    found = [check.id for check in checks.checks(cls)]
    assert len(found) == len(set(found)) == APPLY[cls]
    assert all(check.doc for check in CHECKS)


def test_each_check_is_public_under_its_name():
    for check in CHECKS:
        assert getattr(checks, f"check_{check.id}") is check.function
        assert f"check_{check.id}" in checks.__all__


def test_the_command_of_a_report_repeats_the_check():
    good, bad = (checks.run(cls, params, only=[name])["checks"][0] for cls, params, name in (
        (Perceptron, {"rate": 0.5}, "one_sample_one_feature"), (Majority, {}, "fork_is_exact"),
    ))  # fmt: skip
    for line, words in (good, "passed"), (bad, "skipped: it wraps a model"):
        _, *words_of_it = shlex.split(line["reproduce"])
        done = subprocess.run([sys.executable, *words_of_it], capture_output=True, text=True, check=True)
        assert done.stdout.startswith(words)


def test_an_unknown_check_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match=r"only=\['forks'\] must be some of .*fork_is_exact"):
        checks.run(Oja, only=["forks"])


def test_a_learner_that_raises_fails_with_what_it_raised():
    report = checks.run(wrong.Misspelt, only=["cutting_the_stream", "sizes_agree"])
    assert [c["status"] for c in report["checks"]] == ["failed", "passed"] or report["counts"]["failed"] >= 1
    assert any("TypeError: Misspelt.learn asks for 'ratte'" in c["reason"] for c in report["checks"])


# ---------------------------------------------------------------- the same, for learners that are drawn


def drawn(cls):
    """Learners of every setting: whole numbers up to 7, choices, and floats a factor of 3 about their default."""
    strategies = {}
    for name, field in cls.hypers().items():
        m = field.metadata
        if m["fit"] and name != "bits":
            continue
        if m["choices"]:
            strategies[name] = st.sampled_from(m["choices"])
        elif isinstance(field.default, bool):
            strategies[name] = st.booleans()
        elif isinstance(field.default, int):
            strategies[name] = st.integers(m["low"], min(7, m["high"]))
        else:
            strategies[name] = st.floats(max(m["low"], field.default / 3), min(m["high"], field.default * 3))
    return st.builds(cls, random_state=st.integers(0, 2**31), **strategies)


@pytest.mark.parametrize("cls", [c for c in RULES if c is not DiehlCook], ids=lambda cls: cls.__name__)
@given(data=st.data())
@settings(max_examples=8)
def test_exactness_holds_for_learners_that_are_drawn(cls, data):
    learner = data.draw(drawn(cls))
    for check in (
        checks.check_same_seed_same_bytes,
        checks.check_cutting_the_stream,
        checks.check_fork_is_exact,
        checks.check_snapshot_is_exact,
        checks.check_responding_leaves_no_mark,
        checks.check_sizes_agree,
        checks.check_one_sample_one_feature,
    ):
        check(learner)


def test_what_is_set_stays_and_what_stands_at_its_default_becomes_modest():
    assert modest(MLP).hidden == 6
    assert modest(MLP(hidden=40)).hidden == 40
    assert modest(MLP(hidden=40), hidden=3).hidden == 3
    assert modest(MLP(depth=5)).depth == 5
    assert modest(DiehlCook).hertz == DiehlCook().hertz
