"""Learner cards, and the claims that they link to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reports.data import FAMILIES

if TYPE_CHECKING:
    from reports.data import ReportData, Tidy

Claim = dict[str, Any]
BLANK_CARD: dict[str, Any] = {"summary": "", "biology": "", "equation": [], "source": [], "hyperparameters": []}
BLANK_CLAIM: Claim = {
    "source": "", "published": "", "figure": None, "interval": None, "threshold": "", "reason": "", "learners": [],
}  # fmt: skip
STATUSES = "broken", "held", "undecided"


def claims(data: ReportData) -> dict[str, list[Claim]]:
    """The claims by status, each with the anchor that links lead to."""
    given = [BLANK_CLAIM | dict(claim) | {"anchor": f"claim-{i}"} for i, claim in enumerate(data.claims)]
    return {status: [claim for claim in given if claim["status"] == status] for status in STATUSES}


def cards(data: ReportData, found: Tidy, decided: dict[str, list[Claim]]) -> list[dict[str, Any]]:
    """One card for each learner that was run, whether or not it is installed now.

    Its known answers are the claims that need its trials.
    """
    known = {card["name"]: BLANK_CARD | dict(card) for card in data.learners}
    family = dict(zip(found.rows.learner, found.rows.family, strict=True))
    variants: dict[str, list[str]] = {name: [] for name in family}
    for name, label in dict.fromkeys(zip(found.rows.learner, found.rows.label, strict=True)):
        if name != label:
            variants[name].append(label)
    every = [claim for status in STATUSES for claim in decided[status]]
    made = []
    for name in sorted(family, key=lambda name: (FAMILIES.index(family[name]), name)):
        mine = [claim for claim in every if name in claim["learners"]]
        made.append({
            "name": name, "family": family[name], "variants": variants[name], "known": known.get(name), "claims": mine,
            "held": sum(claim["status"] == "held" for claim in mine), "checks": data.checks.get(name),
        })  # fmt: skip
    return made
