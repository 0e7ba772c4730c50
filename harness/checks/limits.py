"""Checks at the edges: one sample, one feature, hyperparameters at both ends, input that is no number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.checks.contract import contract
from harness.checks.material import MODEST, AnyLearner, Lesson, SkippedError, begun, lessons, modest
from harness.checks.plastic import _labels

if TYPE_CHECKING:
    import dataclasses

MEMORY = 200e6
"""Bytes of state beyond which a hyperparameter's end is not tried."""
FEW = 4
"""Signals shown at each end."""


@contract()
def check_one_sample_one_feature(learner: AnyLearner) -> None:
    """One sample of one feature is enough to begin, learn and answer, with one output or three."""
    base = modest(learner)
    ticks = 1 if "vector" in base.can.inputs else 2
    for n_out in (1, 3):
        Y = np.zeros((1, n_out))
        Y[0, 0] = 1
        fresh, course = begun(learner, Lesson("one", np.ones((1, ticks, 1)), Y))
        course.study(fresh)
        answer = course.answers(fresh)
        if answer.shape[0] != 1 or answer.shape[-1] != n_out or not np.isfinite(answer).all() or not fresh.finite():
            raise AssertionError(f"after one sample of one feature the answer is {answer} for {n_out} outputs")


@contract()
def check_hyperparameters_at_their_ends(learner: AnyLearner) -> None:
    """At both ends of its range, and at every choice, each hyperparameter runs a few samples without NaN or infinity.

    Else `begin` refuses it by a ValueError that names it.
    """
    base = modest(learner)
    lesson = lessons(base)[0]
    few = Lesson(lesson.name, lesson.X[:FEW], lesson.Y[:FEW])
    tried, large = 0, []
    for name, field in base.hypers().items():
        for value in _ends(field):
            if _bytes(learner, few, name, value) > MEMORY:
                large.append(f"{name}={value!r}")
                continue
            tried += 1
            try:
                fresh, course = begun(learner, few, **{name: value})
                course.study(fresh)
                answer = course.answers(fresh)
            except ValueError as error:
                if name not in str(error):
                    raise AssertionError(f"{name}={value!r} is refused, but the message does not name it: {error}") from error
                continue
            if not (fresh.finite() and np.isfinite(answer).all()):
                raise AssertionError(f"{name}={value!r} leads to NaN or infinity within {len(few.X)} samples")
    if not tried:
        raise SkippedError(f"its state would be too large: {', '.join(large)}")


def _ends(field: dataclasses.Field[Any]) -> tuple[Any, ...]:
    """The values at which a hyperparameter is tried."""
    declared = field.metadata
    if declared["choices"]:
        return tuple(declared["choices"])
    if isinstance(field.default, bool):
        return False, True
    whole = isinstance(field.default, int)
    return tuple(int(v) if whole else float(v) for v in (declared["low"], declared["high"]))


def _bytes(learner: AnyLearner, lesson: Lesson, name: str, value: Any) -> float:
    """Bytes of state with a large whole number, by the parabola through three small ones: sizes enter once or twice."""
    if type(value) is not int or value <= 8 * MODEST:
        return 0.0
    field = modest(learner).hypers()[name]
    if field.metadata["fit"] or field.metadata["choices"]:
        return 0.0
    sizes = np.array([max(MODEST * 2**k, int(field.metadata["low"])) for k in range(3)])
    if len(set(sizes)) < 3 or sizes[-1] > value:
        return 0.0
    bytes_ = np.array([begun(learner, lesson, **{name: int(v)})[0].state_bytes for v in sizes])
    return float(np.polyval(np.polyfit(sizes, bytes_, 2), value))


@contract("fit")
def check_nan_is_refused(learner: AnyLearner) -> None:
    """NaN and infinity are refused by `fit`, `partial_fit` and `predict` with a ValueError, and change nothing."""
    lesson = lessons(modest(learner))[0]
    X = lesson.X[:, 0] if lesson.X.shape[1] == 1 else lesson.X
    fresh: Any = modest(learner, epochs=1)
    y = _labels(fresh, lesson.Y)
    fresh.fit(X, y)
    before = fresh.predict(X)
    for bad in (np.nan, np.inf, -np.inf):
        spoilt = X.copy()
        spoilt.flat[-1] = bad
        calls = [
            (modest(learner, epochs=1), "fit", (spoilt, y)),
            (fresh, "partial_fit", (spoilt, y)),
            (fresh, "predict", (spoilt,)),
        ]
        for one, name, given in calls:
            if not hasattr(one, name):
                continue
            try:
                getattr(one, name)(*given)
            except ValueError:
                continue
            raise AssertionError(f"{name} takes a signal with {bad} and says nothing")
    if not np.array_equal(before, fresh.predict(X)):
        raise AssertionError("signals that were refused changed the answers all the same")
