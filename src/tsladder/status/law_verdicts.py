"""Read the verdict of each horizon from artifacts/law/scaling.json, where it belongs to the current question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tsladder.artifacts.store import read_json
from tsladder.places import Places

STALE = "stale"


@dataclass(frozen=True, kw_only=True, slots=True)
class HorizonVerdict:
    """Verdict of one horizon. None: there is none yet; STALE: there is one, of another question or of results
    that are to be built again, and none of its figures is shown. `warnings`: what is to be known beside it.

    `alpha_ci` is of rungs and days together; `alpha_ci_rungs` and `alpha_ci_days` are its parts."""

    verdict: str | None
    alpha: float | None
    alpha_ci: tuple[float, float] | None
    current: bool
    alpha_ci_rungs: tuple[float, float] | None = None
    alpha_ci_days: tuple[float, float] | None = None
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
    return HorizonVerdict(
        verdict=law["verdict"],
        alpha=power.get("alpha"),
        alpha_ci=_ends(power.get("alpha_ci")),
        alpha_ci_rungs=_ends(power.get("alpha_ci_rungs")),
        alpha_ci_days=_ends(power.get("alpha_ci_days")),
        current=True,
        warnings=tuple(law.get("warnings", ())),
    )


def _ends(interval: Sequence[float | None] | None) -> tuple[float, float] | None:
    if interval is None:
        return None
    low, high = interval
    return None if low is None or high is None else (low, high)
