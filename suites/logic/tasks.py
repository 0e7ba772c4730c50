"""Ability: to represent a Boolean function and to find its weights, where every case is shown and nothing is left to guess.

The 16 functions of two inputs separate one layer from two: a single threshold unit has 14 of them, XOR and XNOR are out of
its reach. Parity is XOR for n inputs, the function whose answer every single input can overturn; majority is the function
that one unit with equal weights computes. Inputs are 0 and 1; the whole truth table is training, validation and test data.
"""
# ruff: noqa: ARG001 (every generator takes what all of them take)

from functools import partial

import numpy as np

from harness.task import Ladder, Task
from harness.trial import Protocol
from suites.parts import whole

MINSKY_PAPERT = "Minsky, M. and Papert, S. (1969). Perceptrons. MIT Press"

NAMES = (
    "false", "nor", "b_and_not_a", "not_a", "a_and_not_b", "not_b", "xor", "nand",
    "and", "xnor", "b", "a_implies_b", "a", "b_implies_a", "or", "true",
)  # fmt: skip
"""The two-input functions. Bit i of a name's place is the value at the input a b whose digits, read as binary, are i."""


def cases(n):
    """All inputs of n bits (2^n, n), counting upwards: 00, 01, 10, 11."""
    return np.arange(2**n)[:, None] >> np.arange(n)[::-1] & 1


def gate(n_train, n_valid, n_test, rng, *, code):
    """A two-input function by its place in `NAMES`; sizes and rng change nothing, for the table is whole."""
    return whole(cases(2)[:, None], code >> np.arange(4) & 1)


def parity(n_train, n_valid, n_test, rng, *, n=2):
    """1 where an odd number of the n inputs is on."""
    X = cases(n)
    return whole(X[:, None], X.sum(1) % 2)


def majority(n_train, n_valid, n_test, rng, *, n=3):
    """1 where more than half of the n inputs are on; n is odd, so that there is no tie."""
    if n % 2 == 0:
        raise ValueError(f"n={n!r}: majority needs an odd number of inputs")
    X = cases(n)
    return whole(X[:, None], 2 * X.sum(1) > n)


TABLE = Protocol(epochs=1000, patience=12)
"""For tables of a few rows: many passes, and patience for the plateau on which XOR keeps a network."""

TASKS = (
    *(
        Task(
            name=f"logic/{name}",
            doc=f"The two-input function {name}: outputs {code >> 0 & 1}, {code >> 1 & 1}, {code >> 2 & 1}, {code >> 3 & 1}"
            " for the inputs 00, 01, 10, 11.",
            generate=partial(gate, code=code),
            sizes=(4, 4, 4),
            protocol=TABLE,
            exhaustive=True,
            source=(MINSKY_PAPERT,),
        )
        for code, name in enumerate(NAMES)
    ),
    Task(
        name="logic/parity",
        doc="Whether an odd number of n inputs is on.",
        generate=parity,
        ladder=Ladder(axis="n", values=(2, 3, 4, 5, 6, 7, 8), short=(2, 3, 4)),
        sizes=(4, 4, 4),
        protocol=TABLE,
        exhaustive=True,
        source=(MINSKY_PAPERT,),
    ),
    Task(
        name="logic/majority",
        doc="Whether more than half of n inputs are on.",
        generate=majority,
        ladder=Ladder(axis="n", values=(3, 5, 7, 9), short=(3,)),
        sizes=(8, 8, 8),
        protocol=TABLE,
        exhaustive=True,
        source=(MINSKY_PAPERT,),
    ),
)
