"""Skill of a model against constants and simpler forecasts, from daily losses alone, for any loss."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tsladder.artifacts.scores import Interval, Skill
from tsladder.evaluation.bootstrap import mean_interval
from tsladder.params import EvaluationParams

Floats = NDArray[np.float64]

_NEVER_ERRS = 1e-6


@dataclass(frozen=True, kw_only=True, slots=True)
class SkillScores:
    """A model's daily loss, averaged over seeds, compared with the losses of other forecasts on the same days.

    base_rate_loss     loss of the constant known in advance, from training
    own_rate_loss      loss of the other constant: the one known in hindsight, of a ranking the static order
    stricter           the constant with the lower loss; skill and advantage are claimed against it
    skill              1 - loss / loss of the stricter constant; None where that constant never errs
    advantage          paired interval of (stricter constant's loss - model's loss) per day; above 0 is skill
    skill_against      constant or baseline -> skill of the mean loss against it
    beaten_by          baselines, constants included, whose paired interval lies wholly below the model's loss
    constant_predictor the predictions do not vary, or the paired loss difference to the training constant is within
                       its own standard error
    """

    base_rate_loss: float
    own_rate_loss: float
    stricter: str
    skill: float | None
    advantage: Interval
    skill_against: Mapping[str, Skill]
    beaten_by: tuple[str, ...]
    constant_predictor: bool


def skill_scores(
    loss_SN: Sequence[Floats],
    *,
    constants: Mapping[str, Floats],
    baselines: Mapping[str, Floats],
    unvarying: bool,
    params: EvaluationParams,
    seed: int,
    block: int | None = None,
) -> SkillScores:
    """Compare a model with constants and baselines by daily losses.

    `loss_SN`: daily losses of each training seed. `constants`: daily losses of two constants, the one known from
    training first. `unvarying`: no seed's predictions vary. `seed` starts the bootstrap; `block` is its mean block
    length in days, None: estimated from each difference. A model is judged by its daily loss averaged over seeds, never
    by the loss of averaged forecasts, which would be that of an ensemble.
    """
    loss_N = np.asarray(np.stack(loss_SN).mean(axis=0), dtype=np.float64)
    training, other = constants
    stricter = min(constants, key=lambda name: float(constants[name].mean()))
    strict_loss = float(constants[stricter].mean())
    rivals = dict(baselines) | dict(constants)
    gaps = {
        name: mean_interval(
            loss_N - rival_N, draws=params.bootstrap_draws, confidence=params.confidence, seed=seed, block=block
        )
        for name, rival_N in rivals.items()
    }
    to_training = gaps[training]
    return SkillScores(
        base_rate_loss=float(constants[training].mean()),
        own_rate_loss=float(constants[other].mean()),
        stricter=stricter,
        skill=None if strict_loss < _NEVER_ERRS else 1.0 - float(np.mean([n.mean() for n in loss_SN])) / strict_loss,
        advantage=_reversed(gaps[stricter]),
        skill_against={name: _skill(gaps[name], float(rival_N.mean())) for name, rival_N in rivals.items()},
        beaten_by=tuple(sorted(name for name in baselines if gaps[name].low > 0.0)),
        constant_predictor=unvarying or abs(to_training.value) <= to_training.se,
    )


def standard_error(values: Sequence[float]) -> float | None:
    """Return the standard error of the mean of independent `values`; None for fewer than two."""
    if len(values) < 2:
        return None
    return float(np.std(values, ddof=1) / np.sqrt(len(values)))


def _skill(gap: Interval, other_loss: float) -> Skill:
    """Convert the interval of (model's loss - other's loss) to a skill score with its interval."""
    if other_loss < _NEVER_ERRS:
        return Skill(skill=None, low=None, high=None)
    return Skill(skill=-gap.value / other_loss, low=-gap.high / other_loss, high=-gap.low / other_loss)


def _reversed(gap: Interval) -> Interval:
    return dataclasses.replace(gap, value=-gap.value, low=-gap.high, high=-gap.low)
