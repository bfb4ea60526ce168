"""The law of each horizon as artifacts/law/scaling.json has it, where it belongs to the question now asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tsladder.places import Places
from tsladder.records import read_json

STALE = "stale"


@dataclass(frozen=True, kw_only=True, slots=True)
class HorizonVerdict:
    """What the law of one horizon says. None: there is none yet; STALE: there is one, of another question or of results
    that are to be built again, and none of its figures is shown. `warnings`: what is to be known beside it."""

    verdict: str | None
    alpha: float | None
    alpha_ci: tuple[float, float] | None
    current: bool
    warnings: tuple[str, ...] = ()


NONE_YET = HorizonVerdict(verdict=None, alpha=None, alpha_ci=None, current=False)
OUTDATED = HorizonVerdict(verdict=STALE, alpha=None, alpha_ci=None, current=False)


def read_verdicts(
    places: Places, horizons: Sequence[int], study_key: str, *, fresh: bool
) -> Mapping[str, HorizonVerdict]:
    """By horizon as text. `fresh`: the fit, and all that it is made from, would not run again."""
    path = places.law / "scaling.json"
    if not path.exists():
        return {str(horizon): NONE_YET for horizon in horizons}
    if not fresh:
        return {str(horizon): OUTDATED for horizon in horizons}
    record = read_json(path)
    if record.get("study_key") != study_key:
        return {str(horizon): OUTDATED for horizon in horizons}
    laws: Mapping[str, Mapping[str, Any]] = record["horizons"]
    return {str(horizon): _verdict(laws.get(str(horizon))) for horizon in horizons}


def _verdict(law: Mapping[str, Any] | None) -> HorizonVerdict:
    if law is None:
        return NONE_YET
    power = law["fits"]["power"] or {}
    interval = power.get("alpha_ci")
    return HorizonVerdict(
        verdict=law["verdict"],
        alpha=power.get("alpha"),
        alpha_ci=None if interval is None or None in interval else (interval[0], interval[1]),
        current=True,
        warnings=tuple(law.get("warnings", ())),
    )
