"""Published clips on the file at hand: the frames that the lists' authors saw, where the published scripts cut
others.
"""

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import av.error
import numpy as np
import pytest
from av.filter import Graph
from numpy.typing import NDArray

from manifests.tables import Clip, Published, Source
from operators.base import Drop
from operators.clips.place_published import PlacePublished
from operators.clips.render_clips import RenderClips
from operators.media.frames import VideoFrames
from operators.sources.probe_source import ProbeSource
from tests.made_videos import write_video
from tests.operators.clips.numbered import SIZE, number_of, write_numbered
from tests.operators.clips.test_render_clips import Folder

FULL = Fraction(30)
NTSC = Fraction(30000, 1001)


@pytest.fixture(scope="module")
def long_gop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """140 s with a key frame every 250 frames at 30 a second: every 8.33 s."""
    return write_numbered(tmp_path_factory.mktemp("long") / "long.mp4", 4200, FULL)


@pytest.fixture(scope="module")
def pieces(long_gop: Path) -> list[Path]:
    return split(long_gop)


def split(path: Path) -> list[Path]:
    """The minutes as TalkingHead-1KH's script makes them: `ffmpeg -c copy -map 0 -segment_time 00:01:00 -f segment`."""
    pattern = str(path.with_name("piece_%04d.mp4"))
    with av.open(str(path)) as given, av.open(pattern, "w", format="segment", options={"segment_time": "60"}) as made:
        into = made.add_stream_from_template(given.streams.video[0])
        for packet in given.demux(given.streams.video[0]):
            if packet.dts is not None:
                packet.stream = into
                made.mux(packet)
    return sorted(path.parent.glob("piece_*.mp4"))


@pytest.fixture(scope="module")
def ntsc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_numbered(tmp_path_factory.mktemp("ntsc") / "ntsc.mp4", 1620, NTSC, 60)


@dataclass(frozen=True)
class Here:
    """The media of a source that lies at a path."""

    path: Path
    scratch: Path = Path()

    def keep(self, made: Path, suffix: str) -> tuple[str, str]:
        raise NotImplementedError


def probed(path: Path) -> Source:
    (found,) = ProbeSource(needs=("video",))(Source("made", str(path)), Here(path))
    assert isinstance(found, Source)
    return found


def published(**fields) -> Published:
    made = Published(
        "made", "list/clip 1.a", "list", "clip 1.a", None, None, None, None, 0.0, None, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0,
        "", "", ""
    )  # fmt: skip
    return replace(made, **fields)


def tube(minute: int, first: int, last: int) -> Published:
    """As the importer makes it of frames first to last, both in the tube."""
    return published(first_frame=first, last_frame=last + 1, piece=minute)


def placed(path: Path, row: Published, operator: PlacePublished | None = None) -> Clip:
    (clip,) = (operator or PlacePublished())(row, [probed(path)], Here(path))
    return clip


def dropped(path: Path, row: Published, operator: PlacePublished | None = None) -> Drop:
    with pytest.raises(Drop) as drop:
        placed(path, row, operator)
    return drop.value


def shown(path: Path, start_s: float | None = None, end_s: float | None = None) -> list[int]:
    """The numbers of the frames of a span."""
    return [number_of(frame.gray()) for frame in VideoFrames(path, start_s, end_s)]


def shown_in(path: Path, clip: Clip) -> list[int]:
    return shown(path, clip.start_s, clip.end_s)


# The three cutting bugs of the published scripts.


def test_minutes_of_a_stream_copy_begin_at_key_frames(long_gop: Path, pieces: list[Path]) -> None:
    """FFmpeg's own segment muxer is the truth: frame n of its piece is the frame that the list's authors meant."""
    in_pieces = [shown(piece) for piece in pieces]
    assert [len(numbers) / 30 for numbers in in_pieces] == pytest.approx([66.7, 58.3, 15.0], abs=0.04)
    for minute, numbers in enumerate(in_pieces):
        for first, last in ((0, 25), (100, 125), (len(numbers) - 30, len(numbers) - 1)):
            clip = placed(long_gop, tube(minute, first, last))
            assert shown_in(long_gop, clip) == numbers[first : last + 1]
    by_time = placed(long_gop, tube(1, 100, 125), PlacePublished(true_time=False))
    assert shown_in(long_gop, by_time) == list(range(1900, 1926))
    assert shown_in(long_gop, placed(long_gop, tube(1, 100, 125))) == list(range(2100, 2126))


