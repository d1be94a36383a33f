"""Scores of clips and renders by a SyncNet with seeded weights: what reaches the network, what is said, and what is
refused.
"""

from pathlib import Path

import numpy as np
import pytest
import torch

from manifests.boxes import Box
from manifests.tables import Clip, Score
from operators.base import Drop
from operators.media.frames import VideoFrames
from operators.media.sound import SourceAudio
from operators.metrics import lip_sync
from operators.metrics import lse as score_lse
from operators.metrics.base import FramePair, Video
from operators.metrics.lip_sync import PROTOCOLS, Still, Watched, as_s3fd
from operators.metrics.lse import LseC, LseD, ScoreLse, SyncOffset, at_25, shown
from operators.models import syncnet
from operators.models.catalogue_sound import SYNCNET_V2
from operators.models.syncnet import SyncNet, compare
from operators.models.syncnet_pictures import QSCALE, FaceTrack, jpeg_files, lrs_pictures
from operators.picture import Picture
from pipeline.engine.fan_out import fan_out
from tests.conftest import media
from tests.made_videos import tone, write_audio, write_video
from tests.operators.models.test_syncnet import moving, published_state


@pytest.fixture(scope="module")
def net():
    made = SyncNet()
    made.load_published(published_state())
    return made.eval().requires_grad_(False).to("cuda" if torch.cuda.is_available() else "cpu")


@pytest.fixture(autouse=True)
def weights_at_hand(monkeypatch, net):
    for module in (lip_sync, score_lse):
        monkeypatch.setattr(module, "network", lambda: net)


def clip(end_s: float, box: tuple[float, float, float, float] = (0, 0, 160, 120), start_s: float = 0.0) -> Clip:
    return Clip("s", "s/c", "s/x", "s/x/t0", "speaker0", start_s, end_s, *box)


def scored(path: Path, one: Clip, **how) -> dict[str, Score]:
    rows = ScoreLse(**how)(one, VideoFrames(path, one.start_s, one.end_s), SourceAudio(path))
    return {row.metric: row for row in rows}


def test_a_clip_has_three_scores_that_say_what_they_are(tmp_path, net):
    picture_at = lambda time_s: moving(12, (160, 120))[round(time_s * 25)]  # noqa: E731
    path = write_video(tmp_path / "v.mp4", [(picture_at, 0.48)], size=(160, 120), audio=tone(0.48))
    rows = scored(path, clip(0.48), variant="lse_lrs")
    pictures = (frame.crop(0, 0, 160, 120, (160, 120))[:, :, ::-1] for frame in VideoFrames(path))
    truth = compare(net, lrs_pictures(pictures), SourceAudio(path).samples(0, 0.48))
    assert truth.distances.shape == (7, 31)
    assert [rows[name].value for name in ("lse_d", "lse_c", "sync_offset_frames")] == pytest.approx(truth[:3], abs=1e-3)
    for row in rows.values():
        assert (row.subject, row.variant, row.model_sha256, row.protocol) == (
            "s/c",
            "lse_lrs",
            SYNCNET_V2.sha256,
            str(PROTOCOLS["lse_lrs"]),
        )
    assert len({row.score_id for row in rows.values()}) == 3


def test_the_box_of_the_clip_is_what_is_looked_at(tmp_path):
    picture_at = lambda time_s: moving(12, (320, 120))[round(time_s * 25)]  # noqa: E731
    path = write_video(tmp_path / "v.mp4", [(picture_at, 0.48)], audio=tone(0.48), size=(320, 120))
    left, right = (
        scored(path, clip(0.48, box), variant="lse_lrs")["lse_d"].value
        for box in ((0, 0, 160, 120), (160, 0, 320, 120))
    )
    assert abs(left - right) > 0.1


