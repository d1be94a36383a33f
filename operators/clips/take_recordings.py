"""Recorded footage as clips: nothing is cut."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from manifests.tables import Annotation, Clip, Face, Shot, Source, Track, span_id
from operators.base import Drop, Operator

MEAD = (
    r"(?P<identity>[MW]\d{3})/video/(?P<view>front|down|top|left_30|left_60|right_30|right_60)"
    r"/(?P<emotion>angry|contempt|disgusted|fear|happy|neutral|sad|surprised)/level_(?P<level>[123])/(?P<sentence>\d{3})\.\w+"
)


EDGE_S = 0.2  # sound may begin before the picture, and outlast it


@dataclass(frozen=True)
class TakeRecordings(Operator):
    """One clip for each recording, all of it, where one face is seen all through, with the labels that its path tells.

    The box is the highest square there is, about the middle of the face. Each group of `path` is an annotation, and so
    is `yaw_deg`: the median of the head's turn, as DetectFaces tells it, with which the views and the neutral
    recordings of an actor can be compared.

    Drops of a source: `name_unknown`, `cut_inside`, `no_face`, `two_faces`, `no_face`.
    """

    path: str = MEAD  # what a path ends with; a regular expression
    max_unseen: float = 0.05  # share of the looks that may see no face
    max_others: float = 0.05  # share of the looks that may see more than one

    def __call__(
        self, source: Source, shots: list[Shot], tracks: list[Track], faces: list[Face]
    ) -> Iterator[Clip | Annotation]:
        labels = re.search(f"(?:^|/)(?:{self.path})$", source.uri)
        if not labels:
            raise Drop("name_unknown", detail="/".join(source.uri.split("/")[-6:]))
        whole = (
            shots[0].start_s - source.start_s < EDGE_S and source.end_s - shots[-1].end_s < EDGE_S
        )  # what is faded in or out lies in no shot
        if len(shots) != 1 or not whole:
            raise Drop("cut_inside", detail=", ".join(f"{shot.start_s:.2f} to {shot.end_s:.2f} s" for shot in shots))
        if not tracks or not faces:
            raise Drop("no_face")
        seen = np.array([len(face.left_px) for face in faces])
        if (others := float((seen > 1).mean())) > self.max_others:
            raise Drop("two_faces", detail=f"in {others:.0%} of {len(seen)} looks")
        track = max(tracks, key=lambda track: sum(confidence > 0 for confidence in track.confidence))
        if (
            unseen := (len(seen) - sum(confidence > 0 for confidence in track.confidence)) / len(seen)
        ) > self.max_unseen:
            raise Drop("no_face", detail=f"in {unseen:.0%} of {len(seen)} looks")
        side = float(min(source.width, source.height))
        x = min(max(float(np.median(np.add(track.left_px, track.right_px))) / 2 - side / 2, 0.0), source.width - side)
        y = min(max(float(np.median(np.add(track.top_px, track.bottom_px))) / 2 - side / 2, 0.0), source.height - side)
        clip_id = f"{span_id(source.source_id, source.start_s, source.end_s)}/{track.track_id.rsplit('/', 1)[-1]}"
        yield Clip(
            source.source_id, clip_id, shots[0].shot_id, track.track_id, "", source.start_s, source.end_s, x, y,
            x + side, y + side
        )  # fmt: skip
        turned = float(np.median([face.yaw_deg[0] for face in faces if len(face.yaw_deg) == 1]))
        for name, value, model in (
            *((*group, "path") for group in labels.groupdict().items()),
            ("yaw_deg", f"{turned:.0f}", "DetectFaces"),
        ):
            yield Annotation(source.source_id, f"{clip_id}#{name}", clip_id, name, value, model)
