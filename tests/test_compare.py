"""Two sets of results, one against the other: what is counted, what is tested, what is named, and how it is written."""

import itertools
import re

import numpy as np
import pandas as pd
import pytest
from markdown_it import MarkdownIt

from harness.trial import COLUMNS, COLUMNS_OF_PLACE
from reports.compare import ALPHA, CompareError, Place, Run, between, compare
from reports.data import ReportData, ReportError
from reports.pullrequest import FOLDED, SHOWN, code, markdown, verdict

HOSTILE = "</details><img src=x onerror=alert(1)>|`**[x](javascript:alert(1))\n# @all #1 \u202e&lt;"


def row(learner="MLP", task="logic/xor", replicate=0, value=0.5, **other):
    """One trial as an export has it; where nothing else is said, it went well."""
    made = dict.fromkeys((*COLUMNS, *COLUMNS_OF_PLACE))
    made |= dict(
        attempt=1, outcome="ok", reason="", learner=learner, family="engineered", origin="builtin", params={}, tuned=False,
        suite=task.partition("/")[0], task=task, task_version=1, difficulty={}, preset="quick", protocol="standard",
        replicate=replicate, metric="accuracy", score=0.5 + value / 2, chance=0.5, ceiling=1.0, score_normalised=value,
        code_digest="c0de", env_digest="e0", finished_at="2026-01-01T00:00:00Z",
    )  # fmt: skip
    made |= other
    if made["outcome"] != "ok":
        made |= dict(score=None, score_normalised=None)
    parts = (
        "learner",
        "params",
        "task",
        "task_version",
        "difficulty",
        "protocol",
        "replicate",
        "tuned",
        "tuning_trials",
        "code_digest",
    )
    return made | dict(key=repr([made[part] for part in parts]))


def store(rows, name="store.db"):
    return ReportData(rows=pd.DataFrame(rows), curves=pd.DataFrame(), store=name)


def against(before, after):
    return compare(store(before, "a.db"), store(after, "b.db"))


def grid(values, learners=("MLP", "Oja"), tasks=("logic/xor", "logic/and", "images/digits"), seeds=6, **other):
    """Trials of every learner on every task; `values(learner, task, replicate)` gives the value."""
    return [
        row(learner, task, replicate, float(values(learner, task, replicate)), **other)
        for learner, task, replicate in itertools.product(learners, tasks, range(seeds))
    ]


def drawn(rng, spread=0.1):
    """A value that no seed shares with another."""
    return lambda *_: rng.normal(0.5, spread)


def same(*names):
    """A value that depends on the names alone."""
    return np.random.default_rng(list(repr(names).encode())).normal(0.5, 0.1)


# ---------------------------------------------------------------- what is the same


def test_a_store_against_itself_is_silent():
    made = against(grid(same), grid(same))
    assert (made.unchanged, made.cells, made.learners, made.failures, made.apart, made.fell) == (6, (), (), (), (), False)
    assert made.floor[:4] == (36, 0, 0.0, 0.0)
    assert verdict(made) == "**No significant fall**: 0 of 6 cells changed."
    assert "| " not in markdown(made)


def test_the_order_of_rows_and_earlier_attempts_do_not_matter():
    rng = np.random.default_rng()
    before, after = grid(drawn(rng)), grid(drawn(rng))
    failed = [r | dict(outcome="crashed", score_normalised=None) for r in after]
    later = [r | dict(attempt=2) for r in after]
    mixed = [*later, *failed]
    rng.shuffle(mixed)
    assert against(before, mixed) == against(before, after)


def test_only_the_newest_code_of_a_cell_is_looked_at():
    old = grid(lambda *_: 0.0, code_digest="old", finished_at="2025-01-01T00:00:00Z")
    assert against(grid(same), [*old, *grid(same)]) == against(grid(same), grid(same))


def test_other_protocols_are_no_part_of_it():
    other = grid(lambda *_: 0.0, protocol="to the last mistake")
    assert against(grid(same), [*grid(same), *other]).cells == ()


def test_a_comparison_mirrors_its_reverse():
    rng = np.random.default_rng()
    before, after = grid(drawn(rng)), grid(drawn(rng))
    there, back = against(before, after), against(after, before)
    assert {c.cell + c.label: (round(c.difference, 12), c.p) for c in there.cells} == {
        c.cell + c.label: (round(-c.difference, 12), c.p) for c in back.cells
    }


