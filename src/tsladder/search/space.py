"""Search space: what a search may draw, and the configuration that a draw stands for. Pure: no optuna, no torch.

An architecture is drawn by its coordinates: depth against width (n_layers / d_model on a log scale), the feed-forward
ratio and the heads; also the layers over a graph in a grid where their number differs. At a given ratio and number, a
budget leaves a one-dimensional family of shapes, so a point of these coordinates is decoded to the nearest member of
the grid; every member is reachable.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tsladder.models.spec import ModelSpec
from tsladder.params import Choices, SpaceParams, Span, ZeroOr
from tsladder.planning.grid import N_GRAPH, Grid
from tsladder.planning.recipe import Settings
from tsladder.search.configuration import Configuration, Draw, Value
from tsladder.search.decisions import Forced

DEPTH_TO_WIDTH = "depth_to_width"
D_FF_RATIO = "d_ff_ratio"
N_HEADS = "n_heads"
EFFECTIVE_BATCH = "effective_batch"
WHOLE = frozenset({"warmup_steps", "epochs"})
IS_ZERO = "_is_zero"
"""Suffix of the name of the draw that decides whether a setting is zero."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchSpace:
    """Search space of a cell: the grid of its rung, the training settings of a preset, and the effective batches, drawn
    where there are several.

    `n_windows`, the number of training windows, turns a warm-up share into steps.
    """

    grid: Grid
    settings: SpaceParams
    effective_batches: tuple[int, ...]
    n_windows: int

    @property
    def draws(self) -> tuple[Draw, ...]:
        several = len(self.effective_batches) > 1
        batch = (Draw(name=EFFECTIVE_BATCH, choices=self.effective_batches),) if several else ()
        return (*self._architecture_draws(), *self._settings_draws(), *batch)

    def _architecture_draws(self) -> tuple[Draw, ...]:
        aspects = [_aspect(shape) for shape in self.grid.shapes]
        ratios = sorted({_ratio(shape) for shape in self.grid.shapes})
        heads = sorted({member.n_heads for member in self.grid.members})
        graph_depths = self.grid.graph_depths
        return (
            Draw(name=DEPTH_TO_WIDTH, low=min(aspects), high=max(aspects), log=True),
            Draw(name=D_FF_RATIO, choices=tuple(ratios)),
            Draw(name=N_HEADS, choices=tuple(heads)),
            *((Draw(name=N_GRAPH, choices=graph_depths),) if len(graph_depths) > 1 else ()),
        )

    def _settings_draws(self) -> tuple[Draw, ...]:
        draws = []
        for field in dataclasses.fields(self.settings):
            value = getattr(self.settings, field.name)
            whole = field.name in WHOLE
            if isinstance(value, ZeroOr):
                draws.append(Draw(name=field.name + IS_ZERO, choices=(0, 1)))
                value = value.zero_or
            if isinstance(value, Span):
                draws.append(Draw(name=field.name, low=value.low, high=value.high, log=value.log, whole=whole))
            elif isinstance(value, Choices):
                choices = tuple(int(choice) if whole else choice for choice in value.choices)
                draws.append(Draw(name=field.name, choices=choices))
        return tuple(draws)

    def decode(self, drawn: Mapping[str, Value]) -> Configuration:
        """Return the configuration, a member of the grid and training settings, that a full set of draws stands for."""
        batch = self._batch(drawn)
        return Configuration(
            spec=self._decode_architecture(drawn),
            settings=self._decode_settings(drawn, batch),
            effective_batch=batch,
        )

    def decode_forced(self, drawn: Mapping[str, Value], forced: Forced) -> Configuration:
        """Return the configuration of a forced trial: its own architecture and settings, which draws may only
        approximate."""
        batch = self._batch(drawn)
        given: dict[str, Any] = dict(forced.settings)
        settings = dataclasses.replace(self._decode_settings(drawn, batch), **given)
        return Configuration(spec=forced.spec, settings=settings, effective_batch=batch)

    def forced_draws(self, forced: Forced) -> dict[str, Value]:
        """Return the draws that a forced trial fixes; the sampler learns the trial under these."""
        return self.coordinates(forced.spec) | self._setting_draws(forced.settings)

    def _batch(self, drawn: Mapping[str, Value]) -> int:
        return int(drawn.get(EFFECTIVE_BATCH, self.effective_batches[0]))

    def _decode_architecture(self, drawn: Mapping[str, Value]) -> ModelSpec:
        ratio = int(drawn[D_FF_RATIO])
        target_log_ratio = math.log(drawn[DEPTH_TO_WIDTH])
        budget = self.grid.n_budget
        n_graph = int(drawn.get(N_GRAPH, self.grid.graph_depths[0]))
        shape = min(
            (shape for shape in self.grid.shapes if _ratio(shape) == ratio),
            key=lambda s: (
                # Few shapes of a ratio may be left in a large rung, not all numbers among them.
                abs(s.n_graph - n_graph),
                abs(math.log(_aspect(s)) - target_log_ratio),
                abs(s.n_params_formula - budget),
                s.shape,
            ),
        )
        offered = self.grid.heads_of(shape)
        heads = min(offered, key=lambda h: (abs(math.log2(h) - math.log2(drawn[N_HEADS])), h))
        return dataclasses.replace(shape, n_heads=heads)

    def _decode_settings(self, drawn: Mapping[str, Value], batch: int) -> Settings:
        epochs = int(drawn["epochs"])
        if "warmup_steps" in drawn:
            warmup_steps = int(drawn["warmup_steps"])
        else:
            warmup_steps = max(1, round(float(drawn["warmup_fraction"]) * epochs * -(-self.n_windows // batch)))
        return Settings(
            learning_rate=float(drawn["learning_rate"]),
            weight_decay=0.0 if drawn.get("weight_decay" + IS_ZERO) else float(drawn["weight_decay"]),
            dropout=float(drawn["dropout"]),
            warmup_steps=warmup_steps,
            epochs=epochs,
        )

    def coordinates(self, spec: ModelSpec) -> dict[str, Value]:
        """Return the draws that decode to `spec`, or the nearest ones where `spec` is no member of the grid."""
        draws = {draw.name: draw for draw in self._architecture_draws()}
        aspect = draws[DEPTH_TO_WIDTH]
        return {
            DEPTH_TO_WIDTH: min(max(_aspect(spec), aspect.low), aspect.high),
            D_FF_RATIO: _nearest(draws[D_FF_RATIO].choices, _ratio(spec)),
            N_HEADS: _nearest(draws[N_HEADS].choices, spec.n_heads),
            **({N_GRAPH: _nearest(draws[N_GRAPH].choices, spec.n_graph)} if N_GRAPH in draws else {}),
        }

    def _setting_draws(self, settings: Mapping[str, Value]) -> dict[str, Value]:
        """Return the draws nearest to the given settings; the sampler learns a forced configuration under these."""
        drawn: dict[str, Value] = {}
        known = {draw.name: draw for draw in self._settings_draws()}
        for name, value in settings.items():
            zero = known.get(name + IS_ZERO)
            if zero is not None:
                drawn[zero.name] = int(value == 0)
            draw = known[name]
            if zero is None or value != 0:
                drawn[name] = _nearest(draw.choices, value) if draw.choices else min(max(value, draw.low), draw.high)
        return drawn


def _nearest(choices: tuple[Value, ...], value: Value) -> Value:
    return min(choices, key=lambda choice: (abs(choice - value), choice))


def _aspect(spec: ModelSpec) -> float:
    return spec.n_layers / spec.d_model


def _ratio(spec: ModelSpec) -> int:
    return spec.d_ff // spec.d_model
