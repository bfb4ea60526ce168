from __future__ import annotations

import pytest
from tests.execution.crew_contract import CrewContract
from tests.execution.instant import InstantCrews

from tsladder.execution.crew import Crews
from tsladder.execution.local_crew import LocalCrew


class TestInstantCrew(CrewContract):
    @pytest.fixture
    def crews(self) -> Crews:
        return InstantCrews()


class TestLocalCrew(CrewContract):
    @pytest.fixture
    def crews(self) -> Crews:
        return LocalCrew

    # Seven attempts, of a second and more each.
    test_a_job_too_large_for_its_slot_is_retried_smaller_and_then_ends_out_of_memory = pytest.mark.slow(
        CrewContract.test_a_job_too_large_for_its_slot_is_retried_smaller_and_then_ends_out_of_memory
    )
