"""`tsladder cube`: builds, describes, finds damage, and says how the cube is built again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.panel.made_up import made_up
from tests.panel.questions import question

from tsladder.cli import main
from tsladder.console import cube as module
from tsladder.console.cube import cube_lines, verified_lines
from tsladder.errors import BadInput, WorkFailed
from tsladder.panel.cube import open_cube
from tsladder.panel.panel import Panel
from tsladder.params import GraphParams

PANEL_FILE = Path("data/made_up.parquet")


@pytest.fixture(autouse=True)
def read(monkeypatch: pytest.MonkeyPatch) -> None:
    def read_panel(path: Path) -> Panel:
        assert path == PANEL_FILE
        return made_up()

    monkeypatch.setattr(module, "read_panel", read_panel)


def only_cube(folder: Path) -> Path:
    (path,) = folder.glob("*.arrow")
    return path


def test_a_cube_is_built_described_and_opened_the_next_time(tmp_path: Path) -> None:
    said: list[str] = []
    lines = cube_lines(tmp_path, PANEL_FILE, question(), said.append)
    path = only_cube(tmp_path)
    words = {line.split()[0]: line.split(maxsplit=1)[1] for line in lines}
    assert words["cube"] == str(path)
    assert words["key"].startswith(path.stem)
    assert len(words["key"]) == 64
    assert words["sessions"] == "420, 2001-01-03 to 2002-08-13"
    assert words["stocks"] == "14"
    assert words["columns"].startswith("9: ret_1, ret_5, ")
    assert words["horizons"] == "1, 5"
    assert words["size"] == f"{path.stat().st_size / 1e6:.1f} MB"
    written = path.stat().st_mtime_ns
    assert cube_lines(tmp_path, PANEL_FILE, question(), said.append) == lines
    assert path.stat().st_mtime_ns == written
    assert said == []


def test_the_description_and_the_check_of_every_byte_include_the_graph(tmp_path: Path) -> None:
    def words(lines: list[str]) -> dict[str, str]:
        return {line.split()[0]: line.split(maxsplit=1)[1] for line in lines}

    asked = question(graph=GraphParams(days=30, neighbours=4, at_least=2))
    assert words(cube_lines(tmp_path, PANEL_FILE, question(), print))["graph"] == "none"
    lines = cube_lines(tmp_path, PANEL_FILE, asked, print)
    assert words(lines)["graph"] == "4 neighbours of a stock at most"
    assert verified_lines(tmp_path, PANEL_FILE, asked)[:-1] == lines
    path = Path(words(lines)["cube"])
    raw = bytearray(path.read_bytes())
    edges = np.ascontiguousarray(open_cube(path, words(lines)["key"]).edges_TSkK[300])  # type: ignore[index]
    raw[raw.index(edges.tobytes())] ^= 1
    path.write_bytes(raw)
    with pytest.raises(WorkFailed, match="the bytes of 2002-02-27 are not those"):
        verified_lines(tmp_path, PANEL_FILE, asked)


def test_verifying_reads_every_byte_and_says_so(tmp_path: Path) -> None:
    lines = cube_lines(tmp_path, PANEL_FILE, question(), print)
    *same, last = verified_lines(tmp_path, PANEL_FILE, question())
    assert same == lines
    assert f"all {only_cube(tmp_path).stat().st_size:,} bytes" in last


def test_a_damaged_cube_is_one_message_that_says_how_it_is_built_again_and_then_it_is(tmp_path: Path) -> None:
    cube_lines(tmp_path, PANEL_FILE, question(), print)
    path = only_cube(tmp_path)
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    with pytest.raises(WorkFailed) as failed:
        verified_lines(tmp_path, PANEL_FILE, question())
    assert failed.value.exit_code == 1
    assert len(str(failed.value).splitlines()) == 1
    for word in (str(path), f"{path.name}.aside-1", "`tsladder cube` builds it again"):
        assert word in str(failed.value)
    assert not path.exists()
    said: list[str] = []
    cube_lines(tmp_path, PANEL_FILE, question(), said.append)
    assert said == []
    verified_lines(tmp_path, PANEL_FILE, question())


def test_a_cube_that_was_cut_off_or_is_missing_says_how_it_is_built(tmp_path: Path) -> None:
    with pytest.raises(WorkFailed, match="does not exist yet: `tsladder cube` builds it"):
        verified_lines(tmp_path, PANEL_FILE, question())
    cube_lines(tmp_path, PANEL_FILE, question(), print)
    path = only_cube(tmp_path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(WorkFailed, match="`tsladder cube` builds it again"):
        verified_lines(tmp_path, PANEL_FILE, question())
    said: list[str] = []
    cube_lines(tmp_path, PANEL_FILE, question(), said.append)
    assert len(said) == 1


def test_a_question_that_the_panel_does_not_allow_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no session has more than"):
        cube_lines(tmp_path, PANEL_FILE, question(min_stocks=15), print)
    assert not list(tmp_path.glob("*.arrow"))


def test_in_the_study_of_a_series_the_command_says_where_it_belongs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "params.yaml").write_text("data:\n  symbol: sp500\n")
    monkeypatch.chdir(tmp_path)
    assert main(["cube"]) == 2
    assert "names no panel of stocks" in capsys.readouterr().err
