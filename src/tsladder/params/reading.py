"""Read params.yaml into Params, or raise ONE error that lists every fault by its dotted path."""

from __future__ import annotations

import typing
from collections.abc import Sequence
from pathlib import Path

from tsladder.errors import BadInput
from tsladder.params.assignments import assigned
from tsladder.params.laws import faults_between_sections
from tsladder.params.sections import Params
from tsladder.typed_yaml import Reader, leaves_that_may_be_left_out, read_yaml


def load_params(path: Path, assignments: Sequence[str] = ()) -> Params:
    """Read and check `path`, with other values where `assignments` (leaf=value) give them. Raises BadInput that lists
    every fault."""
    raw, source = read_yaml(path), str(path)
    if assignments:
        raw = assigned(raw, assignments, source=source, optional=frozenset(leaves_that_may_be_left_out(Params)))
        source = " ".join([source, *(f"-S {text}" for text in assignments)])
    return parse_params(raw, source=source)


def parse_params(raw: object, *, source: str) -> Params:
    """Turn plain data into Params. `source` names the origin in the error, a BadInput that lists every fault."""
    reader = Reader()
    params = reader.read(Params, raw, "")
    if not reader.faults:
        reader.faults.extend(faults_between_sections(params))
    if reader.faults:
        count = len(reader.faults)
        raise BadInput(f"{source} has {count} fault{'s' if count > 1 else ''}; nothing was run:", reader.faults)
    return typing.cast(Params, params)
