"""The command that reproduces a number."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ELSEWHERE = "again.db"
"""Another store, so that the trials run once more and the first numbers stay."""


def command(row: Any, replicates: Iterable[int], modules: Mapping[str, str]) -> str:
    """The command line that runs the trials of one label and task again, in a store of their own.

    row         a trial with its label, family, origin, task, preset, and whether and with how many settings it was tuned
    modules     where learners that came from a loose file are found, by name
    """
    name = row.label
    if row.origin == "file" and row.learner in modules:
        name = modules[row.learner] + name.removeprefix(row.learner)
    words = ["hebbench", "run", row.preset or "quick", "--learner", name, "--task", row.task, "--seeds", _seeds(replicates)]
    if row.tuned:
        words += ["--tune", str(row.tuning_trials)]
    if row.family != "control":
        words.append("--no-controls")
    return shlex.join([*words, "--store", ELSEWHERE])


def _seeds(replicates: Iterable[int]) -> str:
    """`3` is replicates 0 to 2, `3,7` is those two, `5,` is that one."""
    wanted = sorted(set(replicates))
    if wanted == list(range(len(wanted))):
        return str(len(wanted))
    return ",".join(map(str, wanted)) + "," * (len(wanted) == 1)
