"""Performance profiles: the share of trials that score at least tau, for every tau.

Suites weigh the same, in a suite its tasks, in a task its rungs and seeds. Each label is taken on the cells that it has.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reports.data import Tidy

POINTS = 51


@dataclasses.dataclass(frozen=True)
class Profile:
    """One label's profile.

    taus       scores from 0 to 1
    shares     of its trials that score at least tau, by weight
    low, high  pointwise 95 % band over seeds; None where a task has a single seed
    n_cells    cells that it has, of `of_cells` that are compared
    """

    label: str
    taus: tuple[float, ...]
    shares: tuple[float, ...]
    low: tuple[float, ...] | None
    high: tuple[float, ...] | None
    n_cells: int
    of_cells: int


def profiles(data: Tidy) -> dict[str, Profile]:
    """By label, for the labels shown, on the cells that are shared."""
    raise NotImplementedError
