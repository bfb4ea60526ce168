"""Addresses of stores: which are taken, and that nothing of them that is secret is ever shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from tsladder.errors import BadInput
from tsladder.tracking import address_of, local_address, parse_address, store_uri, ui_command, ui_environment
from tsladder.tracking.ui import how_to_look


def parsed(text: str):
    return parse_address(text, artifacts=Path("/study/mlruns"), source="--to")


@pytest.mark.parametrize("given", ["", "   "])
def test_without_an_address_the_store_is_that_of_the_folder(given: str, tmp_path: Path) -> None:
    for environment in ({}, {"MLFLOW_TRACKING_URI": given}):
        address = address_of(tmp_path, environment)
        assert address == local_address(tmp_path)
        assert (address.database, address.uri) == (tmp_path / "mlflow.db", store_uri(tmp_path))


@pytest.mark.parametrize(
    ("text", "shown", "is_server"),
    [
        ("http://host:5000", "http://host:5000", True),
        ("https://host/mlflow/", "https://host/mlflow", True),
        ("https://me:hidden@host/mlflow?token=hidden", "https://host/mlflow", True),
        ("postgresql://me:hidden@host:5432/runs?sslmode=require", "postgresql://host:5432/runs", False),
        ("postgresql://me:hid/den@host/runs", "postgresql://host/runs", False),
        ("postgresql+psycopg://me:hid@den@host/runs?password=hidden", "postgresql+psycopg://host/runs", False),
    ],
)
def test_an_address_is_shown_without_user_password_and_options(text: str, shown: str, is_server: bool) -> None:
    address = parsed(text)
    assert (address.shown, address.is_server, address.database) == (shown, is_server, None)
    assert address.uri == text.rstrip("/")
    assert "hid" not in how_to_look(address)


def test_files_of_a_bare_database_lie_on_this_machine_and_those_of_a_server_there() -> None:
    assert parsed("postgresql://host/runs").artifacts == Path("/study/mlruns/artifacts")
    assert parsed("http://host").artifacts is None


@pytest.mark.parametrize(("text", "path"), [("sqlite:////a/b.db", "/a/b.db"), ("sqlite:////a/%23%20b.db", "/a/# b.db")])
def test_a_file_is_named_as_sqlalchemy_names_it(text: str, path: str) -> None:
    address = parsed(text)
    assert (address.database, address.artifacts, address.shown) == (Path(path), Path("/a/artifacts"), path)


def test_a_relative_file_is_that_of_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert parsed("sqlite:///runs/x.db").database == tmp_path / "runs" / "x.db"


@pytest.mark.parametrize(
    "text",
    [
        *("", "mlruns", "/a/b", "file:///a", "ftp://me:hidden@host", "http://", "sqlite://", "sqlite:///"),
        *("postgresql://me:hidden@host", "mysql://host/a"),
    ],
)
def test_any_other_address_is_refused_with_the_rule_and_without_its_password(text: str) -> None:
    with pytest.raises(BadInput) as refused:
        parsed(text)
    assert "--to must be" in str(refused.value)
    assert "http" in str(refused.value)
    assert "hidden" not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "API request to http://me:hid%2Fden@host/api failed",
        "connection to postgresql://me:hid%2Fden@host/runs failed",
        "invalid dsn: user=me password=hid/den host=host",
        "the password hid/den is wrong",
        "?password=hid%2Fden&sslmode=require",
    ],
)
def test_a_message_loses_user_and_password_however_they_stand_in_it(text: str) -> None:
    cleaned = parsed("http://me:hid%2Fden@host").without_credentials(text)
    assert "hid" not in cleaned
    assert "me:" not in cleaned


def test_the_command_of_the_page_never_holds_the_address_of_a_database_with_a_password() -> None:
    address = parsed("postgresql://me:hidden@host/runs")
    assert not [word for word in ui_command(address) if "hidden" in word]
    assert ui_environment(address)["MLFLOW_BACKEND_STORE_URI"] == address.uri
