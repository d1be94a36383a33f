"""LatentSync's files, read back, and each trap of its loader made on purpose."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from operators.media.frames import VideoFrames
from pipeline.export.checks import sound_facts, video_facts
from pipeline.export.clip import ExportClip
from pipeline.export.export import export
from pipeline.export.faces import find_faces
from pipeline.export.files import write_mp4
from pipeline.export.layout import Refused
from pipeline.export.layouts.latentsync import alignments
from tests.pipeline.export.layouts.conftest import all_exported, problem

BLACK = np.zeros((256, 256, 3), np.uint8)
SILENCE = np.zeros(16000 * 12, np.float32)


@pytest.fixture(scope="module")
def made(talks: list[ExportClip], tmp_path_factory: pytest.TempPathFactory) -> Path:
    scored = [replace(clip, scores={"av_offset_s:mouth_envelope": 0.04, "yaw_deg:": 3.0}) for clip in talks]
    return all_exported("latentsync", scored, tmp_path_factory.mktemp("latentsync"))


@pytest.fixture
def broken(made: Path, tmp_path: Path) -> Path:
    """Its list names absolute paths, so they are brought along."""
    to = shutil.copytree(made, tmp_path / "broken")
    for path in to.glob("fileslist*.txt"):
        path.write_text(path.read_text().replace(str(made.resolve()), str(to.resolve())))
    return to


def first(folder: Path) -> Path:
    return Path((folder / "fileslist.txt").read_text().splitlines()[0])


def test_names_hold_the_render_s_hash_and_paths_are_absolute(made: Path, talks: list[ExportClip]) -> None:
    assert [Path(line).name for line in (made / "fileslist.txt").read_text().splitlines()] == [
        f"{clip.name}-{clip.sha256[:10]}.mp4" for clip in talks
    ]
    assert first(made).is_absolute()
    assert video_facts(first(made)) == (172, 256, 256, 25.0)
    held = sound_facts(first(made))
    assert isinstance(held, tuple)
    assert held[:2] == (16000, 1)
    assert held[2] >= 172 * 640


def test_brows_and_nose_lie_where_the_template_has_them(made: Path, talks: list[ExportClip]) -> None:
    """The template's canvas is 210 by 280, and squeezed to 256 by 256; three points of a face fit it by and large."""
    frames = list(VideoFrames(first(made)))[:20]
    marks = find_faces(frames, 256, 256).landmarks_68
    brows = np.stack([marks[:, 17:22].mean(axis=1), marks[:, 22:27].mean(axis=1)], axis=1)
    nose = marks[:, [29, 30, 31, 35]].mean(axis=1)
    scale = np.array([256 / 75, 256 / 100])
    assert np.abs(brows.mean(axis=0) - np.array([(17, 20), (58, 20)]) * scale).max() < 12
    assert np.abs(nose.mean(axis=0) - np.array((37.5, 40)) * scale).max() < 12
    with av.open(str(first(made))) as container:
        picture = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert picture.std() > 20


def test_a_turned_face_is_turned_back() -> None:
    """Points that are the template's, turned by 20 degrees, doubled and moved, come to lie on it."""
    marks = np.zeros((2, 68, 2))
    template = np.array([(17.0, 20.0), (58.0, 20.0), (37.5, 40.0)]) * 2.8
    angle = np.radians(20)
    turned = 2 * template @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) + (90, 140)
    marks[:, 17:22], marks[:, 22:27], marks[:, [29, 30, 31, 35]] = (turned[n] for n in range(3))
    for turn in alignments(marks, 256):
        assert np.abs(np.round(turned) @ turn[:, :2].T + turn[:, 2] - template).max() < 1.5


def test_sync_scores_are_told_of_each_clip(made: Path) -> None:
    assert '"sync": {"av_offset_s:mouth_envelope": 0.04}' in (made / "export.jsonl").read_text()


def test_short_clips_are_refused(clips: list[ExportClip], tmp_path: Path) -> None:
    outcomes = list(export("latentsync", clips, tmp_path))
    assert [(one.reason, one.detail) for one in outcomes if isinstance(one, Refused)] == [
        ("too_short", "40 frames, 48 are needed")
    ] * 3


def video(
    frames: int, size: tuple[int, int] = (256, 256), fps: float = 25, sound: float = 12.0
) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        picture = np.zeros((size[1], size[0], 3), np.uint8)
        heard = SILENCE[: round(sound * 16000)] if sound else None
        write_mp4(first(folder), [picture] * frames, fps, heard, 16000)

    return change


def same_name(folder: Path) -> None:
    (folder / "other").mkdir()
    shutil.copyfile(first(folder), folder / "other" / first(folder).name)
    with (folder / "fileslist.txt").open("a") as stream:
        stream.write(f"{folder / 'other' / first(folder).name}\n")


def listed(text: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / "fileslist.txt").write_text(text)

    return change


@pytest.mark.parametrize(
    ("breaks", "told"),
    [
        (video(47), "has 47 frames, 48 are needed, and the loader draws again"),
        (video(60, fps=30), "has 30 frames a second, and sound is paired at 25"),
        (video(60, (256, 250)), "is 256x250, not a square of 256 or 512"),
        (video(60, (300, 300)), "is 300x300, not a square of 256 or 512"),
        (video(60, sound=0), "its sound holds no sound"),
        (video(60, sound=1.0), "the pictures 2.400 s: the last window is not full"),
        (same_name, ": 2 files have this name, and what is cached of their sounds is one"),
        (listed("videos/x.mp4\n"), "is no absolute path, and the loader runs elsewhere"),
        (listed("/nowhere/x.mp4\n"), "/nowhere/x.mp4: does not decode"),
        (listed(""), "names no video, and the loader draws for ever"),
    ],
)
def test_traps_are_told(broken: Path, breaks: Callable[[Path], None], told: str) -> None:
    breaks(broken)
    assert told in problem("latentsync", broken)


def test_a_fifth_of_the_last_frame_s_shift_stays() -> None:
    rng = np.random.default_rng(1)
    first, then = (np.cumsum(rng.uniform(1, 9, (68, 2)), axis=0) for _ in range(2))
    _, once, twice = (turn[:, 2] for turn in alignments(np.array([first, then, then]), 256))
    (alone,) = (turn[:, 2] for turn in alignments(np.array([then]), 256))
    assert np.abs(once - alone).max() > 1e-3
    assert twice - alone == pytest.approx(0.2 * (once - alone), abs=1e-9)
