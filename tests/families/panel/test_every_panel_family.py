"""The contract, on every family of panels that lies in the package: a new one is under it without a line here."""

from __future__ import annotations

import pytest
from tests.families.panel_contract import PanelFamilyContract

from tsladder.families import panel_names


@pytest.fixture(params=panel_names())
def family(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


class TestEveryPanelFamily(PanelFamilyContract):
    pass
