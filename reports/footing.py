"""On which footing learners are compared: all at their defaults, or all tuned with one number of settings. Never a mixture."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from harness.trial import TUNING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import pandas as pd

STANDARD = "standard"
"""The protocol of the comparison."""
Arm = Literal["default", "tuned"]


class Footing(NamedTuple):
    """The fairest footing there is.

    arm, k   the arm, and how many settings each learner was tuned with (0 at the defaults)
    note     why tuned trials that are there are not compared, or ""
    idle     labels that have nothing to tune: they stand in the tuned arm as they are
    """

    arm: Arm
    k: int
    note: str
    idle: frozenset[str]


def arm_of(protocol: str, *, tuned: bool) -> str:
    """The arm that a trial belongs to: default, tuned, tuning (the search itself), or none."""
    if protocol == TUNING:
        return TUNING
    return "" if protocol != STANDARD else "tuned" if tuned else "default"


def footing(rows: pd.DataFrame, at_default: Collection[str], learners: Sequence[Mapping[str, Any]]) -> Footing:
    """The tuned arm, if every learner that has something to tune was tuned with one common number of settings.

    rows        with arm, label, learner, params and tuning_trials
    at_default  the labels that are compared at their defaults
    learners    as in `hebbench list --json`
    """
    tried: dict[str, set[int]] = {}
    for name, k in zip(*(rows.loc[rows.arm.eq("tuned"), c] for c in ("label", "tuning_trials")), strict=True):
        tried.setdefault(name, set()).add(k)
    if not tried:
        return Footing("default", 0, "", frozenset())
    searched = {str(card["name"]): _searched(card) for card in learners}
    asked = {row.label: (row.learner, row.params) for row in rows[rows.arm.eq("default")].itertuples()}
    unknown = {""}  # of a learner that is not installed: it may have something to tune
    idle = {name for name in at_default if name not in tried and not searched.get(asked[name][0], unknown) - {*asked[name][1]}}
    needed = {*tried, *at_default} - idle
    common = set.intersection(*(tried.get(name, set()) for name in needed))
    if common:
        return Footing("tuned", max(common), "", frozenset(idle))
    words = "; ".join(f"{name} with {_counted(tried.get(name))}" for name in sorted(needed))
    note = f"Tuned trials are not compared, since learners were tuned unequally: {words}."
    return Footing("default", 0, f"{note} All are compared at their defaults instead." if at_default else note, frozenset())


def one_winner(rows: pd.DataFrame) -> pd.DataFrame:
    """Of the tuned trials of a label on a task those of the setting that won last: a plan of other rungs may choose anew."""
    setting = rows.params.map(lambda x: json.dumps(x, sort_keys=True, default=str))
    stamp = rows.finished_at.map(lambda x: str(x or ""))
    order = rows.assign(setting=setting, stamp=stamp).sort_values(["stamp", "key"])
    last = order.groupby(["label", "task", "arm", "tuning_trials"]).setting.transform("last")
    return rows[rows.arm.ne("tuned") | setting.eq(last.reindex(rows.index))]


def _searched(card: Mapping[str, Any]) -> set[str]:
    """The hyperparameters that tuning looks for."""
    return {h["name"] for h in card.get("hyperparameters", ()) if h.get("search", True) is not None}


def _counted(tried: set[int] | None) -> str:
    return "none" if not tried else f"{' and '.join(map(str, sorted(tried)))} settings"
