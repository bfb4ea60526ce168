"""The report as a reader has it: opened from disk, sorted, searched, saved, on a phone, on paper, without scripts."""

import csv
from contextlib import contextmanager

import pytest
from tests.report import studies
from tests.report.whole_study import write_whole

from tsladder.artifacts.law import read_law
from tsladder.law.plots import draw_scaling
from tsladder.report.build import build_report

pytestmark = pytest.mark.slow

FEW = 10
"""Rows up to which a table has no search box."""


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Where the page of a synthetic study lies, with a law's picture that was truly drawn."""
    places = write_whole(tmp_path_factory.mktemp("study"))
    draw_scaling(read_law(places.scaling), places.law / "scaling.png")
    build_report(places, studies.study_params())
    return (places.report / "report.html").as_uri()


@pytest.fixture
def page(sight, address):
    """The page, open; at the end it must have complained of nothing and asked nobody for anything."""
    asked = []
    sight.page.on("request", lambda request: asked.append(request.url))
    sight.page.goto(address)
    sight.page.wait_for_selector("table.dataTable")
    yield sight.page
    assert sight.errors == []
    assert asked[0] == address
    assert [url for url in asked[1:] if not url.startswith(("data:", "blob:"))] == []


def table(page, name):
    return page.locator(f"table[data-file$='-{name}']")


def column(page, name, title):
    """The entries of one column as they stand."""
    titles = table(page, name).locator("thead th .dt-column-title").all_inner_texts()
    cells = table(page, name).locator(f"tbody tr td:nth-child({titles.index(title) + 1})").all_inner_texts()
    return [" ".join(text.split()) for text in cells]


def sort(page, name, title):
    """Click on a header, and wait for the order."""
    header = table(page, name).locator("thead th", has_text=title).first
    with another_order(page, header):
        header.click()


@contextmanager
def another_order(page, header):
    """Wait at the end of the block until the table of `header` has another order: the library sorts a little later."""
    before = header.get_attribute("aria-sort")
    yield
    page.wait_for_function(
        "([header, before]) => header.getAttribute('aria-sort') !== before", arg=[header.element_handle(), before]
    )


def test_every_table_is_taken_over_by_the_library(page, sight):
    tables = page.locator("table")
    assert tables.count() == page.locator("table.dataTable").count() >= 20
    assert page.locator("button", has_text="CSV").count() == tables.count()
    for index in range(tables.count()):
        rows = tables.nth(index).locator("tbody tr").count()
        boxes = tables.nth(index).locator("xpath=ancestor::*[contains(@class,'dt-container')]//input").count()
        assert boxes == (1 if rows > FEW else 0)
    sight.keep("report-top")
    sight.keep("report-whole", full=True)


def test_a_header_sorts_by_number_up_and_down_and_what_is_unknown_stays_last(page, sight):
    shown = column(page, "cells", "N")
    known = sorted((text for text in shown if text != "—"), key=lambda text: int(text.replace(",", "")))
    unknown = ["—"] * shown.count("—")
    assert unknown
    assert sorted(known) != known  # as text the order would be another
    sort(page, "cells", "N")
    assert column(page, "cells", "N") == [*known, *unknown]
    sort(page, "cells", "N")
    assert column(page, "cells", "N") == [*reversed(known), *unknown]
    sort(page, "cells", "N")
    assert column(page, "cells", "N") == shown
    sight.keep("report-sorted")


def test_budgets_durations_and_intervals_sort_by_what_they_mean(page):
    sort(page, "matrix", "rung")
    assert column(page, "matrix", "rung") == ["12k", "80k", "2M", "20M"]
    sort(page, "matrix", "rung")
    assert column(page, "matrix", "rung") == ["20M", "2M", "80k", "12k"]
    sort(page, "effort", "search")
    times = column(page, "effort", "search")
    assert [time for time in times if time != "—"] == sorted(
        (time for time in times if time != "—"), key=lambda time: float(time.split()[0])
    )
    sort(page, "skill", "constant")
    first = [float(text.split()[0]) for text in column(page, "skill", "constant")]
    assert first == sorted(first)


