"""Work on one cell, shared by its stages: its plan turned back into typed values, its windows and its MLflow tags."""

from __future__ import annotations

import dataclasses
import shutil
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tsladder.artifacts.outcome import BatchPlan
from tsladder.artifacts.panel_features import read_panel_features
from tsladder.artifacts.panel_splits import read_panel_splits
from tsladder.artifacts.plans import (
    AnyQuestion,
    CellPlan,
    CellQuestion,
    EvaluatePlan,
    PanelQuestion,
    PanelRecipe,
    Recipe,
    SearchPlan,
    TrainPlan,
    losses_in,
    phases_in,
    read_planned,
    stocks_drawn,
)
from tsladder.artifacts.trials import HERE
from tsladder.data.dataset import Dataset, load_dataset
from tsladder.data.samples import Fold
from tsladder.data.windows import FoldWindows
from tsladder.errors import WorkFailed
from tsladder.execution.crew import Crew, Crews, Slot
from tsladder.execution.job_loop import run_steps
from tsladder.execution.job_source import Steps
from tsladder.execution.local_crew import LocalCrew
from tsladder.execution.thermal_guard import ThermalWatch
from tsladder.execution.thermometer import Thermometer, thermometer_for
from tsladder.locks import is_locked
from tsladder.messages import print_message
from tsladder.models.spec import Geometry, ModelSpec, spec_from_architecture
from tsladder.panel.dataset import PanelDataset, panel_dataset
from tsladder.panel.study_cube import study_cube
from tsladder.params import AnyParams, PanelParams, RankTargetParams, TargetParams
from tsladder.places import Places
from tsladder.planning.duration import Forecast, RunLength, forecast
from tsladder.planning.held_panel import panel_held
from tsladder.planning.machine import ExecutionPlan, Machine, lay_out, survey
from tsladder.planning.memory import (
    NO_PANEL,
    Calibration,
    HeldPanel,
    best_on_disk,
    plan_batch,
    predicted_memory_gib,
)
from tsladder.planning.plans import cell_key
from tsladder.planning.recipe import Settings
from tsladder.planning.too_little_memory import check_memory
from tsladder.tasks import load as load_task
from tsladder.tasks import load_ranking
from tsladder.tracking import RunTags
from tsladder.training.checkpoint_plan import CHECKPOINTS, CheckpointPlan
from tsladder.training.outcome import Job
from tsladder.vocabulary import Cell, Phase

K = TypeVar("K")
T = TypeVar("T")

SCRATCH = "scratch"
"""Folder of a live record that holds nothing worth keeping."""


