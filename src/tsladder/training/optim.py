"""Optimizer and learning-rate schedule of a run."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tsladder.artifacts.outcome import BuiltOptimizer
from tsladder.artifacts.plans import Recipe
from tsladder.errors import BadInput
from tsladder.planning.recipe import Settings
from tsladder.seeds import derive_seed
from tsladder.training.adabelief import build_adabelief
from tsladder.training.lean import LeanOptimizer
from tsladder.training.step_counts import StepCounts

BETAS = (0.9, 0.999)
EPSILON = 1e-8


def build_optimizer(
    parameters: Mapping[str, Tensor],
    recipe: Recipe,
    settings: Settings,
    *,
    seed: int,
    parts: Mapping[str, str] | None = None,
) -> torch.optim.Optimizer:
    """Build AdamW (Loshchilov & Hutter 2019), AdaBelief or the lean optimizer; weight decay applies to matrices only,
    not to biases, norms and positions.

    `seed` decides the stochastic rounding of precision bf16; the other precisions draw nothing. Raises BadInput for
    AdaBelief with bf16, which holds no weights in fp32.

    `parts`: name -> part of the model, for the parameters of parts that are switched on and off. A parameter without a
    gradient is left as it is, and its steps are counted by those that it has taken.
    """
    of_part = parts or {}
    groups = [
        group
        for part in (None, *sorted(set(of_part.values())))
        for group in _groups({n: p for n, p in parameters.items() if of_part.get(n) == part}, settings.weight_decay)
    ]
    if recipe.optimizer == "lean":
        return LeanOptimizer(groups, learning_rate=settings.learning_rate, seed=derive_seed(seed, "rounding"))
    if recipe.optimizer == "adabelief":
        if recipe.precision == "bf16":
            raise BadInput("training.precision: adabelief steps weights held in fp32; set fp32 or bf16-mixed, got bf16")
        rectify = recipe.optimizer_settings is not None and recipe.optimizer_settings.rectify
        return build_adabelief(groups, learning_rate=settings.learning_rate, betas=BETAS, rectify=rectify)
    if recipe.optimizer != "adamw":
        raise ValueError(f"unknown optimizer {recipe.optimizer!r}")
    if recipe.precision == "bf16":
        return RoundingAdamW(groups, learning_rate=settings.learning_rate, seed=derive_seed(seed, "rounding"))
    return torch.optim.AdamW(groups, lr=settings.learning_rate, betas=BETAS, eps=EPSILON, fused=True)


def _groups(parameters: Mapping[str, Tensor], weight_decay: float) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the matrices among `parameters`, and the others, which are not decayed."""
    return (
        {"params": [p for name, p in parameters.items() if _is_matrix(name, p)], "weight_decay": weight_decay},
        {"params": [p for name, p in parameters.items() if not _is_matrix(name, p)], "weight_decay": 0.0},
    )


def _is_matrix(name: str, parameter: Tensor) -> bool:
    return parameter.ndim >= 2 and name != "position"


class RoundingAdamW(torch.optim.Optimizer):
    """AdamW with fp32 moments for weights held in bf16: each step is computed in fp32 and rounded stochastically.

    Rounding to nearest would lose every step below 1/256 of a weight; here it is kept in expectation (Zamirai et
    al. 2020). Parameters in fp32 are stepped as by AdamW.
    """

    DECOUPLED = True
    """Weight decay scales the weights themselves and is no part of the gradient."""

    def __init__(self, groups: list[dict[str, Any]], *, learning_rate: float, seed: int) -> None:
        super().__init__(groups, {"lr": learning_rate, "betas": BETAS, "eps": EPSILON, "weight_decay": 0.0})
        self._bits = np.random.SFC64(seed)
        self._steps = StepCounts(self.param_groups)

    def numbers(self) -> dict[str, Any]:
        """Return the steps taken and the state of the rounding's generator, JSON-ready."""
        state: dict[str, Any] = dict(self._bits.state)
        words = [int(word) for word in state["state"]["state"]]
        return {**self._steps.numbers(), "bits": {**state, "state": {"state": words}}}

    def restore_numbers(self, numbers: Mapping[str, Any]) -> None:
        """Restore what `numbers` returned."""
        bits: Any = dict(numbers["bits"])
        bits["state"] = {"state": np.array(bits["state"]["state"], dtype=np.uint64)}
        self._bits.state = bits
        self._steps.restore_numbers(numbers)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Take one step from the gradients that the parameters hold. `closure` is not supported."""
        if closure is not None:
            raise ValueError("RoundingAdamW takes no closure")
        self._steps.begin_step()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._step_one(parameter, group)

    def _step_one(self, parameter: Tensor, group: Mapping[str, Any]) -> None:
        learning_rate, (beta1, beta2), steps = group["lr"], group["betas"], self._steps.count(parameter)
        state = self.state[parameter]
        if not state:
            state["mean"] = torch.zeros_like(parameter, dtype=torch.float32)
            state["square"] = torch.zeros_like(parameter, dtype=torch.float32)
        gradient = parameter.grad.float()  # type: ignore[union-attr]
        state["mean"].lerp_(gradient, 1 - beta1)
        state["square"].mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        spread = (state["square"] / (1 - beta2**steps)).sqrt_().add_(group["eps"])
        value = parameter.float().mul_(1 - learning_rate * group["weight_decay"])
        value.addcdiv_(state["mean"], spread, value=-learning_rate / (1 - beta1**steps))
        parameter.copy_(value if parameter.dtype == torch.float32 else self._rounded(value))

    def _rounded(self, value: Tensor) -> Tensor:
        """Round fp32 `value` stochastically: clear its lower 16 bits, and carry upwards with the probability that they
        give."""
        if value.device.type == "cpu":
            words: np.ndarray = self._bits.random_raw(-(-value.numel() // 4))
            low = words.view(np.uint16)[: value.numel()].astype(np.int32)
            carry = torch.from_numpy(low).view(value.shape)
        else:
            # Drawn where it is used, from torch's generator there, which the job has seeded.
            carry = torch.randint(1 << 16, value.shape, dtype=torch.int32, device=value.device)
        return ((value.view(torch.int32) + carry) & -65536).view(torch.float32)


_NAMES_READ_BACK = {
    "betas": "betas",
    "eps": "eps",
    "decoupled_weight_decay": "decoupled",
    "weight_decouple": "decoupled",
    "rectify": "rectify",
}
"""Keys of an optimizer's groups, in torch and in pytorch-optimizer -> their names in a record."""


