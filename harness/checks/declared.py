"""Checks of what a learner says of itself: arrays, sizes, names, words."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING

import numpy as np

from harness.base import GIVEN
from harness.checks.contract import contract
from harness.checks.material import AnyLearner, Course, begun, courses, lessons, modest
from harness.costs import count
from harness.state import stem

if TYPE_CHECKING:
    from harness.base import Learner
    from harness.declare import Synapse

OUTSIDE = frozenset({"1", "signal", "target"})
"""What a synapse may name as pre beside arrays: the constant of a bias, the signal, the target."""


@contract("arrays")
def check_declared_arrays_exist(learner: AnyLearner) -> None:
    """Every synapse, its two populations, every population and everything homeostatic is an array of the state."""
    fresh, _ = begun(learner, lessons(modest(learner))[0])
    stems = {stem(name) for name in fresh.arrays()}
    declared = [*(s.array for s in fresh.synapses), *(p.array for p in fresh.populations), *fresh.homeostatic]
    for name in declared:
        here = stem(name) in stems if "[l]" in name else name in fresh.arrays()
        if not here:
            raise AssertionError(f"{name} is declared, but `init` lays out no such array; there are {', '.join(fresh.arrays())}")
    for synapse in fresh.wiring():
        for end, word in (("pre", synapse.pre), ("post", synapse.post)):
            if word not in fresh.arrays() and word not in OUTSIDE:
                allowed = ", ".join(sorted(OUTSIDE))
                raise AssertionError(f"{synapse.array} has {end} {word!r}, which is neither an array nor one of {allowed}")
    for name in (s.array for s in fresh.wiring() if "d" + s.array in fresh.arrays()):
        shape, raw = fresh.arrays()[name].shape, fresh.arrays()["d" + name].shape
        if shape != raw:
            raise AssertionError(f"d{name}, the raw change of {name}, has shape {raw}, but {name} has {shape}")


@contract("arrays")
def check_sizes_agree(learner: AnyLearner) -> None:
    """A weight array is (post, pre); a bias has one number for each unit of post."""
    for fresh, course in courses(learner):
        for synapse in fresh.wiring():
            _fits(fresh, course, synapse)


def _fits(learner: Learner, course: Course, synapse: Synapse) -> None:
    array = learner.arrays()[synapse.array]
    post, pre = _size(learner, course, synapse.post), _size(learner, course, synapse.pre)
    if not array.size or post is None or pre is None or array.ndim > 2:
        return
    if synapse.pre in ("1", synapse.post):  # a number for each unit, perhaps at each of several places
        fits = array.shape[-1] == post or array.shape == (post, pre)
    elif array.ndim == 1:
        fits = array.size == post * pre
    else:
        fits = array.shape == (post, pre)
    if not fits:
        ends = f"its post {synapse.post} has {post} units and its pre {synapse.pre} has {pre}"
        raise AssertionError(f"{synapse.array} has shape {array.shape}, but {ends}")


def _size(learner: Learner, course: Course, name: str) -> int | None:
    """Units of a population: an array of a block has one row a signal."""
    if name == "1":
        return 1
    if name == "signal":
        return int(np.prod(learner.task_.shape))
    if name == "target":
        return int(course.Y.shape[-1])
    array = learner.arrays().get(name)
    return None if array is None else int(array.shape[-1]) if array.ndim else 1


@contract("arrays")
def check_kernels_name_what_exists(learner: AnyLearner) -> None:
    """Whatever a kernel names is an array, a hyperparameter, or what the harness gives."""
    fresh, _ = begun(learner, lessons(modest(learner))[0])
    for kernel in GIVEN:
        fresh.named(kernel, {"plastic": False} if kernel != "init" else {})


@contract("arrays")
def check_operations_can_be_counted(learner: AnyLearner) -> None:
    """Products, sums and spikes of training and of an answer can be counted, and training costs no less than answering."""
    for fresh, course in courses(learner):
        course.study(fresh)
        counts = count(fresh, course.X[:1], course.Y[:1], course.taught, course.n)
        if counts.train_total is None and fresh.wiring():
            raise AssertionError("its kernels do what numbers that count cannot follow, so that nothing is known of its costs")
        train, infer = counts.train_total or 0, (counts.mac_infer or 0) + (counts.ac_infer or 0)
        if infer < 0 or train < infer or (counts.spikes or 0) < 0:
            raise AssertionError(f"{course.lesson.name}: {counts} cannot be: training takes in an answer to every sample")


@contract()
def check_documented(learner: AnyLearner) -> None:
    """The class and its kernels say what they do, and `init` (its own or an inherited one, or its module) names every array."""
    cls = learner if isinstance(learner, type) else type(learner)
    if not cls.__doc__ or cls.__doc__.startswith(f"{cls.__name__}("):  # what a dataclass writes where there is nothing
        raise AssertionError(f"{cls.__name__} has no docstring")
    for kernel in GIVEN:
        if not (getattr(cls, kernel).__doc__ or "").strip():
            raise AssertionError(f"{cls.__name__}.{kernel} has no docstring: an equation, shapes, what holds")
    inits = [vars(base)["init"].__func__ for base in cls.__mro__ if "init" in vars(base)]
    told = " ".join(f"{init.__doc__} {inspect.getdoc(inspect.getmodule(init))}" for init in inits)
    names = [*(s.array for s in cls.synapses), *(p.array for p in cls.populations), *cls.homeostatic]
    if missing := [n for n in names if not re.search(rf"(?<![A-Za-z_]){re.escape(stem(n))}(?![A-Za-z_])", told)]:
        raise AssertionError(f"neither `init` nor its module says what {', '.join(missing)} is")
    for name, field in cls.hypers().items():
        if not field.metadata["doc"].strip():
            raise AssertionError(f"the hyperparameter {name} has no doc=")


@contract("source")
def check_source_is_given(learner: AnyLearner) -> None:
    """A rule says where it comes from: `source` holds a DOI or another reference."""
    if not [word for word in learner.source if word.strip()]:
        raise AssertionError("`source` is empty: give the DOI of the paper that the rule is from")
