"""Fixtures that the tests of downloads share."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.site import WebSite, serve


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebSite]:
    with serve(tmp_path_factory.mktemp("site")) as running:
        yield running


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HEADSET_CACHE", str(tmp_path / "cache"))
    for name in (
        "HEADSET_PROXIES",
        "HEADSET_YTDLP",
        "http_proxy",
        "https_proxy",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "all_proxy",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand-ins, first on PATH, for the programs that yt-dlp would leave a download to. The file is there once one of
    them ran.
    """
    ran = tmp_path / "a-program-ran"
    (tmp_path / "bin").mkdir()
    for name in ("ffmpeg", "avconv", "rtmpdump", "curl", "wget", "aria2c", "axel", "mpv", "mplayer"):
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\necho $0 $* >> {ran}\nexit 1\n")
        (tmp_path / "bin" / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    return ran
