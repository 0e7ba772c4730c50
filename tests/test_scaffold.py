"""`new learner` writes a package that works as it stands."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from harness import scaffold
from harness.registry import RequestError, find
from harness.scaffold import new_learner, snake

ROOT = Path(scaffold.__file__).parents[1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where these tests remember what imported well."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def cache(folder, monkeypatch):
    """A memory apart from the user's."""
    monkeypatch.setenv("HEBBENCH_CACHE", str(folder))


def test_it_writes_a_package_and_nothing_beside_it(tmp_path):
    root = new_learner("MyRule", tmp_path / "new")
    assert root == tmp_path / "new" / "hebbench_my_rule"
    assert sorted(str(path.relative_to(root.parent)) for path in root.parent.rglob("*") if path.is_file()) == [
        "hebbench_my_rule/README.md",
        "hebbench_my_rule/hebbench_my_rule/__init__.py",
        "hebbench_my_rule/hebbench_my_rule/my_rule.py",
        "hebbench_my_rule/pyproject.toml",
        "hebbench_my_rule/tests/test_my_rule.py",
    ]
    for path in root.rglob("*.*"):
        text = path.read_text() if path.is_file() else ""
        assert "$" not in text
        assert "/work" not in text


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("MyRule", "my_rule"),
        ("STDP", "stdp"),
        ("MySTDPRule", "my_stdp_rule"),
        ("Rule2", "rule2"),
        ("R", "r"),
        ("R2Rule", "r2_rule"),
    ],
)
def test_names_become_names_of_modules(name, expected):
    assert snake(name) == expected


@pytest.mark.parametrize(
    "name",
    ["", "my_rule", "myRule", "My-Rule", "../Rule", "My/Rule", "My Rule", "1Rule", "Ähre", "Rule\n", "R" * 61, ".", "Rule.py"],
)
def test_other_names_are_refused_with_what_is_allowed(tmp_path, name):
    with pytest.raises(RequestError, match="PascalCase") as raised:
        new_learner(name, tmp_path / "new")
    assert repr(name) in str(raised.value)
    assert not (tmp_path / "new").exists()


def test_a_name_that_could_be_meant_is_proposed(tmp_path):
    with pytest.raises(RequestError, match="for instance MyNewRule"):
        new_learner("my-new_rule", tmp_path)


@pytest.mark.parametrize("name", ["None", "Class", "Learner", "Classifier"])
def test_names_that_mean_something_else_are_refused(tmp_path, name):
    with pytest.raises(RequestError, match="something else"):
        new_learner(name, tmp_path)


def test_the_name_of_a_learner_that_is_there_is_refused(tmp_path):
    with pytest.raises(RequestError, match=r"'Mlp' is taken by learners\.mlp"):
        new_learner("Mlp", tmp_path)


def test_nothing_is_overwritten(tmp_path):
    root = new_learner("MyRule", tmp_path)
    file = root / "hebbench_my_rule" / "my_rule.py"
    file.write_text("mine")
    with pytest.raises(RequestError, match="hebbench_my_rule is there already"):
        new_learner("MyRule", tmp_path)
    assert file.read_text() == "mine"


def test_a_place_that_is_no_folder_is_a_mistake(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RequestError, match="choose another"):
        new_learner("MyRule", tmp_path / "file")


def test_what_it_writes_learns_as_a_loose_file(tmp_path):
    root = new_learner("MyRule", tmp_path)
    word = str(root / "hebbench_my_rule" / "my_rule.py")
    ((entry, params),) = find([word]).choose([f"{word}[rate=0.5]"])
    X, y = np.eye(4), np.array([0, 1, 2, 0])
    model = entry.thing(**params, epochs=100).fit(X, y)
    assert (model.predict(X) == y).all()
    assert entry.thing.__doc__
    assert entry.thing.source


def test_what_it_writes_can_be_installed(tmp_path):
    """Built and installed for real, without a network, then found by a process that has it on its path."""
    root, target = new_learner("MyRule", tmp_path), tmp_path / "site"
    words = ["install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target", str(target), str(root)]
    subprocess.run([sys.executable, "-m", "pip", *words], check=True, capture_output=True, timeout=120)
    code = """
from harness.registry import find
entry = find().learner("myrule")
print(entry.name, entry.where, entry.origin, entry.source.distribution, entry.source.version)
"""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(target)])}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, cwd=tmp_path, check=True, timeout=60
    )
    assert done.stdout.split() == ["MyRule", "hebbench_my_rule.my_rule:MyRule", "package", "hebbench-my-rule", "0.1.0"]
