"""Signed teaching: does one wire carry errors of both signs?

An axon sends spikes or none; it cannot send less than none. A teaching signal that asks for more and for less must come by two
populations of one sign each, or as a departure from a level that is sent all the time, or with a phase in which plasticity
itself has the other sign. One sample x is shown with every target in turn, and each synapse is watched:

* if no change depends on the target there is no teaching: NA;
* if changes do, but none takes both signs, teaching gates what it does not sign: PASS;
* if some take both signs, each array in which they do must be explained by a pair of signals, each of one sign in all samples:
  with either held at 0 no synapse of the array changes its sign any more, and the signs left by one are opposite to those left
  by the other; with both at 0 there is no teaching left. Where synapses that excite and synapses that inhibit lead from both,
  the same is asked of their axons: with all others at 0, each leaves every synapse one sign at most; some leave the one, some
  the other. That synapses of one cell do both is a matter of Dale's law. A signal is an error or a modulator, or what feedback
  synapses lead from; or one of the presentations that it holds side by side: the sign comes with the phase. A modulator may be
  the usual level of another.

The value is the share, among synapses whose change takes both signs, of those without such a pair. PASS: 0, and no population
that speaks to other cells (a synapse leads from it, or all feel it) carries both signs in one unit. FAIL: otherwise; the
witness is an error or modulator of both signs, or, where there is none, the array in whose update alone the sign is made, as
in a cell that subtracts what it says from what it is told. INCONCLUSIVE: nothing changed. A full audit also says what becomes
of learning when every error and modulator is cut off below 0, on a small task: evidence, on which the verdict does not turn.

Crick, F. (1989). The recent excitement about neural networks. Nature 337, 129-132. doi:10.1038/337129a0
Lv, C. et al. (2025). Towards biologically plausible and parallel learning. arXiv:2509.20284 (unsigned errors, C5)
Schultz, W., Dayan, P. & Montague, P. R. (1997). Science 275, 1593-1599. doi:10.1126/science.275.5306.1593 (dips of dopamine)
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.audit import axons
from harness.audit.evidence import Finding, Witness
from harness.audit.lesson import clouds, samples, share_right
from harness.audit.pairs import Part, both_signs, depends, explained, held_by, live, odd_targets, targets, word
from harness.audit.subject import TOLERANCE, Run, UnauditableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.audit.case import Case
    from harness.audit.subject import Subject
    from harness.state import Array

SIGNALS = 3
"""Signals x, each shown with every target."""
STATES = 12
"""States of other noise, and of other weights, that are tried where nothing else takes both signs."""
LESSONS, RATE = 100, 0.02
"""Samples of the small task that is learnt with errors whole and with errors cut off, and the step size where there is one."""
NAMES = dict(
    none="no teaching", unsigned="unsigned", two="two populations", phase="sign by phase", tonic="about a tonic level",
    wire="both signs on one wire", scalar="both signs of one number", update="sign made in the update",
)  # fmt: skip


def probe(case: Case) -> Finding:
    """Whether changes take both signs as the target varies, and how the sign comes to the synapse."""
    subject = case.subject
    names = [s.array for s in subject.plastic]
    xs = samples(subject, 1 if case.fast else SIGNALS, 31)[0]
    grid, flips, states = watched(subject, xs, names)
    if not any(np.any(run.changes[K]) for runs in grid for run in runs for K in names):
        raise UnauditableError("no synapse changed in any sample that was tried")
    if not any(depends([r.changes[K] for r in runs]) for runs in grid for K in names):
        return _finding("NA", "none", "no change of a synapse depends on the target: there is no teaching to be signed")
    share = float(np.mean(np.concatenate([f.ravel() for f in flips.values()])))
    detail: dict[str, Any] = dict(flipped={K: float(f.mean()) for K, f in flips.items()}, share_flipped=share)
    if not case.fast:
        detail["accuracy"] = dict(whole=_learnt(subject, clip=False), cut_off=_learnt(subject, clip=True))
    signed = _signed(subject, grid)
    if not share:
        if told := {p: v for p, v in signed.items() if _travels(case, p)}:
            return _failed(subject, told, 1.0, detail, "")
        return _finding("PASS", "unsigned", "the target gates changes, and no synapse takes both signs as it varies", 0.0, detail)
    first = flips if states[0] else _within(grid[:1], names)
    asked = {K: f for K, f in first.items() if flips[K].any()}
    pairs = _paired(subject, xs[0], grid, asked, states)
    if asked.keys() <= pairs.keys() and (other := _elsewhere(subject, xs[0], grid, [K for K in names if not flips[K].any()])):
        grid, flips, states = other
        pairs = _paired(subject, xs[0], grid, {K: f for K, f in flips.items() if f.any()}, states)
        signed = _signed(subject, grid)
    left = sum(int(f.sum()) for K, f in flips.items() if K not in pairs) / sum(int(f.sum()) for f in flips.values())
    detail["pairs"] = {K: [word(part) for part in pair] for K, pair in pairs.items()}
    told = signed if left else {p: v for p, v in signed.items() if _travels(case, p)}
    if told or left:
        return _failed(subject, told, left, detail, next((K for K in names if flips[K].any() and K not in pairs), ""))
    label = _kind(list(pairs.values()), subject)
    shown = "; ".join(sorted({" and ".join(word(part) for part in pair) for pair in pairs.values()}))
    return _finding("PASS", label, f"changes take both signs by way of signals of one sign each: {shown}", 0.0, detail)


def _paired(
    subject: Subject, x: Array, grid: list[list[Run]], asked: dict[str, Array], states: list[dict[str, Array]]
) -> dict[str, Any]:
    pairs: dict[str, Any] = dict(explained(subject, x, grid, asked, states))
    return pairs | axons.carried(subject, x, grid, {K: f for K, f in asked.items() if K not in pairs}, states)


def _elsewhere(subject: Subject, x: Array, grid: list[list[Run]], quiet: list[str]) -> Any:
    """Runs, synapses and states as of `watched`, in which arrays that took one sign so far take both; None where none does.

    An answer that is below all targets, or above, lets an error have but one sign, and pass for a wire of one.
    """
    told = [K for K in quiet if any(depends([r.changes[K] for r in runs]) for runs in grid)]
    names = [s.array for s in subject.plastic]
    for weights in _states(subject, names) if told else []:
        other = [[subject.run(weights, x=x, y=y) for y in targets(subject)]]
        flips = _within(other, names)
        if any(flips[K].any() for K in told):
            return other, flips, [weights]
    return None


def _finding(
    verdict: Any, label: str, reason: str, value: float | None = None, detail: Any = None, witness: Any = None
) -> Finding:
    return Finding(
        criterion="signed_teaching", verdict=verdict, value=value, noise_floor=0.0, threshold=0.0, limit_of_detection=TOLERANCE,
        statistic="share of synapses whose change takes both signs with no pair of one-signed signals behind it",
        witness=witness, detail=dict(label=NAMES[label]) | (detail or {}), reason=reason,
    )  # fmt: skip


def _kind(pairs: list[tuple[Part, Part]], subject: Subject) -> str:
    if any(part.slot is not None for pair in pairs for part in pair):
        return "phase"
    kinds = [subject.kinds[part.population] for pair in pairs for part in pair]
    return "tonic" if kinds and all(kind == "modulator" for kind in kinds) else "two"


def _failed(subject: Subject, told: dict[str, int], left: float, detail: dict[str, Any], array: str) -> Finding:
    if not told:
        reason = "changes take both signs, which no signal carries: the update itself takes what is said from what is told"
        return _finding("FAIL", "update", reason, left, detail, Witness(array=array))
    order = sorted(told, key=lambda p: (subject.kinds[p] != "modulator", subject.size(p)))
    name = order[0]
    label = "scalar" if subject.kinds[name] == "modulator" and subject.size(name) == 1 else "wire"
    reason = f"population {name} carries both signs, as in unit {told[name]}, and no two signals of one sign stand for it"
    return _finding("FAIL", label, reason, left, detail | dict(both=order), Witness(population=name, unit=told[name]))


# ------------------------------------------------------------------ what varies with the target


def watched(subject: Subject, xs: Array, names: list[str]) -> tuple[list[list[Run]], dict[str, Array], list[dict[str, Array]]]:
    """Runs by signal and target, the synapses of each array whose change takes both signs, and the states in which they do.

    Where there are none, other noise is tried, for a rule that has its own; then targets that are no classes, far ones, and what
    the output says already, which is as right as can be; then other weights: a rule that corrects mistakes alone can make only
    one kind of them in one state. There, a synapse counts as well whose change has one sign with one target, and the other with
    another, whatever the state.
    """
    grid = [[subject.run(x=x, y=y) for y in targets(subject)] for x in xs]
    flips = _within(grid, names)
    if any(f.any() for f in flips.values()):
        return grid, flips, [{}]
    for state in _noises(subject):
        other = [[subject.run(state, x=xs[0], y=y) for y in targets(subject)]]
        if any(f.any() for f in _within(other, names).values()):
            return other, _within(other, names), [state]
    grid = [runs + [subject.run(x=x, y=y) for y in odd_targets(subject, runs[0])] for x, runs in zip(xs, grid, strict=True)]
    flips = _within(grid, names)
    if any(f.any() for f in flips.values()) or not any(depends([r.changes[K] for r in runs]) for runs in grid for K in names):
        return grid, flips, [{}]
    states = _states(subject, names)
    grid = [[subject.run(weights, x=xs[0], y=y) for y in targets(subject)] for weights in states]
    return grid, across(grid, names), states


def _noises(subject: Subject) -> list[dict[str, Array]]:
    """The counters of noise further on, for a rule that has any."""
    noise = subject.learner.arrays().get("noise")
    return [] if noise is None else [dict(noise=noise + np.uint64(1000 * (i + 1))) for i in range(STATES)]


def _within(grid: list[list[Run]], names: list[str]) -> dict[str, Array]:
    return {K: np.any([both_signs([r.changes[K] for r in runs]) for runs in grid], axis=0) for K in names}


def _states(subject: Subject, names: list[str]) -> list[dict[str, Array]]:
    """Weights moved at random, each array by about as much as it is large; every other time from their opposite."""
    rng = np.random.default_rng([subject.seed, 33])
    arrays = {K: subject.learner.arrays()[K] for K in names}
    sizes = {K: np.sqrt(np.mean(W**2)) or 1.0 for K, W in arrays.items()}
    return [{K: (-1) ** i * W + sizes[K] * rng.standard_normal(W.shape) for K, W in arrays.items()} for i in range(STATES)]


def across(grid: list[list[Run]], names: list[str]) -> dict[str, Array]:
    """Synapses whose change takes both signs in a state, or one sign with one target and the other with another in all states."""
    found = {K: [[r.changes[K] for r in runs] for runs in grid] for K in names}
    flips = {}
    for K, values in found.items():
        signs = np.sign(values)  # state, target, synapse
        up = np.all(signs >= 0, axis=0) & np.any(signs > 0, axis=0)
        down = np.all(signs <= 0, axis=0) & np.any(signs < 0, axis=0)
        within = np.any([both_signs(list(state)) for state in values], axis=0)
        flips[K] = within | (up.any(0) & down.any(0))
    return flips


def _signed(subject: Subject, grid: list[list[Run]]) -> dict[str, int]:
    """Errors and modulators, and what feedback synapses lead from, that take both signs in one unit: which unit."""
    senders = {s.pre for s in subject.wiring if s.role == "feedback"}
    found = {}
    for p in (p.array for p in subject.populations if p.kind in ("error", "modulator") or p.array in senders):
        held = held_by(list(itertools.chain(*grid)), p)
        both = both_signs(held) if held else np.zeros(1, bool)
        if both.any():
            found[p] = int(both.argmax())
    return found


def _travels(case: Case, p: str) -> bool:
    """Whether a population speaks to other cells: by a synapse, as one value that all feel, or by no synapse at all."""
    if any(s.pre == p for s in case.subject.wiring) or case.graph.broadcast(p):
        return True
    return any(offence.cause == p for offence in case.graph.stray_signals)


# ------------------------------------------------------------------ learning with errors cut off


def _learnt(subject: Subject, *, clip: bool) -> float:
    """Accuracy on a small task after so many samples, with or without errors and modulators cut off below 0."""
    X, Y = clouds(subject.task, LESSONS + 100, subject.seed)
    twin = subject.learner.fork(**({"rate": RATE} if "optimiser" in subject.learner.hypers() else {}))
    names = [p.array for p in subject.populations if p.kind in ("error", "modulator")] if clip else []
    edits: dict[str, Callable[[Array], None]] = dict.fromkeys(names, _cut_off)
    for x, y in zip(X[:LESSONS], Y[:LESSONS], strict=True):
        live(subject, twin, edits, x, y)
    with np.errstate(all="ignore"):
        return share_right(twin.live(X[LESSONS:], python=True), Y[LESSONS:])


def _cut_off(array: Array) -> None:
    array[array < 0] = 0
