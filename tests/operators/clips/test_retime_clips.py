"""Sound that is moved where it belongs: once, to the sample, and only where the offset is sure."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from manifests.tables import Clip, Score, Shot, Source, Track
from operators.base import Audio
from operators.clips.render_clips import RenderClips
from operators.clips.retime_clips import RetimeClips
from operators.media.frames import VideoFrames
from operators.media.sound import SourceAudio
from tests.conftest import media
from tests.made_sounds import Delayed, centre_s, late_film, lit
from tests.operators.clips.test_render_clips import Folder, clip, heard, pictures, render


def retimed(of: Clip, offset_s: float, confidence: float) -> Clip:
    scores = [
        Score(of.source_id, f"{of.clip_id}#{metric}", of.clip_id, metric, "mouth_envelope", value)
        for metric, value in (("av_offset_s", offset_s), ("av_confidence", confidence))
    ]
    other = replace(of, clip_id="made/other", sound_late_s=0.0)
    assert list(RetimeClips()(other, scores)) == [other], (
        "what was measured of a clip is not taken for what was of another"
    )
    (made,) = RetimeClips()(of, scores)
    return made


@pytest.mark.parametrize("late_s", [0.2, -0.2, 0.1234])
def test_the_sound_comes_with_the_picture_again_to_the_sample(tmp_path: Path, late_s: float):
    video, of = late_film(tmp_path / "late.mov", late_s), clip(0.999, 4.4)
    row, path = render(video, retimed(of, late_s, 1.3))
    sound, hz = heard(path)
    shown = [at for at, picture in pictures(path) if picture.mean() > 100]
    for flash_s in lit("constant"):
        first = round((flash_s - of.start_s - 0.1) * hz)
        assert centre_s(sound[first : first + round(0.2 * hz)], hz, first / hz) == pytest.approx(
            flash_s - of.start_s, abs=1 / 16000
        )
        assert min(abs(at - (flash_s - of.start_s)) for at in shown) <= 0.002
    assert row.frames_sha256 == render(video, of)[0].frames_sha256


def test_a_clip_is_moved_by_its_source_however_often_it_is_asked():
    once = retimed(clip(0.999, 4.4), 0.2, 1.3)
    assert once.sound_late_s == 0.2
    assert retimed(once, 0.2, 1.3) == once
    assert retimed(once, 0.01, 1.3).sound_late_s == 0.0  # of the render as a source, where both are at once


@pytest.mark.parametrize(("offset_s", "confidence"), [(0.2, 0.9), (0.03, 2.0), (0.5, 2.0), (-0.5, 2.0)])
def test_what_is_not_sure_small_or_far_is_left(offset_s: float, confidence: float):
    of = clip(0.999, 4.4)
    assert retimed(of, offset_s, confidence) == of
    assert list(RetimeClips()(of, [])) == [of]


@dataclass(frozen=True)
class Watched:
    """A real clip, and the track of its face."""

    clip: Clip
    track: Track


def watched(path: Path, start_s: float, end_s: float) -> Watched:
    from operators.faces.detect_faces import DetectFaces
    from operators.faces.track_faces import TrackFaces

    faces = list(DetectFaces()(Source("film", str(path)), VideoFrames(path, 0.0, end_s + 0.2)))
    shot = Shot("film", "film/0", 0.0, end_s + 0.2)
    (track,) = [row for row in TrackFaces()(shot, faces) if isinstance(row, Track)]
    return Watched(
        Clip("film", f"film/{start_s}", shot.shot_id, track.track_id, "speaker0", start_s, end_s, 0, 0, 256, 256), track
    )


@pytest.mark.slow
def test_real_sound_that_was_moved_by_five_frames_is_measured_in_place_again(tmp_path: Path):
    from operators.faces.landmark_faces import LandmarkFaces
    from operators.speech.score_sync import ScoreSync

    def measured(path: Path, audio: Audio, of: Watched) -> dict[str, float]:
        frames = VideoFrames(path, of.clip.start_s, of.clip.end_s)
        rows = ScoreSync()(of.clip, [], list(LandmarkFaces()(of.clip, [of.track], frames)), audio)
        return {row.metric: row.value for row in rows if isinstance(row, Score)}

    video = media("single", "headpose_31.mp4")
    late = Delayed(SourceAudio(video), 5 / 25)
    film = watched(video, 0.4, 8.4)
    before = measured(video, late, film)
    assert before["av_offset_s"] == pytest.approx(5 / 25, abs=0.04)
    box = film.track
    of = replace(
        film.clip,
        left_px=box.left_px[0] - 60,
        top_px=box.top_px[0] - 60,
        right_px=box.right_px[0] + 60,
        bottom_px=box.bottom_px[0] + 60,
    )
    store = Folder(video, tmp_path / "kept", tmp_path / "scratch")
    moved = retimed(of, before["av_offset_s"], before["av_confidence"])
    (row,) = RenderClips(size=256)(moved, VideoFrames(video, 0.4, 8.4), late, store)
    made = store.kept / row.media
    after = measured(made, SourceAudio(made), watched(made, 0.2, 7.8))
    assert after["av_offset_s"] == pytest.approx(0.0, abs=0.04)
    assert after["av_confidence"] > 1.0
