"""What blocks are said to keep, against what torch really keeps for the backward pass."""

from __future__ import annotations

import pytest
import torch
from tests.building import geometry, spec

from tsladder.models.build import build, lower
from tsladder.models.spec import ModelSpec
from tsladder.planning.activations import (
    block_bytes,
    blocks_bytes,
    checkpointed_bytes,
    edges_bytes,
    largest_block_bytes,
    moment_bytes,
)

WINDOWS = 8


def model_spec(family: str, n_layers: int, **changes: int) -> ModelSpec:
    inside = geometry(80, 16, 8, family=family, n_features=40)
    return spec(geometry=inside, n_layers=n_layers, **({"d_model": 32, "n_heads": 4, "d_ff": 128} | changes))


def kept_bytes(counted: ModelSpec, body: int, *, checkpointing: bool = False) -> int:
    """Of storages that the graph of one forward pass holds beside parameters and buffers."""
    model = build(counted, dropout=0.2, activation_checkpointing=checkpointing).train()
    if body == 2:
        lower(model)
    own = {value.untyped_storage().data_ptr() for value in (*model.parameters(), *model.buffers())}
    kept: dict[int, torch.Tensor] = {}

    def keep(value: torch.Tensor) -> torch.Tensor:
        if value.untyped_storage().data_ptr() not in own:
            kept[value.untyped_storage().data_ptr()] = value
        return value

    days, features = counted.geometry.context_length, counted.geometry.n_features
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda value: value):
        logits_B = model(torch.randn(WINDOWS, days, features))
        held = sum(value.untyped_storage().nbytes() for value in kept.values())
    logits_B.sum().backward()
    return held


def read_bytes(counted: ModelSpec) -> int:
    """What the last norm and the head keep of the tokens they see, in fp32."""
    return WINDOWS * counted.stem.tokens_read * counted.d_model * 2 * 4


@pytest.mark.parametrize("body", [4, 2])
@pytest.mark.parametrize("family", ["patchtst", "itransformer", "informer"])
@pytest.mark.parametrize("fewer", [1, 2, 3, 5])
def test_one_more_block_keeps_what_it_is_said_to_keep(family: str, body: int, fewer: int) -> None:
    """From one to four blocks the Informer's new block sees half of the tokens and comes with a distilling."""
    low, high = model_spec(family, fewer), model_spec(family, fewer + 1)
    measured = kept_bytes(high, body) - read_bytes(high) - (kept_bytes(low, body) - read_bytes(low))
    said = blocks_bytes(high, WINDOWS, body) - blocks_bytes(low, WINDOWS, body)
    assert said == pytest.approx(measured, rel=0.06)


@pytest.mark.parametrize("family", ["patchtst", "itransformer", "informer"])
def test_checkpointing_keeps_the_input_of_each_block(family: str) -> None:
    low, high = model_spec(family, 5), model_spec(family, 6)
    measured = kept_bytes(high, 4, checkpointing=True) - kept_bytes(low, 4, checkpointing=True)
    said = checkpointed_bytes(high, WINDOWS, 4) - checkpointed_bytes(low, WINDOWS, 4)
    assert said == pytest.approx(measured, rel=0.05)


def test_more_windows_blocks_or_bytes_take_more() -> None:
    for family in ("patchtst", "itransformer", "informer"):
        small, deep = model_spec(family, 2), model_spec(family, 3)
        for take in (blocks_bytes, checkpointed_bytes, largest_block_bytes, moment_bytes, edges_bytes):
            assert take(small, 2 * WINDOWS, 4) == pytest.approx(2 * take(small, WINDOWS, 4))
        assert blocks_bytes(small, WINDOWS, 4) > blocks_bytes(small, WINDOWS, 2)
        assert blocks_bytes(deep, WINDOWS, 4) > blocks_bytes(small, WINDOWS, 4)


def test_the_informer_keeps_less_of_later_blocks() -> None:
    deep = model_spec("informer", 6)
    kept = [block_bytes(deep, stage, WINDOWS, 4) for stage in deep.stem.stages]
    assert len(kept) == 4
    assert kept == sorted(kept, reverse=True)
