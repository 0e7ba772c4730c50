"""pytest for suites: `pytest suites/`, or `pytest --pyargs suites` where hebbench is installed.

The first claim that is asked runs the plan of the suites that were collected, once; trials that the store has are not run
again. Each claim is then a test of its own, `suite/claim`, and with `--learner` each contract check is one, `Learner:check`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.api import Outcome
    from harness.claim import Claim, Verdict

STORE = "hebbench.db"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options, in a group of their own."""
    group = parser.getgroup("hebbench")
    group.addoption("--hebbench-store", default=STORE, metavar="FILE", help=f"store of trials and verdicts (default: {STORE})")
    group.addoption("--hebbench-preset", default="smoke", choices=["smoke", "quick", "full"], help="preset (default: smoke)")
    group.addoption("--hebbench-report", metavar="FILE", help="write the HTML report to this file at the end")
    group.addoption("--learner", action="append", default=[], metavar="X", help="name, module:Class or file.py; repeatable")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse learners that are not there before anything runs."""
    if words := config.getoption("--learner"):
        from harness.registry import RequestError, find

        try:
            find(words).choose(words)
        except RequestError as error:
            raise pytest.UsageError(str(error)) from None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each contract check of each learner that was named."""
    if "contract_check" not in metafunc.fixturenames:
        return
    from harness.checks import checks
    from harness.registry import find
    from harness.trial import label

    words = metafunc.config.getoption("--learner")
    chosen = find(words).choose(words) if words else []
    given = [
        (label(entry.name, params), entry.thing(**params), check) for entry, params in chosen for check in checks(entry.thing)
    ]
    metafunc.parametrize(
        "contract_check", [(learner, check) for _, learner, check in given], ids=[f"{n}:{c.id}" for n, _, c in given]
    )


@pytest.fixture(scope="session")
def hebbench_run(request: pytest.FixtureRequest) -> Outcome:
    """The plan of the collected suites, run and judged."""
    from harness import api, plan
    from harness.registry import find
    from harness.store import Store, StoreError

    option = request.config.getoption
    found = find(option("--learner"))
    suites = {
        Path(str(item.fspath)).parent.name
        for item in request.session.items
        if "hebbench_verdict" in getattr(item, "fixturenames", ())
    }
    wish = plan.Wish(preset=option("--hebbench-preset"), learners=option("--learner"), suites=sorted(suites & set(found.suites)))
    made = plan.make(found, wish)
    try:
        with Store(option("--hebbench-store")) as store:
            return api.execute(made, store, jobs=api.cores(), timeout=api.TIMEOUT, memory=api.MEMORY)
    except StoreError as error:
        problem = str(error)
    pytest.fail(problem, pytrace=False)


@pytest.fixture(scope="session")
def hebbench_verdict(hebbench_run: Outcome) -> Callable[[Claim], Verdict]:
    """A callable: a claim to its verdict."""
    from harness.claim import Verdict

    judged = {(c["id"], c["text"]): c for c in hebbench_run.claims.values()}

    def verdict(claim: Claim) -> Verdict:
        c: dict[str, Any] | None = judged.get((claim.id, claim.text))
        if c is None:
            return Verdict("undecided", None, None, "", "not asked: it speaks of learners or tasks that this run leaves out")
        return Verdict(
            c["status"],
            c["figure"],
            None if c["interval"] is None else (c["interval"][0], c["interval"][1]),
            c["threshold"],
            c["reason"],
        )

    return verdict


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Write the report, in the process that started the workers, or say why there is none."""
    path, store = config.getoption("--hebbench-report"), Path(config.getoption("--hebbench-store"))
    if not path:
        return
    from harness.commands.results import write_report
    from harness.settings import RequestError
    from harness.store import StoreError

    try:
        write_report(store, Path(path))
    except (RequestError, StoreError) as error:
        terminalreporter.write_line(f"hebbench report: {error}")
