"""Tuning: where it looks, that all get the same number of tries, and that nothing but validation data choose."""

import contextlib
import dataclasses
import hashlib
import json
import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import engine, listing, plan, protocol, tuning
from harness.learner import hyper
from harness.plan import Wish, make
from harness.protocol import perform
from harness.registry import RequestError, find
from harness.task import Dataset, Split, Task
from harness.trial import AXES, SCHEMA, Protocol, Trial
from harness.tuning import MOST, Search, choose, settings
from learners.controls import Logistic, NearestNeighbour
from learners.mlp import MLP
from learners.perceptron import Perceptron

FOUND = find()
LEARNERS = [e.thing for e in FOUND.learners.values()]

# ---------------------------------------------------------------- where tuning looks


@pytest.mark.parametrize(
    ("declared", "looked"),
    [
        (dict(default=1.0, low=0.5, high=2.0), (0.5, 2.0)),
        (dict(default=1.0, low=0.5, high=2.0, search=(0.5, 1.0)), (0.5, 1.0)),
        (dict(default=1.0, low=0, high=2.0, log=True, search=(0.1, 1)), (0.1, 1)),
        (dict(default=3, low=1, high=9, search=(2, 4)), (2, 4)),
        (dict(default=3, low=3, high=3), None),
        (dict(default=3, low=1, high=9, search=False), None),
        (dict(default=3, low=1, high=9, fit=True), None),
        (dict(default="a", choices=("a", "b")), ("a", "b")),
        (dict(default="a", choices=("a", "b"), search=False), None),
        (dict(default=True), (False, True)),
        (dict(default=True, search=False), None),
    ],
)
def test_tuning_looks_where_it_is_told_or_else_everywhere(declared, looked):
    assert hyper(doc="x", **declared).metadata["search"] == looked


@pytest.mark.parametrize(
    "search",
    [(0.1, 1.0), (0.5, 2.5), (1.0, 1.0), (2.0, 1.0), (1.0,), (0.5, 1.0, 2.0), "ab", 3, None, (True, 2.0), (0.5, math.nan)],
)
def test_a_range_that_is_none_is_refused(search):
    with pytest.raises(TypeError, match=r"search=.* must be \(low, high\) with 0.5 <= low < high <= 2.0"):
        hyper(default=1.0, doc="x", low=0.5, high=2.0, search=search)


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        (dict(default=1.0, low=0.0, high=1.0, log=True), "begins at 0.0: on a logarithmic scale give search="),
        (dict(default=1.0, low=0.0, high=math.inf), "both finite"),
        (dict(default=3, low=1, high=9, search=(1, 2.5)), "whole numbers"),
        (dict(default="a", choices=("a", "b"), search=("a",)), "True or False where there are choices"),
        (dict(default=True, search=(0, 1)), "True or False where there are choices"),
    ],
)
def test_where_tuning_cannot_look_the_declaration_says_what_to_give(declared, words):
    with pytest.raises(TypeError, match=words):
        hyper(doc="x", **declared)


def test_the_listing_says_where_tuning_looks():
    listed = {each["name"]: each["search"] for each in listing.card(MLP)["hyperparameters"]}
    fields = MLP.hypers()
    assert (listed["residual"], listed["beta"], listed["loss"]) == ([False, True], None, [*fields["loss"].metadata["choices"]])
    for name in "rate", "hidden":
        assert listed[name] == [*fields[name].metadata["search"]] != [fields[name].metadata["low"], fields[name].metadata["high"]]


@pytest.mark.parametrize("cls", LEARNERS, ids=lambda cls: cls.__name__)
def test_every_learner_takes_all_that_tuning_tries(cls):
    for setting in settings(cls, {}, 33) if tuning.space(cls) else [{}]:
        cls(**setting)


def test_what_has_nothing_to_tune_is_known():
    assert {cls.__name__ for cls in LEARNERS if not tuning.space(cls)} == {
        "Chance", "Majority", "McCullochPitts", "HebbianAssociator",
    }  # fmt: skip


# ---------------------------------------------------------------- settings


