"""Tests of differences, and their correction for number: pure functions of arrays.

Ernst, M. D. (2004). Permutation methods: a basis for exact inference. Statistical Science 19, 676-685.
    doi:10.1214/088342304000000396
Phipson, B. & Smyth, G. K. (2010). Permutation p-values should never be zero. Statistical Applications in Genetics and
    Molecular Biology 9, 39. doi:10.2202/1544-6115.1585
Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 6, 65-70.
Schuirmann, D. J. (1987). A comparison of the two one-sided tests procedure and the power approach. Journal of
    Pharmacokinetics and Biopharmaceutics 15, 657-680. doi:10.1007/BF01068419
Hanley, J. A. & Lippman-Hand, A. (1983). If nothing goes wrong, is everything all right? JAMA 249, 1743-1745.
    doi:10.1001/jama.1983.03330370053031
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from reports.stats import ALPHA, Floats, welch

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

EXACT = 14
"""Units up to which all signs are enumerated."""
DRAWS = 10_000
"""Sign vectors at least, where they are drawn."""
FINER = 30
"""Sign vectors for each p-value that is asked for: the smallest p-value is then small enough for Holm to reject."""
CHUNK = 2048
UNSEEN = 1.5
"""Outcomes that were not seen, of the size of the whole scale, that a claim of equality allows for."""


def holm(p: ArrayLike) -> Floats:
    """p-values adjusted so that the chance of any false rejection among them stays at the level."""
    given = np.asarray(p, dtype=float)
    order = np.argsort(given, kind="stable")
    stepped = given[order] * np.arange(len(given), 0, -1)
    adjusted = np.empty_like(given)
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), 1)
    return adjusted


def sign_flip_p(units: ArrayLike, weights: ArrayLike | None = None) -> Any:
    """Two-sided p-value of a paired difference: how often random signs make its weighted sum as large.

    units    differences, (n,), or (n_comparisons, n) for many at once; NaN where a unit is missing
    weights  of the units, of the same shape, or one for all; equal if None

    Under the null hypothesis the two compared are interchangeable within every unit, so each difference could as well have
    had the other sign. Units without a difference decide nothing. All signs are enumerated for up to EXACT units; beyond,
    one set of random signs serves all comparisons, and the observed one is counted among them. The p-value is a function of
    the magnitudes alone: neither names nor the order of units, nor which of the two comes first, changes it.
    """
    given = np.asarray(units, dtype=float)
    weighted = np.nan_to_num(given * (1 if weights is None else np.asarray(weights, dtype=float)))
    rows = np.atleast_2d(weighted)
    size = -np.sort(-np.abs(rows), axis=1)
    scale = np.maximum(size.sum(1), np.finfo(float).tiny)
    size, sums = size / scale[:, None], np.abs(rows.sum(1)) / scale
    counts = (size > 1e-9).sum(1)
    found = np.ones(len(rows))
    few, many = (counts > 0) & (counts <= EXACT), counts > EXACT
    if few.any():
        found[few] = _enumerated(size[few], sums[few], int(counts[few].max()))
    if many.any():
        found[many] = _drawn(size[many, : counts.max()], sums[many], FINER * len(rows))
    return found if given.ndim == 2 else float(found[0])


def _enumerated(size: Floats, sums: Floats, n: int) -> Floats:
    """Share of all sign vectors (the first sign fixed: the other half mirrors it) that reach the sums."""
    signs = 1 - 2 * ((np.arange(2 ** (n - 1))[:, None] >> np.arange(n)) & 1).astype(float)
    reached: Floats = (np.abs(signs @ size[:, :n].T) >= sums - 1e-9).mean(0)
    return reached


def _drawn(size: Floats, sums: Floats, finer: int) -> Floats:
    """The same for random sign vectors, at least DRAWS of them."""
    rng = np.random.default_rng(size.shape[1])
    draws = -(-max(DRAWS, finer) // CHUNK) * CHUNK
    columns = np.ascontiguousarray(size.T, dtype=np.float32)
    least = (sums - 1e-5).astype(np.float32)
    hits: NDArray[np.int64] = np.zeros(len(size), dtype=np.int64)
    for _ in range(draws // CHUNK):
        bits = np.unpackbits(rng.integers(0, 256, (CHUNK, -(-len(columns) // 8)), dtype=np.uint8), axis=1)
        signs = 1 - 2 * bits[:, : len(columns)].astype(np.float32)
        flipped = signs @ columns
        hits += np.count_nonzero(np.abs(flipped, out=flipped) >= least, axis=0)
    return (1 + hits) / (1 + draws)


def equivalence_p(
    difference: ArrayLike, parts: Floats, freedom: Floats, units: ArrayLike, margin: float
) -> tuple[Floats, Floats]:
    """p-value of two one-sided t tests that a mean difference lies within the margin, and the degrees of freedom.

    difference  (n_comparisons,)
    parts       variance of each task's contribution to it, (n_comparisons, n_tasks); freedom likewise
    units       how many units there are, weighed alike

    A t test alone takes identical outcomes for proof: no variance, so p = 0. But what happens in two of a hundred trials
    and turns the score from ceiling to chance moves the mean by two points, and is likely not to be seen in fifty. So UNSEEN
    such outcomes are added, against the claim, to the mean and to the variance. With none seen this asks for the
    rule of three: some 3 / margin units; with some seen, it keeps the level of the test as well.
    """
    from scipy.special import stdtr

    variance, unseen = parts.sum(-1), UNSEEN / np.asarray(units, dtype=float)
    rare = unseen / np.asarray(units, dtype=float)
    seen = welch(parts, freedom)
    share = variance / (variance + rare)
    degrees: Floats = seen / np.maximum(share**2, 1e-12)
    room = margin - np.abs(np.asarray(difference, dtype=float)) - unseen
    p: Floats = stdtr(degrees, -room / np.sqrt(variance + rare))
    return p, degrees


def least_units(alpha: float) -> int:
    """Units without which no sign test can reach a level: 2 / 2**n is its smallest p-value."""
    return int(np.ceil(1 - np.log2(alpha)))


__all__ = ["ALPHA", "equivalence_p", "holm", "least_units", "sign_flip_p"]
