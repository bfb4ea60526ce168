"""Lean optimizer: its state is smaller than the weights' rounding errors, with factored second moments and no first
moment.

Adafactor (Shazeer & Stern 2018) with an outer learning rate: a matrix keeps one second moment per row and one per
column, and each matrix's update is clipped by its own root mean square. That clipping replaces the clipping of the
gradient's global norm, which would need every gradient at once. Weights held in bf16 are stepped in fp32 and rounded
stochastically.

State: 4 bytes per row and column of a matrix, 4 bytes per value of anything else: about 0.004 bytes per parameter at
width 2048.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tsladder.seeds import derive_seed
from tsladder.training.step_counts import StepCounts

DECAY_EXPONENT = -0.8
"""Exponent of the second moments' decay, 1 - t ** DECAY_EXPONENT at step t, so that they need no bias correction."""

CLIP = 1.0
"""Largest root mean square of a tensor's update, before the learning rate."""

FLOOR = 1e-16
"""Constant added to squared gradients, the square of AdamW's epsilon: a gradient that is nothing but rounding, such as
that of a key's bias, must not be scaled up to a step of full size."""

CHUNK = 1 << 17
"""Number of values handled at once: a chunk's few temporaries stay in a core's cache, and the step needs no copy of a
matrix."""


class LeanOptimizer(torch.optim.Optimizer):
    """Optimizer that steps after the backward pass (`step`) or, parameter by parameter, inside it
    (`step_inside_backward`).

    Both compute the same. The rounding bits are drawn from a separate stream for each parameter and step, so they do
    not depend on the order in which gradients arrive.
    """

    DECOUPLED = True
    """Weight decay scales the weights themselves and is no part of the gradient."""

    def __init__(self, groups: list[dict[str, Any]], *, learning_rate: float, seed: int) -> None:
        super().__init__(groups, {"lr": learning_rate, "weight_decay": 0.0})
        self._seed = seed
        self._steps = StepCounts(self.param_groups)
        self._moved = False
        everything = [(p, group) for group in self.param_groups for p in group["params"]]
        self._of = {id(p): (number, group) for number, (p, group) in enumerate(everything)}

    def begin_step(self) -> None:
        """Begin an optimizer step, before its first backward pass."""
        self._steps.begin_step()

    def end_step(self) -> None:
        """End an optimizer step, after every parameter has taken it."""
        self._moved = False

    def numbers(self) -> dict[str, Any]:
        """Return the counts of steps, JSON-ready, on which the decay of the moments and the rounding of the next step
        depend."""
        return self._steps.numbers()

    def restore_numbers(self, numbers: Mapping[str, Any]) -> None:
        """Restore what `numbers` returned."""
        self._steps.restore_numbers(numbers)

    @property
    def in_motion(self) -> bool:
        """True where some parameter has already taken the step that was begun last, while others may not have."""
        return self._moved

    def step_inside_backward(self) -> None:
        """Step each parameter from now on as soon as its gradient is complete, and drop the gradient.

        Only for steps of one micro-batch.
        """
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.register_post_accumulate_grad_hook(self._step_and_drop)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Step every parameter that still has a gradient. `closure` is not supported."""
        if closure is not None:
            raise ValueError("LeanOptimizer takes no closure")
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._step_one(parameter)

    @torch.no_grad()
    def _step_and_drop(self, parameter: Tensor) -> None:
        self._step_one(parameter)
        parameter.grad = None

    def _step_one(self, parameter: Tensor) -> None:
        self._moved = True
        number, group = self._of[id(parameter)]
        gradient = parameter.grad
        if gradient is None:
            raise ValueError("a parameter without a gradient cannot be stepped")
        matrix_RC = _as_matrix(parameter)
        gradient_RC = gradient.view_as(matrix_RC)
        scale = self._scale(parameter, gradient_RC)
        rows = _chunks(matrix_RC)
        squares = torch.zeros((), device=parameter.device)
        for part in rows:
            squares += scale.update(gradient_RC, part).square_().sum()
        clip = max(1.0, (squares.item() / parameter.numel()) ** 0.5 / CLIP)
        learning_rate = group["lr"]
        keep = 1.0 - learning_rate * group["weight_decay"]
        rounding = _Rounding(parameter, derive_seed(self._seed, number, self._steps.begun))
        for part in rows:
            value = matrix_RC[part].float().mul_(keep)
            value.add_(scale.update(gradient_RC, part), alpha=-learning_rate / clip)
            matrix_RC[part] = rounding.rounded(value)

    def _scale(self, parameter: Tensor, gradient_RC: Tensor) -> _Scale:
        """Update the second moments of `parameter` with this gradient, and return the scale of its update."""
        state = self.state[parameter]
        factored = min(gradient_RC.shape) > 1
        rows, columns = gradient_RC.shape
        if not state:
            shapes = {"row": (rows, 1), "column": (1, columns)} if factored else {"square": (rows, columns)}
            for name, shape in shapes.items():
                state[name] = torch.zeros(shape, dtype=torch.float32, device=parameter.device)
        decay = 1.0 - self._steps.count(parameter) ** DECAY_EXPONENT
        if not factored:
            squares = gradient_RC.float().square().add_(FLOOR)
            state["square"].mul_(decay).add_(squares, alpha=1.0 - decay)
            return _Scale(state["square"].rsqrt(), None)
        row = torch.empty(rows, 1, dtype=torch.float32, device=parameter.device)
        column = torch.zeros(1, columns, dtype=torch.float32, device=parameter.device)
        for part in _chunks(gradient_RC):
            squares = gradient_RC[part].float().square().add_(FLOOR)
            row[part] = squares.mean(dim=1, keepdim=True)
            column += squares.sum(dim=0, keepdim=True)
        state["row"].mul_(decay).add_(row, alpha=1.0 - decay)
        state["column"].mul_(decay).add_(column, alpha=(1.0 - decay) / rows)
        # v_ij is estimated by row_i * column_j / mean(row).
        return _Scale((state["row"] / state["row"].mean()).rsqrt_(), state["column"].rsqrt())


class _Scale:
    """Scale by which a gradient is multiplied: one factor per row and one per column, or one per value."""

    def __init__(self, left: Tensor, right: Tensor | None) -> None:
        self._left = left
        self._right = right

    def update(self, gradient_RC: Tensor, part: slice) -> Tensor:
        """Return the unclipped update of some rows, in fp32."""
        update = gradient_RC[part].float() * self._left[part]
        return update if self._right is None else update.mul_(self._right)


class _Rounding:
    """Rounding of fp32 values to what a parameter stores: unchanged, or rounded stochastically to bf16."""

    def __init__(self, parameter: Tensor, seed: int) -> None:
        self._exact = parameter.dtype == torch.float32
        self._device = parameter.device
        if not self._exact and self._device.type == "cpu":
            self._bits = np.random.SFC64(seed)
        elif not self._exact:
            self._generator = torch.Generator(self._device).manual_seed(seed)

    def rounded(self, value: Tensor) -> Tensor:
        """Round `value`. bf16 keeps the upper 16 bits of an fp32 number, which are carried upwards with the probability
        that the lower bits give."""
        if self._exact:
            return value
        if self._device.type == "cpu":
            words: np.ndarray = self._bits.random_raw(-(-value.numel() // 4))
            low = words.view(np.uint16)[: value.numel()].astype(np.int32)
            carry = torch.from_numpy(low).view(value.shape)
        else:
            carry = torch.randint(
                1 << 16, value.shape, generator=self._generator, dtype=torch.int32, device=self._device
            )
        return value.view(torch.int32).add_(carry).bitwise_and_(-65536).view(torch.float32)


def _as_matrix(parameter: Tensor) -> Tensor:
    """Return a view with two axes: a vector becomes one row."""
    return parameter.detach().view(parameter.shape[0], -1) if parameter.ndim > 1 else parameter.detach().view(1, -1)


def _chunks(matrix_RC: Tensor) -> list[slice]:
    rows = max(1, CHUNK // matrix_RC.shape[1])
    return [slice(start, start + rows) for start in range(0, matrix_RC.shape[0], rows)]
