"""Rules of the shared network in seconds and in operations, against back-propagation on the same network and data.

A network 40-100-100-10 in blocks of 100, as for MNIST-1D, on numbers that are drawn. A block takes back-propagation more than
100 us, of which calls from Python are a tenth. A rule is found by being built on what Backprop is built on; controls are none.
"""

from typing import NamedTuple

import numpy as np

from harness.costs import count
from harness.learner import Sizes
from harness.registry import find
from suites.speed.jobs import learner
from suites.speed.race import race

SIGNALS, HIDDEN, DEPTH, CLASSES, BLOCK, ROWS = 40, 100, 2, 10, 100, 2000
MEASURE = "Backprop"
LIMIT = 1.3
"""What seconds may be over the ratio of operations: the rest is how well a rule's operations are put into loops."""


class Pace(NamedTuple):
    """A rule against back-propagation, of which it takes so many times the seconds and the operations."""

    seconds: float
    operations: float

    @property
    def quotient(self):
        """Seconds over operations: above 1, its operations take longer than those of back-propagation."""
        return self.seconds / self.operations


def rules():
    """Names of all rules of the network that Backprop is built on, the measure first."""
    network = type(learner(MEASURE)).__base__
    found = [e.name for e in find().learners.values() if issubclass(e.thing, network) and e.thing.family != "control"]
    return sorted(found, key=lambda name: (name != MEASURE, name))


def paces():
    """The pace of every rule by name: learning alone, warm, in turn."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((ROWS, 1, SIGNALS)).astype(np.float32)
    Y = np.eye(CLASSES, dtype=np.float32)[rng.integers(0, CLASSES, ROWS)][:, None]
    runners, operations = {}, {}
    for name in rules():
        rule = learner(name, hidden=HIDDEN, depth=DEPTH, block=BLOCK).begin(Sizes((SIGNALS,), CLASSES))
        rule.prepare()
        operations[name] = count(rule, X[:1], Y[:1], np.ones(1, bool), ROWS).train_total
        runners[name] = lambda rule=rule: rule.live(X, Y)
    laps = race(runners)
    return {
        name: Pace(lap.median / laps[MEASURE].median, operations[name] / operations[MEASURE]) for name, lap in laps.items()
    }, laps[MEASURE]
