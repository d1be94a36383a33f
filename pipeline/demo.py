"""Writes the sample of `make demo`: two minutes of video whose truth is known, from parts that installed packages
carry.

    python -m pipeline.demo FOLDER

Faces are two photographs in the public domain: scikit-image's portrait of the astronaut Eileen Collins (NASA) and
matplotlib's of Rear Admiral Grace Hopper (US Navy). Voices are the two of pyannote.audio's telephone sample (MIT),
whose turns its RTTM file states. They are no recording of the two women: mouths are drawn to open with the level of the
voice given to each. Pictures without a face are scikit-image's coffee cup (CC0) and rocket (public domain, SpaceX).

Beside the videos, `truth.json` says what every shot shows, who speaks when, and how the shot ought to end.
"""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from functools import cache
from importlib.metadata import distribution
from itertools import islice
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from operators.media.containers import open_media
from pipeline.engine.worker import WORKER_ENVIRONMENT

WIDTH, HEIGHT, FPS, HZ = 1280, 720, 25, 16000
_PARTS = {
    "collins": ("scikit-image", "skimage/data/astronaut.png"),
    "hopper": ("matplotlib", "matplotlib/mpl-data/sample_data/grace_hopper.jpg"),
    "coffee": ("scikit-image", "skimage/data/coffee.png"),
    "rocket": ("scikit-image", "skimage/data/rocket.jpg"),
    "voices": ("pyannote.audio", "pyannote/audio/sample/sample.wav"),
    "turns": ("pyannote.audio", "pyannote/audio/sample/sample.rttm"),
}
_VOICE = {"collins": "speaker90", "hopper": "speaker91"}  # of whom, by the names of the RTTM file
# Seconds of the recording in which one voice is heard alone.
_ALONE = {
    "collins": [(8.32, 9.92), (11.03, 14.49), (18.59, 21.49), (28.5, 30.0)],
    "hopper": [(14.7, 17.92), (21.78, 27.85), (7.55, 8.32)],
}
_BREATH_S = 0.3
# Indices of MediaPipe's 478 face landmarks, each line from the image's left to its right.
_INNER_UPPER_LIP = [78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308]
_INNER_LOWER_LIP = [78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308]
_LEFT_CORNER, _RIGHT_CORNER, _CHIN, _FOREHEAD = 61, 291, 152, 10
_OPENINGS = 16  # drawings of a mouth from closed to wide open
_WIDE_OPEN = 0.085  # of the face's height


@dataclass(frozen=True)
class View:
    """A part of the picture that shows one photograph."""

    of: str
    centre: tuple[float, float]  # the photograph's pixel in the middle of the view
    scale: float  # pixels of the video a pixel of the photograph
    left: int = 0
    width: int = WIDTH
    mouth: str = ""  # moves with this person's speech: the person in view, or nobody


@dataclass(frozen=True)
class Scene:
    """What a shot shows, and how the shot ought to end: with `clips`, or with the reason of a drop."""

    seconds: float
    views: tuple[View, ...]
    ends: str


@dataclass(frozen=True)
class Speech:
    who: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Film:
    name: str
    scenes: tuple[Scene, ...]
    sound: NDArray[np.float32]
    speech: tuple[Speech, ...]
    mute: bool = False  # mouths move with the sound, but nothing is heard


