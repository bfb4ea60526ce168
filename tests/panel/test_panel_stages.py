"""The stages of a panel study: what each leaves in its files, and what it refuses."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.panel.made_up import made_up
from tests.panel_studies import make_panel_study

import tsladder
from tsladder.artifacts.baselines import read_baselines
from tsladder.artifacts.panel_features import read_panel_features
from tsladder.artifacts.panel_splits import read_panel_splits
from tsladder.artifacts.ranking_scores import OWN_STATIC_ORDER
from tsladder.artifacts.record import json_of
from tsladder.artifacts.store import digest
from tsladder.data.splits import Splits
from tsladder.errors import BadInput, WorkFailed
from tsladder.panel.baseline_files import score_panel_baselines
from tsladder.panel.baseline_runs import study_key
from tsladder.panel.build import build_panel_features
from tsladder.panel.file import read_panel
from tsladder.panel.split_files import build_panel_splits
from tsladder.params import load_panel_params
from tsladder.places import Places
from tsladder.tracking import MemoryTracker
from tsladder.vocabulary import Region

HORIZONS = (1, 5)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Places, MemoryTracker]:
    places = make_panel_study(tmp_path_factory.mktemp("panel"), horizons=list(HORIZONS))
    params = load_panel_params(places.params)
    tracker = MemoryTracker()
    build_panel_features(places, params)
    build_panel_splits(places, params)
    score_panel_baselines(places, params, tracker=tracker)
    return places, tracker


def test_the_features_record_names_columns_members_and_how_stocks_were_chosen(
    built: tuple[Places, MemoryTracker],
) -> None:
    places, _ = built
    features = read_panel_features(places.features_manifest)
    assert (features.panel, features.tier, len(features.columns)) == ("made_up", "s9", 9)
    assert features.universe == "point_in_time"
    assert features.members.least >= 5
    assert features.members.most <= features.symbols == 14


def test_the_splits_of_a_horizon_leave_room_for_its_span(built: tuple[Places, MemoryTracker]) -> None:
    places, _ = built
    for horizon in HORIZONS:
        stored = read_panel_splits(places.horizon_splits(horizon))
        assert stored.days.horizon == 1 + horizon
        splits = Splits.of_days(stored.days)
        assert splits.train.segments[-1].last < splits.validation.segments[0].first
        assert all(stored.counts[region].samples > 0 for region in Region)


def test_every_baseline_is_scored_on_the_same_days_and_the_best_constant_is_named(
    built: tuple[Places, MemoryTracker],
) -> None:
    places, _ = built
    for horizon in HORIZONS:
        scores = read_baselines(places.baseline_scores(horizon))
        test = scores.regions[Region.TEST]
        assert {"no_order", "static_order", "ridge", "boosted_trees", OWN_STATIC_ORDER} <= set(test.baselines)
        assert test.baselines["no_order"].rank_error == 1.0
        assert test.stricter in ("no_order", "static_order")
        predictions = pd.read_parquet(places.baseline_predictions(horizon))
        of_test = predictions[predictions["region"] == "test"]
        assert of_test.groupby("model")["date"].count().nunique() == 1
        for name, one in test.baselines.items():
            daily = of_test[of_test["model"] == name]["rank_error"]
            assert len(daily) == test.windows
            assert one.rank_error == pytest.approx(daily.mean(), abs=1e-12)
        assert scores.train_labels > scores.train_days


def test_figures_can_be_computed_again_from_the_scores_by_stock(built: tuple[Places, MemoryTracker]) -> None:
    places, _ = built
    table = pd.read_parquet(places.scores_by_stock(1))
    predictions = pd.read_parquet(places.baseline_predictions(1))
    ridge = table[(table["model"] == "ridge") & table["return"].notna()]
    again = ridge.groupby("date", observed=True)[["score", "return"]].apply(
        lambda day: day["score"].rank().corr(day["return"].rank())
    )
    stored = predictions[predictions["model"] == "ridge"].set_index("date")["rank_ic"]
    np.testing.assert_allclose(again.loc[stored.index].to_numpy(), stored.to_numpy(), atol=1e-9)


def test_runs_say_how_the_stocks_were_chosen(built: tuple[Places, MemoryTracker]) -> None:
    _, tracker = built
    runs = tracker.runs()
    names = {run.name for run in runs}
    assert {"baselines-h1", "baselines-h5", "baselines-h1/ridge", "baselines-h5/static_order"} <= names
    assert all(run.tags["universe"] == "point_in_time" and run.tags["bias"] for run in runs)
    ridge = next(run for run in runs if run.name == "baselines-h1/ridge")
    assert {"test_rank_ic", "validation_rank_ic", "test_sharpe_net", "test_icir_h1"} <= set(ridge.metrics)


def test_another_question_about_the_same_features_has_another_key(built: tuple[Places, MemoryTracker]) -> None:
    places, _ = built
    params, features = load_panel_params(places.params), read_panel_features(places.features_manifest)
    other = load_panel_params(places.params, ("evaluation.cost_bps=1.0",))
    named = load_panel_params(places.params, ("study.name=other", "study.phase=again"))
    assert study_key(params, features) == study_key(named, features) != study_key(other, features)


def test_the_hardware_is_no_part_of_the_identity_and_a_default_one_leaves_the_key_that_it_had_part_in(
    built: tuple[Places, MemoryTracker],
) -> None:
    places, _ = built
    features = read_panel_features(places.features_manifest)
    unset = ("hardware.device=auto", "hardware.workers=auto", "hardware.lag=auto", "hardware.memory_gib=null")
    params = load_panel_params(places.params, unset)
    elsewhere = ("hardware.device=cpu", "hardware.workers=3", "hardware.lag=4", "hardware.memory_gib=2.5")
    assert study_key(load_panel_params(places.params, elsewhere), features) == study_key(params, features)
    question = {name: section for name, section in json_of(params).items() if name != "study"}
    with_hardware = question | {"hardware": {"device": "auto", "workers": "auto", "memory_gib": None}}
    assert study_key(params, features) == digest("panel", with_hardware, params.study.seed, features.fingerprint)


def test_a_second_run_leaves_the_same_bytes(built: tuple[Places, MemoryTracker], tmp_path: Path) -> None:
    places, _ = built
    again = make_panel_study(tmp_path, horizons=list(HORIZONS))
    params = load_panel_params(again.params)
    build_panel_features(again, params)
    build_panel_splits(again, params)
    score_panel_baselines(again, params)
    files = [path.relative_to(places.artifacts) for path in places.artifacts.rglob("*") if path.is_file()]
    assert len(files) == 1 + 2 + 6
    for file in files:
        assert (places.artifacts / file).read_bytes() == (again.artifacts / file).read_bytes(), file


def test_prices_that_changed_since_the_features_were_recorded_are_not_scored(tmp_path: Path) -> None:
    places = make_panel_study(tmp_path)
    params = load_panel_params(places.params)
    build_panel_features(places, params)
    other = make_panel_study(tmp_path / "other", made_up(days=700, seed=9))
    (places.home / "data" / "made_up.parquet").write_bytes(other.bars("made_up").read_bytes())
    with pytest.raises(WorkFailed, match="run `dvc repro`"):
        build_panel_splits(places, params)
    assert not places.splits.exists()


def test_regions_with_too_few_days_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    places = make_panel_study(tmp_path, splits__min_days=250)
    params = load_panel_params(places.params)
    build_panel_features(places, params)
    with pytest.raises(BadInput, match="too few days to judge a ranking") as caught:
        build_panel_splits(places, params)
    assert any("test needs 250 days" in fault for fault in caught.value.faults)
    assert not places.splits.exists()


def test_purged_folds_are_cut_counted_and_scored_on_the_last(tmp_path: Path) -> None:
    places = make_panel_study(tmp_path, splits__kind="purged_kfold", splits__folds=3, splits__embargo_days=5)
    params = load_panel_params(places.params)
    build_panel_features(places, params)
    build_panel_splits(places, params)
    stored = read_panel_splits(places.horizon_splits(1))
    assert len(stored.folds) == 3
    assert stored.folds[-1][Region.VALIDATION] == stored.counts[Region.VALIDATION]
    score_panel_baselines(places, params)
    assert read_baselines(places.baseline_scores(1)).regions[Region.TEST].windows == stored.counts[Region.TEST].samples


def test_a_panel_that_is_not_there_is_named_with_what_to_run(tmp_path: Path) -> None:
    places = make_panel_study(tmp_path, data__panel="elsewhere")
    with pytest.raises(BadInput, match=r"elsewhere.parquet does not exist: .*--panel elsewhere"):
        build_panel_features(places, load_panel_params(places.params))


def test_the_manifest_in_the_file_and_the_record_agree(built: tuple[Places, MemoryTracker]) -> None:
    places, _ = built
    origin = read_panel(places.bars("made_up")).manifest.origin
    features = read_panel_features(places.features_manifest)
    assert dataclasses.asdict(origin)["bias"] == features.bias
    assert (origin.universe.value, origin.returns.value) == (features.universe, features.returns)


def test_a_notebook_reads_the_study_into_frames(built: tuple[Places, MemoryTracker]) -> None:
    places, _ = built
    study = tsladder.load_panel_study(places.root)
    assert study.params.data.panel == "made_up"
    scores = read_baselines(places.baseline_scores(5)).regions[Region.TEST]
    row = study.baselines.set_index(["horizon", "region", "baseline"]).loc[(5, "test", "ridge")]
    assert row["rank_ic"] == pytest.approx(scores.baselines["ridge"].rank_ic, abs=1e-12)
    assert row["rank_ic_low"] < row["rank_ic"] < row["rank_ic_high"]
    daily = study.daily.query("horizon == 5 and region == 'test' and model == 'ridge'")
    assert daily["rank_ic"].mean() == pytest.approx(row["rank_ic"], abs=1e-12)
    assert set(study.by_stock["horizon"]) == set(HORIZONS)
    assert study.audit is None
    with pytest.raises(BadInput, match="not the folder of a panel study"):
        tsladder.load_panel_study(places.home / "nowhere")
