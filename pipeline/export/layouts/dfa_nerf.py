"""DFA-NeRF (ShunyuYao/DFA-NeRF f0d258b6): a folder a clip, with its pictures, cameras, sound features and expression.

    dataset/<clip>/ori_imgs/000000.jpg, aud.wav                        512x512 at 25 frames a second; 16 kHz
    .../head_imgs/000000.jpg, com_imgs/000000.jpg, bc.jpg              the head before the background, the person before
                                                                       it, the background
    .../transforms_train_ba.json, transforms_val_ba.json               focal_len, cx, cy; a frame each: img_id, aud_id,
                                                                       transform_matrix, face_rect
    .../<clip>_aud.pt, <clip>_64_32.pt                                 a tensor (rows, 512); exp_o (rows, 64)
    .../HeadNeRF_config_ba.txt                                         names, and the nearest and farthest point of a
                                                                       ray

Copy it over a checkout, and train as `scripts/train_obama.sh` does: `--use_ba --all_speaker`, with the folder and the
two files of a clip in place of obama's, and without `--resume`. A model is one person in one place, so a clip is one.
Without `--all_speaker` the loader wants speak_time.npy, which is not written.

All but the first line is asked for; it is what the authors' `scripts/process_data.sh <clip>` makes of the clip's
render, put at dataset/vids/<clip>.mp4: give that checkout's folder `dataset` for each need. Pictures are copied for the
frames that the cameras name. The sound features are 512 numbers of the authors' audio encoder, not DeepSpeech, which
their first steps compute and the loader no longer reads; they end about five frames before the pictures, and the loader
repeats the last one. The cameras and exp_o hang on a face model with a licence of its own, so they have substitutes: a
camera for each frame with a face, in metres, from MediaPipe's pose, the first ten elevenths of them to train on; and 52
blendshapes with 12 zeros. Nothing stands for the pictures or the sound features.
"""

import json
import math
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from operators.base import Drop
from pipeline.export.checks import picture_problem
from pipeline.export.clip import ExportClip
from pipeline.export.faces import Faces
from pipeline.export.files import whole_folder, write_lines, write_picture, write_wav
from pipeline.export.layout import Given, Layout, Note, Written
from pipeline.export.layouts.pirender import BRIDGED

SIZE, FPS, HZ = 512, 25, 16000
_SPLITS = ("train", "val")
_LEAST = 4  # frames to train on: half of the 8 poses that are smoothed together
_AUD, _EXP = 512, 64
_FOCAL = SIZE / 2 / math.tan(math.radians(63 / 2))  # pixels
_BEFORE, _BEHIND = (
    0.2,
    0.4,
)  # of the head's middle, where a ray begins and ends: as the authors' step 9 has it, but never behind the camera
Meta = dict[str, Any]


