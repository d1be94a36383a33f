"""How well `ScoreSync` finds a known shift of the sound, and tells a clip's own sound from another's.

    HEADSET_MEDIA=... HEADSET_WEIGHTS=... python -m benchmarks.accuracy.sync_offset [docs/measured/sync_offset.png]

30 clips of 21 real videos of one speaker each, 3 to 8 s. Their sound is moved by -15 to 15 frames of 40 ms. How far
they are off as published nobody knows, so two errors are told: against the added shift, as if all had been in sync, and
against the added shift and what is found without one.
"""

import itertools
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.active_speaker import seen
from manifests.tables import Clip
from operators.base import Audio
from operators.faces.landmark_faces import LandmarkFaces
from operators.media.frames import VideoFrames
from operators.media.sound import SourceAudio
from operators.models.face_geometry import landmarks_of, lip_gap
from operators.models.sync_curves import correlations, peak, voice_level
from operators.speech.detect_active_speaker import first_tick
from operators.speech.score_sync import ScoreSync
from operators.timeline import TICK_HZ
from tests.made_sounds import Delayed

MEDIA = Path(os.environ["HEADSET_MEDIA"])
REACH = ScoreSync().reach
# Video: into how many clips of equal length its first `MOST_S` are cut.
VIDEOS = {
    "single/headpose_31.mp4": 3, "single/latentsync_demo1_video.mp4": 2, "single/wav2lipgfpgan_kim_7s_raw.mp4": 1,
    "single/speakervid_dialogue_case1_1.mp4": 1, "single/speakervid_dialogue_case1_2.mp4": 2,
    "single/speakervid_multi-turn_clip_015.mp4": 1,
    "single/speakervid_range_head_1.mp4": 1, "single/speakervid_range_head_5.mp4": 2,
    "single/speakervid_range_full_body_1.mp4": 2,
    "single/lia_vox_driving2.mp4": 2, "hdtf/hdtf_WDA_AlexandriaOcasioCortez_000.mp4": 1, "hdtf/retalking_face_1.mp4": 1,
    "hdtf/retalking_face_2.mp4": 1, "multi/panda_it8sFJe038g.7.mp4": 3, "grid/bbaf2n.mpg": 1, "grid/lbax4n.mpg": 1,
    "grid/id2_vcd_swwp2s.mpg": 1, "grid/lrwp9a.mpg": 1, "grid/pwij3p.mpg": 1, "grid/sbwe5n.mpg": 1,
    "odd/talkvid_10_gt.mp4": 1,
}  # fmt: skip
MOST_S = 24.0


@dataclass(frozen=True)
class Seen:
    """A clip that was looked at, ready for any sound."""

    video: str
    first: int  # tick
    openings: NDArray[np.float64]
    audio: Audio

    @property
    def seconds(self) -> float:
        return len(self.openings) / TICK_HZ

    def offset(self, audio: Audio) -> tuple[float, float]:
        """Frames that a sound is late, and the confidence, as `ScoreSync` tells them."""
        voice = voice_level(audio, self.first - REACH, len(self.openings) + 2 * REACH)
        found, height = peak(correlations(self.openings, voice))
        return found, height * float(np.sqrt(self.seconds))


def clips(videos: Mapping[str, int]) -> list[Seen]:
    """The clips of videos, each cut into so many."""
    landmarks, made = LandmarkFaces(), []
    for video, parts in videos.items():
        shot, tracks = seen(video)
        track = max(tracks, key=lambda track: (track.end_s - track.start_s) * (track.right_px[0] - track.left_px[0]))
        edges = np.linspace(track.start_s + 0.1, min(track.end_s, track.start_s + MOST_S), parts + 1)
        audio = SourceAudio(MEDIA / video)
        for start_s, end_s in itertools.pairwise(edges):
            clip = Clip(shot.source_id, "clip", shot.shot_id, track.track_id, "", start_s, end_s, 0, 0, 0, 0)
            (mesh,) = landmarks(clip, [track], VideoFrames(MEDIA / video, start_s, end_s))
            ticks = np.arange(first_tick(start_s), first_tick(end_s))
            known = np.asarray(mesh.seen)
            gaps = lip_gap(landmarks_of(mesh)[known])
            openings = np.interp(ticks / TICK_HZ, np.asarray(mesh.times_s)[known], gaps)
            made.append(Seen(video, int(ticks[0]), openings, audio))
    return made


