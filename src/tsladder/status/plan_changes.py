"""Name the differences between two versions of a plan file by parameters of params.yaml and by modules. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tsladder.planning.same_numbers import same_numbers
from tsladder.status.freshness import differences, leaf

PARAMETER, MODULE, PLAN = "parameter", "module", "plan"

NamedChange = tuple[str, str, Any, Any]
"""Named change: kind, name, old value, new value."""

_DERIVED = {
    "model.context_length": ("windows.context_length",),
    "model.revin": ("windows.normalisation",),
    "model.n_features": ("data.tier", "data.ohlcv", "data.volume"),
    "search.grid_size": (),
    "search.shapes": (),
}
"""Values of a plan that follow from other leaves of params.yaml: a value is named only where none of its leaves
differs, or, where it lists no leaves, nothing else differs."""

_DERIVED_IN_PANEL = {
    "model.context_length": ("windows.context_length",),
    "model.n_features": ("data.tier",),
    "model.stocks": ("data.panel",),
    "model.stride": ("model.patch_len",),
    "model.n_outputs": ("training.loss_weights", "training.horizon_weights"),
    "model.quantiles": ("training.loss_weights",),
    "model.horizons": ("training.horizon_weights",),
    "model.neighbours": ("graph",),
    "horizons": ("training.horizon_weights",),
    "training.loss": ("training.loss_weights",),
    "training.transform": ("target.transform",),
    "search.grid_size": (),
    "search.shapes": (),
}
"""The same of a plan of a panel study. A section stands for all its leaves."""

_OMITTED = {"data.volume": True, "target.transform": "rank", "target.same_close": False}
"""Leaf -> the value that it has where a plan omits it."""


def plan_changes(
    old: Mapping[str, Any], new: Mapping[str, Any], *, raw: Mapping[str, Any], old_raw: Mapping[str, Any]
) -> list[NamedChange]:
    """Return the differences of the plan `new` from the plan `old`.

    `raw`: params.yaml as plain data; `old_raw`: the same as dvc.lock records it for the plan stage, which may be older
    or younger than `old`. Values of parameters are those in force, whichever preset they come from.
    """
    if old.get("planned") != new.get("planned"):
        return [(PARAMETER, "budget", leaf(old_raw, "budget"), leaf(raw, "budget"))]
    now = new.get("code", {})
    codes = same_numbers().as_now(old.get("code", {}), now), now
    modules = [(MODULE, name, was, now) for name, was, now in _leaves(*codes)]
    questions = [{key: value for key, value in plan.items() if key != "code"} for plan in (old, new)]
    found = {name: _with_omitted(name, was, now) for name, was, now in _leaves(*questions)}
    derived = _DERIVED_IN_PANEL if _is_of_panel(new) else _DERIVED
    named = [_named(name, *values, raw, old_raw) for name, values in found.items() if name not in derived]
    for name, sources in derived.items():
        explained = any(_lies_in(of_leaf, sources) for _, of_leaf, _, _ in named) if sources else (named or modules)
        if name in found and not explained:
            named.append((PLAN, name, *found[name]))
    return [*_without_repeats(named), *modules]


def _is_of_panel(plan: Mapping[str, Any]) -> bool:
    return "universe" in plan


def _lies_in(leaf_name: str, sections: Sequence[str]) -> bool:
    """Check whether a leaf of params.yaml is one of `sections`, or lies in one."""
    return any(leaf_name == section or leaf_name.startswith(f"{section}.") for section in sections)


def _leaves(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    keys = [*old, *(key for key in new if key not in old)]
    return [found for key in keys for found in differences(key, old.get(key), new.get(key))]


def _with_omitted(name: str, *values: Any) -> tuple[Any, Any]:
    was, now = (_OMITTED.get(name) if value is None else value for value in values)
    return was, now


def _without_repeats(named: Sequence[NamedChange]) -> list[NamedChange]:
    return list({(kind, name): (kind, name, old, new) for kind, name, old, new in named}.values())


def _named(path: str, old: Any, new: Any, raw: Mapping[str, Any], old_raw: Mapping[str, Any]) -> NamedChange:
    candidates = _candidates(path, str(leaf(raw, "search.preset")))
    differing = [name for name in candidates if old_raw and leaf(old_raw, name) != leaf(raw, name)]
    name = differing[0] if differing else _effective_leaf(candidates, raw)
    if name == "search.preset":
        return PARAMETER, name, leaf(old_raw, name), leaf(raw, name)
    return PARAMETER, name, old, new


def _candidates(path: str, preset: str) -> tuple[str, ...]:
    """Return the leaves of params.yaml that may set the value at `path` of a plan, in order of precedence."""
    section, _, name = path.partition(".")
    chosen = f"search.presets.{preset}.{name}"
    if path == "seed":
        return ("study.seed",)
    if path == "seeds":
        return ("train.seeds",)
    if path == "cost_bps":
        return ("evaluation.cost_bps",)
    if path in ("training.patience", "training.min_delta"):
        return (path, chosen, "search.preset")
    if section == "search" and name.split(".")[0] in ("trials", "stop", "pruning"):
        return (path, chosen, "search.preset")
    if path.startswith("search.space."):
        return (chosen, "search.preset")
    return (path,)


def _effective_leaf(candidates: Sequence[str], raw: Mapping[str, Any]) -> str:
    """Return the leaf of `candidates` whose value is in force: the first, unless its value is `preset`, which defers to
    the next."""
    first = candidates[0]
    top = ".".join(first.split(".")[:2])
    if len(candidates) > 1 and leaf(raw, top) == "preset":
        return candidates[1]
    return first
