"""Copy a study of either kind into a tracker: its cells, its baselines, its law and the files that compare its cells.

What the files of a study do not tell is not copied: learning curves of seeds, and the trainings of winners on other
horizons and from a pretrained encoder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from tsladder.artifacts.baselines import read_baselines
from tsladder.artifacts.law import law_json, read_law
from tsladder.artifacts.panel_features import PanelFeatures, read_panel_features
from tsladder.artifacts.plans import EvaluatePlan, SearchPlan, TrainPlan, plan_if_there
from tsladder.artifacts.store import if_there
from tsladder.panel.baseline_runs import log_baselines
from tsladder.params import AnyParams, PanelParams
from tsladder.places import Places
from tsladder.planning.plans import CellPlans, PlanFiles
from tsladder.report.build import copy_report
from tsladder.report.panel.build import copy_panel_report
from tsladder.report.panel.files import read_panel_facts
from tsladder.report.study_files import read_facts
from tsladder.steps import OnStep, no_progress
from tsladder.study_copy.cell_copy import copy_cell
from tsladder.tracking import RunTags, Tracker
from tsladder.vocabulary import Cell, Phase


def copy_study(places: Places, params: AnyParams, tracker: Tracker, on_step: OnStep = no_progress) -> int:
    """Log everything that is known of the study and return the number of parts of it that there were: cells, baselines,
    the law, the comparison.

    Raises WorkFailed for a damaged file, and what the tracker raises.
    """
    parts = [
        *(_baselines(places, params, tracker) if isinstance(params, PanelParams) else ()),
        *((str(cell), partial(_cell, places, params, cell, tracker)) for cell in _cells(params)),
        ("the law", partial(_law, places, params, tracker)),
        ("the comparison", partial(_comparison, places, params, tracker)),
    ]
    copied = 0
    for number, (what, copy) in enumerate(parts, start=1):
        on_step(what, number, len(parts))
        copied += copy()
    return copied


def _cells(params: AnyParams) -> tuple[Cell, ...]:
    return params.cells if params.budget is not None else ()


def _cell(places: Places, params: AnyParams, cell: Cell, tracker: Tracker) -> bool:
    plans = _plans(places, cell)
    return plans is not None and copy_cell(places, params, plans, tracker)


def _baselines(places: Places, params: PanelParams, tracker: Tracker) -> Iterator[tuple[str, Callable[[], bool]]]:
    features = if_there(read_panel_features)(places.features_manifest)
    if features is not None:
        for horizon in params.horizons:
            yield f"the baselines of h{horizon}", partial(_baselines_of, places, params, features, horizon, tracker)


def _baselines_of(places: Places, params: PanelParams, features: PanelFeatures, horizon: int, tracker: Tracker) -> bool:
    scores = if_there(read_baselines)(places.baseline_scores(horizon))
    if scores is None:
        return False
    files = places.baseline_scores(horizon), places.baseline_predictions(horizon)
    log_baselines(tracker, params, features, scores, files)
    return True


def _law(places: Places, params: AnyParams, tracker: Tracker) -> bool:
    law = if_there(read_law)(places.scaling)
    if law is None:
        return False
    files = [path for ending in ("json", "csv", "png") if (path := places.law / f"scaling.{ending}").exists()]
    tags = RunTags.of_study(params, phase=Phase.FIT, study_key=law.study_key)
    tracker.register_law(law_json(law), files, tags)
    return True


def _comparison(places: Places, params: AnyParams, tracker: Tracker) -> bool:
    if not places.report.is_dir():
        return False
    if isinstance(params, PanelParams):
        names = sorted(path.name for path in places.report.iterdir() if path.is_file())
        copy_panel_report(places, params, tracker, read_panel_facts(places, params, None), names)
    else:
        copy_report(places, params, tracker, read_facts(places, params))
    return True


def _plans(places: Places, cell: Cell) -> CellPlans | None:
    """Return the plan files of a cell; None where it is not planned."""
    search = plan_if_there(SearchPlan, places.search_plan(cell))
    train = plan_if_there(TrainPlan, places.train_plan(cell))
    evaluate = plan_if_there(EvaluatePlan, places.evaluate_plan(cell))
    if not (isinstance(search, SearchPlan) and isinstance(train, TrainPlan) and isinstance(evaluate, EvaluatePlan)):
        return None
    return CellPlans(cell=cell, files=PlanFiles(search=search, train=train, evaluate=evaluate))
