"""Runs trials in workers of their own and survives whatever they do.

Each worker takes one trial at a time and is its own session. The driver keeps the deadline; a worker that hangs, dies,
overgrows or answers nonsense is killed with all that it started and replaced, and only its own trial is lost. (Process
pools fail on each of these counts, and no signal handler can stop compiled code.)
"""

from __future__ import annotations

import contextlib
import selectors
import signal
import time
from typing import TYPE_CHECKING, Self

from harness import child
from harness.child import Child
from harness.trial import FAILED, Result, Trial
from harness.wire import BadFrame, Message
from harness.worker import LOST_PIPE, attempt, load, shortage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType

ENTRY = "harness.protocol:perform"
SERVICE = 500
"""Trials after which a worker is replaced, so that no slow leak adds up."""
OUTPUT = 1 << 20
"""Bytes of output of a trial that are taken; what is beyond is dropped."""
TICK = 0.25
"""Seconds between two looks at the clock."""

FALSE_STARTS = 3
"""Workers that may die in a row before they are ready; then something is wrong with the installation."""


class WorkerError(RuntimeError):
    """No worker gets ready: the installation is broken, not a trial."""


class _Slot:
    """A place for a worker, and the trial that waits for it (`given` False) or runs in it."""

    def __init__(self) -> None:
        self.worker: Child | None = None
        self.trial: Trial | None = None
        self.given = False
        self.false_starts = 0


class Supervisor:
    """Runs trials in `jobs` workers. Use it as a context manager.

    timeout   seconds for one trial, compilation not counted
    memory    bytes for one trial, beyond those of a worker at rest
    tick      called several times a second; once it returns False, `run` ends and `running` tells what was cut
    entry     `module:function` that performs a trial in the worker
    """

    performing = False
    """Whether a trial runs in this very process at this moment: never."""

    def __init__(
        self, jobs: int, timeout: float, memory: int, *, tick: Callable[[], bool] = lambda: True, entry: str = ENTRY
    ) -> None:
        self._timeout, self._memory, self._tick, self._entry = timeout, memory, tick, entry
        self._slots = [_Slot() for _ in range(jobs)]
        self._selector = selectors.DefaultSelector()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for slot in self._slots:
            _retire(slot)
        self._selector.close()

    @property
    def running(self) -> list[Trial]:
        """The trials that a worker has and has not answered."""
        return [slot.trial for slot in self._slots if slot.trial is not None and slot.given]

    def run(self, trials: Iterable[Trial | None]) -> Iterator[tuple[Trial, Result]]:
        """Each trial with what came of it, in the order in which they end.

        Trials are taken from the iterable as workers become free; None means that there is none right now, ask again.
        Raises WorkerError if no worker can be started.
        """
        source: Iterator[Trial | None] | None = iter(trials)
        while True:
            for slot in self._slots:
                if slot.trial is None and source is not None:
                    try:
                        slot.trial = next(source)
                    except StopIteration:
                        source = None
                self._provide(slot)
            if source is None and not any(slot.trial for slot in self._slots):
                return
            self._sleep()
            for slot in self._slots:
                trial, result = slot.trial, self._attend(slot)
                if trial is not None and result is not None:
                    yield trial, result
            if not self._tick():
                return

    def _provide(self, slot: _Slot) -> None:
        """Give a waiting trial to a worker that is ready, or start one."""
        if slot.trial is None or slot.given:
            return
        if slot.worker is None:
            slot.worker = Child(self._entry, self._memory, self._selector)
        elif slot.worker.ready:
            try:
                slot.worker.give(slot.trial, self._timeout)
                slot.given = True
            except BrokenPipeError:
                _retire(slot)

    def _sleep(self) -> None:
        """Wait until something happens, a deadline passes, or it is time to tick."""
        clock = time.monotonic()
        deadlines = [slot.worker.deadline - clock for slot in self._slots if slot.worker and _awaited(slot)]
        self._selector.select(max(0.0, min([TICK, *deadlines])))

    def _attend(self, slot: _Slot) -> Result | None:
        """See to one worker; return what came of its trial once that is known."""
        worker = slot.worker
        if worker is None:
            return None
        dead = worker.dead()
        try:
            messages = worker.receive()
            worker.drain()
            for message in messages:
                if message.result is not None and slot.given:
                    return self._conclude(slot, worker, message.result, spent=message.soiled)
                self._note(slot, worker, message)
        except BadFrame as error:
            return self._fault(slot, worker, "crashed", f"protocol: {error}")
        if dead or worker.closed:
            return self._fault(slot, worker, "crashed", "")
        if time.monotonic() > worker.deadline and _awaited(slot):
            compiles = worker.suspended is not None
            reason = f"compiling took over {child.COMPILE_CEILING:g} s" if compiles else f"no result within {self._timeout:g} s"
            return self._fault(slot, worker, "timeout", reason)
        return None

    def _note(self, slot: _Slot, worker: Child, message: Message) -> None:
        """Take a message that is no result. Raises BadFrame if it comes out of turn."""
        if message.kind == "ready" and not worker.ready:
            worker.ready, slot.false_starts = True, 0
        elif slot.given:
            worker.phase(message)
        else:
            raise BadFrame("an answer without a trial")

    def _conclude(self, slot: _Slot, worker: Child, result: Result, *, spent: bool) -> Result:
        """Take the result of a trial; the worker goes on if it is as good as new."""
        if worker.printed > OUTPUT:
            result.reason = "; ".join(filter(None, (result.reason, f"output beyond {OUTPUT >> 20} MB was cut")))
        slot.trial, slot.given = None, False
        if spent or result.outcome in FAILED or worker.served >= SERVICE:
            _retire(slot)
        return result

    def _fault(self, slot: _Slot, worker: Child, outcome: str, reason: str) -> Result | None:
        """End a worker that went wrong; return what that means for its trial, if it had one."""
        code = _retire(slot)
        if not slot.given:
            if not worker.ready:
                _false_start(slot, worker)
            return None
        if outcome == "crashed" and worker.ran_out(code):
            outcome, reason = "out_of_memory", shortage(self._memory)
        result = Result(outcome=outcome, reason=reason or _ending(code), traceback=worker.tail.decode(errors="replace"))
        return self._conclude(slot, worker, result, spent=True)


