"""Draw the trials of a search: the configuration, seed and pruning bar of each trial number.

The sampler is told of ended trials in the order of their numbers. A trial whose draw learns from earlier ones is drawn
from exactly the trials up to the one `lag` before it, once all of them have ended: so the same plan at the same lag
searches the same trials, whichever ends first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tsladder.artifacts.trials import TrialRecord, TrialState, latest
from tsladder.params import PruningParams
from tsladder.search.configuration import Configuration, Value, identity
from tsladder.search.decisions import Drawn, Finished, Forced
from tsladder.search.schedule import Schedule
from tsladder.search.space import SearchSpace
from tsladder.search.streams import trial_seed
from tsladder.search.study import SearchStudy, TrialResult
from tsladder.training.pruning import Bar, build_bar
from tsladder.vocabulary import Cell, Phase

_REDRAWS = 100
_EXHAUSTED = f"the sampler drew {_REDRAWS} times and found no configuration that has not been trained"


@dataclass(frozen=True, kw_only=True, slots=True)
class DrawnTrial:
    """Trial as it is to be trained. `attempt` counts from 1; `forced` names a forced configuration; the trial is pruned
    where it cannot get below `bar` any more (None: never)."""

    number: int
    attempt: int
    forced: str | None
    draws: dict[str, Value]
    configuration: Configuration
    bar: Bar | None
    seed: int


@dataclass(frozen=True, slots=True)
class _Attempt:
    """Attempt at a trial; one that never ended is followed by another with the same draws."""

    number: int
    draws: dict[str, Value]


@dataclass(frozen=True, kw_only=True, slots=True)
class DrawRules:
    """Rules that, with the ended trials, decide the draws of a search. `lag`: a trial waits for all trials up to the
    one `lag` before it. A configuration among `known` is not drawn. Trials numbered in `adopted` take these draws
    instead of the sampler's. `seed`, `cell` and `phase` decide the seeds of the trainings."""

    space: SearchSpace
    schedule: Schedule
    lag: int
    pruning: PruningParams | None
    known: Sequence[Configuration]
    adopted: Mapping[int, Mapping[str, Value]]
    seed: int
    cell: Cell
    phase: Phase


