"""The gate of the documentation as a script: parts, merge, report, comparison, and its exit code."""

import importlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))
shared = importlib.import_module("bench")

DOCS = Path(__file__).parent.parent / "docs"
PLAN = (
    "--learner",
    "rule.py",
    "--learner",
    "Perceptron",
    "--task",
    "logic/and",
    "--task",
    "logic/or",
    "--no-controls",
    "--seeds",
    "5",
)


def gate(folder, *words, code=0, **env):
    environment = shared.environment() | {"HEBBENCH": f"{sys.executable} -m harness", "PRESET": "smoke"} | env
    command = ["bash", DOCS / "gate.sh", *words]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def test_the_gate_opens_for_what_is_as_it_was_and_shuts_for_what_is_broken(tmp_path):
    rule = tmp_path / "rule.py"
    rule.write_text(shared.rule("Rule", step="rate"))
    gate(tmp_path, "all", "baseline.db", *PLAN, code=2)  # there is no baseline yet, but there are the parts
    assert sorted(path.name for path in (tmp_path / "gate").glob("part-*.db")) == ["part-1-of-2.db", "part-2-of-2.db"]
    shutil.copy(tmp_path / "gate" / "candidate.db", tmp_path / "baseline.db")

    again = gate(tmp_path, "all", "baseline.db", *PLAN, GITHUB_STEP_SUMMARY=str(tmp_path / "summary.md"))
    text = (tmp_path / "gate" / "comparison.md").read_text()
    assert text.startswith("**No significant fall**: 0 of 4 cells changed.")
    assert (tmp_path / "summary.md").read_text() == text
    assert "<!doctype html>" in (tmp_path / "gate" / "report.html").read_text(encoding="utf-8")[:20].lower()
    assert {row["attempt"] for row in shared.rows(tmp_path / "gate" / "candidate.db")} == {1}
    assert "all in gate/candidate.db already; nothing to do" in again.stderr

    rule.write_text(shared.rule("Rule", step="rate", body="raise ValueError('broken on purpose')"))
    gate(tmp_path, "all", "baseline.db", *PLAN, code=1)
    text = (tmp_path / "gate" / "comparison.md").read_text()
    assert text.startswith("**Significant fall**: ")
    assert "10 new failures" in text.splitlines()[0]
    assert "broken on purpose" in text


def test_parts_on_several_machines_and_a_commit_as_the_baseline(tmp_path):
    def git(*words):
        who = "-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"
        subprocess.run(["git", *who, *words], cwd=tmp_path, check=True, capture_output=True)

    (tmp_path / "rule.py").write_text(shared.rule("Rule"))
    git("init", "--quiet", "--initial-branch", "main")
    git("add", "rule.py")
    git("commit", "--quiet", "--message", "rule")
    for part in "1/2", "2/2":
        gate(tmp_path, "shard", part, *PLAN)
    gate(tmp_path, "judge", "main", *PLAN)
    assert (tmp_path / "gate" / "comparison.md").read_text().startswith("**No significant fall**: 0 of 4 cells changed.")


@pytest.mark.parametrize("words", [[], ["all"], ["every", "main"]])
def test_a_mistake_ends_with_2_and_the_usage(tmp_path, words):
    done = gate(tmp_path, *words, code=2)
    assert "gate.sh judge BASELINE" in done.stderr
    assert not list(tmp_path.glob("gate/*.db"))


def test_a_plan_that_cannot_be_ends_the_gate(tmp_path):
    assert "nothing-such" in gate(tmp_path, "all", "main", "--learner", "nothing-such", code=2).stderr


def test_the_script_is_one_that_bash_reads_and_the_page_calls_it_as_it_is():
    subprocess.run(["bash", "-n", DOCS / "gate.sh"], check=True)
    page, script = (DOCS / "continuous-integration.md").read_text(), (DOCS / "gate.sh").read_text()
    offered = set(re.findall(r"^#   gate\.sh (\w+)", script, re.MULTILINE))
    assert set(re.findall(r"gate\.sh (\w+) ", page)) <= offered
    assert set(re.findall(r"env: \{(\w+)", page)) <= set(re.findall(r"^(\w+)=\$", script, re.MULTILINE))
    assert os.access(DOCS / "gate.sh", os.X_OK)
