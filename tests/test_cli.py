"""The command line: every command and option, what it prints where, and how it ends."""

import importlib
import json
import shlex
import sqlite3
import sys
from pathlib import Path

import pytest

import harness
from harness import describe, registry
from harness.cli import main
from harness.store import Store

sys.path.append(str(Path(__file__).parent))
shared = importlib.import_module("bench")
faults = importlib.import_module("faults")
bench, cli, rows, rule = shared.bench, shared.cli, shared.rows, shared.rule

HERE = "--task", "logic/and", "--jobs", "0"
ONE = "run", *HERE, "--learner", "Perceptron", "--no-controls", "--store"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A folder of its own for each test."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A store that a real run made, with workers: the run and its folder."""
    folder = tmp_path_factory.mktemp("ran")
    words = "--task", "logic/and", "--task", "logic/parity", "--learner", "Perceptron", "--learner", "MLP[hidden=8]"
    return bench("run", "smoke", *words, "--seeds", "2", "--jobs", "2", "--json", cwd=folder), folder


# ---------------------------------------------------------------- what there is


def test_python_m_harness_is_hebbench_and_offers_the_commands(here):
    done = bench("--help", cwd=here)
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: hebbench ")
    there = "list run status report compare check audit new explain why merge export doctor clean"
    assert set(main.commands) == set(there.split())


def test_run_takes_the_options_of_the_surface():
    options = {word for p in main.commands["run"].params for word in p.opts}
    promised = """store learner task suite no-controls seeds jobs timeout memory tune shard retry-failed force fail-fast dry-run
    report config quiet json"""
    assert {f"--{word}" for word in promised.split()} <= options


@pytest.mark.parametrize("command", ["run", "status", "report", "export", "why"])
def test_the_store_is_hebbench_db_where_nothing_else_is_said(command):
    assert "[default: hebbench.db]" in " ".join(cli(command, "--help").stdout.split())


def test_the_version_is_told_even_in_a_checkout():
    assert cli("--version").stdout.startswith("hebbench")


def test_list_is_for_people_and_for_programs():
    text = cli("list").stdout
    assert "Perceptron" in text
    assert "\nlogic\n" in text
    assert "  logic/parity                 n 2, 3, 4" in text
    assert "  claim logic/perceptron-learns-the-14" in text
    found = json.loads(cli("list", "--json").stdout)
    assert list(found) == ["schema", "learners", "tasks", "suites", "presets", "broken"]
    assert found["presets"] == ["smoke", "quick", "full"]
    assert found["broken"] == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("perceptron", ["# Perceptron", "* `rate` = ", "learners.perceptron:Perceptron (builtin)"]),
        ("Logic/Parity", ["# logic/parity", "Ladder: n = 2, 3, 4", "(smoke: 2, 3, 4)"]),
        ("logic/textbook-and", ["# logic/textbook-and", "Source: ", "Perceptron", "1000 replicates"]),
        ("shifted/mnist1d-mlp", ["Published: "]),
        ("LOGIC", ["# logic", "* logic/xor"]),
    ],
)
def test_explain_says_what_a_name_stands_for(name, words):
    text = cli("explain", name).stdout
    assert [word for word in words if word not in text] == []


def test_a_card_states_the_rule_as_its_kernels_do_and_nothing_that_is_the_harness_s():
    cards = {card["name"]: card for card in describe.cards(registry.find())}
    assert cards["Perceptron"]["equation"] == [
        "respond: y = W x + b.",
        "learn: Where a unit fired wrongly: W += rate (target - fired) x, b += rate (target - fired).",
    ]
    assert cards["Majority"]["equation"] == []


def test_a_range_is_explained_whole(monkeypatch):
    """One that ends in ones, as 1 to 11, is not cut."""
    entry = registry.find().learner("Perceptron")
    card = describe.listed(entry)
    wide = dict(choices=[], low=1, high=11, search=[1, 11])
    changed = wide, wide | dict(unit="mV"), wide | dict(search=[2, 3]), wide | dict(search=None)
    card["hyperparameters"] = [card["hyperparameters"][0] | dict(unit="1") | given for given in changed]
    monkeypatch.setattr(describe, "listed", lambda _: card)
    text = describe.learner_text(entry)
    for words in "(1 to 11)", "(1 to 11 mV)", "(1 to 11; tuned over 2 to 3)", "(1 to 11; not tuned)":
        assert words in text


