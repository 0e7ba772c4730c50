"""Races against scikit-learn and PyTorch: `pytest suites/speed`. Floors are wide; the figures themselves are in the table."""

import time
from functools import cache

import numpy as np
import pytest

from suites.speed import jobs
from suites.speed.race import machine, race, ratios

JOBS = {job.__name__: job for job in (jobs.xor, jobs.perceptron, jobs.mlp, jobs.predictive_coding, jobs.attention, jobs.spikes)}
SLOW = pytest.mark.xfail(strict=True, reason="4.5 to 5 times reached: 6 ns a sample and 80 us a fit, against 26 ns and 700 us")
BOUND = pytest.mark.xfail(
    strict=True,
    reason="2.2 to 2.3 times reached: three quarters of our time are products of matrices, which cost PyTorch little more",
)
FLOORS = [
    ("xor", "torch", 300), ("xor", "scikit-learn", 100), pytest.param("perceptron", "scikit-learn", 8, marks=SLOW),
    ("mlp", "torch fused", 1.3), ("mlp", "scikit-learn", 3), ("predictive_coding", "torch autograd", 11),
    ("predictive_coding", "torch", 1.6), pytest.param("predictive_coding", "torch", 3, marks=BOUND),
]  # fmt: skip


@cache
def raced(name):
    """A job, what its runners took, and seconds of CPU for our first run: to compile, or to load."""
    start = time.process_time()
    job = JOBS[name]()
    first = time.process_time() - start
    return job, race(job.runners), first


@pytest.fixture(scope="session", autouse=True)
def place(told):
    """The machine, before the first race."""
    facts = machine()
    told.append(f"float32 product {facts['gemm_gflops']} GFLOP/s; load {facts['load']}; {', '.join(facts['libraries'])}")
    return facts


@pytest.mark.parametrize("name", JOBS)
@pytest.mark.benchmark(timer=time.process_time, warmup=True)
def test_job(name, benchmark, place, told):
    """How long a job takes us, and how many times longer it takes the others."""
    job, laps, first = raced(name)
    found = ratios(laps)
    amount, unit = job.amount
    benchmark.extra_info.update(place, ratios=found, first_s=first)
    benchmark(job.runners["ours"])
    least, median = laps["ours"]
    words = [
        f"{name:10s} {median:9.3f} ms, least {least:.3f}, {amount / median * 1e3:,.0f} {unit} a second; first run {first:.2f} s"
    ]
    words += [f"{rival} {laps[rival].median:.2f} ms, x {ratio:.2f}" for rival, ratio in found.items()]
    told.append("; ".join(words))
    assert median >= least > 0


@pytest.mark.parametrize(("name", "rival", "floor"), FLOORS)
def test_floor(name, rival, floor):
    """We are faster by a wide floor, where the rival is installed."""
    found = ratios(raced(name)[1])
    if rival not in found:
        pytest.skip(f"{rival} is not installed: pip install 'hebbench[peers]'")
    assert found[rival] >= floor


def test_what_a_race_solves_is_solved():
    """A fast run that learns nothing is no run: the perceptron converges, most networks find exclusive or."""
    rule = raced("perceptron")[0].learner
    assert rule.missed_[-1] == 0
    assert all(rule.missed_[:-1] > 0)
    net = raced("xor")[0].learner
    X, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32), np.array([0, 1, 1, 0])
    solved = [net.set_params(random_state=seed).fit(X, y).score(X, y) == 1 for seed in range(20)]
    net.set_params(random_state=0)
    assert np.mean(solved) >= 0.75


def test_predictive_coding_settles_and_learns_as_its_rivals_do():
    """Twenty blocks bring all to the same weights; activities of the last are the same too, to what rounding leaves of them."""
    pytest.importorskip("torch", reason="pip install 'hebbench[peers]'")
    job = jobs.predictive_coding()
    before = {name: array.copy() for name, array in job.learner.arrays().items()}
    job.runners["ours"]()
    after = job.learner.arrays()
    for rival in "torch", "torch autograd":
        for name, theirs in job.runners[rival]().items():
            moved = np.abs(after[name] - before[name]).max()
            np.testing.assert_allclose(theirs, after[name], rtol=0, atol=1e-3 * moved, err_msg=f"{rival}: {name}")


def test_dispatch_where_the_loop_is_python(told):
    """To call a rule's four kernels for a block costs less than 100 calls of a Python function."""
    rows = 2000
    X, Y = np.ones((rows, 1, 2), np.float32), np.ones((rows, 1, 1), np.float32)
    rule = type("Driven", (type(jobs.learner("Perceptron")),), dict(compile_loop=False, __module__=__name__))()
    rule.begin(raced("perceptron")[0].learner.task_._replace(shape=(2,)))

    def nothing(a, b, c):
        return a, b, c

    def calls():
        for _ in range(rows):
            nothing(X, Y, rows)

    laps = race({"calls": calls, "blocks": lambda: rule.live(X, Y)}, 21)
    each = laps["blocks"].least / rows * 1e3
    ratio = laps["blocks"].least / laps["calls"].least
    told.append(f"dispatch   {each:.2f} us a block of four kernels, {ratio:.0f} calls of a Python function")
    assert ratio < 100
