"""Studies and capsules, made once and copied where a test changes them."""

import shutil

import pytest
from tests.capsule import finished
from tests.capsule.zips import pack
from tests.without_pixels import leave_pixels_out

from tsladder.places import Places


@pytest.fixture(autouse=True, scope="module")
def drawings():
    with pytest.MonkeyPatch.context() as monkeypatch:
        leave_pixels_out(monkeypatch)
        yield


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A finished study that nobody changes."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        leave_pixels_out(monkeypatch)
        return finished.finish(finished.write_study(tmp_path_factory.mktemp("made")))


@pytest.fixture(scope="session")
def packed(made, tmp_path_factory):
    """Its capsule, which nobody changes."""
    path = tmp_path_factory.mktemp("packed") / "study.zip"
    pack(made, path)
    return path


@pytest.fixture
def study(made, tmp_path):
    """A copy of the finished study, to be changed."""
    shutil.copytree(made.root, tmp_path / "copy")
    return Places(tmp_path / "copy", tmp_path / "copy")