@st.composite
def hypers(draw):
    """One declaration of any kind."""
    kind = draw(st.sampled_from(["float", "int", "choice", "bool", "none"]))
    if kind == "bool":
        return hyper(default=draw(st.booleans()), doc="x")
    if kind == "choice":
        words = tuple(draw(st.sets(st.text("abc", min_size=1), min_size=1, max_size=5)))
        return hyper(default=words[0], doc="x", choices=words)
    if kind == "none":
        return hyper(default=1, doc="x", low=0, high=9, search=False)
    log = draw(st.booleans())
    if kind == "int":
        low = draw(st.integers(1 if log else -50, 50))
        return hyper(default=low, doc="x", low=low, high=low + draw(st.integers(1, 5000)), log=log)
    low = draw(st.floats(1e-6, 10) if log else st.floats(-10, 10))
    return hyper(default=low, doc="x", low=low, high=low + draw(st.floats(1e-3, 1e4)), log=log)


def declared(fields, name="Drawn"):
    """A class that declares these hyperparameters, as far as tuning looks at one."""
    cls = dataclasses.make_dataclass(name, [(n, object, f) for n, f in fields.items()])
    cls.hypers = classmethod(lambda cls: {f.name: f for f in dataclasses.fields(cls)})
    return cls


spaces = st.dictionaries(st.text("abc", min_size=1, max_size=3), hypers(), min_size=1, max_size=6).filter(
    lambda fields: any(f.metadata["search"] for f in fields.values())
)


@given(spaces, st.integers(2, 40))
def test_settings_keep_to_the_declaration_and_begin_with_the_default(fields, k):
    cls = declared(fields)
    found = settings(cls, {}, k)
    assert found[0] == {}
    assert len(found) == k
    for setting in found[1:]:
        assert set(setting) == {n for n, f in fields.items() if f.metadata["search"]}
        for name, value in setting.items():
            looked, default = fields[name].metadata["search"], fields[name].default
            assert type(value) is type(default)
            if isinstance(value, str | bool):
                assert value in looked
                continue
            assert looked[0] <= value <= looked[1]
            assert isinstance(value, int) or value in looked or float(f"{value:.4g}") == value


@given(spaces, st.integers(2, 20))
def test_settings_are_the_same_each_time_and_fewer_are_the_first_of_more(fields, k):
    cls = declared(fields)
    assert settings(cls, {}, k) == settings(cls, {}, 2 * k)[:k]


@given(spaces, st.data(), st.integers(2, 9))
def test_what_is_fixed_stays(fields, data, k):
    cls = declared(fields)
    fixed = {n: fields[n].default for n in data.draw(st.sets(st.sampled_from(sorted(fields)), max_size=len(fields) - 1))}
    if not tuning.space(cls, fixed):
        return
    found = settings(cls, fixed, k)
    assert found[0] == fixed
    assert all({n: setting[n] for n in fixed} == fixed for setting in found)
    assert tuning.space(cls, fixed).keys() == found[1].keys() - fixed.keys()


def test_learners_and_what_is_fixed_have_points_of_their_own():
    field = dict(a=hyper(default=0.0, doc="x", low=0.0, high=1.0))
    one, other = (settings(declared(field, name), {}, 9)[1:] for name in ("One", "Other"))
    assert all(a != b for a, b in zip(one, other, strict=True))
    apart = [[s["rate"] for s in settings(MLP, dict(hidden=h), 9)[1:]] for h in (8, 16)]
    assert all(a != b for a, b in zip(*apart, strict=True))


@pytest.mark.parametrize("k", [2, 3, 4, 5, 16, 17, 65])
def test_settings_of_a_learner_with_a_rate_are_all_different(k):
    assert len({json.dumps(s, sort_keys=True) for s in settings(MLP, {}, k)}) == k


N = 64
"""Points of which each 64th part of an axis has exactly one: a share of the axis has its share of them, give or take two."""


