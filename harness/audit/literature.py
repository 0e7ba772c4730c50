"""What others have asked of a learning rule in a brain, point by point, and which criterion of the audit measures it.

A point is met where all its criteria pass or do not apply, and one at least passes; it is missed where one fails. A point
without a criterion is not measured here, and says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

State = Literal["met", "missed", "does not apply", "undecided", "not measured"]


class Point(NamedTuple):
    """One demand: its mark in the list, what it says in a few words of ours, and the criteria that measure it."""

    mark: str
    words: str
    criteria: tuple[str, ...] = ()


class Demands(NamedTuple):
    """One publication's list."""

    name: str
    source: str
    points: tuple[Point, ...]


LITERATURE = (
    Demands(
        "Crick 1989",
        "doi:10.1038/337129a0",
        (
            Point("1", "nothing runs backwards along an axon", ("weight_transport",)),
            Point("2", "no teacher tells each neuron what it should have done", ("signed_teaching",)),
            Point("3", "a neuron does not excite some cells and inhibit others", ("dale",)),
        ),
    ),
    Demands(
        "Bengio et al. 2015",
        "arXiv:1502.04156",
        (
            Point("1", "feedback is not purely linear"),
            Point("2", "feedback does not know the slope of the forward pass where it was"),
            Point("3", "feedback weights are not the forward ones", ("weight_transport",)),
            Point("4", "neurons send spikes", ("channel",)),
            Point("5", "no clock separates two phases", ("phases", "update_locking")),
            Point("6", "it is known where targets come from"),
        ),
    ),
    Demands(
        "Whittington & Bogacz 2019",
        "doi:10.1016/j.tics.2018.12.005",
        (
            Point("1", "errors are represented where they are used", ("locality",)),
            Point("2", "forward and feedback weights need not be symmetric", ("weight_transport",)),
            Point("3", "neurons are realistic", ("channel",)),
        ),
    ),
    Demands(
        "Lillicrap et al. 2020",
        "doi:10.1038/s41583-020-0277-3",
        (
            Point("1", "no symmetric weights", ("weight_transport",)),
            Point("2", "no signed errors on a wire", ("signed_teaching",)),
            Point("3", "feedback may change activity"),
        ),
    ),
    Demands(
        "Lv et al. 2024 and 2025",
        "arXiv:2406.16062, arXiv:2509.20284",
        (
            Point("C1", "asymmetric weights", ("weight_transport",)),
            Point("C2", "local plasticity", ("locality",)),
            Point("C3", "not two phases", ("phases",)),
            Point("C4", "spikes", ("channel",)),
            Point("C5", "unsigned errors", ("signed_teaching",)),
        ),
    ),
)


def state(point: Point, verdicts: Mapping[str, str]) -> State:
    """How a learner with these verdicts, by criterion, stands to a point."""
    if not point.criteria:
        return "not measured"
    found = [verdicts.get(criterion, "INCONCLUSIVE") for criterion in point.criteria]
    if "FAIL" in found:
        return "missed"
    if "INCONCLUSIVE" in found:
        return "undecided"
    return "met" if "PASS" in found else "does not apply"
