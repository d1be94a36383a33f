"""Every stage that can run on a GPU: how far the CPU and the device agree, then what each does in a second, and how
many cores the device is worth.

    python -m benchmarks.speed.gpu [--device cpu] [--seconds 10] [--markdown FILE] [FILM ...]      (`make gpu` runs the
            first form)

With `--device cpu` the GPU's code runs on the CPU: that shows that it agrees, and is no measure of speed. The CPU's
side is what runs on cores today: MediaPipe itself where it is installed, else its networks in torch, and torch on one
thread. A stage whose library or model file is not here is named with the reason. Networks without a file here are given
seeded random weights, and are marked so: their speed is that of the real ones.
"""

import argparse
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.speed.agreement import (
    CROP,
    boxes_apart,
    cosines_apart,
    meshes_apart,
    network,
    numbers_apart,
    runs_mediapipe,
)
from manifests.boxes import square_around
from manifests.errors import WeightError
from operators.base import every
from operators.faces.detect_faces import GPU_BATCH
from operators.media.frames import SourceFrame, VideoFrames
from operators.media.sound import SourceAudio
from operators.models.blazeface import Blazeface
from operators.models.catalogue import FACE_DETECTOR_FULL_RANGE, FACE_DETECTOR_SHORT_RANGE, TRANSNETV2
from operators.models.catalogue_sound import CAMPPLUS, LR_ASD
from operators.models.detections import AlignedFace
from operators.models.device import batches
from operators.models.face_detectors import Mediapipe
from operators.models.face_geometry import LandmarkedFace
from operators.models.face_identity import NETWORKS, face_crop
from operators.models.face_landmarker import Landmarker
from operators.models.facemesh import Facemesh
from operators.models.mediapipe import looker

FILMS = ("single/headpose_31.mp4", "multi/avi_billhyland.mp4")
LOOKS_HZ, FPS = 5.0, 25.0
DETECTORS = ((FACE_DETECTOR_FULL_RANGE, 0.3), (FACE_DETECTOR_SHORT_RANGE, 0.6))
WINDOW_S, HZ = 10, 16000  # of pyannote's segmentation, a window a second


@dataclass
class Stage:
    """One stage on the CPU and on the device.

    Attributes:
        count: units that one call does.
        of_second: units that a second of film with one face and one voice needs.
        ways: on the CPU, and on the device.
        apart: how far the two answers are from each other, in words.
        note: what a reader must know, such as random weights.
    """

    name: str
    unit: str
    count: int
    of_second: float
    ways: tuple[Callable[[], Any], Callable[[], Any]]
    apart: Callable[[Any, Any], str]
    note: str = ""


