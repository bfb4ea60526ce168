"""Every cell's winner on the other horizons of its rung: trained there on the same seeds, and its regret."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tsladder.artifacts.store import digest, read_json, write_json
from tsladder.cells.forecasting import forecasting
from tsladder.cells.retrain import train_seeds
from tsladder.cells.scoring import scoring_of, trained_seeds
from tsladder.cells.work import CellWork, open_cell
from tsladder.errors import WorkFailed
from tsladder.evaluation.predictions import SEED_PREFIX, loss_column
from tsladder.evaluation.region import RegionForecasts
from tsladder.evaluation.transfer import Floats, Regret, judge_transfer, regret
from tsladder.locks import sole_owner
from tsladder.params import EvaluationParams, Params
from tsladder.places import Places
from tsladder.planning.endings import note_ending
from tsladder.planning.plans import Plan, read_plan, train_key
from tsladder.seeds import derive_seed
from tsladder.tracking import Tracker
from tsladder.vocabulary import Cell, CellStatus, Region, parse_budget

if TYPE_CHECKING:
    import pandas as pd

RECORD = "transfer.json"

Choice = dict[str, Any]
Losses = dict[int, Floats]
"""Seed number -> loss of each day."""


def transfer_winners(places: Places, params: Params, tracker: Tracker | None = None) -> None:
    """Write artifacts/transfer/: the predictions of every transferred winner, and the verdict.

    The next run takes up again what ended without a result. Raises Interrupted when asked to stop, WorkFailed when the
    machine becomes too hot; the next start trains only the seeds that are missing.
    """
    plan = read_plan(places.transfer_plan)
    if not plan["planned"]:
        write_json(places.transfer / RECORD, {"status": CellStatus.NOT_PLANNED, "reason": plan["reason"]})
        return
    regrets: list[Regret] = []
    rungs = [rung for rung in params.ladder if parse_budget(rung) <= parse_budget(params.budget)]
    for rung in rungs:
        choices = {horizon: read_json(places.choice(Cell(rung, horizon))) for horizon in params.horizons}
        for horizon in params.horizons:
            regrets += _regrets_on(places, params, plan, Cell(rung, horizon), choices, tracker)
    evaluation = EvaluationParams(**plan["evaluation"])
    verdict = judge_transfer(regrets, margin=rung_gain(params), confidence=evaluation.confidence)
    write_json(
        places.transfer / RECORD,
        {
            "status": CellStatus.DONE,
            "region": params.law.region,
            "confidence": evaluation.confidence,
            "seeds": params.train.seeds,
            **verdict.to_json(),
        },
    )
    note_ending(places, places.transfer_plan, without_result=any(item.value is None for item in regrets))


def rung_gain(params: Params) -> float:
    """What one step of this ladder gains, as a share of the loss, under the smallest exponent of interest.

    The narrowest step counts; a ladder of one rung counts as doubling. A loss of this size from foreign settings hides
    a rung.
    """
    sizes = [parse_budget(rung) for rung in params.ladder if parse_budget(rung) <= parse_budget(params.budget)]
    step = min((large / small for small, large in itertools.pairwise(sizes)), default=2.0)
    return 1.0 - float(step**-params.law.alpha_of_interest)


def _regrets_on(
    places: Places, params: Params, plan: Plan, cell: Cell, choices: dict[int, Choice], tracker: Tracker | None
) -> list[Regret]:
    """Of all other winners of the rung on the horizon of `cell`."""
    own = choices[cell.horizon]
    sources = [horizon for horizon in choices if horizon != cell.horizon]

    def unknown(source: int, reason: str) -> Regret:
        return Regret(budget=cell.budget, horizon=cell.horizon, source=source, reason=reason)

    native = _native_losses(places, cell, params.law.region)
    if isinstance(native, str):
        return [unknown(source, native) for source in sources]
    work: CellWork | None = None
    found = []
    for source in sources:
        choice = choices[source]
        if choice["status"] != CellStatus.DONE:
            found.append(unknown(source, f"the search of h{source} has no winner: {choice.get('reason')}"))
            continue
        if _trained(choice) == _trained(own):
            same = Regret(budget=cell.budget, horizon=cell.horizon, source=source, value=0.0, relative=0.0, same=True)
            found.append(same)
            continue
        work = work or open_cell(places, params, cell, read_plan(places.train_plan(cell)))
        losses = _transferred_losses(work, plan["code"], source, {**own, **_trained(choice)}, tracker)
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
                params=EvaluationParams(**plan["evaluation"]),
                seed=derive_seed(plan["seed"], str(cell), "transfer", source),
            )
        )
    return found


def _trained(choice: Choice) -> Choice:
    """What of a choice is trained."""
    return {name: choice[name] for name in ("architecture", "settings")}


def _native_losses(places: Places, cell: Cell, region: str) -> Losses | str:
    """Of the own winner, as the evaluation left them; or why there are none."""
    import pandas as pd

    folder = places.scores(cell)
    scores = read_json(folder / "scores.json")
    if scores["status"] != CellStatus.DONE:
        return f"{cell} has no score: {scores.get('reason')}"
    return _losses(pd.read_parquet(folder / "predictions.parquet"), region)


def _transferred_losses(
    work: CellWork, code: Mapping[str, str], source: int, choice: Choice, tracker: Tracker | None
) -> Losses | str:
    """Of another winner trained on the windows of `work`; or why it could not be trained."""
    import pandas as pd

    key = train_key(work.plan, choice, work.dataset.table.fingerprint(), work.dataset.splits_record)
    live = work.places.transfer_training(work.cell, key)
    with sole_owner(live, f"the transfer from h{source} to {work.cell}"):
        region = work.params.law.region
        predictions = live / f"predictions-{digest(code, region)[:16]}.parquet"
        if not predictions.exists():
            trained = train_seeds(work, choice, live, tracker, of=f"from-h{source}")
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
    windows = work.dataset.windows.region(region)
    with forecasting(trained_seeds(work, choice, folders), {region: windows}) as under_way:
        made = RegionForecasts(
            y_N=windows.y_N,
            dates_N=windows.dates_N,
            fingerprint=windows.fingerprint(),
            by_seed=under_way.result()[region],
            baselines=(),
            seed=work.seed,
        )
        return scoring_of(work).frame(region, made)


def _losses(frame: pd.DataFrame, region: str) -> Losses:
    rows = frame[(frame["region"] == region) & frame["model"].str.startswith(SEED_PREFIX)]
    return {
        int(str(model).removeprefix(SEED_PREFIX)): of_seed.sort_values("date")[loss_column(frame)].to_numpy()
        for model, of_seed in rows.groupby("model")
    }


def _write_parquet(path: Path, frame: pd.DataFrame) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    frame.to_parquet(temporary, index=False)
    temporary.replace(path)
