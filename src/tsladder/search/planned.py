"""What a search plan says of a search: what it may draw, in which order, and when a trial is given up. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from tsladder.data.windows import FoldWindows
from tsladder.models.spec import Geometry
from tsladder.params import PruningParams, StopParams
from tsladder.planning.grid import build_grid
from tsladder.planning.plans import Plan
from tsladder.search.objective import Objective
from tsladder.search.schedule import Schedule, build_schedule
from tsladder.search.space import SearchSpace, space_params
from tsladder.search.strategies import load


def planned_space(plan: Plan, n_windows: int) -> SearchSpace:
    """`n_windows`: to train on."""
    return SearchSpace(
        grid=build_grid(Geometry(**plan["model"]), plan["budget"]),
        settings=space_params(plan["search"]["space"]),
        effective_batches=(plan["training"]["effective_batch"],),
        n_windows=n_windows,
    )


def planned_schedule(plan: Plan, space: SearchSpace, classes: tuple[int, int]) -> Schedule:
    """`classes`: positives and negatives among the validation windows."""
    search = plan["search"]
    return build_schedule(
        load(search["strategy"]),
        space.grid,
        trials_total=search["trials"],
        objective=Objective(search["objective"]),
        stop=None if search["stop"] is None else StopParams(**search["stop"]),
        classes=classes,
    )


def planned_pruning(plan: Plan) -> PruningParams | None:
    """None: every trial is trained to its end."""
    record = plan["search"]["pruning"]
    return None if record is None else PruningParams(**record)


def validation_classes(folds: Sequence[FoldWindows]) -> tuple[int, int]:
    """Positives and negatives among the validation windows, those of all folds of a walk forward added; of returns,
    those above 0 and the others.

    The standard error of a mean over K equal folds is nearly that of one fold with all their windows: both fall as one
    over the root of their number.
    """
    labels = [fold.validation.y_N for fold in folds]
    positives = sum(int((y_N > 0.0).sum()) for y_N in labels)
    return positives, sum(len(y_N) for y_N in labels) - positives
