"""Which spans of a face track become clips, whoever speaks."""

from collections.abc import Iterator
from dataclasses import dataclass

from manifests.boxes import iou
from manifests.tables import Clip, Shot, Source, Track, span_id
from operators.base import Drop, Operator


@dataclass(frozen=True)
class PlanTubes(Operator):
    """Spans through which one face is seen and stays near where it was: tubes, as VoxCeleb's and TalkingHead-1KH's are
    called.

    A tube ends where the face was not seen for `max_hidden_s`, where its box overlaps the tube's first one too little,
    and at `max_s`. Its box is the union of the face's boxes: `CropClips` makes the crop of it.

    Drops of a shot: `no_face`. Drops of a tube: `too_short`, `face_small`, `not_alone`.
    """

    min_s: float = 3.0
    max_s: float = 20.0
    margin_s: float = 0.1  # kept away from the shot's cuts
    min_face_px: float = 96.0  # median width of the face over the tube
    min_iou: float = 0.25  # of each box with the tube's first one, 0 to 1
    max_hidden_s: float = 0.5
    alone: bool = False  # True: no other face is seen meanwhile

    def __call__(self, shot: Shot, tracks: list[Track], sources: list[Source]) -> Iterator[Clip | Drop]:
        if not tracks:
            raise Drop("no_face")
        for track in tracks:
            for looks in self._tubes(track, shot):
                yield self._judged(track, looks, shot, [other for other in tracks if other is not track])

    def _tubes(self, track: Track, shot: Shot) -> Iterator[list[int]]:
        """Numbers of the looks of each tube."""
        tube: list[int] = []
        for n, (at_s, confidence) in enumerate(zip(track.times_s, track.confidence, strict=True)):
            if confidence <= 0 or not shot.start_s + self.margin_s <= at_s < shot.end_s - self.margin_s:
                continue
            if tube and (
                at_s - track.times_s[tube[-1]] > self.max_hidden_s
                or at_s - track.times_s[tube[0]] >= self.max_s - 1e-6
                or iou(_box(track, tube[0]), _box(track, n)) < self.min_iou
            ):
                yield tube
                tube = []
            tube.append(n)
        if tube:
            yield tube

    def _judged(self, track: Track, looks: list[int], shot: Shot, others: list[Track]) -> Clip | Drop:
        start_s, last_s = track.times_s[looks[0]], track.times_s[looks[-1]]
        after = [at_s for at_s in track.times_s if at_s > last_s]
        end_s = min([*after[:1], track.end_s, shot.end_s - self.margin_s, start_s + self.max_s])
        boxes = [_box(track, n) for n in looks]
        left, top, right, bottom = (edge(box[side] for box in boxes) for side, edge in enumerate((min, min, max, max)))
        name = track.track_id.rsplit("/", 1)[-1]
        clip = Clip(
            shot.source_id, f"{span_id(shot.source_id, start_s, end_s)}/{name}", shot.shot_id, track.track_id, "",
            start_s, end_s, left, top, right, bottom,
        )  # fmt: skip
        if end_s - start_s < self.min_s:
            return Drop("too_short", clip, detail=f"{end_s - start_s:.1f} s < {self.min_s:g} s")
        widths = sorted(box[2] - box[0] for box in boxes)
        if widths[len(widths) // 2] < self.min_face_px:
            return Drop("face_small", clip, detail=f"{widths[len(widths) // 2]:.0f} px < {self.min_face_px:g} px")
        if self.alone:
            for other in others:
                if any(
                    seen > 0 and start_s <= at_s < end_s
                    for at_s, seen in zip(other.times_s, other.confidence, strict=True)
                ):
                    return Drop("not_alone", clip, detail=other.track_id.rsplit("/", 1)[-1])
        return clip


def _box(track: Track, n: int) -> tuple[float, float, float, float]:
    return track.left_px[n], track.top_px[n], track.right_px[n], track.bottom_px[n]
