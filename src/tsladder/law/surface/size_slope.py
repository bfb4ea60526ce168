"""The slope of log loss over log N at equal data, with sizes as the replicates.

An estimator first takes the data's part out of every point's log loss, by a correction that is itself estimated and
linear in the log losses: corrected = T y. Corrected losses are averaged by size, each size counts once, and the slope b
over log N is that of those means. Three corrections are known: amounts of data as fixed effects (`two_way`), and a
fitted form brought to one reference amount (`partial_residuals`), a plane in logs or a surface.

Errors are u of a size, shared by all its amounts of data, and e of a point. With q the weights that b gives the
points, Var b = sum over sizes of (sum of its q)^2 Var u + sum of q^2 Var e. The residual size means (B y) have the
expected square sum Var u tr(B Z Z'B') + Var e tr(B B'), Z telling which size each point is of. So

    Var b = s^2 |Z'q|^2 + Var e (|q|^2 - |Z'q|^2 tr(B B') / tr(B Z Z'B')),   s^2 = |residual means|^2 / tr(B Z Z'B'),

exact whatever the two variances are; the second part, which an unbalanced table adds, is taken from the scatter within
sizes and never below 0. Degrees of freedom of s^2 follow Satterthwaite: tr(M)^2 / tr(M^2), M = B Z Z'B'; those are
sizes - 2 for a two-way table, and points - parameters where every size has one point.

Axis letters: P points, G sizes, K parameters of a fitted form.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tsladder.evaluation.difference import bounds, combine
from tsladder.law.curve.line import ROUNDING
from tsladder.law.design import Labels

Floats = NDArray[np.float64]

CURVED = 0.01
"""Significance level at which the sizes' curvature no longer counts as their scatter. At 5 % a null ladder, which then
keeps only the scatter that luck leaves it, would be called `scales` too often."""

SIZES_OF_A_CURVE = 6
"""Fewest sizes for a curve: with four or five little scatter is left around it, and a small one by luck passes for
precision."""

_NO_FREEDOM = 1e-6
_SINGULAR = 1e-10


@dataclass(frozen=True, kw_only=True, slots=True)
class SizeSlope:
    """The `slope` of log loss over log N (alpha is its negative) with its variance and degrees of freedom.

    `x_G`: mean log N of each size; `mean_G`: mean log loss at equal data; `residual_G`: its residual from the law.
    `noise`: sd of a size's mean; `weight_P`: weight of each point's log loss in the slope. `interaction_p`: p that size
    and data do not interact in logs, None where that is not tested; `curved`: the curvature over sizes is significant
    and was taken out of their scatter.
    """

    slope: float
    variance: float
    dof: float
    x_G: Floats
    mean_G: Floats
    residual_G: Floats
    noise: float
    weight_P: Floats
    interaction_p: float | None = None
    curved: bool = False

    @property
    def se(self) -> float:
        return float(np.sqrt(self.variance))

    def interval(self, confidence: float) -> tuple[float, float]:
        """Return the interval of alpha."""
        return bounds(0.0 - self.slope, [(self.variance, self.dof)], confidence=confidence)


@dataclass(frozen=True, kw_only=True, slots=True)
class Replicates:
    """The size of each point, and the sizes' mean log N."""

    size_P: Labels
    x_G: Floats

    @classmethod
    def of(cls, log_n_P: Floats, size_P: Labels) -> Replicates:
        return cls(size_P=size_P, x_G=np.bincount(size_P, weights=log_n_P) / np.bincount(size_P))

    @property
    def member_PG(self) -> Floats:
        return np.asarray(self.size_P[:, None] == np.arange(self.x_G.size), dtype=np.float64)

    @property
    def average_GP(self) -> Floats:
        member = self.member_PG
        return np.asarray((member / member.sum(axis=0)).T)

    @property
    def slope_G(self) -> Floats:
        """Weight of each size's mean in the slope."""
        centred = self.x_G - self.x_G.mean()
        return np.asarray(centred / (centred @ centred))


@dataclass(frozen=True, kw_only=True, slots=True)
class Curve:
    """A form over the sizes, with its derivatives by two parameters other than the level."""

    value_G: Floats
    tangent_G2: Floats


