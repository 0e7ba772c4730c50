"""Ability: to carry what was seen over a stretch of time in which it is no longer there.

Delayed recall asks for one cue after a lag filled with distractors that say nothing of it: a learner that sees the last k
ticks answers every lag below k and is at chance, exactly, from k on. Temporal order asks which of two marks came first and
which second: both have to be kept, and their order with them.
"""

import numpy as np

from harness.task import Ladder, Task
from harness.trial import Protocol
from suites.parts import cut, labels_of_parts

LSTM = "doi:10.1162/neco.1997.9.8.1735"

CUES, DISTRACTORS = 2, 4


def recall(n_train, n_valid, n_test, rng, *, lag=4):
    """Report at the last of lag + 1 ticks which of two cue channels was on at the first.

    Channels: two for the cue, four of distractors, uniform in [0, 1) at every tick, and one that says "go" at the last.
    """
    if lag < 1:
        raise ValueError(f"lag={lag!r}: the cue comes before the answer, so ask for a lag of at least 1")
    sizes = n_train, n_valid, n_test
    y = labels_of_parts(sizes, CUES, rng)
    X = np.zeros((len(y), lag + 1, CUES + DISTRACTORS + 1), np.float32)
    X[np.arange(len(y)), 0, y] = 1
    X[:, :, CUES : CUES + DISTRACTORS] = rng.random((len(y), lag + 1, DISTRACTORS), np.float32)
    X[:, -1, -1] = 1
    return cut(X, y, sizes, n_classes=2, chance=0.5, ceiling=1.0)


OTHERS = 4
"""Distractor symbols a, b, c, d; after them come the marks X and Y, the start E and the end B."""


def order(n_train, n_valid, n_test, rng, *, length=10):
    """Two marks, each X or Y, among distractors: the four classes are XX, XY, YX, YY. Symbols are one-hot over 8 channels.

    The first mark stands from a tenth to a fifth of the length, the second from a half to three fifths, as in the
    original at a length of 100. No sequence occurs twice.
    """
    if length < 10:
        raise ValueError(f"length={length!r}: the marks need places that do not meet, so ask for a length of at least 10")
    sizes = n_train, n_valid, n_test
    y = labels_of_parts(sizes, 4, rng)
    symbols = np.zeros((len(y), length), np.int64)
    anew = np.arange(len(y))
    while len(anew):
        n = len(anew)
        symbols[anew] = rng.integers(OTHERS, size=(n, length))
        symbols[anew, rng.integers(length // 10, length // 5 + 1, n)] = OTHERS + y[anew] // 2
        symbols[anew, rng.integers(length // 2, 3 * length // 5 + 1, n)] = OTHERS + y[anew] % 2
        symbols[:, 0], symbols[:, -1] = OTHERS + 2, OTHERS + 3
        first = np.unique(symbols, axis=0, return_index=True)[1]
        anew = np.setdiff1d(np.arange(len(y)), first)
    X = np.eye(OTHERS + 4, dtype=np.float32)[symbols]
    return cut(X, y, sizes, n_classes=4, chance=0.25, ceiling=1.0)


TASKS = (
    Task(
        name="sequence/recall",
        doc="Which of two cues was on, `lag` ticks ago, with distractors since.",
        generate=recall,
        requires=frozenset({"sequence", "class"}),
        chance=0.5,
        ladder=Ladder(axis="lag", values=(1, 2, 4, 8, 16, 32, 64), short=(1, 4, 16)),
        sizes=(400, 100, 500),
        protocol=Protocol(epochs=30, patience=10),
        source=(LSTM,),
    ),
    Task(
        name="sequence/order",
        doc="Temporal order: two marks far apart among distractors, four classes (experiment 6a of the LSTM paper).",
        generate=order,
        requires=frozenset({"sequence", "class"}),
        chance=0.25,
        ladder=Ladder(axis="length", values=(10, 20, 50, 100), short=(10,)),
        sizes=(800, 100, 500),
        protocol=Protocol(epochs=30, patience=10),
        source=(LSTM,),
    ),
)
