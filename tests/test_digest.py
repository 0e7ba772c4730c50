"""The code digest: what it must see, what it must not, and that it names what changed."""

import dis
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import digest
from harness.reading import read
from harness.registry import find

KERNELS = '''"""Kernels."""
import numpy as np

SLOPE = 0.5

def inner(x):
    """Half."""
    return SLOPE * x

def outer(x):
    return inner(x) + 1.0

def other(x):
    return x - 3
'''
ONE = '''
from harness.learner import Classifier
from .kernels import outer as o

class One(Classifier):
    """First."""
    def respond(signal, out):
        out[0] = o(signal)
'''
TWO = '''
from . import kernels

class Two:
    """Second."""
    width = 3
    def respond(signal, out):
        out[0] = kernels.other(signal)
'''
THREE = """
class Base:
    depth = 2

def late(x):
    from plug.deep import far
    return far.most(x)

class Three(Base):
    respond = staticmethod(late)
"""
FAR = """
def most(x):
    return x + 7
"""


@pytest.fixture
def plug(tmp_path, monkeypatch):
    """A plug-in package, and a function that rewrites one of its files."""
    files = {"__init__": "", "kernels": KERNELS, "one": ONE, "two": TWO, "three": THREE, "deep/__init__": "", "deep/far": FAR}

    def write(name, old="", new=""):
        files[name] = files[name].replace(old, new) if old else new
        path = tmp_path / "plug" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[name])
        digest._read.cache_clear()  # two writes within one tick of the file system's clock look alike
        digest._kept.clear()

    for name in list(files):
        write(name, new=files[name])
    monkeypatch.syspath_prepend(tmp_path)
    return write


def digests():
    return {name: digest.digest(f"plug.{name.lower()}:{name}") for name in ("One", "Two", "Three")}


def touched(write, file, old, new):
    before = digests()
    write(file, old, new)
    after = digests()
    return {name for name in before if before[name] != after[name]}


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("kernels", "SLOPE = 0.5", "SLOPE = 0.25", {"One"}),  # a constant that a helper of a helper uses
        ("kernels", "SLOPE * x", "SLOPE / x", {"One"}),
        ("kernels", "inner(x) + 1.0", "inner(x) + 1", {"One"}),  # a float is not an integer
        ("kernels", "x - 3", "x - 4", {"Two"}),
        ("kernels", "def other(x):", "def other(x, y=SLOPE):", {"Two"}),
        ("kernels", "import numpy as np", "import numpy as np\nnp.seterr(all='raise')", {"One", "Two"}),  # acts at import
        ("kernels", "def other", "@np.vectorize\ndef unused(x):\n    return x\n\ndef other", {"One", "Two"}),  # may register
        ("kernels", "def other", "def unused(x):\n    return x\n\ndef other", set()),
        ("kernels", "def inner", "def inner(x):\n    return 9\n\ndef inner", {"One"}),  # a name defined twice
        ("kernels", '"""Half."""', '"""A half."""', set()),
        ("kernels", "return SLOPE * x", "# why\n    return (SLOPE\n       * x)", set()),
        ("kernels", "def inner(x):", "def inner(x: float) -> float:", set()),
        ("kernels", "return x - 3", "y: int = x - 3\n    return y", {"Two"}),
        ("kernels", "def other(x):", "def broken(:", {"One", "Two"}),
        ("one", "import outer as o", "import other as o", {"One"}),
        ("one", '"""First."""', '"""Changed."""', set()),
        ("two", "width = 3", "width = 4", {"Two"}),
        ("two", "class Two", "if len('a'):\n    kernels.SLOPE = 1\nclass Two", {"Two"}),
        ("three", "depth = 2", "depth = 3", {"Three"}),  # of a base class
        ("deep/far", "x + 7", "x + 8", {"Three"}),  # imported inside a function
        ("deep/__init__", "", "import sys\nsys.setrecursionlimit(10)", {"Three"}),
        ("__init__", "", "import numpy\nnumpy.seterr(all='raise')", {"One", "Two", "Three"}),
        ("__init__", "", "from plug.deep import far", set()),
    ],
)
def test_an_edit_changes_exactly_the_learners_that_reach_it(plug, file, old, new, expected):
    assert touched(plug, file, old, new) == expected


def test_every_definition_on_the_way_is_named(plug):
    assert {p for p in digest.parts("plug.one:One") if p.startswith("plug")} == {
        "plug.one:One", "plug.kernels:outer", "plug.kernels:inner", "plug.kernels:SLOPE",
    }  # fmt: skip


def test_what_changed_is_named(plug):
    before = digest.parts("plug.one:One")
    plug("kernels", "SLOPE = 0.5", "SLOPE = 0.25\nGAIN = 2")
    plug("kernels", "SLOPE * x", "SLOPE * GAIN * x")
    after = digest.parts("plug.one:One")
    assert digest.changed(before, after) == [
        "plug.kernels:GAIN added",
        "plug.kernels:SLOPE changed",
        "plug.kernels:inner changed",
    ]
    assert digest.changed(after, before)[0] == "plug.kernels:GAIN removed"
    assert digest.changed(after, after) == []


