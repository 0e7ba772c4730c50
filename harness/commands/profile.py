"""How profiles of plausibility look in a terminal: one learner in words, or all side by side."""

from __future__ import annotations

import shutil
import textwrap
from typing import TYPE_CHECKING

from harness.commands.shared import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.audit import Audit, Finding, Witness

MARKS = {"PASS": "pass", "FAIL": "FAIL", "NA": "-", "INCONCLUSIVE": "?"}
"""How verdicts look where there is little room."""
LEGEND = "pass: as a brain may do it. FAIL: not so. -: does not apply. ?: could not be decided."
NARROW, WIDE = 60, 100
"""Columns that lines are wrapped to, at least and at most."""


def profile(audit: Audit) -> str:
    """One learner: the verdicts with their reasons, then the evidence, each with the command that repeats it."""
    width = min(max(shutil.get_terminal_size().columns, NARROW), WIDE)
    settings = ", ".join(f"{name}={value}" for name, value in audit.params.items())
    head = [audit.learner, f"settings: {settings or 'none'}; seed {audit.seed}; {audit.mode} mode"]
    head += [f"positive control: {audit.twin}"] if audit.twin else []
    lines = [*(line for text in head for line in _wrapped(text, width, hang=4)), ""]
    lines += [line for f in audit.criteria for line in _wrapped(f"{f.verdict:<13} {_title(f):<17} {f.reason}", width, hang=32)]
    lines += ["", "The evidence"]
    for f in audit.criteria:
        lines += ["", *_evidence(f, width)]
    return "\n".join(lines)


def _evidence(f: Finding, width: int) -> Iterator[str]:
    """What was measured, where to look, and how to see it again. The command is one line, however long, to be copied."""
    yield from _wrapped(f"{f.criterion}: {_measured(f)}", width, hang=4)
    if f.witness is not None:
        yield from _wrapped(f"    witness: {_place(f.witness)}", width, hang=6)
    yield f"    {f.reproduce}"


def _title(f: Finding) -> str:
    """A criterion, with the grade where it has one."""
    grade = str(f.detail.get("grade", ""))
    return f"{f.criterion} {grade}".rstrip()


def _measured(f: Finding) -> str:
    runs = counted(f.interventions, "intervention")
    if shared := f.detail.get("shared"):
        runs += f", {shared} of them shared with other criteria"
    if f.value is None:
        return f"nothing measured; {runs}."
    beside = [("noise", f.noise_floor), ("threshold", f.threshold), ("limit of detection", f.limit_of_detection)]
    others = ", ".join(f"{name} {value:.3g}" for name, value in beside if value is not None)
    return f"{f.statistic or 'value'} = {f.value:.4g}; {others}{'; ' * bool(others)}{runs}."


def _place(w: Witness) -> str:
    parts = [("array", w.array), ("row", w.row), ("step", w.step), ("population", w.population), ("unit", w.unit)]
    return ", ".join(f"{name} {value}" for name, value in parts if value not in ("", None))


def _wrapped(text: str, width: int, *, hang: int) -> list[str]:
    """A paragraph in lines; names and paths are never broken."""
    return textwrap.wrap(
        text, width, subsequent_indent=" " * hang, break_long_words=False, break_on_hyphens=False, drop_whitespace=True
    )


def matrix(audits: Sequence[Audit]) -> str:
    """All learners: a row each, and for each criterion a column, which its name comes down to."""
    names = list(dict.fromkeys(f.criterion for each in audits for f in each.criteria))
    wide = max(len(each.learner) for each in audits)
    lines = [" " * wide + "  " + "|    " * number + name for number, name in enumerate(names)]
    for each in audits:
        found = {f.criterion: MARKS[f.verdict] for f in each.criteria}
        lines.append(f"{each.learner:<{wide}}  {''.join(f'{found.get(name, str()):<5}' for name in names)}".rstrip())
    return "\n".join([*lines, "", LEGEND])
