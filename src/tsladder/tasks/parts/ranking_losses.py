"""Training losses of a ranking of stocks; the reported loss is the rank error, 1 - the day's rank IC.

Each loss has one value per day, made of the day's labelled stocks alone: other stocks have no influence on it and no
gradient. A day on which the scores or the labels of these stocks are all equal has no order to learn: its loss is 0,
without a gradient. The pinball loss of quantiles is the exception: it is defined for equal scores too, so it needs only
labels that differ. Where the score of a labelled stock is not finite, the loss is not finite either.

Axis letters: B days, R those of them that have an order, S stocks, M horizons with the cell's own first, Q quantiles, O
outputs of a stock: one score, or M horizons of Q quantiles each.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from tsladder.ranking.metrics import QUANTILE_LEVELS, daily_metrics, judged_stocks, scored_days
from tsladder.tasks.parts.day_labels import DayLabels
from tsladder.tasks.parts.losses import Loss
from tsladder.tasks.parts.ranking_loss_names import MOST_STOCKS, NAMES, QUANTILE, REGIME, SHARPE, weighed

TAU = 0.3
"""Width of the steps of soft ranks, in standard deviations of the day's scores."""

SHARPE_EPSILON = 1e-8
"""Added to the variance of the daily returns: the standard deviation counts as at least a basis point."""

DIVERGED = 10.0
"""Multiple of the loss of an untrained model from which on training has diverged."""

_UNTRAINED_PINBALL = 0.25
"""Mean pinball loss of the best constant quantiles of labels with variance 1."""

Form = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Function of scores, labels and the mask of the labelled stocks of days that have an order; both are 0 outside
the mask."""

Term = Callable[[Tensor, DayLabels], Tensor]
"""Function of (out_BSO, labels) that returns the sum of a loss over the days."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """Outputs of a stock: one score, or `quantiles` of each of `horizons`, laid out [horizons, quantiles]."""

    horizons: int
    quantiles: int

    def score(self, out_BSO: Tensor) -> Tensor:
        return scores_of(out_BSO, self.horizons, self.quantiles)

    def by_horizon(self, out_BSO: Tensor) -> Tensor:
        """Return out_BSMQ. Raises ValueError for outputs of another layout."""
        if out_BSO.shape[-1] != self.horizons * self.quantiles:
            raise ValueError(
                f"{self.horizons} horizons of {self.quantiles} quantiles need {self.horizons * self.quantiles} "
                f"outputs per stock, got {out_BSO.shape[-1]}"
            )
        return out_BSO.reshape(*out_BSO.shape[:-1], self.horizons, self.quantiles)


def scores_of(out_BSO: Tensor, n_horizons: int, n_quantiles: int) -> Tensor:
    """Return score_BS of the cell's own horizon: the one output, or the median of the first horizon's quantiles.

    Raises ValueError for outputs of another layout.
    """
    if out_BSO.shape[-1] == 1 and n_quantiles == 1:
        return out_BSO[..., 0]
    return Layout(horizons=n_horizons, quantiles=n_quantiles).by_horizon(out_BSO)[..., 0, n_quantiles // 2]


def ranking_loss(
    loss_weights: Mapping[str, float], horizon_weights: Sequence[float], quantiles: bool, n_horizons: int
) -> Loss:
    """Build the loss sum of weight * loss over `loss_weights`.

    `horizon_weights`: weights of the horizons in the loss `quantile`. `quantiles`: the outputs of the model are
    quantiles of `n_horizons` horizons, otherwise one score. Raises ValueError for a name that is no loss, for weights
    that are negative or all 0, for `quantile` without quantiles, and for another number of horizons.
    """
    weights = weighed(loss_weights)
    _refuse(weights, horizon_weights, quantiles, n_horizons)
    layout = Layout(horizons=n_horizons, quantiles=len(QUANTILE_LEVELS) if quantiles else 1)
    forms = {name: _term(name, layout, tuple(horizon_weights)) for name in weights}

    def terms(out_BSO: Tensor, labels: DayLabels) -> dict[str, Tensor]:
        return {name: form(out_BSO, labels) for name, form in forms.items()}

    def total(out_BSO: Tensor, labels: DayLabels) -> Tensor:
        parts = terms(out_BSO, labels)
        return torch.stack([weight * parts[name] for name, weight in weights.items()]).sum()

    return Loss(
        total=total,
        per_window=partial(rank_error, layout=layout),
        additive=SHARPE not in weights,
        ranks=False,
        diverges_above=DIVERGED * sum(w * _untrained(name, horizon_weights) for name, w in weights.items()),
        judged=judged,
        terms=terms,
    )


def judged(labels: DayLabels) -> Tensor:
    """Return judged_B: True on days with two stocks whose returns over the cell's own horizon differ."""
    return_BS = labels.return_BSM[..., 0]
    return _differ(return_BS, return_BS.isfinite())


