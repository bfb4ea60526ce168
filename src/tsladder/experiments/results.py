"""Read the results of one experiment from its folder: parameters, laws, daily losses."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsladder.artifacts.law import HorizonLaw, StudyLaw, law_of_plain, stored_law
from tsladder.artifacts.panel_splits import read_panel_splits
from tsladder.artifacts.scores import CellScores, read_scores
from tsladder.artifacts.splits import read_summary
from tsladder.artifacts.store import if_there
from tsladder.errors import BadInput, WorkFailed
from tsladder.evaluation.predictions import DailyLosses, Predictions, read_predictions
from tsladder.params import EvaluationParams, RankingEvaluationParams, names_panel
from tsladder.places import Places
from tsladder.typed_yaml import Reader, read_yaml
from tsladder.vocabulary import Cell, Region, parse_budget

ASKED = ("params.yaml", "dvc.lock")
RESULTS = ("artifacts/law/scaling.json", "artifacts/splits", "artifacts/scores")
"""Paths of an experiment's results, relative to its root."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Days:
    """Training period of a horizon according to the splits; None where they do not tell. `windows`: windows, or sample
    days of a panel."""

    windows: int | None
    first_day: str | None
    last_day: str | None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ScoredCell:
    """Daily losses of one cell on the compared region and on validation, by which the best cell is chosen."""

    cell: Cell
    skill: float | None
    scored: Predictions
    validation: Predictions

    def losses(self, experiment: str) -> DailyLosses:
        """Return the losses of its seeds, under a name that includes the experiment's."""
        return self.scored.trained(f"{experiment} {self.cell}")

    @property
    def loss(self) -> float:
        """Mean loss over seeds and days of the compared region."""
        return float(self.scored.trained(str(self.cell)).loss_N.mean())

    @property
    def validation_loss(self) -> float:
        return float(self.validation.trained(str(self.cell)).loss_N.mean())


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Experiment:
    """Results of one experiment. `params`: every leaf of its params.yaml by dotted path, as plain data. `laws`: horizon
    -> its law, of the losses of region `law_region`. `region`: the compared region. `cells`: the scored ones, smallest
    rung first. `trained_on`: horizon -> days."""

    name: str
    params: Mapping[str, Any]
    seed: int
    evaluation: EvaluationParams
    metric: str
    region: str
    law_region: str
    laws: Mapping[int, HorizonLaw]
    cells: Mapping[Cell, ScoredCell]
    trained_on: Mapping[int, Days]

    @property
    def horizons(self) -> tuple[int, ...]:
        """Horizons with a scored cell."""
        return tuple(sorted({cell.horizon for cell in self.cells}))

    def of_horizon(self, horizon: int) -> Mapping[Cell, ScoredCell]:
        return {cell: scored for cell, scored in self.cells.items() if cell.horizon == horizon}

    def best(self, horizon: int) -> ScoredCell:
        """Return the cell with the lowest validation loss; raises ValueError where the horizon has no scored cell."""
        return min(self.of_horizon(horizon).values(), key=lambda scored: scored.validation_loss)

    def days(self, horizon: int) -> tuple[NDArray[np.datetime64], NDArray[Any]]:
        """Return (dates_N, y_N) of a horizon with a scored cell; all its cells share them."""
        scored = next(iter(self.of_horizon(horizon).values())).scored
        return scored.dates_N, scored.y_N


def read_experiment(places: Places, name: str, region: str | None = None) -> Experiment:
    """Read the experiment `name`, whose files lie in `places`. `region`: the region to compare, None for that of its
    law.

    Raises BadInput for an experiment that has no scored cell or that another version of tsladder laid out differently,
    WorkFailed for damaged files.
    """
    try:
        return _read(places, name, region)
    except WorkFailed as error:
        # The folder is temporary, so name the file as git does: revision:path.
        raise WorkFailed(str(error).replace(f"{places.root}/", f"{name}:")) from None


