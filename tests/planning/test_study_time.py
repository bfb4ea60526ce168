"""What is said before a run that takes days: the total of what `tsladder plan` forecasts, and nothing where it is short
or unknown."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.studies import make_study, params_of

from tsladder.places import Places
from tsladder.planning import study_time
from tsladder.planning.duration import Rates
from tsladder.planning.machine import Machine
from tsladder.planning.study_time import seconds_by_cell, study_note
from tsladder.search.forced_trials import forced_by_cell
from tsladder.status.dry_run import study_forecast

SLOW, QUICK = Rates(factor=1e5), Rates()


def on_a_machine(monkeypatch: pytest.MonkeyPatch, rates: Rates | None) -> None:
    machine = Machine(cores=2, memory_gib=8.0, device="cpu", rates=rates)
    for module in ("tsladder.planning.study_time", "tsladder.status.dry_run"):
        monkeypatch.setattr(f"{module}.survey", lambda *_, **__: machine)


def note(places: Places) -> str | None:
    params = params_of(places)
    return study_note(places, params, {cell: found.forced for cell, found in forced_by_cell(places, params).items()})


def test_the_total_is_that_of_the_cells_in_the_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = make_study(tmp_path, budget="30k", horizons=[1, 3])
    on_a_machine(monkeypatch, SLOW)
    params = params_of(places)
    found = seconds_by_cell(
        places, params, {cell: found.forced for cell, found in forced_by_cell(places, params).items()}
    )
    planned = study_forecast(places, None).cells
    assert {str(cell): round(seconds, 1) for cell, seconds in found.items()} == {
        name: cell.predicted_seconds for name, cell in planned.items()
    }
    said = note(places)
    assert said is not None
    assert f"all 4 planned cells take about {sum(found.values()) / study_time.DAY_SECONDS:.1f} days" in said


@pytest.mark.parametrize("rates", [QUICK, None])
def test_a_short_study_or_an_unknown_machine_gets_no_time_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rates: Rates | None
) -> None:
    on_a_machine(monkeypatch, rates)
    assert note(make_study(tmp_path)) is None


@pytest.mark.parametrize("spoil", [Path.unlink, lambda bars: bars.write_text("no bars")])
def test_bars_that_are_missing_or_faulty_are_left_to_the_stage_that_reads_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoil: object
) -> None:
    places = make_study(tmp_path)
    on_a_machine(monkeypatch, SLOW)
    spoil(places.bars("tiny"))  # type: ignore[operator]
    assert note(places) is None
