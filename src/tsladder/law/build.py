"""The stage `fit`: fits the law to the scored cells, and writes its verdict, its files and the registered model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tsladder.artifacts.coverage import read_coverage
from tsladder.artifacts.ingestion import read_ingestion
from tsladder.artifacts.law import StudyLaw, law_json
from tsladder.artifacts.law_evidence import TrialSelection
from tsladder.artifacts.plans import Recipe, SearchPlan, read_plan
from tsladder.artifacts.store import if_there
from tsladder.artifacts.trials import TRIALS, read_trials
from tsladder.families import load as load_family
from tsladder.families.parts.count_words import own_count_words
from tsladder.law.audit_record import failed_probes, inconclusive_probes, whole_audit
from tsladder.law.cost import StudyCost
from tsladder.law.evidence.comparable_rungs import cut_short, mixed_numerics, unequal_effort
from tsladder.law.evidence.selection import judge_selection, ranked_losses
from tsladder.law.points import DroppedCell, RungPoint, read_points
from tsladder.law.scaling import fit_horizons, write_law
from tsladder.params import AnyParams
from tsladder.places import Places
from tsladder.planning.plans import study_key
from tsladder.planning.uncalibrated import uncalibrated
from tsladder.tasks import load_any
from tsladder.tracking import MlflowTracker, RunTags, Tracker
from tsladder.vocabulary import Cell, Phase


def fit_law(places: Places, params: AnyParams, tracker: Tracker | None = None) -> None:
    """Write artifacts/law/ from artifacts/scores/ and the audit, log it and register it as the model `scaling-law`.

    Raises WorkFailed when the audit's record is missing or damaged: any verdict could then be an invalid one.
    """
    law = law_of_study(places, params)
    files = write_law(places.law, law)
    tags = RunTags.of_study(params, phase=Phase.FIT, study_key=law.study_key)
    tracker = tracker or MlflowTracker(places.mlruns, params.study.name)
    tracker.register_law(law_json(law), files, tags)


def law_of_study(places: Places, params: AnyParams, *, unscored_reason: str | None = None) -> StudyLaw:
    """Fit the law to the scores, plans and audit on disk, without writing anything.

    The same files give the same law. `unscored_reason`: why a planned cell without scores is dropped; with None such
    a cell raises WorkFailed. Raises WorkFailed as well for a record that is missing or damaged.
    """
    plans = {str(cell): read_plan(SearchPlan, places.search_plan(cell)) for cell in params.cells}
    planned = {name: plan for name, plan in plans.items() if isinstance(plan, SearchPlan)}
    open_cells = []
    if unscored_reason is not None:
        open_cells = [name for name in planned if not places.scores_record(Cell.parse(name)).exists()]
    points, dropped = read_points(
        places.artifacts / "scores",
        [name for name in planned if name not in open_cells],
        params.law.region,
        load_any(params.target.task).metric,
    )
    for name in open_cells:
        points.setdefault(Cell.parse(name).horizon, ())
        dropped = (*dropped, DroppedCell(cell=name, reason=str(unscored_reason)))
    recipes = {name: plan.question.training for name, plan in planned.items()}
    objectives = {name: str(plan.search.objective) for name, plan in planned.items()}
    selections = {horizon: read_selection(places, params, rungs, objectives) for horizon, rungs in points.items()}
    audit = whole_audit(places.audit_record)
    ingestion = if_there(read_ingestion)(places.ingestion)
    return fit_horizons(
        points,
        dropped,
        params.law,
        params.evaluation,
        study_key(plans),
        params.study.seed,
        {
            horizon: [
                *filter(None, [inconclusive_probes(audit)]),
                *(() if ingestion is None else ingestion.cautions.get(horizon, ())),
                *_warnings(places, rungs, recipes, objectives),
                *filter(None, [None if (selection := selections[horizon]) is None else selection.warning]),
            ]
            for horizon, rungs in points.items()
        },
        probes_failed=failed_probes(audit),
        costs={
            plan.question.horizon: StudyCost.of_horizon(places, params, plan.question.horizon, plan.question.model)
            for plan in planned.values()
        },
        metric=load_any(params.target.task).metric,
        selections=selections,
        audit=audit,
        count_words=own_count_words(load_family(params.model.family)),
    )


def read_selection(
    places: Places, params: AnyParams, rungs: Sequence[RungPoint], objectives: Mapping[str, str]
) -> TrialSelection | None:
    """Estimate how the exponent depends on the number of trials per rung, from the trials on disk.

    `objectives`: cell -> objective of its search.
    """
    ranked = [
        ranked_losses(read_trials(places.hpo(Cell.parse(point.cell)) / TRIALS), objectives[point.cell])
        for point in rungs
    ]
    return judge_selection(
        [point.n_params for point in rungs],
        ranked,
        alpha_of_interest=params.law.alpha_of_interest,
        confidence=params.evaluation.confidence,
    )


def _warnings(
    places: Places, rungs: Sequence[RungPoint], recipes: Mapping[str, Recipe], objectives: Mapping[str, str]
) -> list[str]:
    coverage = {point.cell: read_coverage(places.coverage(Cell.parse(point.cell))) for point in rungs}
    effort = unequal_effort({cell: record.trials_trained for cell, record in coverage.items()})
    fewer = cut_short({cell: (r.trials_done, r.trials_trained) for cell, r in coverage.items()})
    numbers = {point.cell: (recipes[point.cell].precision, recipes[point.cell].optimizer) for point in rungs}
    bent = {
        uncalibrated(recipes[p.cell].loss, objective=objectives[p.cell], monitor=recipes[p.cell].monitor) for p in rungs
    }
    return [
        warning
        for warning in (effort, fewer, mixed_numerics(numbers), *sorted(filter(None, bent)))
        if warning is not None
    ]
