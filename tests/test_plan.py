"""Plans: who meets whom, with which seeds, under which key; and that no trial depends on what else is planned."""

import dataclasses
import functools
from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import api, plan
from harness.claim import Claim, Needs
from harness.noise import seed
from harness.plan import PRESETS, Wish, make, replicates
from harness.registry import Found, RequestError, Suite, find
from harness.task import Ladder, Task
from harness.trial import AXES, Protocol

FOUND = find()
LEARNERS = sorted(e.name for e in FOUND.learners.values())
CONTROLS = sorted(e.name for e in FOUND.learners.values() if e.thing.family == "control")
TASKS = sorted(e.name for e in FOUND.tasks.values() if not e.thing.available())
ABSENT = len(FOUND.tasks) - len(TASKS)


def part(learners, tasks):
    """What there would be if there were only these; without claims."""
    return Found(
        learners={k: e for k, e in FOUND.learners.items() if e.name in learners},
        tasks={k: e for k, e in FOUND.tasks.items() if e.name in tasks},
    )


def keys(trials):
    return [t.key for t in trials]


def one(learner="Perceptron", task="logic/parity", *, params=None, found=FOUND, **changes):
    """One trial, after changes to what it is made of."""
    words = dict(difficulty={"n": 3}, replicate=0, preset="smoke") | changes
    return plan.trial(found.learner(learner), params or {}, found.task(task), words.pop("difficulty"), **words)


# ---------------------------------------------------------------- the whole


@pytest.mark.parametrize("preset", PRESETS)
def test_trials_come_sorted_by_key_and_each_once(preset):
    made = make(FOUND, Wish(preset=preset))
    assert keys(made.trials) == sorted(set(keys(made.trials)))
    assert len(made.notices) == ABSENT
    assert {t.preset for t in made.trials} == {preset}


def test_a_plan_is_the_same_whenever_it_is_made():
    assert make(FOUND, Wish()).trials == make(find(), Wish()).trials


@pytest.mark.parametrize(("preset", "n"), [("smoke", 1), ("quick", 3), ("full", 10)])
def test_presets_give_replicates_and_smoke_keeps_to_short_ladders(preset, n):
    found = make(FOUND, Wish(preset=preset, claims=False, tune=0)).trials
    assert {t.replicate for t in found} == set(range(n))
    for entry in map(FOUND.task, TASKS):
        ladder = entry.thing.ladder
        short = preset == "smoke" or (preset == "quick" and ladder is not None and ladder.of == "learner")
        wanted = [{}] if ladder is None else [{ladder.axis: v} for v in (ladder.short if short else ladder.values)]
        mine = [t for t in found if t.task == entry.name]
        assert Counter(str(t.difficulty) for t in mine) == {str(d): n * len(LEARNERS) for d in wanted}


def test_smoke_is_part_of_quick_is_part_of_full():
    smoke, quick, full = (set(keys(make(FOUND, Wish(preset=preset)).trials)) for preset in PRESETS)
    assert smoke < quick < full


def test_every_smoke_ladder_is_part_of_the_whole_one():
    for entry in FOUND.tasks.values():
        if entry.thing.ladder:
            assert set(entry.thing.ladder.short) <= set(entry.thing.ladder.values)


@given(st.sets(st.sampled_from(LEARNERS), min_size=1), st.sets(st.sampled_from(TASKS), min_size=1), st.sampled_from([*PRESETS]))
def test_adding_a_learner_or_a_task_changes_no_other_trial(learners, tasks, preset):
    """A plan of what is there is the plan of everything, cut down to it."""
    few = frozen(part(learners, tasks), preset)
    assert few == [t for t in everything(preset) if t.learner in learners and t.task in tasks]
    assert few


