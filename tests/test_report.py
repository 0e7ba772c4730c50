"""The page: what it holds, what it never does, and that it is the same twice."""

from __future__ import annotations

import base64
import csv
import dataclasses
import gzip
import hashlib
import io
import re
import shlex
from html.parser import HTMLParser
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import plan
from reports import ReportError, build
from reports.command import command
from reports.data import tidy
from reports.looks import DARK, LIGHT, _luminance, shades
from reports.sheet import safe
from reports.sources import linked
from reports.tables import MARKS, MEANINGS, troubles
from tests.report_sample import FORMULA, HOSTILE, sample


@pytest.fixture(scope="module")
def page() -> str:
    return build(sample())


def hostile():
    """A sample in which one learner, one task and every reason and traceback would like to be markup."""
    data = sample(learners=("MLP", "DiehlCook", "Chance"), extra=(HOSTILE,))
    frame = data.rows.assign(task=data.rows.task.replace("shifted/equal", FORMULA))
    broken = frame.learner.eq(HOSTILE) & frame.task.eq("images/digits")
    frame.loc[broken, ["outcome", "reason", "traceback"]] = "error", HOSTILE, HOSTILE
    frame.loc[broken, ["score", "score_normalised"]] = None
    claims = [{**data.claims[0], "text": HOSTILE, "source": HOSTILE, "reason": HOSTILE}]
    return dataclasses.replace(data, rows=frame, claims=claims, store=HOSTILE, environment=[{HOSTILE: HOSTILE}])


class Tags(HTMLParser):
    """Every tag and attribute of a page, and whether ids are unique and tags closed."""

    VOID = frozenset({"meta", "input", "link", "br", "hr", "img"})
    ENDED_BY: ClassVar = {"td": {"td", "th", "tr"}, "th": {"td", "th", "tr"}, "tr": {"tr"}}
    """Tags that may lack their end, and those whose start ends them; the end of their parent does too."""

    def __init__(self):
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        while self.open and tag in self.ENDED_BY.get(self.open[-1], ()):
            self.open.pop()
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        while self.open[-1] in self.ENDED_BY and tag not in self.ENDED_BY:
            self.open.pop()
        assert self.open.pop() == tag


