"""Inputs of a model of a panel: whole days, each with all its stocks. Imports torch.

Letters: B days of a batch, S stocks, T sessions of a window, F columns, k neighbours of a stock, K features of an edge.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class DayInputs:
    """B days on one device.

    x_BSTF          float32: columns of the T sessions that end with the day, 0 where `here_BST` is False
    here_BST        bool: the stock was traded on that session and every column has a value
    member_BS       bool: the day's cross-section, whose stocks are ranked and attend to each other
    neighbours_BSk  int64: places on the stock axis of this batch, -1 where there is no further neighbour; None: no
                    graph
    edges_BSkK      float32: features of these edges (correlation, same sector), 0 where there is no neighbour; None: no
                    graph
    """

    x_BSTF: Tensor
    here_BST: Tensor
    member_BS: Tensor
    neighbours_BSk: Tensor | None = None
    edges_BSkK: Tensor | None = None

    def __len__(self) -> int:
        return len(self.x_BSTF)
