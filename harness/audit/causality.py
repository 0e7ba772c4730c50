"""Causality: is a change made when what it is for happens, of what was known then, and of nothing that is hidden?

Time is the ticks of a sequence, all taught; to learners that take no sequences, one sample after another.

* Commit: signal and target of one tick are replaced. What was there before must stay as it was (two futures, one prefix), and
  weights, or the change asked of them so far, must feel it at that tick: the lag is the number of ticks until they do. A learner
  that writes down what happens and learns when the sequence is over has the lag of the rest of it; one that is given a sequence
  as one signal learns offline by construction.
* Credit: for two ticks, dW with both targets replaced, less with either, plus with none, over dW (`detail: defect`). Traces of
  the past times present teaching (e-prop, RFLO, a reward that comes late) give 0, and so does a gradient, which is linear in
  errors: the two differ in lag and storage. More than 0 says that teaching enters activity.
* Snapshot: all that is declared is brought, as bytes, into a class imported anew (a full audit: into a new process), and both
  live on. All arrays must be the same to the last bit; else something is remembered elsewhere, in a global or an attribute.

PASS: lag 0, and nothing hidden. FAIL: otherwise. INCONCLUSIVE: no tick was felt by any weight.

Marschall, O., Cho, K. & Savin, C. (2020). A unified framework of online learning algorithms for training recurrent neural
networks (past-facing, future-facing). JMLR 21, 135. arXiv:1907.02649
Bellec, G. et al. (2020). A solution to the learning dilemma for recurrent networks of spiking neurons (e-prop). Nat. Commun. 11,
3625. doi:10.1038/s41467-020-17236-y
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.audit import ticks
from harness.audit.evidence import Finding, Witness
from harness.audit.subject import UnauditableError
from harness.loading import load

if TYPE_CHECKING:
    from harness.audit.case import Case
    from harness.audit.subject import Subject
    from harness.base import Learner

TICKS = 4
"""Ticks, or samples, of which one is replaced."""
PATIENCE = 60
"""Seconds that a new process may take."""
CHILD = "import sys; from harness.audit.causality import live_on; live_on(*sys.argv[1:])"


def hidden(subject: Subject, *, process: bool) -> tuple[str, str]:
    """Which arrays are not the same after it was brought elsewhere as bytes, or what went wrong there; and how it was tried.

    Both are "" where a class cannot be imported again, as one that is defined within a function.
    """
    learner = subject.learner.fork()
    path = ticks.course(subject, max(subject.task.n_ticks, 2))
    half = path.ticks // 2
    ticks.live(learner, path, 0, half)
    data = learner.snapshot()
    ticks.live(learner, path, half)
    try:
        other = _in_process(type(learner), data, path, half) if process else _here(type(learner), data, path, half)
    except UnauditableError:
        return "", ""
    except Exception as error:  # noqa: BLE001 - whatever a learner raises that misses what it has hidden
        return f"{type(error).__name__}: {error}", "new process" if process else "new import"
    here, there = learner.arrays(), other.arrays()
    differ = [name for name in here if not np.array_equal(here[name], there[name], equal_nan=True)]
    return ", ".join(differ), "new process" if process else "new import"


def _here(cls: type[Learner], data: bytes, path: ticks.Course, half: int) -> Learner:
    """Restored into a copy of the class whose module has been run once more, and lived on."""
    module = sys.modules.get(cls.__module__)
    file = getattr(module, "__file__", None)
    if file is None or "<locals>" in cls.__qualname__:
        raise UnauditableError(f"{cls.__qualname__} cannot be imported again")
    name = f"{cls.__module__}_anew"
    spec = importlib.util.spec_from_file_location(name, file)
    anew = importlib.util.module_from_spec(spec) if spec is not None else None
    if anew is None or spec is None or spec.loader is None:
        raise UnauditableError(f"{file} cannot be imported again")
    anew.__package__ = module.__package__ if module is not None else None
    sys.modules[name] = anew
    try:
        spec.loader.exec_module(anew)
        twin: Any = anew
        for part in cls.__qualname__.split("."):
            twin = getattr(twin, part)
        learner: Learner = twin().restore(data)
        ticks.live(learner, path, half)
    finally:
        del sys.modules[name]
    return learner


def _in_process(cls: type[Learner], data: bytes, path: ticks.Course, half: int) -> Learner:
    """Restored in a new process, lived on there, and brought back."""
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    if "<locals>" in cls.__qualname__ or file is None:
        raise UnauditableError(f"{cls.__qualname__} cannot be imported elsewhere")
    place = file if cls.__module__.startswith("hebbench_file_") or cls.__module__ == "__main__" else cls.__module__
    with tempfile.TemporaryDirectory() as folder:
        before, after, signals = (Path(folder) / name for name in ("before.npz", "after.npz", "signals.npz"))
        before.write_bytes(data)
        np.savez(signals, allow_pickle=False, X=path.X, Y=path.Y, lone=np.array(path.lone), half=np.array(half))
        command = [sys.executable, "-c", CHILD, f"{place}:{cls.__qualname__}", str(before), str(signals), str(after)]
        known = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
        done = subprocess.run(command, env=known, capture_output=True, text=True, timeout=PATIENCE, check=False)
        if done.returncode or not after.exists():
            raise RuntimeError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"exit {done.returncode}")
        return cls.load(after)


def live_on(where: str, before: str, signals: str, after: str) -> None:
    """What the new process does: read a learner and its signals from files, live on, and write it to a file."""
    learner: Learner = load(where).load(before)
    with np.load(signals, allow_pickle=False) as given:
        path = ticks.Course(given["X"], given["Y"], bool(given["lone"]))
        ticks.live(learner, path, int(given["half"]))
    learner.save(after)


def defect(subject: Subject) -> float:
    """By how much what two ticks teach together is not what each of them teaches, over the change."""
    path = ticks.course(subject, subject.task.n_ticks)

    def change(*told: int) -> dict[str, Any]:
        Y = path.Y.copy()
        for t in told:
            Y[t] = np.roll(Y[t], 1)
        return ticks.states(subject, path._replace(Y=Y))[-1]

    none, one, other, both = change(), change(1), change(2), change(1, 2)
    raw = [name for name in none if name.startswith("d") and name[1:] in none] or list(none)
    gap = max(float(np.abs(both[n] - one[n] - other[n] + none[n]).max()) for n in raw)
    top = max(float(np.abs(none[n]).max()) for n in raw)
    return gap / top if top else 0.0


def probe(case: Case) -> Finding:
    """Whether changes come in time, of what was known, and of what can be seen."""
    subject = case.subject
    lost, how = hidden(subject, process=not case.fast)
    sequence, foreseen = subject.task.n_ticks > 1, []
    detail: dict[str, Any] = dict(unit="ticks" if sequence else "samples", snapshot=how or "not tried", hidden=lost)
    if subject.cls.can.whole:
        lag, reason = subject.learner.task_.shape[0], "It is given a sequence as one signal, and learns after its end: offline."
        detail["unit"] = "tokens, all at once"
    else:
        felt = ticks.credit(subject, subject.task.n_ticks if sequence else TICKS)
        lags, foreseen = by_array(subject, felt), felt.foreseen
        lag = max(lags.values())
        detail |= dict(lag=lags, ticks=felt.ticks) | (dict(defect=defect(subject)) if sequence else {})
        reason = "Credit comes when it is due."
        if lag:
            reason = f"What happens at a tick first changes a weight {lag} {detail['unit']} later, when the sequence is over."
    if foreseen:
        reason = f"What is to come has changed {', '.join(foreseen)} beforehand."
    if lost:
        reason = f"It remembers more than it declares: brought elsewhere as bytes it goes on otherwise ({lost})."
    bad = bool(lag or lost or foreseen)
    witness = foreseen[0] if foreseen else max(detail["lag"], key=detail["lag"].get) if "lag" in detail else ""
    return Finding(
        criterion="causality", verdict="FAIL" if bad else "PASS", value=float(lag),
        statistic="ticks between what happens and the first change that feels it", noise_floor=0.0, threshold=1.0,
        limit_of_detection=1.0, detail=detail, reason=reason, witness=Witness(array=witness) if bad else None,
    )  # fmt: skip


def by_array(subject: Subject, felt: ticks.Credit) -> dict[str, int]:
    """The lag of every array of synapses that carries activity and felt the tick; of others, where none of these learns."""
    found = {
        s.array: min(felt.lag[name] for name in (s.array, "d" + s.array) if name in felt.lag)
        for s in sorted(subject.plastic, key=lambda s: s.role == "feedback")
        if {s.array, "d" + s.array} & felt.lag.keys()
    }
    if not found:
        raise UnauditableError("no weight felt what was told at any tick")
    layers = {s.array for s in subject.plastic if s.role != "feedback"}
    return {name: lag for name, lag in found.items() if name in layers} or found
