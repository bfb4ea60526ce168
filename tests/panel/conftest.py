"""The two bundled panels."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.bundled_data import bundled_panel

from tsladder.panel.panel import Panel


@pytest.fixture(scope="session")
def bundled() -> Callable[[str], Panel]:
    return bundled_panel
