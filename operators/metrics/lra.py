"""Whether a lip reader reads the word that was said."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from manifests.tables import Annotation
from operators.base import Drop
from operators.metrics.base import Variant, Video, WordMetric
from operators.metrics.lip_sync import FPS, shown_at_25
from operators.models.catalogue import FACE_LANDMARKER
from operators.models.catalogue_sound import LRW_READER, LRW_WORDS
from operators.models.face_pictures import points68
from operators.picture import Picture
from operators.protocol import Protocol
from operators.weights import Weight

if TYPE_CHECKING:
    from operators.models.lipreading import LipReader

FRAMES = 29
SIDE_PX = 512  # longest side of the pictures that mouths are cut from
PROTOCOL = Protocol(
    crop="mouth, 96x96 of which the middle 88x88",
    align="the mean face",
    input="88x88",
    colour="grey, mean .421, deviation .165",
    published="LRW, mpc001 at 0cc99fab, ResNet-18 and MS-TCN, 29 frames at 25 fps about the word's middle",
    deviates="points of MediaPipe's mesh and not of RetinaFace and FAN, pictures of at most 512 px",
)


@dataclass(frozen=True)
class Lra(WordMetric):
    """Lip-reading accuracy, 0 to 1: the share of the words said in a clip that are the lip reader's best guess among
    the 500 of LRW.

    LRW's clips have one word each, so that the mean over clips is the LRA of the field (L. Chen et al., "Lip Movements
    Generation at a Glance", ECCV 2018, with another reader; values of different readers do not compare). This reader
    has 88.9 % on LRW's own test clips by its authors' account. What is said are the annotations named `word` of the
    clip that drives, or of the published clip that it was made from. Where a word has a span, the 29 frames lie about
    its middle; else it is taken to be in the middle of the clip, as in LRW. Words that LRW has not are passed over.

    Drops: `no_word`, nothing says what is said; `not_in_lrw`, none of the words is one of the 500; `too_short`, around
    none of them are 29 frames; `no_face`, no frame shows one; `no_frames`.
    """

    version: ClassVar[int] = 2  # the face is aligned by points nearer to iBUG's
    metric = "lra"
    known: ClassVar[dict[str, Variant]] = {
        "lra_mstcn": Variant("higher", "share of LRW's words read right by ResNet-18 and MS-TCN", PROTOCOL)
    }
    variant: str = "lra_mstcn"

    @property
    def weights(self) -> tuple[Weight, ...]:
        return LRW_READER.as_supplied(), LRW_WORDS, FACE_LANDMARKER

    def measure(self, video: Video) -> float:
        words = [note for note in video.notes if note.name == "word"]
        if not words:
            raise Drop("no_word")
        known = [(note.value.strip().upper(), note) for note in words if note.value.strip().upper() in self._words]
        if not known:
            raise Drop("not_in_lrw", detail=", ".join(note.value for note in words[:5]))
        count = round(video.frames * FPS / video.fps)
        spans = [(word, first_frame(note, count)) for word, note in known]
        read = [(word, first) for word, first in spans if first >= 0 and first + FRAMES <= count]
        if not read:
            raise Drop(
                "too_short",
                detail="; ".join(f"frames {first} to {first + FRAMES} of {count}" for _, first in spans[:5]),
            )
        needed = {k for _, first in read for k in range(first, first + FRAMES)}
        shown: dict[int, Picture] = {}
        for k, picture in enumerate(shown_at_25(video)):
            if k > max(needed):
                break
            if k in needed:
                shown[k] = picture
        if needed - shown.keys():
            raise Drop("no_frames", detail=f"{len(needed - shown.keys())} of {len(needed)} are not there")
        right = [self.read([shown[k] for k in range(first, first + FRAMES)]) == word for word, first in read]
        return sum(right) / len(right)

    def read(self, pictures: Sequence[Picture]) -> str:
        """The word that the reader reads in 29 pictures, 25 a second.

        Raises:
            Drop: `no_face`.
        """
        from operators.models.lipreading import mouth_rois, word_scores

        points = [points68(picture) for picture in pictures]
        if all(one is None for one in points):
            raise Drop("no_face", detail=f"in {len(points)} frames")
        scaled = [None if one is None else one * _scale(picture) for one, picture in zip(points, pictures, strict=True)]
        return self._words[
            int(word_scores(self._reader, mouth_rois([grey(picture) for picture in pictures], scaled)).argmax())
        ]

    @cached_property
    def _reader(self) -> "LipReader":
        from operators.models.lipreading import LipReader

        return LipReader.load(LRW_READER.as_supplied().path())

    @cached_property
    def _words(self) -> list[str]:
        return LRW_WORDS.path().read_text().split()


def first_frame(note: Annotation, count: int) -> int:
    """Of `count` frames at 25 a second, the first of the 29 about the middle of the word."""
    middle = (
        (count - 1) / 2 if note.start_s is None or note.end_s is None else (note.start_s + note.end_s) / 2 * FPS - 0.5
    )
    return round(middle - (FRAMES - 1) / 2)


def grey(picture: Picture) -> NDArray[np.uint8]:
    """(h, w) luma, the longer side at most 512 pixels."""
    import cv2

    luma = picture.luma.astype(np.uint8)
    scale = _scale(picture)
    return (
        luma
        if scale == 1
        else np.asarray(cv2.resize(luma, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    )


def _scale(picture: Picture) -> float:
    return min(1.0, SIDE_PX / max(picture.size))
