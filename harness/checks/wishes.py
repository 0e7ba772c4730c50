"""What a learner must expose for an audit to look into it.

None of this is owed: a check that wishes for something is skipped, and its reason is the wish.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.audit.case import Case
from harness.audit.cells import Cells, misfit
from harness.audit.subject import Subject, UnauditableError
from harness.checks.contract import contract
from harness.checks.material import AnyLearner, SkippedError
from harness.declare import Population
from harness.state import stem
from harness.trace import Script

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.state import Array

LONG = 0.5
"""Seconds of one traced sample from which on an audit is slow: it lives through hundreds."""


@contract("arrays")
def check_an_audit_can_begin(learner: AnyLearner) -> None:
    """At the small settings of an audit a sample can be traced: finite, the same each time, and in less than half a second."""
    subject = _subject(learner)
    start = time.perf_counter()
    subject.run()
    seconds = time.perf_counter() - start
    if seconds > LONG:
        raise SkippedError(
            f"a traced sample takes {seconds:.1f} s, and an audit lives through hundreds: give `audited = dict(...)`, settings "
            "at which the rule is what it is, with few units, short times and few steps"
        )


@contract("arrays")
def check_an_audit_sees_every_signal(learner: AnyLearner) -> None:
    """What cells tell each other within a sample is written to declared populations, and none of them stays silent.

    An array that nobody declared carries a signal if a shift of one of its values reaches several units, or another unit than
    its own. What belongs to one cell or to one synapse alone (a potential, a trace, a moment) need not be declared.
    """
    subject = _subject(learner)
    told = [
        f"{name} carries signals from cell to cell ({reached}), and is not declared: add Population({stem(name)!r}, kind), of "
        "kind modulator if it is one value that all cells may feel"
        for name, reached in _undeclared(subject).items()
    ]
    if silent := _silent(learner, subject):
        told.append(f"nothing is written to {', '.join(silent)} in a sample with a target, so that nothing can be said of it")
    if told:
        raise SkippedError("; ".join(told))


@contract("arrays")
def check_an_audit_knows_whose_signals_they_are(learner: AnyLearner) -> None:
    """Each population of activity is at an end of a synapse, or is seen or declared (`of=`) to be a signal of cells that are."""
    subject = _subject(learner)
    ends = {end for s in subject.wiring for end in (s.pre, s.post)} | {p for pair in subject.learner.projections for p in pair}
    loose = [p.array for p in subject.populations if p.array not in ends and p.kind in ("rate", "binary", "spike")]
    if misfits := [why for name, of in subject.cells.items() if (why := misfit(subject, name, of))]:
        raise SkippedError("; ".join(misfits))
    if not loose:
        return
    try:
        graph = Case(type(subject.learner), _given(learner)).graph
        known = graph.unions.keys() | ends
        lost = [p for p in loose if p in subject.written and p not in known and not any(graph.same(p, end) for end in ends)]
    except UnauditableError as why:
        raise SkippedError(f"an audit cannot tell whose its signals are: {why}") from None
    if lost:
        names = ", ".join(lost)
        raise SkippedError(
            f"{names}: no synapse leads to or from it, and an audit takes it for cells of its own. If it is what other cells do, "
            "shown a sample for a second time, or should do, say of which: Population(name, kind, of=theirs); if synapses lead "
            "there, declare them, or, if no array holds them, as `projections`"
        )


def _subject(learner: AnyLearner) -> Subject:
    cls = learner if isinstance(learner, type) else type(learner)
    try:
        return Case(cls, _given(learner)).subject
    except UnauditableError as why:
        raise SkippedError(f"an audit can say nothing of it: {why}") from None


def _given(learner: AnyLearner) -> dict[str, Any]:
    """The settings that are not at their defaults."""
    if isinstance(learner, type):
        return {}
    fields = learner.hypers().items()
    return {name: getattr(learner, name) for name, f in fields if not f.metadata["fit"] and getattr(learner, name) != f.default}


def _silent(learner: AnyLearner, subject: Subject) -> list[str]:
    """Declared populations to which a sample writes nothing, in no layer and whatever the options."""

    def stems(names: Iterable[str]) -> set[str]:
        return set(map(stem, names))

    silent = stems(p.array for p in subject.learner.activity()) - stems(subject.written)
    for name, field in subject.learner.hypers().items():
        options = field.metadata["choices"] or ((False, True) if isinstance(field.default, bool) else ())
        for value in options if silent and not field.metadata["fit"] else ():
            with contextlib.suppress(UnauditableError):
                silent -= stems(Case(type(subject.learner), _given(learner) | {name: value}).subject.written)
    return sorted(silent)


def _undeclared(subject: Subject) -> dict[str, str]:
    """Arrays that nobody declared and that carry signals from cell to cell, with what one value of theirs reached."""
    suspects = _suspects(subject)
    if not suspects:
        return {}
    cls = type(subject.learner)
    populations = (*cls.populations, *map(Population, suspects))
    watched: Any = type(cls.__name__, (cls,), dict(__module__=cls.__module__, __doc__=cls.__doc__, populations=populations))
    try:
        sub = Case(watched, subject.params, seed=subject.seed).subject
    except UnauditableError:
        return {}
    reach = {
        (name, unit): _reached(sub, name, unit)
        for name in suspects
        if name in sub.written
        for unit in sorted({0, sub.size(name) - 1})
    }
    idle = {name for name in suspects if not any(found for (q, _), found in reach.items() if q == name)}
    idle |= {name for (name, _), found in reach.items() if found.keys() & set(sub.learner.streams)}  # it shifts others' draws
    told: dict[str, str] = {}
    cells = Cells(sub)
    for (name, unit), found in reach.items():
        for other, mask in found.items():
            if name not in told and not {name, other} & idle and not _alone(cells, other, mask, unit, sub.size(name)):
                told[name] = f"its value {unit} reaches {int(mask.sum())} of {other}"
    return told


def _reached(subject: Subject, name: str, unit: int) -> dict[str, Array]:
    """Units, or weights, that a shift of one value reaches in single steps, as long as these are the steps of the base."""
    run = subject.run(script=Script().replay(subject.base.events, subject.shift(name, [unit])))
    pairs = zip(subject.base.events, run.events, strict=False)
    last = next((one.step - 1 for one, other in pairs if (one.name, one.kind) != (other.name, other.kind)), len(run.events))
    found: dict[str, Array] = {}
    for effect in subject.effects(run):
        if effect.step < last and effect.name != name:
            found[effect.name] = found.get(effect.name, False) | effect.units
    return found


def _suspects(subject: Subject) -> list[str]:
    """Arrays of floats that a sample changes, and that are no declared population, synapse, or state of one."""
    learner = subject.learner
    synapses = {s.array for s in learner.wiring()}
    known = synapses | {"d" + name for name in synapses} | {p.array for p in learner.activity()} | set(learner.homeostatic)
    shapes = {learner.arrays()[name].shape for name in synapses if learner.arrays()[name].ndim > 1}
    named = {name for kernel in ("respond", "learn", "rest") for name in learner.names(kernel)}
    probe = learner.probe(subject.x, subject.y, subject.taught)
    return [
        name for name, after in probe.after.items()
        if name not in known and after.dtype.kind == "f" and after.shape not in shapes and name.partition("[")[0] in named
        and not np.array_equal(after, probe.before[name])
    ]  # fmt: skip


def _alone(cells: Cells, name: str, mask: Array, unit: int, size: int) -> bool:
    """Whether what was reached is one cell, wherever it is shown something, or synapses that begin or end at one."""
    subject = cells.subject
    if name in {s.array for s in subject.wiring}:
        lines = mask.reshape(len(subject.learner.arrays()[name]), -1)
        return bool(min(lines.any(1).sum(), lines.any(0).sum()) <= 1)
    units = np.flatnonzero(mask.reshape(-1, cells.units(name)).any(0))
    return len(units) <= 1 and (mask.size != size or units.tolist() in ([], [unit % cells.units(name)]))
