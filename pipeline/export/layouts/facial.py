"""FACIAL, its audio2face stage (zhangchenxu528/FACIAL 95eaf8f4): DeepSpeech windows, face parameters and blinks.

    audio/<clip>.pkl      an array (frames, 16, 29), pickled
    params/<clip>.npz     `face` (frames, 71): pose and place (6), one that the blink takes the place of, expression
                          (64)
    openface/<clip>.csv   with the column ` AU45_r`, its blank included
    train.txt, val.txt, test.txt    the clips: give the loader the three files of each, in one order

30 frames a second, windows of 128, so a clip of fewer than 129 frames gives none and is given up.

All three are asked for: `--with deepspeech=DIR` as <clip>.npy (frames, 16, 29), `--with face_params=DIR` as <clip>.npz,
`--with openface=DIR` as <clip>.csv, each at 30 frames a second. The substitutes are 13 MFCC and 16 zeros (see
`difftalk`), pose and blendshapes (see `pirender`), and five times MediaPipe's mean eyeBlink, on the scale of the action
unit's intensity. face2vid's pictures are drawn by the authors' renderer, and are not written.
"""

import csv
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from operators.base import Drop
from pipeline.export.checks import array_problem, listed
from pipeline.export.clip import ExportClip
from pipeline.export.faces import Faces
from pipeline.export.files import whole_file, write_lines, write_text
from pipeline.export.layout import Given, Layout, Note, Written
from pipeline.export.layouts.difftalk import substitute as substitute_deepspeech
from pipeline.export.layouts.evp import old_pickle, unpickled
from pipeline.export.layouts.pirender import BRIDGED
from pipeline.export.layouts.pirender import substitute as substitute_coefficients

FPS, HZ = 30, 16000
BLINK = " AU45_r"
_LEAST = 129
_BLINKS = [9, 10]  # eyeBlinkLeft and eyeBlinkRight among MediaPipe's blendshapes
_SPLITS = ("train", "val", "test")


class Facial(Layout):
    version = 1
    needs: ClassVar = {
        "deepspeech": "<clip>.npy files of DeepSpeech 0.1, (frames, 16, 29) at 30 frames a second",
        "face_params": (
            "<clip>.npz files of the authors' face reconstruction, face (frames, 71 or more) at 30 frames a second"
        ),
        "openface": "<clip>.csv files of OpenFace with the column ` AU45_r`, at 30 frames a second",
    }
    substitutes: ClassVar = {
        "deepspeech": "13 MFCC and 16 zeros, 50 a second, in windows of 16",
        "face_params": "head pose and 52 blendshapes of MediaPipe's face landmarker",
        "openface": "five times the mean of MediaPipe's two eyeBlink blendshapes",
    }

    def write(self, clip: ExportClip, to: Path, given: Given) -> Note:
        """
        Raises:
            Drop: `too_short`, `no_face`; `<need>_missing` and `<need>_differs` for what is given; those of
                the decoder.
        """
        frames, name = clip.count(FPS), clip.name
        if frames < _LEAST:
            raise Drop("too_short", detail=f"{frames} frames, {_LEAST} are needed")
        made = given.substitutes & {"face_params", "openface"}
        faces = clip.faces(FPS).bridged(BRIDGED) if made else None
        windows = (
            substitute_deepspeech(clip.samples(HZ), frames, FPS)
            if "deepspeech" in given.substitutes
            else _given_windows(given, name, frames)
        )
        with whole_file(to / f"params/{name}.npz") as part:
            if "face_params" in given.substitutes and faces is not None:
                np.savez(part, face=face_params(faces, clip))
            else:
                shutil.copyfile(
                    _checked(given.file("face_params", f"{name}.npz"), "face_params", _params_problem, frames), part
                )
        if "openface" in given.substitutes and faces is not None:
            blinks = 5 * faces.blendshapes[:, _BLINKS].mean(axis=1)
            lines = [
                f"frame, timestamp,{BLINK}",
                *(f"{n + 1}, {n / FPS:.3f}, {blink:.4f}" for n, blink in enumerate(blinks)),
            ]
            write_text(to / f"openface/{name}.csv", "\n".join(lines) + "\n")
        else:
            with whole_file(to / f"openface/{name}.csv") as part:
                shutil.copyfile(
                    _checked(given.file("openface", f"{name}.csv"), "openface", _blink_problem, frames), part
                )
        with whole_file(to / f"audio/{name}.pkl") as part:
            part.write_bytes(old_pickle(windows))
        return {"name": name, "frames": frames}

    def finish(self, written: Sequence[Written], to: Path, given: Given) -> None:
        for split in _SPLITS:
            write_lines(to / f"{split}.txt", [clip.note["name"] for clip in written if clip.split == split])

    def validate(self, folder: Path) -> Iterator[str]:
        names = []
        for split in _SPLITS:
            lines, problems = listed(folder, f"{split}.txt", "names no clip" if split == "train" else "")
            yield from problems
            names += lines
        for name in names:
            try:
                windows = unpickled((folder / f"audio/{name}.pkl").read_bytes())
            except (OSError, ValueError) as error:
                yield f"audio/{name}.pkl: does not unpickle ({error})"
                continue
            if not isinstance(windows, np.ndarray) or windows.ndim != 3 or windows.shape[1:] != (16, 29):
                yield f"audio/{name}.pkl: is no array (frames, 16, 29)"
                continue
            if len(windows) < _LEAST:
                yield f"audio/{name}.pkl: has {len(windows)} frames, {_LEAST} are needed"
            if problem := _params_problem(folder / f"params/{name}.npz", len(windows)):
                yield f"params/{name}.npz: {problem}"
            if problem := _blink_problem(folder / f"openface/{name}.csv", len(windows)):
                yield f"openface/{name}.csv: {problem}"