@given(st.integers(1, 30), st.integers(1, 12), st.booleans())
def test_whole_numbers_and_choices_come_by_their_shares(low, width, log):
    high = low + width
    number = hyper(default=low, doc="x", low=low, high=high, log=log)
    word = hyper(default=0, doc="x", choices=tuple(range(width + 1)))
    found = settings(declared(dict(number=number, word=word)), {}, N + 1)[1:]
    whole = math.log((high + 1) / low)
    for value in range(low, high + 1):
        share = math.log((value + 1) / value) / whole if log else 1 / (width + 1)
        assert abs(sum(s["number"] == value for s in found) - N * share) < 2
        assert abs(sum(s["word"] == value - low for s in found) - N / (width + 1)) < 2


@given(st.floats(1e-6, 1.0), st.floats(1.1, 1e6), st.booleans())
def test_floats_fill_their_range_evenly_on_their_scale(low, factor, log):
    high = low * factor
    found = [s["x"] for s in settings(declared(dict(x=hyper(default=low, doc="x", low=low, high=high, log=log))), {}, N + 1)[1:]]
    middle = math.sqrt(low * high) if log else (low + high) / 2
    below = sum(x < middle * (1 - 1e-3) for x in found), sum(x < middle * (1 + 1e-3) for x in found)
    assert below[0] - 1 <= N / 2 <= below[1] + 1


@pytest.mark.parametrize(("low", "high"), [(1.00004, 1.00006), (9.99985, 9.99995), (-1.00006, -1.00004)])
def test_rounding_leads_out_of_no_range(low, high):
    found = settings(declared(dict(x=hyper(default=low, doc="x", low=low, high=high))), {}, 9)[1:]
    assert all(low <= s["x"] <= high for s in found)


@pytest.mark.parametrize("k", [-1, 1, MOST + 1, True, 2.0, "4", math.nan])
def test_a_number_of_settings_that_cannot_be_is_refused(k):
    with pytest.raises(RequestError, match=rf"tune={k!r}: give the number of settings to try, 2 to {MOST}.*0 for no tuning"):
        make(FOUND, Wish(tune=k))


# ---------------------------------------------------------------- the plan


def test_tuning_has_seeds_that_no_report_has():
    for task in {e.name for e in FOUND.tasks.values()}:
        report = {(axis, plan.seeds(task, r)[axis]) for r in range(1000) for axis in AXES}
        tried = {(axis, tuning.seeds(task, r)[axis]) for r in range(1000) for axis in AXES}
        assert len(report) == len(tried) == 1000 * len(AXES)
        assert not {value for _, value in report} & {value for _, value in tried}


WISH = dict(preset="smoke", tasks=["logic/parity", "logic/and", "separable/principal"])


def test_all_that_can_be_tuned_are_tuned_with_the_same_number_and_on_the_same_settings_everywhere():
    made = make(FOUND, Wish(**WISH, tune=5))
    default = make(FOUND, Wish(**WISH))
    takers = {(t.learner, t.task) for t in default.trials if not t.inapplicable and t.protocol.name == "standard"}
    tunable = {cls.__name__ for cls in LEARNERS if tuning.space(cls)}
    assert {(s.learner, s.task) for s in made.searches} == {pair for pair in takers if pair[0] in tunable}
    assert {len(s.settings) for s in made.searches} == {len(s.trials) for s in made.searches} == {5}
    for s in made.searches:
        assert s.settings == settings(FOUND.learner(s.learner).thing, {}, 5)
        assert s.trials[0][0].params == {}


def test_settings_are_tried_on_every_rung_under_a_protocol_of_their_own():
    made = make(FOUND, Wish(**WISH | dict(preset="quick"), learners=["Perceptron", "Oja"], controls=False, tune=3))
    for s in made.searches:
        standard = FOUND.task(s.task).thing.protocol
        rungs = plan.rungs(FOUND.task(s.task).thing, "quick")
        assert len(s.stand_ins) == 3 * len(rungs)
        for trials in s.trials:
            assert [t.difficulty for t in trials] == rungs
            assert {t.replicate for t in trials} == {0}
            assert all(t.seeds == tuning.seeds(s.task, 0) for t in trials)
            assert {t.protocol for t in trials} == {msgspec.structs.replace(standard, name="tuning", validate=True)}
            assert not any(t.tuned or t.tuning_trials for t in trials)


