"""What a report says of columns that were left out or do not move."""

import dataclasses
import json

from tests.report import studies

from tsladder.report.build import build_report
from tsladder.report.study_files import read_facts
from tsladder.results.table import to_csv

WORDS = "2 of 25 columns are constant over training, and nothing can be learned from them: obv, volume."


def volumeless():
    params = studies.study_params()
    return dataclasses.replace(params, data=dataclasses.replace(params.data, volume=False))


def pages(places, params):
    build_report(places, params)
    return [(places.report / name).read_text() for name in ("report.md", "report.html")]


def test_a_study_without_volume_says_so_where_it_says_the_tier(study):
    for page in pages(study, volumeless()):
        assert "tier a25 without volume" in page
        assert "without volume, with OHLC" in page
        assert "OHLCV" not in page
    rows = to_csv(volumeless(), "key", read_facts(study, volumeless()).cells).splitlines()
    assert rows[0].endswith(",tier")
    assert all(row.endswith(",a25 without volume") for row in rows[1:])


def test_a_study_with_its_volume_says_nothing_of_it(study):
    for page in pages(study, studies.study_params()):
        assert "without volume" not in page
    rows = to_csv(studies.study_params(), "key", read_facts(study, studies.study_params()).cells).splitlines()
    assert all(row.endswith(",a25") for row in rows[1:])


def test_columns_that_the_audit_found_constant_are_named(whole):
    before = pages(whole, studies.study_params())
    path = whole.audit / "audit.json"
    record = json.loads(path.read_text())
    note = {"name": "constant_columns", "columns": ["obv", "volume"], "words": WORDS}
    path.write_text(json.dumps({**record, "notes": [note]}))
    after = pages(whole, studies.study_params())
    for old, new in zip(before, after, strict=True):
        assert WORDS not in old
        assert WORDS in new
