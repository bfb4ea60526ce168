"""Read the verdict of each horizon from artifacts/law/scaling.json, where it belongs to the current question."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tsladder.artifacts.law import HorizonLaw, read_law
from tsladder.artifacts.law_fits import RankIcPerTenfold
from tsladder.places import Places

STALE = "stale"


@dataclass(frozen=True, kw_only=True, slots=True)
class HorizonVerdict:
    """Verdict of one horizon. `verdict` None: there is none yet; STALE: the existing verdict belongs to another
    question or to results that are to be built again, and none of its figures is shown. `warnings`: caveats on the
    verdict.

    `alpha_ci` is the interval of rungs and days together; `alpha_ci_rungs` and `alpha_ci_days` are its parts.
    `rank_ic_per_tenfold`: the same effect of size in RankIC; of a law of rankings.
    """

    verdict: str | None
    alpha: float | None
    alpha_ci: tuple[float, float] | None
    current: bool
    alpha_ci_rungs: tuple[float, float] | None = None
    alpha_ci_days: tuple[float, float] | None = None
    warnings: tuple[str, ...] = ()
    rank_ic_per_tenfold: RankIcPerTenfold | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain data; the RankIC per tenfold size stands only in a law of rankings."""
        plain = dataclasses.asdict(self)
        if self.rank_ic_per_tenfold is None:
            del plain["rank_ic_per_tenfold"]
        return plain


NONE_YET = HorizonVerdict(verdict=None, alpha=None, alpha_ci=None, current=False)
OUTDATED = HorizonVerdict(verdict=STALE, alpha=None, alpha_ci=None, current=False)


def read_verdicts(
    places: Places, horizons: Sequence[int], study_key: str, *, fresh: bool
) -> Mapping[str, HorizonVerdict]:
    """Return horizon, as text -> its verdict. `fresh`: the fit, and all that it is made from, would not run again."""
    if not places.scaling.exists():
        return {str(horizon): NONE_YET for horizon in horizons}
    if not fresh:
        return {str(horizon): OUTDATED for horizon in horizons}
    law = read_law(places.scaling)
    if law.study_key != study_key:
        return {str(horizon): OUTDATED for horizon in horizons}
    return {str(horizon): _verdict(law.horizons.get(horizon)) for horizon in horizons}


def _verdict(law: HorizonLaw | None) -> HorizonVerdict:
    if law is None:
        return NONE_YET
    return HorizonVerdict(
        verdict=law.verdict,
        alpha=law.alpha,
        alpha_ci=law.alpha_ci,
        alpha_ci_rungs=law.alpha_ci_rungs,
        alpha_ci_days=law.alpha_ci_days,
        current=True,
        warnings=law.warnings,
        rank_ic_per_tenfold=law.rank_ic_per_tenfold,
    )
