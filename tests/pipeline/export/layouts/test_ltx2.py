"""The files of LTX-2's trainer, read back, and each trap of its preprocessing made on purpose."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from pipeline.export.checks import sound_facts, video_facts, wav_facts
from pipeline.export.clip import ExportClip, SourceFile
from pipeline.export.files import write_mp4, write_wav
from pipeline.export.layout import Given
from tests.made_videos import tone, write_video
from tests.pipeline.export.layouts.conftest import all_exported, exported, problem

FIRST = "a-000000-006880-t0-000"
BLACK = np.zeros((256, 256, 3), np.uint8)
SILENCE = np.zeros((2, 250000), np.float32)


@pytest.fixture(scope="module")
def made(talks: list[ExportClip], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With sound in stereo for the first clip, and words for the second."""
    to = tmp_path_factory.mktemp("ltx2")
    sound = np.stack([tone(6.88, 48000, 300), tone(6.88, 48000, 700)], axis=1)
    stereo = write_video(
        to / "stereo.mkv", [("gray", 6.88)], audio=sound, audio_hz=48000, audio_codec="pcm_s16le", fps=25
    )
    clips = [
        replace(talks[0], source=SourceFile(str(stereo), "", "", None, 2)),
        replace(talks[1], transcript="So be it.", annotations={"caption": "An officer."}),
    ]
    return all_exported("ltx2", clips, to / "to", Given(substitutes=frozenset(["video_mask"])))


def rows_of(folder: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in (folder / "dataset.jsonl").read_text().splitlines()]


def test_pieces_fill_their_buckets(made: Path) -> None:
    rows = rows_of(made)
    assert [row["video"] for row in rows[:2]] == [f"videos/{FIRST}.mp4", "videos/a-000000-006880-t0-001.mp4"]
    assert [video_facts(made / row["video"]) for row in rows[:3]] == [
        (frames, 256, 256, 25.0) for frames in (121, 25, 25)
    ]
    assert (made / "arguments.txt").read_text() == "--resolution-buckets 256x256x121;256x256x25\n"
    assert rows[3]["caption"] == 'An officer. The person says: "So be it."'
    report = json.loads((made / "export.json").read_text())
    assert report["sound"] == {"source: stereo": 1, "render: the source is mono": 1}
    assert report["caption"] == {"measured": 1, "annotation": 1}


def test_stereo_is_kept_beside_mono(made: Path) -> None:
    row = rows_of(made)[0]
    assert sound_facts(made / row["audio"]) == (48000, 2, 121 * 1920)
    held = sound_facts(made / row["video"])
    assert isinstance(held, tuple)
    assert held[:2] == (48000, 2)
    assert wav_facts(made / f"audio_16k/{FIRST}.wav") == (16000, 121 * 640)


def test_the_mask_leaves_the_mouth_to_be_made(made: Path, talks: list[ExportClip]) -> None:
    with av.open(str(made / f"masks/{FIRST}.mp4")) as container:
        mask = next(container.decode(video=0)).to_ndarray(format="rgb24")[..., 0]
    points = talks[0].faces(25).points[0].round().astype(int)
    assert mask[points[14, 1], points[14, 0]] < 40, "the lower lip"
    assert mask[points[6, 1], points[6, 0]] > 215, "the bridge of the nose"
    assert mask[5, 5] > 215
    assert 0.02 < (mask < 128).mean() < 0.3


def test_a_clip_without_a_bucket_is_refused(clips: list[ExportClip], tmp_path: Path) -> None:
    short = [replace(clips[0], frames=24), *clips[1:]]
    _, refused = exported("ltx2", short, tmp_path)
    assert [(one.reason, one.detail) for one in refused] == [("too_short", "24 frames, 25 are needed")]


def video(
    frames: int, size: tuple[int, int] = (256, 256), fps: float = 25, sound: bool = True
) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        picture = np.zeros((size[1], size[0], 3), np.uint8)
        write_mp4(folder / f"videos/{FIRST}.mp4", [picture] * frames, fps, SILENCE if sound else None, 48000)

    return change


def line(**values: str | None) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        rows = rows_of(folder)
        rows[-1] = {key: value for key, value in {**rows[-1], **values}.items() if value is not None}
        (folder / "dataset.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    return change


def void(_: object) -> None: ...


def stale(folder: Path) -> None:
    old = folder / ".precomputed/latents/videos/x.pt"
    old.parent.mkdir(parents=True)
    old.write_bytes(b"")
    os.utime(old, (1.0, 1.0))


def lonely(folder: Path) -> None:
    for name in ("latents/a.pt", "latents/b.pt", "conditions/b.pt"):
        path = folder / ".precomputed" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


@pytest.mark.parametrize(
    ("breaks", "told"),
    [
        (video(121, (250, 256)), "is 250x256, and sides are multiples of 32"),
        (video(120), "has 120 frames, not 8n + 1"),
        (video(129), "is 256x256x129, which is no bucket"),
        (video(121, sound=False), "its sound holds no sound"),
        (video(121, fps=30), "has 30 frames a second: a sound of its own is cut as if there were 25"),
        (line(caption=" "), "line 5 has no caption"),
        (line(audio=None), "line 5 differs from the first in audio: columns are those of the first line"),
        (line(video=f"videos/{FIRST}.mp4"), f"videos/{FIRST}.mp4 is listed 2 times"),
        (
            lambda folder: write_wav(folder / f"audio/{FIRST}.wav", np.zeros(96000, np.float32), 48000),
            "takes 2.000 s, the pictures 4.840 s: the rest is silence",
        ),
        (
            lambda folder: void(write_mp4(folder / f"masks/{FIRST}.mp4", [BLACK] * 25, 25)),
            "is 256x256x25, the video 256x256x121",
        ),
        (stale, ".precomputed/latents: 1 files are older than the lists, and are kept; preprocess with --overwrite"),
        (lonely, ".precomputed/conditions: lacks 1 files of latents/, a.pt first: the trainer leaves them out"),
        (lambda folder: (folder / "arguments.txt").unlink(), "arguments.txt: names no buckets"),
        (lambda folder: void((folder / "dataset.jsonl").write_text("")), "dataset.jsonl: names no clip"),
    ],
)  # fmt: skip
def test_traps_are_told(broken: Path, breaks: Callable[[Path], None], told: str) -> None:
    breaks(broken)
    assert told in problem("ltx2", broken)