def rank_error(out_BSO: Tensor, labels: DayLabels, *, layout: Layout) -> Tensor:
    """Return the rank error of each day in float64, as `ranking.metrics` defines it: 1 - Spearman's correlation of
    score and return, 1 where the scores are all equal.

    NaN on a day that cannot be ranked, infinite on one on which the score of a labelled stock is not finite.
    """
    score_BS, return_BS = (
        values_BS.detach().double().cpu().numpy() for values_BS in (layout.score(out_BSO), labels.return_BSM[..., 0])
    )
    everyone_BS = np.ones(return_BS.shape, dtype=np.bool_)
    finite_B = (np.isfinite(score_BS) | ~judged_stocks(return_BS, everyone_BS)).all(axis=1)
    scored_B = scored_days(return_BS, everyone_BS)
    error_B = np.where(scored_B, np.inf, np.nan)
    known_B = scored_B & finite_B
    if known_B.any():
        daily = daily_metrics(score_BS[known_B], return_BS[known_B], everyone_BS[known_B], horizon=1)
        error_B[known_B] = daily.rank_error_N
    return torch.from_numpy(error_B).to(out_BSO.device)


def ic(score_BS: Tensor, target_BS: Tensor) -> Tensor:
    """Return 1 - Pearson's correlation of score and label on each day."""
    return _per_day(_ic, score_BS, target_BS)


def soft_spearman(score_BS: Tensor, target_BS: Tensor, *, tau: float = TAU) -> Tensor:
    """Return 1 - Pearson's correlation of the soft rank of the score and the rank of the label on each day.

    The soft rank of stock i is 1/2 + the sum over stocks j of sigmoid((s_i - s_j) / (tau * sd(s))): for a small `tau`
    the rank itself, equal scores at their mean rank. Scaled by the scores' sd, so that it knows no unit.
    """
    return _per_day(partial(_soft_spearman, tau=tau), score_BS, target_BS)


def ranknet(score_BS: Tensor, target_BS: Tensor) -> Tensor:
    """Return the mean of softplus(s_j - s_i) over the pairs of stocks with label i above label j (Burges et al.
    2005) on each day."""
    return _per_day(_ranknet, score_BS, target_BS)


def listnet(score_BS: Tensor, target_BS: Tensor) -> Tensor:
    """Return the cross-entropy of softmax(z-scored scores) under softmax(labels) on each day (Cao et al. 2007).

    Labels have a variance of about 1 under both transforms. Scores are z-scored within the day: without it, a model
    that began with scores near 0 did not learn rank labels.
    """
    return _per_day(_listnet, score_BS, target_BS)


def quantile(out_BSMQ: Tensor, target_BSM: Tensor, horizon_weights: Sequence[float]) -> Tensor:
    """Return the mean pinball loss of the quantiles of QUANTILE_LEVELS on each day, summed over horizons with their
    weights.

    A horizon without two different labels adds nothing to its day.
    """
    labelled_BSM = target_BSM.isfinite()
    level_Q = out_BSMQ.new_tensor(QUANTILE_LEVELS)
    label_BSM1 = target_BSM.where(labelled_BSM, 0.0)[..., None].to(out_BSMQ.dtype)
    over_BSMQ = label_BSM1 - out_BSMQ.where(labelled_BSM[..., None], 0.0)
    loss_BSM = torch.maximum(level_Q * over_BSMQ, (level_Q - 1.0) * over_BSMQ).mean(-1)
    loss_BM = loss_BSM.sum(1) / labelled_BSM.sum(1).clamp(min=1)
    differ_BM = _differ(target_BSM, labelled_BSM)
    return (loss_BM.where(differ_BM, 0.0) * out_BSMQ.new_tensor(tuple(horizon_weights))).sum(1)


