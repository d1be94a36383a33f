"""MuseTalk's files, read back, and each trap of its loader made on purpose."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from operators.base import Drop
from pipeline.export.checks import sound_facts, video_facts, wav_facts
from pipeline.export.clip import ExportClip
from pipeline.export.corpus_clips import clips_of
from pipeline.export.export import export
from pipeline.export.files import write_mp4, write_wav
from pipeline.export.layout import Given, Refused, Written, layout_named
from pipeline.export.layouts import musetalk
from tests.pipeline.export.layouts.conftest import all_exported, made_corpus, problem

A = "a-000000-006880-t0"
PLACE = Path("dataset/HDTF")


@pytest.fixture(scope="module")
def talks(tmp_path_factory: pytest.TempPathFactory) -> list[ExportClip]:
    """A clip of 6.88 s, whose face is wide enough."""
    return clips_of(made_corpus(tmp_path_factory.mktemp("talk"), {"a": [("collins", 6.88)]}, size=384))


@pytest.fixture(scope="module")
def made(talks: list[ExportClip], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return all_exported("musetalk", talks, tmp_path_factory.mktemp("musetalk"))


def meta(folder: Path) -> dict:
    return json.loads((folder / PLACE / f"meta/{A}.json").read_text())


def test_boxes_and_points_are_there_for_every_frame(made: Path, talks: list[ExportClip]) -> None:
    held = meta(made)
    assert held["mp4_path"] == f"./dataset/HDTF/video_audio_clip_root/{A}.mp4"
    assert video_facts(made / held["mp4_path"]) == (172, 384, 384, 25.0)
    assert wav_facts(made / held["wav_path"]) == (16000, 172 * 640)
    assert np.shape(held["face_list"]) == (172, 4)
    assert np.shape(held["landmark_list"]) == (172, 68, 2)
    assert np.abs(np.array(held["landmark_list"]) - talks[0].faces(25).landmarks_68).max() <= 0.5
    left, top, right, bottom = held["face_list"][0]
    assert held["face_size"] == [bottom - top, right - left]
    assert (left, top) < (right, bottom)


def test_lists_begin_with_a_header_and_name_files_of_meta(made: Path) -> None:
    assert (made / PLACE / "train.txt").read_text() == f"meta\n{A}.json\n"


def test_a_long_clip_is_cut_into_parts(
    talks: list[ExportClip], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(musetalk, "LONGEST", 90)
    monkeypatch.setattr(musetalk, "LEAST", 80)
    (written,) = export("musetalk", talks[:1], tmp_path)
    assert isinstance(written, Written)
    assert written.note["names"] == [f"{A}-000000", f"{A}-000086"]
    second = json.loads((tmp_path / PLACE / f"meta/{A}-000086.json").read_text())
    assert second["landmark_list"] == np.round(talks[0].faces(25).landmarks_68[86:]).astype(int).tolist()
    assert video_facts(tmp_path / second["mp4_path"]) == (86, 384, 384, 25.0)
    assert problem("musetalk", tmp_path) == ""


def test_a_narrow_face_and_a_short_clip_are_refused(
    talks: list[ExportClip], clips: list[ExportClip], tmp_path: Path
) -> None:
    found, small = talks[0].faces(25), replace(talks[0], width=192, height=192)
    small.__dict__["_faces"] = {25.0: replace(found, points=found.points * 0.5)}
    with pytest.raises(Drop, match="face_small") as drop:
        layout_named("musetalk").write(small, tmp_path, Given())
    assert "150 are needed" in drop.value.detail
    outcomes = list(export("musetalk", clips[:1], tmp_path / "short"))
    assert [(one.reason, one.detail) for one in outcomes if isinstance(one, Refused)] == [
        ("too_short", "40 frames, 160 are needed")
    ]


def video(frames: int, fps: float = 25, sound: float = 40.0) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        heard = np.zeros(round(sound * 16000), np.float32) if sound else None
        write_mp4(
            folder / PLACE / f"video_audio_clip_root/{A}.mp4", [np.zeros((64, 64, 3), np.uint8)] * frames, fps, heard
        )

    return change


def of_length(frames: int) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        video(frames)(folder)
        boxes, marks = meta(folder)["face_list"][:1], meta(folder)["landmark_list"][:1]
        told(frames=frames, face_list=boxes * frames, landmark_list=marks * frames)(folder)

    return change


def told(**values: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        kept = {key: value for key, value in {**meta(folder), **values}.items() if value is not None}
        (folder / PLACE / f"meta/{A}.json").write_text(json.dumps(kept))

    return change


def listing(text: str) -> Callable[[Path], None]:
    return lambda folder: write(folder / PLACE / "train.txt", text)


def write(path: Path, text: str) -> None:
    path.write_text(text)


def narrow(folder: Path) -> None:
    held = meta(folder)
    boxes = (np.array(held["face_list"]) // 2).tolist()
    told(face_list=boxes, landmark_list=(np.array(held["landmark_list"]) // 2).tolist())(folder)


@pytest.mark.parametrize(
    ("breaks", "said"),
    [
        (listing(f"{A}.json\n"), f"has no header, and the loader skips its first line, {A}.json"),
        (listing(f"meta\nmeta/{A}.json\n"), f"meta/{A}.json: does not read"),
        (listing("meta\n"), "names no clip, and the loader draws from it"),
        (listing("meta\na b.json\n"), "holds a blank, and the loader reads up to it"),
        (video(171), "of 171"),
        (video(172, fps=30), "has 30 frames a second, and sound is paired at 25"),
        (of_length(701), "has 701 frames, not 160 to 700: beyond them the loader takes the sound of another moment"),
        (of_length(159), "has 159 frames, not 160 to 700"),
        (video(172, sound=0), "the sound of its mp4 holds no sound, and SyncNet's input is that"),
        (video(172, sound=5), "the sound of its mp4 takes 5."),
        (told(landmark_list=[[[0, 0]] * 67] * 172), "points (172, 67, 2)"),
        (told(wav_path=None), "has no wav_path"),
        (narrow, "its first face is"),
        (
            lambda folder: write_wav(folder / PLACE / f"video_audio_clip_root/{A}.wav", np.zeros(16000, np.float32)),
            "takes 1.000 s at 16000 Hz, the pictures 6.880 s",
        ),
        (
            lambda folder: write_wav(
                folder / PLACE / f"video_audio_clip_root/{A}.wav", np.zeros(16000, np.float32), 8000
            ),
            "at 8000 Hz",
        ),
    ],
)
def test_traps_are_told(broken: Path, breaks: Callable[[Path], None], said: str) -> None:
    breaks(broken)
    assert said in problem("musetalk", broken)


def test_the_mp4_carries_its_sound(made: Path) -> None:
    held = sound_facts(made / meta(made)["mp4_path"])
    assert isinstance(held, tuple)
    assert held[0] == 16000


def test_a_face_is_as_wide_as_its_box_and_points_together() -> None:
    marks = np.zeros((68, 2), np.int64)
    marks[:, 0] = np.linspace(90, 310, 68)
    assert musetalk._union_px(np.array([100, 0, 300, 9]), marks) == 220
    assert musetalk._union_px(np.array([50, 0, 400, 9]), marks) == 350
