"""Windows on the device: the series is stored once, batches are gathered by index."""

from __future__ import annotations

import torch
from torch import Tensor

from tsladder.data.windows import Windows


class Feed:
    """Windows of one region as tensors on `device`; a batch is gathered and normalised in one affine step."""

    def __init__(self, windows: Windows, device: torch.device) -> None:
        self.context_length = windows.context_length
        self.series_TF = torch.from_numpy(windows.series_TF).to(device)
        self.first_N = torch.from_numpy(windows.ends_N - (windows.context_length - 1)).to(device)
        self.scale_NF = torch.from_numpy(windows.scale_NF).to(device)
        self.shift_NF = torch.from_numpy(windows.shift_NF).to(device)
        self.y_N = torch.from_numpy(windows.y_N).to(device)
        self._days_T = torch.arange(windows.context_length, device=device)

    def __len__(self) -> int:
        return len(self.y_N)

    def batch(self, index_B: Tensor) -> tuple[Tensor, Tensor]:
        """Return x_BTC and y_B of the windows `index_B`."""
        rows_BT = self.first_N[index_B, None] + self._days_T
        x_BTC = self.series_TF[rows_BT]
        x_BTC = torch.addcmul(self.shift_NF[index_B, None, :], x_BTC, self.scale_NF[index_B, None, :])
        return x_BTC, self.y_N[index_B]
