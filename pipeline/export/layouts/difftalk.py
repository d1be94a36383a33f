"""DiffTalk (sstzal/DiffTalk b49a607a): JPEG frames of 256x256 with landmarks and windows of DeepSpeech features each.

    data/HDTF/images/<clip>_<frame>.jpg, data/HDTF/landmarks/<clip>_<frame>.lms (68 lines `x y`, pixels)
    data/HDTF/audio_smooth/<clip>_<frame>.npy (8, 16, 29)
    data/HDTF/data.txt                     line number <clip>: its name and how many frames it has
    data/data_train.txt, data_test.txt     <clip>_<frame>, and data_val.txt, which the loader does not read

Put `data` into a checkout. Clips and frames are counted from 1, frames at 25 a second. The loader wants a reference at
least 60 frames away from every frame, so a clip of fewer than 122 frames makes it crash. A clip's number stays its own
when another is refused: that one's line says 0.

`audio_smooth` is, for each frame, the windows of the 8 frames from 4 before it, zeros beyond the clip. The windows,
(16, 29) a frame, are DeepSpeech's: give them by `--with deepspeech=DIR`, as <name>.npy (frames, 16, 29). The substitute
is 29 cepstral numbers, 13 MFCC and 16 zeros, at 50 a second. Landmarks are MediaPipe's; gaps of up to 5 frames are
filled.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from operators.base import Drop
from pipeline.export.checks import array_problem, listed, picture_problem
from pipeline.export.clip import ExportClip
from pipeline.export.files import whole_file, write_lines, write_picture
from pipeline.export.layout import Given, Layout, Note, Written

SIZE, FPS, HZ = 256, 25, 16000
BRIDGED = 5
_AWAY = 60  # frames between a picture and its reference
_LEAST = 2 * _AWAY + 2
_PLACE = Path("data", "HDTF")
_SPLITS = ("train", "val", "test")


class DiffTalk(Layout):
    version = 2  # the points of the inner lips, the nose's base and the jaw lie nearer to iBUG's
    needs: ClassVar = {"deepspeech": "<clip>.npy files of DeepSpeech 0.1, (frames, 16, 29) at 25 frames a second"}
    substitutes: ClassVar = {"deepspeech": "13 MFCC and 16 zeros, 50 a second, in windows of 16"}

    def write(self, clip: ExportClip, to: Path, given: Given) -> Note:
        """
        Raises:
            Drop: `too_short`, `no_face`, `not_square`, `deepspeech_missing`, `deepspeech_differs`; those of
                the decoder.
        """
        frames = clip.count(FPS)
        if frames < _LEAST:
            raise Drop("too_short", detail=f"{frames} frames, {_LEAST} are needed")
        found = clip.faces(FPS)
        landmarks = found.bridged(BRIDGED).landmarks_68 * (SIZE / clip.width)
        windows = smoothed(
            substitute(clip.samples(HZ), frames)
            if "deepspeech" in given.substitutes
            else given_windows(clip, given, frames)
        )
        for number, picture in enumerate(clip.pictures(SIZE, FPS)):
            name = f"{clip.number}_{number + 1}"
            with whole_file(to / _PLACE / f"images/{name}.jpg") as part:
                write_picture(part, picture)
            write_lines(to / _PLACE / f"landmarks/{name}.lms", (f"{x:.4f} {y:.4f}" for x, y in landmarks[number]))
            with whole_file(to / _PLACE / f"audio_smooth/{name}.npy") as part:
                np.save(part, windows[number])
        return {"name": clip.name, "number": clip.number, "frames": frames, "bridged": int((~found.seen).sum())}

    def finish(self, written: Sequence[Written], to: Path, given: Given) -> None:
        counts = {clip.note["number"]: (clip.note["name"], clip.note["frames"]) for clip in written}
        lines = [counts.get(number, ("refused", 0)) for number in range(1, max(counts, default=0) + 1)]
        write_lines(to / _PLACE / "data.txt", (f"{name} {frames}" for name, frames in lines))
        for split in _SPLITS:
            ours = [clip.note for clip in written if clip.split == split]
            write_lines(
                to / f"data/data_{split}.txt",
                (f"{note['number']}_{n + 1}" for note in ours for n in range(note["frames"])),
            )

    def validate(self, folder: Path) -> Iterator[str]:
        path = folder / _PLACE / "data.txt"
        rows = [line.split() for line in path.read_text().splitlines()] if path.is_file() else []
        if not rows or any(len(row) != 2 or not row[1].isdigit() for row in rows):
            yield f"{_PLACE}/data.txt: is missing, or has a line that is not a name and a number"
            return
        for split in ("train", "test"):
            lines, problems = listed(folder, f"data/data_{split}.txt", "names no frame")
            yield from problems
            for line in lines:
                clip, _, frame = line.partition("_")
                if not (clip.isdigit() and frame.isdigit() and 1 <= int(clip) <= len(rows)):
                    yield f"data/data_{split}.txt: {line} leads to no line of data.txt"
                    continue
                yield from _frame_problems(folder / _PLACE, line, int(frame), int(rows[int(clip) - 1][1]))


def given_windows(clip: ExportClip, given: Given, frames: int) -> NDArray[np.float32]:
    """(frames, 16, 29) of the user's file."""
    path = given.file("deepspeech", f"{clip.name}.npy")
    if problem := array_problem(path, lambda shape: shape == (frames, 16, 29), f"({frames}, 16, 29)"):
        raise Drop("deepspeech_differs", detail=f"{path.name} {problem}")
    return np.load(path, allow_pickle=False).astype(np.float32)


def substitute(samples: NDArray[np.float32], frames: int, fps: int = FPS) -> NDArray[np.float32]:
    """(frames, 16, 29): the rows, 50 a second, around the beginning of each frame."""
    from operators.models.mfcc import mfcc

    cepstra = mfcc(np.pad(samples, (0, HZ)))[::2]
    padded = np.pad(cepstra, ((8, 16), (0, 16)))  # row k of the sound is row k + 8
    starts = np.round(np.arange(frames) * 50 / fps).astype(int)
    return padded[starts[:, None] + np.arange(16)].astype(np.float32)


def smoothed(windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """(frames, 8, 16, 29): of each frame the windows from 4 before it to 3 behind it, zeros beyond the clip."""
    padded = np.pad(windows, ((4, 3), (0, 0), (0, 0)))
    return padded[np.arange(len(windows))[:, None] + np.arange(8)]


def _frame_problems(folder: Path, line: str, frame: int, frames: int) -> Iterator[str]:
    clip = line.partition("_")[0]
    if frame - _AWAY <= 1 and frame + _AWAY >= frames:
        yield f"{line}: no frame of the {frames} is {_AWAY} away from it, and the loader draws one"
    if frame == 1 and not (folder / f"images/{clip}_{frames - 1}.jpg").is_file():
        yield f"{clip}: has fewer frames than data.txt says, {frames}, and the loader draws from them"
    if problem := picture_problem(folder / f"images/{line}.jpg"):
        yield f"images/{line}.jpg: {problem}"
    if problem := array_problem(folder / f"audio_smooth/{line}.npy", lambda shape: shape == (8, 16, 29), "(8, 16, 29)"):
        yield f"audio_smooth/{line}.npy: {problem}"
    try:
        points = np.loadtxt(folder / f"landmarks/{line}.lms", ndmin=2)
    except (OSError, ValueError) as error:
        yield f"landmarks/{line}.lms: does not read ({type(error).__name__})"
        return
    if points.shape != (68, 2) or not np.isfinite(points).all():
        yield f"landmarks/{line}.lms: holds no 68 points, but {points.shape}"
