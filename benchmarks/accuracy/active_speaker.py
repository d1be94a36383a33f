"""Who is said to speak, and how well the sound is placed against the mouth, on real clips whose truth was written down
by eye.

    HEADSET_MEDIA=... HEADSET_WEIGHTS=... python -m benchmarks.accuracy.active_speaker [speakers] [seconds] [sync]

The truth of `speakers` and `seconds` was read off contact sheets at 5 to 15 pictures a second, levels and transcripts,
before what is compared with it was made. `seconds` draws docs/measured/active_speaker.png where it is run from the
repository. For `sync` the clips are taken to be in sync as published, which a few of them are not: the shifts that are
added to them are exact, so how well a change is followed is measured too.
"""

import itertools
import os
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.spoken_seconds import by_second, draw_seconds, most_of, smoothed
from manifests.tables import Attribution, Clip, FaceLandmarks, Score, Shot, Source, Track, Turn, span_id
from operators.base import Audio, Drop
from operators.clips.plan_clips import PlanClips
from operators.faces.detect_faces import DetectFaces
from operators.faces.landmark_faces import LandmarkFaces
from operators.faces.track_faces import TrackFaces
from operators.media.frames import VideoFrames
from operators.media.sound import SourceAudio
from operators.speech.attribute_turns import AttributeTurns
from operators.speech.confirm_voices import ConfirmVoices
from operators.speech.detect_active_speaker import DetectActiveSpeaker
from operators.speech.diarize_speakers import DiarizeSpeakers
from operators.speech.score_sync import ScoreSync
from tests.made_sounds import Delayed

MEDIA = Path(os.environ["HEADSET_MEDIA"])
# Clip: (side of the face, from, to) of all that is said by a face in view, and the moments left out, where the word
# passes on.
SPOKEN: dict[str, tuple[list[tuple[str, float, float]], list[tuple[float, float]]]] = {
    "multi/avi_billhyland.mp4": ([("right", 0.0, 7.8), ("left", 7.8, 20.0)], [(7.5, 8.5)]),
    "multi/panda_it8sFJe038g.7.mp4": ([("left", 0.0, 12.1)], []),  # the man on the right is silent
    "multi/panda_YemkZ7DLOBU.15.mp4": ([], []),  # she eats, the voice is off screen
    "negative/facerec_interview.mp4": ([], []),  # two talk, but the sound track is silent
    "negative/pyfeat_single_face.mp4": ([], []),
}
IN_SYNC = [
    "single/headpose_31.mp4", "single/latentsync_demo1_video.mp4", "single/wav2lipgfpgan_kim_7s_raw.mp4",
    "single/speakervid_dialogue_case1_1.mp4", "single/speakervid_dialogue_case1_2.mp4",
    "single/speakervid_multi-turn_clip_015.mp4", "single/speakervid_range_head_1.mp4",
    "single/speakervid_range_head_5.mp4", "single/speakervid_range_full_body_1.mp4", "single/lia_vox_driving2.mp4",
    "hdtf/hdtf_WDA_AlexandriaOcasioCortez_000.mp4", "hdtf/retalking_face_1.mp4", "hdtf/retalking_face_2.mp4",
    "multi/panda_it8sFJe038g.7.mp4", "grid/bbaf2n.mpg", "grid/lbax4n.mpg", "grid/id2_vcd_swwp2s.mpg",
]  # fmt: skip
SHIFTS_S = (-0.24, 0.0, 0.24)
WRONG = "single/latentsync_demo1_audio.wav"  # speech meant to replace that of the video: not hers
# Film: what is heard with it, and who speaks in each second: L and R the face on the left and right, V a voice of no
# face in view, - nobody. Second 7 of avi_billhyland is the man on the right until 7.6 s, then a breath. Half spliced:
# her own sound until 5 s, then the other.
SECONDS: dict[str, tuple[str, str, str]] = {
    "avi_billhyland": ("multi/avi_billhyland.mp4", "own", "RRRRRRRRLLLLLLLLLLLL"),
    "panda_it8sFJe038g.7": ("multi/panda_it8sFJe038g.7.mp4", "own", "LLLLLLLLLLLL"),
    "panda_YemkZ7DLOBU.15": ("multi/panda_YemkZ7DLOBU.15.mp4", "own", "VV"),
    "latentsync_demo1": ("single/latentsync_demo1_video.mp4", "own", "LLLLLLLLLL"),
    "latentsync_demo1, wrong sound": ("single/latentsync_demo1_video.mp4", "wrong", "VVVVVVVVVV"),
    "latentsync_demo1, half spliced": ("single/latentsync_demo1_video.mp4", "spliced", "LLLLLVVVVV"),
    "facerec_interview": ("negative/facerec_interview.mp4", "own", "---------"),
    "pyfeat_single_face": ("negative/pyfeat_single_face.mp4", "own", "--"),
}


