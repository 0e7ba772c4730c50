"""Draws by the array are those of `uniform` one by one, in both precisions, compiled and as Python; and they are normal."""

import math

import numpy as np
import pytest

from harness.jit import compiled
from harness.noise import uniform
from learners import draws


def one_by_one(counter, size):
    """The next numbers of a stream, and where its counter is then."""
    noise = np.array([counter], np.uint64)
    with np.errstate(over="ignore"):
        return np.array([uniform(noise, 0) for _ in range(size)]), noise[0]


def drawn(kernel, bits, size, *given, counter=12345, python=False):
    """An array of draws, and where the counter is then."""
    x, noise = np.full(size + 1, 7.0, np.float64 if bits == 64 else np.float32), np.array([counter], np.uint64)
    run = kernel if python else compiled(kernel, exact=bits == 64)
    with np.errstate(over="ignore"):
        run(x, noise, size, *given)
    assert x[size] == 7  # nothing is written beyond
    return x[:size], noise[0]


@pytest.mark.parametrize("python", [False, True])
@pytest.mark.parametrize(("bits", "apart"), [(32, 2e-6), (64, 1e-14)])
def test_draws_are_those_of_the_stream_in_its_order(bits, apart, python):
    for size in 0, 1, 2, 7, 100:
        pairs = -(-size // 2) * 2
        even, then = one_by_one(12345, size)
        x, counter = drawn(draws.even, bits, size, -2.0, 3.0, python=python)
        np.testing.assert_allclose(x, 3 * even - 2, rtol=0, atol=apart)
        assert counter == then
        x, counter = drawn(draws.signs, bits, size, python=python)
        assert np.array_equal(x, np.where(even < 0.5, 1, -1))
        assert counter == then
        even, then = one_by_one(12345, pairs)
        z = np.sqrt(-2 * np.log(1 - even[::2])) * np.exp(2j * np.pi * even[1::2])
        x, counter = drawn(draws.normal, bits, size, python=python)
        np.testing.assert_allclose(x, np.column_stack([z.real, z.imag]).ravel()[:size], rtol=0, atol=apart)
        assert counter == then


def test_both_precisions_draw_the_same_normal_numbers_into_the_tail():
    """Of a million pairs: to 2e-6 unless both are near 0; the lengths of the rarest, of 1 - u = 2^-53, to 1e-6 of themselves."""
    single, double = (drawn(draws.normal, bits, 2 * 10**6)[0].reshape(-1, 2) for bits in (32, 64))
    length, apart = np.hypot(*double.T), np.abs(single - double).max(1)
    assert apart[length > 0.05].max() < 2e-6
    assert apart.max() < 4e-4
    for v in 2.0**-53, 2.0**-30, 0.3, 0.7, 0.71, 1 - 2.0**-24:
        assert abs(draws.length32(np.float32(v)) / math.sqrt(-2 * math.log(v)) - 1) < 1e-6
    assert draws.length32(np.float32(1)) == 0


@pytest.mark.parametrize("bits", [32, 64])
def test_normal_numbers_are_normal(bits):
    """Of a million: a Kolmogorov-Smirnov distance, moments, and the correlation of neighbours, all within 4.5 deviations."""
    x = np.sort(drawn(draws.normal, bits, 10**6)[0].astype(float))
    expected = np.array([math.erf(v / 2**0.5) for v in x]) / 2 + 0.5
    assert np.abs(expected - (np.arange(10**6) + 0.5) / 10**6).max() * 1e3 < 2.2  # by chance: 1e-4
    x = drawn(draws.normal, bits, 10**6)[0].astype(float)
    for found, mean, variance in (x, 0, 1), (x**2, 1, 2), (x**3, 0, 15), (x**4, 3, 96), (x[1:] * x[:-1], 0, 1):
        assert abs(found.mean() - mean) < 4.5 * (variance / 10**6) ** 0.5


def test_signs_are_even():
    x = drawn(draws.signs, 32, 10**6)[0]
    assert abs(x.mean()) < 4.5e-3
    assert set(x) == {-1, 1}