class TrialDraws:
    """Draws of one search after the `attempts` recorded so far, in the order of their numbers."""

    def __init__(self, rules: DrawRules, attempts: Sequence[TrialRecord]) -> None:
        self._rules = rules
        self._known = [configuration.to_record() for configuration in rules.known]
        last = latest(attempts)
        self._ended = {number: record for number, record in last.items() if record.final}
        self._redo = {n: _Attempt(r.attempt + 1, dict(r.draws)) for n, r in last.items() if not r.final}
        self._open = [number for number in range(rules.schedule.trials_total) if number not in self._ended]
        self._running: dict[int, Configuration] = {}
        self._told_through = -1
        self._finished: Finished | None = None

    @property
    def finished(self) -> Finished | None:
        """Reason why no further trial is drawn although fewer than all were; None while trials are drawn, and after all
        were."""
        return self._finished

    @property
    def ended(self) -> list[TrialRecord]:
        """Ended trials in the order of their numbers."""
        return [self._ended[number] for number in sorted(self._ended)]

    @property
    def any_open(self) -> bool:
        """True where a trial is left that was never drawn."""
        return bool(self._open)

    @property
    def any_left(self) -> bool:
        """True where a trial is left that was never drawn, or that has to be trained again."""
        return bool(self._open or self._redo)

    def restore(self, study: SearchStudy) -> None:
        """Tell `study` the draws of the trials that ended, and close those that it holds to be running."""
        for number, record in self._ended.items():
            study.remember(number, record.draws)
        for number, draws in study.open_draws().items():
            if number not in self._ended:
                # The process died while this trial ran: close it and ask for it again with the same parameters.
                study.tell(number, TrialResult())
                self._redo.setdefault(number, _Attempt(2, draws))

    def draw(self, study: SearchStudy) -> DrawnTrial | None:
        """Draw the next trial and write it into the journal of `study`; None while trials that it must learn from are
        still running, and at the end."""
        if not self._open:
            return None
        rules, number = self._rules, self._open[0]
        seen: list[TrialRecord] = []
        if number >= len(rules.schedule.forced):
            if any(earlier not in self._ended for earlier in range(number - rules.lag + 1)):
                return None
            seen = [self._ended[earlier] for earlier in range(number - rules.lag + 1)]
        decision = rules.schedule.decide(number, seen)
        found = None if isinstance(decision, Finished) else self._configure(study, number, decision)
        if found is None:
            self._finished = decision if isinstance(decision, Finished) else Finished(_EXHAUSTED)
            self._open.clear()
            return None
        attempt, configuration = found
        study.ask(number, attempt.draws)
        # A forced configuration is never pruned, so that its whole curve is known.
        complete = [record.outcome.curve for record in seen if record.state is TrialState.COMPLETE]
        self._open.pop(0)
        self._running[number] = configuration
        return DrawnTrial(
            number=number,
            attempt=attempt.number,
            forced=decision.what if isinstance(decision, Forced) else None,
            draws=attempt.draws,
            configuration=configuration,
            bar=None if rules.pruning is None else build_bar(rules.pruning, complete),
            seed=trial_seed(rules.seed, rules.cell, rules.phase, rules.schedule.stream_number(number)),
        )

    def end(self, study: SearchStudy, record: TrialRecord) -> None:
        """Record how a drawn trial ended; one that is not final is drawn again by the next start."""
        self._running.pop(record.number, None)
        if record.final:
            self._ended[record.number] = record
        else:
            study.tell(record.number, TrialResult())
            self._redo[record.number] = _Attempt(record.attempt + 1, dict(record.draws))

    def tell_through(self, study: SearchStudy, newest: int) -> None:
        """Tell the sampler, in order, every ended trial up to `newest`."""
        for number in range(self._told_through + 1, newest + 1):
            record = self._ended.get(number)
            if record is not None:
                study.ensure_told(number, record.draws, self._result_of(record))
        self._told_through = max(self._told_through, newest)

    def _configure(
        self, study: SearchStudy, number: int, decision: Forced | Drawn
    ) -> tuple[_Attempt, Configuration] | None:
        """Return the draws and the configuration of trial `number`; None where the sampler finds nothing that is
        new."""
        space, schedule = self._rules.space, self._rules.schedule
        learned_through = None
        if isinstance(decision, Drawn) and decision.learns:
            learned_through = number - self._rules.lag
            self.tell_through(study, learned_through)
        adopted = self._rules.adopted.get(number)
        redo = self._redo.pop(number, None) or (None if adopted is None else _Attempt(1, dict(adopted)))
        if isinstance(decision, Forced):
            fixed = space.forced_draws(decision) if redo is None else redo.draws
            draws = study.draw(schedule.stream_number(number), fixed, learned_through=None)
            return redo or _Attempt(1, draws), space.decode_forced(draws, decision)
        if redo is not None:
            return redo, space.decode(redo.draws)
        used = self._used_configurations()
        for redraw in range(_REDRAWS):
            draws = study.draw(number, {}, learned_through=learned_through, redraw=redraw)
            configuration = space.decode(draws)
            if configuration.to_record() not in used:
                return _Attempt(1, draws), configuration
        return None

    def _used_configurations(self) -> list[Mapping[str, Value]]:
        """Return the configurations that have been trained in this cell, are being trained, or are otherwise known."""
        running = [configuration.to_record() for configuration in self._running.values()]
        ended = [identity(record.params) for record in self._ended.values()]
        return [*self._known, *running, *ended]

    def _result_of(self, record: TrialRecord) -> TrialResult:
        if record.state is TrialState.PRUNED:
            step, loss = record.outcome.curve[-1]
            return TrialResult(pruned_at=(step, -loss))
        return TrialResult(self._rules.schedule.objective.score(record))
