"""Supplementary search, the second phase of a strategy that has one: vary the supplement's settings around the winners
of some budgets.

Its trials are reported beside the winners and never enter the law: the other rungs had no such effort.
"""

from __future__ import annotations

import dataclasses

from tsladder.artifacts.choice import Choice, read_choice
from tsladder.artifacts.coverage import read_coverage
from tsladder.artifacts.ending import Ending, read_ending
from tsladder.artifacts.plans import NotPlanned, SearchPlan, SupplementaryPlan, read_plan, read_planned
from tsladder.artifacts.record import REBUILD, json_of
from tsladder.artifacts.search_question import SupplementaryQuestion
from tsladder.artifacts.store import digest
from tsladder.artifacts.supplementary import (
    SelectedBudgets,
    SupplementSummary,
    write_selection,
    write_summary,
)
from tsladder.artifacts.trials import TRIALS, write_trials
from tsladder.cells.run_search import Search, SearchResult, run_search
from tsladder.cells.work import CellWork, open_cell
from tsladder.errors import WorkFailed
from tsladder.execution.crew import Crews
from tsladder.execution.job_loop import heat_reason
from tsladder.execution.local_crew import LocalCrew
from tsladder.locks import exclusive_lock
from tsladder.params import Choices, Params, SpaceParams
from tsladder.places import Places
from tsladder.planning.endings import note_ending
from tsladder.planning.grid import Grid
from tsladder.planning.recipe import Settings
from tsladder.search.configuration import Configuration
from tsladder.search.decisions import Supplement
from tsladder.search.objective import Objective
from tsladder.search.planned import validation_classes
from tsladder.search.schedule import Schedule
from tsladder.search.selection import Scores, Selection, select_budgets
from tsladder.search.space import SearchSpace
from tsladder.search.strategies import load
from tsladder.tracking import MlflowTracker, Tracker
from tsladder.vocabulary import Cell, CellStatus, Phase


def search_supplementary(
    places: Places, params: Params, tracker: Tracker | None = None, *, crews: Crews = LocalCrew
) -> None:
    """Search around the winners and write artifacts/supplementary/: which budgets and why, and a folder for every cell
    of them. `crews` train.

    The next run repeats what ended without a result. Raises Interrupted when asked to stop, WorkFailed when the machine
    becomes too hot; the next start resumes.
    """
    plan = read_plan(SupplementaryPlan, places.supplementary_plan)
    supplement = load(params.search.strategy).supplement
    if isinstance(plan, NotPlanned) or supplement is None:
        not_planned = Ending(
            status=CellStatus.NOT_PLANNED, reason=plan.reason if isinstance(plan, NotPlanned) else None
        )
        write_selection(places.supplementary_selection, not_planned)
        return
    chosen = _select(places, params, plan)
    cells = [cell for cell in params.cells if cell.budget in chosen.budgets]
    works = (
        open_cell(places, params, cell, read_planned(SearchPlan, places.search_plan(cell)), crews=crews)
        for cell in cells
    )
    have_results = [_search_cell(work, plan, supplement, tracker) for work in works]
    selected = SelectedBudgets(budgets=tuple(chosen.budgets), reasons=chosen.reasons)
    write_selection(places.supplementary_selection, selected)
    note_ending(places, places.supplementary_plan, without_result=not all(have_results))


def _select(places: Places, params: Params, plan: SupplementaryPlan) -> Selection:
    objective = params.search.objective
    scores: dict[str, dict[str, float | str]] = {}
    for cell in params.cells:
        if params.is_planned(cell):
            scores.setdefault(cell.budget, {})[str(cell)] = _winner_score(places, cell)
    found: Scores = scores
    return select_budgets(plan.budgets, found, metric=objective)


def _winner_score(places: Places, cell: Cell) -> float | str:
    ending = read_ending(places.choice(cell))
    if ending.status is not CellStatus.DONE:
        return ending.reason or str(ending.status)
    winner = read_coverage(places.coverage(cell)).winner
    if winner is None:
        raise WorkFailed(f"{places.coverage(cell)} names no winner where {places.choice(cell)} has one: {REBUILD}")
    return winner.score


