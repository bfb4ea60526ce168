"""Unpack a capsule for as long as it is read."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tsladder.capsule.archive import unpack
from tsladder.capsule.manifest import InvalidCapsule
from tsladder.errors import BadInput
from tsladder.places import Places


@contextmanager
def unpacked_capsule(path: Path) -> Iterator[tuple[Places, Mapping[str, str]]]:
    """Yield the paths of the study in the capsule `path`, and the states of its cells that were not fresh; the files
    are removed afterwards. Raises BadInput where the file is no capsule."""
    with tempfile.TemporaryDirectory(prefix="tsladder-") as scratch:
        try:
            manifest = unpack(path, Path(scratch))
        except InvalidCapsule as fault:
            raise BadInput(f"{path} is no study: {fault}; give a capsule that `tsladder export` wrote") from None
        yield Places(Path(scratch), Path(scratch)), manifest.not_fresh
