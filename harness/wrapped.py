"""A classifier whose model is somebody else's: it takes the training data whole, and answers through the model."""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn, Self

import numpy as np

from harness.declare import Can
from harness.estimator import Classifier
from harness.state import Array


def init(task: Any, rng: Any) -> dict[str, Array]:  # noqa: ARG001
    """There are no arrays of its own."""
    return {}


def respond(signal: Array, out: Array) -> None:
    """The answer comes through the model."""


def learn(target: Array) -> None:
    """So does learning."""


class Wrapped(Classifier):
    """A subclass says by `model()` what its model is, with `fit` and `predict_proba`, or overrides `study` and `answer`.

    Signals (n, ticks, *shape) are read as one vector each, and the targets of the last tick count.
    """

    can = Can(inputs=frozenset({"vector", "sequence"}))
    once = True
    poor: ClassVar[bool] = False
    """Whether it is meant to score badly: a floor for the others."""
    init, respond, learn = init, respond, learn

    def model(self) -> Any:
        """A fresh classifier with `fit(rows, classes)` and `predict_proba(rows)`; None where `study` and `answer` do without."""
        return None

    def prepare(self) -> float:
        """There is nothing to compile; the model's library is loaded here, off the clock."""
        self.model()
        return 0.0

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = self.poor
        return tags

    def live(
        self, X: Array, Y: Array | None = None, taught: Array | None = None, *, orders: Array | None = None,  # noqa: ARG002
        plastic: bool | None = None, stop: bool = False, python: bool = False,  # noqa: ARG002 - as every learner
    ) -> Array:  # fmt: skip
        """Fit the model, or answer."""
        n, K = len(X), self.task_.n_out
        rows = np.asarray(X).reshape(n, -1)
        out = np.zeros((n, self.task_.n_ticks, K), self.dtype)
        self.missed_ = np.zeros(1, np.int64)
        if Y is not None:
            self.study(rows, Y[:, -1].argmax(1) if K > 1 else (Y[:, -1, 0] > 0.5).astype(int))
        else:
            scores = self.answer(rows)
            out[:, -1] = scores if K > 1 else scores[:, 1:] - scores[:, :1]
        return out

    def study(self, rows: Array, named: Array) -> None:
        """Fit to rows (n, d) of classes `named` (n,)."""
        self.known_ = np.unique(named)
        if len(self.known_) > 1:
            self.model_ = self.model().fit(rows, named)

    def answer(self, rows: Array) -> Array:
        """A score for each class, (n, classes); a class never seen scores 0."""
        scores = np.zeros((len(rows), max(self.task_.n_out, 2)))
        scores[:, self.known_] = self.model_.predict_proba(rows) if len(self.known_) > 1 else 1.0
        return scores

    def fork(self, **changes: Any) -> Self:
        """It never changes by answering, and has no arrays to change."""
        if changes:
            raise TypeError(f"{type(self).__name__} is a wrapped model and has no arrays to change.")
        return self

    def snapshot(self) -> NoReturn:
        """Refused: the model would have to be pickled."""
        raise TypeError(f"{type(self).__name__} is a wrapped model and keeps no arrays of its own; fit it again instead.")
