"""The trials of one cell: ask, train in worker processes, write down, tell; resumable at any instant.

trials.jsonl is written the moment a trial ends and is the truth. The sampler is told in the order of trial
numbers, and a trial that it learns for is asked when exactly the trials up to `workers` before it are told:
so the same plan on the same number of workers searches the same trials, whatever ends first.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tsladder.models.spec import ModelSpec
from tsladder.params import PruningParams
from tsladder.planning.recipe import Settings
from tsladder.records import append_line, read_lines, write_json
from tsladder.search.bookkeeping import Asked, Bookkeeper
from tsladder.search.decisions import Drawn, Finished, Forced
from tsladder.search.schedule import Schedule
from tsladder.search.space import SearchSpace, Value
from tsladder.search.study import SearchStudy, Told
from tsladder.search.trials import TrialRecord, TrialState, latest
from tsladder.seeds import derive_seed
from tsladder.training.cell import CellWork
from tsladder.training.crew import keep_busy
from tsladder.training.outcome import EpochRecord, Job, Outcome
from tsladder.training.pruning import build_bar
from tsladder.training.supervisor import Ended, Progress, Supervisor

TRIALS = "trials.jsonl"
PROGRESS = "progress.json"

_REDRAWS = 100
_NOTHING_NEW = f"the sampler drew {_REDRAWS} times and found no configuration that has not been trained"
_CONFIGURATION = (
    "d_model", "n_layers", "n_heads", "d_ff", "learning_rate", "weight_decay", "dropout", "warmup_steps", "epochs"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Redo:
    """A trial whose earlier attempt never ended: it is asked again with the same draws."""

    attempt: int
    draws: dict[str, Value]


class Runner:
    """One start of one cell's search. The caller holds the cell's lock."""

    def __init__(
        self,
        *,
        work: CellWork,
        folder: Path,
        space: SearchSpace,
        schedule: Schedule,
        workers: int,
        books: Bookkeeper,
        pruning: PruningParams | None,
    ) -> None:
        self._work = work
        self._folder = folder
        self._space = space
        self._schedule = schedule
        self._workers = workers
        self._books = books
        self._pruning = pruning
        records = [TrialRecord.from_record(line) for line in read_lines(folder / TRIALS)]
        last = latest(records)
        self._ended = {number: record for number, record in last.items() if record.final}
        self._redo = {n: _Redo(r.attempt + 1, dict(r.draws)) for n, r in last.items() if not r.final}
        self._open = [number for number in range(schedule.trials_total) if number not in self._ended]
        self._running: dict[int, Asked] = {}
        self._epochs: dict[int, EpochRecord] = {}
        self._told_through = -1
        self._finished: Finished | None = None

    @property
    def finished(self) -> Finished | None:
        """Why the search ended before all of its trials were asked; None when it did not."""
        return self._finished

    @property
    def ended_records(self) -> list[TrialRecord]:
        """The ended trials in the order of their numbers."""
        return [self._ended[number] for number in sorted(self._ended)]

    def run(self) -> bool:
        """Train every trial that has not ended yet. True when asked to stop before all had."""
        if not self._open:
            return False
        # Every cell draws from a stream of its own: with shared draws a poor set of learning rates would tilt all rungs
        # at once, and no residual of the law would show it.
        seed = derive_seed(self._work.seed, str(self._work.cell), "sampler")
        study = SearchStudy(self._folder, self._space.draws, seed=seed)
        self._close_open_asks(study)
        supervisor = Supervisor(self._work.dataset.windows.train, self._work.dataset.windows.validation)
        try:
            keep_busy(
                supervisor,
                workers=self._workers,
                next_job=lambda: self._next_job(study),
                on_progress=self._on_progress,
                on_end=lambda event: self._on_end(study, event),
                on_stop=lambda: self._books.say("stopping after the current epoch; once more stops at once"),
            )
        finally:
            write_json(self._folder / PROGRESS, {"running": []})
        self._tell_through(study, self._schedule.trials_total - 1)
        return bool(self._open or self._redo)

    def _close_open_asks(self, study: SearchStudy) -> None:
        for number, draws in study.open_draws().items():
            if number not in self._ended:
                # Its owner died while it ran: it is closed here and asked again with the same parameters.
                study.tell(number, Told())
                self._redo.setdefault(number, _Redo(2, draws))

    def _next_job(self, study: SearchStudy) -> tuple[int, Job] | None:
        asked = self._ask(study, self._open[0]) if self._open else None
        if asked is None:
            return None
        self._open.pop(0)
        self._running[asked.number] = asked
        return asked.number, self._job(asked)

    def _on_progress(self, event: Progress) -> None:
        self._epochs[event.number] = event.record
        self._show_progress()

    def _on_end(self, study: SearchStudy, event: Ended) -> None:
        self._epochs.pop(event.number, None)
        self._write_down(study, self._running.pop(event.number), event.outcome)
        self._show_progress()

    def _ask(self, study: SearchStudy, number: int) -> Asked | None:
        """Draw trial `number`; None while trials that it must learn from are still running, and at the end."""
        seen: list[TrialRecord] = []
        if number >= len(self._schedule.forced):
            if any(earlier not in self._ended for earlier in range(number - self._workers + 1)):
                return None
            seen = [self._ended[earlier] for earlier in range(number - self._workers + 1)]
        decision = self._schedule.decide(number, seen)
        configuration = None if isinstance(decision, Finished) else self._configure(study, number, decision)
        if configuration is None:
            self._finished = decision if isinstance(decision, Finished) else Finished(_NOTHING_NEW)
            self._open.clear()
            return None
        redo, draws, spec, settings = configuration
        study.ask(number, draws)
        # A forced configuration is there to be seen whole.
        complete = [record.curve for record in seen if record.state is TrialState.COMPLETE]
        bar = None if self._pruning is None else build_bar(self._pruning, complete)
        execution = self._work.execution(spec)
        plan = self._work.batch_plan(spec, self._work.machine.memory_gib / self._workers)
        if plan is None:
            raise ValueError(f"trial {number} drew {spec.architecture()}, which does not fit")
        return Asked(
            number=number,
            attempt=redo.attempt,
            forced=decision.what if isinstance(decision, Forced) else None,
            draws=draws,
            spec=spec,
            settings=settings,
            execution=execution,
            plan=plan,
            bar=bar,
            seed=derive_seed(self._work.seed, str(self._work.cell), "trial", number),
            started_ms=int(time.time() * 1000),
        )

    def _configure(
        self, study: SearchStudy, number: int, decision: Forced | Drawn
    ) -> tuple[_Redo, dict[str, Value], ModelSpec, Settings] | None:
        """Draws, architecture and settings of trial `number`; None where the sampler finds nothing that is new."""
        learned_through = None
        if isinstance(decision, Drawn) and decision.learns:
            learned_through = number - self._workers
            self._tell_through(study, learned_through)
        redo = self._redo.pop(number, None)
        if isinstance(decision, Forced):
            fixed = self._space.coordinates(decision.spec) | self._space.setting_draws(decision.settings)
            draws = study.draw(number, fixed if redo is None else redo.draws, learned_through=None)
            settings = dataclasses.replace(self._space.decode(draws)[1], **decision.settings)
            return redo or _Redo(1, draws), draws, decision.spec, settings
        if redo is not None:
            return redo, redo.draws, *self._space.decode(redo.draws)
        taken = self._configurations()
        for redraw in range(_REDRAWS):
            draws = study.draw(number, {}, learned_through=learned_through, redraw=redraw)
            spec, settings = self._space.decode(draws)
            if _configuration(spec.architecture() | settings.to_record()) not in taken:
                return _Redo(1, draws), draws, spec, settings
        return None

    def _configurations(self) -> set[tuple[Value, ...]]:
        """What has been trained in this cell or is being trained."""
        ended = {_configuration(record.params) for record in self._ended.values()}
        running = {
            _configuration(asked.spec.architecture() | asked.settings.to_record()) for asked in self._running.values()
        }
        return ended | running

    def _job(self, asked: Asked) -> Job:
        return Job(
            spec=asked.spec,
            settings=asked.settings,
            recipe=self._work.recipe,
            seed=asked.seed,
            plan=asked.plan,
            device=asked.execution.device,
            threads=asked.execution.threads,
            bar=asked.bar,
        )

    def _write_down(self, study: SearchStudy, asked: Asked, outcome: Outcome) -> None:
        """On disk first, then to MLflow."""
        record = self._books.record(asked, outcome, self._workers)
        append_line(self._folder / TRIALS, record.to_record())
        if record.final:
            self._ended[record.number] = record
        else:
            study.tell(record.number, Told())
            self._redo[record.number] = _Redo(record.attempt + 1, dict(record.draws))
        self._books.log(asked, record, outcome)
        self._books.announce(asked, record, self._schedule.objective.best(self.ended_records))

    def _tell_through(self, study: SearchStudy, newest: int) -> None:
        """Tell the sampler, in order, every ended trial up to `newest`."""
        for number in range(self._told_through + 1, newest + 1):
            record = self._ended.get(number)
            if record is not None:
                study.ensure_told(number, record.draws, self._told(record))
        self._told_through = max(self._told_through, newest)

    def _told(self, record: TrialRecord) -> Told:
        if record.state is TrialState.PRUNED:
            step, loss = record.curve[-1]
            return Told(given_up=(int(step), -loss))
        return Told(self._schedule.objective.score(record))

    def _show_progress(self) -> None:
        """What runs now, for `tsladder status`; replaced after every epoch."""
        running = []
        for number, asked in self._running.items():
            epoch = self._epochs.get(number)
            running.append(
                {
                    "number": number,
                    "epoch": 0 if epoch is None else epoch.epoch,
                    "epochs": asked.settings.epochs,
                    "val_loss": None if epoch is None else epoch.val_loss,
                }
            )
        write_json(self._folder / PROGRESS, {"running": running, "at": time.time()})


def _configuration(params: Mapping[str, Value]) -> tuple[Value, ...]:
    """What two trials of a cell must not have in common altogether."""
    return tuple(params[name] for name in _CONFIGURATION)
