"""What a rule writes, in the order in which it writes it.

In the Python form of a kernel every array of the state is watched. A run of writes to one population is one *step*; it
ends when another population is written, or when a value written in it is read. Changes of weights are noted together
once the rule turns to a population again, or ends. On such steps interventions act: `inject` adds to a population right
after it was written, `clamp` holds it at a value. `replay` puts every population back, after each step, to what it held
in an earlier trace: whatever then differs in a step is what that step alone made of the difference.
"""

from __future__ import annotations

import bisect
import dataclasses
from typing import Any, Literal, NamedTuple, Self

import numpy as np

from harness.declare import Population, Synapse
from harness.state import Array, Layout
from harness.watched import Heard, Piece, Watched, address_of


class Event(NamedTuple):
    """One step: what was written, and the vector it held then, or the change of a weight array.

    `kind` is the population's, or `change` for the raw change that a rule asks for, or `applied` for what an optimiser
    made of it.
    """

    step: int
    name: str
    kind: Literal["rate", "binary", "spike", "error", "modulator", "change", "applied"]
    vector: Array


@dataclasses.dataclass
class Script:
    """Interventions for one traced probe."""

    injections: dict[tuple[str, int], Array] = dataclasses.field(default_factory=dict)
    clamps: dict[str, Array] = dataclasses.field(default_factory=dict)
    course: list[Event] = dataclasses.field(default_factory=list)
    shifts: dict[str, Array] = dataclasses.field(default_factory=dict)

    def inject(self, population: str, step: int, delta: Any) -> Self:
        """Add `delta` to a population right after its write at `step` (as numbered by a trace without intervention)."""
        self.injections[population, step] = np.asarray(delta)
        return self

    def clamp(self, population: str, value: Any) -> Self:
        """Hold a population at `value`: whatever is written to it is overwritten."""
        self.clamps[population] = np.asarray(value)
        return self

    def replay(self, trace: list[Event], shifts: dict[str, Array] | None = None) -> Self:
        """After each step, put its population back to what `trace` says, plus a constant shift where one is given.

        The shift is there from the beginning, before a population is first written. What is noted of a step is what the rule
        wrote, before it is put back. Where writes to populations no longer come in the order of `trace`, nothing is put back from
        there on; a change of weights more, or less, is no matter.
        """
        self.course, self.shifts = trace, dict(shifts or {})
        return self


class Tracer:
    """Watches a layout while kernels run on it as Python: `with Tracer(...) as t: ...; t.events`."""

    def __init__(self, layout: Layout, populations: list[Population], wiring: list[Synapse], script: Script) -> None:
        self.layout, self.script = layout, script
        self.events: list[Event] = []
        self.step = 0
        self.active: Piece | None = None
        self.changing: dict[str, Piece] = {}
        watched = [Piece(p.array, p.kind, layout.pieces[p.array]) for p in populations]
        for synapse in wiring:
            raw = layout.pieces.get("d" + synapse.array)
            if raw is not None:
                watched.append(Piece(synapse.array, "change", raw))
            watched.append(Piece(synapse.array, "change" if raw is None else "applied", layout.pieces[synapse.array]))
        self.raw = {id(p) for p in watched if p.kind == "change" and "d" + p.name in layout.pieces}
        self.pieces = sorted((p for p in watched if p.array.size), key=lambda p: p.start)
        self.starts = [p.start for p in self.pieces]
        self.latest: Piece | None = None
        self.noted: Piece | None = None
        """Weights or changes that are known to be changing: of further writes to them there is nothing to tell."""
        self.left = set(script.injections)
        self.course = [e for e in script.course if e.kind not in ("change", "applied")]
        self.played, self.replaying = 0, bool(self.course)
        names = {p.name for p in self.pieces}
        asked = {name for name, _ in script.injections} | set(script.clamps) | set(script.shifts)
        if unknown := asked - names:
            raise ValueError(f"no population {', '.join(sorted(unknown))}; there are {', '.join(sorted(names))}.")

    def __enter__(self) -> Self:
        self.plain = dict(self.layout.arrays)
        for name, array in self.plain.items():
            start, stop = address_of(array), address_of(array) + array.nbytes
            met = [piece for piece in self.pieces if piece.start < stop and start < piece.stop]
            if met:
                watched = array.view(Watched if all(piece.weights for piece in met) else Heard)
                watched.tracer = self
                self.layout.arrays[name] = watched
        for piece in self.pieces:
            if piece.name in self.script.shifts:
                piece.array += self.script.shifts[piece.name].reshape(piece.array.shape)
        return self

    def __exit__(self, kind: object, *error: object) -> None:
        self.settle()
        self.layout.arrays.update(self.plain)
        if kind is None and self.left:
            missed = ", ".join(f"{name} at step {step}" for name, step in sorted(self.left))
            raise ValueError(f"the script injects into {missed}, but nothing is written there then; number steps by a trace.")

    def find(self, address: int) -> Piece | None:
        """The watched piece that holds an address."""
        at = bisect.bisect_right(self.starts, address) - 1
        return self.pieces[at] if at >= 0 and address < self.pieces[at].stop else None

    def read(self, address: int) -> None:
        """A value is read: if the present step wrote it, that step is complete."""
        if self.active is not None and self.active.holds(address):
            self.close()

    def write(self, address: int, count: int) -> None:
        """`count` values from an address on are about to be written."""
        piece = self.latest
        if piece is None or not piece.start <= address < piece.stop:
            piece = self.latest = self.find(address)
            if piece is None:
                return
        if piece.weights:
            if piece.key not in self.changing:
                self.close()
                piece.before = piece.array.copy()
                self.changing[piece.key] = piece
            self.noted = piece
            return
        if piece is not self.active:
            self.settle()
            self.active = piece
            piece.written = bytearray(piece.array.size)
        piece.mark(address, count)

    def close(self) -> None:
        """End the present step of activity, and let the script act on it."""
        piece, self.active = self.active, None
        if piece is None:
            return
        if (piece.name, self.step) in self.script.injections:
            self.left.discard((piece.name, self.step))
            piece.array += self.script.injections[piece.name, self.step].reshape(piece.array.shape)
        if piece.name in self.script.clamps:
            piece.array[...] = np.broadcast_to(self.script.clamps[piece.name], piece.array.shape)
        self.note(piece, piece.array)
        if self.replaying:
            self.put_back(piece)

    def put_back(self, piece: Piece) -> None:
        """What the replayed trace says of this step, with the shift asked for; the end of replaying where it says another."""
        at, self.played = self.played, self.played + 1
        self.replaying = at < len(self.course) and self.course[at].name == piece.name
        if self.replaying:
            piece.array[...] = self.course[at].vector.reshape(piece.array.shape)
            if piece.name in self.script.shifts:
                piece.array += self.script.shifts[piece.name].reshape(piece.array.shape)

    def settle(self) -> None:
        """End the present step, and note the changes of weights since the last."""
        self.close()
        changing, self.changing, self.noted = self.changing, {}, None
        for piece in changing.values():
            self.note(piece, piece.array if id(piece) in self.raw else piece.array - piece.before)

    def note(self, piece: Piece, vector: Array) -> None:
        """Write down one step."""
        self.events.append(Event(self.step, piece.name, piece.kind, np.array(vector).ravel()))  # type: ignore[arg-type]
        self.step += 1
