"""Streams of noise: the published generator, uniform, independent of one another, the same compiled and as Python."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import jit, noise
from tests import naive

PUBLISHED = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
"""The first outputs of splitmix64 from seed 0, as its reference implementation gives them."""
COUNTERS = st.integers(0, 2**64 - 1)
FORMS = {
    "python": noise.uniform,
    "compiled": jit.compiled(noise.uniform, exact=True),
    "compiled32": jit.compiled(noise.uniform, exact=False),
}


def draws(form, n, *counters):
    """n numbers of the first stream, and all counters after it."""
    state = np.array(counters, np.uint64)
    with np.errstate(over="ignore"):
        drawn = [form(state, 0) for _ in range(n)]
    return drawn, state


@pytest.mark.parametrize("form", FORMS)
def test_from_seed_nought_it_gives_what_was_published(form):
    assert naive.splitmix64(0, 3) == PUBLISHED
    assert draws(FORMS[form], 3, 0)[0] == [(z >> 11) * 2.0**-53 for z in PUBLISHED]


@pytest.mark.parametrize("form", FORMS)
@settings(deadline=None, max_examples=40)
@given(counter=COUNTERS, other=COUNTERS)
def test_equals_whole_numbers_of_any_size(form, counter, other):
    drawn, state = draws(FORMS[form], 5, counter, other)
    assert drawn == [(z >> 11) * 2.0**-53 for z in naive.splitmix64(counter, 5)]
    assert int(state[0]) == (counter + 5 * 0x9E3779B97F4A7C15) % 2**64
    assert int(state[1]) == other, "a draw from one stream leaves every other where it was"


def test_draws_are_uniform_in_the_unit_interval():
    from scipy import stats

    drawn, _ = draws(FORMS["compiled"], 50_000, noise.seed("uniform"))
    assert min(drawn) >= 0
    assert max(drawn) < 1
    # each of five statistics beyond four standard errors: less than one run in 3,000, were the seed not fixed by its name
    assert stats.kstest(drawn, "uniform").pvalue > 6e-5
    assert stats.chisquare(np.bincount((np.array(drawn) * 64).astype(int), minlength=64)).pvalue > 6e-5
    for lag in 1, 2, 7:
        assert abs(np.corrcoef(drawn[:-lag], drawn[lag:])[0, 1]) * len(drawn) ** 0.5 < 4


def test_streams_do_not_depend_on_one_another():
    names = "x", "e", "i", "noise"
    streams = np.array([draws(FORMS["compiled"], 20_000, noise.seed(5, name))[0] for name in names])
    found = np.corrcoef(streams)[np.triu_indices(len(names), 1)]
    assert np.abs(found).max() * 20_000**0.5 < 4.5


def test_seeds_come_from_names():
    assert noise.seed("init", 1) == noise.seed("init", 1)
    seeds = {noise.seed(axis, n) for axis in ("data", "init", "order", "noise") for n in range(1000)}
    assert len(seeds) == 4000
    assert min(seeds) >= 0
    assert max(seeds) < 2**63
