"""The second phase of a strategy that has one: what its supplement varies, around the winners of some budgets.

Its trials are reported beside the winners and never enter the law: the other rungs had no such effort.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from tsladder.artifacts.store import digest, read_json, write_json
from tsladder.artifacts.trials import TRIALS, write_trials
from tsladder.cells.run_search import Search, Searched, conduct
from tsladder.cells.work import CellWork, open_cell
from tsladder.errors import WorkFailed
from tsladder.execution.crew import Crews
from tsladder.execution.job_loop import heat_reason
from tsladder.execution.local_crew import LocalCrew
from tsladder.locks import sole_owner
from tsladder.params import Choices, Params, SpaceParams
from tsladder.places import Places
from tsladder.planning.endings import note_ending
from tsladder.planning.grid import Grid
from tsladder.planning.plans import Plan, read_plan
from tsladder.planning.recipe import Settings
from tsladder.search.configuration import Configuration
from tsladder.search.decisions import Supplement
from tsladder.search.objective import Objective
from tsladder.search.planned import planned_pruning, validation_classes
from tsladder.search.schedule import Schedule
from tsladder.search.selection import Scores, Selection, select_budgets
from tsladder.search.space import SearchSpace
from tsladder.search.strategies import load
from tsladder.tracking import MlflowTracker, Tracker
from tsladder.vocabulary import Cell, CellStatus, Phase

SELECTION = "selection.json"
SUMMARY = "summary.json"


def search_supplementary(
    places: Places, params: Params, tracker: Tracker | None = None, *, crews: Crews = LocalCrew
) -> None:
    """Write artifacts/supplementary/: which budgets and why, and a folder for every cell of them. `crews` train.

    The next run takes up again what ended without a result. Raises Interrupted when asked to stop, WorkFailed when the
    machine becomes too hot; the next start goes on.
    """
    plan = read_plan(places.supplementary_plan)
    supplement = load(params.search.strategy).supplement
    if not plan["planned"] or supplement is None:
        write_json(places.supplementary / SELECTION, {"status": CellStatus.NOT_PLANNED, "reason": plan.get("reason")})
        return
    chosen = _select(places, params, plan)
    cells = [cell for cell in params.cells if cell.budget in chosen.budgets]
    works = (open_cell(places, params, cell, read_plan(places.search_plan(cell)), crews=crews) for cell in cells)
    have_results = [_search_cell(work, plan, supplement, tracker) for work in works]
    write_json(
        places.supplementary / SELECTION,
        {"status": CellStatus.DONE, "budgets": list(chosen.budgets), "reasons": dict(chosen.reasons)},
    )
    note_ending(places, places.supplementary_plan, without_result=not all(have_results))


def _select(places: Places, params: Params, plan: Plan) -> Selection:
    objective = params.search.objective
    scores: dict[str, dict[str, float | str]] = {}
    for cell in params.cells:
        if params.is_planned(cell):
            scores.setdefault(cell.budget, {})[str(cell)] = _winner_score(places, cell)
    found: Scores = scores
    return select_budgets(plan["budgets"], found, metric=objective)


def _winner_score(places: Places, cell: Cell) -> float | str:
    choice = read_json(places.choice(cell))
    if choice["status"] != CellStatus.DONE:
        return str(choice.get("reason", choice["status"]))
    return float(read_json(places.hpo(cell) / "coverage.json")["winner"]["score"])


def _search_cell(work: CellWork, plan: Plan, supplement: Supplement, tracker: Tracker | None) -> bool:
    """True when a trial of it has a score."""
    folder = work.places.supplementary / str(work.cell)
    choice = read_json(work.places.choice(work.cell))
    head = {"cell": str(work.cell), "budget": work.cell.budget, "horizon": work.cell.horizon}
    if choice["status"] != CellStatus.DONE:
        reason = f"its search has no winner: {choice.get('reason')}"
        write_json(folder / SUMMARY, {**head, "status": CellStatus.FAILED, "reason": reason})
        return False
    question = {
        "search": work.search_key,
        "winner": choice,
        "supplement": dataclasses.asdict(supplement),
        "trials": plan["trials"],
        "code": plan["code"],
    }
    key = digest(question)
    live = work.places.supplementary_study(work.cell, key)
    with sole_owner(live, f"the supplementary search of {work.cell}"):
        winner = _winner(work, choice)
        search = Search(
            work=work,
            phase=Phase.SUPPLEMENTARY,
            key=key,
            folder=live,
            question=question,
            space=around(winner, supplement, work),
            schedule=Schedule(
                forced=(),
                learns=True,
                trials_total=plan["trials"],
                objective=Objective(work.plan["search"]["objective"]),
                stop=None,
                classes=validation_classes(work.dataset.windows.folds),
            ),
            pruning=planned_pruning(work.plan),
            known=[winner],
        )
        found = conduct(search, tracker or MlflowTracker(work.places.mlruns, work.params.study.name))
        if isinstance(found, str):
            write_json(folder / SUMMARY, {**head, "status": CellStatus.FAILED, "reason": found})
            return False
        if found.heat_stop is not None:
            done = f"{len(found.records)} of {search.schedule.trials_total} supplementary trials"
            raise WorkFailed(f"{work.cell}: {heat_reason(found.heat_stop.reading, done)}")
        write_trials(folder / TRIALS, found.records)
        score = _winner_score(work.places, work.cell)
        write_json(folder / SUMMARY, {**head, "status": CellStatus.DONE, **_summary(search, found, score)})
        return found.best is not None


def _winner(work: CellWork, choice: dict[str, Any]) -> Configuration:
    return Configuration(
        spec=work.spec(choice["architecture"]),
        settings=Settings.from_record(choice["settings"]),
        effective_batch=work.recipe.effective_batch,
    )


def around(winner: Configuration, supplement: Supplement, work: CellWork) -> SearchSpace:
    """What the supplement varies, each beside the winner's own value; all else is the winner's."""
    spec, settings = winner.spec, winner.settings
    heads = sorted({spec.n_heads, *(heads for heads in supplement.n_heads if spec.d_model % heads == 0)})
    n_windows = len(work.dataset.windows.train)
    steps = settings.epochs * -(-n_windows // winner.effective_batch)
    # The winner's warm-up as a share of its run: another batch makes another number of steps.
    own: dict[str, float] = {
        **{name: float(value) for name, value in settings.to_record().items() if name != "warmup_steps"},
        "warmup_fraction": settings.warmup_steps / steps,
    }
    choices = {name: Choices(choices=_beside(value, supplement.settings.get(name, ()))) for name, value in own.items()}
    return SearchSpace(
        grid=Grid(work.cell.budget, tuple(dataclasses.replace(spec, n_heads=count) for count in heads)),
        settings=SpaceParams(warmup_steps=None, **choices),
        effective_batches=tuple(sorted({winner.effective_batch, *supplement.effective_batches})),
        n_windows=n_windows,
    )


def _beside(own: float, others: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(sorted({own, *others}))


def _summary(search: Search, found: Searched, winner_score: float | str) -> dict[str, Any]:
    objective = search.schedule.objective
    best = found.best
    scores = [score for record in found.records if (score := objective.score(record)) is not None]
    return {
        "objective": objective.name,
        "winner_score": winner_score,
        "trials_total": search.schedule.trials_total,
        "trials_done": len(found.records),
        "best_score": max(scores, default=None),
        "best_number": None if best is None else best.number,
        "best": None if best is None else {name: best.params[name] for name in _VARIED},
        "standard_error": None if best is None else objective.standard_error(best, *search.schedule.classes),
        "finished": None if found.finished is None else found.finished.reason,
    }


_VARIED = ("n_heads", "learning_rate", "weight_decay", "effective_batch")
