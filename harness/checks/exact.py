"""Checks that a learner is a function of its state, its seed and its input, to the last byte."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness.checks.contract import contract
from harness.checks.material import AnyLearner, Course, SkippedError, agree, begun, courses, is_size, lessons, modest, unlike

if TYPE_CHECKING:
    from harness.base import Learner
    from harness.state import Array

TOLERANCE = {64: 1e-12, 32: 1e-5}
"""Largest difference between the compiled form and Python, relative to the largest number of the array."""
SURE = 1e-3
"""Share of the largest raw change below which, at 32 bits, a weight is not compared: an optimiser that divides by the size of a
change makes a whole step of what rounding left, in either direction. The 64-bit form is compared throughout."""
LOCKSTEP = 3
"""Blocks that both forms live through, each from the same state."""


@contract("arrays")
def check_compiled_equals_python(learner: AnyLearner) -> None:
    """The compiled kernels do what their Python form does, block by block from the same state.

    Whole numbers and spikes agree bit for bit; floats to 1e-12 of the largest in the array before or after the block, or 1e-5
    at 32 bits, where sums may be re-ordered; of a raw change then 1e-5 of the largest of all, as one may cancel.
    """
    for bits in TOLERANCE:
        for compiled, course in courses(learner, bits=bits):
            steps = [*course.steps(compiled.task_.block)]
            told, untold = [s for s in steps if s.told], [s for s in steps if not s.told]
            for step in [*untold[:LOCKSTEP], *told[:LOCKSTEP], told[-1]]:
                plain, start = compiled.fork(), compiled.layout_.copy()
                out = course.take(plain, step, python=True)
                fast = course.take(compiled, step)
                where = f"{course.lesson.name}, bits={bits}, rows {step.rows.start} to {step.rows.stop - 1}"
                _near(start, plain, compiled, where)
                if len(fast):
                    _close("the response", out, fast, bits, where)
            twins = compiled.fork(), compiled.fork()
            answers = [twin.live(course.X[:2], python=python) for twin, python in zip(twins, (True, False), strict=True)]
            _close("the answer", answers[0], answers[1], bits, course.lesson.name)


def _near(start: dict[str, Array], plain: Learner, compiled: Learner, where: str) -> None:
    """Fail where two states that came from `start` are further apart than rounding explains."""
    discrete = {p.array for p in compiled.activity() if p.kind in ("spike", "binary")}
    raw = {"d" + s.array for s in compiled.wiring()} & plain.arrays().keys() if compiled.bits != 64 else set()
    both = start, plain.arrays()
    changes = np.concatenate([state[name].ravel() for state in both for name in sorted(raw)]) if raw else np.zeros(1)
    for name, array in plain.arrays().items():
        other = compiled.arrays()[name]
        if name in discrete or array.dtype.kind != "f":
            if not np.array_equal(array, other):
                raise AssertionError(f"{name} differs between Python and the compiled form ({where}): {array} and {other}")
            continue
        if "d" + name in raw:
            sure = np.abs(plain.arrays()["d" + name]) > SURE * np.abs(changes).max()
            array, other = array[sure], other[sure]
        _close(name, array, other, int(compiled.bits), where, changes if name in raw else start[name])


def _close(name: str, a: Array, b: Array, bits: int, where: str, start: Array | None = None) -> None:
    if a.size and not np.array_equal(a, b, equal_nan=True):
        scale = max(float(np.max(np.abs(each))) for each in (a, start) if each is not None)
        gap = float(np.max(np.abs(a - b)))
        if not gap <= TOLERANCE[bits] * scale:
            raise AssertionError(
                f"{name} differs between Python and the compiled form by {gap:.3g}, of at most {scale:.3g} ({where})"
            )


@contract()
def check_same_seed_same_bytes(learner: AnyLearner) -> None:
    """Two learners of one seed have the same state and answers after the same lesson, byte for byte.

    So it is compiled and as Python, and neither draws from NumPy's global generator.
    """
    drawn = _global_draws()
    for first, course in courses(learner):
        second, _ = begun(learner, course.lesson)
        agree(first, second, f"{course.lesson.name}: at the start")
        course.study(first)
        course.study(second)
        agree(first, second, f"{course.lesson.name}: after learning")
        if course.answers(first).tobytes() != course.answers(second).tobytes():
            raise AssertionError(f"{course.lesson.name}: two learners of one seed answer differently")
    lesson = lessons(modest(learner))[0]
    twins = [begun(learner, lesson) for _ in range(2)]
    for twin, course in twins:
        course.take(twin, next(iter(course.steps(2))), python=True)
    agree(twins[0][0], twins[1][0], f"{lesson.name}: after learning as Python")
    if _global_draws() != drawn:
        raise AssertionError("it drew from np.random: `init` has `rng`, and kernels have `noise`")


def _global_draws() -> bytes:
    """The state of NumPy's global generator."""
    kind, keys, place, *_ = np.random.get_state()  # noqa: NPY002 - to see whether anyone else draws from it
    return repr((kind, place)).encode() + np.asarray(keys).tobytes()


