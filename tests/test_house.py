"""The rules of the house, read from the source: which way imports go, what no module may do, and how long one may be."""

import ast
import functools
import importlib
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

import harness
from harness import engine, plan
from harness.registry import find
from harness.store import Store

sys.path.append(str(Path(__file__).parent))
shared = importlib.import_module("bench")

ROOT = Path(harness.__file__).parents[1]
PACKAGES = "harness", "learners", "suites", "reports"
FILES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
TESTS = sorted(Path(__file__).parent.glob("*.py"))
checkout = pytest.mark.skipif(not (ROOT / "pyproject.toml").is_file(), reason="only a checkout has this file")


def name(path):
    return str(path.relative_to(ROOT))


def each(files=FILES):
    return pytest.mark.parametrize("path", files, ids=name)


@functools.cache
def tree(path):
    return ast.parse(path.read_bytes())


class Import(NamedTuple):
    module: str
    top: bool
    """It runs when the module is imported."""


def imports(path):
    """What a file imports, wherever it does; names given to `import_module` and `__import__` included."""

    def walk(node, top):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                yield from (Import(alias.name, top) for alias in child.names)
            elif isinstance(child, ast.ImportFrom) and not child.level:
                yield Import(child.module, top)
                yield from (Import(f"{child.module}.{alias.name}", top) for alias in child.names)
            elif isinstance(child, ast.Call) and dotted(child.func).split(".")[-1] in {"import_module", "__import__"}:
                yield from (Import(a.value, top) for a in child.args if isinstance(a, ast.Constant) and isinstance(a.value, str))
            typing = isinstance(child, ast.If) and dotted(child.test).endswith("TYPE_CHECKING")
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or typing
            yield from walk(child, top and not inside)

    return set(walk(tree(path), top=True))


def dotted(node):
    """`np.random.default_rng` as it is written; empty for what is no dotted name."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def calls(path):
    return [node for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]


def test_the_reader_of_imports_sees_every_kind(tmp_path):
    path = tmp_path / "m.py"
    path.write_text(
        "import a.b\nfrom c import d\nif TYPE_CHECKING:\n    import e\ntry:\n    import f\nexcept ImportError:\n    pass\n"
        "def g():\n    import h\n    __import__('i')\n    importlib.import_module('j')\nclass K:\n    import k\nfrom . import l\n"
    )
    assert {module for module, top in imports(path) if top} == {"a.b", "c", "c.d", "f", "k"}
    assert {module for module, top in imports(path) if not top} == {"e", "h", "i", "j"}


# ---------------------------------------------------------------- imports

ALLOWED = {
    "harness": {"harness"},
    "learners": {"learners", "harness"},
    "suites": {"suites", "harness"},
    "reports": {"reports", "harness"},
}
CALLS_FOR_REPORTS = ["harness/commands/compare.py", "harness/commands/results.py"]


@each()
def test_imports_go_one_way(path):
    """learners -> harness <- suites, reports -> harness; two commands call for reports, and only when they run."""
    ours = {(i.module.partition(".")[0], i.top) for i in imports(path) if i.module.partition(".")[0] in {*PACKAGES, "tests"}}
    allowed = {(package, top) for package in ALLOWED[name(path).partition("/")[0]] for top in (True, False)}
    if name(path) in CALLS_FOR_REPORTS:
        allowed.add(("reports", False))
    assert ours <= allowed


def test_reports_are_called_for_in_two_places():
    others = [path for path in FILES if name(path).partition("/")[0] != "reports"]
    calling = [path for path in others if any(i.module.startswith("reports") for i in imports(path))]
    assert [name(path) for path in calling] == CALLS_FOR_REPORTS


HEAVY = "numba", "sklearn", "scipy", "pandas", "seaborn", "matplotlib", "mnist1d", "mlxtend", "torch", "jinja2"


@each([path for path in FILES if "reports" not in path.parts])
def test_nothing_heavy_is_imported_before_it_is_needed(path):
    assert {i.module for i in imports(path) if i.top and i.module.partition(".")[0] in HEAVY} == set()


@each()
def test_only_the_report_draws_and_tests_for_significance(path):
    if path.parts[-2] != "reports":
        drawn = {i.module for i in imports(path) if i.module.startswith(("seaborn", "matplotlib", "scipy.stats"))}
        assert drawn == ({"scipy.stats", "scipy.stats.qmc"} if name(path) == "harness/tuning.py" else set())


@pytest.mark.parametrize(
    "module", ["harness", "harness.learner", "harness.cli", "harness.registry", "harness.worker", "harness.pytest_plugin"]
)
def test_importing_the_machinery_loads_nothing_heavy(module):
    assert not {word.partition(".")[0] for word in loaded(f"import {module}")} & {*HEAVY}


def test_listing_loads_nothing_heavy():
    assert not {
        word.partition(".")[0] for word in loaded("from harness.cli import main; main(['list', '--json'], standalone_mode=False)")
    } & {*HEAVY}


def loaded(code):
    """The modules that a fresh process has loaded after some code."""
    code = f"import sys, json\n{code}\nprint(json.dumps([*sys.modules]), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", code], env=shared.environment(), capture_output=True, text=True, check=True, timeout=60
    )
    return json.loads(done.stderr.splitlines()[-1])


PEEK = """
import sys
from harness.protocol import perform as real

def perform(trial, compiling):
    result = real(trial, compiling)
    result.extra["modules"] = sorted(sys.modules)
    return result
