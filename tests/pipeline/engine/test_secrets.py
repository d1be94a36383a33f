"""Secrets of a cluster's processes: out of a file, for its owner alone, and never over what is set."""

import os
import stat
from pathlib import Path

import pytest

from pipeline.engine.secrets import load_secrets, read_secrets, write_secrets
from pipeline.engine.travel import plain, secret_names


def test_a_file_of_secrets_is_for_its_owner_alone_and_reads_as_it_was_written(tmp_path: Path) -> None:
    values = {"HF_TOKEN": "a=b c", "AWS_SECRET_ACCESS_KEY": "hunter2"}
    write_secrets(values, tmp_path / "secrets.env")
    assert stat.S_IMODE((tmp_path / "secrets.env").stat().st_mode) == 0o600
    assert read_secrets(tmp_path / "secrets.env") == values


def test_what_is_set_already_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_secrets({"HF_TOKEN": "of the file", "AWS_SESSION_TOKEN": "of the file"}, tmp_path / "secrets.env")
    monkeypatch.setenv("HEADSET_SECRETS", str(tmp_path / "secrets.env"))
    monkeypatch.setenv("HF_TOKEN", "of the machine")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "")  # so that it is put back
    monkeypatch.delenv("AWS_SESSION_TOKEN")
    load_secrets()
    assert (os.environ["HF_TOKEN"], os.environ["AWS_SESSION_TOKEN"]) == ("of the machine", "of the file")


def test_an_address_with_a_password_is_a_secret_whatever_its_variable_is_called() -> None:
    there = {"AWS_ENDPOINT_URL": "https://ada:hunter2@store.example", "AWS_REGION": "eu-1", "HF_TOKEN": "x"}
    assert plain(there) == {"AWS_REGION": "eu-1"}
    assert secret_names(there) == ["AWS_ENDPOINT_URL", "HF_TOKEN"]
