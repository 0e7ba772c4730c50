"""What the command line does, for programs."""

import harness
from harness import api
from harness.engine import Summary


def test_run_and_results_are_there_for_programs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outcome = harness.run(learners=["Perceptron"], tasks=["logic/and"], controls=False, replicates=[0, 2], jobs=0, store="s.db")
    assert (outcome.exit_code, outcome.failed, len(outcome.plan.trials)) == (0, 0, 2)
    frame = harness.results("s.db")
    assert sorted(frame.replicate) == [0, 2]
    assert (frame.score == 1).all()


def test_a_broken_claim_or_an_interrupt_shows_in_the_exit_code():
    def code(summary, *statuses, failed=0):
        return api.Outcome(None, summary, {str(i): {"status": s} for i, s in enumerate(statuses)}, failed).exit_code

    assert code(Summary(), "held", "undecided") == 0
    assert code(Summary(), "held", "broken") == 1
    assert code(Summary(), failed=1) == 1
    assert code(Summary(stopped="failed")) == 1
    assert code(Summary(stopped="full")) == 1
    assert code(Summary(stopped="interrupted"), failed=1) == 130
