"""The report as a browser shows and prints it."""

import shutil
import subprocess
from itertools import pairwise

import pytest
from browser import CHROMIUM, Browser

from simulator.reporting.report.make import Wanted, write_reports

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
PAPER = {"A4": (8.27, 11.69), "Letter": (8.5, 11.0)}  # inches
MARGIN = 14 / 25.4
SEEN = """[...document.querySelectorAll('svg[role=img]')].map(svg => {
  const box = svg.getBoundingClientRect(), marks = svg.querySelectorAll('path, text, use').length;
  return {width: box.width, height: box.height, left: box.left, right: box.right, marks,
          inside: !svg.closest('[hidden]') && getComputedStyle(svg).visibility === 'visible'};
})"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    found = Browser(tmp_path_factory.mktemp("profile"))
    yield found
    found.close()


@pytest.fixture(scope="module")
def file_of(numbers_of, tmp_path_factory):
    made = {}

    def get(name):
        if name not in made:
            made[name] = write_reports([numbers_of(name)], tmp_path_factory.mktemp("reports"), Wanted())[0]
        return made[name]

    return get


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", ["two", "nasty", "twelve", "one", "certain"])
def test_every_chart_is_seen_and_nothing_is_asked_for(browser, file_of, name, width):
    browser.requests.clear()
    browser.complaints.clear()
    browser.open(file_of(name), width)
    charts = browser.evaluate(SEEN)
    assert charts and all(chart["width"] > 300 and chart["height"] > 60 and chart["marks"] > 10 and chart["inside"] for chart in charts)
    if width > 600:
        assert all(chart["left"] >= 0 and chart["right"] <= width for chart in charts)
    assert browser.evaluate("document.documentElement.scrollWidth") <= width, "the page itself needs no scrolling sideways"
    if browser.evaluate("!!document.querySelector('.explorer')"):
        browser.evaluate("document.querySelector('.explorer').scrollIntoView()")
        browser.wait_for("document.querySelectorAll('.explorer .point').length > 100")
        assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert browser.complaints == []
    assert [url[:60] for url in browser.requests if not url.startswith(("file:", "data:image/"))] == []


def test_futures_are_chosen_by_keyboard_and_told_in_words(browser, file_of):
    browser.open(file_of("two"))
    browser.evaluate("document.querySelector('.explorer').scrollIntoView()")
    browser.wait_for("document.querySelector('.says').textContent.includes('futures')")
    says = "document.querySelector('.says').textContent"
    everything = browser.evaluate(says)
    count = int(everything.split()[0])
    assert f"{count} of {count} futures" in everything and "is the cheapest in" in everything
    browser.evaluate("""(() => { const box = document.querySelector('.third'); box.selectedIndex = 1;
                                box.dispatchEvent(new Event('change')); })()""")
    assert browser.evaluate(says).startswith(f"{count // 3} of {count} futures")
    faded = browser.evaluate("""[...document.querySelectorAll('.explorer .point')].filter(p => Number(p.style.opacity) < 0.2).length""")
    assert faded > 0
    browser.evaluate("""(() => { const box = document.querySelector('.platform'); box.selectedIndex = 1;
                                box.dispatchEvent(new Event('change')); })()""")
    assert ": b costs" in browser.evaluate(says)


@pytest.mark.parametrize("paper", PAPER)
def test_no_chart_is_cut_in_print(browser, file_of, tmp_path, paper):
    """Printed pages are as wide as the paper less its margins, and a chart is never parted over two of them."""
    width, height = PAPER[paper]
    browser.open(file_of("two"), round(96 * (width - 2 * MARGIN)))
    browser._ask("Emulation.setEmulatedMedia", media="print")
    charts = browser.evaluate(SEEN)
    browser._ask("Emulation.setEmulatedMedia", media="")
    assert charts
    for chart in charts:
        assert chart["left"] >= -1 and chart["right"] <= 96 * (width - 2 * MARGIN) + 1
        assert chart["height"] < 96 * (height - 2 * MARGIN) * 0.75
    browser.pdf(tmp_path / "report.pdf", paperWidth=width, paperHeight=height)
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
    if shutil.which("pdftotext"):
        text = subprocess.run(["pdftotext", "-layout", tmp_path / "report.pdf", "-"], capture_output=True, text=True, check=True).stdout
        assert "Single futures" not in text and "Every assumption" in text and text.count("\f") >= 9


def test_headings_landmarks_and_contrast(browser, file_of):
    browser.open(file_of("two"))
    levels = browser.evaluate("[...document.querySelectorAll('h1,h2,h3')].map(h => Number(h.tagName[1]))")
    assert levels[0] == 1 and all(after - before <= 1 for before, after in pairwise(levels))
    assert browser.evaluate("document.querySelectorAll('main, nav[aria-label], header, footer').length") == 4
    assert browser.evaluate("[...document.querySelectorAll('section')].every(s => document.getElementById(s.getAttribute('aria-labelledby')))")
    assert browser.evaluate("[...document.querySelectorAll('select')].every(s => s.closest('label'))")
    assert browser.evaluate("[...document.querySelectorAll('th')].every(th => th.scope)")
    contrast = browser.evaluate("""(() => {
      const channels = text => text.match(/[\\d.]+/g).slice(0, 3).map(Number).map(c => (c /= 255) <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4);
      const light = text => { const [r, g, b] = channels(text); return .2126 * r + .7152 * g + .0722 * b; };
      return Math.min(...[...document.querySelectorAll('p, li, td, th, h1, h2, h3, a, dt, dd, figcaption')].map(
        e => (1 + .05) / (light(getComputedStyle(e).color) + .05)));
    })()""")
    assert contrast >= 4.5
