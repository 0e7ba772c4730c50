"""Head to head: the verdict on each learner against each other, a square each."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from reports.render import probability

if TYPE_CHECKING:
    from reports.board import Board
    from reports.pairs import Pair

VERDICTS = {"better": "B", "equal": "E", "worse": "W", "undecided": "U"}
MEANINGS = {
    "better": "better than the column", "equal": "equal within the margin", "worse": "worse than the column",
    "undecided": "undecided",
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Versus:
    """One square: letter and class of the verdict, the difference in points, and the sentence behind them."""

    letter: str
    shade: str
    points: str
    words: str


def matrix(board: Board) -> dict[str, list[Versus]]:
    """Row against column for all ranked labels, best first; empty for fewer than two."""
    order = [s.label for s in board.ranked]
    if len(order) < 2:
        return {}
    blank = Versus("", "", "", "")
    return {one: [blank if one == other else _square(one, other, board.pairs[one, other]) for other in order] for one in order}


def _square(one: str, other: str, pair: Pair) -> Versus:
    points = f"{100 * pair.difference:+.0f}".replace("-", "−").replace("+0", "0").replace("−0", "0")
    ground = f"{pair.n_tasks} task{'s' * (pair.n_tasks != 1)}"
    if not pair.n_tasks:
        return Versus(VERDICTS["undecided"], "undecided", "", f"{one} and {other} share no task")
    said = (
        f"{one} and {other}: {pair.verdict}"
        if pair.verdict in {"equal", "undecided"}
        else f"{one} is {pair.verdict} than {other}"
    )
    if pair.interval is None or pair.p is None:
        words = f"{said}, {points} points on {ground}, a single seed: no interval"
    else:
        low, high = (f"{100 * x:.1f}".replace("-", "−") for x in pair.interval)
        higher = f"higher in {100 * pair.superiority:.0f} %"
        words = f"{said}, {points} points ({low} to {high}), {higher}, p {probability(pair.p)}, {ground}"
        if pair.needed is not None:
            words += f"; about {pair.needed} more seeds a task would decide it"
    return Versus(VERDICTS[pair.verdict], pair.verdict, points, words)
