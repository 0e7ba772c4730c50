"""Learners of which an audit can say nothing, or not by every probe; each for one reason."""

import numpy as np

from harness.learner import Population, Synapse
from learners.backprop import Backprop
from tests.audited.layers import Delta, delta, delta_init


class Ragged(Delta):
    """Says that its synapses begin at a population of another size than they have."""

    synapses = (Synapse("W", "e", "y"),)


class Foreign(Backprop):
    """Says that errors of 7 cells are signals of 4 others."""

    populations = Population("a[l]"), Population("d[l]", "error", "a[l+2]")


class Marked(Delta):
    """A fork is the learner itself, so that whatever is probed is changed."""

    def fork(self, **changes):
        for name, value in changes.items():
            if name in self.arrays():
                self.arrays()[name][...] = value
        return self


DICE = np.random.default_rng(0)


def thrown(target, signal, W, y, e, rate):
    delta(target, signal, W, y, e, rate * DICE.random())


class Thrown(Delta):
    """Draws its step from noise that no seed governs."""

    learn = thrown


def running(target, signal, W, y, e, rate):
    delta(target, signal, W, y, e, rate * 1e80)


class Running(Delta):
    """Runs away within the first samples."""

    learn = running


def uneasy_init(task, rng):
    return delta_init(task, rng) | dict(most=np.zeros(1), seen=np.zeros(1, int))


def unusual(y, most, seen):
    """Whether a response is larger by a tenth than any ever was, once ten samples were seen."""
    top = max(abs(value) for value in y[0])
    larger = seen[0] >= 10 and top > 1.1 * most[0]
    seen[0] += 1
    most[0] = max(most[0], top)
    return larger


def steep(target, signal, W, y, e, most, seen, rate):
    delta(target, signal, W, y, e, rate)
    if unusual(y, most, seen):
        for j in range(W.shape[1]):
            W[0, j] = np.nan


class Steep(Delta):
    """Runs away when a response is unusually large, hence under a probe."""

    init, learn = uneasy_init, steep


def sulking(target, signal, W, y, e, most, seen, rate):
    if unusual(y, most, seen):
        raise RuntimeError("too much")
    delta(target, signal, W, y, e, rate)


class Sulking(Delta):
    """Fails when a response is unusually large, hence under a probe."""

    init, learn = uneasy_init, sulking
