"""Online: can it learn from one signal at a time, as they come?

* A learner that takes all data at once cannot. One that reads a whole sequence as one signal, or that changes nothing before the
  last of several ticks, all of them taught, is not online within the trial.
* A learner without blocks learns from each signal by construction.
* One with blocks is tried at block 1 and at block 32. Changes of a block must be the mean of the changes that its signals ask
  for each alone, weights being held: the batch additivity defect is |dW(B) - mean of dW({s})| / |dW(B)|, over all arrays. A rule
  with noise of its own cannot be asked twice; of such two signals s, t of the block are exchanged for others, and
  |dW(both) - dW(s) - dW(t) + dW(neither)| / |dW(neither)| is the defect, to which noise that stays the same adds nothing. Batch
  normalisation couples the signals of a block (defect 1 where the change at block 1 is 0).
* Both learn a small task from equally many samples, each at the best of five step sizes on samples of its own, on the same
  seeds. The accuracy at block 1 less that at block 32 comes with a 95% interval (Student's t).

The value is the defect. PASS: below the threshold, and block 1 not certainly worse than block 32 by more than 0.1. FAIL:
otherwise. INCONCLUSIVE: nothing changed. Beside it stands, as evidence, how accuracy at block 1 suffers when classes come one
after another instead of mixed.

Ioffe, S. & Szegedy, C. (2015). Batch normalization. ICML. arXiv:1502.03167
Masters, D. & Luschi, C. (2018). Revisiting small batch training for deep neural networks. arXiv:1804.07612
McCloskey, M. & Cohen, N. J. (1989). Catastrophic interference. doi:10.1016/S0079-7421(08)60536-8 (the order of classes)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.audit.evidence import Finding
from harness.audit.lesson import beginner, clouds, samples, share_right
from harness.audit.subject import UnauditableError

if TYPE_CHECKING:
    from harness.audit.case import Case
    from harness.audit.subject import Subject
    from harness.base import Learner
    from harness.state import Array

TOGETHER = 8
"""Signals of the block whose change is compared with those of its signals."""
ADDITIVE = 1e-9
"""Rounding in double precision stays far below this, any coupling of signals far above."""
BLOCK, SEEDS = 32, 5
RATES = 0.003, 0.3, 5
"""Step sizes that are tried: from, to, and how many."""
TRAIN, HELD, TEST = 1024, 128, 256
LOSS = 0.1
"""Accuracy that block 1 may lose, for certain, to block 32."""
T95 = 2.776
"""Student's t, two-sided, 95%, of SEEDS - 1 degrees of freedom."""


def probe(case: Case) -> Finding:
    """By construction where that says it; else by the change of a block and by learning in blocks of one."""
    if case.cls.once:
        return _finding("FAIL", "it takes all training data at once", dict(label="offline"))
    if case.cls.can.whole:
        return _finding("FAIL", "it reads a sequence whole: not online within the trial", dict(label="within the trial"))
    if "sequence" in case.cls.can.inputs and "vector" not in case.cls.can.inputs and not _commits(case):
        reason = "taught at every tick, it changes nothing before the last: not online within the trial"
        return _finding("FAIL", reason, dict(label="within the trial"))
    if "block" not in case.cls.hypers():
        return _finding("PASS", "it learns from each signal as it comes: it knows no blocks", dict(label="by construction"))
    subject = case.subject
    noisy = any(
        "noise" in case.cls.names(kernel) for kernel in ("respond", "learn", "rest", "adapt") if hasattr(case.cls, kernel)
    )
    defect = interaction(subject) if noisy else coupling(subject)
    detail: dict[str, Any] = dict(label="in blocks", measure="second difference" if noisy else "mean of single changes")
    detail |= lessons(subject)
    worse = detail["interval"][1] < -LOSS
    reasons = [
        f"signals of a block are coupled: its change differs from the mean of theirs by {defect:.2g}" * (defect > ADDITIVE),
        f"at block 1 accuracy is {detail['block_1']:.2f}, at block {BLOCK} {detail['block_32']:.2f}" * worse,
    ]
    said = "; ".join(r for r in reasons if r) or "a block changes what its signals would one by one, and block 1 learns as well"
    return _finding("FAIL" if worse or defect > ADDITIVE else "PASS", said, detail, defect)


def _finding(verdict: Any, reason: str, detail: dict[str, Any], value: float | None = None) -> Finding:
    if value is None:
        return Finding(criterion="online", verdict=verdict, reason=reason, detail=detail)
    return Finding(
        criterion="online", verdict=verdict, reason=reason, detail=detail, value=value, statistic="batch additivity defect",
        noise_floor=1e-15, threshold=ADDITIVE, limit_of_detection=ADDITIVE,
    )  # fmt: skip


def _commits(case: Case) -> bool:
    """Whether something was changed in the sample, every tick taught, before two futures of one beginning part."""
    subject = case.subject
    taught = np.ones(subject.task.n_ticks, bool)
    x, y = subject.x.copy(), subject.y.copy()
    x[-1], y[-1] = 1.1 - x[-1], np.roll(y[-1], 1)
    subject.runs += 2
    one, other = (subject.learner.probe(a, b, taught, trace=True).trace for a, b in ((subject.x, subject.y), (x, y)))
    for e, f in zip(one, other, strict=False):
        if e.name != f.name or not np.array_equal(e.vector, f.vector):
            return False
        if e.kind == "change" and e.vector.any():
            return True
    return False


