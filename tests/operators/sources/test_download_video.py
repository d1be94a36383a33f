"""Downloads against a web site with every fault, and moto's S3: the typed outcome, the site's words, the right
bytes.
"""

import hashlib
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import pytest

from manifests.tables import Source
from operators.base import Drop
from operators.sources.addresses import AddressRefused
from operators.sources.guard import Guard
from operators.sources.outcomes import AGAIN, LATER, NotFetched, meaning
from operators.sources.page_reader import PageReader
from operators.sources.pages import OURS
from pipeline.listing import list_sources
from tests.local_server import wait_for
from tests.made_videos import write_video
from tests.operators.sources.downloading import QUICK, download, outcome, source_of
from tests.site import WebSite, serve
from tests.site_cases import CASES, Case, listed


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.path[:40])
def test_every_address_ends_in_what_is_true_of_it(case: Case, site: WebSite, tmp_path: Path):
    source = source_of(site.of(case))
    end, fetches = download(source, tmp_path)
    last = fetches[-1]
    assert outcome(end) == last.outcome == case.outcome
    assert [row.attempt for row in fetches] == list(range(1, case.tries + 1))
    assert {row.outcome for row in fetches[:-1]} <= AGAIN
    assert case.said in last.said
    assert last.tool.startswith(("requests 2", "yt-dlp 20")) or case.outcome == "scheme_not_allowed"
    assert last.retryable == (case.outcome in LATER) == (last.retry_at != "")
    if isinstance(end, Drop):
        assert (end.row, end.detail, end.retryable) == (None, last.said, last.retryable)
        assert not (tmp_path / "media").exists()
    else:
        assert replace(end, sha256="", bytes=0, media="", title="") == source
        kept = (tmp_path / end.media).read_bytes()
        assert (end.sha256, end.bytes) == (hashlib.sha256(kept).hexdigest(), len(kept))
        assert not (tmp_path / "scratch" / source.source_id).exists()
        if case.file:
            assert kept == site.files[case.file]


@pytest.mark.slow
def test_sixty_lines_of_one_list_are_all_accounted_for(tmp_path: Path):
    """Good sources arrive, bad ones have their reason, duplicates and what is no address are named; nothing is lost."""
    with serve(tmp_path / "site") as own, serve(tmp_path / "other-site") as limited:
        lines = [
            line.replace(own.address, limited.address) if line.endswith("/status/429") else line
            for line in listed(own.address)
        ]
        path = tmp_path / "list.txt"
        path.write_bytes("\r\n".join(["\ufeff" + lines[0], *lines[1:]]).encode())
        listing = list_sources([str(path)])
        entries = [line for line in lines if line and not line.startswith("#")]
        assert len(listing.sources) + len(listing.dropped) == len(entries) >= 60
        assert Counter(drop.reason for drop in listing.dropped) == {
            "duplicate": 6,
            "scheme_not_allowed": 3,
            "missing_file": 1,
            "credentials_in_address": 1,
        }
        ends = {
            source.uri.removeprefix(own.address).removeprefix(limited.address): download(source, tmp_path / "corpus")
            for source in listing.sources
        }
        assert {path: outcome(end) for path, (end, _) in ends.items()} == {case.path: case.outcome for case in CASES}
        kept = {hashlib.sha256(own.files[case.file]).hexdigest() for case in CASES if case.file}
        stored = {file.stem for file in (tmp_path / "corpus" / "media").rglob("*") if file.is_file()}
        assert kept <= stored
        assert len(stored) == sum(case.outcome == "ok" for case in CASES)
        assert "hunter2" not in repr([listing, ends])
        assert own.asked["/good0.mp4"] == own.asked["/good4.mp4"] == 1
        assert not [file for file in tmp_path.rglob("passwd*")]


