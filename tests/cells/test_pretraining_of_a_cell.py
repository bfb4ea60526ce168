"""Pretraining of a cell: what is trained and what is not trained again, what is compared, and what is refused."""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from tests import warm_python
from tests.execution.here import HereCrews, Killed
from tests.panel_studies import make_panel_study, panel_params_of, prepare_panel
from tests.studies import stage, start_stage

from tsladder.artifacts.choice import Choice, read_winner, write_choice
from tsladder.artifacts.ending import Ending
from tsladder.artifacts.models import ModelsStatus, write_models_status
from tsladder.artifacts.plans import PretrainPlan, TrainPlan, phases_in, read_planned
from tsladder.artifacts.pretraining import Pretraining, read_pretraining
from tsladder.artifacts.seeds import read_seed
from tsladder.artifacts.store import read_json
from tsladder.artifacts.trained_model import read_trained_model
from tsladder.cells import forecasting as forecasts
from tsladder.cells import pretraining
from tsladder.cells.pretraining import pretrain_winner
from tsladder.cells.retrain import train_winner
from tsladder.cells.work import CellWork, open_cell
from tsladder.errors import WorkFailed
from tsladder.places import Places
from tsladder.planning.endings import AS_PLANNED
from tsladder.tracking import MemoryTracker
from tsladder.training import pretraining as masked_patches
from tsladder.training.outcome import Job
from tsladder.vocabulary import Cell, CellStatus

CELL = Cell("12k", 1)
SEEDS, EPOCHS = 2, 3
LEAVES: dict[str, Any] = {
    "budget": "12k",
    "ladder": ["12k"],
    "windows__context_length": 20,
    "model__patch_len": 5,
    "search__pretraining": {"epochs": 2},
    "search__presets__panel_quick__space__epochs": {"choices": [EPOCHS]},
    "training__train_every": 6,
    "train__seeds": SEEDS,
    "hardware__device": "cpu",
}
STARTS = ("from-scratch-3-epochs", "from-encoder-3-epochs", "from-scratch-2-epochs", "from-encoder-2-epochs")


@pytest.fixture(autouse=True, scope="module")
def in_this_process() -> Iterator[None]:
    """Forecasts without a worker; one thread, as a worker sets it."""

    @contextmanager
    def here(seeds: forecasts.TrainedSeeds, scored: Mapping[Any, Any]) -> Iterator[Future[Any]]:
        found: Future[Any] = Future()
        found.set_result(forecasts._forecast(seeds, scored))
        yield found

    before = torch.get_num_threads()
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(pretraining, "forecasting", here)
        yield
    torch.set_num_threads(before)


def searched(folder: Path, **leaves: Any) -> Places:
    """A study whose search has chosen a small model."""
    places = make_panel_study(folder, **(LEAVES | leaves))
    prepare_panel(places)
    sizes = {"d_model": 8, "n_layers": 2, "n_heads": 2, "d_ff": 16, "patch_len": 5, "stride": 5}
    choice = Choice(
        cell=str(CELL),
        budget=CELL.budget,
        horizon=CELL.horizon,
        architecture=sizes,
        settings={
            "learning_rate": 3e-3,
            "weight_decay": 1e-3,
            "dropout": 0.1,
            "warmup_steps": 2,
            "epochs": EPOCHS,
        },
        n_params=12_000,
        n_params_blocks=9_000,
        n_params_body=10_000,
        off_budget=False,
    )
    write_choice(places.choice(CELL), choice)
    return places


def work_on(places: Places, crews: HereCrews) -> CellWork:
    plan = read_planned(TrainPlan, places.train_plan(CELL))
    return open_cell(places, panel_params_of(places), CELL, plan, crews=crews)


def train(places: Places, crews: HereCrews) -> None:
    train_winner(work_on(places, crews), read_winner(places.choice(CELL)), MemoryTracker())


def pretrain(places: Places, crews: HereCrews, tracker: MemoryTracker | None = None) -> None:
    plan = read_planned(PretrainPlan, places.pretrain_plan(CELL))
    pretrain_winner(work_on(places, crews), plan, read_winner(places.choice(CELL)), tracker or MemoryTracker())


@dataclasses.dataclass(frozen=True)
class Finished:
    places: Places
    crews: HereCrews
    tracker: MemoryTracker

    @property
    def record(self) -> Pretraining:
        found = read_pretraining(self.places.pretraining_record(CELL))
        assert isinstance(found, Pretraining)
        return found


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    places = searched(tmp_path_factory.mktemp("pretraining"))
    train(places, HereCrews())
    done = Finished(places, HereCrews(), MemoryTracker())
    pretrain(places, done.crews, done.tracker)
    return done