def sharpe(score_BS: Tensor, return_BS: Tensor) -> Tensor:
    """Return minus the mean over the standard deviation of the daily returns of a long-short portfolio, over the days.

    Its weights are the scores less their mean, divided by the sum of their absolute values. `return_BS`: log returns,
    NaN where there is none. Days without an order are left out; 0, without a gradient, for fewer than two days.
    """
    labelled_BS = return_BS.isfinite()
    ordered_B, finite_B = _has_order(score_BS, return_BS, labelled_BS)
    score_RS, return_RS, labelled_RS = _ordered_days(score_BS, return_BS, labelled_BS, ordered_B)
    if len(score_RS) < 2:
        ratio = score_RS.sum() * 0.0
    else:
        away_RS = _scaled_deviations(score_RS, labelled_RS)
        weight_RS = away_RS / away_RS.abs().sum(1, keepdim=True)
        earned_R = (weight_RS * return_RS.expm1()).sum(1)
        ratio = -earned_R.mean() / (earned_R.var(correction=0) + SHARPE_EPSILON).sqrt()
    return ratio.where(finite_B.all(), math.nan)


def _refuse(weights: Mapping[str, float], horizon_weights: Sequence[float], quantiles: bool, n_horizons: int) -> None:
    for name, weight in weights.items():
        if name not in NAMES:
            raise ValueError(f"unknown loss {name!r}; there are {', '.join(NAMES)}")
        if not (math.isfinite(weight) and weight > 0.0):
            raise ValueError(f"the weight of a loss is a finite number of at least 0, got {weight} for {name}")
    if not weights:
        raise ValueError("a mixture needs a loss with a weight above 0")
    if QUANTILE in weights and not quantiles:
        raise ValueError(f"the loss {QUANTILE} needs a model that forecasts quantiles")
    if QUANTILE in weights and len(horizon_weights) != n_horizons:
        raise ValueError(f"{n_horizons} horizons need as many weights, got {len(horizon_weights)}")


def _term(name: str, layout: Layout, horizon_weights: Sequence[float]) -> Term:
    """Return the loss `name` as a sum over days."""
    if name == QUANTILE:
        return lambda out_BSO, labels: quantile(layout.by_horizon(out_BSO), labels.target_BSM, horizon_weights).sum()
    if name == SHARPE:
        return lambda out_BSO, labels: sharpe(layout.score(out_BSO), labels.return_BSM[..., 0]) * len(labels.return_BSM)
    if name == REGIME:
        return partial(_regime, layout=layout)
    form = {"ic": ic, "soft_spearman": soft_spearman, "ranknet": ranknet, "listnet": listnet}[name]
    return lambda out_BSO, labels: form(layout.score(out_BSO), labels.target_BSM[..., 0]).sum()


def _regime(out_BSO: Tensor, labels: DayLabels, *, layout: Layout) -> Tensor:
    """Return the sum over days of the day's weight times the loss `ic`.

    Weights have mean 1 over the training days, so divided by the number of days it is the weighted mean of `ic`.
    """
    if labels.weight_B is None:
        raise ValueError(f"the loss {REGIME} needs the weights of the days, training.day_weights")
    return (labels.weight_B * ic(layout.score(out_BSO), labels.target_BSM[..., 0])).sum()


def _untrained(name: str, horizon_weights: Sequence[float]) -> float:
    """Return the loss of a model that forecasts nothing: constant quantiles, or scores in random order."""
    if name == QUANTILE:
        return _UNTRAINED_PINBALL * sum(horizon_weights)
    return {"ranknet": math.log(2.0), "listnet": math.log(MOST_STOCKS)}.get(name, 1.0)


def _per_day(form: Form, score_BS: Tensor, target_BS: Tensor) -> Tensor:
    """Return `form` on the days that have an order, 0 on the others, NaN where a labelled stock's score is not
    finite."""
    labelled_BS = target_BS.isfinite()
    ordered_B, finite_B = _has_order(score_BS, target_BS, labelled_BS)
    loss_R = form(*_ordered_days(score_BS, target_BS, labelled_BS, ordered_B))
    loss_B = torch.zeros_like(score_BS[:, 0]).masked_scatter(ordered_B, loss_R)
    return loss_B.where(finite_B, math.nan)


