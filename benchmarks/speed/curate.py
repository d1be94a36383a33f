"""What the talking_head recipe costs, by operator, beside the floor: one decode, the models' own time, the encode of
survivors.

    HEADSET_MEDIA=... python -m benchmarks.speed.curate                    one minute of 720p, CPU seconds
    HEADSET_MEDIA=... python -m benchmarks.speed.curate --memory 1 30      peak memory of each stage, for 1 and 30
                                                                           minutes

Every stage runs in a process of its own, as in a run, but without Ray. The source is single/headpose_31.mp4 repeated.
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
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av

from manifests.manifest import Manifest
from manifests.tables import Render
from operators.media.frames import VideoFrames
from operators.media.sound import SourceAudio
from pipeline.engine.worker import WORKER_ENVIRONMENT, ShardWorker
from pipeline.listing import list_sources
from pipeline.recipe import recipe_named


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


class ModelClock:
    """Adds up the CPU seconds that model calls take in the threads that make them."""

    def __init__(self) -> None:
        self.seconds, self._inside = 0.0, threading.local()

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


def stage_alone(corpus: str, recipe_name: str, stage: int) -> dict[str, Any]:
    """Runs one stage on every shard in this process and says what it took."""
    os.environ.update(WORKER_ENVIRONMENT)
    import onnxruntime
    import psutil
    import torch

    models = ModelClock()
    models.watch(onnxruntime.InferenceSession, "run")
    models.watch(torch.nn.Module, "__call__")
    manifest = Manifest(corpus)
    recipe = recipe_named(recipe_name)
    plan = recipe.plan()
    manifest.remember(plan.record())
    steps = plan.of_stage(stage)
    worker = ShardWorker(manifest, plan, stage)
    idle_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    began, process = time.process_time(), psutil.Process()
    for shard in manifest.shards():
        worker({"shard": shard})
    total = time.process_time() - began
    python = {thread.native_id for thread in threading.enumerate()}
    native = sum(thread.user_time + thread.system_time for thread in process.threads() if thread.id not in python)
    receipts = {step.operator.name: list(manifest.receipts(step.version).values()) for step in steps}
    own = {name: sum(receipt.cpu_s for receipt in found) for name, found in receipts.items()}
    decode = sum(receipt.decode_cpu_s for found in receipts.values() for receipt in found)
    return {
        "stage": repr(recipe.stages[stage]), "total": total, "decode": decode, "own": own, "native": native,
        "models": models.seconds,
        "idle_mb": idle_mb, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }  # fmt: skip


def all_stages(corpus: str, recipe_name: str, last: int = 99) -> Iterator[dict[str, Any]]:
    for stage in range(min(last, len(recipe_named(recipe_name).stages))):
        command = [
            sys.executable,
            "-m",
            "benchmarks.speed.curate",
            "--stage",
            str(stage),
            "--recipe",
            recipe_name,
            "--corpus",
            corpus,
        ]
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
        pictures = [frame.rgb() for frame in VideoFrames(Path(manifest.root, render["media"]))]
        with tempfile.TemporaryDirectory() as folder, av.open(str(Path(folder, "x.mp4")), "w") as out:
            stream = out.add_stream(
                "libx264", rate=how.fps, options={"crf": str(how.crf), "preset": how.preset, "g": str(how.fps)}
            )
            assert isinstance(stream, av.VideoStream)
            stream.width = stream.height = how.size
            stream.pix_fmt, stream.codec_context.thread_count = "yuv420p", 1
            began = time.process_time()
            for picture in pictures:
                out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
            out.mux(stream.encode(None))
            spent += time.process_time() - began
    return spent


def listed(folder: str, minutes: float) -> tuple[str, Path]:
    source = repeated(
        Path(os.environ["HEADSET_MEDIA"], "single", "headpose_31.mp4"),
        Path(folder, f"{minutes:g}min.mp4"),
        60 * minutes,
    )
    corpus = str(Path(folder, f"corpus-{minutes:g}"))
    Manifest(corpus).add(list_sources([str(source)]).sources)
    return corpus, source


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--recipe", default="talking_head")
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
        corpus, source = listed(folder, options.minutes)
        stages = list(all_stages(corpus, options.recipe))
        manifest = Manifest(corpus)
        floor = {
            "one decode": decode_once(source),
            "models": sum(told["models"] + told["native"] for told in stages),
            "encode of survivors": encode_again(manifest),
        }
    print(f"CPU seconds for {options.minutes:g} min of 720p\n")
    print("| stage | CPU s | decode | " + "operators, in their own threads | models in these | MediaPipe's threads |")
    print("|---|---|---|---|---|---|")
    for told in stages:
        own = ", ".join(f"{name} {seconds:.2f}" for name, seconds in told["own"].items())
        print(
            f"| {told['stage']} | {told['total']:.2f} | {told['decode']:.2f} | {own} | {told['models']:.2f} |"
            f" {told['native']:.2f} |"
        )
    total = sum(told["total"] for told in stages)
    print(
        f"\nwhole recipe {total:.1f} CPU s; floor {sum(floor.values()):.1f}"
        f" ({', '.join(f'{name} {seconds:.1f}' for name, seconds in floor.items())}); ratio"
        f" {total / sum(floor.values()):.2f}"
    )


if __name__ == "__main__":
    main()
