"""Kicks of cells of a running subject, and what a kick of two cells at once does to the synapse between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from harness.audit.update_locking import CAUSES
from harness.trace import Script

if TYPE_CHECKING:
    from harness.audit.graph import Graph
    from harness.declare import Synapse
    from harness.state import Array

SMALLEST = 1e-9
"""A kernel below this share of the largest change is rounding."""


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

    def __init__(self, graph: Graph, answers: int, kick: float, *, alone: bool = False, rank: int = 0) -> None:
        """Kick at so many answers of each signal; both cells or the post-synaptic one `alone`; the unit of this rank."""
        self.graph, self.subject, self.answers, self.kick, self.alone = graph, graph.subject, answers, kick, alone
        self.rank = rank
        self.tried: set[tuple[str, Answer]] = set()
        self.seen: dict[tuple[Any, ...], dict[str, Array]] = {(): self.subject.base.changes}
        self.events = self.subject.base.events
        self.brightest = int(np.abs(self.subject.x[0]).argmax())
        self.driven = {e.step for s in self.subject.wiring if s.role in CAUSES for e in self._effects(s)}

    def _effects(self, s: Synapse) -> list[Any]:
        """Where weights act on their cells: all rows are moved, for a cell that is shut shows nothing."""
        effects = self.subject.forced(weights=self.subject.moved(s.array))
        return [e for e in effects if not e.weights and self.graph.same(e.name, s.post)]

    def writes(self, end: str, *, strict: bool) -> list[list[int]]:
        """Steps at which cells at the end of a synapse get a new value, not of an error, by signal: the last of each run.

        Strictly, only those that forward synapses drive, and not those of which a later one of the same signal is made: it has
        not settled yet.
        """
        graph, found = self.graph, []
        for p in self.signals(end):
            runs: list[list[int]] = []
            for step in (e.step for e in self.events if e.name == p):
                if runs and runs[-1][-1] + 1 == step:
                    runs[-1].append(step)
                else:
                    runs.append([step])
            settling = {e.step for e in graph.shifted[p] if e.name == p}
            made = [run for run in runs if self.driven & set(run)] if strict else runs
            then = [*(run[0] for run in made[1:]), -1][: len(made)]
            found.append([run[-1] for run, after in zip(made, then, strict=True) if not strict or after not in settling])
        return found

    def signals(self, end: str) -> list[str]:
        """Signals, but for errors, of the cells at the end of a synapse. Of spiking cells: spikes alone."""
        graph = self.graph
        found = [p for p in graph.names if graph.same(p, end) and not graph.broadcast(p) and self.subject.kinds[p] != "error"]
        return [end] if self.subject.kinds.get(end) == "spike" and end in found else found

    def parts(self, steps: list[int]) -> list[Answer]:
        """Answers at these steps, one for each presentation."""
        return sorted(
            Answer(step, self.events[step].name, part)
            for step in steps
            for part in range(max(self.events[step].vector.size // self.graph.units(self.events[step].name), 1))
        )

    def chosen(self, end: str, *, driven: bool) -> list[Answer]:
        """The answers that are kicked."""
        strict = driven and self.subject.kinds.get(end) != "spike"
        steps = []
        for each in self.writes(end, strict=strict):
            steps += [each[k] for k in np.linspace(0, len(each) - 1, min(len(each), self.answers)).round().astype(int)]
        return self.parts(steps)

    def partners(self, end: str, before: int) -> list[Answer]:
        """The latest values of cells at an end of a synapse, up to a step; of spiking cells, of what a spike leaves behind."""
        graph, kinds = self.graph, self.subject.kinds
        traces = [p for p in graph.names if graph.same(p, end) and kinds[p] == "rate" and kinds.get(end) == "spike"]
        allowed = traces or self.signals(end)
        steps = [e.step for e in self.events[: before + 1] if e.name in allowed]
        return self.parts(steps[-1:])

    def last(self, cell: str) -> int:
        """The last step at which forward synapses of a cell ask for a change; -1 where they never do."""
        arrays = {s.array for s in self.subject.plastic if s.role in CAUSES and self.graph.cell.get(s.post, s.post) == cell}
        return max((e.step for e in self.events if e.kind == "change" and e.name in arrays), default=-1)

    def unit(self, end: str) -> int:
        """The unit of these cells that is kicked: that whose synapses change most, or the next."""
        for s in self.subject.plastic:
            if s.role in CAUSES and self.graph.same(s.post, end):
                dW = self.subject.base.changes[s.array]
                return int(np.argsort(-np.abs(dW).reshape(len(dW), -1).sum(1), kind="stable")[self.rank % len(dW)])
        return self.brightest if self.graph.units(end) == self.subject.x[0].size else 0

    def outer(self, s: Synapse) -> bool:
        """Whether a synapse begins at the signal itself, which no step writes."""
        size = self.subject.learner.arrays()[s.array][0].size
        return s.pre not in self.graph.names and size == self.subject.x[0].size

    def changes(self, *kicks: Answer | None) -> dict[str, Array]:
        """All changes, with these answers kicked; None stands for the signal."""
        if kicks not in self.seen:
            script, x = Script(), self.subject.x
            for answer in kicks:
                if answer is None:
                    x = x.copy()
                    x[0].flat[self.brightest] += abs(self.kick)
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
        j, i = self.unit(s.post), self.brightest if pre is None else self.unit(s.pre)

        def one(changes: dict[str, Array]) -> float:
            return float(changes[s.array].reshape(len(changes[s.array]), -1)[j, i])

        mixed = one(self.changes(post, pre)) - one(self.changes(post)) - one(self.changes(pre)) + one(self.changes())
        if self.alone:
            mixed = one(self.changes(post)) - one(self.changes())
        floor = SMALLEST * max(float(np.abs(self.changes()[s.array]).max()), float(np.abs(self.changes(post)[s.array]).max()))
        if not np.isfinite(mixed) or abs(mixed) <= floor:
            return 0.0
        sizes = [abs(self.kick) if each is None else float(np.abs(self._blow(each)).max()) for each in (post, pre)]
        return mixed / (sizes[0] if self.alone else sizes[0] * sizes[1])

    def beats(self, *, driven: bool = True) -> dict[str, list[Beat]]:
        """By cell: its answers in order, and what a coincidence at each does to arrays that end or begin there."""
        felt: dict[str, dict[Answer, dict[str, float]]] = {}
        for s in self.subject.plastic:
            ends = (s.post,) if s.role in CAUSES else (s.post, s.pre)
            for end in ends:
                other = s.pre if end == s.post else s.post
                for answer in self.chosen(end, driven=driven):
                    latest = self.partners(other, answer.step)
                    if not latest and not (s.role in CAUSES and self.outer(s)):
                        continue
                    partner = latest[answer.part % len(latest)] if latest else None
                    k = self.kernel(s, answer, partner) if end == s.post else self._reversed(s, answer, partner)
                    if s.role in CAUSES:
                        self.tried.add((self.graph.cell.get(end, end), answer))
                    if k:
                        felt.setdefault(self.graph.cell.get(end, end), {}).setdefault(answer, {})[s.array] = k
        return {cell: [Beat(a, beats[a]) for a in sorted(beats)] for cell, beats in felt.items()}

    def _reversed(self, s: Synapse, pre: Answer, post: Answer | None) -> float:
        return 0.0 if post is None else self.kernel(s, post, pre)