@pytest.mark.parametrize("gop", [1, 7, 45, 61, 130])
def test_minutes_with_key_frames_at_any_distance(tmp_path: Path, gop: int) -> None:
    """A frame a second. With a key frame every 130 s the muxer has a minute to catch up with, and cuts at the next one
    it meets.
    """
    path = write_numbered(tmp_path / "slow.mp4", 400, Fraction(1), gop)
    for minute, piece in enumerate(split(path)):
        numbers = shown(piece)
        assert shown_in(path, placed(path, tube(minute, 0, len(numbers) - 1))) == numbers
        assert dropped(path, tube(minute, 0, len(numbers))).reason == "frame_unknown"
    assert dropped(path, tube(minute + 1, 0, 0)).reason == "beyond_end"


def test_a_span_of_26_frames_renders_as_26(long_gop: Path, pieces: list[Path], tmp_path: Path) -> None:
    """`trim` without `setpts` keeps the times, so that a constant rate from 0 on fills the beginning with the first
    frame.
    """
    assert _published_way(pieces[0], 100, 126) == [100] * 101 + list(range(101, 126))
    clip = placed(long_gop, tube(0, 100, 125))
    assert shown_in(long_gop, clip) == list(range(100, 126))
    store = Folder(long_gop, tmp_path / "kept", tmp_path / "scratch")
    clip = replace(clip, right_px=float(SIZE[0]), bottom_px=float(SIZE[1]))
    (made,) = RenderClips(size=208, fps=30)(clip, VideoFrames(long_gop, clip.start_s, clip.end_s), Silent(), store)
    assert made.frames == 26
    assert shown(store.kept / made.media) == list(range(100, 126))


def _published_way(path: Path, start: int, end: int) -> list[int]:
    """The numbers in `trim=start_frame:end_frame` as written out by FFmpeg at a constant rate, which begins at time
    0.
    """
    with av.open(str(path)) as container:
        graph = Graph()
        source = graph.add_buffer(template=container.streams.video[0])
        chain = [
            source,
            graph.add("trim", f"start_frame={start}:end_frame={end}"),
            graph.add("fps", "fps=30:start_time=0"),
            graph.add("buffersink"),
        ]
        graph.link_nodes(*chain).configure()
        for frame in container.decode(video=0):
            assert frame.pts is not None
            # as FFmpeg's command line does of every file it opens
            frame.pts -= container.streams.video[0].start_time or 0
            graph.push(frame)
        graph.push(None)
        numbers = []
        while True:
            try:
                numbers.append(number_of(np.asarray(graph.pull().to_ndarray()[: SIZE[1]], np.uint8)))
            except (av.error.EOFError, av.error.BlockingIOError):
                return numbers


@dataclass(frozen=True)
class Silent:
    start_s: float = 0.0
    end_s: float = 0.0

    def samples(self, start_s: float, end_s: float, hz: int = 16000) -> NDArray[np.float32]:
        return np.zeros(round((end_s - start_s) * hz), np.float32)


def test_centiseconds_are_kept(ntsc: Path) -> None:
    """CelebV-HQ's script writes 52.72 as 00:00:52.71; frame 1580 is at 52.7193 s, so it begins a frame early."""
    clip = placed(ntsc, published(start_s=52.72, end_s=53.0))
    assert (clip.start_s, clip.end_s) == (52.72, 53.0)
    assert shown_in(ntsc, clip)[0] == 1581
    assert shown(ntsc, 52.71, 53.0)[0] == 1580


# Frames and rates.


def test_frames_without_a_rate_are_those_of_the_file(ntsc: Path) -> None:
    for first, last in ((0, 1), (0, 40), (59, 61), (1000, 1026), (1600, 1620)):
        assert shown_in(ntsc, placed(ntsc, published(first_frame=first, last_frame=last))) == list(range(first, last))


