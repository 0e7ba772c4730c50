"""What is claimed of memory in time: a window ends where it ends, attention has no lag, and nobody is left out."""

import math

from harness.claim import Claim, Needs, Verdict
from suites.evidence import against, correct, exact_interval, on_rows

WINDOW = 8
LAGS = 1, 4, 16
CEILING = 0.99
FLAT = 0.98


@on_rows
def ends_with_the_window(frame):
    """Held if lags below the window are at the ceiling and lags from it on within 4 standard errors of chance."""
    lag = frame.difficulty.str["lag"].astype(int)
    right, asked = correct(frame[lag < WINDOW])
    low, high = exact_interval(right, asked)
    seen = against(low, high, CEILING)
    off = {}
    for at, rows in frame[lag >= WINDOW].groupby(lag):
        hits, n = correct(rows)
        off[at] = (hits / n - 0.5) / math.sqrt(0.25 / n)
    farthest = max(off.values(), key=abs)
    status = "broken" if abs(farthest) > 4 else seen
    reason = f"within the window {low:.4f} to {high:.4f} of the answers are right; beyond it the score is at most"
    reason += f" {farthest:+.2f} standard errors off chance"
    threshold = f"exact 95 % lower bound >= {CEILING} within, at most 4 standard errors off chance beyond"
    return Verdict(status, right / asked, (low, high), threshold, reason)


@on_rows
def flat_in_lag(frame):
    """Held if at every lag the exact lower bound is at least `FLAT`, so that no lag costs more than the rest."""
    by_lag = {lag: correct(rows) for lag, rows in frame.groupby(frame.difficulty.str["lag"].astype(int))}
    worst = min(by_lag, key=lambda lag: by_lag[lag][0] / by_lag[lag][1])
    hits, n = by_lag[worst]
    low, high = exact_interval(hits, n)
    reason = "score by lag: " + ", ".join(f"{lag}: {h / m:.4f}" for lag, (h, m) in by_lag.items())
    return Verdict(against(low, high, FLAT), hits / n, (low, high), f"exact 95 % lower bound >= {FLAT} at every lag", reason)


def has_a_row(frame):
    """Held if the spiking network was run at each rung, whatever it scored."""
    run = frame[frame.outcome.isin(["ok", "diverged"])]
    found = ", ".join(f"{lag}: {score:.3f}" for lag, score in zip(run.difficulty.str["lag"], run.score, strict=True))
    status = "held" if len(run) == len(frame) > 0 else "broken"
    return Verdict(status, float(len(run)), None, "a result at each rung", f"score by lag: {found}" if found else "no result")


def four_learners(frame):
    """Held if at each rung at least four learners have a result."""
    run = frame[frame.outcome.isin(["ok", "diverged"])]
    rungs = frame.task + " " + frame.difficulty.astype(str)
    fewest = int(run.learner.groupby(rungs).nunique().reindex(rungs.unique(), fill_value=0).min()) if len(frame) else 0
    reason = f"the rung with the fewest has {fewest} learners, of {rungs.nunique()} rungs"
    return Verdict("held" if fewest >= 4 else "broken", float(fewest), None, "at least 4 learners on each rung", reason)


CLAIMS = (
    Claim(
        id="window-sees-only-k",
        text=f"A network that sees the last {WINDOW} ticks is at its ceiling for lags below {WINDOW}, and at chance beyond.",
        source="Theorem: beyond the window the signal is independent of the cue",
        needs=[Needs(f"MLP[window={WINDOW}]", "sequence/recall", 3, {"lag": lag}) for lag in (1, WINDOW - 1, WINDOW, 16)],
        decide=ends_with_the_window,
    ),
    Claim(
        id="attention-flat-in-lag",
        text="Attention recalls the cue equally well at every lag: its path to any tick has length one.",
        source="Vaswani et al. (2017), arXiv:1706.03762, table 1",
        needs=[Needs("Attention", "sequence/recall", 3, {"lag": lag}) for lag in (*LAGS, 64)],
        decide=flat_in_lag,
        since="quick",
    ),
    Claim(
        id="spiking-row-is-there",
        text="The spiking network is run on delayed recall as well, whatever it scores.",
        source="Completeness of the comparison; no theorem",
        needs=[Needs("DiehlCook", "sequence/recall", 1, {"lag": lag}) for lag in LAGS],
        decide=has_a_row,
    ),
    Claim(
        id="four-learners-on-each-rung",
        text="At least four learners are compared on each rung.",
        source="Completeness of the comparison; no theorem",
        needs=[
            Needs(learner, task, 1, difficulty)
            for task, difficulty in [*(("sequence/recall", {"lag": lag}) for lag in LAGS), ("sequence/order", {"length": 10})]
            for learner in ("MLP", "Attention", "DiehlCook", "RandomFeatures", "Majority")
        ],
        decide=four_learners,
    ),
)
