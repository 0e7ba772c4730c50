"""What the audit was expected to find, and the least that it sees: `suites/audit/expected.toml` and `limits.toml`.

The auditor cannot read these files. The report can, and says where expectation and finding disagree.
"""

from __future__ import annotations

import importlib.resources
import tomllib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

Line = dict[str, str]


def table() -> dict[str, dict[str, Any]]:
    """Expectations by learner and criterion; empty where the suites are not installed."""
    return _read("expected.toml")


def courses() -> dict[str, dict[str, Any]]:
    """What probes measured of planted faults, by fault; empty where the suites are not installed."""
    return _read("limits.toml")


def _read(name: str) -> dict[str, dict[str, Any]]:
    """The tables of a file beside the audit's suite."""
    try:
        text = importlib.resources.files("suites").joinpath("audit", name).read_text(encoding="utf-8")
    except (ModuleNotFoundError, FileNotFoundError):
        return {}
    return {name: lines for name, lines in tomllib.loads(text).items() if isinstance(lines, dict)}


def revised(expected: Mapping[str, Mapping[str, Any]], names: Mapping[str, Any]) -> list[Line]:
    """Expectations that were changed after a learner was first audited, of the learners named."""
    return [
        dict(learner=name, criterion=criterion, was=str(old["verdict"]), now=str(line["verdict"]), reason=str(old["reason"]))
        for name, lines in expected.items()
        if name in names
        for criterion, line in lines.items()
        for old in line.get("was", ())
    ]


def surprises(expected: Mapping[str, Mapping[str, Any]], audits: Mapping[str, Mapping[str, Any]]) -> list[Line]:
    """Where a learner that was audited at its own settings came out otherwise than expected."""
    return [
        dict(learner=name, criterion=f["criterion"], was=str(line["verdict"]), now=f["verdict"], reason=str(line["reason"]))
        for name, audit in audits.items()
        for f in audit["criteria"]
        if (line := expected.get(name, {}).get(f["criterion"])) and line["verdict"] != f["verdict"]
    ]
