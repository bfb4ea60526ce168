"""The only door to Optuna: a sampler with a journal on disk, addressed by OUR trial numbers.

trials.jsonl is the truth about what ended and how; the journal is what the sampler has been told. Every ask
is seeded by the trial's number, so a resumed study goes on with the stream instead of repeating it.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, PartialFixedSampler, RandomSampler, TPESampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState, create_trial

from tsladder.records import cut_torn_tail
from tsladder.search.space import Draw, Value
from tsladder.seeds import derive_seed

NUMBER = "number"
JOURNAL = "journal.log"


class SearchStudy:
    """One cell's sampler. The caller holds the cell's lock."""

    def __init__(self, folder: Path, draws: Sequence[Draw], *, seed: int) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        journal = folder / JOURNAL
        cut_torn_tail(journal)
        self._seed = seed
        self._distributions = {draw.name: _distribution(draw) for draw in draws}
        self._study = optuna.create_study(
            storage=JournalStorage(JournalFileBackend(str(journal))),
            study_name="search",
            direction="minimize",
            load_if_exists=True,
        )
        self._open: dict[int, int] = {}
        self._told: set[int] = set()
        for trial in self._study.get_trials(deepcopy=False):
            number = trial.user_attrs.get(NUMBER)
            if trial.state is TrialState.RUNNING and number is not None:
                self._open[number] = trial.number
            elif trial.state is TrialState.RUNNING:
                # Killed between asking and numbering: nothing was ever started from it.
                self._study.tell(trial.number, state=TrialState.FAIL)
            elif trial.state is TrialState.COMPLETE and number is not None:
                self._told.add(number)

    def open_draws(self) -> dict[int, dict[str, Value]]:
        """Trials asked and never told, by a run that is gone: number -> what had been drawn."""
        trials = self._study.get_trials(deepcopy=False)
        return {number: dict(trials[inner].params) for number, inner in self._open.items()}

    def ask(self, number: int, fixed: Mapping[str, Value], *, learns: bool) -> dict[str, Value]:
        """Draw what is not `fixed` for trial `number`; by TPE where it `learns`, else at random."""
        self._study.sampler = self._sampler(number, fixed, learns=learns)
        trial = self._study.ask(self._distributions)
        trial.set_user_attr(NUMBER, number)
        self._open[number] = trial.number
        return dict(trial.params)

    def tell(self, number: int, loss: float | None) -> None:
        """Trial `number` ended with `loss`, or without one."""
        inner = self._open.pop(number)
        if loss is None:
            self._study.tell(inner, state=TrialState.FAIL)
        else:
            self._study.tell(inner, loss)
        self._told.add(number)

    def ensure_told(self, number: int, draws: Mapping[str, Value], loss: float | None) -> None:
        """Make the sampler know a trial that ended earlier, whatever its journal has kept of it."""
        if number in self._told:
            return
        if number in self._open:
            self.tell(number, loss)
        elif loss is not None:
            self._study.add_trial(
                create_trial(
                    params=dict(draws),
                    distributions=self._distributions,
                    value=loss,
                    user_attrs={NUMBER: number},
                )
            )
            self._told.add(number)

    def _sampler(self, number: int, fixed: Mapping[str, Value], *, learns: bool) -> BaseSampler:
        seed = derive_seed(self._seed, "sampler", number)
        base: BaseSampler
        if learns:
            base = TPESampler(
                n_startup_trials=0,
                n_ei_candidates=24,
                seed=seed,
                multivariate=True,
                group=False,
                constant_liar=True,
            )
        else:
            base = RandomSampler(seed=seed)
        if not fixed:
            return base
        with warnings.catch_warnings():
            # PartialFixedSampler is marked experimental; its behaviour is pinned by our tests.
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return PartialFixedSampler(dict(fixed), base)


def _distribution(draw: Draw) -> BaseDistribution:
    if draw.choices:
        return CategoricalDistribution(draw.choices)
    if draw.whole:
        return IntDistribution(int(draw.low), int(draw.high), log=draw.log)
    return FloatDistribution(draw.low, draw.high, log=draw.log)