def test_claims_are_never_tuned_and_no_default_trial_changes_by_tuning():
    plain, made = make(FOUND, Wish()), make(FOUND, Wish(tune=3))
    assert plain.claims == made.claims
    assert plain.searches == []
    tried = {t.key for s in made.searches for trials in s.trials for t in trials}
    assert [t for t in made.trials if t.key not in tried] == plain.trials
    assert tried


def test_a_preset_says_how_many_settings_are_tried():
    for preset, k in plan.TUNE.items():
        made = make(FOUND, Wish(preset=preset, tasks=["logic/and"], learners=["Perceptron"], controls=False))
        assert [len(s.settings) for s in made.searches] == [k] * bool(k)
    assert plan.TUNE == {"smoke": 0, "quick": 0, "full": 16}
    assert not make(FOUND, Wish(preset="full", tasks=["logic/and"], tune=0)).searches


def searched(word="Perceptron", task="logic/and", k=3, **wish):
    """The one search of a plan."""
    (s,) = make(FOUND, Wish(learners=[word], tasks=[task], controls=False, tune=k, **wish)).searches
    return s


def test_the_key_of_a_default_trial_knows_nothing_of_tuning_and_a_tuned_one_has_its_own():
    s = searched(replicates=[0, 5])
    default = s.stand_ins
    assert [t.replicate for t in default] == [0, 5]
    for t in default:
        parts = (
            SCHEMA, t.learner, sorted(t.params.items()), t.task, t.task_version, sorted(t.difficulty.items()), t.protocol,
            sorted(t.seeds.items()), t.code_digest,
        )  # fmt: skip
        assert t.key == hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:24]
    won = s.report(0)
    assert [t.params for t in won] == [t.params for t in default]
    assert [(t.seeds, t.protocol, t.replicate) for t in won] == [(t.seeds, t.protocol, t.replicate) for t in default]
    assert {(t.tuned, t.tuning_trials) for t in won} == {(True, 3)}
    assert not {t.key for t in won} & {t.key for t in default}
    assert [t.params for t in s.report(1)] == [s.settings[1]] * 2
    assert searched(k=4, replicates=[0, 5]).report(0)[0].key != won[0].key
    unknown = [t.key for t in s.report(None)]
    assert len(set(unknown)) == 2
    assert not set(unknown) & {t.key for i in range(3) for t in s.report(i)}


def test_what_the_user_has_set_is_fixed_and_makes_another_search():
    free, fixed, written = (searched(f"MLP{words}") for words in ("", "[hidden=8]", "[hidden=64]"))
    assert (free.fixed, fixed.fixed, written.fixed) == ({}, {"hidden": 8}, {"hidden": 64})
    assert [s.name for s in (free, fixed, written)] == [f"MLP{w} on logic/and" for w in ("", "[hidden=8]", "[hidden=64]")]
    assert all(t.params["hidden"] == 8 for trials in fixed.trials for t in trials)
    assert all("hidden" not in t.params for trials in written.trials for t in trials)
    keys = [{t.key for trials in s.trials for t in trials} for s in (free, fixed, written)]
    assert [len(k) for k in keys] == [3, 3, 3]
    assert len(set.union(*keys)) == 9
    assert len({s.report(0)[0].key for s in (free, fixed, written)}) == 3
    assert not make(
        FOUND, Wish(learners=["NearestNeighbour[neighbours=3]"], tasks=["logic/and"], controls=False, tune=3)
    ).searches


# ---------------------------------------------------------------- the choice


def judged(*settings_):
    """A search whose settings have these values on each of its rungs, and its rows; None stands for a failure."""
    base = searched().stand_ins[0]
    trials, found = [], {}
    for i, values in enumerate(settings_):
        mine = [msgspec.structs.replace(base, params={"i": i}, difficulty={"n": j}).keyed() for j in range(len(values))]
        trials.append(mine)
        for t, value in zip(mine, values, strict=True):
            row = dict(outcome="ok", score_valid=value, extra=dict(chance_valid=0.5), ceiling=1.0)
            if isinstance(value, str):
                row = dict(outcome=value, score_valid=1.0, extra={}, ceiling=1.0)
            found[t.key] = row
    return Search("L", {}, "t", [{} for _ in settings_], trials, [base]), found


