"""The joint design of sizes N and amounts of data D, which decides whether their effects can be told apart.

IN STEP. log D leaves log N the share 1 - r^2 of its spread (sum of squares), r their correlation, and the variance of a
slope over N at equal D is 1 / (1 - r^2) times that of a slope over N alone. Below `IN_STEP` (inflation above 100)
nothing of practical use is left, and a slope over what is left is that of rounding errors in D: the law is then one of
N and D together, D growing as N^k. The same rule holds for planes and surfaces.

SIZES, not points, are the replicates: a size's configuration is a draw, and all its amounts of data share its luck.
Sizes closer than 10 % are one size. Amounts closer than 1 % are one amount: such a step moves a loss by less than the
noise of one training.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Labels = NDArray[np.intp]

SAME_SIZE = 1.10
SAME_AMOUNT = 1.01
IN_STEP = 0.01
_ROUNDING = 1e-12
_NEARLY = 0.05


class Kind(StrEnum):
    CONSTANT = "constant data"
    ONE_SIZE = "one size"
    IN_STEP = "in step"
    VARYING = "varying data"


@dataclass(frozen=True, kw_only=True, slots=True)
class Design:
    """The design of a table. `left_of_size`: share of the spread of log N that log D leaves. `data_exponent`: slope k
    of log D on log N, None for one size. `shared`: sizes have amounts of data in common that link every size to every
    other, with at least one spare cell, so that effects of sizes and of amounts can be told apart without a form for
    either."""

    kind: Kind
    n_sizes: int
    n_amounts: int
    left_of_size: float
    data_exponent: float | None
    shared: bool

    @property
    def inflation(self) -> float:
        """Variance of a slope at equal data, as a multiple of the variance of a slope over size alone."""
        return math.inf if self.left_of_size <= 0.0 else 1.0 / self.left_of_size


def design_of(n_params_P: Sequence[float] | Floats, n_data_P: Sequence[float] | Floats) -> Design:
    """Describe the design of points of positive sizes and amounts, in any order. Raises ValueError without points."""
    n, d = np.asarray(n_params_P, dtype=np.float64), np.asarray(n_data_P, dtype=np.float64)
    if n.size == 0 or n.shape != d.shape:
        raise ValueError(f"a design needs points, one amount of data each; got shapes {n.shape} and {d.shape}")
    sizes, amounts = groups_of(n, SAME_SIZE), groups_of(d, SAME_AMOUNT)
    x, z = np.log(n) - np.log(n).mean(), np.log(d) - np.log(d).mean()
    spread_x, spread_z, both = float(x @ x), float(z @ z), float(x @ z)
    n_sizes, n_amounts = int(sizes.max()) + 1, int(amounts.max()) + 1
    left = 1.0
    if spread_x > _ROUNDING and spread_z > _ROUNDING:
        left = max(0.0, 1.0 - both**2 / (spread_x * spread_z))
    if n_amounts == 1:
        kind = Kind.CONSTANT
    elif n_sizes == 1:
        kind = Kind.ONE_SIZE
    else:
        kind = Kind.IN_STEP if left < IN_STEP else Kind.VARYING
    return Design(
        kind=kind,
        n_sizes=n_sizes,
        n_amounts=n_amounts,
        left_of_size=left,
        data_exponent=both / spread_x if n_sizes > 1 else None,
        shared=_shared(sizes, amounts),
    )


def groups_of(values_P: Floats, ratio: float) -> Labels:
    """Label values 0, 1, ... in ascending order: values less than `ratio` times the least of their group share a label.

    Groups are formed from the least value up, so that a chain of close values is cut into groups no wider than the
    ratio.
    """
    labels = np.empty(values_P.size, dtype=np.intp)
    least, label = math.inf, -1
    for place in np.argsort(values_P, kind="stable"):
        value = float(values_P[place])
        if label < 0 or value >= least * ratio * (1.0 - _ROUNDING):
            least, label = value, label + 1
        labels[place] = label
    return labels


def n_sizes_of(n_params_P: Sequence[float] | Floats) -> int:
    """Count the sizes; those closer than 10 % count as one."""
    sizes = np.asarray(n_params_P, dtype=np.float64)
    return int(groups_of(sizes, SAME_SIZE).max()) + 1 if sizes.size else 0


def data_beside_tenfold(data_exponent: float) -> str:
    """Return the growth of data that goes with a tenfold size, as words after "ten times larger on": 1 -> "ten times
    the data"."""
    factor = 10.0**data_exponent
    for value, words in ((10.0, "ten times the data"), (1.0, "the same data"), (0.1, "a tenth of the data")):
        if abs(factor / value - 1.0) < _ROUNDING**0.5:
            return words
        if abs(factor / value - 1.0) <= _NEARLY:
            return f"about {words}"
    return f"about {factor:.2g} times the data"


def _shared(sizes: Labels, amounts: Labels) -> bool:
    """Check that sizes and amounts form a connected table with at least one more cell than a spanning tree."""
    cells = np.unique(np.column_stack([sizes, amounts]), axis=0)
    rows, columns = int(sizes.max()) + 1, int(amounts.max()) + 1
    if len(cells) < rows + columns:
        return False
    reached, found = {0}, True
    while found:
        over = {int(amount) for size, amount in cells if int(size) in reached}
        further = {int(size) for size, amount in cells if int(amount) in over}
        found, reached = not further <= reached, reached | further
    return len(reached) == rows