def test_streams_that_a_site_keeps_apart_come_as_one_file(site: WebSite, tmp_path: Path):
    end, _ = download(source_of(site.address + "/hls/apart.m3u8"), tmp_path)
    assert isinstance(end, Source)
    with av.open(str(tmp_path / end.media)) as joined:
        assert (len(joined.streams.video), len(joined.streams.audio)) == (1, 1)
        pictures = [packet for packet in joined.demux(video=0) if packet.dts is not None]
    with av.open(str(tmp_path / end.media)) as joined:
        sounds = [bytes(packet) for packet in joined.demux(audio=0) if packet.dts is not None]
    assert len(pictures) == 50
    times_s = sorted(float((packet.pts or 0) * packet.time_base) for packet in pictures)
    assert [round(time_s - times_s[0], 3) for time_s in times_s] == [round(number * 0.04, 3) for number in range(50)]
    (tmp_path / "sound.ts").write_bytes(site.files["sound.ts"])
    with av.open(str(tmp_path / "sound.ts")) as sent:
        adts = [bytes(packet) for packet in sent.demux(audio=0) if packet.dts is not None]
    # the same AAC frames, without the seven bytes that a stream puts before each
    assert [packet[7:] for packet in adts] == sounds


def test_an_hls_playlist_comes_whole(site: WebSite, tmp_path: Path):
    end, _ = download(source_of(site.address + "/hls/whole.m3u8"), tmp_path)
    assert isinstance(end, Source)
    assert (tmp_path / end.media).read_bytes() == site.files["part0.ts"] + site.files["part1.ts"]
    assert end.media.endswith(".ts")


def test_what_the_site_tells_is_kept_and_is_never_a_path(site: WebSite, tmp_path: Path):
    end, fetches = download(source_of(site.address + "/watch.html"), tmp_path / "corpus")
    assert isinstance(end, Source)
    assert end.title == "../../odd & title (1)"  # yt-dlp numbers the videos of a page
    assert sorted(file.parent.parent.name for file in tmp_path.rglob("*.mp4")) == ["media"]
    assert fetches[0].tool.startswith("yt-dlp 20")


def test_a_stream_that_only_another_program_could_download_is_refused(programs: Path, site: WebSite, tmp_path: Path):
    end, fetches = download(source_of(site.address + "/hls/sample-aes.m3u8"), tmp_path)
    assert (outcome(end), len(fetches)) == ("outside_program", 1)
    end, _ = download(source_of(site.address + "/hls/rtmp.m3u8"), tmp_path)
    assert outcome(end) in ("outside_program", "scheme_not_allowed")
    assert not programs.exists()


@pytest.mark.parametrize(
    ("protocol", "address", "live", "end"),
    [
        ("rtmp", "rtmp://example.org/a", False, "outside_program"),
        ("rtmpe", "rtmpe://example.org/a", False, "outside_program"),
        ("rtmp_ffmpeg", "rtmp://example.org/a", False, "outside_program"),
        ("m3u8_native", "https://example.org/a.m3u8", True, "outside_program"),
        ("http_dash_segments", "https://example.org/a.mpd", True, "outside_program"),
        ("websocket_frag", "wss://example.org/a", False, "outside_program"),
        ("niconico_live", "wss://example.org/a", False, "outside_program"),
        ("fc2_live", "wss://example.org/a", False, "outside_program"),
        ("bunnycdn", "https://example.org/a.m3u8", False, "outside_program"),
        ("soopvod", "https://example.org/a.m3u8", False, "outside_program"),
        ("youtube_live_chat", "https://example.org/a", False, "outside_program"),
        ("mms", "mms://example.org/a", False, "scheme_not_allowed"),
        ("rtsp", "rtsp://example.org/a", False, "scheme_not_allowed"),
        ("ftp", "ftp://example.org/a", False, "scheme_not_allowed"),
    ],
)
def test_no_download_is_left_to_a_program_or_a_thread(
    protocol: str, address: str, live: bool, end: str, programs: Path, tmp_path: Path
):
    info = {
        "id": "a",
        "title": "a",
        "ext": "mp4",
        "url": address,
        "protocol": protocol,
        "is_live": live,
        "format_id": "1",
    }
    guard = Guard(anywhere=True)
    with (
        PageReader({**OURS, "fragments": None}, guard, 2**20) as reader,
        pytest.raises((NotFetched, AddressRefused)) as raised,
        guard.on(),
    ):
        reader.download_format(str(tmp_path / "a.mp4"), info)
    assert (raised.value.outcome if isinstance(raised.value, NotFetched) else raised.value.reason) == end
    assert not programs.exists()


