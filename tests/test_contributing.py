"""The guide's learner is a real one: taken from the page as it stands, it keeps the contract and learns."""

import re
from pathlib import Path

import numpy as np
import pytest

from harness import checks
from harness.registry import find

PAGE = Path(__file__).parent.parent / "CONTRIBUTING.md"


@pytest.fixture(scope="module")
def delta(tmp_path_factory):
    code = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[-1]
    file = tmp_path_factory.mktemp("guide") / "delta.py"
    file.write_text(code, encoding="utf-8")
    (entry, params), *_ = find([str(file)]).choose([str(file)])
    assert params == {}
    return entry.thing


def test_it_keeps_the_contract(delta):
    report = checks.run(delta, {})
    failed = [c for c in report["checks"] if c["status"] == "failed"]
    assert not failed
    assert report["counts"]["passed"] >= 15


def test_it_learns_what_a_line_separates(delta):
    rng = np.random.default_rng(0)
    teacher, X = rng.normal(size=4), rng.normal(size=(500, 4))
    y = X @ teacher > 0
    assert delta(epochs=20).fit(X[:300], y[:300]).score(X[300:], y[300:]) > 0.9


def test_it_is_as_short_as_the_guide_says(delta):
    lines = Path(delta.init.__code__.co_filename).read_text(encoding="utf-8").splitlines()
    code = [line for line in lines[lines.index("import numpy as np") :] if line.strip() and not line.strip().startswith('"""')]
    assert len(code) <= 35