def read_back(optimizer: torch.optim.Optimizer) -> BuiltOptimizer:
    """Read the settings of `optimizer` from the built object itself, not from what was asked for.

    `weight_decay` is that of matrices, `weight_decay_of_others` that of all other parameters. The learning rate, which
    changes with every step, is left out. Raises ValueError where groups differ in anything else.
    """
    first, *others = optimizer.param_groups
    decays = sorted({group["weight_decay"] for group in optimizer.param_groups})
    if len(decays) > 2:
        raise ValueError(f"the groups of {type(optimizer).__name__} have weight decays {decays}")
    found: dict[str, Any] = {"weight_decay": decays[-1], "weight_decay_of_others": decays[0]}
    for key, name in _NAMES_READ_BACK.items():
        if any(group.get(key) != first.get(key) for group in others):
            raise ValueError(f"the groups of {type(optimizer).__name__} differ in {key}")
        if key in first:
            found[name] = list(first[key]) if isinstance(first[key], tuple) else first[key]
    if isinstance(optimizer, LeanOptimizer | RoundingAdamW):
        found["decoupled"] = optimizer.DECOUPLED
    return BuiltOptimizer(name=type(optimizer).__name__, settings=found)


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return the optimizer's state tensors, live and not copied, by `<number of the parameter>.<name>`."""
    found = {}
    for number, parameter in enumerate(_parameters(optimizer)):
        for name, value in optimizer.state.get(parameter, {}).items():
            found[f"{number}.{name}"] = value
    return found


def optimizer_numbers(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Return the rest of the optimizer's state, JSON-ready: steps taken and the generator of the rounding. AdaBelief
    counts the steps of each group; torch's AdamW those of each parameter, in a tensor."""
    if isinstance(optimizer, LeanOptimizer | RoundingAdamW):
        return optimizer.numbers()
    if "step" in optimizer.param_groups[0]:
        return {"steps_of_groups": [group["step"] for group in optimizer.param_groups]}
    return {}


def restore_optimizer(
    optimizer: torch.optim.Optimizer, tensors: Iterable[tuple[str, Tensor]], numbers: Mapping[str, Any]
) -> None:
    """Restore what `optimizer_tensors` and `optimizer_numbers` returned. Tensors keep their dtype: torch's own way
    would cast moments to bf16."""
    parameters = _parameters(optimizer)
    for name, value in tensors:
        number, field = name.split(".", 1)
        parameter = parameters[int(number)]
        optimizer.state[parameter][field] = value.to(parameter.device)
    if isinstance(optimizer, LeanOptimizer | RoundingAdamW):
        optimizer.restore_numbers(numbers)
    elif "step" in optimizer.param_groups[0]:
        for group, steps in zip(optimizer.param_groups, numbers["steps_of_groups"], strict=True):
            group["step"] = int(steps)


def _parameters(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def learning_rate_factor(step: int, *, total_steps: int, warmup_steps: int, schedule: str) -> float:
    """Return the factor on the peak learning rate for optimizer step `step` (0-based).

    Linear warm-up over `warmup_steps`, then a half cosine to zero at `total_steps`, or constant. A warm-up longer than
    the run never reaches the peak, just as in the earlier study.
    """
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    if schedule == "constant":
        return 1.0
    remaining = max(1, total_steps - warmup_steps)
    return 0.5 * (1.0 + math.cos(math.pi * (step - warmup_steps) / remaining))


def set_learning_rate(optimizer: torch.optim.Optimizer, value: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = value