def main(picture: str = "") -> None:
    made = clips(VIDEOS)
    shifts = np.arange(-REACH, REACH + 1)
    found = np.array([[clip.offset(Delayed(clip.audio, shift / TICK_HZ))[0] for shift in shifts] for clip in made])
    still = found[:, REACH]
    print(
        f"{len(made)} clips of {len(VIDEOS)} videos, {min(c.seconds for c in made):.1f} to"
        f" {max(c.seconds for c in made):.1f} s"
    )
    for clip, offset in zip(made, still, strict=True):
        print(
            f"  {clip.video} from {clip.first / TICK_HZ:.1f} s, {clip.seconds:.1f} s: {offset:+.1f} frames as published"
        )
    errors = {
        "against the added shift": found - shifts,
        "against the added shift and the clip's own": found - shifts - still[:, None],
    }
    for label, error in errors.items():
        print(
            f"{label}: " + ", ".join(f"{np.mean(np.abs(error) <= near + 0.5):.0%} within {near}" for near in (1, 2, 3))
        )
        within = np.abs(error) <= 1.5
        print(
            "  within 1, at a shift of "
            + ", ".join(f"{shift}: {share:.0%}" for shift, share in zip(shifts, within.mean(axis=0), strict=True))
        )
    apart = [
        abs(still[i] - still[j])
        for i, j in itertools.combinations(range(len(made)), 2)
        if made[i].video == made[j].video
    ]
    print(
        f"two parts of one video: {len(apart)} pairs, {np.mean(apart):.1f} frames apart on average, {max(apart):.1f} at"
        " most"
    )
    near = np.abs(still) <= 1.5
    print(
        f"of the {near.sum()} clips found in sync as published: {np.mean(np.abs(found - shifts)[near] <= 1.5):.0%} of"
        " shifts within 1"
    )
    right = [clip.offset(clip.audio)[1] for clip in made]
    wrong = [
        clip.offset(Delayed(other.audio, (clip.first - other.first) / TICK_HZ))[1]
        for clip in made
        for other in made
        if other.video != clip.video and len(other.openings) >= len(clip.openings)
    ]
    auc = np.mean([a > b for a in right for b in wrong])
    print(
        f"own sound: median confidence {np.median(right):.2f}; {len(wrong)} foreign ones: {np.median(wrong):.2f}; AUC"
        f" {auc:.3f}"
    )
    print(
        "above 0.8, 1.0, 1.2: "
        + "; ".join(f"{share(right, at):.0%} own, {share(wrong, at):.0%} foreign" for at in (0.8, 1.0, 1.2))
    )
    if picture:
        draw(picture, shifts, errors)


def share(values: list[float], above: float) -> float:
    return float(np.mean(np.array(values) > above))


def draw(picture: str, shifts: NDArray[np.int64], errors: Mapping[str, NDArray[np.number]]) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
    limits = np.arange(0, 10.01, 0.1)
    for label, error in errors.items():
        left.plot(shifts, 100 * (np.abs(error) <= 1.5).mean(axis=0), marker=".", label=label)
        right.plot(limits, [100 * np.mean(np.abs(error) <= limit) for limit in limits], label=label)
    left.set(xlabel="frames the sound was moved by", ylabel="% found within one frame", ylim=(0, 102))
    right.set(xlabel="error in frames", ylabel="% of cases within it", ylim=(0, 102))
    for axes in (left, right):
        axes.grid(alpha=0.3)
    right.legend(frameon=False, loc="lower right")
    figure.savefig(picture, dpi=110)


if __name__ == "__main__":
    main(*sys.argv[1:])
