"""Transfer of winners: train every cell's winner on the other horizons of its rung, on the same seeds, and measure its
regret."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tsladder.artifacts.choice import Choice, read_choice, read_winner
from tsladder.artifacts.ending import Ending, read_ending
from tsladder.artifacts.plans import NotPlanned, TrainPlan, TransferPlan, read_plan, read_planned
from tsladder.artifacts.store import digest, replacing
from tsladder.artifacts.transfer import Regret, Transfer, write_transfer
from tsladder.cells.forecasting import forecasting
from tsladder.cells.retrain import train_seeds
from tsladder.cells.scoring import scoring_of, trained_seeds
from tsladder.cells.work import CellWork, open_cell
from tsladder.errors import WorkFailed
from tsladder.evaluation.predictions import SEED_PREFIX, loss_column
from tsladder.evaluation.region import RegionForecasts
from tsladder.evaluation.transfer import Floats, regret, transfer_verdict
from tsladder.locks import exclusive_lock
from tsladder.params import Params
from tsladder.places import Places
from tsladder.planning.endings import note_ending
from tsladder.planning.plans import train_key
from tsladder.seeds import derive_seed
from tsladder.tracking import Tracker
from tsladder.vocabulary import Cell, CellStatus, Region, parse_budget

if TYPE_CHECKING:
    import pandas as pd

Losses = dict[int, Floats]
"""Seed number -> loss of each day, in order of date."""


def transfer_winners(places: Places, params: Params, tracker: Tracker | None = None) -> None:
    """Transfer the winners and write artifacts/transfer/: the predictions of every transferred winner, and the verdict.

    The next run repeats what ended without a result. Raises Interrupted when asked to stop, WorkFailed when the machine
    becomes too hot; the next start trains only the seeds that are missing.
    """
    plan = read_plan(TransferPlan, places.transfer_plan)
    if isinstance(plan, NotPlanned):
        not_planned = Ending(status=CellStatus.NOT_PLANNED, reason=plan.reason)
        write_transfer(places.transfer_record, not_planned)
        return
    regrets: list[Regret] = []
    rungs = [rung for rung in params.ladder if parse_budget(rung) <= parse_budget(params.budget)]
    for rung in rungs:
        choices = {horizon: read_choice(places.choice(Cell(rung, horizon))) for horizon in params.horizons}
        for horizon in params.horizons:
            regrets += _regrets_on(places, params, plan, Cell(rung, horizon), choices, tracker)
    evaluation = plan.evaluation
    verdict = transfer_verdict(regrets, margin=rung_gain(params), confidence=evaluation.confidence)
    write_transfer(
        places.transfer_record,
        Transfer(
            region=params.law.region,
            confidence=evaluation.confidence,
            seeds=params.train.seeds,
            verdict=verdict.verdict,
            reason=verdict.reason,
            margin=verdict.margin,
            regrets=verdict.regrets,
        ),
    )
    note_ending(places, places.transfer_plan, without_result=any(item.value is None for item in regrets))


def rung_gain(params: Params) -> float:
    """Return what one step of this ladder gains, as a share of the loss, under the smallest exponent of interest.

    The narrowest step counts; a ladder of one rung counts as doubling. A loss of this size from foreign settings hides
    a rung.
    """
    sizes = [parse_budget(rung) for rung in params.ladder if parse_budget(rung) <= parse_budget(params.budget)]
    step = min((large / small for small, large in itertools.pairwise(sizes)), default=2.0)
    return 1.0 - float(step**-params.law.alpha_of_interest)


def _regrets_on(
    places: Places,
    params: Params,
    plan: TransferPlan,
    cell: Cell,
    choices: Mapping[int, Choice | Ending],
    tracker: Tracker | None,
) -> list[Regret]:
    """Return the regrets of all other winners of the rung on the horizon of `cell`."""
    sources = [horizon for horizon in choices if horizon != cell.horizon]

    def unknown(source: int, reason: str) -> Regret:
        return Regret(budget=cell.budget, horizon=cell.horizon, source=source, reason=reason)

    native = _native_losses(places, cell, params.law.region)
    if isinstance(native, str):
        return [unknown(source, native) for source in sources]
    own = read_winner(places.choice(cell))
    work: CellWork | None = None
    found = []
    for source in sources:
        choice = choices[source]
        if isinstance(choice, Ending):
            found.append(unknown(source, f"the search of h{source} has no winner: {choice.reason}"))
            continue
        if (choice.architecture, choice.settings) == (own.architecture, own.settings):
            same = Regret(budget=cell.budget, horizon=cell.horizon, source=source, value=0.0, relative=0.0, same=True)
            found.append(same)
            continue
        work = work or open_cell(places, params, cell, read_planned(TrainPlan, places.train_plan(cell)))
        foreign = dataclasses.replace(own, architecture=choice.architecture, settings=choice.settings)
        losses = _transferred_losses(work, plan.code, source, foreign, tracker)
        if isinstance(losses, str):
            found.append(unknown(source, losses))
            continue
        found.append(
            regret(
                cell.budget,
                cell.horizon,
                source,
                own=native,
                transferred=losses,
                params=plan.evaluation,
                seed=derive_seed(plan.seed, str(cell), "transfer", source),
            )
        )
    return found


def _native_losses(places: Places, cell: Cell, region: str) -> Losses | str:
    """Return the losses of the cell's own winner, as the evaluation left them; or the reason why there are none."""
    import pandas as pd

    ending = read_ending(places.scores_record(cell))
    if ending.status is not CellStatus.DONE:
        return f"{cell} has no score: {ending.reason}"
    return _losses(pd.read_parquet(places.predictions(cell)), region)


