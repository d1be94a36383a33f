"""The same faulty list through `DownloadVideo` and through video2dataset's downloader: false successes, and reasons
kept.

    python -m benchmarks.speed.downloads --peer /path/to/venv/bin/python

The peer's interpreter needs `pip install --no-deps video2dataset==1.3.0` and `pip install requests yt-dlp webvtt-py
ffmpeg-python`: its module `data_reader.py` is loaded by itself, unchanged, as its workers call it, since the whole
package needs torch 2.1. Without `--peer` only ours is run. The list is `tests/site.py`, served on 127.0.0.1, whose
truth is known; a fresh site for each.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import av
import av.error

from operators.base import Drop
from operators.sources.download_video import DownloadVideo
from pipeline.listing import list_sources
from tests.operators.sources.downloading import Holder
from tests.site import WebSite, serve
from tests.site_cases import CASES, Case

VERDICTS = ("good", "missed", "FALSE SUCCESS", "true reason", "other reason", "no reason", "other rule")
# Where a downloader may have another rule than ours and be right: how many redirects, one of two videos, pictures
# without sound.
OTHER_RULES = ("/moved/30", "/two.html", "/hls/silent.m3u8")
SECONDS = 0.7  # without a byte, for ours; video2dataset counts whole seconds
WALL_S = 25  # the site's stalls end after 30 s

PEER = """
import importlib.util, json, signal, sys, tempfile
found = importlib.util.find_spec("video2dataset").submodule_search_locations[0]
spec = importlib.util.spec_from_file_location("data_reader", found + "/data_reader.py")
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
reader = module.VideoDataReader({"video": "mp4"}, tempfile.mkdtemp(), {"timeout": 1, "yt_args": {}})
def too_long(*_):
    raise BaseException("stopped by the benchmark: no end after %d s" % limit)
signal.signal(signal.SIGALRM, too_long)
tell, limit = open(sys.argv[1], "w"), int(sys.argv[2])
for number, address in enumerate(json.load(sys.stdin)):
    signal.alarm(limit)
    try:
        _, streams, _, error = reader((number, address))
    except BaseException as end:
        streams, error = {}, str(end)
    signal.alarm(0)
    path = None
    if streams.get("video") is not None:
        path = tempfile.mkdtemp() + "/video"
        open(path, "wb").write(streams["video"])
    tell.write(json.dumps({"path": path, "error": error}) + "\\n")
    tell.flush()
"""


@dataclass(frozen=True)
class Told:
    """What a downloader says of an address."""

    path: Path | None  # of the file it calls a success
    reason: str  # what it says of a failure


def ours(site: WebSite, folder: Path) -> list[Told]:
    operator = DownloadVideo(
        tries=3,
        timeout_s=SECONDS,
        backoff_s=0.05,
        patience_s=3,
        gap_s=0,
        max_bytes=2**24,
        max_seconds=20,
        allow_private=True,
    )
    told = []
    for case in CASES:
        os.environ["HEADSET_CACHE"] = tempfile.mkdtemp(dir=folder)  # the 429 would stop all that comes after it
        (source,) = list_sources([site.of(case)]).sources
        *_, end = operator(source, Holder(folder, source))
        refused = isinstance(end, Drop)
        told.append(Told(None, f"{end.reason}: {end.detail}") if refused else Told(folder / getattr(end, "media"), ""))  # noqa: B009
    return told


def peer(python: str, site: WebSite, folder: Path) -> list[Told]:
    answers = folder / "peer.jsonl"
    command = [python, "-c", PEER, str(answers), str(WALL_S)]
    subprocess.run(
        command,
        input=json.dumps([site.of(case) for case in CASES]),
        text=True,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    told = [json.loads(line) for line in answers.read_text().splitlines()]
    return [Told(Path(one["path"]) if one["path"] else None, str(one["error"])) for one in told]


def judged(case: Case, told: Told, site: WebSite) -> str:
    """What a claim is worth, as one of `VERDICTS`."""
    if told.path and case.path in OTHER_RULES and plays(told.path):
        return "other rule"
    if told.path:
        right = told.path.read_bytes() == site.files[case.file] if case.file else plays(told.path, pictures=50)
        return "good" if case.outcome == "ok" and right else "FALSE SUCCESS"
    if case.outcome == "ok":
        return "missed"
    if told.reason in ("", "None"):
        return "no reason"
    return "true reason" if any(word in told.reason.lower() for word in signs(case)) else "other reason"


def signs(case: Case) -> list[str]:
    """Words, one of which a reason that helps must have."""
    known = {
        "timeout": ["timed out", "timeout"],
        "truncated": ["truncated", "incomplete", "more expected", "cut", "broken"],
        "rate_limited": ["429", "too many requests"],
        "not_a_video": ["not_a_video", "unsupported", "no video", "invalid data"],
        "too_many_redirects": ["redirect"],
        "too_large": ["large", "size"],
        "scheme_not_allowed": ["scheme", "adapter", "file:"],
        "not_an_address": ["invalid", "address"],
        "not_one_video": ["several", "one_video", "multiple"],
        "format_missing": ["format"],
    }
    return known.get(case.outcome, [case.outcome.removeprefix("http_")]) + ([case.said.lower()] if case.said else [])


def plays(path: Path, pictures: int = 0) -> bool:
    """Whether so many pictures come out, or any where 0. Sound is left aside: the peer is asked for pictures, for want
    of ffmpeg.
    """
    try:
        with av.open(str(path)) as container:
            found = sum(1 for _ in container.decode(video=0))
    except (av.error.FFmpegError, IndexError):
        return False
    return found == pictures if pictures else found > 0


def quoted(reason: str) -> str:
    return f"`{' '.join(reason.split())[:70]}`" if reason not in ("", "None") else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", help="the Python of an environment with video2dataset")
    options = parser.parse_args()
    columns: dict[str, list[str]] = {}
    words: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, work in (("headset", ours), ("video2dataset 1.3.0", lambda site, at: peer(options.peer, site, at))):
            if name != "headset" and not options.peer:
                continue
            at = Path(folder, hashlib.sha256(name.encode()).hexdigest()[:6])
            with serve(at / "site") as site:
                began = time.perf_counter()
                told = work(site, at)
                print(f"{name}: {len(told)} addresses in {time.perf_counter() - began:.0f} s", file=sys.stderr)
                columns[name] = [judged(case, one, site) for case, one in zip(CASES, told, strict=True)]
                words[name] = [one.reason for one in told]
    print("| address | truth | " + " | ".join(columns) + " |\n|---|---|" + "---|" * len(columns))
    for number, case in enumerate(CASES):
        cells = [f"{verdicts[number]} {quoted(words[name][number])}".strip() for name, verdicts in columns.items()]
        print(f"| {case.path[:32]} | {case.outcome} | " + " | ".join(cells) + " |")
    print("\n| | " + " | ".join(columns) + " |\n|---|" + "---|" * len(columns))
    for verdict in VERDICTS:
        print(f"| {verdict} | " + " | ".join(str(Counter(verdicts)[verdict]) for verdicts in columns.values()) + " |")


if __name__ == "__main__":
    main()
