"""What an audit says: a profile of findings, each with statistic, noise, threshold and witness; never one score."""

from __future__ import annotations

import math
from typing import Any, Literal

import msgspec
import numpy as np

Verdict = Literal["PASS", "FAIL", "NA", "INCONCLUSIVE"]


class Witness(msgspec.Struct, frozen=True, kw_only=True):
    """Where to look: the array and row that was moved, and the step of the trace, population and unit that it moved."""

    array: str = ""
    row: int | None = None
    step: int | None = None
    population: str = ""
    unit: int | None = None


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on one criterion, and the evidence for it.

    `value` is `statistic`, in words, as measured; `noise_floor` what it is where there is nothing to find, `threshold` where the
    verdict turns, `limit_of_detection` the least that would have been seen. NA: the criterion does not apply, `reason` says
    why. INCONCLUSIVE: there was no power to decide. `interventions` are the runs of a sample that it rests on. Those that show
    the direct effects of cells and weights are made once for all criteria; each that looks at them counts all that there were
    by then, and says how many in `detail`, as `shared`.
    """

    criterion: str
    verdict: Verdict
    value: float | None = None
    statistic: str = ""
    noise_floor: float | None = None
    threshold: float | None = None
    limit_of_detection: float | None = None
    interventions: int = 0
    reason: str
    witness: Witness | None = None
    detail: dict[str, Any] = {}
    reproduce: str = ""


def plain(finding: Finding) -> Finding:
    """A finding in numbers of Python, as JSON has them: NaN and infinity are None. Its reason is a sentence, from end to end."""
    told = _plain(finding)
    words = told["reason"].rstrip(". ") + "."
    return msgspec.convert(told | dict(reason=words[0].upper() + words[1:]), Finding)


def _plain(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        value = msgspec.structs.asdict(value)
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(each) for each in value]
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """All that was found about one learner at one setting."""

    schema: int = 1
    learner: str
    params: dict[str, Any]
    seed: int
    mode: Literal["step", "trace"]
    twin: str
    criteria: list[Finding]

    def __getitem__(self, criterion: str) -> Finding:
        """The finding on one criterion."""
        return next(f for f in self.criteria if f.criterion == criterion)
