"""Dependence of the exponent on the number of trials that each rung's search had.

Each rung enters the law with the best of its trials. Where good settings get rarer with size, the best of few trials
lies further above the best possible loss the larger the rung is, and the exponent comes out too low, however many rungs
there are. The recorded trials show it: the expected best of k of them is known for every k up to their number, and so
is the exponent at k. Letters: R rungs, N trials.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tsladder.artifacts.law_evidence import TrialSelection
from tsladder.artifacts.trials import TrialRecord, TrialState, latest
from tsladder.law.curve.line import fit_line
from tsladder.law.wording import p_in_words

Floats = NDArray[np.float64]

_ENDED = (TrialState.COMPLETE, TrialState.PRUNED)
_VAL_AUC = "val_auc"

_MATTERS = 0.1
"""Smallest change that matters, as a share of the exponent of interest. See docs/decisions.md, 2026-11-28."""


def judge_selection(
    n_params_R: Sequence[float],
    ranked_RN: Sequence[Sequence[float]],
    *,
    alpha_of_interest: float,
    confidence: float,
) -> TrialSelection | None:
    """Test whether the exponent changes with the number of trials.

    `ranked_RN`: validation losses of each rung's trials, best trial first, as many as each rung has. Rungs are the
    replicates: the distance of the mean trial above the best of k, in logs, is regressed on log size. None with fewer
    than three sizes, with a rung of fewer than two trials, and where that distance is the same at every rung.
    """
    least = min((len(losses_N) for losses_N in ranked_RN), default=0)
    if least < 2 or len(set(n_params_R)) < 3 or any(min(losses_N) <= 0.0 for losses_N in ranked_RN):
        return None
    from scipy.stats import t

    best = {k: [expected_best(losses_N, k) for losses_N in ranked_RN] for k in _doubling(least)}
    alphas = {k: _alpha(n_params_R, losses_R) for k, losses_R in best.items()}
    most = max(alphas)
    gap = fit_line(n_params_R, np.divide(best[1], best[most]), None)
    if gap is None or gap.dof < 1:
        return None
    se = math.sqrt(float(gap.residuals @ gap.residuals) / gap.dof / gap.spread)
    if se <= 1e-12:
        return None
    change = alphas[most] - alphas[1]
    reach = float(t.ppf((1.0 + confidence) / 2.0, gap.dof)) * se
    p = 2.0 * float(t.sf(abs(change) / se, gap.dof))
    shown, moved = p < 1.0 - confidence, change if most == 2 else alphas[most] - alphas[2]
    moves = shown and moved * change > 0.0 and abs(moved) >= _MATTERS * alpha_of_interest
    return TrialSelection(
        alphas=alphas,
        change=change,
        change_ci=(change - reach, change + reach),
        p=p,
        moves=moves,
        words=_words(alphas, change, p, shown=shown, moves=moves),
    )


def expected_best(ranked_N: Sequence[float], k: int) -> float:
    """Return the expected loss of the best of `k` trials drawn without replacement from `ranked_N`, best first.

    The i-th best of N is the best of the drawn ones with probability C(N - i, k - 1) / C(N, k): the estimator of Dodge
    et al. (2019), "Show Your Work", in its form without replacement, which is unbiased (Tang et al. 2020). Raises
    ValueError unless 1 <= k <= N.
    """
    n = len(ranked_N)
    if not 1 <= k <= n:
        raise ValueError(f"the best of k trials needs k from 1 to their number {n}, got {k}")
    chosen = math.comb(n, k)
    return math.fsum(math.comb(n - i, k - 1) / chosen * loss for i, loss in enumerate(ranked_N, start=1))


def ranked_losses(attempts: Iterable[TrialRecord], objective: str) -> tuple[float, ...]:
    """Return the validation losses of a search's trials, the best by `objective` (params.yaml) first.

    A pruned trial counts with its best loss until then. Trials without a loss are left out and, where the objective is
    the AUC, all but completed trials with an AUC; of several attempts at a trial the last one counts.
    """
    ended = [
        (trial, loss)
        for trial in latest(attempts).values()
        if trial.state in _ENDED and (loss := trial.best_val_loss) is not None
    ]
    if objective != _VAL_AUC:
        return tuple(sorted(loss for _, loss in ended))
    scored = [
        (-trial.val_auc, trial.number, loss)
        for trial, loss in ended
        if trial.state is TrialState.COMPLETE and trial.val_auc is not None
    ]
    return tuple(loss for _, _, loss in sorted(scored))


def _doubling(most: int) -> list[int]:
    return [2**power for power in range(most.bit_length()) if 2**power <= most]


def _alpha(n_params_R: Sequence[float], loss_R: Sequence[float]) -> float:
    line = fit_line(n_params_R, loss_R, None)
    if line is None:
        raise ValueError(f"an exponent needs several sizes, got {n_params_R}")
    return 0.0 - line.slope


def _words(alphas: Mapping[int, float], change: float, p: float, *, shown: bool, moves: bool) -> str:
    most = max(alphas)
    told = ", ".join(f"{alpha:+.4f} at the best of {k}" for k, alpha in alphas.items() if k > 1)
    seen = f"the exponent of the searches' validation losses is {alphas[1]:+.4f} at the mean trial, {told}"
    if not shown:
        return f"{seen}: these trials do not show that good settings get rarer or more common with size"
    if not moves:
        return (
            f"{seen}: that of the mean trial differs ({p_in_words(p)}), those of the best ones by too little to matter"
        )
    rarer, at, way = ("rarer", "larger", "low") if change > 0.0 else ("more common", "smaller", "high")
    return (
        f"{seen}. They differ ({p_in_words(p)}), as where good settings get {rarer} with size: the best of {most} "
        "trials is "
        f"then worse than it could be at the {at} rungs, and the exponent of the law too {way} by an amount that these "
        f"trials do not show. Set search.trials higher, or narrow search.space to where the {at} rungs do well"
    )
