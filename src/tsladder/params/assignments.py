"""Assignments `-S leaf=value`, as `dvc exp run -S` takes them: other values for leaves of params.yaml, without changing
the file."""

from __future__ import annotations

import copy
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from tsladder.errors import BadInput
from tsladder.suggestions import OFFERED, similar
from tsladder.typed_yaml import parse_yaml

_FILE = "params.yaml:"
_TIGHT_COLON = re.compile(r"([A-Za-z_]\w*):(?=[^\s/])")
"""Pattern of a colon without the space that YAML needs: DVC takes {low:1,high:2}."""


def assigned(raw: Any, assignments: Sequence[str], *, source: str, optional: Collection[str] = ()) -> Any:
    """Return `raw`, the plain data of the file `source`, with `assignments` applied in order. A section given for a
    section is merged into it, and `+leaf=value` adds a leaf, as DVC does. `optional`: leaves that the file may leave
    out. Raises BadInput that lists every malformed assignment and every one to an unknown leaf."""
    changed = copy.deepcopy(raw)
    faults = []
    for text in assignments:
        fault = _assign(changed, text, optional)
        if fault is not None:
            faults.append(f"-S {text}: {fault}")
    if faults:
        raise BadInput(f"{source} does not take what -S gives; nothing was run:", faults)
    return changed


def _assign(raw: Any, text: str, optional: Collection[str]) -> str | None:
    """Apply one assignment to `raw`, or return what is wrong with it. `+leaf=value` adds a leaf to a section that lacks
    it."""
    path, equals, value = text.removeprefix(_FILE).partition("=")
    adds, path = path.startswith("+"), path.removeprefix("+")
    if not equals or not path:
        return "must be leaf=value, for example search.trials=20"
    *sections, last = path.split(".")
    section = raw
    for depth, key in enumerate(sections, start=1):
        if not isinstance(section, dict) or key not in section:
            return _unknown(raw, path)
        section = section[key]
        if not isinstance(section, dict):
            return f"{'.'.join(sections[:depth])} is {section!r} and no section: give it a section as a whole"
    if not isinstance(section, dict) or (last not in section and not adds):
        if path in optional:
            return f"the file leaves {path} out: add it there, or here with a plus, -S +{text.removeprefix(_FILE)}"
        return _unknown(raw, path)
    if adds and last in section:
        return f"{path} is in the file already: leave the plus out"
    new = parse_yaml(_TIGHT_COLON.sub(r"\1: ", value) if value.lstrip().startswith("{") else value, source=f"-S {text}")
    section[last] = _merged(section.get(last), new)
    return None


def _merged(old: Any, new: Any) -> Any:
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    return {**old, **{key: _merged(old.get(key), value) for key, value in new.items()}}


def _unknown(raw: Any, path: str) -> str:
    known = list(_paths(raw, ""))
    close = similar(path, known)
    # A leaf that is named without its sections.
    close = [name for name in known if name.rpartition(".")[2] == path][:OFFERED] or close
    return f"{path} is unknown; " + (f"did you mean {' or '.join(close)}?" if close else f"sections: {', '.join(raw)}")


def _paths(value: Any, path: str) -> Iterator[str]:
    """Yield the dotted path of every section and leaf."""
    if not isinstance(value, Mapping):
        return
    for key, item in value.items():
        name = f"{path}.{key}" if path else key
        yield name
        yield from _paths(item, name)
