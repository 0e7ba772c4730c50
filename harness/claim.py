"""Claims: sentences about learning that a run can hold up or break.

A claim says which trials it needs and how it is decided from their rows. The same objects are asked by pytest, by
`hebbench run` and by the report; no verdict is ever made on fewer replicates than the claim states.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from harness.trial import Protocol

if TYPE_CHECKING:
    import pandas as pd


class Needs(NamedTuple):
    """Trials that a claim stands on: a learner (`MLP[hidden=8]`), a task, rungs, a protocol, and replicates 0 to n - 1.

    `difficulty` is one setting of the task's generator; `protocol` None means the task's own.
    """

    learner: str
    task: str
    replicates: int
    difficulty: dict[str, Any] = {}  # noqa: RUF012 - a default that nobody writes to
    protocol: Protocol | None = None


class Verdict(NamedTuple):
    """What the rows say of a claim: the figure, its interval, the threshold it was held against, and why."""

    status: Literal["held", "broken", "undecided"]
    figure: float | None
    interval: tuple[float, float] | None
    threshold: str
    reason: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Claim:
    """One claim of a suite.

    id, text, source   name within the suite, the sentence, paper with DOI or theorem
    needs              the trials; empty for claims that `decide` computes by itself (theorems on the generator)
    decide             (rows of those trials, in which `params` and `difficulty` are dicts and `extra` a dict) -> Verdict;
                       is asked only once every replicate needed is there with an outcome that is a result
    since              the first preset of smoke, quick, full whose plan includes these trials
    published          the figure of the literature that is to be reproduced, where there is one, in words
    """

    id: str
    text: str
    source: str
    decide: Callable[[pd.DataFrame], Verdict]
    needs: Sequence[Needs] = ()
    since: Literal["smoke", "quick", "full"] = "smoke"
    published: str = ""