class DFANeRF(Layout):
    version = 1
    needs: ClassVar = {
        "parsing": (
            "<clip>/head_imgs/000000.jpg, <clip>/com_imgs/000000.jpg and <clip>/bc.jpg of steps 3 to 5 of the authors'"
            " process_data.sh"
        ),
        "camera": (
            "<clip>/transforms_train_ba.json and <clip>/transforms_val_ba.json of its steps 6 to 9 (their face model is"
            " under a licence)"
        ),
        "aud": "<clip>/<clip>_aud.pt of its step 11, a tensor (rows, 512) at 25 rows a second",
        "exp_o": (
            "<clip>/<clip>_64_32.pt of its step 10, exp_o (rows, 64), a row a frame (their face model is under a"
            " licence)"
        ),
    }
    substitutes: ClassVar = {
        "camera": (
            "head pose of MediaPipe's face landmarker before its camera of 63 degrees, not adjusted over the clip"
        ),
        "exp_o": "52 blendshapes of MediaPipe's face landmarker and 12 zeros",
    }

    def write(self, clip: ExportClip, to: Path, given: Given) -> Note:
        """
        Raises:
            Drop: `too_short`; `no_face` for the substitutes; `<need>_missing` and `<need>_differs` for
                what is given; `not_square`; those of the decoder.
        """
        import torch

        name, frames = clip.name, clip.count(FPS)
        faces = clip.faces(FPS) if given.substitutes else None
        own = faces if "camera" in given.substitutes else None
        metas = cameras(own, SIZE / clip.width) if own is not None else _given_cameras(given, name, frames)
        if len(metas["train"]["frames"]) < _LEAST or not metas["val"]["frames"]:
            raise Drop(
                "too_short",
                detail=(
                    f"{[len(metas[split]['frames']) for split in _SPLITS]} frames to train on and beside, {_LEAST} and"
                    " 1 are needed"
                ),
            )
        used = [frame["img_id"] for split in _SPLITS for frame in metas[split]["frames"]]
        parsed = [f"{kind}/{number:06d}.jpg" for kind in ("head_imgs", "com_imgs") for number in used]
        parsing = {path: given.file("parsing", f"{name}/{path}") for path in (*parsed, "bc.jpg")}
        for path, file in parsing.items():
            if problem := picture_problem(file, (SIZE, SIZE)):
                raise Drop("parsing_differs", detail=f"{path} {problem}")
        heard = _given_rows(given, "aud", f"{name}/{name}_aud.pt", _AUD, (frames - 10, frames + 2))
        if faces is not None and "exp_o" in given.substitutes:
            shapes = faces.bridged(BRIDGED).blendshapes.astype(np.float32)
            expression = np.pad(shapes, ((0, 0), (0, _EXP - shapes.shape[1])))
        else:
            expression = _given_rows(given, "exp_o", f"{name}/{name}_64_32.pt", _EXP, (len(used), frames), "exp_o")
        samples = clip.samples(HZ)
        with whole_folder(to / "dataset" / name) as folder:
            for kind in ("ori_imgs", "head_imgs", "com_imgs"):
                (folder / kind).mkdir()
            for number, picture in enumerate(clip.pictures(SIZE, FPS)):
                write_picture(folder / f"ori_imgs/{number:06d}.jpg", picture)
            for path, file in parsing.items():
                shutil.copyfile(file, folder / path)
            write_wav(folder / "aud.wav", samples, HZ)
            for split in _SPLITS:
                (folder / f"transforms_{split}_ba.json").write_text(json.dumps(metas[split]) + "\n")
            torch.save(torch.from_numpy(heard), folder / f"{name}_aud.pt")
            torch.save({"exp_o": torch.from_numpy(expression)}, folder / f"{name}_64_32.pt")
            away = float(
                np.mean([_distance(frame["transform_matrix"]) for split in _SPLITS for frame in metas[split]["frames"]])
            )
            lines = {"expname": f"{name}_head", "datadir": f"dataset/{name}", "basedir": f"dataset/{name}/logs"}
            config = {**lines, "near": max(away - _BEFORE, away / 2), "far": away + _BEHIND, "testskip": 1}
            write_lines(folder / "HeadNeRF_config_ba.txt", (f"{key} = {value}" for key, value in config.items()))
        return {"name": name, "frames": frames, "used": len(used)}

    def finish(self, written: Sequence[Written], to: Path, given: Given) -> None:
        write_lines(to / "clips.txt", (f"{clip.note['name']} {clip.person}" for clip in written))

    def validate(self, folder: Path) -> Iterator[str]:
        places = sorted(path for path in (folder / "dataset").glob("*") if path.is_dir())
        if not places:
            yield "dataset: holds no clip"
        for place in places:
            yield from (f"dataset/{place.name}/{problem}" for problem in _problems(place))


def cameras(faces: Faces, scale: float) -> dict[str, Meta]:
    """By split, what the loader reads of the frames with a face.

    The matrix (4, 4) goes from a camera that looks along its -z, y up, to the face; metres. The rectangle (left, top,
    width, height; pixels) is as wide as one and a half jaws, around the top of the nose's bridge, and reaches 1.15
    times as far as the chin, as the authors' step 9 has it.

    Args:
        scale: from the pixels of the faces to those of a picture of `SIZE`.
    """
    frames = []
    for number in np.flatnonzero(faces.seen).tolist():
        matrix = faces.matrix[number]
        grown = np.linalg.norm(matrix[:3, 0])
        turn, place = matrix[:3, :3] / grown, matrix[:3, 3] / grown / 100
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = turn.T, -turn.T @ place
        points = faces.landmarks_68[number] * scale
        left, right = points[:, 0].min(), points[:, 0].max()
        x, y = int((left + right) / 2), int(points[27, 1])
        wide, high = int((right - x) * 1.5), int((points[8, 1] - y) * 1.15)
        left, top = max(x - wide, 0), max(y - high, 0)
        rect = [left, top, min(SIZE - 1 - left, 2 * wide), min(SIZE - 1 - top, 2 * high)]
        frames.append({"img_id": number, "aud_id": number, "transform_matrix": pose.tolist(), "face_rect": rect})
    cut = len(frames) * 10 // 11
    lens = {"focal_len": _FOCAL, "cx": SIZE / 2, "cy": SIZE / 2}
    return {"train": {**lens, "frames": frames[:cut]}, "val": {**lens, "frames": frames[cut:]}}


def _distance(matrix: Sequence[Sequence[float]]) -> float:
    """How far in front of its camera the head is."""
    pose = np.asarray(matrix)
    return float((pose[:3, :3].T @ pose[:3, 3])[2])