class InProcess:
    """The same interface in this very process, for debugging: no deadline, no memory limit, nothing survives a crash."""

    def __init__(self, *, tick: Callable[[], bool] = lambda: True, entry: str = ENTRY) -> None:
        self._tick, self._entry = tick, entry
        self.running: list[Trial] = []
        self.performing = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Nothing is held."""

    def run(self, trials: Iterable[Trial | None]) -> Iterator[tuple[Trial, Result]]:
        """Each trial with what came of it. A KeyboardInterrupt leaves its trial in `running`."""
        perform = load(self._entry)
        for trial in trials:
            if trial is None:
                time.sleep(TICK)
            else:
                self.running, self.performing = [trial], True
                try:
                    result = attempt(perform, trial, contextlib.nullcontext)
                finally:
                    self.performing = False
                self.running = []
                yield trial, result
            if not self._tick():
                return


def _awaited(slot: _Slot) -> bool:
    """Whether the deadline of the worker counts: it has a trial, or is to get ready."""
    return slot.given or (slot.worker is not None and not slot.worker.ready)


def _retire(slot: _Slot) -> int | None:
    """End the worker of a slot, if there is one."""
    worker, slot.worker = slot.worker, None
    return worker.end() if worker else None


def _false_start(slot: _Slot, worker: Child) -> None:
    """Count a worker that never got ready."""
    slot.false_starts += 1
    if slot.false_starts >= FALSE_STARTS:
        raise WorkerError(
            f"no worker gets ready, {FALSE_STARTS} died at the start; the last said: {worker.tail.decode(errors='replace')}"
        )


def _ending(code: int | None) -> str:
    """How a worker ended, in words."""
    if code is None or code == LOST_PIPE:
        return "closed the pipe to the harness"
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
