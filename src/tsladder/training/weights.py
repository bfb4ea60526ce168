"""Weights that a model computes with and those that its optimizer steps, by precision.

- ``fp32``: the same weights.
- ``bf16-mixed``: the body computes on bf16 copies; fp32 masters take the gradients and the steps (Micikevicius et al.
  2018, with bf16 in place of fp16, so without loss scaling).
- ``bf16``: the body's weights exist in bf16 alone; the optimizer rounds its steps stochastically.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from tsladder.models.build import Model, lower


class Weights:
    """Weights of `model`, given as built in fp32; its body is lowered as `precision` says."""

    def __init__(self, model: Model, precision: str) -> None:
        self._model = model
        self._masters: dict[str, Tensor] = {}
        self._sums: dict[str, Tensor] = {}
        if precision != "fp32":
            body = {parameter for part in model.body() for parameter in part.parameters()}
            self._lowered = {name: p for name, p in model.named_parameters() if p in body}
            if precision == "bf16-mixed":
                self._masters = {name: p.detach().clone() for name, p in self._lowered.items()}
            lower(model)
        else:
            self._lowered = {}

    @property
    def has_masters(self) -> bool:
        return bool(self._masters)

    @property
    def stepped(self) -> dict[str, Tensor]:
        """Weights that the optimizer steps, by name."""
        return {name: self._masters.get(name, p) for name, p in self._model.named_parameters()}

    def add_gradients(self, *, more_follow: bool) -> None:
        """Collect the gradients of one micro-batch. Lowered ones are summed in fp32, never in bf16."""
        if self._masters:
            for name, master in self._masters.items():
                parameter = self._lowered[name]
                master.grad = _sum(master.grad, parameter)
                parameter.grad = None
        elif self._lowered and (more_follow or self._sums):
            for name, parameter in self._lowered.items():
                total = _sum(self._sums.pop(name, None), parameter)
                parameter.grad = None
                if more_follow:
                    self._sums[name] = total
                else:
                    parameter.grad = total.to(parameter.dtype)

    def publish(self) -> None:
        """Copy the stepped weights to the model after a step, so that it computes with them."""
        if self._masters:
            with torch.no_grad():
                torch._foreach_copy_([self._lowered[name] for name in self._masters], list(self._masters.values()))

    @property
    def to_save(self) -> dict[str, Tensor]:
        """Weights as they are kept and saved, by name; the live ones, not a copy."""
        return {name: self._masters.get(name, value).detach() for name, value in self._model.state_dict().items()}

    @torch.no_grad()
    def load(self, values: Iterable[tuple[str, Tensor]]) -> None:
        """Restore some of the weights to values that `to_save` held before."""
        computing = self._model.state_dict()
        for name, value in values:
            if name in self._masters:
                self._masters[name].copy_(value)
            computing[name].copy_(value)


def _sum(total: Tensor | None, parameter: nn.Parameter) -> Tensor:
    if parameter.grad is None:
        raise ValueError("a parameter got no gradient: every parameter of a model must reach its output")
    return parameter.grad.float() if total is None else total.add_(parameter.grad)
