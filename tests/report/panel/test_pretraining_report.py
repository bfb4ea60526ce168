"""The section on pretraining: verdicts of every planned cell, and where there is none and why."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest
from tests.report.panel import finished, made_up
from tests.report.reading import tables_of

from tsladder.artifacts.ending import Ending
from tsladder.artifacts.pretraining import EncoderRecord, Pretraining, StartComparison, write_pretraining
from tsladder.params import PanelParams, PretrainingParams
from tsladder.places import Places
from tsladder.report.markdown import to_markdown
from tsladder.report.panel.document import panel_document
from tsladder.report.panel.files import read_panel_facts
from tsladder.report.panel.sections.pretraining import pretraining
from tsladder.report.words import MISSING
from tsladder.vocabulary import Cell, CellStatus

TITLE = "Pretraining of the encoder"
HELPED, FAILED, OPEN = (Cell(budget, finished.HORIZON) for budget in finished.SIZES)


def comparison(epochs: int, share: float, difference: float, half: float) -> StartComparison:
    low, high = difference - half, difference + half
    return StartComparison(
        epochs=epochs,
        share=share,
        seeds=(1, 2),
        days=90,
        from_encoder=0.97,
        from_scratch=0.97 + difference,
        difference=difference,
        low=low,
        high=high,
        se=half / 2.0,
        p=0.04,
        verdict="helps" if low > 0.0 else "harms" if high < 0.0 else "undecided",
        note=None,
    )


def record(cell: Cell) -> Pretraining:
    return Pretraining(
        cell=str(cell),
        budget=cell.budget,
        horizon=cell.horizon,
        key="f" * 64,
        region="test",
        metric="rank_error",
        confidence=0.95,
        encoder=EncoderRecord(
            architecture={"d_model": 8},
            n_params=4_000,
            mask=0.4,
            epochs=10,
            seed=1,
            days=500,
            first_day="1972-01-03",
            last_day="1977-12-20",
            loss=0.375,
            seconds=12.0,
        ),
        comparisons=(comparison(6, 1.0, 0.02, 0.01), comparison(4, 2 / 3, 0.01, 0.03)),
    )


def asked() -> PanelParams:
    params = finished.params()
    return dataclasses.replace(
        params, search=dataclasses.replace(params.search, pretraining=PretrainingParams(epochs=10, mask=0.4))
    )


@pytest.fixture
def places(finished_study: Places, tmp_path: Path) -> Places:
    """One cell whose encoder helps, one that failed, one whose stage has not run."""
    shutil.copytree(finished_study.root, tmp_path / "study")
    copied = Places(tmp_path / "study", tmp_path / "study")
    write_pretraining(copied.pretraining_record(HELPED), record(HELPED))
    write_pretraining(
        copied.pretraining_record(FAILED), Ending.of(FAILED, CellStatus.FAILED, "training from scratch failed")
    )
    return copied


def section(places: Places, params: PanelParams) -> str:
    text = to_markdown(panel_document(read_panel_facts(places, params, made_up.HERE), ()))
    return text.partition(f"\n## {TITLE}\n")[2].partition("\n## ")[0]


def test_every_comparison_has_a_row_with_both_figures_gain_and_verdict(places: Places) -> None:
    (found,) = tables_of(section(places, asked()))
    rows = [row for row in found.rows if row[0] == str(HELPED)]
    assert [tuple(row[1:]) for row in rows] == [
        ("6", "0.0300", "0.0100", "0.0200 (0.0100 to 0.0300)", "62.5 %", "helps", MISSING),
        ("4", "0.0300", "0.0200", "0.0100 (-0.0200 to 0.0400) (includes 0)", "62.5 %", "undecided", MISSING),
    ]


def test_a_cell_without_a_result_has_a_row_with_the_reason(places: Places) -> None:
    (found,) = tables_of(section(places, asked()))
    reasons = {row[0]: row[-1] for row in found.rows}
    assert reasons[str(FAILED)] == "failed: training from scratch failed"
    assert reasons[str(OPEN)] == "has not run"
    assert {row[0] for row in found.rows} == {str(HELPED), str(FAILED), str(OPEN)}


def test_the_verdicts_are_counted_and_the_cells_without_one_named(places: Places) -> None:
    text = section(places, asked())
    assert (
        "Of 2 comparisons the encoder helps in 1, harms in 0 and leaves 1 undecided. Where it changes nothing, 5 %"
        in text
    )
    assert "In 1 cell there is no result" in text
    assert "In 1 cell it has not run." in text
    assert "for 10 epochs to reconstruct hidden patches, 40 % of each window" in text


def test_a_study_without_pretraining_has_no_such_section(places: Places) -> None:
    facts = read_panel_facts(places, finished.params(), made_up.HERE)
    assert pretraining(facts) == []
    assert section(places, finished.params()) == ""


def test_a_record_of_a_stage_that_was_not_planned_when_it_ran_counts_as_not_run(places: Places) -> None:
    write_pretraining(
        places.pretraining_record(OPEN), Ending.of(OPEN, CellStatus.NOT_PLANNED, "search.pretraining is null")
    )
    (found,) = tables_of(section(places, asked()))
    assert {row[0]: row[-1] for row in found.rows}[str(OPEN)] == "has not run"