def _read(places: Places, name: str, region: str | None) -> Experiment:
    raw = read_yaml(places.params)
    reader = Reader()
    kind = RankingEvaluationParams if names_panel(raw) else EvaluationParams
    evaluation = reader.read(kind, _field(name, raw, "evaluation"), "evaluation")
    seed = reader.read(int, _field(name, raw, "study", "seed"), "study.seed")
    if reader.faults:
        raise BadInput(f"params.yaml of {name} cannot be read:", reader.faults)
    law = _law(places, name)
    scored_region = Region(region or law.region)
    cells = {}
    for folder in sorted((places.artifacts / "scores").glob("*-h*"), key=_in_order):
        cell = Cell.parse(folder.name)
        scores = read_scores(places.scores_record(cell))
        if isinstance(scores, CellScores):
            cells[cell] = _scored(places, cell, scores.regions[scored_region].skill, scored_region)
    if not cells:
        raise BadInput(f"{name} has no scored cell: build one with `tsladder run`, or name another experiment")
    _refuse_mixed(name, cells)
    return Experiment(
        name=name,
        # Older studies of a series do not have this leaf; they use the volume.
        params={**({} if names_panel(raw) else {"data.volume": True}), **dict(leaves(raw))},
        seed=seed,
        evaluation=evaluation,
        metric=law.metric,
        region=scored_region,
        law_region=law.region,
        laws=law.horizons,
        cells=cells,
        trained_on=_panel_trained_on(places, cells) if names_panel(raw) else _trained_on(places),
    )


def leaves(raw: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every leaf of nested mappings with its dotted path; a list is a leaf, and so is an empty mapping, which
    stands for the defaults of its section."""
    if isinstance(raw, Mapping) and (raw or not path):
        for key, value in raw.items():
            yield from leaves(value, f"{path}.{key}" if path else str(key))
    else:
        yield path, raw


def _field(name: str, record: Any, *keys: str) -> Any:
    for key in keys:
        if not isinstance(record, Mapping) or key not in record:
            raise BadInput(
                f"the results of {name} have the layout of another version of tsladder ({'.'.join(keys)} is "
                "missing): build them again with `tsladder run`, or name another revision"
            )
        record = record[key]
    return record


def _law(places: Places, name: str) -> StudyLaw:
    stored = stored_law(places.scaling) or {}
    try:
        return law_of_plain(
            stored, "scaling.json", remedy="build them again with `tsladder run`, or name another revision"
        )
    except WorkFailed as error:
        raise BadInput(f"the results of {name} are not laid out as this version of tsladder does it: {error}") from None


def _in_order(folder: Any) -> tuple[int, int]:
    cell = Cell.parse(folder.name)
    return parse_budget(cell.budget), cell.horizon


def _scored(places: Places, cell: Cell, skill: float | None, region: Region) -> ScoredCell:
    path = places.predictions(cell)
    validation = read_predictions(path, Region.VALIDATION)
    scored = validation if region is Region.VALIDATION else read_predictions(path, region)
    return ScoredCell(cell=cell, skill=skill, scored=scored, validation=validation)


def _refuse_mixed(name: str, cells: Mapping[Cell, ScoredCell]) -> None:
    first: dict[int, ScoredCell] = {}
    for cell, scored in cells.items():
        one, other = first.setdefault(cell.horizon, scored).scored, scored.scored
        if not (np.array_equal(one.dates_N, other.dates_N) and np.array_equal(one.y_N, other.y_N)):
            raise BadInput(
                f"{name}: {first[cell.horizon].cell} and {cell} were not scored on the same days and labels: its run "
                "was not finished; end it with `tsladder run`"
            )


def _trained_on(places: Places) -> dict[int, Days]:
    summary = if_there(read_summary)(places.splits_summary)
    found = {}
    for horizon, splits in () if summary is None else summary.horizons.items():
        train = splits.counts[Region.TRAIN]
        found[horizon] = Days(windows=train.windows, first_day=_iso(train.first_day), last_day=_iso(train.last_day))
    return found


def _panel_trained_on(places: Places, cells: Iterable[Cell]) -> dict[int, Days]:
    found = {}
    for horizon in {cell.horizon for cell in cells}:
        splits = if_there(read_panel_splits)(places.horizon_splits(horizon))
        if splits is not None:
            train = splits.counts[Region.TRAIN]
            found[horizon] = Days(windows=train.samples, first_day=_iso(train.first_day), last_day=_iso(train.last_day))
    return found


def _iso(day: dt.date | None) -> str | None:
    return None if day is None else day.isoformat()
