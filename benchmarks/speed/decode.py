"""Which reader decodes: PyAV, torchcodec or decord, on odd files and for speed. Prints the tables of
docs/measured/decode.md.

Run `HEADSET_MEDIA=<folder> python -m benchmarks.speed.decode [odd] [speed]`. Each reader works in a process of its own,
so that a native crash is a row of the table. torchcodec needs FFmpeg's shared libraries on `LD_LIBRARY_PATH`.
"""

import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path
from typing import Any

import av
import numpy as np

from operators.base import Drop, every
from operators.media.frames import SourceFrame, VideoFrames

READERS = ("PyAV", "torchcodec", "decord")
THUMB = 16
SMALL = 360  # lines
LIMIT_S = 300


def main(parts: list[str]) -> None:
    root = Path(os.environ["HEADSET_MEDIA"])
    versions = ", ".join(f"{name} {version(name.lower())}" for name in ("av", "torchcodec", "decord"))
    print(
        f"{time.strftime('%Y-%m-%d')}; {versions}; Python {platform.python_version()}; {os.cpu_count()} cores, no GPU"
        " used.\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        made = _made(Path(folder), root)
        if "odd" in parts:
            _print_odd(root, made[:-1])
        if "speed" in parts:
            _print_speed(root, made[-1])


def _print_odd(root: Path, made: list[Path]) -> None:
    print("## Odd files\n\n| file | truth | " + " | ".join(READERS) + " |\n|---|---|---|---|---|")
    real = [
        *sorted((root / "odd").iterdir()),
        root / "negative/pyfeat_no_face.mp4",
        root / "negative/pyfeat_face_noface.mov",
    ]
    for path in [*real, root / "hdtf/hdtf_RD_Radio10_0_clip_0.mp4", *made]:
        truth = _truth(path)
        cells = [_verdict(_in_process(reader, "look", path), truth) for reader in READERS]
        print(
            f"| {path.name} | {truth['frames']} from {truth['first']:.3f} to {truth['last']:.3f} s | "
            + " | ".join(cells)
            + " |",
            flush=True,
        )


def _print_speed(root: Path, render: Path) -> None:
    print("\n## CPU ms a frame, one thread, best of three\n\n| | " + " | ".join(READERS) + " |\n|---|---|---|---|")
    for path in (root / "single/headpose_31.mp4", root / "single/wav2lipgfpgan_kim_7s_raw.mp4"):
        for task in ("full", "luma", "small", "sparse"):
            _row(path, task)
    for task in ("random", "batch"):
        _row(render, task)


def _row(path: Path, task: str) -> None:
    what = {
        "full": "every frame, RGB",
        "luma": "every frame, luma",
        "small": f"every frame, RGB of {SMALL} lines",
        "sparse": f"5 a second, RGB of {SMALL} lines, per frame of the file",
        "random": "20 frames at random, one after another, per frame got",
        "batch": "20 frames at random, asked for at once, per frame got",
    }[task]
    cells = []
    for reader in READERS:
        run = _in_process(reader, task, path)
        cells.append(f"{run['ms']:.2f}" if "ms" in run else run["error"])
    with av.open(str(path)) as container:
        size = f"{container.streams.video[0].width}x{container.streams.video[0].height}"
    print(f"| {size}: {what} | " + " | ".join(cells) + " |", flush=True)


def _in_process(reader: str, task: str, path: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.speed.decode", reader, task, str(path)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=LIMIT_S, env={**os.environ, "OMP_NUM_THREADS": "1"}
        )
    except subprocess.TimeoutExpired:
        return {"error": f"no answer in {LIMIT_S} s"}
    if done.returncode < 0:
        return {"error": f"died of signal {-done.returncode}"}
    if done.returncode:
        return {"error": _short(done.stderr)}
    return json.loads(done.stdout.splitlines()[-1])


def _truth(path: Path) -> dict[str, Any]:
    """What the packets say: those a player shows, and when."""
    with av.open(str(path)) as container:
        stream = container.streams.best("video")
        assert isinstance(stream, av.VideoStream)
        shown = [packet for packet in container.demux(stream) if packet.size and not packet.is_discard]
        times = sorted(float(packet.pts * packet.time_base) for packet in shown if packet.pts is not None)
    frame = next(iter(VideoFrames(path)))
    return {
        "frames": len(shown),
        "first": times[0],
        "last": times[-1],
        "size": [frame.width, frame.height],
        "thumb": _thumb(frame.rgb()),
    }


def _verdict(seen: dict[str, Any], truth: dict[str, Any]) -> str:
    if "error" in seen and "frames" not in seen:
        return "**" + seen["error"].replace("|", "/") + "**"
    wrong = []
    if seen["frames"] != truth["frames"]:
        wrong.append(f"{seen['frames']} frames")
    if abs(seen["first"] - truth["first"]) > 0.002:
        wrong.append(f"first at {seen['first']:.3f} s")
    if abs(seen["last"] - truth["last"]) > 0.002:
        wrong.append(f"last at {seen['last']:.3f} s")
    if seen["size"] != truth["size"]:
        wrong.append("x".join(map(str, seen["size"])))
    elif (off := float(np.abs(np.array(seen["thumb"]) - np.array(truth["thumb"])).mean())) > 2:
        wrong.append(f"picture off by {off:.0f}")
    if "error" in seen:
        wrong.append(seen["error"].replace("|", "/"))
    return "**" + ", ".join(wrong) + "**" if wrong else "right"


def _made(folder: Path, root: Path) -> list[Path]:
    """A transport stream, a 10-bit and a truncated file, and, last, a clip as this project encodes them."""
    from tests.made_videos import ramp, truncated, write_video

    shots = [(ramp(), 1.0), ("red", 1.0)]
    frames = list(VideoFrames(root / "single/headpose_31.mp4"))
    pictures = {round(frame.pts_s, 3): frame.crop(384, 100, 896, 612, (512, 512)) for frame in frames}
    return [
        write_video(folder / "made_transport_stream.ts", shots),
        write_video(folder / "made_10_bit.mp4", shots, pixel_format="yuv420p10le", codec="libx265"),
        truncated(
            write_video(folder / "w.mp4", shots, options={"movflags": "faststart"}, crf=1),
            folder / "made_truncated.mp4",
            0.6,
        ),
        write_video(
            folder / "render.mp4",
            [(lambda time_s: pictures[round(time_s, 3)], len(frames) / 25)],
            size=(512, 512),
            keyframe_every=25,
        ),
    ]


def _thumb(picture: np.ndarray) -> list:
    rows = np.linspace(0, picture.shape[0] - 1, THUMB).astype(int)
    columns = np.linspace(0, picture.shape[1] - 1, THUMB).astype(int)
    return picture[rows][:, columns].tolist()


def _work(reader: str, task: str, path: Path) -> dict[str, Any]:
    if task == "look":
        return _look({"PyAV": _pyav, "torchcodec": _torchcodec, "decord": _decord}[reader](path))
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        count, rate, size = stream.frames, float(stream.average_rate or Fraction(25)), (stream.width, stream.height)
    wanted = np.random.default_rng(0).permutation(count)[:20].tolist()
    run = _tasks(reader, path, wanted, rate, size).get(task)
    if run is None:
        return {"error": "-"}
    took_s = []
    for _ in range(3):
        began = time.process_time()
        run()
        took_s.append(time.process_time() - began)
    return {"ms": min(took_s) * 1000 / (20 if task in ("random", "batch") else count)}


def _look(frames: Iterator[tuple[float, Callable[[], np.ndarray]]]) -> dict[str, Any]:
    seen: dict[str, Any] = {"frames": 0}
    try:
        for pts_s, picture in frames:
            if seen["frames"] == 0:
                first = picture()
                seen |= {"first": pts_s, "size": [first.shape[1], first.shape[0]], "thumb": _thumb(first)}
            seen["frames"] += 1
            seen["last"] = pts_s
    except (Drop, RuntimeError, ValueError, IndexError, StopIteration) as error:
        seen["error"] = f"{type(error).__name__}: {_short(str(error))}"
    return seen if seen["frames"] else {"error": seen.get("error", "no frame")}


def _short(text: str) -> str:
    """What an error says, without the place in its source."""
    said = [
        line for line in text.strip().splitlines() if line.strip() and not line.strip().startswith(("File ", "[bt]"))
    ] or ["no text"]
    return (
        re.sub(r"^.*?\.(cc|cpp):\d+:?", "", said[0] if len(said) > 1 and "DECORD" not in text else said[-1]).strip()
        or said[0]
    )[:90]


def _pyav(path: Path):
    for frame in VideoFrames(path):
        yield frame.pts_s, frame.rgb


def _torchcodec(path: Path):
    from torchcodec.decoders import VideoDecoder  # pyright: ignore[reportPrivateImportUsage]

    decoder = VideoDecoder(str(path), num_ffmpeg_threads=1)
    for n in range(len(decoder)):
        frame = decoder.get_frame_at(n)
        yield frame.pts_seconds, lambda frame=frame: frame.data.permute(1, 2, 0).numpy()


def _decord(path: Path):
    import decord

    reader = decord.VideoReader(str(path), num_threads=1)
    for n in range(len(reader)):
        picture = reader[n]
        yield float(reader.get_frame_timestamp(n)[0]), lambda picture=picture: picture.asnumpy()


def _tasks(
    reader: str, path: Path, wanted: list[int], rate: float, size: tuple[int, int]
) -> dict[str, Callable[[], Any]]:
    small = round(size[0] * SMALL / size[1]), SMALL
    count_sparse = round(rate / 5)
    if reader == "PyAV":

        def all_of(look: Callable[[SourceFrame], Any]) -> Callable[[], Any]:
            return lambda: [look(frame) and None for frame in VideoFrames(path)]

        def at(numbers: list[int]) -> None:
            for n in numbers:
                next(iter(VideoFrames(path, (n - 0.5) / rate, (n + 0.5) / rate))).rgb()

        return {
            "full": all_of(lambda frame: frame.rgb().size),
            "luma": all_of(lambda frame: frame.gray().size),
            "small": all_of(lambda frame: frame.rgb(SMALL).size),
            "sparse": lambda: [frame.rgb(SMALL).size for frame in every(VideoFrames(path), 5)],
            "random": lambda: at(wanted),
        }
    if reader == "torchcodec":
        from torchcodec.decoders import VideoDecoder  # pyright: ignore[reportPrivateImportUsage]
        from torchcodec.transforms import Resize  # pyright: ignore[reportPrivateImportUsage]

        def decoder(**options) -> VideoDecoder:
            return VideoDecoder(str(path), num_ffmpeg_threads=1, **options)

        def pick(numbers: Callable[[int], Iterable[int]], **options) -> None:
            video = decoder(**options)
            for n in numbers(len(video)):
                video.get_frame_at(n)

        resized = {"transforms": [Resize((small[1], small[0]))]}
        return {
            "full": lambda: pick(range),
            "small": lambda: pick(range, **resized),
            "sparse": lambda: pick(lambda count: range(0, count, count_sparse), **resized),
            "random": lambda: pick(lambda count: wanted),
            "batch": lambda: decoder().get_frames_at(wanted).data.shape,
        }
    import decord

    def opened(**options) -> Any:
        return decord.VideoReader(str(path), num_threads=1, **options)

    def one_by_one(numbers: Callable[[int], Iterable[int]], **options) -> None:
        video = opened(**options)
        for n in numbers(len(video)):
            video[n].asnumpy()

    little = {"width": small[0], "height": small[1]}
    return {
        "full": lambda: one_by_one(range),
        "small": lambda: one_by_one(range, **little),
        "sparse": lambda: one_by_one(lambda count: range(0, count, count_sparse), **little),
        "random": lambda: one_by_one(lambda count: wanted),
        "batch": lambda: opened().get_batch(wanted).asnumpy().shape,
    }


if __name__ == "__main__":
    if len(sys.argv) == 4:
        print(json.dumps(_work(sys.argv[1], sys.argv[2], Path(sys.argv[3]))))
    else:
        main(sys.argv[1:] or ["odd", "speed"])
