"""The next sample comes while this one is still being credited: does a layer then learn something else?

A layer that works in a pipeline takes the next signal as soon as it has answered and learnt what it could by then. From that tick
on the cells at both ends of its synapses hold what they answer to the next sample, while errors of this one are on their way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.audit.nullspace import distance
from harness.trace import Script, Tracer

if TYPE_CHECKING:
    from harness.audit.update_locking import Web
    from harness.declare import Synapse
    from harness.state import Array
    from harness.trace import Event


class Pipelined(Tracer):
    """A tracer that gives populations, before each step, what they hold of this sample or already of the next."""

    following: dict[str, Array]
    """By population, its answer to the next sample."""
    gone: list[bool]
    """By step, whether this sample has left the layer by then."""

    def close(self) -> None:
        """Go on as usual, and then to what cells hold when the step to come is made."""
        piece = self.active
        super().close()
        if piece is None:
            return
        own: dict[str, Array] = self.__dict__.setdefault("own", {})
        if piece.name in self.following:
            own[piece.name] = piece.array.copy()
        gone = self.step < len(self.gone) and self.gone[self.step]
        for other in self.pieces:
            if other.name in own and not other.weights:
                other.array[...] = self.following[other.name].reshape(other.array.shape) if gone else own[other.name]


def disturbed(web: Web, synapses: list[Synapse], latest: int) -> dict[str, float]:
    """By array, by how much its change is another, over its size, when the next sample comes `latest` ticks after its answer."""
    subject = web.graph.subject
    other = subject.run(x=subject.X[0]).events
    return {s.array: _disturbed(web, s, latest, {e.name: e.vector for e in _answers(web, other)}) for s in synapses}


def _answers(web: Web, events: list[Event]) -> list[Event]:
    """The steps of another sample at which populations hold what they first answered, in this sample; the last of them last."""
    found = []
    for at, (one, event) in enumerate(zip(web.events, events, strict=False)):
        if one.name != event.name:
            break
        first = next(e.step for e in web.events if e.name == one.name)
        if all(e.name == one.name for e in web.events[first : at + 1]):
            found.append(event)
    return found


def _disturbed(web: Web, s: Synapse, latest: int, answers: dict[str, Array]) -> float:
    graph, subject = web.graph, web.graph.subject
    silent = "error", "modulator", "change", "applied"
    ends = {
        p: v for p, v in answers.items()
        if subject.kinds.get(p, "change") not in silent and any(graph.same(p, end) for end in (s.pre, s.post))
    }  # fmt: skip
    changes = (e.step for e in web.events if e.name == s.array and e.kind == "change")
    leaves = max(web.ready(s.post, step) for step in changes) + latest
    gone = [web.ticks[_reader(web, step, s.array)] > leaves for step in range(len(web.events))]
    twin = subject.learner.fork()
    tracer = Pipelined(twin.layout_, twin.activity(), twin.wiring(), Script())
    tracer.following, tracer.gone = ends, gone
    subject.runs += 1
    with tracer, np.errstate(all="ignore"):
        twin.live(subject.x[None], subject.y[None], subject.taught, python=True)
    arrays, before = twin.arrays(), subject.learner.arrays()
    change = arrays.get("d" + s.array, arrays[s.array] - before[s.array])
    return distance(subject.base.changes[s.array], np.asarray(change))


def _reader(web: Web, step: int, array: str) -> int:
    """The step whose tick counts from here on: the change of the array, where it is among the changes that follow at once."""
    at = step
    while at < len(web.events) - 1 and web.events[at].kind in ("change", "applied") and web.events[at].name != array:
        at += 1
    return at
