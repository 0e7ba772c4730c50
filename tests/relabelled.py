"""The same network by other names: hidden units in another order, with all their weights."""

import functools

import numpy as np


def relabelled(cls, hidden, seed):
    """A class whose networks are those of `cls` with the `hidden` units of every hidden layer in another order.

    All arrays are born so, feedback and optimiser too, and what is learnt goes on from there. `hidden` must be no other size.
    """
    order = np.random.default_rng(seed).permutation(hidden)

    def moved(value):
        if isinstance(value, tuple):
            return tuple(map(moved, value))
        found = np.asarray(value)
        for axis in range(found.ndim):
            if found.shape[axis] == hidden:
                found = found.take(order, axis)
        return found

    original = vars(cls).get("init") or cls.init

    @functools.wraps(original)
    def init(*given):
        return {name: moved(value) for name, value in original(*given).items()}

    return type(cls.__name__, (cls,), dict(init=init, __doc__=cls.__doc__, __module__=cls.__module__)), order
