"""Locality: what does a change of a synapse look at?

At the step of plasticity itself, all activity being put back after each step, one thing is moved at a time: one synapse, one row,
one unit of a population, one value of the signal, one of the target (`harness.audit.graph`). What then differs in a change is
what the change reads. A synapse may read itself, the signals of its two cells, state of its own or of its cells, and a modulator
that is told to all alike. The grade is the furthest that any change looks:

* L0, two factors: nothing but the two cells and the synapse;
* L1, and one number for all: a modulator; the teacher's word has one dimension at most;
* L2, and a signal of its own for each cell, from the teacher: local, given a vector of feedback. So are back-propagation, where
  an error d is at hand in the cell, and feedback alignment; what tells them apart is how d came there: weight transport;
* L3, neuron-local: other synapses, or inputs, of the same cell (weights normalised, heterosynaptic);
* L4, lateral: other cells of the layer, or their synapses (Sanger's rule, a division by all activities, a softmax not wired);
* L5, distal: other arrays of weights, other cells, a signal that came along no synapse, or what is kept outside of all arrays.

The teaching dimension of an array is the rank of the Jacobian of its change by the target at a fixed signal (central differences;
singular values below 1e-8 of the largest are 0): 0 without a teacher, 1 for a scalar, up to the outputs for a vector. A rule that
asks only which side of a bar a target is on has no such slope; there one target at a time is flipped: if each tells one cell, the
dimension is the number of cells told, else 1.

A signal that goes from cell to cell along no declared synapse makes L5, unless it goes through weights that are declared for
another way: that is counted once, as weight transport, and `strict` in the detail says what the grade is if it counts here too
(for back-propagation L5, and L2 given its errors). Likewise synapses of feedback that copy others, and one number that several
cells share (weight sharing): all of them are its cells. That holds as long as a change
is local given what came. Where it is not, as where it reads all rows of its array (real-time recurrent learning), or where errors
come back through the very synapses that they change (back-propagation through time), ways count, and it is L5.

Predictive coding, contrastive Hebbian rules and equilibrium propagation, often called two-factor rules, are L2 as well: what the
teacher says goes into as many dimensions of change, and whether its word counts as an activity or an error of the cell is a name,
not a measurement.

PASS: L0, L1, and L2, which most of the field argues about. FAIL: L3 to L5. INCONCLUSIVE: no synapse changed.

Bredenberg, C. & Savin, C. (2024). Desiderata for normative models of synaptic plasticity. Neural Comput. 36, 1245-1285.
doi:10.1162/neco_a_01671
Baldi, P. & Sadowski, P. (2016). A theory of local learning, the learning channel, and the optimality of backpropagation. Neural
Networks 83, 51-74. arXiv:1506.06472
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from harness.audit.evidence import Finding, Witness
from harness.audit.graph import Offence, describe
from harness.audit.subject import UnauditableError
from harness.audit.teaching import Teaching

if TYPE_CHECKING:
    from harness.audit.case import Case
    from harness.audit.graph import Graph
    from harness.state import Array

THRESHOLD = 1e-6
"""A share of the largest change; what moves a change by less is not read. Planted non-locality is seen from 1e-8 on."""
LOCAL = 2
"""The highest grade that passes."""
WORDS = (
    "two factors: a change reads its synapse and the two cells",
    "three factors: its two cells, and one number told to all",
    "local given a vector of feedback: its two cells, each with a signal of its own",
    "neuron-local: a change reads other synapses or inputs of its cell",
    "lateral: a change reads other cells of its layer, or their synapses",
    "distal: a change reads what neither of its cells has",
)


class Reading(NamedTuple):
    """Something that a change reads and that is not local to it: the grade, and by what it was found."""

    grade: int
    what: str
    offence: Offence


class Inspector:
    """What changes of one subject's synapses read."""

    def __init__(self, graph: Graph) -> None:
        self.graph, self.subject = graph, graph.subject
        self.changing = {s.array: s for s in self.subject.plastic if np.any(self.subject.base.changes[s.array])}
        self.roles = {s.array: s.role for s in self.subject.wiring}

    # ------------------------------------------------------------------ weights

    def pricked(self) -> dict[str, dict[str, float]]:
        """By array, one of its synapses moved: how much of the largest change reads it, in its row, other rows, elsewhere."""
        found = {}
        for array in self.changing:
            change = self.subject.base.changes[array].reshape(len(self.subject.base.changes[array]), -1)
            row, column = (int(i) for i in np.unravel_index(np.abs(change).argmax(), change.shape))
            W = self.subject.moved(array, [row])[array]
            only = self.subject.learner.arrays()[array].copy()
            only.reshape(change.shape)[row, column] = W.reshape(change.shape)[row, column]
            gaps = self.graph.gap(self.graph.forced({array: only}))
            found[array] = self._split(array, row, column, gaps)
        return found

    def _split(self, array: str, row: int, column: int | None, gaps: dict[str, Array]) -> dict[str, float]:
        own = gaps[array].copy()
        if column is None:
            own[row] = 0
        else:
            own[row, column] = 0
        others = [
            gap.max(initial=0.0) for name, gap in gaps.items() if name != array and self.roles[name] not in ("bias", "feedback")
        ]
        return dict(
            heterosynaptic=float(own[row].max(initial=0.0)),
            lateral=float(np.delete(own, row, 0).max(initial=0.0)),
            distal=float(max(others, default=0.0)),
        )

    def weights(self) -> tuple[dict[str, dict[str, float]], list[Reading]]:
        """What changes read of other weights: in numbers by array, synapses and rows moved; and what is not local."""
        numbers, found = self.pricked(), []
        for array, rows in self.graph.gaps.items() if self.graph.moved else ():
            for row, gaps in rows:
                part = self._split(array, row, None, gaps) if array in gaps else dict(distal=self._elsewhere(gaps))
                told = numbers.setdefault(array, dict(heterosynaptic=0.0, lateral=0.0, distal=0.0))
                for key, size in part.items():
                    told[key] = max(told[key], size)
        grades = dict(heterosynaptic=3, lateral=4, distal=5)
        words = dict(
            heterosynaptic="other synapses of the cell", lateral="synapses of other cells", distal="other arrays of weights"
        )
        for array, told in numbers.items():
            for key, size in told.items():
                if size > THRESHOLD:
                    found.append(Reading(grades[key], words[key], self._witness(array, key)))
        return numbers, found

    def _elsewhere(self, gaps: dict[str, Array]) -> float:
        allowed = ("bias", "feedback")
        return float(max((gap.max(initial=0.0) for name, gap in gaps.items() if self.roles[name] not in allowed), default=0.0))

    def _witness(self, array: str, key: str) -> Offence:
        for offence in self.graph.read_weights:
            if offence.cause == array and (offence.name != array) == (key == "distal") and self.roles[offence.name] != "feedback":
                return offence
        return Offence(array, 0, self._step(array), array, 0)

    def _step(self, array: str) -> int:
        return next((e.step for e in self.subject.base.events if e.name == array and e.kind == "change"), 0)

    # ------------------------------------------------------------------ activity

    def activity(self) -> list[Reading]:
        """Signals that a change reads, of cells at which its synapse does not end."""
        found = []
        ends = {s.array: (s.post, s.pre) for s in self.subject.wiring}
        torn = {(o.cause, o.name) for o in self.graph.torn}
        for offence in self.graph.read_signals:
            post, pre = ends[offence.name]
            grade, what = 5, f"{offence.cause}, a signal of neither of its cells"
            if (offence.cause, offence.name) not in torn and offence.part >= 0:
                cells, _ = self.graph.origin(offence.cause, offence.part)
                if self.graph.place(cells, 0, pre) is not None:
                    grade, what = 3, f"{offence.cause} of inputs that are not its own"
                if self.graph.place(cells, 0, post) is not None:
                    grade, what = 4, f"{offence.cause} of other cells of its layer"
            found.append(Reading(grade, what, offence))
        return found

    # ------------------------------------------------------------------ how signals came

    def ways(self) -> tuple[list[Reading], list[Reading]]:
        """Signals that go along no synapse: those that nothing carries, and those that weights carry which lead another way."""
        lost: list[Reading] = []
        carried: list[Reading] = []
        for o in self.graph.stray_signals:
            cells, _ = self.graph.origin(o.cause, o.part)
            lateral = self._touch(cells, o.name)
            reading = Reading(4 if lateral else 5, f"{o.cause}, which comes to {o.name} along no synapse", o)
            (carried if self._through(cells, o.name) else lost).append(reading)
        if not carried:
            carried = [Reading(5, "weights that act on other cells than their own", o) for o in self.graph.distant_weights]
        return lost, carried

    def _touch(self, cells: str, population: str) -> bool:
        return any(self.graph.same(cells, p) for p, _, _ in self.graph.parts(population))

    def _through(self, cells: str, signal: str) -> bool:
        """Whether weights of these cells act on a signal to whose cells they do not lead.

        Cells that were silent show too little to tell whose a signal is. Then weights of any cells count.
        """
        unknown = not any(self._touch(cells, end) for end in self.graph.ends)
        near = [
            s for s in self.subject.wiring
            if s.role != "bias" and (unknown or self._touch(cells, s.pre) or self._touch(cells, s.post))
        ]  # fmt: skip
        posts = [(s.array, [p for p, _, _ in self.graph.parts(s.post)]) for s in near]
        away = [array for array, ends in posts if not any(self._touch(p, signal) for p in ends)]
        return any(self.graph.carries(array, cells, signal) for array in away)

    def returning(self) -> list[Reading]:
        """Synapses among cells of one layer that act on others of these cells: what they carry back changes themselves."""
        loops = {s.array: s.post for s in self.changing.values() if self.graph.same(s.pre, s.post)}
        what = "the very synapses that it changes, through which errors come back"
        return [
            Reading(4, what, o) for o in self.graph.distant_weights if o.cause in loops and self._touch(loops[o.cause], o.name)
        ]

    def remembered(self) -> list[Reading]:
        """What the sample before leaves to a change, outside of all arrays: weights that were others then."""
        what, found = "what is kept outside of its arrays from the sample before", []
        for s in self.subject.wiring if self.subject.echo else ():
            effects = self.subject.effects(self.subject.after(self.subject.moved(s.array)))
            found += [Reading(5, what, Offence(s.array, -1, e.step, e.name, int(e.units.argmax()))) for e in effects[:1]]
        return found

    def modulated(self) -> bool:
        """Whether one number that is told to all acts on anything."""
        return any(self.graph.broadcast(q) and effects for q, effects in self.graph.shifted.items())