def tags(text: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Tags()
    parser.feed(text)
    assert parser.open == []
    return parser.found


def test_same_data_same_bytes(page):
    assert build(sample()) == page


def test_an_empty_store_is_refused_with_what_to_do():
    empty = dataclasses.replace(sample(seeds=1, learners=()), rows=pd.DataFrame(), store="mine.db")
    with pytest.raises(ReportError, match=r"mine\.db holds no trials.*hebbench run smoke"):
        build(empty)


def test_rows_without_their_columns_are_refused():
    data = sample(seeds=1, learners=("MLP",))
    with pytest.raises(ReportError, match="outcome"):
        build(dataclasses.replace(data, rows=data.rows.drop(columns="outcome")))


def test_nothing_is_loaded_and_only_papers_are_linked(page):
    for tag, attributes in tags(page):
        assert "src" not in attributes
        assert tag not in {"img", "iframe", "link", "object", "embed", "base"}
        assert not any(name.startswith("on") for name in attributes)
        address = attributes.get("href") or attributes.get("xlink:href") or "#"
        assert address.startswith(("#", "data:application/gzip", "https://doi.org/", "https://arxiv.org/abs/"))
    assert "@import" not in page
    assert "url(" not in page


def test_the_policy_allows_this_script_alone(page):
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert len(scripts) == 1
    digest = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()
    policy = next(a["content"] for tag, a in tags(page) if a.get("http-equiv") == "Content-Security-Policy")
    assert f"script-src 'sha256-{digest}';" in policy
    assert policy.startswith("default-src 'none'")


def test_every_id_is_unique_and_every_anchor_has_its_target(page):
    ids = [a["id"] for _, a in tags(page) if "id" in a]
    assert len(ids) == len(set(ids))
    anchors = {a["href"][1:] for _, a in tags(page) if (a.get("href") or "").startswith("#")}
    assert anchors <= set(ids)


def test_every_part_is_there(page):
    parts = [
        "verdict", "ranking", "pairs", "outcomes", "scores", "trials", "ladders", "profile", "curves", "cost", "tasks", "claims",
        "trouble", "learners", "results", "method",
    ]  # fmt: skip
    assert [a["id"] for tag, a in tags(page) if tag == "section"] == parts
    contents = re.findall(r'href="#(\w+)"', page[page.index("<nav") : page.index("</nav>")])
    assert contents == parts[1:]
    for words in ("held", "broken", "undecided", "82.9 %", "doi:10.3389/fncom.2015.00099", "W holds NaN", "prefers-color-scheme"):
        assert words in page
    assert page.count("<svg") > 30


def test_names_from_outside_stay_text():
    text = build(hostile())
    found = tags(text)
    assert not [tag for tag, _ in found if tag == "img"]
    assert not [a for _, a in found if any(name.startswith("on") for name in a)]
    assert sum(tag == "script" for tag, _ in found) == 1
    assert text.count("alert(1)") > 10
    assert "<img" not in text


def test_a_dollar_in_a_name_is_no_formula():
    assert "$\\frac{$" in build(sample(seeds=1, learners=("MLP",), extra=("$\\frac{$",)))


@pytest.mark.parametrize("seeds", [1, 3])
@pytest.mark.parametrize("learners", [("MLP",), ("Chance", "Majority"), ("McCullochPitts", "Oja")])
def test_small_runs_have_a_report(learners, seeds):
    text = build(sample(seeds=seeds, learners=learners))
    assert ("no interval" in text) == (seeds == 1)
    tags(text)


@pytest.mark.parametrize("outcome", ["error", "not_applicable", "interrupted", "diverged"])
def test_a_run_without_a_result_has_a_report(outcome):
    data = sample(seeds=2, learners=("MLP", "Oja"))
    numbers = ["score", "score_normalised", "chance", "ceiling", "train_s", "mac_train", "ac_train"]
    frame = data.rows.assign(outcome=outcome, reason="because", metric=None, **dict.fromkeys(numbers))
    text = build(dataclasses.replace(data, rows=frame, curves=data.curves.iloc[:0]))
    assert "No trial gave a result" in text
    assert "Oja on logic/xor" in text
    tags(text)


def trials_figure(text: str) -> str:
    """The SVG of every trial."""
    start = text.index('data-name="trials"')
    return text[text.index("<svg", start) : text.index("</svg>", start)]


def dots(text: str) -> int:
    """How many dots the figure of every trial holds: each is a line without length."""
    drawn = trials_figure(text)
    return len(re.findall(r"M[\d.]+ [\d.]+h0", drawn))


def test_every_trial_is_a_dot_or_a_cross(page):
    found = tidy(sample())
    compared = found.compared[found.compared.label.isin(found.labels)]
    assert dots(page) == (~compared.lost).sum()
    drawn = trials_figure(page)
    arms = "".join(re.findall(r'd="([^"]*)" style="[^"]*stroke:var\(--ink\)', drawn)).count("M")
    assert arms == 2 * compared.lost.sum() > 0


def test_many_learners_and_trials_stay_within_size():
    """Twenty learners at ten seeds: the dots of a learner are one element, and the page stays below 6 MB."""
    data = sample(seeds=10, extra=tuple(f"Learner{i}" for i in range(8)))
    assert len(data.rows) > 6000
    text = build(data)
    assert len(text) < 6e6
    drawn = trials_figure(text)
    assert drawn.count("<") < 8000
    compared = tidy(data).compared
    assert dots(text) == (compared.label.isin(tidy(data).labels) & ~compared.lost).sum()


def test_the_sheet_holds_every_trial_and_runs_nothing():
    data = hostile()
    encoded = next(a["href"] for _, a in tags(build(data)) if a.get("download") == "trials.csv.gz").partition("base64,")[2]
    lines = list(csv.DictReader(io.StringIO(gzip.decompress(base64.b64decode(encoded)).decode())))
    assert len(lines) == len(data.rows)
    assert {line["task"] for line in lines} >= {"'" + FORMULA}
    assert all(line["score"] == "" for line in lines if line["outcome"] == "error")


@pytest.mark.parametrize(
    ("cell", "expected"),
    [("=1+1", "'=1+1"), (" =1", "' =1"), ("+x", "'+x"), ("@a", "'@a"), ("-x", "'-x"), ("\tx", "'\tx"), ("\r=x", "'\r=x"),
     ("-2.5", "-2.5"), ("+1e-3", "+1e-3"), ("-2.5\n=1", "'-2.5\n=1"), ("a=b", "a=b"), ("", ""), ("0.5", "0.5")],
)  # fmt: skip
def test_cells_that_a_spreadsheet_would_execute(cell, expected):
    assert safe(cell) == expected


def trial(**changes):
    given_row = dict(
        label="MLP[hidden=8]",
        learner="MLP",
        family="engineered",
        origin="builtin",
        task="logic/xor",
        preset="quick",
        tuned=False,
        tuning_trials=0,
    )
    return type("Row", (), given_row | changes)


@pytest.mark.parametrize(
    ("replicates", "seeds"), [([0, 1, 2], "3"), ([0], "1"), ([3, 7], "3,7"), ([5], "5,"), ([0, 2], "0,2"), ([2, 1, 0, 0], "3")]
)
def test_commands_ask_for_the_seeds(replicates, seeds):
    words = shlex.split(command(trial(), replicates, {}))
    assert words[:3] == ["hebbench", "run", "quick"]
    assert words[words.index("--learner") + 1] == "MLP[hidden=8]"
    assert words[words.index("--seeds") + 1] == seeds
    assert plan.replicates(seeds) == sorted(set(replicates))
    assert "--no-controls" in words


def test_commands_name_files_and_keep_controls():
    words = shlex.split(command(trial(origin="file"), [0], {"MLP": "my rule.py"}))
    assert "my rule.py[hidden=8]" in words
    assert "--no-controls" not in command(trial(family="control"), [0], {})


def test_commands_tune_again_what_was_tuned():
    words = shlex.split(command(trial(tuned=True, tuning_trials=4), [0], {}))
    assert words[words.index("--tune") + 1] == "4"
    assert "--tune" not in command(trial(), [0], {})


@given(st.text(max_size=40))
def test_commands_quote_any_name(name):
    assert name in shlex.split(command(trial(label=name, origin="builtin"), [0], {}))


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("Oja (1982), doi:10.1007/BF00275687.", ["https://doi.org/10.1007/BF00275687"]),
        ("https://doi.org/10.1162/neco.1997.9.8.1735", ["https://doi.org/10.1162/neco.1997.9.8.1735"]),
        ("arXiv:1706.03762; doi:10.1000/a<b", ["https://arxiv.org/abs/1706.03762", "https://doi.org/10.1000/a"]),
        ("https://example.com/x", []), ("javascript:alert(1)", []), ("", []),
    ],
)  # fmt: skip
def test_sources_link_to_papers_alone(text, addresses):
    assert [address for _, address in linked(text) if address] == addresses