def test_a_header_is_reached_and_used_by_the_keyboard(page):
    before = column(page, "cells", "cell")
    with another_order(page, table(page, "cells").locator("thead th").nth(1)):
        table(page, "cells").locator("thead .dt-column-order").nth(1).focus()
        page.keyboard.press("Enter")
    after = column(page, "cells", "cell")
    assert after != before
    assert sorted(after) == sorted(before)
    assert table(page, "cells").locator("thead th").nth(1).get_attribute("aria-sort") == "ascending"


def test_the_search_box_leaves_the_rows_that_have_its_words(page):
    box = table(page, "settings").locator("xpath=ancestor::*[contains(@class,'dt-container')]//input")
    everything = column(page, "settings", "setting")
    box.fill("weight")
    assert set(column(page, "settings", "setting")) == {"weight_decay"}
    box.fill("")
    assert column(page, "settings", "setting") == everything


@pytest.mark.parametrize("name", ["cells", "matrix", "skill", "audit", "left-out"])
def test_a_table_is_saved_as_it_stands(page, tmp_path, name):
    titles = table(page, name).locator("thead th .dt-column-title").all_inner_texts()
    entries = [column(page, name, title) for title in titles]
    button = table(page, name).locator("xpath=ancestor::*[contains(@class,'dt-container')]//button")
    with page.expect_download() as waited:
        button.click()
    download = waited.value
    assert download.suggested_filename == f"sp500-daily-{name}.csv"
    download.save_as(tmp_path / "saved.csv")
    with (tmp_path / "saved.csv").open(encoding="utf-8", newline="") as stream:
        saved = [[" ".join(entry.split()) for entry in row] for row in csv.reader(stream)]
    assert saved == [titles, *map(list, zip(*entries, strict=True))]


def test_the_law_is_seen(page):
    picture = page.locator("img").first
    assert "parameter count" in picture.get_attribute("alt")
    assert picture.is_visible()
    assert picture.evaluate("image => image.complete && image.naturalWidth") > 400
    assert picture.bounding_box()["width"] > 400


def test_the_contents_lead_to_their_sections(page):
    links = page.locator("nav a")
    assert links.count() >= 12
    links.filter(has_text="Coverage and effort").click()
    heading = page.locator("h2", has_text="Coverage and effort")
    page.wait_for_function(
        "top => document.querySelector('#coverage-and-effort').getBoundingClientRect().top < top", arg=200
    )
    assert heading.is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 1000, 400])
def test_the_page_never_scrolls_sideways_and_nothing_is_cut_on_a_desk(page, sight, width, scheme):
    page.set_viewport_size({"width": width, "height": 1000})
    page.emulate_media(color_scheme=scheme)
    page.wait_for_timeout(100)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    if width >= 1000:
        cut = "[...document.querySelectorAll('table')].filter(t => t.offsetWidth > t.closest('.wide').clientWidth)"
        assert page.evaluate(f"{cut}.map(t => t.dataset.file)") == []
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    assert dark == (scheme == "dark")
    sight.keep(f"report-{width}-{scheme}", full=True)


def test_on_paper_there_are_no_controls_and_the_ground_is_white(page):
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.querySelector('td')).color") == "rgb(0, 0, 0)"
    for control in ("nav", ".dt-buttons", ".dt-search"):
        assert not page.locator(control).first.is_visible()
    assert all(found.is_visible() for found in page.locator(".dt-container .title").all())


def test_without_scripts_every_table_is_there_and_still_nothing_scrolls_sideways(chromium, address, sight):
    context = chromium.new_context(java_script_enabled=False, viewport={"width": 1000, "height": 1000})
    try:
        page = context.new_page()
        page.goto(address)
        assert page.locator("table").count() >= 20
        for part in ("caption", "th", "td"):
            assert page.locator(f"table {part}:visible").count() == page.locator(f"table {part}").count()
        assert page.locator(".dt-container").count() == 0
        page.screenshot(path=sight.pictures / "report-without-scripts.png", full_page=True)
        page.set_viewport_size({"width": 400, "height": 1000})
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    finally:
        context.close()
