from __future__ import annotations

import pytest
from tests.execution.crew_contract import CrewContract
from tests.execution.instant import InstantCrews
from tests.execution.places import ThreadFleet, crew_on, real_place

from tsladder.execution.crew import Crews
from tsladder.execution.local_crew import LocalCrew


class TestInstantCrew(CrewContract):
    @pytest.fixture
    def crews(self) -> Crews:
        return InstantCrews()


class TestCrewOfAPlace(CrewContract):
    """A place with worker processes, reached through messages as one of another machine is."""

    @pytest.fixture
    def crews(self) -> Crews:
        return lambda machine: crew_on(ThreadFleet({"a": real_place(machine)}))

    test_a_job_too_large_for_its_slot_is_retried_smaller_and_then_ends_out_of_memory = pytest.mark.slow(
        CrewContract.test_a_job_too_large_for_its_slot_is_retried_smaller_and_then_ends_out_of_memory
    )


class TestLocalCrew(CrewContract):
    @pytest.fixture
    def crews(self) -> Crews:
        return LocalCrew

    # Seven attempts, of a second and more each.
    test_a_job_too_large_for_its_slot_is_retried_smaller_and_then_ends_out_of_memory = pytest.mark.slow(
        CrewContract.test_a_job_too_large_for_its_slot_is_retried_smaller_and_then_ends_out_of_memory
    )