@contract("arrays")
def check_cutting_the_stream(learner: AnyLearner) -> None:
    """A stream cut at the end of any block leaves the same bytes as a stream not cut."""
    cut = False
    for whole, course in courses(learner):
        block = whole.task_.block
        course.study(whole)
        for size in (block, 2 * block):
            if size < course.n:
                parts, _ = begun(learner, course.lesson)
                agree(whole, course.study(parts, size), f"{course.lesson.name}: cut into parts of {size}")
                cut = True
    if not cut:
        raise SkippedError("the block is as large as the largest lesson: there is nowhere to cut")


@contract("arrays")
def check_fork_is_exact(learner: AnyLearner) -> None:
    """A fork has the same future, leaves the original alone, and differs in the arrays that were asked for alone."""
    for original, course in courses(learner):
        first, *rest = course.steps(original.task_.block)
        course.take(original, first)
        before = original.layout_.copy()
        twin = original.fork()
        agree(original, twin, f"{course.lesson.name}: a fork")
        for step in rest:
            course.take(twin, step)
        if names := unlike(before, original.arrays()):
            raise AssertionError(f"{course.lesson.name}: what a fork learnt changed {', '.join(names)} of the original")
        for step in rest:
            course.take(original, step)
        agree(original, twin, f"{course.lesson.name}: a fork that went the same way")
        for name, array in original.arrays().items():
            changed = original.fork(**{name: array + array.dtype.type(1)})
            if unlike({name: array + array.dtype.type(1)}, changed.arrays()) or unlike(twin.arrays(), original.arrays()):
                raise AssertionError(f"fork({name}=...) did not change {name} of the fork alone")


@contract("arrays")
def check_snapshot_is_exact(learner: AnyLearner) -> None:
    """A snapshot restored, and a file saved and loaded, are the learner to the last byte, and go on as if nothing had been."""
    with tempfile.TemporaryDirectory() as folder:
        for uninterrupted, course in courses(learner):
            steps = [*course.steps(uninterrupted.task_.block)]
            half = len(steps) // 2
            for step in steps[:half]:
                course.take(uninterrupted, step)
            path = Path(folder) / f"{course.lesson.name}.npz"
            uninterrupted.save(path)
            revived = [type(uninterrupted).load(path), modest(learner).restore(uninterrupted.snapshot())]
            for other, how in zip(revived, ("saved and loaded", "restored"), strict=True):
                agree(uninterrupted, other, f"{course.lesson.name}: {how}")
                if other.get_params() != uninterrupted.get_params():
                    raise AssertionError(f"{how}, the hyperparameters are {other.get_params()}, not {uninterrupted.get_params()}")
            for step in steps[half:]:
                for each in (uninterrupted, *revived):
                    course.take(each, step)
            for other, how in zip(revived, ("saved and loaded", "restored"), strict=True):
                agree(uninterrupted, other, f"{course.lesson.name}: {how}, then trained further")


@contract()
def check_inputs_untouched(learner: AnyLearner) -> None:
    """Signals and targets stay as they are, writable or not, compiled and as Python."""
    for fresh, course in courses(learner):
        for python in (False, True):
            rows = 1 if python else course.n
            given = Course(course.lesson, course.X[:rows].copy(), course.Y[:rows].copy(), course.taught.copy(), course.alone)
            given.study(fresh, python=python)
            fresh.fork().live(given.X, python=python)
            if not (np.array_equal(given.X, course.X[:rows]) and np.array_equal(given.Y, course.Y[:rows])):
                raise AssertionError(f"{course.lesson.name}: the learner wrote to `signal` or `target`")
            for array in (given.X, given.Y, given.taught):
                array.flags.writeable = False
            given.study(fresh, python=python)
            fresh.fork().live(given.X, python=python)


@contract("arrays")
def check_one_signature(learner: AnyLearner) -> None:
    """Sizes, depth and options are no part of a compiled type: one signature a precision and kind of signal."""
    counted = [(name, field.metadata["low"]) for name, field in modest(learner).hypers().items() if is_size(field)]
    for lesson in lessons(modest(learner)):
        fresh, course = begun(learner, lesson)
        fresh.prepare()
        course.study(fresh)
        for name, low in counted:
            for value in (max(low, 2), max(low, 5)):
                other, course = begun(learner, lesson, **{name: value})
                course.study(other)
        for kernel, types in _signatures(fresh).items():
            for ndim in {_ndim(signature) for signature in types}:
                same = [signature for signature in types if _ndim(signature) == ndim]
                if len(same) > 1:
                    raise AssertionError(f"{kernel} was compiled {len(same)} times for signals of {ndim} dimensions: {same}")


def _ndim(signature: tuple[object, ...]) -> int:
    """Dimensions of a function's first argument: the signal's, where it has one."""
    return int(getattr(signature[0], "ndim", 0)) if signature else 0


def _signatures(learner: Learner) -> dict[str, list[tuple[object, ...]]]:
    """The types that each compiled function of a learner has met, at its precision."""
    run = learner._loop(python=False)  # noqa: SLF001 - the loop is the harness's own
    if learner.compile_loop:
        loops = [loop for key, loop in learner._loops.items() if key[:2] == (False, learner.dtype is np.float64)]  # noqa: SLF001
        return {"the loop": list({signature for loop in loops for signature in loop.signatures})}
    return {kernel: run.__globals__[kernel].signatures for kernel in ("respond", "learn", "rest", "adapt")}
