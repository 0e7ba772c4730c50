"""Three doors for a learner of one's own, each from the command line to the rows of a store."""

import importlib
import json
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))
shared = importlib.import_module("bench")
bench, install, rule = shared.bench, shared.install, shared.rule

RUN = "run", "--task", "logic/and", "--no-controls", "--jobs", "1", "--store", "s.db"
SUITE = '''
"""Ability: to be a plug-in."""
import numpy as np
from harness.claim import Claim, Needs, Verdict
from harness.task import Dataset, Split, Task


def sides(n_train, n_valid, n_test, rng):
    """Whether the first of two numbers is above a half."""
    parts = []
    for n in (n_train, n_valid, n_test):
        X = rng.random((n, 1, 2)).astype(np.float32)
        parts.append(Split(X, (X[:, 0, 0] > 0.5).astype(np.int64)))
    return Dataset(*parts, n_classes=2)


def decide(frame):
    """Held above chance."""
    score = float(frame.score.mean())
    return Verdict("held" if score > {bar} else "broken", score, None, "above {bar}", "mean of two")


TASKS = (Task(name="Mine/Sides", doc="Which side.", generate=sides, chance=0.5, sizes=(60, 20, 40)),)
CLAIMS = (Claim(id="better", text="It is learnt.", source="nobody", decide=decide, needs=[Needs("Perceptron", "Mine/Sides", 2)]),)
'''


