"""Signals of one sign each, cell by cell: where synapses turn the sign, an axon is what must keep it.

Synapses may excite one cell and inhibit another: what leaves a population of one sign then comes to its targets with both. So
each axon of a pair of such populations is heard alone, all others of the pair being held at 0.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from harness.audit.pairs import Axon, Part, both_signs, depends, odd_targets, parts, silenced, targets

if TYPE_CHECKING:
    from harness.audit.subject import Run, Subject
    from harness.state import Array


def carried(
    subject: Subject, x: Array, grid: list[list[Run]], flips: dict[str, Array], states: list[dict[str, Array]]
) -> dict[str, tuple[Part, Part]]:
    """By array: two signals of one sign each of which no axon alone gives a change both signs, though together they do.

    Of every synapse whose change takes both signs (`flips`), some axon must leave the one and some the other, in one state of
    the weights or in different ones; with all of both signals at 0 there must be no teaching left.
    """
    ys = [*targets(subject), *odd_targets(subject, grid[0][0])][: len(grid[0])]
    found: dict[str, tuple[Part, Part]] = {}
    for pair in itertools.combinations(parts(subject, grid), 2):
        left = {K: flipped for K, flipped in flips.items() if K not in found}
        if not left:
            break
        none = [[silenced(subject, pair, x, y, weights).changes for y in ys] for weights in states]
        free = [K for K in left if not any(depends([changes[K] for changes in state]) for state in none)]
        signs = _alone(subject, x, ys, pair, states, free)
        found |= {K: pair for K in signs if np.all(_met(signs[K])[left[K]])}
    return found


def _alone(
    subject: Subject, x: Array, ys: list[Array], pair: tuple[Part, Part], states: list[dict[str, Array]], names: list[str]
) -> dict[str, list[Array]]:
    """By array: the sign that each axon alone leaves to each synapse, by state; arrays of which one leaves both are left out."""
    found: dict[str, list[Array]] = {K: [] for K in names}
    for part in pair:
        for unit in range(subject.learner.arrays()[part.population].shape[-1]):
            for weights in states if found else ():
                runs = [silenced(subject, pair, x, y, weights, Axon(part, unit)).changes for y in ys]
                found = {K: signs for K, signs in found.items() if not both_signs([changes[K] for changes in runs]).any()}
                for K, signs in found.items():
                    signs.append(np.sign(np.sum([np.sign(changes[K]) for changes in runs], axis=0)))
    return found


def _met(signs: list[Array]) -> Array:
    """Where some signs are above 0, and some below."""
    met: Array = np.any(np.array(signs) > 0, axis=0) & np.any(np.array(signs) < 0, axis=0)
    return met
