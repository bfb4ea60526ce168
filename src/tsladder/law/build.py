"""The fit stage: scored cells -> law, verdict, files, and the registered model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tsladder.artifacts.store import read_json
from tsladder.artifacts.trials import TRIALS, read_trials
from tsladder.data.ingestion import read_ingestion
from tsladder.law.audit_record import failed_probes, inconclusive_probes, read_audit
from tsladder.law.cost import StudyCost
from tsladder.law.evidence.comparable_rungs import cut_short, mixed_numerics, unequal_effort
from tsladder.law.evidence.selection import Selection, judge_selection, ranked_losses
from tsladder.law.points import DroppedCell, RungPoint, read_points
from tsladder.law.scaling import scaling_record, write_law
from tsladder.params import Params
from tsladder.places import Places
from tsladder.planning.plans import read_plan, study_key
from tsladder.planning.recipe import Recipe
from tsladder.planning.uncalibrated import uncalibrated
from tsladder.tasks import load as load_task
from tsladder.tracking import MlflowTracker, RunTags, Tracker
from tsladder.vocabulary import Cell, Phase


def fit_law(places: Places, params: Params, tracker: Tracker | None = None) -> None:
    """Write artifacts/law/ from artifacts/scores/ and the audit, log it and register it as the model `scaling-law`.

    Raises WorkFailed when the audit's record is missing or damaged: any verdict could then be an invalid one.
    """
    record = law_record(places, params)
    files = write_law(places.law, record)
    tags = RunTags.of_study(params, phase=Phase.FIT, study_key=record["study_key"])
    tracker = tracker or MlflowTracker(places.mlruns, params.study.name)
    tracker.register_law(record, files, tags)


def law_record(places: Places, params: Params, *, unscored_reason: str | None = None) -> dict[str, Any]:
    """JSON-ready record of the law of the scores, plans and audit on disk. Writes nothing; same files, same record.

    `unscored_reason`: why a planned cell without scores is dropped; None: such a cell is refused. Raises WorkFailed for
    it, and for a record that is missing or damaged.
    """
    plans = {str(cell): read_plan(places.search_plan(cell)) for cell in params.cells}
    planned = [name for name, plan in plans.items() if plan["planned"]]
    open_cells = []
    if unscored_reason is not None:
        open_cells = [name for name in planned if not (places.scores(Cell.parse(name)) / "scores.json").exists()]
    points, dropped = read_points(
        places.artifacts / "scores",
        [name for name in planned if name not in open_cells],
        params.law.region,
        load_task(params.target.task).metric,
    )
    for name in open_cells:
        points.setdefault(Cell.parse(name).horizon, ())
        dropped = (*dropped, DroppedCell(cell=name, reason=str(unscored_reason)))
    recipes = {name: Recipe.from_record(plan["training"]) for name, plan in plans.items() if plan["planned"]}
    objectives = {name: str(plan["search"]["objective"]) for name, plan in plans.items() if plan["planned"]}
    selections = {horizon: read_selection(places, params, rungs, objectives) for horizon, rungs in points.items()}
    audit = read_audit(places.audit / "audit.json")
    ingestion = read_ingestion(places.ingestion)
    return scaling_record(
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
        costs={horizon: StudyCost.of_horizon(places, params, horizon) for horizon in points},
        metric=load_task(params.target.task).metric,
        selections=selections,
    ) | {"audit": audit}


def read_selection(
    places: Places, params: Params, rungs: Sequence[RungPoint], objectives: Mapping[str, str]
) -> Selection | None:
    """How the exponent hangs on the trials of the searches on disk. `objectives`: cell -> what its search sought."""
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
    coverage = {point.cell: read_json(places.hpo(Cell.parse(point.cell)) / "coverage.json") for point in rungs}
    effort = unequal_effort({cell: int(record["trials_trained"]) for cell, record in coverage.items()})
    fewer = cut_short({cell: (int(r["trials_done"]), int(r["trials_trained"])) for cell, r in coverage.items()})
    numbers = {point.cell: (recipes[point.cell].precision, recipes[point.cell].optimizer) for point in rungs}
    bent = {
        uncalibrated(recipes[p.cell].loss, objective=objectives[p.cell], monitor=recipes[p.cell].monitor) for p in rungs
    }
    return [
        warning
        for warning in (effort, fewer, mixed_numerics(numbers), *sorted(filter(None, bent)))
        if warning is not None
    ]