def _has_order(score_BS: Tensor, target_BS: Tensor, labelled_BS: Tensor) -> tuple[Tensor, Tensor]:
    """Return (ordered_B, finite_B): whether scores and labels of the labelled stocks differ, all of them finite, and
    whether all their scores are finite."""
    known_BS = score_BS.detach()
    finite_B = (known_BS.isfinite() | ~labelled_BS).all(1)
    return finite_B & _differ(known_BS, labelled_BS) & _differ(target_BS, labelled_BS), finite_B


def _differ(values_BS: Tensor, among_BS: Tensor) -> Tensor:
    """Return True where the values of the stocks in `among_BS`, along axis 1, differ."""
    highest_B = values_BS.where(among_BS, -math.inf).amax(1)
    return highest_B > values_BS.where(among_BS, math.inf).amin(1)


def _ordered_days(
    score_BS: Tensor, target_BS: Tensor, labelled_BS: Tensor, ordered_B: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return score_RS, target_RS and labelled_RS; the first two 0 where there is no label."""
    labelled_RS = labelled_BS[ordered_B]
    score_RS = score_BS[ordered_B].where(labelled_RS, 0.0)
    return score_RS, target_BS[ordered_B].where(labelled_RS, 0.0).to(score_RS.dtype), labelled_RS


def _scaled_deviations(values_RS: Tensor, among_RS: Tensor) -> Tensor:
    """Return deviations from the day's mean, over the largest of them so that no square overflows or vanishes; 0
    outside `among_RS`."""
    mean_R1 = values_RS.where(among_RS, 0.0).sum(1, keepdim=True) / among_RS.sum(1, keepdim=True)
    away_RS = (values_RS - mean_R1).where(among_RS, 0.0)
    return away_RS / away_RS.detach().abs().amax(1, keepdim=True)


def _standardised(values_RS: Tensor, among_RS: Tensor) -> Tensor:
    """Return z-scores within each day, with the standard deviation of the stocks in `among_RS`; 0 outside."""
    away_RS = _scaled_deviations(values_RS, among_RS)
    variance_R1 = away_RS.square().sum(1, keepdim=True) / among_RS.sum(1, keepdim=True)
    return away_RS / variance_R1.sqrt()


def _correlation(one_RS: Tensor, other_RS: Tensor, among_RS: Tensor) -> Tensor:
    a_RS, b_RS = _scaled_deviations(one_RS, among_RS), _scaled_deviations(other_RS, among_RS)
    return (a_RS * b_RS).sum(1) / (a_RS.square().sum(1) * b_RS.square().sum(1)).sqrt()


def _ic(score_RS: Tensor, target_RS: Tensor, labelled_RS: Tensor) -> Tensor:
    return 1.0 - _correlation(score_RS, target_RS, labelled_RS)


def _soft_spearman(score_RS: Tensor, target_RS: Tensor, labelled_RS: Tensor, *, tau: float) -> Tensor:
    z_RS = _standardised(score_RS, labelled_RS)
    others_R1S = labelled_RS[:, None, :]
    beyond_RSS = torch.sigmoid((z_RS[:, :, None] - z_RS[:, None, :]) / tau).where(others_R1S, 0.0)
    # 1 for each lower label, 1/2 for each equal one, itself included.
    below_RSS = ((target_RS[:, :, None] - target_RS[:, None, :]).sign() + 1.0).where(others_R1S, 0.0) / 2.0
    return 1.0 - _correlation(0.5 + beyond_RSS.sum(2), 0.5 + below_RSS.sum(2), labelled_RS)


def _ranknet(score_RS: Tensor, target_RS: Tensor, labelled_RS: Tensor) -> Tensor:
    pair_RSS = labelled_RS[:, :, None] & labelled_RS[:, None, :] & (target_RS[:, :, None] > target_RS[:, None, :])
    loss_RSS = functional.softplus(score_RS[:, None, :] - score_RS[:, :, None])
    return loss_RSS.where(pair_RSS, 0.0).sum((1, 2)) / pair_RSS.sum((1, 2))


def _listnet(score_RS: Tensor, target_RS: Tensor, labelled_RS: Tensor) -> Tensor:
    wanted_RS = target_RS.masked_fill(~labelled_RS, -math.inf).softmax(1)
    z_RS = _standardised(score_RS, labelled_RS).masked_fill(~labelled_RS, -math.inf)
    # 0 times minus infinity is NaN, also in a gradient: filled before the product.
    return -(wanted_RS * z_RS.log_softmax(1).masked_fill(~labelled_RS, 0.0)).sum(1)
