"""The plain trainer that the engine is measured against: what most people would write. FROZEN: never tuned again.

A TensorDataset of materialised windows, a shuffling DataLoader in the training process, torch's own
TransformerEncoder (pre-norm, GELU), fp32, Adam, torch's default threads, a loss read after every step. Nothing of
tsladder is imported here, so that no change of the engine moves the yardstick.
"""

from __future__ import annotations

import time

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

BATCH_SIZE = 256


class PlainEncoder(nn.Module):
    """Windows (B, T, C) cut into patches, embedded, encoded, flattened to one logit."""

    def __init__(
        self,
        *,
        context_length: int,
        n_features: int,
        patch_len: int,
        stride: int,
        d_model: int,
        n_layers: int,
        n_heads: int,
        d_ff: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.patch_len = patch_len
        self.stride = stride
        n_patches = (context_length - patch_len) // stride + 1
        self.embed = nn.Linear(patch_len * n_features, d_model)
        self.position = nn.Parameter(torch.randn(n_patches, d_model) * 0.02)
        self.dropout = nn.Dropout(dropout)
        layer = nn.TransformerEncoderLayer(
            d_model, n_heads, d_ff, dropout, activation="gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, n_layers, norm=nn.LayerNorm(d_model), enable_nested_tensor=False)
        self.head = nn.Linear(d_model * n_patches, 1)

    def forward(self, x: Tensor) -> Tensor:
        patches = x.unfold(1, self.patch_len, self.stride).flatten(2)
        hidden = self.dropout(self.embed(patches) + self.position)
        logits: Tensor = self.head(self.encoder(hidden).flatten(1))
        return logits.squeeze(-1)


class PlainTrainer:
    """Trains `model` on windows x (N, T, C) and labels y (N), some steps at a time."""

    def __init__(self, model: nn.Module, x: Tensor, y: Tensor, *, device: str = "cpu", learning_rate: float = 3e-4):
        self.device = device
        self.model = model.to(device)
        # drop_last, so that every step sees the same number of windows.
        self.loader = DataLoader(
            TensorDataset(x, y), batch_size=BATCH_SIZE, shuffle=True, num_workers=0, drop_last=True
        )
        self.batches = iter(self.loader)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=learning_rate)
        self.loss_function = nn.BCEWithLogitsLoss()
        self.running_loss = 0.0
        self.model.train()

    def run(self, steps: int) -> float:
        """Seconds that `steps` steps take. The loss is read after each, as in most training loops."""
        started = time.perf_counter()
        for _ in range(steps):
            batch = next(self.batches, None)
            if batch is None:
                self.batches = iter(self.loader)
                batch = next(self.batches)
            windows, labels = (part.to(self.device) for part in batch)
            self.optimizer.zero_grad()
            loss = self.loss_function(self.model(windows), labels)
            loss.backward()
            self.optimizer.step()
            self.running_loss += loss.item()
        return time.perf_counter() - started
