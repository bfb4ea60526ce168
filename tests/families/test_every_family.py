"""The contract, on every family that lies in the package: a new one is under it without a line here."""

from __future__ import annotations

import pytest
from tests.families.contract import FamilyContract

from tsladder.families import names


@pytest.fixture(params=names())
def family(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


class TestEveryFamily(FamilyContract):
    pass
