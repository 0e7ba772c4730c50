"""The page: everything that a report shows, in one offline HTML file.

Same data, same bytes: nothing of the time or place of building is in it.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from reports import figures, identity, tables
from reports.board import Board, board
from reports.cards import cards, claims
from reports.credit import ANGLE, FEEDBACK
from reports.credit import tables as tables_by_depth
from reports.data import Cell, ReportData, Tidy, tidy
from reports.discrimination import discrimination
from reports.draw import LEAD, MOST
from reports.expected import courses
from reports.looks import MARKERS, Looks, looks
from reports.matrix import MEANINGS, VERDICTS, matrix
from reports.plausibility import MARKS, SHADES, plausibility
from reports.plausibility import MEANINGS as AUDITED
from reports.profile import profiles
from reports.psychometrics import psychometrics
from reports.reach import REACH, reach
from reports.reading import reached, silent, taken
from reports.render import render
from reports.sheet import packed, sheet
from reports.tuned import gains, tuning_curves
from reports.verdict import SAME, verdict

LETTERS = 3
"""Letters that fit above one column of a map."""


def build(data: ReportData) -> str:
    """The report as HTML; ReportError where there is nothing to report."""
    found = tidy(data)
    whole = _standings(found)
    order = [s.label for s in whole.standings]
    look = looks(found.labels if len(found.labels) <= MOST else order, found.families)
    told = discrimination(found) if whole.standings else {}
    parts = _first(data, found, whole, look) | _maps(data, found, order) | _figures(data, found, whole, look, silent(told))
    parts |= _credit(data, found, whole, look, silent(told)) | _plausibility(data, whole, look)
    parts |= dict(discrimination=list(told.values()), silent=silent(told), contents=_contents(parts | {"discrimination": told}))
    return render(data=data, tidy=found, board=whole, looks=look, **parts)


def _standings(found: Tidy) -> Board:
    """The standings; none where no trial ended well, since ranks of nothing but failures would say something."""
    whole = board(found, found.shared)
    ended = (found.compared.outcome == "ok").any()
    return whole if ended else dataclasses.replace(whole, standings=(), pairs={})


def _first(data: ReportData, found: Tidy, whole: Board, look: Looks) -> dict[str, Any]:
    """The first page and what it leads to: verdict, ranking, claims, cards."""
    outcomes = identity.outcomes(found)
    decided = claims(data)
    store = data.store.replace("\\", "/").rpartition("/")[2]
    lines = identity.identity(found)
    return dict(
        verdict=verdict(whole, outcomes, {k: len(v) for k, v in decided.items()}), outcomes=outcomes, store=store,
        facts=identity.facts(found, outcomes), notes=identity.notes(found), identity=lines,
        citation=identity.citation(found, store, lines), ranking=tables.ranking(found, whole, look), matrix=matrix(whole),
        verdicts=[(VERDICTS[kind], words, kind) for kind, words in MEANINGS.items()], claims=decided,
        suites=_suites(found) if whole.standings else [],
        cards=cards(data, found, decided), environment=[tables.flat(e) for e in data.environment],
        keys=_keys(look, found, whole), leading=LEAD if len(look) > MOST else len(look),
    )  # fmt: skip


def _maps(data: ReportData, found: Tidy, order: list[str]) -> dict[str, Any]:
    """The maps, all results, and the trouble."""
    modules = _modules(data)
    rows = tables.results(found, modules)
    idle = dict.fromkeys(row.label for row in found.rows.itertuples() if not row.params and row.label not in order)
    return dict(
        rows=rows, suite_names=list(dict.fromkeys(row.suite for row in rows)), groups=_groups(found.cells),
        all_groups=_groups(found.seen),
        outcome_map=tables.outcome_map(found, [*order, *idle]), heat=tables.heat_map(found, rows, order),
        marks=[(tables.MARKS.get(k, ""), words, k) for k, words in tables.MEANINGS.items()],
        troubles=tables.troubles(found, modules), csv=packed(sheet(found.rows)),
    )  # fmt: skip


def _figures(data: ReportData, found: Tidy, whole: Board, look: Looks, dull: frozenset[str]) -> dict[str, Any]:
    """The figures, and the tables beside them; none where there is nothing to draw."""
    names = "differences", "trials", "ladders", "reached", "profile", "tuning", "gains", "curves", "taken", "costs"
    if not whole.standings:
        return dict.fromkeys(names, ()) | {"level": REACH}
    order = [s.label for s in whole.standings]
    fits = psychometrics(found)
    gained = gains(found) if found.arm == "tuned" else {}
    along = figures.curves(found, data.curves, whole, look, dull)
    return dict(
        differences=figures.differences(whole, look, whole.margin), trials=figures.every_trial(found, whole, look, dull),
        ladders=figures.ladders(found, fits, whole, look, dull), reached=reached(fits, order),
        profile=figures.profile(profiles(found), whole, look), gains=gained,
        tuning=[*figures.gained(gained, whole, look), *figures.tuning(tuning_curves(found), whole, look)],
        curves=[(axis, axis.capitalize(), panels) for axis, panels in along.items()], level=REACH,
        taken=taken(reach(found, data.curves), order) if len(data.curves) else [], costs=figures.costs(found, whole, look),
    )  # fmt: skip


def _credit(data: ReportData, found: Tidy, whole: Board, look: Looks, dull: frozenset[str]) -> dict[str, Any]:
    """One network, many rules: the table, and alignment along training."""
    if not whole.standings:
        return dict(credit=(), alignment=())
    aligned = figures.alignment(found, data.observed, whole, look, dull)
    words = {ANGLE: "Change and gradient", FEEDBACK: "Feedback and transposed weights"}
    return dict(
        credit=tables_by_depth(found, data.observed, _modules(data), [s.label for s in whole.standings]),
        alignment=[(kind, words[kind], panels) for kind, panels in aligned.items()],
    )


def _plausibility(data: ReportData, whole: Board, look: Looks) -> dict[str, Any]:
    """The audit's profiles, where the store has any."""
    section = plausibility(data.audits, whole)
    return dict(
        plausibility=section, graded=figures.grades(section.profiles, whole, look) if section else [],
        limits=figures.limits(courses()) if section else [],
        audit_marks=[(MARKS[kind], words, SHADES[kind]) for kind, words in AUDITED.items()],
    )  # fmt: skip