# ---------------------------------------------------------------- run


def test_a_run_fills_the_store_and_speaks_json_alone_on_stdout(ran):
    done, folder = ran
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert list(told) == ["schema", "planned", "stored", "left", "stopped", "by_outcome", "claims"]
    found = rows(folder / "hebbench.db")
    assert (told["planned"], told["stored"], told["left"], told["stopped"]) == (len(found), 0, 0, "")
    assert told["by_outcome"] == {"ok": len(found)}
    assert sorted(told["claims"]) == ["broken", "held", "undecided"]
    assert f"{len(found)} trials in hebbench.db: {len(found)} ok; 0 were there before." in done.stderr


def test_learners_rungs_and_replicates_meet_and_controls_run_with_them(ran):
    found = rows(ran[1] / "hebbench.db")
    assert {r["learner"] for r in found} == {
        "Perceptron", "MLP", "Chance", "Majority", "Logistic", "NearestNeighbour", "RandomFeatures", "RidgeFeatures",
        "FrozenHidden",
    }  # fmt: skip
    for learner in {r["learner"] for r in found}:
        mine = sorted((r["task"], r["rung"] or 0, r["replicate"]) for r in found if r["learner"] == learner)
        rungs = [("logic/and", 0), *(("logic/parity", n) for n in (2, 3, 4))]
        assert mine == [(task, rung, replicate) for task, rung in rungs for replicate in (0, 1)]
    assert {tuple(r["params"].items()) for r in found if r["learner"] == "MLP"} == {(("hidden", 8),)}
    assert {r["preset"] for r in found} == {"smoke"}


def test_no_controls_leaves_them_out(here):
    cli(*ONE, "s.db")
    assert [r["learner"] for r in rows("s.db")] == ["Perceptron"]


def test_a_second_run_does_nothing_and_says_so():
    first = cli(*ONE, "s.db")
    assert "1 trial in s.db: 1 ok; 0 were there before." in first.stderr
    before = rows("s.db")
    second = cli(*ONE, "s.db")
    assert "1 trial planned, all in s.db already; nothing to do." in second.stderr
    assert second.stdout == ""
    assert rows("s.db") == before


def test_a_wider_run_adds_only_what_is_missing():
    cli(*ONE, "s.db")
    before = rows("s.db")
    assert "2 trials in s.db: 1 ok; 1 were there before." in cli(*ONE, "s.db", "--seeds", "2").stderr
    assert [r for r in rows("s.db") if r["replicate"] == 0] == before


@pytest.mark.parametrize(("seeds", "expected"), [("3", [0, 1, 2]), ("3,7", [3, 7]), ("7,3", [3, 7]), ("5,", [5])])
def test_seeds_are_a_number_of_replicates_or_the_replicates_themselves(seeds, expected):
    cli(*ONE, "s.db", "--seeds", seeds)
    assert sorted(r["replicate"] for r in rows("s.db")) == expected


def test_names_are_matched_without_regard_to_case():
    cli(
        "run",
        "--suite",
        "Logic",
        "--task",
        "LOGIC/And",
        "--learner",
        "pErCePtRoN",
        "--no-controls",
        "--jobs",
        "0",
        "--store",
        "s.db",
    )
    assert [(r["learner"], r["task"]) for r in rows("s.db")] == [("Perceptron", "logic/and")]


