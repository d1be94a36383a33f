"""Five hundred hostile files through the probe and both decoders: each ends as kept or with a typed drop, in bounded
time and memory.

    python -m benchmarks.reliability.hostile_files [--keep FOLDER]

Files are made on the spot, the same ones each time: films and sounds of ten containers cut off, with flipped bits, with
foreign headers, put one behind the other, renamed, with lengths, rates and sizes that lie, with codecs that nobody
knows; and what is no video at all: playlists, pages, pictures, archives, texts, noise. Each is looked at in a process
of its own, which may take `LIMIT_S`: a crash, a hang and an exception that is no `Drop` are told apart, and end the
command with exit status 1.
"""

import argparse
import json
import os
import random
import signal
import struct
import sys
import tempfile
import time
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from manifests.tables import Source
from operators.base import Drop
from operators.media.frames import VideoFrames
from operators.media.sound import SourceAudio
from operators.sources.probe_source import ProbeSource
from tests.made_videos import ramp, tone, write_audio, write_video

LIMIT_S = 60
HEARD_S = 600.0  # of a source's sound that is asked for
Made = tuple[str, str, bytes]  # what kind of hostility, the file's name, its content


@dataclass(frozen=True)
class Ended:
    """How a file ended: a word of `kept`, a drop's reason, or what went wrong in capitals."""

    outcome: str
    detail: str
    seconds: float
    peak_mb: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", metavar="FOLDER", type=Path, help="leave the files here, to look at them")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        ends: dict[str, list[Ended]] = defaultdict(list)
        wrong = []
        for number, (kind, name, content) in enumerate(_hostile(folder)):
            path = folder / f"{number:03}-{name}"
            path.write_bytes(content)
            ended = _looked_at(path)
            ends[kind].append(ended)
            if ended.outcome.isupper():
                wrong.append(f"{path.name}: {ended.outcome} {ended.detail}")
            if not options.keep:
                path.unlink()
    _print(ends)
    print(*wrong, sep="\n")
    return 1 if wrong else 0


def _print(ends: dict[str, list[Ended]]) -> None:
    print("| files | how many | end as | longest, s | most memory, MB |\n|---|---|---|---|---|")
    for kind, ended in [*ends.items(), ("all", [one for some in ends.values() for one in some])]:
        outcomes = ", ".join(
            f"{outcome} {count}" for outcome, count in Counter(one.outcome for one in ended).most_common()
        )
        print(
            f"| {kind} | {len(ended)} | {outcomes} | {max(one.seconds for one in ended):.1f} |"
            f" {max(one.peak_mb for one in ended):.0f} |"
        )
    bare = _in_child(lambda: "kept")
    print(f"\nA process that looks at nothing has {bare.peak_mb:.0f} MB. No more than {LIMIT_S} s are given to a file.")


def _looked_at(path: Path) -> Ended:
    return _in_child(lambda: _outcome(path))


