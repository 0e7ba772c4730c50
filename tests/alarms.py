"""How often whole fast audits err: every learner type, over many seeds, held against what is expected of it.

`python -m tests.alarms [--seeds 300] [--jobs 2] [--only NAME ...]` runs them in processes of their own and says, by learner
and criterion, how many PASSed or FAILed that should not, and of how many nothing could be said.
"""

import argparse
import multiprocessing
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import cache

from harness.audit import FAST, audit
from harness.registry import find
from suites.audit.expectations import table

NARROW = dict(hidden=4)
"""The network of an audit over many seeds; a learner without layers of that size is as it asks to be audited."""
SEEDS = 300
FEWER = dict(DiehlCook=60, Attention=150)
"""Seeds of those that take longest: two seconds, and one. With all 300 of them the whole would take another quarter."""
DECIDED = {"PASS", "FAIL", "NA"}
WRONG = "false alarm", "miss", "other", "decided"
"""Kinds of error that must not be; that of a verdict there is none is counted."""


def learners():
    """Names of those that can be audited: something of theirs is expected to be decided."""
    return [name for name, lines in table().items() if {line["verdict"] for line in lines.values()} & DECIDED]


def seeds(name, most=SEEDS):
    """The seeds of a learner."""
    return range(min(FEWER.get(name, SEEDS), most))


@cache
def named(name):
    """A class and its settings, narrow."""
    [(entry, params)] = find([]).choose([name])
    return entry.thing, {k: v for k, v in NARROW.items() if k in entry.thing.hypers()} | params


def erred(job):
    """Of a fast audit (name, seed): kinds of error by criterion, the seconds it took, and what it said of each."""
    name, seed = job
    cls, params = named(name)
    began = time.process_time()
    found = audit(cls, params, seed=seed, fast=True)
    lines = table()[name]
    errors = {f.criterion: kind(lines[f.criterion]["verdict"], f.verdict) for f in found.criteria if f.criterion in lines}
    said = {f.criterion: f"{f.verdict}: {f.reason}" for f in found.criteria if errors.get(f.criterion)}
    return name, seed, {c: k for c, k in errors.items() if k}, time.process_time() - began, said


def kind(expected, found):
    """What a verdict is, beside the one that was expected: nothing, a false alarm, a miss, or no verdict."""
    if found == expected:
        return ""
    if "INCONCLUSIVE" in (found, expected):
        return "undecided" if found == "INCONCLUSIVE" else "decided"
    return "false alarm" if found == "FAIL" else "miss" if expected == "FAIL" else "other"


def all_of(names, jobs, most=SEEDS):
    """Errors of audits of these learners, as they come, in so many processes; seeds in turn, so that none waits for others."""
    asked = sorted(((name, seed) for name in names for seed in seeds(name, most)), key=lambda job: job[1])
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(erred, asked)


def counted(found):
    """By learner: its audits, the seconds of all, and how often what erred, by (kind, criterion)."""
    counts = {}
    for name, _, errors, seconds, _ in found:
        n, total, kinds = counts.get(name, (0, 0.0, Counter()))
        counts[name] = n + 1, total + seconds, kinds + Counter((k, c) for c, k in errors.items())
    return counts


def shown(counts):
    """The counts in lines."""
    rows = [f"{'learner':36} audits seconds"]
    for name, (n, seconds, kinds) in counts.items():
        words = ", ".join(f"{times} {what} of {criterion}" for (what, criterion), times in sorted(kinds.items()))
        rows.append(f"{name:36} {n:6} {seconds:7.0f} {words or 'none erred'}")
    verdicts = sum(n for n, *_ in counts.values()) * len(FAST)
    return "\n".join([*rows, f"{verdicts} verdicts"])


def main(words):
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", nargs="*")
    asked = parser.parse_args(words)
    found = []
    for one in all_of(asked.only or learners(), asked.jobs, asked.seeds):
        found.append(one)
        for criterion, said in one[-1].items():
            print(*one[:2], criterion, one[2][criterion], said, sep="\t", flush=True)
    print(shown(counted(found)))


if __name__ == "__main__":
    main(sys.argv[1:])
