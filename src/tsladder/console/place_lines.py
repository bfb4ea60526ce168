"""Places where trainings run, for `tsladder places`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tsladder.execution.place_messages import PlaceDescription
from tsladder.messages import print_message
from tsladder.params import HardwareParams
from tsladder.places import Places


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundPlace:
    """A place and its state: ready, hot, refused or asked (not answered yet). `why`: why it is not ready."""

    name: str
    state: str
    can_train: bool
    description: PlaceDescription | None
    why: str | None = None


def found_places(places: Places, hardware: HardwareParams, seconds: float) -> list[FoundPlace]:
    """Find the places that `hardware` names, and wait at most `seconds` for the answers of those elsewhere.

    Raises BadInput where the settings cannot be met.
    """
    if hardware.executor == "local":
        from tsladder.execution.local_places import local_places
        from tsladder.execution.place_survey import description_of
        from tsladder.planning.machine import survey

        return [
            FoundPlace(name=one.name, state="ready", can_train=True, description=description_of(one.machine))
            for one in local_places(survey(hardware, places.calibration))
        ]
    from tsladder.execution.ray_crew import open_ray_crew
    from tsladder.execution.remote_crew import PlaceState

    crew = open_ray_crew(hardware, places.calibration, print_message)
    try:
        return [
            FoundPlace(
                name=one.name,
                state=one.state,
                can_train=one.state is PlaceState.READY,
                description=one.description,
                why=one.why,
            )
            for one in crew.wait_for_places(min(seconds, hardware.patience / 2), count=0)
        ]
    finally:
        crew.end_now()


def place_lines(found: Sequence[FoundPlace]) -> list[str]:
    """Return a table of the places."""
    if not found:
        return ["no place was found"]
    rows = [("place", "state", "device", "cores", "GiB", "kind")]
    for place in found:
        about = place.description
        if about is None:
            rows.append((place.name, place.state, "", "", "", place.why or ""))
            continue
        machine = about.machine
        words = place.why or about.kind
        rows.append((place.name, place.state, machine.device, str(machine.cores), f"{machine.memory_gib:.1f}", words))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    versions = next((place.description.versions for place in found if place.description is not None), {})
    here = ", ".join(f"{name} {version}" for name, version in versions.items())
    code = next((place.description.code[:12] for place in found if place.description is not None), None)
    return [*table, *([f"code {code}, {here}"] if code is not None else [])]


def places_json(found: Sequence[FoundPlace]) -> list[dict[str, Any]]:
    """Return the places for `tsladder places --json`."""
    return [_json(place) for place in found]


def _json(place: FoundPlace) -> dict[str, Any]:
    record: dict[str, Any] = {"place": place.name, "state": str(place.state), "why": place.why}
    about = place.description
    if about is not None:
        machine = about.machine
        record |= {
            "device": machine.device,
            "cores": machine.cores,
            "memory_gib": machine.memory_gib,
            "kind": about.kind,
            "code": about.code,
            "versions": dict(about.versions),
            "host": about.host,
        }
    return record
