"""Each fault gets exactly its outcome, and costs no other trial."""

import contextlib
import importlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness import child, supervisor
from harness.supervisor import InProcess, Supervisor, WorkerError
from harness.trial import Result
from harness.wire import MAGIC, BadFrame, Inbox, Message, frame

sys.path.append(str(Path(__file__).parent))  # workers search where this process does
faults = importlib.import_module("faults")
trial = faults.trial

TIMEOUT, MEMORY = 4.0, 1 << 28

FAULTS = {
    "diverges": ("diverged", ""),
    "fails": ("error", "ValueError: on purpose, ? at <object object at 0x...>"),
    "refuses": ("not_applicable", "rate=2.0 is too much for depth=9"),
    "needy": ("error", "faults.NeedyError: <exception str() failed>"),
    "nothing": ("error", "TypeError: the trial gave NoneType, not a Result"),
    "unsendable": ("error", "TypeError: a result holds numbers, text, lists and dicts, not function"),
    "miscounts": ("error", "msgspec.ValidationError: Expected `int | null`, got `str` - at `$.samples`"),
    "astronomical": ("error", f"OverflowError: samples={2**63} does not fit into 64 bits"),
    "huge": ("error", "the result is larger than 64 MB"),
    "presumes": ("crashed", "protocol: outcome='timeout', which no trial can have by itself"),
    "leaves": ("crashed", "exit code 5 (sys.exit)"),
    "leaves_well": ("crashed", "exit code 0 (sys.exit)"),
    "interrupts": ("error", "KeyboardInterrupt"),
    "exits_0": ("crashed", "exit code 0"),
    "exits_3": ("crashed", "exit code 3"),
    "segfaults": ("crashed", "killed by SIGSEGV"),
    "kills_itself": ("crashed", "killed by SIGKILL"),
    "aborts": ("out_of_memory", "needs more than 0.25 GB of memory"),
    "spins": ("timeout", "no result within 4 s"),
    "deaf": ("timeout", "no result within 4 s"),
    "stops": ("timeout", "no result within 4 s"),
    "hoards": ("out_of_memory", "needs more than 0.25 GB of memory"),
    "hoards_compiled": ("out_of_memory", "needs more than 0.25 GB of memory"),
    "hoards_wrapped": ("out_of_memory", "needs more than 0.25 GB of memory"),
    "prints": ("ok", "output beyond 1 MB was cut"),
    "prints_and_fails": ("error", "ValueError: after much ado; output beyond 1 MB was cut"),
    "babbles": ("crashed", "protocol: bytes that are not a message"),
    "closes": ("crashed", "closed the pipe to the harness"),
    "closes_and_stays": ("crashed", "closed the pipe to the harness"),
    "forks": ("ok", ""),
    "leaves_a_child": ("ok", ""),
    "leaves_an_orphan": ("ok", ""),
    "leaves_a_thread": ("ok", ""),
    "leaves_a_child_and_dies": ("crashed", "exit code 3"),
}


def supervise(trials, jobs=1, timeout=TIMEOUT, **more):
    with Supervisor(jobs, timeout, MEMORY, entry="faults:perform", **more) as running:
        return {(t.learner, t.replicate): r for t, r in running.run(trials)}


