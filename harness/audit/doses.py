"""How the effect of weights elsewhere grows with the move, and how well feedback fits the forward weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from harness.audit.nullspace import Null, elsewhere
from harness.audit.subject import Effect
from harness.trace import Script

if TYPE_CHECKING:
    from harness.audit.case import Case
    from harness.audit.graph import Graph, Offence
    from harness.declare import Synapse
    from harness.state import Array

AMOUNTS = 0.01, 1.0, 10.0
"""Moves, in lengths of the row."""
TRIES = 3
"""Directions of which the responses are added up."""
BORN = 60.0
"""Degrees below which feedback fits the forward weights; of random arrays as small as an audit's few are."""


class Dose(NamedTuple):
    """Effects by amount; the slope of their logarithms over the first two decades; what kind of transport that is."""

    effects: dict[str, float]
    slope: float | None
    kind: str
    relative: float


def dose(graph: Graph, K: Synapse, offence: Offence, basis: Array, *, stepwise: bool) -> Dose:
    """Move the offending row by three amounts, and see how much more of the offence there is."""
    null, subject = Null(graph), graph.subject
    everywhere = np.eye(subject.learner.arrays()[K.array][0].size)
    totals, top = dict.fromkeys(AMOUNTS, 0.0), 0.0
    for attempt in range(TRIES):
        for amount in AMOUNTS:
            null.rng = np.random.default_rng([subject.seed, 19, attempt])
            weights = null.moved(K, offence.part, amount, everywhere if stepwise else basis)
            run = subject.run(weights, Script().replay(subject.base.events) if stepwise else None)
            pair = [(a, b) for a, b in zip(subject.base.events, run.events, strict=False) if a.name == b.name == offence.name]
            one, other = next((a, b) for a, b in pair if a.step == offence.step)
            mask = elsewhere(graph, K, [offence.part], Effect(one.step, one.name, one.kind, one.vector != other.vector))
            gap = np.linalg.norm(one.vector - other.vector) if mask.any() else 0.0
            totals[amount] += float(gap)
            top = max(top, float(gap) / (float(np.linalg.norm(one.vector)) or 1.0)) if amount == 1.0 else top
    low, mid, high = (totals[amount] for amount in AMOUNTS)
    slope = float(np.log10(mid / low) / 2) if low > 0 and mid > 0 else None
    if mid > 0 and (slope is None or slope < 0.5):
        kind, slope = "sign", float(np.log10(high / mid)) if high > 0 else None
    else:
        kind = "full" if slope is not None and abs(slope - 1) < 0.25 else "other"
    return Dose({f"{k:g}": v for k, v in totals.items()}, slope, kind, top)


def angle(x: Array, y: Array) -> float | None:
    """Degrees between two arrays."""
    lengths = float(np.linalg.norm(x) * np.linalg.norm(y))
    return float(np.degrees(np.arccos(np.clip(np.sum(x * y) / lengths, -1, 1)))) if lengths else None


def aligned(case: Case, later: int) -> dict[str, dict[str, Any]]:
    """Of each feedback array, the angle to the transposed forward array between the same cells: at birth, now, and later.

    `later` counts samples lived through from now; 0 leaves that out.
    """
    graph, subject = case.graph, case.subject
    pairs = [
        (F.array, K.array)
        for F in subject.wiring if F.role == "feedback"
        for K in subject.wiring if K.role == "forward" and graph.same(F.pre, K.post) and graph.same(F.post, K.pre)
    ]  # fmt: skip
    if not pairs:
        return {}
    task = subject.task
    if subject.cls.can.whole:  # it makes one signal of a sequence itself
        task = task._replace(shape=task.shape[1:], n_ticks=task.shape[0])
    ages = {"birth": subject.cls(**subject.params, random_state=subject.seed).begin(task), "now": subject.learner}
    if later:
        X, Y, taught = subject.samples(later)
        ages["later"] = subject.learner.fork()
        with np.errstate(all="ignore"):
            ages["later"].live(X, Y, taught, python=True)
    found: dict[str, dict[str, Any]] = {}
    for F, K in pairs:
        shapes = subject.learner.arrays()[F].shape, subject.learner.arrays()[K].T.shape
        if shapes[0] == shapes[1]:
            angles = {age: angle(one.arrays()[F], one.arrays()[K].T) for age, one in ages.items()}
            first, last = angles["birth"], list(angles.values())[-1]
            known = first is not None and last is not None
            origin = "" if not known else "birth" if first < BORN else "plasticity" if last < first - 5 else "none"  # type: ignore[operator]
            found[F] = dict(forward=K, angle=angles, origin=origin)
    return found
