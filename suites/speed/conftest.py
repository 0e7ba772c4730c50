"""Races need the machine to themselves: they are collected only where named, and run on one thread, never in parallel."""

from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
TABLE = pytest.StashKey[list]()


def pytest_ignore_collect(config):
    """Leave this folder out, unless an argument of pytest names it or something in it."""
    for argument in config.args:
        word = argument.partition("::")[0]
        path = (config.invocation_params.dir / word).resolve()
        if word.startswith("suites.speed") or HERE in (path, *path.parents):
            return None
    return True


@pytest.fixture(scope="session", autouse=True)
def alone(request):
    """One thread for every library that multiplies matrices; no race beside other tests."""
    if hasattr(request.config, "workerinput"):
        pytest.skip("a race beside other tests measures nothing: run it without -n")
    from importlib import import_module
    from importlib.util import find_spec

    from threadpoolctl import threadpool_info, threadpool_limits

    for module in ("scipy.linalg.cython_blas", "sklearn.linear_model", "sklearn.neural_network"):
        import_module(module)  # numba multiplies by scipy's BLAS: a library that is loaded later would keep its threads
    if find_spec("torch"):
        import_module("torch").set_num_threads(1)
    with threadpool_limits(1):
        yield
        assert all(pool["num_threads"] == 1 for pool in threadpool_info())


@pytest.fixture(scope="session")
def told(request, alone):  # noqa: ARG001 - nothing is told of more than one thread
    """Lines for the table at the end."""
    return request.config.stash.setdefault(TABLE, [])


def pytest_terminal_summary(terminalreporter, config):
    """The races, and the machine that they were run on."""
    if lines := config.stash.get(TABLE, []):
        terminalreporter.section("speed: CPU time on one thread, warm, in turn; ratios of medians")
        for line in lines:
            terminalreporter.write_line(line)
