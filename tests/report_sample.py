"""A made-up store's worth of rows that looks like a real one: what the report is tested on."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pandas as pd

from harness.audit import CRITERIA
from harness.trial import COLUMNS, COLUMNS_OF_PLACE
from reports import ReportData

HOSTILE = "</script><img src=x onerror=alert(1)>\"'&$x^2$"
FORMULA = '=HYPERLINK("a","b")'

LEARNERS = {
    "DiehlCook": ("biological", 0.45), "HebbianAssociator": ("biological", 0.5), "Oja": ("biological", 0.55),
    "McCullochPitts": ("biological", 0.9), "Perceptron": ("biological", 0.6), "MLP": ("engineered", 0.93),
    "Attention": ("engineered", 0.92), "Chance": ("control", 0.0), "Majority": ("control", 0.0), "Logistic": ("control", 0.65),
    "NearestNeighbour": ("control", 0.8), "RandomFeatures": ("control", 0.75),
}  # fmt: skip
GATES = "and", "nand", "nor", "or", "xnor", "xor"
TASKS: dict[str, tuple[str, tuple[float, ...]]] = {
    **{f"logic/{gate}": ("", ()) for gate in GATES},
    "logic/parity": ("bits", (2, 3, 4, 6, 8)),
    "separable/gaussian": ("distance", (4, 2, 1)),
    "separable/margin": ("margin", (0.5, 0.1, 0.02)),
    "shifted/equal": ("", ()), "shifted/unequal": ("", ()), "shifted/mnist1d": ("", ()), "shifted/mnist1d-shuffled": ("", ()),
    "sequence/recall": ("lag", (1, 2, 4, 8, 16, 32, 64)), "sequence/order": ("gap", (2, 8, 32)),
    "images/digits": ("", ()),
}  # fmt: skip


def _row(
    learner: str, task: str, axis: str = "", rung: float | None = None, *, replicate: int, params: dict[str, Any]
) -> dict[str, Any]:
    """One row; its numbers depend on its own names alone."""
    family, skill = LEARNERS.get(learner, ("biological", 0.5))
    name = repr((learner, sorted(params.items()), task, rung, replicate))
    key = hashlib.sha256(name.encode()).hexdigest()[:24]
    rng = np.random.default_rng(int(key, 16))
    row = dict.fromkeys((*COLUMNS, *COLUMNS_OF_PLACE, "traceback"))
    row |= dict(
        key=key, attempt=1, outcome="ok", reason="", learner=learner, family=family, origin="builtin", params=params, tuned=False,
        suite=task.partition("/")[0], task=task, task_version=1, difficulty={axis: rung} if axis else {}, rung=rung,
        preset="quick", protocol="standard", replicate=replicate, metric="accuracy", chance=0.1 if "mnist" in task else 0.5,
        ceiling=1.0, n_train=1000, n_valid=200, n_test=1000, code_digest="c0de", env_digest="e0", host="laptop", threads=1,
        started_at="2026-01-01T00:00:00Z", finished_at="2026-01-01T00:00:01Z",
    )  # fmt: skip
    if (learner == "McCullochPitts" and not task.startswith("logic")) or (learner == "Attention" and "gaussian" in task):
        return row | dict(outcome="not_applicable", reason="weights are set by hand for truth tables", metric=None, chance=None)
    fate = rng.random()
    if learner == "DiehlCook" and fate < 0.12:
        outcome = ("timeout", "diverged", "crashed")[int(fate * 25)]
        return row | dict(outcome=outcome, reason=f"{outcome} after 30 s", diverged_at=120 if outcome == "diverged" else None)
    if learner == "Oja" and rung == 64:
        trace = "Traceback (most recent call last):\n  File 'oja.py', line 7\nValueError: W holds NaN"
        return row | dict(outcome="error", reason="ValueError: W holds NaN", traceback=trace)
    hard = (
        0.0 if rung is None else {"bits": rung / 20, "lag": np.log2(rung) / 12, "gap": rung / 80}.get(axis, 1 / (1 + 10 * rung))
    )
    single = learner in {"Perceptron", "Logistic", "Oja", "HebbianAssociator"}
    value = (
        float(np.clip(skill - hard * (0.2 if learner == "Attention" else 1) + rng.normal(0, 0.04), -0.05, 1)) if skill else 0.0
    )
    if single and task in {"logic/xor", "logic/xnor"}:
        value = 0.0 if rng.random() < 0.7 else 0.5
    if task.startswith("logic") and axis == "":
        value = round(value * 2) / 2 if skill else 0.0
    slow = 1 if family == "control" else 8
    samples = int(10_000 * rng.random() + 500)
    return row | dict(
        score=row["chance"] + value * (1 - row["chance"]), score_normalised=value, samples=samples, epochs=10.0,
        mac_train=samples * 900 * slow, ac_train=samples * 50, train_s=0.02 * slow * (1 + rng.random()), compile_s=1.0,
        infer_s=0.01,
    )  # fmt: skip


def sample(
    seeds: int = 3, learners: tuple[str, ...] = tuple(LEARNERS), extra: tuple[str, ...] = (), **changes: Any
) -> ReportData:
    """A report's data: `extra` names more learners, `changes` replaces fields of the ReportData."""
    rows = [
        _row(learner, task, axis, rung, replicate=replicate, params={})
        for learner in (*learners, *extra)
        for task, (axis, rungs) in TASKS.items()
        for rung in (rungs or (None,))
        for replicate in range(seeds)
    ]
    if "MLP" in learners:
        rows += [_row("MLP", "logic/xor", replicate=r, params={"hidden": h}) for h in (2, 8) for r in range(8)]
        rows += [{**_row("MLP", "shifted/mnist1d", replicate=r, params={"depth": 2}), "protocol": "published"} for r in range(4)]
    frame = pd.DataFrame(rows, columns=[*COLUMNS, *COLUMNS_OF_PLACE, "traceback"])
    given: dict[str, Any] = dict(
        rows=frame, curves=_curves(frame), claims=CLAIMS, learners=[_card(name) for name in (*learners, *extra)],
        environment=[dict(python="3.11.9", numpy="2.1", cpu="a laptop", blas=dict(name="openblas", threads=1))],
        store="hebbench.db",
    )  # fmt: skip
    return ReportData(**(given | changes))


