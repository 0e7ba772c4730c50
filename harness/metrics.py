"""How the answers of a learner are scored. The learner never scores itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from harness.task import Array, Dataset

Metric = Callable[[Array, Array, Array, Dataset, float], float]


def accuracy(out: Array, X: Array, y: Array, data: Dataset, cut: float) -> float:  # noqa: ARG001 - all metrics take the same
    """The share of rows (n, n_out) whose class is right; a lone output names the second class above `cut`."""
    named = (out[:, 0] > cut).astype(np.int64) if out.shape[1] == 1 else out.argmax(axis=1)
    return float(np.mean(named == y))


def correlation(out: Array, X: Array, y: Array, data: Dataset, cut: float) -> float:  # noqa: ARG001
    """|correlation| of the first output with the projection of the signals X (n, 1, d) on the generator's direction."""
    true = X[:, 0].astype(float) @ np.asarray(data.truth["direction"], float)
    given = out[:, 0].astype(float)
    if given.std() == 0 or true.std() == 0:
        return 0.0
    return float(abs(np.corrcoef(given, true)[0, 1]))


METRICS: dict[str, Metric] = {"accuracy": accuracy, "correlation": correlation}


def normalised(score: float, chance: float | None, ceiling: float | None) -> float | None:
    """(score - chance) / (ceiling - chance): 0 is no better than ignoring the signal, 1 as good as can be; None if unknown."""
    if chance is None or (ceiling is not None and ceiling <= chance):
        return None
    return (score - chance) / ((1.0 if ceiling is None else ceiling) - chance)


def plain(value: Any) -> float | None:
    """A number fit for JSON: None for NaN and infinity."""
    return float(value) if value is not None and np.isfinite(value) else None
