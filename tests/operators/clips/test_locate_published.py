"""Published clips found again in other files: real recordings re-encoded, cut at the front, and swapped."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from manifests.tables import Fingerprint, Published, Source
from operators.base import Drop, Frame
from operators.clips.locate_published import LocatePublished
from operators.fingerprints import COEFFICIENTS
from operators.media.frames import VideoFrames
from operators.sources.fingerprint_changed import FingerprintChanged
from operators.sources.fingerprint_source import FingerprintSource
from tests.conftest import media
from tests.made_copies import FRAMES_FROM_ZERO, copy_of
from tests.made_videos import write_video
from tests.operators.sources.test_fingerprint_source import drifting

TWO_MEN = ("multi", "avi_billhyland.mp4")  # 20 s, 30 fps
EVEN = "scale=trunc(iw/2)*2:trunc(ih/2)*2"


def published(path: Path, start_s: float, end_s: float) -> Published:
    """What a manifest of ours publishes of a span of this file."""
    (row,) = FingerprintSource()(Source("s", str(path)), VideoFrames(path))
    looks = np.frombuffer(row.looks, "<i2").reshape(-1, COEFFICIENTS)
    seen = [n for n, at in enumerate(row.times_s) if start_s <= at < end_s]
    return Published(
        "s", f"headset/{start_s}", "headset", f"{start_s}", start_s, end_s, None, None, 0.0, None, 0, 0, 64, 64, 128,
        128, "", "", "", source_sha256="then", looks_s=[row.times_s[n] for n in seen], looks=looks[seen].tobytes(),
    )  # fmt: skip


def located(row: Published, path: Path, sha256: str = "now") -> Published:
    source = Source("s", str(path), sha256=sha256)
    (found,) = LocatePublished()(row, [source], list(FingerprintChanged()(source, [row], VideoFrames(path))))
    return found


def test_finds_the_moment_to_the_frame_in_a_smaller_encode(tmp_path: Path) -> None:
    row = published(media(*TWO_MEN), 6.0, 10.0)
    small = copy_of(
        media(*TWO_MEN), tmp_path / "small.mp4", f"{FRAMES_FROM_ZERO},scale=trunc(iw/4)*2:trunc(ih/4)*2", 32
    )
    found = located(row, small)
    assert found.moved_s == pytest.approx(0.0, abs=1e-3)
    assert 0 < (found.distance or 0) < 0.05


@pytest.mark.slow
def test_finds_the_moment_to_the_frame_where_the_front_is_cut_off(tmp_path: Path) -> None:
    row = published(media(*TWO_MEN), 6.0, 10.0)
    cut = copy_of(media(*TWO_MEN), tmp_path / "cut.mp4", f"trim=start=3.2,setpts=PTS-STARTPTS,{EVEN}", 26)
    found = located(row, cut)
    first = next(frame.pts_s for frame in VideoFrames(media(*TWO_MEN)) if frame.pts_s >= 3.2)
    assert found.moved_s == pytest.approx(-first, abs=1e-3)
    assert (found.start_s, found.end_s) == (pytest.approx(6.0 - first, abs=1e-3), pytest.approx(10.0 - first, abs=1e-3))
    for start_s, reason in ((3.0, "moment_cut"), (0.0, "moment_not_found")):
        with pytest.raises(Drop, match=reason):
            located(published(media(*TWO_MEN), start_s, start_s + 3.0), cut)


def test_another_video_holds_no_moment_of_it() -> None:
    row = published(media(*TWO_MEN), 6.0, 10.0)
    with pytest.raises(Drop, match="moment_not_found") as refused:
        located(row, media("multi", "panda_it8sFJe038g.7.mp4"))
    assert "nearest distance 0." in refused.value.detail


def test_the_same_file_is_not_decoded(tmp_path: Path) -> None:
    row = published(write_video(tmp_path / "a.mp4", [(drifting, 4.0)]), 1.0, 3.0)
    source = Source("s", "a.mp4", sha256="then")
    assert list(FingerprintChanged()(source, [row], undecodable())) == []
    (found,) = LocatePublished()(row, [source], [])
    assert (found.start_s, found.moved_s, found.distance) == (1.0, 0.0, 0.0)


def test_a_list_without_looks_is_believed() -> None:
    row = Published("s", "hdtf/x_0", "hdtf", "x_0", 1.0, 3.0, None, None, 0.0, None, 0, 0, 1, 1, 0, 720, "", "", "")
    assert list(FingerprintChanged()(Source("s", "a.mp4", sha256="now"), [row], undecodable())) == []
    assert list(LocatePublished()(row, [Source("s", "a.mp4", sha256="now")], [])) == [row]


def test_a_clip_whose_video_is_gone_is_accounted_for(tmp_path: Path) -> None:
    row = published(write_video(tmp_path / "a.mp4", [(drifting, 4.0)]), 1.0, 3.0)
    with pytest.raises(Drop, match="source_gone"):
        list(LocatePublished()(row, [], []))


def test_a_still_clip_is_told_by_what_it_shows(tmp_path: Path) -> None:
    picture = drifting(0.7)
    row = published(write_video(tmp_path / "a.mp4", [(picture, 4.0)]), 1.0, 3.0)
    same = write_video(tmp_path / "b.mp4", [(picture, 4.0)], crf=30)
    assert located(row, same).moved_s is not None
    with pytest.raises(Drop, match="moment_not_found"):
        located(row, write_video(tmp_path / "c.mp4", [(drifting(2.9), 4.0)]))


def test_fingerprints_of_a_changed_file_hold_every_frame(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", [(drifting, 2.0)])
    (row,) = FingerprintChanged()(Source("s", str(path), sha256="now"), [published(path, 0.0, 2.0)], VideoFrames(path))
    assert isinstance(row, Fingerprint)
    assert len(row.times_s) == 50


def undecodable() -> Iterator[Frame]:
    raise AssertionError("a frame was asked for")
    yield
