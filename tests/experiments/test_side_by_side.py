"""Experiments side by side, from results in folders: no git and no DVC."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.experiments.written import DAYS, write_results

from tsladder.console.side_by_side import side_by_side_lines
from tsladder.errors import BadInput, WorkFailed
from tsladder.experiments.comparison import side_by_side
from tsladder.experiments.fairness import differing, reasons_not_comparable
from tsladder.experiments.results import Experiment, leaves, read_experiment
from tsladder.vocabulary import Cell

Made = Callable[..., Experiment]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    def make(name: str, *, region: str | None = None, **results: Any) -> Experiment:
        return read_experiment(write_results(tmp_path_factory.mktemp(name), **results), name, region)

    return make


@pytest.fixture(scope="module")
def plain(made: Made) -> Experiment:
    return made("plain")


@pytest.fixture(scope="module")
def sharper(made: Made) -> Experiment:
    return made("sharper", sharpness=0.2, data__tier="a200", trained_from="1999-12-30")


def test_the_sharper_experiment_is_better_on_every_rung_and_horizon(plain: Experiment, sharper: Experiment) -> None:
    found = side_by_side([plain, sharper])
    assert [(pair.horizon, pair.budget, pair.best_of_each) for pair in found.pairs] == [
        (1, "12k", False),
        (1, "30k", True),
        (3, "12k", False),
        (3, "30k", True),
    ]
    for pair in found.pairs:
        cell = Cell(str(pair.budget), pair.horizon)
        gap_N = sharper.cells[cell].losses("b").loss_N - plain.cells[cell].losses("a").loss_N
        assert pair.found.difference == pytest.approx(gap_N.mean())
        assert pair.found.low < pair.found.difference < pair.found.high < 0.0
        assert pair.found.days == DAYS
    assert found.refused == ()


def test_holms_correction_is_over_all_comparisons_of_the_answer(plain: Experiment, made: Made) -> None:
    """Step down by hand: the k-th smallest of m is multiplied by m - k + 1, and never falls below the one before."""
    near = [made(f"near-{number}", sharpness=0.1 + 0.002 * number) for number in (1, 2)]
    pairs = side_by_side([plain, *near]).pairs
    raw = np.sort([pair.found.p for pair in pairs])
    expected = np.minimum(1.0, np.maximum.accumulate(raw * np.arange(raw.size, 0, -1)))
    assert raw.size == 8
    np.testing.assert_allclose(np.sort([pair.p_holm for pair in pairs]), expected)


def test_the_best_cell_of_each_is_chosen_on_validation_and_compared_across_rungs(plain: Experiment, made: Made) -> None:
    small = made("small", budgets=("12k",))
    (rung, best) = (pair for pair in side_by_side([plain, small]).pairs if pair.horizon == 1)
    assert (rung.budget, rung.best_of_each) == ("12k", False)
    assert (best.budget, best.best_of_each, best.cells) == (None, True, ("30k-h1", "12k-h1"))
    losses = {cell: scored.validation_loss for cell, scored in plain.of_horizon(1).items()}
    assert min(losses, key=lambda cell: losses[cell]) == Cell("30k", 1)


def test_what_an_experiment_is_and_found_stands_in_its_row(plain: Experiment, sharper: Experiment) -> None:
    summaries = side_by_side([plain, sharper]).summaries
    assert [(one.name, one.tier, one.family, one.task, one.symbols) for one in summaries] == [
        ("plain", "a25", "patchtst", "threshold_1pct", "tiny"),
        ("sharper", "a200", "patchtst", "threshold_1pct", "tiny"),
    ]
    assert summaries[0].rungs == ("12k", "30k")
    law = summaries[0].horizons[0]
    assert (law.verdict, law.alpha, law.alpha_ci, law.best_cell) == ("flat", 0.01, (0.005, 0.015), "30k-h1")
    assert (law.alpha_ci_rungs, law.alpha_ci_days) == ((0.006, 0.014), (0.007, 0.013))
    assert law.best_loss == pytest.approx(plain.cells[Cell("30k", 1)].loss)


def test_parameters_that_differ_are_listed_and_those_of_the_machine_are_not(plain: Experiment, made: Made) -> None:
    other = made("other", model__patch_len=16, hardware__workers=1)
    assert differing(plain, other) == {"model.patch_len": (8, 16)}
    assert "model.patch_len" in "\n".join(side_by_side_lines(side_by_side([plain, other])))


def test_other_training_days_are_compared_and_reported_with_the_way_out(plain: Experiment, sharper: Experiment) -> None:
    notes = side_by_side([plain, sharper]).notes
    assert len(notes) == 1
    assert notes[0].startswith("h1, h3: plain was trained on")
    assert "1999-10-18" in notes[0]
    assert "1999-12-30" in notes[0]
    assert "data.first_day: common" in notes[0]


def test_of_two_horizons_the_fair_one_is_compared_and_the_other_named(plain: Experiment, made: Made) -> None:
    found = side_by_side([plain, made("late", first_days={3: "2015-02-04"})])
    assert {pair.horizon for pair in found.pairs} == {1}
    (refused,) = found.refused
    assert (refused.experiment, refused.horizon) == ("late", 3)
    assert "other days: 120 from 2016-02-09 to 2016-06-07 against 120 from 2016-03-10" in "; ".join(refused.reasons)
    assert "not compared:" in side_by_side_lines(found)


@pytest.mark.parametrize(
    ("results", "says"),
    [
        ({"target__task": "direction", "labels_seed": 3}, "other target.task: threshold_1pct against direction"),
        ({"data__symbol": "other", "labels_seed": 3}, "other data.symbol: tiny against other"),
        (
            {"first_days": dict.fromkeys((1, 3), "2015-02-04"), "splits__test_fraction": 0.2},
            "other splits.test_fraction: 0.15 against 0.2",
        ),
        (
            {"first_days": dict.fromkeys((1, 3), "2015-02-04"), "data__tier": "a200", "trained_from": "1999-12-30"},
            "first day 1999-10-18 against 1999-12-30: set data.first_day: common",
        ),
        ({"labels_seed": 3}, "the bars under data/ differ"),
        ({"labels_seed": 3}, "of 120 shared days"),
        ({"metric": "huber"}, "other metric: log_loss against huber"),
        ({"horizons": (5,)}, "other has no scored cell of h1; it has h5"),
    ],
)
def test_where_no_horizon_is_fair_all_is_refused_with_the_difference_named(
    plain: Experiment, made: Made, results: dict[str, Any], says: str
) -> None:
    with pytest.raises(BadInput) as refused:
        side_by_side([plain, made("other", **results)])
    assert says in str(refused.value)
    assert "h3: " in str(refused.value)


def test_losses_in_units_of_the_training_labels_are_compared_only_after_the_same_training_days(made: Made) -> None:
    """The Huber loss is that of errors over the spread of the training labels."""
    first = made("huber", metric="huber")
    later = made("later", metric="huber", trained_from="1999-12-30")
    (reason,) = reasons_not_comparable(first, later, 1)[:1]
    assert reason.startswith("huber losses are in units of the spread of the training labels")
    alike = dataclasses.replace(later, trained_on=first.trained_on)
    assert reasons_not_comparable(first, alike, 1) == ()
    pooled = dataclasses.replace(alike, params={**alike.params, "data.symbols": ["tiny", "other"]})
    assert (
        "the symbols trained on differ: null against ['tiny', 'other']" in reasons_not_comparable(first, pooled, 1)[0]
    )


def test_the_note_on_seeds_is_shown_once(plain: Experiment, made: Made) -> None:
    single = made("single", seeds=(1,))
    found = side_by_side([plain, single])
    (said,) = [line for line in side_by_side_lines(found) if line.startswith("seeds: ")]
    assert "single 12k-h1 has one seed" in said
    assert f"of {len(found.pairs) - 1} more comparisons" in said
    assert not any(line.startswith("seeds: ") for line in side_by_side_lines(side_by_side([plain, made("twin")])))


def test_an_experiment_is_like_itself_whatever_its_name(plain: Experiment) -> None:
    twin = dataclasses.replace(plain, name="twin")
    assert reasons_not_comparable(plain, twin, 1) == ()
    assert {pair.found.difference for pair in side_by_side([plain, twin]).pairs} == {0.0}


def test_another_region_may_be_compared_and_the_laws_region_is_reported(made: Made) -> None:
    pair = [made(f"validation-{number}", region="validation", sharpness=0.1 * number) for number in (1, 2)]
    found = side_by_side(pair)
    assert found.region == "validation"
    assert any("was fitted to its test losses" in note for note in found.notes)


def test_an_unknown_layout_is_refused_by_the_name_of_the_experiment(tmp_path: Path) -> None:
    places = write_results(tmp_path)
    (places.law / "scaling.json").write_text("{}")
    with pytest.raises(BadInput, match=r"results of older are not laid out .*: study_key: is missing"):
        read_experiment(places, "older")


def test_a_damaged_file_is_named_by_revision_and_path(tmp_path: Path) -> None:
    places = write_results(tmp_path)
    (places.scores(Cell("12k", 1)) / "scores.json").write_text("{")
    with pytest.raises(WorkFailed, match=r"broken:artifacts/scores/12k-h1/scores\.json is damaged"):
        read_experiment(places, "broken")


def test_an_experiment_without_scored_cells_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="empty has no scored cell"):
        read_experiment(write_results(tmp_path, budgets=()), "empty")


def test_cells_of_a_run_that_was_not_finished_are_refused(tmp_path: Path, made: Made) -> None:
    places = write_results(tmp_path)
    other = write_results(tmp_path / "other", labels_seed=3)
    table = "predictions.parquet"
    (places.scores(Cell("30k", 1)) / table).write_bytes((other.scores(Cell("30k", 1)) / table).read_bytes())
    with pytest.raises(BadInput, match="12k-h1 and 30k-h1 were not scored on the same days"):
        read_experiment(places, "torn")


def test_a_section_that_asks_for_its_defaults_differs_from_one_that_is_not_asked_for() -> None:
    asked, not_asked = (dict(leaves({"model": {"family": "x"}, "graph": graph})) for graph in ({}, None))
    assert asked == {"model.family": "x", "graph": {}}
    assert not_asked == {"model.family": "x", "graph": None}
