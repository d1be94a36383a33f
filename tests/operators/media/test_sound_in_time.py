"""Sound on the clock of its picture: clicks beside flashes, gaps, overlaps, jitter, channels and tracks."""

import threading
from itertools import pairwise
from typing import Any

import av
import numpy as np
import pytest

from operators.media.frames import VideoFrames
from operators.media.sound import SourceAudio
from tests.conftest import media
from tests.made_sounds import KINDS, LATE_S, centre_s, lit
from tests.made_videos import clicks, flashes, tone, write_audio, write_video


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp4", "aac"),
        ("a.mkv", "pcm_s16le"),
        ("a.mkv", "libopus"),
        ("a.ts", "aac"),
        ("a.mov", "pcm_s16le"),
        ("a.mp4", "mp3"),
    ],
)
@pytest.mark.parametrize("hz", [16000, 48000])
def test_a_click_sounds_with_its_flash(tmp_path, name, codec, hz):
    times_s = [0.2, 0.88, 1.6]
    path = write_video(
        tmp_path / name,
        [(flashes(times_s), 2.0)],
        audio=clicks(2.0, times_s, 48000),
        audio_hz=48000,
        audio_codec=codec,
        keyframe_every=50,
    )
    seen_s = [frame.pts_s for frame in VideoFrames(path) if frame.gray(20).mean() > 128]
    sound = SourceAudio(path)
    for flash_s in seen_s:
        near = sound.samples(flash_s - 0.1, flash_s + 0.1, hz)
        assert len(near) == round(0.2 * hz)
        click_s = flash_s - 0.1 + int(np.argmax(near > 0.3)) / hz
        assert click_s == pytest.approx(flash_s, abs=0.0015), codec
    assert len(seen_s) == 3


def test_a_click_in_uncompressed_sound_lands_in_its_sample(tmp_path):
    path = write_audio(tmp_path / "a.wav", clicks(2.0, [0.5, 1.75], 16000), 16000)
    loud = np.flatnonzero(SourceAudio(path).samples(0, 2) > 0.5)
    assert set(loud) == {*range(8000, 8032), *range(28000, 28032)}


def test_late_sound_is_late_and_zeros_before(tmp_path):
    for name in ("a.mkv", "a.mov"):
        path = write_video(
            tmp_path / name, audio=[(0.7, clicks(1.0, [0.2], 16000))], audio_hz=16000, audio_codec="pcm_s16le"
        )
        sound = SourceAudio(path)
        assert (sound.start_s, sound.end_s) == pytest.approx((0.7, 1.7), abs=0.001)
        samples = sound.samples(0.0, 2.0)
        assert (samples[: int(0.69 * 16000)] == 0).all()
        assert np.argmax(samples > 0.5) == pytest.approx(0.9 * 16000, abs=16)
        assert (sound.samples(0.85, 0.95) == samples[13600:15200]).all()
    assert (sound.samples(-2.0, -1.0) == 0).all()
    assert len(sound.samples(5.0, 5.5)) == 8000


def test_a_gap_is_silence_and_an_overlap_is_replaced(tmp_path):
    parts = [(0.0, tone(0.5, 16000)), (0.9, clicks(0.5, [0.1], 16000))]
    path = write_video(tmp_path / "a.mkv", audio=parts, audio_hz=16000, audio_codec="pcm_s16le")
    samples = SourceAudio(path).samples(0.0, 1.4)
    assert (samples[8016 : 9 * 1600 - 16] == 0).all()
    assert np.argmax(samples[8016:] > 0.5) + 8016 == pytest.approx(16000, abs=16)
    parts = [(0.0, tone(1.0, 16000)), (0.97, clicks(0.5, [0.1], 16000))]
    path = write_video(tmp_path / "b.mkv", audio=parts, audio_hz=16000, audio_codec="pcm_s16le")
    samples = SourceAudio(path).samples(0.0, 1.4)
    assert (samples[round(0.971 * 16000) : 17000] == 0).all()
    assert np.abs(samples[15000:15500]).max() > 0.2
    assert np.argmax(samples > 0.5) == pytest.approx(1.07 * 16000, abs=16)