# ------------------------------------------------------------------ what a block changes


def changes(subject: Subject, X: Array, Y: Array) -> Array:
    """The raw change that a block X (n, ticks, *shape) asks for, all arrays after one another.

    Where it can be seen apart from what comes of it, steps have size 0: what a rule learns of a block within the block, and
    uses there, is learning and no coupling.
    """
    subject.runs += 1
    raw = all("d" + s.array in subject.learner.arrays() for s in subject.wiring if s.plastic)
    steps = [name for name, h in subject.learner.hypers().items() if h.metadata["unit"].startswith("1/")]
    twin = subject.learner.fork(block=len(X), **dict.fromkeys(steps if raw else [], 0.0))
    before = {s.array: twin.arrays()[s.array].copy() for s in subject.wiring}
    with np.errstate(all="ignore"):
        twin.live(X, Y, subject.taught, python=True)
    after = twin.arrays()
    asked = [after["d" + s.array] if "d" + s.array in after else after[s.array] - before[s.array] for s in subject.wiring]
    return np.concatenate([np.ravel(change) for change in asked])


def coupling(subject: Subject) -> float:
    """How far the change of a block is from the mean of those of its signals, over its length."""
    X, Y = samples(subject, TOGETHER, 51)
    block, single = (
        changes(subject, X, Y),
        np.mean([changes(subject, x[None], y[None]) for x, y in zip(X, Y, strict=True)], axis=0),
    )
    return _share(block - single, block, single)


def interaction(subject: Subject) -> float:
    """The second difference in two signals of a block, over the length of its change."""
    X, Y = samples(subject, TOGETHER, 51)
    others, told = samples(subject, 2, 52)

    def changed(*which: int) -> Array:
        x, y = X.copy(), Y.copy()
        for i in which:
            x[i], y[i] = others[i], told[i]
        return changes(subject, x, y)

    neither = changed()
    return _share(changed(0, 1) - changed(0) - changed(1) + neither, neither)


def _share(gap: Array, *lengths: Array) -> float:
    length = max(float(np.linalg.norm(v)) for v in lengths)
    if not length:
        raise UnauditableError("a block of signals changed nothing")
    return float(np.linalg.norm(gap)) / length


# ------------------------------------------------------------------ what blocks of one learn


def lessons(subject: Subject) -> dict[str, Any]:
    """Accuracies at block 1 and 32, at the best of five step sizes each, and at block 1 with the classes in turn."""
    rates = _rates(subject.learner)
    best = {B: rates[int(np.argmax([tried(subject, B, rate) for rate in rates]))] for B in (1, BLOCK)}
    ones, many = (np.array([learnt(subject, B, best[B], seed)[1] for seed in range(SEEDS)]) for B in (1, BLOCK))
    turns = np.array([learnt(subject, 1, best[1], seed, in_turn=True)[1] for seed in range(SEEDS)])
    gap = ones - many
    half = T95 * float(gap.std(ddof=1)) / SEEDS**0.5
    return dict(
        block_1=float(ones.mean()), block_32=float(many.mean()), rates={str(B): r for B, r in best.items()},
        difference=float(gap.mean()), interval=[float(gap.mean()) - half, float(gap.mean()) + half],
        ratio=float(ones.mean() / many.mean()) if many.any() else None, classes_in_turn=float(turns.mean()),
        order_sensitivity=float((ones - turns).mean()), seeds=SEEDS, samples=TRAIN,
    )  # fmt: skip


def tried(subject: Subject, block: int, rate: float | None) -> float:
    """Mean accuracy on held-out samples, of two seeds."""
    return float(np.mean([learnt(subject, block, rate, seed)[0] for seed in range(2)]))


def _rates(learner: Learner) -> list[float | None]:
    if "rate" not in learner.hypers():
        return [None]
    m = learner.hypers()["rate"].metadata
    return [float(np.clip(rate, m["low"], m["high"])) for rate in np.geomspace(*RATES)]


def learnt(subject: Subject, block: int, rate: float | None, seed: int, *, in_turn: bool = False) -> tuple[float, float]:
    """Accuracy on held-out and on test samples after one pass over the small task, in blocks of so many."""
    X, Y = clouds(subject.task, TRAIN + HELD + TEST, seed)
    learner = beginner(subject, seed, block=block, **({} if rate is None else dict(rate=rate)))
    order = np.argsort(Y[:TRAIN, -1].argmax(1), kind="stable") if in_turn else np.arange(TRAIN)
    with np.errstate(all="ignore"):
        learner.live(X[:TRAIN], Y[:TRAIN], subject.taught, orders=order[None])
        out = learner.live(X[TRAIN:])
        if not len(out):
            out = learner.fork(block=1).live(X[TRAIN:], python=False)
    return share_right(out[:HELD], Y[TRAIN : TRAIN + HELD]), share_right(out[HELD:], Y[TRAIN + HELD :])
