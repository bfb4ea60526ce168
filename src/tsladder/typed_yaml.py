"""Convert YAML text to plain data and then to frozen dataclasses by their annotations, naming every fault by its dotted
path.

Bounds stand in the annotations (`Annotated[int, Range(1)]`), so each section itself states what it accepts. The YAML
library is imported where text is read: records of JSON files are built here as well, and a stage with nothing to do
reads no YAML.
"""

from __future__ import annotations

import dataclasses
import datetime
import functools
import re
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tsladder.errors import BadInput

if TYPE_CHECKING:
    import yaml


@dataclass(frozen=True, slots=True)
class Range:
    """Closed bounds of a number; None means unbounded on that side. `above` makes the lower bound open."""

    low: float | None = None
    high: float | None = None
    above: bool = False

    def fault(self, value: float) -> str | None:
        if self.low is not None and (value < self.low or (self.above and value == self.low)):
            return f"must be {'above' if self.above else 'at least'} {self.low:g}"
        if self.high is not None and value > self.high:
            return f"must be at most {self.high:g}"
        return None


@dataclass(frozen=True, slots=True)
class Pattern:
    """Regular expression that text must match in full; `words` describes it in error messages."""

    expression: str
    words: str


@dataclass(frozen=True, slots=True)
class Counts:
    """Marker of a number with a unit, for people who write `20d`: the message on another type names `words`."""

    words: str


@dataclass(frozen=True, slots=True)
class MayBeLeftOut:
    """Marker of a leaf that a file may omit; its value is then the default of its field."""


@functools.cache
def plain_loader() -> type[yaml.SafeLoader]:
    """Return the SafeLoader that reads `1e-4`, which DVC writes, as a number, as YAML 1.2 does."""
    import yaml

    class PlainLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        pass

    PlainLoader.add_implicit_resolver(
        "tag:yaml.org,2002:float", re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)[eE][-+]?\d+$"), list("-+0123456789.")
    )
    return PlainLoader