def test_a_learner_is_a_name_with_settings_a_class_in_a_module_or_a_file(here):
    here.joinpath("mine.py").write_text(rule("Mine"))
    words = "MLP[hidden=8]", "learners.perceptron:Perceptron", "mine.py", "mine.py[rate=0.25]"
    cli("run", *HERE, "--no-controls", "--store", "s.db", *(w for word in words for w in ("--learner", word)))
    assert sorted((r["learner"], r["origin"], r["params"]) for r in rows("s.db") if r["learner"] != "Mine") == [
        ("MLP", "builtin", {"hidden": 8}),
        ("Perceptron", "builtin", {}),
    ]
    assert [r["origin"] for r in rows("s.db") if r["learner"] == "Mine"] == ["file", "file"]
    assert {tuple(r["params"].items()) for r in rows("s.db") if r["learner"] == "Mine"} == {(), (("rate", 0.25),)}


def test_quiet_says_nothing():
    done = cli(*ONE, "s.db", "--quiet")
    assert (done.stdout, done.stderr) == ("", "")


def test_shards_share_the_plan_and_merge_into_the_whole():
    words = "run", "--task", "logic/and", "--learner", "Perceptron", "--no-controls", "--seeds", "7", "--jobs", "0"
    cli(*words, "--store", "whole.db")
    for i in (1, 2, 3):
        cli(*words, "--shard", f"{i}/3", "--store", f"{i}.db")
    assert sum(len(rows(f"{i}.db")) for i in (1, 2, 3)) == 7
    done = cli("merge", "1.db", "2.db", "3.db", "--output", "merged.db")
    assert (done.stdout, done.stderr) == ("", "merged.db: 7 rows, 0 were there twice.\n")
    frozen = [cli("export", "--store", store, "--deterministic").stdout for store in ("whole.db", "merged.db")]
    assert frozen[0] == frozen[1]


def test_an_empty_shard_is_no_mistake():
    done = [cli(*ONE, f"{i}.db", "--shard", f"{i}/2") for i in (1, 2)]
    assert sorted("0 trials planned" in each.stderr for each in done) == [False, True]


def test_a_dry_run_counts_and_writes_nothing(here):
    done = cli(*ONE, "s.db", "--seeds", "4", "--dry-run")
    assert done.stdout.startswith("4 trials, 4 left to do for s.db, of which 4 run; how long is not known yet")
    assert list(here.iterdir()) == []


def test_a_dry_run_expects_what_the_store_has_seen(here):
    cli(*ONE, "s.db", "--seeds", "2")
    told = json.loads(cli(*ONE, "s.db", "--seeds", "6", "--dry-run", "--json").stdout)
    assert list(told) == ["schema", "planned", "left", "to_run", "seconds"]
    assert (told["planned"], told["left"], told["to_run"]) == (6, 4, 4)
    took = [r["train_s"] + r["infer_s"] for r in rows("s.db")]
    assert told["seconds"] == pytest.approx(4 * sum(took) / 2)
    assert "about 0 s with 1 worker, by the trials of s.db" in cli(*ONE, "s.db", "--seeds", "6", "--dry-run").stdout


def test_a_dry_run_counts_what_the_options_would_repeat(here):
    here.joinpath("bad.py").write_text(rule("Bad", body="raise ValueError('on purpose')"))
    words = "run", *HERE, "--learner", "bad.py", "--learner", "Perceptron", "--no-controls", "--store", "s.db"
    cli(*words, code=1)
    left = {
        option: json.loads(cli(*words, "--dry-run", "--json", option).stdout)["left"]
        for option in ("--quiet", "--retry-failed", "--force")
    }
    assert left == {"--quiet": 0, "--retry-failed": 1, "--force": 2}


def test_a_trial_that_cannot_apply_is_recorded_and_is_no_failure():
    done = cli(
        "run", "--task", "separable/gaussian", "--learner", "McCullochPitts", "--no-controls", "--jobs", "0", "--store", "s.db"
    )
    found = rows("s.db")
    assert {r["outcome"] for r in found} == {"not_applicable"}
    assert "truth tables" in found[0]["reason"]
    assert f"{len(found)} not_applicable" in done.stderr


def test_with_no_workers_and_with_two_the_rows_are_the_same():
    words = "run", "--task", "logic/and", "--learner", "Perceptron", "--seeds", "2", "--quiet"
    cli(*words, "--jobs", "0", "--store", "0.db")
    assert bench(*words, "--jobs", "2", "--store", "2.db", cwd=".").returncode == 0
    frozen = [cli("export", "--store", store, "--deterministic").stdout for store in ("0.db", "2.db")]
    assert frozen[0] == frozen[1]


