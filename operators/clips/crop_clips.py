"""The crop of a clip, as one of the published datasets makes it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from manifests.tables import Clip, Source, Track
from operators.base import Drop, Operator
from operators.clips import crops
from operators.clips.crops import Box, Size

_RULES: dict[str, Callable[[list[Box], Size, float], Box]] = {
    "hdtf": lambda boxes, frame, ratio: crops.hdtf(boxes, frame, ratio),
    "voxceleb": lambda boxes, frame, ratio: crops.voxceleb(_union(boxes), frame, ratio),
    "celebv_hq": lambda boxes, frame, ratio: crops.celebv_hq(_union(boxes), frame, frame),
}


@dataclass(frozen=True)
class CropClips(Operator):
    """The clip, with the crop that a rule of `operators/clips/crops.py` makes of the boxes of its face.

    The boxes are those of our detector, brow to chin; the datasets' authors had those of others, or of landmarks, and
    their crops are therefore a little wider or narrower than ours. Where a clip's face was looked at but not seen its
    box is left out.

    Drops: `no_face`, `box_outside_frame`, `crop_small`.
    """

    rule: str = "hdtf"  # hdtf, voxceleb or celebv_hq
    ratio: float = (
        # hdtf: width of the square over that of all boxes; voxceleb: share added on each side, at least; celebv_hq has
        # its own
        1.2
    )
    min_px: float = 0.0  # width of the crop

    def __post_init__(self) -> None:
        if self.rule not in _RULES:
            raise ValueError(f"CropClips.rule is {self.rule!r}; there are {', '.join(_RULES)}")

    def __call__(self, clip: Clip, tracks: list[Track], sources: list[Source]) -> Iterator[Clip]:
        track = next(track for track in tracks if track.track_id == clip.track_id)
        seen = zip(
            track.times_s, track.left_px, track.top_px, track.right_px, track.bottom_px, track.confidence, strict=True
        )
        boxes = [box for at_s, *box, confidence in seen if confidence > 0 and clip.start_s <= at_s < clip.end_s]
        if not boxes:
            raise Drop("no_face")
        frame = sources[0].width, sources[0].height
        box = crops.within(_RULES[self.rule]([(b[0], b[1], b[2], b[3]) for b in boxes], frame, self.ratio), frame, 1.0)
        if (width := box[2] - box[0]) < self.min_px:
            raise Drop("crop_small", detail=f"{width:.0f} px < {self.min_px:g} px")
        yield replace(clip, left_px=box[0], top_px=box[1], right_px=box[2], bottom_px=box[3])


def _union(boxes: list[Box]) -> Box:
    left, top, right, bottom = zip(*boxes, strict=True)
    return min(left), min(top), max(right), max(bottom)