def two_way(
    y_P: Floats,
    log_n_P: Floats,
    log_d_P: Floats,
    size_P: Labels,
    amount_P: Labels,
    *,
    curve: Curve | None = None,
    least_noise: float = ROUNDING,
) -> SizeSlope | None:
    """Fit amounts of data as fixed effects together with free effects of the sizes, in logs.

    None where the two cannot be told apart, where no cell is left to estimate the noise, and below three sizes. In an
    incomplete table an interaction of size and data would tilt the slope: a significant product of their logs enters,
    and the slope is that at the mean log D. In a complete table it is the mean over the amounts in any case. `curve`: a
    fitted form around which the sizes' scatter is measured where they clearly do not follow a line.
    """
    sizes = Replicates.of(log_n_P, size_P)
    count, amounts = sizes.x_G.size, int(amount_P.max()) + 1
    if count < 3:
        return None
    member, average = sizes.member_PG, sizes.average_GP
    levels = np.asarray(amount_P[:, None] == np.arange(1, amounts), dtype=np.float64)
    free = y_P.size - (count + amounts - 1)
    columns = np.column_stack([member, levels])
    if free < 1 or np.linalg.matrix_rank(columns) < columns.shape[1]:
        return None
    cells = len(np.unique(np.column_stack([size_P, amount_P]), axis=0))
    complete = cells == count * amounts
    z = log_d_P - log_d_P.mean()
    x = (sizes.x_G - sizes.x_G.mean())[size_P]
    product = x * z
    p = p_of_terms(columns, product[:, None], y_P)
    if not complete and p is not None and p < 0.05:
        columns = np.column_stack([columns, product])
        p = p_of_terms(columns, np.column_stack([product * x, product * z]), y_P)
    solve = np.linalg.pinv(columns)
    correct = np.eye(y_P.size) - (columns[:, count:] - columns[:, count:].mean(axis=0)) @ solve[count:]
    within = y_P - columns @ (solve @ y_P)
    mean_G = average @ (correct @ y_P)
    leaves, residual_G, curved = _scatter(sizes.x_G, mean_G, average @ correct, curve, least_noise)
    found = _slope(
        sizes,
        weight_P=sizes.slope_G @ average @ correct,
        residual_G=residual_G,
        residual_GP=leaves @ average @ correct,
        within=(float(within @ within), float(y_P.size - columns.shape[1])),
        mean_G=mean_G,
        slope=float(sizes.slope_G @ mean_G),
        least_noise=least_noise,
    )
    return None if found is None else dataclasses.replace(found, interaction_p=p, curved=curved)


def partial_residuals(
    residual_P: Floats,
    reference_G: Floats,
    jacobian_PK: Floats,
    reference_jacobian_PK: Floats,
    log_n_P: Floats,
    size_P: Labels,
    *,
    least_noise: float = ROUNDING,
) -> SizeSlope | None:
    """Estimate the slope from the residuals of a fitted form.

    `residual_P` = log loss - fitted; `reference_G`: the form at each size and the reference amount of data. The
    jacobians are the form's derivatives at the points and at the points' sizes with the reference amount of data. A
    size's mean is the form there plus the mean of its residuals. None below three sizes, and where the form leaves the
    sizes no scatter to judge by.
    """
    sizes = Replicates.of(log_n_P, size_P)
    if sizes.x_G.size < 3:
        return None
    average = sizes.average_GP
    solve = np.linalg.pinv(jacobian_PK, rcond=_SINGULAR)
    leaves = np.eye(residual_P.size) - jacobian_PK @ solve
    correct = np.eye(residual_P.size) - (jacobian_PK - reference_jacobian_PK) @ solve
    residual_G = average @ residual_P
    mean_G = reference_G + residual_G
    within = residual_P - residual_G[size_P]
    spare = leaves - (average @ leaves)[size_P]
    return _slope(
        sizes,
        weight_P=sizes.slope_G @ average @ correct,
        residual_G=residual_G,
        residual_GP=average @ leaves,
        within=(float(within @ within), float(np.sum(spare**2))),
        mean_G=mean_G,
        slope=float(sizes.slope_G @ mean_G),
        least_noise=least_noise,
    )


