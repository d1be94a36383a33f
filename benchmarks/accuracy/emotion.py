"""How often `ScoreEmotion` says what a person sees, over looks at real films of `HEADSET_MEDIA`, as they are and made
worse.

    python -m benchmarks.accuracy.emotion

What each face expresses was written down from a contact sheet before the network was asked, by one person; looks at
which that was not plain are left out.
"""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from operators.faces.detect_faces import DetectFaces
from operators.faces.score_emotion import EMOTIONS, ScoreEmotion
from operators.media.frames import VideoFrames

N, H, S = "neutral", "happy", "sad"
# By film and by second: what the widest sure face of the first frame from then on expresses.
SEEN: dict[str, dict[float, str]] = {
    "grid/bbaf2n.mpg": {0.0: N},
    "grid/id2_vcd_swwp2s.mpg": {0.0: N},
    "grid/lbax4n.mpg": {0.0: N},
    "grid/lrwp9a.mpg": {0.0: N},
    "grid/pwij3p.mpg": {0.0: N},
    "grid/sbwe5n.mpg": {0.0: N},
    "hdtf/hdtf_RD_Radio10_0_clip_0.mp4": {0.0: N},
    "hdtf/retalking_face_1.mp4": {0.0: N, 6.0: N},
    "multi/avi_billhyland.mp4": {0.0: H, 6.0: H, 12.0: N},
    "multi/avi_testhyland.mp4": {0.0: H},
    "multi/avi_testvideo.mp4": {8.0: N, 20.0: N, 26.0: N},
    "multi/panda_R_YVZHusX4w.6.mp4": {0.0: N},
    "negative/facenet_crowd_video.mp4": {0.0: N},
    "negative/facerec_interview.mp4": {0.0: N, 6.0: H},
    "negative/liveportrait_d9.mp4": {0.0: N, 12.0: H},
    "negative/pyfeat_WolfgangLanger_Pexels.mp4": {0.0: S, 6.0: S, 12.0: H},
    "negative/pyfeat_single_face.mp4": {0.0: N},
    "single/headpose_31.mp4": {0.0: N, 6.0: N, 12.0: N},
    "single/latentsync_demo1_video.mp4": {6.0: H},
    "single/lia_vox_driving2.mp4": {0.0: N},
    "single/speakervid_dialogue_case1_1.mp4": {0.0: N, 6.0: H},
    "single/speakervid_dialogue_case1_2.mp4": {0.0: N, 6.0: N},
    "single/speakervid_multi-turn_clip_015.mp4": {0.0: N},
    "single/speakervid_range_full_body_1.mp4": {0.0: N, 6.0: H},
    "single/speakervid_range_head_1.mp4": {0.0: H},
    "single/speakervid_range_head_5.mp4": {0.0: N, 6.0: N},
    "single/wav2lipgfpgan_kim_7s_raw.mp4": {0.0: N, 6.0: N},
}
Gray = NDArray[np.uint8]


def narrower(side: int) -> Callable[[Gray], Gray]:
    import cv2

    small = (side, side)
    return lambda gray: np.asarray(
        cv2.resize(cv2.resize(gray, small, interpolation=cv2.INTER_AREA), gray.shape), np.uint8
    )


def main() -> None:
    operator, detector = ScoreEmotion(), DetectFaces(detector="mediapipe", min_confidence=0.8)
    pictures, told = [], []
    for name, moments in SEEN.items():
        for at_s, emotion in moments.items():
            frame = next(iter(VideoFrames(Path(os.environ["HEADSET_MEDIA"], name), at_s, at_s + 0.3)))
            box = max(detector.faces(frame), key=lambda box: box.right - box.left)
            pictures.append(operator.picture(frame, box))
            told.append(emotion)
    truth = np.array([EMOTIONS.index(emotion) for emotion in told])
    ways: dict[str, Callable[[Gray], Gray]] = {
        "as they are": lambda gray: gray,
        "a picture of 32 px": narrower(32),
        "a picture of 16 px": narrower(16),
        "a third of the light": lambda gray: (gray / 3).astype(np.uint8),
        "in the mirror": lambda gray: np.ascontiguousarray(gray[:, ::-1]),
    }
    print(
        "| looks | "
        + " | ".join(f"{one} said of {one}" for one in (N, H, S))
        + " | AUC happy | AUC neutral |\n|---|---|---|---|---|---|"
    )
    for way, made in ways.items():
        shares = operator.probabilities([made(picture) for picture in pictures])
        said = shares.argmax(axis=1)
        right = [f"{np.sum(said[truth == n] == n)} of {np.sum(truth == n)}" for n in map(EMOTIONS.index, (N, H, S))]
        areas = [f"{_area(shares[truth == n, n], shares[truth != n, n]):.2f}" for n in map(EMOTIONS.index, (H, N))]
        print(f"| {way} | " + " | ".join([*right, *areas]) + " |")
        if way == "as they are":
            wrong = {
                f"{EMOTIONS[one]} for {EMOTIONS[n]}": int(np.sum((said == one) & (truth == n)))
                for n in {*truth}
                for one in range(7)
                if one != n
            }
    print("wrong as they are: " + ", ".join(f"{what} {count}" for what, count in wrong.items() if count))


def _area(yes: NDArray[np.float64], no: NDArray[np.float64]) -> float:
    """How often a look that shows it gets more than one that does not."""
    return float(np.mean((yes[:, None] > no) + 0.5 * (yes[:, None] == no)))


if __name__ == "__main__":
    main()
