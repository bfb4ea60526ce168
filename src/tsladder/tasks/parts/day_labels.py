"""Labels of days, for the losses of a ranking. Imports torch.

Letters: B days, S stocks, M horizons, the cell's own first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class DayLabels:
    """Labels of B days on one device.

    return_BSM   forward log returns, NaN for a stock that is no member of the day or has no label
    target_BSM   the same returns as losses use them: ranks or z-scores within the day, NaN in the same places
    weight_B     weights of the days in a loss that weighs days; None: all days weigh 1
    """

    return_BSM: Tensor
    target_BSM: Tensor
    weight_B: Tensor | None = None

    def __len__(self) -> int:
        return len(self.return_BSM)

    def of_days(self, index_B: Tensor) -> DayLabels:
        """Return the labels of the days numbered `index_B`."""
        weight_B = None if self.weight_B is None else self.weight_B[index_B]
        return DayLabels(return_BSM=self.return_BSM[index_B], target_BSM=self.target_BSM[index_B], weight_B=weight_B)

    def double(self) -> DayLabels:
        """Return the same labels as float64."""
        return DayLabels(
            return_BSM=self.return_BSM.double(),
            target_BSM=self.target_BSM.double(),
            weight_B=None if self.weight_B is None else self.weight_B.double(),
        )

    @classmethod
    def joined(cls, parts: Sequence[DayLabels]) -> DayLabels:
        """Return the labels of all `parts`, in their order."""
        weights = [part.weight_B for part in parts if part.weight_B is not None]
        return cls(
            return_BSM=torch.cat([part.return_BSM for part in parts]),
            target_BSM=torch.cat([part.target_BSM for part in parts]),
            weight_B=torch.cat(weights) if weights else None,
        )
