"""The suite credit: what its tasks ask for, a ladder that is a hyperparameter of the learner, and traces of alignment."""

import contextlib
import itertools
import json
import math

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import plan
from harness.learner import Sizes
from harness.plan import Wish, make
from harness.protocol import perform
from harness.registry import find
from harness.task import Ladder
from harness.trial import TUNING, Protocol
from learners.backprop import Backprop
from learners.direct_feedback_alignment import DirectFeedbackAlignment
from learners.equilibrium_propagation import EquilibriumPropagation
from learners.feedback_alignment import FeedbackAlignment
from learners.frozen import FrozenHidden
from learners.network import Network
from suites.credit import tasks
from suites.credit.tasks import BLUR, TASKS, TEACHER_SIZES, TURNS
from suites.evidence import separable, with_bias
from tests.networks import angle, answers, changes, data, forward, made, output_error, weights

FOUND = find()
NAMES = [task.name for task in TASKS if not task.available()]
RULES = sorted(e.name for e in FOUND.learners.values() if issubclass(e.thing, Network) and e.thing is not Network)
SEEDS = st.integers(0, 2**32)


# ---------------------------------------------------------------- tasks


@pytest.mark.parametrize("name", NAMES)
def test_depth_is_the_learners_and_changes_no_datum(name):
    task = FOUND.task(name).thing
    assert task.ladder.of == "learner"
    assert task.given(dict(depth=3)) == dict(depth=3)
    first, *others = (task.make(5, difficulty) for difficulty in ({}, dict(depth=1), dict(depth=6)))
    for other in others:
        assert all(
            np.array_equal(a, b) for one, two in zip(first[:3], other[:3], strict=True) for a, b in zip(one, two, strict=True)
        )


@settings(max_examples=20)
@given(SEEDS)
def test_points_lie_on_their_spirals(seed):
    rows = tasks.spirals(200, 0, 0, np.random.default_rng(seed)).train
    x, y = rows.X[:, 0].astype(float)[rows.y == 0], rows.X[:, 0].astype(float)[rows.y == 1]
    t = np.linspace(0.1, 1, 1000)
    arm = t[:, None] * np.stack([np.cos(2 * np.pi * TURNS * t), np.sin(2 * np.pi * TURNS * t)], 1)
    for points, own, other in ((x, arm, -arm), (y, -arm, arm)):
        near, far = (np.linalg.norm(points[:, None] - curve, axis=2).min(1) for curve in (own, other))
        assert near.max() < 6 * BLUR
        assert (near < far).all()


def test_spirals_ask_for_more_than_a_line_and_neighbours_know_them():
    made_ = tasks.spirals(1000, 0, 1000, np.random.default_rng(0))
    X, T = made_.train.X[:, 0], made_.test.X[:, 0]
    assert not separable(with_bias(X), made_.train.y)
    nearest = np.linalg.norm(T[:, None] - X, axis=2).argmin(1)
    assert (made_.train.y[nearest] == made_.test.y).mean() > 0.999


def test_parity_is_the_table_of_eight_bits():
    rows = tasks.parity(0, 0, 0, None).train
    X = rows.X[:, 0]
    assert len(np.unique(X, axis=0)) == 256
    assert set(np.unique(X)) == {-1, 1}
    assert (rows.y == (X < 0).sum(1) % 2).all()
    assert not separable(with_bias(X), rows.y)


@given(SEEDS)
def test_the_teacher_is_a_network_with_two_rectified_layers(seed):
    sizes = 300, 50, 100
    made_ = tasks.teacher(*sizes, np.random.default_rng(seed))
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((sum(sizes), TEACHER_SIZES[0]))
    W = [rng.normal(0, math.sqrt(2 / k), (k, m)) for k, m in itertools.pairwise(TEACHER_SIZES)]
    out = np.maximum(np.maximum(X @ W[0], 0) @ W[1], 0) @ W[2]
    named = np.concatenate([split.y for split in made_[:3]])
    assert (named == (out - np.median(out, 0)).argmax(1)).all()
    assert np.array_equal(np.concatenate([split.X[:, 0] for split in made_[:3]]), X.astype(np.float32))


