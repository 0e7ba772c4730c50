"""Drawing few units anew: a bootstrap whose intervals also hold for two or three seeds.

The bootstrap of n units understates their spread: by sqrt((n - 1) / n), by the tails that Student's t has and the normal
has not, and, for two or three units, because no draw lies further out than its extreme unit. With three units a plain 95 %
interval covers three times out of four. Here the deviations of the draws from the figure itself are widened to make up for
all three; for the mean of two units that is Student's interval. Simulations
of thresholds (`tests/test_psychometrics.py`) find 95 % from three units on, and 92 to 95 % with two.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from reports.stats import seeded

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from reports.stats import Floats

DRAWS = 500
Z = 1.959963984540054
"""The normal quantile of a 95 % interval."""


def drawn(values: Floats, draws: int = DRAWS) -> Floats:
    """How often each unit (row of values) is drawn: (draws, units); the generator is seeded by the values."""
    n = len(values)
    return seeded(values).multinomial(n, np.full(n, 1 / n), size=draws).astype(float)


def tail(freedom: ArrayLike) -> Floats:
    """What deviations of draws are multiplied by for the sake of Student's tails.

    The draws of two or three units reach no further than sqrt(n) standard errors, which is less than the normal quantile.
    """
    from scipy.special import stdtrit

    given = np.asarray(freedom, dtype=float)
    return np.asarray(stdtrit(given, 0.975) / np.minimum(Z, np.sqrt(given + 1)))


def widening(n: int) -> float:
    """What the deviations of draws of n >= 2 units are multiplied by."""
    return float(tail(n - 1)) * math.sqrt(n / (n - 1))


def widened(figure: Floats | float, draws: Floats, n: int) -> tuple[Floats, Floats]:
    """The 95 % interval of a figure, or of each of several, from its draws (along the first axis)."""
    low, high = np.quantile(draws, (0.025, 0.975), axis=0)
    k = widening(n)
    return np.asarray(figure + k * np.minimum(low - figure, 0)), np.asarray(figure + k * np.maximum(high - figure, 0))
