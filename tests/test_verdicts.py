"""Verdicts: never on fewer trials than a claim needs, always with what is lacking, and the same wherever they are asked."""

import dataclasses
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import api, verdicts
from harness.claim import Claim, Needs, Verdict
from harness.commands.results import page
from harness.plan import Wish, make
from harness.registry import Suite, find
from harness.store import Store
from harness.storefile import STORED
from harness.trial import FAILED, FINAL, OUTCOMES

FOUND = find()
SEEN = []


def mean(frame):
    """Held if the mean score is above a half; notes what it was asked."""
    SEEN.append(frame)
    return Verdict("held" if frame.score.mean() > 0.5 else "broken", float(frame.score.mean()), (0.0, 1.0), "0.5", "as told")


def claim(n=3, decide=mean, **more):
    words = dict(id="c", text="It learns.", source="nobody", needs=[Needs("Perceptron", "logic/and", n)], published="1.0")
    return Claim(**words | dict(decide=decide) | more)


def planned(*claims, **wish):
    suites = {name: Suite(name, suite.tasks, [*claims] if name == "logic" else []) for name, suite in FOUND.suites.items()}
    wish = dict(tasks=["logic/and"], learners=["Perceptron"], controls=False) | wish
    return make(dataclasses.replace(FOUND, suites=suites), Wish(**wish))


def put(store, trial, outcome, **more):
    row = dict(
        key=trial.key, learner=trial.learner, suite=trial.suite, task=trial.task, params=trial.params,
        difficulty=trial.difficulty, replicate=trial.replicate, outcome=outcome,
        score=1.0 if outcome == "ok" else None, extra={"margin": 2}, tuned=False,
    )  # fmt: skip
    store.put(row | more, again=True)


@pytest.fixture
def store(tmp_path):
    SEEN.clear()
    with Store(tmp_path / "s.db") as opened:
        yield opened


def judged(plan, store):
    ((name, verdict),) = verdicts.judge_all(plan, store).items()
    assert name == "logic/c"
    return verdict


def test_with_every_trial_there_the_claim_decides_and_the_store_keeps_it(store):
    plan = planned(claim())
    for t in plan.claims["logic/c"][1]:
        put(store, t, "ok", score=0.25 * (t.replicate + 2))
    verdict = judged(plan, store)
    assert verdict == dict(
        suite="logic", id="c", text="It learns.", source="nobody", published="1.0", status="held", figure=0.75,
        interval=[0.0, 1.0], threshold="0.5", reason="as told", learners=["Perceptron"],
    )  # fmt: skip
    assert store.claims() == {"logic/c": verdict}
    (frame,) = SEEN
    assert sorted(frame.score) == [0.5, 0.75, 1.0]
    assert list(frame.extra) == [{"margin": 2}] * 3


@given(st.lists(st.sampled_from([None, *OUTCOMES]), min_size=4, max_size=4))
def test_a_claim_is_decided_exactly_if_every_trial_has_a_result(outcomes):
    plan = planned(claim(4))
    trials = plan.claims["logic/c"][1]
    there = {t.key: dict(key=t.key, outcome=o) for t, o in zip(trials, outcomes, strict=True) if o}
    asked = []
    whole = dataclasses.replace(claim(4), decide=lambda frame: asked.append(frame) or Verdict("held", 1.0, None, "", ""))
    rows = {k: blank() | row for k, row in there.items()}
    verdict = verdicts.judge(whole, trials, rows)
    lacking = sum(o not in FINAL for o in outcomes)
    assert bool(asked) == (verdict.status == "held") == (lacking == 0)
    if lacking:
        assert verdict[:3] == ("undecided", None, None)
        assert verdict.reason.startswith(f"lacks {lacking} of 4 trials")
        bad = [o for o in outcomes if o is not None and o not in FINAL]
        assert ("ended as" in verdict.reason) == bool(bad)
        assert all(o in verdict.reason for o in bad)


def blank():
    return dict.fromkeys(STORED) | dict(extra={}, tuned=False, params={}, difficulty={}, score=1.0)