@pytest.mark.parametrize(
    ("winner", "settings_"),
    [
        (1, [[0.6, 0.6], [0.7, 0.7], [0.6, 0.7]]),
        (0, [[0.7, 0.7], [0.7, 0.7]]),
        (0, [[0.6, 0.7, 0.8], [0.8, 0.7, 0.6]]),
        (1, [[0.9, 0.0], [0.7, 0.75]]),
        (0, [[0.7, 0.0], [0.6, 0.5]]),
        (0, [[0.6, 0.5], ["timeout", "error"]]),
        (1, [["error", "error"], [0.5, 0.4]]),
        (1, [[0.7, "crashed"], [0.7, 0.4]]),
        (2, [["out_of_memory", 0.6], ["diverged", "diverged"], [0.6, 0.0]]),
        (0, [["error"], ["timeout"], ["diverged"]]),
        (1, [["diverged", 1.0, 1.0], [0.9, 0.9, 0.9]]),
    ],
)
def test_the_best_mean_wins_and_failures_count_as_chance(winner, settings_):
    assert choose(*judged(*settings_)) == winner


@given(st.lists(st.lists(st.sampled_from([0.3, 0.5, 0.6, 0.8, "error"]), min_size=3, max_size=3), min_size=2, max_size=6))
def test_the_choice_is_the_one_of_a_slow_reader(settings_):
    worth = [[0.0 if v == "error" else max(0.0, 2 * v - 1) for v in values] for values in settings_]
    order = sorted(range(len(settings_)), key=lambda i: (-round(sum(worth[i]), 9), sum(v == "error" for v in settings_[i]), i))
    assert choose(*judged(*settings_)) == order[0]


@given(st.lists(st.floats(0.5, 1.0), min_size=3, max_size=9), st.randoms())
def test_the_order_of_rungs_decides_no_tie(values, random):
    assert choose(*judged(values, random.sample(values, len(values)))) == 0


def test_scores_are_corrected_by_chance_and_ceiling_of_each_rung():
    s, found = judged([0.9, 0.5], [0.5, 0.8])
    assert choose(s, found) == 0
    found[s.trials[1][1].key] |= dict(ceiling=0.8)
    assert choose(s, found) == 1
    found[s.trials[0][0].key]["extra"] = dict(chance_valid=0.0)
    assert choose(s, found) == 1
    for t in (s.trials[0][0], s.trials[1][1]):
        found[t.key] |= dict(extra=dict(chance_valid=None), ceiling=None)
    assert choose(s, found) == 0