class Bench:
    """The films, and what stages need of them, made once."""

    def __init__(self, films: Sequence[Path], seconds: float, device: str):
        self.films, self.seconds, self.device = films, seconds, device
        self.has_mediapipe = runs_mediapipe()
        self.frames = [list(every(VideoFrames(film, 0.0, seconds), LOOKS_HZ)) for film in films]
        self.flat = [frame for frames in self.frames for frame in frames]
        found = self.detected(self.detector("cpu"), 1)
        self.faces = [(frame, faces[0]) for frame, faces in zip(self.flat, found, strict=True) if faces]
        self.crops = [frame.crop(*square_around(face.box, 2.0), CROP) for frame, face in self.faces]

    def detector(self, where: str) -> Mediapipe:
        if where == "cpu" and self.has_mediapipe:
            return Mediapipe(*(looker(weight, least, "cpu") for weight, least in DETECTORS))
        return Mediapipe(*(Blazeface(weight.path().read_bytes(), least, where) for weight, least in DETECTORS))

    def detected(self, model: Mediapipe, size: int) -> list[list[AlignedFace]]:
        return [found for frames in self.frames for some in batches(frames, size) for found in model.look(some)]

    def decode(self) -> Stage:
        def run(on_gpu: bool) -> tuple[int, NDArray[np.int64]]:
            count, sums = 0, []
            for film in self.films:
                for frame in VideoFrames(film, 0.0, self.seconds, on_gpu=on_gpu):
                    count += 1
                    if count % 25 == 1:
                        sums.append(int(frame.gray(192).astype(np.int64).sum()))
            return count, np.array(sums)

        def apart(one: Any, other: Any) -> str:
            same = int((one[1] == other[1]).sum()) if one[0] == other[0] else 0
            return f"{one[0]} and {other[0]} frames; {same} of {len(one[1])} pictures looked at are equal"

        from operators.media.containers import decodes_on_gpu

        on_gpu = self.device == "cuda" and decodes_on_gpu()
        note = (
            "" if on_gpu or self.device == "cpu" else "NVDEC cannot be opened here: FFmpeg decodes on a core both times"
        )
        count = run(False)[0]
        return Stage("decode", "frames", count, FPS, (lambda: run(False), lambda: run(on_gpu)), apart, note)

    def detection(self) -> Stage:
        here, there = self.detector("cpu"), self.detector(self.device)
        here_size = 1 if self.has_mediapipe else GPU_BATCH
        ways = (lambda: self.detected(here, here_size), lambda: self.detected(there, GPU_BATCH))
        return Stage("faces, BlazeFace", "looks", len(self.flat), LOOKS_HZ, ways, boxes_apart)

    def landmarks(self) -> Stage:
        here: Any = Landmarker() if self.has_mediapipe else Facemesh(device="cpu")
        there = Facemesh(device=self.device)

        def run(model: Any, size: int) -> list[list[LandmarkedFace]]:
            return [found for some in batches(self.crops, size) for found in model.look(some)]

        ways = (lambda: run(here, here.batch), lambda: run(there, there.batch))
        return Stage("landmarks and blendshapes", "looks", len(self.crops), FPS, ways, meshes_apart)

    def embedding(self) -> Stage:
        network = NETWORKS["faceplugin"]
        aligned = [face_crop(frame, face, "faceplugin") for frame, face in self.faces]
        here, there = network.weight.session(), network.weight.session(on_gpu=self.device == "cuda")
        gpu = "CUDAExecutionProvider" in there.get_providers()

        def run(session: Any) -> NDArray[np.float32]:
            given = [((crop.astype(np.float32) - 127.5) / network.scale).transpose(2, 0, 1)[None] for crop in aligned]
            return np.stack([session.run(None, {session.get_inputs()[0].name: one})[0].ravel() for one in given])

        note = "" if gpu or self.device == "cpu" else "this onnxruntime knows no CUDA: on a core both times"
        return Stage(
            "face embedding",
            "looks",
            len(aligned),
            LOOKS_HZ,
            (lambda: run(here), lambda: run(there)),
            cosines_apart,
            note,
        )

    def shots(self) -> Stage:
        import cv2

        from operators.models.transnetv2 import HEIGHT, WIDTH, TransNetV2, score_frames

        pictures = [
            np.asarray(cv2.resize(frame.rgb(72), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)
            for film in self.films
            for frame in VideoFrames(film, 0.0, self.seconds)
        ]
        (here, note), (there, _) = (network(TransNetV2, TRANSNETV2, where) for where in ("cpu", self.device))
        ways = (
            lambda: np.array(list(score_frames(here, pictures, 1))),
            lambda: np.array(list(score_frames(there, pictures, 4))),
        )
        return Stage("shots, TransNetV2", "frames", len(pictures), FPS, ways, numbers_apart("probabilities"), note)

    def active_speaker(self) -> Stage:
        from operators.models.lr_asd import LrAsd, score_ticks
        from operators.models.mfcc import mfcc
        from operators.speech.detect_active_speaker import CROP_PX, mouth_crop

        _, face = self.faces[0]
        box = face.box
        square = (box.left + box.right) / 2, (box.top + box.bottom) / 2, (box.right - box.left) / 2
        shown: Iterator[SourceFrame] = iter(VideoFrames(self.films[0], 0.0, self.seconds))
        mouths = np.stack([mouth_crop(one, square) for one in shown])
        sound = SourceAudio(self.films[0]).samples(0.0, len(mouths) / FPS + 0.025, HZ)
        cepstra = mfcc(sound)[: 4 * len(mouths)]
        assert mouths.shape[1:] == (CROP_PX, CROP_PX)
        (here, note), (there, _) = (network(LrAsd, LR_ASD, where) for where in ("cpu", self.device))
        ways = (lambda: score_ticks(here, mouths, cepstra), lambda: score_ticks(there, mouths, cepstra))
        return Stage("active speaker, LR-ASD", "ticks", len(mouths), FPS, ways, numbers_apart("scores"), note)

    def segmentation(self) -> Stage:
        import torch

        from operators.speech.diarize_speakers import segmentation_3

        windows = torch.from_numpy(self._windows())[:, None]
        here, there = (segmentation_3().eval().to(where) for where in ("cpu", self.device))

        def run(model: Any, size: int, where: str) -> NDArray[np.float32]:
            with torch.inference_mode():
                return np.concatenate([model(some.to(where)).cpu().numpy() for some in windows.split(size)])

        ways = (lambda: run(here, 4, "cpu"), lambda: run(there, 32, self.device))
        return Stage(
            "speaker segmentation", "windows of 10 s", len(windows), 1.0, ways, numbers_apart("log-probabilities")
        )

    def voices(self) -> Stage:
        import torch

        from operators.models.campplus import CamPlusPlus

        windows = torch.from_numpy(self._windows())[:, None]
        (here, note), (there, _) = (network(CamPlusPlus, CAMPPLUS, where) for where in ("cpu", self.device))

        def run(model: Any, size: int, where: str) -> NDArray[np.float32]:
            with torch.inference_mode():
                return np.concatenate([model(some.to(where)).cpu().numpy() for some in windows.split(size)])

        ways = (lambda: run(here, 4, "cpu"), lambda: run(there, 32, self.device))
        return Stage("voice embedding, CAM++", "windows of 10 s", len(windows), 1.0, ways, cosines_apart, note)

    def lip_sync(self) -> Stage:
        import torch

        from operators.models.syncnet import WINDOW, SyncNet

        torch.manual_seed(1)
        state = SyncNet().state_dict()
        given = torch.from_numpy(np.random.default_rng(2).uniform(0, 255, (100, 3, 224, 224)).astype(np.float32))
        last = len(given) - WINDOW + 1  # the network sees windows of frames

        def loaded(where: str) -> Any:
            net = SyncNet()
            net.load_state_dict(state)
            return net.eval().requires_grad_(False).to(where)

        here, there = loaded("cpu"), loaded(self.device)

        def run(net: Any, size: int, where: str) -> NDArray[np.float32]:
            with torch.inference_mode():
                parts = (given[n : n + size + WINDOW - 1] for n in range(0, last, size))
                return np.concatenate([net.see(some.to(where)).cpu().numpy() for some in parts])

        ways = (lambda: run(here, 4, "cpu"), lambda: run(there, 96, self.device))
        return Stage("lip sync, SyncNet", "windows", last, FPS, ways, cosines_apart, "seeded random weights")

    def _windows(self) -> NDArray[np.float32]:
        sounds = [SourceAudio(film) for film in self.films]
        starts = [(sound, at) for sound in sounds for at in range(max(1, int(sound.end_s) - WINDOW_S))]
        return np.stack([sound.samples(float(at), float(at + WINDOW_S), HZ) for sound, at in starts[:64]])

    def stages(self) -> Iterator[tuple[str, Callable[[], Stage]]]:
        for make in (
            self.decode, self.detection, self.landmarks, self.embedding, self.shots, self.active_speaker,
            self.segmentation, self.voices, self.lip_sync,
        ):  # fmt: skip
            yield make.__name__.replace("_", " "), make


def _timed(way: Callable[[], Any], device: str) -> float:
    """Seconds of one call, warm; a GPU is waited for."""
    import torch

    began = time.perf_counter()
    way()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - began


def measured(bench: Bench) -> Iterator[str]:
    """The report, line by line: agreement first, then the table, then what a second of film costs."""
    rows, spent = [], []
    for name, make in bench.stages():
        try:
            stage = make()
            told = [way() for way in stage.ways]  # warms up, too
        except (WeightError, ImportError) as error:
            yield f"- {name}: not run here: {str(error).splitlines()[0]}"
            continue
        yield f"- {stage.name}: {stage.apart(*told)}{f' ({stage.note})' if stage.note else ''}"
        here_s, there_s = (min(_timed(way, bench.device) for _ in range(2)) for way in stage.ways)
        here, there = (stage.of_second * seconds / stage.count for seconds in (here_s, there_s))
        spent.append((stage.name, here, there))
        rows.append(
            f"| {stage.name} | {stage.count} {stage.unit} | {stage.count / here_s:.0f} | {stage.count / there_s:.0f} | "
            f"{here_s / there_s:.1f} | {1000 * here:.1f} | {1000 * there:.2f} |"
        )
    yield ""
    yield (
        "| stage | of | on one core, a second | on the device, a second | cores it is worth | core ms a second of film"
        " | device ms |"
    )
    yield "|---|---|---|---|---|---|---|"
    yield from rows
    here, there = (sum(one[n] for one in spent) for n in (1, 2))
    name, _, most = max(spent, key=lambda one: one[2])
    yield ""
    yield (
        f"A second of film with one face and one voice: {1000 * here:.0f} ms of a core, or {1000 * there:.1f} ms of the"
        f" device ({here / there:.0f} cores' worth). Bottleneck on the device: {name}, {most / there:.0%}."
    )


def main() -> None:
    import torch

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("films", nargs="*", metavar="FILM", help=f"default: {', '.join(FILMS)} of HEADSET_MEDIA")
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    parser.add_argument("--seconds", type=float, default=10.0, help="of each film")
    parser.add_argument("--markdown", metavar="FILE", type=Path, help="also write the report there")
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        raise SystemExit("no GPU here; --device cpu runs the same code on the CPU")
    torch.set_num_threads(1)
    # as in every network of ours: it costs three digits
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    films = [Path(film) for film in options.films] or [Path(os.environ["HEADSET_MEDIA"], name) for name in FILMS]
    where = torch.cuda.get_device_name() if options.device == "cuda" else "the CPU, in torch"
    lines = [
        (
            f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, {where}, torch {torch.__version__}, {len(films)}"
            f" films, {options.seconds:g} s of each"
        ),
        "",
    ]
    bench = Bench(films, options.seconds, options.device)
    if not bench.has_mediapipe:
        lines.insert(
            1,
            "MediaPipe's tasks do not start here: on the CPU, faces and landmarks run in torch, three to five times"
            " slower than MediaPipe.",
        )
    print(*lines, sep="\n")
    for line in measured(bench):
        print(line, flush=True)
        lines.append(line)
    if options.markdown:
        options.markdown.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
