"""`hebbench audit`: what it says to people and to programs, what it keeps, and what it answers to what cannot be."""

import importlib
import json
import math
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness import registry
from harness.audit import CRITERIA, FAST, Audit, Finding, Witness
from harness.audit.case import Case
from harness.commands.profile import matrix, profile
from harness.store import Store

sys.path.append(str(Path(__file__).parent))
shared = importlib.import_module("bench")
bench, cli, install, rule = shared.bench, shared.cli, shared.install, shared.rule

PROFILE = "schema", "learner", "params", "seed", "mode", "twin", "criteria"
FINDING = (
    "criterion", "verdict", "value", "statistic", "noise_floor", "threshold", "limit_of_detection", "interventions", "reason",
    "witness", "detail", "reproduce",
)  # fmt: skip
WITNESS = "array", "row", "step", "population", "unit"
QUICK = "--fast", "--only", "phases"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A folder of its own for each test."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def few(monkeypatch):
    """Only some learners are there."""
    found = registry.find()
    names = "backprop", "perceptron", "chance", "logistic"
    monkeypatch.setattr(registry, "find", lambda *_: registry.Found(learners={k: found.learners[k] for k in names}))


def told(*words):
    """What `audit --json` prints; it prints nothing else."""
    done = cli("audit", *words, "--json")
    assert done.stderr == ""
    return json.loads(done.stdout)


def verdicts(audit):
    return {f["criterion"]: (f["verdict"], f["value"], f["reason"]) for f in audit["criteria"]}


# ---------------------------------------------------------------- to programs


def test_json_is_of_the_shape_that_programs_rely_on():
    found = told("Backprop", "--fast")
    assert tuple(found) == PROFILE
    assert (found["schema"], found["learner"], found["seed"]) == (1, "Backprop", 0)
    assert found["mode"] in {"step", "trace"}
    assert found["params"]["hidden"] == 7
    assert [f["criterion"] for f in found["criteria"]] == list(FAST)
    for finding in found["criteria"]:
        assert tuple(finding) == FINDING
        assert finding["verdict"] in {"PASS", "FAIL", "NA", "INCONCLUSIVE"}
        assert finding["reason"]
        assert finding["witness"] is None or tuple(finding["witness"]) == WITNESS
        numbers = [finding[k] for k in ("value", "noise_floor", "threshold", "limit_of_detection")]
        assert all(x is None or math.isfinite(x) for x in numbers)
    assert any(f["witness"] for f in found["criteria"])
    assert any(f["verdict"] == "FAIL" for f in found["criteria"])


def test_what_is_no_number_is_null(monkeypatch):
    import numpy as np

    import harness.audit.phases as module

    def probe(_):
        detail = dict(curve=np.array([1.0, np.nan]), kinds={"rate"}, pair=(np.float64(2), np.int64(3), np.True_))
        return Finding(
            criterion="phases", verdict="FAIL", value=np.float64("nan"), threshold=math.inf, reason="so",
            witness=Witness(array="W", row=np.int64(1)), detail=detail,
        )  # fmt: skip

    monkeypatch.setattr(module, "probe", probe)
    (finding,) = told("Perceptron", *QUICK)["criteria"]
    assert (finding["value"], finding["threshold"], finding["reason"]) == (None, None, "So.")
    assert finding["witness"]["row"] == 1
    assert finding["detail"] == dict(curve=[1.0, None], kinds=["rate"], pair=[2.0, 3, True])


@pytest.mark.usefixtures("few")
def test_all_leaves_out_what_has_no_kernels_and_tells_how_far_it_is():
    done = cli("audit", "--all", "--json", *QUICK)
    found = json.loads(done.stdout)
    assert (list(found), found["schema"]) == (["schema", "audits"], 1)
    assert [a["learner"] for a in found["audits"]] == ["Backprop", "Perceptron"]
    assert done.stderr.splitlines() == ["1/2 Backprop", "2/2 Perceptron"]


