"""The contract, for learners named with `--learner`: a test each, `Learner:check`."""


def test_contract(contract_check):
    """The check passes, or is skipped with its reason."""
    import pytest

    learner, params, check = contract_check
    if reason := check.hold(learner, params):
        pytest.skip(reason)
