"""A toy task: the sign of the Close's return, by the Brier loss of its probability, which it is trained on, too.

It shares nothing with the package's tasks of two classes, so that the port is seen to ask for no such thing. This one
file, put into tsladder/tasks/, is all that a study of it needs.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tsladder.tasks.parts.task import Prices, Task

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from tsladder.evaluation.baselines import Forecast
    from tsladder.evaluation.bootstrap import Interval
    from tsladder.evaluation.region import BaselineInputs, RegionForecasts
    from tsladder.evaluation.skill import Skill
    from tsladder.params import EvaluationParams
    from tsladder.tasks.parts.label_audit import Ranking
    from tsladder.tasks.parts.losses import Loss
    from tsladder.tasks.parts.words import Words
    from tsladder.vocabulary import Region

    Floats = NDArray[np.float64]

LINEAR = "last_day_ratio_logistic"


def brier(y_N: NDArray[np.floating], p_N: NDArray[np.floating]) -> Floats:
    """Squared error of each probability."""
    import numpy as np

    return (np.asarray(p_N, dtype=np.float64) - np.asarray(y_N, dtype=np.float64)) ** 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Metrics:
    brier: float
    hit_rate: float

    @classmethod
    def of(cls, y_N: NDArray[np.floating], p_N: NDArray[np.floating]) -> Metrics:
        return cls(brier=float(brier(y_N, p_N).mean()), hit_rate=float(((p_N > 0.5) == (y_N > 0.5)).mean()))


@dataclass(frozen=True, kw_only=True, slots=True)
class SignScores:
    windows: int
    positives: int
    base_rate: float
    train_base_rate: float
    first_day: str
    last_day: str
    windows_fingerprint: str
    seeds: Mapping[str, Metrics]
    mean: Metrics
    intervals: Mapping[str, Interval | None]
    brier_se: float | None
    base_rate_loss: float
    own_rate_loss: float
    stricter: str
    skill: float | None
    advantage: Interval
    baselines: Mapping[str, Metrics]
    skill_against: Mapping[str, Skill]
    beaten_by: tuple[str, ...]
    constant_predictor: bool

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self) | {"beaten_by": list(self.beaten_by)}


@dataclass(frozen=True, kw_only=True, slots=True)
class SignScoring:
    train_rate: float
    metric: str = "brier"
    logged_metrics: tuple[str, ...] = ("hit_rate",)

    def baselines(self, known: BaselineInputs, *, y_T: Floats, horizon: int) -> tuple[Forecast, ...]:
        return self.fitted_baselines(known)

    def fitted_baselines(self, known: BaselineInputs) -> tuple[Forecast, ...]:
        import numpy as np

        from tsladder.evaluation.baselines import BASE_RATE, Forecast
        from tsladder.evaluation.estimators import RATIO_INVERSE_PENALTY, logistic

        y_N = np.asarray(known.train.y_N, dtype=np.float64)
        fitted_N = logistic(y_N, known.ratio_train_NF, known.ratio_scored_NF, RATIO_INVERSE_PENALTY)
        return (
            Forecast(name=BASE_RATE, p_N=np.full(len(known.scored.ends_N), self.train_rate)),
            Forecast(name=LINEAR, p_N=fitted_N),
        )

    def choose(self, validation: RegionForecasts) -> None:
        return None

    def score(self, forecasts: RegionForecasts, params: EvaluationParams, choices: object) -> SignScores:
        import numpy as np

        from tsladder.evaluation.baselines import BASE_RATE, OWN_RATE
        from tsladder.evaluation.bootstrap import mean_interval
        from tsladder.evaluation.skill import skill_scores, standard_error

        y, own = np.asarray(forecasts.y_N, dtype=np.float64), float(np.mean(forecasts.y_N))
        loss_SN = [brier(y, p_N) for p_N in forecasts.by_seed.values()]
        skills = skill_scores(
            loss_SN,
            constants={
                BASE_RATE: brier(y, np.full(len(y), self.train_rate)),
                OWN_RATE: brier(y, np.full(len(y), own)),
            },
            baselines={made_by.name: brier(y, made_by.p_N) for made_by in forecasts.baselines},
            unvarying=False,
            params=params,
            seed=forecasts.seed,
        )
        seeds = {str(number): Metrics.of(y, p_N) for number, p_N in forecasts.by_seed.items()}
        draws, confidence = params.bootstrap_draws, params.confidence
        interval = mean_interval(np.mean(loss_SN, axis=0), draws=draws, confidence=confidence, seed=forecasts.seed)
        return SignScores(
            windows=len(y),
            positives=int(y.sum()),
            base_rate=own,
            train_base_rate=self.train_rate,
            first_day=str(forecasts.dates_N[0].astype("datetime64[D]")),
            last_day=str(forecasts.dates_N[-1].astype("datetime64[D]")),
            windows_fingerprint=forecasts.fingerprint,
            seeds=seeds,
            mean=Metrics(
                brier=float(np.mean([one.brier for one in seeds.values()])),
                hit_rate=float(np.mean([one.hit_rate for one in seeds.values()])),
            ),
            intervals={"brier": interval},
            brier_se=standard_error([one.brier for one in seeds.values()]),
            baselines={made_by.name: Metrics.of(y, made_by.p_N) for made_by in forecasts.baselines},
            **{field.name: getattr(skills, field.name) for field in dataclasses.fields(skills)},
        )

    def frame(self, region: Region, forecasts: RegionForecasts) -> pd.DataFrame:
        import numpy as np

        from tsladder.evaluation.predictions import by_model, frame_of

        return frame_of(
            region,
            forecasts.dates_N,
            np.asarray(forecasts.y_N).astype(np.int8),
            by_model(forecasts.by_seed, forecasts.baselines),
            forecast="probability",
            metric="brier",
            loss=lambda p_N: brier(forecasts.y_N, p_N),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class SignAudit:
    linear: str = LINEAR
    linear_name: str = "logistic"

    def leaking_feature(self, prices: Prices, price: str, horizon: int) -> Floats:
        import numpy as np

        return np.clip(100.0 * (prices.close_T[horizon:] / prices.close_T[:-horizon] - 1.0), -1.0, 1.0)

    def permuted(self, y_N: Floats, rng: np.random.Generator) -> Floats:
        import numpy as np

        return rng.permutation((np.arange(len(y_N)) % 2).astype(np.float64))

    def flipped(self, y_N: NDArray[np.floating]) -> NDArray[np.floating]:
        return 1.0 - y_N

    def encoded(self, y_T: Floats) -> Floats:
        import numpy as np

        return np.nan_to_num(2.0 * y_T - 1.0)

    def rank(self, y_DN: Sequence[Floats], forecast_DN: Sequence[Floats]) -> Ranking:
        """By Spearman's correlation: over all orders of n labels its variance is 1 / (n - 1)."""
        import numpy as np

        from tsladder.evaluation.regression_metrics import correlation, midranks
        from tsladder.tasks.parts.label_audit import Ranking

        ics = [correlation(midranks(y_N), midranks(p_N)) or 0.0 for y_N, p_N in zip(y_DN, forecast_DN, strict=True)]
        gains = [float(0.25 - brier(y_N, p_N).mean()) for y_N, p_N in zip(y_DN, forecast_DN, strict=True)]
        spread = math.sqrt(sum(1.0 / (len(y_N) - 1.0) for y_N in y_DN))
        return Ranking(statistic="ic", value=float(np.mean(ics)), z=sum(ics) / spread, advantage=float(np.mean(gains)))

    def windows_to_rank(self, value: float, limit: float, permutations: int) -> int:
        return math.floor(limit**2 / (permutations * value**2)) + 2

    def skill(self, train_y_N: NDArray[np.floating], y_N: NDArray[np.floating], forecast_N: Floats) -> float:
        import numpy as np

        rates = float(train_y_N.mean()), float(y_N.mean())
        constant = min(float(brier(y_N, np.full(len(y_N), rate)).mean()) for rate in rates)
        return 1.0 - float(brier(y_N, forecast_N).mean()) / constant if constant > 0.0 else 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Sign:
    metric: str = "brier"
    losses: tuple[str, ...] = ("brier",)
    has_auc: bool = True
    counts_positives: bool = True
    loss_in_label_sd: bool = False
    alternatives: tuple[str, ...] = ()

    def reads_high(self, price: str, /) -> bool:
        return False

    def label(self, prices: Prices, _price: str, horizon: int, /) -> Floats:
        return (prices.close_T[horizon:] > prices.close_T[:-horizon]).astype(float)

    def training_loss(self, name: str, y_train_N: NDArray[np.floating]) -> Loss:
        import torch

        from tsladder.tasks.parts.losses import Loss, summed

        if name != "brier":
            raise ValueError(f"unknown loss {name!r}")

        def squared(out_B: torch.Tensor, y_B: torch.Tensor) -> torch.Tensor:
            return (torch.sigmoid(out_B) - y_B) ** 2

        return Loss(total=summed(squared), per_window=squared, is_reported_loss=True)

    def output_scale(self, y_train_N: NDArray[np.floating]) -> None:
        return None

    def constant_loss(self, y_train_N: NDArray[np.floating], y_N: NDArray[np.floating]) -> float:
        import numpy as np

        return float(brier(y_N, np.full(len(y_N), float(np.mean(y_train_N)))).mean())

    def scoring(self, y_train_N: NDArray[np.floating]) -> SignScoring:
        return SignScoring(train_rate=float(y_train_N.mean()))

    @property
    def label_audit(self) -> SignAudit:
        return SignAudit()

    @property
    def words(self) -> Words:
        from tsladder.tasks.parts.words import Metric, Words

        hits = Metric(name="hit_rate", title="hit rate", digits=3)
        return Words(
            describe_target=lambda _price: "sign of the return",
            labels=lambda y_N: f"{len(y_N):,} ({int(y_N.sum()):,} up)",
            loss="Brier loss",
            unit="squared probability",
            metrics=(Metric(name="brier", title="Brier loss", digits=4), hits),
            ranking=hits,
            constants=("base-rate loss", "own-rate loss"),
            positives=("up", "share up"),
            regions_differ="their share of days up",
        )


TASKS: dict[str, Task] = {"sign": Sign()}
