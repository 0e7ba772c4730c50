"""The page: everything that a report shows, in one offline HTML file.

Same data, same bytes: nothing of the time or place of building is in it. All text that came from outside is escaped by
the template; the one script is allowed by its hash, so that a forgotten escape could not run either.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.resources
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from reports import figures, tables
from reports.board import Board, board
from reports.data import FAMILIES, LOST, Cell, ReportData, Tidy, tidy
from reports.looks import DARK, LIGHT, Look, looks, shades
from reports.sheet import sheet
from reports.sources import linked
from reports.verdict import SAME, verdict
from reports.words import figure, seconds, short

LETTERS = 3
"""Letters that fit above one column of a map."""
BLANK_CARD: dict[str, Any] = {"summary": "", "biology": "", "source": [], "hyperparameters": []}
BLANK_CLAIM: dict[str, Any] = {
    "source": "", "published": "", "figure": None, "interval": None, "threshold": "", "reason": "",
}  # fmt: skip
STATUSES = "broken", "held", "undecided"


def build(data: ReportData) -> str:
    """The report as HTML; ReportError where there is nothing to report."""
    found = tidy(data)
    whole = board(found, found.shared)
    look = looks(found.labels, found.families)
    outcomes = {str(k): int(n) for k, n in found.rows.outcome.value_counts().items()}
    given = [BLANK_CLAIM | dict(claim) for claim in data.claims]
    claims = {status: [c for c in given if c["status"] == status] for status in STATUSES}
    modules = {str(card["name"]): str(card.get("module", "")) for card in data.learners}
    rows = tables.results(found, modules)
    order = [s.label for s in whole.standings]
    idle = dict.fromkeys(row.label for row in found.rows.itertuples() if not row.params and row.label not in order)
    return _render(
        verdict=verdict(whole, outcomes, {k: len(v) for k, v in claims.items()}),
        data=data, tidy=found, board=whole, looks=look, outcomes=outcomes, claims=claims, rows=rows,
        facts=_facts(found, outcomes), suites=_suites(found), ranking=tables.ranking(found, whole, look),
        groups=_groups(found.cells), all_groups=_groups(found.seen),
        outcome_map=tables.outcome_map(found, [*order, *idle]), heat=tables.heat_map(found, rows, order),
        marks=[(tables.MARKS.get(k, ""), words, k) for k, words in tables.MEANINGS.items()],
        troubles=tables.troubles(found, modules), cards=_cards(data, found), environment=[_flat(e) for e in data.environment],
        store=data.store.replace("\\", "/").rpartition("/")[2], csv=base64.b64encode(sheet(found.rows).encode()).decode(),
        keys=_keys(look), **_drawn(found, data, whole, look),
    )  # fmt: skip


def _drawn(found: Tidy, data: ReportData, whole: Board, look: dict[str, Look]) -> dict[str, Any]:
    """The figures, by name; none where there is nothing to draw."""
    if not whole.standings:
        return {"trials": "", "ladders": [], "curves": [], "costs": []}
    with figures.style():
        return {
            "trials": figures.every_trial(found, whole, look),
            "ladders": figures.ladders(found, look),
            "curves": figures.curves(found, data.curves, look),
            "costs": figures.costs(found, whole, look),
        }


def _render(**parts: Any) -> str:
    """Fill the template; its style and script lie beside it."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined
    from markupsafe import Markup

    def source(name: str) -> str:
        return importlib.resources.files("reports").joinpath("templates", name).read_text(encoding="utf-8")

    environment = Environment(
        loader=FunctionLoader(source), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"figure": figure, "linked": linked, "short": short, "seconds": seconds, "drawn": Markup}
    script = source("behaviour.js")
    style = source("style.css")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return environment.get_template("page.html").render(
        **parts, script=Markup(script), style=Markup(style), script_hash=digest,  # noqa: S704  our own files
        light=LIGHT, dark=DARK, shades=shades(), families=FAMILIES,
    )  # fmt: skip