# ---------------------------------------------------------------- what changed


def lowered(by, where):
    """The same values, lower by `by` (and by a little that differs between seeds) where `where` holds."""
    return lambda *names: same(*names) - (by + same("jitter", *names) / 100) * where(*names)


def test_a_fall_of_one_learner_is_found_in_its_cells_and_over_all():
    made = against(grid(same, seeds=10), grid(lowered(0.3, lambda learner, *_: learner == "MLP"), seeds=10))
    assert made.fell
    assert [(c.label, c.fell) for c in made.learners] == [("MLP", True)]
    assert [(c.label, c.fell) for c in made.cells] == [("MLP", True)] * 3
    assert made.unchanged == 3
    for change in (*made.cells, *made.learners):
        assert change.difference == pytest.approx(change.after - change.before)
        assert change.interval[0] < change.difference < change.interval[1] < 0
    assert verdict(made).startswith("**Significant fall**: `MLP` over all tasks, 3 cells; 3 of 6 cells changed")


def test_a_rise_is_no_fall():
    made = against(grid(lowered(0.3, lambda *_: True), seeds=10), grid(same, seeds=10))
    assert all(c.significant for c in made.learners)
    assert not made.fell


def test_a_learner_that_falls_here_and_rises_there_is_judged_by_both():
    change = lowered(0.3, lambda _, task, __: {"logic/xor": 1, "logic/and": -1}.get(task, 0))
    made = against(grid(same, seeds=10), grid(change, seeds=10))
    assert not any(c.significant for c in made.learners)
    assert {c.cell: c.fell for c in made.cells} == {"logic/xor": True, "logic/and": False}


def test_suites_weigh_the_same_and_so_do_tasks_within():
    made = against(grid(lambda *_: 0.5), grid(lambda _, task, __: 0.1 if task == "images/digits" else 0.5))
    assert [c.difference for c in made.learners] == pytest.approx([-0.4 / 2] * 2)
    made = against(grid(lambda *_: 0.5), grid(lambda _, task, __: 0.1 if task == "logic/xor" else 0.5))
    assert [c.difference for c in made.learners] == pytest.approx([-0.4 / 4] * 2)


def test_rungs_of_a_task_with_one_seed_are_one_unit():
    def ladder(value):
        return [
            row(task="sequence/recall", replicate=seed, value=value(lag), difficulty={"lag": lag}, rung=lag)
            for lag in (1, 2, 4)
            for seed in range(6)
        ]

    made = against(ladder(lambda _: 0.5), ladder(lambda lag: 0.5 - lag / 10))
    assert [c.n for c in made.learners] == [6]
    assert made.learners[0].difference == pytest.approx(-0.7 / 3)
    assert [c.cell for c in made.cells] == [f"sequence/recall lag={lag}" for lag in (4, 2, 1)]


def test_p_is_corrected_for_the_number_of_cells():
    """One cell falls with all of ten signs; beside it k - 1 cells change in every direction."""
    tasks = [f"logic/t{i}" for i in range(40)]

    def wobble(learner, task, seed):
        return same(learner, task, seed) + ((-1) ** seed * 0.01 if task != "logic/t0" else -0.3 - seed / 1000)

    for count in 1, 2, 40:
        made = against(grid(same, ["MLP"], tasks[:count], 10), grid(wobble, ["MLP"], tasks[:count], 10))
        assert made.cells[0].cell == "logic/t0"
        assert made.cells[0].p == pytest.approx(2 / 2**10 * count)
        assert made.cells[0].fell == (2 / 2**10 * count <= ALPHA)


def test_lost_trials_count_as_chance_and_not_as_missing():
    before = grid(lambda *_: 0.5, ["MLP"], ["logic/xor"])
    after = [r | dict(outcome="diverged", score_normalised=None) if r["replicate"] == 2 else r for r in before]
    made = against(before, after)
    assert [(c.n, c.after) for c in made.cells] == [(6, pytest.approx(0.5 * 5 / 6))]
    assert made.failures == ()