def write_sample(folder: Path, seconds: float = float("inf")) -> list[Path]:
    """Writes the videos and `truth.json` into the folder. The same installed packages give the same bytes.

    Args:
        seconds: no more than this of each video.

    Returns:
        The videos.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths, truth = [], []
    for film in _films():
        length_s = round(min(seconds, sum(scene.seconds for scene in film.scenes)) * FPS) / FPS
        paths.append(folder / f"{film.name}.mp4")
        _write_video(paths[-1], film, round(length_s * FPS))
        truth.append(_truth(film, length_s))
    (folder / "truth.json").write_text(json.dumps(truth, indent=2) + "\n")
    return paths


def _films() -> Iterator[Film]:
    hopper = View("hopper", (256, 240), 2.5, mouth="hopper")
    collins = View("collins", (246, 150), 2.5, mouth="collins")
    collins_near = View("collins", (232, 135), 3.3, mouth="collins")
    collins_far = View("collins", (256, 256), 0.7, mouth="collins")
    collins_left = View("collins", (228, 150), 2.1, width=WIDTH // 2, mouth="collins")
    hopper_right = View("hopper", (258, 300), 1.25, left=WIDTH // 2, width=WIDTH // 2, mouth="hopper")
    hopper_left = View("hopper", (258, 290), 1.35, width=WIDTH // 2, mouth="hopper")
    collins_right = View("collins", (232, 158), 1.9, left=WIDTH // 2, width=WIDTH // 2, mouth="collins")
    collins_still = View("collins", (226, 140), 2.8)
    coffee, rocket = View("coffee", (300, 200), 2.2), View("rocket", (320, 240), 2.05)

    # The recording as it is: both in view for their first turns, then one, then the other.
    yield Film(
        "interview",
        (
            Scene(6.4, (coffee,), "no_face"),
            Scene(15.2, (collins_left, hopper_right), "clips"),
            Scene(6.12, (hopper,), "clips"),
            Scene(2.28, (collins,), "shot_short"),
        ),
        _voices(),
        tuple(_turns()),
    )

    # What each says alone, put together to statements.
    scenes, sound, speech = [], [], []
    at_s = 0.0
    for who, order, views, ends in [
        ("collins", [1, 2, 0, 3], (collins,), "clips"),
        ("hopper", [0, 1, 2], (hopper,), "clips"),
        ("hopper", [1], (collins_still,), "voice_off_screen"),
        ("collins", [1], (rocket,), "no_face"),
        ("collins", [2, 3], (collins_far,), "face_small"),
        ("hopper", [2, 0, 1], (hopper_left, collins_right), "clips"),
        ("collins", [3, 1, 2, 0], (collins_near,), "clips"),
        ("collins", [0, 2, 1], (hopper_left, collins_right), "clips"),
    ]:
        said, spans = _statement([_ALONE[who][index] for index in order])
        scenes.append(Scene(len(said) / HZ, views, ends))
        sound.append(said)
        speech += [Speech(who, at_s + start_s, at_s + end_s) for start_s, end_s in spans]
        at_s += len(said) / HZ
    yield Film("statements", tuple(scenes), np.concatenate(sound), tuple(speech))

    # A sound track without a sound, under a face at rest, and under one whose mouth moves as if it spoke.
    said, spans = _statement(_ALONE["hopper"])
    scenes = (
        Scene(10.0, (collins_still,), "no_speech"),
        Scene(len(said) / HZ, (hopper,), "no_speech"),
        Scene(6.0, (rocket,), "no_face"),
    )
    sound = np.concatenate([np.zeros(10 * HZ, np.float32), said, np.zeros(6 * HZ, np.float32)])
    yield Film(
        "mute", scenes, sound, tuple(Speech("hopper", 10 + start_s, 10 + end_s) for start_s, end_s in spans), mute=True
    )


def _part(name: str) -> Path:
    package, path = _PARTS[name]
    return Path(str(distribution(package).locate_file(path)))


@cache
def _voices() -> NDArray[np.float32]:
    with open_media(_part("voices")) as container:
        frames = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
    return (np.concatenate(frames).astype(np.float32) / 32768).astype(np.float32)


def _turns() -> Iterator[Speech]:
    who = {voice: name for name, voice in _VOICE.items()}
    for line in _part("turns").read_text().splitlines():
        _, _, _, start_s, length_s, _, _, voice, *_ = line.split()
        yield Speech(who[voice], float(start_s), float(start_s) + float(length_s))


def _statement(pieces: Sequence[tuple[float, float]]) -> tuple[NDArray[np.float32], list[tuple[float, float]]]:
    """The pieces of the recording with a breath before each and after the last, whole frames long, and where each
    lies.
    """
    room = _voices()[3 * HZ : 6 * HZ]  # nobody speaks yet
    spans, at_s = [], _BREATH_S
    for start_s, end_s in pieces:
        spans.append((round(at_s, 3), round(at_s + end_s - start_s, 3)))
        at_s += end_s - start_s + _BREATH_S
    sound = np.resize(room, int(np.ceil(at_s * FPS)) * HZ // FPS)
    for (start_s, end_s), (from_s, _) in zip(spans, pieces, strict=True):
        first, length = round(start_s * HZ), round((end_s - start_s) * HZ)
        sound[first : first + length] = _voices()[round(from_s * HZ) :][:length]
    return sound, spans


@cache
def _photograph(name: str, enlarged: int) -> NDArray[np.uint8]:
    """(h, w, 3) RGB."""
    import cv2

    picture = np.asarray(cv2.imread(str(_part(name)), cv2.IMREAD_COLOR_RGB))
    return np.asarray(cv2.resize(picture, None, fx=enlarged, fy=enlarged, interpolation=cv2.INTER_LANCZOS4), np.uint8)


@cache
def _landmarks(name: str) -> NDArray[np.float64]:
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

    picture, face = _photograph(name, enlarged), _landmarks(name) * enlarged
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


def _pictures(film: Film) -> Iterator[NDArray[np.uint8]]:
    """(1080, 1280), one a frame: the planes of a 720-line picture in yuv420p, one below the other."""
    import cv2

    openings = {who: _openings(film, who) for who in _VOICE}
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
    picture = _with_open_mouth(name, enlarged, opening) if name in _VOICE else _photograph(name, enlarged)
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


def _write_video(path: Path, film: Film, frames: int) -> None:
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        video = container.add_stream("libx264", rate=FPS, options={"preset": "superfast", "crf": "22", "g": "50"})
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        video.codec_context.thread_count = 1  # x264's bytes depend on it
        video.codec_context.time_base = Fraction(1, FPS)
        # BT.709
        video.codec_context.color_primaries = video.codec_context.color_trc = video.codec_context.colorspace = 1
        video.codec_context.color_range = 1
        sound = container.add_stream("aac", rate=HZ, layout="mono")
        sound.bit_rate = 64000
        samples = film.sound[: frames * HZ // FPS] * (not film.mute)
        for at in range(0, len(samples), 1024):
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(samples[None, at : at + 1024], np.float32), format="fltp", layout="mono"
            )
            frame.sample_rate, frame.pts, frame.time_base = HZ, at, Fraction(1, HZ)
            container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
        for n, picture in enumerate(islice(_pictures(film), frames)):
            frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
            frame.pts, frame.time_base = n, Fraction(1, FPS)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))


def _truth(film: Film, length_s: float) -> dict:
    shots, start_s = [], 0.0
    for scene in film.scenes:
        whole_s = round(start_s + scene.seconds, 3)
        end_s = min(whole_s, length_s)
        if end_s - start_s > 0.5 / FPS:
            faces = [
                {"who": view.of, "box": _face_box(view), "mouth": bool(view.mouth)}
                for view in scene.views
                if view.of in _VOICE
            ]
            shots.append(
                {"start_s": start_s, "end_s": end_s, "faces": faces, "ends": scene.ends if end_s == whole_s else ""}
            )
        start_s = whole_s
    heard = () if film.mute else film.speech
    speech = [asdict(replace(said, end_s=min(said.end_s, length_s))) for said in heard if said.start_s < length_s]
    return {"file": f"{film.name}.mp4", "seconds": length_s, "shots": shots, "speech": speech}


def _face_box(view: View) -> list[int]:
    """Left, top, right, bottom in pixels of the video, with the camera at rest."""
    points = (_landmarks(view.of) - view.centre) * view.scale + (view.left + view.width / 2, HEIGHT / 2)
    return [round(side) for side in (*points.min(axis=0), *points.max(axis=0))]


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m pipeline.demo FOLDER")
    os.environ.update(WORKER_ENVIRONMENT)  # the libraries say nothing
    for written in write_sample(Path(sys.argv[1])):
        print(written)
