"""Hallo3, both stages (fudan-generative-vision/hallo3 e342dcec): mp4, mask, caption, two features, one JSON list.

    videos/<clip>.mp4, audios/<clip>.wav, caption/<clip>.txt    25 frames a second; 16 kHz
    face_mask/<clip>.png                                        255 where the face is in any frame; exactly as large as
    a frame face_emb/<clip>.pt, audio_emb/<clip>.pt                     512 numbers; (frames or more, 12, 768)
    data/headset.json, data/headset_{val,test}.json             video_path, face_mask_union_path, face_emb_path,
    vocals_emb_base_all, caption

Name the list as `train_data` of a configuration. Paths are absolute. The features are those of the authors'
`data_preprocess.py`: InsightFace's of the first frame with a face, and the twelve layers of wav2vec2-base-960h, at the
video's rate, of vocals that Kim_Vocal_2 parted; run it over a `layout hallo3` of its own, or give any by `--with`.
Their frames (`images/`) are read by no loader and are not written.

Their configuration says `skip_frms_num: 3.`, which Python 3.12 refuses: write 3. The model is told 8 frames a second,
whatever the file has.
"""

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from operators.base import Drop
from pipeline.export.captions import TAKES, caption_of
from pipeline.export.checks import json_list, mask_problem, video_facts
from pipeline.export.clip import ExportClip
from pipeline.export.files import whole_file, write_picture, write_text, write_wav
from pipeline.export.layout import Given, Layout, Note, Written
from pipeline.export.masks import face_mask
from pipeline.export.tensors import torch_shape
from pipeline.export.video import put_video

FPS, HZ = 25, 16000
LEAST = 55  # the second stage begins at frame 3 and takes 49, with two of sound behind them
_FACE, _SOUND = (512,), (12, 768)
_BRIDGED = 12
_KEYS = ("video_path", "face_mask_union_path", "face_emb_path", "vocals_emb_base_all", "caption")
_LISTS = {"train": "data/headset.json", "val": "data/headset_val.json", "test": "data/headset_test.json"}


class Hallo3(Layout):
    version = 1
    needs: ClassVar = {
        "face_emb": "<clip>.pt files of InsightFace, 512 numbers of the first frame with a face",
        "audio_emb": "<clip>.pt files of wav2vec2-base-960h, (frames, 12, 768) at 25 frames a second",
    }
    takes: ClassVar = {"caption": TAKES}

    def write(self, clip: ExportClip, to: Path, given: Given) -> Note:
        """
        Raises:
            Drop: `too_short` for fewer than 55 frames; `face_emb_missing`, `face_emb_differs`, `audio_emb_missing`,
                `audio_emb_differs`, `caption_missing`; `no_face`; those of the decoder.
        """
        if (frames := clip.count(FPS)) < LEAST:
            raise Drop("too_short", detail=f"{frames} frames, {LEAST} are needed")
        caption = caption_of(clip, given)
        files = {need: given.file(need, f"{clip.name}.pt") for need in self.needs}
        for need, problem in (("face_emb", _face_problem), ("audio_emb", _sound_problem)):
            if told := problem(files[need], frames):
                raise Drop(f"{need}_differs", detail=f"{files[need].name} {told}")
        points = clip.faces(FPS).bridged(_BRIDGED).points
        union = np.max([face_mask(frame, clip.width, clip.height) for frame in points], axis=0)
        name = clip.name
        for need, file in files.items():
            with whole_file(to / f"{need}/{name}.pt") as part:
                shutil.copyfile(file, part)
        with whole_file(to / f"face_mask/{name}.png") as part:
            write_picture(part, union)
        with whole_file(to / f"audios/{name}.wav") as part:
            write_wav(part, clip.samples(HZ), HZ)
        write_text(to / f"caption/{name}.txt", caption.text)
        with whole_file(to / f"videos/{name}.mp4") as part:
            put_video(clip, part, FPS)
        return {"name": name, "frames": frames, "text": caption.text, "caption": caption.made_by}

    def finish(self, written: Sequence[Written], to: Path, given: Given) -> None:
        root = to.resolve()
        for split, name in _LISTS.items():
            rows = [_row(root, clip.note["name"], clip.note["text"]) for clip in written if clip.split == split]
            write_text(to / name, json.dumps(rows, indent=1, ensure_ascii=False) + "\n")

    def validate(self, folder: Path) -> Iterator[str]:
        listed: Counter[str] = Counter()
        for split, name in _LISTS.items():
            rows, problems = json_list(folder / name)
            yield from (problem for problem in problems if split == "train" or "names no clip" not in problem)
            for number, row in enumerate(rows):
                if missing := [key for key in _KEYS if not isinstance(row.get(key), str)]:
                    yield f"{name}: entry {number} has no {', '.join(missing)}"
                    continue
                listed[Path(row["video_path"]).name] += 1
                yield from (f"{row['video_path']}: {problem}" for problem in _problems(row))
        for path in sorted((folder / "videos").glob("*.mp4")):
            if not listed[path.name]:
                yield (
                    f"videos/{path.name}: is in no list; what failed while features were made is left out without a"
                    " word"
                )
        if (folder / "images").is_dir() and "images" in str(folder.resolve()):
            yield f"{folder}: its path holds 'images', and extract_meta_info.py replaces the word wherever it is"


def _row(root: Path, name: str, caption: str) -> dict[str, str]:
    return {
        "video_path": str(root / f"videos/{name}.mp4"),
        "face_mask_union_path": str(root / f"face_mask/{name}.png"),
        "face_emb_path": str(root / f"face_emb/{name}.pt"),
        "vocals_emb_base_all": str(root / f"audio_emb/{name}.pt"),
        "caption": caption,
    }


def _face_problem(path: Path, frames: int) -> str:
    shape = torch_shape(path)
    return shape if isinstance(shape, str) else "" if shape == _FACE else f"has the shape {shape}, not {_FACE}"


def _sound_problem(path: Path, frames: int) -> str:
    shape = torch_shape(path)
    if isinstance(shape, str):
        return shape
    fits = shape[1:] == _SOUND and shape[0] >= frames
    return "" if fits else f"has the shape {shape}, not ({frames} or more, {_SOUND[0]}, {_SOUND[1]})"


def _problems(row: dict[str, str]) -> Iterator[str]:
    facts = video_facts(Path(row["video_path"]))
    if isinstance(facts, str):
        yield facts
        return
    frames, width, height, _ = facts
    if frames < LEAST:
        yield f"has {frames} frames, {LEAST} are needed"
    if problem := mask_problem(Path(row["face_mask_union_path"]), (width, height)):
        yield f"its mask {problem}; the frame is multiplied by it"
    if problem := _face_problem(Path(row["face_emb_path"]), frames):
        yield f"its face_emb {problem}"
    if problem := _sound_problem(Path(row["vocals_emb_base_all"]), frames):
        yield f"its vocals_emb_base_all {problem}"
    if not row["caption"].strip():
        yield "has no caption"