@pytest.mark.parametrize("outcome", ["error", "crashed", "timeout", "out_of_memory"])
def test_a_new_failure_is_a_fall_and_gives_its_reason(outcome):
    before = grid(same)
    after = [dict(r) for r in before]
    after[3] |= dict(outcome=outcome, score_normalised=None, reason="W holds NaN")
    made = against(before, after)
    assert [(f.place.label, f.place.cell, f.replicate, f.outcome, f.reason) for f in made.failures] == [
        ("MLP", "logic/xor", 3, outcome, "W holds NaN")
    ]
    assert made.fell
    assert verdict(made).startswith("**Significant fall**: 1 new failure; 1 of 6 cells")
    assert f"seed 3: {outcome}: `W holds NaN`" in markdown(made)
    mended = against(after, before)
    assert (mended.failures, mended.mended, mended.fell) == ((), 1, False)
    assert "1 trial that failed before gave a result" in markdown(mended)


def test_what_failed_on_both_sides_is_no_news():
    rows = [row(outcome="crashed"), row(replicate=1)]
    assert not against(rows, rows).fell
    assert against(rows, rows).failures == ()


def test_a_failure_where_there_was_no_result_is_none_of_this():
    before = [row(outcome="not_applicable"), row(task="logic/and")]
    after = [row(outcome="error", reason="x"), row(task="logic/and")]
    assert against(before, after).failures == ()


# ---------------------------------------------------------------- few seeds


def test_with_one_seed_nothing_is_significant_and_the_page_says_what_it_takes():
    made = against(grid(lambda *_: 0.9, seeds=1), grid(lambda *_: 0.0, seeds=1))
    assert not made.fell
    assert all(c.p == 1 and c.interval is None and c.spread is None for c in made.cells)
    text = markdown(made)
    assert "too few seeds" in text.splitlines()[0]
    assert "With 1 seed, no change of 6 cells can be significant, however large; it takes at least 8 seeds." in text
    assert "spread is not known" in text


@pytest.mark.parametrize("count", [1, 3, 7])
def test_the_seeds_that_it_takes_are_enough_and_one_fewer_is_not(count):
    tasks = [f"logic/t{i}" for i in range(count)]

    def made(seeds):
        return against(grid(lambda *_: 0.9, ["MLP"], tasks, seeds), grid(lambda *_: 0.1, ["MLP"], tasks, seeds))

    cells, learners = made(2).cells[0].least, made(2).learners[0].least
    assert made(cells).cells[0].fell
    assert not made(cells - 1).cells[0].fell
    assert made(learners).learners[0].fell
    assert learners == 1 or not made(learners - 1).learners[0].fell


# ---------------------------------------------------------------- chance


def rungs(values, learners=("MLP", "Oja"), tasks=("logic/xor", "images/digits"), steps=(1, 2), seeds=6):
    """One side without its rows: `values(task)` is drawn anew for each trial."""
    return {
        Place(learner, "default", task.partition("/")[0], task, 1, f"{task} n={n}"): {
            seed: Run(float(values(task)), "ok") for seed in range(seeds)
        }
        for learner in learners
        for task in tasks
        for n in steps
    }


def test_two_runs_with_other_seeds_seldom_raise_an_alarm():
    """1,500 pairs of runs of the same rules, with a skewed spread between seeds: alarms in at most 5 % of them."""
    rng = np.random.default_rng(0)  # any: the rate is what is tested
    n, alarms = 1500, 0
    for _ in range(n):
        skill = {"logic/xor": rng.uniform(0.3, 0.9), "images/digits": rng.uniform(0.3, 0.9)}
        a, b = (rungs(lambda task, skill=skill: skill[task] - rng.exponential(0.1)) for _ in "ab")
        alarms += between(a, b, ("a", "b")).fell
    assert alarms / n <= ALPHA + 2.33 * np.sqrt(ALPHA * (1 - ALPHA) / n)  # 99 % of the Monte Carlo error
    assert alarms > 0  # the alarm can ring


def test_a_real_fall_is_found():
    """A loss of two standard deviations, six seeds, three tasks: found in nearly all of 200 pairs."""
    rng = np.random.default_rng(0)
    found, tasks = 0, ("logic/xor", "logic/and", "images/digits")
    for _ in range(200):
        a, b = (rungs(lambda _, mean=mean: rng.normal(mean, 0.1), ["MLP"], tasks, [1]) for mean in (0.5, 0.3))
        found += between(a, b, ("a", "b")).fell
    assert found > 190


