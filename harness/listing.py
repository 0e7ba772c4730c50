"""What there is, as plain data: the content of `hebbench list --json`."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import dataclasses

    from harness.learner import Learner
    from harness.registry import Entry, Found
    from harness.task import Task

PRESETS = "smoke", "quick", "full"


def describe(found: Found) -> dict[str, Any]:
    """Everything found, in the shape and order that `list --json` promises."""
    return dict(
        schema=1,
        learners=[learner(each) for each in found.learners.values()],
        tasks=[task(each.thing) for each in found.tasks.values()],
        suites=[
            dict(
                name=suite.name,
                tasks=suite.tasks,
                claims=[dict(id=f"{suite.name}/{c.id}", text=c.text, source=c.source) for c in suite.claims],
            )
            for suite in found.suites.values()
        ],
        presets=[*PRESETS],
        broken=[each._asdict() for each in found.broken],
    )


def learner(entry: Entry) -> dict[str, Any]:
    """One learner and where it comes from."""
    about = card(entry.thing)
    return dict(
        name=entry.name,
        module=entry.where.rpartition(":")[0],
        family=about.pop("family"),
        origin=entry.source.origin,
        distribution=entry.source.distribution or None,
        **about,
    )


def card(cls: type[Learner]) -> dict[str, Any]:
    """What a learner declares about itself."""
    return dict(
        family=cls.family,
        summary=(inspect.getdoc(cls) or "").partition("\n")[0],
        source=[*cls.source],
        inputs=sorted(cls.can.inputs),
        targets=sorted(cls.can.targets),
        hyperparameters=[hyperparameter(f) for f in cls.hypers().values() if not f.metadata["fit"]],
    )


def hyperparameter(field: dataclasses.Field[Any]) -> dict[str, Any]:
    """One hyperparameter as it was declared."""
    m = field.metadata
    choices = [*m["choices"]] or ([False, True] if isinstance(field.default, bool) else [])
    return dict(
        name=field.name,
        type=type(field.default).__name__,
        default=field.default,
        low=m["low"],
        high=m["high"],
        scale="choice" if choices else "log" if m["log"] else "linear",
        choices=choices,
        unit=m["unit"],
        doc=m["doc"],
        search=None if m["search"] is None else [*m["search"]],
    )


def task(each: Task) -> dict[str, Any]:
    """One task and its ladder, if it has one."""
    ladder = each.ladder and dict(axis=each.ladder.axis, values=[*each.ladder.values])
    return dict(
        name=each.name,
        suite=each.name.partition("/")[0],
        version=each.version,
        requires=sorted(each.requires),
        metric=each.metric,
        chance=each.chance,
        ceiling=each.ceiling,
        ladder=ladder,
    )