def rows(folder, store="s.db"):
    done = bench("export", "--store", store, "--format", "json", cwd=folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["rows"]


def ran(folder, *words, env=None, code=0):
    done = bench(*RUN, *words, cwd=folder, env=env)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


# ---------------------------------------------------------------- the three doors


def test_a_loose_file(tmp_path):
    tmp_path.joinpath("mine.py").write_text(rule("Mine"))
    ran(tmp_path, "--learner", "mine.py")
    (row,) = rows(tmp_path)
    assert (row["learner"], row["origin"], row["outcome"]) == ("Mine", "file", "ok")


def test_an_installed_package(tmp_path):
    site = tmp_path / "site"
    install(
        site, "other-rules", {"other_rules/__init__.py": "", "other_rules/mine.py": rule("Mine")}, learners="other_rules.mine"
    )
    env = shared.environment(site)
    listed = json.loads(bench("list", "--json", cwd=tmp_path, env=env).stdout)
    (mine,) = (each for each in listed["learners"] if each["name"] == "Mine")
    assert (mine["module"], mine["origin"], mine["distribution"]) == ("other_rules.mine", "package", "other-rules")
    ran(tmp_path, "--learner", "mine", env=env)
    (row,) = rows(tmp_path)
    assert (row["learner"], row["origin"], row["outcome"]) == ("Mine", "package", "ok")
    everyone = bench("run", "--task", "logic/and", "--dry-run", "--json", cwd=tmp_path, env=env)
    alone = bench("run", "--task", "logic/and", "--dry-run", "--json", cwd=tmp_path)
    planned = [json.loads(each.stdout)["planned"] for each in (everyone, alone)]
    assert planned[0] == planned[1] + 1


def test_a_file_of_the_project(tmp_path):
    ran(tmp_path, "--learner", "oja", "--learner", "Perceptron")
    found = {row["learner"]: row for row in rows(tmp_path)}
    assert {row["origin"] for row in found.values()} == {"builtin"}
    assert found["Oja"]["outcome"] == "not_applicable"
    assert found["Perceptron"]["outcome"] == "ok"


def test_an_installed_suite_is_run_listed_explained_and_judged(tmp_path):
    for bar, status, code in (0.6, "held", 0), (2, "broken", 1):
        site = tmp_path / f"site-{status}"
        install(site, "other-tasks", {"other_tasks.py": SUITE.replace("{bar}", str(bar))}, tasks="other_tasks")
        env, store = shared.environment(site), f"{status}.db"
        done = bench(
            "run", "--suite", "mine", "--learner", "Perceptron", "--no-controls", "--store", store, cwd=tmp_path, env=env
        )
        assert done.returncode == code, done.stderr
        assert f"1 {status}" in done.stderr.splitlines()[-1]
        assert ("Claim broken: Mine/better: mean of two (threshold: above 2)" in done.stderr) == (status == "broken")
        assert sorted((row["task"], row["replicate"]) for row in rows(tmp_path, store)) == [("Mine/Sides", 0), ("Mine/Sides", 1)]
        listed = bench("list", cwd=tmp_path, env=env)
        assert "\nMine\n  Mine/Sides\n" in listed.stdout, listed.stderr
        assert "Which side." in bench("explain", "mine/sides", cwd=tmp_path, env=env).stdout
        assert "Ability: to be a plug-in." in bench("explain", "MINE", cwd=tmp_path, env=env).stdout


# ---------------------------------------------------------------- new learner


def test_what_new_learner_writes_passes_check_and_runs(tmp_path):
    made = bench("new", "learner", "MyRule", cwd=tmp_path)
    assert (made.returncode, made.stdout) == (0, "")
    source = "hebbench_my_rule/hebbench_my_rule/my_rule.py"
    assert f"hebbench check {source}" in made.stderr
    told = json.loads(bench("check", source, "--json", cwd=tmp_path).stdout)
    assert [(c["id"], c["reason"]) for c in told["checks"] if c["status"] == "failed"] == []
    assert told["counts"]["run"] >= 15
    ran(tmp_path, "--learner", source)
    (row,) = rows(tmp_path)
    assert (row["learner"], row["outcome"], row["score"]) == ("MyRule", "ok", 1.0)


def test_new_learner_writes_where_it_is_told_and_over_nothing(tmp_path):
    assert bench("new", "learner", "MyRule", "--folder", "there", cwd=tmp_path).returncode == 0
    assert tmp_path.joinpath("there", "hebbench_my_rule", "pyproject.toml").is_file()
    again = bench("new", "learner", "MyRule", "--folder", "there", cwd=tmp_path)
    assert (again.returncode, again.stderr.count("\n")) == (2, 1)
    assert "is there already" in again.stderr


# ---------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("import nothing_of_that_name", "ModuleNotFoundError"),
        ("import os; os._exit(4)", "exit code 4"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "signal SIGSEGV"),
    ],
)
def test_a_broken_package_is_named_and_left_out_and_the_others_run(tmp_path, text, why):
    site = tmp_path / "site"
    install(site, "good", {"good_rules.py": rule("Good")}, learners="good_rules")
    install(site, "bad", {"bad_rules.py": text}, learners="bad_rules")
    env = shared.environment(site)
    done = ran(tmp_path, "--learner", "Good", env=env)
    assert "Left out: bad (package): bad_rules: " in done.stderr
    assert why in done.stderr
    listed = json.loads(bench("list", "--json", cwd=tmp_path, env=env).stdout)
    (broken,) = listed["broken"]
    assert list(broken) == ["name", "origin", "error"]
    assert (broken["name"], broken["origin"]) == ("bad", "package")
    assert why in broken["error"]
    assert "Good" in {each["name"] for each in listed["learners"]}
    assert "Left out as broken: bad." in bench("run", "--learner", "Bad", cwd=tmp_path, env=env).stderr


def test_a_name_taken_twice_is_a_mistake_that_names_both(tmp_path):
    site = tmp_path / "site"
    install(site, "first", {"first_rules.py": rule("Same")}, learners="first_rules")
    install(site, "second", {"second_rules.py": rule("SAME")}, learners="second_rules")
    for words in ("list",), ("run", "--learner", "Perceptron"), ("check", "Perceptron"):
        done = bench(*words, cwd=tmp_path, env=shared.environment(site))
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert "first_rules (first 1.2)" in done.stderr
        assert "second_rules (second 1.2)" in done.stderr


def test_a_file_may_not_take_the_name_of_a_learner_of_the_project(tmp_path):
    tmp_path.joinpath("mine.py").write_text(rule("Perceptron"))
    done = ran(tmp_path, "--learner", "mine.py", code=2)
    assert "is taken twice: by learners.perceptron and by " in done.stderr
    assert "mine.py" in done.stderr
