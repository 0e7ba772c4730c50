"""The plausibility audit: what a learning rule really uses, decided by intervention on the running learner.

`audit(Learner)` gives a verdict on each criterion with its evidence. Each criterion is one file here; its docstring is its
definition, and `hebbench explain CRITERION` prints it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from harness.audit.evidence import Audit, Finding, Witness, plain
from harness.audit.subject import UnauditableError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.audit.case import Case
    from harness.base import Learner

__all__ = ["CRITERIA", "FAST", "Audit", "Finding", "UnauditableError", "Witness", "audit", "auditor", "wanted"]

CRITERIA = (
    "weight_transport", "locality", "weight_sharing", "update_locking", "phases", "causality", "storage", "channel", "dale",
    "signed_teaching", "online", "sparsity",
)  # fmt: skip
"""Names of criteria, each that of its module, which has `probe(case)`."""
FAST = (*CRITERIA[:8], "signed_teaching")
"""Those that a fast audit decides."""
KEPT = "weight_transport", "locality", "causality"
"""Those that can be decided of a learner that keeps something outside of its state; for others its runs are no measure."""


def audit(
    learner: type[Learner], params: dict[str, Any] | None = None, *, seed: int = 0, fast: bool = False,
    only: Iterable[str] = (), where: str = "",
) -> Audit:  # fmt: skip
    """Audit a learner's class at the settings of an audit (`harness.audit.subject.SMALL`), but for `params`.

    `fast` keeps to what takes a second; `only` names criteria; `where` is how the command line finds the learner. A probe
    that fails leaves the others unharmed: its finding is INCONCLUSIVE, and says why.
    """
    from harness.audit.case import Case

    case = Case(learner, params, seed=seed, fast=fast, where=where)
    findings = [_finding(case, criterion) for criterion in wanted(only, fast=fast)]
    return Audit(learner=learner.__name__, params=case.shown, seed=seed, mode=case.mode, twin=case.twin_name, criteria=findings)


def wanted(only: Iterable[str] = (), *, fast: bool = False) -> list[str]:
    """The criteria to decide, in the order of all: those named, or else all, or those of a fast audit."""
    named = set(only)
    return [c for c in CRITERIA if c in named] if named else list(FAST if fast else CRITERIA)


def auditor() -> str:
    """A digest of the code that decides, whatever the learner: a profile by another one is stale."""
    from harness.digest import digest

    return digest("harness.audit:audit", *(f"harness.audit.{criterion}:probe" for criterion in CRITERIA))


def _finding(case: Case, criterion: str) -> Finding:
    before = case.interventions - case.shared
    case.turn(criterion)
    try:
        if case.echo and criterion not in KEPT:
            raise UnauditableError("what it did in the sample before goes on outside of its state: no run is like another")  # noqa: TRY301
        finding: Finding = importlib.import_module(f"harness.audit.{criterion}").probe(case)
    except UnauditableError as why:
        finding = Finding(criterion=criterion, verdict="INCONCLUSIVE", reason=f"{why}")
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a stranger's learner raises
        words = f"The probe ended in {type(error).__name__}: {error}"
        finding = Finding(criterion=criterion, verdict="INCONCLUSIVE", reason=words)
    return case.signed(plain(finding), case.interventions - case.shared - before)
