"""How what the audit found is held against what was expected of it."""

import tomllib
from functools import cache
from pathlib import Path

BESIDE = {
    "locality": ("grade", "teaching"),
    "update_locking": ("lock",),
    "phases": ("phases",),
    "storage": ("storage",),
    "channel": ("level",),
}
"""What is expected of a finding beside its verdict, by criterion."""
WORDS = dict(const="constant", spikes="spiking")
"""What findings call what the table calls otherwise."""


def seen(finding, key):
    """What a finding says of `grade`, `teaching`, `lock`, `phases`, `storage` or `level`."""
    if key == "grade":
        return finding.detail["grade"]
    if key == "teaching":
        return max(finding.detail["teaching_dimension"].values())
    if key == "phases":
        return finding.value
    return finding.detail["label"]


@cache
def table():
    """What is expected, by learner and criterion."""
    text = (Path(__file__).parent / "expected.toml").read_text(encoding="utf-8")
    return {name: lines for name, lines in tomllib.loads(text).items() if isinstance(lines, dict)}


def disagreements(name, audit):
    """What was found otherwise than it was expected of a learner: a line each."""
    found = {f.criterion: f for f in audit.criteria}
    asked = [(criterion, line, found[criterion]) for criterion, line in table()[name].items() if criterion in found]
    return [
        f"{criterion}: {was} expected, for {line['reason']}; {now}, for {finding.reason}"
        for criterion, line, finding in asked
        for was, now in compared(criterion, line, finding)
        if was != now
    ]


def compared(criterion, line, finding):
    """What was expected and what was found, in pairs: the verdict, and if there is none to give, nothing beside it."""
    yield line["verdict"], finding.verdict
    if finding.verdict == line["verdict"] and finding.verdict in {"PASS", "FAIL"}:
        for key in BESIDE.get(criterion, ()):
            if key in line:
                yield WORDS.get(line[key], line[key]), seen(finding, key)
