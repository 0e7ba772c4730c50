"""Random numbers inside kernels: a counter in the learner's state, one stream a population.

A stream is one uint64 of the array `noise`. Its draws depend on nothing but its own counter, so an intervention in one
population does not shift the noise of another, and a snapshot of the state holds the whole future.

Steele, G., Lea, D. & Flood, C. (2014). Fast splittable pseudorandom number generators. OOPSLA. doi:10.1145/2660193.2660195
"""

import hashlib

import numpy as np

from harness.jit import kernel

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
FIRST = np.uint64(0xBF58476D1CE4E5B9)
SECOND = np.uint64(0x94D049BB133111EB)
S11, S27, S30, S31 = np.uint64(11), np.uint64(27), np.uint64(30), np.uint64(31)
STEP = 2.0**-53


@kernel
def mixed(z):  # type: ignore[no-untyped-def]
    """The 64 random bits that a counter z stands for."""
    z = (z ^ (z >> S30)) * FIRST
    z = (z ^ (z >> S27)) * SECOND
    return z ^ (z >> S31)


@kernel
def uniform(noise, stream):  # type: ignore[no-untyped-def]
    """The next number of a stream, in [0, 1), of 53 random bits."""
    noise[stream] += GOLDEN
    return np.float64(mixed(noise[stream]) >> S11) * STEP


def seed(*names: object) -> int:
    """A seed of 63 bits from names, never from a position in a loop."""
    return int.from_bytes(hashlib.sha256(repr(names).encode()).digest()[:8], "big") >> 1
