"""Videos on pages, by yt-dlp: any site it knows, YouTube among them, and pages with a `<video>` or an HLS playlist."""

import hashlib
import io
import json
import optparse
import os
import re
import shlex
from collections.abc import Callable
from functools import cache, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from operators.base import Drop
from operators.media.containers import join
from operators.media.headers import is_page
from operators.sources.guard import Guard
from operators.sources.outcomes import Got, Meter, NotFetched, meaning

BY_PAGE = f"yt-dlp {version('yt-dlp')}"

# Options of yt-dlp that a user may set: those about who asks and how, none about what is kept, where, or run, and none
# that starts threads, in which addresses would not be checked.
USER_OPTIONS = frozenset(
    [
        *[
            "cookiefile",
            "cookiesfrombrowser",
            "usenetrc",
            "netrc_location",
            "username",
            "password",
            "videopassword",
            "http_headers",
            "impersonate",
        ],
        *["sleep_interval", "max_sleep_interval", "sleep_interval_requests", "throttledratelimit", "http_chunk_size"],
        *[
            "js_runtimes",
            "remote_components",
            "extractor_args",
            "source_address",
            "geo_bypass",
            "geo_bypass_country",
            "geo_verification_proxy",
        ],
        *["nocheckcertificate", "legacyserverconnect", "client_certificate", "client_certificate_key"],
    ]
)
# Formats that yt-dlp downloads by itself, in its words: what another program would download, nobody guards.
NATIVE = "[protocol~='^(https?|m3u8(_native)?|f4m|ism|http_dash_segments(_generator)?)$']"
OURS = {
    "retries": 0,
    "fragment_retries": 2,
    "extractor_retries": 0,
    "file_access_retries": 0,
    "skip_unavailable_fragments": False,  # a hole in the middle is no success
    "noplaylist": True,
    "playlist_items": "1:2",
    "hls_prefer_native": True,
    "ffmpeg_location": "/nonexistent",  # it would ask for addresses that nobody checks
    "fixup": "never",
    "cachedir": False,
    "updatetime": False,
    "color": "no_color",
    "quiet": True,
    "noprogress": True,
}


def fetch_page(
    address: str,
    scratch: Path,
    meter: Meter,
    *,
    guard: Guard,
    choice: dict[str, Any],
    wanted: Callable[[dict[str, Any]], None],
    title: str = "",
) -> Got:
    """The one video of a page, its streams put into one file.

    Args:
        choice: options of yt-dlp that choose the format, and those of this attempt.
        wanted: raises `NotFetched` for a video that is not, before it is downloaded.
        title: the page's own, for telling what came instead of a video.

    Raises:
        NotFetched, AddressRefused
    """
    from yt_dlp.utils import DownloadError, UnsupportedError, YoutubeDLError

    from operators.sources.page_reader import PageReader

    log = _Log()
    options: Any = {
        **user_options(),
        **OURS,
        **choice,
        "logger": log,
        "progress_hooks": [lambda told: meter.at(int(told.get("downloaded_bytes") or 0))],
    }
    try:
        with PageReader(options, guard, meter.max_bytes) as ydl, guard.computing():
            info = _only_one(ydl.extract_info(address, download=False))
            wanted(info)
            parts = [_stream(ydl, info, one, scratch, log) for one in info.get("requested_formats") or [info]]
    except YoutubeDLError as error:
        if isinstance(error, DownloadError) and error.exc_info and isinstance(error.exc_info[1], UnsupportedError):
            raise NotFetched("not_a_video", f"a page without a video: {title}".rstrip(": "), address=address) from None
        said = re.sub(r"^\s*(ERROR: )?(\[[^\]]+\] )?([\w-]+: )?", "", str(error))
        said = re.split(r"; please report this issue|\. Confirm you are on the latest|\(caused by", said)[0].strip()
        raise NotFetched(meaning(said), said, address=address) from None
    try:
        path = parts[0] if len(parts) == 1 else join(parts[0], parts[1], scratch / "joined")
    except Drop as no:
        raise NotFetched(no.reason, no.detail, address=address) from None
    if is_page(path):
        # The page called itself a video, and yt-dlp believed it.
        raise NotFetched("not_a_video", f"a page without a video: {title}".rstrip(": "), address=address)
    return Got(
        path, info.get("webpage_url") or address, f"{BY_PAGE} {info.get('extractor_key', '')}".strip(), _told(info)
    )


