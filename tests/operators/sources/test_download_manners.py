"""Downloads as a guest: proxies take turns, sites are left alone, and the options of yt-dlp that are the user's."""

import itertools
import socket
import threading
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from operators.base import Drop, with_field
from operators.sources import sites
from operators.sources.download_video import DownloadVideo, _proxy
from operators.sources.pages import user_options
from operators.sources.sites import Site
from tests.operators.sources.downloading import QUICK, download, outcome, source_of
from tests.site import WebSite


def test_proxies_take_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "proxies").write_text("# ours\nhttp://a:1\nhttp://b:2\n\nsocks5://c:3\n")
    monkeypatch.setenv("HEADSET_PROXIES", str(tmp_path / "proxies"))
    assert {_proxy("yt-aaaaaaaaaaa", attempt) for attempt in (1, 2, 3)} == {"http://a:1", "http://b:2", "socks5://c:3"}
    assert len({_proxy(f"web-{number}", 1) for number in range(20)}) == 3
    monkeypatch.delenv("HEADSET_PROXIES")
    assert _proxy("yt-aaaaaaaaaaa", 1) == ""


def test_a_proxy_is_used(site: WebSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HEADSET_PROXIES", site.address)
    end, _ = download(source_of("http://no-such-host.invalid/good0.mp4"), tmp_path, replace(QUICK, allow_private=False))
    assert outcome(end) == "http_404"  # the site was asked in place of a host that does not exist
    assert site.asked["http://no-such-host.invalid/good0.mp4"] == 1


def test_a_site_that_serves_nobody_is_left_alone(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    operator = replace(QUICK, tries=1)
    ends = [
        outcome(download(source_of(f"http://127.0.0.1:{port}/{number}.mp4"), tmp_path, operator)[0])
        for number in range(sites.FAILURES + 2)
    ]
    assert ends == ["unreachable"] * sites.FAILURES + ["site_rests"] * 2


def test_a_site_that_says_no_is_not_one_that_serves_nobody(site: WebSite, tmp_path: Path):
    ends = [
        outcome(download(source_of(f"{site.address}/missing{number}.mp4"), tmp_path)[0])
        for number in range(sites.FAILURES + 2)
    ]
    assert set(ends) == {"http_404"}


def test_nobody_asks_a_site_that_wants_a_pause(site: WebSite, tmp_path: Path):
    end, fetches = download(source_of(site.address + "/status/429"), tmp_path)
    assert isinstance(end, Drop)
    assert end.retryable
    wait = datetime.fromisoformat(fetches[-1].retry_at) - datetime.fromisoformat(fetches[-1].started_at)
    assert 3599 < wait.total_seconds() < 3605
    before = site.asked.total()
    end, fetches = download(source_of(site.address + "/good0.mp4"), tmp_path)
    assert (outcome(end), fetches) == ("site_rests", [])
    assert site.asked.total() == before


def test_sources_of_one_site_wait_for_their_turn():
    site = Site("example.org", at_once=2, gap_s=0.1)
    under_way, most, starts = 0, 0, []
    lock = threading.Lock()

    def ask() -> None:
        nonlocal under_way, most
        with site.turn(5):
            with lock:
                under_way += 1
                most = max(most, under_way)
                starts.append(time.monotonic())
            time.sleep(0.25)
            with lock:
                under_way -= 1

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2
    starts.sort()
    assert all(later - earlier > 0.09 for earlier, later in itertools.pairwise(starts))


def test_the_rate_is_kept(site: WebSite, tmp_path: Path):
    began = time.monotonic()
    download(source_of(site.address + "/good1.mp4"), tmp_path, replace(QUICK, rate_bytes_s=20_000))
    assert time.monotonic() - began > len(site.files["good1"]) / 20_000 - 0.2


def test_manners_change_no_fingerprint():
    for name, value in (("tries", 9), ("gap_s", 7.0), ("allow_private", True), ("at_once", 5), ("timeout_s", 1.0)):
        assert with_field(DownloadVideo(), name, value).fingerprint() == DownloadVideo().fingerprint()
    for name, value in (("max_height", 720), ("codec", "vp9"), ("audio", False)):
        assert with_field(DownloadVideo(), name, value).fingerprint() != DownloadVideo().fingerprint()


def test_yt_dlps_own_options_are_reachable_but_not_those_about_what_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "cookies.txt").write_text("# Netscape HTTP Cookie File\n")
    words = (
        "--js-runtimes node --extractor-args youtube:player_client=mweb;po_token=mweb.gvs+abc --sleep-requests 2"
        f" --cookies {tmp_path / 'cookies.txt'}"
    )
    monkeypatch.setenv("HEADSET_YTDLP", words)
    options = user_options()
    assert "node" in options["js_runtimes"]
    assert options["extractor_args"] == {"youtube": {"player_client": ["mweb"], "po_token": ["mweb.gvs+abc"]}}
    assert options["sleep_interval_requests"] == 2
    assert options["cookiefile"].read().startswith("# Netscape")
    for words in (
        "--exec ls",
        "-o /tmp/x",
        "--enable-file-urls",
        "--no-such-option",
        "--ffmpeg-location /bin/sh",
        "--cookies /no/such/file",
    ):
        monkeypatch.setenv("HEADSET_YTDLP", words)
        with pytest.raises(ValueError, match="HEADSET_YTDLP"):
            QUICK.resolved()
    monkeypatch.setenv("HEADSET_YTDLP", "")
    monkeypatch.setenv("HEADSET_PROXIES", str(tmp_path / "missing"))
    with pytest.raises(ValueError, match="HEADSET_PROXIES names no file"):
        QUICK.resolved()


def test_cookies_are_read_and_not_written_back(site: WebSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    cookies = tmp_path / "cookies.txt"
    cookies.write_text("# Netscape HTTP Cookie File\n127.0.0.1\tFALSE\t/\tFALSE\t0\tname\tvalue\n")
    before = cookies.read_bytes()
    monkeypatch.setenv("HEADSET_YTDLP", f"--cookies {cookies}")
    assert outcome(download(source_of(site.address + "/watch.html"), tmp_path)[0]) == "ok"
    assert cookies.read_bytes() == before
