"""The verdict in words: a pure function of the standings and the counts."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from reports.data import LOST
from reports.words import figure, lacking, listed, points

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reports.board import Board, Standing

SAME = 5e-4
"""Scores nearer than this read the same."""
STUDIED = "biological", "engineered"


@dataclasses.dataclass(frozen=True)
class Verdict:
    """A headline and the sentences below it."""

    headline: str
    sentences: tuple[str, ...]


def verdict(board: Board, outcomes: Mapping[str, int], claims: Mapping[str, int]) -> Verdict:
    """What a run shows.

    board     the standings on all cells that are compared
    outcomes  number of trials by outcome
    claims    number of claims by status: held, broken, undecided
    """
    headline, sentences = _contest(board, outcomes)
    return Verdict(headline, (*sentences, *_losses(outcomes), *_promises(claims)))


def _contest(board: Board, outcomes: Mapping[str, int]) -> tuple[str, list[str]]:
    """Headline and sentences on who is ahead."""
    ranked = board.ranked
    if not outcomes.get("ok"):
        return "No trial gave a result", ["There is no score to compare: nothing ran to its end."]
    if not board.standings:
        return "Nothing can be compared", ["No trial ran under the standard protocol with a known chance level and ceiling."]
    if not ranked:
        return "No learner took more than half of the cells", [
            "Ranks need shared ground; the table by suite and the map show what there is."
        ]
    first = ranked[0]
    if len(ranked) == 1:
        return f"{first.label} stands alone", [_score(first, board), _footing(board), "There is nothing to compare it with."]
    opening = _opening(board)
    if all(s.family == "control" for s in ranked):
        return opening[0], [*opening[1], "Only controls were ranked: they bound what a learner may claim, and are no finding."]
    return opening[0], [*opening[1], *_control(board), *_families(board), *_unranked(board)]


def _opening(board: Board) -> tuple[str, list[str]]:
    """Who leads, by whose measure, and what is shown against the others."""
    ranked = board.ranked
    first = ranked[0]
    score, footing = _score(first, board), _footing(board)
    if any(board.pairs[first.label, s.label].interval is None for s in ranked[1:]):
        gap = "a cell has a single seed" if board.least_seeds < 2 else "some pairs share too few seeds or cells"
        note = f"No order is established: {gap}, so the spread between seeds is unknown. Run at least three."
        return f"{first.label} comes first, on too few seeds to say more", [score, note, footing]
    better, equal, worse, undecided = (board.against(first.label, d) for d in ("better", "equal", "worse", "undecided"))
    sentences = [
        *([f"It is better than {_names(better)}."] if better else []),
        *([f"It is equal to {_names(equal)} within {points(board.margin)}."] if equal else []),
        *([f"Where both ran, it is worse than {_names(worse)}."] if worse else []),
        *_open(first, undecided, board),
    ]
    return _headline(board, len(better), equal, worse, undecided), [score, *sentences, footing]


def _headline(board: Board, n_better: int, equal: list[Standing], worse: list[Standing], undecided: list[Standing]) -> str:
    """The first of the ranking against the others, in a line."""
    ranked = board.ranked
    first, n = ranked[0].label, len(ranked)
    if n_better == n - 1:
        return f"{first} is better than {'every other learner' if n > 2 else ranked[1].label}"
    if len(equal) == n - 1:
        return f"All {n} learners are equal within {points(board.margin)}"
    if len(undecided) == n - 1:
        return f"All {n} learners score the same" if _alike(board) else "Undecided: no learner is told apart from the first"
    parts = [
        *([f"equal to {_names(equal)} within {points(board.margin)}"] if equal else []),
        *([f"undecided against {_names(undecided)}"] if undecided else []),
        *([f"worse than {_names(worse)} where both ran"] if worse else []),
    ]
    return f"{first} leads, {listed(parts)}"


def _open(first: Standing, undecided: list[Standing], board: Board) -> list[str]:
    """Against whom nothing is decided, and what it would take."""
    if not undecided:
        return []
    more = lacking([board.pairs[first.label, s.label].needed for s in undecided])
    if len(undecided) == len(board.ranked) - 1 and _alike(board):
        note = "Alike scores on few seeds do not show that learners are equal, since what is rare goes unseen"
        return [f"Every other learner scores the same. {note}: that takes {more}."]
    sentence = f"Against {_names(undecided)} nothing is decided; with differences and spreads as seen, a verdict takes {more}"
    return [f"{sentence} (80 % power)."]


def _alike(board: Board) -> bool:
    """Whether all ranked labels have one score."""
    return all(abs(s.score - board.ranked[0].score) < SAME for s in board.ranked)


def _footing(board: Board) -> str:
    """Which arm is compared."""
    if board.arm == "tuned":
        return f"Each learner is tuned with {board.k} settings, on validation data; one that has nothing to tune is as it comes."
    return f"All learners are at their defaults. {board.note}".strip()


def _names(standings: list[Standing]) -> str:
    return listed([s.label for s in standings])


def _score(standing: Standing, board: Board) -> str:
    """One learner's score, with its interval or the lack of one."""
    interval = "one seed in some cells, so no interval"
    if standing.interval is not None:
        interval = f"95 % interval {figure(standing.interval[0])} to {figure(standing.interval[1])}"
    where = f"all {board.n_cells} cells" if standing.n_cells == board.n_cells else f"{standing.n_cells} of {board.n_cells} cells"
    if board.n_cells == 1:
        where = "the one cell"
    level = "" if standing.score > SAME else ", which is not above chance"
    return f"{standing.label} scores {figure(standing.score)} on {where} ({interval}){level}."


