"""The fast audit of every learner finds what was expected: a test a learner, which prints whatever it finds otherwise."""

import pytest

from suites.audit.expectations import disagreements, table


@pytest.mark.parametrize("name", table())
def test_the_audit_finds_what_was_expected(name):
    """Verdicts, and what goes with them, as they stand in `expected.toml`."""
    from harness.audit import audit
    from harness.registry import find

    [(entry, params)] = find([]).choose([name])
    found = disagreements(name, audit(entry.thing, params, fast=True))
    assert not found, "\n".join([name, *found])


def test_every_learner_is_expected_of_something():
    """A new learner needs its lines in `expected.toml` before it is audited."""
    from harness.registry import find

    own = {e.name for e in find([]).learners.values() if e.thing is not None and e.thing.__module__.startswith("learners.")}
    assert own <= table().keys()


def test_what_is_expected_is_complete():
    """Every line has a verdict, where it comes from, and why; what was changed says what it was, and why."""
    from harness.audit import CRITERIA

    for lines in table().values():
        for criterion, line in lines.items():
            assert criterion in CRITERIA
            assert line["verdict"] in {"PASS", "FAIL", "NA", "INCONCLUSIVE"}
            assert line["by"] in {"table", "rule"}
            assert line["reason"]
            assert all({"verdict", "reason"} <= old.keys() for old in line.get("was", ()))