def _in_child(look) -> Ended:
    """What a forked process says, how long it took and the most memory it held."""
    read, write = os.pipe()
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        os.close(read)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # what FFmpeg says of damage
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(LIMIT_S)
        try:
            said = ("", look())
        except Exception as error:  # noqa: BLE001 - to find those is what this is for
            said = (f"{type(error).__name__}: {error}"[:300], "UNTYPED")
        os.write(write, json.dumps(said).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        answer = pipe.read()
    _, status, used = os.wait4(child, 0)
    detail, outcome = json.loads(answer) if answer else ("", "")
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        outcome, detail = ("TIMED OUT", "") if number == signal.SIGALRM else ("CRASHED", signal.Signals(number).name)
    return Ended(outcome or "SILENT", detail, time.monotonic() - began, used.ru_maxrss / 1024)


def _outcome(path: Path) -> str:
    """Probes, then decodes all that the probe says is there, as operators do."""
    media: Any = SimpleNamespace(path=path, scratch=path.parent)
    try:
        [source] = ProbeSource(needs=())(Source("s", str(path)), media)
    except Drop as drop:
        return drop.reason
    assert isinstance(source, Source)
    try:
        if source.video_codec:
            for frame in VideoFrames(path):
                frame.gray(90)
                frame.crop(0, 0, frame.width, frame.height, (64, 64))
        if source.audio_codec:
            sound = SourceAudio(path, source.audio_track)
            sound.samples(sound.start_s, min(sound.end_s, sound.start_s + HEARD_S))
    except Drop as drop:
        return f"kept by the probe, then {drop.reason}"
    return "kept"


def _hostile(folder: Path) -> Iterator[Made]:
    good = _good(folder)
    chance = random.Random(20)
    for name, content in good.items():
        yield "whole", name, content
        for share in (0.0, 0.001, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.999):
            yield "cut off", name, content[: int(len(content) * share)]
        for flips in (1, 10, 100, 1000):
            for _ in range(3):
                yield "flipped bits", name, _flipped(content, flips, len(content), chance)
        for _ in range(6):
            yield "flipped bits in the first kilobyte", name, _flipped(content, 20, min(1024, len(content)), chance)
        for _ in range(2):
            at = chance.randrange(len(content))
            yield "a hole of zeros", name, content[:at] + bytes(min(4096, len(content) - at)) + content[at + 4096 :]
        other = chance.choice([one for one in good if one != name])
        yield "a foreign file behind", name, content + good[other]
        yield "a foreign file's end", name, content[: len(content) // 2] + good[other][len(good[other]) // 2 :]
        yield "twice", name, content + content
        yield "another's suffix", f"{Path(name).stem}{Path(other).suffix}", content
        yield "an upper box of 2**63 bytes", name, struct.pack(">I4sQ", 1, b"free", 2**63) + content
    yield from _lying(good, chance)
    yield from _no_videos(folder)


def _flipped(content: bytes, flips: int, within: int, chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(flips):
        changed[chance.randrange(within)] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _good(folder: Path) -> dict[str, bytes]:
    """A film of two seconds in each container, and sounds."""
    shots, sound = [(ramp(), 1.0), ("red", 1.0)], tone(2.0, 48000)
    kinds: list[tuple[str, str, str, dict]] = [
        ("a.mp4", "libx264", "aac", {}), ("fragments.mp4", "libx264", "aac", {"movflags": "frag_keyframe+empty_moov"}),
        ("a.mov", "libx264", "pcm_s16le", {}),
        ("a.mkv", "libx264", "aac", {}), ("a.webm", "libvpx", "libopus", {}), ("a.ts", "libx264", "aac", {}),
        ("a.avi", "mpeg4", "mp3", {}),
        ("a.flv", "flv1", "mp3", {}),
    ]  # fmt: skip
    made = {}
    for name, codec, audio_codec, options in kinds:
        hz = 44100 if name == "a.flv" else 48000
        path = write_video(
            folder / name,
            shots,
            codec=codec,
            audio=tone(2.0, hz) if hz != 48000 else sound,
            audio_hz=hz,
            audio_codec=audio_codec,
            options=options,
        )
        made[name] = path.read_bytes()
        path.unlink()
    for name, codec in (("a.wav", "pcm_s16le"), ("a.flac", "flac"), ("a.ogg", "libopus"), ("a.m4a", "aac")):
        path = write_audio(folder / name, np.stack([sound, -sound], 1), 48000, codec)
        made[name] = path.read_bytes()
        path.unlink()
    return made


def _lying(good: dict[str, bytes], chance: random.Random) -> Iterator[Made]:
    """Numbers in headers that nothing in the file bears out."""
    wav = good["a.wav"]
    at = wav.index(b"fmt ") + 12
    for hz in (0, 1, 7, 100, 3999, 2**31 - 1, 2**32 - 1):
        yield "a rate that lies", "a.wav", wav[:at] + struct.pack("<II", hz, min(4 * hz, 2**32 - 1)) + wav[at + 8 :]
    for size in (0, 1, 2**31 - 1, 0x7FFFF024, 2**32 - 1):
        yield "a length that lies", "a.wav", wav[:4] + struct.pack("<I", size) + wav[8:]
    for name in ("a.mp4", "a.mov", "fragments.mp4", "a.m4a"):
        content = good[name]
        for box, offset in (
            (b"mvhd", 12),
            (b"mvhd", 16),
            (b"mdhd", 12),
            (b"mdhd", 16),
            (b"tkhd", 76),
            (b"stsz", 12),
            (b"stts", 12),
            (b"stco", 12),
            (b"trun", 8),
        ):
            if (place := content.find(box)) >= 0:
                for value in (0, 1, 2**31 - 1, 2**32 - 1):
                    yield (
                        f"{box.decode()} that lies",
                        name,
                        content[: place + offset] + struct.pack(">I", value) + content[place + offset + 4 :],
                    )
        yield "a codec that nobody knows", name, content.replace(b"avc1", b"zzzz").replace(b"mp4a", b"yyyy")
    for name in ("a.mkv", "a.webm"):
        content = good[name]
        # width, height, duration, rate of samples, ticks
        for element in (b"\xb0", b"\xba", b"\x44\x89", b"\xb5", b"\x2a\xd7\xb1"):
            place = content.find(element)
            yield (
                "a Matroska number that lies",
                name,
                content[: place + len(element) + 1] + chance.randbytes(2) + content[place + len(element) + 3 :],
            )
        yield "a codec that nobody knows", name, content.replace(b"A_", b"Q_").replace(b"V_", b"W_")


def _no_videos(folder: Path) -> Iterator[Made]:
    from PIL import Image

    chance = np.random.default_rng(1)
    texts = {
        "list.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n/etc/hostname\n#EXT-X-ENDLIST\n",
        "list.mp4": "#EXTM3U\n#EXTINF:2,\nhttp://127.0.0.1:9/a.ts\n",
        "parts.mp4": "ffconcat version 1.0\nfile /etc/hostname\n",
        "a.mpd": (
            "<?xml version='1.0'?><MPD"
            " xmlns='urn:mpeg:dash:schema:mpd:2011'><Period><BaseURL>/etc/</BaseURL></Period></MPD>"
        ),
        "a.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n",
        "a.asx": "<asx version='3.0'><entry><ref href='file:///etc/hostname'/></entry></asx>",
        "a.pls": "[playlist]\nFile1=/etc/hostname\nNumberOfEntries=1\n",
        "page.mp4": "<!DOCTYPE html><title>404 Not Found</title>" * 40,
        "a.txt": "only some words\n" * 200,
        "a.json": json.dumps({"video": None}),
        "a.srt": "1\n00:00:01,000 --> 00:00:03,000\nhello\n\n",
        "a.ass": (
            "[Script Info]\nScriptType: v4.00+\n[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,hello\n"
        ),
        "a.y4m": "YUV4MPEG2 W64 H36 F25:1 C420jpeg\nFRAME\n" + "x" * 3456,
    }
    for name, text in texts.items():
        yield "a text", name, text.encode()
    for form in ("png", "jpeg", "gif", "bmp", "tiff", "webp"):
        path = folder / f"picture.{form}"
        Image.fromarray(ramp((64, 36))).save(path)
        yield "a picture", f"a.{form}", path.read_bytes()
        yield "a picture", "a.mp4", path.read_bytes()
        path.unlink()
    archive = folder / "a.zip"
    with zipfile.ZipFile(archive, "w") as written:
        written.writestr("a.mp4", b"words")
    yield "an archive", "a.mp4", archive.read_bytes()
    archive.unlink()
    for name, content in (
        ("zeros", bytes(100_000)),
        ("ones", b"\xff" * 100_000),
        ("one-byte", b"\0"),
        ("noise", chance.bytes(300_000)),
    ):
        for suffix in (".mp4", ".mkv", ".ts", ".mp3", ".wav"):
            yield "noise", f"{name}{suffix}", content
    for head in (
        b"\x1a\x45\xdf\xa3",
        b"RIFF\xff\xff\xff\xffWAVE",
        b"OggS",
        b"FLV\x01\x05",
        b"\0\0\0\x18ftypisom",
        b"\x47",
        b"fLaC",
        b"ID3\x04",
        b"\xff\xfb\x90",
    ):
        yield "a known head and noise", "a.mp4", head + chance.bytes(50_000)


if __name__ == "__main__":
    sys.exit(main())
