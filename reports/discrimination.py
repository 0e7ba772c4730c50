"""Which tasks tell learners apart.

For each task the learners under study, without the controls, are compared by the range of their mean scores, against
the ranges that arise when the names of the learners are dealt anew within each seed. The p-values are corrected for the
number of tasks (Holm).
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from reports.data import Tidy

ALPHA = 0.05
POWER = 0.8


@dataclasses.dataclass(frozen=True)
class Discrimination:
    """Whether one task separates any two learners under study.

    verdict     separates, does not, or unknown
    reason      in words: why it is unknown, or what the verdict stands on
    p           corrected for the number of tasks; None if unknown
    best, worst the most separated pair of labels, by mean; None with fewer than two learners
    difference  of their means; interval at 95 % for all pairs of learners together, None with one seed
    needed      seeds that the task would need for that pair to be told apart with a power of POWER; None if the difference
                is no larger than chance alone makes it, or more than 1000 are needed
    n_learners  who took part: learners with a value on every rung of the task for the same seeds; n_left were left out
    n_seeds     seeds that all of them have on every rung
    """

    task: str
    verdict: Literal["separates", "does not", "unknown"]
    reason: str
    p: float | None
    best: str | None
    worst: str | None
    difference: float | None
    interval: tuple[float, float] | None
    needed: int | None
    n_learners: int
    n_left: int
    n_seeds: int


def discrimination(data: Tidy) -> dict[str, Discrimination]:
    """By task, in the order of the cells."""
    raise NotImplementedError
