"""Phases: at how many times within a sample must a synapse learn differently?

The activity of one pre-synaptic and one post-synaptic cell is kicked, each alone and both at once, whenever the layer answers
(its forward synapses drive it), and the run goes on freely. The plasticity kernel k is the mixed difference of the synapse's
change: with both kicks, less with either, plus with none. It tells with which sign a coincidence at that time counts. An
interval goes on from one answer to the next as long as the change of some array keeps its sign; it ends where the sign turns,
where only other arrays learn, or where the cell answers anew in another signal, of which the first is no part, while that is
kept. Samples that a population holds side by side are presentations: there, signs alone count. A sequence that is credited only after its last tick has one
more period, for that.

Errors and targets that come in between are no phase: back-propagation has one way up and one way down, and one interval
(`detail` says of what else there is: `target_clamp`, whether answers of the output are under the target in part of the sample
alone; `own_phase`, arrays that learn at times when no forward synapse does, such as the feedback of a weight mirror, which would
stop learning without it; `pipeline`, layers that the next sample would disturb if it came as soon as they have answered).

PASS: 1 interval. FAIL: 2 or more: free and nudged, free and clamped, true and false label, clean and noisy answer, two passes, a
mirror's noise. INCONCLUSIVE: nothing changed, or no kick reached a change.

Scellier, B. & Bengio, Y. (2017). Equilibrium propagation. Front. Comput. Neurosci. 11, 24. doi:10.3389/fncom.2017.00024
Bengio, Y. et al. (2015). Towards biologically plausible deep learning (two phases, clocked). arXiv:1502.04156
Akrout, M. et al. (2019). Deep learning without weight transport (mirror phase). arXiv:1904.05391
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from harness.audit.evidence import Finding, Witness
from harness.audit.subject import UnauditableError
from harness.audit.update_locking import CAUSES, FROZEN, late, waits
from harness.trace import Script

if TYPE_CHECKING:
    from harness.audit.case import Case
    from harness.audit.graph import Graph
    from harness.declare import Synapse
    from harness.state import Array

KICKS = 0.1, -3.0
"""Sizes of a kick, over the largest value that the population held; the second turns a threshold, where the first does nothing."""
SMALLEST = 1e-9
"""A kernel below this share of the largest change is rounding."""
FAINT = 0.2
"""A kernel below this share of the largest at another answer of the same signal is left out: it has been forgotten since."""
CARRIED = 0.5
"""A signal of a cell that keeps this share of a shift of another carries it on."""
ANSWERS = 2, 6
"""Answers of each signal that are kicked in a fast audit, and in a full one: the first, the last, some between."""


class Answer(NamedTuple):
    """A time at which a cell answers: the last step of a run of writes to one population, and which presentation of it."""

    step: int
    population: str
    part: int


class Beat(NamedTuple):
    """What a kick at an answer does: the kernel of each array that felt it."""

    answer: Answer
    kernel: dict[str, float]


class Kicker:
    """Kicks cells of one subject, and keeps what it has seen."""

    def __init__(self, graph: Graph, answers: int, kick: float, *, alone: bool = False) -> None:
        self.graph, self.subject, self.answers, self.kick, self.alone = graph, graph.subject, answers, kick, alone
        self.seen: dict[tuple[Any, ...], dict[str, Array]] = {(): self.subject.base.changes}
        self.events = self.subject.base.events
        self.driven = {e.step for s in self.subject.wiring if s.role in CAUSES for e in self._effects(s)}

    def _effects(self, s: Synapse) -> list[Any]:
        graph = self.graph
        return [
            e for _, effects in graph.moved.get(s.array, ()) for e in effects if not e.weights and graph.same(e.name, s.post)
        ]

    def writes(self, end: str, *, driven: bool = True) -> list[Answer]:
        """When cells at the end of a synapse get a new value, not of an error: the last step of each run of writes."""
        graph, found = self.graph, []
        for p in graph.names:
            if not graph.same(p, end) or graph.broadcast(p) or self.subject.kinds[p] == "error":
                continue
            runs: list[list[int]] = []
            for step in (e.step for e in self.events if e.name == p):
                if runs and runs[-1][-1] + 1 == step:
                    runs[-1].append(step)
                else:
                    runs.append([step])
            kept = [run[-1] for run in runs if not driven or self.driven & set(run)]
            parts = max(self.events[runs[0][0]].vector.size // graph.units(p), 1)
            chosen = np.linspace(0, len(kept) - 1, min(len(kept), self.answers)).round().astype(int) if driven else range(len(kept))
            found += [Answer(kept[k], p, part) for k in chosen for part in range(parts)]
        return sorted(found)

    def unit(self, end: str) -> int:
        """The unit of these cells that is kicked: that whose synapses change most."""
        for s in self.subject.plastic:
            if s.role in CAUSES and self.graph.same(s.post, end):
                dW = self.subject.base.changes[s.array]
                return int(np.abs(dW).reshape(len(dW), -1).sum(1).argmax())
        return int(np.abs(self.subject.x[0]).argmax()) if end not in self.graph.ends or end in ("x", "a[0]") else 0

    def changes(self, *kicks: Answer | None) -> dict[str, Array]:
        """All changes, with these answers kicked; None stands for the signal."""
        if kicks not in self.seen:
            script, x = Script(), self.subject.x
            for answer in kicks:
                if answer is None:
                    x = x.copy()
                    x[0].flat[int(np.abs(x[0]).argmax())] += abs(self.kick)
                else:
                    script.inject(answer.population, answer.step, self._blow(answer))
            self.seen[kicks] = self.subject.run(script=script, x=x).changes
        return self.seen[kicks]

    def _blow(self, answer: Answer) -> Array:
        p, kind = answer.population, self.subject.kinds[answer.population]
        blow = np.zeros(self.events[answer.step].vector.size)
        size = 1.0 if kind in ("spike", "binary") else self.kick * (self.subject.top.get((p, kind), 0.0) or 1.0)
        blow[answer.part * self.graph.units(p) + self.unit(p)] = size
        return blow

    def kernel(self, s: Synapse, post: Answer, pre: Answer | None) -> float:
        """The mixed difference of the change of the synapse between the two cells, over the product of the kicks' sizes."""
        j, i = self.unit(s.post), int(np.abs(self.subject.x[0]).argmax()) if pre is None else self.unit(s.pre)
        one = lambda changes: float(changes[s.array].reshape(len(changes[s.array]), -1)[j, i])  # noqa: E731 - four uses
        mixed = one(self.changes(post, pre)) - one(self.changes(post)) - one(self.changes(pre)) + one(self.changes())
        if self.alone:
            mixed = one(self.changes(post)) - one(self.changes())
        floor = SMALLEST * max(float(np.abs(self.changes()[s.array]).max()), float(np.abs(self.changes(post)[s.array]).max()))
        return mixed if np.isfinite(mixed) and abs(mixed) > floor else 0.0

    def beats(self, *, driven: bool = True) -> dict[str, list[Beat]]:
        """By cell: its answers in order, and what a coincidence at each does to arrays that end or begin there."""
        felt: dict[str, dict[Answer, dict[str, float]]] = {}
        for s in self.subject.plastic:
            ends = (s.post,) if s.role in CAUSES else (s.post, s.pre)
            for end in ends:
                other = s.pre if end == s.post else s.post
                for answer in self.writes(end, driven=driven):
                    partners = [a for a in self.writes(other, driven=False) if a.step <= answer.step]
                    if not partners and (other in self.graph.ends and other in self.graph.names or s.role not in CAUSES):
                        continue
                    latest = [a for a in partners if a.step == partners[-1].step]
                    partner = latest[answer.part % len(latest)] if latest else None
                    k = self.kernel(s, answer, partner) if end == s.post else self._reversed(s, answer, partner)
                    if k:
                        felt.setdefault(self.graph.cell.get(end, end), {}).setdefault(answer, {})[s.array] = k
        return {cell: [Beat(a, beats[a]) for a in sorted(beats)] for cell, beats in felt.items()}

    def _reversed(self, s: Synapse, pre: Answer, post: Answer | None) -> float:
        return 0.0 if post is None else self.kernel(s, post, pre)


