"""Stereo is the source's own, in the clip's span; mono is said to be mono."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.export.clip import ExportClip, SourceFile
from pipeline.export.source_sound import widest
from tests.made_videos import tone, write_video


def clip_of(source: SourceFile | None, start_s: float = 1.0, frames: int = 25) -> ExportClip:
    return ExportClip(
        "s/1/t0", "s", "who", "train", start_s, start_s + frames / 25, "", "", "", 25.0, 64, 64, frames, source=source
    )


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> SourceFile:
    """Three seconds: 300 Hz on the left, and on the right 700 Hz, which turns to 900 Hz after two seconds."""
    left = tone(3, 48000, 300)
    right = np.concatenate([tone(2, 48000, 700), tone(1, 48000, 900)])
    sound = np.stack([left, right], axis=1)
    path = tmp_path_factory.mktemp("stereo") / "s.mkv"
    write_video(path, [("gray", 3.0)], audio=sound, audio_hz=48000, audio_codec="pcm_s16le", fps=25)
    return SourceFile(str(path), "", "", None, 2)


def hertz(samples: np.ndarray) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(samples))) * 48000 / len(samples))


def test_both_channels_of_the_span(source: SourceFile) -> None:
    sound, told = widest(clip_of(source))
    assert told == "source: stereo"
    assert sound.shape == (2, 48000)
    assert [hertz(channel) for channel in sound] == [pytest.approx(300, abs=1), pytest.approx(700, abs=1)]
    assert np.abs(sound[0] - tone(3, 48000, 300)[48000:96000]).max() < 0.001, "to the sample"


def test_it_is_moved_as_the_clip_was(source: SourceFile) -> None:
    sound, _ = widest(replace(clip_of(source), sound_late_s=0.5))
    assert hertz(sound[1, :20000]) == pytest.approx(700, abs=3)
    assert hertz(sound[1, 28000:]) == pytest.approx(900, abs=3)


def test_what_is_no_stereo_comes_from_the_render_and_says_why(source: SourceFile, tmp_path: Path) -> None:
    render = write_video(tmp_path / "r.mkv", [("gray", 1.0)], audio=tone(1, 48000, 500), audio_hz=48000,
                         audio_codec="pcm_s16le", fps=25)  # fmt: skip
    for other, why in (
        (None, "no source is known"),
        (replace(source, uri=str(tmp_path / "gone.mkv")), "the source is not at hand"),
        (replace(source, audio_channels=1), "the source is mono"),
        (SourceFile(str(render), "", "", None, 0), "the source is mono"),
    ):
        clip = clip_of(other, start_s=0.0)
        clip.__dict__["path"] = render
        sound, told = widest(clip)
        assert told == f"render: {why}"
        assert sound.shape == (1, 48000)
        assert hertz(sound[0]) == pytest.approx(500, abs=1)
