"""Which populations of a subject speak to others, and by which way: forward, feedback, or as teaching beside both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.audit.subject import Subject
    from harness.trace import Event

FORWARD = "forward", "lateral", "readout"
"""Roles of synapses by which activity goes on its way."""


def channels(subject: Subject) -> dict[str, list[str]]:
    """The populations that speak to others: forward (lateral too), feedback, and errors and modulators beside them."""
    written = [p.array for p in subject.populations if p.array in subject.written]
    pres = {way: [p for p in written if _sends(subject, p, way)] for way in ("forward", "feedback")}
    pres["forward"] = [p for p in pres["forward"] if not given(subject, p)]
    ends = {s.post for s in subject.wiring if s.role in FORWARD}
    senders = {s.pre for s in subject.wiring} | {pre for pre, _ in subject.learner.projections}
    if not ends & set(pres["forward"]):
        pres["forward"] += [p for p in written if p in ends - senders]
    taken = set(pres["forward"]) | set(pres["feedback"])
    teaching = [p for p in written if subject.kinds[p] in ("error", "modulator") and p not in taken]
    return pres | dict(teaching=teaching)


def _sends(subject: Subject, p: str, way: str) -> bool:
    if way == "forward" and any(pre == p for pre, _ in subject.learner.projections):
        return True
    roles = FORWARD if way == "forward" else ("feedback",)
    return any(s.pre == p and s.role in roles for s in subject.wiring)


def given(subject: Subject, p: str) -> bool:
    """Whether a population on which no synapse ends holds nothing but the signal itself."""
    if p in {s.post for s in subject.wiring} | {post for _, post in subject.learner.projections}:
        return False
    whole, ticks = subject.x.ravel(), [t.ravel() for t in subject.x]
    held = [e.vector for e in subject.base.events if e.name == p]
    return all(any(v.shape == x.shape and np.array_equal(v, x) for x in (whole, *ticks)) for v in held)


def private(subject: Subject, p: str) -> bool:
    """Whether a unit acts on its own unit of other populations of its size, and on one row of weights, alone."""
    n = subject.size(p)
    v = n // 2
    for e in subject.forced(shifts=subject.shift(p, [v])):
        if e.name == p:
            continue
        lines = e.units.reshape(len(subject.learner.arrays()[e.name]), -1).any(1) if e.weights else e.units
        if lines.size != n or np.delete(lines, v).any():
            return False
    return n > 1


def sent(events: list[Event], names: Iterable[str]) -> list[Event]:
    """What populations held when another was written next: what others can have read. A potential on its way is left out."""
    following = [*(e.name for e in events[1:]), ""]
    wanted = set(names)
    return [
        e
        for e, n in zip(events, following, strict=True)
        if e.name in wanted and e.name != n and e.kind not in ("change", "applied")
    ]
