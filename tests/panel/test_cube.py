"""The cube: values of its panel, mapped without a copy; damaged, cut off or another one, it is built again."""

from __future__ import annotations

import dataclasses
import json
import multiprocessing
import os
import pickle
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.panel.made_up import changed, made_up
from tests.panel.questions import question

from tsladder.errors import WorkFailed
from tsladder.panel import cube_format, cube_reader
from tsladder.panel.columns import PAUSE, simple_returns
from tsladder.panel.cube import (
    Cube,
    CubeContents,
    build_cube,
    cube_contents,
    cube_key,
    cube_path,
    open_cube,
    open_or_build_cube,
)
from tsladder.panel.cube_format import DamagedCube, UnusableCube
from tsladder.panel.cube_reader import verify_cube
from tsladder.panel.panel import Panel
from tsladder.panel.samples import PanelInputs, build_inputs, build_labels
from tsladder.params import PanelParams, RankTargetParams

QUESTION = question()
ARRAYS = ("x_TSF", "here_TS", "member_TS", "return_TS", "y_TSM")


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """A panel's inputs, and the cube of them."""

    inputs: PanelInputs
    contents: CubeContents
    key: str
    path: Path

    def open(self) -> Cube:
        return open_cube(self.path, self.key)


def make(folder: Path, panel: Panel, params: PanelParams = QUESTION) -> Made:
    inputs = build_inputs(panel, params)
    contents = cube_contents(inputs, params.target, params.horizons)
    key = cube_key(inputs, params.target, params.horizons)
    return Made(inputs=inputs, contents=contents, key=key, path=build_cube(folder, key, contents))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(tmp_path_factory.mktemp("cubes"), made_up())


@pytest.fixture
def copied(made: Made, tmp_path: Path) -> Made:
    path = cube_path(tmp_path, made.key)
    path.write_bytes(made.path.read_bytes())
    return dataclasses.replace(made, path=path)


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def said_and_opened(made: Made, **options: bool) -> tuple[list[str], Cube, int]:
    """The lines, the cube, and how often it was built."""
    said: list[str] = []
    built: list[None] = []

    def contents() -> CubeContents:
        built.append(None)
        return made.contents

    cube = open_or_build_cube(made.path.parent, made.key, contents, said.append, **options)
    return said, cube, len(built)


# --------------------------------------------------------------------------- values


def test_a_cube_holds_the_values_of_its_panel(made: Made) -> None:
    cube, inputs = made.open(), made.inputs
    labels = build_labels(inputs.panel, QUESTION)
    assert cube.symbols_S == inputs.panel.symbols_S
    assert cube.columns == inputs.columns
    assert cube.horizons == (1, 5)
    assert len(cube) == len(inputs.panel.dates_T)
    np.testing.assert_array_equal(cube.dates_T, inputs.panel.dates_T)
    np.testing.assert_array_equal(cube.x_TSF, inputs.inputs.x_TSF)
    np.testing.assert_array_equal(cube.here_TS, inputs.inputs.here_TS)
    np.testing.assert_array_equal(cube.member_TS, inputs.universe.member_TS)
    np.testing.assert_array_equal(cube.y_TSM, labels.y_TSM.astype(np.float32))
    assert (cube.x_TSF.dtype, cube.here_TS.dtype, cube.y_TSM.dtype) == (np.float32, np.bool_, np.float32)


def test_the_return_of_a_day_is_that_since_the_last_price_and_none_where_the_stock_was_not_traded() -> None:
    panel = made_up(days=120)
    found_TS = simple_returns(panel)
    for stock in range(14):
        price, age = np.nan, PAUSE + 1
        for row, close in enumerate(panel.close_TS[:, stock]):
            traded = np.isfinite(close)
            expected = close / price - 1.0 if traded and age <= PAUSE else np.nan
            np.testing.assert_allclose(found_TS[row, stock], expected, rtol=1e-12)
            price, age = (close, 0) if traded else (price, age + 1)
            age = age if traded or age <= PAUSE else PAUSE + 1


def test_any_arrow_reader_finds_one_batch_a_session_with_its_day(made: Made) -> None:
    with pa.memory_map(str(made.path)) as source:
        reader = pa.ipc.open_file(source)
        assert reader.schema.names == ["date", "x", "here", "member", "ret", "y"]
        assert reader.num_record_batches == 420
        batch = reader.get_batch(300)
        assert batch.column("date").to_pylist() == [made.inputs.panel.dates_T[300].item()]
        x_SF = batch.column("x").values.to_numpy().reshape(14, 9)
        np.testing.assert_array_equal(x_SF, made.contents.x_TSF[300])