def test_a_format_that_yt_dlp_downloads_itself_is_chosen_before_a_better_one_that_it_does_not():
    both = {"height": 720, "vcodec": "h264", "acodec": "aac", "ext": "mp4"}
    rtmp = {**both, "format_id": "rtmp", "url": "rtmp://example.org/a", "protocol": "rtmp", "height": 1080}
    https = {**both, "format_id": "https", "url": "https://example.org/a.mp4"}
    for formats, chosen in (([rtmp, https], "https"), ([rtmp], "rtmp")):
        offered: Any = {"id": "a", "title": "a", "extractor": "x", "formats": [dict(one) for one in formats]}
        with PageReader({**OURS, **QUICK._choice("")}, Guard(), 2**20) as reader:
            found: Any = reader.process_video_result(offered, download=False)
        assert found["format_id"] == chosen


def test_a_licence_that_is_not_wanted_is_not_downloaded(site: WebSite, tmp_path: Path):
    before = site.sent["/watched.mp4"]
    end, _ = download(source_of(site.address + "/watch.html"), tmp_path, replace(QUICK, licences=("creative commons",)))
    assert isinstance(end, Drop)
    assert (end.reason, end.detail) == ("licence_not_wanted", "none given")
    assert site.sent["/watched.mp4"] == before


def test_the_licence_a_list_states_counts(site: WebSite, tmp_path: Path):
    operator = replace(QUICK, licences=("CC-BY", "creative commons"))
    local = source_of(str(write_video(tmp_path / "a.mp4")))
    for source in (source_of(site.address + "/good2.mp4"), source_of(site.address + "/watch.html"), local):
        assert outcome(download(source, tmp_path / "none", operator)[0]) == "licence_not_wanted"
        end, _ = download(replace(source, licence="cc-by-4.0"), tmp_path / "some", operator)
        assert isinstance(end, Source)
        assert end.licence == "cc-by-4.0"
    assert not (tmp_path / "none" / "media").exists()


def test_a_killed_download_goes_on_where_it_was(site: WebSite, tmp_path: Path):
    source = source_of(site.address + "/slow.mp4")
    code = (
        "import sys; from pathlib import Path; from dataclasses import replace; from"
        " tests.operators.sources.downloading import *;list(replace(QUICK,"
        " timeout_s=60)(source_of(sys.argv[1]), Holder(Path(sys.argv[2]), source_of(sys.argv[1]))))"
    )
    worker = subprocess.Popen([sys.executable, "-c", code, source.uri, str(tmp_path)], cwd=Path(__file__).parents[3])
    part = tmp_path / "scratch" / source.source_id / "file.part"
    whole = site.files["query"] * 400
    try:
        wait_for(lambda: part.is_file() and part.stat().st_size == int(len(whole) * 0.3), 30)
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    end, fetches = download(source, tmp_path)
    assert isinstance(end, Source)
    assert end.sha256 == hashlib.sha256(whole).hexdigest()
    assert [row.bytes for row in fetches] == [len(whole) - int(len(whole) * 0.3)]


