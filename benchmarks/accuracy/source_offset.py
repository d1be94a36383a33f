"""One offset for all clips of a film (`EstimateOffset`) beside that of each clip (`RetimeClips`).

    HEADSET_MEDIA=... HEADSET_WEIGHTS=... python -m benchmarks.accuracy.source_offset

Films of one speaker are cut into clips of about 3 s, the sound of the whole film is moved by -10 to 10 frames of 40 ms.
How late a film is by itself nobody knows: the truth is the added shift, and what the film's other clips (of one clip),
its other half (of a half), or all of its clips without a shift say.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import permutations

import numpy as np

from benchmarks.accuracy.sync_offset import Seen, clips
from manifests.tables import Clip, Score
from operators.clips.estimate_offset import EstimateOffset
from operators.clips.retime_clips import RetimeClips
from operators.models.sync_curves import correlations, peak, voice_level
from operators.speech.score_sync import ScoreSync
from operators.timeline import TICK_HZ
from tests.made_sounds import Delayed

REACH = ScoreSync().reach
SHIFTS = range(-10, 11)  # frames
NEAR_S = 1.5 / TICK_HZ  # "within one frame": the shifts are whole, the estimates are not
FILMS = {
    "single/headpose_31.mp4": 8, "multi/panda_it8sFJe038g.7.mp4": 4, "single/latentsync_demo1_video.mp4": 3,
    "single/speakervid_dialogue_case1_1.mp4": 3, "single/speakervid_dialogue_case1_2.mp4": 3,
    "single/speakervid_range_head_5.mp4": 3, "single/speakervid_range_full_body_1.mp4": 3,
    "single/lia_vox_driving2.mp4": 3, "hdtf/hdtf_WDA_AlexandriaOcasioCortez_000.mp4": 3,
    "single/wav2lipgfpgan_kim_7s_raw.mp4": 2, "hdtf/retalking_face_1.mp4": 2, "hdtf/retalking_face_2.mp4": 2,
    "single/speakervid_multi-turn_clip_015.mp4": 2, "single/speakervid_range_head_1.mp4": 2,
}  # fmt: skip


def scores_of(film: Sequence[Seen], sound: Callable[[Seen], object]) -> list[Score]:
    """What `ScoreSync` says of each clip of a film, with that sound."""
    rows = []
    for number, clip in enumerate(film):
        offset, confidence = clip.offset(sound(clip))  # pyright: ignore[reportArgumentType]
        for metric, value in (("av_offset_s", offset / TICK_HZ), ("av_confidence", confidence)):
            rows.append(Score("s", f"{number}#{metric}", str(number), metric, "mouth_envelope", float(value)))
    return rows


def summed_s(film: Sequence[Seen], shift: int) -> float:
    """The other way to ask all clips at once: the peak of the mean of their correlations, weighted by their lengths."""
    curves = []
    for clip in film:
        voice = voice_level(Delayed(clip.audio, shift / TICK_HZ), clip.first - REACH, len(clip.openings) + 2 * REACH)
        curves.append(correlations(clip.openings, voice) * len(clip.openings))
    return float(peak(np.sum(curves, axis=0) / sum(len(clip.openings) for clip in film))[0]) / TICK_HZ


def whole(scores: Sequence[Score], without: str = "") -> float:
    """The film's estimate, in seconds, without one of its clips."""
    found = EstimateOffset().of_source([score for score in scores if score.subject != without])
    return found.late_s if found else float("nan")


def share(errors: Sequence[float]) -> str:
    """The errors of estimates, in frames."""
    frames = np.abs(np.array(errors)) * TICK_HZ
    near = ", ".join(f"{np.mean(frames <= most + 0.5):.0%} within {most}" for most in (1, 2, 3))
    return f"{len(frames)} estimates, median error {np.median(frames):.2f} frames, {near}"


def left_s(operator: EstimateOffset | RetimeClips, film: int, scores: list[Score], late_s: float) -> list[float | None]:
    """By clip how late its sound is after the operator moved it; None where it was given up."""
    rows = [Clip("s", str(n), "s", "t", "v", 0, 3, 0, 0, 9, 9) for n in range(film)]
    made = [next(iter(operator(row, scores))) for row in rows]
    return [late_s - row.sound_late_s if isinstance(row, Clip) else None for row in made]


def main() -> None:
    films = defaultdict(list)
    for clip in clips(FILMS):
        films[clip.video].append(clip)
    one, half, every, summed = ([] for _ in range(4))
    left: dict[str, list[float | None]] = defaultdict(list)
    for name, film in films.items():
        told = {n: scores_of(film, lambda clip, n=n: Delayed(clip.audio, n / TICK_HZ)) for n in SHIFTS}
        own_s = whole(told[0])
        found = EstimateOffset().of_source(told[0])
        assert found is not None
        print(
            f"{name}: {len(film)} clips, {found.late_s * TICK_HZ:+.1f} frames as published, confidence"
            f" {found.confidence:.2f}, agreement {found.agreement:.0%}; clips"
            f" {', '.join(f'{score.value * TICK_HZ:+.1f}' for score in told[0] if score.metric == 'av_offset_s')}"
        )
        summed_own_s = summed_s(film, 0)
        sides = [[score for score in told[0] if int(score.subject) % 2 == side] for side in (0, 1)]
        for n, scores in told.items():
            added_s = n / TICK_HZ
            for score in scores:
                if score.metric == "av_offset_s":
                    one.append(score.value - added_s - whole(told[0], score.subject))
            for side in (0, 1):
                mine = whole([score for score in scores if int(score.subject) % 2 == side])
                half.append(mine - added_s - whole(sides[1 - side]))
            every.append(whole(scores) - added_s - own_s)
            summed.append(summed_s(film, n) - added_s - summed_own_s)
            left["as they are"] += [added_s + own_s] * len(film)
            for operator in (RetimeClips(), EstimateOffset()):
                left[operator.name] += left_s(operator, len(film), scores, added_s + own_s)
    print(f"{len(films)} films, {sum(map(len, films.values()))} clips, shifts of {SHIFTS[0]} to {SHIFTS[-1]} frames")
    for label, errors in (
        ("one clip, beside the film's other clips", one),
        ("half of the clips, beside the other half", half),
        ("all clips, beside all without a shift", every),
        ("all clips by summed correlations, likewise", summed),
    ):
        print(f"{label}: {share(errors)}")
    for label, late in left.items():
        kept = [value for value in late if value is not None]
        print(
            f"{label}: {np.mean(np.abs(kept) <= NEAR_S):.0%} of {len(kept)} kept clips within one frame,"
            f" {len(late) - len(kept)} given up"
        )
    sure = []
    for film, other in permutations(films.values(), 2):
        found = EstimateOffset().of_source(scores_of(film, lambda _, other=other: other[0].audio))
        assert found is not None
        sure.append(found.confidence >= EstimateOffset().sure and found.agreement >= EstimateOffset().min_agreement)
    print(f"with another film's sound: sure of {np.sum(sure)} of {len(sure)}")


if __name__ == "__main__":
    main()
