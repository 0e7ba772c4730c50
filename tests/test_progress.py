"""What a run shows while it lasts."""

import importlib
import io
import sys
from pathlib import Path

import pytest
from rich.console import Console

from harness import progress
from harness.engine import Event
from harness.progress import Progress, clock

sys.path.append(str(Path(__file__).parent))
faults = importlib.import_module("faults")


def told(trials, jobs, *, terminal=False, quiet=False):
    """A progress that writes into a string."""
    text = io.StringIO()
    return Progress(trials, jobs, quiet=quiet, console=Console(file=text, force_terminal=terminal, width=100)), text


def test_without_a_terminal_progress_is_plain_lines_now_and_then(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    trials = [faults.trial("fine", i) for i in range(4)]
    shown, text = told(trials, jobs=1)
    with shown:
        for trial, outcome in zip(trials, ("ok", "error", "ok", "ok"), strict=True):
            shown.tell(Event("started", trial))
            now[0] += 6.0
            shown.tell(Event("finished", trial, outcome))
    assert text.getvalue() == "2 of 4 trials done, 1 failed, 2 left, about 12 s\n4 of 4 trials done, 1 failed, 0 left\n"


def test_on_a_terminal_progress_is_a_line_a_learner(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    trials = [faults.trial("fine", i) for i in range(3)] + [faults.trial("slow", 0)]
    shown, text = told(trials, jobs=2, terminal=True)
    with shown:
        shown.tell(Event("started", trials[0]))
        now[0] += 90.0
        shown.tell(Event("finished", trials[0], "timeout"))
        lines = Console(file=io.StringIO(), width=100)
        lines.print(shown.table())
    body = [line.split() for line in lines.file.getvalue().splitlines()]
    assert body[-3] == ["learner", "done", "failed", "left", "remaining"]
    assert body[-2] == ["fine", "1", "1", "2", "1", "min", "30", "s"]
    assert body[-1] == ["slow", "0", "0", "1", "-"]
    assert "\x1b" in text.getvalue()


def test_quiet_progress_shows_nothing(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    trial = faults.trial("fine")
    for terminal in (True, False):
        shown, text = told([trial], 1, terminal=terminal, quiet=True)
        with shown:
            now[0] += 100
            shown.tell(Event("finished", trial, "ok"))
        assert text.getvalue() == ""


def test_what_was_stored_takes_no_time_and_what_is_left_is_shared_by_the_workers(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    trials = [faults.trial("fine", i) for i in range(10)]
    shown, _ = told(trials, jobs=3)
    assert shown.remaining("fine") is None
    shown.tell(Event("waiting"))
    shown.tell(Event("stored", trials[0], "ok"))
    assert shown.remaining("fine") is None
    shown.tell(Event("started", trials[1]))
    now[0] += 12.0
    shown.tell(Event("elsewhere", trials[1], "ok"))
    assert shown.remaining("fine") == 12.0 * 8 / 3
    for trial in trials[2:]:
        shown.tell(Event("finished", trial, "ok"))
    assert shown.remaining("fine") == 0.0


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (200, "3 min 20 s"), (7512, "2 h 5 min")]
)
def test_times_are_told_in_words(seconds, words):
    assert clock(seconds) == words
