"""Read a capsule that may be damaged or hostile: everything is checked before anything is written."""

from __future__ import annotations

import hashlib
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tsladder.artifacts.environment import ENVIRONMENT
from tsladder.capsule.layout import (
    MANIFEST,
    MOST_BYTES,
    MOST_MEMBER_BYTES,
    MOST_MEMBERS,
    MOST_RATIO,
    PARAMS,
    RATIO_FROM_BYTES,
)
from tsladder.capsule.manifest import InvalidCapsule, Manifest, Member, parse_manifest, strict_json
from tsladder.steps import OnStep, no_progress

_MOST_MANIFEST_BYTES = 16 * 2**20
_CHUNK = 2**20
_ENCRYPTED = 0x1
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def read_manifest(path: Path) -> Manifest:
    """Read the manifest of the capsule at `path`, whose members must match it in name and size.

    Raises InvalidCapsule, and OSError where the file cannot be read.
    """
    with _opened(path) as archive:
        return _checked(archive)


def unpack(path: Path, folder: Path, on_step: OnStep = no_progress) -> Manifest:
    """Check every member, then write all of them below `folder`. Raises InvalidCapsule with nothing written, and
    OSError."""
    with _opened(path) as archive:
        manifest = _checked(archive)
        for number, (name, member) in enumerate(manifest.members.items(), start=1):
            on_step(f"checking {name}", number, len(manifest.members))
            _verify(archive, name, member)
        for name, member in manifest.members.items():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(name) as source, target.open("wb") as stream:
                for chunk in _chunks(source, member.size):
                    stream.write(chunk)
    return manifest


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Turn every error that the library raises for a broken zip file into InvalidCapsule."""
    with path.open("rb") as stream:
        try:
            with zipfile.ZipFile(stream) as archive:
                yield archive
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, UnicodeError) as error:
            raise InvalidCapsule(
                f"it is not a complete zip file ({str(error)[:120] or type(error).__name__})"
            ) from None
        except (
            ValueError,
            OverflowError,
            struct.error,
        ) as error:  # negative offsets, or offsets that overflow
            raise InvalidCapsule(f"it is a damaged zip file ({str(error)[:120]})") from None


def _checked(archive: zipfile.ZipFile) -> Manifest:
    entries = archive.infolist()
    if len(entries) > MOST_MEMBERS:
        raise InvalidCapsule(f"it has {len(entries):,} members, more than the {MOST_MEMBERS:,} that a capsule may have")
    by_name = {entry.filename: entry for entry in entries}
    if MANIFEST not in by_name:
        raise InvalidCapsule("it holds no manifest.json: this is no study capsule")
    if by_name[MANIFEST].file_size > _MOST_MANIFEST_BYTES:
        raise InvalidCapsule("its manifest is too large")
    _refuse_special_member(by_name[MANIFEST])
    # Checked before the layout, which may differ in a newer format.
    manifest = parse_manifest(archive.read(MANIFEST))
    if len(by_name) != len(entries):
        names = [entry.filename for entry in entries]
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidCapsule(f"it holds {twice[:80]!r} twice")
    for entry in entries:
        _refuse_special_member(entry)
    if sum(entry.file_size for entry in entries) > MOST_BYTES:
        raise InvalidCapsule(f"its members are larger than the {MOST_BYTES // 2**20} MiB that a capsule may have")
    _compare(manifest, by_name)
    return manifest


def _refuse_special_member(entry: zipfile.ZipInfo) -> None:
    name = entry.filename[:80]
    mode = entry.external_attr >> 16
    if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise InvalidCapsule(f"its member {name!r} is no plain file")
    if entry.flag_bits & _ENCRYPTED or entry.compress_type not in _METHODS:
        raise InvalidCapsule(f"its member {name!r} is encrypted, or packed in a way that a capsule does not use")
    large = entry.file_size > MOST_MEMBER_BYTES
    if large or entry.file_size > max(RATIO_FROM_BYTES, MOST_RATIO * entry.compress_size):
        raise InvalidCapsule(
            f"its member {name!r} would unpack to {entry.file_size:,} bytes: no capsule has such a member"
        )


def _compare(manifest: Manifest, entries: dict[str, zipfile.ZipInfo]) -> None:
    held, named = set(entries) - {MANIFEST}, set(manifest.members)
    if unknown := sorted(held - named):
        raise InvalidCapsule(f"it holds {unknown[0][:80]!r}, which its manifest does not name")
    if missing := sorted((named | {PARAMS, ENVIRONMENT}) - held):
        raise InvalidCapsule(f"its member {missing[0]} is missing")
    for name, member in manifest.members.items():
        if entries[name].file_size != member.size:
            raise InvalidCapsule(
                f"its member {name} has {entries[name].file_size:,} bytes, its manifest says {member.size:,}"
            )


def _verify(archive: zipfile.ZipFile, name: str, member: Member) -> None:
    found, content = hashlib.sha256(), bytearray()
    text = name.endswith((".json", ".jsonl"))
    with archive.open(name) as source:
        for chunk in _chunks(source, member.size):
            found.update(chunk)
            if text:
                content += chunk
    if found.hexdigest() != member.sha256:
        raise InvalidCapsule(f"its member {name} differs from its manifest (SHA-256): it was altered or damaged")
    if name.endswith(".json"):
        strict_json(bytes(content), f"its member {name}")
    elif text:
        for number, line in enumerate(content.splitlines(), start=1):
            strict_json(bytes(line), f"line {number} of its member {name}")


def _chunks(source: IO[bytes], size: int) -> Iterator[bytes]:
    """Yield exactly `size` bytes of `source`, whatever its header claims. Raises InvalidCapsule where it is shorter
    or longer."""
    left = size
    while left > 0:
        chunk = source.read(min(_CHUNK, left))
        if not chunk:
            raise InvalidCapsule("a member of it ends too early")
        left -= len(chunk)
        yield chunk
    if source.read(1):
        raise InvalidCapsule("a member of it is longer than it says")