def _given_cameras(given: Given, name: str, frames: int) -> dict[str, Meta]:
    metas = {}
    for split in _SPLITS:
        path = given.file("camera", f"{name}/transforms_{split}_ba.json")
        meta = _meta(path)
        if isinstance(meta, str):
            raise Drop("camera_differs", detail=f"{path.name} {meta}")
        if (meta["cx"], meta["cy"]) != (SIZE / 2, SIZE / 2) or max(
            frame["img_id"] for frame in meta["frames"]
        ) >= frames:
            raise Drop("camera_differs", detail=f"{path.name} is not of {frames} pictures of {SIZE}x{SIZE}")
        metas[split] = meta
    return metas


def _meta(path: Path) -> Meta | str:
    """The cameras of a file, or what is wrong with it."""
    try:
        meta = json.loads(path.read_text())
        lens = [float(meta[key]) for key in ("focal_len", "cx", "cy")]
        poses, rects = (
            np.array([frame[key] for frame in meta["frames"]], float) for key in ("transform_matrix", "face_rect")
        )
        numbers = [frame[key] for frame in meta["frames"] for key in ("img_id", "aud_id")]
    except (OSError, KeyError, TypeError, ValueError) as error:
        return f"does not read ({type(error).__name__}: {error})"
    if not numbers:
        return "names no frame, and the loader cannot join nothing to the other split"
    if (
        poses.shape[1:] != (4, 4)
        or rects.shape[1:] != (4,)
        or not all(isinstance(number, int) and number >= 0 for number in numbers)
    ):
        return "holds frames without a matrix (4, 4), a rectangle of four, or whole numbers"
    return meta if np.isfinite(poses).all() and np.isfinite(lens).all() else "holds what is no finite number"


def _given_rows(
    given: Given, need: str, name: str, width: int, between: tuple[int, int], key: str = ""
) -> NDArray[np.float32]:
    rows = _rows(given.file(need, name), width, key)
    if isinstance(rows, str):
        raise Drop(f"{need}_differs", detail=f"{name} {rows}")
    if not between[0] <= len(rows) <= between[1]:
        raise Drop(f"{need}_differs", detail=f"{name} has {len(rows)} rows, not {between[0]} to {between[1]}")
    return rows


def _rows(path: Path, width: int, key: str = "") -> NDArray[np.float32] | str:
    """(rows, width) of a tensor, of that under the key where there is one; or what is wrong with it."""
    import pickle

    import torch

    try:
        held = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        return f"does not read ({type(error).__name__})"
    tensor = held.get(key) if key and isinstance(held, dict) else held
    if not isinstance(tensor, torch.Tensor) or tensor.ndim != 2 or not len(tensor) or tensor.shape[1] != width:
        return f"holds no tensor {f'{key} ' if key else ''}(rows, {width})"
    rows = tensor.detach().to(torch.float32).numpy()
    return rows if np.isfinite(rows).all() else "holds what is no finite number"


def _problems(place: Path) -> Iterator[str]:
    from PIL import Image

    if problem := picture_problem(place / "bc.jpg"):
        yield f"bc.jpg: {problem}"
        return
    with Image.open(place / "bc.jpg") as background:
        size = background.size
    for split in _SPLITS:
        meta = _meta(place / f"transforms_{split}_ba.json")
        if isinstance(meta, str):
            yield f"transforms_{split}_ba.json: {meta}"
            continue
        if split == "train" and len(meta["frames"]) < _LEAST:
            yield f"transforms_train_ba.json: names {len(meta['frames'])} frames, {_LEAST} are needed to smooth poses"
        for frame in meta["frames"]:
            for kind in ("head_imgs", "com_imgs"):
                if problem := picture_problem(place / kind / f"{frame['img_id']:06d}.jpg", size):
                    yield f"{kind}/{frame['img_id']:06d}.jpg: {problem}"
    for name, width, key in ((f"{place.name}_aud.pt", _AUD, ""), (f"{place.name}_64_32.pt", _EXP, "exp_o")):
        rows = _rows(place / name, width, key)
        if isinstance(rows, str):
            yield f"{name}: {rows}"
    config = place / "HeadNeRF_config_ba.txt"
    told = (
        dict(line.split(" = ", 1) for line in config.read_text().splitlines() if " = " in line)
        if config.is_file()
        else {}
    )
    try:
        near, far = float(told["near"]), float(told["far"])
    except (KeyError, ValueError) as error:
        yield f"{config.name}: does not say how near and far ({type(error).__name__}: {error})"
        return
    if not 0 < near < far:
        yield f"{config.name}: rays go from {near:g} to {far:g}, not forward from before the camera"
