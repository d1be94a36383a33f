"""What the talking_head recipe costs, by operator, beside the floor: one decode, the models' own time, the encode of
survivors.

    HEADSET_MEDIA=... python -m benchmarks.speed.curate                    one minute of 720p, CPU seconds
    HEADSET_MEDIA=... python -m benchmarks.speed.curate --of slides        a minute of something else, see MINUTES
    HEADSET_MEDIA=... python -m benchmarks.speed.curate --memory 1 30      peak memory of each stage, for 1 and 30
                                                                           minutes

Every stage runs in a process of its own, as in a run, but without Ray. MediaPipe computes in threads of its own: what
they took is charged to the operators that called it, by how long they waited. Of the 12.5 looks a second of
`LandmarkFaces` the floor counts the 5 that pose and gaze need: that a mouth moves with its sound could be told by a
network that has to run anyhow.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from manifests.manifest import Manifest
from manifests.tables import Render
from operators.base import Operator
from operators.media.containers import join
from operators.media.frames import VideoFrames
from operators.media.sound import SourceAudio
from pipeline.engine.alone import work
from pipeline.engine.worker import WORKER_ENVIRONMENT
from pipeline.listing import list_sources
from pipeline.recipe import recipe_named
from tests.made_videos import write_video


def repeated(source: Path, to: Path, seconds: float) -> Path:
    """The packets of a file, again and again, until there are this many seconds."""
    with av.open(str(to), "w") as out:
        base, streams = 0.0, {}
        while base < seconds:
            with av.open(str(source)) as container:
                chosen = [container.streams.video[0], container.streams.audio[0]]
                for stream in chosen:
                    if stream.type not in streams:
                        streams[stream.type] = out.add_stream_from_template(stream)
                length = 0.0
                for packet in container.demux(chosen):
                    if packet.dts is None or packet.pts is None:
                        continue
                    time_base = packet.time_base
                    at, shift = float(packet.pts * time_base), round(base / time_base)
                    if base + at >= seconds:
                        continue
                    length = max(length, at + float((packet.duration or 0) * time_base))
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    packet.stream = streams[packet.stream.type]
                    out.mux(packet)
            base += length
    return to


def talking(folder: Path, seconds: float) -> Path:
    """One person who talks, 1280 x 720: all of it becomes clips."""
    return repeated(MEDIA / "single" / "headpose_31.mp4", folder / "talking.mp4", seconds)


def two(folder: Path, seconds: float) -> Path:
    """Two people who talk in turn, 854 x 480."""
    return repeated(MEDIA / "multi" / "avi_billhyland.mp4", folder / "two.mp4", seconds)


def landscape(folder: Path, seconds: float) -> Path:
    """A picture without a face that moves, 1280 x 720, and a voice over it."""
    y, x = np.mgrid[:720, :1680]
    hills = np.stack([90 + 60 * np.sin(x / 90) + y / 12, 120 + 40 * np.cos(x / 140 + y / 70), 200 - y / 6], axis=2)
    hills += np.random.default_rng(0).normal(0, 6, hills.shape)
    whole = np.clip(hills, 0, 255).astype(np.uint8)
    look = partial(_panned, whole)
    return _with_voice(
        write_video(folder / "panned.mp4", [(look, seconds)], size=(1280, 720)), folder / "landscape.mkv"
    )


def slides(folder: Path, seconds: float) -> Path:
    """Ten pictures of text that stand still, 1280 x 720, and a voice over them."""
    rng, parts = np.random.default_rng(1), []
    for _ in range(10):
        page = np.full((720, 1280, 3), 245, np.uint8)
        for line in range(90, 640, 40):
            for word in range(100, int(rng.integers(500, 1180)), 60):
                page[line : line + 18, word : word + int(rng.integers(20, 50))] = 40
        parts.append((page, seconds / 10))
    return _with_voice(write_video(folder / "pages.mp4", parts, size=(1280, 720)), folder / "slides.mkv")


def _panned(whole: NDArray[np.uint8], at_s: float) -> NDArray[np.uint8]:
    left = round(200 + 190 * np.sin(at_s / 3))
    return whole[:, left : left + 1280]


def _with_voice(video: Path, made: Path) -> Path:
    """The picture of a video with a minute of speech."""
    return join(video, MEDIA / "speech" / "silero_test.wav", made)


MEDIA = Path(os.environ.get("HEADSET_MEDIA", ""))
MINUTES: dict[str, Callable[[Path, float], Path]] = {
    "talking": talking, "two": two, "landscape": landscape, "slides": slides,
}  # fmt: skip


class ModelClock:
    """Adds up the CPU seconds that model calls take in the threads that make them."""

    def __init__(self) -> None:
        self.seconds, self._inside = 0.0, threading.local()
        self.waited: defaultdict[str, float] = defaultdict(float)  # seconds that operators waited for MediaPipe

    def watch_mediapipe(self, owner: Any, name: str) -> None:
        original = getattr(owner, name)

        def timed(*args: Any, **kwargs: Any) -> Any:
            began = time.perf_counter()
            try:
                return original(*args, **kwargs)
            finally:
                self.waited[_caller()] += time.perf_counter() - began

        setattr(owner, name, timed)

    def charged(self, native_s: float) -> dict[str, float]:
        """What MediaPipe's threads took, by operator."""
        whole = sum(self.waited.values())
        return {name: native_s * waited / whole for name, waited in self.waited.items()}

    def watch(self, owner: Any, name: str) -> None:
        original = getattr(owner, name)

        def timed(*args: Any, **kwargs: Any) -> Any:
            if getattr(self._inside, "yes", False):
                return original(*args, **kwargs)
            self._inside.yes, began = True, time.thread_time()
            try:
                return original(*args, **kwargs)
            finally:
                self.seconds += time.thread_time() - began
                self._inside.yes = False

        setattr(owner, name, timed)


