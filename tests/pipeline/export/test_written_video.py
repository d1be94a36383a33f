"""The rate and the colours of an exported video are those it was given."""

import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from pipeline.export.checks import video_facts
from pipeline.export.files import whole_file, write_mp4, write_wav
from tests.made_videos import COLOURS


@pytest.mark.parametrize(
    ("fps", "rate"),
    [
        (30000 / 1001, Fraction(30000, 1001)),
        (29.97, Fraction(2997, 100)),
        (24000 / 1001, Fraction(24000, 1001)),
        (30, Fraction(30)),
    ],
)
def test_a_rate_is_written_as_it_is(tmp_path: Path, fps: float, rate: Fraction) -> None:
    picture = np.zeros((64, 64, 3), np.uint8)
    assert write_mp4(tmp_path / "a.mp4", [picture] * 40, fps) == 40
    with av.open(str(tmp_path / "a.mp4")) as container:
        stream = container.streams.video[0]
        assert stream.average_rate == pytest.approx(rate, rel=1e-5)
        assert abs(float(stream.average_rate or 0) - round(fps)) > 0.02 or fps == round(fps)
        last = [frame.time for frame in container.decode(stream)][-1]
        assert last == pytest.approx(39 / fps, abs=0.0005)
    facts = video_facts(tmp_path / "a.mp4")
    assert not isinstance(facts, str)
    assert facts[:3] == (40, 64, 64)


@pytest.mark.parametrize("name", ["red", "green", "blue", "yellow"])
def test_colours_are_of_the_matrix_that_the_file_names(tmp_path: Path, name: str) -> None:
    write_mp4(tmp_path / "a.mp4", [np.full((64, 64, 3), COLOURS[name], np.uint8)] * 3, 25)
    with av.open(str(tmp_path / "a.mp4")) as container:
        frame = next(container.decode(video=0))
    assert (frame.colorspace, frame.color_primaries, frame.color_trc, frame.color_range) == (1, 1, 1, 1)
    luma = np.frombuffer(memoryview(frame.planes[0]), np.uint8).reshape(-1, frame.planes[0].line_size)[:64, :64].mean()
    red, green, blue = (value / 255 for value in COLOURS[name])
    assert luma == pytest.approx(16 + 219 * (0.2126 * red + 0.7152 * green + 0.0722 * blue), abs=2), "ITU-R BT.709"


def test_what_is_no_video_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("only some words\n" * 100)
    assert str(video_facts(tmp_path / "a.mp4")).startswith("does not decode (")


def test_sound_beyond_full_scale_is_cut_and_does_not_wrap(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", np.array([1.5, -1.5, 0.5], np.float32), 8000)
    with wave.open(str(tmp_path / "a.wav")) as file:
        assert np.frombuffer(file.readframes(3), "<i2").tolist() == [32767, -32767, 16384]


def test_a_picture_is_as_wide_and_as_high_as_it_was_given(tmp_path: Path) -> None:
    write_mp4(tmp_path / "a.mp4", [np.zeros((48, 96, 3), np.uint8)] * 2, 25)
    assert video_facts(tmp_path / "a.mp4") == (2, 96, 48, 25.0)


def test_a_file_that_fails_leaves_nothing_and_what_was_there_stays(tmp_path: Path) -> None:
    def fail() -> None:
        with whole_file(tmp_path / "a.txt") as part:
            part.write_text("half")
            raise RuntimeError

    (tmp_path / "a.txt").write_text("before")
    with pytest.raises(RuntimeError):
        fail()
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a.txt", "before")]
