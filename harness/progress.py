"""What a run shows while it lasts: on a terminal a line a learner, with done, failed, left and time left; else plain lines."""

from __future__ import annotations

import collections
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

from harness.engine import Event
from harness.trial import FAILED, Trial

EVERY = 10.0
"""Seconds between two lines where there is no terminal."""


class Progress:
    """Counts the events of a run. Use it as a context manager and hand `tell` to the engine."""

    def __init__(self, trials: list[Trial], jobs: int, *, quiet: bool = False, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True)
        self.quiet, self.jobs = quiet, max(jobs, 1)
        self.total = collections.Counter(t.learner for t in trials)
        self.done: collections.Counter[str] = collections.Counter()
        self.failed: collections.Counter[str] = collections.Counter()
        self.began: dict[str, float] = {}
        self.spent: dict[str, float] = collections.defaultdict(float)
        self.ran: collections.Counter[str] = collections.Counter()
        self.spoken = time.monotonic()
        self.live: Live | None = None

    def __enter__(self) -> Self:
        if not self.quiet and self.console.is_terminal:
            self.live = Live(get_renderable=self.table, console=self.console, refresh_per_second=4, transient=True)
            self.live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.live is not None:
            self.live.stop()

    def tell(self, event: Event) -> None:
        """Take note of one event."""
        trial = event.trial
        if trial is None:
            return
        if event.kind == "started":
            self.began[trial.key] = time.monotonic()
            return
        self.done[trial.learner] += 1
        self.failed[trial.learner] += event.outcome in FAILED
        if trial.key in self.began:
            self.spent[trial.learner] += time.monotonic() - self.began.pop(trial.key)
            self.ran[trial.learner] += 1
        if not self.quiet and self.live is None and time.monotonic() - self.spoken > EVERY:
            self.spoken = time.monotonic()
            self.console.print(self.line(), highlight=False)

    def remaining(self, learner: str) -> float | None:
        """Seconds until a learner's trials are done, by what they have taken so far; None before the first."""
        left = self.total[learner] - self.done[learner]
        if left == 0:
            return 0.0
        return self.spent[learner] / self.ran[learner] * left / self.jobs if self.ran[learner] else None

    def line(self) -> str:
        """The whole run in one line."""
        known = [self.remaining(name) for name in self.total]
        left = self.total.total() - self.done.total()
        time_left = f", about {clock(sum(x for x in known if x is not None))}" if any(known) else ""
        return f"{self.done.total()} of {self.total.total()} trials done, {self.failed.total()} failed, {left} left{time_left}"

    def table(self) -> Table:
        """A line a learner."""
        table = Table(box=None, header_style="bold", title=self.line(), title_justify="left")
        for column in ("learner", "done", "failed", "left", "remaining"):
            table.add_column(column, justify="left" if column == "learner" else "right")
        for name in sorted(self.total):
            left, seconds = self.total[name] - self.done[name], self.remaining(name)
            table.add_row(
                name, str(self.done[name]), str(self.failed[name]), str(left), "-" if seconds is None else clock(seconds)
            )
        return table


def clock(seconds: float) -> str:
    """Seconds in words: 45 s, 3 min 20 s, 2 h 5 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
