"""The suites under pytest: their options, the names of their tests, one run of the plan, and the contract of named learners."""

import html
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness.registry import find
from harness.store import Store

sys.path.append(str(Path(__file__).parent))
shared = importlib.import_module("bench")
ROOT = shared.ROOT
BARE = "-c", "/dev/null", f"--rootdir={ROOT}"
"""Without the configuration of the checkout."""


def session(folder, *words):
    """pytest in a process of its own, in a folder without a configuration, with the plug-in exactly once."""
    look = "from importlib.metadata import entry_points as e; print('harness.pytest_plugin' in str(e(group='pytest11')))"
    installed = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    load = [] if installed.stdout == "True\n" else ["-p", "harness.pytest_plugin"]
    command = [
        sys.executable,
        "-m",
        "pytest",
        *load,
        "--import-mode=importlib",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:benchmark",
        *map(str, words),
    ]
    return subprocess.run(command, cwd=folder, env=shared.environment(), capture_output=True, text=True, timeout=300, check=False)


def run(folder, *words, code=0):
    """What such a session prints, after it has ended with this code."""
    done = session(folder, *words)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def ids(text):
    """The names in brackets of a listing or a verbose run, in order."""
    return re.findall(r"::\w+\[((?:[^\[\]]|\[[^\[\]]*\])+)\]", text)


@pytest.fixture
def rule(tmp_path):
    """A file with a learner that keeps the contract but for one thing: it gives no source."""
    tmp_path.joinpath("mine.py").write_text(shared.rule("Mine"))
    return "mine.py"


def test_the_options_are_there(tmp_path):
    text = run(tmp_path, "--pyargs", "suites", "--help")
    assert {"--hebbench-store", "--hebbench-preset", "--hebbench-report", "--learner"} <= set(re.findall(r"--[\w-]+", text))


def test_each_claim_is_a_test_of_its_own(tmp_path):
    text = run(tmp_path, "--pyargs", "suites", "--collect-only", "-q")
    claims = {f"{suite.name}/{claim.id}" for suite in find().suites.values() for claim in suite.claims}
    assert {name for name in ids(text) if "/" in name} == claims
    assert "test_no_trial_failed" in text


def test_each_check_of_a_named_learner_is_a_test_of_its_own(tmp_path, rule):
    text = run(
        tmp_path, "--pyargs", "suites", "--collect-only", "-q", "-k", "test_contract", "--learner", rule, "--learner", "Majority"
    )
    names = ids(text)
    assert {name.partition(":")[0] for name in names} == {"Mine", "Majority"}
    assert {"Mine:compiled_equals_python", "Mine:source_is_given", "Majority:same_seed_same_bytes"} <= set(names)
    assert "Majority:compiled_equals_python" not in names


def test_a_check_passes_or_fails_by_itself(tmp_path, rule):
    words = "--pyargs", "suites", "-k", "test_contract and (source_is_given or sizes_agree)", "--learner", rule, "-rA", "-q"
    text = run(tmp_path, *words, code=1)
    assert "PASSED" in next(line for line in text.splitlines() if "[Mine:sizes_agree]" in line and "SED" in line)
    assert "FAILED" in next(line for line in text.splitlines() if "[Mine:source_is_given]" in line and "ED" in line.split()[0])


def test_settings_of_a_learner_are_checked_and_shown(tmp_path):
    words = "--pyargs", "suites", "-k", "hyperparameters_at_their_ends", "--learner", "Perceptron[rate=0.5]", "-v"
    assert ids(run(tmp_path, *words)) == ["Perceptron[rate=0.5]:hyperparameters_at_their_ends"]


