"""Log lines of trainings, in plain words: data, models, batch plans and every epoch. For the user alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence

from tsladder.artifacts.outcome import BatchPlan
from tsladder.cells.work import CellWork
from tsladder.data.windows import Windows
from tsladder.execution.crew import Progress
from tsladder.log_file import Log, current_log
from tsladder.models.spec import ModelSpec
from tsladder.panel.dataset import PanelDataset
from tsladder.planning.machine import ExecutionPlan
from tsladder.tasks import load as load_task
from tsladder.tasks.parts.words import Words
from tsladder.training.outcome import Job
from tsladder.vocabulary import Cell

_LABEL_WIDTH = 11


def labelled(label: str, words: str) -> str:
    """Format one of the labelled lines at a cell's start."""
    return f"{label:<{_LABEL_WIDTH}}{words}"


def data_lines(work: CellWork) -> list[str]:
    """Describe the training data: rows, features and target, then the samples of every region with their labels."""
    if isinstance(work.dataset, PanelDataset):
        return _panel_data_lines(work, work.dataset)
    table, windows, target = work.series.table, work.series.windows, work.series_question.target
    words = load_task(target.task).words
    symbols = [own.symbol for own in table.by_symbol()]
    days = "day" if work.cell.horizon == 1 else "days"
    lines = [
        labelled(
            "data",
            f"{len(table.dates_T):,} rows of {', '.join(symbols)}, {len(table.columns)} features, "
            f"windows of {windows.train.context_length} days; "
            f"{words.describe_target(target.price)}, {work.cell.horizon} {days} ahead",
        )
    ]
    regions = {"train": windows.train, "validation": windows.validation, "test": windows.test}
    if windows.earlier:
        for number, fold in enumerate(windows.folds, start=1):
            of_fold = {"train": fold.train, "validation": fold.validation}
            lines.append(labelled(f"fold {number}", _window_counts(of_fold, words)))
        regions = {"test": windows.test}
    return [*lines, labelled("windows", _window_counts(regions, words))]


def _panel_data_lines(work: CellWork, data: PanelDataset) -> list[str]:
    cube, question = data.cube, work.panel_question
    lines = [
        labelled(
            "data",
            f"{len(cube):,} sessions of {data.features.panel}, {len(cube.symbols_S)} stocks, "
            f"{len(cube.columns)} columns, windows of {question.windows.context_length} sessions; "
            f"ranks by the return over {question.horizon} {'session' if question.horizon == 1 else 'sessions'}, "
            f"entered {question.target.entry_lag} after the day",
        )
    ]
    if len(data.folds) > 1:
        for number, fold in enumerate(data.folds, start=1):
            days = f"train {len(fold.train):,}, validation {len(fold.validation):,}"
            lines.append(labelled(f"fold {number}", days))
        return [*lines, labelled("days", f"test {len(data.test):,}")]
    return [*lines, labelled("days", f"{_day_counts(data)}, test {len(data.test):,}")]


def _day_counts(data: PanelDataset) -> str:
    last = data.folds[-1]
    return f"train {len(last.train):,}, validation {len(last.validation):,}"


def _window_counts(regions: Mapping[str, Windows], words: Words) -> str:
    """Describe how many windows each region has, and how their labels are distributed."""
    labels = {name: windows.y_N for name, windows in regions.items()}
    return ", ".join(f"{name} {words.labels(y_N) if len(y_N) else 0}" for name, y_N in labels.items())


def describe_model(spec: ModelSpec) -> str:
    """Describe the shape and the size of a model."""
    return (
        f"d_model {spec.d_model}, n_layers {spec.n_layers}, n_heads {spec.n_heads}, d_ff {spec.d_ff}, "
        f"n_params {spec.n_params:,}"
    )


def describe_settings(settings: Mapping[str, float | int]) -> str:
    """Describe the settings of a training."""
    return ", ".join(f"{name} {value:.4g}" for name, value in settings.items())


def describe_plan(plan: BatchPlan, peaks_gib: Iterable[float]) -> str:
    """Describe how a step is executed, and the peak memory that one training is predicted to take."""
    known = sorted(peaks_gib)
    low, high = f"{known[0]:.2f}", f"{known[-1]:.2f}"
    return (
        f"micro-batch {plan.micro_batch} x {plan.accumulation_steps} in {plan.precision} with {plan.optimizer}, "
        f"{'with' if plan.activation_checkpointing else 'no'} activation checkpointing, "
        f"predicted peak {low if low == high else f'{low} to {high}'} GiB"
    )


def describe_workers(workers: int, execution: ExecutionPlan) -> str:
    """Describe the workers: how many train at a time, on how many threads each, on which device."""
    each = "1 thread" if execution.threads == 1 else f"{execution.threads} threads"
    return f"{workers} at a time, {each} each, on {execution.device}"


def seed_lines(
    work: CellWork, job: Job, *, winner_of: str, total: int, missing: Sequence[int], workers: int, each: str = "seed"
) -> list[str]:
    """Describe the retraining of a winner as it starts: the cell's own, or the one named `winner_of`; `job` is one of
    those `missing` of its `total` trainings, of which one is called `each`."""
    whose = f"the winner {winner_of.replace('-', ' ')}" if winner_of else "the winner"
    known = f"; {total - len(missing)} already done" if len(missing) < total else ""
    if isinstance(work.dataset, PanelDataset):
        samples = labelled("days", _day_counts(work.dataset))
    else:
        windows = work.series.windows
        regions = {"train": windows.train, "validation": windows.validation}
        samples = labelled("windows", _window_counts(regions, load_task(work.target.task).words))
    crew = describe_workers(min(workers, len(missing)), work.execution(job.spec))
    return [
        labelled("training", f"{total} {each if total == 1 else f'{each}s'} of {whose}{known}"),
        samples,
        labelled("model", f"{describe_model(job.spec)}; {describe_settings(job.settings.to_record())}"),
        labelled("plan", f"{describe_plan(job.plan, [work.predicted_memory_gib(job.spec, job.plan)])}; {crew}"),
    ]


@dataclasses.dataclass(frozen=True, slots=True)
class _Started:
    epochs: int
    """Epochs allowed for one model."""
    models: int


class TrainingLog:
    """Writer of one cell's trainings to the log file. `name` returns what the training of a number is called."""

    def __init__(self, cell: Cell, name: Callable[[int], str], log: Log | None = None) -> None:
        self._cell = cell
        self._name = name
        self._log = log or current_log()
        self._started: dict[int, _Started] = {}

    def started(self, number: int, words: str, *, epochs: int, models: int = 1) -> None:
        """Log that training `number` starts; in a walk forward it trains several `models`, each for `epochs` at
        most."""
        self._started[number] = _Started(epochs, models)
        self._write(number, f"starts: {words}")

    def epoch_ended(self, event: Progress) -> None:
        """Log one more epoch of a training."""
        record, started = event.record, self._started[event.number]
        fold, epoch = divmod(record.epoch - 1, started.epochs)
        of_fold = f"fold {fold + 1}/{started.models} " if started.models > 1 else ""
        place = f"epoch {epoch + 1}/{started.epochs}" if record.phase is None else str(record.phase)
        auc = "" if record.val_auc is None else f", val_auc {record.val_auc:.4f}"
        self._write(
            event.number,
            f"{of_fold}{place}: step {record.steps:,}, train_loss {record.train_loss:.4f}, "
            f"val_loss {record.val_loss:.4f}{auc}, {record.seconds:.1f} s",
        )

    def _write(self, number: int, words: str) -> None:
        self._log.write_unprinted(f"{self._cell}: {self._name(number)} {words}")