# ---------------------------------------------------------------- when trials fail


@pytest.fixture
def failing(here):
    """The words of a run with one good and one bad trial, which stays bad while a file is there."""
    here.joinpath("stop").touch()
    body = f"if __import__('os').path.exists({str(here / 'stop')!r}): raise ValueError('on purpose')"
    here.joinpath("bad.py").write_text(rule("Bad", body=body))
    return "run", *HERE, "--learner", "bad.py", "--learner", "Perceptron", "--no-controls", "--store", "s.db"


def outcomes():
    return sorted((r["learner"], r["attempt"], r["outcome"]) for r in rows("s.db"))


def test_a_failed_trial_is_exit_1_with_its_reason_and_is_not_repeated_unasked(failing):
    done = cli(*failing, code=1)
    assert "1 error, 1 ok" in done.stderr
    (bad,) = (r for r in rows("s.db") if r["learner"] == "Bad")
    assert (bad["outcome"], "on purpose" in bad["reason"], bad["score"]) == ("error", True, None)
    again = cli(*failing, code=1)
    assert "nothing to do" in again.stderr
    assert "1 trial failed: `hebbench report` gives the reasons, --retry-failed repeats them." in again.stderr
    assert outcomes() == [("Bad", 1, "error"), ("Perceptron", 1, "ok")]


def test_retry_failed_repeats_what_failed_alone(failing, here):
    cli(*failing, code=1)
    here.joinpath("stop").unlink()
    cli(*failing, "--retry-failed")
    assert outcomes() == [("Bad", 1, "error"), ("Bad", 2, "ok"), ("Perceptron", 1, "ok")]
    status = json.loads(cli("status", "--store", "s.db", "--json").stdout)
    assert (status["failed"], status["ok"]) == (0, 2)


def test_force_repeats_everything_as_new_attempts(failing, here):
    cli(*failing, code=1)
    here.joinpath("stop").unlink()
    cli(*failing, "--force")
    assert outcomes() == [("Bad", 1, "error"), ("Bad", 2, "ok"), ("Perceptron", 1, "ok"), ("Perceptron", 2, "ok")]
    assert len(rows("s.db", "--deterministic")) == 2


def test_fail_fast_stops_at_the_first_failure_and_says_how_to_go_on(failing, here, monkeypatch):
    words = ["run", *HERE, "--learner", "bad.py", "--no-controls", "--store", "s.db", "--seeds", "20", "--fail-fast"]
    monkeypatch.setattr(sys, "argv", ["hebbench", *words])
    done = cli(*words, code=1)
    assert outcomes() == [("Bad", 1, "error")]
    assert "Stopped at the first failure. 19 trials left; what is finished is in s.db. To go on:\n  hebbench run " in done.stderr
    told = json.loads(cli("status", "--store", "s.db", "--json").stdout)
    assert (told["planned"], told["done"], told["left"]) == (20, 1, 19)


def test_the_command_to_go_on_can_be_pasted(failing, monkeypatch):
    words = [*failing, "--fail-fast", "--learner", "Perceptron[rate=0.5]", "--store", "it's.db"]
    monkeypatch.setattr(sys, "argv", ["hebbench", *words])
    (line,) = (each for each in cli(*words, code=1).stderr.splitlines() if each.startswith("  hebbench"))
    assert shlex.split(line) == ["hebbench", *words]


def test_a_worker_that_crashes_or_never_ends_is_exit_1(here):
    here.joinpath("exits.py").write_text(rule("Exits", body="import os; os._exit(3)"))
    here.joinpath("spins.py").write_text(rule("Spins", body="while True: pass"))
    words = "--learner", "exits.py", "--learner", "spins.py", "--learner", "Perceptron", "--task", "logic/and", "--no-controls"
    done = bench("run", *words, "--jobs", "2", "--timeout", "2", "--memory", "2GB", "--store", "s.db", cwd=here)
    assert done.returncode == 1, done.stderr
    assert outcomes() == [("Exits", 1, "crashed"), ("Perceptron", 1, "ok"), ("Spins", 1, "timeout")]
    assert "exit code 3" in next(r["reason"] for r in rows("s.db") if r["learner"] == "Exits")


