"""What the leak audit found, as the law needs it: its probes by name, its record read back, and what has failed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tsladder.errors import WorkFailed
from tsladder.records import read_json

PROBES: Mapping[str, str] = {
    "shuffled_targets": "Shuffled targets give no skill",
    "planted_future_feature": "A planted future feature is caught",
    "truncated_future": "Cutting off the future changes no feature",
    "normalisation": "Normalisation sees the window only",
    "shared_days": "No day is shared between regions",
    "label_reach": "No label reaches into the next region",
    "blanked_test_targets": "Blanked test targets change nothing but the score",
}
"""Name -> title, in the order in which they are run and told."""


def read_audit(path: Path) -> dict[str, Any]:
    """The audit's record. Raises WorkFailed when it is missing, damaged or short of a probe: a law without the whole
    audit would look as sound as one that passed it."""
    try:
        record = read_json(path)
    except FileNotFoundError:
        raise WorkFailed(f"{path} is missing: run `dvc repro audit` first; no law is told without its audit") from None
    try:
        found = [(probe["name"], probe["passed"]) for probe in record["probes"]]
        complete = [name for name, _ in found] == list(PROBES) and all(type(passed) is bool for _, passed in found)
        sound = complete and record["passed"] is all(passed for _, passed in found)
    except (KeyError, TypeError):
        sound = False
    if not sound:
        raise WorkFailed(f"{path} is no whole audit ({', '.join(PROBES)}): remove it and run `dvc repro audit`")
    return record


def failed_probes(record: Mapping[str, Any]) -> list[str]:
    """Each probe that failed and what it saw, in its own words."""
    return [f"{probe['name']}: {probe['words'].rstrip('.')}" for probe in record["probes"] if not probe["passed"]]
