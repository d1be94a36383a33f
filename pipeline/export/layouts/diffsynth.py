"""DiffSynth-Studio (modelscope/DiffSynth-Studio fed7b18f): mp4 and wav at 16 frames a second, and metadata.csv.

    video/<clip>-<piece>.mp4              16 frames a second, 81, 49, 33 or 17 of them
    audio/<clip>-<piece>.wav              16 kHz, from the first frame's beginning to the last one's end
    pose/<clip>-<piece>.mp4               where a pose video is given or drawn
    metadata.csv, metadata_{val,test}.csv    video, input_audio, prompt; s2v_pose_video
    arguments.txt                         what to start the trainer with

Wan2.2-S2V trains on it, OmniAvatar's base did, and by other columns every model of DiffSynth-Studio. `input_image` is
no column: it is the first frame of the video. Give `examples/wanvideo/model_training/train.py` the folder as
`--dataset_base_path`, metadata.csv as `--dataset_metadata_path`, and what arguments.txt holds: without `--height` and
`--width` it crops nothing, and with the 448 and 832 of its own script a square picture loses nearly half of its height,
chin and forehead first.

The model hears sound at 16 features a second whatever the file's rate is, and takes frames as they come, so the rate is
16: at 25, lips and sound drift apart by 25/16. It takes the first 81 frames of a video, or 4n + 1 where there are
fewer, so clips are cut into pieces of such lengths; what is left of a clip is shorter than 17 frames.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from operators.base import Drop
from pipeline.export.captions import TAKES, caption_of
from pipeline.export.checks import video_facts, wav_facts
from pipeline.export.clip import ExportClip
from pipeline.export.files import whole_file, write_mp4, write_text, write_wav
from pipeline.export.layout import Given, Layout, Note, Written
from pipeline.export.pose_video import POSE_SUBSTITUTE, pose_pictures
from pipeline.export.video import cut

FPS, HZ = 16, 16000
LENGTHS = (81, 49, 33, 17)  # 4n + 1 each
_STEP = 16  # sides that are no multiple are cropped
_MOST_PX = 1920 * 1080  # the loader makes larger pictures smaller
_LISTS = {"train": "metadata.csv", "val": "metadata_val.csv", "test": "metadata_test.csv"}
_ARGUMENTS = "arguments.txt"
# What pandas takes for no value at all.
_NO_VALUE = frozenset(
    [
        "",
        "#N/A",
        "#N/A N/A",
        "#NA",
        "-1.#IND",
        "-1.#QNAN",
        "-NaN",
        "-nan",
        "1.#IND",
        "1.#QNAN",
        "<NA>",
        "N/A",
        "NA",
        "NULL",
        "NaN",
        "None",
        "n/a",
        "nan",
        "null",
    ]
)


class DiffSynth(Layout):
    version = 1
    takes: ClassVar = {"caption": TAKES, "pose": "no file: a pose video is drawn where it is to be substituted"}
    substitutes: ClassVar = {"pose": POSE_SUBSTITUTE}

    def write(self, clip: ExportClip, to: Path, given: Given) -> Note:
        """
        Raises:
            Drop: `too_short` for fewer than 17 frames at 16 a second; `not_square`; `caption_missing`; `no_face` and
                `no_face` for the pose that is drawn; those of the decoder.
        """
        pieces = clip.pieces(LENGTHS, FPS)
        if not pieces:
            raise Drop("too_short", detail=f"{clip.count(FPS)} frames at {FPS} a second, {LENGTHS[-1]} are needed")
        caption, samples = caption_of(clip, given), clip.samples(HZ)
        pictures = clip.pictures(clip.width // _STEP * _STEP, FPS)
        poses = pose_pictures(clip, FPS) if "pose" in given.substitutes else None
        rows = []
        for number, piece in enumerate(pieces):
            name = f"{clip.name}-{number:03d}"
            row = {"video": f"video/{name}.mp4", "input_audio": f"audio/{name}.wav", "prompt": caption.text}
            part_of, heard = cut(pictures, samples, piece, FPS, HZ)
            with whole_file(to / row["input_audio"]) as part:
                write_wav(part, heard, HZ)
            if poses is not None:
                row["s2v_pose_video"] = f"pose/{name}.mp4"
                with whole_file(to / row["s2v_pose_video"]) as part:
                    write_mp4(part, cut(poses, samples, piece, FPS, HZ)[0], FPS)
            with whole_file(to / row["video"]) as part:
                write_mp4(part, part_of, FPS, heard, HZ)
            rows.append(row)
        return {"rows": rows, "frames": pieces[-1][1], "caption": caption.made_by}

    def finish(self, written: Sequence[Written], to: Path, given: Given) -> None:
        for split, name in _LISTS.items():
            rows = [row for clip in written if clip.split == split for row in clip.note["rows"]]
            stream = io.StringIO()
            columns = ["video", "input_audio", "prompt", *(["s2v_pose_video"] if "pose" in given.substitutes else [])]
            table = csv.DictWriter(stream, columns, lineterminator="\n")
            table.writeheader()
            table.writerows(rows)
            write_text(to / name, stream.getvalue())
        posed = ",s2v_pose_video" if "pose" in given.substitutes else ""
        arguments = f"--data_file_keys video,input_audio{posed} --extra_inputs input_image,input_audio{posed}"
        write_text(to / _ARGUMENTS, f"{arguments} --num_frames {LENGTHS[0]}\n")

    def validate(self, folder: Path) -> Iterator[str]:
        size = _asked_size(folder)
        for split, name in _LISTS.items():
            rows, problems = _rows(folder / name, may_be_empty=split != "train")
            yield from (f"{name}: {problem}" for problem in problems)
            for row in rows:
                yield from (f"{row['video']}: {problem}" for problem in _problems(folder, row, size))


def _rows(path: Path, may_be_empty: bool) -> tuple[list[dict[str, str]], list[str]]:
    """The rows of a list that name a video, and what is wrong with the list as pandas reads it."""
    if not path.is_file():
        return [], ["missing"]
    with path.open(newline="", encoding="utf-8") as stream:
        table = csv.DictReader(stream)
        rows = list(table)
    columns = table.fieldnames or []
    if missing := [name for name in ("video", "prompt") if name not in columns]:
        return [], [f"has no column {', '.join(missing)}, which the trainer reads of each row"]
    if not rows:
        return [], [] if may_be_empty else ["names no video, and the loader draws from it"]
    problems = []
    for number, row in enumerate(rows):
        if empty := [name for name in columns if (row[name] or "").strip() in _NO_VALUE]:
            problems.append(f"row {number} has an empty {', '.join(empty)}, which arrives as the number NaN")
    if all(_is_number(row["prompt"]) for row in rows):
        problems.append("all prompts are numbers, and arrive as such")
    videos = [row["video"] for row in rows]
    problems += [
        f"{video} is listed {videos.count(video)} times" for video in sorted({v for v in videos if videos.count(v) > 1})
    ]
    return [row for row in rows if row["video"]], problems


def _is_number(text: str | None) -> bool:
    try:
        float(text or "")
    except ValueError:
        return False
    return True


def _asked_size(folder: Path) -> tuple[int, int] | None:
    """Width and height that arguments.txt asks for; None where it leaves them to the pictures."""
    path = folder / _ARGUMENTS
    words = path.read_text().split() if path.is_file() else []
    told = {words[at]: words[at + 1] for at in range(len(words) - 1) if words[at] in ("--width", "--height")}
    return (int(told["--width"]), int(told["--height"])) if len(told) == 2 else None


def _problems(folder: Path, row: dict[str, str], asked: tuple[int, int] | None) -> Iterator[str]:
    facts = video_facts(folder / row["video"])
    if isinstance(facts, str):
        yield facts
        return
    frames, width, height, fps = facts
    if fps != FPS:
        yield f"has {fps:g} frames a second, and the model hears it at {FPS}: lips and sound drift apart"
    if frames % 4 != 1:
        yield f"has {frames} frames, of which the loader takes {(frames - 1) // 4 * 4 + 1 if frames else 0}: 4n + 1"
    if frames > LENGTHS[0]:
        yield f"has {frames} frames, and the loader takes the first {LENGTHS[0]} each time"
    if width % _STEP or height % _STEP or width * height > _MOST_PX:
        yield (
            f"is {width}x{height}: sides are cropped to multiples of {_STEP}, and no more than {_MOST_PX} pixels are"
            " taken"
        )
    if asked and abs(asked[0] / asked[1] - width / height) > 0.01:
        kept = min(asked[0] / asked[1] / (width / height), width / height / (asked[0] / asked[1]))
        yield (
            f"is {width}x{height}, and {_ARGUMENTS} asks for {asked[0]}x{asked[1]}: the loader crops to {kept:.0%} of"
            " the picture"
        )
    if name := row.get("input_audio"):
        sound = wav_facts(folder / name)
        if isinstance(sound, str):
            yield f"{name} {sound}"
        elif sound[1] / sound[0] < frames / FPS - 0.5 / sound[0]:
            yield f"{name} takes {sound[1] / sound[0]:.3f} s, the pictures {frames / FPS:.3f} s"
    if name := row.get("s2v_pose_video"):
        pose = video_facts(folder / name)
        if isinstance(pose, str) or (pose[0], pose[3]) != (frames, fps):
            told = pose if isinstance(pose, str) else f"has {pose[0]} frames at {pose[3]:g} a second"
            yield f"{name} {told}, and the video {frames} at {fps:g}"
