"""The audit's profiles: criteria side by side, never one score.

A profile is what `hebbench audit --store` kept of a learner, as it is in the JSON of that command. The report shows the latest
of each learner, beside its score and its cost.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import re
from typing import TYPE_CHECKING, Any

from harness.audit import CRITERIA, auditor
from harness.audit.literature import LITERATURE, state
from reports.expected import revised, surprises, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reports.board import Board

MARKS = {"PASS": "✓", "FAIL": "✗", "NA": "–", "INCONCLUSIVE": "?"}
MEANINGS = {
    "PASS": "as a brain may do it",
    "FAIL": "not as a brain may do it",
    "NA": "does not apply",
    "INCONCLUSIVE": "could not be decided",
}
SHADES = {"PASS": "better", "FAIL": "worse", "NA": "not-applicable", "INCONCLUSIVE": "diverged"}
STATES = {"met": "PASS", "missed": "FAIL", "does not apply": "NA", "undecided": "INCONCLUSIVE", "not measured": ""}


Definition = tuple[tuple[bool, tuple[str, ...]], ...]
"""Paragraphs, and lists: whether it is a list, and its texts."""
WITNESS = "array", "row", "step", "population", "unit"


@dataclasses.dataclass(frozen=True)
class Verdict:
    """One square: the verdict, what stands in it, its words, and the finding behind it."""

    criterion: str
    verdict: str
    text: str
    words: str
    finding: Mapping[str, Any]

    @property
    def shade(self) -> str:
        """Its class in the page."""
        return SHADES[self.verdict]

    @property
    def witness(self) -> str:
        """Where to look, in words; nothing where there is no witness."""
        given = self.finding.get("witness") or {}
        return ", ".join(f"{name} {given[name]}" for name in WITNESS if given.get(name) not in ("", None))


@dataclasses.dataclass(frozen=True)
class Profile:
    """One learner's: its verdicts by criterion (None where it was not asked), where and how they were found, its score.

    It is `stale` where another auditor than the present one has found them.
    """

    learner: str
    params: Mapping[str, Any]
    seed: int
    mode: str
    twin: str
    verdicts: dict[str, Verdict | None]
    score: float | None
    interval: tuple[float, float] | None
    stale: bool

    @property
    def passes(self) -> str:
        """The criteria that it passes, for the filter."""
        return " ".join(name for name, v in self.verdicts.items() if v is not None and v.verdict == "PASS")


@dataclasses.dataclass(frozen=True)
class Plausibility:
    """All that the page says of the audit.

    criteria, definitions   those that were asked, and what each asks
    profiles                one a learner
    lists                   the literature's: name, source, points, and by learner a (mark, state, shade) at each point
    revised, surprises      expectations that were changed, and those that were not met: learner, criterion, was, now, reason
    """

    criteria: tuple[str, ...]
    definitions: dict[str, Definition]
    profiles: tuple[Profile, ...]
    lists: tuple[tuple[str, str, tuple[tuple[str, str], ...], dict[str, tuple[tuple[str, str, str], ...]]], ...]
    revised: Sequence[Mapping[str, str]]
    surprises: Sequence[Mapping[str, str]]


def plausibility(audits: Mapping[str, Mapping[str, Any]], whole: Board) -> Plausibility | None:
    """The section, in the order of the ranking, learners without a score last; None where nobody was audited."""
    if not audits:
        return None
    scores = {standing.label: standing for standing in whole.standings}
    order = [*(name for name in scores if name in audits), *(name for name in audits if name not in scores)]
    shown = tuple(c for c in CRITERIA if any(f["criterion"] == c for a in audits.values() for f in a["criteria"]))
    profiles, now = [], auditor()
    for name in order:
        audit, standing = audits[name], scores.get(name)
        found = {f["criterion"]: _verdict(f) for f in audit["criteria"]}
        score, interval = (standing.score, standing.interval) if standing else (None, None)
        verdicts = {c: found.get(c) for c in shown}
        profiles.append(Profile(
            name, audit["params"], audit["seed"], audit["mode"], audit["twin"], verdicts, score, interval,
            stale=audit.get("auditor") != now,
        ))  # fmt: skip
    known = table()
    return Plausibility(
        shown, {c: _definition(c) for c in shown}, tuple(profiles), _lists(profiles),
        revised(known, audits), surprises(known, audits),
    )  # fmt: skip


def _verdict(finding: Mapping[str, Any]) -> Verdict:
    verdict = str(finding["verdict"])
    grade = str((finding.get("detail") or {}).get("grade", ""))
    text = grade if verdict in ("PASS", "FAIL") and re.fullmatch(r"L\d", grade) else MARKS[verdict]
    words = f"{finding['criterion'].replace('_', ' ')}: {verdict}. {finding['reason']}"
    return Verdict(str(finding["criterion"]), verdict, text, words, finding)


def _definition(criterion: str) -> Definition:
    """What a criterion asks, from its module."""
    return blocks(inspect.getdoc(importlib.import_module(f"harness.audit.{criterion}")) or "")


def blocks(text: str) -> Definition:
    """A docstring as paragraphs of one text and lists of several, without its line breaks; each reference is a line of a list."""
    found = []
    for block in re.split(r"\n\s*\n", text.strip()):
        if block.startswith("* "):
            items = re.split(r"\n\* ", block[2:])
        else:
            items = re.split(r"(?<=\S)\n(?=[A-Z][^\n]*\(\d{4}\))", block) if re.search(r"doi:|arXiv:", block) else [block]
        listed = block.startswith("* ") or len(items) > 1
        found.append((listed, tuple(" ".join(item.split()) for item in items)))
    return tuple(found)


def _lists(profiles: Iterable[Profile]) -> tuple[Any, ...]:
    """Each list of the literature: name, source, its points, and for each learner a (mark, state, shade) at each point."""
    made = []
    for demands in LITERATURE:
        rows = {}
        for profile in profiles:
            verdicts = {name: v.verdict for name, v in profile.verdicts.items() if v is not None}
            states = [state(point, verdicts) for point in demands.points]
            rows[profile.learner] = tuple((MARKS.get(STATES[s], ""), s, SHADES.get(STATES[s], "")) for s in states)
        made.append((demands.name, demands.source, tuple((p.mark, p.words) for p in demands.points), rows))
    return tuple(made)