# ---------------------------------------------------------------- defaults from a file


def test_a_file_gives_defaults_of_every_kind_and_the_command_line_wins(here):
    here.joinpath("c.toml").write_text(
        'preset = "quick"\nlearner = ["Perceptron", "Majority"]\ntask = "logic/or"\nno-controls = true\nseeds = [3, 7]\n'
        'store = "s.db"\njobs = 0\ntimeout = 30\nmemory = "1GB"\njson = true\nshard = "1/1"\n'
    )
    assert json.loads(cli("run", "--config", "c.toml").stdout)["planned"] == 4
    assert {(r["preset"], r["replicate"]) for r in rows("s.db")} == {("quick", 3), ("quick", 7)}
    assert json.loads(cli("run", "--config", "c.toml", "--seeds", "1").stdout)["planned"] == 2
    assert json.loads(cli("run", "smoke", "--learner", "Chance", "--config", "c.toml", "--dry-run").stdout)["planned"] == 2


def test_a_single_seed_in_a_list_is_that_one(here):
    here.joinpath("c.toml").write_text("seeds = [4]")
    cli(*ONE, "s.db", "--config", "c.toml")
    assert [r["replicate"] for r in rows("s.db")] == [4]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('lerner = "MLP"', ["option='lerner'", "Did you mean learner?"]),
        ("learner = 3", ["learner=3", "a list of texts"]),
        ("learner = [3]", ["learner=[3]", "a list of texts"]),
        ('no-controls = "yes"', ["no-controls='yes'", "true or false"]),
        ("jobs = true", ["jobs=True", "text or a number"]),
        ("[jobs]\nn = 2", ["jobs={'n': 2}", "text or a number"]),
        ("jobs = -1", ["-1 is not in the range"]),
        ('preset = "fast"', ["'fast' is not one of 'smoke', 'quick', 'full'"]),
        ('config = "d.toml"', ["option='config'"]),
        ("seeds = [1.5]", ["seeds='1.5,'"]),
        ("learner = ", ["c.toml cannot be read"]),
        ("\udcff", ["c.toml cannot be read"]),
        (None, ["c.toml cannot be read: [Errno 2]"]),
    ],
)
def test_a_mistake_in_the_file_is_named(here, text, words):
    if text is not None:
        here.joinpath("c.toml").write_bytes(text.encode(errors="surrogateescape"))
    told = cli("run", "--config", "c.toml", "--dry-run", code=2).stderr
    assert [word for word in words if word not in told] == []


# ---------------------------------------------------------------- what comes out


def test_the_report_goes_to_a_file_or_to_stdout_and_is_the_same(ran, here):
    store = ran[1] / "hebbench.db"
    done = cli("report", "--store", store, "--output", "r.html")
    assert done.stdout == ""
    assert done.stderr.startswith("Wrote r.html (")
    page = here.joinpath("r.html").read_text()
    assert page.startswith("<!doctype html>")
    assert cli("report", "--store", store, "--output", "-").stdout == page
    assert [p.name for p in here.iterdir()] == ["r.html"]


def test_a_run_writes_its_report_as_well(here):
    cli(*ONE, "s.db", "--report", "a.html", "--quiet")
    cli("report", "--store", "s.db", "--output", "b.html")
    assert here.joinpath("a.html").read_bytes() == here.joinpath("b.html").read_bytes()


def test_a_report_that_could_not_be_written_is_refused_before_the_run(here):
    assert "there is no folder 'nowhere'" in cli(*ONE, "s.db", "--report", "nowhere/r.html", code=2).stderr
    assert not here.joinpath("s.db").exists()