def test_a_listed_checksum_is_compared(site: WebSite, tmp_path: Path):
    source = source_of(site.address + "/good0.mp4")
    right = hashlib.sha256(site.files["good0"]).hexdigest()
    assert outcome(download(replace(source, sha256=right), tmp_path)[0]) == "ok"
    end, fetches = download(replace(source, sha256="0" * 64), tmp_path)
    assert outcome(end) == "checksum_changed"
    assert fetches[-1].said == f"has sha256 {right[:12]}…, listed as 000000000000…"


def test_a_local_file_is_not_copied(tmp_path: Path):
    path = write_video(tmp_path / "a.mp4")
    source = source_of(str(path))
    end, fetches = download(source, tmp_path / "corpus")
    assert end == replace(source, sha256=hashlib.sha256(path.read_bytes()).hexdigest(), bytes=path.stat().st_size)
    assert fetches == []
    assert not (tmp_path / "corpus").exists()
    path.write_bytes(b"something else")
    assert outcome(download(source, tmp_path)[0]) == "checksum_changed"
    path.unlink()
    assert outcome(download(source, tmp_path)[0]) == "missing_file"


@pytest.mark.parametrize(
    ("said", "means"),
    [  # as yt-dlp 2026.10.26 and the sites behind it word them
        (
            "Sign in to confirm you’re not a bot. Use --cookies-from-browser or --cookies for the authentication",
            "bot_check",
        ),
        (
            (
                "Got HTTP Error 403 caused by Cloudflare anti-bot challenge; try again with --extractor-args"
                " generic:impersonate"
            ),
            "bot_check",
        ),
        ("Private video. Sign in if you've been granted access to this video", "private"),
        ("Sign in to confirm your age. This video may be inappropriate for some users. Use --cookies", "age_gated"),
        (
            "Join this channel to get access to members-only content like this video, and other exclusive perks.",
            "members_only",
        ),
        ("This video is available to this channel's members on level: Fan (or any higher level)", "members_only"),
        ("Video unavailable. This video has been removed by the uploader", "removed"),
        (
            (
                "Video unavailable. This video is no longer available because the YouTube account associated with this"
                " video has been terminated."
            ),
            "removed",
        ),
        ("Video unavailable. This video is not available", "removed"),
        ("Video unavailable", "removed"),
        ("Video unavailable. The uploader has not made this video available in your country", "geo_blocked"),
        ("This video is not available from your location due to geo restriction", "geo_blocked"),
        ("This live event will begin in 3 hours.", "live"),
        ("Premieres in 8 hours", "live"),
        ("This live stream recording is not available.", "live"),
        (
            (
                "Video unavailable. This content isn't available, try again later. Your account has been rate-limited"
                " by YouTube for up to an hour."
            ),
            "rate_limited",
        ),
        ("Unable to download webpage: HTTP Error 429: Too Many Requests", "rate_limited"),
        ("Unable to download webpage: HTTP Error 404: Not Found", "http_404"),
        ("unable to download video data: HTTP Error 403: Forbidden", "http_403"),
        ("Requested format is not available. Use --list-formats for a list of available formats", "format_missing"),
        ("This video is DRM protected", "drm"),
        ("This video is only available for registered users. Use --cookies", "login_required"),
        ("The read operation timed out", "timeout"),
        ("4096 bytes read, 8192 more expected", "truncated"),
        ("<urlopen error [Errno -3] Temporary failure in name resolution>", "unreachable"),
        ("something nobody has seen before", "tool_broken"),
    ],
)
def test_the_words_of_sites_have_their_meaning(said: str, means: str):
    assert meaning(said) == means


def test_a_youtube_address_goes_to_yt_dlp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HEADSET_PROXIES", "http://127.0.0.1:9")  # so that nothing leaves this machine
    end, fetches = download(source_of("yt:CPCoMyuBRM0"), tmp_path, replace(QUICK, tries=1))
    assert outcome(end) == "unreachable"
    assert fetches[0].tool.startswith("yt-dlp 20")
    assert fetches[0].address == "https://www.youtube.com/watch?v=CPCoMyuBRM0"
