"""Burst propagation against its equations in plain NumPy, and against the gradient that it tends to."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.learner import Sizes
from learners import burst
from learners.backprop import Backprop
from learners.burst import BurstPropagation
from tests.networks import asked, changes, close, data, forward, made, output_error, taught, weights

SEEDS = st.integers(0, 2**32 - 1)


def bursts(learner, X, T):
    """Of every layer the event rates, and the burst rates at rest and with the teacher; activities besides."""
    w, F, L = weights(learner), weights(learner, "F"), learner.depth + 1
    a, _ = forward(w, X, "sigmoid")
    e = T - len(X) * output_error(a[-1], T, "entropy")
    rest, bent = learner.p0 * e, learner.p0 * (e + learner.teaching * (T - e))
    found = [(e, rest, bent)]
    foot = math.log(learner.p0 / (1 - learner.p0))
    for l in range(L - 1, 0, -1):
        e = a[l]
        off = rest @ F[f"F[{l - 1}]"].T if learner.inhibited else 0
        p = [1 / (1 + np.exp(-foot - learner.gain * (1 - e) * (b @ F[f"F[{l - 1}]"].T - off))) for b in (rest, bent)]
        rest, bent = p[0] * e, p[1] * e
        found.insert(0, (e, rest, bent))
    return a, found


def twin(learner, X, T):
    """What burst propagation asks for: two phases, and the difference of their bursts."""
    a, found = bursts(learner, X, T)
    return changes(a, [(bent - rest) / len(X) / learner.p0 / learner.teaching for _, rest, bent in found])


def follows_its_equations(cls):
    for K, depth, p0, gain, teaching, inhibited in (
        (3, 3, 0.2, 6.0, 1.0, True),
        (1, 2, 0.4, 2.0, 0.5, False),
        (3, 0, 0.2, 1.0, 0.3, True),
    ):
        X, T = data(3, 5, 4, K)
        given_ = dict(p0=p0, gain=gain, teaching=teaching, inhibited=inhibited)
        learner = made(cls, X, K, hidden=6, depth=depth, block=7, **given_)
        close(asked(learner, X, T, python=True), twin(learner, X, T))
        arrays = taught(learner.fork(), X, T, python=True).arrays()
        rest = {f"q[{l}]": rates for l, (_, rates, _) in enumerate(bursts(learner, X, T)[1])}
        close({name: arrays[name][:5] for name in rest}, rest)


KNOWN_ANSWERS = {a.__name__: a for a in (follows_its_equations,)}
MUTATED = {BurstPropagation: (burst.init, burst.learn, burst.rest_and_excess)}


@pytest.mark.parametrize("name", KNOWN_ANSWERS)
def test_known_answer(name):
    KNOWN_ANSWERS[name](BurstPropagation)


parameters = dict(
    p0=st.floats(0.05, 0.95), gain=st.floats(0.1, 10), teaching=st.floats(0.05, 1), inhibited=st.booleans(), random_state=SEEDS,
)  # fmt: skip


@settings(deadline=None, max_examples=25)
@given(
    given_=st.fixed_dictionaries(parameters), n=st.integers(1, 5), spare=st.integers(0, 3), hidden=st.integers(1, 6),
    depth=st.integers(0, 4), d=st.integers(1, 4), K=st.integers(1, 4),
)  # fmt: skip
def test_the_compiled_rule_is_the_twin(given_, n, spare, hidden, depth, d, K):
    X, T = data(given_["random_state"], n, d, K)
    learner = made(BurstPropagation, X, K, hidden=hidden, depth=depth, block=n + spare, **given_)
    close(asked(learner, X, T), twin(learner, X, T), 1e-10)


@settings(deadline=None, max_examples=25)
@given(given_=st.fixed_dictionaries(parameters), depth=st.integers(1, 4), K=st.integers(1, 4))
def test_probabilities_stay_probabilities_however_strong_the_teacher(given_, depth, K):
    X, T = data(given_["random_state"], 5, 4, K)
    learner = made(BurstPropagation, X, K, hidden=6, depth=depth, **given_ | dict(gain=100.0))
    arrays = taught(learner.fork(), X, T).arrays()
    for l in range(depth):
        e, q = arrays[f"a[{l + 1}]"], arrays[f"q[{l}]"]
        bent = q + 5 * learner.p0 * learner.teaching * arrays[f"d[{l}]"]
        assert (q >= 0).all()
        assert (q <= e).all()
        assert (bent >= -1e-12).all()
        assert (bent <= e + 1e-12).all()


def apart(teaching, p0, gain, depth=3, *, inhibited=True):
    """By weights: what burst propagation asks for through W', and the gradient times [gain p0 (1 - p0)]^(layers above)."""
    X, T = data(4, 6, 5, 3)
    shape = dict(hidden=7, depth=depth, activation="sigmoid")
    exact = made(Backprop, X, 3, **shape)
    own = dict(teaching=teaching, p0=p0, gain=gain, inhibited=inhibited)
    learner = made(BurstPropagation, X, 3, **shape, **own)
    learner = learner.fork(**{f"F[{l}]": exact.arrays()[f"W[{l + 1}]"].T for l in range(depth)})
    found, down = asked(learner, X, T), asked(exact, X, T)
    return found, {name: g * (gain * p0 * (1 - p0)) ** (depth - int(name[2])) for name, g in down.items()}


@pytest.mark.parametrize(("p0", "slope"), [(0.2, 1), (0.5, 2)])
def test_of_a_faint_teacher_it_is_backprop(p0, slope):
    """The error falls with the teaching: as the sigmoid's curvature at p0, or, as it has none at one half, as its square."""
    for gain in 1 / p0 / (1 - p0), 2.0:
        wrong = []
        for teaching in 1e-2, 1e-3:
            found, expected = apart(teaching, p0, gain)
            wrong.append({name: np.linalg.norm(found[name] - g) / np.linalg.norm(g) for name, g in expected.items()})
        for l in range(3):
            first, second = (each[f"W[{l}]"] for each in wrong)
            assert abs(math.log10(first / second) - slope) < 0.05
            assert second < 1e-3
        assert max(each["W[3]"] for each in wrong) < 1e-12  # the last layer has its error, whatever the teacher's strength


def test_without_inhibition_the_slopes_of_the_dendrites_differ():
    """Of a faint teacher: d[l] = f'(u[l]) gain p (1 - p) (W' d[l+1]), p at rest; no multiple of the gradient."""
    X, T = data(4, 6, 5, 3)
    learner = made(BurstPropagation, X, 3, hidden=7, depth=2, teaching=1e-4, inhibited=False)
    a, found = bursts(learner, X, T)
    d = [output_error(a[-1], T, "entropy")]
    for l in 2, 1:
        e, rest, _ = found[l - 1]
        p = rest / e
        d.insert(0, e * (1 - e) * learner.gain * p * (1 - p) * (d[0] @ learner.arrays()[f"F[{l - 1}]"].T))
        assert p.std() > 0.01
    close(asked(learner, X, T), changes(a, d), 2e-4)


@pytest.mark.parametrize("activation", ["linear", "tanh", "relu", "leaky_relu", "elu"])
def test_activations_that_are_no_rates_are_refused_with_the_reason(activation):
    with pytest.raises(ValueError, match=f"BurstPropagation.activation='{activation}' must be 'sigmoid': rates of events"):
        BurstPropagation(activation=activation).begin(Sizes((5,), 3))
    with pytest.raises(ValueError, match=r"BurstPropagation\.loss='squared' must be"):
        BurstPropagation(loss="squared").begin(Sizes((5,), 3))
