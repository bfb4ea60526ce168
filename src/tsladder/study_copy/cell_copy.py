"""Runs of one cell as its stages log them, built again from its files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tsladder.artifacts.choice import Choice
from tsladder.artifacts.ending import Ending
from tsladder.artifacts.scores import CellScores
from tsladder.artifacts.seeds import SeedRecord
from tsladder.artifacts.store import if_there
from tsladder.artifacts.trained_model import RECORD, TrainedModel, read_trained_model
from tsladder.artifacts.trials import TRIALS, TrialRecord, latest, read_trials
from tsladder.cells.evaluation_runs import loss_metrics
from tsladder.cells.training_runs import trial_run
from tsladder.evaluation.predictions import read_predictions, scored_on
from tsladder.params import AnyParams
from tsladder.places import Places
from tsladder.planning.cell_inputs import cell_inputs
from tsladder.planning.plans import CellPlans, cell_key, train_key
from tsladder.results.cell_files import CellRecords
from tsladder.results.file_cache import FileCache
from tsladder.results.gathering import current_outputs_by_keys, gather
from tsladder.search.objective import Objective
from tsladder.tracking import RunRecord, RunStatus, RunTags, Tracker, size_metrics
from tsladder.vocabulary import RANK_ERROR, Phase, Region

_SHAPE = ("d_model", "n_layers", "n_heads", "d_ff", "n_graph")
"""Names in an architecture that are params of a run; what else it holds is the same in all cells of a study."""


def copy_cell(places: Places, params: AnyParams, plans: CellPlans, tracker: Tracker) -> bool:
    """Log the run of a planned cell with its trials, seeds and evaluation; False where nothing of it is on disk that
    belongs to the question. Raises WorkFailed for a damaged file."""
    files = FileCache()
    current = current_outputs_by_keys(places, plans, files)
    if not current.inputs:
        return False
    records = gather(places, plans, current, files)
    inputs = cell_inputs(places, plans.search.question)
    key = cell_key(plans.search, *inputs)
    trials = _trials(places, plans, key, records)
    if not trials and records.choice is None:
        return False
    objective = Objective(plans.search.search.objective)
    name, cell = str(plans.cell), plans.cell

    def tags(phase: Phase) -> RunTags:
        return RunTags(
            budget=cell.budget,
            horizon=str(cell.horizon),
            model=plans.search.question.model.family,
            tier=params.data.tier_words,
            task=plans.search.question.target.task,
            phase=phase,
            study_key=key,
        )

    parent = tracker.cell_run(name, tags(Phase.SEARCH))
    for phase, of_phase in ((Phase.SEARCH, trials), (Phase.SUPPLEMENTARY, _supplementary(places, plans))):
        runs = [
            trial_run(record, cell=cell, tags=tags(phase), parent_id=parent, objective=objective) for record in of_phase
        ]
        tracker.repair(parent, runs)
    folder = _seed_folder(places, plans, records, current_train=current.train)
    for number, seed in sorted(records.seeds.items()):
        model = if_there(read_trained_model)(folder / f"seed-{number}" / RECORD)
        tracker.log_run(_seed_run(f"{name}/seed-{number}", seed, model, tags(Phase.TRAIN), parent))
    final = [record for record in latest(trials).values() if record.final]
    best = objective.best(final)
    metrics: dict[str, float | None] = {
        **objective.figures(best),
        "trials_done": float(len(final)),
        **size_metrics(best.outcome.n_params if best else None),
    }
    extra: dict[str, str] = {}
    if isinstance(records.scores, CellScores):
        extra = {"windows": _windows(places, plans)}
        evaluation = _evaluation_metrics(records.scores)
        tracker.log_run(
            RunRecord(
                name=f"{name}/evaluation",
                tags=tags(Phase.EVALUATE),
                parent_id=parent,
                metrics=evaluation,
                extra_tags=extra,
                artifacts={places.scores_record(cell): "scores"},
            )
        )
        metrics["test_loss"] = evaluation.get("test_loss")
    tracker.finish(parent, _status(records.choice), metrics, extra)
    return True


def _status(choice: Choice | Ending | None) -> RunStatus:
    """Return the state of a cell's run: a search that goes on elsewhere, or later, is none that runs in a copy."""
    if choice is None:
        return RunStatus.KILLED
    return RunStatus.FINISHED if isinstance(choice, Choice) else RunStatus.FAILED