def probe(case: Case) -> Finding:
    """The grade of locality."""
    graph = case.graph
    eye = Inspector(graph)
    if not eye.changing:
        raise UnauditableError("no synapse changed in the sample, so nothing can be said of what changes read")
    teaching = Teaching(graph)
    dimension = max(teaching.dimension.values(), default=0)
    given = 2 if dimension > 1 else 1 if dimension == 1 or eye.modulated() else 0
    numbers, found = eye.weights()
    lost, carried = eye.ways()
    found += eye.activity() + lost + [Reading(5, "the target, which comes to cells along no synapse", o) for o in teaching.stray]
    found += eye.returning() + eye.remembered()
    worst = max(found, key=lambda r: r.grade, default=None)
    grade = max(given, worst.grade if worst else 0)
    copies = [o for o in graph.read_weights if eye.roles[o.name] == "feedback" and o.name != o.cause]
    strict = max([grade, *(r.grade for r in carried), *(5 for _ in copies)])
    own, grade = grade, strict if grade > LOCAL else grade
    detail: dict[str, Any] = dict(
        grade=f"L{grade}", strict=f"L{strict}", given=f"L{given}", teaching_dimension=teaching.dimension,
        weights=numbers, nonlocal_reads=sorted({f"{r.offence.name} reads {r.what}" for r in found if r.grade == own}),
        undeclared_ways=sorted({f"{r.offence.cause} to {r.offence.name}" for r in (*lost, *carried)}),
    )  # fmt: skip
    reason = WORDS[grade] + "."
    if grade == LOCAL and (carried or copies):
        reason = WORDS[grade] + "; that came through weights which lead another way."
    if worst is not None and grade > LOCAL:
        reason = f"{WORDS[grade]}: {worst.what}."
    return Finding(
        criterion="locality", verdict="PASS" if grade <= LOCAL else "FAIL", value=float(grade), threshold=float(LOCAL),
        statistic=f"grade of locality, 0 to 5; what moves a change by more than {THRESHOLD:g} of the largest is read",
        noise_floor=0.0, limit_of_detection=THRESHOLD, detail=detail, reason=reason[0].upper() + reason[1:],
        witness=Witness(**describe(worst.offence)) if worst is not None and grade > LOCAL else None,
    )  # fmt: skip