def test_the_spread_of_seeds_bounds_what_other_seeds_do():
    """The stated difference is exceeded by 5 % of pairs of runs with other seeds."""
    rng = np.random.default_rng(0)
    n, beyond = 2000, 0
    for _ in range(n):
        a, b = (rungs(lambda _: rng.normal(0.5, 0.1), ["MLP"], ["logic/xor"], [1], 4) for _ in "ab")
        (change,) = between(a, b, ("a", "b")).cells
        beyond += abs(change.difference) > change.spread
    assert abs(beyond / n - 0.05) <= 2.58 * np.sqrt(0.05 * 0.95 / n)


def test_the_noise_floor_is_of_the_same_code_alone():
    before = grid(lambda *_: 0.5, ["MLP"], ["logic/xor"]) + grid(lambda *_: 0.5, ["Oja"], ["logic/xor"])
    after = [
        *grid(lambda _, __, seed: 0.5 + 0.01 * seed, ["MLP"], ["logic/xor"]),
        *grid(lambda *_: 0.1, ["Oja"], ["logic/xor"], code_digest="new"),
    ]
    floor = against(before, after).floor
    assert (floor.trials, floor.moved) == (6, 5)
    assert (floor.median, floor.largest) == pytest.approx((0.025, 0.05))


# ---------------------------------------------------------------- what has no counterpart


def apart(before, after):
    return {a.why: a.names for a in against(before, after).apart}


def test_a_baseline_that_lacks_tasks_is_said_so_and_nothing_is_made_up():
    more = [*grid(same), *grid(lambda *_: 0.0, tasks=["logic/new"])]
    assert apart(grid(same), more) == {"Tasks only in the candidate: the baseline lacks them": ("logic/new",)}
    assert apart(more, grid(same)) == {"Tasks only in the baseline": ("logic/new",)}
    assert against(grid(same), more).cells == ()
    assert "* Tasks only in the candidate: the baseline lacks them (1): `logic/new`" in markdown(against(grid(same), more))


def test_another_version_of_a_task_is_named_and_never_compared():
    after = [
        r | dict(task_version=2, score_normalised=0.0, key=r["key"] + "2") if r["task"] == "logic/xor" else r for r in grid(same)
    ]
    made = against(grid(same), after)
    assert (made.cells, made.learners, made.unchanged) == ((), (), 4)
    assert apart(grid(same), after) == {
        "Tasks of another version in the baseline": ("logic/xor (version 1 against 2)",),
        "Tasks of another version in the candidate": ("logic/xor (version 2 against 1)",),
    }


def test_learners_cells_and_seeds_without_a_counterpart_are_named():
    before = grid(same)
    assert apart(before, grid(same, ["MLP"])) == {"Learners only in the baseline": ("Oja",)}
    assert apart(before, [r for r in before if (r["learner"], r["task"]) != ("Oja", "logic/and")]) == {
        "Cells only in the baseline": ("Oja on logic/and",)
    }
    fewer = [r for r in before if r["replicate"] < 4 or r["task"] != "logic/and"]
    assert apart(before, fewer) == {"Seeds only in the baseline": ("MLP on logic/and: 4, 5", "Oja on logic/and: 4, 5")}
    assert against(before, fewer).cells == ()


def test_what_a_learner_no_longer_takes_is_named():
    after = [r | dict(outcome="not_applicable", score_normalised=None) if r["learner"] == "Oja" else r for r in grid(same)]
    names = apart(grid(same), after)["Without a result in one of the two"]
    assert "Oja on logic/xor: ok, then not_applicable" in names


def test_other_versions_of_packages_are_told():
    other = [r | dict(env_digest="e1") for r in grid(same)]
    assert apart(grid(same), other) == {"Compared, but run with other versions of packages": ("MLP", "Oja")}


def tuned(k, values=same, learners=("MLP",)):
    return [
        r | dict(params={"rate": 0.3}, fixed={}, key=f"{r['key']}{k}")
        for r in grid(values, learners, tuned=True, tuning_trials=k)
    ]


