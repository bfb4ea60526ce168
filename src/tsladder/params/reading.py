"""Read params.yaml into Params or PanelParams, or raise ONE error that lists every fault by its dotted path."""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from tsladder.errors import BadInput
from tsladder.params.assignments import assigned
from tsladder.params.laws import AnyParams, faults_between_sections
from tsladder.params.panel_laws import faults_between_panel_sections
from tsladder.params.panel_sections import PanelParams
from tsladder.params.sections import Params
from tsladder.typed_yaml import Reader, leaves_that_may_be_left_out, read_yaml

P = TypeVar("P", Params, PanelParams)


def load_params(path: Path, assignments: Sequence[str] = ()) -> Params:
    """Read and check the params.yaml of a series study at `path`, with other values where `assignments` (leaf=value)
    give them. Raises BadInput that lists every fault."""
    return parse_params(*_raw(Params, path, assignments))


def load_panel_params(path: Path, assignments: Sequence[str] = ()) -> PanelParams:
    """Read and check the params.yaml of a panel study at `path`, as `load_params` does."""
    return parse_panel_params(*_raw(PanelParams, path, assignments))


def load_any_params(path: Path, assignments: Sequence[str] = ()) -> AnyParams:
    """Read and check the params.yaml of a study of either kind, as `load_params` does."""
    of_panel = names_panel(read_yaml(path))
    return load_panel_params(path, assignments) if of_panel else load_params(path, assignments)


def parse_params(raw: object, source: str) -> Params:
    """Turn plain data into Params. `source` names the origin in the error, a BadInput that lists every fault."""
    if names_panel(raw):
        raise BadInput(
            f"{source} asks about a panel of stocks (data.panel), and this command is for the study of a series: run "
            "it in the folder of that study"
        )
    return _parse(Params, raw, source, faults_between_sections)


def parse_panel_params(raw: object, source: str) -> PanelParams:
    """Turn plain data into PanelParams, as `parse_params` does."""
    if not names_panel(raw):
        raise BadInput(
            f"{source} names no panel of stocks (data.panel), and this command is for the study of a panel: run it in "
            "the folder of that study, or add `--study panel`"
        )
    return _parse(PanelParams, raw, source, faults_between_panel_sections)


def names_panel(raw: object) -> bool:
    """Check whether the plain data of a params.yaml asks about a panel of stocks: it has the leaf data.panel."""
    data = raw.get("data") if isinstance(raw, Mapping) else None
    return isinstance(data, Mapping) and "panel" in data


def _raw(kind: type, path: Path, assignments: Sequence[str]) -> tuple[Any, str]:
    raw, source = read_yaml(path), str(path)
    if assignments:
        raw = assigned(raw, assignments, source=source, optional=frozenset(leaves_that_may_be_left_out(kind)))
        source = " ".join([source, *(f"-S {text}" for text in assignments)])
    return raw, source


def _parse(kind: type[P], raw: object, source: str, faults: Callable[[P], list[str]]) -> P:
    reader = Reader()
    params = reader.read(kind, raw, "")
    if not reader.faults:
        reader.faults.extend(faults(params))
    if reader.faults:
        count = len(reader.faults)
        raise BadInput(f"{source} has {count} fault{'s' if count > 1 else ''}; nothing was run:", reader.faults)
    return typing.cast(P, params)
