"""Weight transport: does what a synapse weighs act where its own cell is not?

A weight is known at its synapse, and acts on its post-synaptic cell. A rule that sends errors down through the weights that
carry activity up needs them in another place, and no axon takes them there.

Done: every array K of forward, lateral or readout synapses that leads from cells which other synapses lead to is moved, one row
j at a time.
(a) Steps: all activity is put back after each step; what differs in a step is a direct effect of row j.
(b) Traces: row j is moved, by as much as it is long, in the null space of all that K multiplies in the sample, so that no
activity can tell (for spikes: the synapses of cells that were silent, and not a bit may differ). The first thing that
differs decides: only the cell of row j may.
(c) Time: such moves are kept for 24 samples at rates next to 0; no array may come to follow them.

Statistic T: the largest relative difference of a raw change of other arrays in (b); of the step that offends where the null
space is empty, as in networks that settle. Its threshold is 1e-7.

FAIL   a row acts on other cells, or on changes of their synapses. The reason says which, and how the effect grows with the move
       (0.01, 1, 10 times the row): in proportion, transport in full; as a step, transport of signs alone.
PASS   none does, and the back-propagation twin of the same architecture, probed alike, is found out. That feedback comes to fit
       the forward synapses by plasticity is no transport. Where no teaching comes down there is nothing to carry it.
NA     no synapse that learns lies below such an array: a single layer.
INCONCLUSIVE   nothing is learnt below in the sample, nothing could be moved, moving nothing had an effect, or there is no twin.
       Where forward synapses make no chain, as in attention, no twin can be built. One that is found out is its own control.

In `detail`: T by array; null dimensions; the dose response; the angle of each feedback array to the transposed forward weights,
now and at birth. Rows of other cells of the same layer that read row j are left to the criterion of locality.

Crick, F. (1989). The recent excitement about neural networks. Nature 337, 129-132. doi:10.1038/337129a0
Grossberg, S. (1987). Competitive learning: from interactive activation to adaptive resonance. Cognitive Science 11, 23-63.
doi:10.1111/j.1551-6708.1987.tb00862.x
Lillicrap, T. P. et al. (2016). Nature Communications 7, 13276. doi:10.1038/ncomms13276
Liao, Q., Leibo, J. Z. & Poggio, T. (2016). How important is weight symmetry in backpropagation? arXiv:1510.05067
Akrout, M. et al. (2019). Deep learning without weight transport. arXiv:1904.05391
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.audit.carriers import below, carriers, examine
from harness.audit.doses import aligned, dose
from harness.audit.evidence import Finding, Witness
from harness.audit.graph import describe
from harness.audit.nullspace import Null, distance
from harness.audit.subject import TOLERANCE, UnauditableError

if TYPE_CHECKING:
    from harness.audit.carriers import Found
    from harness.audit.case import Case
    from harness.audit.graph import Graph
    from harness.declare import Synapse

STATISTIC = "T, largest relative difference of a raw change elsewhere"
LEAST = 1e-7
"""Share of the transposed weights in a feedback that is seen, in double precision."""
KINDS = dict(
    full="in proportion to the weights", sign="as a step: their signs alone", other="neither in proportion nor as a step"
)


def taught(case: Case, learners: list[Synapse]) -> bool:
    """Whether the teacher reaches these synapses: whether another target, of one class, of all others or of none, is felt."""
    subject = case.subject
    others = [np.roll(subject.y, shift, axis=1) for shift in range(1, subject.y.shape[1])]
    for y in (*others, 1 - subject.y, 0 * subject.y):
        run = subject.run(y=y)
        if any(distance(subject.base.changes[s.array], run.changes[s.array]) > TOLERANCE for s in learners):
            return True
    return False


def probe(case: Case) -> Finding:
    """The finding on weight transport."""
    graph, subject = case.graph, case.subject
    arrays = carriers(graph)
    if not arrays:
        return _finding("NA", "a single layer: no synapse leads on from cells at which others end")
    learners = {s.array: s for K in arrays for s in below(graph, K)}
    if not learners:
        return _finding("NA", "nothing learns below the synapses that lead on: a single layer learns")
    found = examine(graph, rows=1 if case.fast else 4)
    detail = _detail(case, found)
    if found.offences:
        case.guilty = True
        return _fail(graph, arrays, found, detail)
    placebo = max(_placebo(case, K) for K in arrays)
    if placebo > 0:
        raise UnauditableError(f"weights put back as they were change the sample by {placebo:.2g}: no difference can be trusted")
    if copied := _copied(graph, arrays, found, detail):
        return copied
    quiet = [t.total for t in found.trials if not t.lawful]
    rest: dict[str, Any] = dict(value=max(quiet, default=0.0), noise_floor=float(placebo), detail=detail)
    names, lower = ", ".join(K.array for K in arrays), ", ".join(learners)
    if not any(np.any(subject.base.changes[array]) for array in learners):
        raise UnauditableError(f"nothing is learnt in {lower} in this sample: nothing could be carried there")
    if not taught(case, list(learners.values())):
        return _finding("PASS", f"free: no teaching signal comes down to {lower}", **rest)
    if case.twin is None:
        raise UnauditableError("forward synapses make no chain: no back-propagation twin can show that it would be seen")
    twin = examine(case.twin.graph)
    if not twin.steps or (quiet and not any(t.offence for t in twin.trials)):
        raise UnauditableError(f"its twin, {case.twin_name}, was not found out: nothing can be concluded")
    detail["twin"] = dict(name=case.twin_name, T=max((t.total for t in twin.trials), default=None), steps=len(twin.steps))
    return _finding("PASS", f"no row of {names} acts but on its own cell; the twin was found out", **rest)


def _placebo(case: Case, K: Synapse) -> int:
    """How many values differ when K is replaced by itself."""
    subject = case.subject
    run = subject.run({K.array: subject.learner.arrays()[K.array].copy()})
    return sum(int(e.units.sum()) for e in subject.effects(run, 0.0))


def _copied(graph: Graph, arrays: list[Synapse], found: Found, detail: dict[str, Any]) -> Finding | None:
    """The finding where an array comes to follow rows that were moved, in time; None where none does."""
    null = Null(graph)
    weights = {K.array: graph.subject.learner.arrays()[K.array] for K in arrays}
    bases = {array: found.bases[array] if len(found.bases[array]) else np.eye(W[0].size) for array, W in weights.items()}
    moves = [(K, int(null.rng.integers(len(weights[K.array]))), bases[K.array]) for K in arrays]
    copies = null.copies(moves)
    if not copies:
        return None
    arrayed = {s.array for s in graph.subject.wiring}
    name, (step, value) = min(copies.items(), key=lambda pair: (pair[1][0], pair[0] not in arrayed, -pair[1][1]))
    K, row, _ = next((move for move in moves if name in null.copies([move])), moves[0])
    detail |= dict(copies={name: step for name, (step, _) in copies.items()}, kind="copied")
    reason = f"after {step} samples {name} follows {K.array}, though next to nothing was learnt meanwhile: it is copied"
    witness = Witness(array=K.array, row=row, step=step, population=name)
    return _finding("FAIL", reason, value=value, noise_floor=0.0, statistic="relative difference of what follows",
                    witness=witness, detail=detail)  # fmt: skip


# ------------------------------------------------------------------ what is said


def _finding(verdict: Any, reason: str, **rest: Any) -> Finding:
    known: dict[str, Any] = {} if verdict == "NA" else dict(statistic=STATISTIC, threshold=TOLERANCE, limit_of_detection=LEAST)
    return Finding(criterion="weight_transport", verdict=verdict, reason=f"{reason}.", **known | rest)


def _detail(case: Case, found: Found) -> dict[str, Any]:
    totals: dict[str, dict[str, float]] = {}
    for t in found.trials:
        old = totals.setdefault(t.array, {})
        for name, value in t.changes.items():
            old[name] = max(old.get(name, 0.0), value)
    return dict(
        null_dimension={array: len(basis) for array, basis in found.bases.items()},
        T=totals,
        by_own_activity=sorted({t.array for t in found.trials if t.lawful}),
        offenders=sorted({(o.cause, o.name) for o in found.offences}),
        lateral=sorted({(o.cause, o.name) for o in found.lateral}),
        angles=aligned(case, later=0 if case.fast else 300),
    )


def _fail(graph: Graph, arrays: list[Synapse], found: Found, detail: dict[str, Any]) -> Finding:
    worst = found.offences[0]
    K = next(s for s in arrays if s.array == worst.cause)
    response = dose(graph, K, worst, found.bases[K.array], stepwise=worst in found.steps)
    free = [s.array for s in arrays if s.array not in {o.cause for o in found.offences}]
    changed = {s.array for s in graph.subject.wiring}
    acts = "is read by the change of" if worst.name in changed else "acts on"
    reason = f"a row of {K.array} ({K.pre} to {K.post}) {acts} {worst.name}, beside its own cell, {KINDS[response.kind]}"
    if free:
        reason += f"; {', '.join(free)} {'is' if len(free) == 1 else 'are'} free"
    told = [t.total for t in found.trials if t.offence is not None]
    rest: dict[str, Any] = {} if told else dict(statistic="relative difference of the step that offends")
    detail |= dict(kind=response.kind, slope=response.slope, dose=response.effects)
    return _finding("FAIL", reason, value=max(told, default=response.relative), noise_floor=0.0,
                    witness=Witness(**describe(worst)), detail=detail, **rest)  # fmt: skip
