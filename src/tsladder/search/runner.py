"""The trials of one cell: ask, train in worker processes, write down, tell; resumable at any instant.

trials.jsonl is written the moment a trial ends and is the truth. The sampler is told in the order of trial
numbers, and a trial that it learns for is asked when exactly the trials up to `workers` before it are told:
so the same plan on the same number of workers searches the same trials, whatever ends first.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tsladder.locks import is_owned
from tsladder.params import PruningParams
from tsladder.planning.identity import training_identity
from tsladder.records import append_line
from tsladder.search.bookkeeping import Asked, Bookkeeper
from tsladder.search.configuration import IDENTITY, Configuration, Value
from tsladder.search.decisions import Drawn, Finished, Forced
from tsladder.search.layout import TRIALS
from tsladder.search.schedule import Schedule
from tsladder.search.space import SearchSpace
from tsladder.search.start_lines import trial_words
from tsladder.search.streams import sampler_seed, trial_seed
from tsladder.search.study import SearchStudy, Told, open_study
from tsladder.search.takeover import Earlier, fetch_checkpoint, taken_over_words
from tsladder.search.trials import TrialRecord, TrialState, latest
from tsladder.training.cell import CellWork
from tsladder.training.checkpoint_plan import remove_checkpoints
from tsladder.training.crew import STOPPING, keep_busy, retry_words
from tsladder.training.outcome import Job, Outcome
from tsladder.training.pruning import build_bar
from tsladder.training.pulse import Pulse
from tsladder.training.supervisor import Supervisor
from tsladder.training.thermal_guard import ThermalWatch
from tsladder.training.thermometer import Reading
from tsladder.training.training_log import TrainingLog
from tsladder.vocabulary import StopReason

_REDRAWS = 100
_OF_THE_MODEL = (StopReason.PRUNED, StopReason.DIVERGED)
"""Endings without a loss that another attempt would only repeat. After any other, such as a kill, the next one may go
on from the checkpoint."""
_NOTHING_NEW = f"the sampler drew {_REDRAWS} times and found no configuration that has not been trained"


@dataclass(frozen=True, slots=True)
class _Attempt:
    """An attempt at a trial; one that never ended is followed by another with the same draws."""

    number: int
    draws: dict[str, Value]


@dataclass(frozen=True, slots=True)
class HeatStop:
    """`reading` ended the search for now, and with it the `attempts` that were running; they are made again by the next
    start."""

    reading: Reading
    attempts: tuple[TrialRecord, ...]


class Runner:
    """One start of one cell's search in `folder`, whose lock the caller holds, after the `attempts` recorded there.

    `key` is the identity of the search. A configuration among `known` is not trained, and a trial that ended in an
    `earlier` search is taken over from there.
    """

    def __init__(
        self,
        *,
        work: CellWork,
        key: str,
        folder: Path,
        attempts: Sequence[TrialRecord],
        space: SearchSpace,
        schedule: Schedule,
        workers: int,
        books: Bookkeeper,
        pruning: PruningParams | None,
        earlier: Earlier,
        known: Sequence[Configuration] = (),
    ) -> None:
        self._work = work
        self._key = key
        self._folder = folder
        self._space = space
        self._schedule = schedule
        self._workers = workers
        self._books = books
        self._pruning = pruning
        self._earlier = earlier
        self._taken_over: Counter[str] = Counter()
        self._known = [configuration.to_record() for configuration in known]
        last = latest(attempts)
        self._ended = {number: record for number, record in last.items() if record.final}
        self._redo = {n: _Attempt(r.attempt + 1, dict(r.draws)) for n, r in last.items() if not r.final}
        self._open = [number for number in range(schedule.trials_total) if number not in self._ended]
        self._running: dict[int, Asked] = {}
        self._jobs: dict[int, Job] = {}
        self._log = TrainingLog(work.cell, lambda number: f"trial {number + 1}/{schedule.trials_total}")
        self._told_through = -1
        self._finished: Finished | None = None
        self._heat_stop: HeatStop | None = None
        self._heated: list[TrialRecord] = []

    @property
    def finished(self) -> Finished | None:
        """Why the search ended before all of its trials were asked; None when it did not."""
        return self._finished

    @property
    def heat_stop(self) -> HeatStop | None:
        """Set when the machine became too hot to go on."""
        return self._heat_stop

    @property
    def ended_records(self) -> list[TrialRecord]:
        """The ended trials in the order of their numbers."""
        return [self._ended[number] for number in sorted(self._ended)]

    def run(self) -> bool:
        """Train every trial that has not ended yet. True when it stopped before all had: asked to, or for heat.

        Where none is left the journal is still brought up to date: a kill may have come between the line of the last
        trial and the journal's.
        """
        seed = sampler_seed(self._work.seed, self._work.cell, self._books.phase)
        study = open_study(self._folder, self._space.draws, key=self._key, seed=seed, say=self._books.say)
        for number, record in self._ended.items():
            study.remember(number, record.draws)
        self._close_open_asks(study)
        too_hot = self._train(study) if self._open else None
        self._tell_through(study, self._schedule.trials_total - 1)
        if too_hot is not None:
            self._heat_stop = HeatStop(too_hot, tuple(self._heated))
        return bool(self._open or self._redo)

    def _train(self, study: SearchStudy) -> Reading | None:
        """Keep the workers busy; the reading for which they were ended, if they were."""
        windows = self._work.dataset.windows
        watch = self._work.memory_watch(self._workers)
        return keep_busy(
            Supervisor(windows.train, windows.validation, earlier=windows.earlier, watch=watch),
            workers=self._workers,
            next_job=lambda: self._next_job(study),
            on_retry=lambda event: self._books.say(f"trial {event.number + 1}: {retry_words(event)}"),
            on_end=lambda event: self._write_down(study, self._running.pop(event.number), event.outcome),
            on_epoch=self._log.epoch_ended,
            on_stop=lambda: self._books.say(f"{STOPPING}; once more stops at once"),
            on_said=lambda event: self._books.say(f"trial {event.number + 1}: {event.text}"),
            watch=ThermalWatch(self._work.thermometer, self._books.say),
            pulse=Pulse(
                self._folder,
                phase=self._books.phase,
                total=self._schedule.trials_total,
                done=lambda: len(self._ended),
            ),
            by_hand=lambda: is_owned(self._work.places.pause),
        )

    def _close_open_asks(self, study: SearchStudy) -> None:
        for number, draws in study.open_draws().items():
            if number not in self._ended:
                # Its owner died while it ran: it is closed here and asked again with the same parameters.
                study.tell(number, Told())
                self._redo.setdefault(number, _Attempt(2, draws))

    def _next_job(self, study: SearchStudy) -> tuple[int, Job] | None:
        while self._open and (asked := self._ask(study, self._open[0])) is not None:
            self._open.pop(0)
            found = self._earlier.find(asked.identity, asked.bar)
            if found is None:
                self._say_taken_over()
                return asked.number, self._begin(asked)
            record = self._books.taken_over(asked, found, self._workers)
            if record.taken_from is not None:
                self._taken_over[record.taken_from.folder] += 1
            self._keep(study, record)
        self._say_taken_over()
        return None

    def _begin(self, asked: Asked) -> Job:
        self._running[asked.number] = asked
        epochs, models = asked.configuration.settings.epochs, len(self._work.dataset.windows.folds)
        self._log.began(asked.number, trial_words(self._work, asked), epochs=epochs, models=models)
        fetched = fetch_checkpoint(self._earlier.folders, self._folder, _checkpoint_of(asked))
        if fetched is not None:
            self._books.say(f"trial {asked.number + 1} goes on from the checkpoint that {fetched.name} left")
        job = self._jobs[asked.number] = self._job(asked)
        return job

    def _say_taken_over(self) -> None:
        """What came from other searches since it was last said."""
        if self._taken_over:
            done = f"{len(self._ended)} of {self._schedule.trials_total} are done"
            self._books.say(f"{taken_over_words(self._taken_over)}; {done}")
            self._taken_over.clear()

    def _ask(self, study: SearchStudy, number: int) -> Asked | None:
        """Draw trial `number`; None while trials that it must learn from are still running, and at the end."""
        seen: list[TrialRecord] = []
        if number >= len(self._schedule.forced):
            if any(earlier not in self._ended for earlier in range(number - self._workers + 1)):
                return None
            seen = [self._ended[earlier] for earlier in range(number - self._workers + 1)]
        decision = self._schedule.decide(number, seen)
        found = None if isinstance(decision, Finished) else self._configure(study, number, decision)
        if found is None:
            self._finished = decision if isinstance(decision, Finished) else Finished(_NOTHING_NEW)
            self._open.clear()
            return None
        attempt, configuration = found
        study.ask(number, attempt.draws)
        # A forced configuration is there to be seen whole, so it meets no bar.
        complete = [record.curve for record in seen if record.state is TrialState.COMPLETE]
        bar = None if self._pruning is None else build_bar(self._pruning, complete)
        execution = self._work.execution(configuration.spec)
        memory = self._work.machine.memory_gib / self._workers
        plan = self._work.batch_plan(configuration.spec, memory, configuration.effective_batch)
        if plan is None:
            raise ValueError(f"trial {number} drew {configuration.to_record()}, which does not fit {memory:.1f} GiB")
        seed = trial_seed(self._work.seed, self._work.cell, self._books.phase, self._schedule.place(number))
        return Asked(
            number=number,
            attempt=attempt.number,
            forced=decision.what if isinstance(decision, Forced) else None,
            draws=attempt.draws,
            configuration=configuration,
            execution=execution,
            plan=plan,
            bar=bar,
            seed=seed,
            identity=training_identity(self._earlier.base, configuration.to_record(), seed),
            started_ms=int(time.time() * 1000),
        )

    def _configure(
        self, study: SearchStudy, number: int, decision: Forced | Drawn
    ) -> tuple[_Attempt, Configuration] | None:
        """What trial `number` draws and trains; None where the sampler finds nothing that is new."""
        learned_through = None
        if isinstance(decision, Drawn) and decision.learns:
            learned_through = number - self._workers
            self._tell_through(study, learned_through)
        adopted = self._earlier.adopted.get(number)
        redo = self._redo.pop(number, None) or (None if adopted is None else _Attempt(1, dict(adopted)))
        if isinstance(decision, Forced):
            fixed = self._space.forced_draws(decision) if redo is None else redo.draws
            draws = study.draw(self._schedule.place(number), fixed, learned_through=None)
            return redo or _Attempt(1, draws), self._space.decode_forced(draws, decision)
        if redo is not None:
            return redo, self._space.decode(redo.draws)
        taken = self._taken()
        for redraw in range(_REDRAWS):
            draws = study.draw(number, {}, learned_through=learned_through, redraw=redraw)
            configuration = self._space.decode(draws)
            if configuration.to_record() not in taken:
                return _Attempt(1, draws), configuration
        return None

    def _taken(self) -> list[Mapping[str, Value]]:
        """What has been trained in this cell, is being trained, or is known otherwise."""
        running = [asked.configuration.to_record() for asked in self._running.values()]
        ended = [{name: record.params[name] for name in IDENTITY} for record in self._ended.values()]
        return [*self._known, *running, *ended]

    def _job(self, asked: Asked) -> Job:
        job = Job(
            spec=asked.configuration.spec,
            settings=asked.configuration.settings,
            recipe=self._work.recipe,
            seed=asked.seed,
            plan=asked.plan,
            device=asked.execution.device,
            threads=asked.execution.threads,
            bar=asked.bar,
            scratch_folder=self._work.scratch(asked.configuration.spec, self._folder),
        )
        return self._work.with_checkpoints(
            job,
            self._folder,
            name=_checkpoint_of(asked),
            identity=asked.identity,
            folds=self._work.dataset.windows.folds,
        )

    def _write_down(self, study: SearchStudy, asked: Asked, outcome: Outcome) -> None:
        record = self._books.record(asked, outcome, self._workers)
        self._keep(study, record)
        if record.stop_reason is StopReason.THERMAL:
            self._heated.append(record)
        self._books.announce(asked, record, self._schedule.objective.best(self.ended_records))

    def _keep(self, study: SearchStudy, record: TrialRecord) -> None:
        """On disk first, then to MLflow."""
        append_line(self._folder / TRIALS, record.to_record())
        job = self._jobs.pop(record.number, None)
        if record.final:
            self._ended[record.number] = record
            if job is not None and (record.best_val_loss is not None or record.stop_reason in _OF_THE_MODEL):
                remove_checkpoints(job.checkpoints)
        else:
            study.tell(record.number, Told())
            self._redo[record.number] = _Attempt(record.attempt + 1, dict(record.draws))
        self._books.log(record)
        self._books.publish(self.ended_records)

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


def _checkpoint_of(asked: Asked) -> str:
    """Of the same name in every search that has this trial."""
    return f"trial-{asked.identity[:16]}"