def frozen(found, preset):
    """The trials of a plan whose code stays as it is, even while someone edits it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "digest", lambda *wheres: " ".join(wheres))
        return make(found, Wish(preset=preset, claims=False, replicates=[0, 4])).trials


@functools.cache
def everything(preset):
    return frozen(FOUND, preset)


# ---------------------------------------------------------------- what a wish leaves


def test_controls_run_unless_they_are_left_out():
    def names(**wish):
        return {t.learner for t in make(FOUND, Wish(tasks=["logic/and"], claims=False, **wish)).trials}

    assert names() == set(LEARNERS)
    assert names(learners=["MLP"]) == {"MLP", *CONTROLS}
    assert names(learners=["MLP"], controls=False) == {"MLP"}
    assert names(learners=["Chance"], controls=False) == {"Chance"}
    assert names(controls=False) == set(LEARNERS) - set(CONTROLS)


def test_a_control_with_settings_stands_for_itself():
    found = make(FOUND, Wish(learners=["RandomFeatures[hidden=8]"], tasks=["logic/and"], claims=False)).trials
    assert [t.params for t in found if t.learner == "RandomFeatures"] == [{"hidden": 8}]


def test_tasks_and_suites_restrict_each_other():
    def tasks(**wish):
        return {t.task for t in make(FOUND, Wish(learners=["Chance"], controls=False, claims=False, **wish)).trials}

    assert tasks() == set(TASKS)
    assert tasks(suites=["logic", "Images"]) == {t for t in TASKS if t.startswith(("logic/", "images/"))}
    assert tasks(tasks=["Logic/XOR", "sequence/recall"]) == {"logic/xor", "sequence/recall"}
    assert tasks(tasks=["logic/xor", "sequence/recall"], suites=["logic"]) == {"logic/xor"}
    assert tasks(tasks=["logic/xor"], suites=["images"]) == set()


@pytest.mark.parametrize(
    "wish", [dict(learners=["Perceptrom"]), dict(tasks=["logic/xorr"]), dict(suites=["logik"]), dict(preset="fast")]
)
def test_what_is_not_there_is_a_mistake(wish):
    with pytest.raises(RequestError, match=next(iter(wish)).removesuffix("s")):
        make(FOUND, Wish(**wish))


@pytest.mark.parametrize(
    ("text", "numbers"), [("1", [0]), ("3", [0, 1, 2]), ("3,7", [3, 7]), ("7,3,7", [3, 7]), ("5,", [5]), ("0,", [0])]
)
def test_seeds_are_a_number_or_a_list(text, numbers):
    assert replicates(text) == numbers


@pytest.mark.parametrize("text", ["", "0", "-1", "a", "1.5", "3,-7", ",", "1e3"])
def test_other_seeds_are_refused_with_what_is_allowed(text):
    with pytest.raises(RequestError, match=r"number of replicates \(10\), or the replicates themselves \(3,7\)"):
        replicates(text)


def test_a_task_whose_data_cannot_be_had_is_left_out_with_a_notice():
    entry = FOUND.task("logic/xor")
    absent = entry._replace(thing=dataclasses.replace(entry.thing, available=lambda: "install the data"))
    found = dataclasses.replace(FOUND, tasks=FOUND.tasks | {"logic/xor": absent})
    made = make(found, Wish(suites=["logic"]))
    assert made.notices == ["logic/xor is left out: install the data"]
    assert "logic/xor" not in {t.task for t in made.trials}
    assert {"logic/and", "logic/parity"} < {t.task for t in made.trials}


def test_what_a_learner_cannot_take_is_planned_and_says_why():
    found = make(
        FOUND, Wish(learners=["McCullochPitts", "Oja"], tasks=["separable/gaussian"], controls=False, claims=False)
    ).trials
    reasons = {t.learner: t.inapplicable for t in found}
    assert "truth tables alone" in reasons["McCullochPitts"]
    assert reasons["Oja"].startswith("takes no class")


# ---------------------------------------------------------------- seeds


def test_seeds_come_from_names_so_that_all_learners_see_the_same_data():
    found = make(FOUND, Wish(preset="quick", tasks=["logic/parity", "logic/and"], claims=False)).trials
    for t in found:
        assert t.seeds == {axis: seed(axis, t.task, t.replicate) for axis in AXES}
    assert len({tuple(t.seeds.items()) for t in found}) == 2 * 3
    assert len({value for t in found for value in t.seeds.values()}) == 2 * 3 * len(AXES)


def test_a_setting_changes_no_seed_and_no_data():
    a, b = one("MLP"), one("MLP", params={"hidden": 8})
    assert a.seeds == b.seeds
    assert a.key != b.key


# ---------------------------------------------------------------- keys


def replaced(task, **changes):
    """What there is, with one task changed."""
    entry = FOUND.task(task)
    return dataclasses.replace(
        FOUND, tasks=FOUND.tasks | {task: entry._replace(thing=dataclasses.replace(entry.thing, **changes))}
    )


@pytest.mark.parametrize(
    "changed",
    [
        lambda: one("MLP", params={"hidden": 8}),
        lambda: one("Oja"),
        lambda: one("MLP", task="logic/majority"),
        lambda: one("MLP", found=replaced("logic/parity", version=2)),
        lambda: one("MLP", difficulty={"n": 4}),
        lambda: one("MLP", protocol=Protocol(epochs=3)),
        lambda: one("MLP", replicate=1),
        lambda: one("MLP", code=lambda _learner, _task: "another"),
    ],
    ids=["params", "learner", "task", "version", "difficulty", "protocol", "replicate", "code"],
)
def test_the_key_changes_with_all_that_may_change_a_number(changed):
    base, other = one("MLP"), changed()
    assert base.key != other.key
    assert len(base.key) == len(other.key) == 24


@pytest.mark.parametrize("axis", AXES)
def test_the_key_changes_with_each_seed(axis):
    base = one()
    assert msgspec.structs.replace(base, seeds=base.seeds | {axis: 1}).keyed().key != base.key


@pytest.mark.parametrize("field", Protocol.__struct_fields__)
def test_the_key_changes_with_each_part_of_the_protocol(field):
    base = one()
    value = getattr(base.protocol, field)
    other = "another" if isinstance(value, str) else not value if isinstance(value, bool) else value + 1
    assert (
        msgspec.structs.replace(base, protocol=msgspec.structs.replace(base.protocol, **{field: other})).keyed().key != base.key
    )


def test_the_key_is_the_same_for_a_default_written_out_and_for_another_preset():
    hidden = FOUND.learner("MLP").thing.hypers()["hidden"].default
    assert one("MLP", params={"hidden": hidden}).key == one("MLP").key
    assert one("MLP", params={"hidden": hidden}).params == {}
    assert one("MLP", preset="full").key == one("MLP").key


def test_the_code_is_read_for_each_plan_anew(monkeypatch):
    before = make(FOUND, Wish(learners=["Perceptron"], tasks=["logic/and"], controls=False, claims=False)).trials
    read = []
    monkeypatch.setattr(plan, "digest", lambda *wheres: read.append(wheres) or "edited")
    after = make(
        FOUND, Wish(learners=["Perceptron"], tasks=["logic/and"], controls=False, claims=False, replicates=range(9))
    ).trials
    assert {t.code_digest for t in after} == {"edited"}
    assert not {*keys(before)} & {*keys(after)}
    assert read == [("learners.perceptron:Perceptron", "suites.logic.tasks:logic/and", plan.LOOP)]


def test_a_rung_is_where_a_task_is_on_its_ladder():
    words = Task(name="logic/parity", doc="", generate=None, ladder=Ladder(axis="n", values=("low", "high"), short=("low",)))
    found = dataclasses.replace(FOUND, tasks={"logic/parity": FOUND.task("logic/parity")._replace(thing=words)})
    assert one(difficulty={"n": 3}).rung == 3.0
    assert one(found=found, difficulty={"n": "high"}).rung == 1.0
    assert one(task="logic/and", difficulty={}).rung is None
    assert one(difficulty={"m": 3}).rung is None


# ---------------------------------------------------------------- shards


@given(st.integers(1, 12), st.sampled_from(LEARNERS))
def test_shards_are_a_partition_of_the_plan(n, learner):
    whole = make(part({learner}, TASKS), Wish(claims=False))
    shards = [api.shard(whole, i, n) for i in range(1, n + 1)]
    assert sorted(key for shard in shards for key in keys(shard.trials)) == keys(whole.trials)
    assert all(shard.claims == whole.claims for shard in shards)


def test_a_trial_stays_in_its_shard_whatever_else_is_planned():
    few, many = (make(FOUND, Wish(preset=preset, suites=["logic"])) for preset in ("smoke", "quick"))
    for i in (1, 2, 3):
        mine, theirs = (set(keys(api.shard(made, i, 3).trials)) for made in (few, many))
        assert mine <= theirs
        assert mine


# ---------------------------------------------------------------- claims


def claim(name, *needs, since="smoke"):
    return Claim(id=name, text=name, source="", decide=None, needs=needs, since=since)


def with_claims(*claims):
    """What there is, with these as the claims of the suite logic, and no others."""
    suites = {name: Suite(name, suite.tasks, [*claims] if name == "logic" else []) for name, suite in FOUND.suites.items()}
    return dataclasses.replace(FOUND, suites=suites)


def asked(found, **wish):
    return set(make(found, Wish(**wish)).claims)


ABOUT_TWO = claim("two", Needs("Perceptron", "logic/and", 2), Needs("MLP[hidden=8]", "logic/xor", 2))
THEOREM = claim("theorem")


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        ({}, {"logic/two", "logic/theorem"}),
        (dict(suites=["logic"]), {"logic/two", "logic/theorem"}),
        (dict(suites=["images"]), set()),
        (dict(tasks=["logic/and"]), set()),
        (dict(tasks=["logic/and", "logic/xor"]), {"logic/two"}),
        (dict(tasks=["logic/and", "logic/xor", "logic/or"]), {"logic/two"}),
        (dict(learners=["Perceptron"]), set()),
        (dict(learners=["Perceptron", "mlp"]), {"logic/two"}),
        (dict(learners=["Perceptron", "MLP"], tasks=["logic/and", "logic/xor"]), {"logic/two"}),
        (dict(claims=False), set()),
    ],
)
def test_a_claim_is_asked_only_if_it_speaks_of_nothing_beyond_the_wish(wish, expected):
    assert asked(with_claims(ABOUT_TWO, THEOREM), **wish) == expected


def test_a_claim_on_controls_is_asked_where_they_run():
    found = with_claims(claim("control", Needs("Logistic", "logic/and", 1)))
    assert asked(found, learners=["MLP"]) == {"logic/control"}
    assert asked(found, learners=["MLP"], controls=False) == set()


def test_the_trials_of_a_claim_join_the_plan():
    protocol = Protocol(name="textbook", epochs=3)
    needs = Needs("Perceptron[start=random]", "logic/parity", 4, {"n": 7}, protocol)
    made = make(with_claims(claim("c", needs)), Wish(suites=["logic"]))
    _, trials = made.claims["logic/c"]
    assert [(t.replicate, t.params, t.difficulty, t.protocol) for t in trials] == [
        (i, {"start": "random"}, {"n": 7}, protocol) for i in range(4)
    ]
    assert {*keys(trials)} <= {*keys(made.trials)}
    without = make(FOUND, Wish(suites=["logic"], claims=False))
    assert len(made.trials) == len(without.trials) + 4


def test_a_trial_that_the_comparison_has_already_is_not_doubled():
    made = make(with_claims(claim("c", Needs("Perceptron", "logic/and", 1))), Wish())
    assert len(made.trials) == len(make(FOUND, Wish(claims=False)).trials)
    (trial,) = made.claims["logic/c"][1]
    assert trial in made.trials


@pytest.mark.parametrize(
    ("since", "presets"), [("smoke", {"smoke", "quick", "full"}), ("quick", {"quick", "full"}), ("full", {"full"})]
)
def test_a_claim_brings_its_trials_from_the_preset_on_that_it_states(since, presets):
    found = with_claims(claim("c", Needs("Perceptron", "logic/parity", 20), since=since))
    brings = {}
    for preset in PRESETS:
        made = make(found, Wish(preset=preset))
        assert set(made.claims) == {"logic/c"}
        brings[preset] = len(made.claims["logic/c"][1])
    assert brings == {preset: 20 if preset in presets else 0 for preset in PRESETS}


@given(st.sets(st.integers(0, 30), min_size=1), st.integers(1, 30))
def test_no_replicate_is_planned_for_a_claim_beyond_the_wish_or_its_need(wished, needed):
    found = with_claims(claim("c", Needs("Perceptron", "logic/and", needed)))
    made = make(found, Wish(tasks=["logic/and"], learners=["Perceptron"], controls=False, replicates=sorted(wished)))
    assert {t.replicate for t in made.claims["logic/c"][1]} == wished & set(range(needed))


def test_a_claim_on_data_that_cannot_be_had_is_asked_with_what_is_left():
    entry = FOUND.task("logic/xor")
    absent = entry._replace(thing=dataclasses.replace(entry.thing, available=lambda: "install the data"))
    found = dataclasses.replace(with_claims(ABOUT_TWO), tasks=FOUND.tasks | {"logic/xor": absent})
    made = make(found, Wish())
    assert {t.task for t in made.claims["logic/two"][1]} == {"logic/and"}


@pytest.mark.parametrize(
    "needs", [Needs("Gone", "logic/and", 1), Needs("Perceptron", "logic/gone", 1), Needs("MLP[gone=1]", "logic/and", 1)]
)
def test_a_claim_on_what_is_not_there_is_left_out_with_a_notice_and_the_rest_is_planned(needs):
    made = make(with_claims(claim("lost", needs), ABOUT_TWO), Wish())
    assert set(made.claims) == {"logic/two"}
    (notice,) = (n for n in made.notices if n.startswith("Claim"))
    assert notice.startswith("Claim logic/lost is left out: ")
    assert "gone" in notice.casefold()
    assert "There are" not in notice


def test_every_claim_of_the_project_can_be_planned_whole():
    made = make(FOUND, Wish(preset="full"))
    assert set(made.claims) == {f"{suite.name}/{c.id}" for suite in FOUND.suites.values() for c in suite.claims}
    planned = {*keys(made.trials)}
    for c, trials in made.claims.values():
        assert len(trials) == sum(n.replicates for n in c.needs if n.task in TASKS)
        assert {*keys(trials)} <= planned
