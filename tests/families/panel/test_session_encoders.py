"""The contract, on every family of panels whose models have an encoder of sessions; and what is refused."""

from __future__ import annotations

import pytest
from tests.families.encoder_contract import EncoderContract

from tsladder.errors import BadInput
from tsladder.families import panel_names
from tsladder.families.parts.session_encoder import Patches, fault, load_encoder


@pytest.fixture(params=panel_names())
def family(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


class TestEveryEncoder(EncoderContract):
    pass


@pytest.mark.parametrize(
    ("count", "share", "hidden"), [(5, 0.4, 2), (4, 0.4, 2), (4, 0.3, 1), (5, 0.01, 1), (5, 0.95, 4), (2, 0.9, 1)]
)
def test_some_patches_are_hidden_and_never_all(count: int, share: float, hidden: int) -> None:
    assert Patches(tokens=count, sessions=3).hidden(share) == hidden


def test_patches_that_are_always_shown_are_not_among_those_that_are_hidden() -> None:
    assert Patches(tokens=20, sessions=1, together=5, always_shown=1).hidden(0.95) == 3


def test_a_family_without_an_encoder_is_refused() -> None:
    with pytest.raises(BadInput, match="patchtst have no encoder"):
        load_encoder("patchtst")


@pytest.mark.parametrize(
    ("family", "settings", "words"),
    [
        ("panel_transformer", {"patch_len": 60, "days": 20}, "has one patch"),
        ("atft_gat_fan", {"patch_len": 12, "days": 5}, "has one patch"),
        ("patchtst", {"patch_len": 12, "days": 20}, "no encoder"),
    ],
)
def test_windows_of_one_patch_cannot_be_pretrained_on(family: str, settings: dict[str, int], words: str) -> None:
    found = fault(family, 60, settings)
    assert found is not None
    assert words in found


def test_windows_of_several_patches_can() -> None:
    assert fault("panel_transformer", 60, {"patch_len": 12, "days": 20}) is None
    assert fault("atft_gat_fan", 60, {"patch_len": 12, "days": 20}) is None
