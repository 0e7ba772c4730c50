"""What `hebbench check` tells an author to expose, so that an audit can look into a learner."""

import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from harness import checks
from harness.audit import FAST, audit
from harness.checks import SkippedError, wishes
from harness.learner import Population, Synapse, hyper
from harness.registry import find
from harness.wrapped import Wrapped
from learners.backprop import Backprop
from tests import wrong
from tests.audited import broken

sys.path.append(str(Path(__file__).parent))
shared = importlib.import_module("bench")
cli = shared.cli


def init(task, rng):
    """Weights W (4, n_in) and V (n_out, 4), feedback F (4, n_out); activity h and y, errors e and d; mean of all errors."""
    (n_in,), n_out = task.shape, task.n_out
    state = dict(W=rng.normal(size=(4, n_in)), V=rng.normal(size=(n_out, 4)), F=rng.normal(size=(4, n_out)))
    return state | {name: np.zeros((1, n)) for name, n in dict(h=4, y=n_out, e=n_out, d=4, mean=1, h2=4, y2=n_out).items()}


def respond(signal, out, W, V, h, y):
    """h = W x, y = V h."""
    for j in range(W.shape[0]):
        h[0, j] = 0
        for i in range(W.shape[1]):
            h[0, j] += W[j, i] * signal[0, i]
    for k in range(V.shape[0]):
        y[0, k] = 0
        for j in range(V.shape[1]):
            y[0, k] += V[k, j] * h[0, j]
    for k in range(V.shape[0]):
        out[0, k] = y[0, k]


def aligned(target, signal, W, V, F, h, y, e, d, rate):
    """Feedback alignment: e = target - y, d = F e; V += rate e h', W += rate d x'."""
    for k in range(V.shape[0]):
        e[0, k] = target[0, k] - y[0, k]
    for j in range(W.shape[0]):
        d[0, j] = 0
        for k in range(V.shape[0]):
            d[0, j] += F[j, k] * e[0, k]
    for k in range(V.shape[0]):
        for j in range(V.shape[1]):
            V[k, j] += rate * e[0, k] * h[0, j]
    for j in range(W.shape[0]):
        for i in range(W.shape[1]):
            W[j, i] += rate * d[0, j] * signal[0, i]


def averaged(target, signal, W, h, y, mean, rate):
    """The mean of all errors reaches every synapse: W += rate mean h x'."""
    mean[0, 0] = 0
    for k in range(y.shape[1]):
        mean[0, 0] += (target[0, k] - y[0, k]) / y.shape[1]
    for j in range(W.shape[0]):
        for i in range(W.shape[1]):
            W[j, i] += rate * mean[0, 0] * h[0, j] * signal[0, i]


def twice(target, signal, W, V, h2, y2, rate):
    """A second showing, to a signal half as large; V += rate (target - y2) h2'."""
    for j in range(W.shape[0]):
        h2[0, j] = 0
        for i in range(W.shape[1]):
            h2[0, j] += W[j, i] * signal[0, i] / 2
    for k in range(V.shape[0]):
        y2[0, k] = 0
        for j in range(V.shape[1]):
            y2[0, k] += V[k, j] * h2[0, j]
    for k in range(V.shape[0]):
        for j in range(V.shape[1]):
            V[k, j] += rate * (target[0, k] - y2[0, k]) * h2[0, j] * h2[0, (j + 1) % 4]


class Aligned(wrong.Right):
    """Feedback alignment in one hidden layer, all of it declared."""

    rate: float = hyper(default=0.01, doc="step size", low=1e-6, high=1.0, log=True)

    synapses = Synapse("W", "signal", "h"), Synapse("V", "h", "y"), Synapse("F", "e", "d", "feedback", plastic=False)
    populations = Population("h"), Population("y"), Population("e", "error"), Population("d", "error")
    init, respond, learn = init, respond, aligned


class Hider(Aligned):
    """Says nothing of its errors, nor of the feedback."""

    synapses = Synapse("W", "signal", "h"), Synapse("V", "h", "y")
    populations = Population("h"), Population("y")


class Averager(Hider):
    """One value for all, undeclared."""

    learn = averaged


class Modulated(Averager):
    """The same, declared."""

    populations = *Hider.populations, Population("mean", "modulator")


class Mute(Averager):
    """Declares errors that it never writes down."""

    populations = *Modulated.populations, Population("e", "error")


class Twice(Hider):
    """Shows each sample twice, and does not say that the cells are the same."""

    populations = Population("h"), Population("y"), Population("h2"), Population("y2")
    learn = twice


class Same(Twice):
    """Says so."""

    populations = Population("h"), Population("y"), Population("h2", of="h"), Population("y2", of="y")


