"""`tsladder cube`: the cube of a panel study, built where there is none, and with --verify read to its last byte."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from tsladder.errors import WorkFailed
from tsladder.formatting import aligned
from tsladder.panel.cube import Cube, cube_path, keep_aside, open_cube
from tsladder.panel.cube_format import DamagedCube, UnusableCube
from tsladder.panel.cube_reader import verify_cube
from tsladder.panel.file import read_panel
from tsladder.panel.samples import build_inputs
from tsladder.panel.study_cube import opened_cube, study_cube_key
from tsladder.params import PanelParams

AGAIN = "`tsladder cube` builds it again"


def cube_lines(folder: Path, panel_file: Path, params: PanelParams, say: Callable[[str], None]) -> list[str]:
    """Open the cube of the question in `folder`, or build it, and describe it. `say` gets a line where it replaces a
    file. Raises BadInput where the panel does not allow the question, WorkFailed where the disk is full."""
    return _lines(opened_cube(folder, build_inputs(read_panel(panel_file), params), params, say))


def verified_lines(folder: Path, panel_file: Path, params: PanelParams) -> list[str]:
    """Read every byte of the cube of the question, and describe it.

    Raises WorkFailed where there is none, and where it is damaged: it is then renamed, so that nothing reads it.
    """
    key = study_cube_key(build_inputs(read_panel(panel_file), params), params)
    path = cube_path(folder, key)
    try:
        cube = open_cube(path, key)
        began = time.perf_counter()
        count = verify_cube(path)
        seconds = time.perf_counter() - began
    except FileNotFoundError:
        raise WorkFailed(f"{path} does not exist yet: `tsladder cube` builds it") from None
    except DamagedCube as fault:
        raise WorkFailed(f"{fault}; kept as {keep_aside(path).name}: {AGAIN}") from None
    except UnusableCube as fault:
        raise WorkFailed(f"{fault}: {AGAIN}") from None
    return [*_lines(cube), f"all {count:,} bytes read in {seconds:.2f} s: every checksum is right"]


def _lines(cube: Cube) -> list[str]:
    return aligned(
        [
            ("cube", str(cube.path)),
            ("key", cube.key),
            ("sessions", f"{len(cube):,}, {cube.dates_T[0]} to {cube.dates_T[-1]}"),
            ("stocks", f"{len(cube.symbols_S):,}"),
            ("columns", f"{len(cube.columns)}: {', '.join(cube.columns)}"),
            ("horizons", ", ".join(str(horizon) for horizon in cube.horizons)),
            ("graph", _graph(cube)),
            ("size", f"{cube.size / 1e6:,.1f} MB"),
        ]
    )


def _graph(cube: Cube) -> str:
    return "none" if cube.neighbours_TSk is None else f"{cube.neighbours_TSk.shape[2]} neighbours of a stock at most"
