"""What a trace tells, in which order, and what interventions at its steps do."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.learner import Script, Sizes
from learners.attention import Attention
from learners.mlp import MLP
from learners.oja import Oja
from learners.perceptron import Perceptron

X, Y = np.array([[0.5, -1.0, 2.0]]), np.array([[0.0, 1.0]])


def made(**params):
    """A network of two hidden layers, 3-4-4-2."""
    settings = dict(bits=64, hidden=4, depth=2, activation="tanh", loss="squared", optimiser="sgd", rate=0.1)
    return MLP(**settings | params).begin(Sizes((3,), 2))


def steps(trace, name):
    """The steps at which a population or a synapse is written."""
    return [event.step for event in trace if event.name == name]


def last(trace, name):
    return steps(trace, name)[-1]


def weights(learner):
    return {s.array: learner.arrays()[s.array].copy() for s in learner.wiring() if learner.arrays()[s.array].size}


# ---------------------------------------------------------------- order


def test_two_layers_are_told_in_the_order_of_their_causes():
    trace = made().probe(X, Y, trace=True).trace
    order = ["a[0]", "a[1]", "a[2]", "a[3]", "d[2]", "d[1]", "d[0]"]
    for before, after in itertools.pairwise(order):
        assert last(trace, before) < steps(trace, after)[0], f"{before} must be done before {after} begins"
    for layer in range(3):
        assert last(trace, f"d[{layer}]") < steps(trace, f"W[{layer}]")[0], "an error comes before the change that it asks for"
    asked, applied = ([e.step for e in trace if e.kind == kind] for kind in ("change", "applied"))
    assert max(asked) < min(applied), "the optimiser comes last"


def test_every_step_is_numbered_and_every_vector_is_double():
    learner = made()
    trace = learner.probe(X, Y, trace=True).trace
    assert [event.step for event in trace] == list(range(len(trace)))
    assert {event.vector.dtype for event in trace} == {np.dtype(float)}
    kinds = {p.array: p.kind for p in learner.activity()}
    for event in trace:
        assert event.kind == kinds.get(event.name, event.kind)
        assert event.vector.size == learner.fork(block=1).arrays()[event.name].size
        assert event.kind in {"rate", "error", "change", "applied"}
    assert {e.name for e in trace if e.kind == "error"} == {"d[0]", "d[1]", "d[2]"}


def test_the_last_word_on_each_population_is_the_formula():
    learner = made()
    trace = learner.probe(X, Y, trace=True).trace
    w, a, found = weights(learner), X[0], {event.name: event.vector for event in trace if event.kind in ("rate", "error")}
    for layer in range(3):
        a = w[f"W[{layer}]"] @ a + w[f"b[{layer}]"]
        a = np.tanh(a) if layer < 2 else a
        np.testing.assert_allclose(found[f"a[{layer + 1}]"], a, rtol=1e-12)
    d = Y[0] - a
    for layer in (2, 1, 0):
        np.testing.assert_allclose(found[f"d[{layer}]"], d, rtol=1e-12)
        d = (w[f"W[{layer}]"].T @ d) * (1 - found[f"a[{layer}]"] ** 2)


def test_without_a_target_nothing_is_told_of_errors_or_changes():
    trace = made().probe(X, trace=True).trace
    assert {event.kind for event in trace} == {"rate"}


def test_ticks_follow_one_another_and_the_last_is_taught():
    learner = MLP(bits=64, hidden=2, depth=1, window=2, activation="tanh").begin(Sizes((3,), 2, 3))
    ticks = np.random.default_rng(0).normal(size=(3, 3))
    trace = learner.probe(ticks, np.repeat(Y, 3, axis=0), np.array([False, False, True]), trace=True).trace
    shown = [event.vector for event in trace if event.name == "a[0]"]
    expected = [np.concatenate([np.zeros(3), ticks[0]]), ticks[:2].ravel(), ticks[1:].ravel()]
    told = [next(i for i, vector in enumerate(shown) if np.array_equal(vector, window)) for window in expected]
    assert told == sorted(told)
    outputs = [step for step, event in enumerate(trace) if event.name == "a[2]"]
    thrice = learner.probe(ticks, np.repeat(Y, 3, axis=0), np.ones(3, bool), trace=True).trace
    assert 3 * len(steps(trace, "d[1]")) == len(steps(thrice, "d[1]")) > 0
    assert steps(trace, "d[1]")[0] > max(outputs)


# ---------------------------------------------------------------- changes


@given(
    depth=st.integers(0, 4), hidden=st.integers(1, 5), activation=st.sampled_from(["tanh", "relu", "elu", "prelu"]),
    residual=st.booleans(), optimiser=st.sampled_from(["sgd", "momentum", "adam"]), seed=st.integers(0, 2**31),
)  # fmt: skip
@settings(max_examples=25)
def test_raw_changes_are_those_of_the_probe(depth, hidden, activation, residual, optimiser, seed):
    learner = MLP(
        bits=64, depth=depth, hidden=hidden, activation=activation, residual=residual, optimiser=optimiser, random_state=seed
    )
    learner.begin(Sizes((3,), 2))
    before = learner.layout_.copy()
    probe = learner.probe(X, Y, trace=True)
    for name, array in weights(learner).items():
        asked = [e.vector for e in probe.trace if e.name == name and e.kind == "change"]
        assert len(asked) == 1
        assert np.array_equal(asked[0], probe.change(name).ravel()), name
        made_of_it = sum(e.vector for e in probe.trace if e.name == name and e.kind == "applied")
        np.testing.assert_allclose(made_of_it, (probe.after[name] - array).ravel(), rtol=0, atol=1e-15)
    for name, array in before.items():
        assert np.array_equal(array, learner.arrays()[name]), "a probe leaves the learner as it was"


@pytest.mark.parametrize(
    ("learner", "x", "y"),
    [
        (Perceptron(bits=64).begin(Sizes((3,), 2)), X, Y),
        (Oja(bits=64).begin(Sizes((3,), 2)), X, Y),
        (Attention(bits=64, width=2, heads=2, causal=True).begin(Sizes((3,), 2, 4)), np.outer(range(1, 5), X[0])[None], Y),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "probe") else "",
)
def test_changes_of_other_rules_are_those_of_the_probe_too(learner, x, y):
    probe = learner.probe(x, y, trace=True)
    plain = learner.probe(x, y)
    for name in weights(learner):
        asked = sum(e.vector for e in probe.trace if e.name == name and e.kind == "change")
        np.testing.assert_allclose(asked, probe.change(name).ravel(), rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(plain.change(name), probe.change(name), rtol=1e-10, atol=1e-13)
        assert np.any(probe.change(name)), name
    np.testing.assert_allclose(plain.response, probe.response, rtol=1e-12)


# ---------------------------------------------------------------- interventions


def outcome(script=None, y=None, **params):
    """The response and the probe of a network whose hidden layers are as a script has it."""
    probe = made(**params).probe(X, y, script=script or Script())
    return probe.response[0], probe


@pytest.mark.parametrize("unit", range(4))
def test_a_push_in_the_last_hidden_layer_moves_the_output_by_its_weights(unit):
    plain, probe = outcome()
    delta = np.zeros(4)
    delta[unit] = 0.25
    pushed, after = outcome(Script().inject("a[2]", last(probe.trace, "a[2]"), delta))
    np.testing.assert_allclose(pushed - plain, made().arrays()["W[2]"][:, unit] * 0.25, rtol=1e-12)
    np.testing.assert_allclose(after.after["a[2]"] - probe.after["a[2]"], delta[None], atol=1e-15)
    assert np.array_equal(after.after["a[1]"], probe.after["a[1]"]), "what came before does not know of it"


@pytest.mark.parametrize("unit", range(4))
def test_a_push_in_the_first_hidden_layer_moves_the_output_by_the_chain_rule(unit):
    plain, probe = outcome()
    delta = np.zeros(4)
    delta[unit] = 1e-6
    up, down = (outcome(Script().inject("a[1]", last(probe.trace, "a[1]"), s * delta))[0] for s in (1, -1))
    w, second = weights(made()), probe.after["a[2]"][0]
    slope = w["W[2]"] @ ((1 - second**2) * w["W[1]"][:, unit])
    np.testing.assert_allclose((up - down) / 2e-6, slope, rtol=1e-7, atol=1e-9)
    assert np.abs(up - plain).max() > 0


def test_a_clamped_layer_is_all_that_those_above_it_see():
    held = np.array([0.5, -0.5, 0.25, 1.0])
    out, probe = outcome(Script().clamp("a[1]", held), Y)
    w = weights(made())
    expected = w["W[2]"] @ np.tanh(w["W[1]"] @ held + w["b[1]"]) + w["b[2]"]
    np.testing.assert_allclose(out, expected, rtol=1e-12)
    other, _ = outcome(Script().clamp("a[1]", held).clamp("a[0]", np.zeros(3)))
    assert np.array_equal(out, other), "what is below it does not matter"
    assert all(np.array_equal(e.vector, held) for e in probe.trace if e.name == "a[1]")


def test_a_clamped_error_stops_what_is_below_it():
    _, plain = outcome(y=Y)
    _, probe = outcome(Script().clamp("d[1]", 0.0), Y)
    assert np.array_equal(probe.change("W[2]"), plain.change("W[2]"))
    for name in "W[1]", "W[0]", "b[1]", "b[0]":
        assert plain.change(name).any()
        assert not probe.change(name).any(), name


def test_a_push_in_an_error_changes_weights_by_its_product_with_what_is_below():
    _, plain = outcome(y=Y)
    delta = np.array([0.0, 0.5])
    _, probe = outcome(Script().inject("d[2]", last(plain.trace, "d[2]"), delta), Y)
    np.testing.assert_allclose(probe.change("W[2]") - plain.change("W[2]"), np.outer(delta, plain.after["a[2]"]), rtol=1e-12)
    back = delta @ weights(made())["W[2]"] * (1 - plain.after["a[2]"][0] ** 2)
    np.testing.assert_allclose(probe.change("b[1]") - plain.change("b[1]"), back, rtol=1e-12)


def test_an_intervention_leaves_every_step_before_it_alone_and_the_learner_too():
    learner = made()
    before = learner.layout_.copy()
    plain = learner.probe(X, Y, script=Script()).trace
    at = last(plain, "a[2]")
    pushed = learner.probe(X, Y, script=Script().inject("a[2]", at, np.ones(4))).trace
    assert len(pushed) == len(plain)
    for old, new in zip(plain, pushed, strict=True):
        assert (old.step, old.name, old.kind) == (new.step, new.name, new.kind)
        assert np.array_equal(old.vector, new.vector) == (old.step < at or old.name in {"a[0]", "a[1]"})
    for name, array in before.items():
        assert np.array_equal(array, learner.arrays()[name])


def test_a_population_that_there_is_not_is_named():
    with pytest.raises(ValueError, match=r"no population a\[9\]; there are .*a\[1\]"):
        made().probe(X, script=Script().inject("a[9]", 0, np.ones(4)))


def test_a_push_at_a_step_at_which_nothing_is_written_there_is_refused():
    with pytest.raises(ValueError, match=r"injects into a\[1\] at step 0, but nothing is written there"):
        made().probe(X, script=Script().inject("a[1]", 0, np.ones(4)))


def test_a_fork_with_another_array_is_traced_with_it():
    learner = made()
    twin = learner.fork(**{"W[2]": np.zeros((2, 4))})
    probe = twin.probe(X, Y, trace=True)
    assert not probe.response.any()
    assert not any(e.vector.any() for e in probe.trace if e.name in ("d[1]", "d[0]")), "no error comes down through it"
    assert learner.probe(X).response.any()
