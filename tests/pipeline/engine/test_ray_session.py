"""Ray that does not start, and clusters that do not answer, end a command with a sentence."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from manifests.errors import UsageError
from pipeline.engine.ray_session import UNASKED, _unasked_left_out, check_root, show_token
from tests.made_videos import write_video

ROOT = Path(__file__).parents[3]
TOY = str(Path(__file__).parents[1] / "toy_recipe.py")


def told(folder: Path, out: str, **environment: str) -> str:
    """What `headset run` says when it ends with 2, in one line."""
    film = write_video(folder / "film.mp4", [("red", 0.4)], size=(64, 64))
    ended = subprocess.run(
        [sys.executable, "-m", "pipeline", "run", TOY, str(film), "--out", out, "--cpus", "1"],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ended.returncode == 2, ended.stderr
    assert "Traceback" not in ended.stderr
    (line,) = [line for line in ended.stderr.splitlines() if line.startswith("headset:")]
    return line


@pytest.mark.slow
def test_ray_that_does_not_start_in_time_is_told(tmp_path: Path) -> None:
    line = told(tmp_path, str(tmp_path / "corpus"), RAY_gcs_server_port_wait_time_s="0")
    assert "Ray does not start on this machine; where it is busy, run the same command again later (" in line


@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1"])
def test_a_cluster_that_does_not_answer_is_told(tmp_path: Path, address: str) -> None:
    line = told(tmp_path, str(tmp_path / "corpus"), RAY_ADDRESS=address)
    assert f"no Ray cluster answers at RAY_ADDRESS={address} (ConnectionRefusedError" in line


def test_a_relative_corpus_is_refused_on_a_cluster_before_anything_is_listed(tmp_path: Path) -> None:
    line = told(tmp_path, "corpus", RAY_ADDRESS="127.0.0.1:1")
    assert "an absolute path that every node has" in line
    assert not (tmp_path / "corpus").exists()


@pytest.mark.parametrize(
    ("address", "root", "refused"),
    [("", "c", False), ("a:1", "/c", False), ("a:1", "s3://b/c", False), ("a:1", "./c", True)],
)
def test_what_every_node_can_find(monkeypatch: pytest.MonkeyPatch, address: str, root: str, refused: bool) -> None:
    monkeypatch.setenv("RAY_ADDRESS", address)
    if refused:
        with pytest.raises(UsageError, match="RAY_ADDRESS is set"):
            check_root(root)
    else:
        check_root(root)


@pytest.mark.parametrize(
    ("there", "told", "mode"),
    [(False, "", None), (True, "", "token"), (False, "a", "token"), (True, "disabled", "disabled")],
)
def test_a_token_that_is_there_is_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, there: bool, told: str, mode: str | None
) -> None:
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.setenv(name, "")  # so that it is put back
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    if there:
        (tmp_path / ".ray").mkdir()
        (tmp_path / ".ray" / "auth_token").write_text("t")
    if told:
        monkeypatch.setenv("RAY_AUTH_MODE" if told == "disabled" else "RAY_AUTH_TOKEN", told)
    monkeypatch.setitem(sys.modules, "ray", object())
    show_token()
    assert os.environ.get("RAY_AUTH_MODE") == (mode if mode == "disabled" else None), "it is too late"
    monkeypatch.delitem(sys.modules, "ray")
    show_token()
    assert os.environ.get("RAY_AUTH_MODE") == mode


def test_what_a_run_asks_nothing_is_left_out_here_and_started_elsewhere() -> None:
    """All of it is there in this version of Ray, and back where a Ray is started otherwise."""
    from ray._private.node import Node

    before = [getattr(Node, name) for name in UNASKED]
    with _unasked_left_out():
        assert [getattr(Node, name)(None, include_dashboard=False) for name in UNASKED] == [None] * len(UNASKED)
    assert [getattr(Node, name) for name in UNASKED] == before