@dataclass(frozen=True)
class Spliced:
    """One sound until a moment, another one from there on."""

    before: Audio
    after: Audio
    at_s: float

    @property
    def start_s(self) -> float:
        return self.before.start_s

    @property
    def end_s(self) -> float:
        return self.after.end_s

    def samples(self, start_s: float, end_s: float, hz: int = 16000) -> NDArray[np.float32]:
        wave = self.before.samples(start_s, end_s, hz)
        first = min(max(round((self.at_s - start_s) * hz), 0), len(wave))
        wave[first:] = self.after.samples(start_s, end_s, hz)[first:]
        return wave


@dataclass(frozen=True)
class MatchByLightAsd(DetectActiveSpeaker):
    """`DetectActiveSpeaker` with the weights of Light-ASD, which no recipe offers: LR-ASD is its authors' better
    one.
    """

    @cached_property
    def _network(self):
        from operators.models.lr_asd import LightAsd

        return LightAsd.load(Path(os.environ["HEADSET_WEIGHTS"], "light_asd_finetuning_TalkSet.model"))


def seen(name: str) -> tuple[Shot, list[Track]]:
    """The clip as one shot, and its faces."""
    path = MEDIA / name
    faces = list(DetectFaces()(Source(path.stem, str(path)), VideoFrames(path)))
    end_s = faces[-1].pts_s + 0.2
    shot = Shot(path.stem, span_id(path.stem, 0.0, end_s), 0.0, end_s)
    return shot, [row for row in TrackFaces()(shot, faces) if isinstance(row, Track)]


def mesh(path: Path, clip: Clip, tracks: list[Track]) -> list[FaceLandmarks]:
    """What `LandmarkFaces` saw of a clip's face."""
    return list(LandmarkFaces()(clip, tracks, VideoFrames(path, clip.start_s, clip.end_s)))


def speakers() -> None:
    operators = {
        "lr_asd": DetectActiveSpeaker("lr_asd"),
        "as published": DetectActiveSpeaker("lr_asd", encode_once=False),
        "mouth_motion": DetectActiveSpeaker("mouth_motion"),
    }
    for name, (spoken, unsure) in SPOKEN.items():
        shot, tracks = seen(name)
        middle = np.mean([np.median(track.left_px) for track in tracks])
        turns = [Turn(shot.source_id, f"{shot.shot_id}/speaker0", "speaker0", shot.start_s, shot.end_s)]
        for label, operator in operators.items():
            began = time.process_time()
            rows = list(operator(shot, tracks, turns, VideoFrames(MEDIA / name), SourceAudio(MEDIA / name)))
            cost = (time.process_time() - began) / sum(len(row.score) * row.step_s for row in rows)
            right = []
            for row in rows:
                track = next(track for track in tracks if track.track_id == row.track_id)
                side = "left" if np.median(track.left_px) <= middle else "right"
                times = row.start_s + row.step_s * np.arange(len(row.score))
                truth = np.any(
                    [(who == side) & (times >= start) & (times < end) for who, start, end in spoken]
                    or [np.zeros(len(times), bool)],
                    axis=0,
                )
                sure = ~np.any(
                    [(times >= start) & (times < end) for start, end in unsure] or [np.zeros(len(times), bool)], axis=0
                )
                right.append(((smoothed(row) > 0) == truth)[sure])
                print(f"  {name} {label} {side:5s} {by_second(row)}")
            print(
                f"{name} {label}: {np.concatenate(right).mean():.1%} of {len(np.concatenate(right))} ticks right,"
                f" {cost:.2f} s of CPU a second of face"
            )


