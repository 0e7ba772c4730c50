"""Bad input, each kind: answered with what was given and what to do, exit code 2, no traceback, and nothing lost."""

import contextlib
import importlib
import os
import resource
import shlex
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from harness.registry import find
from harness.store import Store

sys.path.append(str(Path(__file__).parent))
shared = importlib.import_module("bench")
bench, cli, rows, rule = shared.bench, shared.cli, shared.rows, shared.rule

ONE = "run", "--task", "logic/and", "--learner", "Perceptron", "--no-controls", "--jobs", "0", "--store"
LEARNERS = {e.name: e.thing for e in find().learners.values() if hasattr(e.thing, "fit")}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A folder of its own for each test."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


# ---------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["run", "--learner", "Perceptrom"], "learner='Perceptrom' is not known. Did you mean Perceptron?"),
        (["check", "MPL"], "learner='MPL' is not known. Did you mean MLP?"),
        (["run", "--task", "logic/xro"], "task='logic/xro' is not known. Did you mean logic/xor?"),
        (["run", "--suite", "sequense"], "suite='sequense' is not known. Did you mean sequence?"),
        (["explain", "logic/xro"], "name='logic/xro' is not known. Did you mean logic/xor?"),
        (["run", "--lerner", "MLP"], "No such option '--lerner'. (Did you mean one of: '--learner'"),
        (["export", "--formt", "csv"], "No such option '--formt'. Did you mean '--format'?"),
        (["runn"], "command='runn' is not known. Did you mean run?"),
        (["new", "lerner"], "No such command 'lerner'. Did you mean 'learner'?"),
        (["run", "fast"], "'fast' is not one of 'smoke', 'quick', 'full'"),
        (["run", "--learner", "MLP[hiden=3]"], "hyperparameter of MLP='hiden' is not known. Did you mean hidden?"),
        (["run", "--learner", "MLP[activation=rleu]"], "MLP.activation='rleu' is not known. Did you mean relu?"),
        (["run", "--learner", "learners.mlp:MPL"], "learner of learners.mlp='MPL' is not known. Did you mean MLP?"),
    ],
)
def test_an_unknown_word_is_answered_with_the_nearest_one(words, answer):
    done = cli(*words, code=2)
    assert answer in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["--learner", "Perceptron[rate=-1]"], "Perceptron.rate=-1.0 must be a number in ["),
        (["--learner", "Perceptron[rate=nan]"], "Perceptron.rate=nan must be a number in ["),
        (["--learner", "Perceptron[rate=fast]"], "Perceptron.rate='fast' must be a number in ["),
        (["--learner", "MLP[hidden=2.5]"], "MLP.hidden=2.5 must be a whole number in ["),
        (["--learner", "MLP[hidden=1"], "is neither a name nor NAME[hyperparameter=value,...]"),
        (["--learner", "MLP[epochs=3]"], "epochs is an option of `fit`"),
        (["--learner", "MLP[random_state=3]"], "choose replicates with --seeds"),
        (["--learner", ""], "learner='' is neither a name nor"),
        (["--seeds", "0"], "seeds='0': give a number of replicates (10)"),
        (["--seeds", "3;7"], "seeds='3;7': give a number of replicates (10)"),
        (["--jobs", "-1"], "-1 is not in the range x>=0"),
        (["--jobs", "two"], "'two' is not a valid integer"),
        (["--timeout", "0"], "'0' is no time; write seconds above 0"),
        (["--timeout", "nan"], "'nan' is no time; write seconds above 0"),
        (["--timeout", "inf"], "'inf' is no time; write seconds above 0"),
        (["--timeout", "long"], "'long' is no time; write seconds above 0"),
        (["--memory", "0"], "'0' is no size; write 500MB or 2GB"),
        (["--memory", "much"], "'much' is no size; write 500MB or 2GB"),
        (["--shard", "0/2"], "'0/2' is no part of a plan"),
        (["--shard", "3/2"], "'3/2' is no part of a plan"),
        (["--task", "logic/and", "--suite", "images"], "no trial is left of what was asked for"),
    ],
)
def test_a_value_out_of_range_is_answered_with_the_range(here, words, answer):
    assert answer in cli("run", *words, code=2).stderr
    assert list(here.iterdir()) == []


