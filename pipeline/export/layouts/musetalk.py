"""MuseTalk 1.5, both stages and its SyncNet (TMElyralab/MuseTalk 0a89dec4): mp4, wav, points and boxes of each frame.

    dataset/HDTF/video_audio_clip_root/<clip>.mp4, <clip>.wav    25 frames a second, with sound; 16 kHz
    dataset/HDTF/meta/<clip>.json                                mp4_path, wav_path, video_size, face_size, frames,
    face_list, landmark_list, isvalid
    dataset/HDTF/{train,val}.txt                                 a header line, then <clip>.json, one a line

The loader's paths are fixed, so copy `dataset` into a checkout, and train with `dataset_key: HDTF`. It skips the first
line of a list as a header, which the authors' own script does not write; without it the first clip is never trained on.
From the 700th frame on SyncNet hears the sound of 4 s before, and from the 750th on the model hears that of the
beginning, so longer clips are cut into parts. The second stage wants 160 frames, and faces wider than 200 pixels;
narrower ones than the first stage's 150 are refused. The loader writes a `<clip>_16k.wav` beside each wav.

Points and boxes are of MediaPipe's mesh: 68 points in the order of DWPose's 23 to 90, and the box of the mesh, hairline
to chin.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from operators.base import Drop
from pipeline.export.checks import listed, sound_facts, video_facts, wav_facts
from pipeline.export.clip import ExportClip
from pipeline.export.files import whole_file, write_lines, write_mp4, write_text, write_wav
from pipeline.export.layout import Given, Layout, Note, Written
from pipeline.export.video import cut

FPS, HZ = 25, 16000
LEAST = 160  # ten times the 16 frames of the second stage
LONGEST = 700  # a sample that begins 2 s before the loader's 30 s takes its mel spectrogram 4 s too early
FACE_PX = (150, 200)  # of the first and of the second stage
_BRIDGED = 5
_PLACE = Path("dataset", "HDTF")
_HEADER = "meta"
_SPLITS = ("train", "val", "test")
_KEYS = {"mp4_path", "wav_path", "video_size", "face_size", "frames", "face_list", "landmark_list", "isvalid"}


class MuseTalk(Layout):
    version = 2

    def write(self, clip: ExportClip, to: Path, given: Given) -> Note:
        """
        Raises:
            Drop: `too_short` for fewer than 160 frames; `face_small`; `not_square`; `no_face`; those of the
                decoder.
        """
        if clip.count(FPS) < LEAST:
            raise Drop("too_short", detail=f"{clip.count(FPS)} frames, {LEAST} are needed")
        points = clip.faces(FPS).bridged(_BRIDGED)
        boxes = _boxes(points.points, clip.width, clip.height)
        marks = np.round(points.landmarks_68).astype(int)
        samples, pictures = clip.samples(HZ), clip.pictures(clip.width // 2 * 2, FPS)
        names, faces_px = [], []
        for first, end in clip.parts(LONGEST, clip.count(FPS)):
            name = clip.name if end - first == clip.count(FPS) else f"{clip.name}-{first:06d}"
            faces_px.append(_union_px(boxes[first], marks[first]))
            if faces_px[-1] < FACE_PX[0]:
                raise Drop("face_small", detail=f"{faces_px[-1]} pixels wide, {FACE_PX[0]} are needed")
            place = _PLACE / "video_audio_clip_root" / name
            shown, heard = cut(pictures, samples, (first, end), FPS, HZ)
            with whole_file(to / f"{place}.wav") as part:
                write_wav(part, heard, HZ)
            with whole_file(to / f"{place}.mp4") as part:
                write_mp4(part, shown, FPS, heard, HZ)
            meta = _meta(place, clip, boxes[first:end], marks[first:end])
            write_text(to / _PLACE / f"meta/{name}.json", json.dumps(meta) + "\n")
            names.append(name)
        stage = 2 if min(faces_px) >= FACE_PX[1] else 1
        return {"names": names, "frames": clip.count(FPS), "face_px": min(faces_px), "stage": stage}

    def finish(self, written: Sequence[Written], to: Path, given: Given) -> None:
        names = {split: [n for clip in written if clip.split == split for n in clip.note["names"]] for split in _SPLITS}
        for name, lines in (("train", names["train"]), ("val", names["val"] or names["test"])):
            write_lines(to / _PLACE / f"{name}.txt", [_HEADER, *(f"{line}.json" for line in lines)])

    def validate(self, folder: Path) -> Iterator[str]:
        for split in ("train", "val"):
            name = f"{_PLACE}/{split}.txt"
            lines, problems = listed(folder, name)
            yield from problems
            if lines and lines[0].endswith(".json"):
                yield f"{name}: has no header, and the loader skips its first line, {lines[0]}"
            if split == "train" and len(lines) < 2:
                yield f"{name}: names no clip, and the loader draws from it"
            for line in lines[1:]:
                if " " in line:
                    yield f"{name}: {line!r} holds a blank, and the loader reads up to it"
                yield from (f"{line}: {problem}" for problem in _problems(folder, folder / _PLACE / "meta" / line))


def _boxes(points: NDArray[np.float64], width: int, height: int) -> NDArray[np.int64]:
    """(frames, 4) left, top, right, bottom of the mesh, whole pixels of the picture."""
    low = np.floor(points.min(axis=1)).clip(0)
    high = np.ceil(points.max(axis=1)).clip(0, (width, height))
    return np.concatenate([low, high], axis=1).astype(np.int64)


def _union_px(box: NDArray[np.int64], marks: NDArray[np.int64]) -> int:
    """How wide the face is to the loader: from the outermost of the box and of the points."""
    return int(max(box[2], marks[:, 0].max()) - min(box[0], marks[:, 0].min()))


def _meta(place: Path, clip: ExportClip, boxes: NDArray[np.int64], marks: NDArray[np.int64]) -> dict[str, Any]:
    return {
        "mp4_path": f"./{place}.mp4",
        "wav_path": f"./{place}.wav",
        "video_size": [clip.height, clip.width],
        "face_size": [int(boxes[0, 3] - boxes[0, 1]), int(boxes[0, 2] - boxes[0, 0])],
        "frames": len(boxes),
        "face_list": boxes.tolist(),
        "landmark_list": marks.tolist(),
        "isvalid": True,
    }


def _problems(folder: Path, path: Path) -> Iterator[str]:
    try:
        meta = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        yield f"does not read ({error})"
        return
    if missing := sorted(_KEYS - set(meta)):
        yield f"has no {', '.join(missing)}"
        return
    facts = video_facts(folder / meta["mp4_path"])
    if isinstance(facts, str):
        yield f"{meta['mp4_path']} {facts}"
        return
    frames, _, _, fps = facts
    boxes, marks = np.array(meta["face_list"]), np.array(meta["landmark_list"])
    if boxes.shape != (frames, 4) or marks.shape != (frames, 68, 2) or meta["frames"] != frames:
        yield f"has boxes {boxes.shape}, points {marks.shape} and says {meta['frames']} frames of {frames}"
        return
    if fps != FPS:
        yield f"has {fps:g} frames a second, and sound is paired at {FPS}"
    if not LEAST <= frames <= LONGEST:
        yield f"has {frames} frames, not {LEAST} to {LONGEST}: beyond them the loader takes the sound of another moment"
    if (wide := _union_px(boxes[0], marks[0])) < FACE_PX[0]:
        yield f"its first face is {wide} pixels wide, {FACE_PX[0]} are needed"
    sound, wav = sound_facts(folder / meta["mp4_path"]), wav_facts(folder / meta["wav_path"])
    if isinstance(sound, str):
        yield f"the sound of its mp4 {sound}, and SyncNet's input is that"
    if isinstance(wav, str):
        yield f"{meta['wav_path']} {wav}"
    elif wav[0] != HZ or abs(wav[1] / wav[0] - frames / FPS) > 0.5 / FPS:
        yield f"{meta['wav_path']} takes {wav[1] / wav[0]:.3f} s at {wav[0]} Hz, the pictures {frames / FPS:.3f} s"
    if not isinstance(sound, str) and sound[2] / sound[0] < (frames - 0.5) / FPS:
        yield f"the sound of its mp4 takes {sound[2] / sound[0]:.3f} s, the pictures {frames / FPS:.3f} s"
