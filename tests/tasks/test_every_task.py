"""The contract, on every task that lies in the package: a new one is under it without a line here."""

from __future__ import annotations

import pytest
from tests.tasks.contract import TaskContract

from tsladder.tasks import names


@pytest.fixture(params=names())
def name(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


class TestEveryTask(TaskContract):
    pass
