"""VideoX-Fun's audio-driven systems (aigc-apps/VideoX-Fun 804a4258): mp4, wav and one JSON list.

    train/<clip>.mp4                      25 frames a second, 32 beside a pose video, with its sound
    wav/<clip>.wav                        16 kHz, as long as the pictures
    wav_48k/<clip>.wav                    48 kHz, the source's two channels where it has them
    control/<clip>.mp4                    68 points drawn, or what is given as pose: for Wan2.2-S2V alone
    metadata.json, metadata_{val,test}.json    file_path, audio_path, text, type, width, height; control_file_path

InfiniteTalk, FlashHead, LongCat-Video-Avatar, FantasyTalking, LTX-2, LTX-2.3 and MOVA train on it, and, with a pose
video, Wan2.2-S2V. Start their scripts with `--train_data_dir` the folder and `--train_data_meta` its metadata.json. No
loader reads `wav_48k_path`: it is there for who encodes sound in stereo.

The loader takes frames as they come and tells the model `int(fps // stride)`. InfiniteTalk and FlashHead take features
of sound at 25 a second whatever they are told, so the rate is 25. Wan2.2-S2V takes every second frame: of 25 it is told
12 where there are 12.5, and its sound is 0.27 s late at the 80th. With a pose video, which it alone reads, the rate is
32, of which it is told 16: give such an export to no other. A wav that ends before the pictures is an error that the
loader answers by another clip, without a word. A video may be used from any frame on, so clips are not cut.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from pipeline.export.captions import TAKES, caption_of
from pipeline.export.checks import json_list, video_facts, wav_facts
from pipeline.export.clip import ExportClip
from pipeline.export.files import whole_file, write_text, write_wav
from pipeline.export.layout import Given, Layout, Note, Written
from pipeline.export.pose_video import POSE_SUBSTITUTE, POSE_TAKES, put_pose_video
from pipeline.export.source_sound import HZ as WIDE_HZ
from pipeline.export.source_sound import widest
from pipeline.export.video import put_video

FPS, HZ = 25, 16000
POSED_FPS = 32  # by the stride of Wan2.2-S2V, the 16 that it was made for
_STRIDE, _MOST_FPS = 2, 60  # of Wan2.2-S2V; above it a stride of 2 is not enough for the 30 the loader allows
_KEYS = ("file_path", "audio_path", "text")
_LISTS = {"train": "metadata.json", "val": "metadata_val.json", "test": "metadata_test.json"}


class VideoXFun(Layout):
    version = 2
    takes: ClassVar = {"caption": TAKES, "pose": POSE_TAKES}
    substitutes: ClassVar = {"pose": POSE_SUBSTITUTE}

    def write(self, clip: ExportClip, to: Path, given: Given) -> Note:
        """
        Raises:
            Drop: `caption_missing`, `pose_missing` and `pose_differs` for what is given; `no_face` for
                the substitute; those of the decoder.
        """
        caption = caption_of(clip, given)
        sound, heard = widest(clip)
        posed = "pose" in given.substitutes or "pose" in given.folders
        name, fps = clip.name, POSED_FPS if posed else FPS
        row = {"file_path": f"train/{name}.mp4", "audio_path": f"wav/{name}.wav", "wav_48k_path": f"wav_48k/{name}.wav"}
        with whole_file(to / row["audio_path"]) as part:
            write_wav(part, clip.samples(HZ), HZ)
        with whole_file(to / row["wav_48k_path"]) as part:
            write_wav(part, sound, WIDE_HZ)
        if posed:
            row["control_file_path"] = f"control/{name}.mp4"
            with whole_file(to / row["control_file_path"]) as part:
                put_pose_video(clip, given, part, fps)
        with whole_file(to / row["file_path"]) as part:
            put_video(clip, part, fps)
        facts = {"text": caption.text, "type": "video", "width": clip.width, "height": clip.height}
        return {
            "row": {**row, **facts},
            "frames": clip.count(fps),
            "caption": caption.made_by,
            "sound": heard,
        }

    def finish(self, written: Sequence[Written], to: Path, given: Given) -> None:
        for split, name in _LISTS.items():
            rows = [clip.note["row"] for clip in written if clip.split == split]
            write_text(to / name, json.dumps(rows, indent=1, ensure_ascii=False) + "\n")

    def validate(self, folder: Path) -> Iterator[str]:
        rows, problems = json_list(folder / _LISTS["train"])
        yield from problems
        for split in ("val", "test"):
            more, told = json_list(folder / _LISTS[split])
            yield from (problem for problem in told if "names no clip" not in problem)
            rows = [*rows, *more]
        for path, count in Counter(str(row.get("file_path")) for row in rows).items():
            if count > 1:
                yield f"{path}: is listed {count} times"
        for number, row in enumerate(rows):
            if missing := [key for key in _KEYS if not isinstance(row.get(key), str) or not row[key]]:
                yield f"entry {number}: has no {', '.join(missing)}, and the loader draws another clip without a word"
                continue
            yield from (f"{row['file_path']}: {problem}" for problem in _problems(folder, row))


def _rate_problems(fps: float, posed: bool) -> Iterator[str]:
    if posed and (fps % _STRIDE or not _STRIDE <= fps <= _MOST_FPS):
        yield (
            f"has {fps:g} frames a second beside a pose video: of every {_STRIDE}nd the loader tells the model the"
            f" whole part, and wants no more than {_MOST_FPS}"
        )
    if not posed and fps != FPS:
        yield f"has {fps:g} frames a second; the loader tells the model the whole part, and sound is taken at {FPS}"


def _problems(folder: Path, row: dict[str, str]) -> Iterator[str]:
    facts = video_facts(folder / row["file_path"])
    if isinstance(facts, str):
        yield facts
        return
    frames, width, height, fps = facts
    yield from _rate_problems(fps, posed="control_file_path" in row)
    if (row.get("width", width), row.get("height", height)) != (width, height):
        yield (
            f"is {width}x{height}, and the list says {row.get('width')}x{row.get('height')}, by which buckets are"
            " chosen"
        )
    sound = wav_facts(folder / row["audio_path"])
    if isinstance(sound, str):
        yield f"{row['audio_path']} {sound}"
    elif fps and sound[1] / sound[0] < frames / fps - 0.5 / sound[0]:
        yield (
            f"{row['audio_path']} takes {sound[1] / sound[0]:.3f} s, the pictures {frames / fps:.3f} s: the loader"
            " never uses the end"
        )
    if "control_file_path" in row:
        control = video_facts(folder / row["control_file_path"])
        if isinstance(control, str):
            yield f"{row['control_file_path']} {control}"
        elif (control[0], control[3]) != (frames, fps):
            yield (
                f"{row['control_file_path']} has {control[0]} frames at {control[3]:g} a second, the video {frames} at"
                f" {fps:g}"
            )
