"""JSON files <-> frozen dataclasses, checked against the annotations of the dataclass.

A field is a key of the same name. A field with a default may be missing in a file. A field annotated with `OmitNone` is
left out of a file if it is None, one with `MayBeLeftOut` if it has its default, one with `Unstored` always. A number
annotated with `NanIfNull` may be null. The keys of a nested record annotated with `Inline` are written beside those of
the outer record. Keys that no field names are ignored, or kept in the one field annotated with `Rest`. Keys of a
mapping may be numbers or enumerations. A file without `version` has version 1; a record class of a later version states
it in the class variable `VERSION`.
"""

from __future__ import annotations

import dataclasses
import datetime
import functools
import math
import types
import typing
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

from tsladder.artifacts.store import json_text, read_json, write_json
from tsladder.errors import WorkFailed
from tsladder.typed_yaml import BROKEN, MayBeLeftOut, Reader

REBUILD = "remove it and run `tsladder run`"
"""Remedy for a file that a stage builds again."""


@dataclasses.dataclass(frozen=True, slots=True)
class OmitNone:
    """Annotation of a field whose key is left out of the file if the value is None; a missing key is read as None."""


@dataclasses.dataclass(frozen=True, slots=True)
class Rest:
    """Annotation of the field that holds the keys no other field names, as plain data; in the file they stand beside
    the others."""


@dataclasses.dataclass(frozen=True, slots=True)
class Inline:
    """Annotation of a nested record whose keys stand in the outer object. A nested record that may be None is None if
    none of its keys is there."""


@dataclasses.dataclass(frozen=True, slots=True)
class Unstored:
    """Annotation of a field that is in no file: the reader of the record sets it from its context."""


@dataclasses.dataclass(frozen=True, slots=True)
class NanIfNull:
    """Annotation of a number, or of a pair of numbers, that a file may hold as null, which is read as nan."""


class Record(Protocol):
    """Any frozen dataclass."""

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]


R = TypeVar("R", bound=Record)


def read_record(kind: type[R], path: Path, *, remedy: str = REBUILD) -> R:
    """Read the record at `path`.

    Raises FileNotFoundError if the file does not exist; WorkFailed, with `remedy`, if it is damaged, has another
    version, or has a missing or wrong field.
    """
    return record_of(kind, read_json(path), source=str(path), remedy=remedy)


def record_of(kind: type[R], value: object, *, source: str, remedy: str = REBUILD) -> R:
    """Build the record of class `kind` from the JSON `value` of `source`. Raises WorkFailed as `read_record` does."""
    check_version(value, latest=getattr(kind, "VERSION", 1), source=source, remedy=remedy)
    reader = RecordReader()
    record: R = reader.read(kind, value, "")
    if reader.faults:
        more = f" (and {len(reader.faults) - 1} more)" if len(reader.faults) > 1 else ""
        raise WorkFailed(f"{source}: {reader.faults[0]}{more}; {remedy}")
    return record


def check_version(value: object, *, latest: int, source: str, remedy: str = REBUILD) -> None:
    """Raise WorkFailed if the JSON object `value` has a version that this code does not know."""
    version = value.get("version", 1) if isinstance(value, Mapping) else 1
    if type(version) is not int or not 1 <= version <= latest:
        known = "version 1" if latest == 1 else f"versions 1 to {latest}"
        raise WorkFailed(
            f"{source} has version {version!r}, and this tsladder reads {known}: use the newer tsladder that wrote it, "
            f"or {remedy} with this one"
        )


def write_record(path: Path, record: Record, *, durable: bool = True) -> None:
    """Replace the file `path` with `record`."""
    write_json(path, json_of(record), durable=durable)


def text_of(record: Record) -> str:
    """Return the text that `write_record` writes to a file."""
    return json_text(json_of(record))


def json_of(record: Record) -> dict[str, Any]:
    """Return the JSON object of `record`; the inverse of `record_of`."""
    version = getattr(record, "VERSION", 1)
    content: dict[str, Any] = _plain(record)
    return content if version == 1 else {"version": version} | content


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        plain: dict[str, Any] = {}
        for field in _fields_of(type(value)):
            held = getattr(value, field.name)
            item = _plain(held)
            if field.rest or field.inline:
                plain |= item or {}
            elif not field.omitted(held):
                plain[field.name] = item
        return plain
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Field:
    """Field of a record: its type, whether it must be in the file, and its annotations."""

    name: str
    kind: Any
    needed: bool
    omit_none: bool
    rest: bool
    inline: bool
    omit_default: bool
    default: Any

    def omitted(self, value: Any) -> bool:
        return (self.omit_none and value is None) or (self.omit_default and bool(value == self.default))