@pytest.mark.parametrize("learner", ["Perceptrom", "MLP[hiden=3]", "none.py"])
def test_an_unknown_learner_is_a_mistake_before_any_test(tmp_path, learner):
    done = session(tmp_path, "--pyargs", "suites", "--learner", learner)
    assert done.returncode == 4
    assert "ERROR: " in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_claims_are_asked_of_one_run_whose_trials_are_kept_and_not_run_again(tmp_path):
    words = (
        "suites/logic",
        "suites/test_trials.py",
        "--learner",
        "Perceptron",
        "--hebbench-store",
        tmp_path / "p.db",
        *BARE,
        "-v",
        "-rs",
    )
    first = run(ROOT, *words, "--hebbench-report", tmp_path / "p.html")
    with Store(tmp_path / "p.db") as store:
        rows, kept = store.rows(), store.claims()
        assert set(store.plans()["latest"]) == {row["key"] for row in rows}
    assert {(row["suite"], row["preset"]) for row in rows} == {("logic", "smoke")}
    assert {row["learner"] for row in rows if row["family"] != "control"} == {"Perceptron"}
    assert {name: claim["status"] for name, claim in kept.items()} == {
        "logic/perceptron-learns-the-14": "held",
        "logic/textbook-and": "undecided",
    }
    seen = {name: line.split()[1] for line in first.splitlines() if "::" in line for name in ids(line)}
    assert seen.pop("logic/perceptron-learns-the-14") == "PASSED"
    assert set(seen.values()) == {"SKIPPED"}
    assert "test_no_trial_failed PASSED" in first
    assert kept["logic/textbook-and"]["reason"] in first
    assert "not asked: it speaks of learners or tasks that this run leaves out" in first
    page = html.unescape((tmp_path / "p.html").read_text())
    assert all(claim["text"] in page for claim in kept.values())
    run(ROOT, *words)
    with Store(tmp_path / "p.db") as store:
        assert store.rows() == rows
        assert store.claims() == kept


@pytest.fixture
def suite(tmp_path):
    """A suite of one's own, as `pytest` would collect it, with a claim that this run breaks and one that it cannot decide."""
    site = tmp_path / "site"
    text = """
import numpy as np
from harness.claim import Claim, Needs, Verdict
from harness.task import Dataset, Split, Task

def sides(n_train, n_valid, n_test, rng):
    parts = [rng.random((n, 1, 2)).astype(np.float32) for n in (n_train, n_valid, n_test)]
    return Dataset(*(Split(X, (X[:, 0, 0] > 0.5).astype(np.int64)) for X in parts), n_classes=2)

def decide(frame):
    return Verdict("broken", 0.25, (0.1, 0.4), "at least 1/2", "as told")

TASKS = (Task(name="mine/sides", doc="Sides.", generate=sides, chance=0.5, sizes=(60, 20, 40)),)
CLAIMS = (
    Claim(id="broken", text="B.", source="nobody", decide=decide, needs=[Needs("Perceptron", "mine/sides", 1)]),
    Claim(id="open", text="O.", source="nobody", decide=decide, needs=[Needs("Perceptron", "mine/sides", 5)], since="full"),
)
"""
    shared.install(site, "other-tasks", {"other_tasks.py": text}, tasks="other_tasks")
    there = tmp_path / "mine"
    there.mkdir()
    test = (ROOT / "suites" / "separable" / "test_separable.py").read_text().replace("separable/", "mine/")
    there.joinpath("test_mine.py").write_text(test.replace("suites.separable.claims", "other_tasks"))
    return site


def test_a_broken_claim_fails_with_its_figure_and_an_open_one_is_skipped_with_what_it_lacks(tmp_path, suite, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(suite))
    monkeypatch.setattr(shared, "environment", lambda *places, known=shared.environment: known(suite, *places))
    text = run(tmp_path, "mine", "--hebbench-store", "s.db", "--learner", "Perceptron", "-rs", code=1)
    assert (
        "0.25 [0.1, 0.4] held against at least 1/2: as told" in text
        or "0.25 (0.1, 0.4) held against at least 1/2: as told" in text
    )
    assert "lacks 5 of 5 trials; the preset full runs them all" in text
    assert "1 failed, 1 skipped" in text


def test_a_store_that_cannot_be_used_is_named_without_a_traceback(tmp_path):
    words = "suites/separable", "--hebbench-store", "/proc/s.db", *BARE
    text = run(ROOT, *words, code=1)
    assert "store='/proc/s.db' is in a place that cannot be written" in text
    assert "harness/storefile.py" not in text


def test_a_report_that_cannot_be_made_says_why_at_the_end(tmp_path):
    text = run(tmp_path, "--pyargs", "suites", "-k", "nothing_of_that_name", "--hebbench-report", "r.html", code=5)
    assert "hebbench report: store='hebbench.db' does not exist" in text
    assert not tmp_path.joinpath("r.html").exists()


def test_a_session_without_claims_makes_no_store(tmp_path, rule):
    run(tmp_path, "--pyargs", "suites", "-k", "sizes_agree", "--learner", rule)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mine.py"]


def test_the_plug_in_costs_a_session_of_others_nothing(tmp_path):
    heavy = "{'numba', 'harness.registry', 'harness.store'}"
    tmp_path.joinpath("test_mine.py").write_text(f"import sys\n\ndef test_it():\n    assert not {heavy} & set(sys.modules)\n")
    run(tmp_path, "test_mine.py")
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["test_mine.py"]
