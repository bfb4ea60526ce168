"""The audit of a study without volume, and of one whose volume never moves."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.studies import make_study, params_of, synthetic_bars, verb

from tsladder.artifacts.plans import AuditPlan, read_plan
from tsladder.artifacts.record import json_of
from tsladder.audit.build import IN_ORDER, audit, open_subject
from tsladder.audit.subject import Subject
from tsladder.data.constant_columns import describe_constant_columns
from tsladder.places import Places
from tsladder.planning.planned_features import planned_features


def opened(places: Places) -> Subject:
    for name in ("inputs", "features", "splits", "plan"):
        verb(name)(places, params_of(places))
    return open_subject(places, read_plan(AuditPlan, places.audit_plan))


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    places = make_study(tmp_path_factory.mktemp("volumeless"), data__volume=False)
    synthetic_bars().drop(columns="Volume").to_parquet(places.bars("tiny"), index=False)
    return opened(places)


@pytest.mark.slow
@pytest.mark.parametrize("probe", IN_ORDER, ids=lambda probe: probe.__name__)
def test_every_probe_applies_to_a_series_without_volume_and_passes(subject: Subject, probe: object) -> None:
    finding = probe(subject)  # type: ignore[operator]
    assert finding.passed, finding.words
    assert finding.numbers.get("columns", 21) == 21


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Places:
    """A study of bars whose volume is 0 on every day."""
    places = make_study(tmp_path_factory.mktemp("still"))
    synthetic_bars().assign(Volume=0.0).to_parquet(places.bars("tiny"), index=False)
    opened(places)
    return places


@pytest.mark.slow
def test_columns_constant_over_training_are_a_note_and_no_failed_probe(still: Places) -> None:
    record = json_of(audit(open_subject(still, read_plan(AuditPlan, still.audit_plan))))
    (note,) = record["notes"]
    assert note["name"] == "constant_columns"
    assert note["columns"] == ["obv", "adosc", "volume"]
    assert note["words"] == describe_constant_columns(note["columns"], 25, "a25")
    assert record["outcome"] == "passed"


def test_a_plan_names_them_once_features_and_splits_are_there(still: Places, tmp_path: Path) -> None:
    params = params_of(still)
    assert planned_features(still, params, built=True).constant == ("obv", "adosc", "volume")
    assert planned_features(still, params, built=False).constant is None
    volumeless = params_of(make_study(tmp_path, data__volume=False))
    said = planned_features(Places(tmp_path, tmp_path), volumeless, built=False)
    assert said.to_json() == {"tier": "a25 without volume", "columns": 21, "constant_over_training": None}
    assert said.notes == ("data.volume is false: tier a25 without volume, 21 columns",)
