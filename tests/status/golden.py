"""Records held against files in tests/status/golden/, which change only when somebody asks for it:

TSLADDER_GOLDEN=write python -m pytest tests/status/test_study_state.py tests/status/test_why.py
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "golden"


def same_as_golden(name: str, record: dict[str, Any]) -> None:
    """`record` must be what tests/status/golden/`name` holds."""
    text = json.dumps(record, indent=1) + "\n"
    path = FOLDER / name
    if os.environ.get("TSLADDER_GOLDEN") == "write":
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
