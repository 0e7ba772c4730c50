"""The documentation: its pages run while they are built, and a page whose code fails is no page."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("sphinx", reason="the extra `docs` is not installed")
DOCS = Path(__file__).parent.parent / "docs"


def build(source, target, code=0):
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", source, target]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stderr


@pytest.fixture
def site(tmp_path):
    """Builds one page of its own under the settings of the documentation."""
    source = tmp_path / "source"
    source.mkdir()
    for name in "conf.py", "executed.py":
        shutil.copy(DOCS / name, source)

    def made(text, code=0):
        (source / "index.md").write_text(f"# A page\n\n{text}\n")
        said = build(source, tmp_path / "site", code)
        return said if code else (tmp_path / "site" / "index.html").read_text()

    return made


def test_a_page_shows_code_and_what_came_of_it(site):
    page = site(
        "```{run}\nx = 3 ** 7\nprint('printed')\nx\n```\n\n```{run}\n:hide:\nx + 1\n```\n\n"
        "```{run} file a.txt\nin a file\n```\n\n```{run} shell\n$ cat a.txt\n$ expr 40 + 2\n```\n\n"
        "```{run}\n:text:\nprint('*stressed*')\n```\n"
    )
    text = re.sub(r"<[^>]+>", "", page)
    assert all(word in text for word in ("x = 3 ** 7", "printed", "2187", "2188", "in a file", "\n42\n"))
    assert "x + 1" not in text
    assert "<em>stressed</em>" in page


def test_tables_and_figures_are_in_the_page_itself_with_the_same_bytes_each_time(site):
    text = (
        "```{run}\nimport pandas as pd\nfrom matplotlib import pyplot as plt\ndata = pd.DataFrame(dict(a=[1, None]))\n"
        "plt.plot([1, 2])\ndata\n```\n"
    )
    page = site(text)
    assert "<td>1.0</td>" in page
    assert "<figure><svg" in page
    assert site(text + "\n") == page


@pytest.mark.parametrize("block", ["{run}\n1 / 0", "{run} shell\n$ false", "{run} shell\n:code: 3\n$ true", "{run} nothing\nx"])
def test_code_that_fails_fails_the_build(site, block):
    assert "the code of index failed" in site(f"```{block}\n```", code=1)


def test_one_page_does_not_know_what_another_did(site, tmp_path):
    (tmp_path / "source" / "another.md").write_text("---\norphan: true\n---\n\n# Another\n\n```{run}\nx = 1\n```\n")
    assert "name 'x' is not defined" in site("```{run}\nx\n```", code=1)


@pytest.mark.slow
def test_the_pages_are_the_same_each_time_and_open_offline(tmp_path):
    """The report that a page shows has measured seconds in it; the pages have none."""
    for name in "a", "b":
        build(DOCS, tmp_path / name)
    pages = sorted(path.name for path in (tmp_path / "a").glob("*.html"))
    there = "index", "first-comparison", "add-a-learner", "read-a-report", "audit", "report"
    assert {f"{name}.html" for name in there} <= set(pages)
    for name in set(pages) - {"report.html"}:
        first, second = ((tmp_path / build / name).read_text() for build in "ab")
        assert first == second, name
        assert not re.findall(r'<(?:script|link|img|iframe)[^>]+(?:src|href)="(?:https?:)?//', first), name


def test_the_commands_of_the_page_on_gates_have_the_options_that_there_are():
    from harness.cli import main

    page = (DOCS / "continuous-integration.md").read_text() + (DOCS / "gate.sh").read_text()
    offered = {word for name in ("run", "merge", "compare") for p in main.commands[name].params for word in p.opts}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", page)) <= offered