def test_reading_days_allocates_nothing_and_changes_nothing(made: Made) -> None:
    made.open()
    before = pa.total_allocated_bytes()
    cube = made.open()
    days_DSF = cube.x_TSF[100:200]
    assert pa.total_allocated_bytes() == before
    assert np.shares_memory(days_DSF, cube.x_TSF)
    assert np.isfinite(days_DSF).all()
    assert pa.total_allocated_bytes() == before
    for name in ARRAYS:
        values = getattr(cube, name)
        assert not values.flags.writeable
        assert not values.flags.owndata
        assert np.shares_memory(values[7], values)


def test_a_cube_of_one_session_and_one_of_two_stocks_can_be_read(made: Made, tmp_path: Path) -> None:
    for rows, stocks in ((slice(300, 301), slice(None)), (slice(0, 7), slice(0, 2))):
        part = {name: np.ascontiguousarray(getattr(made.contents, name)[rows, stocks]) for name in ARRAYS}
        contents = dataclasses.replace(
            made.contents,
            dates_T=made.contents.dates_T[rows],
            symbols_S=made.contents.symbols_S[stocks],
            **part,
        )
        cube = open_cube(build_cube(tmp_path, "ab" * 32, contents), "ab" * 32)
        verify_cube(cube.path)
        for name in ARRAYS:
            np.testing.assert_array_equal(getattr(cube, name), part[name])


def test_the_same_contents_are_the_same_bytes(made: Made, tmp_path: Path) -> None:
    again = build_cube(tmp_path, made.key, made.contents)
    assert again.read_bytes() == made.path.read_bytes()
    assert again.name == f"{made.key[:16]}.arrow"
    assert names_in(tmp_path) == [again.name]


# --------------------------------------------------------------------------- key


@pytest.fixture(scope="module")
def keys(made: Made) -> Callable[..., str]:
    def key(panel: Panel | None = None, graph: str | None = None, **changes: Any) -> str:
        params = question(**changes)
        inputs = build_inputs(panel or made.inputs.panel, params)
        return cube_key(inputs, params.target, params.horizons, graph)

    return key


def test_the_key_is_that_of_inputs_prices_graph_target_and_horizons(made: Made, keys: Callable[..., str]) -> None:
    panel = made.inputs.panel
    same = made.key
    assert keys() == same
    dearer_TS = panel.close_TS.copy()
    dearer_TS[-1] = dearer_TS[-1] * 1.0000001
    others = [
        keys(tier="c21"),
        keys(horizons=(1,)),
        keys(horizons=(5, 1)),
        keys(entry_lag=2),
        keys(min_history=31),
        keys(graph="f" * 64),
        keys(panel=made_up(seed=1)),
        keys(panel=changed(panel, close_TS=dearer_TS)),
        keys(panel=changed(panel, symbols_S=tuple(f"x{symbol}" for symbol in panel.symbols_S))),
    ]
    assert len({same, *others}) == len(others) + 1
    target = dataclasses.replace(QUESTION.target, delisting_return=-0.5)
    assert cube_key(made.inputs, target, QUESTION.horizons) != same


# --------------------------------------------------------------------------- damage


