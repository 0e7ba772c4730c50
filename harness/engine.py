"""Runs the trials of a plan: skips what the store has, shares with other drivers, keeps each result the moment it is there."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import signal
import threading
import time
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec

from harness import place
from harness.store import Last, Store, StoreFull, now
from harness.supervisor import ENTRY, InProcess, Supervisor
from harness.trial import AXES, FAILED, TUNING, Result, Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import FrameType

LEASE, HEARTBEAT = 15.0, 3.0
"""Seconds that a trial is reserved for one driver, and after which it says that it is still there."""
LONG_LEASE = 3600.0
"""The same for a driver that runs the trials itself and cannot say so meanwhile."""
LOOK_AGAIN = 0.5
"""Seconds between two looks at trials that another driver has."""
MOST, QUICK = 64, 1.0
"""Trials that are reserved in one go, at most; as long as they last less than this many seconds, more are taken the next time."""


class Event(NamedTuple):
    """What happens to a trial: `stored` before, `started`, `finished` here, done `elsewhere`; `waiting` for other drivers."""

    kind: Literal["stored", "started", "finished", "elsewhere", "waiting"]
    trial: Trial | None = None
    outcome: str = ""


@dataclasses.dataclass
class Summary:
    """What a run came to."""

    planned: int = 0
    stored: int = 0
    """Trials that needed nothing."""
    elsewhere: int = 0
    """Trials that another driver has done meanwhile."""
    finished: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    """Attempts that this run wrote, by outcome."""
    stopped: Literal["", "interrupted", "full", "failed"] = ""
    """Why the run ended before its plan: a signal, no room in the store, or a failure with `fail_fast`."""
    message: str = ""

    @property
    def left(self) -> int:
        """Trials that still have to be run."""
        return self.planned - self.stored - self.elsewhere - self.finished.total() + self.finished["interrupted"]

    def and_then(self, other: Summary) -> Summary:
        """The account of this run and of the one that followed it, as one."""
        counts = {name: getattr(self, name) + getattr(other, name) for name in ("planned", "stored", "elsewhere", "finished")}
        return dataclasses.replace(other, **counts)


def run(
    trials: Iterable[Trial],
    store: Store,
    *,
    jobs: int,
    timeout: float,
    memory: int,
    retry_failed: bool = False,
    force: bool = False,
    fail_fast: bool = False,
    on_event: Callable[[Event], None] | None = None,
    entry: str = ENTRY,
) -> Summary:
    """Run what is not in the store yet, in the order given. The order changes no number.

    jobs           workers; 0 runs the trials in this process, without limits
    timeout        seconds for one trial
    memory         bytes for one trial
    retry_failed   also repeat what failed; what was interrupted is always repeated
    force          repeat everything, as new attempts
    fail_fast      stop at the first failure
    on_event       is told what happens

    SIGINT and SIGTERM end the run: what is finished is kept, what runs is recorded as interrupted. A second signal
    does not wait for anything. Raises StoreError, or WorkerError if no worker can be started.
    """
    driver = _Driver(store, jobs, on_event or (lambda _: None), retry_failed=retry_failed, force=force, fail_fast=fail_fast)
    runner: Supervisor | InProcess = (
        Supervisor(jobs, timeout, memory, tick=driver.tick, entry=entry) if jobs else InProcess(tick=driver.tick, entry=entry)
    )
    with _signals(lambda: driver.stop(runner)):
        driver.work({trial.key: trial for trial in trials}, runner)
    return driver.summary


def row_of(trial: Trial, result: Result, **where: Any) -> dict[str, Any]:
    """The row of a trial and its result; `where` holds the columns of time and place."""
    measured = msgspec.structs.asdict(result)
    if trial.tuned or trial.protocol.name == TUNING:
        measured["extra"] = result.extra | {"fixed": trial.fixed}
    return {
        "key": trial.key,
        "learner": trial.learner,
        "learner_where": trial.where,
        "family": trial.family,
        "origin": trial.origin,
        "params": trial.params,
        "tuned": trial.tuned,
        "tuning_trials": trial.tuning_trials,
        "suite": trial.suite,
        "task": trial.task,
        "task_where": trial.task_where,
        "task_version": trial.task_version,
        "difficulty": trial.difficulty,
        "rung": trial.rung,
        "preset": trial.preset,
        "protocol": trial.protocol.name,
        "replicate": trial.replicate,
        "code_digest": trial.code_digest,
        **{f"seed_{axis}": trial.seeds[axis] for axis in AXES},
        **measured,
        **where,
    }


class _Driver:
    """One run of `run`: its place in the store, and its account."""

    def __init__(
        self, store: Store, jobs: int, tell: Callable[[Event], None], *, retry_failed: bool, force: bool, fail_fast: bool
    ) -> None:
        self._store, self._tell, self._force, self._fail_fast = store, tell, force, fail_fast
        self._fewest = max(jobs, 1)
        self._repeated = {"interrupted", *(FAILED if retry_failed else ())}
        self._owner = place.owner()
        self._lease = LEASE if jobs else LONG_LEASE
        self._heartbeat = time.monotonic()
        self._started: dict[str, str] = {}
        self._where: dict[str, Any] = {}
        self._seen: dict[str, Last] = {}
        self.summary = Summary()

    def work(self, trials: dict[str, Trial], runner: Supervisor | InProcess) -> None:
        """Run the trials to the end, or until something stops the run."""
        try:
            self._arrive()
            todo = self._settle(trials)
            with runner:
                try:
                    for trial, result in runner.run(self._offer(todo)):
                        self._keep(trial, result)
                        if self._fail_fast and result.outcome in FAILED:
                            self.summary.stopped = "failed"
                            break
                except KeyboardInterrupt:
                    self.summary.stopped = "interrupted"
                for trial in runner.running:
                    self._keep(trial, Result(outcome="interrupted", reason="the run was stopped"))
            self._store.release(self._owner)
        except StoreFull as error:
            self.summary.stopped, self.summary.message = "full", str(error)

    def tick(self) -> bool:
        """Say that this driver is alive; tell whether the run goes on."""
        if time.monotonic() - self._heartbeat > HEARTBEAT:
            self._store.renew(self._owner, self._lease)
            self._heartbeat = time.monotonic()
        return not self.summary.stopped

    def stop(self, runner: Supervisor | InProcess) -> None:
        """Take a signal: the first ends the run in good order, the second at once."""
        again, self.summary.stopped = bool(self.summary.stopped), "interrupted"
        if again or runner.performing:
            raise KeyboardInterrupt

    def _arrive(self) -> None:
        """Describe where this run takes place."""
        described = place.environment()
        digest = place.environment_digest(described)
        self._store.put_environment(digest, described)
        self._where = {"env_digest": digest, "host": place.host(), "threads": 1}

    def _settle(self, trials: dict[str, Trial]) -> list[Trial]:
        """Leave out what needs nothing, record what does not apply; return the trials to run."""
        self.summary.planned = len(trials)
        self._seen = self._store.last()
        todo: list[Trial] = []
        inapplicable: list[Trial] = []
        for trial in trials.values():
            last = self._seen.get(trial.key)
            if last and not self._force and last.outcome not in self._repeated:
                self.summary.stored += 1
                self._tell(Event("stored", trial, last.outcome))
            else:
                (inapplicable if trial.inapplicable else todo).append(trial)
        self._record_inapplicable(inapplicable)
        return todo

    def _record_inapplicable(self, trials: list[Trial]) -> None:
        """Keep in one go what no worker is needed for."""
        clock = now()
        rows = [
            row_of(
                trial,
                Result(outcome="not_applicable", reason=trial.inapplicable),
                started_at=clock,
                finished_at=clock,
                **self._where,
            )
            for trial in trials
        ]
        for trial, attempt in zip(trials, self._store.put_all(rows, again=self._force), strict=True):
            self._account(trial, "not_applicable", attempt)

    def _offer(self, todo: list[Trial]) -> Iterator[Trial | None]:
        """Reserve trials and give them out, few at a time if they last; None while other drivers have all that is left."""
        waiting, taken, pause = collections.deque(todo), [], 0.0
        size, begun = self._fewest, time.monotonic()
        while waiting and not self.summary.stopped:
            if time.monotonic() < pause:
                yield None
                continue
            quick, begun = time.monotonic() - begun < QUICK, time.monotonic()
            size = min(2 * size, MOST) if quick else max(size // 2, self._fewest)
            chunk = [waiting.popleft() for _ in range(min(len(waiting), size))]
            granted = self._store.lease([trial.key for trial in chunk], self._owner, self._lease, place.alive)
            last = self._store.last(trial.key for trial in chunk)
            for trial in chunk:
                if self._done_elsewhere(trial, last.get(trial.key)):
                    self._account(trial, last[trial.key].outcome, None)
                elif trial.key in granted:
                    self._started[trial.key] = now()
                    self._tell(Event("started", trial))
                    yield trial
                else:
                    taken.append(trial)
            if taken and not waiting:
                self._tell(Event("waiting"))
                waiting, taken, pause = collections.deque(taken), [], time.monotonic() + LOOK_AGAIN

    def _done_elsewhere(self, trial: Trial, last: Last | None) -> bool:
        """Whether another driver has run the trial since this run began."""
        return last is not None and last != self._seen.get(trial.key) and last.outcome != "interrupted"

    def _keep(self, trial: Trial, result: Result) -> None:
        """Write the row of a trial that has ended."""
        times = {"started_at": self._started[trial.key], "finished_at": now()}
        attempt = self._store.put(row_of(trial, result, **times, **self._where), again=self._force)
        self._account(trial, result.outcome, attempt)

    def _account(self, trial: Trial, outcome: str, attempt: int | None) -> None:
        """Count a trial that this run wrote, or (attempt None) that had its result from another driver."""
        if attempt is None:
            self.summary.elsewhere += 1
        else:
            self.summary.finished[outcome] += 1
        self._tell(Event("elsewhere" if attempt is None else "finished", trial, outcome))


@contextlib.contextmanager
def _signals(stop: Callable[[], None]) -> Iterator[None]:
    """Let SIGINT and SIGTERM stop the run, unless they are ignored or this is not the main thread."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        stop()

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    watched = [number for number in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, handle) for number in watched}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