def _facts(found: Tidy, outcomes: Mapping[str, int]) -> list[tuple[str, str]]:
    """Counts for the line of facts: (number, words)."""
    rows = found.rows
    seeds = rows[rows.compared].groupby(["label", "cell"]).size()
    spread = "0" if seeds.empty else f"{seeds.min()}" if seeds.min() == seeds.max() else f"{seeds.min()} to {seeds.max()}"
    ran = len(rows) - outcomes.get("not_applicable", 0)
    facts = [
        (ran, "trials"), (rows.learner.nunique(), "learners"), (rows.task.nunique(), "tasks"),
        (len(found.shared), "cells compared"),
        (spread, "seed a cell" if spread == "1" else "seeds a cell"), (sum(outcomes.get(o, 0) for o in LOST), "failed"),
        (outcomes.get("not_applicable", 0), "not applicable"),
    ]  # fmt: skip
    return [(str(n), words) for n, words in facts]


def _suites(found: Tidy) -> list[dict[str, Any]]:
    """Who is highest on each suite, and who is not told apart from it."""
    names = dict.fromkeys(cell.suite for cell in found.shared)
    lines = []
    for name in names:
        cells = [cell for cell in found.shared if cell.suite == name]
        part = board(found, cells)
        if part.ranked:
            first = part.ranked[0]
            known = all(part.pairs[first.label, s.label].interval is not None for s in part.ranked[1:])
            equal = [s.label for s in part.ranked if abs(s.score - first.score) < SAME]
            tied = [s.label for s in part.tied(first.label) if s.label not in equal]
            lines.append(
                dict(name=name, cells=len(cells), first=first, equal=equal, tied=tied, known=known, ranked=len(part.ranked))
            )
    return lines


def _groups(cells: tuple[Cell, ...]) -> dict[str, tuple[int, bool]]:
    """Suites, their number of columns in the maps, and whether their names fit above these."""
    counts: dict[str, int] = {}
    for cell in cells:
        counts[cell.suite] = counts.get(cell.suite, 0) + 1
    return {suite: (n, len(suite) <= LETTERS * n) for suite, n in counts.items()}


def _keys(look: dict[str, Look]) -> list[dict[str, Any]]:
    """The legend: one entry a label, with its marker as SVG path."""
    from matplotlib.markers import MarkerStyle

    entries = []
    for label, one in look.items():
        marker = MarkerStyle(one.marker)
        outline = marker.get_path().transformed(marker.get_transform()).to_polygons(closed_only=False)[0]
        points = np.asarray(outline, dtype=float) * (8, -8) + 8
        path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + "Z"
        entries.append({"label": label, "look": one, "path": path})
    return entries


def _cards(data: ReportData, found: Tidy) -> list[dict[str, Any]]:
    """One card for each learner that was run, whether or not it is installed now."""
    known = {card["name"]: BLANK_CARD | dict(card) for card in data.learners}
    family = dict(zip(found.rows.learner, found.rows.family, strict=True))
    variants: dict[str, list[str]] = {name: [] for name in family}
    for name, label in dict.fromkeys(zip(found.rows.learner, found.rows.label, strict=True)):
        if name != label:
            variants[name].append(label)
    order = sorted(family, key=lambda name: (FAMILIES.index(family[name]), name))
    return [{"name": name, "family": family[name], "variants": variants[name], "known": known.get(name)} for name in order]


def _flat(given: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Nested settings as lines of name and value."""

    def lines(prefix: str, value: Any) -> Iterator[tuple[str, str]]:
        if isinstance(value, Mapping):
            for name in sorted(value):
                yield from lines(f"{prefix}.{name}" if prefix else str(name), value[name])
        elif isinstance(value, (list, tuple)):
            yield prefix, ", ".join(map(str, value))
        else:
            yield prefix, "" if value is None else str(value)

    return list(lines("", given))
