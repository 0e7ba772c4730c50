"""Checks of what learning changes, and of what nothing else may change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.checks.contract import contract, rates
from harness.checks.material import AnyLearner, begun, courses, lasting, lessons, modest, unlike

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.base import Learner
    from harness.checks.material import Course


@contract("arrays", "synapses")
def check_learning_changes_every_plastic_array(learner: AnyLearner) -> None:
    """Every array that is declared plastic changes on some lesson, with some setting of the options, and none that is not."""
    moved: set[str] = set()
    still: dict[str, str] = {}
    for fresh, course in _settings(learner):
        before = lasting(fresh)
        course.study(fresh)
        for synapse in fresh.wiring():
            same = np.array_equal(before[synapse.array], fresh.arrays()[synapse.array])
            if synapse.plastic and same:
                still.setdefault(synapse.array, "is empty" if not before[synapse.array].size else "stays as it was")
            elif synapse.plastic:
                moved.add(synapse.array)
            elif not same:
                raise AssertionError(f"{synapse.array} is declared plastic=False, but changes ({course.lesson.name})")
        if not still.keys() - moved:
            return
    dead = sorted(still.keys() - moved)
    what = ", ".join(f"{name} {still[name]}" for name in dead)
    raise AssertionError(f"nothing is learnt there on any lesson, with any option: {what}")


def _settings(learner: AnyLearner) -> Iterator[tuple[Learner, Course]]:
    """The learner on every lesson: as it is, then with each option in turn."""
    yield from courses(learner)
    base = modest(learner)
    for name, field in base.hypers().items():
        options: tuple[Any, ...] = field.metadata["choices"] or ((False, True) if isinstance(field.default, bool) else ())
        for value in options:
            if not field.metadata["fit"] and value != getattr(base, name):
                yield from courses(learner, **{name: value})


@contract("arrays", "synapses", "rate")
def check_rate_zero_changes_nothing(learner: AnyLearner) -> None:
    """With every rate at 0 no synapse changes, unless it is declared homeostatic."""
    for fresh, course in courses(learner):
        before = lasting(fresh)
        for name in rates(type(fresh)):
            setattr(fresh, name, 0.0)  # behind the back of `begin`, whose range may not reach to 0
        course.study(fresh)
        changed = [s.array for s in fresh.wiring() if not np.array_equal(before[s.array], fresh.arrays()[s.array])]
        if wrong := [name for name in changed if name not in fresh.homeostatic]:
            zero = " and ".join(rates(type(fresh)))
            raise AssertionError(f"{course.lesson.name}: {', '.join(wrong)} changes although {zero} is 0")


@contract()
def check_responding_leaves_no_mark(learner: AnyLearner) -> None:
    """Without a target, or with `plastic` False, no synapse and nothing homeostatic changes.

    The answer of a fork leaves no trace at all in the original, and comes again.
    """
    for fresh, course in courses(learner):
        course.study(fresh)
        before, state = lasting(fresh), fresh.layout_.copy()
        for python in (False, True):
            rows = course.X[:2] if python else course.X
            answers = [fresh.fork().live(rows, python=python).tobytes() for _ in range(2)]
            if names := unlike(state, fresh.arrays()):
                raise AssertionError(f"{course.lesson.name}: the answer of a fork changed {', '.join(names)} of the original")
            if answers[0] != answers[1]:
                raise AssertionError(f"{course.lesson.name}: the same learner answers the same signals differently")
        for python in (False, True):
            fresh.live(course.X[:2] if python else course.X, plastic=False, python=python)
            if names := unlike(before, lasting(fresh)):
                raise AssertionError(f"{course.lesson.name}: responding alone changes {', '.join(names)}")


@contract("fit")
def check_predict_leaves_no_mark(learner: AnyLearner) -> None:
    """`predict` after `fit` changes no array, and gives the same answer again."""
    lesson = lessons(modest(learner))[0]
    fitted: Any = modest(learner, epochs=1)
    X, y = lesson.X[:, 0] if lesson.X.shape[1] == 1 else lesson.X, _labels(fitted, lesson.Y)
    fitted.fit(X, y)
    before, answer = fitted.layout_.copy(), fitted.predict(X)
    if not np.array_equal(answer, fitted.predict(X)):
        raise AssertionError("predict gives two answers to one question")
    if names := unlike(before, fitted.arrays()):
        raise AssertionError(f"predict changed {', '.join(names)}")


def _labels(learner: Any, Y: Any) -> Any:
    """Targets as `fit` takes them."""
    if "class" not in learner.can.targets:
        return Y
    return Y.argmax(1) if Y.shape[1] > 1 else Y[:, 0].astype(int)


@contract("arrays")
def check_nothing_undeclared_learns(learner: AnyLearner) -> None:
    """What learning changes, responding leaves alone, and the answer depends on, is declared: a synapse, or homeostatic.

    This holds for floats; whole numbers are counters and labels.
    """
    for fresh, course in courses(learner):
        start = fresh.layout_.copy()
        course.study(fresh)
        learnt = fresh.layout_.copy()
        declared = {s.array for s in fresh.wiring()} | {"d" + s.array for s in fresh.wiring()} | set(fresh.homeostatic)
        twin = fresh.fork()
        answer = twin.live(course.X)
        for name, array in learnt.items():
            kept = np.array_equal(array, start[name]) or not np.array_equal(array, twin.arrays()[name])
            if array.dtype.kind != "f" or name in declared or kept:
                continue
            if not np.array_equal(fresh.fork(**{name: start[name]}).live(course.X), answer):
                raise AssertionError(
                    f"{course.lesson.name}: {name} is learnt and the answer depends on it, but no synapse declares it"
                )


@contract("arrays")
def check_trace_tells_every_change(learner: AnyLearner) -> None:
    """The trace of one sample tells everything that is written, step by step.

    Its last word on each population is the state, and its changes of weights add up to what became of them.
    """
    lesson = lessons(modest(learner))[0]
    fresh, course = begun(learner, lesson, bits=64)
    fresh.live(course.X[:1], plastic=False)
    probe = fresh.probe(course.X[1], course.Y[1], course.taught, trace=True)
    if [event.step for event in probe.trace] != list(range(len(probe.trace))):
        raise AssertionError("the steps of the trace are not numbered in turn")
    for population in fresh.activity():
        after = probe.after[population.array]
        told = [e.vector for e in probe.trace if e.name == population.array and e.kind == population.kind]
        if not told and not np.array_equal(after, probe.before[population.array]):
            raise AssertionError(f"{population.array} changed, but the trace tells of no write to it")
        if told and not np.array_equal(told[-1], after.ravel()):
            raise AssertionError(f"the trace's last word on {population.array} is not what it holds in the end")
    for synapse in fresh.wiring():
        name, raw = synapse.array, "d" + synapse.array in probe.after
        change = probe.after[name] - probe.before[name]
        total = np.zeros(change.size)
        for event in probe.trace:
            if event.name == name and event.kind == ("applied" if raw else "change"):
                total += event.vector
        if not np.allclose(total, change.ravel(), rtol=1e-9, atol=1e-12):
            raise AssertionError(f"the changes of {name} in the trace do not add up to what became of it")
        asked = [e.vector for e in probe.trace if e.name == name and e.kind == "change"]
        if raw and asked and not np.array_equal(asked[-1], probe.change(name).ravel()):
            raise AssertionError(f"the raw change of {name} in the trace is not that of the probe")