@pytest.fixture
def copied(finished: Finished, tmp_path: Path) -> Places:
    """The finished study, in a folder of its own."""
    shutil.copytree(finished.places.project, tmp_path / "study")
    folder = tmp_path / "study"
    return Places(folder / finished.places.root.name, folder)


def live(places: Places) -> Path:
    (folder,) = places.studies.glob(f"{CELL}-pretrain-*")
    return folder


# --------------------------------------------------------------------------- what is trained


def test_one_encoder_and_three_starts_are_trained_and_the_seeds_of_the_cell_are_taken_over(finished: Finished) -> None:
    encoder, *others = finished.crews.trained
    assert encoder.mask == 0.4
    assert (encoder.settings.epochs, encoder.recipe.patience, encoder.initial_weights) == (2, None, None)
    assert [(job.initial_weights is not None, job.settings.epochs) for job in others] == [
        *[(True, 3)] * SEEDS,
        *[(False, 2)] * SEEDS,
        *[(True, 2)] * SEEDS,
    ]
    own = [read_json(path) for path in sorted(finished.places.models(CELL).glob("seed-*/training.json"))]
    assert [record["seed"] for record in own] == [job.seed for job in others[:SEEDS]]
    assert {job.mask for job in others} == {None}


def test_all_starts_have_the_seeds_of_the_cell_and_the_same_share_of_warm_up(finished: Finished) -> None:
    _, *others = finished.crews.trained
    seeds = [job.seed for job in others]
    assert seeds[:SEEDS] * 3 == seeds
    assert {(job.settings.epochs, job.settings.warmup_steps) for job in others} == {(3, 2), (2, 1)}


def test_a_training_from_the_encoder_begins_with_the_weights_that_are_kept_among_the_outputs(
    finished: Finished,
) -> None:
    kept = finished.places.pretrained_encoder(CELL) / "model.safetensors"
    folders = {job.initial_weights for job in finished.crews.trained if job.initial_weights is not None}
    (folder,) = folders
    assert kept.read_bytes() == (Path(folder) / "model.safetensors").read_bytes()


def test_a_second_start_trains_nothing_and_writes_the_same(copied: Places) -> None:
    before = copied.pretraining_record(CELL).read_bytes()
    crews = HereCrews()
    pretrain(copied, crews)
    assert crews.trained == []
    assert copied.pretraining_record(CELL).read_bytes() == before


@pytest.mark.parametrize("ended", [1, *(pytest.param(count, marks=pytest.mark.slow) for count in (0, 2, 4))])
def test_a_start_after_a_kill_trains_what_had_not_ended_and_comes_to_the_same_end(
    finished: Finished, copied: Places, ended: int
) -> None:
    shutil.rmtree(live(copied))
    shutil.rmtree(copied.pretrain(CELL))
    before, after = HereCrews(kill_after=ended), HereCrews()
    with pytest.raises(Killed):
        pretrain(copied, before)
    assert not copied.pretraining_record(CELL).exists()
    pretrain(copied, after)
    assert len(before.trained) == ended
    assert len(after.trained) == len(finished.crews.trained) - ended
    found, undisturbed = (read_json(each.pretraining_record(CELL)) for each in (copied, finished.places))
    assert found["comparisons"] == undisturbed["comparisons"]


def test_one_more_seed_trains_that_seed_alone(copied: Places) -> None:
    params = copied.params.read_text().replace(f"seeds: {SEEDS}", f"seeds: {SEEDS + 1}")
    copied.params.write_text(params)
    prepare_panel(copied)
    train(copied, HereCrews())
    crews = HereCrews()
    pretrain(copied, crews)
    assert len(crews.trained) == len(STARTS) - 1
    assert {job.mask for job in crews.trained} == {None}
    record = read_pretraining(copied.pretraining_record(CELL))
    assert isinstance(record, Pretraining)
    assert {one.seeds for one in record.comparisons} == {(1, 2, 3)}


def test_another_mask_pretrains_and_trains_from_the_encoder_anew(copied: Places) -> None:
    copied.params.write_text(copied.params.read_text().replace("    epochs: 2\n", "    epochs: 2\n    mask: 0.7\n"))
    prepare_panel(copied)
    crews = HereCrews(kill_after=1)
    with pytest.raises(Killed):
        pretrain(copied, crews)
    assert [job.mask for job in crews.trained] == [0.7]


