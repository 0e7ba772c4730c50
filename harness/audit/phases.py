"""Phases: at how many times within a sample must a synapse learn differently?

The activity of one pre-synaptic and one post-synaptic cell is kicked, each alone and both at once, whenever the layer answers
(its forward synapses drive it), and the run goes on freely. The plasticity kernel k is the mixed difference of the synapse's
change: with both kicks, less with either, plus with none. It tells with which sign a coincidence at that time counts. An
interval goes on from one answer to the next as long as the change of some array keeps its sign; it ends where the sign turns,
where only other arrays learn, or where the cell answers anew in another signal, of which the first is no part, while that is
kept. Samples that a population holds side by side are presentations: there, signs alone count. A sequence that is credited only
after its last tick has one more period, for that.

Errors and targets that come in between are no phase: back-propagation has one way up and one way down, and one interval
(`detail` says of what else there is: `target_clamp`, whether answers of the output are under the target in part of the sample
alone; `own_phase`, arrays that learn at times when no forward synapse does, such as the feedback of a weight mirror, which would
stop learning without it).

PASS: 1 interval. FAIL: 2 or more: free and nudged, free and clamped, true and false label, clean and noisy answer, two passes, a
mirror's noise. INCONCLUSIVE: nothing changed; kicks reached no change, or none from some answers of cells that gave but one
interval; or what settles remembers its start so well that the kernel there is neither nothing nor what a contrast makes it.

Scellier, B. & Bengio, Y. (2017). Equilibrium propagation. Front. Comput. Neurosci. 11, 24. doi:10.3389/fncom.2017.00024
Bengio, Y. et al. (2015). Towards biologically plausible deep learning (two phases, clocked). arXiv:1502.04156
Akrout, M. et al. (2019). Deep learning without weight transport (mirror phase). arXiv:1904.05391
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.audit.evidence import Finding, Witness
from harness.audit.kicks import SMALLEST, Answer, Beat, Kicker
from harness.audit.subject import UnauditableError
from harness.audit.update_locking import CAUSES, late
from harness.trace import Script

if TYPE_CHECKING:
    from harness.audit.case import Case
    from harness.audit.graph import Graph

KICKS = 0.1, -3.0, 3.0
"""Sizes of a kick, over the largest value that a population held; large ones cross a threshold, where the first does nothing."""
FAINT, CLEAR = 0.2, 0.5
"""Where a signal goes on in another, a kernel below the first share of the largest is what settling has left of the start. From
the second on it counts: a contrast weighs both its times alike, and this is half of that. Between them nothing is certain."""
CARRIED = 0.5
"""A signal of a cell that keeps this share of a shift of another carries it on."""
RANKS = 3
"""Units that are kicked, in turn, where samples are held side by side: activity bears on the sign with which one counts."""
ANSWERS = 2, 6
"""Answers of each signal that are kicked in a fast audit, and in a full one: the first, the last, some between."""


def intervals(beats: list[Beat], kin: set[tuple[str, str]], faint: float = CLEAR) -> list[list[Beat]]:
    """Cut the answers of a cell where a kernel turns, where other arrays learn, and where it answers anew, beside what it holds.

    `kin` are pairs of signals of which the second goes on where the first was. Among kin, kernels below the share
    `faint` of the largest are left out.
    """

    def settled(p: str, q: str) -> bool:
        return p != q and ((p, q) in kin or (q, p) in kin)

    found: list[list[Beat]] = []
    for answer, kernel in beats:
        loud = {}
        for name, k in kernel.items():
            same = max(
                abs(e.get(name, 0.0))
                for a, e in beats
                if (a.population == answer.population and a.step != answer.step) or a == answer
            )
            other = max((abs(e.get(name, 0.0)) for a, e in beats if settled(a.population, answer.population)), default=0.0)
            if abs(k) > max(FAINT * same, faint * other):
                loud[name] = k
        beat = Beat(answer, loud)
        aside = [group for group in found if any(old.answer.step == answer.step and _alike(old, beat) for old in group)]
        last = found[-1][-1] if found else None
        if not beat.kernel:
            continue
        if aside:
            aside[0].append(beat)
        elif (
            last
            and (last.answer.population == answer.population or settled(last.answer.population, answer.population))
            and _alike(last, beat)
        ):
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
            other = old.kind not in ("error", "change", "applied") and old.name != q and graph.same(q, old.name)
            if other and np.abs(new.vector - old.vector).min() > least:
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
    signals = [p for p in graph.names if subject.kinds[p] not in ("error", "modulator") and any(graph.same(p, t) for t in tops)]
    steps = {e.step for e in subject.base.events if e.name in signals}
    return bool(moved & steps) and not steps <= moved


def found(case: Case) -> tuple[dict[str, list[list[Beat]]], int]:
    """Intervals of every cell that are certain, and the most that there may be in one.

    They are those of the first kicks that do anything: small or large, at answers or at any signal. Where a coincidence does
    nothing anywhere, what a kick of the post-synaptic cell alone does counts.
    """
    answers = ANSWERS[not case.fast]
    for kick, driven, alone in [(k, d, a) for a in (False, True) for k in KICKS for d in (True, False)]:
        kicker = Kicker(case.graph, answers, kick, alone=alone)
        beats = kicker.beats(driven=driven)
        if not beats:
            continue
        signals = [{b.answer.population for b in each} for each in beats.values()]
        kin = carried(case.graph) if any(len(each) > 1 for each in signals) else set()
        cells = {cell: intervals(each, kin) for cell, each in beats.items()}
        most = max(len(intervals(each, kin, FAINT)) for each in beats.values())
        deaf = _deaf(kicker, beats)
        aside = any(b.answer.part for each in beats.values() for b in each)
        for rank in range(1, RANKS if aside or deaf else 0):
            if max(map(len, cells.values())) > 1:
                break
            again = Kicker(case.graph, answers, kick, alone=alone, rank=rank)
            more = again.beats(driven=driven)
            cells |= {c: max(cells.get(c, []), intervals(each, kin), key=len) for c, each in more.items()}
            most = max(most, *(len(intervals(each, kin, FAINT)) for each in more.values()), 0, 0)
            deaf &= _deaf(again, more | {c: [] for c in beats if c not in more})
        if deaf and driven and max(map(len, cells.values())) == 1:
            step = min(answer.step for _, answer in deaf)
            raise UnauditableError(
                f"kicks at some answers, the first at step {step}, reached no change: cells that are shut, or no phase"
            )
        return cells, most
    raise UnauditableError("no kick of two cells together, or of one, reached the change of a synapse between them")


def _deaf(kicker: Kicker, beats: dict[str, list[Beat]]) -> set[tuple[str, Answer]]:
    """Answers of cells some of whose kicks were felt, where none was; a sample held beside others may be of no account.

    Nor is what comes after the last change, which it cannot reach, or a spike: most meet no trace of another.
    """
    felt = {(cell, beat.answer) for cell, each in beats.items() for beat in each}
    steps = {(cell, answer.step) for cell, answer in felt}
    last = {cell: kicker.last(cell) for cell in beats}
    return {
        (c, a) for c, a in kicker.tried - felt
        if c in beats and (c, a.step) not in steps and a.step < last[c] and kicker.subject.kinds[a.population] != "spike"
    }  # fmt: skip


def probe(case: Case) -> Finding:
    """How many intervals the kernel has."""
    subject = case.subject
    if not any(np.any(change) for change in subject.base.changes.values()):
        raise UnauditableError("nothing changed in the sample")
    if subject.cls.can.whole or subject.task.n_ticks > 1:
        return in_sequence(case)
    cells, possible = found(case)
    most = max(cells, key=lambda cell: len(cells[cell]))
    value = len(cells[most])
    if value == 1 < possible:
        raise UnauditableError(
            f"its answers have not settled: what they were at first bears on changes, in {possible} intervals or 1"
        )
    layers = {s.array for s in subject.plastic if s.role in CAUSES}
    beats = [beat for parts in cells.values() for part in parts for beat in part]
    near = {name for beat in beats if layers & beat.kernel.keys() for name in beat.kernel}
    detail: dict[str, Any] = dict(
        kernel=[dict(population=a.population, step=a.step, part=a.part, arrays=kernel) for a, kernel in beats],
        target_clamp=clamped(case), own_phase=sorted({name for beat in beats for name in beat.kernel} - layers - near),
        ways="1 up, 1 down" if any(e.kind == "error" for e in subject.base.events) else "1 up",
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
    reason = (
        "Activity comes first, and credit for the whole sequence after its end." if after else "Credit comes with every tick."
    )
    return _finding(1 + after, dict(after_sequence=after), reason, Witness())


def _finding(value: int, detail: dict[str, Any], reason: str, witness: Witness) -> Finding:
    return Finding(
        criterion="phases", verdict="PASS" if value == 1 else "FAIL", value=float(value),
        statistic="intervals of one sign of the plasticity kernel within a sample, most of all cells", noise_floor=0.0,
        threshold=2.0, limit_of_detection=SMALLEST, detail=detail, reason=reason, witness=None if value == 1 else witness,
    )  # fmt: skip
