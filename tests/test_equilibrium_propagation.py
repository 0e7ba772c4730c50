"""Equilibrium propagation against its equations in plain NumPy, its energy, and the gradient of what it settles to."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.learner import Sizes
from learners import equilibrium_propagation
from learners.equilibrium_propagation import EquilibriumPropagation
from tests import naive
from tests.networks import answers, asked, close, data, layers, made, taught, weights

SEEDS = st.integers(0, 2**32 - 1)


def energy(w, s):
    """Of each signal: s[0] the signal, s[1] ... s[L] the layers."""
    total = sum((x**2).sum(1) / 2 for x in s[1:])
    for l in range(layers(w)):
        total = total - ((s[l] @ w[f"W[{l}]"].T + w[f"b[{l}]"]) * s[l + 1]).sum(1)
    return total


def speeds(w, s, T, pull):
    """Minus the gradient of the energy and of the nudge by every layer, by the complex step."""
    found = []
    for l in range(1, len(s)):
        g = np.zeros(s[l].shape)
        for j in range(s[l].shape[1]):
            moved = [x.astype(complex) for x in s]
            moved[l][:, j] += 1j * naive.STEP
            total = energy(w, moved) + (pull / 2 * ((T - moved[-1]) ** 2).sum(1) if pull else 0)
            g[:, j] = -total.imag / naive.STEP
        found.append(g)
    return found


def relaxed(w, s, steps, eps, T=None, pull=0.0, order="down"):
    for _ in range(steps):
        if order == "together":
            s = [s[0], *(np.clip(x + eps * v, 0, 1) for x, v in zip(s[1:], speeds(w, s, T, pull), strict=True))]
            continue
        s = [*s]
        for l in range(layers(w), 0, -1):
            s[l] = np.clip(s[l] + eps * speeds(w, s, T, pull)[l - 1], 0, 1)
    return s


def free_phase(w, X, steps, eps, order="down"):
    s = [X]
    for l in range(layers(w)):
        s.append(np.clip(s[-1] @ w[f"W[{l}]"].T + w[f"b[{l}]"], 0, 1))
    return relaxed(w, s, steps, eps, order=order)


def contrast(w, up, down, width):
    """Mean products of the activities at both ends of each synapse: their difference, over the distance of the nudges."""
    share = width * len(up[0])
    found = {f"W[{l}]": (up[l + 1].T @ up[l] - down[l + 1].T @ down[l]) / share for l in range(layers(w))}
    return found | {f"b[{l}]": (up[l + 1] - down[l + 1]).sum(0) / share for l in range(layers(w))}


def twin(learner, X, T, sign=1):
    w, eps, nudge, order = weights(learner), learner.eps, sign * learner.nudge, learner.order
    rest = free_phase(w, X, learner.free, eps, order)
    up = relaxed(w, rest, learner.nudged, eps, T, nudge, order)
    if learner.nudging != "symmetric":
        return rest[-1], contrast(w, up, rest, nudge)
    return rest[-1], contrast(w, up, relaxed(w, rest, learner.nudged, eps, T, -nudge, order), 2 * nudge)


def settles_and_learns_by_its_equations(cls):
    for nudging, order in itertools.product(("positive", "symmetric"), ("down", "together")):
        for depth, K in (2, 3), (1, 1), (0, 2):
            X, T = data(depth, 5, 4, K)
            params = dict(hidden=4, depth=depth, free=3, nudged=2, eps=0.3, nudge=0.4, nudging=nudging, order=order, block=7)
            learner = made(cls, X, K, **params)
            out, expected = twin(learner, X, T)
            close({"out": answers(learner, X, python=True)}, {"out": out})
            close(asked(learner, X, T, python=True), expected)


def pulls_either_way_by_chance(cls):
    X, T = data(1, 4, 3, 2)
    signs = set()
    for seed in range(6):
        learner = made(cls, X, 2, hidden=3, free=3, nudged=2, nudging="random", random_state=seed)
        draw = (naive.splitmix64(int(learner.arrays()["noise"][0]), 1)[0] >> 11) / 2**53
        signs.add(sign := 1 if draw >= 0.5 else -1)
        close(asked(learner, X, T, python=True), twin(learner, X, T, sign)[1])
    assert signs == {-1, 1}


def tells_what_is_left_of_settling(cls):
    X, T = data(2, 3, 4, 2)
    for order in "down", "together":
        learner = made(cls, X, 2, hidden=3, depth=2, free=4, nudged=3, eps=0.3, nudging="positive", order=order)
        w = weights(learner)
        before, after = (free_phase(w, X, t, 0.3, order) for t in (3, 4))
        later = [relaxed(w, after, t, 0.3, T, learner.nudge, order) for t in (2, 3)]
        expected = [max(np.abs(y - x).max() for x, y in zip(*pair, strict=True)) / 0.3 for pair in ((before, after), later)]
        np.testing.assert_allclose(taught(learner, X, T, python=True).arrays()["residual"], [*expected, 1], rtol=1e-11)


def begins_small(cls):
    """Drawn as the other rules' weights are, and a share of them."""
    for depth in 0, 2:
        sizes = Sizes((4,), 3)
        small, whole = (weights(cls(hidden=5, depth=depth, start=start).begin(sizes), "W") for start in ("small", "xavier"))
        for name, W in small.items():
            np.testing.assert_allclose(W, np.float32(0.35) * whole[name], rtol=1e-6)


