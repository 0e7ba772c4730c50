"""Weight sharing: does one synapse act in more than one place?

A synapse has one post-synaptic cell. One entry of an array of weights is moved, all activity being put back after each step
(`harness.audit.graph`); if, of the cells it leads to, it acts on several units in one step, or on one unit in several places side
by side, many synapses share one number. A kernel that is moved over an image, and a projection used for every token, are such.
That a weight acts again at later times is no sharing.

Places side by side may also be samples of a block, or one sample with this label and with that, shown at once to save time.
Samples never meet: what happens in one place acts on that place alone, in every other population. Places of one sample do meet,
sooner or later, in a cell that hears several. So one place of a population is shifted after another; where a cell hears two of
them, or where units of one place share a number, it is sharing.

The statistic is how many cells or places one number serves in one step. PASS: one. FAIL: more. NA: no weights. INCONCLUSIVE: no
weight that was moved acted on its cell.

LeCun, Y. et al. (1989). Backpropagation applied to handwritten zip code recognition. Neural Comput. 1, 541-551.
doi:10.1162/neco.1989.1.4.541
Pogodin, R. et al. (2021). Towards biologically plausible convolutional networks. NeurIPS 34. arXiv:2106.13031
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from harness.audit.evidence import Finding, Witness
from harness.audit.subject import UnauditableError
from harness.trace import Script

if TYPE_CHECKING:
    from harness.audit.case import Case
    from harness.audit.graph import Graph
    from harness.audit.subject import Effect, Run
    from harness.declare import Synapse


def uses(graph: Graph, synapse: Synapse) -> tuple[int, Effect | None]:
    """How many values of its post-synaptic cells one entry of an array acts on in one step, at most; and that step.

    The entry is that of the most active input. If that is silent, it is shifted.
    """
    found: tuple[int, Effect | None] = (0, None)
    for row, _ in graph.moved[synapse.array]:
        W = graph.subject.learner.arrays()[synapse.array].copy()
        line = W.reshape(len(W), -1)[row]
        sender = _strongest(graph, synapse.pre, line.size)
        line[sender] += 1 + np.abs(line).max(initial=0.0)
        run = graph.forced({synapse.array: W})
        effects = _answers(graph, synapse, [e for e in graph.subject.effects(run) if _abreast(graph, run, e.step)])
        if not effects and synapse.pre in graph.names:
            effects = _answers(graph, synapse, graph.beside({synapse.array: W}, synapse.pre, [sender]))
        for e in effects:
            found = max(found, (int(e.units.sum()), e), key=lambda pair: pair[0])
        if found[0]:
            break
    return found


def _abreast(graph: Graph, run: Run, step: int) -> bool:
    """Whether both runs make the same step; where one makes another, it is of no account how many cells differ."""
    base = graph.subject.base.events
    return step < len(run.events) and run.events[step].name == base[step].name


def _answers(graph: Graph, synapse: Synapse, effects: list[Effect]) -> list[Effect]:
    """Effects on signals of the cells to which a synapse leads."""
    return [e for e in effects if not e.weights and any(graph.same(p, e.name) for p, _, _ in graph.parts(synapse.post))]


def _strongest(graph: Graph, pre: str, units: int) -> int:
    if pre in graph.external:
        return int(np.abs(graph.subject.x.reshape(len(graph.subject.x), -1)).max(0).argmax())
    sent = [
        np.abs(e.vector).reshape(-1, units).max(0)
        for e in graph.subject.base.events
        if e.name == pre and not e.vector.size % units
    ]
    return int(np.max(sent, axis=0).argmax()) if sent else 0


def meet(graph: Graph) -> str:
    """A population of which a value hears two places of another, or nothing where places side by side never meet."""
    subject, base = graph.subject, graph.subject.base.events
    for q in graph.names:
        n = graph.units(q)
        places = subject.size(q) // n
        if places == 1 or graph.broadcast(q):
            continue
        heard: dict[int, int] = {}
        for place in range(places):
            shift = subject.shift(q, range(place * n, (place + 1) * n))
            for e in subject.effects(subject.run(script=Script().replay(base, shift))):
                if e.weights or e.name == q:
                    continue
                for value in np.flatnonzero(e.units):
                    if heard.setdefault((e.step << 24) + int(value), place) != place:
                        return e.name
    return ""


def probe(case: Case) -> Finding:
    """Whether weights serve several cells or places at once."""
    graph = case.graph
    weights = [s for s in graph.subject.wiring if s.role not in ("bias", "intrinsic")]
    finding = Finding(
        criterion="weight_sharing", verdict="NA", reason="It has no weights.", threshold=1.0, noise_floor=1.0,
        limit_of_detection=2.0, statistic="cells or places that one weight serves in one step, the most of all arrays",
    )  # fmt: skip
    if not weights:
        return finding
    found = {s.array: uses(graph, s) for s in weights}
    array = max(found, key=lambda a: found[a][0])
    most, effect = found[array]
    if effect is None:
        raise UnauditableError("no weight that was moved acted on its cell")
    cells = int(graph.folded(effect).sum())
    where = meet(graph) if most > 1 and cells == 1 else ""
    shared = cells > 1 or bool(where)
    reason = "Every weight serves one cell, in one place."
    if cells > 1:
        reason = f"One number in {array} serves {cells} cells at once."
    elif where:
        reason = f"One number in {array} serves {most} places at once, and they are of one sample: {where} hears several."
    elif most > 1:
        reason = f"Every weight serves one cell: the {most} places of {array} hold samples side by side, which never meet."
    witness = Witness(array=array, step=effect.step, population=effect.name, unit=int(effect.units.argmax()))
    return msgspec.structs.replace(
        finding, verdict="FAIL" if shared else "PASS", value=float(most if shared else 1), reason=reason,
        detail=dict(served={a: n for a, (n, _) in found.items()}, meet=where),
        witness=witness if shared else None,
    )  # fmt: skip
