"""A worker as its driver sees it: one process in a session of its own, three pipes, a clock."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from harness.wire import BadFrame, Inbox, Message, frame

if TYPE_CHECKING:
    from harness.trial import Trial

COMPILE_CEILING = 600.0
"""Seconds that a trial may spend on compiling, beside its deadline."""
STARTUP = 120.0
"""Seconds that a worker may take to get ready."""

_TAIL = 4000
"""Bytes of the end of the output that are kept to explain a crash."""
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")


class Child:
    """One worker process and its pipes, registered with a selector."""

    def __init__(self, entry: str, memory: int, selector: selectors.BaseSelector) -> None:
        their_reading, self.writing = os.pipe()
        self.reading, their_writing = os.pipe()
        self.output, their_output = os.pipe()
        words = (their_reading, their_writing, os.getpid(), memory, entry)
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "harness.worker", *map(str, words)],
            stdin=subprocess.DEVNULL,
            stdout=their_output,
            stderr=their_output,
            pass_fds=(their_reading, their_writing),
            start_new_session=True,
            env=os.environ | _ONE_THREAD | {"PYTHONPATH": _search_path(), "PYTHONHASHSEED": "0"},
        )
        for handle in (their_reading, their_writing, their_output):
            os.close(handle)
        os.set_blocking(self.reading, False)
        os.set_blocking(self.output, False)
        self.pidfd = os.pidfd_open(self.process.pid)
        self._selector = selector
        for handle in (self.reading, self.output, self.pidfd):
            selector.register(handle, selectors.EVENT_READ)
        self.ready = self.closed = self._silent = False
        self.served = 0
        self._inbox = Inbox()
        self._begin(STARTUP)

    def _begin(self, seconds: float) -> None:
        """Start the clock, and the count of output."""
        self.deadline = time.monotonic() + seconds
        self.suspended: float | None = None
        self._compile_left = COMPILE_CEILING
        self._oom_kills = _oom_kills()
        self.printed = 0
        self.tail = b""

    def give(self, trial: Trial, timeout: float) -> None:
        """Hand over a trial. Raises BrokenPipeError if the worker has died while it was idle."""
        self.drain()
        self._begin(timeout)
        os.write(self.writing, frame(trial))
        self.served += 1

    def drain(self) -> None:
        """Take what was printed, up to more than a pipe holds, and keep its end."""
        for _ in range(64):
            try:
                piece = b"" if self._silent else os.read(self.output, 1 << 16)
            except BlockingIOError:
                return
            if not piece:
                self._hush()
                return
            self.printed += len(piece)
            self.tail = (self.tail + piece)[-_TAIL:]

    def _hush(self) -> None:
        """Stop listening to output that has been closed: it would wake the driver for ever."""
        if not self._silent:
            self._selector.unregister(self.output)
            self._silent = True

    def receive(self) -> list[Message]:
        """The messages that have arrived. Raises BadFrame."""
        messages: list[Message] = []
        while True:
            try:
                piece = os.read(self.reading, 1 << 20)
            except BlockingIOError:
                return messages
            if not piece:
                self.closed = True
                return messages
            messages += self._inbox.feed(piece)

    def phase(self, message: Message) -> None:
        """Stop the clock while the worker compiles, and let it go on afterwards."""
        at = min(message.at, time.monotonic())
        if message.kind == "compile" and self.suspended is None:
            self.suspended = self.deadline - at
            self.deadline = at + self._compile_left
        elif message.kind == "run" and self.suspended is not None:
            self._compile_left = self.deadline - at
            self.deadline = at + self.suspended
            self.suspended = None
        else:
            raise BadFrame(f"phase {message.kind!r} out of turn")

    def dead(self, wait: float = 0.0) -> bool:
        """Whether the process has ended; it is not reaped here, so that its number stays its own."""
        with selectors.PollSelector() as selector:
            selector.register(self.pidfd, selectors.EVENT_READ)
            return bool(selector.select(wait))

    def end(self) -> int | None:
        """Kill all that is left of the worker and what it started; return its exit code if it had ended by itself."""
        by_itself = self.dead(wait=2.0 if self.closed else 0.0)
        victims = _family(self.process.pid)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        for victim in victims:
            with contextlib.suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
        code = self.process.wait()
        self.drain()
        self._hush()
        for handle in (self.reading, self.pidfd):
            self._selector.unregister(handle)
        for handle in (self.writing, self.reading, self.output, self.pidfd):
            os.close(handle)
        return code if by_itself else None

    def ran_out(self, code: int | None) -> bool:
        """Whether the worker died for want of memory: by the kernel's hand, or by that of a C++ library."""
        if code == -signal.SIGKILL:
            return _oom_kills() > self._oom_kills
        return code == -signal.SIGABRT and any(words in self.tail for words in (b"bad_alloc", b"out of memory"))


def _search_path() -> str:
    """Where this process finds modules, for a worker."""
    return os.pathsep.join(dict.fromkeys(str(Path(entry).absolute()) for entry in sys.path))


def _oom_kills() -> int:
    """How many processes the kernel has killed for want of memory since it started."""
    for line in Path("/proc/vmstat").read_text(encoding="ascii").splitlines():
        name, _, count = line.partition(" ")
        if name == "oom_kill":
            return int(count)
    return 0


def _family(pid: int) -> set[int]:
    """The descendants of a process and the members of its session, itself left out."""
    parents, found = {}, {pid}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                _, parent, _, session = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[:4]
                parents[int(entry.name)] = int(parent)
                if int(session) == pid:
                    found.add(int(entry.name))
    size = 0
    while size < len(found):
        size = len(found)
        found |= {child for child, parent in parents.items() if parent in found}
    return found - {pid}
