"""The record of the audit: its shape, its repeatability, and what it does when something is not there."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from tests.audit.conftest import DAYS
from tests.studies import make_study, params_of, prepare, verb

from tsladder.artifacts.audit import SERIES_PROBES
from tsladder.artifacts.plans import AuditPlan, read_plan
from tsladder.artifacts.record import text_of
from tsladder.audit.build import IN_ORDER, audit, open_subject
from tsladder.audit.finding import Finding
from tsladder.audit.subject import Subject
from tsladder.errors import WorkFailed
from tsladder.law.audit_record import whole_audit
from tsladder.places import Places
from tsladder.vocabulary import ProbeOutcome


@pytest.fixture(scope="module", params=[[1], [1, 3]], ids=["h1", "h1 and h3"])
def audited(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Places:
    """A study with its audit written by the stage."""
    study = make_study(tmp_path_factory.mktemp("recorded"), days=DAYS, horizons=request.param)
    prepare(study)
    verb("audit")(study, params_of(study))
    return study


@pytest.mark.slow
def test_a_clean_study_passes_all_seven_probes_in_their_order(audited: Places) -> None:
    assert whole_audit(audited.audit_record).passed
    record = json.loads(audited.audit_record.read_text())
    assert record["passed"] is True
    assert [probe["name"] for probe in record["probes"]] == list(SERIES_PROBES)
    assert all(probe["passed"] for probe in record["probes"])
    keys = {"name", "title", "passed", "outcome", "numbers", "words", "needs"}
    assert all(set(probe) == keys for probe in record["probes"])
    assert {probe["outcome"] for probe in record["probes"]} == {record["outcome"]} == {"passed"}
    assert all(probe["needs"] is None for probe in record["probes"])
    numbers = [value for probe in record["probes"] for value in probe["numbers"].values()]
    assert all(isinstance(value, int | float | str) for value in numbers)
    assert all(probe["words"].endswith(".") for probe in record["probes"])


@pytest.mark.slow
@pytest.mark.parametrize("probe", IN_ORDER, ids=lambda probe: probe.__name__)
def test_a_study_in_shuffled_blocks_under_revin_passes(in_blocks: Subject, probe: object) -> None:
    finding = probe(in_blocks)  # type: ignore[operator]
    assert finding.passed, finding.words


@pytest.mark.slow
def test_the_record_knows_no_path(audited: Places) -> None:
    assert str(audited.root) not in (audited.audit / "audit.json").read_text()


@pytest.mark.slow
def test_the_record_repeats_exactly(audited: Places) -> None:
    subject = open_subject(audited, read_plan(AuditPlan, audited.audit_plan))
    assert (audited.audit / "audit.json").read_text() == text_of(audit(subject))


def test_a_probe_of_another_name_is_refused() -> None:
    with pytest.raises(ValueError, match="'tea_leaves' is no probe"):
        Finding(name="tea_leaves", outcome=ProbeOutcome.PASSED, numbers={}, words="")


def test_only_an_inconclusive_probe_says_what_it_needs_and_no_such_one_leaves_it_out() -> None:
    for outcome, needs in ((ProbeOutcome.INCONCLUSIVE, None), (ProbeOutcome.FAILED, "more days")):
        with pytest.raises(ValueError, match="exactly an inconclusive probe says what it needs"):
            Finding(name="normalisation", outcome=outcome, numbers={}, words="", needs=needs)


def test_numbers_that_json_does_not_know_become_words() -> None:
    finding = Finding(
        name="normalisation", outcome=ProbeOutcome.FAILED, numbers={"a": float("inf"), "b": 1.5}, words=""
    )
    assert json.loads(text_of(finding.record()))["numbers"] == {"a": "inf", "b": 1.5}


def test_missing_splits_and_foreign_features_end_with_what_to_do(tmp_path: Path) -> None:
    places = make_study(tmp_path)
    prepare(places)
    plan = read_plan(AuditPlan, places.audit_plan)
    foreign = dataclasses.replace(plan, model=dataclasses.replace(plan.model, n_features=24))
    with pytest.raises(WorkFailed, match="25 columns"):
        open_subject(places, foreign)
    places.horizon_splits(1).unlink()
    with pytest.raises(WorkFailed, match="run `dvc repro splits` first"):
        open_subject(places, plan)
