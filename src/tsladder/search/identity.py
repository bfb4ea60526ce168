"""Identity of a trial: two trials with the same one end alike, whichever search asks for them. And its seed."""

from __future__ import annotations

from tsladder.planning.identity import training_base, training_code, training_identity
from tsladder.search.configuration import Configuration
from tsladder.seeds import derive_seed
from tsladder.training.cell import CellWork
from tsladder.vocabulary import Phase


def trial_base(work: CellWork) -> str:
    """All of an identity but configuration and seed; computed once for a search."""
    return training_base(work.plan, work.dataset.table.fingerprint(), work.dataset.splits_record, training_code())


def trial_identity(work: CellWork, configuration: Configuration, seed: int) -> str:
    """Of one trial of the cell `work`."""
    return training_identity(trial_base(work), configuration.to_record(), seed)


def trial_seed(work: CellWork, phase: Phase, place: int) -> int:
    """Of the training of trial `place` of a phase."""
    return derive_seed(*stream(work, phase), "trial", place)


def stream(work: CellWork, phase: Phase) -> tuple[str | int, ...]:
    """Each cell and each phase draws from streams of its own."""
    return (work.seed, str(work.cell), *(() if phase is Phase.SEARCH else (str(phase),)))
