"""Few and many: five learners and sixty, three tasks and sixty, at the defaults and tuned."""

from __future__ import annotations

import re
import time

import pytest

from reports import build
from reports.data import tidy
from reports.draw import LEAD
from reports.identity import citation, identity
from tests.report_sample import crowd
from tests.test_report import tags
from tests.test_report_poor import table, visible

PER_ROW = 500
"""Bytes of the page for each trial that a large store may take: five megabytes for ten thousand."""


def timed(data) -> tuple[str, float]:
    start = time.process_time()
    text = build(data)
    return text, time.process_time() - start


@pytest.fixture(scope="module")
def large():
    return timed(crowd(60, 60, seeds=3, ladders=0))


def test_sixty_learners_on_sixty_tasks_stay_small(large):
    assert len(crowd(60, 60, seeds=3, ladders=0, curves=False).rows) == 10_800
    assert len(large[0].encode()) < 10_800 * PER_ROW


def test_time_grows_no_faster_than_the_trials_and_pairs(large):
    """Nine times the trials and pairs cost at most nine times as much as a ninth; what is fixed makes it less."""
    _, small = timed(crowd(20, 60, seeds=3, ladders=0))
    assert large[1] < 9 * small


def test_a_crowd_is_told_by_its_first_and_counted(large):
    text = large[0]
    assert "52 others, drawn thin and grey" in text
    legend = re.search(r'<ul class="legend"[^>]*>(.*?)</ul>', text, re.DOTALL)
    assert legend[1].count('class="key"') == LEAD
    assert len(table(text, "ranks")) == 60
    squares = table(text, "head-to-head")
    assert len(squares) == 60
    assert {len(row) for row in squares} == {61}
    assert {len(cell) for row in squares for cell in row[1:]} == {0, 1}


def test_every_learner_of_a_crowd_is_lit_by_one_number(large):
    numbers = {}
    for name, number in re.findall(r'class="key" data-s="(\d+)">.*?<span class="name">([^<]*)</span>', large[0]):
        numbers.setdefault(number, set()).add(name)
    assert len(numbers) == 60
    assert {len(found) for found in numbers.values()} == {1}


@pytest.mark.parametrize(("learners", "tasks"), [(5, 3), (5, 60), (60, 3)])
def test_few_and_many(learners, tasks):
    text = build(crowd(learners, tasks, seeds=2))
    tags(text)
    assert len(table(text, "ranks")) == learners
    assert len(table(text, "discrimination")) == tasks
    assert ("others, drawn thin and grey" in text) == (learners == 60)


@pytest.fixture(scope="module")
def tuned():
    return crowd(5, 3, tuned=4)


def test_defaults_and_tuned_stand_side_by_side(tuned):
    text = build(tuned)
    rows = table(text, "ranks")
    assert [row[6:8] == ["", ""] for row in rows].count(True) == 1, "only the control has nothing to tune"
    lucky = set(tuned.rows.learner) - set(tuned.rows[tuned.rows.outcome.ne("ok")].learner)
    better = [float(row[7]) - float(row[6]) for row in rows if row[1] in lucky and row[7]]
    assert min(better) > 0
    assert "the best of K = 4 settings" in visible(text)
    assert 'id="tuning"' in text
    assert {row[2] for row in table(text, "all")} == {"standard", "tuned"}


def test_a_page_can_be_cited(tuned):
    found = tidy(tuned)
    lines = dict(identity(found))
    assert lines["Compared at"].startswith("tuned, the best of K = 4")
    assert lines["Seeds a cell"] == "3"
    sentence = citation(found, "crowd.db", list(lines.items()))
    assert all(lines[name] in sentence for name in ("Code", "Environment", "Data", "Compared at"))
    changed = tuned.rows.assign(score=tuned.rows.score.where(tuned.rows.replicate.ne(2), 0.9))
    other = dict(identity(tidy(crowd(5, 3, tuned=4, rows=changed))))
    assert other["Data"] != lines["Data"]
    assert other["Code"] == lines["Code"]