def audits(*learners: str) -> dict[str, dict[str, Any]]:
    """A profile of each, with verdicts of every kind, all that a finding may hold, and words that no page must obey."""
    found = {}
    for number, learner in enumerate(learners):
        lines = []
        for at, criterion in enumerate(CRITERIA):
            verdict = ("PASS", "FAIL", "NA", "INCONCLUSIVE")[(number + at) % 4]
            decided = verdict in ("PASS", "FAIL")
            lines.append(dict(
                criterion=criterion, verdict=verdict, value=float(number % 6) if decided else None, statistic="what is measured",
                noise_floor=0.0, threshold=1e-6, limit_of_detection=1e-7, interventions=40, reason=f"For a reason {HOSTILE}.",
                witness=dict(array="W[1]", row=0, step=12, population="d[0]", unit=None) if verdict == "FAIL" else None,
                detail=dict(grade=f"L{number % 6}") if criterion == "locality" else {},
                reproduce=f"hebbench audit {learner} --seed 0 --only {criterion}",
            ))  # fmt: skip
        found[learner] = dict(
            schema=1, learner=learner, params=dict(hidden=7, depth=2), seed=0, mode="step", twin="a network", criteria=lines
        )
    return found


FAMILIES = "biological", "engineered", "control"
SUITES = "vision", "memory", "logic", "timing", "reward", "noise"
LADDER = 1.0, 4.0, 16.0, 64.0


def crowd(
    learners: int,
    tasks: int,
    seeds: int = 3,
    *,
    tuned: int = 0,
    ladders: int = 2,
    names: int = 0,
    curves: bool = True,
    **changes: Any,
) -> ReportData:
    """As many learners and tasks as are asked for, of all families and in up to six suites.

    tuned     settings that all but the controls were tuned with, besides their trials at the defaults
    ladders   tasks that have four rungs
    names     letters that the names of learners and tasks are filled up to
    """
    who = {f"Rule{i:02d}".ljust(names, "x"): (FAMILIES[i % 3], 1 - i / learners) for i in range(learners)}
    where = [
        (f"{SUITES[i % min(6, tasks)]}/task{i:02d}".ljust(names, "y"), LADDER if i < ladders else (None,)) for i in range(tasks)
    ]
    rows = []
    for name, (family, skill) in who.items():
        for i, (task, rungs) in enumerate(where):
            easy = 1 - i / (4 * tasks) if i else 1.0
            for rung in rungs:
                level = skill * easy / (1 + (rung or 0.0) / (40 * skill)) if i % 5 or rung else easy
                rows += [_made(name, family, task, rung, level, r) for r in range(seeds)]
                if tuned and family != "control":
                    better = level + 0.1 * (1 - level)
                    rows += [_made(name, family, task, rung, better, r, tuned=tuned) for r in range(seeds)]
                    rows += [
                        _made(name, family, task, rung, level + 0.1 * (1 - level) * k / tuned, r, tuned=tuned, setting=k)
                        for k in range(tuned)
                        for r in range(2)
                    ]
    frame = pd.DataFrame(rows, columns=[*COLUMNS, *COLUMNS_OF_PLACE, "traceback", "fixed"])
    cards = [
        {**_card(name), "family": family} | ({"hyperparameters": []} if family == "control" else {})
        for name, (family, _) in who.items()
    ]
    declared = [dict(name=task, ladder=dict(axis="lag", values=list(rungs))) for task, rungs in where if rungs[0] is not None]
    given: dict[str, Any] = dict(
        rows=frame, curves=_curves(frame[frame.protocol.eq("standard")] if curves else frame[:0]), claims=CLAIMS, learners=cards,
        tasks=declared, checks={name: dict(run=21, passed=21, skipped=3, failed=0) for name in who},
        environment=[dict(python="3.11.9")], store="crowd.db",
    )  # fmt: skip
    return ReportData(**(given | changes))


