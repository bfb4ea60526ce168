"""The record of a panel study's audit: which probes are in it, and that it repeats exactly."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.audit.panel.conftest import audited, question
from tests.panel.made_up import made_up

from tsladder.artifacts.audit import PANEL_PROBES, write_audit
from tsladder.artifacts.record import text_of
from tsladder.audit.panel.build import IN_ORDER, audit_panel, notes
from tsladder.audit.panel.days import days_and_label_reach
from tsladder.audit.panel.entry import entry_lag
from tsladder.audit.panel.learner import BASELINES
from tsladder.audit.panel.rescaled import rescaled_history
from tsladder.audit.panel.subject import PanelSubject, panel_subject
from tsladder.errors import WorkFailed
from tsladder.law.audit_record import whole_audit
from tsladder.panel.panel import Panel
from tsladder.params.panel_sections import RankTargetParams
from tsladder.ranking.baselines import NO_ORDER, fit_baselines
from tsladder.vocabulary import ProbeOutcome


@pytest.fixture(scope="module")
def record_text(whole: PanelSubject) -> str:
    return text_of(audit_panel(whole))


def test_a_clean_panel_study_passes_all_ten_probes_in_their_order(record_text: str) -> None:
    record = json.loads(record_text)
    assert [probe["name"] for probe in record["probes"]] == list(PANEL_PROBES)
    assert {probe["outcome"] for probe in record["probes"]} == {record["outcome"]} == {"passed"}, record_text
    assert all(probe["needs"] is None and probe["words"].endswith(".") for probe in record["probes"])
    assert record["notes"] == []


@pytest.mark.slow
def test_another_audit_of_the_same_study_gives_the_same_bytes(whole: PanelSubject, record_text: str) -> None:
    assert text_of(audit_panel(dataclasses.replace(whole))) == record_text


def test_the_law_reads_it_as_a_whole_audit(record_text: str, tmp_path: Path) -> None:
    path = tmp_path / "audit.json"
    path.write_text(record_text)
    assert whole_audit(path).passed
    short = json.loads(record_text)
    short["probes"].pop()
    path.write_text(json.dumps(short))
    with pytest.raises(WorkFailed, match="no whole audit"):
        whole_audit(path)


@pytest.mark.parametrize("kind", [pytest.param("folded", marks=pytest.mark.slow), "walking"])
def test_studies_in_purged_folds_and_in_a_walk_forward_pass(kind: str, request: pytest.FixtureRequest) -> None:
    study: PanelSubject = request.getfixturevalue(kind)
    ended = {finding.name: finding for finding in (probe(study) for probe in IN_ORDER)}
    assert not [finding.words for finding in ended.values() if finding.outcome is ProbeOutcome.FAILED]
    assert ended["days_and_label_reach"].passed
    assert ended["days_and_label_reach"].numbers["embargo_sessions"] == 7


@pytest.mark.parametrize(
    "target",
    [
        RankTargetParams(entry_lag=0, same_close=True),
        RankTargetParams(entry_lag=3),
        RankTargetParams(delisting_return=-0.3),
    ],
)
def test_labels_of_any_lag_and_rule_of_delisting_pass(target: RankTargetParams) -> None:
    params = dataclasses.replace(question((2, 5)), target=target)
    study = audited(made_up(500, 12), params)
    for probe in (days_and_label_reach, entry_lag, rescaled_history):
        finding = probe(study)
        assert finding.passed, finding.words


@pytest.mark.slow
def test_a_study_with_every_column_and_rule_passes() -> None:
    params = question((2,), tier="o33")
    universe = dataclasses.replace(params.universe, min_price=1.0, top=12)
    study = audited(made_up(900, 18, seed=3), dataclasses.replace(params, universe=universe))
    record = audit_panel(study)
    assert not [probe.words for probe in record.probes if probe.ended is ProbeOutcome.FAILED]


def test_a_column_that_never_varies_over_training_is_a_note(whole: PanelSubject) -> None:
    inputs = whole.inputs
    x_TSF = inputs.inputs.x_TSF.copy()
    x_TSF[..., 3] = 0.0
    flat = dataclasses.replace(inputs, inputs=dataclasses.replace(inputs.inputs, x_TSF=x_TSF))
    study = dataclasses.replace(whole, pipeline=dataclasses.replace(whole.pipeline, inputs=lambda _panel: flat))
    (note,) = notes(study)
    assert note.columns == ("vol_21",)
    assert note.words.startswith("1 of 9 columns is constant")


def test_learners_score_as_the_baselines_of_the_study_do(whole: PanelSubject) -> None:
    days, table = whole.fit_days, whole.data.table
    known = fit_baselines(table, train_D=days.train_T, history_D=days.history_T)
    assert {learner.name for learner in BASELINES} == set(known) - {NO_ORDER}
    asked_TS = table.member_DS & whole.scored_T[:, None]
    for name, score_TS in whole.scores.items():
        # A product of matrices is rounded otherwise where it has other rows.
        assert score_TS[asked_TS] == pytest.approx(known[name][asked_TS], abs=1e-12), name
        assert np.isnan(score_TS[~asked_TS]).all()


def test_splits_of_other_horizons_are_refused(whole: PanelSubject) -> None:
    with pytest.raises(WorkFailed, match=r"horizons 1, 3, and params.yaml asks for 1, 5: run `dvc repro splits`"):
        panel_subject(whole.panel, question((1, 5)), whole.splits)


@pytest.mark.slow
def test_nyse36_passes(bundled: Callable[[str], Panel], tmp_path: Path) -> None:
    params = question((1,), context=60)
    dates = {"validation_start": dt.date(1978, 1, 1), "test_start": dt.date(1981, 1, 1)}
    params = dataclasses.replace(
        params,
        universe=dataclasses.replace(params.universe, min_history=252, min_stocks=10),
        splits=dataclasses.replace(params.splits, **dates),
    )
    record = audit_panel(audited(bundled("nyse36"), params))
    assert record.ended is ProbeOutcome.PASSED, [probe.words for probe in record.probes]
    planted = record.probes[4].numbers
    # Validation's RankIC of the ridge regression, and how much the planted column adds.
    assert planted["own_rank_ic"] == pytest.approx(0.042, abs=0.002)
    assert float(planted["planted_rank_ic"]) > 0.99
    write_audit(tmp_path / "audit.json", record)
    assert whole_audit(tmp_path / "audit.json") == record