def intervals(beats: list[Beat], kin: set[tuple[str, str]]) -> list[list[Beat]]:
    """Cut the answers of a cell where a kernel turns, where other arrays learn, and where it answers anew, beside what it holds.

    `kin` are pairs of signals of which the second goes on where the first was. Among kin, faint kernels are left out.
    """
    near = lambda p, q: p == q or (p, q) in kin or (q, p) in kin  # noqa: E731 - two uses
    found: list[list[Beat]] = []
    for answer, kernel in beats:
        others = [each for a, each in beats if near(a.population, answer.population)]
        tops = {name: max(abs(each.get(name, 0.0)) for each in others) for name in kernel}
        beat = Beat(answer, {name: k for name, k in kernel.items() if abs(k) > FAINT * tops[name]})
        aside = [group for group in found if any(old.answer.step == answer.step and _alike(old, beat) for old in group)]
        last = found[-1][-1] if found else None
        if not beat.kernel:
            continue
        if aside:
            aside[0].append(beat)
        elif last and near(last.answer.population, answer.population) and _alike(last, beat):
            found[-1].append(beat)
        else:
            found.append([beat])
    return found


def _alike(last: Beat, beat: Beat) -> bool:
    both = last.kernel.keys() & beat.kernel.keys()
    return bool(both) and all(last.kernel[name] * beat.kernel[name] > 0 for name in both)


