"""Place and kind in the lines of trials.jsonl."""

from __future__ import annotations

import dataclasses

import pytest
from tests.building import job
from tests.execution.instant import outcome_of

from tsladder.artifacts.trials import TrialRecord, TrialState

DRAWN = TrialRecord(
    number=6,
    attempt=1,
    state=TrialState.COMPLETE,
    forced=None,
    draws={"learning_rate": 0.001},
    params=outcome_of(job()).plan.to_json(),
    outcome=outcome_of(job()),
    base_rate_loss=0.7,
    predicted_memory_gib=0.3,
    device="cpu",
    workers=1,
    lag=2,
    threads=1,
    started_ms=0,
    ended_at="2026-11-29",
)


@pytest.mark.parametrize("forced", [None, "the widest"])
@pytest.mark.parametrize(("place", "kind"), [("here", ""), ("node-1", "a GPU, 8 cores, 64 GiB"), ("gpu1", "a GPU")])
def test_a_line_gives_back_the_trial_whoever_trained_it(forced: str | None, place: str, kind: str) -> None:
    record = dataclasses.replace(DRAWN, forced=forced, place=place, kind=kind)
    assert TrialRecord.from_json(record.to_json()) == record


def test_the_line_of_a_trial_of_this_machine_has_neither_place_nor_kind() -> None:
    line = DRAWN.to_json()
    assert {"place", "kind"} & set(line) == set()
    assert "forced" in line
    elsewhere = dataclasses.replace(DRAWN, place="node-1", kind="a GPU").to_json()
    assert set(elsewhere) - set(line) == {"place", "kind"}
