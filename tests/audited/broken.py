"""Learners of which an audit can say nothing, or not by every probe; each for one reason."""

import numpy as np

from harness.learner import Population, Synapse, hyper
from learners.backprop import Backprop
from tests.audited.layers import Delta, delta


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


def steep(target, signal, W, y, e, rate, held):
    delta(target, signal, W, y, e, rate)
    for k in range(W.shape[0]):
        if abs(W[k, 0]) > held:
            for j in range(W.shape[1]):
                W[k, j] = np.nan


class Steep(Delta):
    """Runs away as soon as a weight is a little larger than usual, hence under a probe."""

    held: float = hyper(default=0.4, doc="largest weight of the first input", low=0.0, high=1e9)

    learn = steep


class Sulking(Delta):
    """Its kernel fails when an activity is larger than usual, hence under a probe."""

    populations = Population("y"), Population("e", "error")

    @staticmethod
    def learn(target, signal, W, y, e, rate):
        if abs(y[0, 0]) > 1.0:
            raise RuntimeError("too much")
        delta(target, signal, W, y, e, rate)
