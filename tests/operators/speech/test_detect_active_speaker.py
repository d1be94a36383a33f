"""Who speaks. The truth of the real clips was read off contact sheets; docs/measured/active_speaker.md has it second by
second.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from manifests.tables import ActiveSpeaker, Shot, Track, Turn
from operators.base import Frame, Frames
from operators.media.frames import VideoFrames
from operators.media.sound import SourceAudio
from operators.metrics.lip_sync import Still
from operators.speech.detect_active_speaker import (
    DetectActiveSpeaker,
    face_squares,
    first_tick,
    mouth_crop,
    mouth_motion,
    shown_at_ticks,
)
from operators.timeline import TICK_HZ
from operators.weights import Weight
from tests.conftest import media, weights
from tests.made_videos import tone, write_video

SHOT = Shot("s", "s/000000-012000", 0.0, 12.0)
Box = tuple[float, float, float, float]
# Boxes brow to chin at some seconds of the clip.
BILL_LEFT: dict[float, Box] = {0.0: (206, 115, 319, 228), 19.8: (206, 115, 319, 228)}
BILL_RIGHT: dict[float, Box] = {0.0: (562, 138, 666, 247), 19.8: (562, 138, 666, 247)}
PANDA_SPEAKER: dict[float, Box] = {
    0.0: (304, 74, 426, 196),
    1.0: (291, 71, 414, 194),
    2.0: (286, 65, 415, 194),
    3.0: (312, 67, 442, 197),
}
PANDA_SILENT: dict[float, Box] = {
    0.0: (551, 13, 652, 114),
    1.0: (500, 0, 598, 98),
    2.0: (501, 0, 598, 97),
    3.0: (508, 0, 607, 99),
}
EATING: dict[float, Box] = {0.4: (245, 64, 475, 294), 1.2: (278, 129, 441, 292), 2.0: (313, 160, 432, 279)}


def track(boxes: dict[float, Box], name: str = "t0") -> Track:
    left, top, right, bottom = (list(map(float, side)) for side in zip(*boxes.values(), strict=True))
    return Track(
        "s",
        f"s/000000-012000/{name}",
        SHOT.shot_id,
        min(boxes),
        max(boxes),
        list(boxes),
        left,
        top,
        right,
        bottom,
        [1.0] * len(boxes),
    )


def turn(start_s: float, end_s: float) -> Turn:
    return Turn("s", f"s/{start_s}", "speaker0", start_s, end_s)


class Undecodable:
    def __iter__(self) -> Iterator[Frame]:
        raise AssertionError("frames were decoded for nothing")


def by_second(row: ActiveSpeaker) -> dict[int, float]:
    seconds = np.floor(row.start_s + row.step_s * np.arange(len(row.score)) + 1e-6).astype(int)
    return {
        int(second): float(np.median(np.array(row.score)[seconds == second]))
        for second in np.unique(seconds)
        if (seconds == second).sum() > 12
    }


@pytest.mark.parametrize(
    ("tracks", "turns"),
    [
        ([], [turn(0, 5)]),
        ([track(BILL_LEFT)], []),
        ([track({0.0: (0, 0, 100, 100), 2.0: (0, 0, 100, 100)})], [turn(2.6, 5)]),  # speaks after the face has gone
        ([track({0.0: (0, 0, 20, 20), 2.0: (0, 0, 20, 20)})], [turn(0, 5)]),  # too small
        ([track({0.0: (0, 0, 100, 100), 0.2: (0, 0, 100, 100)})], [turn(0, 5)]),  # too short
    ],
)
def test_nothing_to_score_decodes_nothing(tmp_path, tracks, turns):
    audio = SourceAudio(write_video(tmp_path / "v.mp4", audio=tone(2.0)))
    assert list(DetectActiveSpeaker("mouth_motion")(SHOT, tracks, turns, Undecodable(), audio)) == []


def test_auto_settles_on_what_is_at_hand(monkeypatch, tmp_path):
    monkeypatch.setenv("HEADSET_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("HEADSET_CACHE", str(tmp_path))
    assert DetectActiveSpeaker().resolved().model == "mouth_motion"
    assert [weight.file for weight in DetectActiveSpeaker().weights] == ["face_landmarker.task"]
    assert DetectActiveSpeaker("lr_asd").resolved().model == "lr_asd"
    assert DetectActiveSpeaker().resolved().fingerprint() != DetectActiveSpeaker("lr_asd").resolved().fingerprint()


def test_auto_settles_on_lr_asd():
    weights("lr_asd_finetuning_TalkSet.model")
    assert DetectActiveSpeaker().resolved() == DetectActiveSpeaker("lr_asd")


def test_unknown_model():
    with pytest.raises(ValueError, match="mouth_motion"):
        DetectActiveSpeaker("talknet")


@pytest.mark.parametrize("fps", [10, 24, 25, 30])
def test_a_tick_shows_the_last_frame_not_after_it(tmp_path, fps):
    frames = VideoFrames(write_video(tmp_path / "v.mp4", [("red", 2.0)], fps=fps))
    times_s = [frame.pts_s for frame in frames]
    ticks = list(shown_at_ticks(frames, 3, 60))  # beyond the end: the last frame stays
    assert [tick.number for tick in ticks] == list(range(3, 61))
    for tick, frame in ticks:
        assert frame.pts_s == max(time_s for time_s in times_s if time_s <= tick / TICK_HZ + 1e-6)


def test_ticks_before_the_first_frame_show_it(tmp_path):
    path = write_video(tmp_path / "v.mkv", [("red", 1.0)], times_s=[0.5 + n / 25 for n in range(25)])
    ticks = list(shown_at_ticks(VideoFrames(path), 10, 14))
    assert [(tick, round(frame.pts_s, 2)) for tick, frame in ticks] == [
        (10, 0.5),
        (11, 0.5),
        (12, 0.5),
        (13, 0.5),
        (14, 0.54),
    ]


def test_first_tick():
    assert [first_tick(at_s) for at_s in (0.0, 0.04, 0.0401, 0.12, 3 * 0.04)] == [0, 1, 2, 3, 3]


def test_squares_follow_the_track():
    squares = face_squares(track({0.0: (0, 0, 100, 80), 4.0: (200, 0, 300, 80)}), np.arange(101))
    assert squares[50] == pytest.approx([150, 40, 50])
    assert np.diff(squares[10:90, 0]) == pytest.approx(2.0)


def test_mouth_crop_is_the_lower_face(tmp_path):
    # A face square of 80 px about (100, 60): 0.7 of its side, from 12 above its centre to 44 below.
    picture = np.zeros((180, 200, 3), np.uint8)
    picture[48:104, 72:128] = 255
    frame = next(iter(VideoFrames(write_video(tmp_path / "v.mp4", [(picture, 0.2)], size=(200, 180), crf=1))))
    assert mouth_crop(frame, (100, 60, 40))[2:-2, 2:-2].min() > 240
    wider = mouth_crop(frame, (100, 60, 44))
    assert wider[0].max() < 30
    assert wider[:, :3].max() < 60
    assert wider[3:-10, 6:-6].min() > 240
    assert mouth_crop(frame, (100, 60, 40)).shape == (112, 112)


def test_a_mouth_crop_is_grey_as_eyes_weigh_the_colours():
    for rgb, grey in (((255, 0, 0), 76), ((0, 255, 0), 150), ((0, 0, 255), 29)):
        assert np.unique(mouth_crop(Still(np.full((90, 60, 3), rgb, np.uint8)), (30, 40, 20))).tolist() == [grey]


def test_sight_sound_and_score_are_of_one_moment(tmp_path, monkeypatch):
    """White comes with the tone, at 2 s, beyond the first tick that is scored and beyond the start of the turn."""
    heard: list[np.ndarray] = []

    def brightness(network, faces: np.ndarray, cepstra: np.ndarray, encode_once: bool) -> np.ndarray:
        heard.append(cepstra[:, 0])
        return faces.mean(axis=(1, 2))

    monkeypatch.setattr("operators.models.lr_asd.score_ticks", brightness)
    sound = np.concatenate([np.zeros(32000, np.float32), tone(2.0, 16000, 400)])
    path = write_video(
        tmp_path / "v.mkv", [("black", 2.0), ("white", 2.0)], audio=sound, audio_hz=16000, audio_codec="pcm_s16le"
    )
    matcher = DetectActiveSpeaker("lr_asd")
    matcher.__dict__["_network"] = None
    face = track({0.0: (100, 40, 200, 140), 4.0: (100, 40, 200, 140)})
    [row] = matcher(SHOT, [face], [turn(1.0, 3.0)], VideoFrames(path), SourceAudio(path))
    at_s = row.start_s + row.step_s * np.arange(len(row.score))
    assert row.start_s == pytest.approx(0.52)
    assert at_s[np.array(row.score) > 128].min() == pytest.approx(2.0)
    # A window of 25 ms that begins up to 15 ms before the tone hears the start of it.
    loud_s = row.start_s + np.flatnonzero(heard[0] > heard[0].min() + 5).min() / 100
    assert 1.975 < loud_s <= 2.0


def test_mouth_motion_is_the_deviation_within_a_second():
    looks = np.arange(0, 200, 2)
    openings = np.where(looks < 100, 0.05, 0.05 + 0.02 * np.sign(np.sin(looks * 2 * np.pi / 8 + 0.1)))
    motion = mouth_motion(looks.astype(float), openings, np.arange(200))
    assert motion[:80] == pytest.approx(0, abs=1e-9)
    assert motion[120:180] == pytest.approx(0.02, rel=0.05)
    openings[60:] = np.nan
    assert (mouth_motion(looks.astype(float), openings, np.arange(200))[140:] == 0).all()


def test_scores_reach_from_before_the_first_turn_to_after_the_last(tmp_path):
    path = write_video(tmp_path / "v.mp4", [("gray", 6.0)], audio=tone(6.0))
    face = track({0.0: (100, 40, 200, 140), 5.0: (100, 40, 200, 140)})
    [row] = DetectActiveSpeaker("mouth_motion")(
        SHOT, [face], [turn(2.0, 2.4), turn(3.0, 3.2)], VideoFrames(path), SourceAudio(path)
    )
    assert (row.active_speaker_id, row.model) == (f"{face.track_id}/mouth_motion", "mouth_motion")
    assert (row.start_s, row.step_s) == (pytest.approx(1.52), 0.04)
    assert row.start_s + (len(row.score) - 1) * row.step_s == pytest.approx(3.68)
    assert set(row.score) == {-1.0}  # no mouth is seen, so none moves


def scored(
    model: str, path, faces: dict[str, dict[float, Box]], turns: list[Turn], **fields
) -> dict[str, ActiveSpeaker]:
    frames: Frames = VideoFrames(path)
    rows = DetectActiveSpeaker(model, **fields)(
        SHOT, [track(boxes, name) for name, boxes in faces.items()], turns, frames, SourceAudio(path)
    )
    return {row.track_id.rsplit("/")[-1]: row for row in rows}


@pytest.mark.parametrize("model", [pytest.param("lr_asd", marks=pytest.mark.slow), "mouth_motion"])
def test_two_men_take_turns(model):
    # The man on the right asks until 7.8 s; the one on the left has answered from 8.1 s on. He turns and smiles from
    # 7.4 s on.
    if model == "lr_asd":
        weights("lr_asd_finetuning_TalkSet.model")
    rows = scored(
        model,
        media("multi", "avi_billhyland.mp4"),
        {"left": BILL_LEFT, "right": BILL_RIGHT},
        [turn(4.5, 7.8), turn(8.1, 10.5)],
    )
    left, right = by_second(rows["left"]), by_second(rows["right"])
    assert all(right[second] > 0 and left[second] < 0 for second in (4, 5, 6))
    assert all(left[second] > 0 and right[second] < left[second] for second in (8, 9, 10))
    assert right[10] < 0


@pytest.mark.parametrize("model", ["lr_asd", "mouth_motion"])
def test_a_silent_man_beside_the_speaker(model):
    if model == "lr_asd":
        weights("lr_asd_finetuning_TalkSet.model")
    rows = scored(
        model,
        media("multi", "panda_it8sFJe038g.7.mp4"),
        {"speaker": PANDA_SPEAKER, "silent": PANDA_SILENT},
        [turn(0.0, 3.0)],
    )
    assert min(by_second(rows["speaker"]).values()) > 0
    assert max(rows["silent"].score) < 0


def test_a_voice_over_is_not_hers():
    weights("lr_asd_finetuning_TalkSet.model")
    [row] = scored("lr_asd", media("multi", "panda_YemkZ7DLOBU.15.mp4"), {"eating": EATING}, [turn(0.0, 2.6)]).values()
    assert np.median(row.score) < -0.5
    assert np.mean(np.array(row.score) > 0) < 0.1


def test_the_same_input_gives_the_same_scores_and_both_protocols_agree():
    weights("lr_asd_finetuning_TalkSet.model")
    path, faces = (
        media("multi", "panda_it8sFJe038g.7.mp4"),
        {"speaker": {0.0: PANDA_SPEAKER[0.0], 1.0: PANDA_SPEAKER[1.0], 1.4: PANDA_SPEAKER[1.0]}},
    )
    once, again, published = (
        scored("lr_asd", path, faces, [turn(0, 3)], encode_once=once)["speaker"].score for once in (True, True, False)
    )
    assert once == again
    assert once != published
    assert np.abs(np.subtract(once, published)).mean() < 0.6
    assert np.array_equal(np.greater(once, 0), np.greater(published, 0))


def test_the_stand_in_says_what_it_is_and_how_to_have_the_network() -> None:
    told = DetectActiveSpeaker(model="mouth_motion").stand_in
    assert told.startswith("mouth_motion stands in for LR-ASD")
    assert "HEADSET_WEIGHTS" in told
    assert "--set DetectActiveSpeaker.model=lr_asd" in told


def test_auto_is_the_network_where_its_file_can_be_had_and_the_stand_in_elsewhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HEADSET_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("HEADSET_CACHE", str(tmp_path))
    monkeypatch.setattr(
        "operators.speech.detect_active_speaker.LR_ASD", Weight("lr.model", "0" * 64, 1, "a network", "MIT")
    )
    assert DetectActiveSpeaker().resolved().model == "mouth_motion"
    (tmp_path / "there.model").write_bytes(b"numbers")
    there = Weight("there.model", hashlib.sha256(b"numbers").hexdigest(), 7, "a network", "MIT")
    monkeypatch.setattr("operators.speech.detect_active_speaker.LR_ASD", there)
    assert DetectActiveSpeaker().resolved().model == "lr_asd"
    assert DetectActiveSpeaker().stand_in == ""
