"""DiffTalk's files, read back, and broken in the ways its loader would choke on."""

from pathlib import Path

import numpy as np
import pytest

from operators.models.mfcc import mfcc
from pipeline.export.clip import ExportClip
from pipeline.export.corpus_clips import clips_of
from pipeline.export.files import write_lines
from pipeline.export.layout import Given
from pipeline.export.layouts.difftalk import smoothed, substitute
from tests.pipeline.export.layouts.conftest import exported, made_corpus, problem

pytestmark = pytest.mark.slow  # clips of five seconds, and their faces
SUBSTITUTED = Given(substitutes=frozenset({"deepspeech"}))
HDTF = "data/HDTF"


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> list[ExportClip]:
    """The first clip has 121 frames, one fewer than the loader needs."""
    return clips_of(
        made_corpus(
            tmp_path_factory.mktemp("long"),
            {"a": [("hopper", 4.84)], "b": [("hopper", 4.88)], "c": [("collins", 4.88)]},
        )
    )


@pytest.fixture(scope="module")
def made(long: list[ExportClip], tmp_path_factory: pytest.TempPathFactory) -> Path:
    to = tmp_path_factory.mktemp("difftalk")
    written, refused = exported("difftalk", long, to, SUBSTITUTED)
    assert [(one.clip_id[0], one.reason, one.detail) for one in refused] == [
        ("a", "too_short", "121 frames, 122 are needed")
    ]
    assert [one.note["number"] for one in written] == [2, 3]
    return to


def test_numbers_stay_with_their_clips_and_lead_to_their_lines(made: Path) -> None:
    assert (made / HDTF / "data.txt").read_text() == "refused 0\nb-000000-004880-t0 122\nc-000000-004880-t0 122\n"
    frames = {(made / f"data/data_{split}.txt").read_text() for split in ("train", "test")}
    assert frames == {"".join(f"{clip}_{frame}\n" for frame in range(1, 123)) for clip in (2, 3)}


def test_landmarks_are_text_in_pixels_of_the_picture(made: Path, long: list[ExportClip]) -> None:
    points = np.loadtxt(made / HDTF / "landmarks/2_1.lms")
    assert points == pytest.approx(long[1].faces().landmarks_68[0], abs=1e-3)


def test_windows_are_those_around_each_frame() -> None:
    windows = np.arange(1, 7, dtype=np.float32)[:, None, None] * np.ones((6, 16, 29), np.float32)
    assert smoothed(windows)[0, :, 0, 0].tolist() == [0, 0, 0, 0, 1, 2, 3, 4]
    assert smoothed(windows)[5, :, 0, 0].tolist() == [2, 3, 4, 5, 6, 0, 0, 0]


def test_the_substitute_hears_what_is_said_at_the_frame() -> None:
    samples = np.random.default_rng(0).normal(0, 0.1, 32000).astype(np.float32)
    windows = substitute(samples, 50)
    assert windows.shape == (50, 16, 29)
    assert windows[20, 8, :13] == pytest.approx(mfcc(samples)[80], rel=1e-5), (
        "row 8 of the window is that of 0.8 s, when frame 20 begins"
    )
    assert not windows[..., 13:].any()
    assert not windows[0, :8].any(), "nothing is heard before the beginning"


def test_features_that_are_given_are_taken_as_they_are(long: list[ExportClip], tmp_path: Path) -> None:
    given = np.random.default_rng(1).random((122, 16, 29))
    np.save(tmp_path / "b-000000-004880-t0.npy", given)
    np.save(tmp_path / "c-000000-004880-t0.npy", given[:121])
    from pipeline.export.export import export
    from pipeline.export.layout import Refused, Written

    outcomes = list(export("difftalk", long, tmp_path / "to", Given({"deepspeech": tmp_path})))
    assert [one.reason if isinstance(one, Refused) else "" for one in outcomes] == [
        "too_short",
        "",
        "deepspeech_differs",
    ]
    assert isinstance(outcomes[1], Written)
    assert np.load(tmp_path / "to" / HDTF / "audio_smooth/2_10.npy")[4] == pytest.approx(given[9])


def test_what_the_loader_would_choke_on_is_told(made: Path) -> None:
    split = "train" if (made / "data/data_train.txt").read_text().startswith("2_") else "test"
    before = (made / HDTF / "data.txt").read_text()
    (made / HDTF / "audio_smooth/2_5.npy").unlink()
    np.save(made / HDTF / "audio_smooth/2_6.npy", np.ones((16, 29)))
    (made / HDTF / "images/2_7.jpg").write_bytes(b"no picture")
    write_lines(made / HDTF / "landmarks/2_8.lms", ["1 2"] * 67)
    with (made / f"data/data_{split}.txt").open("a") as stream:
        stream.write("9_1\n")
    told = problem("difftalk", made)
    for line in (
        "audio_smooth/2_5.npy: does not read", "audio_smooth/2_6.npy: has the shape (16, 29)",
        "images/2_7.jpg: does not decode",
        "landmarks/2_8.lms: holds no 68 points", "9_1 leads to no line of data.txt",
    ):  # fmt: skip
        assert line in told
    (made / HDTF / "data.txt").write_text(before.replace("122", "121"))
    assert "2_61: no frame of the 121 is 60 away from it" in problem("difftalk", made)
    (made / HDTF / "data.txt").write_text(before.replace("122", "200"))
    assert "2: has fewer frames than data.txt says, 200" in problem("difftalk", made)
    (made / HDTF / "data.txt").write_text("only a name\n")
    assert "is missing, or has a line that is not a name and a number" in problem("difftalk", made)
