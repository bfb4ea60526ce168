"""The audit's record as the law reads it: whole, or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tsladder.errors import WorkFailed
from tsladder.law.leaks import PROBES, failed_probes, read_audit


def record(*failed: str) -> dict[str, Any]:
    probes = [
        {"name": name, "title": title, "passed": name not in failed, "numbers": {}, "words": f"{title} indeed."}
        for name, title in PROBES.items()
    ]
    return {"passed": not failed, "probes": probes}


def written(folder: Path, value: object) -> Path:
    path = folder / "audit.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def test_a_whole_record_comes_back_and_names_what_failed_in_its_words(tmp_path: Path) -> None:
    assert failed_probes(read_audit(written(tmp_path, record()))) == []
    broken = read_audit(written(tmp_path, record("shared_days")))
    assert failed_probes(broken) == ["shared_days: No day is shared between regions indeed"]


def test_a_missing_record_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkFailed, match=r"audit\.json is missing: run `dvc repro audit`"):
        read_audit(tmp_path / "audit.json")


@pytest.mark.parametrize(
    "broken",
    [
        "{",
        [],
        {},
        {"passed": True, "probes": []},
        {"passed": True, "probes": record()["probes"][:-1]},
        {"passed": True, "probes": record()["probes"] * 2},
        {"passed": True, "probes": record("label_reach")["probes"]},
        {"passed": False, "probes": record()["probes"]},
        {"passed": True, "probes": [{**probe, "passed": "yes"} for probe in record()["probes"]]},
        {"passed": True, "probes": [{"name": name} for name in PROBES]},
        {"passed": True, "probes": None},
    ],
)
def test_a_record_that_is_torn_short_of_a_probe_or_at_odds_with_itself_is_refused(
    tmp_path: Path, broken: object
) -> None:
    with pytest.raises(WorkFailed, match=r"audit\.json"):
        read_audit(written(tmp_path, broken))