def _caller() -> str:
    """The operator in whose call this is."""
    frame = sys._getframe()
    while frame is not None:
        if isinstance(owner := frame.f_locals.get("self"), Operator) and frame.f_code.co_name == "__call__":
            return owner.name
        frame = frame.f_back
    return "?"


def stage_alone(corpus: str, recipe_name: str, stage: int) -> dict[str, Any]:
    """Runs one stage on every shard in this process and says what it took."""
    os.environ.update(WORKER_ENVIRONMENT)
    import onnxruntime
    import psutil
    import torch
    from mediapipe.tasks.python.vision import FaceDetector, FaceLandmarker

    from operators.models.streamed_sight import StreamedSight

    models = ModelClock()
    models.watch(onnxruntime.InferenceSession, "run")
    models.watch(torch.nn.Module, "__call__")
    models.watch(StreamedSight, "__call__")
    for task in (FaceLandmarker, FaceDetector):
        models.watch_mediapipe(task, "detect")
    manifest = Manifest(corpus)
    recipe = recipe_named(recipe_name)
    plan = recipe.plan()
    manifest.remember(plan.record())
    steps = plan.of_stage(stage)
    idle_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    began, process = time.process_time(), psutil.Process()
    work(plan, manifest, [stage])
    total = time.process_time() - began
    python = {thread.native_id for thread in threading.enumerate()}
    native = sum(thread.user_time + thread.system_time for thread in process.threads() if thread.id not in python)
    receipts = {step.operator.name: list(manifest.receipts(step.version).values()) for step in steps}
    # The engine shares MediaPipe's threads out evenly; here they go to who called it.
    evenly = max(0.0, native) / len(steps) if models.waited else 0.0
    own = {name: sum(receipt.cpu_s for receipt in found) - evenly for name, found in receipts.items()}
    decode = sum(receipt.decode_cpu_s for found in receipts.values() for receipt in found)
    return {
        "stage": repr(recipe.stages[stage]), "total": total, "decode": decode, "own": own, "native": native,
        "models": models.seconds, "mediapipe": models.charged(native),
        "idle_mb": idle_mb, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }  # fmt: skip


def all_stages(corpus: str, recipe_name: str, last: int = 99) -> Iterator[dict[str, Any]]:
    for stage in range(min(last, len(recipe_named(recipe_name).stages))):
        command = [sys.executable, "-m", "benchmarks.speed.curate", "--stage", str(stage), "--recipe", recipe_name]
        command += ["--corpus", corpus]
        yield json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])


