"""The page in a real browser: what it loads, whether it works, and whether everybody can read it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reports import build
from tests.report_sample import sample
from tests.test_report import hostile

CHROMIUM = "/usr/bin/chromium"
REQUIRED = os.environ.get("HEBBENCH_REQUIRE_BROWSER") == "1"
WIDTHS = 390, 1440

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::ResourceWarning")]


def lacking(reason: str):
    """Skip for want of a browser, or fail where one is required."""
    (pytest.fail if REQUIRED else pytest.skip)(reason)


@pytest.fixture(scope="module")
def browser():
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        lacking("playwright is not installed: pip install 'hebbench[test]'")
    if not Path(CHROMIUM).exists():
        lacking(f"no Chromium at {CHROMIUM}")
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(build(sample()), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def opened(browser, address):
    """Open the page, or another; what it requested and complained of is in `requests` and `complaints`."""
    contexts = []

    def go(to: str = address, *, width: int = 1440, scheme: str = "light", script: bool = True):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=script, offline=True
        )
        contexts.append(context)
        page = context.new_page()
        page.requests, page.complaints = [], []
        page.on("request", lambda request: page.requests.append(request.url))
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("dialog", lambda dialog: (page.complaints.append(dialog.message), dialog.dismiss()))
        page.goto(to)
        return page

    yield go
    for context in contexts:
        context.close()


def column(page, table: str, head: str) -> list[str]:
    return page.eval_on_selector_all(
        f"#{table} tbody tr:not([hidden])",
        "(rows, head) => { const i = [...rows[0].closest('table').tHead.rows[0].cells]"
        ".findIndex((c) => c.textContent.trim() === head); return rows.map((r) => r.cells[i].textContent.trim()); }",
        head,
    )


def test_it_loads_itself_alone_and_complains_of_nothing(opened, address):
    page = opened()
    assert page.requests == [address]
    assert page.complaints == []
    assert page.evaluate("document.documentElement.dataset.ready") == "yes"


def test_clicking_a_heading_sorts(opened):
    page = opened()
    before = column(page, "ranks", "Learner")
    head = page.locator("#ranks thead th", has_text="Score")
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    scores = [float(x.replace("−", "-")) for x in column(page, "ranks", "Score")]
    assert scores == sorted(scores)
    assert column(page, "ranks", "Learner") != before
    head.locator("button").press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert [float(x.replace("−", "-")) for x in column(page, "ranks", "Score")] == sorted(scores, reverse=True)
    assert page.locator("#ranks th[aria-sort]").count() == 1


def test_empty_cells_sort_last_either_way(opened):
    page = opened()
    button = page.locator("#all thead th", has_text="Corrected").locator("button")
    for _ in range(2):
        button.click()
        values = column(page, "all", "Corrected")
        assert values[0] != ""
        assert values[-1] == ""


def test_filters_leave_what_fits(opened):
    page = opened()
    total = len(column(page, "all", "Cell"))
    page.fill("#search", "recall lag=64")
    assert set(column(page, "all", "Cell")) == {"sequence/recall lag=64"}
    page.select_option("#by-family", "control")
    assert set(column(page, "all", "Learner")) == {"Chance", "Majority", "Logistic", "NearestNeighbour", "RandomFeatures"}
    assert page.locator("#count").text_content() == f"5 of {total} lines"
    assert "recall" in page.evaluate("location.hash")
    page.reload()
    assert len(column(page, "all", "Cell")) == 5


def test_the_theme_turns(opened):
    page = opened(scheme="dark")
    paper = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(paper)
    page.click("#theme")
    assert page.evaluate(paper) != dark
    page.click("#theme")
    assert page.evaluate(paper) == dark


def test_a_learner_is_lit_in_every_figure(opened):
    page = opened()
    page.locator("#trials button.key", has_text="Perceptron").click()
    assert page.locator("button.key[aria-pressed=true]").count() == page.locator("ul.legend").count()
    faint = page.evaluate("[...document.querySelectorAll('.series')].filter((x) => x.classList.contains('lit')).length")
    assert 0 < faint < page.locator(".series").count()


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_overflows(opened, width):
    page = opened(width=width)
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    outside = page.evaluate(
        """(width) => [...document.querySelectorAll("main *")].filter((e) => !e.closest(".scroll, pre, svg, .unseen")
        && e.getClientRects().length && e.getBoundingClientRect().right > width + 1).map((e) => e.outerHTML.slice(0, 90))""",
        width,
    )
    assert outside == []


def test_tables_fit_a_desk(opened):
    """Where there is room, neither the ranking nor the results need to be pushed sideways."""
    page = opened(width=1440)
    for table in ("ranks", "all", "heat-map"):
        assert page.eval_on_selector(f"#{table}", "(t) => t.scrollWidth <= t.parentElement.clientWidth")


def serious(page) -> list[str]:
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [
        f"{v['id']}: {node['html'][:120]}" for v in found if v["impact"] in {"serious", "critical"} for node in v["nodes"][:3]
    ]


@pytest.fixture(scope="module")
def short(tmp_path_factory) -> str:
    """A report of every part with few lines: axe looks at each element, and is slow."""
    path = tmp_path_factory.mktemp("short") / "report.html"
    path.write_text(build(sample(seeds=2, learners=("MLP", "DiehlCook", "Oja", "McCullochPitts", "Chance"))), encoding="utf-8")
    return path.as_uri()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing_serious(opened, short, scheme, width):
    page = opened(short, scheme=scheme, width=width)
    page.evaluate("document.querySelectorAll('section:not(#results) details').forEach((d) => { d.open = true; })")
    page.locator("button.key").first.click()
    page.wait_for_timeout(300)
    assert serious(page) == []


def test_axe_would_find_a_fault(opened, short):
    page = opened(short)
    page.evaluate("document.querySelector('.lead').style.color = '#b8b8b8'")
    assert any(fault.startswith("color-contrast") for fault in serious(page))


def test_it_reads_without_scripts(opened):
    page = opened(script=False)
    assert page.locator("table").count() >= 5
    assert page.locator("#ranks tbody tr").count() == 12
    assert page.locator("h1").text_content() != ""
    assert not page.locator("#theme").is_visible()
    assert not page.locator("#filters").is_visible()
    assert page.locator("#trials svg.drawn").is_visible()


def test_hostile_names_run_nothing(opened, tmp_path):
    path = tmp_path / "hostile.html"
    path.write_text(build(hostile()), encoding="utf-8")
    page = opened(path.as_uri(), width=390)
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    page.click("#ranks thead button >> nth=1")
    assert page.complaints == []
    assert page.requests == [path.as_uri()]
    assert page.locator("img").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_it_prints_in_full(opened):
    page = opened(scheme="dark")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(252, 251, 248)"
    assert not page.locator("header").is_visible()
    assert page.pdf()[:5] == b"%PDF-"
