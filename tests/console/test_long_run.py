"""What `tsladder run` says before a run that takes days: what is left of the cells that it builds."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.status.written import never_built, write_study
from tests.studies import make_study, params_of

from tsladder.console.run_lines import long_run_note
from tsladder.console.selection import select_cells
from tsladder.places import Places
from tsladder.planning.duration import Rates
from tsladder.planning.machine import Machine
from tsladder.search.forced_trials import forced_by_cell
from tsladder.vocabulary import Cell


@pytest.fixture(autouse=True)
def slow_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tsladder.planning.study_time.survey", lambda *_, **__: SLOW)


SLOW = Machine(cores=2, memory_gib=8.0, device="cpu", rates=Rates(factor=1e6))


def said(places: Places, *only: str) -> str | None:
    params = params_of(places)
    return long_run_note(
        places,
        params,
        select_cells(params, only=only),
        {cell: found.forced for cell, found in forced_by_cell(places, params).items()},
    )


def test_before_anything_is_built_the_forecast_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tsladder.status.time_to_go.survey", lambda *_, **__: SLOW)
    line = said(make_study(tmp_path))
    assert line is not None
    assert "days left" in line


def test_what_is_built_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = write_study(tmp_path, monkeypatch)
    monkeypatch.setattr("tsladder.status.time_to_go.survey", lambda *_, **__: SLOW)
    assert said(places) is None
    never_built(places, Cell("30k", 1))
    assert said(places) is not None
    assert said(places, "12k-h1", "12k-h3") is None
