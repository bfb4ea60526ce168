"""What a report says where the trials of a cell were trained on places of several kinds."""

from __future__ import annotations

import dataclasses

from tests.artifacts.test_place_of_a_trial import DRAWN

from tsladder.artifacts.trials import TrialState
from tsladder.results.cell_files import devices_of, mixed_kinds


def test_trials_of_this_machine_have_its_device_and_no_note() -> None:
    assert devices_of([DRAWN, dataclasses.replace(DRAWN, number=7)]) == ("cpu",)
    assert mixed_kinds([DRAWN, dataclasses.replace(DRAWN, number=7)]) == ()


def test_trials_of_two_kinds_are_noted_with_both() -> None:
    trials = [dataclasses.replace(DRAWN, number=n, place="x", kind=kind) for n, kind in enumerate(("a GPU", "a CPU"))]
    assert devices_of(trials) == ("a CPU", "a GPU")
    (note,) = mixed_kinds(trials)
    assert "2 kinds" in note
    assert "a CPU; a GPU" in note


def test_an_attempt_that_was_repeated_elsewhere_does_not_count() -> None:
    first = dataclasses.replace(DRAWN, state=TrialState.INTERRUPTED, place="x", kind="a GPU")
    assert mixed_kinds([first, dataclasses.replace(DRAWN, attempt=2, place="y", kind="a CPU")]) == ()
