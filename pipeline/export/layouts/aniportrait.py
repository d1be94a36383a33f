"""AniPortrait, both stages (Zejun-Yang/AniPortrait 7f6593fd): PNG frames, the points of each, and one JSON.

    videos/<clip>/000000.png                     512x512 at 25 frames a second
    meshes/<clip>/000000_lmks.npy                (478, 2) shares of the picture, of MediaPipe's mesh
    .../000000_trans_mat.npy, 000000_bs.npy      (4, 4), (51,): pose, blendshapes but the first: no loader reads them
    training.json, training_{val,test}.json      {clip: {video_clip_num, clip_data_list}}, paths absolute

Name training.json as `json_path` of a configuration. The authors' `preprocess_dataset.py` takes its points from the
same landmarker, with a depth that the drawing does not use; their `_lmks3d.npy`, which no loader reads, is not written.
It pairs frames and points by their place in two sorted lists, so that one frame without a face shifts all that follow;
here each frame has its points, or the clip is refused. It leaves out clips of fewer than 30 frames. Points beyond the
picture are not drawn.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from operators.base import Drop
from pipeline.export.checks import array_problem, picture_problem
from pipeline.export.clip import ExportClip
from pipeline.export.files import whole_folder, write_picture, write_text
from pipeline.export.layout import Given, Layout, Note, Written

SIZE, FPS = 512, 25
LEAST = 30
_BRIDGED = 5
_POINTS = 478
_DRAWN = 468  # of these: the rest are the irises
_LISTS = {"train": "training.json", "val": "training_val.json", "test": "training_test.json"}
_PATHS = ("frame_path_list", "lmks_list")


class AniPortrait(Layout):
    version = 1

    def write(self, clip: ExportClip, to: Path, given: Given) -> Note:
        """
        Raises:
            Drop: `too_short` for fewer than 30 frames; `not_square`; `no_face`; those of the decoder.
        """
        if (frames := clip.count(FPS)) < LEAST:
            raise Drop("too_short", detail=f"{frames} frames, {LEAST} are needed")
        faces = clip.faces(FPS).bridged(_BRIDGED)
        shares = (faces.points / (clip.width, clip.height)).astype(np.float32)
        with whole_folder(to / "meshes" / clip.name) as folder:
            for number in range(frames):
                np.save(folder / f"{number:06d}_lmks.npy", shares[number])
                np.save(folder / f"{number:06d}_trans_mat.npy", faces.matrix[number].astype(np.float32))
                np.save(folder / f"{number:06d}_bs.npy", faces.blendshapes[number, 1:].astype(np.float32))
        with whole_folder(to / "videos" / clip.name) as folder:
            for number, picture in enumerate(clip.pictures(SIZE, FPS)):
                write_picture(folder / f"{number:06d}.png", picture)
        return {"name": clip.name, "frames": frames}

    def finish(self, written: Sequence[Written], to: Path, given: Given) -> None:
        for split, name in _LISTS.items():
            rows = {
                clip.note["name"]: _row(to.resolve(), clip.note["name"], clip.note["frames"])
                for clip in written
                if clip.split == split
            }
            write_text(to / name, json.dumps(rows) + "\n")

    def validate(self, folder: Path) -> Iterator[str]:
        for split, name in _LISTS.items():
            try:
                rows = json.loads((folder / name).read_text())
            except (OSError, ValueError) as error:
                yield f"{name}: does not read ({error})"
                continue
            if split == "train" and not rows:
                yield f"{name}: names no clip, and the loader draws from it"
            for clip, row in rows.items():
                yield from (f"{name}: {clip}: {problem}" for problem in _problems(row))


def _row(root: Path, name: str, frames: int) -> dict[str, Any]:
    numbers = [f"{number:06d}" for number in range(frames)]
    held = {
        "frame_name_list": [f"{name}/{number}.png" for number in numbers],
        "frame_path_list": [str(root / f"videos/{name}/{number}.png") for number in numbers],
        "lmks_list": [str(root / f"meshes/{name}/{number}_lmks.npy") for number in numbers],
    }
    return {"video_clip_num": 1, "clip_data_list": [held]}


def _problems(row: dict[str, Any]) -> Iterator[str]:
    clips = row.get("clip_data_list") or []
    if not clips or row.get("video_clip_num") != len(clips):
        yield f"says {row.get('video_clip_num')} clips and has {len(clips)}"
    for clip in clips:
        frames, points = ([Path(path) for path in clip.get(key, [])] for key in _PATHS)
        if len(frames) < LEAST:
            yield f"has {len(frames)} frames, {LEAST} are needed"
        if [path.stem for path in frames] != [path.stem.removesuffix("_lmks") for path in points]:
            told = f"has {len(frames)} frames and {len(points)} files of points that do not pair"
            yield f"{told}, and the loader pairs them by place"
        for path in frames:
            if problem := picture_problem(path):
                yield f"{path.name} {problem}"
        for path in points:
            if problem := array_problem(path, lambda shape: len(shape) == 2 and shape[0] == _POINTS, f"({_POINTS}, 2)"):
                yield f"{path.name} {problem}"
            elif not _inside(np.load(path, allow_pickle=False)):
                yield f"{path.name} holds no point within 0 to 1: shares of the picture are drawn, not pixels"


def _inside(points: np.ndarray) -> bool:
    """Whether half of the points or more would be drawn."""
    drawn = points[:_DRAWN, :2]
    return bool(((drawn >= 0) & (drawn < 1)).all(axis=1).mean() >= 0.5)
