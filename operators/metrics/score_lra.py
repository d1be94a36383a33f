"""Whether a lip reader reads the word that was said."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from manifests.tables import Annotation, Clip, Score
from operators.base import Drop, Frame, Frames, Operator
from operators.metrics.faces import points68
from operators.metrics.metric import Picture
from operators.metrics.score_lse import shown
from operators.weights import FACE_LANDMARKER, LRW_READER, LRW_WORDS, Weight

if TYPE_CHECKING:
    from operators.speech.lipreading import LipReader

FPS, FRAMES = 25, 29
SIDE_PX = 512  # longest side of the pictures that the face is looked for in
VARIANT = "lra_mstcn"
PROTOCOL = (
    "LRW, mpc001 at 0cc99fab, ResNet-18 and MS-TCN: 29 frames at 25 fps about the word's middle; mouth 96x96 grey, aligned to the mean face, "
    "middle 88x88, mean .421, deviation .165. Not as published: points of MediaPipe's mesh, not of RetinaFace and FAN; pictures of at most 512 px"
)


@dataclass(frozen=True)
class ScoreLra(Operator):
    """Lip-reading accuracy: 1 where the lip reader's best guess among the 500 words of LRW is the word said in the clip, else 0.

    The mean over clips is the LRA of the field (L. Chen et al., "Lip Movements Generation at a Glance", ECCV 2018, with another reader; values
    of different readers do not compare). This reader has 88.9 % on LRW's own test clips by its authors' account.
    The word is an annotation of the clip named `word`. Where it has a span, the 29 frames lie about its middle; else it is taken to be
    in the middle of the clip, as in LRW.

    Drops: `no_word` (the clip has no such annotation), `not_in_lrw` (nor is the word one of the 500), `too_short` (29 frames do not fit), `no_face`,
    `no_frames`.
    """

    @property
    def weights(self) -> tuple[Weight, ...]:
        return LRW_READER.as_supplied(), LRW_WORDS, FACE_LANDMARKER

    def __call__(self, clip: Clip, annotations: list[Annotation], frames: Frames) -> Iterator[Score | Drop]:
        said = [note for note in annotations if note.subject == clip.clip_id and note.name == "word"]
        if not said:
            raise Drop("no_word")
        count = round((clip.end_s - clip.start_s) * FPS)
        wanted: dict[str, tuple[str, int]] = {}
        for note in said:
            word = note.value.strip().upper()
            first = _first(note, count)
            if word not in self._words:
                raise Drop("not_in_lrw", detail=note.value)
            if first < 0 or first + FRAMES > count:
                raise Drop("too_short", detail=f"frames {first} to {first + FRAMES} of {count}")
            wanted[note.annotation_id] = word, first
        needed = {k for _, first in wanted.values() for k in range(first, first + FRAMES)}
        looked = enumerate(shown(frames, clip.start_s, count, FPS))
        pictures = {k: _picture(clip, frame) for k, frame in looked if k in needed}
        for note_id, (word, first) in wanted.items():
            right = float(self.read([pictures[k] for k in range(first, first + FRAMES)]) == word)
            sha256 = LRW_READER.as_supplied().sha256
            yield Score(clip.source_id, f"{note_id}/lra", clip.clip_id, "lra", VARIANT, right, sha256, PROTOCOL)

    def read(self, pictures: Sequence[Picture]) -> str:
        """The word that the reader reads in 29 pictures, 25 a second.

        Raises:
            Drop: `no_face`.
        """
        from operators.speech.lipreading import mouth_rois, word_scores

        grey = [picture.luma.astype(np.uint8) for picture in pictures]
        rois = mouth_rois(grey, [points68(picture) for picture in pictures])
        return self._words[int(word_scores(self._reader, rois).argmax())]

    @cached_property
    def _reader(self) -> "LipReader":
        from operators.speech.lipreading import LipReader

        return LipReader.load(LRW_READER.as_supplied().path())

    @cached_property
    def _words(self) -> list[str]:
        return LRW_WORDS.path().read_text().split()


def _first(note: Annotation, count: int) -> int:
    """Of the clip's frames, the first of the 29 about the middle of the word."""
    middle = (count - 1) / 2 if note.start_s is None or note.end_s is None else (note.start_s + note.end_s) / 2 * FPS - 0.5
    return round(middle - (FRAMES - 1) / 2)


def _picture(clip: Clip, frame: Frame) -> Picture:
    width, height = clip.right_px - clip.left_px, clip.bottom_px - clip.top_px
    scale = min(1.0, SIDE_PX / max(width, height))
    return Picture(frame.crop(clip.left_px, clip.top_px, clip.right_px, clip.bottom_px, (round(scale * width), round(scale * height))))
