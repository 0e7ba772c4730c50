"""The shared kernels against NumPy, in each of their forms: as Python, compiled exactly, and compiled for speed."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import jit
from learners import elementary, kernels
from learners.kernels import ACTIVATIONS, LOSSES, SMALL
from tests import naive

SEEDS = st.integers(0, 2**32 - 1)
FORMS = {
    "python": (lambda f: f, np.float64, 1e-13),
    "exact": (lambda f: jit.compiled(f, exact=True), np.float64, 1e-13),
    "fast": (lambda f: jit.compiled(f, exact=False), np.float32, 2e-5),
}
every_form = pytest.mark.parametrize("form", FORMS)


def near(found, expected, tolerance):
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


sizes = st.one_of(
    st.tuples(*[st.integers(1, 7)] * 3),  # a plain loop
    st.tuples(*[st.integers(9, 14)] * 3),  # BLAS
    st.sampled_from([(10, 10, 6), (6, 10, 10), (10, 6, 10), (1, 601, 1), (1, 600, 1), (601, 1, 1)]),  # on the edge
)


@every_form
@pytest.mark.parametrize("name", ["dot", "dot_t", "t_dot"])
@settings(deadline=None, max_examples=40)
@given(seed=SEEDS, size=sizes, longer=st.integers(0, 3))
def test_products_of_matrices(form, name, seed, size, longer):
    compiled, kind, tolerance = FORMS[form]
    (m, k, n), rng = size, np.random.default_rng(seed)
    A, B = rng.normal(size=(m, k)), rng.normal(size=(k, n))
    left, right = (A.T if name == "t_dot" else A), (B.T if name == "dot_t" else B)
    beyond = np.full(longer, 7.0)
    flat = [np.concatenate([M.ravel(), beyond]).astype(kind) for M in (left, right, np.full((m, n), np.nan))]
    compiled(getattr(kernels, name))(*flat, m, k, n)
    near(flat[2][: m * n].reshape(m, n), A @ B, tolerance * k)
    for array, before in zip(flat[:2], (left, right), strict=True):
        assert np.array_equal(array[: before.size], before.ravel().astype(kind))
    assert (flat[2][m * n :] == 7).all(), "what follows the matrix stays"


def test_both_branches_are_taken():
    assert 7**3 < SMALL < 9**3
    assert {10 * 10 * 6, 601, 600} & {SMALL, SMALL + 1} == {SMALL, SMALL + 1}


@every_form
@settings(deadline=None, max_examples=30)
@given(seed=SEEDS, m=st.integers(1, 9), n=st.integers(1, 9))
def test_columns_copy_and_add(form, seed, m, n):
    compiled, kind, tolerance = FORMS[form]
    rng = np.random.default_rng(seed)
    A, out = rng.normal(size=m * n + 2).astype(kind), rng.normal(size=m * n + 2).astype(kind)
    sums, before = np.full(n + 1, 7, kind), out.copy()
    compiled(kernels.columns)(A, sums, m, n)
    near(sums[:n], A[: m * n].reshape(m, n).sum(0), tolerance * m)
    assert sums[n] == 7
    compiled(kernels.add)(A, out, m * n)
    assert np.array_equal(out[: m * n], before[: m * n] + A[: m * n])
    compiled(kernels.copy)(A, out, m * n)
    assert np.array_equal(out[: m * n], A[: m * n])
    assert np.array_equal(out[m * n :], before[m * n :])


@every_form
def test_tanh32_is_within_its_stated_error(form):
    x = np.concatenate([np.linspace(-20, 20, 40_001), np.geomspace(1e-30, 1, 2001), -np.geomspace(1e-30, 1, 2001)])
    x = x.astype(np.float32)[:: 20 if form == "python" else 1]
    found = x.copy()
    FORMS[form][0](elementary.tanh)(found, x.size)
    assert np.abs(found - np.tanh(x.astype(float))).max() < 3e-7
    mirrored = -x
    FORMS[form][0](elementary.tanh)(mirrored, x.size)
    assert np.array_equal(mirrored, -found)


@every_form
def test_exp_is_within_its_stated_error(form):
    compiled, kind, _ = FORMS[form]
    x = -np.concatenate([np.linspace(0, 87, 20_001), np.geomspace(1e-30, 1, 1001)])[:: 20 if form == "python" else 1]
    for float_type in kind, np.float32:
        found = x.astype(float_type)
        compiled(elementary.exp)(found, found.size)
        expected = np.exp(x.astype(float_type).astype(float))
        np.testing.assert_allclose(found, expected, rtol=1e-14 if float_type is np.float64 else 5e-6)
        assert found[0] == 1
    beyond = np.array([-88, -1e30, -np.inf, np.nan], kind)
    compiled(elementary.exp)(beyond, beyond.size)
    assert (beyond[:3] >= 0).all()
    assert (beyond[:3] < 2e-38).all()
    assert np.isnan(beyond[3])


@every_form
@pytest.mark.parametrize("activation", ACTIVATIONS[:-1])
@settings(deadline=None, max_examples=25)
@given(seed=SEEDS, m=st.integers(1, 6), n=st.integers(1, 6))
def test_activations_and_their_slopes(form, activation, seed, m, n):
    compiled, kind, tolerance = FORMS[form]
    kind_of = ACTIVATIONS.index(activation)
    rng = np.random.default_rng(seed)
    u, b = rng.normal(0, 3, (m, n)), rng.normal(size=n)
    A = np.concatenate([u.ravel(), [7]]).astype(kind)
    compiled(kernels.activate)(A, b.astype(kind), m, n, kind_of)
    near(A[:-1].reshape(m, n), naive.VALUES[activation](u + b), tolerance)
    D = rng.normal(size=m * n + 1).astype(kind)
    expected = D[:-1].astype(float).reshape(m, n) * naive.SLOPES[activation](u + b)
    last = D[-1]
    compiled(kernels.slope)(D, A, m * n, kind_of)
    near(D[:-1].reshape(m, n), expected, tolerance)
    assert A[-1] == 7
    assert D[-1] == last


@every_form
@pytest.mark.parametrize("loss", LOSSES)
@settings(deadline=None, max_examples=25)
@given(seed=SEEDS, n=st.integers(1, 6), K=st.integers(1, 5), scale=st.sampled_from([1, 200]))
def test_errors_point_down_the_loss(form, loss, seed, n, K, scale):
    compiled, kind, tolerance = FORMS[form]
    rng = np.random.default_rng(seed)
    Z = (rng.normal(size=(n, K)) * scale).astype(kind).astype(float)
    T = np.eye(K)[rng.integers(0, K, n)] if K > 1 else rng.integers(0, 2, (n, 1)).astype(float)
    E = np.full(n * K + 1, 7, kind)
    compiled(kernels.error)(Z.ravel().astype(kind), T.astype(kind), LOSSES.index(loss), E)
    if loss == "squared":
        p = Z
    elif K == 1:
        p = (1 + np.tanh(Z / 2)) / 2
    else:
        p = np.exp(Z - Z.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
    near(E[:-1].reshape(n, K), (T - p) / n, tolerance * scale)
    assert np.isfinite(E).all()
    assert E[-1] == 7


@every_form
@pytest.mark.parametrize("logit", [-1e4, 1e4])
def test_a_lone_logit_may_be_as_large_as_it_likes(form, logit):
    compiled, kind, _ = FORMS[form]
    E = np.zeros(1, kind)
    compiled(kernels.error)(np.array([logit], kind), np.ones((1, 1), kind), LOSSES.index("entropy"), E)
    assert E[0] == (0 if logit > 0 else 1)
    assert math.isfinite(E[0])