def test_a_mistake_is_one_line_on_stderr_of_a_real_process_too(here):
    done = bench("run", "--learner", "Perceptrom", cwd=here)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: learner='Perceptrom' is not known. Did you mean Perceptron?")
    assert done.stderr.count("\n") == 1


# ---------------------------------------------------------------- data


X = np.random.default_rng(0).random((12, 3))
Y = np.arange(12) % 2
NAN, INF, LABELS = X.copy(), X.copy(), Y.astype(float)
NAN[3, 1], INF[3, 1], LABELS[2] = np.nan, -np.inf, np.nan
DATA = {
    "NaN in X": (NAN, Y, "contains NaN"),
    "infinity in X": (INF, Y, "contains infinity"),
    "NaN in y": (X, LABELS, "y contains NaN"),
    "one class": (X, np.zeros(12, int), "needs two classes or more"),
    "zero rows": (X[:0], Y[:0], r"0 sample\(s\)"),
    "zero features": (X[:, :0], Y, r"0 feature\(s\)"),
    "one axis": (X[:, 0], Y, "2D array, got 1D"),
    "four axes": (X[:, :, None, None], Y, r"dim 4|\(n, d\) or \(n, ticks, d\)"),
    "fewer labels": (X, Y[:-1], "inconsistent numbers of samples"),
    "two columns of labels": (X, np.stack([Y, Y], 1), "1d array"),
    "labels between classes": (X, X[:, 0], "continuous"),
    "words": (X.astype(str).astype(object) + "?", Y, "could not convert"),
}


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("name", LEARNERS)
def test_data_that_cannot_be_learnt_from_are_refused_in_words(name, data):
    bad, y, words = DATA[data]
    with pytest.raises(ValueError, match=words):
        LEARNERS[name]().fit(bad, y)


@pytest.mark.parametrize("name", ["Perceptron", "Majority"])
def test_what_was_learnt_is_not_asked_of_other_data(name):
    learner = LEARNERS[name]().fit(X, Y)
    for bad, words in (X[:, :2], "features"), (NAN, "NaN"), (X[0], "2D array"), (X[:0], "0 sample"):
        with pytest.raises(ValueError, match=words):
            learner.predict(bad)
    learner.predict(X)


@pytest.mark.parametrize(
    ("given", "words"), [(dict(rate=-1.0), r"rate=-1.0 must be a number in \["), (dict(start="up"), "start='up' must be")]
)
def test_a_range_is_held_by_fit_as_well(given, words):
    with pytest.raises(ValueError, match=words):
        LEARNERS["Perceptron"](**given).fit(X, Y)


# ---------------------------------------------------------------- plug-ins


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("import nothing_of_that_name", "ModuleNotFoundError: No module named 'nothing_of_that_name'"),
        ("def respond(:", "SyntaxError"),
        ("raise RuntimeError('on purpose')", "RuntimeError: on purpose"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("import os; os._exit(3)", "exit code 3"),
        ("x = 1", "it defines no learner"),
    ],
)
def test_a_plug_in_that_fails_to_import_is_named_and_left_out(here, text, why):
    here.joinpath("mine.py").write_text(text)
    done = cli("run", "--learner", "mine.py", "--task", "logic/and", code=2)
    assert "learner='mine.py' does not load" in done.stderr
    assert why in done.stderr
    done = cli(*ONE, "s.db", "--learner", "mine.py")
    assert f"Left out: {here / 'mine.py'} (file): " in done.stderr
    assert why in done.stderr
    assert [r["outcome"] for r in rows("s.db")] == ["ok"]