def _control(board: Board) -> list[str]:
    """How the learners under study stand to the controls."""
    controls = [s for s in board.ranked if s.family == "control"]
    if not controls:
        return ["No control was run: nothing bounds these scores from below."]
    best = controls[0]
    if any(pair.interval is None for (_, other), pair in board.pairs.items() if other == best.label):
        return [f"The best control is {best.label} ({figure(best.score)})."]
    studied = [s for s in board.ranked if s.family != "control"]
    beaten = [s for s in studied if board.pairs[s.label, best.label].sign == 1]
    count = "all" if len(beaten) == len(studied) else f"{len(beaten)} of the"
    words = f"{count} {len(studied)} learners under study {'is' if len(beaten) == 1 else 'are'} better than it"
    if len(studied) == 1:
        words = f"{studied[0].label} is {'' if beaten else 'not shown to be '}better than it"
    elif not beaten:
        words = "no learner under study is shown to be better than it"
    return [f"The best control is {best.label} ({figure(best.score)}): {words}."]


def _families(board: Board) -> list[str]:
    """The best biological learner against the best engineered one."""
    best = [next((s for s in board.ranked if s.family == family), None) for family in STUDIED]
    biological, engineered = best
    if biological is None or engineered is None:
        return []
    pair = board.pairs[biological.label, engineered.label]
    if pair.interval is None:
        pairing = f"{biological.label} ({figure(biological.score)}), the best engineered one {engineered.label}"
        return [f"The best biological learner is {pairing} ({figure(engineered.score)})."]
    words = {
        "better": "better than", "worse": "worse than", "equal": f"within {points(board.margin)} of",
        "undecided": "not told apart from",
    }[pair.verdict]  # fmt: skip
    sentence = (
        f"The best biological learner, {biological.label} ({figure(biological.score)}), is {words} the best engineered one, "
    )
    sentence += f"{engineered.label} ({figure(engineered.score)})"
    low, high = pair.interval
    ground = "" if pair.n_cells == board.n_cells else f" on the {pair.n_cells} cells that both took"
    more = f"; a verdict takes {lacking([pair.needed])}" if pair.verdict == "undecided" else ""
    measured = f"a difference of {figure(pair.difference)} (simultaneous 95 % interval {figure(low)} to {figure(high)})"
    return [f"{sentence}: {measured}{ground}{more}."]


def _unranked(board: Board) -> list[str]:
    """Who took too little to have a rank."""
    names = [s.label for s in board.standings if s.rank is None]
    return [f"Not ranked, for having taken no more than half of the cells: {listed(names)}."] if names else []


def _losses(outcomes: Mapping[str, int]) -> list[str]:
    """How many trials failed, and how they count."""
    total = sum(n for outcome, n in outcomes.items() if outcome != "not_applicable")
    lost = {outcome.replace("_", " "): outcomes[outcome] for outcome in sorted(LOST) if outcomes.get(outcome)}
    if not lost:
        return ["No trial failed."] if total else []
    kinds = ", ".join(f"{n} {outcome}" for outcome, n in lost.items())
    failed = sum(lost.values())
    return [f"{failed} of {total} trials failed ({kinds}); {'it counts' if failed == 1 else 'they count'} as chance."]


def _promises(claims: Mapping[str, int]) -> list[str]:
    """How many claims held."""
    total = sum(claims.values())
    if not total:
        return []
    held, broken, undecided = (claims.get(status, 0) for status in ("held", "broken", "undecided"))
    if held == total:
        return ["The one claim held." if total == 1 else f"All {total} claims held."]
    rest = [f"{broken} broken" if broken else "", f"{undecided} undecided" if undecided else ""]
    return [f"Of {total} claim{'s' if total > 1 else ''}, {held} held, {' and '.join(x for x in rest if x)}."]
