"""Dale's law: does a cell excite all that it speaks to, or inhibit all?

All weights that lead from one cell, over all arrays, must have one sign, and what it sends must not be negative: a negative
activity turns every synapse round, so that a network of tanh units breaks the law even with positive weights. Counted are

* cells with outgoing weights of both signs, and cells that sent a negative value in some sample, as the learner stands;
* nonzero weights that take the other sign in 200 updates in which the least likely class is taught each time, at ten times the
  step size.

The value is the number of all these. PASS: 0. FAIL: otherwise. NA: no cell has more than one outgoing weight, and of one weight
every cell keeps the law. INCONCLUSIVE: no weight moved, so that the law was never put to the test. Beside it stands the mean
share of the commoner sign among the outgoing weights of a cell, and what chance gives for M normal weights,
1/2 + sqrt(1 / (2 pi M)): a cell that keeps the law has 1.

Dale, H. H. (1935). Pharmacology and nerve-endings. Proc. R. Soc. Med. 28, 319-332. doi:10.1177/003591573502800330
Eccles, J. C., Fatt, P. & Koketsu, K. (1954). J. Physiol. 126, 524-562. doi:10.1113/jphysiol.1954.sp005226
Cornford, J. et al. (2021). Learning to live with Dale's principle: ANNs with separate excitatory and inhibitory units. ICLR.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from harness.audit.evidence import Finding, Witness
from harness.audit.lesson import samples
from harness.audit.subject import UnauditableError
from harness.audit.ways import sent

if TYPE_CHECKING:
    from harness.audit.case import Case
    from harness.audit.subject import Subject
    from harness.state import Array

SAMPLES = 20
"""Samples in which what cells send is watched."""
UPDATES, HASTE = 200, 10
"""Adversarial updates, and by how much their steps are longer."""


class Flip(NamedTuple):
    """A weight that took the other sign."""

    array: str
    row: int
    unit: int


def probe(case: Case) -> Finding:
    """Violations as it stands, and signs that turn under adversarial teaching."""
    subject = case.subject
    cells = outgoing(subject)
    if not cells or max(len(W) for W in cells.values()) < 2:
        return Finding(criterion="dale", verdict="NA", reason="no cell has more than one outgoing weight")
    mixed = {p: np.any(W > 0, axis=0) & np.any(W < 0, axis=0) for p, W in cells.items()}
    negative = sent_below_zero(subject, [p for p in cells if p in subject.kinds])
    flips, moved, done = turned(subject)
    if not moved:
        raise UnauditableError(f"no weight moved in {done} updates, so the law was never put to the test")
    violations = sum(int(m.sum()) for m in mixed.values()) + sum(int(m.sum()) for m in negative.values())
    total = violations + len(flips)
    share = [np.maximum((W > 0).mean(0), (W < 0).mean(0)).mean() for W in cells.values() if len(W) > 1]
    chance = [0.5 + math.sqrt(1 / (2 * math.pi * len(W))) for W in cells.values() if len(W) > 1]
    return Finding(
        criterion="dale",
        verdict="FAIL" if total else "PASS",
        value=float(total),
        statistic="cells that break the law, and weights that change sides in 200 adversarial updates",
        noise_floor=0.0,
        threshold=0.0,
        limit_of_detection=1.0,
        witness=_witness(mixed, negative, flips),
        reason=_reason(mixed, negative, flips, done),
        detail=dict(
            mixed={p: int(m.sum()) for p, m in mixed.items()},
            negative={p: int(m.sum()) for p, m in negative.items()},
            flips=len(flips),
            updates=done,
            commoner_sign=float(np.mean(share)),
            chance=float(np.mean(chance)),
        ),
    )


def _reason(mixed: dict[str, Array], negative: dict[str, Array], flips: list[Flip], done: int) -> str:
    found = []
    if count := sum(int(m.sum()) for m in mixed.values()):
        found.append(f"{count} of {sum(m.size for m in mixed.values())} cells excite and inhibit at once")
    if below := [p for p, m in negative.items() if m.any()]:
        found.append(f"cells of {', '.join(below)} send negative values")
    if flips:
        found.append(f"{len(flips)} times a weight changed sides in {done} adversarial updates")
    return "; ".join(found) or f"every cell has one sign, and kept it through {done} adversarial updates"


def _witness(mixed: dict[str, Array], negative: dict[str, Array], flips: list[Flip]) -> Witness | None:
    for found in (mixed, negative):
        for p, mask in found.items():
            if mask.any():
                return Witness(population=p, unit=int(mask.argmax()))
    return Witness(array=flips[0].array, row=flips[0].row, unit=flips[0].unit) if flips else None


def outgoing(subject: Subject) -> dict[str, Array]:
    """By population: all weights that lead from its units, over all arrays, (weights, units)."""
    found: dict[str, list[Array]] = {}
    arrays = subject.learner.arrays()
    for s in subject.wiring:
        if s.role not in ("bias", "intrinsic"):
            W = arrays[s.array]
            found.setdefault(subject.cells.get(s.pre, s.pre), []).append(W.reshape(len(W), -1))
    return {p: np.concatenate(Ws) for p, Ws in found.items() if len({W.shape[1] for W in Ws}) == 1}


def sent_below_zero(subject: Subject, senders: list[str]) -> dict[str, Array]:
    """By population that synapses lead from: which units were below 0 in some sample."""
    below: dict[str, Array] = {p: np.zeros(1, bool) for p in senders}
    for x, y in zip(*samples(subject, SAMPLES, 41), strict=True):
        for e in sent(subject.run(x=x, y=y).events, below):
            below[e.name] = below[e.name] | (e.vector < 0)
    return below


def turned(subject: Subject) -> tuple[list[Flip], bool, int]:
    """Weights that changed sides under adversarial teaching, whether any moved, and updates until it ended or diverged."""
    learner = subject.learner
    haste: dict[str, Any] = {}
    if "rate" in learner.hypers():
        haste["rate"] = min(HASTE * getattr(learner, "rate"), learner.hypers()["rate"].metadata["high"])  # noqa: B009
    twin = learner.fork(**haste)
    synapses = [s for s in subject.plastic if subject.size(s.array)]
    sides = {s.array: np.sign(twin.arrays()[s.array]) for s in synapses}
    first = {K: twin.arrays()[K].copy() for K in sides}
    flips: list[Flip] = []
    X, _ = samples(subject, UPDATES, 42)
    for i, x in enumerate(X):
        with np.errstate(all="ignore"):
            out = twin.fork().live(x[None], python=True)[0, -1]
            worst = np.eye(subject.task.n_out)[int(np.argmin(out))]
            twin.live(x[None], np.repeat(worst[None, None], len(x), axis=1), subject.taught, python=True)
        if not twin.finite():
            return flips, True, i
        for K, old in sides.items():
            new = np.sign(twin.arrays()[K])
            flips += [Flip(K, *(int(v) for v in where[:2])) for where in np.argwhere(new * old < 0)]
            sides[K] = np.where(new != 0, new, old)
    return flips, any(np.any(twin.arrays()[K] != W) for K, W in first.items()), UPDATES
