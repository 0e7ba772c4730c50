"""Update locking: how long must a layer wait before it may learn?

A sample is a web of steps. A step that differs when a population is shifted, all else being put back (`harness.audit.graph`),
reads what that population held. A *tick* passes where a signal goes from one cell to another, and where a synapse changes; what
a cell does within itself takes none, nor does a modulator, which is about all cells at once. Steps come as early as what they
read allows, whatever the order of a programme.

* lock of a layer: the last tick at which anything downstream of its cells (other cells that its synapses lead on to, and their
  errors) is read on the way to the change of its synapses, less the tick at which its own answer is ready; 0 without any.
* freeze of a layer: the tick of the change, less that at which the answer was ready that it still reads: how long the layer's
  activity must be held, or kept in a buffer, while something else goes on. 1 is the update itself.

Back-propagation and feedback alignment wait for the way up and the way down, two ticks for each layer above (lock 2 (L - l));
direct feedback removes the way down alone (L - l + 1, and 0 at the top); targets sent to every layer, local goodness and Hebbian
rules wait for nothing. In a sequence time is counted in its ticks: how late the activity of a tick is credited. A full audit
fits the lock of the first layer against depth: more than 0 ticks a layer is a wait that grows with the network.

* pipeline: the next sample comes a tick after the layer's answer, when the update can have been made, while this one is still
  being credited: from that tick on the cells at both ends of its synapses hold what they answer to the next sample, all else goes
  on, and the change that is made is compared with the usual one. It tells by what freeze only counts, and finds as well what
  reads the layer's activity on behalf of its change, such as a slope in an error.

PASS: lock 0, freeze at most 1, and the same change in a pipeline, in every layer. FAIL: otherwise. INCONCLUSIVE: no change of a
forward synapse was seen, or nothing else would speak against a layer in which nothing is learnt.

Jaderberg, M. et al. (2017). Decoupled neural interfaces using synthetic gradients (forward, backward, update locking). ICML.
arXiv:1608.05343
Frenkel, C., Lefebvre, M. & Bol, D. (2021). Learning without feedback. Front. Neurosci. 15, 629892. doi:10.3389/fnins.2021.629892
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from harness.audit import causality, pipeline, ticks
from harness.audit.evidence import Finding, Witness
from harness.audit.graph import Graph
from harness.audit.subject import TOLERANCE, UnauditableError

if TYPE_CHECKING:
    from harness.audit.case import Case
    from harness.audit.subject import Subject
    from harness.declare import Synapse

FROZEN = 1
"""Ticks for which activity may be held: the update reads it."""
DEPTHS = 2, 3, 4, 5
"""Hidden layers of networks to which a full audit fits the lock of the first."""
SLOPE = 0.1
"""Ticks of lock for each layer more that count as growth."""
CAUSES = "forward", "readout", "lateral"
"""Roles of synapses that carry activity: the layers."""


class Wait(NamedTuple):
    """How long one array of synapses waits, and for what: the last thing downstream that it needs, and the step that reads it."""

    array: str
    lock: int
    freeze: int
    need: str = ""
    step: int | None = None


class Web:
    """The steps of a sample, what each reads of which step before, and the tick of each."""

    def __init__(self, graph: Graph) -> None:
        self.graph, self.events = graph, graph.subject.base.events
        self.reads: dict[int, list[tuple[str, int | None]]] = {}
        for q, effects in graph.shifted.items():
            steps = [e.step for e in self.events if e.name == q and e.kind not in ("change", "applied")]
            for effect in effects:
                before = [s for s in steps if s < effect.step]
                self.reads.setdefault(effect.step, []).append((q, before[-1] if before else None))
        self.ticks: list[int] = []
        for event in self.events:
            self.ticks.append(max((self._after(event.step, q, s) for q, s in self.reads.get(event.step, [])), default=0))

    def _after(self, step: int, source: str, written: int | None) -> int:
        event, graph = self.events[step], self.graph
        apart = event.kind in ("change", "applied") or not (
            graph.same(source, event.name) or graph.broadcast(source) or graph.broadcast(event.name)
        )
        return (0 if written is None else self.ticks[written]) + apart

    def before(self, step: int) -> set[int]:
        """All steps on the way to this one, and itself."""
        found, left = {step}, [step]
        while left:
            for _, source in self.reads.get(left.pop(), []):
                if source is not None and source not in found:
                    found.add(source)
                    left.append(source)
        return found

    def downstream(self, post: str) -> set[str]:
        """Populations of other cells that the cells of `post` lead on to, along synapses that carry activity."""
        graph, found, left = self.graph, {post}, [post]
        while left:
            cell = left.pop()
            for s in graph.subject.wiring:
                if s.role in CAUSES and graph.same(s.pre, cell) and not any(graph.same(s.post, p) for p in found):
                    found.add(s.post)
                    left.append(s.post)
        return {q for q in graph.names if not graph.same(q, post) and any(graph.same(q, p) for p in found)}

    def ready(self, post: str, before: int) -> int:
        """The tick at which the cells of `post` first had their answer; of spiking cells, had their latest."""
        steps = [e.step for e in self.events[:before] if e.name == post]
        if not steps:
            return 0
        if self.graph.subject.kinds.get(post) == "spike":
            return self.ticks[steps[-1]]
        last = steps[0]
        while last + 1 < before and self.events[last + 1].name == post:
            last += 1
        return self.ticks[last]

    def wait(self, array: str, pre: str, post: str) -> Wait:
        """How long one array waits."""
        below, found = self.downstream(post), Wait(array, 0, 0)
        for change in (e.step for e in self.events if e.name == array and e.kind == "change"):
            ready = self.ready(post, change)
            for q, _ in self.reads.get(change, []):
                if self.graph.same(q, pre) or self.graph.same(q, post):
                    found = found._replace(freeze=max(found.freeze, self.ticks[change] - ready))
            for step in sorted(self.before(change)):
                for q, _ in self.reads.get(step, []):
                    if q in below and self.ticks[step] - ready > found.lock:
                        found = found._replace(lock=self.ticks[step] - ready, need=q, step=step)
        return found


def learning(web: Web) -> list[Synapse]:
    """Arrays of forward synapses that learn in the sample, in the order of layers."""
    subject, changed = web.graph.subject, {e.name for e in web.events if e.kind == "change"}
    layers = [s for s in subject.plastic if s.role in CAUSES and s.array in changed]
    if not layers:
        raise UnauditableError("no change of a synapse that carries activity was seen")
    return layers


def waits(web: Web) -> list[Wait]:
    """How long each array of forward synapses that learns waits, in the order of layers."""
    return [web.wait(s.array, s.pre, s.post) for s in learning(web)]


def late(subject: Subject) -> list[Wait]:
    """In a sequence whose every tick is taught: how many ticks after a tick it is credited, by array."""
    lags = causality.by_array(subject, ticks.credit(subject, subject.task.n_ticks))
    return [Wait(name, lag, 0) for name, lag in lags.items()]


def growth(case: Case) -> dict[str, Any]:
    """Locks of the first layer of networks of several depths, and by how many ticks they grow with each layer."""
    locks = [max(waits(Web(Graph(case.fresh(depth=depth)))), key=lambda w: w.lock).lock for depth in DEPTHS]
    return dict(depths=list(DEPTHS), locks=locks, slope=float(np.polyfit(DEPTHS, locks, 1)[0]))


def probe(case: Case) -> Finding:
    """How long layers wait."""
    sequence = case.subject.task.n_ticks > 1 and not case.subject.cls.can.whole
    web = None if sequence else Web(case.graph)
    found = late(case.subject) if web is None else waits(web)
    worst = max(found, key=lambda w: (w.lock, w.freeze))
    detail: dict[str, Any] = dict(
        lock={w.array: w.lock for w in found}, freeze={w.array: w.freeze for w in found},
        unit="ticks of the sequence" if sequence else "passages from cell to cell",
        pipeline={} if web is None else pipeline.disturbed(web, learning(web), FROZEN),
    )  # fmt: skip
    if not case.fast and not sequence and "depth" in case.cls.hypers() and "depth" not in case.given:
        detail |= growth(case)
    grows = detail.get("slope", 0.0) > SLOPE
    moved = max(detail["pipeline"], key=detail["pipeline"].get, default="")
    bad = worst.lock > 0 or max(w.freeze for w in found) > FROZEN or detail["pipeline"].get(moved, 0.0) > TOLERANCE
    still = "" if bad or web is None else next((w.array for w in found if not np.any(case.subject.base.changes[w.array])), "")
    if still:
        raise UnauditableError(f"nothing is learnt in {still} in this sample, so that nothing can be said of what it waits for")
    detail["label"] = "locked" if worst.lock else "frozen" if bad else "free"
    if worst.lock:
        need = f"need {worst.need}" if worst.need else "learn"
        reason = f"Synapses {worst.array} {need} {worst.lock} ticks after their own answer"
        reason += f", and {detail['slope']:.2g} more for each layer above." if grows else "."
    elif bad:
        held = max(found, key=lambda w: w.freeze)
        reason = f"No layer waits for another, but {held.array} reads its own activity {held.freeze} ticks after it was ready."
        if held.freeze <= FROZEN:
            reason = f"No layer waits for another, but {moved} learns something else when the next sample comes at once."
    else:
        reason = "Every layer can learn as soon as it has answered."
    return Finding(
        criterion="update_locking", verdict="FAIL" if bad else "PASS", value=float(worst.lock),
        statistic="ticks between a layer's answer and the last it needs from downstream, largest of layers", noise_floor=0.0,
        threshold=1.0, limit_of_detection=1.0, detail=detail, reason=reason,
        witness=Witness(array=worst.array, step=worst.step, population=worst.need) if bad else None,
    )  # fmt: skip
