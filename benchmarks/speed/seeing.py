"""Shots, faces five times a second, and the quality of the faces: what it costs, beside the floor and beside
data-juicer.

    HEADSET_MEDIA=... python -m benchmarks.speed.seeing [--peer /path/to/venv/bin/python] [--minutes 1] [--repeats 3]

The floor is one decode of the source and the models' own time: the detectors on the very pictures they were given, kept
and given again. Every figure is the processor time of a process, with its children, on a long file less that on a short
one, so that start-up and loading cancel out; the least of some repeats, taken in turns, since other work on the machine
only adds.

The peer's environment: `pip install py-data-juicer==1.6.1 scenedetect==0.6.7.1 opencv-contrib-python-headless
dlib-bin==20.0.1.post1 imageio-ffmpeg av aiohttp`. Its operators: video_split_by_scene_mapper (scenedetect's adaptive
detector) and video_face_ratio_filter (dlib, every frame that makes five a second); it has no measure of a face's
quality, so it does less. One process, op_fusion on. What both say of some films is printed first.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.speed.curate import repeated
from manifests.manifest import Manifest
from manifests.tables import Face, Shot
from operators.faces.detect_faces import DetectFaces
from operators.faces.measure_faces import MeasureFaces
from operators.media.frames import VideoFrames
from operators.shots.detect_shots import DetectShots
from operators.sources.download_video import DownloadVideo
from operators.sources.probe_source import ProbeSource
from pipeline.engine.alone import work
from pipeline.engine.worker import WORKER_ENVIRONMENT
from pipeline.listing import list_sources
from pipeline.recipe import Recipe, Stage

RATE_HZ = 5
SHORT_S = 3.0
RECIPE = Recipe(
    "seeing",
    "shots, faces and their quality",
    (
        Stage(DownloadVideo()),
        Stage(ProbeSource()),
        Stage(DetectShots(), DetectFaces(rate_hz=RATE_HZ), MeasureFaces(rate_hz=RATE_HZ)),
    ),
)
SOURCES = {"720p": ("single/headpose_31.mp4", 25), "1080p": ("single/wav2lipgfpgan_kim_7s_raw.mp4", 30)}
COMPARED = (
    "multi/avi_testvideo.mp4", "multi/avi_billhyland.mp4", "multi/hamilton_short_clip.mp4", "single/headpose_31.mp4",
    "negative/panda_aCx99cgrkVY.22.mp4", "negative/pyfeat_no_face.mp4", "negative/facenet_crowd_video.mp4",
)  # fmt: skip
PEER_OPS = {
    "shots": {"video_split_by_scene_mapper": {"detector": "AdaptiveDetector", "threshold": 3.0, "min_scene_len": 15}},
    "faces": {"video_face_ratio_filter": {"threshold": 0.0}},
}


class Spent(NamedTuple):
    """What a process and its children took."""

    cpu_s: float
    peak_mb: float  # of the largest of them
    said: dict[str, Any]


def spent(command: list[str], **environment: str) -> Spent:
    """Runs a command, whose last line may be JSON.

    Raises:
        subprocess.CalledProcessError: with what it printed.
    """
    with tempfile.TemporaryFile("w+") as printed:
        process = subprocess.Popen(
            command, stdout=printed, stderr=subprocess.STDOUT, env={**os.environ, **WORKER_ENVIRONMENT, **environment}
        )
        _, status, usage = os.wait4(process.pid, 0)
        printed.seek(0)
        text = printed.read()
    if status:
        raise subprocess.CalledProcessError(status, command, text)
    last = (text.splitlines() or [""])[-1]
    return Spent(
        usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, json.loads(last) if last.startswith("{") else {}
    )


def seen(path: str, out: str) -> Manifest:
    """The corpus of one file, made in this process."""
    manifest = Manifest(out)
    manifest.add(list_sources([path]).sources)
    plan = RECIPE.plan()
    manifest.remember(plan.record())
    work(plan, manifest)
    return manifest


def decoded(path: str) -> None:
    for _ in VideoFrames(Path(path)):
        pass


def models_again(path: str, out: str) -> float:
    """CPU seconds of the detectors' calls, made once more on the pictures of a run."""
    from mediapipe.tasks.python.vision import FaceDetector

    calls: list[tuple[Any, Any]] = []
    original = FaceDetector.detect

    def kept(self: Any, image: Any, *rest: Any) -> Any:
        calls.append((self, image))
        return original(self, image, *rest)

    FaceDetector.detect = kept
    seen(path, out)
    began = time.process_time()
    for detector, image in calls:
        original(detector, image)
    return time.process_time() - began


def peer_command(peer: str, videos: list[str], ops: list[str], fps: float, folder: Path) -> tuple[list[str], Path]:
    """A job of data-juicer over some videos, and the file it will write."""
    folder.mkdir(parents=True)
    process = []
    for op in ops:
        name, options = next(iter(PEER_OPS[op].items()))
        more = (
            {"detect_interval": round(fps / RATE_HZ)}
            if op == "faces"
            else {"save_dir": str(folder / "split")}
            if op == "shots"
            else {}
        )
        process.append({name: options | more})
    (folder / "in.jsonl").write_text(
        "".join(json.dumps({"videos": [video], "text": "<__dj__video>"}) + "\n" for video in videos)
    )
    job = {
        "project_name": "seeing", "dataset_path": str(folder / "in.jsonl"), "export_path": str(folder / "out.jsonl"),
        "np": 1, "op_fusion": True, "fusion_strategy": "greedy", "open_tracer": False, "use_cache": False,
        "keep_stats_in_res_ds": True, "process": process,
    }  # fmt: skip
    (folder / "job.yaml").write_text(json.dumps(job))  # JSON is YAML
    return [str(Path(peer).parent / "dj-process"), "--config", str(folder / "job.yaml")], folder / "out.jsonl"


