from __future__ import annotations

import pytest
import torch
from tests.building import FEATURES, geometry, spec

from tsladder.models import layers
from tsladder.models.build import build


@pytest.mark.parametrize("windows_at_once", [6, 7])
def test_two_windows_in_one_sequence_attend_only_to_themselves(
    windows_at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    model = build(spec(geometry=geometry(), n_layers=2, n_heads=4), dropout=0.0)
    x_BTC = torch.randn(windows_at_once, 24, FEATURES)

    def run() -> tuple[torch.Tensor, torch.Tensor]:
        model.zero_grad()
        logits_B = model(x_BTC)
        logits_B.sum().backward()
        gradient = model.blocks[0].get_parameter("attention.project_in.weight").grad
        assert gradient is not None
        return logits_B.detach(), gradient.clone()

    paired = run()
    monkeypatch.setattr(layers, "PAIRED_TOKENS", 0)
    for one, other in zip(paired, run(), strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)