def _slope(
    sizes: Replicates,
    *,
    weight_P: Floats,
    residual_G: Floats,
    residual_GP: Floats,
    within: tuple[float, float],
    mean_G: Floats,
    slope: float,
    least_noise: float,
) -> SizeSlope | None:
    member = sizes.member_PG
    shared = residual_GP @ member
    spread = shared @ shared.T
    trace = float(np.trace(spread))
    if trace < _NO_FREEDOM:
        return None
    dof = trace**2 / float(np.sum(spread**2))
    single = float(np.sum(residual_GP**2)) / trace
    variance_G = max(float(residual_G @ residual_G) / trace, least_noise**2 * single)
    of_size = float(np.sum((weight_P @ member) ** 2))
    terms = [(variance_G * of_size, dof)]
    sse, free = within
    if free > _NO_FREEDOM and (unbalanced := float(weight_P @ weight_P) - of_size * single) > ROUNDING:
        terms.append((max(sse / free, least_noise**2) * unbalanced, free))
    se, dof = combine(terms)
    return SizeSlope(
        slope=slope,
        variance=se**2,
        dof=dof,
        x_G=sizes.x_G,
        mean_G=mean_G,
        residual_G=residual_G,
        noise=float(np.sqrt(variance_G)),
        weight_P=weight_P,
    )


def _scatter(
    x_G: Floats, mean_G: Floats, corrected_GP: Floats, curve: Curve | None, least_noise: float
) -> tuple[Floats, Floats, bool]:
    """Return the matrix that turns errors of size means into their scatter, that scatter, and whether it is around a
    curve.

    The scatter is taken around a line or, where this is significantly better, around a form with one parameter more:
    the given curve, else a parabola.
    """
    centred = x_G - x_G.mean()
    line = _leaves(np.column_stack([np.ones_like(centred), centred]))
    around_line = np.asarray(line @ mean_G)
    if x_G.size < SIZES_OF_A_CURVE:
        return line, around_line, False
    if curve is None:
        curve = Curve(value_G=np.zeros_like(x_G), tangent_G2=np.column_stack([centred, centred**2]))
    tangent = curve.tangent_G2 - curve.tangent_G2.mean(axis=0)
    if np.linalg.matrix_rank(tangent) < 2:
        return line, around_line, False
    bent = _leaves(np.column_stack([np.ones_like(centred), tangent]))
    around_curve = np.asarray(bent @ (mean_G - curve.value_G))
    floor = least_noise**2 * float(np.sum(corrected_GP**2)) / x_G.size
    straight, left = (max(float(each @ each), floor) for each in (around_line, around_curve))
    if _p_of_f((straight - left) / (left / (x_G.size - 3)), 1, x_G.size - 3) < CURVED:
        return bent, around_curve, True
    return line, around_line, False


def _leaves(columns: Floats) -> Floats:
    orthogonal = np.linalg.qr(columns)[0]
    return np.asarray(np.eye(len(columns)) - orthogonal @ orthogonal.T)


def p_of_terms(columns_PK: Floats, further_PK: Floats, y_P: Floats) -> float | None:
    """Return p of an F test that further columns explain nothing; None where none of them is new or no freedom is
    left."""
    without = _leaves(columns_PK)
    new = without @ further_PK
    scale = np.linalg.norm(further_PK - further_PK.mean(axis=0), axis=0)
    told = np.linalg.norm(new, axis=0) > 1e-6 * np.maximum(scale, ROUNDING)
    if not told.any():
        return None
    rank = int(np.linalg.matrix_rank(new[:, told], tol=1e-6 * float(np.linalg.norm(new[:, told]))))
    freedom = y_P.size - int(np.linalg.matrix_rank(columns_PK)) - rank
    if freedom < 1:
        return None
    residual = without @ y_P
    basis = np.linalg.svd(new[:, told] / np.linalg.norm(new[:, told], axis=0), full_matrices=False)[0][:, :rank]
    explained = float(np.sum((basis.T @ residual) ** 2))
    left = max(float(residual @ residual) - explained, y_P.size * ROUNDING**2)
    return _p_of_f((explained / rank) / (left / freedom), rank, freedom)


def _p_of_f(ratio: float, over: int, under: int) -> float:
    from scipy.stats import f

    return float(f.sf(ratio, over, under))