def clear_scratch(live: Path) -> None:
    """Remove what a killed run has left in the scratch folder of the live record. The caller holds the record's
    lock."""
    shutil.rmtree(live / SCRATCH, ignore_errors=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class JobExecution:
    """Execution of a job in a slot, at the place of this name and kind. None of it belongs to the question."""

    plan: BatchPlan
    device: str
    threads: int
    place: str = HERE
    kind: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class CellWork:
    """Work on one cell, with the workers that train its models. `plan` is the content of the plan file that the stage
    depends on; `machine` describes this machine."""

    cell: Cell
    places: Places
    params: AnyParams
    plan: CellPlan
    geometry: Geometry
    dataset: Dataset | PanelDataset
    machine: Machine
    thermometer: Thermometer
    crews: Crews = LocalCrew

    @property
    def question(self) -> AnyQuestion:
        return self.plan.question

    @property
    def series(self) -> Dataset:
        """Dataset of a series study. Raises TypeError in a panel study."""
        return _of_kind(Dataset, self.dataset)

    @property
    def panel(self) -> PanelDataset:
        """Dataset of a panel study. Raises TypeError in a series study."""
        return _of_kind(PanelDataset, self.dataset)

    @property
    def series_question(self) -> CellQuestion:
        """Question of a series study. Raises TypeError in a panel study."""
        return _of_kind(CellQuestion, self.question)

    @property
    def search_plan(self) -> SearchPlan:
        """Search plan of the cell. Raises TypeError in a stage that has another plan; so do `train_plan` and
        `evaluate_plan`."""
        return _of_kind(SearchPlan, self.plan)

    @property
    def train_plan(self) -> TrainPlan:
        return _of_kind(TrainPlan, self.plan)

    @property
    def evaluate_plan(self) -> EvaluatePlan:
        return _of_kind(EvaluatePlan, self.plan)

    @property
    def panel_question(self) -> PanelQuestion:
        """Question of a panel study. Raises TypeError in a series study."""
        return _of_kind(PanelQuestion, self.question)

    @property
    def recipe(self) -> Recipe:
        return self.question.training

    @property
    def target(self) -> TargetParams | RankTargetParams:
        return self.question.target

    @property
    def seed(self) -> int:
        return self.question.seed

    @property
    def search_key(self) -> str:
        """Key of the cell's search, which all its MLflow runs carry, whatever the stage."""
        plan = read_planned(SearchPlan, self.places.search_plan(self.cell))
        return cell_key(plan, self.dataset.fingerprint(), self.dataset.splits_record)

    @property
    def base_rate_loss(self) -> float:
        """Validation loss of the constant that forecasts the training region's base rate, or its mean return; of no
        order at all where stocks are ranked."""
        return self._constant_loss(self.dataset.folds[-1])

    @property
    def search_base_rate_loss(self) -> float:
        """Base rate loss to set beside a trial's loss: the mean over the folds of a walk forward."""
        return statistics.fmean(self._constant_loss(fold) for fold in self.dataset.folds)

    def _constant_loss(self, fold: Fold) -> float:
        if not isinstance(fold, FoldWindows):
            return load_ranking(self.target.task).constant_loss()
        return load_task(self.target.task).constant_loss(fold.train.y_N, fold.validation.y_N)

    def with_recipe(self, recipe: PanelRecipe) -> CellWork:
        """Return this work of a cell of a panel study with another recipe in its question, for trainings beside those
        that the plan files ask for."""
        question = dataclasses.replace(self.panel_question, training=recipe)
        return dataclasses.replace(self, plan=dataclasses.replace(self.plan, question=question))

    def spec(self, architecture: Mapping[str, int]) -> ModelSpec:
        return spec_from_architecture(self.geometry, architecture)

    @property
    def held_panel(self) -> HeldPanel:
        """Data of the panel that each worker of this cell holds; none in a series study."""
        if not isinstance(self.params, PanelParams):
            return NO_PANEL
        features = self.panel.features
        return panel_held(
            self.params, sessions=features.sessions, stocks=features.symbols, drawn=stocks_drawn(self.recipe)
        )

    def execution(self, spec: ModelSpec) -> ExecutionPlan:
        return lay_out(spec, self.machine, self.params.hardware, panel=self.held_panel)

    def batch_plan(
        self,
        spec: ModelSpec,
        memory_gib: float,
        effective_batch: int | None = None,
        *,
        calibration: Calibration | None = None,
    ) -> BatchPlan | None:
        """Return the plan under which a batch of the recipe, or of `effective_batch`, is trained within `memory_gib`;
        None: it does not fit."""
        recipe = self.recipe
        return plan_batch(
            spec,
            effective_batch=recipe.effective_batch if effective_batch is None else effective_batch,
            precision=recipe.precision,
            optimizer=recipe.optimizer,
            memory_gib=memory_gib,
            calibration=calibration or self.machine.calibration,
            panel=self.held_panel,
        )

    def say(self, text: str) -> None:
        """Print a line on this cell to stderr."""
        print(f"{self.cell}: {text}", file=sys.stderr, flush=True)

    def crew(self) -> Crew:
        """Return a crew that trains the models of this cell alone."""
        return self.crews(self.machine)

    def run(self, steps: Steps[T]) -> T:
        """Train the jobs of this cell alone, with a crew of its own, and return the result. Raises Interrupted when
        asked to stop."""
        return run_steps(
            steps,
            self.crew,
            watch=ThermalWatch(self.thermometer, self.say),
            pause_requested=lambda: is_locked(self.places.pause),
        )

    def in_slot(self, spec: ModelSpec, slot: Slot, effective_batch: int | None = None) -> JobExecution | None:
        """Return how `spec` is trained in `slot`; None: it does not fit."""
        plan = self.batch_plan(spec, slot.memory_gib, effective_batch, calibration=slot.machine.calibration)
        if plan is None:
            return None
        # A model small enough to share the machine keeps the same number of threads when it trains alone.
        threads = min(slot.threads, lay_out(spec, slot.machine, self.params.hardware, panel=self.held_panel).threads)
        device, place, kind = slot.machine.device, slot.place, slot.kind
        return JobExecution(plan=plan, device=device, threads=threads, place=place, kind=kind)

    def predicted_memory_gib(self, spec: ModelSpec, plan: BatchPlan) -> float:
        """Predict the peak memory of a worker on this machine."""
        return predicted_memory_gib(spec, plan, self.machine.calibration, panel=self.held_panel)

    def scratch(self, spec: ModelSpec, live: Path) -> str | None:
        """Return the folder where a job of the live record `live` keeps its best weights meanwhile; None: they stay in
        memory."""
        return str(live / SCRATCH) if best_on_disk(spec) else None

    def forecast(
        self, spec: ModelSpec, settings: Settings, plan: BatchPlan, threads: int, folds: Sequence[Fold]
    ) -> Forecast | None:
        """Forecast the seconds of training `spec` on `folds`; None where the speed of this machine is not known."""
        if self.machine.rates is None:
            return None
        recipe = self.recipe
        every = recipe.train_every if isinstance(recipe, PanelRecipe) else 1
        *earlier, last = (
            RunLength(
                train_windows=-(-len(fold.train) // every),
                validation_windows=len(fold.validation),
                epochs=settings.epochs,
                patience=recipe.patience,
                extra_forward_pass=recipe.loss == "soft_auc" or "sharpe" in losses_in(recipe),
                phases=tuple(phase.epochs for phase in phases_in(recipe)),
                stocks_per_day=stocks_drawn(recipe),
            )
            for fold in folds
        )
        run = dataclasses.replace(last, earlier=tuple(earlier))
        return forecast(spec, plan, threads, run, self.machine.rates)

    def with_checkpoints(self, job: Job, live: Path, *, name: str, identity: str, folds: Sequence[Fold]) -> Job:
        """Return `job`, which trains on `folds`, with what it needs to keep checkpoints in the live record `live` while
        it runs. `identity`: of everything that decides its numbers."""
        predicted = self.forecast(job.spec, job.settings, job.plan, job.threads, folds)
        minutes = self.params.training.checkpoint_minutes
        checkpoints = None
        if minutes is not None:
            checkpoints = CheckpointPlan(
                folder=str(live / CHECKPOINTS / name),
                identity=identity,
                every_seconds=60.0 * minutes,
                predicted_longer=predicted is not None and predicted.trial_expected > 60.0 * minutes,
            )
        return dataclasses.replace(
            job,
            checkpoints=checkpoints,
            micro_batch_seconds=None if predicted is None else predicted.step / job.plan.accumulation_steps,
        )

    def tags(self, phase: Phase, key: str) -> RunTags:
        return RunTags(
            budget=self.cell.budget,
            horizon=str(self.cell.horizon),
            model=self.geometry.family,
            tier=self.params.data.tier_words,
            task=self.question.target.task,
            phase=phase,
            study_key=key,
        )


def open_cell(
    places: Places,
    params: AnyParams,
    cell: Cell,
    plan: CellPlan,
    *,
    crews: Crews = LocalCrew,
    machine: Machine | None = None,
) -> CellWork:
    """Load the samples of `cell`, whose models `crews` will train. `machine`: this machine as it was surveyed before;
    None: it is surveyed now.

    Raises WorkFailed when the features do not have the planned columns, BadInput when this machine is to train with
    less memory than any model takes.
    """
    geometry, question = plan.question.model, plan.question
    dataset: Dataset | PanelDataset
    if isinstance(question, PanelQuestion):
        dataset = _panel_dataset(places, _of_kind(PanelParams, params), question)
        found = len(dataset.cube.columns)
    else:
        dataset = load_dataset(
            places.features,
            places.horizon_splits(cell.horizon),
            target=question.target,
            windows=question.windows,
            horizon=cell.horizon,
        )
        found = dataset.windows.train.series_TF.shape[1]
    if found != geometry.n_features:
        raise WorkFailed(
            f"{places.features} has {found} columns and the plan of {cell} {geometry.n_features}: run `dvc repro`"
        )
    if machine is None:
        machine = survey(params.hardware, places.calibration)
        check_memory(places, params, machine)
    return CellWork(
        cell=cell,
        places=places,
        params=params,
        plan=plan,
        geometry=geometry,
        dataset=dataset,
        machine=machine,
        thermometer=thermometer_for(machine.device),
        crews=crews,
    )


def _panel_dataset(places: Places, params: PanelParams, question: PanelQuestion) -> PanelDataset:
    """Load the days of a cell of a panel study, from the cube of the study, which is built where there is none."""
    return panel_dataset(
        question,
        read_panel_features(places.features_manifest),
        read_panel_splits(places.horizon_splits(question.horizon)),
        study_cube(places, params, print_message),
        cost_bps=params.evaluation.cost_bps,
    )


def _of_kind(kind: type[K], value: object) -> K:
    if not isinstance(value, kind):
        raise TypeError(f"a {type(value).__name__} where a {kind.__name__} is needed")
    return value


def settings_params(spec: ModelSpec, settings: dict[str, Any], plan: BatchPlan, seed: int) -> dict[str, Any]:
    """Return the params of a run as MLflow and trials.jsonl hold them, in the study's vocabulary."""
    return {
        "d_model": spec.d_model,
        "n_layers": spec.n_layers,
        "n_heads": spec.n_heads,
        "d_ff": spec.d_ff,
        **({"n_graph": spec.n_graph} if spec.n_graph else {}),
        "n_params": spec.n_params,
        **settings,
        **plan.to_json(),
        "seed": seed,
    }
