"""`hebbench compare` from outside: stores and commits, exit codes, and what is left behind."""

import importlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness import commits, plan

sys.path.append(str(Path(__file__).parent))
shared = importlib.import_module("bench")
bench, cli, rows = shared.bench, shared.cli, shared.rows

PLAN = "--task", "logic/and", "--no-controls", "--jobs", "0", "--seeds", "8"

LEARNER = '''"""A perceptron that a repository of its own keeps."""
import numpy as np
from harness.learner import Classifier, Synapse, hyper


def init(task, rng):
    """Zero weights, and a bias."""
    return dict(W=np.zeros((task.n_out, task.shape[0])), b=np.zeros(task.n_out), a=np.zeros(task.n_out))


def respond(signal, out, W, b, a):
    """y = W x + b."""
    for k in range(W.shape[0]):
        total = b[k]
        for j in range(W.shape[1]):
            total += W[k, j] * signal[0, j]
        a[k] = 1 if total > 0 else 0
        out[0, k] = total


def learn(target, signal, W, b, a, rate):
    """W += rate (target - a) x."""
    for k in range(W.shape[0]):
        step = {sign}rate * (target[0, k] - a[k])
        b[k] += step
        for j in range(W.shape[1]):
            W[k, j] += step * signal[0, j]


class Kept(Classifier):
    """Moves along its error."""

    rate: float = hyper(default=0.5, doc="step", low=1e-6, high=1e3, log=True, unit="1")
    synapses = (Synapse("W", "signal", "a"), Synapse("b", "1", "a", "bias"))
    init, respond, learn = init, respond, learn
'''


