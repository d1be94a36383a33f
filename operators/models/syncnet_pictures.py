"""The pictures that SyncNet is shown: whole ones through JPEG, or faces found, followed and cropped, as published."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from manifests.boxes import iou
from operators.models.syncnet import FPS, PICTURE_PX

MIN_TRACK = 100  # a face is judged when it was detected in more frames than this
MIN_FACE_PX = 100  # and its mean box is longer than this, one way or the other
MAX_GAP = 25  # frames that a face may be missed for and still be the same
MIN_OVERLAP = 0.5  # of its boxes in following frames, intersection over union
CROP_SCALE = 0.4  # of the box's longer side, left on each side of it and twice below
STEADY = 13  # frames of the median that steadies the box
PAD = 110  # grey beyond the picture's edge
QSCALE = 2  # of the JPEG that whole pictures pass through before they are cropped


# lse_lrs: the pictures are taken for face crops as they are.


def lrs_pictures(pictures: Iterable[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
    """Whole BGR pictures, through JPEG and squeezed to 224 x 224 without regard to their shape, as
    `calculate_scores_LRS.py` does.
    """
    import cv2

    for picture in through_jpeg(pictures):
        yield np.asarray(cv2.resize(picture, (PICTURE_PX, PICTURE_PX)), np.uint8)


# lse_tracked: a face is found, followed and cropped first.


class FaceTrack(NamedTuple):
    sights: int  # frames in which it was detected
    frames: NDArray[np.int64]  # (n,) one after the other
    boxes: NDArray[np.float64]  # (n, 4) left, top, right, bottom in pixels; between sights a straight line

    @property
    def side_px(self) -> float:
        """Mean width or height of the box, whichever is longer."""
        return float((self.boxes[:, 2:] - self.boxes[:, :2]).mean(axis=0).max())

    @property
    def judged(self) -> bool:
        """Whether the published code would compare it: detected in more than 100 frames, longer than 100 pixels."""
        return self.sights > MIN_TRACK and self.side_px > MIN_FACE_PX


def link_faces(faces: Sequence[Sequence[Sequence[float]]]) -> list[FaceTrack]:
    """Joins the boxes of one shot to tracks, as `run_pipeline.py` does.

    A box goes on from the last one of a track when the two overlap by more than half and lie 25 frames apart at most.

    Args:
        faces: of each frame, the boxes (left, top, right, bottom).
    """
    left = [[tuple(float(side) for side in box) for box in boxes] for boxes in faces]
    tracks = []
    while any(left):
        taken: list[tuple[int, tuple[float, ...]]] = []
        for k, boxes in enumerate(left):
            n = 0
            while n < len(boxes):
                if not taken or (k - taken[-1][0] <= MAX_GAP and iou(boxes[n], taken[-1][1]) > MIN_OVERLAP):
                    taken.append((k, boxes.pop(n)))
                # also past the box after a taken one: a published quirk, which matters where two boxes lie on one face
                n += 1
        seen, sides = np.array([k for k, _ in taken]), np.array([box for _, box in taken])
        frames = np.arange(seen[0], seen[-1] + 1)
        tracks.append(
            FaceTrack(len(taken), frames, np.stack([np.interp(frames, seen, side) for side in sides.T], axis=1))
        )
    return tracks


def steady_squares(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 3): centre x, centre y and half the longer side of each box, by a median over 13 frames.

    As published, what lies beyond the ends counts as 0, so that the first and last six are drawn to smaller values.

    Args:
        boxes: (n, 4) left, top, right, bottom.
    """
    from scipy.signal import medfilt

    left, top, right, bottom = boxes.T
    squares = (left + right) / 2, (top + bottom) / 2, np.maximum(right - left, bottom - top) / 2
    return np.stack([medfilt(one, STEADY) for one in squares], axis=1)


def face_crop(picture: NDArray[np.uint8], square: Sequence[float]) -> NDArray[np.uint8]:
    """(224, 224, 3): the face with some room around it and below, grey beyond the picture.

    Args:
        picture: (h, w, 3)
        square: centre x, centre y and half the side of the face's box, in pixels.
    """
    import cv2

    x, y, half = (float(value) for value in square)
    pad = int(half * (1 + 2 * CROP_SCALE))
    padded = cv2.copyMakeBorder(picture, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=(PAD, PAD, PAD))
    x, y = x + pad, y + pad
    rows = slice(int(y - half), int(y + half * (1 + 2 * CROP_SCALE)))
    columns = slice(int(x - half * (1 + CROP_SCALE)), int(x + half * (1 + CROP_SCALE)))
    return np.asarray(cv2.resize(padded[rows, columns], (PICTURE_PX, PICTURE_PX)), np.uint8)


def tracked_pictures(files: Sequence[bytes], track: FaceTrack) -> Iterator[NDArray[np.uint8]]:
    """The face of a track in each of its frames, BGR, through JPEG once more after it is cropped, as `run_pipeline.py`
    does.

    Args:
        files: the whole picture of every frame from number 0 on, as `jpeg_files(pictures, QSCALE)` makes them.
    """
    squares = steady_squares(track.boxes)
    return through_jpeg(face_crop(from_jpeg(files[k]), square) for k, square in zip(track.frames, squares, strict=True))


def through_jpeg(pictures: Iterable[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
    """BGR pictures (h, w, 3) as they come back from `jpeg_files` at the default rate."""
    return (from_jpeg(file) for file in jpeg_files(pictures))


def jpeg_files(pictures: Iterable[NDArray[np.uint8]], qscale: int | None = None) -> Iterator[bytes]:
    """BGR pictures (h, w, 3) of one size as the JPEG files that the `ffmpeg` command makes of a video.

    Args:
        qscale: its `-qscale:v`, 1 to 31, lower is better. None for its default, a rate control that aims at 200 kbit/s,
            so that after half a second every picture has the lowest quality there is. Both published protocols look at
            such pictures.
    """
    from fractions import Fraction

    import av
    from av.video.reformatter import ColorRange, Colorspace

    encoder: av.VideoCodecContext | None = None
    for k, picture in enumerate(pictures):
        if encoder is None:
            encoder = av.VideoCodecContext.create("mjpeg", "w")
            encoder.width, encoder.height, encoder.pix_fmt = picture.shape[1], picture.shape[0], "yuvj420p"
            encoder.time_base, encoder.framerate = Fraction(1, FPS), Fraction(FPS)
            encoder.bit_rate = 200_000
            encoder.thread_count = 1
            if qscale is not None:
                encoder.qmin = encoder.qmax = qscale
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="bgr24")
        frame = frame.reformat(
            format="yuvj420p", dst_colorspace=Colorspace.ITU601, dst_color_range=ColorRange.JPEG, threads=1
        )
        frame.pts, frame.time_base = k, Fraction(1, FPS)
        yield from (bytes(packet) for packet in encoder.encode(frame))


def from_jpeg(file: bytes) -> NDArray[np.uint8]:
    """(h, w, 3) BGR."""
    import cv2

    picture = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return np.asarray(picture, np.uint8)