@pytest.mark.parametrize("words", [[], ["--format", "json"], ["--deterministic"], ["--curves"], ["--curves", "--format", "json"]])
def test_an_export_goes_to_a_file_or_to_stdout_and_is_the_same(ran, here, words):
    store = ran[1] / "hebbench.db"
    done = cli("export", "--store", store, *words)
    assert done.stderr == ""
    assert cli("export", "--store", store, "--output", "out", *words).output == ""
    assert here.joinpath("out").read_text() == done.stdout
    assert done.stdout.count("\n") == 1 if "json" in words else done.stdout.count("\n") > 1


def test_merge_shows_what_disagrees_and_what_is_damaged(here):
    cli(*ONE, "a.db")
    cli(*ONE, "b.db")
    (row,) = rows("a.db")
    with Store("c.db") as store, Store("b.db") as other:
        store.put(other.rows()[0] | {"score": row["score"] / 2})
    done = cli("merge", "a.db", "b.db", "c.db", "--output", "m.db", code=1)
    assert f"Disagreement: {row['key']} score: " in done.stderr
    assert "1 were there twice" in done.stderr
    db = sqlite3.connect("b.db")
    db.execute("UPDATE trial SET score = 0.123")
    db.commit()
    db.close()
    assert f"Damaged, left out: b.db: {row['key']}" in cli("merge", "a.db", "b.db", "--output", "n.db", code=1).stderr
    assert "never overwritten" in cli("merge", "a.db", "--output", "n.db", code=2).stderr
    assert "'-'" in cli("merge", "a.db", "--output", "-", code=2).stderr


def test_merge_says_whose_word_on_a_learner_it_keeps():
    for name, seed in ("a.db", 1), ("b.db", 2):
        with Store(name) as store:
            store.put_audit("Perceptron", dict(seed=seed))
    assert "The audit of Perceptron is that of b.db; a.db has another." in cli("merge", "a.db", "b.db", "--output", "m.db").stderr


def test_status_tells_how_far_the_latest_run_has_come():
    cli(*ONE, "s.db", "--seeds", "2")
    with Store("s.db") as store:
        (first, second) = store.rows()
        store.put_plan("latest", [first["key"], second["key"], "x", "y", "z", "w"])
        base = {"learner": "L", "task": "s/t"}
        store.put(base | {"key": "x", "outcome": "timeout"})
        store.put(base | {"key": "y", "outcome": "not_applicable"})
        store.put(base | {"key": "z", "outcome": "interrupted"})
        store.put(base | {"key": "of another run", "outcome": "ok"})
    told = json.loads(cli("status", "--store", "s.db", "--json").stdout)
    assert told == dict(
        schema=1, planned=6, done=4, ok=2, failed=1, not_applicable=1, left=2,
        by_outcome={"interrupted": 1, "not_applicable": 1, "ok": 2, "timeout": 1},
    )  # fmt: skip
    assert list(told) == ["schema", "planned", "done", "ok", "failed", "not_applicable", "left", "by_outcome"]
    assert "s.db: 6 planned, 4 done, 1 failed, 2 left" in cli("status", "--store", "s.db").stdout


def test_status_of_shards_merged_counts_what_is_there():
    cli(*ONE, "s.db", "--seeds", "2")
    cli("merge", "s.db", "--output", "m.db")
    assert json.loads(cli("status", "--store", "m.db", "--json").stdout)["done"] == 2


def test_why_names_the_helper_that_was_edited_and_the_run_repeats_what_is_stale(here):
    helper = here / "helper.py"
    text = 'from harness.learner import kernel\n\n\n@kernel\ndef half(x):\n    """x / 2."""\n    return x / {}\n'
    helper.write_text(text.format(2))
    here.joinpath("mine.py").write_text(rule("Mine", imports="from .helper import half", step="half(rate)"))
    words = (
        "run",
        "--task",
        "logic/and",
        "--learner",
        "mine.py",
        "--learner",
        "Perceptron",
        "--no-controls",
        "--jobs",
        "1",
        "--store",
        "s.db",
    )
    assert bench(*words, cwd=here).returncode == 0
    keys = {r["learner"]: r["key"] for r in rows("s.db")}
    assert "this trial is current" in bench("why", keys["Mine"], "--store", "s.db", cwd=here).stdout
    helper.write_text(text.format(4))
    told = bench("why", keys["Mine"][:10], "--store", "s.db", cwd=here).stdout
    assert f"{keys['Mine']}: Mine on logic/and, replicate 0, ok" in told
    assert [line for line in told.splitlines() if line.startswith("  ")] == ["  helper:half changed"]
    assert "this trial is current" in bench("why", keys["Perceptron"], "--store", "s.db", cwd=here).stdout
    assert "2 trials in s.db: 1 ok; 1 were there before." in bench(*words, cwd=here).stderr


