"""Channel: do cells talk by spikes, or by numbers?

A spike is all-or-none: whatever drives the cell, what it sends has one size. For each population that synapses lead from
(forward, lateral and feedback apart), and each error or modulator, the values that it held in some samples are collected:

* graded (0): it takes more than two values, or more than one beside silence;
* binary (1): two values at most, and the same two when the drive grows by a twentieth; but no event in time, or never silent;
* spiking (2): binary, silent more often than not, written at several times within a sample, and, where synapses end on it,
  thrown by a graded membrane of its own cell that remembers its past.

A graded population is put back, at every step, to its own sign times one size. If nothing that reads it tells the
difference, and turning its sign round does tell, it is read as all-or-none, and counts as binary: a potential with a threshold.
A copy of the signal counts not at all, since the task gives it. Without a population between two others (one layer), what the
network sends out counts too. Of errors and modulators, where all else spikes, those that act within their own cell alone
travel nowhere and are left out.

The value is the level of the worst channel. PASS: forward, feedback and teaching channels all are spikes. FAIL: some are not;
the reason tells whether the way up alone spikes, as in most spiking networks that gradients teach. INCONCLUSIVE: no
population that speaks was seen to. The limit of detection is the rate of a second amplitude that a sample of that many
nonzero values would have missed in one case of twenty, 3 / n.

Adrian, E. D. & Zotterman, Y. (1926). Journal of Physiology 61, 465-483. doi:10.1113/jphysiol.1926.sp002308 (all-or-none)
McCulloch, W. S. & Pitts, W. (1943). Bull. Math. Biophysics 5, 115-133. doi:10.1007/BF02478259 (binary states)
Maass, W. (1997). Networks of spiking neurons: the third generation of neural network models. Neural Networks 10, 1659-1671.
doi:10.1016/S0893-6080(97)00011-7
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.audit.evidence import Finding, Witness
from harness.audit.lesson import samples
from harness.audit.subject import UnauditableError
from harness.audit.ways import channels, private, sent
from harness.trace import Script

if TYPE_CHECKING:
    from harness.audit.case import Case
    from harness.audit.subject import Subject
    from harness.state import Array

ALIKE = 1e-9
"""Two values this close, over the largest, are one."""
LEVELS = "graded", "binary", "spiking"
FEW, MANY = 20, 100
"""Samples of a fast audit, and of a full one."""


def probe(case: Case) -> Finding:
    """The level of every channel, and the verdict on the worst."""
    subject = case.subject
    ways = channels(subject)
    seen = watch(subject, ways, FEW if case.fast else MANY)
    levels = {way: graded_or_not(subject, [seen[p] for p in names]) for way, names in ways.items()}
    if levels["forward"] and min(_known(levels["forward"]), default=0) == 2 > min(_known(levels["teaching"]), default=2):
        levels["teaching"] = {p: level for p, level in levels["teaching"].items() if not private(subject, p)}
    worst = {way: min(_known(found)) for way, found in levels.items() if _known(found)}
    if not worst:
        raise UnauditableError("no population that speaks to another was seen to")
    value = min(worst.values())
    way = min(worst, key=lambda w: worst[w])
    name = min((p for p in levels[way] if levels[way][p] is not None), key=lambda p: levels[way][p] or 0)
    return Finding(
        criterion="channel",
        verdict="PASS" if value == 2 else "FAIL",
        value=float(value),
        statistic="level of the worst channel: 0 graded, 1 binary, 2 spiking",
        noise_floor=ALIKE,
        threshold=2.0,
        limit_of_detection=3 / max(min((seen[p].nonzero for p in levels[way] if seen[p].nonzero), default=1), 1),
        witness=Witness(population=name, unit=seen[name].unit, step=seen[name].step),
        reason=_reason(worst, way, name, seen[name]),
        detail=dict(
            label=_label(worst),
            levels={way: LEVELS[level] for way, level in worst.items()},
            populations={p: seen[p].shown(level) for found in levels.values() for p, level in found.items()},
        ),
    )


def graded_or_not(subject: Subject, seen: list[Seen]) -> dict[str, int | None]:
    """The level of each. Where one channel is graded for certain, whether others are read as all-or-none is not tried."""
    found: dict[str, int | None] = {}
    for s in seen:
        found[s.name] = 0 if s.graded and 0 in found.values() else s.level(subject)
    return found


def _known(levels: dict[str, int | None]) -> list[int]:
    return [level for level in levels.values() if level is not None]


def _label(worst: dict[str, int]) -> str:
    return "spiking forward only" if worst.get("forward") == 2 > min(worst.values()) else LEVELS[min(worst.values())]


def _reason(worst: dict[str, int], way: str, name: str, seen: Seen) -> str:
    if _label(worst) == "spiking":
        return "every channel is all-or-none, silent by default, and an event in time"
    only = "spiking forward only: " if _label(worst) == "spiking forward only" else ""
    what = "takes many values" if worst[way] == 0 else seen.why or "takes two values"
    return f"{only}the {way} channel {name} is {LEVELS[worst[way]]}: it {what}"


# ------------------------------------------------------------------ what they say


class Seen:
    """What a population was seen to hold: up to three values that differ, and how often it was silent."""

    def __init__(self, name: str) -> None:
        self.name, self.values = name, list[float]()
        self.total = self.nonzero = self.writes = self.samples = self.unit = self.step = 0
        self.membrane, self.why, self.steady = "", "", True

    def add(self, events: list[Any]) -> None:
        """Take in one sample."""
        self.samples += 1
        for e in events:
            self.writes += 1
            self.total += e.vector.size
            self.nonzero += int(np.count_nonzero(e.vector))
            self._differ(e.vector, e.step)

    def _differ(self, vector: Array, step: int) -> None:
        for _ in range(3 - len(self.values)):
            top = max(map(abs, [*self.values, float(np.abs(vector).max(initial=0.0))]))
            far = np.all([np.abs(vector - v) > ALIKE * top for v in self.values], axis=0) if self.values else vector == vector  # noqa: PLR0124
            if not np.any(far):
                return
            self.unit, self.step = int(np.argmax(far)), step
            self.values.append(float(vector[self.unit]))

    @property
    def graded(self) -> bool:
        """It took more than two values."""
        return len(self.values) > 2

    @property
    def active(self) -> float:
        """The share of values other than 0."""
        return self.nonzero / max(self.total, 1)

    def level(self, subject: Subject) -> int | None:
        """0 graded, 1 binary, 2 spiking; None where it was never anything but 0."""
        if not self.nonzero:
            return None
        if self.graded or not self.steady:
            self.why = "is read by its sign alone"
            return int(thresholded(subject, self.name))
        if self.active >= 0.5 or 0.0 not in self.values:
            self.why = "is not silent by default"
            return 1
        if self.writes < 2 * self.samples:
            self.why = "holds its value for the whole sample, which is no event in time"
            return 1
        self.membrane = membrane(subject, self.name)
        ends = {s.post for s in subject.wiring} | {post for _, post in subject.learner.projections}
        if not self.membrane and self.name in ends:
            self.why = "has no membrane among the declared populations, graded and with a memory, that throws it"
            return 1
        return 2

    def shown(self, level: int | None) -> dict[str, Any]:
        """As evidence."""
        return dict(
            level="silent" if level is None else LEVELS[level], values=self.values if not self.graded else "many",
            active=self.active, writes=self.writes / max(self.samples, 1), samples=self.samples, membrane=self.membrane,
        )  # fmt: skip


def watch(subject: Subject, ways: dict[str, list[str]], n: int) -> dict[str, Seen]:
    """Live through up to n samples, until no channel is left that might be all-or-none; then through some with a stronger drive.

    Few samples do where all that goes forward is graded at once, since more of them can take nothing back.
    """
    names = [p for found in ways.values() for p in found]
    seen = {p: Seen(p) for p in names}
    X, Y = samples(subject, n, 21)

    def live(x: Array, y: Array) -> None:
        events = sent(subject.run(x=x, y=y).events, names)
        for p in names:
            seen[p].add([e for e in events if e.name == p])

    for x, y in zip(X, Y, strict=True):
        live(x, y)
        if all(seen[p].graded for p in (ways["forward"] if n == FEW else names) or names):
            return seen
    before = {p: len(s.values) for p, s in seen.items()}
    for x, y in zip(1.05 * X[: math.ceil(n / 10)], Y, strict=False):
        live(x, y)
    for p, s in seen.items():
        s.steady = len(s.values) <= max(before[p], 2)
    return seen


def thresholded(subject: Subject, p: str) -> bool:
    """Whether what reads a population cannot tell it from its sign, but can tell it from its opposite."""
    held = sent(subject.base.events, [p])
    steps = {e.step for e in held}
    size = 1.7 * max(float(np.abs(e.vector).max(initial=0.0)) for e in held)  # that of no unit

    def felt(remade: Any) -> bool:
        course = [e._replace(vector=remade(e.vector)) if e.step in steps else e for e in subject.base.events]
        return any(e.name != p for e in subject.effects(subject.run(script=Script().replay(course))))

    return not felt(lambda v: size * np.sign(v)) and felt(lambda v: -v)


def membrane(subject: Subject, p: str) -> str:
    """A graded population of its size that it is thrown by, that remembers itself, and that no synapse leads from."""
    senders = {s.pre for s in subject.wiring} | {pre for pre, _ in subject.learner.projections}
    for q in (q.array for q in subject.populations):
        if q == p or q in senders or q not in subject.written or subject.size(q) != subject.size(p):
            continue
        held = Seen(q)
        held.add([e for e in subject.base.events if e.name == q])
        if held.graded:
            reached = {e.name for e in subject.forced(shifts=subject.shift(q))}
            if {p, q} <= reached:
                return q
    return ""
