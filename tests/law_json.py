"""Laws as the JSON that their files hold, for tests that look at keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tsladder.artifacts.law import group_json, law_json
from tsladder.law.ladder import law_of_points
from tsladder.law.points import RungPoint
from tsladder.law.scaling import fit_horizons


def ladder_json(points: Sequence[RungPoint], **settings: Any) -> dict[str, Any]:
    """The law of a ladder as one group of fit.json."""
    return group_json(law_of_points(points, **settings))


def scaling_json(*args: Any, **settings: Any) -> dict[str, Any]:
    """scaling.json of the horizons."""
    return law_json(fit_horizons(*args, **settings))
