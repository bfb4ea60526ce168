"""The audit's record as the law reads it: whole, or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tsladder.artifacts.audit import SERIES_PROBES
from tsladder.errors import WorkFailed
from tsladder.law.audit_record import failed_probes, inconclusive_probes, whole_audit


def record(*failed: str) -> dict[str, Any]:
    probes = [
        {"name": name, "title": title, "passed": name not in failed, "numbers": {}, "words": f"{title} indeed."}
        for name, title in SERIES_PROBES.items()
    ]
    return {"passed": not failed, "probes": probes}


def written(folder: Path, value: object) -> Path:
    path = folder / "audit.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def test_a_whole_record_comes_back_and_names_what_failed_in_its_words(tmp_path: Path) -> None:
    assert failed_probes(whole_audit(written(tmp_path, record()))) == []
    broken = whole_audit(written(tmp_path, record("shared_days")))
    assert failed_probes(broken) == ["shared_days: No day is shared between regions indeed"]


def undecided(*names: str, failed: tuple[str, ...] = ()) -> dict[str, Any]:
    """As the audit writes it since its probes have outcomes; `names` are inconclusive."""
    probes = []
    for probe in record(*names, *failed)["probes"]:
        name = probe["name"]
        outcome = "failed" if name in failed else "inconclusive" if name in names else "passed"
        probes.append({**probe, "outcome": outcome, "needs": "more windows" if outcome == "inconclusive" else None})
    whole = "failed" if failed else "inconclusive" if names else "passed"
    return {"passed": whole == "passed", "outcome": whole, "probes": probes}


def test_an_inconclusive_probe_is_no_failed_one_and_is_named_with_what_it_needs(tmp_path: Path) -> None:
    read = whole_audit(written(tmp_path, undecided("shuffled_targets")))
    assert failed_probes(read) == []
    sentence = str(inconclusive_probes(read))
    assert f'"{SERIES_PROBES["shuffled_targets"]}" would need more windows' in sentence
    assert inconclusive_probes(whole_audit(written(tmp_path, undecided()))) is None


def test_a_leak_is_told_beside_a_probe_that_could_not_tell(tmp_path: Path) -> None:
    read = whole_audit(written(tmp_path, undecided("shuffled_targets", failed=("shared_days",))))
    assert [said.partition(":")[0] for said in failed_probes(read)] == ["shared_days"]
    assert inconclusive_probes(read) is not None


def test_a_record_from_before_there_were_outcomes_has_failed_where_it_did_not_pass(tmp_path: Path) -> None:
    old = whole_audit(written(tmp_path, record("normalisation")))
    assert len(failed_probes(old)) == 1
    assert inconclusive_probes(old) is None


@pytest.mark.parametrize(
    "change",
    [
        {"outcome": "passed"},
        {"outcome": "failed"},
        {"outcome": "open"},
        {"passed": True},
        {"probes": [{**probe, "needs": None} for probe in undecided("shuffled_targets")["probes"]]},
        {"probes": [{**probe, "outcome": "passed"} for probe in undecided("shuffled_targets")["probes"]]},
    ],
)
def test_an_outcome_at_odds_with_the_rest_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    with pytest.raises(WorkFailed, match="no whole audit"):
        whole_audit(written(tmp_path, {**undecided("shuffled_targets"), **change}))


def test_a_missing_record_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkFailed, match=r"audit\.json is missing: run `dvc repro audit`"):
        whole_audit(tmp_path / "audit.json")


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
        {"passed": True, "probes": [{"name": name} for name in SERIES_PROBES]},
        {"passed": True, "probes": None},
    ],
)
def test_a_record_that_is_torn_short_of_a_probe_or_at_odds_with_itself_is_refused(
    tmp_path: Path, broken: object
) -> None:
    with pytest.raises(WorkFailed, match=r"audit\.json"):
        whole_audit(written(tmp_path, broken))
