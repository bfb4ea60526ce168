"""The two bundled panels, as they lie in data/."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tsladder.panel.file import read_panel
from tsladder.panel.panel import Panel

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture(scope="session")
def bundled() -> Callable[[str], Panel]:
    return cache(lambda name: read_panel(DATA / f"{name}.parquet"))
