"""Falling logistic curves fitted to many data sets at once, by bounded least squares.

All data sets share their places x, which run from 0 to 1. A curve is (1 - lapse) / (1 + exp(slope (x - middle))). The
start is the best of a grid, so no fit hangs on a guess; Levenberg's steps then lead to the minimum. A bootstrap is a
thousand such fits, which one at a time would take a second for each curve of a report.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reports.stats import Floats

GENTLE = 1.0
"""The least slope: over the whole of x the curve then falls by a quarter."""
STEEP = 8.0
"""The greatest slope, over the middle gap between places: the fall then lies between two of them, and a steeper one would
fit no better."""
OUTSIDE = 1.0
"""How far beyond the ends the middle of a curve may lie."""
MOST_LAPSE = 0.5
STEPS = 40
"""Steps at most; most fits take six."""
ENOUGH, HOPELESS = 1e-9, 1e4
"""A fit ends once a step gains no more than the first, or was refused at a damping beyond the second."""
FAR = 50.0
"""Beyond this a logistic is 0 or 1 to the last digit."""


class Fits(NamedTuple):
    """One entry for each data set: parameters, and whether the slope is at its bound."""

    middle: Floats
    slope: Floats
    lapse: Floats
    steep: NDArray[np.bool_]

    def at(self, x: Floats, i: int) -> Floats:
        """The i-th curve at places x."""
        z = np.clip(self.slope[i] * (x - self.middle[i]), -FAR, FAR)
        return np.asarray((1 - self.lapse[i]) / (1 + np.exp(z)))

    def passing(self, level: float) -> Floats:
        """Where each curve passes a level; far below the start for one that never reaches it."""
        ratio = np.maximum((1 - self.lapse) / level - 1, 1e-9)
        return np.asarray(self.middle + np.log(ratio) / self.slope)


def fit(x: Floats, values: Floats, weights: Floats) -> Fits:
    """Fit a curve to each row of values (data sets, places), with weights of the same shape; a weight of 0 is a gap."""
    steepest = STEEP / float(np.median(np.diff(x)))
    low = np.array([-OUTSIDE, np.log(GENTLE), 1 - MOST_LAPSE])
    high = np.array([1 + OUTSIDE, np.log(max(steepest, 2 * GENTLE)), 1.0])
    found = _start(x, values, weights, low, high)
    going, damping = np.arange(len(found)), np.full(len(found), 1e-3)
    for _ in range(STEPS):
        p, y, w, d = found[going], values[going], weights[going], damping[going]
        curve, slopes = _model(x, p)
        tried = np.clip(p + _step(slopes, y - curve, w, d, (p <= low, p >= high)), low, high)
        gain = (w * ((y - curve) ** 2 - (y - _model(x, tried)[0]) ** 2)).sum(axis=1)
        better = gain > 0
        found[going] = np.where(better[:, None], tried, p)
        damping[going] = np.where(better, d / 5, d * 10)
        going = going[np.where(better, gain > ENOUGH, d < HOPELESS)]
        if not len(going):
            break
    return Fits(found[:, 0], np.exp(found[:, 1]), 1 - found[:, 2], found[:, 1] >= high[1] - 1e-2)


def _step(
    slopes: Floats, misses: Floats, weights: Floats, damping: Floats, ends: tuple[NDArray[np.bool_], NDArray[np.bool_]]
) -> Floats:
    """Levenberg's step for each data set; a parameter at its bound that would leave it is held."""
    weighted = slopes * weights[:, :, None]
    gradient = np.einsum("drk,dr->dk", weighted, misses)
    free = np.where((ends[0] & (gradient < 0)) | (ends[1] & (gradient > 0)), 0.0, 1.0)
    normal = (weighted.transpose(0, 2, 1) @ slopes) * free[:, :, None] * free[:, None, :]
    axis = np.arange(normal.shape[1])
    normal[:, axis, axis] += damping[:, None] * normal[:, axis, axis] + 1e-9
    return np.asarray(np.linalg.solve(normal, (gradient * free)[:, :, None])[:, :, 0])


def _model(x: Floats, p: Floats) -> tuple[Floats, Floats]:
    """The curves (data sets, places) at parameters (middle, log slope, 1 - lapse), and their derivatives by these."""
    middle, slope, top = p[:, :1], np.exp(p[:, 1:2]), p[:, 2:]
    z = np.clip(slope * (x - middle), -FAR, FAR)
    falling = 1 / (1 + np.exp(z))
    bend = top * falling * (1 - falling)
    return top * falling, np.stack([bend * slope, -bend * z, falling], axis=2)


def _start(x: Floats, values: Floats, weights: Floats, low: Floats, high: Floats) -> Floats:
    """The best parameters of a grid; the lapse that goes with each middle and slope is known in closed form."""
    middles, slopes = np.linspace(-0.25, 1.25, 31), np.linspace(low[1], high[1], 8)
    grid = np.array([(middle, slope) for slope in slopes for middle in middles])
    shapes = _model(x, np.column_stack([grid, np.ones(len(grid))]))[0]
    cross, square = (weights * values) @ shapes.T, weights @ (shapes**2).T
    top = np.clip(cross / np.maximum(square, 1e-12), low[2], high[2])
    best = np.argmin(top * (top * square - 2 * cross), axis=1)
    return np.column_stack([grid[best], top[np.arange(len(best)), best]])