@pytest.mark.parametrize("fps", [12.5, 24, 30, 50, 60000 / 1001])
def test_the_frame_on_show_is_looked_at(tmp_path, fps):
    path = write_video(tmp_path / "v.mp4", [("gray", 2.0)], fps=fps)
    frames = list(VideoFrames(path))
    picked = [frame.pts_s for frame in shown(frames, 0.2, 40, 25)]
    assert len(picked) == 40
    for k, pts_s in enumerate(picked):
        at_s = 0.2 + k / 25
        assert pts_s == max(frame.pts_s for frame in frames if frame.pts_s <= at_s + 0.002)


def test_beyond_both_ends_the_nearest_frame_is_shown(tmp_path):
    frames = list(VideoFrames(write_video(tmp_path / "v.mp4", [("gray", 0.4)], fps=25)))[2:6]
    assert [round(frame.pts_s * 25) for frame in shown(frames, 0.0, 10, 25)] == [2, 2, 2, 3, 4, 5, 5, 5, 5, 5]
    with pytest.raises(Drop, match="no_frames"):
        list(shown([], 0.0, 10, 25))


def test_other_rates_are_refused_where_frames_are_not_to_be_resampled(tmp_path):
    slow, right = (write_video(tmp_path / f"{fps}.mp4", [("gray", 1.0)], fps=fps, audio=tone(1.0)) for fps in (30, 25))
    assert len(list(at_25(VideoFrames(right)))) == 25
    with pytest.raises(Drop) as refused:
        scored(slow, clip(1.0), variant="lse_lrs", resample=False)
    assert (refused.value.reason, refused.value.detail[:5]) == ("fps_not_25", "30.00")
    assert "not resampled" in scored(right, clip(0.48), variant="lse_lrs", resample=False)["lse_d"].protocol


@pytest.mark.parametrize(
    ("variant", "seconds", "sound_s", "reason", "detail"),
    [
        ("lse_lrs", 0.2, 1.0, "too_short", "5 frames"),
        ("lse_tracked", 4.0, 5.0, "too_short", "100 frames"),
        ("lse_tracked", 4.2, 5.0, "no_face", "105 frames"),
        ("lse_lrs", 1.0, 0.0, "silent_audio", ""),
    ],
)
def test_refuses(tmp_path, variant, seconds, sound_s, reason, detail):
    path = write_video(
        tmp_path / "v.mp4",
        [("gray", 5.0)],
        size=(160, 120),
        audio=tone(sound_s) if sound_s else np.zeros(44100, np.float32),
    )
    with pytest.raises(Drop) as refused:
        scored(path, clip(seconds), variant=variant)
    assert refused.value.reason == reason
    assert detail in refused.value.detail


def test_sound_that_is_over_is_none(tmp_path):
    path = write_video(tmp_path / "v.mkv", [("gray", 3.0)], audio=tone(1.0), audio_codec="pcm_s16le")
    with pytest.raises(Drop, match="no_sound"):
        scored(path, clip(3.0, start_s=2.0), variant="lse_lrs")


def test_unknown_protocol():
    with pytest.raises(ValueError, match="lse_lrs or lse_tracked"):
        ScoreLse("lse")


def video(fps: float, count: int, sound: SourceAudio, pictures: list[Picture]) -> Video:
    return Video((FramePair(one, None) for one in pictures[:count]), fps, lambda: sound, "r")


def test_a_render_is_measured_as_a_clip_is_and_once_for_all_three(tmp_path, net, monkeypatch):
    sound = SourceAudio(write_audio(tmp_path / "a.wav", tone(1.0, 16000)))
    pictures = [Picture(bgr[:, :, ::-1]) for bgr in moving(12, (160, 120))]
    truth = compare(net, lrs_pictures(moving(12, (160, 120))), sound.samples(0, 0.48))
    asked = []
    monkeypatch.setattr(lip_sync, "network", lambda: asked.append(1) or net)
    metrics = LseD("lse_d_lrs"), LseC("lse_c_lrs"), SyncOffset("sync_offset_lrs")
    values = [metric.measure(video(25, 12, sound, pictures)) for metric in metrics]
    assert values == pytest.approx(truth[:3], abs=1e-4)
    assert len(asked) == 1
    assert {metric.model_sha256 for metric in metrics} == {SYNCNET_V2.sha256}