def test_an_encoder_that_runs_out_of_memory_is_trained_again_under_a_smaller_plan(
    finished: Finished, copied: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(live(copied))
    trained = masked_patches.pretrain

    def with_little_memory(job: Job, *others: Any) -> Any:
        if job.plan.micro_batch > 8:
            raise MemoryError("made up")
        return trained(job, *others)

    monkeypatch.setattr(masked_patches, "pretrain", with_little_memory)
    with pytest.raises(Killed):
        pretrain(copied, HereCrews(kill_after=1))
    (path,) = live(copied).glob("encoder/seed-1/outcome.json")
    outcome = read_seed(path)
    assert (outcome.retries, outcome.plan.micro_batch) == (2, 8)
    loss = read_trained_model(path.with_name("training.json")).best_val_loss
    assert loss == pytest.approx(finished.record.encoder.loss, rel=1e-3)


# --------------------------------------------------------------------------- what is compared


def test_the_difference_is_that_of_the_mean_losses_on_the_same_test_days(finished: Finished) -> None:
    table = pd.read_parquet(finished.places.pretraining_predictions(CELL))
    assert set(table["region"]) == {"test"}
    assert [one.epochs for one in finished.record.comparisons] == [3, 2]
    for one in finished.record.comparisons:
        of_epochs = table[table["epochs"] == one.epochs]
        means = of_epochs.groupby("start")["rank_error"].mean()
        assert one.from_encoder == pytest.approx(means["encoder"])
        assert one.from_scratch == pytest.approx(means["scratch"])
        assert one.difference == pytest.approx(means["scratch"] - means["encoder"])
        assert one.low <= one.difference <= one.high
        assert one.verdict == ("helps" if one.low > 0 else "harms" if one.high < 0 else "undecided")
        days = {(start, model): tuple(own["date"]) for (start, model), own in of_epochs.groupby(["start", "model"])}
        assert len(days) == 2 * SEEDS
        assert len(set(days.values())) == 1
        assert one.days == len(next(iter(days.values())))
    assert [one.share for one in finished.record.comparisons] == pytest.approx([1.0, 2 / 3])


def test_the_losses_from_scratch_at_all_epochs_are_those_of_the_models_of_the_cell(finished: Finished) -> None:
    """The oracle ranks the test days by the models that the stage `train` has left."""
    from tsladder.models.build import build
    from tsladder.training.checkpoint import load_weights
    from tsladder.training.feed import feed_of
    from tsladder.training.trainer import predict_logits

    work = work_on(finished.places, HereCrews())
    test = work.panel.test
    model = build(work.spec(read_winner(finished.places.choice(CELL)).architecture), dropout=0.0)
    load_weights(finished.places.models(CELL) / "seed-1", model)
    score_NS = predict_logits(model, feed_of(test, torch.device("cpu"), work.recipe))[..., 0].double().numpy()
    table = pd.read_parquet(finished.places.pretraining_predictions(CELL))
    own = table[(table["start"] == "scratch") & (table["epochs"] == EPOCHS) & (table["model"] == "seed-1")]
    found = dict(zip(own["date"].to_numpy().astype("datetime64[D]"), own["rank_error"], strict=True))
    y_NS = test.days.cube.y_TSM[test.days.rows_N][..., 0].astype(np.float64)
    for place, date in enumerate(test.dates_N.astype("datetime64[D]")):
        judged_S = test.days.member_NS[place] & np.isfinite(y_NS[place])
        expected = 1.0 - pd.Series(score_NS[place][judged_S]).corr(pd.Series(y_NS[place][judged_S]), method="spearman")
        assert found[date] == pytest.approx(expected, abs=1e-5)


def test_the_record_says_what_the_encoder_was_trained_on(finished: Finished) -> None:
    encoder, days = finished.record.encoder, work_on(finished.places, HereCrews()).panel.train.dates_N
    assert (encoder.epochs, encoder.mask, encoder.days) == (2, 0.4, len(days))
    assert (encoder.first_day, encoder.last_day) == (str(days[0].astype("M8[D]")), str(days[-1].astype("M8[D]")))
    assert 0.0 < encoder.loss < 2.0
    assert encoder.architecture["d_model"] == 8


def test_runs_lie_below_the_run_of_the_cell(finished: Finished) -> None:
    runs = {run.name: run for run in finished.tracker.runs()}
    parent = runs[str(CELL)]
    below = {name for name, run in runs.items() if run.parent_id == parent.run_id}
    assert below == {
        f"{CELL}/for-pretraining/encoder-1",
        *(f"{CELL}/{start}/seed-{seed}" for start in STARTS[1:] for seed in (1, 2)),
        f"{CELL}/pretraining",
    }
    assert runs[f"{CELL}/pretraining"].metrics["difference_at_3_epochs"] == pytest.approx(
        finished.record.comparisons[0].difference
    )


@pytest.mark.slow
def test_phases_are_shortened_with_the_training_and_the_encoder_is_trained_without_them(tmp_path: Path) -> None:
    """The family whose normalisations the phases switch, with one seed, whose spread is unknown."""
    phases = [
        {"name": "plain", "epochs": 1, "active": "none"},
        {"name": "normalised", "epochs": 2, "active": ["fan", "san"]},
    ]
    leaves = {"model__family": "atft_gat_fan", "model__days": 10, "training__phases": phases, "train__seeds": 1}
    places = searched(tmp_path, **leaves)
    train(places, HereCrews())
    crews = HereCrews()
    pretrain(places, crews)
    encoder, *others = crews.trained
    assert phases_in(encoder.recipe) == ()
    assert [[phase.epochs for phase in phases_in(job.recipe)] for job in others] == [[1, 2], [1, 1], [1, 1]]
    record = read_pretraining(places.pretraining_record(CELL))
    assert isinstance(record, Pretraining)
    assert [one.epochs for one in record.comparisons] == [3, 2]
    assert all("one seed" in (one.note or "") for one in record.comparisons)


# --------------------------------------------------------------------------- what is refused, and how it ends


def test_a_planted_training_day_of_the_test_region_is_refused_and_nothing_is_trained(copied: Places) -> None:
    shutil.rmtree(copied.pretrain(CELL))
    crews = HereCrews()
    work = work_on(copied, crews)
    data = work.panel
    fold = data.folds[-1]
    planted = np.append(fold.train.days.rows_N, data.test.days.rows_N[0])
    days = dataclasses.replace(fold.train, days=dataclasses.replace(fold.train.days, rows_N=planted))
    leaking = dataclasses.replace(data, folds=(dataclasses.replace(fold, train=days),))
    plan = read_planned(PretrainPlan, copied.pretrain_plan(CELL))
    with pytest.raises(WorkFailed, match="nothing is pretrained: 1 of"):
        pretrain_winner(
            dataclasses.replace(work, dataset=leaking), plan, read_winner(copied.choice(CELL)), MemoryTracker()
        )
    assert crews.trained == []
    assert not copied.pretrain(CELL).exists()


def test_a_training_that_diverges_makes_the_cell_failed_and_says_which(copied: Places) -> None:
    shutil.rmtree(live(copied))
    choice = read_winner(copied.choice(CELL))
    settings = {**choice.settings, "learning_rate": 1e30}
    write_choice(copied.choice(CELL), dataclasses.replace(choice, settings=settings))
    crews = HereCrews()
    pretrain(copied, crews)
    found = read_pretraining(copied.pretraining_record(CELL))
    assert isinstance(found, Ending)
    assert found.status is CellStatus.FAILED
    assert found.reason == "the pretraining of the encoder ended without a result: diverged"
    assert len(crews.trained) == 1


def test_the_stage_of_a_study_without_pretraining_writes_one_line(tmp_path: Path) -> None:
    places = make_panel_study(tmp_path, **(LEAVES | {"search__pretraining": None}))
    prepare_panel(places)
    stage(places, "panel/pretrain", "--cell", str(CELL))
    assert read_json(places.pretraining_record(CELL)) == {
        "cell": "12k-h1",
        "budget": "12k",
        "horizon": 1,
        "status": "not_planned",
        "reason": "search.pretraining is null",
    }


@pytest.mark.parametrize("stage_that_failed", ["hpo", "train"])
def test_a_cell_without_a_winner_or_its_seeds_passes_its_failure_on(copied: Places, stage_that_failed: str) -> None:
    failed = Ending.of(CELL, CellStatus.FAILED, "it does not fit")
    if stage_that_failed == "hpo":
        write_choice(copied.choice(CELL), failed)
    else:
        write_models_status(copied.models_status(CELL), failed)
    stage(copied, "panel/pretrain", "--cell", str(CELL))
    found = read_pretraining(copied.pretraining_record(CELL))
    assert isinstance(found, Ending)
    assert (found.status, found.reason) == (CellStatus.FAILED, "it does not fit")
    assert copied.ending(copied.pretrain_plan(CELL)).read_text() == AS_PLANNED


@pytest.mark.slow
def test_a_stage_killed_while_it_trains_goes_on_where_it_was(finished: Finished, copied: Places) -> None:
    """Workers in processes of their own, and a real kill -9 of the whole group once the encoder has ended."""
    write_models_status(copied.models_status(CELL), ModelsStatus(cell=str(CELL), seeds=(1, 2)))
    shutil.rmtree(live(copied))
    shutil.rmtree(copied.pretrain(CELL))
    process = start_stage(copied, "panel/pretrain", "--cell", str(CELL))
    deadline = time.monotonic() + 300
    while not list(copied.studies.glob(f"{CELL}-pretrain-*/encoder/seed-1/outcome.json")):
        assert time.monotonic() < deadline
        assert process.poll() is None, process.stderr and process.stderr.read()
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    encoder = live(copied) / "encoder" / "seed-1" / "model.safetensors"
    written = encoder.stat().st_mtime_ns
    warm_python.stage(copied, "panel/pretrain", "--cell", str(CELL))
    assert encoder.stat().st_mtime_ns == written
    found, undisturbed = (read_json(each.pretraining_record(CELL)) for each in (copied, finished.places))
    assert found["comparisons"] == undisturbed["comparisons"]
