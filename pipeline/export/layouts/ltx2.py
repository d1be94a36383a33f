"""The trainer of LTX-2, 2.3 and 2.5 (Lightricks/LTX-2 400fd310): mp4 with stereo sound, and dataset.jsonl.

    videos/<clip>-<piece>.mp4             25 frames a second, 121, 89, 57 or 25 of them; sides are multiples of 32
    audio/<clip>-<piece>.wav              48 kHz, two channels where the source has them
    audio_16k/<clip>-<piece>.wav          16 kHz, one channel: no column, for who wants features of speech
    masks/<clip>-<piece>.mp4              where it is to be substituted: black where the mouth is to be made, white
    where all is given dataset.jsonl, dataset_{val,test}.jsonl    video, audio, caption; video_mask arguments.txt
    the buckets to preprocess with

Text to audio and video, audio to video, video to audio, dubbing and in-painting train on it. Run
`scripts/process_dataset.py dataset.jsonl` with what arguments.txt holds, and the model's two paths. Latents are the
trainer's own work, and are not written.

The trainer takes the first frames of a clip, as many as its bucket has, and skips a shorter one with a warning, so
clips are cut into pieces of the buckets' lengths, 8n + 1 each; what is left of a clip is shorter than 25 frames. With
several buckets it trains on one clip at a time. What was said is a part of the caption, which says where it is not
given. Write each export to a folder of its own: what was preprocessed before is kept, whatever has changed since.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from operators.base import Drop
from pipeline.export.captions import TAKES, caption_of, with_speech
from pipeline.export.checks import json_list, sound_facts, video_facts
from pipeline.export.clip import ExportClip
from pipeline.export.files import Picture, whole_file, write_mp4, write_text, write_wav
from pipeline.export.layout import Given, Layout, Note, Written
from pipeline.export.masks import mouth_mask
from pipeline.export.source_sound import HZ, widest
from pipeline.export.video import cut

FPS, SPEECH_HZ = 25, 16000
LENGTHS = (121, 89, 57, 25)  # 8n + 1 each
_STEP, _FRAMES = 32, 8  # the default VAE's factors in space and time
_BRIDGED = 5
_LISTS = {"train": "dataset.jsonl", "val": "dataset_val.jsonl", "test": "dataset_test.jsonl"}
_ARGUMENTS = "arguments.txt"


class LTX2(Layout):
    version = 1
    takes: ClassVar = {"caption": TAKES, "video_mask": "no file: a mask is drawn where it is to be substituted"}
    substitutes: ClassVar = {"video_mask": "the mouth and chin of MediaPipe's mesh, to be made anew, for dubbing"}

    def write(self, clip: ExportClip, to: Path, given: Given) -> Note:
        """
        Raises:
            Drop: `too_short` for fewer than 25 frames; `not_square`; `caption_missing`; `no_face` for the
                mask; those of the decoder.
        """
        pieces = clip.pieces(LENGTHS, FPS)
        if not pieces:
            raise Drop("too_short", detail=f"{clip.count(FPS)} frames, {LENGTHS[-1]} are needed")
        caption, speech = caption_of(clip, given), clip.samples(SPEECH_HZ)
        sound, heard = widest(clip, HZ)
        size = clip.width // _STEP * _STEP
        pictures = clip.pictures(size, FPS)
        masks = _masks(clip, size) if "video_mask" in given.substitutes else None
        rows = []
        for number, piece in enumerate(pieces):
            name = f"{clip.name}-{number:03d}"
            row = {"video": f"videos/{name}.mp4", "audio": f"audio/{name}.wav"}
            row["caption"] = with_speech(caption, clip)
            part_of, wide = cut(pictures, sound, piece, FPS, HZ)
            with whole_file(to / row["audio"]) as part:
                write_wav(part, wide, HZ)
            with whole_file(to / f"audio_16k/{name}.wav") as part:
                write_wav(part, cut(pictures, speech, piece, FPS, SPEECH_HZ)[1], SPEECH_HZ)
            if masks is not None:
                row["video_mask"] = f"masks/{name}.mp4"
                with whole_file(to / row["video_mask"]) as part:
                    write_mp4(part, cut(masks, speech, piece, FPS, SPEECH_HZ)[0], FPS)
            with whole_file(to / row["video"]) as part:
                write_mp4(part, part_of, FPS, wide, HZ)
            rows.append(row)
        buckets = sorted({f"{size}x{size}x{end - first}" for first, end in pieces})
        note = {"rows": rows, "buckets": buckets, "frames": pieces[-1][1]}
        return {**note, "caption": caption.made_by, "sound": heard}

    def finish(self, written: Sequence[Written], to: Path, given: Given) -> None:
        for split, name in _LISTS.items():
            rows = [row for clip in written if clip.split == split for row in clip.note["rows"]]
            write_text(to / name, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
        buckets = sorted({bucket for clip in written for bucket in clip.note["buckets"]})
        write_text(to / _ARGUMENTS, f"--resolution-buckets {';'.join(buckets)}\n")

    def validate(self, folder: Path) -> Iterator[str]:
        words = (folder / _ARGUMENTS).read_text().split() if (folder / _ARGUMENTS).is_file() else []
        buckets = words[1].split(";") if words[:1] == ["--resolution-buckets"] and len(words) > 1 else []
        if not buckets:
            yield f"{_ARGUMENTS}: names no buckets"
        for split, name in _LISTS.items():
            rows, problems = json_list(folder / name)
            yield from (problem for problem in problems if split == "train" or "names no clip" not in problem)
            yield from (f"{name}: {problem}" for problem in _row_problems(rows))
            for row in rows:
                if isinstance(row.get("video"), str):
                    yield from (f"{row['video']}: {problem}" for problem in _problems(folder, row, buckets))
        yield from _stale(folder)
        yield from _lonely(folder)


def _masks(clip: ExportClip, size: int) -> Iterator[Picture]:
    points = clip.faces(FPS).bridged(_BRIDGED).points * (size / clip.width)
    for frame in points:
        yield np.repeat(255 - mouth_mask(frame, size, size)[..., None], 3, axis=2)


def _row_problems(rows: Sequence[dict[str, object]]) -> Iterator[str]:
    for number, row in enumerate(rows):
        for key in ("video", "caption"):
            if not isinstance(row.get(key), str) or not str(row[key]).strip():
                yield f"line {number} has no {key}"
        if set(row) != set(rows[0]):
            differ = ", ".join(sorted(set(row) ^ set(rows[0])))
            yield f"line {number} differs from the first in {differ}: columns are those of the first line"
    for video, count in Counter(str(row.get("video")) for row in rows).items():
        if count > 1:
            yield f"{video} is listed {count} times, and its latents lie under one name"


def _problems(folder: Path, row: dict[str, str], buckets: Sequence[str]) -> Iterator[str]:
    facts = video_facts(folder / row["video"])
    if isinstance(facts, str):
        yield facts
        return
    frames, width, height, fps = facts
    if width % _STEP or height % _STEP:
        yield f"is {width}x{height}, and sides are multiples of {_STEP}"
    if frames % _FRAMES != 1:
        yield f"has {frames} frames, not {_FRAMES}n + 1"
    if buckets and f"{width}x{height}x{frames}" not in buckets:
        yield f"is {width}x{height}x{frames}, which is no bucket: what does not fit is cropped, left out or skipped"
    sound = sound_facts(folder / row["video"])
    if isinstance(sound, str):
        yield f"its sound {sound}"
    if (name := row.get("audio")) is not None:
        if fps != FPS:
            yield f"has {fps:g} frames a second: a sound of its own is cut as if there were {FPS}"
        held = sound_facts(folder / name)
        if isinstance(held, str):
            yield f"{name} {held}"
        elif fps and held[2] / held[0] < frames / fps - 0.5 / held[0]:
            yield f"{name} takes {held[2] / held[0]:.3f} s, the pictures {frames / fps:.3f} s: the rest is silence"
    if (name := row.get("video_mask")) is not None:
        mask = video_facts(folder / name)
        if isinstance(mask, str) or mask[:3] != (frames, width, height):
            yield (
                f"{name} {mask if isinstance(mask, str) else f'is {mask[1]}x{mask[2]}x{mask[0]}'}, the video"
                f" {width}x{height}x{frames}"
            )


def _stale(folder: Path) -> Iterator[str]:
    """Latents that are older than the list: the trainer keeps what it finds, whatever has changed since."""
    newest = max((path.stat().st_mtime for path in folder.glob("dataset*.jsonl")), default=0.0)
    for place in _precomputed(folder):
        old = [path for path in place.rglob("*.pt") if path.stat().st_mtime < newest]
        if old:
            yield (
                f".precomputed/{place.name}: {len(old)} files are older than the lists, and are kept; preprocess with"
                " --overwrite"
            )


def _lonely(folder: Path) -> Iterator[str]:
    """Latents that the trainer leaves out, since another folder holds nothing of the same name."""
    places = {place.name: {path.relative_to(place) for path in place.rglob("*.pt")} for place in _precomputed(folder)}
    for name, held in places.items():
        if name != "latents" and (lonely := places.get("latents", set()) - held):
            yield (
                f".precomputed/{name}: lacks {len(lonely)} files of latents/, {min(lonely)} first: the trainer leaves"
                " them out without a word"
            )


def _precomputed(folder: Path) -> list[Path]:
    return sorted(place for place in folder.glob(".precomputed/*") if place.is_dir())
