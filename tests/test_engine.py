"""A run skips what is done, shares with others, and ends the same however it was cut."""

import importlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from harness import engine, place
from harness.engine import Event, run
from harness.export import export
from harness.store import Store, StoreError

sys.path.append(str(Path(__file__).parent))  # workers search where this process does
faults = importlib.import_module("faults")
trial = faults.trial

LIMITS = dict(timeout=3.0, memory=1 << 29, entry="faults:perform")
PLAN = [trial("fine", i) for i in range(4)] + [
    trial("fails"),
    trial("diverges"),
    trial("exits_3"),
    trial("fine", 9, inapplicable="no"),
]

DRIVER = """
import json, signal, sys
sys.path.append({tests!r})
import faults
from harness.engine import run
from harness.store import Store
plan = [faults.trial(*words) for words in json.loads(sys.argv[2])]
with Store(sys.argv[1]) as store:
    summary = run(plan, store, jobs=int(sys.argv[3]), timeout=20.0, memory=1 << 29, entry="faults:perform",
                  on_event=lambda event: print(event.kind, event.trial and event.trial.key, flush=True))
print("stopped:", summary.stopped, "left:", summary.left, dict(summary.finished), summary.message)
"""


def drive(path, words, jobs=1):
    """A driver in a process of its own."""
    code = DRIVER.format(tests=str(Path(__file__).parent))
    return subprocess.Popen([sys.executable, "-c", code, path, json.dumps(words), str(jobs)], stdout=subprocess.PIPE, text=True)


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "s.db") as opened:
        yield opened


def outcomes(store):
    return [(row["learner"], row["attempt"], row["outcome"]) for row in store.rows() if row["learner"] != "fine"]


def test_a_plan_becomes_rows_and_the_same_command_does_nothing_more(store):
    events = []
    summary = run(PLAN, store, jobs=2, on_event=events.append, **LIMITS)
    assert summary.finished == {"ok": 4, "error": 1, "diverged": 1, "crashed": 1, "not_applicable": 1}
    assert (summary.planned, summary.left, summary.stopped) == (8, 0, "")
    assert Counter(e.kind for e in events) == {"started": 7, "finished": 8}
    rows = store.rows()
    assert {row["key"] for row in rows} == {t.key for t in PLAN}
    (row,) = (r for r in rows if r["key"] == PLAN[1].key)
    expected = faults.fine(PLAN[1], None)
    assert (row["score"], row["curve"]) == (expected.score, expected.curve)
    assert (row["params"], row["seed_noise"], row["threads"], row["host"]) == ({"i": 1}, 4, 1, place.host())
    assert row["protocol"] == "standard"
    assert row["started_at"] <= row["finished_at"]
    assert store.environments()[row["env_digest"]]["packages"]["numpy"]
    again = run(PLAN, store, jobs=2, **LIMITS)
    assert (again.stored, again.finished, again.left) == (8, {}, 0)
    assert store.rows() == rows


@pytest.mark.parametrize("jobs", [0, 1])
def test_the_number_of_workers_changes_no_byte(tmp_path, jobs):
    plan = [t for t in PLAN if t.learner != "exits_3"]
    texts = set()
    for n in (jobs, 2):
        with Store(tmp_path / f"{n}.db") as store:
            run(plan[:: 1 if n == 2 else -1], store, jobs=n, **LIMITS)
            texts.add(export(store, "csv", deterministic=True))
    assert len(texts) == 1


def test_only_what_is_asked_for_is_repeated(store):
    plan = [trial("fails"), trial("diverges"), trial("fine")]
    for t, outcome in zip(plan, ("timeout", "diverged", "interrupted"), strict=True):
        store.put({"key": t.key, "learner": t.learner, "outcome": outcome})
    assert run(plan, store, jobs=1, **LIMITS).finished == {"ok": 1}
    assert run(plan, store, jobs=1, retry_failed=True, **LIMITS).finished == {"error": 1}
    assert sorted(outcomes(store)) == [("diverges", 1, "diverged"), ("fails", 1, "timeout"), ("fails", 2, "error")]
    assert run(plan, store, jobs=1, force=True, **LIMITS).finished == {"ok": 1, "error": 1, "diverged": 1}
    assert max(outcomes(store)) == ("fails", 3, "error")
    assert {t.key: store.last()[t.key].attempt for t in plan} == {plan[0].key: 3, plan[1].key: 2, plan[2].key: 3}