def peer_path(peer: str, folder: Path) -> str:
    """A PATH on which the peer finds the ffmpeg that its environment holds."""
    found = subprocess.run(
        [peer, "-c", "import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    folder.mkdir()
    (folder / "ffmpeg").symlink_to(found)
    return f"{folder}:{os.environ['PATH']}"


def compare(peer: str, path: str, media: Path, folder: Path) -> None:
    print("| film | shots | data-juicer's | looks with a face | data-juicer's |\n|---|---|---|---|---|")
    for number, name in enumerate(COMPARED):
        manifest = seen(str(media / name), str(folder / f"compared-{number}"))
        shots, looks = manifest.table(Shot).to_pylist(), manifest.table(Face).to_pylist()
        share = sum(bool(look["left_px"]) for look in looks) / len(looks)
        fps = frame_rate(media / name)
        command, made = peer_command(peer, [str(media / name)], ["faces", "shots"], fps, folder / f"peer-{number}")
        spent(command, PATH=path, HF_HUB_OFFLINE="1")
        told = json.loads(made.read_text().splitlines()[0])
        print(
            f"| {Path(name).stem} | {len(shots)} | {len(told['videos'])} | {share:.0%} |"
            f" {told['__dj__stats__']['video_face_exist'][0]:.0%} |"
        )


def frame_rate(path: Path) -> float:
    import av

    with av.open(str(path)) as container:
        return float(container.streams.video[0].average_rate or RATE_HZ)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", help="the interpreter of an environment with data-juicer")
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--alone", nargs=3, metavar=("PART", "FILE", "OUT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        part, file, out = options.alone
        if part == "ours":
            seen(file, out)
        elif part == "decode":
            decoded(file)
        print(json.dumps({"models_s": models_again(file, out)} if part == "models" else {}))
        return
    if "HEADSET_MEDIA" not in os.environ:
        sys.exit(f"set HEADSET_MEDIA to a folder that holds {', '.join(name for name, _ in SOURCES.values())}")
    media = Path(os.environ["HEADSET_MEDIA"])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = peer_path(options.peer, folder / "bin") if options.peer else ""
        if options.peer:
            compare(options.peer, path, media, folder)
        for size, (source, fps) in SOURCES.items():
            measure(size, media / source, fps, options, folder / size, path)


def measure(size: str, source: Path, fps: float, options: argparse.Namespace, folder: Path, path: str) -> None:
    folder.mkdir()
    files = [
        str(repeated(source, folder / f"{seconds:g}.mp4", seconds))
        for seconds in (SHORT_S, SHORT_S + 60 * options.minutes)
    ]

    def more(*parts: tuple[Callable[[str, str], Spent], Callable[[Spent], float]]) -> list[tuple[float, float]]:
        """What the long file takes more than the short one, a minute, and the peak memory of the long one; for each
        part.
        """
        taken: list[list[tuple[float, float, float]]] = [[] for _ in parts]
        for _ in range(options.repeats):
            for (what, of), found in zip(parts, taken, strict=True):
                short, long = (what(file, str(folder / f"out-{time.monotonic_ns()}")) for file in files)
                found.append((of(short), of(long), long.peak_mb))
        least = ([min(column) for column in zip(*found, strict=True)] for found in taken)
        return [((long - short) / options.minutes, peak_mb) for short, long, peak_mb in least]

    def alone(part: str) -> Callable[[str, str], Spent]:
        return lambda file, out: spent([sys.executable, "-m", "benchmarks.speed.seeing", "--alone", part, file, out])

    def cpu_s(one: Spent) -> float:
        return one.cpu_s

    (decode_s, _), (models_s, _), (ours_s, ours_mb) = more(
        (alone("decode"), cpu_s), (alone("models"), lambda one: one.said["models_s"]), (alone("ours"), cpu_s)
    )
    print(
        f"\n{size} ({source.stem}), CPU seconds a minute; peak memory of the process\n\n| | CPU s | MB |\n|---|---|---|"
    )
    print(
        f"| one decode | {decode_s:.2f} | |\n| the detectors themselves | {models_s:.2f} | |\n| headset | {ours_s:.2f}"
        f" | {ours_mb:.0f} |"
    )
    if options.peer:
        for ops in (["shots"], ["faces"], ["faces", "shots"]):

            def peer(file: str, out: str, ops: list[str] = ops) -> Spent:
                command, _ = peer_command(options.peer, [file], ops, fps, Path(out))
                return spent(command, PATH=path, HF_HUB_OFFLINE="1")

            ((peer_s, peer_mb),) = more((peer, cpu_s))
            print(f"| data-juicer: {', '.join(ops)} | {peer_s:.2f} | {peer_mb:.0f} |", flush=True)
    print(
        f"\nfloor {decode_s + models_s:.2f}, headset {ours_s:.2f}: ratio {ours_s / (decode_s + models_s):.2f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
