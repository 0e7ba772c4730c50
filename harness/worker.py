"""The process in which trials run, one after the other: `python -m harness.worker`, started by the supervisor alone.

It dies with its driver, never opens the store, and answers in JSON over a pipe of its own.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import importlib
import os
import re
import resource
import signal
import sys
import time
import traceback
from typing import TYPE_CHECKING, Any

import msgspec

from harness.declare import RefusedError
from harness.trial import Result, Trial
from harness.wire import HEADER, LIMIT, Message, body_length, frame, settled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Perform = Callable[[Trial, Callable[[], contextlib.AbstractContextManager[None]]], Result]

LOST_PIPE = 74
"""Exit code of a worker whose pipe to the driver is gone."""

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}\b")


def load(entry: str) -> Perform:
    """The function at `module:name` that performs a trial."""
    module, _, name = entry.partition(":")
    function: Perform = getattr(importlib.import_module(module), name)
    return function


def attempt(
    perform: Perform, trial: Trial, compiling: Callable[[], contextlib.AbstractContextManager[None]], memory: int | None = None
) -> Result:
    """Perform one trial; whatever it raises becomes a result. KeyboardInterrupt alone is passed on.

    memory   bytes that it may use beyond what the process has already; None sets no limit
    """
    try:
        with _limited(memory):
            result: Any = perform(trial, compiling)
        if not isinstance(result, Result):
            msg = f"the trial gave {type(result).__name__}, not a Result"
            raise TypeError(msg)  # noqa: TRY301 - it is told like all else that goes wrong here
        return settled(result)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - a trial may raise anything
        return failure(error, memory)


def failure(error: BaseException, memory: int | None = None) -> Result:
    """What an exception says of a trial. Text only: an exception of a plug-in is not fit to travel."""
    told = _clean("".join(traceback.format_exception(error)))[-8000:]
    if isinstance(error, SystemExit):
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
        return Result(outcome="crashed", reason=f"exit code {code} (sys.exit)", traceback=told)
    if any(isinstance(link, MemoryError) for link in _chain(error)):
        return Result(outcome="out_of_memory", reason=shortage(memory), traceback=told)
    if isinstance(error, RefusedError):
        return Result(outcome="not_applicable", reason=_clean(str(error))[:500])
    reason = _clean("".join(traceback.format_exception_only(error)).strip())[:500]
    return Result(outcome="error", reason=_ADDRESS.sub("0x...", reason), traceback=told)


def shortage(memory: int | None) -> str:
    """The reason of a trial that ran out of memory."""
    return f"needs more than {memory / 2**30:.3g} GB of memory" if memory else "ran out of memory"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An exception and those that led to it."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _clean(text: str) -> str:
    """Text without what UTF-8 cannot hold."""
    return text.encode("utf-8", "replace").decode()


@contextlib.contextmanager
def _limited(memory: int | None) -> Iterator[None]:
    """Bound the growth of this process; the bound is gone again when there is something to report."""
    if memory is None:
        yield
        return
    with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123 - pathlib has nothing to add to /proc
        size = int(statm.read().split()[0]) * resource.getpagesize()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (size + memory, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


@contextlib.contextmanager
def _pipe() -> Iterator[None]:
    """A worker whose pipe to the driver is gone has nothing left to live for."""
    try:
        yield
    except OSError:
        os._exit(LOST_PIPE)


class _Driver:
    """The other end of the pipes, as a worker sees it."""

    def __init__(self, reading: int, writing: int) -> None:
        self._reading, self._writing = reading, writing
        self._me = os.getpid()
        self._depth = 0

    def tell(self, message: Message) -> None:
        """Send one message. A forked copy of the worker ends here: it must never answer."""
        if os.getpid() != self._me:
            os._exit(0)
        left = memoryview(frame(message))
        with _pipe():
            while left:
                left = left[os.write(self._writing, left) :]

    @contextlib.contextmanager
    def compiling(self) -> Iterator[None]:
        """Bracket compilation, during which the deadline stands still."""
        self._depth += 1
        if self._depth == 1:
            self.tell(Message(kind="compile", at=time.monotonic()))
        try:
            yield
        finally:
            self._depth -= 1
            if self._depth == 0:
                self.tell(Message(kind="run", at=time.monotonic()))

    def next_trial(self) -> Trial | None:
        """Wait for a trial; None if the driver has gone."""
        header = self._read(HEADER.size)
        return msgspec.json.decode(self._read(body_length(header)), type=Trial) if header else None

    def _read(self, n: int) -> bytes:
        """Exactly n bytes, or none at the end."""
        data = b""
        while len(data) < n:
            with _pipe():
                piece = os.read(self._reading, n - len(data))
            if not piece:
                return b""
            data += piece
        return data


def _settle_in(parent: int) -> None:
    """Tie this process to its driver, and become the one to whom orphans of its trials fall."""
    prctl = ctypes.CDLL(None).prctl
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)
    prctl(_PR_SET_CHILD_SUBREAPER, 1)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    faulthandler.enable()


def _threads() -> int:
    return len(os.listdir("/proc/self/task"))  # noqa: PTH208 - names are all that is wanted


def _children() -> bool:
    """Whether processes of this worker are still alive; those that have ended are reaped."""
    with contextlib.suppress(ChildProcessError):
        while True:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                return True
    return False


def _answer(driver: _Driver, result: Result, threads: int) -> None:
    """Report what came of a trial, after all that it printed."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    ctypes.CDLL(None).fflush(None)
    message = Message(kind="result", at=time.monotonic(), result=result, soiled=_children() or _threads() > threads)
    if len(frame(message)) > LIMIT:
        message.result = Result(outcome="error", reason=f"the result is larger than {LIMIT >> 20} MB")
    driver.tell(message)


def main(reading: str, writing: str, parent: str, memory: str, entry: str) -> None:
    """Perform trials until the driver closes its pipe."""
    _settle_in(int(parent))
    importlib.import_module("numba")
    perform = load(entry)
    driver = _Driver(int(reading), int(writing))
    threads = _threads()
    driver.tell(Message(kind="ready", at=time.monotonic()))
    while (trial := driver.next_trial()) is not None:
        try:
            result = attempt(perform, trial, driver.compiling, int(memory))
        except KeyboardInterrupt as error:
            result = failure(error)
        _answer(driver, result, threads)


if __name__ == "__main__":
    main(*sys.argv[1:])
