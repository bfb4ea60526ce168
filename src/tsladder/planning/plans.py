"""Plan files of a cell, and the identities computed from them: of a study, a search, a retraining and its scores.

Light imports only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tsladder.artifacts.choice import Choice
from tsladder.artifacts.panel_splits import PanelSplits
from tsladder.artifacts.plans import EvaluatePlan, NotPlanned, Plan, PretrainPlan, SearchPlan, TrainPlan
from tsladder.artifacts.record import json_of
from tsladder.artifacts.splits import HorizonSplits
from tsladder.artifacts.store import digest
from tsladder.places import Places
from tsladder.vocabulary import Cell


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanFiles:
    """Contents of the three plan files of a planned cell."""

    search: SearchPlan
    train: TrainPlan
    evaluate: EvaluatePlan


@dataclass(frozen=True, kw_only=True, slots=True)
class CellPlans:
    """Plan files of one cell. `files` is None where the cell lies above the top rung; `search`, `train` and `evaluate`
    then raise ValueError. `pretrain`: the fourth plan file of a panel study; None in a series study."""

    cell: Cell
    files: PlanFiles | None
    pretrain: PretrainPlan | NotPlanned | None = None

    @property
    def planned(self) -> bool:
        return self.files is not None

    @property
    def search(self) -> SearchPlan:
        return self._files().search

    @property
    def train(self) -> TrainPlan:
        return self._files().train

    @property
    def evaluate(self) -> EvaluatePlan:
        return self._files().evaluate

    def _files(self) -> PlanFiles:
        if self.files is None:
            raise ValueError(f"{self.cell} is not planned")
        return self.files

    def by_path(self, places: Places) -> dict[Path, Plan | NotPlanned]:
        """Return the contents of the cell's plan files by path."""
        paths = places.search_plan(self.cell), places.train_plan(self.cell), places.evaluate_plan(self.cell)
        fourth: dict[Path, Plan | NotPlanned] = {}
        if self.pretrain is not None:
            fourth[places.pretrain_plan(self.cell)] = self.pretrain
        if self.files is None:
            nothing = NotPlanned(cell=str(self.cell), budget=self.cell.budget, horizon=self.cell.horizon)
            return {**dict.fromkeys(paths, nothing), **fourth}
        return {**dict(zip(paths, (self.search, self.train, self.evaluate), strict=True)), **fourth}


def study_key(search_plans: Mapping[str, SearchPlan | NotPlanned]) -> str:
    """Return the identity of a study's question: a digest of the search plans of its planned cells."""
    return digest({name: json_of(plan) for name, plan in search_plans.items() if isinstance(plan, SearchPlan)})


def cell_key(plan: SearchPlan, features_fingerprint: str, splits: HorizonSplits | PanelSplits) -> str:
    """Return the identity of one cell's search: of its plan and the VALUES it is computed from."""
    return digest(json_of(plan), features_fingerprint, json_of(splits))


def train_key(plan: TrainPlan, choice: Choice, features_fingerprint: str, splits: HorizonSplits | PanelSplits) -> str:
    """Return the identity of one trained winner, whatever the number of seeds: another seed never retrains the
    others."""
    without_count = {key: value for key, value in json_of(plan).items() if key != "seeds"}
    return digest(without_count, json_of(choice), features_fingerprint, json_of(splits))


def retraining_key(
    plan: TrainPlan, choice: Choice, features_fingerprint: str, splits: HorizonSplits | PanelSplits
) -> str:
    """Return the identity of one cell's retraining: of the trained winner and its number of seeds."""
    return digest(train_key(plan, choice, features_fingerprint, splits), plan.seeds)


def scoring_key(plan: EvaluatePlan, retraining: str) -> str:
    """Return the identity of one cell's scores: of its evaluation plan and the `retraining` that is scored."""
    return digest(json_of(plan), retraining)