def decode_once(path: Path) -> float:
    began = time.process_time()
    for _ in VideoFrames(path):
        pass
    sound = SourceAudio(path)
    sound.samples(sound.start_s, sound.end_s)
    return time.process_time() - began


def encode_again(manifest: Manifest) -> float:
    """CPU seconds of encoding the pictures of every render once more, with its settings."""
    from operators.clips.render_clips import RenderClips

    how, spent = RenderClips(), 0.0
    for render in manifest.table(Render).to_pylist():
        pictures = [
            frame.planes(0, 0, frame.width, frame.height, (how.size, how.size))
            for frame in VideoFrames(Path(manifest.root, render["media"]))
        ]
        with tempfile.TemporaryDirectory() as folder, av.open(str(Path(folder, "x.mp4")), "w") as out:
            stream = out.add_stream(
                "libx264", rate=how.fps, options={"crf": str(how.crf), "preset": how.preset, "g": str(how.fps)}
            )
            assert isinstance(stream, av.VideoStream)
            stream.width = stream.height = how.size
            stream.pix_fmt, stream.codec_context.thread_count = "yuv420p", 1
            began = time.process_time()
            for picture in pictures:
                out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "yuv420p")))
            out.mux(stream.encode(None))
            spent += time.process_time() - began
    return spent


def listed(folder: str, minutes: float, of: str = "talking") -> tuple[str, Path]:
    source = MINUTES[of](Path(folder), 60 * minutes)
    corpus = str(Path(folder, f"corpus-{of}-{minutes:g}"))
    Manifest(corpus).add(list_sources([str(source)]).sources)
    return corpus, source


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--recipe", default="talking_head")
    parser.add_argument("--of", choices=MINUTES, default="talking", help="what is to be seen and heard in it")
    parser.add_argument("--memory", type=float, nargs="*", help="minutes of the sources to tell the peak memory for")
    parser.add_argument("--last", type=int, default=99, help="with --memory: how many stages to run")
    parser.add_argument("--stage", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--corpus", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.stage is not None:
        print(json.dumps(stage_alone(options.corpus, options.recipe, options.stage)))
        return
    if "HEADSET_MEDIA" not in os.environ:
        sys.exit("set HEADSET_MEDIA to a folder that holds single/headpose_31.mp4")
    with tempfile.TemporaryDirectory() as folder:
        if options.memory:
            print("| minutes | stage | peak MB | before work |\n|---|---|---|---|")
            for minutes in options.memory:
                corpus, _ = listed(folder, minutes)
                for told in all_stages(corpus, options.recipe, options.last):
                    print(
                        f"| {minutes:g} | {told['stage']} | {told['peak_mb']:.0f} | {told['idle_mb']:.0f} |", flush=True
                    )
            return
        corpus, source = listed(folder, options.minutes, options.of)
        stages = list(all_stages(corpus, options.recipe))
        manifest = Manifest(corpus)
        floor = {
            "one decode": decode_once(source),
            "models": sum(
                told["models"] + told["native"] - told["mediapipe"].get("LandmarkFaces", 0.0) * (1 - 5.0 / 12.5)
                for told in stages
            ),
            "encode of survivors": encode_again(manifest),
        }
    print(f"CPU seconds for {options.minutes:g} min of {options.of}\n")
    print("| stage | CPU s | decode | " + "operators, in their own threads | models in these | MediaPipe's threads |")
    print("|---|---|---|---|---|---|")
    for told in stages:
        own, mediapipe = (
            ", ".join(f"{name} {seconds:.2f}" for name, seconds in told[kind].items()) for kind in ("own", "mediapipe")
        )
        print(
            f"| {told['stage']} | {told['total']:.2f} | {told['decode']:.2f} | {own} | {told['models']:.2f} |"
            f" {mediapipe or '-'} |"
        )
    total = sum(told["total"] for told in stages)
    print(
        f"\nwhole recipe {total:.1f} CPU s; floor {sum(floor.values()):.1f}"
        f" ({', '.join(f'{name} {seconds:.1f}' for name, seconds in floor.items())}); ratio"
        f" {total / sum(floor.values()):.2f}"
    )


if __name__ == "__main__":
    main()
