"""Learners, tasks and claims are found by three doors; what is broken is named and harms nothing else."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from harness import listing, quarantine, registry, settings
from harness.loading import load
from harness.registry import RequestError, find, parse

ROOT = Path(registry.__file__).parents[1]

RULE = '''
"""A plug-in."""
import numpy as np
from harness.learner import Can, Classifier, Learner, hyper
{extra}

def init(task, rng):
    return dict(W=np.zeros((task.n_out, 2)))

def respond(signal, out, W):
    out[0, 0] = W[0, 0]

def learn(target, W, rate):
    W[0, 0] += rate

class {name}(Classifier):
    """Does {name}.

    More.
    """
    rate: float = hyper(default=1.0, doc="step", low=1e-6, high=1e3, log=True, unit="1")
    kind: str = hyper(default="a", doc="which", choices=("a", "b"))
    width: int = hyper(default=3, doc="how many", low=1, high=64)
    quick: bool = hyper(default=False, doc="whether")
    init, respond, learn = init, respond, learn
'''
TASKS = """
from harness.claim import Claim, Verdict
from harness.task import Ladder, Task

TASKS = (Task(name="{suite}/one", doc="One.", generate=None, chance=0.5, ladder=Ladder(axis="n", values=(1, 2), short=(1,))),)
CLAIMS = (Claim(id="holds", text="It holds.", source="nobody", decide=None),)
"""


def rule(name, extra=""):
    return RULE.format(name=name, extra=textwrap.dedent(extra))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where these tests remember what imported well."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def cache(folder, monkeypatch):
    """A memory apart from the user's, also in the processes that a test starts."""
    monkeypatch.setenv("HEBBENCH_CACHE", str(folder))
    return folder


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install a distribution as an installer would lay it out: its files, and its metadata beside them."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)

    def put(distribution, files, learners="", tasks=""):
        for name, text in files.items():
            path = site / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        info = site / f"{distribution.replace('-', '_')}-1.2.dist-info"
        info.mkdir()
        info.joinpath("METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n")
        groups = dict(learners=learners, tasks=tasks)
        info.joinpath("entry_points.txt").write_text(
            "\n".join(f"[hebbench.{group}]\nx = {value}" for group, value in groups.items() if value)
        )
        return site

    yield put
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


def run(code, *words, **options):
    return subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, cwd=ROOT, check=True, timeout=60, **options
    ).stdout


def names(found):
    return {entry.name for entry in found.learners.values()}


# ---------------------------------------------------------------- what is there


def test_the_project_s_own_are_there_and_can_be_loaded_by_where():
    found = find()
    assert {"Perceptron", "MLP", "Oja", "HebbianAssociator", "DiehlCook"} <= names(found)
    assert {"logic", "separable", "shifted", "sequence"} <= set(found.suites)
    assert found.task("logic/xor").where == "suites.logic.tasks:logic/xor"
    for entry in [*found.learners.values(), *found.tasks.values()]:
        assert load(entry.where) is entry.thing
        assert entry.origin == "builtin"
    assert not found.broken


def test_the_listing_has_the_promised_shape():
    listed = json.loads(json.dumps(listing.describe(find()), allow_nan=False))
    assert list(listed) == ["schema", "learners", "tasks", "suites", "presets", "broken"]
    learner = next(each for each in listed["learners"] if each["name"] == "MLP")
    assert list(learner) == [
        "name", "module", "family", "origin", "distribution", "summary", "source", "inputs", "targets", "hyperparameters",
    ]  # fmt: skip
    assert (learner["module"], learner["family"], learner["origin"], learner["distribution"]) == (
        "learners.mlp", "engineered", "builtin", None,
    )  # fmt: skip
    rate = next(each for each in learner["hyperparameters"] if each["name"] == "rate")
    assert list(rate) == ["name", "type", "default", "low", "high", "scale", "choices", "unit", "doc", "search"]
    assert (rate["type"], rate["scale"], rate["choices"]) == ("float", "log", [])
    assert not {"random_state", "epochs", "bits"} & {each["name"] for each in learner["hyperparameters"]}
    assert list(listed["tasks"][0]) == ["name", "suite", "version", "requires", "metric", "chance", "ceiling", "ladder"]
    parity = next(each for each in listed["tasks"] if each["name"] == "logic/parity")
    assert (parity["suite"], parity["ladder"]["axis"], parity["ladder"]["values"][0]) == ("logic", "n", 2)
    logic = next(each for each in listed["suites"] if each["name"] == "logic")
    assert "logic/xor" in logic["tasks"]
    assert all(claim["id"].startswith("logic/") and list(claim) == ["id", "text", "source"] for claim in logic["claims"])
    assert listed["presets"] == ["smoke", "quick", "full"]