@settings(max_examples=60)
@given(data=st.data())
def test_any_changed_bit_is_found(made: Made, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    raw = bytearray(made.path.read_bytes())
    place = data.draw(
        st.one_of(st.integers(0, len(raw) - 1), st.integers(0, 200), st.integers(len(raw) - 200, len(raw) - 1))
    )
    raw[place] ^= 1 << data.draw(st.integers(0, 7))
    path = tmp_path_factory.getbasetemp() / "changed.arrow"
    path.write_bytes(raw)
    with pytest.raises(UnusableCube):
        verify_cube(path)


def test_verifying_reads_all_bytes_of_a_whole_cube(made: Made) -> None:
    assert verify_cube(made.path) == made.path.stat().st_size == made.open().size


def test_a_cube_that_is_there_is_opened_and_nothing_is_built(copied: Made) -> None:
    said, _, built = said_and_opened(copied)
    assert (said, built) == ([], 0)
    said, _, built = said_and_opened(copied, verify=True)
    assert (said, built) == ([], 0)


def test_a_cube_that_is_not_there_is_built(made: Made, tmp_path: Path) -> None:
    said, cube, built = said_and_opened(dataclasses.replace(made, path=cube_path(tmp_path / "new", made.key)))
    assert (said, built) == ([], 1)
    np.testing.assert_array_equal(cube.x_TSF, made.contents.x_TSF)


@pytest.mark.parametrize("kept", [0, 5, 11, 300, 0.5, -1])
def test_a_cube_that_was_cut_off_is_built_again_with_one_line(copied: Made, kept: float) -> None:
    raw = copied.path.read_bytes()
    copied.path.write_bytes(raw[: int(kept * len(raw)) if isinstance(kept, float) else kept])
    with pytest.raises(UnusableCube):
        copied.open()
    said, cube, built = said_and_opened(copied)
    assert built == 1
    assert len(said) == 1
    assert str(copied.path) in said[0]
    assert said[0].endswith("; built again")
    np.testing.assert_array_equal(cube.x_TSF, copied.contents.x_TSF)
    assert copied.path.read_bytes() == raw


def test_bytes_put_behind_a_cube_or_another_file_in_its_place_are_not_opened(copied: Made) -> None:
    raw = copied.path.read_bytes()
    for other in (raw + b"ARROW1", raw[:-6] + raw[-200:], b"ARROW1" + b"\0" * 500 + b"ARROW1", b"something else"):
        copied.path.write_bytes(other)
        with pytest.raises(UnusableCube):
            copied.open()


def test_an_arrow_file_that_is_no_cube_is_not_opened(copied: Made) -> None:
    with pa.OSFile(str(copied.path), "wb") as sink, pa.ipc.new_file(sink, pa.schema([("a", pa.int8())])) as writer:
        writer.write_batch(pa.record_batch({"a": pa.array([1], pa.int8())}))
    with pytest.raises(UnusableCube, match="record cannot be read"):
        copied.open()


def test_a_cube_of_another_key_is_built_again(copied: Made) -> None:
    other = copied.key[:16] + "0" * 48
    with pytest.raises(UnusableCube, match="another question"):
        open_cube(copied.path, other)
    said, _, built = said_and_opened(dataclasses.replace(copied, key=other))
    assert built == 1
    assert len(said) == 1
    assert open_cube(copied.path, other).key == other


def test_a_cube_of_another_layout_is_built_again(copied: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cube_reader, "LAYOUT", 2)
    monkeypatch.setattr(cube_format, "LAYOUT", 2)
    said, _, built = said_and_opened(copied)
    assert (len(said), built) == (1, 1)
    assert "another layout" in said[0]


def test_a_damaged_cube_is_renamed_and_built_again(copied: Made) -> None:
    raw = bytearray(copied.path.read_bytes())
    raw[len(raw) // 2] ^= 4
    copied.path.write_bytes(raw)
    copied.open()  # its ends are whole
    with pytest.raises(DamagedCube, match="the bytes of 2001-"):
        verify_cube(copied.path)
    said, cube, built = said_and_opened(copied, verify=True)
    assert (len(said), built) == (1, 1)
    kept = copied.path.with_name(f"{copied.path.name}.aside-1")
    assert kept.name in said[0]
    assert kept.read_bytes() == raw
    verify_cube(copied.path)
    np.testing.assert_array_equal(cube.x_TSF, copied.contents.x_TSF)


def test_a_field_of_another_size_than_the_record_says_is_not_opened(copied: Made, tmp_path: Path) -> None:
    """Two symbols fewer in the record than in the lists."""
    made = cube_reader.map_cube(copied.path, copied.key)
    assert json.dumps(made.record.to_json())  # it is plain data
    short = dataclasses.replace(
        made.record, fields=(dataclasses.replace(made.record.fields[0], shape=(12, 9)), *made.record.fields[1:])
    )
    text, other = (json.dumps(record.to_json()).encode()[1:] for record in (made.record, short))
    raw = copied.path.read_bytes()
    assert len(text) == len(other)
    assert raw.count(text) == 2
    copied.path.write_bytes(raw.replace(text, other))
    with pytest.raises(UnusableCube, match="should have 108"):
        copied.open()


# --------------------------------------------------------------------------- processes


def in_another_process(context: str, work: Callable[..., None], *arguments: Any) -> Any:
    process = multiprocessing.get_context(context).Process(target=work, args=arguments)
    process.start()
    return process


def die_in_fsync(folder: Path, made: Made) -> None:
    os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
    build_cube(folder, made.key, made.contents)


def build_for_ever(folder: Path, made: Made, started: Any) -> None:
    started.set()
    while True:
        build_cube(folder, made.key, made.contents)


def test_a_writer_that_is_killed_leaves_no_cube_and_the_next_one_removes_its_file(made: Made, tmp_path: Path) -> None:
    process = in_another_process("fork", die_in_fsync, tmp_path, made)
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert not cube_path(tmp_path, made.key).exists()
    assert len(names_in(tmp_path)) == 1
    said, _, built = said_and_opened(dataclasses.replace(made, path=cube_path(tmp_path, made.key)))
    assert (said, built) == ([], 1)
    assert names_in(tmp_path) == [cube_path(tmp_path, made.key).name]


def test_a_writer_that_is_killed_at_any_instant_leaves_a_whole_cube_or_none(made: Made, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for _ in range(8):
        started = multiprocessing.get_context("fork").Event()
        process = in_another_process("fork", build_for_ever, tmp_path, made, started)
        started.wait()
        time.sleep(float(rng.uniform(0.0, 0.15)))
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        if cube_path(tmp_path, made.key).exists():
            verify_cube(cube_path(tmp_path, made.key))


def test_several_writers_of_one_cube_do_not_disturb_each_other(made: Made, tmp_path: Path) -> None:
    faults: list[BaseException] = []

    def write() -> None:
        try:
            for _ in range(3):
                build_cube(tmp_path, made.key, made.contents)
                verify_cube(cube_path(tmp_path, made.key))
        except BaseException as fault:
            faults.append(fault)

    writers = [threading.Thread(target=write) for _ in range(3)]
    processes = [in_another_process("fork", build_cube, tmp_path, made.key, made.contents) for _ in range(2)]
    for writer in writers:
        writer.start()
    for worker in (*writers, *processes):
        worker.join()
    assert faults == []
    assert [process.exitcode for process in processes] == [0, 0]
    assert names_in(tmp_path) == [cube_path(tmp_path, made.key).name]
    verify_cube(cube_path(tmp_path, made.key))


def sum_and_private_bytes(cube: Cube, rows: slice, found: Any) -> None:
    """Sum of some days, and by how much this process's own memory grew by reading them."""
    before = own_kib()
    total = float(cube.x_TSF[rows].sum(dtype=np.float64))
    found.put((total, own_kib() - before, mapped(cube.path)))


def own_kib() -> int:
    """Memory of this process that no file lies behind, in KiB."""
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("RssAnon")]
    return int(line.split()[1])


def mapped(path: Path) -> bool:
    return str(path) in Path("/proc/self/maps").read_text()


@pytest.mark.slow
def test_workers_that_are_sent_a_cube_map_its_file(tmp_path: Path) -> None:
    stocks, days = 60, 1500
    rng = np.random.default_rng(0)
    shape = (days, stocks)
    contents = CubeContents(
        columns=tuple("abcdefghi"),
        symbols_S=tuple(str(stock) for stock in range(stocks)),
        dates_T=np.datetime64("2000-01-01") + np.arange(days),
        horizons=(1,),
        x_TSF=rng.normal(size=(*shape, 9)).astype(np.float32),
        here_TS=np.ones(shape, dtype=np.bool_),
        member_TS=np.ones(shape, dtype=np.bool_),
        return_TS=np.zeros(shape, dtype=np.float32),
        y_TSM=np.zeros((*shape, 1), dtype=np.float32),
    )
    cube = open_cube(build_cube(tmp_path, "cd" * 32, contents), "cd" * 32)
    assert len(pickle.dumps(cube)) < 500
    assert pickle.loads(pickle.dumps(cube)).path == cube.path  # noqa: S301
    found = multiprocessing.get_context("spawn").Queue()
    parts = (slice(0, 750), slice(750, 1500))
    workers = [in_another_process("spawn", sum_and_private_bytes, cube, rows, found) for rows in parts]
    results = sorted(found.get(timeout=60) for _ in workers)
    for worker in workers:
        worker.join()
    expected = sorted(float(contents.x_TSF[rows].sum(dtype=np.float64)) for rows in parts)
    assert [total for total, _, _ in results] == pytest.approx(expected, rel=1e-12)
    size_kib = contents.x_TSF.nbytes / 1024
    assert all(grown < size_kib / 4 and is_mapped for _, grown, is_mapped in results)


def test_a_folder_that_cannot_be_written_is_named(made: Made, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkFailed, match="cannot be written"):
        build_cube(tmp_path / "file" / "cubes", made.key, made.contents)


def test_a_disk_that_is_full_leaves_nothing(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WorkFailed, match="No space left on device"):
        build_cube(tmp_path, made.key, made.contents)
    assert names_in(tmp_path) == []


def test_labels_of_another_entry_lag_are_in_another_cube(made: Made, tmp_path: Path) -> None:
    later = make(tmp_path, made.inputs.panel, question(entry_lag=2))
    assert later.path.name != made.path.name
    np.testing.assert_array_equal(later.open().y_TSM[:-1, :, 0], made.open().y_TSM[1:, :, 0])
    assert RankTargetParams().entry_lag == 1