# ---------------------------------------------------------------- a ladder of the learner


def planned(*learners, **wish):
    words = dict(preset="full", learners=learners, tasks=["credit/mnist1d"], replicates=[0], controls=False, claims=False, tune=0)
    return make(FOUND, Wish(**words | wish))


def test_each_rung_hands_its_depth_to_the_learner_and_leaves_params_alone():
    trials = planned("Backprop[hidden=8]").trials
    assert sorted((t.rung, t.difficulty["depth"]) for t in trials) == [(d, d) for d in range(1, 7)]
    assert all(t.params == dict(hidden=8) and not t.inapplicable for t in trials)
    assert len({t.key for t in trials}) == 6
    assert len({tuple(t.seeds.items()) for t in trials}) == 1
    (short,) = planned("Backprop", preset="smoke").trials
    assert (short.rung, short.params) == (2, {})


def test_one_without_depth_runs_once():
    reasons = {t.rung: t.inapplicable for t in planned("Logistic").trials}
    assert sorted(reasons) == [1, 2, 3, 4, 5, 6]
    assert reasons.pop(2) == ""
    assert set(reasons.values()) == {"has no depth: it runs once, at depth=2"}


@pytest.mark.parametrize("depth", [1, 2, 3, 6, 9])
def test_one_whose_depth_was_set_is_refused_on_other_rungs(depth):
    reasons = {t.rung: t.inapplicable for t in planned(f"Backprop[depth={depth}]").trials}
    taken = {rung for rung, reason in reasons.items() if not reason}
    # two is the default: a trial that says so has the settings, and hence the key, of one that does not
    assert taken == ({depth} if depth <= 6 else set())
    assert all(
        reason == f"depth was set to {depth}; this rung sets {rung:g}" for rung, reason in reasons.items() if rung not in taken
    )


def test_a_ladder_of_the_task_refuses_nobody():
    ladder = Ladder(axis="depth", values=(1, 2), short=(1,))
    assert ladder.refuses({}, {}, 2) == ladder.refuses({"depth"}, {"depth": 1}, 2) == ""


@pytest.mark.parametrize("k", [2, 5, 16])
def test_tuning_does_not_search_what_the_ladder_sets(k):
    made_ = planned("Backprop", tune=k)
    (search,) = made_.searches
    assert len(search.settings) == k
    assert all("depth" not in setting for setting in search.settings)
    assert {"rate", "hidden", "activation"} <= set(search.settings[-1])
    tried = [t for t in made_.trials if t.protocol.name == TUNING]
    assert len(tried) == 6 * k == len({t.key for t in tried})
    (elsewhere,) = planned("Backprop", tasks=["shifted/mnist1d"], tune=k).searches
    assert len({setting.get("depth") for setting in elsewhere.settings}) > 1


def test_one_that_the_ladder_leaves_nothing_to_search_is_not_tuned():
    every = [name for name, field in Backprop.hypers().items() if field.metadata["search"] is not None and name != "depth"]
    fixed = ",".join(f"{name}={Backprop.hypers()[name].default}" for name in every)
    assert planned(f"Backprop[{fixed}]", tune=4).searches == []
    assert len(planned(f"Backprop[{fixed}]", tasks=["shifted/mnist1d"], tune=4).searches) == 1


def performed(learner, task="credit/parity", *, difficulty, epochs=3, validate=False, **params):
    trial = plan.trial(
        FOUND.learner(learner), params, FOUND.task(task), difficulty, 0, "full", Protocol(epochs=epochs, validate=validate)
    )
    return perform(trial, contextlib.nullcontext)


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_what_is_built_has_the_depth_of_its_rung(depth):
    result = performed("Backprop", difficulty=dict(depth=depth), hidden=6)
    assert result.outcome == "ok"
    assert result.mac_infer == 8 * 6 + (depth - 1) * 6 * 6 + 6
    assert len([k for k in result.extra["observed"][0] if k.startswith("angle")]) == depth + 1


def test_one_without_depth_is_built_as_it_is():
    assert performed("Logistic", difficulty=dict(depth=1)).outcome == "ok"


# ---------------------------------------------------------------- alignment


