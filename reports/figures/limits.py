"""How little of a planted fault the audit still sees: what its probes measured against what was planted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reports.draw import Panel, Room
from reports.drawing import Drawing
from reports.looks import INK, QUIET
from reports.scales import spread

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reports.drawing import Value

COLUMNS = "criterion", "planted", "least", "median", "most", "share caught"
SIZE = 446.0, 300.0


def limits(courses: Mapping[str, Mapping[str, Any]]) -> list[Drawing]:
    """One drawing for each fault that was planted, as `suites/audit/limits.toml` tells of it."""
    return [_drawing(name, course) for name, course in courses.items()]


def _drawing(name: str, course: Mapping[str, Any]) -> Drawing:
    """One fault: median, and least to most over seeds; a large mark where every seed was caught, a small one where not."""
    every = list(zip(course["dose"], course["statistic"], course["caught"], strict=True))
    shown = [(dose, seen, caught) for dose, seen, caught in every if dose > 0 and min(seen) > 0]
    doses = [dose for dose, *_ in shown]
    x = spread(doses, log=True, words=f"{course['dose_of']} planted")
    y = spread([value for _, seen, _ in shown for value in seen], log=True, words="measured")
    panel = Panel(x, y, SIZE, Room(left=52, bottom=32))
    panel.frame(zero=None)
    limit = panel.at([course["limit_of_detection"]] * 2, [y.low, y.high])
    panel.shape(limit, edgecolor=QUIET, lw=1.0, ls="--")
    panel.shape(panel.at(doses, [seen[1] for _, seen, _ in shown]), edgecolor=INK, lw=1.4)
    ends = [panel.at(doses, [seen[end] for _, seen, _ in shown]) for end in (0, 2)]
    panel.bars(None, *ends, edgecolor=INK, lw=1.0)
    for dose, seen, caught in shown:
        point = panel.at(dose, seen[1])
        panel.bars(None, point, point, edgecolor=INK, lw=7 if caught == 1 else 3, capstyle="round", alpha=1)
    criterion = str(course["criterion"]).replace("_", " ")
    title = f"What is still seen of a planted fault: {criterion}"
    table: list[tuple[Value, ...]] = [(criterion, dose, *seen, caught) for dose, seen, caught in every]
    about = f"{course['planted']} Large marks: all {course['seeds']} seeds caught; dashed: the limit of detection."
    return Drawing(f"limit-{name}", title, panel.svg(title), COLUMNS, table, about)
