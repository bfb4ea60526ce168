"""Counts of the steps that each parameter has taken. They differ where a part of a model is trained in some phases
alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor


class StepCounts:
    """Counts of steps: of the optimizer, and of each parameter of its `groups`."""

    def __init__(self, groups: Sequence[Mapping[str, Any]]) -> None:
        parameters = [parameter for group in groups for parameter in group["params"]]
        self._number = {id(parameter): number for number, parameter in enumerate(parameters)}
        self._taken = [0] * len(parameters)
        self.begun = 0
        """Steps that the optimizer has begun."""

    def begin_step(self) -> None:
        """Begin a step of the optimizer."""
        self.begun += 1

    def count(self, parameter: Tensor) -> int:
        """Count one more step of `parameter`, and return how many it has taken with this one."""
        number = self._number[id(parameter)]
        self._taken[number] += 1
        return self._taken[number]

    def numbers(self) -> dict[str, Any]:
        """Return the counts, JSON-ready; those of the parameters only where they differ from the optimizer's."""
        differ = any(taken != self.begun for taken in self._taken)
        return {"steps": self.begun, **({"steps_of_parameters": list(self._taken)} if differ else {})}

    def restore_numbers(self, numbers: Mapping[str, Any]) -> None:
        """Restore what `numbers` returned."""
        self.begun = int(numbers["steps"])
        taken = numbers.get("steps_of_parameters", [self.begun] * len(self._taken))
        self._taken = [int(count) for count in taken]
