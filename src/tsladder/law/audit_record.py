"""What the leak audit found, as the law needs it: its probes by name, its record read back, what failed, and what could
not tell."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tsladder.artifacts.store import read_json
from tsladder.errors import WorkFailed
from tsladder.vocabulary import ProbeOutcome

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
    """The audit's record; one from before there were outcomes has none.

    Raises WorkFailed when it is missing, damaged or short of a probe: a law without the whole audit would look as sound
    as one that passed it.
    """
    try:
        record = read_json(path)
    except FileNotFoundError:
        raise WorkFailed(f"{path} is missing: run `dvc repro audit` first; no law is told without its audit") from None
    try:
        sound = _is_sound(record)
    except (KeyError, TypeError, ValueError):
        sound = False
    if not sound:
        raise WorkFailed(f"{path} is no whole audit ({', '.join(PROBES)}): remove it and run `dvc repro audit`")
    return record


def _is_sound(record: Mapping[str, Any]) -> bool:
    """Are all probes there, in order, and does every outcome agree with what stands beside it?"""
    probes = record["probes"]
    outcomes = [ProbeOutcome.of(probe) for probe in probes]
    whole = ProbeOutcome.of_all(outcomes)
    return (
        [probe["name"] for probe in probes] == list(PROBES)
        and all(map(_agrees, probes, outcomes))
        and all(probe["needs"] for probe in _with(record, ProbeOutcome.INCONCLUSIVE))
        and ProbeOutcome.of(record) is whole
        and _agrees(record, whole)
    )


def _agrees(record: Mapping[str, Any], outcome: ProbeOutcome) -> bool:
    return record["passed"] is (outcome is ProbeOutcome.PASSED)


def failed_probes(record: Mapping[str, Any]) -> list[str]:
    """Each probe that saw a leak and what it saw, in its own words."""
    return [f"{probe['name']}: {probe['words'].rstrip('.')}" for probe in _with(record, ProbeOutcome.FAILED)]


def inconclusive_probes(record: Mapping[str, Any]) -> str | None:
    """Which probes could not tell whether there is a leak, and what each would need, for beside a verdict, which stays
    what it is; None where all could tell."""
    told = [f'"{probe["title"]}" would need {probe["needs"]}' for probe in _with(record, ProbeOutcome.INCONCLUSIVE)]
    if not told:
        return None
    probes = "a probe of the leak audit was" if len(told) == 1 else f"{len(told)} probes of the leak audit were"
    return f"{probes} inconclusive, so not every leak would have been seen: {'. '.join(told)}"


def _with(record: Mapping[str, Any], outcome: ProbeOutcome) -> list[Mapping[str, Any]]:
    return [probe for probe in record["probes"] if ProbeOutcome.of(probe) is outcome]
