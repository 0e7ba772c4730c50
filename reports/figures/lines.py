"""Figures with one panel of lines: performance profiles, and score against the number of settings tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.draw import Panel, Room, cast, crowd
from reports.drawing import Drawing
from reports.scales import SCORE, Axis, written

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reports.board import Board
    from reports.draw import Part
    from reports.drawing import Value
    from reports.looks import Looks
    from reports.profile import Profile
    from reports.tuned import Tuning

FEW = 4
"""Lines up to which each has its band."""
SIZE = 446.0, 280.0
SHARE = Axis(0.0, 1.03, log=False, ticks=((0.0, "0"), (0.25, "25 %"), (0.5, "50 %"), (0.75, "75 %"), (1.0, "100 %")))


def profile(profiles: Mapping[str, Profile], board: Board, looks: Looks) -> list[Drawing]:
    """The share of trials that score at least so much, for each label."""
    parts = [part for part in cast(board, looks) if part.label in profiles]
    if not parts:
        return []
    x = Axis(0.0, 1.0, log=False, ticks=((0.0, "0"), (0.25, ".25"), (0.5, ".5"), (0.75, ".75"), (1.0, "1")), words="score")
    panel = Panel(x, SHARE._replace(words="share of trials that reach it"), SIZE, Room(left=48, bottom=32))
    panel.frame()
    table: list[tuple[Value, ...]] = []
    for part in parts:
        found = profiles[part.label]
        ends = (found.low, found.high) if len(parts) <= FEW else (None, None)
        table += _line(panel, part, found.taus, found.shares, *ends)
    title = "Performance profile: the share of trials that score at least so much"
    return [Drawing("profile", title, panel.svg(title), ("learner", "score", "share", "low", "high"), table, crowd(parts))]


def tuning(curves: Mapping[str, Tuning], board: Board, looks: Looks) -> list[Drawing]:
    """Expected score of the best of k settings, for each label that was tuned."""
    parts = [part for part in cast(board, looks) if part.label in curves and curves[part.label].k]
    if not parts:
        return []
    most = max(curves[part.label].k for part in parts)
    known = [k for k in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024) if k < most]
    known = [k for k in known if k <= most / 1.5] + [most]
    x = Axis(0.94, most * 1.06, log=True, ticks=tuple((k, written(k)) for k in known), words="settings tried")
    panel = Panel(x, SCORE._replace(words="expected score"), SIZE, Room(left=36, bottom=32))
    panel.frame()
    table: list[tuple[Value, ...]] = []
    for part in parts:
        found = curves[part.label]
        ends = (found.low, found.high) if len(parts) <= FEW else (None, None)
        table += _line(panel, part, tuple(range(1, found.k + 1)), found.scores, *ends, marks=True)
    title = "Expected score against the number of settings tried"
    columns = "learner", "settings", "score", "low", "high"
    return [Drawing("tuning", title, panel.svg(title), columns, table, crowd(parts))]


def _line(
    panel: Panel, part: Part, x: tuple[float, ...], y: tuple[float, ...], low: tuple[float, ...] | None,
    high: tuple[float, ...] | None, *, marks: bool = False,
) -> list[tuple[Value, ...]]:  # fmt: skip
    """One line, with its band where there is one; the lines of the table."""
    if low is not None and high is not None:
        panel.band(part, x, low, high)
    if len(x) > 1:
        panel.line(part, x, y)
    if marks or len(x) == 1:
        panel.marks(part, panel.at(x, y), 4)
    blank: tuple[None, ...] = (None,) * len(x)
    return [tuple(row) for row in zip([part.label] * len(x), x, y, low or blank, high or blank, strict=True)]