@functools.cache
def _strict_loader() -> type[yaml.SafeLoader]:
    """Return the plain loader that rejects repeated keys, and keys that are neither text nor whole numbers."""
    from yaml.constructor import ConstructorError
    from yaml.resolver import BaseResolver

    class StrictLoader(plain_loader()):  # type: ignore[misc]
        pass

    def mapping_without_repeats(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
        mapping: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = loader.construct_object(key_node, deep=True)
            if not isinstance(key, str | int) or isinstance(key, bool):
                words = f"the key {key!r} is neither text nor a whole number"
                raise ConstructorError(None, None, words, key_node.start_mark)
            if key in mapping:
                raise ConstructorError(None, None, f"the key {key!r} is repeated", key_node.start_mark)
            mapping[key] = loader.construct_object(value_node, deep=True)
        return mapping

    StrictLoader.add_constructor(BaseResolver.DEFAULT_MAPPING_TAG, mapping_without_repeats)
    return StrictLoader


def read_yaml(path: Path) -> Any:
    """Return the plain data in the file `path`, unchecked. Raises BadInput where it does not exist or is
    not YAML text."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BadInput(f"{path} does not exist: run tsladder in the folder of a study") from None
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not UTF-8 text: {error}") from None
    return parse_yaml(text, source=str(path))


def parse_yaml(text: str, *, source: str) -> Any:
    """Return the plain data in `text`, unchecked. Raises BadInput that names `source` when the text is not YAML."""
    import yaml

    try:
        # A SafeLoader subclass: builds plain data only.
        return yaml.load(text, Loader=_strict_loader())  # noqa: S506
    except yaml.YAMLError as error:
        raise BadInput(f"{source} is not YAML: {' '.join(str(error).split())}") from None


BROKEN: Any = object()
"""Value that `Reader.read` returns for a value with a fault."""


class Reader:
    """Builder of values of annotated types from plain data, which collects faults instead of raising."""

    def __init__(self) -> None:
        self.faults: list[str] = []

    def fault(self, path: str, message: str) -> Any:
        self.faults.append(f"{path or 'the file'}: {message}")
        return BROKEN

    def read(self, kind: Any, raw: object, path: str) -> Any:
        origin = typing.get_origin(kind)
        if origin is Annotated:
            base, *rules = typing.get_args(kind)
            unit = next((rule.words for rule in rules if isinstance(rule, Counts)), None)
            if unit is not None and type(raw) is not base:
                return self.fault(path, f"must be a whole number: it counts {unit}, got {raw!r}")
            value = self.read(base, raw, path)
            return value if value is BROKEN else self._obey(rules, value, path)
        if origin is Literal:
            options = typing.get_args(kind)
            if any(raw == option and type(raw) is type(option) for option in options):
                return raw
            return self.fault(path, f"must be {_one_of(options)}, got {raw!r}")
        if origin in (typing.Union, types.UnionType):
            return self._read_union(typing.get_args(kind), raw, path)
        if origin is tuple:
            return self._read_tuple(typing.get_args(kind), raw, path)
        if origin is Mapping:
            key_kind, value_kind = typing.get_args(kind)
            return self._read_mapping(key_kind, value_kind, raw, path)
        if dataclasses.is_dataclass(kind):
            return self._read_section(typing.cast(type, kind), raw, path)
        return self._read_scalar(kind, raw, path)

    def _obey(self, rules: list[Any], value: Any, path: str) -> Any:
        for rule in rules:
            if isinstance(rule, Range) and (message := rule.fault(value)):
                return self.fault(path, f"{message}, got {value!r}")
            if isinstance(rule, Pattern) and not re.fullmatch(rule.expression, value):
                return self.fault(path, f"must be {rule.words}, got {value!r}")
        return value

    def _read_scalar(self, kind: type, raw: object, path: str) -> Any:
        if kind is datetime.date:
            if isinstance(raw, datetime.datetime):
                return self.fault(path, f"must be a day without a time, got {raw!r}")
            if isinstance(raw, str):
                try:
                    return datetime.date.fromisoformat(raw)
                except ValueError:
                    return self.fault(path, f"must be a date like 2011-01-31, got {raw!r}")
        if kind is float and type(raw) is int:
            raw = float(raw)
        if kind is float and isinstance(raw, float) and not abs(raw) < float("inf"):
            return self.fault(path, f"must be a finite number, got {raw!r}")
        if type(raw) is not kind:
            words = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
            words[datetime.date] = "a date like 2011-01-31"
            return self.fault(path, f"must be {words[kind]}, got {raw!r}")
        return raw

    def _read_union(self, options: tuple[Any, ...], raw: object, path: str) -> Any:
        if raw is None and type(None) in options:
            return None
        attempts: list[list[str]] = []
        for option in options:
            if option is type(None):
                continue
            trial = type(self)()
            value = trial.read(option, raw, path)
            if not trial.faults:
                return value
            attempts.append(trial.faults)
            if isinstance(raw, list) and raw and typing.get_origin(option) is tuple:
                # The items are wrong, and each fault names its own.
                self.faults.extend(trial.faults)
                return BROKEN
        if isinstance(raw, Mapping):
            # Of several section types, report the faults of the one whose keys fit best.
            self.faults.extend(sorted(attempts, key=len)[0])
            return BROKEN
        needs = " or ".join(
            dict.fromkeys(f.split(": ", 1)[1].split(", got ")[0].removeprefix("must be ") for a in attempts for f in a)
        )
        null = " or null" if type(None) in options else ""
        return self.fault(path, f"must be {needs}{null}, got {raw!r}")

    def _read_tuple(self, kinds: tuple[Any, ...], raw: object, path: str) -> Any:
        if not isinstance(raw, list) or not raw:
            return self.fault(path, f"must be a list of at least one value, got {raw!r}")
        values = [self.read(kinds[0], item, f"{path}[{index}]") for index, item in enumerate(raw)]
        return BROKEN if any(value is BROKEN for value in values) else tuple(values)

    def _read_mapping(self, key_kind: Any, kind: Any, raw: object, path: str) -> Any:
        if not isinstance(raw, dict) or not raw:
            return self.fault(path, f"must be a section of at least one entry, got {raw!r}")
        found = {}
        for key, value in raw.items():
            # A whole number may be given as text, as a command line gives it.
            named = int(key) if key_kind is int and isinstance(key, str) and key.isdecimal() else key
            if type(named) is not key_kind:
                words = "a whole number" if key_kind is int else "text"
                self.fault(_join(path, key), f"its name must be {words}, got {key!r}")
            found[named] = self.read(kind, value, _join(path, key))
        return found

    def _read_section(self, kind: type, raw: object, path: str) -> Any:
        if not isinstance(raw, dict):
            return self.fault(path, f"must be a section, got {raw!r}")
        hints = _hints_of(kind)
        for key in raw:
            if key not in hints:
                self.fault(_join(path, key), f"is unknown; known here: {', '.join(hints)}")
        values = {}
        for name, hint in hints.items():
            if name in raw:
                values[name] = self.read(hint, raw[name], _join(path, name))
            elif MayBeLeftOut() not in typing.get_args(hint)[1:]:
                values[name] = self.fault(_join(path, name), "is missing")
        return BROKEN if any(value is BROKEN for value in values.values()) else kind(**values)


@functools.cache
def _hints_of(kind: type) -> Mapping[str, Any]:
    """Return the annotated types of a section's fields; evaluating them takes half the time of reading params.yaml."""
    return typing.get_type_hints(kind, include_extras=True)


def leaves_that_may_be_left_out(kind: type, path: str = "") -> Iterator[str]:
    """Return the dotted paths of the leaves of section `kind` and of its subsections that a file may omit."""
    for name, hint in _hints_of(kind).items():
        if MayBeLeftOut() in typing.get_args(hint)[1:]:
            yield _join(path, name)
        elif isinstance(hint, type) and dataclasses.is_dataclass(hint):
            yield from leaves_that_may_be_left_out(hint, _join(path, name))


def _join(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)


def _one_of(options: tuple[Any, ...]) -> str:
    return " or ".join(repr(option) if isinstance(option, str) else str(option) for option in options)