# ---------------------------------------------------------------- stores


READERS = ["status"], ["export"], ["report"], ["why", "k"], ["merge"]


def readers(store):
    """The commands that read a store."""
    for command, *more in READERS:
        yield (command, store) if command == "merge" else (command, *more, "--store", store)


def refused(store, words, *, runs=True):
    """Every command refuses the store with these words."""
    for command in [*readers(store), *([(*ONE, store)] if runs else [])]:
        told = cli(*command, code=2).stderr
        assert words in told
        assert str(store) in told


def test_a_store_that_is_not_there(here):
    refused("none.db", "does not exist: `hebbench run` makes one, --store says where", runs=False)
    assert list(here.iterdir()) == []


def test_a_store_of_a_newer_schema():
    cli(*ONE, "s.db")
    with contextlib.closing(sqlite3.connect("s.db")) as db:
        db.execute("PRAGMA user_version = 99")
    before = Path("s.db").read_bytes()
    refused("s.db", "schema 99, and this hebbench knows schemas up to 1: update hebbench")
    assert Path("s.db").read_bytes() == before


@pytest.mark.parametrize("share", [0.0, 0.5, 0.98])
def test_a_store_cut_short(share):
    cli(*ONE, "s.db")
    content = Path("s.db").read_bytes()
    Path("s.db").write_bytes(content[: int(len(content) * share)])
    refused("s.db", "is damaged or cut short")
    assert len(Path("s.db").read_bytes()) == int(len(content) * share)


def test_a_store_with_a_flipped_bit():
    """What one bit makes of a score: no check of SQLite sees it, the row's digest does."""
    cli(*ONE, "s.db", "--seeds", "2")
    key = rows("s.db")[0]["key"]
    with contextlib.closing(sqlite3.connect("s.db")) as db:
        db.execute("UPDATE trial SET score = 0.5 WHERE key = ?", (key,))
        db.commit()
    flipped = Path("s.db").read_bytes()
    for command in (("status",), ("export",), ("report",), ("why", key)):
        assert f"trial {key!r} does not match its digest; 1 of 2 rows" in cli(*command, "--store", "s.db", code=2).stderr
    assert Path("s.db").read_bytes() == flipped
    assert "does not match its digest" in cli(*ONE, "s.db", "--seeds", "2", code=2).stderr
    assert f"Damaged, left out: s.db: {key}" in cli("merge", "s.db", "--output", "saved.db", code=1).stderr
    assert len(rows("saved.db")) == 1


def test_a_file_that_is_no_store():
    Path("s.db").write_text("key,score\n" * 500)
    refused("s.db", "is damaged or cut short")
    assert Path("s.db").read_text() == "key,score\n" * 500


@pytest.mark.parametrize("place", ["/proc/s.db", "/sys/s.db", "absent/s.db"])
def test_a_place_that_takes_no_file_even_from_root(place):
    told = cli(*ONE, place, code=2).stderr
    assert place in told
    assert "cannot be" in told
    assert "--store" in told


def test_a_read_only_place_can_be_reported_on_but_not_run_into(here):
    place = here / "mount"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "none", place], capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        cli(*ONE, place / "s.db")
        subprocess.run(["mount", "-o", "remount,ro", place], check=True)
        assert len(rows(place / "s.db")) == 1
        cli("status", "--store", place / "s.db")
        cli("report", "--store", place / "s.db", "--output", "r.html")
        assert "cannot be written" in cli(*ONE, place / "s.db", code=2).stderr
        assert (
            "r.html cannot be written: Read-only file system"
            in cli("report", "--store", place / "s.db", "--output", place / "r.html", code=2).stderr
        )
    finally:
        subprocess.run(["umount", place], check=True)


