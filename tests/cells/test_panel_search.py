"""The search of a cell of a panel study: its files of trials, what counts as a result, what other searches give it."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.execution.instant import InstantCrew, InstantCrews, Killed
from tests.panel_studies import MODELS, make_panel_study, opened_cell, panel_params_of, prepare_panel, search_panel_cell
from tests.studies import verb

from tsladder.artifacts.outcome import TrainingOutcome
from tsladder.artifacts.store import read_json, read_lines
from tsladder.artifacts.trial_metrics import ALL_TRIALS, EndedState, TrialMetrics, metrics_path, read_trial_metrics
from tsladder.artifacts.trials import TrialState, read_trials
from tsladder.cells.trial_files import write_trial_files
from tsladder.execution.crew import Ended, Event
from tsladder.places import Places
from tsladder.planning.machine import Machine
from tsladder.tracking import MemoryTracker
from tsladder.vocabulary import Cell, StopReason

CELL = Cell("12k", 1)
TRIALS = 6
PRUNING = {"min_cohort": 4, "min_steps": 1, "goal": 0.1, "reach": 0.5}


class Crews(InstantCrews):
    """Crews whose jobs end as `endings` say, the others as they would."""

    def __init__(self, endings: dict[int, StopReason] | None = None, kill_after: int | None = None) -> None:
        super().__init__()
        self.endings, self.kill_after = endings or {}, kill_after

    def __call__(self, machine: Machine) -> InstantCrew:
        return _Crew(self, machine)


class _Crew(InstantCrew):
    def events(self, timeout: float | None = None) -> Any:
        crews = self._crews
        assert isinstance(crews, Crews)
        if crews.kill_after is not None and len(crews.trained) >= crews.kill_after:
            raise Killed
        for event in super().events(timeout):
            yield self._changed(event, crews.endings)

    def _changed(self, event: Event, endings: dict[int, StopReason]) -> Event:
        if not isinstance(event, Ended):
            return event
        reason = endings.get(event.number)
        outcome = (
            completed(event.outcome)
            if reason is None
            else dataclasses.replace(event.outcome, stop_reason=reason, best_val_loss=None, val_loss_se=None)
        )
        return Ended(event.number, outcome, event.attempt)


def completed(outcome: TrainingOutcome) -> TrainingOutcome:
    """The outcome of a training on days that came to its end; a pruned one stays pruned."""
    if outcome.stop_reason is StopReason.PRUNED:
        return outcome
    ended = {"stop_reason": StopReason.COMPLETED, "best_val_loss": outcome.curve[-1][1], "val_auc": None}
    return dataclasses.replace(outcome, **ended)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Places:
    """Features, splits and plans of a study, which no test here changes."""
    places = make_panel_study(tmp_path_factory.mktemp("template"), **MODELS)
    prepare_panel(places)
    return places


@pytest.fixture
def study(template: Places, tmp_path: Path) -> Callable[..., Places]:
    """A study in a folder of its own, or the same one asked something else."""

    def ask(name: str = "study", **leaves: Any) -> Places:
        folder = tmp_path / name
        live = folder / "mlruns"
        kept = tmp_path / f"{name}-mlruns"
        if live.exists():
            live.rename(kept)
            shutil.rmtree(folder)
        places = make_panel_study(folder, **(MODELS | leaves))
        if kept.exists():
            kept.rename(live)
        shutil.copytree(template.artifacts, places.artifacts, dirs_exist_ok=True)
        verb("panel/plan")(places, panel_params_of(places))
        return places

    return ask


def live_folder(places: Places) -> Path:
    (folder,) = places.live_records(CELL, "hpo")
    return folder


def metrics_in(folder: Path) -> dict[int, TrialMetrics]:
    paths = sorted(folder.glob("trial_*/metrics.json"))
    return {found.trial: found for path in paths for found in (read_trial_metrics(path),)}


def listed_in(folder: Path) -> dict[int, dict[str, Any]]:
    return {one["number"]: one for one in json.loads((folder / ALL_TRIALS).read_text())}


# --------------------------------------------------------------------------- files of trials


def test_every_trial_has_its_metrics_and_a_line_in_the_list_live_and_among_the_outputs(
    study: Callable[..., Places],
) -> None:
    places = study()
    search_panel_cell(places, CELL, crews=Crews())
    records = {record.number: record for record in read_trials(places.hpo(CELL) / "trials.jsonl")}
    assert sorted(records) == list(range(TRIALS))
    for folder in (live_folder(places), places.hpo(CELL)):
        metrics, listed = metrics_in(folder), listed_in(folder)
        assert sorted(metrics) == sorted(listed) == list(range(TRIALS))
        for number, record in records.items():
            one, line = metrics[number], listed[number]
            assert (one.state, one.rank_error) == (EndedState.COMPLETE, record.best_val_loss)
            assert (line["state"], line["params"]) == ("COMPLETE", dict(record.params))
            assert line["value"] == pytest.approx(1.0 - one.rank_error)  # type: ignore[operator]
            assert (
                one.architecture.items()
                >= {name: record.params[name] for name in ("d_model", "n_layers", "n_heads", "d_ff")}.items()
            )
            assert one.settings["learning_rate"] == record.params["learning_rate"]
            assert (one.cell, one.base_rate_loss) == (str(CELL), 1.0)
    best = max(listed_in(places.hpo(CELL)).values(), key=lambda line: (line["value"], -line["number"]))
    choice = read_json(places.choice(CELL))
    assert choice["n_params"] == best["params"]["n_params"]
    assert choice["settings"]["learning_rate"] == best["params"]["learning_rate"]


def test_they_are_there_as_soon_as_a_trial_has_ended_and_a_kill_loses_none(study: Callable[..., Places]) -> None:
    places = study()
    with pytest.raises(Killed):
        search_panel_cell(places, CELL, crews=Crews(kill_after=3))
    folder = live_folder(places)
    ended = {line["number"] for line in read_lines(folder / "trials.jsonl")}
    assert len(ended) == 3
    assert set(metrics_in(folder)) == set(listed_in(folder)) == ended
    assert read_json(folder / "best_params.json")["n_trials"] == 3
    assert not places.choice(CELL).exists()
    shutil.rmtree(folder / f"trial_{min(ended)}")  # killed between its line and its metrics
    search_panel_cell(places, CELL, crews=Crews())
    assert set(metrics_in(folder)) == set(metrics_in(places.hpo(CELL))) == set(range(TRIALS))


SLOWLY = pytest.mark.slow


@pytest.mark.parametrize(
    "reason",
    [
        StopReason.DIVERGED,
        StopReason.KILLED,
        pytest.param(StopReason.OUT_OF_MEMORY, marks=SLOWLY),
        pytest.param(StopReason.ERROR, marks=SLOWLY),
    ],
)
def test_a_trial_without_a_metric_has_failed_with_value_null_and_is_never_the_best(
    study: Callable[..., Places], reason: StopReason
) -> None:
    """The earlier study counted such a trial as 0, which was better than a negative value."""
    places = study()
    search_panel_cell(places, CELL, crews=Crews(dict.fromkeys(range(TRIALS - 1), reason)))
    folder = places.hpo(CELL)
    metrics, listed = metrics_in(folder), listed_in(folder)
    assert {number: one.state for number, one in metrics.items()} == {
        **dict.fromkeys(range(TRIALS - 1), EndedState.FAIL),
        TRIALS - 1: EndedState.COMPLETE,
    }
    for number in range(TRIALS - 1):
        assert (metrics[number].rank_error, metrics[number].validation) == (None, None)
        assert (listed[number]["state"], listed[number]["value"]) == ("FAIL", None)
        assert metrics[number].stop_reason is reason
    winner = metrics[TRIALS - 1]
    assert read_json(places.choice(CELL))["architecture"].items() <= dict(winner.architecture).items()


def test_a_search_without_any_result_is_a_failed_cell_and_says_why(study: Callable[..., Places]) -> None:
    places = study()
    search_panel_cell(places, CELL, crews=Crews(dict.fromkeys(range(TRIALS), StopReason.DIVERGED)))
    choice = read_json(places.choice(CELL))
    assert choice["status"] == "failed"
    assert "6 diverged" in choice["reason"]
    assert {one["value"] for one in listed_in(places.hpo(CELL)).values()} == {None}


def test_a_loss_that_is_no_number_has_failed_even_where_its_line_says_complete(study: Callable[..., Places]) -> None:
    places = study()
    search_panel_cell(places, CELL, crews=Crews())
    work = opened_cell(places, CELL)
    first, *others = read_trials(places.hpo(CELL) / "trials.jsonl")
    broken = dataclasses.replace(first, outcome=dataclasses.replace(first.outcome, best_val_loss=float("nan")))
    assert broken.state is TrialState.COMPLETE
    folder = places.root / "elsewhere"
    write_trial_files(work, "key", folder, [broken, *others])
    assert (metrics_in(folder)[0].state, metrics_in(folder)[0].rank_error) == (EndedState.FAIL, None)
    assert (listed_in(folder)[0]["state"], listed_in(folder)[0]["value"]) == ("FAIL", None)
    assert "NaN" not in (folder / ALL_TRIALS).read_text() + metrics_path(folder, 0).read_text()


def test_a_pruned_trial_has_no_value_and_is_never_the_best(study: Callable[..., Places]) -> None:
    places = study(
        search__trials=16, search__pruning=PRUNING, search__presets__panel_quick__space__epochs={"choices": [6]}
    )
    search_panel_cell(places, CELL, crews=Crews())
    pruned = {number for number, one in metrics_in(places.hpo(CELL)).items() if one.state is EndedState.PRUNED}
    assert pruned
    listed = listed_in(places.hpo(CELL))
    assert {listed[number]["value"] for number in pruned} == {None}
    complete = {number: line["value"] for number, line in listed.items() if number not in pruned}
    best = read_json(places.hpo(CELL) / "best_params.json")
    assert best["best_val_loss"] == pytest.approx(1.0 - max(complete.values()))


def test_a_trial_that_the_machine_ended_has_the_metrics_of_its_next_attempt(study: Callable[..., Places]) -> None:
    places = study()
    search_panel_cell(places, CELL, crews=Crews(dict.fromkeys(range(TRIALS), StopReason.KILLED)))
    assert read_json(places.choice(CELL))["status"] == "failed"
    assert {one.state for one in metrics_in(live_folder(places)).values()} == {EndedState.FAIL}
    search_panel_cell(places, CELL, crews=Crews())
    for folder in (live_folder(places), places.hpo(CELL)):
        assert {one.state for one in metrics_in(folder).values()} == {EndedState.COMPLETE}
        assert None not in {one["value"] for one in listed_in(folder).values()}


def test_runs_name_loss_and_figures_of_a_ranking(study: Callable[..., Places]) -> None:
    tracker = MemoryTracker()
    search_panel_cell(study(), CELL, tracker, crews=Crews())
    (parent,) = [run for run in tracker.runs() if run.name == str(CELL)]
    trials = tracker.runs(parent.run_id)
    assert len(trials) == TRIALS
    for run in trials:
        assert {"best_val_loss", "base_rate_loss", "score"} <= set(run.metrics)
        assert run.metrics["base_rate_loss"] == 1.0
        assert "val_auc" not in run.metrics
        assert (run.tags["task"], run.tags["model"], run.tags["tier"]) == ("rank", "panel_transformer", "s9")


# --------------------------------------------------------------------------- what other searches have trained


def searched(places: Places) -> list[dict[str, Any]]:
    """Trials without what is of the clock, says where they come from, or was predicted for the study they are from."""
    aside = ("seconds", "train_seconds", "started_ms", "ended_at", "taken_from", "predicted_memory_gib")
    lines = read_lines(places.hpo(CELL) / "trials.jsonl")
    return [{name: value for name, value in line.items() if name not in aside} for line in lines]


@pytest.mark.parametrize(
    ("then", "trained"),
    [
        ({"search__trials": 8}, [6, 7]),
        pytest.param(
            {"evaluation__cost_bps": 1.0, "train__seeds": 3, "law__alpha_of_interest": 0.01}, [], marks=SLOWLY
        ),
        pytest.param({"search__trials": 4}, [], marks=SLOWLY),
        pytest.param({"horizons": [1, 5]}, [], marks=SLOWLY),
        pytest.param({"study__name": "another", "splits__min_days": 21}, [], marks=SLOWLY),
    ],
    ids=str,
)
def test_a_search_takes_over_the_trials_that_another_one_has_trained(
    study: Callable[..., Places], then: dict[str, Any], trained: list[int]
) -> None:
    undisturbed = study("undisturbed", **then)
    search_panel_cell(undisturbed, CELL, crews=Crews())
    search_panel_cell(study(), CELL, crews=Crews())
    places = study(**then)
    crews = Crews()
    search_panel_cell(places, CELL, crews=crews)
    assert sorted(crews.trained) == trained
    assert searched(places) == searched(undisturbed)
    metrics, expected = metrics_in(places.hpo(CELL)), metrics_in(undisturbed.hpo(CELL))
    assert metrics == expected


@pytest.mark.parametrize(
    "then",
    [
        {"training__loss_weights": {"soft_spearman": 1.0}},
        {"target__entry_lag": 2},
        *(
            pytest.param(leaves, marks=SLOWLY)
            for leaves in (
                {"study__seed": 43},
                {"training__train_every": 3},
                {"training__stocks_per_day": 6},
                {"training__effective_batch": 16},
                {"target__transform": "zscore"},
                {"windows__context_length": 25},
                {"model__patch_len": 10},
            )
        ),
    ],
    ids=str,
)
def test_another_training_takes_nothing_over(study: Callable[..., Places], then: dict[str, Any]) -> None:
    search_panel_cell(study(), CELL, crews=Crews())
    places = study(**then)
    prepare_panel(places)
    crews = Crews()
    search_panel_cell(places, CELL, crews=crews)
    assert sorted(crews.trained) == list(range(TRIALS))
