"""Which Python `make` builds the environment with: the first that the lock has wheels for, or one line of refusal.

The interpreters are shell scripts that answer as an interpreter of that kind would; none downloads anything.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
VERSIONS = [line.rpartition(" ")[2] for line in PROJECT["classifiers"] if re.fullmatch(r".*:: Python :: 3\.\d+", line)]
TOOLS = ("make", "sh", "sed", "dirname", "touch")
HERE = {"system": "Linux", "machine": "x86_64", "libc": "glibc 2.36"}

# Runs what follows `-c` under another version and platform; `-m` writes what it was asked for into a log.
ACTS_AS = """
import json, os, pathlib, platform, shutil, sys, sysconfig
acts_as, log, me, (flag, *rest) = json.loads(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3], sys.argv[4:]
if flag == "-c":
    sys.argv = ["-c", *rest[1:]]
    sys.version_info = tuple(int(part) for part in acts_as["version"].split("."))
    sys.maxsize = acts_as.get("maxsize", 2**63 - 1)
    platform.python_implementation = lambda: acts_as.get("implementation", "CPython")
    platform.system, platform.machine = lambda: acts_as["system"], lambda: acts_as["machine"]
    platform.mac_ver = lambda: (acts_as.get("macos", ""), ("", "", ""), "")
    sysconfig.get_config_var = lambda name: acts_as.get("free_threaded", 0)
    def confstr(name):
        if acts_as["libc"] is None:
            raise ValueError(name)
        return acts_as["libc"]
    os.confstr = confstr
    sys.modules.setdefault("pip", sys)
    sys.modules.update(dict.fromkeys(acts_as.get("lacks", ())))
    exec(rest[0])
else:
    with log.open("a") as stream:
        stream.write(f"{os.path.basename(me)} {' '.join(rest)}" + chr(10))
    if rest[0] == "venv":
        environment = pathlib.Path(rest[-1])
        (environment / "bin").mkdir(parents=True, exist_ok=True)
        (environment / "pyvenv.cfg").touch()
        shutil.copy(me, environment / "bin" / "python")
"""


class Checkout:
    """What `make install` reads, an empty PATH to put interpreters on, and what they were asked for."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "checkout"
        self.path = folder / "bin"
        self.log = folder / "log"
        self.root.mkdir()
        self.path.mkdir()
        for name in ("Makefile", "choose_python.sh", "pyproject.toml", "requirements.lock"):
            shutil.copy(ROOT / name, self.root)
        for tool in TOOLS:
            (self.path / tool).symlink_to(Path(shutil.which(tool) or pytest.skip(f"{tool} is not installed")))
        (folder / "acts_as.py").write_text(ACTS_AS)

    def put(self, file: Path, version: str, **acts_as: object) -> Path:
        answers = json.dumps({"version": version, **HERE, **acts_as})
        acts = self.path.parent / "acts_as.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"#!/bin/sh\nexec '{sys.executable}' -S '{acts}' '{answers}' '{self.log}' \"$0\" \"$@\"\n")
        file.chmod(0o755)
        return file

    def environment(self, version: str, name: str = ".venv", **acts_as: object) -> Path:
        environment = self.root / name
        self.put(environment / "bin" / "python", version, **acts_as)
        (environment / "pyvenv.cfg").touch()
        return environment

    def make(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["make", "--no-print-directory", "install", *words],
            cwd=self.root,
            env={"PATH": str(self.path), "HOME": str(self.root)},
            capture_output=True,
            text=True,
            check=False,
        )

    def asked(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []

    def contents(self) -> dict[str, bytes | None]:
        files = sorted(self.root.rglob("*"))
        return {str(file): file.read_bytes() if file.is_file() else None for file in files}

    def refusal(self, *words: str) -> str:
        """The one line that make refuses with, having written nothing and asked no interpreter for anything."""
        before = self.contents()
        done = self.make(*words)
        assert done.returncode == 2, done
        assert done.stdout == ""
        assert done.stderr.count("\n") == 1, done.stderr
        assert self.contents() == before
        assert self.asked() == []
        return done.stderr


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


UNFIT = {
    "older": ({"version": "3.10"}, "is Python 3.10"),
    "newer": ({"version": "3.15"}, "is Python 3.15"),
    "free-threaded": ({"version": "3.14", "free_threaded": 1}, "is a free-threaded build of Python 3.14"),
    "PyPy": ({"version": "3.11", "implementation": "PyPy"}, "is PyPy"),
    "32 bits": ({"version": "3.12", "maxsize": 2**31 - 1}, "is a 32-bit Python"),
    "musl": ({"version": "3.13", "libc": None}, "runs on a Linux without glibc"),
    "old glibc": ({"version": "3.13", "libc": "glibc 2.17"}, "runs on glibc 2.17"),
    "ppc64le": ({"version": "3.13", "machine": "ppc64le"}, "runs on Linux ppc64le"),
    "Windows": ({"version": "3.13", "system": "Windows", "machine": "AMD64", "libc": None}, "runs on Windows AMD64"),
    "Intel Mac": (
        {"version": "3.13", "system": "Darwin", "machine": "x86_64", "libc": None, "macos": "14.5"},
        "runs on macOS x86_64",
    ),
    "old macOS": (
        {"version": "3.13", "system": "Darwin", "machine": "arm64", "libc": None, "macos": "13.6.1"},
        "runs on macOS 13.6.1",
    ),
    "no venv": ({"version": "3.13", "lacks": ["ensurepip"]}, "lacks the module ensurepip"),
}


@pytest.mark.parametrize("kind", UNFIT)
def test_an_interpreter_that_the_lock_has_no_wheels_for_is_refused_in_one_line(kind: str, checkout: Checkout) -> None:
    acts_as, words = UNFIT[kind]
    named = checkout.put(checkout.root.parent / "opt" / "python", **acts_as)  # type: ignore[arg-type]
    line = checkout.refusal(f"PYTHON={named}")
    assert f"{named} {words}" in line
    assert "make PYTHON=" in line


OFTEN = ("newer", "PyPy", "no venv")
"""Kinds that are put on PATH in every run of the tests; the others in the slow ones."""


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=() if kind in OFTEN else pytest.mark.slow) for kind in UNFIT]
)
def test_one_on_path_is_refused_alike_and_the_line_says_what_to_install(kind: str, checkout: Checkout) -> None:
    acts_as, words = UNFIT[kind]
    found = checkout.put(checkout.path / "python3", **acts_as)  # type: ignore[arg-type]
    line = checkout.refusal()
    assert f"{found} {words}" in line
    assert "apt install" in line
    assert "make PYTHON=" in line


