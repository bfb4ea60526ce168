"""Hypothesis without deadlines: a busy machine must not fail a property. One thread a test process. Long files first.

Test processes run side by side on all cores; threads that wait for busy cores made small models train twenty times
slower. Set before numpy and torch are loaded; what is trained on several threads asks for them by itself.
"""

import os
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile("tsladder", deadline=None)
settings.load_profile("tsladder")

LONGEST_FIRST = (
    "test_route.py",
    "audit/test_record.py",
    "audit/test_leaks_in_training.py",
    "cells/test_pause_by_hand.py",
    "cells/test_live_record.py",
    "tracking/test_mlflow_store.py",
    "cells/test_search_under_heat.py",
    "law/test_power_fit.py",
)
"""Files that take longest; begun last, one of them would keep one process busy while the others have nothing to do."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _place(item.path))


def _place(path: Path) -> int:
    for place, name in enumerate(LONGEST_FIRST):
        if path == Path(__file__).parent / name:
            return place
    return len(LONGEST_FIRST)
