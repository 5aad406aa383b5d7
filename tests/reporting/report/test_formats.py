"""HTML, Markdown and charts: complete, escaped, self-contained, and the same bytes for the same run."""

import html.parser
import re
from xml.etree import ElementTree

import pytest

from simulator.reporting.report.explorer import data_of, explorer_of
from simulator.reporting.report.figures import inline_svg
from simulator.reporting.report.html import html as html_of
from simulator.reporting.report.make import Wanted, overview_of, report_of, write_reports
from simulator.reporting.report.markdown import markdown, plain

NAMES = ("two", "nasty", "twelve", "one", "rent", "decades", "tie", "certain", "claimed", "priced")


class Page(html.parser.HTMLParser):
    """Ids, headings, references and the text of a page."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.refs, self.tags, self.images, self.text, self.open = [], [], [], [], [], []
        self.scripts = 0
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.tags.append(tag)
        if tag not in ("meta", "img"):
            self.open.append(tag)
        if "id" in found:
            self.ids.append(found["id"])
        self.refs += [found[name] for name in ("href", "src", "xlink:href") if name in found]
        assert not any(name.startswith("on") for name in found), "no handler may stand in the page"
        if tag == "svg" and found.get("role") == "img":
            self.images.append(found["aria-label"])
        self.scripts += tag == "script"

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("script", "style"):
            self.text.append(data)

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass


@pytest.fixture(scope="module")
def pages(numbers_of):
    made = {}

    def get(name):
        if name not in made:
            report = report_of(numbers_of(name))
            made[name] = report, html_of([report], report.front.title)
        return made[name]

    return get


@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_whole_and_asks_for_nothing(pages, name):
    report, text = pages(name)
    page = Page(text)
    assert len(page.ids) == len(set(page.ids)), "every id once"
    assert all(ref.startswith(("#", "data:image/")) for ref in page.refs)
    assert {ref[1:] for ref in page.refs if ref.startswith("#")} <= set(page.ids), "links lead somewhere"
    charts = [*report.front.charts, *(chart for one in report.pages for chart in one.charts)]
    assert page.images == [chart.alternative for chart in charts] and all(len(words) > 20 for words in page.images)
    assert page.tags.count("table") >= len(report.pages) + 3 and page.tags.count("h1") == 1 and page.tags.count("main") == 1
    assert page.scripts == (3 if report.explorer else 0), "the data, Plotly and what draws it"
    shown = " ".join("".join(page.text).split())
    for one in (*report.pages, *report.appendix):
        for words in (one.title, one.reading, *one.text, *one.notes):
            assert " ".join(words.split()) in shown


def test_markup_of_a_study_is_shown_and_never_meant(pages):
    report, text = pages("nasty")
    assert "<script>alert" not in text and "<img src=x" not in text and "onerror=alert(1)&gt;" in text
    assert "</script><script>" not in text.partition('type="application/json">')[2].partition("</script>\n</section>")[0]
    source = markdown([report], report.front.title)
    assert "<script" not in source.replace("\\<script", "") and "![x](http" not in source
    assert "\\|pipe\\|" in source


@pytest.mark.parametrize("name", NAMES)
def test_markdown_has_every_table_whole(numbers_of, name):
    report = report_of(numbers_of(name))
    text = markdown([report], report.front.title)
    wide = {}
    for line in text.splitlines():
        if line.startswith("| "):
            cells = len(re.findall(r"(?<!\\)\|", line)) - 1
            wide.setdefault("now", cells)
            assert wide["now"] == cells, line
        else:
            wide = {}
    for one in report.pages:
        assert plain(one.title) in text
        for chart in one.charts:
            assert f"](charts/{chart.name}.svg)" in text


@pytest.mark.parametrize("name", NAMES)
def test_charts_are_whole_svg_and_the_same_each_time(numbers_of, name):
    report = report_of(numbers_of(name))
    for one in report.pages:
        for chart in one.charts:
            first = inline_svg(chart, "c1")
            root = ElementTree.fromstring(first)
            assert first == inline_svg(chart, "c1") and root.get("viewBox") and root.get("width") is None
            assert all(found.startswith("c1-") for found in re.findall(r' id="([^"]*)"', first))
            assert chart.name == re.sub(r"[^A-Za-z0-9_.-]", "", chart.name)


def test_the_same_run_gives_the_same_bytes(folder_of, tmp_path):
    from simulator.experiments.report_numbers import report_numbers
    from simulator.finished_run import read_run

    made = []
    for folder, threads in (("first", 1), ("second", 2)):
        numbers = report_numbers(read_run(folder_of("two")), 0.2, threads=threads)
        files = write_reports([numbers], tmp_path / folder, Wanted(("html", "md", "xlsx"), "T"))
        made.append({file.relative_to(tmp_path / folder): file.read_bytes() for file in files})
    assert made[0] == made[1] and len(made[0]) > 10
    assert not list(tmp_path.rglob(".unfinished*"))


def test_several_reports_begin_with_an_overview(numbers_of, tmp_path):
    several = [numbers_of(name) for name in ("two", "one", "certain")]
    overview = overview_of(several)
    assert [row[0] for row in overview.rows] == ["Two", "One", "sure"] and overview.rows[1][2] == ""
    page = Page(html_of([report_of(numbers) for numbers in several], "Reports", overview, explore=False))
    assert len(page.ids) == len(set(page.ids)) and {"r1-decision", "r2-decision", "r3-decision", "overview"} <= set(page.ids)
    files = write_reports(several, tmp_path, Wanted(("md", "xlsx")))
    assert {file.name for file in files if file.parent == tmp_path} == {"report.md", *(f"report-{k}.xlsx" for k in (1, 2, 3))}
    text = (tmp_path / "report.md").read_text()
    for name in re.findall(r"\]\((charts/[^)]*)\)", text):
        assert (tmp_path / name).is_file()


def test_the_explorer_shows_the_trials_of_the_run(numbers_of):
    numbers = numbers_of("two")
    explorer = explorer_of(numbers)
    assert explorer.names[-2:] == ("a", "b") and len({len(values) for values in explorer.values}) == 1
    for values, costs in zip(explorer.values[-2:], numbers.sample.costs, strict=True):
        assert values == pytest.approx(costs[:: len(costs) // len(values)], rel=1e-4)
    assert "<" not in data_of(explorer_of(numbers_of("nasty"))) and explorer_of(numbers_of("certain")) is None
