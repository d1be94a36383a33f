"""A pose video beside a clip: given, or 68 points of the face drawn."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from operators.base import Drop
from pipeline.export.checks import video_facts
from pipeline.export.clip import ExportClip
from pipeline.export.files import Picture, write_mp4
from pipeline.export.layout import Given

POSE_TAKES = (
    "<clip>.mp4 files of DWPose, as many frames as the clip and its rate; without them no pose video is written"
)
POSE_SUBSTITUTE = "the 68 points of MediaPipe's mesh, drawn in lines on black: no body, and no DWPose"
_BRIDGED = 5
# Of the iBUG points: jaw, brows, bridge and base of the nose are open lines; eyes and lips are closed.
_LINES = (
    *((range(*span), False) for span in ((0, 17), (17, 22), (22, 27), (27, 31), (31, 36))),
    *((range(*span), True) for span in ((36, 42), (42, 48), (48, 60), (60, 68))),
)


def put_pose_video(clip: ExportClip, given: Given, path: Path, fps: int) -> None:
    """
    Raises:
        Drop: `pose_missing`, `pose_differs`; `no_face` for the substitute.
    """
    if "pose" in given.substitutes:
        write_mp4(path, pose_pictures(clip, fps), fps)
        return
    file = given.file("pose", f"{clip.name}.mp4")
    facts = video_facts(file)
    if isinstance(facts, str):
        raise Drop("pose_differs", detail=f"{file.name} {facts}")
    if (facts[0], facts[3]) != (clip.count(fps), fps):
        detail = f"{file.name}: {facts[0]} frames at {facts[3]:g} a second for {clip.count(fps)} at {fps}"
        raise Drop("pose_differs", detail=detail)
    shutil.copyfile(file, path)


def pose_pictures(clip: ExportClip, fps: int) -> Iterator[Picture]:
    """(height, width, 3) of each frame: white lines on black."""
    import cv2

    points = clip.faces(fps).bridged(_BRIDGED).landmarks_68
    thick = max(1, clip.width // 256)
    for frame in points:
        picture = np.zeros((clip.height, clip.width, 3), np.uint8)
        for span, closed in _LINES:
            cv2.polylines(picture, [np.round(frame[list(span)]).astype(np.int32)], closed, (255, 255, 255), thick)
        yield picture