def git(folder, *words):
    who = "-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"
    return subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A repository with a learner: right at `good`, a comment later at `same`, turned round at `bad`, unreadable at `broken`."""
    folder = tmp_path_factory.mktemp("repository")
    git(folder, "init", "--quiet", "--initial-branch", "main")
    kept = folder / "kept.py"
    texts = {
        "good": LEARNER.format(sign=""),
        "same": LEARNER.format(sign="") + "# a comment\n",
        "bad": LEARNER.format(sign="-"),
        "broken": "def\n",
    }
    for name, text in texts.items():
        kept.write_text(text)
        git(folder, "add", "kept.py")
        git(folder, "commit", "--quiet", "--message", name)
        git(folder, "tag", name)
    return folder


@pytest.fixture
def repo(repository, monkeypatch):
    monkeypatch.chdir(repository)
    return repository


def trees(folder):
    """The work trees that git knows of, and what lies about in the folder."""
    return git(folder, "worktree", "list").splitlines(), git(folder, "status", "--porcelain")


def compared(folder, *words, code=0, env=None):
    done = bench("compare", *words, cwd=folder, env=env)
    assert done.returncode == code, done.stdout + done.stderr
    return done


# ---------------------------------------------------------------- commits


def test_a_commit_that_turns_a_rule_round_is_a_fall(repo, tmp_path):
    before = trees(repo)
    words = "--learner", "kept.py", *PLAN, "--keep", tmp_path
    done = compared(repo, "good", "bad", *words, code=1)
    assert done.stdout.startswith("**Significant fall**: `Kept` over all tasks, 1 cell; 1 of 1 cell changed.")
    assert "Wrote" not in done.stderr
    assert len(list(tmp_path.glob("*.db"))) == 2
    assert trees(repo) == before
    again = compared(repo, "good", "bad", *words, code=1)
    assert again.stdout == done.stdout
    assert again.stderr.count("nothing to do") == 2
    assert {r["attempt"] for path in tmp_path.glob("*.db") for r in rows(path)} == {1}
    assert compared(repo, "good", "same", *words).stdout.startswith("**No significant fall**: 0 of 1 cell changed.")
    assert compared(repo, "bad", "good", *words).stdout.startswith("**No significant fall**: 1 of 1 cell changed.")


def test_two_commits_of_hebbench_itself_are_each_run_by_their_own_code(tmp_path):
    """A learner of the project learns backwards in the second commit: the copy that runs is that of the commit."""
    folder = tmp_path / "repository"
    for package in "harness", "learners", "suites", "reports":
        shutil.copytree(shared.ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    git(folder, "init", "--quiet")
    for name, old, new in ("good", "", ""), ("bad", "-rate if fired else rate", "rate if fired else -rate"):
        path = folder / "learners" / "perceptron.py"
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))
        git(folder, "add", ".")
        git(folder, "commit", "--quiet", "--allow-empty", "--message", name)
        git(folder, "tag", name)
    words = "--learner", "Perceptron", *PLAN, "--keep", tmp_path
    done = compared(folder, "good", "bad", *words, code=1, env=shared.environment() | {"PYTHONPATH": str(folder)})
    assert done.stdout.startswith("**Significant fall**: `Perceptron`")


def test_a_commit_against_a_store_and_what_a_kept_store_holds_besides(repo, tmp_path):
    """The store of a commit may hold more from before: what is compared is what was asked for now."""
    compared(repo, "good", "good", "--learner", "kept.py", *PLAN, "--seeds", "2", "--keep", tmp_path)
    (kept,) = tmp_path.glob("*.db")
    shutil.copy(kept, tmp_path / "main.store")
    done = compared(repo, tmp_path / "main.store", "good", "--learner", "kept.py", *PLAN, "--seeds", "1", "--keep", tmp_path)
    assert "Seeds only in the baseline" in done.stdout
    assert git(repo, "rev-parse", "good") in kept.name


def test_a_learner_that_cannot_be_read_is_a_mistake_that_is_told_and_the_tree_goes(repo, tmp_path):
    before = trees(repo)
    done = compared(repo, "good", "broken", "--learner", "kept.py", *PLAN, "--keep", tmp_path, code=2)
    assert "ended with code 2" in done.stderr
    assert done.stdout == ""
    assert trees(repo) == before


def test_the_tree_of_the_commit_comes_first_on_the_path(repo, tmp_path, monkeypatch):
    """Wherever the work tree was on the path, the commit's is there instead."""
    (repo / "src").mkdir(exist_ok=True)
    monkeypatch.setenv("PYTHONPATH", f"{repo / 'src'}:{shared.ROOT}")
    monkeypatch.setattr(sys, "path", ["", str(repo / "src"), *sys.path])
    found = commits._environment(repo, tmp_path)["PYTHONPATH"].split(":")
    assert found[:2] == [str(tmp_path), str(tmp_path / "src")]
    assert str(repo / "src") not in found
    assert str(shared.ROOT) in found


