"""Audits in processes of their own: in order, as in this one, and whatever becomes of a process."""

import importlib
import sys
from pathlib import Path

import pytest

from harness.audit import audit
from harness.audit.crew import Order, audits
from harness.registry import find

sys.path.append(str(Path(__file__).parent))
rule = importlib.import_module("bench").rule


@pytest.fixture
def orders(tmp_path):
    """A learner that ends its process, one that never ends, and two others around them."""
    bodies = dict(Dead="import os; os._exit(3)", Endless="while True: pass")
    for name, body in bodies.items():
        (tmp_path / f"{name}.py").write_text(rule(name, body=body))
    there = find([])
    known = [Order(e.name, e.where, e.name, {}) for e in (there.learner(name) for name in ("DeltaRule", "Oja"))]
    return [known[0], *(Order(n, f"{tmp_path / n}.py:{n}", f"{n}.py:{n}", {}) for n in bodies), known[1]]


def test_a_learner_that_ends_its_process_or_never_ends_is_inconclusive_and_the_others_are_unharmed(orders):
    found = list(audits(orders, jobs=2, seed=1, fast=True, only=["storage", "phases"], patience=20))
    assert [a.learner for a in found] == [o.learner for o in orders]
    for a, words in zip(found[1:3], ("exit code 3", "no result within 20 s"), strict=True):
        assert [(f.criterion, f.verdict) for f in a.criteria] == [("phases", "INCONCLUSIVE"), ("storage", "INCONCLUSIVE")]
        for f in a.criteria:
            assert words in f.reason
            assert f.reproduce == f"hebbench audit {a.learner}.py:{a.learner} --seed 1 --only {f.criterion} --fast"
    for a in (found[0], found[-1]):
        cls = find([]).learner(a.learner).thing
        assert a == audit(cls, seed=1, fast=True, only=["storage", "phases"], where=a.learner)
