"""PC-AVS's files, read back, and broken in the ways its loader would choke on."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.export.checks import wav_facts
from pipeline.export.clip import ExportClip
from pipeline.export.files import write_wav
from pipeline.export.layouts.pc_avs import alignments
from tests.pipeline.export.layouts.conftest import exported, problem

FRAMES, SOUND = "frames/a-000000-001600-t0", "audio/a-000000-001600-t0.wav"


@pytest.fixture(scope="module")
def made(clips: list[ExportClip], tmp_path_factory: pytest.TempPathFactory) -> Path:
    to = tmp_path_factory.mktemp("pc_avs")
    written, refused = exported("pc_avs", clips, to)
    assert [one.clip_id[0] for one in written] == ["a", "b"]
    assert [(one.clip_id[0], one.reason) for one in refused] == [("c", "no_face")], (
        "as the authors' script gives such a clip up"
    )
    return to


def test_frames_count_from_0_and_a_line_names_all(made: Path) -> None:
    assert sorted(path.name for path in (made / FRAMES).iterdir()) == [f"{n:06d}.jpg" for n in range(40)]
    assert wav_facts(made / SOUND) == (16000, 25600)
    lines = [line.split() for split in ("train", "test") for line in (made / f"{split}.csv").read_text().splitlines()]
    folder = f"misc/{FRAMES}"
    assert sorted(lines)[0] == [folder, "40", folder, "40", f"misc/{SOUND}", folder, "40", "None"]


def test_eyes_and_mouth_go_to_their_places() -> None:
    places = np.array([(87.0, 59.0), (137.0, 59.0), (112.0, 120.0)])
    angle = np.radians(10)
    turned = 1.7 * places @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) + 30
    landmarks = np.zeros((2, 68, 2))
    landmarks[:, 36:42], landmarks[:, 42:48], landmarks[:, 60:68] = turned[:, None]
    still = [turn[:, :2] @ turned.T + turn[:, 2:] for turn in alignments(landmarks)]
    assert np.array(still) == pytest.approx(np.array([places.T] * 2), abs=1e-9)


def test_each_frame_is_moved_to_keep_the_mouth_but_a_fifth_of_the_last_shift_stays() -> None:
    landmarks = np.zeros((2, 68, 2))
    landmarks[:, 36:42], landmarks[:, 42:48], landmarks[:, 60:68] = (87, 59), (137, 59), (112, 120)
    landmarks[0] -= (10, 0)
    landmarks[1] += (10, 0)
    mouths = [
        turn[:, :2] @ points[60] + turn[:, 2] for turn, points in zip(alignments(landmarks), landmarks, strict=True)
    ]
    assert mouths[0] == pytest.approx([112, 120], abs=1e-9)
    assert mouths[1] == pytest.approx([112 + 0.2 * 10 + 0.2 * 10, 120], abs=1e-9), (
        "it needs -10, the last one was +10: -6 is done"
    )


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (f"a b {FRAMES} 40", "has 4 fields, not 8"),
        (f"misc/{FRAMES} 39 misc/{FRAMES} 40 misc/{SOUND} misc/{FRAMES} 40 None", "holds 40 frames, the line says 39"),
        (
            f"misc/{FRAMES} 40 misc/{FRAMES} 40 misc/audio/none.wav misc/{FRAMES} 40 None",
            "misc/audio/none.wav: does not read",
        ),
    ],
)
def test_lines_the_loader_would_choke_on_are_told(broken: Path, line: str, told: str) -> None:
    (broken / "train.csv").write_text(f"{line}\n")
    assert f"train.csv:1: {told}" in problem("pc_avs", broken).replace(f"misc/{FRAMES}: holds", "holds")


def test_sound_that_is_longer_than_the_frames_is_told(broken: Path) -> None:
    write_wav(broken / SOUND, np.zeros(27200, np.float32))
    assert "holds 40 frames, and the sound goes on to frame 41" in problem("pc_avs", broken)
    write_wav(broken / SOUND, np.zeros(1600, np.float32))
    assert "is too short for a frame to be left" in problem("pc_avs", broken)
    write_wav(broken / SOUND, np.zeros(40 * 1764, np.float32), 44100)
    assert "is at 44100 Hz, not 16000" in problem("pc_avs", broken)


def test_frames_the_loader_would_choke_on_are_told(broken: Path) -> None:
    (broken / FRAMES / "000003.jpg").write_bytes(b"no picture")
    assert "000003.jpg: does not decode" in problem("pc_avs", broken)
    (broken / FRAMES / "000004.jpg").rename(broken / FRAMES / "000040.jpg")
    assert "its frames are not 000000.jpg and on" in problem("pc_avs", broken)
    for split in ("train", "test"):
        (broken / f"{split}.csv").write_text("")
    assert "name no clip" in problem("pc_avs", broken)
