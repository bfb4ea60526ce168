"""What every encoder of sessions promises: a suite that any implementation of the port `EncoderPort` is run through.

A test module makes a class of `EncoderContract` and a fixture `family` that gives the name of one whose models have an
encoder.
"""

from __future__ import annotations

import dataclasses

import pytest
import torch
from tests.families.panel_contract import SESSIONS, STOCKS, built, noise, permuted, spec_of
from torch import Tensor, nn

from tsladder.families.parts.session_encoder import SessionEncoder, load_encoder, patches_of
from tsladder.models.build import Model, build
from tsladder.models.spec import ModelSpec, PanelGeometry


def geometry_of(spec: ModelSpec) -> PanelGeometry:
    assert isinstance(spec.geometry, PanelGeometry)
    return spec.geometry


def encoder_in(model: Model, family: str) -> SessionEncoder:
    return load_encoder(family).of(model.eval())


class EncoderContract:
    def test_the_patches_lie_in_the_window_and_are_all_hidden_or_shown(self, family: str) -> None:
        patches = patches_of(geometry_of(spec_of(family)))
        assert patches.tokens == patches.count * patches.together
        assert patches.count >= 2
        assert patches.tokens * patches.sessions <= SESSIONS

    def test_it_has_a_token_of_its_width_for_each_patch_of_each_stock(self, family: str) -> None:
        spec = spec_of(family)
        encoder, days = encoder_in(built(spec), family), noise(spec)
        h_BSPD = encoder.encode(days, False)
        assert h_BSPD.shape == (len(days), STOCKS, patches_of(geometry_of(spec)).tokens, encoder.width)

    def test_the_oldest_patch_is_always_shown_where_its_token_sees_no_later_session(self, family: str) -> None:
        """An encoder that looks back only names its oldest patches as always shown; any other sees all from all."""
        spec = spec_of(family)
        encoder, days, patches = encoder_in(built(spec), family), noise(spec), patches_of(geometry_of(spec))
        newest = days.x_BSTF.clone()
        newest[:, :, -1] += 5.0
        plain, changed = encoder.encode(days, False), encoder.encode(dataclasses.replace(days, x_BSTF=newest), False)
        looks_back_only = torch.equal(plain[:, :, 0], changed[:, :, 0])
        assert looks_back_only == (patches.always_shown > 0)

    def test_its_members_are_those_of_the_model_under_the_names_that_they_have_there(self, family: str) -> None:
        model = built(spec_of(family))
        named = dict(model.named_parameters())
        for name, member in encoder_in(model, family).members.items():
            own = {name: member} if isinstance(member, nn.Parameter) else member.named_parameters(name)
            for inner, value in dict(own).items():
                assert named[inner] is value

    def test_its_body_is_part_of_the_body_of_the_model(self, family: str) -> None:
        model = built(spec_of(family))
        encoder = encoder_in(model, family)
        lowered = {value for part in model.body() for value in part.parameters()}
        for name, member in encoder.members.items():
            values = {member} if isinstance(member, nn.Parameter) else set(member.parameters())
            assert values <= lowered if name in encoder.body else not values & lowered

    def test_the_last_token_is_what_the_model_makes_of_the_stock_before_it_compares_stocks(self, family: str) -> None:
        """A model as it is built, in which what begins as the identity does nothing yet."""
        spec = spec_of(family)
        torch.manual_seed(3)
        model = build(spec, dropout=0.0).eval()
        encoder, days = encoder_in(model, family), noise(spec)
        (norm,) = [member for name, member in encoder.members.items() if name.startswith("norm")]
        assert isinstance(norm, nn.Module)
        seen: list[Tensor] = []
        hook = norm.register_forward_hook(lambda _module, _given, out: seen.append(out))
        model(days)
        hook.remove()
        last_BSD = encoder.encode(days, False)[:, :, -1]
        torch.testing.assert_close(last_BSD.flatten(), seen[0].flatten(), atol=1e-5, rtol=1e-5)

    def test_a_token_of_a_stock_does_not_depend_on_other_stocks(self, family: str) -> None:
        spec = spec_of(family)
        encoder, days = encoder_in(built(spec), family), noise(spec)
        order_S = torch.randperm(STOCKS, generator=torch.Generator().manual_seed(5))
        plain, moved = encoder.encode(days, False), encoder.encode(permuted(days, order_S), False)
        torch.testing.assert_close(moved, plain[:, order_S], atol=1e-5, rtol=1e-5)
        others = days.x_BSTF.clone()
        others[:, 1:] = 7.0
        alone = encoder.encode(dataclasses.replace(days, x_BSTF=others), False)
        torch.testing.assert_close(alone[:, :1], plain[:, :1], atol=1e-5, rtol=1e-5)

    def test_every_parameter_of_the_encoder_gets_a_gradient(self, family: str) -> None:
        spec = spec_of(family)
        encoder = encoder_in(built(spec), family)
        encoder.encode(noise(spec), True).square().sum().backward()
        for name, member in encoder.members.items():
            for value in [member] if isinstance(member, nn.Parameter) else member.parameters():
                assert value.grad is not None, name

    @pytest.mark.parametrize("checkpointing", [False, True])
    def test_dropout_and_checkpointing_change_nothing_but_what_is_dropped(
        self, family: str, checkpointing: bool
    ) -> None:
        spec = spec_of(family)
        model = built(spec, dropout=0.3, activation_checkpointing=checkpointing).train()
        encoder, days = load_encoder(family).of(model), noise(spec)
        torch.manual_seed(1)
        dropped = encoder.encode(days, True)
        torch.manual_seed(1)
        again = encoder.encode(days, True)
        assert torch.equal(dropped, again)
        whole = encoder.encode(days, False)
        assert not torch.allclose(dropped, whole)
        plain = encoder_in(built(spec), family).encode(days, False)
        torch.testing.assert_close(whole, plain, atol=1e-5, rtol=1e-5)
