from __future__ import annotations

import pytest
import torch

from tsladder.families.parts.dropout import Masks, draw_keys


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.7])
def test_units_are_dropped_at_the_rate_and_the_kept_ones_scaled_up(rate: float) -> None:
    ones = torch.ones(200_000)
    dropped = Masks(rate, 5).drop(ones)
    share = (dropped == 0).double().mean().item()
    assert share == pytest.approx(rate, abs=5 * (rate * (1 - rate) / len(ones)) ** 0.5)
    assert dropped.max().item() == pytest.approx(1 / (1 - rate), rel=1e-4)
    assert dropped.double().mean().item() == pytest.approx(1.0, abs=0.02)


def test_neighbouring_units_and_masks_are_independent() -> None:
    masks = Masks(0.5, 1)
    first, second = (masks.drop(torch.ones(100_000)) > 0 for _ in range(2))
    for one, other in ((first, second), (first[1:], first[:-1]), (first[4:], first[:-4])):
        assert (one == other).double().mean().item() == pytest.approx(0.5, abs=0.01)


def test_a_key_repeats_its_masks_and_another_does_not() -> None:
    ones = torch.ones(1000)
    assert torch.equal(Masks(0.3, 9).drop(ones), Masks(0.3, 9).drop(ones))
    assert not torch.equal(Masks(0.3, 9).drop(ones), Masks(0.3, 10).drop(ones))


def test_keys_follow_the_seed_of_torch() -> None:
    torch.manual_seed(3)
    first = draw_keys(4)
    torch.manual_seed(3)
    assert draw_keys(4) == first
    assert draw_keys(4) != first


def test_the_residual_is_kept_and_only_the_branch_dropped() -> None:
    residual, branch = torch.randn(2, 50, 8)
    added = Masks(0.5, 2).add(residual, branch) - residual
    torch.testing.assert_close(added, Masks(0.5, 2).drop(branch))


def test_gradients_pass_where_units_were_kept() -> None:
    branch = torch.ones(1000, requires_grad=True)
    out = Masks(0.5, 4).add(torch.zeros(1000), branch)
    out.sum().backward()
    assert branch.grad is not None
    torch.testing.assert_close(branch.grad, out.detach())
