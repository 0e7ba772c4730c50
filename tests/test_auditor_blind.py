"""The auditor does not know what is expected of it: it neither names, imports nor opens what says so."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

import harness

sys.path.append(str(Path(__file__).parent))
shared = importlib.import_module("bench")

AUDIT = sorted((Path(harness.__file__).parent / "audit").glob("*.py"))

WATCH = """
import json, sys
seen = []
sys.addaudithook(lambda event, args: seen.append(str(args[0])) if event == "open" else None)
from harness.audit import audit
from learners.feedback_alignment import FeedbackAlignment
audit(FeedbackAlignment, fast=True)
print(json.dumps([sorted(sys.modules), seen]), file=sys.stderr)
"""


@pytest.mark.parametrize("path", AUDIT, ids=lambda path: path.name)
def test_no_file_of_the_auditor_names_what_is_expected(path):
    text = path.read_text()
    assert "suites" not in text
    assert "expected.toml" not in text


def test_an_audit_neither_imports_nor_opens_what_is_expected():
    done = subprocess.run(
        [sys.executable, "-c", WATCH], env=shared.environment(), capture_output=True, text=True, check=True, timeout=60
    )
    modules, opened = json.loads(done.stderr.splitlines()[-1])
    assert any(name.startswith("harness.audit") for name in modules)
    assert not [name for name in modules if name.partition(".")[0] in {"suites", "reports"}]
    assert not [name for name in opened if "expected.toml" in name or "/suites/" in name]
