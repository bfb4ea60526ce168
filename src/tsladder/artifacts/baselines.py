"""artifacts/baselines/h<horizon>/scores.json of a panel study: constants and baselines on every scored region."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tsladder.artifacts.ranking_scores import RegionBaselines
from tsladder.artifacts.record import check_version
from tsladder.artifacts.store import read_json, write_json
from tsladder.errors import WorkFailed
from tsladder.vocabulary import Region

_AGAIN = "remove it and run `dvc repro baselines`"


@dataclass(frozen=True, kw_only=True, slots=True)
class BaselineScores:
    """Scores of one horizon. `panel` and `tier` name the data; `train_days` and `train_labels` count what the fitted
    baselines were fitted on."""

    panel: str
    tier: str
    horizon: int
    train_days: int
    train_labels: int
    regions: Mapping[Region, RegionBaselines]


def write_baselines(path: Path, scores: BaselineScores) -> None:
    """Replace the scores at `path`."""
    plain = {name: getattr(scores, name) for name in ("panel", "tier", "horizon", "train_days", "train_labels")}
    write_json(path, plain | {"regions": {region.value: of.to_json() for region, of in scores.regions.items()}})


def read_baselines(path: Path) -> BaselineScores:
    """Read the scores at `path`. Raises FileNotFoundError if the file does not exist, WorkFailed if it is damaged."""
    plain = read_json(path)
    check_version(plain, latest=1, source=str(path), remedy=_AGAIN)
    try:
        regions = {Region(name): RegionBaselines.from_json(of) for name, of in plain["regions"].items()}
        return BaselineScores(**{**plain, "regions": regions})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise WorkFailed(f"{path} is damaged ({error!r}); {_AGAIN}") from None
