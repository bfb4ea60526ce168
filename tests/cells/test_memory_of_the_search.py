"""The memory of the process that searches, over many trials."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from tests.studies import make_study, prepare, start_stage

from tsladder.vocabulary import Cell

CELL = Cell("12k", 1)
TRIALS = 250
EARLY = 80
GROWTH_MIB = 12.0


def resident_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024.0
    raise AssertionError(f"process {pid} has no resident memory")


@pytest.mark.slow
def test_the_searching_process_stays_flat_over_two_hundred_and_fifty_trials(tmp_path: Path) -> None:
    """It keeps the trials themselves, some kilobytes each; windows, models and workers leave nothing behind."""
    one_epoch = {"search__presets__quick__space__epochs": {"choices": [1]}}
    places = make_study(tmp_path, search__trials=TRIALS, ladder=["12k", "30k"], **one_epoch)
    prepare(places)
    process = start_stage(places, "hpo", "--cell", str(CELL))
    at: dict[int, float] = {}
    done = 0
    while process.poll() is None:
        paths = list(places.studies.glob("*/trials.jsonl"))
        done = paths[0].read_bytes().count(b"\n") if paths else 0
        for milestone in (EARLY, TRIALS - 5):
            if done >= milestone and milestone not in at:
                at[milestone] = resident_mib(process.pid)
        time.sleep(0.05)
    error = process.communicate()[1]
    assert process.returncode == 0, error
    assert set(at) == {EARLY, TRIALS - 5}
    growth = at[TRIALS - 5] - at[EARLY]
    assert growth < GROWTH_MIB, f"{at}: it grew by {growth:.1f} MiB"
    print(f"resident memory by trial: {at}")
