"""Constraints between several leaves of params.yaml. Each fault names the leaf to change by its dotted path."""

from __future__ import annotations

import dataclasses
import importlib
import itertools

from tsladder.params.panel_sections import PanelParams, PanelSplitParams
from tsladder.params.sections import (
    STRATEGIES,
    Choices,
    Params,
    SearchParams,
    Span,
    SplitParams,
    StopParams,
    TrainingParams,
    ZeroOr,
)
from tsladder.vocabulary import parse_budget

AnyParams = Params | PanelParams
"""Question of a study of either kind."""


def faults_between_sections(params: Params) -> list[str]:
    """Check the constraints between leaves and return every fault; every section has been read when this runs."""
    return [
        *ladder_faults(params),
        *_symbol_faults(params),
        *_tier_faults(params),
        *family_faults(params),
        *date_faults(params.splits),
        *_walk_faults(params),
        *search_faults(params.search),
        *_supplementary_faults(params),
        *_task_faults(params),
        *optimizer_faults(params.training),
    ]


def ladder_faults(params: AnyParams) -> list[str]:
    """Check ladder, top rung and horizons and return every fault."""
    faults = []
    sizes = []
    for index, rung in enumerate(params.ladder):
        try:
            sizes.append(parse_budget(rung))
        except ValueError as error:
            faults.append(f"ladder[{index}]: {error}")
    if not faults and any(a >= b for a, b in itertools.pairwise(sizes)):
        faults.append(f"ladder: rungs must grow strictly, got {', '.join(params.ladder)}")
    if params.budget is not None and params.budget not in params.ladder:
        faults.append(f"budget: must be a rung of the ladder ({', '.join(params.ladder)}), got {params.budget!r}")
    if len(set(params.horizons)) != len(params.horizons):
        faults.append(f"horizons: each must appear only once, got {list(params.horizons)}")
    return faults


def _symbol_faults(params: Params) -> list[str]:
    listed, own, kind = params.data.symbols, params.data.symbol, params.splits.kind
    if listed is None:
        return []
    faults = []
    if own not in listed:
        faults.append(f"data.symbols: must hold data.symbol ({own}), whose windows test, got {', '.join(listed)}")
    if len(set(listed)) != len(listed):
        faults.append(f"data.symbols: each must appear only once, got {', '.join(listed)}")
    if params.data.further and kind != "dates":
        why = "a window of one symbol may not lie in years that another is tested on, so they are cut at common dates"
        faults.append(f"data.symbols: several symbols need splits.kind dates, got {kind}: {why}")
    return faults


def _tier_faults(params: Params) -> list[str]:
    tiers, tier = importlib.import_module("tsladder.data.tiers"), params.data.tier
    if tiers.is_known(tier):
        return []
    return [f"data.tier: must be one of {', '.join(tiers.names())}, got {tier!r}"]


def family_faults(params: AnyParams) -> list[str]:
    """Check family and leaves of the section `model` and return every fault."""
    # Loaded by name, so that stages that only read params.yaml do not become stale with the code of a family.
    families = importlib.import_module("tsladder.families")
    model = params.model
    known = families.panel_names() if isinstance(params, PanelParams) else families.names()
    if model.family not in known:
        return [f"model.family: must be one of {', '.join(known)}, got {model.family!r}"]
    family = families.load(model.family)
    settings = {leaf: getattr(model, leaf) for leaf in family.leaves}
    faults = family.faults(params.windows.context_length, settings)
    return [f"model.{leaf}: {fault}" for leaf, fault in faults.items()]


def date_faults(splits: SplitParams | PanelSplitParams) -> list[str]:
    """Check the dates or fractions at which regions begin and return every fault."""
    start, end = splits.validation_start, splits.test_start
    if (start is None) != (end is None):
        return ["splits.validation_start: give it together with splits.test_start, or set both to null"]
    faults = []
    if start is not None and end is not None and start >= end:
        faults.append(f"splits.test_start: must lie after splits.validation_start ({start}), got {end}")
    if splits.validation_fraction + splits.test_fraction >= 1.0:
        faults.append("splits.validation_fraction: with splits.test_fraction it must leave days to train on (sum < 1)")
    return faults


def _walk_faults(params: Params) -> list[str]:
    splits, horizon = params.splits, max(params.horizons)
    if splits.kind != "walk_forward":
        return []
    faults = []
    if splits.purge_days is not None and splits.purge_days < horizon:
        faults.append(
            f"splits.purge_days: must be at least the largest horizon ({horizon}), got {splits.purge_days}: training "
            "labels would reach into validation; null takes the horizon"
        )
    if params.search.preset in params.search.presets and params.search.pruning_rule is not None:
        faults.append(
            "search.pruning: compares learning curves of one training, and a trial of splits.kind walk_forward is "
            f"{splits.folds}: it must be null"
        )
    return faults


def search_faults(search: SearchParams) -> list[str]:
    """Check strategy, presets and rules of a search and return every fault."""
    faults = []
    if search.strategy not in STRATEGIES:
        faults.append(f"search.strategy: must be one of {', '.join(STRATEGIES)}, got {search.strategy!r}")
    rules = {"search.stop": search.stop} | {f"search.presets.{n}.stop": p.stop for n, p in search.presets.items()}
    for path, rule in rules.items():
        if isinstance(rule, StopParams) and rule.top > rule.min_trials:
            faults.append(f"{path}.top: must not exceed min_trials ({rule.min_trials}), got {rule.top}")
    if search.preset in search.presets and search.objective == "val_auc" and search.pruning_rule is not None:
        faults.append("search.pruning: compares validation losses, so with objective val_auc it must be null")
    if search.preset not in search.presets:
        faults.append(f"search.preset: must be one of {', '.join(search.presets)}, got {search.preset!r}")
    for name, preset in search.presets.items():
        path = f"search.presets.{name}.space"
        space = preset.space
        if (space.warmup_steps is None) == (space.warmup_fraction is None):
            faults.append(f"{path}: give exactly one of warmup_steps and warmup_fraction, the other null")
        for field in dataclasses.fields(space):
            faults.extend(_draw_faults(f"{path}.{field.name}", field.name, getattr(space, field.name)))
    return faults