def face_params(faces: Faces, clip: ExportClip) -> NDArray[np.float32]:
    """(frames, 71): angles and translation, a zero, expression, of the substitute for PIRenderer."""
    rows = substitute_coefficients(faces, clip)
    return np.concatenate(
        [rows[:, 224:227], rows[:, 254:257], np.zeros((len(rows), 1), np.float32), rows[:, 80:144]], axis=1
    )


def _given_windows(given: Given, name: str, frames: int) -> NDArray[np.float32]:
    path = given.file("deepspeech", f"{name}.npy")
    if problem := array_problem(path, lambda shape: shape == (frames, 16, 29), f"({frames}, 16, 29)"):
        raise Drop("deepspeech_differs", detail=f"{path.name} {problem}")
    return np.load(path, allow_pickle=False).astype(np.float32)


def _checked(path: Path, need: str, problem_of, frames: int) -> Path:
    if problem := problem_of(path, frames):
        raise Drop(f"{need}_differs", detail=f"{path.name} {problem}")
    return path


def _params_problem(path: Path, frames: int) -> str:
    try:
        with np.load(path, allow_pickle=False) as held:
            face = held["face"]
    except (OSError, ValueError, KeyError, EOFError) as error:
        return f"does not read ({error})"
    if face.ndim != 2 or len(face) != frames or face.shape[1] < 71:
        return f"holds face {face.shape}, not ({frames}, 71 or more)"
    if not np.isfinite(face).all():
        return "holds what is no finite number"
    return (
        ""
        if face[:, :6].std(axis=0).all()
        else "holds a pose that never changes, and the loader divides by its deviation"
    )


def _blink_problem(path: Path, frames: int) -> str:
    if not path.is_file():
        return "is missing"
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    if not rows or BLINK not in rows[0]:
        return f"has no column {BLINK!r}, with the blank in front"
    try:
        values = [float(row[BLINK]) for row in rows]
    except (TypeError, ValueError) as error:
        return str(error)
    return "" if len(values) == frames else f"has {len(values)} rows for {frames} frames"
