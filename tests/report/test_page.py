"""The page: one file that needs nothing else, whose tables can be sorted and saved; the same facts as the text."""

import base64
import dataclasses
import hashlib
import re
from importlib import resources

import itables
import pytest
from tests.report import studies
from tests.report.reading import Page, tables_of
from tests.report.whole_study import write_whole

from tsladder.errors import WorkFailed
from tsladder.report.blocks import Table
from tsladder.report.build import build_report
from tsladder.report.document import document
from tsladder.report.html import START
from tsladder.report.page_style import STYLE
from tsladder.report.study_files import read_facts
from tsladder.report.table_library import as_script
from tsladder.vocabulary import Cell

ELSEWHERE = re.compile(r"(?i)[a-z]+://|(?<![:\w])//[a-z]|@import|url\(")
BUNDLE = (resources.files(itables) / "html" / "dt_bundle.js").read_text("utf-8")
HOSTILE = "</script><script>alert('x')</script><!-- <style> & \"q\""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The texts of a report with every section: Markdown and page."""
    places = write_whole(tmp_path_factory.mktemp("whole"))
    build_report(places, studies.study_params())
    return (places.report / "report.md").read_text("utf-8"), (places.report / "report.html").read_text("utf-8")


@pytest.fixture(scope="module")
def page(built):
    return Page(built[1])


def test_tags_nest_and_close(page):
    assert page.open == []
    assert page.tags.count("main") == 1
    assert len(page.ids) == len(set(page.ids))


def test_every_table_has_a_caption_a_file_of_its_own_and_a_key_for_every_entry(page):
    assert len(page.tables) >= 20
    files = [table.file for table in page.tables]
    assert len(set(files)) == len(files)
    for table in page.tables:
        assert re.fullmatch(r"sp500-daily-[a-z0-9-]+", table.file)
        assert table.caption
        assert table.rows
        assert {len(row) for row in table.rows} == {len(table.titles)}
        assert None not in {key for row in table.keys for key in row}


def test_keys_of_a_column_are_all_numbers_or_all_text(page):
    def is_number(key):
        return re.fullmatch(r"-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Infinity)", key) is not None

    for table in page.tables:
        for column in zip(*table.keys, strict=True):
            assert len({is_number(key) for key in column if key}) <= 1


def test_nothing_in_the_page_lies_elsewhere(built, page):
    pictures = [address for address in page.addresses if not address.startswith("#")]
    assert len(pictures) == 4
    assert all(address.startswith("data:image/png;base64,") for address in pictures)
    assert {address[1:] for address in page.addresses if address.startswith("#")} <= set(page.ids)
    assert set(page.tags).isdisjoint({"link", "iframe", "object", "embed", "base", "form", "video", "audio"})
    written = re.sub(r"(?s)<script.*?</script>|<style>.*?</style>|\"data:[^\"]*\"", "", built[1])
    assert ELSEWHERE.search(written) is None
    assert ELSEWHERE.search(STYLE + START) is None
    assert re.search(r"@import|url\((?!\"?data:)", page.styles[0]) is None


def test_the_policy_of_the_page_forbids_every_network_and_every_script_but_its_own(page):
    (policy,) = (meta["content"] for meta in page.metas if meta.get("http-equiv") == "Content-Security-Policy")
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    digest = base64.b64encode(hashlib.sha256("".join(page.scripts).encode()).digest()).decode()
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == f"'sha256-{digest}'"
    assert rules["img-src"] == "data:"
    assert set(rules) == {"default-src", "script-src", "style-src", "img-src", "base-uri", "form-action"}


def test_the_table_library_is_inside_once_and_whole_with_its_licences(page):
    script = "".join(page.scripts)
    assert page.tags.count("script") == 1
    assert re.search(r"(?i)<!--|</?script|</?style", script) is None
    library, _, start = script.replace("\\x3C", "<").partition("\nconst DataTable = ")
    assert start.endswith(START)
    exported = re.search(r"export\{[^}]*\};", BUNDLE)[0]
    assert library == BUNDLE.replace("\\x3C", "<").replace(exported, "")
    for name in ("DataTables 2", "Buttons for DataTables", "SpryMedia Ltd", "jQuery JavaScript Library"):
        assert name in script


def test_what_is_ours_of_the_script_is_short():
    assert START.count("\n") <= 25


@pytest.mark.parametrize("bundle", ["var a=1;", "export{a as b};", "export{a as default};export{b as default};"])
def test_a_library_that_is_laid_out_differently_is_refused(bundle):
    with pytest.raises(WorkFailed, match=r"requirements\.lock"):
        as_script(bundle, "")


def test_the_contents_name_every_section_in_reading_order(built):
    _, html = built
    links = re.findall(r'<li><a href="#([^"]+)">([^<]+)</a></li>', html)
    sections = re.findall(r'<h2 id="([^"]+)"><a href="#[^"]+">([^<]+)</a></h2>', html)
    assert links == sections
    titles = [title for _, title in sections]
    order = (
        "Verdicts", "The law", "Budgets and horizons at a glance", "What supports the verdicts", "Cells", "Leak audit",
        "What would settle it", "Chosen architectures", "Use of the budgets", "Coverage and effort", "Data and splits",
        "Environment",
    )  # fmt: skip
    assert [title for title in titles if title in order] == list(order)


def test_markdown_and_page_tell_the_same_tables_entry_by_entry(built, page):
    assert [table.facts for table in tables_of(built[0])] == [table.facts for table in page.tables]


def test_markdown_and_page_have_the_same_headings(built, page):
    titles = [re.sub(r"\\(.)", r"\1", line.lstrip("# ")) for line in built[0].split("\n") if line.startswith("#")]
    assert titles == page.headings


def test_markdown_and_page_have_the_same_sentences(built, page):
    for line in built[0].split("\n"):
        if line and not line.startswith(("#", "|", "![", "*")):
            plain = re.sub(r"\\(.)", r"\1", re.sub(r"^- (?:\*\*(.*?)\*\*)?", r"\1", line))
            assert plain in page.words


def test_hostile_text_is_shown_as_text(whole):
    cell = Cell("12k", 5)
    failed = {**studies.head(cell), "status": "failed", "reason": HOSTILE}
    for path in (whole.choice(cell), whole.scores(cell) / "scores.json"):
        studies.write(path, failed)
    params = studies.study_params()
    params = dataclasses.replace(params, study=dataclasses.replace(params.study, name=HOSTILE))
    build_report(whole, params)
    html = (whole.report / "report.html").read_text("utf-8")
    page = Page(html)
    assert page.open == []
    assert page.tags.count("script") == 1
    assert page.headings[0] == f"Study {HOSTILE}"
    assert any(HOSTILE in row[2] for table in page.tables for row in table.rows if "left-out" in table.file)
    assert all(re.fullmatch(r"[\w.-]+", table.file) for table in page.tables)
    assert "<!--" not in html


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_every_ground_it_stands_on(scheme):
    light = dict(re.findall(r"--(\w+): (#[0-9a-f]{3,6})", STYLE.partition("@media")[0]))
    dark = dict(re.findall(r"--(\w+): (#[0-9a-f]{3,6})", STYLE.partition("@media")[2].partition("*")[0]))
    colours = light if scheme == "light" else {**light, **dark}
    assert set(dark) == set(light)
    for ground in ("page", "soft", "good", "mixed", "bad", "off"):
        assert contrast(colours["ink"], colours[ground]) >= 7.0
    for text in ("link", "muted"):
        assert contrast(colours[text], colours["page"]) >= 4.5


def contrast(one, other):
    """As WCAG 2 defines it."""

    def luminance(colour):
        digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
        channels = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_the_page_stays_small(built):
    assert len(built[1].encode("utf-8")) < 5_000_000


def test_a_table_is_named_once_whatever_the_study_lacks(facts):
    names = [block.name for block in document(facts, ()) if isinstance(block, Table)]
    assert len(set(names)) == len(names)


def test_the_options_to_settle_a_verdict_are_reported_with_their_cost(study):
    ways = [
        {"what": "seeds", "words": "9 seeds a rung", "seeds": 9, "rungs": None, "estimated_seconds": 2_880.0},
        {"what": "rungs", "words": "2 further rungs above", "seeds": None, "rungs": None, "estimated_seconds": None},
    ]
    studies.write_law(study, {"1": {**studies.law("underpowered", alpha=0.01), "settle_options": ways}})
    params = studies.study_params()
    assert [way.estimated_seconds for way in read_facts(study, params).law_of(1).settle_options] == [2_880.0, None]
    build_report(study, params)
    page = Page((study.report / "report.html").read_text("utf-8"))
    (table,) = (table for table in page.tables if table.file.endswith("-settling"))
    assert table.rows == [
        ["1 day", "underpowered", "seeds", "9 seeds a rung", "48 min"],
        ["1 day", "underpowered", "rungs", "2 further rungs above", "—"],
    ]