def test_listing_imports_nothing_heavy():
    code = "import sys; from harness import listing, registry; listing.describe(registry.find()); print(*sys.modules)"
    loaded = set(run(code).split())
    assert "learners.mlp" in loaded
    assert not {"numba", "sklearn", "scipy", "pandas", "seaborn", "matplotlib", "mnist1d"} & loaded


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda found: found.learner("perceptrom"), ["perceptrom", "Did you mean Perceptron?", "MLP"]),
        (lambda found: found.task("logic/xorr"), ["logic/xorr", "Did you mean logic/xor?"]),
        (lambda found: found.suite("logik"), ["logik", "Did you mean logic?"]),
        (lambda found: found.learner("zzzzzzzz"), ["zzzzzzzz", "There are: ", "Perceptron"]),
    ],
)
def test_an_unknown_name_is_answered_with_a_suggestion(ask, words):
    with pytest.raises(RequestError) as raised:
        ask(find())
    assert all(word in str(raised.value) for word in words)


def test_names_are_matched_without_regard_to_case():
    assert find().learner("mlp").name == "MLP"
    assert parse("mLp[hidden=32, rate=0.1]") == ("MLP", {"hidden": 32, "rate": 0.1})


# ---------------------------------------------------------------- settings


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Rule", {}),
        ("Rule[]", {}),
        ("Rule[rate=1e-3,width=4]", {"rate": 1e-3, "width": 4}),
        ("rule[rate=2]", {"rate": 2.0}),
        ("Rule[width=1e1]", {"width": 10}),
        ("Rule[kind=B]", {"kind": "b"}),
        ("Rule[quick=true]", {"quick": True}),
        ("Rule[quick=False]", {"quick": False}),
    ],
)
def test_settings_are_converted_as_declared(tmp_path, text, expected):
    file = tmp_path / "rule.py"
    file.write_text(rule("Rule"))
    name, params = parse(text, find([str(file)]))
    assert name == "Rule"
    assert params == expected
    assert [type(value) for value in params.values()] == [type(value) for value in expected.values()]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Rule[rat=1]", ["'rat'", "Did you mean rate?", "width"]),
        ("Rule[rate=fast]", ["rate='fast'", "[1e-06, 1000.0]"]),
        ("Rule[rate=0]", ["rate=0.0", "[1e-06, 1000.0]"]),
        ("Rule[rate=nan]", ["rate=nan", "[1e-06, 1000.0]"]),
        ("Rule[rate=inf]", ["rate=inf"]),
        ("Rule[width=2.5]", ["width=2.5", "whole number"]),
        ("Rule[width=65]", ["width=65", "[1, 64]"]),
        ("Rule[width=true]", ["width='true'"]),
        ("Rule[kind=c]", ["'c'", "a, b"]),
        ("Rule[quick=2]", ["'2'", "False, True"]),
        ("Rule[quick]", ["'quick' is no setting"]),
        ("Rule[rate=]", ["no setting"]),
        ("Rule[rate=1,,width=2]", ["no setting"]),
        ("Rule[rate=1,rate=1]", ["set twice"]),
        ("Rule[rate=1", ["neither a name"]),
        ("", ["neither a name"]),
        ("Rule[epochs=3]", ["option of `fit`"]),
        ("Rule[random_state=3]", ["--seeds"]),
    ],
)
def test_wrong_settings_say_what_is_allowed(tmp_path, text, words):
    file = tmp_path / "rule.py"
    file.write_text(rule("Rule"))
    with pytest.raises(RequestError) as raised:
        parse(text, find([str(file)]))
    assert all(word in str(raised.value) for word in words), str(raised.value)


# ---------------------------------------------------------------- installed packages


def test_installed_packages_announce_modules_classes_and_packages(install):
    install("by-module", {"by_module.py": rule("First") + rule("_Hidden")}, "by_module")
    install(
        "by-class", {"by_class/rules.py": rule("Second") + rule("Unmeant"), "by_class/__init__.py": ""}, "by_class.rules:Second"
    )
    install(
        "by-package", {"by_package/__init__.py": "from .inner import Third", "by_package/inner.py": rule("Third")}, "by_package"
    )
    found = find()
    assert {"First", "Second", "Third"} <= names(found)
    assert not {"Unmeant", "_Hidden", "Classifier"} & names(found)
    third = found.learner("third")
    assert (third.origin, third.source.distribution, third.source.version) == ("package", "by-package", "1.2")
    assert third.where == "by_package.inner:Third"
    assert load(third.where) is third.thing
    listed = next(each for each in listing.describe(found)["learners"] if each["name"] == "Third")
    assert (listed["distribution"], listed["origin"], listed["summary"]) == ("by-package", "package", "Does Third.")


