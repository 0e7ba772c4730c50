"""`hebbench doctor` and `hebbench clean`: the machine, and what is kept on it."""

import importlib
import json
import os
import sys
from pathlib import Path

import pytest

from harness import machine, registry

sys.path.append(str(Path(__file__).parent))
shared = importlib.import_module("bench")
bench, cli, rule = shared.bench, shared.cli, shared.rule


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder of its own for each test."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_doctor_describes_the_machine():
    told = json.loads(cli("doctor", "--no-compile", "--json").stdout)
    assert list(told) == ["schema", "machine", "kernels"]
    assert told["machine"]["cores"] == os.cpu_count()
    assert told["machine"]["packages"]["numpy"]
    assert told["kernels"] == []
    assert "numpy " in cli("doctor", "--no-compile").stdout


def test_doctor_times_each_learner_and_names_one_that_does_not_compile(monkeypatch, here):
    here.joinpath("bad.py").write_text(rule("Bad", step="nowhere"))
    found = registry.find([str(here / "bad.py")])
    few = registry.Found(learners={k: found.learners[k] for k in ("bad", "majority", "perceptron")})
    monkeypatch.setattr(machine, "find", lambda: few)
    kernels = {line["learner"]: line for line in json.loads(cli("doctor", "--json").stdout)["kernels"]}
    assert sorted(kernels) == ["Bad", "Perceptron"]
    assert "nowhere" in kernels["Bad"]["error"] or "Typing" in kernels["Bad"]["error"]
    assert kernels["Perceptron"]["error"] == ""
    assert 0 < kernels["Perceptron"]["warm_s"] < kernels["Perceptron"]["cold_s"]


def test_clean_removes_what_is_made_anew_and_nothing_else(here, monkeypatch):
    monkeypatch.setenv("HEBBENCH_CACHE", str(here / "cache"))
    code, mine = here / "cache" / "numba-0-2" / "x" / "code.nbi", here / "cache" / "mine.txt"
    code.parent.mkdir(parents=True)
    code.write_bytes(b"0" * 2_000_000)
    mine.write_text("mine")
    here.joinpath("cache", "imports.json").write_text("{}")
    done = cli("clean")
    assert done.stderr == f"Removed 2.0 MB from {here / 'cache'}.\n"
    assert [p.name for p in here.joinpath("cache").iterdir()] == ["mine.txt"]
    assert "Removed 0.0 MB" in cli("clean").stderr


def test_a_run_after_clean_compiles_again_to_the_same_numbers(here, monkeypatch):
    monkeypatch.setenv("HEBBENCH_CACHE", str(here / "cache"))
    frozen = []
    for store in "a.db", "b.db":
        words = "--task", "logic/and", "--learner", "Perceptron", "--no-controls", "--jobs", "1"
        assert bench("run", *words, "--store", store, cwd=here).returncode == 0
        assert list(here.joinpath("cache").glob("numba-*"))
        cli("clean")
        frozen.append(cli("export", "--store", store, "--deterministic").stdout)
    assert frozen[0] == frozen[1]
