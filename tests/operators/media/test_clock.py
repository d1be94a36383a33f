"""Two recordings put one behind the other, each with a clock of its own: shown one after the other, each with its own
sound.
"""

from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from operators.base import Drop
from operators.media.clock import STAYS, _jumps, _Time, clock_of
from operators.media.frames import VideoFrames
from operators.media.sound import SourceAudio, native_channels
from tests.made_videos import clicks, flashes, write_video

HZ = 48000
LENGTH_S = 4.0


def part(path: Path, flash_s: float, length_s: float = LENGTH_S, sound: bool = True) -> Path:
    """A film that flashes and clicks once, at this moment."""
    webm = path.suffix == ".webm"
    return write_video(
        path, [(flashes([flash_s]), length_s)], codec="libvpx" if webm else "libx264", keyframe_every=25,
        audio=clicks(length_s, [flash_s], HZ) if sound else None, audio_hz=HZ, audio_codec="libopus" if webm else "aac",
        options={"live": "1"} if webm else {},
    )  # fmt: skip


def put_together(path: Path, *parts: Path) -> Path:
    path.write_bytes(b"".join(one.read_bytes() for one in parts))
    return path


def shown_s(path: Path, start_s: float | None = None, end_s: float | None = None) -> list[float]:
    return [frame.pts_s for frame in VideoFrames(path, start_s, end_s) if frame.gray(20).mean() > 128]


def heard_s(sound: SourceAudio) -> list[float]:
    """When each click begins."""
    loud = np.flatnonzero(np.abs(sound.samples(sound.start_s, sound.end_s, HZ)) > 0.3)
    firsts = [loud[0], *(b for a, b in pairwise(loud) if b - a > HZ / 10)]
    return [sound.start_s + first / HZ for first in firsts]


@pytest.mark.parametrize("suffix", [".ts", ".webm"])
@pytest.mark.parametrize("second_s", [LENGTH_S, 1.2])
def test_parts_follow_one_another_each_with_its_own_sound(tmp_path: Path, suffix: str, second_s: float) -> None:
    path = put_together(
        tmp_path / f"joined{suffix}", part(tmp_path / f"1{suffix}", 2.0), part(tmp_path / f"2{suffix}", 0.8, second_s)
    )
    times = [frame.pts_s for frame in VideoFrames(path)]
    assert len(times) == round((LENGTH_S + second_s) * 25)
    gaps = np.diff(times)
    assert gaps.min() > 0.03
    assert gaps.max() < 0.15, "AAC's last packet ends after the last picture"
    start_s = times[0]
    shown, heard = shown_s(path), heard_s(SourceAudio(path))
    assert shown == pytest.approx([start_s + 2.0, start_s + LENGTH_S + 0.8], abs=0.1)
    assert heard == pytest.approx(shown, abs=0.03)
    assert clock_of(path).parts == 2


@pytest.mark.parametrize("suffix", [".ts", ".webm"])
def test_a_span_of_the_second_part_holds_its_frames_and_its_sound(tmp_path: Path, suffix: str) -> None:
    path = put_together(
        tmp_path / f"joined{suffix}", part(tmp_path / f"1{suffix}", 2.0), part(tmp_path / f"2{suffix}", 1.0)
    )
    whole = [frame.pts_s for frame in VideoFrames(path)]
    flash_s = shown_s(path)[1]
    span = [frame.pts_s for frame in VideoFrames(path, flash_s - 0.2, flash_s + 0.3)]
    assert span == [time_s for time_s in whole if flash_s - 0.2 <= time_s < flash_s + 0.3]
    assert shown_s(path, start_s=flash_s - 0.2, end_s=flash_s + 0.3) == [flash_s]
    channels, hz, _ = native_channels(path, flash_s - 0.2, flash_s + 0.3)
    assert int(np.argmax(np.abs(channels[0]) > 0.3)) / hz == pytest.approx(0.2, abs=0.03)


def test_a_part_without_sound_leaves_the_next_one_its_own(tmp_path: Path) -> None:
    # The sound of the third part is at the second one's place among the parts that have sound.
    path = put_together(
        tmp_path / "joined.ts",
        part(tmp_path / "1.ts", 2.0),
        part(tmp_path / "2.ts", 1.0, sound=False),
        part(tmp_path / "3.ts", 3.0),
    )
    shown, heard = shown_s(path), heard_s(SourceAudio(path))
    assert len(shown) == 3
    assert len(heard) == 2
    assert heard == pytest.approx([shown[0], shown[2]], abs=0.03)