def test_fail_fast_stops_at_the_first_failure(store):
    plan = [trial("fails"), *(trial("slow", i) for i in range(20))]
    summary = run(plan, store, jobs=1, fail_fast=True, **LIMITS)
    assert (summary.stopped, summary.finished, summary.left) == ("failed", {"error": 1}, 20)


def test_a_result_that_comes_late_is_dropped(store):
    events = []
    plan = [trial("slow")]

    def meanwhile(event):
        events.append(event)
        if event.kind == "started":
            store.put({"key": plan[0].key, "outcome": "ok", "host": "another"})

    summary = run(plan, store, jobs=1, on_event=meanwhile, **LIMITS)
    assert (summary.elsewhere, summary.finished, summary.left) == (1, {}, 0)
    assert events[-1] == Event("elsewhere", plan[0], "ok")
    assert [row["host"] for row in store.rows()] == ["another"]


def test_a_driver_waits_for_trials_that_another_one_has(store, monkeypatch):
    monkeypatch.setattr(engine, "LOOK_AGAIN", 0.01)
    theirs, dropped = trial("fine", 0), trial("fine", 1)
    store.lease([theirs.key], "elsewhere/1/1", 1000)
    store.lease([dropped.key], "elsewhere/2/1", 1.0)
    waits = []

    def meanwhile(event):
        if event.kind == "waiting" and not waits:
            store.put({"key": theirs.key, "outcome": "timeout"})
        waits.append(event.kind == "waiting")

    summary = run([theirs, dropped], store, jobs=2, on_event=meanwhile, **LIMITS)
    assert (summary.elsewhere, summary.finished) == (1, {"ok": 1})
    assert sum(waits) > 1


def test_the_lease_is_renewed_while_a_trial_runs(store, monkeypatch):
    monkeypatch.setattr(engine, "HEARTBEAT", 0.2)
    monkeypatch.setattr(engine, "LEASE", 1.0)
    free = []

    def look():
        with Store(store.path) as other:
            for _ in range(20):
                time.sleep(0.1)
                free.append(bool(other.lease([slow.key], "you", 1)))

    slow = trial("compiles", 3)
    watcher = threading.Thread(target=look)
    run([slow], store, jobs=1, on_event=lambda event: event.kind == "started" and watcher.start(), **LIMITS)
    watcher.join()
    assert free == [False] * 20


def test_a_driver_knows_whether_another_is_alive():
    assert place.alive(place.owner())
    assert place.alive("another machine/1/1")
    where, pid, start = place.owner().rsplit("/", 2)
    assert not place.alive(f"{where}/{pid}/{int(start) - 1}")
    gone = subprocess.Popen(["true"])
    gone.wait()
    assert not place.alive(f"{where}/{gone.pid}/{start}")


def test_versions_alone_make_the_digest_of_an_environment():
    described = place.environment()
    digest = place.environment_digest(described)
    assert place.environment_digest(described | {"cpu": "another", "platform": "another", "cores": 1}) == digest
    assert place.environment_digest(described | {"packages": {}}) != digest
    assert described["cores"] == os.cpu_count()


# Cut short