def seconds() -> None:
    """Who is said to speak in most of each second, by turns and faces together, beside the truth."""
    diarize, sync = DiarizeSpeakers(), ScoreSync()
    drawn: dict[str, list[tuple[str, list[tuple[float, float, str]]]]] = {}
    for label, (video, sound, truth) in SECONDS.items():
        own = SourceAudio(MEDIA / video)
        audio = {
            "own": own,
            "wrong": SourceAudio(MEDIA / WRONG),
            "spliced": Spliced(own, SourceAudio(MEDIA / WRONG), 5.0),
        }[sound]
        shot, tracks = seen(video)
        source = Source(shot.source_id, video)
        try:
            turns = list(diarize(source, audio))
        except Drop as no:
            print(f"{label}: no turn, {no.reason}, {no.detail}")
            turns = []
        middle = np.mean([np.median(track.left_px) for track in tracks])
        side = {track.track_id: "L" if np.median(track.left_px) <= middle else "R" for track in tracks}
        rows = [("truth", [(float(n), n + 1.0, who) for n, who in enumerate(truth)])]
        for name, match in (("LR-ASD", DetectActiveSpeaker("lr_asd")), ("Light-ASD", MatchByLightAsd("lr_asd"))):
            speaking = list(match(shot, tracks, turns, VideoFrames(MEDIA / video), audio)) if turns else []
            parts = list(AttributeTurns()(source, [shot], tracks, speaking, turns))
            rows.append((name, [(part.start_s, part.end_s, answer(part, side)) for part in parts]))
            if name == "LR-ASD":
                planned = PlanClips(min_face_px=24.0)(shot, tracks, speaking, turns, [source]) if turns else []
                clips = refused(planned)
                scores = [
                    row
                    for clip in clips
                    for row in sync(clip, speaking, mesh(MEDIA / video, clip, tracks), audio)
                    if isinstance(row, Score)
                ]
                confirmed = [row for part in parts for row in ConfirmVoices()(part, clips, scores)]
                for part in confirmed:
                    print(
                        f"  {label}: {part.start_s:.2f}-{part.end_s:.2f} s {part.speaker} {part.kind} {part.reason}"
                        f" {part.score}"
                    )
                for score in scores:
                    print(f"  {label}: {score.subject.split('/')[1]} {score.metric} {score.value:.3f}")
                rows.append(("LR-ASD and sync", [(part.start_s, part.end_s, answer(part, side)) for part in confirmed]))
        for name, spans in rows[1:]:
            said = "".join(most_of(spans, n) for n in range(len(truth)))
            right = sum(a == b for a, b in zip(said, truth, strict=True))
            print(f"{label} | {name} | {truth} | {said} | {right} of {len(truth)}")
        drawn[label] = rows
    if Path("docs").is_dir():
        draw_seconds("docs/measured/active_speaker.png", drawn)


def refused(outcomes: Iterable[Clip | Drop]) -> list[Clip]:
    """The clips among what was planned; none where the shot was given up."""
    try:
        return [outcome for outcome in outcomes if isinstance(outcome, Clip)]
    except Drop:
        return []


