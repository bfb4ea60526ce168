"""Scores of the rankings of one region as typed records, and their JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tsladder.artifacts.scores import Interval, Skill

OWN_STATIC_ORDER = "own_static_order"
"""Order of the stocks by their mean return in the scored region itself, which needs hindsight."""


def icir_name(horizon: int) -> str:
    """Return the name of the information coefficient ratio: mean over standard deviation of the daily rank IC.

    It is not annualised, so its name contains the horizon.
    """
    return f"icir_h{horizon}"


@dataclass(frozen=True, kw_only=True, slots=True)
class PortfolioScores:
    """Figures of a book over the days of a region, `gross` before costs and `net` after them.

    annual_return_*   mean daily return times 252
    annual_sd_*       standard deviation of daily returns times the root of 252; None for one day
    sharpe_*          annual_return / annual_sd without a risk-free rate (long and short positions finance each other);
                      None where returns do not vary
    max_drawdown_*    deepest fall of summed returns below their highest value so far; 0 or negative
    turnover          mean share of the capital that changes hands per day
    break_even_bps    costs at which the mean net return is 0; None where nothing is traded
    unpriced          see `Book`
    """

    annual_return_gross: float
    annual_return_net: float
    annual_sd_gross: float | None
    annual_sd_net: float | None
    sharpe_gross: float | None
    sharpe_net: float | None
    max_drawdown_gross: float
    max_drawdown_net: float
    turnover: float
    break_even_bps: float | None
    unpriced: float


@dataclass(frozen=True, kw_only=True, slots=True)
class RankingScores:
    """Scores of a forecast on a region: means of `metrics.DailyMetrics` over the scored days.

    Higher is better, except for rank_error and pinball, which are losses.

    icir              mean over standard deviation of the daily rank IC at the region's horizon, not annualised; in
                      files its name holds the horizon (`icir_h5`). None where the rank IC does not vary
    unordered_days    days whose scores are all equal
    """

    rank_error: float
    rank_ic: float
    ic: float
    hit_rate: float
    quantile_spread: float
    score_sd: float
    icir: float | None
    unordered_days: float
    pinball: float | None
    coverage_90: float | None
    portfolio: PortfolioScores

    def to_json(self, horizon: int) -> dict[str, float | None]:
        """Return one flat record of all figures, those of the portfolio included, named as their intervals are."""
        plain = dataclasses.asdict(self)
        portfolio = plain.pop("portfolio")
        figures: dict[str, float | None] = plain | portfolio
        return {icir_name(horizon) if name == "icir" else name: value for name, value in figures.items()}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any], horizon: int) -> RankingScores:
        """Read the record that `to_json` makes."""
        named = {"icir" if name == icir_name(horizon) else name: value for name, value in plain.items()}
        portfolio = {field.name: named.pop(field.name) for field in dataclasses.fields(PortfolioScores)}
        return cls(**named, portfolio=PortfolioScores(**portfolio))


@dataclass(frozen=True, kw_only=True, slots=True)
class RegionBaselines:
    """Scores of the constants and baselines on one region: the level that a model has to beat.

    windows              number of scored days: a sample is a day
    left_out_days        number of days that cannot be ranked: their labels are all equal, or missing
    stock_days           number of labels: pairs of a scored day and a judged stock
    positives, base_rate number of labels above 0, and their share
    train_base_rate      share of labels above 0 in training
    windows_fingerprint  hash of samples and labels
    block                mean block length of the bootstrap, in days
    base_rate_loss       rank error of no order at all, which is 1
    own_rate_loss        rank error of the static order: stocks by their mean return in training
    stricter             the constant with the lower loss; skill is claimed against it
    baselines            baseline -> scores; `own_static_order` uses this region's labels and is only shown
    baseline_intervals   baseline -> metric -> interval over days
    baseline_advantage   baseline -> paired interval of (stricter constant's loss - its loss) per day; above 0: skill
    """

    windows: int
    left_out_days: int
    stock_days: int
    positives: int
    base_rate: float
    train_base_rate: float
    first_day: str
    last_day: str
    windows_fingerprint: str
    horizon: int
    entry_lag: int
    cost_bps: float
    block: int
    base_rate_loss: float
    own_rate_loss: float
    stricter: str
    baselines: Mapping[str, RankingScores]
    baseline_intervals: Mapping[str, Mapping[str, Interval | None]]
    baseline_advantage: Mapping[str, Interval]

    def to_json(self) -> dict[str, Any]:
        """Return a plain record; undefined figures are None."""
        plain = dataclasses.asdict(self)
        plain["baselines"] = {name: scores.to_json(self.horizon) for name, scores in self.baselines.items()}
        return plain

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> RegionBaselines:
        """Read the record that `to_json` makes. Raises KeyError or TypeError where a field is missing or unknown."""
        return cls(
            **dict(plain)
            | {
                "baselines": {
                    name: RankingScores.from_json(scores, plain["horizon"])
                    for name, scores in plain["baselines"].items()
                },
                "baseline_intervals": {
                    name: _intervals_from(found) for name, found in plain["baseline_intervals"].items()
                },
                "baseline_advantage": {name: Interval(**found) for name, found in plain["baseline_advantage"].items()},
            }
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class RankingRegionScores:
    """Scores of one cell on one region.

    `level` holds the constants and baselines of the region. In files the keys of both stand in one record, whose fields
    `evaluation.region.Scores` names.

    mean                 metrics averaged over the seeds
    intervals            metric -> interval over days of the mean over seeds
    rank_error_se        standard error of the mean rank error over the seeds; None with one seed
    constant_predictor   no seed ever orders, or the mean rank IC is within its own standard error of 0

    For all other fields see `evaluation.skill.SkillScores`.
    """

    level: RegionBaselines
    seeds: Mapping[int, RankingScores]
    mean: RankingScores
    intervals: Mapping[str, Interval | None]
    rank_error_se: float | None
    skill: float | None
    advantage: Interval
    skill_against: Mapping[str, Skill]
    beaten_by: tuple[str, ...]
    constant_predictor: bool

    @property
    def windows(self) -> int:
        return self.level.windows

    @property
    def positives(self) -> int:
        return self.level.positives

    @property
    def base_rate(self) -> float:
        return self.level.base_rate

    @property
    def first_day(self) -> str:
        return self.level.first_day

    @property
    def last_day(self) -> str:
        return self.level.last_day

    @property
    def stricter(self) -> str:
        return self.level.stricter

    @property
    def base_rate_loss(self) -> float:
        return self.level.base_rate_loss

    @property
    def own_rate_loss(self) -> float:
        return self.level.own_rate_loss

    def to_json(self) -> dict[str, Any]:
        """Return a plain record; undefined figures are None."""
        horizon = self.level.horizon
        own = {
            "seeds": {str(seed): scores.to_json(horizon) for seed, scores in sorted(self.seeds.items())},
            "mean": self.mean.to_json(horizon),
            "intervals": {
                name: None if own is None else dataclasses.asdict(own) for name, own in self.intervals.items()
            },
            "rank_error_se": self.rank_error_se,
            "skill": self.skill,
            "advantage": dataclasses.asdict(self.advantage),
            "skill_against": {name: dataclasses.asdict(skill) for name, skill in self.skill_against.items()},
            "beaten_by": list(self.beaten_by),
            "constant_predictor": self.constant_predictor,
        }
        return self.level.to_json() | own

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> RankingRegionScores:
        """Read the record that `to_json` makes. Raises KeyError or TypeError where a field is missing or unknown."""
        own = {field.name for field in dataclasses.fields(cls)}
        level = RegionBaselines.from_json({name: value for name, value in plain.items() if name not in own})
        return cls(
            level=level,
            seeds={int(seed): RankingScores.from_json(one, level.horizon) for seed, one in plain["seeds"].items()},
            mean=RankingScores.from_json(plain["mean"], level.horizon),
            intervals=_intervals_from(plain["intervals"]),
            rank_error_se=plain["rank_error_se"],
            skill=plain["skill"],
            advantage=Interval(**plain["advantage"]),
            skill_against={name: Skill(**skill) for name, skill in plain["skill_against"].items()},
            beaten_by=tuple(plain["beaten_by"]),
            constant_predictor=plain["constant_predictor"],
        )


def _intervals_from(plain: Mapping[str, Any]) -> dict[str, Interval | None]:
    return {name: None if found is None else Interval(**found) for name, found in plain.items()}
