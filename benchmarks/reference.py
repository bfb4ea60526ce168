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


def train(model: nn.Module, x: Tensor, y: Tensor, *, steps: int, warm_up: int, learning_rate: float) -> float:
    """Train for `warm_up` steps, then `steps` more; seconds of the latter."""
    loader = DataLoader(TensorDataset(x, y), batch_size=BATCH_SIZE, shuffle=True, num_workers=0, drop_last=True)
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    loss_function = nn.BCEWithLogitsLoss()
    model.train()
    done = 0
    started = time.perf_counter()
    running_loss = 0.0
    while True:
        for windows, labels in loader:
            if done == warm_up:
                started = time.perf_counter()
            optimizer.zero_grad()
            loss = loss_function(model(windows), labels)
            loss.backward()
            optimizer.step()
            running_loss += loss.item()
            done += 1
            if done == warm_up + steps:
                return time.perf_counter() - started
