"""params.yaml -> Params; or ONE error that lists every fault by its dotted path."""

from __future__ import annotations

import typing
from pathlib import Path

from tsladder.errors import BadInput
from tsladder.params.laws import faults_between_sections
from tsladder.params.sections import Params
from tsladder.typed_yaml import Reader, read_yaml


def load_params(path: Path) -> Params:
    """Read and check `path`. Raises BadInput that lists every fault."""
    return parse_params(read_yaml(path), source=str(path))


def parse_params(raw: object, *, source: str) -> Params:
    """Turn plain data into Params. `source` names the origin in the error."""
    reader = Reader()
    params = reader.read(Params, raw, "")
    if not reader.faults:
        reader.faults.extend(faults_between_sections(params))
    if reader.faults:
        count = len(reader.faults)
        raise BadInput(f"{source} has {count} fault{'s' if count > 1 else ''}; nothing was run:", reader.faults)
    return typing.cast(Params, params)