def test_the_trials_that_failed_are_named(store):
    plan = planned(claim())
    first, second, third = plan.claims["logic/c"][1]
    put(store, first, "ok")
    put(store, second, "timeout")
    put(store, third, "crashed")
    assert judged(plan, store)["reason"] == "lacks 2 of 3 trials; 2 of them ended as crashed, timeout"
    assert SEEN == []


def test_a_failure_that_was_mended_counts_no_more_and_one_after_a_result_does(store):
    plan = planned(claim(1))
    (trial,) = plan.claims["logic/c"][1]
    put(store, trial, "error")
    assert judged(plan, store)["status"] == "undecided"
    put(store, trial, "ok")
    assert judged(plan, store)["status"] == "held"
    put(store, trial, "timeout")
    assert judged(plan, store)["status"] == "undecided"


@pytest.mark.parametrize("outcome", ["diverged", "not_applicable"])
def test_other_results_than_ok_are_shown_to_the_claim(store, outcome):
    plan = planned(claim(1))
    put(store, plan.claims["logic/c"][1][0], outcome)
    judged(plan, store)
    assert [list(frame.outcome) for frame in SEEN] == [[outcome]]


def test_on_fewer_replicates_than_it_needs_a_claim_stays_open(store):
    plan = planned(claim(3), replicates=[0, 1, 5])
    for t in plan.trials:
        put(store, t, "ok")
    verdict = judged(plan, store)
    assert (verdict["status"], verdict["figure"]) == ("undecided", None)
    assert verdict["reason"].startswith("lacks 1 of 3 trials")
    assert SEEN == []


def test_before_its_preset_a_claim_stays_open_and_names_the_preset(store):
    plan = planned(claim(3, since="quick"))
    assert judged(plan, store)["reason"] == "lacks 3 of 3 trials; the preset quick runs them all"


def test_rows_of_other_code_do_not_count(store):
    plan = planned(claim(1))
    put(store, plan.claims["logic/c"][1][0], "ok", key="of other code")
    assert judged(plan, store)["status"] == "undecided"


def test_a_theorem_is_decided_without_rows(store):
    def theorem(frame):
        assert frame.empty
        return Verdict("broken", math.nan, (0.5, math.inf), "none", "a counterexample")

    plan = planned(claim(needs=[], decide=theorem), learners=[], tasks=[])
    verdict = judged(plan, store)
    assert (verdict["status"], verdict["figure"], verdict["interval"]) == ("broken", None, [0.5, None])
    json.dumps(store.claims(), allow_nan=False)


def test_the_latest_verdict_replaces_the_one_before(store):
    plan = planned(claim(1))
    judged(plan, store)
    put(store, plan.claims["logic/c"][1][0], "ok", score=0.0)
    assert judged(plan, store)["status"] == "broken"
    assert [c["status"] for c in store.claims().values()] == ["broken"]


def test_what_a_run_says_the_store_keeps_and_the_report_shows(tmp_path):
    """One object, asked once: `run` judges it, the store keeps it, the report repeats it. pytest asks the same `execute`."""
    unlikely = "It learns but for a thing that no other text says."
    plan = planned(claim(2, text=unlikely, decide=lambda _: Verdict("broken", 0.5, (0.4, 0.6), "at least 2", "told so")))
    with Store(tmp_path / "s.db") as store:
        outcome = api.execute(plan, store, jobs=0, timeout=60.0, memory=1 << 30)
        assert outcome.claims == store.claims()
        assert (outcome.claims["logic/c"]["status"], outcome.exit_code, outcome.failed) == ("broken", 1, 0)
        html = page(store, FOUND)
    assert unlikely in html
    assert "told so" in html


def test_a_run_that_was_stopped_judges_nothing(tmp_path):
    plan = planned(claim(3))
    with Store(tmp_path / "s.db") as store:
        outcome = api.execute(plan, store, jobs=0, timeout=60.0, memory=1 << 30, on_event=stop_at_once)
        assert (outcome.summary.stopped, outcome.claims, outcome.exit_code) == ("interrupted", {}, 130)
        assert store.claims() == {}


def stop_at_once(event):
    if event.kind == "started":
        raise KeyboardInterrupt


def test_outcomes_are_results_or_failures_or_interrupted():
    assert {*OUTCOMES} == FINAL | FAILED | {"interrupted"}
