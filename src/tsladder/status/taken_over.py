"""Count the trials of a planned search that other searches have trained, for `plan` and `why`."""

from __future__ import annotations

from tsladder.params import AnyParams
from tsladder.places import Places
from tsladder.planning.cell_inputs import cell_inputs
from tsladder.planning.identity import training_base, training_code
from tsladder.planning.plans import CellPlans, cell_key
from tsladder.planning.run_length import have_same_samples
from tsladder.planning.sample_counts import sample_counts
from tsladder.search.adoption import Adopter
from tsladder.search.planned import planned_schedule, planned_space
from tsladder.search.takeover_forecast import TakeoverForecast, forecast_takeover
from tsladder.status.cell_state import INPUT_STAGES
from tsladder.status.freshness import Freshness
from tsladder.status.study_state import StudyReader


def inputs_match(places: Places, params: AnyParams) -> bool:
    """Check whether the features and splits on disk are those of `params`.

    Raises WorkFailed when dvc.yaml or dvc.lock is damaged.
    """
    reader = StudyReader(places)
    written = reader.question().params
    sections = ("study", "data", "splits", "windows", "target")
    same = all(getattr(written, name) == getattr(params, name) for name in sections)
    return same and have_same_samples(written, params) and inputs_are_fresh(reader.freshness())


def inputs_are_fresh(freshness: Freshness) -> bool:
    """Check whether features and splits on disk are those of params.yaml."""
    return all(freshness.is_fresh(stage) for stage in INPUT_STAGES)


def count_taken_over(places: Places, plans: CellPlans, lag: int | None) -> TakeoverForecast:
    """Count the trials that other searches have trained for one planned cell, whose features and splits on disk are
    those of the question. `lag`: lag of the search (None: not known)."""
    search, cell = plans.search, plans.cell
    inputs = cell_inputs(places, search.question)
    folder = places.study(cell, cell_key(search, *inputs))
    others = [other for other in places.live_records(cell, "hpo") if other != folder]
    if not others:
        return TakeoverForecast(0, exact=True)
    *_, (train_samples, _) = sample_counts(inputs[1])
    space = planned_space(search, train_samples)
    # The class counts are used for a warning only, so any values will do.
    schedule = planned_schedule(search, space, classes=(1, 1))
    base = training_base(search, *inputs, training_code(search))
    adopter = Adopter.of(search, cell, space=space, schedule=schedule, base=base)
    return forecast_takeover(folder, others, adopter, pruning=search.search.pruning, lag=lag)