def test_jitter_of_timestamps_neither_clicks_nor_drifts(tmp_path):
    # Matroska rounds to milliseconds: 1024 samples at 44.1 kHz are never a whole number of them.
    exact, jittery = (
        write_audio(tmp_path / "a.wav", tone(5.0), 44100),
        write_audio(tmp_path / "a.mkv", tone(5.0), 44100),
    )
    with av.open(str(jittery)) as container:
        frames = list(container.decode(audio=0))
    steps = [
        float(b.time - a.time) - a.samples / a.sample_rate
        for a, b in pairwise(frames)
        if a.time is not None and b.time is not None
    ]
    assert max(map(abs, steps)) > 1e-4, "the test needs timestamps that jitter"
    assert np.abs(SourceAudio(exact).samples(0, 5, 16000) - SourceAudio(jittery).samples(0, 5, 16000)).max() < 1e-6


def test_channels_are_mixed_down_without_clipping(tmp_path):
    loud = np.sign(tone(1.0, 48000, 100.0, 1.0)) * 0.98
    for channels in (1, 2, 6):
        path = write_audio(tmp_path / f"{channels}.wav", np.stack([loud] * channels, 1).astype(np.float32), 48000)
        mono = SourceAudio(path).samples(0.0, 1.0, 48000)
        assert np.abs(mono).max() <= 1.0
        assert np.median(np.abs(mono)) == pytest.approx(0.98, abs=0.02), channels
    left_only = np.stack([loud, np.zeros_like(loud)], 1).astype(np.float32)
    assert np.median(
        np.abs(SourceAudio(write_audio(tmp_path / "l.wav", left_only, 48000)).samples(0, 1, 48000))
    ) == pytest.approx(0.49, abs=0.01)


def test_of_several_tracks_the_default_one_plays(tmp_path):
    path = write_video(tmp_path / "a.mp4", audio=tone(2.0, frequency_hz=440), more_audio=[tone(2.0, frequency_hz=1500)])
    spectrum = np.abs(np.fft.rfft(SourceAudio(path).samples(0.5, 1.5)))
    assert np.argmax(spectrum) == pytest.approx(440, abs=2)


