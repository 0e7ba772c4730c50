"""Score against the grade of locality: what a rule gives up for what it may not know."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reports.draw import Panel, Room, cast, crowd, sentences
from reports.drawing import Drawing
from reports.figures.fronts import Spot, name_all
from reports.scales import SCORE, Axis

if TYPE_CHECKING:
    from reports.board import Board
    from reports.looks import Looks
    from reports.plausibility import Profile

COLUMNS = "learner", "grade", "weight transport", "score", "low", "high"
SIZE = 520.0, 300.0
GRADES = Axis(-0.6, 5.6, log=False, ticks=tuple((float(g), f"L{g}") for g in range(6)), words="grade of locality")
SPREAD = 0.36
"""How far to the sides learners of one grade are drawn apart."""
SIZES = {"PASS": 7, "FAIL": 4}
"""Marks of rules without weight transport are large, of others small."""


def grades(profiles: tuple[Profile, ...], board: Board, looks: Looks) -> list[Drawing]:
    """One drawing of all that have a grade and a score; none where there are fewer than two."""
    parts = {part.label: part for part in cast(board, looks)}
    standings = {s.label: s for s in board.ranked}
    known: dict[int, list[Profile]] = {}
    for profile in profiles:
        verdict = profile.verdicts.get("locality")
        graded = verdict is not None and verdict.verdict in ("PASS", "FAIL") and verdict.finding.get("value") is not None
        if verdict is not None and graded and profile.learner in parts and profile.learner in standings:
            known.setdefault(round(float(verdict.finding["value"])), []).append(profile)
    if sum(map(len, known.values())) < 2:
        return []
    panel = Panel(GRADES, SCORE._replace(words="score"), SIZE, Room(left=34, bottom=32))
    panel.frame()
    spots, table = [], []
    for grade, mine in sorted(known.items()):
        places = np.linspace(-SPREAD, SPREAD, len(mine)) if len(mine) > 1 else np.zeros(1)
        for profile, aside in zip(mine, places, strict=True):
            spot = Spot(parts[profile.learner], grade + float(aside), standings[profile.learner])
            transport = profile.verdicts.get("weight_transport")
            said = transport.verdict if transport is not None else ""
            if spot.standing.interval is not None:
                low, high = spot.standing.interval
                panel.bars(spot.part, panel.at(spot.cost, low), panel.at(spot.cost, high), lw=1.3, alpha=0.55)
            panel.marks(spot.part, panel.at([spot.cost], [spot.standing.score])[0], SIZES.get(said, 4))
            spots.append(spot)
            table.append((profile.learner, f"L{grade}", said, spot.standing.score, *(spot.standing.interval or (None, None))))
    points = panel.at([spot.cost for spot in spots], [spot.standing.score for spot in spots])
    whole = name_all(panel, spots, points, set(), [])
    title = "Score against grade of locality"
    unnamed = "" if whole else "Where there was no room for a name, it is in the table."
    about = sentences("Large marks: no weight transport.", crowd([spot.part for spot in spots]), unnamed)
    return [Drawing("grades", title, panel.svg(title), COLUMNS, table, about)]
