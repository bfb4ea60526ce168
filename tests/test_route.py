"""The whole route on a miniature study that is unlike the default one in every choice that has two ways."""

from __future__ import annotations

import csv

import pandas as pd
import pytest

from tests.studies import make_study, params_of, prepare, stage, verb
from tsladder.artifacts.audit import SERIES_PROBES, AuditRecord, ProbeFinding, write_audit
from tsladder.artifacts.plans import EvaluatePlan, SearchPlan, TrainPlan, read_planned
from tsladder.artifacts.store import read_json, write_json
from tsladder.errors import WorkFailed
from tsladder.law.build import fit_law
from tsladder.places import Places
from tsladder.stage import exit_code
from tsladder.tracking import MemoryTracker
from tsladder.vocabulary import Cell

pytestmark = pytest.mark.slow

CELL = Cell("12k", 2)
SEEDS = 3


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Places:
    places = make_study(
        tmp_path_factory.mktemp("route"),
        horizons=[2],
        data__tier="a20",
        data__ohlcv=False,
        target__task="direction",
        windows__normalisation="revin",
        splits__kind="chunks",
        splits__block_days=60,
        search__trials=3,
        train__seeds=SEEDS,
        training__precision="bf16-mixed",
        training__loss="soft_auc",
        training__monitor="val_auc",
        training__schedule="constant",
        training__max_gradient_norm=None,
    )
    prepare(places)
    plans = (
        ("hpo", read_planned(SearchPlan, places.search_plan(CELL))),
        ("train", read_planned(TrainPlan, places.train_plan(CELL))),
        ("evaluate", read_planned(EvaluatePlan, places.evaluate_plan(CELL))),
    )
    for name, plan in plans:
        verb(name)(places, params_of(places), CELL, plan)
        stage(places, name, "--cell", "30k-h2")
    # Its audit is run in tests/audit/test_record.py.
    seen = "Nothing was seen."
    probes = [
        ProbeFinding(name=name, title=title, passed=True, numbers={"windows": 36}, words=seen)
        for name, title in SERIES_PROBES.items()
    ]
    write_audit(places.audit_record, AuditRecord(passed=True, probes=tuple(probes)))
    for name in ("fit", "report"):
        verb(name)(places, params_of(places))
    return places


def test_every_seed_is_trained_and_every_test_day_scored_by_each(study: Places) -> None:
    counts = read_json(study.horizon_splits(2))["counts"]
    frame = pd.read_parquet(study.scores(CELL) / "predictions.parquet")
    for region in ("validation", "test"):
        part = frame[frame["region"] == region]
        for seed in range(1, SEEDS + 1):
            assert len(part[part["model"] == f"seed-{seed}"]) == counts[region]["windows"]
        labels = part.drop_duplicates("date")["label"]
        assert labels.sum() == counts[region]["positives"]


def test_results_carry_the_measured_size_and_the_positive_rate(study: Places) -> None:
    choice, scores = read_json(study.choice(CELL)), read_json(study.scores(CELL) / "scores.json")
    training = read_json(study.models(CELL) / "seed-1" / "training.json")
    assert training["n_params"] == choice["n_params"] == scores["n_params"]
    counts = read_json(study.horizon_splits(2))["counts"]
    assert scores["regions"]["test"]["base_rate"] == pytest.approx(counts["test"]["base_rate"])
    assert scores["regions"]["test"]["base_rate_loss"] > 0


def test_one_rung_gives_no_exponent(study: Places) -> None:
    law = read_json(study.law / "scaling.json")
    assert law["horizons"]["2"]["verdict"] == "too_few_rungs"
    assert law["horizons"]["2"]["fits"]["power"] is None
    assert (study.law / "scaling.png").stat().st_size > 10_000


