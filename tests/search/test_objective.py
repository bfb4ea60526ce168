"""One definition of a cell's best: the trial that leads by the objective, and its figures."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tsladder.search.objective import Objective


@dataclass(frozen=True, slots=True)
class Line:
    number: int
    best_val_loss: float | None
    val_auc: float | None
    state: str = "complete"


# The lowest loss, the highest AUC and the highest of all on a trial that was given up are three trials.
TRIALS = [
    Line(0, 0.50, 0.61),
    Line(1, 0.55, 0.64),
    Line(2, 0.55, 0.64),
    Line(3, 0.52, None),
    Line(4, 0.40, 0.90, "pruned"),
    Line(5, None, None, "failed"),
]


@pytest.mark.parametrize(("name", "leader"), [("val_loss", 0), ("val_auc", 1)])
def test_the_leader_is_the_earliest_of_the_best_complete_trials(name: str, leader: int) -> None:
    assert Objective(name).best(TRIALS) is TRIALS[leader]


def test_all_figures_are_those_of_one_trial() -> None:
    by_auc, by_loss = Objective("val_auc"), Objective("val_loss")
    assert by_auc.figures(by_auc.best(TRIALS)) == {"best_score": 0.64, "best_val_loss": 0.55, "best_val_auc": 0.64}
    assert by_loss.figures(by_loss.best(TRIALS)) == {"best_score": -0.50, "best_val_loss": 0.50, "best_val_auc": None}


@pytest.mark.parametrize("name", ["val_loss", "val_auc"])
def test_without_a_scored_trial_there_is_no_leader_and_no_figure(name: str) -> None:
    objective = Objective(name)
    assert objective.best(TRIALS[4:]) is None
    assert set(objective.figures(None).values()) == {None}


def test_a_trial_without_an_auc_leads_by_its_loss_alone() -> None:
    assert Objective("val_auc").score(TRIALS[3]) is None
    assert Objective("val_loss").score(TRIALS[3]) == -0.52