SEES, KNOWS, BEGINS = "an_audit_sees_every_signal", "an_audit_knows_whose_signals_they_are", "an_audit_can_begin"
WISHES = BEGINS, SEES, KNOWS


def wish(cls, name):
    """The reason for which a check is skipped; empty where it passes. It never fails."""
    report = checks.run(cls, only=[name])
    assert report["counts"]["failed"] == 0, report["checks"][0]["reason"]
    return report["checks"][0]["reason"]


OWN = [
    e.thing for e in find([]).learners.values() if e.thing.__module__.startswith("learners.") and not issubclass(e.thing, Wrapped)
]
OPEN = {("Attention", KNOWS): "A: no synapse leads to or from it"}
"""What learners of this project cannot say, and why they cannot, in their docstrings."""


@pytest.mark.parametrize("cls", OWN, ids=lambda cls: cls.__name__)
def test_learners_of_this_project_leave_nothing_to_wish_for(cls):
    wished = {name: words for name in WISHES if (words := wish(cls, name))}
    assert wished.keys() == {name for learner, name in OPEN if learner == cls.__name__}
    for name, words in wished.items():
        assert words.startswith(OPEN[cls.__name__, name])
        assert "nothing could declare" in importlib.import_module(cls.__module__).__doc__


@pytest.mark.parametrize("cls", [wrong.Right, Aligned, Modulated, Backprop], ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("name", WISHES)
def test_nothing_is_left_to_wish_for(cls, name):
    assert wish(cls, name) == ""


@pytest.mark.parametrize(
    ("cls", "name", "words"),
    [
        (Hider, SEES, ["e carries signals from cell to cell (its value 0 reaches 4 of d)", "add Population('e', kind)"]),
        (Averager, SEES, ["mean carries signals from cell to cell", "of kind modulator"]),
        (Mute, SEES, ["nothing is written to e in a sample"]),
        (Twice, KNOWS, ["h2", "no synapse leads to or from it", "Population(name, kind, of=theirs)"]),
        (broken.Ragged, BEGINS, ["an audit can say nothing of it: array W is declared (post, pre) = (y, e)"]),
        (broken.Thrown, BEGINS, ["not deterministic under a fixed seed"]),
        (broken.Running, BEGINS, ["it diverged within"]),
        (
            broken.Foreign,
            KNOWS,
            ["d[1] is said to be of a[3], which are 4 where d[1] has 7 values", "d[2] is said to be of a[4]"],
        ),
    ],
    ids=lambda x: getattr(x, "__name__", None),
)
def test_what_is_lacking_is_wished_for(cls, name, words):
    reason = wish(cls, name)
    assert [each for each in words if each not in reason] == []


def test_whoever_says_whose_cells_are_shown_twice_is_understood():
    assert wish(Same, KNOWS) == ""


def test_a_slow_sample_asks_for_settings(monkeypatch):
    monkeypatch.setattr(wishes, "LONG", 0.0)
    assert "give `audited = dict(...)`" in wish(Aligned, BEGINS)


def test_what_belongs_to_one_cell_or_synapse_need_not_be_declared():
    """d is made of e through F, which is undeclared too; but d itself reaches only the synapses of its own cell."""
    assert "d carries" not in wish(Hider, SEES)


def test_a_check_may_be_called_by_itself_and_with_settings():
    with pytest.raises(SkippedError, match="mean carries"):
        checks.check_an_audit_sees_every_signal(Averager(rate=0.02))
    checks.check_an_audit_sees_every_signal(Backprop(depth=3, activation="tanh"))


def test_a_wish_is_no_failure_and_the_shape_of_a_report_stays(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = shared.rule("Mine").replace('"x", "y"', '"signal", "y"').replace("np.zeros((task.n_out", "np.ones((task.n_out")
    Path("mine.py").write_text(source)
    told = json.loads(cli("check", "mine.py", "--json", code=1).stdout)
    by_id = {c["id"]: c for c in told["checks"]}
    assert {*WISHES} <= by_id.keys()
    assert all(list(c) == ["id", "status", "reason", "seconds", "reproduce"] for c in by_id.values())
    assert by_id[BEGINS]["status"] == "passed"


def test_what_new_learner_writes_can_be_audited(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cli("new", "learner", "MyRule")
    (entry, _), = importlib.import_module("harness.registry").find(
        ["hebbench_my_rule/hebbench_my_rule/my_rule.py"]
    ).choose(["hebbench_my_rule/hebbench_my_rule/my_rule.py"])  # fmt: skip
    assert [wish(entry.thing, name) for name in WISHES] == ["", "", ""]
    found = audit(entry.thing, fast=True)
    assert [f.criterion for f in found.criteria] == list(FAST)
    assert [f.criterion for f in found.criteria if f.verdict == "INCONCLUSIVE"] == []
    assert found["locality"].detail["grade"] == "L3"
