"""Random numbers by the array: the draws of `harness.noise.uniform`, one for one and in their order, but in loops that vectorise.

The counter is a multiple of the place, so that no draw waits for the one before. In single precision logarithm, sine and
cosine are polynomials, since calls of the library do not vectorise; a normal number then differs from that of double precision
by less than 2e-6 (4e-4 where both of a pair are near 0), and its tail reaches as far.

Box, G. E. P. & Muller, M. E. (1958). A note on the generation of random normal deviates. doi:10.1214/aoms/1177706645
"""

import math

import numpy as np

from harness.jit import kernel
from harness.noise import GOLDEN, S11, STEP, mixed

MIDDLE = np.uint64(2**63)
ALL, UNIT, TURN = np.int64(2**53), np.float32(2.0**-53), np.float32(2.0**-64)
ROOT_HALF, BITS = np.int32(0x3F3504F3), np.int32(23)
"""sqrt(1/2) in single precision, as an integer; and how many of its bits come after the exponent."""


@kernel
def even(x, noise, size, low, width):
    """x = numbers even in [low, low + width)."""
    first = noise[0]
    for i in range(size):
        x[i] = x.dtype.type(low + width * (np.float64(mixed(first + np.uint64(i + 1) * GOLDEN) >> S11) * STEP))
    noise[0] = first + np.uint64(size) * GOLDEN


@kernel
def signs(x, noise, size):
    """x = 1 or -1."""
    first, one = noise[0], x.dtype.type(1)
    for i in range(size):
        x[i] = one if mixed(first + np.uint64(i + 1) * GOLDEN) < MIDDLE else -one
    noise[0] = first + np.uint64(size) * GOLDEN


@kernel
def normal(x, noise, size):
    """x = normal numbers of mean 0 and variance 1, by Box and Muller, in pairs: of an odd number the last one's twin is lost."""
    first, pairs = noise[0], size // 2
    if x.itemsize == 4:
        for i in range(pairs):
            low = ALL - np.int64(mixed(first + np.uint64(2 * i + 1) * GOLDEN) >> S11)
            turn = np.float32(np.uint64(mixed(first + np.uint64(2 * i + 2) * GOLDEN)).view(np.int64)) * TURN
            length = length32(np.float32(low) * UNIT)
            x[2 * i] = length * cosine32(turn)
            x[2 * i + 1] = length * sine32(turn)
    else:
        for i in range(pairs):
            u = np.float64(mixed(first + np.uint64(2 * i + 1) * GOLDEN) >> S11) * STEP
            v = np.float64(mixed(first + np.uint64(2 * i + 2) * GOLDEN) >> S11) * STEP
            length, phase = math.sqrt(-2 * math.log(1 - u)), 2 * math.pi * v
            x[2 * i] = x.dtype.type(length * math.cos(phase))
            x[2 * i + 1] = x.dtype.type(length * math.sin(phase))
    noise[0] = first + np.uint64(2 * pairs) * GOLDEN
    if size > 2 * pairs:
        u = np.float64(mixed(noise[0] + GOLDEN) >> S11) * STEP
        v = np.float64(mixed(noise[0] + GOLDEN + GOLDEN) >> S11) * STEP
        x[size - 1] = x.dtype.type(math.sqrt(-2 * math.log(1 - u)) * math.cos(2 * math.pi * v))
        noise[0] = noise[0] + GOLDEN + GOLDEN


@kernel
def length32(v):
    """sqrt(-2 log v) of v in (0, 1]: v = 2^e m, m from sqrt(1/2) to sqrt 2; log m = 2 artanh s, s = (m - 1) / (m + 1)."""
    f, bits = np.float32, np.float32(v).view(np.int32)
    e = np.int32(np.int32(bits - ROOT_HALF) >> BITS)
    m = np.int32(bits - np.int32(e << BITS)).view(np.float32)
    s = (m - f(1)) / (m + f(1))
    q = s * s
    p = f(2 / 9)
    p = p * q + f(2 / 7)
    p = p * q + f(2 / 5)
    p = p * q + f(2 / 3)
    p = p * q + f(2)
    return np.sqrt(f(-2) * (f(e) * f(0.6931471805599453) + s * p))


@kernel
def quarter32(t):
    """sin(2 pi t) of t from -1/4 to 1/4."""
    f = np.float32
    q = t * t
    p = f(39.75982708361798)
    p = p * q + f(-76.5811726442469)
    p = p * q + f(81.60247636893183)
    p = p * q + f(-41.341680613346824)
    p = p * q + f(6.2831852801544095)
    return p * t


@kernel
def cosine32(t):
    """cos(2 pi t) of t from -1/2 to 1/2."""
    return quarter32(np.float32(0.25) - abs(t))


@kernel
def sine32(t):
    """sin(2 pi t) of t from -1/2 to 1/2."""
    r = np.float32(0.25) - abs(abs(t) - np.float32(0.25))
    return quarter32(r if t > 0 else -r)