def test_installed_packages_announce_tasks_and_claims(install):
    install("more-tasks", {"more_tasks.py": TASKS.format(suite="extra")}, tasks="more_tasks")
    found = find()
    assert found.suite("EXTRA").tasks == ["extra/one"]
    assert found.task("extra/one").where == "more_tasks:extra/one"
    assert load("more_tasks:extra/one").doc == "One."
    suite = next(each for each in listing.describe(found)["suites"] if each["name"] == "extra")
    assert suite["claims"] == [{"id": "extra/holds", "text": "It holds.", "source": "nobody"}]


BROKEN = {
    "raises": ("raise ValueError('on purpose')", "ValueError: on purpose"),
    "exits": ("import os; os._exit(0)", "ended the process: exit code 0"),
    "leaves": ("import sys; sys.exit(3)", "SystemExit: 3"),
    "dies": ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "ended the process: signal SIGSEGV"),
    "spins": ("while True: pass", "did not end within"),
    "mistyped": ("def broken(:", "SyntaxError"),
    "lacks": ("import no_such_library_at_all", "no_such_library_at_all"),
    "shuts": ("import os; os.closerange(0, 256)\nimport time; time.sleep(3600)", "did not end within"),
    "empty": ("x = 1", "defines no learner"),
    "odd": (rule("Odd").replace('doc="whether"', "doc=object()"), "TypeError"),
}


def test_broken_packages_are_named_and_left_out_and_the_others_run(install, monkeypatch, capfd):
    monkeypatch.setattr(quarantine, "LIMIT", 2.0)
    for name, (text, _) in BROKEN.items():
        install(f"broken-{name}", {f"broken_{name}.py": text}, f"broken_{name}")
    install("no-class", {"no_class.py": rule("Fine")}, "no_class:Missing")
    install("bad-tasks", {"bad_tasks.py": "TASKS = (1,)"}, tasks="bad_tasks")
    install("gone", {}, "gone_without_trace")
    install("loud-rule", {"loud_rule.py": rule("Loud", "print('to stdout')")}, "loud_rule")
    found = find()
    errors = {broken.name: broken.error for broken in found.broken}
    assert all(broken.origin == "package" for broken in found.broken)
    for name, (_, error) in BROKEN.items():
        assert error in errors.pop(f"broken-{name}"), name
    assert "Missing is no learner" in errors.pop("no-class")
    assert "must list harness.task.Task" in errors.pop("bad-tasks")
    assert "ModuleNotFoundError" in errors.pop("gone")
    assert not errors
    assert {"Loud", "MLP"} <= names(found)
    assert not capfd.readouterr().out
    with pytest.raises(RequestError, match=r"Left out as broken: .*broken-raises"):
        found.learner("Raises")


def test_what_imported_well_is_tried_again_only_after_an_edit(install, monkeypatch, cache):
    site = install("good-rule", {"good_rule.py": rule("Good")}, "good_rule")
    assert "Good" in names(find())
    assert "good_rule" in cache.joinpath("imports.json").read_text()

    def refuse(*args, **kwargs):
        raise AssertionError("a child was started")

    popen = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", refuse)
    assert "Good" in names(find())
    (site / "good_rule.py").write_text(rule("Good") + "\n# edited\n")
    with pytest.raises(AssertionError, match="a child was started"):
        find()
    monkeypatch.setattr(subprocess, "Popen", popen)
    cache.joinpath("imports.json").write_text('{"half a fi')
    assert "Good" in names(find())
    assert json.loads(cache.joinpath("imports.json").read_text())


