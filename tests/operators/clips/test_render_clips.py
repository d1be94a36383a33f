"""Rendered clips: the right frames, at the right times, with the sound where it was."""

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from manifests.tables import Clip, Render
from operators.base import Drop
from operators.clips.render_clips import RenderClips
from operators.media.frames import VideoFrames
from operators.media.sound import SourceAudio
from tests.made_sounds import KINDS, centre_s, lit
from tests.made_videos import COLOURS, clicks, corners, flashes, tone, write_video

BITS = 8


@dataclass
class Folder:
    """A store of one folder, and the file the clips are cut from."""

    path: Path
    kept: Path
    scratch: Path

    def keep(self, made: Path, suffix: str) -> tuple[str, str]:
        sha256 = hashlib.sha256(made.read_bytes()).hexdigest()
        self.kept.mkdir(exist_ok=True)
        shutil.move(made, self.kept / f"{sha256}{suffix}")
        return f"{sha256}{suffix}", sha256


def clip(start_s: float, end_s: float, box: tuple[float, float, float, float] = (0, 0, 160, 160)) -> Clip:
    return Clip("made", f"made/{start_s}-{end_s}/t0", "made/shot", "made/shot/t0", "speaker0", start_s, end_s, *box)


def render(video: Path, of: Clip, operator: RenderClips | None = None) -> tuple[Render, Path]:
    media = Folder(video, video.parent / "kept", video.parent / "scratch")
    frames = VideoFrames(video, of.start_s, of.end_s)
    (row,) = (operator or RenderClips(size=160))(of, frames, SourceAudio(video), media)
    return row, media.kept / row.media