@functools.cache
def _fields_of(kind: type) -> tuple[_Field, ...]:
    hints = typing.get_type_hints(kind, include_extras=True)
    found = []
    for field in dataclasses.fields(kind):
        rules = typing.get_args(hints[field.name])[1:]
        omit_none, rest = OmitNone() in rules, Rest() in rules
        if Unstored() in rules:
            continue
        has_default = field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
        if omit_none and field.default is not None:
            raise TypeError(f"{kind.__name__}.{field.name} is left out where it is None, so its default must be None")
        found.append(
            _Field(
                name=field.name,
                kind=hints[field.name],
                needed=not (has_default or rest),
                omit_none=omit_none,
                rest=rest,
                inline=Inline() in rules,
                omit_default=MayBeLeftOut() in rules,
                default=field.default if field.default_factory is dataclasses.MISSING else field.default_factory(),
            )
        )
    return tuple(found)


class RecordReader(Reader):
    """Builder of frozen dataclasses from JSON.

    Unlike a section of params.yaml, a record may hold keys that this code does not know, empty lists and objects,
    enumerations and values of any type.
    """

    def read(self, kind: Any, raw: object, path: str) -> Any:
        if kind is Any or kind is object:
            return raw
        if kind is float and type(raw) is int:
            return raw
        if raw is None and typing.get_origin(kind) is typing.Annotated and NanIfNull() in typing.get_args(kind)[1:]:
            base = typing.get_args(kind)[0]
            return math.nan if base is float else (math.nan,) * len(typing.get_args(base))
        if isinstance(kind, type) and issubclass(kind, Enum):
            known = [item.value for item in kind]
            return kind(raw) if raw in known else self.fault(path, f"must be one of {', '.join(known)}, got {raw!r}")
        if typing.get_origin(kind) is Mapping:
            key_kind, value_kind = typing.get_args(kind)
            return self._read_keyed(key_kind, value_kind, raw, path)
        if isinstance(kind, types.GenericAlias) and typing.get_origin(kind) in (dict, list):
            raise TypeError(f"a frozen record has Mapping and tuple, not {kind}")
        return super().read(kind, raw, path)

    def _read_tuple(self, kinds: tuple[Any, ...], raw: object, path: str) -> Any:
        if not isinstance(raw, list):
            return self.fault(path, f"must be a list, got {raw!r}")
        if kinds[-1] is not Ellipsis and len(raw) != len(kinds):
            return self.fault(path, f"must be a list of {len(kinds)} values, got {raw!r}")
        each = kinds if kinds[-1] is not Ellipsis else (kinds[0],) * len(raw)
        values = [
            self.read(kind, item, f"{path}[{index}]") for index, (kind, item) in enumerate(zip(each, raw, strict=True))
        ]
        return BROKEN if any(value is BROKEN for value in values) else tuple(values)

    def _read_keyed(self, key_kind: Any, kind: Any, raw: object, path: str) -> Any:
        if not isinstance(raw, dict):
            return self.fault(path, f"must be an object, got {raw!r}")
        found = {}
        for key, value in raw.items():
            at = f"{path}.{key}" if path else key
            named = int(key) if key_kind is int and key.isdecimal() else key
            found[self.read(key_kind, named, f"the key {at}")] = self.read(kind, value, at)
        return found

    def _read_section(self, kind: type, raw: object, path: str) -> Any:
        if not isinstance(raw, dict):
            return self.fault(path, f"must be an object, got {raw!r}")
        values = {}
        for field in _fields_of(kind):
            where = f"{path}.{field.name}" if path else field.name
            if field.inline:
                values[field.name] = self._read_inline(typing.get_args(field.kind)[0], raw, path)
            elif field.rest:
                named = {one.name for one in _fields_of(kind)} | {"version"}
                values[field.name] = {key: item for key, item in raw.items() if key not in named}
            elif field.name in raw:
                values[field.name] = self.read(field.kind, raw[field.name], where)
            elif field.needed:
                values[field.name] = self.fault(where, "is missing")
        return BROKEN if any(value is BROKEN for value in values.values()) else kind(**values)

    def _read_inline(self, kind: Any, raw: dict[str, Any], path: str) -> Any:
        """Read a record whose keys stand in `raw`; return None if it may be None and none of its keys is there."""
        options = [option for option in typing.get_args(kind) or (kind,) if option is not type(None)]
        may_be_none = len(typing.get_args(kind)) > len(options)
        if may_be_none and not any(field.name in raw for option in options for field in _fields_of(option)):
            return None
        if len(options) == 1:
            return self.read(options[0], raw, path)
        # Of several record types, the one that lacks the fewest keys, and of these the one that names most.
        needed = [[field.name for field in _fields_of(option) if field.needed] for option in options]
        there = [sum(name in raw for name in names) for names in needed]
        best = min(range(len(options)), key=lambda i: (len(needed[i]) - there[i], -there[i]))
        return self.read(options[best], raw, path)