def test_without_a_place_to_remember_all_still_works(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HEBBENCH_CACHE", str(tmp_path / "file" / "below"))
    assert "MLP" in names(find())


# ---------------------------------------------------------------- names taken twice


def test_a_name_taken_twice_is_a_mistake_that_names_both(install, tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(rule("mlp"))
    with pytest.raises(RequestError, match="taken twice") as raised:
        find([str(file)])
    assert "learners.mlp" in str(raised.value)
    assert str(file) in str(raised.value)
    install("one-rule", {"one_rule.py": rule("Same")}, "one_rule")
    install("two-rule", {"two_rule.py": rule("Same")}, "two_rule")
    with pytest.raises(
        RequestError, match=r"'Same' is taken twice: by .*one-rule 1\.2.* and by .*two-rule 1\.2|two-rule.*one-rule"
    ):
        find()


def test_a_task_name_taken_twice_is_a_mistake_that_names_both(install):
    install("more-logic", {"more_logic.py": TASKS.format(suite="logic").replace("/one", "/xor")}, tasks="more_logic")
    with pytest.raises(
        RequestError, match=r"'logic/xor' is taken twice: by suites.logic.tasks and by more_logic \(more-logic 1.2\)"
    ):
        find()


def test_the_same_learner_by_two_doors_is_one(install, tmp_path):
    site = install("good-rule", {"good_rule.py": rule("Good")}, "good_rule")
    words = [str(site / "good_rule.py"), str(ROOT / "learners" / "mlp.py"), "good_rule:Good", "learners.mlp:MLP"]
    found = find(words)
    assert [(entry.name, entry.origin) for entry, _ in found.choose(words)] == [
        ("Good", "package"), ("MLP", "builtin"), ("Good", "package"), ("MLP", "builtin"),
    ]  # fmt: skip


# ---------------------------------------------------------------- loose files


def test_a_loose_file_is_all_its_learners_or_the_one_named(tmp_path):
    file = tmp_path / "my rules.py"
    file.write_text(rule("One") + rule("Two"))
    found = find([str(file)])
    assert [entry.name for entry, _ in found.choose([str(file)])] == ["One", "Two"]
    assert [(e.name, p) for e, p in found.choose([f"{file}:Two[rate=2]", "one"])] == [("Two", {"rate": 2.0}), ("One", {})]
    entry = found.learner("two")
    assert entry.origin == "file"
    assert entry.where == f"{file}:Two"
    with pytest.raises(RequestError, match=r"'Tow' is not known. Did you mean Two\?"):
        find([f"{file}:Tow"])


def test_a_loose_file_has_the_same_module_in_every_process(tmp_path):
    tmp_path.joinpath("rule.py").write_text(rule("Rule", "import helper_beside\nfrom .near_by import near"))
    tmp_path.joinpath("helper_beside.py").write_text("x = 1\n")
    tmp_path.joinpath("near_by.py").write_text("near = 2\n")
    entry = find([str(tmp_path / "rule.py")]).learner("Rule")
    code = "import sys; from harness.loading import load; cls = load(sys.argv[1]); print(cls.__module__, cls.__name__)"
    assert run(code, entry.where).split() == [entry.thing.__module__, "Rule"]
    assert entry.thing.__module__.startswith("hebbench_file_rule_")
    module = sys.modules[entry.thing.__module__]
    assert (module.helper_beside.x, module.near) == (1, 2)


def test_a_path_relative_to_here_will_do(tmp_path, monkeypatch):
    (tmp_path / "rule.py").write_text(rule("Rule"))
    monkeypatch.chdir(tmp_path)
    found = find(["rule.py"])
    assert found.choose(["rule.py"])[0][0].where == f"{tmp_path / 'rule.py'}:Rule"


def test_an_edited_file_is_read_again(tmp_path):
    file = tmp_path / "rule.py"
    file.write_text(rule("Rule"))
    first = find([str(file)]).learner("Rule").thing
    file.write_text(rule("Rule").replace("default=1.0", "default=2.0"))
    second = find([str(file)]).learner("Rule").thing
    assert (first.rate, second.rate) == (1.0, 2.0)


def test_a_sibling_that_another_module_hides_is_refused(tmp_path):
    for folder in "a", "b":
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "helper_of_both.py").write_text(f"x = {folder!r}\n")
        (tmp_path / folder / f"{folder}.py").write_text(rule(f"Rule{folder.upper()}", "import helper_of_both"))
    words = [str(tmp_path / "a" / "a.py"), str(tmp_path / "b" / "b.py")]
    found = find(words)
    assert [entry.name for entry, _ in found.choose(words)] == ["RuleA"]
    (broken,) = found.broken
    assert broken.name == words[1]
    assert "write `from .helper_of_both import ...`" in broken.error
    (tmp_path / "b" / "b.py").write_text(rule("RuleB", "from . import helper_of_both"))
    found = find(words)
    helpers = [sys.modules[entry.thing.__module__].helper_of_both.x for entry, _ in found.choose(words)]
    assert helpers == ["a", "b"]


def test_a_broken_file_is_left_out_as_long_as_anything_remains(tmp_path):
    good, bad = tmp_path / "good.py", tmp_path / "bad.py"
    good.write_text(rule("Good"))
    bad.write_text("import os; os._exit(4)")
    found = find([str(bad), str(good)])
    assert [entry.name for entry, _ in found.choose([str(bad), str(good)])] == ["Good"]
    assert [(each.name, each.origin) for each in found.broken] == [(str(bad), "file")]
    with pytest.raises(RequestError, match="exit code 4"):
        find([str(bad)]).choose([str(bad)])


@pytest.mark.parametrize("word", ["nowhere.py", "./nowhere/rule.py:Rule", "no.such.module:Rule", "learners.mlp:MPL", "numpy:"])
def test_what_is_not_there_is_a_mistake_before_any_work(word):
    with pytest.raises(RequestError) as raised:
        find([word])
    assert word.rpartition(":")[0] in str(raised.value)


def test_words_that_are_names_load_nothing():
    assert not registry.outside("MLP")
    assert settings.split("a/b.py:C[x=1,y=2]") == ("a/b.py:C", {"x": "1", "y": "2"})
