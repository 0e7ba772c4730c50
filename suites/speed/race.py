"""How runs are timed against each other: warm, in turn, by the CPU time of the process, and told as ratios."""

import os
import statistics
import time
from typing import NamedTuple

import numpy as np

ROUNDS = 9
"""Rounds of a race; in each, everybody has a turn."""
TURN = 20
"""Milliseconds of a turn: who takes less runs again, for the others have emptied the caches."""


class Lap(NamedTuple):
    """Milliseconds of CPU that a runner took."""

    least: float
    median: float


def race(runners, rounds=ROUNDS):
    """Let callables by name run in turn, `rounds` times after a turn that does not count; return their laps by name."""
    spent = {name: [] for name in runners}
    for turn in range(rounds + 1):
        for name, run in runners.items():
            laps = []
            while sum(laps) < TURN:
                start = time.process_time_ns()
                run()
                laps.append((time.process_time_ns() - start) / 1e6)
            spent[name] += laps if turn else []
    return {name: Lap(min(each), statistics.median(each)) for name, each in spent.items()}


def ratios(laps):
    """How many times longer than the first runner each other took, by medians."""
    ours, *rivals = laps
    return {name: laps[name].median / laps[ours].median for name in rivals}


def machine():
    """What the figures were taken on: the peak of a float32 product, the load, and the libraries that multiply matrices."""
    from threadpoolctl import threadpool_info

    n = 1024
    A, B, out = np.ones((n, n), np.float32), np.ones((n, n), np.float32), np.zeros((n, n), np.float32)
    least = race({"gemm": lambda: np.dot(A, B, out)}, 5)["gemm"].least
    pools = {f"{p['internal_api']} {p.get('version')} for {p.get('architecture', '?')}" for p in threadpool_info()}
    return dict(
        gemm_gflops=round(2 * n**3 / least / 1e6, 1), load=[round(load, 2) for load in os.getloadavg()], libraries=sorted(pools)
    )