def test_no_hook_of_the_repository_runs(repo, tmp_path):
    hook = repo / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    try:
        with commits.checked_out(commits.find("good")) as tree:
            assert (tree / "kept.py").is_file()
    finally:
        hook.unlink()
    assert not tree.exists()
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_leaves_no_tree_and_the_trials_that_are_done(repo, tmp_path, number):
    before = trees(repo)
    words = (
        "compare",
        "good",
        "bad",
        "--learner",
        "kept.py",
        "--learner",
        "MLP",
        "--suite",
        "logic",
        "--jobs",
        "1",
        "--keep",
        tmp_path,
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", *map(str, words)], cwd=repo, env=shared.environment(), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not any(map(filled, tmp_path.glob("*.db"))) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(number) if number == signal.SIGTERM else os.killpg(process.pid, number)
    out, error = process.communicate(timeout=60)
    assert process.returncode == 130, error
    assert (out, trees(repo)) == ("", before)
    assert any(map(filled, tmp_path.glob("*.db")))


def filled(path):
    """Whether a store has a trial."""
    try:
        return bool(sqlite3.connect(path).execute("SELECT count(*) FROM trial").fetchone()[0])
    except sqlite3.Error:
        return False


# ---------------------------------------------------------------- stores


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """Two runs of one plan."""
    folder = tmp_path_factory.mktemp("stores")
    for name in "a.db", "b.db":
        done = bench("run", "smoke", "--learner", "Perceptron", *PLAN, "--store", name, cwd=folder)
        assert done.returncode in {0, 1}, done.stderr
    return folder


def test_two_runs_of_one_plan_are_the_same(stores):
    done = compared(stores, "a.db", "b.db")
    assert done.stdout.startswith("**No significant fall**: 0 of 1 cell changed.")
    assert "8 trials ran on the same code in both; none of them differs" in done.stdout
    assert done.stderr == ""


def edited(store, target, statement, *values):
    """A copy of a store whose rows were changed: read, altered, and written anew."""
    from harness.store import Store

    with Store(store, create=False) as given, Store(target) as made:
        for row in given.rows():
            made.put(statement(dict(row), *values))
    return target


def lost(row):
    return row | dict(outcome="error", reason="W holds | NaN `x`", score=None, score_normalised=None)


def test_a_new_failure_ends_with_1_and_is_written_to_a_file(stores, tmp_path):
    edited(stores / "a.db", tmp_path / "c.db", lost)
    done = compared(stores, "a.db", tmp_path / "c.db", "--output", tmp_path / "c.md", code=1)
    text = (tmp_path / "c.md").read_text()
    assert text.startswith("**Significant fall**: `Perceptron` over all tasks, 1 cell, 8 new failures")
    assert "error: `W holds ¦ NaN 'x'`" in text
    assert done.stdout == ""
    assert text.splitlines()[0] in done.stderr
    compared(tmp_path, "c.db", stores / "a.db")


def test_a_task_of_another_version_alone_is_nothing_to_compare(stores, tmp_path):
    edited(stores / "a.db", tmp_path / "v.db", lambda row: row | dict(task_version=row["task_version"] + 1))
    assert "nothing in common" in compared(stores, "a.db", tmp_path / "v.db", code=2).stderr


def test_a_store_of_another_schema_is_refused_by_its_path(stores, tmp_path):
    newer = Path(shutil.copy(stores / "a.db", tmp_path / "newer.db"))
    with sqlite3.connect(newer) as db:
        db.execute("PRAGMA user_version = 99")
    assert "newer.db' has schema 99" in compared(stores, "a.db", newer, code=2).stderr


# ---------------------------------------------------------------- mistakes


@pytest.mark.parametrize("name", ["nowhere", "nowhere.db", "--", "-x", "../..", "HEAD^{tree}", "a b; touch x", "", "."])
def test_what_is_neither_a_store_nor_a_commit_is_told(stores, name):
    before = sorted(stores.iterdir())
    done = compared(stores, "--", "a.db", name, code=2)
    assert "neither a store" in " ".join(done.stderr.split())
    assert sorted(stores.iterdir()) == before


def test_a_name_that_is_both_is_asked_back(repo):
    (repo / "good").write_text("x")
    try:
        result = cli("compare", "good", "bad", code=2)
        assert f"write ./good for the file, {git(repo, 'rev-parse', 'good^{commit}')[:12]} for the revision" in " ".join(
            result.stderr.replace("│", " ").split()
        )
    finally:
        (repo / "good").unlink()


def test_a_tree_or_a_blob_is_no_commit(repo):
    assert commits.find("good^{tree}") is None
    assert commits.find("good:kept.py") is None
    assert commits.find("good").digest == git(repo, "rev-parse", "good^{commit}")


def test_options_of_the_plan_are_for_commits(stores, monkeypatch):
    monkeypatch.chdir(stores)
    assert "nothing is run" in cli("compare", "a.db", "b.db", "--seeds", "2", code=2).stderr


def test_a_folder_that_cannot_be_made_is_told(repo, tmp_path):
    (tmp_path / "file").write_text("")
    assert "keep=" in cli("compare", "good", "bad", "--keep", tmp_path / "file" / "x", code=2).stderr


def test_the_presets_are_those_of_a_run():
    from harness.commands.compare import PRESETS

    assert tuple(plan.PRESETS) == PRESETS