@pytest.mark.parametrize("output", ["/proc/r.html", "absent/r.html", "s.db/r.html", "."])
def test_an_output_that_cannot_be_written_leaves_nothing(here, output):
    cli(*ONE, "s.db")
    before = sorted(here.iterdir())
    for command in "report", "export":
        assert f"{output} cannot be written: " in cli(command, "--store", "s.db", "--output", output, code=2).stderr
    assert sorted(here.iterdir()) == before


def test_a_report_of_an_empty_store(here):
    Store("s.db").close()
    told = cli("report", "--store", "s.db", code=2).stderr
    assert "hebbench run" in told
    assert not here.joinpath("report.html").exists()
    assert rows("s.db") == []


# ---------------------------------------------------------------- a full disk, and Ctrl-C


def test_a_full_disk_keeps_what_is_finished_and_the_command_goes_on(here):
    """The limit on the size of files stands for the disk; it holds for the driver and its workers alike."""
    words = "--task", "logic/and", "--learner", "Perceptron", "--no-controls", "--seeds", "60", "--jobs", "1", "--store"
    assert bench("run", *words[:-3], "--jobs", "1", "--seeds", "1", "--store", "warm.db", cwd=here).returncode == 0
    size = Path("warm.db").stat().st_size + 20_000
    command = [sys.executable, "-m", "harness", "run", *words, "s.db"]
    done = subprocess.run(
        command, cwd=here, env=shared.environment(), capture_output=True, text=True, timeout=120, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY)),
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "no room for one more row" in done.stderr
    assert "make room and run again" in done.stderr
    assert "Traceback" not in done.stderr
    kept = rows("s.db")
    assert 0 < len(kept) < 60
    line = done.stderr.splitlines()[-1]
    assert shlex.split(line) == ["hebbench", "run", *words, "s.db"]
    again = bench(*shlex.split(line)[1:], cwd=here)
    assert again.returncode == 0
    found = rows("s.db")
    assert Counter(r["outcome"] for r in found) == {"ok": 60}
    assert all(row in found for row in kept)


@pytest.mark.parametrize(("number", "jobs"), [(signal.SIGINT, 2), (signal.SIGTERM, 2), (signal.SIGINT, 0)])
def test_ctrl_c_keeps_finished_work_and_prints_the_command_that_completes_it(here, number, jobs):
    here.joinpath("slow.py").write_text(rule("Slow", body="__import__('time').sleep(0.4)"))
    words = [
        "run",
        "--learner",
        "slow.py[rate=0.25]",
        "--task",
        "logic/and",
        "--no-controls",
        "--seeds",
        "12",
        "--jobs",
        str(jobs),
    ]
    words += ["--store", "s.db"]
    with subprocess.Popen(
        [sys.executable, "-m", "harness", *words], cwd=here, env=shared.environment(), text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as driver:  # fmt: skip
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and finished() < 2:
            time.sleep(0.1)
        os.killpg(driver.pid, number)  # as a terminal does: the whole group hears it
        out, err = driver.communicate(timeout=60)
    assert driver.returncode == 130, err
    assert out == ""
    assert "Traceback" not in err
    kept = [r for r in rows("s.db") if r["outcome"] == "ok"]
    assert 2 <= len(kept) < 12
    assert f"Interrupted. {12 - len(kept)} trials left; what is finished is in s.db. To go on:\n" in err
    line = err.splitlines()[-1]
    assert shlex.split(line) == ["hebbench", *words]
    again = bench(*shlex.split(line)[1:], cwd=here)
    assert again.returncode == 0, again.stderr
    found = rows("s.db")
    assert Counter(r["outcome"] for r in found)["ok"] == 12
    assert all(row in found for row in kept)
    assert {r["outcome"] for r in found} <= {"ok", "interrupted"}


def finished():
    """Trials that are done in the store of a run that may just have begun."""
    try:
        with Store("s.db", create=False) as store:
            return sum(last.outcome == "ok" for last in store.last().values())
    except ValueError:
        return 0
