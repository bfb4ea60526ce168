"""Wrapper of Optuna, the only module that imports it: a sampler with a journal on disk, addressed by OUR trial numbers.

trials.jsonl is the truth about what ended and how; the journal holds what the sampler has been told. A draw depends on
the trial's number and on the earlier trials in the order of their numbers, and on nothing else: Optuna's own order
would change with every kill and resume, and the draw with it. So each draw is made in a fresh in-memory study that
holds that history, and the journal records it.
"""

from __future__ import annotations

import copy
import datetime
import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, PartialFixedSampler, RandomSampler, TPESampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from tsladder.artifacts.store import cut_torn_tail, set_aside
from tsladder.search.configuration import Draw, Value
from tsladder.search.layout import JOURNAL
from tsladder.seeds import derive_seed

NUMBER = "number"


@dataclass(frozen=True, slots=True)
class TrialResult:
    """Result of a trial for the sampler: a score (higher is better), or pruned at a step with its score there, or
    neither: then the sampler learns nothing from it."""

    score: float | None = None
    pruned_at: tuple[int, float] | None = None


class _SharedTrial(FrozenTrial):
    """Trial as Optuna keeps it, whose values nobody changes. A study that it is added to copies the trial, in order to
    number it, and not its values, which take ten times as long."""

    def __deepcopy__(self, memo: dict[int, Any]) -> FrozenTrial:
        return copy.copy(self)


@dataclass(slots=True)
class _Known:
    """Trial that was asked: its draws, its result once told, and whether the journal has it as ended. `built`: the
    trial as Optuna keeps it, by the result that a draw sees, None while it runs."""

    draws: dict[str, Value]
    built: dict[TrialResult | None, FrozenTrial]
    result: TrialResult | None = None
    closed: bool = False

    @classmethod
    def of(cls, draws: Mapping[str, Value], *, closed: bool = False) -> _Known:
        return cls(dict(draws), {}, closed=closed)


class UnusableJournal(Exception):
    """Journal that cannot be continued: it is damaged, or it belongs to another search or another version."""


def open_study(folder: Path, draws: Sequence[Draw], *, key: str, seed: int, say: Callable[[str], None]) -> SearchStudy:
    """Open the sampler of the search `key`, continued from its journal in `folder`.

    A journal that cannot be continued is set aside under a new name, with a message; the trials themselves are in
    trials.jsonl, so the new journal comes to hold the same.
    """
    try:
        return SearchStudy(folder, draws, key=key, seed=seed)
    except UnusableJournal as error:
        kept = set_aside(folder / JOURNAL)
        say(f"{folder / JOURNAL} {error}; it is kept as {kept.name}, and a new one is made from the trials that ended")
        return SearchStudy(folder, draws, key=key, seed=seed)


