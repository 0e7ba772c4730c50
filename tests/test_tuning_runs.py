"""Runs that tune: cut, resumed, in parts, from Python and from the command line."""

import importlib
import json
import sys
from pathlib import Path

import pytest

from harness import api, protocol, tuning
from harness.export import export
from harness.plan import Wish, make
from harness.protocol import perform
from harness.registry import find
from harness.store import Store
from harness.tuning import MOST

sys.path.append(str(Path(__file__).parent))
shared = importlib.import_module("bench")
cli, rows = shared.cli, shared.rows

FOUND = find()

SMALL = dict(learners=["Perceptron"], tasks=["logic/and"], controls=False, claims=False, replicates=[0, 1], tune=3)
TOTAL = 2 + 3 + 2
LIMITS = dict(jobs=0, timeout=60.0, memory=1 << 30)


def cut_after(n):
    """Listens to a run and interrupts it once so many trials are finished."""
    seen = []

    def hear(event):
        if event.kind == "finished":
            seen.append(event)
            if len(seen) == n:
                raise KeyboardInterrupt

    return hear


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The export of a run that was not cut."""
    with Store(tmp_path_factory.mktemp("whole") / "s.db") as store:
        outcome = api.execute(make(FOUND, Wish(**SMALL)), store, **LIMITS)
        assert (outcome.summary.planned, outcome.summary.finished, outcome.summary.left) == (TOTAL, {"ok": TOTAL}, 0)
        assert list(outcome.chosen) == ["Perceptron on logic/and"]
        return export(store, "csv", deterministic=True)


def status(path):
    told = json.loads(cli("status", "--store", path, "--json").stdout)
    return told["planned"], told["done"], told["left"]


@pytest.mark.parametrize("n", range(1, TOTAL))
def test_a_run_that_was_cut_goes_on_in_either_half_and_ends_the_same(n, whole, tmp_path):
    path, made = tmp_path / "s.db", make(FOUND, Wish(**SMALL))
    with Store(path) as store:
        outcome = api.execute(made, store, on_event=cut_after(n), **LIMITS)
        assert (outcome.summary.stopped, outcome.exit_code) == ("interrupted", 130)
        assert (outcome.summary.planned, outcome.summary.left) == (TOTAL, TOTAL - n)
        [search] = made.searches
        tried, run = {t.key for each in search.trials for t in each}, {t.key for t in made.trials[:n]}
        assert (outcome.chosen["Perceptron on logic/and"] is None) == (not tried <= run)
    assert status(path) == (TOTAL, n, TOTAL - n)
    with Store(path) as store:
        outcome = api.execute(made, store, **LIMITS)
        assert outcome.summary.finished.total() == TOTAL - n
        assert (outcome.summary.stored, outcome.summary.left, outcome.exit_code) == (n, 0, 0)
        assert export(store, "csv", deterministic=True) == whole
        again = api.execute(made, store, **LIMITS)
        assert (again.summary.planned, again.summary.stored, again.summary.finished) == (TOTAL, TOTAL, {})
        assert again.chosen == outcome.chosen
    assert status(path) == (TOTAL, TOTAL, 0)


def test_a_run_that_stops_before_tuned_trials_that_are_there_counts_them(whole, tmp_path):
    with Store(tmp_path / "s.db") as store:
        api.execute(make(FOUND, Wish(**SMALL)), store, **LIMITS)
        more = make(FOUND, Wish(**SMALL | dict(replicates=[0, 1, 2])))
        outcome = api.execute(more, store, on_event=cut_after(1), **LIMITS)
        assert (outcome.summary.planned, outcome.summary.left) == (3 + 3 + 3, 1)
    assert whole


def test_a_tuned_trial_that_fails_is_a_failure_of_the_run(tmp_path, monkeypatch):
    def fail_when_tuned(trial, compiling):
        if trial.tuned:
            raise ValueError("on purpose")
        return perform(trial, compiling)

    monkeypatch.setattr(protocol, "perform", fail_when_tuned)
    with Store(tmp_path / "s.db") as store:
        outcome = api.execute(make(FOUND, Wish(**SMALL)), store, **LIMITS)
    assert (outcome.failed, outcome.exit_code, outcome.summary.left) == (2, 1, 0)


def test_a_search_without_a_choice_is_told_and_left(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tuning, "choose", lambda *_: None)
    words = "run", "--task", "logic/and", "--learner", "Perceptron", "--no-controls", "--jobs", "0", "--tune", "3"
    done = cli(*words)
    assert "Tuning: 1 search among 3 settings; the default won 0; 1 not decided" in done.stderr
    assert status("hebbench.db") == (1 + 3 + 1, 1 + 3, 1)
    assert json.loads(cli(*words, "--json").stdout)["left"] == 1


def test_shards_keep_a_search_together_and_merge_into_the_whole(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tasks = [f"logic/{name}" for name in ("and", "or", "xor", "nand")]
    wish = dict(SMALL, tasks=tasks)
    made = make(FOUND, Wish(**wish))
    for i in (1, 2, 3):
        mine = api.shard(made, i, 3)
        names = {s.name for s in mine.searches}
        keys = {t.key for t in mine.trials}
        assert all((t.key in keys) == (s.name in names) for s in made.searches for trials in s.trials for t in trials)
        with Store(f"{i}.db") as store:
            assert api.execute(mine, store, **LIMITS).summary.left == 0
    shards = [api.shard(made, i, 3) for i in (1, 2, 3)]
    assert sorted(s.name for shard in shards for s in shard.searches) == sorted(s.name for s in made.searches)
    assert sorted(t.key for shard in shards for t in shard.trials) == [t.key for t in made.trials]
    with Store("whole.db") as store:
        api.execute(made, store, **LIMITS)
    cli("merge", "1.db", "2.db", "3.db", "--output", "merged.db")
    frozen = [cli("export", "--store", f"{name}.db", "--deterministic").stdout for name in ("whole", "merged")]
    assert frozen[0] == frozen[1]
    assert len(rows("merged.db")) == 4 * TOTAL


def test_python_tunes_as_well(tmp_path):
    words = {k: v for k, v in SMALL.items() if k != "claims"}
    outcome = api.run(store=tmp_path / "s.db", jobs=0, **words)
    assert outcome.summary.planned == TOTAL
    assert sum(r["tuned"] for r in rows(tmp_path / "s.db")) == 2


# ---------------------------------------------------------------- the command line

WORDS = "run", "--task", "logic/and", "--learner", "Perceptron", "--no-controls", "--jobs", "0", "--seeds", "2", "--store", "s.db"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("k", ["-1", "1", "a", "2.0", "1e1", "", str(MOST + 1), "²"])
def test_a_wrong_number_is_a_usage_error_before_any_work(k, here):
    done = cli(*WORDS, "--tune", k, code=2)
    assert "give the number of settings to try, 2 to 1024" in " ".join(done.stderr.split())
    assert list(here.iterdir()) == []


def test_the_account_tells_what_tuning_came_to_in_one_line(here):
    done = cli(*WORDS, "--tune", "3")
    assert f"{TOTAL} trials in s.db: {TOTAL} ok; 0 were there before." in done.stderr
    won = next(r for r in rows("s.db") if r["tuned"])["params"] == {}
    assert f"Tuning: 1 search among 3 settings; the default won {int(won)}.\n" in done.stderr
    assert f"{TOTAL} trials planned, all in s.db already; nothing to do." in cli(*WORDS, "--tune", "3").stderr
    told = json.loads(cli(*WORDS, "--tune", "3", "--json").stdout)
    assert list(told) == ["schema", "planned", "stored", "left", "stopped", "by_outcome", "claims"]
    assert (told["planned"], told["stored"]) == (TOTAL, TOTAL)
    assert "Tuning" not in cli(*WORDS, "--tune", "0").stderr
    assert "Tuning" not in cli(*WORDS).stderr


def test_a_dry_run_counts_what_tuning_will_lead_to(here):
    def left(*words):
        told = json.loads(cli(*WORDS, *words, "--dry-run", "--json").stdout)
        return told["planned"], told["left"]

    assert left("--tune", "3") == (TOTAL, TOTAL)
    assert left() == (2, 2)
    cli(*WORDS)
    assert left("--tune", "3") == (TOTAL, TOTAL - 2)
    cli(*WORDS, "--tune", "3")
    assert left("--tune", "3") == (TOTAL, 0)
    assert left("--tune", "3", "--force") == (TOTAL, TOTAL)
    assert left("--tune", "5") == (2 + 5 + 2, 2 + 2)


def test_a_file_may_ask_for_tuning(here):
    here.joinpath("c.toml").write_text("tune = 3\n")
    cli(*WORDS[:1], "--config", "c.toml", *WORDS[1:])
    assert len(rows("s.db")) == TOTAL
    here.joinpath("c.toml").write_text("tune = 1\n")
    assert "tune='1'" in cli(*WORDS[:1], "--config", "c.toml", *WORDS[1:], code=2).stderr.replace("tune=1", "tune='1'")


def test_progress_counts_the_tuned_trials_too(here, monkeypatch):
    given_ = []
    real = importlib.import_module("harness.progress").Progress

    def spy(trials, *args, **options):
        given_.append(len(trials))
        return real(trials, *args, **options)

    monkeypatch.setattr("harness.progress.Progress", spy)
    cli(*WORDS, "--tune", "3")
    cli(*WORDS, "--tune", "3")
    assert given_ == [TOTAL, TOTAL]
