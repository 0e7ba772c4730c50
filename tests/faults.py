"""Trials that go wrong in every way a plug-in can: `perform` stands in for the real one in workers under test."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np

from harness.learner import RefusedError
from harness.trial import Protocol, Result, Trial


def trial(do, i=0, **more):
    """A trial that does what it is named for."""
    return Trial(**dict(
        learner=do, where="faults:L", family="control", origin="builtin", params={"i": i}, task="suite/task",
        task_where="faults:T", task_version=1, difficulty={}, preset="smoke", protocol=Protocol(), replicate=i,
        seeds=dict(data=1, init=2, order=3, noise=4), code_digest="c",
    ) | more).keyed()  # fmt: skip


def perform(trial, compiling):
    """Do what the trial's learner is named for."""
    return globals()[trial.learner](trial, compiling)


def fine(trial, compiling):
    score = float(np.random.default_rng(trial.params["i"]).random())
    return Result(outcome="ok", metric="accuracy", score=score, samples=10, curve=[{"samples": 10, "score": score}])


def slow(trial, compiling):
    time.sleep(0.2)
    return fine(trial, compiling)


def diverges(trial, compiling):
    return Result(outcome="diverged", diverged_at=7, score=float("nan"), extra={"norm": np.float64("inf"), "W": np.ones(2)})


def fails(trial, compiling):
    raise ValueError(f"on purpose, \udc80 at {object()}")


def refuses(trial, compiling):
    raise RefusedError("rate=2.0 is too much for depth=9")


class NeedyError(Exception):
    """Pickles, but cannot be unpickled; its text cannot be had either."""

    def __init__(self, a, b):
        super().__init__("needy")

    def __str__(self):
        raise RuntimeError


def needy(trial, compiling):
    raise NeedyError(1, 2)


def nothing(trial, compiling):
    return None


def unsendable(trial, compiling):
    return Result(outcome="ok", extra={"f": lambda: 1})


def miscounts(trial, compiling):
    return Result(outcome="ok", samples="many")


def astronomical(trial, compiling):
    return Result(outcome="ok", samples=2**63)


def huge(trial, compiling):
    return Result(outcome="ok", extra={"x": "x" * (80 << 20)})


def presumes(trial, compiling):
    return Result(outcome="timeout")


def leaves(trial, compiling):
    sys.exit(5)


def leaves_well(trial, compiling):
    sys.exit()


def interrupts(trial, compiling):
    raise KeyboardInterrupt


def exits_0(trial, compiling):
    os._exit(0)


def exits_3(trial, compiling):
    os._exit(3)


def segfaults(trial, compiling):
    ctypes.string_at(8)


def kills_itself(trial, compiling):
    os.kill(os.getpid(), signal.SIGKILL)


def aborts(trial, compiling):
    os.write(2, b"terminate called after throwing an instance of 'std::bad_alloc'\n")
    os.abort()


def _compiled():
    from numba import njit

    @njit
    def spin(n):
        i = 1
        while n > 0:
            i = (i * 1103515245 + 12345) % 2147483648
            if i == -1:
                n = 0
        return i

    @njit
    def hoard(n):
        kept = [np.ones(1)]
        for i in range(n):
            kept.append(np.full(1 << 22, 1.0 * i))  # noqa: PERF401 - one step at a time
        return len(kept)

    spin.compile("(int64,)")
    hoard.compile("(int64,)")
    return spin, hoard


def spins(trial, compiling):
    """Loops for ever in compiled code that holds the interpreter's lock."""
    with compiling():
        spin, _ = _compiled()
    return spin(1)


def deaf(trial, compiling):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        time.sleep(1)


def stops(trial, compiling):
    os.kill(os.getpid(), signal.SIGSTOP)
    return fine(trial, compiling)


def hoards(trial, compiling):
    kept = []
    while True:
        kept.append(np.ones(5_000_000))


def hoards_compiled(trial, compiling):
    with compiling():
        _, hoard = _compiled()
    return hoard(10**6)


def hoards_wrapped(trial, compiling):
    try:
        return hoards(trial, compiling)
    except MemoryError as error:
        raise RuntimeError("a library made something else of it") from error


def prints(trial, compiling):
    line = b"x" * (1 << 20)
    for _ in range(100):
        os.write(1, line)
    return fine(trial, compiling)


def prints_and_fails(trial, compiling):
    for _ in range(40_000):
        print("a line of words, buffered as Python does it, again and again")
    raise ValueError("after much ado")


def babbles(trial, compiling):
    """Writes what is no message into the pipe to the driver."""
    for fd in range(3, 64):
        with contextlib.suppress(OSError):
            os.write(fd, b"\x00" * 64)
    return fine(trial, compiling)


def closes(trial, compiling):
    os.closerange(0, 256)
    return fine(trial, compiling)


def closes_and_stays(trial, compiling):
    os.closerange(0, 256)
    time.sleep(60)


def forks(trial, compiling):
    """Both copies come back from here."""
    os.fork()
    return fine(trial, compiling)


def sleeper():
    """A command that the test can tell from those of other tests, since its seconds name the process that tests."""
    return ["sleep", f"77.{os.environ['FAULTS_MARK']}"]


def leaves_a_child(trial, compiling):
    subprocess.Popen(sleeper())
    return fine(trial, compiling)


def leaves_an_orphan(trial, compiling):
    """A grandchild in a session of its own, whose parent has ended."""
    subprocess.run(["setsid", "sh", "-c", f"{' '.join(sleeper())} &"], check=True)
    return fine(trial, compiling)


def leaves_a_thread(trial, compiling):
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    return fine(trial, compiling)


def leaves_a_child_and_dies(trial, compiling):
    subprocess.Popen(sleeper())
    os._exit(3)


def compiles(trial, compiling):
    """Compiles for longer than it may run."""
    with compiling(), compiling():
        time.sleep(trial.params["i"])
    return fine(trial, compiling)


def tells_its_process(trial, compiling):
    return Result(outcome="ok", extra={"pid": os.getpid(), "hash": hash("seed"), "threads": os.environ["OMP_NUM_THREADS"]})