KNOWN_ANSWERS = {
    a.__name__: a
    for a in (settles_and_learns_by_its_equations, pulls_either_way_by_chance, tells_what_is_left_of_settling, begins_small)
}
MUTATED = {
    EquilibriumPropagation: (
        *(EquilibriumPropagation.init, EquilibriumPropagation.respond, EquilibriumPropagation.learn),
        *(equilibrium_propagation.clip, equilibrium_propagation.send, equilibrium_propagation.relax),
        *(equilibrium_propagation.told, equilibrium_propagation.euler),
    )
}


@pytest.mark.parametrize("name", KNOWN_ANSWERS)
def test_known_answer(name):
    KNOWN_ANSWERS[name](EquilibriumPropagation)


shapes = dict(seed=SEEDS, n=st.integers(1, 5), d=st.integers(1, 4), K=st.integers(1, 4), hidden=st.integers(1, 6))


@settings(deadline=None, max_examples=25)
@given(
    **shapes, depth=st.integers(0, 3), nudging=st.sampled_from(["positive", "symmetric"]), free=st.integers(1, 5),
    nudged=st.integers(1, 4), spare=st.integers(0, 2), order=st.sampled_from(["down", "together"]),
)  # fmt: skip
def test_the_compiled_rule_is_the_twin(seed, n, d, K, hidden, depth, nudging, free, nudged, spare, order):
    X, T = data(seed, n, d, K)
    shape = dict(hidden=hidden, depth=depth, random_state=seed, block=n + spare, order=order)
    learner = made(EquilibriumPropagation, X, K, **shape, nudging=nudging, free=free, nudged=nudged)
    out, expected = twin(learner, X, T)
    close({"out": answers(learner, X)}, {"out": out}, 1e-10)
    close(asked(learner, X, T), expected, 1e-10)


@settings(deadline=None, max_examples=20)
@given(**shapes, depth=st.integers(0, 3), moves=st.sampled_from([("down", 1.0), ("down", 0.3), ("together", 0.1)]))
def test_the_energy_falls_and_activities_stay_within_bounds(seed, n, d, K, hidden, depth, moves):
    """By small steps: half the curvature is at most 1 plus the norm of a weight matrix, which this start bounds.

    Layer by layer by any step: a layer alone has curvature 1.
    """
    X, _ = data(seed, n, d, K)
    order, eps = moves
    shape = dict(hidden=hidden, depth=depth, random_state=seed, start="xavier")
    learner = made(EquilibriumPropagation, X, K, **shape, order=order, eps=eps)
    w, spent = weights(learner), []
    for free in range(1, 12):
        done = learner.fork(free=free)
        done.live(X[:, None])
        s = [X, *(done.arrays()[f"a[{l}]"] for l in range(1, depth + 2))]
        assert all(((x >= 0) & (x <= 1)).all() for x in s[1:])
        spent.append(energy(w, s))
    assert (np.diff(spent, axis=0) <= 1e-13).all()


@pytest.mark.parametrize(("nudging", "order"), [("positive", 1), ("symmetric", 2)])
def test_as_the_nudge_vanishes_the_change_becomes_the_gradient(nudging, order):
    """Of the squared error of what the network settles to, by central differences. The error falls with this order."""
    X, T = data(3, 4, 3, 2)
    X /= 3
    learner = made(EquilibriumPropagation, X, 2, hidden=4, depth=2, free=3000, nudged=3000, nudging=nudging, start="xavier")
    for name, array in learner.arrays().items():
        if name[:2] in ("W[", "b["):
            array[...] = 0.2 * array + 0.4 * (name[0] == "b")  # no unit comes to a bound, where there is no slope
    w = weights(learner)
    rest = free_phase(w, X, 300, 0.5)
    assert all(((x > 0.02) & (x < 0.98)).all() for x in rest[1:])
    rough = naive.central(lambda moved: naive.loss(answers(learner.fork(**moved), X), T, "squared"), w, w, h=1e-5)
    g = np.concatenate([rough[name].ravel() for name in w])
    away = []
    for nudge in (0.1, 0.03, 0.01, 0.001):
        found = asked(learner.fork(nudge=nudge), X, T)
        away.append(np.linalg.norm(np.concatenate([found[name].ravel() for name in w]) + g) / np.linalg.norm(g))
    slopes = np.diff(np.log(away)) / np.diff(np.log([0.1, 0.03, 0.01, 0.001]))
    np.testing.assert_allclose(slopes[: 3 if order == 1 else 2], order, atol=0.1)
    assert away[-1] < 10.0 ** (-2 * order)


def test_other_activations_and_losses_are_refused_by_name():
    for name, value in ("activation", "tanh"), ("loss", "entropy"):
        with pytest.raises(ValueError, match=rf"EquilibriumPropagation\.{name}='{value}' must be one of"):
            EquilibriumPropagation(**{name: value}).begin(Sizes((3,), 2))