def _told(info: dict[str, Any]) -> dict[str, str]:
    """What a page says of its video, as text that fits a table."""
    facts = {
        "title": info.get("title"),
        "channel": info.get("channel") or info.get("uploader"),
        "uploaded_on": re.sub(r"^(\d{4})(\d\d)(\d\d)$", r"\1-\2-\3", info.get("upload_date") or ""),
        "language": info.get("language"),
        "licence": info.get("license"),
        "description": info.get("description"),
    }
    # Half a surrogate pair fits no table.
    return {name: str(value).encode(errors="replace").decode() for name, value in facts.items() if value}


@lru_cache(maxsize=1024)
def has_extractor(address: str) -> bool:
    """Whether yt-dlp knows the site by name, and not only how to search a page."""
    from yt_dlp.extractor import gen_extractor_classes

    return any(extractor.suitable(address) and extractor.ie_key() != "Generic" for extractor in gen_extractor_classes())


def _only_one(info: Any) -> dict[str, Any]:
    if info and info.get("_type") == "playlist":
        entries = [entry for entry in info.get("entries") or [] if entry]
        if len(entries) > 1:
            raise NotFetched("not_one_video", "several videos at one address: list them one by one")
        info = entries[0] if entries else None
    if not info:
        raise NotFetched("not_a_video", "a page without a video")
    if (status := info.get("live_status")) in ("is_live", "is_upcoming", "post_live"):
        raise NotFetched("live", str(status).replace("_", " "))
    return info


def _stream(ydl: Any, info: dict[str, Any], one: dict[str, Any], scratch: Path, log: "_Log") -> Path:
    """One format of a video, in a file of its own name, so that another choice never goes on with its bytes."""
    what = json.dumps(
        [one.get(key) for key in ("format_id", "protocol", "filesize", "tbr", "vcodec", "acodec", "width", "height")]
    )
    path = scratch / f"stream-{hashlib.sha256(what.encode()).hexdigest()[:12]}"
    if not path.is_file():
        done, _ = ydl.download_format(
            str(path), {**{key: value for key, value in info.items() if key != "requested_formats"}, **one}
        )
        if not done or not path.is_file():
            said = "; ".join(log.said[-2:])
            raise NotFetched(meaning(said) if said else "truncated", said)
    size = path.stat().st_size
    if size < (one.get("filesize") or 0):
        path.unlink()
        raise NotFetched("truncated", f"{size} of {one['filesize']} bytes came")
    return path


def user_options() -> dict[str, Any]:
    """The user's own, out of `HEADSET_YTDLP`, in yt-dlp's words.

    Raises:
        ValueError: for options that yt-dlp does not know, that are not the user's to set, or a cookies file that does
            not exist.
    """
    words = os.environ.get("HEADSET_YTDLP", "")
    options = dict(_parsed(words)) if words else {}
    if "cookiefile" in options:
        # yt-dlp writes its cookies back when it is done: many processes at once would spoil the file.
        path = Path(options["cookiefile"]).expanduser()
        if not path.is_file():
            raise ValueError("HEADSET_YTDLP: the file of --cookies does not exist")
        options["cookiefile"] = io.StringIO(path.read_text())
    return options


@cache
def _parsed(words: str) -> dict[str, Any]:
    import yt_dlp

    try:
        asked, usual = (yt_dlp.parse_options(one).ydl_opts for one in (shlex.split(words), []))
    except (optparse.OptParseError, SystemExit):
        raise ValueError("HEADSET_YTDLP holds an option that yt-dlp does not know; try it with yt-dlp itself") from None
    changed = {key for key, value in asked.items() if value != usual.get(key)}
    if refused := changed - USER_OPTIONS:
        raise ValueError(
            f"HEADSET_YTDLP: {', '.join(sorted(refused))} cannot be set here; what is kept and how is the recipe's"
        )
    return {key: asked[key] for key in changed}


class _Log:
    """What yt-dlp says, kept instead of printed."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def debug(self, message: str) -> None:
        pass

    def warning(self, message: str) -> None:
        self.said.append(message)

    def error(self, message: str) -> None:
        self.said.append(message)
