"""Ask claims of what a store holds. pytest, `hebbench run` and the report all come here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.claim import Claim, Verdict
from harness.export import frame, latest
from harness.metrics import plain
from harness.plan import Plan
from harness.store import Store
from harness.trial import FINAL, Trial


def judge_all(plan: Plan, store: Store) -> dict[str, dict[str, Any]]:
    """Judge every claim of a plan by the rows of a store, keep the verdicts there, and return them by `suite/id`."""
    rows = {row["key"]: row for row in latest(store.rows())}
    judged = {}
    for name, (claim, trials) in plan.claims.items():
        judged[name] = record(name, claim, judge(claim, trials, rows))
        store.put_claim(name, judged[name])
    return judged


def judge(claim: Claim, trials: Sequence[Trial], rows: Mapping[str, dict[str, Any]]) -> Verdict:
    """The verdict on one claim; undecided, with what is missing, unless every trial that it needs has a result."""
    if not claim.needs:
        return claim.decide(frame([], extra=True))
    needed = sum(n.replicates for n in claim.needs)
    there = [rows[t.key] for t in trials if t.key in rows and rows[t.key]["outcome"] in FINAL]
    if len(there) < needed:
        failed = [rows[t.key] for t in trials if t.key in rows and rows[t.key]["outcome"] not in FINAL]
        reason = f"lacks {needed - len(there)} of {needed} trials"
        if failed:
            reason += f"; {len(failed)} of them ended as {', '.join(sorted({r['outcome'] for r in failed}))}"
        elif len(trials) < needed:
            reason += f"; the preset {claim.since} runs them all"
        return Verdict("undecided", None, None, "", reason)
    return claim.decide(frame(there, extra=True))


def record(name: str, claim: Claim, verdict: Verdict) -> dict[str, Any]:
    """A verdict as it is kept, with the claim it is about."""
    interval = None if verdict.interval is None else [plain(x) for x in verdict.interval]
    suite = name.partition("/")[0]
    learners = sorted({needs.learner.partition("[")[0] for needs in claim.needs})
    return dict(
        suite=suite, id=claim.id, text=claim.text, source=claim.source, published=claim.published, status=verdict.status,
        figure=plain(verdict.figure), interval=interval, threshold=verdict.threshold, reason=verdict.reason,
        learners=learners,
    )  # fmt: skip
