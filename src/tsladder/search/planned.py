"""Search space and schedule of a search plan: what may be drawn, in which order, and when the search ends. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from tsladder.artifacts.plans import PanelRecipe, SearchPlan
from tsladder.data.samples import Fold
from tsladder.data.windows import FoldWindows
from tsladder.planning.grid import build_grid
from tsladder.search.objective import Objective
from tsladder.search.schedule import Schedule, build_schedule
from tsladder.search.space import SearchSpace
from tsladder.search.strategies import load


def planned_space(plan: SearchPlan, n_windows: int) -> SearchSpace:
    """Return the search space of `plan`. `n_windows`: the number of training samples, of which an epoch may see
    fewer."""
    recipe = plan.question.training
    if isinstance(recipe, PanelRecipe):
        n_windows = -(-n_windows // recipe.train_every)
    return SearchSpace(
        grid=build_grid(plan.question.model, plan.question.budget),
        settings=plan.search.space,
        effective_batches=(recipe.effective_batch,),
        n_windows=n_windows,
    )


def planned_schedule(plan: SearchPlan, space: SearchSpace, classes: tuple[int, int]) -> Schedule:
    """Return the schedule of `plan`. `classes`: positives and negatives among the validation windows."""
    search = plan.search
    return build_schedule(
        load(search.strategy),
        space.grid,
        trials_total=search.trials,
        objective=Objective(search.objective),
        stop=search.stop,
        classes=classes,
    )


def validation_classes(folds: Sequence[Fold]) -> tuple[int, int]:
    """Count positives and negatives among the validation windows, summed over all folds of a walk forward; for returns,
    those above 0 and the others. A day of a panel has no class: (0, 0).

    The standard error of a mean over K equal folds is nearly that of one fold with all their windows: both fall as one
    over the root of their number.
    """
    labels = [fold.validation.y_N for fold in folds if isinstance(fold, FoldWindows)]
    positives = sum(int((y_N > 0.0).sum()) for y_N in labels)
    return positives, sum(len(y_N) for y_N in labels) - positives
