"""Settings of a Ray cluster that are refused in one line, before anything is started."""

from __future__ import annotations

import importlib.util
import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.studies import ROOT, environment, make_study

from tsladder.errors import BadInput
from tsladder.execution.ray_crew import check_address, is_loopback, open_ray_crew
from tsladder.params import HardwareParams, load_params
from tsladder.planning.fingerprint import import_closure


def hardware(address: str | None = None) -> HardwareParams:
    return HardwareParams(device="cpu", memory_gib=None, workers="auto", executor="ray", address=address)


def test_without_ray_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(BadInput, match=r"Ray is not installed here: pip install -r requirements-ray.lock"):
        open_ray_crew(hardware(), tmp_path / "none.json", print)


@pytest.mark.parametrize("address", ["head", "ray://head:10001", "head:", ":6379", "auto", "head:port"])
def test_an_address_without_host_and_port_is_refused(address: str) -> None:
    with pytest.raises(BadInput, match="must be HOST:PORT") as refused:
        check_address(address)
    assert refused.value.exit_code == 2


@pytest.mark.parametrize("mode", [None, "disabled", "token"])
def test_an_address_that_others_can_reach_needs_a_token(
    mode: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "none"))
    if mode is not None:
        monkeypatch.setenv("RAY_AUTH_MODE", mode)
    with pytest.raises(BadInput, match="RAY_AUTH_MODE=token"):
        check_address("192.0.2.1:6379")
    if mode is None:
        monkeypatch.setenv("RAY_AUTH_TOKEN", "a-word")
        with pytest.raises(BadInput, match="RAY_AUTH_MODE=token"):
            check_address("192.0.2.1:6379")


def test_an_address_where_nothing_listens_is_named_with_what_to_start() -> None:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    with pytest.raises(BadInput, match=rf"nothing answers at hardware.address 127.0.0.1:{port}.*ray start --head"):
        check_address(f"127.0.0.1:{port}")


def test_an_address_that_answers_passes() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        check_address(f"127.0.0.1:{server.getsockname()[1]}")


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("localhost", True),
        ("::1", True),
        ("10.0.0.1", False),
        ("head", False),
    ],
)
def test_loopback_addresses_are_those_of_this_machine_alone(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


@pytest.mark.parametrize(
    ("leaf", "value"),
    [("executor", "slurm"), ("places", "most"), ("patience", 0), ("patience", -1), ("address", 6379)],
)
def test_a_setting_that_is_none_is_refused_by_its_name(leaf: str, value: object, tmp_path: Path) -> None:
    places = make_study(tmp_path, **{f"hardware__{leaf}": value})
    with pytest.raises(BadInput, match=rf"hardware\.{leaf}"):
        load_params(places.params)


def test_a_params_file_without_these_leaves_means_this_machine(tmp_path: Path) -> None:
    found = load_params(make_study(tmp_path).params).hardware
    assert (found.executor, found.address, found.places, found.patience) == ("local", None, "same", 600.0)


def test_the_lag_of_a_search_on_ray_does_not_depend_on_workers() -> None:
    assert {hardware().search_lag(workers) for workers in (1, 2, 64)} == {4}
    local = HardwareParams(device="cpu", memory_gib=None, workers="auto")
    assert [local.search_lag(workers) for workers in (1, 2, 64)] == [1, 2, 64]
    given = HardwareParams(device="cpu", memory_gib=None, workers="auto", executor="ray", lag=7)
    assert given.search_lag(2) == 7


def tsladder(places: object, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tsladder.cli", *arguments],
        cwd=places.root,  # type: ignore[attr-defined]
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def test_places_of_this_machine_are_listed_with_their_memory(tmp_path: Path) -> None:
    places = make_study(tmp_path, hardware__memory_gib=1.5)
    done = tsladder(places, "places", "--json")
    assert done.returncode == 0, done.stderr
    (place,) = json.loads(done.stdout)
    assert (place["place"], place["state"], place["device"], place["memory_gib"]) == ("here", "ready", "cpu", 1.5)
    assert "here" in tsladder(places, "places").stdout


def test_places_of_a_cluster_that_does_not_answer_end_with_exit_code_2_and_one_line(tmp_path: Path) -> None:
    if importlib.util.find_spec("ray") is None:
        pytest.skip("without Ray this is refused for that")
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{one.getsockname()[1]}"
    places = make_study(tmp_path, hardware__executor="ray", hardware__address=address)
    done = tsladder(places, "places")
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.strip().splitlines()) == 1
    assert address in done.stderr


def test_the_lock_of_ray_changes_nothing_of_the_environment_of_a_study() -> None:
    def pins(name: str) -> dict[str, str]:
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        return dict(line.split("==") for line in lines if line and not line.startswith("#"))

    locked, added = pins("requirements.lock"), pins("requirements-ray.lock")
    assert set(added) & set(locked) == set()
    assert "ray" in added


@pytest.mark.parametrize("stage", sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("stages/**/*.py")))
def test_no_stage_loads_what_reaches_other_machines(stage: str) -> None:
    loaded = import_closure(ROOT / stage, ROOT / "src")
    reaching = {f"tsladder.execution.{name}" for name in ("executors", "place", "ray_crew", "remote_crew")}
    assert reaching & set(loaded) == set()
