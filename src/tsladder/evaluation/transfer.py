"""Transfer of settings between horizons: the regret of each winner on the other horizons of its rung. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tsladder.artifacts.transfer import Regret
from tsladder.evaluation.bootstrap import mean_interval
from tsladder.evaluation.difference import Term, above_zero, bounds, holm
from tsladder.params import EvaluationParams

Floats = NDArray[np.float64]
Verdict = Literal["separate_searches_needed", "settings_transfer", "undecided"]


@dataclass(frozen=True, kw_only=True, slots=True)
class TransferVerdict:
    """The verdict on transfer. `margin`: relative regret from which on transferred settings would distort a law."""

    verdict: Verdict
    reason: str
    margin: float
    regrets: tuple[Regret, ...]


def regret(
    budget: str,
    horizon: int,
    source: int,
    *,
    own: Mapping[int, Floats],
    transferred: Mapping[int, Floats],
    params: EvaluationParams,
    seed: int,
) -> Regret:
    """Compute the regret from the daily losses of both configurations by training seed, on the same days in time order.

    Its noise comes from the paired daily difference averaged over seeds (block bootstrap) and from the spread of both
    over their seeds. With one seed that spread is unknown, so there is no interval. Raises ValueError when the days
    differ.
    """
    own_N, other_N = (np.mean(list(losses.values()), axis=0) for losses in (own, transferred))
    if own_N.shape != other_N.shape:
        raise ValueError(f"{budget}: the winners of h{source} and h{horizon} were scored on different days")
    mean = float(own_N.mean())
    value = float(other_N.mean()) - mean
    found = Regret(budget=budget, horizon=horizon, source=source, value=value, relative=value / mean)
    if min(len(own), len(transferred)) < 2:
        return dataclasses.replace(found, reason="with one seed (train.seeds) the spread over seeds is unknown")
    days = mean_interval(other_N - own_N, draws=params.bootstrap_draws, confidence=params.confidence, seed=seed)
    day_term: Term = (days.se**2, np.inf if days.dof is None else days.dof)
    terms = [day_term, _seeds(own), _seeds(transferred)]
    low, high = bounds(value, terms, confidence=params.confidence)
    return dataclasses.replace(found, low=low / mean, high=high / mean, p_above=above_zero(value, terms))


def transfer_verdict(regrets: Sequence[Regret], *, margin: float, confidence: float) -> TransferVerdict:
    """Give one verdict over all pairs of horizons of all rungs.

    Separate searches are needed where, after Holm's correction, the loss of some winner on another horizon is
    significant and at least `margin`. Settings transfer where every interval ends below `margin`: all pairs have to
    pass, so no correction is due. Everything else is undecided.
    """
    corrected = tuple(
        dataclasses.replace(item, p_above=p)
        for item, p in zip(regrets, holm([item.p_above for item in regrets]), strict=True)
    )

    def verdict(word: Verdict, reason: str) -> TransferVerdict:
        return TransferVerdict(verdict=word, reason=reason, margin=margin, regrets=corrected)

    if not corrected:
        return verdict("undecided", "No rung has winners on two horizons.")
    worst = max(
        (
            item
            for item in corrected
            if item.relative is not None and item.relative >= margin and _is_significant(item, confidence)
        ),
        key=lambda item: item.relative or 0.0,
        default=None,
    )
    if worst is not None and worst.relative is not None:
        return verdict(
            "separate_searches_needed",
            f"At {worst.budget} the winner of h{worst.source} loses {worst.relative:.1%} on h{worst.horizon} against "
            f"its own winner ({_p(worst.p_above)} after Holm's correction over {len(corrected)} pairs); from "
            f"{margin:.1%} on, settings of another horizon would distort a law.",
        )
    unknown = [item for item in corrected if not item.same and item.high is None]
    if unknown:
        first = unknown[0]
        return verdict(
            "undecided",
            f"{len(unknown)} of {len(corrected)} pairs have no interval; the first, {first.budget} from "
            f"h{first.source} to h{first.horizon}: {first.reason}.",
        )
    widest = max(corrected, key=lambda item: item.high or 0.0)
    reach = widest.high or 0.0
    if reach <= margin:
        return verdict(
            "settings_transfer",
            f"None of {len(corrected)} pairs loses {margin:.1%} or more: the largest upper end of an interval is "
            f"{reach:.1%} ({widest.budget}, h{widest.source} to h{widest.horizon}).",
        )
    return verdict(
        "undecided",
        f"No pair is shown to lose, but {widest.budget} from h{widest.source} to h{widest.horizon} may lose up to "
        f"{reach:.1%}, and {margin:.1%} would already distort a law: more seeds or more test days narrow it.",
    )


def _is_significant(item: Regret, confidence: float) -> bool:
    return item.p_above is not None and item.p_above <= 1.0 - confidence


def _seeds(losses: Mapping[int, Floats]) -> Term:
    means = [float(loss_N.mean()) for loss_N in losses.values()]
    return float(np.var(means, ddof=1)) / len(means), len(means) - 1.0


def _p(p: float | None) -> str:
    if p is None:
        return "p unknown"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3g}"