@pytest.mark.usefixtures("few")
def test_all_says_the_same_in_processes_of_their_own_and_in_this_one():
    here, apart = (cli("audit", "--all", "--json", "--fast", "--jobs", jobs) for jobs in (0, 2))
    assert here.stdout == apart.stdout
    assert here.stderr == apart.stderr


def test_only_decides_what_is_named_in_the_order_of_all():
    for words in (("--only", "phases", "--only", "weight_transport"), ("--only", "Weight-Transport", "--only", "PHASES")):
        assert [f["criterion"] for f in told("Perceptron", "--fast", *words)["criteria"]] == ["weight_transport", "phases"]


def test_another_seed_is_another_subject_and_the_same_seed_the_same():
    first, again, other = (told("Backprop", "--fast", "--only", "weight_transport", "--seed", s) for s in (3, 3, 4))
    assert first == again
    assert (first["seed"], other["seed"]) == (3, 4)
    assert first["criteria"][0]["value"] != other["criteria"][0]["value"]


# ---------------------------------------------------------------- again


def repeated(audit):
    """The verdicts that the commands of an audit give."""
    found = {}
    for finding in audit["criteria"]:
        program, *words = shlex.split(finding["reproduce"])
        assert program == "hebbench"
        found |= verdicts(told(*words[1:]))
    return found


@pytest.mark.parametrize("name", ["Backprop[depth=3]", "PredictiveCoding[feedback=separate,steps=5]"])
def test_a_command_repeats_its_verdict(name):
    first = told(name, "--fast", "--seed", 2, "--only", "weight_transport", "--only", "update_locking")
    assert repeated(first) == verdicts(first)
    assert f"hebbench audit '{name}' --seed 2 --only update_locking --fast" in first["criteria"][1]["reproduce"]


def test_what_is_drawn_for_a_criterion_does_not_depend_on_those_before_it():
    def drawn(*before):
        case = Case(registry.find().learner("FeedbackAlignment").thing, seed=1)
        for criterion in before:
            case.turn(criterion)
            case.subject.moved("W[0]")
        effects = [(row, [(e.step, e.units.tolist()) for e in effects]) for row, effects in case.graph.moved["W[1]"]]
        return effects, case.subject.moved("W[0]")["W[0]"].tolist()

    assert drawn("locality", "storage", "phases")[0] == drawn("storage")[0]
    assert drawn("locality", "storage") == drawn("storage", "storage")
    assert drawn("storage", "locality")[1] != drawn("storage")[1]


def test_a_stranger_s_file_with_spaces_and_quotes_in_its_path_is_audited_and_its_commands_work(here):
    folder = here / "my 'own' rules"
    folder.mkdir()
    file = folder / "a rule.py"
    file.write_text(rule("Mine"))
    found = told(f"{file}[rate=0.25]", *QUICK)
    assert (found["learner"], found["params"]["rate"]) == ("Mine", 0.25)
    assert repeated(found) == verdicts(found)
    assert str(here) not in json.dumps(found), "what is kept and shown says nothing of where on a disk the folder is"


# ---------------------------------------------------------------- to people


def lines(text):
    """Lines that are wrapped; a command is one line, however long, to be copied."""
    return [line for line in text.splitlines() if not line.startswith("    hebbench audit")]


def test_a_profile_is_read_at_80_columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    text = cli("audit", "Backprop", "--fast").stdout
    assert max(map(len, lines(text))) <= 80
    for finding in told("Backprop", "--fast")["criteria"]:
        assert f"{finding['verdict']:<13} {finding['criterion']}" in text
        assert finding["reproduce"] in text
        assert " ".join(finding["reason"].split()) in " ".join(text.split())


def made(name, **verdicts):
    told = [Finding(criterion=c, verdict=verdicts.get(c, "PASS"), reason="a reason " * 30) for c in CRITERIA]
    return Audit(learner=name, params=dict(hidden=7), seed=0, mode="step", twin="", criteria=told)


