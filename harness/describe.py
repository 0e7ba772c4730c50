"""`hebbench explain X`: what a learner, task or claim is, in words; and the data that a report needs of a store."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from typing import Any

from harness.audit import CRITERIA
from harness.listing import learner as listed
from harness.registry import Entry, Found
from harness.settings import RequestError, unknown


def explain(found: Found, name: str) -> str:
    """A learner, a task `suite/name`, a claim `suite/id`, a suite or a criterion of the audit, as Markdown."""
    word = name.casefold()
    if word in CRITERIA:
        return f"# {word}\n\n{inspect.getdoc(importlib.import_module(f'harness.audit.{word}'))}"
    if word in found.learners:
        return learner_text(found.learners[word])
    if word in found.tasks:
        return task_text(found.tasks[word])
    for suite in found.suites.values():
        for claim in suite.claims:
            if f"{suite.name}/{claim.id}".casefold() == word:
                needs = [f"* {n.learner} on {n.task}{n.difficulty or ''}, {n.replicates} replicates" for n in claim.needs]
                published = f"\nPublished: {claim.published}\n" if claim.published else ""
                return "\n".join([f"# {suite.name}/{claim.id}", "", claim.text, "", f"Source: {claim.source}", published, *needs])
        if suite.name.casefold() == word:
            module = sys.modules[found.tasks[suite.tasks[0].casefold()].where.rpartition(":")[0]]
            return "\n".join([f"# {suite.name}", "", inspect.getdoc(module) or "", "", *(f"* {t}" for t in suite.tasks)])
    known = [each.name for group in (found.learners, found.tasks, found.suites) for each in group.values()]
    known += [f"{suite.name}/{claim.id}" for suite in found.suites.values() for claim in suite.claims]
    raise unknown("name", name, [*known, *CRITERIA])


def learner_text(entry: Entry) -> str:
    """A learner's card."""
    card = listed(entry)
    module = inspect.getdoc(sys.modules[entry.thing.__module__]) or ""
    lines = [f"# {entry.name}", "", inspect.getdoc(entry.thing) or "", "", module, "", "Hyperparameters:", ""]
    for h in card["hyperparameters"]:
        unit = "" if h["unit"] == "1" else f" {h['unit']}"
        allowed = ", ".join(map(str, h["choices"])) if h["choices"] else f"{h['low']} to {h['high']}{unit}"
        if h["search"] is None:
            allowed += "; not tuned"
        elif not h["choices"] and h["search"] != [h["low"], h["high"]]:
            allowed += f"; tuned over {h['search'][0]} to {h['search'][1]}"
        lines.append(f"* `{h['name']}` = {h['default']}: {h['doc']} ({allowed})")
    takes = f"{', '.join(card['inputs'])}; targets: {', '.join(card['targets'])}"
    return "\n".join([*lines, "", f"Takes: {takes}", f"Found in: {entry.where} ({entry.origin})"])


def task_text(entry: Entry) -> str:
    """A task's card."""
    task = entry.thing
    lines = [f"# {task.name}", "", task.doc, "", f"Requires: {', '.join(sorted(task.requires))}; metric: {task.metric}"]
    if task.ladder:
        every, short = (", ".join(map(str, rungs)) for rungs in (task.ladder.values, task.ladder.short))
        lines.append(f"Ladder: {task.ladder.axis} = {every} (smoke: {short})")
    lines.append(f"Rows: {' / '.join(map(str, task.sizes))} for training / validation / test; version {task.version}")
    return "\n".join([*lines, *(f"Source: {s}" for s in task.source)])


def biology(entry: Entry) -> str:
    """How a rule is read biologically: the paragraph of its module that says so."""
    text = inspect.getdoc(sys.modules[entry.thing.__module__]) or ""
    match = re.search(r"Biological reading:\s*(.+?)(?:\n\s*\n|\Z)", text, re.DOTALL)
    words = re.sub(r"\s+", " ", match[1]).strip() if match else ""
    return words[:1].upper() + words[1:]


def equation(entry: Entry) -> list[str]:
    """The rule as its kernels state it: a line for each, `learn: W += rate (target - fired) x`."""
    stated = []
    for name in "respond", "learn", "rest", "adapt":
        kernel = getattr(entry.thing, name, None)
        paragraph, *_ = (inspect.getdoc(kernel) or "").split("\n\n")
        if paragraph and not kernel.__module__.startswith("harness."):
            stated.append(f"{name}: {' '.join(paragraph.split())}")
    return stated


def cards(found: Found) -> list[dict[str, Any]]:
    """Learners as a report shows them."""
    return [listed(e) | dict(biology=biology(e), equation=equation(e)) for e in found.learners.values()]


def key_of(rows: list[dict[str, Any]], prefix: str) -> dict[str, Any]:
    """The last attempt at the one trial whose key begins so."""
    keys = sorted({r["key"] for r in rows if r["key"].startswith(prefix)})
    if len(keys) != 1:
        what = f"{len(keys)} keys begin so: {', '.join(keys[:5])}" if keys else "no trial of this store has it"
        raise RequestError(f"key={prefix!r}: {what}. `hebbench export` lists the keys.")
    return [r for r in rows if r["key"] == keys[0]][-1]