def test_an_edit_is_seen_in_a_process_that_goes_on(plug, tmp_path):
    before = digest.digest("plug.one:One")
    file = tmp_path / "plug" / "kernels.py"
    file.write_text(file.read_text().replace("SLOPE = 0.5", "SLOPE = 0.125"))
    assert digest.digest("plug.one:One") != before


def test_the_harness_that_a_learner_runs_on_belongs_to_it(plug):
    parts = digest.parts("plug.one:One")
    assert "harness.base:Learner" in parts
    assert not [p for p in parts if p.startswith(("harness.digest", "harness.registry", "learners."))]


@pytest.mark.parametrize(
    ("body", "reached"),
    [
        ("return [helper for helper in signal]", False),
        ("return [helper(x) for x in signal]", True),
        ("return [x for x in helper]", True),
        ("return [x for x in signal if helper(x)]", True),
        ("return [(lambda helper: helper)(x) for x in signal]", False),
        ("return (lambda x: helper)(1)", True),
        ("helper = 1\n    return helper", False),
        ("global helper\n    helper = 1\n    return helper", True),
        ("[helper for helper in signal]\n    return helper", True),
        ("[helper := x for x in signal]\n    return helper", False),
        ("def inside(helper):\n        return helper\n    return inside", False),
        ("def inside(x=helper):\n        return x\n    return inside", True),
        ("class Inside:\n        helper = helper\n    return Inside", True),
        ("import numpy as helper\n    return helper", False),
        ("try:\n        pass\n    except ValueError as helper:\n        return helper", False),
        ("match signal:\n        case [helper, *_]:\n            return helper", False),
        ("match signal:\n        case helper.x:\n            return 1", True),
        ("return eval('help' + 'er')", True),
        ("return globals()", True),
        ("return signal.helper", False),
        ("return f'{helper}'", True),
        ("x: helper = 1\n    return x", False),
    ],
)
def test_names_are_resolved_as_python_resolves_them(tmp_path, body, reached):
    file = tmp_path / "loose.py"
    file.write_text(f"def respond(signal):\n    {body}\n\ndef helper(x):\n    return x\n")
    assert ("loose:helper" in digest.parts(f"{file}:respond")) == reached


def test_star_imports_and_unknown_names_take_the_whole_module(plug):
    plug("three", "class Base", "from plug.kernels import *\nclass Base")
    assert {"plug.kernels:other", "plug.kernels:outer", "plug.kernels:SLOPE"} <= digest.parts("plug.three:Three").keys()
    assert "plug.kernels:other" in digest.parts("plug.kernels:no_such_name")
    assert "plug.kernels:other" in digest.parts("plug.kernels")


def test_a_module_used_as_a_value_counts_as_a_whole(plug):
    plug("two", "kernels.other(signal)", "getattr(kernels, 'other')(signal)")
    assert touched(plug, "kernels", "SLOPE = 0.5", "SLOPE = 0.1") == {"One", "Two"}


def test_a_module_imported_by_a_string_counts_as_a_whole(plug):
    plug("two", "kernels.other(signal)", "__import__('plug.deep.far')")
    assert touched(plug, "deep/far", "x + 7", "x + 1") == {"Two", "Three"}


def test_code_for_type_checkers_and_scripts_does_not_count(plug):
    extra = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import plug.deep.far\n"
    extra += "if __name__ == '__main__':\n    print(1)\n"
    before = digest.parts("plug.one:One")
    plug("one", "\nfrom harness", f"{extra}\nfrom harness")
    assert digest.parts("plug.one:One") == before


def test_a_loose_file_reaches_its_siblings_and_not_what_merely_lies_there(tmp_path):
    (tmp_path / "rule.py").write_text(
        "import json\nimport helper\nfrom .near import near\nclass Rule:\n    x = helper.f, near, json\n"
    )
    (tmp_path / "helper.py").write_text("import near\ndef f(): return near.near\n")
    (tmp_path / "near.py").write_text("near = 1\n")
    (tmp_path / "json.py").write_text("x = 1\n")
    (tmp_path / "unused.py").write_text("x = 1\n")
    parts = digest.parts(f"{tmp_path / 'rule.py'}:Rule")
    assert set(parts) == {"rule:Rule", "helper:f", "near:near"}


def test_a_loose_file_has_the_same_digest_wherever_it_lies(tmp_path):
    found = set()
    for folder in "a", "b":
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "rule.py").write_text("from .helper import f\nclass Rule:\n    f = f\n")
        (tmp_path / folder / "helper.py").write_text("def f(): return 1\n")
        found.add(digest.digest(f"{tmp_path / folder / 'rule.py'}:Rule"))
    assert len(found) == 1


