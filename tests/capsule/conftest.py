"""Studies and capsules, made once and copied where a test changes them."""

import shutil

import pytest
from tests import drawn_once
from tests.capsule import finished
from tests.capsule.zips import pack

from tsladder.places import Places


@pytest.fixture(autouse=True, scope="module")
def drawings():
    """Draw what a capsule shows once; `made` is drawn before that, so that its pictures are compared with others."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        drawn_once.keep_drawings(monkeypatch)
        yield


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A finished study that nobody changes."""
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
