"""What all rules of the shared network have in common: where they begin, how they answer, what is compiled, what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.learner import Sizes
from harness.registry import find
from learners.backprop import Backprop
from learners.descent import OPTIMISERS
from learners.kernels import LOSSES
from learners.mlp import MLP
from learners.network import STARTS, Network
from tests.networks import answers, asked, close, data, made, taught, weights

RULES = {e.name: e.thing for e in find().learners.values() if issubclass(e.thing, Network) and hasattr(e.thing, "learn")}
OWN = {
    "ContrastiveHebbian": "its answer is where the whole network settles",
    "EquilibriumPropagation": "its answer is where the whole network settles",
    "ForwardForward": "it names the class that its layers find most familiar",
}
"""Rules whose answer is not one pass up, and why."""
ACTIVATIONS = "linear", "sigmoid", "tanh", "relu", "leaky_relu", "elu"
SEEDS = st.integers(0, 2**32 - 1)
each = pytest.mark.parametrize("name", RULES)
architectures = dict(
    hidden=st.integers(1, 9), depth=st.integers(0, 5), activation=st.sampled_from(ACTIVATIONS), loss=st.sampled_from(LOSSES),
    start=st.sampled_from(STARTS), random_state=SEEDS, block=st.integers(1, 5), bits=st.sampled_from([32, 64]),
)  # fmt: skip
shapes = st.fixed_dictionaries(architectures)


def pair(cls, sizes, shape):
    """A learner of this shape that has begun, and back-propagation alike. What the rule refuses by name is left as it stands."""
    given_ = dict(shape)
    while True:
        try:
            learner = cls(**given_).begin(sizes)
        except ValueError as error:
            refused = [name for name in given_ if f"{cls.__name__}.{name}=" in str(error)]
            if not refused:
                raise
            del given_[refused[0]]
        else:
            alike = {name: getattr(learner, name) for name in shape}
            if alike["activation"] not in ACTIVATIONS:  # one that back-propagation lacks; it has no part in the start
                alike["activation"] = "tanh"
            return learner, Backprop(**alike).begin(sizes)


def test_there_are_rules_to_compare():
    assert {"Backprop", "FeedbackAlignment", "DirectFeedbackAlignment"} <= RULES.keys()


@each
@settings(deadline=None, max_examples=15)
@given(shape=shapes, d=st.integers(1, 6), K=st.integers(1, 4))
def test_every_rule_begins_with_the_weights_of_backprop(name, shape, d, K):
    learner, exact = pair(RULES[name], Sizes((d,), K), shape)
    ours, theirs = weights(learner), weights(exact)
    assert ours.keys() == theirs.keys() or name in OWN, f"{name} has other weights than backprop: say in OWN why it must"
    close(theirs, ours, 0)


@each
@settings(deadline=None, max_examples=8)
@given(shape=shapes, d=st.integers(1, 6), K=st.integers(1, 4))
def test_every_rule_answers_as_backprop_until_it_has_learnt(name, shape, d, K):
    X, _ = data(shape["random_state"], 7, d, K)
    learner, exact = pair(RULES[name], Sizes((d,), K), shape)
    same = np.array_equal(answers(learner, X), answers(exact, X))
    assert same or name in OWN, f"{name} answers in its own way: say in OWN why it must"


def test_only_what_has_a_way_of_its_own_may_answer_in_its_own_way():
    assert not [name for name in OWN if name in RULES and RULES[name].respond is Network.respond]


@each
def test_every_rule_can_be_had_as_it_is_and_learns_something(name):
    X, T = data(1, 200, 5, 3)
    learner = RULES[name]().begin(Sizes((5,), 3))
    before = weights(learner, "W")
    taught(learner, X, T)
    assert learner.finite()
    assert any(not np.array_equal(W, before[name]) for name, W in weights(learner, "W").items())


@each
def test_neither_width_nor_depth_is_part_of_a_compiled_type(name):
    import numba

    cls, types = RULES[name], set()
    for hidden, depth, d, K in (7, 1, 5, 3), (100, 2, 5, 3), (3, 6, 30, 10):
        learner = cls(hidden=hidden, depth=depth).begin(Sizes((d,), K))
        kernels = ("respond", "learn", "rest", "adapt")
        types.add(tuple(str(numba.typeof(v)) for k in kernels for v in learner.named(k, {"plastic": True})))
    assert len(types) == 1


@settings(deadline=None, max_examples=30)
@given(shape=shapes, n=st.integers(1, 5), d=st.integers(1, 6), K=st.integers(1, 4))
def test_a_plain_mlp_of_the_same_weights_agrees(shape, n, d, K):
    """Two kernels for one rule, which share no line between input and error: answers, changes, and the next weights."""
    X, T = data(shape["random_state"], n, d, K, classes=shape["loss"] == "entropy")
    shape |= dict(block=n, bits=64, rate=0.05)
    start = shape.pop("start")
    ours = made(Backprop, X, K, **shape, start=start)
    theirs = MLP(**shape, residual=False, start="scaled").begin(Sizes((d,), K)).fork(**weights(ours))
    close({"out": answers(ours, X)}, {"out": answers(theirs, X)}, 1e-12)
    close(asked(ours, X, T), asked(theirs, X, T), 1e-12)
    for optimiser in OPTIMISERS:
        both = [taught(learner.fork(optimiser=optimiser), X, T) for learner in (ours, theirs)]
        close(*map(weights, both), 1e-8)


def wrong(field):
    """Values that a hyperparameter cannot take."""
    m = field.metadata
    if m["choices"]:
        return ["no such thing", None]
    if isinstance(field.default, bool):
        return ["maybe", 2]
    off = [m["low"] - 1, m["high"] + 1, float("nan"), float("inf"), "many", None]
    return [*off, m["low"] + 0.5] if isinstance(field.default, int) else off


@each
def test_bad_hyperparameters_are_refused_by_name(name):
    cls = RULES[name]
    assert {"rate", "hidden", "depth", "activation", "loss", "start", "block", "optimiser"} <= cls.hypers().keys()
    for key, field in cls.hypers().items():
        for value in wrong(field):
            with pytest.raises(ValueError, match=rf"{key}=") as refused:
                cls(**{key: value}).begin(Sizes((5,), 3))
            assert f"{cls.__name__}.{key}={value!r}" in str(refused.value)
            assert "must be" in str(refused.value)


@each
def test_an_unknown_hyperparameter_is_refused_with_those_there_are(name):
    with pytest.raises(ValueError, match="Did you mean 'hidden'"):
        RULES[name]().set_params(hiden=3)
