"""Scores of sound, against published numbers and made signals."""

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from manifests.tables import Clip
from operators.base import Audio, Drop
from operators.media.sound import SourceAudio
from operators.speech.score_speech import ScoreSpeech, dbfs, dnsmos, level_range_db
from tests.conftest import media
from tests.made_sounds import WavAudio
from tests.operators.speech.test_diarize_speakers import sample, wave_of


@cache
def operator() -> ScoreSpeech:
    return ScoreSpeech()


def clip(start_s: float, end_s: float) -> Clip:
    return Clip(
        "talk",
        f"talk/{round(start_s * 1000):06d}/t0",
        "talk/shot",
        "talk/shot/t0",
        "speaker0",
        start_s,
        end_s,
        0,
        0,
        512,
        512,
    )


def scores(audio: Audio, start_s: float, end_s: float) -> dict[str, float]:
    return {score.metric: score.value for score in operator()(clip(start_s, end_s), audio)}


def tone(level: float, seconds: float = 2.4) -> NDArray[np.float32]:
    return (level * np.sin(2 * np.pi * 440 * np.arange(int(seconds * 16000)) / 16000)).astype(np.float32)


PUBLISHED = [  # sig, bak, ovrl by `speechmos.dnsmos.run(samples, 16000)` of speechmos 0.0.1.1, file by file
    (("speakers", "2414-128291-0000.flac"), (3.08118, 3.57134, 2.60209)),  # 2.9 s
    (("speakers", "1688-142285-0003.flac"), (3.31408, 3.83005, 2.96626)),  # 5.1 s
    pytest.param(("speech", "ami_dev00.wav"), (3.34559, 4.07050, 2.98977), marks=pytest.mark.slow),  # 30 s
]


@pytest.mark.parametrize(("file", "published"), PUBLISHED, ids=lambda value: str(value[-1]))
def test_opinion_scores_are_the_published_packages(file: tuple[str, ...], published: tuple[float, float, float]):
    assert list(dnsmos(operator().model, wave_of(media(*file))).values()) == pytest.approx(published, abs=1e-3)


@pytest.mark.slow
def test_opinion_scores_of_the_sample_pyannote_carries():
    """By the same package; 30 s, so windows are passed over as it passes them over."""
    wave, _ = sample()
    found = scores(WavAudio(wave), 0.0, 30.0)
    assert [found[name] for name in ("dnsmos_sig", "dnsmos_bak", "dnsmos_ovrl")] == pytest.approx(
        [3.48394, 3.92428, 3.08545], abs=1e-3
    )


def test_rows_are_addressed_and_the_same_twice():
    wave, _ = sample()
    rows = list(operator()(clip(7.0, 9.4), WavAudio(wave)))
    assert [row.metric for row in rows] == [
        "dnsmos_sig", "dnsmos_bak", "dnsmos_ovrl", "speech_dbfs", "speech_peak", "speech_clipped", "level_range_db",
    ]  # fmt: skip
    assert all(row.subject == "talk/007000/t0" and row.score_id == f"talk/007000/t0#{row.metric}" for row in rows)
    assert {row.variant for row in rows[:3]} == {"dnsmos_p835"}
    assert all(np.isfinite(row.value) for row in rows)
    assert list(ScoreSpeech()(clip(7.0, 9.4), WavAudio(wave))) == rows


def test_level_peak_and_clipping_of_a_tone():
    found = scores(WavAudio(tone(0.5)), 0.0, 2.4)
    assert found["speech_dbfs"] == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.01)
    assert found["speech_peak"] == pytest.approx(0.5, abs=1e-3)
    assert found["speech_clipped"] == 0
    assert found["level_range_db"] < 0.1
    # A sine driven to twice full scale is at the limit where |sin| is above a half, two thirds of the time.
    found = scores(WavAudio(np.clip(tone(2.0), -1, 1)), 0.0, 2.4)
    assert found["speech_peak"] == 1
    assert found["speech_clipped"] == pytest.approx(2 / 3, abs=0.01)


def test_only_the_span_of_the_clip_is_heard():
    audio = WavAudio(np.concatenate([tone(0.1), tone(0.8)]), start_s=5.0)
    assert scores(audio, 5.0, 7.4)["speech_peak"] == pytest.approx(0.1, abs=1e-3)
    assert scores(audio, 7.4, 9.8)["speech_peak"] == pytest.approx(0.8, abs=1e-3)


def test_level_range_falls_with_noise():
    """White noise at a known distance below the speech of a reader; loud frames lie above the mean, so the range does
    too.
    """
    speech = wave_of(media("speakers", "1688-142285-0003.flac"))
    noise = np.random.default_rng(0).standard_normal(len(speech)).astype(np.float32)
    noise *= np.sqrt(np.mean(speech**2) / np.mean(noise**2))
    ranges = [level_range_db(speech + noise * np.float32(10 ** (-ratio / 20))) for ratio in (20, 10, 0)]
    assert ranges == pytest.approx([20 + 4, 10 + 5.5, 0 + 6.5], abs=1.5)


def test_silence_is_an_answer():
    for audio, detail in [
        (WavAudio(np.zeros(38400, np.float32)), "-100.0 dBFS"),
        (WavAudio(np.full(38400, 5e-5, np.float32)), "-86.0 dBFS"),
        (WavAudio(tone(0.5), start_s=60.0), "-100.0 dBFS"),  # the clip lies before the sound
    ]:
        with pytest.raises(Drop) as drop:
            scores(audio, 0.0, 2.4)
        assert (drop.value.reason, drop.value.detail) == ("silent_audio", detail)
    with pytest.raises(Drop) as drop:
        scores(WavAudio(tone(0.5)), 0.0, 0.02)
    assert drop.value.reason == "audio_too_short"


def test_a_silent_track_of_a_real_video_is_silent():
    with pytest.raises(Drop) as drop:
        scores(SourceAudio(media("negative", "pyfeat_WolfgangLanger_Pexels.mp4")), 1.0, 4.0)
    assert drop.value.reason == "silent_audio"


def test_silence_between_words_stays_finite():
    wave = np.concatenate([tone(0.5), np.zeros(38400, np.float32)])
    assert scores(WavAudio(wave), 0.0, 4.8)["level_range_db"] == pytest.approx(100 - 9.03, abs=0.05)
    assert float(dbfs(np.zeros(400, np.float32))) == -100
