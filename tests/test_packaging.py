"""The wheel holds the four packages with all that they read, and nothing else."""

import configparser
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import harness

ROOT = Path(harness.__file__).parents[1]
PACKAGES = "harness", "learners", "reports", "suites"
pytestmark = pytest.mark.skipif(not (ROOT / "pyproject.toml").is_file(), reason="a wheel is built from a checkout")


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel that hatchling builds, without a network."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=120,
    )
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as opened:
        yield opened


def test_its_top_level_is_the_four_packages(wheel, project):
    info = f"hebbench-{project['version']}.dist-info"
    assert {name.partition("/")[0] for name in wheel.namelist()} == {*PACKAGES, info}


def test_it_is_pure_and_named_as_the_project(wheel, project):
    assert Path(wheel.filename).name == f"hebbench-{project['version']}-py3-none-any.whl"


def test_every_file_of_the_packages_is_inside_and_no_other(wheel):
    tracked = subprocess.run(["git", "ls-files", *PACKAGES], cwd=ROOT, capture_output=True, text=True, check=False)
    if tracked.returncode:
        pytest.skip("this is no git checkout")
    there = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert {name for name in tracked.stdout.splitlines() if (ROOT / name).is_file()} <= there
    assert not [name for name in there if "__pycache__" in name or name.endswith((".pyc", ".db", "-journal"))]


@pytest.mark.parametrize(
    "name",
    [
        *(f"{package}/py.typed" for package in PACKAGES),
        *(f"harness/templates/{part}.tmpl" for part in ("README.md", "init.py", "learner.py", "pyproject.toml", "test.py")),
        *(f"reports/templates/{part}" for part in ("page.html", "style.css", "behaviour.js")),
        "harness/commands/running.py",
        "harness/checks/__main__.py",
        "suites/logic/test_logic.py",
        "suites/test_learners.py",
    ],
)
def test_what_is_read_or_collected_at_run_time_is_inside(wheel, name):
    assert wheel.read(name) == (ROOT / name).read_bytes()


def test_no_test_of_the_project_itself_is_inside(wheel):
    assert not [name for name in wheel.namelist() if name.startswith(("tests/", ".ci/"))]


def test_the_licence_goes_with_it(wheel, project):
    info = f"hebbench-{project['version']}.dist-info"
    assert wheel.read(f"{info}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()
    assert "License-Expression: BSD-3-Clause" in wheel.read(f"{info}/METADATA").decode()


def test_it_announces_the_command_and_the_plug_in_of_pytest(wheel, project):
    found = configparser.ConfigParser()
    found.read_string(wheel.read(f"hebbench-{project['version']}.dist-info/entry_points.txt").decode())
    assert {name: dict(found[name]) for name in found.sections()} == {
        "console_scripts": {"hebbench": "harness.cli:main"},
        "pytest11": {"hebbench": "harness.pytest_plugin"},
    }


def test_it_needs_what_the_suites_need_and_no_more(project):
    names = {line.split(">")[0].split("<")[0].split("=")[0] for line in project["dependencies"]}
    core = (
        """numpy numba scipy pandas seaborn scikit-learn mnist1d click rich msgspec jinja2 pytest pytest-benchmark hypothesis"""
    )
    assert set(core.split()) <= names
    assert {"test", "mnist", "peers"} <= project["optional-dependencies"].keys()
    assert project["requires-python"] == ">=3.11"


def test_it_works_where_nothing_else_of_the_project_is(wheel, project, tmp_path):
    """Unpacked as it would be installed, and run from there."""
    wheel.extractall(tmp_path / "site")
    code = "import sys; sys.path.insert(0, sys.argv.pop(1)); from harness.cli import main; main(prog_name='hebbench')"
    words = [sys.executable, "-P", "-c", code, tmp_path / "site"]
    clean = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}

    def call(*more):
        return subprocess.run([*words, *more], cwd=tmp_path, env=clean, capture_output=True, text=True, check=True, timeout=120)

    assert call("--version").stdout == f"hebbench {project['version']}\n"
    call("run", "--task", "logic/and", "--learner", "Perceptron", "--no-controls", "--store", "s.db", "--report", "r.html")
    assert (tmp_path / "r.html").read_text().startswith("<!doctype html>")
    call("new", "learner", "MyRule")
    assert (tmp_path / "hebbench_my_rule").is_dir()