def test_the_table_of_all_is_read_at_120_columns_whatever_the_names():
    longest = max((e.name for e in registry.find().learners.values()), key=len)
    text = matrix([made(longest, dale="FAIL", online="INCONCLUSIVE", phases="NA"), made("Oja")])
    assert max(map(len, text.splitlines())) <= 120
    for at, criterion in enumerate(CRITERIA):
        (head,) = (line for line in text.splitlines() if line.endswith(criterion))
        cell = text.splitlines()[len(CRITERIA)][head.index(criterion) :][:4].strip()
        assert cell == dict(dale="FAIL", online="?", phases="-").get(criterion, "pass"), at


def test_the_widest_terminal_gets_no_endless_lines(monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")
    assert max(map(len, lines(profile(made("Oja"))))) <= 100


@pytest.mark.usefixtures("few")
def test_all_is_a_row_a_learner_and_says_what_its_marks_mean():
    text = cli("audit", "--all", *QUICK).stdout
    assert "\nBackprop    pass\nPerceptron  pass\n" in text
    assert "FAIL: not so." in text


@pytest.mark.parametrize("criterion", CRITERIA)
def test_each_criterion_is_explained(criterion):
    text = cli("explain", criterion).stdout
    assert text.startswith(f"# {criterion}\n")
    assert len(text) > 400
    assert "PASS" in text
    assert "FAIL" in text


# ---------------------------------------------------------------- kept


def test_what_is_kept_is_what_the_report_shows():
    cli("run", "smoke", "--task", "logic/and", "--learner", "Perceptron", "--no-controls", "--jobs", "0", "--store", "s.db")
    done = cli("audit", "Perceptron", *QUICK, "--store", "s.db")
    assert done.stderr == "Kept 1 profile in s.db.\n"
    assert "FAIL" not in done.stderr
    cli("report", "--store", "s.db", "--output", "r.html")
    page = Path("r.html").read_text()
    assert 'id="plausibility"' in page
    assert "hebbench audit Perceptron --seed 0 --only phases --fast" in page


def test_of_an_earlier_profile_what_was_not_asked_for_stays_unless_the_learner_is_another(here):
    file = here / "mine.py"
    file.write_text(rule("Mine"))

    def kept(*words):
        cli("audit", *words, "--store", "s.db")
        with Store("s.db") as store:
            return {name: [f["criterion"] for f in a["criteria"]] for name, a in store.audits().items()}

    assert kept(file, *QUICK) == {"Mine": ["phases"]}
    assert kept(file, "--fast", "--only", "locality") == {"Mine": ["locality", "phases"]}
    assert kept(f"{file}[rate=0.25]", *QUICK) == {"Mine": ["locality", "phases"], "Mine[rate=0.25]": ["phases"]}
    assert kept(file, *QUICK, "--seed", 1)["Mine"] == ["phases"]
    assert kept(file, "--fast", "--only", "locality", "--seed", 1)["Mine"] == ["locality", "phases"]
    file.write_text(rule("Mine", step="2 * rate"))
    assert kept(file, *QUICK, "--seed", 1)["Mine"] == ["phases"]


def test_what_another_auditor_has_found_does_not_stay(monkeypatch):
    def kept(*words):
        cli("audit", "Perceptron", *words, "--store", "s.db")
        with Store("s.db") as store:
            (audit,) = store.audits().values()
        return [f["criterion"] for f in audit["criteria"]], audit["auditor"]

    _, now = kept(*QUICK)
    assert kept("--fast", "--only", "locality") == (["locality", "phases"], now)
    monkeypatch.setattr("harness.audit.auditor", lambda: "another")
    assert kept("--fast", "--only", "storage") == (["storage"], "another")


def test_the_auditor_is_another_when_its_code_is_and_the_same_when_only_words_are(here):
    root = Path(registry.__file__).parent
    shutil.copytree(root, here / "harness")

    def said():
        words = "from harness.audit import auditor; print(auditor())"
        return subprocess.run(
            [sys.executable, "-P", "-c", words],
            env=os.environ | {"PYTHONPATH": str(here)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def edit(name, old, new):
        file = here / "harness" / name
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new))

    first = said()
    edit("audit/locality.py", '"""The grade of locality."""', '"""How local it is."""')
    assert said() == first
    seen = {first}
    for name, old, new in (
        ("audit/locality.py", "THRESHOLD = 1e-6", "THRESHOLD = 1e-5"), ("audit/graph.py", "TRIED = 2", "TRIED = 3"),
        ("watched.py", "tracer.close()", "tracer.settle()"),
    ):  # fmt: skip
        edit(name, old, new)
        seen.add(said())
    assert len(seen) == 4


def test_a_store_that_cannot_be_is_refused_before_any_work(here, monkeypatch):
    monkeypatch.setattr("harness.audit.audit", lambda *_, **__: pytest.fail("it went to work"))
    here.joinpath("text.db").write_text("no store")
    assert "text.db" in cli("audit", "Perceptron", "--store", "text.db", code=2).stderr


# ---------------------------------------------------------------- what cannot be


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("Perceptron", "--only", "localty"), "Did you mean locality?"),
        (("Percepton",), "Did you mean Perceptron?"),
        ((), "name one learner, or say --all"),
        (("Perceptron", "--all"), "name one learner, or say --all"),
        (("nowhere.py",), "there is no nowhere.py"),
        (("Perceptron[rate=-1]",), "rate"),
        (("Perceptron", "--seed", "-1"), "-1"),
    ],
)
def test_a_mistake_is_named_with_a_hint(words, hint):
    done = cli("audit", *words, code=2)
    assert hint in " ".join(done.stderr.split())
    assert done.stdout == ""


