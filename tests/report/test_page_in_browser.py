"""The report in a browser: nothing planted runs, nothing is asked for, tables sort, plots are drawn, all can use it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from llmopt.benchmarks.perf.measurements import Measurements
from llmopt.benchmarks.perf.row import Row
from llmopt.benchmarks.results import Results
from llmopt.report.page import speed
from llmopt.report.page.page import render
from llmopt.runlog import LogReader
from support.browser import PROGRAM, Browser, browser
from support.planted import MARK, PAYLOADS, plant, spaces

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no Chromium is installed (apt-get install chromium)")

# The colours of a text and of the first opaque thing behind it; WCAG 2.2, success criterion 1.4.3.
CONTRASTS = """
(() => {
  const channels = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = (value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const luminance = ([r, g, b]) => 0.2126 * light(r) + 0.7152 * light(g) + 0.0722 * light(b);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = channels(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || !element.checkVisibility() || element.closest("script, svg, .modebar")) continue;
    const pair = [channels(getComputedStyle(element).color), behind(element)].map(luminance).sort((a, b) => b - a);
    const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
    if (ratio < 4.5) found.push(`${element.tagName}.${element.className} ${ratio.toFixed(2)}`);
  }
  return found;
})()
"""
NAMELESS = """
[...document.querySelectorAll("a, button, summary, img, [role=img], [role=region], section, nav")]
  .filter((element) => !(element.getAttribute("aria-label") || element.getAttribute("alt")
    || document.getElementById(element.getAttribute("aria-labelledby"))?.textContent.trim()
    || element.textContent.trim()))
  .map((element) => element.outerHTML.slice(0, 200))