def carried(graph: Graph) -> set[tuple[str, str]]:
    """Pairs of signals of one cell of which the second carries on the first: a new value is mostly the old one."""
    subject, found = graph.subject, set()
    for q in graph.names:
        if graph.broadcast(q) or not any(graph.same(p, q) for p in graph.names if p != q):
            continue
        shift = subject.shift(q)
        run = subject.run(script=Script().replay(subject.base.events, shift))
        least = CARRIED * np.abs(shift[q]).min()
        for old, new in zip(subject.base.events, run.events, strict=False):
            if old.name != new.name:
                break
            if old.kind not in ("error", "change", "applied") and old.name != q and graph.same(q, old.name):
                if np.abs(new.vector - old.vector).min() > least:
                    found.add((q, old.name))
    for _ in graph.names:
        found |= {(a, d) for a, b in found for c, d in found if b == c and a != d}
    return found


def clamped(case: Case) -> bool:
    """Whether answers of the output cells, not errors, are under the target in part of the sample alone."""
    graph, subject = case.graph, case.subject
    tops = {s.post for s in subject.wiring if s.role in CAUSES} - {s.pre for s in subject.wiring}
    y = np.roll(subject.y, 1, axis=-1)
    moved = {e.step for e in subject.effects(subject.run(y=y))}
    steps = [
        e.step for e in subject.base.events
        if subject.kinds.get(e.name) not in ("error", "modulator", None) and e.kind != "change" and e.kind != "applied"
        and any(graph.same(e.name, top) for top in tops)
    ]  # fmt: skip
    return bool(moved & set(steps)) and not set(steps) <= moved


def found(case: Case) -> dict[str, list[list[Beat]]]:
    """Intervals of every cell, as the first kicks show them that do anything: small or large, at answers or at any signal.

    Where a coincidence does nothing anywhere, what a kick of the post-synaptic cell alone does counts.
    """
    answers = ANSWERS[not case.fast]
    for kick, driven, alone in [(k, d, a) for a in (False, True) for k in KICKS for d in (True, False)]:
        beats = Kicker(case.graph, answers, kick, alone=alone).beats(driven=driven)
        if beats:
            kin = carried(case.graph) if any(len({b.answer.population for b in each}) > 1 for each in beats.values()) else set()
            return {cell: intervals(each, kin) for cell, each in beats.items()}
    raise UnauditableError("no kick of two cells together, or of one, reached the change of a synapse between them")


def probe(case: Case) -> Finding:
    """How many intervals the kernel has."""
    subject = case.subject
    if not any(np.any(change) for change in subject.base.changes.values()):
        raise UnauditableError("nothing changed in the sample")
    if subject.cls.can.whole or subject.task.n_ticks > 1:
        return in_sequence(case)
    cells = found(case)
    most = max(cells, key=lambda cell: len(cells[cell]))
    value = len(cells[most])
    layers = {s.array for s in subject.plastic if s.role in CAUSES}
    beats = [beat for parts in cells.values() for part in parts for beat in part]
    near = {name for beat in beats if layers & beat.kernel.keys() for name in beat.kernel}
    detail: dict[str, Any] = dict(
        kernel=[dict(population=a.population, step=a.step, part=a.part, arrays=kernel) for a, kernel in beats],
        target_clamp=clamped(case), own_phase=sorted({name for beat in beats for name in beat.kernel} - layers - near),
        ways="1 up, 1 down" if any(e.kind == "error" for e in subject.base.events) else "1 up",
        pipeline=[w.array for w in waits(case.graph) if w.freeze > FROZEN],
    )  # fmt: skip
    times = [f"{part[-1].answer.population} at step {part[-1].answer.step}" for part in cells[most]]
    last = cells[most][-1][-1].answer
    return _finding(
        value, detail, "A coincidence of activity counts with one sign, at one time of the sample." if value == 1
        else f"Synapses of the cells of {most} learn differently at {value} times: {', '.join(times)}.",
        Witness(step=last.step, population=last.population),
    )  # fmt: skip


def in_sequence(case: Case) -> Finding:
    """Whether credit for a sequence is a period of its own."""
    after = case.subject.cls.can.whole or max(w.lock for w in late(case.subject)) > 0
    reason = "Activity comes first, and credit for the whole sequence after its end." if after else "Credit comes with every tick."
    return _finding(1 + after, dict(after_sequence=after), reason, Witness())


def _finding(value: int, detail: dict[str, Any], reason: str, witness: Witness) -> Finding:
    return Finding(
        criterion="phases", verdict="PASS" if value == 1 else "FAIL", value=float(value),
        statistic="intervals of one sign of the plasticity kernel within a sample, most of all cells", noise_floor=0.0,
        threshold=2.0, limit_of_detection=SMALLEST, detail=detail, reason=reason, witness=None if value == 1 else witness,
    )  # fmt: skip
