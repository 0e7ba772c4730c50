"""Whatever the claims say: every trial of the run must have a result."""


def test_no_trial_failed(hebbench_run):
    """No trial raised, crashed, ran out of time or out of memory."""
    assert hebbench_run.failed == 0, f"{hebbench_run.failed} trials failed; `hebbench report` names them under Trouble"