@pytest.mark.parametrize("lost", range(4))
def test_there_is_no_choice_while_a_trial_is_missing_or_was_interrupted(lost):
    s, found = judged([0.6, 0.6], [0.7, 0.7])
    key = s.trials[lost // 2][lost % 2].key
    assert choose(s, {k: r for k, r in found.items() if k != key}) is None
    found[key] = found[key] | dict(outcome="interrupted")
    assert choose(s, found) is None


# ---------------------------------------------------------------- test data


@contextlib.contextmanager
def never():
    yield


def healthy(seed=0):
    """Two classes, neither apart nor alike."""
    rng = np.random.default_rng(seed)

    def part(n):
        y = np.arange(n) % 2
        return Split((rng.normal(size=(n, 1, 4)) + 0.8 * y[:, None, None]).astype(np.float32), y)

    return Dataset(part(60), part(30), part(40), 2, chance=0.5)


def garbage(data):
    rng = np.random.default_rng(1)
    noise = rng.normal(size=data.test.X.shape).astype(np.float32) * 1e3
    return data._replace(test=Split(noise, rng.permutation(data.test.y)), chance=0.97)


def inverted(data):
    return data._replace(test=Split(-data.test.X, 1 - data.test.y))


def one_class(data):
    return data._replace(test=Split(data.test.X, np.zeros_like(data.test.y)), chance=1.0)


def infinite(data):
    return data._replace(test=Split(np.full_like(data.test.X, np.inf), data.test.y))


def not_a_number(data):
    return data._replace(test=Split(np.full_like(data.test.X, np.nan), data.test.y))


K = 5


def tried(cls, data, monkeypatch, *, validate):
    """What was chosen, and the row of each trial of tuning, through the real loop."""
    task = Task(name="tests/made", doc="made by hand", generate=lambda *_: data, protocol=Protocol(validate=validate))
    monkeypatch.setattr(protocol, "load", {"cls": cls, "task": task}.__getitem__)
    stand_in = Trial(
        learner=cls.__name__, where="cls", family=cls.family, origin="file", params={}, task=task.name, task_where="task",
        task_version=1, difficulty={}, preset="smoke", protocol=task.protocol, replicate=0, seeds=plan.seeds(task.name, 0),
        code_digest="",
    ).keyed()  # fmt: skip
    s = tuning.search(cls, {}, K, [stand_in])
    found = {t.key: engine.row_of(t, perform(t, never)) for trials in s.trials for t in trials}
    return s, found


def looks(row):
    """The learning curve up to the test."""
    return [{k: v for k, v in point.items() if k != "seconds"} for point in row["curve"] if point["split"] != "test"]


@pytest.mark.parametrize("poison", [garbage, inverted, one_class, infinite, not_a_number])
@pytest.mark.parametrize(
    ("cls", "validate"), [(MLP, True), (MLP, False), (Perceptron, True), (NearestNeighbour, True), (Logistic, False)]
)
@pytest.mark.filterwarnings("ignore:invalid value", "ignore:overflow")
def test_no_choice_and_no_stopping_ever_sees_test_data(cls, validate, poison, monkeypatch):
    s, one = tried(cls, healthy(), monkeypatch, validate=validate)
    same, other = tried(cls, poison(healthy()), monkeypatch, validate=validate)
    assert [t.key for trials in s.trials for t in trials] == [t.key for trials in same.trials for t in trials]
    assert {row["outcome"] for row in one.values()} == {"ok"}
    for key, row in one.items():
        for column in "outcome", "epochs", "samples", "score_valid", "score_train", "extra", "n_train", "n_valid", "params":
            assert other[key][column] == row[column], column
        before, after = (
            [{k: v for k, v in p.items() if k != "seconds"} for p in r["curve"] if p["split"] != "test"]
            for r in (row, other[key])
        )
        assert before == after
    assert choose(s, one) == choose(s, other) is not None
    assert any(one[k]["score"] != other[k]["score"] for k in one), "the poison was tasted at the very end"


def test_the_choice_does_without_the_score(monkeypatch):
    s, found = tried(MLP, healthy(), monkeypatch, validate=True)
    chosen = choose(s, found)
    gone = "score", "score_normalised", "chance", "score_train"
    assert choose(s, {k: {c: v for c, v in row.items() if c not in gone} for k, row in found.items()}) == chosen
    wrong = {k: row | dict(score=1 - row["score"], score_normalised=-9.0, chance=0.99) for k, row in found.items()}
    assert choose(s, wrong) == chosen
    assert len({row["score_valid"] for row in found.values()}) > 1


def test_rows_say_what_was_tuned_and_what_was_fixed(monkeypatch):
    s, found = tried(Perceptron, healthy(), monkeypatch, validate=True)
    assert all(row["extra"] == dict(chance_valid=0.5, fixed={}) for row in found.values())
    assert all((row["tuned"], row["tuning_trials"], row["protocol"]) == (False, 0, "tuning") for row in found.values())
    (won,) = s.report(2)
    row = engine.row_of(won, perform(won, never))
    assert (row["tuned"], row["tuning_trials"], row["protocol"], row["extra"]["fixed"]) == (True, K, "standard", {})
    assert row["params"] == won.params
    assert "fixed" not in engine.row_of(s.stand_ins[0], perform(s.stand_ins[0], never))["extra"]