def test_why_of_code_that_is_gone_says_so(here):
    here.joinpath("mine.py").write_text(rule("Mine"))
    cli("run", *HERE, "--learner", "mine.py", "--no-controls", "--store", "s.db")
    (row,) = rows("s.db")
    here.joinpath("mine.py").unlink()
    assert "is not where it was" in cli("why", row["key"], "--store", "s.db", code=2).stderr
    with Store("s.db") as store:
        store.put(store.rows()[0] | {"key": "f" * 24, "code_digest": "unknown", "learner_where": "learners.oja:Oja"})
    assert "were not kept with this store" in cli("why", "f" * 24, "--store", "s.db").stdout


@pytest.mark.parametrize(("key", "words"), [("", "2 keys begin so: "), ("zz", "no trial of this store has it")])
def test_why_needs_one_key(key, words):
    cli(*ONE, "s.db", "--seeds", "2")
    assert words in cli("why", key, "--store", "s.db", code=2).stderr


# ---------------------------------------------------------------- learners


def test_check_counts_and_gives_each_check_with_the_command_that_repeats_it():
    told = json.loads(cli("check", "Majority", "--json").stdout)
    assert list(told) == ["schema", "learner", "counts", "checks"]
    counts = told["counts"]
    assert list(counts) == ["run", "passed", "skipped", "failed"]
    assert counts["run"] == counts["passed"] + counts["failed"] > 0
    assert counts["failed"] == 0
    assert len(told["checks"]) == counts["run"] + counts["skipped"]
    for check in told["checks"]:
        assert list(check) == ["id", "status", "reason", "seconds", "reproduce"]
        assert (check["status"] == "passed") == (not check["reason"])
        assert "learners.controls:Majority" in check["reproduce"]
    assert f"Majority: {counts['passed']} passed, 0 failed, {counts['skipped']} skipped" in cli("check", "majority").stdout


def test_a_store_keeps_what_a_check_counted(here):
    counts = json.loads(cli("check", "Majority", "--json", "--store", "kept.db").stdout)["counts"]
    with Store("kept.db", create=False) as store:
        assert store.checks() == {"Majority": counts}


def test_a_check_that_fails_is_exit_1_and_says_why(here):
    here.joinpath("mine.py").write_text(rule("Mine", body="rng = np.random.default_rng()").replace("np.zeros(", "rng.random("))
    done = cli("check", "mine.py", code=1)
    assert "failed   same_seed_same_bytes" in done.stdout
    told = json.loads(cli("check", "mine.py", "--json", code=1).stdout)
    assert told["counts"]["failed"] >= 1


def test_a_file_of_two_learners_is_checked_whole_but_json_is_of_one(here):
    here.joinpath("two.py").write_text(rule("One") + rule("Two").partition("class ")[2].join(["\n\nclass ", ""]))
    assert "One, Two: with --json name one, as two.py:One" in cli("check", "two.py", "--json", code=2).stderr
    assert json.loads(cli("check", "two.py:Two", "--json", code=1).stdout)["learner"] == "Two"


# ---------------------------------------------------------------- for programs


def test_the_outcome_counts_failures_that_were_there_before(failing):
    options = dict(learners=["bad.py", "Perceptron"], tasks=["logic/and"], controls=False, jobs=0, store="s.db")
    first = harness.run(**options)
    second = harness.run(**options)
    assert (first.failed, first.exit_code) == (second.failed, second.exit_code) == (1, 1)
    assert second.summary.stored == 2
