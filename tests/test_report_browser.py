"""The page in a real browser: what it loads, whether it works, and whether everybody can read it."""

from __future__ import annotations

import csv
import io
import itertools
import os
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from reports import build
from reports.looks import DARK, LIGHT
from tests.report_sample import FORMULA, audits, crowd, sample
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
    path.write_text(build(sample(audits=audits("MLP", "Oja", "Perceptron", "DiehlCook", "Unranked"))), encoding="utf-8")
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


def test_only_learners_that_pass_all_that_is_ticked_stay(opened):
    page = opened()
    shown = "#profiles tbody tr:not([hidden])"
    assert page.locator(shown).count() == 5
    page.check("#plausible input[value=weight_transport]")
    assert page.eval_on_selector_all(f"{shown} th", "(all) => all.map((x) => x.textContent.trim())") == ["MLP", "Unranked"]
    assert page.locator("#plausible output").text_content() == "2 of 5 learners"
    page.check("#plausible input[value=locality]")
    assert page.locator(shown).count() == 0
    page.uncheck("#plausible input[value=weight_transport]")
    page.uncheck("#plausible input[value=locality]")
    assert page.locator(shown).count() == 5


def test_the_definition_of_a_criterion_is_one_click_away(opened, address):
    page = opened()
    asked = page.locator("#criterion-phases")
    assert asked.get_attribute("open") is None
    page.click("#profiles thead a[href='#criterion-phases']")
    page.wait_for_function("document.querySelector('#criterion-phases').open")
    assert asked.locator(".definition p").first.is_visible()
    assert opened(f"{address}#criterion-dale").locator("#criterion-dale .definition").is_visible()


@pytest.mark.parametrize("width", WIDTHS)
def test_profiles_scroll_in_their_own_place_and_their_heads_are_whole(opened, width):
    page = opened(width=width)
    heads = page.eval_on_selector_all("#profiles thead span", "(all) => all.map((s) => s.scrollHeight <= s.clientHeight + 1)")
    assert heads == [True] * len(heads)
    box = page.locator("#profiles").evaluate("(t) => [t.scrollWidth, t.parentElement.clientWidth]")
    assert (box[0] > box[1]) == (width == 390)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_theme_turns(opened):
    page = opened(scheme="dark")
    paper = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(paper)
    page.click("#theme")
    assert page.evaluate(paper) != dark
    page.click("#theme")
    assert page.evaluate(paper) == dark


def lit(page) -> set[str]:
    """The learners that are lit, by the names in the ranking."""
    return set(page.eval_on_selector_all("#ranks tr.lit th", "(heads) => heads.map((h) => h.textContent.trim())"))


KEYS = (
    "#ladders ul.legend button.key",
    "#ranks button.key",
    "#heat-map button.key",
    "#head-to-head button.key",
    ".card button.key",
)


@pytest.mark.parametrize("where", KEYS)
def test_a_learner_is_lit_in_every_figure(opened, where):
    page = opened()
    page.locator(where, has_text="Perceptron").first.click()
    assert lit(page) == {"Perceptron"}
    number = page.locator("#ranks tr.lit").get_attribute("data-s")
    for section in ("trials", "ladders", "profile", "curves", "cost"):
        drawn = page.eval_on_selector_all(f"#{section} .series.lit", "(found) => found.map((x) => x.getAttribute('class'))")
        assert drawn, section
        assert all(f"s-{number}" in name.split() for name in drawn)
    for table in ("outcome-map", "heat-map", "head-to-head", "all", "reached"):
        assert page.locator(f"#{table} tr.lit").count() == page.locator(f"#{table} tr[data-s='{number}']").count() > 0
    assert page.locator(".card.lit h3").text_content().startswith("Perceptron")
    assert page.locator("button.key[aria-pressed=true]").count() == page.locator(f"button.key[data-s='{number}']").count()
    assert "Perceptron" in page.locator("#said").text_content()


def test_a_lit_learner_goes_out_again(opened):
    page = opened()
    key = page.locator("#ranks button.key", has_text="MLP")
    key.focus()
    page.keyboard.press("Enter")
    assert lit(page) == {"MLP"}
    page.keyboard.press("Enter")
    assert lit(page) == set()
    page.locator("#heat-map tr", has_text="Oja").locator("td").first.click()
    assert lit(page) == {"Oja"}
    page.keyboard.press("Escape")
    assert lit(page) == set()
    assert not page.locator("#clear").is_visible()
    page.locator("#profile .series").first.dispatch_event("click")
    assert len(lit(page)) == 1
    page.click("#clear")
    assert lit(page) == set()


def saved(page, button) -> tuple[str, str]:
    """Name and text of what a button saves."""
    with page.expect_download() as waiting:
        button.click()
    return waiting.value.suggested_filename, Path(waiting.value.path()).read_text(encoding="utf-8")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_figure_is_saved_in_the_colours_shown(opened, scheme):
    page = opened(scheme=scheme)
    name, text = saved(page, page.locator("#profile .tools button", has_text="SVG"))
    assert name == "profile.svg"
    root = ET.fromstring(text)
    assert "var(" not in text
    paper = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--paper').trim()")
    assert root.find("{http://www.w3.org/2000/svg}rect").get("fill") == paper
    assert {c for c in (LIGHT if scheme == "light" else DARK) if c in text}
    assert not {c for c in (DARK if scheme == "light" else LIGHT) if c in text}


