"""DiffSynth-Studio's files, read back, and each trap of its loader made on purpose."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipeline.export.checks import video_facts, wav_facts
from pipeline.export.clip import ExportClip
from pipeline.export.files import write_mp4, write_wav
from pipeline.export.layout import Given
from tests.pipeline.export.layouts.conftest import all_exported, exported, problem

FIRST = "a-000000-006880-t0-000"
BLACK = np.zeros((256, 256, 3), np.uint8)


@pytest.fixture(scope="module")
def made(talks: list[ExportClip], tmp_path_factory: pytest.TempPathFactory) -> Path:
    to = tmp_path_factory.mktemp("diffsynth")
    return all_exported("diffsynth", talks, to, Given(substitutes=frozenset(["pose"])))


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "metadata.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_pieces_are_of_lengths_that_the_loader_takes_whole(made: Path) -> None:
    rows = rows_of(made)
    assert [Path(row["video"]).stem for row in rows] == [
        f"{who}-000000-006880-t0-{n:03d}" for who in "ab" for n in (0, 1)
    ]
    assert [video_facts(made / row["video"]) for row in rows[:2]] == [(81, 256, 256, 16.0), (17, 256, 256, 16.0)]
    assert [wav_facts(made / row["input_audio"]) for row in rows[:2]] == [(16000, 81000), (16000, 17000)]
    assert [video_facts(made / row["s2v_pose_video"]) for row in rows[:2]] == [
        (81, 256, 256, 16.0),
        (17, 256, 256, 16.0),
    ]
    assert {row["prompt"] for row in rows} == {"A person speaking."}
    assert "--num_frames 81" in (made / "arguments.txt").read_text()
    assert "s2v_pose_video" in (made / "arguments.txt").read_text()


def test_the_second_piece_goes_on_where_the_first_ends(made: Path, talks: list[ExportClip]) -> None:
    import av

    with av.open(str(made / rows_of(made)[1]["video"])) as container:
        shown = next(container.decode(video=0)).to_ndarray(format="rgb24").astype(float)
    wanted = [picture.astype(float) for picture in talks[0].pictures(256)]
    off = [np.abs(shown - picture).mean() for picture in wanted]
    assert abs(int(np.argmin(off)) - round(81 / 16 * 25)) % 25 <= 1, "the portrait sways once a second"


def test_a_clip_of_16_frames_is_refused(clips: list[ExportClip], tmp_path: Path) -> None:
    written, refused = exported("diffsynth", clips, tmp_path)
    assert [one.note["frames"] for one in written] == [17, 17, 17]
    assert not refused


def video(fps: float, frames: int, size: int = 256) -> Callable[[Path], None]:
    picture = BLACK[:size]
    return lambda folder: void(write_mp4(folder / f"video/{FIRST}.mp4", [picture] * frames, fps))


def void(_: object) -> None: ...


def cell(column: str, value: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        rows = rows_of(folder)
        rows[0][column] = value
        with (folder / "metadata.csv").open("w", newline="") as stream:
            table = csv.DictWriter(stream, list(rows[0]))
            table.writeheader()
            table.writerows(rows)

    return change


@pytest.mark.parametrize(
    ("breaks", "told"),
    [
        (video(25, 81), "has 25 frames a second, and the model hears it at 16: lips and sound drift apart"),
        (video(16, 80), "has 80 frames, of which the loader takes 77: 4n + 1"),
        (video(16, 97), "has 97 frames, and the loader takes the first 81 each time"),
        (video(16, 81, 250), "is 256x250: sides are cropped to multiples of 16"),
        (cell("prompt", ""), "row 0 has an empty prompt, which arrives as the number NaN"),
        (cell("input_audio", "NA"), "row 0 has an empty input_audio, which arrives as the number NaN"),
        (cell("video", f"video/{FIRST}x.mp4"), "does not decode"),
        (cell("video", "video/b-000000-006880-t0-000.mp4"), "is listed 2 times"),
        (
            lambda folder: write_wav(folder / f"audio/{FIRST}.wav", np.zeros(80000, np.float32)),
            "takes 5.000 s, the pictures 5.062 s",
        ),
        (
            lambda folder: void(write_mp4(folder / f"pose/{FIRST}.mp4", [BLACK] * 80, 16)),
            "has 80 frames at 16 a second, and the video 81 at 16",
        ),
        (
            lambda folder: void((folder / "arguments.txt").write_text("--height 448 --width 832 --num_frames 81")),
            "is 256x256, and arguments.txt asks for 832x448: the loader crops to 54% of the picture",
        ),
        (lambda folder: void((folder / "metadata.csv").write_text("video\n")), "has no column prompt"),
        (lambda folder: void((folder / "metadata.csv").write_text("video,prompt\n")), "names no video"),
        (lambda folder: (folder / "metadata.csv").unlink(), "metadata.csv: missing"),
    ],
)  # fmt: skip
def test_traps_are_told(broken: Path, breaks: Callable[[Path], None], told: str) -> None:
    breaks(broken)
    assert told in problem("diffsynth", broken)


def test_prompts_that_are_all_numbers_are_told(broken: Path) -> None:
    (broken / "metadata.csv").write_text(f"video,prompt\nvideo/{FIRST}.mp4,7\n")
    assert "all prompts are numbers, and arrive as such" in problem("diffsynth", broken)