def test_a_span_holds_the_same_frames_when_the_file_is_packed_anew(ntsc: Path, tmp_path: Path) -> None:
    """Matroska rounds times to the millisecond."""
    packed = tmp_path / "packed.mkv"
    with av.open(str(ntsc)) as given, av.open(str(packed), "w") as made:
        into = made.add_stream_from_template(given.streams.video[0])
        for packet in given.demux(given.streams.video[0]):
            if packet.dts is not None:
                packet.stream = into
                made.mux(packet)
    for first, last in ((0, 40), (100, 126), (1001, 1027), (1002, 1028)):
        clip = placed(ntsc, published(first_frame=first, last_frame=last))
        assert shown_in(packed, clip) == list(range(first, last))


def test_frames_of_a_variable_rate(tmp_path: Path) -> None:
    times = [0.0, 0.04, 0.05, 0.30, 0.34, 0.90, 0.91, 1.5]
    path = write_video(tmp_path / "variable.mp4", [(lambda t: np.full((64, 64, 3), 20 + 25 * times.index(round(t, 2)),
                                                                      np.uint8), 2.0)],
                       size=(64, 64), times_s=times)  # fmt: skip
    clip = placed(path, published(first_frame=2, last_frame=6))
    assert [frame.pts_s for frame in VideoFrames(path, clip.start_s, clip.end_s)] == pytest.approx(times[2:6])


def test_frames_at_another_rate_follow_the_published_loader(ntsc: Path, long_gop: Path) -> None:
    """`i * ref_fps >= start * fps and i * ref_fps < end * fps`, video-preprocessing `load_videos.py`."""
    for path, fps, count in ((ntsc, float(NTSC), 1620), (long_gop, 30.0, 4200)):
        for start, end in ((0, 64), (101, 230), (777, 1000)):
            wanted = [i for i in range(count) if start * fps <= i * 25 < end * fps]
            assert shown_in(path, placed(path, published(first_frame=start, last_frame=end, fps=25.0))) == wanted


@pytest.mark.parametrize("fps", [29.97, 29.97003, 30000 / 1001])
def test_a_rounded_rate_keeps_the_numbers_in_a_container_of_milliseconds(tmp_path: Path, fps: float) -> None:
    path = write_numbered(tmp_path / "ntsc.mkv", 400, NTSC, 60)
    for first, last in ((0, 10), (100, 126), (333, 399)):
        assert shown_in(path, placed(path, published(first_frame=first, last_frame=last, fps=fps))) == list(
            range(first, last)
        )


def test_seconds_count_from_where_a_file_begins(tmp_path: Path) -> None:
    """As FFmpeg's -ss, and players, count them."""
    times = [10 + n / 15 for n in range(30)]
    path = write_video(tmp_path / "late.mov", [("red", 11.0), ("blue", 1.0)], size=(64, 64), fps=15, times_s=times)
    assert probed(path).start_s == 10
    clip = placed(path, published(start_s=1.0, end_s=1.5))
    assert (clip.start_s, clip.end_s) == (11.0, 11.5)
    assert next(iter(VideoFrames(path, clip.start_s, clip.end_s))).rgb()[0, 0, 2] > 150
    ours = placed(path, published(start_s=10.5, end_s=11.0, source_sha256="0" * 64))
    assert (ours.start_s, ours.end_s) == (10.5, 11.0), "a manifest of ours is on the source's clock"


def test_a_time_that_is_a_frames_own_begins_with_it_wherever_the_file_begins(tmp_path: Path) -> None:
    times = [1 / 15 + n / 25 for n in range(50)]
    path = write_video(tmp_path / "fifteenth.mkv", [("red", 3.0)], size=(64, 64), times_s=times)
    frames = [frame.pts_s for frame in VideoFrames(path)]
    for n in range(1, 40):
        clip = placed(
            path, published(start_s=round(frames[n] - frames[0], 3), end_s=round(frames[n + 5] - frames[0], 3))
        )
        assert [frame.pts_s for frame in VideoFrames(path, clip.start_s, clip.end_s)] == frames[n : n + 5]


# Boxes and rows.


def test_the_clip_says_where_it_comes_from(ntsc: Path) -> None:
    clip = placed(ntsc, published(start_s=1.0, end_s=2.5, identity="id1"))
    assert clip.clip_id == "made/001000-002500/clip-1-a"
    assert (clip.shot_id, clip.track_id, clip.speaker, clip.published_id) == ("", "", "id1", "list/clip 1.a")
    assert (clip.left_px, clip.top_px, clip.right_px, clip.bottom_px) == (0, 0, *SIZE)