@pytest.mark.parametrize(("number", "jobs"), [(signal.SIGINT, 2), (signal.SIGTERM, 1), (signal.SIGINT, 0)])
def test_a_signal_keeps_what_is_finished_and_records_what_runs(tmp_path, number, jobs):
    words = [["fine", i] for i in range(3)] + [["deaf", i] for i in range(3)]
    driver = drive(tmp_path / "s.db", words, jobs)
    deaf = {trial(*w).key for w in words[3:]}
    for line in driver.stdout:
        kind, key = line.split()
        if kind == "started" and key in deaf:
            break
    time.sleep(0.5)
    driver.send_signal(number)
    last = driver.communicate(timeout=30)[0].splitlines()[-1]
    assert driver.returncode == 0
    assert last.startswith("stopped: interrupted left: 3")
    with Store(tmp_path / "s.db") as store:
        found = Counter(row["outcome"] for row in store.rows())
        assert found["ok"] == 3
        assert 1 <= found["interrupted"] <= max(jobs, 1)
        keys = {row["key"] for row in store.rows() if row["outcome"] == "interrupted"}
        assert store.lease(deaf, "you", 1) == deaf
        summary = run([trial("fine", i) for i in range(3)], store, jobs=1, **LIMITS)
    assert keys <= deaf
    assert summary.stored == 3


def test_killed_at_random_moments_a_run_ends_the_same(tmp_path):
    words = [["slow", i] for i in range(25)] + [["fails", 0], ["diverges", 0], ["exits_3", 0]]
    calm = drive(tmp_path / "calm.db", words, 2)
    start = time.monotonic()
    calm.communicate(timeout=60)
    whole = time.monotonic() - start
    kills = 0
    while kills < 10:
        driver = drive(tmp_path / "cut.db", words, 2)
        time.sleep(random.uniform(0.3, max(0.8, whole / 4)))
        kills += 1
        driver.kill()
        driver.communicate()
    last = drive(tmp_path / "cut.db", words, 2).communicate(timeout=60)[0].splitlines()[-1]
    assert last.startswith("stopped:  left: 0")
    with Store(tmp_path / "calm.db") as one, Store(tmp_path / "cut.db") as other:
        assert export(one, "csv", deterministic=True) == export(other, "csv", deterministic=True)
        assert export(one, "csv", deterministic=True, curves=True) == export(other, "csv", deterministic=True, curves=True)
        assert len(other.rows()) == len(words)


def test_two_drivers_share_one_store_and_one_may_die(tmp_path):
    words = [["slow", i] for i in range(40)]
    with Store(tmp_path / "s.db") as store:
        drivers = [drive(tmp_path / "s.db", words, 1) for _ in range(3)]
        while len(store.last()) < 5:
            time.sleep(0.05)
        drivers[0].kill()
        said = [driver.communicate(timeout=60)[0].splitlines() for driver in drivers]
        assert [lines[-1].startswith("stopped:  left: 0") for lines in said[1:]] == [True, True]
        rows = store.rows()
        assert {row["key"] for row in rows} == {trial(*w).key for w in words}
        assert len(rows) == len(words)
        work = [Counter(line.split()[0] for line in lines) for lines in said]
        assert all(part["finished"] > 3 for part in work[1:])
        assert sum(part["started"] for part in work) <= len(words) + 1, "only what the dead driver had may run twice"


def test_a_full_disk_stops_the_run_and_keeps_what_is_finished(tmp_path):
    words = [["fine", i] for i in range(150)]
    code = DRIVER.format(tests=str(Path(__file__).parent)).replace(
        "    summary", "    import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (120_000, 120_000))\n    summary"
    )
    command = [sys.executable, "-c", code, tmp_path / "s.db", json.dumps(words), "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    finished = sum(line.startswith("finished") for line in lines)
    assert finished > 10
    assert "stopped: full" in lines[-1]
    assert "make room and run again" in lines[-1]
    with Store(tmp_path / "s.db") as store:
        assert len(store.rows()) == finished
        assert run([trial(*w) for w in words], store, jobs=1, **LIMITS).left == 0


def test_a_damaged_store_is_noticed_before_any_work(store):
    store.put({"key": "k", "outcome": "ok", "score": 0.5})
    store._db.execute("UPDATE trial SET score = 0.6")
    with pytest.raises(StoreError, match="'k' does not match its digest"):
        run([trial("fine")], store, jobs=1, **LIMITS)
