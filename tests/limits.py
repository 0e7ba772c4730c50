"""How little of a planted fault the audit still sees: `python -m tests.limits` writes `suites/audit/limits.toml`.

    transport   feedback alignment through (1 - share) F + share W': the largest relative difference of a change when forward
                weights are moved such that no activity can tell
    locality    Hebb's rule with W += rate strength y y' W: the same, of other rows of W

Each for doses of the fault from 0 to 1, medians and extremes of some seeds; the smallest dose at which all seeds are found out
is the limit of detection.
"""

import sys
from pathlib import Path

import numpy as np

from harness.audit import audit
from tests.audited.feedback import Lent
from tests.audited.hebbian import Planted

DOSES = (0.0, 1e-12, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
SEEDS = 10
PLANTED = dict(transport=("weight_transport", Lent, "share"), locality=("locality", Planted, "strength"))
MEASURED = dict(weight_transport=lambda f: f.value, locality=lambda f: f.detail["weights"]["W"]["lateral"])
"""What is drawn against the dose: by how much a change differs that should not."""
FILE = Path(__file__).parent.parent / "suites" / "audit" / "limits.toml"


def course(criterion, cls, name, doses=DOSES, seeds=SEEDS):
    """By dose: the statistic of each seed, and how many were found out."""
    found = []
    for dose in doses:
        findings = [audit(cls, {name: dose}, seed=seed, only=[criterion], fast=True)[criterion] for seed in range(seeds)]
        seen = [MEASURED[criterion](f) for f in findings]
        found.append((dose, seen, sum(f.verdict == "FAIL" for f in findings)))
    return found


def limit(found, seeds=SEEDS):
    """The smallest dose from which on all seeds are found out; infinite where there is none."""
    missed = [dose for dose, _, caught in found if caught < seeds]
    return min((dose for dose, _, _ in found if dose > max(missed, default=-1.0)), default=np.inf)


def written(curves):
    """The curves as TOML."""
    lines = [
        "# How little of a planted fault the audit still sees. Written by `python -m tests.limits`; `statistic` is what the",
        "# probe measured at each `dose` of the fault, as (least, median, most) of the seeds; `caught` the share that FAIL.",
        "",
    ]
    for fault, (criterion, cls, name) in PLANTED.items():
        found = curves[fault]
        spread = [[float(np.min(s)), float(np.median(s)), float(np.max(s))] for _, s, _ in found]
        lines += [
            f"[{fault}]",
            f'criterion = "{criterion}"',
            f'planted = "{(cls.__doc__ or "").splitlines()[0]}"',
            f'dose_of = "{name}"',
            f"seeds = {SEEDS}",
            f"limit_of_detection = {limit(found):g}",
            f"dose = [{', '.join(f'{dose:g}' for dose, _, _ in found)}]",
            f"caught = [{', '.join(f'{caught / SEEDS:g}' for *_, caught in found)}]",
            f"statistic = [{', '.join('[' + ', '.join(f'{x:.3g}' for x in row) + ']' for row in spread)}]",
            "",
        ]
    return "\n".join(lines).rstrip() + "\n"


def main():
    curves = {fault: course(*planted) for fault, planted in PLANTED.items()}
    FILE.write_text(written(curves), encoding="utf-8")
    print(FILE.read_text(encoding="utf-8"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
