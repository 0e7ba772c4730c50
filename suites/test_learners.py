"""The contract, for learners named with `--learner`: a test each, `Learner:check`."""


def test_contract(contract_check):
    """The check passes, or is skipped with its reason."""
    import pytest

    from harness.checks import SkippedError

    learner, check = contract_check
    try:
        check(learner)
    except SkippedError as skipped:
        pytest.skip(str(skipped))