def test_arms_are_never_mixed():
    made = against([*grid(same, ["MLP"]), *tuned(16)], [*grid(same, ["MLP"]), *tuned(16, lambda *_: 0.0)])
    assert {c.arm for c in made.cells} == {"tuned, K=16"}
    assert made.unchanged == 3
    assert "`MLP (tuned, K=16)`" in markdown(made)


def test_tuning_with_unequal_numbers_is_refused_by_name():
    before, after = [*grid(same, ["MLP"]), *tuned(16)], [*grid(same, ["MLP"]), *tuned(8, lambda *_: 0.0)]
    assert apart(before, after)["On another footing in the candidate"] == ("MLP (tuned, K=8 against default and tuned, K=16)",)
    assert against(before, after).cells == ()


def test_a_cell_without_a_chance_level_is_not_compared():
    unscored = [r | dict(score_normalised=None, score=0.2) for r in grid(same, tasks=["logic/raw"])]
    assert against([*grid(same), *unscored], [*grid(same), *unscored]).unchanged == 6


def test_nothing_in_common_is_an_error_that_names_what_there_is():
    with pytest.raises(
        CompareError, match=r"nothing in common.*'a.db' has MLP, Oja on images/digits.*'b.db' has MLP, Oja on logic/new"
    ):
        against(grid(same), grid(same, tasks=["logic/new"]))
    with pytest.raises(CompareError, match="nothing in common"):
        against([row(outcome="not_applicable")], [row(outcome="not_applicable")])


def test_an_empty_side_is_an_error_that_names_it():
    with pytest.raises(ReportError, match=r"a\.db holds no trials"):
        against([], grid(same))


# ---------------------------------------------------------------- on the page


def html(text):
    return MarkdownIt("commonmark", {"html": True}).enable("table").render(text)


def many(count, name=lambda i: f"logic/t{i}"):
    tasks = [name(i) for i in range(count)]
    return against(grid(lambda *_: 0.9, ["MLP"], tasks, 1), grid(lambda *_: 0.1, ["MLP"], tasks, 1))


def test_long_lists_are_cut_folded_and_counted():
    text = markdown(many(SHOWN + FOLDED + 7))
    lines = text.splitlines()
    assert sum(line.startswith("| `MLP` | `logic/") for line in lines) == SHOWN + FOLDED
    assert f"<details><summary>{FOLDED + 7} more</summary>" in lines
    assert "and 7 more" in lines
    assert len(text) < 65_000
    shown = text[: text.index("<details>")]
    assert sum(line.startswith("| `MLP` | `logic/") for line in shown.splitlines()) == SHOWN


def test_the_markdown_is_made_of_tables_that_a_reader_of_markdown_sees():
    page = html(markdown(many(SHOWN + 5)))
    assert page.count("<table>") == 3  # learners, cells, and those folded
    assert page.count("<tr>") == 3 + 1 + SHOWN + 5


def test_names_and_reasons_are_never_markup():
    """Whatever a name holds, the page has the same elements as with a harmless one."""

    def page(name):
        before = [*grid(same, [name], [f"logic/{name}"]), row(name, "logic/x", 9), row(name, f"logic/only {name}")]
        after = [*grid(lambda *_: 0.0, [name], [f"logic/{name}"]), row(name, "logic/x", 9, outcome="error", reason=name)]
        return html(markdown(compare(store(before, name), store(after, name))))

    def elements(text):
        return re.findall(r"<[^>]*>", text)

    assert elements(page(HOSTILE)) == elements(page("harmless"))
    assert "<img" not in page(HOSTILE)


@pytest.mark.parametrize("text", [HOSTILE, "a`b", "``", "\\", "a\\", "a|b", "\n\n# x", "\u2028x", "x" * 1000, "", " "])
def test_a_span_of_code_is_one_and_stays_in_its_cell(text):
    page = html(f"| a | b |\n|---|---|\n| {code(text)} | end |")
    assert re.findall(r"<td>", page) == ["<td>"] * 2
    assert "<td>end</td>" in page
    assert page.count("<code>") == (1 if text.strip() else 0)


def test_a_page_is_the_same_for_the_same_results():
    rng = np.random.default_rng()
    before, after = grid(drawn(rng)), grid(drawn(rng))
    assert markdown(against(before, after)) == markdown(against(before[::-1], after[::-1]))
