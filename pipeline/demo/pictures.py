"""The pictures of the sample: photographs whose mouths open with a voice, before a hand-held camera."""

from collections.abc import Iterator
from functools import cache

import av
import numpy as np
from numpy.typing import NDArray

from pipeline.demo.films import FPS, HEIGHT, HZ, VOICE, WIDTH, Film, View, part

# Indices of MediaPipe's 478 face landmarks, each line from the image's left to its right.
_INNER_UPPER_LIP = [78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308]
_INNER_LOWER_LIP = [78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308]
_LEFT_CORNER, _RIGHT_CORNER, _CHIN, _FOREHEAD = 61, 291, 152, 10
_OPENINGS = 16  # drawings of a mouth from closed to wide open
_WIDE_OPEN = 0.085  # of the face's height


@cache
def _photograph(name: str, enlarged: int) -> NDArray[np.uint8]:
    """(h, w, 3) RGB."""
    import cv2

    picture = np.asarray(cv2.imread(str(part(name)), cv2.IMREAD_COLOR_RGB))
    return np.asarray(cv2.resize(picture, None, fx=enlarged, fy=enlarged, interpolation=cv2.INTER_LANCZOS4), np.uint8)


@cache
def landmarks(name: str) -> NDArray[np.float64]:
    """(478, 2) points of the face in pixels of the photograph."""
    from operators.models.face_landmarker import Landmarker

    picture = _photograph(name, 1)
    (face,) = Landmarker(blendshapes=False)(picture)
    return face.points[:, :2] * (picture.shape[1], picture.shape[0])


@cache
def _with_open_mouth(name: str, enlarged: int, opening: int) -> NDArray[np.uint8]:
    """The enlarged photograph with the jaw dropped, `opening` of `_OPENINGS - 1` of the way.

    What is below the line between the lips moves down: most in the middle, not at all at the corners of the mouth, and
    less and less below the chin. The gap is filled with a dark red.
    """
    import cv2

    picture, face = _photograph(name, enlarged), landmarks(name) * enlarged
    if not opening:
        return picture
    drop = opening / (_OPENINGS - 1) * _WIDE_OPEN * (face[_CHIN, 1] - face[_FOREHEAD, 1])
    (left, _), (right, _), chin = face[_LEFT_CORNER], face[_RIGHT_CORNER], face[_CHIN, 1]
    half, middle = (right - left) / 2, (left + right) / 2
    lips = face[_INNER_LOWER_LIP]
    below = chin - lips[:, 1].max()

    box = (
        slice(int(lips[:, 1].min() - 4 * enlarged), int(chin + 1.2 * below)),
        slice(int(left - half), int(right + half)),
    )
    y, x = np.mgrid[box].astype(np.float32)
    lip = np.interp(x[0], lips[:, 0], lips[:, 1])[None].astype(np.float32)

    def dropped(at: NDArray[np.float32]) -> NDArray[np.float32]:
        reach = half * (1 + 0.7 * np.clip((at - lip) / below, 0, 1))  # the jaw is wider than the mouth
        across = np.clip(1 - ((x - middle) / reach) ** 2, 0, 1)
        return drop * across * (1 - _smooth((at - chin) / (1.1 * below)))

    came_from = y
    for _ in range(8):  # y = came_from + dropped(came_from), solved by iteration
        came_from = y - dropped(came_from)
    edge = lip + dropped(np.broadcast_to(lip, y.shape))  # the lower lip, moved
    from_y = np.where(y > (lip + edge) / 2, np.maximum(came_from, lip), np.minimum(y, lip)).astype(np.float32)
    moved = cv2.remap(picture, x, from_y, cv2.INTER_LINEAR).astype(np.float32)

    soft = 0.6 * enlarged
    gap = (_smooth((y - lip) / soft) * _smooth((edge - y) / soft) * _smooth((edge - lip) / (2 * soft)))[..., None]
    tongue = _smooth((y - lip) / np.maximum(edge - lip, 1) * 1.2 - 0.3)[..., None]
    inside = (1 - tongue) * np.array([44, 18, 18], np.float32) + tongue * np.array([112, 50, 50], np.float32)
    opened = picture.copy()
    opened[box] = (moved * (1 - gap) + inside * gap).round().astype(np.uint8)
    return opened