def test_tasks_in_one_list_are_told_apart(tmp_path):
    file = tmp_path / "tasks.py"
    text = """
def easy(n): return n
def hard(n): return 2 * n
SIZES = 3
TASKS = (Task(name="s/easy", make=easy), *(Task(name=f"s/{x}", make=easy, n=SIZES) for x in "ab"), Task(name="s/hard", make=hard))
"""
    file.write_text(text)
    before = {name: digest.digest(f"{file}:s/{name}") for name in ("easy", "hard", "a")}
    file.write_text(text.replace("2 * n", "22 * n").replace("SIZES = 3", "SIZES = 33"))
    after = {name: digest.digest(f"{file}:s/{name}") for name in ("easy", "hard", "a")}
    assert [name for name in before if before[name] != after[name]] == ["hard", "a"]
    file.write_text(text.replace('Task(name="s/hard', 'Task(name="s/new", make=hard), Task(name="s/hard'))
    assert {name: digest.digest(f"{file}:s/{name}") for name in before} == before


def test_where_there_is_nothing_to_read_it_says_so(tmp_path):
    for where in "no_such_module_at_all:X", f"{tmp_path}/missing.py:X", "sys:path":
        with pytest.raises(ValueError, match="no source of"):
            digest.parts(where)


def test_nothing_is_imported_to_read_it(tmp_path):
    package = tmp_path / "bomb"
    (package / "deep").mkdir(parents=True)
    (package / "__init__.py").write_text("import os\nos._exit(7)\n")
    (package / "deep" / "__init__.py").write_text("import os\nos._exit(8)\n")
    (package / "deep" / "rule.py").write_text("from bomb import other\nclass Rule:\n    x = other.y\n")
    (package / "other.py").write_text("y = 1\n")
    code = "import sys; sys.path.insert(0, sys.argv[1]); from harness.digest import parts; print(*parts('bomb.deep.rule:Rule'))"
    root = Path(digest.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", code, str(package.parent)], capture_output=True, text=True, cwd=root, check=False
    )
    assert done.stdout.split() == ["bomb.deep.rule:Rule", "bomb.deep:<module>", "bomb.other:y", "bomb:<module>"], done.stderr


@pytest.mark.parametrize(
    "root", ["suites.logic.tasks:logic/xor", "suites.sequence.tasks:sequence/recall", "learners.kernels:dot"]
)
def test_the_project_itself_can_be_read(root):
    parts = digest.parts(root)
    assert parts
    assert all(len(sha) == 16 and set(sha) <= set("0123456789abcdef") for sha in parts.values())


numbers = st.one_of(st.integers(0, 3), st.sampled_from([0.0, 1.0, 1e-3, True, False, "a", None]))


@given(numbers, numbers, st.text(st.characters(codec="ascii", exclude_characters='\\"\0'), max_size=8), st.integers(1, 5))
def test_only_constants_make_a_definition_another(first, second, words, blanks):
    def sha(value, doc, gap):
        text = f'def f(x):\n    """{doc} ."""\n' + "\n" * gap + f"    return x , ( {value!r} )  # {doc!r}\n"
        return read(text.encode(), "").definitions["f"].sha

    same = type(first) is type(second) and first == second
    assert (sha(first, "one", 1) == sha(second, words, blanks)) == same


def test_annotations_count_only_where_they_act():
    def sha(text):
        return read(text.encode(), "").definitions["f"].sha

    assert sha("def f(x):\n    y = x") == sha("def f(x: int) -> None:\n    y: int = x")
    assert sha("class f:\n    x: int = 1") != sha("class f:\n    x: float = 1")
    assert sha("@singledispatch\ndef f(x: int): pass") != sha("@singledispatch\ndef f(x: float): pass")


@pytest.mark.parametrize("name", find().learners)
def test_every_function_that_a_learner_s_kernels_call_belongs_to_it(name):
    """Held against the functions themselves, as they are bound when they run."""
    entry = find().learners[name]
    parts = digest.parts(entry.where)
    todo = [
        getattr(entry.thing, kernel) for kernel in ("init", "respond", "learn", "rest", "adapt") if hasattr(entry.thing, kernel)
    ]
    seen = set()
    while todo:
        function = todo.pop()
        if function in seen or not function.__module__.startswith(("harness.", "learners.")):
            continue
        seen.add(function)
        assert f"{function.__module__}:{function.__qualname__.partition('.')[0]}" in parts
        for used in {i.argval for i in dis.get_instructions(function) if i.opname == "LOAD_GLOBAL"}:
            value = function.__globals__.get(used)
            if callable(value) and hasattr(value, "__code__"):
                todo.append(value)
            elif used in function.__globals__ and isinstance(value, int | float):
                assert [part for part in parts if part.endswith(f":{used}")]
    assert len(seen) >= 3


def test_learners_that_share_nothing_do_not_reach_each_other():
    perceptron, mlp = (digest.parts(f"learners.{name.lower()}:{name}") for name in ("Perceptron", "MLP"))
    assert any(part.startswith("learners.kernels:") for part in mlp)
    assert {part.partition(":")[0] for part in perceptron if part.startswith("learners.")} == {"learners.perceptron"}