def test_no_interpreter_at_all_is_refused_with_the_versions_that_work(checkout: Checkout) -> None:
    (checkout.path / "python3").write_text("#!/bin/sh\nexit 127\n")
    (checkout.path / "python3").chmod(0o755)
    line = checkout.refusal()
    assert all(version in line for version in VERSIONS)
    assert "make PYTHON=" in line


def test_one_that_is_not_there_is_refused(checkout: Checkout) -> None:
    checkout.put(checkout.path / "python3", "3.13")
    assert "/nowhere/python does not run" in checkout.refusal("PYTHON=/nowhere/python")


@pytest.mark.parametrize("kind", ["older", "free-threaded", "musl"])
def test_an_environment_of_such_an_interpreter_is_refused_and_kept(kind: str, checkout: Checkout) -> None:
    acts_as, words = UNFIT[kind]
    checkout.put(checkout.path / "python3", "3.13")
    checkout.environment(**acts_as)  # type: ignore[arg-type]
    line = checkout.refusal()
    assert f".venv/bin/python {words}" in line
    assert "make VENV=" in line


def test_an_environment_without_pip_and_a_folder_that_is_none_are_refused_and_kept(checkout: Checkout) -> None:
    checkout.put(checkout.path / "python3", "3.13")
    checkout.environment("3.13", "bare", lacks=["pip"])
    assert "bare has no pip" in checkout.refusal("VENV=bare")
    (checkout.root / "notes").mkdir()
    assert "notes exists and is no Python environment" in checkout.refusal("VENV=notes")


@pytest.mark.parametrize("version", [VERSIONS[0], *(pytest.param(v, marks=pytest.mark.slow) for v in VERSIONS[1:])])
@pytest.mark.parametrize(
    "platform",
    [
        HERE,
        {"system": "Linux", "machine": "aarch64", "libc": "glibc 2.28"},
        {"system": "Darwin", "machine": "arm64", "libc": None, "macos": "14.0"},
    ],
    ids=lambda platform: f"{platform['system']} {platform['machine']}",
)
def test_every_supported_version_makes_the_environment(
    version: str, platform: dict[str, object], checkout: Checkout
) -> None:
    checkout.put(checkout.path / "python3", version, **platform)
    done = checkout.make()
    assert done.returncode == 0, done.stderr
    made, *installed = checkout.asked()
    assert made == "python3 venv --clear .venv"
    assert [line.rpartition(" ")[2] for line in installed] == ["requirements.lock", "."]
    assert (checkout.root / ".venv" / ".installed").exists()


def test_the_first_suitable_one_of_path_is_taken(checkout: Checkout) -> None:
    checkout.put(checkout.path / "python3", "3.15")
    checkout.put(checkout.path / "python3.11", "3.11", lacks=["venv"])
    checkout.put(checkout.path / "python3.12", "3.12", free_threaded=1)
    checkout.put(checkout.path / "python3.13", "3.13")
    checkout.put(checkout.path / "python3.14", "3.14")
    assert checkout.make().returncode == 0
    assert checkout.asked()[0].startswith("python3.13 venv")


def test_a_suitable_environment_is_kept_and_one_that_no_longer_runs_is_recreated(checkout: Checkout) -> None:
    checkout.put(checkout.path / "python3", "3.13")
    kept = checkout.environment("3.12", "kept")
    (kept / "mine").touch()
    assert checkout.make("VENV=kept").returncode == 0
    assert (kept / "mine").exists()
    assert not [line for line in checkout.asked() if " venv " in line]
    broken = checkout.environment("3.12", "broken")
    (broken / "bin" / "python").unlink()
    assert checkout.make("VENV=broken").returncode == 0
    assert [line for line in checkout.asked() if " venv " in line] == ["python3 venv --clear broken"]


def test_the_versions_begin_with_the_one_that_pip_asks_for_and_have_no_gap() -> None:
    minors = [int(version.partition(".")[2]) for version in VERSIONS]
    assert PROJECT["requires-python"] == f">=3.{minors[0]}"
    assert minors == list(range(minors[0], minors[-1] + 1))