def left_behind():
    """The processes that faults have left and no one has ended."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if entry.read_bytes().split(b"\0")[:2] == [word.encode() for word in faults.sleeper()]:
                found.append(entry)
    return found


@pytest.fixture(scope="module", params=[pytest.param(1, marks=pytest.mark.slow), 2])
def outcomes(request):
    """All faults in one run, a healthy trial before each and after the last."""
    trials = []
    for i, name in enumerate(FAULTS):
        trials += [trial("fine", i), trial(name)]
    trials.append(trial("fine", len(FAULTS)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FAULTS_MARK", str(os.getpid()))
        return supervise(trials, request.param), left_behind()


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_gets_its_outcome(outcomes, name):
    result = outcomes[0][name, 0]
    assert (result.outcome, result.reason) == FAULTS[name]


def test_the_healthy_lose_nothing(outcomes):
    for i in range(len(FAULTS) + 1):
        assert outcomes[0]["fine", i] == faults.fine(trial("fine", i), None)


def test_nothing_is_left_running(outcomes):
    assert not outcomes[1]


def test_what_explains_a_fault_is_kept(outcomes):
    found = outcomes[0]
    assert 'raise ValueError(f"on purpose' in found["fails", 0].traceback
    assert "Segmentation fault" in found["segfaults", 0].traceback
    assert "in segfaults" in found["segfaults", 0].traceback
    assert found["prints", 0].score == faults.fine(trial("fine"), None).score
    assert (found["diverges", 0].score, found["diverges", 0].diverged_at) == (None, 7)
    assert found["diverges", 0].extra == {"norm": None, "W": [1.0, 1.0]}


def test_a_healthy_worker_lives_on_and_is_replaced_in_time(monkeypatch):
    monkeypatch.setattr(supervisor, "SERVICE", 3)
    found = supervise([trial("tells_its_process", i) for i in range(7)])
    pids = [found["tells_its_process", i].extra["pid"] for i in range(7)]
    assert [pids[0]] * 3 + [pids[3]] * 3 + [pids[6]] == pids
    assert len(set(pids)) == 3
    assert len({r.extra["hash"] for r in found.values()}) == 1, "the order of sets differs between workers"
    assert {r.extra["threads"] for r in found.values()} == {"1"}


def test_compiling_stops_the_clock_but_not_for_ever(monkeypatch):
    monkeypatch.setattr(child, "COMPILE_CEILING", 4.0)
    found = supervise([trial("compiles", 2), trial("compiles", 30)], jobs=2, timeout=1.0)
    assert found["compiles", 2].outcome == "ok"
    assert (found["compiles", 30].outcome, found["compiles", 30].reason) == ("timeout", "compiling took over 4 s")


def test_a_kill_by_the_kernel_for_want_of_memory(monkeypatch):
    counts = iter(range(100))
    monkeypatch.setattr(child, "_oom_kills", lambda: next(counts))
    assert supervise([trial("kills_itself")])["kills_itself", 0].outcome == "out_of_memory"


def test_a_worker_that_dies_idle_costs_nothing():
    with Supervisor(1, TIMEOUT, MEMORY, entry="faults:perform") as running:

        def trials():
            yield trial("fine", 0)
            os.kill(running._slots[0].worker.process.pid, signal.SIGKILL)
            running._slots[0].worker.dead(wait=10)
            yield trial("fine", 1)

        assert [r.outcome for _, r in running.run(trials())] == ["ok", "ok"]


def test_workers_that_never_get_ready_are_an_error_that_shows_why():
    with Supervisor(1, TIMEOUT, MEMORY, entry="faults:absent") as running, pytest.raises(WorkerError, match="absent"):
        list(running.run([trial("fine")]))


def test_a_tick_ends_the_run_and_what_was_cut_is_known():
    with Supervisor(2, 60, MEMORY, tick=lambda: not running.running, entry="faults:perform") as running:
        assert list(running.run([trial("deaf")])) == []
        assert running.running == [trial("deaf")]
        pid = running._slots[0].worker.process.pid
    assert not Path(f"/proc/{pid}").exists()


def test_none_means_ask_again():
    found = supervise([trial("fine", 0), None, None, trial("fine", 1), None], jobs=2)
    assert len(found) == 2


def test_workers_die_with_their_driver():
    code = """
import sys
sys.path.insert(0, sys.argv[1])
import faults
from harness.supervisor import Supervisor
def tick():
    for slot in running._slots:
        if slot.given:
            print(slot.worker.process.pid, flush=True)
    return True
with Supervisor(1, 600, 1 << 30, entry="faults:perform", tick=tick) as running:
    list(running.run([faults.trial("deaf")]))
"""
    driver = subprocess.Popen([sys.executable, "-c", code, Path(__file__).parent], stdout=subprocess.PIPE)
    pid = int(driver.stdout.readline())
    driver.kill()
    driver.wait()
    driver.stdout.close()
    end = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]:
        assert time.monotonic() < end, "the worker outlived its driver"
        time.sleep(0.05)


def test_in_this_process_the_results_are_the_same(outcomes):
    names = ["diverges", "fails", "nothing", "unsendable", "miscounts", "leaves"]
    running = InProcess(entry="faults:perform")
    for one, result in running.run([trial(name) for name in names]):
        result.traceback = outcomes[0][one.learner, 0].traceback
        assert result == outcomes[0][one.learner, 0]
    assert running.running == []


def test_in_this_process_an_interrupt_is_passed_on():
    running = InProcess(entry="faults:perform")
    with pytest.raises(KeyboardInterrupt):
        list(running.run([trial("interrupts")]))
    assert running.running == [trial("interrupts")]
    assert not running.performing


# Frames


def test_messages_arrive_however_they_are_cut():
    said = [Message(kind="ready", at=1.0), Message(kind="result", at=2.0, result=Result(outcome="ok", score=0.1 + 0.2))]
    data = b"".join(map(frame, said))
    for size in (1, 7, len(data)):
        inbox, heard = Inbox(), []
        for start in range(0, len(data), size):
            heard += inbox.feed(data[start : start + size])
        assert heard == said


@pytest.mark.parametrize(
    "data",
    [
        b"x" * 12,
        MAGIC.to_bytes(4, "big") + (1 << 40).to_bytes(8, "big"),
        MAGIC.to_bytes(4, "big") + (2).to_bytes(8, "big") + b"{}",
        frame(Message(kind="result", at=0.0)),
        frame(Message(kind="run", at=0.0, result=Result(outcome="ok"))),
        frame(Message(kind="result", at=0.0, result=Result(outcome="splendid"))),
    ],
)
def test_what_is_no_message_is_refused(data):
    with pytest.raises(BadFrame):
        Inbox().feed(data)