def moved(path: Path, source: Path, by_s: float) -> Path:
    """The same packets, later by so much."""
    with av.open(str(source)) as read, av.open(str(path), "w") as written:
        into = {stream.index: written.add_stream_from_template(stream) for stream in read.streams}
        for packet in read.demux():
            if packet.size and packet.pts is not None and packet.dts is not None and packet.time_base:
                ticks = round(by_s / packet.time_base)
                packet.pts, packet.dts = packet.pts + ticks, packet.dts + ticks
                packet.stream = into[packet.stream_index]
                written.mux(packet)
    return path


def test_pieces_whose_clocks_jump_ahead_follow_one_another_too(tmp_path: Path) -> None:
    """As those of HLS around an advertisement."""
    far = moved(tmp_path / "far.ts", part(tmp_path / "2.ts", 1.0), 5000.0)
    path = put_together(tmp_path / "joined.ts", part(tmp_path / "1.ts", 2.0), far, part(tmp_path / "3.ts", 3.0))
    shown, heard = shown_s(path), heard_s(SourceAudio(path))
    assert np.diff(shown) == pytest.approx([LENGTH_S - 1.0, LENGTH_S + 2.0], abs=0.2)
    assert heard == pytest.approx(shown, abs=0.03)


def test_a_pause_of_one_stream_is_a_pause(tmp_path: Path) -> None:
    times_s = [*np.arange(0, 1, 0.04), *np.arange(16, 17, 0.04)]
    path = write_video(tmp_path / "a.ts", [("red", 17.0)], times_s=times_s, audio=clicks(17.0, [16.5], HZ), audio_hz=HZ)
    assert clock_of(path).parts == 1
    assert np.diff([frame.pts_s for frame in VideoFrames(path)]).max() == pytest.approx(15.04, abs=0.01)


@pytest.mark.parametrize("strays", [1, STAYS - 1])
def test_stray_times_are_damage_and_no_new_part(strays: int) -> None:
    seconds = [n / 25 for n in range(200)]
    stray = [second - 3 if 100 <= n < 100 + strays else second for n, second in enumerate(seconds)]
    anew = seconds[:100] + seconds[:100]
    for times_s, found in ((seconds, []), (stray, []), (anew, [100])):
        assert (
            _jumps({0: [_Time(n, second, second, second) for n, second in enumerate(times_s)]}, 0, float("inf"))
            == found
        )


def test_a_clock_on_which_picture_and_sound_do_not_agree_is_a_drop_that_tells_what_was_had(tmp_path: Path) -> None:
    """The picture's time starts anew after 6 s, the sound's goes on: nobody can say what belongs together."""
    first, second = part(tmp_path / "1.ts", 2.0), part(tmp_path / "2.ts", 1.0, sound=False)
    path = tmp_path / "joined.ts"
    # Sound of 8 s under two pictures of 4 s: the packets of the second part are put among those of the first's sound.
    long = write_video(tmp_path / "3.ts", [("red", 8.0)], audio=clicks(8.0, [1.0], HZ), audio_hz=HZ)
    cells = [first.read_bytes()[at : at + 188] for at in range(0, first.stat().st_size, 188)]
    later = [second.read_bytes()[at : at + 188] for at in range(0, second.stat().st_size, 188)]
    packets = [long.read_bytes()[at : at + 188] for at in range(0, long.stat().st_size, 188)]
    sound = [cell for cell in packets if int.from_bytes(cell[1:3], "big") & 0x1FFF == 0x101]
    picture = [cell for cell in cells if int.from_bytes(cell[1:3], "big") & 0x1FFF != 0x101] + later
    mixed = []
    for n, cell in enumerate(picture):
        mixed.append(cell)
        mixed += sound[n * len(sound) // len(picture) : (n + 1) * len(sound) // len(picture)]
    path.write_bytes(b"".join(mixed))
    for read in (lambda: list(VideoFrames(path)), lambda: list(VideoFrames(path, 5.0, 6.0))):
        with pytest.raises(Drop) as caught:
            read()
        assert caught.value.reason == "clock_restarts"
        assert caught.value.detail.startswith("4.")