def _trials(places: Places, plans: CellPlans, key: str, records: CellRecords) -> Sequence[TrialRecord]:
    """Return all attempts of the search: its live record has those that were interrupted, too."""
    live = read_trials(places.study(plans.cell, key) / TRIALS)
    return live if len(live) >= len(records.trials) else records.trials


def _supplementary(places: Places, plans: CellPlans) -> Sequence[TrialRecord]:
    return read_trials(places.supplementary_summary(plans.cell).with_name(TRIALS))


def _seed_folder(places: Places, plans: CellPlans, records: CellRecords, *, current_train: bool) -> Path:
    """Return the folder of the trained seeds: of the outputs, or of the live record."""
    if current_train or not isinstance(records.choice, Choice):
        return places.models(plans.cell)
    inputs = cell_inputs(places, plans.search.question)
    return places.training(plans.cell, train_key(plans.train, records.choice, *inputs))


def _seed_run(name: str, seed: SeedRecord, model: TrainedModel | None, tags: RunTags, parent: str) -> RunRecord:
    """Build the run of a seed as far as its files tell: its curves were not kept."""
    architecture = {} if model is None else {name: n for name in _SHAPE if (n := model.architecture.get(name))}
    params = {} if model is None else {**architecture, "n_params": model.n_params, **model.settings}
    seed_number = {} if model is None else {"seed": model.seed}
    heat = seed.heat
    return RunRecord(
        name=name,
        tags=tags,
        parent_id=parent,
        params={**params, **seed.plan.to_json(), **seed_number},
        metrics={
            "best_val_loss": None if model is None else model.best_val_loss,
            "val_auc": None if model is None else model.val_auc,
            "peak_memory_gib": seed.peak_memory_gib,
            "predicted_memory_gib": seed.predicted_memory_gib,
            "seconds": seed.seconds,
            "retries": float(seed.retries),
            "max_celsius": heat.max_celsius,
            "pauses": float(heat.pauses),
            "paused_seconds": heat.paused_seconds,
            "epochs_run": float(seed.epochs_run),
            **size_metrics(None if model is None else model.n_params),
        },
        extra_tags={"stop_reason": str(seed.stop_reason), "thermal": str(heat.level)},
        status=RunStatus.FINISHED if seed.scored else RunStatus.FAILED,
    )


def _evaluation_metrics(scores: CellScores) -> Mapping[str, float | None]:
    """Return the metrics of an evaluation's run, by the records of its regions; a task may have more of them than its
    stage logs."""
    metrics: dict[str, float | None] = {}
    for region_name, scored in scores.regions.items():
        region = Region(region_name)
        metrics |= loss_metrics(region, scored.loss, scored.loss_interval)
        metrics |= {
            f"{region}_{name}": value
            for name, value in scored.mean.items()
            if name != scored.metric or name == RANK_ERROR
        }
        metrics[f"{region}_skill"] = scored.skill
        metrics[f"{region}_base_rate_loss"] = scored.base_rate_loss
        metrics[f"{region}_own_rate_loss"] = scored.own_rate_loss
    for symbol, of_symbol in (scores.symbols or {}).items():
        metrics |= {f"{region}_loss_{symbol}": one.loss for region, one in of_symbol.items() if one is not None}
    return metrics


def _windows(places: Places, plans: CellPlans) -> str:
    """Return the identity of the test days and labels."""
    test = read_predictions(places.predictions(plans.cell), Region.TEST)
    return scored_on(test.dates_N, test.y_N)
