"""What a teacher tells: into how many dimensions of change a target goes, and which cells hear it directly."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from harness.audit.graph import Offence

if TYPE_CHECKING:
    from harness.audit.graph import Graph
    from harness.audit.subject import Effect
    from harness.state import Array

STEP = 1e-2
"""Of a target, either way, for a difference quotient."""
RANK = 1e-8
"""Singular values below this, over the largest, are 0."""
INSIDE = 0.15, 0.7
"""Targets 0 and 1 become 0.15 and 0.85 for slopes: a bar at 0, 1/2 or 1 is not crossed by a step."""
FAINT = 1e-10
"""A change that a target moves by less, over its size, is not moved."""


class Teaching:
    """How the target of a subject's sample goes into its changes."""

    def __init__(self, graph: Graph) -> None:
        self.graph, self.subject = graph, graph.subject
        self.arrays = [s.array for s in self.subject.plastic if np.any(self.subject.base.changes[s.array])]

    def _changes(self, y: Array) -> dict[str, Array]:
        return self.subject.run(y=y).changes

    def _toward(self, k: int, size: float) -> Array:
        """A target moved in output k, at taught ticks."""
        y: Array = INSIDE[0] + INSIDE[1] * self.subject.y
        y[self.subject.taught, k] += size
        return y

    def _flipped(self, k: int) -> Array:
        """The target with output k told the opposite."""
        y: Array = self.subject.y.copy()
        y[..., k] = 1 - y[..., k]
        return y

    def _named(self, k: int) -> Array:
        """The target that names output k alone."""
        y: Array = np.zeros_like(self.subject.y)
        y[..., k] = 1
        return y

    @cached_property
    def told(self) -> bool:
        """Whether changes depend on the target at all."""
        outputs = range(self.subject.task.n_out)
        return self._moves(1 - self.subject.y) or any(self._moves(self._named(k)) for k in outputs)

    def _moves(self, y: Array) -> bool:
        base, other = self.subject.base.changes, self._changes(y)
        return any(np.abs(other[a] - base[a]).max() > FAINT * np.abs(base[a]).max() for a in self.arrays)

    @cached_property
    def dimension(self) -> dict[str, int]:
        """By array: the rank of the Jacobian of its change by the target."""
        if not self.told:
            return dict.fromkeys(self.arrays, 0)
        columns: dict[str, list[Array]] = {a: [] for a in self.arrays}
        for k in range(self.subject.task.n_out):
            more, less = self._changes(self._toward(k, STEP)), self._changes(self._toward(k, -STEP))
            for a in self.arrays:
                columns[a].append((more[a] - less[a]).ravel() / (2 * STEP))
        ranks = {a: self._rank(a, np.array(columns[a])) for a in self.arrays}
        return ranks if any(ranks.values()) else self._steps()

    def _rank(self, array: str, J: Array) -> int:
        size = np.linalg.svd(J, compute_uv=False)
        floor = FAINT * float(np.abs(self.subject.base.changes[array]).max())
        return int(np.sum((size > RANK * size[0]) & (size > floor)))

    def _steps(self) -> dict[str, int]:
        """For a rule without a slope: of flips that each tell one cell, how many are told; or 1, where all are told at once."""
        found = dict.fromkeys(self.arrays, 0)
        single = bool(self.heard) and all(mask.sum() == 1 for _, mask in self.heard)
        told: dict[str, set[int]] = {a: set() for a in self.arrays}
        base = self.subject.base.changes
        for k in range(self.subject.task.n_out):
            for changes in (self._changes(self._flipped(k)), self._changes(self._named(k))):
                for a in self.arrays:
                    if np.any(changes[a] != base[a]):
                        told[a].add(k)
        for a, cells in told.items():
            found[a] = min(len(cells), len(base[a])) if single else min(len(cells), 1)
        return found

    @cached_property
    def direct(self) -> list[tuple[int, list[Effect]]]:
        """What flipping one output of the target does directly."""
        outputs = range(self.subject.task.n_out)
        return [(k, self.subject.effects(self.graph.forced(y=self._flipped(k)))) for k in list(outputs)[:: len(outputs) - 1 or 1]]

    @cached_property
    def heard(self) -> list[tuple[Effect, Array]]:
        """Which units of populations, or rows of arrays, hear the target directly; modulators apart."""
        found = []
        for _, effects in self.direct:
            for e in effects:
                if e.kind == "applied" or self.graph.broadcast(e.name):
                    continue
                if e.kind != "change":
                    found.append((e, self.graph.folded(e)))
                elif e.name in self.arrays:
                    found.append((e, np.any(self.graph.rows(e), axis=1)))
        return found

    @cached_property
    def stray(self) -> list[Offence]:
        """Where one output of the target is told to several cells, and each is told something of its own, along no synapse."""
        if max(self.dimension.values(), default=0) <= 1:
            return []
        return [
            Offence("target", k, e.step, e.name, int(mask.argmax())) for k, (e, mask) in enumerate(self.heard) if mask.sum() > 1
        ]