@pytest.mark.parametrize(
    ("crop", "box", "measured", "wanted"),
    [
        ("", (10, 20, 90, 100), (0, 720), (10 * 64 / 720, 20 * 64 / 720, 90 * 64 / 720, 100 * 64 / 720)),
        ("", (10, 20, 50, 60), (0, 0), (10, 20, 50, 60)),
        # 345 / 1280 * 208 = 56.06; 857 / 1280 * 208 = 139.26
        ("talking_head_1kh", (345, 26, 857, 538), (1280, 720), (56, 2, 139, 47)),
    ],
)
def test_boxes_are_rescaled_by_the_lists_rule(ntsc: Path, crop: str, box, measured, wanted) -> None:
    left, top, right, bottom = box
    row = published(
        start_s=0.0, end_s=1.0, crop=crop, left=left, top=top, right=right, bottom=bottom, frame_width=measured[0],
        frame_height=measured[1]
    )  # fmt: skip
    clip = placed(ntsc, row)
    assert (clip.left_px, clip.top_px, clip.right_px, clip.bottom_px) == pytest.approx(wanted)


def test_a_turned_video_has_its_box_in_the_picture_as_shown(tmp_path: Path) -> None:
    path = write_video(tmp_path / "turned.mp4", [("red", 0.4)], size=(128, 64), rotation_deg=90)
    clip = placed(path, published(start_s=0.0, end_s=0.2))
    assert (clip.right_px, clip.bottom_px) == (64, 128)


def test_a_box_that_leaves_the_frame_is_given_up(ntsc: Path) -> None:
    beyond = published(start_s=0.0, end_s=1.0, right=1.2)
    drop = dropped(ntsc, beyond)
    assert (drop.reason, drop.detail) == ("box_outside_frame", "0 0 249.6 64 of 208 x 64")
    assert placed(ntsc, beyond, PlacePublished(cut_boxes=True)).right_px == 208
    assert placed(ntsc, replace(beyond, right=1.004)).right_px == 208, "what rounding does is cut"
    assert placed(ntsc, replace(beyond, source_sha256="0" * 64)).right_px == pytest.approx(249.6), "ours may show black"


@pytest.mark.parametrize(
    ("fields", "reason", "detail"),
    [
        ({"start_s": 60.0, "end_s": 70.0}, "beyond_end", "60.000 to 70.000 s of 54.054 s"),
        ({"start_s": 50.0, "end_s": 55.0}, "beyond_end", "50.000 to 55.000 s of 54.054 s"),
        ({"first_frame": 1600, "last_frame": 1621}, "beyond_end", "frames 1600 to 1620 of 1620"),
        ({"first_frame": 1400, "last_frame": 1500, "fps": 25.0}, "beyond_end", "56.000 to 60.000 s of 54.054 s"),
        ({"first_frame": 0, "last_frame": 10, "piece": 1}, "beyond_end", "minute 1 of 1"),
        ({"first_frame": 1600, "last_frame": 1621, "piece": 0}, "frame_unknown",
         "frame 1620 of minute 0, which has 1620"),
        ({"first_frame": 5, "last_frame": 5}, "no_frames", "frames 5 to 4"),
        ({}, "frame_unknown", "the list gives neither seconds nor frames"),
        ({"start_s": 0.0, "end_s": 1.0, "crop": "other"}, "rule_unknown",
         "'other'; there are celebv_hq, talking_head_1kh, vfhq, vox_metadata"),
    ],
)  # fmt: skip
def test_what_the_file_does_not_hold_is_a_drop(ntsc: Path, fields, reason: str, detail: str) -> None:
    drop = dropped(ntsc, published(**fields))
    assert (drop.reason, drop.detail) == (reason, detail)


def test_a_clip_may_lose_what_its_list_rounded(ntsc: Path) -> None:
    clip = placed(ntsc, published(start_s=50.0, end_s=54.5))
    assert clip.end_s == pytest.approx(54.054)
    assert shown_in(ntsc, clip)[-1] == 1619


def test_a_source_that_is_not_there_or_not_measured(ntsc: Path) -> None:
    row = published(start_s=0.0, end_s=1.0)
    for sources, reason in (([], "source_gone"), ([Source("made", str(ntsc))], "frame_size_unknown")):
        with pytest.raises(Drop, match=reason):
            next(PlacePublished()(row, sources, Here(ntsc)))