def _made(
    learner: str,
    family: str,
    task: str,
    rung: float | None,
    level: float,
    replicate: int,
    *,
    tuned: int = 0,
    setting: int | None = None,
) -> dict[str, Any]:
    """One row of a crowd: around a level, a few in a hundred failed; of the search for settings if `setting` says which."""
    name = repr((learner, task, rung, replicate, tuned, setting))
    key = hashlib.sha256(name.encode()).hexdigest()[:24]
    rng = np.random.default_rng(int(key, 16))
    searched = setting is not None
    row = dict.fromkeys((*COLUMNS, *COLUMNS_OF_PLACE, "traceback", "fixed")) | dict(
        key=key, attempt=1, outcome="ok", reason="", learner=learner, family=family, origin="builtin",
        params={"rate": 0.1 * (setting or 0) + 0.05} if tuned and setting != 0 else {}, tuned=bool(tuned) and not searched,
        tuning_trials=tuned, fixed={} if tuned else None, suite=task.partition("/")[0], task=task, task_version=1,
        difficulty={} if rung is None else {"lag": rung}, rung=rung, preset="full", protocol="tuning" if searched else "standard",
        replicate=replicate, metric="accuracy", chance=0.5, ceiling=1.0, code_digest=hashlib.sha256(learner.encode()).hexdigest(),
        env_digest="e0", host="laptop", started_at="2026-01-01T00:00:00Z", finished_at="2026-01-02T00:00:01Z",
    )  # fmt: skip
    if rng.random() < 0.02:
        return row | dict(outcome="timeout", reason="timeout after 30 s")
    value = float(np.clip(level + rng.normal(0, 0.04), -0.1, 1)) if family != "control" or level < 1 else level
    samples = int(10_000 * rng.random() + 500)
    return row | dict(
        score=0.5 + 0.5 * value, score_normalised=value, score_valid=0.5 + 0.5 * value + rng.normal(0, 0.01),
        samples=samples, epochs=10.0, mac_train=samples * 900, ac_train=samples * 50, train_s=0.1 * (1 + rng.random()),
    )  # fmt: skip


def _curves(frame: pd.DataFrame) -> pd.DataFrame:
    """Curves that rise to the score, at log-spaced samples."""
    points = []
    for row in frame[frame.outcome == "ok"].itertuples():
        for samples in np.unique(np.geomspace(10, row.samples, 9).astype(int)):
            for split in ("test", "valid") if samples == row.samples else ("valid",):
                share = 1 - np.exp(-4 * np.log(samples / 9) / np.log(row.samples / 9))
                score = row.chance + (row.score - row.chance) * share - (0.01 if split == "test" else 0)
                points.append(
                    dict(key=row.key, samples=samples, operations=samples * 900, seconds=None, score=score, split=split)
                )
    return pd.DataFrame(points, columns=["key", "samples", "operations", "seconds", "score", "split"])


def _card(name: str) -> dict[str, Any]:
    return dict(
        name=name, module=f"learners.{name.lower()}", family=LEARNERS.get(name, ("biological", 0))[0], origin="builtin",
        summary="One layer whose weights grow with the product of what they join.",
        biology="A synapse sees its two ends and one broadcast signal. Nothing else reaches it.",
        source=["Rosenblatt (1958), doi:10.1037/h0042519", "arXiv:1706.03762"], inputs=["vector"], targets=["class"],
        hyperparameters=[
            dict(name="rate", type="float", default=0.1, low=1e-4, high=1.0, scale="log", choices=[], unit="1/s", doc="step"),
            dict(name="rule", type="str", default="hebb", low=None, high=None, choices=["hebb", "bcm"], unit="", doc="which"),
        ],
    )  # fmt: skip


CLAIMS = [
    dict(suite="logic", id="perceptron-14", text="The perceptron learns exactly the 14 separable functions of two inputs.",
         source="Minsky & Papert (1969)", published="", status="held", figure=14, interval=None, threshold="= 14",
         reason="14 of 16 functions reached a faultless epoch"),
    dict(suite="shifted", id="mnist1d-mlp", text="The residual MLP of the published table reaches its accuracy on MNIST-1D.",
         source="Greydanus & Kobak (2024), arXiv:2011.14439", published="68 % in the table, 65.1 % in the notebook",
         status="held", figure=0.652, interval=(0.641, 0.663), threshold="0.63 to 0.70", reason="mean of ten seeds"),
    dict(suite="logic", id="xor-8", text="An MLP 2-8-1 learns XOR from nearly every start.", source="", published="",
         status="broken", figure=0.93, interval=(0.886, 0.961), threshold="lower bound of at least 0.95",
         reason="186 of 200 seeds; Clopper-Pearson"),
    dict(suite="images", id="diehl-cook-100", text="Diehl and Cook's network with 100 neurons passes 74 % in one pass.",
         source="doi:10.3389/fncom.2015.00099", published="82.9 %", status="undecided", figure=None, interval=None,
         threshold="at least 0.74 as the mean of three seeds", reason="2 of 3 seeds lack"),
]  # fmt: skip