"""
HEADINGS = '[...document.querySelectorAll("h1,h2,h3,h4")].filter((h) => h.checkVisibility()).map((h) => +h.tagName[1])'
UNDRAWN = '[...document.querySelectorAll(".plot")].filter((plot) => !plot.querySelector(".main-svg .trace")).length'


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as started:
        yield started


@pytest.fixture(scope="module", params=spaces())
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(request.param)
    plant(folder, spaces()[request.param])
    path = folder / "report.html"
    with LogReader(folder) as reader:
        path.write_text(render(Results.read(folder), reader), encoding="utf-8")
    return path


def check_harmless(chromium: Browser, page: Path) -> None:
    assert chromium.run(f"window.{MARK}") is None
    assert chromium.complaints == []
    outside = [address for address in chromium.requests if not address.startswith(("data:", "blob:"))]
    assert {address.partition("#")[0] for address in outside} == {page.as_uri()}


def rows(chromium: Browser, table: int, column: int) -> list[str]:
    script = f"[...document.querySelectorAll('table.sortable')[{table}].tBodies[0].rows]"
    found: list[str] = chromium.run(f"{script}.map((row) => row.cells[{column}].textContent)")
    return found


def see_everything(chromium: Browser) -> None:
    chromium.run("document.querySelectorAll('details').forEach((box) => { box.open = true; })")
    chromium.run("(async () => { for (const plot of document.querySelectorAll('.plot')) { plot.scrollIntoView(); "
                 "await new Promise((done) => setTimeout(done, 60)); } })()")  # fmt: skip
    chromium.wait(f"{UNDRAWN} === 0")


@pytest.mark.parametrize("dark", [False, True])
def test_nothing_planted_runs_and_everything_is_drawn(chromium: Browser, page: Path, dark: bool) -> None:
    chromium.open(page, dark=dark)
    see_everything(chromium)
    assert chromium.run("document.querySelectorAll('.plot').length") >= 2
    assert chromium.run("[...document.images].every((image) => image.complete && image.naturalWidth > 100)")
    assert chromium.run("document.querySelectorAll('iframe, object, embed, form, link').length") == 0
    assert chromium.run("[...document.querySelectorAll('*')].every((e) => !e.onload && !e.onerror)")
    check_harmless(chromium, page)
    assert chromium.run(CONTRASTS) == []


def test_labels_of_plots_are_texts(chromium: Browser, page: Path) -> None:
    chromium.open(page)
    see_everything(chromium)
    # The longest plot has a point of every solver; its label is shown where the pointer is.
    last = "document.querySelector('.plot').data.findLastIndex((trace) => trace.name)"
    chromium.run(f"Plotly.Fx.hover(document.querySelector('.plot'), [{{curveNumber: {last}, pointNumber: 0}}])")
    chromium.wait("document.querySelector('.hoverlayer text') !== null")
    label = chromium.run("document.querySelector('.hoverlayer').textContent")
    assert "=HYPERLINK(" in label
    assert chromium.run("document.querySelectorAll('.main-svg a, .main-svg b, .main-svg script').length") == 0
    check_harmless(chromium, page)


def test_pages_of_runs_show_what_was_said(chromium: Browser, page: Path) -> None:
    chromium.open(page)
    numbers = chromium.run("[...document.querySelectorAll('[id^=run-data-]')].map((block) => block.id.slice(9))")
    assert len(numbers) == 6
    for number in numbers:
        chromium.run(f"location.hash = '#run-{number}'")
        chromium.wait(f"document.getElementById('run').dataset.run === '{number}'")
        chromium.wait(f"{UNDRAWN.replace('.plot', '#run .plot')} === 0")
        chromium.run("document.querySelectorAll('#run details').forEach((box) => { box.open = true; })")
        assert chromium.run("document.activeElement === document.querySelector('#run h2')")
        assert chromium.run(NAMELESS) == []
    if "numbers" in str(page):
        chromium.wait("document.querySelectorAll('#run .step').length > 5")
        chromium.wait("document.querySelectorAll('#run .step pre').length > 5")
        said = chromium.run("document.getElementById('run').textContent")
        for payload in PAYLOADS[:-1]:
            assert payload in said
        assert "half \\udcff\\ud800 characters, \\x00\\x1b[2J\\u202e\\u2028" in said
    if "texts" in str(page):
        assert PAYLOADS[0] in chromium.run("document.getElementById('run').textContent")
    assert chromium.run(CONTRASTS) == []
    check_harmless(chromium, page)
    chromium.run("location.hash = '#all'")
    chromium.wait("document.getElementById('run').hidden")
    assert chromium.run("document.activeElement.getAttribute('href')") == f"#run-{numbers[-1]}"


def test_a_click_on_a_heading_sorts(chromium: Browser, page: Path) -> None:
    chromium.open(page)
    button = "document.querySelectorAll('table.sortable')[0].tHead.rows[0].cells[3].querySelector('button')"
    for order, direction in (("ascending", 1), ("descending", -1)):
        chromium.run(f"{button}.click()")
        values = [float(text.removeprefix(">= ").split()[0]) for text in rows(chromium, 0, 3)]
        assert values == sorted(values)[::direction]
        assert chromium.run(f"{button}.closest('th').getAttribute('aria-sort')") == order
    check_harmless(chromium, page)


def test_the_keyboard_is_enough(chromium: Browser, page: Path) -> None:
    chromium.open(page)
    chromium.press("Tab")
    assert chromium.run("document.activeElement.textContent") == "Skip to the results"
    assert chromium.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    for _ in range(20):
        chromium.press("Tab")
        if chromium.run("document.activeElement.closest('thead') !== null"):
            break
    assert chromium.run("document.activeElement.matches('table.sortable thead button')")
    assert chromium.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    chromium.press("Enter", "\r")
    assert chromium.run("document.activeElement.closest('th').getAttribute('aria-sort')") == "ascending"
    names = rows(chromium, 0, 0)
    assert chromium.run(f"{names!r}.every((name, i, all) => !i || all[i - 1].localeCompare(name, 'en') <= 0)")


def test_solvers_are_shown_and_hidden(chromium: Browser, page: Path) -> None:
    chromium.open(page)
    see_everything(chromium)
    chromium.run("document.querySelector('.problem .legend button').click()")
    assert chromium.run("document.querySelector('.problem .legend button').getAttribute('aria-pressed')") == "false"
    shown = "document.querySelector('.problem .plot').data.filter((trace) => trace.meta === 0 && trace.visible).length"
    chromium.wait(f"{shown} === 0")
    check_harmless(chromium, page)


def test_plots_send_nothing_anywhere(chromium: Browser, page: Path) -> None:
    chromium.open(page)
    see_everything(chromium)
    titles = chromium.run("[...document.querySelectorAll('.modebar-btn')].map((button) => button.dataset.title)")
    assert titles and not {title for title in titles if "hare" in title or "loud" in title}
    chromium.run("document.querySelector('.modebar-btn[data-title=\"Download plot\"]').click()")
    chromium.run("fetch('http://192.0.2.1/').catch(() => 0)")
    assert [complaint for complaint in chromium.complaints if "192.0.2.1" not in complaint] == []
    assert any("violates the following Content Security Policy" in complaint for complaint in chromium.complaints)


@pytest.mark.parametrize("width", [1280, 400])
def test_readers_find_their_way(chromium: Browser, page: Path, width: int) -> None:
    chromium.open(page, width=width)
    see_everything(chromium)
    levels = chromium.run(HEADINGS)
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(below - above <= 1 for above, below in pairwise(levels))
    assert chromium.run("document.documentElement.lang") == "en" and chromium.run("document.title")
    assert chromium.run(NAMELESS) == []
    assert chromium.run("[...document.querySelectorAll('table')].every((table) => table.caption)")
    assert chromium.run("[...document.querySelectorAll('th')].every((cell) => ['col', 'row'].includes(cell.scope))")
    ids: list[Any] = chromium.run("[...document.querySelectorAll('[id]')].map((element) => element.id)")
    assert len(ids) == len(set(ids))
    # Wide tables scroll by themselves, never the page.
    assert chromium.run("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("dark", [False, True])
def test_the_page_of_measurements_is_harmless_and_sorts(chromium: Browser, tmp_path: Path, dark: bool) -> None:
    found = Measurements(
        [*PAYLOADS],
        {text: text for text in PAYLOADS},
        False,
        [
            Row(text, float(i), text, beside=2.0, beside_what=text, compared="ratio", limit=1.0)
            for i, text in enumerate(PAYLOADS)
        ],
        {text: text for text in PAYLOADS},
        [*PAYLOADS],
    )
    found.write(tmp_path)
    page = tmp_path / "report.html"
    page.write_text(speed.render(Measurements.read(tmp_path)), encoding="utf-8")
    chromium.open(page, dark=dark)
    assert chromium.run("document.querySelectorAll('iframe, object, embed, form, link, img, script[type]').length") == 0
    assert chromium.run("[...document.querySelectorAll('*')].every((e) => !e.onload && !e.onerror)")
    for payload in PAYLOADS[:-1]:
        assert payload in chromium.run("document.body.textContent")
    for column, heading in ((1, "measured"), (3, "holds")):
        button = f"document.querySelector('table.sortable').tHead.rows[0].cells[{column}].querySelector('button')"
        assert chromium.run(f"{button}.textContent") == heading
        chromium.run(f"{button}.click()")
        assert chromium.run(f"{button}.closest('th').getAttribute('aria-sort')") == "ascending"
    assert rows(chromium, 0, 3) == ["NO"] * 6 + ["yes"] * 3
    levels = chromium.run(HEADINGS)
    assert levels[0] == 1 and levels.count(1) == 1 and all(below - above <= 1 for above, below in pairwise(levels))
    assert chromium.run("document.documentElement.scrollWidth") <= 1280
    assert chromium.run(NAMELESS) == [] and chromium.run(CONTRASTS) == []
    check_harmless(chromium, page)
