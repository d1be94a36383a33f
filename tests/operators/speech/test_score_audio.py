"""Scores of sound against signals whose truth follows from how they are made: test signals of EBU Tech 3341, clipping,
noise and filters of known size.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from manifests.tables import Annotation, Clip, Score
from operators.base import Drop
from operators.media.sound import SourceAudio
from operators.speech.score_audio import (
    ScoreAudio,
    balance_and_side_db,
    bandwidth_hz,
    clipped_share,
    continuous_frequency_activation,
    layout_kind,
    loudness_and_true_peak,
    native_channels,
    pause_snr_db,
    peak_density,
    silent_share,
)
from tests.conftest import media
from tests.made_videos import clicks, tone, write_audio, write_video

HZ = 48000


@dataclass(frozen=True)
class File:
    path: Path
    scratch: Path = Path("none")

    def keep(self, made: Path, suffix: str) -> tuple[str, str]:
        raise NotImplementedError


def sine(seconds: float, dbfs: float, hertz: float = 1000.0, turn: float = 0.0, hz: int = HZ) -> NDArray[np.float32]:
    return (10 ** (dbfs / 20) * np.sin(2 * np.pi * hertz * np.arange(round(seconds * hz)) / hz + turn)).astype(
        np.float32
    )


def told(path: Path, start_s: float, end_s: float) -> dict[str, float | str]:
    clip = Clip("made", "made/clip", "s", "t", "speaker0", start_s, end_s, 0, 0, 9, 9)
    rows = list(ScoreAudio()(clip, SourceAudio(path), File(path)))
    assert len({row.row_id for row in rows}) == len(rows)
    return {row.metric if isinstance(row, Score) else row.name: row.value for row in rows}


def speech(name: str = "2033-164914-0001.flac", seconds: float = 8.0) -> NDArray[np.float32]:
    return SourceAudio(media("speakers", name)).samples(0.0, seconds)


def resampled(wave: NDArray[np.float32], up: int, down: int) -> NDArray[np.float32]:
    from scipy.signal import resample_poly

    return np.asarray(resample_poly(wave, up, down), np.float32)


@pytest.mark.parametrize("hz", [16000, 44100])
def test_loudness_of_the_stereo_signals_of_ebu_tech_3341(hz: int):
    for dbfs in (-23.0, -33.0):
        left = sine(20, dbfs, hz=hz)
        assert loudness_and_true_peak(np.stack([left, left]), hz, "stereo")[0] == pytest.approx(dbfs, abs=0.1)
    gated = np.concatenate(
        [sine(10, -72, hz=hz), sine(10, -36, hz=hz), sine(60, -23, hz=hz), sine(10, -36, hz=hz), sine(10, -72, hz=hz)]
    )
    assert loudness_and_true_peak(np.stack([gated, gated]), hz, "stereo")[0] == pytest.approx(-23.0, abs=0.1)


def test_loudness_of_the_surround_signal_of_ebu_tech_3341():
    front, centre, back = sine(20, -28), sine(20, -24), sine(20, -30)
    channels = np.stack([front, front, centre, np.zeros_like(front), back, back])
    assert loudness_and_true_peak(channels, HZ, "5.1(side)")[0] == pytest.approx(-23.0, abs=0.1)


@pytest.mark.parametrize(("hertz", "turn_deg"), [(HZ / 4, 0), (HZ / 4, 45), (HZ / 6, 60), (HZ / 8, 67.5)])
def test_true_peaks_of_ebu_tech_3341(hertz: float, turn_deg: float):
    wave = sine(2, 20 * np.log10(0.5), hertz, np.radians(turn_deg))
    wave *= np.interp(np.arange(len(wave)), [0, 4800, len(wave) - 4800, len(wave)], [0, 1, 1, 0]).astype(np.float32)
    assert -6.4 <= loudness_and_true_peak(wave[None], HZ, "mono")[1] <= -5.8


def test_clipped_samples_are_counted_as_they_were_made():
    quiet = sine(1, -6, 997.0)
    assert clipped_share(quiet[None]) == 0
    for over in (1.05, 1.5, 4.0):
        wave = np.clip(quiet * 2 * over, -1, 1)
        assert clipped_share(wave[None] * np.float32(0.3)) == pytest.approx(
            np.mean(np.abs(quiet * 2 * over) >= 1), abs=0.001
        ), "at any level"
    assert clipped_share(np.zeros((2, 100), np.float32)) == 0


def test_crowded_peaks_outlive_a_resampling():
    wave = speech()
    clean = peak_density(wave[None])
    clipped = np.clip(wave * 6 / np.abs(wave).max(), -1, 1)
    assert 0.005 < clean < 0.02
    assert peak_density(resampled(clipped, 3, 1)[None]) > 2 * clean
    assert clipped_share(resampled(clipped, 3, 1)[None]) == 0


@pytest.mark.parametrize("snr_db", [0, 10, 20, 30, 40])
def test_noise_is_found_in_the_pauses(snr_db: float):
    rng = np.random.default_rng(3)
    # silent in two seconds of eight
    voice = tone(8.0, 16000, 220.0, 0.3).reshape(8, -1) * (np.arange(8) % 4 != 0)[:, None]
    noise = rng.standard_normal(voice.size) * np.sqrt(np.mean(voice**2) * 10 ** (-snr_db / 10))
    assert pause_snr_db((voice.ravel() + noise).astype(np.float32)) == pytest.approx(snr_db, abs=0.7)


def test_bandwidth_is_where_the_spectrum_ends():
    rng = np.random.default_rng(1)
    noise = rng.standard_normal((1, 4 * HZ)).astype(np.float32)
    spectrum = np.fft.rfft(noise)
    for cut_hz in (3400, 8000, 16000):
        cut = np.fft.irfft(spectrum * (np.fft.rfftfreq(noise.shape[1], 1 / HZ) < cut_hz)).astype(np.float32)
        assert bandwidth_hz(cut, HZ) == pytest.approx(cut_hz, abs=110)
    assert bandwidth_hz(noise, HZ) == HZ / 2


def test_telephone_sound_is_narrow_at_any_rate(tmp_path: Path):
    import av

    wave = SourceAudio(media("speech", "sadtalker_chinese_news.wav")).samples(0.0, 6.0, HZ)
    frame = av.AudioFrame.from_ndarray(wave[None], format="fltp", layout="mono")
    frame.sample_rate = HZ
    down, up = av.AudioResampler("fltp", "mono", 8000), av.AudioResampler("fltp", "mono", HZ)
    small = [part for whole in (frame, None) for part in down.resample(whole)]
    grown = np.concatenate([part.to_ndarray()[0] for whole in (*small, None) for part in up.resample(whole)])
    assert bandwidth_hz(wave[None], HZ) > 15000
    assert 3500 < bandwidth_hz(grown[None], HZ) < 4700  # the resampler's own edge is 600 Hz wide


def test_channels_that_hold_one_sound_none_or_its_opposite():
    rng = np.random.default_rng(2)
    a, b = (0.1 * rng.standard_normal((2, HZ))).astype(np.float32)
    for right, kind in (
        (a, "mono_in_stereo"),
        (0 * a, "one_sided"),
        (-a, "out_of_phase"),
        (0.3 * b - a, "out_of_phase"),  # the difference is 17 dB over the sum
        (2 * b - a, "stereo"),  # 3 dB
        (b, "stereo"),
        (0.5 * a, "stereo"),
    ):
        assert layout_kind(*balance_and_side_db(np.stack([a, right]))) == kind
    balance, side = balance_and_side_db(np.stack([a, 0.5 * a]))
    assert balance == pytest.approx(6.02, abs=0.01)
    assert side == pytest.approx(20 * np.log10(0.5 / 1.5), abs=0.01)
    assert balance_and_side_db(np.stack([a, b]))[1] == pytest.approx(0, abs=0.2)


def test_stretches_without_a_sample_are_counted_and_pauses_are_not():
    wave = sine(2, -20)[None].copy()
    wave[:, HZ // 2 : HZ] = 0
    wave[:, 70000:70100] = 0
    assert silent_share(wave, HZ) == pytest.approx(0.25, abs=0.001)
    noisy = wave + np.asarray(1e-3 * np.random.default_rng(0).standard_normal(wave.shape), np.float32)
    assert silent_share(noisy, HZ) == 0


def test_digital_silence_is_no_silent_speaker(tmp_path: Path):
    silent = write_video(tmp_path / "silent.mp4", audio=np.zeros(2 * 44100, np.float32))
    with pytest.raises(Drop) as no:
        told(silent, 0.0, 2.0)
    assert no.value.reason == "digital_silence"
    room = (2e-4 * np.random.default_rng(0).standard_normal(2 * 16000)).astype(np.float32)
    assert float(told(write_audio(tmp_path / "room.wav", room), 0.0, 2.0)["loudness_lufs"]) < -60
    with pytest.raises(Drop) as no:
        told(write_audio(tmp_path / "short.wav", room), 0.0, 0.3)
    assert no.value.reason == "audio_too_short"
    with pytest.raises(Drop) as no:
        native_channels(write_video(tmp_path / "mute.mp4"), 0.0, 1.0)
    assert no.value.reason == "no_audio_stream"


def test_real_digital_silence_and_a_real_silent_man():
    with pytest.raises(Drop) as no:
        told(media("negative", "facerec_interview.mp4"), 0.0, 5.0)
    assert no.value.reason == "digital_silence"
    quiet = told(media("negative", "pyfeat_single_face.mp4"), 0.0, 2.4)
    assert float(quiet["loudness_lufs"]) < -45
    assert quiet["digital_silence_share"] == 0


def test_what_is_read_is_what_the_shared_decode_gives(tmp_path: Path):
    for name, codec, parts in (
        ("a.wav", "pcm_s16le", clicks(6.0, [0.5, 3.2, 5.5], 16000)),
        ("late.mkv", "pcm_s16le", [(0.7, clicks(5.0, [0.2, 3.1], 16000))]),
        ("a.mp4", "aac", clicks(6.0, [0.5, 3.2, 5.5], 16000)),
    ):
        path = (
            write_audio(tmp_path / name, parts, 16000, codec)
            if isinstance(parts, np.ndarray) and name.endswith(".wav")
            else write_video(tmp_path / name, [("gray", 6.0)], audio=parts, audio_hz=16000, audio_codec=codec)
        )
        shared = SourceAudio(path)
        for span in ((0.0, 6.0), (3.0, 4.0), (2.7183, 5.8)):
            channels, hz, layout = native_channels(path, *span)
            assert (hz, layout, len(channels)) == (16000, "mono", 1)
            assert np.abs(channels[0] - shared.samples(*span, 16000)).max() < 1e-4, (name, span)


def test_rows_of_a_clip_and_the_layout_it_is_told(tmp_path: Path):
    left = tone(3.0, HZ, 300.0)
    for name, channels, layout in (
        ("m", left, "mono"),
        ("s", np.stack([left, left], 1), "mono_in_stereo"),
        ("5", np.stack([left] * 6, 1), "surround"),
    ):
        values = told(write_audio(tmp_path / f"{name}.wav", channels, HZ), 0.5, 2.5)
        assert values["channel_layout"] == layout
        assert values["sample_peak_dbfs"] == pytest.approx(20 * np.log10(0.3), abs=0.01)
        assert ("side_to_mid_db" in values) == (layout != "mono")
    rows = list(
        ScoreAudio()(
            Clip("m", "m/c", "s", "t", "v", 0.5, 2.5, 0, 0, 9, 9),
            SourceAudio(tmp_path / "m.wav"),
            File(tmp_path / "m.wav"),
        )
    )
    assert rows == list(
        ScoreAudio()(
            Clip("m", "m/c", "s", "t", "v", 0.5, 2.5, 0, 0, 9, 9),
            SourceAudio(tmp_path / "m.wav"),
            File(tmp_path / "m.wav"),
        )
    )
    assert [row.value for row in rows if isinstance(row, Annotation)] == ["mono"]


def test_music_under_speech_raises_what_goes_on():
    voice = speech()
    music = SourceAudio(media("odd", "moviepy_chaplin.mp4")).samples(0.0, 8.0)
    music *= np.sqrt(np.mean(voice**2) / np.mean(music**2))
    under = [continuous_frequency_activation(voice + 10 ** (-ratio_db / 20) * music) for ratio_db in (40, 20, 10, 0)]
    assert under == sorted(under)
    assert under[-1] > continuous_frequency_activation(voice) + 0.8


def test_noise_added_to_real_speech_is_measured():
    voice = speech()
    noise = np.random.default_rng(0).standard_normal(len(voice)).astype(np.float32) * np.sqrt(np.mean(voice**2))
    for ratio_db in (30, 20, 10, 0):
        assert pause_snr_db(voice + 10 ** (-ratio_db / 20) * noise) == pytest.approx(ratio_db, abs=1)