def _stop_faults(params: Params, *, has_auc: bool) -> list[str]:
    search = params.search
    if search.preset not in search.presets or search.stop_rule is None:
        return []
    rule, path = search.stop_rule, f"search.presets.{search.preset}.stop" if search.stop == "preset" else "search.stop"
    if rule.metric in (None, search.objective):
        return []
    ways = "-S search.stop=null"
    if has_auc or rule.metric != "val_auc":
        ways = f"-S search.objective={rule.metric} or {ways}"
    wrong = f"must be the figure that the search makes best, search.objective ({search.objective}), got {rule.metric}"
    return [f"{path}.metric: {wrong}; a spread of {rule.spread:g} means something else in another one; set {ways}"]


def _supplementary_faults(params: Params) -> list[str]:
    supplementary = params.search.supplementary
    if supplementary is None or isinstance(supplementary.budgets, str):
        return []
    path, listed = "search.supplementary.budgets", supplementary.budgets
    unknown = [rung for rung in listed if rung not in params.ladder]
    faults = [f"{path}: must be rungs of the ladder ({', '.join(params.ladder)}), got {', '.join(unknown)}"]
    if len(set(listed)) != len(listed):
        return [*(faults if unknown else []), f"{path}: each must appear only once, got {', '.join(listed)}"]
    return faults if unknown else []


def _task_faults(params: Params) -> list[str]:
    tasks, name = importlib.import_module("tsladder.tasks"), params.target.task
    if not tasks.is_known(name):
        return [f"target.task: must be one of {', '.join(tasks.names())}, got {name!r}"]
    task = tasks.load(name)
    needs_classes = f"val_auc needs classes, and target.task is {name}: set val_loss"
    faults = []
    if not task.has_auc and params.search.objective == "val_auc":
        faults.append(f"search.objective: {needs_classes}")
    if params.training.loss not in ("auto", *task.losses):
        *others, last = task.losses
        fitting = f"{', '.join(others)} or {last}" if others else last
        trained = f"target.task {name} is trained with {fitting}, or auto"
        faults.append(f"training.loss: {trained}; got {params.training.loss}")
    if not task.has_auc and params.training.monitor == "val_auc":
        faults.append(f"training.monitor: {needs_classes}")
    return [*faults, *_stop_faults(params, has_auc=task.has_auc), *_monitor_faults(params)]


def optimizer_faults(training: TrainingParams) -> list[str]:
    """Check the optimizer against its settings and the precision; return every fault."""
    faults = []
    if training.optimizer == "adabelief" and training.precision == "bf16":
        faults.append(
            "training.precision: with training.optimizer adabelief weights must be held in fp32, since a bf16 one is "
            "too coarse for its second moment, so fp32, bf16-mixed or auto; got bf16"
        )
    if training.optimizer != "adabelief" and training.optimizer_settings is not None:
        faults.append(
            "training.optimizer_settings: are those of adabelief, and training.optimizer is "
            f"{training.optimizer}: set null"
        )
    return faults


def _monitor_faults(params: Params) -> list[str]:
    if params.training.monitor == "val_loss":
        return []
    faults = []
    if params.splits.min_positives < 1:
        faults.append(
            "training.monitor: val_auc needs both classes in validation, so splits.min_positives must be at least 1, "
            f"got {params.splits.min_positives}"
        )
    if params.search.preset in params.search.presets and params.search.pruning_rule is not None:
        faults.append("search.pruning: compares validation losses, so with training.monitor val_auc it must be null")
    return faults


_CEILINGS = {"dropout": 0.95, "warmup_fraction": 1.0}
_WHOLE = {"warmup_steps", "epochs"}


def _draw_faults(path: str, name: str, draw: Span | Choices | ZeroOr | None) -> list[str]:
    if draw is None:
        return []
    if isinstance(draw, ZeroOr):
        return _draw_faults(f"{path}.zero_or", name, draw.zero_or)
    values: tuple[float, ...]
    if isinstance(draw, Span):
        if draw.low > draw.high:
            return [f"{path}: low must not exceed high, got {draw.low:g} > {draw.high:g}"]
        if draw.log and draw.low == 0.0:
            return [f"{path}.low: must be above 0 on a log scale"]
        values = (draw.low, draw.high)
    else:
        values = draw.choices
    faults = []
    if any(value < 0 or value > _CEILINGS.get(name, float("inf")) for value in values):
        limit = f"0 and {_CEILINGS[name]:g}" if name in _CEILINGS else "0 and infinity"
        faults.append(f"{path}: values must lie between {limit}, got {list(values)}")
    if name in _WHOLE and any(value != int(value) for value in values):
        faults.append(f"{path}: values must be whole numbers, got {list(values)}")
    if name in ("epochs", "learning_rate") and any(value <= 0 for value in values):
        faults.append(f"{path}: values must be above 0, got {list(values)}")
    return faults
