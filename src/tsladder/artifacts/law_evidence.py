"""Evidence beside the fits of a ladder, as it stands in scaling.json: neighbours, outliers, best rungs, more runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tsladder.artifacts.law_fits import Ends


@dataclass(frozen=True, kw_only=True, slots=True)
class InfluentialRung:
    """Rung that dominates the fit, or is an outlier from the law of the others, and the exponent without it.

    `p_outlier`: probability that a rung of the others' law lies as far off, times the number of rungs (Bonferroni).
    """

    cell: str
    cooks_distance: float | None
    alpha_without: float | None
    p_outlier: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class SettleOption:
    """One way to settle an undecided verdict. `what`: "seeds", "rungs" or "days". `seeds`: seeds per rung; `rungs`:
    sizes of further rungs; both None where no reasonable number would do. `estimated_seconds`: duration of the work,
    None where unknown."""

    what: str
    seeds: int | None
    rungs: tuple[float, ...] | None
    words: str
    estimated_seconds: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class NeighbourContrast:
    """Contrast of two rungs: loss of the larger one minus loss of the smaller one.

    `p_holm` is two-sided, corrected for every pair of the ladder. `se` and `p_holm` are None where nothing is known of
    the noise. `noise` names the sources in the standard error: "days and seeds", "days", "seeds", "se as given",
    "choice" (the scatter of the rungs, where it exceeds the others) or "unknown".
    """

    smaller: str
    larger: str
    difference: float
    relative: float
    se: float | None
    p_holm: float | None
    noise: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfidenceSet:
    """Model confidence set: the models that cannot be distinguished from the best one, in the order of their mean
    loss, and the p-value at which each model would leave the set.

    `about`: the population for which the set holds.
    """

    members: tuple[str, ...]
    p_values: Mapping[str, float]
    about: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RungLeftOut:
    """One rung predicted by the power law of the others. `error` is relative: predicted / measured - 1.

    `p_outlier`: two-sided p that a rung of the others' law lies as far off as this one, from its externally studentised
    residual, times the number of rungs (Bonferroni); None where the others leave no degree of freedom.
    """

    cell: str
    n_params: float
    measured: float
    predicted: float
    error: float
    alpha_without: float
    p_outlier: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SizeLeftOut:
    """One size predicted from the others at its own amounts of data. `cell`: the size in words. `measured`,
    `predicted`: geometric means over its `n_points`; `error` is relative, predicted / measured - 1, and `worst_error`
    is that of its worst point."""

    cell: str
    n_params: float
    n_points: int
    measured: float
    predicted: float
    error: float
    worst_error: float
    alpha_without: float


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialSelection:
    """Exponents of the searches' validation losses by the number of trials that a rung may choose from.

    alphas       k -> exponent of the expected best of k trials; 1: of the mean trial. k doubles as far as all rungs go
    change       exponent at the largest k less that at 1, with its t interval over rungs (R - 2 degrees of freedom)
    p            two-sided p of no change
    moves        p is below 1 - confidence, and from 2 trials on the exponent moves by at least a tenth of the one of
                 interest: a mean trial that falls behind alone says nothing of the best ones
    words        what this means for the law, in a sentence
    """

    alphas: Mapping[int, float]
    change: float
    change_ci: Ends
    p: float
    moves: bool
    words: str

    @property
    def warning(self) -> str | None:
        """The sentence `words` where the exponent moves; None elsewhere."""
        return self.words if self.moves else None