def test_three_metrics_over_one_decode_do_not_wait_for_each_other(tmp_path):
    sound = SourceAudio(write_audio(tmp_path / "a.wav", tone(12.0, 16000)))
    metrics = LseD("lse_d_tracked"), LseC("lse_c_tracked"), LseD("lse_d_lrs")

    def measured(metric):
        def read(pictures):
            try:
                return metric.measure(Video((FramePair(one, None) for one in pictures), 25, lambda: sound, "r"))
            except Drop as drop:
                return drop.reason

        return read

    flat = np.full((48, 64, 3), 90, np.uint8)
    answers = fan_out(
        (Picture(flat) for _ in range(110)), [*map(measured, metrics[:2]), lambda pictures: sum(1 for _ in pictures)]
    )
    assert answers == ["no_face", "no_face", 110]
    few = fan_out(iter([Picture(flat) for _ in range(7)]), [measured(metrics[2])])
    assert isinstance(few[0], float)


def test_a_render_is_refused_with_a_reason(tmp_path):
    sound = SourceAudio(write_audio(tmp_path / "a.wav", tone(6.0, 16000)))
    pictures = [Picture(bgr) for bgr in moving(8, (64, 48))]
    for metric, fps, count, reason in (
        (LseD("lse_d_lrs"), 30, 8, "fps_not_25"),
        (LseD("lse_d_lrs"), 25, 5, "too_short"),
        (LseD("lse_d_lrs"), 25, 0, "no_frames"),
        (LseC("lse_c_tracked"), 30, 8, "too_short"),
    ):
        with pytest.raises(Drop) as refused:
            metric.measure(video(fps, count, sound, pictures))
        assert refused.value.reason == reason


def test_a_face_is_compared_with_the_sound_of_its_own_frames(net, monkeypatch):
    """A face in frames 5 to 16 of 20. Seeded weights give all sounds one distance, so what they are asked is looked
    at.
    """
    asked: list[np.ndarray] = []
    monkeypatch.setattr(
        syncnet, "compare", lambda net, pictures, sound: asked.append(sound) or compare(net, pictures, sound)
    )
    face = FaceTrack(12, np.arange(5, 17), np.tile([40.0, 20.0, 120.0, 100.0], (12, 1)))
    monkeypatch.setattr(Watched, "_track", lambda _: face)
    sound = np.random.default_rng(0).normal(0, 0.1, 20 * 640).astype(np.float32)
    found = Watched("lse_tracked", [], list(jpeg_files(moving(20, (160, 120)), QSCALE))).sync(net, sound)
    assert found.distances.shape == (7, 31)
    assert [one.tolist() for one in asked] == [sound[5 * 640 : 17 * 640].tolist()]


def test_a_box_is_made_as_tall_as_s3fds():
    assert as_s3fd(Box(100, 100, 200, 200, 1, 0)) == pytest.approx((103.38, 77, 196.62, 203))
    assert as_s3fd(Box(300, 100, 380, 200, 1, 0)) == pytest.approx((293.38, 77, 386.62, 203))


def test_a_still_is_a_frame():
    still = Still(np.full((40, 60, 3), 90, np.uint8))
    assert (still.width, still.height) == (60, 40)
    assert still.rgb(20).shape == (20, 30, 3)
    crop = still.crop(-30, -20, 30, 20, (60, 40))
    assert (crop[:18, :28] == 0).all()
    assert (crop[22:, 32:] == 90).all()


@pytest.mark.slow
def test_a_real_face_is_found_and_followed(net):
    path = media("single", "headpose_31.mp4")
    rows = scored(path, clip(4.2, (300, 0, 1020, 720)))
    assert set(rows) == {"lse_d", "lse_c", "sync_offset_frames"}
    assert rows["lse_d"].variant == "lse_tracked"
    with pytest.raises(Drop, match="face_too_small"):
        scored(media("multi", "panda_R_YVZHusX4w.6.mp4"), clip(4.2, (0, 0, 640, 360)))
