"""Audits of many learners, side by side in processes of their own: the workers in which trials run, and the same wire.

An audit travels as a trial does: where the learner is found, and settings, as JSON; a profile comes back. A learner that brings
its process down, or never ends, is INCONCLUSIVE on all that was asked, and the others are unharmed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from harness.audit import Audit, Finding, audit, wanted
from harness.audit.case import repeat
from harness.loading import load
from harness.supervisor import Supervisor
from harness.trial import Protocol, Result, Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

PATIENCE, MEMORY = 900.0, 4 << 30
"""Seconds and bytes that the audit of a learner may take."""


class Order(NamedTuple):
    """A learner to audit: its name, where a process finds its class, how the command line does, and settings."""

    learner: str
    where: str
    called: str
    params: dict[str, Any]


def audits(
    orders: Sequence[Order], *, jobs: int, seed: int = 0, fast: bool = False, only: Iterable[str] = (), patience: float = PATIENCE
) -> Iterator[Audit]:
    """Audit in `jobs` processes, or in this one if there are none; profiles come in the order of the learners."""
    chosen = wanted(only, fast=fast)
    if not jobs:
        for order in orders:
            yield audit(load(order.where), order.params, seed=seed, fast=fast, only=chosen, where=order.called)
        return
    done: dict[int, Audit] = {}
    told = 0
    trials = [_trial(number, order, seed, fast=fast, only=chosen) for number, order in enumerate(orders)]
    with Supervisor(min(jobs, len(orders)), patience, MEMORY, entry=f"{__name__}:perform") as crew:
        for trial, result in crew.run(trials):
            done[trial.replicate] = _profile(trial, result)
            while told in done:
                yield done.pop(told)
                told += 1


def _trial(number: int, order: Order, seed: int, *, fast: bool, only: list[str]) -> Trial:
    return Trial(
        learner=order.learner, where=order.where, params=order.params, replicate=number, seeds=dict(audit=seed),
        difficulty=dict(fast=fast, only=only, called=order.called), task="audit", task_where="", task_version=0, preset="",
        protocol=Protocol(name="audit"), family="", origin="builtin", code_digest="",
    )  # fmt: skip


def perform(trial: Trial, compiling: Callable[[], AbstractContextManager[None]]) -> Result:  # noqa: ARG001 - a worker's entry
    """Audit one learner, in the worker."""
    how = trial.difficulty
    found = audit(
        load(trial.where), trial.params, seed=trial.seeds["audit"], fast=how["fast"], only=how["only"], where=how["called"]
    )
    return Result(outcome="ok", extra=dict(audit=msgspec.to_builtins(found)))


def _profile(trial: Trial, result: Result) -> Audit:
    """What came back; or, where nothing did, that nothing can be said."""
    if result.outcome == "ok":
        return msgspec.convert(result.extra["audit"], Audit)
    seed, how = trial.seeds["audit"], trial.difficulty
    lost = [
        Finding(
            criterion=criterion, verdict="INCONCLUSIVE", reason=f"The process of its audit came to nothing: {result.reason}.",
            reproduce=repeat(how["called"], trial.params, seed, criterion, fast=how["fast"]),
        )
        for criterion in how["only"]
    ]  # fmt: skip
    return Audit(learner=trial.learner, params=trial.params, seed=seed, mode="trace", twin="", criteria=lost)