def test_sound_is_decoded_once_for_each_rate_and_shared_by_threads(tmp_path, monkeypatch):
    path = write_audio(tmp_path / "a.wav", tone(2.0, 16000))
    sound = SourceAudio(path)
    threads = [threading.Thread(target=sound.samples, args=(0.0, 1.0, hz)) for hz in (16000, 16000, 8000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    path.unlink()
    assert len(sound.samples(0.0, 1.0, 16000)) == 16000
    assert len(sound.samples(0.0, 1.0, 8000)) == 8000
    sound.samples(0.0, 1.0)[:] = 5
    assert np.abs(sound.samples(0.0, 1.0)).max() < 1


def test_long_sound_lies_on_disk_and_is_the_same(tmp_path, monkeypatch):
    """With an overlap and a gap, asked from within, across and around them."""
    parts = [(0.2, tone(1.0, 16000)), (1.17, clicks(0.5, [0.1], 16000)), (1.9, tone(0.5, 16000, frequency_hz=300))]
    path = write_video(tmp_path / "a.mkv", audio=parts, audio_hz=16000, audio_codec="pcm_s16le")
    short = SourceAudio(path)
    for hz in (16000, 44100):
        short.samples(0, 1, hz)
    monkeypatch.setattr(SourceAudio, "IN_MEMORY", 4096)
    long = SourceAudio(path)
    for hz in (16000, 44100):
        for span in ((-0.5, 4.0), (0.7, 1.3), (1.15, 1.2), (1.5, 2.0), (5.0, 6.0)):
            assert (long.samples(*span, hz) == short.samples(*span, hz)).all()
        kept: list[Any] = [sound._made[hz].samples for sound in (short, long)]
        assert [file._rolled for file in kept] == [False, True]
    assert np.abs(long.samples(0.0, 2.4)).max() > 0.5


@pytest.mark.parametrize("kind", KINDS)
def test_sound_of_every_kind_comes_with_its_picture_to_the_sample(tmp_path, kind):
    suffix, make, frames = KINDS[kind]
    path = make(tmp_path / f"made{suffix}")
    shown = [frame.pts_s for frame in VideoFrames(path) if frame.gray(20).mean() > 128]
    assert shown == pytest.approx(lit(frames), abs=0.001)  # Matroska's times are whole milliseconds
    sound = SourceAudio(path)
    for flash_s in lit(frames):
        for hz in (16000, 48000):
            first = round((flash_s - 0.1) * hz)
            found_s = centre_s(sound.samples(first / hz, (first + 0.2 * hz) / hz, hz), hz, first / hz)
            assert found_s == pytest.approx(flash_s, abs=1 / 16000), (kind, hz)
    if kind == "early end":
        assert sound.end_s == pytest.approx(4.0, abs=0.001)
        assert not sound.samples(4.01, 5.0).any()
    if kind == "late start":
        assert sound.start_s == pytest.approx(LATE_S, abs=0.0001)
        assert not sound.samples(0.0, 0.73).any()


def test_a_real_late_sound_track():
    assert SourceAudio(media("negative", "pyfeat_face_noface.mov")).start_s == pytest.approx(2.43, abs=0.001)


def test_the_track_a_player_plays_of_two_and_its_rate():
    # Tracks of 8 and 16 kHz: FFmpeg's best one is the second, which is marked as default.
    path = media("odd", "torchcodec_nasa_13013.mp4")
    with av.open(str(path)) as container:
        tracks = [
            np.concatenate([f.to_ndarray().mean(axis=0) for f in container.decode(stream)])
            for stream in _each(container)
        ]
        rates = [stream.codec_context.sample_rate for stream in container.streams.audio]
    heard = SourceAudio(path).samples(2.0, 4.0, rates[1])
    assert rates == [8000, 16000]
    alike = [np.corrcoef(heard, tracks[1][2 * 16000 + shift :][: len(heard)])[0, 1] for shift in (-200, 0, 200)]
    assert alike[1] > 0.999
    assert max(alike[0], alike[2]) < 0.9


def _each(container):
    for stream in container.streams.audio:
        container.seek(0)
        yield stream


def test_surround_sound_of_a_real_film_is_mixed_by_the_published_matrix():
    path = media("odd", "lhotse_big_buck_bunny_small.mp4")
    with av.open(str(path)) as container:
        assert container.streams.audio[0].codec_context.layout.name == "5.1"
        channels = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)
    sound = SourceAudio(path)
    heard = sound.samples(sound.start_s + 0.5, sound.start_s + 4.5, 48000)
    # ITU-R BS.775: centre and surround at -3 dB beside the front, no low-frequency channel; to mono by halving, and
    # scaled not to exceed full scale.
    left, right, centre, _, back_left, back_right = channels[:, 24000 : 24000 + len(heard)]
    mixed = 0.5 * (left + right) + 2**-0.5 * centre + 2**-0.5 * 0.5 * (back_left + back_right)
    scale = float(heard @ mixed / (mixed @ mixed))
    assert np.abs(heard - scale * mixed).max() < 0.02 * np.abs(heard).max()


def test_sound_of_a_video_is_its_published_sound():
    video = SourceAudio(media("single", "wav2lipgfpgan_kim_7s_raw.mp4"))
    alone = SourceAudio(media("single", "wav2lipgfpgan_kim_audio.mp3"))
    one = video.samples(video.start_s + 0.5, video.start_s + 6.5)
    other = alone.samples(alone.start_s + 0.5, alone.start_s + 6.5)
    assert np.corrcoef(one, other)[0, 1] > 0.999