def by_hand(rule, X, T, w, F):
    """Angles of one step on the mean cross-entropy of a tanh network, in plain NumPy: of FA (F[l]) or DFA (F[l] e)."""
    a, u = forward(w, X, "tanh")
    d, e = [output_error(u[-1], T, "entropy")], [output_error(u[-1], T, "entropy")]
    for l in range(len(a) - 3, -1, -1):
        d.insert(0, (d[0] @ w[f"W[{l + 1}]"]) * (1 - a[l + 1] ** 2))
        e.insert(0, ((e[0] if rule is FeedbackAlignment else e[-1]) @ F[l].T) * (1 - a[l + 1] ** 2))
    true, asked = changes(a, d), changes(a, e)
    found = {f"angle[{l}]": angle(asked[f"W[{l}]"], true[f"W[{l}]"]) for l in range(len(d))}
    transposed = {l: w[f"W[{l + 1}]"].T for l in range(len(F))}
    return found | {f"feedback[{l}]": angle(F[l], transposed[l]) for l in transposed if F[l].shape == transposed[l].shape}


@pytest.mark.parametrize("rule", [FeedbackAlignment, DirectFeedbackAlignment])
@pytest.mark.parametrize("depth", [1, 2, 4])
def test_angles_are_those_worked_out_by_hand(rule, depth):
    X, T = data(3, 40, 5, 3)
    learner = made(rule, X, 3, hidden=7, depth=depth, activation="tanh")
    F = [learner.arrays()[f"F[{l}]"] for l in range(depth)]
    expected = by_hand(rule, X, T, weights(learner), F)
    found = learner.fork().observe(X[:, None], T[:, None])
    assert found == pytest.approx(expected, abs=1e-5)
    assert len([k for k in found if k.startswith("feedback")]) == (depth if rule is FeedbackAlignment else 1)
    assert found[f"angle[{depth}]"] == pytest.approx(0, abs=1e-5), "the last layer sees the error itself"


@pytest.mark.parametrize("bits", [32, 64])
@given(seed=SEEDS, depth=st.integers(0, 5), activation=st.sampled_from(["tanh", "relu", "sigmoid", "linear", "elu"]))
def test_backprop_is_at_no_angle_to_the_gradient(bits, seed, depth, activation):
    X, T = data(seed, 12, 4, 3)
    learner = Backprop(hidden=5, depth=depth, activation=activation, block=12, bits=bits).begin(Sizes((4,), 3))
    X, T = (A[:, None].astype(learner.dtype) for A in (X, T))
    found = learner.observe(X, T)
    assert set(found) == {f"angle[{l}]" for l in range(depth + 1)}
    assert max(found.values()) < 1e-5 or math.isnan(max(found.values())), "NaN: rectified units that are all silent"


def test_what_is_looked_at_stays_as_it_is():
    X, T = data(0, 20, 6, 4)
    learner = made(FeedbackAlignment, X, 4, hidden=5)
    before, said = learner.layout_.copy(), answers(learner, X)
    learner.fork().observe(X[:, None], T[:, None])
    assert all(np.array_equal(before[name], a) for name, a in learner.arrays().items())
    assert np.array_equal(answers(learner, X), said)


@pytest.mark.parametrize("depth", [1, 2])
def test_equilibrium_propagation_is_held_against_the_gradient_of_its_free_state(depth):
    """By central differences, except for weights at a kink of the clipped units."""
    X, T = np.random.default_rng(5).random((20, 6)), data(5, 20, 6, 3)[1]
    learner = made(EquilibriumPropagation, X, 3, hidden=8, depth=depth, free=2000, start="xavier")
    down = learner.downhill(X[:, None], T[:, None])
    loss = lambda: ((T - answers(learner, X)) ** 2).sum(1).mean() / 2  # noqa: E731
    for name, array in weights(learner).items():
        a, slope = learner.arrays()[name], np.zeros_like(array)
        for i in list(np.ndindex(a.shape))[:20]:
            ends = []
            for side in (1e-5, -1e-5):
                a[i] = array[i] + side
                ends.append(loss())
            a[i], slope[i] = array[i], (ends[1] - ends[0]) / 2e-5
        there = slope != 0
        assert np.median(np.abs(slope - down[name])[there]) < 1e-3 * np.abs(slope).max(), name


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_single_precision_measures_its_angles_within_a_degree(depth):
    X, T = np.random.default_rng(5).random((20, 1, 6)), data(5, 20, 6, 3)[1][:, None]
    found = []
    for bits in (32, 64):
        learner = EquilibriumPropagation(hidden=16, depth=depth, bits=bits).begin(Sizes((6,), 3))
        found.append(learner.downhill(X.astype(learner.dtype), T.astype(learner.dtype)))
    for name, exact in found[1].items():
        assert found[0][name].any() == exact.any(), "units at a bound ask for nothing, in either precision"
        assert not exact.any() or angle(found[0][name].astype(float), exact) < 1, name