def test_a_table_is_saved_as_it_stands(opened):
    page = opened()
    name, text = saved(page, page.locator("#profile .tools button", has_text="CSV"))
    assert name == "profile.csv"
    lines = list(csv.reader(io.StringIO(text)))
    rows = page.eval_on_selector_all(
        "#profile .data table tr", "(rows) => rows.map((r) => [...r.cells].map((c) => c.textContent.trim()))"
    )
    assert lines == rows
    assert len(lines) > 100


def test_every_figure_has_its_table_and_buttons(opened):
    page = opened()
    figures = page.locator("figure.drawing").count()
    assert figures > 20
    assert page.locator("figure.drawing details.data table caption").count() == figures
    assert page.locator("figure.drawing .tools button").count() == 2 * figures
    empty = "(all) => all.filter((t) => t.tBodies[0].rows.length === 0 || t.tHead.rows[0].cells.length < 2).length"
    assert page.eval_on_selector_all("figure.drawing details.data table", empty) == 0


def test_every_trial_is_saved_unpacked(opened):
    page = opened()
    name, text = saved(page, page.locator("#sheet"))
    assert name == "trials.csv"
    assert len(list(csv.DictReader(io.StringIO(text)))) == len(sample().rows)


def test_a_saved_table_runs_nothing(opened, tmp_path):
    path = tmp_path / "hostile.html"
    path.write_text(build(hostile()), encoding="utf-8")
    page = opened(path.as_uri())
    name, text = saved(page, page.locator("#trials .tools button", has_text="CSV"))
    assert name == "trials.csv"
    cells = {cell for line in csv.reader(io.StringIO(text)) for cell in line}
    assert "'" + FORMULA in cells
    assert FORMULA not in cells


@pytest.mark.parametrize("script", [True, False])
def test_pages_of_curves_turn_without_script(opened, script):
    page = opened(script=script)
    shown = "#curves .tab >> visible=true"
    assert page.locator(shown).count() == 1
    first = page.locator(shown).locator("b").first.text_content()
    page.locator("#curves label", has_text="Operations").click()
    assert page.locator(shown).count() == 1
    assert page.locator("#against-operations").is_checked()
    assert page.locator(shown).locator("b").first.text_content() == first
    page.keyboard.press("ArrowLeft")
    assert page.locator("#against-samples").is_checked()


def test_headings_go_down_step_by_step_and_tables_have_captions(opened):
    page = opened()
    levels = page.eval_on_selector_all("h1, h2, h3, h4, h5", "(found) => found.map((h) => Number(h.tagName[1]))")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b <= a + 1 for a, b in itertools.pairwise(levels))
    assert page.eval_on_selector_all("table", "(all) => all.filter((t) => !t.caption?.textContent.trim()).length") == 0


@pytest.fixture(scope="module")
def crowded(tmp_path_factory) -> str:
    """A page of many learners and tasks with long names."""
    path = tmp_path_factory.mktemp("crowd") / "report.html"
    path.write_text(
        build(crowd(60, 60, seeds=2, names=24, curves=False, audits=audits(*(f"Rule{i:02d}".ljust(24, "x") for i in range(60))))),
        encoding="utf-8",
    )
    return path.as_uri()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("of", ["address", "crowded"])
def test_nothing_overflows(opened, request, of, width):
    page = opened(request.getfixturevalue(of), width=width)
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


@pytest.mark.parametrize("width", WIDTHS)
def test_no_name_is_clipped_or_lies_on_another(opened, crowded, width):
    """In the ranking every name is whole; the heads of the maps stand beside each other."""
    page = opened(crowded, width=width)
    clipped = "(names) => names.filter((n) => n.scrollWidth > n.clientWidth + 1).map((n) => n.textContent)"
    assert page.eval_on_selector_all("#ranks th .name, .legend .name", clipped) == []
    for table in ("head-to-head", "heat-map", "outcome-map"):
        boxes = page.eval_on_selector_all(
            f"#{table} thead tr:last-child th span",
            "(all) => all.map((s) => [s.getBoundingClientRect().left, s.getBoundingClientRect().right])",
        )
        assert all(right <= left + 1 for (_, right), (left, _) in itertools.pairwise(boxes))


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
    few = sample(seeds=2, learners=("MLP", "DiehlCook", "Oja", "McCullochPitts", "Chance"), audits=audits("MLP", "Oja"))
    path.write_text(build(few), encoding="utf-8")
    return path.as_uri()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing_serious(opened, short, scheme, width):
    page = opened(short, scheme=scheme, width=width)
    folded = "section:not(#results) details:not(.data), #profile .data"
    page.eval_on_selector_all(folded, "(all) => all.forEach((d) => { d.open = true; })")
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
    page.locator("#trials summary").click()
    assert page.locator("#trials .data table").is_visible()
    assert page.locator(".tools, button").count() == page.locator("#theme, #clear").count()


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
