"""Count the trials of a planned search that other searches have trained, for `plan` and `why`."""

from __future__ import annotations

from tsladder.artifacts.features import read_manifest
from tsladder.artifacts.splits import read_splits
from tsladder.params import Params
from tsladder.places import Places
from tsladder.planning.duration import RunLength
from tsladder.planning.identity import training_base, training_code
from tsladder.planning.plans import CellPlans, cell_key
from tsladder.search.adoption import Adopter
from tsladder.search.planned import planned_schedule, planned_space
from tsladder.search.takeover_forecast import TakeoverForecast, forecast_takeover
from tsladder.status.cell_state import INPUT_STAGES
from tsladder.status.freshness import Freshness
from tsladder.status.study_state import StudyReader


def inputs_match(places: Places, params: Params) -> bool:
    """Check whether the features and splits on disk are those of `params`.

    Raises WorkFailed when dvc.yaml or dvc.lock is damaged.
    """
    reader = StudyReader(places)
    written = reader.question().params
    sections = ("study", "data", "splits", "windows", "target")
    return inputs_are_fresh(reader.freshness()) and all(getattr(written, n) == getattr(params, n) for n in sections)


def inputs_are_fresh(freshness: Freshness) -> bool:
    """Check whether features and splits on disk are those of params.yaml."""
    return all(freshness.is_fresh(stage) for stage in INPUT_STAGES)


def count_taken_over(places: Places, plans: CellPlans, run: RunLength, lag: int | None) -> TakeoverForecast:
    """Count the trials that other searches have trained for one planned cell, whose features and splits on disk are
    those of the question.

    `run`: length of a training; `lag`: lag of the search (None: not known).
    """
    search, cell = plans.search, plans.cell
    inputs = read_manifest(places.features_manifest).fingerprint, read_splits(places.horizon_splits(cell.horizon))
    folder = places.study(cell, cell_key(search, *inputs))
    others = [other for other in places.live_records(cell, "hpo") if other != folder]
    if not others:
        return TakeoverForecast(0, exact=True)
    space = planned_space(search, run.train_windows)
    # The class counts are used for a warning only, so any values will do.
    schedule = planned_schedule(search, space, classes=(1, 1))
    base = training_base(search, *inputs, training_code(search))
    adopter = Adopter.of(search, cell, space=space, schedule=schedule, base=base)
    return forecast_takeover(folder, others, adopter, pruning=search.search.pruning, lag=lag)
