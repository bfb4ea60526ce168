from __future__ import annotations

import math

import pytest
import torch

from tsladder.families.parts.quantile_head import quantiles_of


def test_two_quantiles_on_each_side_of_the_median_lie_a_softplus_further_out_each() -> None:
    raw = torch.tensor([0.0, 1.0, 5.0, -1.0, 2.0], dtype=torch.float64)

    def softplus(x: float) -> float:
        return math.log1p(math.exp(x))

    expected = [
        5.0 - softplus(1.0) - softplus(0.0),
        5.0 - softplus(1.0),
        5.0,
        5.0 + softplus(-1.0),
        5.0 + softplus(-1.0) + softplus(2.0),
    ]
    torch.testing.assert_close(quantiles_of(raw, 1, 5), torch.tensor(expected, dtype=torch.float64))


@pytest.mark.parametrize(("horizons", "quantiles"), [(1, 3), (4, 5), (2, 9)])
def test_quantiles_never_cross_and_the_middle_one_is_the_median_as_given(horizons: int, quantiles: int) -> None:
    torch.manual_seed(0)
    raw = 10.0 * torch.randn(3, 7, horizons * quantiles)
    found = quantiles_of(raw, horizons, quantiles)
    assert found.shape == raw.shape
    assert (found.unflatten(-1, (horizons, quantiles)).diff(dim=-1) >= 0).all()
    middle = [horizon * quantiles + quantiles // 2 for horizon in range(horizons)]
    assert torch.equal(found[..., middle], raw[..., middle])


def test_each_horizon_is_made_of_its_own_outputs() -> None:
    torch.manual_seed(0)
    raw = torch.randn(2, 4, 10)
    parts = [quantiles_of(part, 1, 5) for part in raw.split(5, dim=-1)]
    torch.testing.assert_close(quantiles_of(raw, 2, 5), torch.cat(parts, dim=-1))


def test_one_quantile_is_the_score_as_given() -> None:
    raw = torch.randn(2, 4, 3)
    assert torch.equal(quantiles_of(raw, 3, 1), raw)


def test_every_output_gets_a_gradient() -> None:
    raw = torch.randn(6, 10, requires_grad=True, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda value: quantiles_of(value, 2, 5), (raw,))
    (quantiles_of(raw, 2, 5) * torch.arange(1.0, 11.0)).sum().backward()
    assert raw.grad is not None
    assert (raw.grad != 0).all()


def test_an_even_number_of_quantiles_has_no_median() -> None:
    with pytest.raises(ValueError, match="odd number of quantiles, got 4"):
        quantiles_of(torch.randn(3, 4), 1, 4)
