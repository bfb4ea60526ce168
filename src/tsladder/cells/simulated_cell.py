"""Cell of a study in a simulation: its trials, by the draws and the journal of a real search, then its seeds.

Nothing is trained: a training takes its forecast times a factor drawn at random.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from tsladder.artifacts.outcome import BatchPlan, TrainingOutcome
from tsladder.artifacts.plans import Recipe
from tsladder.artifacts.trials import TrialRecord, TrialState
from tsladder.cells.work import settings_params
from tsladder.data.samples import Fold
from tsladder.execution.crew import Ended, JobOrder, Message, Progress, Retried, Slot
from tsladder.execution.heartbeat import Heartbeat
from tsladder.execution.job_source import Steps
from tsladder.models.spec import ModelSpec
from tsladder.planning.recipe import Settings
from tsladder.search.configuration import Configuration, Value
from tsladder.search.draws import DrawnTrial, DrawRules, TrialDraws
from tsladder.search.schedule import Schedule
from tsladder.search.space import SearchSpace
from tsladder.search.streams import sampler_seed
from tsladder.search.study import SearchStudy, TrialResult, open_study
from tsladder.seeds import derive_seed
from tsladder.training.outcome import Job
from tsladder.vocabulary import Cell, Phase, StopReason


@dataclass(frozen=True, kw_only=True, slots=True)
class SimulatedCell:
    """Everything that decides how long the trainings of one cell take, and in which order they can begin.

    `plans`: the batch plan of every model that may be drawn. `trial_seconds` and `seed_seconds` return what a trial and
    a retraining of a model are expected to take. `spread`: standard deviation of the logarithm of the factor on that.
    `known`: draws of all trials, by number, from an earlier simulation of the same search, which then needs no sampler
    and no journal; empty before one.
    """

    cell: Cell
    space: SearchSpace
    schedule: Schedule
    lag: int
    seed: int
    seeds: int
    workers: int
    threads: int
    device: str
    recipe: Recipe
    task: str
    plans: Mapping[ModelSpec, BatchPlan]
    trial_seconds: Callable[[ModelSpec, Settings], float]
    seed_seconds: Callable[[ModelSpec, Settings], float]
    spread: float
    known: Mapping[int, Mapping[str, Value]]

    def job(self, spec: ModelSpec, settings: Settings, seed: int) -> Job:
        """Return the training of one model on the random seed `seed`."""
        return Job(
            spec=spec,
            settings=settings,
            recipe=self.recipe,
            task=self.task,
            seed=seed,
            plan=self.plans[spec],
            device=self.device,
            threads=self.threads,
        )


class SimulatedTrainings:
    """Trainings of a simulation: the outcome of each is a function of its random seed and of `seed`, whatever runs
    beside it."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._seconds: dict[int, float] = {}

    def expect(self, job: Job, expected: float, spread: float) -> None:
        """Register a job that is expected to take so many seconds: it takes them times a factor with mean 1, whose
        logarithm is normal with the standard deviation `spread`."""
        normal = statistics.NormalDist().inv_cdf(self._uniform(job, "seconds"))
        self._seconds[job.seed] = expected * math.exp(spread * normal - spread**2 / 2)

    def train(self, job: Job) -> TrainingOutcome:
        """Return the outcome of a registered job, with a loss drawn at random."""
        seconds, loss = self._seconds[job.seed], 0.5 + 0.2 * self._uniform(job, "loss")
        return TrainingOutcome(
            stop_reason=StopReason.COMPLETED,
            best_val_loss=loss,
            val_loss_se=0.0,
            best_epoch=1,
            val_auc=1.0 - loss,
            n_params=job.spec.n_params,
            curve=((1, loss),),
            train_losses=(loss,),
            plan=job.plan,
            retries=0,
            peak_memory_gib=None,
            seconds=seconds,
            train_seconds=seconds,
        )

    def _uniform(self, job: Job, what: str) -> float:
        """Return a number between 0 and 1, ends excluded."""
        return (derive_seed(self._seed, what, job.seed) + 0.5) / 2**31


def simulated_steps(
    cell: SimulatedCell, trainings: SimulatedTrainings, folder: Path, clock: Callable[[], float]
) -> Steps[list[TrialRecord]]:
    """Simulate the search of `cell`, with its journal in `folder`, then its retrainings. Returns the trials. `clock`
    (seconds) decides when a heartbeat is written again."""
    folder.mkdir(parents=True)
    search = _Trials(cell, trainings, folder, clock)
    yield from search.run()
    winner = search.winner
    if winner is not None:
        yield _Seeds(cell, trainings, folder, winner, clock)
    return search.ended


