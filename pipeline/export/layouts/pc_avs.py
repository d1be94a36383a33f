"""PC-AVS (Hangz-nju-cuhk/Talking-Face_PC-AVS 201d2b94): aligned JPEG frames of 224x224, sound, a csv of pairs.

    frames/<clip>/000000.jpg, audio/<clip>.wav (16 kHz)    25 frames a second
    train.csv, val.csv, test.csv                            eight fields a line, blanks between

Link the folder as `misc` into a checkout, and give `--meta_path_vox ./misc/test.csv`: the paths in the lines begin with
`misc/`. A line says which frames give the identity, the pose and the mouth, and which sound: here all are those of one
clip. Where others are wanted, mix the fields of the lines. The loader leaves out the first two frames and the last two.
No training code was released.

Frames are aligned as the authors' `scripts/align_68.py` does it: one similarity for the clip takes the eyes and the
mouth to their places, and each frame is moved so that the mouth stays on its own. Like it, a clip with a frame without
a face is given up. Landmarks are MediaPipe's.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from operators.base import Drop
from pipeline.export.checks import listed, picture_problem, wav_facts
from pipeline.export.clip import ExportClip
from pipeline.export.files import whole_file, whole_folder, write_lines, write_picture, write_wav
from pipeline.export.layout import Given, Layout, Note, Written

SIZE, FPS, HZ = 224, 25, 16000
_WINDOW, _HOP, _BINS = 1280, 160, 4  # of the loader's spectrogram: samples in a row and between rows, and rows a frame
_LEAST = 5  # frames: two are left out at each end
_PLACES = np.array([(87.0, 59.0), (137.0, 59.0), (112.0, 120.0)])  # of the eyes and the mouth
_KEPT = 0.2  # of the last frame's shift
_SPLITS = ("train", "val", "test")


class PCAVS(Layout):
    version = 2  # the points of the inner lips, the nose's base and the jaw lie nearer to iBUG's

    def write(self, clip: ExportClip, to: Path, given: Given) -> Note:
        """
        Raises:
            Drop: `too_short`, `no_face`, `not_square`, and those of the decoder.
        """
        import cv2

        if clip.count(FPS) < _LEAST:
            raise Drop("too_short", detail=f"{clip.count(FPS)} frames, {_LEAST} are needed")
        landmarks = clip.faces(FPS).bridged(0).landmarks_68
        samples = clip.samples(HZ)
        with whole_folder(to / "frames" / clip.name) as folder:
            for number, (picture, turn) in enumerate(
                zip(clip.pictures(clip.width, FPS), alignments(landmarks), strict=True)
            ):
                write_picture(
                    folder / f"{number:06d}.jpg", np.asarray(cv2.warpAffine(picture, turn, (SIZE, SIZE)), np.uint8)
                )
        with whole_file(to / f"audio/{clip.name}.wav") as part:
            write_wav(part, samples, HZ)
        return {"name": clip.name, "frames": clip.count(FPS)}

    def finish(self, written: Sequence[Written], to: Path, given: Given) -> None:
        for split in _SPLITS:
            clips = [(clip.note["name"], clip.note["frames"]) for clip in written if clip.split == split]
            folder = "misc/frames"
            write_lines(
                to / f"{split}.csv",
                (f"{folder}/{n} {k} {folder}/{n} {k} misc/audio/{n}.wav {folder}/{n} {k} None" for n, k in clips),
            )

    def validate(self, folder: Path) -> Iterator[str]:
        found = 0
        for split in _SPLITS:
            lines, problems = listed(folder, f"{split}.csv")
            yield from problems
            for number, line in enumerate(lines, 1):
                found += 1
                yield from (f"{split}.csv:{number}: {problem}" for problem in _line_problems(folder, line))
        if not found:
            yield "train.csv, val.csv, test.csv: name no clip"


def alignments(landmarks: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    """(2, 3) for each frame, from pixels of the picture to those of the crop.

    Args:
        landmarks: (frames, 68, 2)
    """
    from skimage.transform import SimilarityTransform

    points = np.stack(
        [landmarks[:, part].mean(axis=1) for part in (slice(36, 42), slice(42, 48), slice(60, 68))], axis=1
    )
    turn = SimilarityTransform.from_estimate(points.mean(axis=0), _PLACES).params[:2]
    shift = None
    for x, y in points[:, 2]:
        off = _PLACES[2] - turn @ (x, y, 1)
        shift = off if shift is None else _KEPT * shift + (1 - _KEPT) * off
        yield np.column_stack([turn[:, :2], turn[:, 2] + shift])


def _line_problems(folder: Path, line: str) -> Iterator[str]:
    fields = line.split()
    if len(fields) != 8:
        yield f"has {len(fields)} fields, not 8: no path may hold a blank"
        return
    sound = wav_facts(folder / fields[4].removeprefix("misc/"))
    if isinstance(sound, str):
        yield f"{fields[4]}: {sound}"
        return
    if sound[0] != HZ:
        yield f"{fields[4]}: is at {sound[0]} Hz, not {HZ}"
    heard = ((sound[1] + _WINDOW - 2 * _HOP) // _HOP + 1) // _BINS - 2  # the frame after the last one that is shown
    if heard <= 2:
        yield f"{fields[4]}: is too short for a frame to be left"
    for place, count in ((fields[0], fields[1]), (fields[2], fields[3]), (fields[5], fields[6])):
        frames = sorted(path.name for path in (folder / place.removeprefix("misc/")).glob("*.jpg"))
        if not count.isdigit() or len(frames) != int(count) or not frames:
            yield f"{place}: holds {len(frames)} frames, the line says {count}"
            continue
        if frames != [f"{number:06d}.jpg" for number in range(len(frames))]:
            yield f"{place}: its frames are not 000000.jpg and on"
        if place == fields[5] and len(frames) < heard:
            yield f"{place}: holds {len(frames)} frames, and the sound goes on to frame {heard - 1}"
    for frame in sorted((folder / fields[0].removeprefix("misc/")).glob("*.jpg")):
        if problem := picture_problem(frame, (SIZE, SIZE)):
            yield f"{frame.name}: {problem}"
