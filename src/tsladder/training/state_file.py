"""State file of a running training: its tensors and its `TrainingState` in one safetensors file, replaced
atomically."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from tsladder.artifacts.checkpoints import TrainingState, training_state_json, training_state_of
from tsladder.artifacts.store import canonical
from tsladder.errors import WorkFailed

_RECORD = "record"


class DamagedState(Exception):
    """Damaged state file, which cannot be read whole."""


def write_state(path: Path, tensors: Mapping[str, Tensor], state: TrainingState) -> None:
    """Write `tensors`, each with a checksum, and `state` to `path`, replacing it. Raises OSError when the disk
    refuses."""
    values = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    text = canonical(
        {
            "record": training_state_json(state),
            "crc32": {name: _checksum(value) for name, value in values.items()},
        }
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        save_file(values, temporary, metadata={_RECORD: text})
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        temporary.replace(path)
    except SafetensorError as error:
        temporary.unlink(missing_ok=True)
        raise OSError(str(error)) from None
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


@dataclass(frozen=True, slots=True)
class StateFile:
    """State file that `open_state` has found complete and undamaged."""

    path: Path
    state: TrainingState
    names: tuple[str, ...]

    def below(self, prefix: str) -> Iterator[tuple[str, Tensor]]:
        """Yield the tensors under `prefix` with their names without it, one at a time: a second copy of a large model
        would not fit."""
        for name in self.names:
            if name.startswith(prefix):
                yield name.removeprefix(prefix), _read(self.path, name)


def open_state(path: Path) -> StateFile | None:
    """Open the state in `path`; None where there is none. Raises DamagedState where a checksum does not agree or the
    state is that of another version."""
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as stored:
            metadata, names = stored.metadata() or {}, tuple(stored.keys())
        content = json.loads(metadata[_RECORD])
        checksums = content["crc32"]
        wrong = [name for name in names if _checksum(_read(path, name)) != checksums[name]]
        if wrong or set(checksums) != set(names):
            raise DamagedState(f"the checksum of {', '.join(wrong) or 'a missing tensor'} does not agree")
        return StateFile(path, training_state_of(content["record"], path), names)
    except WorkFailed as error:
        raise DamagedState(str(error)) from None
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedState(f"{type(error).__name__}: {error}") from None


def _read(path: Path, name: str) -> Tensor:
    # Reopened for each tensor: pages of the file that stay mapped would count as memory of this process.
    with safe_open(path, framework="pt") as stored:
        value: Tensor = stored.get_tensor(name).clone()
        return value


def _checksum(value: Tensor) -> int:
    return zlib.crc32(value.reshape(-1).view(torch.uint8).numpy().data) if value.numel() else 0