def _smooth(share: NDArray[np.float32]) -> NDArray[np.float32]:
    """From 0 to 1 without a corner."""
    share = np.clip(share, 0, 1)
    return share * share * (3 - 2 * share)


def _openings(film: Film, who: str) -> NDArray[np.int64]:
    """For each frame how far a mouth is open: with the level of the sound, while its person speaks."""
    frames = len(film.sound) * FPS // HZ
    padded = np.pad(film.sound, HZ // FPS)
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * HZ // FPS)[:: HZ // FPS][:frames]
    level_db = 10 * np.log10((around**2).mean(axis=1) + 1e-9)
    share = np.zeros(frames)
    for speech in film.speech:
        if speech.who == who:
            turn = slice(round(speech.start_s * FPS), round(speech.end_s * FPS))
            loud_db = np.percentile(level_db[turn], 95)
            share[turn] = np.clip((level_db[turn] - loud_db + 18) / 16, 0, 1)
    return np.round(np.convolve(share, [0.2, 0.6, 0.2], mode="same") * (_OPENINGS - 1)).astype(np.int64)


def pictures(film: Film) -> Iterator[NDArray[np.uint8]]:
    """(1080, 1280), one a frame: the planes of a 720-line picture in yuv420p, one below the other."""
    import cv2

    openings = {who: _openings(film, who) for who in VOICE}
    ends = np.round(np.cumsum([scene.seconds for scene in film.scenes]) * FPS)
    for n in range(int(ends[-1])):
        scene = int(np.searchsorted(ends, n, side="right"))
        luma, blue, red = (np.zeros((HEIGHT // half, WIDTH // half), np.uint8) for half in (1, 2, 2))
        for place, view in enumerate(film.scenes[scene].views):
            enlarged = max(1, round(view.scale))
            turn = _camera(view, n / FPS + 5 * place + 3 * scene, enlarged)
            planes = _planes(view.of, enlarged, int(openings[view.mouth][n]) if view.mouth else 0)
            # A small picture hangs on a dark wall.
            edge = cv2.BORDER_REPLICATE if view.scale > 1 else cv2.BORDER_CONSTANT
            for plane, onto, half, wall in zip(planes, (luma, blue, red), (1, 2, 2), (50, 130, 126), strict=True):
                seen = turn / (1, 1, half)
                shown = cv2.warpAffine(
                    plane,
                    seen,
                    (view.width // half, HEIGHT // half),
                    flags=cv2.INTER_LINEAR,
                    borderMode=edge,
                    borderValue=wall,
                )
                onto[:, view.left // half : (view.left + view.width) // half] = shown
        yield np.concatenate([luma, blue.reshape(-1, WIDTH), red.reshape(-1, WIDTH)])


@cache
def _planes(name: str, enlarged: int, opening: int) -> tuple[NDArray[np.uint8], ...]:
    """Y, U and V of a photograph, by BT.709: to turn these costs half of turning RGB and converting every frame."""
    picture = _with_open_mouth(name, enlarged, opening) if name in VOICE else _photograph(name, enlarged)
    height, width = picture.shape[0] // 2 * 2, picture.shape[1] // 2 * 2
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture[:height, :width]), format="rgb24")
    frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG", threads=1)
    planes = [
        np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]
        for plane in frame.planes
    ]
    return tuple(np.ascontiguousarray(plane) for plane in planes)


def _camera(view: View, at_s: float, enlarged: int) -> NDArray[np.float64]:
    """(2, 3) from the enlarged photograph to the view: a hand-held camera, which sways by a few pixels and one
    degree.
    """
    sway = [np.sin(2 * np.pi * at_s / period_s) for period_s in (5.3, 4.1, 7.9, 9.7)]
    angle, scale = np.radians(0.8 * sway[0]), view.scale * (1 + 0.012 * sway[2])
    turn = scale / enlarged * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.array([view.width / 2 + 4 * sway[3], HEIGHT / 2 + 3 * sway[1]])
    return np.column_stack([turn, middle - turn @ (np.array(view.centre) * enlarged)])
