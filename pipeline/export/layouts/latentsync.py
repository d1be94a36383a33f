"""LatentSync 1.5 and 1.6, its U-Net and its SyncNet (bytedance/LatentSync a229c394): aligned faces in mp4, with sound.

    videos/<clip>-<hash>.mp4              256x256 or 512x512 by the render, 25 frames a second, 16 kHz
    fileslist.txt, fileslist_{val,test}.txt    absolute paths, one a line: `train_fileslist` of the configuration

The face is turned, scaled and moved so that brows and nose lie where the authors' aligner puts them, grey where the
picture ends. Their three points come from InsightFace's 106, ours are the middle of each brow and of the nose's ridge
and base, among the 68 of MediaPipe's mesh. The order is the authors': alignment, then sync. What a clip scored, and by
how much its sound was moved, is in export.jsonl.

The trainer names what it caches of a sound by the file's base name, whatever its folder, and never makes it anew, so a
name ends in a hash of the render. It draws clips until one works, and so never returns from a list of short ones.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from operators.base import Drop
from pipeline.export.checks import listed, sound_facts, video_facts
from pipeline.export.clip import ExportClip
from pipeline.export.files import Picture, whole_file, write_lines, write_mp4
from pipeline.export.layout import Given, Layout, Note, Written

FPS, HZ = 25, 16000
SIZES = (256, 512)
_LEAST = 48  # three times the 16 frames of a sample
_BRIDGED = 5
_WIDE, _HIGH, _RATIO = 75, 100, 2.8 / 256  # of the template's canvas; the ratio for a pixel of the side
_TEMPLATE = np.array(
    [(17.0, 20.0), (58.0, 20.0), (37.5, 40.0)]
)  # the middles of the brows, left in the picture first, and the nose
_KEPT = 0.2  # of the last frame's shift
_GREY = (127, 127, 127)
_LEFT_BROW, _RIGHT_BROW, _NOSE = slice(17, 22), slice(22, 27), [29, 30, 31, 35]  # of the iBUG points
_LISTS = {"train": "fileslist.txt", "val": "fileslist_val.txt", "test": "fileslist_test.txt"}


class LatentSync(Layout):
    version = 1

    def write(self, clip: ExportClip, to: Path, given: Given) -> Note:
        """
        Raises:
            Drop: `too_short` for fewer than 48 frames; `not_square`; `no_face`; those of the decoder.
        """
        if clip.count(FPS) < _LEAST:
            raise Drop("too_short", detail=f"{clip.count(FPS)} frames, {_LEAST} are needed")
        size = SIZES[1] if clip.width >= SIZES[1] else SIZES[0]
        landmarks = clip.faces(FPS).bridged(_BRIDGED).landmarks_68
        name = f"{clip.name}-{clip.sha256[:10]}"
        pictures = clip.pictures(clip.width, FPS)
        with whole_file(to / f"videos/{name}.mp4") as part:
            aligned = (
                warped(picture, turn, size) for picture, turn in zip(pictures, alignments(landmarks, size), strict=True)
            )
            write_mp4(part, aligned, FPS, clip.samples(HZ), HZ)
        sync = {key: value for key, value in clip.scores.items() if key.startswith(("av_", "lse_", "speaking_"))}
        return {"name": name, "frames": clip.count(FPS), "sync": sync, "sound_late_s": clip.sound_late_s}

    def finish(self, written: Sequence[Written], to: Path, given: Given) -> None:
        for split, name in _LISTS.items():
            paths = [str((to / f"videos/{clip.note['name']}.mp4").resolve()) for clip in written if clip.split == split]
            write_lines(to / name, paths)

    def validate(self, folder: Path) -> Iterator[str]:
        stems: Counter[str] = Counter()
        for split, name in _LISTS.items():
            paths, problems = listed(
                folder, name, "names no video, and the loader draws for ever" if split == "train" else ""
            )
            yield from problems
            stems.update(Path(path).name for path in dict.fromkeys(paths))
            for path in paths:
                yield from (f"{path}: {problem}" for problem in _problems(Path(path)))
        for stem, count in stems.items():
            if count > 1:
                yield f"{stem}: {count} files have this name, and what is cached of their sounds is one"


def alignments(landmarks: NDArray[np.float64], size: int) -> Iterator[NDArray[np.float64]]:
    """(2, 3) for each frame, from pixels of the picture to those of the canvas, 75 wide to 100 high.

    The similarity that takes three points onto the template's in the least squares sense, by the standard deviations of
    both and the singular vectors of their covariance (Umeyama's without its scale), and a shift that is smoothed over
    frames.

    Args:
        landmarks: (frames, 68, 2)
    """
    template = _TEMPLATE * (_RATIO * size)
    middle = template.mean(axis=0)
    wanted = (template - middle) / (template - middle).std(ddof=1)
    shift: NDArray[np.float64] | None = None
    for frame in landmarks:
        points = np.round([frame[_LEFT_BROW].mean(axis=0), frame[_RIGHT_BROW].mean(axis=0), frame[_NOSE].mean(axis=0)])
        centre = points.mean(axis=0)
        own = (points - centre) / (points - centre).std(ddof=1)
        left, _, right = np.linalg.svd(own.T @ wanted)
        if np.linalg.det(right.T @ left.T) < 0:
            right[-1] *= -1
        turn = (template - middle).std(ddof=1) / (points - centre).std(ddof=1) * (right.T @ left.T)
        off = wanted[2] - own[2]
        shift = off if shift is None else _KEPT * shift + (1 - _KEPT) * off
        yield np.column_stack([turn, middle - turn @ centre + shift])


def warped(picture: Picture, turn: NDArray[np.float64], size: int) -> Picture:
    """(size, size, 3): the canvas, squeezed to a square."""
    import cv2

    ratio = _RATIO * size
    canvas = (int(_WIDE * ratio), int(_HIGH * ratio))
    face = cv2.warpAffine(
        picture, turn, canvas, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=_GREY
    )
    return np.asarray(cv2.resize(face, (size, size), interpolation=cv2.INTER_LANCZOS4), np.uint8)


def _problems(path: Path) -> Iterator[str]:
    if not path.is_absolute():
        yield "is no absolute path, and the loader runs elsewhere"
    facts = video_facts(path)
    if isinstance(facts, str):
        yield facts
        return
    frames, width, height, fps = facts
    if width != height or width not in SIZES:
        yield f"is {width}x{height}, not a square of {' or '.join(map(str, SIZES))}"
    if fps != FPS:
        yield f"has {fps:g} frames a second, and sound is paired at {FPS}"
    if frames < _LEAST:
        yield f"has {frames} frames, {_LEAST} are needed, and the loader draws again"
    sound = sound_facts(path)
    if isinstance(sound, str):
        yield f"its sound {sound}"
    elif fps and sound[2] / sound[0] < frames / fps - 0.5 / fps:
        yield (
            f"its sound takes {sound[2] / sound[0]:.3f} s, the pictures {frames / fps:.3f} s: the last window is not"
            " full"
        )
