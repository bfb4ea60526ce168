"""Identity of a trial: two trials with the same identity end alike, whichever search asks for them."""

from __future__ import annotations

from tsladder.cells.work import CellWork
from tsladder.planning.identity import training_base, training_code, training_identity
from tsladder.search.configuration import Configuration


def trial_base(work: CellWork) -> str:
    """Return the digest of all of an identity but configuration and seed; computed once for a search."""
    code = training_code(work.plan)
    return training_base(work.plan, work.dataset.fingerprint(), work.dataset.splits_record, code)


def trial_identity(work: CellWork, configuration: Configuration, seed: int) -> str:
    """Return the identity of one trial of the cell `work`."""
    return training_identity(trial_base(work), configuration.to_record(), seed)
