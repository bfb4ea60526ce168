"""Pretraining of a cell of a panel study: train its winner's encoder without labels, train the winner from it on the
seeds of the winner from scratch, and compare both on the test days.

The trainings lie in one live record: a kill -9 loses none that has ended, and none is trained twice. Seeds from scratch
at all epochs are those that the law is fitted on; the stage `train` has left them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tsladder.artifacts.choice import Choice
from tsladder.artifacts.ending import Ending
from tsladder.artifacts.models import read_trained_seeds
from tsladder.artifacts.plans import PretrainPlan
from tsladder.artifacts.pretraining import (
    EncoderRecord,
    Pretraining,
    PretrainingVerdict,
    StartComparison,
    write_pretraining,
)
from tsladder.artifacts.seeds import SEED_PREFIX
from tsladder.artifacts.store import digest, replacing
from tsladder.artifacts.trained_model import RECORD, read_trained_model
from tsladder.cells.forecasting import TrainedSeeds, forecasting
from tsladder.cells.panel_scoring import days_to_score, ranking_by
from tsladder.cells.pretraining_jobs import ENCODER, Start, encoder_job, jobs_of_start, starts_of
from tsladder.cells.retrain import Purpose, SeedResults, copy_trained, train_jobs
from tsladder.cells.work import CellWork
from tsladder.errors import WorkFailed
from tsladder.evaluation.paired import Comparison, compare_models
from tsladder.evaluation.predictions import DailyLosses
from tsladder.locks import exclusive_lock
from tsladder.panel.file import read_panel
from tsladder.panel.held_out import check_windows
from tsladder.panel.ranked_regions import RankedSessions
from tsladder.planning.plans import train_key
from tsladder.ranking.frames import day_labels, rank_predictions_frame, seed_names
from tsladder.ranking.metrics import judged_stocks, scored_days
from tsladder.ranking.region import JudgedRanking, judge
from tsladder.seeds import derive_seed
from tsladder.tracking import MlflowTracker, RunRecord, Tracker, open_cell_run
from tsladder.vocabulary import RANK_ERROR, CellStatus, Phase, Region

LIVE_PHASE = "pretrain"
"""Phase that a user sees; in MLflow these are trainings like any other."""

Judged = Mapping[int, JudgedRanking]
"""Number of a seed -> its ranking of the test days, judged."""


def pretrain_winner(work: CellWork, plan: PretrainPlan, choice: Choice, tracker: Tracker | None = None) -> None:
    """Pretrain, train and compare, and write artifacts/pretrain/<cell>/: the record, daily losses and the encoder.

    A training that ends without a usable loss makes the cell failed, with the reason. Raises WorkFailed where a window
    to pretrain on shows a session of validation or test, and when the machine becomes too hot; Interrupted when asked
    to stop. The next start trains what is missing.
    """
    check_windows(work.panel.train.days, work.panel.splits)
    tracker = tracker or MlflowTracker(work.places.mlruns, work.params.study.name)
    trained = train_key(work.train_plan, choice, work.dataset.fingerprint(), work.dataset.splits_record)
    key = digest(trained, plan.epochs, plan.mask, plan.training_code)
    live = work.places.pretraining(work.cell, key)
    with exclusive_lock(live, f"the pretraining of {work.cell}"):
        reason = _pretrain(work, plan, choice, live, key, tracker)
    if reason is not None:
        write_pretraining(work.places.pretraining_record(work.cell), Ending.of(work.cell, CellStatus.FAILED, reason))


def _pretrain(work: CellWork, plan: PretrainPlan, choice: Choice, live: Path, key: str, tracker: Tracker) -> str | None:
    """Pretrain, train and compare as in `pretrain_winner`; return the reason where a training has no result."""
    encoder = _encoder(work, plan, choice, live, key, tracker)
    if isinstance(encoder, str):
        return encoder
    copy_trained(encoder.folders[ENCODER], work.places.pretrained_encoder(work.cell))
    starts = _starts(work, choice, live, encoder.folders[ENCODER], key, tracker)
    if isinstance(starts, str):
        return starts
    _compare(work, plan, choice, _encoder_record(work, plan, encoder), starts, key, tracker)
    return None


def _encoder(
    work: CellWork, plan: PretrainPlan, choice: Choice, live: Path, key: str, tracker: Tracker
) -> SeedResults | str:
    """Pretrain the encoder where that has not been done; return the reason where it has no result."""
    folder = live / "encoder"
    job = encoder_job(work, choice, folder, epochs=plan.epochs, mask=plan.mask, key=key)
    if isinstance(job, str):
        return job
    purpose = Purpose(winner_of="for-pretraining", phase=LIVE_PHASE, live=live, each="encoder")
    results = _not_too_hot(train_jobs(work, {ENCODER: job}, folder, tracker, purpose), "the pretraining of the encoder")
    ended = results.outcomes[ENCODER]
    return results if ended.scored else f"the pretraining of the encoder ended without a result: {ended.stop_reason}"


def _starts(
    work: CellWork, choice: Choice, live: Path, encoder: Path, key: str, tracker: Tracker
) -> dict[Start, Mapping[int, Path]] | str:
    """Train the winner as each of `starts_of` begins; return the folders of the seeds, or the reason where a training
    has no result."""
    found: dict[Start, Mapping[int, Path]] = {}
    own, *others = starts_of(choice, work.panel_question.training)
    models = work.places.models(work.cell)
    seeds = read_trained_seeds(work.places.models_status(work.cell))
    found[own] = {number: models / f"{SEED_PREFIX}{number}" for number in seeds}
    for start in others:
        folder = live / start.name
        jobs = jobs_of_start(work, choice, start, folder, encoder=encoder, key=key)
        if isinstance(jobs, str):
            return jobs
        purpose = Purpose(winner_of=start.name, phase=LIVE_PHASE, live=live)
        results = _not_too_hot(train_jobs(work, jobs, folder, tracker, purpose), f"training {start.words}")
        if results.fault is not None:
            return f"training {start.words} failed for {results.fault}"
        found[start] = results.folders
    return found


def _not_too_hot(results: SeedResults, what: str) -> SeedResults:
    """Return `results`. Raises WorkFailed where they are those of a stop for heat."""
    if results.heat_stop is not None:
        raise WorkFailed(f"{what}: {results.heat_stop}")
    return results


def _encoder_record(work: CellWork, plan: PretrainPlan, encoder: SeedResults) -> EncoderRecord:
    trained = read_trained_model(encoder.folders[ENCODER] / RECORD)
    days = work.panel.train.dates_N.astype("datetime64[D]")
    return EncoderRecord(
        architecture=trained.architecture,
        n_params=trained.n_params,
        mask=plan.mask,
        epochs=plan.epochs,
        seed=trained.seed,
        days=len(days),
        first_day=str(days[0]),
        last_day=str(days[-1]),
        loss=_known(trained.best_val_loss),
        seconds=encoder.outcomes[ENCODER].seconds,
    )


def _known(loss: float | None) -> float:
    if loss is None:
        raise ValueError("an encoder that was saved has a loss")
    return loss


def _compare(
    work: CellWork,
    plan: PretrainPlan,
    choice: Choice,
    encoder: EncoderRecord,
    starts: Mapping[Start, Mapping[int, Path]],
    key: str,
    tracker: Tracker,
) -> None:
    """Score all trainings on the test days, and write the daily losses and the record."""
    days, judged = _judge(work, choice, starts)
    _write_predictions(work, days, judged)
    whole = max(start.epochs for start in starts)
    comparisons = []
    for epochs in dict.fromkeys(start.epochs for start in starts):
        first, second = (
            _daily_losses(days, Start(from_encoder=from_encoder, epochs=epochs), judged)
            for from_encoder in (True, False)
        )
        seed = derive_seed(work.seed, str(work.cell), "pretrain", epochs)
        compared = compare_models(
            first, second, params=plan.evaluation, seed=seed, least_block=work.panel_question.horizon
        )
        comparisons.append(_comparison(compared, epochs=epochs, share=epochs / whole))
    record = Pretraining(
        cell=str(work.cell),
        budget=work.cell.budget,
        horizon=work.cell.horizon,
        key=key,
        region=Region.TEST,
        metric=RANK_ERROR,
        confidence=plan.evaluation.confidence,
        encoder=encoder,
        comparisons=tuple(comparisons),
    )
    write_pretraining(work.places.pretraining_record(work.cell), record)
    _log(work, record, tracker)


def _judge(
    work: CellWork, choice: Choice, starts: Mapping[Start, Mapping[int, Path]]
) -> tuple[RankedSessions, dict[Start, Judged]]:
    """Rank the test days by every training, and judge the rankings."""
    spec = work.spec(choice.architecture)
    plan = work.batch_plan(spec, work.machine.memory_gib)
    models = [(start, seed, folder) for start, folders in starts.items() for seed, folder in folders.items()]
    trained = TrainedSeeds(
        spec=spec,
        folders={place: folder for place, (_, _, folder) in enumerate(models)},
        recipe=work.recipe,
        device=work.machine.device,
        threads=work.execution(spec).threads,
        # As where the seeds of the cell are scored.
        micro_batch=1 if plan is None else plan.micro_batch,
    )
    with forecasting(trained, {Region.TEST: work.panel.region(Region.TEST)}) as future:
        panel = read_panel(work.places.bars(work.panel.features.panel))
        days = days_to_score(work, panel, (Region.TEST,))[Region.TEST]
        outputs = future.result()[Region.TEST]
    judged: dict[Start, dict[int, JudgedRanking]] = {start: {} for start in starts}
    for place, (start, seed, _) in enumerate(models):
        judged[start][seed] = judge(days.region, ranking_by(work, days, outputs[place]))
    return days, dict(judged)


def _daily_losses(days: RankedSessions, start: Start, judged: Mapping[Start, Judged]) -> DailyLosses:
    region = days.region
    kept_D = scored_days(region.return_DS, region.member_DS)
    judged_NS = judged_stocks(region.return_DS, region.member_DS)[kept_D]
    return DailyLosses(
        name=start.words,
        dates_N=region.dates_D[kept_D],
        y_N=day_labels(region.symbols, np.asarray(region.return_DS)[kept_D], judged_NS),
        losses={seed: np.asarray(one.daily.rank_error_N) for seed, one in sorted(judged[start].items())},
        metric=RANK_ERROR,
    )


def _comparison(compared: Comparison, *, epochs: int, share: float) -> StartComparison:
    return StartComparison(
        epochs=epochs,
        share=share,
        seeds=compared.first_seeds,
        days=compared.days,
        from_encoder=compared.first_loss,
        from_scratch=compared.second_loss,
        difference=compared.difference,
        low=compared.low,
        high=compared.high,
        se=compared.se,
        p=compared.p,
        verdict=verdict_of(compared.low, compared.high),
        note=compared.note,
    )


def verdict_of(low: float, high: float) -> PretrainingVerdict:
    """Judge pretraining by the interval of what it takes off the loss."""
    if low > 0.0:
        return "helps"
    return "harms" if high < 0.0 else "undecided"


def _write_predictions(work: CellWork, days: RankedSessions, judged: Mapping[Start, Judged]) -> None:
    """Write one row for each scored test day and training: as the cell's predictions, and `start` and `epochs`."""
    import pandas as pd

    parts = []
    for start, by_seed in judged.items():
        rows = rank_predictions_frame(Region.TEST, days.region, seed_names(by_seed))
        parts.append(rows.assign(start="encoder" if start.from_encoder else "scratch", epochs=start.epochs))
    with replacing(work.places.pretraining_predictions(work.cell)) as temporary:
        pd.concat(parts, ignore_index=True).to_parquet(temporary, index=False, compression="zstd")


def _log(work: CellWork, record: Pretraining, tracker: Tracker) -> None:
    """Log a run of the comparison below that of the cell."""
    metrics: dict[str, float | None] = {"encoder_loss": record.encoder.loss}
    tags = {"winner_of": "pretraining"}
    for one in record.comparisons:
        at = f"at_{one.epochs}_epochs"
        tags[f"verdict_{at}"] = one.verdict
        metrics |= {
            f"from_encoder_{at}": one.from_encoder,
            f"from_scratch_{at}": one.from_scratch,
            f"difference_{at}": one.difference,
            f"difference_{at}_low": one.low,
            f"difference_{at}_high": one.high,
        }
    with open_cell_run(tracker, str(work.cell), work.tags(Phase.SEARCH, work.search_key)) as parent:
        tracker.log_run(
            RunRecord(
                name=f"{work.cell}/pretraining",
                tags=work.tags(Phase.EVALUATE, work.search_key),
                parent_id=parent.run_id,
                metrics=metrics,
                extra_tags=tags,
                artifacts={work.places.pretraining_record(work.cell): "pretraining"},
            )
        )