def answer(part: Attribution, side: dict[str, str]) -> str:
    return {"visible": side.get(part.track_id, "?"), "off_screen": "V", "nobody": "-"}[part.kind]


def sync() -> None:  # long: one figure after the other, of values made once
    operator = ScoreSync()
    clips, sounds = {}, {}
    for name in IN_SYNC:
        shot, tracks = seen(name)
        track = max(tracks, key=lambda track: (track.end_s - track.start_s) * (track.right_px[0] - track.left_px[0]))
        start_s, end_s = track.start_s + 0.2, min(track.end_s, track.start_s + 12)
        box = (track.left_px[0], track.top_px[0], track.right_px[0], track.bottom_px[0])
        clip = Clip(
            shot.source_id,
            span_id(shot.source_id, start_s, end_s),
            shot.shot_id,
            track.track_id,
            "speaker0",
            start_s,
            end_s,
            *box,
        )
        clips[name] = clip, mesh(MEDIA / name, clip, [track])
        sounds[name] = SourceAudio(MEDIA / name)

    def scores(name: str, audio: Audio) -> tuple[float, float]:
        clip, looks = clips[name]
        values = {row.metric: row.value for row in operator(clip, [], looks, audio) if isinstance(row, Score)}
        return values.get("av_offset_s", np.nan), values.get("av_confidence", np.nan)

    own = {name: {by_s: scores(name, Delayed(sounds[name], by_s)) for by_s in SHIFTS_S} for name in IN_SYNC}
    for name, found in own.items():
        print(name, f"{clips[name][0].end_s - clips[name][0].start_s:.1f} s", {by_s: found[by_s] for by_s in SHIFTS_S})
    error = np.array([found[by_s][0] - by_s for found in own.values() for by_s in SHIFTS_S])
    change = np.array([found[by_s][0] - found[0.0][0] - by_s for found in own.values() for by_s in SHIFTS_S if by_s])
    for label, values in (
        ("offset against the added shift", error),
        ("change of offset against the added shift", change),
    ):
        print(
            f"{label}: {len(values)} cases, {share(values, 1):.0%} within 1 frame, {share(values, 2):.0%} within 2,"
            f" {share(values, 3):.0%} within 3 (of 40 ms)"
        )
    wrong = []
    for name, other in itertools.permutations(IN_SYNC, 2):
        apart_s = clips[name][0].start_s - clips[other][0].start_s
        if clips[other][0].end_s - clips[other][0].start_s >= clips[name][0].end_s - clips[name][0].start_s:
            wrong.append(scores(name, Delayed(sounds[other], apart_s))[1])
    right = [found[by_s][1] for found in own.values() for by_s in (0.0,)]
    auc = np.mean([a > b for a in right for b in wrong])
    print(
        f"av_confidence: own sound median {np.nanmedian(right):.2f}, {len(wrong)} foreign sounds median"
        f" {np.nanmedian(wrong):.2f}, AUC {auc:.2f}"
    )
    print(
        "foreign sound, share of pairs above 0.8, 1.0, 1.2:",
        [round(float(np.mean(np.array(wrong) > at)), 2) for at in (0.8, 1.0, 1.2)],
    )
    print(
        "own sound, share of clips above 0.8, 1.0, 1.2:",
        [round(float(np.mean(np.array(right) > at)), 2) for at in (0.8, 1.0, 1.2)],
    )
    video = "single/latentsync_demo1_video.mp4"
    print(
        "latentsync_demo1: own",
        own[video][0.0],
        "the replacement meant for it",
        scores(video, SourceAudio(MEDIA / "single/latentsync_demo1_audio.wav")),
    )


def share(values: NDArray[np.float64], frames: int) -> float:
    return float(np.mean(np.abs(values) <= (frames + 0.5) * 0.04))


if __name__ == "__main__":
    for part in sys.argv[1:] or ["speakers", "seconds", "sync"]:
        {"speakers": speakers, "seconds": seconds, "sync": sync}[part]()