def numbered(times_s: list[float]):
    """A look whose eight vertical bars spell, in black and white, the number of the frame shown at a time."""

    def look(time_s: float) -> NDArray[np.uint8]:
        number = int(np.argmin(np.abs(np.asarray(times_s) - time_s)))
        bars = [255 * (number >> bit & 1) for bit in range(BITS)]
        return np.ascontiguousarray(
            np.broadcast_to(np.repeat(bars, 160 // BITS).astype(np.uint8)[None, :, None], (160, 160, 3))
        )

    return look


def number_of(picture: NDArray[np.uint8]) -> int:
    wide = picture.shape[1] / BITS
    return sum(int(picture[:, int((bit + 0.5) * wide)].mean() > 127) << bit for bit in range(BITS))


def pictures(path: Path) -> list[tuple[float, NDArray[np.uint8]]]:
    with av.open(str(path)) as container:
        return [
            (frame.time, np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)) for frame in container.decode(video=0)
        ]


def heard(path: Path) -> tuple[NDArray[np.float32], int]:
    """The sound on the file's clock from 0 on, after the edit list has taken off the encoder's delay."""
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
    assert frames[0].pts == 0
    return np.concatenate([frame.to_ndarray()[0] for frame in frames]), frames[0].sample_rate


RATES = {
    "25": [n / 25 for n in range(150)],
    "29.97": [n * 1001 / 30000 for n in range(180)],
    "23.976": [n * 1001 / 24000 for n in range(144)],
    "60": [n / 60 for n in range(250)],
    "variable": np.cumsum([0.0, *np.tile([0.02, 0.07, 0.033, 0.05, 0.11], 20)]).tolist(),
}


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize(("start_s", "end_s"), [(1.0, 3.0), (1.0135, 2.987)])
def test_each_frame_is_the_one_visible_at_its_time(tmp_path: Path, rate: str, start_s: float, end_s: float):
    times = RATES[rate]
    length_s = times[-1] + 0.04
    video = write_video(
        tmp_path / "made.mp4", [(numbered(times), length_s)], size=(160, 160), times_s=times, audio=tone(length_s)
    )
    row, path = render(video, clip(start_s, end_s))
    shown = pictures(path)

    assert row.frames == len(shown) == round((end_s - start_s) * 25)
    assert [at for at, _ in shown] == pytest.approx([k / 25 for k in range(row.frames)], abs=1e-6)
    first = next(n for n, at in enumerate(times) if at >= start_s - 1e-6)  # of the span
    visible = [
        max(first, max(n for n, at in enumerate(times) if at <= start_s + k / 25 + 0.002)) for k in range(row.frames)
    ]
    last = max(n for n, at in enumerate(times) if at < end_s)
    assert [number_of(picture) for _, picture in shown] == [min(number, last) for number in visible]


@pytest.mark.parametrize("rate", ["29.97", "variable"])
@pytest.mark.parametrize("audio_hz", [16000, 48000])
def test_a_click_stays_with_its_flash(tmp_path: Path, rate: str, audio_hz: int):
    times = [at for at in RATES[rate] if at < 5]
    lit = [min(times, key=lambda at: abs(at - wanted)) for wanted in (1.5, 2.5, 3.5)]
    video = write_video(
        tmp_path / "made.mp4",
        [(flashes(lit, (160, 160), 0.02), 5.2)],
        size=(160, 160),
        times_s=times,
        audio=clicks(5.2, lit),
    )
    start_s = 1.113
    _row, path = render(video, clip(start_s, 4.5), RenderClips(size=160, audio_hz=audio_hz))
    sound, hz = heard(path)
    assert hz == audio_hz

    shown = [at for at, picture in pictures(path) if picture.mean() > 100]
    for flash_s in lit:
        wanted_s = flash_s - start_s
        seen_s = min(shown, key=lambda at: abs(at - wanted_s))
        assert -1e-3 <= seen_s - wanted_s <= 1 / 25 + 1e-3  # the first output frame at or after the flash begins
        near = slice(round((wanted_s - 0.1) * hz), round((wanted_s + 0.1) * hz))
        loud = np.flatnonzero(np.abs(sound[near]) > 0.3)
        assert (near.start + loud[0]) / hz == pytest.approx(wanted_s, abs=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_sound_of_every_kind_is_rendered_with_its_picture_to_the_sample(tmp_path: Path, kind: str):
    suffix, make, frames = KINDS[kind]
    video = make(tmp_path / f"made{suffix}")
    start_s = 0.999 if frames == "constant" else 1.113  # as `PlanClips` begins one: the millisecond before a frame
    _row, path = render(video, clip(start_s, 4.4))
    sound, hz = heard(path)
    shown = [at for at, picture in pictures(path) if picture.mean() > 100]
    for flash_s in lit(frames):
        wanted_s = flash_s - start_s
        first = round((wanted_s - 0.1) * hz)
        assert centre_s(sound[first : first + round(0.2 * hz)], hz, first / hz) == pytest.approx(
            wanted_s, abs=1 / 16000
        ), kind
        seen_s = min(shown, key=lambda at: abs(at - wanted_s))
        assert -0.002 <= seen_s - wanted_s <= (0.002 if frames == "constant" else 1 / 25)
    if kind == "early end":
        assert not np.abs(sound[round(3.1 * hz) : round(3.3 * hz)]).max() > 1e-3


def test_sound_and_picture_are_equally_long_and_cut_to_the_sample(tmp_path: Path):
    video = write_video(tmp_path / "made.mp4", [("gray", 4.0)], size=(160, 160), audio=tone(4.0, frequency_hz=300.0))
    row, path = render(video, clip(1.0, 3.2))
    sound, hz = heard(path)
    assert row.duration_s == pytest.approx(2.2)
    with av.open(str(path)) as container:
        assert [
            float((stream.duration or 0) * (stream.time_base or 0)) for stream in container.streams
        ] == pytest.approx([2.2, 2.2], abs=0.5 / hz)
    assert 0 <= len(sound) - 2.2 * hz < 1024  # decoders give the encoder's last frame whole
    given = SourceAudio(video).samples(1.0, 3.2, hz)
    kept = sound[: len(given)]
    assert np.corrcoef(kept[hz // 10 : -hz // 10], given[hz // 10 : -hz // 10])[0, 1] > 0.99  # off by 0.1 ms: 0.98


def test_the_crop_is_what_is_shown_in_its_colours(tmp_path: Path):
    video = write_video(
        tmp_path / "made.mp4", [(corners((320, 180)), 2.0)], size=(320, 180), audio=tone(2.0), bt709=True, crf=5
    )
    _, path = render(video, clip(0.5, 1.5, (200, 10, 280, 90)))  # within the green corner
    _, picture = pictures(path)[0]
    assert picture.shape == (160, 160, 3)
    assert np.abs(picture.reshape(-1, 3).mean(axis=0) - (30, 160, 40)).max() < 5
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        assert (context.colorspace, context.color_primaries, context.color_trc, context.color_range) == (1, 1, 1, 1)
        assert (context.name, context.pix_fmt, stream.average_rate) == ("h264", "yuv420p", 25)
        assert container.streams.audio[0].codec_context.name == "aac"


def test_the_file_can_be_sought_by_the_second_and_streamed(tmp_path: Path):
    video = write_video(tmp_path / "made.mp4", [("gray", 4.0)], size=(160, 160), audio=tone(4.0))
    _, path = render(video, clip(0.5, 3.5))
    with av.open(str(path)) as container:
        keys = [frame.time for frame in container.decode(video=0) if frame.key_frame]
    assert keys == [0, 1, 2]
    content = path.read_bytes()
    assert 0 < content.index(b"moov") < content.index(b"mdat")


def test_the_same_clip_is_the_same_bytes(tmp_path: Path):
    noise = np.random.default_rng(0).integers(0, 255, (60, 160, 160, 3), np.uint8)
    video = write_video(
        tmp_path / "made.mp4", [(lambda at: noise[int(at * 25 + 0.5) % 60], 2.4)], size=(160, 160), audio=tone(2.4)
    )
    first, second = render(video, clip(0.3, 2.1))[0], render(video, clip(0.3, 2.1))[0]
    assert first == second
    assert render(video, clip(0.34, 2.1))[0].frames_sha256 != first.frames_sha256
    lighter = render(video, clip(0.3, 2.1), RenderClips(size=160, crf=30))[0]
    assert lighter.frames_sha256 == first.frames_sha256
    assert lighter.bytes < first.bytes
    assert lighter.encoder != first.encoder


def test_a_span_without_a_frame_is_a_drop(tmp_path: Path):
    video = write_video(tmp_path / "made.mp4", [("gray", 1.0)], size=(160, 160), audio=tone(1.0))
    with pytest.raises(Drop) as drop:
        render(video, clip(5.0, 6.0))
    assert drop.value.reason == "no_frames"
    assert not list(tmp_path.glob("kept/*"))


@pytest.mark.parametrize("size", [64, 224, 320])
def test_every_size_is_the_same_bytes_each_time(tmp_path: Path, size: int):
    rng = np.random.default_rng(1)
    texture = rng.integers(0, 255, (40, 40, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
    video = write_video(
        tmp_path / "a.mp4",
        [(lambda time_s: np.roll(texture, round(time_s * 50), 1), 2.0)],
        size=(320, 320),
        audio=tone(2.0),
    )
    made = {render(video, clip(0.0, 2.0, (0, 0, 320, 320)), RenderClips(size=size))[0].sha256 for _ in range(8)}
    assert len(made) == 1


def test_a_source_without_sound_is_a_silent_picture_where_that_is_asked_for(tmp_path: Path):
    video = write_video(tmp_path / "a.mp4", [("red", 2.0)])
    with pytest.raises(Drop, match="no_audio_stream"):
        render(video, clip(0.0, 1.0))
    _, path = render(video, clip(0.0, 1.0), RenderClips(size=160, silent=True))
    with av.open(str(path)) as container:
        assert [stream.type for stream in container.streams] == ["video"]


# What a film is by its own account, in the clip that is made of it


@pytest.mark.parametrize("bt709", [False, True])
def test_colours_are_the_films_whatever_matrix_it_and_the_clip_name(tmp_path: Path, bt709: bool):
    """A clip is BT.709 and says so: read by that, it shows what the film shows."""
    colours = [("red", 1.0), ("green", 1.0), ("blue", 1.0)]
    video = write_video(tmp_path / "made.mp4", colours, size=(160, 160), audio=tone(3.0), bt709=bt709, crf=5)
    _, path = render(video, clip(0.0, 3.0), RenderClips(size=160, crf=5))
    with av.open(str(path)) as container:
        for n, frame in enumerate(container.decode(video=0)):
            assert frame.colorspace == 1
            luma = (
                np.frombuffer(memoryview(frame.planes[0]), np.uint8)
                .reshape(-1, frame.planes[0].line_size)[20:140, 20:140]
                .mean()
            )
            red, green, blue = (value / 255 for value in COLOURS[colours[n // 25][0]])
            assert luma == pytest.approx(16 + 219 * (0.2126 * red + 0.7152 * green + 0.0722 * blue), abs=2), (
                "of ITU-R BT.709"
            )


@pytest.mark.parametrize("sides", [(321, 181), (320, 181), (321, 180)])
@pytest.mark.parametrize(
    ("suffix", "codec", "audio_codec", "form"),
    [(".webm", "libvpx", "libopus", "yuv420p"), (".webm", "libvpx-vp9", "libopus", "yuv420p"),
     (".avi", "mpeg4", "mp3", "yuv420p"),
     (".avi", "mjpeg", "mp3", "yuvj420p")],
)  # fmt: skip
def test_a_film_of_odd_sides_is_rendered_as_its_even_twin(
    tmp_path: Path, suffix: str, codec: str, audio_codec: str, form: str, sides: tuple[int, int]
):
    seen = []
    for name, size in (("odd", sides), ("even", (322, 182))):
        video = write_video(
            tmp_path / f"{name}{suffix}", [(corners(size), 1.0)], size=size, codec=codec, pixel_format=form,
            audio=tone(1.0, 48000), audio_hz=48000,
            audio_codec=audio_codec,
        )  # fmt: skip
        row, path = render(video, clip(0.0, 0.9, (sides[0] - 150, sides[1] - 150, sides[0], sides[1])))
        assert row.frames == 22
        seen.append(pictures(path)[5][1].astype(int))
    odd, even = seen
    for corner in (
        (slice(10, 50), slice(100, 150)),
        (slice(100, 150), slice(100, 150)),
        (slice(150, 158), slice(150, 158)),
    ):
        assert np.abs(odd[corner] - even[corner]).mean() < 5


def test_sound_begins_with_the_picture_where_the_films_clock_does_not_begin_at_0(tmp_path: Path):
    """The first frame of a transport stream is at 1.4 s or so: sound from time 0 of the clock on would be late by
    that.
    """
    video = write_video(
        tmp_path / "made.ts",
        [(flashes([2.0], (160, 160)), 4.0)],
        size=(160, 160),
        audio=clicks(4.0, [2.0], 48000),
        audio_hz=48000,
    )
    first_s = next(iter(VideoFrames(video))).pts_s
    assert first_s > 0.01, "the test needs a clock that begins elsewhere"
    _, path = render(video, clip(first_s, first_s + 3.5))
    [flash_s] = [at for at, picture in pictures(path) if picture.mean() > 100]
    sound, hz = heard(path)
    assert flash_s == pytest.approx(2.0, abs=0.041)
    assert np.flatnonzero(np.abs(sound) > 0.3)[0] / hz == pytest.approx(2.0, abs=0.005)


def test_frames_outside_the_span_are_not_rendered(tmp_path: Path):
    """Whatever the engine hands over: red is before the clip, blue in it, green after it."""
    video = write_video(
        tmp_path / "made.mp4", [("red", 1.0), ("blue", 1.0), ("green", 1.0)], size=(160, 160), audio=tone(3.0)
    )
    of = clip(1.0, 2.0)
    media = Folder(video, video.parent / "kept", video.parent / "scratch")
    span = next(iter(RenderClips(size=160)(of, VideoFrames(video, 1.0, 2.0), SourceAudio(video), media)))
    whole = next(iter(RenderClips(size=160)(of, VideoFrames(video), SourceAudio(video), media)))
    assert (span.frames, span.frames_sha256) == (whole.frames, whole.frames_sha256)
    shown = [picture.mean((0, 1)) for _, picture in pictures(media.kept / whole.media)]
    assert all(np.abs(colour - COLOURS["blue"]).max() < 12 for colour in shown)