def test_a_file_with_two_learners_is_two_profiles_and_as_json_one_must_be_named(here):
    here.joinpath("two.py").write_text(rule("First") + rule("Second").partition("\n\n\n")[2])
    done = cli("audit", "two.py", *QUICK)
    assert done.stderr.splitlines() == ["1/2 First", "2/2 Second"]
    assert [line for line in done.stdout.splitlines() if line in {"First", "Second"}] == ["First", "Second"]
    assert "name one, as two.py:First" in " ".join(cli("audit", "two.py", *QUICK, "--json", code=2).stderr.split())
    assert told("two.py:Second", *QUICK)["learner"] == "Second"


def test_a_learner_that_cannot_be_laid_out_is_inconclusive_and_says_why(here):
    here.joinpath("bad.py").write_text(rule("Bad", body="raise RuntimeError('only images')"))
    for criterion, (verdict, value, reason) in verdicts(told("bad.py", "--fast")).items():
        assert (criterion, verdict, value) == (criterion, "INCONCLUSIVE", None)
        assert "only images" in reason


def test_a_probe_that_fails_leaves_the_others_unharmed(monkeypatch):
    def fails(_):
        raise SystemExit("enough")

    monkeypatch.setattr("harness.audit.channel.probe", fails)
    found = verdicts(told("Perceptron", "--fast", "--only", "channel", "--only", "phases"))
    assert found["channel"] == ("INCONCLUSIVE", None, "The probe ended in SystemExit: enough.")
    assert found["phases"][0] == "PASS"


def test_a_broken_plug_in_is_left_out_and_named(here):
    site = here / "site"
    install(site, "other-rules", {"other_rules.py": "raise ImportError('no such thing')"}, learners="other_rules")
    done = bench("audit", "Perceptron", *QUICK, cwd=here, env=shared.environment(site))
    assert done.returncode == 0, done.stderr
    assert "Left out: other-rules" in done.stderr
    assert "phases" in done.stdout
    here.joinpath("broken.py").write_text("1 / 0")
    assert "ZeroDivisionError" in cli("audit", "broken.py", code=2).stderr
