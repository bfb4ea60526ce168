"""Cube of a panel study: inputs, graph and labels of every session and stock, in one Arrow file that all processes map.

The cube is made of the panel and the question, so it is a cache and no output of a stage: a cube that is missing, cut
off, damaged or of another question is built again. Axis letters as in `panel.panel`.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsladder.artifacts.store import digest, set_aside
from tsladder.panel.columns import simple_returns
from tsladder.panel.cube_format import LAYOUT, DamagedCube, UnusableCube
from tsladder.panel.cube_reader import map_cube, verify_cube
from tsladder.panel.cube_writer import write_cube
from tsladder.panel.samples import PanelInputs
from tsladder.panel.targets import Labels, forward_returns
from tsladder.params import RankTargetParams

_DTYPE = "float32"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class CubeContents:
    """Values of a cube, in memory. `here_TS`, `member_TS`: as in `Inputs` and `Universe`. `return_TS`: simple return of
    one session. `y_TSM`: forward log returns. NaN where there is none. `neighbours_TSk`, `edges_TSkK`: as in
    `panel.graph.DayGraph`; None where the question has no graph."""

    columns: tuple[str, ...]
    symbols_S: tuple[str, ...]
    dates_T: NDArray[np.datetime64]
    horizons: tuple[int, ...]
    x_TSF: NDArray[np.float32]
    here_TS: NDArray[np.bool_]
    member_TS: NDArray[np.bool_]
    return_TS: NDArray[np.float32]
    y_TSM: NDArray[np.float32]
    neighbours_TSk: NDArray[np.int16] | None = None
    edges_TSkK: NDArray[np.float32] | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Cube:
    """Open cube; its arrays are read-only views of the mapped file, so that a slice of days costs no memory.

    Sending it to another process sends path and key; that process maps the same file. Fields as in `CubeContents`.
    """

    path: Path
    key: str
    size: int
    columns: tuple[str, ...]
    symbols_S: tuple[str, ...]
    dates_T: NDArray[np.datetime64]
    horizons: tuple[int, ...]
    x_TSF: NDArray[np.float32]
    here_TS: NDArray[np.bool_]
    member_TS: NDArray[np.bool_]
    return_TS: NDArray[np.float32]
    y_TSM: NDArray[np.float32]
    neighbours_TSk: NDArray[np.int16] | None = None
    edges_TSkK: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.dates_T)

    def __reduce__(self) -> tuple[Any, ...]:
        return open_cube, (self.path, self.key)


def cube_key(inputs: PanelInputs, target: RankTargetParams, horizons: Sequence[int], graph: str | None = None) -> str:
    """Return the SHA-256 (hex) of everything that the values of a cube follow from: inputs, prices, target, horizons.

    `graph`: fingerprint of the graph over the stocks, where there is one.
    """
    closes = hashlib.sha256(np.ascontiguousarray(inputs.panel.close_TS, dtype="<f8").data).hexdigest()
    question = dataclasses.asdict(target), list(horizons)
    return digest(LAYOUT, inputs.fingerprint(), list(inputs.columns), closes, graph, *question, _DTYPE)


def cube_path(folder: Path, key: str) -> Path:
    return folder / f"{key[:16]}.arrow"


def cube_contents(inputs: PanelInputs, target: RankTargetParams, horizons: Sequence[int]) -> CubeContents:
    """Label the sessions of `inputs`. Raises BadInput as `forward_returns` does."""
    return contents_of(inputs, forward_returns(inputs.panel, target, horizons), horizons)


def contents_of(inputs: PanelInputs, labels: Labels, horizons: Sequence[int]) -> CubeContents:
    """Combine `inputs` and their graph with their `labels` of `horizons`."""
    return CubeContents(
        columns=inputs.columns,
        symbols_S=inputs.panel.symbols_S,
        dates_T=inputs.panel.dates_T,
        horizons=tuple(horizons),
        x_TSF=inputs.inputs.x_TSF,
        here_TS=inputs.inputs.here_TS,
        member_TS=inputs.universe.member_TS,
        return_TS=simple_returns(inputs.panel).astype(np.float32),
        y_TSM=labels.y_TSM.astype(np.float32),
        neighbours_TSk=None if inputs.graph is None else inputs.graph.neighbours_TSk,
        edges_TSkK=None if inputs.graph is None else inputs.graph.edges_TSkK,
    )


def build_cube(folder: Path, key: str, contents: CubeContents) -> Path:
    """Write the cube of `key` and return its path. Raises WorkFailed where it cannot be written."""
    path = cube_path(folder, key)
    arrays: dict[str, NDArray[Any]] = {
        "x": contents.x_TSF,
        "here": contents.here_TS.view(np.uint8),
        "member": contents.member_TS.view(np.uint8),
        "ret": contents.return_TS,
        "y": contents.y_TSM,
    }
    if contents.neighbours_TSk is not None and contents.edges_TSkK is not None:
        arrays |= {"nbr": contents.neighbours_TSk, "edge": contents.edges_TSkK}
    write_cube(
        path,
        {name: np.ascontiguousarray(values) for name, values in arrays.items()},
        key=key,
        columns=contents.columns,
        symbols=contents.symbols_S,
        dates_T=contents.dates_T,
        horizons=contents.horizons,
    )
    return path


def open_cube(path: Path, key: str) -> Cube:
    """Map the cube at `path`. Only its magic bytes, key, size and counts are read.

    Raises UnusableCube where it is not the whole cube of `key`, FileNotFoundError where there is none.
    """
    mapped = map_cube(path, key)
    record, arrays = mapped.record, mapped.arrays
    return Cube(
        path=path,
        key=key,
        size=record.size,
        columns=record.columns,
        symbols_S=record.symbols,
        dates_T=np.array(record.dates, dtype="datetime64[D]"),
        horizons=record.horizons,
        x_TSF=arrays["x"],
        here_TS=arrays["here"].view(np.bool_),
        member_TS=arrays["member"].view(np.bool_),
        return_TS=arrays["ret"],
        y_TSM=arrays["y"],
        neighbours_TSk=arrays.get("nbr"),
        edges_TSkK=arrays.get("edge"),
    )


def open_or_build_cube(
    folder: Path, key: str, make: Callable[[], CubeContents], say: Callable[[str], None], *, verify: bool = False
) -> Cube:
    """Open the cube of `key` in `folder`, built of what `make` returns where there is none that can be used.

    `say` gets one line where a file was there: another cube, or one cut off, is replaced; a damaged one is renamed.
    `verify`: read every byte first, which alone finds damage between the ends. Raises WorkFailed as `build_cube` does.
    """
    path = cube_path(folder, key)
    try:
        cube = open_cube(path, key)
        if verify:
            verify_cube(path)
    except FileNotFoundError:
        pass
    except DamagedCube as fault:
        say(f"{fault}; kept as {keep_aside(path).name}, and built again")
    except UnusableCube as fault:
        say(f"{fault}; built again")
    else:
        return cube
    return open_cube(build_cube(folder, key, make()), key)


def keep_aside(path: Path) -> Path:
    """Rename the damaged file at `path`, so that it is built again; return its new name."""
    with suppress(FileNotFoundError):  # another process has renamed it
        return set_aside(path)
    return path
