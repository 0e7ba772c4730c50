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
FOUND = dict(lock="label", level="label", storage="label")
"""Where a finding has it under another name in its detail."""
ALIKE = dict(const="constant", spikes="spiking")
"""Words of the table, and those of the findings."""


@cache
def table():
    """What is expected, by learner and criterion."""
    text = (Path(__file__).parent / "expected.toml").read_text(encoding="utf-8")
    return {name: lines for name, lines in tomllib.loads(text).items() if isinstance(lines, dict)}


def disagreements(name, audit):
    """What was found otherwise than it was expected of a learner: a line each."""
    found = {f.criterion: f for f in audit.criteria}
    lines = []
    for criterion, line in table()[name].items():
        finding = found.get(criterion)
        if finding is None:
            continue
        if finding.verdict != line["verdict"]:
            lines.append(
                f"{criterion}: {line['verdict']} expected, for {line['reason']}; {finding.verdict}, for {finding.reason}"
            )
            continue
        if finding.verdict in {"NA", "INCONCLUSIVE"}:
            continue
        for key in BESIDE.get(criterion, ()):
            given = finding.detail.get(FOUND.get(key, key))
            if key in line and given not in {line[key], ALIKE.get(line[key])}:
                lines.append(f"{criterion}: {key} {line[key]} expected, for {line['reason']}; {given}, for {finding.reason}")
    return lines