def _modules(data: ReportData) -> dict[str, str]:
    """Where learners are found, by name."""
    return {str(card["name"]): str(card.get("module", "")) for card in data.learners}


def _contents(parts: dict[str, Any]) -> list[tuple[str, str]]:
    """The sections that there are, in their order: (id, words)."""
    given = {"pairs": "matrix", "cost": "costs", "tasks": "discrimination"}
    given |= {name: name for name in ("credit", "plausibility", "trials", "ladders", "profile", "tuning", "curves")}
    names = (
        ("credit", "Rules"), ("plausibility", "Plausibility"), ("ranking", "Ranking"),
        ("pairs", "Pairs"), ("outcomes", "Outcomes"), ("scores", "Scores"), ("trials", "Trials"),
        ("ladders", "Ladders"), ("profile", "Profile"), ("tuning", "Tuning"),
        ("curves", "Curves"), ("cost", "Cost"), ("tasks", "Tasks"), ("claims", "Claims"), ("trouble", "Trouble"),
        ("learners", "Learners"), ("results", "Results"), ("method", "Method"),
    )  # fmt: skip
    return [(name, words) for name, words in names if name not in given or parts[given[name]]]


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
                dict(
                    name=name, tasks=len({c.task for c in cells}), first=first, equal=equal, tied=tied, known=known,
                    ranked=len(part.ranked),
                )
            )  # fmt: skip
    return lines


def _groups(cells: tuple[Cell, ...]) -> dict[str, tuple[int, bool]]:
    """Suites, their number of columns in the maps, and whether their names fit above these."""
    counts: dict[str, int] = {}
    for cell in cells:
        counts[cell.suite] = counts.get(cell.suite, 0) + 1
    return {suite: (n, len(suite) <= LETTERS * n) for suite, n in counts.items()}


def _keys(look: Looks, found: Tidy, whole: Board) -> list[dict[str, Any]]:
    """The legend, in the order of the ranking: one entry a label."""
    order = [s.label for s in whole.standings]
    return [
        {"label": label, "look": look[label], "family": found.families[label], "mark": look[label].number % len(MARKERS)}
        for label in [*order, *(label for label in look if label not in order)]
    ]