class SearchStudy:
    """Sampler of one cell's search. The caller holds the cell's lock. Raises UnusableJournal."""

    def __init__(self, folder: Path, draws: Sequence[Draw], *, key: str, seed: int) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        journal = folder / JOURNAL
        cut_torn_tail(journal)
        self._seed = seed
        self._distributions = {draw.name: _distribution(draw) for draw in draws}
        self._journal = _open_journal(journal, key)
        for trial in self._journal.get_trials(deepcopy=False):
            if trial.user_attrs.get(NUMBER) is not None and trial.distributions != self._distributions:
                raise UnusableJournal("was written by another version, whose draws were others")
        self._open: dict[int, int] = {}
        self._known: dict[int, _Known] = {}
        for trial in self._journal.get_trials(deepcopy=False):
            number = trial.user_attrs.get(NUMBER)
            if trial.state is TrialState.RUNNING and number is not None:
                self._open[number] = trial.number
                self._known[number] = _Known.of(trial.params)
            elif trial.state is TrialState.RUNNING:
                # The process was killed between `ask` and the numbering: this trial was never started.
                self._journal.tell(trial.number, state=TrialState.FAIL)
            elif trial.state in (TrialState.COMPLETE, TrialState.PRUNED) and number is not None:
                self._known[number] = _Known.of(trial.params, closed=True)

    def remember(self, number: int, draws: Mapping[str, Value]) -> None:
        """Register that trial `number` was asked with `draws`, whatever the journal has kept: later draws count it as
        running."""
        self._known.setdefault(number, _Known.of(draws))

    def open_draws(self) -> dict[int, dict[str, Value]]:
        """Return the draws of trials that an earlier process asked and never told, by trial number."""
        return {number: self._known[number].draws for number in self._open}

    def draw(
        self, number: int, fixed: Mapping[str, Value], *, learned_through: int | None, redraw: int = 0
    ) -> dict[str, Value]:
        """Draw what is not `fixed` for trial `number`, without recording it.

        Drawn by TPE from the results of the trials up to `learned_through`, with the later ones counted as running; at
        random where that is None. Another `redraw` draws from another stream.
        """
        if fixed.keys() >= self._distributions.keys():
            return dict(fixed)
        seed = derive_seed(self._seed, number, *([redraw] if redraw else []))
        sampler: BaseSampler = RandomSampler(seed=seed) if learned_through is None else _tpe(seed)
        study = optuna.create_study(direction="maximize", sampler=_fixed(fixed, sampler))
        if learned_through is not None:
            study.add_trials(self._history(number, learned_through))
        return dict(study.ask(self._distributions).params)

    def ask(self, number: int, draws: Mapping[str, Value]) -> None:
        """Record in the journal that trial `number` runs with `draws`."""
        self._journal.sampler = _fixed(draws, RandomSampler(seed=0))
        trial = self._journal.ask(self._distributions)
        trial.set_user_attr(NUMBER, number)
        self._open[number] = trial.number
        self._known[number] = _Known.of(draws)

    def tell(self, number: int, result: TrialResult) -> None:
        """Record in the journal how trial `number` ended."""
        inner = self._open.pop(number)
        if result.score is not None:
            self._journal.tell(inner, result.score)
        else:
            self._journal.tell(inner, state=TrialState.FAIL if result.pruned_at is None else TrialState.PRUNED)
        self._known[number].result = result
        self._known[number].closed = True

    def ensure_told(self, number: int, draws: Mapping[str, Value], result: TrialResult) -> None:
        """Tell the sampler of a trial that ended earlier, whatever its journal has kept of it."""
        known = self._known.setdefault(number, _Known.of(draws))
        if number in self._open:
            self.tell(number, result)
            return
        if not known.closed and result != TrialResult():
            self._journal.add_trial(self._trial(number, known, result))
            known.closed = True
        known.result = result

    def _history(self, number: int, learned_through: int) -> list[FrozenTrial]:
        history = []
        for earlier in sorted(other for other in self._known if other < number):
            known = self._known[earlier]
            result = None if earlier > learned_through else known.result
            if result != TrialResult():
                history.append(self._trial(earlier, known, result))
        return history

    def _trial(self, number: int, known: _Known, result: TrialResult | None) -> FrozenTrial:
        """Return a trial as Optuna keeps it, built once; `result` is None while it runs."""
        if result not in known.built:
            known.built[result] = self._build_trial(number, known.draws, result)
        return known.built[result]

    def _build_trial(self, number: int, draws: Mapping[str, Value], result: TrialResult | None) -> FrozenTrial:
        state, reports = TrialState.RUNNING, {}
        if result is not None:
            state = TrialState.COMPLETE if result.pruned_at is None else TrialState.PRUNED
            reports = {} if result.pruned_at is None else dict([result.pruned_at])
        now = datetime.datetime.now()
        return _SharedTrial(
            number=-1,
            trial_id=-1,
            state=state,
            value=None if result is None else result.score,
            datetime_start=now,
            datetime_complete=None if result is None else now,
            params=dict(draws),
            distributions=self._distributions,
            user_attrs={NUMBER: number},
            system_attrs={},
            intermediate_values=reports,
        )


class _NoLock:
    """Lock that does nothing, since the caller holds the cell's lock. Optuna's own would outlive a kill -9 and keep the
    next start waiting for half a minute."""

    def acquire(self) -> bool:
        return True

    def release(self) -> None:
        """Ignore the call: no lock was taken."""


def _open_journal(path: Path, key: str) -> optuna.Study:
    """Open the study `key` in the journal at `path`, created where there is none. Raises UnusableJournal."""
    lines = path.read_bytes().splitlines() if path.exists() else []
    for number, line in enumerate(lines, start=1):
        try:
            json.loads(line)
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise UnusableJournal(f"is damaged in line {number} ({error})") from None
    try:
        storage = JournalStorage(JournalFileBackend(str(path), lock_obj=_NoLock()))  # type: ignore[arg-type]
        others = [study.study_name for study in storage.get_all_studies() if study.study_name != key]
    except Exception as error:
        # Complete lines that Optuna cannot replay: the exceptions that it raises are not documented.
        raise UnusableJournal(f"cannot be replayed ({type(error).__name__}: {error})") from None
    if others:
        raise UnusableJournal(f"belongs to another search ({others[0][:16]})")
    return optuna.create_study(storage=storage, study_name=key, direction="maximize", load_if_exists=True)


def _tpe(seed: int) -> TPESampler:
    return TPESampler(
        n_startup_trials=0, n_ei_candidates=24, seed=seed, multivariate=True, group=False, constant_liar=True
    )


def _fixed(values: Mapping[str, Value], base: BaseSampler) -> BaseSampler:
    """Return `base` with some draws fixed beforehand."""
    if not values:
        return base
    with warnings.catch_warnings():
        # PartialFixedSampler is marked experimental; what we rely on is pinned by our tests.
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return PartialFixedSampler(dict(values), base)


def _distribution(draw: Draw) -> BaseDistribution:
    if draw.choices:
        return CategoricalDistribution(draw.choices)
    if draw.whole:
        return IntDistribution(int(draw.low), int(draw.high), log=draw.log)
    return FloatDistribution(draw.low, draw.high, log=draw.log)