def test_a_loss_that_bends_probabilities_is_warned_of_in_law_and_report(study: Places) -> None:
    (warning,) = read_json(study.law / "scaling.json")["horizons"]["2"]["warnings"]
    assert "trained on soft_auc" in warning
    assert "set search.objective to val_auc" in warning
    assert f"Warning: {warning}." in (study.report / "report.md").read_text("utf-8")
    # The loss that is reported is none that was trained on: what a constant costs is its scale.
    training = read_json(study.models(CELL) / "seed-1" / "training.json")
    assert 0.3 < training["best_val_loss"] < 2.0


def test_the_law_carries_the_audit_and_a_failed_probe_makes_every_verdict_invalid(study: Places) -> None:
    path = study.audit / "audit.json"
    audit = read_json(path)
    assert read_json(study.law / "scaling.json")["audit"] == audit
    broken = audit | {"passed": False, "probes": [dict(probe) for probe in audit["probes"]]}
    broken["probes"][4] |= {"passed": False, "words": "Windows of different regions meet."}
    write_json(path, broken)
    fit_law(study, params_of(study), MemoryTracker())
    law = read_json(study.law / "scaling.json")
    write_json(path, audit)
    fit_law(study, params_of(study), MemoryTracker())
    assert [horizon["verdict"] for horizon in law["horizons"].values()] == ["invalid"]
    assert "shared_days: Windows of different regions meet" in law["horizons"]["2"]["reason"]
    assert law["audit"] == broken


def test_without_the_audit_there_is_no_law(study: Places) -> None:
    path = study.audit / "audit.json"
    text = path.read_text()
    path.unlink()
    with pytest.raises(WorkFailed, match=r"audit\.json is missing"):
        fit_law(study, params_of(study), MemoryTracker())
    path.write_text(text[: len(text) // 2])
    with pytest.raises(WorkFailed, match=r"audit\.json is damaged"):
        fit_law(study, params_of(study), MemoryTracker())
    path.write_text(text)


def test_the_table_has_one_row_a_planned_cell_in_the_known_columns(study: Places) -> None:
    with (study.report / "experiment_results.csv").open(newline="") as stream:
        rows = list(csv.reader(stream))
    assert ",".join(rows[0]).startswith(
        "experiment,phase,budget,task,horizon,timescale,script_path,run_type,status,d_model,n_layers,n_heads,d_ff,"
        "param_count,val_loss,hyperparameters,duration_seconds,timestamp"
    )
    assert len(rows) == 2
    row = dict(zip(*rows, strict=True))
    assert (row["run_type"], row["status"], row["horizon"]) == ("hpo", "success", "2")


def test_training_again_after_a_loss_trains_only_the_lost_seed(study: Places) -> None:
    (folder,) = study.studies.glob(f"{CELL}-train-*")
    before = {seed: read_json(folder / f"seed-{seed}" / "outcome.json") for seed in range(1, SEEDS + 1)}
    weights = (study.models(CELL) / "seed-2" / "model.safetensors").read_bytes()
    for path in (folder / "seed-2").iterdir():
        path.unlink()
    verb("train")(study, params_of(study), CELL, read_planned(TrainPlan, study.train_plan(CELL)))
    after = {seed: read_json(folder / f"seed-{seed}" / "outcome.json") for seed in range(1, SEEDS + 1)}
    assert (after[1], after[3]) == (before[1], before[3])
    assert after[2]["seconds"] != before[2]["seconds"]
    assert (study.models(CELL) / "seed-2" / "model.safetensors").read_bytes() == weights


def test_damaged_weights_are_named_and_not_scored(study: Places, capsys: pytest.CaptureFixture[str]) -> None:
    path = study.models(CELL) / "seed-1" / "model.safetensors"
    good = path.read_bytes()
    path.unlink()
    path.write_bytes(good[: len(good) // 2])
    plan = read_planned(EvaluatePlan, study.evaluate_plan(CELL))
    code = exit_code(lambda: verb("evaluate")(study, params_of(study), CELL, plan))
    path.write_bytes(good)
    assert code == 1
    assert "seed-1" in capsys.readouterr().err
