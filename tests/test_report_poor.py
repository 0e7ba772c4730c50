"""Poor stores: one seed, one task, one learner, nothing but failures, ties, constants, unequal tuning, two versions.

Each gets a page that says what cannot be said, and no number that is none.
"""

from __future__ import annotations

import dataclasses
import html
import re

import pytest

from reports import build
from tests.report_sample import crowd
from tests.test_report import tags

POOR = "seed", "task", "learner", "failed", "tied", "constant", "unequal", "versions"


def poor(kind: str):
    """A store of four learners on three tasks, or less, with something amiss."""
    size = {"learner": (1, 3), "task": (4, 1)}.get(kind, (4, 3))
    data = crowd(*size, 1 if kind == "seed" else 3, tuned=4 if kind == "unequal" else 0, ladders=kind == "seed", claims=[])
    rows, curves = data.rows.copy(), data.curves
    if kind == "failed":
        rows = rows.assign(outcome="error", reason="because", metric=None, score=None, score_normalised=None, score_valid=None)
    if kind in {"tied", "constant"}:
        level = rows.learner.rank(method="dense") / 10 if kind == "constant" else 0.5
        rows = rows.assign(outcome="ok", score_normalised=level, score=0.5 + level / 2)
    if kind == "unequal":
        rows.loc[rows.learner.eq("Rule01") & rows.tuning_trials.eq(4), "tuning_trials"] = 8
    if kind == "versions":
        rows.loc[rows.task.eq("vision/task00") & rows.replicate.gt(0), "task_version"] = 2
    if kind in {"failed", "tied", "constant"}:
        curves = curves.iloc[:0]
    return dataclasses.replace(data, rows=rows, curves=curves)


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return {kind: build(poor(kind)) for kind in POOR}


def visible(text: str) -> str:
    """What a reader sees of a page, figures included."""
    text = re.sub(r"<(script|style)>.*?</\1>", "", text, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def table(text: str, name: str) -> list[list[str]]:
    """The cells of a table's body."""
    body = text[text.index(f'id="{name}"') :]
    body = body[body.index("<tbody>") : body.index("</tbody>")]
    return [[visible(cell) for cell in re.split(r"<t[dh][^>]*>", row)[1:]] for row in body.split("<tr")[1:]]


@pytest.mark.parametrize("kind", POOR)
def test_no_number_that_is_none_and_no_figure_without_a_shape(pages, kind):
    text = pages[kind]
    found = tags(text)
    assert not re.search(r"\b(nan|NaN|None|inf|Infinity|undefined)\b", visible(text))
    assert not [a for _, a in found for value in a.values() if value and re.fullmatch(r"-?(nan|inf|None)", value)]
    for drawn in re.findall(r"<svg [^>]*class=\"drawn\".*?</svg>", text, re.DOTALL):
        assert "<path" in drawn
    ids = [a["id"] for _, a in found if "id" in a]
    assert {a["href"][1:] for _, a in found if (a.get("href") or "").startswith("#")} <= set(ids)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("seed", "Every cell holds a single seed. The spread between seeds is then unknown"),
        ("task", "on the one cell"),
        ("learner", "Rule00 stands alone"),
        ("failed", "No trial gave a result"),
        ("tied", "All 4 learners score the same"),
        ("constant", "Rule03 is better than every other learner"),
        ("unequal", "learners were tuned unequally: Rule00 with 4 settings; Rule01 with 8 settings; Rule03 with 4 settings"),
        ("versions", "This store holds more than one version of vision/task00. Versions are different tasks"),
    ],
)
def test_the_page_says_what_is_amiss(pages, kind, words):
    assert words in visible(pages[kind])


def test_one_seed_has_no_interval_and_no_verdict(pages):
    text = pages["seed"]
    assert {row[3] for row in table(text, "ranks")} == {"one seed"}
    assert {row[0] for row in table(text, "ranks")} == {"1–4"}
    squares = [cell.partition(" ")[0] for row in table(text, "head-to-head") for cell in row[1:]]
    assert set(squares) == {"", "U"}


def test_one_learner_has_no_opponent(pages):
    assert 'id="pairs"' not in pages["learner"]
    assert "#pairs" not in pages["learner"]


def test_failures_alone_have_no_rank_and_no_figure(pages):
    text = pages["failed"]
    assert 'id="ranks"' not in text
    assert 'class="drawn"' not in text
    assert "36 of 36 trials failed" in visible(text)
    assert text.count('class="case"') == 4


def test_ties_share_all_places(pages):
    assert {row[0] for row in table(pages["tied"], "ranks")} == {"1–4"}
    assert {row[2] for row in table(pages["tied"], "ranks")} == {"0.500"}


def test_unequal_tuning_is_compared_at_the_defaults(pages):
    text = pages["unequal"]
    assert visible(text).count("tuned unequally") == 1
    assert "Compared at defaults" in visible(text)
    assert not re.search(r">Tuned<", text)


def test_versions_are_cells_of_their_own(pages):
    cells = {row[1] for row in table(pages["versions"], "all")}
    assert {"vision/task00 version 1", "vision/task00 version 2"} <= cells
    assert "vision/task00" not in cells
