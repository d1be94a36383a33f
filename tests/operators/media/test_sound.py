"""Sound of odd kinds: channels out of phase, several tracks, lengths that nobody can mean."""

import wave
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from operators.base import Drop
from operators.media.sound import SourceAudio, native_channels
from tests.made_videos import tone, write_audio, write_video

HZ = 48000


def loudness(samples: NDArray[np.float32]) -> float:
    return float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [
        (".wav", "pcm_s16le"),
        (".wav", "pcm_u8"),
        (".wav", "pcm_f32le"),
        (".mka", "pcm_s32le"),
        (".m4a", "aac"),
        (".flac", "flac"),
    ],
)
def test_channels_out_of_phase_are_as_loud_as_either(tmp_path: Path, suffix: str, codec: str) -> None:
    voice = tone(3.0, HZ, 300.0, 0.4)
    channels = np.stack([voice, -voice], 1)
    path = tmp_path / f"a{suffix}"
    if codec == "pcm_u8":
        with wave.open(str(path), "wb") as file:
            file.setparams((2, 1, HZ, 0, "NONE", ""))
            file.writeframes((channels * 127 + 128).round().astype(np.uint8).tobytes())
    else:
        write_audio(path, channels, HZ, codec)
    for hz in (16000, HZ):
        heard = SourceAudio(path).samples(0.2, 2.8, hz)
        assert loudness(heard) == pytest.approx(loudness(voice), rel=0.03)
    assert np.abs(SourceAudio(path).samples(0.2, 2.8, HZ) - voice[round(0.2 * HZ) : round(2.8 * HZ)]).max() < 0.05


def test_only_the_seconds_out_of_phase_are_turned(tmp_path: Path) -> None:
    voice = tone(6.0, HZ, 300.0, 0.4)
    right = np.where(np.arange(len(voice)) < 3 * HZ, voice, -voice).astype(np.float32)
    samples = SourceAudio(write_audio(tmp_path / "a.wav", np.stack([voice, right], 1), HZ)).samples(0.0, 6.0, 16000)
    for second in (0, 1, 4, 5):
        assert loudness(samples[second * 16000 : (second + 1) * 16000]) == pytest.approx(loudness(voice), rel=0.03)


def test_unlike_channels_and_one_sided_ones_are_mixed_as_ever(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    left, right = (random.normal(0, 0.1, 3 * HZ).astype(np.float32) for _ in range(2))
    for channels in ((left, right), (left, np.zeros_like(left)), (left, 0.9 * left), (left, -0.2 * left)):
        mono = SourceAudio(write_audio(tmp_path / "a.wav", np.stack(channels, 1), HZ, "pcm_f32le")).samples(
            0.0, 3.0, HZ
        )
        assert np.abs(mono - (channels[0] + channels[1]) / 2).max() < 1e-4


def test_a_track_can_be_named(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", audio=tone(2.0, frequency_hz=440), more_audio=[tone(2.0, frequency_hz=1500)])
    for track, frequency_hz in ((None, 440), (0, 440), (1, 1500)):
        spectrum = np.abs(np.fft.rfft(SourceAudio(path, track).samples(0.5, 1.5)))
        assert np.argmax(spectrum) == pytest.approx(frequency_hz, abs=2)
        channels, hz, _ = native_channels(path, 0.5, 1.5, track)
        assert np.argmax(np.abs(np.fft.rfft(channels[0]))) * hz / len(channels[0]) == pytest.approx(frequency_hz, abs=2)
    with pytest.raises(Drop, match="no_audio_stream"):
        SourceAudio(path, 2).samples(0, 1)


def test_more_sound_than_a_day_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_audio(tmp_path / "a.wav", tone(3.0, 16000), 16000)
    monkeypatch.setattr(SourceAudio, "LONGEST_S", 2.0)
    with pytest.raises(Drop) as caught:
        SourceAudio(path).samples(0, 1)
    assert (caught.value.reason, caught.value.detail) == ("too_long", "more than 2 s of sound")