"""


def test_a_worker_loads_numba_but_neither_seaborn_nor_the_statistics(tmp_path, monkeypatch):
    tmp_path.joinpath("peek.py").write_text(PEEK)
    monkeypatch.syspath_prepend(tmp_path)
    found = find()
    trial = plan.trial(found.learner("Perceptron"), {}, found.task("logic/and"), {}, 0, "smoke")
    with Store(tmp_path / "s.db") as store:
        engine.run([trial], store, jobs=1, timeout=120.0, memory=4 << 30, entry="peek:perform")
        (row,) = store.rows()
    assert row["outcome"] == "ok", row["reason"]
    there = set(row["extra"]["modules"])
    assert "numba" in there
    assert not {"seaborn", "matplotlib", "pandas", "scipy.stats", "sklearn", "reports"} & there


# ---------------------------------------------------------------- what no module does


@each()
def test_nothing_prints(path):
    """Commands speak by `click.echo`; a print that names its file is a message on a pipe."""
    assert [
        node.lineno for node in calls(path) if dotted(node.func) == "print" and "file" not in {k.arg for k in node.keywords}
    ] == []


@each()
def test_nothing_is_pickled(path):
    assert not {i.module.partition(".")[0] for i in imports(path)} & {
        "pickle",
        "cloudpickle",
        "dill",
        "joblib",
        "shelve",
        "marshal",
    }
    for node in calls(path):
        for keyword in node.keywords:
            if keyword.arg == "allow_pickle":
                assert isinstance(keyword.value, ast.Constant)
                assert keyword.value.value is False


SEEDED = {"default_rng", "RandomState", "Generator", "BitGenerator", "SeedSequence", "PCG64", "Philox", "get_state", "set_state"}


@each()
def test_nothing_draws_from_a_generator_that_all_share(path):
    """The global state of NumPy, and that of Python, may be looked at and put back, never drawn from."""
    for node in ast.walk(tree(path)):
        word = dotted(node)
        if re.match(r"(np|numpy)\.random\.\w+", word):
            assert word.split(".")[2] in SEEDED, f"line {node.lineno}: {word}"
        if re.match(r"random\.\w+$", word):
            assert word in {"random.getstate", "random.setstate"}, f"line {node.lineno}: {word}"
    assert not {i.module for i in imports(path)} & {
        f"random.{word}" for word in ("random", "choice", "shuffle", "randint", "seed")
    }


@each()
def test_a_module_has_room_for_one_thing(path):
    lines = path.read_text().count("\n")
    assert lines <= (220 if path.parts[-2] == "learners" else 600)


@each()
def test_every_module_class_and_function_that_is_shown_says_what_it_is(path):
    public = [tree(path)]
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Module | ast.ClassDef):
            public += [n for n in node.body if isinstance(n, ast.FunctionDef | ast.ClassDef) and not n.name.startswith("_")]
    lacking = [getattr(node, "name", "the module") for node in public if not ast.get_docstring(node) and not overload(node)]
    assert lacking == []


def overload(node):
    return any(dotted(d) in {"overload", "typing.overload"} for d in getattr(node, "decorator_list", ()))


# ---------------------------------------------------------------- kernels

ROLES = "init", "respond", "learn", "rest", "adapt"
LEARNERS = {entry.name: entry.thing for entry in find().learners.values()}


@pytest.mark.parametrize("learner", LEARNERS)
def test_every_kernel_that_a_learner_binds_says_what_it_computes(learner):
    cls = LEARNERS[learner]
    bound = {role: getattr(cls, role) for role in ROLES if callable(getattr(cls, role, None))}
    assert "respond" in bound
    assert [role for role, function in bound.items() if not (function.__doc__ or "").strip()] == []


def test_every_helper_that_is_compiled_says_what_it_computes():
    helpers = {
        f"{module.__name__}.{word}": value
        for module in list(sys.modules.values())
        if getattr(module, "__name__", "").partition(".")[0] in {"learners", "harness"}
        for word, value in vars(module).items()
        if getattr(value, "__kernel__", False)
    }
    assert len(helpers) > 5
    assert [word for word, helper in helpers.items() if not (helper.__doc__ or "").strip()] == []


# ---------------------------------------------------------------- the project


@pytest.fixture
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@checkout
def test_the_changes_tell_of_this_version(project):
    text = (ROOT / "CHANGELOG.md").read_text()
    (entry,) = re.findall(rf"^## {re.escape(project['version'])}\b.*\n([\s\S]*?)(?=^## |\Z)", text, re.MULTILINE)
    assert len(re.findall(r"^\* ", entry, re.MULTILINE)) >= 1


@checkout
def test_versions_of_python_are_claimed_only_where_tests_were_run(project):
    claimed = {c.rpartition(" ")[2] for c in project["classifiers"] if re.search(r"Python :: 3\.\d+$", c)}
    assert claimed == {"3.11"}
    assert project["requires-python"] == ">=3.11"
    assert not [c for c in project["classifiers"] if c.startswith("License")]  # the licence stands in its own field
    assert project["license"] == "BSD-3-Clause"


@checkout
def test_every_dependency_is_among_what_was_tested_together(project):
    pinned = {
        line.partition("==")[0].strip().casefold() for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line
    }
    extras = [line for group in project["optional-dependencies"].values() for line in group]
    names = {re.match(r"[\w.-]+", line)[0].casefold() for line in [*project["dependencies"], *extras]}
    assert names - pinned - {"torch"} == set()


def test_no_two_test_files_have_one_name():
    names = [path.name for path in [*TESTS, *(p for p in FILES if p.name.startswith("test_"))]]
    assert sorted(names) == sorted(set(names))
    assert not (Path(__file__).parent / "__init__.py").exists()