class _Trials:
    """Source of the trials of a search. As in a real one, `draws` decides which trial may begin, from the results of
    which earlier ones; it is never told to stop early, and no trial is pruned."""

    def __init__(
        self, cell: SimulatedCell, trainings: SimulatedTrainings, folder: Path, clock: Callable[[], float]
    ) -> None:
        self._cell = cell
        self._trainings = trainings
        rules = DrawRules(
            space=cell.space,
            schedule=cell.schedule,
            lag=cell.lag,
            pruning=None,
            known=(),
            adopted=cell.known,
            seed=cell.seed,
            cell=cell.cell,
            phase=Phase.SEARCH,
        )
        self._draws = TrialDraws(rules, ())
        self._study = _study(cell, folder)
        self._running: dict[int, tuple[DrawnTrial, JobOrder]] = {}
        self._configurations: dict[int, Configuration] = {}
        self.folds: Sequence[Fold] = ()
        self.workers = cell.workers
        self.models_per_job = 1
        self.heartbeat = Heartbeat(
            folder,
            phase=Phase.SEARCH,
            total=cell.schedule.trials_total,
            done=lambda: len(self._draws.ended),
            clock=clock,
        )

    def run(self) -> Steps[None]:
        """Have all trials trained."""
        if self._draws.any_open:
            yield self
        self._draws.tell_through(self._study, self._cell.schedule.trials_total - 1)

    @property
    def ended(self) -> list[TrialRecord]:
        """Ended trials in the order of their numbers."""
        return self._draws.ended

    @property
    def winner(self) -> Configuration | None:
        """Configuration of the leading trial; None where the search was stopped before its end."""
        best = self._cell.schedule.objective.best(self.ended)
        return None if best is None or self._draws.any_left else self._configurations[best.number]

    @property
    def work_left(self) -> float:
        waiting = self._cell.schedule.trials_total - len(self._draws.ended) - len(self._running)
        return float(max(0, waiting) * self._cell.space.grid.n_budget)

    @property
    def is_ready(self) -> bool:
        return self._draws.any_open and len(self._running) < self._cell.lag

    def next_job(self, slot: Slot) -> JobOrder | None:
        drawn = self._draws.draw(self._study)
        if drawn is None:
            return None
        spec, settings = drawn.configuration.spec, drawn.configuration.settings
        job = self._cell.job(spec, settings, drawn.seed)
        self._trainings.expect(job, self._cell.trial_seconds(spec, settings), self._cell.spread)
        order = JobOrder(number=drawn.number, attempt=drawn.attempt, job=job)
        self._running[drawn.number] = drawn, order
        self._configurations[drawn.number] = drawn.configuration
        return order

    def again(self, number: int, slot: Slot) -> JobOrder:
        return self._running[number][1]

    def on_end(self, event: Ended) -> None:
        drawn, order = self._running.pop(event.number)
        self._draws.end(self._study, _record(self._cell, drawn, order.job, event.outcome))

    def on_epoch(self, event: Progress) -> None: ...
    def on_retry(self, event: Retried) -> None: ...
    def on_message(self, event: Message) -> None: ...
    def on_stop(self) -> None: ...


class _Seeds:
    """Source of the retrainings of `winner`."""

    def __init__(
        self,
        cell: SimulatedCell,
        trainings: SimulatedTrainings,
        folder: Path,
        winner: Configuration,
        clock: Callable[[], float],
    ) -> None:
        self._cell = cell
        self._trainings = trainings
        self._spec, self._settings = winner.spec, winner.settings
        self._orders: dict[int, JobOrder] = {}
        self._done = 0
        self.folds: Sequence[Fold] = ()
        self.workers = cell.workers
        self.models_per_job = 1
        self.heartbeat = Heartbeat(folder, phase=Phase.TRAIN, total=cell.seeds, done=lambda: self._done, clock=clock)

    @property
    def work_left(self) -> float:
        return float((self._cell.seeds - len(self._orders)) * self._spec.n_params)

    @property
    def is_ready(self) -> bool:
        return len(self._orders) < self._cell.seeds

    def next_job(self, slot: Slot) -> JobOrder | None:
        if not self.is_ready:
            return None
        number = len(self._orders) + 1
        job = self._cell.job(
            self._spec, self._settings, derive_seed(self._cell.seed, str(self._cell.cell), "train", number)
        )
        self._trainings.expect(job, self._cell.seed_seconds(self._spec, self._settings), self._cell.spread)
        self._orders[number] = JobOrder(number=number, job=job)
        return self._orders[number]

    def again(self, number: int, slot: Slot) -> JobOrder:
        return self._orders[number]

    def on_end(self, event: Ended) -> None:
        self._done += 1

    def on_epoch(self, event: Progress) -> None: ...
    def on_retry(self, event: Retried) -> None: ...
    def on_message(self, event: Message) -> None: ...
    def on_stop(self) -> None: ...


def _record(cell: SimulatedCell, drawn: DrawnTrial, job: Job, outcome: TrainingOutcome) -> TrialRecord:
    """Return the record of a trial, which stays in memory."""
    stopped = outcome.stop_reason is StopReason.INTERRUPTED
    return TrialRecord(
        number=drawn.number,
        attempt=drawn.attempt,
        state=TrialState.INTERRUPTED if stopped else TrialState.COMPLETE,
        forced=drawn.forced,
        draws=drawn.draws,
        params=settings_params(job.spec, job.settings.to_record(), job.plan, job.seed),
        outcome=outcome,
        base_rate_loss=math.nan,
        predicted_memory_gib=math.nan,
        device=job.device,
        workers=cell.workers,
        lag=cell.lag,
        threads=job.threads,
        started_ms=0,
        ended_at="",
    )


def _study(cell: SimulatedCell, folder: Path) -> SearchStudy:
    """Open the sampler of the search, with its journal in `folder`, unless all draws are known."""
    if len(cell.known) == cell.schedule.trials_total:
        return cast(SearchStudy, _KnownDraws())
    seed = sampler_seed(cell.seed, cell.cell, Phase.SEARCH)
    return open_study(folder, cell.space.draws, key="simulation", seed=seed, say=_raise)


class _KnownDraws:
    """Sampler of a search whose draws are all known. It keeps no journal, which is most of the time of a simulation."""

    def draw(
        self, number: int, fixed: Mapping[str, Value], *, learned_through: int | None, redraw: int = 0
    ) -> dict[str, Value]:
        return dict(fixed)

    def ask(self, number: int, draws: Mapping[str, Value]) -> None: ...
    def tell(self, number: int, result: TrialResult) -> None: ...
    def ensure_told(self, number: int, draws: Mapping[str, Value], result: TrialResult) -> None: ...


def _raise(text: str) -> None:
    raise RuntimeError(f"the journal of a simulation cannot be used: {text}")