def _search_cell(work: CellWork, plan: SupplementaryPlan, supplement: Supplement, tracker: Tracker | None) -> bool:
    """Search one cell and write its summary. Returns True when a trial has a score."""
    summary = work.places.supplementary_summary(work.cell)
    choice = read_choice(work.places.choice(work.cell))
    if isinstance(choice, Ending):
        reason = f"its search has no winner: {choice.reason}"
        write_summary(summary, Ending.of(work.cell, CellStatus.FAILED, reason))
        return False
    question = SupplementaryQuestion(
        search=work.search_key,
        winner=choice,
        supplement=dataclasses.asdict(supplement),
        trials=plan.trials,
        code=plan.code,
    )
    key = digest(json_of(question))
    live = work.places.supplementary_study(work.cell, key)
    with exclusive_lock(live, f"the supplementary search of {work.cell}"):
        winner = _winner(work, choice)
        search = Search(
            work=work,
            phase=Phase.SUPPLEMENTARY,
            key=key,
            folder=live,
            question=question,
            space=space_around_winner(winner, supplement, work),
            schedule=Schedule(
                forced=(),
                learns=True,
                trials_total=plan.trials,
                objective=Objective(work.search_plan.search.objective),
                stop=None,
                classes=validation_classes(work.dataset.folds),
            ),
            pruning=work.search_plan.search.pruning,
            known=[winner],
        )
        found = run_search(search, tracker or MlflowTracker(work.places.mlruns, work.params.study.name))
        if isinstance(found, str):
            write_summary(summary, Ending.of(work.cell, CellStatus.FAILED, found))
            return False
        if found.heat_stop is not None:
            done = f"{len(found.records)} of {search.schedule.trials_total} supplementary trials"
            raise WorkFailed(f"{work.cell}: {heat_reason(found.heat_stop.reading, done)}")
        write_trials(summary.with_name(TRIALS), found.records)
        score = _winner_score(work.places, work.cell)
        write_summary(summary, _summary(search, found, score))
        return found.best is not None


def _winner(work: CellWork, choice: Choice) -> Configuration:
    return Configuration(
        spec=work.spec(choice.architecture),
        settings=Settings.from_record(choice.settings),
        effective_batch=work.recipe.effective_batch,
    )


def space_around_winner(winner: Configuration, supplement: Supplement, work: CellWork) -> SearchSpace:
    """Return the search space around `winner`: each value that the supplement varies beside the winner's own, all else
    as in the winner."""
    spec, settings = winner.spec, winner.settings
    heads = sorted({spec.n_heads, *(heads for heads in supplement.n_heads if spec.d_model % heads == 0)})
    n_windows = len(work.dataset.train)
    steps = settings.epochs * -(-n_windows // winner.effective_batch)
    # The winner's warm-up as a share of its steps, whose number depends on the batch size.
    own: dict[str, float] = {
        **{name: float(value) for name, value in settings.to_record().items() if name != "warmup_steps"},
        "warmup_fraction": settings.warmup_steps / steps,
    }
    choices = {
        name: Choices(choices=_with_own_value(value, supplement.settings.get(name, ()))) for name, value in own.items()
    }
    return SearchSpace(
        grid=Grid(work.cell.budget, tuple(dataclasses.replace(spec, n_heads=count) for count in heads)),
        settings=SpaceParams(warmup_steps=None, **choices),
        effective_batches=tuple(sorted({winner.effective_batch, *supplement.effective_batches})),
        n_windows=n_windows,
    )


def _with_own_value(own: float, others: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(sorted({own, *others}))


def _summary(search: Search, found: SearchResult, winner_score: float | str) -> SupplementSummary:
    objective = search.schedule.objective
    best = found.best
    scores = [score for record in found.records if (score := objective.score(record)) is not None]
    return SupplementSummary(
        cell=str(search.work.cell),
        budget=search.work.cell.budget,
        horizon=search.work.cell.horizon,
        objective=objective.name,
        winner_score=winner_score,
        trials_total=search.schedule.trials_total,
        trials_done=len(found.records),
        best_score=max(scores, default=None),
        best_number=None if best is None else best.number,
        best=None if best is None else {name: best.params[name] for name in _VARIED},
        standard_error=None if best is None else objective.standard_error(best, *search.schedule.classes),
        finished=None if found.finished is None else found.finished.reason,
    )


_VARIED = ("n_heads", "learning_rate", "weight_decay", "effective_batch")