def test_trouble_is_gathered_and_says_how_to_see_it_again():
    found = troubles(tidy(sample()), {})
    oja = next(t for t in found if t.label == "Oja")
    assert (oja.outcome, oja.n, oja.where) == ("error", 3, [("sequence/recall lag=64", "0, 1, 2")])
    assert "W holds NaN" in oja.traceback
    assert "--learner Oja --task sequence/recall --seeds 3" in oja.command
    assert len(found) == len({(t.label, t.outcome, t.reason) for t in found})


def test_every_outcome_has_its_own_mark():
    from harness.trial import OUTCOMES

    assert set(MARKS) == set(OUTCOMES)
    assert len(set(MARKS.values())) == len(OUTCOMES)
    assert set(MEANINGS) == {*OUTCOMES, "missing"}


def contrast(a: str, b: str) -> float:
    low, high = sorted(map(_luminance, (a, b)))
    return (high + 0.05) / (low + 0.05)


def test_colours_are_seen_on_their_paper():
    """WCAG asks 3 of graphics and 4.5 of text."""
    assert min(contrast(c, "#fcfbf8") for c in LIGHT) >= 3
    assert min(contrast(c, "#15171a") for c in DARK) >= 3
    assert min(contrast(*pair) for ramp in shades().values() for pair in ramp) >= 4.5


def test_black_on_white_has_the_greatest_contrast():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert np.isclose(_luminance("#808080"), 0.2159, atol=1e-4)