def _transferred_losses(
    work: CellWork, code: Mapping[str, str], source: int, choice: Choice, tracker: Tracker | None
) -> Losses | str:
    """Return the losses of another winner trained on the windows of `work`; or the reason why it could not be
    trained."""
    import pandas as pd

    key = train_key(work.train_plan, choice, work.dataset.fingerprint(), work.dataset.splits_record)
    live = work.places.transfer_training(work.cell, key)
    with exclusive_lock(live, f"the transfer from h{source} to {work.cell}"):
        region = work.params.law.region
        predictions = live / f"predictions-{digest(code, region)[:16]}.parquet"
        if not predictions.exists():
            trained = train_seeds(work, choice, live, tracker, winner_of=f"from-h{source}")
            if isinstance(trained, str):
                return trained
            if trained.heat_stop is not None:
                raise WorkFailed(f"the winner of h{source} on {work.cell}: {trained.heat_stop}")
            if trained.fault is not None:
                return f"training the winner of h{source} on {work.cell} failed for {trained.fault}"
            _write_parquet(predictions, _forecast(work, choice, trained.folders, Region(region)))
        frame = pd.read_parquet(predictions)
    _write_parquet(work.places.transfer / f"{work.cell}-from-h{source}.parquet", frame)
    return _losses(frame, region)


def _forecast(work: CellWork, choice: Choice, folders: Mapping[int, Path], region: Region) -> pd.DataFrame:
    windows = work.series.windows.region(region)
    with forecasting(trained_seeds(work, choice, folders), {region: windows}) as future:
        region_forecasts = RegionForecasts(
            y_N=windows.y_N,
            dates_N=windows.dates_N,
            fingerprint=windows.fingerprint(),
            by_seed=future.result()[region],
            baselines=(),
            seed=work.seed,
        )
        return scoring_of(work).frame(region, region_forecasts)


def _losses(frame: pd.DataFrame, region: str) -> Losses:
    rows = frame[(frame["region"] == region) & frame["model"].str.startswith(SEED_PREFIX)]
    return {
        int(str(model).removeprefix(SEED_PREFIX)): of_seed.sort_values("date")[loss_column(frame)].to_numpy()
        for model, of_seed in rows.groupby("model")
    }


def _write_parquet(path: Path, frame: pd.DataFrame) -> None:
    with replacing(path) as temporary:
        frame.to_parquet(temporary, index=False)