@pytest.mark.parametrize("name", RULES)
def test_every_rule_of_the_network_can_be_looked_at(name, monkeypatch):
    """As Python: machine code of all rules would take minutes to make."""
    live = Network.live
    monkeypatch.setattr(Network, "live", lambda self, *given, **options: live(self, *given, **options | dict(python=True)))
    X, T = data(1, 20, 6, 4)
    learner = FOUND.learner(name).thing(block=20, hidden=5).begin(Sizes((6,), 4, low=float(X.min()), high=float(X.max())))
    found = learner.fork().observe(X[:, None].astype(np.float32), T[:, None].astype(np.float32))
    assert found
    for key, value in found.items():
        assert isinstance(value, float), key
        assert not key.startswith(("angle[", "feedback[")) or 0 <= value <= 180 or math.isnan(value)


def test_angles_are_stored_at_each_look_as_plain_finite_json():
    result = performed("FeedbackAlignment", difficulty=dict(depth=2), epochs=40, hidden=6)
    looks = [point["samples"] for point in result.curve if point["split"] == "train"]
    observed = result.extra["observed"]
    assert [point["samples"] for point in observed] == looks
    assert len(looks) > 5
    for point in json.loads(msgspec.json.encode(observed)):
        assert set(point) == {"samples", "angle[0]", "angle[1]", "angle[2]", "feedback[0]", "feedback[1]"}
        assert all(math.isfinite(value) for value in point.values())
    first, last = observed[0], observed[-1]
    assert first["feedback[0]"] != last["feedback[0]"], "the forward weights have moved under the feedback"


@pytest.mark.parametrize(("name", "phases"), [("EquilibriumPropagation", 2), ("ContrastiveHebbian", 2), ("PredictiveCoding", 1)])
def test_what_settles_tells_how_far_it_still_had_to_go(name, phases):
    X, T = data(1, 20, 6, 4)
    learner = made(FOUND.learner(name).thing, X, 4, hidden=5)
    taught = learner.fork()
    taught.live(X[:, None], T[:, None])
    left = taught.arrays()["residual"][:phases]
    assert left.any()
    assert learner.fork().observe(X[:, None], T[:, None])["residual"] == left.max()
    looks = performed(name, difficulty=dict(depth=2), epochs=3, hidden=6).extra["observed"]
    assert all(point["residual"] >= 0 for point in looks)


@pytest.mark.parametrize("name", ["Backprop", "ZIL"])
def test_what_does_not_settle_tells_of_none(name):
    X, T = data(1, 20, 6, 4)
    assert "residual" not in made(FOUND.learner(name).thing, X, 4, hidden=5).observe(X[:, None], T[:, None])


def test_what_does_not_learn_is_at_no_angle_and_is_left_out():
    assert FrozenHidden.family == "control"
    observed = performed("FrozenHidden", difficulty=dict(depth=2), hidden=6).extra["observed"]
    assert all(set(point) == {"samples", "angle[2]"} for point in observed)
    assert all(point["angle[2]"] < 0.01 for point in observed)


def test_looking_changes_no_number(monkeypatch):
    def numbers():
        result = performed("DirectFeedbackAlignment", difficulty=dict(depth=2), epochs=10, validate=True, hidden=6)
        return result.score, result.samples, [(p["samples"], p["score"]) for p in result.curve]

    looked = numbers()
    monkeypatch.setattr(Network, "observe", lambda self, X, Y: {})
    assert numbers() == looked
