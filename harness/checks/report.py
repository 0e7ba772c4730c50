"""Run the contract's checks on a learner, and say in one report what came of it."""

from __future__ import annotations

import json
import shlex
import sys
import time
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from harness.checks.contract import CHECKS, Check
from harness.checks.material import SkippedError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from harness.base import Learner

LONG = 600
"""Characters of a reason, at most."""


class Outcome(TypedDict):
    """What came of one check, and the command that repeats it."""

    id: str
    status: Literal["passed", "skipped", "failed"]
    reason: str
    seconds: float
    reproduce: str


class Report(TypedDict):
    """What came of all checks of one learner, as `hebbench check --json` prints it; in `counts`, run = passed + failed."""

    schema: int
    learner: str
    counts: dict[str, int]
    checks: list[Outcome]


def ok(report: Report) -> bool:
    """Whether some check ran, and none failed: a report on nothing is no good report."""
    return report["counts"]["run"] > 0 and not report["counts"]["failed"]


def checks(cls: type[Learner]) -> Iterator[Check]:
    """The checks that apply to a learner, from what it can."""
    yield from (check for check in CHECKS if not check.refuses(cls))


def run(cls: type[Learner], params: dict[str, Any] | None = None, *, only: Collection[str] = ()) -> Report:
    """Run every check on a learner with these hyperparameters, or `only` those named; those that do not apply say why."""
    if unknown := set(only) - {check.id for check in CHECKS}:
        raise ValueError(f"only={sorted(unknown)!r} must be some of {', '.join(check.id for check in CHECKS)}.")
    learner = cls(**params or {})
    chosen = [check for check in CHECKS if not only or check.id in only]
    outcomes = [_outcome(check, learner, params or {}) for check in chosen]
    counts = {status: sum(o["status"] == status for o in outcomes) for status in ("passed", "skipped", "failed")}
    run = {"run": counts["passed"] + counts["failed"]}
    return Report(schema=1, learner=cls.__name__, counts=run | counts, checks=outcomes)


def _outcome(check: Check, learner: Learner, params: dict[str, Any]) -> Outcome:
    start = time.perf_counter()
    status: Literal["passed", "skipped", "failed"] = "passed"
    reason = check.refuses(type(learner))
    if reason:
        status = "skipped"
    else:
        try:
            check(learner)
        except SkippedError as skipped:
            status, reason = "skipped", str(skipped)
        except AssertionError as error:
            status, reason = "failed", str(error) or "an assertion failed"
        except Exception as error:  # noqa: BLE001 - whatever a learner raises is the finding
            status, reason = "failed", f"{type(error).__name__}: {error}"
    shown = reason if len(reason) <= LONG else reason[:LONG] + " ..."
    seconds, again = round(time.perf_counter() - start, 3), _command(check.id, type(learner), params)
    return Outcome(id=check.id, status=status, reason=shown, seconds=seconds, reproduce=again)


def _command(name: str, cls: type[Learner], params: dict[str, Any]) -> str:
    """The shell command that repeats one check, with its traceback."""
    module = sys.modules.get(cls.__module__)
    place = str(getattr(module, "__file__", "")) if cls.__module__.startswith("hebbench_file_") else cls.__module__
    words = ["python", "-m", "harness.checks", f"{place}:{cls.__qualname__}", name, *([json.dumps(params)] if params else [])]
    return shlex.join(words)
