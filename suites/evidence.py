"""How claims are decided: exact intervals, bootstrap intervals, and linear programming for what is a theorem.

Nothing heavy is imported before it is needed: listing claims must stay quick.
"""

import functools

import numpy as np

from harness.claim import Verdict


def exact_interval(hits, n, level=0.95):
    """Clopper and Pearson's interval for a probability, from `hits` of n trials: it covers at least `level`."""
    from scipy.special import betaincinv

    tail = (1 - level) / 2
    low = float(betaincinv(hits, n - hits + 1, tail)) if hits > 0 else 0.0
    high = float(betaincinv(hits + 1, n - hits, 1 - tail)) if hits < n else 1.0
    return low, high


def mean_interval(values, level=0.95, draws=10_000):
    """Percentile bootstrap interval of the mean of one value a replicate."""
    values = np.asarray(values, float)
    means = np.random.default_rng(0).choice(values, (draws, len(values))).mean(1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def correct(frame):
    """How many test rows were answered rightly in all rows together, and how many there were."""
    return round(float((frame.score * frame.n_test).sum())), int(frame.n_test.sum())


def on_rows(decide):
    """A `decide` that leaves the claim undecided where a learner could not take a task.

    A trial that diverged has no score and counts as one that got nothing right.
    """

    @functools.wraps(decide)
    def guarded(frame):
        if frame.empty:
            return Verdict("undecided", None, None, "", "there is no row to decide it by")
        unfit = frame[frame.outcome == "not_applicable"]
        if len(unfit):
            row = unfit.iloc[0]
            return Verdict("undecided", None, None, "", f"{row.learner} cannot take {row.task}: {row.reason}")
        return decide(frame.assign(score=frame.score.astype(float).fillna(0.0)))

    return guarded


def against(low, high, bar):
    """The status of "at least `bar`" for an interval: held above it, broken below it, undecided across it."""
    return "held" if low >= bar else "broken" if high < bar else "undecided"


def share_learnt(bar):
    """Decide whether the probability of a faultless score is at least `bar`, by its exact 95 % interval."""

    @on_rows
    def decide(frame):
        learnt, n = int((frame.score == 1).sum()), len(frame)
        low, high = exact_interval(learnt, n)
        threshold = f"exact 95 % lower bound >= {bar}"
        return Verdict(against(low, high, bar), learnt / n, (low, high), threshold, f"{learnt} of {n} runs learnt it")

    return decide


def mean_between(least, most=1.0):
    """Decide whether the mean score over the replicates lies in a band, as the literature states its figures."""

    @on_rows
    def decide(frame):
        mean = float(frame.score.mean())
        status = "held" if least <= mean <= most else "broken"
        threshold = f"mean of {len(frame)} from {least} to {most}" if most < 1 else f"mean of {len(frame)} >= {least}"
        return Verdict(status, mean, mean_interval(frame.score), threshold, f"mean {mean:.4f} over {len(frame)} replicates")

    return decide


def t_interval(values, level=0.95):
    """Student's interval of the mean of one value a replicate; without bounds for fewer than two."""
    from scipy.special import stdtrit

    values = np.asarray(values, float)
    n = len(values)
    if n < 2:
        return -np.inf, np.inf
    half = float(stdtrit(n - 1, (1 + level) / 2) * values.std(ddof=1) / np.sqrt(n))
    return float(values.mean()) - half, float(values.mean()) + half


def setting(frame, name):
    """The value of a hyperparameter in each row, whose `params` leave defaults out; None where a learner has no such."""
    from harness.registry import find

    known = {entry.name: entry.thing.hypers() for entry in find().learners.values()}
    fields = (known[learner].get(name) for learner in frame.learner)
    return [params.get(name, field and field.default) for params, field in zip(frame.params, fields, strict=True)]


def paired(ours, theirs):
    """Differences of score, replicate by replicate: of the rows of one learner from those of another."""
    return (ours.set_index("replicate").score - theirs.set_index("replicate").score).dropna().to_numpy()


def within(low, high, margin):
    """The status of "less than `margin` either way" for an interval: held inside of it, broken outside, undecided across."""
    return "held" if -margin < low and high < margin else "broken" if high <= -margin or low >= margin else "undecided"


def rises(name, start, end, bar):
    """Decide whether the score rises by at least `bar` as a setting goes from `start` to `end`, by seeds in pairs."""

    @on_rows
    def decide(frame):
        values = np.array(setting(frame, name))
        gains = paired(frame[values == end], frame[values == start])
        low, high = t_interval(gains)
        reason = f"{gains.mean():+.4f} from {name}={start} to {end}, over {len(gains)} pairs of seeds"
        return Verdict(against(low, high, bar), float(gains.mean()), (low, high), f"95 % lower bound >= {bar}", reason)

    return decide


def stays(name, start, end, margin):
    """Decide whether the score changes by less than `margin` from `start` to `end`: two one-sided t tests at 5 %, paired."""

    @on_rows
    def decide(frame):
        values = np.array(setting(frame, name))
        gains = paired(frame[values == end], frame[values == start])
        low, high = t_interval(gains, 0.90)
        reason = f"{gains.mean():+.4f} from {name}={start} to {end}, over {len(gains)} pairs of seeds"
        return Verdict(within(low, high, margin), float(gains.mean()), (low, high), f"90 % interval within {margin}", reason)

    return decide


def separable(X, y):
    """Whether a plane divides the rows X (P, N) into their classes y (0 and 1): the program y (w.x) >= 1 has a solution.

    The plane goes through 0; give X a column of ones for one that need not.
    """
    from scipy.optimize import linprog

    sides = (2 * np.asarray(y) - 1)[:, None] * np.asarray(X, float)
    P, N = sides.shape
    found = linprog(np.zeros(N), A_ub=-sides, b_ub=-np.ones(P), bounds=(None, None), method="highs")
    if found.status not in {0, 2}:  # solved, infeasible
        raise RuntimeError(f"linear programming came to no answer: {found.message}")
    return found.status == 0


def with_bias(X):
    """The rows X (P, N) with a last input that is always 1."""
    return np.column_stack([X, np.ones(len(X))])
