"""How far up a ladder a learner gets: a falling logistic curve over the rungs, and where it passes half way.

The curve is (1 - lapse) / (1 + exp(slope (u - middle))) of the chance-corrected score, in the direction in which the
ladder gets harder. u is the rung, or its logarithm where the rungs are positive and span SPAN or more. A learner
*solves up to* the rung at which its curve passes LEVEL, half way between chance and the ceiling.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from reports.data import Tidy

LEVEL = 0.5
"""The chance-corrected score at which a rung counts as solved: half way between chance and the ceiling."""
SPAN = 8.0
"""The ratio of the last to the first rung from which the axis is logarithmic."""
BAD = 0.2
"""A root mean square distance of the rungs' means from the curve beyond which the curve is said to fit badly."""
State = Literal["solved", "above", "below", "flat", "kinds", "few"]


@dataclasses.dataclass(frozen=True)
class Psychometric:
    """How far up one ladder one label gets.

    state      solved: the curve passes LEVEL within the ladder. above: every rung is solved, the ladder is too short.
               below: none is. flat: the score does not fall along the ladder. kinds: rungs are words or in no order.
               few: fewer than three rungs
    words      the same in plain words: "solves up to lag 23 [19, 30]"
    threshold  the rung at LEVEL, in the units of the ladder; None unless solved
    interval   its 95 % interval over seeds, low before high; None with one seed, and where nothing was fitted. For above and
               below it is given if one of its ends lies within the ladder
    beyond     whether the low and the high end of the interval lie beyond the ladder: the end is then that of the ladder,
               and is written "< 1" or "> 64"
    slope      of the curve, in units of u, above zero; None where nothing was fitted. lapse is the share lost at the easy end
    residual   root mean square distance of the rungs' means from the curve; r2 is the share of their variance explained
    rungs      those that the label took, easiest first; means are its scores there, over seeds
    xs, ys     the fitted curve, for drawing, in the order of xs; empty where nothing was fitted
    """

    label: str
    task: str
    axis: str
    state: State
    words: str
    n_seeds: int
    rungs: tuple[float, ...]
    means: tuple[float, ...]
    threshold: float | None = None
    interval: tuple[float, float] | None = None
    beyond: tuple[bool, bool] = (False, False)
    slope: float | None = None
    lapse: float | None = None
    residual: float | None = None
    r2: float | None = None
    xs: tuple[float, ...] = ()
    ys: tuple[float, ...] = ()

    @property
    def bad(self) -> bool:
        """Whether the curve fits badly; `words` says so too."""
        return self.residual is not None and self.residual > BAD


def psychometrics(data: Tidy) -> dict[tuple[str, str], Psychometric]:
    """By (label, task), for every label shown and every task with a ladder, where there are trials to compare."""
    raise NotImplementedError
